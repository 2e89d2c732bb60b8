//! Random calls: nobody makes or loses a planck, and every payment is one that an event tells of.

use crate::mock::*;
use openledger_primitives::{
    api::JobView,
    job::{
        dispute::{finding_commitment, Finding, Outcome},
        DeclineReason,
    },
    Balance, JobId, JobResult, JobState, Method, Serves, OPEN,
};
use pallet_training::{Adapters, Event, NextJob, Parents};
use std::collections::{BTreeMap, BTreeSet};

const OWNERS: [AccountId; 3] = [2, 3, 4];
const WORKERS: [AccountId; 5] = [10, 11, 12, 13, 14];

/// A random call, allowed or not. Whether it was.
fn random_call(random: &mut Random) -> bool {
    let owner = OWNERS[random.below(3) as usize];
    let who = WORKERS[random.below(5) as usize];
    let jobs = NextJob::<Test>::get();
    let some_job = |random: &mut Random| jobs.saturating_sub(1 + random.below(8));
    // Mostly the job that the worker has, now and then any other.
    let own = Training::worker(who).and_then(|worker| worker.job);
    let price = u128::from(random.below(12)) * OPEN / 1_000;
    let of: &[_] = match random.below(3) {
        0 => &[LORA],
        1 => &[QLORA],
        _ => &[QLORA, LORA],
    };
    let now = System::block_number();
    let serves = match random.below(4) {
        0 => models(&[]),
        1 => models(&[0]),
        _ => Serves::UpTo(BYTES),
    };
    let rate = 1 << random.below(12);
    let finding = [Finding::Holds, Finding::OtherBase][random.below(2) as usize];
    let answer = match random.below(28) {
        22 => Training::dispute(signed(owner + 1), some_job(random)),
        23 => Training::dispute(signed(who), some_job(random)),
        n @ 24..=27 => {
            // Mostly what the worker is drawn for.
            let duties = Training::duties(who);
            let id = duties.first().copied().unwrap_or_else(|| some_job(random));
            let salt = [1; 32];
            match n % 2 {
                0 => {
                    let hash = finding_commitment(id, &who, finding, &salt);
                    Training::commit_finding(signed(who), id, hash)
                }
                _ => Training::reveal_finding(signed(who), id, finding, salt),
            }
        }
        0 => Training::register_worker(signed(who), kinds(of), price, text(""), serves, rate),
        1 => Training::update_worker(signed(who), kinds(of), price, text(""), serves, rate),
        2 if random.below(8) == 0 => Training::pause(signed(who)),
        2 if random.below(8) == 0 => Training::deregister_worker(signed(who)),
        2 | 3 => Training::resume(signed(who)),
        4..=6 => Training::create_job(
            signed(owner),
            0,
            datasets(&[(0, 3), (4, 10)]),
            spec(if random.below(2) == 0 { Method::Lora } else { Method::Qlora }),
            1 + random.below(2_000),
            u128::from(random.below(12)) * OPEN / 1_000,
            now + random.below(200) as u32,
        ),
        16 => {
            // Mostly an adapter, now and then a job that has none.
            let mut adapters: Vec<JobId> = Adapters::<Test>::iter_keys().collect();
            adapters.sort_unstable();
            let n = random.below(adapters.len() as u64 + 2) as usize;
            let parent = adapters.get(n).copied().unwrap_or_else(|| some_job(random));
            Training::refine_adapter(
                signed(owner),
                parent,
                0,
                datasets(&[(0, 3), (4, 10)]),
                spec(if random.below(2) == 0 { Method::Lora } else { Method::Qlora }),
                1 + random.below(2_000),
                u128::from(random.below(12)) * OPEN / 1_000,
                now + random.below(200) as u32,
            )
        }
        17 => {
            let id = own.unwrap_or_else(|| some_job(random));
            let reasons = DeclineReason::ALL;
            let reason = reasons[random.below(reasons.len() as u64) as usize];
            Training::decline(signed(who), id, reason)
        }
        18 => {
            let more = u128::from(random.below(24)) * OPEN / 1_000;
            Training::raise_price(signed(owner), some_job(random), more)
        }
        19 => {
            let deadline = now + random.below(300) as u32;
            Training::extend_deadline(signed(owner), some_job(random), deadline)
        }
        20 => Training::prune_job(signed(who), some_job(random)),
        7 => Training::cancel_job(signed(owner), some_job(random)),
        8..=10 => {
            let id = own.unwrap_or_else(|| some_job(random));
            Training::take(signed(who), id)
        }
        11..=12 => {
            let id = own.unwrap_or_else(|| some_job(random));
            Training::heartbeat(signed(who), id, random.below(5) as u32, 4)
        }
        13..=14 => {
            let id = own.unwrap_or_else(|| some_job(random));
            let result = JobResult { tokens: random.next(), ..result() };
            Training::submit_result(signed(who), id, result)
        }
        _ => {
            (0..1 + random.below(6)).for_each(|_| next_block());
            Ok(())
        }
    };
    answer.is_ok()
}

/// What each account has by the events alone.
fn by_events(accounts: &BTreeSet<AccountId>) -> BTreeMap<AccountId, Balance> {
    let mut total: BTreeMap<AccountId, Balance> =
        accounts.iter().map(|account| (*account, RICH)).collect();
    let mut paid = BTreeSet::new();
    let (mut owners, mut cancelled) = (BTreeMap::new(), BTreeMap::new());
    let (mut disputes, mut fees) = (BTreeMap::new(), BTreeMap::<JobId, Balance>::new());
    for event in events() {
        match event {
            Event::JobCompleted { job, worker, price, refund } => {
                assert!(paid.insert(job), "job {job} is paid once");
                let record = get(job);
                assert_eq!(price + refund, record.budget);
                *total.get_mut(&record.owner).expect("an owner") -= price;
                *total.get_mut(&worker).expect("a worker") += price;
            }
            Event::JobCancelled { job, refund } => {
                // What is not given back was paid to the worker, as an event of its own says.
                cancelled.insert(job, refund);
            }
            Event::WorkPaid { job, worker, pay } => {
                let refund = cancelled.get(&job).expect("called off in this call");
                let owner = owners[&job];
                assert!(pay <= (refund + pay) / 2, "at most half");
                *total.get_mut(&owner).expect("an owner") -= pay;
                *total.get_mut(&worker).expect("a worker") += pay;
            }
            Event::JobDisputed { job, disputer, bond, .. } => {
                assert!(disputes.insert(job, (disputer, bond)).is_none(), "disputed once");
            }
            Event::VerifierPaid { job, worker, pay } => {
                *total.get_mut(&worker).expect("a worker") += pay;
                *fees.entry(job).or_insert(0) += pay;
            }
            Event::DisputeSettled { job, worker, outcome, penalty, returned } => {
                let (disputer, bond) = disputes[&job];
                let lost = match outcome {
                    Outcome::Upheld => {
                        assert_eq!(returned, bond);
                        *total.get_mut(&worker).expect("a worker") -= penalty;
                        penalty
                    }
                    Outcome::Rejected | Outcome::NoQuorum => {
                        assert_eq!(penalty, 0);
                        *total.get_mut(&disputer).expect("a disputer") -= bond - returned;
                        bond - returned
                    }
                };
                let fees = fees.get(&job).copied().unwrap_or(0);
                *total.get_mut(&TREASURY).expect("the treasury") += lost - fees;
            }
            Event::DepositForfeited { job, amount } => {
                *total.get_mut(&owners[&job]).expect("an owner") -= amount;
                *total.get_mut(&TREASURY).expect("the treasury") += amount;
            }
            Event::JobCreated { job, owner, .. } => {
                owners.insert(job, owner);
            }
            Event::JobTimedOut { worker, penalty, .. } => {
                *total.get_mut(&worker).expect("a worker") -= penalty;
                *total.get_mut(&TREASURY).expect("the treasury") += penalty;
            }
            _ => (),
        }
    }
    total
}

/// Every job on record.
fn all() -> Vec<(JobId, JobView<AccountId>)> {
    let end = NextJob::<Test>::get();
    (0..end).filter_map(|id| Training::job(id).map(|job| (id, job))).collect()
}

fn random_calls(seed: u64, calls: u32) {
    run(|| {
        Notice::set(6);
        let supply = Balances::total_issuance();
        let accounts: BTreeSet<AccountId> =
            OWNERS.into_iter().chain(WORKERS).chain([5, TREASURY]).collect();
        let mut random = Random(seed);
        let mut allowed = 0;
        for n in 0..calls {
            allowed += u32::from(random_call(&mut random));
            conserved(supply);
            if n % 8 == 0 {
                check(supply);
            }
        }
        check(supply);
        assert!(allowed > calls / 4, "enough calls do something, here {allowed} of {calls}");

        for (account, total) in by_events(&accounts) {
            use frame_support::traits::fungible::Inspect;
            assert_eq!(Balances::total_balance(&account), total, "account {account}");
        }
        let ended = |wanted: fn(&JobState<AccountId>) -> bool| {
            all().iter().filter(|(_, job)| wanted(&job.state)).count()
        };
        assert!(ended(|state| matches!(state, JobState::Completed { .. })) > 2);
        assert!(ended(|state| matches!(state, JobState::Failed(_))) > 2);
        assert!(ended(|state| matches!(state, JobState::Cancelled)) > 1);
        assert!(Parents::<Test>::iter().count() > 2, "adapters are trained further");

        // Left alone, every job ends and every budget that was not paid is given back.
        for who in WORKERS {
            let _ = Training::pause(signed(who));
        }
        for _ in 0..500 {
            next_block();
        }
        check(supply);
        for (id, job) in all() {
            assert!(job.state.is_over());
            // Anyone may clear away what came to nothing.
            let pruned = Training::prune_job(signed(TREASURY), id).is_ok();
            assert_eq!(pruned, !matches!(job.state, JobState::Completed { .. }));
        }
        check(supply);
        for owner in OWNERS {
            assert_eq!(budget_held(owner), 0);
            let adapters = all().iter().filter(|(_, job)| job.owner == owner).count() as u128;
            assert_eq!(deposit_held(owner), adapters * JOB_DEPOSIT);
        }
    });
}

#[test]
fn two_thousand_random_calls_conserve_every_planck() {
    random_calls(1, 2_000);
}

#[test]
fn other_random_sequences_conserve_it_too() {
    for seed in 2..5 {
        random_calls(seed, 1_200);
    }
}
