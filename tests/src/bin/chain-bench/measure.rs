//! How long calls of a kind take in blocks that hold many of them.

use crate::chain::{Block, Chain};
use openledger_runtime::{RuntimeCall, RuntimeEvent};
use openledger_tests::{Error, Result};
use std::time::Duration;

/// Blocks of a kind that are executed.
const BLOCKS: usize = 4;

/// Blocks full of one kind of call, or of one kind of step at their start.
pub struct Kind {
    pub name: &'static str,
    pub blocks: Vec<Block>,
    /// Calls in each of them.
    pub counts: Vec<usize>,
}

impl Kind {
    /// The blocks from `first` to the best one that hold the most calls of a kind, and nothing else that
    /// was signed.
    pub fn find(
        chain: &Chain,
        name: &'static str,
        first: u64,
        is: impl Fn(&RuntimeCall) -> bool,
    ) -> Result<Self> {
        let mut found = Vec::new();
        for number in first..=chain.block()? {
            let block = chain.read(number)?;
            let count = block.calls.iter().filter(|call| is(call)).count();
            if count > 0 && count == signed(&block) {
                found.push((count, block));
            }
        }
        Self::fullest(name, found)
    }

    /// The blocks from `first` to the best one in which a step that leaves such an event was taken most often, and
    /// nothing that was signed.
    pub fn steps(
        chain: &Chain,
        name: &'static str,
        first: u64,
        is: impl Fn(&RuntimeEvent) -> bool,
    ) -> Result<Self> {
        let mut found = Vec::new();
        for number in first..=chain.block()? {
            let block = chain.read(number)?;
            let events = chain.events(&block)?;
            let count = events.iter().filter(|event| is(event)).count();
            // A session's first block has other things to do.
            let begins = |event: &RuntimeEvent| matches!(event, RuntimeEvent::Session(_));
            if count > 0 && signed(&block) == 0 && !events.iter().any(begins) {
                found.push((count, block));
            }
        }
        Self::fullest(name, found)
    }

    fn fullest(name: &'static str, mut found: Vec<(usize, Block)>) -> Result<Self> {
        found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        found.truncate(BLOCKS);
        let most = found.first().map_or(0, |(count, _)| *count);
        found.retain(|(count, _)| 2 * count > most);
        if found.is_empty() {
            return Err(Error::broken(name, "no block holds such calls alone"));
        }
        let (counts, blocks) = found.into_iter().unzip();
        Ok(Self { name, blocks, counts })
    }

    /// Calls in all of them.
    fn calls(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Reads of storage that a call takes, those of an empty block left out.
    pub fn reads(&self, chain: &Chain, empty: &Block) -> Result<f64> {
        let nothing = chain.reads(empty)?;
        let mut sum = 0;
        for block in &self.blocks {
            sum += chain.reads(block)?.saturating_sub(nothing);
        }
        Ok(sum as f64 / self.calls() as f64)
    }

    /// Fails if a call of one of the blocks failed.
    pub fn ensure_success(&self, chain: &Chain) -> Result<()> {
        for block in &self.blocks {
            for event in chain.events(block)? {
                if let RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
                    dispatch_error,
                    ..
                }) = event
                {
                    let message =
                        format!("a call failed in block {}: {dispatch_error:?}", block.number);
                    return Err(Error::broken(self.name, message));
                }
            }
        }
        Ok(())
    }
}

/// Transactions that somebody signed.
fn signed(block: &Block) -> usize {
    block.calls.iter().filter(|call| !matches!(call, RuntimeCall::Timestamp(_))).count()
}

/// Microseconds that a call of each kind takes: what the blocks of a kind take beyond an empty one, divided
/// by their calls.
pub fn once(chain: &Chain, empty: &Block, kinds: &[&Kind]) -> Result<Vec<f64>> {
    let nothing = chain.execute(empty)?;
    let time = |kind: &&Kind| {
        let mut sum = Duration::ZERO;
        for block in &kind.blocks {
            sum += chain.execute(block)?.saturating_sub(nothing);
        }
        Ok(sum.as_secs_f64() * 1e6 / kind.calls() as f64)
    };
    kinds.iter().map(time).collect()
}

/// The medians of `rounds` times all of `measure`, whose things are measured in turns. One round more goes
/// before, and fills caches.
pub fn in_turns(rounds: usize, mut measure: impl FnMut() -> Result<Vec<f64>>) -> Result<Vec<f64>> {
    let mut taken = vec![Vec::new(); measure()?.len()];
    for _ in 0..rounds {
        for (taken, time) in taken.iter_mut().zip(measure()?) {
            taken.push(time);
        }
    }
    Ok(taken.into_iter().map(median).collect())
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
