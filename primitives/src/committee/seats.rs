//! Reviewers' seats: what they cost, and until when they are bound.

use super::{PoolSize, Rules};
use crate::{Balance, BlockNumber, DatanetId, Modality};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Most addresses at which an account serves what it judges with its seats in a pool.
pub const MAX_ADDRESSES: u32 = 4;
/// Most bytes of one: IPv6, port, QUIC and peer id take 119.
pub const MAX_ADDRESS: u32 = 128;

/// Where an account serves files: multiaddrs as text, which the chain does not read.
pub type Addresses = BoundedVec<BoundedVec<u8, ConstU32<MAX_ADDRESS>>, ConstU32<MAX_ADDRESSES>>;

/// Seats from which committees are drawn.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum PoolId {
    /// For every Datanet of a modality whose policy names no seats of its own.
    Modality(Modality),
    /// For one Datanet.
    Datanet(DatanetId),
}

/// How many times a committee's members a modality's pool has accounts, at least, before its verdicts
/// count beyond their Datanet. A committee, the larger one of a challenge, contributor and challenger are
/// fewer.
pub const GLOBAL_FACTOR: u32 = 5;

/// What a modality's pool must be besides, before verdicts of its committees count beyond their Datanet. Accounts
/// cost nothing, and one person may have all of them: what keeps it from being everybody is what their seats
/// cost, and that others see the pool for a while and may join it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct GlobalPool {
    /// Seats, of all accounts together.
    pub seats: u32,
    /// Blocks for which it was so large without a break.
    pub age: BlockNumber,
}

impl GlobalPool {
    /// For a chain that one person watches: 25 seats, 15 seconds.
    pub const DEVELOPMENT: Self = Self { seats: 25, age: 5 };
    /// 250 seats, which are 25,000 OPEN, and 7 days.
    pub const DEFAULT: Self = Self { seats: 250, age: 7 * 28_800 };

    /// Whether a pool that has been large enough from block `since` on has been so for long enough.
    pub const fn is_old(&self, since: BlockNumber, now: BlockNumber) -> bool {
        now >= since.saturating_add(self.age)
    }
}

impl PoolId {
    /// Whether a pool is so large that verdicts of its committees count for the global board and for admission by
    /// points, once it is [old](GlobalPool::is_old) enough: never one of a Datanet's own seats, however many.
    pub fn is_large(&self, size: PoolSize, rules: &Rules, least: &GlobalPool) -> bool {
        let accounts = u32::from(rules.size).saturating_mul(GLOBAL_FACTOR);
        matches!(self, Self::Modality(_)) && size.accounts >= accounts && size.seats >= least.seats
    }
}

/// An account's seats in one pool.
///
/// A seat that is given up stays for challenges of what was drawn with it, and goes on being liable: the plancks
/// come back when it has left and every draw that was begun before is over, its challenges included.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Reviewer {
    /// Seats that are, or are about to be, in the pool.
    pub seats: u32,
    /// Seats that leave it, or have left and wait.
    pub leaving: u32,
    /// Whether those have left.
    pub left: bool,
    /// Plancks bonded for all of them, less what was lost.
    pub held: Balance,
    /// How often seats have left.
    pub generation: u32,
    /// Draws of this generation that are not over.
    pub open: u32,
    /// Draws of earlier generations that are not over.
    pub open_before: u32,
}

/// Why seats cannot be changed. Nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatError {
    /// None is no number of seats, or more than there are.
    Count,
    /// Others are leaving: one after the other.
    Leaving,
    /// None are leaving, or they have not left the pool yet.
    NotLeft,
    /// Draws that were judged with them are not over.
    Judging,
}

impl Reviewer {
    /// Takes `more` seats. Returns the plancks to bond: their price, and what earlier ones have lost.
    ///
    /// # Errors
    ///
    /// [`SeatError::Count`].
    pub fn take(&mut self, more: u32, rules: &Rules) -> Result<Balance, SeatError> {
        let seats = self.seats.checked_add(more).filter(|_| more > 0).ok_or(SeatError::Count)?;
        let bond = self.missing(more, rules);
        self.seats = seats;
        self.held = self.held.saturating_add(bond);
        Ok(bond)
    }

    /// Plancks that make all seats whole, with `more` of them.
    pub fn missing(&self, more: u32, rules: &Rules) -> Balance {
        let all = self.seats.saturating_add(self.leaving).saturating_add(more);
        rules.seat.saturating_mul(all.into()).saturating_sub(self.held)
    }

    /// Bonds what was lost anew. Returns how much.
    pub fn top_up(&mut self, rules: &Rules) -> Balance {
        let missing = self.missing(0, rules);
        self.held = self.held.saturating_add(missing);
        missing
    }

    /// Gives `seats` up. They are in the pool until they have [left](Self::leave).
    ///
    /// # Errors
    ///
    /// [`SeatError::Leaving`], [`SeatError::Count`].
    pub fn give_up(&mut self, seats: u32) -> Result<(), SeatError> {
        if self.leaving > 0 {
            return Err(SeatError::Leaving);
        }
        let stay = self.seats.checked_sub(seats).filter(|_| seats > 0).ok_or(SeatError::Count)?;
        (self.seats, self.leaving, self.left) = (stay, seats, false);
        Ok(())
    }

    /// Seats that were given up leave the pool: what is drawn from now on is none of theirs.
    ///
    /// # Errors
    ///
    /// [`SeatError::NotLeft`] if none are to leave.
    pub fn leave(&mut self) -> Result<(), SeatError> {
        if self.leaving == 0 || self.left {
            return Err(SeatError::NotLeft);
        }
        self.left = true;
        self.generation = self.generation.wrapping_add(1);
        self.open_before = self.open_before.saturating_add(self.open);
        self.open = 0;
        Ok(())
    }

    /// The account was drawn. Returns the generation, for [`finished`](Self::finished).
    pub fn drawn(&mut self) -> u32 {
        self.open = self.open.saturating_add(1);
        self.generation
    }

    /// A draw that began in `generation` is over.
    pub fn finished(&mut self, generation: u32) {
        let open =
            if generation == self.generation { &mut self.open } else { &mut self.open_before };
        *open = open.saturating_sub(1);
    }

    /// Takes up to `amount` of the bond. Returns how much.
    pub fn lose(&mut self, amount: Balance) -> Balance {
        let lost = amount.min(self.held);
        self.held = self.held.saturating_sub(lost);
        lost
    }

    /// Seats that what is left of the bond does not cover: they are not drawn until it is topped up. A seat
    /// stands while three quarters of its price are left.
    pub fn uncovered(&self, rules: &Rules) -> u32 {
        let quarters = rules.seat.saturating_mul(3).max(1);
        let covered = self.held.saturating_mul(4) / quarters;
        let all = self.seats.saturating_add(self.leaving);
        let covered = u32::try_from(covered).unwrap_or(u32::MAX);
        let drawable = if self.left { self.seats } else { all };
        all.saturating_sub(covered).min(drawable)
    }

    /// The seats that left are free of everything that was judged with them. Returns the plancks that go
    /// back: the bond, less the price of the seats that stay.
    ///
    /// # Errors
    ///
    /// [`SeatError::NotLeft`], [`SeatError::Judging`].
    pub fn withdraw(&mut self, rules: &Rules) -> Result<Balance, SeatError> {
        if self.leaving == 0 || !self.left {
            return Err(SeatError::NotLeft);
        }
        if self.open_before > 0 {
            return Err(SeatError::Judging);
        }
        let stays = rules.seat.saturating_mul(self.seats.into()).min(self.held);
        let back = self.held.saturating_sub(stays);
        (self.held, self.leaving, self.left) = (stays, 0, false);
        Ok(back)
    }
}
