//! What a configuration chooses in each family, which modules can be adapted, and what is refused.

use crate::common::{golden, safetensors_bytes};
use openledger_engine::lora::targets::{self, selected};
use openledger_engine::lora::Role;
use openledger_engine::model::config::{AttentionKind, FeedForwardKind, FusedLayout, NormKind};
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::{Family, Model, ModelConfig};
use safetensors::SafeTensors;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::Path;

const FAMILIES: [&str; 10] = [
    "llama-tied",
    "llama-untied",
    "mistral",
    "qwen2",
    "qwen3",
    "gpt2",
    "bloom",
    "chatglm",
    "glm",
    "glm4",
];

fn json_of(name: &str) -> Value {
    let text = std::fs::read_to_string(golden(name).join("config.json")).expect("config.json");
    serde_json::from_str(&text).expect("JSON")
}

fn read(json: &Value) -> Result<ModelConfig, String> {
    ModelConfig::from_hf_json(&json.to_string(), "x").map_err(|e| e.to_string())
}

/// The golden configuration of a family with some fields changed (or removed, by null).
fn with(name: &str, changes: &Value) -> Result<ModelConfig, String> {
    let mut json = json_of(name);
    for (key, value) in changes.as_object().expect("an object") {
        json[key] = value.clone();
    }
    read(&json)
}

fn config(name: &str) -> ModelConfig {
    read(&json_of(name)).expect("a configuration")
}

#[test]
fn a_configuration_chooses_the_parts() {
    let gpt2 = config("gpt2");
    assert_eq!(gpt2.attention_kind(0), AttentionKind::Fused(FusedLayout::Sections));
    assert_eq!((gpt2.norm, gpt2.feed_forward_kind(0)), (NormKind::Layer, FeedForwardKind::Plain));
    assert_eq!((gpt2.intermediate_size, gpt2.qkv_bias), (56, true));
    let scaled = with("gpt2", &json!({"scale_attn_by_inverse_layer_idx": true, "n_inner": null}))
        .expect("a configuration");
    assert_eq!(scaled.intermediate_size, 4 * 32);
    assert_eq!(scaled.heads(1).scale, scaled.heads(0).scale / 2.0);

    let bloom = config("bloom");
    assert_eq!(bloom.attention_kind(0), AttentionKind::Fused(FusedLayout::PerHead));
    assert!(bloom.embedding_norm && bloom.tie_word_embeddings && bloom.rotary().is_none());

    let glm4 = config("glm4");
    assert!(glm4.output_norms && glm4.qkv_bias && !glm4.attention_output_bias);
    assert_eq!(glm4.rotary().map(|r| (r.dim, r.interleaved)), Some((6, true)));
    assert_eq!(glm4.feed_forward_kind(0), FeedForwardKind::GatedFused);

    let chatglm = config("chatglm");
    assert_eq!((chatglm.num_key_value_heads, chatglm.rotary().map(|r| r.dim)), (2, Some(4)));
    let whole = with("chatglm", &json!({"multi_query_attention": false})).expect("read");
    assert_eq!(whole.attention_kind(0), AttentionKind::Fused(FusedLayout::PerHead));

    let qwen3 = config("qwen3");
    assert!(qwen3.qk_norm && !qwen3.qkv_bias && qwen3.head_dim == 10);

    // Windows: all layers of Mistral, the upper ones of Qwen, and only where they are wanted.
    let mistral = config("mistral");
    assert_eq!((mistral.window(0), mistral.window(1)), (Some(7), Some(7)));
    let without = with("mistral", &json!({"sliding_window": null})).expect("read");
    assert_eq!(without.window(0), None);
    let qwen2 = config("qwen2");
    assert_eq!((qwen2.window(0), qwen2.window(1)), (None, Some(5)));
    let by_layers = json!({"layer_types": null, "max_window_layers": 0});
    assert_eq!(with("qwen2", &by_layers).expect("read").window(0), Some(5));
    let off = json!({"use_sliding_window": false, "layer_types": null});
    let off = with("qwen2", &off).expect("read");
    assert_eq!(off.window(1), None);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let refused = |name: &str, changes: Value, words: &[&str]| {
        let error = with(name, &changes).expect_err("refused");
        for word in words {
            assert!(error.contains(word), "{name} {changes}: {error}");
        }
    };
    refused("llama-tied", json!({"model_type": "llama4"}), &["llama4", "mistral", "chatglm"]);
    refused("gpt2", json!({"activation_function": "mish"}), &["mish", "gelu_new"]);
    refused("gpt2", json!({"add_cross_attention": true}), &["add_cross_attention"]);
    refused("gpt2", json!({"n_head": 5}), &["n_embd", "multiple of n_head = 5"]);
    refused("bloom", json!({"n_head": 7}), &["multiple of n_head = 7"]);
    refused("chatglm", json!({"quantization_bit": 4}), &["quantization_bit", "unquantised"]);
    refused("chatglm", json!({"pre_seq_len": 128}), &["pre_seq_len"]);
    refused("chatglm", json!({"multi_query_group_num": 3}), &["num_key_value_heads", "divide"]);
    refused("qwen2", json!({"layer_types": ["full_attention"]}), &["layer_types"]);
    let unknown = json!(["full_attention", "chunked_attention"]);
    refused("qwen2", json!({"layer_types": unknown}), &["chunked_attention", "sliding_attention"]);
    refused("mistral", json!({"sliding_window": 0}), &["sliding_window", "at least 1"]);
    let other = json!({"rope_type": "proportional", "rope_theta": 1e4, "factor": 2.0});
    refused("glm", json!({"rope_parameters": other}), &["proportional", "yarn"]);
    refused("bloom", json!({"layer_norm_epsilon": -1.0}), &["layer_norm_epsilon"]);
}

#[test]
fn targets_are_matched_as_in_peft_and_unknown_ones_answered_with_the_familys() {
    let resolve = |name: &str, wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        targets::resolve(&config(name), &wanted).map_err(|e| e.to_string())
    };
    // The defaults of PEFT 0.21.2, and for the GLMs those of LLaMA.
    for (name, defaults) in [
        ("llama-tied", &["q_proj", "v_proj"][..]),
        ("mistral", &["q_proj", "v_proj"]),
        ("qwen2", &["q_proj", "v_proj"]),
        ("qwen3", &["q_proj", "v_proj"]),
        ("gpt2", &["c_attn"]),
        ("bloom", &["query_key_value"]),
        ("chatglm", &["query_key_value"]),
        ("glm4", &["q_proj", "v_proj"]),
    ] {
        assert_eq!(resolve(name, &[]).expect("defaults"), defaults, "{name}");
    }
    assert_eq!(
        resolve("glm", &["all-linear"]).expect("all"),
        ["q_proj", "k_proj", "v_proj", "o_proj", "down_proj", "gate_up_proj"]
    );
    assert_eq!(resolve("gpt2", &["c_fc", "c_attn", "c_fc"]).expect("known"), ["c_fc", "c_attn"]);

    // The end of a name after a dot, or the whole name.
    let gpt2 = config("gpt2");
    let adapted = |target: &str| -> Vec<(usize, Role)> {
        let names = resolve("gpt2", &[target]).expect("known");
        let all = (0..2)
            .flat_map(|layer| gpt2.modules(layer).into_iter().map(move |module| (layer, module)));
        all.filter(|(layer, module)| selected(&gpt2, *layer, module, &names))
            .map(|(layer, module)| (layer, module.role))
            .collect()
    };
    let (down, output) = (Role::Down, Role::Output);
    assert_eq!(adapted("c_proj"), [(0, output), (0, down), (1, output), (1, down)]);
    assert_eq!(adapted("attn.c_proj"), [(0, output), (1, output)]);
    assert_eq!(adapted("1.mlp.c_proj"), [(1, down)]);
    assert_eq!(adapted("transformer.h.0.mlp.c_proj"), [(0, down)]);

    for (name, target) in [
        ("gpt2", "proj"),
        ("gpt2", "q_proj"),
        ("gpt2", "lm_head"),
        ("gpt2", "transformer.h.2.attn.c_attn"),
        ("gpt2", ""),
    ] {
        let error = resolve(name, &[target]).expect_err("refused");
        assert!(error.contains("c_attn, c_proj, c_fc") || error.contains("c_fc"), "{error}");
        assert!(error.contains("gpt2"), "{error}");
    }
    let error = resolve("llama-tied", &["mlp.experts.3.down_proj"]).expect_err("refused");
    assert!(error.contains("routed experts"), "{error}");
}

#[test]
fn every_name_leads_back_to_its_module() {
    for name in FAMILIES {
        let config = config(name);
        for layer in 0..config.num_hidden_layers {
            for module in config.modules(layer) {
                let full = config.module_name(layer, &module);
                assert_eq!(config.find_module(&full), Some((layer, module)), "{full}");
            }
        }
        assert_eq!(config.find_module("lm_head"), None);
        assert!(Family::from_model_type(config.family.model_type()) == Some(config.family));
    }
}

/// The tensors of a golden model of one file, as `f32`.
fn weights(dir: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(dir.join("model.safetensors")).expect("one file");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    file.tensors()
        .into_iter()
        .map(|(name, view)| {
            assert_eq!(view.dtype(), safetensors::Dtype::BF16);
            let pairs = view.data().chunks_exact(2);
            let values = pairs
                .map(|b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16))
                .collect();
            (name, (view.shape().to_vec(), values))
        })
        .collect()
}

#[test]
fn checkpoints_without_the_models_prefix_load_too() {
    for (name, prefix) in [("bloom", "transformer."), ("qwen3", "model.")] {
        let tokens: Vec<u32> = (1..20).collect();
        let logits = |dir: &Path| {
            let model = Model::open(dir).expect("the model loads");
            let runner = Runner::new(model.into(), 20).expect("a runner");
            runner.logits(&Batch::new(&[(&tokens, &[])]), None).expect("logits")
        };
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::copy(golden(name).join("config.json"), dir.path().join("config.json"))
            .expect("copied");
        let bare: BTreeMap<_, _> = weights(&golden(name))
            .into_iter()
            .map(|(k, v)| (k.strip_prefix(prefix).unwrap_or(&k).to_owned(), v))
            .collect();
        assert!(bare.keys().any(|k| k.starts_with("h.0.") || k.starts_with("layers.0.")));
        std::fs::write(dir.path().join("model.safetensors"), safetensors_bytes(&bare))
            .expect("written");
        assert_eq!(logits(dir.path()), logits(&golden(name)), "{name}");
        // A weight that is missing is named.
        let mut less = bare.clone();
        let gone = bare.keys().find(|k| k.ends_with("down_proj.weight") || k.contains("4h_to_h"));
        let gone = gone.expect("a module").clone();
        less.remove(&gone);
        std::fs::write(dir.path().join("model.safetensors"), safetensors_bytes(&less))
            .expect("written");
        let error = Model::open(dir.path()).expect_err("incomplete").to_string();
        assert!(error.contains(&gone) && error.contains("missing"), "{error}");
    }
}

#[test]
fn no_changed_configuration_crashes_the_reader() {
    let values = [
        json!(0),
        json!(1),
        json!(3),
        json!(-1),
        json!(1e300),
        json!(0.001),
        json!(u64::MAX),
        json!(33_000_000_000u64),
        json!("text"),
        json!(true),
        json!(false),
        json!(null),
        json!([]),
        json!({}),
        json!([[], {}]),
        json!({"rope_type": "yarn", "factor": 0, "original_max_position_embeddings": 0}),
        json!({"rope_type": "yarn", "beta_fast": 1e-300, "mscale": 1e308, "mscale_all_dim": 1}),
        json!({"rope_type": "linear"}),
        json!({"rope_type": [1], "rope_theta": "x"}),
        json!({"rope_type": "default", "rope_theta": 1e308, "partial_rotary_factor": 1e-9}),
    ];
    let mut read_well = 0;
    for name in FAMILIES {
        let good = json_of(name);
        let mut keys: Vec<String> = good.as_object().expect("an object").keys().cloned().collect();
        keys.extend(
            ["rope_scaling", "head_dim", "partial_rotary_factor", "tie_word_embeddings"]
                .map(str::to_owned),
        );
        for key in &keys {
            for value in &values {
                let mut changed = good.clone();
                changed[key] = value.clone();
                if let Ok(config) = read(&changed) {
                    // What is accepted can be used: all its sizes are bounded.
                    assert!(config.parameters() <= ModelConfig::MAX_PARAMETERS);
                    let rotary = config.rotary().map(|r| r.inverse_frequencies(1));
                    assert!(rotary.is_none_or(|f| f.iter().all(|f| f.is_finite())), "{changed}");
                    read_well += 1;
                }
            }
        }
    }
    assert!(read_well > 500, "most keys do not matter: {read_well}");
}
