//! The methods of Python's texts, lists and dictionaries that chat templates call.

use super::filters::{join, replace};
use super::python::Budget;
use minijinja::value::{from_args, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use std::sync::Arc;

/// Python's `str.isspace` of one character.
fn space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Python's `strip`, `lstrip` and `rstrip`.
pub(super) fn strip<'a>(
    text: &'a str,
    characters: Option<&str>,
    left: bool,
    right: bool,
) -> &'a str {
    let drop = |c: char| characters.map_or_else(|| space(c), |set| set.contains(c));
    let text = if left { text.trim_start_matches(drop) } else { text };
    if right {
        text.trim_end_matches(drop)
    } else {
        text
    }
}

/// Python's `str.split`; `most < 0` splits everywhere.
pub(super) fn split(
    budget: &Budget,
    text: &str,
    separator: Option<&str>,
    most: i64,
) -> Result<Value, Error> {
    let most = usize::try_from(most).unwrap_or(usize::MAX - 1);
    let mut parts: Vec<Value> = Vec::new();
    let mut push = |part: &str| {
        budget.charge(part.len() as u64 + 32)?;
        parts.push(Value::from(part));
        Ok::<_, Error>(())
    };
    match separator {
        Some("") => return Err(super::fault("split needs a separator that is not empty")),
        Some(separator) => {
            for part in text.splitn(most + 1, separator) {
                push(part)?;
            }
        }
        None => {
            let mut rest = text.trim_start_matches(space);
            let mut cuts = 0;
            while !rest.is_empty() {
                let end = if cuts < most { rest.find(space) } else { None };
                match end {
                    Some(end) => {
                        push(rest.get(..end).unwrap_or_default())?;
                        rest = rest.get(end..).unwrap_or_default().trim_start_matches(space);
                        cuts += 1;
                    }
                    None => {
                        push(if cuts < most { rest } else { rest.trim_end_matches(space) })?;
                        rest = "";
                    }
                }
            }
        }
    }
    Ok(Value::from(parts))
}

fn rsplit(budget: &Budget, text: &str, separator: &str, most: i64) -> Result<Value, Error> {
    if separator.is_empty() {
        return Err(super::fault("rsplit needs a separator that is not empty"));
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX - 1);
    budget.charge(text.len() as u64)?;
    let mut parts: Vec<Value> = Vec::new();
    for part in text.rsplitn(most + 1, separator) {
        budget.charge(32)?;
        parts.push(Value::from(part));
    }
    parts.reverse();
    Ok(Value::from(parts))
}

/// Python's `str.capitalize`.
pub(super) fn capitalize(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + &rest.as_str().to_lowercase()
}

/// Python's `str.title`.
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// Whether a text begins or ends with a text or one of a list.
fn any_of(pattern: &Value, test: impl Fn(&str) -> bool) -> Result<bool, Error> {
    if let Some(text) = pattern.as_str() {
        return Ok(test(text));
    }
    for item in pattern.try_iter()? {
        if item.as_str().is_some_and(&test) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_text(budget: &Budget, text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    // A copy of the text, changed or not, is charged at once.
    budget.charge(text.len() as u64)?;
    let find = |at: Option<usize>| {
        at.map_or(-1, |byte| text.get(..byte).map_or(-1, |t| t.chars().count() as i64))
    };
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    Ok(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (characters,): (Option<&str>,) = from_args(args)?;
            Value::from(strip(text, characters, method != "rstrip", method != "lstrip"))
        }
        "split" => {
            let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
            split(budget, text, separator, most.unwrap_or(-1))?
        }
        "rsplit" => {
            let (separator, most): (&str, Option<i64>) = from_args(args)?;
            rsplit(budget, text, separator, most.unwrap_or(-1))?
        }
        "splitlines" => {
            let () = from_args(args)?;
            let mut lines = Vec::new();
            for line in text.lines() {
                budget.charge(32)?;
                lines.push(Value::from(line));
            }
            Value::from(lines)
        }
        "startswith" => {
            let (pattern,): (&Value,) = from_args(args)?;
            Value::from(any_of(pattern, |p| text.starts_with(p))?)
        }
        "endswith" => {
            let (pattern,): (&Value,) = from_args(args)?;
            Value::from(any_of(pattern, |p| text.ends_with(p))?)
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "replace" => {
            let (from, to, count): (&str, &str, Option<i64>) = from_args(args)?;
            let count = usize::try_from(count.unwrap_or(-1)).unwrap_or(usize::MAX);
            Value::from(replace(budget, text, from, to, count)?)
        }
        "join" => {
            let (items,): (&Value,) = from_args(args)?;
            Value::from(join(budget, items, text)?)
        }
        "find" => {
            let (pattern,): (&str,) = from_args(args)?;
            Value::from(find(text.find(pattern)))
        }
        "rfind" => {
            let (pattern,): (&str,) = from_args(args)?;
            Value::from(find(text.rfind(pattern)))
        }
        "count" => {
            let (pattern,): (&str,) = from_args(args)?;
            let empty = pattern.is_empty();
            let found =
                if empty { text.chars().count() + 1 } else { text.matches(pattern).count() };
            Value::from(found as u64)
        }
        "upper" | "lower" | "capitalize" | "title" => {
            let () = from_args(args)?;
            budget.charge(text.len() as u64 * 2)?;
            Value::from(match method {
                "upper" => text.to_uppercase(),
                "lower" => text.to_lowercase(),
                "title" => title(text),
                _ => capitalize(text),
            })
        }
        "isdigit" => Value::from(all(char::is_numeric)),
        "isalpha" => Value::from(all(char::is_alphabetic)),
        "isalnum" => Value::from(all(char::is_alphanumeric)),
        "isspace" => Value::from(all(space)),
        "isupper" => Value::from(
            text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase),
        ),
        "islower" => Value::from(
            text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase),
        ),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

fn of_map(budget: &Budget, map: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let mut list = Vec::new();
    match method {
        "get" => {
            let (key, default): (&Value, Option<Value>) = from_args(args)?;
            let found = map.get_item(key)?;
            let absent = found.is_undefined();
            return Ok(if absent { default.unwrap_or(Value::from(())) } else { found });
        }
        "items" | "keys" | "values" => {
            let () = from_args(args)?;
            for key in map.try_iter()? {
                budget.charge(96)?;
                list.push(match method {
                    "keys" => key,
                    "values" => map.get_item(&key)?,
                    _ => {
                        let value = map.get_item(&key)?;
                        Value::from(vec![key, value])
                    }
                });
            }
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    }
    Ok(Value::from(list))
}

fn of_list(list: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (wanted,): (&Value,) = match method {
        "count" | "index" => from_args(args)?,
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    };
    let mut found = 0u64;
    for (i, item) in list.try_iter()?.enumerate() {
        if item == *wanted {
            if method == "index" {
                return Ok(Value::from(i as u64));
            }
            found += 1;
        }
    }
    if method == "index" {
        return Err(super::fault("the list does not hold this value"));
    }
    Ok(Value::from(found))
}

pub(super) fn install(env: &mut Environment<'_>, budget: &Arc<Budget>) {
    let budget = budget.clone();
    env.set_unknown_method_callback(move |_, value, method, args| match value.kind() {
        ValueKind::String => of_text(&budget, value.as_str().unwrap_or_default(), method, args),
        ValueKind::Map => of_map(&budget, value, method, args),
        ValueKind::Seq | ValueKind::Iterable => of_list(value, method, args),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    });
}
