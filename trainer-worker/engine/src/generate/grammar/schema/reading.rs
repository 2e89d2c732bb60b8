//! What a schema says, without rules of it.

use super::super::numbers::Bound;
use super::super::rules::MAX_REPEAT;
use super::MAX_DEPTH;
use crate::error::{Error, Result};
use crate::tokenizer::Json;

pub(super) const OF_OBJECTS: &[&str] = &["properties", "required", "additionalProperties"];
pub(super) const OF_ARRAYS: &[&str] =
    &["items", "prefixItems", "minItems", "maxItems", "uniqueItems"];
pub(super) const OF_STRINGS: &[&str] = &["minLength", "maxLength", "pattern", "format"];
pub(super) const OF_NUMBERS: &[&str] =
    &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
pub(super) const TYPES: &[&str] =
    &["object", "array", "string", "number", "integer", "boolean", "null"];

pub(super) fn refuse<T>(at: &str, reason: impl Into<String>) -> Result<T> {
    Err(Error::grammar(at, reason))
}

/// The error of a part, with its place.
pub(super) fn placed<T>(at: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| match error {
        Error::Grammar { place, reason } if place.is_empty() => Error::grammar(at, reason),
        other => other,
    })
}

pub(super) fn entries(schema: &Json) -> &[(String, Json)] {
    match schema {
        Json::Object(entries) => entries,
        _ => &[],
    }
}

pub(super) fn count(schema: &Json, key: &str, at: &str) -> Result<Option<u64>> {
    match schema.get(key) {
        None => Ok(None),
        Some(Json::Number(number)) if number.as_u64().is_some_and(|n| n <= MAX_REPEAT) => {
            Ok(number.as_u64())
        }
        Some(other) => refuse(
            at,
            format!("{key} = {other}: a whole number from 0 to {MAX_REPEAT} belongs there"),
        ),
    }
}

/// The types that a schema allows, from `type` or from its other keywords; none where it allows all.
pub(super) fn types<'a>(schema: &'a Json, at: &str) -> Result<Vec<&'a str>> {
    let named = match schema.get("type") {
        None => Vec::new(),
        Some(Json::Text(kind)) => vec![kind.as_str()],
        Some(Json::List(kinds)) if !kinds.is_empty() => {
            kinds.iter().map(|kind| kind.as_text().unwrap_or_default()).collect()
        }
        Some(other) => return refuse(at, format!("type = {other}: a name or names belong there")),
    };
    if let Some(unknown) = named.iter().find(|kind| !TYPES.contains(kind)) {
        return refuse(at, format!("type = {unknown:?}: choose of {}", TYPES.join(", ")));
    }
    if !named.is_empty() || schema.get("enum").is_some() || schema.get("const").is_some() {
        return Ok(named);
    }
    let groups = [
        ("object", OF_OBJECTS),
        ("array", OF_ARRAYS),
        ("string", OF_STRINGS),
        ("number", OF_NUMBERS),
    ];
    let has = |keys: &[&str]| keys.iter().any(|key| schema.get(key).is_some());
    Ok(groups.iter().filter(|(_, keys)| has(keys)).map(|(kind, _)| *kind).collect())
}

pub(super) fn is_of(value: &Json, kind: &str) -> bool {
    match value {
        Json::Null => kind == "null",
        Json::Bool(_) => kind == "boolean",
        Json::Number(n) => {
            let whole = n.as_i64().is_some() || n.as_u64().is_some();
            kind == "number" || kind == "integer" && whole
        }
        Json::Text(_) => kind == "string",
        Json::List(_) => kind == "array",
        Json::Object(_) => kind == "object",
    }
}

/// A bound of numbers: the stricter of the one that is itself allowed and the one that is not.
pub(super) fn bound(
    schema: &Json,
    [with, without]: [&'static str; 2],
    at: &str,
    stricter: fn(i64, i64) -> i64,
) -> Result<Bound> {
    const GREATEST: i64 = 999_999_999_999_999;
    let read = |key: &str| match schema.get(key) {
        None => Ok(None),
        Some(Json::Number(number)) => {
            let float = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() <= GREATEST as f64);
            match float {
                Some(whole) => Ok(Some(whole as i64)),
                None => refuse(
                    at,
                    format!(
                        "{key} = {number}: only whole numbers of at most 15 digits are supported"
                    ),
                ),
            }
        }
        Some(other) => refuse(at, format!("{key} = {other}: a number belongs there")),
    };
    Ok(match (read(with)?, read(without)?) {
        (None, None) => None,
        (Some(n), None) => Some((n, true)),
        (None, Some(n)) => Some((n, false)),
        (Some(a), Some(b)) if a == b || stricter(a, b) == b => Some((b, false)),
        (Some(a), Some(_)) => Some((a, true)),
    })
}

/// What a reference within the document names.
pub(super) fn resolve<'a>(root: &'a Json, pointer: &str) -> Option<&'a Json> {
    let mut at = root;
    for part in pointer.strip_prefix('#')?.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        at = match at {
            Json::List(items) => items.get(part.parse::<usize>().ok()?)?,
            object => object.get(&part)?,
        };
    }
    (pointer == "#" || pointer.starts_with("#/")).then_some(at)
}

/// Whether certainly no value fits both schemas: they allow different types, or both are objects with a
/// required property of different constants.
pub(super) fn disjoint(root: &Json, one: &Json, other: &Json) -> bool {
    fn followed<'a>(root: &'a Json, mut schema: &'a Json) -> &'a Json {
        for _ in 0..MAX_DEPTH {
            match schema.get("$ref").and_then(Json::as_text).and_then(|p| resolve(root, p)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }
    fn constants(schema: &Json) -> Option<Vec<&Json>> {
        let list = schema.get("enum").and_then(Json::as_list).map(|l| l.iter().collect());
        schema.get("const").map(|value| vec![value]).or(list)
    }
    let (one, other) = (followed(root, one), followed(root, other));
    if let (Some(a), Some(b)) = (constants(one), constants(other)) {
        return !a.iter().any(|value| b.contains(value));
    }
    let (Ok(a), Ok(b)) = (types(one, ""), types(other, "")) else { return false };
    let overlap =
        |a: &str, b: &str| a == b || [a, b].iter().all(|t| ["number", "integer"].contains(t));
    if !a.is_empty() && !b.is_empty() && !a.iter().any(|a| b.iter().any(|b| overlap(a, b))) {
        return true;
    }
    let required = |schema: &Json, name: &str| {
        let names = schema.get("required").and_then(Json::as_list).unwrap_or(&[]);
        names.iter().any(|n| n.as_text() == Some(name))
    };
    let only_objects = a == ["object"] && b == ["object"];
    let properties = one.get("properties").map_or(&[][..], entries);
    only_objects
        && properties.iter().any(|(name, schema)| {
            let theirs = other.get("properties").and_then(|p| p.get(name));
            let constants = (constants(schema), theirs.and_then(constants));
            required(one, name)
                && required(other, name)
                && matches!(constants, (Some(a), Some(b)) if !a.iter().any(|v| b.contains(v)))
        })
}
