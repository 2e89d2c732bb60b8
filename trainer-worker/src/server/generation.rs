//! Answers being written: what is asked of the scheduler, and what comes back.

use super::error::ApiError;
use super::keys::Place;
use super::names::Chosen;
use super::App;
use openledger_engine::generate::{Finish, Sampling, TokenLogprob};
use openledger_engine::serving::{Event, Request, RequestId, Scheduler, Usage};
use openledger_http::Share;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Most answers to one request: of all its prompts together.
pub(crate) const MAX_CHOICES: usize = 8;

/// Bytes that a token of an answer takes until it is sent, at most: its event, its text, and its JSON.
const TOKEN_BYTES: usize = 128;
/// Bytes that each log probability takes beside it.
const LOGPROB_BYTES: usize = 192;

/// Bytes that an answer may take until it is sent.
fn bytes(sampling: &Sampling) -> usize {
    let told = sampling.logprobs.map_or(0, |top| (top + 1) * LOGPROB_BYTES);
    sampling.max_new_tokens.saturating_mul(TOKEN_BYTES + told)
}

/// One answer that is asked for.
pub(crate) struct Choice {
    pub(crate) prompt: Vec<u32>,
    pub(crate) sampling: Sampling,
}

/// A whole answer.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) logprobs: Vec<TokenLogprob>,
    /// None while it is being written.
    pub(crate) finish: Option<Finish>,
    usage: Usage,
    /// Pieces that came, at most as many as tokens.
    pieces: usize,
}

/// The answers to one request, as they are written.
///
/// Its queue needs no limit of its own: an answer has at most as many events as it may have tokens, and
/// one more, for which it has taken its share of the memory. When it is dropped, because its client has gone or has all it wanted, what is not finished is
/// cancelled.
pub(crate) struct Generation {
    events: mpsc::UnboundedReceiver<(usize, Event)>,
    ids: Vec<RequestId>,
    scheduler: Scheduler,
    place: Place,
    /// What the answers may take, of what all may.
    room: Share,
    answers: Vec<Answer>,
    /// Answers to the first prompt: it is counted once for all of them.
    choices_a_prompt: usize,
    deadline: Instant,
    limit: Duration,
}

/// What a client is told next.
pub(crate) enum Next {
    Text { choice: usize, text: String, logprobs: Vec<TokenLogprob> },
    Done { choice: usize, finish: Finish },
    End,
}

impl Generation {
    /// Hands the request over.
    ///
    /// # Errors
    /// When the scheduler refuses one of the answers; then none is written.
    pub(crate) fn start(
        app: &App,
        place: Place,
        chosen: &Chosen,
        choices: Vec<Choice>,
        choices_a_prompt: usize,
    ) -> Result<Self, ApiError> {
        let needed = choices.iter().map(|c| bytes(&c.sampling)).fold(0, usize::saturating_add);
        let most = app.answers.limit_of_client();
        if needed > most {
            let message = format!(
                "the answers could take {needed} bytes with their log probabilities, and those of a key may take \
                 {most}; lower max_tokens, n or the number of log probabilities"
            );
            return Err(ApiError::invalid("invalid_value", message));
        }
        let mut room = app.answers.share_of(place.client().number);
        room.grow(needed)?;
        let (sender, events) = mpsc::unbounded_channel();
        let limit = app.limits.request_time;
        let mut generation = Self {
            events,
            ids: Vec::new(),
            scheduler: app.scheduler.clone(),
            place,
            room,
            answers: Vec::new(),
            choices_a_prompt: choices_a_prompt.max(1),
            deadline: Instant::now() + limit,
            limit,
        };
        for (index, Choice { prompt, sampling }) in choices.into_iter().enumerate() {
            let sender = sender.clone();
            let request = Request {
                prompt,
                adapter: chosen.adapter.as_ref().map(|adapter| adapter.prepared.clone()),
                adapter_key: chosen.adapter.as_ref().map_or([0; 32], |adapter| adapter.sha256),
                sampling,
                client: generation.place.client().number,
            };
            let sink = Box::new(move |event| sender.send((index, event)).is_ok());
            // When a later one is refused, dropping the generation cancels those before it.
            generation.ids.push(app.scheduler.submit(request, sink)?);
            generation.answers.push(Answer::default());
        }
        Ok(generation)
    }

    /// The next piece of any answer, and [`Next::End`] after the last.
    ///
    /// # Errors
    /// When an answer failed or took too long; nothing comes after that.
    pub(crate) async fn next(&mut self) -> Result<Next, ApiError> {
        if self.answers.iter().all(|answer| answer.finish.is_some()) {
            return Ok(Next::End);
        }
        let event = tokio::time::timeout_at(self.deadline, self.events.recv()).await;
        let event = event.map_err(|_| ApiError::timed_out(self.limit.as_secs()))?;
        let cut_off = || ApiError::unavailable("draining", 5, "the server ended before the answer");
        let (choice, event) = event.ok_or_else(cut_off)?;
        let Some(answer) = self.answers.get_mut(choice) else {
            return Err(ApiError::internal("an answer came that nobody asked for"));
        };
        match event {
            Event::Text { text, logprobs } => {
                answer.pieces += 1;
                Ok(Next::Text { choice, text, logprobs })
            }
            Event::Done { finish, usage } => {
                answer.finish = Some(finish);
                answer.usage = usage;
                Ok(Next::Done { choice, finish })
            }
            Event::Failed(error) => {
                tracing::error!(%error, "an answer failed");
                Err(error.into())
            }
        }
    }

    /// All answers, when they are whole, and their share of the memory.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) async fn collect(
        mut self,
        app: &App,
    ) -> Result<(Vec<Answer>, Usage, Share), ApiError> {
        loop {
            match self.next().await? {
                Next::Text { choice, text, logprobs } => {
                    if let Some(answer) = self.answers.get_mut(choice) {
                        answer.text.push_str(&text);
                        answer.logprobs.extend(logprobs);
                    }
                }
                Next::Done { .. } => {}
                Next::End => break,
            }
        }
        let usage = self.usage();
        self.place.client().charge(usage.completion_tokens);
        let room = std::mem::replace(&mut self.room, app.answers.share());
        Ok((std::mem::take(&mut self.answers), usage, room))
    }

    /// Tokens of all answers; each prompt counts once.
    pub(crate) fn usage(&self) -> Usage {
        let mut total = Usage::default();
        for (index, answer) in self.answers.iter().enumerate() {
            if index % self.choices_a_prompt == 0 {
                total.prompt_tokens += answer.usage.prompt_tokens;
                total.cached_tokens += answer.usage.cached_tokens;
            }
            total.completion_tokens += answer.usage.completion_tokens;
        }
        total
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        for (id, answer) in self.ids.iter().zip(&self.answers) {
            // What was written is charged, whether or not it was read to its end.
            if answer.finish.is_some() {
                self.place.client().charge(answer.usage.completion_tokens);
            } else {
                self.place.client().charge(answer.pieces);
                self.scheduler.cancel(*id);
            }
        }
    }
}
