//! What must be true of seats, draws and money at all times.

use super::draws::RecordOf;
use crate::{
    Agenda, Budgets, Config, DrawOf, Draws, HoldReason, LargeSince, LeavingSizes, NextChange,
    NextDraw, NextTurn, Ordered32, Ordered64, Pallet, Parked, ParkedDraws, PlacedSeats, PoolSizes,
    ReservedFor, Reveals, Reviewers, SeatChanges, SeatPlaces, Seeds, ServedAt, SessionDraws,
    TurnOf, Turns, WaitingDraws, WaitingSeats,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect, InspectHold},
        Get,
    },
};
use openledger_primitives::{
    committee::{DrawId, FileState, Phase, PoolId, PoolSize, Progress, Purpose, Session},
    traits::{Sessions, Submissions},
    Balance, BlockNumber, DatanetId,
};
use sp_runtime::TryRuntimeError;

type Done = Result<(), TryRuntimeError>;

/// Seats of an account that wait to enter, and to leave, a pool.
type Moving<A> = BTreeMap<(PoolId, A), (u32, u32)>;

impl<T: Config> Pallet<T> {
    /// Checks every invariant of seats, draws and budgets, reading all of them.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub(crate) fn check_committees() -> Done {
        let moving = Self::check_queues()?;
        Self::check_places(&moving)?;
        Self::check_serving()?;
        Self::check_turns()?;
        Self::check_draws()?;
        Self::check_agendas()?;
        Self::check_duties()?;
        Self::check_money()
    }

    fn check_queues() -> Result<Moving<T::AccountId>, TryRuntimeError> {
        let mut moving = Moving::new();
        let mut changes = 0u64;
        let mut waiting: BTreeMap<(PoolId, Session), u32> = BTreeMap::new();
        for (pool, (due, number), change) in SeatChanges::<T>::iter() {
            ensure!(change.seats > 0, "a change moves no seat");
            ensure!(
                u64::from(number) < NextChange::<T>::get(),
                "a change has a number that was not given yet"
            );
            let seats = waiting.entry((pool, due.into())).or_default();
            *seats = seats.saturating_add(change.seats);
            changes = changes.saturating_add(1);
            let (enter, leave) = moving.entry((pool, change.account)).or_default();
            let side = if change.enters { enter } else { leave };
            *side = side.saturating_add(change.seats);
        }
        let counted: BTreeMap<_, _> =
            WaitingSeats::<T>::iter().map(|(pool, due, seats)| ((pool, due), seats)).collect();
        ensure!(counted == waiting, "waiting seats are miscounted");
        ensure!(SeatChanges::<T>::iter_keys().count() as u64 == changes, "a change cannot be read");
        Ok(moving)
    }

    /// That nobody without seats is said to serve files.
    fn check_serving() -> Done {
        let mut read = 0usize;
        for (pool, account, addresses) in ServedAt::<T>::iter() {
            ensure!(Reviewers::<T>::contains_key(pool, &account), "who has no seats serves files");
            ensure!(!addresses.is_empty(), "an account serves files nowhere");
            ensure!(Self::are_texts(&addresses), "an address cannot be read");
            read = read.saturating_add(1);
        }
        ensure!(ServedAt::<T>::iter_keys().count() == read, "an address cannot be read");
        Ok(())
    }

    /// That every pool that has something to do has a turn by then, and one.
    fn check_turns() -> Done {
        let mut first: BTreeMap<PoolId, Session> = BTreeMap::new();
        let mut at = |pool: PoolId, session: Session| {
            let of = first.entry(pool).or_insert(session);
            *of = session.min(*of);
        };
        for (pool, (due, _)) in SeatChanges::<T>::iter_keys() {
            at(pool, due.into());
        }
        for (pool, (session, _)) in WaitingDraws::<T>::iter_keys() {
            at(pool, session.into());
        }
        let now = T::Sessions::current();
        for (pool, session) in first {
            let turn = TurnOf::<T>::get(pool).map(|(of, _)| of);
            ensure!(turn.is_some_and(|of| of <= session.max(now)), "a pool waits for no turn");
        }
        for (pool, (of, turn)) in TurnOf::<T>::iter() {
            ensure!(
                Turns::<T>::get(Ordered32::from(of), Ordered64::from(turn)) == Some(pool),
                "a pool's turn is another's"
            );
            ensure!(turn < NextTurn::<T>::get(), "a turn has a number that was not given yet");
        }
        ensure!(
            Turns::<T>::iter_keys().count() == TurnOf::<T>::iter_keys().count(),
            "a turn is no pool's"
        );
        Ok(())
    }

    fn check_places(moving: &Moving<T::AccountId>) -> Done {
        let mut placed: BTreeMap<(PoolId, T::AccountId), u32> = BTreeMap::new();
        let mut sizes: BTreeMap<PoolId, u32> = BTreeMap::new();
        for (pool, place, (account, seat)) in PlacedSeats::<T>::iter() {
            ensure!(
                SeatPlaces::<T>::get(pool, (&account, seat)) == Some(place),
                "a seat does not know its place"
            );
            ensure!(place < PoolSizes::<T>::get(pool).seats, "places have gaps");
            let count = placed.entry((pool, account)).or_default();
            *count = count.saturating_add(1);
            let size = sizes.entry(pool).or_default();
            *size = size.saturating_add(1);
        }
        ensure!(
            SeatPlaces::<T>::iter_keys().count() == PlacedSeats::<T>::iter_keys().count(),
            "a place is nobody's"
        );
        for (pool, size) in PoolSizes::<T>::iter() {
            ensure!(sizes.get(&pool) == Some(&size.seats), "a pool's seats are miscounted");
            let accounts = placed.keys().filter(|(of, _)| *of == pool).count();
            ensure!(accounts == size.accounts as usize, "a pool's accounts are miscounted");
            let size = Self::staying(pool);
            let large = pool.is_large(size, &T::Rules::get(), &T::GlobalPool::get());
            ensure!(
                large == LargeSince::<T>::contains_key(pool),
                "a pool is not known to be as large as it is"
            );
        }
        ensure!(
            LargeSince::<T>::iter()
                .all(|(pool, since)| PoolSizes::<T>::contains_key(pool) && since <= Self::now()),
            "a pool that is not there is large"
        );
        ensure!(sizes.len() == PoolSizes::<T>::iter_keys().count(), "a pool has no size");
        let mut known = 0usize;
        let mut leaving: BTreeMap<PoolId, PoolSize> = BTreeMap::new();
        for (pool, account, record) in Reviewers::<T>::iter() {
            let leaves = record.leaves();
            if leaves != PoolSize::default() {
                let size = leaving.entry(pool).or_default();
                size.seats = size.seats.saturating_add(leaves.seats);
                size.accounts = size.accounts.saturating_add(leaves.accounts);
            }
            let key = (pool, account);
            let count = placed.get(&key).copied().unwrap_or(0);
            known = known.saturating_add(usize::from(count > 0));
            ensure!(count == record.placed, "an account's places are miscounted");
            let seats = (0..count).all(|seat| SeatPlaces::<T>::contains_key(pool, (&key.1, seat)));
            ensure!(seats, "an account's seats are not numbered from 0");
            let (enter, leave) = moving.get(&key).copied().unwrap_or_default();
            let reviewer = &record.reviewer;
            ensure!((reviewer.leaving > 0 && !reviewer.left) == (leave > 0), "seats do not leave");
            ensure!(leave <= reviewer.leaving, "more seats leave than were given up");
            ensure!(leave == record.going, "seats that leave are drawn as others are");
            let stay = reviewer.seats.saturating_add(leave).checked_sub(enter);
            ensure!(stay == Some(count), "seats have no places and wait for none");
        }
        ensure!(known == placed.len(), "a seat is nobody's");
        let counted: BTreeMap<_, _> = LeavingSizes::<T>::iter().collect();
        ensure!(counted == leaving, "the seats that leave a pool are miscounted");
        Ok(())
    }

    fn check_draws() -> Done {
        let next = NextDraw::<T>::get();
        ensure!(
            Draws::<T>::iter_keys().count() == Draws::<T>::iter_values().count(),
            "a draw cannot be read"
        );
        let mut before = 0usize;
        for (id, record) in Draws::<T>::iter() {
            ensure!(id < next, "a draw has a number that was not given yet");
            before = before.saturating_add(Self::check_draw(id, &record)?);
        }
        ensure!(DrawOf::<T>::iter_keys().count() == before, "a submission is before no draw");
        Ok(())
    }

    /// Checks one draw. Returns how many submissions are before it.
    fn check_draw(id: DrawId, record: &RecordOf<T>) -> Result<usize, TryRuntimeError> {
        let draw = &record.draw;
        let waits = draw.session().is_some();
        ensure!(!draw.files.is_empty(), "a draw of no file");
        ensure!(
            waits == draw.members.is_empty() || draw.phase == Phase::Over,
            "a committee is missing"
        );
        let mut members = BTreeSet::new();
        for member in &draw.members {
            ensure!(members.insert(&member.account), "an account is a member twice");
            ensure!(member.account != draw.contributor, "a contributor judges itself");
            ensure!(
                Some(&member.account) != draw.challenger.as_ref(),
                "a challenger judges itself"
            );
        }
        if let Purpose::Challenge { draw: first, file } = draw.purpose {
            let asked = Draws::<T>::get(first).ok_or("a challenge of no draw")?;
            let state = asked.draw.files.get(usize::from(file)).map(|file| &file.state);
            ensure!(
                matches!(state, Some(FileState::Challenged { by, .. }) if *by == id),
                "a challenge of no verdict"
            );
            ensure!(draw.challenger.is_some(), "a challenge is nobody's");
            ensure!(record.reserve == 0, "a challenge is paid from a budget");
            ensure!(waits || record.due.is_some(), "a draw is stuck");
            return Ok(0);
        }
        let mut before = 0usize;
        let mut challenged = false;
        for (place, file) in draw.files.iter().enumerate() {
            if let FileState::Challenged { by, .. } = file.state {
                challenged = true;
                let purpose = Draws::<T>::get(by).map(|larger| larger.draw.purpose);
                let asked = Purpose::Challenge { draw: id, file: place as u8 };
                ensure!(purpose == Some(asked), "nobody judges a challenge");
            }
            if Self::is_settled(record, place) {
                ensure!(matches!(file.state, FileState::Over(_)), "a file is settled too early");
                continue;
            }
            before = before.saturating_add(1);
            ensure!(DrawOf::<T>::get(file.submission) == Some(id), "a file is before another draw");
            let pending = T::Submissions::pending(record.datanet, &file.sha256);
            ensure!(
                pending.is_some_and(|pending| pending.submission == file.submission
                    && pending.contributor == draw.contributor),
                "a draw of what is not pending"
            );
        }
        ensure!(waits || record.due.is_some() || challenged, "a draw is stuck");
        Ok(before)
    }

    fn check_agendas() -> Done {
        let now: Session = T::Sessions::current();
        let mut sessions = BTreeMap::new();
        for (pool, (session, id)) in WaitingDraws::<T>::iter_keys() {
            let (session, id) = (Session::from(session), DrawId::from(id));
            let record = Draws::<T>::get(id);
            let waits = record.map(|record| (record.pool, record.draw.session()));
            ensure!(
                waits == Some((pool, Some(session))),
                "the agenda of sessions names another draw"
            );
            ensure!(session > now || Seeds::<T>::contains_key(session), "a seed was not kept");
            let draws = sessions.entry(session).or_insert(0u32);
            *draws = draws.saturating_add(1);
        }
        ensure!(
            SessionDraws::<T>::iter().collect::<BTreeMap<_, _>>() == sessions,
            "draws that wait for a session are miscounted"
        );
        for (pool, (accounts, id)) in ParkedDraws::<T>::iter_keys() {
            let (accounts, id) = (u32::from(accounts), DrawId::from(id));
            let record = Draws::<T>::get(id);
            let waits = record.filter(|record| record.draw.session().is_some());
            ensure!(
                waits.map(|record| record.pool) == Some(pool)
                    && Parked::<T>::get(id) == Some(accounts),
                "a draw is set aside that does not wait"
            );
        }
        ensure!(
            Parked::<T>::iter_keys().count() == ParkedDraws::<T>::iter_keys().count(),
            "a draw is set aside for no pool"
        );
        let waiting = Draws::<T>::iter_values().filter(|one| one.draw.session().is_some()).count();
        ensure!(WaitingDraws::<T>::iter_keys().count() == waiting, "a draw waits for no session");
        ensure!(
            Seeds::<T>::iter_keys().all(|session| sessions.contains_key(&session)),
            "a seed is kept for nothing"
        );
        for (block, id, ()) in Agenda::<T>::iter() {
            let due = Draws::<T>::get(DrawId::from(id)).and_then(|record| record.due);
            ensure!(due == Some(BlockNumber::from(block)), "the agenda names another draw");
        }
        let due = Draws::<T>::iter_values().filter(|record| record.due.is_some()).count();
        ensure!(Agenda::<T>::iter_keys().count() == due, "the agenda lacks a draw");
        Ok(())
    }

    /// That every reviewer knows what it judges, and that what was revealed is of a call that is not over.
    fn check_duties() -> Done {
        let mut open: BTreeMap<(PoolId, T::AccountId), (u32, u32)> = BTreeMap::new();
        let mut revealed = 0usize;
        for (id, record) in Draws::<T>::iter() {
            for member in &record.draw.members {
                let seats = Reviewers::<T>::get(record.pool, &member.account)
                    .ok_or("a member has no seats")?;
                let (now, before) = open.entry((record.pool, member.account.clone())).or_default();
                let count =
                    if member.generation == seats.reviewer.generation { now } else { before };
                *count = count.saturating_add(1);
                let voting =
                    matches!(record.draw.phase, Phase::Committing { .. } | Phase::Revealing { .. });
                let call = record.draw.purpose.is_call();
                if (voting || call) && matches!(member.progress, Progress::Revealed) {
                    let opinions = Reveals::<T>::get(id, &member.account);
                    // Draws that were decided before words were kept have none.
                    ensure!(opinions.is_some() || !voting, "what was revealed is missing");
                    let Some(opinions) = opinions else { continue };
                    let words = opinions.len();
                    ensure!(words == record.draw.files.len(), "what was revealed is missing");
                    revealed = revealed.saturating_add(1);
                }
            }
        }
        ensure!(Reveals::<T>::iter_keys().count() == revealed, "a vote of no draw");
        for (pool, account, record) in Reviewers::<T>::iter() {
            let counted = open.get(&(pool, account)).copied().unwrap_or_default();
            let judging = (record.reviewer.open, record.reviewer.open_before);
            ensure!(judging == counted, "a reviewer's draws are miscounted");
        }
        Ok(())
    }

    fn check_money() -> Done {
        let mut seats: BTreeMap<T::AccountId, Balance> = BTreeMap::new();
        for (_, account, record) in Reviewers::<T>::iter() {
            let held = seats.entry(account).or_default();
            *held = held.saturating_add(record.reviewer.held);
        }
        let mut bonds: BTreeMap<T::AccountId, Balance> = BTreeMap::new();
        let mut reserved: BTreeMap<DatanetId, Balance> = BTreeMap::new();
        let mut of_accounts: BTreeMap<(DatanetId, T::AccountId), Balance> = BTreeMap::new();
        for record in Draws::<T>::iter_values() {
            if let Some(challenger) = record.draw.challenger.clone() {
                let bond = bonds.entry(challenger).or_default();
                *bond = bond.saturating_add(record.bond);
            }
            let files = record.draw.files.len();
            let open = (0..files).filter(|place| !Self::is_settled(&record, *place)).count();
            let sum = reserved.entry(record.datanet).or_default();
            let set_aside = record.reserve.saturating_mul(open as Balance);
            *sum = sum.saturating_add(set_aside);
            if set_aside > 0 {
                let account = (record.datanet, record.draw.contributor.clone());
                let sum = of_accounts.entry(account).or_default();
                *sum = sum.saturating_add(set_aside);
            }
        }
        for (reason, held) in [(HoldReason::Seat, seats), (HoldReason::Challenge, bonds)] {
            let reason = reason.into();
            for (account, amount) in held {
                let on_hold = T::Currency::balance_on_hold(&reason, &account);
                ensure!(on_hold == amount, "an account's holds are not its seats and challenges");
            }
        }
        let mut all: Balance = 0;
        for (datanet, budget) in Budgets::<T>::iter() {
            ensure!(budget.is_conserved(), "a review budget is not conserved");
            let set_aside = reserved.remove(&datanet).unwrap_or(0);
            ensure!(budget.reserved == set_aside, "a review budget's reserve is miscounted");
            all = all.saturating_add(budget.available).saturating_add(budget.reserved);
        }
        ensure!(reserved.values().all(|amount| *amount == 0), "a reserve of no budget");
        ensure!(
            T::Currency::total_balance(&Self::pot()) >= all,
            "the account of the review budgets lacks some"
        );
        let counted: BTreeMap<_, _> =
            ReservedFor::<T>::iter().map(|(datanet, who, sum)| ((datanet, who), sum)).collect();
        ensure!(counted == of_accounts, "what is set aside for an account is miscounted");
        Ok(())
    }
}
