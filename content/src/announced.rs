//! Addresses that somebody else wrote down: which of them a machine dials, and tells others of.
//!
//! Whoever may write an address where others read it may otherwise have their machines knock at any door of their own
//! networks: a router, a database, a cloud's metadata. So such an address is a number and a port, with the key of who
//! answers there, and on a network of strangers a number that is of the public internet. No names: what a name stands
//! for is looked up later, and may be anything then.

use crate::error::{Error, Result};
use libp2p::{multiaddr::Protocol, Multiaddr};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Which numbers are dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the public internet.
    Public,
    /// Any: for a chain that runs on one machine or in one house.
    Any,
}

/// Reads an address that somebody announced: `/ip4/…` or `/ip6/…`, `/tcp/PORT` or `/udp/PORT/quic-v1`, `/p2p/PEER`, and
/// nothing else.
///
/// # Errors
///
/// [`Error::PeerAddress`].
pub fn announced(text: &str, reach: Reach) -> Result<Multiaddr> {
    let refuse = |reason: &str| Error::PeerAddress {
        address: text.escape_debug().to_string(),
        reason: reason.to_owned(),
    };
    let address: Multiaddr = text.parse().map_err(|_| refuse("it is no multiaddr"))?;
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let public = match parts.first() {
        Some(Protocol::Ip4(number)) => is_public_v4(*number),
        Some(Protocol::Ip6(number)) => is_public_v6(*number),
        _ => return Err(refuse("it does not begin with /ip4 or /ip6")),
    };
    match parts.get(1..).unwrap_or_default() {
        [Protocol::Tcp(port), Protocol::P2p(_)]
        | [Protocol::Udp(port), Protocol::QuicV1, Protocol::P2p(_)]
            if *port > 0 => {}
        _ => {
            return Err(refuse(
                "it does not go on with /tcp/PORT or /udp/PORT/quic-v1, and end in /p2p/PEER",
            ))
        }
    }
    match reach == Reach::Any || public {
        true => Ok(address),
        false => Err(refuse("its number is none of the public internet")),
    }
}

/// Whether a number is one that routers of the internet pass on, by IANA's registry of special-purpose addresses.
fn is_public_v4(number: Ipv4Addr) -> bool {
    let [a, b, c, _] = number.octets();
    let special = number.is_private()
        || number.is_loopback()
        || number.is_link_local()
        || number.is_multicast()
        || number.is_documentation()
        // "This network", carriers' own, protocol assignments, 6to4 relays, benchmarks, reserved and broadcast.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !special
}

/// The same of IPv6: global unicast, without what stands for an IPv4 number or for a tunnel to one.
fn is_public_v6(number: Ipv6Addr) -> bool {
    let [a, b, ..] = number.segments();
    let global = a & 0xe000 == 0x2000;
    // Protocol assignments with Teredo, documentation twice, 6to4.
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || a == 0x3fff;
    global && !special
}
