//! Nomination pools: many accounts that nominate validators together, as programs read them.
//!
//! The pallet is the SDK's; what it keeps is points, and what they are worth follows from several of its maps. Here is
//! what an account looks for, in plancks.

// The macro writes items that it does not document.
#![allow(missing_docs, clippy::too_many_arguments, clippy::multiple_bound_locations)]

use crate::Balance;
use alloc::vec::Vec;
use codec::{Codec, Decode, Encode};
use scale_info::TypeInfo;

/// Number of a nomination pool, counted from 1.
pub type NominationPoolId = u32;

/// Parts of a commission in a whole.
pub const COMMISSION_PARTS: u32 = 1_000_000_000;

/// Whether a pool can be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum NominationPoolState {
    /// Anyone may join.
    Open,
    /// Nobody may join, and its bouncer may unbond members.
    Blocked,
    /// Nobody may join, and anybody may unbond its members, so that it ends.
    Destroying,
}

impl NominationPoolState {
    /// Its name, as programs print and take it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Blocked => "blocked",
            Self::Destroying => "destroying",
        }
    }
}

/// A nomination pool.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct NominationPoolView<AccountId> {
    /// Its number.
    pub id: NominationPoolId,
    /// What its owner calls it; nobody checked it.
    pub name: Vec<u8>,
    /// Whether it can be joined.
    pub state: NominationPoolState,
    /// How many accounts are in it.
    pub members: u32,
    /// Plancks that nominate.
    pub bonded: Balance,
    /// Plancks on their way out, or free and not withdrawn yet.
    pub unbonding: Balance,
    /// Plancks of slashes that have not been taken from its members yet.
    pub pending_slash: Balance,
    /// The account that nominates; nobody has its key.
    pub account: AccountId,
    /// The account into which its payouts flow.
    pub reward_account: AccountId,
    /// Who made it and leaves it last.
    pub depositor: AccountId,
    /// Who may change everything about it.
    pub root: Option<AccountId>,
    /// Who else may choose the validators.
    pub nominator: Option<AccountId>,
    /// Who else may close it.
    pub bouncer: Option<AccountId>,
    /// What is kept of its payouts, in parts of [`COMMISSION_PARTS`], and who gets it.
    pub commission: Option<(u32, AccountId)>,
    /// The validators that it backs.
    pub targets: Vec<AccountId>,
}

/// An account's part of a nomination pool.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PoolMemberView {
    /// The pool.
    pub pool: NominationPoolId,
    /// Its points, which calls are made in.
    pub points: Balance,
    /// Plancks that they are worth now.
    pub bonded: Balance,
    /// Plancks on their way out, with the era from which each part can be withdrawn.
    pub unbonding: Vec<(Balance, u32)>,
    /// Plancks that it can claim.
    pub rewards: Balance,
    /// Plancks of slashes that are taken before it withdraws, or when anybody calls for it.
    pub pending_slash: Balance,
    /// The era that withdrawals are compared with.
    pub era: u32,
}

/// What nomination pools ask for here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct NominationTerms {
    /// Least plancks with which an account joins.
    pub min_join: Balance,
    /// Least plancks with which an account makes a pool.
    pub min_create: Balance,
    /// Pools that there are.
    pub pools: u32,
    /// Most of them; unlimited without.
    pub max_pools: Option<u32>,
    /// Most that a pool may keep of its payouts, in parts of [`COMMISSION_PARTS`].
    pub max_commission: u32,
    /// Number of the newest pool.
    pub last: NominationPoolId,
}

sp_api::decl_runtime_apis! {
    /// Nomination pools and their members.
    pub trait NominationApi<AccountId: Codec> {
        /// What pools ask for here.
        fn terms() -> NominationTerms;
        /// A pool.
        fn pool(id: NominationPoolId) -> Option<NominationPoolView<AccountId>>;
        /// Those of `limit` numbers (100 at most) from `start` on that are pools.
        fn pools(start: NominationPoolId, limit: u32) -> Vec<NominationPoolView<AccountId>>;
        /// An account's part of the pool that it is in.
        fn member(account: AccountId) -> Option<PoolMemberView>;
    }
}
