//! What is due in a block: seats that enter and leave, committees to draw, draws to move on. All of it in
//! a bounded number of steps, of which what is left over comes first in the next block, and all of it also by
//! a call that anyone may sign.
//!
//! Seats and draws are done pool by pool, each in its turn: what waits in one pool delays another by no more than
//! a turn, however much it is.

use super::draws::RecordOf;
use crate::{
    Agenda, Config, Draws, Error, Event, LastSession, NextTurn, Ordered32, Ordered64, Pallet,
    TurnOf, Turns, WeightInfo,
};
use frame_support::{ensure, storage::with_storage_layer, weights::Weight};
use openledger_primitives::{
    committee::{
        places::{may_change, must_change_before},
        DrawId, Phase, PoolId, Purpose, Session,
    },
    traits::Sessions,
    BlockNumber,
};
use sp_runtime::{traits::SaturatedConversion, DispatchResult};

/// Blocks until something that could not be done for a draw is tried again.
pub const RETRY_BLOCKS: BlockNumber = 100;

/// Seats that a pool moves in one turn, at most, beside one draw.
pub const SEATS_A_TURN: u32 = 8;

/// Steps of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Turns of pools.
    pub pools: u32,
    /// Seats that enter or leave.
    pub seats: u32,
    /// Committees.
    pub draws: u32,
    /// Draws that are decided, settled by a file, or moved on.
    pub due: u32,
}

impl Steps {
    /// Most at the start of a block.
    pub const BLOCK: Self = Self { pools: 16, seats: 32, draws: 4, due: 16 };
    /// Most of a call.
    pub const CALL: Self = Self { pools: 2, seats: 8, draws: 1, due: 2 };
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Works at the start of a block. Returns what it cost.
    pub(crate) fn begin_block() -> Weight {
        let session = T::Sessions::current();
        if LastSession::<T>::get() != Some(session) {
            LastSession::<T>::put(session);
            Self::keep_seed(session);
        }
        T::WeightInfo::begin_block(Self::work(session, Steps::BLOCK))
    }

    pub(crate) fn do_advance() -> DispatchResult {
        let done = Self::work(T::Sessions::current(), Steps::CALL);
        ensure!(done != Steps::default(), Error::<T>::NothingDue);
        Ok(())
    }

    /// Does what is due, at most so many steps of each kind. Returns how many it took.
    fn work(session: Session, most: Steps) -> Steps {
        let mut done = Steps::default();
        while done.pools < most.pools && (done.seats < most.seats || done.draws < most.draws) {
            let Some((of, turn, pool)) = Self::first_turn().filter(|(of, ..)| *of <= session)
            else {
                break;
            };
            done.pools = done.pools.saturating_add(1);
            let before = done;
            Self::pool_turn(pool, session, &mut done, &most);
            let next = Self::next_work(pool, session);
            if done == before && next == Some(session) {
                // Nothing is left of what it needs: it comes first in the next block.
                break;
            }
            // What is left comes after every other pool that has something to do now.
            Turns::<T>::remove(Ordered32::from(of), Ordered64::from(turn));
            TurnOf::<T>::remove(pool);
            if let Some(next) = next {
                Self::take_turn(pool, next);
            }
        }
        let now = Self::now();
        while done.due < most.due {
            let Some((block, id)) = Self::first_due().filter(|(block, _)| *block <= now) else {
                break;
            };
            Self::due_step(block, id, now);
            done.due = done.due.saturating_add(1);
        }
        done
    }

    /// What one pool has to do in a session, in a turn.
    fn pool_turn(pool: PoolId, session: Session, done: &mut Steps, most: &Steps) {
        let mut seats = 0u32;
        loop {
            let waiting = Self::first_waiting(pool, session);
            let change = Self::next_change(pool).filter(|(due, ..)| {
                must_change_before(*due, session) || may_change(*due, session, waiting.is_some())
            });
            // Seats that were due before move before the draws of the session, so that no draw is made while they
            // wait.
            if let Some((due, number, change)) = change {
                if seats >= SEATS_A_TURN || done.seats >= most.seats {
                    return;
                }
                match change.from > Self::now() {
                    true => Self::put_off(pool, due, number, change),
                    false => Self::move_seat(pool, due, number, change),
                }
                seats = seats.saturating_add(1);
                done.seats = done.seats.saturating_add(1);
                continue;
            }
            if done.draws >= most.draws {
                return;
            }
            match waiting {
                Some((of, id)) => Self::draw_step(pool, of, id),
                None => match Self::first_wanted(pool) {
                    Some(id) => Self::wake(pool, id),
                    None => return,
                },
            }
            done.draws = done.draws.saturating_add(1);
            return;
        }
    }

    /// The session from which on a pool has something to do, the one that lasts if it is an earlier one.
    fn next_work(pool: PoolId, session: Session) -> Option<Session> {
        if Self::first_wanted(pool).is_some() {
            return Some(session);
        }
        let change = Self::next_change(pool).map(|(due, ..)| due);
        let draw = Self::next_waiting(pool).map(|(of, _)| of);
        change.into_iter().chain(draw).min().map(|of| of.max(session))
    }

    /// The pool whose turn is next.
    fn first_turn() -> Option<(Session, u64, PoolId)> {
        let (session, turn, pool) = Turns::<T>::iter().next()?;
        Some((session.into(), turn.into(), pool))
    }

    /// Gives a pool a turn in a session, unless it has one by then.
    pub(crate) fn take_turn(pool: PoolId, session: Session) {
        match TurnOf::<T>::get(pool) {
            Some((of, _)) if of <= session => return,
            Some((of, turn)) => Turns::<T>::remove(Ordered32::from(of), Ordered64::from(turn)),
            None => {}
        }
        let turn = NextTurn::<T>::get();
        NextTurn::<T>::put(turn.wrapping_add(1));
        Turns::<T>::insert(Ordered32::from(session), Ordered64::from(turn), pool);
        TurnOf::<T>::insert(pool, (session, turn));
    }

    fn first_due() -> Option<(BlockNumber, DrawId)> {
        let (block, id) = Agenda::<T>::iter_keys().next()?;
        Some((block.into(), id.into()))
    }

    /// Enters a draw into the agenda, in the place of its entry before. The caller keeps `record`.
    pub(crate) fn set_due(id: DrawId, record: &mut RecordOf<T>, due: Option<BlockNumber>) {
        if record.due == due {
            return;
        }
        if let Some(before) = record.due {
            Agenda::<T>::remove(Ordered32::from(before), Ordered64::from(id));
        }
        if let Some(due) = due {
            Agenda::<T>::insert(Ordered32::from(due), Ordered64::from(id), ());
        }
        record.due = due;
    }

    fn draw_step(pool: PoolId, session: Session, id: DrawId) {
        if with_storage_layer(|| Self::draw_committee(pool, session, id)).is_err() {
            // Only corrupted state brings this about. It keeps no other draw back, and is tried again.
            Self::stop_waiting(pool, session, id);
            Self::await_later(id);
        }
    }

    /// Does what is due for one draw, wholly or not at all.
    fn due_step(block: BlockNumber, id: DrawId, now: BlockNumber) {
        let key = (Ordered32::from(block), Ordered64::from(id));
        let Some(mut record) = Draws::<T>::get(id) else {
            Agenda::<T>::remove(key.0, key.1);
            return;
        };
        let done = with_storage_layer(|| {
            let mut record = record.clone();
            Self::set_due(id, &mut record, None);
            Self::move_on(id, record, now)
        });
        if done.is_err() {
            // Nothing is lost: all money stays where it is until it succeeds.
            let until = now.saturating_add(RETRY_BLOCKS);
            Agenda::<T>::remove(key.0, key.1);
            record.due = None;
            Self::set_due(id, &mut record, Some(until));
            Draws::<T>::insert(id, record);
            Self::deposit_event(Event::DrawDelayed { draw: id, until });
        }
    }

    fn move_on(id: DrawId, record: RecordOf<T>, now: BlockNumber) -> DispatchResult {
        match record.draw.phase {
            Phase::Committing { .. } | Phase::Revealing { .. } if record.draw.is_ready(now) => {
                Self::decide(id, record)
            }
            Phase::Committing { .. } => Self::open_reveals(id, record),
            Phase::Over if matches!(record.draw.purpose, Purpose::Challenge { .. }) => {
                Self::resolve(id, record)
            }
            Phase::Judged { .. } | Phase::Over => Self::settle_next(id, record),
            Phase::Waiting { .. } | Phase::Revealing { .. } => Err(Error::<T>::Inconsistent.into()),
        }
    }
}
