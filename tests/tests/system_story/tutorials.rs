//! The commands of `docs/tutorials/`, run as a reader would type them: one after the other on a fresh chain.

use crate::{alone, binaries, model, offline, Folder};
use openledger_tests::Network;
use std::fmt::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// In the order of the table in their README.
const PAGES: [&str; 7] =
    ["datanet-owner", "contributor", "reviewer", "gpu-operator", "job-owner", "dapp", "validator"];
/// Ports that the pages name, besides the node's.
const PORTS: [&str; 7] = ["4001", "4002", "8000", "9955", "9956", "30433", "30434"];

#[test]
fn tutorials_do_what_they_say() {
    let _turn = alone();
    let root = &root();
    let folder = Folder::new();
    // The model is fetched before: its progress is no answer of a page.
    let _ = model();
    let network =
        Network::start(binaries(), folder.path(), false).unwrap_or_else(|error| panic!("{error}"));
    let mut script =
        String::from("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n");
    for page in PAGES {
        if page == "dapp" && offline() {
            eprintln!("dapp.md is not run: scripts/test said that there is no network");
            continue;
        }
        let text = page_of(root, page);
        let blocks = blocks(&text, "sh");
        assert!(!blocks.is_empty(), "{page} has nothing to run");
        for (line, block) in blocks {
            let _ = writeln!(script, "echo '--- {page}.md, line {line}'\n{block}");
        }
    }
    script = script.replace("9944", &network.rpc().port().to_string());
    for port in PORTS {
        script = script.replace(port, &free_port().to_string());
    }
    let place = folder.path().join("reader");
    std::fs::create_dir_all(&place).expect("a folder");
    for folder in ["scripts", "docs"] {
        std::os::unix::fs::symlink(root.join(folder), place.join(folder)).expect("a link");
    }
    let programs = network.binaries().cli.parent().expect("a folder").to_owned();
    // The example in Rust is a program too.
    openledger_tests::fresh::require(&programs.join("openledger-dapp"))
        .unwrap_or_else(|error| panic!("{error}"));
    let path = std::env::var("PATH").unwrap_or_default();
    let output = place.join("output.log");
    let file = std::fs::File::create(&output).expect("a file");
    let status = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&place)
        .env("HOME", &place)
        .env_remove("XDG_DATA_HOME")
        .env("OPENLEDGER_CACHE", cache())
        .env("OPENLEDGER_NODE", network.url())
        .env("PATH", format!("{}:{path}", programs.display()))
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a file"))
        .stderr(file)
        .status()
        .expect("bash can be run");
    let said = std::fs::read_to_string(&output).unwrap_or_default();
    assert!(status.success(), "a page does not do what it says: {status}\n{said}");
}

#[test]
fn pieces_of_programs_are_those_of_the_programs() {
    let root = root();
    let program =
        std::fs::read_to_string(root.join("docs/examples/dapp.mjs")).expect("the program");
    let pieces = blocks(&page_of(&root, "dapp"), "js");
    assert!(pieces.len() > 3, "the page shows the program in pieces");
    for (line, piece) in pieces {
        for shown in piece.lines() {
            assert!(program.contains(shown), "dapp.md, line {line}: the program has no {shown:?}");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page_of(root: &Path, page: &str) -> String {
    let path = root.join("docs/tutorials").join(format!("{page}.md"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The blocks of a page in a language (those in `sh` are run), with the lines that they begin at.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        match line {
            _ if line.strip_prefix("```") == Some(language) => {
                open = true;
                found.push((number + 2, String::new()));
            }
            "```" => open = false,
            _ if open => {
                if let Some((_, block)) = found.last_mut() {
                    block.push_str(line);
                    block.push('\n');
                }
            }
            _ => {}
        }
    }
    found
}

/// Where the scripts keep the model, whatever home the reader has.
fn cache() -> String {
    std::env::var("OPENLEDGER_CACHE").unwrap_or_else(|_| {
        let home = std::env::var("HOME").unwrap_or_default();
        let base = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| format!("{home}/.cache"));
        format!("{base}/openledger")
    })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
