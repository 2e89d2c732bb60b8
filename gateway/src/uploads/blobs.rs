//! Files that are complete: their blocks in the IPFS node's store, and which blocks belong to which.

use super::database::{none_is, now, signed, unsigned, Database};
use super::walk::Walk;
use crate::error::ApiError;
use axum::http::StatusCode;
use openledger_content::{ContentStore, IpfsNode, Limits};
use openledger_primitives::{ContentId, FileHash};
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
    /// Whether it was given here, all of it; else it comes, or came, from peers.
    pub uploaded: bool,
}

/// Files in the block store of the gateway's IPFS node.
#[derive(Clone)]
pub struct Blobs {
    database: Database,
    node: IpfsNode,
    /// Held while blocks come or go, so that none goes that a file which comes shares.
    storing: Arc<Mutex<()>>,
    /// Held while room is made.
    room: Arc<Mutex<()>>,
}

impl Blobs {
    /// Files of a node.
    pub fn new(database: Database, node: IpfsNode) -> Self {
        Self { database, node, storing: Arc::default(), room: Arc::default() }
    }

    /// The node that serves them.
    pub fn node(&self) -> &IpfsNode {
        &self.node
    }

    /// A complete upload by its hash.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn find(&self, sha256: FileHash) -> Result<Option<Blob>, ApiError> {
        let sql = "SELECT content, size, needed FROM blobs WHERE sha256 = ?1 AND uploaded";
        self.database
            .run(move |db| {
                let row = db.query_row(sql, [sha256], |row| {
                    Ok(Some((row.get::<_, String>(0)?, unsigned(row, 1)?, row.get(2)?)))
                });
                row.or_else(none_is(None))
            })
            .await?
            .map(|(content, size, needed)| {
                Ok(Blob { content: parse(&content)?, size, needed, uploaded: true })
            })
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
        let mut walk = Walk::new(self.node.clone(), added.content, limits);
        let mut blocks = Vec::new();
        while let Some((id, _)) = walk.next(Duration::from_secs(5)).await.map_err(stored)? {
            blocks.push(id.to_string());
        }
        let blob = Blob { content: added.content, size: added.size, needed: now(), uploaded: true };
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
        let sql = "SELECT content, sha256, size, needed, uploaded FROM blobs
                   WHERE content > ?1 AND sha256 IS NOT NULL ORDER BY content LIMIT ?2";
        let rows: Vec<(String, FileHash, u64, i64, bool)> = self
            .database
            .run(move |db| {
                let mut query = db.prepare_cached(sql)?;
                let rows = query.query_map((after, limit), |row| {
                    Ok((row.get(0)?, row.get(1)?, unsigned(row, 2)?, row.get(3)?, row.get(4)?))
                })?;
                rows.collect()
            })
            .await?;
        rows.into_iter()
            .map(|(content, sha256, size, needed, uploaded)| {
                Ok((sha256, Blob { content: parse(&content)?, size, needed, uploaded }))
            })
            .collect()
    }

    /// Notes that a file is still asked for, and says whether it is expected or here.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn keep(&self, content: ContentId) -> Result<bool, ApiError> {
        let (content, moment) = (content.to_string(), now());
        let sql = "UPDATE blobs SET needed = ?2 WHERE content = ?1";
        Ok(self.database.run(move |db| db.execute(sql, (content, moment))).await? > 0)
    }

    /// Makes room for so many bytes by removing files of peers, those first that were read longest ago.
    ///
    /// # Errors
    ///
    /// 507 where uploads leave no room for it; 500.
    pub async fn make_room(&self, size: u64, storage: u64) -> Result<(), ApiError> {
        let _room = self.room.lock().await;
        self.make_room_alone(size, storage).await
    }

    async fn make_room_alone(&self, size: u64, storage: u64) -> Result<(), ApiError> {
        loop {
            let (kept, peers, oldest) = self
                .database
                .run(move |db| {
                    let kept = db.query_row(super::staging::KEPT, [], |row| unsigned(row, 0))?;
                    let peers = "SELECT coalesce(sum(size), 0) FROM blobs WHERE NOT uploaded";
                    let peers = db.query_row(peers, [], |row| unsigned(row, 0))?;
                    let oldest =
                        "SELECT content FROM blobs WHERE NOT uploaded ORDER BY needed LIMIT 1";
                    let oldest: Option<String> =
                        db.query_row(oldest, [], |row| row.get(0)).or_else(none_is(None))?;
                    Ok((kept, peers, oldest))
                })
                .await?;
            if kept.saturating_add(peers).saturating_add(size) <= storage {
                return Ok(());
            }
            match oldest {
                Some(oldest) if kept.saturating_add(size) <= storage => {
                    if !self.remove(parse(&oldest)?, i64::MAX).await? {
                        return Err(ApiError::unavailable(1, "room is being made; try again"));
                    }
                }
                _ => {
                    let message =
                        format!("this gateway holds {kept} of {storage} bytes; use another");
                    return Err(ApiError::new(
                        StatusCode::INSUFFICIENT_STORAGE,
                        "storage_full",
                        message,
                    )
                    .after(3600));
                }
            }
        }
    }

    /// Notes that a file will come from peers, or that it is read again, and makes room for it.
    ///
    /// # Errors
    ///
    /// As [`make_room`](Self::make_room).
    pub async fn expect(
        &self,
        content: ContentId,
        sha256: Option<FileHash>,
        size: u64,
        storage: u64,
    ) -> Result<(), ApiError> {
        let _room = self.room.lock().await;
        if self.keep(content).await? {
            return Ok(());
        }
        self.make_room_alone(size, storage).await?;
        let name = content.to_string();
        let sql = "INSERT OR IGNORE INTO blobs VALUES(?1, ?2, ?3, 0, ?4)";
        let row = move |db: &mut rusqlite::Connection| {
            db.execute(sql, (name, sha256, signed(size), now())).map(drop)
        };
        self.database.run(row).await
    }

    /// Notes that a block of an expected file is in the store.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn came(&self, content: ContentId, block: ContentId) -> Result<(), ApiError> {
        let (content, block) = (content.to_string(), block.to_string());
        let sql = "INSERT OR IGNORE INTO blocks VALUES(?2, ?1)";
        self.database.run(move |db| db.execute(sql, (content, block)).map(drop)).await
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
        let sql = "DELETE FROM blobs WHERE content = ?1 AND needed < ?2
                   AND NOT (uploaded AND sha256 IN (SELECT sha256 FROM claims))";
        let removed = self.database.run(move |db| db.execute(sql, (name, moment))).await?;
        if removed > 0 {
            self.remove_blocks(content.to_string()).await?;
        }
        Ok(removed > 0)
    }

    /// Removes blocks of files that are no more: of a process that ended before it was done with them.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn sweep(&self) -> Result<(), ApiError> {
        let _storing = self.storing.lock().await;
        let sql = "SELECT DISTINCT content FROM blocks
                   WHERE content NOT IN (SELECT content FROM blobs) LIMIT 1000";
        let gone: Vec<String> = self
            .database
            .run(move |db| {
                let mut query = db.prepare_cached(sql)?;
                let rows = query.query_map([], |row| row.get(0))?;
                rows.collect()
            })
            .await?;
        for content in gone {
            self.remove_blocks(content).await?;
        }
        Ok(())
    }

    /// Removes the blocks of a file that is no more, but for those that another file has. They are
    /// remembered until they are gone.
    async fn remove_blocks(&self, content: String) -> Result<(), ApiError> {
        let name = content.clone();
        let sql = "SELECT block FROM blocks AS own WHERE content = ?1 AND NOT EXISTS
                   (SELECT 1 FROM blocks JOIN blobs USING (content) WHERE block = own.block)";
        let blocks: Vec<String> = self
            .database
            .run(move |db| {
                let mut query = db.prepare_cached(sql)?;
                let rows = query.query_map([name], |row| row.get(0))?;
                rows.collect()
            })
            .await?;
        let store = self.node.store().clone();
        let removed = tokio::task::spawn_blocking(move || {
            let ids = blocks.iter().filter_map(|block| block.parse().ok());
            ids.into_iter().try_for_each(|id| store.remove(&id))
        });
        match removed.await {
            Ok(removed) => removed.map_err(stored)?,
            Err(error) => return Err(ApiError::internal("removing blocks", &error)),
        }
        let sql = "DELETE FROM blocks WHERE content = ?1";
        self.database.run(move |db| db.execute(sql, [content]).map(drop)).await
    }
}

fn parse(content: &str) -> Result<ContentId, ApiError> {
    content.parse().map_err(|error| ApiError::internal("a content id in the database", &error))
}

fn stored(error: openledger_content::Error) -> ApiError {
    match error {
        openledger_content::Error::DiskFull { .. } => ApiError::disk_full(),
        other => ApiError::internal("the block store", &other),
    }
}
