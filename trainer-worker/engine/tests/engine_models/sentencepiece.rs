//! `tokenizer.model` files give SentencePiece's own ids (scripts/golden/sentencepiece_files.py).

use crate::common::golden;
use openledger_engine::kernels::rng::Stream;
use openledger_engine::tokenizer::Tokenizer;
use serde_json::{json, Value};
use std::path::Path;

/// A folder with one `tokenizer.model` and what else is given.
fn folder(model: &[u8], files: &[(&str, Value)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("tokenizer.model"), model).expect("written");
    for (name, json) in files {
        std::fs::write(dir.path().join(name), json.to_string()).expect("written");
    }
    dir
}

fn model(name: &str) -> Vec<u8> {
    std::fs::read(golden("sentencepiece").join(name)).expect("the file")
}

fn compare(tokenizer: &Tokenizer, cases: &Path) {
    let text = std::fs::read_to_string(cases).expect("golden file");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert!(cases.len() > 15);
    for case in cases {
        let text = case["text"].as_str().expect("a text");
        let expected: Vec<u32> = serde_json::from_value(case["ids"].clone()).expect("ids");
        let ours = tokenizer.encode_plain(text).expect("ids");
        let ids: Vec<u32> = ours.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, expected, "{text:?}");
        let decoded = tokenizer.decode(&ids, false).expect("a text");
        assert_eq!(decoded, case["decoded"].as_str().expect("a text"), "{text:?}");
    }
}

#[test]
fn ids_and_texts_equal_sentencepieces_own() {
    let dir = folder(&model("bpe.model"), &[]);
    let tokenizer = Tokenizer::open(dir.path()).expect("opens");
    compare(&tokenizer, &golden("sentencepiece/golden.json"));
    // The file itself names the special tokens; a text begins with one, as LLaMA's do.
    assert_eq!((tokenizer.bos, tokenizer.eos, tokenizer.add_bos), (Some(1), 2, true));
    let ids = tokenizer.encode_text("the").expect("ids");
    assert_eq!(ids[0], 1);
    assert_eq!(tokenizer.encode("<|turn|>").expect("ids"), [3], "control pieces");
    assert_eq!(tokenizer.encode_plain("x#tag").expect("ids").last().map(|t| t.0), Some(4));
    assert!(tokenizer.encode_plain("<|turn|>").expect("ids").len() > 1, "not in somebody's text");
    // The same tokenizer once more, from the tokenizer.json that a merge writes.
    let copy = tempfile::tempdir().expect("a folder");
    std::fs::write(copy.path().join("tokenizer.json"), tokenizer.to_json().expect("JSON"))
        .expect("written");
    std::fs::write(copy.path().join("tokenizer_config.json"), r#"{"eos_token": "</s>"}"#)
        .expect("written");
    compare(&Tokenizer::open(copy.path()).expect("opens"), &golden("sentencepiece/golden.json"));
}

#[test]
fn the_folders_settings_are_heeded() {
    let config = json!({
        "add_bos_token": false, "add_eos_token": true, "eos_token": {"content": "<|turn|>"},
        "bos_token": null, "legacy": false,
    });
    let files =
        [("tokenizer_config.json", config), ("added_tokens.json", json!({"<|extra|>": 600}))];
    let dir = folder(&model("bpe.model"), &files);
    let tokenizer = Tokenizer::open(dir.path()).expect("opens");
    assert_eq!((tokenizer.bos, tokenizer.eos), (None, 3));
    assert_eq!(tokenizer.encode_text("the").expect("ids").last(), Some(&3));
    assert_eq!(tokenizer.encode("<|extra|>").expect("ids"), [600]);
    // Only the first part of a text gets a space before it.
    let plain = folder(&model("bpe.model"), &[]);
    let plain = Tokenizer::open(plain.path()).expect("opens");
    let text = "<|turn|>the";
    assert!(tokenizer.encode(text).expect("ids") != plain.encode(text).expect("ids"));
    let none = folder(
        &model("bpe.model"),
        &[("tokenizer_config.json", json!({"add_prefix_space": false}))],
    );
    let none = Tokenizer::open(none.path()).expect("opens");
    assert_eq!(none.decode(&none.encode("the").expect("ids"), false).expect("text"), "the");
}

#[test]
fn what_is_not_read_is_refused_by_name_with_the_next_step() {
    let error = |model: &[u8], files: &[(&str, Value)]| {
        Tokenizer::open(folder(model, files).path()).expect_err("refused").to_string()
    };
    for (name, word) in [("unigram.model", "unigram"), ("spaces.model", "remove_extra_whitespaces")]
    {
        let error = error(&model(name), &[]);
        assert!(error.contains(word) && error.contains("tokenizer.json"), "{error}");
    }
    let chatglm = error(&model("bpe.model"), &[("config.json", json!({"model_type": "chatglm"}))]);
    assert!(chatglm.contains("[gMASK]") && chatglm.contains("trust_remote_code"), "{chatglm}");
    for bytes in [&b""[..], b"\x0a\xff\xff\xff\xff\x7fabc", b"not a protobuf", &[0xff; 64]] {
        assert!(error(bytes, &[]).contains("tokenizer.model"));
    }
}

#[test]
fn damaged_files_are_read_or_refused() {
    let good = model("bpe.model");
    let mut stream = Stream::new(9, "sentencepiece", &[]);
    let mut below = |n: usize| (stream.uniform() * n as f32) as usize % n;
    let (mut read, mut refused) = (0, 0);
    for _ in 0..120 {
        let mut bytes = good.clone();
        for _ in 0..1 + below(3) {
            // The settings stand at the end.
            let at = if below(2) == 0 { bytes.len() - 1 - below(300) } else { below(bytes.len()) };
            bytes[at] = below(256) as u8;
        }
        if below(4) == 0 {
            bytes.truncate(below(bytes.len()));
        }
        match Tokenizer::open(folder(&bytes, &[]).path()) {
            Ok(tokenizer) => {
                let _ = tokenizer.encode_text("the #tag  🙂 x");
                read += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(read > 10 && refused > 10, "{read} read, {refused} refused");
}

#[test]
#[ignore = "compares a real file: OPENLEDGER_TOKENIZER_MODEL=FILE, --ignored"]
fn a_real_file_gives_sentencepieces_ids() {
    let path = std::env::var("OPENLEDGER_TOKENIZER_MODEL").expect("a tokenizer.model");
    let dir = folder(&std::fs::read(&path).expect("the file"), &[]);
    let tokenizer = Tokenizer::open(dir.path()).expect("opens");
    compare(&tokenizer, Path::new(&format!("{path}.ids.json")));
}
