//! Where requests may go.

use super::door::{check_server, Names};
use super::servers::{Fake, Reply};
use axum::http::Method;
use openledger_gateway::chat::outside::{is_public, Outside, OutsideError, Target, Trust};
use std::sync::atomic::Ordering;

#[test]
fn addresses_that_are_not_everybodys_are_not_public() {
    for address in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:0a00:0001::1",
        "2002:7f00:0001::1",
        "3fff::1",
        "4000::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "126.1.1.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.167.1.1",
        "198.17.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "64:ff9b::8.8.8.8",
        "2002:0808:0808::1",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn addresses_of_servers_that_mean_something_else_are_refused() {
    for url in [
        "",
        "example.org",
        "ftp://example.org",
        "file:///etc/passwd",
        "https://",
        "https://@example.org",
        "https://user:pass@example.org",
        "https://example.org?x=1",
        "https://example.org#x",
        "https://example.org.",
        "http://[::1",
        "https://exa mple.org",
        "gopher://127.0.0.1",
    ] {
        assert!(Target::parse(url).is_err(), "{url:?} was read");
    }
    let target = Target::parse("https://Example.org").unwrap();
    assert_eq!(target.origin(), (true, "example.org", 443));
    assert_eq!(target, Target::parse("https://example.org:443/v1/").unwrap());
    assert_eq!(Target::parse("http://[::1]:8000/v1").unwrap().origin(), (false, "::1", 8000));
}

async fn leads(names: &[&[[u8; 4]]], url: &str, trust: Trust) -> Result<usize, OutsideError> {
    let outside = Outside::new(Names::of(names)).unwrap();
    outside.addresses(&Target::parse(url)?, trust).await.map(|found| found.len())
}

#[tokio::test]
async fn a_listed_server_is_asked_over_https_at_public_addresses_only() {
    let public = &[[8, 8, 8, 8]][..];
    let url = "https://worker.example.org";
    assert_eq!(leads(&[public], url, Trust::Listed).await.unwrap(), 1);
    assert!(matches!(
        leads(&[public], "http://worker.example.org", Trust::Listed).await,
        Err(OutsideError::Address { .. })
    ));
    for private in [[127, 0, 0, 1], [10, 0, 0, 1], [169, 254, 169, 254], [192, 168, 1, 1]] {
        for all in [&[private][..], &[[8, 8, 8, 8], private], &[private, [8, 8, 8, 8]]] {
            match leads(&[all], url, Trust::Listed).await {
                Err(OutsideError::Forbidden { address, .. }) => {
                    assert_eq!(address.to_string(), std::net::Ipv4Addr::from(private).to_string());
                }
                other => panic!("{all:?}: {other:?}"),
            }
        }
    }
    for literal in
        ["https://127.0.0.1", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://0x7f.1"]
    {
        let answer = leads(&[&[[127, 0, 0, 1]]], literal, Trust::Listed).await;
        assert!(matches!(answer, Err(OutsideError::Forbidden { .. })), "{literal}: {answer:?}");
    }
    assert!(matches!(leads(&[&[]], url, Trust::Listed).await, Err(OutsideError::Name { .. })));
    assert!(matches!(
        leads(&[&[[8, 8, 8, 8]; 17]], url, Trust::Listed).await,
        Err(OutsideError::Name { .. })
    ));
}

#[tokio::test]
async fn the_operators_servers_are_asked_in_clear_on_this_machine_only() {
    let (here, there) = (&[[127, 0, 0, 1]][..], &[[10, 0, 0, 1]][..]);
    assert!(leads(&[here], "http://localhost:8000", Trust::Operator).await.is_ok());
    assert!(leads(&[there], "https://inside.example", Trust::Operator).await.is_ok());
    assert!(matches!(
        leads(&[there], "http://inside.example", Trust::Operator).await,
        Err(OutsideError::Forbidden { .. })
    ));
}

#[tokio::test]
async fn a_name_is_asked_once_and_the_connection_goes_to_what_was_judged() {
    // Whoever asked the name a second time would be led elsewhere.
    let server = Fake::start(|_| Reply::json(200, "{}")).await;
    let names = Names::of(&[&[[127, 0, 0, 1]], &[[10, 0, 0, 1]]]);
    let outside = Outside::new(names.clone()).unwrap();
    let target = Target::parse(&format!("http://server.example:{}", server.port())).unwrap();
    let request = |target| {
        let body = Default::default();
        outside.request(target, Trust::Operator, Method::GET, "/models", None, body)
    };
    let answer = request(&target).await.expect("it answers");
    assert_eq!(answer.response.status(), 200);
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    let heads = server.heads();
    assert!(heads[0].starts_with("GET /v1/models HTTP/1.1\r\n"), "{heads:?}");
    assert!(heads[0].to_lowercase().contains(&format!("host: server.example:{}", server.port())));
    assert!(matches!(request(&target).await, Err(OutsideError::Forbidden { .. })));
}

#[tokio::test]
async fn a_server_that_could_never_be_asked_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let check = |server: &'static str, address: [u8; 4]| {
        let folder = folder.path().to_owned();
        async move { check_server(&folder, server, Names::of(&[&[address]])).await }
    };
    for server in ["a=http://10.0.0.1", "a=http://example.org", "a=http://8.8.8.8:8080/v1"] {
        let refused = check(server, [8, 8, 4, 4]).await.unwrap_err();
        assert!(refused.starts_with("--chat-server a: "), "{refused}");
        assert!(refused.contains("this machine"), "{refused}");
    }
    for server in ["a=http://127.0.0.1:1", "a=http://name.of.this.machine", "a=https://10.0.0.1"] {
        assert_eq!(check(server, [127, 0, 0, 1]).await, Ok(()), "{server}");
    }
}
