//! The index in SQLite: one writer, several readers that never wait for it (WAL).

mod read;
mod schema;
mod write;

use super::storage::StorageError;
use openledger_client::blocks::Block;
use rusqlite::{params, Connection, OpenFlags, OptionalExtension};
use std::fmt::Write;
use std::path::Path;
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
        let writer = Connection::open(path)?;
        prepare(&writer)?;
        // Readers never wait, and a block that was written survives the end of the process. What the
        // machine loses with its power is indexed again.
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        // Catching up writes much: pages that change again and again are carried over less often.
        writer.pragma_update(None, "cache_size", -65_536)?;
        writer.pragma_update(None, "wal_autocheckpoint", 8_192)?;
        let version: Option<String> = match has_meta(&writer)? {
            true => meta(&writer, "version")?,
            false => None,
        };
        match version {
            // Makes the indexes that a bulk write that was killed left out.
            Some(version) if version == schema::VERSION => writer.execute_batch(schema::SCHEMA)?,
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
        Ok(Self { writer: Mutex::new(writer), readers })
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
        let batch = write::Batch::new(&tx);
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
        if !on {
            return Ok(connection.execute_batch(schema::SCHEMA)?);
        }
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

fn has_meta(connection: &Connection) -> Result<bool, StorageError> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE name = 'meta'";
    Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))? > 0)
}

fn meta(connection: &Connection, key: &str) -> Result<Option<String>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
    Ok(statement.query_row(params![key], |row| row.get(0)).optional()?)
}
