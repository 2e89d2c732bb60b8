//! Code of the book: it has a language, it ends, and it can be read.

use openledger_docs::Book;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::io::Write;
use std::process::{Command, Stdio};

struct Code {
    place: String,
    language: Option<String>,
    text: String,
    source: String,
}

fn all() -> Vec<Code> {
    let book = Book::embedded().unwrap();
    let mut found = Vec::new();
    for page in book.pages() {
        let mut open: Option<Code> = None;
        let parser = Parser::new_ext(&page.markdown, Options::ENABLE_TABLES).into_offset_iter();
        for (event, at) in parser {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let line = page.markdown[..at.start].lines().count() + 1;
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => Some(language.to_string()),
                        CodeBlockKind::Indented => None,
                    };
                    let place = format!("{}, line {line}", page.path);
                    let source = page.markdown[at].to_owned();
                    open = Some(Code { place, language, text: String::new(), source });
                }
                Event::Text(text) => {
                    if let Some(code) = &mut open {
                        code.text.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => found.extend(open.take()),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn code_ends_and_is_of_a_known_language() {
    let codes = all();
    assert!(codes.len() > 80, "{} pieces of code", codes.len());
    let known = [
        "", "text", "sh", "json", "toml", "yaml", "python", "rust", "ts", "tsx", "js", "nginx",
        "http", "markdown",
    ];
    for code in &codes {
        let Some(language) = &code.language else { continue };
        assert!(known.contains(&language.as_str()), "{}: {language:?}", code.place);
        let fence: String = code.source.chars().take_while(|c| *c == '`' || *c == '~').collect();
        assert!(code.source.trim_end().ends_with(&fence), "{}: no end", code.place);
        assert!(!code.text.trim().is_empty(), "{}: empty", code.place);
    }
}

#[test]
fn json_of_the_book_is_json() {
    for code in all().iter().filter(|code| code.language.as_deref() == Some("json")) {
        let mut read =
            serde_json::Deserializer::from_str(&code.text).into_iter::<serde_json::Value>();
        if let Some(Err(error)) = read.find(Result::is_err) {
            panic!("{}: {error}\n{}", code.place, code.text);
        }
    }
}

#[test]
fn commands_of_the_book_are_a_shells() {
    for code in all().iter().filter(|code| code.language.as_deref() == Some("sh")) {
        let mut shell = Command::new("bash")
            .arg("-n")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(code.text.as_bytes()).unwrap();
        let read = shell.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{}: {said}\n{}", code.place, code.text);
    }
}
