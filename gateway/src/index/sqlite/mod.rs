//! The index in SQLite: one writer, several readers that never wait for it (WAL).

mod ranks;
mod read;
mod schema;
mod write;

use super::storage::StorageError;
use openledger_client::blocks::Block;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections that read at the same time. Whoever asks when all are taken waits.
pub const READERS: usize = 4;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 128;
/// How long one connection waits for another: writers are one, so that this is for checkpoints.
const PATIENCE: Duration = Duration::from_secs(10);

/// The index in SQLite.
pub struct Sqlite {
    writer: Mutex<Connection>,
    /// Whether what only helps readers is left out.
    bulk: AtomicBool,
    readers: Vec<Mutex<Connection>>,
}

fn locked(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A panic under this lock rolled its transaction back.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sqlite {
    /// Opens or makes the database of a chain.
    ///
    /// # Errors
    ///
    /// [`StorageError::Foreign`] for a database of another version.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        remove_earlier(path)?;
        let writer = Connection::open(path)?;
        prepare(&writer)?;
        // Readers never wait, and a block that was written survives the end of the process. What the
        // machine loses with its power is indexed again.
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        // Catching up writes much: pages that change again and again are carried over less often.
        writer.pragma_update(None, "cache_size", -65_536)?;
        writer.pragma_update(None, "wal_autocheckpoint", 8_192)?;
        let version = version_of(&writer)?;
        match version {
            // Makes the indexes that a bulk write that was killed left out.
            Some(version) if version == schema::VERSION.to_string() => {
                writer.execute_batch(schema::SCHEMA)?
            }
            Some(version) => {
                return Err(StorageError::Foreign(format!(
                "{} holds an index of version {version}, this program writes version {}; move it \
                     away and the index is made anew from the chain",
                path.display(),
                schema::VERSION
            )))
            }
            None => {
                let sql = format!(
                    "BEGIN; {} INSERT INTO meta VALUES('version', '{}'); COMMIT;",
                    schema::SCHEMA,
                    schema::VERSION
                );
                writer.execute_batch(&sql)?;
            }
        }
        let mut readers = Vec::new();
        for _ in 0..READERS {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let reader = Connection::open_with_flags(path, flags)?;
            prepare(&reader)?;
            readers.push(Mutex::new(reader));
        }
        ranks::cut_all(&writer)?;
        let bulk = AtomicBool::new(false);
        Ok(Self { writer: Mutex::new(writer), bulk, readers })
    }

    /// Any connection that is free, or else the first: the index lets in no more readers than there are.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        let free = self.readers.iter().find_map(|reader| reader.try_lock().ok());
        free.unwrap_or_else(|| locked(&self.readers[0]))
    }

    fn write(&self, blocks: &[Block]) -> Result<(), StorageError> {
        let mut connection = locked(&self.writer);
        let tx = connection.transaction()?;
        let mut last: Option<(u32, String)> = tx
            .prepare_cached("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let batch = write::Batch::new(&tx, self.bulk.load(Ordering::Relaxed));
        for block in blocks {
            let (number, expected) = match last {
                Some((number, hash)) => (number.saturating_add(1), hash),
                None => (0, hex::encode([0; 32])),
            };
            let parent = hex::encode(block.parent.0);
            if block.number != number || parent != expected {
                return Err(StorageError::Parent { number: block.number, parent, expected });
            }
            write::Writer::new(&batch, block).write()?;
            last = Some((block.number, hex::encode(block.hash.0)));
        }
        batch.finish()?;
        tx.commit()?;
        Ok(())
    }

    /// Leaves out what only readers need: made at once at the end, indexes cost a fraction of what they cost
    /// row by row.
    fn set_bulk(&self, on: bool) -> Result<(), StorageError> {
        let connection = locked(&self.writer);
        self.bulk.store(on, Ordering::Relaxed);
        if !on {
            connection.execute_batch(schema::SCHEMA)?;
            return ranks::cut_all(&connection);
        }
        ranks::forget(&connection)?;
        let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
        let mut statement = connection.prepare(sql)?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        for name in names.collect::<Result<Vec<_>, _>>()? {
            connection.execute_batch(&format!("DROP INDEX {name}"))?;
        }
        Ok(())
    }

    /// Every row of every table in order, as text: two indexes of the same chain give the same.
    ///
    /// # Errors
    ///
    /// What SQLite answers.
    pub fn dump(&self) -> Result<String, StorageError> {
        let connection = self.reader();
        let mut text = String::new();
        for table in schema::TABLES {
            let _ = writeln!(text, "-- {table}");
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
            let columns = statement.column_count();
            let mut lines = Vec::new();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut line = String::new();
                for column in 0..columns {
                    let _ = write!(line, "{:?}|", row.get_ref(column)?);
                }
                lines.push(line);
            }
            lines.sort();
            text.extend(lines.into_iter().map(|line| line + "\n"));
        }
        Ok(text)
    }
}

fn prepare(connection: &Connection) -> Result<(), StorageError> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -16_384)?;
    Ok(())
}

/// The version of an index's tables; none where there are none.
fn version_of(connection: &Connection) -> Result<Option<String>, StorageError> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE name = 'meta'";
    if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(None);
    }
    let mut statement = connection.prepare("SELECT value FROM meta WHERE key = 'version'")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Removes an index of an earlier version: whatever is in it comes from the chain again.
fn remove_earlier(path: &Path) -> Result<(), StorageError> {
    if !path.exists() {
        return Ok(());
    }
    let connection = Connection::open(path)?;
    let version = version_of(&connection)?;
    drop(connection);
    let earlier = version.as_deref().and_then(|version| version.parse::<u32>().ok());
    if earlier.is_none_or(|version| version >= schema::VERSION) {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), version, "the index of an earlier version is made anew");
    for ending in ["-wal", "-shm", ""] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let what = format!("{} cannot be removed: {error}", path.display());
                return Err(StorageError::Foreign(what));
            }
            _ => {}
        }
    }
    Ok(())
}
