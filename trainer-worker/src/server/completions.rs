//! `POST /v1/completions`.

use super::access::Asking;
use super::chat::{finish_reason, StreamOptions};
use super::error::{ApiError, ErrorBody};
use super::fields::{self, Field};
use super::generation::{Answer, Choice, Generation};
use super::json::{held, ApiRequest, Input};
use super::keys::Client;
use super::logprobs::finite;
use super::names::{self, Identity};
use super::request::{self, sampling_fields};
use super::sse::{self, Chunks, Events};
use super::usage::CompletionUsage;
use super::App;
use axum::extract::State;
use axum::response::Response;
use openledger_engine::generate::{Finish, TokenLogprob};
use openledger_engine::serving::Usage;
use openledger_engine::tokenizer::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Tokens of an answer where the request names no number: OpenAI's.
const MAX_TOKENS: u64 = 16;

/// Texts to be continued.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CompletionRequest {
    /// A name of `GET /v1/models`, or `openledger:ID`.
    #[schema(example = "SmolLM2-135M-Instruct.Q4_1")]
    model: String,
    /// A text, token ids, or a list of either.
    #[schema(value_type = Object, example = "One, two,")]
    prompt: Value,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    repetition_penalty: Option<f64>,
    logit_bias: Option<BTreeMap<String, f64>>,
    seed: Option<i64>,
    /// A string, or a list of strings.
    #[schema(value_type = Option<Object>)]
    stop: Option<Value>,
    logprobs: Option<u64>,
    n: Option<u64>,
    #[schema(value_type = Option<Object>)]
    response_format: Option<Json>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

impl ApiRequest for CompletionRequest {
    const FIELDS: &'static [Field] = fields::COMPLETIONS;
}

/// How likely each token was.
#[derive(Debug, Default, Serialize, ToSchema)]
struct CompletionLogprobs {
    tokens: Vec<String>,
    token_logprobs: Vec<f64>,
    top_logprobs: Vec<BTreeMap<String, f64>>,
    /// Where each token begins in the answer, in characters.
    text_offset: Vec<usize>,
}

impl CompletionLogprobs {
    /// Those of tokens that begin `offset` characters into the answer; moves the offset on.
    fn new(told: bool, entries: &[TokenLogprob], offset: &mut usize) -> Option<Self> {
        if !told {
            return None;
        }
        let mut all = Self::default();
        for entry in entries {
            let text = entry.token.text();
            all.text_offset.push(*offset);
            *offset += text.chars().count();
            all.tokens.push(text);
            all.token_logprobs.push(finite(entry.token.logprob));
            let top = entry.top.iter().map(|top| (top.text(), finite(top.logprob)));
            all.top_logprobs.push(top.collect());
        }
        Some(all)
    }
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
struct CompletionChoice {
    index: usize,
    text: String,
    logprobs: Option<CompletionLogprobs>,
    /// `stop` or `length`; none while it is being written.
    finish_reason: Option<&'static str>,
}

/// The answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CompletionHead {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    system_fingerprint: String,
}

/// The continued texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Completion {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    system_fingerprint: String,
    choices: Vec<CompletionChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<CompletionUsage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openledger: Option<Identity>,
}

impl CompletionHead {
    fn with(
        &self,
        choices: Vec<CompletionChoice>,
        usage: Option<Option<CompletionUsage>>,
        openledger: Option<Identity>,
    ) -> Completion {
        let Self { id, object, created, model, system_fingerprint } = self.clone();
        Completion { id, object, created, model, system_fingerprint, choices, usage, openledger }
    }
}

/// A prompt as it was given.
enum Prompt {
    Text(String),
    Tokens(Vec<u32>),
}

fn prompts(given: Value) -> Result<Vec<Prompt>, ApiError> {
    let wrong =
        || ApiError::field("prompt", "prompt is a text, a list of token ids, or a list of either");
    let tokens = |ids: Vec<Value>| -> Result<Prompt, ApiError> {
        let id = |id: Value| id.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(wrong);
        ids.into_iter().map(id).collect::<Result<_, _>>().map(Prompt::Tokens)
    };
    match given {
        Value::String(text) => Ok(vec![Prompt::Text(text)]),
        Value::Array(all) if all.first().is_some_and(Value::is_number) => Ok(vec![tokens(all)?]),
        Value::Array(all) if !all.is_empty() => all
            .into_iter()
            .map(|one| match one {
                Value::String(text) => Ok(Prompt::Text(text)),
                Value::Array(ids) => tokens(ids),
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}

fn encode(app: &App, client: &Client, prompt: Prompt) -> Result<Vec<u32>, ApiError> {
    let tokens = match prompt {
        Prompt::Text(text) => request::encode(app, client, &text, "prompt")?,
        Prompt::Tokens(tokens) => {
            client.charge(tokens.len());
            tokens
        }
    };
    let vocabulary = app.model.config.vocab_size;
    if let Some(id) = tokens.iter().find(|id| **id as usize >= vocabulary) {
        let message = format!("the token id {id} is outside the vocabulary of {vocabulary}");
        return Err(ApiError::field("prompt", message));
    }
    if tokens.is_empty() {
        return Err(ApiError::field("prompt", "prompt is empty; give at least one token"));
    }
    Ok(tokens)
}

/// Continue texts.
#[utoipa::path(
    post,
    path = "/v1/completions",
    tag = "OpenAI",
    request_body = CompletionRequest,
    responses(
        (status = 200, description = "The answers, or chunks of them as server-sent events", body = Completion),
        (status = "4XX", description = "The request is not right, or may not be made", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Input(mut asked, held_body): Input<CompletionRequest>,
) -> Result<Response, ApiError> {
    let stream = asked.stream.unwrap_or(false);
    if asked.stream_options.is_some() && !stream {
        let message = "stream_options are given, and stream is not true";
        return Err(ApiError::field("stream_options", message));
    }
    let include_usage =
        asked.stream_options.take().and_then(|options| options.include_usage).unwrap_or(false);
    let told = asked.logprobs.is_some();
    let prompts = prompts(std::mem::take(&mut asked.prompt))?;
    let n = request::choices(asked.n, prompts.len())?;
    let all = n * prompts.len();
    let chosen = names::choose(&app, &place.client().name, &asked.model).await?;
    let (choices, seed) = request::compute(&app, place.client(), move |app, client| {
        let _held = held_body;
        let fields = sampling_fields!(asked, {
            logprobs: asked.logprobs,
            format: asked.response_format.take(),
        });
        let (sampling, seed) = fields.sampling(app, 1)?;
        let prompts = prompts.into_iter().map(|prompt| encode(app, client, prompt));
        let prompts = prompts.collect::<Result<Vec<_>, _>>()?;
        let mut choices = Vec::with_capacity(all);
        for prompt in prompts {
            let limit = ("max_tokens", asked.max_tokens);
            let otherwise = Some(MAX_TOKENS);
            let most = request::most_tokens(app, limit, otherwise, prompt.len(), "prompt")?;
            for _ in 0..n {
                let mut sampling = request::for_choice(&sampling, choices.len());
                sampling.max_new_tokens = most;
                choices.push(Choice { prompt: prompt.clone(), sampling });
            }
        }
        Ok((choices, seed))
    })
    .await?;
    let identity = chosen.identity.with_seed(seed);
    let generation = Generation::start(&app, place, &chosen, choices, n)?;
    let head = CompletionHead {
        id: app.id("cmpl"),
        object: "text_completion",
        created: super::now(),
        model: chosen.name.clone(),
        system_fingerprint: identity.fingerprint(),
    };
    let mut answer = if stream {
        let identity = Some(identity.clone());
        let offsets = vec![0; all];
        sse::response(generation, CompletionStream { head, told, include_usage, identity, offsets })
    } else {
        let (answers, usage, room) = generation.collect(&app).await?;
        let choices = answers.into_iter().enumerate().map(|(index, a)| choice(index, a, told));
        let usage = Some(Some(usage.into()));
        held(&head.with(choices.collect(), usage, Some(identity.clone())), room)
    };
    identity.name_in(answer.headers_mut());
    Ok(answer)
}

fn choice(index: usize, answer: Answer, told: bool) -> CompletionChoice {
    CompletionChoice {
        index,
        text: answer.text,
        logprobs: CompletionLogprobs::new(told, &answer.logprobs, &mut 0),
        finish_reason: Some(finish_reason(answer.finish.unwrap_or(Finish::Length))),
    }
}

struct CompletionStream {
    head: CompletionHead,
    told: bool,
    include_usage: bool,
    /// What answers, for the first chunk.
    identity: Option<Identity>,
    /// Characters of each answer so far.
    offsets: Vec<usize>,
}

impl CompletionStream {
    fn chunk(
        &mut self,
        events: &mut Events,
        choices: Vec<CompletionChoice>,
        usage: Option<CompletionUsage>,
    ) {
        let usage = self.include_usage.then_some(usage);
        events.data(&self.head.with(choices, usage, self.identity.take()));
    }
}

impl Chunks for CompletionStream {
    fn begin(&mut self, _events: &mut Events) {}

    fn text(
        &mut self,
        events: &mut Events,
        index: usize,
        text: String,
        entries: Vec<TokenLogprob>,
    ) {
        let mut nowhere = 0;
        let offset = self.offsets.get_mut(index).unwrap_or(&mut nowhere);
        let logprobs = CompletionLogprobs::new(self.told, &entries, offset);
        let choice = CompletionChoice { index, text, logprobs, finish_reason: None };
        self.chunk(events, vec![choice], None);
    }

    fn done(&mut self, events: &mut Events, index: usize, finish: Finish) {
        let finish_reason = Some(finish_reason(finish));
        let choice = CompletionChoice { index, text: String::new(), logprobs: None, finish_reason };
        self.chunk(events, vec![choice], None);
    }

    fn end(&mut self, events: &mut Events, usage: Usage) {
        if self.include_usage {
            self.chunk(events, Vec::new(), Some(usage.into()));
        }
        events.end();
    }

    fn failed(&mut self, events: &mut Events, error: &ApiError) {
        events.data(&error.body());
    }
}
