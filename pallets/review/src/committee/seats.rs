//! Reviewers' seats: bonding them, giving them up, and the places from which they are drawn.

use crate::{
    Config, Error, Event, HoldReason, LargeSince, LeavingSizes, NextChange, Ordered32, Ordered64,
    Pallet, PlacedSeats, PoolSizes, Reviewers, SeatChange, SeatChanges, SeatPlaces, Seats,
    ServedAt, WaitingSeats, MAX_SEATS, MAX_WAITING_SEATS,
};
use core::marker::PhantomData;
use frame_support::{
    ensure,
    traits::{
        fungible::hold::Mutate as _,
        tokens::{Fortitude, Precision, Restriction},
        Get,
    },
};
use openledger_primitives::{
    committee::{
        places::{self, Places},
        DrawId, PoolId, PoolSize, Reviewer, Session, SESSIONS_TO_DRAW,
    },
    traits::{Sessions, Submissions},
    Balance, BlockNumber,
};
use sp_runtime::DispatchResult;

/// A pool's seats in storage.
struct Pool<T>(PoolId, PhantomData<T>);

impl<T: Config> Places<T::AccountId> for Pool<T> {
    fn size(&self) -> PoolSize {
        PoolSizes::<T>::get(self.0)
    }

    fn set_size(&mut self, size: PoolSize) {
        match size.seats {
            0 => PoolSizes::<T>::remove(self.0),
            _ => PoolSizes::<T>::insert(self.0, size),
        }
    }

    fn seat(&self, place: u32) -> Option<(T::AccountId, u32)> {
        PlacedSeats::<T>::get(self.0, place)
    }

    fn set_seat(&mut self, place: u32, seat: Option<(T::AccountId, u32)>) {
        PlacedSeats::<T>::set(self.0, place, seat);
    }

    fn place(&self, account: &T::AccountId, seat: u32) -> Option<u32> {
        SeatPlaces::<T>::get(self.0, (account, seat))
    }

    fn set_place(&mut self, account: &T::AccountId, seat: u32, place: Option<u32>) {
        SeatPlaces::<T>::set(self.0, (account, seat), place);
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_bond_seats(who: T::AccountId, pool: PoolId, seats: u32) -> DispatchResult {
        if let PoolId::Datanet(datanet) = pool {
            ensure!(T::Submissions::owner(datanet).is_some(), Error::<T>::UnknownDatanet);
            ensure!(!T::Submissions::is_closed(datanet), Error::<T>::DatanetClosed);
        }
        ensure!(seats <= MAX_SEATS, Error::<T>::SeatCount);
        let mut record = Reviewers::<T>::get(pool, &who).unwrap_or_default();
        let others_wait = record.wait();
        let held = record.reviewer.take(seats, &T::Rules::get()).map_err(Error::<T>::from)?;
        T::Currency::hold(&HoldReason::Seat.into(), &who, held)?;
        Reviewers::<T>::insert(pool, &who, record);
        Self::enqueue(pool, &who, true, seats, others_wait)?;
        Self::deposit_event(Event::SeatsBonded { pool, account: who, seats, held });
        Ok(())
    }

    pub(crate) fn do_unbond_seats(who: T::AccountId, pool: PoolId, seats: u32) -> DispatchResult {
        ensure!(seats <= MAX_SEATS, Error::<T>::SeatCount);
        let mut record = Reviewers::<T>::get(pool, &who).ok_or(Error::<T>::NoSeats)?;
        let (before, others_wait) = (record, record.wait());
        record.reviewer.give_up(seats).map_err(Error::<T>::from)?;
        record.going = seats;
        // As long as it takes from a call to its draw: nobody who sees a committee coming changes it.
        record.going_from = T::Sessions::current().saturating_add(SESSIONS_TO_DRAW);
        Self::keep_places(pool, &who, &before, record);
        Self::enqueue(pool, &who, false, seats, others_wait)?;
        Self::deposit_event(Event::SeatsGivenUp { pool, account: who, seats });
        Ok(())
    }

    pub(crate) fn do_withdraw_seats(who: T::AccountId, pool: PoolId) -> DispatchResult {
        let mut record = Reviewers::<T>::get(pool, &who).ok_or(Error::<T>::NoSeats)?;
        let amount = record.reviewer.withdraw(&T::Rules::get()).map_err(Error::<T>::from)?;
        T::Currency::release(&HoldReason::Seat.into(), &who, amount, Precision::Exact)?;
        Self::keep_reviewer(pool, &who, record);
        Self::deposit_event(Event::SeatsReturned { pool, account: who, amount });
        Ok(())
    }

    pub(crate) fn do_top_up(who: T::AccountId, pool: PoolId) -> DispatchResult {
        let mut record = Reviewers::<T>::get(pool, &who).ok_or(Error::<T>::NoSeats)?;
        let amount = record.reviewer.top_up(&T::Rules::get());
        ensure!(amount > 0, Error::<T>::NothingLost);
        // Or who is not drawn for its losses would choose committees to be drawn for.
        let waiting = Self::first_waiting(pool, T::Sessions::current());
        ensure!(waiting.is_none(), Error::<T>::SeedStands);
        T::Currency::hold(&HoldReason::Seat.into(), &who, amount)?;
        Reviewers::<T>::insert(pool, &who, record);
        Self::deposit_event(Event::SeatsToppedUp { pool, account: who, amount });
        Ok(())
    }

    /// A record of nothing is none.
    fn keep_reviewer(pool: PoolId, who: &T::AccountId, record: Seats) {
        let Reviewer { seats, leaving, held, open, open_before, .. } = record.reviewer;
        let none = seats == 0 && leaving == 0 && held == 0 && open == 0 && open_before == 0;
        match none && record.placed == 0 {
            true => {
                Reviewers::<T>::remove(pool, who);
                ServedAt::<T>::remove(pool, who);
            }
            false => Reviewers::<T>::insert(pool, who, record),
        }
    }

    /// Keeps a reviewer whose seats enter or leave, and how large its pool is without those that leave.
    pub(crate) fn keep_places(pool: PoolId, who: &T::AccountId, before: &Seats, record: Seats) {
        let (old, new) = (before.leaves(), record.leaves());
        if old != new {
            let size = LeavingSizes::<T>::get(pool);
            let size = PoolSize {
                seats: size.seats.saturating_add(new.seats).saturating_sub(old.seats),
                accounts: size.accounts.saturating_add(new.accounts).saturating_sub(old.accounts),
            };
            match size == PoolSize::default() {
                true => LeavingSizes::<T>::remove(pool),
                false => LeavingSizes::<T>::insert(pool, size),
            }
        }
        Reviewers::<T>::insert(pool, who, record);
        Self::note_size(pool);
    }

    /// How large a pool is without the seats that wait to leave.
    pub(crate) fn staying(pool: PoolId) -> PoolSize {
        let (all, leaving) = (PoolSizes::<T>::get(pool), LeavingSizes::<T>::get(pool));
        PoolSize {
            seats: all.seats.saturating_sub(leaving.seats),
            accounts: all.accounts.saturating_sub(leaving.accounts),
        }
    }

    /// Has seats wait for the session in which they are due. Where many wait for it already, an account that has none
    /// waiting may still move one: whoever fills a pool's queue keeps nobody out of the pool, nor in it.
    fn enqueue(
        pool: PoolId,
        who: &T::AccountId,
        enters: bool,
        seats: u32,
        others_wait: bool,
    ) -> DispatchResult {
        let lengths = T::Lengths::get();
        let blocks = if enters { lengths.enter } else { lengths.leave };
        let due = Self::due_session(blocks);
        let waiting = WaitingSeats::<T>::get(pool, due)
            .checked_add(seats)
            .ok_or(Error::<T>::SeatQueueFull)?;
        let alone = seats == 1 && !others_wait;
        ensure!(waiting <= MAX_WAITING_SEATS || alone, Error::<T>::SeatQueueFull);
        let from = Self::now().saturating_add(blocks);
        Self::await_session(pool, due, SeatChange { account: who.clone(), enters, seats, from });
        Ok(())
    }

    /// The session in which a change is due that waits for so many blocks.
    fn due_session(blocks: BlockNumber) -> Session {
        places::due_session(T::Sessions::current(), blocks, T::Sessions::length())
    }

    pub(crate) fn await_session(pool: PoolId, due: Session, change: SeatChange<T::AccountId>) {
        let number = NextChange::<T>::get();
        NextChange::<T>::put(number.wrapping_add(1));
        WaitingSeats::<T>::mutate(pool, due, |seats| *seats = seats.saturating_add(change.seats));
        SeatChanges::<T>::insert(pool, (Ordered32::from(due), Ordered64::from(number)), change);
        Self::take_turn(pool, due);
    }

    /// The change of a pool that comes next: the session in which it is due, its number.
    pub(crate) fn next_change(pool: PoolId) -> Option<(Session, u64, SeatChange<T::AccountId>)> {
        let ((due, number), change) = SeatChanges::<T>::iter_prefix(pool).next()?;
        Some((due.into(), number.into(), change))
    }

    /// So many seats of a pool wait no more for a session.
    fn wait_no_more(pool: PoolId, due: Session, seats: u32) {
        let left = WaitingSeats::<T>::get(pool, due).saturating_sub(seats);
        match left {
            0 => WaitingSeats::<T>::remove(pool, due),
            _ => WaitingSeats::<T>::insert(pool, due, left),
        }
    }

    /// The change of a pool that comes next, whose session has come before its block: has it wait for the session in
    /// which that block can come.
    pub(crate) fn put_off(
        pool: PoolId,
        due: Session,
        number: u64,
        change: SeatChange<T::AccountId>,
    ) {
        SeatChanges::<T>::remove(pool, (Ordered32::from(due), Ordered64::from(number)));
        Self::wait_no_more(pool, due, change.seats);
        let blocks = change.from.saturating_sub(Self::now());
        Self::await_session(pool, Self::due_session(blocks), change);
    }

    /// Moves one seat of the change of a pool that comes next.
    pub(crate) fn move_seat(
        id: PoolId,
        due: Session,
        number: u64,
        mut change: SeatChange<T::AccountId>,
    ) {
        let mut pool = Pool::<T>(id, PhantomData);
        let mut record = Reviewers::<T>::get(id, &change.account).unwrap_or_default();
        let before = record;
        if change.enters {
            // There is room for every seat that anybody can pay for.
            if places::join(&mut pool, &change.account, record.placed) {
                record.placed = record.placed.saturating_add(1);
            }
        } else if let Some(last) = record.placed.checked_sub(1) {
            if places::leave(&mut pool, &change.account, last) {
                record.placed = last;
                record.going = record.going.saturating_sub(1);
            }
        }
        Self::wait_no_more(id, due, 1);
        change.seats = change.seats.saturating_sub(1);
        let key = (Ordered32::from(due), Ordered64::from(number));
        if change.seats > 0 {
            SeatChanges::<T>::insert(id, key, &change);
        } else {
            SeatChanges::<T>::remove(id, key);
            if !change.enters && record.reviewer.leave().is_err() {
                frame_support::defensive!("seats leave that nobody gave up");
            }
        }
        Self::keep_places(id, &change.account, &before, record);
    }

    /// Keeps since when a pool is large enough for its verdicts to count beyond their Datanets: seats that wait to
    /// leave make none large.
    pub(crate) fn note_size(pool: PoolId) {
        let size = Self::staying(pool);
        let large = pool.is_large(size, &T::Rules::get(), &T::GlobalPool::get());
        match (large, LargeSince::<T>::contains_key(pool)) {
            (true, false) => LargeSince::<T>::insert(pool, Self::now()),
            (false, true) => LargeSince::<T>::remove(pool),
            _ => {}
        }
    }

    /// Whose seat has a place, if what is left of its bond covers it: where it does not cover all of an
    /// account's seats, those that came last are not drawn. Those that were given up are drawn for challenges alone.
    pub(crate) fn drawable(pool: PoolId, place: u32, challenge: bool) -> Option<T::AccountId> {
        let (account, seat) = PlacedSeats::<T>::get(pool, place)?;
        let record = Reviewers::<T>::get(pool, &account)?;
        let covered = record.placed.saturating_sub(record.reviewer.uncovered(&T::Rules::get()));
        let goes = !challenge && T::Sessions::current() >= record.going_from;
        let drawn = if goes { covered.min(record.staying()) } else { covered };
        (seat < drawn).then_some(account)
    }

    /// Notes that an account was drawn. Answers its generation.
    pub(crate) fn note_drawn(pool: PoolId, who: &T::AccountId) -> Result<u32, Error<T>> {
        Reviewers::<T>::mutate(pool, who, |record| {
            record.as_mut().map(|record| record.reviewer.drawn()).ok_or(Error::<T>::Inconsistent)
        })
    }

    /// Notes that a draw is over for a member.
    pub(crate) fn note_finished(pool: PoolId, who: &T::AccountId, generation: u32) {
        if let Some(mut record) = Reviewers::<T>::get(pool, who) {
            record.reviewer.finished(generation);
            Self::keep_reviewer(pool, who, record);
        }
    }

    /// Plancks that an account's seats have left to lose.
    pub(crate) fn held(pool: PoolId, who: &T::AccountId) -> Balance {
        Reviewers::<T>::get(pool, who).map_or(0, |record| record.reviewer.held)
    }

    /// Takes `amount` of what is held for an account's seats and gives it to `to`.
    pub(crate) fn lose(
        draw: DrawId,
        pool: PoolId,
        who: &T::AccountId,
        to: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        let mut record = Reviewers::<T>::get(pool, who).ok_or(Error::<T>::NoSeats)?;
        let amount = record.reviewer.lose(amount);
        if amount == 0 {
            return Ok(());
        }
        Reviewers::<T>::insert(pool, who, record);
        Self::pay_held(HoldReason::Seat, who, to, amount)?;
        Self::deposit_event(Event::SeatsLost { pool, account: who.clone(), draw, amount });
        Ok(())
    }

    /// Gives what is held on an account to another one, or to the treasury where that one cannot take it.
    pub(crate) fn pay_held(
        reason: HoldReason,
        from: &T::AccountId,
        to: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        let reason = reason.into();
        if from == to {
            return T::Currency::release(&reason, from, amount, Precision::Exact).map(drop);
        }
        let give = |to: &T::AccountId| {
            T::Currency::transfer_on_hold(
                &reason,
                from,
                to,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            )
        };
        give(to).or_else(|_| give(&T::Treasury::get())).map(drop)
    }
}
