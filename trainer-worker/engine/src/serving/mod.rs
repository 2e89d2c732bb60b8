//! Serving: many requests through one model at the same time, each with its own adapter.
//!
//! ```no_run
//! use openledger_engine::generate::Sampling;
//! use openledger_engine::serving::{Event, Request, Scheduler, ServingSettings};
//! use openledger_engine::{model::Model, tokenizer::Tokenizer};
//! use std::{path::Path, sync::Arc, time::Duration};
//!
//! let path = Path::new("SmolLM2-135M-Instruct.Q4_1.gguf");
//! let (model, tokenizer) = (Arc::new(Model::open(path)?), Arc::new(Tokenizer::open(path)?));
//! let settings = ServingSettings::default();
//! println!("{}", settings.memory(&model.config)?);
//! let server = Scheduler::start(model, tokenizer.clone(), settings)?;
//! let request = Request {
//!     prompt: tokenizer.encode("Who pays the reviewers?")?,
//!     adapter: None,
//!     adapter_key: [0; 32],
//!     sampling: Sampling::default(),
//!     client: 0,
//! };
//! let print = |event: Event| {
//!     if let Event::Text { text, .. } = event {
//!         print!("{text}");
//!     }
//!     true
//! };
//! server.submit(request, Box::new(print))?;
//! server.drain(Duration::from_secs(10));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The life of a request
//!
//! 1. [`Scheduler::submit`] checks it on the caller's thread and refuses what could never be served, or
//!    what finds the queue full.
//! 2. It waits for its client's turn and for the pages that its prompt needs. Whole pages of a beginning
//!    that was computed before are taken over.
//! 3. Its prompt is read in pieces while others decode; then it gets a token a step, and its sink the
//!    text. Where pages run out, it may have to wait again and be computed again.
//! 4. It ends with [`Event::Done`] or [`Event::Failed`], or, when it is cancelled or its sink refuses an
//!    event, without another one, within a step.
//!
//! What an answer says depends on its request alone: neither on who else asks nor on how its prompt was
//! cut, what was shared, or whether it had to wait again (docs/arithmetic.md, "Serving").
//!
//! # Parts
//!
//! * [`policy`] decides what runs, without threads and clocks, over any [`forward::Forward`];
//!   `turns` says whose turn it is, `plan` what a step computes within its bound of `work`, `prefix` keeps pages for those who begin alike, `sequence` is a
//!   request on its way;
//! * `scheduler` is the thread and its handle, `model` the engine's own model behind it;
//! * [`ServingSettings`] bounds the memory.

pub mod forward;
mod model;
mod plan;
pub mod policy;
mod prefix;
mod request;
mod scheduler;
mod sequence;
mod settings;
mod turns;
mod work;

pub use model::ModelForward;
pub use request::{Event, Refused, Request, RequestId, Sink, Usage};
pub use scheduler::{Bounds, Scheduler, Stats};
pub use settings::{ServingMemory, ServingSettings};
pub use work::{RowWork, ROW};
