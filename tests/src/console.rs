//! What people see: numbered phases, lines, tables, and a progress line where there is a terminal.

use std::{
    io::{IsTerminal, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

/// Without a terminal a progress line is printed this often.
const QUIET: Duration = Duration::from_secs(10);

/// Writes to standard output.
#[derive(Debug)]
pub struct Console {
    terminal: bool,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    phases: usize,
    /// Whether an unfinished progress line stands in the terminal.
    open_line: bool,
    last_progress: Option<Instant>,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            terminal: std::io::stdout().is_terminal(),
            started: Instant::now(),
            state: Mutex::default(),
        }
    }
}

impl Console {
    fn print(&self, text: &str, open_line: bool) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let clear = if state.open_line { "\r\x1b[K" } else { "" };
        state.open_line = open_line;
        let end = if open_line { "" } else { "\n" };
        let mut out = std::io::stdout().lock();
        // A closed pipe must not keep the processes from being stopped in order.
        let _ = write!(out, "{clear}{text}{end}").and_then(|()| out.flush());
    }

    /// Begins the next phase and returns its number, from 1 on.
    pub fn phase(&self, title: &str) -> usize {
        let number = {
            let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.phases += 1;
            state.last_progress = None;
            state.phases
        };
        let seconds = self.started.elapsed().as_secs();
        let heading = format!("\n{number}. {title}  ({seconds} s)");
        if self.terminal {
            self.print(&format!("\x1b[1m{heading}\x1b[0m"), false);
        } else {
            self.print(&heading, false);
        }
        number
    }

    /// A line of a phase.
    pub fn line(&self, text: impl AsRef<str>) {
        for line in text.as_ref().lines() {
            self.print(&format!("   {line}"), false);
        }
    }

    /// A line that the next one replaces; without a terminal, one line every ten seconds.
    pub fn progress(&self, text: impl AsRef<str>) {
        if self.terminal {
            let text: String = text.as_ref().chars().take(100).collect();
            self.print(&format!("   {text}"), true);
            return;
        }
        let due = {
            let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let due = state.last_progress.is_none_or(|last| last.elapsed() >= QUIET);
            if due {
                state.last_progress = Some(Instant::now());
            }
            due
        };
        if due {
            self.print(&format!("   {}", text.as_ref()), false);
        }
    }

    /// A table; columns without a letter stand to the right.
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        for line in table(head, rows) {
            self.line(line);
        }
    }
}

/// The lines of a table.
fn table(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let columns: Vec<(usize, bool)> = head
        .iter()
        .enumerate()
        .map(|(column, title)| {
            let cells: Vec<String> = rows.iter().map(|row| cell(row, column)).collect();
            let widest = cells.iter().map(|text| text.chars().count()).max().unwrap_or(0);
            let number = |text: &String| text.chars().all(|c| !c.is_alphabetic() && c != '…');
            (widest.max(title.chars().count()), !cells.is_empty() && cells.iter().all(number))
        })
        .collect();
    let line = |cells: Vec<String>| {
        let parts: Vec<String> = cells
            .iter()
            .zip(&columns)
            .map(|(text, (width, right))| {
                let width = *width;
                if *right {
                    format!("{text:>width$}")
                } else {
                    format!("{text:<width$}")
                }
            })
            .collect();
        parts.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head.iter().map(|title| (*title).to_owned()).collect())];
    lines.extend(rows.iter().map(|row| line((0..head.len()).map(|n| cell(row, n)).collect())));
    lines
}

/// An amount of plancks in OPEN, all its digits but trailing zeros.
pub fn open(plancks: i128) -> String {
    const ONE: u128 = openledger_primitives::OPEN;
    let size = plancks.unsigned_abs();
    let sign = if plancks < 0 { "-" } else { "" };
    let fraction = format!("{:018}", size % ONE);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{fraction}", grouped(size / ONE))
}

/// A number with a comma every three digits.
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A hash or address, shortened to its two ends.
pub fn short(text: &str) -> String {
    let count = text.chars().count();
    if count <= 16 {
        return text.to_owned();
    }
    let head: String = text.chars().take(8).collect();
    let tail: String = text.chars().skip(count - 6).collect();
    format!("{head}…{tail}")
}
