//! What reviewers read of the chain.

// The macro writes items that it does not document.
#![allow(missing_docs, clippy::too_many_arguments, clippy::multiple_bound_locations)]

use super::{Addresses, Budget, BudgetTerms, Draw, DrawId, PoolId, PoolSize, Reviewer, Session};
use crate::{Balance, DailyQuota, DatanetId, SubmissionId};
use alloc::vec::Vec;
use codec::{Codec, Decode, Encode};
use scale_info::TypeInfo;

/// A draw that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DrawView<AccountId> {
    /// Its number.
    pub id: DrawId,
    /// The Datanet whose files it judges.
    pub datanet: DatanetId,
    /// The seats it is drawn from.
    pub pool: PoolId,
    /// Whether its verdicts count beyond the Datanet.
    pub global: bool,
    /// Plancks held on the challenger, where it judges a challenge.
    pub bond: Balance,
    /// The draw.
    pub draw: Draw<AccountId>,
}

/// An account's seats in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SeatsView {
    /// What they are and what they judge.
    pub reviewer: Reviewer,
    /// How many have places.
    pub placed: u32,
    /// How many are not drawn until they are topped up.
    pub uncovered: u32,
}

/// A Datanet's review budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BudgetView {
    /// What it is.
    pub budget: Budget,
    /// How fast it may be used up.
    pub terms: BudgetTerms,
    /// What was used on the day of its last use.
    pub used: DailyQuota,
}

sp_api::decl_runtime_apis! {
    /// Seats, draws and review budgets.
    #[api_version(2)]
    pub trait CommitteeApi<AccountId: Codec> {
        /// The number of the next draw, and the session that lasts.
        fn next_draw() -> (DrawId, Session);
        /// A draw that is not over.
        fn draw(draw: DrawId) -> Option<DrawView<AccountId>>;
        /// Those of at most `limit` (and 100) draws from number `start` on that are not over.
        fn draws(start: DrawId, limit: u32) -> Vec<DrawView<AccountId>>;
        /// The draw that decides on a pending submission.
        fn draw_of(submission: SubmissionId) -> Option<DrawId>;
        /// An account's seats in a pool.
        fn seats(pool: PoolId, account: AccountId) -> Option<SeatsView>;
        /// How large a pool is.
        fn pool_size(pool: PoolId) -> PoolSize;
        /// Where accounts with seats in a pool serve what they judge: those of the first 100 that say so, in their order,
        /// each with its multiaddrs. Whoever asks reads texts that anyone with a seat may have written.
        #[api_version(2)]
        fn addresses(pool: PoolId, accounts: Vec<AccountId>) -> Vec<(AccountId, Addresses)>;
        /// A Datanet's review budget.
        fn budget(datanet: DatanetId) -> BudgetView;
        /// Plancks of it that are set aside for an account's files, and how many may be at a time.
        #[api_version(2)]
        fn reserved_for(datanet: DatanetId, account: AccountId) -> (Balance, Balance);
    }
}
