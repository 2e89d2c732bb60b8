//! Reviewers' seats: what they cost, and until when they are bound.

use super::Rules;
use crate::{Balance, DatanetId, Modality};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

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

impl PoolId {
    /// Whether verdicts of its committees count for the global board, for admission by points and for
    /// budgets that Datanets share: never those of a Datanet's own seats, however many.
    pub fn counts_globally(&self, accounts: u32, rules: &Rules) -> bool {
        let least = u32::from(rules.size).saturating_mul(GLOBAL_FACTOR);
        matches!(self, Self::Modality(_)) && accounts >= least
    }
}

/// An account's seats in one pool.
///
/// A seat that is given up goes on being liable for what was judged with it: the plancks come back when
/// every draw that was begun before it left the pool is over, its challenges included.
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

    /// Gives `seats` up. They can be drawn until they have [left](Self::leave).
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
        all.saturating_sub(covered).min(self.seats)
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
