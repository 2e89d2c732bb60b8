//! Files that are still coming in: claims of room, and their first bytes on disk.
//!
//! A file that comes in belongs to the account that sends it, so that nobody can spoil another's: its
//! name on disk is the sha256 that it shall have and the account. How many bytes of it are there is the
//! length of the file, and nothing else remembers it; a process that is killed forgets nothing.

use super::database::{none_is, now, signed, unsigned, Database};
use crate::error::ApiError;
use axum::http::StatusCode;
use openledger_client::AccountId;
use openledger_primitives::{api::QuotaStatus, FileHash};
use std::io;
use std::path::{Path, PathBuf};

/// Bytes that nobody may remove to make room: uploads, and what is claimed and not here yet.
pub(super) const KEPT: &str = "
    SELECT (SELECT coalesce(sum(size), 0) FROM blobs WHERE uploaded)
         + (SELECT coalesce(sum(size), 0) FROM claims WHERE sha256 NOT IN
               (SELECT sha256 FROM blobs WHERE uploaded AND sha256 IS NOT NULL))";

/// Room that an account has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// sha2-256 that the file shall have.
    pub sha256: FileHash,
    /// Its bytes.
    pub size: u64,
    /// When, in milliseconds since 1970.
    pub made: i64,
}

/// What the chain counts of an account's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its quota, and what is used of it.
    pub quota: QuotaStatus,
    /// Of the files that are used, those that were precommitted and are not opened yet; some may be of the day
    /// before.
    pub precommits: u64,
}

/// Where files come in.
#[derive(Clone)]
pub struct Staging {
    database: Database,
    directory: PathBuf,
}

impl Staging {
    /// Files that come in under a folder, which is made.
    ///
    /// # Errors
    ///
    /// What the disk answers.
    pub fn open(database: Database, directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        Ok(Self { database, directory: directory.to_owned() })
    }

    /// The first bytes of an account's file. Both are digits, so that it is a file of this folder.
    pub fn path(&self, account: &AccountId, sha256: &FileHash) -> PathBuf {
        self.directory.join(format!("{}-{}.part", hex::encode(sha256), hex::encode(account.0)))
    }

    /// A name for bytes that nobody can continue.
    ///
    /// # Errors
    ///
    /// 500 without randomness.
    pub fn unsigned_path(&self) -> Result<PathBuf, ApiError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| ApiError::internal("the system's randomness", &error))?;
        Ok(self.directory.join(format!("unsigned-{}.part", hex::encode(random))))
    }

    /// Removes what nobody can continue: unsigned bytes of a process that was killed.
    ///
    /// # Errors
    ///
    /// What the disk answers.
    pub fn sweep_unsigned(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            if name.starts_with("unsigned-") {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Removes first bytes that nothing was added to since a moment (milliseconds since 1970) and that no
    /// claim stands behind: those of a submission that is named already.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn sweep_unclaimed(&self, moment: i64) -> Result<(), ApiError> {
        let folder = |error| ApiError::internal("looking through uploads", &error);
        let mut entries = tokio::fs::read_dir(&self.directory).await.map_err(folder)?;
        while let Some(entry) = entries.next_entry().await.map_err(folder)? {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((account, sha256)) = names(&name) else { continue };
            let changed = entry.metadata().await.and_then(|metadata| metadata.modified());
            // It may be complete, and gone, by now.
            let Ok(changed) = changed else { continue };
            let changed = changed.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let old = i64::try_from(changed.as_millis()).is_ok_and(|changed| changed < moment);
            if old && self.claim_of(account, sha256).await?.is_none() {
                self.discard(&account, &sha256)?;
            }
        }
        Ok(())
    }

    /// Bytes that are there of an account's file.
    pub fn received(&self, account: &AccountId, sha256: &FileHash) -> u64 {
        std::fs::metadata(self.path(account, sha256)).map_or(0, |metadata| metadata.len())
    }

    /// Removes the first bytes of an account's file.
    ///
    /// # Errors
    ///
    /// 500.
    pub fn discard(&self, account: &AccountId, sha256: &FileHash) -> Result<(), ApiError> {
        match std::fs::remove_file(self.path(account, sha256)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(ApiError::internal("removing an upload", &error)),
        }
    }

    /// An account's claims.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn claims(&self, account: AccountId) -> Result<Vec<Claim>, ApiError> {
        self.database
            .run(move |db| {
                let sql = "SELECT sha256, size, made FROM claims WHERE account = ?1";
                let mut query = db.prepare_cached(sql)?;
                let rows = query.query_map([account.0], |row| {
                    Ok(Claim { sha256: row.get(0)?, size: unsigned(row, 1)?, made: row.get(2)? })
                })?;
                rows.collect()
            })
            .await
    }

    /// The claim of an account on a file.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn claim_of(
        &self,
        account: AccountId,
        sha256: FileHash,
    ) -> Result<Option<Claim>, ApiError> {
        let sql = "SELECT size, made FROM claims WHERE account = ?1 AND sha256 = ?2";
        self.database
            .run(move |db| {
                db.query_row(sql, (account.0, sha256), |row| {
                    Ok(Some(Claim { sha256, size: unsigned(row, 0)?, made: row.get(1)? }))
                })
                .or_else(none_is(None))
            })
            .await
    }

    /// Takes room for a file: what the chain counts of the account's day, what it has claimed, and this
    /// must be within the quota; `storage` is what all files may take. As many claims as there are
    /// precommitments are files that the chain counts already; bytes it counts when they are opened.
    ///
    /// # Errors
    ///
    /// 409 beyond the quota, 507 where the disk has no room.
    pub async fn claim(
        &self,
        account: AccountId,
        sha256: FileHash,
        size: u64,
        Day { quota, precommits }: Day,
        storage: u64,
    ) -> Result<Claim, ApiError> {
        let left = quota.used.remaining(quota.day, &quota.limits);
        let made = now();
        let outcome = self.database.run(move |db| {
            let transaction = db.transaction()?;
            let again = transaction.execute(
                "DELETE FROM claims WHERE account = ?1 AND sha256 = ?2",
                (account.0, sha256),
            )?;
            let (files, bytes): (u64, u64) = transaction.query_row(
                "SELECT count(*), coalesce(sum(size), 0) FROM claims WHERE account = ?1",
                [account.0],
                |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)),
            )?;
            let stored = transaction.query_row(KEPT, [], |row| unsigned(row, 0))?;
            // Which of the claims are precommitted nobody can say; one that was not here before is none of them.
            let again = again as u64;
            let waiting = (files + again).saturating_sub(precommits);
            if waiting + (1 - again) > u64::from(left.files) {
                return Ok(Err(("daily_files", waiting, u64::from(left.files), "files")));
            }
            if bytes + size > left.bytes {
                return Ok(Err(("daily_bytes", bytes, left.bytes, "bytes")));
            }
            if stored + size > storage {
                return Ok(Err(("storage_full", stored, storage, "bytes")));
            }
            let sql = "INSERT INTO claims VALUES(?1, ?2, ?3, ?4)";
            transaction.execute(sql, (account.0, sha256, signed(size), made))?;
            transaction.commit()?;
            Ok(Ok(()))
        });
        match outcome.await? {
            Ok(()) => Ok(Claim { sha256, size, made }),
            Err(("storage_full", stored, storage, _)) => Err(ApiError::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "storage_full",
                format!(
                    "this gateway holds {stored} of {storage} bytes; use another, or try tomorrow"
                ),
            )
            .after(3600)),
            Err((code, waiting, left, unit)) => Err(ApiError::new(
                StatusCode::CONFLICT,
                code,
                format!(
                    "{left} {unit} are left of your day, and {waiting} are uploaded and not yet \
                     submitted; submit or remove them, or come back after midnight UTC"
                ),
            )),
        }
    }

    /// Gives room back. The first bytes of the file go too.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn release(&self, account: AccountId, sha256: FileHash) -> Result<(), ApiError> {
        self.discard(&account, &sha256)?;
        let sql = "DELETE FROM claims WHERE account = ?1 AND sha256 = ?2";
        self.database.run(move |db| db.execute(sql, (account.0, sha256)).map(drop)).await
    }

    /// At most `limit` claims made before a moment, oldest first.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn older_than(
        &self,
        moment: i64,
        limit: u32,
    ) -> Result<Vec<(AccountId, FileHash)>, ApiError> {
        let sql = "SELECT account, sha256 FROM claims WHERE made < ?1 ORDER BY made LIMIT ?2";
        self.database
            .run(move |db| {
                let mut query = db.prepare_cached(sql)?;
                let rows = query.query_map((moment, limit), |row| {
                    Ok((AccountId::from(row.get::<_, [u8; 32]>(0)?), row.get(1)?))
                })?;
                rows.collect()
            })
            .await
    }
}

/// Whose first bytes a file of the folder holds, and of what.
fn names(file: &str) -> Option<(AccountId, FileHash)> {
    let (sha256, account) = file.strip_suffix(".part")?.split_once('-')?;
    let read =
        |text: &str| hex::decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    Some((AccountId::from(read(account)?), read(sha256)?))
}
