//! A writer that is killed (SIGKILL) at any moment leaves whole blocks.

use openledger_gateway::index::planted::{Maker, Plan};
use openledger_gateway::index::{sqlite::Sqlite, storage::Storage};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const FOLDER: &str = "OPENLEDGER_TEST_INDEX";
const PLAN: Plan = Plan { files: 40, ..Plan::SMALL };
const BLOCKS: u32 = 400;

#[test]
#[ignore = "what the process that is killed does"]
fn child_that_writes() {
    let folder = std::env::var_os(FOLDER).expect("a folder");
    let storage = Sqlite::open(&PathBuf::from(folder).join("index.sqlite")).unwrap();
    let head = storage.head().unwrap().map_or(0, |head| head.number + 1);
    for some in Maker::blocks(PLAN, BLOCKS)[head as usize..].chunks(3) {
        storage.apply(some).unwrap();
    }
}

#[test]
fn a_killed_writer_leaves_whole_blocks_and_its_successor_equal_rows() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Sqlite::open(&folder.path().join("whole.sqlite")).unwrap();
    let blocks = Maker::blocks(PLAN, BLOCKS);
    let mut kills = 0;
    let mut heads = Vec::new();
    for round in 0.. {
        assert!(round < 200, "no end: {heads:?}");
        let name = "content_index::writer::child_that_writes";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--ignored"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + 37 * round));
        let running = child.try_wait().unwrap().is_none();
        let _ = child.kill();
        child.wait().unwrap();
        kills += u32::from(running);
        let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
        let Some(head) = storage.head().unwrap() else { continue };
        heads.push(head.number);
        if head.number + 1 == BLOCKS {
            break;
        }
    }
    assert!(kills > 0, "it was never killed at work: {heads:?}");
    whole.apply(&blocks).unwrap();
    let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
    assert_eq!(storage.dump().unwrap(), whole.dump().unwrap(), "{heads:?}");
}
