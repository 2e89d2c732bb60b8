//! Tables of text (RFC 4180, as spreadsheets and pandas write them).

use super::Lines;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Most columns.
const MAX_COLUMNS: usize = 1024;
/// Most bytes of one row.
const MAX_ROW: usize = super::super::records::MAX_RECORD;

/// Writes the rows after the header. The separator, where the name does not say it, is the one of
/// comma, semicolon and tab that the header has most of.
pub(super) fn read(bytes: &[u8], separator: Option<u8>, lines: &mut Lines) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "it is not UTF-8 text: byte {} does not belong there; save it as UTF-8",
            error.valid_up_to()
        )
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let separator = separator.unwrap_or_else(|| {
        let count = |byte: u8| first.bytes().filter(|b| *b == byte).count();
        // The first of equal ones.
        [b';', b'\t', b','].into_iter().max_by_key(|byte| count(*byte)).unwrap_or(b',')
    });
    let mut rows = Rows {
        reader: ReaderBuilder::new().delimiter(separator).build(),
        rest: text.as_bytes(),
        text: vec![0; 1 << 14],
        ends: vec![0; 64],
    };
    let Some(header) = rows.next()? else { return Ok(()) };
    let header: Vec<String> = header.into_iter().map(|name| name.trim().to_owned()).collect();
    if let Some(name) = header.iter().enumerate().find_map(|(index, name)| {
        header.iter().take(index).any(|other| other == name && !name.is_empty()).then_some(name)
    }) {
        return Err(format!("two of its columns are called {name:?}; rename one"));
    }
    while let Some(row) = rows.next()? {
        if row.len() == 1 && row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if row.len() != header.len() {
            // No object, so that this row is refused by its number and the others are read.
            let reason = format!(
                "it has {} cells, the header has {}; put text with the separator or with line ends \
                 into quotes",
                row.len(),
                header.len()
            );
            lines.string(&reason)?;
            lines.end()?;
            continue;
        }
        lines.items(["{", "}"], header.iter().zip(&row), |lines, (name, cell)| {
            lines.string(name)?;
            lines.raw(":")?;
            lines.string(cell)
        })?;
        lines.end()?;
    }
    Ok(())
}

/// The rows of a text.
struct Rows<'a> {
    reader: Reader,
    rest: &'a [u8],
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows<'_> {
    fn next(&mut self) -> Result<Option<Vec<String>>, String> {
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, wrote, ends) = self.reader.read_record(
                self.rest,
                self.text.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(ended..).unwrap_or_default(),
            );
            self.rest = self.rest.get(read..).unwrap_or_default();
            written += wrote;
            ended += ends;
            match result {
                // An empty rest tells the reader that this is all.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= MAX_ROW => {
                    return Err(format!(
                        "a row has more than {MAX_ROW} bytes; is a quotation mark missing?"
                    ))
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_COLUMNS => {
                    return Err(format!("a row has more than {MAX_COLUMNS} cells"))
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let mut start = 0;
        let cells = self.ends.iter().take(ended).map(|end| {
            let cell = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            // Separators are ASCII, so cells of UTF-8 text are UTF-8 text.
            String::from_utf8_lossy(cell).into_owned()
        });
        Ok(Some(cells.collect()))
    }
}
