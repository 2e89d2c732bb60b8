//! `trainer-worker merge`.

use super::error::{refused, usage};
use super::ModelArgs;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use openledger_engine::export::{merge, tensors::Dtype, MergeSettings, PeftAdapter};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `merge`.
#[derive(clap::Args)]
#[command(
    after_help = "The base model is a Hugging Face folder, whose tensors keep their types, or a GGUF file, \
which is dequantised to f32 (FP8 weights to bf16). Without --adapter the model is only converted.

Examples:
  trainer-worker merge --model base/ --adapter adapter/ --output merged/
  trainer-worker merge --model MODEL.gguf --adapter adapter/ --output merged/ --dtype bf16"
)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The adapter: a folder as PEFT writes it, or one adapter_model.safetensors.
    #[arg(long, value_name = "DIR|FILE", alias = "adapter-name-or-path")]
    adapter: Option<PathBuf>,
    /// Folder for the merged model; it must be empty or new.
    #[arg(long, value_name = "DIR", aliases = ["output-dir", "export-dir"])]
    output: PathBuf,
    /// Type of the written tensors: f32, f16 or bf16.
    #[arg(long)]
    dtype: Option<String>,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let dtype = match args.dtype.as_deref() {
        None => None,
        Some(name) => Some(Dtype::from_name(name).ok_or_else(|| {
            usage(format!("dtype = {name} is not supported: choose f32, f16 or bf16"))
        })?),
    };
    let used = std::fs::read_dir(&args.output).is_ok_and(|mut entries| entries.next().is_some());
    if used {
        return Err(refused(format!(
            "{} is not empty; choose a new folder for the merged model",
            args.output.display()
        )));
    }
    args.model.config()?;
    let adapter = args
        .adapter
        .as_deref()
        .map(|path| PeftAdapter::open(path).with_context(|| format!("loading {}", path.display())))
        .transpose()?;
    let bar = ProgressBar::new(0);
    // The template is fixed; the default one serves should it ever be wrong.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} tensors") {
        bar.set_style(style);
    }
    let settings = MergeSettings { dtype };
    let merged =
        merge(&args.model.model, adapter.as_ref(), &args.output, settings, |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })?;
    bar.finish_and_clear();
    if args.json {
        println!(
            "{}",
            json!({
                "output": args.output, "files": merged.files, "tensors": merged.tensors,
                "changed": merged.changed,
            })
        );
        return Ok(());
    }
    println!(
        "{} ({} tensors, {} of them changed by the adapter)",
        args.output.display(),
        merged.tensors,
        merged.changed
    );
    Ok(())
}
