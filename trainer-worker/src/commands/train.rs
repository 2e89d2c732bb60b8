//! `trainer-worker train`.

use super::{read_data, ModelArgs};
use anyhow::{Context, Result};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use trainer_worker::optim::Schedule;
use trainer_worker::peft;
use trainer_worker::train::{checkpoint, Control, Event, Run, TrainSettings};

/// How to fine-tune.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Low-rank adapters on a frozen f32 base.
    Lora,
}

/// Arguments of `train`.
#[derive(clap::Args)]
#[command(after_help = "Data:
  A file with lines 'Q: …' and 'A: …' becomes chat examples with the loss on the answers; any other
  text becomes windows of --max-seq-length tokens.

Examples:
  trainer-worker train --model MODEL.gguf --data notes/ --output adapter/
  trainer-worker train --model MODEL.gguf --data faq.md rules.md --method lora --output adapter/ \\
    --learning-rate 5e-4 --num-train-epochs 5 --lora-r 16 --lora-alpha 32 \\
    --target-modules q_proj,k_proj,v_proj,o_proj --json

A run that was interrupted goes on from its last checkpoint when it is started again with the same
arguments, and gives the same bytes.")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Text files or folders of them (.md, .txt).
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// How to fine-tune.
    #[arg(long, value_enum, default_value = "lora")]
    method: Method,
    /// Folder for the adapter (adapter_config.json, adapter_model.safetensors) and the checkpoint.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Peak learning rate (above 0, at most 1).
    #[arg(long, default_value_t = 2e-4)]
    learning_rate: f64,
    /// linear, cosine, constant (no warm-up) or constant_with_warmup.
    #[arg(long, default_value = "linear")]
    lr_scheduler_type: String,
    /// Share of the steps spent warming up (0 to 1).
    #[arg(long, default_value_t = 0.03)]
    warmup_ratio: f64,
    /// Steps of warm-up, in place of --warmup-ratio.
    #[arg(long)]
    warmup_steps: Option<u64>,
    /// Sequences a micro-batch (1 to 256).
    #[arg(long, default_value_t = 4)]
    per_device_train_batch_size: usize,
    /// Micro-batches an optimiser step (1 to 1024).
    #[arg(long, default_value_t = 1)]
    gradient_accumulation_steps: usize,
    /// Passes over the data (1 to 1000).
    #[arg(long, default_value_t = 3)]
    num_train_epochs: usize,
    /// Longest sequence in tokens (8 to 32768).
    #[arg(long, default_value_t = 512)]
    max_seq_length: usize,
    /// Rank of the adapter (1 to 256).
    #[arg(long, default_value_t = 8)]
    lora_r: usize,
    /// Scaling is alpha / r (above 0, at most 4096).
    #[arg(long, default_value_t = 16.0)]
    lora_alpha: f64,
    /// Dropout of the adapter's inputs (0 to 0.9).
    #[arg(long, default_value_t = 0.0)]
    lora_dropout: f64,
    /// Modules to adapt, separated by commas, by name or end of name (q_proj, mlp.c_proj, …), or
    /// all-linear for all of them. By default those that PEFT adapts in the model's family.
    #[arg(long, value_delimiter = ',')]
    target_modules: Vec<String>,
    /// Decoupled weight decay (0 to 1).
    #[arg(long, default_value_t = 0.0)]
    weight_decay: f64,
    /// Limit of the gradients' global norm (0 for none, at most 1000).
    #[arg(long, default_value_t = 1.0)]
    max_grad_norm: f64,
    /// Seed of initialisation, shuffling and dropout.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Share of the examples held out for evaluation (0 to 0.5).
    #[arg(long, default_value_t = 0.1)]
    eval_fraction: f64,
    /// Stop after so many optimiser steps.
    #[arg(long)]
    max_steps: Option<u64>,
    /// Stop before the step that would exceed so many trained tokens.
    #[arg(long)]
    max_tokens: Option<u64>,
    /// Write a checkpoint every so many steps (0: never).
    #[arg(long, default_value_t = 50)]
    save_steps: u64,
    /// Threads (all of the machine's by default; never changes the result).
    #[arg(long)]
    threads: Option<usize>,
    /// Name of the base model in adapter_config.json (the file's name by default).
    #[arg(long)]
    base_model_name: Option<String>,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn settings(&self) -> Result<TrainSettings> {
        let Method::Lora = self.method;
        let settings = TrainSettings {
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
            target_modules: self.target_modules.clone(),
            weight_decay: self.weight_decay,
            max_grad_norm: self.max_grad_norm,
            seed: self.seed,
            eval_fraction: self.eval_fraction,
            max_steps: self.max_steps,
            max_tokens: self.max_tokens,
            save_steps: self.save_steps,
            threads: self.threads,
            ..TrainSettings::default()
        };
        settings.validate()?;
        Ok(settings)
    }
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = args.settings()?;
    let files = read_data(&args.data)?;
    let (model, tokenizer) = args.model.load()?;
    let name = args.base_model_name.clone().unwrap_or_else(|| {
        args.model.model.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
    });
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} steps  {msg}")
            .context("progress bar")?,
    );
    let show = |event: &Event| match event {
        Event::Prepared { train, held_out, total_steps, total_tokens, parameters, report } => {
            bar.set_length(*total_steps);
            eprintln!(
                "{} files: {} chat examples, {} windows of text ({} cut, {} skipped); {train} to \
                 train on, {held_out} held out; {total_tokens} tokens in {total_steps} steps; \
                 {parameters} trainable parameters",
                report.files, report.chats, report.windows, report.truncated, report.skipped
            );
        }
        Event::Resumed { step } => eprintln!("Going on from the checkpoint after step {step}."),
        Event::Evaluated { step, loss } => {
            bar.suspend(|| eprintln!("Held-out loss after step {step}: {loss:.4} nats a token"));
        }
        Event::Step(p) => {
            bar.set_position(p.step);
            bar.set_message(format!(
                "loss {:.4}  {:.0} tokens/s  {} s left",
                p.loss,
                p.tokens_per_second,
                p.eta.as_secs()
            ));
        }
        _ => {}
    };
    let control =
        Control { on_event: Some(&show), cancel: None, checkpoints: Some(args.output.clone()) };
    let run = Run { model, tokenizer: &tokenizer, files: &files, settings: &settings };
    let outcome = run.train(&control)?;
    bar.finish_and_clear();
    peft::save(&args.output, &outcome.adapter, &name)?;
    // The run is complete: its checkpoint would only stand in the way of another one.
    let leftover = checkpoint::file_in(&args.output);
    if leftover.exists() {
        std::fs::remove_file(&leftover)
            .with_context(|| format!("removing {}", leftover.display()))?;
    }
    let sha256 = hex::encode(Sha256::digest(peft::to_bytes(&outcome.adapter, &name)));
    let last = outcome.losses.last().copied();
    if args.json {
        println!(
            "{}",
            json!({
                "adapter": args.output.join(peft::WEIGHTS),
                "sha256": sha256,
                "steps": outcome.steps,
                "tokens": outcome.tokens,
                "tokens_per_second": outcome.tokens_per_second,
                "train_loss": last,
                "eval_loss": {
                    "before": outcome.eval_loss_before, "after": outcome.eval_loss_after,
                },
                "examples": { "train": outcome.examples.0, "held_out": outcome.examples.1 },
            })
        );
    } else {
        let shown = |l: Option<f64>| l.map_or("none held out".to_owned(), |l| format!("{l:.4}"));
        println!(
            "Adapter {} (sha256 {sha256})\n{} steps, {} tokens at {:.0} tokens/s; held-out loss {} -> {}",
            args.output.join(peft::WEIGHTS).display(),
            outcome.steps,
            outcome.tokens,
            outcome.tokens_per_second,
            shown(outcome.eval_loss_before),
            shown(outcome.eval_loss_after),
        );
    }
    Ok(())
}
