//! A candidate by the command line: its node is its own, and what an election said of it is told with the reason.

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

    chain.run(&eve, &["validator", "bond", "1000"]);
    chain.run(&eve, &["validator", "validate"]);
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
    let plancks = |value: &Value| value.as_str().and_then(|text| text.parse::<u128>().ok());
    let needed = plancks(&said["needed"]).expect("an amount");
    assert!(needed > 1_000 * OPEN, "{said}");
    let of_alice = election(&alice);
    assert_eq!((&of_alice["era"], &of_alice["elected"]), (&said["era"], &true.into()));
    assert!(plancks(&of_alice["backing"]).is_some_and(|backing| backing >= needed), "{of_alice}");
}
