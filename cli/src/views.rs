//! JSON shapes that only the command line prints; the others are `openledger_primitives::json`, which
//! the node's `openledger_*` methods answer too.

use openledger_client::AccountId;
use openledger_documents::LeftOut;
use openledger_primitives::{training::TargetModules, Method, TrainingSpec};
use serde::Serialize;

/// The linear layers of a block by the names that LLaMA, Mistral and Qwen give them.
pub(crate) const MODULES: [(&str, TargetModules); 7] = [
    ("q_proj", TargetModules::QUERY),
    ("k_proj", TargetModules::KEY),
    ("v_proj", TargetModules::VALUE),
    ("o_proj", TargetModules::OUTPUT),
    ("gate_proj", TargetModules::GATE),
    ("up_proj", TargetModules::UP),
    ("down_proj", TargetModules::DOWN),
];

/// The names of a set of layers; the family's default is empty.
pub(crate) fn module_names(modules: TargetModules) -> Vec<&'static str> {
    MODULES.iter().filter(|(_, part)| modules.contains(*part)).map(|(name, _)| *name).collect()
}

/// What a reading left out: reasons, their units, and their share of all units in percent.
pub(crate) fn left_out(left_out: &LeftOut, counted: u64) -> Vec<serde_json::Value> {
    (left_out.iter())
        .map(|(why, units)| {
            serde_json::json!({
                "reason": why.name(),
                "text": why.text(),
                "units": units,
                "percent": percent(units, left_out, counted),
            })
        })
        .collect()
}

/// The same for people; nothing where nothing was left out.
pub(crate) fn left_out_in_words(left_out: &LeftOut, counted: u64) -> String {
    let parts: Vec<String> = (left_out.iter())
        .map(|(why, units)| {
            format!("{units} ({} %) {}", percent(units, left_out, counted), why.text())
        })
        .collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!("; left out: {}", parts.join(", ")),
    }
}

/// A share of all units, those left out included, with one decimal.
fn percent(units: u64, left_out: &LeftOut, counted: u64) -> f64 {
    let all = left_out.iter().fold(counted, |sum, (_, units)| sum.saturating_add(units));
    (units as f64 * 1_000.0 / all.max(1) as f64).round() / 10.0
}

/// Training settings, in the names and units that users write.
#[derive(Serialize)]
pub(crate) struct Spec {
    method: Method,
    lora_r: u16,
    lora_alpha: u16,
    lora_dropout: f64,
    target_modules: Vec<&'static str>,
    learning_rate: f64,
    lr_scheduler_type: openledger_primitives::training::Schedule,
    warmup_ratio: f64,
    per_device_train_batch_size: u16,
    gradient_accumulation_steps: u16,
    num_train_epochs: u16,
    max_seq_length: u32,
    weight_decay: f64,
    max_grad_norm: f64,
    seed: u64,
    eval_fraction: f64,
}

impl From<&TrainingSpec> for Spec {
    fn from(spec: &TrainingSpec) -> Self {
        Self {
            method: spec.method,
            lora_r: spec.lora_r,
            lora_alpha: spec.lora_alpha,
            lora_dropout: f64::from(spec.lora_dropout_bp) / 1e4,
            target_modules: module_names(spec.target_modules),
            learning_rate: f64::from(spec.learning_rate_nano) / 1e9,
            lr_scheduler_type: spec.schedule,
            warmup_ratio: f64::from(spec.warmup_ratio_bp) / 1e4,
            per_device_train_batch_size: spec.per_device_train_batch_size,
            gradient_accumulation_steps: spec.gradient_accumulation_steps,
            num_train_epochs: spec.num_train_epochs,
            max_seq_length: spec.max_seq_length,
            weight_decay: f64::from(spec.weight_decay_micro) / 1e6,
            max_grad_norm: f64::from(spec.max_grad_norm_milli) / 1e3,
            seed: spec.seed,
            eval_fraction: f64::from(spec.eval_fraction_bp) / 1e4,
        }
    }
}

/// A contributor's part of an adapter.
#[derive(Serialize)]
pub(crate) struct ContributorShare {
    pub(crate) account: AccountId,
    pub(crate) units: u64,
    /// Parts of 10⁹.
    pub(crate) share: u64,
}
