//! A GGUF file: header, configuration, weights and tokenizer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::model::gguf::Gguf;
use readers::model::Model;
use readers::tokenizer::{Message, Tokenizer};

fuzz_target!(|data: &[u8]| {
    readers::let_caught_panics_pass();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), data).expect("written");
    if let Ok(gguf) = Gguf::open(file.path()) {
        for name in gguf.tensor_names() {
            let _ = gguf.tensor_info(name);
        }
        if let Ok(tokenizer) = Tokenizer::from_gguf(&gguf) {
            let _ = tokenizer.encode_text("Hello, world! 123 é🙂\n\n");
            let _ = tokenizer.render_chat(&[Message::user("hi")], true);
        }
        let _ = Model::open(file.path());
    }
});
