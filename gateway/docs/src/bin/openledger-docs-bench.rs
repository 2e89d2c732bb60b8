//! `openledger-docs-bench`: how long searches and answers take (`scripts/bench docs`).
//!
//! Asks each question of a list in turns, and prints JSON: milliseconds of each search and each answer.

// It measures; the lint is for the gateway's index (gateway/clippy.toml).
#![allow(clippy::disallowed_methods)]

use openledger_docs::{questions, Book};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: openledger-docs-bench QUESTIONS.toml ROUNDS";
    let list = questions(&std::fs::read_to_string(arguments.next().ok_or(usage)?)?)?;
    let rounds: usize = arguments.next().ok_or(usage)?.parse()?;
    let milliseconds = |since: Instant| since.elapsed().as_secs_f64() * 1000.0;
    let begun = Instant::now();
    let book = Book::embedded()?;
    let ready = milliseconds(begun);
    let (mut searches, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for one in &list {
            let begun = Instant::now();
            let hits = book.search(&one.question, 12);
            searches.push(milliseconds(begun));
            let begun = Instant::now();
            let answer = book.ask(&one.question, None);
            answers.push(milliseconds(begun));
            std::hint::black_box((hits, answer));
        }
    }
    let report = serde_json::json!({
        "questions": list.len(), "pages": book.pages().len(), "ready_ms": ready,
        "search_ms": searches, "answer_ms": answers,
    });
    println!("{report}");
    Ok(())
}
