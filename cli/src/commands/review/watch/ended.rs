//! What became of challenges, from the events of final blocks.

use super::Daemon;
use crate::error::Result;
use openledger_client::{blocks::ChainEvent, Amount};
use openledger_primitives::committee::{Bond, Outcome};
use openledger_reviewer::challenges::Event;
use serde_json::json;

/// Blocks that are read in one look, at most.
const PAGE: u32 = 50;

impl Daemon<'_> {
    /// Reads what is new, and says how challenges ended.
    pub(super) async fn ended(&mut self) -> Result<()> {
        let (finalised, _) = self.client.finalised().await?;
        let Some(mut last) = self.challenges.block()? else {
            // What it does begins with its first start.
            return Ok(self.challenges.read(&[], finalised).map(drop)?);
        };
        if self.challenges.open_ones()?.is_empty() {
            return Ok(self.challenges.read(&[], finalised.max(last)).map(drop)?);
        }
        let first = last.saturating_add(1);
        if self.chain.first_missing(first, finalised).await?.is_some() {
            tracing::warn!(from = last, to = finalised, "the node keeps these blocks no longer");
            last = finalised;
        }
        let end = finalised.min(last.saturating_add(PAGE));
        let mut events = Vec::new();
        for number in last.saturating_add(1)..=end {
            for event in self.chain.block(number).await?.events {
                match event.event {
                    ChainEvent::FileEnded { draw, submission, outcome } => {
                        events.push(Event::Ended(draw, submission, outcome));
                    }
                    ChainEvent::ReviewPaid { draw, submission, account, amount }
                        if account == self.account =>
                    {
                        events.push(Event::Paid(draw, submission, amount));
                    }
                    _ => {}
                }
            }
        }
        for ended in self.challenges.read(&events, end.max(last))? {
            let outcome = ended.outcome.map_or("", |outcome| outcome.name());
            let bond = match ended.outcome.map(Outcome::bond) {
                Some(Bond::Lost) => "its bond is lost".to_owned(),
                _ => format!("its bond is back, and it brought {}", Amount(ended.gained)),
            };
            let json = json!({
                "did": "ended",
                "draw": ended.draw,
                "file": ended.file,
                "datanet": ended.datanet,
                "submission": ended.submission,
                "fault": ended.fault,
                "outcome": outcome,
                "gained": ended.gained.to_string(),
            });
            let text = format!(
                "The challenge of submission {} ended as {outcome}: {bond}.",
                ended.submission
            );
            self.tell(json, text);
        }
        Ok(())
    }
}
