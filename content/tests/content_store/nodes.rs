//! Identity, addresses, and staying connected.

use crate::support::{
    add, directory, exactly, impatient, loopback, node, node_beside, node_with, run, until,
    PATIENCE,
};
use openledger_content::{
    announced, ContentStore, Error, IpfsNode, Limits, NodeConfig, Reach, MAX_VISITED,
};
use std::{fs, net::TcpListener, time::Duration};

#[test]
fn the_identity_is_kept_and_private() {
    run(async {
        let directory = directory();
        let config = || NodeConfig::new(directory.path()).listening([loopback()]);
        let first = IpfsNode::start(config()).await.unwrap();
        let peer_id = first.peer_id();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let key = directory.path().join("identity");
            assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
        }
        first.shutdown().await;
        let second = IpfsNode::start(config()).await.unwrap();
        assert_eq!(second.peer_id(), peer_id);
        let suffix = format!("/p2p/{peer_id}");
        assert!(second.listen_addresses().iter().all(|one| one.to_string().ends_with(&suffix)));
        assert!(!second.listen_addresses().is_empty());
    });
}

#[test]
fn a_second_daemon_on_one_directory_is_refused_and_the_first_goes_on() {
    run(async {
        let (first, directory) = node().await;
        let error = IpfsNode::start(NodeConfig::new(directory.path())).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyRunning { .. }), "{error}");
        assert!(error.to_string().contains("stop it, choose another directory"), "{error}");
        let added = add(&first, b"still here".to_vec()).await;
        let (other, _o) = node_beside(&[&first]).await;
        other.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
        // Once the first is gone, its directory is free.
        first.shutdown().await;
        IpfsNode::start(NodeConfig::new(directory.path())).await.unwrap();
    });
}

#[test]
fn a_damaged_key_is_reported_and_not_replaced() {
    run(async {
        let directory = directory();
        let key = directory.path().join("identity");
        fs::write(&key, b"damaged").unwrap();
        let error = IpfsNode::start(NodeConfig::new(directory.path())).await.unwrap_err();
        assert!(matches!(&error, Error::Identity { path, .. } if *path == key), "{error}");
        assert_eq!(fs::read(&key).unwrap(), b"damaged");
    });
}

#[test]
fn a_taken_port_is_one_plain_sentence() {
    run(async {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let address = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        let directory = directory();
        let config = NodeConfig::new(directory.path()).listening([address]);
        let error = IpfsNode::start(config).await.unwrap_err();
        assert!(matches!(error, Error::Listen { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("cannot listen on /ip4/127.0.0.1/tcp/{port}: ")),
            "{text}"
        );
        assert!(text.contains("choose another port"), "{text}");
    });
}

#[test]
fn addresses_that_cannot_be_dialled_are_refused_before_the_node_starts() {
    run(async {
        let (node, _d) = node().await;
        for address in
            ["/tcp/4001", "/ip4/127.0.0.1", "/unix/tmp", "/ip4/1.2.3.4/tcp/1/p2p-circuit"]
        {
            let address: openledger_content::Multiaddr = address.parse().unwrap();
            let error = node.add_peer(address.clone()).unwrap_err();
            assert!(matches!(error, Error::PeerAddress { .. }), "{error}");
            let directory = directory();
            let config = NodeConfig::new(directory.path()).with_peers([address]);
            assert!(matches!(
                IpfsNode::start(config).await.unwrap_err(),
                Error::PeerAddress { .. }
            ));
        }
    });
}

#[test]
fn a_configured_peer_that_comes_back_is_dialled_again() {
    run(async {
        let (alice, a) = node().await;
        let address = alice.listen_addresses()[0].clone();
        let added = add(&alice, b"worth waiting for".to_vec()).await;
        let (bob, _b) = node_with(|config| config.with_peers([address.clone()])).await;
        bob.wait_for_peers(1, PATIENCE).await.unwrap();
        alice.shutdown().await;
        until("alice is gone", || bob.peers().is_empty()).await;

        let config = NodeConfig::new(a.path()).listening([address]);
        let alice = IpfsNode::start(config).await.unwrap();
        bob.wait_for_peers(1, PATIENCE).await.unwrap();
        assert_eq!(bob.peers(), [alice.peer_id()]);
        bob.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
    });
}

#[test]
fn a_peer_without_a_peer_id_in_its_address_is_found() {
    run(async {
        let (alice, _a) = node().await;
        let with_id = alice.listen_addresses()[0].to_string();
        let (without, _) = with_id.split_once("/p2p/").unwrap();
        let (bob, _b) = node_with(|config| config.with_peers([without.parse().unwrap()])).await;
        bob.wait_for_peers(1, PATIENCE).await.unwrap();
        assert_eq!(bob.peers(), [alice.peer_id()]);
    });
}

#[test]
fn visited_peers_are_let_go_when_others_take_their_place() {
    run(async {
        let (alice, _a) = node().await;
        let (bob, _b) = node().await;
        let (carol, _c) = node().await;
        let of = |node: &IpfsNode| node.listen_addresses()[0].clone();
        let (dave, _d) = node_with(|config| config.with_peers([of(&carol)])).await;
        let added = add(&alice, b"only alice has it".to_vec()).await;
        dave.visit(vec![of(&alice)]).unwrap();
        dave.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();

        let other = add(&bob, b"only bob has it".to_vec()).await;
        dave.visit(vec![of(&bob), of(&carol)]).unwrap();
        dave.fetch_bytes(&exactly(&other), &Limits::default()).await.unwrap();
        until("alice is let go", || !dave.peers().contains(&alice.peer_id())).await;

        // A peer that was there before stays.
        dave.visit(vec![]).unwrap();
        until("bob is let go", || dave.peers() == [carol.peer_id()]).await;
        let nowhere = "/tcp/4001".parse().unwrap();
        assert!(matches!(dave.visit(vec![nowhere]), Err(Error::PeerAddress { .. })));
    });
}

#[test]
fn a_node_visits_no_more_than_so_many() {
    run(async {
        let (alice, _a) = node().await;
        let (bob, _b) = node().await;
        let own = alice.listen_addresses()[0].clone();
        let closed = |port: usize| format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        let mut many: Vec<_> = (1..=MAX_VISITED).map(closed).collect();
        many.push(own.clone());
        bob.visit(many.clone()).unwrap();
        bob.wait_for_peers(1, Duration::from_millis(500)).await.unwrap_err();
        many.swap_remove(0);
        bob.visit(many).unwrap();
        bob.wait_for_peers(1, PATIENCE).await.unwrap();
    });
}

#[test]
fn what_others_announce_is_dialled_where_it_is_a_public_number_and_a_key() {
    let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let read = |address: &str, reach| announced(&format!("{address}/p2p/{peer}"), reach);
    for good in [
        "/ip4/203.0.112.7/tcp/4001",
        "/ip4/9.9.9.9/udp/4001/quic-v1",
        "/ip6/2a00:1450::7/tcp/4001",
        "/ip6/2001:4860::8/udp/1/quic-v1",
    ] {
        assert_eq!(read(good, Reach::Public).unwrap(), read(good, Reach::Any).unwrap());
    }
    for local in [
        "/ip4/127.0.0.1/tcp/4001",
        "/ip4/10.0.0.1/tcp/80",
        "/ip4/172.16.9.9/tcp/80",
        "/ip4/192.168.1.1/udp/4001/quic-v1",
        "/ip4/169.254.169.254/tcp/80",
        "/ip4/100.64.0.1/tcp/80",
        "/ip4/0.0.0.0/tcp/80",
        "/ip4/192.0.0.8/tcp/80",
        "/ip4/198.18.0.1/tcp/80",
        "/ip4/203.0.113.7/tcp/80",
        "/ip4/224.0.0.1/tcp/80",
        "/ip4/255.255.255.255/tcp/80",
        "/ip6/::1/tcp/80",
        "/ip6/::/tcp/80",
        "/ip6/fe80::1/tcp/80",
        "/ip6/fd00::1/tcp/80",
        "/ip6/::ffff:10.0.0.1/tcp/80",
        "/ip6/64:ff9b::a00:1/tcp/80",
        "/ip6/2002:a00:1::/tcp/80",
        "/ip6/2001:0:a00:1::/tcp/80",
        "/ip6/2001:db8::1/tcp/80",
        "/ip6/ff02::1/tcp/80",
    ] {
        let error = read(local, Reach::Public).unwrap_err().to_string();
        assert!(error.contains("public internet"), "{local}: {error}");
        read(local, Reach::Any).unwrap();
    }
    for bad in [
        "/dns4/example.org/tcp/4001",
        "/dnsaddr/example.org",
        "/ip4/9.9.9.9",
        "/ip4/9.9.9.9/tcp/0",
        "/ip4/9.9.9.9/udp/4001",
        "/ip4/9.9.9.9/tcp/4001/ws",
        "/ip4/9.9.9.9/tcp/4001/http",
        "/unix/run",
        "",
    ] {
        assert!(matches!(read(bad, Reach::Any), Err(Error::PeerAddress { .. })), "{bad}");
    }
    for bad in ["/ip4/9.9.9.9/tcp/4001", "9.9.9.9:4001", "\u{1b}[2J"] {
        let error = announced(bad, Reach::Any).unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}

#[test]
fn waiting_for_peers_that_do_not_come_ends_with_a_hint() {
    run(async {
        let (alice, _a) = node().await;
        let error = alice.wait_for_peers(2, Duration::from_millis(50)).await.unwrap_err();
        assert!(error.to_string().contains("0 of 2 peer(s) connected"), "{error}");
    });
}

#[test]
fn a_node_that_was_shut_down_says_so() {
    run(async {
        let (alice, _a) = node().await;
        let other = alice.clone();
        alice.shutdown().await;
        alice.shutdown().await;
        let wanted = openledger_content::Wanted::new(openledger_content::block_id(
            openledger_primitives::ContentCodec::Raw,
            b"absent",
        ));
        let error = other.fetch_bytes(&wanted, &impatient()).await.unwrap_err();
        assert!(matches!(error, Error::Stopped), "{error}");
        assert!(matches!(other.add_peer(loopback()).unwrap_err(), Error::Stopped));
        // What is on disk can still be added to and read.
        let added = add(&other, b"on disk".to_vec()).await;
        assert_eq!(other.fetch_bytes(&exactly(&added), &impatient()).await.unwrap(), b"on disk");
    });
}
