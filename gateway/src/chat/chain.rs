//! What chat reads of the chain.

use crate::error::ApiError;
use async_trait::async_trait;
use openledger_client::{AccountId, Client};
use openledger_primitives::{
    api::RevocationView, leaf::leaves_out, BaseModelId, DatanetId, FileHash, JobId,
};
use std::collections::{btree_map::Entry, BTreeMap, HashMap};

/// Adapters that are listed of a base model, at most; others are asked for by their number.
const MAX_ADAPTERS: usize = 200;
/// Base models that are looked through.
const MAX_BASES: BaseModelId = 1_000;
/// Pages of 100 jobs that are looked through.
const MAX_PAGES: usize = 100;

/// An adapter on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainAdapter {
    /// Its number.
    pub id: JobId,
    /// The adapter that it was trained further from.
    pub parent: Option<JobId>,
    /// The sha256 of its bytes.
    pub sha256: FileHash,
    /// Whether a leaf that it was trained on was revoked since.
    pub holds_revoked: bool,
}

/// The adapters of a base model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseAdapters {
    /// The base model's number.
    pub base: BaseModelId,
    /// The newest first.
    pub adapters: Vec<ChainAdapter>,
}

/// What chat reads of the chain.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// The endpoint that a worker publishes.
    ///
    /// # Errors
    ///
    /// Where the chain does not answer.
    async fn endpoint(&self, worker: AccountId) -> Result<Option<String>, ApiError>;

    /// The adapters of the base model whose weights have this sha256, if it is registered.
    ///
    /// # Errors
    ///
    /// Where the chain does not answer.
    async fn adapters(&self, weights: FileHash) -> Result<Option<BaseAdapters>, ApiError>;
}

#[async_trait]
impl Catalogue for Client {
    async fn endpoint(&self, worker: AccountId) -> Result<Option<String>, ApiError> {
        let worker = self.worker(worker).await?;
        Ok(worker.and_then(|worker| String::from_utf8(worker.endpoint).ok()))
    }

    async fn adapters(&self, weights: FileHash) -> Result<Option<BaseAdapters>, ApiError> {
        let mut found = None;
        for id in 0..self.base_model_count().await?.min(MAX_BASES) {
            if self.base_model(id).await?.is_some_and(|model| model.weights_sha256 == weights) {
                found = Some(id);
                break;
            }
        }
        let Some(base) = found else { return Ok(None) };
        let mut adapters = Vec::new();
        let mut revoked: BTreeMap<DatanetId, Vec<RevocationView>> = BTreeMap::new();
        let mut start = 0;
        for _ in 0..MAX_PAGES {
            let page = self.jobs(start).await?;
            let Some((last, _)) = page.last() else { break };
            start = last + 1;
            for (id, job) in page.iter().filter(|(_, job)| job.base == base && job.state.is_over())
            {
                if let Some(adapter) = self.adapter(*id).await? {
                    let created_at = self.created_at(*id).await?;
                    let mut holds_revoked = false;
                    for set in &adapter.datasets {
                        let of_datanet = match revoked.entry(set.datanet) {
                            Entry::Occupied(known) => known.into_mut(),
                            Entry::Vacant(asked) => {
                                asked.insert(self.revocations_until(set.datanet, u64::MAX).await?)
                            }
                        };
                        holds_revoked |= of_datanet.iter().any(|revoked| {
                            revoked.leaf < set.version.leaves && !leaves_out(created_at, revoked.at)
                        });
                    }
                    let (sha256, parent) = (adapter.result.sha256, job.parent);
                    adapters.push(ChainAdapter { id: *id, parent, sha256, holds_revoked });
                }
            }
        }
        adapters.reverse();
        adapters.truncate(MAX_ADAPTERS);
        Ok(Some(BaseAdapters { base, adapters }))
    }
}

/// A chain that a test makes up.
#[derive(Clone, Debug, Default)]
pub struct PlantedCatalogue {
    /// Endpoints of workers.
    pub endpoints: BTreeMap<AccountId, String>,
    /// Adapters by the sha256 of their base model's weights.
    pub adapters: HashMap<FileHash, BaseAdapters>,
}

#[async_trait]
impl Catalogue for PlantedCatalogue {
    async fn endpoint(&self, worker: AccountId) -> Result<Option<String>, ApiError> {
        Ok(self.endpoints.get(&worker).cloned())
    }

    async fn adapters(&self, weights: FileHash) -> Result<Option<BaseAdapters>, ApiError> {
        Ok(self.adapters.get(&weights).cloned())
    }
}
