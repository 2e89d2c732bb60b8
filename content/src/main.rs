//! `openledger-ipfs`: a node that holds and serves files, and the tools around it.

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use openledger_content::{
    add_file, data_directory, describe_file, Added, BlockStore, ContentStore, Error, Fetched,
    IpfsNode, Limits, Multiaddr, NodeConfig, Wanted,
};
use openledger_primitives::ContentId;
use serde::Serialize;
use std::{
    fmt::Display,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Everything is as it should be.
const SUCCESS: u8 = 0;
/// Anything that has no code of its own (2 is for wrong arguments).
const FAILED: u8 = 1;
/// The bytes could not be fetched; trying again may help.
const UNAVAILABLE: u8 = 3;
/// The bytes are wrong; trying again will not help.
const INVALID: u8 = 4;

#[derive(Parser)]
#[command(
    name = "openledger-ipfs",
    version,
    about = "Holds, serves and fetches OpenLedger files over IPFS",
    after_help = "Examples:
  openledger-ipfs daemon --directory store --listen /ip4/0.0.0.0/tcp/4001
  openledger-ipfs add --directory store story.txt
  openledger-ipfs get bafkrei… --size 1234 --sha256 9f86d0… --output copy.txt \\
      --peer /ip4/127.0.0.1/tcp/4001/p2p/12D3…
  openledger-ipfs cid story.txt

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 the bytes could not be fetched (try again), \
4 the bytes are wrong (trying again will not help)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON object on one line.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a node on a directory until it is interrupted.
    Daemon(Daemon),
    /// Puts a file into a directory's store; a daemon on the same directory serves it at once.
    Add(Add),
    /// Fetches a file and checks its size and hash.
    Get(Get),
    /// Prints a file's content id, sha2-256 and size, and stores nothing.
    Cid(Cid),
}

#[derive(Args)]
struct Format {
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Args)]
struct Directory {
    /// Where blocks and the node's key live [default: openledger/ipfs in the XDG data directory, where
    /// `openledger submit` puts them].
    #[arg(long, env = "OPENLEDGER_IPFS")]
    directory: Option<PathBuf>,
}

impl Directory {
    fn path(self) -> anyhow::Result<PathBuf> {
        self.directory.or_else(|| data_directory("ipfs")).context(
            "neither XDG_DATA_HOME nor HOME says where your data is; name a folder with --directory",
        )
    }
}

#[derive(Args)]
struct Daemon {
    #[command(flatten)]
    directory: Directory,
    /// Address to listen on, TCP or QUIC; port 0 takes any free one. May be repeated.
    #[arg(long, value_name = "MULTIADDR", default_value = "/ip4/127.0.0.1/tcp/0")]
    listen: Vec<Multiaddr>,
    /// Peer to stay connected with. May be repeated.
    #[arg(long, value_name = "MULTIADDR")]
    peer: Vec<Multiaddr>,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    directory: Directory,
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
struct Get {
    #[command(flatten)]
    directory: Directory,
    /// The file's content id.
    content: ContentId,
    /// Its size in bytes; another size is refused.
    #[arg(long)]
    size: Option<u64>,
    /// Its sha2-256 in hexadecimal; another hash is refused.
    #[arg(long, value_parser = parse_hash)]
    sha256: Option<[u8; 32]>,
    /// Where to write it; must not exist yet, unless --overwrite is given.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Peer to ask. May be repeated; without any, only the local store is read.
    #[arg(long, value_name = "MULTIADDR")]
    peer: Vec<Multiaddr>,
    /// Most bytes to accept (default: --size, or 10 MiB where no size is given).
    #[arg(long)]
    max_bytes: Option<u64>,
    /// Seconds to wait for each block.
    #[arg(long, default_value_t = 30.0, value_parser = parse_seconds)]
    timeout: f64,
    /// Replace what is at --output.
    #[arg(long)]
    overwrite: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Cid {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

fn parse_hash(text: &str) -> Result<[u8; 32], String> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut hash)
        .map_err(|error| format!("{error}; write 64 hexadecimal digits"))?;
    Ok(hash)
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("choose between 0.1 and 86400 seconds".into()),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .init();
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(run(cli)));
    let code = match result {
        Ok(()) => SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            match error.downcast_ref::<Error>() {
                Some(error) if error.is_unavailable() => UNAVAILABLE,
                Some(error) if error.is_invalid() => INVALID,
                _ => FAILED,
            }
        }
    };
    ExitCode::from(code)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Daemon(arguments) => daemon(arguments).await,
        Command::Add(Add { directory, file, format }) => {
            let store = BlockStore::open(&directory.path()?)?;
            let added = tokio::task::spawn_blocking(move || add_file(&store, &file))
                .await
                .context("adding was interrupted")??;
            print(format.output, &added, added_in_words(&added))
        }
        Command::Get(arguments) => get(arguments).await,
        Command::Cid(Cid { file, format }) => {
            let added = tokio::task::spawn_blocking(move || describe_file(&file))
                .await
                .context("reading was interrupted")??;
            print(format.output, &added, added_in_words(&added))
        }
    }
}

/// What a daemon tells about itself.
#[derive(Serialize)]
struct Started {
    peer_id: String,
    addresses: Vec<Multiaddr>,
}

async fn daemon(arguments: Daemon) -> anyhow::Result<()> {
    // Before anything is printed, so that no signal finds the default answer.
    let stop = stop_signal()?;
    let directory = arguments.directory.path()?;
    let config = NodeConfig::new(&directory).listening(arguments.listen).with_peers(arguments.peer);
    let node = IpfsNode::start(config).await?;
    let started =
        Started { peer_id: node.peer_id().to_string(), addresses: node.listen_addresses() };
    let file = directory.join("addresses.json");
    write_atomically(&directory, &file, &serde_json::to_vec(&started)?)?;
    let addresses: Vec<String> = started.addresses.iter().map(Multiaddr::to_string).collect();
    let words = format!("serving {} at\n  {}", directory.display(), addresses.join("\n  "));
    print(arguments.format.output, &started, words)?;
    stop.await;
    node.shutdown().await;
    // A dead node's addresses would mislead; that the file is gone already is as good.
    let _ = std::fs::remove_file(&file);
    Ok(())
}

async fn get(arguments: Get) -> anyhow::Result<()> {
    let block_timeout = Duration::from_secs_f64(arguments.timeout);
    let most = arguments.max_bytes.or(arguments.size).unwrap_or(Limits::SUBMISSION_BYTES);
    let limits =
        Limits { block_timeout, overwrite: arguments.overwrite, ..Limits::for_bytes(most) };
    let Get { content, sha256, size, .. } = arguments;
    let wanted = Wanted { content, sha256, size };
    let directory = arguments.directory.path()?;
    let fetched: Fetched = if arguments.peer.is_empty() {
        BlockStore::open(&directory)?.fetch_file(&wanted, &arguments.output, &limits).await?
    } else {
        let config = NodeConfig::new(directory).with_peers(arguments.peer).ephemeral();
        let node = IpfsNode::start(config).await?;
        let fetched = node.fetch_file(&wanted, &arguments.output, &limits).await;
        node.shutdown().await;
        fetched?
    };
    let words = format!(
        "wrote {} ({} bytes, sha256 {})",
        arguments.output.display(),
        fetched.size,
        hex::encode(fetched.sha256)
    );
    print(if arguments.json { Output::Json } else { Output::Text }, &fetched, words)
}

fn added_in_words(added: &Added) -> String {
    let sha256 = hex::encode(added.sha256);
    format!("content  {}\nsha256   {sha256}\nsize     {} bytes", added.content, added.size)
}

/// Prints a result and flushes, so that a program at the other end of a pipe has it at once.
fn print(out: Output, value: &impl Serialize, words: impl Display) -> anyhow::Result<()> {
    let line = match out {
        Output::Text => words.to_string(),
        Output::Json => serde_json::to_string(value)?,
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).context("cannot write to stdout")
}

/// Writes a file in a node's directory; readers see the old bytes or the new ones.
fn write_atomically(directory: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(directory.join("temporary"))?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| Error::io("write", path, source))
}

/// Resolves at SIGINT or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl std::future::Future<Output = ()>> {
    use tokio::signal::unix::{signal, SignalKind};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl std::future::Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
