//! What `scripts/bench chain` measures: calls through a live node's pool and blocks, executed once more by the
//! node itself, beside transfers; whether blocks full of one call are done in time; what a million accepted files and a hundred thousand seats change, for a node that
//! starts again and one that comes new too; and how far finality is behind full blocks of four validators.

mod chain;
mod finality;
mod full;
mod growth;
mod live;
mod measure;
mod plant;
mod records;
mod report;
mod seats;
mod verdicts;

use chain::Chain;
use clap::Parser;
use live::Amounts;
use openledger_tests::{fresh, Error, Result};
use report::Line;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Measures calls on a live node beside transfers, and with many accepted files beside few.
#[derive(Parser)]
#[command(name = "openledger-chain-bench", version)]
struct Arguments {
    /// Write a list of {name, unit, ours, peer, peer_name, ratio}.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fewer calls and files: to see that it runs, not to quote.
    #[arg(long)]
    quick: bool,
    /// One part only.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Where the node is [default: beside this program].
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Calls beside transfers, and verdicts of committees beside a curator's.
    Calls,
    /// Blocks full of one call, for each of many.
    Blocks,
    /// Draws from many seats beside few.
    Draws,
    /// Many files beside few.
    Growth,
    /// How long a node with many files takes to restart.
    Restart,
    /// How long a new node takes to sync by warp with one that has many files.
    Warp,
    /// How far finality is behind the best block with four validators and full blocks.
    Finality,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let own = std::env::current_exe()
        .map_err(|cause| Error::file(std::path::Path::new("this program"), &cause))?;
    let node = arguments.node.clone().unwrap_or_else(|| own.with_file_name("openledger-node"));
    fresh::require(&node)?;
    let directory = tempfile::tempdir()
        .map_err(|cause| Error::file(std::path::Path::new("a temporary folder"), &cause))?;
    let (amounts, sizes) = if arguments.quick {
        let amounts = Amounts {
            single: 120,
            batched: 20,
            transfers: 300,
            accepted: 20,
            draws: 8,
            seats: [10, 1_000],
            full_accounts: 20,
            full_blocks: 5,
            rounds: 3,
        };
        (amounts, vec![1_000, 10_000])
    } else {
        let amounts = Amounts {
            single: 1_200,
            batched: 200,
            transfers: 1_800,
            accepted: 200,
            draws: 20,
            seats: [10, 100_000],
            full_accounts: 200,
            full_blocks: 30,
            rounds: 9,
        };
        (amounts, vec![1_000, 100_000, 1_000_000])
    };
    match all(arguments, &node, directory.path(), &amounts, &sizes) {
        Ok(lines) => print(arguments, &lines),
        Err(error) => {
            // Its errors name logs there.
            let _ = directory.keep();
            Err(error)
        }
    }
}

fn all(
    arguments: &Arguments,
    node: &Path,
    directory: &Path,
    amounts: &Amounts,
    sizes: &[u64],
) -> Result<Vec<Line>> {
    let (mut lines, mut grown) = (Vec::new(), None);
    let wanted = |part| arguments.only.is_none_or(|only| only == part);
    if wanted(Part::Calls) {
        let place = directory.join("live");
        std::fs::create_dir_all(&place).map_err(|cause| Error::file(&place, &cause))?;
        let chain = Chain::start(node, "dev", &place, Duration::from_secs(90))?;
        lines.extend(live::run(&chain, amounts)?);
        lines.extend(verdicts::run(&chain, amounts)?);
    }
    if wanted(Part::Blocks) {
        let place = directory.join("full");
        std::fs::create_dir_all(&place).map_err(|cause| Error::file(&place, &cause))?;
        let chain = Chain::start(node, "dev", &place, Duration::from_secs(90))?;
        lines.extend(full::run(&chain, amounts.full_accounts, amounts.rounds)?);
    }
    if wanted(Part::Draws) {
        lines.extend(seats::run(node, directory, &amounts.seats, amounts.rounds)?);
    }
    if wanted(Part::Growth) {
        let (more, chain) = growth::run(node, directory, sizes, amounts.rounds)?;
        lines.extend(more);
        grown = chain;
    }
    if wanted(Part::Restart) || wanted(Part::Warp) {
        let most = sizes.last().copied().unwrap_or_default();
        let mut chain = match grown {
            Some(chain) => chain,
            None => records::start(node, directory, most)?,
        };
        records::without_planted(&mut chain, directory)?;
        if wanted(Part::Restart) {
            lines.push(records::restart(&mut chain)?);
        }
        if wanted(Part::Warp) {
            lines.push(records::warp(chain)?);
        }
    }
    if wanted(Part::Finality) {
        lines.push(finality::run(node, directory, amounts.full_blocks)?);
    }
    Ok(lines)
}

fn print(arguments: &Arguments, lines: &[Line]) -> Result<()> {
    for line in lines {
        println!("{line}");
    }
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(lines)
            .map_err(|cause| Error::broken("the report", cause.to_string()))?;
        std::fs::write(path, text + "\n").map_err(|cause| Error::file(path, &cause))?;
    }
    Ok(())
}
