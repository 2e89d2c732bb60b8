//! The file that metrics are kept in: SQLite, one connection that writes and a few that read.

use openledger_client::metrics::{Batch, Entry, Seen};
use openledger_client::{AccountId, H256};
use openledger_primitives::JobId;
use rusqlite::{params, Connection, OptionalExtension, TransactionBehavior};
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use utoipa::ToSchema;

/// The layout of the file. Another one is refused by name rather than read wrongly.
const VERSION: i64 = 1;
/// Connections that read.
const READERS: usize = 4;
/// How long one connection waits for another.
const BUSY: Duration = Duration::from_secs(5);

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS attempts (
        job INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        account BLOB NOT NULL,
        next INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        dropped INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        PRIMARY KEY (job, attempt)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS attempts_by_age ON attempts (updated);
    -- Numbers are never given twice, so that a reader's place stays right.
    CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        job INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        at INTEGER NOT NULL,
        seen TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS entries_of_job ON entries (job, id);
";

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of one attempt.
    pub entries: u64,
    /// Bytes of one attempt.
    pub bytes: u64,
    /// Bytes of all; beyond them the attempts that were silent longest are removed.
    pub all: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 32 << 20, all: 2 << 30 }
    }
}

/// Why metrics could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite.
    #[error("the metrics' file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A folder.
    #[error("the metrics' folder: {0}")]
    Folder(std::io::Error),
    /// Of another chain, or of another version of the gateway.
    #[error("{path} {what}; move it away to begin a new one")]
    Foreign {
        /// The file.
        path: String,
        /// What it is.
        what: String,
    },
    /// What is kept is damaged.
    #[error("an entry cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is kept; the next number.
    Kept(u64),
    /// It has another number than the next one.
    OutOfOrder(u64),
    /// The attempt has as much as is kept of one.
    Full,
    /// The attempt is another account's.
    Foreign,
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// Its number among all entries, for `after` and `Last-Event-ID`.
    pub id: u64,
    /// The attempt that it is of.
    pub attempt: u8,
    /// The worker's clock, milliseconds since 1970.
    pub at: u64,
    /// `kind` is begun, resumed, step, evaluated or log; the rest depends on it (docs/live.md).
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub seen: Seen,
}

/// An attempt that something is kept of.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its number: how many workers gave the job up before.
    pub attempt: u8,
    /// The account that signed all of it, SS58.
    #[schema(value_type = String)]
    pub account: AccountId,
    /// Entries that are kept.
    pub entries: u64,
    /// Entries that the worker could not send in time.
    pub dropped: u64,
    /// When the last batch came, milliseconds since 1970.
    pub updated_at: u64,
}

/// The metrics of all jobs.
pub struct Store {
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
    limits: Limits,
    /// Of all attempts together.
    bytes: AtomicU64,
    newest: watch::Sender<u64>,
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A job's number as SQLite keeps it; one that is larger than any there can be has nothing.
fn key(job: JobId) -> i64 {
    i64::try_from(job).unwrap_or(-1)
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A panic in between left no transaction open: its guard rolled it back.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What a loss of power takes is told again by nobody, and missed by nobody but a curve's end.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    Ok(connection)
}

impl Store {
    /// Opens the file, or begins it.
    ///
    /// # Errors
    ///
    /// [`StoreError`], also for a file of another chain.
    pub fn open(path: &Path, genesis: H256, limits: Limits) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(StoreError::Folder)?;
        }
        let writer = connect(path)?;
        let version: i64 = writer.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let foreign = |what: String| StoreError::Foreign { path: path.display().to_string(), what };
        if version != 0 && version != VERSION {
            return Err(foreign(format!("has the layout {version}, this gateway {VERSION}")));
        }
        writer.execute_batch(TABLES)?;
        writer.execute_batch("CREATE TABLE IF NOT EXISTS chain (genesis BLOB NOT NULL)")?;
        let chain: Option<Vec<u8>> =
            writer.query_row("SELECT genesis FROM chain", [], |row| row.get(0)).optional()?;
        match chain {
            None => {
                writer.execute("INSERT INTO chain VALUES (?1)", params![genesis.0.as_slice()])?;
            }
            Some(chain) if chain == genesis.0 => {}
            Some(chain) => {
                return Err(foreign(format!("is of the chain {}", hex::encode(chain))));
            }
        }
        writer.pragma_update(None, "user_version", VERSION)?;
        let newest: Option<u64> =
            writer.query_row("SELECT max(id) FROM entries", [], |row| row.get(0))?;
        let bytes: u64 =
            writer
                .query_row("SELECT coalesce(sum(bytes), 0) FROM attempts", [], |row| row.get(0))?;
        let readers = (0..READERS).map(|_| connect(path).map(Mutex::new));
        Ok(Self {
            readers: readers.collect::<Result<_, _>>()?,
            writer: Mutex::new(writer),
            turn: AtomicUsize::new(0),
            limits,
            bytes: AtomicU64::new(bytes),
            newest: watch::channel(newest.unwrap_or(0)).0,
        })
    }

    /// Changes whenever something is kept.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        lock(self.readers.get(turn % READERS).unwrap_or(&self.writer))
    }

    /// Keeps a batch if its number is the next one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`].
    pub fn take(
        &self,
        job: JobId,
        attempt: u8,
        account: AccountId,
        number: u64,
        batch: &Batch,
    ) -> Result<Taken, StoreError> {
        let mut writer = lock(&self.writer);
        let work = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = work
            .query_row(
                "SELECT account, next, entries, bytes FROM attempts WHERE job = ?1 AND attempt = ?2",
                params![key(job), attempt],
                |row| {
                    let account: Vec<u8> = row.get(0)?;
                    Ok((account, row.get::<_, u64>(1)?, row.get::<_, u64>(2)?, row.get::<_, u64>(3)?))
                },
            )
            .optional()?;
        let (owner, next, entries, bytes) = before.unwrap_or_else(|| (account.0.to_vec(), 0, 0, 0));
        if owner != account.0 {
            return Ok(Taken::Foreign);
        }
        if number != next {
            return Ok(Taken::OutOfOrder(next));
        }
        let mut texts = Vec::with_capacity(batch.entries.len());
        for Entry { at, seen } in &batch.entries {
            texts.push((*at, serde_json::to_string(seen)?));
        }
        let more: usize = texts.iter().map(|(_, text)| text.len()).sum();
        let (entries, bytes) = (entries + texts.len() as u64, bytes + more as u64);
        if entries > self.limits.entries || bytes > self.limits.bytes {
            return Ok(Taken::Full);
        }
        {
            let mut insert = work.prepare_cached(
                "INSERT INTO entries (job, attempt, at, seen) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (at, text) in &texts {
                // SQLite's integers are signed; no clock is there yet.
                insert.execute(params![key(job), attempt, at & (u64::MAX >> 1), text])?;
            }
        }
        let newest = work.last_insert_rowid();
        work.execute(
            "INSERT INTO attempts (job, attempt, account, next, entries, bytes, dropped, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (job, attempt) DO UPDATE SET
                next = ?4, entries = ?5, bytes = ?6, dropped = ?7, updated = ?8",
            params![
                key(job),
                attempt,
                account.0.as_slice(),
                next + 1,
                entries,
                bytes,
                batch.dropped & (u64::MAX >> 1),
                now()
            ],
        )?;
        work.commit()?;
        self.bytes.fetch_add(more as u64, Ordering::Relaxed);
        self.forget(&mut writer)?;
        drop(writer);
        self.newest.send_replace(newest.unsigned_abs());
        Ok(Taken::Kept(next + 1))
    }

    /// Removes the attempts that were silent longest while all together are more than is kept.
    fn forget(&self, writer: &mut Connection) -> Result<(), StoreError> {
        while self.bytes.load(Ordering::Relaxed) > self.limits.all {
            let work = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let oldest: Option<(JobId, u8, u64)> = work
                .query_row(
                    "SELECT job, attempt, bytes FROM attempts ORDER BY updated LIMIT 1",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            let Some((job, attempt, bytes)) = oldest else { return Ok(()) };
            for table in ["entries", "attempts"] {
                let delete = format!("DELETE FROM {table} WHERE job = ?1 AND attempt = ?2");
                work.execute(&delete, params![key(job), attempt])?;
            }
            work.commit()?;
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            writer.execute_batch("PRAGMA incremental_vacuum")?;
            tracing::info!(
                job,
                attempt,
                "the oldest metrics are removed: all together are too many"
            );
        }
        Ok(())
    }

    /// At most `limit` entries of a job after the number `after`, of one attempt or of all.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn entries(
        &self,
        job: JobId,
        attempt: Option<u8>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Kept>, StoreError> {
        let reader = self.reader();
        let mut select = reader.prepare_cached(
            "SELECT id, attempt, at, seen FROM entries
             WHERE job = ?1 AND id > ?2 AND (?3 IS NULL OR attempt = ?3) ORDER BY id LIMIT ?4",
        )?;
        let after = after.min(i64::MAX.unsigned_abs());
        let mut rows = select.query(params![key(job), after, attempt, limit])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let seen: String = row.get(3)?;
            let seen = serde_json::from_str(&seen)?;
            entries.push(Kept { id: row.get(0)?, attempt: row.get(1)?, at: row.get(2)?, seen });
        }
        Ok(entries)
    }

    /// The attempts at a job that something is kept of.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn attempts(&self, job: JobId) -> Result<Vec<Attempt>, StoreError> {
        let reader = self.reader();
        let mut select = reader.prepare_cached(
            "SELECT attempt, account, entries, dropped, updated FROM attempts
             WHERE job = ?1 ORDER BY attempt",
        )?;
        let rows = select.query_map(params![key(job)], |row| {
            let account: [u8; 32] = row.get(1)?;
            Ok(Attempt {
                attempt: row.get(0)?,
                account: AccountId::from(account),
                entries: row.get(2)?,
                dropped: row.get(3)?,
                updated_at: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
