//! Where blocks come from: a node, or what a test or a benchmark plants.

use async_trait::async_trait;
use openledger_client::{
    blocks::{Block, Blocks},
    Client, ClientError, ErrorKind,
};

/// Why a block did not come.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The node refuses or does not answer.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// The node threw away what the index needs.
    #[error(
        "the node does not have the state of block {first}, the first that the index lacks; follow a node \
         that was started with `--state-pruning archive` and has been since its first block"
    )]
    Pruned {
        /// The first block that is missing.
        first: u32,
    },
    /// There is no such block.
    #[error("there is no block {0}")]
    Absent(u32),
}

impl SourceError {
    /// Whether trying again cannot help.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Pruned { .. } => true,
            // What the node cannot answer now, it may after its next start.
            Self::Node(ClientError::Incompatible { .. }) => true,
            Self::Node(error) => error.kind() == ErrorKind::Usage,
            Self::Absent(_) => false,
        }
    }
}

/// Gives finalised blocks.
#[async_trait]
pub trait BlockSource: Send + Sync {
    /// Number of the last finalised block.
    async fn finalised(&self) -> Result<u32, SourceError>;
    /// The hash of a finalised block, in hexadecimal.
    async fn hash(&self, number: u32) -> Result<Option<String>, SourceError>;
    /// Refuses a source that lacks one of the blocks from `first` to `last`.
    async fn require(&self, first: u32, last: u32) -> Result<(), SourceError>;
    /// A finalised block.
    async fn block(&self, number: u32) -> Result<Block, SourceError>;
}

/// Blocks of a node.
pub struct NodeSource(Blocks);

impl NodeSource {
    /// Blocks of the node behind a client.
    pub fn new(client: Client) -> Self {
        Self(Blocks::new(client))
    }
}

#[async_trait]
impl BlockSource for NodeSource {
    async fn finalised(&self) -> Result<u32, SourceError> {
        Ok(self.0.client().finalised().await?.0)
    }

    async fn hash(&self, number: u32) -> Result<Option<String>, SourceError> {
        Ok(self.0.client().block_hash(number).await?.map(|hash| hex::encode(hash.0)))
    }

    async fn require(&self, first: u32, last: u32) -> Result<(), SourceError> {
        match self.0.first_missing(first, last).await? {
            Some(first) => Err(SourceError::Pruned { first }),
            None => Ok(()),
        }
    }

    async fn block(&self, number: u32) -> Result<Block, SourceError> {
        match self.0.block(number).await {
            Ok(block) => Ok(block),
            // The state may have gone since the start.
            Err(error @ ClientError::Answer { .. }) => match self.0.has_state(number).await {
                Ok(false) => Err(SourceError::Pruned { first: number }),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

/// Blocks that were made beforehand, by their number.
pub struct Planted(pub Vec<Block>);

#[async_trait]
impl BlockSource for Planted {
    async fn finalised(&self) -> Result<u32, SourceError> {
        Ok(self.0.last().map_or(0, |block| block.number))
    }

    async fn hash(&self, number: u32) -> Result<Option<String>, SourceError> {
        Ok(self.0.get(number as usize).map(|block| hex::encode(block.hash.0)))
    }

    async fn require(&self, _: u32, _: u32) -> Result<(), SourceError> {
        Ok(())
    }

    async fn block(&self, number: u32) -> Result<Block, SourceError> {
        self.0.get(number as usize).cloned().ok_or(SourceError::Absent(number))
    }
}
