//! `merge`, `export`, `inspect` and `doctor` as a user runs them, on the tiny model.

use crate::commands::{json, refusal, run, workplace};
use crate::common::safetensors_bytes;
use candle_core::quantized::gguf_file;
use candle_core::Device;
use openledger_engine::export::PeftAdapter;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A workplace with an adapter in `out`.
fn with_adapter() -> tempfile::TempDir {
    let dir = workplace();
    let args = [
        "train",
        "--model",
        "tiny.gguf",
        "--data",
        "data",
        "--output",
        "out",
        "--target-modules",
        "all-linear",
        "--learning-rate",
        "2e-2",
        "--num-train-epochs",
        "4",
        "--max-seq-length",
        "96",
        "--json",
    ];
    json(&run(dir.path(), &args));
    dir
}

fn logits(dir: &Path, more: &[&str]) -> Vec<f64> {
    let args = [&["logits", "--tokens", "5,6,7,8", "--json"], more].concat();
    let answer = json(&run(dir, &args));
    let rows = answer["logits"].as_array().expect("rows");
    rows.iter()
        .flat_map(|r| r.as_array().expect("numbers"))
        .map(|v| v.as_f64().expect("a number"))
        .collect()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn a_merged_model_computes_what_base_and_adapter_compute() {
    let dir = with_adapter();
    let dir = dir.path();
    let adapted = logits(dir, &["--model", "tiny.gguf", "--adapter", "out"]);
    let base = logits(dir, &["--model", "tiny.gguf"]);
    assert!(difference(&adapted, &base) > 1e-2, "the adapter does something");
    let merge = |model: &str, output: &str| {
        let args = ["merge", "--model", model, "--adapter", "out", "--output", output, "--json"];
        json(&run(dir, &args))
    };
    let report = merge("tiny.gguf", "merged");
    assert_eq!(report["changed"], 14);
    let merged = logits(dir, &["--model", "merged"]);
    assert!(difference(&merged, &adapted) < 1e-4);

    // A folder as base: converted without an adapter first, then merged.
    let plain = ["merge", "--model", "tiny.gguf", "--output", "plain"];
    assert!(run(dir, &plain).status.success());
    assert_eq!(difference(&logits(dir, &["--model", "plain"]), &base), 0.0);
    merge("plain", "merged-again");
    assert!(difference(&logits(dir, &["--model", "merged-again"]), &adapted) < 1e-4);
    let half =
        ["merge", "--model", "plain", "--adapter", "out", "--output", "half", "--dtype", "bf16"];
    assert!(run(dir, &half).status.success());
    assert!(difference(&logits(dir, &["--model", "half"]), &adapted) < 0.2);
    let whole = std::fs::metadata(dir.join("merged/model.safetensors")).expect("written").len();
    let small = std::fs::metadata(dir.join("half/model.safetensors")).expect("written").len();
    assert!(small * 10 < whole * 6);

    let again = run(dir, &half);
    assert_eq!(again.status.code(), Some(3));
    assert!(refusal(&again).contains("is not empty"));
}

#[test]
fn an_exported_adapter_is_what_llama_cpp_reads() {
    let dir = with_adapter();
    let dir = dir.path();
    let args = [
        "export",
        "--model",
        "tiny.gguf",
        "--adapter",
        "out",
        "--output",
        "adapter.gguf",
        "--modelfile",
        "Modelfile",
        "--json",
    ];
    assert_eq!(json(&run(dir, &args))["modules"], 14);
    let mut file = std::fs::File::open(dir.join("adapter.gguf")).expect("written");
    let content = gguf_file::Content::read(&mut file).expect("GGUF");
    let text = |key: &str| content.metadata[key].to_string().expect("a text").clone();
    assert_eq!(text("general.type"), "adapter");
    assert_eq!(text("adapter.type"), "lora");
    assert_eq!(text("general.architecture"), "llama");
    assert_eq!(content.metadata["adapter.lora.alpha"].to_f32().expect("a number"), 16.0);
    assert_eq!(content.tensor_infos.len(), 28);

    let adapter = PeftAdapter::open(&dir.join("out")).expect("an adapter");
    let mut read = |name: &str| {
        let tensor = content.tensor(&mut file, name, &Device::Cpu).expect(name);
        let tensor = tensor.dequantize(&Device::Cpu).expect("f32");
        (tensor.dims().to_vec(), tensor.flatten_all().expect("flat").to_vec1::<f32>().expect("f32"))
    };
    let (shape, values) = read("blk.1.ffn_down.weight.lora_b");
    let path = "model.layers.1.mlp.down_proj";
    assert_eq!((shape, values), (vec![32, 8], adapter.b(path).expect("B")));
    let (shape, values) = read("blk.0.attn_k.weight.lora_a");
    let path = "model.layers.0.self_attn.k_proj";
    assert_eq!((shape, values), (vec![8, 32], adapter.a(path).expect("A")));
    // Two key heads of 8 rows: row 2 j + i of a head is Hugging Face's row 4 i + j.
    let (_, permuted) = read("blk.0.attn_k.weight.lora_b");
    let b = adapter.b(path).expect("B");
    for head in 0..2 {
        for (i, j) in [(0, 0), (0, 3), (1, 0), (1, 2)] {
            let (to, from) = ((head * 8 + 2 * j + i) * 8, (head * 8 + 4 * i + j) * 8);
            assert_eq!(permuted[to..to + 8], b[from..from + 8]);
        }
    }
    let modelfile = std::fs::read_to_string(dir.join("Modelfile")).expect("written");
    for part in
        ["FROM /", "ADAPTER /", "adapter.gguf", "TEMPLATE \"\"\"", "<|im_end|>", "num_ctx 256"]
    {
        assert!(modelfile.contains(part), "{part}: {modelfile}");
    }
    assert_eq!(run(dir, &args).status.code(), Some(3), "never overwritten silently");
}

/// Rewrites the configuration of the adapter in `out`.
fn with_config(dir: &Path, to: &str, change: impl Fn(&mut Value)) {
    std::fs::create_dir_all(dir.join(to)).expect("a folder");
    let text = std::fs::read_to_string(dir.join("out/adapter_config.json")).expect("written");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut config);
    std::fs::write(dir.join(to).join("adapter_config.json"), config.to_string()).expect("written");
    let name = "adapter_model.safetensors";
    std::fs::copy(dir.join("out").join(name), dir.join(to).join(name)).expect("copied");
}

#[test]
fn rank_stabilised_scaling_survives_the_export() {
    let dir = with_adapter();
    let dir = dir.path();
    with_config(dir, "rs", |c| c["use_rslora"] = true.into());
    let export = |adapter: &str, output: &str| {
        let args =
            ["export", "--model", "tiny.gguf", "--adapter", adapter, "--output", output, "--json"];
        json(&run(dir, &args));
        let mut file = std::fs::File::open(dir.join(output)).expect("written");
        let content = gguf_file::Content::read(&mut file).expect("GGUF");
        let tensor = content.tensor(&mut file, "blk.0.attn_v.weight.lora_b", &Device::Cpu);
        let tensor = tensor.expect("B").dequantize(&Device::Cpu).expect("f32");
        tensor.flatten_all().expect("flat").to_vec1::<f32>().expect("f32")
    };
    let (plain, stabilised) = (export("out", "a.gguf"), export("rs", "b.gguf"));
    for (a, b) in plain.iter().zip(&stabilised) {
        // alpha / √8 over alpha / 8.
        assert!((a * 8f32.sqrt() - b).abs() <= 1e-6 * b.abs().max(1e-6), "{a} {b}");
    }
}

#[test]
fn doctor_says_what_others_will_refuse() {
    let dir = with_adapter();
    let dir = dir.path();
    let doctor = |adapter: &str| json(&run(dir, &["doctor", "--adapter", adapter, "--json"]));
    let good = doctor("out");
    assert_eq!(good["adapter"].as_array().expect("findings").len(), 0, "{good}");
    assert!(good["threads"].as_u64().expect("a number") > 0);
    assert!(good["gemm_gflops"].as_f64().expect("a number") > 0.0);
    with_config(dir, "dora", |c| {
        c["use_dora"] = true.into();
        c["modules_to_save"] = serde_json::json!(["lm_head"]);
        c["bias"] = "all".into();
        c["alpha_pattern"] = serde_json::json!({ "q_proj": 32 });
    });
    let output = run(dir, &["doctor", "--adapter", "dora", "--json"]);
    assert_eq!(output.status.code(), Some(1), "this program refuses it as well");
    let bad = String::from_utf8(output.stdout).expect("text");
    for part in ["DoRA", "modules_to_save", "biases", "alpha_pattern"] {
        assert!(bad.contains(part), "{part}: {bad}");
    }
    // A rank that vLLM must be told.
    let mut tensors = BTreeMap::new();
    for (which, shape) in [("A", vec![100, 32]), ("B", vec![32, 100])] {
        let name = format!("base_model.model.model.layers.0.self_attn.q_proj.lora_{which}.weight");
        tensors.insert(name, (shape.clone(), vec![0.5; shape.iter().product()]));
    }
    with_config(dir, "wide", |c| c["r"] = 100.into());
    let path = dir.join("wide/adapter_model.safetensors");
    std::fs::write(path, safetensors_bytes(&tensors)).expect("written");
    assert!(doctor("wide").to_string().contains("--max-lora-rank 128"));
    let text = String::from_utf8(run(dir, &["doctor", "--adapter", "wide"]).stdout);
    assert!(text.expect("text").contains("vLLM notes: rank 100"));
}

#[test]
fn inspect_shows_every_kind_of_file() {
    let dir = with_adapter();
    let dir = dir.path();
    let inspect = |path: &str| json(&run(dir, &["inspect", path, "--json", "--tensors"]));
    let model = inspect("tiny.gguf");
    assert_eq!(model["kind"], "gguf");
    assert_eq!(model["metadata"]["general.architecture"], "llama");
    assert_eq!(model["types"]["F32"]["tensors"], 20);
    assert_eq!(model["sha256"].as_str().expect("a digest").len(), 64);
    let adapter = inspect("out");
    assert_eq!(adapter["kind"], "adapter");
    assert_eq!(adapter["modules"], 14);
    assert_eq!(adapter["ranks"], serde_json::json!([8]));
    assert_eq!(adapter["parameters"], 2 * 8 * (4 * 64 + 3 * 80 - 2 * 16));
    assert_eq!(inspect("out/adapter_model.safetensors")["sha256"], adapter["sha256"]);
    let data = inspect("data");
    assert_eq!(data["files"][0]["questions"], 2);
    let text = String::from_utf8(run(dir, &["inspect", "out"]).stdout).expect("text");
    assert!(text.contains("lora_alpha  16"), "{text}");
    std::fs::write(dir.join("broken.safetensors"), b"\xff\xff\xff\xff\xff\xff\xff\xff{}")
        .expect("written");
    assert!(refusal(&run(dir, &["inspect", "broken.safetensors"])).contains("header"));
}
