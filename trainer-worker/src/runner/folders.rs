//! The folder that each job has in the work directory: its checkpoints, its files, and its adapter until
//! that is served.

use super::{Runner, RunnerError};
use openledger_content::Added;
use openledger_primitives::JobId;
use std::path::Path;
use tokio::io::AsyncWriteExt;

/// The adapter in a job's folder, until its result stands on chain.
const ADAPTER: &str = "adapter.safetensors";

impl Runner {
    /// Keeps an adapter so that it survives this program and the power, and says what it is on IPFS.
    ///
    /// Nobody is served it before its result stands: an owner that saw the content id in the pool would
    /// fetch it, and call the job off for less than its price.
    pub(super) async fn keep_adapter(
        &self,
        id: JobId,
        bytes: Vec<u8>,
    ) -> Result<Added, RunnerError> {
        let path = self.folder(id).join(ADAPTER);
        write_durably(&path, bytes).await.map_err(RunnerError::io("write", &path))?;
        Ok(self.store.describe_file(&path).await?)
    }

    /// Serves the adapter of a job whose result stands on chain.
    pub(super) async fn publish(&self, id: JobId) -> Result<(), RunnerError> {
        let path = self.folder(id).join(ADAPTER);
        if tokio::fs::try_exists(&path).await.unwrap_or(false) {
            let added = self.store.add_file(&path).await?;
            tracing::info!(job = id, content = %added.content, "serving the adapter");
        }
        Ok(())
    }

    /// Removes what is left of a job that is no longer this worker's.
    pub(super) async fn forget(&self, id: JobId) {
        let folder = self.folder(id);
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, folder = %folder.display(), "the job's folder stays");
            }
            _ => {}
        }
    }

    /// Removes what is left of all jobs but the one that this worker has.
    pub(super) async fn tidy(&self) -> Result<(), RunnerError> {
        let own = self.client.worker(self.account()).await?.and_then(|worker| worker.job);
        let Ok(mut entries) = tokio::fs::read_dir(&self.options.machine.work_directory).await
        else {
            // There is no such folder yet.
            return Ok(());
        };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let name = entry.file_name();
            let job =
                name.to_str().and_then(|name| name.strip_prefix("job-")?.parse::<JobId>().ok());
            if let Some(job) = job.filter(|job| Some(*job) != own) {
                // Killed right after the result was posted: it is served from now on.
                if self.has_result(job).await? {
                    if let Err(error) = self.publish(job).await {
                        tracing::error!(job, %error, "its adapter is still not served");
                        continue;
                    }
                }
                tracing::info!(job, "removing what is left of a job");
                self.forget(job).await;
            }
        }
        Ok(())
    }
}

async fn write_durably(path: &Path, bytes: Vec<u8>) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut file = tokio::fs::File::create(path).await?;
    file.write_all(&bytes).await?;
    file.sync_all().await
}
