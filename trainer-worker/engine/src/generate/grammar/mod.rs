//! Answers that follow a grammar: JSON, a JSON Schema, a regular expression, or one of some texts.
//!
//! Before a token is chosen, all that cannot follow are taken out. The grammar is matched by bytes, so
//! that tokens may be cut as they like, through characters too. No crate for it fits: `llguidance`,
//! `outlines-core` and `xgrammar-rs` switch on `serde_json/preserve_order`, with which the node's crates
//! would be built anew and every JSON file of ours written in another order; see `docs/serving.md`.

mod json;
mod matcher;
mod memory;
mod numbers;
mod pattern;
mod rules;
mod schema;
mod vocabulary;

use crate::error::{Error, Result};
use crate::tokenizer::Json;
pub(crate) use matcher::Matcher;
pub use memory::{ClientGrammars, GrammarMemory};
use rules::{Compiled, Rules, Symbol};
use std::sync::{Arc, OnceLock};
pub use vocabulary::Vocabulary;

/// Most bytes of a schema.
pub const MAX_SCHEMA_BYTES: usize = 64 << 10;
/// Most texts of a choice, and most bytes of them together.
const MAX_CHOICES: usize = 1024;

/// What an answer must follow. It holds for every tokenizer.
#[derive(Debug)]
pub struct Grammar {
    rules: Arc<Compiled>,
    /// Where a text begins whose first space is left out.
    after_space: u32,
    /// Its part of the memory, from when it is first followed.
    charge: OnceLock<memory::Charge>,
}

impl Grammar {
    fn finish(mut rules: Rules, root: Symbol) -> Result<Self> {
        let space = rules.byte(&[(b' ', b' ')]);
        let spaced = rules.reserve();
        rules.define(spaced, vec![vec![space, root]])?;
        let compiled = rules.finish(root);
        let after_space = compiled.starts(spaced).first().copied().unwrap_or(0);
        Ok(Self { rules: Arc::new(compiled), after_space, charge: OnceLock::new() })
    }

    /// One object of JSON, as `response_format: {"type": "json_object"}` asks for it.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn json_object() -> Result<Self> {
        let mut rules = Rules::default();
        let parts = json::Parts::new(&mut rules)?;
        let root = parts.object;
        Self::finish(rules, root)
    }

    /// JSON that a JSON Schema accepts.
    ///
    /// # Errors
    /// [`Error::Grammar`] naming the place in the schema and the keyword that is not supported, or the
    /// bound that it exceeds.
    pub fn json_schema(schema: &Json) -> Result<Self> {
        let bytes = schema.to_string().len();
        if bytes > MAX_SCHEMA_BYTES {
            let reason = format!("it is {bytes} bytes long, and {MAX_SCHEMA_BYTES} is the most");
            return Err(Error::grammar("", reason));
        }
        let mut rules = Rules::default();
        let root = schema::compile(&mut rules, schema)?;
        Self::finish(rules, root)
    }

    /// As [`Self::json_schema`], from the schema's text.
    ///
    /// # Errors
    /// As there, and for a text that is no JSON.
    pub fn json_schema_text(text: &str) -> Result<Self> {
        if text.len() > MAX_SCHEMA_BYTES {
            let reason =
                format!("it is {} bytes long, and {MAX_SCHEMA_BYTES} is the most", text.len());
            return Err(Error::grammar("", reason));
        }
        let schema = Json::parse(text).map_err(|e| Error::grammar("", format!("no JSON: {e}")))?;
        Self::json_schema(&schema)
    }

    /// Text that a regular expression matches as a whole.
    ///
    /// # Errors
    /// [`Error::Grammar`] for an expression that cannot be read or exceeds a bound.
    pub fn regex(expression: &str) -> Result<Self> {
        let mut rules = Rules::default();
        let root = pattern::pattern(&mut rules, expression, pattern::Quoting::Plain, false)?;
        Self::finish(rules, root)
    }

    /// One of some texts.
    ///
    /// # Errors
    /// [`Error::Grammar`] where there are none, or too many.
    pub fn choice(texts: &[String]) -> Result<Self> {
        let bytes: usize = texts.iter().map(String::len).sum();
        if texts.is_empty() || texts.len() > MAX_CHOICES || bytes > MAX_SCHEMA_BYTES {
            let reason = format!(
                "{} texts of {bytes} bytes: choose 1 to {MAX_CHOICES} texts of {MAX_SCHEMA_BYTES} \
                 bytes at most",
                texts.len()
            );
            return Err(Error::grammar("", reason));
        }
        let mut rules = Rules::default();
        let alternatives = texts.iter().map(|text| rules.text(text)).collect();
        let root = rules.any_text(alternatives)?;
        Self::finish(rules, root)
    }

    /// Counts its bytes, once for all answers that follow it.
    fn count_in(&self, memory: &Arc<ClientGrammars>) {
        self.charge.get_or_init(|| {
            let mut charge = memory.charge();
            charge.grow(self.rules.bytes());
            charge
        });
    }

    /// Whether a whole text follows the grammar.
    ///
    /// # Errors
    /// When the grammar is too ambiguous to be followed.
    pub fn matches(&self, text: &str) -> Result<bool> {
        matcher::matches(&self.rules, text.as_bytes())
    }
}
