//! GGUF files of every family: names, layouts, raw access.

use crate::common::{golden, random, write_tiny_gguf, HEAD, HEADS, KV_HEADS, LAYERS, WIDTH};
use candle_core::quantized::{gguf_file, GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::gguf::names::{to_gguf, Family, HeadCounts, Layout, RowHeads};
use openledger_engine::model::gguf::Gguf;
use openledger_engine::model::{Model, WeightSource};
use openledger_engine::tokenizer::Tokenizer;
use std::path::Path;

#[test]
fn names_translate_both_ways_for_every_family() {
    let cases = [
        (Family::Llama, "model.layers.12.self_attn.q_proj.weight", "blk.12.attn_q.weight"),
        (Family::Qwen2, "model.layers.0.self_attn.k_proj.bias", "blk.0.attn_k.bias"),
        (Family::Qwen3, "model.layers.3.self_attn.q_norm.weight", "blk.3.attn_q_norm.weight"),
        (Family::Gpt2, "transformer.h.1.attn.c_attn.bias", "blk.1.attn_qkv.bias"),
        (Family::Gpt2, "transformer.wpe.weight", "position_embd.weight"),
        (Family::Bloom, "transformer.word_embeddings_layernorm.bias", "token_embd_norm.bias"),
        (Family::Bloom, "transformer.h.2.mlp.dense_h_to_4h.weight", "blk.2.ffn_up.weight"),
        (
            Family::ChatGlm,
            "transformer.encoder.layers.5.self_attention.query_key_value.bias",
            "blk.5.attn_qkv.bias",
        ),
        (Family::ChatGlm, "transformer.output_layer.weight", "output.weight"),
        (Family::Glm, "model.layers.1.mlp.gate_up_proj.weight", "blk.1.ffn_up.weight"),
        (
            Family::Glm4,
            "model.layers.1.post_self_attn_layernorm.weight",
            "blk.1.post_attention_norm.weight",
        ),
        (
            Family::DeepSeek2,
            "model.layers.1.self_attn.kv_a_proj_with_mqa.weight",
            "blk.1.attn_kv_a_mqa.weight",
        ),
        (
            Family::DeepSeek2,
            "model.layers.4.mlp.gate.e_score_correction_bias",
            "blk.4.exp_probs_b.bias",
        ),
    ];
    for (family, hf, gguf) in cases {
        let place = family.place(hf).unwrap_or_else(|| panic!("{hf} has a place"));
        assert_eq!(place.tensor, gguf);
        assert_eq!(family.from_gguf(gguf).as_deref(), Some(hf));
    }
    assert_eq!(to_gguf(Family::Llama, 3, "self_attn.q_proj").as_deref(), Some("blk.3.attn_q"));
    assert_eq!(to_gguf(Family::Gpt2, 0, "attn.c_proj").as_deref(), Some("blk.0.attn_output"));
    let expert = Family::DeepSeek2.place("model.layers.2.mlp.experts.7.up_proj.weight");
    let expert = expert.expect("a place");
    assert_eq!((expert.tensor.as_str(), expert.expert), ("blk.2.ffn_up_exps.weight", Some(7)));
    // The published GPT-2 files leave the prefix out.
    let bare = Family::Gpt2.place("h.0.mlp.c_fc.weight").expect("a place");
    assert_eq!((bare.tensor.as_str(), bare.layout), ("blk.0.ffn_up.weight", Layout::Transposed));
    for name in ["", "model.layers.x.mlp.gate_proj.weight", "model.layers.01.mlp.up_proj.weight"] {
        assert_eq!(Family::Llama.place(name), None, "{name}");
    }
    for tensor in ["blk.0.unknown.weight", "blk.-1.attn_q.weight", "attn_q", "blk.0.attn_q.lora_a"]
    {
        assert_eq!(Family::Llama.from_gguf(tensor), None, "{tensor}");
    }
}

#[test]
fn row_orders_are_permutations_and_impossible_ones_are_refused() {
    let heads = HeadCounts { query: 3, key_value: 1 };
    let order = |layout: Layout| layout.row_order(12, heads).expect("splits").expect("an order");
    // Two rotary halves of two rows each in the one key head of twelve rows.
    let rotary = order(Layout::Rotary(RowHeads::KeyValue));
    assert_eq!(rotary, [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
    assert_eq!(order(Layout::Rotary(RowHeads::Query)), [0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11]);
    let heads = HeadCounts { query: 2, key_value: 2 };
    let fused = Layout::FusedByHead.row_order(12, heads).expect("splits").expect("an order");
    assert_eq!(fused, [0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11]);
    assert_eq!(Layout::Same.row_order(5, heads).expect("any"), None);
    for (rows, query) in [(0, 2), (7, 2), (12, 0), (12, usize::MAX)] {
        let heads = HeadCounts { query, key_value: query };
        assert!(Layout::FusedByHead.row_order(rows, heads).is_err(), "{rows} rows, {query} heads");
    }
}

#[test]
fn raw_rows_dequantise_to_the_loaded_weight() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tiny.gguf");
    write_tiny_gguf(&path, 3);
    let gguf = Gguf::open(&path).expect("opens");
    for layer in 0..LAYERS {
        for (module, rows) in [("q_proj", HEADS * HEAD), ("k_proj", KV_HEADS * HEAD)] {
            let name = format!("model.layers.{layer}.self_attn.{module}.weight");
            let raw = gguf.raw(&name).expect("raw");
            assert_eq!((raw.dtype, &raw.shape[..]), (GgmlDType::F32, &[rows, WIDTH][..]));
            let loaded = gguf.load(&name, &[rows, WIDTH]).expect("loads");
            assert_eq!(raw.dequantize(&name).expect("values"), loaded);
        }
    }
    let error = gguf.raw("model.layers.9.mlp.up_proj.weight").expect_err("no such layer");
    assert!(error.to_string().contains("blk.9.ffn_up.weight"), "{error}");
    assert!(gguf.raw("model.layers.0.mlp.experts.0.up_proj.weight").is_err());
}

/// A GGUF file of one architecture with the given tensors.
fn write(path: &Path, architecture: &str, numbers: &[(&str, u32)], tensors: &[(&str, QTensor)]) {
    use gguf_file::Value;
    let mut metadata =
        vec![("general.architecture".to_owned(), Value::String(architecture.to_owned()))];
    for (key, value) in numbers {
        metadata.push((format!("{architecture}.{key}"), Value::U32(*value)));
    }
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, t)| (*k, t)).collect();
    let mut file = std::fs::File::create(path).expect("a file");
    gguf_file::write(&mut file, &metadata, &tensors).expect("written");
}

fn quantized(values: &[f32], shape: &[usize], dtype: GgmlDType) -> QTensor {
    let tensor = Tensor::from_slice(values, shape, &Device::Cpu).expect("a tensor");
    QTensor::quantize(&tensor, dtype).expect("quantises")
}

#[test]
fn quantised_rows_keep_their_bytes_when_they_move() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("bloom.gguf");
    // Two heads of four: 24 fused rows of 64 values, two Q4_1 blocks each.
    let fused = quantized(&random(1, 24 * 64, 1.0), &[24, 64], GgmlDType::Q4_1);
    let bytes = fused.data().expect("bytes").into_owned();
    let bias = quantized(&random(2, 24, 1.0), &[24], GgmlDType::F32);
    let bias_bytes = bias.data().expect("bytes").into_owned();
    write(
        &path,
        "bloom",
        &[("attention.head_count", 2)],
        &[("blk.0.attn_qkv.weight", fused), ("blk.0.attn_qkv.bias", bias)],
    );
    let gguf = Gguf::open(&path).expect("opens");
    let name = "transformer.h.0.self_attention.query_key_value";
    let raw = gguf.raw(&format!("{name}.weight")).expect("raw");
    let raw_bias = gguf.raw(&format!("{name}.bias")).expect("raw");
    let row = 2 * GgmlDType::Q4_1.type_size();
    for head in 0..2 {
        for part in 0..3 {
            for j in 0..4 {
                let (hf, file) = ((head * 3 + part) * 4 + j, (part * 2 + head) * 4 + j);
                assert_eq!(
                    raw.bytes[hf * row..(hf + 1) * row],
                    bytes[file * row..(file + 1) * row]
                );
                assert_eq!(
                    raw_bias.bytes[hf * 4..(hf + 1) * 4],
                    bias_bytes[file * 4..(file + 1) * 4]
                );
            }
        }
    }
}

#[test]
fn stacked_experts_and_split_kv_b_load_under_hugging_face_names() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("deepseek.gguf");
    let stack = random(3, 4 * 6 * 32, 1.0);
    let (heads, rank, nope, value) = (2, 8, 3, 5);
    let k = random(4, heads * rank * nope, 1.0);
    let v = random(5, heads * value * rank, 1.0);
    write(
        &path,
        "deepseek2",
        &[("attention.head_count", 2)],
        &[
            ("blk.1.ffn_up_exps.weight", quantized(&stack, &[4, 6, 32], GgmlDType::Q8_0)),
            ("blk.1.attn_k_b.weight", quantized(&k, &[heads, rank, nope], GgmlDType::F32)),
            ("blk.1.attn_v_b.weight", quantized(&v, &[heads, value, rank], GgmlDType::F32)),
        ],
    );
    let gguf = Gguf::open(&path).expect("opens");
    for expert in 0..4 {
        let name = format!("model.layers.1.mlp.experts.{expert}.up_proj.weight");
        let raw = gguf.raw(&name).expect("raw");
        assert_eq!((raw.dtype, &raw.shape[..]), (GgmlDType::Q8_0, &[6, 32][..]));
        let loaded = gguf.load(&name, &[6, 32]).expect("loads");
        let original = &stack[expert * 6 * 32..(expert + 1) * 6 * 32];
        let worst = loaded.iter().zip(original).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        assert!(worst > 0.0 && worst < 0.01, "expert {expert} differs by {worst}");
    }
    assert!(gguf.raw("model.layers.1.mlp.experts.4.up_proj.weight").is_err());
    let name = "model.layers.1.self_attn.kv_b_proj.weight";
    assert!(gguf.has(name) && gguf.raw(name).is_err());
    let joined = gguf.load(name, &[heads * (nope + value), rank]).expect("loads");
    for h in 0..heads {
        for r in 0..rank {
            for n in 0..nope {
                let row = h * (nope + value) + n;
                assert_eq!(joined[row * rank + r], k[(h * rank + r) * nope + n]);
            }
            for j in 0..value {
                let row = h * (nope + value) + nope + j;
                assert_eq!(joined[row * rank + r], v[(h * value + j) * rank + r]);
            }
        }
    }
    assert!(gguf.load(name, &[heads * (nope + value) + 1, rank]).is_err());
}

#[test]
fn tiny_files_of_every_architecture_give_the_logits_of_transformers() {
    let text = std::fs::read_to_string(golden("gguf/golden.json")).expect("golden file");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let tokens: Vec<u32> = serde_json::from_value(json["input_ids"].clone()).expect("ids");
    let positions: Vec<usize> = serde_json::from_value(json["positions"].clone()).expect("places");
    let cases = json["logits"].as_object().expect("cases");
    assert_eq!(cases.len(), 8);
    for (name, expected) in cases {
        let path = golden(&format!("gguf/{name}.gguf"));
        let model = Model::open(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let vocabulary = model.config.vocab_size;
        let runner = Runner::new(model.into(), tokens.len()).expect("a runner");
        let logits = runner.logits(&Batch::new(&[(&tokens, &[])]), None).expect("logits");
        for (position, expected) in positions.iter().zip(expected.as_array().expect("rows")) {
            let expected: Vec<f32> = serde_json::from_value(expected.clone()).expect("numbers");
            let ours = &logits[position * vocabulary..(position + 1) * vocabulary];
            let worst = ours.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
            assert!(worst < 1e-4, "{name} at {position}: logits differ by {worst}");
        }
        let tokenizer = Tokenizer::open(&path).expect("its tokenizer");
        assert_eq!(tokenizer.encode("the inn").expect("ids").len(), 5);
    }
}

#[test]
fn other_architectures_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("other.gguf");
    for architecture in ["phi3", "gemma2", "mamba", "qwen2moe"] {
        write(&path, architecture, &[("attention.head_count", 2)], &[]);
        let error = Model::open(&path).expect_err("refused").to_string();
        assert!(error.contains(architecture) && error.contains("chatglm"), "{error}");
    }
    // A mixture of experts under a known name.
    write(&path, "llama", &[("expert_count", 8)], &[]);
    let error = Model::open(&path).expect_err("refused").to_string();
    assert!(error.contains("llama.expert_count"), "{error}");
}
