//! How a server may use its machine.

use crate::error::{Error, Result};
use crate::generate::{MAX_STOP_BYTES, MAX_TOP_LOGPROBS};
use crate::model::config::ModelConfig;
use crate::model::fast::{BatchStep, ServingArithmetic};
use crate::model::kv::{KvPool, PAGE};

/// Most threads that a step is divided among.
const MAX_THREADS: usize = 16;
/// Most sequences at the same time, and most rows of a step.
const MAX_ROWS: usize = 4096;
/// Most requests that wait.
const MAX_WAITING: usize = 65_536;

/// Least memory for grammars.
const LEAST_GRAMMARS: usize = 32 << 20;

/// Bytes that a request keeps for each of its tokens, at most: the token twice (the answer's are with
/// its writer too), its share of the keys of its pages, and its place among the penalised tokens.
const REQUEST_BYTES_PER_TOKEN: usize = 32;
/// Bytes of what else a request keeps, at most: its settings, stop strings and biases, and the log
/// probabilities of tokens whose text is held back, as many as a stop string has bytes.
const REQUEST_BYTES: usize = 64 << 10;
const LOGPROB_BYTES: usize = MAX_STOP_BYTES * (1 + MAX_TOP_LOGPROBS) * 64;
/// Bytes for each token of the vocabulary that choosing a token takes: the logits that the model gave,
/// a copy to compute with, and the candidates with their probabilities.
const WRITER_BYTES_PER_TOKEN: usize = 16;

/// How a server may use its machine. What it needs is known from these and the model alone
/// ([`Self::memory`]), whatever clients send.
#[derive(Debug, Clone, PartialEq)]
pub struct ServingSettings {
    /// How products are computed; by the weights' format where none is named.
    pub arithmetic: Option<ServingArithmetic>,
    /// Threads that a step is divided among, 1 to 16.
    pub threads: usize,
    /// Bytes of the pool of keys and values.
    pub kv_bytes: usize,
    /// Most requests that run at the same time, 1 to 4096.
    pub max_running: usize,
    /// Most rows of a step, `max_running` to 4096.
    pub max_batch_rows: usize,
    /// Most rows of prompts in a step in which others decode, 1 to `max_batch_rows`. Fewer let answers
    /// flow more evenly while prompts are read; more read prompts sooner.
    pub prefill_chunk: usize,
    /// Most requests that wait, 1 to 65536.
    pub max_waiting: usize,
    /// Most requests of one client that wait, 1 to `max_waiting`.
    pub max_waiting_per_client: usize,
    /// Bytes of the grammars that answers follow, and of following them, for all answers.
    pub grammar_bytes: usize,
    /// Whether clients share keys and values of equal beginnings with each other. Then a client can
    /// tell from times and from `cached_tokens` whether another asked something that begins alike.
    pub share_between_clients: bool,
}

impl Default for ServingSettings {
    fn default() -> Self {
        Self {
            arithmetic: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS),
            kv_bytes: 1 << 30,
            max_running: 64,
            max_batch_rows: 128,
            prefill_chunk: 64,
            max_waiting: 256,
            max_waiting_per_client: 64,
            grammar_bytes: 256 << 20,
            share_between_clients: false,
        }
    }
}

/// Where a server's memory goes, in bytes, beside the model and the adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServingMemory {
    /// Pages of keys and values.
    pub pages: usize,
    /// Tokens of a page.
    pub page_tokens: usize,
    /// Bytes of a page.
    pub page_bytes: usize,
    /// Most tokens of prompt and answer of one request.
    pub longest: usize,
    /// All pages.
    pub kv_bytes: usize,
    /// What a step computes in.
    pub step_bytes: usize,
    /// Logits of the sequences of a step, and what choosing their tokens takes.
    pub logits_bytes: usize,
    /// Requests that run and wait, with their prompts and answers, at most.
    pub request_bytes: usize,
    /// Grammars, and following them.
    pub grammar_bytes: usize,
}

impl ServingMemory {
    /// All of it.
    pub fn total(&self) -> usize {
        let parts = [self.kv_bytes, self.step_bytes, self.logits_bytes];
        let of_requests = [self.request_bytes, self.grammar_bytes];
        parts.into_iter().chain(of_requests).fold(0, usize::saturating_add)
    }
}

impl std::fmt::Display for ServingMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |bytes: usize| bytes.div_ceil(1 << 20);
        write!(
            f,
            "at most {} MiB beside the model: {} MiB keys and values ({} pages of {} tokens, {} tokens in \
             all), {} MiB for a step, {} MiB logits, {} MiB requests, {} MiB \
             grammars",
            mib(self.total()),
            mib(self.kv_bytes),
            self.pages,
            self.page_tokens,
            self.pages * self.page_tokens,
            mib(self.step_bytes),
            mib(self.logits_bytes),
            mib(self.request_bytes),
            mib(self.grammar_bytes),
        )
    }
}

impl ServingSettings {
    /// Refuses the first setting that is out of range, by name.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |name, value: String, range: String| Err(Error::Setting { name, value, range });
        let ranges = [
            ("threads", self.threads, 1, MAX_THREADS),
            ("max_running", self.max_running, 1, MAX_ROWS),
            ("max_batch_rows", self.max_batch_rows, self.max_running, MAX_ROWS),
            ("prefill_chunk", self.prefill_chunk, 1, self.max_batch_rows),
            ("max_waiting", self.max_waiting, 1, MAX_WAITING),
            ("max_waiting_per_client", self.max_waiting_per_client, 1, self.max_waiting),
        ];
        if self.grammar_bytes < LEAST_GRAMMARS {
            let range = format!("at least {LEAST_GRAMMARS}: one answer that follows a schema");
            return refuse("grammar_bytes", self.grammar_bytes.to_string(), range);
        }
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return refuse(name, value.to_string(), format!("{least} to {most}"));
            }
        }
        Ok(())
    }

    /// What a server with these settings needs at most, beside the model and the adapters.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of range, or a pool without a page.
    pub fn memory(&self, config: &ModelConfig) -> Result<ServingMemory> {
        self.validate()?;
        let page_bytes = KvPool::page_bytes(config);
        let pages = self.kv_bytes / page_bytes.max(1);
        if pages == 0 {
            return Err(Error::Setting {
                name: "kv_bytes",
                value: self.kv_bytes.to_string(),
                range: format!("at least {page_bytes}: one page of {PAGE} tokens"),
            });
        }
        let longest = config.max_position_embeddings.min(pages.saturating_mul(PAGE));
        let requests = self.max_running + self.max_waiting;
        Ok(ServingMemory {
            pages,
            page_tokens: PAGE,
            page_bytes,
            longest,
            kv_bytes: pages * page_bytes,
            step_bytes: BatchStep::buffer_bytes(config),
            logits_bytes: self
                .max_running
                .saturating_mul(config.vocab_size)
                .saturating_mul(size_of::<f32>() + WRITER_BYTES_PER_TOKEN),
            request_bytes: longest
                .saturating_mul(REQUEST_BYTES_PER_TOKEN)
                .saturating_add(REQUEST_BYTES + LOGPROB_BYTES)
                .saturating_mul(requests),
            grammar_bytes: self.grammar_bytes,
        })
    }
}
