//! How a training and the server share the threads of one process.
//!
//! Both have threads of their own and the system divides the processors between them. So that answers
//! do not slow down to half, a training rests after each of its steps while requests are served, for as
//! long as makes its part of the time the share that the settings say.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest rest after one step of training.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How often a rest looks whether the training was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// Lets a training wait its turn. One for each server; the training's thread asks it between steps.
#[derive(Debug)]
pub struct TrainingGate {
    share: f64,
    busy: Mutex<bool>,
    changed: Condvar,
}

impl TrainingGate {
    pub(super) fn new(share: f64) -> Self {
        Self { share, busy: Mutex::new(false), changed: Condvar::new() }
    }

    pub(super) fn set_busy(&self, busy: bool) {
        let mut now = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if *now != busy {
            *now = busy;
            self.changed.notify_all();
        }
    }

    /// Whether requests are served.
    pub fn is_busy(&self) -> bool {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests after a step of training that took `spent`, until the training may go on: at once where no
    /// requests are served, and as soon as none is; at the latest when the step was the stated share of
    /// the time. Ends early when `go_on` says no. Returns the time rested.
    pub fn rest(&self, spent: Duration, go_on: impl Fn() -> bool) -> Duration {
        let rest = spent.mul_f64((1.0 - self.share) / self.share).min(LONGEST_REST);
        let started = Instant::now();
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        while *busy {
            let left = rest.saturating_sub(started.elapsed());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(busy, left.min(LOOK));
            busy = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *busy {
                drop(busy);
                if !go_on() {
                    break;
                }
                busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
        started.elapsed()
    }
}
