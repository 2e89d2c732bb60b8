//! Databases on disk: several processes may use one at once, and what was written survives a process that is
//! killed and a machine that loses its power.

use crate::{Error, Result};
use rusqlite::Connection;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long one process waits for another's write.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a database that another process opens just now is opened again.
const BUSY_TRIES: u32 = 100;
/// Pause before.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// A database.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Database {
    /// Opens a database of `version`, or makes it by `schema`.
    ///
    /// One of another version, or that is damaged, is made anew if it can be made again from elsewhere
    /// (`again`), and is an error if it cannot.
    pub(crate) fn open(path: &Path, version: u32, schema: &str, again: bool) -> Result<Self> {
        if let Some(folder) = path.parent() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            let failed = |source| Error::Io { path: folder.to_owned(), source };
            builder.create(folder).map_err(failed)?;
        }
        let mut opened = prepare(path, version, schema);
        // To switch to WAL a process needs the file for itself, and does not wait for it.
        for _ in 0..BUSY_TRIES {
            if !opened.as_ref().is_err_and(is_busy) {
                break;
            }
            std::thread::sleep(BUSY_PAUSE);
            opened = prepare(path, version, schema);
        }
        if again && opened.as_ref().is_err_and(is_lost) {
            remove(path)?;
            opened = prepare(path, version, schema);
        }
        let failed = |source| Error::Database { path: path.to_owned(), source };
        Ok(Self { path: path.to_owned(), connection: Mutex::new(opened.map_err(failed)?) })
    }

    /// Does something with the connection.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let mut connection = self.lock();
        work(&mut connection).map_err(|source| Error::Database { path: self.path.clone(), source })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic under this lock rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(path: &Path, version: u32, schema: &str) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        0 => {
            tx.execute_batch(schema)?;
            tx.pragma_update(None, "user_version", version)?;
        }
        found if found == version => {}
        _ => return Err(other_version()),
    }
    tx.commit()?;
    Ok(connection)
}

/// What a database of another version is: to SQLite, no database.
fn other_version() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
    rusqlite::Error::SqliteFailure(code, Some("it is of another version".to_owned()))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    )
}

fn is_lost(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt)
    )
}

fn remove(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(&name) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Io { path: name.into(), source });
            }
            _ => {}
        }
    }
    Ok(())
}
