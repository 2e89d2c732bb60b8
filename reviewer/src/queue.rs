//! What waits for a person's word, and what a reviewer remembers over restarts: tries to fetch, and sums.
//!
//! The program that judges and the one in which a person votes are two processes on one database.

use crate::{index::Nearest, policy::Word, sqlite::Database, Result, Same};
use openledger_primitives::{
    committee::DrawId, ClosedList, ContentId, DatanetId, FileHash, MediaType, SubmissionId,
};
use rusqlite::{params, OptionalExtension, Row};
use std::path::Path;

/// Version of the tables.
const VERSION: u32 = 1;

const SCHEMA: &str = "
CREATE TABLE waiting(
    submission INTEGER PRIMARY KEY,
    draw INTEGER NOT NULL,
    datanet INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    content TEXT NOT NULL,
    size INTEGER NOT NULL,
    media INTEGER NOT NULL,
    units INTEGER NOT NULL,
    why TEXT NOT NULL,
    by_block INTEGER NOT NULL,
    nearest INTEGER,
    nearest_sha256 BLOB,
    alike REAL,
    same INTEGER,
    word TEXT
);
CREATE TABLE tries(
    draw INTEGER NOT NULL,
    submission INTEGER NOT NULL,
    since INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY(draw, submission)
) WITHOUT ROWID;
CREATE TABLE pins(
    sha256 BLOB PRIMARY KEY,
    content TEXT NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE sums(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE missed(draw INTEGER PRIMARY KEY);
";

/// A file that waits for a person's word.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its submission.
    pub submission: SubmissionId,
    /// The draw that it is judged in.
    pub draw: DrawId,
    /// Its Datanet.
    pub datanet: DatanetId,
    /// sha2-256 of the flat bytes.
    pub sha256: FileHash,
    /// The file on IPFS.
    pub content: ContentId,
    /// Flat bytes.
    pub size: u32,
    /// Its format.
    pub media: MediaType,
    /// Its units.
    pub units: u64,
    /// Why a person is asked.
    pub why: String,
    /// The block in which the word is needed at last.
    pub by_block: u32,
    /// The file that it is most like.
    pub nearest: Option<Nearest>,
    /// The word, once there is one.
    pub word: Option<Word>,
}

/// What is summed up. Each has one value for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Commitments that were sent.
    Commits,
    /// Reveals that were sent.
    Reveals,
    /// Plancks that were paid.
    Earned,
    /// Plancks that seats lost.
    Lost,
    /// The block up to which payments were read.
    Block,
}

impl Sum {
    fn name(self) -> &'static str {
        match self {
            Self::Commits => "commits",
            Self::Reveals => "reveals",
            Self::Earned => "earned",
            Self::Lost => "lost",
            Self::Block => "block",
        }
    }
}

/// How often a file could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// The block at which it was asked for first.
    pub since: u32,
    /// How often it did not come.
    pub failed: u32,
}

/// The database of one account on one chain.
#[derive(Debug)]
pub struct Queue {
    database: Database,
}

impl Queue {
    /// Opens or makes it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Database`](crate::Error::Database).
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { database: Database::open(path, VERSION, SCHEMA, false)? })
    }

    /// Asks a person. A word that was given of the submission stays.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), as everything below.
    pub fn ask(&self, file: &Waiting) -> Result<()> {
        let nearest = file.nearest;
        self.database.with(|connection| {
            let sql = "INSERT INTO waiting VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)
                       ON CONFLICT(submission) DO UPDATE SET draw = excluded.draw, why = excluded.why,
                           by_block = excluded.by_block, nearest = excluded.nearest,
                           nearest_sha256 = excluded.nearest_sha256, alike = excluded.alike,
                           same = excluded.same";
            let same = nearest.map(|nearest| match nearest.same {
                Same::Bytes => 0,
                Same::Text => 1,
                Same::Likeness => 2,
            });
            connection.prepare_cached(sql)?.execute(params![
                file.submission,
                file.draw,
                file.datanet,
                file.sha256,
                file.content.to_string(),
                file.size,
                file.media.code(),
                file.units,
                file.why,
                file.by_block,
                nearest.map(|nearest| nearest.submission),
                nearest.map(|nearest| nearest.sha256),
                nearest.map(|nearest| nearest.alike),
                same,
            ])?;
            Ok(())
        })
    }

    /// Everything a person is asked, the most urgent first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn waiting(&self) -> Result<Vec<Waiting>> {
        self.database.with(|connection| {
            let sql = "SELECT * FROM waiting ORDER BY by_block, submission";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], waiting_of)?;
            rows.collect()
        })
    }

    /// What a person is asked of a submission.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn find(&self, submission: SubmissionId) -> Result<Option<Waiting>> {
        self.database.with(|connection| {
            let sql = "SELECT * FROM waiting WHERE submission = ?";
            connection.prepare_cached(sql)?.query_row([submission], waiting_of).optional()
        })
    }

    /// A person's word. Whether anybody asked.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn answer(&self, submission: SubmissionId, word: Word) -> Result<bool> {
        self.database.with(|connection| {
            let sql = "UPDATE waiting SET word = ? WHERE submission = ?";
            let changed =
                connection.prepare_cached(sql)?.execute(params![word.to_text(), submission])?;
            Ok(changed > 0)
        })
    }

    /// Forgets a person's word: what it was asked is another question by now.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn withdraw(&self, submission: SubmissionId) -> Result<()> {
        self.database.with(|connection| {
            let sql = "UPDATE waiting SET word = NULL WHERE submission = ?";
            connection.prepare_cached(sql)?.execute([submission]).map(drop)
        })
    }

    /// Forgets what a person was asked in draws that `open` does not name: they are committed to, or over.
    /// And tries of draws before `first`.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn keep_only(&self, open: &[DrawId], first: DrawId) -> Result<()> {
        self.database.with(|connection| {
            let tx = connection.transaction()?;
            let draws: Vec<DrawId> = {
                let mut statement = tx.prepare_cached("SELECT DISTINCT draw FROM waiting")?;
                let rows = statement.query_map([], |row| row.get(0))?;
                rows.collect::<rusqlite::Result<_>>()?
            };
            for draw in draws.iter().filter(|draw| !open.contains(draw)) {
                tx.execute("DELETE FROM waiting WHERE draw = ?", [draw])?;
            }
            tx.execute("DELETE FROM tries WHERE draw < ?", [first])?;
            tx.commit()
        })
    }

    /// How often a file could not be fetched for a draw; `now` is when it was asked for first, if it never was.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn tries(&self, draw: DrawId, submission: SubmissionId, now: u32) -> Result<Tries> {
        self.database.with(|connection| {
            connection
                .prepare_cached("INSERT OR IGNORE INTO tries VALUES(?, ?, ?, 0)")?
                .execute(params![draw, submission, now])?;
            let sql = "SELECT since, failed FROM tries WHERE draw = ? AND submission = ?";
            connection.prepare_cached(sql)?.query_row(params![draw, submission], |row| {
                Ok(Tries { since: row.get(0)?, failed: row.get(1)? })
            })
        })
    }

    /// A file could not be fetched.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn failed(&self, draw: DrawId, submission: SubmissionId) -> Result<()> {
        self.database.with(|connection| {
            let sql = "UPDATE tries SET failed = failed + 1 WHERE draw = ? AND submission = ?";
            connection.prepare_cached(sql)?.execute(params![draw, submission]).map(drop)
        })
    }

    /// Remembers a file to be kept.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn pin(&self, sha256: &FileHash, content: &ContentId, size: u32) -> Result<()> {
        self.database.with(|connection| {
            connection
                .prepare_cached("INSERT OR IGNORE INTO pins VALUES(?, ?, ?)")?
                .execute(params![sha256, content.to_string(), size])
                .map(drop)
        })
    }

    /// The files that are to be kept.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn pins(&self) -> Result<Vec<(FileHash, ContentId, u32)>> {
        let rows: Vec<(FileHash, String, u32)> = self.database.with(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM pins")?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect()
        })?;
        let read = |(sha256, content, size): (FileHash, String, u32)| {
            Some((sha256, content.parse().ok()?, size))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// A sum; 0 where nothing was added.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn sum(&self, sum: Sum) -> Result<u128> {
        let text: Option<String> = self.database.with(|connection| {
            let sql = "SELECT value FROM sums WHERE name = ?";
            connection.prepare_cached(sql)?.query_row([sum.name()], |row| row.get(0)).optional()
        })?;
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Sets sums, all of them or none.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn set_sums(&self, sums: &[(Sum, u128)]) -> Result<()> {
        self.database.with(|connection| {
            let tx = connection.transaction()?;
            for (sum, value) in sums {
                tx.execute(
                    "INSERT OR REPLACE INTO sums VALUES(?, ?)",
                    params![sum.name(), value.to_string()],
                )?;
            }
            tx.commit()
        })
    }

    /// A draw in which this account committed or revealed nothing. Counted once.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn missed(&self, draw: DrawId) -> Result<()> {
        self.database.with(|connection| {
            connection.execute("INSERT OR IGNORE INTO missed VALUES(?)", [draw]).map(drop)
        })
    }

    /// How many draws were missed.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn count_missed(&self) -> Result<u64> {
        self.database.with(|connection| {
            connection.query_row("SELECT COUNT(*) FROM missed", [], |row| row.get(0))
        })
    }
}

fn waiting_of(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let wrong = |column: usize, what: &str| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, what.to_owned().into())
    };
    let content: String = row.get("content")?;
    let media: u8 = row.get("media")?;
    let word: Option<String> = row.get("word")?;
    let nearest: Option<SubmissionId> = row.get("nearest")?;
    let nearest = match nearest {
        None => None,
        Some(submission) => Some(Nearest {
            submission,
            sha256: row.get("nearest_sha256")?,
            alike: row.get("alike")?,
            same: match row.get("same")? {
                0 => Same::Bytes,
                1 => Same::Text,
                _ => Same::Likeness,
            },
        }),
    };
    Ok(Waiting {
        submission: row.get("submission")?,
        draw: row.get("draw")?,
        datanet: row.get("datanet")?,
        sha256: row.get("sha256")?,
        content: content.parse().map_err(|_| wrong(4, "no content id"))?,
        size: row.get("size")?,
        media: MediaType::of_code(media).ok_or_else(|| wrong(6, "no format"))?,
        units: row.get("units")?,
        why: row.get("why")?,
        by_block: row.get("by_block")?,
        nearest,
        word: word.as_deref().and_then(Word::of_text),
    })
}
