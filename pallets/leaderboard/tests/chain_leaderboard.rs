//! The leaderboard through its public door: points and rank, rewards and claims, conservation of
//! every planck under random use, and the checks that notice damaged storage.

#[path = "chain_leaderboard/mock.rs"]
mod mock;

#[path = "chain_leaderboard/board.rs"]
mod board;
#[path = "chain_leaderboard/conservation.rs"]
mod conservation;
#[path = "chain_leaderboard/corruption.rs"]
mod corruption;
#[path = "chain_leaderboard/funding.rs"]
mod funding;
#[path = "chain_leaderboard/global.rs"]
mod global;
#[path = "chain_leaderboard/payout.rs"]
mod payout;
#[path = "chain_leaderboard/rewards.rs"]
mod rewards;
#[path = "chain_leaderboard/shares.rs"]
mod shares;
#[path = "chain_leaderboard/terms.rs"]
mod terms;
