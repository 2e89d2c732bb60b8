//! Who asks, behind reverse proxies, and how many of one address.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use openledger_gateway::extract::Address;
use openledger_gateway::places::Places;
use openledger_gateway::proxies::{Network, Proxies, ProxyHeader};
use std::net::IpAddr;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

fn client(
    trusted: &str,
    header: ProxyHeader,
    peer: &str,
    lines: &[(&'static str, &str)],
) -> String {
    let trusted = trusted.split_whitespace().map(|network| network.parse().unwrap()).collect();
    let peer: IpAddr = peer.parse().unwrap();
    Proxies { trusted, header }.client(peer, &headers(lines)).to_string()
}

#[test]
fn the_last_address_that_is_no_trusted_proxy_is_the_client() {
    let x = "x-forwarded-for";
    let of = |trusted: &str, peer: &str, lines: &[(&'static str, &str)]| {
        client(trusted, ProxyHeader::XForwardedFor, peer, lines)
    };
    for (trusted, peer, value, expected) in [
        // Nobody is believed, or somebody else is.
        ("", "10.0.0.1", "1.1.1.1", "10.0.0.1"),
        ("10.0.0.2", "10.0.0.1", "1.1.1.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", "1.1.1.1", "1.1.1.1"),
        // What a client writes stands first and is not reached.
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.1.1.1, 10.9.9.9", "1.1.1.1"),
        ("10.0.0.0/8", "10.0.0.1", "10.9.9.9,10.8.8.8", "10.9.9.9"),
        ("10.0.0.1", "10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "1.1.1.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "10.0.0.1", "1.1.1.1:4711", "1.1.1.1"),
        ("10.0.0.1", "::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("0.0.0.0/0", "10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("fd00::/8", "fd00::1", "[2001:db8::7]:80", "2001:db8::7"),
        ("fd00::/8", "fd00::1", "2001:db8::7, fdff::1", "2001:db8::7"),
    ] {
        assert_eq!(of(trusted, peer, &[(x, value)]), expected, "{trusted} {peer} {value}");
    }
    // Several headers are one list, and text that is no ASCII is no address.
    let lines = [(x, "6.6.6.6"), (x, "1.1.1.1"), ("forwarded", "for=6.6.6.7")];
    assert_eq!(of("10.0.0.1", "10.0.0.1", &lines), "1.1.1.1");
    assert_eq!(of("10.0.0.1", "10.0.0.1", &[(x, "1.1.1.1"), (x, "ä")]), "10.0.0.1");
}

#[test]
fn forwarded_is_read_where_the_operator_says_so_and_then_it_alone() {
    let of = |value: &str| {
        let lines = [("forwarded", value), ("x-forwarded-for", "6.6.6.6")];
        client("10.0.0.0/8", ProxyHeader::Forwarded, "10.0.0.1", &lines)
    };
    for (value, expected) in [
        ("for=1.1.1.1", "1.1.1.1"),
        ("for=6.6.6.6, For=1.1.1.1;proto=https;by=10.0.0.1", "1.1.1.1"),
        (r#"for="[2001:db8::7]:4711""#, "2001:db8::7"),
        ("for=1.1.1.1, for=10.2.2.2", "1.1.1.1"),
        ("for=_hidden", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        (r#"for="6.6.6.6, for=1.1.1.1"#, "1.1.1.1"),
    ] {
        assert_eq!(of(value), expected, "{value}");
    }
}

#[test]
fn what_is_no_network_is_said() {
    for text in ["", "10.0.0.0/33", "::/129", "10.0.0", "example.org", "10.0.0.0/", "10.0.0.0/-1"] {
        let error = text.parse::<Network>().unwrap_err();
        assert!(error.to_string().contains("neither an address nor a network"), "{text}");
    }
}

#[test]
fn places_of_an_address_and_of_all_are_counted_and_given_back() {
    let places = Places::new("things", 3, 2);
    let of = |last: u8| Address::of(IpAddr::from([192, 0, 2, last]));
    let mut taken = vec![places.take(of(1)).unwrap(), places.take(of(1)).unwrap()];
    assert_eq!(places.take(of(1)).unwrap_err().status(), 429);
    taken.push(places.take(of(2)).unwrap());
    assert_eq!(places.take(of(3)).unwrap_err().status(), 503);
    taken.remove(0);
    taken.push(places.take(of(1)).unwrap());
    assert_eq!(places.taken(), 3);
    drop(taken);
    assert_eq!(places.taken(), 0);
}
