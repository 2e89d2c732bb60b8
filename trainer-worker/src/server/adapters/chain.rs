//! Adapters that the chain names.

use super::AdapterError;
use crate::server::names::CHAIN_PREFIX;
use openledger_client::{Client, ClientError};
use openledger_content::{ContentStore, Limits, Wanted};
use openledger_engine::peft;
use openledger_primitives::ContentId;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long what the chain said of an adapter is taken to be so still: some blocks.
const REMEMBERED: Duration = Duration::from_secs(15);
/// Most adapters that are remembered.
const MOST_REMEMBERED: usize = 10_000;

/// An adapter as the chain has it.
#[derive(Debug, Clone)]
pub struct ChainAdapter {
    /// Its number.
    pub id: u64,
    /// Sha256 of its bytes.
    pub sha256: [u8; 32],
    /// Its bytes.
    pub size: u64,
    /// Where they are to be had.
    pub content: ContentId,
    /// Sha256 of the weights of its base model.
    pub base_sha256: [u8; 32],
}

impl ChainAdapter {
    /// What it is asked for by.
    pub fn name(&self) -> String {
        format!("{CHAIN_PREFIX}{}", self.id)
    }
}

/// A node to ask, and the IPFS node that fetches.
pub struct Chain {
    client: Client,
    store: Arc<dyn ContentStore>,
    remembered: Mutex<BTreeMap<u64, (Instant, ChainAdapter)>>,
}

impl Chain {
    /// Asks `client` and fetches by `store`.
    pub fn new(client: Client, store: Arc<dyn ContentStore>) -> Self {
        Self { client, store, remembered: Mutex::default() }
    }

    /// The adapter of that number.
    ///
    /// # Errors
    ///
    /// [`AdapterError::Chain`] when the node does not answer, [`AdapterError::TooLarge`] for one
    /// that nobody reads.
    pub async fn adapter(&self, id: u64) -> Result<Option<ChainAdapter>, AdapterError> {
        let known = self.known(id);
        if known.is_some() {
            return Ok(known);
        }
        let found = self.ask(id).await?;
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        match &found {
            Some(adapter) => drop(remembered.insert(id, (Instant::now(), adapter.clone()))),
            None => drop(remembered.remove(&id)),
        }
        Ok(found)
    }

    /// What was heard of it a short time ago.
    fn known(&self, id: u64) -> Option<ChainAdapter> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, adapter) = remembered.get(&id)?;
        (at.elapsed() < REMEMBERED).then(|| adapter.clone())
    }

    async fn ask(&self, id: u64) -> Result<Option<ChainAdapter>, AdapterError> {
        let Some(adapter) = self.client.adapter(id).await.map_err(unanswered)? else {
            return Ok(None);
        };
        let base = self.client.base_model(adapter.base).await.map_err(unanswered)?;
        let Some(base) = base else { return Ok(None) };
        let result = adapter.result;
        if result.size > peft::MAX_ADAPTER {
            let (name, bytes) = (format!("{CHAIN_PREFIX}{id}"), result.size);
            return Err(AdapterError::TooLarge { name, bytes, limit: peft::MAX_ADAPTER });
        }
        Ok(Some(ChainAdapter {
            id,
            sha256: result.sha256,
            size: result.size,
            content: result.content,
            base_sha256: base.weights_sha256,
        }))
    }

    /// Fetches an adapter's bytes to a file, which is there only when size and sha256 are right.
    pub(super) async fn fetch(
        &self,
        adapter: &ChainAdapter,
        path: &Path,
    ) -> Result<(), AdapterError> {
        let wanted = Wanted::exactly(adapter.content, adapter.sha256, adapter.size);
        // What is there under this name has other bytes, or it would have been taken.
        let limits = Limits::for_bytes(adapter.size).overwriting();
        match self.store.fetch_file(&wanted, path, &limits).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_invalid() => Err(AdapterError::damaged(&adapter.name(), error)),
            Err(cause) => {
                Err(AdapterError::Unreachable { name: adapter.name(), cause: Box::new(cause) })
            }
        }
    }
}

fn unanswered(error: ClientError) -> AdapterError {
    AdapterError::Chain(Box::new(error))
}
