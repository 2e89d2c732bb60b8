//! docs/serving.md says what the code does.

use std::path::PathBuf;

#[test]
fn the_page_shows_the_list_of_fields() {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/serving.md"));
    let page = std::fs::read_to_string(&path).expect("the page");
    let (begin, end) = ("<!-- fields: begin -->\n", "<!-- fields: end -->");
    let (before, rest) = page.split_once(begin).expect("its begin");
    let (shown, after) = rest.split_once(end).expect("its end");
    let listed = trainer_worker::server::fields::markdown();
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        let page = format!("{before}{begin}\n{listed}{end}{after}");
        std::fs::write(&path, page).expect("written");
        return;
    }
    assert!(
        shown.trim() == listed.trim(),
        "out of date; write it anew with OPENLEDGER_UPDATE=1 ./scripts/test engine -- the_page_shows"
    );
}
