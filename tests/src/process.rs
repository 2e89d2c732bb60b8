//! A child process with a log of its own.

use crate::{error::last_lines, interrupt, Error, Result};
use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// How long a process may take to stop by itself.
const GRACE: Duration = Duration::from_secs(15);

/// A running program. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` in a process group of its own, so that a Ctrl-C in the terminal reaches only
    /// us and we can stop it in order. What it prints is appended to `log`.
    ///
    /// # Errors
    ///
    /// If the log cannot be opened or the program cannot be started.
    pub fn start(name: impl Into<String>, mut command: Command, log: PathBuf) -> Result<Self> {
        let name = name.into();
        let open = || OpenOptions::new().create(true).append(true).open(&log);
        let out = open().map_err(|cause| Error::file(&log, &cause))?;
        let err = open().map_err(|cause| Error::file(&log, &cause))?;
        own_group(&mut command);
        let child =
            command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().map_err(|cause| {
                Error::failed(
                    &name,
                    format!("{} cannot be started: {cause}", command.get_program().display()),
                    "build the programs with `cargo build --workspace --bins`",
                )
            })?;
        Ok(Self { name, child, log })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if it has ended.
    ///
    /// # Errors
    ///
    /// With its exit status and the end of its log.
    pub fn ensure_running(&mut self) -> Result<()> {
        match self.ended() {
            None => Ok(()),
            Some(status) => Err(Error::failed(
                &self.name,
                format!("it ended by itself ({status})"),
                "read the log; a full disk and too little memory are the usual causes",
            )
            .with_log(&self.log)),
        }
    }

    /// A failure of this process.
    pub fn failure(&self, message: impl Into<String>, next: impl Into<String>) -> Error {
        Error::failed(&self.name, message, next).with_log(&self.log)
    }

    /// The last lines of its log.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        last_lines(&self.log, count)
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to stop (SIGTERM), and ends it after a quarter of a minute.
    pub fn stop(&mut self) {
        self.stop_within(GRACE);
    }

    /// Asks it to stop (SIGTERM), and ends it after a time.
    pub fn stop_within(&mut self, grace: Duration) {
        if self.ended().is_some() {
            return;
        }
        signal(self.child.id(), "TERM");
        let end = Instant::now() + grace;
        while Instant::now() < end {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
    }

    /// Ends it at once (SIGKILL): it can clean up nothing.
    pub fn kill(&mut self) {
        if self.ended().is_none() {
            signal(self.child.id(), "KILL");
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a program that ran to its end left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// Runs a program to its end, at most for `limit`. Its output is kept in `LOG.out` and `LOG.err`.
///
/// # Errors
///
/// If it cannot be started or takes too long, and [`Error::Interrupted`].
pub fn run(name: &str, mut command: Command, log: &Path, limit: Duration) -> Result<Finished> {
    let (out, err) = (log.with_extension("out"), log.with_extension("err"));
    let create =
        |path: &Path| std::fs::File::create(path).map_err(|cause| Error::file(path, &cause));
    own_group(&mut command);
    command.stdin(Stdio::null()).stdout(create(&out)?).stderr(create(&err)?);
    let mut child = command.spawn().map_err(|cause| {
        Error::failed(
            name,
            format!("{} cannot be started: {cause}", command.get_program().display()),
            "build the programs with `cargo build --workspace --bins`",
        )
    })?;
    let status =
        interrupt::poll(limit, Duration::from_millis(15), || Ok(child.try_wait().ok().flatten()));
    if !matches!(status, Ok(Some(_))) {
        signal(child.id(), "KILL");
        let _ = child.kill();
        let _ = child.wait();
    }
    let status = status?.ok_or_else(|| {
        Error::failed(
            name,
            format!("no end after {} s", limit.as_secs()),
            "is the machine very busy? Try again; otherwise read the node's log",
        )
        .with_log(&err)
    })?;
    let read = |path: &Path| {
        std::fs::read(path)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|cause| Error::file(path, &cause))
    };
    Ok(Finished { code: status.code(), out: read(&out)?, err: read(&err)? })
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// Sends a signal to a process and its group. The shell's own `kill` is on every POSIX system and
/// needs no foreign function call.
#[cfg(unix)]
fn signal(id: u32, name: &str) {
    let script = format!("kill -{name} -- -{id} 2>/dev/null || kill -{name} {id} 2>/dev/null");
    let _ = Command::new("sh").arg("-c").arg(script).status();
}

#[cfg(not(unix))]
fn signal(_: u32, _: &str) {}
