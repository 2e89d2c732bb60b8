//! Runs `openledger … --output json` and reads its answers.

use crate::{process, Error, Result};
use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Mutex, PoisonError,
    },
    time::Duration,
};

/// How long one command may take. Finality and a large download fit in well.
const LIMIT: Duration = Duration::from_secs(180);

/// Somebody who uses the command line.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The name in tables and logs.
    pub name: &'static str,
    /// What `--key` takes; nothing where no key is needed.
    pub key: String,
    /// The IPFS directory, if the actor has one.
    pub ipfs: Option<PathBuf>,
    /// IPFS peers to fetch from.
    pub peers: Vec<String>,
}

impl Actor {
    /// Somebody with a key and no IPFS directory.
    pub fn new(name: &'static str, key: impl Into<String>) -> Self {
        Self { name, key: key.into(), ipfs: None, peers: Vec::new() }
    }

    /// The same with an IPFS directory.
    #[must_use]
    pub fn with_ipfs(self, directory: &Path) -> Self {
        Self { ipfs: Some(directory.to_owned()), ..self }
    }

    /// The same with IPFS peers.
    #[must_use]
    pub fn with_peers(self, peers: &[String]) -> Self {
        Self { peers: peers.to_vec(), ..self }
    }
}

/// A transaction that was included, and who paid how much for it.
#[derive(Clone, Debug)]
pub struct Paid {
    /// The signer's name.
    pub actor: &'static str,
    /// The fee in plancks; 0 for a submission within quota.
    pub fee: u128,
}

/// A command that ended with an error.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The exit code.
    pub exit: i32,
    /// `refused`, `usage`, `unavailable` or `failed`.
    pub kind: String,
    /// The refusal's number, where it has one.
    pub code: Option<u64>,
    /// What it says.
    pub message: String,
}

/// The command line on one network.
#[derive(Debug)]
pub struct Cli {
    binary: PathBuf,
    url: String,
    keys: PathBuf,
    password: PathBuf,
    logs: PathBuf,
    count: AtomicUsize,
    paid: Mutex<Vec<Paid>>,
}

impl Cli {
    /// `binary` against the node at `url`, with keys and logs under `directory`.
    ///
    /// # Errors
    ///
    /// If the folders cannot be made.
    pub fn new(binary: &Path, url: String, directory: &Path) -> Result<Self> {
        let (keys, logs) = (directory.join("keys"), directory.join("logs").join("commands"));
        for folder in [&keys, &logs] {
            std::fs::create_dir_all(folder).map_err(|cause| Error::file(folder, &cause))?;
        }
        let password = directory.join("password");
        write_password(&password)?;
        Ok(Self {
            binary: binary.to_owned(),
            url,
            keys,
            password,
            logs,
            count: AtomicUsize::new(0),
            paid: Mutex::default(),
        })
    }

    /// Runs a command to success and returns its JSON. The fee of a transaction is noted.
    ///
    /// # Errors
    ///
    /// With the command, what it said, and its log.
    pub fn run(&self, actor: &Actor, arguments: &[&str]) -> Result<Value> {
        let (shown, log, done) = self.execute(actor, arguments)?;
        let failure = |message: String, next: &str| {
            Error::failed(format!("`{shown}` ({})", actor.name), message, next)
                .with_log(&log.with_extension("err"))
        };
        if done.code != Some(0) {
            let refused = parse_refusal(&done);
            return Err(failure(
                format!("exit code {}: {}", refused.exit, refused.message),
                "read the command's log and the node's",
            ));
        }
        let value: Value = serde_json::from_str(done.out.trim()).map_err(|cause| {
            failure(format!("its answer is not one JSON object: {cause}"), "report it")
        })?;
        if value.get("extrinsicHash").is_some_and(|hash| !hash.is_null()) {
            let fee = plancks(&value, "/fee")
                .map_err(|_| failure("its answer names no fee".to_owned(), "report it"))?;
            self.paid
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Paid { actor: actor.name, fee });
        }
        Ok(value)
    }

    /// Runs a command that must be refused, and returns what it says.
    ///
    /// # Errors
    ///
    /// If it succeeds.
    pub fn refused(&self, actor: &Actor, arguments: &[&str]) -> Result<Refused> {
        let (shown, log, done) = self.execute(actor, arguments)?;
        if done.code == Some(0) {
            return Err(Error::broken(
                format!("`{shown}` ({})", actor.name),
                "it was accepted, but must be refused",
            )
            .with_log(&log.with_extension("out")));
        }
        Ok(parse_refusal(&done))
    }

    /// Every transaction so far that this command line sent, with its fee.
    pub fn paid(&self) -> Vec<Paid> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where each command's output lies.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    fn execute(
        &self,
        actor: &Actor,
        arguments: &[&str],
    ) -> Result<(String, PathBuf, process::Finished)> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let verb: Vec<&str> =
            arguments.iter().take(2).copied().filter(|word| is_plain(word)).collect();
        let shown = format!("openledger {}", arguments.join(" "));
        let log = self.logs.join(format!("{number:04}-{}-{}", actor.name, verb.join("-")));
        let mut command = Command::new(&self.binary);
        // What a user has set for other networks must not reach this one.
        forget_environment(&mut command);
        command
            .args(["--output", "json", "--timeout", "60", "--node", &self.url])
            .arg("--keys-directory")
            .arg(&self.keys)
            .arg("--password-file")
            .arg(&self.password);
        if !actor.key.is_empty() {
            command.args(["--key", &actor.key]);
        }
        if let Some(directory) = &actor.ipfs {
            command.arg("--ipfs-directory").arg(directory);
        }
        for peer in &actor.peers {
            command.args(["--peer", peer]);
        }
        command.args(arguments);
        let done = process::run(&format!("`{shown}`"), command, &log, LIMIT)?;
        Ok((shown, log, done))
    }
}

/// Takes what a user has set for networks of their own out of a program's environment.
pub fn forget_environment(command: &mut Command) {
    for name in ["NODE", "KEY", "KEYS", "PASSWORD", "IPFS", "PEERS", "SECRET"] {
        command.env_remove(format!("OPENLEDGER_{name}"));
    }
}

/// Writes a random password that only the user may read.
fn write_password(path: &Path) -> Result<()> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::failed("random numbers", cause.to_string(), "the system has to provide them")
    })?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(hex::encode(bytes).as_bytes()))
        .map_err(|cause| Error::file(path, &cause))
}

fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word.len() < 24
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The error object on standard error; log lines may stand before it.
fn parse_refusal(done: &process::Finished) -> Refused {
    let error = done
        .err
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Value>(line.trim()).ok())
        .chain(serde_json::from_str(done.err.trim()).ok())
        .find_map(|value| value.get("error").cloned())
        .unwrap_or(Value::Null);
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    Refused {
        exit: done.code.unwrap_or(-1),
        kind: text("kind").unwrap_or_default(),
        code: error.get("code").and_then(Value::as_u64),
        message: text("message").unwrap_or_else(|| done.err.trim().to_owned()),
    }
}

/// The text at a JSON pointer.
///
/// # Errors
///
/// If there is none.
pub fn text(value: &Value, pointer: &str) -> Result<String> {
    match value.pointer(pointer) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        other => Err(unexpected(value, pointer, other)),
    }
}

/// The whole number at a JSON pointer.
///
/// # Errors
///
/// If there is none.
pub fn number(value: &Value, pointer: &str) -> Result<u64> {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .ok_or_else(|| unexpected(value, pointer, value.pointer(pointer)))
}

/// The number at a JSON pointer.
///
/// # Errors
///
/// If there is none.
pub fn float(value: &Value, pointer: &str) -> Result<f64> {
    value
        .pointer(pointer)
        .and_then(Value::as_f64)
        .ok_or_else(|| unexpected(value, pointer, value.pointer(pointer)))
}

/// The amount, a decimal string of plancks, at a JSON pointer.
///
/// # Errors
///
/// If there is none.
pub fn plancks(value: &Value, pointer: &str) -> Result<u128> {
    let found = value.pointer(pointer);
    found
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| unexpected(value, pointer, found))
}

/// The list at a JSON pointer.
///
/// # Errors
///
/// If there is none.
pub fn list<'a>(value: &'a Value, pointer: &str) -> Result<&'a Vec<Value>> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .ok_or_else(|| unexpected(value, pointer, value.pointer(pointer)))
}

fn unexpected(value: &Value, pointer: &str, found: Option<&Value>) -> Error {
    let whole: String = value.to_string().chars().take(300).collect();
    Error::broken(
        "an answer",
        match found {
            Some(found) => format!("{pointer} is {found}, of the wrong kind, in {whole}"),
            None => format!("{pointer} is missing in {whole}"),
        },
    )
}
