//! Bitswap 1.2 messages: read with bounds, written as length-prefixed frames.
//!
//! Specification: <https://specs.ipfs.tech/bitswap-protocol/>. The protobuf fields are
//! `Message { wantlist = 1, blocks = 2 (1.0), payload = 3, blockPresences = 4, pendingBytes = 5 }`.

use crate::{
    dag::{block_id, link_id, MAX_BLOCK_BYTES},
    wire::{put_bytes, put_number, put_varint, Reader, WireError, LEN, VARINT},
};
use bytes::Bytes;
use openledger_primitives::{ContentCodec, ContentId};

/// Most bytes of a message, its length prefix not counted (Kubo's limit too).
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Most entries of a wantlist that are read from one message; the rest is ignored.
pub const MAX_ENTRIES: usize = 1024;
/// Most presences that are read from one message; the rest is ignored.
const MAX_PRESENCES: usize = 2 * MAX_ENTRIES;
/// Most blocks that are read from one message; the rest is ignored.
const MAX_BLOCKS: usize = 1024;
/// Longest CID that is remembered long enough to answer "do not have".
const MAX_CID_BYTES: usize = 128;

/// A CID as a peer wrote it. Answers repeat these bytes, whatever version they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WireCid(Box<[u8]>);

impl WireCid {
    pub(crate) fn new(id: &ContentId) -> Self {
        Self(id.to_bytes().into())
    }

    /// The same block as old peers name it: CIDv0, for dag-pb only.
    pub(crate) fn version_0(id: &ContentId) -> Option<Self> {
        (id.codec() == ContentCodec::DagPb)
            .then(|| Self([&[0x12, 0x20], id.digest().as_slice()].concat().into()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The content id, if it is one whose block this node can have.
    pub(crate) fn content(&self) -> Option<ContentId> {
        link_id(&self.0).ok()
    }

    /// The prefix under which a peer that wanted this CID expects the block.
    fn prefix(&self) -> Vec<u8> {
        match self.content().map(|id| id.codec()) {
            _ if self.0.starts_with(&[0x12, 0x20]) => vec![0, 0x70, 0x12, 0x20],
            Some(ContentCodec::DagPb) => vec![1, 0x70, 0x12, 0x20],
            _ => vec![1, 0x55, 0x12, 0x20],
        }
    }
}

/// What is wanted of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WantKind {
    /// Its bytes.
    Block,
    /// Word whether the peer has it.
    Have,
}

/// One line of a wantlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) cid: WireCid,
    pub(crate) kind: WantKind,
    pub(crate) cancel: bool,
    pub(crate) send_dont_have: bool,
}

impl Entry {
    pub(crate) fn want(id: &ContentId, kind: WantKind) -> Self {
        Self { cid: WireCid::new(id), kind, cancel: false, send_dont_have: true }
    }

    pub(crate) fn cancel(id: &ContentId) -> Self {
        Self { cid: WireCid::new(id), kind: WantKind::Block, cancel: true, send_dont_have: false }
    }
}

/// A block that arrived; its id was computed from its bytes.
#[derive(Clone, Debug)]
pub(crate) enum Arrived {
    Block(ContentId, Bytes),
    /// A block with the right hash and more bytes than any block may have.
    TooLarge(ContentId, u64),
}

/// A message, as far as it concerns this node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// The wantlist replaces the one before instead of adding to it.
    pub(crate) full: bool,
    pub(crate) entries: Vec<Entry>,
    pub(crate) blocks: Vec<Arrived>,
    /// Block and whether the peer has it.
    pub(crate) presences: Vec<(ContentId, bool)>,
}

impl Message {
    /// Reads a message and hashes its blocks.
    pub(crate) fn read(frame: &Bytes) -> Result<Self, WireError> {
        let mut message = Self::default();
        let mut reader = Reader::new(frame);
        while let Some(key) = reader.key()? {
            match key {
                (1, LEN) => message.read_wantlist(reader.bytes()?)?,
                (2, LEN) => {
                    message.push_block(ContentCodec::DagPb, frame, reader.bytes()?);
                }
                (3, LEN) => message.read_payload(frame, reader.bytes()?)?,
                (4, LEN) => message.read_presence(reader.bytes()?)?,
                (_, kind) => reader.skip(kind)?,
            }
        }
        Ok(message)
    }

    fn read_wantlist(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(bytes);
        while let Some(key) = reader.key()? {
            match key {
                (1, LEN) => {
                    let entry = read_entry(reader.bytes()?)?;
                    if self.entries.len() < MAX_ENTRIES {
                        self.entries.extend(entry);
                    }
                }
                (2, VARINT) => self.full = reader.varint()? != 0,
                (_, kind) => reader.skip(kind)?,
            }
        }
        Ok(())
    }

    fn read_payload(&mut self, frame: &Bytes, bytes: &[u8]) -> Result<(), WireError> {
        let (mut prefix, mut data): (&[u8], &[u8]) = (&[], &[]);
        let mut reader = Reader::new(bytes);
        while let Some(key) = reader.key()? {
            match key {
                (1, LEN) => prefix = reader.bytes()?,
                (2, LEN) => data = reader.bytes()?,
                (_, kind) => reader.skip(kind)?,
            }
        }
        // Version, codec, hash function, digest length. Blocks of other kinds are never wanted.
        let codec = match prefix {
            [0 | 1, 0x70, 0x12, 0x20] => ContentCodec::DagPb,
            [1, 0x55, 0x12, 0x20] => ContentCodec::Raw,
            _ => return Ok(()),
        };
        if data.is_empty() {
            // An empty block has no bytes to point into; it is still a block.
            if self.blocks.len() < MAX_BLOCKS {
                self.blocks.push(Arrived::Block(block_id(codec, &[]), Bytes::new()));
            }
            return Ok(());
        }
        self.push_block(codec, frame, data);
        Ok(())
    }

    fn push_block(&mut self, codec: ContentCodec, frame: &Bytes, data: &[u8]) {
        if self.blocks.len() >= MAX_BLOCKS {
            return;
        }
        let id = block_id(codec, data);
        self.blocks.push(match data.len() {
            size if size > MAX_BLOCK_BYTES => Arrived::TooLarge(id, size as u64),
            // A small block must not keep the memory of a large message alive.
            size if size < frame.len() / 2 => Arrived::Block(id, Bytes::copy_from_slice(data)),
            _ => Arrived::Block(id, frame.slice_ref(data)),
        });
    }

    fn read_presence(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let (mut cid, mut kind): (&[u8], u64) = (&[], 0);
        let mut reader = Reader::new(bytes);
        while let Some(key) = reader.key()? {
            match key {
                (1, LEN) => cid = reader.bytes()?,
                (2, VARINT) => kind = reader.varint()?,
                (_, kind) => reader.skip(kind)?,
            }
        }
        if let (Ok(id), true) = (link_id(cid), self.presences.len() < MAX_PRESENCES) {
            self.presences.push((id, kind == 0));
        }
        Ok(())
    }
}

/// An entry, or `None` when its CID is longer than any CID.
fn read_entry(bytes: &[u8]) -> Result<Option<Entry>, WireError> {
    let mut cid: &[u8] = &[];
    let (mut kind, mut cancel, mut send_dont_have) = (WantKind::Block, false, false);
    let mut reader = Reader::new(bytes);
    while let Some(key) = reader.key()? {
        match key {
            (1, LEN) => cid = reader.bytes()?,
            (3, VARINT) => cancel = reader.varint()? != 0,
            (4, VARINT) => {
                kind = if reader.varint()? == 1 { WantKind::Have } else { WantKind::Block };
            }
            (5, VARINT) => send_dont_have = reader.varint()? != 0,
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok((1..=MAX_CID_BYTES).contains(&cid.len()).then(|| Entry {
        cid: WireCid(cid.into()),
        kind,
        cancel,
        send_dont_have,
    }))
}

/// A frame with wantlist entries, added to what the peer knows already.
pub(crate) fn wantlist_frame(entries: &[Entry]) -> Vec<u8> {
    let mut wantlist = Vec::with_capacity(entries.len() * 48);
    let mut body = Vec::with_capacity(48);
    for entry in entries {
        body.clear();
        put_bytes(&mut body, 1, entry.cid.as_bytes());
        put_number(&mut body, 2, 1);
        put_number(&mut body, 3, u64::from(entry.cancel));
        put_number(&mut body, 4, u64::from(entry.kind == WantKind::Have));
        put_number(&mut body, 5, u64::from(entry.send_dont_have));
        put_bytes(&mut wantlist, 1, &body);
    }
    let mut message = Vec::with_capacity(wantlist.len() + 8);
    put_bytes(&mut message, 1, &wantlist);
    framed(message)
}

/// Builds a frame with blocks and presences.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    pub(crate) fn block(&mut self, cid: &WireCid, data: &[u8]) {
        let mut head = Vec::with_capacity(16);
        put_bytes(&mut head, 1, &cid.prefix());
        put_varint(&mut head, 2 << 3 | u64::from(LEN));
        put_varint(&mut head, data.len() as u64);
        put_varint(&mut self.body, 3 << 3 | u64::from(LEN));
        put_varint(&mut self.body, (head.len() + data.len()) as u64);
        self.body.extend_from_slice(&head);
        self.body.extend_from_slice(data);
    }

    pub(crate) fn presence(&mut self, cid: &WireCid, have: bool) {
        let mut body = Vec::with_capacity(48);
        put_bytes(&mut body, 1, cid.as_bytes());
        put_number(&mut body, 2, u64::from(!have));
        put_bytes(&mut self.body, 4, &body);
    }

    /// The frame, or `None` when there is nothing to say.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        (!self.body.is_empty()).then(|| framed(self.body))
    }
}

fn framed(body: Vec<u8>) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(4);
    put_varint(&mut prefix, body.len() as u64);
    let mut frame = body;
    frame.splice(0..0, prefix);
    frame
}
