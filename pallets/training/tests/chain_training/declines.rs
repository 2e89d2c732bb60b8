//! Declines and what they do to workers and owners, attacks on them replayed through the pallet's public door.

use crate::{corruption::noticed_in, mock::*};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use openledger_primitives::{
    job::{DeclineReason, JobFailure, Refused, MAX_REFUSED, QUORUM},
    JobId, JobState, Method, OPEN,
};
use pallet_training::{
    Contradicted, Error, Event, Jobs, OfferKey, SearchOf, Searches, SequenceKey, FIRST_REST,
    JOBS_TRIED, LONGEST_REST, SEARCHES,
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
