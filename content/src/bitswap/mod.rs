//! Bitswap 1.2: how blocks travel between IPFS nodes.
//!
//! [`Behaviour`] is the libp2p part: it keeps the accounts of what peers want (`server`) and the
//! wants of this node (`client`), and hands frames to one [`Handler`] a connection. [`Bitswap`] is
//! the handle through which the rest of the program asks for blocks.
//!
//! What is bounded, for each peer: bytes of a message (4 MiB), inbound streams and their unfinished
//! bytes, remembered wants, and bytes of answers that are built but not yet written. A peer that
//! stops reading therefore keeps at most [`Config::queued_bytes_a_peer`] of answers in memory,
//! however much it asked for; further blocks are read from disk only when earlier ones have left.

mod behaviour;
mod client;
mod handle;
mod handler;
mod message;
mod server;

pub use behaviour::{Behaviour, Config};
pub use handle::{Bitswap, Counters};
pub(crate) use handle::{Refusal, Session};
pub use handler::{Frame, Handler, HandlerEvent, Inbound, Outbound};
pub use message::{MAX_ENTRIES, MAX_MESSAGE_BYTES};
