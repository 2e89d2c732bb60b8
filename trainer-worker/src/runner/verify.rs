//! Looks at a result that a worker posted: whether it is an adapter of the base model, and reaches the
//! losses that were posted.
//!
//! The same release on the same arithmetic gives the same bytes, and the loss that was posted to the
//! last digit. [`TOLERANCE`] is for workers that trained on a GPU, in shorter types or in another
//! order: it is what such losses differ by, and what a worker can gain by lying.

use super::{dataset, is_of_family, parent::Parent, prepare, train_settings, Machine, RunnerError};
use openledger_client::Client;
use openledger_content::{ContentStore, Limits, Wanted};
use openledger_engine::{
    data::{self, DataFile},
    device::Arithmetic,
    lora::Adapter,
    model::{
        passes::{self, PassSettings},
        weights::Precision,
        Model, ModelConfig,
    },
    peft::{self, MAX_ADAPTER},
    tokenizer::Tokenizer,
    train::{self, on_training_threads, TrainSettings},
};
use openledger_primitives::{
    job::{dispute::Finding, JobResult},
    BaseModelId, JobId, Method, ModelFamily, TrainingSpec,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A loss is reproduced if it differs by no more than this share of it, and by 0.01 nats at least.
pub const TOLERANCE: f64 = 0.01;

/// Losses in nats a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// Before training.
    pub before: f64,
    /// With the adapter.
    pub after: f64,
}

impl Losses {
    fn posted(result: &JobResult) -> Self {
        let nats = |micro: u32| f64::from(micro) / 1e6;
        Self { before: nats(result.eval_loss_before), after: nats(result.eval_loss_after) }
    }
}

/// What was found, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// In a word.
    pub finding: Finding,
    /// In a sentence.
    pub cause: String,
    /// What the worker posted.
    pub posted: Losses,
    /// What was measured, if it came to that.
    pub measured: Option<Losses>,
    /// Whether it is only that the adapter could not be had here, which may change.
    pub unavailable: bool,
}

/// Whether a loss is the one that was posted, within [`TOLERANCE`]. What is no number is not.
pub fn is_reproduced(posted: f64, measured: f64) -> bool {
    (posted - measured).abs() <= (posted * TOLERANCE).max(TOLERANCE)
}

/// Fetches a job's adapter and everything that its losses were measured on, and measures them again.
///
/// # Errors
///
/// What keeps this machine from saying anything of the result: no result, no memory or disk, base
/// model or files that cannot be had, a node that is away.
pub async fn verify(
    client: &Client,
    store: &dyn ContentStore,
    machine: &Machine,
    id: JobId,
) -> Result<Verification, RunnerError> {
    let job = client.job(id).await?.ok_or(RunnerError::NoResult { job: id })?;
    let result = match job.state.open_result() {
        Some(result) => *result,
        None => client.adapter(id).await?.ok_or(RunnerError::NoResult { job: id })?.result,
    };
    let posted = Losses::posted(&result);
    let found = |finding, cause: String, unavailable| Verification {
        finding,
        cause,
        posted,
        measured: None,
        unavailable,
    };

    if result.size > MAX_ADAPTER {
        let cause = format!("it has {} bytes, an adapter at most {MAX_ADAPTER}", result.size);
        return Ok(found(Finding::DoesNotLoad, cause, false));
    }
    let wanted = Wanted::exactly(result.content, result.sha256, result.size);
    let bytes = match store.fetch_bytes(&wanted, &Limits::for_bytes(result.size)).await {
        Ok(bytes) => bytes,
        Err(error) if error.is_invalid() => {
            return Ok(found(Finding::DoesNotLoad, error.to_string(), false));
        }
        Err(error) if error.is_unavailable() => {
            return Ok(found(Finding::DoesNotLoad, error.to_string(), true));
        }
        Err(error) => return Err(error.into()),
    };
    // A file that is no safetensors file fits no model.
    if let Err(error) = peft::bytes_in_f32(&bytes) {
        return Ok(found(Finding::DoesNotLoad, error.to_string(), false));
    }

    let model = client
        .base_model(job.base)
        .await?
        .ok_or(RunnerError::UnknownModel { job: id, base: job.base })?;
    let weights = prepare::room_and_weights(client, store, machine, id, &job, &model, 0)
        .await
        .map_err(|error| match error {
            RunnerError::Unfit { cause, .. } => RunnerError::Unverifiable { job: id, cause },
            other => other,
        })?;
    let parent = Parent::fetch(client, store, id, &job).await?;
    let folder = machine.work_directory.join(format!("verify-{id}"));
    let fetched = async {
        let files = dataset::fetch(client, store, &job, &folder).await?;
        dataset::read(files).await
    }
    .await;
    remove(&folder).await;
    let posting = Posting {
        base: job.base,
        family: model.family,
        spec: job.spec,
        token_ceiling: job.token_ceiling,
        weights,
        parent: parent.map(Parent::into_bytes),
        files: fetched?,
        adapter: bytes,
        arithmetic: machine.arithmetic,
    };
    // Loading a model and measuring it keeps a thread busy.
    let measured = tokio::task::spawn_blocking(move || posting.measure(id))
        .await
        .map_err(|error| RunnerError::Thread { job: id, reason: error.to_string() })??;
    Ok(match measured {
        Err(cause) => found(Finding::OtherBase, cause, false),
        Ok(measured) => judge(posted, measured),
    })
}

/// What losses say of a result.
pub fn judge(posted: Losses, measured: Losses) -> Verification {
    let of = |what, posted: f64, measured: f64| {
        (!is_reproduced(posted, measured)).then(|| {
            format!("the loss {what} is {measured:.6} nats a token, posted was {posted:.6}")
        })
    };
    let wrong = of("before training", posted.before, measured.before)
        .or_else(|| of("with the adapter", posted.after, measured.after));
    let (finding, cause) = match wrong {
        Some(cause) => (Finding::NotReproduced, cause),
        None => (Finding::Holds, "both losses are those that were posted".to_owned()),
    };
    Verification { finding, cause, posted, measured: Some(measured), unavailable: false }
}

/// What a worker posted, and what it said to have trained it on.
pub struct Posting {
    /// The base model's number.
    pub base: BaseModelId,
    /// The base model's architecture, as the chain knows it.
    pub family: ModelFamily,
    /// The job's settings.
    pub spec: TrainingSpec,
    /// The job's token ceiling.
    pub token_ceiling: u64,
    /// The base model on this disk.
    pub weights: PathBuf,
    /// The bytes of the adapter that was trained further, if the job names one.
    pub parent: Option<Vec<u8>>,
    /// The job's files.
    pub files: Vec<DataFile>,
    /// The bytes that were posted.
    pub adapter: Vec<u8>,
    /// Where it is measured.
    pub arithmetic: Arithmetic,
}

impl Posting {
    /// The losses, or why the adapter is not one of this base model and these settings.
    ///
    /// # Errors
    ///
    /// What keeps this machine from measuring it: a model that is not what the chain says, or that does
    /// not load; nothing to hold out.
    pub fn measure(&self, id: JobId) -> Result<Result<Losses, String>, RunnerError> {
        let config = ModelConfig::open(&self.weights)?;
        if !is_of_family(config.family, self.family) {
            let (base, family) = (self.base, self.family);
            let found = config.family.model_type();
            return Err(RunnerError::Family { base, family, found });
        }
        let settings = TrainSettings {
            arithmetic: self.arithmetic,
            ..train_settings(&self.spec, self.token_ceiling, &config)
        };
        let open = |bytes: &[u8]| {
            let lora = settings.lora(&config)?;
            peft::from_bytes(bytes, None, &config).and_then(|adapter| adapter.under(lora, &config))
        };
        let adapter: Adapter = match open(&self.adapter) {
            Ok(adapter) => adapter,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let parent = self.parent.as_deref().map(open).transpose()?;

        let tokenizer = Tokenizer::open(&self.weights)?;
        let longest = settings.max_seq_length.min(config.max_position_embeddings);
        config.check_batched_length(longest)?;
        let options = settings.data_options(longest);
        let (examples, _) = data::examples_with(&self.files, &tokenizer, &options)?;
        let (_, held_out) = data::divide(
            examples,
            |example| example.origin.evaluation,
            settings.eval_fraction,
            settings.seed,
        );
        let precision = match self.spec.method {
            Method::Lora => Precision::Dense,
            Method::Qlora => Precision::Quantised,
        };
        let model = Arc::new(Model::open_with(&self.weights, precision)?);
        let settings = PassSettings { max_tokens: longest, ..PassSettings::default() };
        let passes = passes::open(&model, self.arithmetic, settings)?;
        let mean = |adapter: Option<&Adapter>| {
            on_training_threads(None, || train::mean_loss(&*passes, &held_out, adapter))??
                .ok_or(RunnerError::NoEvaluation { job: id })
        };
        Ok(Ok(Losses { before: mean(parent.as_ref())?, after: mean(Some(&adapter))? }))
    }
}

/// Removes a folder of fetched files, if there is one.
async fn remove(folder: &Path) {
    match tokio::fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, folder = %folder.display(), "fetched files stay");
        }
        _ => {}
    }
}
