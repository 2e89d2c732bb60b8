//! The stakers' share of fees, and how it is paid.
//!
//! Fees flow into the pot's account. When an era ends, what the pot has beyond what it owes is the era's payout, to
//! the planck. `pallet-staking` pays it out account by account as if it minted, when the chain asks for it
//! ([`super::payouts`]) or anybody does; each of these debts is settled from the pot in the same call, so that issuance
//! never changes.
//!
//! What an era's payout leaves, by rounding or because somebody wants none, is shared by the next era: once the chain has
//! tried all payouts, the pot owes no more than what could not be paid and may still be claimed. That ends with
//! the pallet's history.

pub use pallet::*;

use crate::{
    fees::DustToTreasury, AccountId, BagsList, Balance, Balances, Runtime, RuntimeHoldReason,
};
use frame_election_provider_support::SortedListProvider;
use frame_support::{
    ensure,
    traits::{
        fungible::{Balanced, Credit, Debt, Inspect, InspectHold},
        tokens::{Fortitude, Precision, Preservation},
        Get, Imbalance, OnUnbalanced,
    },
    PalletId,
};
use openledger_primitives::EXISTENTIAL_DEPOSIT;
use sp_runtime::{traits::AccountIdConversion, TryRuntimeError};
use sp_staking::EraIndex;

/// Id of the pot's account.
pub const POT_ID: PalletId = PalletId(*b"ol/stake");
/// What genesis endows the pot with, and what it always keeps: its existence, and as much again for what rounding
/// to the nearest planck may ask for beyond an era's payout.
pub const FLOOR: Balance = 2 * EXISTENTIAL_DEPOSIT;

#[frame_support::pallet]
pub mod pallet {
    //! The pallet's parts, as the macro lays them out.

    use super::{
        super::{
            payouts::{self, Place},
            seats, slashes, HISTORY,
        },
        check, Balance,
    };
    use alloc::vec::Vec;
    use frame_support::{dispatch::DispatchClass, pallet_prelude::*};
    use frame_system::pallet_prelude::BlockNumberFor;
    use sp_runtime::TryRuntimeError;
    use sp_staking::EraIndex;

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Nothing to configure.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// Payouts of ended eras that were not made yet, in plancks.
    #[pallet::storage]
    pub type Owed<T> = StorageValue<_, Balance, ValueQuery>;

    /// The next payout that the chain makes by itself.
    #[pallet::storage]
    pub type Paying<T> = StorageValue<_, Place, ValueQuery>;

    /// What pages of an era that could not be paid when the chain tried may still be claimed for, at most, in plancks. From
    /// the oldest era to the latest.
    #[pallet::storage]
    pub type Claimable<T> =
        StorageValue<_, BoundedVec<(EraIndex, Balance), ConstU32<HISTORY>>, ValueQuery>;

    /// Slashes that have waited and are applied now, as many as a part of each block holds. There are as many as
    /// validators that were reported in the eras for which stake is bonded, each once for every report that came after it.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type DueSlashes<T> = StorageValue<_, Vec<slashes::DueSlash>, ValueQuery>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // After the session's, which ends eras: nothing comes between an era's end and its payouts.
        fn on_initialize(_now: BlockNumberFor<T>) -> Weight {
            payouts::pay().saturating_add(slashes::apply()).saturating_add(seats::make_room())
        }

        // Before the next block's session, which may begin an era.
        fn on_finalize(_now: BlockNumberFor<T>) {
            let used = slashes::collect();
            <frame_system::Pallet<T>>::register_extra_weight_unchecked(
                used,
                DispatchClass::Mandatory,
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Checks that the pot has what it owes, that every bond is held and that pools' books agree. Reads every staker: for tests and
        /// try-runtime only.
        ///
        /// # Errors
        ///
        /// Which of them does not hold.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            check()
        }
    }
}

fn check() -> Result<(), TryRuntimeError> {
    ensure!(
        available() >= Owed::<Runtime>::get(),
        "the stakers' pot has less than it owes to stakers"
    );
    let claimable = Claimable::<Runtime>::get();
    ensure!(
        claimable.is_sorted_by(|one, next| one.0 < next.0),
        "what may be claimed is not in the order of eras"
    );
    ensure!(
        super::payouts::are_due() || Owed::<Runtime>::get() <= sum(&claimable),
        "the stakers' pot owes more than can be claimed"
    );
    let reason = RuntimeHoldReason::Staking(pallet_staking::HoldReason::Staking);
    for ledger in pallet_staking::Ledger::<Runtime>::iter_values() {
        let leaving: Balance = ledger.unlocking.iter().map(|chunk| chunk.value).sum();
        ensure!(
            ledger.active.saturating_add(leaving) == ledger.total,
            "a bond is not what is active and what is on its way out"
        );
        // What a pool has bonded is held of its members.
        let is_pool = pallet_staking::VirtualStakers::<Runtime>::contains_key(&ledger.stash);
        ensure!(
            Balances::balance_on_hold(&reason, &ledger.stash)
                == if is_pool { 0 } else { ledger.total },
            "what is held of a staker is not what it has bonded"
        );
        ensure!(
            is_pool == pallet_delegated_staking::Agents::<Runtime>::contains_key(&ledger.stash),
            "somebody bonds for others who is no pool"
        );
    }
    super::pools::check()?;
    let stakers = pallet_staking::Validators::<Runtime>::count()
        .saturating_add(pallet_staking::Nominators::<Runtime>::count());
    ensure!(
        BagsList::count() == stakers && BagsList::iter().count() as u32 == stakers,
        "bags list other accounts than those who validate or nominate"
    );
    Ok(())
}

/// The pot's account.
pub struct PotAccount;

impl Get<AccountId> for PotAccount {
    fn get() -> AccountId {
        POT_ID.into_account_truncating()
    }
}

/// What the pot holds beyond its floor.
pub fn available() -> Balance {
    Balances::balance(&PotAccount::get()).saturating_sub(FLOOR)
}

/// An era's payout: what has come into the pot since the last one.
pub struct EraPayout;

impl sp_staking::EraPayout<Balance> for EraPayout {
    fn era_payout(_staked: Balance, _issuance: Balance, _milliseconds: u64) -> (Balance, Balance) {
        let due = available().saturating_sub(Owed::<Runtime>::get());
        Owed::<Runtime>::mutate(|owed| *owed = owed.saturating_add(due));
        (due, 0)
    }
}

fn sum(claimable: &[(EraIndex, Balance)]) -> Balance {
    claimable.iter().fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
}

/// Keeps what a page of an era that could not be paid may still be claimed for, at most. Eras come in their order.
pub(super) fn keep(era: EraIndex, amount: Balance) {
    Claimable::<Runtime>::mutate(|claimable| {
        // There is a place for each era of the pallet's history; if there were none, the amount would stand with the latest.
        let is_full = claimable.is_full();
        match claimable.last_mut() {
            Some(last) if last.0 >= era || is_full => last.1 = last.1.saturating_add(amount),
            _ => {
                let _ = claimable.try_push((era, amount));
            }
        }
    });
}

/// Somebody claimed what could not be paid: so much less may be claimed, of the oldest era first, since what is kept
/// longest is what others wait for.
fn claimed(amount: Balance) {
    Claimable::<Runtime>::mutate(|claimable| {
        let mut left = amount;
        for (_, kept) in claimable.iter_mut() {
            let part = left.min(*kept);
            *kept = kept.saturating_sub(part);
            left = left.saturating_sub(part);
        }
        claimable.retain(|(_, kept)| *kept > 0);
    });
}

/// Lets go what is owed to nobody who could claim it, once all payouts were tried: of eras before `oldest` nothing can be.
pub(super) fn let_go(oldest: EraIndex) {
    let claimable = Claimable::<Runtime>::mutate(|claimable| {
        claimable.retain(|(era, _)| *era >= oldest);
        sum(claimable)
    });
    Owed::<Runtime>::mutate(|owed| *owed = (*owed).min(claimable));
}

/// Settles what stakers were given from the pot.
pub struct FromPot;

impl OnUnbalanced<Debt<AccountId, Balances>> for FromPot {
    fn on_nonzero_unbalanced(given: Debt<AccountId, Balances>) {
        let amount = given.peek();
        Owed::<Runtime>::mutate(|owed| *owed = owed.saturating_sub(amount));
        if !super::payouts::are_due() {
            claimed(amount);
        }
        let settled = Balances::settle(&PotAccount::get(), given, Preservation::Preserve);
        if let Err(given) = settled {
            // Rather the treasury pays than that something is minted.
            let rest = Balances::settle(
                &crate::fees::TreasuryAccount::get(),
                given,
                Preservation::Preserve,
            );
            if rest.is_err() {
                frame_support::defensive!("neither pot nor treasury could pay stakers", amount);
            }
        }
    }
}

/// Gives the treasury what governance has withheld from stakers, out of the pot: the pallet issues it, so as much is
/// taken from the pot.
pub struct ToTreasury;

impl OnUnbalanced<Credit<AccountId, Balances>> for ToTreasury {
    fn on_nonzero_unbalanced(issued: Credit<AccountId, Balances>) {
        let amount = issued.peek();
        Owed::<Runtime>::mutate(|owed| *owed = owed.saturating_sub(amount));
        let taken = Balances::withdraw(
            &PotAccount::get(),
            amount,
            Precision::BestEffort,
            Preservation::Preserve,
            Fortitude::Polite,
        );
        // What was issued goes as it came; what was taken takes its place.
        drop(issued);
        match taken {
            Ok(taken) => DustToTreasury::on_nonzero_unbalanced(taken),
            Err(_) => {
                frame_support::defensive!("the pot could not pay the treasury", amount);
            }
        }
    }
}
