//! `openledger review watch`: challenges what is wrong by measure.
//!
//! It looks at every file that a committee has before it or has accepted, fetches it, compares it as `review run`
//! does ([`References`]), and challenges an acceptance with whose file something is wrong that a program can tell
//! ([`Fault`](openledger_reviewer::Fault)), with the account's bond and within its limits. What it must remember is on the
//! disk before it is sent ([`Challenges`]) or on the chain, so that it may be killed at any moment.

mod challenge;
mod ended;
mod file;

use super::{
    place,
    run::{
        examine::Target,
        metrics,
        references::References,
        require_decoder,
        work::{Shared, SLOT},
        MOST_SECONDS, ONCE_EVERY,
    },
    serving,
};
use crate::{
    arguments::amount,
    content,
    context::Context,
    error::Result,
    output::{self, Answer},
};
use clap::Args;
use file::{Asked, Watched};
use openledger_client::{blocks::Blocks, AccountId, Amount, Client, Signer};
use openledger_content::{Multiaddr, Reach};
use openledger_documents::EXTRACTOR_VERSION;
use openledger_primitives::{
    api::{SubmissionKey, SubmissionState},
    committee::{api::DrawView, DrawId, FileState, Phase},
    BlockNumber, DatanetId, SubmissionId, Verdict,
};
use openledger_reviewer::{
    earlier::before_committees, holders::holders, Challenges, Earlier, Policies, Policy,
    Watched as Numbers,
};
use serde_json::{json, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{watch, Semaphore},
    task::JoinHandle,
};

/// Files that are fetched at the same time.
const AT_ONCE: usize = 8;
/// How often a file is asked for in the time to challenge, and looked at again while something that it may be a copy of
/// is missing.
const LOOKS: u64 = 20;
/// Time between looks at whether what was challenged is still here to be shown.
const PINS_EVERY: Duration = Duration::from_secs(600);

/// Until members of draws are asked anew where they serve.
const VISIT_EVERY: Duration = Duration::from_secs(30);

/// What to challenge, and how much to risk for it.
#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// Datanets to watch (repeatable) [default: all that committees judge].
    #[arg(long = "datanet", value_name = "NUMBER")]
    datanets: Vec<DatanetId>,
    /// A policy for each Datanet, as of `review run`: `duplicate` says from which likeness on a file is a copy.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Most that is held in bonds at once; a challenge takes 10 OPEN.
    #[arg(long, value_name = "AMOUNT", default_value = "50OPEN", value_parser = amount)]
    bond_limit: Amount,
    /// What stays free on the account, for fees.
    #[arg(long, value_name = "AMOUNT", default_value = "1OPEN", value_parser = amount)]
    reserve: Amount,
    /// Challenge too what could not be fetched in two thirds of the time to challenge. Only for a machine that is well
    /// connected: what others can fetch costs the bond.
    #[arg(long)]
    missing: bool,
    /// Address to serve files at, as /ip4/0.0.0.0/tcp/4003 (repeatable): who is asked about a copy needs the earlier
    /// file.
    #[arg(long, value_name = "MULTIADDR", required_unless_present_any = ["served", "dry_run"])]
    listen: Vec<Multiaddr>,
    /// An openledger-ipfs daemon on the same directory serves them.
    #[arg(long, conflicts_with = "listen")]
    served: bool,
    /// Only say what it would challenge.
    #[arg(long)]
    dry_run: bool,
    /// Answer Prometheus at this address, as 127.0.0.1:9621.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Seconds between looks at the chain.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    every: u64,
    /// Do what can be done now, and end.
    #[arg(long)]
    once: bool,
}

pub(super) async fn watch(context: &Context, arguments: Watch) -> Result<Answer> {
    let policies = match &arguments.policy {
        Some(path) => Policies::read(path)?,
        None => Policies::all(Policy::automatic(None)),
    };
    require_decoder()?;
    let signer = match arguments.dry_run {
        true => None,
        false => Some(context.signer().await?),
    };
    let account = match &signer {
        Some(signer) => signer.account(),
        None => context.account(None).await?,
    };
    let client = context.client().await?.clone();
    let index = place::index(context).await?;
    let queue = place::queue(context, account).await?;
    let challenges = place::challenges(context, account).await?;
    let node = content::lasting_node(context, &arguments.listen).await?;
    let window = u64::from(client.committee_lengths().await?.challenge);
    let timeout = Duration::from_secs(context.global.timeout.min(MOST_SECONDS));
    let (block, blocks) = watch::channel(client.best().await?.0);
    let (numbers, read) = watch::channel(Numbers::default());
    let metrics = match arguments.metrics {
        Some(address) => Some(metrics::serve(address, move || read.borrow().to_text()).await?),
        None => None,
    };
    let served = node.listen_addresses();
    let once = arguments.once;
    let every = Duration::from_secs(arguments.every);
    let mut daemon = Daemon {
        context,
        account,
        signer,
        chain: Blocks::new(client.clone()),
        client,
        policies,
        shared: Arc::new(Shared::new(node, index, queue, timeout, 1, blocks)),
        turns: Arc::new(Semaphore::new(AT_ONCE)),
        challenges,
        references: References::default(),
        files: BTreeMap::new(),
        pause: Duration::from_secs((window.saturating_mul(SLOT) / LOOKS).clamp(3, 600)),
        window: u32::try_from(window).unwrap_or(u32::MAX),
        first: 0,
        block,
        numbers,
        pins_at: None,
        reach: serving::reach(context.client().await?).await?,
        visited_at: None,
        other_extractor: false,
        getting: None,
        found: Vec::new(),
        arguments,
    };
    if !once {
        let metrics = metrics.as_ref().map(|(address, _)| format!("http://{address}/metrics"));
        let limit = daemon.arguments.bond_limit;
        let text = match daemon.signer {
            Some(_) => format!(
                "Watches for {account}, with bonds of at most {limit} at once. Stop it with Ctrl-C."
            ),
            None => "Watches and challenges nothing. Stop it with Ctrl-C.".to_owned(),
        };
        let json = json!({ "watcher": account, "listen": served, "metrics": metrics });
        daemon.say(json, text);
    }
    loop {
        match daemon.look().await {
            Ok(waits) if once && !waits => {
                daemon.shared.node.shutdown().await;
                return Ok(daemon.answer());
            }
            Ok(_) => {}
            Err(error) if once => return Err(error),
            Err(error) => {
                daemon.numbers.send_modify(|numbers| numbers.node = 0);
                tracing::warn!("{}", error.text());
            }
        }
        tokio::time::sleep(if once { ONCE_EVERY } else { every }).await;
    }
}

/// A file of a draw.
type Place = (DrawId, u8);

struct Daemon<'a> {
    context: &'a Context,
    account: AccountId,
    /// Who challenges; nobody where it is only said what would be.
    signer: Option<Signer>,
    client: Client,
    chain: Blocks,
    policies: Policies,
    shared: Arc<Shared>,
    turns: Arc<Semaphore>,
    challenges: Challenges,
    references: References,
    /// Files that committees have before them, or accepted and may be challenged.
    files: BTreeMap<Place, Watched>,
    /// Between one look at a file and the next.
    pause: Duration,
    /// Blocks to challenge in.
    window: u32,
    /// Draws below are over.
    first: DrawId,
    block: watch::Sender<u32>,
    numbers: watch::Sender<Numbers>,
    pins_at: Option<Instant>,
    /// Which announced addresses are dialled, and when they were asked for.
    reach: Reach,
    visited_at: Option<Instant>,
    /// Whether it was said that draws measure with another extractor.
    other_extractor: bool,
    /// Fetches what is to be shown to a larger committee.
    getting: Option<JoinHandle<()>>,
    /// What was found, for a program that ends.
    found: Vec<Value>,
    arguments: Watch,
}

/// A draw that is watched, with its accepted files that may be challenged until a block.
fn is_watched(view: &DrawView<AccountId>) -> bool {
    let drawn = !view.draw.members.is_empty();
    drawn && view.draw.purpose.is_call()
}

/// The last block in which a verdict of a draw may be challenged.
fn until(view: &DrawView<AccountId>) -> Option<BlockNumber> {
    match view.draw.phase {
        Phase::Judged { until } => Some(until),
        _ => None,
    }
}

impl Daemon<'_> {
    /// Tells what was done, as a line.
    fn say(&self, json: Value, text: String) {
        output::succeed(self.context.global.output, &Answer::new(json, text));
    }

    /// Tells of a file: as a line, or in the answer of a program that ends.
    fn tell(&mut self, json: Value, text: String) {
        match self.arguments.once {
            true => {
                tracing::info!("{text}");
                self.found.push(json);
            }
            false => self.say(json, text),
        }
    }

    fn answer(&mut self) -> Answer {
        let of = |what: &str| self.found.iter().filter(|one| one["did"] == what).count();
        let text = match self.signer {
            Some(_) => format!("Challenged {} acceptances.", of("challenged")),
            None => format!("Would challenge {} acceptances.", of("would-challenge")),
        };
        Answer::new(json!({ "found": self.found }), text)
    }

    /// Looks at the chain and does what there is to do. Whether anything is being done that will end by itself.
    async fn look(&mut self) -> Result<bool> {
        let (now, _) = self.client.best().await?;
        self.block.send_replace(now);
        let (next, _) = self.client.next_draw().await?;
        let mut draws = Vec::new();
        let mut start = self.first;
        while start < next {
            draws.extend(self.client.draws(start).await?);
            start = start.saturating_add(100);
        }
        self.first = draws.iter().map(|view| view.id).min().unwrap_or(next);
        let before = before_committees(&draws);
        let chosen: Vec<_> = draws.iter().filter(|view| self.is_chosen(view)).collect();
        if let Err(error) = self.visit(&draws, &chosen).await {
            tracing::warn!("where members serve is not known: {}", error.text());
        }
        self.begin(&chosen).await?;
        self.references(&before).await;
        let waits = self.challenge(&draws, &chosen, &before, now).await?;
        if !self.arguments.once {
            self.keep();
            if let Err(error) = self.ended().await {
                tracing::warn!("what became of challenges could not be read: {}", error.text());
            }
        }
        self.count(&draws)?;
        Ok(waits)
    }

    /// Whether a draw's files are looked at: those of the chosen Datanets that this program measures as the draw does.
    fn is_chosen(&self, view: &DrawView<AccountId>) -> bool {
        let datanets = &self.arguments.datanets;
        is_watched(view) && (datanets.is_empty() || datanets.contains(&view.datanet))
    }

    /// Keeps the node connected with those who answer for the files, where they say that they serve them.
    async fn visit(
        &mut self,
        all: &[DrawView<AccountId>],
        chosen: &[&DrawView<AccountId>],
    ) -> Result<()> {
        if self.visited_at.is_some_and(|at| at.elapsed() < VISIT_EVERY) {
            return Ok(());
        }
        self.visited_at = Some(Instant::now());
        let holders = holders(chosen, all, &self.account);
        let found = serving::of_holders(&self.client, &holders, self.reach).await?;
        Ok(self.shared.node.visit(found)?)
    }

    /// Begins with files that are new, and forgets those that may be challenged no more.
    async fn begin(&mut self, draws: &[&DrawView<AccountId>]) -> Result<()> {
        let mut open = BTreeSet::new();
        for view in draws {
            if view.draw.extractor != EXTRACTOR_VERSION {
                if !std::mem::replace(&mut self.other_extractor, true) {
                    tracing::warn!(
                        draw = view.id,
                        "it measures with extractor {}, and this openledger with {EXTRACTOR_VERSION}: not \
                         looked at",
                        view.draw.extractor
                    );
                }
                continue;
            }
            for (place, file) in (0u8..).zip(&view.draw.files) {
                let stands = match file.state {
                    FileState::Open => {
                        matches!(
                            view.draw.phase,
                            Phase::Committing { .. } | Phase::Revealing { .. }
                        )
                    }
                    FileState::Judged(verdict) => matches!(verdict, Verdict::Accept { .. }),
                    _ => false,
                };
                let key = (view.id, place);
                if !stands {
                    continue;
                }
                open.insert(key);
                if self.files.contains_key(&key) {
                    continue;
                }
                let number = SubmissionKey::Number(file.submission);
                let found = self.client.submission(view.datanet, number).await?;
                let Some(SubmissionState::Pending { item, since, .. }) =
                    found.map(|found| found.state)
                else {
                    continue;
                };
                let target = Target::from(&item);
                let tries = if self.arguments.once { Some(1) } else { None };
                let asked = Asked {
                    datanet: view.datanet,
                    submission: file.submission,
                    target,
                    submitted_at: since,
                    pause: self.pause,
                    tries,
                };
                let (shared, turns) = (self.shared.clone(), self.turns.clone());
                self.files.insert(key, Watched::begin(shared, turns, asked));
            }
        }
        self.files.retain(|key, _| open.contains(key));
        Ok(())
    }

    /// Looks for what the files are compared with.
    async fn references(&mut self, before: &BTreeMap<DatanetId, Vec<Earlier>>) {
        if let Err(error) = self.references.remember_formats(&self.shared, before) {
            tracing::warn!("formats could not be kept: {}", error.text());
        }
        let mut own: BTreeMap<DatanetId, (SubmissionId, BlockNumber)> = BTreeMap::new();
        for file in self.files.values().filter(|file| !file.is_clear()) {
            let (last, since) = own.entry(file.datanet).or_insert((0, BlockNumber::MAX));
            *last = (*last).max(file.submission);
            *since = (*since).min(file.submitted_at);
        }
        for (datanet, (last, since)) in own {
            let before = before.get(&datanet).map(Vec::as_slice).unwrap_or_default();
            if let Err(error) = self.read_references(datanet, last, since, before).await {
                tracing::warn!(datanet, "what came before is not known: {}", error.text());
            }
        }
        // Where what committees have before them is, for when it is refused and a copy of it is accepted.
        for (datanet, files) in before {
            for one in files {
                if let Err(error) = self.references.remember(&self.client, *datanet, one).await {
                    return tracing::warn!("what came before is not known: {}", error.text());
                }
            }
        }
        self.references.forget_places(before);
    }

    async fn read_references(
        &mut self,
        datanet: DatanetId,
        last: SubmissionId,
        since: BlockNumber,
        before: &[Earlier],
    ) -> Result<()> {
        let (client, shared) = (&self.client, &self.shared);
        self.references.read(client, shared, datanet).await?;
        self.references.read_refused(client, shared, datanet, last).await?;
        self.references.read_undrawn(client, datanet, last, before).await?;
        let refused = self.references.refused(datanet);
        let refused = refused.filter(|one| one.refused_at >= Some(since));
        let own: BTreeSet<_> = self.files.values().map(|file| Some(file.target.file())).collect();
        let others = before.iter().copied().chain(refused);
        let others: Vec<_> = others.filter(|one| !own.contains(&one.file())).collect();
        self.references.fetch(client, shared, datanet, &others, false).await
    }

    /// Looks from time to time whether everything that was challenged, and what it is a copy of, is still here to be shown.
    fn keep(&mut self) {
        if self.pins_at.is_some_and(|at| at.elapsed() < PINS_EVERY) {
            return;
        }
        self.pins_at = Some(Instant::now());
        let shared = self.shared.clone();
        tokio::spawn(async move { shared.restore().await });
    }

    /// Plancks that are held for this account's challenges.
    fn bonds(&self, draws: &[DrawView<AccountId>]) -> u128 {
        let own = draws.iter().filter(|view| view.draw.challenger == Some(self.account));
        own.fold(0, |sum, view| sum.saturating_add(view.bond))
    }

    /// Counts for Prometheus.
    fn count(&self, draws: &[DrawView<AccountId>]) -> Result<()> {
        let totals = self.challenges.totals()?;
        let count = |which: &dyn Fn(&Watched) -> bool| {
            self.files.values().filter(|file| file.is_accepted && which(file)).count() as u64
        };
        self.numbers.send_replace(Numbers {
            acceptances: count(&|_| true),
            missing: count(&Watched::is_missing),
            unknown: self.references.unknown(),
            held: count(&|file| file.held.is_some()),
            bonds: self.bonds(draws),
            looked_at: totals.looked_at,
            challenges: totals.challenges,
            won: totals.won,
            lost: totals.lost,
            gained: totals.gained,
            node: 1,
        });
        Ok(())
    }
}
