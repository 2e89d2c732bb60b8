//! A file that is watched: fetched and examined by a task of its own, from when its committee is drawn on, so that who
//! hides it from its judges' eyes after the verdict has shown it before.

use crate::commands::review::run::{
    examine::{Examined, Target, Trouble, Within},
    work::{once, Shared},
};
use openledger_primitives::{BlockNumber, DatanetId, SubmissionId};
use openledger_reviewer::Fault;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinHandle};

/// Of files that nobody shows possession of.
const NO_SEED: [u8; 32] = [0; 32];

/// How far a file is.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// How often it was asked for in vain.
    pub(super) failed: u32,
    /// What was found.
    pub(super) found: Option<Examined>,
    /// Whether it is asked for no more.
    pub(super) given_up: bool,
}

/// A file that a committee has before it, or that was accepted and may be challenged.
pub(super) struct Watched {
    pub(super) datanet: DatanetId,
    pub(super) submission: SubmissionId,
    pub(super) target: Target,
    /// The block in which it was submitted.
    pub(super) submitted_at: BlockNumber,
    /// Whether its committee has accepted it.
    pub(super) is_accepted: bool,
    /// Whether it was counted as looked at.
    pub(super) is_counted: bool,
    /// When it was looked at last, and whether nothing that it may be a copy of was missing then.
    looked: Option<(Instant, bool)>,
    /// What is wrong with it.
    pub(super) fault: Option<Fault>,
    /// Why it is not challenged though something is wrong, as it was said.
    pub(super) held: Option<String>,
    /// Whether it was said that it would be challenged.
    is_told: bool,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a file is asked for.
pub(super) struct Asked {
    pub(super) datanet: DatanetId,
    pub(super) submission: SubmissionId,
    pub(super) target: Target,
    pub(super) submitted_at: BlockNumber,
    /// Between one time and the next.
    pub(super) pause: Duration,
    /// How often; without end where there is none.
    pub(super) tries: Option<u32>,
}

impl Watched {
    /// Begins.
    pub(super) fn begin(shared: Arc<Shared>, turns: Arc<Semaphore>, asked: Asked) -> Self {
        let Asked { datanet, submission, target, submitted_at, pause, tries } = asked;
        let state = Arc::new(Mutex::new(State::default()));
        let told = state.clone();
        let task = tokio::spawn(async move {
            let tell = |change: &dyn Fn(&mut State)| {
                change(&mut told.lock().unwrap_or_else(PoisonError::into_inner));
            };
            let mut failed = 0u32;
            loop {
                let Ok(turn) = turns.acquire().await else { return };
                let block = shared.timeout;
                let within = Within { block, file: block.saturating_mul(4) };
                let found = once(&shared, &NO_SEED, &target, within).await;
                drop(turn);
                match found {
                    Ok(found) => return tell(&|state| state.found = Some(found.clone())),
                    Err(Trouble::NotThere(why)) => {
                        tracing::info!(submission, "{why}");
                        failed = failed.saturating_add(1);
                        tell(&|state| state.failed = failed);
                    }
                    Err(Trouble::Ours(why)) => {
                        tracing::warn!(submission, "{why}");
                        // Of this machine's trouble no file is called missing, but a program that is to end ends.
                        if tries.is_some() {
                            return tell(&|state| state.given_up = true);
                        }
                    }
                }
                if tries.is_some_and(|tries| failed >= tries) {
                    return tell(&|state| state.given_up = true);
                }
                tokio::time::sleep(pause).await;
            }
        });
        Self {
            datanet,
            submission,
            target,
            submitted_at,
            is_accepted: false,
            is_counted: false,
            looked: None,
            fault: None,
            held: None,
            is_told: false,
            state,
            task,
        }
    }

    /// It was said that it would be challenged.
    pub(super) fn tell(&mut self) {
        (self.is_told, self.held) = (true, None);
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    pub(super) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it was asked for in vain and is not here.
    pub(super) fn is_missing(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.found.is_none() && state.failed > 0
    }

    /// Whether it was compared with everything that came before it, and nothing is wrong.
    pub(super) fn is_clear(&self) -> bool {
        self.looked.is_some_and(|(_, whole)| whole) && self.fault.is_none()
    }

    /// Whether it is due to be looked at: never before, or so long ago while something was missing.
    pub(super) fn is_due(&self, pause: Duration) -> bool {
        self.looked.is_none_or(|(at, whole)| !whole && at.elapsed() >= pause)
    }

    /// It was looked at, with everything that it may be a copy of or without.
    pub(super) fn looked(&mut self, whole: bool, fault: Option<Fault>) {
        self.looked = Some((Instant::now(), whole));
        self.fault = fault.or(self.fault);
    }
}
