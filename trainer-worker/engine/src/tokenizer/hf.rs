//! Tokenizers from a Hugging Face folder.

use super::ggml::around;
use super::sentencepiece::{Model, MAX_FILE};
use super::{build, guarded, Parts, Tokenizer};
use crate::error::{read_bounded, Error, Result};
use serde_json::{json, Value};
use std::path::Path;
use tokenizers::models::ModelWrapper;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::{NormalizerWrapper, Tokenizer as HfTokenizer};

const MAX_TOKENIZER: u64 = 64 << 20;
const MAX_CONFIG: u64 = 16 << 20;
/// Ids of tokens that `tokenizer_config.json` adds; vocabularies end far below.
const MAX_ID: u64 = 4_194_304;
/// Tokens that `generation_config.json` may name as ends.
const MAX_ENDS: usize = 64;

/// A JSON file of the folder; `null` when there is none.
fn json_file(dir: &Path, name: &str) -> Result<Value> {
    let path = dir.join(name);
    if !path.exists() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&read_bounded(&path, MAX_CONFIG)?)
        .map_err(|e| Error::tokenizer(format!("{name}: {e}")))
}

/// The text of a token that is written as text or as an object with `content`.
fn content(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

impl Tokenizer {
    /// From `tokenizer.json`, or `tokenizer.model` where there is none, and `tokenizer_config.json`, with `special_tokens_map.json`,
    /// `generation_config.json`, `config.json` and `chat_template.jinja` where they are there.
    ///
    /// Token ids equal those of transformers 5. One difference is meant: tokens that
    /// `tokenizer_config.json` declares (`added_tokens_decoder`) and `tokenizer.json` lacks get the
    /// ids declared for them, which the model was trained with, not the next free ones.
    pub fn from_folder(dir: &Path) -> Result<Self> {
        let path = dir.join("tokenizer.json");
        let piece_file = dir.join("tokenizer.model");
        let from_pieces = !path.exists() && piece_file.exists();
        let mut config = json_file(dir, "tokenizer_config.json")?;
        let text = if from_pieces {
            pieces(dir, &piece_file, &mut config)?
        } else {
            read_bounded(&path, MAX_TOKENIZER)?
        };
        let mut inner = build(&text)?;
        if let Some(completed) = with_declared_tokens(&inner, &text, &config)? {
            inner = completed;
        }
        drop(text);
        if !from_pieces {
            like_llama_tokenizer(&mut inner, &config)?;
        }

        let map = json_file(dir, "special_tokens_map.json")?;
        let model = json_file(dir, "config.json")?;
        let generation = json_file(dir, "generation_config.json")?;
        let id = |key: &str| -> Option<u32> {
            // An explicit null means that there is none.
            let value = config.get(key).or_else(|| map.get(key))?;
            inner.token_to_id(content(value)?)
        };
        let mut end = Vec::new();
        for source in [&generation, &model] {
            end.extend(end_ids(source.get("eos_token_id"))?);
        }
        let eos = id("eos_token").or_else(|| end.first().copied()).ok_or_else(|| {
            Error::tokenizer(
                "neither tokenizer_config.json, special_tokens_map.json, generation_config.json nor config.json names an eos_token that tokenizer.json has",
            )
        })?;
        Self::new(Parts {
            eos,
            bos: id("bos_token"),
            pad: id("pad_token"),
            unk: id("unk_token"),
            end,
            template: template(dir, &config)?,
            inner,
        })
    }
}

/// The text of a `tokenizer.json` for SentencePiece's `tokenizer.model`. What `config` leaves unsaid
/// of special tokens is put into it from the file, and the tokens of `added_tokens.json`.
fn pieces(dir: &Path, path: &Path, config: &mut Value) -> Result<Vec<u8>> {
    let model_type = json_file(dir, "config.json")?;
    if model_type.get("model_type").and_then(Value::as_str) == Some("chatglm") {
        return Err(Error::tokenizer(format!(
            "{} has a tokenizer.model whose special tokens ([gMASK], sop, <|user|>, …) are in ChatGLM's Python code; write a tokenizer.json with transformers and trust_remote_code, or take a folder that has one",
            dir.display()
        )));
    }
    let model = Model::read(&read_bounded(path, MAX_FILE)?)?;
    if config.is_null() {
        *config = json!({});
    }
    let flag = |config: &Value, key: &str| config.get(key).and_then(Value::as_bool);
    let first_only = flag(config, "legacy") == Some(false);
    let mut text = model.to_json(flag(config, "add_prefix_space"), first_only)?;
    let vocabulary = |text: &Value, token: &str| {
        text.pointer("/model/vocab").and_then(|v| v.get(token)).and_then(Value::as_u64)
    };
    let map = json_file(dir, "special_tokens_map.json")?;
    let (mut begin, mut end) = (None, None);
    for (key, token) in model.special() {
        let named = config.get(key).or_else(|| map.get(key)).cloned();
        let named = named.or_else(|| token.map(Value::from)).unwrap_or(Value::Null);
        let id = content(&named).and_then(|token| Some((token, vocabulary(&text, token)?)));
        match (key, id) {
            ("bos_token", Some(id)) => begin = Some((id.0.to_owned(), id.1)),
            ("eos_token", Some(id)) => end = Some((id.0.to_owned(), id.1)),
            _ => {}
        }
        if let Some(fields) = config.as_object_mut() {
            fields.insert(key.to_owned(), named);
        }
    }
    let begin = begin.filter(|_| flag(config, "add_bos_token").unwrap_or(true));
    let end = end.filter(|_| flag(config, "add_eos_token").unwrap_or(false));
    text["post_processor"] = around(begin, end);
    // An older form of `added_tokens_decoder`.
    let declared = config.get("added_tokens_decoder").is_some();
    if let (false, Value::Object(added)) = (declared, json_file(dir, "added_tokens.json")?) {
        let by_id = added.iter().map(|(token, id)| {
            (id.to_string(), json!({ "content": token, "special": true, "normalized": false }))
        });
        config["added_tokens_decoder"] = Value::Object(by_id.collect());
    }
    Ok(text.to_string().into_bytes())
}

/// `eos_token_id` of a configuration: a number or a list of numbers.
fn end_ids(value: Option<&Value>) -> Result<Vec<u32>> {
    let one = |v: &Value| {
        v.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(|| {
            Error::tokenizer(format!("eos_token_id holds {v}; token ids are expected"))
        })
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= MAX_ENDS => list.iter().map(one).collect(),
        Some(Value::Array(list)) => Err(Error::tokenizer(format!(
            "eos_token_id lists {} tokens, at most {MAX_ENDS}",
            list.len()
        ))),
        Some(one_id) => Ok(vec![one(one_id)?]),
    }
}

/// The chat template: `chat_template.jinja`, or `chat_template` of the configuration, which is a
/// text or a list of named templates of which `default` is taken.
fn template(dir: &Path, config: &Value) -> Result<Option<String>> {
    let path = dir.join("chat_template.jinja");
    if path.exists() {
        let bytes = read_bounded(&path, super::template::MAX_TEMPLATE as u64)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::tokenizer("chat_template.jinja is not UTF-8"))?;
        return Ok(Some(text));
    }
    Ok(match config.get("chat_template") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(named)) => named
            .iter()
            .find(|t| t.get("name").and_then(Value::as_str) == Some("default"))
            .and_then(|t| t.get("template")?.as_str())
            .map(str::to_owned),
        _ => None,
    })
}

/// The tokenizer with the tokens of `added_tokens_decoder` that `tokenizer.json` lacks, under the
/// ids declared for them; none when it lacks none.
fn with_declared_tokens(
    inner: &HfTokenizer,
    text: &[u8],
    config: &Value,
) -> Result<Option<HfTokenizer>> {
    let Some(declared) = config.get("added_tokens_decoder").and_then(Value::as_object) else {
        return Ok(None);
    };
    let mut missing = Vec::new();
    for (id, token) in declared {
        let Some(text) = content(token).filter(|t| !t.is_empty()) else { continue };
        if inner.token_to_id(text).is_some() {
            continue;
        }
        let id = id.parse::<u64>().ok().filter(|id| *id < MAX_ID).ok_or_else(|| {
            Error::tokenizer(format!("tokenizer_config.json gives {text:?} the id {id}"))
        })?;
        if let Some(other) = inner.id_to_token(id as u32) {
            return Err(Error::tokenizer(format!(
                "tokenizer_config.json gives {text:?} the id {id}, which is {other:?} in tokenizer.json"
            )));
        }
        missing.push((id, text, token));
    }
    if missing.is_empty() {
        return Ok(None);
    }
    missing.sort_unstable_by_key(|(id, ..)| *id);
    let wrong = |what: &str| Error::tokenizer(format!("tokenizer.json has no {what}"));
    let mut json: Value = serde_json::from_slice(text)
        .map_err(|e| Error::tokenizer(format!("tokenizer.json: {e}")))?;
    for (id, text, token) in missing {
        let vocab = json
            .get_mut("model")
            .and_then(|m| m.get_mut("vocab"))
            .and_then(Value::as_object_mut)
            .ok_or_else(|| wrong("vocabulary by token, which declared tokens need"))?;
        if vocab.insert(text.to_owned(), id.into()).is_some() {
            return Err(Error::tokenizer(format!("{text:?} is declared twice")));
        }
        let flag = |key: &str| token.get(key).and_then(Value::as_bool).unwrap_or(false);
        let entry = json!({
            "id": id, "content": text, "special": flag("special"), "lstrip": flag("lstrip"),
            "rstrip": flag("rstrip"), "single_word": flag("single_word"),
            "normalized": flag("normalized"),
        });
        json.get_mut("added_tokens")
            .and_then(Value::as_array_mut)
            .ok_or_else(|| wrong("added_tokens"))?
            .push(entry);
    }
    build(json.to_string().as_bytes()).map(Some)
}

/// transformers 5 rebuilds a `LlamaTokenizer` from its vocabulary and marks spaces with
/// `Metaspace` in place of the normaliser that older files hold: a text that begins with a space
/// gets no second one.
fn like_llama_tokenizer(inner: &mut HfTokenizer, config: &Value) -> Result<()> {
    let class = config.get("tokenizer_class").and_then(Value::as_str).unwrap_or_default();
    let llama = matches!(class, "LlamaTokenizer" | "LlamaTokenizerFast");
    let prepends = match inner.get_normalizer() {
        Some(NormalizerWrapper::Sequence(sequence)) => {
            sequence.as_ref().iter().any(|n| matches!(n, NormalizerWrapper::Prepend(_)))
        }
        _ => false,
    };
    let fallback = matches!(inner.get_model(), ModelWrapper::BPE(bpe) if bpe.byte_fallback);
    if !(llama && prepends && fallback && inner.get_pre_tokenizer().is_none()) {
        return Ok(());
    }
    let flag = |key: &str| config.get(key).and_then(Value::as_bool);
    let scheme = match (flag("add_prefix_space").unwrap_or(true), flag("legacy").unwrap_or(false)) {
        (false, _) => PrependScheme::Never,
        (true, true) => PrependScheme::Always,
        (true, false) => PrependScheme::First,
    };
    guarded("tokenizer.json", || inner.with_normalizer(None::<NormalizerWrapper>).map(|_| ()))?;
    inner.with_pre_tokenizer(Some(Metaspace::new('\u{2581}', scheme, false)));
    Ok(())
}
