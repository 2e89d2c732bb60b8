//! Attacks on the market, replayed through the pallet's public door: none of them pays.

use crate::{corruption::noticed_in, mock::*};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use openledger_primitives::{
    job::{DeclineReason, JobFailure, Refused, MAX_REFUSED, QUORUM},
    JobId, JobState, Method, Serves, OPEN,
};
use pallet_training::{
    AgendaOf, Contradicted, Error, Event, Jobs, OfferKey, SearchOf, Searches, SequenceKey, Waiting,
    FIRST_REST, JOBS_TRIED, LONGEST_REST, SEARCHES,
};

/// Somebody who means harm.
const MALLORY: AccountId = 3;

fn job_by(owner: AccountId, price: u128) -> JobId {
    job_of(owner, Method::Lora, 1_000, 1_000 * price, System::block_number() + 500)
}

fn decline(who: AccountId, id: JobId, reason: DeclineReason) {
    assert_ok!(Training::decline(signed(who), id, reason));
}

fn paused(who: AccountId) -> bool {
    Training::worker(who).expect("registered").paused
}

/// (a) A deadline five blocks away cost every worker that took the job, though it was heard of.
#[test]
fn a_deadline_that_cannot_be_kept_is_refused_and_costs_no_worker() {
    run(|| {
        worker(WANDA, 7);
        for blocks in [1, 5, TAKE + HEARTBEAT] {
            assert_noop!(
                Training::create_job(
                    signed(MALLORY),
                    0,
                    datasets(&[(0, 3)]),
                    spec(Method::Lora),
                    1_000,
                    10,
                    System::block_number() + blocks
                ),
                Error::<Test>::DeadlineTooSoon
            );
        }
        // The shortest that there is goes to nobody who named a longer time: 1,000 tokens take Wanda
        // two blocks.
        let id = job_until(1_000, 10_000, System::block_number() + TAKE + HEARTBEAT + 1);
        assert!(is_queued(id));
        pass(20);
        assert_eq!(bond_held(WANDA), BOND);
    });
}

/// (a) And whoever is given a job has, from the last moment to take it, the time that it named.
#[test]
fn a_worker_has_the_time_that_it_named_from_the_moment_it_takes_a_job() {
    run(|| {
        worker_that(WANDA, 7, &[LORA], Serves::UpTo(BYTES), 64);
        let now = System::block_number();
        // 6,400 tokens at 64 a second: 100 blocks.
        let id = job_until(6_400, 64_000, now + TAKE + HEARTBEAT + 100);
        assert_eq!(worker_of(id), Some(WANDA));
        pass(TAKE);
        assert_ok!(Training::take(signed(WANDA), id));
        for step in 1..=10 {
            pass(HEARTBEAT);
            assert_ok!(Training::heartbeat(signed(WANDA), id, step, 10));
        }
        pass(HEARTBEAT);
        assert_eq!(System::block_number(), get(id).deadline);
        assert_ok!(Training::submit_result(signed(WANDA), id, result()));
        assert_eq!(bond_held(WANDA), BOND);
    });
}

/// (b) A job whose files nobody serves took the bonds of five workers in turn.
#[test]
fn a_job_that_cannot_be_done_costs_its_owner_and_no_worker() {
    run(|| {
        let workers = [WANDA, WALTER, WILMA];
        workers.iter().for_each(|who| worker(*who, 7));
        let id = job_by(MALLORY, 10);
        for who in workers {
            assert_eq!(worker_of(id), Some(who));
            decline(who, id, DeclineReason::FilesUnavailable);
            assert_eq!((bond_held(who), paused(who)), (BOND, false));
        }
        assert_eq!(workers.len(), QUORUM);
        assert_eq!(state(id), JobState::Failed(JobFailure::Unusable));
        assert_eq!((get(id).attempts, get(id).deposit), (0, 0));
        assert_eq!((free(MALLORY), budget_held(MALLORY)), (RICH - JOB_DEPOSIT, 0));
        assert_eq!(free(TREASURY), RICH + JOB_DEPOSIT);
        System::assert_has_event(Event::DepositForfeited { job: id, amount: JOB_DEPOSIT }.into());
        assert_ok!(Training::prune_job(signed(MALLORY), id));
        assert_eq!(free(MALLORY), RICH - JOB_DEPOSIT);
    });
}

/// (b) One worker that came back after each time-out lost its bond five times to one job.
#[test]
fn a_job_is_not_offered_again_to_who_declined_or_lost_it() {
    run(|| {
        worker(WANDA, 7);
        let lost = job(1_000, 10_000);
        pass(TAKE + 1);
        let declined = job(1_000, 20_000);
        for _ in 0..5 {
            assert_ok!(Training::resume(signed(WANDA)));
            if worker_of(declined) == Some(WANDA) {
                decline(WANDA, declined, DeclineReason::Memory);
            }
            pass(TAKE + 1);
            assert!(is_queued(lost) && is_queued(declined));
            assert_ok!(Training::pause(signed(WANDA)));
        }
        assert_eq!(bond_held(WANDA), BOND);
        assert_eq!((get(lost).attempts, get(declined).attempts), (1, 0));
        let refused =
            |id| get(id).refused.iter().map(|by| (by.worker, by.reason)).collect::<Vec<_>>();
        assert_eq!(refused(lost), [(WANDA, None)]);
        assert_eq!(refused(declined), [(WANDA, Some(DeclineReason::Memory))]);
    });
}

#[test]
fn workers_that_disagree_cost_an_honest_owner_nothing() {
    run(|| {
        use DeclineReason::{BaseUnavailable, Disk, FilesUnavailable, Memory};
        let reasons =
            [BaseUnavailable, BaseUnavailable, FilesUnavailable, Memory, Memory, Memory, Disk];
        (0..).zip(reasons).for_each(|(n, _)| worker(20 + n, 7));
        let id = job(1_000, 10_000);
        for (n, reason) in (0..).zip(reasons) {
            assert_eq!(worker_of(id), Some(20 + n));
            decline(20 + n, id, reason);
        }
        assert!(is_queued(id));
        worker(WANDA, 7);
        train(WANDA, id);
        pass(Window::get());
        assert!(Training::adapter(id).is_some());
        assert_eq!((deposit_held(OWNER), free(TREASURY)), (JOB_DEPOSIT, RICH));
    });
}

#[test]
fn a_job_that_too_many_decline_ends_and_keeps_its_deposit() {
    run(|| {
        let workers: Vec<AccountId> = (20..20 + u64::from(MAX_REFUSED)).collect();
        workers.iter().for_each(|who| worker(*who, 7));
        let id = job(1_000, 10_000);
        workers.iter().for_each(|who| decline(*who, id, DeclineReason::Memory));
        assert_eq!(state(id), JobState::Failed(JobFailure::Declined));
        assert_eq!((free(OWNER), deposit_held(OWNER)), (RICH, JOB_DEPOSIT));
    });
}

#[test]
fn who_declines_again_and_again_rests_longer_each_time_until_it_takes_a_job() {
    run(|| {
        worker(WANDA, 7);
        let mut rests = Vec::new();
        for n in 0..10 {
            let id = job(1_000, 10_000);
            assert_eq!(worker_of(id), Some(WANDA));
            decline(WANDA, id, DeclineReason::Other);
            assert_eq!(Training::worker(WANDA).expect("registered").declines, n + 1);
            if paused(WANDA) {
                let until = Training::worker(WANDA).expect("registered").rests_until;
                rests.push(until - System::block_number());
                assert_noop!(Training::resume(signed(WANDA)), Error::<Test>::StillResting);
                System::set_block_number(until - 1);
                assert_noop!(Training::resume(signed(WANDA)), Error::<Test>::StillResting);
                System::set_block_number(until);
                assert_ok!(Training::resume(signed(WANDA)));
            }
        }
        assert_eq!(rests[..3], [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]);
        assert!(rests.iter().all(|rest| *rest <= LONGEST_REST));
        assert_eq!(rests.last(), Some(&LONGEST_REST));
        let id = job(1_000, 10_000);
        assert_ok!(Training::take(signed(WANDA), id));
        assert_noop!(
            Training::decline(signed(WANDA), id, DeclineReason::Other),
            Error::<Test>::WrongState
        );
        // An owner that calls its own job off does not end the row; a result does.
        assert_ok!(Training::cancel_job(signed(OWNER), id));
        assert!(Training::worker(WANDA).expect("registered").declines > 0);
        train(WANDA, job(1_000, 10_000));
        assert_eq!(Training::worker(WANDA).expect("registered").declines, 0);
    });
}

/// Junk, declined by three, sent honest workers to rest for an hour.
#[test]
fn owners_of_junk_send_no_honest_worker_to_rest() {
    run(|| {
        let workers = [WANDA, WALTER, WILMA];
        workers.iter().for_each(|who| worker(*who, 7));
        for _ in 0..8 {
            let id = job_by(MALLORY, 20);
            for who in workers {
                assert_eq!(worker_of(id), Some(who));
                decline(who, id, DeclineReason::BaseUnavailable);
            }
            assert_eq!(state(id), JobState::Failed(JobFailure::Unusable));
            assert!(workers.iter().all(|who| !paused(*who)));
        }
        assert_eq!(free(TREASURY), RICH + 8 * JOB_DEPOSIT);
        // Nor where too few are there to agree.
        assert_ok!(Training::pause(signed(WILMA)));
        for _ in 0..4 {
            let id = job_by(MALLORY, 20);
            decline(WANDA, id, DeclineReason::BaseUnavailable);
            decline(WALTER, id, DeclineReason::BaseUnavailable);
            assert!(is_queued(id));
        }
        assert!(!paused(WANDA) && !paused(WALTER));
        assert_eq!(Training::worker(WANDA).expect("registered").declines, 0);
    });
}

/// A job of one token that outbid all others was called off as soon as a worker had declined it, again and
/// again: that sent the worker to rest, and cost fees alone.
#[test]
fn junk_that_is_called_off_costs_its_owner_a_third_of_the_deposit_for_each_worker() {
    run(|| {
        let workers = [WANDA, WALTER, WILMA];
        workers.iter().for_each(|who| worker(*who, 7));
        for round in 0..8 {
            let id = job_of(MALLORY, Method::Lora, 1, 10_000, System::block_number() + 500);
            let blamed = round % 3;
            for who in &workers[..blamed] {
                let who = worker_of(id).unwrap_or(*who);
                decline(who, id, DeclineReason::FilesUnavailable);
            }
            let before = free(TREASURY);
            assert_ok!(Training::cancel_job(signed(MALLORY), id));
            assert_eq!(free(TREASURY) - before, JOB_DEPOSIT * blamed as u128 / 3);
            assert_ok!(Training::prune_job(signed(MALLORY), id));
            assert!(workers.iter().all(|who| !paused(*who)));
        }
        assert_eq!(free(MALLORY) + free(TREASURY), 2 * RICH);
        assert_eq!((budget_held(MALLORY), deposit_held(MALLORY)), (0, 0));
        let honest = job(1_000, 10_000);
        assert!(worker_of(honest).is_some(), "nobody rests");
    });
}

/// What waits until its time is over costs the same.
#[test]
fn junk_that_is_left_lying_costs_its_owner_as_much() {
    run(|| {
        worker(WANDA, 7);
        let id = job_until(1_000, 10_000, System::block_number() + 40);
        decline(WANDA, id, DeclineReason::Untrainable);
        pass(60);
        assert_eq!(state(id), JobState::Failed(JobFailure::Deadline));
        assert_eq!(
            (free(TREASURY), get(id).deposit),
            (RICH + JOB_DEPOSIT / 3, JOB_DEPOSIT - JOB_DEPOSIT / 3)
        );
        // Memory is the worker's own, and what it says of that costs no owner anything.
        worker(WALTER, 7);
        let other = job_by(MALLORY, 10);
        let who = worker_of(other).expect("somebody is idle");
        decline(who, other, DeclineReason::Memory);
        assert_ok!(Training::cancel_job(signed(MALLORY), other));
        assert_eq!(get(other).deposit, JOB_DEPOSIT);
    });
}

/// Three workers with floor 0 agreed that each job was unusable: it failed within three blocks, its owner
/// lost the deposit, and none of them ever rested.
#[test]
fn three_that_blame_every_owner_kill_no_job_while_as_many_others_are_there() {
    run(|| {
        let (sybils, honest) = ([40, 41, 42], [WANDA, WALTER, WILMA]);
        sybils.iter().for_each(|who| worker(*who, 0));
        honest.iter().for_each(|who| worker(*who, 7));
        let mut rested = 0;
        for _ in 0..6 {
            let id = job(1_000, 10_000);
            while let Some(who) = worker_of(id).filter(|who| sybils.contains(who)) {
                decline(who, id, DeclineReason::Unusable);
            }
            let who = worker_of(id).expect("it goes on to those who train");
            assert!(honest.contains(&who));
            train(who, id);
            rested = sybils.iter().filter(|who| paused(**who)).count();
        }
        assert_eq!(rested, 3, "another worker's result shows who was wrong");
        let until = Training::worker(40).expect("registered").rests_until;
        assert!(until >= System::block_number() + FIRST_REST);
        pass(Window::get());
        assert_eq!((free(TREASURY), deposit_held(OWNER)), (RICH, 6 * JOB_DEPOSIT));
        assert!(honest.iter().all(|who| Training::worker(*who).is_some_and(|of| of.declines == 0)));
    });
}

/// An owner whose own worker alone had the files let it train what others had rightly declined: they were
/// contradicted, and sent to rest for up to an hour while it took their jobs.
#[test]
fn an_owner_with_a_worker_of_its_own_sends_no_honest_worker_to_rest() {
    run(|| {
        let own = 40;
        worker(WANDA, 1);
        worker(own, 7);
        let declines = || Training::worker(WANDA).expect("registered").declines;
        for owner in [MALLORY, own, MALLORY, OWNER, MALLORY, MALLORY] {
            let id = job_by(owner, 20);
            assert_eq!(worker_of(id), Some(WANDA));
            decline(WANDA, id, DeclineReason::FilesUnavailable);
            train(own, id);
            assert!(!paused(WANDA) && declines() <= 1);
        }
        assert_eq!(declines(), 1, "one worker counts once, and an owner of its own job never");
        // Each further step takes another one, with a bond and a day's wait.
        Notice::set(10);
        go_to(System::block_number() + 30);
        worker(41, 6);
        let id = job_by(MALLORY, 20);
        decline(WANDA, id, DeclineReason::FilesUnavailable);
        train(41, id);
        assert_eq!(declines(), 1, "a newcomer counts for nothing");
        pass(11);
        let id = job_by(MALLORY, 20);
        decline(WANDA, id, DeclineReason::FilesUnavailable);
        train(41, id);
        assert_eq!(declines(), 2);
        // A result of its own ends the row, whoever contradicted it.
        train(WANDA, job(1_000, 10_000));
        assert_eq!((declines(), Contradicted::<Test>::get(WANDA).len()), (0, 0));
    });
}

/// Jobs that paid more, and that a worker had declined, were all that a search for it looked at: 33 of them
/// hid every other from it.
#[test]
fn jobs_that_a_worker_declined_hide_no_other_however_many_they_are() {
    run(|| {
        worker(WANDA, 7);
        let junk = 5 * JOBS_TRIED;
        for _ in 0..junk {
            let id = job_by(MALLORY, 20);
            assert_eq!(worker_of(id), Some(WANDA));
            decline(WANDA, id, DeclineReason::FilesUnavailable);
            assert!(is_queued(id));
        }
        let busy = job(1_000, 30_000);
        assert_eq!(worker_of(busy), Some(WANDA), "what comes meanwhile finds it at once");
        let (best, second) = (job(1_000, 12_000), job(1_000, 9_000));
        train(WANDA, busy);
        assert!(SearchOf::<Test>::contains_key(WANDA) && is_queued(best));
        pass(junk / JOBS_TRIED);
        assert_eq!((worker_of(best), worker_of(second)), (Some(WANDA), None));
        assert_eq!(Searches::<Test>::iter().count(), 0);
        // Another worker, to whom they are new, is offered them, and what it declines hides nothing either.
        train(WANDA, best);
        pass(junk / JOBS_TRIED);
        assert_eq!(worker_of(second), Some(WANDA));
        train(WANDA, second);
        // With nothing left for it a search comes to its end and is gone.
        assert!(SearchOf::<Test>::contains_key(WANDA));
        pass(junk / JOBS_TRIED + 1);
        assert_eq!(Searches::<Test>::iter().count(), 0);
    });
}

/// Many workers search at once: each has its turn.
#[test]
fn searches_take_turns_and_end_with_their_workers() {
    run(|| {
        let crowd: Vec<AccountId> = (40..43 + 2 * AccountId::from(SEARCHES)).collect();
        for who in &crowd {
            worker(*who, 7);
            assert_ok!(Training::pause(signed(*who)));
        }
        let declined: Vec<JobId> = (0..2 * JOBS_TRIED).map(|_| job_by(MALLORY, 20)).collect();
        // As if each had declined all of them.
        for id in &declined {
            Jobs::<Test>::mutate(id, |job| {
                let job = job.as_mut().expect("on record");
                job.refused = crowd
                    .iter()
                    .map(|who| Refused { worker: *who, reason: Some(DeclineReason::Memory) })
                    .collect::<Vec<_>>()
                    .try_into()
                    .expect("as many as may");
            });
        }
        for who in &crowd {
            assert_ok!(Training::resume(signed(*who)));
        }
        assert_eq!(Searches::<Test>::iter().count(), crowd.len());
        // One goes, one is paused, one is given a job that comes in.
        assert_ok!(Training::deregister_worker(signed(crowd[0])));
        assert_ok!(Training::pause(signed(crowd[1])));
        let id = job(1_000, 30_000);
        assert_eq!(worker_of(id), Some(crowd[2]));
        assert_eq!(Searches::<Test>::iter().count(), crowd.len() - 3);
        pass(1);
        assert_eq!(Searches::<Test>::iter().count(), crowd.len() - 3 - SEARCHES as usize);
        pass(1);
        assert_eq!(Searches::<Test>::iter().count(), 0);
    });
}

#[test]
fn searches_and_contradictions_that_do_not_add_up_are_noticed() {
    let healthy = || worker(WANDA, 7);
    let (place, key) = (SequenceKey::from(0), OfferKey::new(1, 1));
    noticed_in(healthy, "a search stands elsewhere", || {
        Searches::<Test>::insert(place, (WANDA, key));
    });
    noticed_in(healthy, "a search is of nobody idle", || {
        Searches::<Test>::insert(place, (WALTER, key));
        SearchOf::<Test>::insert(WALTER, place);
    });
    noticed_in(healthy, "a worker searches nowhere", || SearchOf::<Test>::insert(WANDA, place));
    let by = |all: &[AccountId]| BoundedVec::try_from(all.to_vec()).expect("few");
    noticed_in(healthy, "who was contradicted is no worker", || {
        Contradicted::<Test>::insert(WALTER, by(&[WANDA]));
    });
    let wrong: [&[AccountId]; 3] = [&[], &[WANDA], &[WALTER, WALTER]];
    for wrong in wrong {
        noticed_in(
            healthy,
            "a worker was contradicted by nobody, by itself or twice by one",
            || Contradicted::<Test>::insert(WANDA, by(wrong)),
        );
    }
    noticed_in(healthy, "more contradicted a worker than it has declines in a row", || {
        Contradicted::<Test>::insert(WANDA, by(&[WALTER]));
    });
}

/// Nor do as many of them as somebody registers when a job is there.
#[test]
fn newcomers_blame_nobody() {
    run(|| {
        Notice::set(10);
        go_to(30);
        (40..52).for_each(|who| worker(who, 0));
        let id = job(1_000, 10_000);
        for _ in 0..3 {
            let who = worker_of(id).expect("idle");
            decline(who, id, DeclineReason::Unusable);
        }
        assert!(worker_of(id).is_some(), "three newcomers end no job");
        assert_ok!(Training::cancel_job(signed(OWNER), id));
        assert_eq!((free(OWNER), deposit_held(OWNER)), (RICH, JOB_DEPOSIT));
    });
}

#[test]
fn who_rests_cannot_register_anew_to_go_on_declining() {
    run(|| {
        worker(WANDA, 7);
        for _ in 0..2 {
            let id = job(1_000, 10 * OPEN);
            assert_eq!(worker_of(id), Some(WANDA));
            assert_ok!(Training::decline(signed(WANDA), id, DeclineReason::Other));
        }
        let until = Training::worker(WANDA).expect("registered").rests_until;
        assert!(until > 0);
        assert_noop!(Training::deregister_worker(signed(WANDA)), Error::<Test>::StillResting);
        go_to(until);
        assert_ok!(Training::deregister_worker(signed(WANDA)));
    });
}

#[test]
fn only_the_assigned_worker_declines_and_only_in_time() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        let no = |who| Training::decline(signed(who), id, DeclineReason::Other);
        assert_noop!(no(WALTER), Error::<Test>::NotTheWorker);
        System::set_block_number(System::block_number() + TAKE + 1);
        assert_noop!(no(WANDA), Error::<Test>::TooLate);
    });
}

/// (c) A worker that saw a job in the pool raised its price to the whole budget in the same block,
/// and was paid that, while a cheaper one was idle.
#[test]
fn a_floor_raised_for_a_job_in_sight_gains_nothing() {
    run(|| {
        worker(MALLORY, 1);
        worker(WANDA, 1);
        assert_ok!(update(MALLORY, &[LORA], 9));
        System::assert_has_event(
            Event::PriceRaiseWaits {
                worker: MALLORY,
                price_per_token: 9,
                from: System::block_number() + RAISE,
            }
            .into(),
        );
        // The job pays what it offers, whoever takes it, and the higher floor does not count yet.
        let id = job(1_000, 5_000);
        let assignment = *get(id).assignment().expect("assigned");
        assert_eq!((assignment.worker, assignment.price), (MALLORY, 5_000));
        assert_ok!(Training::cancel_job(signed(OWNER), id));

        // Saying it again before its time changes nothing; once it has come, it counts and costs the
        // place.
        pass(RAISE - 1);
        assert_ok!(update(MALLORY, &[LORA], 9));
        assert_eq!(Training::worker(MALLORY).expect("registered").price_per_token, 1);
        pass(1);
        assert_ok!(update(MALLORY, &[LORA], 9));
        assert_eq!(Training::worker(MALLORY).expect("registered").price_per_token, 9);
        assert_ok!(update(MALLORY, &[LORA], 1));
        assert_eq!(worker_of(job(1_000, 5_000)), Some(WANDA));
    });
}

/// (d) 400 jobs that nobody could afford held up an honest one for 51 blocks beside an idle worker.
#[test]
fn jobs_that_no_worker_fits_hold_up_nobody() {
    run(|| {
        base_model(openledger_primitives::ModelFamily::Llama);
        worker_that(WANDA, 10, &[LORA], models(&[0]), RATE);
        for n in 0..200 {
            // Too cheap; of another base model; in too short a time.
            job_by(MALLORY, 2 + n % 8);
            let (of, now) = (datasets(&[(0, 3), (4, 10)]), System::block_number());
            let call = |base, deadline| {
                let of = of.clone();
                Training::create_job(
                    signed(MALLORY),
                    base,
                    of,
                    spec(Method::Lora),
                    1_000,
                    99,
                    deadline,
                )
            };
            assert_ok!(call(1, now + 500));
            assert_ok!(call(0, now + TAKE + HEARTBEAT + 1));
        }
        let honest = job(1_000, 10_000);
        assert_eq!(worker_of(honest), Some(WANDA), "in the very block");
        train(WANDA, honest);
        // And one that waits is found by a worker that comes.
        let second = job(1_000, 11_000);
        assert_eq!(worker_of(second), Some(WANDA));
        let third = job(1_000, 11_000);
        worker_that(WALTER, 11, &[LORA], models(&[0]), RATE);
        assert_eq!(worker_of(third), Some(WALTER));
    });
}

/// (d) Workers that do not fit, however cheap, hide none that does.
#[test]
fn workers_that_do_not_fit_hide_none_that_does() {
    run(|| {
        base_model(openledger_primitives::ModelFamily::Llama);
        for n in 0..12 {
            worker_that(20 + n, 1, &[LORA], models(&[1]), RATE);
            worker_that(32 + n, 1, &[LORA], Serves::UpTo(1), RATE);
            worker_that(44 + n, 1, &[LORA], Serves::UpTo(BYTES), 1);
        }
        worker(WANDA, 9);
        // In time only for workers of 32 tokens a second and more.
        let id = job_until(1_000, 10_000, System::block_number() + TAKE + HEARTBEAT + 40);
        assert_eq!(worker_of(id), Some(WANDA));
    });
}

/// (e) A worker sat on a job until its deadline by heartbeats alone.
#[test]
fn heartbeats_without_steps_do_not_keep_a_job() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10 * OPEN);
        let taken = System::block_number();
        assert_ok!(Training::take(signed(WANDA), id));
        assert_ok!(Training::heartbeat(signed(WANDA), id, 0, 100));
        while worker_of(id) == Some(WANDA) {
            let _ = Training::heartbeat(signed(WANDA), id, 0, 100);
            next_block();
        }
        // The window, and twice the two blocks that a step of all 1,000 tokens takes at her rate.
        assert_eq!(System::block_number(), taken + PROGRESS + 4 + 1);
        assert_eq!(bond_held(WANDA), BOND - 5 * OPEN, "half the price");
        assert!(is_queued(id));
    });
}

/// (e) Nor do steps that are told and never end: twice the time that the worker named itself.
#[test]
fn a_worker_that_does_not_end_in_twice_the_time_it_named_loses_the_job() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10 * OPEN);
        let taken = System::block_number();
        assert_ok!(Training::take(signed(WANDA), id));
        let mut step = 0;
        while worker_of(id) == Some(WANDA) {
            step += 1;
            assert_ok!(Training::heartbeat(signed(WANDA), id, step, 1_000_000));
            next_block();
        }
        assert_eq!(System::block_number(), taken + HEARTBEAT + PROGRESS + 4 + 1);
        assert_eq!(bond_held(WANDA), BOND - 5 * OPEN);
        assert!(System::block_number() < get(id).deadline);
    });
}

#[test]
fn progress_is_told_once_and_never_taken_back() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        assert_ok!(Training::take(signed(WANDA), id));
        assert_ok!(Training::heartbeat(signed(WANDA), id, 0, 0));
        assert_ok!(Training::heartbeat(signed(WANDA), id, 3, 30));
        assert_noop!(Training::heartbeat(signed(WANDA), id, 4, 4), Error::<Test>::OtherTotal);
        // A worker that came back from a checkpoint is behind for a while.
        assert_ok!(Training::heartbeat(signed(WANDA), id, 1, 30));
        let JobState::Training { step, total_steps, .. } = state(id) else { panic!("training") };
        assert_eq!((step, total_steps), (3, 30));
    });
}

/// (e) An owner may call a job off that is being trained, and pays for what was shown.
#[test]
fn calling_off_pays_the_smaller_share_and_half_at_most() {
    // Steps shown of 100, to which the one comes that it is at, blocks of the 20 that 1,000 tokens take at 64 a second: what is paid of 1,000.
    for (step, blocks, pay) in [(0, 8, 10), (30, 8, 310), (90, 8, 400), (90, 15, 500), (100, 0, 0)]
    {
        run(|| {
            worker_that(WANDA, 1, &[LORA], Serves::UpTo(BYTES), 64);
            let id = job(1_280, 12_800);
            assert_ok!(Training::take(signed(WANDA), id));
            pass(blocks.min(HEARTBEAT));
            assert_ok!(Training::heartbeat(signed(WANDA), id, step, 100));
            pass(blocks.saturating_sub(HEARTBEAT));
            assert_ok!(Training::cancel_job(signed(OWNER), id));
            let paid = 12_800 * pay / 1_000;
            assert_eq!(free(WANDA), RICH - BOND + paid, "{step} steps in {blocks} blocks");
            assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - paid, 0));
            assert_eq!((bond_held(WANDA), paused(WANDA)), (BOND, false));
            assert_eq!(state(id), JobState::Cancelled);
            System::assert_has_event(Event::JobCancelled { job: id, refund: 12_800 - paid }.into());
            assert_noop!(
                Training::submit_result(signed(WANDA), id, result()),
                Error::<Test>::WrongState
            );
        });
    }
}

/// (f) Cancelled and failed jobs stayed for ever for the price of a call.
#[test]
fn what_came_to_nothing_is_pruned_by_anyone_and_its_deposit_goes_back() {
    run(|| {
        let cancelled = job_by(MALLORY, 10);
        assert_ok!(Training::cancel_job(signed(MALLORY), cancelled));
        assert_eq!(deposit_held(MALLORY), JOB_DEPOSIT);
        let prune = |who, id| Training::prune_job(signed(who), id);
        assert_noop!(prune(WANDA, cancelled), Error::<Test>::TooEarly);
        pass(PRUNE);
        assert_ok!(prune(WANDA, cancelled));
        assert_eq!((Balances::free_balance(MALLORY), deposit_held(MALLORY)), (RICH, 0));
        System::assert_has_event(Event::JobPruned { job: cancelled, deposit: JOB_DEPOSIT }.into());
        assert_eq!(Jobs::<Test>::iter().count(), 0);
        assert_eq!(Waiting::<Test>::iter().count() + AgendaOf::<Test>::iter().count(), 0);
        assert_noop!(prune(MALLORY, cancelled), Error::<Test>::UnknownJob);

        let own = job_by(MALLORY, 10);
        assert_noop!(prune(MALLORY, own), Error::<Test>::WrongState);
        assert_ok!(Training::cancel_job(signed(MALLORY), own));
        assert_ok!(prune(MALLORY, own));

        worker(WANDA, 7);
        let done = job_by(MALLORY, 10);
        train(WANDA, done);
        assert_noop!(prune(MALLORY, done), Error::<Test>::WrongState);
        pass(Window::get() + PRUNE);
        assert_noop!(prune(MALLORY, done), Error::<Test>::WrongState);
        assert_eq!(deposit_held(MALLORY), JOB_DEPOSIT, "for as long as the adapter's job stands");
    });
}

/// (g) Create and cancel put a rival worker at the tail.
#[test]
fn creating_and_cancelling_moves_no_rival_to_the_tail() {
    run(|| {
        worker(WANDA, 7);
        worker(WALTER, 7);
        for take in [false, true] {
            let id = job_by(MALLORY, 10);
            assert_eq!(worker_of(id), Some(WANDA));
            if take {
                assert_ok!(Training::take(signed(WANDA), id));
            }
            assert_ok!(Training::cancel_job(signed(MALLORY), id));
            assert_eq!(worker_of(job(1_000, 10_000)), Some(WANDA));
            train(WANDA, NextJob::get() - 1);
            worker_goes_first();
        }
    });
}

type NextJob = pallet_training::NextJob<Test>;

/// Puts Walter behind Wanda again, who has just posted a result.
fn worker_goes_first() {
    assert_ok!(Training::pause(signed(WALTER)));
    assert_ok!(Training::resume(signed(WALTER)));
}

/// (h) Junk that times out filled the agenda, and payments waited behind it.
#[test]
fn payments_do_not_wait_behind_junk() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        train(WANDA, id);
        let due = System::block_number() + Window::get();
        // All of these run out of time in the block of the payment.
        assert_ok!(Training::pause(signed(WANDA)));
        for _ in 0..20 * EXPIRIES {
            job_of(MALLORY, Method::Lora, 1_000, 10_000, due - 1 + TAKE + HEARTBEAT + 1);
        }
        go_to(due);
        assert!(Training::adapter(id).is_some());
        assert_eq!(free(WANDA), RICH - BOND + 10_000);
    });
}

#[test]
fn an_owner_tops_up_and_extends_what_waits() {
    run(|| {
        worker(WANDA, 20);
        let id = job(1_000, 10_000);
        let raise = |who, price| Training::raise_price(signed(who), id, price);
        assert_noop!(raise(MALLORY, 11), Error::<Test>::NotTheOwner);
        assert_noop!(raise(OWNER, 10), Error::<Test>::NotHigher);
        assert_noop!(raise(OWNER, u128::MAX), Error::<Test>::AboveBudget);
        assert_ok!(raise(OWNER, 20));
        assert_eq!(worker_of(id), Some(WANDA));
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 20_000, 20_000));
        assert_noop!(raise(OWNER, 21), Error::<Test>::WrongState);

        let extend = |who, deadline| Training::extend_deadline(signed(who), id, deadline);
        let deadline = get(id).deadline;
        assert_noop!(extend(MALLORY, deadline + 1), Error::<Test>::NotTheOwner);
        assert_noop!(extend(OWNER, deadline), Error::<Test>::NotLater);
        assert_noop!(extend(OWNER, 1 + LONGEST + 1), Error::<Test>::DeadlineTooFar);
        assert_ok!(extend(OWNER, deadline + 1));
        System::assert_has_event(
            Event::JobDeadlineExtended { job: id, deadline: deadline + 1 }.into(),
        );
        train(WANDA, id);
        assert_noop!(extend(OWNER, deadline + 2), Error::<Test>::WrongState);
    });
}

#[test]
fn a_longer_deadline_finds_slower_workers() {
    run(|| {
        worker_that(WANDA, 1, &[LORA], Serves::UpTo(BYTES), 1);
        let id = job_until(100, 10_000, System::block_number() + 50);
        assert!(is_queued(id));
        assert_ok!(Training::extend_deadline(signed(OWNER), id, System::block_number() + 115));
        assert_eq!(worker_of(id), Some(WANDA));
    });
}

#[test]
fn a_retired_base_model_takes_no_new_jobs_and_gives_its_deposit_back() {
    run(|| {
        let before = Balances::free_balance(REGISTRAR);
        let id = job(1_000, 10_000);
        let retire = |who| Training::retire_base_model(signed(who), 0);
        assert_noop!(retire(OWNER), Error::<Test>::NotTheRegistrar);
        assert_ok!(retire(REGISTRAR));
        assert_eq!(Balances::free_balance(REGISTRAR), before + DEPOSIT);
        System::assert_last_event(Event::BaseModelRetired { base: 0, deposit: DEPOSIT }.into());
        assert_noop!(retire(REGISTRAR), Error::<Test>::BaseModelRetired);
        let deadline = System::block_number() + 100;
        assert_noop!(
            Training::create_job(
                signed(OWNER),
                0,
                datasets(&[(0, 3)]),
                spec(Method::Lora),
                1_000,
                10,
                deadline
            ),
            Error::<Test>::BaseModelRetired
        );
        // The job that named it goes on. Its record is the last that keeps the model's.
        assert_eq!(Training::base_models(0, 10)[0].jobs, 1);
        assert_ok!(Training::cancel_job(signed(OWNER), id));
        assert_ok!(Training::prune_job(signed(OWNER), id));
        assert!(Training::base_models(0, 10).is_empty());
        assert_noop!(retire(REGISTRAR), Error::<Test>::UnknownBaseModel);
    });
}

#[test]
fn workers_are_read_in_pages() {
    run(|| {
        (20..30).for_each(|who| worker(who, 7));
        let mut seen = Vec::new();
        while let page @ [_, ..] = &Training::workers(seen.last().copied(), 3)[..] {
            assert!(page.len() <= 3);
            seen.extend(page.iter().map(|worker| worker.account));
        }
        seen.sort_unstable();
        assert_eq!(seen, (20..30).collect::<Vec<_>>());
    });
}
