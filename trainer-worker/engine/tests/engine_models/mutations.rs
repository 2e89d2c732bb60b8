//! Valid files changed at random, by a seed: whatever comes out is read or refused with an error,
//! never a crash. The fuzz targets under `trainer-worker/engine/fuzz` look for more with the same readers.

use crate::common::{golden, tiny_config, write_tiny_folder};
use openledger_engine::kernels::rng::Stream;
use openledger_engine::model::{Model, ModelConfig};
use openledger_engine::tokenizer::{Message, Tokenizer};
use serde_json::{json, Value};
use std::path::Path;

/// A number below `n`.
fn below(stream: &mut Stream, n: usize) -> usize {
    ((stream.uniform() * n as f32) as usize).min(n.saturating_sub(1))
}

/// Changes bytes, cuts pieces out, repeats pieces, or writes extreme numbers.
fn mutate(stream: &mut Stream, bytes: &[u8], within: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=below(stream, 4) {
        let end = within.min(out.len());
        if end < 16 {
            break;
        }
        let at = below(stream, end - 9);
        match below(stream, 5) {
            0 => out[at] ^= 1 << below(stream, 8),
            1 => out[at] = [0, 1, 0x7f, 0x80, 0xff, b'{', b'"', b'9'][below(stream, 8)],
            2 => {
                let number = [0, 1, u64::MAX, 1 << 31, 1 << 62, 255][below(stream, 6)];
                out[at..at + 8].copy_from_slice(&number.to_le_bytes());
            }
            3 => {
                let len = below(stream, 64).min(out.len() - at);
                out.drain(at..at + len);
            }
            _ => {
                let len = below(stream, 64).min(out.len() - at);
                let piece = out[at..at + len].to_vec();
                let to = below(stream, end.min(out.len()));
                out.splice(to..to, piece);
            }
        }
    }
    out
}

/// A JSON value with one of its parts replaced by something else.
fn mutate_json(stream: &mut Stream, value: &Value) -> Value {
    let odd = || {
        [
            json!(null),
            json!(true),
            json!(-1),
            json!(0),
            json!(u64::MAX),
            json!(1e308),
            json!(0.5),
            json!(""),
            json!("llama"),
            json!([]),
            json!({}),
            json!([[[[1]]]]),
            json!(4_294_967_296_u64),
            json!("\u{0}"),
            json!(["sliding_attention"]),
        ]
    };
    match value {
        Value::Object(map) if !map.is_empty() && below(stream, 8) > 0 => {
            let mut map = map.clone();
            let key = map.keys().nth(below(stream, map.len())).cloned().unwrap_or_default();
            match below(stream, 6) {
                0 => drop(map.remove(&key)),
                _ => {
                    let changed = mutate_json(stream, &map[&key]);
                    map.insert(key, changed);
                }
            }
            Value::Object(map)
        }
        Value::Array(list) if !list.is_empty() && below(stream, 8) > 0 => {
            let mut list = list.clone();
            let at = below(stream, list.len());
            list[at] = mutate_json(stream, &list[at]);
            Value::Array(list)
        }
        _ => odd()[below(stream, 15)].clone(),
    }
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(dir.join(name), bytes).expect("written");
}

/// Everything that a tokenizer is asked for.
fn use_tokenizer(path: &Path) -> bool {
    let Ok(tokenizer) = Tokenizer::open(path) else { return false };
    for text in ["", "Hello <s>there</s>\n\n 12 é🙂", "    \t x"] {
        let _ = tokenizer.encode_plain(text);
        if let Ok(ids) = tokenizer.encode_text(text) {
            let _ = tokenizer.decode(&ids, true);
        }
    }
    let _ = tokenizer.decode(&[0, 1, u32::MAX], false);
    let _ = tokenizer.special_in("<s>");
    let turns = [Message::system("s"), Message::user("u"), Message::assistant("a")];
    let _ = tokenizer.render_chat(&turns, true);
    let _ = tokenizer.end_tokens();
    true
}

#[test]
fn changed_gguf_files_are_read_or_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut stream = Stream::new(1, "mutations", &[]);
    let (mut read, mut refused) = (0, 0);
    for name in ["llama", "bloom", "chatglm", "gpt2"] {
        let good = std::fs::read(golden(&format!("gguf/{name}.gguf"))).expect("a file");
        let header = good.windows(11).rposition(|w| w == b"blk.1.ffn_d").expect("tensors") + 64;
        for _ in 0..150 {
            write(dir.path(), "x.gguf", &mutate(&mut stream, &good, header));
            let path = dir.path().join("x.gguf");
            let opened = use_tokenizer(&path);
            match Model::open(&path) {
                Ok(_) => read += 1,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += usize::from(!opened) + 1;
                }
            }
        }
    }
    assert!(read > 20 && refused > 100, "{read} read, {refused} refused");
}

#[test]
fn changed_configurations_and_weights_are_read_or_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut stream = Stream::new(2, "mutations", &[]);
    let (mut read, mut refused) = (0, 0);
    let mut count = |ok: bool| if ok { read += 1 } else { refused += 1 };
    let mut rope = tiny_config();
    rope["rope_scaling"] = json!({"rope_type": "yarn", "factor": 4.0, "beta_fast": 32,
        "original_max_position_embeddings": 64});
    rope["sliding_window"] = json!(16);
    rope["layer_types"] = json!(["full_attention", "sliding_attention"]);
    for kind in ["qwen2", "qwen3", "llama", "mistral", "gpt2", "bloom", "chatglm", "glm4"] {
        rope["model_type"] = json!(kind);
        // Other families have no windows of single layers.
        rope["use_sliding_window"] = json!(kind.starts_with("qwen"));
        if !kind.starts_with("qwen") {
            rope["layer_types"] = json!(null);
        }
        for _ in 0..150 {
            let mut changed = mutate_json(&mut stream, &rope);
            if below(&mut stream, 2) == 0 {
                changed = mutate_json(&mut stream, &changed);
            }
            count(ModelConfig::from_hf_json(&changed.to_string(), "x").is_ok());
        }
    }
    write_tiny_folder(dir.path(), 1);
    let good = std::fs::read(dir.path().join("model.safetensors")).expect("a file");
    let header = 8 + u64::from_le_bytes(good[..8].try_into().expect("8 bytes")) as usize;
    for _ in 0..250 {
        write(dir.path(), "model.safetensors", &mutate(&mut stream, &good, header));
        count(Model::open(dir.path()).is_ok());
    }
    write(dir.path(), "model.safetensors", &good);
    let index = json!({"metadata": {"total_size": 1}, "weight_map": {
        "model.norm.weight": "model.safetensors", "lm_head.weight": "model.safetensors"}});
    for _ in 0..60 {
        let changed = mutate(&mut stream, index.to_string().as_bytes(), usize::MAX);
        write(dir.path(), "model.safetensors.index.json", &changed);
        count(Model::open(dir.path()).is_ok());
    }
    assert!(read > 50 && refused > 300, "{read} read, {refused} refused");
}

const TEMPLATE: &str = "{%- set ns = namespace(first=true, text='') -%}{% for m in messages %}{% if m['role'] == 'system' and loop.first %}{% set ns.text = ns.text + m.content.strip() ~ '\\n' %}{% elif not loop.last %}{{ '<s>' + m.content | trim | upper }}{{ m | tojson }}{% else %}{{ m['content'].split(' ')[-1][:3] * 2 }}{% endif %}{% endfor %}{{ ns.text }}{% if add_generation_prompt %}{{ bos_token ~ 'assistant' }}{% endif %}";

#[test]
fn changed_tokenizers_and_templates_are_read_or_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut stream = Stream::new(3, "mutations", &[]);
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
        "use_regex": false});
    let added = |id: u32, text: &str| {
        json!({"id": id, "content": text, "special": true, "single_word": false,
               "lstrip": false, "rstrip": false, "normalized": false})
    };
    let tokenizer = json!({
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 5,
            "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "<s>"},
        "added_tokens": [added(0, "<s>"), added(1, "</s>")],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"},
            {"type": "Replace", "pattern": {"String": "\u{a0}"}, "content": " "}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}|\\s+(?!\\S)|[a-z]+"},
             "behavior": "Isolated", "invert": false}, byte_level]},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<s>",
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
            "byte_fallback": true, "ignore_merges": false,
            "vocab": {"<s>": 0, "</s>": 1, "t": 2, "h": 3, "th": 4, "e": 5, "the": 6, "Ġ": 7,
                      "<0x0A>": 8},
            "merges": [["t", "h"], ["th", "e"]]},
    });
    let config = json!({"tokenizer_class": "LlamaTokenizer", "legacy": false, "bos_token": "<s>",
        "eos_token": {"content": "</s>"}, "pad_token": null, "chat_template": TEMPLATE,
        "added_tokens_decoder": {"0": {"content": "<s>"}, "12": {"content": "<|user|>"}}});
    let generation = json!({"eos_token_id": [1, 6]});
    let (mut read, mut refused) = (0, 0);
    for round in 0..600 {
        let file = |name: &str, good: &Value, changed: Option<String>| {
            write(dir.path(), name, changed.unwrap_or_else(|| good.to_string()).as_bytes());
        };
        let target = round % 4;
        let mut change = |good: &Value| {
            if below(&mut stream, 3) == 0 {
                let bytes = mutate(&mut stream, good.to_string().as_bytes(), usize::MAX);
                String::from_utf8_lossy(&bytes).into_owned()
            } else {
                mutate_json(&mut stream, good).to_string()
            }
        };
        file("tokenizer.json", &tokenizer, (target == 0).then(|| change(&tokenizer)));
        file("tokenizer_config.json", &config, (target == 1).then(|| change(&config)));
        file("generation_config.json", &generation, (target == 2).then(|| change(&generation)));
        let template = dir.path().join("chat_template.jinja");
        if target == 3 {
            let bytes = mutate(&mut stream, TEMPLATE.as_bytes(), usize::MAX);
            write(dir.path(), "chat_template.jinja", &bytes);
        } else if template.exists() {
            std::fs::remove_file(&template).expect("removed");
        }
        if use_tokenizer(dir.path()) {
            read += 1;
        } else {
            refused += 1;
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}
