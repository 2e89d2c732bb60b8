//! Which modules carry an adapter: names as PEFT's `target_modules` matches them.

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
        let last = target.rsplit('.').next().unwrap_or(target);
        if family.has_routed_experts() && matches!(last, "gate_proj" | "up_proj" | "down_proj") {
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
            None => {
                let names = names(model).join(", ");
                return refuse(
                    target,
                    format!(
                        "{ALL_LINEAR}, or among {names} of a {} model",
                        model.family.model_type()
                    ),
                );
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found.into_iter().map(|(_, name)| name.clone()).collect())
}
