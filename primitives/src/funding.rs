//! Who a pool's money belongs to until somebody earns it, and how funders take it back.
//!
//! Funders hold shares of what is [`available`](crate::Pool::available): all lose alike when a period
//! pays, none when another comes or goes. Shares leave at the end of a period, after it has paid, so
//! that no withdrawal touches what a running period can still pay; those that leave together divide
//! what they get. What divisions leave over stays in the pool.
//!
//! A pool that pays out and is funded again has ever more shares for a planck. Before they outgrow their
//! type all of them are counted in larger ones, at once for the pool ([`Funds::scale`]) and for each
//! funder when it is next looked at. What a funder loses by it is less than a share, and a share is then
//! worth less than a thousandth of a planck.

use crate::{reward::PoolError, Balance, Period, RewardTerms};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{H256, U256};

/// Shares of a pool. The first funder gets one for each planck.
pub type Shares = u128;

/// A pool has fewer than 2 to the power of so many shares.
pub const MOST_SHARES_BITS: u32 = 120;

/// Where it would have more it keeps less than 2 to the power of so many, and at least half of that: a
/// thousand for each planck that there is.
pub const KEPT_SHARES_BITS: u32 = 100;

/// Shares as they are once they are counted in larger ones, 2 to the power of `by` times as large.
fn in_larger(shares: Shares, by: u32) -> Shares {
    shares.checked_shr(by).unwrap_or(0)
}

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
    /// How often shares were halved in number, by being counted in larger ones.
    pub scale: u32,
    /// Funders of whom shares leave when the pool's period ends.
    pub leavers: u32,
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
    /// The [`Funds::scale`] that its shares are counted by.
    pub scale: u32,
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
    /// The [`Funds::scale`] when it left.
    pub scale: u32,
    /// Funders whose shares they are.
    pub funders: u32,
}

impl Exit {
    /// Counts out `shares` of it, all that one of its funders has. The last one takes what is left.
    ///
    /// # Errors
    ///
    /// If it has fewer; nothing has changed then.
    pub fn take(&mut self, shares: Shares) -> Result<Balance, PoolError> {
        let rest = self.shares.checked_sub(shares).ok_or(PoolError::NotOwed)?;
        let funders = self.funders.checked_sub(1).ok_or(PoolError::NotOwed)?;
        let part = match (funders, shares) {
            (0, _) => self.amount,
            // Of what was counted in larger shares, not one may be left.
            (_, 0) => 0,
            _ => share_of(self.amount, shares, self.shares)?,
        };
        self.amount = self.amount.checked_sub(part).ok_or(PoolError::Overflow)?;
        self.shares = if funders == 0 { 0 } else { rest };
        self.funders = funders;
        Ok(part)
    }

    /// Whether everybody has been counted out.
    pub const fn is_done(&self) -> bool {
        self.funders == 0
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
    /// then.)
    ///
    /// A pool that pays out and is funded again and again comes to have more shares than their type holds. They
    /// are counted in larger ones then: so many fewer that everybody goes on owning the same part, but for less
    /// than one of the larger ones, and the pool can always be funded.
    ///
    /// # Errors
    ///
    /// On overflow, which no supply of 10²⁷ plancks reaches. Nothing has changed then.
    pub fn mint(
        &mut self,
        amount: Balance,
        available: Balance,
        dust: Balance,
    ) -> Result<(Shares, Option<(u32, Exit)>), PoolError> {
        let mut funds = *self;
        let mut left = None;
        if funds.shares > 0 && available <= dust {
            if funds.leavers > 0 {
                left = Some((funds.batch, funds.batch_worth(0)));
                funds.batch = funds.batch.checked_add(1).ok_or(PoolError::Overflow)?;
                (funds.leaving, funds.leavers) = (0, 0);
            }
            funds.generation = funds.generation.checked_add(1).ok_or(PoolError::Overflow)?;
            funds.shares = available;
            funds.unowned = available;
        }
        let minted = match funds.shares {
            0 => amount,
            shares => {
                let minted = U256::from(amount)
                    .checked_mul(U256::from(shares))
                    .and_then(|product| product.checked_div(U256::from(available)))
                    .ok_or(PoolError::Overflow)?;
                let sum = minted.checked_add(U256::from(shares)).ok_or(PoolError::Overflow)?;
                let by = match u32::try_from(sum.bits()).unwrap_or(u32::MAX) {
                    bits if bits <= MOST_SHARES_BITS => 0,
                    bits => bits.saturating_sub(KEPT_SHARES_BITS),
                };
                funds.count_in_larger(by)?;
                u128::try_from(minted >> by).map_err(|_| PoolError::Overflow)?
            }
        };
        funds.shares = funds.shares.checked_add(minted).ok_or(PoolError::Overflow)?;
        *self = funds;
        Ok((minted, left))
    }

    /// Counts all shares in larger ones. Those that are less than one for a funder are nobody's, and stay.
    fn count_in_larger(&mut self, by: u32) -> Result<(), PoolError> {
        self.scale = self.scale.checked_add(by).ok_or(PoolError::Overflow)?;
        self.shares = in_larger(self.shares, by);
        self.unowned = in_larger(self.unowned, by);
        self.leaving = in_larger(self.leaving, by);
        Ok(())
    }

    /// The shares that leave, for `amount`.
    const fn batch_worth(&self, amount: Balance) -> Exit {
        Exit { shares: self.leaving, amount, scale: self.scale, funders: self.leavers }
    }

    /// Lets the shares leave that were to leave at the end of a period which left `available` in the
    /// pool. Answers number and contents of their batch; the contents' amount is no longer available.
    ///
    /// # Errors
    ///
    /// On overflow; nothing has changed then.
    pub fn let_go(&mut self, available: Balance) -> Result<Option<(u32, Exit)>, PoolError> {
        if self.leavers == 0 {
            return Ok(None);
        }
        let exit = self.batch_worth(match self.leaving {
            0 => 0,
            leaving => share_of(available, leaving, self.shares)?,
        });
        let shares = self.shares.checked_sub(self.leaving).ok_or(PoolError::NotOwed)?;
        let returning = self.returning.checked_add(exit.amount).ok_or(PoolError::Overflow)?;
        let next = self.batch.checked_add(1).ok_or(PoolError::Overflow)?;
        let batch = self.batch;
        *self = Self { shares, returning, leaving: 0, leavers: 0, batch: next, ..*self };
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

    /// Counts out what has left, of its batch `exit` if that brought anything, counts in larger shares if the
    /// pool does, and forgets shares that became void.
    ///
    /// # Errors
    ///
    /// If the batch has fewer shares; nothing has changed then.
    pub fn settle(&mut self, funds: &mut Funds, exit: Option<&mut Exit>) -> Result<(), PoolError> {
        if self.has_left(funds) {
            let scale = self.scale;
            let leaving = |exit: &Exit| in_larger(self.leaving, exit.scale.saturating_sub(scale));
            let part = exit.map_or(Ok(0), |exit| exit.take(leaving(exit)))?;
            self.due = self.due.checked_add(part).ok_or(PoolError::Overflow)?;
            self.leaving = 0;
        }
        let by = funds.scale.saturating_sub(self.scale);
        self.scale = funds.scale;
        self.shares = in_larger(self.shares, by);
        if self.leaving > 0 {
            self.leaving = in_larger(self.leaving, by);
            if self.leaving == 0 {
                funds.leavers = funds.leavers.saturating_sub(1);
            }
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
        let all = funds.leaving.checked_add(shares).ok_or(PoolError::Overflow)?;
        if self.leaving == 0 && leaving > 0 {
            funds.leavers = funds.leavers.checked_add(1).ok_or(PoolError::Overflow)?;
        }
        funds.leaving = all;
        (self.shares, self.leaving, self.batch) = (rest, leaving, funds.batch);
        Ok(())
    }

    /// Plancks that its staying shares are worth in a pool that has `available`.
    pub fn worth(&self, funds: &Funds, available: Balance) -> Balance {
        if self.generation < funds.generation || funds.shares == 0 {
            return 0;
        }
        let shares = in_larger(self.shares, funds.scale.saturating_sub(self.scale));
        share_of(available, shares, funds.shares).unwrap_or(0)
    }

    /// Whether nothing is left of it.
    pub const fn is_empty(&self) -> bool {
        self.shares == 0 && self.leaving == 0 && self.due == 0
    }
}
