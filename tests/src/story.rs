//! The life of a file and of a job, from a contributor's disk to a paid adapter, in real processes.
//!
//! Each part is a function of [`Story`]; [`Story::run`] plays them in order. What can overlap does:
//! while curators wait for blocks, the base model answers the questions it will be compared on; and
//! committees are drawn, judge and are challenged from the submissions on until the end.

mod adapter;
mod committee;
mod contribute;
mod gateway;
mod media;
mod money;
mod prepare;
mod review;
mod serve;
mod train;

pub use contribute::{check_refusal, digest, submit};

use crate::{
    cli::{Actor, Cli},
    console::Console,
    error::ensure,
    network::{Binaries, Network},
    report::{self, Report},
    sheet::Snapshot,
    Error, Result,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

/// Least fall of the held-out loss that is called learning, in nats a token.
pub const LEAST_FALL: f64 = 0.10;

/// How much a job trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// A few steps: enough to see that everything is connected.
    Small,
    /// Enough to learn the contributors' facts.
    Full,
}

/// What happens to the system while a job trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The node is stopped and started on the same data.
    RestartNode,
    /// The worker is killed (SIGKILL) and started again.
    KillWorker,
}

/// One training job of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobPlan {
    /// How much it trains.
    pub budget: Budget,
    /// What happens meanwhile.
    pub fault: Option<Fault>,
    /// Whether it trains the first job's adapter further.
    pub refines: bool,
}

/// What is played.
#[derive(Clone, Debug)]
pub struct StoryOptions {
    /// The training jobs, one after the other.
    pub jobs: Vec<JobPlan>,
    /// Whether base model and adapter are asked the questions.
    pub ask: bool,
    /// Whether the story fails unless the adapter has learnt something.
    pub must_learn: bool,
    /// Whether to ask for the usual JSON-RPC port.
    pub usual_port: bool,
}

impl StoryOptions {
    /// What `scripts/run` shows: one job that must learn.
    pub fn full() -> Self {
        Self {
            jobs: vec![JobPlan { budget: Budget::Full, fault: None, refines: false }],
            ask: true,
            must_learn: true,
            usual_port: true,
        }
    }

    /// Jobs of a few steps with these faults; nothing is said of what they learn.
    pub fn small(faults: &[Option<Fault>]) -> Self {
        let plan = |fault: &Option<Fault>| JobPlan {
            budget: Budget::Small,
            fault: *fault,
            refines: false,
        };
        let jobs = faults.iter().map(plan).collect();
        Self { jobs, ask: false, must_learn: false, usual_port: false }
    }

    /// The same, and at the end a small job that trains the first job's adapter further.
    pub fn then_refining(mut self) -> Self {
        self.jobs.push(JobPlan { budget: Budget::Small, fault: None, refines: true });
        self
    }
}

/// Everyone who acts. The names are those of tables and logs.
#[derive(Clone, Debug)]
struct People {
    /// Creates the Datanet and pays into its pool.
    bob: Actor,
    /// A curator.
    charlie: Actor,
    /// Another curator.
    dave: Actor,
    /// Sponsors Ben, registers the base model and pays for the jobs.
    eve: Actor,
    /// Runs the worker.
    ferdie: Actor,
    /// A contributor who pays for her registration.
    ada: Actor,
    /// A contributor with no OPEN, registered by Eve.
    ben: Actor,
    /// A contributor to the Datanet that strangers judge.
    cleo: Actor,
    /// Owns it, and pays its reviewers.
    mia: Actor,
    /// Strangers with a seat each.
    reviewers: Vec<Actor>,
}

/// OPEN that went from one account to another, fees apart.
#[derive(Clone, Debug)]
struct Payment {
    from: String,
    to: String,
    what: String,
    amount: u128,
}

/// A run of the story.
#[derive(Debug)]
pub struct Story {
    options: StoryOptions,
    console: Console,
    model: PathBuf,
    directory: PathBuf,
    // Before the network, so that nothing asks a node that is gone.
    cli: Arc<Cli>,
    network: Network,
    people: People,
    genesis: Snapshot,
    payments: Vec<Payment>,
    datanet: u64,
    base: u64,
    base_answers: Vec<String>,
    media: Vec<media::MediaNet>,
    judges: Option<committee::Judges>,
    // Held while the judges' commands are on their way: a restart waits, so that each is sent once and its fee
    // is known.
    calm: Arc<Mutex<()>>,
    server_port: Option<u16>,
    report: Report,
    started: Instant,
}

impl Drop for Story {
    fn drop(&mut self) {
        if let Some(judges) = &self.judges {
            judges.leave();
        }
    }
}

impl Story {
    /// Starts the network of the story in `directory`, with the base model in the file `model`.
    ///
    /// # Errors
    ///
    /// If a process does not come up.
    pub fn start(
        options: StoryOptions,
        binaries: Binaries,
        model: &Path,
        directory: &Path,
    ) -> Result<Self> {
        let started = Instant::now();
        let console = Console::default();
        ensure_file(model)?;
        console.phase("A chain and IPFS nodes, each a process of its own");
        let mut network = Network::start(binaries, directory, options.usual_port)?;
        for note in network.notes() {
            console.line(note);
        }
        let people = prepare::people(&mut network)?;
        let port = prepare::gateway(&mut network)?;
        console.line(format!("OpenLedger in a browser: http://localhost:{port}"));
        let cli = Arc::new(Cli::new(&network.binaries().cli, network.url(), directory)?);
        let genesis = Snapshot::read(network.rpc(), Some(0))?;
        console.line(format!(
            "chain at {} (block {}), IPFS nodes of Ada, Ben, Charlie, Cleo, Dave and Eve",
            network.url(),
            network.block()?
        ));
        let mut story = Self {
            options,
            console,
            model: model.to_owned(),
            directory: directory.to_owned(),
            cli,
            network,
            people,
            genesis,
            payments: Vec::new(),
            datanet: 0,
            base: 0,
            base_answers: Vec::new(),
            media: Vec::new(),
            judges: None,
            calm: Arc::default(),
            server_port: None,
            report: Report::default(),
            started,
        };
        story.end_phase("network", started);
        Ok(story)
    }

    /// Plays every part.
    ///
    /// # Errors
    ///
    /// The first thing that does not go as it should; [`Story::report`] holds what was done so far.
    pub fn run(&mut self) -> Result<()> {
        let result = self.play();
        self.report.seconds = self.started.elapsed().as_secs_f64();
        self.report.passed = result.is_ok();
        self.report.failure = result.as_ref().err().map(ToString::to_string);
        result
    }

    fn play(&mut self) -> Result<()> {
        self.part("accounts", "Accounts, a Datanet and a sponsor", Self::prepare)?;
        self.part("submissions", "Files from the contributors' disks", Self::contribute)?;
        self.part(
            "review",
            "Curators fetch each file over IPFS, re-hash it and vote",
            Self::review,
        )?;
        self.part("media", "A picture and a melody, each in a Datanet of its own", Self::media)?;
        for plan in self.options.jobs.clone() {
            let title = match plan.fault {
                None => "A LoRA job on the accepted files",
                Some(Fault::RestartNode) => "A job during which the node is restarted",
                Some(Fault::KillWorker) => "A job during which the worker is killed (SIGKILL)",
            };
            self.part("training", title, |story| story.train(plan))?;
        }
        self.part("adapter", "The adapter, read back from chain and IPFS", Self::adapter)?;
        if self.options.ask {
            self.part("answers", "The same questions for base model and adapter", Self::answers)?;
        }
        self.part("serve", "A server that takes the adapter from the chain", Self::serve)?;
        self.part("chat", "The same questions through the gateway", Self::chat_through_gateway)?;
        self.part("attribution", "Whose data made it", Self::attribution)?;
        self.part(
            "committees",
            "What strangers judged meanwhile, and a challenge",
            Self::verdicts,
        )?;
        self.part("rewards", "Rewards claimed", Self::claim)?;
        self.part("balances", "Balance sheet, in OPEN", Self::balance_sheet)
    }

    /// What was done, for `--report`.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The network, which stays up until the story is dropped.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Commands to try while the network is up.
    pub fn things_to_try(&self) -> Vec<String> {
        let cli = shell_word(&self.network.binaries().cli);
        let node = self.network.url();
        let port = self.network.rpc().port();
        let datanet = self.datanet;
        let job = self.report.jobs.last().map_or(0, |job| job.id);
        let mut tries = vec![
            format!(
                "curl -s -H 'Content-Type: application/json' http://127.0.0.1:{port} -d \
                 '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"openledger_attribution\",\
                 \"params\":[{job}]}}'"
            ),
            format!("{cli} --node {node} leaderboard {datanet}"),
            format!("{cli} --node {node} adapter show {job}"),
        ];
        if let Some(port) = self.server_port {
            tries.push(format!(
                "curl -s -H 'Content-Type: application/json' \
                 http://127.0.0.1:{port}/v1/chat/completions -d '{{\"model\":\"openledger:{job}\",\
                 \"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
            ));
        }
        tries
    }

    fn part<T>(
        &mut self,
        name: &str,
        title: &str,
        play: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.console.phase(title);
        let began = Instant::now();
        let result = play(self);
        self.end_phase(name, began);
        // A process that died explains a failure better than the question it did not answer.
        if result.is_err() && !crate::interrupt::interrupted() {
            self.network.ensure_running()?;
        }
        result
    }

    fn end_phase(&mut self, name: &str, began: Instant) {
        let seconds = began.elapsed().as_secs_f64();
        self.report.phases.push(report::Phase { name: name.to_owned(), seconds });
    }

    fn pay(&mut self, from: &str, to: &str, what: &str, amount: u128) {
        self.payments.push(Payment {
            from: from.to_owned(),
            to: to.to_owned(),
            what: what.to_owned(),
            amount,
        });
    }

    fn address(&self, name: &str) -> Result<String> {
        self.report
            .accounts
            .get(name)
            .cloned()
            .ok_or_else(|| Error::broken("the story", format!("{name} has no account")))
    }

    /// The name of an address, or the address.
    fn name_of(&self, address: &str) -> String {
        let accounts: &BTreeMap<String, String> = &self.report.accounts;
        accounts
            .iter()
            .find(|(_, known)| *known == address)
            .map_or_else(|| address.to_owned(), |(name, _)| name.clone())
    }
}

/// Runs two things at once and returns both results, or the first failure.
fn both<A: Send, B>(
    one: impl FnOnce() -> Result<A> + Send,
    other: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one
            .join()
            .unwrap_or_else(|_| Err(Error::broken("the story", "one of its threads panicked")));
        Ok((one?, other?))
    })
}

fn ensure_file(model: &Path) -> Result<()> {
    let size = std::fs::metadata(model).map(|file| file.len()).unwrap_or(0);
    if size > 0 {
        return Ok(());
    }
    Err(Error::failed(
        "the base model",
        format!("{} is not there or is empty", model.display()),
        "fetch it with `scripts/model`, which prints its path",
    ))
}

fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(|c: char| c.is_whitespace() || "'\"$`\\&;()".contains(c)) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        text
    }
}

/// Fails the named part of the story unless `holds`.
fn must(holds: bool, message: impl FnOnce() -> String) -> Result<()> {
    ensure(holds, "the story", message)
}
