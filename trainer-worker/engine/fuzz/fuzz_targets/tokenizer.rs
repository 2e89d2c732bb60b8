//! A `tokenizer.json`, a zero byte, and a `tokenizer_config.json`; or, where the first byte is that of
//! a protobuf's first piece, a `tokenizer.model`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::tokenizer::{Message, Tokenizer};

fuzz_target!(|data: &[u8]| {
    readers::let_caught_panics_pass();
    let default: &[u8] = br#"{"eos_token": "</s>"}"#;
    let (name, tokenizer, config) = if data.first() == Some(&0x0a) {
        ("tokenizer.model", data, default)
    } else {
        let mut parts = data.splitn(2, |b| *b == 0);
        let tokenizer = parts.next().unwrap_or_default();
        ("tokenizer.json", tokenizer, parts.next().unwrap_or(default))
    };
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join(name), tokenizer).expect("written");
    std::fs::write(dir.path().join("tokenizer_config.json"), config).expect("written");
    if let Ok(tokenizer) = Tokenizer::open(dir.path()) {
        let _ = tokenizer.encode_plain("<s>Hello</s>  12 é🙂\n");
        if let Ok(ids) = tokenizer.encode_text("Hello, world!\n\n\tx") {
            let _ = tokenizer.decode(&ids, true);
        }
        let _ = tokenizer.decode(&[0, 1, u32::MAX], false);
        let _ = tokenizer.render_chat(&[Message::user("hi")], true);
    }
});
