//! Training: batches by plan, supervised or by preferences, AdamW, held-out evaluation, early
//! stopping, samples, and checkpoints that continue to the bit.

pub mod checkpoint;
pub mod dpo;
pub mod memory;
mod objective;
pub mod plan;
mod session;
pub mod settings;
pub mod store;

pub use dpo::{DpoRun, DpoSettings, Rewards};
pub use memory::{memory_estimate, takes_batches_whole, MemoryEstimate};
pub use objective::{batch_of, mean_loss, measure, Measured};
pub use settings::{EvalStrategy, GradientCheckpointing, TrainSettings};

use crate::data::{self, DataFile, Report};
use crate::error::{Error, Result};
use crate::lora::Adapter;
use crate::model::Model;
use crate::tokenizer::Tokenizer;
use objective::Supervised;
use session::Session;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// Stack of the training threads: candle walks the graph of operations recursively.
const STACK: usize = 64 << 20;

/// State of a run after an optimiser step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Optimiser steps finished.
    pub step: u64,
    /// Optimiser steps in all.
    pub total_steps: u64,
    /// Epochs done, with the part of the one that is under way.
    pub epoch: f64,
    /// Mean loss of the step: nats a labelled token, or the preference loss a pair.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Global norm of the gradients before clipping.
    pub grad_norm: f64,
    /// Tokens trained so far.
    pub tokens: u64,
    /// Examples (or pairs) trained on so far, each as often as it was.
    pub samples: u64,
    /// Tokens trained a second since the start or the resume, evaluations left out.
    pub tokens_per_second: f64,
    /// Rewards of the step, where preferences are trained.
    pub rewards: Option<Rewards>,
    /// Estimated time left.
    pub eta: Duration,
}

/// What happens during a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Data is ready: examples to train on and held out, and what became of the files.
    Prepared {
        /// Examples to train on.
        train: usize,
        /// Examples held out.
        held_out: usize,
        /// Optimiser steps planned.
        total_steps: u64,
        /// Tokens that will be trained on.
        total_tokens: u64,
        /// Trainable parameters.
        parameters: usize,
        /// What became of the files.
        report: Report,
    },
    /// A checkpoint was found and the run goes on from it.
    Resumed {
        /// Optimiser steps already done.
        step: u64,
    },
    /// Held-out loss (nats a token, or the preference loss a pair) before (`step` 0), during or
    /// after training.
    Evaluated {
        /// Optimiser steps done.
        step: u64,
        /// Mean loss.
        loss: f64,
    },
    /// Share of the held-out labelled tokens that are the likeliest ones, right after their
    /// [`Event::Evaluated`].
    Accuracy {
        /// Optimiser steps done.
        step: u64,
        /// The share.
        accuracy: f64,
    },
    /// The loss has risen far above where it began; said once.
    Diverging {
        /// Optimiser steps done.
        step: u64,
        /// The loss now, averaged over the last steps.
        loss: f64,
        /// What it was before: at the beginning, or the lowest average since.
        before: f64,
        /// The learning rate of the step.
        learning_rate: f64,
    },
    /// A checkpoint could not be used, and an older one is tried.
    Skipped {
        /// Which, and why.
        reason: String,
    },
    /// Rewards of the held-out preferences, right after their [`Event::Evaluated`].
    Rewards {
        /// Optimiser steps done.
        step: u64,
        /// Means over all held-out pairs.
        rewards: Rewards,
    },
    /// The adapter as it is answered one of the sample prompts.
    Sampled {
        /// Optimiser steps done.
        step: u64,
        /// The prompt.
        prompt: String,
        /// The answer.
        text: String,
    },
    /// Early stopping ended the run.
    StoppedEarly {
        /// Optimiser steps done.
        step: u64,
    },
    /// An optimiser step is done.
    Step(Progress),
    /// A checkpoint was written.
    Saved {
        /// Optimiser steps done.
        step: u64,
    },
}

/// How the caller watches and steers a run.
#[derive(Default)]
pub struct Control<'a> {
    /// Called on the training thread after each event.
    pub on_event: Option<&'a (dyn Fn(&Event) + Sync)>,
    /// Set to true to stop after the current optimiser step or in the middle of an evaluation; a
    /// checkpoint is written first.
    pub cancel: Option<&'a AtomicBool>,
    /// Folder for checkpoints. A run finds its own checkpoint here and continues from it.
    pub checkpoints: Option<PathBuf>,
    /// Name of the base model in the adapters beside kept checkpoints; the model's own when not given.
    pub base_model: Option<String>,
}

impl Control<'_> {
    fn tell(&self, event: &Event) {
        if let Some(f) = self.on_event {
            f(event);
        }
    }

    fn cancelled(&self) -> bool {
        self.cancel.is_some_and(|c| c.load(Ordering::Relaxed))
    }
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The trained adapter.
    pub adapter: Adapter,
    /// Held-out loss before training, nats a token, when anything was held out.
    pub eval_loss_before: Option<f64>,
    /// Held-out loss of [`Self::adapter`].
    pub eval_loss_after: Option<f64>,
    /// Step and held-out loss of the best evaluation while training, if there was one.
    pub best: Option<(u64, f64)>,
    /// Whether early stopping ended the run.
    pub stopped_early: bool,
    /// Mean training loss of each optimiser step (of those since the last resume).
    pub losses: Vec<f64>,
    /// Step and held-out loss of each evaluation while training (since the last resume).
    pub evaluations: Vec<(u64, f64)>,
    /// Optimiser steps.
    pub steps: u64,
    /// Mean training loss over all optimiser steps, those before a resume included.
    pub train_loss: f64,
    /// Epochs done.
    pub epoch: f64,
    /// Examples (or pairs) trained on, each as often as it was, and those of them since the last resume.
    pub samples: (u64, u64),
    /// Tokens trained on.
    pub tokens: u64,
    /// Tokens trained a second (since the last resume), evaluations left out.
    pub tokens_per_second: f64,
    /// Whether activations were recomputed to save memory.
    pub recomputed: bool,
    /// What became of the files.
    pub report: Report,
    /// Number of examples trained on and held out.
    pub examples: (usize, usize),
}

/// A training run: everything that decides its result.
pub struct Run<'a> {
    /// The frozen base model.
    pub model: Arc<Model>,
    /// Its tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// Files in their order.
    pub files: &'a [DataFile],
    /// Settings.
    pub settings: &'a TrainSettings,
}

/// Runs `f` on threads with stacks large enough for training; `threads` of them, or all.
pub fn on_training_threads<T: Send>(
    threads: Option<usize>,
    f: impl FnOnce() -> T + Send,
) -> Result<T> {
    crate::kernels::memory::keep_freed_memory();
    let mut builder = rayon::ThreadPoolBuilder::new().stack_size(STACK);
    if let Some(threads) = threads {
        builder = builder.num_threads(threads);
    }
    let pool = builder.build().map_err(|e| Error::Threads { reason: e.to_string() })?;
    Ok(pool.install(f))
}

impl Run<'_> {
    /// Trains a fresh adapter. With a checkpoint folder, continues an interrupted run to the same
    /// bytes that it would have given uninterrupted.
    pub fn train(&self, control: &Control<'_>) -> Result<Outcome> {
        self.train_adapter(None, control)
    }

    /// Trains an adapter further; its rank, scaling and targets take the place of the settings'.
    pub fn train_from(&self, initial: &Adapter, control: &Control<'_>) -> Result<Outcome> {
        self.train_adapter(Some(initial), control)
    }

    fn train_adapter(&self, initial: Option<&Adapter>, control: &Control<'_>) -> Result<Outcome> {
        let settings = self.settings;
        settings.validate()?;
        on_training_threads(settings.threads, || {
            let max_seq = settings.max_seq_length.min(self.model.config.max_position_embeddings);
            let options = settings.data_options(max_seq);
            let (all, report) = data::examples_with(self.files, self.tokenizer, &options)?;
            let (fraction, seed) = (settings.eval_fraction, settings.seed);
            let (train, held_out) = data::divide(all, |e| e.origin.evaluation, fraction, seed);
            let session = Session {
                model: &self.model,
                tokenizer: self.tokenizer,
                settings,
                control,
                objective: &Supervised { train, held_out },
                initial,
                report,
            };
            session.run()
        })?
    }
}

/// `exp(loss)`: between how many tokens, equally likely, the model wavers.
pub fn perplexity(loss: f64) -> f64 {
    crate::kernels::scalar::exp(loss)
}
