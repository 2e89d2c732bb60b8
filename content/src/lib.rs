//! The content store of OpenLedger: files on IPFS, by content id.
//!
//! Contributors put files in, curators and workers take them out, and none of them trusts another.
//! This crate is the one way to do both: it computes content ids, keeps blocks on disk, exchanges
//! them with other nodes (ours or Kubo) over Bitswap, follows hostile content only as far as its
//! [`Limits`] allow, and hands out bytes only when their hash and size are the promised ones.
//!
//! ```no_run
//! # async fn example() -> openledger_content::Result<()> {
//! use openledger_content::{ContentStore, IpfsNode, Limits, NodeConfig, Wanted};
//!
//! let listen = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
//! let alice = IpfsNode::start(NodeConfig::new("alice").listening([listen])).await?;
//! let added = alice.add_file("story.txt".as_ref()).await?;
//!
//! let bob = NodeConfig::new("bob").with_peers(alice.listen_addresses());
//! let bob = IpfsNode::start(bob).await?;
//! let wanted = Wanted::exactly(added.content, added.sha256, added.size);
//! bob.fetch_file(&wanted, "copy.txt".as_ref(), &Limits::default()).await?;
//! # Ok(()) }
//! ```
//!
//! # The life of a fetch
//!
//! 1. A size over the limits is refused before anything is asked.
//! 2. The root block is looked for on disk (every read re-hashes; a corrupt block counts as absent)
//!    and else asked of the connected peers over [`bitswap`]. Its id is computed from the bytes
//!    that arrive: bytes with another hash were never wanted and are dropped.
//! 3. A raw root is the file. A dag-pb root must be a UnixFS *file*; its declared size is compared
//!    with the promised one, its links (raw or dag-pb, sha2-256) are followed in file order, a few
//!    blocks ahead, within bounds on depth, links a node and visits.
//! 4. The bytes that come out are counted and hashed while they go to a temporary file. One byte
//!    too many ends the fetch.
//! 5. Size and sha2-256 must be equal to the promised ones; then the file takes its name.
//!
//! When the bytes do not come in time the answer is [`Error::Unavailable`], when they are wrong it
//! is [`Error::Invalid`], and neither leaves a file behind. Blocks that came stay in the store, so
//! that a fetch which is tried again goes on where it stopped.
//!
//! What a file says and measures is `openledger-documents`' matter, which needs no network.

mod announced;
pub mod bitswap;
mod content_store;
mod dag;
mod data;
mod error;
mod import;
mod limits;
mod node;
mod partial;
mod store;
mod walk;
mod wire;

/// Cheaply cloned bytes, as [`ContentStore::add_bytes`] takes them.
pub use announced::{announced, Reach};
pub use bytes::Bytes;
pub use content_store::ContentStore;
pub use dag::{block_id, links, MAX_BLOCK_BYTES};
pub use data::data_directory;
pub use error::{Error, Fault, Result, Unavailable};
pub use import::{add, add_file, describe, describe_file, Added, CHUNK_BYTES, MAX_NODE_LINKS};
/// Peer addresses, as `/ip4/127.0.0.1/tcp/4001/p2p/12D3…`.
pub use libp2p::{Multiaddr, PeerId};
pub use limits::Limits;
pub use node::{Identity, IpfsNode, NodeConfig, MAX_VISITED};
pub use store::BlockStore;
pub use walk::{Fetched, Wanted};
