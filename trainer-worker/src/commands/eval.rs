//! `trainer-worker eval`.

use super::{AdapterArgs, DeviceArgs, ModelArgs, OutputArgs};
use anyhow::{Context, Result};
use openledger_engine::data::{self, DataOptions, Purpose};
use openledger_engine::model::passes::{self, PassSettings};
use openledger_engine::train::{self, on_training_threads, perplexity, Measured, TrainSettings};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `eval`.
#[derive(clap::Args)]
#[command(after_help = "With --adapter, the base model without it is measured as well.

Examples:
  trainer-worker eval --model MODEL.gguf --data held-out.txt
  trainer-worker eval --model MODEL.gguf --adapter adapter/ --data held-out.txt --json")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// Files or folders of them, as for `train`. Where they have splits, the test split is measured
    /// on, else the validation split.
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Longest sequence in tokens (8 to 32768).
    #[arg(long, default_value_t = 512, aliases = ["cutoff-len", "max-length"])]
    max_seq_length: usize,
    /// Take md, txt, pdf and docx files as plain text, also where they have questions and answers.
    #[arg(long)]
    plain_text: bool,
    /// Threads (all of the machine's by default; never changes the result).
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let arithmetic = args.device.arithmetic()?;
    let settings = TrainSettings {
        max_seq_length: args.max_seq_length,
        threads: args.threads,
        arithmetic,
        ..Default::default()
    };
    settings.validate()?;
    let sources = data::read_for(&args.data, Purpose::Measuring)?;
    let (model, tokenizer) = args.model.load()?;
    let adapter = args.adapter.load(&model)?;
    let max_seq = args.max_seq_length.min(model.config.max_position_embeddings);
    model.config.check_batched_length(max_seq)?;
    let options = DataOptions { plain_text: args.plain_text, ..DataOptions::new(max_seq) };
    let (examples, report) = data::examples_with(&sources.files, &tokenizer, &options)?;
    let settings = PassSettings { max_tokens: max_seq, ..PassSettings::default() };
    let passes = passes::open(&model, arithmetic, settings)?;
    let measured = |adapter| {
        on_training_threads(args.threads, || train::measure(&*passes, &examples, adapter))??
            .context("the files hold no token to predict")
    };
    let base = measured(None)?;
    let adapted = adapter.as_deref().map(|adapter| measured(Some(adapter))).transpose()?;
    let Measured { loss, accuracy } = adapted.unwrap_or(base);
    if args.output.json() {
        println!(
            "{}",
            json!({
                "loss": loss, "perplexity": perplexity(loss), "mean_token_accuracy": accuracy,
                "examples": examples.len(),
                "labelled_tokens": report.labelled, "tokens": report.tokens,
                "base": {
                    "loss": base.loss, "perplexity": perplexity(base.loss),
                    "mean_token_accuracy": base.accuracy,
                },
                "left_out": sources.left_out, "reasons": report.reasons, "remarks": report.remarks,
                "device": arithmetic.device.name(), "dtype": arithmetic.dtype.name(),
            })
        );
        return Ok(());
    }
    let line = |name: &str, of: Measured| {
        let accuracy = of.accuracy.map_or(String::new(), |share| {
            format!(", {:.1} % of the tokens predicted", share * 100.0)
        });
        println!(
            "{name}  loss {:.4} nats a token, perplexity {:.2}{accuracy}",
            of.loss,
            perplexity(of.loss)
        );
    };
    line("base   ", base);
    if let Some(adapted) = adapted {
        line("adapter", adapted);
        println!("change   {:+.4} nats a token", adapted.loss - base.loss);
    }
    println!(
        "over {} examples, {} labelled tokens of {}",
        examples.len(),
        report.labelled,
        report.tokens
    );
    for line in sources.lines().into_iter().chain(report.lines()) {
        println!("{}", super::pipe::visible(&line));
    }
    Ok(())
}
