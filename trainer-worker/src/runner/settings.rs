//! A job's settings on chain, as the engine takes them.

use openledger_engine::{
    model::{Family, ModelConfig, Role},
    optim::Schedule,
    train::TrainSettings,
};
use openledger_primitives::{
    training::{self, TargetModules},
    ModelFamily, TrainingSpec,
};
use std::collections::BTreeSet;

/// Optimiser steps between two checkpoints of a job: what a killed worker loses at most.
const SAVE_STEPS: u64 = 5;

/// The engine's settings for `spec` on a model, which stops before it would train on more than
/// `token_ceiling` tokens.
pub fn train_settings(
    spec: &TrainingSpec,
    token_ceiling: u64,
    model: &ModelConfig,
) -> TrainSettings {
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
        num_train_epochs: f64::from(spec.num_train_epochs),
        max_seq_length: spec.max_seq_length as usize,
        lora_r: spec.lora_r.into(),
        lora_alpha: spec.lora_alpha.into(),
        lora_dropout: basis_points(spec.lora_dropout_bp),
        target_modules: modules(spec.target_modules, model),
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

/// Which modules of a block play each part that a job can name.
const PARTS: [(TargetModules, &[Role]); 7] = [
    (TargetModules::QUERY, &[Role::Query, Role::QueryKeyValue, Role::QueryA, Role::QueryB]),
    (TargetModules::KEY, &[Role::Key, Role::QueryKeyValue, Role::KeyValueA, Role::KeyValueB]),
    (TargetModules::VALUE, &[Role::Value, Role::QueryKeyValue, Role::KeyValueA, Role::KeyValueB]),
    (TargetModules::OUTPUT, &[Role::Output]),
    (TargetModules::GATE, &[Role::Gate, Role::GateUp, Role::SharedGate]),
    (TargetModules::UP, &[Role::Up, Role::GateUp, Role::SharedUp]),
    (TargetModules::DOWN, &[Role::Down, Role::SharedDown]),
];

/// The paths of the targets within a layer, empty for the defaults of the model's family.
fn modules(targets: TargetModules, model: &ModelConfig) -> Vec<String> {
    if targets == TargetModules::DEFAULT {
        return Vec::new();
    }
    let roles: Vec<Role> = PARTS
        .iter()
        .filter(|(part, _)| targets.contains(*part))
        .flat_map(|(_, roles)| roles.iter().copied())
        .collect();
    let paths: BTreeSet<&str> = (0..model.num_hidden_layers)
        .flat_map(|layer| model.modules(layer))
        .filter(|module| roles.contains(&module.role))
        // By its name alone where that is enough, as people write it.
        .map(|module| if module.conv1d { module.path } else { module.name() })
        .collect();
    paths.into_iter().map(str::to_owned).collect()
}

/// Whether a model of this architecture is what the chain calls `family`.
pub fn is_of_family(architecture: Family, family: ModelFamily) -> bool {
    match family {
        // A Mistral without a sliding window is stored under LLaMA's name in GGUF files, and so are
        // the models distilled by DeepSeek under those of their own architectures.
        ModelFamily::Llama => architecture == Family::Llama,
        ModelFamily::Mistral => matches!(architecture, Family::Mistral | Family::Llama),
        ModelFamily::Qwen => matches!(architecture, Family::Qwen2 | Family::Qwen3),
        ModelFamily::DeepSeek => matches!(
            architecture,
            Family::DeepseekV2 | Family::DeepseekV3 | Family::Llama | Family::Qwen2 | Family::Qwen3
        ),
        ModelFamily::Gpt2 => architecture == Family::Gpt2,
        ModelFamily::Bloom => architecture == Family::Bloom,
        ModelFamily::ChatGlm => {
            matches!(architecture, Family::ChatGlm | Family::Glm | Family::Glm4)
        }
    }
}

/// A mean loss in micro-nats, as the chain stores it; `None` for one that is no such number (not
/// finite, negative, or above 4294 nats), which must never be posted as if it were.
pub fn micro_nats(loss: f64) -> Option<u32> {
    let micro = (loss * 1e6).round();
    (0.0..=f64::from(u32::MAX)).contains(&micro).then_some(micro as u32)
}
