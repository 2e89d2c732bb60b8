//! `POST /v1/chat/completions`.

use super::access::Asking;
use super::error::{ApiError, ErrorBody};
use super::fields::{self, Field};
use super::generation::{Answer, Choice, Generation};
use super::json::{held, ApiRequest, Input};
use super::names::{self, Identity};
use super::request::{self, sampling_fields};
use super::sse::{self, Chunks, Events};
use super::usage::CompletionUsage;
use super::{logprobs, App};
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

/// A conversation to be answered.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChatRequest {
    /// A name of `GET /v1/models`, or `openledger:ID`.
    #[schema(example = "SmolLM2-135M-Instruct.Q4_1")]
    model: String,
    /// Messages with `role` and `content`: a text, or parts of type text.
    #[schema(value_type = Vec<Object>, example = json!([{"role": "user", "content": "Who pays?"}]))]
    messages: Vec<Value>,
    max_completion_tokens: Option<u64>,
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
    logprobs: Option<bool>,
    top_logprobs: Option<u64>,
    n: Option<u64>,
    #[schema(value_type = Option<Object>)]
    response_format: Option<Json>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

/// How an answer is streamed.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct StreamOptions {
    /// Whether a last chunk tells the tokens.
    pub(crate) include_usage: Option<bool>,
}

impl ApiRequest for ChatRequest {
    const FIELDS: &'static [Field] = fields::CHAT;
}

/// A message of the assistant.
#[derive(Debug, Serialize, ToSchema)]
struct AssistantMessage {
    role: &'static str,
    content: String,
    refusal: Option<String>,
    #[schema(value_type = Vec<Object>)]
    annotations: [(); 0],
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
struct ChatChoice {
    index: usize,
    message: AssistantMessage,
    logprobs: Option<ChatLogprobs>,
    /// `stop` or `length`.
    finish_reason: &'static str,
}

/// How likely each token was.
#[derive(Debug, Serialize, ToSchema)]
struct ChatLogprobs {
    content: Vec<logprobs::Entry>,
    #[schema(value_type = Option<Object>)]
    refusal: Option<()>,
}

impl ChatLogprobs {
    fn new(told: bool, entries: &[TokenLogprob]) -> Option<Self> {
        told.then(|| Self { content: logprobs::entries(entries), refusal: None })
    }
}

/// The answers to a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChatCompletion {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    choices: Vec<ChatChoice>,
    usage: CompletionUsage,
    system_fingerprint: String,
    service_tier: &'static str,
    openledger: Identity,
}

/// How an answer ended, in OpenAI's words.
pub(super) fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

/// Answer a conversation.
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    tag = "OpenAI",
    request_body = ChatRequest,
    responses(
        (status = 200, description = "The answers, or chunks of them as server-sent events", body = ChatCompletion),
        (status = "4XX", description = "The request is not right, or may not be made", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Input(mut asked, held_body): Input<ChatRequest>,
) -> Result<Response, ApiError> {
    let told = asked.logprobs.unwrap_or(false);
    if asked.top_logprobs.is_some_and(|top| top > 0) && !told {
        let message = "top_logprobs needs logprobs = true";
        return Err(ApiError::field("top_logprobs", message));
    }
    let n = request::choices(asked.n, 1)?;
    let stream = asked.stream.unwrap_or(false);
    if asked.stream_options.is_some() && !stream {
        let message = "stream_options are given, and stream is not true";
        return Err(ApiError::field("stream_options", message));
    }
    let messages = request::messages(std::mem::take(&mut asked.messages), "messages")?;
    let chosen = names::choose(&app, &place.client().name, &asked.model).await?;
    let include_usage =
        asked.stream_options.take().and_then(|options| options.include_usage).unwrap_or(false);
    let (choices, seed) = request::compute(&app, place.client(), move |app, client| {
        let _held = held_body;
        // What is cheap to refuse is refused before the prompt is read.
        let fields = sampling_fields!(asked, {
            logprobs: told.then(|| asked.top_logprobs.unwrap_or(0)),
            format: asked.response_format.take(),
        });
        let (mut sampling, seed) = fields.sampling(app, 1)?;
        let prompt = request::conversation(app, client, &messages, "messages")?;
        let limit = match asked.max_completion_tokens {
            Some(limit) => ("max_completion_tokens", Some(limit)),
            None => ("max_tokens", asked.max_tokens),
        };
        sampling.max_new_tokens = request::most_tokens(app, limit, None, prompt.len(), "messages")?;
        let choice = |index| Choice {
            prompt: prompt.clone(),
            sampling: request::for_choice(&sampling, index),
        };
        Ok(((0..n).map(choice).collect(), seed))
    })
    .await?;
    let identity = chosen.identity.with_seed(seed);
    let generation = Generation::start(&app, place, &chosen, choices, n)?;
    let head = Head {
        id: app.id("chatcmpl"),
        created: super::now(),
        model: chosen.name.clone(),
        fingerprint: identity.fingerprint(),
    };
    let mut answer = if stream {
        let identity = Some(identity.clone());
        sse::response(generation, ChatStream { head, n, told, include_usage, identity })
    } else {
        let (answers, usage, room) = generation.collect(&app).await?;
        let choices =
            answers.into_iter().enumerate().map(|(index, answer)| choice(index, answer, told));
        let completion = ChatCompletion {
            id: head.id,
            object: "chat.completion",
            created: head.created,
            model: head.model,
            choices: choices.collect(),
            usage: usage.into(),
            system_fingerprint: head.fingerprint,
            service_tier: "default",
            openledger: identity.clone(),
        };
        held(&completion, room)
    };
    identity.name_in(answer.headers_mut());
    Ok(answer)
}

fn choice(index: usize, answer: Answer, told: bool) -> ChatChoice {
    ChatChoice {
        index,
        message: AssistantMessage {
            role: "assistant",
            content: answer.text,
            refusal: None,
            annotations: [],
        },
        logprobs: ChatLogprobs::new(told, &answer.logprobs),
        finish_reason: finish_reason(answer.finish.unwrap_or(Finish::Length)),
    }
}

/// What all chunks of an answer say.
struct Head {
    id: String,
    created: u64,
    model: String,
    fingerprint: String,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'a str,
    choices: &'a [ChunkChoice],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<CompletionUsage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openledger: Option<Identity>,
}

#[derive(Serialize)]
struct ChunkChoice {
    index: usize,
    delta: Delta,
    logprobs: Option<ChatLogprobs>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

struct ChatStream {
    head: Head,
    n: usize,
    told: bool,
    include_usage: bool,
    /// What answers, for the first chunk.
    identity: Option<Identity>,
}

impl ChatStream {
    fn chunk(
        &mut self,
        events: &mut Events,
        choices: &[ChunkChoice],
        usage: Option<CompletionUsage>,
    ) {
        events.data(&Chunk {
            id: &self.head.id,
            object: "chat.completion.chunk",
            created: self.head.created,
            model: &self.head.model,
            system_fingerprint: &self.head.fingerprint,
            choices,
            // Where the last chunk has it, the others say that they have not.
            usage: self.include_usage.then_some(usage),
            openledger: self.identity.take(),
        });
    }
}

impl Chunks for ChatStream {
    fn begin(&mut self, events: &mut Events) {
        for index in 0..self.n {
            let delta = Delta { role: Some("assistant"), content: Some(String::new()) };
            let choice = ChunkChoice { index, delta, logprobs: None, finish_reason: None };
            self.chunk(events, &[choice], None);
        }
    }

    fn text(
        &mut self,
        events: &mut Events,
        index: usize,
        text: String,
        entries: Vec<TokenLogprob>,
    ) {
        let delta = Delta { role: None, content: Some(text) };
        let logprobs = ChatLogprobs::new(self.told, &entries);
        self.chunk(events, &[ChunkChoice { index, delta, logprobs, finish_reason: None }], None);
    }

    fn done(&mut self, events: &mut Events, index: usize, finish: Finish) {
        let finish_reason = Some(finish_reason(finish));
        let delta = Delta::default();
        self.chunk(events, &[ChunkChoice { index, delta, logprobs: None, finish_reason }], None);
    }

    fn end(&mut self, events: &mut Events, usage: Usage) {
        if self.include_usage {
            self.chunk(events, &[], Some(usage.into()));
        }
        events.end();
    }

    fn failed(&mut self, events: &mut Events, error: &ApiError) {
        events.data(&error.body());
    }
}
