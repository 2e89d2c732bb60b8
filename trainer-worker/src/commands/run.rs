//! `trainer-worker run`: does the jobs that the chain dispatches.

use super::DeviceArgs;
use anyhow::{anyhow, bail, Context, Result};
use openledger_client::{Amount, Client, KeyReference, Settings, Signer};
use openledger_content::{IpfsNode, Multiaddr, NodeConfig};
use openledger_engine::report::memory;
use openledger_primitives::{market::MAX_MODELS, BaseModelId, Serves, SizeClass};
use std::{
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};
use trainer_worker::runner::{Gateway, Machine, Options, Runner};

/// Do the jobs that the chain dispatches to this worker.
///
/// Registers the worker (a bond is held), takes each job it is given, fetches the dataset's files
/// over IPFS and checks them against the chain, trains, publishes the adapter and posts the result.
/// Stopped or killed, it carries on where it was when it is started again. Drawn for a dispute, it
/// looks at another worker's result meanwhile and shows what it found (`trainer-worker verify`).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker run --key //Eve --model SmolLM2-135M-Instruct.Q4_1.gguf --price 1000000
  OPENLEDGER_PASSWORD=… trainer-worker run --key worker --node ws://10.0.0.1:9944 \\
      --listen /ip4/0.0.0.0/tcp/4001 --peer /ip4/10.0.0.2/tcp/4001/p2p/12D3…

Amounts: 1000000 or 1000000planck, 0.000001OPEN.")]
pub(crate) struct Args {
    /// The node's WebSocket address.
    #[arg(long, env = "OPENLEDGER_NODE", default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// Who signs: a key's name, a key file, or //Name on development chains. OPENLEDGER_SECRET holds
    /// a phrase instead.
    #[arg(long, env = "OPENLEDGER_KEY")]
    key: Option<String>,
    /// Where keys lie that are given by name.
    #[arg(long, env = "OPENLEDGER_KEYS", value_name = "DIR")]
    keys_directory: Option<PathBuf>,
    /// File with the key file's password; OPENLEDGER_PASSWORD holds it instead.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Blocks and identity of this worker's IPFS node.
    #[arg(long, env = "OPENLEDGER_IPFS", value_name = "DIR")]
    ipfs_directory: Option<PathBuf>,
    /// Address to serve adapters on; may be repeated.
    #[arg(long, value_name = "MULTIADDR", default_value = "/ip4/127.0.0.1/tcp/0")]
    listen: Vec<Multiaddr>,
    /// IPFS peer to fetch from; may be repeated.
    #[arg(long, env = "OPENLEDGER_PEERS", value_name = "MULTIADDR", value_delimiter = ',')]
    peer: Vec<Multiaddr>,
    /// A base model on this disk, so that it need not be fetched; may be repeated.
    #[arg(long, value_name = "FILE")]
    model: Vec<PathBuf>,
    /// The least that a token must bring: plancks, or an amount in OPEN. Jobs pay what they offer; of
    /// the workers that fit a job the one with the lowest floor gets it.
    #[arg(long, value_name = "AMOUNT", default_value = "1000000000")]
    price: String,
    /// Base model to take jobs for, by its number; may be repeated, up to 8. Without it, any of up to
    /// --max-model-bytes.
    #[arg(long, value_name = "MODEL", conflicts_with = "max_model_bytes")]
    serve: Vec<BaseModelId>,
    /// Largest weights to take jobs for; the chain counts the power of two below. By default a tenth of
    /// the memory that is free, and at least 256 MiB.
    #[arg(long, value_name = "BYTES")]
    max_model_bytes: Option<u64>,
    /// How many tokens a second this worker trains, counted as the power of two below: the time it is
    /// given for a job, and which deadlines it is offered. Whoever needs twice as long loses half the
    /// price from its bond.
    #[arg(
        long, default_value_t = 32, value_name = "TOKENS",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    tokens_per_second: u32,
    /// Most bytes of fetched base models to keep; the longest unused make room.
    #[arg(long, value_name = "BYTES", default_value_t = 50 << 30)]
    cache_bytes: u64,
    /// What is published as this worker's address.
    #[arg(long, default_value = "")]
    endpoint: String,
    /// Gateway to tell what each training sees, signed by this worker's key; may be repeated.
    #[arg(long, env = "OPENLEDGER_REPORT", value_name = "URL", value_delimiter = ',')]
    report: Vec<Gateway>,
    /// Checkpoints and fetched models.
    #[arg(long, value_name = "DIR")]
    work_directory: Option<PathBuf>,
    /// Seconds between two signs of life while training, each of which pays a fee (5 to 120).
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(5..=120))]
    heartbeat: u64,
    #[command(flatten)]
    device: DeviceArgs,
    /// End after so many posted results.
    #[arg(long, value_name = "N")]
    max_jobs: Option<u32>,
}

/// Runs until it is told to stop.
pub(crate) fn run(args: Args) -> Result<()> {
    on_runtime(serve(args))
}

/// Runs what talks with node and peers; its log goes to stderr.
pub(crate) fn on_runtime<T>(work: impl std::future::Future<Output = Result<T>>) -> Result<T> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "warn,trainer_worker=info".into()),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
    let runtime = tokio::runtime::Runtime::new().context("starting the asynchronous runtime")?;
    let done = runtime.block_on(work);
    // Training has ended by now; a result that is being looked at leaves nothing behind.
    runtime.shutdown_background();
    done
}

async fn serve(args: Args) -> Result<()> {
    let data = data_directory();
    let arithmetic = args.device.arithmetic()?;
    // A device that does not answer is found now, not when a job is given.
    arithmetic.device.open()?;
    let price_per_token = price(&args.price)?;
    let serves = serves(args.serve.clone(), args.max_model_bytes)?;
    for model in &args.model {
        if !model.is_file() {
            bail!("--model {}: there is no such file", model.display());
        }
    }
    let client = Client::connect(Settings::new(&args.node)).await?;
    let signer = signer(&args, &client, &data).await?;

    let directory = args.ipfs_directory.unwrap_or_else(|| data.join("worker/ipfs"));
    let config = NodeConfig::new(directory).listening(args.listen).with_peers(args.peer);
    let ipfs = IpfsNode::start(config).await?;
    for address in ipfs.listen_addresses() {
        tracing::info!(%address, "IPFS node listening");
    }

    let stop = Arc::new(AtomicBool::new(false));
    let options = Options {
        price_per_token,
        serves,
        tokens_per_second: args.tokens_per_second,
        endpoint: args.endpoint,
        heartbeat: Duration::from_secs(args.heartbeat),
        report: args.report,
        max_jobs: args.max_jobs,
        machine: Machine {
            work_directory: args.work_directory.unwrap_or_else(|| data.join("worker/jobs")),
            models: args.model,
            cache_bytes: args.cache_bytes,
            arithmetic,
        },
    };
    let runner = Runner::new(client, signer, Arc::new(ipfs.clone()), options, stop.clone());
    let worker = runner.run();
    tokio::pin!(worker);
    tokio::select! {
        result = &mut worker => result?,
        () = interrupted() => {
            tracing::info!("stopping after this step; the job goes on when the worker is started again");
            stop.store(true, Ordering::Relaxed);
            tokio::select! {
                result = &mut worker => result?,
                () = interrupted() => bail!("stopped at once; the last checkpoint stays"),
            }
        }
    }
    ipfs.shutdown().await;
    Ok(())
}

/// The base models to take jobs for.
fn serves(models: Vec<BaseModelId>, bytes: Option<u64>) -> Result<Serves> {
    if !models.is_empty() {
        let count = models.len();
        let models = models.try_into();
        return models.map(Serves::Models).map_err(|_| {
            anyhow!("--serve: {count} base models, at most {MAX_MODELS} can be named")
        });
    }
    let least = SizeClass::default().bytes();
    let bytes = match bytes {
        Some(bytes) => bytes,
        None => memory::available().map_or(least, |there| (there.bytes / 10).max(least)),
    };
    if SizeClass::up_to(bytes).is_none() {
        bail!(
            "--max-model-bytes {bytes} is less than the smallest class, {least}: give more, or \
             --serve MODEL"
        );
    }
    Ok(Serves::UpTo(bytes))
}

/// Plancks: a whole number, or an amount in OPEN.
fn price(text: &str) -> Result<u128> {
    if let Ok(plancks) = text.parse::<u128>() {
        return Ok(plancks);
    }
    let amount: Amount = text.parse().with_context(|| format!("--price {text}"))?;
    Ok(amount.0)
}

async fn signer(args: &Args, client: &Client, data: &std::path::Path) -> Result<Signer> {
    let secret = std::env::var("OPENLEDGER_SECRET").ok();
    let Some(key) = &args.key else {
        let secret = secret.context("no key: give --key NAME, or set OPENLEDGER_SECRET")?;
        if openledger_client::is_development_secret(&secret) {
            client.require_development().await?;
        }
        return Ok(Signer::from_secret(&secret)?);
    };
    let directory = args.keys_directory.clone().unwrap_or_else(|| data.join("keys"));
    let password = match &args.password_file {
        Some(path) => Some(
            std::fs::read_to_string(path)
                .with_context(|| format!("reading {}", path.display()))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
        ),
        None => std::env::var("OPENLEDGER_PASSWORD").ok(),
    };
    Ok(KeyReference::parse(key, &directory)?.open(client, password.as_deref()).await?)
}

/// Where this user's OpenLedger data lies.
pub(crate) fn data_directory() -> PathBuf {
    let base = std::env::var_os("XDG_DATA_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("."));
    base.join("openledger")
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP (a terminal that was closed).
pub(crate) async fn interrupted() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{signal, SignalKind};
        let hangup = async {
            // Under `nohup` the program is to outlive its terminal.
            match signal(SignalKind::hangup()) {
                Ok(mut hangup) if !HANGUP_IGNORED.load(Ordering::Relaxed) => hangup.recv().await,
                _ => std::future::pending().await,
            }
        };
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
                _ = hangup => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}

/// Whether SIGHUP was ignored when the program started, which a handler of our own would undo.
static HANGUP_IGNORED: AtomicBool = AtomicBool::new(false);

/// Remembers whether the program was started so that it outlives its terminal (`nohup`).
pub(crate) fn remember_hangup() {
    // The first bit is signal 1, SIGHUP.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|m| u64::from_str_radix(m.trim(), 16).ok());
    HANGUP_IGNORED.store(mask.is_some_and(|m| m & 1 == 1), Ordering::Relaxed);
}
