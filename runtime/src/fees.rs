//! What transactions cost and who gets it.

use crate::{AccountId, Authorship, Balance, Balances};
use frame_support::{
    traits::{
        fungible::{Balanced, Credit},
        Get, Imbalance, OnUnbalanced,
    },
    weights::{Weight, WeightToFee},
    PalletId,
};
use sp_runtime::traits::AccountIdConversion;

/// Id of the treasury's account; the one pallet-treasury uses, so that it can take over.
pub const TREASURY_ID: PalletId = PalletId(*b"py/trsry");

/// Plancks for a picosecond of execution: a transfer of about 0.3 ms costs about 0.0001 OPEN.
pub const FEE_PER_PICOSECOND: Balance = 300_000;
/// Plancks for a byte of a transaction.
pub const FEE_PER_BYTE: Balance = 10_000_000_000;

/// The treasury's account.
pub struct TreasuryAccount;

impl Get<AccountId> for TreasuryAccount {
    fn get() -> AccountId {
        TREASURY_ID.into_account_truncating()
    }
}

/// Fee for execution time.
pub struct ExecutionFee;

impl WeightToFee for ExecutionFee {
    type Balance = Balance;

    fn weight_to_fee(weight: &Weight) -> Balance {
        Balance::from(weight.ref_time()).saturating_mul(FEE_PER_PICOSECOND)
    }
}

/// Gives 20 % of a fee, and the tip, to the block's author, 60 % to the stakers' pot and 20 % to the treasury.
pub struct SplitFee;

impl SplitFee {
    /// Credits an account. What it cannot take (an author whose account is gone, a pot that genesis did not
    /// endow) goes to the treasury, whose account exists since genesis: dropping a credit would burn OPEN.
    fn credit(who: Option<AccountId>, amount: Credit<AccountId, Balances>) {
        let rest = match who {
            Some(who) => Balances::resolve(&who, amount).err(),
            None => Some(amount),
        };
        if let Some(rest) = rest {
            if let Err(lost) = Balances::resolve(&TreasuryAccount::get(), rest) {
                frame_support::defensive!("the treasury could not take a fee", lost.peek());
            }
        }
    }
}

impl OnUnbalanced<Credit<AccountId, Balances>> for SplitFee {
    fn on_unbalanceds(mut fees_then_tips: impl Iterator<Item = Credit<AccountId, Balances>>) {
        if let Some(fee) = fees_then_tips.next() {
            let (mut author, rest) = fee.ration(20, 80);
            let (stakers, treasury) = rest.ration(75, 25);
            for tip in fees_then_tips {
                author.subsume(tip);
            }
            Self::credit(Authorship::author(), author);
            Self::credit(Some(crate::staking::pot::PotAccount::get()), stakers);
            Self::credit(None, treasury);
        }
    }
}

/// Gives what belongs to nobody any more to the treasury: the remains of a reaped account, what was slashed.
pub struct DustToTreasury;

impl OnUnbalanced<Credit<AccountId, Balances>> for DustToTreasury {
    fn on_nonzero_unbalanced(amount: Credit<AccountId, Balances>) {
        SplitFee::credit(None, amount);
    }
}
