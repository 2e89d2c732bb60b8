//! `trainer-worker generate`.

use super::{prompt_tokens, AdapterArgs, ModelArgs, OutputArgs, PrecisionArgs, SamplingArgs};
use anyhow::Result;
use openledger_engine::generate::{generate, Logprob, TokenLogprob};
use openledger_primitives::text::counted;
use serde_json::{json, Value};
use std::io::Write;

/// Arguments of `generate`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker generate --model MODEL.gguf --chat 'What is the capital of France?'
  trainer-worker generate --model MODEL.gguf --adapter adapter/ --chat 'Who pays?' --output json
  trainer-worker generate --model MODEL.gguf --prompt 'Once upon a time' --temperature 0.8 --seed 7
  trainer-worker generate --model MODEL.gguf --prompt 'Q: Who pays? A:' --stop Q: --stop 'The end'
  trainer-worker generate --model MODEL.gguf --chat 'Describe Paris.' --json-schema city.json")]
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
    /// The system message before the question.
    #[arg(long, value_name = "TEXT", requires = "chat")]
    system: Option<String>,
    /// With --json: tell the logarithm of each token's probability, and those of so many of the likeliest
    /// (0 to 20).
    #[arg(long, value_name = "N")]
    logprobs: Option<usize>,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let mut settings = args.sampling.settings()?;
    settings.logprobs = args.logprobs;
    settings.validate()?;
    let (model, tokenizer) = args.model.load_with(args.precision.get())?;
    let adapter = args.adapter.load(&model)?;
    let (text, question) = (args.prompt.as_deref(), args.chat.as_deref());
    let prompt = prompt_tokens(&tokenizer, text, question, args.system.as_deref())?;
    let stream = !args.output.json();
    let mut out = std::io::stdout();
    let result = generate(&model, adapter.as_ref(), &tokenizer, &prompt, &settings, |piece| {
        // A closed pipe ends the generation.
        !stream || write!(out, "{piece}").and_then(|()| out.flush()).is_ok()
    })?;
    if args.output.json() {
        let mut told = json!({
            "text": result.text,
            "tokens": result.tokens,
            "prompt_tokens": result.prompt_tokens,
            "quantised": model.is_quantised(),
            "stopped": result.stopped,
            "prompt_seconds": result.prompt_time.as_secs_f64(),
            "tokens_per_second": result.tokens_per_second(),
        });
        if args.logprobs.is_some() {
            told["logprobs"] = result.logprobs.iter().map(logprob).collect();
        }
        println!("{told}");
        return Ok(());
    }
    println!();
    eprintln!(
        "{} at {:.1} tokens/s (prompt of {} in {:.2} s)",
        counted(result.tokens.len(), "token"),
        result.tokens_per_second(),
        result.prompt_tokens,
        result.prompt_time.as_secs_f64()
    );
    Ok(())
}

/// A token as OpenAI's `logprobs.content` has it, with its id.
fn logprob(token: &TokenLogprob) -> Value {
    let one = |entry: &Logprob| {
        json!({
            "id": entry.token,
            "token": entry.text(),
            "bytes": entry.bytes,
            "logprob": entry.logprob,
        })
    };
    let mut told = one(&token.token);
    told["top_logprobs"] = token.top.iter().map(one).collect();
    told
}
