//! `docs/examples/referendum.mjs`: the treasury pays what a referendum decides, and everything that was held comes back.

use super::{binaries, example, light, offline, Folder};
use openledger_primitives::OPEN;
use openledger_tests::{
    process::{self, Finished},
    sheet::{self, Snapshot},
    Network,
};
use std::time::Duration;

/// How long a run may take: a dozen transactions, each until it is final, and a referendum of a minute.
const PATIENCE: Duration = Duration::from_secs(300);
const FERDIE: &str = "5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL";
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

fn run(network: &Network, key: &str, arguments: &[&str]) -> Finished {
    let (mut node, _program) = example("referendum.mjs");
    node.env("OPENLEDGER_SECRET", key).args(arguments);
    process::run("referendum.mjs", node, &network.log("referendum"), PATIENCE)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_spend_goes_from_proposal_to_payout_by_the_example_and_deposits_come_back() {
    let _turn = light();
    if offline() {
        eprintln!("referendum.mjs is not run: scripts/test said that there is no network");
        return;
    }
    let folder = Folder::new();
    let network =
        Network::start(binaries(), folder.path(), false).unwrap_or_else(|error| panic!("{error}"));
    let url = network.url();
    let read = || Snapshot::read(network.rpc(), None).unwrap_or_else(|error| panic!("{error}"));
    let of = |sheet: &Snapshot, address: &str| {
        sheet.of(&sheet::account(address).unwrap_or_else(|error| panic!("{error}")))
    };
    let before = read();

    let options = ["--vote", "700000", "--conviction", "2", "--preimage"];
    let spend = [&url, "spend", "1000.5", FERDIE];
    let done = run(&network, "//Alice", &[&options[..], &spend[..]].concat());
    let said = &done.out;
    assert_eq!(done.code, Some(0), "{said}{}", done.err);
    for step in [
        "referendum 0 on track small_spender, in block ",
        "1 OPEN held",
        "preimage 0x",
        "decision deposit: 50 OPEN held",
        "voted aye with 700,000 OPEN, conviction 2",
        "approval 100 %, support 11.6 %",
        "referendum 0: approved",
        "carried out in block ",
        "spend 0: 1,000.5 OPEN paid to 5CiPPseX",
        "50 OPEN, decision deposit",
        "1 OPEN, submission deposit",
        "OPEN, preimage",
        "700,000 OPEN of 5Grwva",
    ] {
        assert!(said.contains(step), "no {step:?} in\n{said}");
    }
    let after = read();
    assert_eq!(after.total(), before.total());
    let paid = of(&after, FERDIE).total() - of(&before, FERDIE).total();
    assert_eq!(paid, 1_000 * OPEN + OPEN / 2);
    assert_eq!(of(&after, ALICE).held, of(&before, ALICE).held, "all deposits are back");

    // What cannot be done says so before anything is sent, or with the pallet's own name.
    let refuses = |arguments: &[&str], words: &str| {
        let refused = run(&network, "//Bob", arguments);
        assert_eq!(refused.code, Some(1), "{}", refused.out);
        assert!(refused.err.contains(words), "{}", refused.err);
    };
    refuses(&[&url, "spend", "400000", FERDIE], "the treasury pays at most ");
    refuses(&[&url, "spend", "1", "5Grwva"], "5Grwva is no address");
    refuses(&["--vote", "1", &url, "vote", "0"], "ConvictionVoting.NotOngoing");
    refuses(&[&url, "payout", "0"], "Treasury.AlreadyAttempted");
    refuses(&[&url, "pay"], "pay with 0 arguments; see --help");
    let help = run(&network, "", &["--help"]);
    assert!(help.out.starts_with("Usage: OPENLEDGER_SECRET=… node referendum.mjs"), "{}", help.out);
}
