//! What an adapter's files may say that plain LoRA arithmetic does not compute: the one rule by which
//! everything that opens an adapter (training, evaluation, generation, merging, exporting, `doctor`)
//! refuses it.
//!
//! The keys are those of PEFT 0.21's `LoraConfig`. A key that none of its versions up to then has is
//! taken as switched off where it is null, false or empty, and refused otherwise: a later version may
//! compute something else by it.

use super::config::ordered_patterns;
use super::explained;
use crate::error::{Error, Result};
use serde_json::Value;
use std::collections::BTreeSet;

/// What PEFT can do with any of its adapters, for who cannot train it anew.
const MERGE_THERE: &str = "merge it with PEFT (PeftModel.from_pretrained(base, adapter)\
                           .merge_and_unload().save_pretrained(folder)) and use that folder as the model";

/// Kinds of adapters that are no change of weights.
const CANNOT_BE_MERGED: [&str; 9] = [
    "ADAPTION_PROMPT",
    "CARTRIDGE",
    "CPT",
    "MULTITASK_PROMPT_TUNING",
    "POLY",
    "PREFIX_TUNING",
    "PROMPT_TUNING",
    "P_TUNING",
    "XLORA",
];

/// Keys that say nothing about the result, whatever their value is: names, versions, settings of an
/// initialisation that is over, and what this module or the reader looks at elsewhere.
const READ_OR_WITHOUT_EFFECT: [&str; 34] = [
    "alpha_pattern",
    "auto_mapping",
    "base_model_class",
    "base_model_name_or_path",
    "bias",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "fan_in_fan_out",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",
    "lora_alpha",
    "lora_dropout",
    "lora_ga_config",
    "megatron_core",
    "modules_to_save",
    "parent_library",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "target_parameters",
    "task_type",
    "use_dora",
    "use_rslora",
    "velora_config",
];

/// Keys that change what an adapter computes unless they are off, with the reason.
const CHANGES: [(&str, &str); 10] = [
    (
        "alora_invocation_tokens",
        "an activated LoRA acts only after its invocation tokens, here it would act everywhere; no \
         merged model can say that, so use it with PEFT or vLLM",
    ),
    ("layer_replication", "the adapter is for a model whose layers were repeated"),
    ("use_qalora", "QALoRA pools the inputs of A"),
    ("lora_bias", "B has a bias of its own"),
    ("trainable_token_indices", "rows of the embedding were trained as well"),
    ("megatron_config", "it is for Megatron's parallel layers"),
    ("use_bdlora", "its matrices are block-diagonal"),
    ("arrow_config", "several adapters are mixed by a router"),
    ("kasa_config", "KaSA changes the base weights and scales between A and B"),
    ("monteclora_config", "MonteCLoRA samples its weights"),
];

/// Initialisations that change the base model's weights: A and B belong to the changed ones.
const CHANGES_THE_BASE: [&str; 5] = ["pissa", "olora", "corda", "loftq", "lora_ga"];
/// Initialisations that leave the base as it is.
const LEAVES_THE_BASE: [&str; 4] = ["gaussian", "eva", "orthogonal", "mica"];

/// Whether a value switches nothing on.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(_) => false,
    }
}

/// A value as it is shown in an error: short.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Everything in a configuration by which an adapter is not the plain LoRA, rsLoRA or DoRA that this
/// program computes, each with its reason and the way out.
pub fn problems_of_config(config: &Value) -> Vec<String> {
    let Some(fields) = config.as_object() else {
        return vec!["adapter_config.json is no JSON object".to_owned()];
    };
    let mut found = Vec::new();
    let get = |field: &str| fields.get(field).filter(|v| !v.is_null());
    let kind = get("peft_type").and_then(Value::as_str);
    if kind != Some("LORA") {
        let alone = kind.is_some_and(|kind| CANNOT_BE_MERGED.contains(&kind));
        let way =
            if alone { "it cannot be merged either, so use it with PEFT" } else { MERGE_THERE };
        let kind = get("peft_type").map_or("missing".to_owned(), shown);
        found.push(format!("peft_type = {kind}: only LORA is supported; {way}"));
        // The other keys mean something else there.
        return found;
    }
    if let Some(task) = get("task_type").filter(|t| t.as_str() != Some("CAUSAL_LM")) {
        found.push(format!(
            "task_type = {}: the adapter is for a model with another head than a language model's \
             (CAUSAL_LM)",
            shown(task)
        ));
    }
    if let Some(problem) = get("init_lora_weights").and_then(initialisation) {
        found.push(problem);
    }
    for (field, reason) in CHANGES {
        if let Some(value) = get(field).filter(|v| !is_off(v)) {
            let way = if field == "alora_invocation_tokens" {
                String::new()
            } else {
                format!("; {MERGE_THERE}")
            };
            found.push(format!("{field} = {}: {reason}{way}", shown(value)));
        }
    }
    if let Some(value) = get("modules_to_save").filter(|v| !is_off(v)) {
        found.push(format!(
            "modules_to_save = {}: fully trained modules are not supported; {MERGE_THERE}",
            shown(value)
        ));
    }
    if let Some(value) = get("bias").filter(|b| b.as_str() != Some("none") && !is_off(b)) {
        found.push(format!(
            "bias = {}: trained biases are not supported; {MERGE_THERE}",
            shown(value)
        ));
    }
    for (field, value) in fields {
        let known = READ_OR_WITHOUT_EFFECT.contains(&field.as_str())
            || CHANGES.iter().any(|(name, _)| name == field);
        if !known && !is_off(value) {
            found.push(format!(
                "{field} = {}: no key of PEFT's LoRA up to 0.21, and it may change what the adapter \
                 computes; take it out of adapter_config.json if it does not, or else {MERGE_THERE}",
                shown(value)
            ));
        }
    }
    found
}

fn initialisation(value: &Value) -> Option<String> {
    if value.is_boolean() {
        return None;
    }
    let name = value.as_str().map(str::to_ascii_lowercase).unwrap_or_default();
    if LEAVES_THE_BASE.contains(&name.as_str()) {
        return None;
    }
    let field = format!("init_lora_weights = {}", shown(value));
    let base = name.split("_niter_").next().unwrap_or_default();
    if CHANGES_THE_BASE.contains(&base) {
        let convert = if base == "loftq" {
            ""
        } else {
            "save it with PEFT as save_pretrained(folder, path_initial_model_for_weight_conversion=\
             FOLDER_OF_THE_ADAPTER_AS_IT_WAS_INITIALISED), which makes a plain LoRA of it, or "
        };
        return Some(format!(
            "{field}: this initialisation changes the base model's weights too, so on the base as \
             it was published the adapter computes something else; {convert}{MERGE_THERE}"
        ));
    }
    Some(format!(
        "{field}: not known here, and it may change the base model's weights; true, false, {} are \
         read; {MERGE_THERE}",
        LEAVES_THE_BASE.join(", ")
    ))
}

/// A tensor of an adapter: its name and dimensions.
pub struct Shape<'a> {
    /// The name in the file.
    pub name: &'a str,
    /// Dimensions, slowest first.
    pub dimensions: &'a [usize],
}

/// The end of a name without the adapter's own name, which some programs leave in it.
const LORA_A: &str = ".lora_A.weight";
const LORA_B: &str = ".lora_B.weight";
const MAGNITUDES: [&str; 2] = [".lora_magnitude_vector", ".lora_magnitude_vector.weight"];

/// The module that a tensor of an adapter belongs to.
fn module_of(bare: &str) -> Option<&str> {
    let mut ends = [LORA_A, LORA_B].into_iter().chain(MAGNITUDES);
    ends.find_map(|end| bare.strip_suffix(end))
}

/// What the tensors of an adapter say against its configuration: modules that it does not select,
/// magnitudes that are missing or too many, ranks that are not those of `r` and `rank_pattern`, adapters
/// of embeddings.
pub fn problems_of_tensors<'a>(
    text: &str,
    config: &Value,
    tensors: impl Iterator<Item = Shape<'a>>,
) -> Result<Vec<String>> {
    let (ranks, _) = ordered_patterns(text)?;
    let r = config.get("r").and_then(Value::as_u64).and_then(|r| usize::try_from(r).ok());
    let r = r.unwrap_or(8);
    let dora = config.get("use_dora").and_then(Value::as_bool) == Some(true);
    let mut found = Vec::new();
    let (mut modules, mut magnitudes) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong_ranks = Vec::new();
    let (mut embedding, mut experts) = (false, false);
    let mut held = BTreeSet::new();
    for Shape { name, dimensions } in tensors {
        let bare = name.strip_prefix("base_model.model.").unwrap_or(name);
        held.extend(module_of(bare).map(str::to_owned));
        if let Some(module) = MAGNITUDES.iter().find_map(|end| bare.strip_suffix(end)) {
            magnitudes.insert(module.to_owned());
        }
        if !experts && bare.split('.').any(|part| part == "experts") {
            experts = true;
            found.push(format!("{name}: routed experts cannot carry an adapter; {MERGE_THERE}"));
        }
        if bare.contains("lora_embedding_") && !embedding {
            embedding = true;
            found.push(format!(
                "{name}: adapters of the embedding are not supported; {MERGE_THERE}"
            ));
        }
        let (module, rank) = match (bare.strip_suffix(LORA_A), bare.strip_suffix(LORA_B)) {
            (Some(module), _) => (module, dimensions.first()),
            (_, Some(module)) => (module, dimensions.get(1)),
            _ => continue,
        };
        if bare.ends_with(LORA_A) {
            modules.insert(module.to_owned());
        }
        let told = ranks.get(module).unwrap_or(r);
        if let Some(rank) = rank.filter(|rank| **rank != told) {
            wrong_ranks
                .push(format!("{name} {dimensions:?} has the rank {rank}, told is r = {told}"));
        }
    }
    if let Some(first) = wrong_ranks.first() {
        found.push(format!(
            "r and rank_pattern disagree with {} tensors ({first}): the scaling would be wrong; the \
             configuration belongs to another adapter, or its rank_pattern was lost",
            wrong_ranks.len()
        ));
    }
    found.extend(explained::unexplained(config, &held));
    let first = |of: &BTreeSet<String>, without: &BTreeSet<String>| {
        of.difference(without).next().map(|m| (m.clone(), of.difference(without).count()))
    };
    if let Some((module, count)) = first(&modules, &magnitudes).filter(|_| dora) {
        found.push(format!(
            "use_dora = true, but {count} of {} modules have no lora_magnitude_vector ({module}): \
             without magnitudes it is no DoRA; save it again with PEFT, or set use_dora to false if it \
             was trained as plain LoRA",
            modules.len()
        ));
    }
    if let Some(module) = magnitudes.iter().next().filter(|_| !dora) {
        found.push(format!(
            "{module} has a lora_magnitude_vector, but use_dora is not true; set it if the adapter was \
             trained with DoRA"
        ));
    }
    Ok(found)
}

/// Refuses an adapter with any problem, naming all of them.
pub fn refuse(problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::adapter(problems.join("\n  also: ")))
}
