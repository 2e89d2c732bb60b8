//! A job's settings on chain, as the engine takes them.

use crate::{optim::Schedule, train::TrainSettings};
use openledger_primitives::{
    training::{self, TargetModules},
    TrainingSpec,
};

/// Optimiser steps between two checkpoints of a job: what a killed worker loses at most.
const SAVE_STEPS: u64 = 5;

/// The engine's settings for `spec`, which stops before it would train on more than
/// `token_ceiling` tokens.
pub fn train_settings(spec: &TrainingSpec, token_ceiling: u64) -> TrainSettings {
    TrainSettings {
        learning_rate: f64::from(spec.learning_rate_nano) / 1e9,
        lr_scheduler_type: match spec.schedule {
            training::Schedule::Linear => Schedule::Linear,
            training::Schedule::Cosine => Schedule::Cosine,
            training::Schedule::Constant => Schedule::ConstantWithWarmup,
        },
        warmup_ratio: basis_points(spec.warmup_ratio_bp),
        per_device_train_batch_size: spec.per_device_train_batch_size.into(),
        gradient_accumulation_steps: spec.gradient_accumulation_steps.into(),
        num_train_epochs: spec.num_train_epochs.into(),
        max_seq_length: spec.max_seq_length as usize,
        lora_r: spec.lora_r.into(),
        lora_alpha: spec.lora_alpha.into(),
        lora_dropout: basis_points(spec.lora_dropout_bp),
        target_modules: modules(spec.target_modules),
        weight_decay: f64::from(spec.weight_decay_micro) / 1e6,
        max_grad_norm: f64::from(spec.max_grad_norm_milli) / 1e3,
        seed: spec.seed,
        eval_fraction: basis_points(spec.eval_fraction_bp),
        max_tokens: Some(token_ceiling),
        save_steps: SAVE_STEPS,
        ..TrainSettings::default()
    }
}

fn basis_points(value: u16) -> f64 {
    f64::from(value) / 1e4
}

/// The names of the targets, empty for the defaults of the model's family.
fn modules(targets: TargetModules) -> Vec<String> {
    [
        (TargetModules::QUERY, "q_proj"),
        (TargetModules::KEY, "k_proj"),
        (TargetModules::VALUE, "v_proj"),
        (TargetModules::OUTPUT, "o_proj"),
        (TargetModules::GATE, "gate_proj"),
        (TargetModules::UP, "up_proj"),
        (TargetModules::DOWN, "down_proj"),
    ]
    .into_iter()
    .filter(|(part, _)| targets != TargetModules::DEFAULT && targets.contains(*part))
    .map(|(_, name)| name.to_owned())
    .collect()
}

/// A mean loss in micro-nats, as the chain stores it; `None` for one that is no such number (not
/// finite, negative, or above 4294 nats), which must never be posted as if it were.
pub fn micro_nats(loss: f64) -> Option<u32> {
    let micro = (loss * 1e6).round();
    (0.0..=f64::from(u32::MAX)).contains(&micro).then_some(micro as u32)
}
