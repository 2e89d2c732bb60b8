//! The settings of a training run, with their ranges.

use crate::data::DataOptions;
use crate::device::Arithmetic;
use crate::error::{Error, Result};
use crate::lora::patterns::{Expression, LayerChoice, Patterns};
use crate::lora::{targets, Excluded, LoraConfig};
use crate::model::ModelConfig;
use crate::optim::Schedule;

/// When held-out loss is measured while training. It is always measured before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EvalStrategy {
    /// Only before and after.
    #[default]
    No,
    /// Every `eval_steps` optimiser steps and after the last one.
    Steps,
    /// At the end of each epoch and after the last step.
    Epoch,
}

impl EvalStrategy {
    /// The strategy of a name: `no`, `steps` or `epoch`.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "no" => Ok(Self::No),
            "steps" => Ok(Self::Steps),
            "epoch" => Ok(Self::Epoch),
            other => Err(refuse("eval_strategy", other, "no, steps or epoch")),
        }
    }
}

/// Whether a block's activations are kept for the backward or computed again in it. The result is
/// the same to the bit; recomputing costs about a third more time and keeps only the blocks'
/// inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GradientCheckpointing {
    /// Keep activations.
    Off,
    /// Recompute them.
    On,
    /// Recompute them when keeping them would exceed the memory limit.
    #[default]
    Auto,
}

impl GradientCheckpointing {
    /// The choice of a name: `true`, `false` or `auto`.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "true" | "on" => Ok(Self::On),
            "false" | "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            other => Err(refuse("gradient_checkpointing", other, "true, false or auto")),
        }
    }
}

/// Settings with the names that PEFT, TRL and transformers use.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// Peak learning rate, above 0 and at most 1.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub lr_scheduler_type: Schedule,
    /// Share of the steps spent warming up, 0 to 1.
    pub warmup_ratio: f64,
    /// Steps of warm-up; when given, takes the place of `warmup_ratio`.
    pub warmup_steps: Option<u64>,
    /// Sequences a micro-batch, 1 to 256.
    pub per_device_train_batch_size: usize,
    /// Micro-batches an optimiser step, 1 to 1024.
    pub gradient_accumulation_steps: usize,
    /// Passes over the training examples, above 0 and at most 1000; a part of a pass is the first
    /// steps of it, rounded up.
    pub num_train_epochs: f64,
    /// Longest sequence in tokens, 8 to 32768.
    pub max_seq_length: usize,
    /// Rank of the adapter, 1 to 256.
    pub lora_r: usize,
    /// Numerator of the adapter's scaling, above 0 and at most 4096.
    pub lora_alpha: f64,
    /// Dropout of the adapter's inputs, 0 to 0.9.
    pub lora_dropout: f64,
    /// Names of the modules that carry an adapter, as PEFT matches them, or `all-linear`; the
    /// family's defaults when empty. One text that is more than a name is a regular expression that the
    /// full names of the modules match.
    pub target_modules: Vec<String>,
    /// Modules that carry none although they are targets: names, or one regular expression.
    pub exclude_modules: Vec<String>,
    /// Ranks (1 to 256) of modules whose names end in a match of a regular expression, in place of
    /// `lora_r`; the first that matches counts, as in PEFT.
    pub rank_pattern: Vec<(String, usize)>,
    /// Alphas (above 0, at most 4096) of modules, in place of `lora_alpha`.
    pub alpha_pattern: Vec<(String, f64)>,
    /// Numbers of the layers that carry an adapter; all when not given.
    pub layers_to_transform: Option<Vec<usize>>,
    /// What the list of layers is called in a module's name, such as `layers` or `h`, where that
    /// must be told.
    pub layers_pattern: Vec<String>,
    /// Whether the scaling is alpha / √r instead of alpha / r (rank-stabilised LoRA).
    pub use_rslora: bool,
    /// Whether magnitudes train apart from directions (DoRA).
    pub use_dora: bool,
    /// Learning rate of `B` over that of `A` (LoRA+), 1 to 1024; the same when not given.
    pub loraplus_lr_ratio: Option<f64>,
    /// Decoupled weight decay, 0 to 1.
    pub weight_decay: f64,
    /// Decay of AdamW's first moment, 0 to below 1.
    pub adam_beta1: f64,
    /// Decay of AdamW's second moment, 0 to below 1.
    pub adam_beta2: f64,
    /// Added to the root of AdamW's second moment, above 0 and at most 1.
    pub adam_epsilon: f64,
    /// Limit of the gradients' global norm, 0 (none) to 1000.
    pub max_grad_norm: f64,
    /// Whether text files are windows of plain text whatever they hold, instead of chat examples
    /// where they have questions and answers.
    pub plain_text: bool,
    /// Whether the loss is on everything, also on what is asked.
    pub train_on_prompt: bool,
    /// Whether only the last answer of a conversation is learned.
    pub mask_history: bool,
    /// Whether examples of similar length share a micro-batch: the shuffled examples are cut into
    /// stretches of up to 50 optimiser steps, each sorted by length, as transformers does.
    pub group_by_length: bool,
    /// Whether a micro-batch is filled with whole examples up to `per_device_train_batch_size` ·
    /// `max_seq_length` tokens instead of holding `per_device_train_batch_size` examples. Examples
    /// that share a row of `max_seq_length` tokens never see each other: each attends to itself
    /// only and begins at position 0.
    pub packing: bool,
    /// Strength of NEFTune's noise on the embeddings while training (Jain et al., 2023), above 0
    /// and at most 100; none when not given.
    pub neftune_noise_alpha: Option<f64>,
    /// Whether activations are recomputed in the backward. Never changes a result.
    pub gradient_checkpointing: GradientCheckpointing,
    /// Bytes that a run may use, for `gradient_checkpointing = auto`; what the machine has free
    /// when not given. Never changes a result.
    pub memory_limit: Option<u64>,
    /// Seed of everything random.
    pub seed: u64,
    /// Share of the examples held out for evaluation, 0 to 0.5.
    pub eval_fraction: f64,
    /// When held-out loss is measured while training.
    pub eval_strategy: EvalStrategy,
    /// Optimiser steps between two evaluations with [`EvalStrategy::Steps`], at least 1.
    pub eval_steps: u64,
    /// Stop once so many evaluations in a row did not improve the best held-out loss by more than
    /// `early_stopping_threshold`, 1 to 1000; wants an `eval_strategy`.
    pub early_stopping_patience: Option<u64>,
    /// Improvement in nats that an evaluation must exceed to count, 0 to 100.
    pub early_stopping_threshold: f64,
    /// Whether the result is the adapter with the lowest held-out loss of all evaluations while
    /// training instead of the last one; wants an `eval_strategy`.
    pub load_best_model_at_end: bool,
    /// Prompts answered by the adapter at each evaluation (greedily; in the model's chat template
    /// when it has one), at most 16. Never changes a result.
    pub sample_prompts: Vec<String>,
    /// Optimiser steps between two rounds of samples; at each evaluation when not given.
    pub sample_steps: Option<u64>,
    /// Most tokens of a sample, 1 to 1024.
    pub sample_max_new_tokens: usize,
    /// Optimiser steps in all, 1 to 10,000,000; takes the place of `num_train_epochs`, also where that
    /// would end sooner, as in transformers.
    pub max_steps: Option<u64>,
    /// Stop before the step that would exceed so many trained tokens.
    pub max_tokens: Option<u64>,
    /// Write a checkpoint every so many optimiser steps (0: never).
    pub save_steps: u64,
    /// Keep the newest so many checkpoints, each in a folder `checkpoint-STEP` with the adapter as it was
    /// then, 1 to 1000; one file that is replaced when not given. Never changes a result.
    pub save_total_limit: Option<u64>,
    /// Threads; all of the machine's when not given. Never changes a result.
    pub threads: Option<usize>,
    /// Where passes are computed, and in which type. Only the CPU's own kernels give the same bytes
    /// on every machine.
    pub arithmetic: Arithmetic,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            learning_rate: 2e-4,
            lr_scheduler_type: Schedule::Linear,
            warmup_ratio: 0.03,
            warmup_steps: None,
            per_device_train_batch_size: 4,
            gradient_accumulation_steps: 1,
            num_train_epochs: 3.0,
            max_seq_length: 512,
            lora_r: 8,
            lora_alpha: 16.0,
            lora_dropout: 0.0,
            target_modules: Vec::new(),
            exclude_modules: Vec::new(),
            rank_pattern: Vec::new(),
            alpha_pattern: Vec::new(),
            layers_to_transform: None,
            layers_pattern: Vec::new(),
            use_rslora: false,
            use_dora: false,
            loraplus_lr_ratio: None,
            weight_decay: 0.0,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            max_grad_norm: 1.0,
            group_by_length: false,
            packing: false,
            plain_text: false,
            train_on_prompt: false,
            mask_history: false,
            neftune_noise_alpha: None,
            gradient_checkpointing: GradientCheckpointing::Auto,
            memory_limit: None,
            seed: 42,
            eval_fraction: 0.1,
            eval_strategy: EvalStrategy::No,
            eval_steps: 50,
            early_stopping_patience: None,
            early_stopping_threshold: 0.0,
            load_best_model_at_end: false,
            sample_prompts: Vec::new(),
            sample_steps: None,
            sample_max_new_tokens: 48,
            max_steps: None,
            max_tokens: None,
            save_steps: 50,
            save_total_limit: None,
            threads: None,
            arithmetic: Arithmetic::default(),
        }
    }
}

fn refuse(name: &'static str, value: impl ToString, range: impl Into<String>) -> Error {
    Error::Setting { name, value: value.to_string(), range: range.into() }
}

fn within(name: &'static str, value: f64, low: f64, high: f64) -> Result<()> {
    if value.is_finite() && (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(refuse(name, value, format!("{low} to {high}")))
    }
}

fn above_zero(name: &'static str, value: f64, high: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 && value <= high {
        Ok(())
    } else {
        Err(refuse(name, value, format!("above 0 and at most {high}")))
    }
}

fn whole(name: &'static str, value: u64, low: u64, high: u64) -> Result<()> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(refuse(name, value, format!("{low} to {high}")))
    }
}

/// Most optimiser steps of a run.
const MAX_STEPS: u64 = 10_000_000;

fn below_one(name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        Ok(())
    } else {
        Err(refuse(name, value, "0 to below 1"))
    }
}

/// The expression that a list of names is, if it is one.
fn expression(name: &'static str, list: &[String]) -> Result<Option<Expression>> {
    let Some(text) = list.iter().find(|text| Expression::is_one(text)) else { return Ok(None) };
    if list.len() > 1 {
        return Err(refuse(
            name,
            text,
            "names, or one regular expression alone, which matches whole names of modules",
        ));
    }
    Expression::new(name, text).map(Some)
}

impl TrainSettings {
    /// Refuses the first setting that is out of range, by name.
    pub fn validate(&self) -> Result<()> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every setting that is out of range, by name.
    pub fn problems(&self) -> Vec<Error> {
        let (batch, accumulation) =
            (self.per_device_train_batch_size, self.gradient_accumulation_steps);
        let mut checks = vec![
            self.arithmetic.validate(),
            above_zero("learning_rate", self.learning_rate, 1.0),
            within("warmup_ratio", self.warmup_ratio, 0.0, 1.0),
            whole("per_device_train_batch_size", batch as u64, 1, 256),
            whole("gradient_accumulation_steps", accumulation as u64, 1, 1024),
            above_zero("num_train_epochs", self.num_train_epochs, 1000.0),
            whole("max_seq_length", self.max_seq_length as u64, 8, 32_768),
            whole("lora_r", self.lora_r as u64, 1, 256),
            above_zero("lora_alpha", self.lora_alpha, 4096.0),
            within("lora_dropout", self.lora_dropout, 0.0, 0.9),
            within("weight_decay", self.weight_decay, 0.0, 1.0),
            below_one("adam_beta1", self.adam_beta1),
            below_one("adam_beta2", self.adam_beta2),
            above_zero("adam_epsilon", self.adam_epsilon, 1.0),
            within("max_grad_norm", self.max_grad_norm, 0.0, 1000.0),
            within("eval_fraction", self.eval_fraction, 0.0, 0.5),
        ];
        if self.target_modules.iter().any(String::is_empty) {
            checks.push(Err(refuse("target_modules", "(nothing)", "names such as q_proj")));
        }
        if self.packing && self.group_by_length {
            checks.push(Err(refuse(
                "packing",
                "true",
                "false with group_by_length: rows that are filled need no grouping",
            )));
        }
        if self.train_on_prompt && self.mask_history {
            checks.push(Err(refuse("mask_history", "true", "false with train_on_prompt")));
        }
        if let Some(alpha) = self.neftune_noise_alpha {
            checks.push(above_zero("neftune_noise_alpha", alpha, 100.0));
        }
        if self.memory_limit == Some(0) {
            checks.push(Err(refuse("memory_limit", 0, "at least 1 byte")));
        }
        checks.extend(self.adapter_checks());
        checks.extend(self.evaluation_checks());
        if let Some(steps) = self.max_steps {
            checks.push(whole("max_steps", steps, 1, MAX_STEPS));
        }
        if let Some(limit) = self.save_total_limit {
            checks.push(whole("save_total_limit", limit, 1, 1000));
        }
        if let Some(threads) = self.threads {
            checks.push(whole("threads", threads as u64, 1, 1024));
        }
        checks.into_iter().filter_map(Result::err).collect()
    }

    fn adapter_checks(&self) -> Vec<Result<()>> {
        let ranks = self.rank_pattern.iter().map(|(_, r)| whole("rank_pattern", *r as u64, 1, 256));
        let alphas =
            self.alpha_pattern.iter().map(|(_, alpha)| above_zero("alpha_pattern", *alpha, 4096.0));
        let mut checks: Vec<Result<()>> = ranks.chain(alphas).collect();
        checks.push(Patterns::new("rank_pattern", self.rank_pattern.clone()).map(drop));
        checks.push(Patterns::new("alpha_pattern", self.alpha_pattern.clone()).map(drop));
        checks.push(expression("target_modules", &self.target_modules).map(drop));
        checks.push(expression("exclude_modules", &self.exclude_modules).map(drop));
        if self.layers_to_transform.as_ref().is_some_and(Vec::is_empty) {
            checks.push(Err(refuse("layers_to_transform", "(none)", "at least one layer")));
        }
        if !self.layers_pattern.is_empty() && self.layers_to_transform.is_none() {
            let range = "only with layers_to_transform";
            checks.push(Err(refuse("layers_pattern", self.layers_pattern.join(", "), range)));
        }
        checks.extend(
            self.loraplus_lr_ratio.map(|ratio| within("loraplus_lr_ratio", ratio, 1.0, 1024.0)),
        );
        checks
    }

    fn evaluation_checks(&self) -> Vec<Result<()>> {
        let mut checks = vec![
            whole("eval_steps", self.eval_steps, 1, u64::MAX),
            within("early_stopping_threshold", self.early_stopping_threshold, 0.0, 100.0),
        ];
        let watched = self.eval_strategy != EvalStrategy::No && self.eval_fraction > 0.0;
        let wanted = "only with eval_strategy steps or epoch and an eval_fraction above 0";
        if let Some(patience) = self.early_stopping_patience {
            checks.push(whole("early_stopping_patience", patience, 1, 1000));
            if !watched {
                checks.push(Err(refuse("early_stopping_patience", patience, wanted)));
            }
        }
        if self.load_best_model_at_end && !watched {
            checks.push(Err(refuse("load_best_model_at_end", "true", wanted)));
        }
        checks.push(whole("sample_prompts", self.sample_prompts.len() as u64, 0, 16));
        checks.extend(self.sample_steps.map(|steps| whole("sample_steps", steps, 1, u64::MAX)));
        checks.push(whole("sample_max_new_tokens", self.sample_max_new_tokens as u64, 1, 1024));
        checks
    }

    /// The adapter's configuration for a model; refuses targets that the model does not have.
    pub fn lora(&self, model: &ModelConfig) -> Result<LoraConfig> {
        let chosen = self.layers_to_transform.iter().flatten();
        if let Some(layer) = chosen.copied().find(|l| *l >= model.num_hidden_layers) {
            let range = format!("below {}, the model's number of layers", model.num_hidden_layers);
            return Err(refuse("layers_to_transform", layer, range));
        }
        let target_expression = expression("target_modules", &self.target_modules)?;
        let target_modules = match &target_expression {
            Some(_) => Vec::new(),
            None => targets::resolve(model, &self.target_modules)?,
        };
        let expression = expression("exclude_modules", &self.exclude_modules)?;
        let names = if expression.is_some() { Vec::new() } else { self.exclude_modules.clone() };
        let lora = LoraConfig {
            r: self.lora_r,
            alpha: self.lora_alpha,
            dropout: self.lora_dropout,
            target_modules,
            target_expression,
            excluded: Excluded { names, expression },
            rank_pattern: Patterns::new("rank_pattern", self.rank_pattern.clone())?,
            alpha_pattern: Patterns::new("alpha_pattern", self.alpha_pattern.clone())?,
            layers_to_transform: LayerChoice {
                layers: self.layers_to_transform.clone(),
                patterns: self.layers_pattern.clone(),
            },
            use_rslora: self.use_rslora,
            use_dora: self.use_dora,
            fan_in_fan_out: model.fan_in_fan_out(),
        };
        targets::check(model, &lora)?;
        Ok(lora)
    }

    /// How files become examples of at most `max_seq` tokens.
    pub fn data_options(&self, max_seq: usize) -> DataOptions {
        DataOptions {
            plain_text: self.plain_text,
            train_on_prompt: self.train_on_prompt,
            mask_history: self.mask_history,
            ..DataOptions::new(max_seq)
        }
    }

    /// Steps of warm-up in a run of `total` steps.
    pub fn warmup(&self, total: u64) -> u64 {
        let steps = self.warmup_steps.unwrap_or((total as f64 * self.warmup_ratio).ceil() as u64);
        steps.min(total)
    }

    /// A text of everything that decides the result, for a checkpoint's fingerprint. What never
    /// changes a result is left out, so that a run may go on with less memory, other threads or
    /// another device of the same kind.
    pub(crate) fn fingerprint(&self) -> String {
        let shown = Self {
            threads: None,
            save_steps: 0,
            save_total_limit: None,
            gradient_checkpointing: GradientCheckpointing::Auto,
            memory_limit: None,
            sample_prompts: Vec::new(),
            sample_steps: None,
            sample_max_new_tokens: 0,
            arithmetic: Arithmetic { device: self.arithmetic.device.kind(), ..self.arithmetic },
            ..self.clone()
        };
        format!("{shown:?}")
    }
}
