//! How far finality is behind the best block while four validators on this machine make full blocks.

use crate::{
    chain::{Chain, Program},
    report::Line,
};
use openledger_runtime::{AccountId, RuntimeCall};
use openledger_tests::{interrupt::poll, network::free_port, Error, Result};
use sp_core::{sr25519, Pair};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const VALIDATORS: [&str; 4] = ["one", "two", "three", "four"];
/// How long a node may take until it answers.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a block may be waited for.
const BLOCK: Duration = Duration::from_secs(60);
/// How often the node is asked how far it is.
const EVERY: Duration = Duration::from_millis(50);
/// Blocks without load that are looked at beside.
const IDLE: u64 = 10;
/// Transfers that fill a block, and some more.
const A_BLOCK: usize = 400;
/// Blocks for which transfers wait: a pool looks at all that wait with each block, and four do so on this machine.
const AHEAD: usize = 3;
/// Least transfers of a block that counts as full: three quarters of what was seen to fit.
const FULL: usize = 225;

/// Founds a network, fills so many blocks with transfers, and compares the blocks between best and final with those of
/// a network that has nothing to do.
pub fn run(node: &Path, directory: &Path, blocks: u64) -> Result<Line> {
    eprintln!("founding a network of four validators");
    let network = found(node, directory)?;
    let mut chains: Vec<Chain> = Vec::new();
    let port = free_port()?;
    for (place, name) in VALIDATORS.into_iter().enumerate() {
        let mut arguments = vec!["--validator".to_owned()];
        if let Some(first) = chains.first() {
            arguments.extend(["--bootnodes".into(), first.address()?]);
        }
        let folder = network.join("nodes").join(name);
        fs::create_dir_all(&folder).map_err(|cause| Error::file(&folder, &cause))?;
        let (from, to) = (network.join(name), folder.join("node"));
        fs::rename(&from, &to).map_err(|cause| Error::file(&from, &cause))?;
        let program = Program {
            node: node.to_owned(),
            spec: network.join("spec.json").display().to_string(),
            known: None,
            directory: folder,
            arguments,
            port: if place == 0 { port } else { free_port()? },
        };
        chains.push(Chain::follow(program, PATIENCE)?);
    }
    let Some(first) = chains.first() else {
        return Err(Error::broken("the bench", "a network without validators"));
    };
    for chain in &chains {
        chain.wait_for_final(2)?;
    }

    eprintln!("looking at blocks without load");
    let idle = lags(first, IDLE, |_| Ok(true))?;
    eprintln!("filling {blocks} blocks");
    let keys = VALIDATORS.iter().map(|name| key(&network, name)).collect::<Result<Vec<_>>>()?;
    // Counted here: of what a fork brings back into the pool the node knows no nonce for a while.
    let mut nonces = keys.iter().map(|key| first.nonce(key)).collect::<Result<Vec<_>>>()?;
    let mut more = |blocks: usize| {
        let batches = keys.iter().zip(&nonces).zip(keys.iter().cycle().skip(1));
        let batches = batches.map(|((from, nonce), to)| {
            let dest = AccountId::from(to.public()).into();
            let call =
                RuntimeCall::from(pallet_balances::Call::transfer_keep_alive { dest, value: 1 });
            (from, *nonce, vec![call; blocks * A_BLOCK / VALIDATORS.len()])
        });
        let sent = first.submit_from(batches.collect())?;
        nonces = sent.into_iter().map(|(_, next)| next).collect();
        Ok(())
    };
    more(AHEAD)?;
    let full = |number| {
        more(1)?;
        Ok(first.read(number)?.calls.len() >= FULL)
    };
    let loaded = lags(first, blocks, full)?;
    Ok(Line::beside("finality_lag_blocks", "blocks", loaded, idle, "without load"))
}

/// Blocks between best and final, on average over the moments in which a block that counts came.
fn lags(chain: &Chain, blocks: u64, mut counts: impl FnMut(u64) -> Result<bool>) -> Result<f64> {
    let mut last = chain.block()?;
    let (mut sum, mut seen) = (0, 0);
    // Some are not full: the first, and those while the pool is being filled.
    for _ in 0..blocks * 4 {
        let next = poll(BLOCK, EVERY, || Ok(Some(chain.block()?).filter(|best| *best > last)))?;
        let Some(best) = next else {
            return Err(Error::broken("the network", format!("no block after {last}")));
        };
        let lag = best.saturating_sub(chain.finalised()?);
        last = best;
        if counts(best)? {
            sum += lag;
            seen += 1;
        }
        if seen == blocks {
            return Ok(sum as f64 / seen as f64);
        }
    }
    Err(Error::broken("the network", format!("{seen} of {blocks} blocks were full")))
}

/// Has a network founded as `docs/network.md` says.
fn found(node: &Path, directory: &Path) -> Result<PathBuf> {
    let network = directory.join("network");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/found");
    let mut command = Command::new(&script);
    command.arg(&network).args(["--validators", "4", "--name", "Bench", "--node"]).arg(node);
    let done = command.output().map_err(|cause| Error::file(&script, &cause))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(Error::broken("deploy/found", said));
    }
    Ok(network)
}

/// A validator's account.
fn key(network: &Path, name: &str) -> Result<sr25519::Pair> {
    let path = network.join("phrases").join(name);
    let phrase = fs::read_to_string(&path).map_err(|cause| Error::file(&path, &cause))?;
    sr25519::Pair::from_string(phrase.trim(), None)
        .map_err(|cause| Error::broken("deploy/found", format!("no phrase: {cause:?}")))
}
