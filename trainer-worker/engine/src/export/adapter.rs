//! A PEFT adapter as its files say it, under PEFT's own names: for merging and converting, whatever
//! the family.

use super::tensors::TensorFile;
use crate::error::{Error, Result};
use crate::lora::patterns::Patterns;
use crate::model::ModelConfig;
use crate::peft::{
    absent, json_of, ordered_patterns, parse_config, seeming, Files, CONFIG, MAX_ADAPTER,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const PREFIX: &str = "base_model.model.";
/// What PEFT calls DoRA's magnitudes, and what they are called in a model's own state.
const MAGNITUDE: &str = ".lora_magnitude_vector";
const MAGNITUDE_WEIGHT: &str = ".lora_magnitude_vector.weight";
/// Greatest rank that is read.
const MAX_RANK: usize = 4096;

/// One adapted module.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Rank of its update.
    pub rank: usize,
    /// Width of its input.
    pub input: usize,
    /// Width of its output.
    pub output: usize,
    /// The factor on `B·A`.
    pub scaling: f64,
    /// Whether it has a magnitude (DoRA).
    pub dora: bool,
}

/// An adapter on disk.
#[derive(Debug)]
pub struct PeftAdapter {
    /// `adapter_config.json`.
    pub config: Value,
    /// Adapted modules by their paths, such as `model.layers.0.self_attn.q_proj`.
    pub modules: BTreeMap<String, Pair>,
    /// Tensors that belong to no pair, such as fully trained modules.
    pub others: Vec<String>,
    /// The weights.
    pub file: TensorFile,
}

impl PeftAdapter {
    /// Opens a folder with `adapter_config.json` and `adapter_model.safetensors`, or one
    /// safetensors file that carries its configuration in its metadata.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] for what is no LoRA adapter, is incomplete, or would be computed otherwise than
    /// it means ([`seeming`]).
    pub fn open(path: &Path) -> Result<Self> {
        let (adapter, problems) = Self::look(path)?;
        seeming::refuse(&problems)?;
        Ok(adapter)
    }

    /// Opens an adapter to look at it, with everything for which [`Self::open`] would refuse it.
    pub fn look(path: &Path) -> Result<(Self, Vec<String>)> {
        let files = Files::find(path)?;
        let weights = &files.weights;
        let size = std::fs::metadata(weights).map_err(Error::io("read", weights))?.len();
        if size > MAX_ADAPTER {
            let what = weights.display().to_string();
            return Err(Error::TooLarge { what, size, limit: MAX_ADAPTER });
        }
        let file = TensorFile::open(weights)?;
        let text = match (files.config()?, file.metadata.get("adapter_config")) {
            (Some(text), _) => text,
            (None, Some(text)) => text.clone(),
            (None, None) => {
                return Err(Error::adapter(format!(
                    "{} carries no configuration; name the folder that holds it and {CONFIG}",
                    weights.display()
                )))
            }
        };
        let config = json_of(&text)?;
        let mut problems = seeming::problems_of_config(&config);
        let shapes = file
            .entries
            .iter()
            .map(|(name, entry)| seeming::Shape { name, dimensions: &entry.shape });
        problems.extend(seeming::problems_of_tensors(&text, &config, shapes)?);
        let (_, alphas) = ordered_patterns(&text)?;
        let mut adapter = Self { config, modules: BTreeMap::new(), others: Vec::new(), file };
        if let Err(error) = adapter.find_pairs(&alphas) {
            // Of other kinds of adapters only the kind is of interest.
            if problems.is_empty() {
                return Err(error);
            }
            adapter.modules.clear();
        }
        Ok((adapter, problems))
    }

    /// What the configuration names and no tensor is of ([`peft::unmatched`](crate::peft::unmatched)).
    pub fn unmatched(&self) -> Vec<String> {
        crate::peft::unmatched(&self.config, &self.modules.keys().cloned().collect())
    }

    /// Refuses an adapter that lacks what its targets select in a model, such as one of a shallower
    /// model, whose names fit.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] that names a module of which it has nothing.
    pub fn check_complete(&self, model: &ModelConfig) -> Result<()> {
        let text = self.config.to_string();
        let lora = parse_config(&text, &self.config, model)?;
        match absent(&lora, model, |_, _, name| self.modules.contains_key(name)) {
            None => Ok(()),
            Some(absent) => Err(Error::adapter(format!(
                "{absent}: it is incomplete, or {}, and the model has {} layers: give --model the one \
                 that it was trained on",
                self.base(),
                model.num_hidden_layers
            ))),
        }
    }

    /// What the base model is called that the adapter names, in words.
    pub(super) fn base(&self) -> String {
        match self.config.get("base_model_name_or_path").and_then(Value::as_str) {
            Some(name) if !name.is_empty() => {
                format!(
                    "the adapter names {} as its base",
                    name.chars().take(200).collect::<String>()
                )
            }
            _ => "the adapter names no base".to_owned(),
        }
    }

    fn find_pairs(&mut self, alphas: &Patterns<f64>) -> Result<()> {
        let alpha = self.number("lora_alpha", 8.0)?;
        let root = self.flag("use_rslora");
        for (name, a) in &self.file.entries {
            let Some(path) =
                name.strip_prefix(PREFIX).and_then(|n| n.strip_suffix(".lora_A.weight"))
            else {
                let ends = [".lora_B.weight", MAGNITUDE, MAGNITUDE_WEIGHT];
                let path = ends.iter().find_map(|end| name.strip_suffix(end));
                let pair = path.map(|path| format!("{path}.lora_A.weight"));
                if !pair.is_some_and(|a| self.file.entries.contains_key(&a)) {
                    self.others.push(name.clone());
                }
                continue;
            };
            let b = self.file.entries.get(&format!("{PREFIX}{path}.lora_B.weight"));
            let b = b.ok_or_else(|| Error::adapter(format!("{path} has lora_A but no lora_B")))?;
            let ([rank, input], [output, rank_b]) = (a.shape.as_slice(), b.shape.as_slice()) else {
                return Err(Error::adapter(format!("{path}: lora_A and lora_B must be matrices")));
            };
            if rank != rank_b || !(1..=MAX_RANK).contains(rank) {
                return Err(Error::adapter(format!(
                    "{path}: ranks {rank} and {rank_b}; equal ones of 1 to {MAX_RANK} are expected"
                )));
            }
            let alpha = alphas.get(path).unwrap_or(alpha);
            let divisor = if root { (*rank as f64).sqrt() } else { *rank as f64 };
            let dora = self.magnitude_name(path).is_some();
            let pair = Pair {
                rank: *rank,
                input: *input,
                output: *output,
                scaling: alpha / divisor,
                dora,
            };
            self.modules.insert(path.to_owned(), pair);
        }
        if self.modules.is_empty() {
            return Err(Error::adapter("it holds no lora_A and lora_B"));
        }
        Ok(())
    }

    fn number(&self, field: &str, default: f64) -> Result<f64> {
        match self.config.get(field) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value
                .as_f64()
                .filter(|v| v.is_finite() && *v > 0.0 && *v <= 1e6)
                .ok_or_else(|| Error::adapter(format!("{field} = {value}: a positive number"))),
        }
    }

    /// A truth value of the configuration; absent is false.
    pub fn flag(&self, field: &str) -> bool {
        self.config.get(field).and_then(Value::as_bool) == Some(true)
    }

    fn magnitude_name(&self, path: &str) -> Option<String> {
        [MAGNITUDE, MAGNITUDE_WEIGHT]
            .into_iter()
            .map(|end| format!("{PREFIX}{path}{end}"))
            .find(|name| self.file.entries.contains_key(name))
    }

    /// `A`, `[rank, input]`, of a module.
    pub fn a(&self, path: &str) -> Result<Vec<f32>> {
        self.file.values(&format!("{PREFIX}{path}.lora_A.weight"))
    }

    /// `B`, `[output, rank]`, of a module.
    pub fn b(&self, path: &str) -> Result<Vec<f32>> {
        self.file.values(&format!("{PREFIX}{path}.lora_B.weight"))
    }

    /// DoRA's magnitude, `[output]`, of a module that has one.
    pub fn magnitude(&self, path: &str) -> Result<Option<Vec<f32>>> {
        self.magnitude_name(path).map(|name| self.file.values(&name)).transpose()
    }

    /// Ranks that occur.
    pub fn ranks(&self) -> Vec<usize> {
        let mut ranks: Vec<usize> = self.modules.values().map(|p| p.rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    /// Refuses what merging and converting cannot carry over.
    pub(super) fn refuse_others(&self) -> Result<()> {
        match self.others.first() {
            Some(name) => Err(Error::adapter(format!(
                "{name} belongs to no LoRA pair: fully trained modules and biases are not supported; merge \
                 the adapter with PEFT (merge_and_unload) and use the merged model"
            ))),
            None => Ok(()),
        }
    }
}
