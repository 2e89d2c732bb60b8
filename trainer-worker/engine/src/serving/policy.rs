//! What runs in the next step: the scheduler without threads and clocks.
//!
//! A step takes one token of every sequence that is decoding, and pieces of prompts up to a bound of work, so
//! that a long prompt holds nobody up (chunked prefill: Agrawal et al., 2024; batches by step: Orca,
//! Yu et al., 2022). What a sequence needs to read its prompt is reserved when it starts; a decoding
//! sequence takes a page at a time. When none is left, pages kept for later go first, then a running
//! sequence is stopped and computed again afterwards.
//!
//! There is always progress: the oldest running request is never stopped while others run, a request
//! starts as soon as it is its client's turn and its pages fit, nobody but who has nothing running
//! overtakes it meanwhile, and no request is accepted whose pages do not fit in the empty pool.

use super::forward::{Forward, Pages, Rows};
use super::plan::{self, Reading, Room, Writing};
use super::prefix::{Key, PrefixCache};
use super::request::RequestId;
use super::sequence::{Next, Sequence};
use super::turns::Turns;
use super::work::ROW;
use crate::error::Error;
use std::collections::{BTreeMap, HashSet};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub use super::sequence::Accepted;

/// Bounds of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most sequences that run at the same time, at least 1.
    pub max_running: usize,
    /// Most rows of a step, at least `max_running`.
    pub max_batch_rows: usize,
    /// Most rows of prompts in a step in which others decode, at least 1, and as much work as those of
    /// beginnings have.
    pub prefill_chunk: usize,
    /// Values of a row of logits.
    pub vocabulary: usize,
    /// Whether clients share pages of equal beginnings with each other, or each with itself alone.
    pub share_between_clients: bool,
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows computed.
    pub rows: usize,
    /// Whether the model's step panicked: it must be made anew before the next one.
    pub broken: bool,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens of prompts of requests that started.
    pub prompt_tokens: u64,
    /// Tokens of those that were there already.
    pub cached_tokens: u64,
    /// Tokens written.
    pub generated_tokens: u64,
    /// Steps with at least one row.
    pub steps: u64,
    /// Rows of all steps.
    pub rows: u64,
    /// Times that a running request gave up its pages.
    pub preemptions: u64,
    /// Requests whose answers were finished.
    pub finished: u64,
    /// Requests that ended because nobody listened any more.
    pub cancelled: u64,
    /// Requests that ended with an error.
    pub failed: u64,
}

type PageOf<F> = <<F as Forward>::Pages as Pages>::Page;

/// All requests that were accepted and have not ended.
pub struct Policy<F: Forward> {
    limits: Limits,
    turns: Turns,
    waiting: BTreeMap<RequestId, Sequence<F>>,
    running: BTreeMap<RequestId, Sequence<F>>,
    cache: PrefixCache<PageOf<F>>,
    logits: Vec<Vec<f32>>,
    counts: Counts,
}

impl<F: Forward> Policy<F> {
    /// No requests yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            turns: Turns::default(),
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            cache: PrefixCache::new(),
            logits: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Takes a request.
    pub fn accept(&mut self, accepted: Accepted<F>) {
        let sequence = Sequence::new(accepted);
        self.turns.arrive(sequence.client, sequence.id);
        self.waiting.insert(sequence.id, sequence);
    }

    /// Ends a request without telling its sink. Returns whether there was one.
    pub fn cancel(&mut self, id: RequestId) -> bool {
        let found = self.remove(id).is_some();
        self.counts.cancelled += u64::from(found);
        found
    }

    /// Ends all requests with an error that says why.
    pub fn fail_all(&mut self, reason: &str) {
        let all: Vec<RequestId> = self.running.keys().chain(self.waiting.keys()).copied().collect();
        self.fail(&all, reason);
    }

    fn fail(&mut self, ids: &[RequestId], reason: &str) {
        for id in ids {
            if let Some(mut sequence) = self.remove(*id) {
                self.counts.failed += 1;
                sequence.fail(Error::Serving { reason: reason.to_owned() });
            }
        }
    }

    fn remove(&mut self, id: RequestId) -> Option<Sequence<F>> {
        let sequence = self.running.remove(&id).or_else(|| self.waiting.remove(&id))?;
        self.turns.leave(sequence.client, id);
        Some(sequence)
    }

    /// Gives back the pages that are kept for later.
    pub fn forget_prefixes(&mut self) {
        self.cache.clear();
    }

    /// Whether there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Requests that wait, those that were stopped among them.
    pub fn waiting(&self) -> usize {
        self.turns.waiting()
    }

    /// Requests that wait, by client.
    pub fn waiting_by_client(&self) -> impl Iterator<Item = (u64, usize)> + '_ {
        self.turns.waiting_by_client()
    }

    /// Requests that run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Pages that are kept for later and that no running request uses.
    pub fn cached_pages(&self) -> usize {
        self.cache.unused()
    }

    /// Counts since the start.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Rows still to be computed for all requests, with answers of `typical` tokens where more are
    /// allowed.
    pub fn outstanding(&self, typical: usize) -> usize {
        self.running.values().chain(self.waiting.values()).map(|s| s.outstanding(typical)).sum()
    }

    /// Starts who may start, computes one step, and tells whoever asked what came of it.
    pub fn step(&mut self, forward: &mut F) -> Report {
        self.grow(forward);
        self.admit(forward);
        let plan = self.plan(forward);
        if plan.is_empty() {
            if let Some((_, id)) = self.turns.next() {
                // Cannot happen while requests are accepted by the rules; if it did, waiting for ever
                // would be worse.
                self.fail(&[id], "its pages do not fit although nothing runs; please report it");
            }
            return Report::default();
        }
        self.run(forward, &plan)
    }

    /// Gets every decoding sequence the room for its next token, the oldest first.
    fn grow(&mut self, forward: &F) {
        let ids: Vec<RequestId> = self.running.keys().copied().collect();
        for id in ids {
            // A sequence that was stopped for an older one is no longer among the running.
            while let Some(sequence) = self.running.get_mut(&id) {
                let Some(pages) = sequence.pages.as_mut() else { break };
                if sequence.tokens.len() - pages.len() > 1 || pages.reserve(1) {
                    break;
                }
                let missing = pages.needed(1).saturating_sub(forward.free());
                if self.cache.evict(missing) >= missing.max(1) {
                    continue;
                }
                match self.turns.victim() {
                    Some(victim) => self.preempt(victim),
                    None => break,
                }
            }
        }
    }

    fn preempt(&mut self, id: RequestId) {
        if let Some(mut sequence) = self.running.remove(&id) {
            sequence.stop();
            self.counts.preemptions += 1;
            self.turns.preempt(sequence.client, id);
            self.waiting.insert(id, sequence);
        }
    }

    /// Starts waiting requests as long as there is room, by turns. Whoever's turn it is is not overtaken.
    fn admit(&mut self, forward: &F) {
        while let Some((client, id)) = self.turns.next() {
            let Some(sequence) = self.waiting.get_mut(&id) else { return };
            let mut pages =
                sequence.open(forward, &mut self.cache, self.limits.share_between_clients);
            let missing = sequence.tokens.len() - pages.len();
            let needed = pages.needed(missing);
            if !self.make_room(forward, client, needed) {
                return;
            }
            let Some(mut sequence) = self.waiting.remove(&id) else { return };
            if !pages.reserve(missing) {
                self.waiting.insert(id, sequence);
                return;
            }
            if !sequence.started {
                self.counts.prompt_tokens += sequence.tokens.len() as u64;
                self.counts.cached_tokens += pages.len() as u64;
                let rows = pages.len()..sequence.tokens.len();
                self.turns.charge(client, rows.map(|row| forward.row_work(row)).sum());
            }
            sequence.start(pages);
            self.turns.start(client, id);
            self.running.insert(id, sequence);
        }
    }

    /// Whether one more sequence of this client may run and take so many pages, which are free then.
    ///
    /// A client with nothing running need not wait until those of another have ended, where that other
    /// has several: its youngest are stopped.
    fn make_room(&mut self, forward: &F, client: u64, needed: usize) -> bool {
        loop {
            // A page for the next token of each that may need one, or the newcomer would soon have to
            // stop again.
            let spare = self.running.values().filter(|s| s.may_grow()).count();
            let wanted = needed + if self.running.is_empty() { 0 } else { spare };
            let free = forward.free();
            let slot = self.running.len() < self.limits.max_running;
            if slot && free >= wanted {
                return true;
            }
            let available = free + self.cache.unused();
            if slot && available >= wanted {
                self.cache.evict(wanted - free);
                return forward.free() >= needed;
            }
            if self.turns.running_of(client) > 0 {
                return false;
            }
            let yielding = self.turns.may_yield_to(client);
            let held: usize = yielding
                .iter()
                .filter_map(|id| self.running.get(id)?.pages.as_ref())
                .map(Pages::held)
                .sum();
            match yielding.first() {
                Some(id) if available + held >= wanted => self.preempt(*id),
                _ => return false,
            }
        }
    }

    /// How many rows of which sequences.
    fn plan(&mut self, forward: &F) -> BTreeMap<RequestId, usize> {
        let (mut writing, mut reading) = (Vec::new(), Vec::new());
        for (id, sequence) in &mut self.running {
            if sequence.remaining() > 1 {
                self.counts.cached_tokens += sequence.adopt(forward, &mut self.cache) as u64;
            }
            let (id, client, position) = (*id, sequence.client, sequence.computed());
            match sequence.remaining() {
                1 => {
                    let (last, work) = (sequence.stepped, forward.row_work(position));
                    writing.push(Writing { id, client, last, work });
                }
                rows => reading.push(Reading { id, client, position, rows }),
            }
        }
        let Limits { max_batch_rows, prefill_chunk, .. } = self.limits;
        let work = |rows: usize| (rows as u64).saturating_mul(ROW);
        let writers = plan::writers(writing, work(max_batch_rows));
        let room = match writers.len() {
            // Nobody's answer waits, and larger pieces are read faster.
            0 => Room { rows: max_batch_rows, work: 2 * work(max_batch_rows) },
            rows => {
                let rows = prefill_chunk.min(max_batch_rows.saturating_sub(rows));
                Room { rows, work: work(prefill_chunk) }
            }
        };
        // Those who have had the least first, of equals who has less under way, in a client the oldest.
        reading.sort_unstable_by_key(|reading| {
            let client = reading.client;
            (self.turns.work(client), self.turns.running_of(client), reading.id)
        });
        // What one computes in this step, another with the same beginning need not compute beside it.
        let mut under_way: HashSet<Key> = HashSet::new();
        reading.retain(|reading| {
            let key = self.running.get(&reading.id).and_then(Sequence::next_key);
            key.is_none_or(|key| under_way.insert(key))
        });
        let readers = plan::readers(&reading, room, |position| forward.row_work(position));
        let plan: BTreeMap<_, _> = writers.into_iter().map(|id| (id, 1)).chain(readers).collect();
        for id in plan.keys() {
            if let Some(sequence) = self.running.get_mut(id) {
                sequence.stepped = self.counts.steps + 1;
            }
        }
        plan
    }

    fn run(&mut self, forward: &mut F, plan: &BTreeMap<RequestId, usize>) -> Report {
        let vocabulary = self.limits.vocabulary;
        if self.logits.len() < plan.len() {
            self.logits.resize_with(plan.len(), || vec![0.0; vocabulary]);
        }
        let mut buffers = self.logits.iter_mut();
        let (mut work, mut total) = (Vec::with_capacity(plan.len()), 0);
        let mut writing = Vec::new();
        for (id, sequence) in &mut self.running {
            let Some(rows) = plan.get(id) else { continue };
            let Some(pages) = sequence.pages.as_mut() else { continue };
            let start = pages.len();
            let ends = start + rows == sequence.tokens.len();
            let logits = if ends { buffers.next().map(Vec::as_mut_slice) } else { None };
            if ends {
                writing.push((*id, forward.row_work(start + rows - 1)));
            }
            total += rows;
            let tokens = &sequence.tokens[start..start + rows];
            work.push(Rows { pages, tokens, adapter: sequence.adapter.as_deref(), logits });
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| forward.run(&mut work)));
        drop(work);
        let ids: Vec<RequestId> = plan.keys().copied().collect();
        match outcome {
            Ok(Ok(())) => {}
            // The step refuses before it changes anything: whoever is at fault shall fail alone.
            Ok(Err(_)) if ids.len() > 1 => {
                let mut report = Report::default();
                for (id, rows) in plan {
                    let alone = self.run(forward, &BTreeMap::from([(*id, *rows)]));
                    report.rows += alone.rows;
                    report.broken = alone.broken;
                    if report.broken {
                        break;
                    }
                }
                return report;
            }
            Ok(Err(error)) => {
                self.fail(&ids, &format!("the model's step failed: {error}"));
                return Report { rows: total, broken: false };
            }
            Err(_) => {
                self.fail(
                    &ids,
                    "the model's step failed in a way that is a mistake of this program; please \
                     report it. Other requests go on",
                );
                return Report { rows: total, broken: true };
            }
        }
        self.counts.steps += 1;
        self.counts.rows += total as u64;
        for id in ids {
            if let Some(sequence) = self.running.get_mut(&id) {
                sequence.offer(&mut self.cache);
            }
        }
        self.write(&writing);
        Report { rows: total, broken: false }
    }

    /// Writes a token of each answer whose logits were computed, in the order of the buffers; beside each
    /// the work of its row.
    fn write(&mut self, ids: &[(RequestId, u64)]) {
        let mut buffers = std::mem::take(&mut self.logits);
        for ((id, work), logits) in ids.iter().zip(&mut buffers) {
            let Some(sequence) = self.running.get_mut(id) else { continue };
            let before = sequence.writer.completion_tokens();
            let next = sequence.write(logits);
            let written = sequence.writer.completion_tokens() - before;
            self.counts.generated_tokens += written as u64;
            self.turns.charge(sequence.client, *work);
            let counter = match next {
                Next::GoesOn => continue,
                Next::Done => &mut self.counts.finished,
                Next::Deserted => &mut self.counts.cancelled,
                Next::Failed => &mut self.counts.failed,
            };
            *counter += 1;
            self.remove(*id);
        }
        self.logits = buffers;
    }
}
