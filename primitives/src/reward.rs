//! Reward pools: how OPEN paid into a Datanet reaches those whose files were accepted.
//!
//! Time runs in reward periods. A period that has ended releases at most [`RewardTerms::per_period`]
//! of what is available, at one whole number of plancks a point. What the division leaves over stays
//! available. Every step is O(1): an account's [`Position`] remembers in which period it earned its
//! last points and is paid for it when it is next looked at.

use crate::{Balance, Period};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Points: score × units, counted up to the Datanet's cap a file.
pub type Points = u128;

/// How fast a pool pays out.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct RewardTerms {
    /// Most plancks released for one period.
    pub per_period: Balance,
    /// Most plancks for one point.
    pub max_per_point: Balance,
}

/// A Datanet's rewards. What was paid in is claimed, owed, available or back with its funders
/// ([`Funds::away`](crate::Funds::away)), at all times.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Pool {
    /// Everything ever paid in.
    pub total_in: Balance,
    /// Everything ever paid out.
    pub claimed: Balance,
    /// Released to points, not yet paid out.
    pub owed: Balance,
    /// Not yet released, the remainder of every division included.
    pub available: Balance,
    /// How fast it pays out.
    pub terms: RewardTerms,
    /// The period that `points` were earned in.
    pub period: Period,
    /// Points earned in it by all accounts.
    pub points: Points,
}

/// An account's points and rewards in one Datanet.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Position {
    /// All points ever earned: the rank.
    pub points: Points,
    /// Acceptance number that brought the last points; of equal points the earlier ranks first.
    pub sequence: u64,
    /// The period that `period_points` were earned in.
    pub period: Period,
    /// Points of that period, not yet turned into OPEN.
    pub period_points: Points,
    /// OPEN settled from earlier periods and not yet claimed.
    pub owed: Balance,
}

/// Why a pool refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolError {
    /// A sum left the range of its type. No supply of 10²⁷ plancks reaches it.
    Overflow,
    /// More was claimed than is owed.
    NotOwed,
}

impl Pool {
    /// Plancks a point at the end of a period in which `points` were earned.
    pub fn rate(&self) -> Balance {
        self.available
            .min(self.terms.per_period)
            .checked_div(self.points)
            .unwrap_or(0)
            .min(self.terms.max_per_point)
    }

    /// Pays `amount` in.
    ///
    /// # Errors
    ///
    /// On overflow; nothing has changed then.
    pub fn fund(&mut self, amount: Balance) -> Result<(), PoolError> {
        let total_in = self.total_in.checked_add(amount).ok_or(PoolError::Overflow)?;
        self.available = self.available.checked_add(amount).ok_or(PoolError::Overflow)?;
        self.total_in = total_in;
        Ok(())
    }

    /// Moves to period `now`. If the pool's own period has ended and points were earned in it,
    /// releases its share and returns `(period, rate)` to be remembered for the accounts.
    ///
    /// # Errors
    ///
    /// On overflow; nothing has changed then.
    pub fn advance(&mut self, now: Period) -> Result<Option<(Period, Balance)>, PoolError> {
        if now <= self.period {
            return Ok(None);
        }
        let rate = self.rate();
        let released = rate.checked_mul(self.points).ok_or(PoolError::Overflow)?;
        let owed = self.owed.checked_add(released).ok_or(PoolError::Overflow)?;
        let available = self.available.checked_sub(released).ok_or(PoolError::Overflow)?;
        let closed = (self.points > 0).then_some((self.period, rate));
        *self = Self { owed, available, period: now, points: 0, ..*self };
        Ok(closed)
    }

    /// Counts `points` earned in the pool's current period.
    ///
    /// # Errors
    ///
    /// On overflow; nothing has changed then.
    pub fn earn(&mut self, points: Points) -> Result<(), PoolError> {
        self.points = self.points.checked_add(points).ok_or(PoolError::Overflow)?;
        Ok(())
    }

    /// Takes `amount` out for an account to which it is owed.
    ///
    /// # Errors
    ///
    /// If less is owed in all; nothing has changed then.
    pub fn claim(&mut self, amount: Balance) -> Result<(), PoolError> {
        let owed = self.owed.checked_sub(amount).ok_or(PoolError::NotOwed)?;
        self.claimed = self.claimed.checked_add(amount).ok_or(PoolError::Overflow)?;
        self.owed = owed;
        Ok(())
    }

    /// Takes `amount` of what is available out for funders.
    ///
    /// # Errors
    ///
    /// If less is available; nothing has changed then.
    pub fn let_go(&mut self, amount: Balance) -> Result<(), PoolError> {
        self.available = self.available.checked_sub(amount).ok_or(PoolError::NotOwed)?;
        Ok(())
    }

    /// Whether the books add up, where funders took `away` out.
    pub fn is_balanced(&self, away: Balance) -> bool {
        self.claimed
            .checked_add(self.owed)
            .and_then(|sum| sum.checked_add(away))
            .and_then(|sum| sum.checked_add(self.available))
            .is_some_and(|sum| sum == self.total_in)
    }
}

impl Position {
    /// Turns the points of an ended period into OPEN at `rate` plancks a point.
    ///
    /// # Errors
    ///
    /// On overflow; nothing has changed then.
    pub fn settle(&mut self, rate: Balance) -> Result<(), PoolError> {
        let earned = self.period_points.checked_mul(rate).ok_or(PoolError::Overflow)?;
        self.owed = self.owed.checked_add(earned).ok_or(PoolError::Overflow)?;
        self.period_points = 0;
        Ok(())
    }

    /// Adds points earned in period `now` by acceptance number `sequence`. The position must have
    /// been settled first.
    ///
    /// # Errors
    ///
    /// On overflow; nothing has changed then.
    pub fn earn(&mut self, now: Period, points: Points, sequence: u64) -> Result<(), PoolError> {
        let total = self.points.checked_add(points).ok_or(PoolError::Overflow)?;
        self.period_points = self.period_points.checked_add(points).ok_or(PoolError::Overflow)?;
        self.points = total;
        self.period = now;
        self.sequence = sequence;
        Ok(())
    }
}

/// Points for one accepted file: score × min(units, cap), so that cutting a file into pieces gains
/// nothing.
pub fn points_for(score: crate::Score, units: u64, cap: u64) -> Points {
    Points::from(score.get()).saturating_mul(Points::from(units.min(cap)))
}
