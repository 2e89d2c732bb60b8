//! What a command answers, and how it is printed.

use crate::{arguments::OutputFormat, error::CliError};
use comfy_table::{presets, Table};
use openledger_client::{Amount, Receipt};
use openledger_primitives::{
    text::{counted, visible},
    Balance, OPEN,
};
use serde_json::{json, Value};
use std::{io::Write, process::ExitCode};

/// The answer of a command in both formats.
#[derive(Debug)]
pub(crate) struct Answer {
    json: Value,
    text: String,
    /// Said beside the text, on stderr, where the text itself is what the user wants to keep.
    note: Option<String>,
}

impl Answer {
    /// An answer: a JSON object, and the same for people.
    pub(crate) fn new(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into(), note: None }
    }

    /// The same with something to say beside the text.
    pub(crate) fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The answer of a command that sent a transaction: adds where it is and what it cost.
    pub(crate) fn of_transaction(
        mut json: Value,
        text: impl Into<String>,
        receipt: &Receipt,
    ) -> Self {
        if let (Value::Object(fields), Value::Object(more)) = (&mut json, transaction(receipt)) {
            fields.extend(more);
        }
        let cost = match receipt.fee {
            0 => "no fee".to_owned(),
            fee => format!("fee {}", Amount(fee)),
        };
        let text = format!("{}\nIn block {}, {cost}.", text.into(), receipt.block);
        Self { json, text, note: None }
    }

    /// Names every transaction of a command that sent several; the last one stands in the answer's
    /// own fields.
    pub(crate) fn transactions<'a>(&mut self, receipts: impl Iterator<Item = &'a Receipt>) {
        if let Value::Object(fields) = &mut self.json {
            let all: Vec<Value> = receipts.map(transaction).collect();
            fields.insert("transactions".into(), all.into());
        }
    }
}

/// Where a transaction is and what it cost.
fn transaction(receipt: &Receipt) -> Value {
    json!({
        "block": receipt.block,
        "blockHash": hex::encode(receipt.block_hash),
        "extrinsicHash": hex::encode(receipt.extrinsic_hash),
        "fee": receipt.fee.to_string(),
    })
}

/// Prints an answer.
pub(crate) fn succeed(format: OutputFormat, answer: &Answer) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    let written = match format {
        OutputFormat::Json => writeln!(stdout, "{}", answer.json),
        OutputFormat::Text => {
            if let Some(note) = &answer.note {
                let _ = writeln!(std::io::stderr(), "{}", visible(note, false));
            }
            writeln!(stdout, "{}", visible(answer.text.trim_end(), false))
        }
    };
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // `openledger … | head` is no failure of ours.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(crate::error::FAILED),
    }
}

/// Prints an error.
pub(crate) fn fail(format: OutputFormat, error: &CliError) -> ExitCode {
    let text = match format {
        OutputFormat::Json => json!(error.envelope()).to_string(),
        OutputFormat::Text => visible(&error.text(), false),
    };
    // The exit code says it too, should stderr be closed.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(error.exit_code())
}

/// A price a token or a point: in OPEN, or in plancks where that is mostly noughts.
pub(crate) fn price(plancks: Balance) -> String {
    match plancks {
        0..MANY_PLANCKS => counted(plancks, "planck"),
        _ => Amount(plancks).to_string(),
    }
}

/// From a billionth of an OPEN on a price is said in OPEN.
const MANY_PLANCKS: Balance = OPEN / 1_000_000_000;

/// A table for people.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header.map(str::to_uppercase));
    for row in rows {
        table.add_row(row.map(|cell| visible(&cell, true)));
    }
    // Columns of this preset begin with a blank.
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

/// Lines of `name  value` for people.
pub(crate) fn fields<'a>(lines: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let lines: Vec<(&str, String)> = lines.into_iter().collect();
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = lines
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {}", visible(value, true)))
        .collect();
    lines.join("\n")
}
