//! `openledger-review-simulation`: what honest and other reviewers of a drawn committee earn, and what they
//! let pass. Plays calls of files by the functions of `openledger_primitives::committee`, which are the
//! chain's own. `scripts/simulate-review` builds and runs it; `docs/committees.md` has its results.

mod play;
mod world;

use clap::Parser;
use openledger_primitives::{committee::Rules, OPEN};
use play::{play, Played};
use std::process::ExitCode;
use world::{Strategy, World};

/// Plays reviews by drawn committees and prints, as tables, what passes and what everybody earns.
#[derive(Parser)]
#[command(
    name = "openledger-review-simulation",
    version,
    about,
    after_help = "Examples:
  scripts/simulate-review
  scripts/simulate-review --calls 2000 --challenged 25
  scripts/simulate-review --check"
)]
struct Arguments {
    /// Calls of files played for each strategy and share of seats.
    #[arg(long, default_value_t = 10_000)]
    calls: u32,
    /// Percent of wrong verdicts that somebody challenges.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    challenged: u8,
    /// Percent of files that do not belong into the Datanet.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u8).range(0..=100))]
    bad: u8,
    /// Percent of files that an honest reviewer judges wrongly.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=100))]
    errors: u8,
    /// What a bad file brings to who gave it and passes it, in OPEN.
    #[arg(long, default_value_t = 10.0)]
    gain: f64,
    /// The same seed plays the same calls.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Exit code 1 unless every other strategy of up to a third of the seats earns less than honesty. What hiding an earlier
    /// file from all committees brings is not compared: its contributor has it whoever has seats.
    #[arg(long)]
    check: bool,
}

const SHARES: [u8; 3] = [10, 33, 45];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let rules = Rules::DEFAULT;
    println!("{}", captured(&rules));
    println!(
        "| strategy of the others | their seats | bad files that pass | good files that fail | an honest \
         member earns a file | another member earns a file | a bad file must bring, for it to pay |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut failed = false;
    for strategy in Strategy::ALL {
        // Where all are honest, whose seats are whose says nothing.
        let shares = if strategy == Strategy::Honest { &[0][..] } else { &SHARES[..] };
        for share in shares.iter().copied() {
            let world = World {
                share,
                strategy,
                calls: arguments.calls,
                challenged: arguments.challenged,
                bad: arguments.bad,
                errors: arguments.errors,
                seed: arguments.seed,
            };
            let played = play(&world, &rules);
            println!("{}", row(&world, &played, arguments.gain));
            let loses = strategy.needs_no_seats()
                || strategy == Strategy::Honest
                || played.others.each(arguments.gain) < played.honest.each(arguments.gain);
            failed |= share <= 33 && !loses;
        }
    }
    if arguments.check && failed {
        eprintln!("error: a strategy of up to a third of the seats earns as much as honesty");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// One line of the table.
fn row(world: &World, played: &Played, gain: f64) -> String {
    let percent =
        |(some, all): (u64, u64)| format!("{:.2} %", 100.0 * some as f64 / all.max(1) as f64);
    let others = if world.strategy == Strategy::Honest {
        String::from("–")
    } else {
        format!("{:.3} OPEN", played.others.each(gain))
    };
    let honest = played.honest.each(gain);
    let pays = if !world.strategy.gains() {
        String::from("–")
    } else if played.others.passed == 0 {
        String::from("none passed")
    } else {
        let short = honest * played.others.judged as f64 - played.others.earned;
        format!("{:.0} OPEN", (short / played.others.passed as f64).max(0.0))
    };
    format!(
        "| {} | {} % | {} | {} | {honest:.3} OPEN | {others} | {pays} |",
        world.strategy.name(),
        world.share,
        percent(played.bad),
        percent(played.good),
    )
}

/// The chance that more than half of a committee are of one will, by its share of the seats; and the same
/// where it also authors that share of the slots, and the seed is the best of those it can choose from.
fn captured(rules: &Rules) -> String {
    let mut table = String::from(
        "| seats of one will | a committee | a challenge's | a committee, where it has as many slots | a \
         challenge's |\n|---|---|---|---|---|\n",
    );
    for share in SHARES {
        let part = f64::from(share) / 100.0;
        let chance = |members: u8| at_least(members.into(), Rules::quorum(members.into()), part);
        let (small, large) = (chance(rules.size), chance(rules.challenge_size()));
        table += &format!("| {share} %");
        for (chance, members) in [(small, rules.size), (large, rules.challenge_size())] {
            table += &format!(" | {:.4} % of {members}", 100.0 * chance);
        }
        for chance in [small, large] {
            table += &format!(" | {:.4} %", 100.0 * best_of(chance, part));
        }
        table += " |\n";
    }
    table
}

/// A chance where whoever owns the last k slots of an epoch, and not the one before them, takes the best of
/// the 2^k seeds that come of publishing or withholding each of these blocks.
fn best_of(chance: f64, slots: f64) -> f64 {
    (0..60)
        .map(|k| {
            let owns = slots.powi(k) * (1.0 - slots);
            owns * (1.0 - (1.0 - chance).powf(2f64.powi(k)))
        })
        .sum()
}

/// The chance of at least `least` of `all` where each comes with chance `each`.
fn at_least(all: usize, least: usize, each: f64) -> f64 {
    (least..=all)
        .map(|k| {
            let ways: f64 = (0..k).map(|n| (all - n) as f64 / (n + 1) as f64).product();
            ways * each.powi(k as i32) * (1.0 - each).powi((all - k) as i32)
        })
        .sum()
}

/// Plancks as OPEN.
fn open(plancks: i128) -> f64 {
    plancks as f64 / OPEN as f64
}
