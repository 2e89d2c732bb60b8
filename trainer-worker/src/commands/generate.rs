//! `trainer-worker generate`.

use super::{prompt_tokens, AdapterArgs, ModelArgs, OutputArgs, PrecisionArgs, SamplingArgs};
use anyhow::Result;
use openledger_engine::generate::generate;
use serde_json::json;
use std::io::Write;

/// Arguments of `generate`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker generate --model MODEL.gguf --chat 'What is the capital of France?'
  trainer-worker generate --model MODEL.gguf --adapter adapter/ --chat 'Who pays?' --output json
  trainer-worker generate --model MODEL.gguf --prompt 'Once upon a time' --temperature 0.8 --seed 7")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// Text to continue as it is.
    #[arg(long, value_name = "TEXT", conflicts_with = "chat", required_unless_present = "chat")]
    prompt: Option<String>,
    /// A question, put in the model's chat template.
    #[arg(long, value_name = "QUESTION")]
    chat: Option<String>,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = args.sampling.settings()?;
    let (model, tokenizer) = args.model.load_with(args.precision.get())?;
    let adapter = args.adapter.load(&model)?;
    let prompt = prompt_tokens(&tokenizer, args.prompt.as_deref(), args.chat.as_deref())?;
    let stream = !args.output.json();
    let mut out = std::io::stdout();
    let result = generate(&model, adapter.as_ref(), &tokenizer, &prompt, &settings, |piece| {
        // A closed pipe ends the generation.
        !stream || write!(out, "{piece}").and_then(|()| out.flush()).is_ok()
    })?;
    if args.output.json() {
        println!(
            "{}",
            json!({
                "text": result.text,
                "tokens": result.tokens,
                "prompt_tokens": result.prompt_tokens,
                "quantised": model.is_quantised(),
                "stopped": result.stopped,
                "prompt_seconds": result.prompt_time.as_secs_f64(),
                "tokens_per_second": result.tokens_per_second(),
            })
        );
        return Ok(());
    }
    println!();
    eprintln!(
        "{} tokens at {:.1} tokens/s (prompt of {} in {:.2} s)",
        result.tokens.len(),
        result.tokens_per_second(),
        result.prompt_tokens,
        result.prompt_time.as_secs_f64()
    );
    Ok(())
}
