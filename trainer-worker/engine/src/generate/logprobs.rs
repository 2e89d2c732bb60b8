//! Logarithms of the probabilities that the model gave.
//!
//! They are the log-softmax of the logits as the model computes them, before bias, penalties, grammar and
//! temperature: what vLLM tells by default (`logprobs_mode = raw_logprobs`) and llama-server without
//! `post_sampling_probs`.

use crate::error::Result;
use crate::kernels::math;
use crate::tokenizer::Tokenizer;

/// A token with the logarithm of its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Logprob {
    /// The token's id.
    pub token: u32,
    /// What it stands for in bytes, which may be a part of a character; none for a special token.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability.
    pub logprob: f32,
}

impl Logprob {
    /// The text of its bytes, with U+FFFD for what is no whole character.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A token that was written, with the likeliest ones in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// The token that was written.
    pub token: Logprob,
    /// The likeliest tokens, the likeliest first; of equally likely ones the lower id.
    pub top: Vec<Logprob>,
}

/// The logits of one place, before anything changes them.
pub(super) struct RawLogprobs {
    /// Logarithm of the sum of all exponentials.
    normaliser: f64,
    top: Vec<(f32, u32)>,
    logits: Vec<f32>,
    scratch: Vec<f32>,
}

impl RawLogprobs {
    pub(super) fn new() -> Self {
        Self { normaliser: 0.0, top: Vec::new(), logits: Vec::new(), scratch: Vec::new() }
    }

    /// Reads the logits and remembers the `count` greatest.
    pub(super) fn read(&mut self, logits: &[f32], count: usize) {
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        self.scratch.clear();
        self.scratch.extend_from_slice(logits);
        let greatest = math::max(logits);
        let sum = math::exp_shifted(&mut self.scratch, greatest);
        self.normaliser = f64::from(greatest) + f64::from(sum).ln();
        self.top.clear();
        for (logit, id) in logits.iter().zip(0u32..) {
            let full = self.top.len() == count;
            if full && self.top.last().is_none_or(|(last, _)| logit <= last) {
                continue;
            }
            let at = self.top.partition_point(|(other, _)| other >= logit);
            if full {
                self.top.pop();
            }
            self.top.insert(at, (*logit, id));
        }
    }

    /// What is told of a token that was written.
    pub(super) fn of(
        &self,
        tokenizer: &Tokenizer,
        token: u32,
        first: bool,
    ) -> Result<TokenLogprob> {
        let entry = |token: u32| -> Result<Logprob> {
            let logit = self.logits.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY);
            let logprob = (f64::from(logit) - self.normaliser) as f32;
            Ok(Logprob { token, bytes: tokenizer.token_bytes(token, first)?, logprob })
        };
        let top: Result<Vec<Logprob>> = self.top.iter().map(|(_, id)| entry(*id)).collect();
        Ok(TokenLogprob { token: entry(token)?, top: top? })
    }
}
