//! Adapters that are not what they seem, made by PEFT (scripts/golden/seeming.py), at every door that
//! opens one; those that only look so give PEFT's logits.

use crate::commands::{json, refusal, run};
use crate::common::{golden, safetensors_bytes, tiny_weights, write_tiny_folder};
use openledger_engine::model::ModelConfig;
use openledger_engine::peft;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};

/// What is refused, and what the refusal names.
const REFUSED: [(&str, &[&str]); 15] = [
    ("pissa", &["init_lora_weights = \"pissa\"", "path_initial_model_for_weight_conversion"]),
    ("pissa-niter", &["pissa_niter_4", "merge_and_unload"]),
    ("olora", &["init_lora_weights = \"olora\"", "merge_and_unload"]),
    ("alora", &["alora_invocation_tokens", "use it with PEFT or vLLM"]),
    ("layer-replication", &["layer_replication", "repeated"]),
    ("lora-bias", &["lora_bias", "merge_and_unload"]),
    ("bias-all", &["bias = \"all\"", "merge_and_unload"]),
    ("modules-to-save", &["modules_to_save", "merge_and_unload"]),
    ("token-indices", &["trainable_token_indices", "merge_and_unload"]),
    ("embedding", &["embed_tokens", "merge_and_unload"]),
    ("ia3", &["IA3", "only LORA"]),
    ("loha", &["LOHA", "only LORA"]),
    ("lokr", &["LOKR", "only LORA"]),
    ("vera", &["VERA", "only LORA"]),
    ("prefix", &["PREFIX_TUNING", "use it with PEFT"]),
];

const READ: [&str; 6] =
    ["gaussian", "orthogonal", "expression", "excluded", "excluded-expression", "converted-pissa"];

pub fn adapter(name: &str) -> PathBuf {
    golden("seeming").join(name)
}

pub fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// Every command that opens an adapter, with arguments that would work with a good one.
pub fn doors(dir: &Path, model: &str, adapter: &str) -> Vec<Vec<String>> {
    std::fs::write(dir.join("data.txt"), "the cat sat on the mat. ".repeat(30)).expect("written");
    let with = |list: &[&str]| -> Vec<String> {
        let list = list.iter().map(|part| (*part).to_owned());
        list.chain(["--adapter".to_owned(), adapter.to_owned()]).collect()
    };
    vec![
        with(&["logits", "--model", model, "--tokens", "3,4"]),
        with(&["merge", "--model", model, "--output", "merged"]),
        with(&["export", "--model", model, "--output", "adapter.gguf"]),
        with(&["doctor"]),
    ]
}

#[test]
fn every_door_refuses_what_plain_lora_would_compute_wrongly_with_the_way_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let model = text(&golden("llama-tied"));
    for (name, parts) in REFUSED {
        for door in doors(dir, &model, &text(&adapter(name))) {
            let arguments: Vec<&str> = door.iter().map(String::as_str).collect();
            let output = run(dir, &arguments);
            let said = refusal(&output);
            assert_eq!(output.status.code(), Some(1), "{name}, {}: {said}", door[0]);
            for part in parts {
                assert!(said.contains(part), "{name}, {}: {part} is not in {said}", door[0]);
            }
        }
        assert!(!dir.join("merged").exists() && !dir.join("adapter.gguf").exists(), "{name}");
    }
}

/// The commands that need a tokenizer, which the golden model has not: the tiny one's adapters.
#[test]
fn training_evaluation_generation_and_chat_refuse_them_too() {
    let dir = crate::commands::workplace();
    let dir = dir.path();
    let train = ["train", "--model", "tiny.gguf", "--data", "data", "--output", "out"];
    json(&run(dir, &[&train[..], &["--max-steps", "1", "--json"]].concat()));
    let path = dir.join("out/adapter_config.json");
    let mut config: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("written")).expect("JSON");
    config["init_lora_weights"] = json!("olora");
    std::fs::write(&path, config.to_string()).expect("written");
    let more: [&[&str]; 4] = [
        &["train", "--model", "tiny.gguf", "--data", "data", "--output", "further"],
        &["eval", "--model", "tiny.gguf", "--data", "data"],
        &["generate", "--model", "tiny.gguf", "--prompt", "the"],
        &["chat", "--model", "tiny.gguf"],
    ];
    for door in more {
        let output = run(dir, &[door, &["--adapter", "out"]].concat());
        let said = refusal(&output);
        assert_eq!(output.status.code(), Some(1), "{door:?}: {said}");
        assert!(said.contains("olora") && said.contains("merge_and_unload"), "{door:?}: {said}");
    }
    // Looking at it is allowed, and says so.
    let seen = json(&run(dir, &["inspect", "out", "--json"]));
    assert!(seen["refused"][0].as_str().expect("a reason").contains("olora"), "{seen}");
}

#[test]
fn adapters_that_only_look_so_give_pefts_logits_merged_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let model = text(&golden("llama-tied"));
    let logits = |arguments: &[&str]| -> Vec<f64> {
        let answer = json(&run(dir, &[&["logits", "--json"], arguments].concat()));
        let rows: Vec<Vec<f64>> = serde_json::from_value(answer["logits"].clone()).expect("rows");
        rows.concat()
    };
    for name in READ {
        let path = adapter(name);
        let golden = std::fs::read_to_string(path.join("logits.json")).expect("logits");
        let golden: Value = serde_json::from_str(&golden).expect("JSON");
        let tokens: Vec<u32> = serde_json::from_value(golden["tokens"].clone()).expect("tokens");
        let tokens: Vec<String> = tokens.iter().map(u32::to_string).collect();
        let tokens = tokens.join(",");
        let theirs: Vec<Vec<f64>> = serde_json::from_value(golden["logits"].clone()).expect("rows");
        let theirs = theirs.concat();
        let path = text(&path);
        let ours = logits(&["--model", &model, "--adapter", &path, "--tokens", &tokens]);
        let merged = format!("merged-{name}");
        let arguments =
            ["merge", "--model", &model, "--adapter", &path, "--output", &merged, "--dtype", "f32"];
        assert!(run(dir, &arguments).status.success(), "{name}");
        let merged = logits(&["--model", &merged, "--tokens", &tokens]);
        for (what, ours) in [("adapter", ours), ("merged", merged)] {
            let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0f64, f64::max);
            assert!(worst < 1e-4 && ours.len() == theirs.len(), "{name}, {what}: {worst}");
        }
    }
}

#[test]
fn continuing_keeps_exclusions_and_expressions() {
    let text = std::fs::read_to_string(golden("llama-tied").join("config.json")).expect("config");
    let model = ModelConfig::from_hf_json(&text, "llama-tied").expect("a configuration");
    for name in ["expression", "excluded", "excluded-expression"] {
        let loaded = peft::load(&adapter(name), &model).expect("loads");
        let theirs = std::fs::read_to_string(adapter(name).join(peft::CONFIG)).expect("config");
        let theirs: Value = serde_json::from_str(&theirs).expect("JSON");
        let ours: Value = serde_json::from_str(&peft::config_json(&loaded, "x")).expect("JSON");
        for key in ["target_modules", "exclude_modules"] {
            let list = |v: &Value| -> Value {
                match v {
                    Value::Array(names) => {
                        let mut names: Vec<String> =
                            names.iter().map(ToString::to_string).collect();
                        names.sort();
                        json!(names)
                    }
                    other => other.clone(),
                }
            };
            assert_eq!(list(&ours[key]), list(&theirs[key]), "{name}: {key}");
        }
        let again = peft::from_bytes(&peft::to_bytes(&loaded, "x"), None, &model).expect("reads");
        assert_eq!(again, loaded, "{name}");
    }
}

/// A copy of the adapter `gaussian` with another configuration.
pub fn changed(dir: &Path, change: impl FnOnce(&mut Value)) -> PathBuf {
    let to = dir.join("changed");
    let _ = std::fs::remove_dir_all(&to);
    std::fs::create_dir(&to).expect("a folder");
    let from = adapter("gaussian");
    std::fs::copy(from.join(peft::WEIGHTS), to.join(peft::WEIGHTS)).expect("copied");
    let text = std::fs::read_to_string(from.join(peft::CONFIG)).expect("config");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut config);
    std::fs::write(to.join(peft::CONFIG), config.to_string()).expect("written");
    to
}

#[test]
fn one_rule_holds_for_every_key_and_for_keys_of_later_versions() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(golden("llama-tied").join("config.json")).expect("config");
    let model = ModelConfig::from_hf_json(&text, "here").expect("a configuration");
    let of = |key: &str, value: Value| {
        let path = changed(dir.path(), |config| config[key] = value);
        peft::load(&path, &model).map(drop).map_err(|e| e.to_string())
    };
    for (key, value, part) in [
        ("init_lora_weights", json!("corda"), "corda"),
        ("init_lora_weights", json!("LoftQ"), "LoftQ"),
        ("init_lora_weights", json!("lora_ga"), "lora_ga"),
        ("init_lora_weights", json!("something_new"), "not known here"),
        ("use_qalora", json!(true), "QALoRA"),
        ("megatron_config", json!({ "tensor_model_parallel_size": 2 }), "Megatron"),
        ("use_bdlora", json!({ "nblocks": 2 }), "block-diagonal"),
        ("kasa_config", json!({ "beta": 1 }), "KaSA"),
        ("arrow_config", json!({ "top_k": 2 }), "router"),
        ("task_type", json!("SEQ_CLS"), "another head"),
        ("use_dora", json!(true), "no lora_magnitude_vector"),
        ("rank_pattern", json!({ "q_proj": 7 }), "rank_pattern disagree"),
        ("r", json!(4), "r = 4"),
        ("a_key_of_the_future", json!("on"), "a_key_of_the_future"),
    ] {
        let said = of(key, value.clone()).expect_err(&format!("{key} = {value} is refused"));
        assert!(said.contains(part), "{key}: {said}");
    }
    for (key, value) in [
        ("init_lora_weights", json!(false)),
        ("init_lora_weights", json!("eva")),
        ("corda_config", json!({ "corda_method": "ipm" })),
        ("megatron_core", json!("megatron.core")),
        ("a_key_of_the_future", Value::Null),
        ("a_switch_of_the_future", json!(false)),
        ("peft_version", json!("9.9.9")),
        ("fan_in_fan_out", json!(true)),
    ] {
        of(key, value.clone()).unwrap_or_else(|e| panic!("{key} = {value}: {e}"));
    }
    // All reasons at once.
    let path = changed(dir.path(), |config| {
        config["bias"] = json!("all");
        config["use_qalora"] = json!(true);
    });
    let said = peft::load(&path, &model).expect_err("refused").to_string();
    assert!(said.contains("bias") && said.contains("QALoRA"), "{said}");
}

#[test]
fn an_adapter_without_targets_is_what_its_tensors_are() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(golden("llama-tied").join("config.json")).expect("config");
    let model = ModelConfig::from_hf_json(&text, "here").expect("a configuration");
    // PEFT's expression that this program's regular expressions do not have, and no targets at all.
    for targets in [json!(r".*layers\.1\.(?!x)self_attn.q_proj"), Value::Null] {
        let path = changed(dir.path(), |config| config["target_modules"] = targets.clone());
        let from = adapter("expression").join(peft::WEIGHTS);
        std::fs::copy(from, path.join(peft::WEIGHTS)).expect("copied");
        let loaded = peft::load(&path, &model).unwrap_or_else(|e| panic!("{targets}: {e}"));
        assert!(loaded.layers[0].is_empty() && !loaded.layers[1].is_empty(), "{targets}");
        let again = peft::from_bytes(&peft::to_bytes(&loaded, "x"), None, &model).expect("reads");
        assert_eq!(again.layouts, loaded.layouts, "{targets}");
    }
}

#[test]
fn another_base_is_named_with_the_one_at_hand() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let read = |name: &str| {
        let text = std::fs::read_to_string(golden(name).join("config.json")).expect("config");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let mut deeper = read("llama-tied");
    deeper["num_hidden_layers"] = json!(3);
    let mut shallower = read("llama-tied");
    shallower["num_hidden_layers"] = json!(1);
    for (name, config) in [
        ("deeper", deeper),
        ("shallower", shallower),
        ("qwen", read("qwen3")),
        ("two", read("gpt2")),
    ] {
        let model = ModelConfig::from_hf_json(&config.to_string(), name).expect("a configuration");
        let said = peft::load(&adapter("gaussian"), &model).expect_err(name).to_string();
        assert!(said.contains("names llama-tied as its base"), "{name}: {said}");
        assert!(said.contains(&format!("the model is {name}")), "{name}: {said}");
    }
    // A merge into the wrong base too, and it leaves nothing.
    let output = run(
        dir,
        &[
            "merge",
            "--model",
            &text(&golden("qwen3")),
            "--adapter",
            &text(&adapter("gaussian")),
            "--output",
            "merged",
        ],
    );
    assert!(refusal(&output).contains("llama-tied"), "{}", refusal(&output));
    let left: Vec<_> = std::fs::read_dir(dir).expect("a folder").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_merge_or_export_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let base = dir.join("base");
    std::fs::create_dir(&base).expect("a folder");
    write_tiny_folder(&base, 1);
    let files = |path: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(path).expect("a folder").flatten();
        let mut names: Vec<String> =
            entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    std::fs::create_dir(dir.join("there")).expect("a folder");
    for target in ["new", "there"] {
        assert!(run(dir, &["merge", "--model", "base", "--output", target]).status.success());
        assert_eq!(files(&dir.join(target)), ["config.json", "model.safetensors"], "{target}");
    }
    // The last tensor that is written is no number.
    let mut weights = tiny_weights(1);
    let last = weights.values_mut().next_back().expect("a tensor");
    last.1.fill(f32::NAN);
    std::fs::write(base.join("model.safetensors"), safetensors_bytes(&weights)).expect("written");
    std::fs::create_dir(dir.join("empty")).expect("a folder");
    for target in ["other", "empty"] {
        let said = refusal(&run(dir, &["merge", "--model", "base", "--output", target]));
        assert!(said.contains("not finite"), "{said}");
    }
    assert_eq!(files(dir), ["base", "empty", "new", "there"]);
    assert!(files(&dir.join("empty")).is_empty());

    let dir = crate::commands::workplace();
    let dir = dir.path();
    let train = ["train", "--model", "tiny.gguf", "--data", "data", "--output", "out"];
    json(&run(dir, &[&train[..], &["--max-steps", "1", "--json"]].concat()));
    let export = ["export", "--model", "tiny.gguf", "--adapter", "out", "--output", "a.gguf"];
    let output = run(dir, &[&export[..], &["--modelfile", "no/such/folder/Modelfile"]].concat());
    assert!(refusal(&output).contains("no/such/folder"), "{}", refusal(&output));
    assert!(!dir.join("a.gguf").exists());
}

#[test]
fn an_adapter_that_is_not_where_it_was_said_is_found_or_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let config = ModelConfig::from_hf_json(
        &std::fs::read_to_string(golden("llama-tied").join("config.json")).expect("config"),
        "here",
    )
    .expect("a configuration");
    let said = |path: &Path| peft::load(path, &config).expect_err("refused").to_string();
    assert!(said(&dir.join("none")).contains("does not exist"));
    let copy = |to: &Path| {
        std::fs::create_dir_all(to).expect("a folder");
        for file in [peft::WEIGHTS, peft::CONFIG] {
            std::fs::copy(adapter("gaussian").join(file), to.join(file)).expect("copied");
        }
    };
    let steps = dir.join("steps");
    copy(&steps.join("checkpoint-9"));
    copy(&steps.join("checkpoint-10"));
    std::fs::create_dir(steps.join("checkpoint-11")).expect("a folder");
    let text = said(&steps);
    assert!(text.contains("of step 10") && text.contains("checkpoint-10"), "{text}");

    let pickled = dir.join("pickled");
    copy(&pickled);
    std::fs::remove_file(pickled.join(peft::WEIGHTS)).expect("removed");
    assert!(said(&pickled).contains("no adapter_model.safetensors"));
    std::fs::write(pickled.join("adapter_model.bin"), b"PK").expect("written");
    assert!(said(&pickled).contains("pickle") && said(&pickled).contains("save_pretrained"));

    let pointer = dir.join("pointer");
    copy(&pointer);
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n";
    std::fs::write(pointer.join(peft::WEIGHTS), lfs).expect("written");
    let text = said(&pointer);
    assert!(text.contains("Git LFS pointer") && text.contains("1234 bytes"), "{text}");
    assert!(
        said(&golden("llama-tied")).contains("--model")
            || golden("llama-tied").join(peft::CONFIG).exists()
    );
}
