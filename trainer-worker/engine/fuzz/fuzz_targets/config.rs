//! The text of a `config.json`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::model::ModelConfig;

fuzz_target!(|text: &str| {
    if let Ok(config) = ModelConfig::from_hf_json(text, "fuzz") {
        config.validate().expect("what is returned was validated");
        let _ = config.parameters();
    }
});
