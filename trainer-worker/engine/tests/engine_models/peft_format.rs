//! Adapters in PEFT's format: round trip, deterministic bytes, PEFT's own files, hostile ones.

use crate::common::{golden, lora_config, random, safetensors_bytes, tiny};
use openledger_engine::lora::{Adapter, LoraConfig};
use openledger_engine::model::{Model, ModelConfig};
use openledger_engine::peft;
use safetensors::SafeTensors;
use std::collections::BTreeMap;

fn adapter(model: &Model, targets: &[&str]) -> Adapter {
    let config = LoraConfig { dropout: 0.05, ..lora_config(model, 3, 12.0, targets) };
    let mut adapter = Adapter::new(config, &model.config, 9);
    for (i, layer) in adapter.layers.iter_mut().enumerate() {
        let noise = random(i as u64, layer.len(), 0.1);
        layer.iter_mut().zip(noise).for_each(|(p, n)| *p += n);
    }
    adapter
}

#[test]
fn an_adapter_survives_the_round_trip_and_its_bytes_are_deterministic() {
    let (model, _) = tiny(1);
    for targets in [&["all-linear"][..], &["q_proj", "v_proj"], &["down_proj"]] {
        let adapter = adapter(&model, targets);
        let bytes = peft::to_bytes(&adapter, "base");
        assert_eq!(bytes, peft::to_bytes(&adapter, "base"));
        assert_eq!(peft::from_bytes(&bytes, None, &model.config).expect("reads"), adapter);
        let dir = tempfile::tempdir().expect("a folder");
        peft::save(dir.path(), &adapter, "base").expect("saves");
        assert_eq!(peft::load(dir.path(), &model.config).expect("loads"), adapter);
        let file = dir.path().join(peft::WEIGHTS);
        assert_eq!(std::fs::read(&file).expect("the file"), bytes);
        assert_eq!(peft::load(&file, &model.config).expect("loads"), adapter);
        let config = std::fs::read_to_string(dir.path().join(peft::CONFIG)).expect("the config");
        assert_eq!(peft::extract_config(&bytes).expect("inside"), config);
    }
}

#[test]
fn notes_stand_in_the_metadata_and_change_nothing_else() {
    let (model, _) = tiny(1);
    let adapter = adapter(&model, &["all-linear"]);
    let bytes = peft::to_bytes(&adapter, "base");
    assert_eq!(peft::to_bytes_with(&adapter, "base", &[]), bytes);
    let noted = peft::to_bytes_with(&adapter, "base", &[("a \"note\"", "2\n".to_owned())]);
    let (_, header) = SafeTensors::read_metadata(&noted).expect("a safetensors file");
    let metadata = header.metadata().as_ref().expect("metadata");
    assert_eq!(metadata.get("a \"note\"").map(String::as_str), Some("2\n"));
    assert_eq!(peft::extract_config(&noted).ok(), peft::extract_config(&bytes).ok());
    assert_eq!(peft::from_bytes(&noted, None, &model.config).expect("reads"), adapter);
}

#[test]
fn the_file_has_pefts_names_shapes_and_metadata() {
    let (model, _) = tiny(1);
    let adapter = adapter(&model, &["q_proj", "down_proj"]);
    let bytes = peft::to_bytes(&adapter, "base");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let shapes: BTreeMap<String, Vec<usize>> =
        file.tensors().into_iter().map(|(n, v)| (n, v.shape().to_vec())).collect();
    assert_eq!(shapes.len(), 8);
    let name = "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight";
    assert_eq!(shapes[name], [3, 32]);
    let name = "base_model.model.model.layers.0.mlp.down_proj.lora_B.weight";
    assert_eq!(shapes[name], [32, 3]);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("metadata");
    assert_eq!(metadata.metadata().as_ref().expect("there")["format"], "pt");
    let header_len = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"));
    assert_eq!(header_len % 8, 0, "aligned");
    let config: serde_json::Value =
        serde_json::from_str(&peft::extract_config(&bytes).expect("inside")).expect("JSON");
    assert_eq!(config["peft_type"], "LORA");
    assert_eq!((config["r"].as_u64(), config["lora_alpha"].as_u64()), (Some(3), Some(12)));
    assert_eq!(config["target_modules"], serde_json::json!(["q_proj", "down_proj"]));
    assert_eq!(config["base_model_name_or_path"], "base");
}

#[test]
fn our_config_has_the_fields_that_peft_writes_with_the_same_values() {
    // The golden adapter was written by PEFT 0.21.2; what we do not write must be a null default.
    let dir = golden("llama-untied");
    let text = std::fs::read_to_string(dir.join("config.json")).expect("config");
    let model = ModelConfig::from_hf_json(&text, "x").expect("a configuration");
    let theirs = peft::load(&dir.join("adapter"), &model).expect("loads");
    assert_eq!(theirs.config.target_modules, ["q_proj", "v_proj"]);
    assert_eq!((theirs.config.r, theirs.config.scaling()), (3, 16.0 / 3.0));
    let text = std::fs::read_to_string(dir.join("adapter").join(peft::CONFIG)).expect("config");
    let theirs_json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let ours: serde_json::Value =
        serde_json::from_str(&peft::config_json(&theirs, "x")).expect("JSON");
    for (key, value) in ours.as_object().expect("an object") {
        let expected = match key.as_str() {
            "base_model_name_or_path" => continue,
            "target_modules" => {
                let mut names: Vec<String> =
                    serde_json::from_value(theirs_json[key].clone()).expect("names");
                names.sort();
                serde_json::json!(names)
            }
            _ => theirs_json[key].clone(),
        };
        let same = match (value.as_f64(), expected.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => *value == expected,
        };
        assert!(same, "{key}: ours {value}, PEFT's {expected}");
    }
}

#[test]
fn unusable_adapters_are_refused_with_the_reason() {
    let (model, _) = tiny(1);
    let good = adapter(&model, &["q_proj"]);
    let config = peft::config_json(&good, "base");
    let bytes = peft::to_bytes(&good, "base");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)> = file
        .tensors()
        .into_iter()
        .map(|(n, v)| (n, (v.shape().to_vec(), vec![0.5; v.data().len() / 4])))
        .collect();
    let error = |tensors: &BTreeMap<_, _>, config: &str| {
        peft::from_bytes(&safetensors_bytes(tensors), Some(config), &model.config)
            .expect_err("refused")
            .to_string()
    };
    assert!(peft::from_bytes(&safetensors_bytes(&tensors), Some(&config), &model.config).is_ok());

    let a = "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight";
    let mut missing = tensors.clone();
    missing.remove(a);
    assert!(error(&missing, &config).contains(&format!("{a} is missing")));
    let mut other = tensors.clone();
    other.insert("base_model.model.lm_head.weight".into(), (vec![1], vec![0.0]));
    assert!(error(&other, &config).contains("unexpected tensor base_model.model.lm_head.weight"));
    let mut beyond = tensors.clone();
    beyond.insert(a.replace("layers.1", "layers.7"), (vec![3, 32], vec![0.0; 96]));
    assert!(error(&beyond, &config).contains("layer 7, the model has 2"));
    let mut twice = tensors.clone();
    twice.insert(a.replace("layers.1", "layers.01"), (vec![3, 32], vec![0.0; 96]));
    assert!(error(&twice, &config).contains("unexpected tensor"));
    let mut shape = tensors.clone();
    shape.insert(a.into(), (vec![3, 31], vec![0.0; 93]));
    assert!(error(&shape, &config).contains("[3, 31]"));
    let mut nan = tensors.clone();
    nan.insert(a.into(), (vec![3, 32], vec![f32::NAN; 96]));
    assert!(error(&nan, &config).contains("not finite"));
    assert!(error(&BTreeMap::new(), &config).contains("holds no tensor"));

    let with = |key: &str, value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_str(&config).expect("JSON");
        json[key] = value;
        error(&tensors, &json.to_string())
    };
    assert!(with("peft_type", "IA3".into()).contains("only LORA"));
    assert!(with("use_dora", true.into()).contains("no lora_magnitude_vector"));
    assert!(with("r", 0.into()).contains("r = 0"));
    assert!(with("r", 5.into()).contains("r = 5"));
    assert!(with("lora_alpha", (-1).into()).contains("lora_alpha"));
    assert!(with("rank_pattern", serde_json::json!({"q_proj": 4})).contains("r = 4"));
    assert!(with("lora_bias", true.into()).contains("lora_bias"));
    assert!(with("modules_to_save", serde_json::json!(["lm_head"])).contains("modules_to_save"));
    assert!(error(&tensors, "{").contains("not JSON"));
}

#[test]
fn hostile_adapter_bytes_give_errors() {
    let (model, _) = tiny(1);
    let good = peft::to_bytes(&adapter(&model, &["q_proj"]), "base");
    for cut in (0..good.len()).step_by(97) {
        assert!(peft::from_bytes(&good[..cut], None, &model.config).is_err(), "cut at {cut}");
    }
    for cut in 0..200 {
        assert!(peft::extract_config(&good[..cut]).is_err());
    }
    for len in [u64::MAX, u64::MAX - 7, 1 << 40, 100_000_001, 0] {
        let mut bad = good.clone();
        bad[..8].copy_from_slice(&len.to_le_bytes());
        assert!(peft::extract_config(&bad).is_err());
        assert!(peft::from_bytes(&bad, None, &model.config).is_err());
    }
    let header = |text: &str| {
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes
    };
    for text in [
        "[]",
        "{}",
        "null",
        r#"{"__metadata__":{}}"#,
        r#"{"__metadata__":{"adapter_config":"{"}}"#,
        r#"{"__metadata__":{"adapter_config":7}}"#,
        &"[".repeat(100_000),
        &format!("{}1{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000)),
    ] {
        assert!(peft::extract_config(&header(text)).is_err());
        assert!(peft::from_bytes(&header(text), None, &model.config).is_err());
    }
    // Every single-byte change of the header is read as something or refused, never a crash.
    let header_len = u64::from_le_bytes(good[..8].try_into().expect("8 bytes")) as usize;
    for at in (0..header_len + 8).step_by(3) {
        let mut bad = good.clone();
        bad[at] ^= 0x15;
        let _ = peft::extract_config(&bad);
        let _ = peft::from_bytes(&bad, None, &model.config);
    }
}
