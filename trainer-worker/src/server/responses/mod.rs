//! `POST /v1/responses`: text, without anything being stored.

mod stream;

use super::access::Asking;
use super::error::{ApiError, ErrorBody};
use super::fields::{self, Field};
use super::generation::{Choice, Generation};
use super::json::{held, ApiRequest, Input};
use super::names::{self, Identity};
use super::request::{self, sampling_fields};
use super::usage::ResponseUsage;
use super::{logprobs, sse, App};
use axum::extract::State;
use axum::response::Response;
use openledger_engine::generate::Finish;
use openledger_engine::tokenizer::{Json, Message};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// What `include` names to be told log probabilities.
const LOGPROBS: &str = "message.output_text.logprobs";
/// Most entries of `metadata`, and bytes of each: OpenAI's.
const MAX_METADATA: (usize, usize) = (16, 1024);

/// What is to be answered.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ResponseRequest {
    /// A name of `GET /v1/models`, or `openledger:ID`.
    #[schema(example = "SmolLM2-135M-Instruct.Q4_1")]
    model: String,
    /// A text, or a list of messages.
    #[schema(value_type = Object, example = "Who pays?")]
    input: Value,
    instructions: Option<String>,
    max_output_tokens: Option<u64>,
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
    top_logprobs: Option<u64>,
    include: Option<Vec<String>>,
    #[schema(value_type = Option<Object>)]
    text: Option<Json>,
    metadata: Option<BTreeMap<String, String>>,
    stream: Option<bool>,
}

impl ApiRequest for ResponseRequest {
    const FIELDS: &'static [Field] = fields::RESPONSES;
}

/// A part of an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OutputText {
    r#type: &'static str,
    text: String,
    #[schema(value_type = Vec<Object>)]
    annotations: [(); 0],
    logprobs: Vec<logprobs::Entry>,
}

impl OutputText {
    fn new(text: String, entries: Vec<logprobs::Entry>) -> Self {
        Self { r#type: "output_text", text, annotations: [], logprobs: entries }
    }
}

/// An answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OutputMessage {
    id: String,
    r#type: &'static str,
    role: &'static str,
    /// `in_progress`, `completed` or `incomplete`.
    status: &'static str,
    content: Vec<OutputText>,
}

impl OutputMessage {
    fn new(id: &str, status: &'static str, content: Vec<OutputText>) -> Self {
        Self { id: id.to_owned(), r#type: "message", role: "assistant", status, content }
    }
}

/// Why a response is not whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IncompleteDetails {
    reason: &'static str,
}

/// Why a response failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ResponseError {
    code: &'static str,
    message: String,
}

/// The answer and what it was asked by.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ResponseObject {
    id: String,
    object: &'static str,
    created_at: u64,
    completed_at: Option<u64>,
    /// `in_progress`, `completed`, `incomplete` or `failed`.
    status: &'static str,
    background: bool,
    error: Option<ResponseError>,
    incomplete_details: Option<IncompleteDetails>,
    instructions: Option<String>,
    max_output_tokens: Option<u64>,
    model: String,
    output: Vec<OutputMessage>,
    parallel_tool_calls: bool,
    previous_response_id: Option<String>,
    /// Always false: nothing is stored.
    store: bool,
    temperature: f64,
    #[schema(value_type = Object)]
    text: Json,
    tool_choice: &'static str,
    #[schema(value_type = Vec<Object>)]
    tools: [(); 0],
    top_logprobs: u64,
    top_p: f64,
    truncation: &'static str,
    usage: Option<ResponseUsage>,
    metadata: BTreeMap<String, String>,
    service_tier: &'static str,
    openledger: Identity,
}

impl ResponseObject {
    /// The response when its answer has ended.
    fn finished(
        &self,
        finish: Finish,
        message: OutputMessage,
        usage: openledger_engine::serving::Usage,
    ) -> Self {
        let whole = finish == Finish::Stop;
        Self {
            status: status(finish),
            completed_at: whole.then(super::now),
            incomplete_details: (!whole)
                .then_some(IncompleteDetails { reason: "max_output_tokens" }),
            output: vec![message],
            usage: Some(usage.into()),
            ..self.clone()
        }
    }
}

fn status(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "completed",
        Finish::Length => "incomplete",
    }
}

/// The form of an answer, as chat has it: there the schema's fields lie one level deeper.
fn format(text: Option<&Json>) -> Result<Option<Json>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    if !text.is_object() {
        return Err(ApiError::field("text", "text is not an object"));
    }
    match text.get("verbosity") {
        None | Some(Json::Null) => {}
        Some(verbosity) if verbosity.as_text() == Some("medium") => {}
        Some(_) => {
            let message =
                "text.verbosity is not supported: models here have no levels of verbosity";
            return Err(ApiError::unsupported("text.verbosity", message));
        }
    }
    let Some(format) = text.get("format").filter(|format| **format != Json::Null) else {
        return Ok(None);
    };
    Ok(Some(match format.get("type").and_then(Json::as_text) {
        Some(kind @ "json_schema") => Json::Object(vec![
            ("type".to_owned(), Json::Text(kind.to_owned())),
            (kind.to_owned(), format.clone()),
        ]),
        _ => format.clone(),
    }))
}

/// What `text` says where it is left out.
fn plain_text() -> Json {
    Json::from(&json!({ "format": { "type": "text" } }))
}

fn conversation(instructions: Option<&str>, input: Value) -> Result<Vec<Message>, ApiError> {
    let mut messages: Vec<Message> = instructions.map(Message::system).into_iter().collect();
    match input {
        Value::String(text) => messages.push(Message::user(text)),
        Value::Array(items) => messages.extend(request::messages(items, "input")?),
        _ => return Err(ApiError::field("input", "input is a text, or a list of messages")),
    }
    Ok(messages)
}

fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let (entries, bytes) = MAX_METADATA;
    let long = |(key, value): (&String, &String)| key.len() > bytes || value.len() > bytes;
    if metadata.len() > entries || metadata.iter().any(long) {
        let message = format!("metadata may have {entries} entries of {bytes} bytes at most");
        return Err(ApiError::field("metadata", message));
    }
    Ok(())
}

/// Answer without storing anything.
#[utoipa::path(
    post,
    path = "/v1/responses",
    tag = "OpenAI",
    request_body = ResponseRequest,
    responses(
        (status = 200, description = "The answer, or events of it as it is written", body = ResponseObject),
        (status = "4XX", description = "The request is not right, or may not be made", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Input(mut asked, held_body): Input<ResponseRequest>,
) -> Result<Response, ApiError> {
    let told = asked.include.iter().flatten().any(|name| name == LOGPROBS);
    let format = format(asked.text.as_ref())?;
    let metadata = asked.metadata.take().unwrap_or_default();
    check_metadata(&metadata)?;
    let messages = conversation(asked.instructions.as_deref(), std::mem::take(&mut asked.input))?;
    let chosen = names::choose(&app, &place.client().name, &asked.model).await?;
    let mut object = ResponseObject {
        id: app.id("resp"),
        object: "response",
        created_at: super::now(),
        completed_at: None,
        status: "in_progress",
        background: false,
        error: None,
        incomplete_details: None,
        instructions: asked.instructions.take(),
        max_output_tokens: asked.max_output_tokens,
        model: chosen.name.clone(),
        output: Vec::new(),
        parallel_tool_calls: true,
        previous_response_id: None,
        store: false,
        temperature: asked.temperature.unwrap_or(1.0),
        text: asked.text.take().unwrap_or_else(plain_text),
        tool_choice: "auto",
        tools: [],
        top_logprobs: asked.top_logprobs.unwrap_or(0),
        top_p: asked.top_p.unwrap_or(1.0),
        truncation: "disabled",
        usage: None,
        metadata,
        service_tier: "default",
        openledger: chosen.identity.clone(),
    };
    let stream = asked.stream.unwrap_or(false);
    let instructed = object.instructions.is_some();
    let (choice, seed) = request::compute(&app, place.client(), move |app, client| {
        let _held = held_body;
        let fields = sampling_fields!(asked, {
            logprobs: told.then(|| asked.top_logprobs.unwrap_or(0)),
            format,
        });
        let sampled = fields.sampling(app, 1);
        let (mut sampling, seed) =
            sampled.map_err(|error| error.renamed("response_format", "text.format"))?;
        let prompt = request::conversation(app, client, &messages, "input")
            .map_err(|e| e.into_input(instructed))?;
        let limit = ("max_output_tokens", asked.max_output_tokens);
        sampling.max_new_tokens = request::most_tokens(app, limit, None, prompt.len(), "input")?;
        Ok((Choice { prompt, sampling }, seed))
    })
    .await?;
    let identity = chosen.identity.with_seed(seed);
    object.openledger = identity.clone();
    let generation = Generation::start(&app, place, &chosen, vec![choice], 1)?;
    let message_id = app.id("msg");
    let mut answer = if stream {
        sse::response(generation, stream::ResponseStream::new(object, message_id))
    } else {
        let (answers, usage, room) = generation.collect(&app).await?;
        let answer = answers.into_iter().next().unwrap_or_default();
        let finish = answer.finish.unwrap_or(Finish::Length);
        let part = OutputText::new(answer.text, logprobs::entries(&answer.logprobs));
        let message = OutputMessage::new(&message_id, status(finish), vec![part]);
        held(&object.finished(finish, message, usage), room)
    };
    identity.name_in(answer.headers_mut());
    Ok(answer)
}
