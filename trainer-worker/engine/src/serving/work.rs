//! What a row costs, so that a step can be bounded by it.

use crate::model::fast::ServingArithmetic;
use crate::model::ModelConfig;

/// The work of a row without the attention over what was before it.
pub const ROW: u64 = 256;

/// How many products of attention, which are computed in `f32`, take the time of one of the linear
/// layers. Measured by `trainer-worker serve` with SmolLM2-135M-Instruct Q4_1 on two EPYC cores, as CPU
/// time of prompts of 256 to 2048 tokens; a machine on which it is another still has steps of bounded
/// work, of another length.
const INTEGER_RATIO: f64 = 16.0;
const F32_RATIO: f64 = 1.2;

/// Products of a row in a layer's linear parts.
fn products(config: &ModelConfig, layer: usize) -> usize {
    let modules = config.modules(layer);
    let dense: usize = modules.iter().map(|module| module.input * module.output).sum();
    let experts = config.experts.as_ref().filter(|experts| experts.at(layer));
    let routed = experts.map_or(0, |experts| {
        experts.routing.top_k * 3 * config.hidden_size * experts.intermediate_size
    });
    dense + routed
}

/// What rows of a model cost, in units of [`ROW`].
#[derive(Debug, Clone, Default)]
pub struct RowWork {
    /// Work for each token of the context, of layers with the same window.
    attention: Vec<(Option<usize>, f64)>,
}

impl RowWork {
    /// That of a model.
    pub fn new(config: &ModelConfig, arithmetic: ServingArithmetic) -> Self {
        let ratio = match arithmetic {
            ServingArithmetic::Integer => INTEGER_RATIO,
            ServingArithmetic::F32 => F32_RATIO,
        };
        let layers = 0..config.num_hidden_layers;
        let linear: usize = layers.clone().map(|layer| products(config, layer)).sum();
        let of_token = config.num_attention_heads * (config.head_dim + config.value_head_dim);
        let of_token = ROW as f64 * ratio * of_token as f64 / linear.max(1) as f64;
        let mut attention: Vec<(Option<usize>, f64)> = Vec::new();
        for window in layers.map(|layer| config.window(layer)) {
            match attention.iter_mut().find(|(known, _)| *known == window) {
                Some((_, work)) => *work += of_token,
                None => attention.push((window, of_token)),
            }
        }
        Self { attention }
    }

    /// The work of the row at a position.
    pub fn at(&self, position: usize) -> u64 {
        let context = |window: Option<usize>| (position + 1).min(window.unwrap_or(usize::MAX));
        let attention = self.attention.iter().map(|(window, work)| work * context(*window) as f64);
        ROW + attention.sum::<f64>() as u64
    }
}
