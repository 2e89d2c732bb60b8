//! Results in dispute: who looks at them and who is paid.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use openledger_primitives::{
    job::{
        dispute::{finding_commitment, Finding, Outcome, DRAW_DELAY},
        JobFailure,
    },
    Balance, JobId, JobState, Salt, OPEN,
};
use pallet_training::{Error, Event};
use sp_core::H256;
use sp_runtime::{Perbill, TokenError};

/// Who disputes; neither owner nor worker.
pub const DORA: AccountId = 30;
/// Price of the job in dispute: less than what a worker loses at least.
pub const PRICE: Balance = OPEN;
/// What each of those drawn is paid.
pub const FEE: Balance = DISPUTE_BOND / 3;

/// The salt of a worker.
pub fn salt(who: AccountId) -> Salt {
    [who as u8; 32]
}

pub fn hash(id: JobId, who: AccountId, finding: Finding) -> H256 {
    finding_commitment(id, &who, finding, &salt(who))
}

pub fn commit(id: JobId, who: AccountId, finding: Finding) {
    assert_ok!(Training::commit_finding(signed(who), id, hash(id, who, finding)));
}

pub fn reveal(id: JobId, who: AccountId, finding: Finding) {
    assert_ok!(Training::reveal_finding(signed(who), id, finding, salt(who)));
}

/// A job whose result Wanda has posted, beside so many other workers, who ask too much for it.
pub fn submitted(others: u64) -> JobId {
    worker(WANDA, 7);
    for who in 20..20 + others {
        worker(who, OPEN);
    }
    let id = job(1_000, PRICE);
    train(WANDA, id);
    id
}

/// The job, in dispute, and who was drawn of six others.
pub fn disputed() -> (JobId, [AccountId; 3]) {
    let id = submitted(6);
    assert_ok!(Training::dispute(signed(DORA), id));
    pass(DRAW_DELAY);
    (id, drawn(id))
}

pub fn drawn(id: JobId) -> [AccountId; 3] {
    let drawn: Vec<AccountId> = dispute(id).drawn.iter().map(|of| of.worker).collect();
    drawn.try_into().expect("three are drawn")
}

pub fn dispute(id: JobId) -> openledger_primitives::api::DisputeView<AccountId> {
    Training::dispute_of(id).expect("in dispute")
}

/// Lets the drawn find this, and goes on until it is settled.
pub fn judged(id: JobId, findings: &[(AccountId, Finding)]) {
    for (who, finding) in findings {
        commit(id, *who, *finding);
    }
    let commit_by = dispute(id).commit_by;
    go_to(commit_by.max(System::block_number()) + 1);
    for (who, finding) in findings {
        reveal(id, *who, *finding);
    }
    let over = dispute(id).reveal_by + 1;
    while dispute(id).outcome.is_none() && System::block_number() < over {
        next_block();
        assert_ok!(Training::do_try_state());
    }
}

/// What another account than the owner's disputed stands: it is paid when the owner's window, which has
/// begun anew, has passed.
pub fn stands(id: JobId) {
    let until = System::block_number() + Window::get();
    assert!(matches!(state(id), JobState::Submitted { completes_at, .. } if completes_at == until));
    pass(Window::get());
    assert!(matches!(state(id), JobState::Completed { .. }));
}

use Finding::{DoesNotLoad, Holds, NotReproduced, OtherBase};

#[test]
fn a_result_that_two_find_wrong_is_not_paid_and_its_worker_pays_those_who_found_it() {
    run(|| {
        let (id, [one, two, three]) = disputed();
        assert!(matches!(state(id), JobState::Disputed { .. }));
        let before = [one, two, three].map(free);
        // The payment waits, however long its window has passed.
        assert_eq!(budget_held(OWNER), PRICE);
        judged(id, &[(one, OtherBase), (two, Holds), (three, NotReproduced)]);

        assert_eq!(dispute(id).outcome, Some(Outcome::Upheld));
        assert_eq!(state(id), JobState::Failed(JobFailure::Refuted));
        assert!(Training::adapter(id).is_none());
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH, 0), "the budget is back");
        assert_eq!((free(DORA), dispute_held(DORA)), (RICH, 0), "so is the bond");
        assert_eq!([one, two, three].map(free), [before[0] + FEE, before[1], before[2] + FEE]);
        // Half the price is less than what its accuser risked.
        assert_eq!(bond_held(WANDA), BOND - DISPUTE_BOND);
        assert_eq!(free(WANDA), RICH - BOND);
        assert_eq!(free(TREASURY), RICH + DISPUTE_BOND - 2 * FEE);
        let wanda = Training::worker(WANDA).expect("registered");
        assert!(wanda.paused && wanda.lost == 1);
        System::assert_has_event(
            Event::DisputeSettled {
                job: id,
                worker: WANDA,
                outcome: Outcome::Upheld,
                penalty: DISPUTE_BOND,
                returned: DISPUTE_BOND,
            }
            .into(),
        );
        // Nothing keeps her now, and the owner's deposit comes back.
        assert_ok!(Training::deregister_worker(signed(WANDA)));
        assert_ok!(Training::prune_job(signed(OWNER), id));
        assert!(Training::dispute_of(id).is_none());
        assert_eq!(deposit_held(OWNER), 0);
    });
}

#[test]
fn what_a_refuted_worker_loses_follows_the_price_as_far_as_its_bond_goes() {
    for (share, lost) in [(50, 20 * OPEN), (100, 40 * OPEN)] {
        run(|| {
            Penalty::set(Perbill::from_percent(share));
            worker(WANDA, 7);
            (20..24).for_each(|who| worker(who, OPEN));
            let id = job(1_000, 40 * OPEN);
            train(WANDA, id);
            assert_ok!(Training::dispute(signed(DORA), id));
            pass(DRAW_DELAY);
            judged(id, &drawn(id).map(|who| (who, DoesNotLoad)));
            assert_eq!(bond_held(WANDA), BOND - lost);
            // Those drawn get no more for a dear job: what they find must not be worth anything.
            assert_eq!(free(TREASURY), RICH + lost - 3 * FEE);
        });
    }
}

#[test]
fn a_result_that_two_find_right_is_paid_and_the_disputer_pays_those_who_found_it() {
    run(|| {
        let (id, [one, two, three]) = disputed();
        judged(id, &[(one, Holds), (two, NotReproduced), (three, Holds)]);
        assert_eq!(dispute(id).outcome, Some(Outcome::Rejected));
        stands(id);
        assert!(Training::adapter(id).is_some());
        assert_eq!(free(WANDA), RICH - BOND + PRICE);
        assert_eq!((free(DORA), dispute_held(DORA)), (RICH - DISPUTE_BOND, 0));
        assert_eq!(
            [one, two, three].map(free),
            [RICH - BOND + FEE, RICH - BOND, RICH - BOND + FEE]
        );
        // What nobody earned, and what three do not divide.
        assert_eq!(free(TREASURY), RICH + DISPUTE_BOND - 2 * FEE);
        assert_eq!(bond_held(WANDA), BOND);
        assert_ok!(Training::deregister_worker(signed(WANDA)));
    });
}

#[test]
fn without_two_that_agree_the_worker_is_paid_and_the_bond_pays_only_those_who_looked() {
    run(|| {
        let (id, [one, two, three]) = disputed();
        judged(id, &[(one, Holds), (two, DoesNotLoad)]);
        assert_eq!(dispute(id).outcome, Some(Outcome::NoQuorum));
        stands(id);
        assert_eq!(free(WANDA), RICH - BOND + PRICE);
        assert_eq!((free(DORA), dispute_held(DORA)), (RICH - 2 * FEE, 0));
        assert_eq!([one, two].map(free), [RICH - BOND + FEE; 2]);
        // The third lost its pay, no bond, and is drawn no more until it is back.
        assert_eq!((free(three), bond_held(three)), (RICH - BOND, BOND));
        assert!(Training::worker(three).expect("registered").paused);
        assert!(!Training::worker(one).expect("registered").paused);
        assert_ok!(Training::resume(signed(three)));
    });
}

#[test]
fn when_nobody_answers_the_worker_is_paid_and_the_bond_returns_whole() {
    run(|| {
        let (id, all) = disputed();
        let commit_by = dispute(id).commit_by;
        go_to(commit_by);
        assert!(matches!(state(id), JobState::Disputed { .. }));
        // Without a hash there can be no finding: nobody waits for those.
        pass(1);
        assert_eq!(dispute(id).outcome, Some(Outcome::NoQuorum));
        stands(id);
        assert_eq!((free(DORA), free(WANDA)), (RICH, RICH - BOND + PRICE));
        assert!(all.iter().all(|who| Training::worker(*who).expect("registered").paused));
    });
}

#[test]
fn one_that_looked_alone_is_paid_for_it() {
    run(|| {
        let (id, [one, ..]) = disputed();
        judged(id, &[(one, OtherBase)]);
        assert_eq!(dispute(id).outcome, Some(Outcome::NoQuorum));
        assert_eq!((free(one), free(DORA)), (RICH - BOND + FEE, RICH - FEE));
        stands(id);
    });
}

#[test]
fn when_all_have_answered_nobody_waits_for_the_windows() {
    run(|| {
        let (id, all) = disputed();
        all.iter().for_each(|who| commit(id, *who, Holds));
        assert_eq!(dispute(id).commit_by, System::block_number());
        pass(1);
        all.iter().for_each(|who| reveal(id, *who, Holds));
        pass(1);
        stands(id);
    });
}

#[test]
fn owner_worker_and_disputer_are_never_drawn_and_nobody_twice() {
    for seed in 0..40 {
        run(|| {
            Seed::set(seed);
            // The owner and the disputer are workers for the model themselves.
            worker(OWNER, OPEN);
            worker(DORA, OPEN);
            let id = submitted(4);
            assert_ok!(Training::dispute(signed(DORA), id));
            pass(DRAW_DELAY);
            let mut all = drawn(id);
            all.sort_unstable();
            assert!(all.iter().all(|who| (20..24).contains(who)), "{all:?}");
            assert!(all[0] < all[1] && all[1] < all[2]);
            assert!(all.iter().all(|who| Training::duties(*who) == [id]));
        });
    }
}

#[test]
fn each_worker_is_drawn_about_as_often_however_it_serves_the_model() {
    let mut drawn_for = std::collections::BTreeMap::new();
    for seed in 0..120 {
        run(|| {
            Seed::set(1_000 + seed);
            worker(WANDA, 7);
            // By its number, by size, and by a greater size.
            worker_that(20, OPEN, &[LORA], models(&[0]), RATE);
            worker_that(21, 2 * OPEN, &[QLORA], models(&[0]), 1);
            (22..24).for_each(|who| worker(who, 3 * OPEN));
            let large = openledger_primitives::Serves::UpTo(1 << 40);
            worker_that(24, 4 * OPEN, &[LORA, QLORA], large, RATE);
            let id = job(1_000, PRICE);
            train(WANDA, id);
            assert_ok!(Training::dispute(signed(DORA), id));
            pass(DRAW_DELAY);
            for who in drawn(id) {
                *drawn_for.entry(who).or_insert(0u32) += 1;
            }
        });
    }
    // Three of five in each of 120: 72 on the average, and hardly ever beyond these.
    assert_eq!(drawn_for.len(), 5);
    assert!(drawn_for.values().all(|times| (50..95).contains(times)), "{drawn_for:?}");
}

#[test]
fn workers_of_other_models_and_paused_ones_are_not_drawn() {
    run(|| {
        base_model(openledger_primitives::ModelFamily::Llama);
        let id = submitted(3);
        worker_that(40, OPEN, &[LORA], models(&[1]), RATE);
        worker_that(41, OPEN, &[LORA], models(&[]), RATE);
        worker(42, OPEN);
        assert_ok!(Training::pause(signed(42)));
        assert_ok!(Training::dispute(signed(DORA), id));
        pass(DRAW_DELAY);
        let mut all = drawn(id);
        all.sort_unstable();
        assert_eq!(all, [20, 21, 22]);
    });
}

#[test]
fn with_too_few_workers_a_dispute_is_refused_before_anything_is_held() {
    run(|| {
        let id = submitted(2);
        // The disputer's own worker does not count, nor that of the owner.
        worker(DORA, OPEN);
        worker(OWNER, OPEN);
        assert_noop!(Training::dispute(signed(DORA), id), Error::<Test>::TooFewVerifiers);
        worker(22, OPEN);
        assert_ok!(Training::dispute(signed(DORA), id));
        // One leaves before the draw: then there is none, and nobody pays for that.
        assert_ok!(Training::pause(signed(22)));
        pass(DRAW_DELAY);
        assert_eq!(dispute(id).outcome, Some(Outcome::NoQuorum));
        assert!(dispute(id).drawn.is_empty());
        assert_eq!((free(DORA), dispute_held(DORA)), (RICH - BOND, 0));
        stands(id);
    });
}

#[test]
fn a_dispute_needs_its_bond_and_a_result_in_its_window() {
    run(|| {
        assert_noop!(Training::dispute(signed(DORA), 0), Error::<Test>::UnknownJob);
        let queued = job(1_000, PRICE);
        assert_noop!(Training::dispute(signed(DORA), queued), Error::<Test>::WrongState);
        assert_ok!(Training::cancel_job(signed(OWNER), queued));
        let id = submitted(3);
        assert_noop!(Training::dispute(signed(77), id), TokenError::FundsUnavailable);
        assert_ok!(Training::dispute(signed(DORA), id));
        assert_eq!(dispute_held(DORA), DISPUTE_BOND);
        // Once a job, whoever comes second, and also when it is over.
        assert_noop!(Training::dispute(signed(31), id), Error::<Test>::WrongState);
        pass(DRAW_DELAY);
        judged(id, &drawn(id).map(|who| (who, Holds)));
        assert_noop!(Training::dispute(signed(31), id), Error::<Test>::DisputedBefore);
        stands(id);
        assert_noop!(Training::dispute(signed(31), id), Error::<Test>::WrongState);
        assert_noop!(
            Training::commit_finding(signed(20), id, H256::zero()),
            Error::<Test>::WrongState
        );
        assert_noop!(
            Training::commit_finding(signed(20), queued, H256::zero()),
            Error::<Test>::NotInDispute
        );
    });
}

#[test]
fn the_last_block_of_the_window_is_not_too_late_and_the_next_one_is() {
    run(|| {
        let id = submitted(3);
        pass(Window::get() - 1);
        assert_ok!(Training::dispute(signed(DORA), id));
        pass(3);
        assert!(matches!(state(id), JobState::Disputed { .. }), "what was due waits");
    });
    run(|| {
        let id = submitted(3);
        pass(Window::get());
        assert_noop!(Training::dispute(signed(DORA), id), Error::<Test>::WrongState);
    });
    run(|| {
        // Payments that are late because there are many are payments all the same.
        worker(WANDA, 0);
        (20..23).for_each(|who| worker(who, OPEN));
        let ids: Vec<JobId> = (0..PAYMENTS as u64 + 2)
            .map(|_| {
                let id = job(1_000, PRICE);
                train(WANDA, id);
                id
            })
            .collect();
        pass(Window::get());
        let late = ids.iter().find(|id| matches!(state(**id), JobState::Submitted { .. }));
        let late = *late.expect("not all are paid yet");
        assert_noop!(Training::dispute(signed(DORA), late), Error::<Test>::TooLate);
    });
}

#[test]
fn only_those_drawn_are_heard_each_once_and_in_its_time() {
    run(|| {
        let (id, [one, two, three]) = disputed();
        let other = (20..26).find(|who| ![one, two, three].contains(who)).expect("six");
        let hash_of = |who| hash(id, who, Holds);
        for who in [other, WANDA, OWNER, DORA] {
            assert_noop!(
                Training::commit_finding(signed(who), id, hash_of(who)),
                Error::<Test>::NotDrawn
            );
        }
        assert_noop!(
            Training::reveal_finding(signed(one), id, Holds, salt(one)),
            Error::<Test>::NotCommitted
        );
        commit(id, one, Holds);
        assert_noop!(
            Training::commit_finding(signed(one), id, hash_of(one)),
            Error::<Test>::CommittedBefore
        );
        // Whoever showed it now would show it to those who still may copy.
        assert_noop!(
            Training::reveal_finding(signed(one), id, Holds, salt(one)),
            Error::<Test>::RevealTooEarly
        );
        commit(id, two, Holds);
        let (commit_by, reveal_by) = (dispute(id).commit_by, dispute(id).reveal_by);
        go_to(commit_by);
        assert_noop!(
            Training::reveal_finding(signed(one), id, Holds, salt(one)),
            Error::<Test>::RevealTooEarly
        );
        pass(1);
        assert_noop!(
            Training::commit_finding(signed(three), id, hash_of(three)),
            Error::<Test>::TooLate
        );
        assert_noop!(
            Training::reveal_finding(signed(one), id, NotReproduced, salt(one)),
            Error::<Test>::OtherCommitment
        );
        assert_noop!(
            Training::reveal_finding(signed(one), id, Holds, salt(two)),
            Error::<Test>::OtherCommitment
        );
        reveal(id, one, Holds);
        assert_noop!(
            Training::reveal_finding(signed(one), id, Holds, salt(one)),
            Error::<Test>::RevealedBefore
        );
        go_to(reveal_by);
        assert!(matches!(state(id), JobState::Disputed { .. }));
        System::set_block_number(reveal_by + 1);
        // The agenda has not been worked off yet.
        assert_noop!(
            Training::reveal_finding(signed(two), id, Holds, salt(two)),
            Error::<Test>::TooLate
        );
        Training::on_initialize(reveal_by + 1);
        assert_eq!(
            dispute(id).outcome,
            Some(Outcome::NoQuorum),
            "a late finding counts for nothing"
        );
    });
}
