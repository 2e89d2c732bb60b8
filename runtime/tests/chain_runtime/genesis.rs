//! What the presets endow.

use crate::common::{begin_block, end_block, extensions, genesis};
use frame_support::traits::Get;
use openledger_primitives::{EXISTENTIAL_DEPOSIT, TOTAL_SUPPLY};
use openledger_runtime::{
    configs::RewardPot, genesis_presets, AccountId, Babe, Balances, Leaderboard, Runtime, Session,
    TxExtension,
};
use sp_runtime::traits::{AccountIdConversion, TransactionExtension};

fn issuance() -> u128 {
    pallet_balances::TotalIssuance::<Runtime>::get()
}

#[test]
fn every_preset_endows_exactly_one_billion_open() {
    for preset in genesis_presets::preset_names() {
        genesis(preset.as_ref()).execute_with(|| {
            assert_eq!(issuance(), TOTAL_SUPPLY, "{preset}");
            begin_block();
            end_block();
        });
    }
}

#[test]
fn the_reward_pot_exists_from_genesis() {
    genesis("local_testnet").execute_with(|| {
        let pot: AccountId = RewardPot::get().into_account_truncating();
        assert_eq!(Balances::free_balance(pot), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn sudo_exists_in_the_development_preset_only() {
    genesis("development").execute_with(|| assert!(pallet_sudo::Key::<Runtime>::get().is_some()));
    genesis("local_testnet").execute_with(|| assert!(pallet_sudo::Key::<Runtime>::get().is_none()));
}

#[test]
fn epoch_and_reward_period_come_from_genesis() {
    let epoch = || <Runtime as pallet_babe::Config>::EpochDuration::get();
    genesis("development").execute_with(|| {
        assert_eq!(epoch(), 10);
        assert_eq!(Leaderboard::period(), (0, 10));
    });
    genesis("local_testnet").execute_with(|| {
        assert_eq!(epoch(), 200);
        assert_eq!(Leaderboard::period(), (0, 1_200));
    });
}

#[test]
fn session_keys_reach_babe_from_genesis() {
    genesis("local_testnet").execute_with(|| {
        assert_eq!(Session::validators().len(), 2);
        assert_eq!(Babe::authorities().len(), 2);
    });
}

/// The order is part of what is signed: a change breaks every wallet.
#[test]
fn transaction_extensions_keep_their_order() {
    let identifiers: Vec<_> =
        TxExtension::metadata().into_iter().map(|extension| extension.identifier).collect();
    assert_eq!(
        identifiers,
        [
            "CheckNonZeroSender",
            "CheckSpecVersion",
            "CheckTxVersion",
            "CheckGenesis",
            "CheckMortality",
            "CheckNonce",
            "CheckWeight",
            "ChargeTransactionPayment",
            "AdmitSubmission",
            "CheckMetadataHash",
            "WeightReclaim",
        ]
    );
}

/// Ours carries nothing, so a wallet that never heard of it signs the same bytes.
#[test]
fn the_admission_extension_has_an_empty_payload() {
    use codec::Encode;
    let extension = pallet_datanets::AdmitSubmission::<Runtime>::new();
    assert!(extension.encode().is_empty());
    let () = extensions(0).8.implicit().expect("no implicit data is needed");
}
