//! Trainer worker.
