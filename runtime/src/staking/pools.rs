//! Nomination pools: accounts with too little to be elected for, or no wish to choose validators, nominate together.
//!
//! A pool is one nominator to the rest of staking. Its members' OPEN stays on their accounts, held by
//! `pallet-delegated-staking`, and votes in referenda; what the pool is paid comes out of the stakers' pot
//! ([`super::pot`]) into the pool's reward account, and from there to members as they ask for it. A slash of the pool is
//! owed by its members until somebody has it taken, at the latest when they withdraw; it goes to the treasury whole.

use super::payouts;
use crate::{
    fees::DustToTreasury, AccountId, Balance, Balances, DelegatedStaking, NominationPools, Runtime,
    RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, Staking, System,
};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{
    ensure, parameter_types,
    traits::{
        fungible::{Inspect, InspectHold},
        tokens::{Fortitude, Preservation},
        ConstU32, ConstU8, Contains,
    },
    PalletId,
};
use frame_system::EnsureRoot;
use openledger_primitives::{
    nomination::{
        NominationPoolId, NominationPoolState, NominationPoolView, NominationTerms, PoolMemberView,
        COMMISSION_PARTS,
    },
    OPEN,
};
use pallet_nomination_pools::{
    BondedPools, LastPoolId, MaxPools, Metadata, MinJoinBond, Pallet, PoolMember, PoolMembers,
    PoolState, ReversePoolIdLookup, SubPools, SubPoolsStorage, TotalValueLocked,
};
use sp_core::U256;
use sp_runtime::{
    helpers_128bit::multiply_by_rational_with_rounding, traits::Convert, FixedU128, Perbill,
    Rounding, TryRuntimeError,
};
use sp_staking::StakingInterface;

/// Least that an account brings into a pool: what its entry on chain costs it.
pub const MIN_JOIN_BOND: Balance = OPEN;
/// Least that who makes a pool brings into it, and leaves there until all others have left.
pub const MIN_CREATE_BOND: Balance = 100 * OPEN;
/// Pools of a preset's chain: as many nominators as an election counts.
pub const MAX_POOLS: u32 = super::MAX_VOTERS;
/// Most that a pool may keep of its payouts.
pub const MAX_COMMISSION: Perbill = Perbill::from_percent(10);
/// Eras whose unbonding a pool keeps apart, and so one more than stake may take to be free: a slash has to reach it.
pub const MAX_UNBONDING_POOLS: u32 = 32;
/// Most pools of a page.
const MAX_PAGE: u32 = 100;

parameter_types! {
    /// From which the accounts of pools are derived.
    pub const PoolsPalletId: PalletId = PalletId(*b"py/nopls");
    pub const DelegationPalletId: PalletId = PalletId(*b"py/dlstk");
    /// Nobody is paid for having a slash taken: an account that cannot take a reward would burn it.
    pub const NoReward: Perbill = Perbill::zero();
}

/// Balances as the pools' arithmetic has them.
pub struct BalanceToU256;

impl Convert<Balance, U256> for BalanceToU256 {
    fn convert(balance: Balance) -> U256 {
        U256::from(balance)
    }
}

/// And back.
pub struct U256ToBalance;

impl Convert<U256, Balance> for U256ToBalance {
    fn convert(number: U256) -> Balance {
        number.try_into().unwrap_or(Balance::MAX)
    }
}

impl pallet_delegated_staking::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type PalletId = DelegationPalletId;
    type Currency = Balances;
    type OnSlash = DustToTreasury;
    type SlashRewardFraction = NoReward;
    type RuntimeHoldReason = RuntimeHoldReason;
    type CoreStaking = Staking;
}

impl pallet_nomination_pools::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_nomination_pools::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type RewardCounter = FixedU128;
    type PalletId = PoolsPalletId;
    // A pool that lost nine tenths takes nobody new.
    type MaxPointsToBalance = ConstU8<10>;
    type MaxUnbonding = ConstU32<MAX_UNBONDING_POOLS>;
    type BalanceToU256 = BalanceToU256;
    type U256ToBalance = U256ToBalance;
    type StakeAdapter =
        pallet_nomination_pools::adapter::DelegateStake<Runtime, Staking, DelegatedStaking>;
    type MaxUnbondingPools = ConstU32<MAX_UNBONDING_POOLS>;
    type MaxMetadataLen = ConstU32<128>;
    type AdminOrigin = EnsureRoot<AccountId>;
    type BlockNumberProvider = System;
    type Filter = KeptOut;
}

/// Who may not bring OPEN into a pool: who stakes by itself, as who is in one does not ([`Delegators`]); and everybody while
/// payouts of an era that has ended are made, which would be shared with who comes after it.
pub struct KeptOut;

impl Contains<AccountId> for KeptOut {
    fn contains(who: &AccountId) -> bool {
        pallet_staking::AllStakers::<Runtime>::contains(who) || payouts::are_due()
    }
}

/// Who has OPEN in a pool, and so does not stake by itself. A member of a pool that lost everything, whom the pallet
/// does not let go, has none there.
pub struct Delegators;

impl Contains<AccountId> for Delegators {
    fn contains(who: &AccountId) -> bool {
        pallet_delegated_staking::Delegators::<Runtime>::contains_key(who)
    }
}

/// What pools ask for.
pub fn terms() -> NominationTerms {
    NominationTerms {
        min_join: MinJoinBond::<Runtime>::get(),
        min_create: NominationPools::depositor_min_bond(),
        pools: BondedPools::<Runtime>::count(),
        max_pools: MaxPools::<Runtime>::get(),
        max_commission: pallet_nomination_pools::GlobalMaxCommission::<Runtime>::get()
            .map_or(COMMISSION_PARTS, |most| most.deconstruct()),
        last: LastPoolId::<Runtime>::get(),
    }
}

/// A pool.
pub fn pool(id: NominationPoolId) -> Option<NominationPoolView<AccountId>> {
    let pool = BondedPools::<Runtime>::get(id)?;
    let (account, reward_account) = NominationPools::api_pool_accounts(id);
    let bonded = Staking::active_stake(&account).unwrap_or_default();
    let targets = pallet_staking::Nominators::<Runtime>::get(&account)
        .map(|nominations| nominations.targets.into_inner())
        .unwrap_or_default();
    Some(NominationPoolView {
        id,
        name: Metadata::<Runtime>::get(id).into_inner(),
        state: match pool.state {
            PoolState::Open => NominationPoolState::Open,
            PoolState::Blocked => NominationPoolState::Blocked,
            PoolState::Destroying => NominationPoolState::Destroying,
        },
        members: pool.member_counter,
        bonded,
        unbonding: NominationPools::api_pool_balance(id).saturating_sub(bonded),
        pending_slash: NominationPools::api_pool_pending_slash(id),
        account,
        reward_account,
        depositor: pool.roles.depositor,
        root: pool.roles.root,
        nominator: pool.roles.nominator,
        bouncer: pool.roles.bouncer,
        commission: pool.commission.current.map(|(part, payee)| (part.deconstruct(), payee)),
        targets,
    })
}

/// Those of `limit` numbers from `start` on that are pools.
pub fn pools(start: NominationPoolId, limit: u32) -> Vec<NominationPoolView<AccountId>> {
    let end = start.saturating_add(limit.min(MAX_PAGE));
    (start..end.min(LastPoolId::<Runtime>::get().saturating_add(1))).filter_map(pool).collect()
}

/// An account's part of its pool.
pub fn member(account: &AccountId) -> Option<PoolMemberView> {
    let member = PoolMembers::<Runtime>::get(account)?;
    let parts = SubPoolsStorage::<Runtime>::get(member.pool_id);
    Some(PoolMemberView {
        pool: member.pool_id,
        points: member.points,
        bonded: NominationPools::api_points_to_balance(member.pool_id, member.points),
        unbonding: unbonding(&member, parts.as_ref()),
        rewards: NominationPools::api_pending_rewards(account.clone()).unwrap_or_default(),
        pending_slash: NominationPools::api_member_pending_slash(account.clone()),
        era: <Staking as StakingInterface>::current_era(),
    })
}

/// What a member's points on their way out are worth, and from which era on they are free.
fn unbonding(
    member: &PoolMember<Runtime>,
    parts: Option<&SubPools<Runtime>>,
) -> Vec<(Balance, u32)> {
    let worth = |era, points| {
        let parts = parts?;
        let part = parts.with_era.get(era).unwrap_or(&parts.no_era);
        multiply_by_rational_with_rounding(part.balance, points, part.points, Rounding::Down)
    };
    let eras = member.unbonding_eras.iter();
    eras.map(|(era, points)| (worth(era, *points).unwrap_or_default(), *era)).collect()
}

/// Checks that what members delegated is held, and is what their pools have staked, may withdraw or owe; that points and
/// members add up; and that every pool's reward account can pay. Reads every member.
pub(super) fn check() -> Result<(), TryRuntimeError> {
    let reason = RuntimeHoldReason::DelegatedStaking(
        pallet_delegated_staking::HoldReason::StakingDelegation,
    );
    let mut delegated = BTreeMap::<AccountId, Balance>::new();
    for (account, delegation) in pallet_delegated_staking::Delegators::<Runtime>::iter() {
        ensure!(
            Balances::balance_on_hold(&reason, &account) == delegation.amount,
            "what is held of a pool's member is not what it has delegated"
        );
        ensure!(
            PoolMembers::<Runtime>::contains_key(&account),
            "somebody delegates who is in no pool"
        );
        let sum = delegated.entry(delegation.agent).or_default();
        *sum = sum.saturating_add(delegation.amount);
    }
    let mut locked: Balance = 0;
    for (account, agent) in pallet_delegated_staking::Agents::<Runtime>::iter() {
        let staked = Staking::total_stake(&account).unwrap_or_default();
        locked = locked.saturating_add(staked);
        let sum =
            staked.saturating_add(agent.unclaimed_withdrawals).saturating_add(agent.pending_slash);
        ensure!(
            delegated.remove(&account).unwrap_or_default() == agent.total_delegated
                && sum == agent.total_delegated,
            "what a pool has staked, may withdraw and owes is not what its members delegated"
        );
        ensure!(
            ReversePoolIdLookup::<Runtime>::contains_key(&account),
            "somebody is delegated to who is no pool"
        );
    }
    ensure!(delegated.is_empty(), "members delegate to an account that is no pool");
    ensure!(
        TotalValueLocked::<Runtime>::get() == locked,
        "what all pools have staked is not what is counted"
    );
    check_members()
}

fn check_members() -> Result<(), TryRuntimeError> {
    let mut sums = BTreeMap::<NominationPoolId, (u32, Balance, Balance)>::new();
    for (account, member) in PoolMembers::<Runtime>::iter() {
        let (members, points, rewards) = sums.entry(member.pool_id).or_default();
        *members = members.saturating_add(1);
        *points = points.saturating_add(member.points);
        let due = NominationPools::api_pending_rewards(account).unwrap_or_default();
        *rewards = rewards.saturating_add(due);
    }
    for (id, pool) in BondedPools::<Runtime>::iter() {
        let (members, points, rewards) = sums.remove(&id).unwrap_or_default();
        ensure!(
            (members, points) == (pool.member_counter, pool.points),
            "a pool has other members, or points, than its members say"
        );
        let account = Pallet::<Runtime>::generate_reward_account(id);
        let has =
            Balances::reducible_balance(&account, Preservation::Expendable, Fortitude::Polite);
        ensure!(rewards <= has, "a pool owes its members more than it was paid");
    }
    ensure!(sums.is_empty(), "somebody is in a pool that there is not");
    Ok(())
}
