//! What every test of committees tells its story with.

use crate::mock::*;
use frame_support::{
    assert_ok,
    traits::{fungible::InspectHold, Hooks},
};
use openledger_primitives::{
    committee::{
        commitment, possession, Addresses, BudgetTerms, DrawId, Lengths, Opinion, Opinions,
        Outcome, Phase, PoolId, Rules,
    },
    traits::{ReviewPolicies, SubmittedFile},
    Balance, FileHash, MediaType, Modality, RejectionReason, ReviewPolicy, Score, SubmissionId,
    Verdict, EXTRACTOR, OPEN,
};
use pallet_review::{DrawRecord, Draws, HoldReason, Reviewers, Seats};
use sp_core::H256;

pub const POOL: PoolId = PoolId::Modality(Modality::Text);
pub const RULES: Rules = Rules::DEFAULT;
pub const CHALLENGER: AccountId = 3;
/// The first of those who have seats.
pub const FIRST: AccountId = 100;
pub const SALT: [u8; 32] = [6; 32];
pub const SUBMISSIONS: SubmissionId = 50;

/// What a member says of every file of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Accept(u8, u64),
    Reject,
    RejectAs(RejectionReason),
    Unavailable,
    /// Has it, and lacks an earlier file to compare it with.
    Lacks,
    /// Accepts without having the file.
    Guess,
    /// Commits and does not reveal.
    Waits,
    Nothing,
}
pub use Says::*;

pub const GOOD: Says = Accept(70, 500);

/// Runs `test` on a chain whose Datanet is judged by committees drawn from `seats` accounts with a seat
/// each, with a review budget of 100 OPEN; checks the state at the end.
pub fn with_committees(seats: u64, test: impl FnOnce()) {
    on_chain(3, || {
        let policy = ReviewPolicy::Committee { own_seats: false };
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy));
        if seats > 0 {
            assert_ok!(Review::fund_budget(signed(OWNER), DATANET, 100 * OPEN));
        }
        // What one account may have set aside is a story of its own.
        let terms = BudgetTerms { share: 100, ..BudgetTerms::DEFAULT };
        assert_ok!(Review::set_budget_terms(signed(OWNER), DATANET, terms));
        for who in FIRST..FIRST + seats {
            assert_ok!(Review::bond_seats(signed(who), POOL, 1));
        }
        // Two sessions on, they have places.
        sessions(2);
        System::reset_events();
        test();
    });
}

/// The next block, with what is due in it.
pub fn block() {
    System::set_block_number(System::block_number() + 1);
    Review::on_initialize(System::block_number());
    checked();
}

/// Whether the state is consistent, always.
#[track_caller]
pub fn checked() {
    Review::do_try_state().expect("the state is consistent");
}

/// Blocks that are not looked at.
pub fn hurry(count: u32) {
    for _ in 0..count {
        System::set_block_number(System::block_number() + 1);
        Review::on_initialize(System::block_number());
    }
}

pub fn blocks(count: u32) {
    (0..count).for_each(|_| block());
}

/// From now on seats leave with the next session.
pub fn leave_at_once() {
    CommitteeLengths::set(Lengths { leave: 1, ..Lengths::DEVELOPMENT });
}

/// Sessions of ten blocks each.
pub fn sessions(count: u32) {
    for _ in 0..count {
        CurrentSession::mutate(|session| *session += 1);
        blocks(10);
    }
}

pub fn bytes(file: &FileHash) -> Vec<u8> {
    file.repeat(3)
}

pub fn hash(number: SubmissionId) -> FileHash {
    let mut hash = [9; 32];
    hash[..8].copy_from_slice(&number.to_le_bytes());
    hash
}

/// Submits so many files in one call.
pub fn submit(count: u64) -> DrawId {
    submit_from(SUBMISSIONS, count)
}

pub fn submit_from(first: SubmissionId, count: u64) -> DrawId {
    let files: Vec<_> = (first..first + count)
        .map(|submission| {
            wait(hash(submission), submission, CONTRIBUTOR);
            let (sha256, media, size) = (hash(submission), MediaType::Txt, 1_000);
            SubmittedFile { submission, sha256, media, size }
        })
        .collect();
    let draw = pallet_review::NextDraw::<Test>::get();
    <Review as ReviewPolicies<AccountId>>::submitted(DATANET, &CONTRIBUTOR, &files, 1).unwrap();
    checked();
    draw
}

pub fn record(draw: DrawId) -> DrawRecord<AccountId> {
    Draws::<Test>::get(draw).expect("the draw is not over")
}

pub fn members(draw: DrawId) -> Vec<AccountId> {
    record(draw).draw.members.iter().map(|member| member.account).collect()
}

pub fn seats(who: AccountId) -> Seats {
    Reviewers::<Test>::get(POOL, who).unwrap_or_default()
}

/// What a member says of every file of a draw, in its bytes.
pub fn opinions(draw: DrawId, says: Says) -> Opinions {
    let record = record(draw).draw;
    let accept = |score, units| Verdict::Accept {
        score: Score::new(score).unwrap(),
        units,
        text_root: H256::repeat_byte(7),
        extractor: EXTRACTOR,
    };
    let word = |file: &FileHash| {
        let here = possession(&record.seed, &bytes(file));
        match says {
            Accept(score, units) => Opinion { verdict: accept(score, units), possession: here },
            Reject => {
                let verdict = Verdict::Reject(RejectionReason::OffTopic);
                Opinion { verdict, possession: here }
            }
            RejectAs(reason) => Opinion { verdict: Verdict::Reject(reason), possession: here },
            Unavailable => Opinion::UNAVAILABLE,
            Lacks => Opinion::undecided(here),
            Guess | Waits | Nothing => {
                Opinion { verdict: accept(50, 500), possession: H256::repeat_byte(1) }
            }
        }
    };
    let words: Vec<_> = record.files.iter().map(|file| word(&file.sha256)).collect();
    words.try_into().unwrap()
}

/// Has the members of a draw commit and reveal, each what is said in its place, and the draw decided.
pub fn judge(draw: DrawId, says: &[Says]) {
    let committee = members(draw);
    assert_eq!(committee.len(), says.len());
    for (who, says) in committee.iter().zip(says).filter(|(_, says)| **says != Nothing) {
        let words = opinions(draw, *says);
        let sealed = commitment(draw, &record(draw).draw.seed, who, &words, &SALT);
        assert_ok!(Review::commit(signed(*who), draw, sealed));
        checked();
    }
    if let Phase::Committing { by } = record(draw).draw.phase {
        while System::block_number() <= by.into() {
            block();
        }
    }
    for (who, says) in committee.iter().zip(says) {
        let revealing = Draws::<Test>::get(draw)
            .is_some_and(|record| matches!(record.draw.phase, Phase::Revealing { .. }));
        if revealing && !matches!(says, Nothing | Waits) {
            assert_ok!(Review::reveal(signed(*who), draw, opinions(draw, *says), SALT));
            checked();
        }
    }
    while Draws::<Test>::get(draw).is_some_and(|record| {
        matches!(record.draw.phase, Phase::Committing { .. } | Phase::Revealing { .. })
    }) {
        block();
    }
}

/// Lets the window to challenge go by.
pub fn unchallenged() {
    blocks(12);
}

/// What an account says of where it serves files.
pub fn addresses(of: &[&str]) -> Addresses {
    let texts = of.iter().map(|text| text.as_bytes().to_vec().try_into().expect("short"));
    texts.collect::<Vec<_>>().try_into().expect("few")
}

/// How files left draws, in order.
pub fn ended() -> Vec<(SubmissionId, Outcome)> {
    let said = System::events().into_iter().filter_map(|event| match event.event {
        RuntimeEvent::Review(pallet_review::Event::FileEnded { submission, outcome, .. }) => {
            Some((submission, outcome))
        }
        _ => None,
    });
    said.collect()
}

pub fn held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Seat.into(), &who)
}

pub fn bond_of(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Challenge.into(), &who)
}

/// Draws the committee of a call: two sessions later.
pub fn draw(id: DrawId) -> Vec<AccountId> {
    CurrentSession::mutate(|session| *session += 2);
    block();
    members(id)
}
