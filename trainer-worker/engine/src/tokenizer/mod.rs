//! Tokenizer and chat template, from a GGUF file's metadata or a Hugging Face folder.

mod bytes;
mod ggml;
mod hf;
mod json;
mod pre;
mod sentencepiece;
mod template;

use crate::error::{Error, Result};
use crate::generate::Vocabulary;
use crate::model::gguf::Gguf;
pub use bytes::TextStream;
pub use json::Json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use template::ChatTemplate;
pub use template::Date;
use tokenizers::{ModelWrapper, Tokenizer as HfTokenizer};

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
    /// What the template may use beside them: `tool_calls`, `reasoning_content`, `name`, …
    pub extra: BTreeMap<String, Json>,
}

impl Message {
    /// A message of a role.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into(), extra: BTreeMap::new() }
    }

    /// A message of the system.
    pub fn system(content: impl Into<String>) -> Self {
        Self::new("system", content)
    }

    /// A message of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self::new("user", content)
    }

    /// A message of the assistant.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new("assistant", content)
    }
}

/// Text to token ids and back, with the model's special tokens and chat template.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: HfTokenizer,
    /// The same, taking special tokens written in a text for ordinary text.
    plain: HfTokenizer,
    special: Vec<String>,
    /// Token that ends a text.
    pub eos: u32,
    /// Token that begins a text, if the model has one.
    pub bos: Option<u32>,
    /// Token that fills up a batch, if the model names one.
    pub pad: Option<u32>,
    /// Whether [`Self::encode_text`] begins with [`Self::bos`].
    pub add_bos: bool,
    /// Whether [`Self::encode_text`] ends with [`Self::eos`].
    pub add_eos: bool,
    end: Vec<u32>,
    end_of_turn: OnceLock<Option<u32>>,
    template: Option<ChatTemplate>,
    template_text: Option<String>,
    vocabulary: OnceLock<Arc<Vocabulary>>,
}

/// What a reader found, for [`Tokenizer::new`].
struct Parts {
    inner: HfTokenizer,
    eos: u32,
    bos: Option<u32>,
    pad: Option<u32>,
    unk: Option<u32>,
    /// Further tokens that end an answer.
    end: Vec<u32>,
    template: Option<String>,
}

/// Runs a call of the tokenizer library on input that may be hostile. Its regular expressions
/// panic when a search exceeds Oniguruma's limit of steps; that becomes an error here.
fn guarded<T>(what: &str, call: impl FnOnce() -> tokenizers::Result<T>) -> Result<T> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|e| Error::tokenizer(format!("{what}: {e}"))),
        Err(_) => Err(Error::tokenizer(format!(
            "{what}: the tokenizer's rules cannot be applied to this text; is tokenizer.json damaged?"
        ))),
    }
}

/// Builds the library's tokenizer from the text of a `tokenizer.json`.
fn build(json: &[u8]) -> Result<HfTokenizer> {
    let mut inner = guarded("tokenizer.json", || HfTokenizer::from_bytes(json))?;
    // Batching is done here, never by the tokenizer.
    inner.with_padding(None);
    guarded("tokenizer.json", || inner.with_truncation(None).map(|_| ()))?;
    // Nor are its merges left out at random.
    if let ModelWrapper::BPE(bpe) = inner.get_model() {
        if bpe.dropout.is_some() {
            let mut bpe = bpe.clone();
            bpe.dropout = None;
            inner.with_model(bpe);
        }
    }
    Ok(inner)
}

/// The regular expressions that a name of `tokenizer.ggml.pre` stands for, applied one after the
/// other; none for a name that this engine does not know.
pub fn split_expressions(pre: &str) -> Option<Vec<&'static str>> {
    pre::rule(pre).map(|rule| rule.expressions())
}

impl Tokenizer {
    /// From a `.gguf` file or a folder with `tokenizer.json` or SentencePiece's `tokenizer.model`.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            Self::from_folder(path)
        } else {
            Self::from_gguf(&Gguf::open(path)?)
        }
    }

    fn new(parts: Parts) -> Result<Self> {
        let Parts { inner, eos, bos, pad, unk, mut end, template } = parts;
        let text = |id: Option<u32>| id.and_then(|i| inner.id_to_token(i));
        let template_text = template.clone();
        let template = template
            .map(|t| ChatTemplate::new(t, [text(bos), text(Some(eos)), text(pad), text(unk)]))
            .transpose()?;
        let mut added: Vec<_> = inner.get_added_tokens_decoder().into_values().collect();
        added.sort_unstable_by(|a, b| a.content.cmp(&b.content));
        // Some models mark the tokens of their turns as ordinary ones; a contributor must not be
        // able to write those either.
        let control = |content: &str| {
            let ends = |a: char, b: char| content.starts_with(a) && content.ends_with(b);
            content.chars().count() > 2 && (ends('<', '>') || ends('[', ']'))
        };
        let mut plain = inner.clone();
        let mut special = Vec::new();
        let mut marked = Vec::new();
        for token in added {
            if token.content.is_empty() || !(token.special || control(&token.content)) {
                continue;
            }
            special.push(token.content.clone());
            if !token.special {
                marked.push(tokenizers::AddedToken { special: true, ..token });
            }
        }
        if !marked.is_empty() {
            guarded("added tokens", || plain.add_special_tokens(marked).map(|_| ()))?;
        }
        plain.set_encode_special_tokens(true);
        let around = guarded("an empty text", || inner.encode_fast("", true))?;
        let ids = around.get_ids();
        let add_bos = bos.is_some() && ids.first().copied() == bos;
        let add_eos = ids.last() == Some(&eos) && (ids.len() > 1 || !add_bos);
        end.push(eos);
        end.sort_unstable();
        end.dedup();
        Ok(Self {
            inner,
            plain,
            special,
            eos,
            bos,
            pad,
            add_bos,
            add_eos,
            end,
            end_of_turn: OnceLock::new(),
            template,
            template_text,
            vocabulary: OnceLock::new(),
        })
    }

    /// Number of tokens.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Whether there is a chat template.
    pub fn has_chat_template(&self) -> bool {
        self.template.is_some()
    }

    /// The chat template's text as the model's files have it, if there is one.
    pub fn chat_template(&self) -> Option<&str> {
        self.template_text.as_deref()
    }

    /// The text of `tokenizer.json`.
    pub fn to_json(&self) -> Result<String> {
        guarded("tokenizer.json", || self.inner.to_string(true))
    }

    /// The id of a token by its text, and the other way round.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The text that a token stands for in the vocabulary.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Token ids of a text; special tokens written in the text are recognised, as a rendered chat
    /// template needs it, and none are added.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = guarded("text", || self.inner.encode_fast(text, false))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids of a text with the begin and end tokens that the model adds, as Hugging Face's
    /// `tokenizer(text)` gives them.
    pub fn encode_text(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = guarded("text", || self.inner.encode_fast(text, true))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids of somebody's text, with the byte range that each stands for. Special tokens
    /// written in it are ordinary text: a contributor cannot end a turn or speak for another.
    pub fn encode_plain(&self, text: &str) -> Result<Vec<(u32, (usize, usize))>> {
        let encoding = guarded("text", || self.plain.encode(text, false))?;
        Ok(encoding.get_ids().iter().copied().zip(encoding.get_offsets().iter().copied()).collect())
    }

    /// Token ids of raw text of whoever trains, with the byte range that each stands for: special
    /// tokens written in it are special tokens, as in [`Self::encode`].
    pub fn encode_marked(&self, text: &str) -> Result<Vec<(u32, (usize, usize))>> {
        let encoding = guarded("text", || self.inner.encode(text, false))?;
        Ok(encoding.get_ids().iter().copied().zip(encoding.get_offsets().iter().copied()).collect())
    }

    /// The first special token that is written in a text, if any.
    pub fn special_in(&self, text: &str) -> Option<&str> {
        self.special.iter().map(String::as_str).find(|s| text.contains(s))
    }

    /// Refuses messages in which a special token is written out: it could end a turn or speak for
    /// somebody else. The marks around the assistant's thoughts may stand in its own messages.
    ///
    /// # Errors
    /// Which message writes out which token.
    pub fn check_messages(&self, messages: &[Message]) -> Result<()> {
        const THOUGHTS: [&str; 2] = ["<think>", "</think>"];
        for (index, message) in messages.iter().enumerate() {
            let assistant = message.role == "assistant";
            let written = |text: &str| {
                let known = self.special.iter().map(String::as_str);
                let mut known = known.filter(|s| !(assistant && THOUGHTS.contains(s)));
                known.find(|s| text.contains(s))
            };
            let extra = || message.extra.values().find_map(|value| written(&value.to_string()));
            if let Some(token) = written(&message.content).or_else(extra) {
                return Err(Error::Markup { place: index + 1, token: token.to_owned() });
            }
        }
        Ok(())
    }

    /// Whether a special token ends where `head` ends, or begins where `rest` begins.
    pub(crate) fn special_at(&self, head: &str, rest: &str) -> bool {
        self.special.iter().any(|s| head.ends_with(s.as_str()) || rest.starts_with(s.as_str()))
    }

    /// Whether a token is one of those that stand for no text.
    pub fn is_special(&self, id: u32) -> bool {
        let text = self.inner.id_to_token(id);
        text.is_some_and(|text| self.special.binary_search(&text).is_ok())
    }

    /// Text of tokens for people, with special tokens between `⟦` and `⟧`, so that they are told from
    /// letters that look like them.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn show(&self, ids: &[u32]) -> Result<String> {
        let mut text = String::new();
        for run in ids.chunk_by(|a, b| !self.is_special(*a) && !self.is_special(*b)) {
            match run {
                [id] if self.is_special(*id) => {
                    text.push('⟦');
                    text.push_str(&self.inner.id_to_token(*id).unwrap_or_default());
                    text.push('⟧');
                }
                run => text.push_str(&self.decode(run, false)?),
            }
        }
        Ok(text)
    }

    /// Text of token ids; special tokens are left out when `skip_special`.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        guarded("token ids", || self.inner.decode(ids, skip_special))
    }

    /// The token that ends the assistant's turn in the chat template, or [`Self::eos`] without a
    /// template or where the template writes none.
    pub fn end_of_turn(&self) -> u32 {
        self.end_of_turn.get_or_init(|| self.find_end_of_turn()).unwrap_or(self.eos)
    }

    /// The first special token after an assistant's answer in a rendered conversation.
    fn find_end_of_turn(&self) -> Option<u32> {
        const ANSWER: &str = "the answer";
        let turns = [Message::user("a question"), Message::assistant(ANSWER)];
        let text = self.render_chat(&turns, false).ok()?;
        let (_, rest) = text.rsplit_once(ANSWER)?;
        let rest = rest.trim_start();
        let id = *self.encode(rest).ok()?.first()?;
        let token = self.inner.id_to_token(id)?;
        // What the vocabulary lacks may be encoded as a special token without being one.
        let written = rest.starts_with(&token) && self.special.binary_search(&token).is_ok();
        written.then_some(id)
    }

    /// Whether generation ends with this token: the eos token, those that `generation_config.json`
    /// or the GGUF file name beside it, and the one that ends a turn of the chat template.
    pub fn is_end(&self, id: u32) -> bool {
        self.end.binary_search(&id).is_ok() || id == self.end_of_turn()
    }

    /// Every token of [`Self::is_end`], ascending.
    pub fn end_tokens(&self) -> Vec<u32> {
        let mut ids = self.end.clone();
        ids.push(self.end_of_turn());
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Sets the date that a chat template sees which asks for today's (`strftime_now`). Without it
    /// that is 26 July 2024, the day that LLaMA 3.2's template falls back to: what is trained on
    /// must not depend on the day of training.
    pub fn set_date(&mut self, date: Date) {
        if let Some(template) = &mut self.template {
            template.set_date(date);
        }
    }

    /// The prompt of a conversation, by the model's chat template.
    ///
    /// # Errors
    /// When there is no template, when it refuses the conversation (`raise_exception`), or when it
    /// exceeds its bounds of time, depth and memory.
    pub fn render_chat(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        self.render_chat_with(messages, None, add_generation_prompt)
    }

    /// As [`Self::render_chat`], with the tools that the assistant may call.
    ///
    /// # Errors
    /// As [`Self::render_chat`].
    pub fn render_chat_with(
        &self,
        messages: &[Message],
        tools: Option<&Json>,
        add_generation_prompt: bool,
    ) -> Result<String> {
        self.template
            .as_ref()
            .ok_or_else(|| Error::tokenizer("the model has no chat template"))?
            .render(messages, tools, add_generation_prompt)
    }
}
