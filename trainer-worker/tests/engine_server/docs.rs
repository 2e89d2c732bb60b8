//! docs/reference/serving.md and docs/reference/metrics.md say what the code does.

use crate::http::Server;
use std::fmt::Write;
use std::path::PathBuf;

#[test]
fn the_page_shows_the_list_of_fields() {
    let listed = trainer_worker::server::fields::markdown();
    check("reference/serving.md", "<!-- fields: begin -->\n", "<!-- fields: end -->", &listed);
}

#[test]
fn the_page_shows_the_metrics() {
    let text = Server::shared().get("/metrics").text();
    let mut listed = String::from("| metric | kind | |\n|---|---|---|\n");
    let helps = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '));
    for (name, help) in helps {
        let kind = text
            .lines()
            .find_map(|line| line.strip_prefix("# TYPE ")?.strip_prefix(name)?.strip_prefix(' '));
        writeln!(listed, "| `{name}` | {} | {help} |", kind.expect("its kind")).expect("written");
    }
    check("reference/metrics.md", "<!-- serve -->\n", "<!-- end of serve -->", &listed);
}

/// Compares what a page shows between two marks with what it should show, or writes that.
fn check(page: &str, begin: &str, end: &str, listed: &str) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).join(page);
    let text = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = text.split_once(begin).expect("its begin");
    let (shown, after) = rest.split_once(end).expect("its end");
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{begin}\n{listed}{end}{after}")).expect("written");
        return;
    }
    assert!(
        shown.trim() == listed.trim(),
        "out of date; write it anew with OPENLEDGER_UPDATE=1 ./scripts/test engine -- the_page_shows"
    );
}
