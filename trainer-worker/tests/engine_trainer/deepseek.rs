//! DeepSeek V2 and V3 against transformers and PEFT (scripts/golden/deepseek.py), their
//! checkpoints' layouts, and what is refused.

use crate::against_torch::Case;
use crate::common::{golden, lora_config, safetensors_bytes};
use safetensors::SafeTensors;
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use trainer_worker::lora::targets;
use trainer_worker::model::{Model, ModelConfig, Role};
use trainer_worker::peft;

/// Shape and values.
type Tensor = (Vec<usize>, Vec<f32>);

const CASES: [&str; 3] = ["deepseek-v2", "deepseek-v2-lite", "deepseek-v3"];

fn config_text(case: &str) -> Value {
    let text = std::fs::read_to_string(golden(case).join("config.json")).expect("config.json");
    serde_json::from_str(&text).expect("JSON")
}

fn config(case: &str) -> ModelConfig {
    ModelConfig::from_hf_json(&config_text(case).to_string(), case).expect("a configuration")
}

#[test]
fn deepseek_logits_equal_transformers_with_and_without_adapter() {
    for name in CASES {
        Case::load(&golden(name)).check_logits(name);
    }
}

#[test]
fn every_gradient_of_a_deepseek_adapter_equals_torch() {
    for name in CASES {
        Case::load(&golden(name)).check_gradients(name);
    }
}

#[test]
fn twenty_adamw_steps_of_deepseek_follow_torch() {
    for name in CASES {
        Case::load(&golden(name)).check_training(name);
    }
}

#[test]
fn deepseek_decodes_step_by_step_as_all_at_once() {
    for name in CASES {
        Case::load(&golden(name)).check_decoding(name);
    }
}

/// For models that `scripts/golden/deepseek.py random` made; prints and checks each of them, and
/// exports the trained adapter for `deepseek.py check`:
/// `DEEPSEEK_MODELS=DIR cargo test … compare_random -- --ignored --nocapture`.
#[test]
#[ignore = "needs models made by scripts/golden/deepseek.py random"]
fn compare_random() {
    let folder = std::env::var("DEEPSEEK_MODELS").expect("DEEPSEEK_MODELS names the folder");
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .expect("readable")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.join("golden.json").exists())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    let mut failed = 0;
    for folder in folders {
        let name = folder.display().to_string();
        let case = Case::load(&folder);
        let check = |what: &str, f: &dyn Fn()| {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
            println!("{name} {what}: {}", if caught.is_ok() { "equal" } else { "DIFFERS" });
            caught.is_ok()
        };
        failed += usize::from(!check("logits", &|| case.check_logits(&name)));
        failed += usize::from(!check("gradients", &|| case.check_gradients(&name)));
        failed += usize::from(!check("training", &|| {
            case.export(&case.check_training(&name), &folder);
        }));
        failed += usize::from(!check("decoding", &|| case.check_decoding(&name)));
    }
    assert_eq!(failed, 0);
}

#[test]
fn adapters_are_written_with_the_names_and_targets_that_peft_writes() {
    for name in CASES {
        let case = Case::load(&golden(name));
        let dir = tempfile::tempdir().expect("a folder");
        peft::save(dir.path(), &case.adapter, "base").expect("saved");
        let shapes = |path: &Path| -> BTreeMap<String, Vec<usize>> {
            let bytes = std::fs::read(path.join(peft::WEIGHTS)).expect("weights");
            let file = SafeTensors::deserialize(&bytes).expect("safetensors");
            file.tensors().into_iter().map(|(n, v)| (n, v.shape().to_vec())).collect()
        };
        let theirs = golden(name).join("adapter");
        assert_eq!(shapes(dir.path()), shapes(&theirs), "{name}");
        let targets = |path: &Path, key: &str| -> BTreeSet<String> {
            let text = std::fs::read_to_string(path.join(peft::CONFIG)).expect("config");
            let json: Value = serde_json::from_str(&text).expect("JSON");
            match &json[key] {
                Value::Array(names) => {
                    names.iter().map(|n| n.as_str().expect("a name").to_owned()).collect()
                }
                _ => BTreeSet::new(),
            }
        };
        for key in ["target_modules", "target_parameters"] {
            assert_eq!(targets(dir.path(), key), targets(&theirs, key), "{name}: {key}");
        }
        let again = peft::load(dir.path(), &case.model.config).expect("loads");
        assert_eq!(again, case.adapter, "{name}");
    }
}

#[test]
fn stacked_experts_give_the_same_model_as_single_ones() {
    let name = "deepseek-v3";
    let bytes = std::fs::read(golden(name).join("model.safetensors")).expect("weights");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut stacks: BTreeMap<String, Vec<Tensor>> = BTreeMap::new();
    let values = |n: &str| -> Tensor {
        let view = file.tensor(n).expect("a tensor");
        let values = view.data().chunks_exact(2);
        let values = values.map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect();
        (view.shape().to_vec(), values)
    };
    for tensor in file.names() {
        let Some((layer, rest)) = tensor.split_once(".mlp.experts.") else {
            tensors.insert(tensor.to_owned(), values(tensor));
            continue;
        };
        let (expert, _) = rest.split_once('.').expect("an expert's part");
        let expert: usize = expert.parse().expect("a number");
        let part = |p: &str| values(&format!("{layer}.mlp.experts.{expert}.{p}_proj.weight"));
        let ((gate_shape, mut gate_up), up) = (part("gate"), part("up"));
        gate_up.extend(up.1);
        for (stack, value) in [
            ("gate_up_proj", (vec![2 * gate_shape[0], gate_shape[1]], gate_up)),
            ("down_proj", part("down")),
        ] {
            let list = stacks.entry(format!("{layer}.mlp.experts.{stack}")).or_default();
            list.resize(list.len().max(expert + 1), Default::default());
            list[expert] = value;
        }
    }
    assert!(!stacks.is_empty());
    for (name, list) in stacks {
        let mut shape = vec![list.len()];
        shape.extend(&list[0].0);
        tensors.insert(name, (shape, list.into_iter().flat_map(|(_, v)| v).collect()));
    }
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("config.json"), config_text(name).to_string()).expect("written");
    let stacked = dir.path().join("model.safetensors");
    std::fs::write(&stacked, safetensors_bytes(&tensors)).expect("written");
    let model = Model::open(dir.path()).expect("the stacked model loads");
    let case = Case::load(&golden(name));
    assert_eq!(case.logits_of(Arc::new(model)), case.logits_of(case.model.clone()));

    // A stack with an expert too few is refused.
    let key = "model.layers.1.mlp.experts.down_proj";
    let (shape, values) = tensors.get_mut(key).expect("stacked");
    shape[0] -= 1;
    values.truncate(shape.iter().product());
    std::fs::write(&stacked, safetensors_bytes(&tensors)).expect("written");
    let error = Model::open(dir.path()).expect_err("refused").to_string();
    assert!(error.contains(key), "{error}");
}

#[test]
fn modules_and_default_targets_are_those_of_the_configuration() {
    let roles = |case: &str, layer: usize| -> Vec<Role> {
        config(case).modules(layer).iter().map(|m| m.role).collect()
    };
    use Role::{
        Down, Gate, KeyValueA, KeyValueB, Output, Query, QueryA, QueryB, SharedDown, SharedGate,
        SharedUp, Up,
    };
    assert_eq!(
        roles("deepseek-v2", 0),
        [QueryA, QueryB, KeyValueA, KeyValueB, Output, Gate, Up, Down]
    );
    assert_eq!(
        roles("deepseek-v2-lite", 1),
        [Query, KeyValueA, KeyValueB, Output, SharedGate, SharedUp, SharedDown]
    );
    let resolve = |case: &str, wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        targets::resolve(&config(case), &wanted)
    };
    assert_eq!(
        resolve("deepseek-v2-lite", &[]).expect("defaults"),
        ["q_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]
    );
    assert_eq!(
        resolve("deepseek-v3", &[]).expect("defaults"),
        ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]
    );
    for routed in ["experts", "mlp.experts.3.down_proj", "experts.gate_up_proj"] {
        let error = resolve("deepseek-v3", &[routed]).expect_err("refused").to_string();
        assert!(error.contains("routed experts"), "{error}");
    }
}

#[test]
fn peft_adapters_of_routed_experts_are_refused_by_name() {
    let case = Case::load(&golden("deepseek-v2"));
    let text = peft::config_json(&case.adapter, "base");
    let name = "base_model.model.model.layers.1.mlp.experts.base_layer.lora_A.weight";
    let tensors = BTreeMap::from([(name.to_owned(), (vec![1, 1], vec![1f32]))]);
    let bytes = safetensors_bytes(&tensors);
    let error = |bytes: &[u8], config: &str| {
        peft::from_bytes(bytes, Some(config), &case.model.config).expect_err("refused").to_string()
    };
    assert!(error(&bytes, &text).contains("routed experts"));
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    config["target_parameters"] = json!(["gate_up_proj"]);
    let good = peft::to_bytes(&case.adapter, "base");
    assert!(error(&good, &config.to_string()).contains("routed experts"));
}

#[test]
fn impossible_experts_and_latents_are_refused() {
    let refused = |case: &str, field: &str, value: Value| {
        let mut json = config_text(case);
        json[field] = value;
        let error = ModelConfig::from_hf_json(&json.to_string(), "x")
            .expect_err(&format!("{case}: {field} = {} is refused", json[field]))
            .to_string();
        assert!(error.contains(field), "{field}: {error}");
    };
    for case in ["deepseek-v2", "deepseek-v3"] {
        for (field, values) in [
            ("n_routed_experts", vec![json!(0), json!(5), json!(1 << 20), json!("many")]),
            ("num_experts_per_tok", vec![json!(0), json!(7), json!(u64::MAX)]),
            ("n_group", vec![json!(0), json!(5), json!(u64::MAX)]),
            ("topk_group", vec![json!(0), json!(9)]),
            ("moe_intermediate_size", vec![json!(0), json!(u64::MAX)]),
            ("n_shared_experts", vec![json!(u64::MAX), json!(-1)]),
            ("moe_layer_freq", vec![json!(0)]),
            ("routed_scaling_factor", vec![json!(0.0), json!(-1.0), json!("x")]),
            ("kv_lora_rank", vec![json!(0), json!(u64::MAX)]),
            ("q_lora_rank", vec![json!(0), json!(u64::MAX)]),
            ("qk_nope_head_dim", vec![json!(0), json!(u64::MAX)]),
            ("v_head_dim", vec![json!(0), json!(u64::MAX)]),
            ("num_key_value_heads", vec![json!(1)]),
            ("scoring_func", vec![json!("tanh")]),
            ("topk_method", vec![json!("random")]),
        ] {
            for value in values {
                // Five experts or groups do not divide, 5 of 6 and of 8.
                if field == "n_routed_experts" || field == "n_group" {
                    let mut json = config_text(case);
                    json[field] = value;
                    assert!(ModelConfig::from_hf_json(&json.to_string(), "x").is_err(), "{field}");
                } else {
                    refused(case, field, value);
                }
            }
        }
    }
    // Sizes that fit one by one but not together.
    let mut json = config_text("deepseek-v3");
    for field in ["n_routed_experts", "moe_intermediate_size", "hidden_size"] {
        json[field] = json!(4096);
    }
    let error = ModelConfig::from_hf_json(&json.to_string(), "x").expect_err("refused").to_string();
    assert!(error.contains("parameters"), "{error}");
    // An odd rotary part cannot turn.
    json = config_text("deepseek-v2");
    json["qk_rope_head_dim"] = json!(7);
    assert!(ModelConfig::from_hf_json(&json.to_string(), "x").is_err());
}

#[test]
fn moe_layer_freq_spaces_the_experts_unless_the_checkpoint_has_them_everywhere() {
    let mut json = config_text("deepseek-v3");
    (json["moe_layer_freq"], json["num_hidden_layers"]) = (json!(2), json!(5));
    let config = ModelConfig::from_hf_json(&json.to_string(), "x").expect("a configuration");
    let has = |layer: usize| config.module(layer, Role::SharedUp).is_some();
    assert_eq!((0..5).map(has).collect::<Vec<_>>(), [false, false, true, false, true]);

    let dir = tempfile::tempdir().expect("a folder");
    let from = golden("deepseek-v3");
    std::fs::copy(from.join("model.safetensors"), dir.path().join("model.safetensors"))
        .expect("copied");
    let mut json = config_text("deepseek-v3");
    json["moe_layer_freq"] = json!(2);
    std::fs::write(dir.path().join("config.json"), json.to_string()).expect("written");
    let model = Model::open(dir.path()).expect("transformers' checkpoint loads");
    assert!(model.config.module(1, Role::SharedUp).is_some());
}

#[test]
fn dropout_is_not_written_where_peft_would_refuse_it() {
    let case = Case::load(&golden("deepseek-v2-lite"));
    let with = |names: &[&str]| -> Value {
        let mut adapter = case.adapter.clone();
        adapter.config = lora_config(&case.model, 2, 4.0, names);
        adapter.config.dropout = 0.1;
        serde_json::from_str(&peft::config_json(&adapter, "base")).expect("JSON")
    };
    assert_eq!(with(&["q_proj"])["lora_dropout"], 0.1);
    let parameters = with(&["q_proj", "mlp.shared_experts.up_proj"]);
    assert_eq!(parameters["lora_dropout"], 0.0);
    assert_eq!(parameters["target_modules"], json!(["q_proj"]));
    assert_eq!(parameters["target_parameters"], json!(["mlp.shared_experts.up_proj.weight"]));
}
