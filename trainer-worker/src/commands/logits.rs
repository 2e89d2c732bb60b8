//! `trainer-worker logits`.

use super::{prompt_tokens, AdapterArgs, ModelArgs, OutputArgs};
use anyhow::{bail, Result};
use serde_json::json;
use trainer_worker::generate::argmax;
use trainer_worker::model::forward::{Batch, Runner};
use trainer_worker::model::weights::Precision;
use trainer_worker::train::on_training_threads;

/// Most tokens whose logits are printed: each is a line of `vocab_size` numbers.
const MAX_TOKENS: usize = 1024;

/// Arguments of `logits`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker logits --model MODEL.gguf --adapter adapter/ --prompt 'Hello' --json
  trainer-worker logits --model folder/ --tokens 17,4,256 --json      # needs no tokenizer

JSON is {tokens, logits: [[…] a token]}; text shows the likeliest next token after each.")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// Text as it is.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["chat", "tokens"])]
    prompt: Option<String>,
    /// A question, put in the model's chat template.
    #[arg(long, value_name = "QUESTION", conflicts_with = "tokens")]
    chat: Option<String>,
    /// Token ids, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    tokens: Vec<u32>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    // Token ids need no tokenizer: a folder of configuration and weights is enough.
    let (model, tokenizer) = if args.tokens.is_empty() {
        let (model, tokenizer) = args.model.load()?;
        (model, Some(tokenizer))
    } else {
        (args.model.weights(Precision::Dense)?, args.model.tokenizer().ok())
    };
    let adapter = args.adapter.load(&model)?;
    let tokens = match &tokenizer {
        Some(tokenizer) if args.tokens.is_empty() => {
            prompt_tokens(tokenizer, args.prompt.as_deref(), args.chat.as_deref())?
        }
        _ => args.tokens,
    };
    if tokens.is_empty() || tokens.len() > MAX_TOKENS {
        bail!("{} tokens; 1 to {MAX_TOKENS} are accepted", tokens.len());
    }
    let runner = Runner::new(model.clone(), tokens.len())?;
    let batch = Batch::new(&[(&tokens, &[])]);
    let logits = on_training_threads(None, || runner.logits(&batch, adapter.as_deref()))??;
    let rows: Vec<&[f32]> = logits.chunks_exact(model.config.vocab_size).collect();
    if args.output.json() {
        println!("{}", json!({ "tokens": tokens, "logits": rows }));
        return Ok(());
    }
    for (token, row) in tokens.iter().zip(rows) {
        let best = argmax(row);
        let value = row.get(best as usize).copied().unwrap_or(f32::NAN);
        match &tokenizer {
            Some(tokenizer) => {
                let text = |id: u32| tokenizer.decode(&[id], false);
                println!("{:?} -> {:?} ({value:.4})", text(*token)?, text(best)?);
            }
            None => println!("{token} -> {best} ({value:.4})"),
        }
    }
    Ok(())
}
