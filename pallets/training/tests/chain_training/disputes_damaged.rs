//! Damaged storage of disputes is noticed.

use crate::{corruption::noticed_in, mock::*};
use frame_support::{assert_ok, traits::fungible::MutateHold, traits::tokens::Precision};
use openledger_primitives::{
    job::dispute::{Dispute, Finding, Outcome, DRAW_DELAY},
    JobState, ModelFamily, SizeClass,
};
use pallet_training::{
    AgendaOf, DisputeAgenda, DisputeCursor, Disputes, Duties, HoldReason, Payments, VerifierCount,
    VerifierIndex, VerifierSet, Verifiers, Workers,
};

/// The job in dispute, which Wanda has done.
const DISPUTED: u64 = 0;
const DORA: AccountId = 30;

fn noticed(expected: &'static str, damage: impl FnOnce()) {
    let healthy = || {
        worker(WANDA, 7);
        (20..26).for_each(|who| worker(who, 1_000));
        job(1_000, 10_000);
        train(WANDA, DISPUTED);
        assert_ok!(Training::dispute(signed(DORA), DISPUTED));
        pass(DRAW_DELAY);
        assert!(matches!(state(DISPUTED), JobState::Disputed { .. }));
    };
    noticed_in(healthy, expected, damage);
}

fn change(change: impl FnOnce(&mut Dispute<AccountId>)) {
    Disputes::<Test>::mutate(DISPUTED, |dispute| change(dispute.as_mut().expect("in dispute")));
}

fn drawn() -> AccountId {
    Training::dispute_of(DISPUTED).expect("in dispute").drawn[0].worker
}

/// The set that the workers are in.
fn set() -> VerifierSet {
    let size = SizeClass::up_to(BYTES).expect("large enough");
    VerifierSet { family: ModelFamily::Llama, base: None, size }
}

#[test]
fn a_dispute_that_is_not_its_jobs_is_noticed() {
    noticed("a job in dispute has no dispute", || {
        Disputes::<Test>::remove(DISPUTED);
        Duties::<Test>::drain().for_each(drop);
    });
    noticed("a dispute's job is gone", || {
        let dispute = Disputes::<Test>::get(DISPUTED).expect("in dispute");
        Disputes::<Test>::insert(77, dispute);
    });
    let other = "a dispute's outcome is not its job's state";
    noticed(other, || change(|dispute| dispute.outcome = Some(Outcome::Upheld)));
    noticed(other, || {
        job(1_000, 10_000);
        let dispute = Disputes::<Test>::get(DISPUTED).expect("in dispute");
        Disputes::<Test>::insert(1, dispute);
    });
}

#[test]
fn a_draw_that_cannot_be_is_noticed() {
    noticed("another number of workers than three is drawn", || {
        change(|dispute| assert!(dispute.drawn.pop().is_some()));
    });
    let party = "a party to a dispute is drawn for it";
    for who in [OWNER, WANDA, DORA] {
        noticed(party, || change(|dispute| dispute.drawn[0].worker = who));
    }
    noticed("a worker is drawn twice for a dispute", || {
        change(|dispute| dispute.drawn[1] = dispute.drawn[0]);
    });
    noticed("a finding was shown without its hash", || {
        change(|dispute| dispute.drawn[0].finding = Some(Finding::Holds));
    });
}

#[test]
fn a_drawn_worker_that_does_not_know_of_it_is_noticed() {
    noticed("a drawn worker does not know of it", || Duties::<Test>::remove(drawn()));
    let wrong = "a worker's draws are not its own";
    noticed(wrong, || {
        assert_ok!(Duties::<Test>::try_append(drawn(), 77));
    });
    noticed(wrong, || {
        assert_ok!(Duties::<Test>::try_append(WANDA, DISPUTED));
    });
}

#[test]
fn a_dispute_that_will_not_be_looked_at_is_noticed() {
    noticed("an entry of the agenda is behind the cursor", || {
        DisputeCursor::<Test>::put(100_000);
    });
    noticed("an entry stands on the other agenda", || {
        let at = AgendaOf::<Test>::get(DISPUTED).expect("unfinished");
        DisputeAgenda::<Test>::remove(at, DISPUTED);
        Payments::<Test>::insert(at, DISPUTED, ());
    });
    noticed("an unfinished job has no entry", || {
        let at = AgendaOf::<Test>::get(DISPUTED).expect("unfinished");
        DisputeAgenda::<Test>::remove(at, DISPUTED);
    });
}

#[test]
fn sets_of_verifiers_that_are_wrong_are_noticed() {
    noticed("a worker has no number", || VerifierIndex::<Test>::remove(20, set()));
    noticed("a worker's number is another's", || {
        VerifierIndex::<Test>::insert(20, set(), 0);
    });
    let stranger = "a set holds a worker that does not belong there";
    noticed(stranger, || Verifiers::<Test>::insert(set(), 99, 20));
    noticed(stranger, || VerifierIndex::<Test>::insert(OWNER, set(), 99));
    noticed("a set's workers are not counted right", || {
        VerifierCount::<Test>::mutate(set(), |count| *count += 1);
    });
    noticed("a set's workers are not counted", || VerifierCount::<Test>::remove(set()));
    noticed("a set has a gap", || {
        let index = VerifierIndex::<Test>::get(20, set()).expect("in the set");
        Verifiers::<Test>::remove(set(), index);
        Verifiers::<Test>::insert(set(), 99, 20);
        VerifierIndex::<Test>::insert(20, set(), 99);
    });
}

#[test]
fn a_bond_held_for_nothing_or_missing_is_noticed() {
    noticed("an account has another sum on hold than the records say", || {
        let reason = HoldReason::DisputeBond.into();
        assert_ok!(Balances::release(&reason, &DORA, 1, Precision::Exact));
    });
}

#[test]
fn a_drawn_worker_that_is_gone_is_noticed() {
    noticed("a drawn worker is gone", || {
        Workers::<Test>::remove(drawn());
        // No shelf misses it.
        pallet_training::Idle::<Test>::drain().for_each(drop);
        pallet_training::IdleFirsts::<Test>::drain().for_each(drop);
        for worker in Workers::<Test>::iter_keys().collect::<Vec<_>>() {
            Workers::<Test>::mutate(worker, |record| {
                record.as_mut().expect("registered").paused = true;
            });
        }
    });
}
