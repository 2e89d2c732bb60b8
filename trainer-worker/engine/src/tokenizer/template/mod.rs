//! Chat templates: Jinja as transformers renders it, for templates that may be hostile.
//!
//! minijinja bounds instructions and recursion, not memory: thirty doublings of a text are few
//! instructions. [`guard`] therefore puts a call around every expression that makes text or lists,
//! and what they make is charged to a budget; filters and methods that could make more than they
//! are given are replaced by ones that ask the budget first.

mod date;
mod filters;
mod guard;
mod methods;
mod python;

pub use date::Date;

use super::{Json, Message};
use crate::error::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::{context, Environment, ErrorKind, Value};
use python::Budget;
use std::sync::Arc;

/// Longest template in bytes; the longest published ones have about 20,000.
pub(super) const MAX_TEMPLATE: usize = 256 << 10;
/// Instructions that a template may execute; real ones need a few hundred a message.
const FUEL: u64 = 5_000_000;
/// Bytes of text that a template may make beside what it is given.
const MEMORY: u64 = 16 << 20;
/// How often it may make the text that it is given.
const COPIES: u64 = 16;

/// A chat template with the special tokens that it may name.
#[derive(Debug, Clone)]
pub(super) struct ChatTemplate {
    /// The guarded source, or what is wrong with the template: that is said when it is used.
    source: std::result::Result<String, String>,
    /// Texts of the bos, eos, pad and unk tokens.
    special: [Option<String>; 4],
    date: Date,
}

/// An error within a template.
fn fault(text: impl Into<String>) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, text.into())
}

/// JSON as a template's value; the parser of JSON has bounded its depth.
fn of_json(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Text(text) => Value::from(text.as_str()),
        Json::List(items) => items.iter().map(of_json).collect(),
        Json::Object(entries) => {
            Value::from_pairs(entries.iter().map(|(key, value)| (key.as_str(), of_json(value))))
        }
    }
}

fn syntax() -> std::result::Result<SyntaxConfig, minijinja::Error> {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()
}

impl ChatTemplate {
    pub(super) fn new(source: String, special: [Option<String>; 4]) -> Result<Self> {
        if source.len() > MAX_TEMPLATE {
            return Err(Error::TooLarge {
                what: "chat template".to_owned(),
                size: source.len() as u64,
                limit: MAX_TEMPLATE as u64,
            });
        }
        let source = guard::guard(&source).map_err(|e| format!("chat template: {e:#}"));
        Ok(Self { source, special, date: Date::default() })
    }

    pub(super) fn set_date(&mut self, date: Date) {
        self.date = date;
    }

    pub(super) fn render(
        &self,
        messages: &[Message],
        tools: Option<&Json>,
        prompt: bool,
    ) -> Result<String> {
        let source = self.source.as_ref().map_err(Error::tokenizer)?;
        self.render_guarded(source, messages, tools, prompt)
            .map_err(|e| Error::tokenizer(format!("chat template: {e:#}")))
    }

    fn render_guarded(
        &self,
        source: &str,
        messages: &[Message],
        tools: Option<&Json>,
        prompt: bool,
    ) -> std::result::Result<String, minijinja::Error> {
        let extra = |m: &Message| m.extra.values().map(|v| v.to_string().len() as u64).sum::<u64>();
        let given: u64 = messages.iter().map(|m| m.content.len() as u64 + 64 + extra(m)).sum();
        let given = given + tools.map_or(0, |tools| tools.to_string().len() as u64);
        let budget = Arc::new(Budget::new(MEMORY.saturating_add(given.saturating_mul(COPIES))));
        let mut env = Environment::new();
        env.set_fuel(Some(FUEL));
        env.set_debug(false);
        env.set_syntax(syntax()?);
        filters::install(&mut env, &budget);
        methods::install(&mut env, &budget);
        guard::install(&mut env, &budget);
        env.add_function("raise_exception", |text: String| -> std::result::Result<String, _> {
            Err(fault(text))
        });
        let date = self.date;
        env.add_function("strftime_now", move |format: &str| date.format(format));
        let messages: Vec<Value> = messages
            .iter()
            .map(|m| {
                if m.extra.is_empty() {
                    return context! { role => m.role.clone(), content => m.content.clone() };
                }
                let own = [("role", m.role.clone()), ("content", m.content.clone())];
                let own = own.map(|(key, text)| (key.to_owned(), Value::from(text)));
                let extra = m.extra.iter().map(|(k, v)| (k.clone(), of_json(v)));
                Value::from_pairs(own.into_iter().chain(extra))
            })
            .collect();
        // As in transformers, a token that the model lacks is not defined at all.
        let mut context = std::collections::BTreeMap::new();
        for (name, text) in
            ["bos_token", "eos_token", "pad_token", "unk_token"].iter().zip(&self.special)
        {
            if let Some(text) = text {
                context.insert(*name, Value::from(text.clone()));
            }
        }
        context.insert("messages", Value::from(messages));
        let tools = tools.map_or_else(|| Value::from(()), of_json);
        context.insert("tools", tools);
        context.insert("documents", Value::from(()));
        context.insert("add_generation_prompt", Value::from(prompt));
        env.render_str(source, context)
    }
}
