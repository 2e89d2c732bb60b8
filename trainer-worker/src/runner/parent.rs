//! The adapter that a job trains further, fetched and checked against the chain.

use super::RunnerError;
use openledger_client::{AccountId, Client};
use openledger_content::{ContentStore, Limits, Wanted};
use openledger_engine::{
    lora::Adapter,
    model::ModelConfig,
    peft::{self, MAX_ADAPTER},
    train::TrainSettings,
};
use openledger_primitives::{api::JobView, JobId};

/// The file of a job's parent adapter.
pub(super) struct Parent {
    /// Its number.
    pub(super) id: JobId,
    /// Its bytes, which have the size and the sha256 that stand on chain.
    bytes: Vec<u8>,
}

impl Parent {
    /// Fetches the parent of a job; nothing where the job names none.
    ///
    /// # Errors
    ///
    /// [`RunnerError::Parent`] for one that the chain does not know, of another base model, or with
    /// other bytes than it names; [`RunnerError::Content`] where it cannot be had.
    pub(super) async fn fetch(
        client: &Client,
        store: &dyn ContentStore,
        job: JobId,
        record: &JobView<AccountId>,
    ) -> Result<Option<Self>, RunnerError> {
        let Some(id) = record.parent else { return Ok(None) };
        let refuse = |reason: String| RunnerError::Parent { job, parent: id, reason };
        let adapter = client
            .adapter(id)
            .await?
            .ok_or_else(|| refuse("the chain knows no adapter of that number".to_owned()))?;
        if adapter.base != record.base {
            let (theirs, own) = (adapter.base, record.base);
            return Err(refuse(format!("it is one of base model {theirs}, the job names {own}")));
        }
        let result = adapter.result;
        if result.size > MAX_ADAPTER {
            let size = result.size;
            return Err(refuse(format!("it has {size} bytes, the limit is {MAX_ADAPTER}")));
        }
        tracing::info!(job, parent = id, content = %result.content, "fetching the parent adapter");
        let wanted = Wanted::exactly(result.content, result.sha256, result.size);
        match store.fetch_bytes(&wanted, &Limits::for_bytes(result.size)).await {
            Ok(bytes) => Ok(Some(Self { id, bytes })),
            Err(error) if error.is_invalid() => Err(refuse(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The adapter, under the settings of the job that trains it further.
    ///
    /// # Errors
    ///
    /// [`RunnerError::Parent`] where the file is no adapter of this model, rank, alpha and layers.
    pub(super) fn open(
        &self,
        job: JobId,
        settings: &TrainSettings,
        model: &ModelConfig,
    ) -> Result<Adapter, RunnerError> {
        let adapter = peft::from_bytes(&self.bytes, None, model)
            .and_then(|adapter| adapter.under(settings.lora(model)?, model));
        adapter.map_err(|error| RunnerError::Parent {
            job,
            parent: self.id,
            reason: error.to_string(),
        })
    }
}
