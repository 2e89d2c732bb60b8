//! Which extractor votes name, and what a raised one does to earlier votes.

use crate::mock::*;
use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    dispatch::Pays,
    storage::unhashed,
    traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};
use openledger_primitives::{
    RejectionReason::{Duplicate, Harmful, OffTopic},
    Score, Verdict, EXTRACTOR,
};
use pallet_review::{
    migrations::{BallotV1, ToV2, VerdictV1},
    Ballots, CurrentExtractor, Error, Event,
};
use sp_core::H256;
use sp_runtime::traits::BadOrigin;

const NEXT: u16 = EXTRACTOR + 1;

fn raise() {
    let next = CurrentExtractor::<Test>::get() + 1;
    assert_ok!(Review::raise_extractor(RuntimeOrigin::root(), next));
}

#[test]
fn genesis_names_the_extractor_of_this_release() {
    on_chain(1, || assert_eq!(CurrentExtractor::<Test>::get(), EXTRACTOR));
}

#[test]
fn a_vote_measured_by_another_extractor_is_refused() {
    on_chain(1, || {
        for other in [0, 1, EXTRACTOR - 1, NEXT, u16::MAX] {
            assert_noop!(vote(11, accept_by(other, 50, 100, 7)), Error::<Test>::OtherExtractor);
        }
        assert_ok!(vote(11, accept(50, 100)));
        assert_eq!(verdict(), Some(accept(50, 100)));
    });
}

#[test]
fn a_vote_to_reject_needs_no_extractor() {
    on_chain(1, || {
        raise();
        assert_ok!(vote(11, reject(Harmful)));
        assert_eq!(verdict(), Some(reject(Harmful)));
    });
}

#[test]
fn only_root_raises_the_extractor_and_only_by_one() {
    on_chain(1, || {
        for who in [OWNER, 11] {
            assert_noop!(Review::raise_extractor(signed(who), NEXT), BadOrigin);
        }
        for wrong in [0, 1, EXTRACTOR, NEXT + 1, u16::MAX] {
            assert_noop!(
                Review::raise_extractor(RuntimeOrigin::root(), wrong),
                Error::<Test>::NotNextExtractor
            );
        }
        raise();
        assert_eq!(
            System::read_events_for_pallet::<Event<Test>>(),
            vec![Event::ExtractorRaised { extractor: NEXT }]
        );
        // Never back: votes that were set aside would come back with it.
        assert_noop!(
            Review::raise_extractor(RuntimeOrigin::root(), EXTRACTOR),
            Error::<Test>::NotNextExtractor
        );
    });
}

#[test]
fn the_last_version_there_can_be_is_not_passed() {
    unchecked(1, || {
        CurrentExtractor::<Test>::put(u16::MAX);
        assert_noop!(
            Review::raise_extractor(RuntimeOrigin::root(), 0),
            Error::<Test>::NotNextExtractor
        );
    });
}

#[test]
fn votes_set_aside_by_a_raise_count_no_more() {
    on_chain(2, || {
        assert_ok!(vote(11, accept(50, 100)));
        raise();
        assert_noop!(vote(12, accept(50, 100)), Error::<Test>::OtherExtractor);
        assert_ok!(vote(12, accept_by(NEXT, 60, 100, 7)));
        assert_eq!(verdict(), None, "one vote of two counts");
        assert_eq!(voters(), vec![11, 12], "and none is forgotten");
        assert_ok!(vote(13, accept_by(NEXT, 70, 100, 7)));
        assert_eq!(verdict(), Some(accept_by(NEXT, 60, 100, 7)));
    });
}

#[test]
fn votes_set_aside_do_not_decide_under_a_lowered_threshold() {
    on_chain(3, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(12, accept(50, 100)));
        raise();
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 2)));
        assert_ok!(vote(13, reject(OffTopic)));
        assert_eq!(verdict(), None);
        assert_ok!(vote(14, reject(OffTopic)));
        assert_eq!(verdict(), Some(reject(OffTopic)));
    });
}

#[test]
fn who_was_set_aside_votes_again_without_fee_and_only_once() {
    on_chain(3, || {
        assert_eq!(vote_and_pay(11, accept(50, 100)), Ok(Pays::Yes));
        assert_eq!(vote_and_pay(12, accept(50, 100)), Ok(Pays::Yes));
        assert_eq!(vote_and_pay(13, reject(Duplicate)), Ok(Pays::Yes));
        raise();
        // A vote that fails pays, or it could be repeated for ever.
        assert_noop!(vote(11, accept(50, 100)), Error::<Test>::OtherExtractor);
        assert_eq!(vote_and_pay(11, accept_by(NEXT, 50, 100, 7)), Ok(Pays::No));
        assert_eq!(vote_and_pay(11, accept_by(NEXT, 51, 100, 7)), Ok(Pays::Yes));
        // Whatever it says now; a vote to reject was never set aside.
        assert_eq!(vote_and_pay(12, reject(Harmful)), Ok(Pays::No));
        assert_eq!(vote_and_pay(13, accept_by(NEXT, 50, 100, 7)), Ok(Pays::Yes));
        assert_eq!(vote_and_pay(14, accept_by(NEXT, 50, 100, 7)), Ok(Pays::Yes));
        assert_eq!(verdict(), Some(accept_by(NEXT, 50, 100, 7)));
    });
}

#[test]
fn a_curator_who_was_removed_gets_no_free_vote() {
    on_chain(3, || {
        assert_ok!(vote(11, accept(50, 100)));
        raise();
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[12, 13], 2)));
        assert_noop!(vote(11, accept_by(NEXT, 50, 100, 7)), Error::<Test>::NotCurator);
        assert_eq!(vote_and_pay(12, accept_by(NEXT, 50, 100, 7)), Ok(Pays::Yes));
        assert_eq!(voters(), vec![12]);
    });
}

#[test]
fn a_full_ballot_of_votes_set_aside_takes_all_of_them_anew() {
    on_chain(1, || {
        let all: Vec<_> = (100..116).collect();
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&all, 16)));
        for curator in &all {
            let units = if *curator == 100 { 101 } else { 100 };
            assert_ok!(vote(*curator, accept(50, units)));
        }
        raise();
        for curator in &all {
            assert_eq!(verdict(), None);
            assert_eq!(vote_and_pay(*curator, accept_by(NEXT, 50, 100, 7)), Ok(Pays::No));
        }
        assert_eq!(verdict(), Some(accept_by(NEXT, 50, 100, 7)));
    });
}

/// Puts a ballot of storage version 1 on submission `submission`.
fn old_ballot(submission: u64, file: [u8; 32], votes: &[(AccountId, VerdictV1)]) {
    let ballot =
        BallotV1 { datanet: DATANET, sha256: file, votes: votes.to_vec().try_into().unwrap() };
    unhashed::put_raw(&Ballots::<Test>::hashed_key_for(submission), &ballot.encode());
}

fn old_accept(units: u64) -> VerdictV1 {
    VerdictV1::Accept { score: Score::new(50).unwrap(), units, text_root: H256::repeat_byte(7) }
}

fn upgrade() {
    ToV2::<Test>::on_runtime_upgrade();
}

#[test]
fn the_upgrade_keeps_every_vote_and_sets_acceptances_aside() {
    on_chain(2, || {
        CurrentExtractor::<Test>::kill();
        StorageVersion::new(1).put::<Review>();
        old_ballot(5, FILE, &[(11, old_accept(100))]);
        old_ballot(6, OTHER_FILE, &[(12, VerdictV1::Reject(OffTopic)), (13, old_accept(9))]);
        upgrade();
        assert_eq!(CurrentExtractor::<Test>::get(), EXTRACTOR);
        assert_eq!(Review::on_chain_storage_version(), StorageVersion::new(2));
        assert_eq!(voters(), vec![11]);
        let other = Ballots::<Test>::get(6).unwrap().votes;
        assert_eq!(other.into_inner(), vec![(12, reject(OffTopic)), (13, accept_by(1, 50, 9, 7))]);
        Review::do_try_state().unwrap();

        assert_eq!(vote_and_pay(12, accept(60, 100)), Ok(Pays::Yes));
        assert_eq!(verdict(), None, "extractor 1 measured the other vote");
        assert_eq!(vote_and_pay(11, accept(50, 100)), Ok(Pays::No));
        assert_eq!(verdict(), Some(accept(50, 100)));
        // A vote to reject from before goes on counting.
        assert_ok!(Review::vote(signed(14), DATANET, OTHER_FILE, 6, reject(OffTopic)));
        assert_eq!(Settled::get().len(), 2);
    });
}

#[test]
fn the_upgrade_runs_once() {
    on_chain(2, || {
        CurrentExtractor::<Test>::kill();
        StorageVersion::new(1).put::<Review>();
        upgrade();
        raise();
        assert_ok!(vote(11, accept_by(NEXT, 50, 100, 7)));
        upgrade();
        assert_eq!(CurrentExtractor::<Test>::get(), NEXT);
        assert_eq!(voters(), vec![11]);
    });
}

/// The bytes of an acceptance from before have an index that means nothing now, so that they are
/// never read as another vote.
#[test]
fn a_vote_in_its_old_encoding_is_not_decoded() {
    use codec::DecodeAll;
    let old = old_accept(100).encode();
    assert!(Verdict::decode_all(&mut &old[..]).is_err());
    let followed = [&old[..], &[2, 0]].concat();
    assert!(Verdict::decode_all(&mut &followed[..]).is_err());
}
