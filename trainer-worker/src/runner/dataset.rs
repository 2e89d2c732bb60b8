//! The files a job names, fetched and checked against the chain.

use super::RunnerError;
use futures::{StreamExt, TryStreamExt};
use openledger_client::{AccountId, Client};
use openledger_content::{ContentStore, Limits, Wanted};
use openledger_documents::{canonical_text, Measured, EXTRACTOR_VERSION};
use openledger_engine::data::DataFile;
use openledger_primitives::{
    api::{JobView, LeafView},
    leaf::version_of,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Time for one block and one file of a dataset to come; a fetch that failed is tried again.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(120));

/// A file of a job's versions on this disk.
pub struct FoundFile {
    path: PathBuf,
    view: LeafView<AccountId>,
}

/// Fetches every file of the job's versions into `folder`, in the order of the job and then of the
/// leaves, but for leaves that were revoked before the job.
///
/// The leaves, those left out too, are hashed into their mountain range, whose root must be the one the job names; each
/// file must have its leaf's size and sha256.
///
/// # Errors
///
/// [`RunnerError::Version`] for a node that answers other leaves, [`RunnerError::Content`] for a
/// file that cannot be had or is not the promised one.
pub async fn fetch(
    client: &Client,
    store: &dyn ContentStore,
    job: &JobView<AccountId>,
    folder: &Path,
) -> Result<Vec<FoundFile>, RunnerError> {
    let created_at = client.created_at(job.id).await?;
    let mut views = Vec::new();
    for dataset in &job.datasets {
        let leaves = client.leaves_until(dataset.datanet, dataset.version.leaves).await?;
        let found = version_of(leaves.iter().map(|view| view.leaf.hash()));
        if found != dataset.version {
            return Err(RunnerError::Version {
                datanet: dataset.datanet,
                wanted: dataset.version,
                found,
            });
        }
        let left_out = client.left_out(dataset, created_at).await?;
        if !left_out.is_empty() {
            tracing::info!(
                job = job.id,
                datanet = dataset.datanet,
                leaves = ?left_out,
                "leaves revoked before the job are not trained on"
            );
        }
        views.extend(leaves.into_iter().filter(|view| !left_out.contains(&view.index)));
    }
    tokio::fs::create_dir_all(folder).await.map_err(RunnerError::io("create", folder))?;
    // Several at once, so that one slow file does not use up the time to take the job.
    futures::stream::iter(views.into_iter().enumerate())
        .map(|(n, view)| async move {
            let path = folder.join(format!("{n}"));
            let leaf = &view.leaf;
            let wanted = Wanted::exactly(view.content, leaf.sha256, leaf.size.into());
            let limits = Limits::default().with_timeouts(PATIENCE.0, PATIENCE.1).overwriting();
            store.fetch_file(&wanted, &path, &limits).await?;
            Ok(FoundFile { path, view })
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// Reads the files of a job into memory, as training needs them, and removes them from the disk.
///
/// # Errors
///
/// [`RunnerError::Io`].
pub async fn read(files: Vec<FoundFile>) -> Result<Vec<DataFile>, RunnerError> {
    let mut read = Vec::with_capacity(files.len());
    for FoundFile { path, view } in files {
        let bytes = tokio::fs::read(&path).await.map_err(RunnerError::io("read", &path))?;
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::warn!(%error, file = %path.display(), "a fetched file stays");
        }
        read.push(read_file(bytes, view));
    }
    Ok(read)
}

/// Files that are fetched at once.
const AT_ONCE: usize = 8;

/// Says that a file reads differently here than its leaf records, and why that may be. `units`: on
/// chain and here.
fn difference(on_chain: u16, own: u16, units: (u64, u64)) -> String {
    let (recorded, read) = units;
    let what = format!(
        "trained on as extractor {own} reads it: {read} units, where its leaf says {recorded} by \
         extractor {on_chain}"
    );
    match on_chain == own {
        // Nothing but a fault, here or among the reviewers, brings this about.
        true => format!("{what}; the same extractor should have found the same text"),
        false => what,
    }
}

fn read_file(bytes: Vec<u8>, view: LeafView<AccountId>) -> DataFile {
    let leaf = view.leaf;
    // Text is what is trained on: an image or a sound is named as such, and not decoded.
    match canonical_text(view.media, &bytes).and_then(|text| Measured::of_text(&text)) {
        Ok(measured) if measured.units == leaf.units && measured.text_root == leaf.text_root.0 => {}
        // What the reviewers accepted is what the job names, so it is trained on all the same.
        Ok(measured) => {
            let (on_chain, own) = (leaf.version.extractor(), EXTRACTOR_VERSION);
            tracing::warn!(
                leaf = view.index,
                submission = leaf.submission,
                "{}",
                difference(on_chain, own, (leaf.units, measured.units))
            );
        }
        Err(error) => tracing::warn!(leaf = view.index, %error, "the file cannot be measured"),
    }
    DataFile::new(bytes, view.media, leaf.submission.to_string(), leaf.contributor.to_string())
}

/// The base model's weights: `local` if one of its files is the model, else fetched into `cache`.
///
/// # Errors
///
/// [`RunnerError::Content`] when the weights cannot be had.
pub async fn weights(
    store: &dyn ContentStore,
    model: &openledger_client::BaseModel,
    local: &[PathBuf],
    cache: &Path,
) -> Result<PathBuf, RunnerError> {
    if let Some(path) = local_weights(store, model, local, cache).await? {
        return Ok(path);
    }
    let cached = cached(model, cache);
    tokio::fs::create_dir_all(cache).await.map_err(RunnerError::io("create", cache))?;
    tracing::info!(content = %model.weights, bytes = model.weights_size, "fetching the base model");
    let wanted = Wanted::exactly(model.weights, model.weights_sha256, model.weights_size);
    // What is there under this name has other bytes, or it would have been taken.
    let limits = Limits::for_bytes(model.weights_size).overwriting();
    store.fetch_file(&wanted, &cached, &limits).await?;
    Ok(cached)
}

/// The base model's weights if they are on this disk: one of `local`, or fetched into `cache` before.
///
/// # Errors
///
/// [`RunnerError::Content`] when a file cannot be read.
pub async fn local_weights(
    store: &dyn ContentStore,
    model: &openledger_client::BaseModel,
    local: &[PathBuf],
    cache: &Path,
) -> Result<Option<PathBuf>, RunnerError> {
    for path in local.iter().chain([&cached(model, cache)]) {
        // The size is compared first: hashing 100 MB of another model would be for nothing.
        let same_size =
            tokio::fs::metadata(path).await.is_ok_and(|m| m.len() == model.weights_size);
        if same_size && store.describe_file(path).await?.sha256 == model.weights_sha256 {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

fn cached(model: &openledger_client::BaseModel, cache: &Path) -> PathBuf {
    cache.join(format!("{}.gguf", hex::encode(model.weights_sha256)))
}
