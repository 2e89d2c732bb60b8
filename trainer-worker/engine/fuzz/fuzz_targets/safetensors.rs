//! A safetensors file beside a valid configuration.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use readers::model::Model;

const CONFIG: &str = r#"{"model_type": "llama", "hidden_size": 8, "intermediate_size": 8,
"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4,
"vocab_size": 8, "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "hidden_act": "silu",
"tie_word_embeddings": true}"#;

fuzz_target!(|data: &[u8]| {
    static DIR: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(dir.path().join("config.json"), CONFIG).expect("written");
        dir
    });
    std::fs::write(dir.path().join("model.safetensors"), data).expect("written");
    let _ = Model::open(dir.path());
});
