//! Collects examples file by file.

mod raw;

use super::chat::{self, Chat, Sequence};
use super::json_text::{elements, is_lines, is_one_document, lines, wrapped, Wrapped};
use super::messages::Turn;
use super::records::{parse, shape, Parsed, Record, Side};
use super::report::{files, Source};
use super::{
    parse_questions, DataFile, DataOptions, Example, Format, Kind, Objective, Preference, Report,
    Split,
};
use crate::error::{Error, Result};
use crate::tokenizer::Tokenizer;
use serde_json::{Map, Value};
use std::ops::Range;
use std::sync::Arc;

pub(super) struct Builder<'a> {
    tokenizer: &'a Tokenizer,
    pub(super) options: DataOptions,
    objective: Objective,
    pub(super) examples: Vec<Example>,
    pub(super) preferences: Vec<Preference>,
    pub(super) report: Report,
    evaluates: bool,
}

type Said<T> = std::result::Result<T, String>;

impl<'a> Builder<'a> {
    pub(super) fn new(
        tokenizer: &'a Tokenizer,
        options: DataOptions,
        objective: Objective,
    ) -> Self {
        Self {
            tokenizer,
            options,
            objective,
            examples: Vec::new(),
            preferences: Vec::new(),
            report: Report::default(),
            evaluates: false,
        }
    }

    /// Refuses when nothing is left to train on, or nothing of what is to be evaluated on.
    pub(super) fn check_sides(&self, next: &str) -> Result<()> {
        let held = |example: &Example| example.origin.evaluation;
        let all = self.examples.iter().chain(self.preferences.iter().map(|pair| &pair.chosen));
        let (held, train): (Vec<_>, Vec<_>) = all.partition(|example| held(example));
        let what = match (train.is_empty(), held.is_empty()) {
            (true, _) if self.evaluates => "the files to train on",
            (true, _) => "",
            (false, true) if self.evaluates => "the files to evaluate on",
            _ => return Ok(()),
        };
        let first = match (self.report.refused_places.first(), self.report.notes.first()) {
            (Some(place), _) => {
                let unit = if place.row { "row" } else { "line" };
                let reason = &place.reason;
                format!("; the first: {}, {unit} {}: {reason}", place.submission, place.line)
            }
            (None, Some(note)) => format!("; {note}"),
            (None, None) => String::new(),
        };
        let of = if what.is_empty() { String::new() } else { format!("{what}: ") };
        Err(Error::NoExamples {
            reason: format!(
                "{of}{} gave no example ({} skipped); {next}{first}",
                files(self.report.files),
                self.report.skipped
            ),
        })
    }

    pub(super) fn file(&mut self, index: usize, file: &DataFile) -> Result<()> {
        let (text, notes) = file.text_and_notes()?;
        self.report.files += 1;
        let named = notes.iter().map(|note| format!("{}: {note}", file.origin.submission));
        self.report.notes.extend(named);
        self.evaluates |= file.origin.evaluation;
        let source = Source { file, index, evaluation: file.origin.evaluation };
        let blank = text.trim().is_empty();
        match file.format {
            _ if blank => {
                self.report.notes.push(format!("{} is empty", file.origin.submission));
            }
            Format::Json => self.json(source, &text),
            Format::Document if !self.options.plain_text => self.document(source, &text)?,
            Format::Document => self.text(source, &text, 0..text.len(), None)?,
            Format::JsonLines if is_one_document(&text) => {
                self.report.notes.push(format!(
                    "{}: its first line is no object of its own, so it is read as a .json file",
                    file.origin.submission
                ));
                self.json(source, &text);
            }
            _ => self.json_lines(source, &text),
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
            return self.text(source, text, 0..text.len(), None);
        }
        if self.objective == Objective::Preference {
            self.refuse(source, 1, "it is no preference");
            return Ok(());
        }
        let mut done = 0;
        // Lines are counted on the way: counting from the beginning each time would be quadratic.
        let (mut line, mut counted) = (1, 0);
        for pair in pairs {
            self.around(source, text, done..pair.span.start)?;
            done = pair.span.end;
            line += line_of(text.get(counted..).unwrap_or_default(), pair.span.start - counted) - 1;
            counted = pair.span.start;
            let special = [&pair.question, &pair.answer];
            if let Some(token) = special.iter().find_map(|text| self.tokenizer.special_in(text)) {
                let reason = format!("it writes out a special token of the model, {token:?}");
                self.refuse(source, line, &reason);
                continue;
            }
            let limit = self.options.max_seq_length;
            let (question, answer) = (&pair.question, &pair.answer);
            let made = chat::question_and_answer(self.tokenizer, question, answer, limit)?;
            let Some(mut made) = made else {
                self.remark(source, line, "questions too long for max_seq_length are text", 1);
                self.text(source, text, pair.span.clone(), None)?;
                continue;
            };
            if self.options.train_on_prompt {
                made = made.learned_whole();
            }
            if made.cut {
                // The last line is the answer's, so the answer ends where the pair does.
                let rest = pair.span.end - answer.len()..pair.span.end;
                self.tail(source, text, line, &made, rest)?;
            }
            self.report.chats += 1;
            self.say_prefill(source, line, &made);
            self.push(source, Kind::QuestionAnswer, made.tokens, made.labels, pair.span);
        }
        self.around(source, text, done..text.len())?;
        if unanswered > 0 {
            self.remark(source, 1, "questions without an answer are text", unanswered);
        }
        Ok(())
    }

    /// Text beside questions and answers, which is trained on as text unless it is headings alone.
    fn around(&mut self, source: Source<'_>, text: &str, range: Range<usize>) -> Result<()> {
        let inner = text.get(range.clone()).unwrap_or_default();
        if inner.trim().is_empty() {
            return Ok(());
        }
        let start = range.start + (inner.len() - inner.trim_start().len());
        let line = line_of(text, start);
        // A heading by itself teaches nothing but headings.
        let mut written = inner.lines().filter(|line| !line.trim().is_empty());
        if written.all(|line| line.starts_with('#')) {
            let what = "bytes of headings beside questions and answers are left out";
            self.remark(source, line, what, inner.trim().len());
            return Ok(());
        }
        self.remark(
            source,
            line,
            "bytes of text around questions and answers are trained on as text",
            inner.trim().len(),
        );
        self.text(source, text, start..start + inner.trim().len(), None)
    }

    /// What of an answer does not fit is trained on as text.
    fn tail(
        &mut self,
        source: Source<'_>,
        text: &str,
        line: usize,
        made: &Sequence,
        answer: Range<usize>,
    ) -> Result<()> {
        let written = text.get(answer.clone()).unwrap_or_default();
        let learned = made.labels.iter().filter(|label| **label).count();
        let tokens = self.tokenizer.encode_plain(written)?;
        self.truncated(source, line, 0);
        let Some((_, (at, _))) = tokens.get(learned) else { return Ok(()) };
        let start = (answer.start + *at..answer.end).find(|at| text.is_char_boundary(*at));
        let start = start.unwrap_or(answer.end);
        self.remark(
            source,
            line,
            "bytes of answers longer than max_seq_length go on as text",
            answer.end - start,
        );
        self.text(source, text, start..answer.end, None)
    }

    fn json_lines(&mut self, source: Source<'_>, text: &str) {
        for (line, span, json) in lines(text) {
            self.record(source, line, span, json);
        }
    }

    fn json(&mut self, source: Source<'_>, text: &str) {
        let (found, broken) = elements(text);
        let mut records: Vec<(Range<usize>, Option<Split>)> =
            found.iter().cloned().map(|span| (span, None)).collect();
        if let ([only], None) = (found.as_slice(), &broken) {
            let json = text.get(only.clone()).unwrap_or_default();
            let known = serde_json::from_str::<Map<String, Value>>(json)
                .is_ok_and(|object| shape(&object).is_some());
            let inner = if known { Wrapped::default() } else { wrapped(text, only.clone()) };
            if !inner.records.is_empty() {
                records = inner.records;
                // Metadata, or a list of records under a name that is none of the known ones.
                let (mut line, mut counted) = (1, 0);
                for (key, at, entries) in inner.beside {
                    line += line_of(text.get(counted..at).unwrap_or_default(), at - counted) - 1;
                    counted = at;
                    let key: String = key.chars().take(64).collect();
                    let what = format!(
                        "entries under the key {key:?} beside the list that is read, not used"
                    );
                    self.remark(source, line, &what, entries);
                }
            }
        }
        if records.is_empty() && broken.is_none() {
            self.report.notes.push(format!("{} is empty", source.file.origin.submission));
        }
        let (mut line, mut counted) = (1, 0);
        for (span, split) in records {
            line += line_of(text.get(counted..).unwrap_or_default(), span.start - counted) - 1;
            counted = span.start;
            let json = text.get(span.clone()).unwrap_or_default();
            match split {
                Some(Split::Test) if !source.evaluation => {
                    self.remark(source, line, "records of the test split, never trained on", 1);
                }
                Some(Split::Validation) => {
                    self.remark(source, line, "records of the validation split, evaluated on", 1);
                    self.evaluates = true;
                    self.record(Source { evaluation: true, ..source }, line, span, json);
                }
                _ => self.record(source, line, span, json),
            }
        }
        if let Some(reason) = broken {
            self.refuse(source, line, &reason);
        }
    }

    fn record(&mut self, source: Source<'_>, line: usize, span: Range<usize>, json: &str) {
        let made = parse(json).and_then(|Parsed { kind, record, unused }| {
            self.made(source, line, span, kind, record)?;
            for key in unused {
                self.remark(source, line, &format!("records with key {key}, which is not used"), 1);
            }
            Ok(())
        });
        if let Err(reason) = made {
            self.refuse(source, line, &reason);
        }
    }

    fn made(
        &mut self,
        source: Source<'_>,
        line: usize,
        span: Range<usize>,
        kind: Kind,
        record: Record,
    ) -> Said<()> {
        let limit = self.options.max_seq_length;
        match (record, self.objective) {
            (Record::Preference { prompt, chosen, rejected }, Objective::Preference) => {
                self.preference(source, line, span, [prompt, chosen, rejected])
            }
            (Record::Preference { prompt, chosen, .. }, Objective::Supervised) => {
                let record = preferred_answer(prompt, chosen)?;
                self.made(source, line, span, kind, record)?;
                let what = "preference rows: trained on the chosen answer by SFT (--stage dpo \
                            learns from both answers)";
                self.remark(source, line, what, 1);
                Ok(())
            }
            (_, Objective::Preference) => Err("it is no preference".to_owned()),
            (Record::Text(text), _) => {
                let made = self.text(source, &text, 0..text.len(), Some((line, span)));
                made.map_err(|error| error.to_string())
            }
            (Record::Completion { prompt, completion }, _) => {
                let prompt = self.beginning(source, line, &prompt)?;
                let completion = self.ending(source, line, &completion)?;
                let made = chat::completion(prompt, &completion, limit)?;
                self.sequences(source, line, span, kind, vec![made]);
                Ok(())
            }
            (Record::Chat(mut turns, tools), _) => {
                if self.options.mask_history {
                    let last = turns.iter().rposition(|turn| turn.learn);
                    for (index, turn) in turns.iter_mut().enumerate() {
                        turn.learn &= Some(index) == last;
                    }
                }
                let chat = Chat { tokenizer: self.tokenizer, tools: tools.as_ref() };
                let made = chat.conversation(&turns, limit)?;
                self.say_silent(source, line, &turns);
                self.report.split += usize::from(made.len() > 1);
                self.report.chats += made.len();
                self.sequences(source, line, span, kind, made);
                Ok(())
            }
        }
    }

    /// Messages after the last answer are never seen.
    fn say_silent(&mut self, source: Source<'_>, line: usize, turns: &[Turn]) {
        let last = turns.iter().rposition(|turn| turn.learn).map_or(0, |last| last + 1);
        let after = turns.len().saturating_sub(last);
        self.remark(
            source,
            line,
            "messages after the last answer that is learned, not used",
            after,
        );
    }

    fn say_prefill(&mut self, source: Source<'_>, line: usize, made: &Sequence) {
        if let Some(prefill) = &made.prefill {
            let what = format!(
                "answers without {:?}, with which the template's generation prompt ends",
                prefill.trim_end()
            );
            self.remark(source, line, &what, 1);
        }
    }

    fn sequences(
        &mut self,
        source: Source<'_>,
        line: usize,
        span: Range<usize>,
        kind: Kind,
        made: Vec<Sequence>,
    ) {
        for mut sequence in made {
            if sequence.cut {
                self.truncated(source, line, sequence.lost);
            }
            self.say_prefill(source, line, &sequence);
            if self.options.train_on_prompt {
                sequence = sequence.learned_whole();
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
    ) -> Said<()> {
        let (prompt, answers) = match &sides {
            [Side::Messages(prompt), Side::Messages(chosen), Side::Messages(rejected)] => {
                let chat = Chat { tokenizer: self.tokenizer, tools: None };
                chat.preferred(prompt, [chosen, rejected])?
            }
            [Side::Text(prompt), Side::Text(chosen), Side::Text(rejected)] => {
                let prompt = self.beginning(source, line, prompt)?;
                let chosen = self.ending(source, line, chosen)?;
                (prompt, [chosen, self.ending(source, line, rejected)?])
            }
            _ => return Err("its sides are of different kinds".to_owned()),
        };
        let limit = self.options.max_seq_length;
        if prompt.is_empty() {
            return Err(NO_PROMPT.to_owned());
        }
        if prompt.len() >= limit {
            return Err(format!("the prompt fills max_seq_length = {limit}"));
        }
        let longest = answers.iter().map(Vec::len).max().unwrap_or_default();
        if prompt.len() + longest > limit {
            let lost = |answer: &Vec<u32>| (prompt.len() + answer.len()).saturating_sub(limit);
            self.truncated(source, line, answers.iter().map(lost).sum());
        }
        let origin = self.origin(source);
        let [chosen, rejected] = answers.map(|answer| {
            let mut tokens = prompt.clone();
            tokens.extend(answer);
            tokens.truncate(limit);
            Example {
                labels: (0..tokens.len()).map(|place| place >= prompt.len()).collect(),
                tokens,
                origin: origin.clone(),
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

    fn origin(&self, source: Source<'_>) -> Arc<super::Origin> {
        let origin = &source.file.origin;
        if source.evaluation == origin.evaluation {
            return origin.clone();
        }
        Arc::new(super::Origin { evaluation: source.evaluation, ..(**origin).clone() })
    }

    fn push(
        &mut self,
        source: Source<'_>,
        kind: Kind,
        tokens: Vec<u32>,
        labels: Vec<bool>,
        span: Range<usize>,
    ) {
        let origin = self.origin(source);
        let example = Example { tokens, labels, origin, file: source.index, span };
        *self.report.kinds.entry(kind).or_default() += 1;
        self.report.tokens += example.tokens.len();
        self.report.labelled += example.labelled();
        self.examples.push(example);
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Why a preference without a prompt is refused.
const NO_PROMPT: &str = "it has no prompt: nothing would predict an answer's first token";

/// The record that a preference is where only answers are learned.
fn preferred_answer(prompt: Side, chosen: Side) -> Said<Record> {
    Ok(match (prompt, chosen) {
        (Side::Messages(prompt), Side::Messages(chosen)) => {
            let asked = prompt.into_iter().map(|message| Turn { message, learn: false });
            let answer = chosen.into_iter().map(|message| {
                let learn = message.role == "assistant";
                Turn { message, learn }
            });
            Record::Chat(asked.chain(answer).collect(), None)
        }
        (Side::Text(prompt), Side::Text(_)) if prompt.is_empty() => {
            return Err(NO_PROMPT.to_owned());
        }
        (Side::Text(prompt), Side::Text(completion)) => Record::Completion { prompt, completion },
        _ => return Err("its sides are of different kinds".to_owned()),
    })
}
