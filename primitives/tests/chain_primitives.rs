//! The words every part shares: what they accept and refuse, their stored shapes, and the arithmetic
//! of quotas, rewards and jobs under random use.

#[path = "chain_primitives/committee.rs"]
mod committee;
#[path = "chain_primitives/content_id.rs"]
mod content_id;
#[path = "chain_primitives/datanet.rs"]
mod datanet;
#[path = "chain_primitives/funding.rs"]
mod funding;
#[path = "chain_primitives/job.rs"]
mod job;
#[path = "chain_primitives/leaf.rs"]
mod leaf;
#[path = "chain_primitives/lists.rs"]
mod lists;
#[path = "chain_primitives/media.rs"]
mod media;
#[path = "chain_primitives/precommit.rs"]
mod precommit;
#[path = "chain_primitives/quota.rs"]
mod quota;
#[path = "chain_primitives/refusal.rs"]
mod refusal;
#[path = "chain_primitives/reward.rs"]
mod reward;
#[path = "chain_primitives/shares.rs"]
mod shares;
#[path = "chain_primitives/text.rs"]
mod text;
#[path = "chain_primitives/training.rs"]
mod training;
#[path = "chain_primitives/vectors.rs"]
mod vectors;
#[path = "chain_primitives/verdict.rs"]
mod verdict;
