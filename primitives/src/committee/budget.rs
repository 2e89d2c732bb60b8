//! What a Datanet pays its reviewers from, and who may make it pay.

use crate::{quota::QuotaLimits, Balance};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How fast a budget may be used up.
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
pub struct BudgetTerms {
    /// Files a UTC day that committees are drawn for.
    pub files_a_day: u32,
    /// Percent of them that one account may submit, rounded up; and of what is not spent, that may be set aside for its
    /// files at a time.
    pub share: u8,
}

impl BudgetTerms {
    /// Where the owner set none.
    pub const DEFAULT: Self = Self { files_a_day: 1_000, share: 10 };

    /// The day's limit for all accounts together, for [`DailyQuota`](crate::DailyQuota).
    pub const fn limits(&self) -> QuotaLimits {
        QuotaLimits { files: self.files_a_day, bytes: u64::MAX }
    }

    /// The day's limit for one account.
    pub const fn limits_of_account(&self) -> QuotaLimits {
        let share = if self.share > 100 { 100 } else { self.share };
        QuotaLimits { files: self.limits().share(share).files, bytes: u64::MAX }
    }

    /// Files of one account that money may be set aside for in any case: a budget that pays for few shall not keep an honest
    /// contributor from giving some at once.
    pub const LEAST_SET_ASIDE: u32 = 5;

    /// Most plancks that may be set aside for files of one account at a time: its share of what is not spent, and in any case
    /// what [some](Self::LEAST_SET_ASIDE) can cost, `each`.
    pub const fn most_reserved(&self, budget: &Budget, each: Balance) -> Balance {
        let share = if self.share > 100 { 100 } else { self.share };
        let unspent = budget.available.saturating_add(budget.reserved);
        // In this order nothing overflows, and what is lost is less than a hundred plancks.
        let most = (unspent / 100).saturating_mul(share as Balance);
        let least = each.saturating_mul(Self::LEAST_SET_ASIDE as Balance);
        if most > least {
            most
        } else {
            least
        }
    }
}

/// A Datanet's review budget. What was paid in is available, reserved, spent or taken back, at all times.
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
pub struct Budget {
    /// Everything ever paid in.
    pub paid_in: Balance,
    /// Free for further draws.
    pub available: Balance,
    /// Set aside for files that are being judged.
    pub reserved: Balance,
    /// Paid to reviewers.
    pub spent: Balance,
    /// Taken back by the Datanet's owner.
    pub taken_back: Balance,
}

/// Why a budget does not change. Nothing is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetError {
    /// It has not so much.
    TooLittle,
    /// The sum is no number.
    Overflow,
}

impl Budget {
    /// Pays in.
    ///
    /// # Errors
    ///
    /// [`BudgetError::Overflow`].
    pub fn fund(&mut self, amount: Balance) -> Result<(), BudgetError> {
        // What is available is a part of what was paid in.
        self.paid_in = self.paid_in.checked_add(amount).ok_or(BudgetError::Overflow)?;
        self.available = self.available.saturating_add(amount);
        Ok(())
    }

    /// Sets aside what a draw can cost.
    ///
    /// # Errors
    ///
    /// [`BudgetError::TooLittle`].
    pub fn reserve(&mut self, amount: Balance) -> Result<(), BudgetError> {
        self.available = self.available.checked_sub(amount).ok_or(BudgetError::TooLittle)?;
        self.reserved = self.reserved.saturating_add(amount);
        Ok(())
    }

    /// A file is settled: `spent` of its reserve left, the rest is available again.
    ///
    /// # Errors
    ///
    /// [`BudgetError::TooLittle`] if more is spent than was reserved, or more settled.
    pub fn settle(&mut self, reserve: Balance, spent: Balance) -> Result<(), BudgetError> {
        let rest = reserve.checked_sub(spent).ok_or(BudgetError::TooLittle)?;
        self.reserved = self.reserved.checked_sub(reserve).ok_or(BudgetError::TooLittle)?;
        self.spent = self.spent.saturating_add(spent);
        self.available = self.available.saturating_add(rest);
        Ok(())
    }

    /// The owner takes back what no draw needs.
    ///
    /// # Errors
    ///
    /// [`BudgetError::TooLittle`].
    pub fn take_back(&mut self, amount: Balance) -> Result<(), BudgetError> {
        self.available = self.available.checked_sub(amount).ok_or(BudgetError::TooLittle)?;
        self.taken_back = self.taken_back.saturating_add(amount);
        Ok(())
    }

    /// Whether nothing is lost and nothing came from nowhere.
    pub fn is_conserved(&self) -> bool {
        let parts = [self.available, self.reserved, self.spent, self.taken_back];
        let sum = parts.iter().try_fold(0, |sum: Balance, part| sum.checked_add(*part));
        sum == Some(self.paid_in)
    }
}
