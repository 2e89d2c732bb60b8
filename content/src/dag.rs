//! Reading dag-pb blocks that hold UnixFS files, without trusting a byte of them.
//!
//! Accepted are the shapes that Kubo has written since its first releases: leaves as raw blocks or
//! as dag-pb nodes (UnixFS type File or Raw), links as CIDv0 or CIDv1, any chunker, balanced or
//! trickle layout, and the mode and time of UnixFS 1.5. Everything that is not a file is refused.
//!
//! Specifications: <https://ipld.io/specs/codecs/dag-pb/spec/>, <https://specs.ipfs.tech/unixfs/>.

use crate::{
    error::Fault,
    wire::{Reader, WireError, LEN, VARINT},
};
use bytes::Bytes;
use openledger_primitives::{ContentCodec, ContentId};
use sha2::{Digest, Sha256};

/// Most bytes in a block: what IPFS nodes exchange.
pub const MAX_BLOCK_BYTES: usize = 2 * 1024 * 1024;

/// The content id of a block: sha2-256 of its bytes.
pub fn block_id(codec: ContentCodec, block: &[u8]) -> ContentId {
    ContentId::new(codec, Sha256::digest(block).into())
}

/// Reads a binary CID as it stands in links and Bitswap messages: CIDv1 as [`ContentId`] knows it,
/// or CIDv0, which is always dag-pb with sha2-256.
pub(crate) fn link_id(bytes: &[u8]) -> Result<ContentId, String> {
    if let [0x12, 0x20, digest @ ..] = bytes {
        if let Ok(digest) = <[u8; 32]>::try_from(digest) {
            return Ok(ContentId::new(ContentCodec::DagPb, digest));
        }
    }
    ContentId::from_bytes(bytes).map_err(|error| error.to_string())
}

/// A node of a file's tree.
#[derive(Clone, Debug)]
pub(crate) struct FileNode {
    /// Bytes of the file that stand in this node, before those of its children.
    pub(crate) data: Bytes,
    /// Children in file order, each with the bytes of content that it stands for.
    pub(crate) links: Vec<(ContentId, u64)>,
    /// Bytes of content under this node, its own included.
    pub(crate) size: u64,
}

/// The blocks that a block of a file's tree links to, in file order; none for a raw block. For those
/// who pass blocks on as they are, with the bounds of a fetch on each.
///
/// # Errors
///
/// What is wrong with the block.
pub fn links(
    id: &ContentId,
    block: &Bytes,
    is_root: bool,
    max_links: usize,
) -> Result<Vec<ContentId>, Fault> {
    let node = read_file_node(id, block, is_root, max_links)?;
    Ok(node.links.into_iter().map(|(link, _)| link).collect())
}

/// Reads a block of a file's tree; a raw block is a leaf.
pub(crate) fn read_file_node(
    id: &ContentId,
    block: &Bytes,
    is_root: bool,
    max_links: usize,
) -> Result<FileNode, Fault> {
    if block.len() > MAX_BLOCK_BYTES {
        return Err(Fault::BlockTooLarge {
            block: *id,
            size: block.len() as u64,
            limit: MAX_BLOCK_BYTES as u64,
        });
    }
    if id.codec() == ContentCodec::Raw {
        return Ok(FileNode { size: block.len() as u64, data: block.clone(), links: Vec::new() });
    }

    let malformed = |reason: &str| Fault::Malformed { block: *id, reason: reason.to_string() };
    let wire = |error: WireError| Fault::Malformed { block: *id, reason: error.to_string() };

    let outer = read_dag_pb(id, block, max_links, &wire)?;
    let unixfs =
        read_unixfs(outer.data.ok_or_else(|| malformed("it has no UnixFS data"))?, max_links)
            .map_err(|error| match error {
                UnixFsError::Wire(error) => wire(error),
                UnixFsError::Malformed(reason) => malformed(reason),
                UnixFsError::TooManyLinks => Fault::TooManyLinks { block: *id, limit: max_links },
            })?;

    let kind = match unixfs.kind {
        2 => None,
        // Old releases marked the leaves below the root as Raw; a file's root is always a File.
        0 if !is_root && outer.links.is_empty() => None,
        0 => Some("raw node"),
        1 => Some("directory"),
        3 => Some("metadata node"),
        4 => Some("symlink"),
        5 => Some("HAMT-sharded directory"),
        _ => Some("node of unknown type"),
    };
    if let Some(kind) = kind {
        return Err(Fault::NotAFile { block: *id, kind });
    }
    if outer.links.len() != unixfs.block_sizes.len() {
        return Err(malformed("it does not declare one size for each link"));
    }

    let data = block.slice_ref(unixfs.data);
    let size = unixfs
        .block_sizes
        .iter()
        .try_fold(data.len() as u64, |sum, size| sum.checked_add(*size))
        .ok_or_else(|| malformed("its sizes add up to more than 2^64 bytes"))?;
    let declared = unixfs.file_size.unwrap_or(size);
    if declared != size {
        return Err(Fault::Inconsistent { block: *id, declared, found: size });
    }
    let links = outer.links.into_iter().zip(unixfs.block_sizes).collect();
    Ok(FileNode { data, links, size })
}

struct DagPb<'a> {
    links: Vec<ContentId>,
    data: Option<&'a [u8]>,
}

fn read_dag_pb<'a>(
    id: &ContentId,
    block: &'a [u8],
    max_links: usize,
    wire: &impl Fn(WireError) -> Fault,
) -> Result<DagPb<'a>, Fault> {
    let malformed = |reason: &str| Fault::Malformed { block: *id, reason: reason.to_string() };
    let mut node = DagPb { links: Vec::new(), data: None };
    let mut reader = Reader::new(block);
    while let Some(key) = reader.key().map_err(wire)? {
        match key {
            (1, LEN) => {
                if node.data.replace(reader.bytes().map_err(wire)?).is_some() {
                    return Err(malformed("it has two data fields"));
                }
            }
            (2, LEN) => {
                let index = node.links.len();
                if index >= max_links {
                    return Err(Fault::TooManyLinks { block: *id, limit: max_links });
                }
                let hash = read_link(reader.bytes().map_err(wire)?)
                    .map_err(wire)?
                    .ok_or_else(|| malformed("a link has no hash, or a field that dag-pb lacks"))?;
                let link =
                    link_id(hash).map_err(|reason| Fault::Link { block: *id, index, reason })?;
                node.links.push(link);
            }
            // dag-pb knows two fields. Anything else is bytes that no honest encoder writes.
            _ => return Err(malformed("it has a field that dag-pb lacks")),
        }
    }
    Ok(node)
}

/// The hash of a link, or `None` when the link is not well-formed.
fn read_link(bytes: &[u8]) -> Result<Option<&[u8]>, WireError> {
    let mut hash = None;
    let mut reader = Reader::new(bytes);
    while let Some(key) = reader.key()? {
        match key {
            (1, LEN) => {
                if hash.replace(reader.bytes()?).is_some() {
                    return Ok(None);
                }
            }
            (2, LEN) => drop(reader.bytes()?),
            (3, VARINT) => drop(reader.varint()?),
            _ => return Ok(None),
        }
    }
    Ok(hash)
}

struct UnixFs<'a> {
    kind: u64,
    data: &'a [u8],
    file_size: Option<u64>,
    block_sizes: Vec<u64>,
}

enum UnixFsError {
    Wire(WireError),
    Malformed(&'static str),
    TooManyLinks,
}

impl From<WireError> for UnixFsError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

fn read_unixfs(bytes: &[u8], max_links: usize) -> Result<UnixFs<'_>, UnixFsError> {
    let mut kind = None;
    // An empty sub-slice of `bytes`, so that callers can still point into the block.
    let mut data = bytes.split_at(0).0;
    let mut file_size = None;
    let mut block_sizes = Vec::new();
    let mut reader = Reader::new(bytes);
    let mut push = |size| {
        if block_sizes.len() >= max_links {
            return Err(UnixFsError::TooManyLinks);
        }
        block_sizes.push(size);
        Ok(())
    };
    while let Some((field, wire_type)) = reader.key()? {
        match (field, wire_type) {
            (1, VARINT) => kind = Some(reader.varint()?),
            (2, LEN) => data = reader.bytes()?,
            (3, VARINT) => file_size = Some(reader.varint()?),
            (4, VARINT) => push(reader.varint()?)?,
            (4, LEN) => {
                let mut packed = Reader::new(reader.bytes()?);
                while !packed.is_empty() {
                    push(packed.varint()?)?;
                }
            }
            // Hash type and fan-out belong to sharded directories; mode and time to UnixFS 1.5.
            (5..=8, _) => reader.skip(wire_type)?,
            _ => return Err(UnixFsError::Malformed("it has a field that UnixFS lacks")),
        }
    }
    let kind = kind.ok_or(UnixFsError::Malformed("it has no UnixFS type"))?;
    Ok(UnixFs { kind, data, file_size, block_sizes })
}
