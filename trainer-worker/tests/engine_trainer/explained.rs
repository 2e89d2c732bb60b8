//! Adapters whose configuration says other modules than their tensors are of, at every door that opens
//! one; and configurations that PEFT writes or reads for the same tensors, which pass.

use crate::commands::{json, refusal, run};
use crate::common::golden;
use crate::seeming::{changed, doors, text};
use openledger_engine::model::ModelConfig;
use openledger_engine::peft;
use serde_json::{json, Value};

fn model() -> ModelConfig {
    let text = std::fs::read_to_string(golden("llama-tied").join("config.json")).expect("config");
    ModelConfig::from_hf_json(&text, "llama-tied").expect("a configuration")
}

/// Of `q_proj` and `v_proj` in both layers are the tensors; each case says what the configuration
/// says, and what the refusal names.
fn unexplained() -> Vec<(Value, [&'static str; 2])> {
    let q = "model.layers.0.self_attn.q_proj";
    let second = "model.layers.1.self_attn.q_proj";
    vec![
        (json!({ "target_modules": ["k_proj"] }), [q, "target_modules = [\"k_proj\"] does not"]),
        (json!({ "target_modules": ["q_proj"] }), ["self_attn.v_proj", "does not select it"]),
        (json!({ "target_modules": ["proj"] }), [q, "does not select it"]),
        // One text is an expression for the whole name.
        (json!({ "target_modules": "q_proj" }), [q, "target_modules = \"q_proj\""]),
        (json!({ "target_modules": r".*\.(k|v)_proj" }), [q, "does not select it"]),
        (
            json!({ "target_modules": null, "target_parameters": ["mlp.up_proj.weight"] }),
            [q, "nor does target_parameters = [\"mlp.up_proj.weight\"]"],
        ),
        (json!({ "exclude_modules": ["q_proj"] }), [q, "exclude_modules = [\"q_proj\"]"]),
        (json!({ "exclude_modules": r".*layers\.1\..*" }), [second, "exclude_modules"]),
        (json!({ "exclude_modules": ["q_proj"], "target_modules": null }), [q, "exclude_modules"]),
        (
            json!({ "layers_to_transform": [0] }),
            [second, "layers_to_transform = [0] leaves it out"],
        ),
        (json!({ "layers_to_transform": 0 }), [second, "layers_to_transform = 0"]),
        (
            json!({ "layers_to_transform": [0, 1], "layers_pattern": "blocks" }),
            [q, "layers_to_transform = [0,1] with layers_pattern = \"blocks\""],
        ),
    ]
}

fn with(config: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().expect("an object") {
        config[key] = value.clone();
    }
}

#[test]
fn every_door_refuses_tensors_that_no_setting_selects() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let model = text(&golden("llama-tied"));
    for (changes, parts) in unexplained() {
        let path = text(&changed(dir, |config| with(config, &changes)));
        for door in doors(dir, &model, &path) {
            let arguments: Vec<&str> = door.iter().map(String::as_str).collect();
            let output = run(dir, &arguments);
            let said = refusal(&output);
            assert_eq!(output.status.code(), Some(1), "{changes}, {}: {said}", door[0]);
            for part in parts {
                assert!(said.contains(part), "{changes}, {}: {part} is not in {said}", door[0]);
            }
        }
        assert!(!dir.join("merged").exists() && !dir.join("adapter.gguf").exists(), "{changes}");
        let seen = json(&run(dir, &["inspect", &path, "--json"]));
        assert!(seen["refused"][0].as_str().expect("a reason").contains(parts[0]), "{seen}");
    }
}

/// Which modules a model has is known where there is one; `doctor` has none, and notes it.
#[test]
fn modules_that_are_selected_and_have_no_tensors_are_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let model = text(&golden("llama-tied"));
    for (targets, part, noted) in [
        (
            json!(["q_proj", "v_proj", "k_proj"]),
            "model.layers.0.self_attn.k_proj and 1 more",
            "k_proj",
        ),
        (
            json!(["q_proj", "v_proj", "1.mlp.up_proj"]),
            "model.layers.1.mlp.up_proj",
            "1.mlp.up_proj",
        ),
        (json!(["q_proj", "v_proj", "lm_head"]), "lm_head", "lm_head"),
        (json!(["q_proj", "v_proj", "embed_tokens"]), "model.embed_tokens", "embed_tokens"),
        (json!(r".*\.(q|k|v)_proj"), "model.layers.0.self_attn.k_proj", ""),
    ] {
        let path = text(&changed(dir, |config| config["target_modules"] = targets.clone()));
        for door in doors(dir, &model, &path) {
            let arguments: Vec<&str> = door.iter().map(String::as_str).collect();
            if door[0] == "doctor" {
                let seen = json(&run(dir, &[&arguments[..], &["--json"]].concat()));
                let seen = seen["adapter"].to_string();
                assert!(noted.is_empty() || seen.contains(&format!("{noted}\\\"")), "{seen}");
                continue;
            }
            let output = run(dir, &arguments);
            let said = refusal(&output);
            assert_eq!(output.status.code(), Some(1), "{targets}, {}: {said}", door[0]);
            assert!(said.contains(&format!("holds nothing for {part}")), "{targets}: {said}");
            assert!(said.contains("target_modules"), "{targets}: {said}");
        }
    }
}

#[test]
fn what_selects_the_same_modules_in_other_words_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let model = model();
    let plain = peft::load(&changed(dir, |_| ()), &model).expect("loads");
    let names: Vec<String> = [0, 1]
        .iter()
        .flat_map(|n| ["q", "v"].map(|p| format!("model.layers.{n}.self_attn.{p}_proj")))
        .collect();
    for changes in [
        json!({ "target_modules": ["self_attn.q_proj", "v_proj"] }),
        json!({ "target_modules": names }),
        // Whole names are asked for no layer.
        json!({ "target_modules": names, "layers_to_transform": [0] }),
        json!({ "target_modules": ["0.self_attn.q_proj", "1.self_attn.q_proj", "v_proj"] }),
        json!({ "target_modules": r"model\.layers\.\d+\.self_attn\.(q|v)_proj" }),
        json!({ "target_modules": r"(?!x).*\.(q|v)_proj" }),
        json!({ "target_modules": "all-linear" }),
        json!({ "target_modules": ["all-linear"] }),
        json!({ "target_modules": null }),
        // One list for models of many families.
        json!({ "target_modules": ["q_proj", "v_proj", "query_key_value", "c_attn", "Wqkv"] }),
        json!({ "layers_to_transform": [0, 1] }),
        json!({ "layers_to_transform": [0, 1], "layers_pattern": "layers" }),
        json!({ "layers_to_transform": [0, 1], "layers_pattern": ["h", "layers"] }),
        json!({ "layers_to_transform": [] }),
        json!({ "layers_to_transform": [0, 1], "layers_pattern": "(h|layers)" }),
        // Parameters are found by name alone, whatever holds for modules.
        json!({
            "target_modules": ["v_proj"], "target_parameters": ["self_attn.q_proj.weight"],
            "exclude_modules": ["q_proj"],
        }),
        json!({
            "target_modules": r".*v_proj", "target_parameters": ["self_attn.q_proj.weight"],
        }),
        json!({ "exclude_modules": ["k_proj", "lm_head"] }),
        json!({ "exclude_modules": r".*\.mlp\..*" }),
        json!({ "rank_pattern": { "up_proj": 4 }, "alpha_pattern": { "down_proj": 3 } }),
    ] {
        let path = changed(dir, |config| with(config, &changes));
        let loaded = peft::load(&path, &model).unwrap_or_else(|e| panic!("{changes}: {e}"));
        assert_eq!(loaded.layers, plain.layers, "{changes}");
        assert_eq!(loaded.layouts, plain.layouts, "{changes}");
        let output = run(dir, &["doctor", "--adapter", &text(&path)]);
        assert!(output.status.success(), "{changes}: {}", refusal(&output));
        // And what is written of it is explained too.
        let again = peft::from_bytes(&peft::to_bytes(&loaded, "x"), None, &model);
        assert_eq!(again.unwrap_or_else(|e| panic!("{changes}: {e}")).layers, plain.layers);
    }
}

/// What a worker would be handed: one file that carries its configuration.
#[test]
fn an_adapter_of_one_file_is_held_to_the_same_rule() {
    let dir = tempfile::tempdir().expect("a folder");
    let model = model();
    let loaded = peft::load(&changed(dir.path(), |_| ()), &model).expect("loads");
    let bytes = peft::to_bytes(&loaded, "llama-tied");
    let config = peft::extract_config(&bytes).expect("inside");
    let other = config.replace("q_proj", "k_proj");
    assert_ne!(other, config);
    let said = peft::from_bytes(&bytes, Some(&other), &model).expect_err("refused").to_string();
    assert!(said.contains("q_proj") && said.contains("target_modules"), "{said}");
    // Of two layers the chosen one, with its tensors still there.
    let other = config.replace("\"layers_to_transform\": null", "\"layers_to_transform\": [1]");
    assert_ne!(other, config);
    let said = peft::from_bytes(&bytes, Some(&other), &model).expect_err("refused").to_string();
    assert!(said.contains("model.layers.0.") && said.contains("layers_to_transform"), "{said}");
}
