//! What has to outlive the process: sessions, claims, blobs, limits of a day, sealed keys.

use crate::error::ApiError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;

/// Written anew where it is not there; a column is never changed, only added.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS sessions(
    token BLOB PRIMARY KEY, account BLOB NOT NULL, opened INTEGER NOT NULL, expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_account ON sessions(account, opened);
-- Room that an account has taken for a file which the chain does not name yet.
CREATE TABLE IF NOT EXISTS claims(
    account BLOB NOT NULL, sha256 BLOB NOT NULL, size INTEGER NOT NULL, made INTEGER NOT NULL,
    PRIMARY KEY(account, sha256)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_sha256 ON claims(sha256);
-- Files in the block store. `uploaded`: given here, and so perhaps the only copy; the others came from
-- peers and may go. `needed`: when the chain, or an upload, last asked for it to be kept.
CREATE TABLE IF NOT EXISTS blobs(
    content TEXT PRIMARY KEY, sha256 BLOB, size INTEGER NOT NULL, uploaded INTEGER NOT NULL,
    needed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blobs_sha256 ON blobs(sha256);
CREATE TABLE IF NOT EXISTS blocks(
    block TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY(block, content)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blocks_content ON blocks(content);
CREATE TABLE IF NOT EXISTS uses(
    kind TEXT NOT NULL, who TEXT NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY(kind, day, who)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vault(
    credential TEXT PRIMARY KEY, access BLOB NOT NULL, sealed BLOB NOT NULL, changed INTEGER NOT NULL
) WITHOUT ROWID;
-- Files that the gateway itself keeps for readers, though the chain does not name them.
CREATE TABLE IF NOT EXISTS published(
    content TEXT PRIMARY KEY, sha256 BLOB NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Lines of `uses` of one day, at most: more addresses than that in a day are turned away.
const MAX_USES: i64 = 200_000;

/// The database; clones are the same one.
#[derive(Clone)]
pub struct Database {
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    /// Opens or makes the database.
    ///
    /// # Errors
    ///
    /// What SQLite answers.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        Self::with_tables(path, SCHEMA)
    }

    /// Opens or makes a database with other tables.
    ///
    /// # Errors
    ///
    /// What SQLite answers.
    pub(crate) fn with_tables(path: &Path, tables: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(tables)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Does something with it on this thread: at the start of the program.
    ///
    /// # Errors
    ///
    /// What SQLite answers.
    pub(crate) fn run_here<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        work(&mut self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something with it, away from the threads that answer requests.
    ///
    /// # Errors
    ///
    /// 507 where the disk is full, 500.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let connection = self.connection.clone();
        let done = tokio::task::spawn_blocking(move || {
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(ApiError::database("the gateway's database", &error)),
            Err(error) => Err(ApiError::internal("the gateway's database", &error)),
        }
    }

    /// Counts one more use of something by somebody today; `false` where `limit` was reached before.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn count(
        &self,
        kind: &'static str,
        who: String,
        limit: u32,
    ) -> Result<bool, ApiError> {
        self.run(move |db| {
            let transaction = db.transaction()?;
            let day = now() / DAY;
            let used: i64 = transaction
                .query_row(
                    "SELECT count FROM uses WHERE kind = ?1 AND who = ?2 AND day = ?3",
                    (kind, &who, day),
                    |row| row.get(0),
                )
                .or_else(none_is(0))?;
            if used >= i64::from(limit) {
                return Ok(false);
            }
            if used == 0 {
                transaction.execute("DELETE FROM uses WHERE day < ?1", [day])?;
                let lines: i64 =
                    transaction.query_row("SELECT count(*) FROM uses", [], |row| row.get(0))?;
                if lines >= MAX_USES {
                    return Ok(false);
                }
            }
            transaction.execute(
                "INSERT INTO uses VALUES(?1, ?2, ?3, 1)
                 ON CONFLICT(kind, day, who) DO UPDATE SET count = count + 1",
                (kind, &who, day),
            )?;
            transaction.commit()?;
            Ok(true)
        })
        .await
    }

    /// Takes a use back that [`count`](Self::count) counted and that came to nothing.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn uncount(&self, kind: &'static str, who: String) -> Result<(), ApiError> {
        self.run(move |db| {
            let sql = "UPDATE uses SET count = max(count - 1, 0) WHERE kind = ?1 AND who = ?2 AND day = ?3";
            db.execute(sql, (kind, who, now() / DAY)).map(drop)
        })
        .await
    }
}

/// A number of bytes or lines, which SQLite keeps with a sign.
pub fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(|number: i64| u64::try_from(number).unwrap_or(0))
}

/// The same as it is kept.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What a query without a row stands for.
pub fn none_is<T>(value: T) -> impl FnOnce(rusqlite::Error) -> rusqlite::Result<T> {
    move |error| match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(value),
        other => Err(other),
    }
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
}
