//! What somebody who challenges by program remembers over restarts: what it challenged, why, and what came of it.
//!
//! That a verdict is challenged stands on the chain; what was sent and is not there yet only here, so it is written before it
//! is sent.

use crate::{sqlite::Database, Fault, Result};
use openledger_primitives::{
    committee::{Bond, DrawId, Outcome},
    ClosedList, DatanetId, SubmissionId,
};
use rusqlite::{params, OptionalExtension, Row};
use std::path::Path;

/// Version of the tables.
const VERSION: u32 = 1;

const SCHEMA: &str = "
CREATE TABLE challenges(
    draw INTEGER NOT NULL,
    file INTEGER NOT NULL,
    submission INTEGER NOT NULL,
    datanet INTEGER NOT NULL,
    fault TEXT NOT NULL,
    why TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    larger INTEGER,
    outcome INTEGER,
    gained TEXT NOT NULL DEFAULT '0',
    PRIMARY KEY(draw, file)
) WITHOUT ROWID;
CREATE TABLE sums(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";

const COLUMNS: &str =
    "draw, file, submission, datanet, fault, why, sent_at, larger, outcome, gained";

/// A challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The draw whose verdict is challenged.
    pub draw: DrawId,
    /// The file's place in it.
    pub file: u8,
    /// Its submission.
    pub submission: SubmissionId,
    /// Its Datanet.
    pub datanet: DatanetId,
    /// [`Fault::name`].
    pub fault: String,
    /// [`Fault::why`].
    pub why: String,
    /// The block at which it was sent.
    pub sent_at: u32,
    /// The draw of the larger committee; `None` until it is known to be in a block.
    pub larger: Option<DrawId>,
    /// How it ended, final; `None` until then.
    pub outcome: Option<Outcome>,
    /// Plancks that it brought beside the bond.
    pub gained: u128,
}

impl Challenge {
    /// One that is about to be sent.
    pub fn new(
        (draw, file): (DrawId, u8),
        datanet: DatanetId,
        submission: SubmissionId,
        fault: &Fault,
        sent_at: u32,
    ) -> Self {
        let (fault, why) = (fault.name().to_owned(), fault.why());
        let (larger, outcome, gained) = (None, None, 0);
        Self { draw, file, submission, datanet, fault, why, sent_at, larger, outcome, gained }
    }
}

/// What final blocks say of what was challenged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file has left a draw.
    Ended(DrawId, SubmissionId, Outcome),
    /// The challenger was paid plancks, by the draw that it challenged.
    Paid(DrawId, SubmissionId, u128),
}

/// How many challenges, and what they brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All that were sent and came into a block.
    pub challenges: u64,
    /// Those that the larger committee bore out.
    pub won: u64,
    /// Those that lost their bond.
    pub lost: u64,
    /// Plancks that they brought beside their bonds.
    pub gained: u128,
    /// Acceptances that were looked at.
    pub looked_at: u64,
}

/// The database of one account on one chain.
#[derive(Debug)]
pub struct Challenges {
    database: Database,
}

impl Challenges {
    /// Opens or makes it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Database`](crate::Error::Database).
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { database: Database::open(path, VERSION, SCHEMA, false)? })
    }

    /// Remembers what is about to be sent, in the place of what was sent before of the same file.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), as everything below.
    pub fn send(&self, challenge: &Challenge) -> Result<()> {
        self.database.with(|connection| {
            let sql = "INSERT OR REPLACE INTO challenges(draw, file, submission, datanet, fault, why, sent_at)
                       VALUES(?, ?, ?, ?, ?, ?, ?)";
            let Challenge { draw, file, submission, datanet, fault, why, sent_at, .. } = challenge;
            connection
                .prepare_cached(sql)?
                .execute(params![draw, file, submission, datanet, fault, why, sent_at])
                .map(drop)
        })
    }

    /// It is in a block: a larger committee judges it.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn stands(&self, draw: DrawId, file: u8, larger: DrawId) -> Result<()> {
        self.database.with(|connection| {
            let sql = "UPDATE challenges SET larger = ? WHERE draw = ? AND file = ?";
            connection.prepare_cached(sql)?.execute(params![larger, draw, file]).map(drop)
        })
    }

    /// What was sent of a file.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn find(&self, draw: DrawId, file: u8) -> Result<Option<Challenge>> {
        self.database.with(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM challenges WHERE draw = ? AND file = ?");
            connection.prepare_cached(&sql)?.query_row(params![draw, file], read).optional()
        })
    }

    /// Those in a block that have not ended.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn open_ones(&self) -> Result<Vec<Challenge>> {
        self.database.with(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM challenges WHERE larger IS NOT NULL AND outcome IS NULL"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([], read)?;
            rows.collect()
        })
    }

    /// Takes what final blocks up to `block` say, all of it or none. Answers the challenges that ended by it.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn read(&self, events: &[Event], block: u32) -> Result<Vec<Challenge>> {
        self.database.with(|connection| {
            let tx = connection.transaction()?;
            let mut ended = Vec::new();
            for event in events {
                let (Event::Ended(draw, submission, _) | Event::Paid(draw, submission, _)) = *event;
                let sql = format!(
                    "SELECT {COLUMNS} FROM challenges
                     WHERE draw = ? AND submission = ? AND larger IS NOT NULL"
                );
                let found = tx.prepare_cached(&sql)?.query_row(params![draw, submission], read);
                let Some(found) = found.optional()? else { continue };
                let (draw, file) = (found.draw, found.file);
                match event {
                    Event::Ended(_, _, outcome) => {
                        let sql = "UPDATE challenges SET outcome = ? WHERE draw = ? AND file = ?";
                        tx.prepare_cached(sql)?.execute(params![outcome.code(), draw, file])?;
                        ended.push((draw, file));
                    }
                    Event::Paid(_, _, amount) => {
                        let gained = found.gained.saturating_add(*amount).to_string();
                        let sql = "UPDATE challenges SET gained = ? WHERE draw = ? AND file = ?";
                        tx.prepare_cached(sql)?.execute(params![gained, draw, file])?;
                    }
                }
            }
            let sql = format!("SELECT {COLUMNS} FROM challenges WHERE draw = ? AND file = ?");
            let ended = ended
                .iter()
                .map(|(draw, file)| tx.prepare_cached(&sql)?.query_row(params![draw, file], read))
                .collect::<rusqlite::Result<_>>()?;
            tx.execute("INSERT OR REPLACE INTO sums VALUES('block', ?)", [block])?;
            tx.commit()?;
            Ok(ended)
        })
    }

    /// The block up to which events were read; `None` before the first time.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn block(&self) -> Result<Option<u32>> {
        self.database.with(|connection| {
            let sql = "SELECT value FROM sums WHERE name = 'block'";
            connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
        })
    }

    /// Counts an acceptance that was looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn looked_at(&self) -> Result<()> {
        self.database.with(|connection| {
            let sql = "INSERT INTO sums VALUES('looked_at', 1)
                       ON CONFLICT(name) DO UPDATE SET value = value + 1";
            connection.prepare_cached(sql)?.execute([]).map(drop)
        })
    }

    /// How many, and what they brought.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn totals(&self) -> Result<Totals> {
        self.database.with(|connection| {
            let sql = "SELECT value FROM sums WHERE name = 'looked_at'";
            let looked_at =
                connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
            let mut totals =
                Totals { looked_at: looked_at.unwrap_or_default(), ..Totals::default() };
            let sql = format!("SELECT {COLUMNS} FROM challenges WHERE larger IS NOT NULL");
            let mut statement = connection.prepare_cached(&sql)?;
            for challenge in statement.query_map([], read)? {
                let Challenge { outcome, gained, .. } = challenge?;
                totals.challenges = totals.challenges.saturating_add(1);
                totals.gained = totals.gained.saturating_add(gained);
                match outcome.map(Outcome::bond) {
                    Some(Bond::Rewarded) => totals.won = totals.won.saturating_add(1),
                    Some(Bond::Lost) => totals.lost = totals.lost.saturating_add(1),
                    _ => {}
                }
            }
            Ok(totals)
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Challenge> {
    let outcome: Option<u8> = row.get("outcome")?;
    let gained: String = row.get("gained")?;
    Ok(Challenge {
        draw: row.get("draw")?,
        file: row.get("file")?,
        submission: row.get("submission")?,
        datanet: row.get("datanet")?,
        fault: row.get("fault")?,
        why: row.get("why")?,
        sent_at: row.get("sent_at")?,
        larger: row.get("larger")?,
        outcome: outcome.and_then(Outcome::of_code),
        gained: gained.parse().unwrap_or(0),
    })
}
