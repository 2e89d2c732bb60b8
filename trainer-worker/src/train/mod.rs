//! The training loop: batches by plan, loss averaged over all answer tokens of an optimiser step,
//! AdamW, held-out evaluation before and after, checkpoints that continue to the bit.

pub mod checkpoint;
pub mod plan;
pub mod settings;

pub use settings::TrainSettings;

use crate::data::{self, DataFile, Example, Report};
use crate::error::{Error, Result};
use crate::lora::{assert_gradients, Adapter};
use crate::model::forward::{Batch, DropoutAt, Runner};
use crate::model::Model;
use crate::optim::{clip_by_global_norm, AdamW};
use crate::tokenizer::Tokenizer;
use checkpoint::Checkpoint;
use plan::Plan;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stack of the training threads: candle walks the graph of operations recursively.
const STACK: usize = 64 << 20;
/// Optimiser steps after a start or a resume whose gradients are checked in full.
const CHECKED_STEPS: u64 = 3;
/// Sequences evaluated at once.
const EVAL_TOKENS: usize = 1024;

/// State of a run after an optimiser step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Optimiser steps finished.
    pub step: u64,
    /// Optimiser steps in all.
    pub total_steps: u64,
    /// Mean loss of the step, nats a labelled token.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Global norm of the gradients before clipping.
    pub grad_norm: f64,
    /// Tokens trained so far.
    pub tokens: u64,
    /// Tokens trained a second since the start or the resume.
    pub tokens_per_second: f64,
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
    /// Held-out loss, nats a token, before (`step` 0) or after training.
    Evaluated {
        /// Optimiser steps done.
        step: u64,
        /// Mean loss.
        loss: f64,
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
    /// Set to true to stop after the current optimiser step; a checkpoint is written first.
    pub cancel: Option<&'a AtomicBool>,
    /// Folder for checkpoints. A run finds its own checkpoint here and continues from it.
    pub checkpoints: Option<PathBuf>,
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
    /// Held-out loss after training.
    pub eval_loss_after: Option<f64>,
    /// Mean training loss of each optimiser step (of those since the last resume).
    pub losses: Vec<f64>,
    /// Optimiser steps.
    pub steps: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Tokens trained a second (since the last resume).
    pub tokens_per_second: f64,
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
    let mut builder = rayon::ThreadPoolBuilder::new().stack_size(STACK);
    if let Some(threads) = threads {
        builder = builder.num_threads(threads);
    }
    let pool = builder.build().map_err(|e| Error::Threads { reason: e.to_string() })?;
    Ok(pool.install(f))
}

impl Run<'_> {
    /// Trains an adapter. With a checkpoint folder, continues an interrupted run to the same bytes
    /// that it would have given uninterrupted.
    pub fn train(&self, control: &Control<'_>) -> Result<Outcome> {
        self.settings.validate()?;
        on_training_threads(self.settings.threads, || self.train_here(control))?
    }

    fn train_here(&self, control: &Control<'_>) -> Result<Outcome> {
        let settings = self.settings;
        let max_seq = settings.max_seq_length.min(self.model.config.max_position_embeddings);
        let (all, report) = data::examples(self.files, self.tokenizer, max_seq)?;
        let (train, held_out) = data::split(all, settings.eval_fraction, settings.seed);
        let plan = Plan::new(settings, &train);
        if plan.total_steps == 0 {
            return Err(Error::NoExamples {
                reason:
                    "not even one optimiser step fits; raise max_tokens or lower the batch size"
                        .to_owned(),
            });
        }
        let lora = settings.lora(&self.model.config)?;
        let adapter = Adapter::new(lora, &self.model.config, settings.seed);
        control.tell(&Event::Prepared {
            train: train.len(),
            held_out: held_out.len(),
            total_steps: plan.total_steps,
            total_tokens: plan.total_tokens,
            parameters: adapter.parameters(),
            report: report.clone(),
        });
        let fingerprint = checkpoint::fingerprint(settings, &self.model.config, &train, &held_out);
        let runner = Runner::new(self.model.clone(), max_seq)?;
        let optimizer = AdamW::new(&adapter.layers, settings.weight_decay);
        let mut state = Checkpoint {
            fingerprint,
            step: 0,
            tokens: 0,
            eval_loss_before: None,
            parameters: adapter.layers.clone(),
            optimizer,
        };
        let path = control.checkpoints.as_deref().map(checkpoint::file_in);
        if let Some(path) = path.as_deref().filter(|p| p.exists()) {
            state = Checkpoint::load(path, &state)?;
            control.tell(&Event::Resumed { step: state.step });
        }
        if let Some(dir) = &control.checkpoints {
            std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        }
        let mut adapter = adapter;
        adapter.layers.clone_from(&state.parameters);
        if state.eval_loss_before.is_none() {
            // Before the first step `B` is zero: the adapter is the base model.
            state.eval_loss_before = mean_loss(&runner, &held_out, Some(&adapter))?;
            if let Some(loss) = state.eval_loss_before {
                control.tell(&Event::Evaluated { step: 0, loss });
            }
        }
        let mut steps = Loop { run: self, control, runner: &runner, train: &train, plan };
        let (losses, tokens_per_second) = steps.go(&mut state, &mut adapter, path.as_deref())?;
        let eval_loss_after = mean_loss(&runner, &held_out, Some(&adapter))?;
        if let Some(loss) = eval_loss_after {
            control.tell(&Event::Evaluated { step: state.step, loss });
        }
        Ok(Outcome {
            adapter,
            eval_loss_before: state.eval_loss_before,
            eval_loss_after,
            losses,
            steps: state.step,
            tokens: state.tokens,
            tokens_per_second,
            report,
            examples: (train.len(), held_out.len()),
        })
    }
}

struct Loop<'a> {
    run: &'a Run<'a>,
    control: &'a Control<'a>,
    runner: &'a Runner,
    train: &'a [Example],
    plan: Plan,
}

impl Loop<'_> {
    fn go(
        &mut self,
        state: &mut Checkpoint,
        adapter: &mut Adapter,
        path: Option<&Path>,
    ) -> Result<(Vec<f64>, f64)> {
        let settings = self.run.settings;
        let total = self.plan.total_steps;
        let warmup = settings.warmup(total);
        let started = Instant::now();
        let (first, tokens_before) = (state.step, state.tokens);
        let mut losses = Vec::new();
        let mut rate = 0.0;
        while state.step < total {
            let step = state.step;
            let learning_rate =
                settings.learning_rate * settings.lr_scheduler_type.factor(step, warmup, total);
            let batches = self.plan.step(step);
            let (loss, mut gradients) =
                self.gradients(&batches, adapter, step, step - first < CHECKED_STEPS)?;
            let grad_norm = clip_by_global_norm(&mut gradients, settings.max_grad_norm);
            if !(loss.is_finite() && grad_norm.is_finite()) {
                return Err(Error::Diverged { step: step + 1, loss, learning_rate });
            }
            state.optimizer.update(&mut adapter.layers, &gradients, learning_rate);
            state.step += 1;
            state.tokens += self.plan.tokens(&batches);
            losses.push(loss);
            let elapsed = started.elapsed().as_secs_f64();
            rate = (state.tokens - tokens_before) as f64 / elapsed.max(1e-9);
            let left = elapsed / (state.step - first) as f64 * (total - state.step) as f64;
            self.control.tell(&Event::Step(Progress {
                step: state.step,
                total_steps: total,
                loss,
                learning_rate,
                grad_norm,
                tokens: state.tokens,
                tokens_per_second: rate,
                eta: Duration::from_secs_f64(left),
            }));
            let cancelled = self.control.cancelled();
            let due = settings.save_steps > 0 && state.step.is_multiple_of(settings.save_steps);
            if let Some(path) = path.filter(|_| cancelled || due || state.step == total) {
                state.parameters.clone_from(&adapter.layers);
                state.save(path)?;
                self.control.tell(&Event::Saved { step: state.step });
            }
            if cancelled && state.step < total {
                return Err(Error::Cancelled { step: state.step });
            }
        }
        Ok((losses, rate))
    }

    /// Mean loss over all labelled tokens of a step's micro-batches, and its gradient.
    fn gradients(
        &self,
        batches: &[Vec<usize>],
        adapter: &Adapter,
        step: u64,
        check: bool,
    ) -> Result<(f64, Vec<Vec<f32>>)> {
        let batches: Vec<Batch> = batches
            .iter()
            .map(|indices| batch_of(indices.iter().filter_map(|i| self.train.get(*i))))
            .collect();
        let labelled: usize = batches.iter().map(|b| b.targets.len()).sum();
        let scale = 1.0 / labelled.max(1) as f64;
        let mut loss = 0.0;
        let mut sum: Vec<Option<Vec<f32>>> = vec![None; adapter.layers.len()];
        for (micro, batch) in batches.iter().enumerate() {
            if batch.targets.is_empty() {
                continue;
            }
            let seed = self.run.settings.seed;
            let at = DropoutAt { seed, step, micro: micro as u64 };
            let result = self.runner.loss_and_gradients(batch, adapter, scale, Some(at))?;
            loss += result.loss_sum * scale;
            for (sum, gradient) in sum.iter_mut().zip(result.gradients) {
                match (sum.as_mut(), gradient) {
                    (Some(sum), Some(g)) => sum.iter_mut().zip(&g).for_each(|(s, g)| *s += g),
                    (None, Some(g)) => *sum = Some(g),
                    (_, None) => {}
                }
            }
        }
        if check {
            assert_gradients(adapter, &sum, step + 1)?;
        }
        let gradients = sum
            .into_iter()
            .zip(&adapter.layers)
            .map(|(g, p)| g.unwrap_or_else(|| vec![0.0; p.len()]))
            .collect();
        Ok((loss, gradients))
    }
}

/// A batch of examples.
pub fn batch_of<'a>(examples: impl Iterator<Item = &'a Example>) -> Batch {
    let sequences: Vec<(&[u32], &[bool])> =
        examples.map(|e| (e.tokens.as_slice(), e.labels.as_slice())).collect();
    Batch::new(&sequences)
}

/// Mean loss over the labelled tokens of examples, nats a token; `None` when there are none.
pub fn mean_loss(
    runner: &Runner,
    examples: &[Example],
    adapter: Option<&Adapter>,
) -> Result<Option<f64>> {
    let mut sum = 0.0;
    let mut count = 0usize;
    let mut from = 0;
    while from < examples.len() {
        let mut to = from + 1;
        let mut tokens = examples[from].tokens.len();
        while to < examples.len() && tokens + examples[to].tokens.len() <= EVAL_TOKENS {
            tokens += examples[to].tokens.len();
            to += 1;
        }
        let batch = batch_of(examples[from..to].iter());
        if !batch.targets.is_empty() {
            sum += runner.loss(&batch, adapter)?;
            count += batch.targets.len();
        }
        from = to;
    }
    Ok((count > 0).then(|| sum / count as f64))
}
