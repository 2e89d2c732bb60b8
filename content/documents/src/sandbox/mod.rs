//! Images and sound are decoded in a child process that can do nothing else.
//!
//! # Which program
//!
//! The child is a program of its own, `openledger-decode`, found beside the running program (or in
//! the folder above it, where cargo puts programs beside their tests), or where
//! `OPENLEDGER_DECODE` says. A program that re-executes itself would be smaller to install, but
//! whoever uses this library and forgets the hook at the start of `main` would have the child start
//! *their* program again, and that one the next. A program that is not there is only missing:
//! [`DecoderError::Missing`] says where it was looked for. One of another version is refused.
//!
//! # What it may do
//!
//! It gets the format as its argument and the file through standard input, an empty environment and
//! `/` as its directory, and answers with one message of at most [`MAX_ANSWER`] bytes, or with a bounded
//! text or picture ([`text`], [`picture`]). Before it
//! reads the first byte it gives up, for ever:
//!
//! | | by |
//! |---|---|
//! | memory over [`MEMORY`], processor time over [`CPU_SECONDS`], core dumps | rlimits |
//! | new descriptors: files, sockets, pipes | an rlimit of three, which are open |
//! | network | a user and network namespace of its own, where the kernel allows it |
//! | every system call but those that read, write, allocate and end | seccomp |
//! | new privileges | `no_new_privs` |
//!
//! The parent kills it after [`WALL_CLOCK`] and the kernel when the parent ends. [`Isolation`] says
//! which of the two keeps it off the network. Where there is neither (another operating system) the
//! decoder still runs under the rlimits, and that is said too. Nothing that it answers is believed
//! beyond its range: a decoder that was taken over could give a wrong count, and curators must agree
//! on a count.

mod child;
mod confine;
mod longer;
mod message;

use crate::measure::{Counted, MeasureError};
use crate::MediaType;
pub use child::decoder_main;
pub(crate) use longer::likeness;
pub use longer::{picture, text, Picture};
use message::Answer;
use std::{
    fmt,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Most bytes of address space of the decoder: the largest images took up to 474 MiB of it.
pub const MEMORY: u64 = 1 << 30;
/// Most seconds of processor time of the decoder: the largest files took up to 7 s of it.
pub const CPU_SECONDS: u64 = 60;
/// Most time by the clock.
pub const WALL_CLOCK: Duration = Duration::from_secs(180);
/// Most bytes of its answer.
pub const MAX_ANSWER: usize = 1_024;

/// The decoder's file name.
pub const DECODER: &str = "openledger-decode";
/// Environment variable that names another place for it.
pub const DECODER_VARIABLE: &str = "OPENLEDGER_DECODE";

/// What kept the decoder off the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// A user and network namespace of its own (seccomp holds too, where there is one).
    UserNamespace,
    /// seccomp alone: the kernel or a container forbids user namespaces.
    Seccomp,
    /// Nothing but the limit of three descriptors.
    Limits,
}

impl Isolation {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::UserNamespace, Self::Seccomp, Self::Limits];

    /// Its name in JSON and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserNamespace => "user-namespace",
            Self::Seccomp => "seccomp",
            Self::Limits => "limits",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::UserNamespace => 1,
            Self::Seccomp => 2,
            Self::Limits => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|isolation| isolation.code() == code)
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a decoder that was stopped asked for too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`MEMORY`].
    Memory,
    /// [`CPU_SECONDS`] or [`WALL_CLOCK`].
    Time,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => write!(f, "{} MiB of memory", MEMORY >> 20),
            Self::Time => write!(
                f,
                "{CPU_SECONDS} s of processor time or {} s by the clock",
                WALL_CLOCK.as_secs()
            ),
        }
    }
}

/// Why the decoder did not do its work; none of it says anything about the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecoderError {
    /// It is not there.
    #[error(
        "files of strangers are read by the program {DECODER}, which is not in {looked}; build it \
         with `cargo build --workspace --bins`, put it there, or name it in {DECODER_VARIABLE}"
    )]
    Missing {
        /// Where it was looked for.
        looked: String,
    },
    /// It could not be started or read from.
    #[error("{} could not be run: {source}; see that it may be executed", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It ended without an answer.
    #[error(
        "{} ended without an answer ({status}); report it together with the file", program.display()
    )]
    Crashed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: String,
    },
    /// Its answer is none.
    #[error("{} answered what is no answer ({reason}); install it anew", program.display())]
    Answer {
        /// The program.
        program: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// It belongs to another version.
    #[error(
        "{} is of version {found}, this program of {ours}; install both from one release",
        program.display()
    )]
    Version {
        /// The program.
        program: PathBuf,
        /// Its version.
        found: String,
        /// Ours.
        ours: String,
    },
}

/// Where the decoder is.
///
/// # Errors
///
/// [`DecoderError::Missing`].
pub fn decoder() -> Result<PathBuf, DecoderError> {
    if let Some(named) = std::env::var_os(DECODER_VARIABLE).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        let looked = named.display().to_string();
        return if named.is_file() { Ok(named) } else { Err(DecoderError::Missing { looked }) };
    }
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent);
    // cargo puts tests into `deps`, one folder below the programs.
    let above = beside.filter(|folder| folder.ends_with("deps")).and_then(Path::parent);
    let folders: Vec<&Path> = [beside, above].into_iter().flatten().collect();
    let found = folders.iter().map(|folder| folder.join(DECODER)).find(|path| path.is_file());
    found.ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|path| path.display().to_string()).collect();
        DecoderError::Missing { looked: looked.join(" or ") }
    })
}

/// Counts a file in a child process.
pub(crate) fn decode(
    media_type: MediaType,
    bytes: &[u8],
) -> Result<(Counted, Isolation), MeasureError> {
    let program = decoder()?;
    let outcome = run(&program, "measure", media_type, bytes, MAX_ANSWER)
        .map_err(|source| DecoderError::Start { program: program.clone(), source })?;
    if let Some(answer) = Answer::read(&outcome.answer) {
        let answer = answer.map_err(|problem| problem.of(&program))?;
        return match answer.counted {
            Ok(counted) => Ok((counted, answer.isolation)),
            Err(crate::measure::Refused(refusal, detail)) => {
                Err(MeasureError::Refused { media_type, refusal, detail })
            }
        };
    }
    match outcome.bound() {
        Some(what) => Err(MeasureError::Stopped { media_type, what }),
        None => {
            let status = outcome.status.to_string();
            Err(DecoderError::Crashed { program, status }.into())
        }
    }
}

/// How a child ended and what it wrote.
struct Outcome {
    status: ExitStatus,
    answer: Vec<u8>,
    complaint: Vec<u8>,
    late: bool,
}

impl Outcome {
    /// Which bound the child was stopped at.
    fn bound(&self) -> Option<Bound> {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt;
            const SIGXCPU: i32 = 24;
            const SIGKILL: i32 = 9;
            match self.status.signal() {
                Some(SIGXCPU) => return Some(Bound::Time),
                // The kernel's hard limit of processor time, or its memory killer.
                Some(SIGKILL) if !self.late => return Some(Bound::Memory),
                _ => {}
            }
        }
        // What Rust says before it aborts.
        let complaint = String::from_utf8_lossy(&self.complaint);
        if complaint.contains("memory allocation of") {
            return Some(Bound::Memory);
        }
        self.late.then_some(Bound::Time)
    }
}

fn run(
    program: &Path,
    work: &str,
    media_type: MediaType,
    bytes: &[u8],
    most: usize,
) -> std::io::Result<Outcome> {
    let mut child = Command::new(program)
        .args([work, media_type.extension()])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        // A child that has refused the file reads no further: a broken pipe is no failure.
        scope.spawn(move || input.map(|mut input| input.write_all(bytes)));
        let answer = scope.spawn(move || read_some(output, most));
        let complaint = scope.spawn(move || read_some(errors, 4_096));
        let (status, late) = wait(&mut child)?;
        Ok(Outcome {
            status,
            late,
            answer: answer.join().unwrap_or_default(),
            complaint: complaint.join().unwrap_or_default(),
        })
    })
}

fn read_some(source: Option<impl Read>, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(source) = source {
        // What was read until an error is as good as what was read until the end.
        let _ = source.take(most as u64 + 1).read_to_end(&mut bytes);
    }
    bytes
}

/// Waits for a child, and kills it when its time is over.
fn wait(child: &mut Child) -> std::io::Result<(ExitStatus, bool)> {
    let end = Instant::now() + WALL_CLOCK;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        if Instant::now() >= end {
            child.kill()?;
            return Ok((child.wait()?, true));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
