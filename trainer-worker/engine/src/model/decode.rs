//! Generation: one growing sequence, by the steps that serving takes with many.

use super::fast::{BatchStep, Part, PreparedAdapter, ServingArithmetic};
use super::kv::{KvPages, KvPool};
use super::Model;
use crate::error::{Error, Result};
use crate::lora::Adapter;
use std::sync::Arc;

/// A growing sequence: model, optional adapter, and the keys and values of all tokens so far.
#[derive(Debug)]
pub struct Session {
    step: BatchStep,
    adapter: Option<PreparedAdapter>,
    pages: KvPages,
    logits: Vec<f32>,
}

impl Session {
    /// An empty sequence that may grow to `max_tokens` tokens, in the arithmetic that serving uses
    /// for such a model: integers where weights are quantised, values elsewhere.
    pub fn new(
        model: Arc<Model>,
        adapter: Option<Arc<Adapter>>,
        max_tokens: usize,
    ) -> Result<Self> {
        let arithmetic = ServingArithmetic::of(&model);
        Self::with(model, adapter, max_tokens, arithmetic)
    }

    /// As [`Self::new`], in a given arithmetic.
    pub fn with(
        model: Arc<Model>,
        adapter: Option<Arc<Adapter>>,
        max_tokens: usize,
        arithmetic: ServingArithmetic,
    ) -> Result<Self> {
        let config = &model.config;
        let limit = config.max_position_embeddings;
        if max_tokens > limit {
            return Err(Error::ContextExceeded {
                tokens: max_tokens,
                limit,
                what: "prompt or max_new_tokens",
            });
        }
        let adapter = adapter.map(|a| PreparedAdapter::new(&model, &a)).transpose()?;
        let pages = KvPages::new(&KvPool::for_tokens(config, max_tokens)?, max_tokens);
        let logits = vec![0f32; config.vocab_size];
        let step = BatchStep::new(model, arithmetic, rayon::current_num_threads())?;
        Ok(Self { step, adapter, pages, logits })
    }

    /// Number of tokens in the sequence.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether the sequence is empty.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// How products with quantised weights are computed.
    pub fn arithmetic(&self) -> ServingArithmetic {
        self.step.arithmetic()
    }

    /// Forgets all but the first `len` tokens.
    pub fn truncate(&mut self, len: usize) {
        self.pages.truncate(len);
    }

    /// Appends tokens and returns the logits after the last one, `vocab_size` values: the same
    /// however the tokens are cut into calls. Where the rotary frequencies depend on the length
    /// ([`super::rotary`]), they are those for `max_tokens` tokens.
    pub fn push(&mut self, tokens: &[u32]) -> Result<&mut [f32]> {
        let Self { step, adapter, pages, logits } = self;
        let adapter = adapter.as_ref();
        let part = Part { pages, tokens, adapter, logits: Some(logits) };
        step.run(&mut [part])?;
        Ok(&mut self.logits)
    }
}
