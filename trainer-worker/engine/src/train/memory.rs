//! How much memory a run needs, and whether activations are recomputed because of it.

use super::plan::Plan;
use super::settings::{GradientCheckpointing, TrainSettings};
use crate::device::{self, Device};
use crate::error::{Error, Result};
use crate::kernels::linear::FrozenLinear;
use crate::kernels::loss::CHUNK;
use crate::lora::{Adapter, Layout, Role};
use crate::model::workspace::SLACK;
use crate::model::{Model, ModelConfig};
use crate::report::memory;

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
/// model in memory, `parameters` the number of trainable values. On a device of its own it is that
/// device's memory.
pub fn memory_estimate(
    model: &ModelConfig,
    weights: u64,
    parameters: usize,
    tokens: usize,
    settings: &TrainSettings,
    recompute: bool,
) -> MemoryEstimate {
    if settings.arithmetic.device != Device::Cpu {
        return graph_estimate(model, weights, parameters, tokens, settings, recompute);
    }
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

/// What candle's operations need: the values that differentiation keeps of each block, and the
/// largest that one operation needs for a while.
fn graph_estimate(
    model: &ModelConfig,
    weights: u64,
    parameters: usize,
    tokens: usize,
    settings: &TrainSettings,
    recompute: bool,
) -> MemoryEstimate {
    let value = settings.arithmetic.dtype.bytes();
    let (d, longest) = (model.hidden_size as u64, tokens.min(settings.max_seq_length) as u64);
    let tokens = tokens as u64;
    let lora = settings.lora(model).ok();
    let (mut kept, mut kept_most, mut widest) = (0, 0, 0);
    for layer in 0..model.num_hidden_layers {
        let layout = lora.as_ref().map(|lora| Layout::new(model, lora, layer));
        let mut block = 8 * d * value;
        for module in model.modules(layer) {
            let (output, input) = (module.output as u64, module.input as u64);
            block += value * output;
            if layout.as_ref().is_none_or(|layout| layout.slot(module.role).is_some()) {
                // The adapter's product in f32 and the sum; a wide copy of the input.
                block += (4 + value) * output;
                block += if value < 4 { 4 * input + value * output } else { 0 };
            }
            // What activation and rotary embedding make of it.
            block += match module.role {
                Role::Output | Role::Value | Role::Down | Role::SharedDown => 0,
                _ => value * output,
            };
            widest = widest.max(output * input);
        }
        if let Some(experts) = model.experts.as_ref().filter(|e| e.at(layer)) {
            let chosen = (experts.routing.top_k * experts.intermediate_size) as u64;
            block += value * (5 * chosen + 4 * d * experts.routing.top_k as u64);
        }
        kept += block;
        kept_most = kept_most.max(block);
    }
    let kept = if recompute { kept_most } else { kept };
    let inputs = value * d * model.num_hidden_layers as u64;
    let scores = 4 * 5 * model.num_attention_heads as u64 * tokens * longest;
    let head = 4 * 4 * tokens.min(512) * model.vocab_size as u64;
    let copies = if settings.load_best_model_at_end { 7 } else { 6 };
    MemoryEstimate {
        weights,
        adapter: 4 * copies * parameters as u64,
        activations: tokens * (inputs + kept),
        // A weight in few bits, or of another type, is made anew for each product.
        buffers: scores.max(head) + (4 + value) * widest,
    }
}

/// Bytes of a model's weights on a device, dense ones in the type of the run.
fn device_weights(model: &Model, value: u64) -> u64 {
    let bytes = |linear: &FrozenLinear| match linear.quant() {
        Some(matrix) => matrix.bytes() as u64,
        None => value * (linear.output() * linear.input()) as u64,
    };
    let experts = model.blocks.iter().flat_map(|b| b.experts.iter());
    let experts = experts.flat_map(|e| e.experts().iter().flat_map(|e| [&e.gate, &e.up, &e.down]));
    model.linears().chain(experts).map(bytes).sum()
}

/// Whether micro-batches are in memory as a whole because of the model, the adapter or the device
/// (those of preference optimisation always are).
pub fn takes_batches_whole(model: &ModelConfig, use_dora: bool, device: Device) -> bool {
    use_dora || model.experts.is_some() || device != Device::Cpu
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
    let on_cpu = settings.arithmetic.device == Device::Cpu;
    let device = settings.arithmetic.device;
    let whole = whole || takes_batches_whole(&model.config, adapter.config.use_dora, device);
    let tokens = plan.rows_at_once(whole);
    let estimate = |recompute| {
        let weights = match device == Device::Cpu {
            true => model.weight_bytes() as u64,
            false => device_weights(model, settings.arithmetic.dtype.bytes()),
        };
        let parameters = adapter.parameters();
        memory_estimate(&model.config, weights, parameters, tokens, settings, recompute)
    };
    let recompute = match (settings.gradient_checkpointing, settings.memory_limit) {
        (GradientCheckpointing::On, _) => true,
        (GradientCheckpointing::Off, _) => false,
        (GradientCheckpointing::Auto, Some(limit)) => estimate(false).total() > limit,
        (GradientCheckpointing::Auto, None) => {
            // The CPU has the model loaded already; a device is given a copy.
            let loaded = if on_cpu { estimate(false).weights } else { 0 };
            let wanted = estimate(false).total() - loaded;
            let free = match settings.arithmetic.device {
                device if device.uses_host_memory() => memory::available().map(|a| a.bytes),
                device => device::memory(device).map(|(free, _)| free),
            };
            free.is_some_and(|free| wanted > free)
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
