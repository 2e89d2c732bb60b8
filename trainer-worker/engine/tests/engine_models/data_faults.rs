//! Faults that data files have in the wild, each of which is said and none of which costs the records
//! beside it.

use crate::common::{real_model_path, with_template};
use openledger_engine::data::{
    examples, preferences, preview, DataFile, DataOptions, Example, Format, Objective, Preview,
    PreviewOptions, Report,
};
use openledger_engine::tokenizer::Tokenizer;
use openledger_primitives::MediaType;
use serde_json::{json, Value};
use std::sync::OnceLock;

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::open(&real_model_path()).expect("the tokenizer loads"))
}

fn file(text: &str, format: Format) -> DataFile {
    let file = DataFile::new(text.as_bytes().to_vec(), MediaType::Txt, "the file", "");
    file.with_format(format).own()
}

fn lines(values: &[Value]) -> DataFile {
    let text: String = values.iter().map(|value| format!("{value}\n")).collect();
    file(&text, Format::JsonLines)
}

fn made(values: &[Value]) -> (Vec<Example>, Report) {
    examples(&[lines(values)], tokenizer(), 256).expect("examples")
}

fn seen(file: DataFile) -> Preview {
    let options = PreviewOptions {
        data: DataOptions::new(64),
        objective: Objective::Supervised,
        per_device_train_batch_size: 1,
        gradient_accumulation_steps: 1,
        num_train_epochs: 1.0,
        eval_fraction: 0.0,
        seed: 1,
    };
    preview(&[file], tokenizer(), &options)
}

fn text_of(tokenizer: &Tokenizer, example: &Example, learned: bool) -> String {
    let pairs = example.tokens.iter().zip(&example.labels);
    let ids: Vec<u32> =
        pairs.filter(|(_, label)| !learned || **label).map(|(token, _)| *token).collect();
    tokenizer.decode(&ids, false).expect("text")
}

fn chat(turns: &[(&str, &str)]) -> Value {
    let turn = |(role, content): &(&str, &str)| json!({"role": role, "content": content});
    json!({"messages": turns.iter().map(turn).collect::<Vec<_>>()})
}

#[test]
fn lists_beside_the_one_that_is_read_are_said_with_their_key_and_count() {
    let record = json!({"question": "a", "answer": "b"});
    let json_file = |value: Value| {
        examples(&[file(&value.to_string(), Format::Json)], tokenizer(), 256).expect("examples")
    };
    let (found, report) = json_file(json!({"version": "1", "data": [record], "empty": [],
        "more_data": vec![record.clone(); 50], "info": {"by": "me", "in": 2020},
        "train": [record]}));
    assert_eq!((found.len(), report.skipped), (2, 0));
    let said = |key: &str| {
        let key = format!("{key:?}");
        report.remarks.iter().find(|(what, _)| what.contains(&key)).map(|(_, said)| said.count)
    };
    assert_eq!((said("more_data"), said("info"), said("empty")), (Some(50), Some(2), None));
    let (found, report) =
        json_file(json!({"data": {"train": [record], "extra": [record, record]}}));
    assert_eq!(found.len(), 1);
    assert!(report.lines().iter().any(|line| line.starts_with("2: ") && line.contains("extra")));
}

#[test]
fn of_a_json_file_one_wrong_value_is_one_refusal_and_an_empty_list_is_empty() {
    let seen = |text: &str| seen(file(text, Format::Json));
    for text in ["null", "7\n", "\"text\"", "true", "{\"text\": \"a", "[{\"text\": \"a\""] {
        assert_eq!(seen(text).refused, 1, "{text}: {:?}", seen(text).lines);
    }
    assert!(seen("[]").notes.iter().any(|note| note == "the file is empty"));
}

#[test]
fn of_a_conversation_that_begins_with_the_assistant_only_answers_are_learned() {
    let turns = [("assistant", "Hello."), ("user", "Where?"), ("assistant", "There.")];
    let (found, _) = made(&[chat(&turns)]);
    // The model's own template puts a system message before it.
    assert!(text_of(tokenizer(), &found[0], false).starts_with("<|im_start|>system\nYou are"));
    assert_eq!(text_of(tokenizer(), &found[0], true), "Hello.<|im_end|>There.<|im_end|>");
    let (found, _) = made(&[chat(&turns[..1])]);
    assert_eq!(text_of(tokenizer(), &found[0], true), "Hello.<|im_end|>");
    let opening = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n\
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    let default =
        "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}";
    for template in [
        opening.to_owned(),
        format!("{default}{opening}"),
        format!("{{% if not messages %}}{{{{ raise_exception('none') }}}}{{% endif %}}{default}{opening}"),
    ] {
        let tokenizer = with_template(&template);
        let (found, _) = examples(&[lines(&[chat(&turns)])], &tokenizer, 256).expect("examples");
        let learned = text_of(&tokenizer, &found[0], true);
        assert_eq!(learned, "Hello.<|im_end|>There.<|im_end|>", "{template}");
    }
}

fn table(text: &str, format: Format) -> Preview {
    seen(file(text, format))
}

#[test]
fn a_stray_quotation_mark_costs_no_row_after_it() {
    let rows: String = (0..200).map(|i| format!("q{i}\ta{i}\n")).collect();
    let text = format!("question\tanswer\nWhat?\tone\nWho?\t\"Yes\n{rows}last\t\"end\"\n");
    let found = table(&text, Format::Tsv);
    assert_eq!((found.train_examples, found.refused), (203, 0), "{:?}", found.lines);
    assert!(found.shown[1].learned.contains("\"Yes"), "{:?}", found.shown[1]);
    let said = |line: &String| {
        line.contains("1 quotation mark at") && line.contains("row 2, line 3, cell 2")
    };
    assert!(found.lines.iter().any(said), "{:?}", found.lines);
    // Quoted by whoever wrote it, and so read.
    let found = table("question\tanswer\nWhat?\t\"two\nlines \"\"x\"\"\"\n", Format::Tsv);
    assert_eq!((found.train_examples, found.refused, found.notes.len()), (1, 0, 0));
    assert!(found.shown[0].learned.contains("two\nlines \"x\""), "{:?}", found.shown[0]);
    // It is closed, two rows later: a cell of rows, or a mark too much at either end.
    let found = table("question\tanswer\nHe\t\"yes\nb\tc\nd\te\"\nf\tg\n", Format::Tsv);
    assert_eq!((found.train_examples, found.refused), (1, 1), "{:?}", found.lines);
    let reason = &found.refused_places[0].reason;
    assert!(reason.contains("line 2, cell 2, that spans 3 lines"), "{reason}");
    assert_eq!(found.refused_places[0].line, 1);

    let rows: String = (0..50).map(|i| format!("c{i},d{i}\n")).collect();
    for separator in [",", ";"] {
        let text = format!("instruction,output\na,b\n\"open,b\n{rows}").replace(',', separator);
        let found = table(&text, Format::Csv);
        assert_eq!((found.train_examples, found.refused), (51, 1), "{:?}", found.lines);
        let place = &found.refused_places[0];
        assert_eq!(place.line, 2);
        assert!(place.reason.contains("line 3, cell 1, that is never closed"), "{}", place.reason);
    }
    let found = table("instruction,output\n\"a\" b,c\n\"d\" ,e\r\nf,\"g\nh\"\r\n", Format::Csv);
    assert_eq!((found.train_examples, found.refused), (2, 1), "{:?}", found.lines);
    assert!(found.refused_places[0].reason.contains("not closed where the cell ends"));
    // Closed properly, but it looks like rows: read and said.
    let found = table(&format!("instruction,output\na,\"b\n{rows}x,y\"\n"), Format::Csv);
    assert_eq!((found.train_examples, found.refused), (1, 0));
    assert!(
        found.notes[0].contains("row 1 (line 2) has a quoted cell of 52 lines"),
        "{:?}",
        found.notes
    );
    let found = table("\"instruction,output\na,b\n", Format::Csv);
    assert!(found.files[0].error.as_ref().is_some_and(|e| e.contains("its header cannot be read")));
}

#[test]
fn many_stray_quotation_marks_take_time_in_proportion_to_the_file() {
    let started = std::time::Instant::now();
    for row in ["\"a\n", "a,\"b\n", "\"\"\"\"\"\n", "\"a\"\"\n", "x,\"\"\"y\"\"\n"] {
        let text = format!("question,answer\n{}", row.repeat(40_000));
        let _ = file(&text, Format::Csv).text();
        let _ = file(&text.replace(',', "\t"), Format::Tsv).text();
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

fn reason(value: Value) -> String {
    examples(&[lines(&[value])], tokenizer(), 256).expect_err("refused").to_string()
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_key() {
    for (answer, kind) in [
        (json!(null), "null"),
        (json!(["x", "y"]), "a list"),
        (json!(true), "true or false"),
        (json!({"k": 1}), "an object"),
    ] {
        for key in ["answer", "output", "response"] {
            let error = reason(json!({"question": "a", key: answer}));
            let said = format!("its {key} is {kind}; it must be a text or a number");
            assert!(error.contains(&said), "{error}");
            assert!(!error.contains("known shapes"), "{error}");
        }
    }
    for (value, said) in [
        (json!({"question": null, "answer": "b"}), "its question is null"),
        (json!({"text": 5}), "its text is a number; it must be a text"),
        (json!({"messages": null}), "its messages is null"),
        (json!({"chosen": null, "rejected": "b", "prompt": "c"}), "its chosen is null"),
        (json!({"chosen": "a", "rejected": 3, "prompt": "c"}), "its rejected is a number"),
        (json!({"question": "a", "reply": "b"}), "known shapes"),
    ] {
        let error = reason(value);
        assert!(error.contains(said), "{error}");
    }
    // Of several names one may be empty.
    let (found, _) = made(&[json!({"question": "a", "answer": null, "response": "b"})]);
    assert_eq!(found.len(), 1);
}

#[test]
fn blank_questions_and_answers_are_refused_like_blank_text() {
    for (value, said) in [
        (json!({"question": "a", "answer": "  "}), "its answer is blank"),
        (json!({"question": " \n", "answer": "b"}), "its question is blank"),
        (json!({"prompt": "a", "completion": "\t"}), "its completion is blank"),
        (json!({"text": " "}), "its text is blank"),
        (chat(&[("user", ""), ("assistant", "b")]), "message 1 is blank"),
        (chat(&[("user", "a"), ("assistant", " ")]), "message 2 is blank"),
    ] {
        let error = reason(value);
        assert!(error.contains(said), "{error}");
    }
    for (key, sides) in [
        ("chosen", json!({"prompt": "a", "chosen": " ", "rejected": "b"})),
        ("rejected", json!({"prompt": "a", "chosen": "b", "rejected": ""})),
        ("rejected", json!({"question": "a", "chosen": "b", "rejected": ""})),
    ] {
        let pairs = preferences(&[lines(&[sides])], tokenizer(), &DataOptions::new(64));
        let error = pairs.expect_err("refused").to_string();
        assert!(error.contains(&format!("its {key} is blank")), "{error}");
    }
}

#[test]
fn keys_that_stand_twice_and_nul_characters_are_refused() {
    let text = "{\"question\":\"a\",\"question\":\"b\",\"answer\":\"c\"}\n\
        {\"text\":\"x\",\"text\":\"x\"}\n\
        {\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"content\":\"b\"}]}\n\
        {\"text\":\"a\\u0000b\"}\n{\"text\":\"fine\",\"id\":{\"a\":1}}\n";
    let found = seen(file(text, Format::JsonLines));
    assert_eq!((found.train_examples, found.refused), (1, 4), "{:?}", found.lines);
    for (place, key) in found.refused_places.iter().zip(["question", "text", "content"]) {
        let said = format!("its key {key:?} stands in one object twice");
        assert!(place.reason.contains(&said), "{}", place.reason);
    }
    assert!(found.refused_places[3].reason.contains("NUL"));
    for format in [Format::Csv, Format::Tsv, Format::JsonLines, Format::Document] {
        let found = seen(file("text\na\0b\n", format));
        let error = found.files[0].error.as_deref().unwrap_or_default();
        assert!(error.contains("it is not a text file: byte 6 is NUL"), "{format:?}: {error}");
    }
}
