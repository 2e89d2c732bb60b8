//! `openledger text`: what of a file is paid, without a node.

use super::command::Home;

#[test]
fn text_shows_the_canonical_text_and_its_measures() {
    let home = Home::new();
    let path = home.path().join("rain.txt");
    std::fs::write(&path, "\u{feff}Rain\r\nfell.").expect("a file");
    let path = path.to_str().expect("UTF-8");

    let shown = home.run(["text", path, "--output", "json"]).json();
    assert_eq!(shown["text"], "Rain\nfell.");
    assert_eq!(shown["units"], 10);
    assert_eq!(shown["size"], 14);
    assert_eq!(shown["media"], "txt");
    assert_eq!(shown["extractorVersion"], openledger_documents::EXTRACTOR_VERSION);
    assert_eq!(shown["leftOut"], serde_json::json!([]));
    assert_eq!(shown["textRoot"].as_str().map(str::len), Some(64));

    // The text alone goes to stdout, so that it can be kept.
    let ran = home.run(["text", path]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Rain\nfell.\n"));
    assert!(ran.stderr.starts_with("10 bytes of canonical text of 14 bytes"), "{ran:?}");
}

#[test]
fn text_refuses_with_the_reason_a_curator_would_see() {
    let home = Home::new();
    for (name, bytes, word) in [
        ("letters.txt", &b"caf\xe9"[..], "not UTF-8"),
        ("nothing.pdf", b"%PDF-1.7", "damaged"),
        ("table.csv", b"a,b", "known are"),
    ] {
        let path = home.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let ran = home.run(["text", path.to_str().expect("UTF-8"), "--output", "json"]);
        let error = ran.error(if name.ends_with("csv") { 2 } else { 1 });
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(name) && message.contains(word), "{message}");
    }
}

/// It would find every file unavailable, and be paid for none.
#[test]
fn a_reviewer_without_the_program_that_reads_files_does_not_begin() {
    let home = Home::new().with("OPENLEDGER_DECODE", "/nowhere/openledger-decode");
    let arguments = ["--output", "json", "--key", "//Alice", "review", "run", "--score", "60"];
    let message = home.run(arguments).error(1)["message"].to_string();
    assert!(message.contains("is not in /nowhere/openledger-decode"), "{message}");
}

#[test]
fn control_characters_of_names_do_not_reach_the_terminal() {
    let home = Home::new();
    let path = home.path().join("wipe\u{1b}[2J.txt");
    std::fs::write(&path, b"caf\xe9").expect("a file");
    let ran = home.run(["text", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 1);
    assert!(!ran.stderr.contains('\u{1b}') && ran.stderr.contains("\\u{1b}[2J"), "{ran:?}");
}
