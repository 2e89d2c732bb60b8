//! What a worker does for the disputes that it is drawn for: it looks at the result, shows the hash of
//! what it found, and then the finding.
//!
//! What it found and the salt of the hash are on the disk before the hash is sent: a worker that was
//! killed in between shows the same finding.

use super::{verify, Runner, RunnerError, Verification};
use openledger_client::{finding_hash, AccountId, Wait};
use openledger_primitives::{
    api::DisputeView,
    job::dispute::{Finding, Verifier},
    JobId, Salt,
};
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often the chain is asked whether this worker is drawn.
const POLL: Duration = Duration::from_secs(3);
/// How long after a result could not be looked at it is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// So many blocks before the time for hashes ends, an adapter that still cannot be had is said to be so.
const LAST_CALL: u32 = 100;

/// What is kept of a finding until its dispute is settled.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    finding: Finding,
    /// In hexadecimal.
    salt: String,
    cause: String,
}

impl Runner {
    /// Does what this worker is drawn for, for ever.
    pub(super) async fn do_duties(&self) -> Infallible {
        loop {
            let pause = match self.look_at_duties().await {
                Ok(()) => POLL,
                Err(error) => {
                    tracing::warn!(%error, "a dispute waits; trying again in {} s", RETRY.as_secs());
                    RETRY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Goes once over all duties. One that cannot be done does not keep the others from it.
    async fn look_at_duties(&self) -> Result<(), RunnerError> {
        let duties = self.client.duties(self.account()).await?;
        self.forget_findings(&duties).await;
        let mut result = Ok(());
        for id in duties {
            if self.stopped() {
                return Ok(());
            }
            result = result.and(self.do_duty(id).await);
        }
        result
    }

    async fn do_duty(&self, id: JobId) -> Result<(), RunnerError> {
        let Some(dispute) = self.client.dispute(id).await? else { return Ok(()) };
        let account = self.account();
        let Some(own) = dispute.drawn.iter().find(|verifier| verifier.worker == account) else {
            return Ok(());
        };
        let (now, _) = self.client.best().await?;
        match own {
            Verifier { finding: Some(_), .. } => Ok(()),
            Verifier { commitment: Some(_), .. } => self.show_finding(id, &dispute, now).await,
            Verifier { commitment: None, .. } if now < dispute.commit_by => {
                self.show_hash(id, &dispute, now).await
            }
            _ => Ok(()),
        }
    }

    async fn show_hash(
        &self,
        id: JobId,
        dispute: &DisputeView<AccountId>,
        now: u32,
    ) -> Result<(), RunnerError> {
        let kept = match self.kept(id)? {
            Some(kept) => kept,
            None => {
                tracing::info!(job = id, "drawn for a dispute; looking at the result");
                let Verification { finding, cause, unavailable, .. } =
                    verify(&self.client, &*self.store, &self.options.machine, id).await?;
                if unavailable && now.saturating_add(LAST_CALL) < dispute.commit_by {
                    return Err(RunnerError::Unverifiable { job: id, cause });
                }
                let mut salt = Salt::default();
                getrandom::fill(&mut salt).map_err(|error| RunnerError::Unverifiable {
                    job: id,
                    cause: format!("no random bytes for the hash: {error}"),
                })?;
                let kept = Kept { finding, salt: hex::encode(salt), cause };
                self.keep(id, &kept)?;
                kept
            }
        };
        let salt = self.salt(id, &kept)?;
        let Kept { finding, cause, .. } = kept;
        tracing::info!(job = id, finding = finding.name(), %cause, "showing the hash of the finding");
        let hash = finding_hash(&self.account(), id, finding, &salt);
        self.client.commit_finding(&self.signer, id, hash, Wait::InBlock).await?;
        Ok(())
    }

    async fn show_finding(
        &self,
        id: JobId,
        dispute: &DisputeView<AccountId>,
        now: u32,
    ) -> Result<(), RunnerError> {
        // A transaction of now stands in the next block at the earliest.
        if now < dispute.commit_by || now >= dispute.reveal_by {
            return Ok(());
        }
        let Some(kept) = self.kept(id)? else {
            tracing::warn!(
                job = id,
                file = %self.finding_file(id).display(),
                "the finding is not on this disk; its hash cannot be opened"
            );
            return Ok(());
        };
        let (finding, salt) = (kept.finding, self.salt(id, &kept)?);
        tracing::info!(job = id, finding = finding.name(), "showing the finding");
        self.client.reveal_finding(&self.signer, id, finding, salt, Wait::InBlock).await?;
        Ok(())
    }

    fn findings(&self) -> PathBuf {
        self.options.machine.work_directory.join("findings")
    }

    fn finding_file(&self, id: JobId) -> PathBuf {
        self.findings().join(format!("{id}.json"))
    }

    /// What was found of a job before, if it was.
    fn kept(&self, id: JobId) -> Result<Option<Kept>, RunnerError> {
        let path = self.finding_file(id);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RunnerError::io("read", path)(error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| RunnerError::io("read", path)(error.into()))
    }

    fn salt(&self, id: JobId, kept: &Kept) -> Result<Salt, RunnerError> {
        let mut salt = Salt::default();
        hex::decode_to_slice(&kept.salt, &mut salt)
            .map_err(std::io::Error::other)
            .map_err(RunnerError::io("read", self.finding_file(id)))?;
        Ok(salt)
    }

    /// Keeps a finding so that it survives this program and the power.
    fn keep(&self, id: JobId, kept: &Kept) -> Result<(), RunnerError> {
        let path = self.finding_file(id);
        write_durably(&self.findings(), &path, kept).map_err(RunnerError::io("write", path))
    }

    /// Removes the findings of disputes that are settled.
    async fn forget_findings(&self, open: &[JobId]) {
        let Ok(mut entries) = tokio::fs::read_dir(self.findings()).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let name = entry.file_name();
            let job = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
            if job.is_some_and(|job: JobId| !open.contains(&job)) {
                if let Err(error) = tokio::fs::remove_file(entry.path()).await {
                    tracing::warn!(%error, file = %entry.path().display(), "an old finding stays");
                }
            }
        }
    }
}

fn write_durably(folder: &Path, path: &Path, kept: &Kept) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The name is durable with its folder.
    std::fs::File::open(folder)?.sync_all()
}
