//! Text generation: greedy or by temperature and nucleus (Holtzman et al., 2020), streamed.

use crate::error::{Error, Result};
use crate::lora::Adapter;
use crate::model::decode::Session;
use crate::model::Model;
use crate::rng::Stream;
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
    /// Seed of the sampling.
    pub seed: u64,
}

impl Default for GenerateSettings {
    fn default() -> Self {
        Self { max_new_tokens: 128, temperature: 0.0, top_p: 1.0, seed: 0 }
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
    let limit = model.config.max_position_embeddings;
    if prompt.len() >= limit {
        let tokens = prompt.len();
        return Err(Error::ContextExceeded { tokens, limit, what: "prompt" });
    }
    let capacity = (prompt.len() + settings.max_new_tokens).min(limit);
    let mut session = Session::new(model.clone(), adapter.cloned(), capacity)?;
    let mut sampler = Sampler {
        temperature: settings.temperature as f32,
        top_p: settings.top_p as f32,
        stream: Stream::new(settings.seed, "sampling", &[]),
    };
    let started = Instant::now();
    let mut next = sampler.pick(session.push(prompt)?);
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
        if tokens.len() >= settings.max_new_tokens || session.len() >= capacity {
            break;
        }
        next = sampler.pick(session.push(&[next])?);
    }
    let decode_time = started.elapsed();
    let whole = tokenizer.decode(&tokens, true)?;
    if let Some(rest) = whole.get(text.len()..).filter(|r| !r.is_empty()) {
        on_text(rest);
    }
    let prompt_tokens = prompt.len();
    Ok(Generated { tokens, text: whole, prompt_tokens, stopped, prompt_time, decode_time })
}

struct Sampler {
    temperature: f32,
    top_p: f32,
    stream: Stream,
}

impl Sampler {
    fn pick(&mut self, logits: &mut [f32]) -> u32 {
        if self.temperature <= 0.0 {
            return argmax(logits);
        }
        crate::kernels::math::scale(logits, 1.0 / self.temperature);
        crate::kernels::math::softmax(logits);
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        let probability = |i: &u32| logits.get(*i as usize).copied().unwrap_or(0.0);
        order.sort_by(|a, b| probability(b).total_cmp(&probability(a)).then(a.cmp(b)));
        let mut kept = 0;
        let mut total = 0f32;
        for id in &order {
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
