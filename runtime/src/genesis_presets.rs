//! Genesis of the networks we know: `development` (one author, sudo, short lengths) and `local` (two
//! validators, lengths of a real network, no sudo).

use crate::{
    configs::RewardPot,
    fees::TreasuryAccount,
    parameters::{Lengths, StakingLengths, WATCHED_DAY},
    staking::{
        pools::{MAX_COMMISSION, MAX_POOLS, MIN_CREATE_BOND, MIN_JOIN_BOND},
        pot::{PotAccount, FLOOR},
        GENESIS_BOND, MAX_CANDIDATES, MIN_NOMINATOR_BOND, MIN_VALIDATOR_BOND, VALIDATORS,
    },
    AccountId, BalancesConfig, BlockNumber, NominationPoolsConfig, ReviewConfig,
    RuntimeGenesisConfig, SessionConfig, SessionKeys, StakingConfig, SudoConfig, BABE_EPOCH, DAY,
};
use alloc::{vec, vec::Vec};
use frame_support::{build_struct_json_patch, traits::Get};
use openledger_primitives::{Balance, EXISTENTIAL_DEPOSIT, EXTRACTOR, OPEN, TOTAL_SUPPLY};
use pallet_staking::StakerStatus;
use serde_json::Value;
use sp_consensus_babe::AuthorityId as BabeId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::traits::AccountIdConversion;

/// What each well-known account of a test network begins with.
pub const ENDOWMENT: Balance = 1_000_000 * OPEN;

/// The well-known accounts a test network endows. Their seeds are public: never use them elsewhere.
pub fn endowed_accounts() -> Vec<AccountId> {
    [
        Sr25519Keyring::Alice,
        Sr25519Keyring::Bob,
        Sr25519Keyring::Charlie,
        Sr25519Keyring::Dave,
        Sr25519Keyring::Eve,
        Sr25519Keyring::Ferdie,
    ]
    .map(|account| account.to_account_id())
    .into()
}

/// Balances that add up to exactly [`TOTAL_SUPPLY`]: the endowed accounts, the pots that must never
/// be reaped, and the rest in the treasury.
pub fn balances(endowed: &[AccountId]) -> Vec<(AccountId, Balance)> {
    let mut balances: Vec<_> = endowed.iter().map(|account| (account.clone(), ENDOWMENT)).collect();
    balances.push((PotAccount::get(), FLOOR));
    balances.push((RewardPot::get().into_account_truncating(), EXISTENTIAL_DEPOSIT));
    let given: Balance = balances.iter().map(|(_, amount)| amount).sum();
    balances.push((TreasuryAccount::get(), TOTAL_SUPPLY.saturating_sub(given)));
    balances
}

fn genesis(
    authorities: Vec<(AccountId, BabeId, GrandpaId)>,
    lengths: Lengths,
    governance_day: BlockNumber,
    staking: StakingLengths,
    root: Option<AccountId>,
) -> Value {
    let stakers: Vec<_> = authorities
        .iter()
        .map(|(account, ..)| {
            (account.clone(), account.clone(), GENESIS_BOND, StakerStatus::<AccountId>::Validator)
        })
        .collect();
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances: balances(&endowed_accounts()) },
        babe: pallet_babe::GenesisConfig { epoch_config: BABE_EPOCH },
        session: SessionConfig {
            keys: authorities
                .into_iter()
                .map(|(account, babe, grandpa)| {
                    (account.clone(), account, SessionKeys { babe, grandpa })
                })
                .collect::<Vec<_>>(),
        },
        staking: StakingConfig {
            stakers,
            validator_count: VALIDATORS,
            minimum_validator_count: 1,
            min_validator_bond: MIN_VALIDATOR_BOND,
            min_nominator_bond: MIN_NOMINATOR_BOND,
            max_validator_count: Some(MAX_CANDIDATES),
        },
        // Members are not limited: nothing walks over them, and each holds at least what joining takes.
        nomination_pools: NominationPoolsConfig {
            min_join_bond: MIN_JOIN_BOND,
            min_create_bond: MIN_CREATE_BOND,
            max_pools: Some(MAX_POOLS),
            max_members_per_pool: None,
            max_members: None,
            global_max_commission: Some(MAX_COMMISSION),
        },
        chain_parameters: crate::parameters::GenesisConfig { lengths, governance_day, staking },
        review: ReviewConfig { extractor: EXTRACTOR },
        sudo: SudoConfig { key: root },
    })
}

fn authority(account: Sr25519Keyring, finality: Ed25519Keyring) -> (AccountId, BabeId, GrandpaId) {
    (account.to_account_id(), account.public().into(), finality.public().into())
}

/// Genesis of the `development` network.
pub fn development() -> Value {
    genesis(
        vec![authority(Sr25519Keyring::Alice, Ed25519Keyring::Alice)],
        Lengths::DEVELOPMENT,
        WATCHED_DAY,
        StakingLengths::DEVELOPMENT,
        Some(Sr25519Keyring::Alice.to_account_id()),
    )
}

/// Genesis of the `local` network.
pub fn local() -> Value {
    genesis(
        vec![
            authority(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
            authority(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
        ],
        Lengths::default(),
        DAY,
        StakingLengths::default(),
        None,
    )
}

/// The JSON of a preset.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        sp_genesis_builder::DEV_RUNTIME_PRESET => development(),
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET => local(),
        _ => return None,
    };
    serde_json::to_vec(&patch).ok()
}

/// The names of all presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![
        PresetId::from(sp_genesis_builder::DEV_RUNTIME_PRESET),
        PresetId::from(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET),
    ]
}
