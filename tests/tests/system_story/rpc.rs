//! The node's read-only `openledger_*` methods, over plain HTTP as `curl` speaks it.

use super::Chain;
use crate::light;
use codec::Encode;
use openledger_tests::{rpc::RpcError, sign::sign, story::submit};
use serde_json::{json, Value};
use sp_keyring::Sr25519Keyring;

#[test]
fn openledger_methods_answer_json_over_plain_http() {
    let _turn = light();
    let chain = Chain::start();
    let eve = chain.contributor("Eve");
    let address = chain.address(&eve);
    let datanet: u64 = chain.datanet.parse().expect("a number");
    let ask = |method: &str, params: Value| {
        chain.network.call(method, params).unwrap_or_else(|error| panic!("{error}"))
    };

    let quota = ask("openledger_quota", json!([address]));
    assert_eq!(quota["registered"], true);
    assert_eq!((&quota["filesUsed"], &quota["filesLimit"]), (&json!(0), &json!(20)));
    assert_eq!(quota["bytesLimit"], 10 * 1024 * 1024);

    let file = chain.file(1, 500);
    let sent = chain.run(&eve, &submit(&chain.datanet, std::slice::from_ref(&file)));
    let item = &sent["submissions"][0];
    let item = json!([{
        "content": item["content"], "sha256": item["sha256"], "size": 500, "media": "txt",
    }]);
    let duplicate = ask("openledger_check", json!([address, datanet, item]));
    assert!(duplicate.to_string().contains("already"), "the duplicate is not named: {duplicate}");
    // What became of it, by its number and by its hash, and of all that the account gave.
    let number = &sent["submissions"][0]["submission"];
    let waiting = ask("openledger_submission", json!([datanet, number]));
    assert_eq!(waiting["state"], "pending");
    assert!(waiting["age"].as_u64() < waiting["since"].as_u64(), "precommitted: {waiting}");
    assert_eq!(waiting["votes"], json!([]));
    let sha256 = &sent["submissions"][0]["sha256"];
    assert_eq!(ask("openledger_submission", json!([datanet, sha256])), waiting);
    assert_eq!(ask("openledger_submissions", json!([address])), json!([waiting]));
    assert_eq!(ask("openledger_submissions", json!([address, number])), json!([]));
    let nowhere = ask("openledger_check", json!([address, 999, item]));
    assert!(nowhere.to_string().contains("999"), "the Datanet is not named: {nowhere}");

    // Client libraries read a block's transactions as hexadecimal.
    let block = ask("chain_getBlock", json!([]));
    let extrinsics = block["block"]["extrinsics"].as_array().expect("a block has extrinsics");
    assert!(!extrinsics.is_empty());
    for extrinsic in extrinsics {
        assert!(extrinsic.as_str().is_some_and(|text| text.starts_with("0x")), "{extrinsic}");
    }

    assert_eq!(ask("openledger_extractor", json!([])), openledger_primitives::EXTRACTOR);
    let status = chain.run(&eve, &["status"]);
    assert_eq!(status["extractor"], openledger_primitives::EXTRACTOR);
    let datanets = ask("openledger_datanets", json!([]));
    assert_eq!(datanets[0]["name"], "Notes");
    assert_eq!(datanets[0]["pending"], 1, "{datanets}");
    assert_eq!(ask("openledger_leaderboard", json!([datanet])), json!([]));
    assert_eq!(ask("openledger_claimable", json!([datanet, address])), "0");
    assert_eq!(ask("openledger_pool", json!([datanet])), Value::Null);
    assert_eq!(ask("openledger_share", json!([datanet, address])), Value::Null);
    assert_eq!(ask("openledger_payout", json!([address])), Value::Null);
    assert_eq!(ask("openledger_waitingPolicy", json!([datanet])), Value::Null);
    assert_eq!(ask("openledger_datanetDetails", json!([datanet]))["status"], "open");
    assert_eq!(ask("openledger_jobs", json!([])), json!([]));
    assert_eq!(ask("openledger_jobsOf", json!([address, "queued"])), json!([]));
    assert_eq!(ask("openledger_workers", json!([])), json!([]));
    assert_eq!(ask("openledger_baseModels", json!([])), json!([]));
    match chain.network.rpc().call("openledger_worker", json!([address])) {
        Err(RpcError::Answered { code, .. }) => assert_eq!(code, 8002),
        other => panic!("who is no worker is answered with {other:?}"),
    }

    for method in [
        "openledger_job",
        "openledger_adapter",
        "openledger_ancestry",
        "openledger_attribution",
        "openledger_place",
        "openledger_dispute",
    ] {
        match chain.network.rpc().call(method, json!([7])) {
            Err(RpcError::Answered { message, .. }) => {
                assert!(message.contains('7'), "{method}: the number is not named: {message}");
            }
            other => panic!("{method} of something that is not there answers {other:?}"),
        }
    }
    match chain.network.rpc().call("openledger_quota", json!(["not an address"])) {
        Err(RpcError::Answered { code, .. }) => assert_eq!(code, -32602),
        other => panic!("nonsense is answered with {other:?}"),
    }
}

/// Offline wallets show a transaction by metadata whose hash they sign, and the chain knows its own.
#[test]
fn a_transaction_with_the_hash_of_the_metadata_is_taken() {
    let _turn = light();
    let chain = Chain::start();
    let genesis = chain.network.call("chain_getBlockHash", json!([0])).expect("it answers");
    let genesis = serde_json::from_value(genesis).expect("a hash");
    let committed = include_str!("../../../client/metadata-hash.txt").trim();
    let committed = sp_core::bytes::from_hex(committed).expect("hexadecimal");
    let key = Sr25519Keyring::Ferdie.pair();
    let send = |metadata: Option<[u8; 32]>| {
        let call = frame_system::Call::remark_with_event { remark: b"shown offline".to_vec() };
        let signed = sign(genesis, &key, 0, call.into(), metadata);
        let hex = sp_core::bytes::to_hex(&signed.encode(), false);
        chain.network.rpc().call("author_submitExtrinsic", json!([hex]))
    };
    match send(Some([7; 32])) {
        Err(RpcError::Answered { code, .. }) => assert_eq!(code, 1010, "a bad signature"),
        other => panic!("the hash of other metadata is answered with {other:?}"),
    }
    let known = committed.try_into().expect("32 bytes");
    send(Some(known)).unwrap_or_else(|error| panic!("the chain's own: {error:?}"));
}
