//! A picture and a melody, each in a Datanet of its own: from the contributor's disk to points, and at
//! the end of the story to a claim.

use super::{both, contribute::digest, must, submit, Story};
use crate::{
    cli::{list, number, plancks, text, Actor, Cli},
    console::open,
    data::{self, Sample, MELODY, PICTURE_OF_HILLS},
    interrupt::poll,
    report,
    sheet::signed,
    Result,
};
use openledger_primitives::{reward::points_for, Score, OPEN};
use serde_json::{json, Value};
use std::time::Duration;

/// What is paid into each pool, and what it releases in a period.
const FUNDING: u128 = 10 * OPEN;
const PER_PERIOD: u128 = 4 * OPEN;
/// How long a reward period may take to end.
const PERIOD: Duration = Duration::from_secs(90);

/// One Datanet of this part.
#[derive(Clone, Debug)]
pub(super) struct MediaNet {
    datanet: String,
    modality: &'static str,
    unit: &'static str,
    /// Least and most units of a file.
    units: (u64, u64),
    owner: Actor,
    contributor: Actor,
    sample: Sample,
}

/// What both curators measured and made of it.
struct Accepted {
    score: u64,
    units: u64,
    points: u128,
    left_out: String,
    isolation: String,
}

impl Story {
    /// Two Datanets, two files, four votes, two pools.
    pub(super) fn media(&mut self) -> Result<()> {
        let people = self.people.clone();
        let image = MediaNet {
            datanet: String::new(),
            modality: "image",
            unit: "pixels",
            units: (1_000, 4_000_000),
            owner: people.bob.clone(),
            contributor: people.ada.clone(),
            sample: PICTURE_OF_HILLS,
        };
        let sound = MediaNet {
            datanet: String::new(),
            modality: "audio",
            unit: "milliseconds",
            units: (500, 600_000),
            owner: people.eve.clone(),
            contributor: people.ben.clone(),
            sample: MELODY,
        };
        // One after the other, so that every run gives them the same numbers. Each has an owner of its
        // own, so that the rest goes the same way at the same time.
        let (image, sound) = (self.open_net(image)?, self.open_net(sound)?);
        let (from_ada, from_ben) = both(|| self.send(&image), || self.send(&sound))?;
        for (net, sent) in [(&image, &from_ada), (&sound, &from_ben)] {
            must(plancks(sent, "/fee")? == 0, || format!("a submission cost a fee: {sent}"))?;
            let owner = net.owner.name;
            let what = format!("paid into the {} pool", net.modality);
            self.pay(owner, "reward pot", &what, FUNDING);
            self.note_sample(net, sent)?;
        }
        let cli = &self.cli;
        let vote = |actor: &Actor| -> Result<(Value, Value)> {
            Ok((accept(cli, actor, &image)?, accept(cli, actor, &sound)?))
        };
        let (by_charlie, by_dave) = both(|| vote(&people.charlie), || vote(&people.dave))?;
        let mut rows = Vec::new();
        for (net, one, other) in
            [(&image, by_charlie.0, by_dave.0), (&sound, by_charlie.1, by_dave.1)]
        {
            let accepted = self.settled(net, &one, &other)?;
            rows.push(vec![
                net.datanet.clone(),
                net.sample.name.to_owned(),
                net.contributor.name.to_owned(),
                accepted.score.to_string(),
                format!("{} {}", accepted.units, net.unit),
                accepted.left_out,
                accepted.points.to_string(),
            ]);
            self.report.counts.accepted += 1;
            self.console.line(format!(
                "{}: decoded by each curator in a process of its own, off the network by {}",
                net.sample.name, accepted.isolation
            ));
        }
        let head = ["Datanet", "file", "from", "score", "units", "not counted", "points"];
        self.console.table(&head, &rows);
        self.media = vec![image, sound];
        Ok(())
    }

    fn open_net(&self, net: MediaNet) -> Result<MediaNet> {
        let (charlie, dave) = (self.address("Charlie")?, self.address("Dave")?);
        let name = format!("Free {}s", net.modality);
        let (least, most) = (net.units.0.to_string(), net.units.1.to_string());
        let create = ["datanet", "create", "--name", &name, "--modality", net.modality];
        let units = ["--min-units", &least, "--max-units", &most];
        let curators = ["--curator", &charlie, "--curator", &dave, "--threshold", "2"];
        let created =
            self.cli.run(&net.owner, &[&create[..], &units[..], &curators[..]].concat())?;
        Ok(MediaNet { datanet: number(&created, "/datanet")?.to_string(), ..net })
    }

    /// The contributor submits while the owner pays into the pool.
    fn send(&self, net: &MediaNet) -> Result<Value> {
        let name = net.contributor.name.to_lowercase();
        let directory = self.directory.join("disks").join(name);
        let files = [data::write(&directory, net.sample.name, net.sample.bytes)?];
        let (amount, budget) =
            (format!("{}OPEN", FUNDING / OPEN), format!("{}OPEN", PER_PERIOD / OPEN));
        let fund = ["rewards", "fund", "--datanet", &net.datanet, "--amount", &amount];
        let terms = ["--per-period", &budget, "--max-per-point", "100000000000000"];
        let set = ["rewards", "terms", "--datanet", &net.datanet];
        let (sent, _) = both(
            || self.cli.run(&net.contributor, &submit(&net.datanet, &files)),
            || {
                self.cli.run(&net.owner, &[&set[..], &terms[..]].concat())?;
                self.cli.run(&net.owner, &[&fund[..], &terms[..]].concat())
            },
        )?;
        Ok(sent)
    }

    fn note_sample(&mut self, net: &MediaNet, sent: &Value) -> Result<()> {
        let one = list(sent, "/submissions")?.first().cloned().unwrap_or_default();
        let sha256 = text(&one, "/sha256")?;
        must(sha256 == digest(net.sample.bytes), || {
            format!("{} was submitted as {sha256}", net.sample.name)
        })?;
        self.report.counts.submitted += 1;
        self.report.files.push(report::File {
            name: net.sample.name.to_owned(),
            contributor: net.contributor.name.to_owned(),
            submission: Some(number(&one, "/submission")?),
            content: Some(text(&one, "/content")?),
            sha256,
            outcome: "accepted".to_owned(),
            reason: None,
        });
        Ok(())
    }

    /// Checks that both curators measured the same and that the points are score times units.
    fn settled(&self, net: &MediaNet, one: &Value, other: &Value) -> Result<Accepted> {
        let name = net.sample.name;
        must([one, other].iter().any(|vote| vote["settled"] == Value::Bool(true)), || {
            format!("two of two votes did not settle {name}")
        })?;
        let (units, again) = (number(one, "/units")?, number(other, "/units")?);
        must(units == again && units > 0, || {
            format!("the curators measured {name} as {units} and {again} {}", net.unit)
        })?;
        let zero = "0".repeat(64);
        must(text(one, "/textRoot")? == zero, || format!("{name} has a text root: {one}"))?;
        let score = number(one, "/score")?.min(number(other, "/score")?);
        let shown = self.cli.run(&net.owner, &["leaderboard", &net.datanet])?;
        let entry = list(&shown, "/entries")?.first().cloned().unwrap_or_default();
        let points = plancks(&entry, "/points")?;
        let exact = u8::try_from(score)
            .ok()
            .and_then(Score::new)
            .map(|score| points_for(score, units, net.units.1));
        must(exact == Some(points), || {
            format!("{name} with {units} {} and score {score} earned {points} points", net.unit)
        })?;
        let contributor = self.address(net.contributor.name)?;
        must(text(&entry, "/account")? == contributor, || format!("{name} ranks {entry}"))?;
        let left_out = match one["leftOut"].as_array().map(Vec::as_slice) {
            None | Some([]) => "nothing".to_owned(),
            Some(reasons) => reasons
                .iter()
                .map(|reason| {
                    Ok(format!("{} {}", number(reason, "/units")?, text(reason, "/text")?))
                })
                .collect::<Result<Vec<_>>>()?
                .join(", "),
        };
        Ok(Accepted { score, units, points, left_out, isolation: text(one, "/isolation")? })
    }

    /// Ada claims for her picture, Eve for Ben's melody.
    pub(super) fn claim_media(&mut self) -> Result<()> {
        let [image, sound] = self.media.as_slice() else {
            return must(false, || "there are no Datanets of images and sound".to_owned());
        };
        let (image, sound) = (image.clone(), sound.clone());
        let (ada, ben) = (self.address("Ada")?, self.address("Ben")?);
        for (net, account) in [(&image, &ada), (&sound, &ben)] {
            let id: u64 = net.datanet.parse().unwrap_or_default();
            let owed = poll(PERIOD, Duration::from_millis(300), || {
                let owed = self.network.call("openledger_claimable", json!([id, account]))?;
                Ok(Some(owed).filter(|owed| owed.as_str().is_some_and(|text| text != "0")))
            })?;
            must(owed.is_some(), || format!("nothing can be claimed for {account} in {net:?}"))?;
        }
        let people = self.people.clone();
        let cli = &self.cli;
        let claim = |datanet: &str| ["rewards", "claim", "--datanet", datanet].map(str::to_owned);
        let run = |actor: &Actor, net: &MediaNet, more: &[&str]| -> Result<u128> {
            let command = claim(&net.datanet);
            let command: Vec<&str> =
                command.iter().map(String::as_str).chain(more.iter().copied()).collect();
            plancks(&cli.run(actor, &command)?, "/amount")
        };
        let (for_ada, for_ben) =
            both(|| run(&people.ada, &image, &[]), || run(&people.eve, &sound, &[ben.as_str()]))?;
        for (net, who, amount) in [(&image, "Ada", for_ada), (&sound, "Ben", for_ben)] {
            let shown =
                self.cli.run(&net.owner, &["rewards", "show", "--datanet", &net.datanet])?;
            let pool = |name: &str| plancks(&shown, &format!("/pool/{name}"));
            let (total, claimed, owed, available) =
                (pool("totalIn")?, pool("claimed")?, pool("owed")?, pool("available")?);
            let adds_up = claimed == amount && owed == 0 && claimed + available == total;
            must(adds_up, || format!("{who} claimed {amount}; the pool says {shown}"))?;
            self.pay("reward pot", who, &format!("rewards for {}", net.sample.name), amount);
            self.console.line(format!(
                "{} of Datanet {}: {who} {} OPEN; pool: {} paid in = {} claimed + {} available",
                net.sample.name,
                net.datanet,
                open(signed(amount)),
                open(signed(total)),
                open(signed(claimed)),
                open(signed(available))
            ));
        }
        Ok(())
    }
}

/// A curator's vote on a Datanet's only file.
fn accept(cli: &Cli, actor: &Actor, net: &MediaNet) -> Result<Value> {
    let score = if actor.name == "Charlie" { "80" } else { "84" };
    let sha256 = digest(net.sample.bytes);
    let file = ["review", "accept", "--datanet", &net.datanet, "--sha256", &sha256];
    cli.run(actor, &[&file[..], &["--score", score]].concat())
}
