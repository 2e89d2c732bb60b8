//! A candidate by the command line: its node is its own, what an election said of it is told with the reason, and what
//! would do less than it is asked for is refused. `validators.rs` has one leave to the end.

use super::Chain;
use crate::light;
use openledger_primitives::OPEN;
use openledger_tests::Actor;
use serde_json::Value;

#[test]
fn keys_stay_off_anothers_node_and_status_says_why_nobody_was_elected() {
    let _turn = light();
    let chain = Chain::start();
    let (alice, eve) = (Actor::new("Alice", "//Alice"), Actor::new("Eve", "//Eve"));
    let status = |who: &Actor| chain.run(who, &["validator", "status"]);

    // The node of a development chain has Alice's keys.
    let refused = chain.cli.refused(&eve, &["validator", "keys"]);
    let refused = refused.unwrap_or_else(|error| panic!("{error}"));
    let words = format!("has the session keys of {}", chain.address(&alice));
    assert!(refused.message.contains(&words), "{}", refused.message);
    assert_eq!(refused.kind, "refused");
    chain.run(&eve, &["validator", "keys", "--force"]);

    let refused = |who: &Actor, command: &[&str], words: &str| {
        let refused = chain.cli.refused(who, command).unwrap_or_else(|error| panic!("{error}"));
        assert!(refused.message.contains(words), "{command:?}: {}", refused.message);
    };
    let plancks = |open: u128| (open * OPEN).to_string();
    let bonded = chain.run(&eve, &["validator", "bond", "600"]);
    assert_eq!(bonded["added"], plancks(600), "{bonded}");
    refused(&eve, &["validator", "validate"], "it takes 1000 OPEN to stand for election");
    refused(&eve, &["validator", "bond", "400", "--compound"], "has bonded before");
    refused(&eve, &["validator", "chill"], "neither validates nor nominates");
    refused(&eve, &["validator", "withdraw"], "has unbonded nothing");
    let dave = chain.address(&Actor::new("Dave", "//Dave"));
    refused(&eve, &["validator", "nominate", &dave], "does not stand for election");
    let bonded = chain.run(&eve, &["validator", "bond", "400"]);
    assert_eq!(bonded["bonded"], plancks(1_000), "{bonded}");
    chain.run(&eve, &["validator", "validate"]);
    refused(&eve, &["validator", "unbond", "1001"], "1001 OPEN cannot be unbonded");
    refused(&eve, &["validator", "unbond", "1"], "999 OPEN would stay bonded");

    // Who has session keys and nothing else is rid of them at once.
    let dave = Actor::new("Dave", "//Dave");
    chain.run(&dave, &["validator", "keys", "--force"]);
    let left = chain.run(&dave, &["validator", "leave"]);
    assert_eq!((&left["left"], &left["keysSet"]), (&true.into(), &false.into()), "{left}");
    assert_eq!(left["steps"][0]["step"], "purgeKeys", "{left}");
    assert_eq!(chain.run(&dave, &["validator", "leave"])["steps"], serde_json::json!([]));
    let stands = status(&eve);
    assert_eq!((&stands["role"], &stands["keysSet"]), (&"validator".into(), &true.into()));

    // The election is in the last session of the era of now, for the next one.
    let era = stands["era"].as_u64().expect("an era");
    let election = |who: &Actor| status(who)["lastElection"].clone();
    let held = |election: &Value| election["era"].as_u64().is_some_and(|of| of > era);
    let mut said = election(&eve);
    while !held(&said) {
        let block = chain.network.block().unwrap_or_else(|error| panic!("{error}"));
        chain.network.wait_for_block(block + 2).unwrap_or_else(|error| panic!("{error}"));
        said = election(&eve);
    }
    assert_eq!(said["elected"], false, "{said}");
    let read = |value: &Value| value.as_str().and_then(|text| text.parse::<u128>().ok());
    let needed = read(&said["needed"]).expect("an amount");
    assert!(needed > 1_000 * OPEN, "{said}");
    let of_alice = election(&alice);
    assert_eq!((&of_alice["era"], &of_alice["elected"]), (&said["era"], &true.into()));
    assert!(read(&of_alice["backing"]).is_some_and(|backing| backing >= needed), "{of_alice}");

    // All of it at once stands back too, and is on its way out.
    let out = chain.run(&eve, &["validator", "unbond", "--all"]);
    assert_eq!((&out["unbonded"], &out["bonded"]), (&plancks(1_000).into(), &plancks(0).into()));
    let (from, era) = (out["freeFromEra"].as_u64(), out["era"].as_u64());
    assert!(from >= era.map(|era| era + 3), "{out}");
    assert_eq!(status(&eve)["role"], "idle");
    refused(&eve, &["validator", "unbond", "--all"], "is on its way out");
    refused(&eve, &["validator", "withdraw"], "is free yet");
}
