//! A model whose answers are known, over a pool that watches its pages.
//!
//! The value at a position is a hash of the value before it, the token, the adapter, and the length that
//! is turned for. It is kept in the page, and the next position reads it there: whoever gets a wrong
//! page, or one that is not written, gives a wrong answer.

use openledger_engine::error::Error;
use openledger_engine::generate::{Finish, Sampling, TokenLogprob, Writer};
use openledger_engine::serving::forward::{Forward, Page, Pages, Rows, PAGE};
use openledger_engine::serving::{Event, Usage, ROW};
use openledger_engine::tokenizer::Tokenizer;
use openledger_engine::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, OnceLock};

/// Limits above this one turn keys for themselves.
pub const TURNS_ABOVE: usize = 150;

/// An adapter that no step takes.
pub const UNFIT: u64 = 99;

pub fn tokenizer() -> Arc<Tokenizer> {
    static TOKENIZER: OnceLock<Arc<Tokenizer>> = OnceLock::new();
    TOKENIZER.get_or_init(|| Arc::new(crate::common::tiny(1).1)).clone()
}

pub fn vocabulary() -> usize {
    crate::common::tokens().len()
}

fn mix(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn following(before: u64, token: u32, adapter: u64, turned_for: usize) -> u64 {
    mix(mix(before, u64::from(token) + 1), adapter ^ ((turned_for as u64) << 20))
}

fn write_logits(logits: &mut [f32], value: u64) {
    for (id, logit) in (0u64..).zip(logits.iter_mut()) {
        *logit = (mix(value, id) % 10_000) as f32 / 1000.0;
    }
    // Answers end after some tens of tokens.
    if mix(value, 77).is_multiple_of(40) {
        logits[1] = 20.0;
    }
}

fn turned_for(limit: usize) -> usize {
    if limit > TURNS_ABOVE {
        limit
    } else {
        0
    }
}

/// A pool of pages that counts.
#[derive(Clone)]
pub struct ToyPool {
    pages: usize,
    used: Arc<AtomicUsize>,
}

impl ToyPool {
    pub fn new(pages: usize) -> Self {
        Self { pages, used: Arc::default() }
    }

    pub fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }
}

/// A page; it goes back to its pool with its last handle.
struct Inner {
    used: Arc<AtomicUsize>,
    values: Mutex<Vec<u64>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.used.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Clone)]
pub struct ToyPage(Arc<Inner>);

impl Page for ToyPage {
    fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

pub struct ToyPages {
    pool: ToyPool,
    pages: Vec<Arc<Inner>>,
    len: usize,
    limit: usize,
}

impl Pages for ToyPages {
    type Page = ToyPage;

    fn len(&self) -> usize {
        self.len
    }

    fn held(&self) -> usize {
        self.pages.len()
    }

    fn page(&self, index: usize) -> Option<ToyPage> {
        (index < self.len / PAGE).then(|| ToyPage(self.pages[index].clone()))
    }

    fn needed(&self, tokens: usize) -> usize {
        (self.len + tokens).div_ceil(PAGE).saturating_sub(self.pages.len())
    }

    fn reserve(&mut self, tokens: usize) -> bool {
        assert!(self.len + tokens <= self.limit, "no more than the limit is asked for");
        let needed = self.needed(tokens);
        if self.pool.used() + needed > self.pool.pages {
            return false;
        }
        for _ in 0..needed {
            self.pool.used.fetch_add(1, Ordering::SeqCst);
            let used = self.pool.used.clone();
            self.pages.push(Arc::new(Inner { used, values: Mutex::default() }));
        }
        true
    }

    fn turned_for(&self) -> usize {
        turned_for(self.limit)
    }
}

impl ToyPages {
    fn push(&mut self, token: u32, adapter: u64) -> u64 {
        let before = match self.len.checked_sub(1) {
            Some(last) => self.pages[last / PAGE].values.lock().expect("a page")[last % PAGE],
            None => 0,
        };
        let value = following(before, token, adapter, turned_for(self.limit));
        let page = self.pages.get(self.len / PAGE).expect("the room was reserved");
        assert_eq!(Arc::strong_count(page), 1, "nobody writes to a page that others read");
        let mut values = page.values.lock().expect("a page");
        assert_eq!(values.len(), self.len % PAGE, "positions are written once, in order");
        values.push(value);
        self.len += 1;
        value
    }
}

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Error,
    Panic,
}

pub struct Toy {
    pub pool: ToyPool,
    /// Steps that fail, by number.
    pub faults: Vec<(usize, Fault)>,
    pub steps: Arc<AtomicUsize>,
    /// Work of a row for each token before it.
    pub attention: u64,
    /// Work of the last step.
    pub work: u64,
    /// Each step waits for one word, if given; when nobody can give one any more, for none.
    pub ticks: Option<Receiver<()>>,
}

impl Toy {
    pub fn new(pages: usize) -> Self {
        let (pool, steps) = (ToyPool::new(pages), Arc::default());
        Self { pool, faults: Vec::new(), steps, attention: 0, work: 0, ticks: None }
    }
}

impl Forward for Toy {
    type Pages = ToyPages;
    type Adapter = u64;

    fn pages(&self) -> usize {
        self.pool.pages
    }

    fn free(&self) -> usize {
        self.pool.pages - self.pool.used()
    }

    fn open(&self, limit: usize, start: Vec<ToyPage>) -> ToyPages {
        let len = start.len() * PAGE;
        let pages = start.into_iter().map(|page| page.0).collect();
        ToyPages { pool: self.pool.clone(), pages, len, limit }
    }

    fn row_work(&self, position: usize) -> u64 {
        ROW + self.attention * position as u64
    }

    fn run(&mut self, rows: &mut [Rows<'_, Self>]) -> Result<()> {
        let of_part = |part: &Rows<'_, Self>| -> u64 {
            let start = part.pages.len();
            (start..start + part.tokens.len()).map(|row| self.row_work(row)).sum()
        };
        self.work = rows.iter().map(of_part).sum();
        if let Some(ticks) = &self.ticks {
            let _ = ticks.recv();
        }
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        let fault = self.faults.iter().find(|(at, _)| *at == step).map(|(_, fault)| *fault);
        let unfit = rows.iter().any(|rows| rows.adapter == Some(&UNFIT));
        if fault == Some(Fault::Error) || unfit {
            return Err(Error::KvFull { needed: 1, free: 0 });
        }
        for (i, rows) in rows.iter_mut().enumerate() {
            if i == 1 && fault == Some(Fault::Panic) {
                panic!("a fault in the middle of a step");
            }
            let adapter = rows.adapter.copied().unwrap_or(0);
            let mut value = 0;
            for token in rows.tokens {
                value = rows.pages.push(*token, adapter);
            }
            if let Some(logits) = rows.logits.as_deref_mut() {
                write_logits(logits, value);
            }
        }
        assert_ne!(fault, Some(Fault::Panic), "a fault at the end of a step");
        Ok(())
    }
}

/// An answer as whoever asked sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    pub text: String,
    pub logprobs: Vec<TokenLogprob>,
    pub done: Option<(Finish, Usage)>,
    pub failed: Option<String>,
    pub events: usize,
}

impl Answer {
    pub fn take(&mut self, event: Event) {
        assert!(self.done.is_none() && self.failed.is_none(), "nothing comes after the last event");
        self.events += 1;
        match event {
            Event::Text { text, logprobs } => {
                self.text.push_str(&text);
                self.logprobs.extend(logprobs);
            }
            Event::Done { finish, usage } => self.done = Some((finish, usage)),
            Event::Failed(error) => self.failed = Some(error.to_string()),
        }
    }

    pub fn has_ended(&self) -> bool {
        self.done.is_some() || self.failed.is_some()
    }
}

/// The answer computed alone, without pages and without the scheduler.
pub fn alone(prompt: &[u32], adapter: u64, sampling: &Sampling) -> Answer {
    let turned_for = turned_for(prompt.len() + sampling.max_new_tokens);
    let mut writer = Writer::new(tokenizer(), sampling, prompt).expect("the settings are right");
    let mut value =
        prompt.iter().fold(0, |value, token| following(value, *token, adapter, turned_for));
    let mut logits = vec![0.0; vocabulary()];
    let mut answer = Answer::default();
    loop {
        write_logits(&mut logits, value);
        let piece = writer.next(&mut logits).expect("a token");
        answer.text.push_str(&piece.text);
        answer.logprobs.extend(piece.logprobs);
        if let Some(finish) = piece.finish {
            let usage = Usage {
                prompt_tokens: prompt.len(),
                cached_tokens: 0,
                completion_tokens: writer.completion_tokens(),
            };
            answer.done = Some((finish, usage));
            return answer;
        }
        let token = piece.token.expect("a token while there is no end");
        value = following(value, token, adapter, turned_for);
    }
}
