//! How an answer is sampled and where it ends.

use super::grammar::Grammar;
use crate::error::{Error, Result};
use std::sync::Arc;

/// Most stop strings, and most bytes of each.
pub const MAX_STOPS: usize = 16;
/// Most bytes of a stop string.
pub const MAX_STOP_BYTES: usize = 512;
/// Most tokens whose logits are shifted.
pub const MAX_LOGIT_BIAS: usize = 1024;
/// Most alternatives that are told for each token.
pub const MAX_TOP_LOGPROBS: usize = 20;

/// How tokens are chosen and when to stop.
///
/// Tokens that [`Self::grammar`] does not allow are taken out. Logits pass through the penalties
/// ([`Self::repetition_penalty`], then frequency and presence) after [`Self::logit_bias`] is added; then temperature, `min_p`, `top_k` and `top_p`, each over what the one
/// before leaves. Of what is left one token is drawn.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// Most tokens to generate, 1 to 32768.
    pub max_new_tokens: usize,
    /// 0 takes the likeliest token always; at most 10.
    pub temperature: f64,
    /// Samples among the likeliest tokens of this total probability, above 0 and at most 1.
    pub top_p: f64,
    /// Samples among so many of the likeliest tokens; 0 for all.
    pub top_k: usize,
    /// Leaves out tokens less likely than this share of the likeliest one's probability, 0 to 1.
    pub min_p: f64,
    /// Divides the positive logits of tokens that occurred, prompt included, and multiplies the
    /// negative ones; 1 changes nothing, 0.1 to 10.
    pub repetition_penalty: f64,
    /// Subtracted from the logits of tokens that were generated, -2 to 2.
    pub presence_penalty: f64,
    /// Subtracted from a token's logit for each time that it was generated, -2 to 2.
    pub frequency_penalty: f64,
    /// Added to the logits of single tokens, -100 to 100.
    pub logit_bias: Vec<(u32, f32)>,
    /// Seed of the sampling.
    pub seed: u64,
    /// Which of several answers to one prompt; each draws from a stream of its own.
    pub choice: u64,
    /// Strings before which the answer ends.
    pub stop: Vec<String>,
    /// Tells the logarithm of each token's probability, and those of so many of the likeliest, 0 to 20.
    pub logprobs: Option<usize>,
    /// What the answer must follow.
    pub grammar: Option<Arc<Grammar>>,
    /// Goes on after a token that ends the answer, until the length is reached.
    pub ignore_end: bool,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            max_new_tokens: 128,
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: 0,
            choice: 0,
            stop: Vec::new(),
            logprobs: None,
            grammar: None,
            ignore_end: false,
        }
    }
}

impl Sampling {
    /// Refuses the first setting that is out of range, by name.
    ///
    /// # Errors
    /// [`Error::Setting`] with the setting's name in OpenAI's interface, or in vLLM's for those that
    /// OpenAI has not.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name, value: String, range: &str| {
            Err(Error::Setting { name, value, range: range.to_owned() })
        };
        if !(1..=32_768).contains(&self.max_new_tokens) {
            return refuse("max_new_tokens", self.max_new_tokens.to_string(), "1 to 32768");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return refuse("top_p", self.top_p.to_string(), "above 0 and at most 1");
        }
        // Not a number lies in no range.
        let ranges = [
            ("temperature", self.temperature, 0.0..=10.0, "0 to 10"),
            ("min_p", self.min_p, 0.0..=1.0, "0 to 1"),
            ("repetition_penalty", self.repetition_penalty, 0.1..=10.0, "0.1 to 10"),
            ("presence_penalty", self.presence_penalty, -2.0..=2.0, "-2 to 2"),
            ("frequency_penalty", self.frequency_penalty, -2.0..=2.0, "-2 to 2"),
        ];
        for (name, value, range, words) in ranges {
            if !range.contains(&value) {
                return refuse(name, value.to_string(), words);
            }
        }
        if self.logit_bias.len() > MAX_LOGIT_BIAS {
            let value = format!("{} tokens", self.logit_bias.len());
            return refuse("logit_bias", value, "at most 1024 tokens");
        }
        for (id, bias) in &self.logit_bias {
            if !(-100.0..=100.0).contains(bias) {
                let value = format!("{bias} for token {id}");
                return refuse("logit_bias", value, "-100 to 100 for each token");
            }
        }
        if self.stop.len() > MAX_STOPS {
            return refuse("stop", format!("{} strings", self.stop.len()), "at most 16 strings");
        }
        for stop in &self.stop {
            if stop.is_empty() || stop.len() > MAX_STOP_BYTES {
                let value = format!("a string of {} bytes", stop.len());
                return refuse("stop", value, "strings of 1 to 512 bytes");
            }
        }
        // An answer that a stop string cuts would follow no grammar.
        if self.grammar.is_some() && !self.stop.is_empty() {
            let value = format!("{} strings beside a response_format", self.stop.len());
            return refuse("stop", value, "none there: the answer ends where its format does");
        }
        match self.logprobs {
            Some(top) if top > MAX_TOP_LOGPROBS => {
                refuse("top_logprobs", top.to_string(), "0 to 20")
            }
            _ => Ok(()),
        }
    }
}
