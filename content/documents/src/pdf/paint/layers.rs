//! Optional content: which layers are off when the document is opened (ISO 32000-1, 8.11).

use super::super::document::Document;
use super::super::object::{Dict, Object};
use crate::budget::Result;
use std::collections::BTreeSet;

/// Most layers.
const MAX_LAYERS: usize = 10_000;
/// Deepest nesting of a visibility expression, and most members of a group of layers.
const MAX_DEPTH: usize = 8;
const MAX_MEMBERS: usize = 256;

/// The layers that are off, by the numbers of their objects.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    off: BTreeSet<u32>,
}

impl Layers {
    pub(crate) fn load(document: &mut Document<'_>) -> Result<Self> {
        let mut off = BTreeSet::new();
        let Some(catalog) = document.catalog_dict()? else { return Ok(Self { off }) };
        let Some(properties) = document.get(&catalog, "OCProperties")?.dict().cloned() else {
            return Ok(Self { off });
        };
        let all = document.get(&properties, "OCGs")?;
        let usual = document.get(&properties, "D")?.dict().cloned().unwrap_or_default();
        let numbers = |list: &Object| -> Vec<u32> {
            let list = list.array().unwrap_or_default().iter().take(MAX_LAYERS);
            list.filter_map(
                |item| if let Object::Ref(number) = item { Some(*number) } else { None },
            )
            .collect()
        };
        if document.get(&usual, "BaseState")?.is_name("OFF") {
            off.extend(numbers(&all));
        }
        for number in numbers(&document.get(&usual, "ON")?) {
            off.remove(&number);
        }
        off.extend(numbers(&document.get(&usual, "OFF")?));
        // What a usage says of viewing overrides the list.
        let automatic = document.get(&usual, "AS")?;
        for event in automatic.array().unwrap_or_default().iter().take(MAX_MEMBERS) {
            let Some(event) = document.resolve(event)?.dict().cloned() else { continue };
            if !document.get(&event, "Event")?.is_name("View") {
                continue;
            }
            for number in numbers(&document.get(&event, "OCGs")?) {
                let Some(layer) = document.resolve(&Object::Ref(number))?.dict().cloned() else {
                    continue;
                };
                let usage = document.get(&layer, "Usage")?.dict().cloned().unwrap_or_default();
                let view = document.get(&usage, "View")?.dict().cloned().unwrap_or_default();
                let state = document.get(&view, "ViewState")?;
                if state.is_name("OFF") {
                    off.insert(number);
                } else if state.is_name("ON") {
                    off.remove(&number);
                }
            }
        }
        Ok(Self { off })
    }

    /// Whether what belongs to `membership`, a layer or a group of layers, is off.
    pub(crate) fn is_off(&self, document: &mut Document<'_>, membership: &Object) -> Result<bool> {
        if let Object::Ref(number) = membership {
            if self.off.contains(number) {
                return Ok(true);
            }
        }
        let Some(dict) = document.resolve(membership)?.dict().cloned() else { return Ok(false) };
        if !document.get(&dict, "Type")?.is_name("OCMD") {
            return Ok(false);
        }
        if let Object::Array(_) = document.get(&dict, "VE")? {
            return Ok(!self.holds(document, dict.get("VE"), 0)?);
        }
        self.group(document, &dict)
    }

    fn group(&self, document: &mut Document<'_>, dict: &Dict) -> Result<bool> {
        let listed = dict.get("OCGs");
        let members = match document.resolve(listed)? {
            Object::Array(members) => members.to_vec(),
            Object::Dict(_) => vec![listed.clone()],
            _ => return Ok(false),
        };
        let on: Vec<bool> = (members.iter().take(MAX_MEMBERS))
            .filter_map(|member| match member {
                Object::Ref(number) => Some(!self.off.contains(number)),
                _ => None,
            })
            .collect();
        if on.is_empty() {
            return Ok(false);
        }
        let policy = document.get(dict, "P")?;
        let seen = match policy.name().unwrap_or_default() {
            b"AllOn" => on.iter().all(|on| *on),
            b"AnyOff" => on.iter().any(|on| !*on),
            b"AllOff" => on.iter().all(|on| !*on),
            _ => on.iter().any(|on| *on),
        };
        Ok(!seen)
    }

    /// Whether a visibility expression holds.
    fn holds(&self, document: &mut Document<'_>, part: &Object, depth: usize) -> Result<bool> {
        if let Object::Ref(number) = part {
            if self.off.contains(number) {
                return Ok(false);
            }
        }
        document.budget.operate()?;
        let resolved = document.resolve(part)?;
        let (Some(parts), true) = (resolved.array(), depth < MAX_DEPTH) else { return Ok(true) };
        let Some((operator, parts)) = parts.split_first() else { return Ok(true) };
        let mut values = Vec::new();
        for part in parts.iter().take(MAX_MEMBERS) {
            values.push(self.holds(document, part, depth + 1)?);
        }
        Ok(match operator.name().unwrap_or_default() {
            b"Or" => values.iter().any(|value| *value),
            b"Not" => !values.first().copied().unwrap_or(false),
            _ => values.iter().all(|value| *value),
        })
    }
}
