//! `trainer-worker serve`.

mod start;

use super::error::{refused, usage};
use super::run::data_directory;
use super::{ModelArgs, OutputArgs};
use anyhow::{Context, Result};
use clap::{Args as ClapArgs, ValueEnum};
use openledger_client::{Client, Settings};
use openledger_content::{IpfsNode, Multiaddr, NodeConfig};
use openledger_engine::model::fast::ServingArithmetic;
use openledger_engine::model::Precision;
use openledger_engine::serving::{Scheduler, ServingSettings};
use serde_json::json;
use start::Start;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use trainer_worker::server::adapters::{AdapterStore, Budgets, Chain};
use trainer_worker::server::fine_tuning::{FileQuota, FileStore, Jobs, Trainer, TrainerSettings};
use trainer_worker::server::keys::{self, KeyLimits, Keys};
use trainer_worker::server::names::{self, Adapters, Base};
use trainer_worker::server::{FineTuning, Limits, Parts};

/// Most headers of a request.
const HEADERS: usize = 100;
/// Bodies that may be read at the same time, if each were as large as it may be: a key has half of them at most.
const BODIES: usize = 32;
/// Bytes of all answers that are not sent yet.
const ANSWERS: usize = 256 << 20;
/// How products are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ArithmeticName {
    /// A GGUF file's own few bits, multiplied in integers.
    Integer,
    /// Everything in f32.
    F32,
}

/// Arguments of `serve`.
#[derive(ClapArgs)]
#[command(after_help = "Models are named by what is in `model`:
  BASE            the base model, by the name of its file or by --name
  BASE:NAME       the base with an adapter of --adapter NAME=PATH, or of the folder --adapters
  openledger:7    the base with adapter 7 of the chain, where --node names one of its nodes
  ft:…            a model that the same key fine-tuned here, where --training allows it

Without keys the server answers to this machine alone. To answer others:
  trainer-worker serve --api-keys keys.jsonl --add-key alice      # prints the key once
  trainer-worker serve --model MODEL.gguf --address 0.0.0.0:8080 --api-keys keys.jsonl

Examples:
  trainer-worker serve --model MODEL.gguf
  trainer-worker serve --model MODEL.gguf --adapter tone=adapter/ --adapters adapters/
  trainer-worker serve --model MODEL.gguf --node ws://127.0.0.1:9944 \\
    --peer /ip4/127.0.0.1/tcp/4001/p2p/12D3…
  trainer-worker serve --model MODEL.gguf --training ft-state/ --training-threads 1
  curl localhost:8080/v1/chat/completions -H 'content-type: application/json' \\
    -d '{\"model\": \"MODEL\", \"messages\": [{\"role\": \"user\", \"content\": \"Who pays?\"}]}'

SIGTERM or Ctrl-C takes no new requests, finishes those that run within --drain-timeout, and ends. \
docs/serving.md describes the endpoints, their fields, keys, limits and memory.")]
pub(crate) struct Args {
    /// A .gguf file, or a Hugging Face folder with config.json and safetensors.
    #[arg(long, value_name = "FILE|DIR", required_unless_present = "add_key")]
    model: Option<PathBuf>,
    /// Name of the base model (by default that of its file).
    #[arg(long)]
    name: Option<String>,
    /// An adapter and its name: a folder as PEFT writes it, or one safetensors file. Repeatable.
    #[arg(long, value_name = "NAME=PATH")]
    adapter: Vec<String>,
    /// A folder of adapters, each named by its entry.
    #[arg(long, value_name = "DIR")]
    adapters: Option<PathBuf>,
    /// WebSocket address of a node of the chain, whose adapters then can be asked for by number.
    #[arg(long, env = "OPENLEDGER_NODE", value_name = "URL")]
    node: Option<String>,
    /// IPFS peer to fetch adapters of the chain from; may be repeated.
    #[arg(long, env = "OPENLEDGER_PEERS", value_name = "MULTIADDR", value_delimiter = ',')]
    peer: Vec<Multiaddr>,
    /// Blocks and identity of this server's IPFS node (by default with the user's data).
    #[arg(long, value_name = "DIR")]
    ipfs_directory: Option<PathBuf>,
    /// Folder of adapters fetched from the chain (by default with the user's data).
    #[arg(long, value_name = "DIR")]
    adapter_cache: Option<PathBuf>,
    /// Disk for adapters fetched from the chain, in MiB; the least recently used ones make room.
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    adapter_disk: u64,
    /// Memory for adapters, in MiB; the least recently used ones make room.
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    adapter_memory: u64,
    /// Let keys fine-tune (/v1/files, /v1/fine_tuning/jobs), and keep files, jobs and models here.
    #[arg(long, value_name = "DIR")]
    training: Option<PathBuf>,
    /// Threads of a training; one runs at a time (by default half of the machine's).
    #[arg(long, requires = "training")]
    training_threads: Option<usize>,
    /// Longest time that a job trains, in seconds; then it fails and the next one begins.
    #[arg(long, value_name = "SECONDS", default_value_t = 43_200, requires = "training")]
    training_time: u64,
    /// Most jobs of a key that wait or run.
    #[arg(long, default_value_t = 3, requires = "training")]
    training_jobs_per_key: usize,
    /// Most bytes of the files of a key, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024, requires = "training")]
    training_files_per_key: u64,
    /// Largest file, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 100, requires = "training")]
    training_file: u64,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    address: String,
    /// How products are computed; by default integer for a quantised GGUF file, else f32.
    #[arg(long, value_enum)]
    arithmetic: Option<ArithmeticName>,
    /// File of API keys, as --add-key writes it. With it, every request needs a key.
    #[arg(long, value_name = "FILE")]
    api_keys: Option<PathBuf>,
    /// Make a key of that name, add its SHA-256 to the file of --api-keys, print the key, and end.
    #[arg(long, value_name = "NAME", requires = "api_keys")]
    add_key: Option<String>,
    /// Most requests in flight of the key that --add-key makes (16 by default).
    #[arg(long, requires = "add_key")]
    key_requests: Option<usize>,
    /// Most tokens a minute, of prompts and answers, of the key that --add-key makes (no limit by default).
    #[arg(long, requires = "add_key")]
    key_tokens_per_minute: Option<u64>,
    /// An origin whose pages may ask, such as https://app.example; * for all. Repeatable.
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Vec<String>,
    /// Threads of the model (all of the machine's by default, at most 16; never changes an answer).
    #[arg(long)]
    threads: Option<usize>,
    /// Memory for keys and values, in MiB. What does not fit waits.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    kv_memory: usize,
    /// Memory for the grammars of answers in JSON, and for following them, in MiB. One API key may take
    /// as much of it as it leaves free for others.
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    grammar_memory: usize,
    /// Most requests that are answered at the same time.
    #[arg(long, default_value_t = 64)]
    max_running: usize,
    /// Most tokens of all requests that one step of the model takes.
    #[arg(long, default_value_t = 128)]
    max_batch_rows: usize,
    /// Most tokens of prompts in a step in which others are answered.
    #[arg(long, default_value_t = 64)]
    prefill_chunk: usize,
    /// Most requests that wait; more are refused with 429.
    #[arg(long, default_value_t = 256)]
    max_waiting: usize,
    /// Most requests of one key that wait.
    #[arg(long, default_value_t = 64)]
    max_waiting_per_key: usize,
    /// Let keys share what was computed of equal beginnings. Faster with one system message for all; but
    /// then a key can tell from times and cached tokens that another asked something that begins alike.
    #[arg(long)]
    share_prefixes: bool,
    /// Most tokens of an answer; the default where a chat names no number.
    #[arg(long, default_value_t = 4096)]
    max_answer_tokens: usize,
    /// Most connections at the same time.
    #[arg(long, default_value_t = 256)]
    max_connections: usize,
    /// Largest body of a request, in KiB.
    #[arg(long, value_name = "KIB", default_value_t = 1024)]
    max_body: usize,
    /// Longest time until a request's headers are there, and that an idle connection is kept, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    header_timeout: u64,
    /// Longest time until a request's body is there, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    body_timeout: u64,
    /// Longest time in which a reader takes nothing of its answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    write_timeout: u64,
    /// Longest time from a request to the end of its answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    request_timeout: u64,
    /// Longest time that answers under way are given when the server is told to end, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_timeout: u64,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if let Some(name) = &args.add_key {
        return add_key(&args, name);
    }
    let log =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(log)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    // What costs nothing to refuse is refused before the model is read.
    let origins =
        args.cors_origin.iter().map(|origin| check_origin(origin)).collect::<Result<_>>()?;
    let address = address(&args)?;
    let keys = match &args.api_keys {
        Some(path) => Keys::open(path)?,
        None => Keys::none(),
    };
    let paths = adapter_paths(&args)?;
    check_ranges(&args)?;
    let listener = std::net::TcpListener::bind(address)
        .with_context(|| format!("listening on {address}; --address takes another one"))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let model = args.model.clone().ok_or_else(|| usage("--model is missing"))?;
    let files = ModelArgs { model };
    let (model, tokenizer) = files.load_with(Precision::Quantised)?;
    let tokenizer = Arc::new(tokenizer);
    let arithmetic = match args.arithmetic {
        Some(ArithmeticName::Integer) => ServingArithmetic::Integer,
        Some(ArithmeticName::F32) => ServingArithmetic::F32,
        None => ServingArithmetic::of(&model),
    };
    let settings = settings(&args, arithmetic, &keys);
    let memory = settings.memory(&model.config)?;
    let base = base(&files.model, args.name.as_deref(), arithmetic)?;
    let scheduler = Scheduler::start(model.clone(), tokenizer.clone(), settings)?;
    let limits = limits(&args, scheduler.longest());
    let drain = Duration::from_secs(args.drain_timeout);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let ended = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (chain, ipfs) = chain(&args).await?;
        let budgets = Budgets { memory: args.adapter_memory << 20, disk: args.adapter_disk << 20 };
        let cache = args.adapter_cache.clone();
        let cache = cache.unwrap_or_else(|| data_directory().join("serve/adapters"));
        let adapters = AdapterStore::new(
            model.clone(),
            base.sha256,
            paths,
            args.adapters.clone(),
            chain,
            cache,
            budgets.clone(),
        )?;
        let names = adapters.names();
        let start = Start {
            address,
            model: &model,
            base: &base,
            memory,
            // While one is loaded, it is there twice, and has half as many bytes at most.
            adapters: (2 * budgets.memory) as usize,
            limits: &limits,
            keys: &keys,
        };
        start.say(args.output.json(), &names);
        let (ending, ended) = tokio::sync::watch::channel(false);
        let (fine_tuning, trainer) = match &args.training {
            Some(folder) => {
                let (tuning, trainer) = training(&args, folder, &files.model, &base)?;
                (Some(tuning), Some(tokio::spawn(trainer.run(ended))))
            }
            None => (None, None),
        };
        let parts = Parts {
            adapters: Box::new(adapters),
            model,
            tokenizer,
            scheduler,
            base,
            fine_tuning,
            keys,
            limits,
            origins,
        };
        let stop = async {
            super::run::interrupted().await;
            tracing::info!(seconds = drain.as_secs(), "finishing what runs; again ends at once");
            tokio::spawn(async {
                super::run::interrupted().await;
                std::process::exit(130);
            });
        };
        let whole = trainer_worker::server::serve(listener, parts, stop, drain).await;
        // A training writes a checkpoint, and goes on from it when the server is started again.
        ending.send_replace(true);
        if let Some(trainer) = trainer {
            let _ = trainer.await;
        }
        if let Some(ipfs) = ipfs {
            ipfs.shutdown().await;
        }
        tracing::info!(all_answers_finished = whole, "ended");
        anyhow::Ok(())
    });
    // What still waits for a disk or a network waits in vain: the drain is over.
    runtime.shutdown_background();
    ended
}

fn add_key(args: &Args, name: &str) -> Result<()> {
    let path = args.api_keys.as_deref().ok_or_else(|| usage("--add-key needs --api-keys FILE"))?;
    let limits =
        KeyLimits { requests: args.key_requests, tokens_per_minute: args.key_tokens_per_minute };
    let key = keys::add(path, name, limits)?;
    if args.output.json() {
        println!("{}", json!({ "name": name, "key": key, "file": path }));
    } else {
        println!("{key}");
        super::pipe::say(&format!(
            "The key of {name}. It is nowhere else: {} has its SHA-256 alone. A server that runs already \
             reads the file again within a second or two.",
            path.display()
        ));
    }
    Ok(())
}

/// The address, refused where others would be let in without a key.
fn address(args: &Args) -> Result<SocketAddr> {
    let text = &args.address;
    let wrong = || usage(format!("--address {text}: choose HOST:PORT, such as 127.0.0.1:8080"));
    let found: Vec<SocketAddr> = text.to_socket_addrs().map_err(|_| wrong())?.collect();
    let first = found.first().copied().ok_or_else(wrong)?;
    if args.api_keys.is_none() && !first.ip().is_loopback() {
        return Err(refused(format!(
            "{text} can be reached from other machines, and without keys anybody could ask: make one with \
             `trainer-worker serve --api-keys keys.jsonl --add-key NAME` and give --api-keys keys.jsonl, or \
             listen on 127.0.0.1"
        )));
    }
    Ok(first)
}

fn check_origin(origin: &str) -> Result<axum::http::HeaderValue> {
    let wrong = || {
        usage(format!(
            "--cors-origin {origin}: choose what browsers call an origin, such as https://app.example or \
             http://localhost:5173, or *"
        ))
    };
    let after = origin.split_once("://").map(|(_, rest)| rest);
    let whole = origin == "*" || after.is_some_and(|rest| !rest.is_empty() && !rest.contains('/'));
    if !whole {
        return Err(wrong());
    }
    origin.parse().map_err(|_| wrong())
}

/// The chain whose adapters can be asked for, and the IPFS node that fetches them.
async fn chain(args: &Args) -> Result<(Option<Chain>, Option<IpfsNode>)> {
    let Some(node) = &args.node else {
        if !args.peer.is_empty() {
            return Err(usage("--peer is for adapters of the chain: give --node too"));
        }
        return Ok((None, None));
    };
    let client = Client::connect(Settings::new(node)).await?;
    let directory = args.ipfs_directory.clone();
    let directory = directory.unwrap_or_else(|| data_directory().join("serve/ipfs"));
    let ipfs = IpfsNode::start(NodeConfig::new(directory).with_peers(args.peer.clone())).await?;
    Ok((Some(Chain::new(client, Arc::new(ipfs.clone()))), Some(ipfs)))
}

/// Files and jobs of those who may train, and what trains them.
fn training(
    args: &Args,
    folder: &Path,
    model: &Path,
    base: &Base,
) -> Result<(FineTuning, Trainer)> {
    let quota = FileQuota {
        file_bytes: args.training_file << 20,
        bytes: args.training_files_per_key << 20,
        ..FileQuota::default()
    };
    let files = Arc::new(FileStore::open(folder.join("files"), quota)?);
    let jobs = Arc::new(Jobs::open(folder.join("jobs"), args.training_jobs_per_key)?);
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let settings = TrainerSettings {
        program: std::env::current_exe().context("finding this program")?,
        model: model.canonicalize().with_context(|| format!("finding {}", model.display()))?,
        name: base.name.clone(),
        threads: args.training_threads.unwrap_or((all / 2).max(1)),
        time: Duration::from_secs(args.training_time),
    };
    let trainer = Trainer::new(settings, jobs.clone(), files.clone());
    Ok((FineTuning { files, jobs }, trainer))
}

/// Adapters that were given by name.
fn adapter_paths(args: &Args) -> Result<BTreeMap<String, PathBuf>> {
    let mut paths = BTreeMap::new();
    let mut add = |name: &str, path: PathBuf| {
        if !names::is_name(name) {
            return Err(usage(format!(
                "the adapter name {name:?} is not one: choose 1 to 100 letters, digits, dots, hyphens and \
                 underscores"
            )));
        }
        if !path.exists() {
            return Err(usage(format!("the adapter {} does not exist", path.display())));
        }
        if paths.insert(name.to_owned(), path).is_some() {
            return Err(usage(format!("two adapters are named {name:?}; name one by --adapter")));
        }
        Ok(())
    };
    for given in &args.adapter {
        let wrong = || usage(format!("--adapter {given}: choose NAME=PATH"));
        let (name, path) = given.split_once('=').ok_or_else(wrong)?;
        add(name, PathBuf::from(path))?;
    }
    if let Some(folder) = args.adapters.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(usage(format!("--adapters {} is no folder", folder.display())));
    }
    Ok(paths)
}

fn check_ranges(args: &Args) -> Result<()> {
    if let Some(name) = args.name.as_deref().filter(|name| !names::is_name(name)) {
        return Err(usage(format!(
            "--name {name:?}: choose 1 to 100 letters, digits, dots, hyphens and underscores"
        )));
    }
    let ranges = [
        ("kv-memory", args.kv_memory as u64, 1, 1 << 24),
        ("grammar-memory", args.grammar_memory as u64, 32, 1 << 24),
        ("adapter-memory", args.adapter_memory, 1, 1 << 24),
        ("adapter-disk", args.adapter_disk, 1, 1 << 30),
        ("training-threads", args.training_threads.unwrap_or(1) as u64, 1, 1024),
        ("training-time", args.training_time, 1, 30 * 86_400),
        ("training-jobs-per-key", args.training_jobs_per_key as u64, 1, 1000),
        ("training-files-per-key", args.training_files_per_key, 1, 1 << 20),
        ("training-file", args.training_file, 1, 1 << 14),
        ("max-answer-tokens", args.max_answer_tokens as u64, 1, 32_768),
        ("max-connections", args.max_connections as u64, 1, 65_536),
        ("max-body", args.max_body as u64, 1, 64 << 10),
        ("header-timeout", args.header_timeout, 1, 3600),
        ("body-timeout", args.body_timeout, 1, 3600),
        ("write-timeout", args.write_timeout, 1, 3600),
        ("request-timeout", args.request_timeout, 1, 86_400),
        ("drain-timeout", args.drain_timeout, 0, 86_400),
    ];
    for (name, value, least, most) in ranges {
        if !(least..=most).contains(&value) {
            return Err(usage(format!(
                "{name} = {value} is out of range: choose {least} to {most}"
            )));
        }
    }
    Ok(())
}

fn settings(args: &Args, arithmetic: ServingArithmetic, keys: &Keys) -> ServingSettings {
    let default = ServingSettings::default();
    // Without keys there is one client, who may have all places.
    let per_client = if keys.count() == 0 { args.max_waiting } else { args.max_waiting_per_key };
    ServingSettings {
        arithmetic: Some(arithmetic),
        threads: args.threads.unwrap_or(default.threads),
        kv_bytes: args.kv_memory.saturating_mul(1 << 20),
        max_running: args.max_running,
        max_batch_rows: args.max_batch_rows,
        prefill_chunk: args.prefill_chunk,
        max_waiting: args.max_waiting,
        max_waiting_per_client: per_client.min(args.max_waiting),
        grammar_bytes: args.grammar_memory << 20,
        share_between_clients: args.share_prefixes,
    }
}

fn limits(args: &Args, context: usize) -> Limits {
    let body_bytes = args.max_body << 10;
    Limits {
        connections: openledger_http::Limits {
            connections: args.max_connections,
            // Who asks is a key; a gateway in front asks for many from one address.
            of_address: usize::MAX,
            headers: HEADERS,
            header_time: Duration::from_secs(args.header_timeout),
            write_time: Duration::from_secs(args.write_timeout),
        },
        body_bytes,
        all_bodies: body_bytes.saturating_mul(BODIES),
        all_answers: ANSWERS,
        body_time: Duration::from_secs(args.body_timeout),
        request_time: Duration::from_secs(args.request_timeout),
        answer_tokens: args.max_answer_tokens,
        context,
    }
}

fn base(path: &Path, name: Option<&str>, arithmetic: ServingArithmetic) -> Result<Base> {
    let what = || format!("reading {}", path.display());
    let written = std::fs::metadata(path).and_then(|m| m.modified()).with_context(what)?;
    Ok(Base {
        name: name.map_or_else(|| names::name_of(path), str::to_owned),
        sha256: names::base_sha256(path).with_context(what)?,
        arithmetic: arithmetic.name(),
        created: written.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
    })
}
