//! What a request's head says of who is asked.

use axum::http::{header, HeaderMap, Uri, Version};
use std::net::IpAddr;

/// A request does not say once for which host it is: what stands before this server may have understood it
/// in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request has {0} Host headers; it has to have one")]
pub struct Hosts(pub usize);

/// Refuses a request that does not say once for which host it is. HTTP/1.0 need not say it.
///
/// # Errors
/// [`Hosts`].
pub fn check_hosts(uri: &Uri, headers: &HeaderMap, version: Version) -> Result<(), Hosts> {
    let hosts = headers.get_all(header::HOST).iter().count();
    let unnamed = hosts == 0 && uri.authority().is_none() && version >= Version::HTTP_11;
    match hosts > 1 || unnamed {
        true => Err(Hosts(hosts)),
        false => Ok(()),
    }
}

/// The host that a request names, with its port, as it is written.
pub fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(|authority| authority.as_str()).or(header).unwrap_or("")
}

/// The name within `name`, `name:port` and `[address]:port`; nothing where a text is neither: what looks
/// like a name before other signs may be read as another by somebody else.
pub fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']')?;
            let _: std::net::Ipv6Addr = name.parse().ok()?;
            (name, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => {
            let (name, port) = match host.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (host, None),
            };
            let sign =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            (Some(name).filter(|name| !name.is_empty() && name.bytes().all(sign))?, port)
        }
    };
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    port.is_none_or(is_port).then_some(name)
}

/// Whether a name is one of this machine.
pub fn is_local(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
