//! What clients ask for and what they are told.

use crate::error::Error;
use crate::generate::{Finish, Sampling, TokenLogprob};
use crate::model::fast::PreparedAdapter;
use std::sync::Arc;
use std::time::Duration;

/// The number of a request. Later requests have greater numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An answer to be written.
pub struct Request<A = PreparedAdapter> {
    /// The prompt's tokens, at least one.
    pub prompt: Vec<u32>,
    /// The adapter, if not the base alone.
    pub adapter: Option<Arc<A>>,
    /// What the adapter is known by where beginnings are shared: SHA-256 of its file, zeros for none.
    pub adapter_key: [u8; 32],
    /// How the answer is sampled and where it ends.
    pub sampling: Sampling,
    /// Who asks: clients get equal shares.
    pub client: u64,
}

/// Tokens of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the prompt whose keys and values were there already.
    pub cached_tokens: usize,
    /// Tokens that the model chose, with the one that ended the answer.
    pub completion_tokens: usize,
}

/// What happens to a request. [`Event::Done`] and [`Event::Failed`] are the last.
#[derive(Debug)]
pub enum Event {
    /// More of the answer.
    Text {
        /// The text, which may be empty where only `logprobs` came.
        text: String,
        /// Of the tokens that the text holds the last part of.
        logprobs: Vec<TokenLogprob>,
    },
    /// The answer is whole.
    Done {
        /// Why it ended.
        finish: Finish,
        /// Its tokens.
        usage: Usage,
    },
    /// The answer cannot be finished.
    Failed(Error),
}

/// Takes the events of one request, on the scheduler's thread. It must not wait for anything: all
/// answers would wait with it. A cancelled request's sink is dropped without a last event.
pub trait Sink: Send {
    /// Takes an event. On `false` nobody listens any more and the request is cancelled.
    fn event(&mut self, event: Event) -> bool;
}

impl<F: FnMut(Event) -> bool + Send> Sink for F {
    fn event(&mut self, event: Event) -> bool {
        self(event)
    }
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Too many requests wait.
    #[error(
        "{waiting} requests wait{}, and at most {limit} may; try again in {} s",
        if *of_client { " of this client" } else { "" }, retry_after.as_secs()
    )]
    Full {
        /// Requests that wait.
        waiting: usize,
        /// How many may.
        limit: usize,
        /// Whether these are the client's own.
        of_client: bool,
        /// When a place is likely to be free, by the work queued and the speed measured; whole seconds.
        retry_after: Duration,
    },
    /// The request could never be served.
    #[error(
        "{prompt} tokens of prompt and {max_new_tokens} new ones are {} tokens, and this server takes at \
         most {limit} together; shorten the prompt, or lower max_tokens",
        prompt + max_new_tokens
    )]
    TooLong {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens asked for.
        max_new_tokens: usize,
        /// Most tokens of both, by the model's context and the memory for keys and values.
        limit: usize,
    },
    /// The request is not right.
    #[error(transparent)]
    Invalid(#[from] Error),
    /// The server is shutting down.
    #[error("the server is shutting down and takes no new requests; try another one, or later")]
    Draining,
    /// The server cannot go on.
    #[error("the server stopped: {reason}; restart it")]
    Stopped {
        /// What happened.
        reason: String,
    },
}
