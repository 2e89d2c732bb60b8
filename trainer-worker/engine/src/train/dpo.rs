//! Direct preference optimisation (Rafailov et al., 2023) with the sigmoid loss, as TRL defines it.
//!
//! For a prompt with a chosen and a rejected answer, with `log π` the sum of an answer's token log
//! likelihoods under the model being trained and `log ρ` under the reference, the loss of a pair is
//!
//! ```text
//! z = β · ((log π(chosen) − log ρ(chosen)) − (log π(rejected) − log ρ(rejected)))
//! loss = −(1 − ε) · log σ(z) − ε · log σ(−z)
//! ```
//!
//! with ε the label smoothing, averaged over all pairs of the accumulated batch. The reference is
//! the base model without the adapter, or an adapter given for it. Its log likelihoods are computed
//! once a pair, each pair by itself, and kept.

use super::objective::{accumulate, digest_example, Evaluation, Objective, StepGradients};
use super::session::Session;
use super::{on_training_threads, Control, Outcome, TrainSettings};
use crate::data::{divide, Example, Preference, Report};
use crate::error::{Error, Result};
use crate::kernels::scalar::{sigmoid, softplus};
use crate::lora::Adapter;
use crate::model::forward::{Batch, DropoutAt};
use crate::model::passes::{Passes, Weigh};
use crate::model::Model;
use crate::tokenizer::Tokenizer;
use std::sync::{Arc, Mutex};

/// The preference with both sequences cut to `limit` tokens; `None` when that leaves nothing of an
/// answer, or when there is no prompt (an answer's first token would not be predicted). The flag
/// says that something was cut.
pub fn fit(preference: &Preference, limit: usize) -> Option<(Preference, bool)> {
    let prompt = preference.prompt;
    let cut = |example: &Example| {
        let mut example = example.clone();
        example.tokens.truncate(limit);
        example.labels.truncate(limit);
        (example.tokens.len() > prompt).then_some(example)
    };
    let (chosen, rejected) = (cut(&preference.chosen)?, cut(&preference.rejected)?);
    let fitted = Preference { chosen, rejected, prompt };
    let shorter = fitted.tokens() < preference.tokens();
    (prompt > 0).then_some((fitted, shorter))
}

/// Settings of the preference loss, with TRL's names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DpoSettings {
    /// How far the model may leave the reference: smaller lets it go further. Above 0, at most 10.
    pub beta: f64,
    /// Probability that a preference is the wrong way round, 0 to 0.5.
    pub label_smoothing: f64,
}

impl Default for DpoSettings {
    fn default() -> Self {
        Self { beta: 0.1, label_smoothing: 0.0 }
    }
}

impl DpoSettings {
    /// Refuses the first setting that is out of range, by name.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name, value: f64, range: &str| {
            Err(Error::Setting { name, value: value.to_string(), range: range.to_owned() })
        };
        if !(self.beta > 0.0 && self.beta <= 10.0) {
            return refuse("beta", self.beta, "above 0 and at most 10");
        }
        if !(0.0..=0.5).contains(&self.label_smoothing) {
            return refuse("label_smoothing", self.label_smoothing, "0 to 0.5");
        }
        Ok(())
    }

    /// The loss of one pair and its derivative with respect to `z / β`, from the log ratios
    /// (model less reference, in nats) of the chosen and of the rejected answer.
    pub fn loss(&self, chosen: f64, rejected: f64) -> (f64, f64) {
        let z = self.beta * (chosen - rejected);
        let smooth = self.label_smoothing;
        let loss = (1.0 - smooth) * softplus(-z) + smooth * softplus(z);
        (loss, self.beta * (smooth * sigmoid(z) - (1.0 - smooth) * sigmoid(-z)))
    }
}

/// TRL's metrics of preference training, means over pairs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rewards {
    /// `β · (log π − log ρ)` of the chosen answers.
    pub chosen: f64,
    /// The same of the rejected ones.
    pub rejected: f64,
    /// Share of the pairs whose chosen answer has the greater reward.
    pub accuracy: f64,
    /// Mean difference of the two rewards.
    pub margin: f64,
}

impl Rewards {
    fn add(&mut self, beta: f64, chosen: f64, rejected: f64, weight: f64) {
        self.chosen += beta * chosen * weight;
        self.rejected += beta * rejected * weight;
        self.accuracy += if chosen > rejected { weight } else { 0.0 };
        self.margin += beta * (chosen - rejected) * weight;
    }
}

/// A preference run: everything that decides its result.
pub struct DpoRun<'a> {
    /// The frozen base model.
    pub model: Arc<Model>,
    /// Its tokenizer, for samples.
    pub tokenizer: &'a Tokenizer,
    /// Pairs in their order, as [`fit`] cuts them to `max_seq_length`; `eval_fraction` of them are held out.
    pub preferences: Vec<Preference>,
    /// Settings of the training; `packing` is refused.
    pub settings: &'a TrainSettings,
    /// Settings of the loss.
    pub dpo: DpoSettings,
    /// The adapter to begin with; a fresh one when not given.
    pub initial: Option<&'a Adapter>,
    /// The adapter of the reference; the base model alone when not given.
    pub reference: Option<&'a Adapter>,
}

impl DpoRun<'_> {
    /// Trains an adapter. With a checkpoint folder, continues an interrupted run to the same bytes.
    pub fn train(&self, control: &Control<'_>) -> Result<Outcome> {
        self.settings.validate()?;
        self.dpo.validate()?;
        if self.settings.packing {
            return Err(Error::Setting {
                name: "packing",
                value: "true".to_owned(),
                range: "false for preferences, whose pairs stay together".to_owned(),
            });
        }
        if let Some(reference) = self.reference {
            reference.check_fits(&self.model.config)?;
        }
        let limit = self.settings.max_seq_length.min(self.model.config.max_position_embeddings);
        let mut report = Report::default();
        let mut pairs = Vec::new();
        for preference in &self.preferences {
            match fit(preference, limit) {
                Some((pair, cut)) => {
                    report.truncated += usize::from(cut);
                    report.tokens += pair.tokens();
                    report.labelled += pair.chosen.labelled() + pair.rejected.labelled();
                    pairs.push(pair);
                }
                None => report.skipped += 1,
            }
        }
        report.chats = pairs.len();
        if pairs.is_empty() {
            return Err(Error::NoExamples {
                reason: format!(
                    "no preference fits into max_seq_length = {limit} tokens ({} skipped)",
                    report.skipped
                ),
            });
        }
        let (fraction, seed) = (self.settings.eval_fraction, self.settings.seed);
        let held = |pair: &Preference| pair.chosen.origin.evaluation;
        let (train, held_out) = divide(pairs, held, fraction, seed);
        let known = || Mutex::new(Vec::new());
        let objective = Preferences {
            settings: self.dpo,
            reference: self.reference,
            train: Pairs { pairs: train, known: known() },
            held_out: Pairs { pairs: held_out, known: known() },
        };
        let session = Session {
            model: &self.model,
            tokenizer: self.tokenizer,
            settings: self.settings,
            control,
            objective: &objective,
            initial: self.initial,
            report,
        };
        on_training_threads(self.settings.threads, || session.run())?
    }
}

/// Pairs with what is known of the reference's losses.
struct Pairs {
    pairs: Vec<Preference>,
    known: Mutex<Vec<Option<(f64, f64)>>>,
}

struct Preferences<'a> {
    settings: DpoSettings,
    reference: Option<&'a Adapter>,
    train: Pairs,
    held_out: Pairs,
}

/// Chosen and rejected sequence of each pair, one after the other.
fn batch_of<'a>(pairs: impl Iterator<Item = &'a Preference>) -> Batch {
    super::batch_of(pairs.flat_map(|pair| [&pair.chosen, &pair.rejected]))
}

impl Preferences<'_> {
    /// The reference's losses of a pair: a function of the pair alone, so that it does not matter
    /// in which batch it was first needed.
    fn reference(&self, passes: &dyn Passes, of: &Pairs, index: usize) -> Result<(f64, f64)> {
        let known = of.known.lock().ok().and_then(|k| k.get(index).copied().flatten());
        if let Some(known) = known {
            return Ok(known);
        }
        let batch = batch_of(of.pairs.get(index).into_iter());
        let losses = passes.sequence_losses(&batch, self.reference)?;
        let losses = (pair_at(&losses, 0, 0), pair_at(&losses, 0, 1));
        if let Ok(mut known) = of.known.lock() {
            if known.len() <= index {
                known.resize(of.pairs.len().max(index + 1), None);
            }
            known[index] = Some(losses);
        }
        Ok(losses)
    }
}

fn pair_at(losses: &[f64], pair: usize, which: usize) -> f64 {
    losses.get(2 * pair + which).copied().unwrap_or(f64::NAN)
}

impl Objective for Preferences<'_> {
    fn lengths(&self) -> Vec<usize> {
        self.train.pairs.iter().map(Preference::tokens).collect()
    }

    fn counts(&self) -> (usize, usize) {
        (self.train.pairs.len(), self.held_out.pairs.len())
    }

    fn gradients(
        &self,
        passes: &dyn Passes,
        micro_batches: &[Vec<usize>],
        adapter: &Adapter,
        at: DropoutAt,
    ) -> Result<StepGradients> {
        let scale = 1.0 / micro_batches.iter().map(Vec::len).sum::<usize>().max(1) as f64;
        let mut loss = 0.0;
        let mut rewards = Rewards::default();
        let mut gradients: Vec<Option<Vec<f32>>> = vec![None; adapter.layers.len()];
        for (micro, indices) in micro_batches.iter().enumerate() {
            let reference = indices
                .iter()
                .map(|i| self.reference(passes, &self.train, *i))
                .collect::<Result<Vec<_>>>()?;
            let batch = batch_of(indices.iter().filter_map(|i| self.train.pairs.get(*i)));
            let (settings, known) = (self.settings, reference.clone());
            let weigh: Weigh = Arc::new(move |losses: &[f64]| {
                let weights = known.iter().enumerate().flat_map(|(i, reference)| {
                    let chosen = reference.0 - pair_at(losses, i, 0);
                    let rejected = reference.1 - pair_at(losses, i, 1);
                    let slope = settings.loss(chosen, rejected).1 * scale;
                    // A log likelihood is a loss with its sign turned.
                    [-slope, slope]
                });
                weights.collect()
            });
            let at = DropoutAt { micro: micro as u64, ..at };
            let result = passes.weighted_gradients(&batch, adapter, Some(at), weigh)?;
            for (i, reference) in reference.iter().enumerate() {
                let chosen = reference.0 - pair_at(&result.losses, i, 0);
                let rejected = reference.1 - pair_at(&result.losses, i, 1);
                loss += settings.loss(chosen, rejected).0 * scale;
                rewards.add(settings.beta, chosen, rejected, scale);
            }
            accumulate(&mut gradients, result.gradients);
        }
        Ok(StepGradients { loss, gradients, rewards: Some(rewards) })
    }

    fn evaluate(
        &self,
        passes: &dyn Passes,
        adapter: &Adapter,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Evaluation> {
        let pairs = &self.held_out.pairs;
        if pairs.is_empty() {
            return Ok(Evaluation::Nothing);
        }
        let scale = 1.0 / pairs.len() as f64;
        let mut loss = 0.0;
        let mut rewards = Rewards::default();
        for (index, pair) in pairs.iter().enumerate() {
            if cancelled() {
                return Ok(Evaluation::Cancelled);
            }
            let reference = self.reference(passes, &self.held_out, index)?;
            let batch = batch_of(std::iter::once(pair));
            let losses = passes.sequence_losses(&batch, Some(adapter))?;
            let chosen = reference.0 - pair_at(&losses, 0, 0);
            let rejected = reference.1 - pair_at(&losses, 0, 1);
            loss += self.settings.loss(chosen, rejected).0 * scale;
            rewards.add(self.settings.beta, chosen, rejected, scale);
        }
        Ok(Evaluation::Done { loss, rewards: Some(rewards), accuracy: None })
    }

    fn whole_batches(&self) -> bool {
        true
    }

    fn settings(&self) -> String {
        format!("{:?}", self.settings)
    }

    fn digest(&self, add: &mut dyn FnMut(&[u8])) {
        for pair in self.train.pairs.iter().chain(&self.held_out.pairs) {
            for example in [&pair.chosen, &pair.rejected] {
                digest_example(example, add);
            }
        }
        add(&(self.held_out.pairs.len() as u64).to_le_bytes());
        for layer in self.reference.iter().flat_map(|r| &r.layers) {
            add(&layer.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        }
    }
}
