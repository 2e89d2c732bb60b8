//! Whether an adapter's configuration explains its tensors, by PEFT's rule of which modules an adapter
//! selects (`check_target_module_exists` and `_inject_parameters` of its tuners).
//!
//! Where the two say different things, programs differ in what they compute: PEFT makes what the
//! configuration selects and drops tensors that do not fit into it, others take what is in the file.
//! Such an adapter is refused rather than read in one of the ways. What takes the base model's shape to
//! know (a module that is selected and has no tensor) is looked at where a model is at hand.

use super::seeming::shown;
use crate::lora::patterns::Expression;
use crate::lora::targets;
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};

/// The settings that select modules, as they stand in the file.
pub(super) struct Selection<'a> {
    config: &'a Value,
    targets: Targets<'a>,
    /// Modules of `target_parameters`, or ends of their names.
    parameters: HashSet<&'a str>,
    excluded: Names<'a>,
    /// The layers of `layers_to_transform`; nothing where all are meant.
    layers: Option<HashSet<u64>>,
    /// `layers_pattern`; any list of layers where it is empty.
    patterns: Vec<&'a str>,
}

enum Targets<'a> {
    /// Not told: whatever is in the file.
    Untold,
    /// PEFT's `all-linear`, which it replaces by names before it writes.
    AllLinear,
    Named(Names<'a>),
}

/// Names or ends of names, or one expression.
enum Names<'a> {
    List(HashSet<&'a str>),
    Expression(Expression),
}

/// The name itself and what follows each of its dots: what a target may be to name it.
fn ends(module: &str) -> impl Iterator<Item = &str> {
    let after = module.match_indices('.').filter_map(|(at, _)| module.get(at + 1..));
    std::iter::once(module).chain(after)
}

impl Names<'_> {
    /// Whether it names a module; nothing where the expression is not understood here.
    fn name(&self, module: &str) -> Option<bool> {
        match self {
            Self::List(names) => Some(ends(module).any(|end| names.contains(end))),
            Self::Expression(expression) => expression.matches(module),
        }
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

impl<'a> Selection<'a> {
    pub(super) fn of(config: &'a Value) -> Self {
        let get = |field: &str| config.get(field);
        // A parameter is named by its module and its own name.
        let parameters: HashSet<&str> = list(get("target_parameters"))
            .filter_map(|name| name.rsplit_once('.'))
            .map(|(module, _)| module)
            .collect();
        let all = |name: &str| name.eq_ignore_ascii_case(targets::ALL_LINEAR);
        let targets = match get("target_modules") {
            Some(Value::String(text)) if all(text) => Targets::AllLinear,
            Some(Value::String(text)) if !text.is_empty() => {
                Targets::Named(Names::Expression(Expression::as_written(text)))
            }
            other if list(other).any(all) => Targets::AllLinear,
            other => {
                let names: HashSet<&str> = list(other).collect();
                match names.is_empty() && parameters.is_empty() {
                    true => Targets::Untold,
                    false => Targets::Named(Names::List(names)),
                }
            }
        };
        let excluded = match get("exclude_modules") {
            Some(Value::String(text)) if !text.is_empty() => {
                Names::Expression(Expression::as_written(text))
            }
            other => Names::List(list(other).collect()),
        };
        let layers: Option<HashSet<u64>> = match get("layers_to_transform") {
            Some(Value::Array(layers)) if !layers.is_empty() => {
                Some(layers.iter().filter_map(Value::as_u64).collect())
            }
            Some(Value::Number(one)) => Some(one.as_u64().into_iter().collect()),
            _ => None,
        };
        let patterns = match get("layers_pattern") {
            Some(Value::String(one)) if !one.is_empty() => vec![one.as_str()],
            other => list(other).collect(),
        };
        Self { config, targets, parameters, excluded, layers, patterns }
    }

    /// The number of a module's layer as PEFT's expressions find it: the last number that follows the
    /// name of a list, where something stands before that name and behind the number.
    fn layer_of(&self, module: &str) -> Option<u64> {
        let number = |rest: &str| rest.split_once('.')?.0.parse::<u64>().ok();
        let behind = |name: &str| {
            let mut places = module.rmatch_indices(name);
            places.find_map(|(at, _)| number(module.get(at + name.len()..)?))
        };
        if self.patterns.is_empty() {
            let (second, _) = module.match_indices('.').nth(1)?;
            let mut dots = module.rmatch_indices('.').filter(|(at, _)| *at >= second);
            return dots.find_map(|(at, _)| number(module.get(at + 1..)?));
        }
        self.patterns.iter().find_map(|pattern| behind(&format!(".{pattern}.")))
    }

    /// Why PEFT would make no adapter of a module; nothing where it would, or where that depends on an
    /// expression that is not understood here.
    fn refuses(&self, module: &str) -> Option<String> {
        // Parameters are found by their names alone.
        if ends(module).any(|end| self.parameters.contains(end)) {
            return None;
        }
        let setting = |field: &str| {
            format!("{field} = {}", self.config.get(field).map_or("null".to_owned(), shown))
        };
        if self.excluded.name(module)? {
            return Some(format!("{} leaves it out", setting("exclude_modules")));
        }
        let mut exact = false;
        if let Targets::Named(names) = &self.targets {
            if !names.name(module)? {
                let but = match self.parameters.is_empty() {
                    true => String::new(),
                    false => format!(", nor does {}", setting("target_parameters")),
                };
                return Some(format!("{} does not select it{but}", setting("target_modules")));
            }
            exact = matches!(names, Names::List(names) if names.contains(module));
        }
        let layers = self.layers.as_ref().filter(|_| !exact)?;
        if self.patterns.iter().any(|pattern| Expression::is_one(pattern)) {
            return None;
        }
        let chosen = self.layer_of(module).is_some_and(|layer| layers.contains(&layer));
        if chosen {
            return None;
        }
        let patterns = match self.patterns.as_slice() {
            [] => String::new(),
            _ => format!(" with {}", setting("layers_pattern")),
        };
        Some(format!("{}{patterns} leaves it out", setting("layers_to_transform")))
    }
}

/// The problem of tensors whose modules no setting selects.
pub(super) fn unexplained(config: &Value, modules: &BTreeSet<String>) -> Option<String> {
    let selection = Selection::of(config);
    let mut refused = modules.iter().filter_map(|m| Some((m, selection.refuses(m)?)));
    let (module, reason) = refused.next()?;
    Some(format!(
        "{} of {} modules with tensors are not selected by the configuration ({module}: {reason}): PEFT \
         would leave these tensors out; the configuration belongs to another adapter, or was changed",
        1 + refused.count(),
        modules.len()
    ))
}

/// What a configuration names and no tensor is of. It may be right: a list of targets may name modules
/// that a base model does not have.
pub fn unmatched(config: &Value, modules: &BTreeSet<String>) -> Vec<String> {
    let selection = Selection::of(config);
    let held: HashSet<&str> = modules.iter().flat_map(|module| ends(module)).collect();
    let absent = |names: &mut dyn Iterator<Item = &str>| -> Option<(String, usize)> {
        let mut absent: Vec<&str> = names.filter(|name| !held.contains(name)).collect();
        absent.sort_unstable();
        Some((shown(&Value::from(*absent.first()?)), absent.len()))
    };
    let say = |field: &str, (first, count): (String, usize)| {
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        format!(
            "{field} names {first}{more}, and no tensor is of it: either the base model has no such \
             module, or the adapter is incomplete"
        )
    };
    let mut found = Vec::new();
    if let Targets::Named(Names::List(names)) = &selection.targets {
        found.extend(absent(&mut names.iter().copied()).map(|a| say("target_modules", a)));
    }
    let parameters = absent(&mut selection.parameters.iter().copied());
    found.extend(parameters.map(|a| say("target_parameters", a)));
    for field in ["rank_pattern", "alpha_pattern"] {
        let keys = config.get(field).and_then(Value::as_object);
        let keys = keys.into_iter().flat_map(|map| map.keys()).map(String::as_str);
        // What is more than a name would have to be tried on every module.
        let mut names = keys.filter(|key| !Expression::is_one(key));
        found.extend(absent(&mut names).map(|a| say(field, a)));
    }
    if let Some(layers) = &selection.layers {
        let there: HashSet<u64> = modules.iter().filter_map(|m| selection.layer_of(m)).collect();
        let mut absent: Vec<u64> = layers.difference(&there).copied().collect();
        absent.sort_unstable();
        let first = absent.first().map(|layer| (format!("layer {layer}"), absent.len()));
        found.extend(first.map(|a| say("layers_to_transform", a)));
    }
    found
}
