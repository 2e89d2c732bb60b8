//! Options of `train`, with the names of PEFT, TRL and transformers; LLaMA-Factory's as aliases.

use super::super::error::usage;
use super::super::{DeviceArgs, ModelArgs};
use anyhow::Result;
use clap::ValueEnum;
use openledger_engine::lora::patterns::Expression;
use openledger_engine::model::weights::Precision;
use openledger_engine::optim::Schedule;
use openledger_engine::train::{DpoSettings, EvalStrategy, GradientCheckpointing, TrainSettings};
use std::path::PathBuf;

/// How to fine-tune.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Low-rank adapters on a frozen f32 base.
    Lora,
    /// Low-rank adapters on a quantised base: a GGUF file as it is, a folder in NF4.
    Qlora,
}

/// What is trained for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// The next token of answers and texts.
    Sft,
    /// The preferred of two answers (direct preference optimisation).
    Dpo,
}

/// Where to record a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportTo {
    /// trainer_state.json only.
    None,
    /// TensorBoard event files.
    Tensorboard,
    /// An MLflow server.
    Mlflow,
    /// All of them.
    All,
}

/// Arguments of `train`.
#[derive(clap::Args)]
#[command(after_help = "Data:
  A file with lines 'Q: …' and 'A: …' becomes chat examples with the loss on the answers; any other
  text becomes windows of --max-seq-length tokens. Records (JSON, CSV, Parquet, Arrow) with messages,
  a question and its answer, text, or chosen and rejected are read too (docs/data.md);
  `trainer-worker preview` shows what becomes of files.

Examples:
  trainer-worker train --model MODEL.gguf --data notes/ --output adapter/
  trainer-worker train --model MODEL.gguf --data notes/ --output adapter/ --dry-run
  trainer-worker train --config run.yaml --learning_rate 1e-4 --overwrite_output_dir
  trainer-worker train --model MODEL.gguf --data faq.md rules.md --method lora --output adapter/ \\
    --learning-rate 5e-4 --num-train-epochs 5 --lora-r 16 --lora-alpha 32 \\
    --target-modules q_proj,k_proj,v_proj,o_proj --json

--config names a YAML file of these options (learning_rate: 1.0e-4); the names of LLaMA-Factory and \
axolotl, such as model_name_or_path, lora_rank, lora_target, cutoff_len, val_size, micro_batch_size and \
sequence_len, are understood. Options on the command line win. Everything that is wrong with a file is \
said at once.

A run that was interrupted (Ctrl-C writes a checkpoint first) goes on from its last checkpoint when it \
is started again with the same arguments, and gives the same bytes. A finished adapter is never \
overwritten unless --overwrite-output-dir says so.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// A YAML file of options.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Files or folders of them: documents (.md, .txt, .pdf, .docx) and records (.jsonl, .ndjson,
    /// .json, .csv, .tsv, .parquet, .arrow; .gz and .zst of the first five). A test split is never
    /// trained on; a validation split is evaluated on.
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1.., alias = "train-file")]
    pub(super) data: Vec<PathBuf>,
    /// Files or folders to evaluate on, instead of a share of the data or its validation split.
    #[arg(long, value_name = "FILE|DIR", num_args = 1.., aliases = ["eval-file", "validation-file"])]
    pub(super) eval_data: Vec<PathBuf>,
    /// How to fine-tune.
    #[arg(long, value_enum, default_value = "lora", alias = "finetuning-type")]
    pub(super) method: Method,
    /// What to train for: sft (supervised fine-tuning), or dpo on data with chosen and rejected
    /// answers.
    #[arg(long, value_enum, default_value = "sft")]
    pub(super) stage: Stage,
    /// How far dpo may leave the base model: smaller lets it go further (above 0, at most 10).
    #[arg(long, default_value_t = 0.1, alias = "beta")]
    pref_beta: f64,
    /// Probability, for dpo, that a preference is the wrong way round (0 to 0.5).
    #[arg(long, default_value_t = 0.0)]
    label_smoothing: f64,
    /// Folder for the adapter (adapter_config.json, adapter_model.safetensors), trainer_state.json,
    /// event files and the checkpoint.
    #[arg(long, value_name = "DIR", alias = "output-dir")]
    pub(super) output: PathBuf,
    /// Print what the run would take (parameters, memory, time, tokens) and stop.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Replace what the output folder holds: a finished adapter, or the checkpoint of another run.
    #[arg(long)]
    pub(super) overwrite_output_dir: bool,
    /// Fail unless there is a checkpoint to go on from (without it, one is used if it is there).
    #[arg(long)]
    pub(super) resume: bool,
    /// Start although the estimate exceeds the available memory; the system may stop the run.
    #[arg(long)]
    pub(super) ignore_memory: bool,

    /// Peak learning rate (above 0, at most 1).
    #[arg(long, default_value_t = 2e-4, alias = "lr")]
    learning_rate: f64,
    /// linear, cosine, constant (no warm-up) or constant_with_warmup.
    #[arg(long, default_value = "linear", alias = "lr-scheduler")]
    lr_scheduler_type: String,
    /// Share of the steps spent warming up (0 to 1).
    #[arg(long, default_value_t = 0.03)]
    warmup_ratio: f64,
    /// Steps of warm-up, in place of --warmup-ratio.
    #[arg(long)]
    warmup_steps: Option<u64>,
    /// Sequences a micro-batch (1 to 256).
    #[arg(long, default_value_t = 4, aliases = ["train-batch-size", "micro-batch-size"])]
    per_device_train_batch_size: usize,
    /// Micro-batches an optimiser step (1 to 1024).
    #[arg(long, default_value_t = 1)]
    gradient_accumulation_steps: usize,
    /// Passes over the data (above 0, at most 1000), which may end in a part of one (2.5).
    #[arg(long, default_value_t = 3.0, aliases = ["num-epochs", "epochs"])]
    num_train_epochs: f64,
    /// Longest sequence in tokens (8 to 32768).
    #[arg(long, default_value_t = 512, aliases = ["cutoff-len", "max-length", "sequence-len"])]
    max_seq_length: usize,
    /// Rank of the adapter (1 to 256).
    #[arg(long, default_value_t = 8, alias = "lora-rank")]
    lora_r: usize,
    /// Scaling is alpha / r (above 0, at most 4096).
    #[arg(long, default_value_t = 16.0)]
    lora_alpha: f64,
    /// Dropout of the adapter's inputs (0 to 0.9).
    #[arg(long, default_value_t = 0.0)]
    lora_dropout: f64,
    /// Modules to adapt, separated by commas, by name or end of name (q_proj, mlp.c_proj, …),
    /// all-linear for all of them, or one regular expression that matches whole names of modules. By
    /// default those that PEFT adapts in the model's family.
    #[arg(long, aliases = ["lora-target", "lora-target-modules"], action = clap::ArgAction::Append)]
    target_modules: Vec<String>,
    /// Modules that are not adapted although they are targets: names, or one regular expression.
    #[arg(long, value_name = "NAMES", action = clap::ArgAction::Append)]
    exclude_modules: Vec<String>,
    /// Ranks of single modules, separated by commas, such as q_proj=16,down_proj=4.
    #[arg(long, value_delimiter = ',', value_name = "NAME=R")]
    rank_pattern: Vec<String>,
    /// Alphas of single modules, separated by commas, such as q_proj=32.
    #[arg(long, value_delimiter = ',', value_name = "NAME=ALPHA")]
    alpha_pattern: Vec<String>,
    /// Layers to adapt, counted from 0 and separated by commas (all by default).
    #[arg(long, value_delimiter = ',')]
    layers_to_transform: Vec<usize>,
    /// Scale by alpha / √r (rank-stabilised LoRA).
    #[arg(long)]
    use_rslora: bool,
    /// Train a magnitude beside the direction (DoRA).
    #[arg(long)]
    use_dora: bool,
    /// Learning rate of B over that of A (LoRA+).
    #[arg(long)]
    loraplus_lr_ratio: Option<f64>,
    /// Train this adapter further instead of a fresh one; its rank, scaling and targets count.
    #[arg(long, value_name = "DIR|FILE", alias = "adapter-name-or-path")]
    pub(super) adapter: Option<PathBuf>,
    /// Decoupled weight decay (0 to 1).
    #[arg(long, default_value_t = 0.0)]
    weight_decay: f64,
    /// Decay of AdamW's first moment (0 to below 1).
    #[arg(long, default_value_t = 0.9)]
    adam_beta1: f64,
    /// Decay of AdamW's second moment (0 to below 1).
    #[arg(long, default_value_t = 0.999)]
    adam_beta2: f64,
    /// Added to the root of AdamW's second moment (above 0, at most 1).
    #[arg(long, default_value_t = 1e-8)]
    adam_epsilon: f64,
    /// Limit of the gradients' global norm (0 for none, at most 1000).
    #[arg(long, default_value_t = 1.0)]
    max_grad_norm: f64,
    /// NEFTune's noise on the embeddings (above 0, at most 100).
    #[arg(long)]
    neftune_noise_alpha: Option<f64>,
    /// Take md, txt, pdf and docx files as plain text, also where they have questions and answers.
    #[arg(long)]
    plain_text: bool,
    /// Put the loss on everything, also on what is asked.
    #[arg(long)]
    train_on_prompt: bool,
    /// Learn only the last answer of a conversation.
    #[arg(long)]
    mask_history: bool,
    /// Fill micro-batches with whole examples up to batch size × sequence length tokens.
    #[arg(long, alias = "sample-packing")]
    packing: bool,
    /// Put examples of similar length into one micro-batch.
    #[arg(long)]
    group_by_length: bool,
    /// Recompute activations in the backward: true, false, or auto when memory asks for it.
    #[arg(long, default_value = "auto", num_args = 0..=1, default_missing_value = "true")]
    gradient_checkpointing: String,
    /// Seed of initialisation, shuffling and dropout.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Share of the examples held out for evaluation (0 to 0.5; 0.1 by default), where there is no
    /// --eval-data and no validation split.
    #[arg(long, aliases = ["val-size", "val-set-size"])]
    eval_fraction: Option<f64>,
    /// When to measure the held-out loss while training: no, steps or epoch.
    #[arg(long, default_value = "no", alias = "evaluation-strategy")]
    eval_strategy: String,
    /// Steps between two evaluations with --eval-strategy steps.
    #[arg(long, default_value_t = 50)]
    eval_steps: u64,
    /// Stop after so many evaluations without improvement.
    #[arg(long)]
    early_stopping_patience: Option<u64>,
    /// Improvement in nats that an evaluation must exceed to count (0 to 100).
    #[arg(long, default_value_t = 0.0)]
    early_stopping_threshold: f64,
    /// Keep the adapter with the lowest held-out loss instead of the last one.
    #[arg(long)]
    load_best_model_at_end: bool,
    /// Prompt that the adapter answers at each evaluation; may be repeated.
    #[arg(long, value_name = "TEXT", action = clap::ArgAction::Append)]
    sample_prompt: Vec<String>,
    /// Steps between two rounds of samples (at each evaluation by default).
    #[arg(long)]
    sample_steps: Option<u64>,
    /// Optimiser steps in all, in place of --num-train-epochs (-1: as many as those take).
    #[arg(long, allow_negative_numbers = true)]
    max_steps: Option<i64>,
    /// Stop before the step that would exceed so many trained tokens.
    #[arg(long)]
    max_tokens: Option<u64>,
    /// Write a checkpoint every so many steps (0: never).
    #[arg(long, default_value_t = 50)]
    save_steps: u64,
    /// Keep the newest so many checkpoints (and the best one with --load-best-model-at-end), each in a
    /// folder checkpoint-STEP with its adapter, instead of one file that is replaced.
    #[arg(long, value_name = "N")]
    save_total_limit: Option<u64>,
    /// Threads (all of the machine's by default; never changes the result).
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    device: DeviceArgs,

    /// Steps between two records of the loss.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) logging_steps: u64,
    /// Where to record the run besides trainer_state.json, separated by commas: tensorboard,
    /// mlflow, all or none. By default tensorboard, and mlflow where its address is given.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(super) report_to: Vec<ReportTo>,
    /// Folder for TensorBoard event files (OUTPUT/runs by default).
    #[arg(long, value_name = "DIR")]
    pub(super) logging_dir: Option<PathBuf>,
    /// Address of an MLflow server, such as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL", env = "MLFLOW_TRACKING_URI", hide_env_values = true)]
    pub(super) mlflow_tracking_uri: Option<String>,
    /// Name of the MLflow experiment, created when there is none.
    #[arg(
        long,
        value_name = "NAME",
        env = "MLFLOW_EXPERIMENT_NAME",
        default_value = "openledger",
        alias = "mlflow-experiment-name"
    )]
    pub(super) mlflow_experiment: String,
    /// Name of the run in MLflow.
    #[arg(long, value_name = "NAME")]
    pub(super) run_name: Option<String>,

    /// Name of the base model in adapter_config.json (the file's or folder's name by default).
    #[arg(long)]
    pub(super) base_model_name: Option<String>,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

impl Args {
    /// The engine's settings, each within its range.
    pub(super) fn settings(&self) -> Result<TrainSettings> {
        let settings = self.unchecked()?;
        let problems = settings.problems();
        match problems.len() {
            0 => Ok(settings),
            1 => Err(problems.into_iter().next().map_or_else(|| usage(""), Into::into)),
            _ => {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Err(usage(format!("{} problems:\n  {}", lines.len(), lines.join("\n  "))))
            }
        }
    }

    /// Everything that is out of range, for who is told of other problems too.
    pub(crate) fn problems(&self) -> Vec<String> {
        match self.unchecked() {
            Ok(settings) => settings.problems().iter().map(ToString::to_string).collect(),
            Err(error) => vec![format!("{error:#}")],
        }
    }

    fn unchecked(&self) -> Result<TrainSettings> {
        let max_steps = match self.max_steps {
            // How transformers writes that there is no limit.
            None | Some(-1) => None,
            Some(steps) => Some(u64::try_from(steps).ok().filter(|s| *s > 0).ok_or_else(|| {
                usage(format!(
                    "max_steps = {steps} is out of range: choose at least 1, or -1 for as many as \
                     num_train_epochs takes"
                ))
            })?),
        };
        Ok(TrainSettings {
            learning_rate: self.learning_rate,
            lr_scheduler_type: Schedule::from_name(&self.lr_scheduler_type)?,
            warmup_ratio: self.warmup_ratio,
            warmup_steps: self.warmup_steps,
            per_device_train_batch_size: self.per_device_train_batch_size,
            gradient_accumulation_steps: self.gradient_accumulation_steps,
            num_train_epochs: self.num_train_epochs,
            max_seq_length: self.max_seq_length,
            lora_r: self.lora_r,
            lora_alpha: self.lora_alpha,
            lora_dropout: self.lora_dropout,
            target_modules: names(&self.target_modules),
            exclude_modules: names(&self.exclude_modules),
            rank_pattern: pairs("rank_pattern", &self.rank_pattern)?,
            alpha_pattern: pairs("alpha_pattern", &self.alpha_pattern)?,
            layers_to_transform: (!self.layers_to_transform.is_empty())
                .then(|| self.layers_to_transform.clone()),
            use_rslora: self.use_rslora,
            use_dora: self.use_dora,
            loraplus_lr_ratio: self.loraplus_lr_ratio,
            weight_decay: self.weight_decay,
            adam_beta1: self.adam_beta1,
            adam_beta2: self.adam_beta2,
            adam_epsilon: self.adam_epsilon,
            max_grad_norm: self.max_grad_norm,
            neftune_noise_alpha: self.neftune_noise_alpha,
            packing: self.packing,
            plain_text: self.plain_text,
            train_on_prompt: self.train_on_prompt,
            mask_history: self.mask_history,
            group_by_length: self.group_by_length,
            gradient_checkpointing: GradientCheckpointing::from_name(&self.gradient_checkpointing)?,
            seed: self.seed,
            eval_fraction: self.eval_fraction()?,
            eval_strategy: EvalStrategy::from_name(&self.eval_strategy)?,
            eval_steps: self.eval_steps,
            early_stopping_patience: self.early_stopping_patience,
            early_stopping_threshold: self.early_stopping_threshold,
            load_best_model_at_end: self.load_best_model_at_end,
            sample_prompts: self.sample_prompt.clone(),
            sample_steps: self.sample_steps,
            max_steps,
            max_tokens: self.max_tokens,
            save_steps: self.save_steps,
            save_total_limit: self.save_total_limit,
            threads: self.threads,
            arithmetic: self.device.arithmetic()?,
            ..TrainSettings::default()
        })
    }

    /// The share of the examples that is held out.
    fn eval_fraction(&self) -> Result<f64> {
        match (self.eval_fraction, self.eval_data.is_empty()) {
            (Some(share), false) if share > 0.0 => Err(usage(format!(
                "--eval-fraction {share} and --eval-data exclude each other: choose one to evaluate on"
            ))),
            // With files to evaluate on, no share is drawn; what needs an evaluation has one.
            (_, false) => Ok(TrainSettings::default().eval_fraction),
            (share, true) => Ok(share.unwrap_or(TrainSettings::default().eval_fraction)),
        }
    }

    /// How the base model's weights are kept.
    pub(super) fn precision(&self) -> Precision {
        match self.method {
            Method::Lora => Precision::Dense,
            Method::Qlora => Precision::for_qlora(&self.model.model),
        }
    }

    /// The settings of the preference loss.
    pub(super) fn dpo(&self) -> Result<DpoSettings> {
        let settings = DpoSettings { beta: self.pref_beta, label_smoothing: self.label_smoothing };
        settings.validate()?;
        Ok(settings)
    }

    /// The base model's name in the adapter's configuration.
    pub(super) fn base_name(&self) -> String {
        self.base_model_name.clone().unwrap_or_else(|| {
            let path = &self.model.model;
            let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
            name.map_or_else(String::new, |n| n.to_string_lossy().into_owned())
        })
    }

    /// Whether TensorBoard files and MLflow are wanted.
    pub(super) fn reports(&self) -> Result<(bool, bool)> {
        let has = |what| self.report_to.contains(&what) || self.report_to.contains(&ReportTo::All);
        let (tensorboard, mlflow) = match self.report_to.as_slice() {
            [] => (true, self.mlflow_tracking_uri.is_some()),
            list if list.contains(&ReportTo::None) => (false, false),
            _ => (has(ReportTo::Tensorboard), has(ReportTo::Mlflow)),
        };
        if mlflow && self.mlflow_tracking_uri.is_none() {
            return Err(usage(
                "--report-to mlflow needs the server's address: --mlflow-tracking-uri http://HOST:PORT",
            ));
        }
        Ok((tensorboard, mlflow))
    }
}

/// Names of modules: separated by commas, unless a text is an expression, which may hold some.
fn names(given: &[String]) -> Vec<String> {
    let name = |name: &str| match name {
        // LLaMA-Factory's word for all-linear.
        "all" => "all-linear".to_owned(),
        name => name.to_owned(),
    };
    let parts = given.iter().flat_map(|text| -> Vec<&str> {
        let plain = text.split(',').all(|part| !Expression::is_one(part.trim()));
        if plain {
            text.split(',').map(str::trim).collect()
        } else {
            vec![text]
        }
    });
    parts.map(name).collect()
}

/// Pairs written as `NAME=VALUE`.
fn pairs<T: std::str::FromStr>(option: &str, list: &[String]) -> Result<Vec<(String, T)>> {
    list.iter()
        .map(|pair| {
            let parsed = pair.split_once('=').and_then(|(name, value)| {
                Some((name.trim().to_owned(), value.trim().parse().ok()?))
            });
            parsed.ok_or_else(|| {
                usage(format!("{option} = {pair}: write NAME=NUMBER, such as q_proj=16"))
            })
        })
        .collect()
}
