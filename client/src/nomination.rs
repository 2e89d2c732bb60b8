//! Nomination pools: accounts that nominate validators together.

use crate::{
    connection::Client,
    errors::Result,
    runtime::{
        self,
        runtime_types::{
            pallet_nomination_pools::{BondExtra, PoolState},
            sp_arithmetic::per_things::Perbill,
        },
    },
    signer::Signer,
    transactions::{Receipt, Wait},
    AccountId,
};
use openledger_primitives::{
    nomination::{
        NominationPoolId, NominationPoolState, NominationPoolView, NominationTerms, PoolMemberView,
    },
    Balance,
};

/// Pools of a page.
const PAGE: u32 = 100;

/// Reads.
impl Client {
    /// What pools ask for here.
    pub async fn nomination_terms(&self) -> Result<NominationTerms> {
        self.api("NominationApi_terms", ()).await
    }

    /// A pool.
    pub async fn nomination_pool(
        &self,
        pool: NominationPoolId,
    ) -> Result<Option<NominationPoolView<AccountId>>> {
        self.api("NominationApi_pool", pool).await
    }

    /// All pools, by number.
    pub async fn nomination_pools(&self) -> Result<Vec<NominationPoolView<AccountId>>> {
        let last = self.nomination_terms().await?.last;
        let mut pools = Vec::new();
        let mut start = 1;
        while start <= last {
            let page: Vec<_> = self.api("NominationApi_pools", (start, PAGE)).await?;
            pools.extend(page);
            start = start.saturating_add(PAGE);
        }
        Ok(pools)
    }

    /// An account's part of the pool that it is in.
    pub async fn pool_member(&self, account: AccountId) -> Result<Option<PoolMemberView>> {
        self.api("NominationApi_member", account).await
    }

    /// Points of a pool that plancks are worth now, rounded down.
    pub async fn pool_points(&self, pool: NominationPoolId, amount: Balance) -> Result<Balance> {
        self.api("NominationPoolsApi_balance_to_points", (pool, amount)).await
    }
}

/// Calls.
impl Client {
    /// Makes a pool with `amount` plancks of the signer's, who has all its roles.
    pub async fn create_pool(
        &self,
        signer: &Signer,
        amount: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let who = || signer.account().into();
        let calls = runtime::transactions().nomination_pools();
        self.send(signer, &calls.create(amount, who(), who(), who()), wait).await
    }

    /// Joins a pool.
    pub async fn join_pool(
        &self,
        signer: &Signer,
        pool: NominationPoolId,
        amount: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().nomination_pools().join(amount, pool);
        self.send(signer, &call, wait).await
    }

    /// Brings `amount` plancks more into the signer's pool; what it can claim, without an amount.
    pub async fn bond_extra_to_pool(
        &self,
        signer: &Signer,
        amount: Option<Balance>,
        wait: Wait,
    ) -> Result<Receipt> {
        let extra = amount.map_or(BondExtra::Rewards, BondExtra::FreeBalance);
        self.send(signer, &runtime::transactions().nomination_pools().bond_extra(extra), wait).await
    }

    /// Begins to take `points` of a member out of its pool. Others than the member may where the pool is blocked or ends.
    pub async fn unbond_from_pool(
        &self,
        signer: &Signer,
        member: AccountId,
        points: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().nomination_pools().unbond(member.into(), points);
        self.send(signer, &call, wait).await
    }

    /// Frees what a member of the pool whose account is `pool` had unbonded for long enough.
    pub async fn withdraw_from_nomination_pool(
        &self,
        signer: &Signer,
        member: AccountId,
        pool: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let spans = self.slashing_spans(pool).await?;
        let calls = runtime::transactions().nomination_pools();
        self.send(signer, &calls.withdraw_unbonded(member.into(), spans), wait).await
    }

    /// Has the signer paid what its pool owes it.
    pub async fn claim_pool_payout(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().nomination_pools().claim_payout(), wait).await
    }

    /// Has a slash taken from a member that it owes. Anyone may, without fee.
    pub async fn apply_pool_slash(
        &self,
        signer: &Signer,
        member: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().nomination_pools().apply_slash(member.into());
        self.send(signer, &call, wait).await
    }

    /// Backs validators with what a pool has.
    pub async fn nominate_by_pool(
        &self,
        signer: &Signer,
        pool: NominationPoolId,
        targets: Vec<AccountId>,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().nomination_pools().nominate(pool, targets);
        self.send(signer, &call, wait).await
    }

    /// Has a pool back nobody, from the next election on.
    pub async fn chill_pool(
        &self,
        signer: &Signer,
        pool: NominationPoolId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().nomination_pools().chill(pool), wait).await
    }

    /// Names a pool.
    pub async fn name_pool(
        &self,
        signer: &Signer,
        pool: NominationPoolId,
        name: &str,
        wait: Wait,
    ) -> Result<Receipt> {
        let name = name.as_bytes().to_vec();
        let call = runtime::transactions().nomination_pools().set_metadata(pool, name);
        self.send(signer, &call, wait).await
    }

    /// Sets what a pool keeps of its payouts, in parts of [`crate::staking::COMMISSION_PARTS`], for an account.
    pub async fn set_pool_commission(
        &self,
        signer: &Signer,
        pool: NominationPoolId,
        parts: u32,
        payee: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let commission = (parts > 0).then_some((Perbill(parts), payee));
        let call = runtime::transactions().nomination_pools().set_commission(pool, commission);
        self.send(signer, &call, wait).await
    }

    /// Has what a pool kept paid.
    pub async fn claim_pool_commission(
        &self,
        signer: &Signer,
        pool: NominationPoolId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().nomination_pools().claim_commission(pool);
        self.send(signer, &call, wait).await
    }

    /// Opens, blocks or ends a pool.
    pub async fn set_pool_state(
        &self,
        signer: &Signer,
        pool: NominationPoolId,
        state: NominationPoolState,
        wait: Wait,
    ) -> Result<Receipt> {
        let state = match state {
            NominationPoolState::Open => PoolState::Open,
            NominationPoolState::Blocked => PoolState::Blocked,
            NominationPoolState::Destroying => PoolState::Destroying,
        };
        let call = runtime::transactions().nomination_pools().set_state(pool, state);
        self.send(signer, &call, wait).await
    }
}
