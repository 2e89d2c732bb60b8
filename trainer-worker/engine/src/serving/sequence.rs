//! One request on its way to an answer.

use super::forward::{Forward, Pages, PAGE};
use super::prefix::{self, Key, PrefixCache};
use super::request::{Event, RequestId, Sink, Usage};
use crate::error::Error;
use crate::generate::{Piece, Writer};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

type PageOf<F> = <<F as Forward>::Pages as Pages>::Page;

/// A request that was accepted: its bounds were checked, and its answer can be begun.
pub struct Accepted<F: Forward> {
    /// Its number, greater than those of all before it.
    pub id: RequestId,
    /// Who asks.
    pub client: u64,
    /// The prompt, at least one token.
    pub prompt: Vec<u32>,
    /// Most tokens of prompt and answer; their pages fit in the pool.
    pub limit: usize,
    /// The adapter.
    pub adapter: Option<Arc<F::Adapter>>,
    /// What the adapter is known by.
    pub adapter_key: [u8; 32],
    /// Writes the answer.
    pub writer: Writer,
    /// Who is told.
    pub sink: Box<dyn Sink>,
}

/// How a sequence goes on after a step.
pub(super) enum Next {
    /// It has another token to be read.
    GoesOn,
    /// It ended, and whoever asked knows.
    Done,
    /// Nobody listens any more.
    Deserted,
    /// It ended with an error.
    Failed,
}

/// An accepted request with what was computed for it so far.
pub(super) struct Sequence<F: Forward> {
    pub(super) id: RequestId,
    pub(super) client: u64,
    pub(super) limit: usize,
    /// Prompt and answer.
    pub(super) tokens: Vec<u32>,
    prompt: usize,
    /// Prompt tokens that came from pages of others when it first ran.
    cached: usize,
    pub(super) adapter: Option<Arc<F::Adapter>>,
    adapter_key: [u8; 32],
    pub(super) writer: Writer,
    sink: Box<dyn Sink>,
    /// Pages while it runs.
    pub(super) pages: Option<F::Pages>,
    /// The root and the keys of whole pages.
    keys: Vec<Key>,
    /// Whole pages that were offered to others.
    offered: usize,
    /// The step in which it was computed last.
    pub(super) stepped: u64,
    /// Whether it ran before.
    pub(super) started: bool,
    /// Whether it gave up its pages once.
    stopped: bool,
}

impl<F: Forward> Sequence<F> {
    pub(super) fn new(accepted: Accepted<F>) -> Self {
        let Accepted { id, client, prompt, limit, adapter, adapter_key, writer, sink } = accepted;
        Self {
            id,
            client,
            limit,
            prompt: prompt.len(),
            tokens: prompt,
            cached: 0,
            adapter,
            adapter_key,
            writer,
            sink,
            pages: None,
            keys: Vec::new(),
            offered: 0,
            stepped: 0,
            started: false,
            stopped: false,
        }
    }

    /// Tokens that were taken through the model.
    pub(super) fn computed(&self) -> usize {
        self.pages.as_ref().map_or(0, Pages::len)
    }

    /// Tokens that were not yet, at least one.
    pub(super) fn remaining(&self) -> usize {
        self.tokens.len() - self.computed()
    }

    /// Tokens that it may still take, at most, those of the answer counted as `typical` where more are
    /// allowed.
    pub(super) fn outstanding(&self, typical: usize) -> usize {
        let written = self.tokens.len() - self.prompt;
        let allowed = self.limit.saturating_sub(self.tokens.len());
        self.remaining() + allowed.min(typical.saturating_sub(written).max(1))
    }

    /// Pages that it may take beyond those it holds.
    pub(super) fn may_grow(&self) -> bool {
        self.pages.as_ref().is_some_and(|pages| pages.held() < self.limit.div_ceil(PAGE))
    }

    pub(super) fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt,
            cached_tokens: self.cached,
            completion_tokens: self.writer.completion_tokens(),
        }
    }

    /// Pages that begin as this sequence does, with those that others computed. The last token is
    /// always left to compute, because its logits are wanted.
    pub(super) fn open(
        &mut self,
        forward: &F,
        cache: &mut PrefixCache<PageOf<F>>,
        shared: bool,
    ) -> F::Pages {
        if self.keys.is_empty() {
            let turned_for = forward.open(self.limit, Vec::new()).turned_for();
            let owner = (!shared).then_some(self.client);
            self.keys.push(prefix::root(&self.adapter_key, turned_for, owner));
        }
        prefix::extend_keys(&mut self.keys, &self.tokens);
        let whole = (self.tokens.len() - 1) / PAGE;
        let found = cache.find(self.keys.get(1..=whole).unwrap_or_default());
        forward.open(self.limit, found)
    }

    /// Runs in these pages.
    pub(super) fn start(&mut self, pages: F::Pages) {
        let computed = pages.len();
        if !self.started {
            self.cached = computed;
        }
        self.started = true;
        self.offered = computed / PAGE;
        self.pages = Some(pages);
    }

    /// Goes on in pages that others computed since it started, where the next one is among them. Returns
    /// the tokens of its prompt that it need not compute for the first time.
    pub(super) fn adopt(&mut self, forward: &F, cache: &mut PrefixCache<PageOf<F>>) -> usize {
        let Some(own) = self.pages.as_ref().filter(|p| p.len() % PAGE == 0) else { return 0 };
        let at = own.len() / PAGE;
        let whole = (self.tokens.len() - 1) / PAGE;
        let found = cache.find(self.keys.get(at + 1..=whole).unwrap_or_default());
        if found.is_empty() {
            return 0;
        }
        let adopted = found.len() * PAGE;
        let start: Vec<PageOf<F>> = (0..at).map_while(|i| own.page(i)).chain(found).collect();
        let (before, reserved) = (own.len(), own.held());
        let pages = forward.open(self.limit, start);
        if pages.len() != before + adopted {
            // The pages cannot be used together; what was computed stays.
            return 0;
        }
        // Its own pages for these tokens go back first, so that the room for the rest is there.
        self.pages = Some(pages);
        let rest = self.remaining();
        let room = self.pages.as_mut().is_some_and(|pages| pages.reserve(rest));
        debug_assert!(room, "{reserved} pages were held and fewer are needed");
        self.offered = self.computed() / PAGE;
        if self.stopped || self.writer.completion_tokens() > 0 {
            return 0;
        }
        self.cached += adopted;
        adopted
    }

    /// The key of the page that its next token lies in, if that page will be whole.
    pub(super) fn next_key(&self) -> Option<Key> {
        self.keys.get(self.computed() / PAGE + 1).copied()
    }

    /// Offers whole pages to others.
    pub(super) fn offer(&mut self, cache: &mut PrefixCache<PageOf<F>>) {
        let Some(pages) = self.pages.as_ref() else { return };
        let whole = pages.len() / PAGE;
        if whole <= self.offered {
            return;
        }
        prefix::extend_keys(&mut self.keys, &self.tokens);
        for index in self.offered..whole {
            if let Some(key) = self.keys.get(index + 1) {
                cache.keep(*key, || pages.page(index));
            }
        }
        self.offered = whole;
    }

    /// Gives its pages back. What it computed is computed again when it next runs, to the same bytes.
    pub(super) fn stop(&mut self) {
        self.pages = None;
        self.offered = 0;
        self.stopped = true;
        self.writer.rest();
    }

    /// Writes a token and tells whoever asked.
    pub(super) fn write(&mut self, logits: &mut [f32]) -> Next {
        let written = catch_unwind(AssertUnwindSafe(|| self.writer.next(logits)));
        let piece = match written {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => return self.fail(error),
            Err(_) => {
                let reason = "choosing the next token failed in a way that is a mistake of this \
                              program; please report it";
                return self.fail(Error::Serving { reason: reason.to_owned() });
            }
        };
        let Piece { token, text, logprobs, finish } = piece;
        let more = !text.is_empty() || !logprobs.is_empty();
        if more && !self.tell(Event::Text { text, logprobs }) {
            return Next::Deserted;
        }
        if let Some(finish) = finish {
            let usage = self.usage();
            self.tell(Event::Done { finish, usage });
            return Next::Done;
        }
        match token {
            Some(token) => {
                self.tokens.push(token);
                Next::GoesOn
            }
            None => self.fail(Error::Serving {
                reason: "the answer ended without a reason; please report it".to_owned(),
            }),
        }
    }

    /// Tells whoever asked that there will be no answer.
    pub(super) fn fail(&mut self, error: Error) -> Next {
        self.tell(Event::Failed(error));
        Next::Failed
    }

    /// A sink that fails listens no more; the others go on.
    fn tell(&mut self, event: Event) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.sink.event(event))).unwrap_or(false)
    }
}
