//! The same calls and reads with a thousand accepted files and with a million.

use crate::{
    chain::{Block, Chain},
    live::{endowed, file, submit, submits, user},
    measure::{self, Kind},
    plant::{self, DATANET, POINTS},
    report::Line,
};
use codec::{Decode, Encode};
use openledger_primitives::api::{BoardCursor, BoardEntry};
use openledger_runtime::{AccountId, RuntimeCall};
use openledger_tests::{Error, Result};
use std::{path::Path, time::Duration};

/// Contributors who submit their first file, and accounts that claim.
const CALLS: u32 = 200;
/// How long a chain may need to begin with a million files.
pub const PATIENCE: Duration = Duration::from_secs(1_200);
/// Entries of a page.
const PAGE: u32 = 100;
/// Submissions, claims and pages.
const MEASURED: usize = 3;
/// What the many files are measured beside.
const FEW: &str = "10^3 files";

/// A chain with many accepted files, and blocks of it.
struct Grown {
    files: u64,
    chain: Chain,
    submissions: Kind,
    claims: Kind,
    empty: Block,
}

fn is_claim(call: &RuntimeCall) -> bool {
    matches!(call, RuntimeCall::Leaderboard(pallet_leaderboard::Call::claim { .. }))
}

/// Measures on chains with so many files each, from few to many, in turns. The chain with the most goes on.
pub fn run(
    node: &Path,
    directory: &Path,
    sizes: &[u64],
    rounds: usize,
) -> Result<(Vec<Line>, Option<Chain>)> {
    let mut chains = Vec::new();
    for &files in sizes {
        let place = directory.join(files.to_string());
        std::fs::create_dir_all(&place).map_err(|cause| Error::file(&place, &cause))?;
        chains.push(grow(node, &place, files)?);
    }
    eprintln!("executing blocks once more, in turns");
    let taken = measure::in_turns(rounds, || {
        let mut taken = Vec::new();
        for Grown { files, chain, submissions, claims, empty } in &chains {
            taken.extend(measure::once(chain, empty, &[submissions, claims])?);
            taken.push(page(chain, empty, *files)?);
        }
        Ok(taken)
    })?;
    for (grown, taken) in chains.iter().zip(taken.chunks(MEASURED)) {
        let [submit, claim, page] = taken else { continue };
        let Grown { files, chain, submissions, claims, empty } = grown;
        println!(
            "{files} accepted files: submission {submit:.0} µs and {:.1} reads of storage, claim {claim:.0} µs and \
             {:.1} reads, page of the board {page:.0} µs",
            submissions.reads(chain, empty)?,
            claims.reads(chain, empty)?,
        );
    }
    let (Some(few), Some(many)) = (taken.first_chunk(), taken.last_chunk()) else {
        return Ok((Vec::new(), None));
    };
    let [[few_submit, few_claim, few_page], [submit, claim, page]]: [&[f64; MEASURED]; 2] =
        [few, many];
    let lines = vec![
        Line::beside("growth_submit", "µs", *submit, *few_submit, FEW),
        Line::beside("growth_claim", "µs", *claim, *few_claim, FEW),
        Line::beside("growth_page", "µs", *page, *few_page, FEW),
    ];
    Ok((lines, chains.pop().map(|grown| grown.chain)))
}

/// Plants a chain and has it make the blocks.
fn grow(node: &Path, directory: &Path, files: u64) -> Result<Grown> {
    plant::ensure_payable(files)?;
    eprintln!("planting {files} accepted files");
    let newcomers: Vec<_> = (0..CALLS).map(|number| user("newcomer", number)).collect();
    let spec = plant::write(node, directory, files, &newcomers)?;
    eprintln!("starting a chain with them");
    let chain = Chain::start(node, &spec.display().to_string(), directory, PATIENCE)?;

    let batches = (0..)
        .zip(&newcomers)
        .map(|(number, key)| Ok((key, vec![submit(DATANET, vec![file("newcomer", number, 0)])?])))
        .collect::<Result<_>>()?;
    let first = chain.send(batches)?;
    let submissions = Kind::find(&chain, "submissions", first + 1, |call| submits(call, 1))?;

    plant::wait_for_rate(&chain)?;
    let rich = endowed();
    let claim = |number: u64| -> RuntimeCall {
        let account = plant::contributor(number);
        pallet_leaderboard::Call::claim { datanet: DATANET, account }.into()
    };
    // The first claim of a period turns the pool.
    let (Some(one), step) = (rich.first(), (files / u64::from(CALLS + 1)).max(1)) else {
        return Err(Error::broken("the bench", "nobody is endowed"));
    };
    chain.send(vec![(one, vec![claim(0)])])?;
    let calls = (1..=u64::from(CALLS)).map(|number| claim((number * step) % files)).collect();
    let first = chain.send(vec![(one, calls)])?;
    let claims = Kind::find(&chain, "claims", first + 1, is_claim)?;
    submissions.ensure_success(&chain)?;
    claims.ensure_success(&chain)?;

    let best = chain.block()?;
    chain.wait_for(best + 1)?;
    let empty = chain.read(best + 1)?;
    Ok(Grown { files, chain, submissions, claims, empty })
}

/// How long a page takes from the middle of the board beyond the shortest call of the runtime.
fn page(chain: &Chain, block: &Block, files: u64) -> Result<f64> {
    let cursor = BoardCursor { points: POINTS, sequence: files / 2 };
    let arguments = (DATANET, Some(cursor), PAGE).encode();
    let (_, nothing) = chain.runtime_api("Core_version", &[], block.hash)?;
    let (answer, time) = chain.runtime_api("LeaderboardApi_leaderboard", &arguments, block.hash)?;
    let entries = Vec::<BoardEntry<AccountId>>::decode(&mut answer.as_slice())
        .map_err(|cause| Error::broken("the node", format!("no board: {cause}")))?;
    if entries.len() != PAGE as usize {
        return Err(Error::broken("the node", format!("a page of {} entries", entries.len())));
    }
    Ok(time.saturating_sub(nothing).as_secs_f64() * 1e6)
}
