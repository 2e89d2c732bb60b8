//! The committed genesis files, and the check of what a genesis endows.

use frame_support::traits::Get;
use openledger_chain_spec::{endowed, readable, GenesisError, Network};
use openledger_primitives::{EXISTENTIAL_DEPOSIT, TOTAL_SUPPLY};
use openledger_runtime::{configs::RewardPot, fees::TreasuryAccount, genesis_presets, AccountId};
use sp_runtime::traits::AccountIdConversion;
use std::{path::Path, sync::Once};

/// A network's file. With `OPENLEDGER_UPDATE=1` in the environment all files are written first.
fn committed(network: Network) -> String {
    static UPDATE: Once = Once::new();
    let path = |network: Network| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{}.json", network.name()))
    };
    UPDATE.call_once(|| {
        if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
            for network in Network::ALL {
                let genesis = readable(network).expect("a preset has a JSON form");
                std::fs::write(path(network), genesis).expect("the file can be written");
            }
        }
    });
    std::fs::read_to_string(path(network)).unwrap_or_default()
}

/// After a change of the presets, run this test with `OPENLEDGER_UPDATE=1` and commit the files.
#[test]
fn committed_files_are_current() {
    for network in Network::ALL {
        assert!(
            committed(network) == readable(network).expect("a preset has a JSON form"),
            "chain-spec/{}.json is out of date; run: \
             OPENLEDGER_UPDATE=1 scripts/test chain -- committed_files_are_current",
            network.name()
        );
    }
}

#[test]
fn every_preset_of_the_runtime_has_a_file() {
    assert_eq!(genesis_presets::preset_names().len(), Network::ALL.len());
}

#[test]
fn balances_of_each_network_add_up_to_the_total_supply() {
    for network in Network::ALL {
        let text = committed(network);
        assert_eq!(endowed(&text).expect("it is sound"), TOTAL_SUPPLY, "{network:?}");
    }
}

/// Pots that genesis did not endow could be reaped, and what they hold with them.
#[test]
fn treasury_and_reward_pot_are_endowed_everywhere() {
    let pots: [AccountId; 2] = [TreasuryAccount::get(), RewardPot::get().into_account_truncating()];
    for network in Network::ALL {
        let text = committed(network);
        for pot in &pots {
            assert!(text.contains(&pot.to_string()), "{network:?} does not endow {pot}");
        }
    }
}

fn with_balances(balances: &str) -> String {
    format!(r#"{{"balances":{{"balances":{balances}}}}}"#)
}

#[test]
fn one_planck_too_many_is_seen() {
    let text = with_balances(&format!(r#"[["a",{TOTAL_SUPPLY}],["b",{EXISTENTIAL_DEPOSIT}]]"#));
    assert_eq!(endowed(&text).expect("it is sound"), TOTAL_SUPPLY + EXISTENTIAL_DEPOSIT);
    let text = with_balances(&format!(r#"[["a",{}]]"#, TOTAL_SUPPLY + 1));
    assert_eq!(endowed(&text).expect("it is sound"), TOTAL_SUPPLY + 1);
}

#[test]
fn an_account_endowed_twice_is_refused() {
    let text = with_balances(&format!(
        r#"[["a",{EXISTENTIAL_DEPOSIT}],["b",{EXISTENTIAL_DEPOSIT}],["a",{EXISTENTIAL_DEPOSIT}]]"#
    ));
    assert!(matches!(endowed(&text), Err(GenesisError::Repeated { index: 2, .. })));
}

#[test]
fn a_balance_below_the_existential_deposit_is_refused() {
    let text = with_balances(&format!(r#"[["a",{}]]"#, EXISTENTIAL_DEPOSIT - 1));
    assert!(matches!(
        endowed(&text),
        Err(GenesisError::BelowExistentialDeposit { index: 0, amount }) if amount == EXISTENTIAL_DEPOSIT - 1
    ));
}

#[test]
fn anything_but_account_and_whole_plancks_is_refused() {
    for entry in [
        "1",
        "[]",
        r#"["a"]"#,
        r#"[1,1000000000000000]"#,
        r#"["a",-1]"#,
        r#"["a",1.5]"#,
        r#"["a",1e27]"#,
        r#"["a","1000000000000000"]"#,
        r#"["a",1000000000000000,1]"#,
    ] {
        let text = with_balances(&format!("[{entry}]"));
        assert!(
            matches!(endowed(&text), Err(GenesisError::Entry { index: 0, .. })),
            "{entry} was taken"
        );
    }
}

#[test]
fn sums_beyond_128_bits_and_missing_lists_are_refused() {
    let most = u128::MAX;
    let text = with_balances(&format!(r#"[["a",{most}],["b",{most}]]"#));
    assert!(matches!(endowed(&text), Err(GenesisError::Overflow)));
    assert!(matches!(endowed("{}"), Err(GenesisError::NoBalances)));
    assert!(matches!(endowed("not json"), Err(GenesisError::Json(_))));
}
