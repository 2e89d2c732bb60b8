//! Small files that the gateway keeps for readers by itself: the chain does not name them, and the IPFS node
//! serves them all the same, for as long as they stand here.

use super::database::{none_is, signed, unsigned};
use super::named::{Named, Role};
use super::Uploads;
use crate::error::ApiError;
use async_trait::async_trait;
use openledger_primitives::{ContentId, FileHash};
use sha2::{Digest, Sha256};

/// Gives files to readers.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Keeps bytes and serves them by the content id that is answered.
    ///
    /// # Errors
    ///
    /// 500, 507.
    async fn publish(&self, bytes: Vec<u8>) -> Result<ContentId, ApiError>;
}

#[async_trait]
impl Publisher for Uploads {
    async fn publish(&self, bytes: Vec<u8>) -> Result<ContentId, ApiError> {
        let (sha256, size) = (FileHash::from(Sha256::digest(&bytes)), bytes.len() as u64);
        self.check_disk(size).await?;
        self.blobs().make_room(size, self.options().arguments.storage).await?;
        let path = self.0.staging.unsigned_path()?;
        let written = |error| ApiError::internal("keeping a file", &error);
        tokio::fs::write(&path, bytes).await.map_err(written)?;
        let added = self.blobs().add(&path, sha256).await;
        tokio::fs::remove_file(&path).await.map_err(written)?;
        let content = added?.content;
        let sql = "INSERT OR IGNORE INTO published VALUES(?1, ?2, ?3)";
        let row = (content.to_string(), sha256, signed(size));
        self.database().run(move |db| db.execute(sql, row).map(drop)).await?;
        Ok(content)
    }
}

impl Uploads {
    /// A file that is kept here by itself.
    pub(crate) async fn published(&self, content: ContentId) -> Result<Option<Named>, ApiError> {
        let (sql, id) =
            ("SELECT sha256, size FROM published WHERE content = ?1", content.to_string());
        let found = self.database().run(move |db| {
            db.query_row(sql, [id], |row| Ok(Some((row.get(0)?, unsigned(row, 1)?))))
                .or_else(none_is(None))
        });
        Ok(found.await?.map(|(sha256, size)| Named {
            content,
            sha256: Some(sha256),
            size: Some(size),
            media: None,
            role: Role::Published,
        }))
    }
}
