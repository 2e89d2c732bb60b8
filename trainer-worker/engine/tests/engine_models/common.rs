//! What the tests share: places of files, and a tiny model written as GGUF and as a Hugging Face
//! folder.

use candle_core::quantized::{gguf_file, GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use openledger_engine::kernels::rng::Stream;
use openledger_engine::lora::{targets, LoraConfig};
use openledger_engine::model::Model;
use openledger_engine::tokenizer::Tokenizer;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub fn golden(path: &str) -> PathBuf {
    Path::new(crate::ENGINE).join("tests/golden").join(path)
}

/// Where the scripts put what they fetch.
pub fn cache() -> PathBuf {
    std::env::var_os("OPENLEDGER_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/openledger")
    })
}

/// SmolLM2-135M-Instruct, or a failure that says how to get it.
pub fn real_model_path() -> PathBuf {
    let path = cache().join("models/SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(
        path.exists(),
        "the real model is not at {}; run ./scripts/model, which fetches it",
        path.display()
    );
    path
}

/// The real model, loaded once for all tests.
pub fn real_model() -> (Arc<Model>, Arc<Tokenizer>) {
    static MODEL: OnceLock<(Arc<Model>, Arc<Tokenizer>)> = OnceLock::new();
    MODEL
        .get_or_init(|| {
            let path = real_model_path();
            let model = Model::open(&path).expect("the real model loads");
            (Arc::new(model), Arc::new(Tokenizer::open(&path).expect("its tokenizer loads")))
        })
        .clone()
}

pub fn random(seed: u64, len: usize, size: f32) -> Vec<f32> {
    let mut stream = Stream::new(seed, "test", &[]);
    (0..len).map(|_| (stream.uniform() * 2.0 - 1.0) * size).collect()
}

/// A tiny model: 2 layers, width 32, 4 heads of 8 on 2 key heads, byte-level vocabulary.
pub const LAYERS: usize = 2;
pub const WIDTH: usize = 32;
pub const HEADS: usize = 4;
pub const KV_HEADS: usize = 2;
pub const HEAD: usize = 8;
pub const INNER: usize = 48;

const TEMPLATE: &str = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// The characters that byte-level BPE shows the 256 bytes as.
fn byte_characters() -> Vec<String> {
    let printable = |b: u32| (33..=126).contains(&b) || (161..=172).contains(&b) || b >= 174;
    let mut shifted = 256;
    (0u32..256)
        .map(|b| {
            let c = if printable(b) {
                b
            } else {
                shifted += 1;
                shifted - 1
            };
            char::from_u32(c).expect("a character").to_string()
        })
        .collect()
}

pub fn tokens() -> Vec<String> {
    let mut tokens = vec!["<|im_start|>".to_owned(), "<|im_end|>".to_owned()];
    tokens.extend(byte_characters());
    tokens.push("th".to_owned());
    tokens.push("the".to_owned());
    tokens
}

/// Weights by Hugging Face's names.
pub fn tiny_weights(seed: u64) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut weights = BTreeMap::new();
    let mut next = seed * 1000;
    let mut add = |name: String, shape: Vec<usize>, size: f32, plus: f32| {
        next += 1;
        let values = random(next, shape.iter().product(), size);
        weights.insert(name, (shape, values.into_iter().map(|v| v + plus).collect()));
    };
    add("model.embed_tokens.weight".into(), vec![tokens().len(), WIDTH], 0.5, 0.0);
    add("model.norm.weight".into(), vec![WIDTH], 0.2, 1.0);
    for layer in 0..LAYERS {
        let mut w = |part: &str, shape: Vec<usize>, size: f32, plus: f32| {
            add(format!("model.layers.{layer}.{part}.weight"), shape, size, plus);
        };
        w("input_layernorm", vec![WIDTH], 0.2, 1.0);
        w("post_attention_layernorm", vec![WIDTH], 0.2, 1.0);
        w("self_attn.q_proj", vec![HEADS * HEAD, WIDTH], 0.3, 0.0);
        w("self_attn.k_proj", vec![KV_HEADS * HEAD, WIDTH], 0.3, 0.0);
        w("self_attn.v_proj", vec![KV_HEADS * HEAD, WIDTH], 0.3, 0.0);
        w("self_attn.o_proj", vec![WIDTH, HEADS * HEAD], 0.3, 0.0);
        w("mlp.gate_proj", vec![INNER, WIDTH], 0.3, 0.0);
        w("mlp.up_proj", vec![INNER, WIDTH], 0.3, 0.0);
        w("mlp.down_proj", vec![WIDTH, INNER], 0.3, 0.0);
    }
    weights
}

/// llama.cpp's order of q and k rows: its row `2 j + i` of a head is row `i * half + j` here.
fn permuted(values: &[f32], heads: usize, width: usize) -> Vec<f32> {
    let half = HEAD / 2;
    let mut out = Vec::new();
    for h in 0..heads {
        for j in 0..half {
            for i in 0..2 {
                let row = h * HEAD + i * half + j;
                out.extend_from_slice(&values[row * width..(row + 1) * width]);
            }
        }
    }
    out
}

/// The tiny model as a GGUF file with tokenizer and chat template.
pub fn write_tiny_gguf(path: &Path, seed: u64) {
    write_tiny_gguf_as(path, seed, GgmlDType::F32);
}

/// The same with its matrices in blocks of `dtype`, where their rows are whole blocks.
pub fn write_tiny_gguf_as(path: &Path, seed: u64, dtype: GgmlDType) {
    use gguf_file::Value;
    let text = |t: &str| Value::String(t.to_owned());
    let list = |t: Vec<String>| Value::Array(t.into_iter().map(Value::String).collect());
    let tokens = tokens();
    let types: Vec<Value> =
        (0..tokens.len()).map(|i| Value::I32(if i < 2 { 3 } else { 1 })).collect();
    let metadata: Vec<(&str, Value)> = vec![
        ("general.architecture", text("llama")),
        ("general.name", text("tiny")),
        ("llama.block_count", Value::U32(LAYERS as u32)),
        ("llama.context_length", Value::U32(256)),
        ("llama.embedding_length", Value::U32(WIDTH as u32)),
        ("llama.feed_forward_length", Value::U32(INNER as u32)),
        ("llama.attention.head_count", Value::U32(HEADS as u32)),
        ("llama.attention.head_count_kv", Value::U32(KV_HEADS as u32)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        ("llama.rope.freq_base", Value::F32(10_000.0)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("smollm")),
        ("tokenizer.ggml.tokens", list(tokens)),
        ("tokenizer.ggml.merges", list(vec!["t h".into(), "th e".into()])),
        ("tokenizer.ggml.token_type", Value::Array(types)),
        ("tokenizer.ggml.bos_token_id", Value::U32(0)),
        ("tokenizer.ggml.eos_token_id", Value::U32(1)),
        ("tokenizer.chat_template", text(TEMPLATE)),
    ];
    let mut tensors = Vec::new();
    for (name, (shape, values)) in tiny_weights(seed) {
        let values = if name.ends_with("q_proj.weight") {
            permuted(&values, HEADS, WIDTH)
        } else if name.ends_with("k_proj.weight") {
            permuted(&values, KV_HEADS, WIDTH)
        } else {
            values
        };
        let whole = shape.len() == 2 && shape[1] % dtype.block_size() == 0;
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor");
        let dtype = if whole { dtype } else { GgmlDType::F32 };
        let tensor = QTensor::quantize(&tensor, dtype).expect("blocks");
        tensors.push((gguf_name(&name), tensor));
    }
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (*k, v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, t)| (k.as_str(), t)).collect();
    let mut file = File::create(path).expect("a file");
    gguf_file::write(&mut file, &metadata, &tensors).expect("written");
}

fn gguf_name(name: &str) -> String {
    name.replace("model.embed_tokens", "token_embd")
        .replace("model.norm", "output_norm")
        .replace("model.layers.", "blk.")
        .replace("input_layernorm", "attn_norm")
        .replace("post_attention_layernorm", "ffn_norm")
        .replace("self_attn.q_proj", "attn_q")
        .replace("self_attn.k_proj", "attn_k")
        .replace("self_attn.v_proj", "attn_v")
        .replace("self_attn.o_proj", "attn_output")
        .replace("mlp.gate_proj", "ffn_gate")
        .replace("mlp.up_proj", "ffn_up")
        .replace("mlp.down_proj", "ffn_down")
}

/// `config.json` of the tiny model.
pub fn tiny_config() -> serde_json::Value {
    serde_json::json!({
        "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "head_dim": HEAD, "vocab_size": tokens().len(),
        "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": true, "hidden_act": "silu",
    })
}

/// A safetensors file of `f32` tensors.
pub fn safetensors_bytes(tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, (shape, values)) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        let entry = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()],
        });
        header.insert(name.clone(), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The tiny model as a Hugging Face folder (weights and configuration, no tokenizer).
pub fn write_tiny_folder(dir: &Path, seed: u64) {
    std::fs::write(dir.join("config.json"), tiny_config().to_string()).expect("written");
    let bytes = safetensors_bytes(&tiny_weights(seed));
    std::fs::write(dir.join("model.safetensors"), bytes).expect("written");
}

/// The tiny model with its tokenizer, from GGUF.
pub fn tiny(seed: u64) -> (Arc<Model>, Tokenizer) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tiny.gguf");
    write_tiny_gguf(&path, seed);
    let model = Model::open(&path).expect("the tiny model loads");
    (Arc::new(model), Tokenizer::open(&path).expect("its tokenizer loads"))
}

/// A configuration of an adapter on the named modules.
pub fn lora_config(model: &Model, r: usize, alpha: f64, names: &[&str]) -> LoraConfig {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    LoraConfig {
        r,
        alpha,
        target_modules: targets::resolve(&model.config, &names).expect("the model has them"),
        fan_in_fan_out: model.config.fan_in_fan_out(),
        ..LoraConfig::default()
    }
}

/// A tokenizer of bytes with this chat template.
pub fn with_template(template: &str) -> Tokenizer {
    let folder = tempfile::tempdir().expect("a folder");
    let vocabulary: serde_json::Map<String, serde_json::Value> = tokens()
        .into_iter()
        .enumerate()
        .map(|(id, token)| (token, serde_json::json!(id)))
        .collect();
    let special = |id: usize, content: &str| {
        serde_json::json!({"id": id, "content": content, "special": true, "single_word": false,
               "lstrip": false, "rstrip": false, "normalized": false})
    };
    let byte_level = serde_json::json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
        "use_regex": true});
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "added_tokens": [special(0, "<|im_start|>"), special(1, "<|im_end|>")],
        "pre_tokenizer": byte_level, "post_processor": null, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "vocab": vocabulary, "merges": ["t h", "th e"]},
    });
    let config = serde_json::json!({"eos_token": "<|im_end|>", "chat_template": template});
    let write = |name: &str, value: &serde_json::Value| {
        std::fs::write(folder.path().join(name), value.to_string()).expect("written");
    };
    write("tokenizer.json", &tokenizer);
    write("tokenizer_config.json", &config);
    Tokenizer::open(folder.path()).expect("the tokenizer loads")
}
