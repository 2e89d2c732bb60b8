//! What is kept of agents: instructions with all their versions, and docs receipts. They do not follow from
//! blocks, so they stand in a file of their own beside the index.

use super::document::Instructions;
use super::receipts::Receipt;
use crate::error::ApiError;
use crate::index::storage::PageQuery;
use crate::uploads::database::{none_is, signed, Database, DAY};
use axum::http::StatusCode;
use openledger_client::{AccountId, H256};
use openledger_primitives::JobId;
use rusqlite::{OptionalExtension, Row};
use std::path::Path;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS chain(genesis BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS instructions(
    adapter INTEGER NOT NULL, version INTEGER NOT NULL, account BLOB NOT NULL, instructions TEXT NOT NULL,
    text TEXT NOT NULL, signature BLOB NOT NULL, content TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY(adapter, version)
) WITHOUT ROWID;
-- Numbers are never given twice, so that a reader's place stays right.
CREATE TABLE IF NOT EXISTS receipts(
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, adapter INTEGER, receipt TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS receipts_adapter ON receipts(adapter, number);
";

/// Versions of one adapter's instructions.
const MAX_VERSIONS: u32 = 500;
/// New versions of one adapter's in 24 hours.
const MAX_DAY: u32 = 50;
/// Versions of all.
const MAX_ALL: u32 = 50_000;
/// The highest number of a version.
pub(super) const MAX_VERSION: u32 = 1_000_000_000;
/// Receipts, of which the oldest go.
pub const MAX_RECEIPTS: u64 = 200_000;

/// A version of an adapter's instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The adapter.
    pub adapter: JobId,
    /// Its number.
    pub version: u32,
    /// Who signed.
    pub account: AccountId,
    /// What they say.
    pub instructions: Instructions,
    /// What was signed.
    pub text: String,
    /// The signature.
    pub signature: Vec<u8>,
    /// The signed text with its signature on IPFS.
    pub content: String,
    /// When it came, milliseconds since 1970.
    pub at: i64,
}

/// The file; clones are the same one.
#[derive(Clone)]
pub(super) struct Store {
    database: Database,
    receipts: u64,
}

/// What is read of an adapter's versions, before the rest of a statement.
const SELECT: &str =
    "SELECT adapter, version, account, instructions, text, signature, content, at FROM instructions";

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let instructions: String = row.get(3)?;
    let odd = |error| {
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, Box::new(error))
    };
    Ok(Kept {
        adapter: row.get::<_, i64>(0)?.unsigned_abs(),
        version: row.get(1)?,
        account: AccountId::from(row.get::<_, [u8; 32]>(2)?),
        instructions: serde_json::from_str(&instructions).map_err(odd)?,
        text: row.get(4)?,
        signature: row.get(5)?,
        content: row.get(6)?,
        at: row.get(7)?,
    })
}

/// What a page's cursor says.
fn before(query: &PageQuery) -> Result<i64, ApiError> {
    match &query.cursor {
        None => Ok(i64::MAX),
        Some(cursor) => cursor
            .parse()
            .map_err(|_| ApiError::field("cursor", "the cursor is none that an answer gave")),
    }
}

/// A page out of one entry more than it has, and where the next one begins.
fn page<T>(mut rows: Vec<(i64, T)>, limit: u32) -> (Vec<T>, Option<String>) {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|(place, _)| place.to_string());
    (rows.into_iter().map(|(_, entry)| entry).collect(), next)
}

impl Store {
    /// Opens the file, or begins it. Of receipts, so many are kept.
    pub(super) fn open(path: &Path, genesis: H256, receipts: u64) -> Result<Self, OpenError> {
        let database = Database::with_tables(path, TABLES)?;
        let chain = database.run_here(|db| {
            let found: Option<[u8; 32]> =
                db.query_row("SELECT genesis FROM chain", [], |row| row.get(0)).optional()?;
            if found.is_none() {
                db.execute("INSERT INTO chain VALUES(?1)", [genesis.0])?;
            }
            Ok(found)
        })?;
        match chain {
            Some(chain) if chain != genesis.0 => Err(OpenError::Foreign {
                path: path.display().to_string(),
                chain: hex::encode(chain),
            }),
            _ => Ok(Self { database, receipts }),
        }
    }

    /// The highest version of an adapter.
    pub(super) async fn latest(&self, adapter: JobId) -> Result<Option<Kept>, ApiError> {
        let sql = format!("{SELECT} WHERE adapter = ?1 ORDER BY version DESC LIMIT 1");
        let run = move |db: &mut rusqlite::Connection| {
            db.prepare_cached(&sql)?.query_row([signed(adapter)], kept).optional()
        };
        self.database.run(run).await
    }

    /// One version.
    pub(super) async fn version(
        &self,
        adapter: JobId,
        version: u32,
    ) -> Result<Option<Kept>, ApiError> {
        let sql = format!("{SELECT} WHERE adapter = ?1 AND version = ?2");
        let run = move |db: &mut rusqlite::Connection| {
            db.query_row(&sql, (signed(adapter), version), kept).optional()
        };
        self.database.run(run).await
    }

    /// Versions of an adapter, the highest first.
    pub(super) async fn versions(
        &self,
        adapter: JobId,
        query: &PageQuery,
    ) -> Result<(Vec<Kept>, Option<String>), ApiError> {
        let (before, limit) = (before(query)?, query.limit);
        let sql =
            format!("{SELECT} WHERE adapter = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3");
        let run = move |db: &mut rusqlite::Connection| {
            let mut select = db.prepare_cached(&sql)?;
            let rows = select.query_map((signed(adapter), before, limit + 1), |row| {
                Ok((i64::from(row.get::<_, u32>(1)?), kept(row)?))
            })?;
            rows.collect()
        };
        Ok(page(self.database.run(run).await?, limit))
    }

    /// The adapters of a list whose agents are on, with their versions.
    pub(super) async fn active(&self, adapters: Vec<JobId>) -> Result<Vec<(JobId, u32)>, ApiError> {
        let sql = format!("{SELECT} WHERE adapter = ?1 ORDER BY version DESC LIMIT 1");
        let run = move |db: &mut rusqlite::Connection| {
            let mut select = db.prepare_cached(&sql)?;
            let mut found = Vec::new();
            for adapter in adapters {
                let latest = select.query_row([signed(adapter)], kept).optional()?;
                if let Some(latest) = latest.filter(|latest| !latest.instructions.is_empty()) {
                    found.push((adapter, latest.version));
                }
            }
            Ok(found)
        };
        self.database.run(run).await
    }

    /// Keeps a version that is higher than all before.
    ///
    /// # Errors
    ///
    /// 409 for one that is not, 429 and 507 beyond the bounds.
    pub(super) async fn add(&self, new: Kept) -> Result<(), ApiError> {
        let instructions = serde_json::to_string(&new.instructions)
            .map_err(|error| ApiError::internal("keeping instructions", &error))?;
        let run = move |db: &mut rusqlite::Connection| {
            let transaction = db.transaction()?;
            let count = |sql: &str, with: &[i64]| -> rusqlite::Result<u32> {
                transaction.query_row(sql, rusqlite::params_from_iter(with), |row| row.get(0))
            };
            let adapter = signed(new.adapter);
            let highest = "SELECT coalesce(max(version), 0) FROM instructions WHERE adapter = ?1";
            let highest = count(highest, &[adapter])?;
            if new.version <= highest {
                return Ok(Some(not_next(new.adapter, new.version, highest)));
            }
            let own = "SELECT count(*) FROM instructions WHERE adapter = ?1 AND at >= ?2";
            if count(own, &[adapter, new.at.saturating_sub(DAY)])? >= MAX_DAY {
                let message = format!("an adapter has at most {MAX_DAY} new versions a day");
                return Ok(Some(ApiError::too_many(3600, message)));
            }
            let all = count("SELECT count(*) FROM instructions", &[])?;
            if count(own, &[adapter, 0])? >= MAX_VERSIONS || all >= MAX_ALL {
                let message = format!(
                    "this gateway keeps {MAX_VERSIONS} versions of an adapter's instructions, {MAX_ALL} of all, \
                     and no more"
                );
                let full = StatusCode::INSUFFICIENT_STORAGE;
                return Ok(Some(ApiError::new(full, "storage_full", message)));
            }
            transaction.execute(
                "INSERT INTO instructions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    adapter,
                    new.version,
                    new.account.0,
                    instructions,
                    new.text,
                    new.signature,
                    new.content,
                    new.at,
                ),
            )?;
            transaction.commit()?;
            Ok(None)
        };
        match self.database.run(run).await? {
            None => Ok(()),
            Some(refused) => Err(refused),
        }
    }

    /// Keeps a receipt; beyond the bound the oldest go, and the log says so.
    pub(super) async fn record(&self, receipt: &Receipt) -> Result<(), ApiError> {
        let (id, adapter) = (receipt.id.clone(), receipt.body.adapter.map(signed));
        let json = serde_json::to_string(receipt)
            .map_err(|error| ApiError::internal("keeping a receipt", &error))?;
        let most = signed(self.receipts);
        let gone = self.database.run(move |db| {
            let transaction = db.transaction()?;
            // The same question in the same millisecond has the same receipt.
            transaction.execute(
                "INSERT OR IGNORE INTO receipts(id, adapter, receipt) VALUES(?1, ?2, ?3)",
                (id, adapter, json),
            )?;
            let gone = transaction.execute(
                "DELETE FROM receipts WHERE number <= (SELECT max(number) FROM receipts) - ?1",
                [most],
            )?;
            transaction.commit()?;
            Ok(gone)
        });
        let gone = gone.await?;
        if gone > 0 {
            tracing::info!(gone, kept = self.receipts, "the oldest docs receipts made room");
        }
        Ok(())
    }

    /// The receipt of an id.
    pub(super) async fn receipt(&self, id: String) -> Result<Option<Receipt>, ApiError> {
        let found: Option<String> = self
            .database
            .run(move |db| {
                let sql = "SELECT receipt FROM receipts WHERE id = ?1";
                db.query_row(sql, [id], |row| row.get(0).map(Some)).or_else(none_is(None))
            })
            .await?;
        found.map(|json| read(&json)).transpose()
    }

    /// Receipts of an adapter, the newest first.
    pub(super) async fn receipts(
        &self,
        adapter: JobId,
        query: &PageQuery,
    ) -> Result<(Vec<Receipt>, Option<String>), ApiError> {
        let (before, limit) = (before(query)?, query.limit);
        let run = move |db: &mut rusqlite::Connection| {
            let mut select = db.prepare_cached(
                "SELECT number, receipt FROM receipts WHERE adapter = ?1 AND number < ?2
                 ORDER BY number DESC LIMIT ?3",
            )?;
            let rows = select.query_map((signed(adapter), before, limit + 1), |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?))
            })?;
            rows.collect()
        };
        let (jsons, next) = page(self.database.run(run).await?, limit);
        Ok((jsons.iter().map(|json| read(json)).collect::<Result<_, _>>()?, next))
    }
}

fn read(json: &str) -> Result<Receipt, ApiError> {
    serde_json::from_str(json).map_err(|error| ApiError::internal("reading a receipt", &error))
}

/// 409: not a version that comes after the others.
pub(super) fn not_next(adapter: JobId, version: u32, highest: u32) -> ApiError {
    let next = highest.saturating_add(1);
    ApiError::new(
        StatusCode::CONFLICT,
        "old_version",
        format!(
            "version {version} of adapter {adapter}'s instructions does not follow version {highest}; sign \
             version {next}"
        ),
    )
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite.
    #[error("the file of agents: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Of another chain.
    #[error("{path} is of the chain {chain}; move it away to begin a new one")]
    Foreign {
        /// The file.
        path: String,
        /// The genesis hash of its chain.
        chain: String,
    },
    /// TLS.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}
