//! Thousands of random calls over all pallets: OPEN is conserved, no pallet's books break, nothing
//! panics.

use crate::{
    common::*,
    likely::{likely, Dice},
    random_governance::{decree, delegate_of, governance_call, governor, together, wrapped},
    random_reviews::committees,
    random_staking::stake_call,
    staking::{babe_report, set_keys},
};
use frame_support::traits::{CallMetadata, GetCallMetadata};
use openledger_primitives::{
    job::JobState, leaf::version_of, ContentId, JobKind, ModelFamily, Serves, OPEN,
};
use openledger_runtime::{
    AccountId, Datanets, Runtime, RuntimeCall, RuntimeOrigin, Session, System, Training, DAY,
};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::traits::Dispatchable;
use std::collections::BTreeMap;

/// How often each call was made, and how often it succeeded, by its pallet and name.
#[derive(Default)]
struct Counts(BTreeMap<(&'static str, &'static str), [u32; 2]>);

impl Counts {
    /// Makes a call, and says whether it succeeded.
    fn make(&mut self, origin: RuntimeOrigin, call: RuntimeCall) -> bool {
        let CallMetadata { pallet_name, function_name } = call.get_call_metadata();
        let succeeded = call.dispatch(origin).is_ok();
        let [made, done] = self.0.entry((pallet_name, function_name)).or_default();
        *made += 1;
        *done += u32::from(succeeded);
        succeeded
    }

    fn add(&mut self, other: Self) {
        for (call, counts) in other.0 {
            let sums = self.0.entry(call).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
}

/// Two blocks of one slot of Alice or Bob, if that one is a validator.
fn report(dice: &mut Dice) -> Option<RuntimeCall> {
    let who = [Sr25519Keyring::Alice, Sr25519Keyring::Bob][dice.roll(2) as usize];
    let account = who.to_account_id();
    let validates = Session::validators().contains(&account);
    // Who was slashed of everything and has left has nothing to lose a second time: the pallet does nothing then, and
    // says in debug builds that it should not have come to it.
    let era = pallet_staking::ActiveEra::<Runtime>::get().map_or(0, |era| era.index);
    let bonds = |who: &AccountId| pallet_staking::Ledger::<Runtime>::contains_key(who);
    let all_bond = bonds(&account)
        && pallet_staking::ErasStakersPaged::<Runtime>::iter_prefix_values((era, &account))
            .all(|page| page.others.iter().all(|other| bonds(&other.who)));
    (validates && all_bond).then(|| babe_report(who))
}

/// A base model, and five workers that serve it.
fn workers() {
    let alice = Sr25519Keyring::Alice.to_account_id();
    let files = pallet_training::types::ModelFiles {
        weights: ContentId::raw([1; 32]),
        weights_sha256: [1; 32],
        weights_size: 1,
        tokenizer: None,
        config: None,
    };
    dispatch(
        &alice,
        pallet_training::Call::register_base_model {
            family: ModelFamily::Llama,
            name: b"model".to_vec().try_into().expect("short"),
            files,
            licence: b"Apache-2.0".to_vec().try_into().expect("short"),
        },
    );
    for n in 5..10 {
        let (dest, value) = (id(&user(n)).into(), 1_000 * OPEN);
        dispatch(&alice, pallet_balances::Call::transfer_keep_alive { dest, value });
        let worker = pallet_training::Call::register_worker {
            kinds: JobKind::all().collect::<Vec<_>>().try_into().expect("all fit"),
            price_per_token: n.into(),
            endpoint: Default::default(),
            serves: Serves::Models(vec![0].try_into().expect("one fits")),
            tokens_per_second: 320,
        };
        dispatch(&id(&user(n)), worker);
    }
}

fn run(seed: u64, calls: u32) -> ([u32; 4], Counts) {
    let mut counts = Counts::default();
    let sums = genesis("development").execute_with(|| {
        let (mut dice, mut governance) = (Dice::seeded(seed), Dice::seeded(!seed));
        let mut stakes = Dice::seeded(seed.rotate_left(32));
        begin_block();
        text_datanet();
        for n in 5..10 {
            endow(&id(&user(n)));
        }
        let issuance = pallet_balances::TotalIssuance::<Runtime>::get();
        // On every fourth chain committees decide, drawn from everybody's seats.
        let by_committees = seed.is_multiple_of(4);
        if by_committees {
            // Of before there were committees, so that somebody asks one about it.
            dispatch(&id(&user(5)), pallet_datanets::Call::register {});
            dispatch(&id(&user(5)), submit(0, vec![item(b"of before")]));
            let mut reviewers: Vec<_> = (5..10).map(|n| id(&user(n))).collect();
            let others = [Sr25519Keyring::Bob, Sr25519Keyring::Charlie, Sr25519Keyring::Dave];
            reviewers.extend(others.map(|one| one.to_account_id()));
            committees(0, &reviewers);
        }
        for (who, finality) in [
            (Sr25519Keyring::Bob, Ed25519Keyring::Bob),
            (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
        ] {
            set_keys(who, finality);
        }
        // On every third chain there are workers enough to judge a result.
        if seed.is_multiple_of(3) {
            workers();
        }
        let (mut succeeded, mut governed, mut staked) = (0, 0, 0);
        // On every fifth chain nobody makes a block for a month: quotas are those of another day then.
        let mut month = seed.is_multiple_of(5).then_some(31 * u64::from(DAY));
        let mut slot = FIRST_SLOT + u64::from(System::block_number());
        for n in 0..calls {
            let (who, call) = likely(&mut dice, by_committees);
            if counts.make(RuntimeOrigin::signed(who), call) {
                succeeded += 1;
            }
            // By dice of its own, so that what the others come to does not hang on it.
            if governance.roll(10) == 0 {
                let (mut who, mut call) = match governance.roll(8) {
                    0..=3 => likely(&mut governance, by_committees),
                    4 => together(&mut governance),
                    _ => {
                        let call = governance_call(&mut governance);
                        (governor(&mut governance, &call), call)
                    }
                };
                if governance.roll(4) == 0 {
                    call = wrapped(&mut governance, call);
                    if let RuntimeCall::Proxy(pallet_proxy::Call::proxy { real, .. }) = &call {
                        who = delegate_of(real).unwrap_or(who);
                    }
                }
                governed += u32::from(counts.make(RuntimeOrigin::signed(who), call));
            }
            if governance.roll(30) == 0 {
                let (origin, call) = decree(&mut governance);
                counts.make(origin.into(), call);
            }
            if stakes.roll(6) == 0 {
                let (who, call) = stake_call(&mut stakes);
                staked += u32::from(counts.make(RuntimeOrigin::signed(who), call));
            }
            if stakes.roll(360) == 0 {
                if let Some(report) = report(&mut stakes) {
                    counts.make(RuntimeOrigin::none(), report);
                }
            }
            if dice.roll(6) == 0 {
                end_unchecked_block();
                // All of a state is looked at now and then, and always at the end.
                if dice.roll(8) == 0 {
                    check_state();
                }
                let pause = if n > calls / 2 { month.take() } else { None };
                slot += pause.unwrap_or(1);
                begin_block_in_slot(slot);
            }
        }
        end_block();
        assert_eq!(pallet_balances::TotalIssuance::<Runtime>::get(), issuance);
        assert_eq!(issuance, openledger_primitives::TOTAL_SUPPLY);
        for datanet in 0..3 {
            let leaves: Vec<_> = (0..10)
                .flat_map(|page| Datanets::leaves(datanet, 100 * page, 100))
                .map(|view| view.leaf.hash())
                .collect();
            let version = Datanets::datanet(datanet).map(|view| view.version).unwrap_or_default();
            assert_eq!(version_of(leaves), version, "who reads all leaves finds the same root");
        }
        let accepted: u64 = (0..3)
            .filter_map(|datanet| Datanets::datanet(datanet).map(|view| view.version.leaves))
            .sum();
        let completed = Training::jobs(0, 100)
            .iter()
            .filter(|(_, job)| matches!(job.state, JobState::Completed { .. }))
            .count();
        assert!(governed > 0, "no call of governance succeeded");
        assert!(staked > 0, "no call of staking succeeded");
        // Who made a pool is its first member; the others joined.
        let pooled = pallet_nomination_pools::PoolMembers::<Runtime>::count();
        let joined =
            pooled.saturating_sub(pallet_nomination_pools::BondedPools::<Runtime>::count());
        [succeeded, accepted as u32, completed as u32, joined]
    });
    (sums, counts)
}

/// Pallets of which no call is made here, and why.
const OTHERS: [(&str, &str); 8] = [
    ("System", "remarks do nothing; the rest replaces the rules"),
    ("Timestamp", "its inherent begins every block"),
    ("Sudo", "its key may do everything"),
    ("Scheduler", "root's alone; referenda are carried out by it"),
    ("Grandpa", "two votes of a round are reported as two blocks of a slot are"),
    ("Babe", "it is the node that reports, without a signature"),
    ("Session", "keys are set before the first call; without them nobody would make blocks"),
    ("DelegatedStaking", "it has no calls"),
];

/// Calls that are not made here, or that never succeed, and why.
const NEVER: [(&str, &str, &str); 49] = [
    (
        "Datanets",
        "expire",
        "a file waits for 201,600 blocks first; refused.rs of the pallet's tests",
    ),
    (
        "Leaderboard",
        "recover",
        "only pools of before funders had shares have something of nobody's",
    ),
    ("Balances", "burn", "filtered; issuance.rs"),
    ("Balances", "force_adjust_total_issuance", "root issues; issuance.rs"),
    ("Balances", "force_set_balance", "root issues; issuance.rs"),
    ("Balances", "force_unreserve", "nothing of ours is reserved without a reason"),
    ("Balances", "transfer_all", "as the other transfers"),
    ("Balances", "transfer_keep_alive", "as the other transfers"),
    ("Balances", "upgrade_accounts", "no account is of before holds"),
    ("ConvictionVoting", "remove_vote", "few votes stand for long; governance.rs"),
    ("BagsList", "put_in_front_of", "two of one bag out of order are rare"),
    ("BagsList", "put_in_front_of_other", "the same"),
    ("Multisig", "poke_deposit", "deposits never change here"),
    ("NominationPools", "adjust_pool_deposit", "the existential deposit never changes"),
    ("NominationPools", "apply_slash", "slashes are rare; nomination_pools.rs"),
    ("NominationPools", "claim_commission", "eras are few; nomination_pools.rs"),
    ("NominationPools", "create_with_pool_id", "only an id that was destroyed"),
    ("NominationPools", "migrate_delegation", "no member is of before delegations"),
    ("NominationPools", "migrate_pool_to_delegate_stake", "no pool is of before delegations"),
    ("NominationPools", "set_configs", "root's"),
    ("NominationPools", "withdraw_unbonded", "eras are few; nomination_pools.rs"),
    ("Preimage", "ensure_updated", "no preimage is of before holds"),
    ("Proxy", "kill_pure", "needs the extrinsic in which it was made"),
    ("Referenda", "nudge_referendum", "root's; the scheduler makes it"),
    ("Referenda", "one_fewer_deciding", "root's; the scheduler makes it"),
    ("Referenda", "refund_decision_deposit", "few are over; governance.rs"),
    ("Staking", "cancel_deferred_slash", "slashes are rare; slashes.rs"),
    ("Staking", "deprecate_controller_batch", "no stash has a controller of its own"),
    ("Staking", "force_apply_min_commission", "there is no least commission"),
    ("Staking", "force_new_era", "root's"),
    ("Staking", "force_new_era_always", "root's"),
    ("Staking", "force_no_eras", "root's"),
    ("Staking", "force_unstake", "root's"),
    ("Staking", "increase_validator_count", "root's"),
    ("Staking", "manual_slash", "root's"),
    ("Staking", "migrate_currency", "no stake is of before holds"),
    ("Staking", "restore_ledger", "root's, for ledgers that are damaged"),
    ("Staking", "scale_validator_count", "root's"),
    ("Staking", "set_controller", "no stash has a controller of its own"),
    ("Staking", "set_invulnerables", "root's"),
    ("Staking", "set_min_commission", "root's"),
    ("Staking", "set_staking_configs", "root's"),
    ("Staking", "set_validator_count", "root's"),
    ("Staking", "update_payee", "no payee is a controller"),
    ("Treasury", "remove_approval", "nothing is ever approved that way"),
    ("Treasury", "spend_local", "the same"),
    ("Utility", "dispatch_as", "root's"),
    ("Utility", "dispatch_as_fallible", "root's"),
    ("Utility", "with_weight", "root's"),
];

/// What chance never brings about is not tested by it.
fn check_coverage(counts: &Counts) {
    let missing: Vec<_> = RuntimeCall::get_module_names()
        .iter()
        .filter(|pallet| !OTHERS.iter().any(|(other, _)| other == *pallet))
        .flat_map(|pallet| {
            RuntimeCall::get_call_names(pallet).iter().map(move |call| (*pallet, *call))
        })
        .filter(|(pallet, call)| !NEVER.iter().any(|it| (it.0, it.1) == (*pallet, *call)))
        .filter_map(|call| {
            let [made, done] = counts.0.get(&call).copied().unwrap_or_default();
            (done == 0).then(|| format!("{}.{} ({made} times made)", call.0, call.1))
        })
        .collect();
    assert!(missing.is_empty(), "no call succeeded of: {}", missing.join(", "));
    for (pallet, call, _) in NEVER {
        let names = RuntimeCall::get_call_names(pallet);
        assert!(names.contains(&call), "there is no call {pallet}.{call}");
    }
}

/// Calls in all; `OPENLEDGER_RANDOM_CALLS` asks for more.
const CALLS: u32 = 50_000;
/// Calls on one chain: what is checked grows with what was done.
const CALLS_A_CHAIN: u32 = 1_000;

#[test]
fn random_calls_conserve_open_and_keep_every_pallets_books() {
    let calls = match std::env::var("OPENLEDGER_RANDOM_CALLS") {
        Ok(number) => number.parse().expect("OPENLEDGER_RANDOM_CALLS is a number"),
        Err(_) => CALLS,
    };
    let chains = calls / CALLS_A_CHAIN;
    let next = std::sync::atomic::AtomicU32::new(1);
    let sums = std::sync::Mutex::new(([0; 4], Counts::default()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| loop {
                let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if seed > chains {
                    return;
                }
                let (more, counts) = run(seed.into(), CALLS_A_CHAIN);
                let mut sums = sums.lock().expect("no thread failed");
                sums.0.iter_mut().zip(more).for_each(|(sum, count)| *sum += count);
                sums.1.add(counts);
            });
        }
    });
    let ([succeeded, accepted, completed, joined], counts) =
        sums.into_inner().expect("no thread failed");
    if std::env::var_os("OPENLEDGER_RANDOM_COUNTS").is_some() {
        for ((pallet, call), [made, done]) in &counts.0 {
            eprintln!("{pallet}.{call} {made} {done}");
        }
    }
    // The test would prove nothing if chance never got anywhere.
    assert!(succeeded > calls / 12, "{succeeded} of {calls} calls succeeded");
    assert!(accepted > calls / 600, "{accepted} files were accepted");
    assert!(completed > 0, "{completed} jobs were completed");
    assert!(joined > calls / 10_000, "{joined} accounts were in others' nomination pools");
    if calls >= CALLS {
        check_coverage(&counts);
    }
}
