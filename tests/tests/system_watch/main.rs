//! `openledger review watch` on a real chain: a committee of one will accepts whatever it is shown. What is wrong by measure is
//! challenged, within the limit and once, also by a program that is killed and started again; fifteen others bear it out.

mod members;

use members::{Member, Words};
use openledger_client::{
    blocks::{Blocks, ChainEvent},
    AccountId, Client, Settings, Signer, Wait,
};
use openledger_documents::measure;
use openledger_primitives::{
    api::SubmissionItem,
    committee::{api::DrawView, DrawId, FileState, Outcome, Phase, PoolId, Purpose},
    DatanetId, FileHash, MediaType, RejectionReason, Score, SubmissionId, Verdict, OPEN,
};
use openledger_tests::{
    cli::{forget_environment, number, text},
    http,
    interrupt::poll,
    network::free_port,
    process::Process,
    Actor, Binaries, Cli, Network,
};
use serde_json::{json, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::runtime::Runtime;

/// Members of the first committee, who have all seats when it is drawn.
const CAPTURED: usize = 5;
/// Those of the larger one, who take seats afterwards.
const HONEST: usize = 15;
/// How long each part may take. A machine under load is slow.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between looks.
const EVERY: Duration = Duration::from_millis(500);
/// Least units.
const LEAST: u64 = 100;
/// Most that the watcher holds in bonds: one less than it finds reason for.
const LIMIT: &str = "40OPEN";

fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn signer(name: &str) -> Signer {
    Signer::from_secret(&format!("//{name}")).expect("a development key")
}

/// Waits for all of what is sent at once.
fn together<T, E: std::fmt::Display>(
    runtime: &Runtime,
    sends: impl Iterator<Item = impl std::future::Future<Output = Result<T, E>>>,
) {
    let mut pending: Vec<_> = sends.map(Box::pin).collect();
    runtime.block_on(std::future::poll_fn(|context| {
        pending.retain_mut(|send| match send.as_mut().poll(context) {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(result) => {
                must(result);
                false
            }
        });
        match pending.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    }));
}

/// A text of lines that no other seed has.
fn lines(seed: u64) -> String {
    const WORDS: [&str; 8] = ["ropes", "gulls", "tides", "lamps", "nets", "sails", "masts", "oars"];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{}{}", WORDS[(state >> 16) as usize % 8], (state >> 24) % 100)
    };
    (0..30).map(|_| [word(), word(), word(), word(), word()].join(" ") + ".\n").collect()
}

/// A file, and what the watcher finds wrong if it is accepted as the captured committee accepts it.
struct File {
    name: &'static str,
    bytes: Vec<u8>,
    fault: Option<&'static str>,
}

fn files() -> Vec<File> {
    let file = |name, bytes: Vec<u8>, fault| File { name, bytes, fault };
    let near = lines(1).replacen("gulls", "rooks", 1).to_uppercase();
    let other_layout = lines(2).replace(".\n", ".\n\n");
    let small = format!("Too little.{}", "\u{200b}".repeat(100));
    vec![
        file("1-first.txt", lines(1).into(), None),
        file("2-second.txt", lines(2).into(), None),
        file("3-near.txt", near.into(), Some("duplicate")),
        file("4-layout.txt", other_layout.into(), Some("duplicate")),
        file("5-no-text.txt", vec![0xff; 300], Some("wrong-format")),
        file("6-small.txt", small.into(), Some("too-small")),
        file("7-measures.txt", lines(3).into(), Some("measures")),
    ]
}

struct World {
    client: Client,
    network: Network,
    datanet: DatanetId,
    /// Bytes and fault of each file.
    files: BTreeMap<FileHash, (Vec<u8>, Option<&'static str>)>,
    submissions: BTreeMap<SubmissionId, Option<&'static str>>,
    runtime: Runtime,
}

impl World {
    fn start(folder: &Path) -> Self {
        let binaries = must(Binaries::beside_this_program());
        let network = must(Network::start(binaries, folder, false));
        let cli = must(Cli::new(&network.binaries().cli, network.url(), folder));
        let runtime = Runtime::new().expect("a runtime");
        let client = must(runtime.block_on(Client::connect(Settings::new(network.url()))));
        let bob = Actor::new("Bob", "//Bob");
        let create = ["datanet", "create", "--name", "watched", "--modality", "text"];
        let least = LEAST.to_string();
        let terms = ["--min-units", &least, "--committee", "datanet"];
        let created = must(cli.run(&bob, &[&create[..], &terms[..]].concat()));
        let datanet = must(number(&created, "/datanet"));
        must(cli.run(&bob, &["datanet", "budget", &datanet.to_string(), "--fund", "100OPEN"]));
        must(cli.run(&Actor::new("Charlie", "//Charlie"), &["contributor", "register"]));
        Self {
            client,
            network,
            datanet: datanet.try_into().expect("a small number"),
            files: BTreeMap::new(),
            submissions: BTreeMap::new(),
            runtime,
        }
    }

    /// Gives OPEN to members, and takes a seat for each.
    fn seats(&self, members: &[Member]) {
        let pool = PoolId::Datanet(self.datanet);
        let ferdie = signer("Ferdie");
        let (client, runtime) = (&self.client, &self.runtime);
        let send = |member: &Member| member.signer.account();
        let transfers = members
            .iter()
            .map(|member| client.transfer(&ferdie, send(member), 150 * OPEN, Wait::InBlock));
        together(runtime, transfers);
        let bonds =
            members.iter().map(|member| client.bond_seats(&member.signer, pool, 1, Wait::InBlock));
        together(runtime, bonds);
    }

    /// Submits all files in one call, as no program of ours would.
    fn submit(&mut self) {
        let served = must(self.network.start_daemon("contributors", &[])).directory.clone();
        let folder = self.network.directory().join("files");
        let mut items = Vec::new();
        for File { name, bytes, fault } in files() {
            let path = must(openledger_tests::data::write(&folder, name, &bytes));
            let item = self.add(&served, &path);
            self.files.insert(item.sha256, (bytes, fault));
            items.push(item);
        }
        let faults: Vec<_> = items.iter().map(|item| self.files[&item.sha256].1).collect();
        let charlie = signer("Charlie");
        let sent = self.client.submit_files(&charlie, self.datanet, items, Wait::InBlock);
        let (_, submitted) = must(self.runtime.block_on(sent));
        let numbers = submitted.iter().map(|sent| sent.submission);
        self.submissions = numbers.zip(faults).collect();
    }

    /// Adds a file to an IPFS directory.
    fn add(&self, directory: &Path, path: &Path) -> SubmissionItem {
        let mut command = Command::new(&self.network.binaries().ipfs);
        command.args(["add", "--output", "json", "--directory"]).arg(directory).arg(path);
        let done = command.output().expect("openledger-ipfs can be run");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let added: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let sha256 = hex::decode(must(text(&added, "/sha256"))).expect("a hash");
        SubmissionItem {
            content: must(text(&added, "/content")).parse().expect("a content id"),
            sha256: sha256.try_into().expect("32 bytes"),
            size: must(number(&added, "/size")).try_into().expect("a small file"),
            media: MediaType::Txt,
        }
    }

    fn draws(&self) -> Vec<DrawView<AccountId>> {
        must(self.runtime.block_on(self.client.draws(0)))
    }

    /// Waits for something of the draws that are not over.
    fn until<T>(
        &self,
        what: &str,
        mut ready: impl FnMut(&[DrawView<AccountId>]) -> Option<T>,
    ) -> T {
        let found = must(poll(PATIENCE, EVERY, || Ok(ready(&self.draws()))));
        found.unwrap_or_else(|| panic!("{what}: not within {PATIENCE:?}; {:#?}", self.draws()))
    }

    /// Every member does what it is its turn to do.
    fn step(&self, members: &mut [Member], draws: &[DrawView<AccountId>]) {
        let sends: Vec<_> = members
            .iter_mut()
            .flat_map(|member| draws.iter().filter_map(|view| member.turn(view, &self.files)))
            .collect();
        // Too late or twice: the next look tells.
        let sends = sends.into_iter().map(|(signer, turn)| async move {
            let _ = turn.send(&self.client, signer).await;
            Ok::<_, String>(())
        });
        together(&self.runtime, sends);
    }

    /// Starts a watcher.
    fn watch(&self, name: &str, more: &[&str]) -> Watcher {
        let port = must(free_port());
        let mut command = Command::new(&self.network.binaries().cli);
        forget_environment(&mut command);
        command.env("RUST_LOG", "info");
        command.args(["--output", "json", "--node", &self.network.url(), "--key", "//Watcher"]);
        command.arg("--ipfs-directory").arg(self.network.directory().join(name));
        for peer in &must(self.network.daemon("contributors")).addresses {
            command.args(["--peer", peer]);
        }
        command.args(["review", "watch", "--every", "1", "--metrics"]);
        command.arg(format!("127.0.0.1:{port}")).args(more);
        let log = self.network.log(name);
        let process = must(Process::start(name, command, log.clone()));
        Watcher { process, log, port }
    }
}

/// A program that watches.
struct Watcher {
    process: Process,
    log: PathBuf,
    port: u16,
}

impl Watcher {
    /// What it said that it did, as JSON.
    fn did(&self, what: &str) -> Vec<Value> {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["did"] == what).collect()
    }

    /// A number that it tells Prometheus.
    fn metric(&self, name: &str) -> u128 {
        let answer = http::request(self.port, "GET", "/metrics", "", Duration::from_secs(30));
        let text = String::from_utf8_lossy(&must(answer).body).into_owned();
        let start = format!("openledger_watch_{name} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&start));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
    }
}

/// What a watcher said of submissions: their numbers with what is wrong.
fn said(lines: &[Value]) -> BTreeSet<(u64, String)> {
    let of =
        |line: &Value| Some((line["submission"].as_u64()?, line["fault"].as_str()?.to_owned()));
    lines.iter().filter_map(of).collect()
}

/// The captured members accept everything with units that pass the chain's own check; of the last file with one more than
/// it has.
fn captured(view: &DrawView<AccountId>, bytes: &[u8], fault: Option<&str>) -> Verdict {
    let score = Score::new(90).expect("a score");
    let measured = measure(MediaType::Txt, bytes).ok().filter(|found| found.units >= LEAST);
    let (units, text_root) = measured.map_or((LEAST, [3; 32]), |found| {
        let more = u64::from(fault == Some("measures"));
        (found.units - more, found.text_root)
    });
    Verdict::Accept { score, units, text_root: text_root.into(), extractor: view.draw.extractor }
}

/// The others say what is right.
fn honest(view: &DrawView<AccountId>, bytes: &[u8], fault: Option<&str>) -> Verdict {
    match fault {
        None | Some("measures") => captured(view, bytes, None),
        Some(name) => {
            let reason = <RejectionReason as openledger_primitives::ClosedList>::of_name(name);
            Verdict::Reject(must(reason))
        }
    }
}

fn members(kind: &str, count: usize, words: Words) -> Vec<Member> {
    (0..count).map(|place| Member::new(signer(&format!("{kind}{place}")), words)).collect()
}

#[test]
fn what_a_captured_committee_accepts_wrongly_is_challenged_once_and_within_the_limit() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut world = World::start(folder.path());
    let mut captured = members("Captured", CAPTURED, captured);
    let mut honest = members("Honest", HONEST, honest);
    world.seats(&captured);
    let watcher = signer("Watcher").account();
    let ferdie = signer("Ferdie");
    let gift = world.client.transfer(&ferdie, watcher, 100 * OPEN, Wait::InBlock);
    must(world.runtime.block_on(gift));
    world.submit();
    let limits = ["--listen", "/ip4/127.0.0.1/tcp/0", "--bond-limit", LIMIT];
    let dry = world.watch("watcher-dry", &["--dry-run"]);
    let mut live = world.watch("watcher", &limits);

    // The committee is drawn of those who have seats, and speaks when there are enough for a larger one.
    let draw = world.until("its committee is drawn", |draws| {
        draws.iter().find(|view| view.draw.members.len() == CAPTURED).map(|view| view.id)
    });
    world.seats(&honest);
    world.until("all have seats", |draws| {
        let size = world.client.pool_size(PoolId::Datanet(world.datanet));
        let accounts = must(world.runtime.block_on(size)).accounts as usize;
        let placed = accounts >= CAPTURED + HONEST;
        let late = draws.iter().any(|view| matches!(view.draw.phase, Phase::Judged { .. }));
        assert!(!late, "they have not spoken");
        placed.then_some(())
    });
    world.until("it accepts everything", |draws| {
        world.step(&mut captured, draws);
        let view = draws.iter().find(|view| view.id == draw)?;
        matches!(view.draw.phase, Phase::Judged { .. }).then_some(())
    });

    // It challenges as much as it may, first what costs the members seats.
    let faults: Vec<_> = world
        .submissions
        .iter()
        .filter_map(|(id, fault)| Some((*id, (*fault)?.to_owned())))
        .collect();
    let copies: Vec<u64> =
        faults.iter().filter(|(_, fault)| fault == "duplicate").map(|(id, _)| *id).collect();
    let done = must(poll(PATIENCE, EVERY, || {
        must(live.process.ensure_running());
        let challenged = live.did("challenged").len();
        Ok((challenged == 4 && live.did("held").len() == 1).then_some(()))
    }));
    let log = std::fs::read_to_string(&live.log).unwrap_or_default();
    assert!(done.is_some(), "{log}");
    let challenged = said(&live.did("challenged"));
    assert_eq!(said(&live.did("held")), BTreeSet::from([(copies[1], "duplicate".to_owned())]));
    let first: BTreeSet<_> = faults.iter().filter(|(id, _)| *id != copies[1]).cloned().collect();
    assert_eq!(challenged, first, "{log}");
    let held = &live.did("held")[0];
    let why = must(text(held, "/because"));
    assert_eq!(why, "bonds may come to 40 OPEN at once (--bond-limit)");
    let near = live.did("challenged").into_iter().find(|one| one["submission"] == copies[0]);
    let near = near.expect("the first copy is challenged");
    let original = world.submissions.keys().next().expect("the first file");
    assert_eq!(near["nearest"]["submission"], json!(original));
    // Who only says it holds nothing and misses none.
    let would = must(poll(PATIENCE, EVERY, || {
        let would = said(&dry.did("would-challenge"));
        Ok((would.len() == faults.len()).then_some(would))
    }));
    assert_eq!(would, Some(faults.iter().cloned().collect()));

    // Killed and started again it challenges none of them again, and learns how they end.
    live.process.kill();
    drop(live);
    let live = world.watch("watcher", &limits);
    world.until("fifteen others judge", |draws| {
        world.step(&mut honest, draws);
        let own =
            |view: &&DrawView<AccountId>| matches!(view.draw.purpose, Purpose::Challenge { .. });
        let of_first = draws.iter().find(|view| view.id == draw);
        assert!(draws.iter().filter(own).count() <= 4, "each is challenged once");
        let over = |view: &DrawView<AccountId>| {
            view.draw.files.iter().all(|file| matches!(file.state, FileState::Over(_)))
        };
        of_first.is_none_or(over).then_some(())
    });
    let ended = must(poll(PATIENCE, EVERY, || {
        let ended = live.did("ended");
        Ok((ended.len() == 4).then_some(ended))
    }));
    let ended = ended
        .unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&live.log).unwrap_or_default()));
    let outcomes: BTreeMap<u64, String> = ended
        .iter()
        .map(|one| (must(number(one, "/submission")), must(text(one, "/outcome"))))
        .collect();
    let expected = |fault: &str| match fault {
        "duplicate" => Outcome::CopyAccepted,
        "measures" => Outcome::MeasuredAnew,
        _ => Outcome::AcceptanceOverturned,
    };
    for (submission, fault) in &first {
        assert_eq!(outcomes[submission], expected(fault).name(), "{fault}");
    }
    assert_eq!(record(&world, draw)[&copies[1]], Outcome::Accepted, "nobody challenged it");
    assert_eq!((live.metric("won_total"), live.metric("lost_total")), (4, 0));
    assert_eq!((live.metric("challenges_total"), live.metric("bond_plancks")), (4, 0));
    // Half of what five members lose for each of three files, and of what they are not paid for the copy.
    let gained = live.metric("gained_plancks_total");
    assert!(gained >= 3 * 15 / 2 * OPEN, "{gained}");
    let balance = must(world.runtime.block_on(world.client.balance(watcher)));
    assert_eq!(balance.held, 0);
    let fees = 100 * OPEN + gained - balance.free;
    assert!(fees < OPEN, "all bonds are back: {fees} are gone");
    assert_eq!(live.did("challenged").len(), 4, "those of before it was killed");
}

/// How the files of a draw ended.
fn record(world: &World, draw: DrawId) -> BTreeMap<SubmissionId, Outcome> {
    let blocks = Blocks::new(world.client.clone());
    let mut ended = BTreeMap::new();
    world.runtime.block_on(async {
        let (last, _) = must(world.client.best().await);
        for number in 1..=last {
            for event in must(blocks.block(number).await).events {
                if let ChainEvent::FileEnded { draw: of, submission, outcome } = event.event {
                    ended.extend((of == draw).then_some((submission, outcome)));
                }
            }
        }
    });
    ended
}
