//! What OpenLedger's HTTP servers share: connections ([`accept`]) and memory ([`Budget`]) with a limit
//! on everything that a client can make last or grow.

mod budget;
mod connection;
pub mod head;
mod pieces;
mod table;
mod turn;
mod unread;
pub mod websocket;

pub use budget::{Budget, Full, Share};
pub use connection::{accept, Limits, Peer, Policy};
pub use pieces::Crumbs;
pub use unread::Unread;

use std::net::{IpAddr, Ipv6Addr};

/// What limits count as one client: an IPv4 address, or the half of an IPv6 address that a network owns.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        },
        four => four,
    }
}
