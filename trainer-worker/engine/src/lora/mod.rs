//! Low-rank adapters (LoRA, Hu et al., 2021): `y = W·x + (alpha / r) · B·A·dropout(x)`.
//!
//! An adapter keeps one flat vector of parameters per layer; [`Slot`] says where each tensor lies
//! in it. One vector a layer is one variable for the gradient and one run of memory for the
//! optimiser.

pub mod dora;
pub mod linear;
pub mod patterns;
pub mod targets;

pub use crate::model::family::{Family, Module, Role};

use crate::error::{Error, Result};
use crate::kernels::rng::Stream;
use crate::model::{Model, ModelConfig};
use patterns::{Expression, LayerChoice, Patterns};
use serde_json::{json, Value};
use std::ops::Range;

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
    /// In place of the names, an expression that the full names of the modules match.
    pub target_expression: Option<Expression>,
    /// Modules that carry none although they are targets.
    pub excluded: Excluded,
    /// Ranks of modules that differ from `r`.
    pub rank_pattern: Patterns<usize>,
    /// Alphas of modules that differ from `alpha`.
    pub alpha_pattern: Patterns<f64>,
    /// The layers that carry an adapter.
    pub layers_to_transform: LayerChoice,
    /// Whether the scaling is `alpha / sqrt(r)` (rank-stabilised LoRA).
    pub use_rslora: bool,
    /// Whether the norms of a weight's rows train apart from their directions (see [`dora`]).
    pub use_dora: bool,
    /// Whether the base model's files store the weights as `[input, output]` (GPT-2's `Conv1D`), as
    /// PEFT notes for such a model. Says nothing about the adapter's own tensors.
    pub fan_in_fan_out: bool,
}

/// PEFT's `exclude_modules`: names as in `target_modules`, or one expression.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Excluded {
    /// Names or ends of names.
    pub names: Vec<String>,
    /// An expression that the full names of the modules match.
    pub expression: Option<Expression>,
}

impl Excluded {
    /// Whether it names a module; nothing where its expression is not understood here.
    pub(crate) fn names(&self, module: &str) -> Option<bool> {
        match &self.expression {
            Some(expression) => expression.matches(module),
            None => Some(self.names.iter().any(|name| targets::matches(module, name))),
        }
    }

    /// As PEFT writes it; nothing where nothing is excluded.
    pub(crate) fn to_json(&self) -> Option<Value> {
        match &self.expression {
            Some(expression) => Some(json!(expression.text())),
            None => (!self.names.is_empty()).then(|| json!(self.names)),
        }
    }
}

impl Default for LoraConfig {
    /// Rank 8, alpha 16, no target yet.
    fn default() -> Self {
        Self {
            r: 8,
            alpha: 16.0,
            dropout: 0.0,
            target_modules: Vec::new(),
            target_expression: None,
            excluded: Excluded::default(),
            rank_pattern: Patterns::default(),
            alpha_pattern: Patterns::default(),
            layers_to_transform: LayerChoice::default(),
            use_rslora: false,
            use_dora: false,
            fan_in_fan_out: false,
        }
    }
}

impl LoraConfig {
    /// The factor on `B·A·x` of the modules that no pattern names.
    pub fn scaling(&self) -> f64 {
        self.scaling_of(self.r, self.alpha)
    }

    fn scaling_of(&self, r: usize, alpha: f64) -> f64 {
        if self.use_rslora {
            alpha / (r as f64).sqrt()
        } else {
            alpha / r as f64
        }
    }

    /// Whether the module with a full name in a layer carries an adapter, by PEFT's rule: exclusions
    /// first, then the expression or the names, and for names the chosen layers. Nothing where that
    /// depends on an expression that is not understood here.
    pub fn selects(&self, layer: usize, module: &str) -> Option<bool> {
        if self.excluded.names(module)? {
            return Some(false);
        }
        match &self.target_expression {
            Some(expression) => expression.matches(module),
            None => {
                let targets = &self.target_modules;
                // PEFT asks for no layer where a name is whole.
                let whole = targets.iter().any(|t| t == module);
                let named = whole || targets.iter().any(|t| targets::matches(module, t));
                Some(named && (whole || self.layers_to_transform.keeps(layer, module)))
            }
        }
    }

    /// Rank and scaling of the module with a full name such as `model.layers.3.self_attn.q_proj`.
    pub fn rank_and_scaling(&self, module: &str) -> (usize, f64) {
        let r = self.rank_pattern.get(module).unwrap_or(self.r);
        let alpha = self.alpha_pattern.get(module).unwrap_or(self.alpha);
        (r, self.scaling_of(r, alpha))
    }
}

/// Where one module's `A` `[r, input]`, `B` `[output, r]` and magnitudes `[output]` lie in a layer's
/// parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Hugging Face's path of the module within its layer.
    pub path: &'static str,
    /// Start of `A`.
    pub a: usize,
    /// Start of `B`.
    pub b: usize,
    /// Start of the magnitudes, where the module has them (DoRA).
    pub magnitude: Option<usize>,
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

    /// The magnitudes within a layer's parameters (or gradients), where the module has them.
    pub fn magnitude<'a>(&self, parameters: &'a [f32]) -> Option<&'a [f32]> {
        self.magnitude.and_then(|at| parameters.get(at..at + self.output))
    }

    /// As [`Self::magnitude`], to be written.
    pub fn magnitude_mut<'a>(&self, parameters: &'a mut [f32]) -> Option<&'a mut [f32]> {
        self.magnitude.and_then(|at| parameters.get_mut(at..at + self.output))
    }

    /// All of the module's parameters.
    pub fn range(&self) -> Range<usize> {
        let end = self.b + self.output * self.r;
        self.a..if self.magnitude.is_some() { end + self.output } else { end }
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
            let name = model.module_name(layer, &module);
            if lora.selects(layer, &name) == Some(true) {
                layout.add(&module, &name, lora);
            }
        }
        layout
    }

    /// Adds the slot of the module with the full name `name` behind the others.
    pub fn add(&mut self, module: &Module, name: &str, lora: &LoraConfig) -> Slot {
        let (output, input) = (module.output, module.input);
        let (r, scaling) = lora.rank_and_scaling(name);
        let a = self.len;
        let b = a + r * input;
        let magnitude = lora.use_dora.then_some(b + output * r);
        let scaling = scaling as f32;
        let slot = Slot { path: module.path, a, b, magnitude, r, input, output, scaling };
        self.slots[module.role.index()] = Some(slot);
        self.len = slot.range().end;
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
    /// A fresh adapter for a model: as [`Self::new`], and with DoRA the magnitudes are the norms of
    /// the weight's rows, so that it changes nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] when the configuration selects no module.
    pub fn fresh(config: LoraConfig, model: &Model, seed: u64) -> Result<Self> {
        let mut adapter = Self::new(config, &model.config, seed);
        if adapter.parameters() == 0 {
            return Err(Error::adapter(
                "target_modules, exclude_modules, layers_to_transform and layers_pattern together \
                 select no module",
            ));
        }
        let layers = adapter.layouts.iter().zip(&mut adapter.layers).zip(&model.blocks);
        for ((layout, values), block) in layers {
            for role in Role::ALL {
                let Some(slot) = layout.slot(role) else { continue };
                let (a, b) = slot.split(values);
                if slot.magnitude.is_some() {
                    let norms = dora::row_norms(block.module(role), slot, a, b);
                    if let Some(magnitude) = slot.magnitude_mut(values) {
                        magnitude.copy_from_slice(&norms);
                    }
                }
            }
        }
        Ok(adapter)
    }

    /// The factor on the learning rate of each parameter, as ranges of each layer's parameters, for
    /// LoRA+ (Hayou et al., 2024): `ratio` for `B` and, as in PEFT, magnitudes; 1 for `A`.
    pub fn rate_factors(&self, ratio: f64) -> Vec<Vec<(Range<usize>, f64)>> {
        let of = |slot: &Slot| [(slot.a..slot.b, 1.0), (slot.b..slot.range().end, ratio)];
        self.layouts.iter().map(|l| l.slots.iter().flatten().flat_map(of).collect()).collect()
    }

    /// An adapter: `A` uniform in ±1/√input (Kaiming with a = √5, as PEFT does), `B` zero, magnitudes
    /// zero (they need the weights: see [`Self::fresh`]).
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

    /// This adapter to be trained further with other settings: dropout may differ, and whatever else
    /// gives the same tensors with the same scalings.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] that names the first module whose rank or scaling would change, or that only
    /// one of the two has.
    pub fn under(mut self, config: LoraConfig, model: &ModelConfig) -> Result<Self> {
        self.check_fits(model)?;
        for (layer, layout) in self.layouts.iter().enumerate() {
            let wanted = Layout::new(model, &config, layer);
            for role in Role::ALL {
                let (found, wanted) = (layout.slot(role), wanted.slot(role));
                if found != wanted {
                    let path = found.or(wanted).map_or("", |slot| slot.path);
                    return Err(Error::adapter(format!(
                        "layer {layer} {path}: the adapter has {}, the settings ask for {}",
                        said(found),
                        said(wanted)
                    )));
                }
            }
        }
        self.config = config;
        Ok(self)
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

/// What a module carries, in words.
fn said(slot: Option<&Slot>) -> String {
    slot.map_or("nothing there".to_owned(), |slot| {
        let dora = if slot.magnitude.is_some() { " with magnitudes" } else { "" };
        format!("rank {} scaled by {}{dora}", slot.r, slot.scaling)
    })
}

/// PEFT's name of an adapter tensor of the module at `path` within its layer; `which` is `A` or `B`.
pub fn tensor_name(family: Family, layer: usize, path: &str, which: char) -> String {
    format!("base_model.model.{}{layer}.{path}.lora_{which}.weight", family.layer_prefix())
}

/// PEFT's name of the magnitudes of the module at `path` within its layer.
pub fn magnitude_name(family: Family, layer: usize, path: &str) -> String {
    format!("base_model.model.{}{layer}.{path}.lora_magnitude_vector", family.layer_prefix())
}

/// Checks the gradients of one optimiser step: each adapter tensor's gradient must be present and
/// finite, those of `B` and the magnitudes not all zero, and that of `A` not all zero once `B` has left zero (before
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
                if let Some(problem) = problem(values, must_move) {
                    return Err(fail(which, problem));
                }
            }
            if let Some(problem) = slot.magnitude(gradient).and_then(|m| problem(m, true)) {
                let parameter = magnitude_name(adapter.family, layer, slot.path);
                return Err(Error::Gradient { parameter, problem, step });
            }
        }
    }
    Ok(())
}

fn problem(gradient: &[f32], must_move: bool) -> Option<&'static str> {
    if gradient.iter().any(|g| !g.is_finite()) {
        Some("not finite")
    } else if must_move && gradient.iter().all(|g| *g == 0.0) {
        Some("zero")
    } else {
        None
    }
}
