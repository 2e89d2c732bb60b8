//! The runtime through its front door: genesis, signed extrinsics through Executive, metadata.

#[path = "chain_runtime/admission.rs"]
mod admission;
#[path = "chain_runtime/committee_attacks.rs"]
mod committee_attacks;
#[path = "chain_runtime/committee_upgrade.rs"]
mod committee_upgrade;
#[path = "chain_runtime/common.rs"]
mod common;
#[path = "chain_runtime/copies.rs"]
mod copies;
#[path = "chain_runtime/economics.rs"]
mod economics;
#[path = "chain_runtime/fees.rs"]
mod fees;
#[path = "chain_runtime/finality.rs"]
mod finality;
#[path = "chain_runtime/fuzzed.rs"]
mod fuzzed;
#[path = "chain_runtime/genesis.rs"]
mod genesis;
#[path = "chain_runtime/governance.rs"]
mod governance;
#[path = "chain_runtime/governance_numbers.rs"]
mod governance_numbers;
#[path = "chain_runtime/issuance.rs"]
mod issuance;
#[path = "chain_runtime/likely.rs"]
mod likely;
#[path = "chain_runtime/market_attacks.rs"]
mod market_attacks;
#[path = "chain_runtime/metadata.rs"]
mod metadata;
#[path = "chain_runtime/nomination_pools.rs"]
mod nomination_pools;
#[path = "chain_runtime/planted_state.rs"]
mod planted_state;
#[path = "chain_runtime/pool_attacks.rs"]
mod pool_attacks;
#[path = "chain_runtime/random_calls.rs"]
mod random_calls;
#[path = "chain_runtime/random_governance.rs"]
mod random_governance;
#[path = "chain_runtime/random_reviews.rs"]
mod random_reviews;
#[path = "chain_runtime/random_staking.rs"]
mod random_staking;
#[path = "chain_runtime/reference.rs"]
mod reference;
#[path = "chain_runtime/refunds.rs"]
mod refunds;
#[path = "chain_runtime/slashes.rs"]
mod slashes;
#[path = "chain_runtime/staking.rs"]
mod staking;
#[path = "chain_runtime/staking_limits.rs"]
mod staking_limits;
#[path = "chain_runtime/staking_numbers.rs"]
mod staking_numbers;
#[path = "../fuzz/stories.rs"]
mod stories;
#[path = "chain_runtime/upgrade.rs"]
mod upgrade;
#[path = "chain_runtime/wallets.rs"]
mod wallets;
#[path = "chain_runtime/wrapped_calls.rs"]
mod wrapped_calls;
