//! Draws from the submission to the committee.

use crate::{
    Ballots, BudgetShareUse, BudgetUse, Config, CurrentExtractor, DrawOf, DrawRecord, Draws, Error,
    Event, LargeSince, NextDraw, Ordered32, Ordered64, Pallet, Parked, ParkedDraws, PoolSizes,
    SeatPlaces, Seeds, SessionDraws, WaitingDraws,
};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get, BoundedVec};
use openledger_primitives::{
    committee::{
        draw_seed, life::Lack, pick, Draw, DrawId, DrawnFile, FileState, Phase, PoolId, Purpose,
        Rules, Seed, Session, SESSIONS_TO_DRAW,
    },
    traits::{ReviewLimit, Sessions, Submissions, SubmittedFile},
    Balance, DatanetId, Day, FileHash, ReviewPolicy, SubmissionId, MAX_ITEMS,
};
use sp_core::ConstU32;
use sp_runtime::DispatchResult;

/// A draw in storage, as the calls handle it.
pub(crate) type RecordOf<T> = DrawRecord<<T as frame_system::Config>::AccountId>;

impl<T: Config> Pallet<T> {
    /// Opens a draw for files that were submitted in one call, where the Datanet's policy says so.
    pub(crate) fn do_submitted(
        datanet: DatanetId,
        contributor: &T::AccountId,
        files: &[SubmittedFile],
        today: Day,
    ) -> DispatchResult {
        let count = files.len() as u32;
        let used =
            Self::budget_use(datanet, contributor, count, today).map_err(|limit| match limit {
                ReviewLimit::Datanet(_) => Error::<T>::BudgetFiles,
                ReviewLimit::Share(_) => Error::<T>::BudgetShare,
                ReviewLimit::Budget { .. } => Error::<T>::BudgetTooLow,
                ReviewLimit::Reserved { .. } => Error::<T>::BudgetShareReserved,
            })?;
        let Some((all, share)) = used else { return Ok(()) };
        BudgetUse::<T>::insert(datanet, all);
        BudgetShareUse::<T>::insert(datanet, contributor, share);
        Self::open_draw(datanet, contributor.clone(), files)
    }

    pub(crate) fn do_request_review(
        datanet: DatanetId,
        hashes: BoundedVec<FileHash, ConstU32<MAX_ITEMS>>,
    ) -> DispatchResult {
        let mut files: Vec<SubmittedFile> = Vec::with_capacity(hashes.len());
        let mut contributor = None;
        for sha256 in hashes {
            let pending =
                T::Submissions::pending(datanet, &sha256).ok_or(Error::<T>::NotPending)?;
            let submission = pending.submission;
            ensure!(!DrawOf::<T>::contains_key(submission), Error::<T>::AlreadyBeforeCommittee);
            ensure!(files.iter().all(|file| file.submission != submission), Error::<T>::NoFile);
            let whose = contributor.get_or_insert(pending.contributor.clone());
            ensure!(*whose == pending.contributor, Error::<T>::OtherContributor);
            let (media, size) = (pending.media, pending.size);
            files.push(SubmittedFile { submission, sha256, media, size });
        }
        let contributor = contributor.ok_or(Error::<T>::NoFile)?;
        Self::open_draw(datanet, contributor.clone(), &files)?;
        let (reserved, most) = Self::reserved_for(datanet, &contributor);
        ensure!(reserved <= most, Error::<T>::BudgetShareReserved);
        Ok(())
    }

    /// The seats that a Datanet's committees are drawn from.
    fn pool_of(datanet: DatanetId) -> Result<(PoolId, u64), Error<T>> {
        let (modality, min_units) =
            T::Submissions::terms(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        match Self::policy(datanet) {
            Some(ReviewPolicy::Committee { own_seats: true }) => {
                Ok((PoolId::Datanet(datanet), min_units))
            }
            Some(ReviewPolicy::Committee { own_seats: false }) => {
                Ok((PoolId::Modality(modality), min_units))
            }
            _ => Err(Error::<T>::NoCommittee),
        }
    }

    fn open_draw(
        datanet: DatanetId,
        contributor: T::AccountId,
        files: &[SubmittedFile],
    ) -> DispatchResult {
        let (pool, min_units) = Self::pool_of(datanet)?;
        let drawn = |file: &SubmittedFile| DrawnFile {
            submission: file.submission,
            sha256: file.sha256,
            media: file.media,
            size: file.size,
            state: FileState::Open,
            stands: BoundedVec::default(),
        };
        let draw = Draw::new(
            Purpose::Review { asked: 0 },
            contributor.clone(),
            None,
            files.iter().map(drawn).collect(),
            min_units,
            T::Sessions::current(),
        )
        .map_err(Error::<T>::from)?;
        for file in files {
            Ballots::<T>::remove(file.submission);
        }
        let reserve = Self::reserve_files(datanet, &contributor, files.len() as u32)?;
        Self::enter_draw(datanet, pool, reserve, 0, draw).map(drop)
    }

    /// Gives a draw a number, and has it wait for its seed. `reserve` is set aside for each of its files.
    pub(crate) fn enter_draw(
        datanet: DatanetId,
        pool: PoolId,
        reserve: Balance,
        bond: Balance,
        draw: Draw<T::AccountId>,
    ) -> Result<DrawId, sp_runtime::DispatchError> {
        let id = NextDraw::<T>::get();
        NextDraw::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
        let files = draw.files.len() as u32;
        if draw.purpose.is_call() {
            for file in &draw.files {
                DrawOf::<T>::insert(file.submission, id);
            }
        }
        let mut record =
            DrawRecord { datanet, pool, global: false, reserve, bond, settled: 0, due: None, draw };
        let session = Self::await_seed(id, &mut record);
        Draws::<T>::insert(id, record);
        Self::deposit_event(Event::DrawOpened { draw: id, datanet, files, session });
        Ok(id)
    }

    /// Has a draw wait for the seed of its session; of the next, where that one's has gone by: nobody
    /// has kept it.
    fn await_seed(id: DrawId, record: &mut RecordOf<T>) -> Session {
        let next = T::Sessions::current().saturating_add(1);
        let mut at = next;
        if let Phase::Waiting { session, tries } = record.draw.phase {
            at = session.max(next);
            record.draw.phase = Phase::Waiting { session: at, tries };
        }
        WaitingDraws::<T>::insert(record.pool, (Ordered32::from(at), Ordered64::from(id)), ());
        SessionDraws::<T>::mutate(at, |draws| *draws = draws.saturating_add(1));
        Self::take_turn(record.pool, at);
        at
    }

    /// Has a draw that could not be made wait for the seed of the next session.
    pub(crate) fn await_later(id: DrawId) {
        if let Some(mut record) = Draws::<T>::get(id) {
            Self::await_seed(id, &mut record);
            Draws::<T>::insert(id, record);
        }
    }

    /// The draw of a pool that waits for the seed of the earliest session.
    pub(crate) fn next_waiting(pool: PoolId) -> Option<(Session, DrawId)> {
        let (session, id) = WaitingDraws::<T>::iter_key_prefix(pool).next()?;
        Some((session.into(), id.into()))
    }

    /// The first draw of a pool that waits for the seed of this session or an earlier one.
    pub(crate) fn first_waiting(pool: PoolId, current: Session) -> Option<(Session, DrawId)> {
        Self::next_waiting(pool).filter(|(session, _)| *session <= current)
    }

    /// Keeps the randomness of a session that begins, where draws wait for it.
    pub(crate) fn keep_seed(session: Session) {
        if SessionDraws::<T>::contains_key(session) {
            Seeds::<T>::insert(session, T::Sessions::randomness());
        }
    }

    /// Takes a draw out of those that wait for a session's seed.
    pub(crate) fn stop_waiting(pool: PoolId, session: Session, id: DrawId) {
        WaitingDraws::<T>::remove(pool, (Ordered32::from(session), Ordered64::from(id)));
        let left = SessionDraws::<T>::get(session).saturating_sub(1);
        if left > 0 {
            SessionDraws::<T>::insert(session, left);
        } else {
            SessionDraws::<T>::remove(session);
            Seeds::<T>::remove(session);
        }
    }

    /// The first of a pool's parked draws for which it has accounts enough by now.
    pub(crate) fn first_wanted(pool: PoolId) -> Option<DrawId> {
        let (wants, id) = ParkedDraws::<T>::iter_key_prefix(pool).next()?;
        (u32::from(wants) <= PoolSizes::<T>::get(pool).accounts).then(|| id.into())
    }

    /// Sets a draw aside until its pool has so many accounts.
    fn park(pool: PoolId, id: DrawId, accounts: u32) {
        ParkedDraws::<T>::insert(pool, (Ordered32::from(accounts), Ordered64::from(id)), ());
        Parked::<T>::insert(id, accounts);
    }

    /// Takes a draw out of those that are set aside. Whether it was one.
    fn unpark(pool: PoolId, id: DrawId) -> bool {
        let Some(accounts) = Parked::<T>::take(id) else { return false };
        ParkedDraws::<T>::remove(pool, (Ordered32::from(accounts), Ordered64::from(id)));
        true
    }

    /// Has a parked draw wait for a seed again, as if it had been submitted now: of blocks after those in which
    /// the seats came that it waited for.
    pub(crate) fn wake(pool: PoolId, id: DrawId) {
        Self::unpark(pool, id);
        let Some(mut record) = Draws::<T>::get(id) else { return };
        let Phase::Waiting { session, tries } = record.draw.phase else { return };
        Self::stop_waiting(pool, session, id);
        let session = T::Sessions::current().saturating_add(SESSIONS_TO_DRAW);
        record.draw.phase = Phase::Waiting { session, tries };
        let session = Some(Self::await_seed(id, &mut record));
        Draws::<T>::insert(id, record);
        Self::deposit_event(Event::DrawPostponed { draw: id, lacks_seats: true, session });
    }

    /// Draws the committee of a draw whose session has come, or postpones it.
    pub(crate) fn draw_committee(pool: PoolId, session: Session, id: DrawId) -> DispatchResult {
        let randomness = Seeds::<T>::get(session);
        Self::stop_waiting(pool, session, id);
        // Its session came before the accounts that it waited for.
        let last = Self::unpark(pool, id);
        let mut record = Draws::<T>::get(id).ok_or(Error::<T>::UnknownDraw)?;
        let Some(randomness) = randomness else {
            // Only corrupted state has no seed: the draw waits for another.
            Self::await_later(id);
            return Ok(());
        };
        match Self::committee_of(id, &mut record, &randomness) {
            Ok((seed, members)) => Self::begin_draw(id, record, seed, members),
            Err(lack) => Self::postpone_draw(id, record, lack, last),
        }
    }

    /// Who is to judge, and what is set aside for it.
    #[allow(clippy::type_complexity)]
    fn committee_of(
        id: DrawId,
        record: &mut RecordOf<T>,
        randomness: &[u8; 32],
    ) -> Result<(Seed, Vec<T::AccountId>), Lack> {
        let rules = T::Rules::get();
        let (pool, wanted) = (record.pool, record.draw.wanted(&rules));
        let size = PoolSizes::<T>::get(pool);
        let seed = draw_seed(randomness, id);
        let first = Self::first_committee(record);
        let barred = |who: &T::AccountId| {
            *who == record.draw.contributor
                || record.draw.challenger.as_ref() == Some(who)
                || first.contains(who)
        };
        if size.accounts < Self::accounts_wanted(record, &first, &rules) {
            return Err(Lack::Accounts);
        }
        let challenge = matches!(record.draw.purpose, Purpose::Challenge { .. });
        let owner = |place| Self::drawable(pool, place, challenge);
        let picked = pick(&seed, wanted, size.seats, owner, barred);
        if picked.accounts.len() < usize::from(wanted) {
            return Err(Lack::Seats);
        }
        if record.draw.purpose.is_call() {
            // Only draws that were opened before reserves were set aside at once have none.
            if record.reserve == 0 {
                let files = record.draw.files.len() as u32;
                let contributor = &record.draw.contributor;
                record.reserve = Self::reserve_files(record.datanet, contributor, files)
                    .map_err(|_| Lack::Budget)?;
            }
            let since = LargeSince::<T>::get(pool);
            record.global =
                since.is_some_and(|since| T::GlobalPool::get().is_old(since, Self::now()));
        }
        Ok((seed, picked.accounts))
    }

    /// Who judged what a challenge is about.
    fn first_committee(record: &RecordOf<T>) -> Vec<T::AccountId> {
        match record.draw.purpose {
            Purpose::Challenge { draw, .. } => Draws::<T>::get(draw)
                .map(|first| first.draw.members.into_iter().map(|one| one.account).collect())
                .unwrap_or_default(),
            Purpose::Review { .. } | Purpose::Uncompared { .. } => Vec::new(),
        }
    }

    /// How many accounts a pool must have for a draw: as many as are wanted, and those that are passed over and
    /// have seats.
    fn accounts_wanted(record: &RecordOf<T>, first: &[T::AccountId], rules: &Rules) -> u32 {
        let draw = &record.draw;
        let challenger = draw.challenger.as_ref().filter(|who| **who != draw.contributor);
        let others = first.iter().filter(|who| **who != draw.contributor);
        let others = others.filter(|who| draw.challenger.as_ref() != Some(who));
        let barred = core::iter::once(&draw.contributor).chain(challenger).chain(others);
        let has_seats =
            |who: &&T::AccountId| SeatPlaces::<T>::contains_key(record.pool, (*who, 0u32));
        u32::from(draw.wanted(rules)).saturating_add(barred.filter(has_seats).count() as u32)
    }

    fn begin_draw(
        id: DrawId,
        mut record: RecordOf<T>,
        seed: Seed,
        accounts: Vec<T::AccountId>,
    ) -> DispatchResult {
        let mut members = Vec::with_capacity(accounts.len());
        for account in &accounts {
            members.push((account.clone(), Self::note_drawn(record.pool, account)?));
        }
        let (rules, lengths) = (T::Rules::get(), T::Lengths::get());
        let extractor = CurrentExtractor::<T>::get();
        record
            .draw
            .begin(members, seed, extractor, Self::now(), &rules, &lengths)
            .map_err(Error::<T>::from)?;
        let commit_by = record.draw.due().ok_or(Error::<T>::Inconsistent)?;
        let datanet = record.datanet;
        Self::set_due(id, &mut record, Some(commit_by.saturating_add(1)));
        Draws::<T>::insert(id, record);
        let members = BoundedVec::truncate_from(accounts);
        Self::deposit_event(Event::CommitteeDrawn { draw: id, datanet, members, commit_by });
        Ok(())
    }

    /// A committee could not be drawn. Where too few accounts have seats the draw takes no place among others until
    /// they do; `last` says that it waited for them in vain.
    fn postpone_draw(
        id: DrawId,
        mut record: RecordOf<T>,
        lack: Lack,
        last: bool,
    ) -> DispatchResult {
        let waits = match last && !matches!(lack, Lack::Budget) {
            true => record.draw.expire().map(|()| false),
            false => record.draw.postpone(lack),
        }
        .map_err(Error::<T>::from)?;
        let session = match waits {
            true => {
                if let Lack::Accounts = lack {
                    let first = Self::first_committee(&record);
                    let wanted = Self::accounts_wanted(&record, &first, &T::Rules::get());
                    Self::park(record.pool, id, wanted);
                }
                Some(Self::await_seed(id, &mut record))
            }
            false => {
                Self::set_due(id, &mut record, Some(Self::now()));
                None
            }
        };
        Draws::<T>::insert(id, record);
        let lacks_seats = !matches!(lack, Lack::Budget);
        Self::deposit_event(Event::DrawPostponed { draw: id, lacks_seats, session });
        Ok(())
    }

    /// Whether a committee was drawn for a submission, this one or one before, or could be computed by
    /// anyone: the session has begun whose seed it waits for, and only its turn has not come. Nothing may
    /// change then, or committees would be looked at first and avoided.
    pub fn was_drawn(submission: SubmissionId) -> bool {
        DrawOf::<T>::get(submission).and_then(Draws::<T>::get).is_some_and(|record| {
            let first = matches!(record.draw.purpose, Purpose::Review { asked: 0 });
            let current = T::Sessions::current();
            !(first && record.draw.session().is_some_and(|session| session > current))
        })
    }

    /// Takes a file out of its draw that ended otherwise, before its committee was drawn.
    pub(crate) fn leave_draw(submission: SubmissionId) {
        let Some(id) = DrawOf::<T>::get(submission) else { return };
        let Some(mut record) = Draws::<T>::get(id) else { return };
        let Some(session) = record.draw.session() else { return };
        DrawOf::<T>::remove(submission);
        let (datanet, pool, reserve) = (record.datanet, record.pool, record.reserve);
        let contributor = record.draw.contributor.clone();
        match record.draw.take_out(submission) {
            Ok(true) => Draws::<T>::insert(id, record),
            Ok(false) => {
                Self::stop_waiting(pool, session, id);
                Self::unpark(pool, id);
                Draws::<T>::remove(id);
            }
            Err(_) => {
                frame_support::defensive!("a draw has not the file that points to it");
                return;
            }
        }
        if Self::settle_budget(datanet, &contributor, reserve, 0).is_err() {
            frame_support::defensive!("a budget has not the reserve of a file");
        }
    }
}
