//! The scheduler's thread and its handle.

use super::forward::Forward;
use super::model::ModelForward;
use super::policy::{Accepted, Counts, Limits, Policy};
use super::request::{Refused, Request, RequestId, Sink};
use super::settings::ServingSettings;
use crate::error::{Error, Result};
use crate::generate::{GrammarMemory, Writer};
use crate::tokenizer::Tokenizer;
use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest time that a refused client is told to wait.
const LONGEST_RETRY: f64 = 600.0;
/// Weight of the newest measurement in running means.
const NEWEST: f64 = 0.1;
/// Tokens of an answer before any was measured.
const TYPICAL_ANSWER: f64 = 128.0;
/// Rows a second before any were measured.
const TYPICAL_SPEED: f64 = 100.0;

const CUT_OFF: &str = "the server is shutting down and had no more time for this answer; ask again";

/// What the model bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most tokens of prompt and answer of one request.
    pub longest: usize,
    /// Tokens of the model's vocabulary.
    pub vocabulary: usize,
}

/// What a server does and did, for its metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Requests that wait.
    pub waiting: usize,
    /// Requests that run.
    pub running: usize,
    /// Pages of keys and values in all.
    pub pages: usize,
    /// Pages that running requests use.
    pub used_pages: usize,
    /// Pages that are kept for later, and given up when others need them.
    pub cached_pages: usize,
    /// Pages with nothing in them.
    pub free_pages: usize,
    /// Counts since the start.
    pub counts: Counts,
    /// Time in steps since the start.
    pub step_time: Duration,
    /// Rows a second, a running mean over recent steps; 0 before the first one.
    pub rows_per_second: f64,
    /// Bytes of grammars, and of following them.
    pub grammar_bytes: usize,
    /// Requests that were not taken.
    pub refused: u64,
    /// Times that the model's step was made anew after it failed.
    pub restarts: u64,
}

struct State<F: Forward> {
    incoming: Vec<Accepted<F>>,
    cancelled: Vec<RequestId>,
    next: u64,
    /// Requests that wait, those that the thread has not seen among them.
    waiting: usize,
    by_client: BTreeMap<u64, usize>,
    /// Set when nothing new is taken: when the rest is cut off.
    drain: Option<Instant>,
    /// Set when the thread takes nothing more.
    ended: Option<String>,
    /// Set when all were told and every page is back.
    over: bool,
    /// Whether requests were left when it ended.
    cut: bool,
    stats: Stats,
    /// Rows to be computed for the requests that there are, and their number.
    outstanding: (usize, usize),
}

struct Shared<F: Forward> {
    state: Mutex<State<F>>,
    /// Wakes the thread.
    work: Condvar,
    /// Wakes who waits for its end.
    end: Condvar,
    bounds: Bounds,
    tokenizer: Arc<Tokenizer>,
    settings: ServingSettings,
    grammars: Arc<GrammarMemory>,
}

impl<F: Forward> Shared<F> {
    fn lock(&self) -> MutexGuard<'_, State<F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the thread when the last handle goes.
struct Owner<F: Forward> {
    shared: Arc<Shared<F>>,
    thread: Option<JoinHandle<()>>,
}

impl<F: Forward> Drop for Owner<F> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.drain = Some(Instant::now());
        drop(state);
        self.shared.work.notify_all();
        if let Some(thread) = self.thread.take() {
            // A sink may hold the last handle, on the thread itself.
            if thread.thread().id() != std::thread::current().id() {
                // Its panics were caught and told to the requests.
                let _ = thread.join();
            }
        }
    }
}

/// A handle of a running server. Clones are the same server, which ends with the last of them.
pub struct Scheduler<F: Forward = ModelForward>(Arc<Owner<F>>);

impl<F: Forward> Clone for Scheduler<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: Forward> std::fmt::Debug for Scheduler<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stats = self.0.shared.lock().stats;
        write!(f, "Scheduler({} running, {} waiting)", stats.running, stats.waiting)
    }
}

impl<F> Scheduler<F>
where
    F: Forward + 'static,
    F::Adapter: Send + Sync,
{
    /// Starts serving what `make` makes; it is called again when a step panicked. It runs on the
    /// scheduler's thread.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of range, [`Error::Threads`] when the thread cannot be
    /// started, and what `make` says the first time.
    pub fn start_with(
        make: impl FnMut() -> Result<F> + Send + 'static,
        tokenizer: Arc<Tokenizer>,
        bounds: Bounds,
        settings: ServingSettings,
    ) -> Result<Self> {
        settings.validate()?;
        let state = State {
            incoming: Vec::new(),
            cancelled: Vec::new(),
            next: 0,
            waiting: 0,
            by_client: BTreeMap::new(),
            drain: None,
            ended: None,
            over: false,
            cut: false,
            stats: Stats::default(),
            outstanding: (0, 0),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work: Condvar::new(),
            end: Condvar::new(),
            bounds,
            tokenizer,
            grammars: GrammarMemory::new(settings.grammar_bytes, settings.max_running),
            settings,
        });
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("scheduler".to_owned())
            .spawn(move || {
                let mut make = make;
                match make() {
                    Ok(forward) => {
                        of_thread.lock().stats.pages = forward.pages();
                        of_thread.lock().stats.free_pages = forward.free();
                        // Whoever starts it waits for this word.
                        let _ = tell.send(Ok(()));
                        serve(&of_thread, forward, make);
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            })
            .map_err(|e| Error::Threads { reason: e.to_string() })?;
        let scheduler = Self(Arc::new(Owner { shared, thread: Some(thread) }));
        match told.recv() {
            Ok(Ok(())) => Ok(scheduler),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Threads { reason: "the scheduler did not start".to_owned() }),
        }
    }

    /// Asks for an answer. Events go to `sink`, the first of them maybe before this returns.
    ///
    /// # Errors
    /// [`Refused`], with the numbers.
    pub fn submit(
        &self,
        request: Request<F::Adapter>,
        sink: Box<dyn Sink>,
    ) -> std::result::Result<RequestId, Refused> {
        let outcome = self.try_submit(request, sink);
        if outcome.is_err() {
            self.0.shared.lock().stats.refused += 1;
        }
        outcome
    }

    fn try_submit(
        &self,
        request: Request<F::Adapter>,
        sink: Box<dyn Sink>,
    ) -> std::result::Result<RequestId, Refused> {
        let shared = &self.0.shared;
        // Before any work is done for it; looked at again below.
        shared.lock().accepts(&shared.settings, request.client)?;
        let Bounds { longest: limit, vocabulary } = shared.bounds;
        let Request { prompt, adapter, adapter_key, sampling, client } = request;
        if prompt.is_empty() {
            return Err(Refused::Invalid(Error::Setting {
                name: "prompt",
                value: "(empty)".to_owned(),
                range: "at least one token".to_owned(),
            }));
        }
        if let Some(id) = prompt.iter().find(|id| **id as usize >= vocabulary) {
            return Err(Refused::Invalid(Error::TokenId { id: *id, vocabulary }));
        }
        sampling.validate()?;
        let tokens = prompt.len().saturating_add(sampling.max_new_tokens);
        if tokens > limit {
            let (prompt, max_new_tokens) = (prompt.len(), sampling.max_new_tokens);
            return Err(Refused::TooLong { prompt, max_new_tokens, limit });
        }
        let grammars = shared.grammars.of(client);
        let writer = Writer::within(shared.tokenizer.clone(), &sampling, &prompt, &grammars)?;
        let mut state = shared.lock();
        state.accepts(&shared.settings, client)?;
        let id = RequestId(state.next);
        state.next += 1;
        state.waiting += 1;
        *state.by_client.entry(client).or_default() += 1;
        state.stats.waiting = state.waiting;
        let accepted =
            Accepted { id, client, prompt, limit: tokens, adapter, adapter_key, writer, sink };
        state.incoming.push(accepted);
        drop(state);
        shared.work.notify_all();
        Ok(id)
    }

    /// Ends a request before the next step. Its sink is dropped without another event. Nothing happens
    /// where the request has ended.
    pub fn cancel(&self, id: RequestId) {
        let mut state = self.0.shared.lock();
        if id.0 < state.next && state.ended.is_none() {
            state.cancelled.push(id);
            drop(state);
            self.0.shared.work.notify_all();
        }
    }

    /// What it does and did.
    pub fn stats(&self) -> Stats {
        let shared = &self.0.shared;
        Stats { grammar_bytes: shared.grammars.used(), ..shared.lock().stats }
    }

    /// Most tokens of prompt and answer that a request may have.
    pub fn longest(&self) -> usize {
        self.0.shared.bounds.longest
    }

    /// Takes no new requests, waits for those that there are, and after `within` ends the others with an
    /// event that says so. Returns whether all were answered in time.
    pub fn drain(&self, within: Duration) -> bool {
        let shared = &self.0.shared;
        let mut state = shared.lock();
        let until = Instant::now() + within;
        state.drain = Some(state.drain.map_or(until, |earlier| earlier.min(until)));
        shared.work.notify_all();
        while !state.over {
            state = shared.end.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.cut
    }
}

impl<F: Forward> State<F> {
    fn accepts(&self, settings: &ServingSettings, client: u64) -> std::result::Result<(), Refused> {
        if let (Some(reason), None) = (&self.ended, self.drain) {
            return Err(Refused::Stopped { reason: reason.clone() });
        }
        if self.drain.is_some() {
            return Err(Refused::Draining);
        }
        let own = self.by_client.get(&client).copied().unwrap_or(0);
        let (limit, most) = (settings.max_waiting_per_client, settings.max_waiting);
        if self.waiting >= most {
            let retry_after = self.retry_after(self.waiting);
            let waiting = self.waiting;
            return Err(Refused::Full { waiting, limit: most, of_client: false, retry_after });
        }
        if own >= limit {
            let retry_after = self.retry_after(own);
            return Err(Refused::Full { waiting: own, limit, of_client: true, retry_after });
        }
        Ok(())
    }

    /// When one of `own` waiting requests is likely to have left the queue: requests end one after
    /// another, evenly over the time that all of them take at the speed measured.
    fn retry_after(&self, own: usize) -> Duration {
        let (rows, requests) = self.outstanding;
        let speed = match self.stats.rows_per_second {
            measured if measured > 0.0 => measured,
            _ => TYPICAL_SPEED,
        };
        // Without a step since they came, nothing is known of their lengths.
        let rows = if requests == 0 { TYPICAL_ANSWER * self.waiting as f64 } else { rows as f64 };
        let seconds = rows / speed / own.max(1) as f64;
        Duration::from_secs_f64(seconds.ceil().clamp(1.0, LONGEST_RETRY))
    }
}

/// Steps until there is nothing more to come.
fn serve<F: Forward>(shared: &Shared<F>, mut forward: F, mut make: impl FnMut() -> Result<F>) {
    let settings = &shared.settings;
    let mut policy = Policy::new(Limits {
        max_running: settings.max_running,
        max_batch_rows: settings.max_batch_rows,
        prefill_chunk: settings.prefill_chunk,
        vocabulary: shared.bounds.vocabulary,
        share_between_clients: settings.share_between_clients,
    });
    let served =
        catch_unwind(AssertUnwindSafe(|| steps(shared, &mut policy, &mut forward, &mut make)));
    let reason = match served {
        Ok(Ok(())) => CUT_OFF.to_owned(),
        Ok(Err(error)) => format!("the model's step could not be made anew: {error}"),
        Err(_) => "the scheduler failed in a way that is a mistake of this program; please report \
                   it"
        .to_owned(),
    };
    // From here on nothing is taken; who is still there is told.
    let mut state = shared.lock();
    state.ended = Some(reason.clone());
    let incoming = std::mem::take(&mut state.incoming);
    drop(state);
    let told = catch_unwind(AssertUnwindSafe(|| {
        incoming.into_iter().for_each(|accepted| policy.accept(accepted));
        let cut = !policy.is_idle();
        policy.fail_all(&reason);
        cut
    }));
    let counts = policy.counts();
    drop(policy);
    let mut state = shared.lock();
    state.over = true;
    state.cut = told.unwrap_or(true);
    let stats = &mut state.stats;
    *stats = Stats { waiting: 0, running: 0, cached_pages: 0, counts, ..*stats };
    stats.free_pages = forward.free();
    stats.used_pages = stats.pages.saturating_sub(stats.free_pages);
    (state.waiting, state.outstanding) = (0, (0, 0));
    state.by_client.clear();
    drop(state);
    shared.end.notify_all();
}

fn steps<F: Forward>(
    shared: &Shared<F>,
    policy: &mut Policy<F>,
    forward: &mut F,
    make: &mut impl FnMut() -> Result<F>,
) -> Result<()> {
    let mut answer = TYPICAL_ANSWER;
    loop {
        let mut state = shared.lock();
        while state.incoming.is_empty() && policy.is_idle() && state.drain.is_none() {
            state.cancelled.clear();
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let incoming = std::mem::take(&mut state.incoming);
        let cancelled = std::mem::take(&mut state.cancelled);
        let until = state.drain;
        drop(state);
        incoming.into_iter().for_each(|accepted| policy.accept(accepted));
        for id in cancelled {
            policy.cancel(id);
        }
        if until.is_some_and(|until| policy.is_idle() || until <= Instant::now()) {
            return Ok(());
        }
        let before = policy.counts();
        let started = Instant::now();
        let report = policy.step(forward);
        let spent = started.elapsed();
        if report.broken {
            // Its threads may be gone and its buffers half written; the pages of other sequences are
            // not touched by a step.
            *forward = make()?;
        }
        let counts = policy.counts();
        let finished = counts.finished - before.finished;
        if finished > 0 {
            let mean = counts.generated_tokens as f64 / counts.finished.max(1) as f64;
            answer += NEWEST * (mean - answer);
        }
        publish(shared, policy, forward, (report.rows, spent, report.broken), answer);
    }
}

/// Tells what the step changed.
fn publish<F: Forward>(
    shared: &Shared<F>,
    policy: &Policy<F>,
    forward: &F,
    (rows, spent, broken): (usize, Duration, bool),
    answer: f64,
) {
    let (pages, free, cached) = (forward.pages(), forward.free(), policy.cached_pages());
    let requests = policy.waiting() + policy.running();
    let outstanding = (policy.outstanding(answer as usize), requests);
    let mut state = shared.lock();
    let mut by_client: BTreeMap<u64, usize> = policy.waiting_by_client().collect();
    for accepted in &state.incoming {
        *by_client.entry(accepted.client).or_default() += 1;
    }
    state.waiting = policy.waiting() + state.incoming.len();
    state.by_client = by_client;
    state.outstanding = outstanding;
    let waiting = state.waiting;
    let stats = &mut state.stats;
    stats.waiting = waiting;
    stats.running = policy.running();
    (stats.pages, stats.free_pages, stats.cached_pages) = (pages, free, cached);
    stats.used_pages = pages.saturating_sub(free).saturating_sub(cached);
    stats.counts = policy.counts();
    stats.step_time += spent;
    stats.restarts += u64::from(broken);
    if rows > 0 && !spent.is_zero() {
        let speed = rows as f64 / spent.as_secs_f64();
        let mean = stats.rows_per_second;
        stats.rows_per_second = if mean > 0.0 { mean + NEWEST * (speed - mean) } else { speed };
    }
}
