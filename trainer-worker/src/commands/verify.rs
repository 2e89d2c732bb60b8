//! `trainer-worker verify`: looks at a job's result as the workers drawn for a dispute do.

use super::{run::data_directory, DeviceArgs, OutputArgs};
use anyhow::Result;
use openledger_client::{Client, Settings};
use openledger_content::{IpfsNode, Multiaddr, NodeConfig};
use openledger_primitives::JobId;
use serde_json::{json, Value};
use std::path::PathBuf;
use trainer_worker::runner::{verify, Losses, Machine, Verification, TOLERANCE};

/// Look at the result of a job as the workers drawn for a dispute do.
///
/// Fetches the adapter, the base model and the job's files over IPFS, checks them against the chain, and
/// measures the losses that the worker posted: before training and with the adapter. Needs no key, and
/// sends nothing to the chain.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker verify 3 --model SmolLM2-135M-Instruct.Q4_1.gguf --peer /ip4/10.0.0.2/tcp/4001/p2p/12D3…
  trainer-worker verify 3 --output json

A loss is reproduced within 1 % of it, and 0.01 nats at least: on the CPU it is the same to the last \
digit, on a GPU it is not. The exit code is 0 whatever is found.")]
pub(crate) struct Args {
    /// The job's number.
    job: JobId,
    /// The node's WebSocket address.
    #[arg(long, env = "OPENLEDGER_NODE", default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// Blocks and identity of this machine's IPFS node; another one than a running worker's.
    #[arg(long, env = "OPENLEDGER_IPFS", value_name = "DIR")]
    ipfs_directory: Option<PathBuf>,
    /// IPFS peer to fetch from; may be repeated.
    #[arg(long, env = "OPENLEDGER_PEERS", value_name = "MULTIADDR", value_delimiter = ',')]
    peer: Vec<Multiaddr>,
    /// A base model on this disk, so that it need not be fetched; may be repeated.
    #[arg(long, value_name = "FILE")]
    model: Vec<PathBuf>,
    /// Most bytes of fetched base models to keep; the longest unused make room.
    #[arg(long, value_name = "BYTES", default_value_t = 50 << 30)]
    cache_bytes: u64,
    /// Fetched models.
    #[arg(long, value_name = "DIR")]
    work_directory: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints what is found.
pub(crate) fn run(args: Args) -> Result<()> {
    let (job, as_json) = (args.job, args.output.json());
    let found = super::run::on_runtime(look(args))?;
    if as_json {
        println!("{}", shown(job, &found));
        return Ok(());
    }
    println!("job {job}: {} ({})", found.finding.name(), found.finding.help());
    println!("{}", super::pipe::visible(&found.cause));
    let line = |what: &str, losses: Losses| {
        println!("{what}  {:.6} nats a token before, {:.6} after", losses.before, losses.after);
    };
    line("posted  ", found.posted);
    if let Some(measured) = found.measured {
        line("measured", measured);
    }
    Ok(())
}

fn shown(job: JobId, found: &Verification) -> Value {
    // What is no number has none in JSON either.
    let losses = |losses: Losses| json!({ "before": losses.before, "after": losses.after });
    json!({
        "job": job,
        "finding": found.finding.name(),
        "cause": found.cause,
        "posted": losses(found.posted),
        "measured": found.measured.map(losses),
        "tolerance": TOLERANCE,
    })
}

async fn look(args: Args) -> Result<Verification> {
    let data = data_directory();
    let arithmetic = args.device.arithmetic()?;
    arithmetic.device.open()?;
    let client = Client::connect(Settings::new(&args.node)).await?;
    let directory = args.ipfs_directory.unwrap_or_else(|| data.join("verify/ipfs"));
    let ipfs = IpfsNode::start(NodeConfig::new(directory).with_peers(args.peer)).await?;
    let machine = Machine {
        work_directory: args.work_directory.unwrap_or_else(|| data.join("worker/jobs")),
        models: args.model,
        cache_bytes: args.cache_bytes,
        arithmetic,
    };
    let found = verify(&client, &ipfs, &machine, args.job).await;
    ipfs.shutdown().await;
    Ok(found?)
}
