//! Truncated, inconsistent and malicious model files: an error, never a crash or unbounded memory.

use crate::common::{
    safetensors_bytes, tiny_config, tiny_weights, write_tiny_folder, write_tiny_gguf,
};
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::gguf::Gguf;
use openledger_engine::model::{Model, ModelConfig};
use openledger_engine::tokenizer::{Message, Tokenizer};
use std::path::{Path, PathBuf};

#[test]
fn gguf_and_hugging_face_give_the_same_model() {
    let dir = tempfile::tempdir().expect("a folder");
    let gguf = dir.path().join("tiny.gguf");
    write_tiny_gguf(&gguf, 4);
    write_tiny_folder(dir.path(), 4);
    let (a, b) = (Model::open(&gguf).expect("loads"), Model::open(dir.path()).expect("loads"));
    let tokens: Vec<u32> = (5..45).collect();
    let logits = |model: Model| {
        let runner = Runner::new(model.into(), 64).expect("a runner");
        runner.logits(&Batch::new(&[(&tokens, &[])]), None).expect("logits")
    };
    let (a, b) = (logits(a), logits(b));
    assert!(a.iter().any(|v| v.abs() > 0.1));
    let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    assert!(worst < 1e-6, "q and k are un-permuted; logits differ by {worst}");
}

/// A GGUF header builder that writes whatever it is told.
#[derive(Default)]
struct Raw(Vec<u8>);

impl Raw {
    fn start(tensors: u64, metadata: u64) -> Self {
        let mut raw = Self(b"GGUF".to_vec());
        raw.0.extend(3u32.to_le_bytes());
        raw.0.extend(tensors.to_le_bytes());
        raw.0.extend(metadata.to_le_bytes());
        raw
    }
    fn u32(mut self, v: u32) -> Self {
        self.0.extend(v.to_le_bytes());
        self
    }
    fn u64(mut self, v: u64) -> Self {
        self.0.extend(v.to_le_bytes());
        self
    }
    fn text(mut self, t: &str) -> Self {
        self.0.extend((t.len() as u64).to_le_bytes());
        self.0.extend(t.as_bytes());
        self
    }
    fn write(self, dir: &Path) -> PathBuf {
        let path = dir.join("raw.gguf");
        std::fs::write(&path, self.0).expect("written");
        path
    }
}

/// Three tensors that all say to lie at the same place.
fn overlapping() -> Raw {
    let raw = Raw::start(3, 0);
    let raw = ["a", "b", "c"].iter().fold(raw, |raw, t| raw.text(t).u32(1).u64(8).u32(0).u64(0));
    (0..8).fold(raw, |raw, _| raw.u64(0))
}

#[test]
fn hostile_gguf_headers_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let cases: Vec<(&str, Raw)> = vec![
        ("nothing", Raw::default()),
        ("huge tensor count", Raw::start(u64::MAX, 0)),
        ("huge metadata count", Raw::start(0, u64::MAX)),
        ("huge key", Raw::start(0, 1).u64(u64::MAX)),
        ("key beyond the file", Raw::start(0, 1).u64(1 << 20)),
        ("huge array", Raw::start(0, 1).text("a").u32(9).u32(8).u64(u64::MAX)),
        ("array beyond the file", Raw::start(0, 1).text("a").u32(9).u32(8).u64(2_000_000)),
        ("bytes beyond the file", Raw::start(0, 1).text("a").u32(9).u32(0).u64(2_000_000)),
        ("nested arrays", Raw::start(0, 1).text("a").u32(9).u32(9).u64(1).u32(9).u64(1)),
        ("unknown type", Raw::start(0, 1).text("a").u32(77)),
        ("bad truth value", Raw::start(0, 1).text("a").u32(7).u32(9)),
        ("no dimension", Raw::start(1, 0).text("t").u32(0).u32(0).u64(0)),
        ("many dimensions", Raw::start(1, 0).text("t").u32(u32::MAX)),
        (
            "overflowing dimensions",
            Raw::start(1, 0).text("t").u32(2).u64(u64::MAX).u64(u64::MAX).u32(0).u64(0),
        ),
        ("zero dimension", Raw::start(1, 0).text("t").u32(1).u64(0).u32(0).u64(0)),
        ("tensor beyond the file", Raw::start(1, 0).text("t").u32(1).u64(1 << 30).u32(0).u64(0)),
        ("offset overflow", Raw::start(1, 0).text("t").u32(1).u64(8).u32(0).u64(u64::MAX)),
        ("overlapping tensors", overlapping()),
        ("unknown dtype", Raw::start(1, 0).text("t").u32(1).u64(8).u32(99).u64(0)),
        ("ragged blocks", Raw::start(1, 0).text("t").u32(1).u64(7).u32(3).u64(0)),
        ("zero alignment", Raw::start(0, 1).text("general.alignment").u32(4).u32(0)),
        ("one key twice", Raw::start(0, 2).text("a").u32(4).u32(1).text("a").u32(4).u32(1)),
    ];
    for (what, raw) in cases {
        let path = raw.write(dir.path());
        let error = match Gguf::open(&path) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{what} was accepted"),
        };
        assert!(error.starts_with("not a usable GGUF file"), "{what}: {error}");
    }
    assert!(Gguf::open(&dir.path().join("absent.gguf")).is_err());
}

#[test]
fn a_truncated_or_changed_gguf_never_crashes() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tiny.gguf");
    write_tiny_gguf(&path, 1);
    let good = std::fs::read(&path).expect("the file");
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("written");
        let model = Model::open(&path).map(|_| ());
        let _ = Tokenizer::open(&path);
        model
    };
    for cut in (0..good.len()).step_by(good.len() / 60) {
        assert!(open(&good[..cut]).is_err(), "cut at {cut}");
    }
    // The header takes the first part of the file; change bytes all over it.
    for at in (0..10_000.min(good.len())).step_by(13) {
        for flip in [0xff, 0x80, 0x01] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            let _ = open(&bad);
        }
    }
}

#[test]
fn hostile_model_configurations_are_refused_by_field() {
    let refused = |key: &str, value: serde_json::Value| {
        let mut json = tiny_config();
        json[key] = value;
        match ModelConfig::from_hf_json(&json.to_string(), "x") {
            Ok(_) => panic!("{key} was accepted"),
            Err(error) => error.to_string(),
        }
    };
    for key in [
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
        "vocab_size",
        "max_position_embeddings",
    ] {
        for value in [0u64.into(), u64::MAX.into(), (-1).into(), 1.5.into(), "many".into()] {
            let error = refused(key, value);
            assert!(error.contains(key), "{key}: {error}");
        }
    }
    assert!(refused("num_key_value_heads", 3.into()).contains("divide"));
    assert!(refused("head_dim", 7.into()).contains("even"));
    assert!(refused("rms_norm_eps", 0.into()).contains("rms_norm_eps"));
    assert!(refused("rope_theta", 0.into()).contains("rope_theta"));
    assert!(refused("model_type", "t5".into()).contains("supported are llama, mistral"));
    assert!(refused("hidden_act", "mish".into()).contains("silu"));
    assert!(refused("attention_bias", "yes".into()).contains("attention_bias"));
    let longrope = serde_json::json!({"rope_type": "longrope", "factor": 4.0});
    assert!(refused("rope_scaling", longrope).contains("short_factor"));
    let yarn = serde_json::json!({"rope_type": "yarn", "factor": -4.0});
    assert!(refused("rope_scaling", yarn).contains("positive"));
    let llama3 = serde_json::json!({"rope_type": "llama3", "factor": 0.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0});
    assert!(refused("rope_scaling", llama3).contains("rope_scaling"));
    // Each size within its bound, the whole beyond memory.
    let mut json = tiny_config();
    json["hidden_size"] = 32_768.into();
    json["intermediate_size"] = 131_072.into();
    json["num_hidden_layers"] = 256.into();
    let error = ModelConfig::from_hf_json(&json.to_string(), "x").expect_err("too large");
    assert!(error.to_string().contains("parameters"), "{error}");
    for text in ["", "{", "[]", "null", &" ".repeat(2 << 20), &"[".repeat(100_000)] {
        assert!(ModelConfig::from_hf_json(text, "x").is_err());
    }
}

#[test]
fn hostile_safetensors_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    write_tiny_folder(dir.path(), 1);
    let file = dir.path().join("model.safetensors");
    let good = std::fs::read(&file).expect("the file");
    for cut in (0..good.len()).step_by(good.len() / 40) {
        std::fs::write(&file, &good[..cut]).expect("written");
        assert!(Model::open(dir.path()).is_err(), "cut at {cut}");
    }
    let with = |name: &str, tensor: Option<(Vec<usize>, Vec<f32>)>| {
        let mut weights = tiny_weights(1);
        match tensor {
            Some(t) => weights.insert(name.to_owned(), t),
            None => weights.remove(name),
        };
        std::fs::write(&file, safetensors_bytes(&weights)).expect("written");
        Model::open(dir.path()).expect_err("refused").to_string()
    };
    assert!(with("model.norm.weight", None).contains("model.norm.weight"));
    let error = with("model.norm.weight", Some((vec![31], vec![1.0; 31])));
    assert!(error.contains("[31]") && error.contains("[32]"), "{error}");
    let error = with("model.norm.weight", Some((vec![32], vec![f32::INFINITY; 32])));
    assert!(error.contains("not finite"), "{error}");
    // An index that points out of the folder.
    let index = dir.path().join("model.safetensors.index.json");
    for name in ["../../etc/passwd", "/etc/passwd", "", ".hidden", "a/b"] {
        let text = serde_json::json!({"weight_map": {"x": name}}).to_string();
        std::fs::write(&index, text).expect("written");
        let error = Model::open(dir.path()).expect_err("refused").to_string();
        assert!(error.contains("plain names only"), "{name}: {error}");
    }
}

#[test]
fn hostile_chat_templates_end_with_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tiny.gguf");
    write_tiny_gguf(&path, 1);
    let gguf = std::fs::read(&path).expect("the file");
    // The template stands in the file as length and text: replace it by one of the same length.
    let needle = b"{% for m in messages %}{{ '<|im_start|>'";
    let at = gguf.windows(needle.len()).position(|w| w == needle).expect("the template");
    let len = u64::from_le_bytes(gguf[at - 8..at].try_into().expect("8 bytes")) as usize;
    for template in [
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ raise_exception('no') }}",
        "{% for %}",
        "{{ undefined.field.of.nothing }}",
    ] {
        let mut bad = gguf.clone();
        let mut text = template.as_bytes().to_vec();
        text.resize(len, b' ');
        bad[at..at + len].copy_from_slice(&text);
        std::fs::write(&path, &bad).expect("written");
        let tokenizer = Tokenizer::open(&path).expect("opens");
        let error = tokenizer.render_chat(&[Message::user("hi")], true).expect_err("refused");
        assert!(error.to_string().contains("chat template"), "{error}");
    }
}

/// A folder with a tokenizer of four tokens and a chat template.
fn template_folder(dir: &Path, template: &str) -> Tokenizer {
    let vocab = serde_json::json!({"<s>": 0, "</s>": 1, "a": 2});
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "a"},
    });
    let config = serde_json::json!({"bos_token": "<s>", "eos_token": "</s>"});
    std::fs::write(dir.join("tokenizer.json"), tokenizer.to_string()).expect("written");
    std::fs::write(dir.join("tokenizer_config.json"), config.to_string()).expect("written");
    std::fs::write(dir.join("chat_template.jinja"), template).expect("written");
    Tokenizer::open(dir).expect("opens")
}

#[test]
fn templates_that_make_much_of_little_are_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let raw = "x".repeat(1000);
    let long = format!("{{{{ a{} }}}}", " ~ a".repeat(20_000));
    let nested = format!("{{{{ 1{} }}}}", ")".repeat(400));
    let branches = format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(20_000));
    let cases = [
        // Doubling, by every means of the language.
        "{% set ns = namespace(s='x') %}{% for i in range(80) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(80) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(80) %}{% set ns.s = ns.s * 2 %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(80) %}{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}{% endfor %}",
        "{% set ns = namespace(s=['x']) %}{% for i in range(80) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=['x']) %}{% for i in range(80) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s='x') %}{% for i in range(80) %}{% set ns.s = ns.s.replace('x', 'xx') %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(80) %}{% set ns.s = ns.s | replace('x', 'xx') %}{% endfor %}",
        "{% set ns = namespace(s='xx') %}{% for i in range(80) %}{% set ns.s = ns.s.join(ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='xx') %}{% for i in range(80) %}{% set ns.s = [ns.s, ns.s, ns.s] | join(ns.s) %}{% endfor %}",
        "{% macro f(s, n) %}{% if n > 0 %}{{ f(s ~ s, n - 1) }}{{ f(s ~ s, n - 1) }}{% endif %}{% endmacro %}{{ f('x', 60) }}",
        "{% set s = 'x' * 99999999 %}{{ s }}",
        "{{ 'x' * 99999999 }}{{ 'y' * 99999999 }}",
        "{{ [1, 2] * 99999999 }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}LONG{% endfor %}{% endfor %}",
        "{% set x %}{% for i in range(99999) %}LONG{% endfor %}{% endset %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set x %}LONG{% endset %}{% set ns.l = ns.l + [x] %}{% endfor %}",
        "{{ messages | tojson(indent=99999999) }}",
        "{{ '%99999999d' | format(1) }}",
        "{% include 'x' %}",
        "{% for i in range(99999) %}{{ messages[0].content.nothing() }}{% endfor %}",
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
        &long,
        &nested,
        &branches,
    ];
    for case in cases {
        let template = case.replace("LONG", &raw);
        let tokenizer = template_folder(dir.path(), &template);
        let shown: String = case.chars().take(100).collect();
        let error = match tokenizer.render_chat(&[Message::user("hi")], true) {
            Ok(text) => panic!("{shown} made {} bytes", text.len()),
            Err(error) => error.to_string(),
        };
        assert!(error.contains("chat template"), "{shown}: {error}");
    }
    // What is long because the conversation is long is fine.
    let tokenizer = template_folder(
        dir.path(),
        "{% set ns = namespace(s='') %}{% for m in messages %}{% set ns.s = ns.s ~ m.content %}{{ m.content }}{% endfor %}",
    );
    let turns: Vec<Message> = (0..8).map(|_| Message::user("y".repeat(1 << 20))).collect();
    assert_eq!(tokenizer.render_chat(&turns, false).expect("renders").len(), 8 << 20);
}

/// What fuzzing found to panic within the tokenizer library, which the engine reports as an error.
#[test]
fn tokenizers_that_make_the_library_panic_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let good = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"a": 0, "</s>": 1}, "unk_token": "a"}}"#;
    let config = r#"{"eos_token": "</s>"}"#;
    std::fs::write(dir.path().join("tokenizer_config.json"), config).expect("written");
    let open = |text: &str| {
        std::fs::write(dir.path().join("tokenizer.json"), text).expect("written");
        Tokenizer::open(dir.path())
    };
    assert!(open(good).is_ok());
    let second = r#""post_processor": {"type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "B", "type_id": 0}}], "pair": [], "special_tokens": {}}"#;
    for (from, to) in [
        (r#""decoder": null"#, r#""decoder": {"type": "Fuse", "type": tru"#),
        (r#""decoder": null"#, r#""decoder": {"#),
        (r#""post_processor": null"#, second),
    ] {
        assert!(good.contains(from));
        let error = open(&good.replace(from, to)).expect_err("refused").to_string();
        assert!(error.starts_with("tokenizer: "), "{error}");
    }
}

#[test]
fn expressions_that_never_finish_are_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "post_processor": null, "decoder": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(x+x+)+y"},
            "behavior": "Isolated", "invert": false},
        "model": {"type": "WordLevel", "vocab": {"a": 0, "</s>": 1}, "unk_token": "a"},
    });
    std::fs::write(dir.path().join("tokenizer.json"), tokenizer.to_string()).expect("written");
    std::fs::write(dir.path().join("tokenizer_config.json"), r#"{"eos_token": "</s>"}"#)
        .expect("written");
    let tokenizer = Tokenizer::open(dir.path()).expect("opens");
    assert!(tokenizer.encode("xxxx").is_ok());
    let error = tokenizer.encode(&"x".repeat(60)).expect_err("too much work").to_string();
    assert!(error.starts_with("tokenizer: text"), "{error}");
}

#[test]
fn token_ids_and_lengths_beyond_the_model_are_refused() {
    let (model, _) = crate::common::tiny(1);
    let vocabulary = model.config.vocab_size as u32;
    let runner = Runner::new(model.clone(), 16).expect("a runner");
    let tokens = [1, vocabulary];
    assert!(runner.logits(&Batch::new(&[(&tokens, &[])]), None).is_err());
    let tokens = [u32::MAX];
    assert!(runner.logits(&Batch::new(&[(&tokens, &[])]), None).is_err());
    let long = [1u32; 17];
    assert!(runner.logits(&Batch::new(&[(&long, &[])]), None).is_err());
    assert!(Runner::new(model, 257).is_err());
}
