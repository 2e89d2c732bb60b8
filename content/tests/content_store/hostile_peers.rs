//! Peers that break the protocol's rules, or keep them to a node's harm.

use crate::support::{
    add,
    dag::{bytes_field, number_field, raw_id, raw_payload, varint, wantlist},
    directory, exactly, impatient, listing, node, node_beside, node_with,
    raw_peer::{RawPeer, Reading},
    run, until, Pattern, MIB,
};
use openledger_content::{
    bitswap::{Config, MAX_ENTRIES, MAX_MESSAGE_BYTES},
    ContentStore, Error, Fault, Limits, Wanted, MAX_BLOCK_BYTES,
};
use std::time::Duration;

#[test]
fn a_frozen_peer_with_a_big_wantlist_keeps_memory_bounded_and_others_are_served() {
    run(async {
        let limit = 4 * MIB;
        let bitswap = Config { queued_bytes_a_peer: limit, ..Config::default() };
        let (alice, _a) =
            node_with(|config| openledger_content::NodeConfig { bitswap, ..config }).await;
        let bytes = Pattern::bytes(24 * MIB as u64);
        let added = add(&alice, bytes.clone()).await;

        let frozen = RawPeer::dial(&alice, Reading::Nothing).await;
        let chunks = bytes.chunks(MIB).map(|chunk| raw_id(chunk).to_bytes().to_vec());
        frozen.send(&wantlist(chunks.map(|cid| (cid, 0))));
        // Far more wants than are remembered, for blocks that nobody has.
        for round in 0..4u32 {
            let absent = (0..1000u32).map(|n| {
                (raw_id(format!("{round} {n}").as_bytes()).to_bytes().to_vec(), u64::from(n % 2))
            });
            frozen.send(&wantlist(absent));
        }
        until("answers are queued", || alice.counters().queued_bytes() > MIB).await;

        let (bob, _b) = node_beside(&[&alice]).await;
        let limits = Limits::for_bytes(added.size);
        assert!(bob.fetch_bytes(&exactly(&added), &limits).await.unwrap() == bytes);

        // The frozen peer and bob, each within its bound.
        assert!(alice.counters().peak_queued_bytes() <= 2 * limit);
        until("bob has all", || alice.counters().queued_bytes() <= limit).await;
        assert!(alice.counters().queued_bytes() > 0, "the frozen peer still reads nothing");
        assert!(alice.counters().remembered_wants() <= 2 * MAX_ENTRIES);

        // When it leaves, nothing of it stays.
        drop(frozen);
        until("its answers are forgotten", || alice.counters().queued_bytes() == 0).await;
        until("its wants are forgotten", || alice.counters().remembered_wants() == 0).await;
    });
}

#[test]
fn wanting_and_cancelling_for_ever_is_bounded() {
    run(async {
        let (alice, _a) = node().await;
        let mut peer = RawPeer::dial(&alice, Reading::All).await;
        let cid = |n: u32| raw_id(&n.to_le_bytes()).to_bytes().to_vec();
        for round in 0..20u32 {
            peer.send(&wantlist((0..900).map(|n| (cid(round * 900 + n), 0))));
            let cancels: Vec<u8> = (0..900)
                .flat_map(|n| {
                    let entry =
                        [bytes_field(1, &cid(round * 900 + n)), number_field(3, 1)].concat();
                    bytes_field(1, &entry)
                })
                .collect();
            peer.send(&bytes_field(1, &cancels));
        }
        // One more question, which is answered: the node has read everything before it. Each message has a stream of its
        // own, and of too many at once some are refused, so it is asked again.
        let added = add(&alice, b"answer me".to_vec()).await;
        loop {
            peer.send(&wantlist([(added.content.to_bytes().to_vec(), 0)]));
            let answer = peer.receive_with(b"answer me");
            if tokio::time::timeout(Duration::from_secs(5), answer).await.is_ok() {
                break;
            }
        }
        assert!(alice.counters().remembered_wants() <= MAX_ENTRIES);
    });
}

#[test]
fn blocks_nobody_asked_for_are_dropped() {
    run(async {
        let (alice, a) = node().await;
        let peer = RawPeer::dial(&alice, Reading::All).await;
        peer.send(&raw_payload(b"a present"));
        until("it has come", || alice.counters().unwanted_blocks() == 1).await;
        assert!(!alice.store().has_block(&raw_id(b"a present")));
        assert_eq!(listing(&a.path().join("blocks")), Vec::<String>::new());
    });
}

#[test]
fn wrong_bytes_for_a_wanted_block_are_dropped_and_an_honest_peer_is_asked() {
    run(async {
        let (bob, _b) = node().await;
        let mut liar = RawPeer::dial(&bob, Reading::All).await;
        let truth = b"the truth".to_vec();
        let id = raw_id(&truth);
        let fetch = tokio::spawn({
            let bob = bob.clone();
            async move { bob.fetch_bytes(&Wanted::new(id), &Limits::default()).await }
        });
        liar.receive_with(&id.to_bytes()).await;
        for lie in [b"a lie".as_slice(), b"", b"the truth "] {
            liar.send(&raw_payload(lie));
        }
        // "I have it", said by someone who does not send it.
        liar.send(&bytes_field(4, &bytes_field(1, &id.to_bytes())));
        until("the lies have come", || bob.counters().unwanted_blocks() == 3).await;
        let (alice, _a) = node_beside(&[&bob]).await;
        add(&alice, truth.clone()).await;
        assert_eq!(fetch.await.unwrap().unwrap(), truth);
    });
}

#[test]
fn a_liar_alone_makes_content_unavailable_not_invalid() {
    run(async {
        let (bob, _b) = node().await;
        let mut liar = RawPeer::dial(&bob, Reading::All).await;
        let id = raw_id(b"the truth");
        let folder = directory();
        let destination = folder.path().join("copy");
        let fetch = tokio::spawn({
            let (bob, destination) = (bob.clone(), destination.clone());
            async move { bob.fetch_file(&Wanted::new(id), &destination, &impatient()).await }
        });
        liar.receive_with(&id.to_bytes()).await;
        liar.send(&raw_payload(b"a lie"));
        let error = fetch.await.unwrap().unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert_eq!(listing(folder.path()), Vec::<String>::new());
    });
}

#[test]
fn a_block_that_is_too_large_is_invalid_once_its_hash_is_proven() {
    run(async {
        let (bob, _b) = node().await;
        let mut peer = RawPeer::dial(&bob, Reading::All).await;
        let huge = vec![7; MAX_BLOCK_BYTES + 1];
        let id = raw_id(&huge);
        let fetch = tokio::spawn({
            let bob = bob.clone();
            async move { bob.fetch_bytes(&Wanted::new(id), &Limits::default()).await }
        });
        peer.receive_with(&id.to_bytes()).await;
        peer.send(&raw_payload(&huge));
        let error = fetch.await.unwrap().unwrap_err();
        assert!(
            matches!(&error, Error::Invalid { content, fault: Fault::BlockTooLarge { size, .. } }
                if *content == id && *size == huge.len() as u64),
            "{error}"
        );
    });
}

#[test]
fn garbage_costs_its_stream_and_nothing_else() {
    run(async {
        let (alice, _a) = node().await;
        let added = add(&alice, b"steady".to_vec()).await;
        let mut peer = RawPeer::dial(&alice, Reading::All).await;
        // More than a message may have; a length that never ends; a message cut short; no protobuf.
        peer.send_bytes([varint(MAX_MESSAGE_BYTES as u64 + 1), vec![0; 100]].concat());
        peer.send_bytes(vec![0xff; 64]);
        peer.send_bytes([varint(1000), vec![10; 10]].concat());
        peer.send(&[0xff; 64]);
        peer.send(&bytes_field(1, &[0xff; 64]));
        peer.send(&bytes_field(3, &bytes_field(1, &[9; 300])));
        peer.send(b"");
        peer.send(&wantlist([(added.content.to_bytes().to_vec(), 0)]));
        peer.receive_with(b"steady").await;
        assert_eq!(alice.peers().len(), 1);
    });
}

#[test]
fn streams_that_begin_a_message_and_fall_silent_do_not_stop_others() {
    run(async {
        let (alice, _a) = node().await;
        let added = add(&alice, Pattern::bytes(2 * MIB as u64)).await;
        let silent = RawPeer::dial(&alice, Reading::All).await;
        for _ in 0..300 {
            // Announces 4 MiB, sends one byte, and then this peer's end of the stream is closed.
            silent.send_bytes([varint(MAX_MESSAGE_BYTES as u64), vec![10]].concat());
        }
        let (bob, _b) = node_beside(&[&alice]).await;
        bob.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
    });
}

#[test]
fn wants_are_answered_in_the_words_they_were_asked() {
    run(async {
        let (alice, _a) = node().await;
        let raw = alice.store().put(openledger_primitives::ContentCodec::Raw, b"leaf").unwrap();
        let node_bytes = crate::support::dag::dag_pb(
            &[],
            &crate::support::dag::unixfs(crate::support::dag::FILE, b"old file", 8, &[]),
        );
        let node_id = crate::support::dag::put_dag_pb(alice.store(), &node_bytes);
        let version_0 = crate::support::dag::version_0(&node_id);
        let mut peer = RawPeer::dial(&alice, Reading::All).await;

        // Have it: block, and presence (the type HAVE is 0, which protobuf leaves out).
        peer.send(&wantlist([(raw.to_bytes().to_vec(), 0)]));
        assert_eq!(peer.receive().await, raw_payload(b"leaf"));
        peer.send(&wantlist([(raw.to_bytes().to_vec(), 1)]));
        assert_eq!(peer.receive().await, bytes_field(4, &bytes_field(1, &raw.to_bytes())));
        // CIDv0 in, CIDv0 out.
        peer.send(&wantlist([(version_0.clone(), 0)]));
        let prefix = bytes_field(1, &[0, 0x70, 0x12, 0x20]);
        let expected = bytes_field(3, &[prefix, bytes_field(2, &node_bytes)].concat());
        assert_eq!(peer.receive().await, expected);
        // Do not have it: absent, another hash function, no CID at all.
        let absent = raw_id(b"absent").to_bytes().to_vec();
        for cid in [absent.clone(), vec![1, 0x71, 0x12, 0x20, 5], vec![9; 20]] {
            for kind in [0, 1] {
                peer.send(&wantlist([(cid.clone(), kind)]));
                let presence = [bytes_field(1, &cid), number_field(2, 1)].concat();
                assert_eq!(peer.receive().await, bytes_field(4, &presence));
            }
        }
        // What was absent is sent as soon as it is there.
        peer.send(&wantlist([(absent, 0)]));
        peer.receive().await;
        add(&alice, b"absent".to_vec()).await;
        assert_eq!(peer.receive().await, raw_payload(b"absent"));
    });
}
