//! A PEFT adapter for a small model: `adapter_config.json`, a zero byte, and the weights' file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::model::ModelConfig;
use readers::peft;
use std::sync::OnceLock;

const CONFIG: &str = r#"{"model_type": "llama", "hidden_size": 8, "intermediate_size": 8,
"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4,
"vocab_size": 8, "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "hidden_act": "silu",
"tie_word_embeddings": true}"#;

fuzz_target!(|data: &[u8]| {
    static MODEL: OnceLock<ModelConfig> = OnceLock::new();
    let model =
        MODEL.get_or_init(|| ModelConfig::from_hf_json(CONFIG, "fuzz").expect("a valid model"));
    let mut parts = data.splitn(2, |b| *b == 0);
    let config = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let weights = parts.next().unwrap_or_default();
    if let Ok(adapter) = peft::from_bytes(weights, Some(&config), model) {
        let (bytes, text) = (peft::to_bytes(&adapter, "fuzz"), peft::config_json(&adapter, "fuzz"));
        peft::from_bytes(&bytes, Some(&text), model).expect("what is written can be read");
    }
});
