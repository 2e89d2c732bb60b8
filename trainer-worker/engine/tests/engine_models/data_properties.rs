//! What attribution rests on: every example's span lies in its file's canonical text, windows
//! cover it without overlap, and no bytes make the data rules panic.

use crate::common::tiny;
use openledger_engine::data::{
    elements, examples, parse_record, preferences, DataFile, DataOptions, Example, Format, Kind,
};
use openledger_engine::error::Error;
use openledger_engine::tokenizer::Tokenizer;
use openledger_primitives::MediaType;
use proptest::prelude::*;
use std::sync::OnceLock;

/// A vocabulary of bytes: every character of more than one byte is several tokens.
fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| tiny(1).1)
}

fn file(bytes: &[u8], media: MediaType, format: Format) -> DataFile {
    DataFile::new(bytes.to_vec(), media, "a file", "").with_format(format)
}

/// Spans are inside the text and on characters' boundaries.
fn check_spans(file: &DataFile, found: &[Example]) -> Result<(), TestCaseError> {
    let text = file.text().expect("it gave examples, so it has text");
    for example in found {
        prop_assert!(text.get(example.span.clone()).is_some(), "{:?}", example.span);
        prop_assert_eq!(example.tokens.len(), example.labels.len());
        prop_assert!(example.labelled() > 0);
    }
    Ok(())
}

/// Text with words, lines, characters of many bytes and what JSON and questions are made of.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ]{0,12}",
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => any::<char>().prop_filter("no NUL", |c| *c != '\0').prop_map(String::from),
        1 => prop::sample::select(vec!["the ", "\u{1f4d6}", "e\u{301}", "\u{feff}", "\t  ", "中文"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// Lines that are JSON of the known shapes, nearly so, or not at all.
fn records() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z ]{0,12}",
        Just("\\ud800".to_owned()),
        Just("\\u0000".to_owned()),
        Just("<|im_end|>".to_owned()),
        Just("\\n\u{1f4d6}".to_owned()),
    ];
    let message =
        (prop::sample::select(vec!["user", "assistant", "system", "tool", "x"]), text.clone())
            .prop_map(|(role, text)| format!("{{\"role\":\"{role}\",\"content\":\"{text}\"}}"));
    let messages =
        prop::collection::vec(message, 0..5).prop_map(|all| format!("[{}]", all.join(",")));
    let field = prop_oneof![
        text.clone().prop_map(|text| format!("\"{text}\"")),
        messages,
        Just("null".to_owned()),
        Just("7".to_owned()),
        (0..200_usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
    ];
    let keys = vec![
        "messages",
        "conversations",
        "instruction",
        "input",
        "output",
        "prompt",
        "completion",
        "chosen",
        "rejected",
        "text",
        "tools",
        "system",
        "history",
    ];
    let entry =
        (prop::sample::select(keys), field).prop_map(|(key, field)| format!("\"{key}\":{field}"));
    let object =
        prop::collection::vec(entry, 0..5).prop_map(|all| format!("{{{}}}", all.join(",")));
    let line = prop_oneof![6 => object, 1 => "[ -~]{0,20}", 1 => Just("]{\"\\".to_owned())];
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn windows_cover_the_text_without_overlap(text in texts(), size in 2..20_usize) {
        let file = file(text.as_bytes(), MediaType::Md, Format::Document);
        if let Ok((found, report)) = examples(std::slice::from_ref(&file), tokenizer(), size) {
            check_spans(&file, &found)?;
            if report.kinds.get(&Kind::Window) == Some(&found.len()) {
                let canonical = file.text().expect("text");
                let mut at = 0;
                for example in &found {
                    prop_assert_eq!(example.span.start, at);
                    at = example.span.end;
                }
                prop_assert_eq!(at, canonical.len());
                let ids: Vec<u32> = found.iter().flat_map(|e| e.tokens.iter().copied()).collect();
                // An end token that would stand alone in a window is left out.
                prop_assert!(ids.last() == Some(&tokenizer().eos) || ids.len().is_multiple_of(size));
            }
        }
    }

    #[test]
    fn json_gives_examples_or_reasons_and_every_line_one_of_them(text in records(), size in 8..200_usize) {
        for format in [Format::JsonLines, Format::Json, Format::Document] {
            let file = file(text.as_bytes(), MediaType::Txt, format);
            let options = DataOptions { listed: 1000, ..DataOptions::new(size) };
            let one = std::slice::from_ref(&file);
            match examples(one, tokenizer(), size) {
                Ok((found, report)) => {
                    check_spans(&file, &found)?;
                    if format == Format::JsonLines {
                        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
                        let mut used: Vec<usize> = found.iter().map(|e| e.span.start).collect();
                        used.dedup();
                        prop_assert_eq!(used.len() + report.skipped, lines);
                    }
                }
                Err(Error::NoExamples { .. }) => {}
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            }
            match preferences(one, tokenizer(), &options) {
                Ok((found, _)) => for pair in found {
                    check_spans(&file, &[pair.chosen.clone(), pair.rejected.clone()])?;
                    prop_assert_eq!(
                        &pair.chosen.tokens[..pair.prompt],
                        &pair.rejected.tokens[..pair.prompt]
                    );
                    prop_assert!(pair.chosen.tokens.len() <= size);
                },
                Err(Error::NoExamples { .. }) => {}
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            }
        }
    }

    #[test]
    fn random_bytes_give_errors_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for media in [MediaType::Txt, MediaType::Md, MediaType::Pdf, MediaType::Docx, MediaType::Png] {
            for format in [Format::Document, Format::JsonLines, Format::Json] {
                let file = file(&bytes, media, format);
                if let Ok((found, _)) = examples(std::slice::from_ref(&file), tokenizer(), 16) {
                    check_spans(&file, &found)?;
                }
            }
        }
    }

    #[test]
    fn elements_are_apart_and_in_order(text in "[\\[\\]{}\",: a\\\\\u{e9}\n]{0,60}") {
        let (found, _) = elements(&text);
        let mut at = 0;
        for span in found {
            prop_assert!(span.start >= at && span.start < span.end);
            prop_assert!(text.get(span.clone()).is_some());
            at = span.end;
        }
    }
}

#[test]
fn huge_and_hostile_records_are_refused_by_size_and_depth() {
    let huge = format!("{{\"text\": \"{}\"}}", "a".repeat(5 << 20));
    let reason = parse_record(&huge).expect_err("refused");
    assert!(reason.contains("at most 4194304 are read"), "{reason}");
    let deep = format!("{{\"text\": {}", "[".repeat(1_000_000));
    assert!(parse_record(&deep).expect_err("refused").contains("recursion limit"));
    let message = "{\"role\":\"user\",\"content\":\"a\"},".repeat(300);
    let many = format!("{{\"messages\": [{}]}}", message.trim_end_matches(','));
    assert!(parse_record(&many).expect_err("refused").contains("at most 256"));
    let nul = file(b"{\"text\": \"a\0b\"}", MediaType::Txt, Format::JsonLines);
    let error = examples(&[nul], tokenizer(), 16).expect_err("refused").to_string();
    assert!(error.contains("NUL"), "{error}");
}
