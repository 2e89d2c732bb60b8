//! What was accepted in a Datanet, and what of it a file is like.
//!
//! Of every file that was ever looked at the [`Likeness`] is kept, by its sha2-256, of a text all of its letters, and of
//! every Datanet whose files are judged the leaves. Both come from the chain and from files that anyone can fetch, so a database that is
//! damaged, or of another version, is begun anew.
//!
//! # What a file is compared with
//!
//! With what was **submitted to the same Datanet before it**: the leaves of earlier submissions, revoked ones
//! included, and the earlier submissions that had not ended when it was submitted, refused since or not
//! ([`earlier`](crate::earlier)), but for those that are too small to be accepted. Not with what was submitted later,
//! whatever became of it: the larger committee of a challenge, which looks a day later, shall find what the first one
//! found. Files of other Datanets are no duplicates, as the chain takes the same bytes in several.
//!
//! # How
//!
//! The traces of all of them are looked at, about 1 KiB each ([`Likeness::traces`], with a key of this database's own), and the
//! [`CLOSEST`] that promise most are compared with the file itself.

use crate::{sqlite::Database, Earlier, Result};
use openledger_documents::{likeness::LIKENESS_VERSION, Likeness};
use openledger_primitives::{
    ClosedList, ContentId, DatanetId, FileHash, LeafIndex, MediaType, Modality, SubmissionId,
};
use rusqlite::{params, Connection, OptionalExtension, Row};
use std::{collections::BTreeSet, path::Path};

/// Version of the tables; those of another are made anew.
const SCHEMA_VERSION: u32 = 2;
/// Files that one is compared with, of those that may be like it.
pub const CLOSEST: usize = 16;
/// Bytes of likenesses that one is compared with, beyond the first.
const MOST_BYTES: usize = 32 << 20;

const SCHEMA: &str = "
CREATE TABLE files(
    sha256 BLOB PRIMARY KEY,
    modality INTEGER NOT NULL,
    units INTEGER NOT NULL,
    text_root BLOB NOT NULL,
    traces BLOB
) WITHOUT ROWID;
CREATE TABLE likenesses(sha256 BLOB PRIMARY KEY, likeness BLOB NOT NULL);
CREATE TABLE secret AS SELECT random() AS key;
CREATE TABLE leaves(
    datanet INTEGER NOT NULL,
    leaf INTEGER NOT NULL,
    submission INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    text_root BLOB NOT NULL,
    content TEXT NOT NULL,
    size INTEGER NOT NULL,
    media INTEGER NOT NULL,
    PRIMARY KEY(datanet, leaf)
) WITHOUT ROWID;
CREATE INDEX leaves_of_file ON leaves(sha256, datanet);
CREATE INDEX leaves_of_text ON leaves(datanet, text_root);
";

/// A file with a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its position.
    pub leaf: LeafIndex,
    /// The submission that brought it.
    pub submission: SubmissionId,
    /// sha2-256 of the flat bytes.
    pub sha256: FileHash,
    /// Merkle root of its text; zero where it has none.
    pub text_root: [u8; 32],
    /// The file on IPFS.
    pub content: ContentId,
    /// Flat bytes.
    pub size: u32,
    /// Its format.
    pub media: MediaType,
}

/// By what two files are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// Their bytes.
    Bytes,
    /// Their canonical text.
    Text,
    /// What they are compared by, to a degree.
    Likeness,
}

impl Same {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Text => "text",
            Self::Likeness => "likeness",
        }
    }
}

/// The file that another one is most like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// The submission.
    pub submission: SubmissionId,
    /// sha2-256 of the flat bytes.
    pub sha256: FileHash,
    /// How much: 0 to 1.
    pub alike: f64,
    /// By what.
    pub same: Same,
}

/// A file that is compared with others.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The Datanet.
    pub datanet: DatanetId,
    /// Its submission: only earlier ones are looked at.
    pub submission: SubmissionId,
    /// sha2-256 of the flat bytes.
    pub sha256: FileHash,
    /// Merkle root of its text; zero where it has none.
    pub text_root: [u8; 32],
    /// Its format.
    pub media: MediaType,
    /// What is compared; `None` of a text without a word.
    pub likeness: Option<&'a Likeness>,
    /// The least units that its draw takes.
    pub min_units: u64,
}

/// What was found of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// sha2-256 of the flat bytes.
    pub sha256: FileHash,
    /// Its modality.
    pub modality: Modality,
    /// Its units; 0 of one that cannot be read.
    pub units: u64,
    /// Merkle root of its text; zero where it has none.
    pub text_root: [u8; 32],
    /// What is compared; `None` of one that cannot be read, and of a text without a word.
    pub likeness: Option<&'a Likeness>,
}

/// What a file is compared by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Root over its canonical text; zeros where it has none.
    pub text_root: [u8; 32],
    /// What it is compared by; `None` where there is nothing to compare.
    pub likeness: Option<Likeness>,
}

/// The database.
#[derive(Debug)]
pub struct Index {
    database: Database,
}

impl Index {
    /// Opens or makes it; anew where it is damaged or another version's.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Database`](crate::Error::Database).
    pub fn open(path: &Path) -> Result<Self> {
        let version = (SCHEMA_VERSION << 16) | u32::from(LIKENESS_VERSION);
        Ok(Self { database: Database::open(path, version, SCHEMA, true)? })
    }

    /// How many leaves of a Datanet are known.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), as everything below.
    pub fn leaves(&self, datanet: DatanetId) -> Result<u64> {
        self.database.with(|connection| {
            let sql = "SELECT COUNT(*) FROM leaves WHERE datanet = ?";
            connection.prepare_cached(sql)?.query_row([datanet], |row| row.get(0))
        })
    }

    /// The last leaf that is known of a Datanet.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn last_leaf(&self, datanet: DatanetId) -> Result<Option<Leaf>> {
        self.database.with(|connection| {
            let sql = "SELECT leaf, submission, sha256, text_root, content, size, media FROM leaves
                       WHERE datanet = ? ORDER BY leaf DESC LIMIT 1";
            connection.prepare_cached(sql)?.query_row([datanet], leaf_of).optional()
        })
    }

    /// The leaf of a submission to a Datanet.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn leaf_of(&self, datanet: DatanetId, submission: SubmissionId) -> Result<Option<Leaf>> {
        self.database.with(|connection| {
            let sql = "SELECT leaf, submission, sha256, text_root, content, size, media FROM leaves
                       WHERE datanet = ? AND submission = ? LIMIT 1";
            connection
                .prepare_cached(sql)?
                .query_row(params![datanet, submission], leaf_of)
                .optional()
        })
    }

    /// Adds leaves of a Datanet, in the place of those that stood at their positions.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn add_leaves(&self, datanet: DatanetId, leaves: &[Leaf]) -> Result<()> {
        self.database.with(|connection| {
            let tx = connection.transaction()?;
            {
                let sql = "INSERT OR REPLACE INTO leaves VALUES(?, ?, ?, ?, ?, ?, ?, ?)";
                let mut insert = tx.prepare_cached(sql)?;
                for leaf in leaves {
                    insert.execute(params![
                        datanet,
                        leaf.leaf,
                        leaf.submission,
                        leaf.sha256,
                        leaf.text_root,
                        leaf.content.to_string(),
                        leaf.size,
                        leaf.media.code(),
                    ])?;
                }
            }
            tx.commit()
        })
    }

    /// Forgets the leaves of a Datanet: the chain has others. What was found of the files stays.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn forget_leaves(&self, datanet: DatanetId) -> Result<()> {
        self.database.with(|connection| {
            connection.execute("DELETE FROM leaves WHERE datanet = ?", [datanet]).map(drop)
        })
    }

    /// Leaves of a Datanet whose files were not looked at yet, at most `most`, the latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn unknown(&self, datanet: DatanetId, most: u32) -> Result<Vec<Leaf>> {
        self.database.with(|connection| {
            let sql = "SELECT leaf, submission, sha256, text_root, content, size, media FROM leaves
                       WHERE datanet = ? AND NOT EXISTS
                           (SELECT 1 FROM files WHERE files.sha256 = leaves.sha256)
                       ORDER BY leaf DESC LIMIT ?";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![datanet, most], leaf_of)?;
            rows.collect()
        })
    }

    /// The latest submission before a file that it may be a copy of and that was not looked at: one of `others`, or
    /// a leaf of the Datanet, however old.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn missing(
        &self,
        datanet: DatanetId,
        submission: SubmissionId,
        others: impl IntoIterator<Item = Earlier>,
    ) -> Result<Option<SubmissionId>> {
        let mut missing = None;
        for one in others {
            if one.submission < submission && !self.knows(&one.sha256)? {
                missing = missing.max(Some(one.submission));
            }
        }
        self.database.with(|connection| {
            let sql = "SELECT MAX(submission) FROM leaves
                       WHERE datanet = ? AND submission < ?
                       AND NOT EXISTS (SELECT 1 FROM files WHERE files.sha256 = leaves.sha256)";
            let leaf: Option<SubmissionId> = connection
                .prepare_cached(sql)?
                .query_row(params![datanet, submission], |row| row.get(0))?;
            Ok(missing.max(leaf))
        })
    }

    /// The submissions of a Datanet's leaves, from a number on to another, that one not included.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn accepted(
        &self,
        datanet: DatanetId,
        from: SubmissionId,
        before: SubmissionId,
    ) -> Result<BTreeSet<SubmissionId>> {
        self.database.with(|connection| {
            let sql = "SELECT submission FROM leaves
                       WHERE datanet = ? AND submission >= ? AND submission < ?";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![datanet, from, before], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// Whether a file was looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn knows(&self, sha256: &FileHash) -> Result<bool> {
        self.database.with(|connection| {
            let sql = "SELECT EXISTS(SELECT 1 FROM files WHERE sha256 = ?)";
            connection.prepare_cached(sql)?.query_row([sha256], |row| row.get(0))
        })
    }

    /// What a file of this modality is compared by; `None` if it was not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn known(&self, sha256: &FileHash, modality: Modality) -> Result<Option<Known>> {
        self.database.with(|connection| {
            let sql = "SELECT text_root, likeness FROM files LEFT JOIN likenesses USING(sha256)
                       WHERE sha256 = ?";
            let row = |row: &Row<'_>| {
                let bytes: Option<Vec<u8>> = row.get(1)?;
                let likeness = bytes.and_then(|bytes| Likeness::from_bytes(modality, &bytes));
                Ok(Known { text_root: row.get(0)?, likeness })
            };
            connection.prepare_cached(sql)?.query_row([sha256], row).optional()
        })
    }

    /// Keeps what was found of a file.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn put(&self, found: &Found<'_>) -> Result<()> {
        self.database.with(|connection| {
            let key = key_of(connection)?;
            let traces = found.likeness.map(|likeness| likeness.traces(key));
            let tx = connection.transaction()?;
            tx.prepare_cached("INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?)")?.execute(
                params![found.sha256, found.modality.code(), found.units, found.text_root, traces,],
            )?;
            if let Some(likeness) = found.likeness {
                tx.prepare_cached("INSERT OR REPLACE INTO likenesses VALUES(?, ?)")?
                    .execute(params![found.sha256, likeness.to_bytes()])?;
            }
            tx.commit()
        })
    }

    /// The file that another one is most like, of the earlier leaves of its Datanet and of `waiting`, which are
    /// those that [`compared_with`](crate::earlier::compared_with) names. Of several the first that was submitted.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn nearest(
        &self,
        subject: &Subject<'_>,
        waiting: &[(SubmissionId, FileHash)],
    ) -> Result<Option<Nearest>> {
        let mut best = Best { subject, found: None };
        let may_be = self.database.with(|connection| {
            // What is refused for its size is nobody's original.
            let sql = "SELECT EXISTS(SELECT 1 FROM files WHERE sha256 = ? AND units >= ?)";
            let mut large = connection.prepare_cached(sql)?;
            let mut others = Vec::new();
            for one in waiting {
                if large.query_row(params![one.1, subject.min_units], |row| row.get(0))? {
                    others.push(*one);
                }
            }
            best.exact(connection, &others)?;
            match (best.found, subject.likeness) {
                (None, Some(likeness)) => best.may_be(connection, likeness, &others),
                _ => Ok(Vec::new()),
            }
        })?;
        let modality = subject.media.modality();
        let mut bytes = 0;
        // Nobody waits for the database meanwhile.
        for (submission, sha256) in may_be {
            let other = self.known(&sha256, modality)?.and_then(|known| known.likeness);
            if let (Some(likeness), Some(other)) = (subject.likeness, other) {
                let alike = likeness.alike(&other);
                if alike > 0.0 {
                    best.take(submission, sha256, alike, Same::Likeness);
                }
                bytes += other.size();
            }
            if bytes > MOST_BYTES {
                break;
            }
        }
        Ok(best.found)
    }
}

/// The search for the nearest file.
struct Best<'a> {
    subject: &'a Subject<'a>,
    found: Option<Nearest>,
}

impl Best<'_> {
    fn take(&mut self, submission: SubmissionId, sha256: FileHash, alike: f64, same: Same) {
        if submission >= self.subject.submission {
            return;
        }
        let better = self.found.is_none_or(|found| {
            alike > found.alike || (alike == found.alike && submission < found.submission)
        });
        if better {
            self.found = Some(Nearest { submission, sha256, alike, same });
        }
    }

    /// Files with the same bytes or the same canonical text.
    fn exact(
        &mut self,
        connection: &Connection,
        waiting: &[(SubmissionId, FileHash)],
    ) -> rusqlite::Result<()> {
        let Subject { datanet, submission, sha256, text_root, .. } = *self.subject;
        let sql = "SELECT submission, sha256 FROM leaves
                   WHERE sha256 = ? AND datanet = ? AND submission < ? ORDER BY submission LIMIT 1";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let mut statement = connection.prepare_cached(sql)?;
        let found: Option<(SubmissionId, FileHash)> =
            statement.query_row(params![sha256, datanet, submission], row).optional()?;
        for (submission, other) in found.iter().chain(waiting.iter().filter(|(_, o)| *o == sha256))
        {
            self.take(*submission, *other, 1.0, Same::Bytes);
        }
        if self.found.is_some() || text_root == [0; 32] {
            return Ok(());
        }
        let sql = "SELECT submission, sha256 FROM leaves
                   WHERE datanet = ? AND text_root = ? AND submission < ? ORDER BY submission LIMIT 1";
        let mut statement = connection.prepare_cached(sql)?;
        let found: Option<(SubmissionId, FileHash)> =
            statement.query_row(params![datanet, text_root, submission], row).optional()?;
        if let Some((submission, other)) = found {
            self.take(submission, other, 1.0, Same::Text);
        }
        let mut root = connection.prepare_cached("SELECT text_root FROM files WHERE sha256 = ?")?;
        for (submission, other) in waiting {
            let found: Option<[u8; 32]> = root.query_row([other], |row| row.get(0)).optional()?;
            if found == Some(text_root) {
                self.take(*submission, *other, 1.0, Same::Text);
            }
        }
        Ok(())
    }

    /// Files that may be like it, the likeliest first, at most [`CLOSEST`].
    fn may_be(
        &self,
        connection: &Connection,
        likeness: &Likeness,
        waiting: &[(SubmissionId, FileHash)],
    ) -> rusqlite::Result<Vec<(SubmissionId, FileHash)>> {
        let Subject { datanet, submission, media, .. } = *self.subject;
        let modality = media.modality().code();
        let sieve = likeness.sieve(key_of(connection)?);
        let mut found: Vec<(f64, SubmissionId, FileHash)> = Vec::new();
        let sql = "SELECT leaves.submission, leaves.sha256, files.traces
                   FROM leaves JOIN files ON files.sha256 = leaves.sha256
                   WHERE leaves.datanet = ? AND leaves.submission < ? AND files.modality = ?";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![datanet, submission, modality])?;
        while let Some(row) = rows.next()? {
            let traces = row.get_ref(2)?.as_blob_or_null()?;
            if let Some(promise) = traces.and_then(|traces| sieve.promise(traces)) {
                found.push((promise, row.get(0)?, row.get(1)?));
            }
        }
        let sql = "SELECT traces FROM files WHERE sha256 = ? AND modality = ?";
        let mut known = connection.prepare_cached(sql)?;
        for (submission, sha256) in waiting {
            let traces: Option<Option<Vec<u8>>> =
                known.query_row(params![sha256, modality], |row| row.get(0)).optional()?;
            if let Some(promise) = traces.flatten().and_then(|traces| sieve.promise(&traces)) {
                found.push((promise, *submission, *sha256));
            }
        }
        found.sort_by(|(a, one, _), (b, other, _)| b.total_cmp(a).then(one.cmp(other)));
        // A file that was submitted several times is compared once, as the first of them.
        let mut seen = BTreeSet::new();
        found.retain(|(_, _, sha256)| seen.insert(*sha256));
        found.truncate(CLOSEST);
        Ok(found.into_iter().map(|(_, submission, sha256)| (submission, sha256)).collect())
    }
}

/// The key of the traces in this database.
fn key_of(connection: &Connection) -> rusqlite::Result<u64> {
    let key = connection
        .prepare_cached("SELECT key FROM secret")?
        .query_row([], |row| row.get::<_, i64>(0));
    Ok(key?.cast_unsigned())
}

fn leaf_of(row: &Row<'_>) -> rusqlite::Result<Leaf> {
    let wrong = |column: usize, what: &str| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, what.to_owned().into())
    };
    let content: String = row.get(4)?;
    let media: u8 = row.get(6)?;
    Ok(Leaf {
        leaf: row.get(0)?,
        submission: row.get(1)?,
        sha256: row.get(2)?,
        text_root: row.get(3)?,
        content: content.parse().map_err(|_| wrong(4, "no content id"))?,
        size: row.get(5)?,
        media: MediaType::of_code(media).ok_or_else(|| wrong(6, "no format"))?,
    })
}
