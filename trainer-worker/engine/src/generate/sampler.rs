//! The choice of one token from the logits of all.

use super::sampling::Sampling;
use crate::error::{Error, Result};
use crate::kernels::math;
use crate::kernels::rng::Stream;
use std::collections::BTreeMap;

/// How many of the likeliest tokens are sorted first where only their number is not known; four times as
/// many each time that these are too few.
const FIRST_SORTED: usize = 64;

/// Chooses tokens; its state is what it has drawn and what was written so far.
pub(super) struct Sampler {
    temperature: f32,
    top_p: f64,
    top_k: usize,
    min_p: f32,
    repetition: f32,
    presence: f32,
    frequency: f32,
    bias: Vec<(u32, f32)>,
    stream: Stream,
    /// Times that each token was generated; 0 for tokens of the prompt alone.
    occurred: BTreeMap<u32, u32>,
    candidates: Vec<(f32, u32)>,
}

impl Sampler {
    pub(super) fn new(sampling: &Sampling, prompt: &[u32]) -> Self {
        let repetition = sampling.repetition_penalty as f32;
        let occurred = match repetition {
            1.0 => BTreeMap::new(),
            _ => prompt.iter().map(|id| (*id, 0)).collect(),
        };
        Self {
            temperature: sampling.temperature as f32,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            min_p: sampling.min_p as f32,
            repetition,
            presence: sampling.presence_penalty as f32,
            frequency: sampling.frequency_penalty as f32,
            bias: sampling.logit_bias.clone(),
            stream: Stream::new(sampling.seed, "sampling", &[sampling.choice]),
            occurred,
            candidates: Vec::new(),
        }
    }

    /// Counts a token that was generated.
    pub(super) fn count(&mut self, id: u32) {
        let penalised = self.repetition != 1.0 || self.presence != 0.0 || self.frequency != 0.0;
        if penalised {
            let times = self.occurred.entry(id).or_insert(0);
            *times = times.saturating_add(1);
        }
    }

    /// Gives back the memory that drawing takes.
    pub(super) fn rest(&mut self) {
        self.candidates = Vec::new();
    }

    /// The next token. The logits are changed; tokens at negative infinity are never taken.
    ///
    /// # Errors
    /// When no token is left that could be taken.
    pub(super) fn pick(&mut self, logits: &mut [f32]) -> Result<u32> {
        for (id, bias) in &self.bias {
            if let Some(logit) = logits.get_mut(*id as usize) {
                *logit += bias;
            }
        }
        for (id, times) in &self.occurred {
            let Some(logit) = logits.get_mut(*id as usize) else { continue };
            if self.repetition != 1.0 {
                *logit =
                    if *logit > 0.0 { *logit / self.repetition } else { *logit * self.repetition };
            }
            if *times > 0 {
                *logit -= self.frequency * *times as f32 + self.presence;
            }
        }
        let greatest = math::max(logits);
        if !greatest.is_finite() {
            return Err(Error::Logits { greatest });
        }
        if self.temperature <= 0.0 {
            return Ok(super::argmax(logits));
        }
        Ok(self.draw(logits, greatest))
    }

    /// Draws among the tokens that `min_p`, `top_k` and `top_p` leave. What the sums below add up is
    /// added in one order, by probability where tokens are sorted and by id where not.
    fn draw(&mut self, logits: &mut [f32], greatest: f32) -> u32 {
        // Probabilities, but for a factor: the likeliest token has 1.
        let inverse = 1.0 / self.temperature;
        math::scale(logits, inverse);
        math::exp_shifted(logits, greatest * inverse);
        let least = self.min_p;
        let kept = |p: &f32| *p > 0.0 && *p >= least;
        self.candidates.clear();
        let tokens = logits.iter().zip(0u32..).filter(|(p, _)| kept(p));
        self.candidates.extend(tokens.map(|(p, id)| (*p, id)));
        let all = &mut self.candidates;
        let by_probability =
            |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if self.top_k > 0 && self.top_k < all.len() {
            all.select_nth_unstable_by(self.top_k, by_probability);
            all.truncate(self.top_k);
            all.sort_unstable_by(by_probability);
        }
        if self.top_p < 1.0 {
            let total: f64 = all.iter().map(|(p, _)| f64::from(*p)).sum();
            let (mut sorted, mut taken, mut sum) = (0, 0, 0f64);
            let enough = total * self.top_p;
            // The rest is sorted only as far as it is needed.
            'tokens: while taken < all.len() {
                let step = if sorted == 0 { FIRST_SORTED } else { sorted * 3 };
                let Some(rest) = all.get_mut(sorted..) else { break };
                let step = step.min(rest.len());
                if step < rest.len() {
                    rest.select_nth_unstable_by(step, by_probability);
                }
                let Some(next) = rest.get_mut(..step) else { break };
                next.sort_unstable_by(by_probability);
                sorted += step;
                for (p, _) in next {
                    sum += f64::from(*p);
                    taken += 1;
                    if sum >= enough {
                        break 'tokens;
                    }
                }
            }
            all.truncate(taken);
        }
        let total: f64 = all.iter().map(|(p, _)| f64::from(*p)).sum();
        let mut left = self.stream.uniform_f64() * total;
        for (p, id) in all.iter() {
            left -= f64::from(*p);
            if left < 0.0 {
                return *id;
            }
        }
        // Rounding may leave a hair of the total: the last one's.
        all.last().map_or(0, |(_, id)| *id)
    }
}
