//! The adapters that a server answers with: found by name, loaded when first asked for, and kept
//! within two budgets of bytes, one of memory and one of disk.
//!
//! | name | where it comes from |
//! |---|---|
//! | a name given with its path | a folder as PEFT writes it, or one safetensors file |
//! | the name of an entry of the adapters' folder | the same |
//! | `openledger:7` | adapter 7 of the chain, over IPFS, checked against its sha256 |
//!
//! An adapter in memory is named by the sha256 of its bytes: a file that is replaced becomes another
//! adapter for the requests that come after, and stays what it was for those under way.

mod chain;
mod disk;
mod error;
mod memory;
mod source;

pub use chain::{Chain, ChainAdapter};
pub use disk::DiskCache;
pub use error::AdapterError;
pub use source::Source;

use super::names::{AdapterRefused, Adapters, Resolved, CHAIN_PREFIX};
use futures::future::BoxFuture;
use memory::Memory;
use openledger_engine::{
    model::{fast::PreparedAdapter, Model},
    peft,
};
use sha2::{Digest, Sha256};
use source::{Bytes, Stamp};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// How many adapters and how much of them is kept.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// Bytes of adapters in memory, those in use included.
    pub memory: u64,
    /// Bytes of fetched adapters on disk.
    pub disk: u64,
}

/// Finds, loads and keeps adapters of one base model.
pub struct AdapterStore {
    model: Arc<Model>,
    /// The base as the chain names it: sha256 of its weights' file.
    base_sha256: [u8; 32],
    registered: BTreeMap<String, PathBuf>,
    folder: Option<PathBuf>,
    chain: Option<Chain>,
    disk: DiskCache,
    memory: Memory,
    /// What was found behind a file the last time, so that unchanged files are not read again.
    known: Mutex<BTreeMap<PathBuf, (Stamp, [u8; 32])>>,
    /// One load at a time for each name: a hundred requests for a new adapter read it once.
    loading: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Held while an adapter's bytes are read and laid out.
    reading: tokio::sync::Mutex<()>,
}

impl AdapterStore {
    /// A store for adapters of `model`, whose weights have the sha256 `base_sha256`.
    pub fn new(
        model: Arc<Model>,
        base_sha256: [u8; 32],
        registered: BTreeMap<String, PathBuf>,
        folder: Option<PathBuf>,
        chain: Option<Chain>,
        cache: PathBuf,
        budgets: Budgets,
    ) -> Result<Self, AdapterError> {
        Ok(Self {
            model,
            base_sha256,
            registered,
            folder,
            chain,
            disk: DiskCache::open(cache, budgets.disk)?,
            memory: Memory::new(budgets.memory),
            known: Mutex::default(),
            loading: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        })
    }

    /// The adapter of that name, from memory if it is there.
    ///
    /// # Errors
    ///
    /// [`AdapterError`], which says what the client, the operator or time can do about it.
    pub async fn find(&self, name: &str) -> Result<Arc<Resolved>, AdapterError> {
        let source = self.source(name).await?;
        self.get(name, source).await
    }

    async fn get(&self, name: &str, source: Source) -> Result<Arc<Resolved>, AdapterError> {
        if let Some(loaded) = self.remembered(&source) {
            return Ok(loaded);
        }
        let gate = self.gate(name);
        let held = gate.lock().await;
        // Whoever held the gate before has loaded it.
        let loaded = match self.remembered(&source) {
            Some(loaded) => Ok(loaded),
            None => self.load(name, &source).await,
        };
        drop(held);
        self.release(name, gate);
        loaded
    }

    async fn source(&self, name: &str) -> Result<Source, AdapterError> {
        if let Some(number) = name.strip_prefix(CHAIN_PREFIX) {
            let unknown = || AdapterError::Unknown { name: name.to_owned() };
            let id: u64 = number.parse().map_err(|_| unknown())?;
            let chain = self.chain.as_ref().ok_or(AdapterError::NoChain { id })?;
            let adapter = chain.adapter(id).await?.ok_or_else(unknown)?;
            if adapter.base_sha256 != self.base_sha256 {
                return Err(AdapterError::OtherBase {
                    name: name.to_owned(),
                    base: hex::encode(adapter.base_sha256),
                    own: hex::encode(self.base_sha256),
                });
            }
            return Ok(Source::Chain(adapter));
        }
        if let Some(path) = self.registered.get(name) {
            return Ok(Source::File(path.clone()));
        }
        // A name is one of the folder's entries, never a path.
        let found = self.folder.as_ref().and_then(|folder| source::entry(folder, name));
        match found {
            Some(path) => Ok(Source::File(path)),
            None => Err(AdapterError::Unknown { name: name.to_owned() }),
        }
    }

    /// What is in memory already, if the file has not changed since.
    fn remembered(&self, source: &Source) -> Option<Arc<Resolved>> {
        let sha256 = match source {
            Source::Chain(adapter) => adapter.sha256,
            Source::File(path) => {
                let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                let (stamp, sha256) = known.get(path)?;
                (Stamp::of(path).ok()? == *stamp).then_some(*sha256)?
            }
        };
        self.memory.get(&sha256)
    }

    /// Reads an adapter and lays it out for the model: one at a time, so that beside those that are kept
    /// there are no more bytes than `most_of_one` twice.
    async fn load(&self, name: &str, source: &Source) -> Result<Arc<Resolved>, AdapterError> {
        let most = self.most_of_one();
        let too_large = |bytes| match bytes > most {
            true => Err(AdapterError::TooLarge { name: name.to_owned(), bytes, limit: most }),
            false => Ok(()),
        };
        let fetched = match source {
            Source::File(path) => {
                // Nothing of what is too large is read.
                too_large(source::weight_bytes(path))?;
                path.clone()
            }
            Source::Chain(adapter) => {
                too_large(adapter.size)?;
                let chain = self.chain.as_ref().ok_or(AdapterError::NoChain { id: adapter.id })?;
                self.disk.fetch(chain, adapter).await?
            }
        };
        let _alone = self.reading.lock().await;
        let (bytes, chain_id) = match source {
            Source::File(path) => {
                let path = path.clone();
                let hidden =
                    |error: &dyn std::fmt::Display| source::without_path(error, &fetched, name);
                let damaged =
                    |error: &dyn std::fmt::Display| AdapterError::damaged(name, hidden(error));
                let stamp = Stamp::of(&path).map_err(|e| damaged(&e))?;
                let read = blocking(move || source::read(&path, most)).await?;
                let bytes = read.map_err(|e| damaged(&e))?;
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(fetched.clone(), (stamp, bytes.sha256));
                (bytes, None)
            }
            Source::Chain(adapter) => {
                let wanted = adapter.clone();
                let weights = blocking(move || disk::read(&fetched, &wanted)).await??;
                (Bytes { sha256: adapter.sha256, weights, config: None }, Some(adapter.id))
            }
        };
        if let Some(loaded) = self.memory.get(&bytes.sha256) {
            return Ok(loaded);
        }
        too_large(peft::bytes_in_f32(&bytes.weights).map_err(|e| AdapterError::damaged(name, e))?)?;
        let model = self.model.clone();
        let sha256 = bytes.sha256;
        let prepared = blocking(move || {
            let Bytes { weights, config, .. } = bytes;
            let adapter = peft::from_bytes(&weights, config.as_deref(), &model.config)?;
            // Before the second copy is made.
            drop(weights);
            PreparedAdapter::new(&model, &adapter)
        });
        let prepared = prepared.await?.map_err(|e| AdapterError::damaged(name, e))?;
        let loaded = Arc::new(Resolved { sha256, chain_id, prepared: Arc::new(prepared) });
        self.memory.put(name, loaded.clone())?;
        Ok(loaded)
    }

    /// Bytes of an adapter, in its file and in memory: while one is loaded it is there twice, and what is
    /// kept takes no less.
    fn most_of_one(&self) -> u64 {
        self.memory.limit() / 2
    }

    fn gate(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        loading.entry(name.to_owned()).or_default().clone()
    }

    /// Forgets a gate that nobody waits at.
    fn release(&self, name: &str, gate: Arc<tokio::sync::Mutex<()>>) {
        let mut loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        drop(gate);
        if loading.get(name).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            loading.remove(name);
        }
    }
}

impl Adapters for AdapterStore {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Arc<Resolved>, AdapterRefused>> {
        Box::pin(async move { Ok(self.find(name).await?) })
    }

    fn open<'a>(
        &'a self,
        name: &'a str,
        path: PathBuf,
    ) -> BoxFuture<'a, Result<Arc<Resolved>, AdapterRefused>> {
        Box::pin(async move { Ok(self.get(name, Source::File(path)).await?) })
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.registered.keys().cloned().collect();
        if let Some(folder) = &self.folder {
            names.extend(source::entries(folder));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    fn in_memory(&self) -> (u64, usize) {
        self.memory.used()
    }
}

/// The sha256 of bytes.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Runs what reads files or computes on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AdapterError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| AdapterError::Stopped)
}
