//! Which seat has which place: an indexed map without gaps, in which taking, giving up and looking up a seat
//! cost the same whatever the number of seats.

use super::Session;
use crate::BlockNumber;
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How large a pool is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub struct PoolSize {
    /// Seats, with the places 0 to this, less one.
    pub seats: u32,
    /// Accounts that have any.
    pub accounts: u32,
}

/// A pool's seats, wherever they are kept.
pub trait Places<AccountId> {
    /// How large it is.
    fn size(&self) -> PoolSize;
    /// Sets how large it is.
    fn set_size(&mut self, size: PoolSize);
    /// Whose seat has a place, and which of this account's it is.
    fn seat(&self, place: u32) -> Option<(AccountId, u32)>;
    /// Puts a seat at a place, or takes it from there.
    fn set_seat(&mut self, place: u32, seat: Option<(AccountId, u32)>);
    /// The place of an account's seat, its seats counted from 0.
    fn place(&self, account: &AccountId, seat: u32) -> Option<u32>;
    /// Sets that place, or forgets it.
    fn set_place(&mut self, account: &AccountId, seat: u32, place: Option<u32>);
}

/// Puts the seat number `seat` of an account at the next place. Its seats come in order, from 0. Whether
/// there was room for it, and it is the one that comes next.
pub fn join<AccountId: Clone>(
    pool: &mut impl Places<AccountId>,
    account: &AccountId,
    seat: u32,
) -> bool {
    let mut size = pool.size();
    let before = seat.checked_sub(1).map(|before| pool.place(account, before));
    if before == Some(None) || pool.place(account, seat).is_some() {
        return false;
    }
    let Some(seats) = size.seats.checked_add(1) else { return false };
    pool.set_seat(size.seats, Some((account.clone(), seat)));
    pool.set_place(account, seat, Some(size.seats));
    size.accounts = size.accounts.saturating_add(u32::from(seat == 0));
    size.seats = seats;
    pool.set_size(size);
    true
}

/// Takes the seat number `seat` of an account, its last one, out; the seat with the last place gets its place.
/// Whether it was there, and the account's last.
pub fn leave<AccountId: Clone>(
    pool: &mut impl Places<AccountId>,
    account: &AccountId,
    seat: u32,
) -> bool {
    let mut size = pool.size();
    let after = seat.checked_add(1).and_then(|after| pool.place(account, after));
    let (Some(place), None) = (pool.place(account, seat), after) else { return false };
    let Some(last) = size.seats.checked_sub(1) else { return false };
    pool.set_place(account, seat, None);
    let moved = pool.seat(last);
    pool.set_seat(last, None);
    if let Some((owner, number)) = moved.filter(|_| place != last) {
        pool.set_place(&owner, number, Some(place));
        pool.set_seat(place, Some((owner, number)));
    }
    size.accounts = size.accounts.saturating_sub(u32::from(seat == 0));
    size.seats = last;
    pool.set_size(size);
    true
}

/// The session in which a change of places is due that waits for so many blocks from session `now` on, if a session has
/// `session` at most: the next one at the earliest.
pub const fn due_session(now: Session, blocks: BlockNumber, session: BlockNumber) -> Session {
    let session = if session == 0 { 1 } else { session };
    let sessions = blocks.div_ceil(session);
    now.saturating_add(if sessions == 0 { 1 } else { sessions })
}

/// Whether a change that is due in session `due` may change a pool's places in session `now`, of whose draws from
/// this pool some still wait or none: after its draws, so that nobody who sees a seed coming changes who sits where.
pub const fn may_change(due: Session, now: Session, draws_wait: bool) -> bool {
    now >= due && !draws_wait
}

/// Whether a change that is due in session `due` must have changed the places before the draws of session `now`.
pub const fn must_change_before(due: Session, now: Session) -> bool {
    now > due
}
