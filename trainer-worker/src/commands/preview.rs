//! `trainer-worker preview`.

use super::pipe::visible;
use super::{ModelArgs, OutputArgs};
use anyhow::{bail, Context, Result};
use openledger_engine::data::{self, Objective, Place, Preview, PreviewOptions};
use openledger_engine::train::TrainSettings;
use openledger_primitives::text::counted;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `preview`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker preview --model MODEL.gguf --data notes/ faq.jsonl
  trainer-worker preview --model MODEL.gguf --data pairs.jsonl --stage dpo --json")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Files or folders of them, as for `train`.
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Files or folders to evaluate on, as for `train`.
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    eval_data: Vec<PathBuf>,
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
    /// Put the loss on everything, also on what is asked.
    #[arg(long)]
    train_on_prompt: bool,
    /// Learn only the last answer of a conversation.
    #[arg(long)]
    mask_history: bool,
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
        plain_text: args.plain_text,
        train_on_prompt: args.train_on_prompt,
        mask_history: args.mask_history,
        ..TrainSettings::default()
    };
    settings.validate()?;
    let sources = data::read_training(&args.data, &args.eval_data)?;
    let context = args.model.config()?.max_position_embeddings;
    let tokenizer = args.model.tokenizer()?;
    let options = PreviewOptions {
        data: settings.data_options(args.max_seq_length.min(context)),
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
    let seen = data::preview(&sources.files, &tokenizer, &options);
    let capped = (context < args.max_seq_length).then(|| {
        format!(
            "max_seq_length is {context}, the model's window, instead of {}",
            args.max_seq_length
        )
    });
    if args.output.json() {
        let mut answer = serde_json::to_value(&seen).context("writing the preview")?;
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("left_out".to_owned(), json!(sources.left_out));
            answer.insert("evaluation".to_owned(), json!(sources.evaluation));
            answer.insert("capped".to_owned(), json!(capped.iter().collect::<Vec<_>>()));
        }
        println!("{answer}");
        return something(&seen);
    }
    let say = |line: &str| println!("{}", visible(line));
    for file in &seen.files {
        match &file.error {
            Some(error) => say(&format!("{}  cannot be read: {error}", file.submission)),
            None => say(&format!(
                "{}  {}, {} tokens ({} labelled), {} cut, {} refused",
                file.submission,
                counted(file.examples, "example"),
                file.tokens,
                file.labelled_tokens,
                file.truncated,
                file.refused
            )),
        }
    }
    println!(
        "{} to train on, {} held out; {} tokens, {:.1} % of them labelled",
        counted(seen.train_examples, "example"),
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
        "{} an epoch, {} in all, {} tokens",
        counted(seen.steps_per_epoch, "step"),
        seen.total_steps,
        seen.total_tokens
    );
    let lines = sources.lines().into_iter().chain(capped).chain(seen.lines.iter().cloned());
    for line in lines {
        say(&line);
    }
    let list = |title: &str, places: &[Place]| {
        for place in places.iter().skip(1) {
            say(&format!("{title}: {place}: {}", place.reason));
        }
    };
    list("refused", &seen.refused_places);
    list("cut", &seen.truncated_places);
    print!("{}", visible(&super::train::examples(&seen.shown)));
    something(&seen)
}

/// An error where nothing is left to train on.
fn something(seen: &Preview) -> Result<()> {
    if seen.train_examples > 0 {
        return Ok(());
    }
    bail!(
        "nothing to train on: {} gave no example ({} refused); the reasons are above",
        data::files(seen.files.len()),
        counted(seen.refused, "place")
    )
}
