//! Blocks built by hand, honest and otherwise.

use openledger_content::{block_id, BlockStore};
use openledger_primitives::{ContentCodec, ContentId};

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

pub fn bytes_field(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

pub fn number_field(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// UnixFS types.
pub const RAW: u64 = 0;
pub const DIRECTORY: u64 = 1;
pub const FILE: u64 = 2;
pub const SYMLINK: u64 = 4;
pub const SHARDED: u64 = 5;

/// A UnixFS message; `size` is the file size it declares.
pub fn unixfs(kind: u64, data: &[u8], size: u64, block_sizes: &[u64]) -> Vec<u8> {
    let mut out = number_field(1, kind);
    if !data.is_empty() {
        out.extend(bytes_field(2, data));
    }
    out.extend(number_field(3, size));
    for size in block_sizes {
        out.extend(number_field(4, *size));
    }
    out
}

pub fn link(cid: &[u8], total: u64) -> Vec<u8> {
    [bytes_field(1, cid), bytes_field(2, b""), number_field(3, total)].concat()
}

/// A dag-pb block with binary CIDs as links.
pub fn dag_pb(links: &[Vec<u8>], data: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = links.iter().flat_map(|cid| bytes_field(2, &link(cid, 0))).collect();
    out.extend(bytes_field(1, data));
    out
}

/// A well-formed file node over children of known sizes.
pub fn file_node(children: &[(Vec<u8>, u64)]) -> Vec<u8> {
    let links: Vec<Vec<u8>> = children.iter().map(|(cid, _)| cid.clone()).collect();
    let sizes: Vec<u64> = children.iter().map(|(_, size)| *size).collect();
    dag_pb(&links, &unixfs(FILE, b"", sizes.iter().sum(), &sizes))
}

/// CIDv0 of a dag-pb block.
pub fn version_0(id: &ContentId) -> Vec<u8> {
    assert_eq!(id.codec(), ContentCodec::DagPb);
    [&[0x12, 0x20], id.digest().as_slice()].concat()
}

pub fn put_dag_pb(store: &BlockStore, block: &[u8]) -> ContentId {
    store.put(ContentCodec::DagPb, block).unwrap()
}

pub fn put_raw(store: &BlockStore, block: &[u8]) -> ContentId {
    store.put(ContentCodec::Raw, block).unwrap()
}

pub fn raw_id(block: &[u8]) -> ContentId {
    block_id(ContentCodec::Raw, block)
}

/// A Bitswap message that wants blocks: `(cid, kind)` with kind 0 for block and 1 for have.
pub fn wantlist(entries: impl IntoIterator<Item = (Vec<u8>, u64)>) -> Vec<u8> {
    let mut list = Vec::new();
    for (cid, kind) in entries {
        let entry =
            [bytes_field(1, &cid), number_field(2, 1), number_field(4, kind), number_field(5, 1)]
                .concat();
        list.extend(bytes_field(1, &entry));
    }
    bytes_field(1, &list)
}

/// A Bitswap message with one block of codec raw, whatever its bytes.
pub fn raw_payload(data: &[u8]) -> Vec<u8> {
    bytes_field(3, &[bytes_field(1, &[1, 0x55, 0x12, 0x20]), bytes_field(2, data)].concat())
}
