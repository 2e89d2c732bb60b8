//! `docs/reference/commands.md`, and the table of `docs/reference/configuration.md`, written from what the programs
//! say of themselves.

use crate::binaries;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// How deep subcommands lie, with a margin.
const DEEPEST: usize = 5;
const HEAD: &str = "# Commands

What each program answers to `--help`, written by `OPENLEDGER_UPDATE=1 scripts/test all -- reference_of_the_commands`; a
test fails when it is out of date. Options that every command of `openledger` takes are under `openledger` itself. The
node's commands are those of every Substrate node: `openledger-node --help`.
";

/// The reference is of the programs as they are. After a change of one, run this test with `OPENLEDGER_UPDATE=1`
/// and commit the file.
#[test]
fn reference_of_the_commands_is_current() {
    let programs = binaries();
    let mut current = HEAD.to_owned();
    for program in [&programs.cli, &programs.ipfs, &programs.worker, &programs.gateway] {
        put(&mut current, program, &[]);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/commands.md");
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &current).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/reference/commands.md is out of date; run: \
         OPENLEDGER_UPDATE=1 scripts/test all -- reference_of_the_commands"
    );
}

/// Every variable of the environment that help names, with the commands and options that take it.
#[test]
fn reference_of_the_configuration_is_current() {
    let programs = binaries();
    let mut commands = String::new();
    for program in [&programs.cli, &programs.ipfs, &programs.worker, &programs.gateway] {
        put(&mut commands, program, &[]);
    }
    let mut rows: BTreeMap<(String, String, String), BTreeSet<&str>> = BTreeMap::new();
    for section in commands.split("\n##").skip(1) {
        let command = section.trim_start_matches('#').lines().next().unwrap_or_default().trim();
        for option in options(section) {
            let Some(variable) = between(&option, "[env: ", &['=', ']']) else { continue };
            let name = option.split_whitespace().find(|word| word.starts_with("--"));
            let default = between(&option, "[default: ", &[']']).unwrap_or_default();
            let row = (variable.to_owned(), name.unwrap_or("–").to_owned(), default.to_owned());
            rows.entry(row).or_default().insert(command);
        }
    }
    assert!(rows.len() > 5, "help names few variables: {rows:?}");
    let mut table = String::from("| variable | option | default | of |\n|---|---|---|---|\n");
    for ((variable, option, default), commands) in rows {
        let commands: Vec<_> = commands.iter().map(|command| format!("`{command}`")).collect();
        let default = match default.is_empty() {
            true => "–".to_owned(),
            false => format!("`{default}`"),
        };
        let _ =
            writeln!(table, "| `{variable}` | `{option}` | {default} | {} |", commands.join(", "));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/configuration.md");
    let committed = std::fs::read_to_string(&path).expect("the page");
    let (begin, end) = ("<!-- variables -->\n", "<!-- end of variables -->");
    let (before, rest) = committed.split_once(begin).expect("the table has a place");
    let (_, after) = rest.split_once(end).expect("the table ends");
    let current = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &current).expect("the file can be written");
        return;
    }
    assert!(
        committed == current,
        "docs/reference/configuration.md is out of date; run: \
         OPENLEDGER_UPDATE=1 scripts/test all -- reference_of_the_configuration"
    );
}

/// What help says of each option, on one line each.
fn options(help: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in help.lines().map(str::trim) {
        if line.starts_with("--") || (line.starts_with('-') && line.contains(", --")) {
            found.push(String::new());
        }
        if let Some(option) = found.last_mut() {
            option.push_str(line);
            option.push(' ');
        }
    }
    found
}

/// What stands between a beginning and the next of some ends.
fn between<'a>(text: &'a str, begin: &str, ends: &[char]) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split(ends).next().map(str::trim)
}

/// Puts the help of a command and of those under it.
fn put(out: &mut String, program: &Path, words: &[&str]) {
    assert!(words.len() < DEEPEST, "{words:?} of {} ends nowhere", program.display());
    // Help shows what the environment sets, which is another on each machine.
    let asked = Command::new(program).args(words).arg("--help").env_clear().output();
    let asked = asked.expect("the program can be run");
    let help = String::from_utf8(asked.stdout).expect("help is UTF-8");
    assert!(asked.status.success(), "{words:?} of {} has no help", program.display());
    let name = program.file_stem().expect("a name").to_string_lossy().into_owned();
    let command = [&[name.as_str()], words].concat().join(" ");
    // Options of every command stand with the program; notes and examples, behind them, begin at the margin.
    let mut global = false;
    let kept = help.lines().filter(|line| {
        global = match *line {
            "Global options:" => !words.is_empty(),
            line => global && (line.is_empty() || line.starts_with(' ')),
        };
        !global
    });
    let heading = "#".repeat(words.len().min(2) + 2);
    let lines: Vec<_> = kept.map(str::trim_end).collect();
    let lines = lines.join("\n");
    let _ = writeln!(out, "\n{heading} {command}\n\n```text\n{}\n```", lines.trim_end());
    for under in commands(&help) {
        put(out, program, &[words, &[under]].concat());
    }
}

/// The names under `Commands:`.
fn commands(help: &str) -> Vec<&str> {
    let after = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = after.take_while(|line| !line.is_empty() && line.starts_with(' '));
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}
