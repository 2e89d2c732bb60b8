//! Which OPEN may vote.
//!
//! A lock of a vote keeps OPEN from being transferred, but what is held for jobs is paid to workers in spite of
//! it: an owner could vote with a budget, have a worker of its own paid, and vote with the same OPEN from the
//! next account, again and again. So who has a budget with a job does not vote, and whose OPEN votes makes no
//! job; the two are done from accounts of their own.
//!
//! What else is held goes to another account only in small pieces: the bond of a challenge, what seats lose for a file and the
//! fees of a dispute's verifiers, some of which accounts of one owner can be, each after those drawn for it have decided. Who
//! holds seats and bonds would not vote at all otherwise.

use crate::{AccountId, Balance, Balances, Runtime, RuntimeHoldReason};
use frame_support::traits::{
    fungible,
    fungible::InspectHold,
    tokens::{DepositConsequence, Fortitude, Preservation, Provenance, WithdrawConsequence},
    BalanceStatus, Contains, Currency, ExistenceRequirement, LockIdentifier, LockableCurrency,
    ReservableCurrency, SignedImbalance, WithdrawReasons,
};
use sp_runtime::{DispatchError, DispatchResult};

/// The lock of votes, as the pallet of conviction voting names it.
const VOTES: LockIdentifier = *b"pyconvot";

type Positive = <Balances as Currency<AccountId>>::PositiveImbalance;
type Negative = <Balances as Currency<AccountId>>::NegativeImbalance;

/// Accounts whose OPEN votes.
pub struct Voters;

impl Contains<AccountId> for Voters {
    fn contains(who: &AccountId) -> bool {
        pallet_balances::Locks::<Runtime>::get(who).iter().any(|lock| lock.id == VOTES)
    }
}

/// [`Balances`], of which an account that has a budget with a job has nothing to vote with.
pub struct VotingBalances;

fn may_vote(who: &AccountId) -> bool {
    let budget = RuntimeHoldReason::Training(pallet_training::HoldReason::JobBudget);
    Balances::balance_on_hold(&budget, who) == 0
}

impl Currency<AccountId> for VotingBalances {
    type Balance = Balance;
    type PositiveImbalance = Positive;
    type NegativeImbalance = Negative;

    fn total_balance(who: &AccountId) -> Balance {
        match may_vote(who) {
            true => <Balances as Currency<_>>::total_balance(who),
            false => 0,
        }
    }

    fn can_slash(who: &AccountId, value: Balance) -> bool {
        <Balances as Currency<_>>::can_slash(who, value)
    }

    fn total_issuance() -> Balance {
        <Balances as Currency<AccountId>>::total_issuance()
    }

    fn active_issuance() -> Balance {
        <Balances as Currency<AccountId>>::active_issuance()
    }

    fn deactivate(amount: Balance) {
        <Balances as Currency<AccountId>>::deactivate(amount);
    }

    fn reactivate(amount: Balance) {
        <Balances as Currency<AccountId>>::reactivate(amount);
    }

    fn minimum_balance() -> Balance {
        <Balances as Currency<AccountId>>::minimum_balance()
    }

    fn burn(amount: Balance) -> Positive {
        <Balances as Currency<AccountId>>::burn(amount)
    }

    fn issue(amount: Balance) -> Negative {
        <Balances as Currency<AccountId>>::issue(amount)
    }

    fn free_balance(who: &AccountId) -> Balance {
        Balances::free_balance(who)
    }

    fn ensure_can_withdraw(
        who: &AccountId,
        amount: Balance,
        reasons: WithdrawReasons,
        left: Balance,
    ) -> DispatchResult {
        <Balances as Currency<_>>::ensure_can_withdraw(who, amount, reasons, left)
    }

    fn transfer(
        source: &AccountId,
        dest: &AccountId,
        value: Balance,
        existence: ExistenceRequirement,
    ) -> DispatchResult {
        <Balances as Currency<_>>::transfer(source, dest, value, existence)
    }

    fn slash(who: &AccountId, value: Balance) -> (Negative, Balance) {
        <Balances as Currency<_>>::slash(who, value)
    }

    fn deposit_into_existing(who: &AccountId, value: Balance) -> Result<Positive, DispatchError> {
        <Balances as Currency<_>>::deposit_into_existing(who, value)
    }

    fn deposit_creating(who: &AccountId, value: Balance) -> Positive {
        <Balances as Currency<_>>::deposit_creating(who, value)
    }

    fn withdraw(
        who: &AccountId,
        value: Balance,
        reasons: WithdrawReasons,
        existence: ExistenceRequirement,
    ) -> Result<Negative, DispatchError> {
        <Balances as Currency<_>>::withdraw(who, value, reasons, existence)
    }

    fn make_free_balance_be(
        who: &AccountId,
        balance: Balance,
    ) -> SignedImbalance<Balance, Positive> {
        <Balances as Currency<_>>::make_free_balance_be(who, balance)
    }
}

impl ReservableCurrency<AccountId> for VotingBalances {
    fn can_reserve(who: &AccountId, value: Balance) -> bool {
        Balances::can_reserve(who, value)
    }

    fn slash_reserved(who: &AccountId, value: Balance) -> (Negative, Balance) {
        Balances::slash_reserved(who, value)
    }

    fn reserved_balance(who: &AccountId) -> Balance {
        Balances::reserved_balance(who)
    }

    fn reserve(who: &AccountId, value: Balance) -> DispatchResult {
        Balances::reserve(who, value)
    }

    fn unreserve(who: &AccountId, value: Balance) -> Balance {
        Balances::unreserve(who, value)
    }

    fn repatriate_reserved(
        slashed: &AccountId,
        beneficiary: &AccountId,
        value: Balance,
        status: BalanceStatus,
    ) -> Result<Balance, DispatchError> {
        Balances::repatriate_reserved(slashed, beneficiary, value, status)
    }
}

impl LockableCurrency<AccountId> for VotingBalances {
    type Moment = <Balances as LockableCurrency<AccountId>>::Moment;
    type MaxLocks = <Balances as LockableCurrency<AccountId>>::MaxLocks;

    fn set_lock(id: LockIdentifier, who: &AccountId, amount: Balance, reasons: WithdrawReasons) {
        Balances::set_lock(id, who, amount, reasons);
    }

    fn extend_lock(id: LockIdentifier, who: &AccountId, amount: Balance, reasons: WithdrawReasons) {
        Balances::extend_lock(id, who, amount, reasons);
    }

    fn remove_lock(id: LockIdentifier, who: &AccountId) {
        Balances::remove_lock(id, who);
    }
}

impl fungible::Inspect<AccountId> for VotingBalances {
    type Balance = Balance;

    fn total_issuance() -> Balance {
        <Balances as fungible::Inspect<AccountId>>::total_issuance()
    }

    fn active_issuance() -> Balance {
        <Balances as fungible::Inspect<AccountId>>::active_issuance()
    }

    fn minimum_balance() -> Balance {
        <Balances as fungible::Inspect<AccountId>>::minimum_balance()
    }

    fn total_balance(who: &AccountId) -> Balance {
        <Self as Currency<AccountId>>::total_balance(who)
    }

    fn balance(who: &AccountId) -> Balance {
        <Balances as fungible::Inspect<AccountId>>::balance(who)
    }

    fn reducible_balance(who: &AccountId, preservation: Preservation, force: Fortitude) -> Balance {
        Balances::reducible_balance(who, preservation, force)
    }

    fn can_deposit(who: &AccountId, amount: Balance, provenance: Provenance) -> DepositConsequence {
        Balances::can_deposit(who, amount, provenance)
    }

    fn can_withdraw(who: &AccountId, amount: Balance) -> WithdrawConsequence<Balance> {
        <Balances as fungible::Inspect<AccountId>>::can_withdraw(who, amount)
    }
}
