//! Log probabilities as chat and responses tell them.

use openledger_engine::generate::{Logprob, TokenLogprob};
use serde::Serialize;
use utoipa::ToSchema;

/// A token with its log probability.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its text; U+FFFD where it is a part of a character.
    token: String,
    /// Natural logarithm.
    logprob: f64,
    /// Its bytes in UTF-8.
    bytes: Vec<u8>,
}

/// A token of an answer, with the likeliest in its place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Entry {
    token: String,
    logprob: f64,
    bytes: Vec<u8>,
    top_logprobs: Vec<Token>,
}

/// JSON has no infinity; OpenAI writes -9999 for what cannot be.
pub(super) fn finite(logprob: f32) -> f64 {
    f64::from(logprob).max(-9999.0)
}

fn token(of: &Logprob) -> Token {
    Token { token: of.text(), logprob: finite(of.logprob), bytes: of.bytes.clone() }
}

/// The entries of tokens.
pub(super) fn entries(of: &[TokenLogprob]) -> Vec<Entry> {
    of.iter()
        .map(|entry| {
            let Token { token: text, logprob, bytes } = token(&entry.token);
            let top_logprobs = entry.top.iter().map(token).collect();
            Entry { token: text, logprob, bytes, top_logprobs }
        })
        .collect()
}
