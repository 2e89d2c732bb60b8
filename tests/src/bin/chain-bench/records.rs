//! What many accepted files cost a node that starts again, and one that comes new.

use crate::{
    chain::{Chain, Program},
    growth::PATIENCE,
    plant,
    report::Line,
};
use openledger_tests::{interrupt::poll, network::free_port, Error, Result};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// Restarts, of whose times the middle one counts.
const RESTARTS: usize = 3;
/// Nodes beside the first that a new one asks: warp sync begins with three.
const OTHERS: usize = 2;
/// What is final before a new node comes, so that it does not begin with the first blocks.
const BEGUN: u64 = 5;
/// How often a new node is asked how far it is.
const EVERY: Duration = Duration::from_millis(100);

/// Starts a chain with so many accepted files.
pub fn start(node: &Path, directory: &Path, files: u64) -> Result<Chain> {
    let place = directory.join("records");
    fs::create_dir_all(&place).map_err(|cause| Error::file(&place, &cause))?;
    eprintln!("planting {files} accepted files");
    let spec = plant::write(node, &place, files, &[])?;
    eprintln!("starting a chain with them");
    Chain::start(node, &spec.display().to_string(), &place, PATIENCE)
}

/// Has a chain with planted files started again as one on which they were accepted one by one is: from its database.
pub fn without_planted(chain: &mut Chain, directory: &Path) -> Result<()> {
    let place = directory.join("without");
    fs::create_dir_all(&place).map_err(|cause| Error::file(&place, &cause))?;
    let spec = plant::write(&chain.program().node, &place, 0, &[])?;
    chain.knows(&spec);
    // A large genesis is written behind what comes after it: one stopped right after its first block was once lost whole.
    chain.wait_for_final(3)?;
    chain.stop();
    chain.start_again()
}

/// How long a killed node takes until it answers with all that was final.
pub fn restart(chain: &mut Chain) -> Result<Line> {
    eprintln!("killing the node, {RESTARTS} times");
    chain.wait_for_final(1)?;
    let mut taken =
        (0..RESTARTS).map(|_| Ok(chain.restart()?.as_secs_f64())).collect::<Result<Vec<_>>>()?;
    taken.sort_by(f64::total_cmp);
    Ok(Line::alone("restart_seconds", "s", taken.get(RESTARTS / 2).copied().unwrap_or_default()))
}

/// How long a new node takes from its first answer, when it has made the genesis, until it has the newest final
/// state, which it fetches from three others on this machine.
pub fn warp(mut first: Chain) -> Result<Line> {
    eprintln!("copying the node, twice");
    first.wait_for_final(2)?;
    first.stop();
    let Program { node, spec, known, directory, .. } = first.program().clone();
    let known = known.unwrap_or_else(|| spec.clone());
    let places: Vec<_> =
        (0..OTHERS).map(|number| directory.join(format!("other-{number}"))).collect();
    for place in &places {
        copy(&directory.join("node"), &place.join("node"))?;
    }
    first.start_again()?;
    let mut doors = vec![first.address()?];
    let program = |place: &Path, spec: &str, more: &[&str], doors: &[String]| -> Result<Program> {
        let mut arguments: Vec<String> =
            more.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push("--unsafe-force-node-key-generation".into());
        arguments.push("--bootnodes".into());
        arguments.extend_from_slice(doors);
        Ok(Program {
            node: node.clone(),
            spec: spec.to_owned(),
            known: None,
            directory: place.to_owned(),
            arguments,
            port: free_port()?,
        })
    };
    let mut others = Vec::new();
    for place in &places {
        // What the first one's database was made with.
        let program = program(place, &known, &["--state-pruning=archive"], &doors[..1])?;
        others.push(Chain::follow(program, PATIENCE)?);
    }
    for other in &others {
        doors.push(other.address()?);
    }
    let goal = first.finalised()?.max(BEGUN);
    first.wait_for_final(goal)?;
    for other in &others {
        other.wait_for_final(goal)?;
    }

    eprintln!("starting a new node");
    let place = directory.join("new");
    fs::create_dir_all(&place).map_err(|cause| Error::file(&place, &cause))?;
    let new = Chain::follow(program(&place, &spec, &["--sync", "warp"], &doors)?, PATIENCE)?;
    let begin = Instant::now();
    let reached = poll(PATIENCE, EVERY, || {
        Ok((new.finalised()? >= goal && new.logged("Warp sync is complete")?).then_some(()))
    })?;
    let taken = begin.elapsed();
    if reached.is_none() {
        return Err(Error::broken("the new node", format!("block {goal} is not there in time")));
    }
    Ok(Line::alone("warp_sync_seconds", "s", taken.as_secs_f64()))
}

/// Copies a node's folder but for what makes it known to others.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|cause| Error::file(to, &cause))?;
    for entry in fs::read_dir(from).map_err(|cause| Error::file(from, &cause))? {
        let entry = entry.map_err(|cause| Error::file(from, &cause))?;
        let (path, name) = (entry.path(), entry.file_name());
        if name == "network" || name == "keystore" || name == "lock" {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(|cause| Error::file(&path, &cause))?;
        }
    }
    Ok(())
}
