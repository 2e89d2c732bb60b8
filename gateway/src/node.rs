//! How the node is. It is looked at in the background, so that nobody waits for one that has gone.

use async_trait::async_trait;
use openledger_client::{Client, ClientError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// Time that the node has for one.
const PATIENCE: Duration = Duration::from_secs(4);

/// What the node says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its best block.
    pub best: u32,
    /// Its peers.
    pub peers: u64,
    /// The version of its runtime.
    pub spec: u32,
}

/// Looks at a node.
#[async_trait]
pub trait Look: Send + Sync + 'static {
    /// What it says of itself.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    async fn look(&self) -> Result<Seen, ClientError>;
}

#[async_trait]
impl Look for Client {
    async fn look(&self) -> Result<Seen, ClientError> {
        let status = self.status().await?;
        let spec = self.spec_version().await?;
        Ok(Seen { best: status.block, peers: status.peers, spec })
    }
}

/// What is known of the node; clones know the same.
#[derive(Clone, Debug)]
pub struct Pulse(watch::Receiver<(Option<Seen>, bool)>);

impl Pulse {
    /// Of no node.
    pub fn none() -> Self {
        Self(watch::channel((None, false)).1)
    }

    /// Looks at a node for as long as somebody wants to know; what is known at first is what it said last.
    pub fn follow(node: Arc<dyn Look>, known: Seen) -> Self {
        let (seen, pulse) = watch::channel((Some(known), true));
        tokio::spawn(async move {
            while !seen.is_closed() {
                let looked = tokio::time::timeout(PATIENCE, node.look()).await;
                let looked = looked.ok().and_then(Result::ok);
                seen.send_modify(|(last, answers)| {
                    *answers = looked.is_some();
                    *last = looked.or(*last);
                });
                tokio::time::sleep(EVERY).await;
            }
        });
        Self(pulse)
    }

    /// What the node says; none where it does not answer.
    pub fn now(&self) -> Option<Seen> {
        let (last, answers) = *self.0.borrow();
        last.filter(|_| answers)
    }

    /// What it said when it last answered.
    pub fn last(&self) -> Option<Seen> {
        self.0.borrow().0
    }
}

/// What never changes of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name.
    pub chain: String,
    /// The hash of its first block.
    pub genesis: [u8; 32],
    /// Whether everybody knows its keys.
    pub development: bool,
}

impl About {
    /// Asks the node.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    pub async fn ask(client: &Client) -> Result<Self, ClientError> {
        let kind = client.chain_type().await?;
        Ok(Self {
            chain: client.status().await?.chain,
            genesis: client.block_hash(0).await?.unwrap_or_default().0,
            development: matches!(kind.as_str(), "Development" | "Local"),
        })
    }
}
