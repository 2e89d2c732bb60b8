//! Generation step by step: a cache of keys and values, and buffers allocated once.

use super::attention::Cache;
use super::block::{self, Context, Places, Rows};
use super::fast::Step;
use super::workspace::Workspace;
use super::Model;
use crate::error::{Error, Result};
use crate::lora::dora::LayerScales;
use crate::lora::linear::BlockAdapter;
use crate::lora::Adapter;
use std::sync::Arc;

/// Tokens taken through the layers at once while a prompt is read.
const PREFILL: usize = 256;

/// Fewer tokens than this go through a quantised model one by one: dequantising all weights would
/// take longer.
const FEW: usize = 8;

/// A growing sequence: model, optional adapter, and the keys and values of all tokens so far.
pub struct Session {
    model: Arc<Model>,
    adapter: Option<Arc<Adapter>>,
    scales: Vec<Option<LayerScales>>,
    places: Places,
    caches: Vec<Cache>,
    len: usize,
    workspace: Workspace,
    logits: Vec<f32>,
    /// What takes a single token through a model with quantised weights.
    fast: Option<Step>,
}

impl Session {
    /// An empty sequence that may grow to `max_tokens` tokens.
    pub fn new(
        model: Arc<Model>,
        adapter: Option<Arc<Adapter>>,
        max_tokens: usize,
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
        let mut scales = vec![None; config.num_hidden_layers];
        if let Some(adapter) = &adapter {
            adapter.check_fits(config)?;
            let layers = adapter.layouts.iter().zip(&adapter.layers).zip(&model.blocks);
            for (scales, ((layout, values), block)) in scales.iter_mut().zip(layers) {
                *scales = LayerScales::new(block, layout, values);
            }
        }
        let places = Places::new(config, max_tokens);
        let caches = (0..config.num_hidden_layers)
            .map(|layer| Cache::new(config.heads(layer), max_tokens))
            .collect();
        let logits = vec![0f32; config.vocab_size];
        let workspace = Workspace::default();
        // Dense weights are so many that reading them is all that counts, and the general forward
        // divides that among threads as they come.
        let quantised = model.products().any(|l| l.quant().is_some());
        let fast = quantised.then(|| Step::new(&model, adapter.as_deref(), &scales));
        Ok(Self { model, adapter, scales, places, caches, len: 0, workspace, logits, fast })
    }

    /// Number of tokens in the sequence.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the sequence is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether single tokens take the step of decoding (integer products, buffers allocated once):
    /// so they do in every model with quantised weights, whatever its family and adapter.
    pub fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    /// Appends tokens and returns the logits after the last one, `vocab_size` values. Where the
    /// rotary frequencies depend on the length ([`super::rotary`]), these tokens are turned for the
    /// length that the sequence then has; those before them stay as they are.
    pub fn push(&mut self, tokens: &[u32]) -> Result<&mut [f32]> {
        let limit = self.places.limit();
        if self.len + tokens.len() > limit {
            let tokens = self.len + tokens.len();
            return Err(Error::ContextExceeded { tokens, limit, what: "sequence" });
        }
        self.places.extend(&self.model.config, self.len, self.len + tokens.len());
        if let Some(fast) = self.fast.as_mut().filter(|_| tokens.len() < FEW) {
            for token in tokens {
                let at = (*token, self.len);
                fast.run(&self.model, &self.places, &mut self.caches, at, &mut self.logits)?;
                self.len += 1;
            }
            return Ok(&mut self.logits);
        }
        let chunks = tokens.chunks(PREFILL).count();
        for (i, chunk) in tokens.chunks(PREFILL).enumerate() {
            self.step(chunk, i + 1 == chunks)?;
        }
        Ok(&mut self.logits)
    }

    fn step(&mut self, tokens: &[u32], want_logits: bool) -> Result<()> {
        let model = self.model.clone();
        let (config, ws) = (&model.config, &self.workspace);
        let (d, n) = (config.hidden_size, tokens.len());
        let rows = Rows::following(self.len, n);
        let (mut x, mut y) = (ws.take(n * d), ws.take(n * d));
        model.embed(&mut x, tokens, &rows.positions)?;
        for (layer, (block, cache)) in model.blocks.iter().zip(&mut self.caches).enumerate() {
            let adapter = self.adapter.as_ref().map(|a| BlockAdapter {
                layout: &a.layouts[layer],
                parameters: &a.layers[layer],
                scales: self.scales[layer].as_ref(),
                dropout: None,
            });
            let places = &self.places;
            let ctx = Context { config, layer, rows: &rows, places, workspace: ws };
            block::forward(&mut y, &x, block, adapter.as_ref(), &ctx, Some(cache), false);
            std::mem::swap(&mut x, &mut y);
        }
        self.len += n;
        if want_logits {
            let last = &x[(n - 1) * d..n * d];
            let mut stats = ws.take(model.final_stats());
            model.final_norm(&mut y[..d], &mut stats, last, 1);
            model.head().forward(&mut self.logits, &y[..d], 1);
            ws.put(stats);
        }
        for buffer in [x, y] {
            self.workspace.put(buffer);
        }
        Ok(())
    }
}
