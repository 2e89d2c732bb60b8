//! From files to training examples.
//!
//! # The rule
//!
//! A file's canonical text is taken first ([`openledger_documents::canonical_text`]): of md and txt
//! files the UTF-8 text without byte-order mark, with `\n` line ends, composed (NFC); of pdf and docx
//! files the text that the extractor takes out. Then:
//!
//! * **JSON.** A local file named `.jsonl` has a JSON object on every line that is not blank; one
//!   named `.json` holds an array of objects, or objects one after the other. A `.txt` file, which is
//!   what a Datanet takes, is read as JSON lines if *every* line that is not blank is a JSON object
//!   of one of the shapes below. One line that is not, and the file is text like any other; the
//!   report then says which line it was.
//!
//!   | first of these whose keys are there | becomes |
//!   |---|---|
//!   | `chosen` and `rejected`, both text or both lists of messages, with or without `prompt` | a preference (TRL's shapes) |
//!   | `messages`: list of `role` and `content` | a conversation (OpenAI, Hugging Face) |
//!   | `conversations`: list of `from` and `value` | a conversation (ShareGPT) |
//!   | `instruction` and `output`, with or without `input` | a question and its answer (Alpaca) |
//!   | `prompt` and `completion`, both text or both lists of messages | the completion is learned |
//!   | `text` | windows of text, as below |
//!
//!   Conversations go through the model's chat template, with the loss on every answer of the
//!   assistant and on the token that ends it. An object that cannot be used (a role that is not
//!   known, tool calls, a special token of the model written out) is left out and listed with its
//!   line and the reason.
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
//! [`DataOptions::plain_text`] makes windows of all md, txt, pdf and docx files, whatever they hold.
//!
//! Every example knows the file and the byte range of the canonical text that it came from: the
//! line or object, the pair, or the window; a file's windows touch and cover it.

mod chat;
mod files;
mod preview;
mod questions;
mod records;

pub use chat::chat_tokens;
pub use files::{read, DataFile, Format, Origin, MAX_FILE, MAX_JSON};
pub use preview::{preview, FilePreview, Lengths, Objective, Preview, PreviewOptions};
pub use questions::{parse_questions, Pair};
pub use records::{elements, is_lines, parse as parse_record, Record, Side, Turn};

use crate::error::{Error, Result};
use crate::kernels::rng::Stream;
use crate::tokenizer::Tokenizer;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Shortest window of plain text that is trained on, in tokens.
const MIN_WINDOW: usize = 2;

/// What an example was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A `Q:` and `A:` pair.
    QuestionAnswer,
    /// A window of plain text.
    Window,
    /// JSON with `messages`.
    Messages,
    /// JSON with `conversations`.
    ShareGpt,
    /// JSON with `instruction` and `output`.
    Alpaca,
    /// JSON with `prompt` and `completion`.
    PromptCompletion,
    /// A window of JSON's `text`.
    Text,
    /// JSON with `chosen` and `rejected`.
    Preference,
}

/// How files become examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataOptions {
    /// Longest example in tokens.
    pub max_seq_length: usize,
    /// Whether md, txt, pdf and docx files are text whatever they hold.
    pub plain_text: bool,
    /// How many refused and how many truncated places the report lists.
    pub listed: usize,
}

impl DataOptions {
    /// The rule as documented, listing 20 places of each kind.
    pub fn new(max_seq_length: usize) -> Self {
        Self { max_seq_length, plain_text: false, listed: 20 }
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

/// A place in a file and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The submission or path.
    pub submission: String,
    /// Line of the canonical text, from 1.
    pub line: usize,
    /// Why it was refused or cut.
    pub reason: String,
}

/// What was made of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Chat examples.
    pub chats: usize,
    /// Windows of plain text.
    pub windows: usize,
    /// Preferences.
    pub preferences: usize,
    /// Examples by what they were made of.
    pub kinds: BTreeMap<Kind, usize>,
    /// Examples cut to `max_seq_length`.
    pub truncated: usize,
    /// Conversations that became one example an answer, since the chat template renders an answer
    /// in another way once more follows.
    pub split: usize,
    /// Places that gave no example: JSON that cannot be used, pairs whose prompt alone fills
    /// `max_seq_length` or that spell out a special token, and questions without an answer.
    pub skipped: usize,
    /// Tokens in all examples.
    pub tokens: usize,
    /// Tokens that count in the loss.
    pub labelled: usize,
    /// The first places that gave no example, with the reason.
    pub refused_places: Vec<Place>,
    /// The first places that were cut.
    pub truncated_places: Vec<Place>,
    /// What a reader should know about whole files.
    pub notes: Vec<String>,
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
    if builder.examples.is_empty() {
        return Err(builder.nothing("add text, or raise max_seq_length"));
    }
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
    if builder.preferences.is_empty() {
        return Err(builder.nothing("add JSON lines with prompt, chosen and rejected"));
    }
    Ok((builder.preferences, builder.report))
}

/// Collects examples file by file.
struct Builder<'a> {
    tokenizer: &'a Tokenizer,
    options: DataOptions,
    objective: Objective,
    examples: Vec<Example>,
    preferences: Vec<Preference>,
    report: Report,
}

/// Where an example comes from.
#[derive(Clone, Copy)]
struct Source<'a> {
    file: &'a DataFile,
    index: usize,
}

impl<'a> Builder<'a> {
    fn new(tokenizer: &'a Tokenizer, options: DataOptions, objective: Objective) -> Self {
        Self {
            tokenizer,
            options,
            objective,
            examples: Vec::new(),
            preferences: Vec::new(),
            report: Report::default(),
        }
    }

    fn nothing(&self, next: &str) -> Error {
        let first = self.report.refused_places.first().map_or_else(String::new, |place| {
            format!("; the first: {}, line {}: {}", place.submission, place.line, place.reason)
        });
        Error::NoExamples {
            reason: format!(
                "{} files gave no example ({} skipped); {next}{first}",
                self.report.files, self.report.skipped
            ),
        }
    }

    fn file(&mut self, index: usize, file: &DataFile) -> Result<()> {
        let text = file.text()?;
        self.report.files += 1;
        let source = Source { file, index };
        match file.format {
            Format::JsonLines => self.json_lines(source, &text),
            Format::Json => self.json(source, &text),
            Format::Document if !self.options.plain_text => self.document(source, &text)?,
            Format::Document => self.text(source, &text, None)?,
        }
        Ok(())
    }

    fn document(&mut self, source: Source<'_>, text: &str) -> Result<()> {
        if source.file.media == openledger_primitives::MediaType::Txt {
            match is_lines(text) {
                Ok(()) => {
                    self.json_lines(source, text);
                    return Ok(());
                }
                Err(Some((good, line))) => self.report.notes.push(format!(
                    "{}: line {line} is no JSON object of a known shape, so the file is text, though \
                     {good} lines before it are",
                    source.file.origin.submission
                )),
                Err(None) => {}
            }
        }
        let (pairs, unanswered) = parse_questions(text);
        if pairs.is_empty() || !self.tokenizer.has_chat_template() {
            return self.text(source, text, None);
        }
        if self.objective == Objective::Preference {
            self.refuse(source, 1, "it is no preference");
            return Ok(());
        }
        self.report.skipped += unanswered;
        for pair in pairs {
            let line = || line_of(text, pair.span.start);
            let special = [&pair.question, &pair.answer];
            if special.iter().any(|text| self.tokenizer.special_in(text).is_some()) {
                self.refuse(source, line(), "it writes out a special token of the model");
                continue;
            }
            let limit = self.options.max_seq_length;
            let made = chat_tokens(self.tokenizer, &pair.question, &pair.answer, limit)?;
            let Some((tokens, labels, cut)) = made else {
                self.refuse(source, line(), "the question alone fills max_seq_length");
                continue;
            };
            if cut {
                self.truncated(source, line());
            }
            self.report.chats += 1;
            self.push(source, Kind::QuestionAnswer, tokens, labels, pair.span);
        }
        Ok(())
    }

    fn json_lines(&mut self, source: Source<'_>, text: &str) {
        for (line, span, json) in records::lines(text) {
            self.record(source, line, span, json);
        }
    }

    fn json(&mut self, source: Source<'_>, text: &str) {
        let (found, broken) = elements(text);
        // Lines are counted on the way: counting from the beginning each time would be quadratic.
        let (mut line, mut counted) = (1, 0);
        for span in found {
            line += line_of(text.get(counted..).unwrap_or_default(), span.start - counted) - 1;
            counted = span.start;
            let json = text.get(span.clone()).unwrap_or_default();
            self.record(source, line, span, json);
        }
        if let Some(reason) = broken {
            self.refuse(source, line, &reason);
        }
    }

    fn record(&mut self, source: Source<'_>, line: usize, span: Range<usize>, json: &str) {
        let made = parse_record(json).and_then(|(kind, record)| match (record, self.objective) {
            (Record::Preference { prompt, chosen, rejected }, Objective::Preference) => {
                self.preference(source, line, span, [prompt, chosen, rejected])
            }
            (Record::Preference { .. }, Objective::Supervised) => {
                Err("it is a preference; train on it with DPO".to_owned())
            }
            (_, Objective::Preference) => Err("it is no preference".to_owned()),
            (Record::Text(text), _) => {
                self.text(source, &text, Some((line, span))).map_err(|error| error.to_string())
            }
            (Record::Completion { prompt, completion }, _) => {
                let limit = self.options.max_seq_length;
                let made = chat::completion(self.tokenizer, &prompt, &completion, limit)?;
                self.sequences(source, line, span, kind, vec![made]);
                Ok(())
            }
            (Record::Chat(turns), _) => {
                let limit = self.options.max_seq_length;
                let made = chat::conversation(self.tokenizer, &turns, limit)?;
                self.report.split += usize::from(made.len() > 1);
                self.report.chats += made.len();
                self.sequences(source, line, span, kind, made);
                Ok(())
            }
        });
        if let Err(reason) = made {
            self.refuse(source, line, &reason);
        }
    }

    fn sequences(
        &mut self,
        source: Source<'_>,
        line: usize,
        span: Range<usize>,
        kind: Kind,
        made: Vec<chat::Sequence>,
    ) {
        for sequence in made {
            if sequence.cut {
                self.truncated(source, line);
            }
            self.push(source, kind, sequence.tokens, sequence.labels, span.clone());
        }
    }

    fn preference(
        &mut self,
        source: Source<'_>,
        line: usize,
        span: Range<usize>,
        sides: [Side; 3],
    ) -> std::result::Result<(), String> {
        let (prompt, answers) = match &sides {
            [Side::Messages(prompt), Side::Messages(chosen), Side::Messages(rejected)] => {
                chat::preferred(self.tokenizer, prompt, [chosen, rejected])?
            }
            [Side::Text(prompt), Side::Text(chosen), Side::Text(rejected)] => {
                let prompt = chat::beginning(self.tokenizer, prompt)?;
                let end = |text| chat::ending(self.tokenizer, text);
                (prompt, [end(chosen)?, end(rejected)?])
            }
            _ => return Err("its sides are of different kinds".to_owned()),
        };
        let limit = self.options.max_seq_length;
        if prompt.is_empty() {
            return Err(
                "it has no prompt: nothing would predict an answer's first token".to_owned()
            );
        }
        if prompt.len() >= limit {
            return Err(format!("the prompt fills max_seq_length = {limit}"));
        }
        let longest = answers.iter().map(Vec::len).max().unwrap_or_default();
        if prompt.len() + longest > limit {
            self.truncated(source, line);
        }
        let [chosen, rejected] = answers.map(|answer| {
            let mut tokens = prompt.clone();
            tokens.extend(answer);
            tokens.truncate(limit);
            Example {
                labels: (0..tokens.len()).map(|place| place >= prompt.len()).collect(),
                tokens,
                origin: source.file.origin.clone(),
                file: source.index,
                span: span.clone(),
            }
        });
        self.report.preferences += 1;
        *self.report.kinds.entry(Kind::Preference).or_default() += 1;
        self.report.tokens += chosen.tokens.len() + rejected.tokens.len();
        self.report.labelled += chosen.labelled() + rejected.labelled();
        self.preferences.push(Preference { chosen, rejected, prompt: prompt.len() });
        Ok(())
    }

    /// Windows of a text. Those of a record have its span, those of a file their own.
    fn text(
        &mut self,
        source: Source<'_>,
        text: &str,
        record: Option<(usize, Range<usize>)>,
    ) -> Result<()> {
        if self.objective == Objective::Preference {
            self.refuse(source, record.map_or(1, |(line, _)| line), "it is no preference");
            return Ok(());
        }
        if text.trim().is_empty() {
            if let Some((line, _)) = record {
                self.refuse(source, line, "its text is blank");
            }
            return Ok(());
        }
        let mut tokens = self.tokenizer.encode_plain(text)?;
        if let (true, Some(bos)) = (self.tokenizer.add_bos, self.tokenizer.bos) {
            tokens.insert(0, (bos, (0, 0)));
        }
        tokens.push((self.tokenizer.eos, (text.len(), text.len())));
        let size = self.options.max_seq_length.max(1);
        let kind = if record.is_some() { Kind::Text } else { Kind::Window };
        let mut start = 0;
        for (index, window) in tokens.chunks(size).enumerate() {
            // A window ends where the next one begins, whatever a tokenizer's offsets leave out
            // between two tokens or give to several tokens of one character.
            let next = tokens.get((index + 1).saturating_mul(size));
            let end = next.map_or(text.len(), |(_, (at, _))| (*at).clamp(start, text.len()));
            let own = start..end;
            start = end;
            if window.len() < MIN_WINDOW {
                continue;
            }
            self.report.windows += 1;
            let labels = (0..window.len()).map(|i| i > 0).collect();
            let ids = window.iter().map(|(id, _)| *id).collect();
            let span = record.as_ref().map_or(own, |(_, span)| span.clone());
            self.push(source, kind, ids, labels, span);
        }
        Ok(())
    }

    fn push(
        &mut self,
        source: Source<'_>,
        kind: Kind,
        tokens: Vec<u32>,
        labels: Vec<bool>,
        span: Range<usize>,
    ) {
        let origin = source.file.origin.clone();
        let example = Example { tokens, labels, origin, file: source.index, span };
        *self.report.kinds.entry(kind).or_default() += 1;
        self.report.tokens += example.tokens.len();
        self.report.labelled += example.labelled();
        self.examples.push(example);
    }

    fn refuse(&mut self, source: Source<'_>, line: usize, reason: &str) {
        self.report.skipped += 1;
        let place = self.place(source, line, reason);
        if self.report.refused_places.len() < self.options.listed {
            self.report.refused_places.push(place);
        }
    }

    fn truncated(&mut self, source: Source<'_>, line: usize) {
        self.report.truncated += 1;
        let reason = format!("cut to max_seq_length = {}", self.options.max_seq_length);
        let place = self.place(source, line, &reason);
        if self.report.truncated_places.len() < self.options.listed {
            self.report.truncated_places.push(place);
        }
    }

    fn place(&self, source: Source<'_>, line: usize, reason: &str) -> Place {
        let submission = source.file.origin.submission.clone();
        Place { submission, line, reason: reason.to_owned() }
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
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
