//! `openledger review run`: what a reviewer leaves running.
//!
//! It looks at every draw that is not over. For those whose committee its account is in, a task a file fetches and
//! examines ([`work`]), the policy or a person decides, and commitment and reveal are sent. All that it must remember
//! is on the disk before it is sent ([`sealed`](super::sealed), [`Queue`]) or on the chain, so that it may be killed at
//! any moment.

mod decide;
pub(super) mod examine;
pub(super) mod metrics;
mod payments;
pub(super) mod references;
mod serve;
pub(super) mod work;

use super::{
    committee::member,
    judge, place,
    sealed::{self, Sealed},
};
use crate::{
    content,
    context::Context,
    error::{CliError, Result},
    output::{self, Answer},
};
use clap::Args;
use examine::Target;
use openledger_client::{blocks::Blocks, AccountId, Client, Signer, Wait, H256};
use openledger_content::Multiaddr;
use openledger_documents::Likeness;
use openledger_primitives::{
    committee::{api::DrawView, DrawId, FileState, Opinions, Phase, Progress},
    text::counted,
    BlockNumber, DatanetId, MediaType, RejectionReason, Score, SubmissionId, Verdict,
};
use openledger_reviewer::{
    earlier::{before_committees, challenged_acceptances},
    queue::Sum,
    Earlier, File, Lacking, Numbers, Policies, Policy, Queue,
};
use references::References;
use serde_json::{json, Value};
use serve::Serving;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet};
use work::{Shared, Work};

/// Blocks before the end of the time to commit in which a commitment is sent at the latest, whatever is missing: a fifth of
/// that time, if that is more.
const LAST_BLOCKS: u32 = 6;
/// Most seconds that a block of a file may take to come.
pub(super) const MOST_SECONDS: u64 = 30;
/// Between looks of a program that ends when nothing is left to do.
pub(super) const ONCE_EVERY: Duration = Duration::from_millis(500);
/// Time between looks at what is kept.
const PINS_EVERY: Duration = Duration::from_secs(3_600);

/// How to judge.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The score of whatever can be fetched, read, has enough units and is no copy, 1 to 100, in Datanets that
    /// the policy does not name.
    #[arg(long, value_parser = super::score, required_unless_present = "policy")]
    score: Option<Score>,
    /// A policy for each Datanet, as JSON (docs/committees.md shows one).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How often a file is asked for until it is said to be unavailable, spread over the time to commit.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,
    /// Address to serve files at, as /ip4/0.0.0.0/tcp/4001 (repeatable). Without it an openledger-ipfs daemon on the
    /// same directory serves them.
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<Multiaddr>,
    /// Address at which others reach this machine, where that is another than it listens at, as
    /// /ip4/203.0.112.7/tcp/4001 behind a router that passes the port on (repeatable, up to 4). It is said on the chain for
    /// the account's seats, and so is without it what it listens at; never an address of a network at home but on a
    /// development chain.
    #[arg(long, value_name = "MULTIADDR", requires = "listen", num_args = 1)]
    announce: Vec<Multiaddr>,
    /// Answer Prometheus at this address, as 127.0.0.1:9620.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Seconds between looks at the chain.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    every: u64,
    /// Do what can be done now, and end.
    #[arg(long)]
    once: bool,
}

fn policies(arguments: &Run) -> Result<Policies> {
    let automatic = arguments.score.map(|score| Policy::automatic(Some(score)));
    Ok(match (&arguments.policy, automatic) {
        (Some(path), None) => Policies::read(path)?,
        (Some(path), Some(default)) => Policies::read(path)?.with_default(default),
        (None, default) => Policies::all(default.unwrap_or(Policy::automatic(None))),
    })
}

/// Has a text read by the program that reads all files. Without it, or with that of another release, every file would
/// be unavailable.
pub(super) fn require_decoder() -> Result<()> {
    let read = tokio::task::block_in_place(|| Likeness::of(MediaType::Txt, b"letters"));
    read.map(drop).map_err(|error| CliError::failed(error.to_string()))
}

pub(super) async fn run(context: &Context, arguments: Run) -> Result<Answer> {
    let policies = policies(&arguments)?;
    require_decoder()?;
    let signer = context.signer().await?;
    let client = context.client().await?.clone();
    let index = place::index(context).await?;
    let queue = place::queue(context, signer.account()).await?;
    let node = content::lasting_node(context, &arguments.listen).await?;
    let reserve = LAST_BLOCKS.max(client.committee_lengths().await?.commit / 5);
    let (block, blocks) = watch::channel(client.best().await?.0);
    let timeout = Duration::from_secs(context.global.timeout.min(MOST_SECONDS));
    let (numbers, read) = watch::channel(Numbers::default());
    let metrics = match arguments.metrics {
        Some(address) => Some(metrics::serve(address, move || read.borrow().to_text()).await?),
        None => None,
    };
    let served = node.listen_addresses();
    let serving = Serving::new(&client, &node, &arguments.announce).await?;
    let mut daemon = Daemon {
        context,
        account: signer.account(),
        signer,
        chain: Blocks::new(client.clone()),
        client,
        policies,
        shared: Arc::new(Shared::new(node, index, queue, timeout, arguments.tries, blocks)),
        works: HashMap::new(),
        votes: HashMap::new(),
        sending: JoinSet::new(),
        busy: HashMap::new(),
        references: References::default(),
        serving,
        copies: BTreeSet::new(),
        accepted: BTreeSet::new(),
        held: HashMap::new(),
        before: BTreeMap::new(),
        first: 0,
        reserve,
        block,
        numbers,
        pins_at: None,
        once: arguments.once,
        done: Done::default(),
    };
    if !arguments.once {
        let metrics = metrics.as_ref().map(|(address, _)| format!("http://{address}/metrics"));
        let text = format!("Judges for {}. Stop it with Ctrl-C.", daemon.account);
        let json = json!({ "reviewer": daemon.account, "listen": served, "metrics": metrics });
        daemon.say(json, text);
    }
    loop {
        match daemon.look().await {
            Ok(waits) if arguments.once && !waits => {
                daemon.shared.node.shutdown().await;
                return daemon.done.answer();
            }
            Ok(_) => {}
            Err(error) if arguments.once => return Err(error),
            Err(error) => {
                daemon.numbers.send_modify(|numbers| numbers.node = 0);
                tracing::warn!("{}", error.text());
            }
        }
        tokio::time::sleep(match arguments.once {
            true => ONCE_EVERY,
            false => Duration::from_secs(arguments.every),
        })
        .await;
    }
}

/// What was done.
#[derive(Default)]
struct Done {
    committed: Vec<DrawId>,
    revealed: Vec<DrawId>,
    failed: Vec<(DrawId, String)>,
}

impl Done {
    fn answer(&self) -> Result<Answer> {
        let Self { committed, revealed, failed } = self;
        if let Some((draw, error)) = failed.first() {
            return Err(CliError::failed(format!("draw {draw}: {error}")));
        }
        let text = format!(
            "Committed in {}, revealed in {}.",
            counted(committed.len(), "draw"),
            revealed.len()
        );
        Ok(Answer::new(json!({ "committed": committed, "revealed": revealed }), text))
    }
}

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Commit,
    Reveal,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Commit => "committed",
            Self::Reveal => "revealed",
        }
    }
}

/// A vote that is on the disk, and what it says.
struct Vote {
    sealed: Sealed,
    words: Value,
}

/// Files of a Datanet that are to be judged.
#[derive(Default)]
struct Own {
    files: BTreeSet<File>,
    /// The number of the last.
    last: SubmissionId,
    /// The block in which the first was submitted, as far as it was read.
    since: Option<BlockNumber>,
    /// Whether a draw of them is looked at for the first time.
    anew: bool,
}

struct Daemon<'a> {
    context: &'a Context,
    account: AccountId,
    signer: Signer,
    client: Client,
    chain: Blocks,
    policies: Policies,
    shared: Arc<Shared>,
    /// Files of draws to commit in.
    works: HashMap<DrawId, Vec<Option<Work>>>,
    /// Votes that were made and are not on the chain yet.
    votes: HashMap<DrawId, Vote>,
    sending: JoinSet<(DrawId, Step, Result<(), String>)>,
    busy: HashMap<DrawId, Step>,
    references: References,
    /// Where it serves, and whom it visits.
    serving: Serving,
    /// Submissions that committees refused as copies, and that are challenged.
    copies: BTreeSet<SubmissionId>,
    /// Submissions that committees accepted, and that are challenged.
    accepted: BTreeSet<SubmissionId>,
    /// Files that are not accepted, by draw, each with the earlier submission for whose sake.
    held: HashMap<DrawId, BTreeMap<SubmissionId, Lacking>>,
    /// What committees had before them when the chain was looked at last.
    before: BTreeMap<DatanetId, Vec<Earlier>>,
    /// Draws below are over.
    first: DrawId,
    /// Blocks before the end of the time to commit in which a commitment is sent, whatever is missing.
    reserve: u32,
    block: watch::Sender<u32>,
    numbers: watch::Sender<Numbers>,
    pins_at: Option<Instant>,
    once: bool,
    done: Done,
}

impl Daemon<'_> {
    fn queue(&self) -> &Queue {
        &self.shared.queue
    }

    /// Tells what was done, as a line.
    fn say(&self, json: Value, text: String) {
        let answer = Answer::new(json, text);
        output::succeed(self.context.global.output, &answer);
    }

    /// Looks at the chain and does what it waits for. Whether anything is being done that will end by itself.
    async fn look(&mut self) -> Result<bool> {
        let (now, _) = self.client.best().await?;
        self.block.send_replace(now);
        self.sent();
        let (next, _) = self.client.next_draw().await?;
        let mut draws = Vec::new();
        let mut start = self.first;
        while start < next {
            draws.extend(self.client.draws(start).await?);
            start = start.saturating_add(100);
        }
        self.first = draws.iter().map(|view| view.id).min().unwrap_or(next);
        let before = before_committees(&draws);
        let files = draws.iter().flat_map(|view| view.draw.files.iter());
        let copies = files.filter(|file| {
            let verdict = Verdict::Reject(RejectionReason::Duplicate);
            matches!(file.state, FileState::Challenged { verdict: said, .. } if said == verdict)
        });
        self.copies = copies.map(|file| file.submission).collect();
        self.accepted = challenged_acceptances(&draws);
        let mine: Vec<_> =
            draws.iter().filter(|view| member(view, &self.account).is_some()).collect();
        self.forget(&mine)?;
        // Nothing of this keeps a word from being said in time.
        if let Err(error) = self.visit(&draws, &mine).await {
            tracing::warn!("where others serve is not known: {}", error.text());
        }
        if let Err(error) =
            self.references.read_gone(&self.client, &self.shared, &self.before, &before).await
        {
            tracing::warn!("what became of earlier files is not known: {}", error.text());
        }
        // What has no more time waits for nothing that others need.
        let (late, others): (Vec<_>, Vec<_>) =
            mine.iter().copied().partition(|view| self.is_late(view, now));
        // Of what ended since the look before, leaves and refusals are read after those that have no more time.
        let mut seen = std::mem::replace(&mut self.before, before.clone());
        for (datanet, files) in &before {
            seen.entry(*datanet).or_default().extend(files);
        }
        let mut waits = self.steps(&late, now, &seen).await;
        self.references(&others, &before).await;
        waits |= self.steps(&others, now, &before).await;
        if !self.once {
            if let Err(error) = self.announce(&mine).await {
                tracing::warn!("where it serves could not be said: {}", error.text());
            }
            self.keep();
            if let Err(error) = payments::read(&self.chain, self.account, self.queue()).await {
                tracing::warn!("payments could not be read: {}", error.text());
            }
            self.count(&mine)?;
        }
        Ok(waits || !self.sending.is_empty())
    }

    /// Whether a draw's commitment is to be sent, whatever is missing.
    fn is_late(&self, view: &DrawView<AccountId>, now: u32) -> bool {
        let Phase::Committing { by } = view.draw.phase else { return false };
        now >= by.saturating_sub(self.reserve)
    }

    /// Does what draws wait for. Whether any waits for something that ends by itself.
    async fn steps(
        &mut self,
        draws: &[&DrawView<AccountId>],
        now: u32,
        before: &BTreeMap<DatanetId, Vec<Earlier>>,
    ) -> bool {
        let mut waits = false;
        for view in draws {
            match self.step(view, now, before).await {
                Ok(more) => waits |= more,
                Err(error) => {
                    tracing::warn!(draw = view.id, "{}", error.text());
                    if self.once {
                        self.done.failed.push((view.id, error.text()));
                    }
                }
            }
        }
        waits
    }

    /// Takes what became of what was sent.
    fn sent(&mut self) {
        while let Some(ended) = self.sending.try_join_next() {
            let Ok((draw, step, result)) = ended else { continue };
            self.busy.remove(&draw);
            match result {
                Ok(()) => {
                    let sum = match step {
                        Step::Commit => Sum::Commits,
                        Step::Reveal => Sum::Reveals,
                    };
                    let counted = self.queue().sum(sum).and_then(|so_far| {
                        self.queue().set_sums(&[(sum, so_far.saturating_add(1))])
                    });
                    if let Err(error) = counted {
                        tracing::warn!("{error}");
                    }
                    let words = match step {
                        Step::Commit => self.votes.get(&draw).map(|vote| vote.words.clone()),
                        Step::Reveal => None,
                    };
                    if !self.once {
                        let json = json!({ "draw": draw, "did": step.name(), "files": words });
                        let told = words.as_ref().and_then(Value::as_array).map(|files| {
                            let word = |file: &Value| file["word"].as_str().map(str::to_owned);
                            files.iter().filter_map(word).collect::<Vec<_>>().join(", ")
                        });
                        let told = told.map_or(String::new(), |told| format!(": {told}"));
                        let what = match step {
                            Step::Commit => "Committed",
                            Step::Reveal => "Revealed",
                        };
                        self.say(json, format!("{what} in draw {draw}{told}."));
                    }
                    match step {
                        Step::Commit => self.done.committed.push(draw),
                        Step::Reveal => self.done.revealed.push(draw),
                    }
                }
                Err(error) => {
                    tracing::warn!(draw, "not {}: {error}", step.name());
                    self.done.failed.push((draw, error));
                }
            }
            if !self.once {
                self.done = Done::default();
            }
        }
    }

    /// Forgets what draws need no more.
    fn forget(&mut self, mine: &[&DrawView<AccountId>]) -> Result<()> {
        let open: Vec<DrawId> = mine
            .iter()
            .filter(|view| is_to_commit(view, &self.account))
            .map(|view| view.id)
            .collect();
        self.works.retain(|draw, _| open.contains(draw));
        self.held.retain(|draw, _| open.contains(draw));
        self.votes.retain(|draw, _| open.contains(draw) || self.busy.contains_key(draw));
        self.queue().keep_only(&open, self.first)?;
        for view in mine {
            let progress = member(view, &self.account).map(|member| member.progress);
            let missed = match (view.draw.phase, progress) {
                (Phase::Revealing { .. }, Some(Progress::Drawn)) => true,
                (Phase::Judged { .. } | Phase::Over, Some(progress)) => {
                    progress != Progress::Revealed
                }
                _ => false,
            };
            if missed {
                self.queue().missed(view.id)?;
            }
        }
        Ok(())
    }

    /// Looks for what the open files are compared with.
    async fn references(
        &mut self,
        mine: &[&DrawView<AccountId>],
        before: &BTreeMap<DatanetId, Vec<Earlier>>,
    ) {
        if let Err(error) = self.references.remember_formats(&self.shared, before) {
            tracing::warn!("formats could not be kept: {}", error.text());
        }
        let open = mine.iter().filter(|view| is_to_commit(view, &self.account));
        // Files of its own draws are fetched for them.
        let mut own: BTreeMap<DatanetId, Own> = BTreeMap::new();
        for view in open {
            let own = own.entry(view.datanet).or_default();
            let files = view.draw.files.iter();
            own.files.extend(files.map(|file| File { sha256: file.sha256, media: file.media }));
            own.last = view.draw.files.iter().map(|file| file.submission).fold(own.last, Ord::max);
            own.anew |= !self.works.contains_key(&view.id);
            let works = self.works.get(&view.id).into_iter().flatten().flatten();
            own.since = works.map(|work| work.submitted_at).chain(own.since).min();
        }
        for (datanet, own) in own {
            let before = before.get(&datanet).map(Vec::as_slice).unwrap_or_default();
            if let Err(error) = self.read_references(datanet, &own, before).await {
                self.references.were_not_read(datanet);
                tracing::warn!(datanet, "what came before is not known: {}", error.text());
            }
        }
        if self.once {
            return;
        }
        // Where what others have before them is, for a day on which it is refused and a copy of it challenged.
        for (datanet, files) in before {
            for one in files {
                if let Err(error) = self.references.remember(&self.client, *datanet, one).await {
                    return tracing::warn!("what came before is not known: {}", error.text());
                }
            }
        }
        self.references.forget_places(before);
    }

    /// Looks for what files of a Datanet are compared with.
    async fn read_references(
        &mut self,
        datanet: DatanetId,
        own: &Own,
        before: &[Earlier],
    ) -> Result<()> {
        let (client, shared) = (&self.client, &self.shared);
        self.references.read(client, shared, datanet).await?;
        self.references.read_refused(client, shared, datanet, own.last).await?;
        self.references.read_undrawn(client, datanet, own.last, before).await?;
        let refused = self.references.refused(datanet);
        let refused =
            refused.filter(|one| own.since.is_some_and(|since| one.refused_at >= Some(since)));
        let others = before.iter().copied().chain(refused);
        let others: Vec<_> =
            others.filter(|one| one.file().is_none_or(|file| !own.files.contains(&file))).collect();
        self.references.fetch(client, shared, datanet, &others, own.anew).await
    }

    /// Does what a draw waits for from this account. Whether it waits for something that ends by itself.
    async fn step(
        &mut self,
        view: &DrawView<AccountId>,
        now: u32,
        before: &BTreeMap<DatanetId, Vec<Earlier>>,
    ) -> Result<bool> {
        let Some(member) = member(view, &self.account) else { return Ok(false) };
        if self.busy.contains_key(&view.id) {
            return Ok(true);
        }
        match (view.draw.phase, member.progress) {
            (Phase::Committing { by }, Progress::Drawn) => {
                judge::require_extractor(view)?;
                if !self.votes.contains_key(&view.id) {
                    let before = before.get(&view.datanet).map(Vec::as_slice).unwrap_or_default();
                    let (opinions, waits) = self.opinions(view, now, by, before).await?;
                    let Some((opinions, words)) = opinions else { return Ok(waits) };
                    let sealed = Sealed::new(view.id, view.draw.seed, self.account, opinions)?;
                    let folder = sealed::folder(self.context, self.account, view.id).await?;
                    sealed::keep(&folder, &sealed)?;
                    self.pin(view, &sealed.opinions)?;
                    self.votes.insert(view.id, Vote { sealed, words });
                }
                let Some(vote) = self.votes.get(&view.id) else { return Ok(true) };
                let (client, signer) = (self.client.clone(), self.signer.clone());
                let (draw, commitment) = (view.id, vote.sealed.commitment());
                let wait = self.context.wait(Wait::InBlock);
                self.busy.insert(draw, Step::Commit);
                self.sending.spawn(async move {
                    let sent = client.commit_opinions(&signer, draw, commitment, wait).await;
                    (draw, Step::Commit, sent.map(drop).map_err(|error| error.to_string()))
                });
                Ok(true)
            }
            (Phase::Revealing { .. }, Progress::Committed(commitment)) => {
                let folder = sealed::folder(self.context, self.account, view.id).await?;
                let vote = sealed::kept(&folder, H256(commitment.0))?;
                let (client, signer) = (self.client.clone(), self.signer.clone());
                let (draw, wait) = (view.id, self.context.wait(Wait::InBlock));
                self.busy.insert(draw, Step::Reveal);
                self.sending.spawn(async move {
                    let sent =
                        client.reveal_opinions(&signer, draw, &vote.opinions, &vote.salt, wait);
                    let sent = sent.await.map(drop).map_err(|error| error.to_string());
                    (draw, Step::Reveal, sent)
                });
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Remembers to keep what is accepted.
    fn pin(&self, view: &DrawView<AccountId>, opinions: &Opinions) -> Result<()> {
        let works = self.works.get(&view.id).map(Vec::as_slice).unwrap_or_default();
        for (opinion, work) in opinions.iter().zip(works) {
            if let (Verdict::Accept { .. }, Some(work)) = (opinion.verdict, work) {
                let Target { sha256, content, size, .. } = work.target;
                self.queue().pin(&sha256, &content, size)?;
            }
        }
        Ok(())
    }

    /// Looks from time to time whether everything that was accepted is whole, and fetches what is not.
    fn keep(&mut self) {
        if self.pins_at.is_some_and(|at| at.elapsed() < PINS_EVERY) {
            return;
        }
        self.pins_at = Some(Instant::now());
        let shared = self.shared.clone();
        tokio::spawn(async move { shared.restore().await });
    }

    /// Counts for Prometheus.
    fn count(&self, mine: &[&DrawView<AccountId>]) -> Result<()> {
        let queue = self.queue();
        let asked = queue.waiting()?.iter().filter(|waiting| waiting.word.is_none()).count();
        let small = |sum| queue.sum(sum).map(|sum| u64::try_from(sum).unwrap_or(u64::MAX));
        let open = |view: &&&DrawView<AccountId>| {
            view.draw.files.iter().any(|file| matches!(file.state, FileState::Open))
        };
        let undecided = mine
            .iter()
            .filter(open)
            .filter(|view| is_to_commit(view, &self.account))
            .map(|view| view.draw.files.len() as u64)
            .sum();
        self.numbers.send_replace(Numbers {
            draws: mine.len() as u64,
            undecided,
            queue: asked as u64,
            held: self.held.values().map(|held| held.len() as u64).sum(),
            unknown: self.references.unknown(),
            pinned: queue.pins()?.len() as u64,
            commits: small(Sum::Commits)?,
            reveals: small(Sum::Reveals)?,
            missed: queue.count_missed()?,
            earned: queue.sum(Sum::Earned)?,
            lost: queue.sum(Sum::Lost)?,
            node: 1,
        });
        Ok(())
    }
}

/// Whether a draw waits for this account's commitment.
fn is_to_commit(view: &DrawView<AccountId>, account: &AccountId) -> bool {
    matches!(view.draw.phase, Phase::Committing { .. })
        && member(view, account).is_some_and(|member| member.progress == Progress::Drawn)
}
