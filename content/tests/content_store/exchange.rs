//! Files travel between nodes over Bitswap, on real sockets.

use crate::support::{
    add, block_file, directory, exactly, impatient, listing, node, node_beside, node_with, run,
    until, Pattern, MIB, PATIENCE,
};
use openledger_content::{
    block_id, BlockStore, ContentStore, Error, IpfsNode, Limits, NodeConfig, Unavailable, Wanted,
};
use openledger_primitives::ContentCodec;
use std::{fs, time::Duration};

#[test]
fn a_file_of_many_blocks_goes_from_one_node_to_another() {
    run(async {
        let (alice, _a) = node().await;
        let size = 9 * MIB as u64 + 123;
        let added = add(&alice, Pattern::bytes(size)).await;
        let (bob, _b) = node_beside(&[&alice]).await;
        let folder = directory();
        let destination = folder.path().join("copy");
        let fetched =
            bob.fetch_file(&exactly(&added), &destination, &Limits::default()).await.unwrap();
        assert_eq!((fetched.size, fetched.sha256), (added.size, added.sha256));
        assert!(fs::read(&destination).unwrap() == Pattern::bytes(size));
        assert_eq!(listing(folder.path()), ["copy"]);
        // Ten leaves and the root, each sent once.
        assert_eq!(bob.counters().received_blocks(), 11);
        assert_eq!(bob.counters().unwanted_blocks(), 0);
        assert!(bob.has(&added.content, &Limits::default()).await.unwrap());
    });
}

#[test]
fn who_has_fetched_a_file_serves_it() {
    run(async {
        let (alice, _a) = node().await;
        let added = add(&alice, Pattern::bytes(2 * MIB as u64)).await;
        let (bob, _b) = node_beside(&[&alice]).await;
        bob.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
        alice.shutdown().await;
        let (carol, _c) = node_beside(&[&bob]).await;
        let bytes = carol.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
        assert!(bytes == Pattern::bytes(2 * MIB as u64));
    });
}

#[test]
fn blocks_that_are_spread_over_two_nodes_make_one_file() {
    run(async {
        let bytes = Pattern::bytes(6 * MIB as u64);
        let (alice, a) = node().await;
        let (bob, b) = node().await;
        let added = add(&alice, bytes.clone()).await;
        add(&bob, bytes.clone()).await;
        for (number, chunk) in bytes.chunks(MIB).enumerate() {
            let directory = if number % 2 == 0 { a.path() } else { b.path() };
            fs::remove_file(block_file(directory, &block_id(ContentCodec::Raw, chunk))).unwrap();
        }
        let (carol, _c) = node_beside(&[&alice, &bob]).await;
        assert!(carol.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap() == bytes);
    });
}

#[test]
fn a_block_that_rotted_on_disk_is_fetched_again() {
    run(async {
        let bytes = Pattern::bytes(3 * MIB as u64);
        let (alice, _a) = node().await;
        let added = add(&alice, bytes.clone()).await;
        let (bob, b) = node_beside(&[&alice]).await;
        bob.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
        let leaf = block_file(b.path(), &block_id(ContentCodec::Raw, &bytes[..MIB]));
        fs::write(&leaf, b"rot").unwrap();
        assert!(!bob.has(&added.content, &Limits::default()).await.unwrap());
        assert!(bob.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap() == bytes);
        assert!(fs::read(&leaf).unwrap() == bytes[..MIB]);
        assert!(bob.has(&added.content, &Limits::default()).await.unwrap());
    });
}

#[test]
fn a_block_that_rotted_at_one_peer_comes_from_another() {
    run(async {
        let bytes = Pattern::bytes(3 * MIB as u64);
        let (alice, a) = node().await;
        let (bob, _b) = node().await;
        let added = add(&alice, bytes.clone()).await;
        add(&bob, bytes.clone()).await;
        let leaf = block_file(a.path(), &block_id(ContentCodec::Raw, &bytes[MIB..2 * MIB]));
        fs::write(&leaf, vec![0; MIB]).unwrap();
        let (carol, _c) = node_beside(&[&alice, &bob]).await;
        assert!(carol.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap() == bytes);
    });
}

#[test]
fn what_nobody_has_is_unavailable_and_leaves_no_file() {
    run(async {
        let (alice, _a) = node().await;
        let (bob, b) = node_beside(&[&alice]).await;
        let folder = directory();
        let destination = folder.path().join("copy");
        let content = block_id(ContentCodec::DagPb, b"nobody has this");
        let wanted = Wanted::exactly(content, [0; 32], 100);
        let error = bob.fetch_file(&wanted, &destination, &impatient()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Unavailable { content: root, reason: Unavailable::Block { block, peers: 1, .. } }
                if *root == content && *block == content),
            "{error}"
        );
        assert!(error.is_unavailable() && !error.is_invalid());
        assert_eq!(listing(folder.path()), Vec::<String>::new());
        assert_eq!(listing(&b.path().join("temporary")), Vec::<String>::new());
        // The want is withdrawn, here and at the peer.
        until("no wants left", || {
            bob.counters().wanted_blocks() == 0 && alice.counters().remembered_wants() == 0
        })
        .await;
    });
}

#[test]
fn a_file_of_which_a_block_is_missing_is_unavailable_and_a_second_try_goes_on() {
    run(async {
        let bytes = Pattern::bytes(4 * MIB as u64);
        let (alice, a) = node().await;
        let added = add(&alice, bytes.clone()).await;
        let leaf = block_id(ContentCodec::Raw, &bytes[3 * MIB..]);
        fs::remove_file(block_file(a.path(), &leaf)).unwrap();
        let (bob, _b) = node_beside(&[&alice]).await;
        let folder = directory();
        let destination = folder.path().join("copy");
        let error = bob.fetch_file(&exactly(&added), &destination, &impatient()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Unavailable { content, reason: Unavailable::Block { block, .. } }
                if *content == added.content && *block == leaf),
            "{error}"
        );
        assert_eq!(listing(folder.path()), Vec::<String>::new());

        add(&alice, bytes.clone()).await;
        let before = bob.counters().received_blocks();
        assert_eq!(before, 4);
        bob.fetch_file(&exactly(&added), &destination, &Limits::default()).await.unwrap();
        assert_eq!(bob.counters().received_blocks(), before + 1);
    });
}

#[test]
fn the_time_for_the_whole_file_is_bounded_too() {
    run(async {
        let (bob, _b) = node().await;
        let wanted = Wanted::new(block_id(ContentCodec::Raw, b"never"));
        let limits = Limits::default().with_timeouts(PATIENCE, Duration::from_millis(300));
        let error = bob.fetch_bytes(&wanted, &limits).await.unwrap_err();
        assert!(
            matches!(&error, Error::Unavailable { reason: Unavailable::File { bytes: 0, .. }, .. }),
            "{error}"
        );
    });
}

#[test]
fn a_fetch_waits_for_content_that_is_added_meanwhile() {
    run(async {
        let (alice, _a) = node().await;
        let (bob, _b) = node_beside(&[&alice]).await;
        let bytes = Pattern::bytes(MIB as u64 + 9);
        let added = openledger_content::describe(bytes.as_slice()).unwrap();
        let fetch = tokio::spawn({
            let (bob, wanted) = (bob.clone(), exactly(&added));
            async move { bob.fetch_bytes(&wanted, &Limits::default()).await }
        });
        until("alice knows of the want", || alice.counters().remembered_wants() > 0).await;
        add(&alice, bytes.clone()).await;
        assert!(fetch.await.unwrap().unwrap() == bytes);
    });
}

#[test]
fn a_fetch_finds_content_that_another_process_added_to_the_peers_directory() {
    run(async {
        let (alice, a) = node().await;
        let (bob, _b) = node_beside(&[&alice]).await;
        let bytes = b"added behind the daemon's back".to_vec();
        let added = openledger_content::describe(bytes.as_slice()).unwrap();
        let fetch = tokio::spawn({
            let (bob, wanted) = (bob.clone(), exactly(&added));
            async move { bob.fetch_bytes(&wanted, &Limits::default()).await }
        });
        until("alice knows of the want", || alice.counters().remembered_wants() > 0).await;
        // The daemon is not told; bob asks again.
        add(&BlockStore::open(a.path()).unwrap(), bytes.clone()).await;
        assert_eq!(fetch.await.unwrap().unwrap(), bytes);
    });
}

#[test]
fn a_peer_that_connects_while_a_fetch_waits_is_asked() {
    run(async {
        let (alice, _a) = node().await;
        let (bob, _b) = node().await;
        let bytes = Pattern::bytes(2 * MIB as u64);
        let added = add(&alice, bytes.clone()).await;
        let fetch = tokio::spawn({
            let (bob, wanted) = (bob.clone(), exactly(&added));
            async move { bob.fetch_bytes(&wanted, &Limits::default()).await }
        });
        until("bob wants the root", || bob.counters().wanted_blocks() > 0).await;
        bob.add_peer(alice.listen_addresses()[0].clone()).unwrap();
        assert!(fetch.await.unwrap().unwrap() == bytes);
    });
}

#[test]
fn many_fetches_of_the_same_and_other_files_run_at_once() {
    run(async {
        let (alice, _a) = node().await;
        let (bob, _b) = node_beside(&[&alice]).await;
        let mut fetches = Vec::new();
        for number in 0..24u64 {
            // Every file three times.
            let bytes = Pattern::bytes(200_000 + number / 3);
            let added = add(&alice, bytes.clone()).await;
            let bob = bob.clone();
            fetches.push(tokio::spawn(async move {
                let read = bob.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
                assert!(read == bytes);
            }));
        }
        for fetch in fetches {
            fetch.await.unwrap();
        }
    });
}

#[test]
fn files_travel_over_quic_as_well() {
    run(async {
        let quic = "/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap();
        let (alice, _a) = node_with(|config| config.listening([quic])).await;
        let bytes = Pattern::bytes(3 * MIB as u64);
        let added = add(&alice, bytes.clone()).await;
        let (bob, _b) = node_beside(&[&alice]).await;
        assert!(bob.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap() == bytes);
    });
}

#[test]
fn an_ephemeral_node_fetches_into_the_directory_of_a_running_one() {
    run(async {
        let (alice, _a) = node().await;
        let bytes = Pattern::bytes(MIB as u64 + 1);
        let added = add(&alice, bytes.clone()).await;
        let (bob, b) = node().await;
        let config = NodeConfig::new(b.path()).with_peers(alice.listen_addresses()).ephemeral();
        let helper = IpfsNode::start(config).await.unwrap();
        assert_ne!(helper.peer_id(), bob.peer_id());
        helper.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
        helper.shutdown().await;
        // The running node has no peers of its own; the blocks are on its disk now.
        assert!(bob.fetch_bytes(&exactly(&added), &impatient()).await.unwrap() == bytes);
    });
}

#[test]
fn a_peer_that_leaves_in_the_middle_of_a_file_is_replaced_by_another() {
    run(async {
        let bytes = Pattern::bytes(8 * MIB as u64);
        let (alice, a) = node().await;
        let (bob, _b) = node().await;
        let added = add(&alice, bytes.clone()).await;
        // Alice lacks the end of the file, so that the fetch cannot be over when she leaves.
        let last = block_id(ContentCodec::Raw, &bytes[7 * MIB..]);
        fs::remove_file(block_file(a.path(), &last)).unwrap();
        let (carol, _c) = node_beside(&[&alice]).await;
        let fetch = tokio::spawn({
            let (carol, wanted) = (carol.clone(), exactly(&added));
            async move { carol.fetch_bytes(&wanted, &Limits::default()).await }
        });
        until("some blocks have come", || carol.counters().received_blocks() > 2).await;
        alice.shutdown().await;
        add(&bob, bytes.clone()).await;
        carol.add_peer(bob.listen_addresses()[0].clone()).unwrap();
        assert!(fetch.await.unwrap().unwrap() == bytes);
    });
}

#[test]
fn a_fetched_file_is_as_readable_as_any_other() {
    run(async {
        let (alice, a) = node().await;
        let added = add(&alice, b"for everyone".to_vec()).await;
        let folder = directory();
        let (copy, plain) = (folder.path().join("copy"), folder.path().join("plain"));
        alice.fetch_file(&exactly(&added), &copy, &Limits::default()).await.unwrap();
        fs::write(&plain, b"").unwrap();
        let permissions = |path: &std::path::Path| fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions(&copy), permissions(&plain));
        assert_eq!(permissions(&block_file(a.path(), &added.content)), permissions(&plain));
    });
}
