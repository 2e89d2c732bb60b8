//! What can go wrong, told so that a reader knows the part, its log and what to try.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Lines of a log that an error shows.
const SHOWN_LINES: usize = 12;

/// The result of a step.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a step did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Ctrl-C, or SIGTERM.
    #[error("interrupted")]
    Interrupted,
    /// A part of the system failed.
    #[error("{0}")]
    Failed(Box<Failed>),
}

/// A part of the system that failed.
#[derive(Debug)]
pub struct Failed {
    /// Which part: a program, or a phase of the story.
    pub part: String,
    /// What went wrong, with value and limit.
    pub message: String,
    /// Its log, if it keeps one.
    pub log: Option<PathBuf>,
    /// What to try.
    pub next: String,
}

impl Error {
    /// A failure of `part`.
    pub fn failed(
        part: impl Into<String>,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::Failed(Box::new(Failed {
            part: part.into(),
            message: message.into(),
            log: None,
            next: next.into(),
        }))
    }

    /// The same, with the log of the part.
    pub fn with_log(self, log: &Path) -> Self {
        match self {
            Self::Failed(mut failed) => {
                failed.log = Some(log.to_owned());
                Self::Failed(failed)
            }
            interrupted => interrupted,
        }
    }

    /// A file that could not be read or written.
    pub fn file(path: &Path, cause: &std::io::Error) -> Self {
        Self::failed(
            "the file system",
            format!("{}: {cause}", path.display()),
            "check that the disk has space and that the path may be written to",
        )
    }

    /// Something that should hold does not.
    pub fn broken(part: impl Into<String>, message: impl Into<String>) -> Self {
        Self::failed(
            part,
            message,
            "this is a fault of the system, not of your machine: keep the logs and report it",
        )
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.part, self.message)?;
        if let Some(log) = &self.log {
            write!(f, "\n  log: {}", log.display())?;
            for line in last_lines(log, SHOWN_LINES) {
                write!(f, "\n    | {line}")?;
            }
        }
        write!(f, "\n  try: {}", self.next)
    }
}

/// The last lines of a log, cut to a readable width; none if it cannot be read.
pub fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let text = std::fs::read(path).unwrap_or_default();
    let tail = text.get(text.len().saturating_sub(64 * 1024)..).unwrap_or_default();
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.len().saturating_sub(count);
    lines.into_iter().skip(first).map(|line| line.chars().take(200).collect()).collect()
}

/// Fails with `message` unless `holds`.
pub fn ensure(holds: bool, part: &str, message: impl FnOnce() -> String) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::broken(part, message()))
    }
}
