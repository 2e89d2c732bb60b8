//! One run from its first step, or from its checkpoint, to its outcome.

use super::checkpoint::{self, Best, Checkpoint};
use super::objective::{Evaluation, Objective};
use super::plan::Plan;
use super::settings::EvalStrategy;
use super::store::Store;
use super::{memory, Control, Event, Outcome, Progress, TrainSettings};
use crate::data::Report;
use crate::error::{Error, Result};
use crate::generate::{generate, Sampling};
use crate::lora::{assert_gradients, targets, Adapter};
use crate::model::forward::DropoutAt;
use crate::model::passes::{self, PassSettings, Passes};
use crate::model::Model;
use crate::optim::{clip_by_global_norm, AdamW};
use crate::tokenizer::{Message, Tokenizer};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Optimiser steps after a start or a resume whose gradients are checked in full.
const CHECKED_STEPS: u64 = 3;

/// Everything that a run works with.
pub(super) struct Session<'a, O: Objective> {
    pub(super) model: &'a Arc<Model>,
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) settings: &'a TrainSettings,
    pub(super) control: &'a Control<'a>,
    pub(super) objective: &'a O,
    pub(super) initial: Option<&'a Adapter>,
    pub(super) report: Report,
}

/// What a run has seen since its start or resume.
#[derive(Default)]
struct Seen {
    losses: Vec<f64>,
    evaluations: Vec<(u64, f64)>,
    rate: f64,
    /// The loss averaged over the last steps, the lowest such average, and whether it was said that it
    /// rises.
    recent: f64,
    lowest: f64,
    said: bool,
}

/// Weight of a step's loss in the average over the last ones.
const WEIGHT: f64 = 0.2;
/// Steps after which a rise above the beginning says something.
const EARLY: usize = 4;
/// Steps after which the lowest average says more than the beginning.
const LATE: usize = 20;

impl Seen {
    /// A loss that it had before and the loss now, both averaged, once it has risen by half and by more
    /// than a nat: noise of small batches does neither.
    fn divergence(&mut self, loss: f64) -> Option<(f64, f64)> {
        let count = self.losses.len();
        self.recent = if count <= 1 { loss } else { self.recent + (loss - self.recent) * WEIGHT };
        let before = match self.losses.as_slice() {
            [first, second, ..] if count < LATE => (first + second) / 2.0,
            _ => self.lowest,
        };
        if count + 1 >= LATE {
            self.lowest =
                if self.lowest > 0.0 { self.lowest.min(self.recent) } else { self.recent };
        }
        let enough = count >= EARLY && before > 0.0;
        let risen = self.recent > before * 1.5 && self.recent > before + 1.5;
        let say = enough && risen && !self.said;
        self.said |= say;
        say.then_some((before, self.recent))
    }
}

impl<O: Objective> Session<'_, O> {
    pub(super) fn run(&self) -> Result<Outcome> {
        let (settings, control) = (self.settings, self.control);
        let mut plan = Plan::of_lengths(settings, self.objective.lengths());
        if plan.total_steps == 0 {
            return Err(Error::NoExamples {
                reason:
                    "not even one optimiser step fits; raise max_tokens or lower the batch size"
                        .to_owned(),
            });
        }
        let mut adapter = match self.initial {
            Some(initial) => initial.clone(),
            None => {
                let lora = settings.lora(&self.model.config)?;
                Adapter::fresh(lora, self.model, settings.seed)?
            }
        };
        adapter.check_fits(&self.model.config)?;
        targets::check(&self.model.config, &adapter.config)?;
        let max_seq = settings.max_seq_length.min(self.model.config.max_position_embeddings);
        self.model.config.check_batched_length(max_seq)?;
        let whole = self.objective.whole_batches();
        let recompute = memory::choose_recompute(self.model, &adapter, settings, &plan, whole)?;
        let passes = PassSettings {
            max_tokens: max_seq,
            recompute,
            neftune_alpha: settings.neftune_noise_alpha,
        };
        let passes = passes::open(self.model, settings.arithmetic, passes)?;
        let passes = &*passes;
        let examples = self.objective.counts();
        control.tell(&Event::Prepared {
            train: examples.0,
            held_out: examples.1,
            total_steps: plan.total_steps,
            total_tokens: plan.total_tokens,
            parameters: adapter.parameters(),
            report: self.report.clone(),
        });
        let store = control.checkpoints.as_deref().map(|dir| Store {
            directory: dir,
            limit: settings.save_total_limit,
            base_model: control.base_model.as_deref().unwrap_or(&self.model.config.name),
        });
        let mut state = self.restore(&mut adapter, store.as_ref())?;
        let samples_before = state.samples;
        if state.eval_loss_before.is_none() {
            // Before the first step `B` is zero: a fresh adapter is the base model.
            match self.evaluate(passes, &adapter, state.step)? {
                Evaluation::Done { loss, .. } => state.eval_loss_before = Some(loss),
                Evaluation::Nothing => {}
                Evaluation::Cancelled => return Err(Error::Cancelled { step: state.step }),
            }
        }
        let mut seen = Seen::default();
        self.steps(&mut plan, passes, &mut state, &mut adapter, store.as_ref(), &mut seen)?;
        let eval_loss_after = self.finish(passes, &state, &mut adapter, &seen)?;
        Ok(Outcome {
            adapter,
            eval_loss_before: state.eval_loss_before,
            eval_loss_after,
            best: state.best.as_ref().map(|b| (b.step, b.loss)),
            stopped_early: self.patience_is_over(&state) && state.step < plan.total_steps,
            losses: seen.losses,
            evaluations: seen.evaluations,
            steps: state.step,
            train_loss: state.loss_sum / state.step.max(1) as f64,
            epoch: plan.epochs(state.step),
            samples: (state.samples, state.samples - samples_before.min(state.samples)),
            tokens: state.tokens,
            tokens_per_second: seen.rate,
            recomputed: recompute,
            report: self.report.clone(),
            examples,
        })
    }

    /// The state of the checkpoint, or a fresh one.
    fn restore(&self, adapter: &mut Adapter, store: Option<&Store<'_>>) -> Result<Checkpoint> {
        let settings = self.settings;
        let text = format!(
            "{} {} {:?} {:?}",
            settings.fingerprint(),
            self.objective.settings(),
            adapter.config,
            adapter.layouts
        );
        let config = &self.model.config;
        let digest = |add: &mut dyn FnMut(&[u8])| {
            // Another base of the same shape, or the same one rounded to NF4, gives other bytes.
            self.model.first_rows(&mut |row| {
                add(&row.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
            });
            self.objective.digest(add);
        };
        let mut state = Checkpoint {
            fingerprint: checkpoint::fingerprint(&text, config, &adapter.layers, digest),
            step: 0,
            tokens: 0,
            samples: 0,
            loss_sum: 0.0,
            eval_loss_before: None,
            evaluated: 0,
            best: None,
            without_improvement: 0,
            parameters: adapter.layers.clone(),
            optimizer: AdamW {
                beta1: settings.adam_beta1,
                beta2: settings.adam_beta2,
                eps: settings.adam_epsilon,
                ..AdamW::new(&adapter.layers, settings.weight_decay)
            },
        };
        if let Some(store) = store {
            let skipped = |reason: String| self.control.tell(&Event::Skipped { reason });
            if let Some(found) = store.newest(&state, skipped)? {
                state = found;
                self.control.tell(&Event::Resumed { step: state.step });
            }
        }
        if let Some(dir) = &self.control.checkpoints {
            std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        }
        adapter.layers.clone_from(&state.parameters);
        Ok(state)
    }

    fn steps(
        &self,
        plan: &mut Plan,
        passes: &dyn Passes,
        state: &mut Checkpoint,
        adapter: &mut Adapter,
        store: Option<&Store<'_>>,
        seen: &mut Seen,
    ) -> Result<()> {
        let (settings, control) = (self.settings, self.control);
        let total = plan.total_steps;
        let warmup = settings.warmup(total);
        let factors = adapter.rate_factors(settings.loraplus_lr_ratio.unwrap_or(1.0));
        let started = Instant::now();
        // Time spent on evaluation and samples says nothing about the speed of training.
        let mut training = Duration::ZERO;
        let (first, tokens_before) = (state.step, state.tokens);
        loop {
            let step = state.step;
            let mut changed = step > first;
            let mut cancelled = false;
            let evaluation_due = step > 0 && self.evaluation_due(step, plan);
            if evaluation_due && state.evaluated < step {
                match self.evaluate(passes, adapter, step)? {
                    Evaluation::Done { loss, .. } => {
                        self.judge(loss, state, adapter);
                        seen.evaluations.push((step, loss));
                        changed = true;
                    }
                    Evaluation::Nothing => state.evaluated = step,
                    Evaluation::Cancelled => cancelled = true,
                }
            }
            let sampling = match settings.sample_steps {
                Some(every) => step > 0 && step.is_multiple_of(every),
                None => evaluation_due,
            };
            if sampling && step > first && !cancelled {
                self.sample(adapter, step)?;
            }
            let over = step >= total || self.patience_is_over(state);
            cancelled |= control.cancelled() && !over;
            let due = settings.save_steps > 0 && step.is_multiple_of(settings.save_steps);
            if let Some(store) = store.filter(|_| changed && (cancelled || due || over)) {
                state.parameters.clone_from(&adapter.layers);
                store.save(state, adapter)?;
                control.tell(&Event::Saved { step });
            }
            if cancelled {
                return Err(Error::Cancelled { step });
            }
            if over {
                if step < total {
                    control.tell(&Event::StoppedEarly { step });
                }
                return Ok(());
            }
            let begun = Instant::now();
            let factor = settings.lr_scheduler_type.factor(step, warmup, total);
            let learning_rate = settings.learning_rate * factor;
            let batches = plan.step(step);
            let at = DropoutAt { seed: settings.seed, step, micro: 0 };
            let result = self.objective.gradients(passes, &batches, adapter, at)?;
            if step - first < CHECKED_STEPS {
                assert_gradients(adapter, &result.gradients, step + 1)?;
            }
            let loss = result.loss;
            let mut gradients: Vec<Vec<f32>> = result
                .gradients
                .into_iter()
                .zip(&adapter.layers)
                .map(|(g, p)| g.unwrap_or_else(|| vec![0.0; p.len()]))
                .collect();
            let grad_norm = clip_by_global_norm(&mut gradients, settings.max_grad_norm);
            if !(loss.is_finite() && grad_norm.is_finite()) {
                return Err(Error::Diverged { step: step + 1, loss, learning_rate });
            }
            let layers = &mut adapter.layers;
            state.optimizer.update_with(layers, &gradients, learning_rate, &factors);
            state.step += 1;
            state.tokens += plan.tokens(&batches);
            state.samples += batches.iter().map(Vec::len).sum::<usize>() as u64;
            state.loss_sum += loss;
            seen.losses.push(loss);
            training += begun.elapsed();
            seen.rate = (state.tokens - tokens_before) as f64 / training.as_secs_f64().max(1e-9);
            let per_step = started.elapsed().as_secs_f64() / (state.step - first) as f64;
            control.tell(&Event::Step(Progress {
                step: state.step,
                total_steps: total,
                epoch: plan.epochs(state.step),
                loss,
                learning_rate,
                grad_norm,
                tokens: state.tokens,
                samples: state.samples,
                tokens_per_second: seen.rate,
                rewards: result.rewards,
                eta: Duration::from_secs_f64(per_step * (total - state.step) as f64),
            }));
            if let Some((before, now)) = seen.divergence(loss) {
                let step = state.step;
                control.tell(&Event::Diverging { step, loss: now, before, learning_rate });
            }
        }
    }

    fn evaluation_due(&self, step: u64, plan: &Plan) -> bool {
        match self.settings.eval_strategy {
            EvalStrategy::No => false,
            EvalStrategy::Steps => {
                step.is_multiple_of(self.settings.eval_steps.max(1)) || step == plan.total_steps
            }
            EvalStrategy::Epoch => {
                plan.epoch_ends.binary_search(&step).is_ok() || step == plan.total_steps
            }
        }
    }

    fn evaluate(&self, passes: &dyn Passes, adapter: &Adapter, step: u64) -> Result<Evaluation> {
        let cancelled = || self.control.cancelled();
        let evaluation = self.objective.evaluate(passes, adapter, &cancelled)?;
        if let Evaluation::Done { loss, rewards, accuracy } = evaluation {
            self.control.tell(&Event::Evaluated { step, loss });
            if let Some(accuracy) = accuracy {
                self.control.tell(&Event::Accuracy { step, accuracy });
            }
            if let Some(rewards) = rewards {
                self.control.tell(&Event::Rewards { step, rewards });
            }
        }
        Ok(evaluation)
    }

    /// Takes an evaluation into account, as transformers' early stopping does: it resets the
    /// patience when it beats the best one by more than the threshold, and is the best one when it
    /// beats it at all.
    fn judge(&self, loss: f64, state: &mut Checkpoint, adapter: &Adapter) {
        let gain = state.best.as_ref().map(|best| best.loss - loss);
        let threshold = self.settings.early_stopping_threshold;
        if gain.is_none_or(|gain| gain > 0.0 && gain > threshold) {
            state.without_improvement = 0;
        } else {
            state.without_improvement += 1;
        }
        if gain.is_none_or(|gain| gain > 0.0) {
            let keep = self.settings.load_best_model_at_end;
            let parameters = keep.then(|| adapter.layers.clone());
            state.best = Some(Best { loss, step: state.step, parameters });
        }
        state.evaluated = state.step;
    }

    fn patience_is_over(&self, state: &Checkpoint) -> bool {
        self.settings.early_stopping_patience.is_some_and(|p| state.without_improvement >= p)
    }

    /// The held-out loss of the result, which becomes the best adapter where that is wanted.
    fn finish(
        &self,
        passes: &dyn Passes,
        state: &Checkpoint,
        adapter: &mut Adapter,
        seen: &Seen,
    ) -> Result<Option<f64>> {
        if let Some(best) = &state.best {
            if let Some(parameters) = &best.parameters {
                adapter.layers.clone_from(parameters);
                return Ok(Some(best.loss));
            }
        }
        match seen.evaluations.last() {
            Some((step, loss)) if *step == state.step => return Ok(Some(*loss)),
            _ => {}
        }
        match self.evaluate(passes, adapter, state.step)? {
            Evaluation::Done { loss, .. } => Ok(Some(loss)),
            Evaluation::Nothing => Ok(None),
            Evaluation::Cancelled => Err(Error::Cancelled { step: state.step }),
        }
    }

    /// Answers the sample prompts with the adapter as it is.
    fn sample(&self, adapter: &Adapter, step: u64) -> Result<()> {
        if self.settings.sample_prompts.is_empty() {
            return Ok(());
        }
        let adapter = Arc::new(adapter.clone());
        for prompt in &self.settings.sample_prompts {
            let tokens = if self.tokenizer.has_chat_template() {
                let messages = [Message::user(prompt.as_str())];
                self.tokenizer.encode(&self.tokenizer.render_chat(&messages, true)?)?
            } else {
                self.tokenizer.encode(prompt)?
            };
            let sampling = Sampling {
                max_new_tokens: self.settings.sample_max_new_tokens,
                ..Sampling::default()
            };
            let go_on = |_: &str| !self.control.cancelled();
            let adapter = Some(&adapter);
            let answer = generate(self.model, adapter, self.tokenizer, &tokens, &sampling, go_on)?;
            if self.control.cancelled() {
                return Ok(());
            }
            let (prompt, text) = (prompt.clone(), answer.text);
            self.control.tell(&Event::Sampled { step, prompt, text });
        }
        Ok(())
    }
}
