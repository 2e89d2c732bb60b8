//! Merged models compute what base and adapter compute: from GGUF files of every architecture and
//! from folders, with LoRA, rsLoRA and DoRA.

use crate::common::{golden, lora_config, random};
use candle_core::quantized::gguf_file;
use openledger_engine::export::tensors::TensorFile;
use openledger_engine::export::{merge, MergeSettings, PeftAdapter};
use openledger_engine::lora::{Adapter, LoraConfig};
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::Model;
use openledger_engine::peft;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn logits(model: &Arc<Model>, adapter: Option<&Adapter>) -> Vec<f32> {
    let tokens: Vec<u32> = (0..24).map(|i| 1 + (i * 17) % 46).collect();
    let runner = Runner::new(model.clone(), 24).expect("a runner");
    runner.logits(&Batch::new(&[(&tokens, &[])]), adapter).expect("logits")
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Merges an adapter with random values into `base` and compares; returns the merged model.
pub fn merged_equals_adapted(
    base: &Path,
    out: &Path,
    change: impl Fn(LoraConfig) -> LoraConfig,
) -> Model {
    let name = base.display();
    let model = Arc::new(Model::open(base).unwrap_or_else(|e| panic!("{name}: {e}")));
    let config = change(lora_config(&model, 3, 6.0, &["all-linear"]));
    let mut adapter = Adapter::fresh(config, &model, 1).expect("an adapter");
    for (i, layer) in adapter.layers.iter_mut().enumerate() {
        let noise = random(70 + i as u64, layer.len(), 0.05);
        layer.iter_mut().zip(noise).for_each(|(p, n)| *p += n);
    }
    let saved = out.join("adapter");
    peft::save(&saved, &adapter, "base").expect("saved");
    let file = PeftAdapter::open(&saved).expect("an adapter");
    let target = out.join("merged");
    let merged = merge(base, Some(&file), &target, MergeSettings::default(), |_, _| {})
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(merged.changed, file.modules.len(), "{name}");
    let merged = Model::open(&target).unwrap_or_else(|e| panic!("{name}: {e}"));
    let adapted = logits(&model, Some(&adapter));
    assert!(difference(&adapted, &logits(&model, None)) > 1e-2, "{name}: the adapter acts");
    let merged = Arc::new(merged);
    let worst = difference(&adapted, &logits(&merged, None));
    assert!(worst <= 2e-4, "{name}: logits differ by {worst}");
    Arc::into_inner(merged).expect("one owner")
}

#[test]
fn merged_gguf_files_of_every_architecture_compute_base_and_adapter() {
    for name in ["llama", "qwen2", "qwen3", "gpt2", "bloom", "chatglm", "glm", "glm4"] {
        let dir = tempfile::tempdir().expect("a folder");
        let base = golden(&format!("gguf/{name}.gguf"));
        let merged = merged_equals_adapted(&base, dir.path(), |c| c);
        assert_eq!(merged.config.family.model_type(), name);
        let tokenizer = openledger_engine::tokenizer::Tokenizer::open(&dir.path().join("merged"));
        assert_eq!(tokenizer.expect("its tokenizer").encode("the inn").expect("ids").len(), 5);
    }
}

/// The golden LLaMA file with other keys.
fn rewritten(path: &Path, keys: &[(&str, gguf_file::Value)]) {
    let mut file = std::fs::File::open(golden("gguf/llama.gguf")).expect("the file");
    let content = gguf_file::Content::read(&mut file).expect("GGUF");
    let mut metadata: BTreeMap<&str, &gguf_file::Value> =
        content.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    metadata.extend(keys.iter().map(|(k, v)| (*k, v)));
    let tensors: Vec<_> = content
        .tensor_infos
        .keys()
        .map(|name| {
            let tensor = content.tensor(&mut file, name, &candle_core::Device::Cpu);
            (name.as_str(), tensor.expect("a tensor"))
        })
        .collect();
    let tensors: Vec<_> = tensors.iter().map(|(n, t)| (*n, t)).collect();
    let metadata: Vec<_> = metadata.into_iter().collect();
    let mut out = std::fs::File::create(path).expect("created");
    gguf_file::write(&mut out, &metadata, &tensors).expect("written");
}

#[test]
fn a_windowed_llama_file_becomes_a_mistral_and_what_cannot_be_said_is_refused() {
    use gguf_file::Value::{F32, U32};
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("mistral.gguf");
    rewritten(&path, &[("llama.attention.sliding_window", U32(7))]);
    let merged = merged_equals_adapted(&path, dir.path(), |c| c);
    assert_eq!(merged.config.family.model_type(), "mistral");
    assert_eq!(merged.config.window(1), Some(7));
    // A scale of the scores has no field.
    rewritten(&path, &[("llama.attention.scale", F32(0.25))]);
    let target = dir.path().join("refused");
    let error = merge(&path, None, &target, MergeSettings::default(), |_, _| {});
    assert!(error.expect_err("refused").to_string().contains("attention.scale"));
}

#[test]
fn adapters_of_all_kinds_merge_into_folders() {
    let kinds = |c: LoraConfig, dora: bool| LoraConfig {
        use_dora: dora,
        use_rslora: true,
        dropout: 0.3,
        ..c
    };
    for base in ["llama-tied", "gpt2", "bloom", "chatglm", "glm4", "deepseek-v2"] {
        for dora in [false, true] {
            let dir = tempfile::tempdir().expect("a folder");
            let whole = dir.path().join("base");
            // In f32, so that the merged weights are not rounded.
            let settings =
                MergeSettings { dtype: Some(openledger_engine::export::tensors::Dtype::F32) };
            merge(&golden(base), None, &whole, settings, |_, _| {}).expect("converted");
            merged_equals_adapted(&whole, dir.path(), |c| kinds(c, dora));
        }
    }
}

#[test]
fn the_dora_adapters_of_peft_merge_to_pefts_logits() {
    for case in ["adapter-dora-llama", "adapter-dora-gpt2"] {
        let dir = tempfile::tempdir().expect("a folder");
        let text = std::fs::read_to_string(golden(case).join("golden.json")).expect("golden.json");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let base = golden(json["base"].as_str().expect("a base"));
        let adapter = PeftAdapter::open(&golden(case).join("adapter")).expect("an adapter");
        let settings =
            MergeSettings { dtype: Some(openledger_engine::export::tensors::Dtype::F32) };
        merge(&base, Some(&adapter), dir.path(), settings, |_, _| {}).expect("merged");
        let merged = Arc::new(Model::open(dir.path()).expect("loads"));
        let n = json["lengths"][0].as_u64().expect("a length") as usize;
        let ids: Vec<u32> = serde_json::from_value(json["input_ids"][0].clone()).expect("ids");
        let runner = Runner::new(merged, n).expect("a runner");
        let ours = runner.logits(&Batch::new(&[(&ids[..n], &[])]), None).expect("logits");
        let bytes = std::fs::read(golden(case).join("golden.safetensors")).expect("the file");
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
        let theirs = file.tensor("adapter_logits").expect("logits").data();
        let theirs: Vec<f32> = theirs[..ours.len() * 4]
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        assert!(difference(&ours, &theirs) <= 1e-4, "{case}");
    }
}

#[test]
fn a_base_in_eight_bits_is_written_in_sixteen() {
    for name in ["fp8-deepseek-v3", "fp8-qwen3"] {
        let dir = tempfile::tempdir().expect("a folder");
        let base = golden(name);
        let settings = MergeSettings::default();
        let merged = merge(&base, None, dir.path(), settings, |_, _| {}).expect("converted");
        let file = TensorFile::open(&merged.files[0]).expect("the file");
        assert!(file.entries.keys().all(|n| !n.contains("scale")), "{name}");
        assert!(file.entries.values().all(|e| e.dtype == "BF16"), "{name}");
        let text = std::fs::read_to_string(dir.path().join("config.json")).expect("config.json");
        assert!(!text.contains("quantization_config") && text.contains("bfloat16"), "{text}");
        let (a, b) = (Model::open(&base).expect("loads"), Model::open(dir.path()).expect("loads"));
        let (a, b) = (logits(&Arc::new(a), None), logits(&Arc::new(b), None));
        let worst = difference(&a, &b);
        assert!(worst > 0.0 && worst < 0.2, "{name}: rounding to bf16 changed {worst}");
    }
}
