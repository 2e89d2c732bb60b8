//! SmolLM2-135M-Instruct from its GGUF file, against transformers on the dequantised path, and a
//! short LoRA run on real text.

use crate::common::{golden, real_model};
use openledger_engine::data::DataFile;
use openledger_engine::generate::{generate, Sampling};
use openledger_engine::model::decode::Session;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::peft;
use openledger_engine::tokenizer::Message;
use openledger_engine::train::{Control, Run, TrainSettings};
use openledger_primitives::MediaType;
use serde_json::Value;
use std::sync::Arc;

fn json() -> Value {
    let text = std::fs::read_to_string(golden("smollm2.json")).expect("golden file");
    serde_json::from_str(&text).expect("JSON")
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("token ids")
}

#[test]
fn greedy_decoding_equals_transformers() {
    let (model, tokenizer) = real_model();
    for case in json()["greedy"].as_array().expect("cases") {
        let question = case["question"].as_str().expect("a question");
        let prompt =
            tokenizer.render_chat(&[Message::user(question)], true).expect("a chat prompt");
        assert_eq!(prompt, case["prompt"].as_str().expect("a prompt"));
        let tokens = tokenizer.encode(&prompt).expect("tokens");
        assert_eq!(tokens, ids(&case["prompt_ids"]), "{question}");
        let mut expected = ids(&case["new_ids"]);
        let stopped = expected.last() == Some(&tokenizer.eos);
        if stopped {
            expected.pop();
        }
        let settings = Sampling { max_new_tokens: 24, ..Default::default() };
        let mut streamed = String::new();
        let result = generate(&model, None, &tokenizer, &tokens, &settings, |piece| {
            streamed.push_str(piece);
            true
        })
        .expect("generates");
        assert_eq!(result.tokens, expected, "{question}");
        assert_eq!(result.stopped, stopped);
        assert_eq!(result.text, case["answer"].as_str().expect("an answer"));
        assert_eq!(streamed, result.text);
    }
}

#[test]
fn it_knows_the_capital_of_france() {
    let (model, tokenizer) = real_model();
    let question = Message::user("What is the capital of France?");
    let tokens = tokenizer
        .encode(&tokenizer.render_chat(&[question], true).expect("a prompt"))
        .expect("tokens");
    let settings = Sampling { max_new_tokens: 20, ..Default::default() };
    let result = generate(&model, None, &tokenizer, &tokens, &settings, |_| true).expect("text");
    assert_eq!(result.text, "The capital of France is Paris.");
    assert!(result.stopped, "it ends its answer itself");
    println!("decode: {:.1} tokens/s", result.tokens_per_second());
}

#[test]
fn sampling_follows_its_seed_and_stops_when_told() {
    let (model, tokenizer) = real_model();
    let tokens = tokenizer.encode("Once upon a time").expect("tokens");
    let with = |seed| {
        let settings = Sampling {
            max_new_tokens: 12,
            temperature: 0.9,
            top_p: 0.95,
            seed,
            ..Default::default()
        };
        generate(&model, None, &tokenizer, &tokens, &settings, |_| true).expect("text").tokens
    };
    let first = with(1);
    assert_eq!(first, with(1));
    assert!((2..6).any(|seed| with(seed) != first));
    let mut pieces = 0;
    let settings = Sampling { max_new_tokens: 50, ..Default::default() };
    let result = generate(&model, None, &tokenizer, &tokens, &settings, |_| {
        pieces += 1;
        pieces < 3
    })
    .expect("text");
    assert_eq!(pieces, 3);
    assert!(result.tokens.len() < 50);
}

#[test]
fn tokens_and_logits_equal_transformers() {
    let (model, tokenizer) = real_model();
    let json = json();
    let text = json["tokenize"]["text"].as_str().expect("a text");
    let tokens = tokenizer.encode(text).expect("tokens");
    assert_eq!(tokens, ids(&json["tokenize"]["ids"]));
    assert_eq!(tokenizer.decode(&tokens, false).expect("text"), text);

    let prompt = ids(&json["greedy"][0]["prompt_ids"]);
    let runner = Runner::new(model.clone(), prompt.len()).expect("a runner");
    let all = runner.logits(&Batch::new(&[(&prompt, &[])]), None).expect("logits");
    let last = &all[all.len() - model.config.vocab_size..];
    let mut session = Session::new(model.clone(), None, prompt.len()).expect("a session");
    let cached = session.push(&prompt).expect("logits").to_vec();
    let top = ids(&json["top_logits"]["ids"]);
    let values: Vec<f32> =
        serde_json::from_value(json["top_logits"]["values"].clone()).expect("values");
    for (id, value) in top.iter().zip(&values) {
        for ours in [last[*id as usize], cached[*id as usize]] {
            assert!((ours - value).abs() < 2e-3, "logit of {id}: {ours} and {value}");
        }
    }
}

/// Real text: what this project is and how it works, in questions and answers.
const FACTS: &str = include_str!("facts.md");

#[test]
fn a_short_lora_run_lowers_the_held_out_loss_and_teaches() {
    let (model, tokenizer) = real_model();
    let files =
        [DataFile::new(FACTS.as_bytes().to_vec(), MediaType::Md, "facts.md", "contributor")];
    let settings = TrainSettings {
        learning_rate: 2e-3,
        num_train_epochs: 3.0,
        per_device_train_batch_size: 4,
        max_seq_length: 128,
        lora_r: 8,
        lora_alpha: 16.0,
        eval_fraction: 0.2,
        ..TrainSettings::default()
    };
    let run =
        Run { model: model.clone(), tokenizer: &tokenizer, files: &files, settings: &settings };
    let outcome = run.train(&Control::default()).expect("trains");
    let before = outcome.eval_loss_before.expect("held out");
    let after = outcome.eval_loss_after.expect("held out");
    println!(
        "held-out loss {before:.3} -> {after:.3}, {} steps, {} tokens at {:.0} tokens/s",
        outcome.steps, outcome.tokens, outcome.tokens_per_second
    );
    assert!(after < before - 0.2, "held-out loss {before} -> {after}");

    // The adapter that a file holds is the one that was trained, and it changes the answers.
    let bytes = peft::to_bytes(&outcome.adapter, "SmolLM2-135M-Instruct");
    let adapter = Arc::new(peft::from_bytes(&bytes, None, &model.config).expect("reads"));
    assert_eq!(*adapter, outcome.adapter);
    let question = [Message::user("How long is a slot of the OpenLedger chain?")];
    let prompt =
        tokenizer.encode(&tokenizer.render_chat(&question, true).expect("prompt")).expect("tokens");
    let settings = Sampling { max_new_tokens: 32, ..Default::default() };
    let answer = |adapter: Option<&Arc<_>>| {
        generate(&model, adapter, &tokenizer, &prompt, &settings, |_| true).expect("text").text
    };
    let (base, tuned) = (answer(None), answer(Some(&adapter)));
    println!("base: {base}\ntuned: {tuned}");
    assert_ne!(base, tuned);
}
