//! What was accepted in a Datanet, and what of it a file is like.
//!
//! Of every file that was ever looked at the [`Likeness`] is kept, of a text all of its letters, and of every Datanet whose
//! files are judged the leaves. Both come from the chain and from files that anyone can fetch, so a database that is damaged, or
//! of another version or [extractor](EXTRACTOR), is begun anew.
//!
//! A file is its bytes **and the format that they are read as** ([`File`]): whoever submits the bytes of another one as
//! something else, elsewhere, where they say nothing, must not have that one taken for nothing.
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
    ClosedList, ContentId, DatanetId, FileHash, LeafIndex, MediaType, SubmissionId, EXTRACTOR,
};
use rusqlite::{params, Connection, OptionalExtension, Row};
use std::{collections::BTreeSet, path::Path};

/// Version of the tables; those of another are made anew.
const SCHEMA_VERSION: u32 = 3;
/// The version of a database: what is in its tables, and by which programs it was found.
const VERSION: u32 =
    (SCHEMA_VERSION << 24) | ((EXTRACTOR as u32) << 12) | (LIKENESS_VERSION as u32);
const _: () = assert!(SCHEMA_VERSION < 1 << 7 && EXTRACTOR < 1 << 12 && LIKENESS_VERSION < 1 << 12);
/// Files that one is compared with, of those that may be like it: so many that whoever submits texts which only seem to be like
/// a copy, to have them compared in the original's place, needs 64 of them in one Datanet.
pub const CLOSEST: usize = 64;
/// Bytes of likenesses that one is compared with, beyond the first.
const MOST_BYTES: usize = 32 << 20;

const SCHEMA: &str = "
CREATE TABLE files(
    sha256 BLOB NOT NULL,
    media INTEGER NOT NULL,
    modality INTEGER NOT NULL,
    units INTEGER NOT NULL,
    text_root BLOB NOT NULL,
    traces BLOB,
    PRIMARY KEY(sha256, media)
) WITHOUT ROWID;
CREATE TABLE likenesses(
    sha256 BLOB NOT NULL,
    media INTEGER NOT NULL,
    likeness BLOB NOT NULL,
    PRIMARY KEY(sha256, media)
);
CREATE TABLE formats(
    submission INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    media INTEGER NOT NULL,
    PRIMARY KEY(submission, sha256)
) WITHOUT ROWID;
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

/// Bytes, and what they are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct File {
    /// sha2-256 of the flat bytes.
    pub sha256: FileHash,
    /// Their format.
    pub media: MediaType,
}

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

impl Leaf {
    /// The file.
    pub fn file(&self) -> File {
        File { sha256: self.sha256, media: self.media }
    }
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
    /// The file.
    pub file: File,
    /// Merkle root of its text; zero where it has none.
    pub text_root: [u8; 32],
    /// What is compared; `None` of a text without a word.
    pub likeness: Option<&'a Likeness>,
    /// The least units that its draw takes.
    pub min_units: u64,
}

/// What was found of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// The file.
    pub file: File,
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
        Ok(Self { database: Database::open(path, VERSION, SCHEMA, true)? })
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
                           (SELECT 1 FROM files WHERE files.sha256 = leaves.sha256
                               AND files.media = leaves.media)
                       ORDER BY leaf DESC LIMIT ?";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![datanet, most], leaf_of)?;
            rows.collect()
        })
    }

    /// The latest submission before a file that it may be a copy of and that was not looked at, as what it was submitted
    /// as: one of `others`, or a leaf of the Datanet, however old.
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
            let is_known = one.file().map_or(Ok(false), |file| self.knows(&file))?;
            if one.submission < submission && !is_known {
                missing = missing.max(Some(one.submission));
            }
        }
        self.database.with(|connection| {
            let sql = "SELECT MAX(submission) FROM leaves
                       WHERE datanet = ? AND submission < ?
                       AND NOT EXISTS (SELECT 1 FROM files WHERE files.sha256 = leaves.sha256
                           AND files.media = leaves.media)";
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
    pub fn knows(&self, file: &File) -> Result<bool> {
        self.database.with(|connection| {
            let sql = "SELECT EXISTS(SELECT 1 FROM files WHERE sha256 = ? AND media = ?)";
            let file = params![file.sha256, file.media.code()];
            connection.prepare_cached(sql)?.query_row(file, |row| row.get(0))
        })
    }

    /// Remembers which formats submissions are of: once one is refused the chain does not say so.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn remember(&self, submissions: &[(SubmissionId, File)]) -> Result<()> {
        self.database.with(|connection| {
            let tx = connection.transaction()?;
            {
                let sql = "INSERT OR REPLACE INTO formats VALUES(?, ?, ?)";
                let mut insert = tx.prepare_cached(sql)?;
                for (submission, File { sha256, media }) in submissions {
                    insert.execute(params![submission, sha256, media.code()])?;
                }
            }
            tx.commit()
        })
    }

    /// Of which format a submission was, if that was [remembered](Self::remember).
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn format(&self, submission: SubmissionId, sha256: &FileHash) -> Result<Option<MediaType>> {
        self.database.with(|connection| {
            let sql = "SELECT media FROM formats WHERE submission = ? AND sha256 = ?";
            let found: Option<u8> = connection
                .prepare_cached(sql)?
                .query_row(params![submission, sha256], |row| row.get(0))
                .optional()?;
            Ok(found.and_then(MediaType::of_code))
        })
    }

    /// What a file is compared by; `None` if it was not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    pub fn known(&self, file: &File) -> Result<Option<Known>> {
        let modality = file.media.modality();
        self.database.with(|connection| {
            let sql = "SELECT text_root, likeness FROM files
                       LEFT JOIN likenesses USING(sha256, media) WHERE sha256 = ? AND media = ?";
            let row = |row: &Row<'_>| {
                let bytes: Option<Vec<u8>> = row.get(1)?;
                let likeness = bytes.and_then(|bytes| Likeness::from_bytes(modality, &bytes));
                Ok(Known { text_root: row.get(0)?, likeness })
            };
            let file = params![file.sha256, file.media.code()];
            connection.prepare_cached(sql)?.query_row(file, row).optional()
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
            let (File { sha256, media }, code) = (found.file, found.file.media.code());
            let modality = media.modality().code();
            tx.prepare_cached("INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?, ?)")?
                .execute(params![sha256, code, modality, found.units, found.text_root, traces])?;
            match found.likeness {
                Some(likeness) => tx
                    .prepare_cached("INSERT OR REPLACE INTO likenesses VALUES(?, ?, ?)")?
                    .execute(params![sha256, code, likeness.to_bytes()])?,
                None => tx
                    .prepare_cached("DELETE FROM likenesses WHERE sha256 = ? AND media = ?")?
                    .execute(params![sha256, code])?,
            };
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
        waiting: &[(SubmissionId, File)],
    ) -> Result<Option<Nearest>> {
        let mut best = Best { subject, found: None };
        let may_be = self.database.with(|connection| {
            // What is refused for its size is nobody's original.
            let sql =
                "SELECT EXISTS(SELECT 1 FROM files WHERE sha256 = ? AND media = ? AND units >= ?)";
            let mut large = connection.prepare_cached(sql)?;
            let mut others = Vec::new();
            for one in waiting {
                let file = params![one.1.sha256, one.1.media.code(), subject.min_units];
                if large.query_row(file, |row| row.get(0))? {
                    others.push(*one);
                }
            }
            best.exact(connection, &others)?;
            match (best.found, subject.likeness) {
                (None, Some(likeness)) => best.may_be(connection, likeness, &others),
                _ => Ok(Vec::new()),
            }
        })?;
        let mut bytes = 0;
        // Nobody waits for the database meanwhile.
        for (submission, file) in may_be {
            let other = self.known(&file)?.and_then(|known| known.likeness);
            if let (Some(likeness), Some(other)) = (subject.likeness, other) {
                let alike = likeness.alike(&other);
                if alike > 0.0 {
                    best.take(submission, file.sha256, alike, Same::Likeness);
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
        waiting: &[(SubmissionId, File)],
    ) -> rusqlite::Result<()> {
        let Subject { datanet, submission, file: File { sha256, .. }, text_root, .. } =
            *self.subject;
        let sql = "SELECT submission, sha256 FROM leaves
                   WHERE sha256 = ? AND datanet = ? AND submission < ? ORDER BY submission LIMIT 1";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let mut statement = connection.prepare_cached(sql)?;
        let found: Option<(SubmissionId, FileHash)> =
            statement.query_row(params![sha256, datanet, submission], row).optional()?;
        let waits = waiting.iter().map(|(submission, file)| (*submission, file.sha256));
        for (submission, other) in found.into_iter().chain(waits.filter(|(_, o)| *o == sha256)) {
            self.take(submission, other, 1.0, Same::Bytes);
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
        let sql = "SELECT text_root FROM files WHERE sha256 = ? AND media = ?";
        let mut root = connection.prepare_cached(sql)?;
        for (submission, other) in waiting {
            let file = params![other.sha256, other.media.code()];
            let found: Option<[u8; 32]> = root.query_row(file, |row| row.get(0)).optional()?;
            if found == Some(text_root) {
                self.take(*submission, other.sha256, 1.0, Same::Text);
            }
        }
        Ok(())
    }

    /// Files that may be like it, the likeliest first, at most [`CLOSEST`].
    fn may_be(
        &self,
        connection: &Connection,
        likeness: &Likeness,
        waiting: &[(SubmissionId, File)],
    ) -> rusqlite::Result<Vec<(SubmissionId, File)>> {
        let Subject { datanet, submission, file, .. } = *self.subject;
        let modality = file.media.modality().code();
        let sieve = likeness.sieve(key_of(connection)?);
        let mut found: Vec<(f64, SubmissionId, File)> = Vec::new();
        let sql = "SELECT leaves.submission, leaves.sha256, files.traces, leaves.media
                   FROM leaves JOIN files
                   ON files.sha256 = leaves.sha256 AND files.media = leaves.media
                   WHERE leaves.datanet = ? AND leaves.submission < ? AND files.modality = ?";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![datanet, submission, modality])?;
        while let Some(row) = rows.next()? {
            let traces = row.get_ref(2)?.as_blob_or_null()?;
            if let Some(promise) = traces.and_then(|traces| sieve.promise(traces)) {
                let media = MediaType::of_code(row.get(3)?).ok_or_else(|| wrong(3, "no format"))?;
                found.push((promise, row.get(0)?, File { sha256: row.get(1)?, media }));
            }
        }
        let sql = "SELECT traces FROM files WHERE sha256 = ? AND media = ? AND modality = ?";
        let mut known = connection.prepare_cached(sql)?;
        for (submission, file) in waiting {
            let key = params![file.sha256, file.media.code(), modality];
            let traces: Option<Option<Vec<u8>>> =
                known.query_row(key, |row| row.get(0)).optional()?;
            if let Some(promise) = traces.flatten().and_then(|traces| sieve.promise(&traces)) {
                found.push((promise, *submission, *file));
            }
        }
        found.sort_by(|(a, one, _), (b, other, _)| b.total_cmp(a).then(one.cmp(other)));
        // A file that was submitted several times is compared once, as the first of them.
        let mut seen = BTreeSet::new();
        found.retain(|(_, _, file)| seen.insert(*file));
        found.truncate(CLOSEST);
        Ok(found.into_iter().map(|(_, submission, file)| (submission, file)).collect())
    }
}

/// The key of the traces in this database.
fn key_of(connection: &Connection) -> rusqlite::Result<u64> {
    let key = connection
        .prepare_cached("SELECT key FROM secret")?
        .query_row([], |row| row.get::<_, i64>(0));
    Ok(key?.cast_unsigned())
}

fn wrong(column: usize, what: &str) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::FromSqlConversionFailure(column, kind, what.to_owned().into())
}

fn leaf_of(row: &Row<'_>) -> rusqlite::Result<Leaf> {
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
