//! Relaying a question and its answer.

use super::api::{collect, is_name};
use super::budget::Reservation;
use super::outside::Answer;
use super::Chat;
use crate::agents::{prompt, Found};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{small, Address, Bearer};
use axum::body::Body;
use axum::extract::State;
use axum::http::{header, HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::stream;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

/// Bytes of a question with all its messages.
const MAX_QUESTION: usize = 64 << 10;
/// Messages of a question.
const MAX_MESSAGES: usize = 64;
/// Tokens of an answer where nothing is said, and at most.
const ANSWER_TOKENS: (u64, u64) = (256, 2_048);
/// Bytes of one event of an answer.
const MAX_EVENT: usize = 256 << 10;
/// Bytes of an answer.
const MAX_ANSWER: usize = 16 << 20;
/// Longest time of an answer.
const WHOLE: Duration = Duration::from_secs(600);
/// Longest silence of a server within an answer; ours are heard of every 15 s.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes of a server's error.
const MAX_ERROR: usize = 16 << 10;

/// What names the model that answered, as the server says it (docs/serving.md).
const NAMES: [&str; 5] = [
    "x-openledger-base-sha256",
    "x-openledger-arithmetic",
    "x-openledger-adapter",
    "x-openledger-adapter-id",
    "x-openledger-adapter-sha256",
];
/// Tokens that are left while the answer comes.
const BUDGET: &str = "x-openledger-budget-remaining";

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// How to answer.
    System,
    /// The asker.
    User,
    /// The model.
    Assistant,
}

/// Something that was said.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// By whom.
    pub role: Role,
    /// What.
    pub content: String,
}

/// A question; the fields are OpenAI's, but for `server`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// A server of `GET /v1/chat/models`, or `worker:` and the account of one whose endpoint the operator
    /// allows; the first one where it is left out.
    pub server: Option<String>,
    /// A model of the server, or `openledger:ID`.
    pub model: String,
    /// 1 to 64, together 64 KiB at most.
    pub messages: Vec<Message>,
    /// 1 to 2048; 256 where it is left out.
    pub max_tokens: Option<u64>,
    /// As the server takes it.
    pub temperature: Option<f64>,
    /// As the server takes it.
    pub top_p: Option<f64>,
    /// As the server takes it; the same one gives the same answer.
    pub seed: Option<i64>,
    /// As the server takes it.
    pub presence_penalty: Option<f64>,
    /// As the server takes it.
    pub frequency_penalty: Option<f64>,
    /// Texts that end the answer, at most 4.
    pub stop: Option<Vec<String>>,
    /// True, or left out: answers are streamed.
    pub stream: Option<bool>,
    /// Whether documentation is asked before the model is. Left out, it is where the adapter's owner instructed
    /// it; `true` asks this gateway's own documentation where nobody did.
    pub agent: Option<bool>,
}

impl Question {
    fn check(&self) -> Result<(), ApiError> {
        if !is_name(&self.model) {
            return Err(ApiError::field(
                "model",
                "a model's name has 1 to 200 visible ASCII letters",
            ));
        }
        let count = self.messages.len();
        if count == 0 || count > MAX_MESSAGES {
            let message = format!("there are {count} messages; there may be 1 to {MAX_MESSAGES}");
            return Err(ApiError::field("messages", message));
        }
        let (_, most) = ANSWER_TOKENS;
        if self.max_tokens.is_some_and(|tokens| tokens == 0 || tokens > most) {
            return Err(ApiError::field("max_tokens", format!("max_tokens may be 1 to {most}")));
        }
        if self.stop.as_ref().is_some_and(|stop| stop.len() > 4) {
            return Err(ApiError::field("stop", "there may be 4 stop texts at most"));
        }
        if self.stream == Some(false) {
            return Err(ApiError::field("stream", "answers are streamed; leave stream out"));
        }
        Ok(())
    }

    /// The question for sources: what the user said last.
    fn asked(&self) -> Option<&str> {
        let said = self.messages.iter().rev().find(|message| message.role == Role::User)?;
        Some(said.content.trim()).filter(|said| !said.is_empty())
    }

    fn answer_tokens(&self) -> u64 {
        self.max_tokens.unwrap_or(ANSWER_TOKENS.0)
    }

    /// Tokens of the prompt, estimated from above: few texts have more than one for two bytes, and a
    /// template puts some around each message.
    fn prompt_tokens(&self) -> u64 {
        let bytes: usize = self.messages.iter().map(|message| message.content.len()).sum();
        (bytes / 2 + self.messages.len() * 16 + 16) as u64
    }

    fn body(&self) -> Result<Bytes, serde_json::Error> {
        let mut body = json!({
            "model": self.model,
            "messages": self.messages,
            "max_tokens": self.answer_tokens(),
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        let given = [
            ("temperature", self.temperature.map(Value::from)),
            ("top_p", self.top_p.map(Value::from)),
            ("seed", self.seed.map(Value::from)),
            ("presence_penalty", self.presence_penalty.map(Value::from)),
            ("frequency_penalty", self.frequency_penalty.map(Value::from)),
            ("stop", self.stop.clone().map(Value::from)),
        ];
        for (name, value) in given {
            if let (Some(value), Some(object)) = (value, body.as_object_mut()) {
                object.insert(name.to_owned(), value);
            }
        }
        serde_json::to_vec(&body).map(Bytes::from)
    }
}

/// Ask a model. The answer comes as server-sent events of OpenAI's chat completions; before the last one,
/// `data: [DONE]`, an event `budget` tells what is left. Going away ends it.
///
/// Where documentation was asked first (docs/agents.md), the first event is `sources`: what each source answered,
/// with the number by which the answer cites it. Before `budget` comes `receipt`, the docs receipt.
///
/// Headers name what answers: `x-openledger-adapter-sha256` and the others of docs/serving.md.
#[utoipa::path(post, path = "/v1/chat", tag = "chat", request_body = Question,
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 400, body = ErrorBody, description = "a field, or what the server says of one"),
        (status = 403, body = ErrorBody, description = "a server that is not allowed"),
        (status = 404, body = ErrorBody, description = "no such server"),
        (status = 429, body = ErrorBody, description = "the day's tokens are used, or too much at once"),
        (status = 502, body = ErrorBody, description = "the server does not answer as it should"),
        (status = 503, body = ErrorBody, description = "the server is busy"),
    ))]
pub async fn chat(
    State(chat): State<Chat>,
    bearer: Bearer,
    address: Address,
    body: Body,
) -> Result<Response, ApiError> {
    let body = small(body, MAX_QUESTION).await?;
    let mut question: Question = serde_json::from_slice(&body).map_err(|error| {
        ApiError::field("body", format!("the body is not as described: {error}"))
    })?;
    question.check()?;
    let server = chat.server(question.server.as_deref()).await?;
    let asker = chat.asker(bearer, address).await?;
    let agents = &chat.0.agents;
    let agent = agents.of(&question.model, question.agent).await?;
    if agent.is_some() && question.asked().is_none() {
        let message = "documentation is asked what the user said last, and nothing was";
        return Err(ApiError::field("messages", message));
    }
    let more = agent.as_ref().map_or(0, |agent| agents.most_bytes(agent) as u64 / 2);
    let most = question.prompt_tokens() + more + question.answer_tokens();
    let mut reservation = chat.0.budgets.reserve(asker, most)?;
    // Nothing was answered yet; whoever leaves before has used nothing.
    reservation.spend(0);
    let left = chat.0.budgets.remaining(asker)?.remaining;
    let mut receipt = None;
    if let Some(agent) = agent {
        let asked = question.asked().unwrap_or("");
        let Found { system, block, receipt: found } =
            agents.consult(agent, &question.model, asked).await?;
        prompt::put(&mut question.messages, &system, block.as_deref());
        receipt = Some(found);
    }
    let prompt = question.prompt_tokens();
    let body =
        question.body().map_err(|error| ApiError::internal("writing the question", &error))?;
    let path = "/chat/completions";
    let key = server.key.as_deref();
    let (target, trust) = (&server.target, server.trust);
    let answer = chat.0.outside.request(target, trust, Method::POST, path, key, body).await?;
    let status = answer.response.status();
    if status != StatusCode::OK {
        return Err(refused(&server.name, answer).await);
    }
    let kind = answer.response.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if !kind.starts_with("text/event-stream") {
        return Err(odd(&server.name, "its answer is no event stream"));
    }
    let mut headers = HeaderMap::new();
    for name in NAMES {
        if let Some(value) = answer.response.headers().get(name).filter(|value| value.len() <= 200)
        {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(BUDGET, HeaderValue::from(left));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    reservation.spend(prompt);
    let (mut first, mut last) = (None, Vec::new());
    if let Some(receipt) = receipt {
        agents.record(&receipt).await?;
        first = Some(event("sources", &receipt.body.sources).into());
        last = event("receipt", &receipt);
    }
    let relay = Relay {
        server: server.name,
        answer,
        reservation: Some(reservation),
        prompt,
        pieces: 0,
        bytes: 0,
        buffer: BytesMut::new(),
        until: Instant::now() + WHOLE,
        first,
        last,
    };
    let events = stream::unfold(Some(relay), |relay| async move {
        let mut relay = relay?;
        let (piece, goes_on) = relay.piece().await;
        Some((Ok::<_, std::convert::Infallible>(piece), goes_on.then_some(relay)))
    });
    let mut response = Response::new(Body::from_stream(events));
    *response.headers_mut() = headers;
    Ok(response)
}

/// An event of ours.
fn event(name: &str, value: &impl Serialize) -> Vec<u8> {
    match serde_json::to_string(value) {
        Ok(json) => format!("event: {name}\ndata: {json}\n\n").into_bytes(),
        Err(_) => Vec::new(),
    }
}

fn odd(server: &str, what: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_GATEWAY, "server_failed", format!("{server}: {what}"))
}

/// What a server said instead of an answer, in its words where they are about the question.
async fn refused(server: &str, answer: Answer) -> ApiError {
    let status = answer.response.status().as_u16();
    let body = collect(answer.response.into_body(), MAX_ERROR, server).await.unwrap_or_default();
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |pointer: &str| {
        said.pointer(pointer).and_then(Value::as_str).map(|text| text.chars().take(500).collect())
    };
    let message: Option<String> = text("/error/message");
    let words = message.unwrap_or_else(|| format!("status {status}"));
    match status {
        // The operator's key, which the asker can do nothing about.
        401 | 403 => odd(server, "it refuses this gateway's key"),
        400 | 404 | 413 | 422 => {
            let field: Option<String> = text("/error/param");
            ApiError::field(
                field.unwrap_or_else(|| "model".to_owned()),
                format!("{server}: {words}"),
            )
        }
        429 | 503 => ApiError::unavailable(5, format!("{server} is busy: {words}")),
        _ => odd(server, &words),
    }
}

/// An answer on its way. Dropped, it ends the connection to the server, and with it the answer there.
struct Relay {
    server: String,
    answer: Answer,
    reservation: Option<Reservation>,
    prompt: u64,
    /// Events with a piece of the answer, each of one token or more.
    pieces: u64,
    bytes: usize,
    buffer: BytesMut,
    until: Instant,
    /// An event of ours that comes before the answer.
    first: Option<Bytes>,
    /// One that comes after it.
    last: Vec<u8>,
}

impl Relay {
    /// The next events as they came, and whether there are more.
    async fn piece(&mut self) -> (Bytes, bool) {
        if let Some(first) = self.first.take() {
            return (first, true);
        }
        loop {
            let mut out = Vec::new();
            while let Some(event) = self.event() {
                if event.as_ref() == b"data: [DONE]\n\n" {
                    out.extend_from_slice(&self.end());
                    out.extend_from_slice(&event);
                    return (out.into(), false);
                }
                self.count(&event);
                out.extend_from_slice(&event);
            }
            if !out.is_empty() {
                return (out.into(), true);
            }
            if self.buffer.len() > MAX_EVENT || self.bytes > MAX_ANSWER {
                return (self.failed("its answer is too long"), false);
            }
            let wait = SILENCE.min(self.until.saturating_duration_since(Instant::now()));
            match tokio::time::timeout(wait, self.answer.response.body_mut().frame()).await {
                Err(_) => return (self.failed("its answer takes too long"), false),
                Ok(None) => return (self.failed("it ended before its answer did"), false),
                Ok(Some(Err(error))) => {
                    tracing::debug!(%error, server = self.server, "an answer broke off");
                    return (self.failed("its answer broke off"), false);
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.bytes = self.bytes.saturating_add(data.len());
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    /// The next whole event of the buffer.
    fn event(&mut self) -> Option<Bytes> {
        let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")? + 2;
        Some(self.buffer.split_to(end).freeze())
    }

    /// Counts what an event tells.
    fn count(&mut self, event: &[u8]) {
        let Some(json) = event.strip_prefix(b"data: ") else { return };
        let Ok(chunk) = serde_json::from_slice::<Value>(json) else { return };
        let usage = chunk.pointer("/usage/total_tokens").and_then(Value::as_u64);
        let said = chunk.pointer("/choices/0/delta/content").and_then(Value::as_str);
        self.pieces += u64::from(said.is_some_and(|said| !said.is_empty()));
        if let Some(reservation) = &mut self.reservation {
            reservation.spend(usage.unwrap_or(self.prompt + self.pieces));
        }
    }

    /// Ends the reservation, and tells what the answer rests on and what is left.
    fn end(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.last);
        if let Some(Ok(left)) = self.reservation.take().map(Reservation::end) {
            out.extend(event("budget", &left));
        }
        out
    }

    fn failed(&mut self, what: &str) -> Bytes {
        let mut out = event("error", &odd(&self.server, what).body());
        out.extend(self.end());
        out.into()
    }
}
