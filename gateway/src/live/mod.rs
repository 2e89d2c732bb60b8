//! Live training: what workers tell of the jobs that they have, kept and relayed (docs/live.md).
//!
//! A batch is taken only from the account that the chain assigned to the attempt, signed by it, under the
//! next number. What is kept is what the worker said, never what the gateway knows: every answer says
//! `"reportedBy": "worker"`.

pub mod api;
mod chain;
mod store;
mod stream;

pub use chain::{Assigned, Assignments, Planted};
pub use store::{Attempt, Kept, Limits, Store, StoreError, Taken};

use crate::error::ApiError;
use crate::index::{STREAMS, STREAMS_OF_ADDRESS};
use crate::places::Places;
use axum::extract::FromRef;
use openledger_client::{AccountId, H256};
use openledger_primitives::JobId;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long an answer of the chain about a job counts.
const FRESH: Duration = Duration::from_secs(6);
/// Jobs whose assignment is remembered.
const REMEMBERED: usize = 1_000;
/// Shortest time between two batches of an attempt, and how many may come at once after a pause.
const PACE: (Duration, f64) = (Duration::from_millis(100), 20.0);

/// What the handlers share.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    store: Store,
    chain: Arc<dyn Assignments>,
    genesis: H256,
    assigned: Mutex<HashMap<JobId, (Instant, Option<Assigned>)>>,
    paces: Mutex<HashMap<(JobId, u8), (Instant, f64)>>,
    streams: Places,
}

impl Live {
    /// Keeps metrics in `live.sqlite` of a folder.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the file cannot be opened.
    pub fn open(
        directory: &Path,
        limits: Limits,
        chain: Arc<dyn Assignments>,
        genesis: H256,
    ) -> Result<Self, StoreError> {
        let store = Store::open(&directory.join("live.sqlite"), genesis, limits)?;
        let (assigned, paces) = (Mutex::default(), Mutex::default());
        let streams = Places::new("streams of runs", STREAMS, STREAMS_OF_ADDRESS);
        Ok(Self(Arc::new(Inner { store, chain, genesis, assigned, paces, streams })))
    }

    /// Places for readers of streams.
    pub(crate) fn streams(&self) -> &Places {
        &self.0.streams
    }

    /// What is kept.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Who has a job, as the chain said lately. An answer that would refuse is always a fresh one.
    async fn assigned(
        &self,
        job: JobId,
        enough: impl Fn(&Assigned) -> bool,
    ) -> Result<Option<Assigned>, ApiError> {
        let known =
            self.0.assigned.lock().unwrap_or_else(PoisonError::into_inner).get(&job).copied();
        if let Some((at, Some(assigned))) = known {
            if at.elapsed() < FRESH && enough(&assigned) {
                return Ok(Some(assigned));
            }
        }
        let assigned = self.0.chain.assigned(job).await?;
        let mut all = self.0.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if all.len() < REMEMBERED {
            all.insert(job, (Instant::now(), assigned));
        }
        Ok(assigned)
    }

    /// Takes from an attempt's allowance.
    fn pace(&self, job: JobId, attempt: u8) -> Result<(), ApiError> {
        let mut paces = self.0.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let (every, most) = PACE;
        // Who is not heard of any longer has a full allowance again.
        let full = every.mul_f64(most);
        if paces.len() >= REMEMBERED {
            paces.retain(|_, (at, _)| at.elapsed() < full);
        }
        let now = Instant::now();
        let (at, left) = paces.entry((job, attempt)).or_insert((now, most));
        let earned = now.duration_since(*at).as_secs_f64() / every.as_secs_f64();
        let allowance = (*left + earned).min(most);
        *at = now;
        if allowance < 1.0 {
            *left = allowance;
            return Err(ApiError::too_many(
                1,
                "batches of this attempt come too fast; gather them",
            ));
        }
        *left = allowance - 1.0;
        Ok(())
    }
}

/// A batch with the words of its headers.
struct Signed {
    account: AccountId,
    number: u64,
    signature: [u8; 64],
}

/// The routes.
pub fn routes<S>() -> OpenApiRouter<S>
where
    Live: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    OpenApiRouter::new()
        .routes(routes!(api::post))
        .routes(routes!(api::get))
        .routes(routes!(stream::follow))
}
