//! PEFT's patterns: which modules get a rank, an alpha or an adapter of their own.
//!
//! A key of `rank_pattern` or `alpha_pattern` is a regular expression that must match the end of a
//! module's full name, from its beginning or from a dot: `^(.*\.)?(KEY)$`. The first key that
//! matches counts. `layers_to_transform` keeps the modules of some layers only.

use crate::error::{Error, Result};
use regex::bytes::{Regex, RegexBuilder};

/// Most entries of one pattern setting.
pub const MAX_PATTERNS: usize = 4096;
/// Longest key, in bytes.
pub const MAX_KEY: usize = 1024;
/// Largest compiled key, in bytes, and largest automaton made of one while matching: all keys
/// together stay below half a GiB, whatever a file says.
const MAX_COMPILED: usize = 1 << 16;

/// Values by pattern, in the order in which they are tried.
#[derive(Debug, Clone)]
pub struct Patterns<V> {
    entries: Vec<(String, V)>,
    compiled: Vec<Regex>,
}

impl<V> Default for Patterns<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), compiled: Vec::new() }
    }
}

impl<V: PartialEq> PartialEq for Patterns<V> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<V: Copy> Patterns<V> {
    /// Compiles the keys of the setting `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for too many or too long keys, and for one that is no regular expression
    /// of the `regex` crate (which has neither look-around nor back-references).
    pub fn new(name: &'static str, entries: Vec<(String, V)>) -> Result<Self> {
        let refuse = |value: String, range: String| Err(Error::Setting { name, value, range });
        if entries.len() > MAX_PATTERNS {
            return refuse(
                format!("{} entries", entries.len()),
                format!("at most {MAX_PATTERNS} entries"),
            );
        }
        let mut compiled = Vec::with_capacity(entries.len());
        for (key, _) in &entries {
            if key.is_empty() || key.len() > MAX_KEY {
                let range = format!("keys of 1 to {MAX_KEY} bytes");
                return refuse(format!("a key of {} bytes", key.len()), range);
            }
            let whole = format!(r"^(?:.*\.)?(?:{key})$");
            // Names of modules are ASCII; the classes of Unicode would take a hundred times the memory.
            let built = RegexBuilder::new(&whole)
                .unicode(false)
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(MAX_COMPILED)
                .build();
            match built {
                Ok(regex) => compiled.push(regex),
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default().to_owned();
                    return refuse(key.clone(), format!("a regular expression ({reason})"));
                }
            }
        }
        Ok(Self { entries, compiled })
    }

    /// The value of the first key that matches a module's full name.
    pub fn get(&self, module: &str) -> Option<V> {
        let at = self.compiled.iter().position(|regex| regex.is_match(module.as_bytes()))?;
        self.entries.get(at).map(|(_, value)| *value)
    }

    /// Keys and values in order.
    pub fn entries(&self) -> &[(String, V)] {
        &self.entries
    }
}

/// Largest compiled expression, in bytes: there is one of each kind, and some programs write long ones.
const MAX_EXPRESSION: usize = 1 << 20;
/// Longest expression, in bytes.
const MAX_TEXT: usize = 16 << 10;

/// A `target_modules` or `exclude_modules` that is one text: a regular expression that must match a
/// module's whole name.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    compiled: Option<Regex>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expression {
    /// Whether a text is more than a name: names of modules are letters, digits, `_`, `-` and dots.
    pub fn is_one(text: &str) -> bool {
        !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    }

    /// Compiles the expression of the setting `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for what is too long or no regular expression of the `regex` crate, which
    /// has neither look-around nor back-references.
    pub fn new(name: &'static str, text: &str) -> Result<Self> {
        let refuse = |range: String| {
            let value = text.chars().take(200).collect();
            Err(Error::Setting { name, value, range })
        };
        if text.len() > MAX_TEXT {
            return refuse(format!("an expression of at most {MAX_TEXT} bytes"));
        }
        match compiled(text) {
            Ok(regex) => Ok(Self { text: text.to_owned(), compiled: Some(regex) }),
            Err(reason) => refuse(format!("a regular expression ({reason})")),
        }
    }

    /// An expression of an adapter's file, kept as it is also where it is not understood: then the
    /// adapter's tensors say which modules it selects.
    pub fn as_written(text: &str) -> Self {
        let regex = if text.len() > MAX_TEXT { None } else { compiled(text).ok() };
        Self { text: text.to_owned(), compiled: regex }
    }

    /// Whether the whole name of a module matches; nothing where the expression is not understood.
    pub fn matches(&self, module: &str) -> Option<bool> {
        Some(self.compiled.as_ref()?.is_match(module.as_bytes()))
    }

    /// The expression itself.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn compiled(text: &str) -> std::result::Result<Regex, String> {
    RegexBuilder::new(&format!("^(?:{text})$"))
        .unicode(false)
        .size_limit(MAX_EXPRESSION)
        .dfa_size_limit(MAX_EXPRESSION)
        .build()
        .map_err(|e| e.to_string().lines().last().unwrap_or_default().to_owned())
}

/// Which layers carry an adapter (`layers_to_transform`), and what stands before a layer's number
/// in a module's name (`layers_pattern`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LayerChoice {
    /// The layers; all when not given or empty.
    pub layers: Option<Vec<usize>>,
    /// Names of the list of layers, such as `layers` or `h`; any when empty.
    pub patterns: Vec<String>,
}

impl LayerChoice {
    /// Whether a module with the full name `module` in layer `layer` is chosen. As in PEFT, a module
    /// whose layer the patterns do not find is not.
    pub fn keeps(&self, layer: usize, module: &str) -> bool {
        let Some(layers) = self.layers.as_ref().filter(|l| !l.is_empty()) else { return true };
        let number = layer.to_string();
        let mut parts = module.split('.').peekable();
        let mut found = self.patterns.is_empty();
        let mut first = true;
        while let Some(part) = parts.next() {
            // PEFT's expression wants something before the list's name.
            let named = !first && self.patterns.iter().any(|p| p == part);
            found |= named && parts.peek().is_some_and(|next| *next == number);
            first = false;
        }
        found && layers.contains(&layer)
    }
}
