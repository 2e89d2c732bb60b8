//! What became of files, counted, with an example of each reason.

use super::{Builder, Kind};
use serde::Serialize;
use std::collections::BTreeMap;

/// Most different reasons that are told apart.
const MAX_REASONS: usize = 200;

/// A number of files, in words.
pub fn files(count: usize) -> String {
    format!("{count} {}", if count == 1 { "file" } else { "files" })
}

/// A place in a file and what happened to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The submission or path.
    pub submission: String,
    /// Line of the canonical text, or row of a table, from 1.
    pub line: usize,
    /// Whether that is a row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub row: bool,
    /// Why it was refused or cut.
    pub reason: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.row { "row" } else { "line" };
        write!(f, "{} {what} {}", self.submission, self.line)
    }
}

/// How often something happened, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// How often.
    pub count: usize,
    /// The first place.
    pub first: Place,
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
    /// Places that gave no example.
    pub skipped: usize,
    /// Tokens in all examples.
    pub tokens: usize,
    /// Tokens that count in the loss.
    pub labelled: usize,
    /// Tokens that were cut off.
    pub cut_tokens: usize,
    /// Why places gave no example, with how many and the first.
    pub reasons: BTreeMap<String, Counted>,
    /// What was not used or taken in a way that not everybody expects, with how many and the first.
    pub remarks: BTreeMap<String, Counted>,
    /// The first places that gave no example, with the reason.
    pub refused_places: Vec<Place>,
    /// The first places that were cut.
    pub truncated_places: Vec<Place>,
    /// What a reader should know about whole files.
    pub notes: Vec<String>,
}

impl Report {
    /// What a person should know, a line each: refused, cut, remarks and notes.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (reason, counted) in &self.reasons {
            lines.push(format!("refused {}: {reason} (first: {})", counted.count, counted.first));
        }
        if let Some(first) = self.truncated_places.first() {
            lines.push(format!(
                "cut {}: {}, {} tokens left out (first: {first})",
                self.truncated, first.reason, self.cut_tokens
            ));
        }
        for (remark, counted) in &self.remarks {
            lines.push(format!("{}: {remark} (first: {})", counted.count, counted.first));
        }
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines
    }
}

fn count(map: &mut BTreeMap<String, Counted>, what: &str, place: Place, times: usize) {
    let known = map.contains_key(what) || map.len() < MAX_REASONS;
    let what = if known { what } else { "other reasons" };
    let counted = map.entry(what.to_owned()).or_insert_with(|| Counted { count: 0, first: place });
    counted.count += times;
}

/// Where an example comes from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a super::DataFile,
    pub(super) index: usize,
    /// Whether what is read now is evaluated on.
    pub(super) evaluation: bool,
}

impl Builder<'_> {
    pub(super) fn refuse(&mut self, source: Source<'_>, line: usize, reason: &str) {
        self.report.skipped += 1;
        let place = place(source, line, reason);
        count(&mut self.report.reasons, reason, place.clone(), 1);
        if self.report.refused_places.len() < self.options.listed {
            self.report.refused_places.push(place);
        }
    }

    pub(super) fn truncated(&mut self, source: Source<'_>, line: usize, lost: usize) {
        self.report.truncated += 1;
        self.report.cut_tokens += lost;
        let reason = format!("cut to max_seq_length = {}", self.options.max_seq_length);
        let place = place(source, line, &reason);
        if self.report.truncated_places.len() < self.options.listed {
            self.report.truncated_places.push(place);
        }
    }

    /// Something that was not used, or not in the way that everybody expects.
    pub(super) fn remark(&mut self, source: Source<'_>, line: usize, what: &str, times: usize) {
        if times > 0 {
            count(&mut self.report.remarks, what, place(source, line, what), times);
        }
    }
}

fn place(source: Source<'_>, line: usize, reason: &str) -> Place {
    Place {
        submission: source.file.origin.submission.clone(),
        line,
        row: source.file.has_rows(),
        reason: reason.to_owned(),
    }
}
