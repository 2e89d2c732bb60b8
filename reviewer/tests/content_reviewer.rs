//! What a reviewer goes by: policy, index of likenesses, queue; and who challenges by program.

#[path = "content_reviewer/challenges.rs"]
mod challenges;
#[path = "content_reviewer/earlier.rs"]
mod earlier;
#[path = "content_reviewer/fault.rs"]
mod fault;
#[path = "content_reviewer/holders.rs"]
mod holders;
#[path = "content_reviewer/index.rs"]
mod index;
#[path = "content_reviewer/metrics.rs"]
mod metrics;
#[path = "content_reviewer/policy.rs"]
mod policy;
#[path = "content_reviewer/queue.rs"]
mod queue;
