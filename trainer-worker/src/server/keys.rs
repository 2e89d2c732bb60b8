//! API keys: a file of their SHA-256 sums, and the limits of each.
//!
//! A key has 256 random bits, so a plain SHA-256 cannot be turned back by guessing; a slow password hash
//! would only make every request slow. The file is JSON lines: `{"name", "sha256", "requests",
//! "tokens_per_minute"}`, the last two optional.

use super::error::{ApiError, INVALID};
use axum::http::{header, HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Longest file of keys, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// Most keys in a file.
pub const MAX_KEYS: usize = 10_000;
/// Requests in flight of a key whose line names no other number.
pub const REQUESTS: usize = 16;
const PREFIX: &str = "ol-";
/// How often the file is looked at for a change.
const LOOK: Duration = Duration::from_secs(1);

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It could not be read or written.
    #[error("cannot {action} the keys {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A line is wrong.
    #[error(
        "{}, line {line}: {reason}; a line is {{\"name\": …, \"sha256\": …}}, and `trainer-worker serve \
         --api-keys {0} --add-key NAME` writes one", path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It is larger than what is read.
    #[error("{} is larger than {MAX_FILE} bytes or {MAX_KEYS} keys, the most that is read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It has no key.
    #[error(
        "{} has no key; `trainer-worker serve --api-keys {0} --add-key NAME` makes one", path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Its name is taken or odd.
    #[error("a key cannot be named {name:?}: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The system gives no random bytes.
    #[error("no random bytes can be had: {0}")]
    Random(getrandom::Error),
}

/// A line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokens_per_minute: Option<u64>,
}

/// The limits of a key.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyLimits {
    /// Most requests in flight, [`REQUESTS`] when absent.
    pub requests: Option<usize>,
    /// Tokens of prompts and answers in a minute; any number when absent.
    pub tokens_per_minute: Option<u64>,
}

fn read(path: &Path) -> Result<Vec<Line>, KeyError> {
    let io = |action| {
        let path = path.to_owned();
        move |cause| KeyError::Io { action, path, cause }
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(io("open"))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(io("read"))?;
    if text.len() as u64 > MAX_FILE || text.lines().count() > MAX_KEYS {
        return Err(KeyError::TooLarge { path: path.to_owned() });
    }
    let mut lines: Vec<Line> = Vec::new();
    let (mut names, mut sums) = (HashSet::new(), HashSet::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong =
            |reason: String| KeyError::Line { path: path.to_owned(), line: index + 1, reason };
        let line: Line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let Some(sum) = digest(&line.sha256) else {
            return Err(wrong("sha256 is not 64 hexadecimal digits".to_owned()));
        };
        if !names.insert(line.name.clone()) || !sums.insert(sum) {
            return Err(wrong("the name or the key stands there twice".to_owned()));
        }
        if line.requests == Some(0) || line.tokens_per_minute == Some(0) {
            return Err(wrong("a limit of 0 lets nothing through; take the line out".to_owned()));
        }
        lines.push(line);
    }
    Ok(lines)
}

fn digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// Makes a key, adds its sum to the file, and returns the key, which is nowhere else.
///
/// # Errors
/// When the file cannot be read or written, or has a key of that name.
pub fn add(path: &Path, name: &str, limits: KeyLimits) -> Result<String, KeyError> {
    let odd = |reason| Err(KeyError::Name { name: name.to_owned(), reason });
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return odd("1 to 100 bytes without control characters");
    }
    if limits.requests == Some(0) || limits.tokens_per_minute == Some(0) {
        return odd("a limit of 0 lets nothing through");
    }
    let there = if path.exists() { read(path)? } else { Vec::new() };
    if there.iter().any(|line| line.name == name) {
        return odd("there is one of that name");
    }
    if there.len() >= MAX_KEYS {
        return Err(KeyError::TooLarge { path: path.to_owned() });
    }
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    let key = format!("{PREFIX}{}", hex::encode(bytes));
    let line = Line {
        name: name.to_owned(),
        sha256: hex::encode(Sha256::digest(&key)),
        requests: limits.requests,
        tokens_per_minute: limits.tokens_per_minute,
    };
    let io = |cause| KeyError::Io { action: "write", path: path.to_owned(), cause };
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(io)?;
    // In one write, so that two who add at the same time do not mix their lines; a file that ends without
    // a line break gets one first.
    let ends = std::fs::read(path).map_err(io)?.last().is_none_or(|last| *last == b'\n');
    let text = serde_json::to_string(&line).map_err(|e| io(e.into()))?;
    let text = format!("{}{text}\n", if ends { "" } else { "\n" });
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    Ok(key)
}

/// A bucket of tokens that fills up within a minute. It may go below zero, because the length of an
/// answer is known at its end; who is below zero waits.
#[derive(Debug)]
struct Bucket {
    per_minute: u64,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let per_second = self.per_minute as f64 / 60.0;
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * per_second).min(self.per_minute as f64);
        self.at = now;
    }
}

#[derive(Debug)]
struct State {
    /// Requests that may be in flight.
    requests: usize,
    in_flight: usize,
    bucket: Option<Bucket>,
}

/// Somebody who may ask: a key's owner, or anybody where there are no keys.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its name in the file.
    pub(crate) name: String,
    /// Its number, by which the scheduler is fair.
    pub(crate) number: u64,
    state: Mutex<State>,
}

/// A request in flight; dropping it frees its place.
#[derive(Debug)]
pub(crate) struct Place {
    client: Arc<Client>,
}

impl Client {
    fn new(name: &str, number: u64, limits: KeyLimits) -> Self {
        let requests = limits.requests.unwrap_or(REQUESTS);
        let state = Mutex::new(State { requests, in_flight: 0, bucket: None });
        let client = Self { name: name.to_owned(), number, state };
        client.limit(limits);
        client
    }

    /// Sets its limits. What it has in flight and what it used of its minute is not forgotten.
    fn limit(&self, limits: KeyLimits) {
        let now = Instant::now();
        let mut state = self.state();
        state.requests = limits.requests.unwrap_or(REQUESTS);
        let used = state.bucket.take().map_or(0.0, |mut bucket| {
            bucket.refill(now);
            bucket.per_minute as f64 - bucket.level
        });
        state.bucket = limits.tokens_per_minute.map(|per_minute| Bucket {
            per_minute,
            level: per_minute as f64 - used,
            at: now,
        });
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more request.
    ///
    /// # Errors
    /// 429 when as many are in flight as may be, or the minute's tokens are used up.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Place, ApiError> {
        let mut state = self.state();
        if state.in_flight >= state.requests {
            let message = format!(
                "{} requests of this key are in flight, the most that it may have; try again when one \
                 has ended",
                state.in_flight
            );
            return Err(ApiError::rate_limit(1, message));
        }
        if let Some(bucket) = &mut state.bucket {
            bucket.refill(Instant::now());
            if bucket.level <= 0.0 {
                let seconds = (1.0 - bucket.level) * 60.0 / bucket.per_minute as f64;
                let message = format!(
                    "this key's {} tokens a minute are used up; try again in {seconds:.0} s",
                    bucket.per_minute
                );
                return Err(ApiError::rate_limit(seconds.ceil() as u64, message));
            }
        }
        state.in_flight += 1;
        Ok(Place { client: self.clone() })
    }

    /// Takes tokens off the minute's.
    pub(crate) fn charge(&self, tokens: usize) {
        if let Some(bucket) = &mut self.state().bucket {
            bucket.refill(Instant::now());
            bucket.level -= tokens as f64;
        }
    }
}

impl Place {
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.client.state().in_flight -= 1;
    }
}

/// What tells a changed file from the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    written: Option<SystemTime>,
    bytes: u64,
    /// Another file of the same name, as editors and secret stores put it there.
    file: u64,
}

impl Stamp {
    /// None where there is no file.
    fn of(path: &Path) -> Option<Self> {
        let known = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let file = std::os::unix::fs::MetadataExt::ino(&known);
        #[cfg(not(unix))]
        let file = 0;
        Some(Self { written: known.modified().ok(), bytes: known.len(), file })
    }
}

/// The sums beside their owners.
type Owners = Vec<([u8; 32], Arc<Client>)>;

/// Who may ask.
#[derive(Debug)]
pub struct Keys {
    owners: RwLock<Arc<Owners>>,
    /// Set where there are no keys.
    anybody: Option<Arc<Client>>,
    file: Option<PathBuf>,
    reading: Mutex<Reading>,
}

/// How the file was last read.
#[derive(Debug, Default)]
struct Reading {
    stamp: Option<Stamp>,
    /// The greatest number of a client. None is given twice, so that nobody meets what was computed
    /// for a key that is gone.
    last: u64,
    broken: bool,
}

impl Keys {
    /// The keys of a file.
    ///
    /// # Errors
    /// When it cannot be read, a line is wrong, or there is none.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let keys = Self {
            owners: RwLock::default(),
            anybody: None,
            file: Some(path.to_owned()),
            reading: Mutex::new(Reading { stamp: Stamp::of(path), ..Reading::default() }),
        };
        let mut reading = keys.reading();
        keys.read(path, &mut reading)?;
        drop(reading);
        Ok(keys)
    }

    /// Takes what the file says now. Keys that were there keep what they have in flight and used.
    fn read(&self, path: &Path, reading: &mut Reading) -> Result<(), KeyError> {
        let lines = read(path)?;
        if lines.is_empty() {
            return Err(KeyError::Empty { path: path.to_owned() });
        }
        let known = self.owners();
        let before: HashMap<_, _> =
            known.iter().map(|(_, client)| (&client.name, client)).collect();
        let mut owners = Owners::with_capacity(lines.len());
        for line in lines {
            // Checked when the line was read.
            let Some(sum) = digest(&line.sha256) else { continue };
            let limits =
                KeyLimits { requests: line.requests, tokens_per_minute: line.tokens_per_minute };
            // By its name: a key that replaces another one of that name is the same client's.
            let client = match before.get(&line.name) {
                Some(client) => {
                    client.limit(limits);
                    Arc::clone(client)
                }
                None => {
                    reading.last += 1;
                    Arc::new(Client::new(&line.name, reading.last, limits))
                }
            };
            owners.push((sum, client));
        }
        *self.owners.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(owners);
        Ok(())
    }

    fn owners(&self) -> Arc<Owners> {
        self.owners.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file again if it changed. What cannot be read changes nothing, and is said once.
    fn look(&self) {
        let Some(path) = &self.file else { return };
        let mut reading = self.reading();
        let stamp = Stamp::of(path);
        if reading.stamp == stamp {
            return;
        }
        // Before it is read: what is written meanwhile is another change.
        reading.stamp = stamp;
        let read = self.read(path, &mut reading);
        reading.broken = read.is_err();
        drop(reading);
        match read {
            Ok(()) => tracing::info!(keys = self.count(), "the keys were read again"),
            Err(error) => tracing::error!(
                %error, keys = self.count(),
                "the keys cannot be read again: those that were read before stay valid"
            ),
        }
    }

    /// Looks at the file again and again, for as long as the server runs.
    pub(super) async fn watch(self: Arc<Self>) {
        if self.file.is_none() {
            return;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            let keys = self.clone();
            // A look that failed is followed by another one.
            let _ = tokio::task::spawn_blocking(move || keys.look()).await;
        }
    }

    /// Whether the file cannot be read as it is now.
    pub(super) fn is_broken(&self) -> bool {
        self.reading().broken
    }

    /// Anybody may ask, without limits of their own.
    pub fn none() -> Self {
        let limits = KeyLimits { requests: Some(usize::MAX), tokens_per_minute: None };
        Self {
            owners: RwLock::default(),
            anybody: Some(Arc::new(Client::new("anybody", 0, limits))),
            file: None,
            reading: Mutex::default(),
        }
    }

    /// Whether anybody may ask.
    pub(super) fn are_needed(&self) -> bool {
        self.anybody.is_none()
    }

    /// How many there are; 0 where anybody may ask.
    pub fn count(&self) -> usize {
        self.owners().len()
    }

    /// Whose key a request carries, as `Authorization: Bearer KEY`. Every sum is compared, in a time that
    /// does not depend on which one it is.
    ///
    /// # Errors
    /// 401 when it carries none, or one that is not in the file.
    pub(crate) fn client(&self, headers: &HeaderMap) -> Result<Arc<Client>, ApiError> {
        if let Some(anybody) = &self.anybody {
            return Ok(anybody.clone());
        }
        let unauthorized = |message: &str| {
            ApiError::new(StatusCode::UNAUTHORIZED, INVALID, "invalid_api_key", message)
        };
        let given = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        let missing = || {
            unauthorized("an API key is needed: send it in the header `Authorization: Bearer KEY`")
        };
        let (scheme, key) = given.ok_or_else(missing)?.split_at_checked(7).ok_or_else(missing)?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return Err(missing());
        }
        let sum: [u8; 32] = Sha256::digest(key.trim_ascii()).into();
        let (mut found, mut place) = (Choice::from(0), 0u64);
        let owners = self.owners();
        for ((known, _), index) in owners.iter().zip(0u64..) {
            let equal = known.ct_eq(&sum);
            place.conditional_assign(&index, equal);
            found |= equal;
        }
        let owner = usize::try_from(place).ok().and_then(|place| owners.get(place));
        match owner {
            Some((_, client)) if bool::from(found) => Ok(client.clone()),
            _ => Err(unauthorized(
                "the API key is not known here; ask the server's operator for one",
            )),
        }
    }
}
