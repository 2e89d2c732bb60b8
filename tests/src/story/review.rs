//! Verdicts, the leaderboard, and a rejection that moves nothing on it. Meanwhile the worker comes
//! up and the base model answers.

use super::{both, contribute::digest, must, Story};
use crate::{
    cli::{list, number, plancks, text, Actor, Cli},
    data::{Opinion, Sample, ADA, BEN},
    network::WorkerOptions,
    report::Rank,
    Error, Result,
};
use serde_json::Value;

/// What the worker asks for a token: 10 OPEN for a million.
pub(super) const PRICE_PER_TOKEN: u128 = 10_000_000_000_000;

/// A pending submission and what a curator thinks of it.
struct Pending {
    sha256: String,
    sample: Sample,
}

impl Story {
    /// Both curators vote on every file; then the leaderboard before and after the rejection.
    pub(super) fn review(&mut self) -> Result<()> {
        self.bring_up_worker()?;
        let pending = self.pending()?;
        let people = self.people.clone();
        let datanet = self.datanet.to_string();
        let cli = &self.cli;
        let vote = |actor: &Actor, opinion: fn(u8, u8) -> u8| {
            let accepted =
                |pending: &&Pending| matches!(pending.sample.opinion, Opinion::Accept(..));
            let mut voted = Vec::new();
            for pending in pending.iter().filter(accepted) {
                if let Opinion::Accept(one, other) = pending.sample.opinion {
                    let score = opinion(one, other);
                    voted.push((pending, score, accept(cli, actor, &datanet, pending, score)?));
                }
            }
            Ok(voted)
        };
        let (base_answers, (by_charlie, by_dave)) = both(
            || self.ask_base(),
            || {
                both(
                    || vote(&people.charlie, |one, _| one),
                    || vote(&people.dave, |_, other| other),
                )
            },
        )?;

        let mut rows = Vec::new();
        for ((pending, one, first), (_, other, second)) in by_charlie.iter().zip(&by_dave) {
            let settled = [first, second].iter().any(|vote| vote["settled"] == Value::Bool(true));
            must(settled, || format!("two of two votes did not settle {}", pending.sample.name))?;
            rows.push(vec![
                pending.sample.name.to_owned(),
                format!("accepted, {one} and {other}"),
                one.min(other).to_string(),
                number(first, "/units")?.to_string(),
                text(first, "/textRoot")?.chars().take(16).collect(),
            ]);
        }
        let accepted: Vec<&'static str> =
            by_charlie.iter().map(|(pending, ..)| pending.sample.name).collect();
        self.base_answers = base_answers;
        self.console.table(&["file", "curators say", "score", "units", "text root"], &rows);
        for name in accepted {
            self.settle(name, "accepted", None);
            self.report.counts.accepted += 1;
        }

        let before = self.leaderboard()?;
        let rejected: Vec<&Pending> =
            pending.iter().filter(|one| one.sample.opinion == Opinion::OffTopic).collect();
        for pending in rejected {
            let cli = &self.cli;
            let reject = |actor: &Actor| {
                let file = ["review", "reject", "--datanet", &datanet, "--sha256", &pending.sha256];
                cli.run(actor, &[&file[..], &["--reason", "off-topic"]].concat())
            };
            let (one, other) = both(|| reject(&people.charlie), || reject(&people.dave))?;
            must([one, other].iter().any(|vote| vote["settled"] == Value::Bool(true)), || {
                format!("two of two votes did not settle {}", pending.sample.name)
            })?;
            self.settle(pending.sample.name, "rejected", Some("off-topic"));
            self.report.counts.rejected += 1;
            self.console.line(format!("{}: rejected as off-topic by both", pending.sample.name));
        }
        let after = self.leaderboard()?;
        must(before == after, || {
            format!("the rejection changed the leaderboard from {before:?} to {after:?}")
        })?;
        self.show_leaderboard(&after)
    }

    fn bring_up_worker(&mut self) -> Result<()> {
        let mut peers = Vec::new();
        for name in ["ada", "ben", "charlie", "dave", "eve"] {
            peers.extend(self.network.daemon(name)?.addresses.clone());
        }
        self.network.start_worker(WorkerOptions {
            key: self.people.ferdie.key.clone(),
            models: vec![self.model.clone()],
            price: PRICE_PER_TOKEN,
            peers,
        })
    }

    /// What the chain says is waiting, matched with the files by their hash.
    fn pending(&self) -> Result<Vec<Pending>> {
        let datanet = self.datanet.to_string();
        let listed =
            self.cli.run(&self.people.charlie, &["review", "list", "--datanet", &datanet])?;
        let pending = list(&listed, "/pending")?;
        must(pending.len() == ADA.len() + BEN.len(), || {
            format!("{} files wait for a verdict: {listed}", ADA.len() + BEN.len())
        })?;
        pending
            .iter()
            .map(|submission| {
                let sha256 = text(submission, "/sha256")?;
                let sample = ADA.iter().chain(&BEN).find(|sample| digest(sample.bytes) == sha256);
                let sample = *sample.ok_or_else(|| {
                    Error::broken("the story", format!("nobody submitted {submission}"))
                })?;
                Ok(Pending { sha256, sample })
            })
            .collect()
    }

    fn settle(&mut self, name: &str, outcome: &str, reason: Option<&str>) {
        for file in self.report.files.iter_mut().filter(|file| file.name == name) {
            file.outcome = outcome.to_owned();
            file.reason = reason.map(str::to_owned);
        }
    }

    fn leaderboard(&self) -> Result<Vec<Rank>> {
        let board = self.cli.run(&self.people.bob, &["leaderboard", &self.datanet.to_string()])?;
        list(&board, "/entries")?
            .iter()
            .map(|entry| {
                Ok(Rank {
                    rank: number(entry, "/rank")?,
                    account: text(entry, "/account")?,
                    points: plancks(entry, "/points")?.to_string(),
                })
            })
            .collect()
    }

    fn show_leaderboard(&mut self, board: &[Rank]) -> Result<()> {
        let rows: Vec<Vec<String>> = board
            .iter()
            .map(|rank| {
                vec![rank.rank.to_string(), self.name_of(&rank.account), rank.points.clone()]
            })
            .collect();
        self.console.line("The rejection moved neither rank nor points. Leaderboard:");
        self.console.table(&["rank", "who", "points"], &rows);
        let both = board.len() == 2;
        must(both, || format!("both contributors should be on the leaderboard: {board:?}"))?;
        self.report.leaderboard = board.to_vec();
        Ok(())
    }

    /// The base model's answers; empty if nothing is asked.
    fn ask_base(&self) -> Result<Vec<String>> {
        if !self.options.ask {
            return Ok(Vec::new());
        }
        crate::data::questions()?.iter().map(|one| self.ask(&one.question, None)).collect()
    }
}

fn accept(cli: &Cli, actor: &Actor, datanet: &str, pending: &Pending, score: u8) -> Result<Value> {
    let score = score.to_string();
    let file = ["review", "accept", "--datanet", datanet, "--sha256", &pending.sha256];
    let vote = cli.run(actor, &[&file[..], &["--score", &score]].concat())?;
    // The files are canonical text already, so that units are their bytes.
    let units = number(&vote, "/units")?;
    must(units == pending.sample.bytes.len() as u64, || {
        format!(
            "{} has {} bytes, measured as {units}",
            pending.sample.name,
            pending.sample.bytes.len()
        )
    })?;
    Ok(vote)
}
