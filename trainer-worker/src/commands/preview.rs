//! `trainer-worker preview`.

use super::{ModelArgs, OutputArgs};
use anyhow::{Context, Result};
use std::path::PathBuf;
use trainer_worker::data::{self, DataOptions, Objective, Place, PreviewOptions};
use trainer_worker::train::TrainSettings;

/// Arguments of `preview`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker preview --model MODEL.gguf --data notes/ faq.jsonl
  trainer-worker preview --model MODEL.gguf --data pairs.jsonl --stage dpo --json")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Files or folders of them (.md, .txt, .pdf, .docx, .jsonl, .json).
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// sft, or dpo on chosen and rejected answers.
    #[arg(long, value_enum, default_value = "sft")]
    stage: super::train::Stage,
    /// Longest sequence in tokens (8 to 32768).
    #[arg(long, default_value_t = 512, aliases = ["cutoff-len", "max-length"])]
    max_seq_length: usize,
    /// Sequences a micro-batch (1 to 256).
    #[arg(long, default_value_t = 4)]
    per_device_train_batch_size: usize,
    /// Micro-batches an optimiser step (1 to 1024).
    #[arg(long, default_value_t = 1)]
    gradient_accumulation_steps: usize,
    /// Passes over the data (1 to 1000).
    #[arg(long, default_value_t = 3.0)]
    num_train_epochs: f64,
    /// Share of the examples held out for evaluation (0 to 0.5).
    #[arg(long, default_value_t = 0.1, alias = "val-size")]
    eval_fraction: f64,
    /// Seed of the run.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Take md, txt, pdf and docx files as plain text, also where they have questions and answers.
    #[arg(long)]
    plain_text: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = TrainSettings {
        max_seq_length: args.max_seq_length,
        per_device_train_batch_size: args.per_device_train_batch_size,
        gradient_accumulation_steps: args.gradient_accumulation_steps,
        num_train_epochs: args.num_train_epochs,
        eval_fraction: args.eval_fraction,
        seed: args.seed,
        ..TrainSettings::default()
    };
    settings.validate()?;
    let files = data::read(&args.data)?;
    let context = args.model.config()?.max_position_embeddings;
    let tokenizer = args.model.tokenizer()?;
    let options = PreviewOptions {
        data: DataOptions {
            plain_text: args.plain_text,
            ..DataOptions::new(args.max_seq_length.min(context))
        },
        objective: match args.stage {
            super::train::Stage::Sft => Objective::Supervised,
            super::train::Stage::Dpo => Objective::Preference,
        },
        per_device_train_batch_size: args.per_device_train_batch_size,
        gradient_accumulation_steps: args.gradient_accumulation_steps,
        num_train_epochs: args.num_train_epochs,
        eval_fraction: args.eval_fraction,
        seed: args.seed,
    };
    let seen = data::preview(&files, &tokenizer, &options);
    if args.output.json() {
        println!("{}", serde_json::to_string(&seen).context("writing the preview")?);
        return Ok(());
    }
    for file in &seen.files {
        match &file.error {
            Some(error) => println!("{}  cannot be read: {error}", file.submission),
            None => println!(
                "{}  {} examples, {} tokens ({} labelled), {} cut, {} refused",
                file.submission,
                file.examples,
                file.tokens,
                file.labelled_tokens,
                file.truncated,
                file.refused
            ),
        }
    }
    println!(
        "{} examples to train on, {} held out; {} tokens, {:.1} % of them labelled",
        seen.train_examples,
        seen.eval_examples,
        seen.tokens,
        seen.label_share * 100.0
    );
    let l = &seen.lengths;
    println!(
        "lengths: {} to {} tokens, median {}, 95 of 100 at most {}",
        l.min, l.max, l.median, l.p95
    );
    println!(
        "{} steps an epoch, {} in all, {} tokens",
        seen.steps_per_epoch, seen.total_steps, seen.total_tokens
    );
    let list = |title: &str, places: &[Place]| {
        for place in places {
            println!("{title}: {} line {}: {}", place.submission, place.line, place.reason);
        }
    };
    list("refused", &seen.refused_places);
    list("cut", &seen.truncated_places);
    for note in &seen.notes {
        println!("note: {note}");
    }
    Ok(())
}
