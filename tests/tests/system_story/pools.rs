//! Nomination pools through the command line: made, joined, left, and refusals in words.

use super::Chain;
use crate::light;
use openledger_primitives::OPEN;
use openledger_tests::Actor;

#[test]
fn a_nomination_pool_is_made_joined_and_left_and_says_why_it_refuses() {
    let _turn = light();
    let chain = Chain::start();
    let actor = |name| Actor::new(name, format!("//{name}"));
    let (eve, dave, alice) = (actor("Eve"), actor("Dave"), actor("Alice"));
    let (validator, nobody) = (chain.address(&alice), chain.address(&dave));
    let plancks = |open: u128| (open * OPEN).to_string();

    let made = chain.run(&eve, &["pool", "create", "100", "--name", "Bread"]);
    assert_eq!(made["pool"], 1, "{made}");
    assert_eq!(made["transactions"].as_array().map(Vec::len), Some(2), "{made}");
    chain.run(&eve, &["pool", "nominate", "1", &validator]);
    chain.run(&eve, &["pool", "commission", "1", "5"]);
    chain.run(&dave, &["pool", "join", "1", "50"]);
    chain.run(&dave, &["pool", "bond-extra", "10"]);

    let list = chain.run(&dave, &["pool", "list"]);
    let pool = &list["pools"][0];
    assert_eq!(
        (&pool["name"], &pool["state"], &pool["members"]),
        (&"Bread".into(), &"open".into(), &2.into())
    );
    assert_eq!(pool["bonded"], plancks(160), "{list}");
    assert_eq!(pool["targets"][0], validator);
    assert_eq!(pool["commissionParts"], 50_000_000);
    assert_eq!(list["minJoin"], plancks(1));

    chain.run(&dave, &["pool", "unbond", "20"]);
    let status = chain.run(&dave, &["pool", "status"]);
    assert_eq!((&status["bonded"], &status["pool"]["pool"]), (&plancks(40).into(), &1.into()));
    assert_eq!(status["unbonding"][0]["amount"], plancks(20), "{status}");

    for (who, command, words) in [
        (&dave, &["pool", "withdraw"][..], "NominationPools::CannotWithdrawAny"),
        (&dave, &["pool", "nominate", "1", &validator], "NominationPools::NotNominator"),
        (&dave, &["pool", "unbond", "41"], "more than the 40 OPEN in the pool"),
        (&dave, &["pool", "unbond", "0"], "0 OPEN cannot be taken out"),
        (&dave, &["pool", "claim"], "owes"),
        (&dave, &["pool", "bond-extra", "--rewards"], "owes"),
        (&eve, &["pool", "nominate", "1", &nobody], "does not stand for election"),
        (&dave, &["validator", "bond", "10"], "Staking::Restricted"),
        (&alice, &["pool", "join", "1", "5"], "NominationPools::Restricted"),
        (&alice, &["pool", "status"], "is in no nomination pool"),
    ] {
        let refused = chain.cli.refused(who, command).unwrap_or_else(|error| panic!("{error}"));
        assert!(refused.message.contains(words), "{command:?}: {}", refused.message);
    }
}
