//! All fields of requests that are known, in one place: which are used, which change nothing, and which
//! are refused because they would change an answer in a way that is not there. `docs/reference/serving.md` shows
//! the same list. Fields that are not in it are ignored.

use super::error::ApiError;
use serde_json::{Map, Value};

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It is used; how.
    Used(&'static str),
    /// It changes nothing; why.
    Harmless(&'static str),
    /// It is refused with 400, unless it is `null` or one of these values in JSON, which change nothing;
    /// why.
    Refused(&'static [&'static str], &'static str),
}

/// A field of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub usage: Use,
}

const fn used(name: &'static str, how: &'static str) -> Field {
    Field { name, usage: Use::Used(how) }
}

const fn harmless(name: &'static str, why: &'static str) -> Field {
    Field { name, usage: Use::Harmless(why) }
}

const fn refused(name: &'static str, unless: &'static [&'static str], why: &'static str) -> Field {
    Field { name, usage: Use::Refused(unless, why) }
}

const NO_TOOLS: &str = "models here call no tools";
const NO_SUCH_SAMPLER: &str = "this way of sampling is not there";
const NOTHING_STORED: &str = "nothing is stored";
const NOTE: &str = "a note for the caller's own use";
const CACHE: &str = "beginnings are shared without being told";

const MODEL: Field = used("model", "a name of `GET /v1/models`, or `openledger:ID`");
const TEMPERATURE: Field = used("temperature", "0 to 10, 1 by default; 0 takes the likeliest");
const TOP_P: Field = used("top_p", "above 0, at most 1");
const TOP_K: Field = used("top_k", "0 for all, the default");
const MIN_P: Field = used("min_p", "0 to 1, 0 by default");
const PRESENCE: Field = used("presence_penalty", "-2 to 2");
const FREQUENCY: Field = used("frequency_penalty", "-2 to 2");
const REPETITION: Field = used("repetition_penalty", "0.1 to 10, 1 by default");
const LOGIT_BIAS: Field = used("logit_bias", "token ids to -100 … 100, at most 1024");
const SEED: Field =
    used("seed", "a whole number; drawn and named in `openledger.seed` when absent");
const STOP: Field = used("stop", "a string or up to 16 of them, 512 bytes each");
const N: Field = used("n", "1 to 8 answers; each draws from a stream of (seed, its number)");
const STREAM: Field = used("stream", "server-sent events");
const STREAM_OPTIONS: Field =
    used("stream_options", "`include_usage`; `include_obfuscation` changes nothing");
const USER: Field = harmless("user", NOTE);
const SAFETY: Field = harmless("safety_identifier", NOTE);
const METADATA: Field = harmless("metadata", NOTE);
const SERVICE_TIER: Field = harmless("service_tier", "there is one tier");
const CACHE_KEY: Field = harmless("prompt_cache_key", CACHE);
const CACHE_RETENTION: Field = harmless("prompt_cache_retention", CACHE);
const CACHE_OPTIONS: Field = harmless("prompt_cache_options", CACHE);
const TOOLS: Field = refused("tools", &["[]"], NO_TOOLS);
const TOOL_CHOICE: Field = refused("tool_choice", &["\"none\"", "\"auto\""], NO_TOOLS);
const PARALLEL_TOOLS: Field = harmless("parallel_tool_calls", NO_TOOLS);
const MODERATION: Field = refused("moderation", &[], "nothing is moderated");

/// What other servers sample by.
const FOREIGN: [Field; 29] = [
    refused("typical_p", &["1"], NO_SUCH_SAMPLER),
    refused("tfs_z", &["1"], NO_SUCH_SAMPLER),
    refused("top_a", &["0"], NO_SUCH_SAMPLER),
    refused("top_n_sigma", &["-1", "0"], NO_SUCH_SAMPLER),
    refused("mirostat", &["0"], NO_SUCH_SAMPLER),
    refused("dynatemp_range", &["0"], NO_SUCH_SAMPLER),
    refused("dry_multiplier", &["0"], NO_SUCH_SAMPLER),
    refused("xtc_probability", &["0"], NO_SUCH_SAMPLER),
    refused("samplers", &[], NO_SUCH_SAMPLER),
    refused("repeat_penalty", &["1"], "it is called `repetition_penalty` here"),
    refused("length_penalty", &["1"], NO_SUCH_SAMPLER),
    refused("use_beam_search", &["false"], NO_SUCH_SAMPLER),
    refused("early_stopping", &["false"], NO_SUCH_SAMPLER),
    refused("logits_processors", &["[]"], NO_SUCH_SAMPLER),
    refused("min_tokens", &["0"], "an answer ends when the model ends it"),
    refused("ignore_eos", &["false"], "an answer ends when the model ends it"),
    refused("stop_token_ids", &["[]"], "give `stop` strings"),
    refused("include_stop_str_in_output", &["false"], "a stop string is not part of the answer"),
    refused("bad_words", &["[]"], "give `logit_bias`"),
    refused("allowed_token_ids", &[], "give `logit_bias`"),
    refused("prompt_logprobs", &["0"], "log probabilities are those of the answer"),
    refused("grammar", &["\"\""], "give `response_format` with a JSON schema"),
    refused("json_schema", &["{}"], "give `response_format` with a JSON schema"),
    refused("guided_json", &[], "give `response_format` with a JSON schema"),
    refused("guided_regex", &[], "give `response_format` with a JSON schema"),
    refused("guided_choice", &[], "give `response_format` with a JSON schema"),
    refused("guided_grammar", &[], "give `response_format` with a JSON schema"),
    refused("structured_outputs", &[], "give `response_format` with a JSON schema"),
    refused("lora", &["[]"], "an adapter is chosen by `model`"),
];

/// Fields of `POST /v1/fine_tuning/jobs`.
pub const FINE_TUNING: &[Field] = &[
    used("model", "the base model's name"),
    used("training_file", "the id of a file"),
    used("validation_file", "the id of a file to evaluate on"),
    used("method", "`supervised` or `dpo`, with its hyperparameters"),
    used("hyperparameters", "the older place of those of `supervised`"),
    used("suffix", "part of the new model's name: letters, digits, - and _, at most 64"),
    used("seed", "of the training, 42 by default"),
    used("metadata", "kept with the job: 16 entries, keys of 64 bytes, texts of 512"),
    refused("integrations", &["[]"], "nothing is sent to other services"),
];

/// Fields of `POST /v1/chat/completions`.
pub const CHAT: &[Field] = &[
    MODEL,
    used("messages", "roles system, developer, user and assistant; text, or parts of type text"),
    used("max_completion_tokens", "1 and more; what the context leaves at most"),
    used("max_tokens", "the older name of the same"),
    TEMPERATURE,
    TOP_P,
    TOP_K,
    MIN_P,
    PRESENCE,
    FREQUENCY,
    REPETITION,
    LOGIT_BIAS,
    used("logprobs", "whether each token's log probability is told"),
    used("top_logprobs", "0 to 20 of the likeliest tokens beside it"),
    SEED,
    STOP,
    N,
    used("response_format", "`text`, `json_object` or `json_schema`"),
    STREAM,
    STREAM_OPTIONS,
    harmless("store", NOTHING_STORED),
    METADATA,
    USER,
    SAFETY,
    SERVICE_TIER,
    CACHE_KEY,
    CACHE_RETENTION,
    CACHE_OPTIONS,
    PARALLEL_TOOLS,
    TOOLS,
    TOOL_CHOICE,
    refused("functions", &["[]"], NO_TOOLS),
    refused("function_call", &["\"none\"", "\"auto\""], NO_TOOLS),
    refused("modalities", &["[\"text\"]"], "answers are text"),
    refused("audio", &[], "answers are text"),
    refused("prediction", &[], "predicted outputs are not there"),
    refused("web_search_options", &[], "nothing is searched"),
    refused("reasoning_effort", &["\"none\""], "models here have no levels of effort"),
    refused("verbosity", &["\"medium\""], "models here have no levels of verbosity"),
    refused("chat_template", &[], "the model's own template is used"),
    refused("chat_template_kwargs", &["{}"], "the model's own template is used"),
    refused("continue_final_message", &["false"], "an answer is a message of its own"),
    refused("add_generation_prompt", &["true"], "an answer is a message of its own"),
    MODERATION,
];

/// Fields of `POST /v1/completions`.
pub const COMPLETIONS: &[Field] = &[
    MODEL,
    used("prompt", "a text, token ids, or a list of either; as `generate --prompt` takes it"),
    used("max_tokens", "1 and more, 16 by default; what the context leaves at most"),
    TEMPERATURE,
    TOP_P,
    TOP_K,
    MIN_P,
    PRESENCE,
    FREQUENCY,
    REPETITION,
    LOGIT_BIAS,
    used("logprobs", "0 to 20 of the likeliest tokens, and each token's log probability"),
    SEED,
    STOP,
    N,
    used("response_format", "`text`, `json_object` or `json_schema`"),
    STREAM,
    STREAM_OPTIONS,
    USER,
    METADATA,
    SAFETY,
    SERVICE_TIER,
    CACHE_KEY,
    refused("echo", &["false"], "an answer does not repeat its prompt"),
    refused("suffix", &["\"\""], "nothing is filled in before a suffix"),
    refused("best_of", &["1"], "answers are not ranked"),
];

/// Fields of `POST /v1/responses`.
pub const RESPONSES: &[Field] = &[
    MODEL,
    used(
        "input",
        "a text, or messages (roles as for chat) of texts and parts `input_text`, `output_text`",
    ),
    used("instructions", "a message of the system before the input"),
    used("max_output_tokens", "1 and more; what the context leaves at most"),
    TEMPERATURE,
    TOP_P,
    TOP_K,
    MIN_P,
    PRESENCE,
    FREQUENCY,
    REPETITION,
    LOGIT_BIAS,
    used("top_logprobs", "0 to 20, told where `include` names `message.output_text.logprobs`"),
    used("include", "`message.output_text.logprobs`; others add nothing"),
    SEED,
    STOP,
    used("text", "`format`: `text`, `json_object` or `json_schema`; `verbosity`: `medium` alone"),
    STREAM,
    harmless("stream_options", "the last event carries the usage always"),
    harmless("store", "nothing is stored, and the answer says so: `store` is false in it"),
    used("metadata", "comes back in the answer"),
    USER,
    SAFETY,
    SERVICE_TIER,
    CACHE_KEY,
    CACHE_RETENTION,
    CACHE_OPTIONS,
    PARALLEL_TOOLS,
    harmless("max_tool_calls", NO_TOOLS),
    harmless("access_programs", NOTE),
    harmless("background_options", "nothing runs in the background"),
    TOOLS,
    TOOL_CHOICE,
    refused(
        "previous_response_id",
        &[],
        "nothing is stored: send the whole conversation as `input`",
    ),
    refused("conversation", &[], "nothing is stored: send the whole conversation as `input`"),
    refused("background", &["false"], "nothing runs in the background"),
    refused("prompt", &[], "there are no stored prompts"),
    refused("truncation", &["\"disabled\""], "a conversation is never cut silently"),
    refused("context_management", &["[]"], "a conversation is never cut silently"),
    refused("reasoning", &["{}", "{\"effort\":\"none\"}"], "models here have no levels of effort"),
    refused("image", &["{}"], "answers are text"),
    MODERATION,
];

/// Fields of `POST /tokenize`.
pub const TOKENIZE: &[Field] = &[
    used("content", "the text"),
    used("add_special", "whether the tokens that the model adds around a text are added"),
    used(
        "parse_special",
        "whether special tokens written in the text are special; true by default",
    ),
    used("with_pieces", "whether each token's text is told"),
    harmless("model", "all models here have one tokenizer"),
];

/// Fields of `POST /detokenize`.
pub const DETOKENIZE: &[Field] =
    &[used("tokens", "token ids"), harmless("model", "all models here have one tokenizer")];

/// The lists by endpoint that computes an answer, and whether what other servers sample by is refused there too.
pub const ALL: [(&str, &[Field], bool); 5] = [
    ("POST /v1/chat/completions", CHAT, true),
    ("POST /v1/completions", COMPLETIONS, true),
    ("POST /v1/responses", RESPONSES, true),
    ("POST /tokenize", TOKENIZE, false),
    ("POST /detokenize", DETOKENIZE, false),
];

fn foreign(fields: &[Field]) -> &'static [Field] {
    let generates = ALL.iter().any(|(_, list, generates)| *generates && *list == fields);
    if generates {
        &FOREIGN
    } else {
        &[]
    }
}

/// Numbers are compared as numbers: `1` is `1.0`.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Refuses the first field that would change the answer in a way that is not there.
pub(super) fn check(fields: &[Field], object: &Map<String, Value>) -> Result<(), ApiError> {
    for field in fields.iter().chain(foreign(fields)) {
        let Use::Refused(unless, why) = field.usage else { continue };
        let Some(value) = object.get(field.name).filter(|value| !value.is_null()) else { continue };
        let nothing = |text: &&str| {
            serde_json::from_str::<Value>(text).is_ok_and(|allowed| same(&allowed, value))
        };
        if unless.iter().any(nothing) {
            continue;
        }
        let name = field.name;
        let mut message = format!("{name} is not supported: {why}; leave it out");
        if let Some(value) = unless.first() {
            message.push_str(&format!(", or give {value}"));
        }
        return Err(ApiError::unsupported(name, message));
    }
    Ok(())
}

/// The lists as Markdown, for `docs/reference/serving.md`.
pub fn markdown() -> String {
    let mut text = String::new();
    let mut table = |title: &str, fields: &[Field]| {
        text.push_str(&format!("#### {title}\n\n| field | |\n|---|---|\n"));
        for field in fields {
            let name = field.name;
            let line = match field.usage {
                Use::Used(how) => how.to_owned(),
                Use::Harmless(why) => format!("*ignored*: {why}"),
                Use::Refused([], why) => format!("**400**: {why}"),
                Use::Refused(unless, why) => {
                    let values: Vec<String> = unless.iter().map(|v| format!("`{v}`")).collect();
                    format!("**400** unless {}: {why}", values.join(", "))
                }
            };
            text.push_str(&format!("| `{name}` | {line} |\n"));
        }
        text.push('\n');
    };
    for (endpoint, fields, _) in ALL {
        table(&format!("`{endpoint}`"), fields);
    }
    table("`POST /v1/fine_tuning/jobs`", FINE_TUNING);
    table("What other servers sample by, in chat, completions and responses", &FOREIGN);
    text
}
