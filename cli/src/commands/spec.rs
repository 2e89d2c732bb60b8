//! Training settings on the command line, in the names of the Hugging Face libraries.

use crate::{
    arguments::one_of,
    error::{CliError, Result},
    views::{Spec, MODULES},
};
use clap::{Args, Command};
use openledger_primitives::{
    training::{Schedule, SpecError, SpecField, TargetModules},
    Method, TrainingSpec,
};
use serde_json::Value;

/// The settings; without an argument the default of the chain's `TrainingSpec`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Training settings")]
pub(crate) struct SpecArguments {
    /// How the adapter is trained.
    #[arg(long, value_parser = one_of::<Method>())]
    method: Option<Method>,
    /// Rank of the adapter, 1 to 256.
    #[arg(long)]
    lora_r: Option<u16>,
    /// Alpha: updates are scaled by alpha ÷ rank, 1 to 1024.
    #[arg(long)]
    lora_alpha: Option<u16>,
    /// Dropout before the adapter, 0 to 0.5.
    #[arg(long)]
    lora_dropout: Option<f64>,
    /// Layers with an adapter: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, or
    /// all-linear.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    target_modules: Vec<String>,
    /// Peak learning rate, up to 0.1 (1e-4 is understood).
    #[arg(long)]
    learning_rate: Option<f64>,
    /// How the learning rate changes.
    #[arg(long, value_parser = one_of::<Schedule>())]
    lr_scheduler_type: Option<Schedule>,
    /// Share of all steps spent warming up, 0 to 0.5.
    #[arg(long)]
    warmup_ratio: Option<f64>,
    /// Examples a step, 1 to 64.
    #[arg(long)]
    per_device_train_batch_size: Option<u16>,
    /// Steps whose gradients are added before the weights move, 1 to 256.
    #[arg(long)]
    gradient_accumulation_steps: Option<u16>,
    /// Passes over the training examples, 1 to 100.
    #[arg(long)]
    num_train_epochs: Option<u16>,
    /// Longest example in tokens, 16 to 8192.
    #[arg(long)]
    max_seq_length: Option<u32>,
    /// Weight decay, 0 to 1.
    #[arg(long)]
    weight_decay: Option<f64>,
    /// Gradient norm above which gradients are scaled down, 0 (never) to 100.
    #[arg(long)]
    max_grad_norm: Option<f64>,
    /// Seed of initialisation, shuffle, dropout and split.
    #[arg(long)]
    seed: Option<u64>,
    /// Share of the examples held out for evaluation, 0.01 to 0.5.
    #[arg(long)]
    eval_fraction: Option<f64>,
}

/// Says of each setting what it is unless it is given.
pub(crate) fn with_defaults(command: Command) -> Command {
    let usual = serde_json::to_value(Spec::from(&TrainingSpec::default())).unwrap_or_default();
    command.mut_args(|argument| {
        let value = match usual.get(argument.get_id().as_str()) {
            Some(Value::String(name)) => name.clone(),
            // No name stands for what is usual in the model's family.
            Some(Value::Array(names)) if names.is_empty() => "the family's usual ones".to_owned(),
            Some(Value::Array(names)) => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                names.join(",")
            }
            Some(number) => number.to_string(),
            None => return argument,
        };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        argument.help(format!("{help} [default: {value}]"))
    })
}

fn modules(names: &[String]) -> Result<TargetModules> {
    let mut modules = TargetModules::DEFAULT;
    for name in names {
        if name == "all-linear" {
            modules = modules.union(TargetModules::ALL_LINEAR);
            continue;
        }
        let known = MODULES.iter().find(|(known, _)| known == name);
        let (_, part) = known.ok_or_else(|| {
            let names: Vec<&str> = MODULES.iter().map(|(name, _)| *name).collect();
            CliError::usage(format!(
                "{name:?} is not a target module: it takes {} or all-linear",
                names.join(", ")
            ))
        })?;
        modules = modules.union(*part);
    }
    Ok(modules)
}

/// How many of a field's whole numbers make one, as users write it.
fn unit(field: SpecField) -> f64 {
    match field {
        SpecField::LoraDropoutBp | SpecField::WarmupRatioBp | SpecField::EvalFractionBp => 1e4,
        SpecField::LearningRateNano => 1e9,
        SpecField::WeightDecayMicro => 1e6,
        SpecField::MaxGradNormMilli => 1e3,
        _ => 1.0,
    }
}

/// Says a field's value and bounds as users write them.
fn out_of_bounds(error: SpecError) -> CliError {
    let unit = unit(error.field);
    let name = error.field.name();
    let shown = ["_nano", "_bp", "_micro", "_milli"]
        .into_iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    let (least, greatest) = error.field.bounds();
    CliError::usage(format!(
        "{shown} is {}; it may be {} to {}",
        error.value as f64 / unit,
        least as f64 / unit,
        greatest as f64 / unit
    ))
}

/// A decimal as a whole number of its unit.
fn scaled(name: &str, value: f64, unit: f64, most: u64) -> Result<u64> {
    let scaled = value * unit;
    let whole = scaled.round();
    let wrong = |what: &str| CliError::usage(format!("{name} is {value}; {what}"));
    if !value.is_finite() || value < 0.0 || whole > most as f64 {
        return Err(wrong(&format!("it may be 0 to {}", most as f64 / unit)));
    }
    if (scaled - whole).abs() > 1e-3 || (value > 0.0 && whole == 0.0) {
        return Err(wrong(&format!("its smallest step is {:e}", 1.0 / unit)));
    }
    Ok(whole as u64)
}

impl SpecArguments {
    /// The settings, every field within its bounds. What a parent adapter has settled is its own
    /// unless it is given.
    pub(crate) fn spec(&self, parent: Option<&TrainingSpec>) -> Result<TrainingSpec> {
        let mut usual = TrainingSpec::default();
        if let Some(parent) = parent {
            usual.lora_r = parent.lora_r;
            usual.lora_alpha = parent.lora_alpha;
            usual.target_modules = parent.target_modules;
        }
        let small = |name, value: Option<f64>, unit, usual: u16| match value {
            // Bounds of the type; the field's own come from `validate`, with its name.
            Some(value) => scaled(name, value, unit, u16::MAX.into()).map(|whole| whole as u16),
            None => Ok(usual),
        };
        let large = |name, value: Option<f64>, unit, usual: u32| match value {
            Some(value) => scaled(name, value, unit, u32::MAX.into()).map(|whole| whole as u32),
            None => Ok(usual),
        };
        let spec = TrainingSpec {
            method: self.method.unwrap_or(usual.method),
            lora_r: self.lora_r.unwrap_or(usual.lora_r),
            lora_alpha: self.lora_alpha.unwrap_or(usual.lora_alpha),
            lora_dropout_bp: small("lora_dropout", self.lora_dropout, 1e4, usual.lora_dropout_bp)?,
            target_modules: match self.target_modules.is_empty() {
                true => usual.target_modules,
                false => modules(&self.target_modules)?,
            },
            learning_rate_nano: large(
                "learning_rate",
                self.learning_rate,
                1e9,
                usual.learning_rate_nano,
            )?,
            schedule: self.lr_scheduler_type.unwrap_or(usual.schedule),
            warmup_ratio_bp: small("warmup_ratio", self.warmup_ratio, 1e4, usual.warmup_ratio_bp)?,
            per_device_train_batch_size: self
                .per_device_train_batch_size
                .unwrap_or(usual.per_device_train_batch_size),
            gradient_accumulation_steps: self
                .gradient_accumulation_steps
                .unwrap_or(usual.gradient_accumulation_steps),
            num_train_epochs: self.num_train_epochs.unwrap_or(usual.num_train_epochs),
            max_seq_length: self.max_seq_length.unwrap_or(usual.max_seq_length),
            weight_decay_micro: large(
                "weight_decay",
                self.weight_decay,
                1e6,
                usual.weight_decay_micro,
            )?,
            max_grad_norm_milli: large(
                "max_grad_norm",
                self.max_grad_norm,
                1e3,
                usual.max_grad_norm_milli,
            )?,
            seed: self.seed.unwrap_or(usual.seed),
            eval_fraction_bp: small(
                "eval_fraction",
                self.eval_fraction,
                1e4,
                usual.eval_fraction_bp,
            )?,
        };
        spec.validate().map_err(out_of_bounds)?;
        Ok(spec)
    }
}
