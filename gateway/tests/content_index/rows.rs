//! Rows follow from blocks alone.

use super::common::Served;
use openledger_client::{
    blocks::{Block, BlockEvent, ChainEvent, Changed, Detail},
    AccountId, H256,
};
use openledger_gateway::index::planted::{Maker, Plan};
use openledger_gateway::index::{
    source::Planted,
    sqlite::Sqlite,
    storage::{Storage, StorageError},
    Index, IndexError,
};
use openledger_gateway::node::Pulse;
use std::sync::Arc;

#[test]
fn every_event_of_our_pallets_is_known() {
    assert_eq!(openledger_client::blocks::unknown_events(), Vec::<String>::new());
}

#[test]
fn the_same_chain_gives_the_same_rows_however_it_is_cut() {
    let blocks = Maker::blocks(Plan::SMALL, 60);
    let folder = tempfile::tempdir().unwrap();
    let one = Sqlite::open(&folder.path().join("one.sqlite")).unwrap();
    one.apply(&blocks).unwrap();
    let other = Sqlite::open(&folder.path().join("other.sqlite")).unwrap();
    for block in &blocks[..25] {
        other.apply(std::slice::from_ref(block)).unwrap();
    }
    drop(other);
    // Opened again in the middle.
    let other = Sqlite::open(&folder.path().join("other.sqlite")).unwrap();
    for some in blocks[25..].chunks(7) {
        other.apply(some).unwrap();
    }
    let dump = one.dump().unwrap();
    assert!(dump.lines().count() > 1_000, "{} rows", dump.lines().count());
    assert_eq!(dump, other.dump().unwrap());
    // The comparison sees a difference.
    let third = Sqlite::open(&folder.path().join("third.sqlite")).unwrap();
    let plan = Plan { seed: 2, ..Plan::SMALL };
    third.apply(&Maker::blocks(plan, 60)).unwrap();
    assert_ne!(dump, third.dump().unwrap());
}

#[test]
fn every_way_in_which_a_submission_ends_is_kept_with_its_reason() {
    let blocks = Maker::blocks(Plan::SMALL, 30);
    let waiting = |block: &Block| -> Vec<(u32, u64, AccountId, [u8; 32])> {
        let submitted = block.events.iter().filter_map(|event| match event.event {
            ChainEvent::Submitted { datanet, submission, contributor, sha256 } => {
                Some((datanet, submission, contributor, sha256))
            }
            _ => None,
        });
        submitted.collect()
    };
    let last = (0..blocks.len() - 1)
        .find(|place| waiting(&blocks[*place]).len() >= 3)
        .expect("a block with three submissions");
    let files = waiting(&blocks[last]);
    let ending = |place: usize| {
        let (datanet, submission, contributor, sha256) = files[place];
        match place {
            0 => ChainEvent::Displaced { datanet, submission, contributor, sha256, by: 1_000 },
            1 => ChainEvent::Unavailable { datanet, submission, contributor, sha256 },
            _ => ChainEvent::Expired { datanet, submission, contributor, sha256 },
        }
    };
    let mut next = blocks[last + 1].clone();
    next.changed = Changed::default();
    next.events = (0..3)
        .map(|place| BlockEvent {
            index: place as u32,
            extrinsic: None,
            event: ending(place),
            detail: Detail::None,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
    storage.apply(&blocks[..=last]).unwrap();
    storage.apply(&[next]).unwrap();
    for ((_, submission, ..), reason) in files.iter().zip(["displaced", "unavailable", "expired"]) {
        let found = storage.submission(*submission).unwrap().expect("it is there").submission;
        assert_eq!((found.state.as_str(), found.reason.as_deref()), ("rejected", Some(reason)));
    }
}

#[test]
fn a_block_that_does_not_follow_is_refused_and_leaves_nothing() {
    let blocks = Maker::blocks(Plan::SMALL, 12);
    let folder = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
    storage.apply(&blocks[..10]).unwrap();
    let before = storage.dump().unwrap();
    let mut other = blocks[10].clone();
    other.parent = H256([9; 32]);
    // The block before it in the same transaction goes with it.
    let refused = storage.apply(&[other]).unwrap_err();
    assert!(matches!(refused, StorageError::Parent { number: 10, .. }), "{refused}");
    let refused = storage.apply(&blocks[11..]).unwrap_err();
    assert!(matches!(refused, StorageError::Parent { number: 11, .. }), "{refused}");
    let mut unknown = blocks[11].clone();
    unknown.events.clone_from(&blocks[1].events);
    unknown.events.extend(blocks[5].events.iter().cloned());
    let refused = storage.apply(&[blocks[10].clone(), unknown]).unwrap_err();
    assert!(matches!(refused, StorageError::Database(_) | StorageError::Unknown { .. }));
    assert_eq!(storage.dump().unwrap(), before);
}

#[tokio::test]
async fn an_index_of_another_chain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
    storage.apply(&Maker::blocks(Plan::SMALL, 5)).unwrap();
    let index = Index::new(Arc::new(storage), None, Pulse::none()).unwrap();
    index.check(&Planted(Maker::blocks(Plan::SMALL, 9))).await.unwrap();
    let other = Planted(Maker::blocks(Plan { seed: 3, ..Plan::SMALL }, 9));
    let refused = index.check(&other).await.unwrap_err();
    assert!(matches!(refused, IndexError::OtherChain { number: 0, .. }), "{refused}");
    // A shorter chain: the node lost blocks that were final.
    let refused = index.check(&Planted(Maker::blocks(Plan::SMALL, 3))).await.unwrap_err();
    assert!(matches!(refused, IndexError::OtherChain { number: 4, .. }), "{refused}");
}

#[tokio::test]
async fn an_index_that_cannot_go_on_stops_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let mut blocks = Maker::blocks(Plan::SMALL, 400);
    blocks[350].parent = H256([9; 32]);
    served.index.follow(&Planted(blocks)).await;
    let status = served.get("/v1/status").await;
    // Whole batches before it are there and can be read.
    assert_eq!(status["indexed"], 255);
    assert!(
        status["stopped"].as_str().unwrap().contains("block 350 does not continue"),
        "{status}"
    );
    let health = served.ask("/healthz").await;
    assert_eq!(health.error(), (503, "unavailable".to_owned()));
    assert_eq!(served.get("/v1/submissions/0").await["state"], "accepted");
}

/// The names of what helps readers.
fn indexes(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql =
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(|name| name.unwrap()).collect()
}

#[test]
fn a_bulk_write_that_is_killed_or_ended_leaves_what_another_leaves() {
    let blocks = Maker::blocks(Plan::SMALL, 60);
    let folder = tempfile::tempdir().unwrap();
    let (one, bulk) = (folder.path().join("one.sqlite"), folder.path().join("bulk.sqlite"));
    let usual = Sqlite::open(&one).unwrap();
    usual.apply(&blocks).unwrap();
    let storage = Sqlite::open(&bulk).unwrap();
    storage.bulk(true).unwrap();
    storage.apply(&blocks[..30]).unwrap();
    assert_eq!(indexes(&bulk), Vec::<String>::new());
    drop(storage);
    let storage = Sqlite::open(&bulk).unwrap();
    assert_eq!(indexes(&bulk), indexes(&one));
    storage.bulk(true).unwrap();
    storage.apply(&blocks[30..]).unwrap();
    storage.bulk(false).unwrap();
    assert_eq!(indexes(&bulk), indexes(&one));
    assert!(indexes(&one).len() > 20, "{:?}", indexes(&one));
    assert_eq!(storage.dump().unwrap(), usual.dump().unwrap());
}

#[tokio::test]
async fn a_long_chain_is_written_in_bulk_and_read_as_ever() {
    let plan = Plan { datanets: 1, contributors: 3, files: 1, jobs: 0, seed: 1 };
    let blocks = Maker::blocks(plan, 5_200);
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    served.index(&blocks[..5_150]).await;
    assert!(indexes(&folder.path().join("index.sqlite")).len() > 20);
    served.index(&blocks).await;
    assert_eq!(served.get("/v1/status").await["indexed"], 5_199);
    let page = served.get("/v1/datanets/0/submissions?limit=1").await;
    assert_eq!(page["items"][0]["id"], 5_197);
}
