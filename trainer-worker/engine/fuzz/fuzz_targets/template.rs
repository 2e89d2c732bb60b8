//! A chat template, rendered for a short conversation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use readers::tokenizer::{Message, Tokenizer};

const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null,
"added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
"decoder": null, "model": {"type": "WordLevel", "vocab": {"<s>": 0, "</s>": 1, "a": 2},
"unk_token": "a"}}"#;

fuzz_target!(|template: &str| {
    readers::let_caught_panics_pass();
    static DIR: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(dir.path().join("tokenizer.json"), TOKENIZER).expect("written");
        let config = r#"{"bos_token": "<s>", "eos_token": "</s>"}"#;
        std::fs::write(dir.path().join("tokenizer_config.json"), config).expect("written");
        dir
    });
    std::fs::write(dir.path().join("chat_template.jinja"), template).expect("written");
    if let Ok(tokenizer) = Tokenizer::open(dir.path()) {
        let turns = [Message::system("s"), Message::user(" u "), Message::assistant("a")];
        for prompt in [false, true] {
            let _ = tokenizer.render_chat(&turns, prompt);
        }
        let _ = tokenizer.end_of_turn();
    }
});
