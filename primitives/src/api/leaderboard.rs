//! What is read of points and rewards.

use super::{BoardCursor, BoardEntry, PayoutView, PoolView, ShareView, WaitingPolicyView};
use crate::{Balance, BlockNumber, DatanetId, Period, Points, Pool};
use alloc::vec::Vec;
use codec::Codec;

sp_api::decl_runtime_apis! {
    /// Points and rewards.
    pub trait LeaderboardApi<AccountId: Codec> {
        /// At most `limit` (and 100) entries in order of rank, after `cursor`.
        fn leaderboard(
            datanet: DatanetId,
            cursor: Option<BoardCursor>,
            limit: u32,
        ) -> Vec<BoardEntry<AccountId>>;
        /// An account's points in a Datanet.
        fn points(datanet: DatanetId, account: AccountId) -> Points;
        /// What an account could claim now.
        fn claimable(datanet: DatanetId, account: AccountId) -> Balance;
        /// A Datanet's pool.
        fn pool(datanet: DatanetId) -> Option<Pool>;
        /// The reward period of the current block, and the first block of the next.
        fn period() -> (Period, BlockNumber);
        /// A Datanet's pool as it is now, what waits, and what `fund` has to name.
        #[api_version(2)]
        fn pool_view(datanet: DatanetId) -> Option<PoolView>;
        /// What a funder owns of a pool.
        #[api_version(2)]
        fn share(datanet: DatanetId, account: AccountId) -> Option<ShareView>;
        /// The review policy that waits to take the place of a Datanet's.
        #[api_version(2)]
        fn waiting_policy(datanet: DatanetId) -> Option<WaitingPolicyView<AccountId>>;
        /// Where an account's rewards are paid, if it ever said so.
        #[api_version(2)]
        fn payout(account: AccountId) -> Option<PayoutView<AccountId>>;
        /// At most `limit` (and 100) entries over all Datanets in order of rank, after `cursor`: points of
        /// verdicts that count beyond their Datanet.
        #[api_version(3)]
        fn global_board(
            cursor: Option<BoardCursor>,
            limit: u32,
        ) -> Vec<BoardEntry<AccountId>>;
        /// An account's points over all Datanets, of verdicts that count beyond their Datanet.
        #[api_version(3)]
        fn global_points(account: AccountId) -> Points;
    }
}
