//! What published checkpoints hold beyond plain weights: 8-bit floating point (scripts/golden/fp8.py),
//! heads that are tied only in the configuration, tensors and settings that a model of the named
//! family does not have, and both spellings of the rotary settings.

use crate::commands::{refusal, run};
use crate::common::{golden, safetensors_bytes, tiny_config, tiny_weights, write_tiny_folder};
use openledger_engine::kernels::fp8::e4m3;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::rotary::RopeScaling;
use openledger_engine::model::{Model, ModelConfig, Precision};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::SafeTensors;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// The files of a golden model in `dir`, with changed tensors and configuration.
fn copy(
    name: &str,
    dir: &Path,
    tensors: impl Fn(&mut BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>),
    config: impl Fn(&mut Value),
) {
    let bytes = std::fs::read(golden(name).join("model.safetensors")).expect("the file");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut all: BTreeMap<_, _> = file
        .tensors()
        .into_iter()
        .map(|(n, v)| (n, (v.dtype(), v.shape().to_vec(), v.data().to_vec())))
        .collect();
    tensors(&mut all);
    let views = all.iter().map(|(n, (dtype, shape, data))| {
        (n.as_str(), TensorView::new(*dtype, shape.clone(), data).expect("a tensor"))
    });
    let bytes = safetensors::serialize(views, None).expect("serialised");
    std::fs::write(dir.join("model.safetensors"), bytes).expect("written");
    let text = std::fs::read_to_string(golden(name).join("config.json")).expect("config.json");
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    config(&mut json);
    std::fs::write(dir.join("config.json"), json.to_string()).expect("written");
}

#[test]
fn weights_in_eight_bit_floating_point_are_dequantised_as_torch_does() {
    for name in ["fp8-deepseek-v3", "fp8-qwen3"] {
        let bytes = std::fs::read(golden(name).join("golden.safetensors")).expect("the file");
        let file = SafeTensors::deserialize(&bytes).expect("safetensors");
        let values = floats(file.tensor("values").expect("values").data());
        for (byte, theirs) in values.iter().enumerate() {
            let ours = e4m3(byte as u8);
            assert!(ours == *theirs || ours.is_nan() && theirs.is_nan(), "{byte}: {ours} {theirs}");
        }
        let theirs = floats(file.tensor("logits").expect("logits").data());
        let text = std::fs::read_to_string(golden(name).join("golden.json")).expect("the file");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let ids: Vec<u32> = serde_json::from_value(json["input_ids"].clone()).expect("ids");
        let logits = |precision| {
            let model = Model::open_with(&golden(name), precision).expect("loads");
            let runner = Runner::new(Arc::new(model), ids.len()).expect("a runner");
            runner.logits(&Batch::new(&[(&ids, &[])]), None).expect("logits")
        };
        let worst = |ours: &[f32]| {
            ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max)
        };
        let ours = logits(Precision::Dense);
        assert_eq!(ours.len(), theirs.len());
        assert!(worst(&ours) <= 1e-4, "{name}: logits differ by {}", worst(&ours));
        // QLoRA on it: NF4 from the dequantised values.
        let nf4 = logits(Precision::Nf4 { double_quant: true });
        assert!(nf4.iter().all(|v| v.is_finite()) && worst(&nf4) > 1e-3, "{name}");
    }
}

#[test]
fn scales_that_are_missing_damaged_or_of_another_shape_are_refused_by_name() {
    type All = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;
    let weight = "model.layers.0.self_attn.o_proj.weight";
    let scale = format!("{weight}_scale_inv");
    let dir = tempfile::tempdir().expect("a folder");
    let error = |change: &dyn Fn(&mut All), config: &dyn Fn(&mut Value)| {
        copy("fp8-deepseek-v3", dir.path(), change, config);
        Model::open(dir.path()).expect_err("refused").to_string()
    };
    let same = |_: &mut Value| {};
    let first = |v: f32| {
        let scale = scale.clone();
        move |all: &mut All| {
            all.get_mut(&scale).expect("scales").2[..4].copy_from_slice(&v.to_le_bytes())
        }
    };
    let missing = error(&|all| drop(all.remove(&scale)), &same);
    assert!(missing.contains(weight) && missing.contains("weight_scale_inv"), "{missing}");
    for bad in [f32::NAN, f32::INFINITY, -1.0] {
        assert!(error(&first(bad), &same).contains("not finite"), "{bad}");
    }
    // Finite by itself, not times 448.
    assert!(error(&first(f32::MAX), &same).contains("not finite"));
    let shape = error(
        &|all| {
            let entry = all.get_mut(&scale).expect("scales");
            entry.1 = vec![entry.1[0] * entry.1[1]];
        },
        &same,
    );
    assert!(shape.contains("has scales"), "{shape}");
    let size = |sides: Value| {
        error(&|_| {}, &|c| c["quantization_config"]["weight_block_size"] = sides.clone())
    };
    assert!(size(json!([16, 16])).contains("has scales"));
    for sides in [json!([0, 12]), json!([16]), json!([16, 12, 1]), json!("128"), json!([16, 1e30])]
    {
        assert!(size(sides).contains("weight_block_size"));
    }
    let nan = error(&|all| all.get_mut(weight).expect("a weight").2[3] = 0x7f, &same);
    assert!(nan.contains(weight) && nan.contains("not finite"), "{nan}");
    // One scale a row, in powers of two.
    let rows = |all: &mut All| {
        let (_, shape, _) = all.get(weight).expect("a weight").clone();
        let exponents = vec![127u8; shape[0]];
        all.insert(scale.clone(), (Dtype::F8_E8M0, vec![shape[0], 1], exponents));
    };
    let whole = error(&rows, &|c| c["quantization_config"]["weight_block_size"] = Value::Null);
    assert!(!whole.contains("o_proj"), "a scale a row is read: {whole}");
}

#[test]
fn other_quantised_checkpoints_are_refused_with_what_to_do() {
    for settings in [
        json!({"quant_method": "awq", "bits": 4}),
        json!({"quant_method": "gptq", "bits": 4}),
        json!({"quant_method": "bitsandbytes", "load_in_4bit": true}),
        json!({"load_in_8bit": true}),
        json!({"quant_method": "compressed-tensors", "format": "pack-quantized"}),
        json!({"quant_method": "fp8", "fmt": "e5m2"}),
        json!({"quant_method": "mxfp4"}),
        json!([]),
    ] {
        let mut config = tiny_config();
        config["quantization_config"] = settings.clone();
        let error = ModelConfig::from_hf_json(&config.to_string(), "x").expect_err("refused");
        let error = error.to_string();
        assert!(error.contains("quant_method") && error.contains("GGUF"), "{settings}: {error}");
    }
}

#[test]
fn a_head_of_its_own_is_used_though_the_configuration_ties_it() {
    let dir = tempfile::tempdir().expect("a folder");
    write_tiny_folder(dir.path(), 3);
    let tied = Model::open(dir.path()).expect("loads");
    assert!(tied.config.tie_word_embeddings);
    let mut weights = tiny_weights(3);
    let embedding = weights["model.embed_tokens.weight"].clone();
    let write = |weights: &BTreeMap<_, _>| {
        std::fs::write(dir.path().join("model.safetensors"), safetensors_bytes(weights))
            .expect("written");
        Model::open(dir.path()).expect("loads")
    };
    weights.insert("lm_head.weight".to_owned(), embedding.clone());
    assert!(write(&weights).config.tie_word_embeddings, "the same values twice");
    weights.remove("model.embed_tokens.weight");
    let model = write(&weights);
    let mut row = vec![0f32; model.config.hidden_size];
    model.head().row(5, &mut row);
    assert_eq!(row, embedding.1[5 * row.len()..6 * row.len()], "the head serves as embedding");
    weights.insert("model.embed_tokens.weight".to_owned(), embedding);
    weights.get_mut("lm_head.weight").expect("the head").1[0] += 1.0;
    let model = write(&weights);
    assert!(!model.config.tie_word_embeddings, "transformers does not tie it either");
}

#[test]
fn tensors_that_the_configuration_does_not_explain_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    write_tiny_folder(dir.path(), 3);
    let open = |name: &str| {
        let mut weights = tiny_weights(3);
        weights.insert(name.to_owned(), (vec![2], vec![1.0, 2.0]));
        std::fs::write(dir.path().join("model.safetensors"), safetensors_bytes(&weights))
            .expect("written");
        Model::open(dir.path()).map_err(|e| e.to_string())
    };
    for name in [
        "model.layers.1.self_attn.q_proj.bias",
        "model.layers.0.self_attn.q_norm.weight",
        "layers.0.mlp.experts.0.up_proj.weight",
        "lm_head.bias",
    ] {
        let error = open(name).expect_err("refused");
        assert!(error.contains(name) && error.contains("llama"), "{error}");
    }
    for name in [
        "model.layers.0.self_attn.rotary_emb.inv_freq",
        "model.layers.2.eh_proj.weight",
        "v_head.summary.weight",
    ] {
        open(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

fn read(name: &str, changes: Value) -> Result<ModelConfig, String> {
    let text = std::fs::read_to_string(golden(name).join("config.json")).expect("config.json");
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    for (key, value) in changes.as_object().expect("changes") {
        json[key] = value.clone();
    }
    ModelConfig::from_hf_json(&json.to_string(), "x").map_err(|e| e.to_string())
}

#[test]
fn settings_that_would_change_the_computation_are_refused_by_name() {
    let cases = [
        ("llama-tied", json!({"sliding_window": 128})),
        ("llama-tied", json!({"layer_types": ["full_attention", "sliding_attention"]})),
        ("llama-tied", json!({"partial_rotary_factor": 0.5})),
        ("llama-tied", json!({"attention_multiplier": 0.1})),
        ("llama-tied", json!({"final_logit_softcapping": 30.0})),
        ("llama-tied", json!({"no_rope_layers": [1, 0]})),
        ("mistral", json!({"layer_types": ["full_attention", "sliding_attention"]})),
        (
            "qwen2",
            json!({"use_sliding_window": false,
                         "layer_types": ["full_attention", "sliding_attention"]}),
        ),
        ("glm", json!({"use_sliding_window": true})),
        ("bloom", json!({"n_inner": 64})),
        ("chatglm", json!({"position_encoding_2d": true})),
        ("chatglm", json!({"interleaved_qkv": true})),
        ("chatglm", json!({"original_rope": false})),
        ("chatglm", json!({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}})),
        ("chatglm", json!({"prefix_projection": true})),
        ("deepseek-v3", json!({"scoring_func": "softmax"})),
        ("deepseek-v2", json!({"topk_method": "noaux_tc"})),
        (
            "deepseek-v3",
            json!({"rope_parameters":
            {"rope_type": "linear", "factor": 2.0, "mscale_all_dim": 1.0}}),
        ),
    ];
    for (name, changes) in cases {
        let error = read(name, changes.clone()).expect_err("refused");
        let mut fields = changes.as_object().expect("changes").keys();
        let named = fields.any(|field| error.contains(field)) || error.contains("mscale_all_dim");
        assert!(named, "{name} {changes}: {error}");
    }
    // The same settings where they change nothing.
    for (name, changes) in [
        ("llama-tied", json!({"sliding_window": null, "layer_types": null, "pretraining_tp": 4})),
        ("llama-tied", json!({"sliding_window": 4096, "use_sliding_window": false})),
        ("llama-tied", json!({"layer_types": ["full_attention", "full_attention"]})),
        ("mistral", json!({"layer_types": ["sliding_attention", "sliding_attention"]})),
        ("gpt2", json!({"reorder_and_upcast_attn": true, "add_cross_attention": false})),
        ("bloom", json!({"n_inner": null, "slow_but_exact": true, "pretraining_tp": 4})),
        ("chatglm", json!({"original_rope": true, "apply_query_key_layer_scaling": true})),
        ("deepseek-v2", json!({"norm_topk_prob": true})),
    ] {
        let plain = read(name, json!({})).expect("read");
        assert_eq!(read(name, changes.clone()), Ok(plain), "{name} {changes}");
    }
}

#[test]
fn rotary_settings_are_read_in_both_spellings_with_transformers_precedence() {
    let rotary = |changes: Value| {
        read("llama-tied", changes).map(|c| c.rotary().expect("a rotary embedding").clone())
    };
    let inner =
        json!({"rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 5e4}});
    let outer = json!({"rope_parameters": null, "rope_theta": 5e4,
        "rope_scaling": {"type": "linear", "factor": 3.0}});
    assert_eq!(rotary(inner).expect("read"), rotary(outer).expect("read"));
    // An old `rope_scaling` wins over `rope_parameters`, and what stands outside over the inside.
    let both = rotary(json!({
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8},
        "original_max_position_embeddings": 32,
    }));
    match both.expect("read").scaling {
        Some(RopeScaling::Yarn(yarn)) => assert_eq!(yarn.original_max_position_embeddings, 32.0),
        other => panic!("{other:?}"),
    }
    let long = |short: usize, factor: f64| {
        rotary(
            json!({"rope_scaling": {"rope_type": "longrope", "short_factor": vec![factor; short],
            "long_factor": vec![1.0; 2], "original_max_position_embeddings": 8}}),
        )
    };
    assert!(long(2, 1.0).is_ok());
    assert!(long(3, 1.0).expect_err("refused").contains("short_factor"));
    assert!(long(2, 0.0).expect_err("refused").contains("positive"));
    assert!(long(10_000, 1.0).expect_err("refused").contains("at most 256"));
    let refused = |scaling: Value, word: &str| {
        let error = rotary(json!({"rope_scaling": scaling})).expect_err("refused");
        assert!(error.contains(word), "{error}");
    };
    refused(json!({"rope_type": "proportional", "factor": 2.0}), "proportional");
    refused(json!({"type": "su"}), "longrope");
    refused(json!({"rope_type": "dynamic"}), "factor");
    refused(json!({"rope_type": "dynamic", "factor": 0.5}), "at least 1");
    refused(json!({"rope_type": "default", "mrope_section": [2, 1, 1]}), "mrope_section");
    refused(json!({"full_attention": {"rope_type": "default"}}), "one setting for all layers");
    refused(json!("linear"), "object");

    // Batches whose sequences would decide for one another are refused; scaled contexts are open.
    let config = read("llama-dynamic", json!({})).expect("read");
    assert_eq!(config.max_position_embeddings, 36);
    assert!(config.check_batched_length(12).is_ok());
    let error = config.check_batched_length(13).expect_err("refused").to_string();
    assert!(error.contains("max_seq_length") && error.contains("at most 12"), "{error}");
}

#[test]
fn a_training_beyond_the_length_where_frequencies_are_fixed_is_refused_before_it_starts() {
    let dir = tempfile::tempdir().expect("a folder");
    for (from, to) in [
        ("llama-dynamic/config.json", "config.json"),
        ("sentencepiece/bpe.model", "tokenizer.model"),
    ] {
        std::fs::copy(golden(from), dir.path().join(to)).expect("copied");
    }
    std::fs::write(dir.path().join("data.txt"), "the quick brown fox\n".repeat(9))
        .expect("written");
    let train = |length: &str| {
        let args = ["train", "--model", ".", "--data", "data.txt", "--output", "out", "--dry-run"];
        run(dir.path(), &[&args[..], &["--max-seq-length", length]].concat())
    };
    assert!(train("12").status.success());
    let refused = refusal(&train("13"));
    assert!(refused.contains("max_seq_length") && refused.contains("at most 12"), "{refused}");
}
