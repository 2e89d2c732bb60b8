//! A draw from ten seats and from many.

use crate::{
    chain::{Block, Chain},
    live::{file, submit, user},
    measure::{self, Kind},
    plant::{self, DATANET},
    report::Line,
    verdicts,
};
use openledger_tests::{Error, Result};
use std::{path::Path, time::Duration};

/// Calls that wait for a draw: a block makes four.
const DRAWS: u32 = 40;
/// How long a chain may need to begin with many seats.
const PATIENCE: Duration = Duration::from_secs(300);
/// What many seats are measured beside.
const FEW: &str = "10 seats";

/// A chain with so many seats, and blocks in which committees were drawn.
struct Drawn {
    chain: Chain,
    draws: Kind,
    empty: Block,
}

/// Measures on a chain with few and on one with many seats, in turns.
pub fn run(node: &Path, directory: &Path, sizes: &[u32; 2], rounds: usize) -> Result<Vec<Line>> {
    let mut chains = Vec::new();
    for &seats in sizes {
        let place = directory.join(format!("seats-{seats}"));
        std::fs::create_dir_all(&place).map_err(|cause| Error::file(&place, &cause))?;
        chains.push(draw(node, &place, seats)?);
    }
    eprintln!("executing blocks once more, in turns");
    let taken = measure::in_turns(rounds, || {
        let mut taken = Vec::new();
        for Drawn { chain, draws, empty } in &chains {
            taken.extend(measure::once(chain, empty, &[draws])?);
        }
        Ok(taken)
    })?;
    for ((seats, Drawn { chain, draws, empty }), time) in sizes.iter().zip(&chains).zip(&taken) {
        println!(
            "{seats} seats: a draw {time:.0} µs and {:.1} reads of storage",
            draws.reads(chain, empty)?
        );
    }
    let [few, many] = taken.as_slice() else {
        return Err(Error::broken("the bench", "a measurement is missing"));
    };
    Ok(vec![Line::beside("growth_draw", "µs", *many, *few, FEW)])
}

/// Plants a chain, and has it draw.
fn draw(node: &Path, directory: &Path, seats: u32) -> Result<Drawn> {
    eprintln!("starting a chain with {seats} seats");
    let newcomers: Vec<_> = (0..DRAWS).map(|number| user("newcomer", number)).collect();
    let spec = plant::write_seats(node, directory, seats, &newcomers)?;
    let chain = Chain::start(node, &spec.display().to_string(), directory, PATIENCE)?;
    let batches = (0..)
        .zip(&newcomers)
        .map(|(number, key)| Ok((key, vec![submit(DATANET, vec![file("newcomer", number, 0)])?])))
        .collect::<Result<_>>()?;
    let first = chain.send(batches)?;
    verdicts::wait_until_drawn(&chain, DRAWS as usize)?;
    let draws = Kind::steps(&chain, "draws", first + 1, verdicts::is_drawn)?;
    let empty = verdicts::empty(&chain)?;
    Ok(Drawn { chain, draws, empty })
}
