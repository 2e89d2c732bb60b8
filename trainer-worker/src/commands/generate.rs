//! `trainer-worker generate`.

use super::{prompt_tokens, AdapterArgs, ModelArgs, Output};
use anyhow::Result;
use serde_json::json;
use std::io::Write;
use trainer_worker::generate::{generate, GenerateSettings};

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
    adapter: AdapterArgs,
    /// Text to continue as it is.
    #[arg(long, value_name = "TEXT", conflicts_with = "chat", required_unless_present = "chat")]
    prompt: Option<String>,
    /// A question, put in the model's chat template.
    #[arg(long, value_name = "QUESTION")]
    chat: Option<String>,
    /// Most tokens to generate (1 to 32768).
    #[arg(long, default_value_t = 128)]
    max_new_tokens: usize,
    /// 0 takes the likeliest token always; higher is more varied (0 to 10).
    #[arg(long, default_value_t = 0.0)]
    temperature: f64,
    /// Sample among the likeliest tokens of this total probability (above 0, at most 1).
    #[arg(long, default_value_t = 1.0)]
    top_p: f64,
    /// Seed of the sampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How to print the answer.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = GenerateSettings {
        max_new_tokens: args.max_new_tokens,
        temperature: args.temperature,
        top_p: args.top_p,
        seed: args.seed,
    };
    settings.validate()?;
    let (model, tokenizer) = args.model.load()?;
    let adapter = args.adapter.load(&model)?;
    let prompt = prompt_tokens(&tokenizer, args.prompt.as_deref(), args.chat.as_deref())?;
    let stream = args.output == Output::Text;
    let mut out = std::io::stdout();
    let result = generate(&model, adapter.as_ref(), &tokenizer, &prompt, &settings, |piece| {
        // A closed pipe ends the generation.
        !stream || write!(out, "{piece}").and_then(|()| out.flush()).is_ok()
    })?;
    match args.output {
        Output::Text => {
            println!();
            eprintln!(
                "{} tokens at {:.1} tokens/s (prompt of {} in {:.2} s)",
                result.tokens.len(),
                result.tokens_per_second(),
                result.prompt_tokens,
                result.prompt_time.as_secs_f64()
            );
        }
        Output::Json => println!(
            "{}",
            json!({
                "text": result.text,
                "tokens": result.tokens,
                "prompt_tokens": result.prompt_tokens,
                "stopped": result.stopped,
                "prompt_seconds": result.prompt_time.as_secs_f64(),
                "tokens_per_second": result.tokens_per_second(),
            })
        ),
    }
    Ok(())
}
