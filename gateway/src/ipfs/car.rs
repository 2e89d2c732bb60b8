//! Content-addressed archives, version 1 (CARv1), written as blocks come.

use openledger_primitives::ContentId;

fn varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The header: DAG-CBOR of `{"roots": [root], "version": 1}`, after its length.
pub(super) fn header(root: &ContentId) -> Vec<u8> {
    // A map of two, the key "roots", a list of one, tag 42 (a CID), a string of 37 bytes: the multibase
    // prefix 0 and the binary CID.
    let mut cbor = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00".to_vec();
    cbor.extend_from_slice(&root.to_bytes());
    cbor.extend_from_slice(b"\x67version\x01");
    let mut out = Vec::with_capacity(cbor.len() + 1);
    varint(&mut out, cbor.len());
    out.extend_from_slice(&cbor);
    out
}

/// What stands before a block: the length of its id and bytes, and its id.
pub(super) fn before(id: &ContentId, bytes: usize) -> Vec<u8> {
    let id = id.to_bytes();
    let mut out = Vec::with_capacity(id.len() + 4);
    varint(&mut out, id.len() + bytes);
    out.extend_from_slice(&id);
    out
}
