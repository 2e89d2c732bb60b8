//! From files to training examples.
//!
//! # The rule
//!
//! A file is UTF-8 text; a byte-order mark is dropped, line ends become `\n`, characters are
//! composed (NFC). Then:
//!
//! * **Questions and answers.** A line that begins with `Q:` opens a question, a following line
//!   that begins with `A:` its answer. Either may span lines; an answer ends before the next `Q:`
//!   line or at the end of the file, and blank lines around both are trimmed. If a file holds at
//!   least one such pair, each pair becomes one chat example in the model's chat template, with the
//!   loss on the answer's tokens and the token that ends it. Text before the first question is not
//!   trained on; a question without an answer is skipped, and so is a pair in which one of the
//!   model's special tokens is written out (it could end a turn or speak for somebody else).
//! * **Anything else** becomes windows of `max_seq_length` tokens, one after the other without
//!   overlap, with the loss on every token but a window's first; the text ends with the model's end
//!   token.
//!
//! Every example knows the file and the byte range of the normalised text that it came from.

mod questions;

pub use questions::{parse_questions, Pair};

use crate::error::{Error, Result};
use crate::rng::Stream;
use crate::tokenizer::{Message, Tokenizer};
use openledger_primitives::MediaType;
use std::ops::Range;
use std::sync::Arc;

/// Largest file that is read, in bytes (a day's quota of one account).
pub const MAX_FILE: u64 = 10 * 1024 * 1024;
/// Shortest window of plain text that is trained on, in tokens.
const MIN_WINDOW: usize = 2;

/// Where a file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Submission id or, for local files, the path.
    pub submission: String,
    /// The contributor's account, or empty.
    pub contributor: String,
    /// SHA-256 of the file's bytes.
    pub sha256: [u8; 32],
}

/// One file to train on.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its format; `Txt` and `Md` are read.
    pub media: MediaType,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl DataFile {
    /// A file with its digest computed here.
    pub fn new(
        bytes: Vec<u8>,
        media: MediaType,
        submission: impl Into<String>,
        contributor: impl Into<String>,
    ) -> Self {
        use sha2::{Digest, Sha256};
        let sha256 = Sha256::digest(&bytes).into();
        let origin =
            Origin { submission: submission.into(), contributor: contributor.into(), sha256 };
        Self { bytes, media, origin: Arc::new(origin) }
    }

    /// The canonical text: what the chain measured the file by.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] for a format that is not read yet, for a file that is too large, and for
    /// bytes that are not UTF-8.
    pub fn text(&self) -> Result<String> {
        let fail = |reason: String| Error::Data { name: self.origin.submission.clone(), reason };
        if self.bytes.len() as u64 > MAX_FILE {
            return Err(fail(format!("{} bytes, at most {MAX_FILE} are read", self.bytes.len())));
        }
        openledger_content::canonical_text(self.media, &self.bytes).map_err(|e| fail(e.to_string()))
    }
}

/// A tokenised sequence with its labels and its place of origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Token ids.
    pub tokens: Vec<u32>,
    /// Whether each token is predicted (counts in the loss).
    pub labels: Vec<bool>,
    /// The file.
    pub origin: Arc<Origin>,
    /// Index of the file in the order given.
    pub file: usize,
    /// Byte range in the file's normalised text.
    pub span: Range<usize>,
}

impl Example {
    /// Number of tokens that count in the loss.
    pub fn labelled(&self) -> usize {
        self.labels.iter().skip(1).filter(|l| **l).count()
    }
}

/// A preference: one prompt with the answer to prefer and the one to avoid, as DPO trains on them.
///
/// Both sequences begin with the same `prompt` tokens, which are not labelled; all others are (up
/// to the token that ends the answer). `chosen` and `rejected` share origin, file and span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// The prompt with the preferred answer.
    pub chosen: Example,
    /// The prompt with the other answer.
    pub rejected: Example,
    /// Number of tokens of the prompt, equal in both.
    pub prompt: usize,
}

impl Preference {
    /// Tokens of both sequences together.
    pub fn tokens(&self) -> usize {
        self.chosen.tokens.len() + self.rejected.tokens.len()
    }
}

/// What was made of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Chat examples.
    pub chats: usize,
    /// Windows of plain text.
    pub windows: usize,
    /// Examples cut to `max_seq_length`.
    pub truncated: usize,
    /// Pairs whose prompt alone fills `max_seq_length` or that spell out a special token, and
    /// questions without an answer.
    pub skipped: usize,
    /// Tokens in all examples.
    pub tokens: usize,
    /// Tokens that count in the loss.
    pub labelled: usize,
}

/// Turns files into examples of at most `max_seq_length` tokens, in the order given.
pub fn examples(
    files: &[DataFile],
    tokenizer: &Tokenizer,
    max_seq_length: usize,
) -> Result<(Vec<Example>, Report)> {
    let mut out = Vec::new();
    let mut report = Report::default();
    for (index, file) in files.iter().enumerate() {
        let text = file.text()?;
        report.files += 1;
        let (pairs, unanswered) = parse_questions(&text);
        if pairs.is_empty() || !tokenizer.has_chat_template() {
            windows(&text, index, file, tokenizer, max_seq_length, &mut out, &mut report)?;
            continue;
        }
        report.skipped += unanswered;
        for pair in pairs {
            let special = tokenizer.special_in(&pair.question).is_some()
                || tokenizer.special_in(&pair.answer).is_some();
            if special {
                report.skipped += 1;
                continue;
            }
            let Some((tokens, labels, cut)) =
                chat_tokens(tokenizer, &pair.question, &pair.answer, max_seq_length)?
            else {
                report.skipped += 1;
                continue;
            };
            report.truncated += usize::from(cut);
            report.chats += 1;
            let origin = file.origin.clone();
            out.push(Example { tokens, labels, origin, file: index, span: pair.span });
        }
    }
    report.tokens = out.iter().map(|e| e.tokens.len()).sum();
    report.labelled = out.iter().map(Example::labelled).sum();
    if out.is_empty() {
        return Err(Error::NoExamples {
            reason: format!(
                "{} files gave no example ({} skipped); add text, or raise max_seq_length",
                report.files, report.skipped
            ),
        });
    }
    Ok((out, report))
}

/// Tokens and labels of one question and answer: the loss is on the answer and its end token.
/// `None` when the prompt leaves no room for the answer; the flag says that the answer was cut.
#[allow(clippy::type_complexity)]
pub fn chat_tokens(
    tokenizer: &Tokenizer,
    question: &str,
    answer: &str,
    max_seq_length: usize,
) -> Result<Option<(Vec<u32>, Vec<bool>, bool)>> {
    let user = Message::user(question);
    let prompt = tokenizer.render_chat(std::slice::from_ref(&user), true)?;
    let full = tokenizer.render_chat(&[user, Message::assistant(answer)], false)?;
    let completion = full.strip_prefix(&prompt).ok_or_else(|| {
        Error::tokenizer("the chat template does not continue its own generation prompt")
    })?;
    let mut tokens = tokenizer.encode(&prompt)?;
    let prompt_len = tokens.len();
    let mut answer = tokenizer.encode(completion)?;
    // Nothing after the end token is ever generated, so nothing after it is trained.
    match answer.iter().rposition(|t| *t == tokenizer.eos) {
        Some(end) => answer.truncate(end + 1),
        None => answer.push(tokenizer.eos),
    }
    tokens.extend(answer);
    let cut = tokens.len() > max_seq_length;
    tokens.truncate(max_seq_length);
    if tokens.len() <= prompt_len {
        return Ok(None);
    }
    let labels = (0..tokens.len()).map(|i| i >= prompt_len).collect();
    Ok(Some((tokens, labels, cut)))
}

fn windows(
    text: &str,
    index: usize,
    file: &DataFile,
    tokenizer: &Tokenizer,
    max_seq_length: usize,
    out: &mut Vec<Example>,
    report: &mut Report,
) -> Result<()> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let mut tokens = tokenizer.encode_plain(text)?;
    if let (true, Some(bos)) = (tokenizer.add_bos, tokenizer.bos) {
        tokens.insert(0, (bos, (0, 0)));
    }
    tokens.push((tokenizer.eos, (text.len(), text.len())));
    for window in tokens.chunks(max_seq_length) {
        let (Some(first), Some(last)) = (window.first(), window.last()) else { continue };
        if window.len() < MIN_WINDOW {
            continue;
        }
        report.windows += 1;
        out.push(Example {
            tokens: window.iter().map(|(id, _)| *id).collect(),
            labels: (0..window.len()).map(|i| i > 0).collect(),
            origin: file.origin.clone(),
            file: index,
            span: first.1 .0..last.1 .1,
        });
    }
    Ok(())
}

/// Splits examples into (training, held out): `fraction` of them, at least one when there are two
/// or more and the fraction is not zero, drawn by `seed`. Both keep their order.
pub fn split(examples: Vec<Example>, fraction: f64, seed: u64) -> (Vec<Example>, Vec<Example>) {
    let n = examples.len();
    if fraction <= 0.0 || n < 2 {
        return (examples, Vec::new());
    }
    let held = ((n as f64 * fraction).round() as usize).clamp(1, n - 1);
    let mut order: Vec<usize> = (0..n).collect();
    Stream::new(seed, "held out", &[]).shuffle(&mut order);
    let mut is_held = vec![false; n];
    for i in order.into_iter().take(held) {
        is_held[i] = true;
    }
    let (mut train, mut eval) = (Vec::new(), Vec::new());
    for (example, held) in examples.into_iter().zip(is_held) {
        if held {
            eval.push(example);
        } else {
            train.push(example);
        }
    }
    (train, eval)
}
