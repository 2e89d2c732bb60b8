//! What can go wrong, in words that name the value, the limit and the next step.

use openledger_primitives::ContentId;
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation of the content store failed.
///
/// [`Error::Unavailable`] ("nobody gave us the bytes in time") and [`Error::Invalid`] ("these are
/// the bytes, and they are not what was promised") are different things: the first is asked again,
/// only the second may count against a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be fetched. It says nothing about whether they are right.
    #[error(
        "could not fetch {content}: {reason}; check that a node which holds it is running and \
         connected, then try again"
    )]
    Unavailable {
        /// What was wanted (the file, or the block of it that did not come).
        content: ContentId,
        /// What was seen instead.
        reason: Unavailable,
    },

    /// The bytes behind a content id are not what was promised, whoever is asked.
    #[error("{content} is wrong: {fault}")]
    Invalid {
        /// The root that was fetched.
        content: ContentId,
        /// What is wrong with it.
        fault: Fault,
    },

    /// The caller's limit is smaller than what was asked for.
    #[error("{what} is {value}, the limit is {limit}; raise the limit or choose a smaller file")]
    Limit {
        /// The quantity that is too large.
        what: &'static str,
        /// Its value (where the true value is unknown, the first one over the limit).
        value: u64,
        /// The caller's limit.
        limit: u64,
    },

    /// The disk is full.
    #[error(
        "no space left on the disk that holds {}: free some space or choose another directory, \
         then try again", path.display()
    )]
    DiskFull {
        /// Where the write was tried.
        path: PathBuf,
    },

    /// The operating system refused a file operation.
    #[error("could not {action} {}: {cause}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer. Not named `source`: the message says it already, and whoever prints
        /// the chain of sources would say it twice.
        cause: io::Error,
    },

    /// Something has the name that a file is to get.
    #[error("{} exists already; choose another name, or allow it to be overwritten", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },

    /// Another program runs as this directory's node.
    #[error(
        "another node is already running on {}: stop it, choose another directory, or run this \
         one with an ephemeral identity", directory.display()
    )]
    AlreadyRunning {
        /// The shared directory.
        directory: PathBuf,
    },

    /// The node's key file cannot be used.
    #[error(
        "the identity key {} cannot be read ({reason}): restore it from a backup, or remove it to \
         get a new peer id", path.display()
    )]
    Identity {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// An address to listen on cannot be used.
    #[error("cannot listen on {address}: {reason}; choose another port, or 0 for any free one")]
    Listen {
        /// The address.
        address: String,
        /// The transport's answer.
        reason: String,
    },

    /// An address of a peer cannot be used.
    #[error("{address} is not a peer's address: {reason}; write it like /ip4/127.0.0.1/tcp/4001/p2p/12D3…")]
    PeerAddress {
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The network part could not be set up.
    #[error("cannot start the network: {reason}")]
    Network {
        /// The library's answer.
        reason: String,
    },

    /// The node has been shut down.
    #[error("the IPFS node has been shut down; start it again")]
    Stopped,
}

impl Error {
    /// An I/O error with what was tried, on which path. A full disk becomes [`Error::DiskFull`].
    pub fn io(action: &'static str, path: impl AsRef<Path>, cause: io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { action, path, cause },
        }
    }

    /// Whether asking again later may help, because nothing is known about the bytes.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether the content itself is wrong, for everyone and for ever.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid { .. })
    }
}

/// What was seen instead of the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// A block did not come within its time.
    #[error("block {block} did not come within {} s from {peers} connected peer(s)", within.as_secs_f32())]
    Block {
        /// The block.
        block: ContentId,
        /// The time given to it.
        within: Duration,
        /// Peers connected when the time was over.
        peers: usize,
    },
    /// The whole file did not come within its time.
    #[error("the file was not complete after {} s ({bytes} bytes had come)", within.as_secs_f32())]
    File {
        /// The time given to it.
        within: Duration,
        /// Bytes that had come.
        bytes: u64,
    },
    /// The block is not in the local store, and no network was asked.
    #[error("block {block} is not in the local store")]
    NotLocal {
        /// The block.
        block: ContentId,
    },
}

/// What is wrong with content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A UnixFS node that is not a file.
    #[error("block {block} is a UnixFS {kind}, only files are accepted")]
    NotAFile {
        /// The block.
        block: ContentId,
        /// What it is.
        kind: &'static str,
    },
    /// A block that claims dag-pb and is not well-formed.
    #[error("block {block} is not a well-formed UnixFS node: {reason}")]
    Malformed {
        /// The block.
        block: ContentId,
        /// What is wrong.
        reason: String,
    },
    /// A link that names something no block may be fetched for.
    #[error("link {index} of block {block} cannot be followed: {reason}")]
    Link {
        /// The block that holds the link.
        block: ContentId,
        /// Its position, from 0.
        index: usize,
        /// Why not.
        reason: String,
    },
    /// A block over the size that nodes exchange.
    #[error("block {block} has {size} bytes, the limit is {limit}")]
    BlockTooLarge {
        /// The block.
        block: ContentId,
        /// Its bytes.
        size: u64,
        /// The most bytes a block may have.
        limit: u64,
    },
    /// The tree is deeper than any honest file of this size.
    #[error("the tree is deeper than {limit} levels")]
    TooDeep {
        /// The most levels.
        limit: u32,
    },
    /// A node with more links than any known chunker makes.
    #[error("block {block} has more than {limit} links")]
    TooManyLinks {
        /// The block.
        block: ContentId,
        /// The most links a node may have.
        limit: usize,
    },
    /// More blocks (repeated ones counted each time) than any honest file of this size.
    #[error("the tree has more than {limit} blocks, repeated ones counted each time")]
    TooManyBlocks {
        /// The most visits.
        limit: u64,
    },
    /// Sizes within the tree contradict each other.
    #[error("block {block} has {found} bytes of content where {declared} are declared for it")]
    Inconsistent {
        /// The block.
        block: ContentId,
        /// What its parent, or its own header, declares.
        declared: u64,
        /// What it holds or says of itself.
        found: u64,
    },
    /// The size is not the one that was promised.
    #[error("it has {} {found} bytes, {declared} were promised", if *at_least { "at least" } else { "exactly" })]
    Size {
        /// The promised size.
        declared: u64,
        /// The size found.
        found: u64,
        /// The rest was not looked at, so it may be even larger.
        at_least: bool,
    },
    /// The flat bytes have another hash than promised.
    #[error("its sha2-256 is {}, {} was promised", hex::encode(found), hex::encode(declared))]
    Sha256 {
        /// The promised hash.
        declared: [u8; 32],
        /// The hash of the bytes.
        found: [u8; 32],
    },
}
