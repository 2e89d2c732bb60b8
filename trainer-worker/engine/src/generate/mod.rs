//! Text generation, streamed: greedy, or by temperature, top-k, nucleus (Holtzman et al., 2020) and
//! min-p (Nguyen et al., 2024), with penalties on repetition (Keskar et al., 2019; OpenAI's presence and
//! frequency penalties), stop strings and log probabilities.
//!
//! [`Writer`] is fed with logits and gives text; the commands and the server use the same one, so that
//! they write the same.

mod grammar;
mod logprobs;
mod sampler;
mod sampling;
mod stop;
mod writer;

use crate::error::{Error, Result};
use crate::lora::Adapter;
use crate::model::decode::Session;
use crate::model::Model;
use crate::tokenizer::Tokenizer;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use grammar::{ClientGrammars, Grammar, GrammarMemory, Vocabulary, MAX_SCHEMA_BYTES};
pub use logprobs::{Logprob, TokenLogprob};
pub use sampling::{Sampling, MAX_LOGIT_BIAS, MAX_STOPS, MAX_STOP_BYTES, MAX_TOP_LOGPROBS};
pub use writer::{Finish, Piece, Writer};

/// What was generated.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The tokens, without the end token.
    pub tokens: Vec<u32>,
    /// Their text, without what a stop string took away.
    pub text: String,
    /// How likely each token was, where [`Sampling::logprobs`] asks for it.
    pub logprobs: Vec<TokenLogprob>,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Whether the model ended by itself, or a stop string ended it.
    pub stopped: bool,
    /// Time for the prompt.
    pub prompt_time: Duration,
    /// Time for the new tokens.
    pub decode_time: Duration,
}

impl Generated {
    /// New tokens a second.
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens.len() as f64 / self.decode_time.as_secs_f64().max(1e-9)
    }
}

/// Continues `prompt`. `on_text` receives each finished piece of text and returns whether to go on.
pub fn generate(
    model: &Arc<Model>,
    adapter: Option<&Arc<Adapter>>,
    tokenizer: &Tokenizer,
    prompt: &[u32],
    sampling: &Sampling,
    on_text: impl FnMut(&str) -> bool,
) -> Result<Generated> {
    sampling.validate()?;
    let limit = model.config.max_position_embeddings;
    let capacity = prompt.len().saturating_add(sampling.max_new_tokens).min(limit);
    let mut conversation = Conversation::new(model.clone(), adapter.cloned(), capacity)?;
    conversation.answer(tokenizer, prompt, sampling, on_text)
}

/// A growing text that the model continues again and again, as in a chat: what it has read stays in
/// its cache, so that each turn reads only what is new.
pub struct Conversation {
    model: Arc<Model>,
    adapter: Option<Arc<Adapter>>,
    capacity: usize,
    session: Session,
    seen: Vec<u32>,
}

impl Conversation {
    /// An empty conversation of at most `capacity` tokens, which the model's context bounds.
    pub fn new(model: Arc<Model>, adapter: Option<Arc<Adapter>>, capacity: usize) -> Result<Self> {
        let capacity = capacity.min(model.config.max_position_embeddings);
        let session = Session::new(model.clone(), adapter.clone(), capacity)?;
        Ok(Self { model, adapter, capacity, session, seen: Vec::new() })
    }

    /// Most tokens that it may hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Answers the whole text so far. Where `prompt` begins with what was read and written before,
    /// only the rest is read; otherwise all of it is.
    pub fn answer(
        &mut self,
        tokenizer: &Tokenizer,
        prompt: &[u32],
        sampling: &Sampling,
        mut on_text: impl FnMut(&str) -> bool,
    ) -> Result<Generated> {
        sampling.validate()?;
        if prompt.is_empty() {
            return Err(Error::Setting {
                name: "prompt",
                value: "(empty)".to_owned(),
                range: "at least one token".to_owned(),
            });
        }
        if prompt.len() >= self.capacity {
            let (tokens, limit) = (prompt.len(), self.capacity);
            return Err(Error::ContextExceeded { tokens, limit, what: "prompt" });
        }
        // The last token must be read to give logits.
        let known = prompt.strip_prefix(self.seen.as_slice()).filter(|new| !new.is_empty());
        let new = match known {
            Some(new) => new,
            None => {
                self.session =
                    Session::new(self.model.clone(), self.adapter.clone(), self.capacity)?;
                self.seen.clear();
                prompt
            }
        };
        let mut writer = Writer::new(tokenizer, sampling, prompt)?;
        let (mut text, mut logprobs) = (String::new(), Vec::new());
        let (mut prompt_time, mut started) = (Duration::ZERO, Instant::now());
        let mut given = new;
        let mut next;
        loop {
            let logits = self.session.push(given)?;
            self.seen.extend_from_slice(given);
            let mut piece = writer.next(logits)?;
            if writer.completion_tokens() == 1 {
                prompt_time = started.elapsed();
                started = Instant::now();
            }
            if piece.token.is_some() && self.session.len() >= self.capacity {
                let last = writer.cut();
                piece.text.push_str(&last.text);
                piece.logprobs.extend(last.logprobs);
                piece.token = None;
            }
            text.push_str(&piece.text);
            logprobs.extend(piece.logprobs);
            let go_on = piece.text.is_empty() || on_text(&piece.text);
            match piece.token {
                Some(token) if go_on => next = [token],
                _ => break,
            }
            given = &next;
        }
        Ok(Generated {
            tokens: writer.tokens().to_vec(),
            text,
            logprobs,
            prompt_tokens: prompt.len(),
            stopped: writer.finish() == Some(Finish::Stop),
            prompt_time,
            decode_time: started.elapsed(),
        })
    }
}

/// Index of the greatest value; the first of equal ones.
pub fn argmax(values: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (i, v) in values.iter().enumerate() {
        if *v > best.1 {
            best = (i, *v);
        }
    }
    best.0 as u32
}
