//! What a worker makes sure of before it takes a job: that it has the memory and the disk, and every
//! byte that it will need.
//!
//! A job that it cannot do it declines, with the reason, while that costs nothing. What it fetches goes
//! to disk as it comes; nothing is held in memory before the job is taken.

use super::{dataset, is_of_family, parent::Parent, train_settings, Machine, RunnerError};
use openledger_client::{AccountId, BaseModel, Client};
use openledger_content::ContentStore;
use openledger_engine::{
    data::{self, DataFile, Example},
    lora::{Adapter, Layout},
    model::{folder, ModelConfig},
    report::memory,
    tokenizer::Tokenizer,
    train::{memory_estimate, plan::Plan, takes_batches_whole, TrainSettings},
};
use openledger_primitives::{
    api::JobView, job::DeclineReason, text::counted, JobId, Method, ModelFamily, TrainingSpec,
};
use std::path::{Path, PathBuf};

/// Bytes of memory that a run needs for every byte of a quantised file that it trains dense: four
/// bytes a weight of four and a half bits.
const DENSE: u64 = 8;
/// Bytes of memory beside weights and texts that every run needs.
const BESIDE: u64 = 512 << 20;
/// A text is in memory as its bytes, as canonical text and as tokens.
const TEXTS: u64 = 4;
/// Bytes of disk beside what is fetched, for checkpoints and the adapter.
const CHECKPOINTS: u64 = 512 << 20;

/// Everything that a job needs, checked.
pub(super) struct Prepared {
    pub(super) family: ModelFamily,
    pub(super) name: String,
    pub(super) weights: PathBuf,
    /// The adapter to train further.
    pub(super) initial: Option<Adapter>,
    pub(super) files: Vec<DataFile>,
}

/// Fetches and checks what a job needs, into `folder` and the cache of models.
///
/// # Errors
///
/// [`RunnerError::Unfit`] with the reason to decline; the chain's errors where the node is away.
pub(super) async fn prepare(
    client: &Client,
    store: &dyn ContentStore,
    machine: &Machine,
    folder: &Path,
    id: JobId,
    job: &JobView<AccountId>,
) -> Result<Prepared, RunnerError> {
    let model = client
        .base_model(job.base)
        .await?
        .ok_or(RunnerError::UnknownModel { job: id, base: job.base })?;
    let weights = room_and_weights(client, store, machine, id, job, &model, CHECKPOINTS).await?;
    let missing = |reason| move |error: RunnerError| blame(id, reason, error);
    let parent = Parent::fetch(client, store, id, job)
        .await
        .map_err(missing(DeclineReason::ParentUnavailable))?;
    let files = dataset::fetch(client, store, job, &folder.join("files"))
        .await
        .map_err(missing(DeclineReason::FilesUnavailable))?;
    let files = dataset::read(files).await?;
    let foreseen = Foreseen {
        job: id,
        spec: job.spec,
        token_ceiling: job.token_ceiling,
        family: model.family,
        arithmetic: machine.arithmetic,
        weights: weights.clone(),
        parent,
    };
    // Reading texts and counting tokens keeps a thread busy.
    let checked = tokio::task::spawn_blocking(move || foreseen.check(&files).map(|a| (a, files)));
    let (initial, files) = checked
        .await
        .map_err(|error| RunnerError::Thread { job: id, reason: error.to_string() })??;
    Ok(Prepared { family: model.family, name: model.name, weights, initial, files })
}

/// Makes sure of memory and disk for a job's model, texts and what comes `beside` them, and of the
/// weights: on this disk, or fetched.
///
/// # Errors
///
/// [`RunnerError::Unfit`]; the chain's errors where the node is away.
pub(super) async fn room_and_weights(
    client: &Client,
    store: &dyn ContentStore,
    machine: &Machine,
    id: JobId,
    job: &JobView<AccountId>,
    model: &BaseModel,
    beside: u64,
) -> Result<PathBuf, RunnerError> {
    let unfit =
        |reason: DeclineReason, cause: String| RunnerError::Unfit { job: id, reason, cause };
    let texts = bytes_of(client, job).await?;
    let dense = match job.spec.method {
        Method::Lora => DENSE,
        Method::Qlora => 2,
    };
    let needed = model
        .weights_size
        .saturating_mul(dense)
        .saturating_add(texts.saturating_mul(TEXTS))
        .saturating_add(BESIDE);
    if let Some(there) = memory::available().filter(|there| there.bytes < needed) {
        let cause = format!("{needed} bytes of memory, {} are free ({})", there.bytes, there.limit);
        return Err(unfit(DeclineReason::Memory, cause));
    }

    let cache = machine.work_directory.join("models");
    let local = dataset::local_weights(store, model, &machine.models, &cache).await?;
    let to_fetch = match &local {
        Some(_) => 0,
        None => model.weights_size,
    };
    if to_fetch > machine.cache_bytes {
        let cause = format!(
            "{to_fetch} bytes of weights, the cache holds {} (--cache-bytes)",
            machine.cache_bytes
        );
        return Err(unfit(DeclineReason::Disk, cause));
    }
    if local.is_none() {
        evict(&cache, machine.cache_bytes.saturating_sub(to_fetch)).await?;
    }
    // The store keeps what it fetches, beside the file that is made of it.
    let needed =
        to_fetch.saturating_mul(2).saturating_add(texts.saturating_mul(2)).saturating_add(beside);
    if let Some(free) = disk_free(&machine.work_directory).filter(|free| *free < needed) {
        let cause = format!("{needed} bytes of disk, {free} are free");
        return Err(unfit(DeclineReason::Disk, cause));
    }
    match local {
        Some(path) => Ok(path),
        None => dataset::weights(store, model, &[], &cache)
            .await
            .map_err(|error| blame(id, DeclineReason::BaseUnavailable, error)),
    }
}

/// A job as its training is foreseen, without the weights being loaded.
struct Foreseen {
    job: JobId,
    spec: TrainingSpec,
    token_ceiling: u64,
    family: ModelFamily,
    arithmetic: openledger_engine::device::Arithmetic,
    weights: PathBuf,
    parent: Option<Parent>,
}

impl Foreseen {
    /// Whether there is something to train and to hold out, and the memory for it. The parent adapter,
    /// read.
    fn check(&self, files: &[DataFile]) -> Result<Option<Adapter>, RunnerError> {
        let because = |reason: DeclineReason| {
            move |error: openledger_engine::Error| self.unfit(reason, error.to_string())
        };
        let config = ModelConfig::open(&self.weights).map_err(because(DeclineReason::Unusable))?;
        if !is_of_family(config.family, self.family) {
            let (named, found) = (self.family, config.family.model_type());
            let cause = format!("registered as {named:?}, the file holds a {found} model");
            return Err(self.unfit(DeclineReason::Unusable, cause));
        }
        let tokenizer = Tokenizer::open(&self.weights).map_err(because(DeclineReason::Unusable))?;
        let settings = TrainSettings {
            arithmetic: self.arithmetic,
            ..train_settings(&self.spec, self.token_ceiling, &config)
        };
        let parent = self.parent.as_ref();
        let initial = parent
            .map(|parent| parent.open(self.job, &settings, &config))
            .transpose()
            .map_err(|error| self.unfit(DeclineReason::Unusable, error.to_string()))?;

        let untrainable = because(DeclineReason::Untrainable);
        let longest = settings.max_seq_length.min(config.max_position_embeddings);
        config.check_batched_length(longest).map_err(untrainable)?;
        let options = settings.data_options(longest);
        let (examples, _) = data::examples_with(files, &tokenizer, &options)
            .map_err(because(DeclineReason::Untrainable))?;
        let lengths: Vec<(usize, bool)> =
            examples.iter().map(|e: &Example| (e.tokens.len(), e.origin.evaluation)).collect();
        let (train, held_out) =
            data::divide(lengths, |(_, held)| *held, settings.eval_fraction, settings.seed);
        let plan =
            Plan::of_lengths(&settings, train.into_iter().map(|(length, _)| length).collect());
        if plan.total_steps == 0 || held_out.is_empty() {
            let cause = format!(
                "{} within {}, {} held out of {}",
                counted(plan.total_steps, "step"),
                counted(self.token_ceiling, "token"),
                counted(held_out.len(), "example"),
                examples.len()
            );
            return Err(self.unfit(DeclineReason::Untrainable, cause));
        }
        self.check_memory(&config, &settings, &plan)?;
        Ok(initial)
    }

    fn check_memory(
        &self,
        config: &ModelConfig,
        settings: &TrainSettings,
        plan: &Plan,
    ) -> Result<(), RunnerError> {
        let device = settings.arithmetic.device;
        let lora = settings
            .lora(config)
            .map_err(|error| self.unfit(DeclineReason::Untrainable, error.to_string()))?;
        let trainable =
            (0..config.num_hidden_layers).map(|layer| Layout::new(config, &lora, layer).len).sum();
        let base = match self.spec.method {
            Method::Lora => {
                let parameters = u64::try_from(config.parameters()).unwrap_or(u64::MAX);
                parameters.saturating_mul(4)
            }
            Method::Qlora => folder::weight_bytes(&self.weights),
        };
        let rows = plan.rows_at_once(takes_batches_whole(config, lora.use_dora, device));
        let needed = memory_estimate(config, base, trainable, rows, settings, true).total();
        let (free, limit) = if device.uses_host_memory() {
            match memory::available() {
                Some(there) => (there.bytes, there.limit),
                // The system does not say.
                None => return Ok(()),
            }
        } else {
            match openledger_engine::device::memory(device) {
                Some((free, _)) => (free, "the device's memory".to_owned()),
                None => return Ok(()),
            }
        };
        if needed > free {
            let cause =
                format!("training needs {needed} bytes of memory, {free} are free ({limit})");
            return Err(self.unfit(DeclineReason::Memory, cause));
        }
        Ok(())
    }

    fn unfit(&self, reason: DeclineReason, cause: String) -> RunnerError {
        RunnerError::Unfit { job: self.job, reason, cause }
    }
}

/// Bytes of the files that a job trains on, as their leaves say.
async fn bytes_of(client: &Client, job: &JobView<AccountId>) -> Result<u64, RunnerError> {
    let created_at = client.created_at(job.id).await?;
    let mut bytes = 0u64;
    for dataset in &job.datasets {
        let leaves = client.leaves_until(dataset.datanet, dataset.version.leaves).await?;
        let left_out = client.left_out(dataset, created_at).await?;
        let kept = leaves.iter().filter(|view| !left_out.contains(&view.index));
        let sizes = kept.map(|view| u64::from(view.leaf.size));
        bytes = sizes.fold(bytes, u64::saturating_add);
    }
    Ok(bytes)
}

/// What a worker says of a job whose content made a fetch fail. A node that is away, or a disk of its
/// own that fails, is not the owner's fault.
fn blame(job: JobId, unavailable: DeclineReason, error: RunnerError) -> RunnerError {
    let reason = match &error {
        RunnerError::Content(content) if content.is_unavailable() => unavailable,
        RunnerError::Content(content) if content.is_invalid() => DeclineReason::Unusable,
        RunnerError::Content(openledger_content::Error::DiskFull { .. }) => DeclineReason::Disk,
        RunnerError::Parent { .. } => DeclineReason::Unusable,
        _ => return error,
    };
    RunnerError::Unfit { job, reason, cause: error.to_string() }
}

/// Removes fetched models, the longest unused first, until those that stay have at most `bytes`.
async fn evict(cache: &Path, bytes: u64) -> Result<(), RunnerError> {
    let cache = cache.to_path_buf();
    let evicted = tokio::task::spawn_blocking(move || evict_blocking(&cache, bytes)).await;
    evicted
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(RunnerError::io("make room in", "the cache of models"))
}

fn evict_blocking(cache: &Path, bytes: u64) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(cache) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut models = Vec::new();
    for entry in entries {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.is_file() {
            let used = found.accessed().or_else(|_| found.modified())?;
            models.push((used, found.len(), entry.path()));
        }
    }
    models.sort();
    let mut held: u64 = models.iter().map(|(_, size, _)| *size).sum();
    for (_, size, path) in models {
        if held <= bytes {
            break;
        }
        tracing::info!(model = %path.display(), bytes = size, "making room: removing a fetched model");
        std::fs::remove_file(&path)?;
        held = held.saturating_sub(size);
    }
    Ok(())
}

/// Bytes that are free on a folder's disk; `None` where the system does not say.
pub fn disk_free(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("."));
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    let stat = rustix::fs::statvfs(existing).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}
