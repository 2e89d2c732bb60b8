//! JSON Schema as rules.
//!
//! What is supported is written exactly; a keyword that is not is refused by name rather than passed
//! over, because an answer must be JSON of the schema. Where a schema leaves something open, less than it
//! allows may be written: properties come in the order of the schema, and others only where
//! `additionalProperties` asks for them or none are named.

use super::json::Parts;
use super::numbers::{self, Bound};
use super::pattern::{self, Quoting};
use super::rules::{Rules, Symbol, MAX_REPEAT};
use crate::error::{Error, Result};
use crate::tokenizer::Json;
use std::collections::{BTreeSet, HashMap};

/// Schemas within schemas, references followed.
const MAX_DEPTH: usize = 64;
/// Schemas of one `oneOf`, each of which is compared with all before it.
const MAX_ONE_OF: usize = 128;
/// Characters of a property's name where other properties must differ from it.
const MAX_NAME: usize = 256;

/// Keywords that say nothing about what is valid.
const NOTES: &[&str] = &[
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "discriminator",
    "strict",
    "contentEncoding",
    "contentMediaType",
];
const OF_OBJECTS: &[&str] = &["properties", "required", "additionalProperties"];
const OF_ARRAYS: &[&str] = &["items", "prefixItems", "minItems", "maxItems", "uniqueItems"];
const OF_STRINGS: &[&str] = &["minLength", "maxLength", "pattern", "format"];
const OF_NUMBERS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];

/// Formats of strings, as expressions.
const FORMATS: &[(&str, &str)] = &[
    ("date", DATE),
    ("time", TIME),
    ("date-time", ""),
    ("uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    ("email", "^[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+){0,8}@[A-Za-z0-9]+(-[A-Za-z0-9]+){0,8}(\\.[A-Za-z0-9]+(-[A-Za-z0-9]+){0,8}){1,8}$"),
    ("ipv4", "^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$"),
];
/// Days that every month has, and the others of months that have them.
const DATE: &str = "^[0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$";
const TIME: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

struct Compiler<'a> {
    rules: &'a mut Rules,
    parts: Parts,
    root: &'a Json,
    /// Rules of schemas that are referred to, by their JSON pointer.
    known: HashMap<String, Symbol>,
    /// References followed without anything written between.
    following: Vec<String>,
    depth: usize,
}

/// The rules of a schema.
pub(super) fn compile(rules: &mut Rules, schema: &Json) -> Result<Symbol> {
    let parts = Parts::new(rules)?;
    let mut compiler = Compiler {
        rules,
        parts,
        root: schema,
        known: HashMap::new(),
        following: Vec::new(),
        depth: 0,
    };
    compiler.schema(schema, "#")
}

fn refuse<T>(at: &str, reason: impl Into<String>) -> Result<T> {
    Err(Error::grammar(at, reason))
}

/// The error of a part, with its place.
fn placed<T>(at: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| match error {
        Error::Grammar { place, reason } if place.is_empty() => Error::grammar(at, reason),
        other => other,
    })
}

fn entries(schema: &Json) -> &[(String, Json)] {
    match schema {
        Json::Object(entries) => entries,
        _ => &[],
    }
}

fn count(schema: &Json, key: &str, at: &str) -> Result<Option<u64>> {
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

impl Compiler<'_> {
    fn schema(&mut self, schema: &Json, at: &str) -> Result<Symbol> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return refuse(at, format!("schemas within schemas are more than {MAX_DEPTH} deep"));
        }
        let made = placed(at, self.any_schema(schema, at));
        self.depth -= 1;
        made
    }

    /// A schema that stands behind something written.
    fn inner(&mut self, schema: &Json, at: &str) -> Result<Symbol> {
        let outer = std::mem::take(&mut self.following);
        let made = self.schema(schema, at);
        self.following = outer;
        made
    }

    fn any_schema(&mut self, schema: &Json, at: &str) -> Result<Symbol> {
        match schema {
            Json::Bool(true) => return Ok(self.parts.value),
            Json::Bool(false) => return refuse(at, "false accepts nothing"),
            Json::Object(_) => {}
            other => return refuse(at, format!("{other} is no schema")),
        }
        let twice = |i: usize, key: &String| entries(schema).iter().take(i).any(|(k, _)| k == key);
        for (index, (key, _)) in entries(schema).iter().enumerate() {
            let known = [NOTES, OF_OBJECTS, OF_ARRAYS, OF_STRINGS, OF_NUMBERS].concat();
            let more = ["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"];
            if !known.contains(&key.as_str()) && !more.contains(&key.as_str()) {
                return refuse(at, format!("the keyword {key} is not supported; leave it out"));
            }
            if twice(index, key) {
                return refuse(at, format!("{key} is there twice"));
            }
        }
        for key in ["$ref", "allOf", "anyOf", "oneOf", "const", "enum"] {
            let Some(value) = schema.get(key) else { continue };
            let with = ["const", "enum"].contains(&key).then_some("type");
            let beside = entries(schema)
                .iter()
                .map(|(k, _)| k.as_str())
                .find(|k| *k != key && Some(*k) != with && !NOTES.contains(k));
            if let Some(beside) = beside {
                let reason = format!("{beside} beside {key} is not supported; put both into one");
                return refuse(at, reason);
            }
            let place = format!("{at}/{key}");
            return match key {
                "$ref" => self.reference(value, &place),
                "const" => self.values(std::slice::from_ref(value), schema, &place),
                "enum" => self.values(value.as_list().unwrap_or(&[]), schema, &place),
                _ => self.combined(key, value, &place),
            };
        }
        let mut alternatives = Vec::new();
        let types = types(schema, at)?;
        if types.is_empty() {
            return Ok(self.parts.value);
        }
        for kind in types {
            alternatives.push(self.of_type(kind, schema, at)?);
        }
        self.rules.any(alternatives)
    }

    fn of_type(&mut self, kind: &str, schema: &Json, at: &str) -> Result<Vec<Symbol>> {
        Ok(match kind {
            "object" => vec![self.object(schema, at)?],
            "array" => vec![self.array(schema, at)?],
            "string" => vec![self.string(schema, at)?],
            "integer" | "number" => {
                let least = bound(schema, ["minimum", "exclusiveMinimum"], at, i64::max)?;
                let most = bound(schema, ["maximum", "exclusiveMaximum"], at, i64::min)?;
                let made = match kind {
                    "integer" => numbers::integer(self.rules, least, most)?,
                    _ => numbers::number(self.rules, least, most)?,
                };
                match made {
                    Some(number) => vec![number],
                    None => return refuse(at, "no number lies within its bounds"),
                }
            }
            "boolean" => {
                let words = ["true", "false"].map(|word| self.rules.text(word));
                vec![self.rules.any(words.to_vec())?]
            }
            _ => self.rules.text("null"),
        })
    }

    fn reference(&mut self, value: &Json, at: &str) -> Result<Symbol> {
        let Some(pointer) = value.as_text() else { return refuse(at, "a text belongs there") };
        let Some(target) = resolve(self.root, pointer) else {
            let reason =
                format!("{pointer} leads nowhere; only #/$defs/NAME and the like are followed");
            return refuse(at, reason);
        };
        if self.following.iter().any(|other| other == pointer) {
            return refuse(at, format!("{pointer} refers to itself with nothing between"));
        }
        if let Some(known) = self.known.get(pointer) {
            return Ok(*known);
        }
        let rule = self.rules.reserve();
        self.known.insert(pointer.to_owned(), Symbol::Rule(rule));
        self.following.push(pointer.to_owned());
        let made = self.schema(target, pointer)?;
        self.following.pop();
        self.rules.define(rule, vec![vec![made]])?;
        Ok(Symbol::Rule(rule))
    }

    fn combined(&mut self, key: &str, value: &Json, at: &str) -> Result<Symbol> {
        let schemas = value.as_list().unwrap_or(&[]);
        if schemas.is_empty() {
            return refuse(at, "a list of schemas belongs there");
        }
        if key == "allOf" && schemas.len() > 1 {
            return refuse(at, "only one schema is supported there; put all into one");
        }
        if key == "oneOf" {
            if schemas.len() > MAX_ONE_OF {
                return refuse(at, format!("more than {MAX_ONE_OF} schemas; write anyOf"));
            }
            for (index, one) in schemas.iter().enumerate() {
                let before = schemas.get(..index).unwrap_or(&[]);
                if !before.iter().all(|other| disjoint(self.root, one, other)) {
                    let reason = format!(
                        "one value could fit schema {index} and one before it: write anyOf, or give \
                         each object a required property with a const of its own"
                    );
                    return refuse(at, reason);
                }
            }
        }
        let mut alternatives = Vec::new();
        for (index, schema) in schemas.iter().enumerate() {
            alternatives.push(vec![self.schema(schema, &format!("{at}/{index}"))?]);
        }
        self.rules.any(alternatives)
    }

    fn values(&mut self, values: &[Json], schema: &Json, at: &str) -> Result<Symbol> {
        let types = types(schema, at)?;
        let fits = |value: &&Json| types.is_empty() || types.iter().any(|kind| is_of(value, kind));
        let mut alternatives = Vec::new();
        for value in values.iter().filter(fits) {
            alternatives.push(self.literal(value)?);
        }
        if alternatives.is_empty() {
            return refuse(at, "it holds no value that the type allows");
        }
        self.rules.any(alternatives)
    }

    fn literal(&mut self, value: &Json) -> Result<Vec<Symbol>> {
        let rule = |this: &mut Self, open, inside, close| -> Result<Vec<Symbol>> {
            let rule = Symbol::Rule(this.rules.reserve());
            this.parts.enclose(this.rules, rule, open, inside, close)?;
            Ok(vec![rule])
        };
        let comma = self.parts.comma(self.rules);
        let mut inside = Vec::new();
        match value {
            Json::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    inside.extend_from_slice(if index > 0 { &comma } else { &[] });
                    inside.extend(self.literal(item)?);
                }
                rule(self, '[', inside, ']')
            }
            Json::Object(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    inside.extend_from_slice(if index > 0 { &comma } else { &[] });
                    let key = self.rules.text(&Json::Text(key.clone()).to_string());
                    let value = self.literal(value)?;
                    let value = self.rules.any(vec![value])?;
                    inside.extend(self.parts.pair(self.rules, &key, value));
                }
                rule(self, '{', inside, '}')
            }
            scalar => Ok(self.rules.text(&scalar.to_string())),
        }
    }

    fn object(&mut self, schema: &Json, at: &str) -> Result<Symbol> {
        let properties = match schema.get("properties") {
            None => &[][..],
            Some(Json::Object(properties)) => properties,
            Some(_) => return refuse(at, "properties: an object belongs there"),
        };
        let known: BTreeSet<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        if known.len() < properties.len() {
            return refuse(at, "properties: a name is there twice");
        }
        let required: BTreeSet<&str> = match schema.get("required") {
            None => BTreeSet::new(),
            Some(Json::List(names)) => names.iter().filter_map(Json::as_text).collect(),
            Some(_) => return refuse(at, "required: a list of names belongs there"),
        };
        if let Some(name) = required.iter().find(|name| !known.contains(*name)) {
            return refuse(at, format!("required names {name:?}, which properties lack"));
        }
        let others = match schema.get("additionalProperties") {
            Some(Json::Bool(false)) => None,
            Some(Json::Bool(true)) => Some(self.parts.value),
            None => properties.is_empty().then_some(self.parts.value),
            Some(other) => Some(self.inner(other, &format!("{at}/additionalProperties"))?),
        };
        let comma = self.parts.comma(self.rules);
        let names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        // From the last to the first: what may follow at the beginning, and after another property.
        let (mut first, mut later) = (Vec::new(), Vec::new());
        if let Some(others) = others {
            if names.iter().any(|name| name.chars().count() > MAX_NAME) {
                let reason = format!(
                    "a name longer than {MAX_NAME} characters beside \
                                      additionalProperties is not supported"
                );
                return refuse(at, reason);
            }
            let key = match names.is_empty() {
                true => self.parts.string,
                false => self.other_key(&names)?,
            };
            let pair = self.parts.pair(self.rules, &[key], others);
            first = self.parts.list(self.rules, &pair, 0, None)?;
            let more = [&comma[..], &pair].concat();
            later = self.rules.repeat(&more, 0, None)?;
        }
        for (name, value) in properties.iter().rev() {
            let value = self.inner(value, &format!("{at}/properties/{name}"))?;
            let key = self.rules.text(&Json::Text(name.clone()).to_string());
            let mut pair = self.parts.pair(self.rules, &key, value);
            pair.extend(later.iter().copied());
            let mut after = vec![[&comma[..], &pair].concat()];
            let mut begin = vec![pair];
            if !required.contains(name.as_str()) {
                after.push(later);
                begin.push(first);
            }
            later = vec![self.rules.any(after)?];
            first = vec![self.rules.any(begin)?];
        }
        let rule = Symbol::Rule(self.rules.reserve());
        self.parts.enclose(self.rules, rule, '{', first, '}')?;
        Ok(rule)
    }

    /// A key that is none of `names`: without escapes, and differing from each in a character.
    fn other_key(&mut self, names: &[&str]) -> Result<Symbol> {
        let symbols = self.other_than(names, 0)?;
        let quote = self.parts.quote;
        self.rules.any(vec![[&[quote][..], &symbols, &[quote]].concat()])
    }

    /// What may follow `depth` characters that all `names` have in common.
    fn other_than(&mut self, names: &[&str], depth: usize) -> Result<Vec<Symbol>> {
        let plain = |c: char| c >= ' ' && c != '"' && c != '\\';
        let mut next: Vec<char> = names.iter().filter_map(|n| n.chars().nth(depth)).collect();
        next.sort_unstable();
        next.dedup();
        let any = pattern::characters(
            self.rules,
            &[(' ', '!'), ('#', '['), (']', '\u{7f}'), ('\u{80}', char::MAX)],
            Quoting::Plain,
        )?;
        let rest = self.rules.repeat(&[any], 0, None)?;
        // The ranges between the characters with which a name goes on.
        let (mut ranges, mut from) = (Vec::new(), Some(' '));
        for c in &next {
            ranges.extend(from.zip(previous(*c)).filter(|(from, to)| from <= to));
            from = following(*c).map(|next| next.max(from.unwrap_or(next)));
        }
        ranges.extend(from.map(|from| (from, char::MAX)));
        let mut split = Vec::new();
        for (from, to) in ranges {
            // Characters that JSON escapes are no part of such a key.
            for (low, high) in [(' ', '!'), ('#', '['), (']', char::MAX)] {
                let (low, high) = (low.max(from), high.min(to));
                if low <= high {
                    split.push((low, high));
                }
            }
        }
        let mut alternatives = Vec::new();
        if !split.is_empty() {
            let other = pattern::characters(self.rules, &split, Quoting::Plain)?;
            alternatives.push([&[other][..], &rest].concat());
        }
        // The key may end where no name does.
        if !names.iter().any(|name| name.chars().count() == depth) {
            alternatives.push(Vec::new());
        }
        for c in next.into_iter().filter(|c| plain(*c)) {
            let with: Vec<&str> =
                names.iter().copied().filter(|n| n.chars().nth(depth) == Some(c)).collect();
            let mut symbols = self.rules.text(c.encode_utf8(&mut [0; 4]));
            symbols.extend(self.other_than(&with, depth + 1)?);
            alternatives.push(symbols);
        }
        Ok(vec![self.rules.any(alternatives)?])
    }

    fn array(&mut self, schema: &Json, at: &str) -> Result<Symbol> {
        if schema.get("uniqueItems").is_some_and(|unique| *unique != Json::Bool(false)) {
            return refuse(at, "the keyword uniqueItems is not supported; leave it out");
        }
        let (least, most) = (count(schema, "minItems", at)?, count(schema, "maxItems", at)?);
        let least = least.unwrap_or(0);
        if most.is_some_and(|most| most < least) {
            return refuse(at, "maxItems is less than minItems");
        }
        let item = match schema.get("items") {
            None => Some(self.parts.value),
            Some(Json::Bool(false)) => None,
            Some(Json::List(_)) => return refuse(at, "items is a list: call it prefixItems"),
            Some(items) => Some(self.inner(items, &format!("{at}/items"))?),
        };
        let mut prefix = Vec::new();
        for (index, one) in
            schema.get("prefixItems").and_then(Json::as_list).unwrap_or(&[]).iter().enumerate()
        {
            prefix.push(self.inner(one, &format!("{at}/prefixItems/{index}"))?);
        }
        let comma = self.parts.comma(self.rules);
        let fixed = prefix.len() as u64;
        let most = match item {
            Some(_) => most,
            None => Some(most.unwrap_or(fixed).min(fixed)),
        };
        if most.is_some_and(|most| most < least) {
            return refuse(at, "minItems asks for more items than there are schemas for");
        }
        let inside = match item {
            Some(item) if prefix.is_empty() => self.parts.list(self.rules, &[item], least, most)?,
            _ => {
                // From the last to the first, as for properties.
                let mut rest = Vec::new();
                if let Some(item) = item.filter(|_| most.is_none_or(|most| most > fixed)) {
                    let more = [&comma[..], &[item]].concat();
                    let most = most.map(|most| most - fixed);
                    rest = self.rules.repeat(&more, least.saturating_sub(fixed), most)?;
                }
                let here = most.map_or(fixed, |most| most.min(fixed)) as usize;
                for (index, one) in prefix.iter().enumerate().take(here).rev() {
                    let mut with = if index > 0 { comma.to_vec() } else { Vec::new() };
                    with.push(*one);
                    with.extend(rest);
                    let mut alternatives = vec![with];
                    if least <= index as u64 {
                        alternatives.push(Vec::new());
                    }
                    rest = vec![self.rules.any(alternatives)?];
                }
                rest
            }
        };
        let rule = Symbol::Rule(self.rules.reserve());
        self.parts.enclose(self.rules, rule, '[', inside, ']')?;
        Ok(rule)
    }

    fn string(&mut self, schema: &Json, at: &str) -> Result<Symbol> {
        let (least, most) = (count(schema, "minLength", at)?, count(schema, "maxLength", at)?);
        let mut expression = None;
        if let Some(pattern) = schema.get("pattern") {
            let Some(pattern) = pattern.as_text() else {
                return refuse(at, "pattern: a text belongs there");
            };
            expression = Some(pattern.to_owned());
        }
        if let Some(format) = schema.get("format") {
            let name = format.as_text().unwrap_or_default();
            let Some((_, known)) = FORMATS.iter().find(|(known, _)| *known == name) else {
                let all: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
                let reason = format!("format {format} is not supported; {} are", all.join(", "));
                return refuse(at, reason);
            };
            if expression.is_some() {
                return refuse(at, "format beside pattern is not supported; leave one out");
            }
            expression = Some(match *known {
                "" => format!("{}T{}", DATE.trim_end_matches('$'), TIME.trim_start_matches('^')),
                known => known.to_owned(),
            });
        }
        let quote = self.parts.quote;
        let inside = match (expression, least, most) {
            (Some(expression), None, None) => {
                vec![pattern::pattern(self.rules, &expression, Quoting::Json, true)?]
            }
            (Some(_), _, _) => {
                let reason = "minLength and maxLength beside pattern or format are not supported: \
                              bound the length in the pattern";
                return refuse(at, reason);
            }
            (None, None, None) => return Ok(self.parts.string),
            (None, least, most) => {
                let least = least.unwrap_or(0);
                if most.is_some_and(|most| most < least) {
                    return refuse(at, "maxLength is less than minLength");
                }
                self.rules.repeat(&[self.parts.character], least, most)?
            }
        };
        self.rules.any(vec![[&[quote][..], &inside, &[quote]].concat()])
    }
}

fn previous(c: char) -> Option<char> {
    ('\0'..c).next_back()
}

fn following(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

/// The types that a schema allows, from `type` or from its other keywords; none where it allows all.
fn types<'a>(schema: &'a Json, at: &str) -> Result<Vec<&'a str>> {
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

fn is_of(value: &Json, kind: &str) -> bool {
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
fn bound(
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
fn resolve<'a>(root: &'a Json, pointer: &str) -> Option<&'a Json> {
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
fn disjoint(root: &Json, one: &Json, other: &Json) -> bool {
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
