//! Encrypted key files, in the JSON format of polkadot-js (version 3), so that wallets can import
//! what we write and we can read what wallets export.
//!
//! ```text
//! {"encoded": base64(salt 32 | n 4 | p 4 | r 4 | nonce 24 | secret box),
//!  "encoding": {"content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3"},
//!  "address": "5…", "meta": {"name": "…", "whenCreated": …}}
//! ```
//!
//! A file is readable by its owner only (mode 0600), appears under its name complete or not at all,
//! and is never overwritten.

use crate::{
    secretbox::{self, Cost},
    signer::Signer,
    AccountId,
};
use base64::{engine::general_purpose::STANDARD as BASE64, Engine};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// Most bytes of a key file; real ones have about 600.
const MAX_FILE: u64 = 16 * 1024;
/// Bytes before the secret box: salt, n, p, r, nonce.
const HEADER: usize = 32 + 12 + secretbox::NONCE;
/// What PKCS #8 writes before the secret key, as polkadot-js does it.
const PKCS8_HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
/// What it writes between secret and public key.
const PKCS8_DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];
/// Bytes of an expanded secret key.
const SECRET: usize = 64;
/// Longest name of a key.
const MAX_NAME: usize = 64;

/// Why a key file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The name would not make a good file name.
    #[error(
        "{0:?} is not a name for a key: use 1 to {MAX_NAME} of the characters A-Z a-z 0-9 . _ - and \
         begin with a letter or digit"
    )]
    Name(String),
    /// There is a file already.
    #[error("{} exists already, and key files are never overwritten; choose another name", .0.display())]
    Exists(PathBuf),
    /// There is no such file.
    #[error("there is no key file {}; make one with `openledger account new`, or list yours with `openledger account list`", .0.display())]
    NotFound(PathBuf),
    /// The operating system refused.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Not a key file, or one of another kind.
    #[error("{} is not a key file that can be read: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The password does not open it, or its bytes were changed.
    #[error("the password does not open {}, or the file was changed", .0.display())]
    WrongPassword(PathBuf),
    /// No password was given.
    #[error(
        "{} is encrypted; give its password with --password-file or OPENLEDGER_PASSWORD", .0.display()
    )]
    PasswordNeeded(PathBuf),
    /// The operating system has no random numbers.
    #[error("the operating system gave no random numbers: {0}")]
    Random(String),
}

#[derive(Serialize, Deserialize)]
struct Encoding {
    content: Vec<String>,
    r#type: Vec<String>,
    version: String,
}

#[derive(Serialize, Deserialize)]
struct Document {
    encoded: String,
    encoding: Encoding,
    address: AccountId,
    #[serde(default)]
    meta: serde_json::Map<String, serde_json::Value>,
}

/// A key file as lists show it: what can be known without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The file's name without `.json`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The account, as the file says; the password proves it.
    pub account: AccountId,
}

/// Where a key of this name is kept in a directory.
///
/// # Errors
///
/// [`KeyFileError::Name`] for names that could leave the directory or hide in it.
pub fn path_of(directory: &Path, name: &str) -> Result<PathBuf, KeyFileError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let good = name.len() <= MAX_NAME
        && name.bytes().all(allowed)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    match good {
        true => Ok(directory.join(format!("{name}.json"))),
        false => Err(KeyFileError::Name(name.to_owned())),
    }
}

/// Encrypts a signer's secret key with a password and writes it to a new file.
///
/// # Errors
///
/// [`KeyFileError::Exists`] if there is one, [`KeyFileError::Io`], [`KeyFileError::Random`]. No
/// file is left behind then.
pub fn write(path: &Path, signer: &Signer, password: &str) -> Result<(), KeyFileError> {
    let random = |error: getrandom::Error| KeyFileError::Random(error.to_string());
    let salt: [u8; 32] = secretbox::random().map_err(random)?;
    let nonce: [u8; secretbox::NONCE] = secretbox::random().map_err(random)?;
    let cost = Cost::STANDARD;

    let mut message = Zeroizing::new(Vec::with_capacity(117));
    message.extend_from_slice(&PKCS8_HEADER);
    message.extend_from_slice(signer.secret().as_ref());
    message.extend_from_slice(&PKCS8_DIVIDER);
    message.extend_from_slice(&signer.account().0);

    let key = secretbox::stretch(password.as_bytes(), &salt, cost);
    let mut encoded = salt.to_vec();
    for number in [cost.n, cost.p, cost.r] {
        encoded.extend_from_slice(&number.to_le_bytes());
    }
    encoded.extend_from_slice(&nonce);
    encoded.extend_from_slice(&secretbox::seal(&key, &nonce, &message));

    let mut meta = serde_json::Map::new();
    if let Some(name) = path.file_stem() {
        meta.insert("name".into(), name.to_string_lossy().into());
    }
    if let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) {
        meta.insert("whenCreated".into(), (now.as_millis() as u64).into());
    }
    let document = Document {
        encoded: BASE64.encode(encoded),
        encoding: Encoding {
            content: vec!["pkcs8".into(), "sr25519".into()],
            r#type: vec!["scrypt".into(), "xsalsa20-poly1305".into()],
            version: "3".into(),
        },
        address: signer.account(),
        meta,
    };
    let json = serde_json::to_vec_pretty(&document).expect("strings and numbers are always JSON");
    write_new(path, &json)
}

/// Opens a key file.
///
/// # Errors
///
/// [`KeyFileError::NotFound`], [`KeyFileError::Io`], [`KeyFileError::Malformed`],
/// [`KeyFileError::WrongPassword`].
pub fn read(path: &Path, password: &str) -> Result<Signer, KeyFileError> {
    let document = load(path)?;
    let malformed = |reason: &str| KeyFileError::Malformed {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    };
    let Encoding { content, r#type, version } = &document.encoding;
    let supported = version == "3"
        && content.iter().any(|word| word == "sr25519")
        && r#type.iter().any(|word| word == "scrypt")
        && r#type.iter().any(|word| word == "xsalsa20-poly1305");
    if !supported {
        return Err(malformed(
            "only version 3 files with an sr25519 key under scrypt and xsalsa20-poly1305 are read",
        ));
    }
    let encoded =
        BASE64.decode(&document.encoded).map_err(|_| malformed("`encoded` is not base64"))?;
    let (header, sealed) =
        encoded.split_at_checked(HEADER).ok_or_else(|| malformed("`encoded` is too short"))?;
    let (salt, rest) = header.split_at(32);
    let (numbers, nonce) = rest.split_at(12);
    let number = |n: usize| {
        numbers.iter().skip(4 * n).take(4).rev().fold(0, |sum, b| sum << 8 | u32::from(*b))
    };
    let cost = Cost { n: number(0), p: number(1), r: number(2) };
    if !Cost::ALLOWED.contains(&cost) {
        return Err(malformed("its scrypt cost is none that polkadot-js uses"));
    }
    let nonce = nonce.try_into().map_err(|_| malformed("`encoded` is too short"))?;

    let key = secretbox::stretch(password.as_bytes(), salt, cost);
    let message = secretbox::open(&key, nonce, sealed)
        .ok_or_else(|| KeyFileError::WrongPassword(path.to_path_buf()))?;
    let body = message
        .strip_prefix(&PKCS8_HEADER)
        .ok_or_else(|| malformed("the decrypted key is not in PKCS #8"))?;
    let (secret, rest) =
        body.split_at_checked(SECRET).ok_or_else(|| malformed("the decrypted key is too short"))?;
    let signer = Signer::from_secret_key(secret)
        .map_err(|_| malformed("the decrypted key is not an sr25519 key"))?;
    let public = rest.strip_prefix(&PKCS8_DIVIDER);
    if public != Some(signer.account().0.as_slice()) || signer.account() != document.address {
        return Err(malformed("its secret key does not belong to its address"));
    }
    Ok(signer)
}

/// The account a key file is for, without its password.
///
/// # Errors
///
/// [`KeyFileError::NotFound`], [`KeyFileError::Io`], [`KeyFileError::Malformed`].
pub fn account(path: &Path) -> Result<AccountId, KeyFileError> {
    load(path).map(|document| document.address)
}

/// The key files of a directory by name. Files that are none are left out; a directory that does
/// not exist is empty.
///
/// # Errors
///
/// [`KeyFileError::Io`] when the directory cannot be read.
pub fn list(directory: &Path) -> Result<Vec<KeyFile>, KeyFileError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("read", directory)(source)),
    };
    let mut keys = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read", directory))?.path();
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        if let (Some(name), Ok(account)) = (name, account(&path)) {
            keys.push(KeyFile { name, path, account });
        }
    }
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(keys)
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> KeyFileError + 'a {
    move |source| KeyFileError::Io { action, path: path.to_path_buf(), source }
}

fn load(path: &Path) -> Result<Document, KeyFileError> {
    let file = fs::File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::NotFound(path.to_path_buf()),
        _ => failed("open", path)(source),
    })?;
    let mut text = String::new();
    let read = file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(failed("read", path))?;
    let malformed = |reason: String| KeyFileError::Malformed { path: path.to_path_buf(), reason };
    if read as u64 > MAX_FILE {
        return Err(malformed(format!("it has more than {MAX_FILE} bytes")));
    }
    serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))
}

/// Writes a file that does not exist yet, complete or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    create_private_directory(&directory).map_err(failed("create", &directory))?;
    if path.symlink_metadata().is_ok() {
        return Err(KeyFileError::Exists(path.to_path_buf()));
    }
    let suffix: [u8; 8] =
        secretbox::random().map_err(|error| KeyFileError::Random(error.to_string()))?;
    let temporary = directory.join(format!(".{}.tmp", hex::encode(suffix)));
    let result =
        write_private(&temporary, bytes).map_err(failed("write", &temporary)).and_then(|()| {
            // A hard link, not a rename: it fails when another process took the name meanwhile.
            fs::hard_link(&temporary, path).map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_path_buf()),
                _ => failed("create", path)(source),
            })
        });
    // Best effort: the file under its own name is what counts, and it is complete or absent.
    let _ = fs::remove_file(&temporary);
    result
}

fn create_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
