//! Names of models: `base`, `base:adapter`, `openledger:7`.

use super::error::ApiError;
use super::App;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use futures::future::BoxFuture;
use openledger_engine::model::fast::PreparedAdapter;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use utoipa::ToSchema;

/// What an adapter of the chain is called, before its number.
pub const CHAIN_PREFIX: &str = "openledger:";

/// The headers that name what answered, for browsers of other origins to read too.
pub(super) const HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-openledger-base-sha256"),
    HeaderName::from_static("x-openledger-arithmetic"),
    HeaderName::from_static("x-openledger-adapter"),
    HeaderName::from_static("x-openledger-adapter-id"),
    HeaderName::from_static("x-openledger-adapter-sha256"),
];

/// An adapter that is ready to be applied.
pub struct Resolved {
    /// Sha256 of its safetensors bytes.
    pub sha256: [u8; 32],
    /// Its number, where it came from the chain.
    pub chain_id: Option<u64>,
    /// Its factors, laid out for the base model.
    pub prepared: Arc<PreparedAdapter>,
}

/// Why an adapter cannot be used.
#[derive(Debug)]
pub struct AdapterRefused {
    /// The status of the answer.
    pub status: u16,
    /// A word for programs.
    pub code: &'static str,
    /// What is wrong, and the next step.
    pub message: String,
}

/// The adapters that may be asked for.
pub trait Adapters: Send + Sync {
    /// The adapter of a name, loaded if it is not in memory. A name is what stands after `base:`, or
    /// begins with [`CHAIN_PREFIX`].
    fn resolve<'a>(&'a self, name: &'a str)
        -> BoxFuture<'a, Result<Arc<Resolved>, AdapterRefused>>;
    /// The adapter of a folder that this server wrote, under the name it is asked for by.
    fn open<'a>(
        &'a self,
        name: &'a str,
        path: PathBuf,
    ) -> BoxFuture<'a, Result<Arc<Resolved>, AdapterRefused>>;
    /// The names that are known without looking anything up.
    fn names(&self) -> Vec<String>;
    /// Bytes of the adapters in memory, and their number.
    fn in_memory(&self) -> (u64, usize);
}

/// The model that everything is computed with.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its name.
    pub name: String,
    /// Sha256 of its weights' file ([`base_sha256`]).
    pub sha256: [u8; 32],
    /// `integer` or `f32`.
    pub arithmetic: &'static str,
    /// When its file was written, in seconds since 1970.
    pub created: u64,
}

/// A model's name from its path, with the letters that names have.
pub fn name_of(path: &Path) -> String {
    let stem = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let stem = stem.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let letter = |c: char| if is_letter(c) { c } else { '-' };
    let name: String = stem.chars().take(100).map(letter).collect();
    if name.is_empty() {
        "model".to_owned()
    } else {
        name
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Whether a text can be the name of a model or an adapter: 1 to 100 letters, digits, dots, hyphens and
/// underscores.
pub fn is_name(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.chars().all(is_letter)
}

/// The sum that names a base: of its one file of weights, as the chain has it; where there are several,
/// of the lines that `sha256sum` prints of them in the order of their names.
///
/// # Errors
/// When a file cannot be read.
pub fn base_sha256(model: &Path) -> std::io::Result<[u8; 32]> {
    let mut files = Vec::new();
    if model.is_dir() {
        for entry in std::fs::read_dir(model)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "safetensors") {
                files.push(path);
            }
        }
        files.sort();
    } else {
        files.push(model.to_owned());
    }
    let mut sums = Vec::new();
    for path in &files {
        let mut sum = Sha256::new();
        std::io::copy(&mut std::fs::File::open(path)?, &mut sum)?;
        sums.push((path, <[u8; 32]>::from(sum.finalize())));
    }
    if let [(_, sum)] = sums.as_slice() {
        return Ok(*sum);
    }
    let mut all = Sha256::new();
    for (path, sum) in sums {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        all.update(format!("{}  {name}\n", hex::encode(sum)));
    }
    Ok(all.finalize().into())
}

/// What answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Identity {
    /// Name of the base model.
    base: String,
    /// Sha256 of its weights.
    base_sha256: String,
    /// Name of the adapter, if one was applied.
    adapter: Option<String>,
    /// Its number on the chain, if it came from there.
    adapter_id: Option<u64>,
    /// Sha256 of its bytes.
    adapter_sha256: Option<String>,
    /// `integer` or `f32`: answers are the same bytes within one arithmetic.
    arithmetic: &'static str,
    /// The seed: given again, the answer is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
}

impl Identity {
    fn of_base(base: &Base) -> Self {
        Self {
            base: base.name.clone(),
            base_sha256: hex::encode(base.sha256),
            adapter: None,
            adapter_id: None,
            adapter_sha256: None,
            arithmetic: base.arithmetic,
            seed: None,
        }
    }

    pub(crate) fn with_seed(&self, seed: i64) -> Self {
        Self { seed: Some(seed), ..self.clone() }
    }

    /// What OpenAI calls the fingerprint: another one means that answers may differ.
    pub(crate) fn fingerprint(&self) -> String {
        let mut sum = Sha256::new();
        for part in [
            self.base_sha256.as_str(),
            self.adapter_sha256.as_deref().unwrap_or(""),
            self.arithmetic,
            env!("CARGO_PKG_VERSION"),
        ] {
            sum.update(part);
            sum.update([0]);
        }
        let sum = hex::encode(sum.finalize());
        format!("fp_{}", sum.get(..16).unwrap_or(&sum))
    }

    /// Adds the headers that say the same.
    pub(crate) fn name_in(&self, headers: &mut HeaderMap) {
        let values = [
            Some(self.base_sha256.clone()),
            Some(self.arithmetic.to_owned()),
            self.adapter.clone(),
            self.adapter_id.map(|id| id.to_string()),
            self.adapter_sha256.clone(),
        ];
        for (name, value) in HEADERS.into_iter().zip(values) {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
    }
}

/// A model that was asked for and is ready.
pub(crate) struct Chosen {
    /// Its name, as it was asked for.
    pub(crate) name: String,
    pub(crate) identity: Identity,
    pub(crate) adapter: Option<Arc<Resolved>>,
}

impl Chosen {
    fn new(app: &App, name: &str, adapter: &str, resolved: Arc<Resolved>) -> Self {
        let identity = Identity {
            adapter: Some(adapter.to_owned()),
            adapter_id: resolved.chain_id,
            adapter_sha256: Some(hex::encode(resolved.sha256)),
            ..Identity::of_base(&app.base)
        };
        Self { name: name.to_owned(), identity, adapter: Some(resolved) }
    }
}

/// How the models begin that were fine-tuned here.
const FINE_TUNED: &str = "ft:";

/// What stands in a name after the base's, or the chain's name of an adapter; none for the base.
fn adapter_of<'a>(base: &Base, model: &'a str) -> Option<Option<&'a str>> {
    if model == base.name {
        return Some(None);
    }
    if model.starts_with(CHAIN_PREFIX) {
        return Some(Some(model));
    }
    Some(Some(model.strip_prefix(base.name.as_str())?.strip_prefix(':')?))
}

/// Finds the model of a name that a key may ask for, and loads its adapter if it must.
pub(crate) async fn choose(app: &App, owner: &str, model: &str) -> Result<Chosen, ApiError> {
    if model.starts_with(FINE_TUNED) {
        let path = app.fine_tuning.as_ref().and_then(|tuning| tuning.jobs.model(owner, model));
        let path = path.ok_or_else(|| ApiError::no_model(model))?;
        let resolved = app.adapters.open(model, path).await.map_err(refused)?;
        return Ok(Chosen::new(app, model, model, resolved));
    }
    let adapter = adapter_of(&app.base, model).ok_or_else(|| ApiError::no_model(model))?;
    let identity = Identity::of_base(&app.base);
    let Some(adapter) = adapter else {
        return Ok(Chosen { name: model.to_owned(), identity, adapter: None });
    };
    let resolved = app.adapters.resolve(adapter).await.map_err(refused)?;
    Ok(Chosen::new(app, model, adapter, resolved))
}

fn refused(refused: AdapterRefused) -> ApiError {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
    match status.as_u16() {
        429 | 503 => ApiError::unavailable(refused.code, 5, refused.message),
        500.. => {
            // Where things lie on the server is its operator's.
            tracing::error!(error = refused.message, "an adapter");
            ApiError::internal("the server's disk failed; its operator's log says more")
        }
        _ => ApiError::new(status, super::error::INVALID, refused.code, refused.message)
            .with_param("model"),
    }
}

/// The names of all models that are known.
pub(crate) fn all(base: &Base, adapters: &dyn Adapters) -> Vec<String> {
    let mut names = vec![base.name.clone()];
    for adapter in adapters.names() {
        if adapter.starts_with(CHAIN_PREFIX) {
            names.push(adapter);
        } else {
            names.push(format!("{}:{adapter}", base.name));
        }
    }
    names
}
