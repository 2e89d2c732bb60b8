//! What this account was paid and what its seats lost, from the events of final blocks.

use crate::error::Result;
use openledger_client::{
    blocks::{Blocks, ChainEvent},
    AccountId,
};
use openledger_reviewer::{queue::Sum, Queue};

/// Blocks that are read in one look, at most.
const PAGE: u32 = 50;

/// Reads what is new. Blocks whose events the node keeps no longer are passed over, and said.
pub(crate) async fn read(blocks: &Blocks, account: AccountId, queue: &Queue) -> Result<()> {
    let (finalised, _) = blocks.client().finalised().await?;
    let mut last = u32::try_from(queue.sum(Sum::Block)?).unwrap_or(u32::MAX);
    if last == 0 {
        // Sums begin with the first start of the program.
        return Ok(queue.set_sums(&[(Sum::Block, finalised.into())])?);
    }
    if blocks.first_missing(last.saturating_add(1), finalised).await?.is_some() {
        tracing::warn!(from = last, to = finalised, "the node keeps these blocks no longer");
        last = finalised;
    }
    let (mut earned, mut lost) = (queue.sum(Sum::Earned)?, queue.sum(Sum::Lost)?);
    let end = finalised.min(last.saturating_add(PAGE));
    for number in last.saturating_add(1)..=end {
        for event in blocks.block(number).await?.events {
            match event.event {
                ChainEvent::ReviewPaid { account: paid, amount, .. } if paid == account => {
                    earned = earned.saturating_add(amount);
                }
                ChainEvent::SeatsLost { account: loser, amount, .. } if loser == account => {
                    lost = lost.saturating_add(amount);
                }
                _ => {}
            }
        }
    }
    let sums = [(Sum::Block, end.max(last).into()), (Sum::Earned, earned), (Sum::Lost, lost)];
    Ok(queue.set_sums(&sums)?)
}
