//! From files to training examples.
//!
//! # The rule
//!
//! `docs/data.md` is the rule for people: formats, shapes of records, splits, and what becomes of
//! special tokens that are written out. The lists in it are those of this module ([`FORMATS`],
//! [`ROLES`], [`MESSAGES`], …), which a test compares.
//!
//! A file's canonical text is taken first ([`openledger_documents::canonical_text`]): of md and txt
//! files the UTF-8 text without byte-order mark, with `\n` line ends, composed (NFC); of pdf and docx
//! files the text that the extractor takes out; of a table a line of JSON for each row. Then:
//!
//! * **Records.** Files of records give a JSON object each: by line, by element, by row. A `.txt` file,
//!   which is what a Datanet takes, is read as JSON lines if *every* line that is not blank is a JSON
//!   object of a known shape. One line that is not, and the file is text like any other; the report
//!   then says which line it was.
//! * **Questions and answers.** A line that begins with `Q:` opens a question, a following line
//!   that begins with `A:` its answer. Either may span lines; an answer ends before the next `Q:`
//!   line or at the end of the file, and blank lines around both are trimmed. Each pair becomes one
//!   chat example in the model's chat template, with the loss on the answer's tokens and the token
//!   that ends it. Text around the pairs other than headings, questions without an answer, and what
//!   does not fit of an answer are windows of text.
//! * **Anything else** becomes windows of `max_seq_length` tokens, one after the other without
//!   overlap, with the loss on every token but a window's first; the text ends with the model's end
//!   token.
//!
//! [`DataOptions::plain_text`] makes windows of all md, txt, pdf and docx files, whatever they hold.
//!
//! **Special tokens that are written out** count as special tokens in raw text of whoever trains
//! (`text`, `prompt` and `completion`, documents: [`DataFile::own`]), as in `generate --prompt`; in raw
//! text of a Datanet they are letters; in messages they are refused, as in `chat`. All three are
//! counted in the [`Report`].
//!
//! Every example knows the file and the byte range of the canonical text that it came from: the
//! line or object, the pair, or the window.

mod builder;
mod chat;
mod files;
mod folders;
mod formats;
mod json_text;
mod messages;
mod preferences;
mod preview;
mod questions;
mod records;
mod report;
mod splits;
mod tables;
mod unpack;

pub use chat::chat_tokens;
pub use files::{DataFile, Origin};
pub use folders::{read, read_for, read_training, LeftOut, Purpose, Sources};
pub use formats::{Format, FormatRow, Packing, FORMATS, MAX_FILE, MAX_JSON, MAX_UNPACKED};
pub use json_text::{elements, is_lines, WRAPPERS};
pub use messages::{Turn, ROLES};
pub use preview::{preview, FilePreview, Lengths, Objective, Preview, PreviewOptions, Shown};
pub use questions::{parse_questions, Pair};
pub use records::{
    parse as parse_record, Kind, Parsed, Record, Side, ANSWER, INPUT, MESSAGES, QUESTION, SYSTEM,
};
pub use report::{files, Counted, Place, Report};
pub use splits::{Split, WORDS as SPLIT_WORDS};

use crate::error::Result;
use crate::kernels::rng::Stream;
use crate::tokenizer::Tokenizer;
use builder::Builder;
use std::ops::Range;
use std::sync::Arc;

/// How files become examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataOptions {
    /// Longest example in tokens.
    pub max_seq_length: usize,
    /// Whether md, txt, pdf and docx files are text whatever they hold.
    pub plain_text: bool,
    /// How many refused and how many truncated places the report lists.
    pub listed: usize,
    /// Whether the loss is on everything, also on what is asked.
    pub train_on_prompt: bool,
    /// Whether only the last answer of a conversation is learned.
    pub mask_history: bool,
}

impl DataOptions {
    /// The rule as documented, listing 20 places of each kind.
    pub fn new(max_seq_length: usize) -> Self {
        Self {
            max_seq_length,
            plain_text: false,
            listed: 20,
            train_on_prompt: false,
            mask_history: false,
        }
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

/// Turns files into examples of at most `max_seq_length` tokens, in the order given.
///
/// # Errors
///
/// [`Error::Data`] for a file that cannot be read, [`Error::NoExamples`] when nothing is left.
pub fn examples(
    files: &[DataFile],
    tokenizer: &Tokenizer,
    max_seq_length: usize,
) -> Result<(Vec<Example>, Report)> {
    examples_with(files, tokenizer, &DataOptions::new(max_seq_length))
}

/// As [`examples`], with options.
///
/// # Errors
///
/// As [`examples`].
pub fn examples_with(
    files: &[DataFile],
    tokenizer: &Tokenizer,
    options: &DataOptions,
) -> Result<(Vec<Example>, Report)> {
    let mut builder = Builder::new(tokenizer, *options, Objective::Supervised);
    for (index, file) in files.iter().enumerate() {
        builder.file(index, file)?;
    }
    builder.check_sides("add text, or raise max_seq_length")?;
    Ok((builder.examples, builder.report))
}

/// Turns files into preferences whose sequences have at most `max_seq_length` tokens each.
///
/// # Errors
///
/// [`Error::Data`] for a file that cannot be read, [`Error::NoExamples`] when nothing is left.
pub fn preferences(
    files: &[DataFile],
    tokenizer: &Tokenizer,
    options: &DataOptions,
) -> Result<(Vec<Preference>, Report)> {
    let mut builder = Builder::new(tokenizer, *options, Objective::Preference);
    for (index, file) in files.iter().enumerate() {
        builder.file(index, file)?;
    }
    builder.check_sides("add JSON lines with prompt, chosen and rejected")?;
    Ok((builder.preferences, builder.report))
}

/// Divides examples into (training, held out): those of evaluation files are held out; without any,
/// [`split`] draws a share of all.
pub fn divide<T>(
    examples: Vec<T>,
    evaluation: impl Fn(&T) -> bool,
    fraction: f64,
    seed: u64,
) -> (Vec<T>, Vec<T>) {
    if !examples.iter().any(&evaluation) {
        return split(examples, fraction, seed);
    }
    examples.into_iter().partition(|example| !evaluation(example))
}

/// Splits examples into (training, held out): `fraction` of them, at least one when there are two
/// or more and the fraction is not zero, drawn by `seed`. Both keep their order.
pub fn split<T>(examples: Vec<T>, fraction: f64, seed: u64) -> (Vec<T>, Vec<T>) {
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
