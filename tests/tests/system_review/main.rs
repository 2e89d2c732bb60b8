//! Reviewers' programs on a real chain: some thirty files of three modalities are judged by committees drawn from 18
//! programs that are killed and started again at random, and three members who cheat.

mod cheats;
mod files;
mod reviewers;

use cheats::{Cheat, Kind};
use files::{calls, Numbers, Right};
use openledger_client::{
    blocks::{Blocks, ChainEvent},
    AccountId, Client, Settings, Signer, Wait,
};
use openledger_primitives::{
    api::SubmissionItem,
    committee::{api::DrawView, DrawId, FileState, Outcome, Phase, PoolId, Progress, Purpose},
    Balance, DatanetId, FileHash, MediaType, Modality, RejectionReason, SubmissionId, Verdict,
    OPEN,
};
use openledger_tests::{
    cli::{list, number, text},
    interrupt::poll,
    Actor, Binaries, Cli, Network,
};
use reviewers::Reviewer;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    time::Duration,
};
use tokio::runtime::Runtime;

/// Honest members. With the cheats there are enough for a committee, and for one three times the size that has nobody of
/// the first.
const HONEST: usize = 18;
/// How many of them ask a person about images.
const ASKING: usize = 4;
/// Those who know no contributor: they find files by what the others say on the chain of where they serve.
const PEERLESS: std::ops::Range<usize> = 4..7;
/// Seed of who is killed when.
const SEED: u64 = 14;
/// How long all of it may take. A machine under load is slow.
const PATIENCE: Duration = Duration::from_secs(900);
/// Between looks.
const EVERY: Duration = Duration::from_millis(500);
/// Looks between one kill and the next.
const KILL_EVERY: u64 = 8;
/// Least units, so that something is too small.
const MIN_UNITS: &str = "100";

/// A submission and what is right to say of it.
struct Submitted {
    datanet: DatanetId,
    name: String,
    right: Right,
}

struct World {
    cli: Cli,
    client: Client,
    network: Network,
    reviewers: Vec<Reviewer>,
    cheats: Vec<Cheat>,
    datanets: BTreeMap<&'static str, DatanetId>,
    submitted: BTreeMap<SubmissionId, Submitted>,
    files: BTreeMap<FileHash, Vec<u8>>,
    // Dropped last.
    runtime: Runtime,
}

fn signer(name: &str) -> Signer {
    Signer::from_secret(&format!("//{name}")).expect("a development key")
}

fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

impl World {
    fn start(folder: &Path) -> Self {
        let binaries = must(Binaries::beside_this_program());
        let network = must(Network::start(binaries, folder, false));
        let cli = must(Cli::new(&network.binaries().cli, network.url(), folder));
        let runtime = Runtime::new().expect("a runtime");
        let client = must(runtime.block_on(Client::connect(Settings::new(network.url()))));
        let kinds = [Kind::Lazy, Kind::Copying, Kind::Colluding];
        let cheats: Vec<_> = (0..)
            .zip(kinds)
            .map(|(place, kind)| Cheat::new(kind, signer(&format!("Cheat{place}"))))
            .collect();
        let mut world = Self {
            cli,
            client,
            network,
            reviewers: Vec::new(),
            cheats,
            datanets: BTreeMap::new(),
            submitted: BTreeMap::new(),
            files: BTreeMap::new(),
            runtime,
        };
        world.seats();
        world.datanets();
        world
    }

    fn run(&self, actor: &Actor, arguments: &[&str]) -> serde_json::Value {
        must(self.cli.run(actor, arguments))
    }

    /// Everybody who judges has a seat in the pool of each modality.
    fn seats(&mut self) {
        let honest = (0..HONEST).map(|place| signer(&format!("Reviewer{place}")));
        let all: Vec<_> =
            honest.chain(self.cheats.iter().map(|cheat| cheat.signer.clone())).collect();
        let ferdie = signer("Ferdie");
        self.runtime.block_on(async {
            // Half a call of each pool's losses more than the seats cost.
            let sends = all.iter().map(|reviewer| {
                self.client.transfer(&ferdie, reviewer.account(), 500 * OPEN, Wait::InBlock)
            });
            together(sends).await;
            for modality in Modality::ALL {
                let pool = PoolId::Modality(modality);
                let bonds = all
                    .iter()
                    .map(|reviewer| self.client.bond_seats(reviewer, pool, 1, Wait::InBlock));
                together(bonds).await;
            }
        });
    }

    /// Bob's Datanets, and the contributors.
    fn datanets(&mut self) {
        let bob = Actor::new("Bob", "//Bob");
        for (name, modality, seats) in [
            ("text", "text", "modality"),
            ("image", "image", "modality"),
            ("audio", "audio", "modality"),
            ("few", "text", "datanet"),
        ] {
            let create = ["datanet", "create", "--name", name, "--modality", modality];
            let terms = ["--min-units", MIN_UNITS, "--committee", seats];
            let created = self.run(&bob, &[&create[..], &terms[..]].concat());
            let datanet = must(number(&created, "/datanet"));
            let budget = ["datanet", "budget", &datanet.to_string(), "--fund", "100OPEN"];
            self.run(&bob, &budget);
            self.datanets.insert(name, datanet.try_into().expect("a small number"));
        }
        std::thread::scope(|scope| {
            for (name, key) in [("Charlie", "//Charlie"), ("Dave", "//Dave"), ("Eve", "//Eve")] {
                let world = &*self;
                scope
                    .spawn(move || world.run(&Actor::new(name, key), &["contributor", "register"]));
            }
        });
    }

    /// Submits all calls, as no program of ours would: `openledger submit` refuses what nobody could accept. Eve has no
    /// IPFS node: nobody can fetch what she gives.
    fn submit(&mut self) {
        let served = must(self.network.start_daemon("contributors", &[])).directory.clone();
        for call in calls() {
            let datanet = self.datanets[call.datanet];
            let directory = match call.contributor {
                "Eve" => self.network.directory().join("ipfs").join("offline"),
                _ => served.clone(),
            };
            let folder = self.network.directory().join("files").join(call.contributor);
            let items: Vec<SubmissionItem> = call
                .files
                .iter()
                .map(|file| {
                    let path =
                        must(openledger_tests::data::write(&folder, &file.name, &file.bytes));
                    self.add(&directory, &path)
                })
                .collect();
            let contributor = signer(call.contributor);
            let sent =
                self.client.submit_files(&contributor, datanet, items.clone(), Wait::InBlock);
            let (_, submitted) = must(self.runtime.block_on(sent));
            for ((file, item), sent) in call.files.into_iter().zip(items).zip(submitted) {
                if !matches!(file.right, Right::Unavailable) {
                    self.files.insert(item.sha256, file.bytes);
                }
                let name = format!("{}/{}", call.datanet, file.name);
                let submitted = Submitted { datanet, name, right: file.right };
                self.submitted.insert(sent.submission, submitted);
            }
        }
    }

    /// Adds a file to an IPFS directory.
    fn add(&self, directory: &Path, path: &Path) -> SubmissionItem {
        let mut command = Command::new(&self.network.binaries().ipfs);
        command.args(["add", "--output", "json", "--directory"]).arg(directory).arg(path);
        let done = command.output().expect("openledger-ipfs can be run");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let added: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let sha256 = hex::decode(must(text(&added, "/sha256"))).expect("a hash");
        let extension = path.extension().expect("it has one").to_string_lossy().into_owned();
        SubmissionItem {
            content: must(text(&added, "/content")).parse().expect("a content id"),
            sha256: sha256.try_into().expect("32 bytes"),
            size: must(number(&added, "/size")).try_into().expect("a small file"),
            media: MediaType::from_extension(&extension).expect("a format"),
        }
    }

    /// Starts the honest members' programs; some ask a person about images.
    fn review(&mut self) {
        let peers = must(self.network.daemon("contributors")).addresses.clone();
        let asking = self.network.directory().join("asking.json");
        let image = self.datanets["image"];
        let policy = format!(r#"{{"default":{{"score":60}},"datanets":{{"{image}":{{}}}}}}"#);
        std::fs::write(&asking, policy).expect("a policy can be written");
        for place in 0..HONEST {
            let policy = (place < ASKING).then(|| asking.clone());
            let peers = if PEERLESS.contains(&place) { &[][..] } else { &peers };
            let mut reviewer = Reviewer::new(&self.network, place, policy, peers);
            must(reviewer.start(&self.network));
            self.reviewers.push(reviewer);
        }
    }

    fn draws(&self) -> Vec<DrawView<AccountId>> {
        self.runtime.block_on(async {
            let (next, _) = must(self.client.next_draw().await);
            assert!(next < 100, "one page holds them");
            must(self.client.draws(0).await)
        })
    }

    /// The person behind the programs that ask: says of each file what is right.
    fn answer(&self, draws: &[DrawView<AccountId>]) {
        let image = self.datanets["image"];
        for reviewer in self.reviewers.iter().take(ASKING) {
            let waits = draws.iter().any(|view| {
                view.datanet == image
                    && matches!(view.draw.phase, Phase::Committing { .. })
                    && view.draw.members.iter().any(|member| {
                        member.account == reviewer.account && member.progress == Progress::Drawn
                    })
            });
            if !waits {
                continue;
            }
            let person = reviewer.actor();
            let asked = self.run(&person, &["review", "list"]);
            for file in must(list(&asked, "/asked")) {
                if !file["word"].is_null() {
                    continue;
                }
                let submission = must(number(file, "/submission"));
                let (number, right) = (submission.to_string(), self.submitted[&submission].right);
                assert_eq!(right, Right::Accept, "{file}: what needs no person is not asked");
                let folder = reviewer.folder.join("shown").display().to_string();
                let shown = self.run(&person, &["review", "show", &number, "--save", &folder]);
                let picture = must(text(&shown, "/file"));
                assert!(image::open(picture).is_ok(), "{shown}");
                if !shown["nearest"].is_null() {
                    let other = must(text(&shown, "/nearestFile"));
                    assert!(image::open(other).is_ok(), "beside what it is most like: {shown}");
                }
                self.run(&person, &["review", "vote", &number, "--accept", "60"]);
            }
        }
    }
}

/// Waits for all of what is sent at once.
async fn together<T, E: std::fmt::Display>(
    sends: impl Iterator<Item = impl std::future::Future<Output = Result<T, E>>>,
) -> Vec<T> {
    let mut pending: Vec<_> = sends.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        pending.retain_mut(|send| match send.as_mut().poll(context) {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(result) => {
                done.push(must(result));
                false
            }
        });
        match pending.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}

/// What the chain says of what members were paid and lost, and of how files ended.
#[derive(Default)]
struct Record {
    paid: BTreeMap<[u8; 32], Balance>,
    lost: BTreeMap<[u8; 32], Balance>,
    /// Files of the draws that an account was drawn for.
    drawn: BTreeMap<[u8; 32], u32>,
    ended: Vec<(DrawId, SubmissionId, Outcome)>,
    postponed: BTreeSet<DrawId>,
}

impl World {
    fn record(&self) -> Record {
        let blocks = Blocks::new(self.client.clone());
        let mut record = Record::default();
        let mut files = BTreeMap::new();
        self.runtime.block_on(async {
            let (last, _) = must(self.client.best().await);
            for number in 1..=last {
                for event in must(blocks.block(number).await).events {
                    match event.event {
                        ChainEvent::DrawOpened { draw, files: count, .. } => {
                            files.insert(draw, count);
                        }
                        ChainEvent::CommitteeDrawn { draw, members, .. } => {
                            for member in members {
                                *record.drawn.entry(member.0).or_default() +=
                                    files.get(&draw).copied().unwrap_or(1);
                            }
                        }
                        ChainEvent::ReviewPaid { account, amount, .. } => {
                            *record.paid.entry(account.0).or_default() += amount;
                        }
                        ChainEvent::SeatsLost { account, amount, .. } => {
                            *record.lost.entry(account.0).or_default() += amount;
                        }
                        ChainEvent::FileEnded { draw, submission, outcome } => {
                            record.ended.push((draw, submission, outcome));
                        }
                        ChainEvent::DrawPostponed { draw, lacks_seats: true, .. } => {
                            record.postponed.insert(draw);
                        }
                        _ => {}
                    }
                }
            }
        });
        record
    }
}

impl Record {
    /// What an account earned a file, in thousandths of an OPEN; `None` if it was never drawn.
    fn earned(&self, account: &AccountId) -> Option<f64> {
        let of = |amounts: &BTreeMap<[u8; 32], Balance>| {
            amounts.get(&account.0).copied().unwrap_or(0) as f64
        };
        let files = *self.drawn.get(&account.0)?;
        Some((of(&self.paid) - of(&self.lost)) / OPEN as f64 * 1_000.0 / f64::from(files))
    }
}

/// Whether a verdict is what is right.
fn is_right(verdict: &Verdict, right: Right) -> bool {
    match (verdict, right) {
        (Verdict::Accept { score, .. }, Right::Accept) => score.get() == 60,
        (Verdict::Reject(reason), Right::Reject(name)) => {
            *reason == must(<RejectionReason as openledger_primitives::ClosedList>::of_name(name))
        }
        _ => false,
    }
}

#[test]
fn committees_of_programs_that_are_killed_judge_rightly_and_cheats_earn_less() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut world = World::start(folder.path());
    world.submit();
    world.review();

    let accomplice = signer("Dave").account();
    let eve = signer("Eve");
    let mut numbers = Numbers(SEED);
    let (mut looks, mut kills) = (0u64, 0u32);
    let mut verdicts: BTreeMap<SubmissionId, Verdict> = BTreeMap::new();
    let mut challenge: Option<(DrawId, DrawId)> = None;
    let done = poll(PATIENCE, EVERY, || {
        looks += 1;
        let draws = world.draws();
        for view in &draws {
            for cheat in &mut world.cheats {
                let step = cheat.step(&world.client, view, &accomplice, &world.files);
                world.runtime.block_on(step);
            }
            if !view.draw.purpose.is_call() {
                continue;
            }
            for (place, file) in (0u8..).zip(&view.draw.files) {
                let verdict = match file.state {
                    FileState::Judged(verdict) | FileState::Challenged { verdict, .. } => verdict,
                    _ => continue,
                };
                verdicts.insert(file.submission, verdict);
                // Eve challenges the first acceptance of a text: there are enough accounts for a larger committee.
                let text = view.datanet == world.datanets["text"];
                if text && challenge.is_none() && matches!(verdict, Verdict::Accept { .. }) {
                    let sent = world.client.challenge(&eve, view.id, place, Wait::InBlock);
                    let (_, by) = must(world.runtime.block_on(sent));
                    challenge = Some((view.id, by));
                }
            }
        }
        world.answer(&draws);
        if looks % KILL_EVERY == 0 {
            let place = numbers.below(world.reviewers.len());
            let reviewer = &mut world.reviewers[place];
            must(reviewer.kill_and_start(&world.network));
            kills += 1;
        }
        must(world.network.ensure_running());
        // Over: all but what nobody can fetch and what nobody is drawn for, and the challenge.
        let waits = |view: &DrawView<AccountId>| {
            view.draw.files.iter().any(|file| {
                matches!(world.submitted[&file.submission].right, Right::Accept | Right::Reject(_))
            })
        };
        let looked_for = |view: &DrawView<AccountId>| {
            let first = matches!(view.draw.purpose, Purpose::Review { asked: 0 });
            let open = view.draw.open();
            let gone = |right| right == Right::Unavailable;
            first && open.map(|file| world.submitted[&file.submission].right).any(gone)
        };
        let over = !draws.iter().any(looked_for) && !draws.iter().any(waits);
        Ok((challenge.is_some() && over).then_some(()))
    });
    if must(done).is_none() {
        let draws = world.draws();
        let kept = folder.keep();
        panic!("not over within {} s; logs in {kept:?}; {draws:#?}", PATIENCE.as_secs());
    }
    let record = world.record();
    let report = report(&world, &record, kills);
    let folder = scopeguard(folder);

    // Verdicts are right, and what follows from them.
    for (submission, Submitted { name, right, datanet }) in &world.submitted {
        let ends: Vec<_> =
            record.ended.iter().filter(|(_, of, _)| of == submission).map(|end| end.2).collect();
        let (draw, by) = challenge.expect("one was challenged");
        match right {
            Right::Accept | Right::Reject(_) => {
                let verdict = verdicts.get(submission);
                assert!(
                    verdict.is_some_and(|verdict| is_right(verdict, *right)),
                    "{name}: {verdict:?} instead of {right:?}; {report}"
                );
                let upheld = ends.contains(&Outcome::AcceptanceUpheld);
                let expected = match right {
                    Right::Accept if upheld => Outcome::AcceptanceUpheld,
                    Right::Accept => Outcome::Accepted,
                    _ => Outcome::Refused,
                };
                assert_eq!(ends.last(), Some(&expected), "{name} of Datanet {datanet}: {ends:?}");
            }
            Right::Unavailable => {
                // Where no cheat claims to have it nobody looks for it again.
                let gone =
                    [Outcome::Unavailable, Outcome::UnavailableAgain, Outcome::UndecidedAgain];
                assert!(ends.first().is_some_and(|end| gone.contains(end)), "{name}: {ends:?}");
            }
            Right::Nobody => assert_eq!(ends, [], "{name} waits for seats ({draw}, {by})"),
        }
    }
    let upheld = record.ended.iter().filter(|end| end.2 == Outcome::AcceptanceUpheld).count();
    assert_eq!(upheld, 1, "the larger committee says the same; {report}");
    // Programs learn from the chain what ended, refused or not.
    let text = world.datanets["text"];
    let settled = must(world.runtime.block_on(world.client.settled(text, 0, SubmissionId::MAX)));
    let ended = world.submitted.iter().filter(|(_, one)| {
        one.datanet == text && matches!(one.right, Right::Accept | Right::Reject(_))
    });
    let lacking: Vec<_> = ended.filter(|(number, _)| !settled.contains(number)).collect();
    assert!(lacking.is_empty(), "{settled:?}");
    let few = world.datanets["few"];
    let waits = world.draws().into_iter().find(|view| view.datanet == few).expect("it waits");
    assert!(record.postponed.contains(&waits.id), "a Datanet without seats waits; {report}");

    // Nobody who is honest lost anything, killed or not, and every cheat earned less.
    let honest: Vec<_> = world.reviewers.iter().map(|reviewer| reviewer.account).collect();
    for account in &honest {
        assert_eq!(record.lost.get(&account.0), None, "{account}; {report}");
    }
    let earned: Vec<f64> = honest.iter().filter_map(|account| record.earned(account)).collect();
    let least = earned.iter().sum::<f64>() / earned.len() as f64;
    for cheat in &world.cheats {
        // Chance may draw one of them for nothing.
        if let Some(earned) = record.earned(&cheat.signer.account()) {
            assert!(
                earned < least,
                "{:?} earned {earned}, the honest {least}; {report}",
                cheat.kind
            );
        }
    }
    // Who knows no contributor has accepted what others served, at addresses that they said on the chain.
    let kept = world.reviewers[PEERLESS].iter().map(|reviewer| {
        let metrics = must(reviewer.metrics());
        let pinned =
            metrics.lines().find_map(|line| line.strip_prefix("openledger_review_pinned "));
        pinned.and_then(|count| count.parse::<u32>().ok()).expect("it says how many files it keeps")
    });
    assert!(kept.sum::<u32>() > 0, "{report}");
    // One program tells Prometheus of all this.
    let metrics = must(world.reviewers[0].metrics());
    assert!(metrics.contains("openledger_review_missed_total 0\n"), "{metrics}");
    println!("{report}");
    drop(folder);
}

/// Keeps a folder of logs where its test fails.
fn scopeguard(folder: tempfile::TempDir) -> Kept {
    Kept(Some(folder))
}

struct Kept(Option<tempfile::TempDir>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let (true, Some(folder)) = (std::thread::panicking(), self.0.take()) {
            eprintln!("logs are kept in {}", folder.keep().join("logs").display());
        }
    }
}

fn report(world: &World, record: &Record, kills: u32) -> String {
    let mut text = format!("{kills} programs were killed; thousandths of an OPEN a file:");
    let honest = world.reviewers.iter().map(|one| (format!("{:?}", one.name), one.account));
    let cheats = world.cheats.iter().map(|one| (format!("{:?}", one.kind), one.signer.account()));
    for (name, account) in honest.chain(cheats) {
        let files = record.drawn.get(&account.0).copied().unwrap_or(0);
        let earned =
            record.earned(&account).map_or("–".to_owned(), |earned| format!("{earned:.0}"));
        text.push_str(&format!(" {name} {earned} ({files} files);"));
    }
    text
}
