//! What a run optimises: items to train on and held out, the gradient of a step, and the loss that
//! evaluation reports.

use super::dpo::Rewards;
use crate::data::Example;
use crate::error::Result;
use crate::lora::Adapter;
use crate::model::forward::{Batch, DropoutAt};
use crate::model::passes::Passes;

/// Tokens evaluated at once.
pub(super) const EVAL_TOKENS: usize = 1024;

/// Loss of an optimiser step and its gradient for each layer, where one exists.
pub(super) struct StepGradients {
    pub(super) loss: f64,
    pub(super) gradients: Vec<Option<Vec<f32>>>,
    pub(super) rewards: Option<Rewards>,
}

/// The outcome of an evaluation.
pub(super) enum Evaluation {
    /// Nothing is held out.
    Nothing,
    /// The caller asked to stop before it was done.
    Cancelled,
    /// Mean loss, the rewards where preferences are trained, and the share of the labelled tokens that
    /// are the likeliest ones where it is counted.
    Done { loss: f64, rewards: Option<Rewards>, accuracy: Option<f64> },
}

pub(super) trait Objective {
    /// Tokens of each training item.
    fn lengths(&self) -> Vec<usize>;
    /// Number of training and of held-out items.
    fn counts(&self) -> (usize, usize);
    /// Whether a micro-batch has to be in memory as a whole.
    fn whole_batches(&self) -> bool {
        false
    }
    /// The mean loss of a step's micro-batches and its gradient. `at` names the step.
    fn gradients(
        &self,
        passes: &dyn Passes,
        micro_batches: &[Vec<usize>],
        adapter: &Adapter,
        at: DropoutAt,
    ) -> Result<StepGradients>;
    /// The mean loss of the held-out items.
    fn evaluate(
        &self,
        passes: &dyn Passes,
        adapter: &Adapter,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Evaluation>;
    /// Settings of its own, for the checkpoint's fingerprint.
    fn settings(&self) -> String;
    /// Adds all items to a digest.
    fn digest(&self, add: &mut dyn FnMut(&[u8]));
}

/// Adds a micro-batch's gradients to those of its step.
pub(super) fn accumulate(sum: &mut [Option<Vec<f32>>], gradients: Vec<Option<Vec<f32>>>) {
    for (sum, gradient) in sum.iter_mut().zip(gradients) {
        match (sum.as_mut(), gradient) {
            (Some(sum), Some(g)) => sum.iter_mut().zip(&g).for_each(|(s, g)| *s += g),
            (None, Some(g)) => *sum = Some(g),
            (_, None) => {}
        }
    }
}

/// Adds an example to a digest.
pub(super) fn digest_example(example: &Example, add: &mut dyn FnMut(&[u8])) {
    add(&example.origin.sha256);
    add(&example.tokens.iter().flat_map(|t| t.to_le_bytes()).collect::<Vec<u8>>());
    add(&example.labels.iter().map(|l| u8::from(*l)).collect::<Vec<u8>>());
}

/// Supervised fine-tuning: the loss is averaged over all answer tokens of the accumulated batch.
pub(super) struct Supervised {
    pub(super) train: Vec<Example>,
    pub(super) held_out: Vec<Example>,
}

impl Objective for Supervised {
    fn lengths(&self) -> Vec<usize> {
        self.train.iter().map(|e| e.tokens.len()).collect()
    }

    fn counts(&self) -> (usize, usize) {
        (self.train.len(), self.held_out.len())
    }

    fn gradients(
        &self,
        passes: &dyn Passes,
        micro_batches: &[Vec<usize>],
        adapter: &Adapter,
        at: DropoutAt,
    ) -> Result<StepGradients> {
        let batches: Vec<Batch> = micro_batches
            .iter()
            .map(|indices| batch_of(indices.iter().filter_map(|i| self.train.get(*i))))
            .collect();
        let labelled: usize = batches.iter().map(|b| b.targets.len()).sum();
        let scale = 1.0 / labelled.max(1) as f64;
        let mut loss = 0.0;
        let mut gradients: Vec<Option<Vec<f32>>> = vec![None; adapter.layers.len()];
        for (micro, batch) in batches.iter().enumerate() {
            if batch.targets.is_empty() {
                continue;
            }
            let at = DropoutAt { micro: micro as u64, ..at };
            let result = passes.loss_and_gradients(batch, adapter, scale, Some(at))?;
            loss += result.loss_sum * scale;
            accumulate(&mut gradients, result.gradients);
        }
        Ok(StepGradients { loss, gradients, rewards: None })
    }

    fn evaluate(
        &self,
        passes: &dyn Passes,
        adapter: &Adapter,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Evaluation> {
        Ok(match sum_loss(passes, &self.held_out, Some(adapter), cancelled)? {
            None => Evaluation::Cancelled,
            Some(sums) => match sums.measured() {
                None => Evaluation::Nothing,
                Some(Measured { loss, accuracy }) => {
                    Evaluation::Done { loss, rewards: None, accuracy }
                }
            },
        })
    }

    fn settings(&self) -> String {
        "supervised".to_owned()
    }

    fn digest(&self, add: &mut dyn FnMut(&[u8])) {
        for example in self.train.iter().chain(&self.held_out) {
            digest_example(example, add);
        }
        add(&(self.held_out.len() as u64).to_le_bytes());
    }
}

/// A batch of examples.
pub fn batch_of<'a>(examples: impl Iterator<Item = &'a Example>) -> Batch {
    let sequences: Vec<(&[u32], &[bool])> =
        examples.map(|e| (e.tokens.as_slice(), e.labels.as_slice())).collect();
    Batch::new(&sequences)
}

/// What an evaluation measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Mean loss, nats a labelled token.
    pub loss: f64,
    /// Share of the labelled tokens that are the likeliest ones, where it is counted (not on devices
    /// other than the CPU).
    pub accuracy: Option<f64>,
}

/// Mean loss over the labelled tokens of examples, nats a token; `None` when there are none.
pub fn mean_loss(
    passes: &dyn Passes,
    examples: &[Example],
    adapter: Option<&Adapter>,
) -> Result<Option<f64>> {
    Ok(measure(passes, examples, adapter)?.map(|m| m.loss))
}

/// Mean loss and token accuracy over the labelled tokens of examples; `None` when there are none.
pub fn measure(
    passes: &dyn Passes,
    examples: &[Example],
    adapter: Option<&Adapter>,
) -> Result<Option<Measured>> {
    let sums = sum_loss(passes, examples, adapter, &|| false)?;
    Ok(sums.and_then(|sums| sums.measured()))
}

/// Sums over labelled tokens.
struct Sums {
    loss: f64,
    count: usize,
    likeliest: Option<u64>,
}

impl Sums {
    fn measured(&self) -> Option<Measured> {
        let count = self.count as f64;
        (self.count > 0).then(|| Measured {
            loss: self.loss / count,
            accuracy: self.likeliest.map(|hits| hits as f64 / count),
        })
    }
}

/// The sums over the labelled tokens; `None` when cancelled.
fn sum_loss(
    passes: &dyn Passes,
    examples: &[Example],
    adapter: Option<&Adapter>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Sums>> {
    let mut sums = Sums { loss: 0.0, count: 0, likeliest: Some(0) };
    let mut rest = examples;
    while !rest.is_empty() {
        if cancelled() {
            return Ok(None);
        }
        let mut tokens = 0;
        let fitting = rest.iter().take_while(|e| {
            tokens += e.tokens.len();
            tokens <= EVAL_TOKENS
        });
        let (now, later) = rest.split_at(fitting.count().max(1));
        let batch = batch_of(now.iter());
        if !batch.targets.is_empty() {
            let (loss, likeliest) = passes.loss_and_likeliest(&batch, adapter)?;
            sums.loss += loss;
            sums.count += batch.targets.len();
            sums.likeliest = sums.likeliest.zip(likeliest).map(|(sum, now)| sum + now);
        }
        rest = later;
    }
    Ok(Some(sums))
}
