//! Who may call what and when, and what it costs.

use super::story::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use openledger_primitives::committee::{commitment, Opinions, Phase};
use pallet_review::{Error, Reveals};
use sp_core::H256;

fn sealed(draw: u64, who: AccountId, words: &Opinions) -> H256 {
    commitment(draw, &record(draw).draw.seed, &who, words, &SALT)
}

#[test]
fn votes_are_free_if_they_succeed() {
    with_committees(30, || {
        let id = submit(1);
        let committee = draw(id);
        let words = opinions(id, GOOD);
        for who in &committee {
            let done = Review::commit(signed(*who), id, sealed(id, *who, &words)).unwrap();
            assert_eq!(done.pays_fee, Pays::No);
        }
        let done = Review::reveal(signed(committee[0]), id, words, SALT).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        let failed = Review::reveal(signed(committee[0]), id, opinions(id, GOOD), SALT);
        assert_eq!(failed.unwrap_err().post_info.pays_fee, Pays::Yes);
    });
}

#[test]
fn commitments_are_one_a_member_and_in_time() {
    with_committees(30, || {
        let id = submit(1);
        let stranger = signed(77);
        assert_noop!(
            Review::commit(stranger.clone(), 99, H256::zero()),
            Error::<Test>::UnknownDraw
        );
        assert_noop!(Review::commit(stranger.clone(), id, H256::zero()), Error::<Test>::WrongPhase);
        let committee = draw(id);
        let who = committee[0];
        assert_noop!(Review::commit(stranger, id, H256::zero()), Error::<Test>::NotMember);
        let words = opinions(id, GOOD);
        assert_ok!(Review::commit(signed(who), id, sealed(id, who, &words)));
        assert_noop!(
            Review::commit(signed(who), id, H256::zero()),
            Error::<Test>::AlreadyCommitted
        );
        assert_noop!(Review::reveal(signed(who), id, words, SALT), Error::<Test>::WrongPhase);
        let Phase::Committing { by } = record(id).draw.phase else { panic!() };
        System::set_block_number(u64::from(by) + 1);
        assert_noop!(
            Review::commit(signed(committee[1]), id, H256::zero()),
            Error::<Test>::TooLate
        );
    });
}

#[test]
fn reveals_open_for_who_committed_and_for_nothing_else() {
    with_committees(30, || {
        let id = submit(2);
        let committee = draw(id);
        let words = opinions(id, GOOD);
        // The last of them copies what the first one committed to.
        let copied = sealed(id, committee[0], &words);
        for who in &committee[..3] {
            assert_ok!(Review::commit(signed(*who), id, sealed(id, *who, &words)));
        }
        assert_ok!(Review::commit(signed(committee[3]), id, copied));
        blocks(21);
        let reveal = |who: AccountId, words: Opinions, salt| {
            Review::reveal(signed(who), id, words, salt).map(drop).map_err(|failed| failed.error)
        };
        assert_noop!(reveal(77, words.clone(), SALT), Error::<Test>::NotMember);
        assert_noop!(reveal(committee[4], words.clone(), SALT), Error::<Test>::NotCommitted);
        assert_noop!(reveal(committee[3], words.clone(), SALT), Error::<Test>::OtherCommitment);
        assert_noop!(reveal(committee[0], words.clone(), [1; 32]), Error::<Test>::OtherCommitment);
        assert_noop!(
            reveal(committee[0], opinions(id, Reject), SALT),
            Error::<Test>::OtherCommitment
        );
        let short = words[..1].to_vec().try_into().unwrap();
        assert_noop!(reveal(committee[0], short, SALT), Error::<Test>::OtherFiles);
        assert_ok!(reveal(committee[0], words.clone(), SALT));
        assert_noop!(reveal(committee[0], words.clone(), SALT), Error::<Test>::AlreadyRevealed);
        assert_eq!(Reveals::<Test>::iter_keys().count(), 1);
        let Phase::Revealing { by } = record(id).draw.phase else { panic!() };
        System::set_block_number(u64::from(by) + 1);
        assert_noop!(reveal(committee[1], words, SALT), Error::<Test>::TooLate);
        block();
        assert_eq!(Reveals::<Test>::iter_keys().count(), 0, "votes are needed no more");
    });
}

#[test]
fn challenges_are_of_verdicts_in_their_window_and_of_each_once() {
    with_committees(40, || {
        let id = submit(3);
        let committee = draw(id);
        let challenge = |who: AccountId, file| Review::challenge(signed(who), id, file);
        assert_noop!(challenge(CHALLENGER, 0), Error::<Test>::WrongPhase);
        judge(id, &[GOOD, GOOD, GOOD, GOOD, Reject]);
        assert_noop!(challenge(CHALLENGER, 3), Error::<Test>::NoFile);
        assert_noop!(challenge(committee[0], 0), Error::<Test>::OwnVerdict);
        assert!(challenge(REVIEWERS_TO + 1, 0).is_err(), "it has nothing to put up");
        assert_ok!(challenge(CHALLENGER, 0));
        assert_noop!(challenge(CHALLENGER, 0), Error::<Test>::AlreadyChallenged);
        assert_ok!(challenge(committee[4], 1));
        checked();
        unchallenged();
        assert_noop!(challenge(CHALLENGER, 2), Error::<Test>::TooLate);
        // The one that nobody challenged is over, the others wait.
        assert_eq!(
            ended(),
            [(SUBMISSIONS + 2, openledger_primitives::committee::Outcome::Accepted)]
        );
        let (one, other) = (id + 1, id + 2);
        draw(one);
        judge(one, &[GOOD; 15]);
        judge(other, &[GOOD; 15]);
        blocks(3);
        assert_eq!(ended().len(), 3);
    });
}

#[test]
fn anyone_moves_on_what_is_due_and_pays_nothing() {
    with_committees(30, || {
        let stranger = || signed(77);
        assert_eq!(
            Review::advance(stranger()).unwrap_err().error,
            Error::<Test>::NothingDue.into()
        );
        let id = submit(1);
        CurrentSession::mutate(|session| *session += 2);
        // A block whose start found no time for it: the seed stands, the committee does not.
        pallet_review::Seeds::<Test>::insert(CurrentSession::get(), [3; 32]);
        pallet_review::LastSession::<Test>::put(CurrentSession::get());
        assert_eq!(Review::advance(stranger()).unwrap().pays_fee, Pays::No);
        checked();
        assert_eq!(members(id).len(), 5);
        judge(id, &[GOOD; 5]);
        System::set_block_number(System::block_number() + 12);
        assert_eq!(Review::advance(stranger()).unwrap().pays_fee, Pays::No);
        assert_eq!(ended().len(), 1);
        assert!(Review::advance(stranger()).is_err());
    });
}

#[test]
fn a_call_of_twenty_files_is_settled_file_by_file_over_some_blocks() {
    with_committees(30, || {
        let id = submit(20);
        draw(id);
        judge(id, &[GOOD; 5]);
        let Phase::Judged { until } = record(id).draw.phase else { panic!() };
        System::set_block_number(u64::from(until));
        block();
        assert_eq!(ended().len(), 16, "as many as a block does");
        block();
        assert_eq!(ended().len(), 20);
        assert_eq!(Settled::get().len(), 20);
    });
}
