//! `trainer-worker export`.

use super::error::{refused, usage};
use super::ModelArgs;
use anyhow::{Context, Result};
use openledger_engine::error::write_atomically;
use openledger_engine::export::{export_gguf_lora, modelfile::modelfile, Base, PeftAdapter};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Arguments of `export`.
#[derive(clap::Args)]
#[command(
    after_help = "The GGUF adapter loads with llama.cpp (llama-cli --lora) and, by the Modelfile, with Ollama \
(ollama create NAME -f Modelfile).

Examples:
  trainer-worker export --model MODEL.gguf --adapter adapter/ --output adapter.gguf
  trainer-worker export --model MODEL.gguf --adapter adapter/ --output adapter.gguf --modelfile Modelfile"
)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The adapter: a folder as PEFT writes it, or one adapter_model.safetensors.
    #[arg(long, value_name = "DIR|FILE", alias = "adapter-name-or-path")]
    adapter: PathBuf,
    /// The GGUF file to write.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Write a Modelfile for Ollama as well.
    #[arg(long, value_name = "FILE")]
    modelfile: Option<PathBuf>,
    /// num_ctx in the Modelfile.
    #[arg(long, default_value_t = 4096)]
    context: usize,
    /// temperature in the Modelfile (0 to 10).
    #[arg(long, default_value_t = 0.7)]
    temperature: f64,
    /// Replace files that are there.
    #[arg(long)]
    overwrite: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if !(0.0..=10.0).contains(&args.temperature) {
        return Err(usage(format!(
            "temperature = {} is out of range: choose 0 to 10",
            args.temperature
        )));
    }
    for path in std::iter::once(&args.output).chain(&args.modelfile) {
        if path.exists() && !args.overwrite {
            return Err(refused(format!(
                "{} exists; choose another name, or pass --overwrite",
                path.display()
            )));
        }
    }
    let config = args.model.config()?;
    let what = |path: &Path| format!("loading {}", path.display());
    let base = Base::open(&args.model.model).with_context(|| what(&args.model.model))?;
    let adapter = PeftAdapter::open(&args.adapter).with_context(|| what(&args.adapter))?;
    adapter.check_complete(&config).with_context(|| what(&args.adapter))?;
    // What can fail is done before anything is written.
    let modelfile = args
        .modelfile
        .as_ref()
        .map(|path| -> Result<_> {
            let tokenizer = args.model.tokenizer()?;
            let context = args.context.min(config.max_position_embeddings);
            // Ollama takes paths relative to the Modelfile.
            let model = std::path::absolute(&args.model.model)?;
            let model = std::fs::canonicalize(&model).with_context(|| what(&model))?;
            let written = std::path::absolute(&args.output)?;
            let text = modelfile(
                &model.display().to_string(),
                Some(&written.display().to_string()),
                &tokenizer,
                context,
                args.temperature,
            );
            Ok((path, text))
        })
        .transpose()?;
    let replaced = args.output.exists();
    export_gguf_lora(&adapter, &base, &args.output)?;
    if let Some((path, text)) = modelfile {
        if let Err(error) = write_atomically(path, text.as_bytes()) {
            if !replaced {
                // Half of what was asked for would look like all of it.
                let _ = std::fs::remove_file(&args.output);
            }
            return Err(error.into());
        }
    }
    let bytes = std::fs::read(&args.output)?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    if args.json {
        println!(
            "{}",
            json!({
                "output": args.output, "modelfile": args.modelfile, "bytes": bytes.len(),
                "sha256": sha256, "modules": adapter.modules.len(),
            })
        );
        return Ok(());
    }
    println!(
        "{} ({} modules, {} bytes, sha256 {sha256})",
        args.output.display(),
        adapter.modules.len(),
        bytes.len()
    );
    if let Some(path) = &args.modelfile {
        println!("{}", path.display());
    }
    Ok(())
}
