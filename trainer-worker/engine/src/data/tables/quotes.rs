//! Where a row of a table of text ends, and whether its quotation marks are those of quoted cells. A
//! stray one would make a cell of all the rows after it, which nobody would notice.

/// Fewest lines of a cell of commas or semicolons that are said to look like rows: prose has commas.
const MANY_LINES: usize = 10;

/// The first row of a text.
pub(super) struct Row {
    /// Where it ends, without its line end.
    pub(super) end: usize,
    /// What is wrong with one of its quotation marks; then the row ends with that mark's line, or
    /// with the line of the mark that closes it.
    pub(super) fault: Option<Fault>,
    /// Lines of a cell that may be rows.
    pub(super) suspect: Option<usize>,
}

/// A quotation mark that begins a cell and does not make it a quoted one.
pub(super) struct Fault {
    /// Where it is.
    pub(super) at: usize,
    /// The cell that it begins, from 1.
    pub(super) cell: usize,
    /// What is wrong, after "a quotation mark … that".
    pub(super) what: String,
    /// Whether the mark may be a letter: where a cell begins with it, but does not end with one.
    pub(super) letter: bool,
}

/// Reads to the end of the first row, of which no cell may have more than `limit` bytes. With tabs, a
/// cell whose lines are all like rows of `columns` cells is a fault.
pub(super) fn row(text: &[u8], separator: u8, columns: Option<usize>, limit: usize) -> Row {
    let ends_cell = |byte: &u8| *byte == separator || matches!(byte, b'\r' | b'\n');
    let (mut at, mut cell, mut suspect) = (0, 1, None);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'"') {
            let fault = |what: String, letter: bool, end: usize| Row {
                end,
                fault: Some(Fault { at, cell, what, letter }),
                suspect: None,
            };
            let line_end =
                at + rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
            let Some(close) = closing(rest, limit) else {
                return fault("is never closed".to_owned(), true, line_end);
            };
            let after = rest.get(close + 1..).unwrap_or_default();
            let blank = after.iter().take_while(|byte| **byte == b' ').count();
            if !after.get(blank).is_none_or(ends_cell) {
                return fault("is not closed where the cell ends".to_owned(), true, line_end);
            }
            let lines = rows_within(rest.get(1..close).unwrap_or_default(), separator, columns);
            if separator == b'\t' && lines > 1 {
                let what = format!("spans {lines} lines, each of which is like a row");
                let more = after.iter().position(|b| matches!(b, b'\r' | b'\n'));
                let end = at + close + 1 + more.unwrap_or(after.len());
                return fault(what, false, end);
            }
            if lines >= MANY_LINES {
                suspect = Some(lines);
            }
            at += close + 1;
        }
        let rest = text.get(at..).unwrap_or_default();
        at += rest.iter().position(ends_cell).unwrap_or(rest.len());
        if text.get(at) != Some(&separator) {
            return Row { end: at, fault: None, suspect };
        }
        at += 1;
        cell += 1;
    }
}

/// Where the cell that begins with a quotation mark is closed.
///
/// Together the rows of a file take time in proportion to its length: such a search passes over the
/// beginning of another cell only where that has an even number of marks, of which the second closes.
pub(super) fn closing(text: &[u8], limit: usize) -> Option<usize> {
    let mut at = 1;
    loop {
        let rest = text.get(at..limit.min(text.len()))?;
        let mark = at + rest.iter().position(|byte| *byte == b'"')?;
        if text.get(mark + 1) != Some(&b'"') {
            return Some(mark);
        }
        at = mark + 2;
    }
}

/// The lines of a quoted cell, if every one after the first may be a row of so many cells.
fn rows_within(cell: &[u8], separator: u8, columns: Option<usize>) -> usize {
    let Some(columns) = columns.filter(|columns| *columns > 1) else { return 1 };
    let mut lines = cell.split(|byte| *byte == b'\n').peekable();
    let (mut count, _) = (1, lines.next());
    while let Some(line) = lines.next() {
        let cells = line.iter().filter(|byte| **byte == separator).count() + 1;
        // The last line goes on after the cell. An indented line is code.
        let like =
            if lines.peek().is_some() { cells == columns } else { cells <= columns && cells > 1 };
        if !like || line.first() == Some(&separator) {
            return 1;
        }
        count += 1;
    }
    count
}

/// The cells of a line in which quotation marks are letters, except those around a whole cell.
pub(super) fn plain_cells(line: &str, separator: u8) -> Vec<String> {
    let cells = line.split(char::from(separator));
    cells
        .map(|cell| match cell.strip_prefix('"') {
            Some(inner) if closing(cell.as_bytes(), cell.len()) == Some(inner.len()) => {
                inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\"")
            }
            _ => cell.to_owned(),
        })
        .collect()
}

/// Line ends of a text: `\n`, `\r\n` or `\r`.
pub(super) fn line_ends(text: &[u8]) -> usize {
    let next = text.iter().skip(1).map(Some).chain([None]);
    let ends = text.iter().zip(next).filter(|(byte, next)| match byte {
        b'\n' => true,
        b'\r' => *next != Some(&b'\n'),
        _ => false,
    });
    ends.count()
}
