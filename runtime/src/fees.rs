//! What transactions cost and who gets it.

use crate::{AccountId, Authorship, Balance, Balances, Runtime};
use frame_support::{
    dispatch::DispatchClass,
    traits::{
        fungible::{Balanced, Credit},
        Get, Imbalance, OnUnbalanced,
    },
    weights::{Weight, WeightToFee},
    PalletId,
};
use pallet_transaction_payment::{Multiplier, MultiplierUpdate, NextFeeMultiplier};
use sp_runtime::{
    traits::{AccountIdConversion, Convert, One, Saturating},
    FixedPointNumber, Perquintill,
};

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

/// Fee for bytes. Busy blocks raise it as they raise the fee for execution, else who fills them with bytes would keep
/// everybody out at the price of an empty chain; quiet ones do not lower it, since bytes are kept for ever.
pub struct LengthFee;

impl WeightToFee for LengthFee {
    type Balance = Balance;

    fn weight_to_fee(length: &Weight) -> Balance {
        let fee = Balance::from(length.ref_time()).saturating_mul(FEE_PER_BYTE);
        NextFeeMultiplier::<Runtime>::get().max(Multiplier::one()).saturating_mul_int(fee)
    }
}

/// How the multiplier of fees follows the blocks: a full one raises it by an eighth, an empty one lowers it by an
/// eighth, and one that is half full leaves it. So a few minutes of full blocks cost who fills them the most that a
/// fee may be, and as much quiet undoes it. Free calls alone fill a third of what ordinary ones may, and so raise nobody's fee.
pub struct FollowBlocks;

impl FollowBlocks {
    /// How full of ordinary transactions the block is, by execution or by bytes, whichever is more.
    fn fullness() -> Multiplier {
        let normal = DispatchClass::Normal;
        let weights = <Runtime as frame_system::Config>::BlockWeights::get();
        let most = weights.get(normal).max_total.unwrap_or(weights.max_block).ref_time();
        let weight = crate::System::block_weight().get(normal).ref_time();
        let length = <Runtime as frame_system::Config>::BlockLength::get();
        let bytes = crate::System::block_size();
        Multiplier::saturating_from_rational(weight, most.max(1))
            .max(Multiplier::saturating_from_rational(bytes, (*length.max.get(normal)).max(1)))
            .min(Multiplier::one())
    }
}

impl Convert<Multiplier, Multiplier> for FollowBlocks {
    fn convert(previous: Multiplier) -> Multiplier {
        let previous = previous.max(Self::min());
        let (fullness, target) = (Self::fullness(), Self::target().into());
        let change =
            |by: Multiplier| Self::variability().saturating_mul(by).saturating_mul(previous);
        let next = if fullness >= target {
            previous.saturating_add(change(fullness.saturating_sub(target)))
        } else {
            previous.saturating_sub(change(target.saturating_sub(fullness)))
        };
        next.clamp(Self::min(), Self::max())
    }
}

impl MultiplierUpdate for FollowBlocks {
    fn min() -> Multiplier {
        Multiplier::saturating_from_rational(1, 10)
    }

    fn max() -> Multiplier {
        Multiplier::saturating_from_integer(1_000)
    }

    fn target() -> Perquintill {
        Perquintill::from_percent(50)
    }

    fn variability() -> Multiplier {
        Multiplier::saturating_from_rational(1, 4)
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
