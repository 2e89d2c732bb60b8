//! What OpenLedger's HTTP servers share: connections ([`accept`]) and memory ([`Budget`]) with a limit
//! on everything that a client can make last or grow.

mod budget;
mod connection;
mod unread;
pub mod websocket;

pub use budget::{Budget, Full, Share};
pub use connection::{accept, Limits, Peer};
pub use unread::Unread;
