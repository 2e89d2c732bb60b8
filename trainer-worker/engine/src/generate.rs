//! Text generation, streamed: greedy, or by temperature, top-k, nucleus (Holtzman et al., 2020) and
//! min-p (Nguyen et al., 2024), with a penalty on repetition (Keskar et al., 2019).

use crate::error::{Error, Result};
use crate::kernels::rng::Stream;
use crate::lora::Adapter;
use crate::model::decode::Session;
use crate::model::Model;
use crate::tokenizer::Tokenizer;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How tokens are chosen and when to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateSettings {
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
    /// Seed of the sampling.
    pub seed: u64,
}

impl Default for GenerateSettings {
    fn default() -> Self {
        Self {
            max_new_tokens: 128,
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            seed: 0,
        }
    }
}

impl GenerateSettings {
    /// Refuses the first setting that is out of range, by name.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name, value: f64, range: &str| {
            Err(Error::Setting { name, value: value.to_string(), range: range.to_owned() })
        };
        if !(1..=32_768).contains(&self.max_new_tokens) {
            return refuse("max_new_tokens", self.max_new_tokens as f64, "1 to 32768");
        }
        if !(0.0..=10.0).contains(&self.temperature) {
            return refuse("temperature", self.temperature, "0 to 10");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return refuse("top_p", self.top_p, "above 0 and at most 1");
        }
        if !(0.0..=1.0).contains(&self.min_p) {
            return refuse("min_p", self.min_p, "0 to 1");
        }
        if !(0.1..=10.0).contains(&self.repetition_penalty) {
            return refuse("repetition_penalty", self.repetition_penalty, "0.1 to 10");
        }
        Ok(())
    }
}

/// What was generated.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The tokens, without the end token.
    pub tokens: Vec<u32>,
    /// Their text.
    pub text: String,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Whether the model ended by itself.
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
    settings: &GenerateSettings,
    on_text: impl FnMut(&str) -> bool,
) -> Result<Generated> {
    settings.validate()?;
    let limit = model.config.max_position_embeddings;
    let capacity = prompt.len().saturating_add(settings.max_new_tokens).min(limit);
    let mut conversation = Conversation::new(model.clone(), adapter.cloned(), capacity)?;
    conversation.answer(tokenizer, prompt, settings, on_text)
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
        settings: &GenerateSettings,
        mut on_text: impl FnMut(&str) -> bool,
    ) -> Result<Generated> {
        settings.validate()?;
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
        let mut sampler = Sampler::new(settings);
        let started = Instant::now();
        let logits = self.session.push(new)?;
        self.seen.extend_from_slice(new);
        let mut next = sampler.pick(logits, &self.seen);
        let prompt_time = started.elapsed();
        let started = Instant::now();
        let (mut tokens, mut text, mut stopped) = (Vec::new(), String::new(), false);
        loop {
            if tokenizer.is_end(next) {
                stopped = true;
                break;
            }
            tokens.push(next);
            let whole = tokenizer.decode(&tokens, true)?;
            // A character may be spread over several tokens: hold it back until it is whole.
            if !whole.ends_with('\u{fffd}') {
                let piece = whole.get(text.len()..).unwrap_or("");
                let go_on = piece.is_empty() || on_text(piece);
                text = whole;
                if !go_on {
                    break;
                }
            }
            if tokens.len() >= settings.max_new_tokens || self.session.len() >= self.capacity {
                break;
            }
            let logits = self.session.push(&[next])?;
            self.seen.push(next);
            next = sampler.pick(logits, &self.seen);
        }
        let decode_time = started.elapsed();
        let whole = tokenizer.decode(&tokens, true)?;
        if let Some(rest) = whole.get(text.len()..).filter(|r| !r.is_empty()) {
            on_text(rest);
        }
        let prompt_tokens = prompt.len();
        Ok(Generated { tokens, text: whole, prompt_tokens, stopped, prompt_time, decode_time })
    }
}

struct Sampler {
    temperature: f32,
    top_p: f32,
    top_k: usize,
    min_p: f32,
    penalty: f32,
    stream: Stream,
}

impl Sampler {
    fn new(settings: &GenerateSettings) -> Self {
        Self {
            temperature: settings.temperature as f32,
            top_p: settings.top_p as f32,
            top_k: settings.top_k,
            min_p: settings.min_p as f32,
            penalty: settings.repetition_penalty as f32,
            stream: Stream::new(settings.seed, "sampling", &[]),
        }
    }

    fn pick(&mut self, logits: &mut [f32], seen: &[u32]) -> u32 {
        if self.penalty != 1.0 {
            let mut distinct = seen.to_vec();
            distinct.sort_unstable();
            distinct.dedup();
            for id in distinct {
                if let Some(logit) = logits.get_mut(id as usize) {
                    *logit =
                        if *logit > 0.0 { *logit / self.penalty } else { *logit * self.penalty };
                }
            }
        }
        if self.temperature <= 0.0 {
            return argmax(logits);
        }
        crate::kernels::math::scale(logits, 1.0 / self.temperature);
        crate::kernels::math::softmax(logits);
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        let probability = |i: &u32| logits.get(*i as usize).copied().unwrap_or(0.0);
        order.sort_by(|a, b| probability(b).total_cmp(&probability(a)).then(a.cmp(b)));
        if self.top_k > 0 {
            order.truncate(self.top_k);
        }
        let least = order.first().map_or(0.0, probability) * self.min_p;
        let mut kept = 0;
        let mut total = 0f32;
        for id in &order {
            if kept > 0 && probability(id) < least {
                break;
            }
            total += probability(id);
            kept += 1;
            if total >= self.top_p {
                break;
            }
        }
        let mut left = self.stream.uniform() * total;
        for id in order.iter().take(kept) {
            left -= probability(id);
            if left < 0.0 {
                return *id;
            }
        }
        order.first().copied().unwrap_or(0)
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
