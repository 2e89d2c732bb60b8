//! Who a pool's money belongs to until somebody earns it, and how funders take it back.
//!
//! Funders hold shares of what is [`available`](crate::Pool::available): all lose alike when a period
//! pays, none when another comes or goes. Shares leave at the end of a period, after it has paid, so
//! that no withdrawal touches what a running period can still pay; those that leave together divide
//! what they get. What divisions leave over stays in the pool.

use crate::{reward::PoolError, Balance, Period, RewardTerms};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{H256, U256};

/// Shares of a pool. The first funder gets one for each planck.
pub type Shares = u128;

/// `a × b ÷ c`, rounded down.
fn share_of(a: u128, b: u128, c: u128) -> Result<u128, PoolError> {
    U256::from(a)
        .checked_mul(U256::from(b))
        .and_then(|product| product.checked_div(U256::from(c)))
        .and_then(|part| u128::try_from(part).ok())
        .ok_or(PoolError::Overflow)
}

/// What somebody who pays into a pool agrees to: how fast it pays out and who decides what it pays for,
/// now and once announced changes count. The chain refuses a payment under other rules.
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
pub struct PoolRules {
    /// The terms.
    pub terms: RewardTerms,
    /// The terms that wait to take their place.
    pub next_terms: Option<RewardTerms>,
    /// [`ReviewPolicy::hash`](crate::ReviewPolicy::hash) of the review policy.
    pub policy: H256,
    /// That of the policy that waits to take its place.
    pub next_policy: Option<H256>,
}

/// Terms that wait.
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
pub struct WaitingTerms {
    /// The terms.
    pub terms: RewardTerms,
    /// The first period that they count for.
    pub from: Period,
}

impl RewardTerms {
    /// Whether a pool pays out faster under these terms than under `before`, by either limit.
    pub const fn loosens(&self, before: &Self) -> bool {
        self.per_period > before.per_period || self.max_per_point > before.max_per_point
    }
}

/// Why funders of a pool may leave it.
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
#[cfg_attr(feature = "std", derive(serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "kebab-case"))]
pub enum WayOut {
    /// The Datanet is closed.
    Closed,
    /// No acceptance has brought points for long.
    Dead,
    /// Terms wait under which the pool pays out faster.
    Terms,
    /// Another review policy waits.
    Policy,
}

/// What funders own of a pool.
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
pub struct Funds {
    /// All shares.
    pub shares: Shares,
    /// Those of them that nobody holds: of what was paid in before shares were counted, and of what was
    /// left of worthless ones.
    pub unowned: Shares,
    /// Those of them that leave when the pool's period ends.
    pub leaving: Shares,
    /// Number of the batch that they leave in.
    pub batch: u32,
    /// Shares of earlier generations are void.
    pub generation: u32,
    /// Plancks that have left and wait to be fetched.
    pub returning: Balance,
    /// Plancks that were fetched.
    pub returned: Balance,
    /// The last period that brought points and has ended; before, the one of the first funding.
    pub active: Period,
}

/// What one funder owns of a pool.
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
pub struct Share {
    /// The generation of `shares`.
    pub generation: u32,
    /// Shares that stay.
    pub shares: Shares,
    /// Shares that leave, or have left and are not counted out yet.
    pub leaving: Shares,
    /// The batch that they leave in.
    pub batch: u32,
    /// Plancks that are counted out and wait to be fetched.
    pub due: Balance,
}

/// What left together and is not counted out yet.
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
pub struct Exit {
    /// Shares.
    pub shares: Shares,
    /// Plancks for all of them.
    pub amount: Balance,
}

impl Exit {
    /// Counts out `shares` of it. The last ones take what is left.
    ///
    /// # Errors
    ///
    /// If it has fewer; nothing has changed then.
    pub fn take(&mut self, shares: Shares) -> Result<Balance, PoolError> {
        let rest = self.shares.checked_sub(shares).ok_or(PoolError::NotOwed)?;
        let part = match rest {
            0 => self.amount,
            _ => share_of(self.amount, shares, self.shares)?,
        };
        self.amount = self.amount.checked_sub(part).ok_or(PoolError::Overflow)?;
        self.shares = rest;
        Ok(part)
    }
}

impl Funds {
    /// Funds of a pool in which everything is nobody's.
    pub fn unowned(available: Balance, active: Period) -> Self {
        Self { shares: available, unowned: available, active, ..Self::default() }
    }

    /// Shares for `amount` plancks paid into a pool that has `available`, and what leaves because the pool was
    /// paid out, down to `dust` plancks: number and contents of its batch. Who funds such a pool begins anew, and
    /// what was left becomes nobody's, so all funders together lose no more than `dust` by it, whenever they
    /// came. (A bound on shares for a planck would void those of who funded a nearly empty pool, at the price of
    /// then.) Shares would outgrow their type otherwise, as pools are paid out and funded again.
    ///
    /// # Errors
    ///
    /// On overflow, of which a pool that was nearly paid out by several powers of ten, more than once, is the
    /// only case; it can be funded when it is paid out altogether. Nothing has changed then.
    pub fn mint(
        &mut self,
        amount: Balance,
        available: Balance,
        dust: Balance,
    ) -> Result<(Shares, Option<(u32, Exit)>), PoolError> {
        let mut funds = *self;
        let mut left = None;
        if funds.shares > 0 && available <= dust {
            if funds.leaving > 0 {
                left = Some((funds.batch, Exit { shares: funds.leaving, amount: 0 }));
                funds.batch = funds.batch.checked_add(1).ok_or(PoolError::Overflow)?;
                funds.leaving = 0;
            }
            funds.generation = funds.generation.checked_add(1).ok_or(PoolError::Overflow)?;
            funds.shares = available;
            funds.unowned = available;
        }
        let minted = match funds.shares {
            0 => amount,
            shares => share_of(amount, shares, available)?,
        };
        funds.shares = funds.shares.checked_add(minted).ok_or(PoolError::Overflow)?;
        *self = funds;
        Ok((minted, left))
    }

    /// Lets the shares leave that were to leave at the end of a period which left `available` in the
    /// pool. Answers number and contents of their batch; the contents' amount is no longer available.
    ///
    /// # Errors
    ///
    /// On overflow; nothing has changed then.
    pub fn let_go(&mut self, available: Balance) -> Result<Option<(u32, Exit)>, PoolError> {
        if self.leaving == 0 {
            return Ok(None);
        }
        let exit =
            Exit { shares: self.leaving, amount: share_of(available, self.leaving, self.shares)? };
        let shares = self.shares.checked_sub(self.leaving).ok_or(PoolError::NotOwed)?;
        let returning = self.returning.checked_add(exit.amount).ok_or(PoolError::Overflow)?;
        let next = self.batch.checked_add(1).ok_or(PoolError::Overflow)?;
        let batch = self.batch;
        *self = Self { shares, returning, leaving: 0, batch: next, ..*self };
        Ok(Some((batch, exit)))
    }

    /// Plancks that are no longer the pool's: on their way back, or back.
    pub fn away(&self) -> Balance {
        self.returning.saturating_add(self.returned)
    }

    /// Takes `amount` out for a funder to whom it is due.
    ///
    /// # Errors
    ///
    /// If less is on its way back; nothing has changed then.
    pub fn fetch(&mut self, amount: Balance) -> Result<(), PoolError> {
        let returning = self.returning.checked_sub(amount).ok_or(PoolError::NotOwed)?;
        self.returned = self.returned.checked_add(amount).ok_or(PoolError::Overflow)?;
        self.returning = returning;
        Ok(())
    }
}

impl Share {
    /// Whether shares of it have left and are not counted out.
    pub const fn has_left(&self, funds: &Funds) -> bool {
        self.leaving > 0 && self.batch < funds.batch
    }

    /// Counts out what has left, of its batch `exit` if that brought anything, and forgets shares that
    /// became void.
    ///
    /// # Errors
    ///
    /// If the batch has fewer shares; nothing has changed then.
    pub fn settle(&mut self, funds: &Funds, exit: Option<&mut Exit>) -> Result<(), PoolError> {
        if self.has_left(funds) {
            let part = exit.map_or(Ok(0), |exit| exit.take(self.leaving))?;
            self.due = self.due.checked_add(part).ok_or(PoolError::Overflow)?;
            self.leaving = 0;
        }
        if self.generation < funds.generation {
            self.generation = funds.generation;
            self.shares = 0;
        }
        Ok(())
    }

    /// Lets `shares` leave at the end of the pool's period. It must have been settled first.
    ///
    /// # Errors
    ///
    /// If it has fewer; nothing has changed then.
    pub fn leave(&mut self, funds: &mut Funds, shares: Shares) -> Result<(), PoolError> {
        let rest = self.shares.checked_sub(shares).ok_or(PoolError::NotOwed)?;
        let leaving = self.leaving.checked_add(shares).ok_or(PoolError::Overflow)?;
        funds.leaving = funds.leaving.checked_add(shares).ok_or(PoolError::Overflow)?;
        (self.shares, self.leaving, self.batch) = (rest, leaving, funds.batch);
        Ok(())
    }

    /// Plancks that its staying shares are worth in a pool that has `available`.
    pub fn worth(&self, funds: &Funds, available: Balance) -> Balance {
        if self.generation < funds.generation || funds.shares == 0 {
            return 0;
        }
        share_of(available, self.shares, funds.shares).unwrap_or(0)
    }

    /// Whether nothing is left of it.
    pub const fn is_empty(&self) -> bool {
        self.shares == 0 && self.leaving == 0 && self.due == 0
    }
}
