//! Tables as JSON lines: one line a row, with the columns' names as keys, which the rules for
//! records then read. The examples' byte ranges are those of these lines.

mod arrow;
mod csv;
mod parquet;
mod quotes;

use super::formats::{Format, MAX_UNPACKED};
use std::cell::Cell;
use std::sync::Once;

/// Most rows of one file.
const MAX_ROWS: usize = 10_000_000;
/// Deepest nesting of a value.
const MAX_DEPTH: usize = 32;

/// Writes a table as JSON lines, with what a reader should know of it.
///
/// # Errors
///
/// In words, what is wrong with the file.
pub(super) fn to_lines(format: Format, bytes: &[u8]) -> Result<(String, Vec<String>), String> {
    let mut lines = Lines::default();
    match format {
        Format::Csv => csv::read(bytes, None, &mut lines)?,
        Format::Tsv => csv::read(bytes, Some(b'\t'), &mut lines)?,
        Format::Parquet => calm(|| parquet::read(bytes, &mut lines))?,
        Format::Arrow => calm(|| arrow::read(bytes, &mut lines))?,
        Format::Document | Format::JsonLines | Format::Json => {
            return Err("it is no table".to_owned())
        }
    }
    Ok((lines.text, lines.notes))
}

/// The crates that read binary tables panic on some damaged files: that is an error like any other,
/// and no message of a crash is printed for it.
fn calm(read: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !CALM.get() {
                before(panic);
            }
        }));
    });
    CALM.set(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    CALM.set(false);
    result.unwrap_or_else(|_| Err("it is damaged: its parts contradict each other".to_owned()))
}

thread_local! {
    /// Whether this thread is reading a file that may be damaged.
    static CALM: Cell<bool> = const { Cell::new(false) };
}

/// JSON lines that are being written, within limits.
#[derive(Default)]
struct Lines {
    text: String,
    rows: usize,
    /// What a reader should know of the table.
    notes: Vec<String>,
}

impl Lines {
    fn check(&self) -> Result<(), String> {
        if self.text.len() > MAX_UNPACKED {
            return Err(format!(
                "as text it has more than {MAX_UNPACKED} bytes; split it into smaller files"
            ));
        }
        Ok(())
    }

    /// Ends a row.
    fn end(&mut self) -> Result<(), String> {
        self.text.push('\n');
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Err(format!("it has more than {MAX_ROWS} rows; split it into smaller files"));
        }
        self.check()
    }

    fn raw(&mut self, json: &str) -> Result<(), String> {
        self.text.push_str(json);
        self.check()
    }

    fn string(&mut self, text: &str) -> Result<(), String> {
        if self.text.len() + text.len() > MAX_UNPACKED {
            self.text.clear();
            return Err(format!(
                "as text it has more than {MAX_UNPACKED} bytes; split it into smaller files"
            ));
        }
        let json = serde_json::to_string(text).map_err(|error| error.to_string())?;
        self.raw(&json)
    }

    /// A number that JSON may lack.
    fn number(&mut self, value: f64) -> Result<(), String> {
        let number = serde_json::Number::from_f64(value);
        self.raw(&number.map_or_else(|| "null".to_owned(), |number| number.to_string()))
    }

    /// A list or an object: `open`, the items with commas between them, `close`.
    fn items<T>(
        &mut self,
        brackets: [&str; 2],
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), String>,
    ) -> Result<(), String> {
        self.raw(brackets[0])?;
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.raw(",")?;
            }
            write(self, item)?;
        }
        self.raw(brackets[1])
    }
}

fn too_deep() -> String {
    format!("its values are nested deeper than {MAX_DEPTH}")
}
