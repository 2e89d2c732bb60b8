//! Low-rank adapters (LoRA, Hu et al., 2021): `y = W·x + (alpha / r) · B·A·dropout(x)`.
//!
//! An adapter keeps one flat vector of parameters per layer; [`Slot`] says where each tensor lies
//! in it. One vector a layer is one variable for the gradient and one run of memory for the
//! optimiser.

pub mod linear;
pub mod targets;

pub use crate::model::family::{Family, Module, Role};

use crate::error::{Error, Result};
use crate::model::ModelConfig;
use crate::rng::Stream;

/// Rank, scaling and targets of an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraConfig {
    /// Rank `r` of the update.
    pub r: usize,
    /// Numerator of the scaling `alpha / r`.
    pub alpha: f64,
    /// Probability of dropping an input of `A` while training.
    pub dropout: f64,
    /// Names of the modules that carry an adapter, as [`targets::resolve`] gives them.
    pub target_modules: Vec<String>,
    /// Whether the scaling is `alpha / sqrt(r)` (rank-stabilised LoRA).
    pub use_rslora: bool,
    /// Whether the base model's files store the weights as `[input, output]` (GPT-2's `Conv1D`), as
    /// PEFT notes for such a model. Says nothing about the adapter's own tensors.
    pub fan_in_fan_out: bool,
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Hugging Face's path of the module within its layer.
    pub path: &'static str,
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
    /// Factor on `B·A·x`.
    pub scaling: f32,
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

/// The slots of one layer by [`Role::index`], and the length of its parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// Slot of each module that carries an adapter.
    pub slots: [Option<Slot>; Role::COUNT],
    /// Number of parameters.
    pub len: usize,
}

impl Layout {
    /// The layout of a layer for an adapter's targets.
    pub fn new(model: &ModelConfig, lora: &LoraConfig, layer: usize) -> Self {
        let mut layout = Self::default();
        let mut modules = model.modules(layer);
        modules.sort_by_key(|m| m.role);
        for module in modules {
            if targets::selected(model, layer, &module, &lora.target_modules) {
                layout.add(&module, lora.r, lora.scaling() as f32);
            }
        }
        layout
    }

    /// Adds a module's slot behind the others.
    pub fn add(&mut self, module: &Module, r: usize, scaling: f32) -> Slot {
        let (output, input) = (module.output, module.input);
        let a = self.len;
        let b = a + r * input;
        let slot = Slot { path: module.path, a, b, r, input, output, scaling };
        self.slots[module.role.index()] = Some(slot);
        self.len = b + output * r;
        slot
    }

    /// The slot of a module.
    pub fn slot(&self, role: Role) -> Option<&Slot> {
        self.slots[role.index()].as_ref()
    }

    /// Whether any of the modules carries an adapter.
    pub fn any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.slot(*role).is_some())
    }
}

/// An adapter for a whole model.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// The family of the base model, which names the tensors.
    pub family: Family,
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
        let mut layers = Vec::with_capacity(model.num_hidden_layers);
        let mut layouts = Vec::with_capacity(model.num_hidden_layers);
        for layer in 0..model.num_hidden_layers {
            let layout = Layout::new(model, &config, layer);
            let mut values = vec![0f32; layout.len];
            for role in Role::ALL {
                let Some(slot) = layout.slot(role) else { continue };
                let counters = [layer as u64, role.index() as u64];
                let mut stream = Stream::new(seed, "lora_A", &counters);
                let bound = (1.0 / (slot.input as f64).sqrt()) as f32;
                for a in slot.split_mut(&mut values).0 {
                    *a = (stream.uniform() * 2.0 - 1.0) * bound;
                }
            }
            layers.push(values);
            layouts.push(layout);
        }
        Self { family: model.family, config, layouts, layers }
    }

    /// Number of trainable values.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Vec::len).sum()
    }

    /// Refuses an adapter made for another model.
    pub fn check_fits(&self, model: &ModelConfig) -> Result<()> {
        if self.family != model.family {
            return Err(Error::adapter(format!(
                "made for a {} model, this is a {} model",
                self.family.model_type(),
                model.family.model_type()
            )));
        }
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
            for role in Role::ALL {
                let Some(slot) = layout.slot(role) else { continue };
                let Some(module) = model.module(layer, role) else {
                    return Err(Error::adapter(format!(
                        "layer {layer} has no module for {role:?} in this model"
                    )));
                };
                let (output, input) = (module.output, module.input);
                if (slot.output, slot.input) != (output, input) {
                    return Err(Error::adapter(format!(
                        "layer {layer} {} is for a weight of {} × {}, the model's is {output} × {input}",
                        module.path, slot.output, slot.input
                    )));
                }
            }
        }
        Ok(())
    }
}

/// PEFT's name of an adapter tensor of the module at `path` within its layer; `which` is `A` or `B`.
pub fn tensor_name(family: Family, layer: usize, path: &str, which: char) -> String {
    format!("base_model.model.{}{layer}.{path}.lora_{which}.weight", family.layer_prefix())
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
        for slot in layout.slots.iter().flatten() {
            let fail = |which, problem| Error::Gradient {
                parameter: tensor_name(adapter.family, layer, slot.path, which),
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
