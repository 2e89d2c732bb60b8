//! Which examples each optimiser step sees: a function of settings and lengths alone, so that a
//! resumed run continues with the same batches.
//!
//! Three ways to fill the micro-batches of an epoch from its shuffled examples:
//!
//! * plainly, `per_device_train_batch_size` examples each;
//! * `group_by_length`: the same after sorting stretches of up to 50 optimiser steps by length,
//!   longest first, with the longest example of all in the first batch (so that too little memory
//!   shows at once);
//! * `packing`: examples are laid into rows of `max_seq_length` tokens, longest first, each into
//!   the fullest row that still has room for it (best fit decreasing); the rows are shuffled and
//!   a micro-batch takes `per_device_train_batch_size` of them.
//!
//! Batches never hold padding: sequences lie end to end and attention sees each by itself
//! ([`Rows`](crate::model::block::Rows)), so that none of the three changes what an example's loss
//! is.

use super::settings::TrainSettings;
use crate::data::Example;
use crate::kernels::rng::Stream;
use crate::model::rows_at_once;
use std::collections::BTreeSet;

/// The micro-batches of one optimiser step, as indices of examples.
pub type StepBatches = Vec<Vec<usize>>;

/// Optimiser steps whose examples `group_by_length` sorts together, at most.
const GROUP_STEPS: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filling {
    Plain,
    Grouped,
    Packed { row: usize },
}

/// The plan of a whole run.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    batch: usize,
    accumulation: usize,
    filling: Filling,
    lengths: Vec<usize>,
    /// Optimiser steps of the run.
    pub total_steps: u64,
    /// Tokens that the run will train on.
    pub total_tokens: u64,
    /// The step after which each whole epoch has ended, ascending.
    pub epoch_ends: Vec<u64>,
    epoch: Option<(usize, Vec<StepBatches>)>,
}

impl Plan {
    /// Plans a run over the training examples.
    pub fn new(settings: &TrainSettings, examples: &[Example]) -> Self {
        Self::of_lengths(settings, examples.iter().map(|e| e.tokens.len()).collect())
    }

    /// Plans a run over examples of these many tokens.
    pub fn of_lengths(settings: &TrainSettings, lengths: Vec<usize>) -> Self {
        let filling = match (settings.packing, settings.group_by_length) {
            (true, _) => Filling::Packed { row: settings.max_seq_length },
            (false, true) => Filling::Grouped,
            (false, false) => Filling::Plain,
        };
        let mut plan = Self {
            seed: settings.seed,
            batch: settings.per_device_train_batch_size.max(1),
            accumulation: settings.gradient_accumulation_steps.max(1),
            filling,
            lengths,
            total_steps: 0,
            total_tokens: 0,
            epoch_ends: Vec::new(),
            epoch: None,
        };
        let max_tokens = settings.max_tokens.unwrap_or(u64::MAX);
        // As in transformers, steps that are told take the place of epochs.
        let (epochs, max_steps) = match settings.max_steps {
            Some(steps) => (f64::INFINITY, steps),
            None => (settings.num_train_epochs, u64::MAX),
        };
        'epochs: for epoch in 0.. {
            let left = epochs - epoch as f64;
            if left <= 0.0 || plan.total_steps == max_steps || plan.lengths.is_empty() {
                break;
            }
            let steps = plan.steps_of(epoch);
            let part =
                if left < 1.0 { (steps.len() as f64 * left).ceil() as usize } else { steps.len() };
            for step in steps.iter().take(part) {
                let tokens = plan.tokens(step);
                if plan.total_steps == max_steps
                    || plan.total_tokens.saturating_add(tokens) > max_tokens
                {
                    break 'epochs;
                }
                plan.total_steps += 1;
                plan.total_tokens += tokens;
            }
            if part < steps.len() {
                break;
            }
            plan.epoch_ends.push(plan.total_steps);
        }
        plan
    }

    fn steps_of(&self, epoch: usize) -> Vec<StepBatches> {
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        Stream::new(self.seed, "shuffle", &[epoch as u64]).shuffle(&mut order);
        let micro: Vec<Vec<usize>> = match self.filling {
            Filling::Plain => order.chunks(self.batch).map(<[usize]>::to_vec).collect(),
            Filling::Grouped => {
                self.group(&mut order);
                order.chunks(self.batch).map(<[usize]>::to_vec).collect()
            }
            Filling::Packed { row } => {
                let mut rows = self.pack(order, row);
                Stream::new(self.seed, "shuffle rows", &[epoch as u64]).shuffle(&mut rows);
                rows.chunks(self.batch).map(<[Vec<usize>]>::concat).collect()
            }
        };
        micro.chunks(self.accumulation).map(<[Vec<usize>]>::to_vec).collect()
    }

    fn length(&self, index: usize) -> usize {
        self.lengths.get(index).copied().unwrap_or(0)
    }

    fn group(&self, order: &mut [usize]) {
        let step = self.batch * self.accumulation;
        let stretch = step * (order.len() / (step * 4)).clamp(1, GROUP_STEPS);
        for stretch in order.chunks_mut(stretch) {
            // Stable, so that examples of one length keep their shuffled order.
            stretch.sort_by_key(|i| std::cmp::Reverse(self.length(*i)));
        }
        let longest =
            (0..order.len()).step_by(stretch).rev().max_by_key(|at| self.length(order[*at]));
        if let Some(at) = longest {
            order.swap(0, at);
        }
    }

    fn pack(&self, mut order: Vec<usize>, row: usize) -> Vec<Vec<usize>> {
        order.sort_by_key(|i| std::cmp::Reverse(self.length(*i)));
        let mut rows: Vec<Vec<usize>> = Vec::new();
        // Rows by the room they have left.
        let mut room: BTreeSet<(usize, usize)> = BTreeSet::new();
        for index in order {
            let length = self.length(index);
            let left = match room.range((length, 0)..).next().copied() {
                Some((left, at)) => {
                    room.remove(&(left, at));
                    rows[at].push(index);
                    (left - length, at)
                }
                None => {
                    rows.push(vec![index]);
                    (row.saturating_sub(length), rows.len() - 1)
                }
            };
            room.insert(left);
        }
        rows
    }

    /// Tokens of a step.
    pub fn tokens(&self, step: &StepBatches) -> u64 {
        step.iter().flatten().map(|i| self.length(*i) as u64).sum()
    }

    /// The most tokens of a micro-batch of the first epoch that are in memory at once: all where
    /// micro-batches are taken `whole`, else those of the largest part
    /// ([`Runner`](crate::model::forward::Runner) goes through a batch in parts).
    pub fn rows_at_once(&self, whole: bool) -> usize {
        let rows = |batch: &Vec<usize>| rows_at_once(batch.iter().map(|i| self.length(*i)), whole);
        self.steps_of(0).iter().flatten().map(rows).max().unwrap_or(0)
    }

    /// The epoch that a step (counted from 0) belongs to, and its place in it.
    fn place(&self, step: u64) -> (usize, usize) {
        let epoch = self.epoch_ends.partition_point(|end| *end <= step);
        let start = epoch.checked_sub(1).and_then(|e| self.epoch_ends.get(e)).copied();
        (epoch, (step - start.unwrap_or(0)) as usize)
    }

    /// Epochs done after so many steps, with the part of the one that is under way.
    pub fn epochs(&self, steps: u64) -> f64 {
        let (epoch, done) = self.place(steps);
        let of = match (self.epoch_ends.get(epoch), &self.epoch) {
            (Some(end), _) => (end - (steps - done as u64)) as usize,
            (None, Some((e, batches))) if *e == epoch => batches.len(),
            _ => 0,
        };
        epoch as f64 + if of == 0 { 0.0 } else { done as f64 / of as f64 }
    }

    /// The batches of an optimiser step, counted from 0 over all epochs.
    pub fn step(&mut self, step: u64) -> StepBatches {
        let (epoch, index) = self.place(step);
        if self.epoch.as_ref().is_none_or(|(e, _)| *e != epoch) {
            self.epoch = Some((epoch, self.steps_of(epoch)));
        }
        self.epoch.as_ref().and_then(|(_, steps)| steps.get(index)).cloned().unwrap_or_default()
    }
}
