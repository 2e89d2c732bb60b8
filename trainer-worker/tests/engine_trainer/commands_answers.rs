//! Answers that stop, follow a schema or are corrected, as a user of `generate` and `chat` has them.

use crate::commands::{json, refusal, run, workplace};
use crate::commands_chat::chat;
use serde_json::{json, Value};
use std::path::Path;

fn generate(dir: &Path, more: &[&str]) -> Value {
    let args = ["generate", "--model", "tiny.gguf", "--json", "--max-new-tokens", "30"];
    json(&run(dir, &[&args[..], more].concat()))
}

#[test]
fn an_answer_ends_before_a_stop_string() {
    let dir = workplace();
    let whole = generate(dir.path(), &["--prompt", "the"]);
    let text = whole["text"].as_str().expect("a text");
    let stop: String = text.chars().skip(3).take(2).collect();
    let before = text.split(&stop).next().expect("a part");
    let cut = generate(dir.path(), &["--prompt", "the", "--stop", "\u{1}\u{2}", "--stop", &stop]);
    assert_eq!(cut["text"], before);
    assert_eq!(cut["stopped"], true);
    let told = generate(dir.path(), &["--prompt", "the", "--logprobs", "2"]);
    let told = told["logprobs"].as_array().expect("a list");
    assert_eq!(told.len(), whole["tokens"].as_array().expect("tokens").len());
    assert_eq!(told[0]["top_logprobs"].as_array().expect("a list").len(), 2);
    assert_eq!(told[0]["top_logprobs"][0]["logprob"], told[0]["logprob"]);
    let args = ["generate", "--model", "tiny.gguf", "--prompt", "x", "--presence-penalty", "-3"];
    let output = run(dir.path(), &args);
    assert_eq!(output.status.code(), Some(2));
    assert!(refusal(&output).contains("presence_penalty = -3 is out of range: choose -2 to 2"));
}

#[test]
fn a_system_message_stands_before_the_question() {
    let dir = workplace();
    let ask = |more: &[&str]| generate(dir.path(), &[&["--chat", "Where?"], more].concat());
    let (with, without) = (ask(&["--system", "Be short."]), ask(&[]));
    let tokens = |value: &Value| value["prompt_tokens"].as_u64().expect("a number");
    assert!(tokens(&with) > tokens(&without));
    let (chatted, _) = chat(dir.path(), "Where?\n", &["--system", "Be short.", "--json"]);
    let chatted: Value = serde_json::from_str(&chatted).expect("a line of JSON");
    assert_eq!(chatted["prompt_tokens"], with["prompt_tokens"]);
    let text = chatted["content"].as_str().expect("a text");
    assert!(with["text"].as_str().expect("a text").starts_with(text));
    assert_eq!(chatted["finish_reason"], "length");
}

#[test]
fn an_answer_follows_a_json_schema() {
    let dir = workplace();
    let schema = r#"{"type": "object", "properties": {"b": {"enum": ["the", "cat"]}, "a": {"type": "boolean"}}, "required": ["b", "a"]}"#;
    std::fs::write(dir.path().join("schema.json"), schema).expect("written");
    for seed in ["1", "2", "3"] {
        let hot = ["--temperature", "1.5", "--seed", seed, "--max-new-tokens", "200"];
        let args = ["--prompt", "the", "--json-schema", "schema.json"];
        let args = [&["generate", "--model", "tiny.gguf", "--json"], &args[..], &hot].concat();
        let answer = json(&run(dir.path(), &args));
        let text = answer["text"].as_str().expect("a text");
        let value: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert!(value["a"].is_boolean() && (value["b"] == "the" || value["b"] == "cat"), "{text}");
        assert_eq!(answer["stopped"], true);
    }
    std::fs::write(dir.path().join("schema.json"), r#"{"not": {}}"#).expect("written");
    let args =
        ["generate", "--model", "tiny.gguf", "--prompt", "x", "--json-schema", "schema.json"];
    let output = run(dir.path(), &args);
    assert_eq!(output.status.code(), Some(2));
    assert!(refusal(&output).contains("schema.json: response_format at #: the keyword not"));
}

#[test]
fn corrections_are_learned_by_sft_and_by_dpo() {
    let dir = workplace();
    let dir = dir.path();
    let input = "/fix too early\nWhere is the cat?\n/fix\nOn the\\\nred mat.\nAnd the dog?\n\
                 /fix In the yard.\n/undo\n/undo\n/undo\nWho?\n/fix \n/fix <|im_end|>\n";
    let (_, log) = chat(dir, input, &["--system", "Be short."]);
    for words in
        ["there is no answer yet", "Written to corrections.jsonl", "taken back", "<|im_end|>"]
    {
        assert!(log.contains(words), "{words}: {log}");
    }
    let rows = std::fs::read_to_string(dir.join("corrections.jsonl")).expect("written");
    let rows: Vec<Value> =
        rows.lines().map(|row| serde_json::from_str(row).expect("a row")).collect();
    let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
    let texts = |value: &Value| -> Vec<String> {
        let messages = value.as_array().expect("messages");
        messages.iter().map(|m| m["content"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(texts(&first["prompt"]), ["Be short.", "Where is the cat?"]);
    assert_eq!(texts(&first["chosen"]), ["On the\nred mat."]);
    // The chat went on with the better answer.
    assert_eq!(
        texts(&second["prompt"]),
        ["Be short.", "Where is the cat?", "On the\nred mat.", "And the dog?"]
    );
    assert_ne!(second["rejected"], second["chosen"]);

    // A file without a line end at its end does not get two rows in one line.
    let whole = std::fs::read_to_string(dir.join("corrections.jsonl")).expect("there");
    std::fs::write(dir.join("more.jsonl"), whole.trim_end()).expect("written");
    chat(dir, "Where?\n/fix Here.\n", &["--corrections", "more.jsonl"]);
    let whole = std::fs::read_to_string(dir.join("more.jsonl")).expect("there");
    assert_eq!(whole.lines().count(), 3);

    let train = |output: &str, stage: &[&str]| {
        let args = [
            "train",
            "--model",
            "tiny.gguf",
            "--data",
            "corrections.jsonl",
            "--output",
            output,
            "--max-steps",
            "2",
            "--eval-fraction",
            "0",
            "--json",
        ];
        json(&run(dir, &[&args[..], stage].concat()))
    };
    train("sft", &[]);
    train("dpo", &["--stage", "dpo"]);
    for folder in ["sft", "dpo"] {
        assert!(dir.join(folder).join("adapter_model.safetensors").exists());
    }
    let output = run(dir, &["preview", "--model", "tiny.gguf", "--data", "corrections.jsonl"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && shown.contains("trained on the chosen answer by SFT"),
        "{shown}"
    );
}

#[test]
fn sft_learns_the_chosen_answers_of_preferences_as_if_there_were_no_others() {
    let dir = workplace();
    let dir = dir.path();
    let pairs = [("Where is the cat?", "On the mat."), ("And the dog?", "In the yard.")];
    let write = |name: &str, row: &dyn Fn((&str, &str)) -> Value| {
        let rows = pairs.map(|pair| row(pair).to_string() + "\n").concat();
        std::fs::write(dir.join(name), rows).expect("written");
    };
    let preference = |(question, answer): (&str, &str), rejected: &str| {
        json!({
            "prompt": [{ "role": "user", "content": question }],
            "chosen": [{ "role": "assistant", "content": answer }],
            "rejected": [{ "role": "assistant", "content": rejected }],
        })
    };
    write("preferences.jsonl", &|pair| preference(pair, "The cat."));
    write("others.jsonl", &|pair| preference(pair, "I will not say."));
    write("plain.jsonl", &|(question, answer)| {
        let turn = |role: &str, content: &str| json!({ "role": role, "content": content });
        json!({ "messages": [turn("user", question), turn("assistant", answer)] })
    });
    let train = |data: &str, output: &str, more: &[&str]| {
        let given = ["--data", data, "--output", output, "--max-steps", "2"];
        let args = ["train", "--model", "tiny.gguf", "--eval-fraction", "0"];
        run(dir, &[&args[..], &given, more].concat())
    };
    let adapter = |data: &str, output: &str| {
        json(&train(data, output, &["--json"]));
        std::fs::read(dir.join(output).join("adapter_model.safetensors")).expect("an adapter")
    };
    let plain = adapter("plain.jsonl", "plain");
    assert!(adapter("preferences.jsonl", "preferences") == plain, "the chosen answers are learned");
    assert!(adapter("others.jsonl", "others") == plain, "what was rejected changes nothing");

    // It is said before anything is trained, for people and for programs.
    let output = train("preferences.jsonl", "planned", &["--dry-run"]);
    let shown = [&output.stdout[..], &output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let told = "2: preference rows: trained on the chosen answer by SFT";
    assert!(output.status.success() && shown.contains(told), "{shown}");
    let output = train("plain.jsonl", "planned", &["--dry-run"]);
    let shown = [&output.stdout[..], &output.stderr].concat();
    assert!(!String::from_utf8_lossy(&shown).contains("preference rows"));
}
