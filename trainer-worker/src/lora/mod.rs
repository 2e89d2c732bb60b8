//! Low-rank adapters (LoRA, Hu et al., 2021): `y = W·x + (alpha / r) · B·A·dropout(x)`.
//!
//! An adapter keeps one flat vector of parameters per layer; [`Slot`] says where each tensor lies
//! in it. One vector a layer is one variable for the gradient and one run of memory for the
//! optimiser.

use crate::error::{Error, Result};
use crate::model::config::ModelConfig;
use crate::rng::Stream;

/// The linear modules of a decoder block that can carry an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// Query projection of the attention.
    Query,
    /// Key projection.
    Key,
    /// Value projection.
    Value,
    /// Output projection of the attention.
    Output,
    /// Gate projection of the feed-forward.
    Gate,
    /// Up projection.
    Up,
    /// Down projection.
    Down,
}

impl Module {
    /// All modules in the order in which a layer's parameters are laid out.
    pub const ALL: [Self; 7] =
        [Self::Query, Self::Key, Self::Value, Self::Output, Self::Gate, Self::Up, Self::Down];

    /// The name that Hugging Face and PEFT use, for example `q_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "q_proj",
            Self::Key => "k_proj",
            Self::Value => "v_proj",
            Self::Output => "o_proj",
            Self::Gate => "gate_proj",
            Self::Up => "up_proj",
            Self::Down => "down_proj",
        }
    }

    /// The path within a layer, for example `self_attn.q_proj`.
    pub fn path(self) -> String {
        let parent = match self {
            Self::Query | Self::Key | Self::Value | Self::Output => "self_attn",
            Self::Gate | Self::Up | Self::Down => "mlp",
        };
        format!("{parent}.{}", self.name())
    }

    /// The module of a name such as `q_proj`.
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name).ok_or_else(|| Error::Setting {
            name: "target_modules",
            value: name.to_owned(),
            range: format!("among {}", Self::ALL.map(Self::name).join(", ")),
        })
    }

    /// Position in [`Self::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// (output, input) sizes of the module's weight in a model.
    pub fn shape(self, config: &ModelConfig) -> (usize, usize) {
        let (d, f) = (config.hidden_size, config.intermediate_size);
        let heads = config.heads();
        match self {
            Self::Query => (heads.query_width(), d),
            Self::Key | Self::Value => (heads.key_value_width(), d),
            Self::Output => (d, heads.query_width()),
            Self::Gate | Self::Up => (f, d),
            Self::Down => (d, f),
        }
    }
}

/// Rank, scaling and targets of an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraConfig {
    /// Rank `r` of the update.
    pub r: usize,
    /// Numerator of the scaling `alpha / r`.
    pub alpha: f64,
    /// Probability of dropping an input of `A` while training.
    pub dropout: f64,
    /// Modules that carry an adapter, sorted and distinct.
    pub targets: Vec<Module>,
    /// Whether the scaling is `alpha / sqrt(r)` (rank-stabilised LoRA).
    pub use_rslora: bool,
}

impl LoraConfig {
    /// The factor on `B·A·x`.
    pub fn scaling(&self) -> f64 {
        if self.use_rslora {
            self.alpha / (self.r as f64).sqrt()
        } else {
            self.alpha / self.r as f64
        }
    }
}

/// Where one module's `A` `[r, input]` and `B` `[output, r]` lie in a layer's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Start of `A`.
    pub a: usize,
    /// Start of `B`.
    pub b: usize,
    /// Rank.
    pub r: usize,
    /// Width of the module's input.
    pub input: usize,
    /// Width of its output.
    pub output: usize,
}

impl Slot {
    /// `A` and `B` within a layer's parameters (or gradients).
    pub fn split<'a>(&self, parameters: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        (
            &parameters[self.a..self.a + self.r * self.input],
            &parameters[self.b..self.b + self.output * self.r],
        )
    }

    /// As [`Self::split`], to be written. `B` follows `A` in every layout that this crate makes.
    pub fn split_mut<'a>(&self, parameters: &'a mut [f32]) -> (&'a mut [f32], &'a mut [f32]) {
        let (head, tail) = parameters.split_at_mut(self.b);
        (&mut head[self.a..self.a + self.r * self.input], &mut tail[..self.output * self.r])
    }
}

/// The slots of one layer by [`Module::index`], and the length of its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Slot of each module that carries an adapter.
    pub slots: [Option<Slot>; 7],
    /// Number of parameters.
    pub len: usize,
}

impl Layout {
    /// The layout for a set of modules.
    pub fn new(config: &ModelConfig, r: usize, targets: &[Module]) -> Self {
        let mut layout = Self::default();
        for module in Module::ALL.into_iter().filter(|m| targets.contains(m)) {
            let (output, input) = module.shape(config);
            let a = layout.len;
            let b = a + r * input;
            layout.slots[module.index()] = Some(Slot { a, b, r, input, output });
            layout.len = b + output * r;
        }
        layout
    }

    /// The slot of a module.
    pub fn slot(&self, module: Module) -> Option<&Slot> {
        self.slots[module.index()].as_ref()
    }

    /// Whether any of the modules carries an adapter.
    pub fn any(&self, modules: &[Module]) -> bool {
        modules.iter().any(|m| self.slot(*m).is_some())
    }
}

/// An adapter for a whole model.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// Rank, scaling and targets.
    pub config: LoraConfig,
    /// Layout of each layer.
    pub layouts: Vec<Layout>,
    /// Parameters of each layer, `layouts[i].len` values.
    pub layers: Vec<Vec<f32>>,
}

impl Adapter {
    /// A fresh adapter: `A` uniform in ±1/√input (Kaiming with a = √5, as PEFT does), `B` zero.
    pub fn new(config: LoraConfig, model: &ModelConfig, seed: u64) -> Self {
        let layout = Layout::new(model, config.r, &config.targets);
        let mut layers = Vec::with_capacity(model.num_hidden_layers);
        for layer in 0..model.num_hidden_layers {
            let mut values = vec![0f32; layout.len];
            for module in &config.targets {
                let Some(slot) = layout.slot(*module) else { continue };
                let counters = [layer as u64, module.index() as u64];
                let mut stream = Stream::new(seed, "lora_A", &counters);
                let bound = (1.0 / (slot.input as f64).sqrt()) as f32;
                for a in slot.split_mut(&mut values).0 {
                    *a = (stream.uniform() * 2.0 - 1.0) * bound;
                }
            }
            layers.push(values);
        }
        Self { config, layouts: vec![layout; model.num_hidden_layers], layers }
    }

    /// Number of trainable values.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Vec::len).sum()
    }

    /// Refuses an adapter made for another model.
    pub fn check_fits(&self, model: &ModelConfig) -> Result<()> {
        let layers = model.num_hidden_layers;
        if self.layers.len() != layers || self.layouts.len() != layers {
            return Err(Error::adapter(format!(
                "made for {} layers, the model has {layers}",
                self.layers.len()
            )));
        }
        for (layer, (layout, values)) in self.layouts.iter().zip(&self.layers).enumerate() {
            if values.len() != layout.len {
                return Err(Error::adapter(format!("layer {layer} is incomplete")));
            }
            for module in Module::ALL {
                let Some(slot) = layout.slot(module) else { continue };
                let (output, input) = module.shape(model);
                if (slot.output, slot.input) != (output, input) {
                    return Err(Error::adapter(format!(
                        "layer {layer} {} is for a weight of {} × {}, the model's is {output} × {input}",
                        module.name(), slot.output, slot.input
                    )));
                }
            }
        }
        Ok(())
    }
}

/// PEFT's name of an adapter tensor; `which` is `A` or `B`.
pub fn tensor_name(layer: usize, module: Module, which: char) -> String {
    format!("base_model.model.model.layers.{layer}.{}.lora_{which}.weight", module.path())
}

/// Checks the gradients of one optimiser step: each adapter tensor's gradient must be present and
/// finite, that of `B` not all zero, and that of `A` not all zero once `B` has left zero (before
/// that it is zero by definition). `step` counts from 1 and only serves the message.
pub fn assert_gradients(
    adapter: &Adapter,
    gradients: &[Option<Vec<f32>>],
    step: u64,
) -> Result<()> {
    for (layer, layout) in adapter.layouts.iter().enumerate() {
        let gradient = gradients.get(layer).and_then(Option::as_ref);
        for module in Module::ALL {
            let Some(slot) = layout.slot(module) else { continue };
            let fail = |which, problem| Error::Gradient {
                parameter: tensor_name(layer, module, which),
                problem,
                step,
            };
            let Some(gradient) = gradient.filter(|g| g.len() == layout.len) else {
                return Err(fail('B', "absent"));
            };
            let (a, b) = slot.split(gradient);
            let b_moved = slot.split(&adapter.layers[layer]).1.iter().any(|b| *b != 0.0);
            for (which, values, must_move) in [('B', b, true), ('A', a, b_moved)] {
                if values.iter().any(|g| !g.is_finite()) {
                    return Err(fail(which, "not finite"));
                }
                if must_move && values.iter().all(|g| *g == 0.0) {
                    return Err(fail(which, "zero"));
                }
            }
        }
    }
    Ok(())
}
