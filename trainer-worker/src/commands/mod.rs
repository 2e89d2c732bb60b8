//! The subcommands, and what they share.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod config_file;
pub(crate) mod doctor;
pub(crate) mod error;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod fetch_model;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod logits;
pub(crate) mod merge;
pub(crate) mod out_of_memory;
pub(crate) mod pipe;
pub(crate) mod preview;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod train;
pub(crate) mod verify;

use anyhow::{bail, Context, Result};
use clap::{Args, ValueEnum};
use openledger_engine::device::{Arithmetic, Device, Dtype};
use openledger_engine::generate::{Grammar, Sampling, MAX_SCHEMA_BYTES};
use openledger_engine::lora::Adapter;
use openledger_engine::model::{folder, weights::Precision, Model, ModelConfig};
use openledger_engine::peft;
use openledger_engine::tokenizer::{Message, Tokenizer};
use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// How a command prints its answer.
#[derive(Args, Clone, Copy)]
pub(crate) struct OutputArgs {
    /// How to print the answer.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    /// The same as --output json.
    #[arg(long)]
    json: bool,
}

impl OutputArgs {
    pub(crate) fn json(self) -> bool {
        self.json || self.output == Output::Json
    }
}

/// Whether the arguments ask for JSON, before they are known to be right.
pub(crate) fn wants_json(arguments: &[OsString]) -> bool {
    let mut pairs = arguments.windows(2);
    arguments.iter().any(|a| a == "--json" || a == "--output=json")
        || pairs.any(|pair| matches!(pair, [a, b] if a == "--output" && b == "json"))
}

/// Which model to load.
#[derive(Args)]
pub(crate) struct ModelArgs {
    /// A .gguf file, or a Hugging Face folder with config.json and safetensors.
    #[arg(long, value_name = "FILE|DIR", aliases = ["model-name-or-path", "base-model"])]
    pub(crate) model: PathBuf,
}

/// Which adapter to put on it.
#[derive(Args)]
pub(crate) struct AdapterArgs {
    /// An adapter: a folder as PEFT writes it, or one adapter_model.safetensors.
    #[arg(long, value_name = "DIR|FILE", alias = "adapter-name-or-path")]
    pub(crate) adapter: Option<PathBuf>,
}

impl ModelArgs {
    fn must_exist(&self) -> Result<()> {
        if !self.model.exists() {
            bail!(
                "the model {} does not exist; ./scripts/model fetches one and prints its path, and \
                 so does `trainer-worker fetch-model`",
                self.model.display()
            );
        }
        Ok(folder::check_description(&self.model)?)
    }

    /// The model's configuration, without its weights.
    pub(crate) fn config(&self) -> Result<ModelConfig> {
        self.must_exist()?;
        ModelConfig::open(&self.model).with_context(|| format!("loading {}", self.model.display()))
    }

    pub(crate) fn tokenizer(&self) -> Result<Tokenizer> {
        self.must_exist()?;
        Tokenizer::open(&self.model).with_context(|| format!("loading {}", self.model.display()))
    }

    pub(crate) fn load(&self) -> Result<(Arc<Model>, Tokenizer)> {
        self.load_with(Precision::Dense)
    }

    pub(crate) fn load_with(&self, precision: Precision) -> Result<(Arc<Model>, Tokenizer)> {
        let tokenizer = self.tokenizer()?;
        Ok((self.weights(precision)?, tokenizer))
    }

    /// The model without its tokenizer.
    pub(crate) fn weights(&self, precision: Precision) -> Result<Arc<Model>> {
        self.must_exist()?;
        let model = Model::open_with(&self.model, precision)
            .with_context(|| format!("loading {}", self.model.display()))?;
        Ok(Arc::new(model))
    }
}

/// A text file of at most `limit` bytes.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String> {
    let what = || format!("reading {}", path.display());
    let size = std::fs::metadata(path).with_context(what)?.len();
    if size > limit {
        bail!("{} is {size} bytes; at most {limit} are read", path.display());
    }
    std::fs::read_to_string(path).with_context(what)
}

/// How the weights are kept while generating.
#[derive(Args, Clone, Copy)]
pub(crate) struct PrecisionArgs {
    /// Keep a GGUF file's weights in its own few bits, and multiply in integers (the default): several
    /// times faster and smaller, and within half a percent of the perplexity of f32.
    #[arg(long, conflicts_with = "dequantised")]
    quantised: bool,
    /// Dequantise a GGUF file's weights to f32, as training and evaluation with lora do.
    #[arg(long, alias = "dequantized")]
    dequantised: bool,
}

impl PrecisionArgs {
    /// A folder's weights have no blocks of their own, and stay in f32 either way.
    pub(crate) fn get(self) -> Precision {
        if self.dequantised {
            Precision::Dense
        } else {
            Precision::Quantised
        }
    }
}

/// How the weights are kept where every number is shown.
#[derive(Args, Clone, Copy)]
pub(crate) struct ExactArgs {
    /// Keep a GGUF file's weights in its own few bits, and multiply in integers, as generate and chat
    /// do; otherwise they are dequantised to f32.
    #[arg(long)]
    quantised: bool,
}

impl ExactArgs {
    pub(crate) fn get(self) -> Precision {
        if self.quantised {
            Precision::Quantised
        } else {
            Precision::Dense
        }
    }
}

/// Where passes are computed.
#[derive(Args, Clone)]
pub(crate) struct DeviceArgs {
    /// cpu (this program's own kernels: the same bytes on every machine), cuda, cuda:N, metal, or
    /// candle-cpu (what runs on a GPU, on the processor: for tests and comparison).
    #[arg(long, env = "OPENLEDGER_DEVICE", default_value = "cpu")]
    pub(crate) device: String,
    /// Type of the base model on other devices than cpu: f32, bf16 or f16. Adapters are f32 always.
    /// By default bf16 on cuda and metal, else f32.
    #[arg(long, env = "OPENLEDGER_DTYPE")]
    pub(crate) dtype: Option<String>,
}

impl DeviceArgs {
    /// The device and its type; refused where this program was built without it.
    pub(crate) fn arithmetic(&self) -> Result<Arithmetic> {
        let device = Device::from_name(&self.device)?;
        let dtype = match &self.dtype {
            Some(name) => Dtype::from_name(name)?,
            None if device.uses_host_memory() => Dtype::F32,
            None => Dtype::BF16,
        };
        let arithmetic = Arithmetic { device, dtype };
        arithmetic.validate()?;
        Ok(arithmetic)
    }
}

/// How tokens are chosen.
#[derive(Args, Clone)]
pub(crate) struct SamplingArgs {
    /// Most tokens to generate (1 to 32768).
    #[arg(long, default_value_t = 128)]
    pub(crate) max_new_tokens: usize,
    /// 0 takes the likeliest token always; higher is more varied (0 to 10).
    #[arg(long, default_value_t = 0.0)]
    pub(crate) temperature: f64,
    /// Sample among the likeliest tokens of this total probability (above 0, at most 1).
    #[arg(long, default_value_t = 1.0)]
    pub(crate) top_p: f64,
    /// Sample among so many of the likeliest tokens (0 for all).
    #[arg(long, default_value_t = 0)]
    pub(crate) top_k: usize,
    /// Leave out tokens less likely than this share of the likeliest one's probability (0 to 1).
    #[arg(long, default_value_t = 0.0)]
    pub(crate) min_p: f64,
    /// Divides the logits of tokens that occurred (1 for none; 0.1 to 10).
    #[arg(long, default_value_t = 1.0)]
    pub(crate) repetition_penalty: f64,
    /// Subtracted from the logits of tokens that were generated (-2 to 2).
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) presence_penalty: f64,
    /// Subtracted from a token's logit for each time that it was generated (-2 to 2).
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) frequency_penalty: f64,
    /// End the answer before this text, which is not part of it; may be given 16 times.
    #[arg(long, value_name = "TEXT")]
    pub(crate) stop: Vec<String>,
    /// Let the answer be JSON that the JSON Schema in this file accepts.
    #[arg(long, value_name = "FILE", conflicts_with = "stop")]
    pub(crate) json_schema: Option<PathBuf>,
    /// Seed of the sampling.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

impl SamplingArgs {
    pub(crate) fn settings(&self) -> Result<Sampling> {
        let grammar = match &self.json_schema {
            None => None,
            Some(path) => {
                let text = read_text(path, MAX_SCHEMA_BYTES as u64)?;
                let grammar = Grammar::json_schema_text(&text);
                Some(Arc::new(grammar.with_context(|| format!("reading {}", path.display()))?))
            }
        };
        let settings = Sampling {
            max_new_tokens: self.max_new_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            presence_penalty: self.presence_penalty,
            frequency_penalty: self.frequency_penalty,
            stop: self.stop.clone(),
            grammar,
            seed: self.seed,
            ..Sampling::default()
        };
        settings.validate()?;
        Ok(settings)
    }
}

/// Bytes for people.
pub(crate) fn mebibytes(bytes: u64) -> String {
    let mib = bytes as f64 / (1 << 20) as f64;
    if mib >= 10_240.0 {
        format!("{:.1} GiB", mib / 1024.0)
    } else {
        format!("{mib:.0} MiB")
    }
}

/// A time for people.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// Sets `stop` on Ctrl-C, SIGTERM or SIGHUP, after calling `tell`; the second time the process ends. Once this returns,
/// none of them ends it at once.
pub(crate) fn stop_on_signal(stop: Arc<AtomicBool>, tell: impl Fn() + Send + 'static) {
    // Without it, Ctrl-C ends the process at once, as it does by itself.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let (listens, listening) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime.block_on(async {
            let mut interrupted = std::pin::pin!(run::interrupted());
            // It listens from its first poll on.
            std::future::poll_fn(|context| {
                let polled = interrupted.as_mut().poll(context);
                let _ = listens.send(());
                polled
            })
            .await;
            stop.store(true, Ordering::Relaxed);
            tell();
            run::interrupted().await;
            std::process::exit(130);
        });
    });
    let _ = listening.recv();
}

impl AdapterArgs {
    pub(crate) fn load(&self, model: &Model) -> Result<Option<Arc<Adapter>>> {
        let Some(path) = &self.adapter else { return Ok(None) };
        let adapter = peft::load(path, &model.config)
            .with_context(|| format!("loading {}", path.display()))?;
        Ok(Some(Arc::new(adapter)))
    }
}

/// A prompt's tokens: the text as it is, or as a question in the model's chat template, after the system
/// message if there is one.
pub(crate) fn prompt_tokens(
    tokenizer: &Tokenizer,
    prompt: Option<&str>,
    chat: Option<&str>,
    system: Option<&str>,
) -> Result<Vec<u32>> {
    Ok(match (prompt, chat) {
        (Some(text), None) => tokenizer.encode(text)?,
        (None, Some(question)) => {
            let mut messages: Vec<Message> = system.map(Message::system).into_iter().collect();
            messages.push(Message::user(question));
            tokenizer.check_messages(&messages)?;
            tokenizer.encode(&tokenizer.render_chat(&messages, true)?)?
        }
        _ => bail!("give either --prompt TEXT or --chat QUESTION"),
    })
}
