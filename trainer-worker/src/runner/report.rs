//! Tells gateways what a job's training sees: batches that this worker signs
//! ([`openledger_client::metrics`]).
//!
//! Training never waits for it. What is seen goes into a queue of bounded length, and a thread of its own
//! sends it; what finds the queue full is dropped, counted, and the count is told. A batch that could not
//! be sent is kept and tried again, by the next worker too where this one is killed ([`Journal`]). The
//! gateway says which number comes next, so that no batch is kept under a wrong number or twice.

use super::journal::Journal;
use openledger_client::{
    metrics::{
        Address, Batch, Entry, Seen, ACCOUNT_HEADER, MAX_BODY, MAX_ENTRIES, MAX_TEXT,
        NUMBER_HEADER, SIGNATURE_HEADER,
    },
    Signer, H256,
};
use openledger_engine::{
    report::memory,
    train::{Event, Progress},
};
use openledger_primitives::JobId;
use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
        Arc, Mutex, PoisonError, Weak,
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use ureq::Agent;

/// Entries that wait to be sent, at most.
const QUEUE: usize = 4_096;
/// How long entries are gathered.
const GATHER: Duration = Duration::from_millis(500);
/// Longest time for one request.
const REQUEST: Duration = Duration::from_secs(10);
/// First and longest wait after something failed.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long after a job what is left of it is still tried.
const AFTER: Duration = Duration::from_secs(60);
/// How often a batch may be refused or given another number before the gateway is left alone.
const PATIENCE: u32 = 5;
/// Steps of a job that are told, at most; of longer ones every second or third, and so on.
const TOLD_STEPS: u64 = 20_000;

/// A gateway that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway(String);

impl std::str::FromStr for Gateway {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.map(|rest| rest.trim_end_matches('/')).unwrap_or("");
        if host.is_empty() || host.contains(['/', '?', '#', '@']) {
            return Err(format!("{text:?} is no gateway's address, such as http://127.0.0.1:8000"));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// What tells of one attempt at a job.
#[derive(Clone)]
pub struct Reporter {
    /// One a gateway; none where its thread could not begin.
    queues: Vec<Option<Queue>>,
    journal: Arc<Journal>,
    every: Arc<AtomicU64>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    /// Gone with the last clone, which tells the threads that nothing more will come.
    _alive: Arc<()>,
}

#[derive(Clone)]
struct Queue {
    sender: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

impl Reporter {
    /// Begins to tell these gateways of an attempt, first what a worker that was killed left unsent in
    /// the job's folder. Ends by itself once it and its clones are dropped and what was seen is sent.
    pub fn begin(
        gateways: &[Gateway],
        signer: &Signer,
        genesis: H256,
        (job, attempt): (JobId, u8),
        folder: &Path,
    ) -> Self {
        let alive = Arc::new(());
        let path = folder.join(format!("metrics-{attempt}.jsonl"));
        let (journal, left) = Journal::open(&path, gateways.len());
        let journal = Arc::new(journal);
        let begin = |(place, gateway): (usize, &Gateway)| {
            let (sender, receiver) = std::sync::mpsc::sync_channel(QUEUE);
            let dropped = Arc::new(AtomicU64::new(0));
            let address = Address { genesis, job, attempt, number: 0 };
            let sending = Sending {
                url: format!("{}/v1/jobs/{job}/attempts/{attempt}/metrics", gateway.0),
                agent: Agent::config_builder()
                    .http_status_as_error(false)
                    .timeout_global(Some(REQUEST))
                    .max_redirects(0)
                    .build()
                    .into(),
                signer: signer.clone(),
                address,
                dropped: dropped.clone(),
                alive: Arc::downgrade(&alive),
                ended: None,
                left: left.iter().cloned().collect(),
                journal: journal.clone(),
                place,
            };
            let thread = std::thread::Builder::new().name("metrics".to_owned());
            match thread.spawn(move || sending.run(&receiver)) {
                Ok(thread) => Some((Queue { sender, dropped }, thread)),
                Err(error) => {
                    tracing::warn!(%error, gateway = gateway.0, "nothing is reported to it");
                    journal.settle(place, u64::MAX);
                    None
                }
            }
        };
        let begun: Vec<_> = gateways.iter().enumerate().map(begin).collect();
        let (queues, threads): (Vec<_>, Vec<_>) =
            begun.into_iter().map(|begun| begun.unzip()).unzip();
        let threads = Arc::new(Mutex::new(threads.into_iter().flatten().collect()));
        Self { queues, journal, every: Arc::new(AtomicU64::new(1)), threads, _alive: alive }
    }

    /// Ends it, and waits a little for what is left, so that a worker that ends after its job does not
    /// cut the curve's end off.
    pub async fn finish(self, patience: Duration) {
        let mut threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        drop(self);
        let until = Instant::now() + patience;
        while Instant::now() < until {
            threads.retain(|thread| !thread.is_finished());
            if threads.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Tells a line of the log.
    pub fn log(&self, text: impl Into<String>) {
        let mut text = text.into();
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        self.tell(Seen::Log { text });
    }

    /// Tells what an event of a training run says.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Prepared { train, held_out, total_steps, total_tokens, parameters, .. } => {
                let every = total_steps.div_ceil(TOLD_STEPS).max(1);
                self.every.store(every, Ordering::Relaxed);
                self.tell(Seen::Begun {
                    total_steps: *total_steps,
                    total_tokens: *total_tokens,
                    train: *train as u64,
                    held_out: *held_out as u64,
                    parameters: *parameters as u64,
                    every,
                });
            }
            Event::Resumed { step } => self.tell(Seen::Resumed { step: *step }),
            Event::Step(at) => {
                let every = self.every.load(Ordering::Relaxed);
                if at.step.is_multiple_of(every) || at.step == at.total_steps {
                    self.tell(step(at));
                }
            }
            Event::Evaluated { step, loss } if loss.is_finite() => {
                self.tell(Seen::Evaluated { step: *step, loss: *loss });
            }
            Event::Evaluated { step, loss } => {
                self.log(format!("the held-out loss after step {step} is {loss}"));
            }
            Event::Diverging { step, loss, before, .. } => self.log(format!(
                "the loss has risen from {before:.3} to {loss:.3} by step {step}; a lower learning \
                 rate may help"
            )),
            Event::Skipped { reason } => self.log(reason.clone()),
            Event::StoppedEarly { step } => self.log(format!("stopped early after step {step}")),
            Event::Saved { step } => self.log(format!("checkpoint after step {step}")),
            Event::Accuracy { .. } | Event::Rewards { .. } | Event::Sampled { .. } => {}
        }
    }

    fn tell(&self, seen: Seen) {
        if self.queues.is_empty() {
            return;
        }
        let entry = Entry { at: now(), seen };
        self.journal.append(&entry, |place| {
            let Some(Some(queue)) = self.queues.get(place) else { return false };
            let taken = queue.sender.try_send(entry.clone()).is_ok();
            if !taken {
                queue.dropped.fetch_add(1, Ordering::Relaxed);
            }
            taken
        });
    }
}

fn step(at: &Progress) -> Seen {
    Seen::Step {
        step: at.step,
        total_steps: at.total_steps,
        epoch: at.epoch,
        loss: at.loss,
        learning_rate: at.learning_rate,
        grad_norm: at.grad_norm,
        tokens: at.tokens,
        samples: at.samples,
        tokens_per_second: at.tokens_per_second,
        memory: memory::resident(),
        eta: at.eta.as_secs_f64(),
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The thread of one gateway.
struct Sending {
    url: String,
    agent: Agent,
    signer: Signer,
    /// With the number of the next batch.
    address: Address,
    dropped: Arc<AtomicU64>,
    alive: Weak<()>,
    /// When it was first seen that the job is over.
    ended: Option<Instant>,
    /// What was left unsent when the worker was killed.
    left: VecDeque<Entry>,
    journal: Arc<Journal>,
    /// The gateway's among those of the journal.
    place: usize,
}

/// What became of a request.
enum Sent {
    /// The gateway has it.
    Taken,
    /// It has another number than this batch's.
    Other(u64),
    /// It cannot be reached or is busy.
    Later(String),
    /// It will never take this.
    Refused(String),
}

impl Sending {
    fn run(mut self, receiver: &Receiver<Entry>) {
        let mut said_dropped = 0;
        while let Some(entries) = self.gather(receiver) {
            let dropped = self.dropped.load(Ordering::Relaxed);
            if dropped > said_dropped {
                tracing::warn!(url = self.url, dropped, "metrics were dropped: it took too long");
                said_dropped = dropped;
            }
            let count = entries.len() as u64;
            if !self.send(Batch { entries, dropped }) {
                break;
            }
            self.journal.settle(self.place, count);
        }
        // Nothing more is sent from here.
        self.journal.settle(self.place, u64::MAX);
    }

    /// Entries of one batch; none once everything is sent.
    fn gather(&mut self, receiver: &Receiver<Entry>) -> Option<Vec<Entry>> {
        let first = self.left.pop_front();
        let mut entries = vec![first.map_or_else(|| receiver.recv().ok(), Some)?];
        // A line of the log is the longest entry, escaped and with its frame.
        let longest = MAX_TEXT * 6 + 200;
        let until = Instant::now() + GATHER;
        let mut bytes = longest;
        while entries.len() < MAX_ENTRIES && bytes + longest < MAX_BODY {
            let next = match self.left.pop_front() {
                Some(entry) => Ok(entry),
                None => receiver.recv_timeout(until.saturating_duration_since(Instant::now())),
            };
            match next {
                Ok(entry) => {
                    bytes += match &entry.seen {
                        Seen::Log { .. } => longest,
                        _ => 400,
                    };
                    entries.push(entry);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Some(entries)
    }

    /// Sends a batch until the gateway has it. Returns whether it is worth going on.
    fn send(&mut self, batch: Batch) -> bool {
        let body = match serde_json::to_vec(&batch) {
            Ok(body) => body,
            Err(error) => {
                tracing::warn!(%error, "a batch of metrics could not be written");
                return true;
            }
        };
        let mut wait = WAIT.0;
        let (mut said, mut uncertain, mut refusals) = (false, false, 0);
        loop {
            match self.post(&body) {
                Sent::Taken => {
                    self.address.number += 1;
                    return true;
                }
                // Its answer was lost, and it has this very batch.
                Sent::Other(next) if uncertain && next == self.address.number + 1 => {
                    self.address.number = next;
                    return true;
                }
                Sent::Other(next) if refusals < PATIENCE => {
                    self.address.number = next;
                    refusals += 1;
                    continue;
                }
                Sent::Later(reason) => {
                    uncertain = true;
                    if !said {
                        tracing::warn!(url = self.url, reason, "metrics wait; training goes on");
                        said = true;
                    }
                }
                // Its node may be a block or two behind this worker's.
                Sent::Refused(_) if refusals < PATIENCE => refusals += 1,
                Sent::Refused(reason) => {
                    tracing::warn!(
                        url = self.url,
                        reason,
                        "the gateway takes no metrics of this job"
                    );
                    return false;
                }
                Sent::Other(next) => {
                    tracing::warn!(url = self.url, next, "the gateway's numbers make no sense");
                    return false;
                }
            }
            if self.alive.strong_count() == 0 {
                self.ended.get_or_insert_with(Instant::now);
            }
            if self.ended.is_some_and(|ended| ended.elapsed() > AFTER) {
                tracing::warn!(url = self.url, "the end of the metrics was not sent");
                return false;
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(WAIT.1);
        }
    }

    fn post(&self, body: &[u8]) -> Sent {
        let signature = hex::encode(self.address.sign(&self.signer, body));
        let sent = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header(NUMBER_HEADER, self.address.number.to_string())
            .header(ACCOUNT_HEADER, self.signer.account().to_string())
            .header(SIGNATURE_HEADER, signature)
            .send(body);
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return Sent::Later(error.to_string()),
        };
        let status = response.status().as_u16();
        let next = response.headers().get(NUMBER_HEADER);
        let next = next.and_then(|next| next.to_str().ok()?.parse().ok());
        match (status, next) {
            (200..=299, _) => Sent::Taken,
            (409, Some(next)) => Sent::Other(next),
            _ => {
                let body = response.body_mut().with_config().limit(4_096).read_to_string();
                let body = body.unwrap_or_default();
                let reason = format!("status {status}: {}", body.trim());
                match status {
                    408 | 429 | 500.. => Sent::Later(reason),
                    _ => Sent::Refused(reason),
                }
            }
        }
    }
}
