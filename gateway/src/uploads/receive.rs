//! Taking a file's bytes from a connection: counted, hashed, within time, a piece in memory at a time.

use crate::error::ApiError;
use crate::extract::Address;
use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use futures::StreamExt;
use openledger_primitives::FileHash;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// Memory of one upload: what the connection reads ahead, and a piece on its way to the disk.
pub(super) const UPLOAD_MEMORY: usize = 256 << 10;
/// Bytes that go to the disk at once.
const PIECE: usize = 64 << 10;
/// Time without a byte.
const IDLE: Duration = Duration::from_secs(20);
/// Time for a body of no bytes; each 32 KiB add a second.
const LEAST_TIME: Duration = Duration::from_secs(60);
/// Uploads of one account at a time.
const MAX_ACCOUNT: usize = 6;
/// Files that are given to one network address, and to all, at a time.
const MAX_READER: usize = 12;
const MAX_READERS: usize = 64;
/// Of all places, those that unsigned bytes may take: one in so many.
const UNSIGNED_SHARE: usize = 4;
/// Time in which the rest of a refused body is thrown away, so that a browser reads the answer.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Who takes places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Address(Address),
    Account([u8; 32]),
    /// One file of one account: two requests cannot write it at once.
    File([u8; 32], FileHash),
    Unsigned,
    All,
    /// Somebody who reads files, and all of them.
    Reader(Address),
    Readers,
}

/// Uploads that go on at this moment.
#[derive(Clone)]
pub(crate) struct Places {
    taken: Arc<Mutex<HashMap<Who, usize>>>,
    all: usize,
    address: usize,
}

/// A place, given back when dropped.
pub(crate) struct Place {
    places: Places,
    who: Vec<Who>,
}

impl Places {
    /// Places for so many uploads in all, and of one network address.
    pub(super) fn new(all: usize, address: usize) -> Self {
        Self { taken: Arc::default(), all, address }
    }

    fn limit(&self, who: &Who) -> usize {
        match who {
            Who::Address(_) => self.address,
            Who::Account(_) => MAX_ACCOUNT,
            Who::File(..) => 1,
            Who::Unsigned => (self.all / UNSIGNED_SHARE).max(1),
            Who::All => self.all,
            Who::Reader(_) => MAX_READER,
            Who::Readers => MAX_READERS,
        }
    }

    /// Takes a place, or says which limit is reached.
    pub(crate) fn take(&self, who: Vec<Who>) -> Result<Place, ApiError> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let full = who.iter().find(|who| taken.get(who).copied().unwrap_or(0) >= self.limit(who));
        if let Some(full) = full {
            let limit = self.limit(full);
            return Err(match full {
                Who::File(..) => ApiError::new(
                    StatusCode::CONFLICT,
                    "in_progress",
                    "another request is sending this file; wait for it",
                )
                .after(1),
                Who::Address(_) | Who::Account(_) => ApiError::too_many(
                    1,
                    format!("{limit} uploads at a time are taken from one sender"),
                ),
                Who::Reader(_) => ApiError::too_many(
                    1,
                    format!("{limit} files at a time are given to one address"),
                ),
                Who::Readers => {
                    ApiError::unavailable(2, format!("{limit} files are being read; try again"))
                }
                Who::Unsigned | Who::All => ApiError::unavailable(
                    2,
                    format!("all {limit} places for uploads are taken; try again"),
                ),
            });
        }
        for who in &who {
            *taken.entry(*who).or_default() += 1;
        }
        drop(taken);
        Ok(Place { places: self.clone(), who })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for who in &self.who {
            if let Some(count) = taken.get_mut(who) {
                *count -= 1;
                if *count == 0 {
                    taken.remove(who);
                }
            }
        }
    }
}

/// What is to come.
pub(super) struct Expected {
    /// Bytes of the file.
    pub(super) size: u64,
    /// Bytes that are there already.
    pub(super) offset: u64,
    /// sha2-256 of all of it.
    pub(super) sha256: FileHash,
}

fn disk(error: std::io::Error) -> ApiError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            ApiError::disk_full()
        }
        _ => ApiError::internal("writing an upload", &error),
    }
}

/// Writes what comes behind the first bytes of a file. All of it is there, and has the hash, when this
/// succeeds; a file with another hash, or that fills the disk, is left for the caller to remove
/// ([`is_lost`]).
///
/// # Errors
///
/// 408, 413, 422 (`wrong_hash`), 507; 400 for fewer bytes than announced: what came stays.
pub(super) async fn receive(body: Body, path: &Path, expected: &Expected) -> Result<(), ApiError> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).truncate(expected.offset == 0);
    let mut file = options.open(path).await.map_err(disk)?;
    file.set_max_buf_size(PIECE);
    let mut hash = Sha256::new();
    let mut received = read_first(&mut file, &mut hash, expected.offset).await?;
    let most = LEAST_TIME + Duration::from_secs(expected.size.saturating_sub(received) >> 15);
    let end = Instant::now() + most;
    let mut stream = body.into_data_stream();
    let ended = loop {
        match next(&mut stream, end).await {
            Ok(None) => break Ok(()),
            Ok(Some(piece)) => {
                let total = received.saturating_add(piece.len() as u64);
                if total > expected.size {
                    break Err(ApiError::new(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "too_large",
                        format!("more than the announced {} bytes", expected.size),
                    ));
                }
                hash.update(&piece);
                if let Err(error) = file.write_all(&piece).await {
                    break Err(disk(error));
                }
                received = total;
            }
            Err(error) => break Err(error),
        }
    };
    // What came counts as received even where the connection broke.
    file.flush().await.map_err(disk)?;
    ended?;
    if received < expected.size {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "incomplete",
            format!("{received} of {} bytes have come; send the rest", expected.size),
        ));
    }
    if <[u8; 32]>::from(hash.finalize()) != expected.sha256 {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            WRONG,
            format!("the {received} bytes have another sha256; they were dropped, begin again"),
        ));
    }
    file.sync_all().await.map_err(disk)
}

const WRONG: &str = "wrong_hash";

/// Whether what came is of no use: the bytes of another file, or ones that take the last of the disk.
pub(super) fn is_lost(error: &ApiError) -> bool {
    error.body().error.code == WRONG || error.status() == StatusCode::INSUFFICIENT_STORAGE
}

async fn read_first(file: &mut File, hash: &mut Sha256, offset: u64) -> Result<u64, ApiError> {
    let mut buffer = vec![0; PIECE];
    let mut read = 0;
    while read < offset {
        let want = usize::try_from(offset - read).unwrap_or(PIECE).min(PIECE);
        let part = buffer.get_mut(..want).unwrap_or_default();
        let count = file.read(part).await.map_err(disk)?;
        if count == 0 {
            return Err(ApiError::internal("continuing an upload", &"its first bytes are gone"));
        }
        hash.update(part.get(..count).unwrap_or_default());
        read += count as u64;
    }
    file.seek(std::io::SeekFrom::Start(read)).await.map_err(disk)?;
    Ok(read)
}

async fn next(stream: &mut BodyDataStream, end: Instant) -> Result<Option<bytes::Bytes>, ApiError> {
    let slow = |what: String| {
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", format!("{what}; continue later"))
    };
    let left = end.saturating_duration_since(Instant::now());
    match tokio::time::timeout(left.min(IDLE), stream.next()).await {
        Ok(Some(Ok(piece))) => Ok(Some(piece)),
        Ok(Some(Err(error))) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "broken",
            format!("the body broke off: {error}"),
        )),
        Ok(None) => Ok(None),
        Err(_) if left < IDLE => Err(slow("the body took too long".to_owned())),
        Err(_) => Err(slow(format!("nothing came for {} s", IDLE.as_secs()))),
    }
}

/// Throws a refused body away, up to `limit` bytes and for a short time: a browser that is still sending
/// when the connection closes never shows the answer.
pub(super) async fn drain(body: Body, limit: u64) {
    let mut stream = body.into_data_stream();
    let throw = async {
        let mut thrown = 0;
        while let Some(Ok(piece)) = stream.next().await {
            thrown += piece.len() as u64;
            if thrown > limit {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME, throw).await;
}

/// A file that bytes come into; one that nobody can continue goes when it is dropped.
pub(super) struct OnDisk {
    path: std::path::PathBuf,
    passing: bool,
}

impl OnDisk {
    pub(super) fn new(path: std::path::PathBuf, passing: bool) -> Self {
        Self { path, passing }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it: its bytes are elsewhere.
    pub(super) fn remove(mut self) {
        self.passing = true;
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        if !self.passing {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            if error.kind() != std::io::ErrorKind::NotFound {
                tracing::warn!(file = %self.path.display(), %error, "an upload could not be removed");
            }
        }
    }
}
