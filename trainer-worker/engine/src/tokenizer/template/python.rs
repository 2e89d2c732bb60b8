//! Values as Python writes them, and the budget of memory that making them is charged to.

use super::fault;
use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use std::sync::atomic::{AtomicU64, Ordering};

/// Deepest nesting of lists and maps.
const MAX_DEPTH: usize = 32;
/// What a list element or a map entry counts as beside its content.
const ELEMENT: u64 = 32;

/// Bytes that a template may still make.
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes))
    }

    /// Takes bytes from the budget.
    pub(super) fn charge(&self, bytes: u64) -> Result<(), Error> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map(|_| ())
            .map_err(|_| fault("the template makes too much text"))
    }

    /// Charges what a value holds, at any depth.
    pub(super) fn charge_value(&self, value: &Value) -> Result<(), Error> {
        self.charge_at(value, 0)
    }

    fn charge_at(&self, value: &Value, depth: usize) -> Result<(), Error> {
        if let Some(text) = value.as_str() {
            return self.charge(text.len() as u64);
        }
        self.charge(ELEMENT)?;
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {}
            _ => return Ok(()),
        }
        if depth >= MAX_DEPTH {
            return Err(fault("values are nested too deeply"));
        }
        let map = value.kind() == ValueKind::Map;
        for item in value.try_iter()? {
            if map {
                self.charge_at(&value.get_item(&item)?, depth + 1)?;
            }
            self.charge_at(&item, depth + 1)?;
        }
        Ok(())
    }

    /// Python's `str(value)`, charged while it is made.
    pub(super) fn text(&self, value: &Value) -> Result<String, Error> {
        let mut out = String::new();
        match value.as_str() {
            Some(text) => self.push(&mut out, text)?,
            None if value.is_undefined() => {}
            None => self.repr(&mut out, value, 0)?,
        }
        Ok(out)
    }

    fn push(&self, out: &mut String, text: &str) -> Result<(), Error> {
        self.charge(text.len() as u64)?;
        out.push_str(text);
        Ok(())
    }

    fn repr(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        if depth >= MAX_DEPTH {
            return Err(fault("values are nested too deeply"));
        }
        match value.kind() {
            ValueKind::None | ValueKind::Undefined => self.push(out, "None"),
            ValueKind::Bool => self.push(out, if value.is_true() { "True" } else { "False" }),
            ValueKind::Number => self.push(out, &value.to_string()),
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
                out.push(quote);
                for c in text.chars() {
                    let escaped = match c {
                        '\n' => "\\n".to_owned(),
                        '\r' => "\\r".to_owned(),
                        '\t' => "\\t".to_owned(),
                        '\\' => "\\\\".to_owned(),
                        c if c == quote => format!("\\{c}"),
                        c if (c as u32) < 32 || c as u32 == 127 => format!("\\x{:02x}", c as u32),
                        c => c.to_string(),
                    };
                    self.push(out, &escaped)?;
                }
                out.push(quote);
                Ok(())
            }
            ValueKind::Seq | ValueKind::Iterable => {
                self.push(out, "[")?;
                for (i, item) in value.try_iter()?.enumerate() {
                    self.push(out, if i > 0 { ", " } else { "" })?;
                    self.repr(out, &item, depth + 1)?;
                }
                self.push(out, "]")
            }
            ValueKind::Map => {
                self.push(out, "{")?;
                for (i, key) in value.try_iter()?.enumerate() {
                    self.push(out, if i > 0 { ", " } else { "" })?;
                    self.repr(out, &key, depth + 1)?;
                    self.push(out, ": ")?;
                    self.repr(out, &value.get_item(&key)?, depth + 1)?;
                }
                self.push(out, "}")
            }
            _ => Err(fault("this kind of value has no text")),
        }
    }

    /// Python's `json.dumps(value, ensure_ascii=False, indent=indent)`.
    pub(super) fn json(&self, value: &Value, indent: Option<usize>) -> Result<String, Error> {
        let mut out = String::new();
        self.json_at(&mut out, value, indent, 0)?;
        Ok(out)
    }

    fn json_at(
        &self,
        out: &mut String,
        value: &Value,
        indent: Option<usize>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth >= MAX_DEPTH {
            return Err(fault("values are nested too deeply"));
        }
        let line = |out: &mut String, depth: usize| match indent {
            Some(width) => {
                self.charge((width * depth) as u64 + 1)?;
                out.push('\n');
                out.push_str(&" ".repeat(width * depth));
                Ok::<_, Error>(())
            }
            None => Ok(()),
        };
        let comma = if indent.is_some() { "," } else { ", " };
        let (open, close, map) = match value.kind() {
            ValueKind::None => return self.push(out, "null"),
            ValueKind::Bool => {
                return self.push(out, if value.is_true() { "true" } else { "false" })
            }
            ValueKind::Number => return self.push(out, &value.to_string()),
            ValueKind::String => {
                let text = serde_json::Value::from(value.as_str().unwrap_or_default());
                return self.push(out, &text.to_string());
            }
            ValueKind::Seq | ValueKind::Iterable => ("[", "]", false),
            ValueKind::Map => ("{", "}", true),
            _ => return Err(fault("tojson cannot write this kind of value")),
        };
        self.push(out, open)?;
        let mut any = false;
        for item in value.try_iter()? {
            if any {
                self.push(out, comma)?;
            }
            any = true;
            line(out, depth + 1)?;
            if map {
                let key = serde_json::Value::from(self.text(&item)?);
                self.push(out, &key.to_string())?;
                self.push(out, ": ")?;
                self.json_at(out, &value.get_item(&item)?, indent, depth + 1)?;
            } else {
                self.json_at(out, &item, indent, depth + 1)?;
            }
        }
        if any {
            line(out, depth)?;
        }
        self.push(out, close)
    }
}
