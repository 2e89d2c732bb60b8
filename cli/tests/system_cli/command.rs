//! Runs the command in a home of its own.

use serde_json::Value;
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// What a run of the command left.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ran {
    /// The answer, if the command was done.
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.stderr, "", "a success says nothing on stderr");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error, if the command failed with this exit code and said so in JSON.
    pub(super) fn error(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "", "a failure says nothing on stdout");
        let error: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let fields: Vec<_> = error["error"].as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["code", "kind", "message", "next"]);
        error["error"].clone()
    }
}

/// A home directory with nothing in it.
pub(super) struct Home {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Home {
    pub(super) fn new() -> Self {
        Self { directory: TempDir::new().expect("a directory"), environment: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The same with an environment variable.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the command to its end.
    pub(super) fn run<const N: usize>(&self, arguments: [&str; N]) -> Ran {
        self.run_with_input(arguments, "")
    }

    /// Runs the command to its end.
    pub(super) fn run_with_arguments(&self, arguments: &[&str]) -> Ran {
        self.run_from(Path::new("."), arguments, "")
    }

    /// Runs the command with its home as working directory.
    pub(super) fn run_in_its_home<const N: usize>(&self, arguments: [&str; N]) -> Ran {
        self.run_from(self.path(), &arguments, "")
    }

    /// Runs the command with something on its stdin.
    pub(super) fn run_with_input<const N: usize>(&self, arguments: [&str; N], input: &str) -> Ran {
        self.run_from(Path::new("."), &arguments, input)
    }

    fn run_from(&self, folder: &Path, arguments: &[&str], input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_openledger"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", self.path())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        // A command that reads no input may be gone already.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the command ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran {
            code: output.status.code().expect("an exit code"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
