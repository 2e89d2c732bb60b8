//! Files that are complete: their blocks in the IPFS node's store, and which blocks belong to which.

use super::database::{none_is, now, signed, unsigned, Database};
use crate::error::ApiError;
use openledger_content::{Bytes, ContentStore, IpfsNode, Limits};
use openledger_primitives::{ContentId, FileHash};
use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A complete file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its root.
    pub content: ContentId,
    /// Its bytes.
    pub size: u64,
    /// When chain or upload last asked for it to be kept, in milliseconds since 1970.
    pub needed: i64,
}

/// Files in the block store of the gateway's IPFS node.
#[derive(Clone)]
pub struct Blobs {
    database: Database,
    node: IpfsNode,
    /// Held while blocks come or go, so that none goes that a file which comes shares.
    storing: Arc<Mutex<()>>,
}

/// Blocks of a file in the order of a depth-first walk, as a CAR has them.
pub struct Walk {
    node: IpfsNode,
    limits: Limits,
    waiting: VecDeque<(ContentId, u32)>,
    seen: HashSet<ContentId>,
    repeat: bool,
    visits: u64,
    is_root: bool,
}

impl Walk {
    /// The walk from a root; each block once, unless they are to be repeated.
    pub fn new(node: IpfsNode, root: ContentId, limits: Limits, repeat: bool) -> Self {
        let waiting = VecDeque::from([(root, 1)]);
        Self { node, limits, waiting, seen: HashSet::new(), repeat, visits: 0, is_root: true }
    }

    /// The next block.
    ///
    /// # Errors
    ///
    /// What fetching answers, and a tree that goes beyond the limits.
    pub async fn next(
        &mut self,
        within: Duration,
    ) -> openledger_content::Result<Option<(ContentId, Bytes)>> {
        loop {
            let Some((id, level)) = self.waiting.pop_front() else { return Ok(None) };
            if !self.repeat && !self.seen.insert(id) {
                continue;
            }
            self.visits += 1;
            let too_far =
                |reason: &str| openledger_content::Error::Network { reason: reason.to_owned() };
            if self.visits > self.limits.blocks {
                return Err(too_far("the file has more blocks than a file of its size"));
            }
            if level > self.limits.depth {
                return Err(too_far("the file's tree is too deep"));
            }
            let block = self.node.block(id, within).await?;
            let links = openledger_content::links(&id, &block, self.is_root, self.limits.links)
                .map_err(|fault| openledger_content::Error::Invalid { content: id, fault })?;
            self.is_root = false;
            for link in links.into_iter().rev() {
                self.waiting.push_front((link, level + 1));
            }
            return Ok(Some((id, block)));
        }
    }
}

impl Blobs {
    /// Files of a node.
    pub fn new(database: Database, node: IpfsNode) -> Self {
        Self { database, node, storing: Arc::default() }
    }

    /// The node that serves them.
    pub fn node(&self) -> &IpfsNode {
        &self.node
    }

    /// A complete file by its hash.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn find(&self, sha256: FileHash) -> Result<Option<Blob>, ApiError> {
        let sql = "SELECT content, size, needed FROM blobs WHERE sha256 = ?1";
        self.database
            .run(move |db| {
                let row = db.query_row(sql, [sha256], |row| {
                    Ok(Some((row.get::<_, String>(0)?, unsigned(row, 1)?, row.get(2)?)))
                });
                row.or_else(none_is(None))
            })
            .await?
            .map(|(content, size, needed)| Ok(Blob { content: parse(&content)?, size, needed }))
            .transpose()
    }

    /// Puts a file into the store, whose hash is known to be right, and from then on serves it.
    ///
    /// # Errors
    ///
    /// 500, 507.
    pub async fn add(&self, path: &Path, sha256: FileHash) -> Result<Blob, ApiError> {
        let storing = self.storing.lock().await;
        let added = self.node.add_file(path).await.map_err(stored)?;
        if added.sha256 != sha256 {
            return Err(ApiError::internal("storing an upload", &"it changed on the disk"));
        }
        let limits = Limits::for_bytes(added.size);
        let mut walk = Walk::new(self.node.clone(), added.content, limits, false);
        let mut blocks = Vec::new();
        while let Some((id, _)) = walk.next(Duration::from_secs(5)).await.map_err(stored)? {
            blocks.push(id.to_string());
        }
        let blob = Blob { content: added.content, size: added.size, needed: now() };
        self.database
            .run(move |db| {
                let transaction = db.transaction()?;
                let content = blob.content.to_string();
                transaction.execute(
                    "INSERT OR REPLACE INTO blobs VALUES(?1, ?2, ?3, 1, ?4)",
                    (&content, sha256, signed(blob.size), blob.needed),
                )?;
                for block in blocks {
                    let sql = "INSERT OR IGNORE INTO blocks VALUES(?1, ?2)";
                    transaction.execute(sql, (block, &content))?;
                }
                transaction.commit()
            })
            .await?;
        drop(storing);
        Ok(blob)
    }

    /// At most `limit` files after a content id in their order, with hash.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn page(
        &self,
        after: Option<ContentId>,
        limit: u32,
    ) -> Result<Vec<(FileHash, Blob)>, ApiError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let sql = "SELECT content, sha256, size, needed FROM blobs
                   WHERE content > ?1 AND sha256 IS NOT NULL ORDER BY content LIMIT ?2";
        let rows: Vec<(String, FileHash, u64, i64)> = self
            .database
            .run(move |db| {
                let mut query = db.prepare_cached(sql)?;
                let rows = query.query_map((after, limit), |row| {
                    Ok((row.get(0)?, row.get(1)?, unsigned(row, 2)?, row.get(3)?))
                })?;
                rows.collect()
            })
            .await?;
        rows.into_iter()
            .map(|(content, sha256, size, needed)| {
                Ok((sha256, Blob { content: parse(&content)?, size, needed }))
            })
            .collect()
    }

    /// Notes that a file is still asked for.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn keep(&self, content: ContentId) -> Result<(), ApiError> {
        let (content, moment) = (content.to_string(), now());
        let sql = "UPDATE blobs SET needed = ?2 WHERE content = ?1";
        self.database.run(move |db| db.execute(sql, (content, moment)).map(drop)).await
    }

    /// Removes a file, unless it was asked for since `moment` or somebody has a claim on it: its blocks go
    /// that no other file has.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn remove(&self, content: ContentId, moment: i64) -> Result<bool, ApiError> {
        let _storing = self.storing.lock().await;
        let name = content.to_string();
        let blocks: Option<Vec<String>> = self
            .database
            .run(move |db| {
                let transaction = db.transaction()?;
                let removed = transaction.execute(
                    "DELETE FROM blobs WHERE content = ?1 AND needed < ?2
                     AND (sha256 IS NULL OR sha256 NOT IN (SELECT sha256 FROM claims))",
                    (&name, moment),
                )?;
                if removed == 0 {
                    return Ok(None);
                }
                let blocks = {
                    let mut query = transaction.prepare(
                        "SELECT block FROM blocks AS own WHERE content = ?1 AND NOT EXISTS
                         (SELECT 1 FROM blocks WHERE block = own.block AND content <> ?1)",
                    )?;
                    let rows = query.query_map([&name], |row| row.get(0))?;
                    rows.collect::<rusqlite::Result<Vec<String>>>()?
                };
                transaction.execute("DELETE FROM blocks WHERE content = ?1", [&name])?;
                transaction.commit()?;
                Ok(Some(blocks))
            })
            .await?;
        let Some(blocks) = blocks else { return Ok(false) };
        let store = self.node.store().clone();
        let removed = tokio::task::spawn_blocking(move || {
            blocks
                .iter()
                .filter_map(|block| block.parse().ok())
                .try_for_each(|id| store.remove(&id))
        });
        match removed.await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(error)) => Err(stored(error)),
            Err(error) => Err(ApiError::internal("removing blocks", &error)),
        }
    }
}

fn parse(content: &str) -> Result<ContentId, ApiError> {
    content.parse().map_err(|error| ApiError::internal("a content id in the database", &error))
}

fn stored(error: openledger_content::Error) -> ApiError {
    match error {
        openledger_content::Error::DiskFull { .. } => ApiError::new(
            axum::http::StatusCode::INSUFFICIENT_STORAGE,
            "storage_full",
            "the gateway's disk is full; use another gateway, or try later",
        )
        .after(3600),
        other => ApiError::internal("the block store", &other),
    }
}
