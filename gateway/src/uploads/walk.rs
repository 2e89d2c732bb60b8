//! Blocks of a file in the order of a depth-first walk, as a CAR has them.

use openledger_content::{Bytes, Error, Fault, IpfsNode, Limits, Result};
use openledger_primitives::ContentId;
use std::collections::HashSet;
use std::time::Duration;

/// Bytes of a file's inner nodes, beside a part of its own.
const NODES: u64 = 4 << 20;

/// A walk over the blocks of a file whose author may be hostile: what it passes is bounded by the file's
/// size, its visits by [`Limits`]; each block is re-hashed and comes once.
pub struct Walk {
    node: IpfsNode,
    root: ContentId,
    limits: Limits,
    /// The next one is the last; with their levels.
    waiting: Vec<(ContentId, u32)>,
    seen: HashSet<ContentId>,
    visits: u64,
    bytes: u64,
}

impl Walk {
    /// The walk from a root.
    pub fn new(node: IpfsNode, root: ContentId, limits: Limits) -> Self {
        let waiting = vec![(root, 1)];
        Self { node, root, limits, waiting, seen: HashSet::new(), visits: 0, bytes: 0 }
    }

    /// The next block, which comes within a time.
    ///
    /// # Errors
    ///
    /// What fetching answers, and a tree that goes beyond the limits.
    pub async fn next(&mut self, within: Duration) -> Result<Option<(ContentId, Bytes)>> {
        loop {
            let Some((id, level)) = self.waiting.pop() else { return Ok(None) };
            self.visits += 1;
            let is_root = self.visits == 1;
            let too_much = |reason: &str| {
                let fault = Fault::Malformed { block: id, reason: reason.to_owned() };
                Error::Invalid { content: self.root, fault }
            };
            if self.visits > self.limits.blocks {
                return Err(too_much("the file has more blocks than one of its size"));
            }
            if level > self.limits.depth {
                return Err(too_much("the file's tree is too deep"));
            }
            if self.seen.contains(&id) {
                continue;
            }
            let block = self.node.block(id, within).await?;
            self.bytes = self.bytes.saturating_add(block.len() as u64);
            let most = self.limits.bytes.saturating_add(self.limits.bytes / 16);
            if self.bytes > most.saturating_add(NODES) {
                return Err(too_much("the file's blocks have more bytes than the file"));
            }
            let links = openledger_content::links(&id, &block, is_root, self.limits.links)
                .map_err(|fault| Error::Invalid { content: self.root, fault })?;
            self.seen.insert(id);
            self.waiting.extend(links.into_iter().rev().map(|link| (link, level + 1)));
            return Ok(Some((id, block)));
        }
    }
}
