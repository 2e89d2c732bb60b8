//! Tokenizers from the `tokenizer.*` metadata of a GGUF file.

use super::{pre, Parts, Tokenizer};
use crate::error::{Error, Result};
use crate::model::gguf::{Gguf, Value};
use serde_json::json;
use std::collections::HashMap;

/// Longest token in bytes of a SentencePiece vocabulary, whose merges are rebuilt by trying every
/// place to cut it; the longest real ones are runs of a few dozen spaces.
const MAX_PIECE: usize = 1024;
/// Merges of one vocabulary; real ones have up to 450,000.
const MAX_MERGES: usize = 4_194_304;

// llama.cpp's types of tokens, which are SentencePiece's.
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
pub(super) const USER_DEFINED: i64 = 4;
const UNUSED: i64 = 5;
const BYTE: i64 = 6;

/// The lists that a vocabulary consists of.
pub(super) struct Vocabulary<'a> {
    pub(super) tokens: &'a [String],
    pub(super) types: &'a [i64],
}

/// Where SentencePiece's space before a text is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Nowhere.
    None,
    /// Before each part between special tokens.
    Each,
    /// Before the first part alone, unless it begins with a space.
    First,
}

impl Vocabulary<'_> {
    fn kind(&self, id: usize) -> i64 {
        self.types.get(id).copied().unwrap_or(1)
    }

    fn ids(&self) -> Result<HashMap<&str, usize>> {
        let mut ids = HashMap::with_capacity(self.tokens.len());
        for (id, token) in self.tokens.iter().enumerate() {
            if ids.insert(token.as_str(), id).is_some() {
                return Err(Error::tokenizer(format!("the token {token:?} occurs twice")));
            }
        }
        Ok(ids)
    }

    fn added(&self) -> Vec<serde_json::Value> {
        let added = self.tokens.iter().enumerate().filter_map(|(id, token)| {
            let kind = self.kind(id);
            ((kind == CONTROL || kind == USER_DEFINED) && !token.is_empty()).then(|| {
                json!({
                    "id": id, "content": token, "special": kind == CONTROL, "single_word": false,
                    "lstrip": false, "rstrip": false, "normalized": false,
                })
            })
        });
        added.collect()
    }
}

fn texts<'a>(gguf: &'a Gguf, key: &str) -> Result<&'a [String]> {
    match gguf.get(key) {
        Some(Value::Texts(texts)) => Ok(texts),
        _ => Err(Error::tokenizer(format!("{key} is missing or not a list of texts"))),
    }
}

/// The id of a token that a key names, if it is there.
fn token_id(gguf: &Gguf, key: &str, vocabulary: usize) -> Result<Option<u32>> {
    let key = format!("tokenizer.ggml.{key}");
    match gguf.unsigned(&key) {
        None => Ok(None),
        Some(id) if id < vocabulary as u64 => Ok(Some(id as u32)),
        Some(id) => Err(Error::tokenizer(format!("{key} is {id}, beyond the vocabulary"))),
    }
}

impl Tokenizer {
    /// From the `tokenizer.*` metadata of a GGUF file: byte-level BPE (`gpt2`), cut by the rule of
    /// `tokenizer.ggml.pre`, or SentencePiece's BPE with scores and byte fallback (`llama`).
    ///
    /// # Errors
    /// On other kinds of tokenizer and on rules it does not know, by name; on inconsistent lists.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let tokens = texts(gguf, "tokenizer.ggml.tokens")?;
        let types: &[i64] = match gguf.get("tokenizer.ggml.token_type") {
            None => &[],
            Some(Value::Integers(t)) if t.len() == tokens.len() => t,
            Some(_) => return Err(Error::tokenizer("token_type does not match the tokens")),
        };
        let vocabulary = Vocabulary { tokens, types };
        let id = |key: &str| token_id(gguf, key, tokens.len());
        let (bos, eos) = (id("bos_token_id")?, id("eos_token_id")?);
        let pre = gguf.text("tokenizer.ggml.pre");
        let (mut text, add_bos) = match gguf.text("tokenizer.ggml.model") {
            Some("gpt2") => byte_level(gguf, &vocabulary, pre.unwrap_or("default"))?,
            Some("llama") => (sentence_piece_of(gguf, &vocabulary)?, true),
            other => {
                return Err(Error::tokenizer(format!(
                    "tokenizer.ggml.model is {}; gpt2 (byte-level BPE) and llama (SentencePiece) are supported",
                    other.unwrap_or("missing")
                )))
            }
        };
        let eos = eos.ok_or_else(|| Error::tokenizer("tokenizer.ggml.eos_token_id is missing"))?;
        let flag = |key: &str| gguf.flag(&format!("tokenizer.ggml.{key}"));
        let (first, last) =
            (flag("add_bos_token").unwrap_or(add_bos), flag("add_eos_token").unwrap_or(false));
        text["post_processor"] =
            post_processor(tokens, bos.filter(|_| first), Some(eos).filter(|_| last));
        let inner = super::build(text.to_string().as_bytes())?;
        let mut end = Vec::new();
        for key in ["eot_token_id", "eom_token_id"] {
            end.extend(id(key)?);
        }
        Self::new(Parts {
            inner,
            eos,
            bos,
            pad: id("padding_token_id")?,
            unk: id("unknown_token_id")?,
            end,
            template: gguf.text("tokenizer.chat_template").map(str::to_owned),
        })
    }
}

/// Puts the begin and end tokens around a text.
fn post_processor(tokens: &[String], bos: Option<u32>, eos: Option<u32>) -> serde_json::Value {
    let named = |id: u32| (tokens.get(id as usize).cloned().unwrap_or_default(), u64::from(id));
    around(bos.map(named), eos.map(named))
}

/// A post-processor that puts tokens before and after a text.
pub(super) fn around(bos: Option<(String, u64)>, eos: Option<(String, u64)>) -> serde_json::Value {
    if bos.is_none() && eos.is_none() {
        return serde_json::Value::Null;
    }
    let special = |(token, _): &(String, u64)| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let mut single: Vec<_> = bos.iter().map(special).collect();
    single.push(json!({"Sequence": {"id": "A", "type_id": 0}}));
    single.extend(eos.iter().map(special));
    let mut pair = single.clone();
    pair.push(json!({"Sequence": {"id": "B", "type_id": 1}}));
    let map: serde_json::Map<_, _> = [bos, eos]
        .into_iter()
        .flatten()
        .map(|(token, id)| (token.clone(), json!({"id": token, "ids": [id], "tokens": [token]})))
        .collect();
    json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": map})
}

/// A `tokenizer.json` of byte-level BPE, and whether its rule begins text with the bos token.
fn byte_level(gguf: &Gguf, v: &Vocabulary<'_>, pre: &str) -> Result<(serde_json::Value, bool)> {
    let rule = pre::rule(pre).ok_or_else(|| {
        Error::tokenizer(format!(
            "tokenizer.ggml.pre is {pre:?}, a rule for cutting text that this engine does not know; it knows {}. Use the model's Hugging Face folder with tokenizer.json instead",
            pre::NAMES
        ))
    })?;
    let merges = texts(gguf, "tokenizer.ggml.merges")?;
    if merges.len() > MAX_MERGES {
        return Err(Error::tokenizer(format!("{} merges, at most {MAX_MERGES}", merges.len())));
    }
    let text = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": v.added(),
        "normalizer": if rule.nfc { json!({"type": "NFC"}) } else { json!(null) },
        "pre_tokenizer": rule.pre_tokenizer(),
        "post_processor": null,
        "decoder": {
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": true,
        },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "ignore_merges": rule.ignore_merges, "vocab": v.ids()?,
            "merges": merges,
        },
    });
    Ok((text, rule.add_bos))
}

/// [`sentence_piece`] of a GGUF file.
fn sentence_piece_of(gguf: &Gguf, v: &Vocabulary<'_>) -> Result<serde_json::Value> {
    let scores = match gguf.get("tokenizer.ggml.scores") {
        Some(Value::Floats(scores)) if scores.len() == v.tokens.len() => scores,
        _ => {
            return Err(Error::tokenizer(
                "tokenizer.ggml.scores is missing or does not match the tokens",
            ))
        }
    };
    if scores.iter().any(|s| s.is_nan()) {
        return Err(Error::tokenizer("tokenizer.ggml.scores holds values that are no number"));
    }
    let unknown = token_id(gguf, "unknown_token_id", v.tokens.len())?
        .map(|id| id as usize)
        .or_else(|| (0..v.tokens.len()).find(|id| v.kind(*id) == UNKNOWN));
    let prefix = match gguf.flag("tokenizer.ggml.add_space_prefix") {
        Some(false) => Prefix::None,
        _ => Prefix::Each,
    };
    sentence_piece(v, scores, unknown, prefix, true)
}

/// A `tokenizer.json` for a SentencePiece vocabulary. Its merges are every way to cut a token in
/// two tokens, best score first, which is the order in which SentencePiece joins pieces.
pub(super) fn sentence_piece(
    v: &Vocabulary<'_>,
    scores: &[f32],
    unknown: Option<usize>,
    prefix: Prefix,
    byte_fallback: bool,
) -> Result<serde_json::Value> {
    let ids = v.ids()?;
    let joins = |id: usize| !matches!(v.kind(id), CONTROL | UNKNOWN | UNUSED | BYTE);
    let mut merges: Vec<(usize, usize, usize)> = Vec::new();
    for (id, token) in v.tokens.iter().enumerate().filter(|(id, _)| joins(*id)) {
        if token.len() > MAX_PIECE {
            return Err(Error::tokenizer(format!(
                "token {id} is {} bytes, at most {MAX_PIECE}",
                token.len()
            )));
        }
        let start = merges.len();
        for (cut, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(cut);
            if let (Some(left), Some(right)) = (ids.get(left), ids.get(right)) {
                if joins(*left) && joins(*right) {
                    merges.push((id, *left, *right));
                }
            }
        }
        merges[start..].sort_unstable();
        if merges.len() > MAX_MERGES {
            return Err(Error::tokenizer(format!("more than {MAX_MERGES} merges")));
        }
    }
    merges.sort_by(|a, b| scores[b.0].total_cmp(&scores[a.0]));
    let merges: Vec<[&str; 2]> =
        merges.iter().map(|(_, l, r)| [v.tokens[*l].as_str(), v.tokens[*r].as_str()]).collect();
    let mut normalizers = vec![];
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix != Prefix::None {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    if prefix == Prefix::Each {
        normalizers.push(json!({"type": "Prepend", "prepend": "\u{2581}"}));
    }
    normalizers.push(json!({"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"}));
    let pre_tokenizer = (prefix == Prefix::First).then(|| {
        json!({
            "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "first",
            "split": false,
        })
    });
    let normalizer =
        (prefix != Prefix::First).then(|| json!({"type": "Sequence", "normalizers": normalizers}));
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": v.added(),
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE", "dropout": null,
            "unk_token": unknown.map(|id| v.tokens[id].as_str()),
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
            "byte_fallback": byte_fallback, "ignore_merges": false, "vocab": ids, "merges": merges,
        },
    }))
}
