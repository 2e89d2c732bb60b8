//! What the calls and the steps at the start of a block cost, measured: verdicts are those that settle, in ranges of a
//! million leaves, and committees are of the most members.

// What is set up is small, and what goes wrong here stops a benchmark and no chain.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use super::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{hold::Mutate as _, Mutate},
        Get,
    },
    BoundedVec,
};
use frame_system::RawOrigin;
use openledger_primitives::{
    committee::{
        commitment, places, Addresses, BudgetTerms, DrawId, Opinion, Opinions, Phase, PoolId,
        PoolSize, Progress, Session, MAX_ADDRESS, MAX_ADDRESSES,
    },
    traits::{BenchmarkSetup, Sessions, SubmittedFile},
    verdict::MAX_CURATORS,
    Balance, BlockNumber, DatanetId, FileHash, Modality, RejectionReason, ReviewPolicy, Salt,
    Score, Verdict, MAX_ITEMS, OPEN,
};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};

/// A block late enough for anything to lie behind.
const NOW: BlockNumber = 10_000_000;
/// A session late enough for the same.
const SESSION: Session = 1_000;
/// Accepting one leaf more merges twenty nodes.
const LEAVES: u64 = (1 << 20) - 1;
/// The seats that are drawn from.
const POOL: PoolId = PoolId::Modality(Modality::Text);
/// Accounts with seats: enough for both committees of a file.
const REVIEWERS: u32 = 60;
/// What commitments are opened with.
const SALT: Salt = [7; 32];

fn rich<T: Config>(name: &'static str, n: u32) -> T::AccountId {
    let who: T::AccountId = account(name, n, 0);
    T::Currency::set_balance(&who, 1_000_000 * OPEN);
    who
}

fn at<T: Config>(block: BlockNumber) {
    frame_system::Pallet::<T>::set_block_number(block.into());
}

/// Lets the session come after the one in which seats are due that were asked for so many blocks ago.
fn after<T: Config>(blocks: BlockNumber) {
    at::<T>(NOW.saturating_add(blocks));
    let due = places::due_session(SESSION, blocks, T::Sessions::length());
    T::BenchmarkHelper::set_session(due.saturating_add(1));
}

/// An acceptance that measured so many units.
fn accept<T: Config>(units: u64) -> Verdict {
    let extractor = CurrentExtractor::<T>::get();
    Verdict::Accept { score: Score::MAX, units, text_root: H256::repeat_byte(1), extractor }
}

fn curators<T: Config>() -> Vec<T::AccountId> {
    (0..MAX_CURATORS).map(|n| rich::<T>("curator", n)).collect()
}

fn policy<T: Config>() -> ReviewPolicy<T::AccountId> {
    let members = BoundedVec::truncate_from(curators::<T>());
    ReviewPolicy::Curators { members, threshold: MAX_CURATORS as u8 }
}

/// A Datanet of as many curators as there may be, with a policy that has waited until now and a reward pool, and a
/// file on which all but the first of them have voted.
fn voted<T: Config>(n: u32) -> (T::AccountId, DatanetId, SubmittedFile) {
    at::<T>(NOW);
    let owner = rich::<T>("owner", n);
    let contributor = rich::<T>("contributor", n);
    let id = T::BenchmarkHelper::datanet(&owner, policy::<T>());
    let waiting = WaitingPolicy { policy: policy::<T>(), from: NOW };
    WaitingPolicies::<T>::insert(id, waiting);
    T::BenchmarkHelper::set_leaves(id, LEAVES);
    T::BenchmarkHelper::reward_pool(id, &contributor);
    let file = T::BenchmarkHelper::pending(id, &contributor);
    let verdict = accept::<T>(1_000);
    let votes = curators::<T>().into_iter().skip(1).map(|who| (who, verdict)).collect();
    let votes = Votes::truncate_from(votes);
    let ballot = Ballot { datanet: id, sha256: file.sha256, votes };
    Ballots::<T>::insert(file.submission, ballot);
    (owner, id, file)
}

/// A Datanet of committees, with a reward pool and as many files as one call brings, of which a committee is asked.
fn asked<T: Config>(count: u32) -> Result<(T::AccountId, DatanetId, DrawId), BenchmarkError> {
    let (owner, id, files) = for_committee::<T>(count);
    Pallet::<T>::do_request_review(id, files)?;
    Ok((owner, id, NextDraw::<T>::get().saturating_sub(1)))
}

type Hashes = BoundedVec<FileHash, frame_support::pallet_prelude::ConstU32<MAX_ITEMS>>;

fn for_committee<T: Config>(count: u32) -> (T::AccountId, DatanetId, Hashes) {
    at::<T>(NOW);
    T::BenchmarkHelper::set_session(SESSION);
    let owner = rich::<T>("owner", 0);
    let contributor = rich::<T>("contributor", 0);
    let policy = ReviewPolicy::Committee { own_seats: false };
    let id = T::BenchmarkHelper::datanet(&owner, policy);
    T::BenchmarkHelper::fund_reviews(id);
    T::BenchmarkHelper::set_leaves(id, LEAVES);
    T::BenchmarkHelper::reward_pool(id, &contributor);
    let files = (0..count).map(|_| T::BenchmarkHelper::pending(id, &contributor).sha256);
    (owner, id, Hashes::truncate_from(files.collect()))
}

/// Gives accounts seats in the pool.
fn seat<T: Config>(accounts: u32, each: u32) -> Result<(), BenchmarkError> {
    let rules = T::Rules::get();
    let mut place = 0;
    for n in 0..accounts {
        let who = rich::<T>("reviewer", n);
        let mut seats = Seats::default();
        let held = seats.reviewer.take(each, &rules).unwrap_or_default();
        T::Currency::hold(&HoldReason::Seat.into(), &who, held)?;
        seats.placed = each;
        Reviewers::<T>::insert(POOL, &who, seats);
        for number in 0..each {
            PlacedSeats::<T>::insert(POOL, place, (&who, number));
            SeatPlaces::<T>::insert(POOL, (&who, number), place);
            place += 1;
        }
    }
    PoolSizes::<T>::insert(POOL, PoolSize { seats: place, accounts });
    LargeSince::<T>::insert(POOL, 0);
    Ok(())
}

/// Lets the session come that a draw waits for.
fn session_of<T: Config>(id: DrawId) -> Session {
    let session = Draws::<T>::get(id).and_then(|record| record.draw.session()).unwrap_or_default();
    T::BenchmarkHelper::set_session(session);
    Seeds::<T>::insert(session, [1; 32]);
    session
}

/// Draws the committee of a draw.
fn draw<T: Config>(id: DrawId) -> Result<(), BenchmarkError> {
    let session = session_of::<T>(id);
    Pallet::<T>::draw_committee(POOL, session, id)?;
    Ok(())
}

fn opinions<T: Config>(id: DrawId, units: u64) -> Opinions {
    let files = Draws::<T>::get(id).map_or(0, |record| record.draw.files.len());
    let one = Opinion { verdict: accept::<T>(units), possession: H256::repeat_byte(1) };
    Opinions::truncate_from((0..files).map(|_| one).collect())
}

fn members<T: Config>(id: DrawId) -> Vec<T::AccountId> {
    let record = Draws::<T>::get(id);
    record.into_iter().flat_map(|record| record.draw.members).map(|one| one.account).collect()
}

/// Has members commit to what they say, each to so many units.
fn commit_all<T: Config>(id: DrawId, units: impl Fn(usize) -> u64) -> Result<(), BenchmarkError> {
    for (n, who) in members::<T>(id).into_iter().enumerate() {
        let hash = sealed::<T>(id, &who, units(n));
        Pallet::<T>::do_commit(who, id, hash)?;
    }
    Ok(())
}

fn sealed<T: Config>(id: DrawId, who: &T::AccountId, units: u64) -> H256 {
    let seed = Draws::<T>::get(id).map(|record| record.draw.seed).unwrap_or_default();
    commitment(id, &seed, who, &opinions::<T>(id, units), &SALT)
}

/// Has the first so many members show what they said.
fn reveal_first<T: Config>(
    id: DrawId,
    count: usize,
    units: impl Fn(usize) -> u64,
) -> Result<(), BenchmarkError> {
    for (n, who) in members::<T>(id).into_iter().enumerate().take(count) {
        Pallet::<T>::do_reveal(who, id, opinions::<T>(id, units(n)), SALT)?;
    }
    Ok(())
}

fn decide<T: Config>(id: DrawId) -> Result<(), BenchmarkError> {
    let mut record = Draws::<T>::get(id).ok_or(BenchmarkError::Stop("there is no such draw"))?;
    Pallet::<T>::set_due(id, &mut record, None);
    Pallet::<T>::decide(id, record)?;
    Ok(())
}

/// A committee has accepted all files of a call.
fn judged<T: Config>() -> Result<DrawId, BenchmarkError> {
    let (.., id) = asked::<T>(MAX_ITEMS)?;
    seat::<T>(REVIEWERS, 1)?;
    draw::<T>(id)?;
    commit_all::<T>(id, |_| 1_000)?;
    reveal_first::<T>(id, usize::MAX, |_| 1_000)?;
    decide::<T>(id)?;
    Ok(id)
}

/// Its first file is challenged, and the larger committee is drawn.
fn challenged<T: Config>() -> Result<DrawId, BenchmarkError> {
    let id = judged::<T>()?;
    Pallet::<T>::do_challenge(rich::<T>("challenger", 0), id, 0)?;
    let by = NextDraw::<T>::get().saturating_sub(1);
    draw::<T>(by)?;
    Ok(by)
}

fn until<T: Config>(id: DrawId) -> BlockNumber {
    let due = Draws::<T>::get(id).and_then(|record| record.draw.due());
    due.unwrap_or_default().saturating_add(1)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn vote() {
        let (_, id, file) = voted::<T>(0);
        let who: T::AccountId = account("curator", 0, 0);
        let verdict = accept::<T>(1_000);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, file.sha256, file.submission, verdict);
        assert!(!Ballots::<T>::contains_key(file.submission));
    }

    /// One that leaves the last to another curator.
    #[benchmark]
    fn cast_vote() {
        let (_, id, file) = voted::<T>(0);
        Ballots::<T>::mutate(file.submission, |ballot| {
            if let Some(ballot) = ballot {
                ballot.votes.pop();
            }
        });
        let who: T::AccountId = account("curator", 0, 0);
        let verdict = accept::<T>(1_000);
        #[extrinsic_call]
        vote(RawOrigin::Signed(who), id, file.sha256, file.submission, verdict);
        assert!(Ballots::<T>::contains_key(file.submission));
    }

    /// The last of those that agree, but that none of them accepts.
    #[benchmark]
    fn refuse_by_vote() {
        let (_, id, file) = voted::<T>(0);
        let verdict = Verdict::Reject(RejectionReason::LowQuality);
        Ballots::<T>::mutate(file.submission, |ballot| {
            for one in ballot.iter_mut().flat_map(|ballot| ballot.votes.iter_mut()) {
                one.1 = verdict;
            }
        });
        let who: T::AccountId = account("curator", 0, 0);
        #[extrinsic_call]
        vote(RawOrigin::Signed(who), id, file.sha256, file.submission, verdict);
        assert!(!Ballots::<T>::contains_key(file.submission));
    }

    /// Each of another Datanet and contributor.
    #[benchmark]
    fn vote_many(v: Linear<1, MAX_VOTES>) {
        let cast = |n| {
            let (_, datanet, file) = voted::<T>(n);
            let SubmittedFile { submission, sha256, .. } = file;
            CastVote { datanet, sha256, submission, verdict: accept::<T>(1_000) }
        };
        let votes = BoundedVec::truncate_from((0..v).map(cast).collect());
        let who: T::AccountId = account("curator", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), votes);
    }

    #[benchmark]
    fn resign() {
        let (_, id, _) = voted::<T>(0);
        let who: T::AccountId = account("curator", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id);
    }

    #[benchmark]
    fn set_policy() {
        let (owner, id, _) = voted::<T>(0);
        let members = (0..MAX_CURATORS).map(|n| account("other", n, 0)).collect();
        let members = BoundedVec::truncate_from(members);
        let policy = ReviewPolicy::Curators { members, threshold: 1 };
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, policy);
    }

    #[benchmark]
    fn raise_extractor() {
        let next = CurrentExtractor::<T>::get().saturating_add(1);
        #[extrinsic_call]
        _(RawOrigin::Root, next);
    }

    /// `bond_seats` and `unbond_seats`, without what moving the seats takes later.
    #[benchmark]
    fn ask_for_seats() {
        at::<T>(NOW);
        T::BenchmarkHelper::set_session(SESSION);
        let owner = rich::<T>("owner", 0);
        let policy = ReviewPolicy::Committee { own_seats: true };
        let pool = PoolId::Datanet(T::BenchmarkHelper::datanet(&owner, policy));
        let who = rich::<T>("reviewer", 0);
        // It has a turn, but a later one.
        Pallet::<T>::take_turn(pool, SESSION.saturating_add(9));
        #[extrinsic_call]
        bond_seats(RawOrigin::Signed(who), pool, MAX_SEATS);
    }

    #[benchmark]
    fn withdraw_seats() -> Result<(), BenchmarkError> {
        seat::<T>(1, 2)?;
        let who: T::AccountId = account("reviewer", 0, 0);
        Reviewers::<T>::mutate(POOL, &who, |seats| {
            if let Some(seats) = seats {
                let _ = seats.reviewer.give_up(1).and_then(|()| seats.reviewer.leave());
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who), POOL);
        Ok(())
    }

    #[benchmark]
    fn top_up() -> Result<(), BenchmarkError> {
        asked::<T>(1)?;
        seat::<T>(1, 2)?;
        let who: T::AccountId = account("reviewer", 0, 0);
        Reviewers::<T>::mutate(POOL, &who, |seats| {
            if let Some(seats) = seats {
                seats.reviewer.lose(OPEN);
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who), POOL);
        Ok(())
    }

    /// As many addresses as there may be, as long as they may be.
    #[benchmark]
    fn serve_at() -> Result<(), BenchmarkError> {
        seat::<T>(1, 1)?;
        let who: T::AccountId = account("reviewer", 0, 0);
        let one = BoundedVec::truncate_from(alloc::vec![b'/'; MAX_ADDRESS as usize]);
        let all = (0..MAX_ADDRESSES).map(|_| one.clone()).collect();
        let addresses = Addresses::truncate_from(all);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), POOL, addresses);
        Ok(())
    }

    /// The last one, which lets reveals begin.
    #[benchmark]
    fn commit() -> Result<(), BenchmarkError> {
        let (.., id) = asked::<T>(MAX_ITEMS)?;
        seat::<T>(REVIEWERS, 1)?;
        draw::<T>(id)?;
        commit_all::<T>(id, |_| 1_000)?;
        // As it was before the last.
        let who = members::<T>(id).pop().ok_or(BenchmarkError::Stop("nobody was drawn"))?;
        let mut record = Draws::<T>::get(id).ok_or(BenchmarkError::Stop("there is no draw"))?;
        record.draw.phase = Phase::Committing { by: NOW.saturating_add(100) };
        record.draw.members.iter_mut().filter(|one| one.account == who).for_each(|one| {
            one.progress = Progress::Drawn;
        });
        Pallet::<T>::set_due(id, &mut record, Some(NOW.saturating_add(101)));
        Draws::<T>::insert(id, record);
        let hash = sealed::<T>(id, &who, 1_000);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, hash);
        Ok(())
    }

    /// The last one.
    #[benchmark]
    fn reveal() -> Result<(), BenchmarkError> {
        let (.., id) = asked::<T>(MAX_ITEMS)?;
        seat::<T>(REVIEWERS, 1)?;
        draw::<T>(id)?;
        commit_all::<T>(id, |_| 1_000)?;
        let who = members::<T>(id).pop().ok_or(BenchmarkError::Stop("nobody was drawn"))?;
        let others = members::<T>(id).len().saturating_sub(1);
        reveal_first::<T>(id, others, |_| 1_000)?;
        let opinions = opinions::<T>(id, 1_000);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, opinions, SALT);
        Ok(())
    }

    #[benchmark]
    fn challenge() -> Result<(), BenchmarkError> {
        let id = judged::<T>()?;
        let who = rich::<T>("challenger", 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, 19);
        Ok(())
    }

    #[benchmark]
    fn request_review(f: Linear<1, MAX_ITEMS>) {
        let (owner, id, files) = for_committee::<T>(f);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, files);
    }

    /// And `take_back`.
    #[benchmark]
    fn fund_budget() {
        let (owner, id, _) = for_committee::<T>(0);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, OPEN);
    }

    #[benchmark]
    fn set_budget_terms() {
        let (owner, id, _) = for_committee::<T>(0);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, BudgetTerms { files_a_day: 1, share: 1 });
    }

    /// The start of a session's first block, in which nothing else is due.
    #[benchmark]
    fn begin_block_idle() -> Result<(), BenchmarkError> {
        let (.., id) = asked::<T>(1)?;
        let record = Draws::<T>::get(id).ok_or(BenchmarkError::Stop("there is no draw"))?;
        let session = record.draw.session().unwrap_or_default();
        let _ = Turns::<T>::clear(u32::MAX, None);
        T::BenchmarkHelper::set_session(session);
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        assert!(Seeds::<T>::contains_key(session));
        Ok(())
    }

    /// So many pools have a turn, each of them to move a seat.
    #[benchmark]
    fn turn_pools(p: Linear<0, 16>) -> Result<(), BenchmarkError> {
        at::<T>(NOW);
        T::BenchmarkHelper::set_session(SESSION);
        let owner = rich::<T>("owner", 0);
        let who = rich::<T>("reviewer", 0);
        for _ in 0..p {
            let policy = ReviewPolicy::Committee { own_seats: true };
            let pool = PoolId::Datanet(T::BenchmarkHelper::datanet(&owner, policy));
            Pallet::<T>::do_bond_seats(who.clone(), pool, 2)?;
        }
        after::<T>(T::Lengths::get().enter);
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// So many seats leave one pool, each of another account, and others take their places.
    #[benchmark]
    fn move_seats(s: Linear<1, 8>) -> Result<(), BenchmarkError> {
        at::<T>(NOW);
        seat::<T>(REVIEWERS, 8)?;
        T::BenchmarkHelper::set_session(SESSION);
        for n in 0..s {
            Pallet::<T>::do_unbond_seats(account("reviewer", n, 0), POOL, 1)?;
        }
        after::<T>(T::Lengths::get().leave);
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        assert_eq!(WaitingSeats::<T>::iter_prefix_values(POOL).sum::<u32>(), 0);
        Ok(())
    }

    /// A challenge's committee is drawn.
    #[benchmark]
    fn draw_committee() -> Result<(), BenchmarkError> {
        let id = judged::<T>()?;
        Pallet::<T>::do_challenge(rich::<T>("challenger", 0), id, 0)?;
        let by = NextDraw::<T>::get().saturating_sub(1);
        let session = session_of::<T>(by);
        #[block]
        {
            Pallet::<T>::draw_committee(POOL, session, by)?;
        }
        assert!(!members::<T>(by).is_empty());
        Ok(())
    }

    /// A challenge's committee is looked for as often as it may be, and not found.
    #[benchmark]
    fn postpone_draw() -> Result<(), BenchmarkError> {
        let id = judged::<T>()?;
        Pallet::<T>::do_challenge(rich::<T>("challenger", 0), id, 0)?;
        let by = NextDraw::<T>::get().saturating_sub(1);
        // Nobody's bond covers a seat any more, of so many that hardly one is looked at twice.
        seat::<T>(2_000, 1)?;
        for n in 0..2_000 {
            let who: T::AccountId = account("reviewer", n, 0);
            Reviewers::<T>::mutate(POOL, &who, |seats| {
                if let Some(seats) = seats {
                    seats.reviewer.lose(Balance::MAX);
                }
            });
        }
        let session = session_of::<T>(by);
        #[block]
        {
            Pallet::<T>::draw_committee(POOL, session, by)?;
        }
        assert!(members::<T>(by).is_empty());
        Ok(())
    }

    /// A committee finds nothing of the most files, without two of its members, and another one is asked.
    #[benchmark]
    fn ask_again() -> Result<(), BenchmarkError> {
        let (.., id) = asked::<T>(MAX_ITEMS)?;
        seat::<T>(REVIEWERS, 1)?;
        draw::<T>(id)?;
        commit_all::<T>(id, |n| 1_000 + n as u64)?;
        // What they measured is not the same text.
        reveal_first::<T>(id, 3, |n| 1_000 + n as u64)?;
        for (n, who) in members::<T>(id).into_iter().enumerate().take(3) {
            Reveals::<T>::mutate(id, who, |said| {
                for one in said.iter_mut().flatten() {
                    one.possession = BlakeTwo256::hash_of(&(n as u64));
                }
            });
        }
        at::<T>(until::<T>(id));
        #[block]
        {
            decide::<T>(id)?;
        }
        Ok(())
    }

    /// Nobody of a challenge's committee shows what it said.
    #[benchmark]
    fn decide_challenge() -> Result<(), BenchmarkError> {
        let by = challenged::<T>()?;
        commit_all::<T>(by, |_| 5_000)?;
        at::<T>(until::<T>(by));
        #[block]
        {
            decide::<T>(by)?;
        }
        Ok(())
    }

    /// A file of a call is accepted, after which it can be challenged no more.
    #[benchmark]
    fn settle_file() -> Result<(), BenchmarkError> {
        let id = judged::<T>()?;
        at::<T>(until::<T>(id));
        #[block]
        {
            let record = Draws::<T>::get(id).ok_or(BenchmarkError::Stop("there is no draw"))?;
            Pallet::<T>::settle_next(id, record)?;
        }
        Ok(())
    }

    /// A larger committee measures a file anew: both are paid or lose, and the file is accepted.
    #[benchmark]
    fn resolve_challenge() -> Result<(), BenchmarkError> {
        let by = challenged::<T>()?;
        commit_all::<T>(by, |_| 5_000)?;
        reveal_first::<T>(by, usize::MAX, |_| 5_000)?;
        decide::<T>(by)?;
        #[block]
        {
            let mut larger = Draws::<T>::get(by).ok_or(BenchmarkError::Stop("there is no draw"))?;
            Pallet::<T>::set_due(by, &mut larger, None);
            Pallet::<T>::resolve(by, larger)?;
        }
        assert!(!Draws::<T>::contains_key(by));
        Ok(())
    }
}
