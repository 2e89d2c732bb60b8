//! Models of the Hugging Face hub by its HTTP API: the list of a repository's files at a revision,
//! then each file that this engine reads.

use super::{Download, Progress, MAX_FILE};
use crate::error::{write_atomically, Error, Result};
use crate::http;
use crate::model::gguf::split;
use crate::model::hf::{DESCRIPTION_FILES, INDEX_FILE};
use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most files of a repository that are looked at.
const MAX_FILES: usize = 10_000;
/// The public hub.
pub const ENDPOINT: &str = "https://huggingface.co";
/// What is remembered of a fetched model, in its folder.
pub const RECORD: &str = "fetched.json";

/// A model to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    /// Repository, such as `HuggingFaceTB/SmolLM2-135M-Instruct`.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// Take this one file (a GGUF file) instead of configuration, tokenizer and safetensors.
    pub file: Option<String>,
    /// Address of the hub, such as [`ENDPOINT`].
    pub endpoint: String,
    /// Token of a user, for models that are not public.
    pub token: Option<String>,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What to load: a folder, or a GGUF file.
    pub path: PathBuf,
    /// Commit of the repository.
    pub commit: String,
    /// Files with their sizes in bytes and SHA-256.
    pub files: Vec<(String, u64, String)>,
}

struct Sibling {
    name: String,
    size: Option<u64>,
    sha256: Option<String>,
}

/// Whether each part of a name is plain, so that it stays within its folder.
fn plain(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b))
    };
    name.len() <= 256 && name.split('/').all(part)
}

/// Fetches a model into `directory`. Files that are there and have the published digest are kept;
/// a download that was cut off goes on.
///
/// # Errors
///
/// [`Error::Setting`] for names that are no repository or revision, [`Error::Http`] when the hub
/// does not answer, refuses, or sends other bytes than it published.
pub fn fetch(model: &HubModel, directory: &Path, progress: Progress<'_>) -> Result<Fetched> {
    let refuse = |name, value: &str, range: &str| {
        Err(Error::Setting { name, value: value.to_owned(), range: range.to_owned() })
    };
    if !plain(&model.repository) || model.repository.split('/').count() != 2 {
        return refuse("repository", &model.repository, "OWNER/NAME, as in a model's address");
    }
    if !plain(&model.revision) {
        return refuse("revision", &model.revision, "a branch, tag or commit");
    }
    let endpoint = model.endpoint.trim_end_matches('/');
    let agent = http::agent(Some(Duration::from_secs(60)))?;
    let (commit, siblings) = list(model, endpoint, &agent)?;
    let chosen = choose(model, siblings)?;
    let downloads = http::agent(None)?;
    let mut files = Vec::new();
    for sibling in &chosen {
        let url = format!("{endpoint}/{}/resolve/{commit}/{}", model.repository, sibling.name);
        let target = directory.join(&sibling.name);
        let download = Download {
            agent: &downloads,
            url: &url,
            token: model.token.as_deref(),
            name: &sibling.name,
            target: &target,
            size: sibling.size,
            sha256: sibling.sha256.as_deref(),
        };
        let sha256 = download.run(progress)?;
        let size = std::fs::metadata(&target).map_err(Error::io("read", &target))?.len();
        files.push((sibling.name.clone(), size, sha256));
    }
    let record = json!({
        "repository": model.repository, "commit": commit, "endpoint": http::without_secrets(endpoint),
        "files": files.iter().map(|(name, size, sha256)| {
            json!({ "name": name, "size": size, "sha256": sha256 })
        }).collect::<Vec<_>>(),
    });
    write_atomically(&directory.join(RECORD), format!("{record:#}\n").as_bytes())?;
    let path = match &model.file {
        Some(file) => directory.join(file),
        None => directory.to_owned(),
    };
    Ok(Fetched { path, commit, files })
}

/// The commit of a revision and its files.
fn list(model: &HubModel, endpoint: &str, agent: &ureq::Agent) -> Result<(String, Vec<Sibling>)> {
    let url = format!(
        "{endpoint}/api/models/{}/revision/{}?blobs=true",
        model.repository, model.revision
    );
    let fail =
        |reason: String, retry| Error::Http { url: http::without_secrets(&url), reason, retry };
    let mut request = agent.get(&url);
    if let Some(token) = &model.token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().map_err(|e| http::failed(&url, &e))?;
    match response.status().as_u16() {
        200 => {}
        // The hub answers 401 for what does not exist as well.
        status @ (401 | 403 | 404) => {
            return Err(fail(
                format!(
                    "status {status}: {} at {} does not exist or is not public; check the name, or \
                     set HF_TOKEN",
                    model.repository, model.revision
                ),
                false,
            ))
        }
        status => return Err(fail(format!("status {status}"), status == 429 || status >= 500)),
    }
    let answer: Value = response
        .body_mut()
        .with_config()
        .limit(http::MAX_ANSWER)
        .read_json()
        .map_err(|e| http::failed(&url, &e))?;
    let commit = answer.get("sha").and_then(Value::as_str).filter(|c| plain(c));
    let siblings = answer.get("siblings").and_then(Value::as_array);
    let (Some(commit), Some(siblings)) = (commit, siblings) else {
        return Err(fail("the answer names no commit or files; is this a hub?".to_owned(), false));
    };
    if siblings.len() > MAX_FILES {
        return Err(fail(format!("{} files, at most {MAX_FILES} are read", siblings.len()), false));
    }
    let siblings = siblings
        .iter()
        .filter_map(|sibling| {
            let name = sibling.get("rfilename")?.as_str().filter(|n| plain(n))?.to_owned();
            let size = sibling.get("size").and_then(Value::as_u64);
            let sha256 = sibling.pointer("/lfs/sha256").and_then(Value::as_str);
            let sha256 = sha256.filter(|s| s.len() == 64).map(str::to_owned);
            Some(Sibling { name, size, sha256 })
        })
        .collect();
    Ok((commit.to_owned(), siblings))
}

/// The files that are wanted.
fn choose(model: &HubModel, siblings: Vec<Sibling>) -> Result<Vec<Sibling>> {
    let names: Vec<String> = siblings.iter().map(|s| s.name.clone()).collect();
    let gguf: Vec<&str> =
        names.iter().map(String::as_str).filter(|n| n.ends_with(".gguf")).collect();
    let wanted: Vec<Sibling> = match &model.file {
        // Of a split file all parts are wanted, whichever was named.
        Some(file) => {
            let of = |name: &str| name.strip_suffix(".gguf").and_then(split::numbered);
            let same = |name: &str| name == *file || (of(file).is_some() && of(name) == of(file));
            siblings.into_iter().filter(|s| same(&s.name)).collect()
        }
        None => siblings
            .into_iter()
            .filter(|s| {
                s.name == INDEX_FILE || DESCRIPTION_FILES.contains(&s.name.as_str())
                    // Folders hold copies for other programs.
                    || (s.name.ends_with(".safetensors") && !s.name.contains('/'))
            })
            .collect(),
    };
    let usable = match &model.file {
        Some(_) => !wanted.is_empty(),
        None => wanted.iter().any(|s| s.name.ends_with(".safetensors")),
    };
    if !usable {
        let range = match (&model.file, gguf.as_slice()) {
            (_, []) => "a repository with safetensors or GGUF files".to_owned(),
            (_, files) => {
                format!("one of its GGUF files by --file: {}", shortened(files))
            }
        };
        let value = model.file.clone().unwrap_or_else(|| model.repository.clone());
        return Err(Error::Setting { name: "file", value, range });
    }
    if let Some(large) = wanted.iter().find(|s| s.size.is_some_and(|size| size > MAX_FILE)) {
        return Err(Error::TooLarge {
            what: large.name.clone(),
            size: large.size.unwrap_or(0),
            limit: MAX_FILE,
        });
    }
    Ok(wanted)
}

fn shortened(names: &[&str]) -> String {
    let shown = names.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 12 {
        format!("{shown} and {} more", names.len() - 12)
    } else {
        shown
    }
}

/// The user's token: `HF_TOKEN`, or the file that `hf auth login` writes.
pub fn token() -> Option<String> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let from_file = || {
        let path = set("HF_TOKEN_PATH").or_else(|| {
            let home = set("HF_HOME")
                .or_else(|| set("XDG_CACHE_HOME").map(|c| c.join("huggingface")))
                .or_else(|| set("HOME").map(|h| h.join(".cache/huggingface")))?;
            Some(home.join("token"))
        })?;
        let bytes = crate::error::read_bounded(&path, 4096).ok()?;
        String::from_utf8(bytes).ok()
    };
    std::env::var("HF_TOKEN")
        .ok()
        .or_else(from_file)
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()))
}
