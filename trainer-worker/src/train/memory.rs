//! How much memory a run needs, and whether activations are recomputed because of it.

use super::plan::Plan;
use super::settings::{GradientCheckpointing, TrainSettings};
use crate::error::{Error, Result};
use crate::kernels::loss::CHUNK;
use crate::lora::{Adapter, Role};
use crate::model::workspace::SLACK;
use crate::model::{Model, ModelConfig};

/// Bytes that a run needs, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// The frozen base model.
    pub weights: u64,
    /// The adapter: parameters, gradients, two moments and, where it is kept, the best one.
    pub adapter: u64,
    /// What the blocks keep for the backward.
    pub activations: u64,
    /// Buffers of one block's forward and backward and of the head.
    pub buffers: u64,
}

impl MemoryEstimate {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.adapter + self.activations + self.buffers
    }
}

/// What a run needs that has `tokens` tokens in memory at once (see
/// [`Plan::rows_at_once`](super::plan::Plan::rows_at_once)); `weights` are the bytes of the base
/// model in memory, `parameters` the number of trainable values.
pub fn memory_estimate(
    model: &ModelConfig,
    weights: u64,
    parameters: usize,
    tokens: usize,
    settings: &TrainSettings,
    recompute: bool,
) -> MemoryEstimate {
    let d = model.hidden_size as u64;
    let tokens = tokens as u64;
    // Values a token: what each block keeps, and the most of what one needs for a while.
    let (mut kept, mut kept_most, mut scratch) = (0, 0, 0);
    for layer in 0..model.num_hidden_layers {
        let (mut block, mut attention, mut widest) = (d + 8, 0, d);
        for module in model.modules(layer) {
            let (output, input) = (module.output as u64, module.input as u64);
            widest = widest.max(output).max(input);
            match module.role {
                // Its input is the attention's output.
                Role::Output => {
                    block += input;
                    attention += input;
                }
                Role::Down | Role::SharedDown => {}
                Role::Query | Role::Key | Role::Value | Role::QueryKeyValue => {
                    block += output;
                    attention += output;
                }
                _ => block += output,
            }
        }
        if model.output_norms {
            block += 2 * d;
        }
        let mut routed = 0;
        if let Some(experts) = model.experts.as_ref().filter(|e| e.at(layer)) {
            let chosen = (experts.routing.top_k * experts.intermediate_size) as u64;
            block += experts.routing.experts as u64 + 2 * chosen;
            // The chosen experts' inputs, outputs and gradients, a row an expert.
            routed = 3 * chosen + 2 * d * experts.routing.top_k as u64;
        }
        kept += block;
        kept_most = kept_most.max(block);
        // The backward's gradients of the residual stream, of the attention's tensors and of the
        // feed-forward's, and the dropped-out copy of the widest input.
        scratch = scratch.max(6 * d + attention + 4 * widest + routed);
    }
    let kept = if recompute { kept_most } else { kept };
    let inputs = d * model.num_hidden_layers as u64;
    let head = 5 * d * tokens + (CHUNK as u64).min(tokens) * model.vocab_size as u64;
    let copies = if settings.load_best_model_at_end { 7 } else { 6 };
    let activations = 4 * tokens * (inputs + kept);
    // The head is done before the first backward begins.
    let buffers = 4 * head.max(scratch * tokens);
    MemoryEstimate {
        weights,
        adapter: 4 * copies * parameters as u64,
        activations,
        buffers: buffers + (activations + buffers) / SLACK as u64,
    }
}

/// Bytes that the machine has free, where that can be told.
pub fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Whether micro-batches are in memory as a whole because of the model or the adapter (those of
/// preference optimisation always are).
pub fn takes_batches_whole(model: &ModelConfig, use_dora: bool) -> bool {
    use_dora || model.experts.is_some()
}

/// Whether a run recomputes activations; refuses one that a given limit cannot hold either way.
/// `whole` says that its micro-batches are in memory as a whole.
pub(super) fn choose_recompute(
    model: &Model,
    adapter: &Adapter,
    settings: &TrainSettings,
    plan: &Plan,
    whole: bool,
) -> Result<bool> {
    let whole = whole || takes_batches_whole(&model.config, adapter.config.use_dora);
    let tokens = plan.rows_at_once(whole);
    let estimate = |recompute| {
        let weights = model.weight_bytes() as u64;
        let parameters = adapter.parameters();
        memory_estimate(&model.config, weights, parameters, tokens, settings, recompute)
    };
    let recompute = match (settings.gradient_checkpointing, settings.memory_limit) {
        (GradientCheckpointing::On, _) => true,
        (GradientCheckpointing::Off, _) => false,
        (GradientCheckpointing::Auto, Some(limit)) => estimate(false).total() > limit,
        (GradientCheckpointing::Auto, None) => {
            // The model is loaded already.
            let wanted = estimate(false).total() - estimate(false).weights;
            available_memory().is_some_and(|free| wanted > free)
        }
    };
    if let Some(limit) = settings.memory_limit {
        let needed = estimate(recompute).total();
        if needed > limit {
            return Err(Error::Memory { needed, limit });
        }
    }
    Ok(recompute)
}
