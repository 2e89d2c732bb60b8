//! `trainer-worker eval`.

use super::{read_data, AdapterArgs, ModelArgs, Output};
use anyhow::{Context, Result};
use serde_json::json;
use std::path::PathBuf;
use trainer_worker::data;
use trainer_worker::model::forward::Runner;
use trainer_worker::train::{mean_loss, on_training_threads, TrainSettings};

/// Arguments of `eval`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  trainer-worker eval --model MODEL.gguf --adapter adapter/ --data held-out.txt --output json")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// Text files or folders of them (.md, .txt).
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Longest sequence in tokens (8 to 32768).
    #[arg(long, default_value_t = 512)]
    max_seq_length: usize,
    /// How to print the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = TrainSettings { max_seq_length: args.max_seq_length, ..Default::default() };
    settings.validate()?;
    let files = read_data(&args.data)?;
    let (model, tokenizer) = args.model.load()?;
    let adapter = args.adapter.load(&model)?;
    let max_seq = args.max_seq_length.min(model.config.max_position_embeddings);
    let (examples, report) = data::examples(&files, &tokenizer, max_seq)?;
    let runner = Runner::new(model, max_seq)?;
    let loss = on_training_threads(None, || mean_loss(&runner, &examples, adapter.as_deref()))??
        .context("the files hold no token to predict")?;
    match args.output {
        Output::Text => println!(
            "loss {loss:.4} nats a token, perplexity {:.2} ({} examples, {} labelled tokens)",
            loss.exp(),
            examples.len(),
            report.labelled
        ),
        Output::Json => println!(
            "{}",
            json!({
                "loss": loss, "perplexity": loss.exp(), "examples": examples.len(),
                "labelled_tokens": report.labelled, "tokens": report.tokens,
            })
        ),
    }
    Ok(())
}
