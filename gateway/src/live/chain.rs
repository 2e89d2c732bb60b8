//! Who has which job.

use crate::error::ApiError;
use async_trait::async_trait;
use openledger_client::{AccountId, Client};
use openledger_primitives::JobId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Who has a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Workers that gave it up before.
    pub attempt: u8,
    /// Who has it now, or had it when it was over.
    pub worker: AccountId,
}

/// Knows who has which job.
#[async_trait]
pub trait Assignments: Send + Sync {
    /// Who has a job; nobody where it is queued, has ended without a result, or is not there.
    ///
    /// # Errors
    ///
    /// Where the chain does not answer.
    async fn assigned(&self, job: JobId) -> Result<Option<Assigned>, ApiError>;
}

#[async_trait]
impl Assignments for Client {
    async fn assigned(&self, job: JobId) -> Result<Option<Assigned>, ApiError> {
        let job = self.job(job).await?;
        Ok(job.and_then(|job| {
            let worker = job.assignment()?.worker;
            Some(Assigned { attempt: job.attempts, worker })
        }))
    }
}

/// Assignments that a test makes up.
#[derive(Default)]
pub struct Planted(Mutex<HashMap<JobId, Assigned>>);

impl Planted {
    /// Gives a job to a worker.
    pub fn assign(&self, job: JobId, assigned: Option<Assigned>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match assigned {
            Some(assigned) => all.insert(job, assigned),
            None => all.remove(&job),
        };
    }
}

#[async_trait]
impl Assignments for Planted {
    async fn assigned(&self, job: JobId) -> Result<Option<Assigned>, ApiError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&job).copied())
    }
}
