//! Thousands of random calls over all pallets: OPEN is conserved, no pallet's books break, nothing
//! panics.

use crate::{
    common::*,
    likely::{likely, somebody, Dice},
    random_governance::{delegate_of, governance_call, together, wrapped},
    random_reviews::committees,
    random_staking::stake,
    staking::set_keys,
};
use openledger_primitives::{job::JobState, leaf::version_of};
use openledger_runtime::{Datanets, Runtime, RuntimeCall, RuntimeOrigin, Training};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::traits::Dispatchable;

fn run(seed: u64, calls: u32) -> [u32; 4] {
    genesis("development").execute_with(|| {
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
        let (mut succeeded, mut governed, mut staked) = (0, 0, 0);
        for _ in 0..calls {
            let (who, call) = likely(&mut dice, by_committees);
            if call.dispatch(RuntimeOrigin::signed(who)).is_ok() {
                succeeded += 1;
            }
            // By dice of its own, so that what the others come to does not hang on it.
            if governance.roll(10) == 0 {
                let (mut who, mut call) = match governance.roll(8) {
                    0..=3 => likely(&mut governance, by_committees),
                    4 => together(&mut governance),
                    _ => (somebody(&mut governance), governance_call(&mut governance)),
                };
                if governance.roll(4) == 0 {
                    call = wrapped(&mut governance, call);
                    if let RuntimeCall::Proxy(pallet_proxy::Call::proxy { real, .. }) = &call {
                        who = delegate_of(real).unwrap_or(who);
                    }
                }
                governed += u32::from(call.dispatch(RuntimeOrigin::signed(who)).is_ok());
            }
            if stakes.roll(6) == 0 {
                staked += u32::from(stake(&mut stakes));
            }
            if dice.roll(6) == 0 {
                end_unchecked_block();
                // All of a state is looked at now and then, and always at the end.
                if dice.roll(8) == 0 {
                    check_state();
                }
                begin_block();
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
    })
}

/// Calls in all; `OPENLEDGER_RANDOM_CALLS` asks for more.
const CALLS: u32 = 50_000;
/// Calls on one chain: what is checked grows with what was done.
const CALLS_A_CHAIN: u32 = 500;

#[test]
fn random_calls_conserve_open_and_keep_every_pallets_books() {
    let calls = match std::env::var("OPENLEDGER_RANDOM_CALLS") {
        Ok(number) => number.parse().expect("OPENLEDGER_RANDOM_CALLS is a number"),
        Err(_) => CALLS,
    };
    let chains = calls / CALLS_A_CHAIN;
    let next = std::sync::atomic::AtomicU32::new(1);
    let sums = std::sync::Mutex::new([0; 4]);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| loop {
                let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if seed > chains {
                    return;
                }
                let counts = run(seed.into(), CALLS_A_CHAIN);
                let mut sums = sums.lock().expect("no thread failed");
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            });
        }
    });
    let [succeeded, accepted, completed, joined] = *sums.lock().expect("no thread failed");
    // The test would prove nothing if chance never got anywhere.
    assert!(succeeded > calls / 12, "{succeeded} of {calls} calls succeeded");
    assert!(accepted > calls / 600, "{accepted} files were accepted");
    assert!(completed > 0, "{completed} jobs were completed");
    assert!(joined > calls / 10_000, "{joined} accounts were in others' nomination pools");
}
