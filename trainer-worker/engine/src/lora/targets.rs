//! Which modules carry an adapter: names as PEFT's `target_modules` matches them.

use super::LoraConfig;
use crate::error::{Error, Result};
use crate::model::family::{Family, Module, Role};
use crate::model::ModelConfig;
use std::collections::BTreeMap;

/// PEFT's word for every linear module but the head.
pub const ALL_LINEAR: &str = "all-linear";

/// Greatest number of names.
const MAX_NAMES: usize = 65_536;

/// Whether PEFT's `target` names the module with the full name `module`: the name itself, or the
/// end of it after a dot.
pub fn matches(module: &str, target: &str) -> bool {
    module == target
        || module.strip_suffix(target).is_some_and(|rest| !target.is_empty() && rest.ends_with('.'))
}

/// Whether any of the targets names the module.
pub fn selected(model: &ModelConfig, layer: usize, module: &Module, targets: &[String]) -> bool {
    let name = model.module_name(layer, module);
    targets.iter().any(|t| matches(&name, t))
}

/// The short names of all linear modules of a model: `q_proj`, `k_proj`, …, in the order in which
/// they are laid out.
pub fn names(model: &ModelConfig) -> Vec<&'static str> {
    let mut found: BTreeMap<&'static str, Role> = BTreeMap::new();
    for module in (0..model.num_hidden_layers).flat_map(|layer| model.modules(layer)) {
        let first = found.entry(module.name()).or_insert(module.role);
        *first = (*first).min(module.role);
    }
    let mut names: Vec<(&str, Role)> = found.into_iter().collect();
    names.sort_by_key(|(_, role)| *role);
    names.into_iter().map(|(name, _)| name).collect()
}

/// What PEFT calls the targets of a model: its `target_modules`, and its `target_parameters` for the
/// dense and shared feed-forwards of a model with routed experts.
///
/// PEFT (0.18 and later, with transformers 5) reads `gate_proj`, `up_proj` and `down_proj` in such a
/// model's `target_modules` as the stacked weights of the routed experts, with whatever is before the
/// name. The weights of the other feed-forwards can be had as parameters, and their adapters then
/// have the names and shapes that those of the modules would have.
pub fn as_peft(family: Family, targets: &[String]) -> (Vec<&str>, Vec<String>) {
    let mut modules = Vec::new();
    let mut parameters = Vec::new();
    for target in targets {
        if family.has_routed_experts() && is_parameter(target) {
            parameters.push(format!("{target}{WEIGHT}"));
        } else {
            modules.push(target.as_str());
        }
    }
    (modules, parameters)
}

/// The targets that [`as_peft`] makes `target_parameters` of.
pub fn from_peft_parameter(parameter: &str) -> Result<String> {
    match parameter.strip_suffix(WEIGHT).filter(|t| !t.is_empty()) {
        Some(target) => Ok(target.to_owned()),
        None => Err(Error::adapter(format!(
            "target_parameters has {parameter:?}: routed experts cannot carry an adapter, and other parameters are named by their module and {WEIGHT}"
        ))),
    }
}

const WEIGHT: &str = ".weight";

/// The target names for a model: the family's defaults where `wanted` is empty, all modules for
/// `all-linear`, and otherwise `wanted` itself, each name of which must name a module. Sorted by the
/// place of the first module that a name selects, without repetitions.
pub fn resolve(model: &ModelConfig, wanted: &[String]) -> Result<Vec<String>> {
    let refuse = |value: &str, range: String| {
        Err(Error::Setting { name: "target_modules", value: value.to_owned(), range })
    };
    if wanted.len() > MAX_NAMES {
        return refuse(&format!("{} names", wanted.len()), format!("at most {MAX_NAMES} names"));
    }
    if wanted.is_empty() {
        let there = names(model);
        let defaults = model.family.default_targets().iter().filter(|d| there.contains(d));
        return Ok(defaults.map(|name| (*name).to_owned()).collect());
    }
    if wanted.iter().any(|w| w.eq_ignore_ascii_case(ALL_LINEAR)) {
        return Ok(names(model).into_iter().map(str::to_owned).collect());
    }
    let all: Vec<(Role, String)> = (0..model.num_hidden_layers)
        .flat_map(|layer| model.modules(layer).into_iter().map(move |module| (layer, module)))
        .map(|(layer, module)| (module.role, model.module_name(layer, &module)))
        .collect();
    let mut found: Vec<(Role, &String)> = Vec::new();
    for target in wanted {
        let roles = all.iter().filter(|(_, name)| matches(name, target)).map(|(role, _)| *role);
        match roles.min() {
            Some(role) => found.push((role, target)),
            None if target.split('.').any(|part| part == "experts") => {
                return refuse(
                    target,
                    "among the other modules: routed experts cannot carry an adapter".to_owned(),
                );
            }
            None => return refuse(target, choice(model, target)),
        }
    }
    found.sort();
    found.dedup();
    Ok(found.into_iter().map(|(_, name)| name.clone()).collect())
}

/// What to choose in the place of a target that a model does not have.
fn choice(model: &ModelConfig, target: &str) -> String {
    let names = names(model).join(", ");
    let list = format!("{ALL_LINEAR}, or among {names} of a {} model", model.family.model_type());
    let last = target.rsplit('.').next().unwrap_or(target);
    const ENDS: [&str; 8] = [
        "embed_tokens",
        "lm_head",
        "wte",
        "wpe",
        "word_embeddings",
        "embed_out",
        "output_layer",
        "embedding",
    ];
    if ENDS.contains(&last) {
        format!(
            "{list}; the embedding and the head carry no adapter here (vLLM and llama.cpp do not serve \
             one either): leave {last} out, or train with PEFT and use the merged model"
        )
    } else {
        list
    }
}

/// Refuses a choice of modules of which nothing is selected, or of which PEFT could not load what would
/// be written.
///
/// # Errors
///
/// [`Error::Setting`] that names the setting and what to choose instead.
pub fn check(model: &ModelConfig, lora: &LoraConfig) -> Result<()> {
    let selected: Vec<String> = (0..model.num_hidden_layers)
        .flat_map(|layer| model.modules(layer).into_iter().map(move |module| (layer, module)))
        .map(|(layer, module)| (layer, model.module_name(layer, &module)))
        .filter(|(layer, name)| lora.selects(*layer, name) == Some(true))
        .map(|(_, name)| name)
        .collect();
    let expression = lora.target_expression.as_ref();
    if let Some(expression) = expression.filter(|_| selected.is_empty()) {
        let value = expression.text().chars().take(200).collect();
        let range = format!(
            "an expression that matches the whole name of a module, such as {}; or {}",
            model
                .modules(0)
                .first()
                .map_or_else(String::new, |module| model.module_name(0, module)),
            choice(model, "")
        );
        return Err(Error::Setting { name: "target_modules", value, range });
    }
    if !model.family.has_routed_experts() {
        return Ok(());
    }
    let as_parameter = selected.iter().find(|name| is_parameter(name));
    let Some(name) = as_parameter else { return Ok(()) };
    let refuse = |setting, value: &str| {
        Err(Error::Setting {
            name: setting,
            value: value.to_owned(),
            range: format!(
                "without {name}: PEFT has the feed-forwards of a model with routed experts as parameters, \
                 and loads no such adapter of a parameter; leave gate_proj, up_proj and down_proj out of \
                 target_modules, or leave {setting} out"
            ),
        })
    };
    if lora.use_dora {
        return refuse("use_dora", "true");
    }
    // PEFT finds parameters by their names alone: it would give them other ranks, scalings and layers.
    let patterned =
        |get: &dyn Fn(&str) -> bool| selected.iter().any(|name| is_parameter(name) && get(name));
    if patterned(&|name| lora.rank_pattern.get(name).is_some()) {
        return refuse("rank_pattern", "a pattern");
    }
    if patterned(&|name| lora.alpha_pattern.get(name).is_some()) {
        return refuse("alpha_pattern", "a pattern");
    }
    if lora.layers_to_transform.layers.as_ref().is_some_and(|layers| !layers.is_empty()) {
        return refuse("layers_to_transform", "some layers");
    }
    if excluded_parameter(model, lora) {
        return refuse("exclude_modules", "some modules");
    }
    if expression.is_some() {
        return Err(Error::Setting {
            name: "target_modules",
            value: "an expression".to_owned(),
            range: format!(
                "a list of names, since {name} is among the modules: PEFT has the feed-forwards of a model \
                 with routed experts as parameters, which it finds by name alone"
            ),
        });
    }
    Ok(())
}

/// Whether a target that PEFT has as a parameter is among what is excluded.
fn excluded_parameter(model: &ModelConfig, lora: &LoraConfig) -> bool {
    let without = LoraConfig { excluded: super::Excluded::default(), ..lora.clone() };
    (0..model.num_hidden_layers).any(|layer| {
        model.modules(layer).iter().any(|module| {
            let name = model.module_name(layer, module);
            is_parameter(&name)
                && without.selects(layer, &name) == Some(true)
                && lora.selects(layer, &name) != Some(true)
        })
    })
}

/// Whether PEFT has a module of a model with routed experts as a parameter.
fn is_parameter(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    matches!(last, "gate_proj" | "up_proj" | "down_proj")
}

/// A module that PEFT has as a parameter and that a pattern of alphas names.
pub(crate) fn parameter_with_alpha(model: &ModelConfig, lora: &LoraConfig) -> Option<String> {
    (0..model.num_hidden_layers)
        .flat_map(|layer| model.modules(layer).into_iter().map(move |module| (layer, module)))
        .map(|(layer, module)| (layer, model.module_name(layer, &module)))
        .find(|(layer, name)| {
            is_parameter(name)
                && lora.selects(*layer, name) == Some(true)
                && lora.alpha_pattern.get(name).is_some()
        })
        .map(|(_, name)| name)
}
