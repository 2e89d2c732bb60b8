//! The reviewer's part of `docs/reference/metrics.md`, from what it answers.

use openledger_reviewer::{Numbers, Watched};
use std::{fmt::Write, path::Path};

#[test]
fn the_committed_metrics_of_reviewers_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/metrics.md");
    let committed = std::fs::read_to_string(&path).unwrap();
    let current = with(&committed, "review", &Numbers::default().to_text());
    let current = with(&current, "watch", &Watched::default().to_text());
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
        return;
    }
    assert!(
        committed == current,
        "docs/reference/metrics.md is out of date; write it anew with \
         `OPENLEDGER_UPDATE=1 ./scripts/test content -- committed_metrics`"
    );
}

/// The page with a table of what a program answers.
fn with(page: &str, program: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {program} -->\n"), format!("<!-- end of {program} -->"));
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let mut table = String::from("| metric | kind | |\n|---|---|---|\n");
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|row| row.split_once(' '))
        {
            let declared = format!("# TYPE {name} ");
            let kind = text.lines().find_map(|line| line.strip_prefix(&declared)).unwrap();
            writeln!(table, "| `{name}` | {kind} | {help} |").unwrap();
        }
    }
    format!("{before}{begin}{table}{end}{after}")
}
