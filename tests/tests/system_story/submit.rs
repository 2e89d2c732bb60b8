//! Folders, files that curators could not accept, and what of a submission can be read before a vote.

use super::Chain;
use crate::light;
use openledger_primitives::RefusalRule;
use openledger_tests::story::{check_refusal, submit};
use serde_json::{json, Value};
use std::{fs, path::PathBuf};

/// What a list of the answer says, as `(file name, reason)`.
fn named(answer: &Value, list: &str) -> Vec<(String, String)> {
    let list = answer[list].as_array().unwrap_or_else(|| panic!("no {list}: {answer}"));
    let name = |file: &Value| {
        let path = PathBuf::from(file["file"].as_str().or(file.as_str()).expect("a path"));
        path.file_name().expect("a name").to_string_lossy().into_owned()
    };
    list.iter()
        .map(|file| (name(file), file["reason"].as_str().unwrap_or_default().to_owned()))
        .collect()
}

#[test]
fn a_folder_goes_as_far_as_the_quota_and_says_what_it_passed_over() {
    let _turn = light();
    let chain = Chain::start();
    let charlie = chain.contributor("Charlie");
    let folder = chain.folder.path().join("library");
    fs::create_dir_all(folder.join("deep/deeper")).expect("a folder");
    for number in 0..21 {
        let place = if number % 2 == 0 { "deep" } else { "deep/deeper" };
        let path = folder.join(place).join(format!("note-{number:02}.txt"));
        fs::write(path, format!("Note {number} on rivers.\n")).expect("a file");
    }
    fs::write(folder.join("table.csv"), "a,b\n").expect("a file");
    fs::write(folder.join("empty.txt"), "").expect("a file");
    fs::write(folder.join("broken.txt"), [0xff, 0xfe, 0x00]).expect("a file");
    fs::write(folder.join("again.txt"), "Note 0 on rivers.\n").expect("a file");
    fs::write(folder.join("photo.png"), "no picture").expect("a file");
    fs::write(folder.join(".hidden.txt"), "secret").expect("a file");
    std::os::unix::fs::symlink("/etc/hostname", folder.join("link.txt")).expect("a link");
    let arguments = [folder.clone()];

    let sent = chain.run(&charlie, &submit(&chain.datanet, &arguments));
    assert_eq!(sent["submissions"].as_array().map(Vec::len), Some(20), "{sent}");
    for file in sent["submissions"].as_array().expect("a list") {
        assert_eq!(file["units"], file["size"], "{file}");
    }
    assert_eq!(named(&sent, "waiting").len(), 1, "{sent}");
    assert!(sent["secondsToNextDay"].as_u64().is_some_and(|seconds| seconds <= 86_400), "{sent}");
    let mut skipped = named(&sent, "skipped");
    skipped.sort();
    let expected = [
        (".hidden.txt", "hidden"),
        ("broken.txt", "not UTF-8"),
        ("empty.txt", "empty"),
        ("link.txt", "symbolic link"),
        ("note-00.txt", "same file"),
        ("photo.png", "does not belong"),
        ("table.csv", "known format"),
    ];
    assert_eq!(skipped.len(), expected.len(), "{skipped:?}");
    for ((name, reason), (file, word)) in skipped.iter().zip(expected) {
        assert!(name == file && reason.contains(word), "{name}: {reason}");
    }

    // The quota is used up: the same command says so, with the rule, and when to come again.
    let refused = chain
        .cli
        .refused(&charlie, &submit(&chain.datanet, &arguments))
        .unwrap_or_else(|error| panic!("{error}"));
    check_refusal("the rest", &refused, RefusalRule::DailyFiles)
        .unwrap_or_else(|error| panic!("{error}"));

    // Of what is there already nothing is sent again, and that is no error.
    for number in 0..21 {
        let path = folder.join("deep").join(format!("note-{number:02}.txt"));
        let _ = fs::remove_file(path);
    }
    fs::remove_file(folder.join("again.txt")).expect("it is there");
    let there = chain.run(&charlie, &submit(&chain.datanet, &[folder.join("deep/deeper")]));
    assert_eq!(there["submissions"], json!([]), "{there}");
    assert_eq!(named(&there, "alreadySubmitted").len(), 10, "{there}");
}

#[test]
fn what_curators_could_not_accept_costs_no_quota() {
    let _turn = light();
    let chain = Chain::start();
    let dave = chain.contributor("Dave");
    let folder = chain.folder.path().join("files");
    fs::create_dir_all(&folder).expect("a folder");
    let (good, bad) = (folder.join("good.txt"), folder.join("bad.pdf"));
    fs::write(&good, "Good words.").expect("a file");
    fs::write(&bad, "%PDF-1.7 and nothing else").expect("a file");
    let refused = chain
        .cli
        .refused(&dave, &submit(&chain.datanet, &[good.clone(), bad]))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((refused.exit, refused.kind.as_str()), (1, "failed"), "{refused:?}");
    assert!(refused.message.contains("bad.pdf"), "{refused:?}");
    let quota = chain
        .network
        .call("openledger_quota", json!([chain.address(&dave)]))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(quota["filesUsed"], 0, "{quota}");
    // More files than one transaction takes are no error: what the quota has left goes.
    let many: Vec<PathBuf> = (0..25).map(|seed| chain.file(seed, 60)).collect();
    let sent = chain.run(&dave, &submit(&chain.datanet, &many));
    assert_eq!(sent["submissions"].as_array().map(Vec::len), Some(20), "{sent}");
    assert_eq!(named(&sent, "waiting").len(), 5, "{sent}");
}

#[test]
fn a_reviewer_reads_the_text_that_is_paid() {
    let _turn = light();
    let chain = Chain::start();
    let eve = chain.contributor("Eve");
    let path = chain.folder.path().join("rain.txt");
    fs::write(&path, "Rain\r\nfell.\r\n").expect("a file");
    let sent = chain.run(&eve, &submit(&chain.datanet, &[path]));
    let file = &sent["submissions"][0];
    assert_eq!((&file["size"], &file["units"]), (&json!(13), &json!(11)), "{sent}");
    let sha256 = file["sha256"].as_str().expect("a hash");
    let fetch = ["review", "fetch", "--datanet", &chain.datanet, "--sha256", sha256, "--text"];
    // Eve's own store has the bytes.
    let shown = chain.run(&eve, &fetch);
    assert_eq!(shown["text"], "Rain\nfell.\n", "{shown}");
    assert_eq!(shown["units"], 11, "{shown}");
    assert_eq!(shown["leftOut"], json!([]), "{shown}");
    assert_eq!(shown["file"], Value::Null, "{shown}");
}
