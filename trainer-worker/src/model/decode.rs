//! Generation step by step: a cache of keys and values, and buffers allocated once.

use super::block::{linear_forward, BlockAdapter};
use super::workspace::Workspace;
use super::Model;
use crate::error::{Error, Result};
use crate::kernels::attention;
use crate::kernels::rope::{self, RopeTable};
use crate::kernels::{activation, add_assign, gemm, norm};
use crate::lora::{Adapter, Module};
use std::sync::Arc;

/// Tokens taken through the layers at once while a prompt is read.
const PREFILL: usize = 256;

/// A growing sequence: model, optional adapter, and the keys and values of all tokens so far.
pub struct Session {
    model: Arc<Model>,
    adapter: Option<Arc<Adapter>>,
    rope: RopeTable,
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
    len: usize,
    workspace: Workspace,
    logits: Vec<f32>,
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
        if let Some(adapter) = &adapter {
            adapter.check_fits(config)?;
        }
        let rope = RopeTable::new(&config.inverse_frequencies(), max_tokens);
        let width = config.heads().key_value_width();
        let cache = || (0..config.num_hidden_layers).map(|_| vec![0f32; max_tokens * width]);
        let (keys, values) = (cache().collect(), cache().collect());
        let logits = vec![0f32; config.vocab_size];
        Ok(Self {
            model,
            adapter,
            rope,
            keys,
            values,
            len: 0,
            workspace: Workspace::default(),
            logits,
        })
    }

    /// Number of tokens in the sequence.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the sequence is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends tokens and returns the logits after the last one, `vocab_size` values.
    pub fn push(&mut self, tokens: &[u32]) -> Result<&mut [f32]> {
        let limit = self.rope.positions();
        if self.len + tokens.len() > limit {
            let tokens = self.len + tokens.len();
            return Err(Error::ContextExceeded { tokens, limit, what: "sequence" });
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
        let (heads, eps, d) = (config.heads(), config.rms_norm_eps, config.hidden_size);
        let (qw, kw, f) = (heads.query_width(), heads.key_value_width(), config.intermediate_size);
        let rows = tokens.len();
        let positions: Vec<u32> = (self.len..self.len + rows).map(|p| p as u32).collect();
        let mut x = ws.take(rows * d);
        model.embed(&mut x, tokens)?;
        let mut normed = ws.take(rows * d);
        let mut inverse = ws.take(rows);
        let mut q = ws.take(rows * qw);
        let mut attended = ws.take(rows * qw);
        let mut out = ws.take(rows * d);
        let (mut gate, mut up) = (ws.take(rows * f), ws.take(rows * f));
        let mut gated = ws.take(rows * f);
        for (layer, block) in model.blocks.iter().enumerate() {
            let adapter = self.adapter.as_ref().map(|a| BlockAdapter {
                layout: &a.layouts[layer],
                parameters: &a.layers[layer],
                scaling: a.config.scaling() as f32,
                dropout: None,
            });
            let linear = |y: &mut [f32], x: &[f32], module: Module| {
                let weight = block.module(module);
                linear_forward(y, x, weight, module, adapter.as_ref(), rows, ws);
            };
            norm::forward(&mut normed, &mut inverse, &x, &block.input_norm, eps);
            linear(&mut q, &normed, Module::Query);
            let cached = self.len * kw..(self.len + rows) * kw;
            let (keys, values) = (&mut self.keys[layer], &mut self.values[layer]);
            linear(&mut keys[cached.clone()], &normed, Module::Key);
            linear(&mut values[cached.clone()], &normed, Module::Value);
            rope::apply(&mut q, qw, &self.rope, &positions, false);
            rope::apply(&mut keys[cached], kw, &self.rope, &positions, false);
            for (i, (q, out)) in q.chunks_exact(qw).zip(attended.chunks_exact_mut(qw)).enumerate() {
                attention::decode(out, q, keys, values, self.len + i + 1, heads);
            }
            linear(&mut out, &attended, Module::Output);
            add_assign(&mut x, &out);
            norm::forward(&mut normed, &mut inverse, &x, &block.post_norm, eps);
            linear(&mut gate, &normed, Module::Gate);
            linear(&mut up, &normed, Module::Up);
            activation::silu_mul(&mut gated, &gate, &up, f);
            linear(&mut out, &gated, Module::Down);
            add_assign(&mut x, &out);
        }
        self.len += rows;
        if want_logits {
            let last = &x[(rows - 1) * d..rows * d];
            norm::forward(&mut normed[..d], &mut inverse[..1], last, &model.final_norm, eps);
            gemm::gemv(&mut self.logits, &normed[..d], model.head(), 1.0, false);
        }
        for buffer in [x, normed, inverse, q, attended, out, gate, up, gated] {
            self.workspace.put(buffer);
        }
        Ok(())
    }
}
