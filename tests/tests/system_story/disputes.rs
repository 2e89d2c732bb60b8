//! Disputes among real workers: of a result that is as it was posted, while a verifier is killed
//! between the hash of its finding and the finding, and of one that is not.
//!
//! The one that cheats is this test itself. It has a worker's key and says to the chain what no
//! program of ours would say.

use super::{alone, model, Chain};
use openledger_client::{AccountId, Client, Settings, Signer, Wait, WorkerOffer};
use openledger_primitives::{
    api::DisputeView,
    job::{
        dispute::{Finding, Outcome},
        JobFailure, JobState,
    },
    Balance, BaseModelId, JobId, JobKind, JobResult, Serves, OPEN,
};
use openledger_tests::{
    cli::{forget_environment, number, text},
    interrupt::poll,
    network::free_port,
    process::Process,
    sheet::Snapshot,
    story::submit,
    Actor,
};
use serde_json::{json, Value};
use std::{future::Future, path::PathBuf, process::Command, time::Duration};
use tokio::runtime::Runtime;

/// What a job pays in all, for so many tokens.
const PRICE: Balance = 2 * OPEN;
const CEILING: Balance = 1_000;
/// A floor that no job of these reaches: who asks so much verifies and does not train.
const OUT_OF_REACH: Balance = OPEN;
const BOND: Balance = 100 * OPEN;
/// What a disputer has at stake, and the third of it that each finding is paid.
const STAKE: Balance = 3 * OPEN;
const FEE: Balance = OPEN;
/// How long anything may take. A machine under load trains slowly.
const PATIENCE: Duration = Duration::from_secs(300);

/// A worker's process, and what starts it again as it was.
struct Worker {
    name: &'static str,
    signer: Signer,
    floor: Balance,
    port: u16,
    process: Option<Process>,
}

struct Market {
    chain: Chain,
    client: Client,
    model: PathBuf,
    base: BaseModelId,
    peers: Vec<String>,
    // Dropped last.
    runtime: Runtime,
}

fn signer(name: &str) -> Signer {
    Signer::from_secret(&format!("//{name}")).expect("a development key")
}

impl Market {
    /// A chain with a dataset of Eve's text, and of another one that she revoked, and Bob's base model.
    fn start() -> Self {
        let mut chain = Chain::start();
        let addresses = chain
            .network
            .start_daemon("Eve", &[])
            .unwrap_or_else(|error| panic!("{error}"))
            .addresses
            .clone();
        let eve = chain.contributor("Eve");
        let notes: String = (0..60)
            .map(|n| format!("Note {n}: the river rose by {} cm in week {n}. ", n * 7 % 23))
            .collect();
        let ferdie = Actor::new("Ferdie", "//Ferdie").with_ipfs(eve.ipfs.as_ref().expect("hers"));
        let gone: String = (0..60)
            .map(|n| format!("At hour {n} the tide stood {} m above the pier's mark. ", n * 5 % 17))
            .collect();
        for (name, notes) in [("river.txt", notes), ("tide.txt", gone)] {
            let path = chain.folder.path().join(name);
            std::fs::write(&path, notes).expect("a file");
            let sent = chain.run(&eve, &submit(&chain.datanet, &[path]));
            let sha256 = text(&sent, "/submissions/0/sha256").expect("a hash");
            let file = ["--datanet", &chain.datanet, "--sha256", &sha256, "--score", "80"];
            chain.run(&ferdie, &[&["review", "accept"], &file[..]].concat());
        }
        chain.run(&eve, &["submission", "revoke", "--datanet", &chain.datanet, "--leaf", "1"]);

        let model = model();
        let bob = chain.contributor("Bob");
        let register = ["model", "register", "--name", "SmolLM2-135M-Instruct"];
        let of = ["--family", "llama", "--licence", "Apache-2.0", "--weights"];
        let weights = model.display().to_string();
        let registered = chain.run(&bob, &[&register[..], &of[..], &[&weights]].concat());
        let base = number(&registered, "/model").expect("its number").try_into().expect("small");

        let runtime = Runtime::new().expect("a runtime");
        let client = runtime
            .block_on(Client::connect(Settings::new(chain.network.url())))
            .expect("the node answers");
        Self { chain, client, model, base, peers: addresses, runtime }
    }

    fn wait<T, E: std::fmt::Display>(&self, work: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(work).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Asks until there is an answer.
    fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let found = poll(PATIENCE, Duration::from_millis(200), || Ok(ask(self)));
        let network = self.chain.network.ensure_running();
        network.unwrap_or_else(|error| panic!("{error}"));
        found
            .unwrap_or_else(|error| panic!("{error}"))
            .unwrap_or_else(|| panic!("{what}: not within {} s", PATIENCE.as_secs()))
    }

    fn worker(&self, name: &'static str, floor: Balance) -> Worker {
        let port = free_port().unwrap_or_else(|error| panic!("{error}"));
        Worker { name, signer: signer(name), floor, port, process: None }
    }

    /// What `trainer-worker run` tells the chain of a worker.
    fn offer(&self, floor: Balance) -> WorkerOffer {
        WorkerOffer {
            kinds: JobKind::all().collect(),
            price_per_token: floor,
            endpoint: String::new(),
            serves: Serves::Models(vec![self.base].try_into().expect("one fits")),
            tokens_per_second: 32,
        }
    }

    fn run(&self, worker: &mut Worker) {
        let name = worker.name.to_lowercase();
        let network = &self.chain.network;
        let mut command = Command::new(&network.binaries().worker);
        command
            .args(["run", "--node", &network.url(), "--key", &format!("//{}", worker.name)])
            .args(["--price", &worker.floor.to_string(), "--serve", &self.base.to_string()])
            .args(["--listen", &format!("/ip4/127.0.0.1/tcp/{}", worker.port)])
            .args(["--heartbeat", "5"]);
        for peer in &self.peers {
            command.args(["--peer", peer]);
        }
        let place = network.directory().join("workers").join(&name);
        command.arg("--model").arg(&self.model);
        command.arg("--ipfs-directory").arg(place.join("ipfs"));
        command.arg("--work-directory").arg(place.join("work"));
        forget_environment(&mut command);
        let log = network.log(&format!("worker-{name}"));
        let process = Process::start(format!("{}'s worker", worker.name), command, log);
        worker.process = Some(process.unwrap_or_else(|error| panic!("{error}")));
    }

    /// Queues a job of Bob's with a few steps to train.
    fn job(&self) -> JobId {
        let (base, ceiling) = (self.base.to_string(), CEILING.to_string());
        let budget = format!("{}OPEN", PRICE / OPEN);
        let what = ["job", "create", "--model", &base, "--datanet", &self.chain.datanet];
        let terms = ["--budget", &budget, "--token-ceiling", &ceiling, "--method", "qlora"];
        let settings = "--lora-r 4 --lora-alpha 8 --target-modules q_proj,v_proj \
                        --learning-rate 2e-3 --per-device-train-batch-size 2 \
                        --num-train-epochs 1 --max-seq-length 64 --eval-fraction 0.2";
        let settings: Vec<&str> = settings.split_whitespace().collect();
        let bob = Actor::new("Bob", "//Bob");
        let created = self.chain.run(&bob, &[&what[..], &terms[..], &settings[..]].concat());
        number(&created, "/job").expect("its number")
    }

    fn state(&self, job: JobId) -> JobState<AccountId> {
        self.wait(self.client.job(job)).expect("it is there").state
    }

    fn dispute(&self, job: JobId) -> Option<DisputeView<AccountId>> {
        self.wait(self.client.dispute(job))
    }

    fn settled(&self, job: JobId) -> Option<DisputeView<AccountId>> {
        self.dispute(job).filter(|dispute| dispute.outcome.is_some())
    }

    fn total(&self, account: &Signer) -> Balance {
        let balance = self.wait(self.client.balance(account.account()));
        balance.free + balance.held
    }

    /// What an account gained since it had `before`, in whole OPEN: fees are far below half of one.
    fn gained(&self, account: &Signer, before: Balance) -> i64 {
        let (now, open) = (self.total(account) as f64, OPEN as f64);
        ((now - before as f64) / open).round() as i64
    }

    /// The kept finding of a worker that has not shown it yet.
    fn kept(&self, worker: &Worker, job: JobId) -> Value {
        let place = self.chain.network.directory().join("workers");
        let path = place.join(worker.name.to_lowercase()).join(format!("work/findings/{job}.json"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// Nobody is held to the dispute of a job any more, and every planck of the supply is somewhere.
    fn is_settled(&self, job: JobId, disputer: &Signer, verifiers: &[&Signer]) {
        for verifier in verifiers {
            let duties = self.wait(self.client.duties(verifier.account()));
            assert!(!duties.contains(&job), "{} still judges job {job}", verifier.account());
        }
        let balance = self.wait(self.client.balance(disputer.account()));
        let held: Vec<&String> = balance.holds.iter().map(|(reason, _)| reason).collect();
        assert!(held.iter().all(|reason| !reason.contains("Dispute")), "{held:?}");
        let all = Snapshot::read(self.chain.network.rpc(), None);
        let all = all.unwrap_or_else(|error| panic!("{error}"));
        let supply = openledger_primitives::TOTAL_SUPPLY;
        assert_eq!((all.issuance, all.total()), (supply, supply));
    }
}

fn committed(dispute: &DisputeView<AccountId>, worker: &Signer) -> bool {
    let drawn = dispute.drawn.iter().find(|one| one.worker == worker.account());
    drawn.is_some_and(|verifier| verifier.commitment.is_some())
}

fn findings(dispute: &DisputeView<AccountId>) -> Vec<Option<Finding>> {
    dispute.drawn.iter().map(|verifier| verifier.finding).collect()
}

#[test]
fn a_true_result_is_paid_and_a_false_one_is_not_though_a_verifier_is_killed_in_between() {
    let _turn = alone();
    let mut market = Market::start();
    let mut ferdie = market.worker("Ferdie", 1);
    let mut alice = market.worker("Alice", OUT_OF_REACH);
    let mut charlie = market.worker("Charlie", OUT_OF_REACH);
    // Dave is registered as a worker and still away, so that the time for hashes does not end.
    let mut dave = market.worker("Dave", OUT_OF_REACH);
    let offer = market.offer(OUT_OF_REACH);
    market.run(&mut ferdie);
    market.peers.push(format!("/ip4/127.0.0.1/tcp/{}", ferdie.port));
    for worker in [&mut alice, &mut charlie] {
        market.run(worker);
    }
    market.wait(market.client.register_worker(&dave.signer, offer, Wait::InBlock));
    for worker in [&ferdie, &alice, &charlie] {
        market.until("a worker registers", |market| {
            market.wait(market.client.worker(worker.signer.account()))
        });
    }

    let (honest, adapter) = an_honest_result(&mut market, [&mut alice, &mut charlie, &mut dave]);
    let fraud = a_false_result(&mut market, &adapter);

    // Who judged it was told what the chain says of both.
    let bob = Actor::new("Bob", "//Bob");
    for (job, outcome) in [(honest, "rejected"), (fraud, "upheld")] {
        let shown = market.chain.run(&bob, &["job", "dispute-status", &job.to_string()]);
        assert_eq!(shown["outcome"], outcome, "{shown}");
        let told = market.chain.network.call("openledger_dispute", json!([job]));
        assert_eq!(told.unwrap_or_else(|error| panic!("{error}"))["outcome"], outcome);
    }
    market.wait(market.client.prune_job(&signer("Bob"), fraud, Wait::InBlock));
    left_out_until_it_is_flagged(&mut market, honest);
}

/// Eve disputes what Ferdie has trained and loses her bond to those who found that it holds: one of
/// them was killed in between.
fn an_honest_result(
    market: &mut Market,
    [alice, charlie, dave]: [&mut Worker; 3],
) -> (JobId, JobResult) {
    let (eve, ferdie) = (signer("Eve"), signer("Ferdie"));
    let verifiers = [alice.signer.clone(), charlie.signer.clone(), dave.signer.clone()];
    let job = market.job();
    market.until("Ferdie posts a result", |market| match market.state(job) {
        JobState::Submitted { assignment, .. } => Some(assignment),
        JobState::Failed(failure) => panic!("job {job} failed: {}", failure.help()),
        JobState::Completed { .. } => panic!("job {job} was paid before it could be disputed"),
        _ => None,
    });
    let [eves, ferdies] = [&eve, &ferdie].map(|one| market.total(one));
    let had = verifiers.each_ref().map(|verifier| market.total(verifier));
    let disputed =
        market.chain.run(&Actor::new("Eve", "//Eve"), &["job", "dispute", &job.to_string()]);
    assert_eq!(disputed["bond"], STAKE.to_string(), "{disputed}");
    let paid_later = market.state(job);
    assert!(matches!(paid_later, JobState::Disputed { .. }), "{paid_later:?}");

    // The parties are never drawn, so it is these three.
    market.until("Alice and Charlie show a hash", |market| {
        let dispute = market.dispute(job)?;
        (committed(&dispute, &alice.signer) && committed(&dispute, &charlie.signer)).then_some(())
    });
    let kept = market.kept(alice, job);
    assert_eq!(kept["finding"], "holds", "{kept}");
    if let Some(mut process) = alice.process.take() {
        process.kill();
    }
    let dispute = market.dispute(job).expect("it is open");
    assert_eq!(findings(&dispute), [None; 3], "Dave has shown no hash: nothing may be shown");

    market.run(dave);
    let dispute = market.until("Dave shows a hash", |market| {
        market.dispute(job).filter(|dispute| committed(dispute, &dave.signer))
    });
    assert_ne!(dispute.reveal_by, 0);
    assert_eq!(market.kept(alice, job), kept, "what she found lies on her disk");
    market.run(alice);
    let settled = market.until("the dispute ends", |market| market.settled(job));
    assert_eq!(settled.outcome, Some(Outcome::Rejected));
    assert_eq!(findings(&settled), [Some(Finding::Holds); 3], "each in time");

    // The owner may still dispute what Eve did, for a window.
    market.until("the result is paid", |market| {
        matches!(market.state(job), JobState::Completed { .. }).then_some(())
    });
    assert_eq!(market.gained(&eve, eves), -3, "her bond");
    assert_eq!(market.gained(&ferdie, ferdies), 2, "the price");
    for (verifier, had) in verifiers.iter().zip(had) {
        assert_eq!(market.gained(verifier, had), 1, "a finding's pay");
    }
    market.is_settled(job, &eve, &verifiers.each_ref());
    let adapter = market.wait(market.client.adapter(job)).expect("it is registered");
    (job, adapter.result)
}

/// The file that was revoked before the job is in no share and flags nothing; one that is revoked after it
/// keeps its share and flags the adapter.
fn left_out_until_it_is_flagged(market: &mut Market, job: JobId) {
    let (eve, id) = (Actor::new("Eve", "//Eve"), job.to_string());
    let shares = |market: &Market| {
        let own = market.chain.run(&eve, &["adapter", "attribution", &id, "--check"]);
        let node = market.chain.network.call("openledger_attribution", json!([job]));
        (own, node.unwrap_or_else(|error| panic!("{error}")))
    };
    let before = shares(market);
    for answer in [&before.0, &before.1] {
        assert_eq!(answer["files"].as_array().map(Vec::len), Some(1), "{answer}");
        assert_eq!((&answer["files"][0]["leaf"], &answer["leftOut"]), (&json!(0), &json!(1)));
    }
    let flags = |market: &Market| {
        let own = market.chain.run(&eve, &["adapter", "show", &id]);
        let node = market.chain.network.call("openledger_adapter", json!([job]));
        [own, node.unwrap_or_else(|error| panic!("{error}"))].map(|of| of["holdsRevoked"].clone())
    };
    assert_eq!(flags(market), [false, false]);
    market
        .chain
        .run(&eve, &["submission", "revoke", "--datanet", &market.chain.datanet, "--leaf", "0"]);
    assert_eq!(flags(market), [true, true]);
    assert_eq!(shares(market), before);
    // Nothing is left to train on.
    let (bob, base) = (Actor::new("Bob", "//Bob"), market.base.to_string());
    let create = ["job", "create", "--model", &base, "--datanet", &market.chain.datanet];
    let terms = ["--budget", "2OPEN", "--token-ceiling", "1000"];
    let refused = market.chain.cli.refused(&bob, &[&create[..], &terms[..]].concat());
    let refused = refused.unwrap_or_else(|error| panic!("{error}"));
    assert!(refused.message.contains("leaves nothing to train on"), "{}", refused.message);
}

/// Mallory posts another job's adapter as hers, with a loss that it does not reach. She is not paid,
/// and who found it out is paid out of what she loses.
fn a_false_result(market: &mut Market, adapter: &JobResult) -> JobId {
    let (bob, eve, mallory) = (signer("Bob"), signer("Eve"), signer("Mallory"));
    let endowment = 2 * BOND;
    let account = mallory.account();
    market.wait(market.client.transfer(&bob, account, endowment, Wait::InBlock));
    // Below Ferdie's floor, so that the job is hers.
    let offer = market.offer(0);
    market.wait(market.client.register_worker(&mallory, offer, Wait::InBlock));
    let bobs = market.total(&bob);
    let job = market.job();
    market.until("the job is Mallory's", |market| {
        let state = market.state(job);
        state.assignment().is_some_and(|of| of.worker == account).then_some(())
    });
    market.wait(market.client.take_job(&mallory, job, Wait::InBlock));
    let result = JobResult { eval_loss_after: adapter.eval_loss_after / 2, ..*adapter };
    market.wait(market.client.submit_result(&mallory, job, result, Wait::InBlock));
    let [eves, mallorys] = [&eve, &mallory].map(|one| market.total(one));
    let everybody = ["Alice", "Charlie", "Dave", "Ferdie"].map(signer);
    let had = everybody.each_ref().map(|worker| market.total(worker));
    let (_, bond, _) = market.wait(market.client.dispute_job(&eve, job, Wait::InBlock));
    assert_eq!(bond, STAKE);

    let settled = market.until("the dispute ends", |market| market.settled(job));
    assert_eq!(settled.outcome, Some(Outcome::Upheld));
    assert_eq!(findings(&settled), [Some(Finding::NotReproduced); 3]);
    assert_eq!(market.state(job), JobState::Failed(JobFailure::Refuted));
    assert_eq!(market.wait(market.client.adapter(job)), None, "there is no adapter");
    let worker = market.wait(market.client.worker(account)).expect("she is registered");
    assert_eq!((worker.bond, worker.paused, worker.lost), (BOND - STAKE, true, 1));
    assert_eq!(market.gained(&mallory, mallorys), -3, "not paid, and what those drawn are paid");
    assert_eq!(market.gained(&eve, eves), 0, "her bond is back");
    assert_eq!(market.gained(&bob, bobs), 0, "his budget is back");
    assert_eq!(settled.fee, FEE);
    for (worker, had) in everybody.iter().zip(had) {
        let drawn = settled.drawn.iter().any(|one| one.worker == worker.account());
        assert_eq!(market.gained(worker, had), i64::from(drawn), "{}", worker.account());
    }
    market.is_settled(job, &eve, &everybody.each_ref());
    job
}
