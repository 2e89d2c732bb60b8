//! The settings of a training run, with their ranges.

use crate::error::{Error, Result};
use crate::lora::{targets, LoraConfig};
use crate::model::ModelConfig;
use crate::optim::Schedule;

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
    /// Passes over the training examples, 1 to 1000.
    pub num_train_epochs: usize,
    /// Longest sequence in tokens, 8 to 32768.
    pub max_seq_length: usize,
    /// Rank of the adapter, 1 to 256.
    pub lora_r: usize,
    /// Numerator of the adapter's scaling, above 0 and at most 4096.
    pub lora_alpha: f64,
    /// Dropout of the adapter's inputs, 0 to 0.9.
    pub lora_dropout: f64,
    /// Names of the modules that carry an adapter, as PEFT matches them, or `all-linear`; the
    /// family's defaults when empty.
    pub target_modules: Vec<String>,
    /// Decoupled weight decay, 0 to 1.
    pub weight_decay: f64,
    /// Limit of the gradients' global norm, 0 (none) to 1000.
    pub max_grad_norm: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Share of the examples held out for evaluation, 0 to 0.5.
    pub eval_fraction: f64,
    /// Stop after so many optimiser steps.
    pub max_steps: Option<u64>,
    /// Stop before the step that would exceed so many trained tokens.
    pub max_tokens: Option<u64>,
    /// Write a checkpoint every so many optimiser steps (0: never).
    pub save_steps: u64,
    /// Threads; all of the machine's when not given. Never changes a result.
    pub threads: Option<usize>,
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
            num_train_epochs: 3,
            max_seq_length: 512,
            lora_r: 8,
            lora_alpha: 16.0,
            lora_dropout: 0.0,
            target_modules: Vec::new(),
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            seed: 42,
            eval_fraction: 0.1,
            max_steps: None,
            max_tokens: None,
            save_steps: 50,
            threads: None,
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

fn whole(name: &'static str, value: u64, low: u64, high: u64) -> Result<()> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(refuse(name, value, format!("{low} to {high}")))
    }
}

impl TrainSettings {
    /// Refuses the first setting that is out of range, by name.
    pub fn validate(&self) -> Result<()> {
        if self.learning_rate.is_nan() || self.learning_rate <= 0.0 {
            return Err(refuse("learning_rate", self.learning_rate, "above 0 and at most 1"));
        }
        within("learning_rate", self.learning_rate, 0.0, 1.0)?;
        within("warmup_ratio", self.warmup_ratio, 0.0, 1.0)?;
        let (batch, accumulation) =
            (self.per_device_train_batch_size, self.gradient_accumulation_steps);
        whole("per_device_train_batch_size", batch as u64, 1, 256)?;
        whole("gradient_accumulation_steps", accumulation as u64, 1, 1024)?;
        whole("num_train_epochs", self.num_train_epochs as u64, 1, 1000)?;
        whole("max_seq_length", self.max_seq_length as u64, 8, 32_768)?;
        whole("lora_r", self.lora_r as u64, 1, 256)?;
        if self.lora_alpha.is_nan() || self.lora_alpha <= 0.0 {
            return Err(refuse("lora_alpha", self.lora_alpha, "above 0 and at most 4096"));
        }
        within("lora_alpha", self.lora_alpha, 0.0, 4096.0)?;
        within("lora_dropout", self.lora_dropout, 0.0, 0.9)?;
        within("weight_decay", self.weight_decay, 0.0, 1.0)?;
        within("max_grad_norm", self.max_grad_norm, 0.0, 1000.0)?;
        within("eval_fraction", self.eval_fraction, 0.0, 0.5)?;
        if self.target_modules.iter().any(String::is_empty) {
            return Err(refuse("target_modules", "(nothing)", "names such as q_proj"));
        }
        if self.max_steps == Some(0) {
            return Err(refuse("max_steps", 0, "at least 1"));
        }
        if let Some(threads) = self.threads {
            whole("threads", threads as u64, 1, 1024)?;
        }
        Ok(())
    }

    /// The adapter's configuration for a model; refuses targets that the model does not have.
    pub fn lora(&self, model: &ModelConfig) -> Result<LoraConfig> {
        Ok(LoraConfig {
            r: self.lora_r,
            alpha: self.lora_alpha,
            dropout: self.lora_dropout,
            target_modules: targets::resolve(model, &self.target_modules)?,
            use_rslora: false,
            fan_in_fan_out: model.fan_in_fan_out(),
        })
    }

    /// Steps of warm-up in a run of `total` steps.
    pub fn warmup(&self, total: u64) -> u64 {
        let steps = self.warmup_steps.unwrap_or((total as f64 * self.warmup_ratio).ceil() as u64);
        steps.min(total)
    }

    /// A text of everything that decides the result, for a checkpoint's fingerprint.
    pub(crate) fn fingerprint(&self) -> String {
        let mut shown = self.clone();
        shown.threads = None;
        shown.save_steps = 0;
        format!("{shown:?}")
    }
}
