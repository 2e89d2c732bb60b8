//! What vLLM and llama.cpp refuse of an adapter, or need to be told, before anybody finds out by
//! loading it.

use super::adapter::PeftAdapter;
use serde_json::Value;

/// How a finding bears on loading the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It loads, given what the message says.
    Note,
    /// It is refused.
    Refused,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `vLLM` or `llama.cpp`.
    pub program: &'static str,
    /// How it bears.
    pub severity: Severity,
    /// What it is, and what to do.
    pub message: String,
}

/// Values that vLLM takes for `--max-lora-rank`; 16 is its default.
const VLLM_RANKS: [usize; 9] = [1, 8, 16, 32, 64, 128, 256, 320, 512];
const VLLM_DEFAULT: usize = 16;

/// What each program will say to an adapter.
pub fn findings(adapter: &PeftAdapter) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |program, severity, message: String| {
        found.push(Finding { program, severity, message });
    };
    let both = ["vLLM", "llama.cpp"];
    let ranks = adapter.ranks();
    let greatest = ranks.last().copied().unwrap_or(0);
    match VLLM_RANKS.iter().find(|allowed| **allowed >= greatest) {
        Some(allowed) if *allowed > VLLM_DEFAULT => add(
            "vLLM",
            Severity::Note,
            format!("rank {greatest}: start vLLM with --max-lora-rank {allowed}"),
        ),
        Some(_) => {}
        None => add(
            "vLLM",
            Severity::Refused,
            format!("rank {greatest}: at most {} is served", VLLM_RANKS[VLLM_RANKS.len() - 1]),
        ),
    }
    if greatest > 64 && VLLM_RANKS.contains(&greatest) {
        add(
            "vLLM",
            Severity::Note,
            format!("rank {greatest} takes memory for every adapter slot; 64 or less is usual"),
        );
    }
    if ranks.len() > 1 {
        add(
            "vLLM",
            Severity::Refused,
            format!("several ranks ({ranks:?}, rank_pattern): vLLM reads one rank for all modules"),
        );
    }
    let pattern =
        |field| adapter.config.get(field).and_then(Value::as_object).is_some_and(|m| !m.is_empty());
    if pattern("alpha_pattern") {
        add(
            "vLLM",
            Severity::Refused,
            "alpha_pattern: vLLM reads one alpha for all modules".into(),
        );
        add(
            "llama.cpp",
            Severity::Note,
            "alpha_pattern: export folds it into the weights".to_owned(),
        );
    }
    if adapter.flag("use_dora") || adapter.modules.values().any(|p| p.dora) {
        for program in both {
            add(
                program,
                Severity::Refused,
                "DoRA (use_dora): merge the adapter into its base model instead".to_owned(),
            );
        }
    }
    let saved = adapter.config.get("modules_to_save").and_then(Value::as_array);
    if let Some(saved) = saved.filter(|s| !s.is_empty()) {
        for program in both {
            add(
                program,
                Severity::Refused,
                format!("modules_to_save = {}", Value::from(saved.clone())),
            );
        }
    }
    let bias = adapter.config.get("bias").and_then(Value::as_str).unwrap_or("none");
    if bias != "none" || adapter.flag("lora_bias") {
        for program in both {
            add(program, Severity::Refused, format!("trained biases (bias = {bias})"));
        }
    }
    for name in &adapter.others {
        for program in both {
            add(program, Severity::Refused, format!("{name} belongs to no LoRA pair"));
        }
    }
    if adapter.flag("use_rslora") {
        add(
            "llama.cpp",
            Severity::Note,
            "rsLoRA: export folds its scaling into the weights".into(),
        );
    }
    let ends = adapter.modules.keys().find(|path| {
        path.ends_with("lm_head") || path.ends_with("embed_tokens") || path.ends_with("wte")
    });
    if let Some(path) = ends {
        add("vLLM", Severity::Note, format!("{path}: served for some models only"));
    }
    found
}
