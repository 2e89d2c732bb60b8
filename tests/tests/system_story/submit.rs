//! Folders, files that curators could not accept, and what of a submission can be read before a vote.

use super::Chain;
use crate::light;
use openledger_primitives::RefusalRule;
use openledger_tests::{
    cli::text,
    story::{check_refusal, submit},
    Actor,
};
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

#[test]
fn a_rejected_file_that_is_sent_again_is_said_to_have_been_there() {
    let _turn = light();
    let chain = Chain::start();
    let (charlie, dave) = (chain.contributor("Charlie"), chain.contributor("Dave"));
    let ferdie = Actor::new("Ferdie", "//Ferdie").with_ipfs(charlie.ipfs.as_ref().expect("his"));
    let arguments = [chain.file(1, 80), chain.file(2, 80)];
    let send = submit(&chain.datanet, &arguments);
    let first = chain.run(&charlie, &send);
    assert_eq!(named(&first, "submittedBefore"), [], "{first}");

    // One is rejected, the other is taken back by its contributor.
    let sha256 = |n: usize| text(&first, &format!("/submissions/{n}/sha256")).expect("a hash");
    let file = |n: usize| ["--datanet".into(), chain.datanet.clone(), "--sha256".into(), sha256(n)];
    let run = |actor: &Actor, words: &[&str], n: usize| {
        let file = file(n);
        let file: Vec<&str> = file.iter().map(String::as_str).collect();
        chain.run(actor, &[words, &file[..]].concat())
    };
    let voted = run(&ferdie, &["review", "reject", "--reason", "off-topic"], 0);
    assert_eq!((&voted["settled"], &voted["replaced"]), (&json!(true), &json!(false)), "{voted}");
    run(&charlie, &["withdraw"], 1);

    let again = chain.run(&charlie, &send);
    assert_eq!(again["submissions"].as_array().map(Vec::len), Some(2), "{again}");
    assert_eq!(named(&again, "submittedBefore"), [("note-1.txt".to_owned(), String::new())]);
    assert_eq!(again["submittedBefore"][0]["submission"], first["submissions"][0]["submission"]);

    // It stays his: who gave it not first cannot submit it, and why it was refused can be read.
    let voted = run(&ferdie, &["review", "reject", "--reason", "low-quality"], 0);
    let refused = chain
        .cli
        .refused(&dave, &submit(&chain.datanet, &arguments[..1]))
        .unwrap_or_else(|error| panic!("{error}"));
    check_refusal("a refused file of another", &refused, RefusalRule::KeptForAnother)
        .unwrap_or_else(|error| panic!("{error}"));
    let hash = sha256(0);
    let show = ["submission", "show", "--datanet", &chain.datanet, &hash];
    let shown = chain.run(&dave, &show);
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("refused"), &json!("low-quality")));
    assert_eq!(shown["submission"], voted["submission"], "{shown}");
    assert_eq!(shown["judges"], json!([chain.address(&ferdie)]), "{shown}");
    assert_eq!(shown["at"], voted["block"], "{shown}");
    let all = chain.run(&charlie, &["submission", "list"]);
    let states = |of: &str| {
        let listed = all["submissions"].as_array().into_iter().flatten();
        listed.filter(|submission| submission["state"] == of).count()
    };
    assert_eq!((states("refused"), states("pending")), (1, 1), "{all}");
}

#[test]
fn a_vote_that_takes_the_place_of_another_says_so() {
    let _turn = light();
    let mut chain = Chain::start();
    let (bob, ferdie) = (Actor::new("Bob", "//Bob"), Actor::new("Ferdie", "//Ferdie"));
    let curators = [chain.address(&ferdie), chain.address(&bob)];
    let create = ["datanet", "create", "--name", "Both", "--modality", "text", "--threshold", "2"];
    let who = ["--curator", &curators[0], "--curator", &curators[1]];
    let created = chain.run(&bob, &[&create[..], &who[..]].concat());
    chain.datanet = created["datanet"].to_string();
    let charlie = chain.contributor("Charlie");
    let sent = chain.run(&charlie, &submit(&chain.datanet, &[chain.file(1, 80)]));
    let sha256 = text(&sent, "/submissions/0/sha256").expect("a hash");
    let ferdie = ferdie.with_ipfs(charlie.ipfs.as_ref().expect("his"));
    let vote = |words: &[&str]| {
        let file = ["--datanet", &chain.datanet, "--sha256", &sha256];
        let voted = chain.run(&ferdie, &[&["review"], words, &file[..]].concat());
        (voted["replaced"].clone(), voted["settled"].clone())
    };
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(vote(&["accept", "--score", "80"]), (no.clone(), no.clone()));
    assert_eq!(vote(&["accept", "--score", "80"]), (yes.clone(), no.clone()));
    assert_eq!(vote(&["reject", "--reason", "harmful"]), (yes, no));
}
