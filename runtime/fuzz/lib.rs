//! The story that an input tells, with what the runtime's tests have for telling it.

#[allow(dead_code)]
#[path = "../tests/chain_runtime/common.rs"]
mod common;
#[path = "../tests/chain_runtime/likely.rs"]
mod likely;
#[allow(dead_code)]
#[path = "../tests/chain_runtime/random_governance.rs"]
mod random_governance;
#[path = "../tests/chain_runtime/random_reviews.rs"]
mod random_reviews;
#[path = "../tests/chain_runtime/random_staking.rs"]
mod random_staking;
#[allow(dead_code)]
#[path = "stories.rs"]
mod stories;

pub use stories::play;

/// How many stories a run begins with.
const SEEDS: u64 = 128;

/// Writes stories in which calls succeed to a folder, one a file.
///
/// # Errors
///
/// What the system says of the folder.
pub fn write_seeds(folder: &std::path::Path) -> std::io::Result<()> {
    for seed in 0..SEEDS {
        std::fs::write(folder.join(format!("story-{seed}")), stories::written(seed).0)?;
    }
    Ok(())
}
