//! Filters whose result can be larger than what they are given, asking the budget first, and
//! values written as Python writes them.

use super::fault;
use super::python::Budget;
use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, Value};
use std::sync::Arc;

/// Filters and functions of minijinja that no chat template needs and that could make much of
/// little.
const REMOVED: [&str; 8] =
    ["batch", "slice", "format", "pprint", "urlencode", "chain", "zip", "groupby"];

/// Widest indentation that `tojson` and `indent` take.
const MAX_INDENT: usize = 64;

/// Python's `text.replace(from, to, count)`.
pub(super) fn replace(
    budget: &Budget,
    text: &str,
    from: &str,
    to: &str,
    count: usize,
) -> Result<String, Error> {
    let found = if from.is_empty() { text.chars().count() + 1 } else { text.matches(from).count() };
    let grown = (found.min(count) as u64).saturating_mul(to.len() as u64);
    budget.charge(grown.saturating_add(text.len() as u64))?;
    Ok(text.replacen(from, to, count))
}

/// Python's `separator.join(items)` with any items.
pub(super) fn join(budget: &Budget, items: &Value, separator: &str) -> Result<String, Error> {
    let mut out = String::new();
    for (i, item) in items.try_iter()?.enumerate() {
        if i > 0 {
            budget.charge(separator.len() as u64)?;
            out.push_str(separator);
        }
        out.push_str(&budget.text(&item)?);
    }
    Ok(out)
}

pub(super) fn install(env: &mut Environment<'_>, budget: &Arc<Budget>) {
    for name in REMOVED {
        env.remove_filter(name);
    }
    env.remove_global("debug");
    let b = budget.clone();
    env.set_formatter(move |out, _, value| {
        let text = b.text(value)?;
        out.write_str(&text).map_err(|_| fault("the output cannot be written"))
    });
    let b = budget.clone();
    env.add_filter("tojson", move |value: Value, _: Rest<Value>, options: Kwargs| {
        let indent = options.get::<Option<usize>>("indent")?;
        if indent.is_some_and(|i| i > MAX_INDENT) {
            return Err(fault(format!("tojson indents by at most {MAX_INDENT}")));
        }
        b.json(&value, indent)
    });
    let b = budget.clone();
    env.add_filter("string", move |value: Value| b.text(&value));
    let b = budget.clone();
    env.add_filter("list", move |value: Value| {
        let mut list = Vec::new();
        for item in value.try_iter()? {
            b.charge(32)?;
            list.push(item);
        }
        Ok::<_, Error>(Value::from(list))
    });
    let b = budget.clone();
    env.add_filter("join", move |value: Value, separator: Option<&str>, _: Kwargs| {
        join(&b, &value, separator.unwrap_or_default())
    });
    let b = budget.clone();
    env.add_filter("replace", move |value: Value, from: &str, to: &str| {
        replace(&b, &b.text(&value)?, from, to, usize::MAX)
    });
    let b = budget.clone();
    env.add_filter("indent", move |value: Value, width: Option<usize>, first: Option<bool>| {
        let width = width.unwrap_or(4);
        if width > MAX_INDENT {
            return Err(fault(format!("indent takes at most {MAX_INDENT}")));
        }
        let (text, spaces) = (b.text(&value)?, " ".repeat(width));
        let mut out = String::new();
        for (i, line) in text.split('\n').enumerate() {
            b.charge((line.len() + width) as u64 + 1)?;
            if i > 0 {
                out.push('\n');
            }
            if !line.is_empty() && (i > 0 || first == Some(true)) {
                out.push_str(&spaces);
            }
            out.push_str(line);
        }
        Ok(out)
    });
    // These take any value for text in minijinja, lists too.
    for (name, change) in [
        ("upper", str::to_uppercase as fn(&str) -> String),
        ("lower", str::to_lowercase),
        ("capitalize", super::methods::capitalize),
        ("title", super::methods::title),
    ] {
        let b = budget.clone();
        env.add_filter(name, move |value: Value| {
            let text = b.text(&value)?;
            b.charge(text.len() as u64 * 3)?;
            Ok::<_, Error>(change(&text))
        });
    }
    let b = budget.clone();
    env.add_filter("trim", move |value: Value, characters: Option<&str>| {
        let text = b.text(&value)?;
        Ok::<_, Error>(super::methods::strip(&text, characters, true, true).to_owned())
    });
    let b = budget.clone();
    env.add_filter("split", move |value: Value, separator: Option<&str>, most: Option<i64>| {
        super::methods::split(&b, &b.text(&value)?, separator, most.unwrap_or(-1))
    });
}
