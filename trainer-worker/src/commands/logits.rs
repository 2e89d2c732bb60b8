//! `trainer-worker logits`.

use super::{prompt_tokens, AdapterArgs, ExactArgs, ModelArgs, OutputArgs};
use anyhow::{bail, Result};
use openledger_engine::generate::argmax;
use openledger_engine::lora::Adapter;
use openledger_engine::model::decode::Session;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::Model;
use openledger_engine::train::on_training_threads;
use serde_json::json;
use std::sync::Arc;

/// Most tokens whose logits are printed: each is a line of `vocab_size` numbers.
const MAX_TOKENS: usize = 1024;

/// Arguments of `logits`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker logits --model MODEL.gguf --adapter adapter/ --prompt 'Hello' --json
  trainer-worker logits --model folder/ --tokens 17,4,256 --json      # needs no tokenizer

JSON is {tokens, logits: [[…] a token]}, with --top {tokens, log_probabilities: [of each token after \
the first], top: [[[id, log probability], …] a token]}; text shows the likeliest next token after each.")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    #[command(flatten)]
    precision: ExactArgs,
    /// Take the tokens one by one, as generation does: by integer products where --quantised is given.
    #[arg(long)]
    one_by_one: bool,
    /// In JSON, print so many of the likeliest next tokens in place of all logits.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1000))]
    top: Option<u64>,
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
        let (model, tokenizer) = args.model.load_with(args.precision.get())?;
        (model, Some(tokenizer))
    } else {
        (args.model.weights(args.precision.get())?, args.model.tokenizer().ok())
    };
    let adapter = args.adapter.load(&model)?;
    let tokens = match &tokenizer {
        Some(tokenizer) if args.tokens.is_empty() => {
            prompt_tokens(tokenizer, args.prompt.as_deref(), args.chat.as_deref(), None)?
        }
        _ => args.tokens,
    };
    if tokens.is_empty() || tokens.len() > MAX_TOKENS {
        bail!("{} tokens; 1 to {MAX_TOKENS} are accepted", tokens.len());
    }
    let logits = on_training_threads(None, || {
        if args.one_by_one {
            one_by_one(&model, adapter, &tokens)
        } else {
            let runner = Runner::new(model.clone(), tokens.len())?;
            Ok(runner.logits(&Batch::new(&[(&tokens, &[])]), adapter.as_deref())?)
        }
    })??;
    let rows: Vec<&[f32]> = logits.chunks_exact(model.config.vocab_size).collect();
    if let (true, Some(k)) = (args.output.json(), args.top) {
        println!("{}", likeliest(&tokens, &rows, k as usize));
        return Ok(());
    }
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

fn one_by_one(
    model: &Arc<Model>,
    adapter: Option<Arc<Adapter>>,
    tokens: &[u32],
) -> Result<Vec<f32>> {
    let mut session = Session::new(model.clone(), adapter, tokens.len())?;
    let mut logits = Vec::with_capacity(tokens.len() * model.config.vocab_size);
    for token in tokens {
        logits.extend_from_slice(session.push(&[*token])?);
    }
    Ok(logits)
}

/// The `k` likeliest next tokens after each, and what the model gave the token that did follow.
fn likeliest(tokens: &[u32], rows: &[&[f32]], k: usize) -> serde_json::Value {
    let (mut given, mut top) = (Vec::new(), Vec::new());
    for (i, row) in rows.iter().enumerate() {
        let most = row.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
        let sum: f64 = row.iter().map(|v| f64::from(v - most).exp()).sum();
        let log_probability = |v: f32| f64::from(v - most) - sum.ln();
        let mut order: Vec<usize> = (0..row.len()).collect();
        // Of equals the first, as in generation.
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
        top.push(
            order.iter().take(k).map(|id| (*id, log_probability(row[*id]))).collect::<Vec<_>>(),
        );
        let next = tokens.get(i + 1).and_then(|t| row.get(*t as usize));
        given.extend(next.map(|v| log_probability(*v)));
    }
    json!({ "tokens": tokens, "log_probabilities": given, "top": top })
}
