//! JSON Schema as rules.
//!
//! What is supported is written exactly; a keyword that is not is refused by name rather than passed
//! over, because an answer must be JSON of the schema. Where a schema leaves something open, less than it
//! allows may be written: properties come in the order of the schema, and others only where
//! `additionalProperties` asks for them or none are named.

mod reading;

use super::json::Parts;
use super::numbers;
use super::pattern::{self, Quoting};
use super::rules::{Rules, Symbol};
use crate::error::Result;
use crate::tokenizer::Json;
use reading::*;
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
        self.rules.any_text(alternatives)
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
