//! A Datanet that strangers judge. Chance draws a committee of five from their seats; what it accepts is
//! challenged, and fifteen others have the last word.
//!
//! Draws and the time to challenge take a minute or two, so they happen beside the rest of the story
//! ([`judges`]) and are looked at here when they are over.

mod judges;

use self::judges::Court;
pub(super) use self::judges::Judges;
use super::{contribute::digest, must, prepare::STRANGERS_START, Story};
use crate::{
    cli::{list, number, plancks, text, Actor},
    console::open,
    data::{self, CLEO},
    interrupt::{poll, sleep},
    report,
    sheet::{self, signed},
    Error, Result,
};
use openledger_primitives::{
    committee::{Rules, CHALLENGE_FACTOR, GLOBAL_POINTS_A_FILE},
    reward::points_for,
    Score, EXISTENTIAL_DEPOSIT, OPEN,
};
use serde_json::{json, Value};
use std::{sync::Arc, time::Duration};

/// The score of whatever can be read.
const SCORE: u8 = 80;
/// Least and most units, bytes of canonical text, of a file.
const UNITS: (u64, u64) = (200, 100_000);
/// What Mia pays in to have files reviewed, and to reward them.
const BUDGET: u128 = 10 * OPEN;
const FUNDING: u128 = 10 * OPEN;
const PER_PERIOD: u128 = 4 * OPEN;
/// How long draws and challenge may take from their beginning. Two draws of at most 60 seconds each, and what
/// members take: far more on a machine under load.
const LIMIT: Duration = Duration::from_secs(420);
/// How long a reward period may take to end.
const PERIOD: Duration = Duration::from_secs(90);
/// What the first OPEN of somebody new is called on the balance sheet.
pub(super) const FIRST_OPEN: &str = "given to strangers";
/// The account of all review budgets, on the balance sheet.
pub(super) const REVIEW_POT: &str = "review budgets";

impl Story {
    /// Everybody whom Charlie gives their first OPEN.
    pub(super) fn strangers(&self) -> impl Iterator<Item = &Actor> {
        [&self.people.cleo, &self.people.mia].into_iter().chain(&self.people.reviewers)
    }

    /// Gives every stranger OPEN, in one transaction.
    pub(super) fn pay_strangers(&self) -> Result<Value> {
        let amount = format!("{}OPEN", STRANGERS_START / OPEN);
        let mut command = vec!["account", "transfer", "--amount", &amount, "--wait", "in-block"];
        for stranger in self.strangers() {
            command.extend(["--to", stranger.key.as_str()]);
        }
        self.cli.run(&self.people.charlie, &command)
    }

    /// Every reviewer bonds a seat for texts, while Cleo registers as a contributor.
    pub(super) fn take_seats(&self) -> Result<()> {
        let bond = ["seat", "bond", "--modality", "text"];
        let register = ["contributor", "register"];
        let cli = &self.cli;
        let (cleo, reviewers) = (&self.people.cleo, &self.people.reviewers);
        let each = reviewers.iter().map(|reviewer| (reviewer, &bond[..]));
        let each: Vec<_> = each.chain([(cleo, &register[..])]).collect();
        judges::at_once(each, |(who, command)| cli.run(who, command).map(drop))
    }

    /// Mia's Datanet, which has no curators, and what it pays its reviewers from.
    pub(super) fn open_bread(&self) -> Result<u64> {
        let (least, most) = (UNITS.0.to_string(), UNITS.1.to_string());
        let create = ["datanet", "create", "--name", "Baking bread", "--modality", "text"];
        let units = ["--min-units", &least, "--max-units", &most, "--committee", "modality"];
        let created = self.cli.run(&self.people.mia, &[&create[..], &units[..]].concat())?;
        let datanet = number(&created, "/datanet")?;
        let (id, amount) = (datanet.to_string(), format!("{}OPEN", BUDGET / OPEN));
        self.cli.run(&self.people.mia, &["datanet", "budget", &id, "--fund", &amount])?;
        Ok(datanet)
    }

    /// Cleo submits, and everything else takes its course beside the story.
    pub(super) fn open_court(&mut self, datanet: u64) -> Result<()> {
        let directory = self.directory.join("disks").join("cleo");
        let files = CLEO
            .iter()
            .map(|(name, bytes)| data::write(&directory, name, bytes))
            .collect::<Result<_>>()?;
        self.pay("Mia", REVIEW_POT, "paid into the review budget", BUDGET);
        self.pay(
            "Mia",
            REVIEW_POT,
            "existential deposit, as the first to pay in",
            EXISTENTIAL_DEPOSIT,
        );
        self.pay("Mia", "reward pot", "paid into the pool for bread", FUNDING);
        self.console.line(format!(
            "Mia's Datanet {datanet} about bread has no curators: committees judge it, drawn from all seats for text"
        ));
        let people = &self.people;
        let reviewers = people.reviewers.iter();
        let reviewers = reviewers
            .map(|one| Ok((one.clone(), self.address(one.name)?)))
            .collect::<Result<_>>()?;
        self.judges = Some(Judges::start(Court {
            cli: Arc::clone(&self.cli),
            calm: Arc::clone(&self.calm),
            datanet,
            files,
            funding: [format!("{}OPEN", FUNDING / OPEN), format!("{}OPEN", PER_PERIOD / OPEN)],
            cleo: people.cleo.clone(),
            mia: people.mia.clone(),
            reviewers,
        }));
        Ok(())
    }

    /// Waits until both draws are over, and checks verdicts, points and what everybody got and lost.
    pub(super) fn verdicts(&mut self) -> Result<()> {
        let Some(judges) = self.judges.take() else { return Ok(()) };
        while !judges.is_over() {
            self.network.ensure_running()?;
            self.console.progress(judges.says());
            sleep(Duration::from_millis(300))?;
        }
        let done = judges.join()?;
        let rules = Rules::DEFAULT;
        let sizes = (done.members.len(), done.larger.len());
        let larger = usize::from(rules.size) * CHALLENGE_FACTOR as usize;
        let wanted = (usize::from(rules.size), larger);
        must(sizes == wanted, || format!("committees of {sizes:?} members: {done:?}"))?;
        must(
            !done.larger.iter().any(|who| done.members.contains(who) || *who == done.challenger),
            || format!("a judge of the first committee or the challenger judges again: {done:?}"),
        )?;

        let [(bread, bytes), (buses, off_topic)] = CLEO;
        let datanet = done.datanet.to_string();
        let accepted = self.shown(&datanet, bytes)?;
        let refused = self.shown(&datanet, off_topic)?;
        must(
            text(&accepted, "/state")? == "accepted"
                && number(&accepted, "/score")? == u64::from(SCORE),
            || format!("{bread} was not challenged, and is {accepted}"),
        )?;
        must(
            text(&refused, "/state")? == "refused" && text(&refused, "/reason")? == "off-topic",
            || format!("{buses} was refused by the larger committee, and is {refused}"),
        )?;
        let units = number(&accepted, "/units")?;
        let points = self.points(done.datanet, units)?;
        self.budget_and_seats(&datanet, &done, &rules)?;

        for name in &done.members {
            self.pay(REVIEW_POT, name, &format!("for judging {bread}"), rules.pay);
            self.pay(name, REVIEW_POT, &format!("for what it said of {buses}"), rules.overturned);
        }
        let lost = rules.overturned * u128::from(rules.size);
        let fees = rules.pay * larger as u128;
        self.pay(REVIEW_POT, done.challenger, &format!("for its challenge of {buses}"), lost / 2);
        for name in &done.larger {
            self.pay(REVIEW_POT, name, &format!("for judging {buses}"), rules.pay);
        }
        self.pay(REVIEW_POT, "treasury", "of overturned reviewers", lost / 2 - fees);

        self.console.line(format!(
            "draw {}: {} judged by `openledger review run`, which accepts what it can read",
            done.draw,
            done.members.join(", ")
        ));
        self.console.line(format!(
            "draw {}: {} challenged {buses} with a bond of {} OPEN; {} read it and refused it as off-topic",
            done.larger_draw,
            done.challenger,
            open(signed(rules.bond)),
            done.larger.join(", ")
        ));
        let rows = [
            [bread, "accepted, 80", "–", "accepted", &units.to_string(), &points.to_string()],
            [buses, "accepted, 80", "off-topic", "acceptance-overturned", "–", "0"],
        ];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let heads = ["file", "five say", "fifteen say", "outcome", "units", "Cleo's points"];
        self.console.table(&heads, &rows);
        self.console.line(format!(
            "the five: {} OPEN each for {bread}, and {} OPEN less in each one's seat for {buses}",
            open(signed(rules.pay)),
            open(signed(rules.overturned))
        ));
        self.console.line(format!(
            "of these {} OPEN {} to {}, {} to each of the fifteen, {} to the treasury",
            open(signed(lost)),
            open(signed(lost / 2)),
            done.challenger,
            open(signed(rules.pay)),
            open(signed(lost / 2 - fees))
        ));
        self.note_verdicts(&done, [&accepted, &refused])
    }

    fn shown(&self, datanet: &str, bytes: &[u8]) -> Result<Value> {
        let show = ["submission", "show", "--datanet", datanet];
        self.cli.run(&self.people.mia, &[&show[..], &[digest(bytes).as_str()]].concat())
    }

    /// Cleo's points: those of what was accepted, in the Datanet and over all of them. Nobody else has any over
    /// all Datanets, since curators' verdicts do not count there.
    fn points(&self, datanet: u64, units: u64) -> Result<u128> {
        let cleo = self.address("Cleo")?;
        let board = self.cli.run(&self.people.mia, &["leaderboard", &datanet.to_string()])?;
        let entries = list(&board, "/entries")?;
        must(entries.len() == 1, || format!("only Cleo has points: {board}"))?;
        must(text(&board, "/entries/0/account")? == cleo, || format!("Cleo leads: {board}"))?;
        let points = plancks(&board, "/entries/0/points")?;
        let exact = Score::new(SCORE).map(|score| points_for(score, units, UNITS.1));
        must(exact == Some(points), || {
            format!("{units} units and a score of {SCORE} are {points} points")
        })?;
        let counts = points.min(GLOBAL_POINTS_A_FILE);
        for (name, expected) in [("Cleo", counts), ("Ada", 0), ("Ben", 0)] {
            let account = sheet::account(&self.address(name)?)?;
            let argument = format!("0x{}", hex::encode(account));
            let answer = self
                .network
                .call("state_call", json!(["LeaderboardApi_global_points", argument]))?;
            let found = sheet::bytes(&answer).and_then(|bytes| sheet::amount(&bytes, 0));
            must(found == Some(expected), || {
                format!("{name} has {found:?} points over all Datanets, not {expected}")
            })?;
        }
        Ok(points)
    }

    fn budget_and_seats(&self, datanet: &str, done: &judges::Judged, rules: &Rules) -> Result<()> {
        let budget = self.cli.run(&self.people.mia, &["datanet", "budget", datanet])?;
        let part = |name: &str| plancks(&budget, &format!("/{name}"));
        let spent = rules.pay * u128::from(rules.size);
        let expected = (BUDGET, BUDGET - spent, 0, spent);
        let found = (part("paidIn")?, part("available")?, part("reserved")?, part("spent")?);
        must(found == expected, || format!("the review budget should be {expected:?}: {budget}"))?;
        for name in &done.members {
            let shown = self
                .cli
                .run(&self.people.mia, &["seat", "list", "--account", &self.address(name)?])?;
            let held: u128 = list(&shown, "/pools")?
                .iter()
                .map(|pool| plancks(pool, "/held"))
                .sum::<Result<_>>()?;
            let left = rules.seat - rules.overturned;
            must(held == left, || format!("{name}'s seat should hold {left} plancks: {shown}"))?;
        }
        Ok(())
    }

    fn note_verdicts(&mut self, done: &judges::Judged, shown: [&Value; 2]) -> Result<()> {
        let numbers = &done.submissions;
        for ((name, bytes), (number, shown)) in CLEO.iter().zip(numbers.iter().zip(shown)) {
            let state = text(shown, "/state")?;
            let accepted = state == "accepted";
            self.report.counts.submitted += 1;
            self.report.counts.accepted += usize::from(accepted);
            self.report.counts.rejected += usize::from(!accepted);
            self.report.files.push(report::File {
                name: (*name).to_owned(),
                contributor: "Cleo".to_owned(),
                submission: Some(*number),
                content: shown["content"].as_str().map(str::to_owned),
                sha256: digest(bytes),
                outcome: if accepted { "accepted" } else { "rejected" }.to_owned(),
                reason: shown["reason"].as_str().map(str::to_owned),
            });
        }
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        self.report.committee = Some(report::Committee {
            datanet: done.datanet,
            draw: done.draw,
            members: names(&done.members),
            challenger: done.challenger.to_owned(),
            larger_draw: done.larger_draw,
            larger_members: names(&done.larger),
        });
        Ok(())
    }

    /// Cleo claims for what the committee accepted.
    pub(super) fn claim_bread(&mut self) -> Result<()> {
        let Some(committee) = &self.report.committee else { return Ok(()) };
        let (id, datanet) = (committee.datanet, committee.datanet.to_string());
        let cleo = self.address("Cleo")?;
        let owed = poll(PERIOD, Duration::from_millis(300), || {
            let owed = self.network.call("openledger_claimable", json!([id, cleo]))?;
            Ok(Some(owed).filter(|owed| owed.as_str().is_some_and(|text| text != "0")))
        })?;
        must(owed.is_some(), || format!("Cleo can claim nothing in Datanet {id}"))?;
        let claim = ["rewards", "claim", "--datanet", &datanet];
        let amount = plancks(&self.cli.run(&self.people.cleo, &claim)?, "/amount")?;
        let show = ["rewards", "show", "--datanet", &datanet];
        let shown = self.cli.run(&self.people.mia, &show)?;
        let pool = |name: &str| plancks(&shown, &format!("/pool/{name}"));
        let (total, available) = (pool("totalIn")?, pool("available")?);
        let adds_up = pool("claimed")? == amount && pool("owed")? == 0;
        must(adds_up && amount + available == total, || {
            format!("Cleo claimed {amount}; the pool says {shown}")
        })?;
        let [(bread, _), _] = CLEO;
        self.pay("reward pot", "Cleo", &format!("rewards for {bread}"), amount);
        self.console.line(format!(
            "{bread} of Datanet {id}: Cleo {} OPEN; pool: {} paid in = {} claimed + {} available",
            open(signed(amount)),
            open(signed(total)),
            open(signed(amount)),
            open(signed(available))
        ));
        Ok(())
    }
}

fn out_of_time(said: &str, last: Option<Error>) -> Error {
    let what = format!("not over after {} s: {said}", LIMIT.as_secs());
    let next = match last {
        Some(error) => format!("the last thing that went wrong: {error}"),
        None => "look at `openledger review draws` and the commands' logs".to_owned(),
    };
    Error::failed("the committees", what, next)
}
