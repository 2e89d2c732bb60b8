//! Files of questions and answers.

use std::ops::Range;

/// One question with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The question without its `Q:`.
    pub question: String,
    /// The answer without its `A:`.
    pub answer: String,
    /// Byte range of the whole block in the text.
    pub span: Range<usize>,
}

/// A question being read: where it began, and its answer once an `A:` line has come.
struct Open {
    start: usize,
    question: String,
    answer: Option<String>,
    end: usize,
}

/// The complete pairs of a text, and the number of questions that have no answer.
pub fn parse_questions(text: &str) -> (Vec<Pair>, usize) {
    let mut pairs = Vec::new();
    let mut unanswered = 0;
    let mut open: Option<Open> = None;
    let mut close = |open: Option<Open>| {
        let Some(open) = open else { return };
        let question = open.question.trim();
        match open.answer.as_deref().map(str::trim) {
            Some(answer) if !answer.is_empty() && !question.is_empty() => pairs.push(Pair {
                question: question.to_owned(),
                answer: answer.to_owned(),
                span: open.start..open.end,
            }),
            _ => unanswered += 1,
        }
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content_end = start + line.trim_end().len();
        if let Some(rest) = line.strip_prefix("Q:") {
            close(open.take());
            open = Some(Open { start, question: rest.to_owned(), answer: None, end: content_end });
            continue;
        }
        let Some(current) = open.as_mut() else { continue };
        match (&mut current.answer, line.strip_prefix("A:")) {
            (answer @ None, Some(rest)) => *answer = Some(rest.to_owned()),
            (Some(answer), _) => answer.push_str(line),
            (None, None) => current.question.push_str(line),
        }
        if !line.trim().is_empty() {
            current.end = content_end;
        }
    }
    close(open);
    (pairs, unanswered)
}
