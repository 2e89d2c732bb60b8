//! DeepSeek V2 and V3: layouts of their checkpoints, their modules and targets, and what is refused.
//! What they compute is compared with transformers and PEFT in `golden`.

use crate::common::{golden, lora_config, safetensors_bytes};
use candle_core::quantized::{gguf_file, GgmlDType, QTensor};
use candle_core::{Device, Tensor as DeviceTensor};
use openledger_engine::lora::{targets, Adapter};
use openledger_engine::model::config::AttentionKind;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::gguf::{names, Gguf};
use openledger_engine::model::{Model, ModelConfig, Role};
use openledger_engine::peft;
use safetensors::SafeTensors;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shape and values.
type Tensor = (Vec<usize>, Vec<f32>);

fn config_text(case: &str) -> Value {
    let text = std::fs::read_to_string(golden(case).join("config.json")).expect("config.json");
    serde_json::from_str(&text).expect("JSON")
}

/// A tensor of a golden model, which is in bf16.
fn values_of(file: &SafeTensors<'_>, name: &str) -> Tensor {
    let view = file.tensor(name).expect("a tensor");
    let values = view.data().chunks_exact(2);
    let values = values.map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect();
    (view.shape().to_vec(), values)
}

/// A golden model and PEFT's adapter for it.
fn load(case: &str) -> (Arc<Model>, Adapter) {
    let model = Arc::new(Model::open(&golden(case)).expect("the model loads"));
    let adapter = peft::load(&golden(case).join("adapter"), &model.config).expect("loads");
    (model, adapter)
}

fn config(case: &str) -> ModelConfig {
    ModelConfig::from_hf_json(&config_text(case).to_string(), case).expect("a configuration")
}

#[test]
fn stacked_experts_give_the_same_model_as_single_ones() {
    let name = "deepseek-v3";
    let bytes = std::fs::read(golden(name).join("model.safetensors")).expect("weights");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut stacks: BTreeMap<String, Vec<Tensor>> = BTreeMap::new();
    let values = |n: &str| values_of(&file, n);
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
    let tokens: Vec<u32> = (0..30).map(|i| 1 + (i * 17) % 50).collect();
    let (single, adapter) = load(name);
    let logits = |model: Arc<Model>| {
        let runner = Runner::new(model, 30).expect("a runner");
        runner.logits(&Batch::new(&[(&tokens, &[])]), Some(&adapter)).expect("logits")
    };
    assert_eq!(logits(Arc::new(model)), logits(single));

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
    let (model, adapter) = load("deepseek-v2");
    let text = peft::config_json(&adapter, "base");
    let name = "base_model.model.model.layers.1.mlp.experts.base_layer.lora_A.weight";
    let tensors = BTreeMap::from([(name.to_owned(), (vec![1, 1], vec![1f32]))]);
    let bytes = safetensors_bytes(&tensors);
    let error = |bytes: &[u8], config: &str| {
        peft::from_bytes(bytes, Some(config), &model.config).expect_err("refused").to_string()
    };
    assert!(error(&bytes, &text).contains("routed experts"));
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    config["target_parameters"] = json!(["gate_up_proj"]);
    let good = peft::to_bytes(&adapter, "base");
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
    for (field, value) in
        [("n_routed_experts", 4096), ("moe_intermediate_size", 16_384), ("hidden_size", 16_384)]
    {
        json[field] = json!(value);
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
    let (model, adapter) = load("deepseek-v2-lite");
    let with = |names: &[&str]| -> Value {
        let mut adapter = adapter.clone();
        adapter.config = lora_config(&model, 2, 4.0, names);
        adapter.config.dropout = 0.1;
        serde_json::from_str(&peft::config_json(&adapter, "base")).expect("JSON")
    };
    assert_eq!(with(&["q_proj"])["lora_dropout"], 0.1);
    let parameters = with(&["q_proj", "mlp.shared_experts.up_proj"]);
    assert_eq!(parameters["lora_dropout"], 0.0);
    assert_eq!(parameters["target_modules"], json!(["q_proj"]));
    assert_eq!(parameters["target_parameters"], json!(["mlp.shared_experts.up_proj.weight"]));
}

/// The keys that llama.cpp's converter writes for a configuration; `mla` as its newer versions do.
fn gguf_keys(json: &Value, config: &ModelConfig, mla: bool) -> Vec<(String, gguf_file::Value)> {
    use gguf_file::Value::{Bool, String, F32, U32};
    let size = |key: &str| json[key].as_u64().unwrap_or(0) as u32;
    let (nope, rope, value) =
        (size("qk_nope_head_dim"), size("qk_rope_head_dim"), size("v_head_dim"));
    let rank = size("kv_lora_rank");
    let experts = config.experts.expect("experts");
    let mut keys = vec![
        ("block_count", U32(size("num_hidden_layers"))),
        ("context_length", U32(size("max_position_embeddings"))),
        ("embedding_length", U32(size("hidden_size"))),
        ("feed_forward_length", U32(size("intermediate_size"))),
        ("attention.head_count", U32(size("num_attention_heads"))),
        ("attention.layer_norm_rms_epsilon", F32(config.norm_eps)),
        ("attention.kv_lora_rank", U32(rank)),
        ("vocab_size", U32(size("vocab_size"))),
        ("rope.dimension_count", U32(rope)),
        ("rope.freq_base", F32(config.rotary().expect("rotary").theta as f32)),
        ("leading_dense_block_count", U32(size("first_k_dense_replace"))),
        ("expert_count", U32(size("n_routed_experts"))),
        ("expert_used_count", U32(size("num_experts_per_tok"))),
        ("expert_shared_count", U32(size("n_shared_experts"))),
        ("expert_feed_forward_length", U32(size("moe_intermediate_size"))),
        ("expert_weights_scale", F32(experts.routing.scale)),
    ];
    if mla {
        keys.extend([
            ("attention.head_count_kv", U32(1)),
            ("attention.key_length", U32(rank + rope)),
            ("attention.value_length", U32(rank)),
            ("attention.key_length_mla", U32(nope + rope)),
            ("attention.value_length_mla", U32(value)),
            ("expert_group_count", U32(size("n_group"))),
            ("expert_group_used_count", U32(size("topk_group"))),
        ]);
    } else {
        keys.extend([
            ("attention.head_count_kv", U32(size("num_attention_heads"))),
            ("attention.key_length", U32(nope + rope)),
            ("attention.value_length", U32(value)),
        ]);
    }
    if json["q_lora_rank"].is_u64() {
        keys.push(("attention.q_lora_rank", U32(size("q_lora_rank"))));
    }
    if experts.routing.normalize {
        keys.push(("expert_weights_norm", Bool(true)));
    }
    let yarn = &json["rope_parameters"];
    if yarn["rope_type"] == "yarn" {
        let number = |key: &str| yarn[key].as_f64().expect("a number");
        let original = number("original_max_position_embeddings") as u32;
        keys.extend([
            ("rope.scaling.type", String("yarn".to_owned())),
            ("rope.scaling.factor", F32(number("factor") as f32)),
            ("rope.scaling.original_context_length", U32(original)),
            ("rope.scaling.yarn_beta_fast", F32(number("beta_fast") as f32)),
            ("rope.scaling.yarn_beta_slow", F32(number("beta_slow") as f32)),
            ("rope.scaling.yarn_log_multiplier", F32((0.1 * number("mscale_all_dim")) as f32)),
        ]);
    }
    let mut all: Vec<_> =
        keys.into_iter().map(|(key, value)| (format!("deepseek2.{key}"), value)).collect();
    all.push(("general.architecture".to_owned(), String("deepseek2".to_owned())));
    all
}

/// The golden model's tensors as llama.cpp's converter lays them out.
fn gguf_tensors(case: &str, config: &ModelConfig, mla: bool) -> BTreeMap<String, Tensor> {
    let AttentionKind::Latent(attention) = config.attention else { panic!("a latent attention") };
    let sizes = attention.sizes;
    let bytes = std::fs::read(golden(case).join("model.safetensors")).expect("weights");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut list = file.names();
    // Experts in their order; a model has fewer than ten.
    list.sort_unstable();
    for name in list {
        let place = names::Family::DeepSeek2.place(name).expect("a place");
        let (shape, values) = values_of(&file, name);
        if place.expert.is_some() {
            let (stacked, all) = tensors
                .entry(place.tensor)
                .or_insert_with(|| (vec![0, shape[0], shape[1]], vec![]));
            stacked[0] += 1;
            all.extend(values);
        } else if let Some(block) = place.tensor.strip_suffix("attn_kv_b.weight").filter(|_| mla) {
            let (heads, rank) = (sizes.heads, sizes.latent);
            let (mut k, mut v) = (Vec::new(), Vec::new());
            for head in values.chunks_exact((sizes.nope + sizes.value) * rank) {
                let (nope, value) = head.split_at(sizes.nope * rank);
                k.extend(
                    (0..rank * sizes.nope).map(|i| nope[i % sizes.nope * rank + i / sizes.nope]),
                );
                v.extend(value);
            }
            tensors.insert(format!("{block}attn_k_b.weight"), (vec![heads, rank, sizes.nope], k));
            tensors.insert(format!("{block}attn_v_b.weight"), (vec![heads, sizes.value, rank], v));
        } else {
            tensors.insert(place.tensor, (shape, values));
        }
    }
    tensors
}

#[test]
fn gguf_files_old_and_new_give_the_same_model() {
    for (case, mla) in [("deepseek-v3", true), ("deepseek-v2-lite", false), ("deepseek-v2", true)] {
        let mut json = config_text(case);
        if case == "deepseek-v2" {
            // The format has one number for both.
            json["rope_parameters"]["mscale"] = json!(0.707);
            json["rope_parameters"]["mscale_all_dim"] = json!(0.707);
        }
        let config = ModelConfig::from_hf_json(&json.to_string(), "model").expect("parses");
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("model.gguf");
        let tensors: Vec<(String, QTensor)> = gguf_tensors(case, &config, mla)
            .into_iter()
            .map(|(name, (shape, values))| {
                let tensor = DeviceTensor::from_vec(values, shape, &Device::Cpu).expect("a tensor");
                (name, QTensor::quantize(&tensor, GgmlDType::F32).expect("kept as it is"))
            })
            .collect();
        let keys = gguf_keys(&json, &config, mla);
        let keys: Vec<(&str, &gguf_file::Value)> =
            keys.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(n, t)| (n.as_str(), t)).collect();
        let mut file = std::fs::File::create(&path).expect("created");
        gguf_file::write(&mut file, &keys, &tensors).expect("written");
        drop(file);

        let from_gguf = Model::open(&path).expect("the GGUF file loads");
        assert_eq!(from_gguf.config, config, "{case}");
        let merged = tempfile::tempdir().expect("a folder");
        crate::merging::merged_equals_adapted(&path, merged.path(), |c| c);
        std::fs::copy(golden(case).join("model.safetensors"), dir.path().join("model.safetensors"))
            .expect("copied");
        std::fs::write(dir.path().join("config.json"), json.to_string()).expect("written");
        let from_folder = Model::open(dir.path()).expect("the folder loads");
        let tokens: Vec<u32> = (0..30).map(|i| 1 + (i * 17) % 50).collect();
        let logits = |model: Model| {
            let runner = Runner::new(Arc::new(model), 30).expect("a runner");
            runner.logits(&Batch::new(&[(&tokens, &[])]), None).expect("logits")
        };
        assert_eq!(logits(from_gguf), logits(from_folder), "{case}");
    }
}

#[test]
fn gguf_keys_that_do_not_fit_together_are_refused() {
    use gguf_file::Value::U32;
    let json = config_text("deepseek-v3");
    let config = config("deepseek-v3");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("model.gguf");
    let (shape, values) = (vec![56, 24], vec![0f32; 56 * 24]);
    let embedding = DeviceTensor::from_vec(values, shape, &Device::Cpu).expect("a tensor");
    let embedding = QTensor::quantize(&embedding, GgmlDType::F32).expect("kept as it is");
    for (key, value) in [
        ("attention.key_length_mla", 7),
        ("attention.kv_lora_rank", u32::MAX),
        ("attention.head_count", 0),
        ("attention.head_count", u32::MAX),
        ("block_count", u32::MAX),
        ("nextn_predict_layers", 9),
        ("expert_count", 0),
        ("expert_count", u32::MAX),
        ("expert_used_count", 100),
        ("expert_group_count", 3),
        ("expert_group_used_count", 9),
        ("expert_gating_func", 7),
        ("expert_shared_count", u32::MAX),
        ("expert_feed_forward_length", u32::MAX),
        ("rope.dimension_count", 3),
        ("vocab_size", 57),
    ] {
        let mut keys = gguf_keys(&json, &config, true);
        let full = format!("deepseek2.{key}");
        keys.retain(|(k, _)| *k != full);
        keys.push((full, U32(value)));
        let keys: Vec<(&str, &gguf_file::Value)> =
            keys.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let mut file = std::fs::File::create(&path).expect("created");
        gguf_file::write(&mut file, &keys, &[("token_embd.weight", &embedding)]).expect("written");
        drop(file);
        let refused = Gguf::open(&path).and_then(|mut gguf| gguf.config());
        assert!(refused.is_err(), "{key} = {value}");
    }
}
