//! What requests have in common: how an answer is sampled, and its tokens.

use super::error::ApiError;
use super::generation::MAX_CHOICES;
use super::keys::Client;
use super::App;
use openledger_engine::generate::{Grammar, Sampling};
use openledger_engine::tokenizer::{Json, Message};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most messages of a conversation.
const MAX_MESSAGES: usize = 10_000;
/// Bytes of a token that stands for much text: one that stands for more is rare.
const LONG_TOKEN: usize = 16;
/// Seeds that are drawn have so many bits, which numbers of JavaScript hold.
const SEED_BITS: u32 = 53;

/// The fields by which answers are sampled, whatever the endpoint calls them.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) top_k: Option<i64>,
    pub(crate) min_p: Option<f64>,
    pub(crate) presence_penalty: Option<f64>,
    pub(crate) frequency_penalty: Option<f64>,
    pub(crate) repetition_penalty: Option<f64>,
    pub(crate) logit_bias: Option<BTreeMap<String, f64>>,
    pub(crate) seed: Option<i64>,
    pub(crate) stop: Option<Value>,
    /// How many of the likeliest tokens are told, if log probabilities are.
    pub(crate) logprobs: Option<u64>,
    pub(crate) format: Option<Json>,
}

/// Takes the fields of that name out of a request.
macro_rules! sampling_fields {
    ($request:expr, { $($more:tt)* }) => {
        $crate::server::request::Fields {
            temperature: $request.temperature,
            top_p: $request.top_p,
            top_k: $request.top_k,
            min_p: $request.min_p,
            presence_penalty: $request.presence_penalty,
            frequency_penalty: $request.frequency_penalty,
            repetition_penalty: $request.repetition_penalty,
            logit_bias: $request.logit_bias.take(),
            seed: $request.seed,
            stop: $request.stop.take(),
            $($more)*
        }
    };
}
pub(crate) use sampling_fields;

impl Fields {
    /// The seed, drawn where none is given.
    fn seed(&self) -> Result<i64, ApiError> {
        if let Some(seed) = self.seed {
            return Ok(seed);
        }
        let mut bytes = [0u8; 8];
        getrandom::fill(&mut bytes).map_err(|e| ApiError::internal(format!("no seed: {e}")))?;
        Ok((u64::from_le_bytes(bytes) >> (u64::BITS - SEED_BITS)) as i64)
    }

    /// How answers are sampled, of at most `max_new_tokens` tokens, and the seed.
    pub(crate) fn sampling(
        self,
        app: &App,
        max_new_tokens: usize,
    ) -> Result<(Sampling, i64), ApiError> {
        let seed = self.seed()?;
        let top_k = match self.top_k {
            // vLLM's word for all.
            None | Some(-1) => 0,
            Some(k) => usize::try_from(k)
                .map_err(|_| ApiError::field("top_k", format!("top_k = {k} is below 0")))?,
        };
        let logprobs = self.logprobs.map(|top| usize::try_from(top).unwrap_or(usize::MAX));
        let grammar = self.format.as_ref().map(grammar).transpose()?.flatten().map(Arc::new);
        let sampling = Sampling {
            max_new_tokens,
            temperature: self.temperature.unwrap_or(1.0),
            top_p: self.top_p.unwrap_or(1.0),
            top_k,
            min_p: self.min_p.unwrap_or(0.0),
            repetition_penalty: self.repetition_penalty.unwrap_or(1.0),
            presence_penalty: self.presence_penalty.unwrap_or(0.0),
            frequency_penalty: self.frequency_penalty.unwrap_or(0.0),
            logit_bias: biases(app, self.logit_bias.unwrap_or_default())?,
            seed: seed as u64,
            stop: stops(self.stop)?,
            logprobs,
            grammar,
            ..Sampling::default()
        };
        sampling.validate()?;
        Ok((sampling, seed))
    }
}

fn biases(app: &App, given: BTreeMap<String, f64>) -> Result<Vec<(u32, f32)>, ApiError> {
    let vocabulary = app.tokenizer.vocab_size();
    given
        .into_iter()
        .map(|(id, bias)| match id.parse::<u32>() {
            Ok(id) if (id as usize) < vocabulary => Ok((id, bias as f32)),
            _ => {
                let message = format!(
                    "logit_bias names the token {id:?}; token ids are whole numbers below {vocabulary}"
                );
                Err(ApiError::field("logit_bias", message))
            }
        })
        .collect()
}

fn stops(given: Option<Value>) -> Result<Vec<String>, ApiError> {
    let wrong = || ApiError::field("stop", "stop is a string, or a list of strings");
    match given {
        None => Ok(Vec::new()),
        Some(Value::String(stop)) => Ok(vec![stop]),
        Some(Value::Array(stops)) => stops
            .into_iter()
            .map(|stop| match stop {
                Value::String(stop) => Ok(stop),
                _ => Err(wrong()),
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

/// Most answers to a prompt.
pub(crate) fn choices(n: Option<u64>, prompts: usize) -> Result<usize, ApiError> {
    let n = n.unwrap_or(1);
    let all = usize::try_from(n).unwrap_or(usize::MAX).saturating_mul(prompts);
    if n == 0 || all > MAX_CHOICES {
        let message = format!(
            "n = {n} for {prompts} prompts is out of range: choose 1 and more, at most {MAX_CHOICES} \
             answers in all"
        );
        return Err(ApiError::field("n", message));
    }
    Ok(n as usize)
}

/// The same sampling for each choice, from a stream of its own.
pub(crate) fn for_choice(sampling: &Sampling, choice: usize) -> Sampling {
    Sampling { choice: choice as u64, ..sampling.clone() }
}

/// Most tokens of prompt and answer together.
fn context(app: &App) -> usize {
    app.model.config.max_position_embeddings.min(app.limits.context)
}

fn too_long(what: &str, tokens: usize, context: usize, field: &'static str) -> ApiError {
    let message = format!(
        "{what} has {tokens} tokens, and prompt and answer may have {context} together; shorten it"
    );
    ApiError::invalid("context_length_exceeded", message).with_param(field)
}

/// Most tokens of an answer: what was asked for, and no more than the context leaves.
pub(crate) fn most_tokens(
    app: &App,
    (param, asked): (&str, Option<u64>),
    otherwise: Option<u64>,
    prompt: usize,
    what: &'static str,
) -> Result<usize, ApiError> {
    if asked == Some(0) {
        return Err(ApiError::field(
            param,
            format!("{param} = 0 is out of range: choose at least 1"),
        ));
    }
    let context = context(app);
    let left = context.saturating_sub(prompt);
    if left == 0 {
        return Err(too_long("the prompt", prompt, context, what));
    }
    let most = app.limits.answer_tokens;
    let asked = asked.or(otherwise).map_or(most, |asked| usize::try_from(asked).unwrap_or(most));
    Ok(asked.min(most).min(left))
}

/// Does what takes the processor for a while where no other request waits for it, a few at a time and
/// keys in turns.
pub(crate) async fn compute<T: Send + 'static>(
    app: &Arc<App>,
    client: &Arc<Client>,
    work: impl FnOnce(&App, &Client) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let stopped = || ApiError::unavailable("draining", 5, "the server is stopping");
    let turn = app.computing.take(client.number).await.ok_or_else(stopped)?;
    let (app, client) = (app.clone(), client.clone());
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&app, &client);
        drop(turn);
        done
    });
    done.await.map_err(|_| ApiError::internal("the request could not be prepared"))?
}

/// A message's text: a string, or parts of type text, which are joined by line breaks as vLLM and
/// llama-server do.
fn text(content: Value, at: &str) -> Result<String, ApiError> {
    let parts = match content {
        Value::String(text) => return Ok(text),
        Value::Null => return Ok(String::new()),
        Value::Array(parts) => parts,
        _ => return Err(ApiError::field(at, format!("{at} is a text, or a list of parts"))),
    };
    let mut texts = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        let at = format!("{at}[{index}]");
        let Value::Object(mut part) = part else {
            return Err(ApiError::field(at.clone(), format!("{at} is not an object")));
        };
        match part.get("type").and_then(Value::as_str) {
            Some("text" | "input_text" | "output_text") => {}
            kind => {
                let message = format!(
                    "{at}.type = {:?} is not supported: models here read text alone",
                    kind.unwrap_or("")
                );
                return Err(ApiError::unsupported(format!("{at}.type"), message));
            }
        }
        match part.remove("text") {
            Some(Value::String(text)) => texts.push(text),
            _ => {
                let at = format!("{at}.text");
                return Err(ApiError::field(at.clone(), format!("{at} is not a text")));
            }
        }
    }
    Ok(texts.join("\n"))
}

/// The messages of a conversation, in the list `field`.
pub(crate) fn messages(given: Vec<Value>, field: &str) -> Result<Vec<Message>, ApiError> {
    if given.is_empty() || given.len() > MAX_MESSAGES {
        let message = format!("{field} has {} messages; send 1 to {MAX_MESSAGES}", given.len());
        return Err(ApiError::field(field, message));
    }
    let mut messages = Vec::with_capacity(given.len());
    for (index, message) in given.into_iter().enumerate() {
        let at = format!("{field}[{index}]");
        let Value::Object(mut message) = message else {
            return Err(ApiError::field(at.clone(), format!("{at} is not an object")));
        };
        match message.get("type").and_then(Value::as_str) {
            None | Some("message") => {}
            Some(kind) => {
                let text = format!("{at}.type = {kind:?} is not supported: send messages of text");
                return Err(ApiError::unsupported(format!("{at}.type"), text));
            }
        }
        for name in ["tool_calls", "function_call", "audio"] {
            let empty = |v: &Value| v.is_null() || v.as_array().is_some_and(Vec::is_empty);
            if message.get(name).is_some_and(|value| !empty(value)) {
                let at = format!("{at}.{name}");
                let text =
                    format!("{at} is not supported: models here call no tools and read text");
                return Err(ApiError::unsupported(at, text));
            }
        }
        let role = match message.get("role").and_then(Value::as_str) {
            Some(role @ ("user" | "assistant" | "system")) => role.to_owned(),
            // OpenAI's newer word for the same.
            Some("developer") => "system".to_owned(),
            role => {
                let shown = role.unwrap_or("");
                let text = format!(
                    "{at}.role = {shown:?} is not supported: choose system, developer, user or assistant"
                );
                return Err(ApiError::unsupported(format!("{at}.role"), text));
            }
        };
        let content = message.remove("content").unwrap_or(Value::Null);
        if content.is_null() && role != "assistant" {
            let at = format!("{at}.content");
            return Err(ApiError::field(at.clone(), format!("{at} is missing")));
        }
        let mut read = Message::new(role, text(content, &format!("{at}.content"))?);
        // Some templates write it out.
        if let Some(Value::String(name)) = message.remove("name") {
            read.extra.insert("name".to_owned(), Json::Text(name));
        }
        messages.push(read);
    }
    Ok(messages)
}

/// The tokens of a conversation by the model's chat template, as `generate --chat` has them.
pub(crate) fn conversation(
    app: &App,
    client: &Client,
    messages: &[Message],
    field: &'static str,
) -> Result<Vec<u32>, ApiError> {
    if !app.tokenizer.has_chat_template() {
        let message = "the model has no chat template; POST /v1/completions continues a text";
        return Err(ApiError::invalid("no_chat_template", message).with_param("model"));
    }
    app.tokenizer.check_messages(messages)?;
    let prompt = app.tokenizer.render_chat(messages, true)?;
    encode(app, client, &prompt, field)
}

/// The beginning of a text with so many bytes, or one that ends a little earlier.
fn beginning(text: &str, mut bytes: usize) -> &str {
    while !text.is_char_boundary(bytes) {
        bytes -= 1;
    }
    text.get(..bytes).unwrap_or(text)
}

/// The tokens of a prompt, which the client's minute is charged: they are work, whatever becomes of the
/// request.
///
/// A text that is far too long is refused by its beginning. Where it is cut, other tokens may come out
/// than of the whole, so it has to have twice as many as fit.
pub(crate) fn encode(
    app: &App,
    client: &Client,
    text: &str,
    field: &'static str,
) -> Result<Vec<u32>, ApiError> {
    let context = context(app);
    let most = context.saturating_mul(LONG_TOKEN);
    if text.len() > most {
        let tokens = app.tokenizer.encode(beginning(text, most))?.len();
        client.charge(tokens.min(context));
        if tokens > context.saturating_mul(2) {
            return Err(too_long("the beginning of the prompt alone", tokens, context, field));
        }
    }
    let tokens = app.tokenizer.encode(text)?;
    client.charge(tokens.len().min(context));
    Ok(tokens)
}

/// What an answer must follow, if not just text.
fn grammar(format: &Json) -> Result<Option<Grammar>, ApiError> {
    let missing =
        |name: &str| ApiError::field("response_format", format!("response_format has no {name}"));
    match format.get("type").and_then(Json::as_text) {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Grammar::json_object()?)),
        Some("json_schema") => {
            let described = format.get("json_schema").ok_or_else(|| missing("json_schema"))?;
            let schema = described.get("schema").ok_or_else(|| missing("schema"))?;
            Ok(Some(Grammar::json_schema(schema)?))
        }
        kind => {
            let message = format!(
                "response_format.type = {:?} is not supported: choose text, json_object or json_schema",
                kind.unwrap_or("")
            );
            Err(ApiError::unsupported("response_format", message))
        }
    }
}
