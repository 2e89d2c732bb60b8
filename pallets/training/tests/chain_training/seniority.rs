//! Who comes just in time, and goes right after: workers that register to judge one result, and accounts
//! that dispute it so that nobody else can.

use crate::{corruption::noticed_in, mock::*};
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    api::DisputeView,
    job::{
        dispute::{finding_commitment, Finding, Outcome, DRAW_DELAY},
        DeclineReason, JobFailure,
    },
    Balance, JobId, JobState, Serves, OPEN,
};
use pallet_training::{
    Error, LeavesFrom, NewcomerPlace, Newcomers, SequenceKey, Verifiers, ADMITTED,
};

/// Neither owner nor worker.
const DORA: AccountId = 30;
/// Blocks that a worker waits.
const NOTICE: u32 = 10;
const PRICE: Balance = 300 * OPEN;
const HONEST: [AccountId; 3] = [20, 21, 22];
const SYBILS: std::ops::Range<AccountId> = 40..52;

/// A chain older than the notice, with Wanda and three who judge as they find.
fn grown_up(test: impl FnOnce()) {
    run(|| {
        Notice::set(NOTICE);
        worker(WANDA, 7);
        HONEST.iter().for_each(|who| worker(*who, 2 * PRICE));
        go_to(3 * NOTICE);
        test();
    });
}

fn posted() -> JobId {
    let id = job(1_000, PRICE);
    assert_eq!(worker_of(id), Some(WANDA));
    train(WANDA, id);
    id
}

fn dispute(id: JobId) -> DisputeView<AccountId> {
    Training::dispute_of(id).expect("disputed")
}

fn drawn(id: JobId) -> Vec<AccountId> {
    dispute(id).drawn.iter().map(|of| of.worker).collect()
}

/// All that are drawn find this.
fn judged(id: JobId, finding: Finding) {
    pass(DRAW_DELAY);
    let all = drawn(id);
    assert_eq!(all.len(), 3);
    for who in &all {
        let hash = finding_commitment(id, who, finding, &[1; 32]);
        assert_ok!(Training::commit_finding(signed(*who), id, hash));
    }
    pass(1);
    for who in &all {
        assert_ok!(Training::reveal_finding(signed(*who), id, finding, [1; 32]));
    }
    pass(1);
}

/// Twelve accounts registered in the block of a dispute, judged it, and left with their bonds; an owner
/// got a true result overturned.
#[test]
fn workers_that_come_for_a_dispute_do_not_judge_it() {
    for seed in 0..20 {
        grown_up(|| {
            Seed::set(seed);
            let id = posted();
            SYBILS.for_each(|who| worker(who, 2 * PRICE));
            assert_ok!(Training::dispute(signed(OWNER), id));
            judged(id, Finding::Holds);
            let mut judges = drawn(id);
            judges.sort_unstable();
            assert_eq!(judges, HONEST);
            assert!(matches!(state(id), JobState::Completed { .. }));
            assert_eq!((bond_held(WANDA), free(WANDA)), (BOND, RICH - BOND + PRICE));
        });
    }
}

/// They do not stand in for those who are missing either: neither is a dispute opened for them, nor does
/// one wait for them.
#[test]
fn newcomers_count_for_nobody() {
    grown_up(|| {
        let id = posted();
        assert_ok!(Training::pause(signed(HONEST[0])));
        SYBILS.for_each(|who| worker(who, 2 * PRICE));
        assert_noop!(Training::dispute(signed(DORA), id), Error::<Test>::TooFewVerifiers);
        // One that is a party and a newcomer takes no room from those who can be drawn.
        assert_ok!(Training::resume(signed(HONEST[0])));
        assert_ok!(Training::dispute(signed(SYBILS.start), id));
        judged(id, Finding::NotReproduced);
        assert_eq!(state(id), JobState::Failed(JobFailure::Refuted));
    });
}

/// With fewer than three beside the worker whatever it posts is paid, so an owner can look before it pays.
#[test]
fn it_is_known_before_a_job_how_many_could_judge_it() {
    grown_up(|| {
        assert_eq!(Training::judges(0, None), 4);
        assert_eq!(Training::judges(0, Some(&OWNER)), 4);
        assert_eq!(Training::judges(0, Some(&WANDA)), 3, "not of its own job");
        SYBILS.take(3).for_each(|who| worker(who, 2 * PRICE));
        assert_eq!(Training::judges(0, None), 4, "newcomers do not judge");
        assert_ok!(Training::pause(signed(HONEST[0])));
        assert_eq!((Training::judges(0, None), Training::judges(9, None)), (3, 0));
        let id = posted();
        assert_noop!(Training::dispute(signed(DORA), id), Error::<Test>::TooFewVerifiers);
    });
}

#[test]
fn seniority_comes_with_time_and_is_lost_for_what_is_taken_up_anew() {
    grown_up(|| {
        base_model(openledger_primitives::ModelFamily::Llama);
        let judges = || Verifiers::<Test>::iter_values().filter(|who| *who == DORA).count();
        worker_that(DORA, OPEN, &[LORA], models(&[0]), RATE);
        assert_eq!(judges(), 0);
        pass(NOTICE - 1);
        assert_eq!(judges(), 0);
        pass(1);
        assert_eq!((judges(), Newcomers::<Test>::iter().count()), (1, 0));

        // What it served before it goes on to judge; what is new to it waits.
        let serves = |serves: Serves| {
            let call =
                Training::update_worker(signed(DORA), kinds(&[LORA]), OPEN, text(""), serves, RATE);
            assert_ok!(call);
        };
        serves(models(&[0, 1]));
        assert_eq!(judges(), 1);
        pass(NOTICE - 1);
        // Neither a break nor the same again changes that; a further one begins anew.
        assert_ok!(Training::pause(signed(DORA)));
        serves(models(&[1, 0]));
        assert_ok!(Training::resume(signed(DORA)));
        assert_eq!(judges(), 0);
        pass(1);
        assert_eq!(judges(), 2);
        assert_ok!(Training::pause(signed(DORA)));
        serves(Serves::UpTo(BYTES));
        assert_ok!(Training::resume(signed(DORA)));
        assert_eq!(judges(), 0, "what it took up while it was away is new as well");
        // One that has had nothing to do leaves when it likes.
        assert_ok!(Training::deregister_worker(signed(DORA)));
        assert_eq!(Newcomers::<Test>::iter().count(), 0);
    });
}

#[test]
fn many_newcomers_are_admitted_by_and_by_and_paused_ones_judge_when_they_resume() {
    grown_up(|| {
        SYBILS.for_each(|who| worker(who, 2 * PRICE));
        assert_ok!(Training::pause(signed(SYBILS.start)));
        let admitted =
            || Verifiers::<Test>::iter_values().filter(|who| SYBILS.contains(who)).count();
        pass(NOTICE);
        assert_eq!(admitted(), ADMITTED as usize - 1);
        pass(1);
        assert_eq!(admitted(), 2 * ADMITTED as usize - 1);
        pass(1);
        assert_ok!(Training::resume(signed(SYBILS.start)));
        assert_eq!(admitted(), SYBILS.count());
    });
}

/// While a chain is younger than the notice all its workers are new, and judge one another.
#[test]
fn on_a_young_chain_the_first_workers_judge() {
    run(|| {
        Notice::set(NOTICE);
        worker(WANDA, 7);
        HONEST.iter().for_each(|who| worker(*who, 2 * PRICE));
        let id = posted();
        assert_ok!(Training::dispute(signed(OWNER), id));
        judged(id, Finding::DoesNotLoad);
        assert_eq!(state(id), JobState::Failed(JobFailure::Refuted));
    });
}

#[test]
fn a_bond_stays_for_a_while_after_a_job_and_after_a_draw() {
    grown_up(|| {
        let leaves = |who| Training::deregister_worker(signed(who));
        let id = posted();
        assert_ok!(Training::dispute(signed(OWNER), id));
        judged(id, Finding::NotReproduced);
        for who in HONEST.into_iter().chain([WANDA]) {
            assert_noop!(leaves(who), Error::<Test>::StillBonded);
        }
        pass(NOTICE - 1);
        for who in HONEST {
            assert_noop!(leaves(who), Error::<Test>::StillBonded);
        }
        pass(1);
        for who in HONEST.into_iter().chain([WANDA]) {
            assert_ok!(leaves(who));
        }
        assert_eq!(LeavesFrom::<Test>::iter().count(), 0);

        // Nor does declining alone let a bond go on to the next account.
        worker(WALTER, 7);
        let id = job(1_000, PRICE);
        assert_ok!(Training::decline(signed(WALTER), id, DeclineReason::Unusable));
        assert_noop!(leaves(WALTER), Error::<Test>::StillBonded);
        pass(NOTICE);
        assert_ok!(leaves(WALTER));
    });
}

/// A worker disputed its own garbage through a second account, in the block of the result, so that nobody
/// else could.
#[test]
fn a_stranger_who_disputes_first_leaves_the_owner_its_dispute_and_its_window() {
    grown_up(|| {
        let id = posted();
        assert_ok!(Training::dispute(signed(DORA), id));
        // Those who were drawn are wrong, or bought.
        judged(id, Finding::Holds);
        assert_eq!(dispute(id).outcome, Some(Outcome::Rejected));
        assert_eq!((free(DORA), dispute_held(DORA)), (RICH - DISPUTE_BOND, 0));
        let JobState::Submitted { completes_at, .. } = state(id) else {
            panic!("it can be disputed")
        };
        assert_eq!(completes_at, System::block_number() + Window::get());
        assert_eq!((budget_held(OWNER), free(WANDA)), (PRICE, RICH - BOND));
        // Once: no other stranger makes it wait any longer.
        assert_noop!(Training::dispute(signed(31), id), Error::<Test>::DisputedBefore);
        assert_noop!(Training::dispute(signed(DORA), id), Error::<Test>::DisputedBefore);
        pass(Window::get() - 1);
        assert_ok!(Training::dispute(signed(OWNER), id));
        judged(id, Finding::NotReproduced);
        assert_eq!(state(id), JobState::Failed(JobFailure::Refuted));
        assert_eq!((free(OWNER), dispute_held(OWNER)), (RICH, 0));
    });
    // An owner that does nothing pays when its window has passed.
    grown_up(|| {
        let id = posted();
        assert_ok!(Training::dispute(signed(DORA), id));
        judged(id, Finding::Holds);
        pass(Window::get());
        assert!(matches!(state(id), JobState::Completed { .. }));
        assert_eq!(free(WANDA), RICH - BOND + PRICE);
    });
    // And one that has disputed does not do so again.
    grown_up(|| {
        let id = posted();
        assert_ok!(Training::dispute(signed(DORA), id));
        judged(id, Finding::Holds);
        assert_ok!(Training::dispute(signed(OWNER), id));
        judged(id, Finding::Holds);
        assert!(matches!(state(id), JobState::Completed { .. }));
        assert_eq!(free(OWNER), RICH - PRICE - DISPUTE_BOND);
        assert_noop!(Training::dispute(signed(OWNER), id), Error::<Test>::WrongState);
    });
}

#[test]
fn newcomers_that_stand_elsewhere_and_bonds_of_nobody_are_noticed() {
    let healthy = || {
        Notice::set(NOTICE);
        go_to(2 * NOTICE);
        worker(WANDA, 7);
    };
    let place = || NewcomerPlace::<Test>::get(WANDA).expect("new");
    let add =
        |place: u64, who: AccountId| Newcomers::<Test>::insert(SequenceKey::from(place), (who, 0));
    noticed_in(healthy, "a newcomer's place was never given", || add(1_000, WANDA));
    noticed_in(healthy, "a newcomer stands elsewhere", || add(0, WANDA));
    noticed_in(healthy, "a newcomer is no worker", || {
        NewcomerPlace::<Test>::insert(WALTER, 0);
        add(0, WALTER);
    });
    noticed_in(healthy, "a newcomer waits for nothing", || {
        Newcomers::<Test>::remove(SequenceKey::from(place()));
    });
    noticed_in(healthy, "a worker has no number", || {
        Newcomers::<Test>::remove(SequenceKey::from(place()));
        NewcomerPlace::<Test>::remove(WANDA);
    });
    noticed_in(healthy, "a bond is kept of no worker", || LeavesFrom::<Test>::insert(WALTER, 1));
}
