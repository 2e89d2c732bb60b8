//! Which examples each optimiser step sees: a function of settings and examples alone, so that a
//! resumed run continues with the same batches.

use super::settings::TrainSettings;
use crate::data::Example;
use crate::rng::Stream;

/// The micro-batches of one optimiser step, as indices of examples.
pub type StepBatches = Vec<Vec<usize>>;

/// The plan of a whole run.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    batch: usize,
    accumulation: usize,
    lengths: Vec<usize>,
    /// Optimiser steps of the run.
    pub total_steps: u64,
    /// Tokens that the run will train on.
    pub total_tokens: u64,
    epoch: Option<(u64, Vec<StepBatches>)>,
}

impl Plan {
    /// Plans a run over the training examples.
    pub fn new(settings: &TrainSettings, examples: &[Example]) -> Self {
        let mut plan = Self {
            seed: settings.seed,
            batch: settings.per_device_train_batch_size.max(1),
            accumulation: settings.gradient_accumulation_steps.max(1),
            lengths: examples.iter().map(|e| e.tokens.len()).collect(),
            total_steps: 0,
            total_tokens: 0,
            epoch: None,
        };
        let max_steps = settings.max_steps.unwrap_or(u64::MAX);
        let max_tokens = settings.max_tokens.unwrap_or(u64::MAX);
        'epochs: for epoch in 0..settings.num_train_epochs as u64 {
            for step in plan.steps_of(epoch) {
                let tokens = plan.tokens(&step);
                if plan.total_steps == max_steps
                    || plan.total_tokens.saturating_add(tokens) > max_tokens
                {
                    break 'epochs;
                }
                plan.total_steps += 1;
                plan.total_tokens += tokens;
            }
        }
        plan
    }

    fn steps_of(&self, epoch: u64) -> Vec<StepBatches> {
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        Stream::new(self.seed, "shuffle", &[epoch]).shuffle(&mut order);
        order
            .chunks(self.batch)
            .map(<[usize]>::to_vec)
            .collect::<Vec<_>>()
            .chunks(self.accumulation)
            .map(<[Vec<usize>]>::to_vec)
            .collect()
    }

    /// Tokens of a step.
    pub fn tokens(&self, step: &StepBatches) -> u64 {
        step.iter().flatten().filter_map(|i| self.lengths.get(*i)).map(|l| *l as u64).sum()
    }

    /// The batches of an optimiser step, counted from 0 over all epochs.
    pub fn step(&mut self, step: u64) -> StepBatches {
        let per_epoch = self.lengths.len().div_ceil(self.batch).div_ceil(self.accumulation) as u64;
        let epoch = step / per_epoch.max(1);
        if self.epoch.as_ref().is_none_or(|(e, _)| *e != epoch) {
            self.epoch = Some((epoch, self.steps_of(epoch)));
        }
        let index = (step % per_epoch.max(1)) as usize;
        self.epoch.as_ref().and_then(|(_, steps)| steps.get(index)).cloned().unwrap_or_default()
    }
}
