//! Reverse proxies in front of this server, whose word about their clients counts.

use axum::http::{header, HeaderMap};
use clap::ValueEnum;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses of a proxy's chain that are looked at, at most.
const MAX_HOPS: usize = 32;

/// An address, or all that begin with the same bits (`10.0.0.0/8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network such as 10.0.0.0/8 or fd00::/8")]
pub struct NoNetwork(String);

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let wrong = || NoNetwork(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                let differ = ours.to_bits() ^ other.to_bits();
                differ.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                let differ = ours.to_bits() ^ other.to_bits();
                differ.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The header in which proxies name their clients. Only one is read: a proxy passes the other one on as its
/// client wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    /// `X-Forwarded-For: 203.0.113.7, 10.0.0.2`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=203.0.113.7, for="[2001:db8::1]:4711"` (RFC 7239)
    Forwarded,
}

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Who they are.
    pub trusted: Vec<Network>,
    /// Where they say it.
    pub header: ProxyHeader,
}

impl Proxies {
    /// Whether an address is one of theirs.
    pub fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.has(address))
    }

    /// How the client speaks to the outermost proxy: what a proxy that is believed says of it
    /// (`X-Forwarded-Proto`, or `proto=` of `Forwarded`), else `http`.
    pub fn scheme(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> &'static str {
        let believed = peer.is_some_and(|peer| self.is_trusted(peer));
        let name = match self.header {
            ProxyHeader::XForwardedFor => header::HeaderName::from_static("x-forwarded-proto"),
            ProxyHeader::Forwarded => header::FORWARDED,
        };
        // What the nearest proxy added stands last.
        let line = headers.get_all(name).iter().next_back().and_then(|line| line.to_str().ok());
        let last = line.and_then(|line| line.rsplit(',').next()).unwrap_or("").trim();
        let scheme = match self.header {
            ProxyHeader::XForwardedFor => Some(last),
            ProxyHeader::Forwarded => last.split(';').find_map(|pair| {
                let (name, value) = pair.trim().split_once('=')?;
                name.eq_ignore_ascii_case("proto").then(|| value.trim_matches('"'))
            }),
        };
        match scheme.filter(|_| believed).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
        {
            true => "https",
            false => "http",
        }
    }

    /// Who sent a request that came from `peer`: the peer itself, or, where that is a proxy that is believed,
    /// the last address of the header that is none. What a client writes into the header stands before what
    /// the proxies add, and is not reached.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.is_trusted(peer) {
            return peer;
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => header::HeaderName::from_static("x-forwarded-for"),
            ProxyHeader::Forwarded => header::FORWARDED,
        };
        // Several headers of a name are one list.
        let lines: Vec<&str> =
            headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect();
        let named = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let mut client = peer;
        for one in named.take(MAX_HOPS) {
            let address = match self.header {
                ProxyHeader::XForwardedFor => address(one.trim()),
                ProxyHeader::Forwarded => one.split(';').find_map(|pair| {
                    let (name, value) = pair.trim().split_once('=')?;
                    name.eq_ignore_ascii_case("for").then(|| address(value.trim_matches('"')))?
                }),
            };
            // A name that hides the address (`unknown`, `_hidden`): the proxy before it is all that is known.
            let Some(address) = address else { return client };
            client = address;
            if !self.is_trusted(address) {
                return client;
            }
        }
        client
    }
}

/// An address with or without a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}
