//! Tokenizer and chat template, from a GGUF file's metadata or a Hugging Face folder.

use crate::error::{read_bounded, Error, Result};
use crate::model::gguf::{Gguf, Value};
use minijinja::{context, Environment, ErrorKind};
use serde_json::json;
use std::path::Path;
use tokenizers::Tokenizer as HfTokenizer;

const MAX_TEMPLATE: usize = 256 << 10;
const MAX_TOKENIZER: u64 = 64 << 20;
/// Instructions that a chat template may execute; real ones need a few hundred a message.
const TEMPLATE_FUEL: u64 = 5_000_000;

/// Pre-tokenisation of LLaMA 3.
const LLAMA3_SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

impl Message {
    /// A message of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: "user".to_owned(), content: content.into() }
    }

    /// A message of the assistant.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: "assistant".to_owned(), content: content.into() }
    }
}

/// Text to token ids and back, with the model's special tokens and chat template.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: HfTokenizer,
    /// The same, taking special tokens written in a text for ordinary text.
    plain: HfTokenizer,
    special: Vec<String>,
    /// Token that ends an answer.
    pub eos: u32,
    /// Token that begins a text, if the model has one.
    pub bos: Option<u32>,
    /// Whether plain text begins with [`Self::bos`].
    pub add_bos: bool,
    template: Option<String>,
}

impl Tokenizer {
    /// From a `.gguf` file or a folder with `tokenizer.json`.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            Self::from_folder(path)
        } else {
            Self::from_gguf(&Gguf::open(path)?)
        }
    }

    /// From the `tokenizer.*` metadata of a GGUF file: byte-level BPE.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        match gguf.text("tokenizer.ggml.model") {
            Some("gpt2") => {}
            other => {
                return Err(Error::tokenizer(format!(
                    "tokenizer.ggml.model is {}; byte-level BPE (\"gpt2\") is supported",
                    other.unwrap_or("missing")
                )))
            }
        }
        let texts = |key: &str| match gguf.get(key) {
            Some(Value::Texts(t)) => Ok(t),
            _ => Err(Error::tokenizer(format!("{key} is missing or not a list of texts"))),
        };
        let tokens = texts("tokenizer.ggml.tokens")?;
        let merges = texts("tokenizer.ggml.merges")?;
        let types: &[i64] = match gguf.get("tokenizer.ggml.token_type") {
            None => &[],
            Some(Value::Integers(t)) if t.len() == tokens.len() => t,
            Some(_) => return Err(Error::tokenizer("token_type does not match the tokens")),
        };
        let mut vocab = serde_json::Map::new();
        let mut added = Vec::new();
        for (id, token) in tokens.iter().enumerate() {
            if vocab.insert(token.clone(), json!(id)).is_some() {
                return Err(Error::tokenizer(format!("the token {token:?} occurs twice")));
            }
            // 3: control, 4: user defined (llama.cpp's token types).
            let kind = types.get(id).copied().unwrap_or(1);
            if kind == 3 || kind == 4 {
                added.push(json!({
                    "id": id, "content": token, "special": kind == 3, "single_word": false,
                    "lstrip": false, "rstrip": false, "normalized": false,
                }));
            }
        }
        let byte_level = |regex: bool| {
            json!({
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                "use_regex": regex,
            })
        };
        let pre = gguf.text("tokenizer.ggml.pre").unwrap_or("default");
        let pre_tokenizer = match pre {
            "smollm" => json!({"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": true}, byte_level(true)]}),
            "gpt-2" | "gpt2" => byte_level(true),
            "llama-bpe" | "llama3" | "llama-v3" => json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": LLAMA3_SPLIT}, "behavior": "Isolated",
                 "invert": false}, byte_level(false)]}),
            other => {
                return Err(Error::tokenizer(format!(
                    "tokenizer.ggml.pre is {other}; smollm, gpt-2 and llama-bpe are supported"
                )))
            }
        };
        let text = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": null, "pre_tokenizer": pre_tokenizer, "post_processor": null,
            "decoder": byte_level(true),
            "model": {
                "type": "BPE", "dropout": null, "unk_token": null,
                "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
                "byte_fallback": false, "ignore_merges": pre == "llama-bpe", "vocab": vocab,
                "merges": merges,
            },
        })
        .to_string();
        let inner = HfTokenizer::from_bytes(text).map_err(|e| Error::tokenizer(e.to_string()))?;
        let id = |key: &str| -> Result<Option<u32>> {
            match gguf.unsigned(key) {
                None => Ok(None),
                Some(id) if (id as usize) < tokens.len() => Ok(Some(id as u32)),
                Some(id) => Err(Error::tokenizer(format!("{key} is {id}, beyond the vocabulary"))),
            }
        };
        let eos = id("tokenizer.ggml.eos_token_id")?
            .ok_or_else(|| Error::tokenizer("tokenizer.ggml.eos_token_id is missing"))?;
        Self::checked(
            inner,
            eos,
            id("tokenizer.ggml.bos_token_id")?,
            gguf.flag("tokenizer.ggml.add_bos_token").unwrap_or(false),
            gguf.text("tokenizer.chat_template").map(str::to_owned),
        )
    }

    /// From `tokenizer.json` and `tokenizer_config.json`.
    pub fn from_folder(dir: &Path) -> Result<Self> {
        let text = read_bounded(&dir.join("tokenizer.json"), MAX_TOKENIZER)?;
        let inner = HfTokenizer::from_bytes(text).map_err(|e| Error::tokenizer(e.to_string()))?;
        let path = dir.join("tokenizer_config.json");
        let config: serde_json::Value = serde_json::from_slice(&read_bounded(&path, 16 << 20)?)
            .map_err(|e| Error::tokenizer(format!("tokenizer_config.json: {e}")))?;
        let token = |key: &str| -> Option<u32> {
            let value = config.get(key)?;
            let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
            inner.token_to_id(text)
        };
        let eos = token("eos_token")
            .ok_or_else(|| Error::tokenizer("tokenizer_config.json names no eos_token"))?;
        let bos = token("bos_token");
        let flag = |key: &str| config.get(key).and_then(serde_json::Value::as_bool);
        let template_file = dir.join("chat_template.jinja");
        let template = if template_file.exists() {
            let bytes = read_bounded(&template_file, MAX_TEMPLATE as u64)?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        } else {
            config.get("chat_template").and_then(|t| t.as_str()).map(str::to_owned)
        };
        Self::checked(inner, eos, bos, flag("add_bos_token").unwrap_or(false), template)
    }

    fn checked(
        inner: HfTokenizer,
        eos: u32,
        bos: Option<u32>,
        add_bos: bool,
        template: Option<String>,
    ) -> Result<Self> {
        if let Some(template) = template.as_ref().filter(|t| t.len() > MAX_TEMPLATE) {
            return Err(Error::TooLarge {
                what: "chat template".to_owned(),
                size: template.len() as u64,
                limit: MAX_TEMPLATE as u64,
            });
        }
        let mut plain = inner.clone();
        plain.set_encode_special_tokens(true);
        let mut special: Vec<String> = inner
            .get_added_tokens_decoder()
            .into_values()
            .filter(|t| t.special && !t.content.is_empty())
            .map(|t| t.content)
            .collect();
        special.sort_unstable();
        Ok(Self { inner, plain, special, eos, bos, add_bos, template })
    }

    /// Number of tokens.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Whether there is a chat template.
    pub fn has_chat_template(&self) -> bool {
        self.template.is_some()
    }

    /// Token ids of a text; special tokens written in the text are recognised, as a rendered chat
    /// template needs it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding =
            self.inner.encode_fast(text, false).map_err(|e| Error::tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids of somebody's text, with the byte range that each stands for. Special tokens
    /// written in it are ordinary text: a contributor cannot end a turn or speak for another.
    pub fn encode_plain(&self, text: &str) -> Result<Vec<(u32, (usize, usize))>> {
        let encoding =
            self.plain.encode(text, false).map_err(|e| Error::tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().iter().copied().zip(encoding.get_offsets().iter().copied()).collect())
    }

    /// The first special token that is written in a text, if any.
    pub fn special_in(&self, text: &str) -> Option<&str> {
        self.special.iter().map(String::as_str).find(|s| text.contains(s))
    }

    /// Text of token ids; special tokens are left out when `skip_special`.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        self.inner.decode(ids, skip_special).map_err(|e| Error::tokenizer(e.to_string()))
    }

    /// The prompt of a conversation, by the model's chat template.
    pub fn render_chat(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let template = self
            .template
            .as_ref()
            .ok_or_else(|| Error::tokenizer("the model has no chat template"))?;
        let mut env = Environment::new();
        env.set_fuel(Some(TEMPLATE_FUEL));
        let syntax = minijinja::syntax::SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|e| Error::tokenizer(e.to_string()))?;
        env.set_syntax(syntax);
        env.add_function("raise_exception", |text: String| -> std::result::Result<String, _> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, text))
        });
        let messages: Vec<minijinja::Value> = messages
            .iter()
            .map(|m| context! { role => m.role.clone(), content => m.content.clone() })
            .collect();
        let special = |id: Option<u32>| id.and_then(|i| self.inner.id_to_token(i));
        env.render_str(
            template,
            context! {
                messages => messages,
                add_generation_prompt => add_generation_prompt,
                bos_token => special(self.bos).unwrap_or_default(),
                eos_token => special(Some(self.eos)).unwrap_or_default(),
            },
        )
        .map_err(|e| Error::tokenizer(format!("chat template: {e:#}")))
    }
}
