//! What a source answered, read as GitBook writes it, and made harmless.
//!
//! An answer is markdown: `# <question>`, the answer itself, `# Suggested Follow-up Questions:`, and
//! `# Sources:` with links. A server that takes no `?ask=` gives its page instead, which ends in
//! `# Agent Instructions`; of that its text is taken. Nothing of it is ever followed.

use openledger_primitives::text::visible;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Sources that are kept of an answer.
const MAX_NAMED: usize = 10;
/// Bytes of a title and of an address.
const MAX_TITLE: usize = 120;
const MAX_LINK: usize = 500;

/// A page that a source named for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedPage {
    /// Its title, as the source has it.
    pub title: String,
    /// Its address, on the source's own host.
    pub url: String,
}

/// An answer's text and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The text, as it came.
    pub text: String,
    /// The pages that it names, at most 10.
    pub named: Vec<NamedPage>,
    /// Links that were left out: to other hosts, too long, or too many.
    pub left_out: u32,
}

/// What a source that answered had to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Something.
    Answer(Read),
    /// That it knows nothing.
    Nothing,
    /// That it did not do what it was asked.
    Refused(&'static str),
}

/// Reads an answer. `origin` is the source's scheme, host and port; of this gateway's own pages it is empty.
pub fn read(markdown: &str, question: &str, origin: &str) -> Said {
    let whole = markdown.trim();
    if whole.is_empty() || whole.starts_with("We couldn't answer this question") {
        return Said::Nothing;
    }
    if whole.starts_with("You forgot to pass a question") {
        return Said::Refused("it found no question in the request");
    }
    let (mut text, mut named, mut left_out) = (String::new(), Vec::new(), 0u32);
    let (mut part, mut fenced, mut first) = (Part::Text, false, true);
    for line in whole.lines() {
        let begins = line.trim_start();
        fenced ^= begins.starts_with("```") || begins.starts_with("~~~");
        let heading = line.strip_prefix("# ").filter(|_| !fenced);
        let heading = heading.map(|heading| heading.trim().trim_end_matches(':'));
        if let Some(heading) = heading {
            match heading {
                "Page Not Found" if first => return Said::Refused("it has no such page"),
                "Suggested Follow-up Questions" | "Agent Instructions" => part = Part::Other,
                "Sources" => part = Part::Sources,
                // The question said again.
                _ if first && heading == question.trim() => {
                    first = false;
                    continue;
                }
                // Only an answer's own headings end one of its parts.
                _ => {}
            }
        }
        first &= line.trim().is_empty() || begins.starts_with("> For the complete documentation");
        match part {
            Part::Text if begins.starts_with("> For the complete documentation index") => {}
            Part::Text => {
                text.push_str(line);
                text.push('\n');
            }
            Part::Sources => match link(line, origin) {
                Link::None => {}
                Link::Page(page) if named.len() < MAX_NAMED => named.push(page),
                Link::Page(_) | Link::LeftOut => left_out = left_out.saturating_add(1),
            },
            Part::Other => {}
        }
    }
    let text = text.trim().trim_end_matches("---").trim().to_owned();
    match text.is_empty() {
        true => Said::Nothing,
        false => Said::Answer(Read { text, named, left_out }),
    }
}

#[derive(Clone, Copy)]
enum Part {
    Text,
    Sources,
    Other,
}

enum Link {
    None,
    Page(NamedPage),
    LeftOut,
}

/// The first markdown link of a line.
fn link(line: &str, origin: &str) -> Link {
    let found = line.split_once('[').and_then(|(_, rest)| {
        let (title, rest) = rest.split_once("](")?;
        Some((title, rest.split_once(')')?.0.trim()))
    });
    let Some((title, url)) = found else { return Link::None };
    let within = |rest: &str| rest.is_empty() || rest.starts_with(['/', '?', '#']);
    let url = match url {
        path if path.starts_with('/') && !path.starts_with("//") => format!("{origin}{path}"),
        whole if !origin.is_empty() && whole.strip_prefix(origin).is_some_and(within) => {
            whole.to_owned()
        }
        _ => return Link::LeftOut,
    };
    let plain = url.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && !b"<>\"\\".contains(&byte));
    if !plain || url.len() > MAX_LINK {
        return Link::LeftOut;
    }
    let title = visible(title.trim(), true);
    let title = cut(&title, MAX_TITLE).0.to_owned();
    Link::Page(NamedPage { title: if title.is_empty() { url.clone() } else { title }, url })
}

/// The beginning of a text that has at most so many bytes, and whether something was cut off.
pub fn cut(text: &str, most: usize) -> (&str, bool) {
    if text.len() <= most {
        return (text, false);
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    (text.get(..end).unwrap_or(""), true)
}

/// Text of somebody else as it may stand in a prompt.
///
/// * Characters that cannot be seen or that command a terminal are written out (`\u{1b}`), other separators of
///   lines with them, so that no line begins where none is seen.
/// * A space follows each `<` and `[` that something else follows. Every token by which a model tells turns,
///   speakers and tools apart (`<|im_end|>`, `</s>`, `[INST]`, `<start_of_turn>`) begins with one of the two, or has
///   one within it; none has a space after it. `trainer-worker serve` refuses messages that write one out, and
///   other servers would take it for the token: after this neither can happen.
/// * Each line begins with a bar, so that none is one of the lines around it, nor the `### User:` of a
///   template that tells speakers apart by words.
pub fn harmless(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\t', "    ");
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split('\n') {
        // Selectors that only choose how a sign is drawn.
        let drawn = line.replace(['\u{fe0e}', '\u{fe0f}'], "");
        out.push_str("| ");
        let line = visible(&drawn, true);
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            out.push(letter);
            // The full-width and small forms become the plain ones where a tokenizer normalises.
            let opens = matches!(letter, '<' | '[' | '\u{ff1c}' | '\u{fe64}' | '\u{ff3b}');
            if opens && letters.peek().is_some_and(|next| !next.is_whitespace()) {
                out.push(' ');
            }
        }
        out.push('\n');
    }
    out
}
