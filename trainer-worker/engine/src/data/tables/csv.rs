//! Tables of text (RFC 4180, as spreadsheets and pandas write them).

use super::{quotes, Lines};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Most columns.
const MAX_COLUMNS: usize = 1024;
/// Most notes of one table.
const MAX_NOTES: usize = 20;
/// Most bytes of one row.
const MAX_ROW: usize = super::super::records::MAX_RECORD;

/// Writes the rows after the header. The separator, where the name does not say it, is the one that
/// a line `sep=;` states, or the one of comma, semicolon, tab and bar that the header has most of.
pub(super) fn read(bytes: &[u8], separator: Option<u8>, lines: &mut Lines) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "it is not UTF-8 text: byte {} does not belong there; save it as UTF-8",
            error.valid_up_to()
        )
    })?;
    if let Some(offset) = text.find('\0') {
        return Err(format!("it is not a text file: byte {offset} is NUL"));
    }
    let text = text.trim_start_matches('\u{feff}');
    // Excel's own line before the header.
    let (stated, text) =
        stated_separator(text).map_or((None, text), |(sign, rest)| (Some(sign), rest));
    let first = text.lines().next().unwrap_or_default();
    let separator = separator.or(stated).unwrap_or_else(|| {
        let count = |byte: u8| first.bytes().filter(|b| *b == byte).count();
        // The last of equal ones.
        [b'|', b';', b'\t', b','].into_iter().max_by_key(|byte| count(*byte)).unwrap_or(b',')
    });
    let mut rows = Rows {
        reader: ReaderBuilder::new().delimiter(separator).build(),
        separator,
        columns: None,
        rest: text,
        line: 1 + usize::from(stated.is_some()),
        text: vec![0; 1 << 14],
        ends: vec![0; 64],
        letters: None,
    };
    let header = match rows.next(lines)? {
        None => return Ok(()),
        Some(Err(reason)) => return Err(format!("its header cannot be read: {reason}")),
        Some(Ok(header)) => header,
    };
    let header: Vec<String> = header.into_iter().map(|name| name.trim().to_owned()).collect();
    if let Some(name) = header.iter().enumerate().find_map(|(index, name)| {
        header.iter().take(index).any(|other| other == name && !name.is_empty()).then_some(name)
    }) {
        return Err(format!("two of its columns are called {name:?}; rename one"));
    }
    rows.columns = Some(header.len());
    while let Some(row) = rows.next(lines)? {
        // No object, so that this row is refused by its number and the others are read.
        let row = row.and_then(|row| {
            if row.len() == header.len() || is_blank(&row) {
                return Ok(row);
            }
            let cells = if row.len() == 1 { "cell" } else { "cells" };
            Err(format!(
                "it has {} {cells}, the header has {}; put text with the separator or with line ends \
                 into quotes",
                row.len(),
                header.len()
            ))
        });
        match row {
            Ok(row) if is_blank(&row) => continue,
            Ok(row) => {
                lines.items(["{", "}"], header.iter().zip(&row), |lines, (name, cell)| {
                    lines.string(name)?;
                    lines.raw(":")?;
                    lines.string(cell)
                })?
            }
            Err(reason) => lines.string(&reason)?,
        }
        lines.end()?;
    }
    if let Some((count, first)) = rows.letters {
        let marks = if count == 1 { "quotation mark" } else { "quotation marks" };
        lines.notes.push(format!(
            "{count} {marks} at the beginning of a cell that does not end with one: taken as letters \
             (first: {first})"
        ));
    }
    Ok(())
}

/// The separator that a first line `sep=;` states, and what follows that line.
fn stated_separator(text: &str) -> Option<(u8, &str)> {
    let (line, rest) = text.split_once('\n')?;
    let (key, sign) = line.trim_end_matches('\r').trim_matches('"').split_once('=')?;
    match sign.as_bytes() {
        [sign @ (b',' | b';' | b'\t' | b'|')] if key.eq_ignore_ascii_case("sep") => {
            Some((*sign, rest))
        }
        _ => None,
    }
}

/// Whether a row is a blank line.
fn is_blank(row: &[String]) -> bool {
    row.len() == 1 && row.iter().all(|cell| cell.trim().is_empty())
}

/// The rows of a text.
struct Rows<'a> {
    reader: Reader,
    separator: u8,
    /// Cells of the header, once it is read.
    columns: Option<usize>,
    rest: &'a str,
    /// The line at which the rest begins, from 1.
    line: usize,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// How many quotation marks are letters, and where the first is.
    letters: Option<(usize, String)>,
}

impl Rows<'_> {
    /// Takes so many bytes of the rest.
    fn take(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += quotes::line_ends(taken.as_bytes());
        self.rest = rest;
    }

    /// The next row, or why it is refused.
    #[allow(clippy::type_complexity)]
    fn next(&mut self, lines: &mut Lines) -> Result<Option<Result<Vec<String>, String>>, String> {
        self.take(self.rest.len() - self.rest.trim_start_matches(['\r', '\n']).len());
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, first_line) = (lines.rows + 1, self.line);
        let found = quotes::row(self.rest.as_bytes(), self.separator, self.columns, MAX_ROW);
        let row = self.rest;
        self.take(found.end);
        let row = row.get(..found.end).unwrap_or_default();
        if let (Some(count), true) = (found.suspect, lines.notes.len() < MAX_NOTES) {
            lines.notes.push(format!(
                "row {number} (line {first_line}) has a quoted cell of {count} lines, each of which is \
                 like a row; is a quotation mark missing?"
            ));
        }
        let Some(fault) = found.fault else {
            return self.cells(row.as_bytes()).map(|row| Some(Ok(row)));
        };
        let before = row.get(..fault.at).unwrap_or_default();
        let line = first_line + quotes::line_ends(before.as_bytes());
        // Tables separated by tabs are often written without any quoting.
        if self.separator == b'\t' && fault.letter && line == first_line {
            let first = format!("row {number}, line {line}, cell {}", fault.cell);
            self.letters.get_or_insert((0, first)).0 += 1;
            let cells = quotes::plain_cells(row, self.separator);
            if cells.len() > MAX_COLUMNS {
                return Err(format!("a row has more than {MAX_COLUMNS} cells"));
            }
            return Ok(Some(Ok(cells)));
        }
        let next = if fault.letter {
            "double it and put the whole cell into quotes; the next line is read as a new row"
        } else {
            "if they are rows, take the mark out; if they are one cell, give the file as JSON lines"
        };
        Ok(Some(Err(format!(
            "it has a quotation mark in line {line}, cell {}, that {}; {next}",
            fault.cell, fault.what
        ))))
    }

    /// The cells of one whole row.
    fn cells(&mut self, mut rest: &[u8]) -> Result<Vec<String>, String> {
        self.reader.reset();
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, wrote, ends) = self.reader.read_record(
                rest,
                self.text.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(ended..).unwrap_or_default(),
            );
            rest = rest.get(read..).unwrap_or_default();
            written += wrote;
            ended += ends;
            match result {
                // An empty rest tells the reader that this is all.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= MAX_ROW => {
                    return Err(format!("a row has more than {MAX_ROW} bytes"))
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_COLUMNS => {
                    return Err(format!("a row has more than {MAX_COLUMNS} cells"))
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(Vec::new()),
            }
        }
        let mut start = 0;
        let cells = self.ends.iter().take(ended).map(|end| {
            let cell = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            // Separators are ASCII, so cells of UTF-8 text are UTF-8 text.
            String::from_utf8_lossy(cell).into_owned()
        });
        Ok(cells.collect())
    }
}
