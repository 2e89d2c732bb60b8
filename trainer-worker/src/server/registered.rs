//! Adapters in folders and files that the operator named.

use super::names::{AdapterRefused, Adapters, Resolved};
use futures::future::BoxFuture;
use openledger_engine::model::fast::PreparedAdapter;
use openledger_engine::model::Model;
use openledger_engine::peft;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Adapters by name, loaded when they are first asked for and kept.
pub struct Registered {
    model: Arc<Model>,
    paths: BTreeMap<String, PathBuf>,
    loaded: Mutex<BTreeMap<String, Arc<Resolved>>>,
}

impl Registered {
    /// Adapters of `model`.
    pub fn new(model: Arc<Model>, paths: BTreeMap<String, PathBuf>) -> Self {
        Self { model, paths, loaded: Mutex::default() }
    }
}

fn load(model: &Model, path: &Path) -> openledger_engine::Result<Resolved> {
    let adapter = peft::load(path, &model.config)?;
    let file = if path.is_dir() { path.join(peft::WEIGHTS) } else { path.to_owned() };
    let bytes = std::fs::read(&file).map_err(openledger_engine::Error::io("read", &file))?;
    let prepared = Arc::new(PreparedAdapter::new(model, &adapter)?);
    Ok(Resolved { sha256: Sha256::digest(&bytes).into(), chain_id: None, prepared })
}

impl Adapters for Registered {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Arc<Resolved>, AdapterRefused>> {
        Box::pin(async move {
            let Some(path) = self.paths.get(name).cloned() else {
                let message =
                    format!("there is no adapter {name:?} here; GET /v1/models lists them");
                return Err(AdapterRefused { status: 404, code: "model_not_found", message });
            };
            let mut loaded = self.loaded.lock().await;
            if let Some(resolved) = loaded.get(name) {
                return Ok(resolved.clone());
            }
            let model = self.model.clone();
            let read = tokio::task::spawn_blocking(move || load(&model, &path)).await;
            let refused = |message: String| AdapterRefused {
                status: 422,
                code: "adapter_unusable",
                message: format!("{name} cannot be used: {message}"),
            };
            let resolved = read
                .map_err(|_| refused("reading it failed".to_owned()))?
                .map_err(|error| refused(error.to_string()))?;
            let resolved = Arc::new(resolved);
            loaded.insert(name.to_owned(), resolved.clone());
            Ok(resolved)
        })
    }

    fn names(&self) -> Vec<String> {
        self.paths.keys().cloned().collect()
    }
}
