//! Dropping what nobody names.

use super::database::now;
use super::{Inner, Uploads};
use crate::error::ApiError;
use std::sync::Weak;
use std::time::Duration;

/// Claims or files that are looked at in one go.
const PAGE: u32 = 200;

/// Sweeps for as long as uploads are there.
pub(super) fn start(uploads: &Uploads) {
    let inner: Weak<Inner> = std::sync::Arc::downgrade(&uploads.0);
    let keep = uploads.options().arguments.keep_unnamed;
    let pause = Duration::from_secs((keep / 4).clamp(1, 60));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            let Some(inner) = inner.upgrade() else { return };
            // A node that is away is no reason to drop anything: the rest waits.
            if let Err(error) = Uploads(inner).sweep().await {
                tracing::warn!(error = %error.body().error.message, "files were not looked through");
            }
        }
    });
}

impl Uploads {
    /// The moment before which what nobody has asked for since is dropped.
    fn limit(&self) -> i64 {
        let keep = self.options().arguments.keep_unnamed.saturating_mul(1000);
        now().saturating_sub(i64::try_from(keep).unwrap_or(i64::MAX))
    }

    async fn sweep(&self) -> Result<(), ApiError> {
        loop {
            let old = self.0.staging.older_than(self.limit(), PAGE).await?;
            for (account, sha256) in &old {
                let _admitting = self.0.admitting.lock().await;
                self.0.staging.release(*account, *sha256).await?;
            }
            if old.len() < PAGE as usize {
                break;
            }
        }
        if !self.ask(self.0.chain.is_current()).await? {
            return Ok(());
        }
        self.0.staging.sweep_unclaimed(self.limit()).await?;
        let mut after = None;
        loop {
            let page = self.blobs().page(after, PAGE).await?;
            for (sha256, blob) in &page {
                after = Some(blob.content);
                let named = match blob.uploaded {
                    true => {
                        self.file(*sha256).await?.is_some()
                            || self.published(blob.content).await?.is_some()
                    }
                    // An adapter or a model has no submission.
                    false => self.content(blob.content).await?.is_some(),
                };
                if named && blob.uploaded {
                    self.blobs().keep(blob.content).await?;
                }
                if named {
                    continue;
                }
                if self.blobs().remove(blob.content, self.limit()).await? {
                    tracing::info!(content = %blob.content, "dropped a file that nobody names");
                }
            }
            if page.len() < PAGE as usize {
                break;
            }
        }
        self.blobs().sweep().await
    }
}
