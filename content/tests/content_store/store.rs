//! Blocks on disk: whole or absent, whatever happens to the process or the disk.

use crate::support::{add, block_file, directory, exactly, listing, run, Pattern, MIB};
use openledger_content::{
    block_id, BlockStore, ContentStore, Error, Fault, Limits, Unavailable, MAX_BLOCK_BYTES,
};
use openledger_primitives::ContentCodec;
use std::{
    fs, io,
    time::{Duration, SystemTime},
};

#[test]
fn a_block_reads_back_and_survives_reopening() {
    let directory = directory();
    let id = BlockStore::open(directory.path()).unwrap().put(ContentCodec::Raw, b"abc").unwrap();
    let store = BlockStore::open(directory.path()).unwrap();
    assert_eq!(store.get(&id).unwrap().unwrap(), b"abc".as_slice());
    assert_eq!(id, block_id(ContentCodec::Raw, b"abc"));
    assert!(store.has_block(&id));
    assert!(block_file(directory.path(), &id).is_file());
    // The same bytes under another codec are another block.
    assert!(!store.has_block(&block_id(ContentCodec::DagPb, b"abc")));
}

#[test]
fn a_removed_block_is_gone_also_where_it_had_rotted_and_others_stay() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let (first, other) = (
        store.put(ContentCodec::Raw, b"first").unwrap(),
        store.put(ContentCodec::Raw, b"other").unwrap(),
    );
    store.remove(&first).unwrap();
    assert_eq!(store.get(&first).unwrap(), None);
    store.remove(&first).unwrap();
    fs::write(block_file(directory.path(), &other), b"rotten").unwrap();
    assert_eq!(store.get(&other).unwrap(), None);
    let kept = directory.path().join("corrupt").join(format!("{other}.data"));
    assert!(kept.is_file());
    store.remove(&other).unwrap();
    assert!(!kept.exists());
}

#[test]
fn a_folder_that_is_removed_under_a_running_program_is_made_anew() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let first = store.put(ContentCodec::Raw, b"first").unwrap();
    fs::remove_dir_all(directory.path()).unwrap();
    assert_eq!(store.get(&first).unwrap(), None, "what was in it is gone");
    let other = store.put(ContentCodec::Raw, b"other").unwrap();
    assert_eq!(store.get(&other).unwrap().unwrap(), b"other".as_slice());
    // One that rotted is set aside there too.
    fs::remove_dir_all(directory.path().join("temporary")).unwrap();
    fs::write(block_file(directory.path(), &other), b"rotten").unwrap();
    assert_eq!(store.get(&other).unwrap(), None);
    assert_eq!(store.put(ContentCodec::Raw, b"other").unwrap(), other);
}

#[test]
fn the_links_of_a_block_are_its_files_blocks_in_order() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let bytes: Vec<u8> = (0..3 * MIB as u32 / 4).flat_map(|word| word.to_le_bytes()).collect();
    let (added, blocks) =
        openledger_content::add(&store, bytes.as_slice(), "a file".as_ref()).unwrap();
    let root = store.get(&added.content).unwrap().unwrap();
    let links = openledger_content::links(&added.content, &root, true, 4096).unwrap();
    assert_eq!(links, blocks[..3]);
    let leaf = store.get(&links[0]).unwrap().unwrap();
    assert_eq!(openledger_content::links(&links[0], &leaf, false, 4096).unwrap(), []);
    let few = openledger_content::links(&added.content, &root, true, 2).unwrap_err();
    assert!(matches!(few, Fault::TooManyLinks { limit: 2, .. }), "{few}");
}

#[test]
fn a_corrupt_block_is_absent_and_can_be_stored_again() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let id = store.put(ContentCodec::Raw, b"precious").unwrap();
    let file = block_file(directory.path(), &id);
    for damaged in [b"precioux".as_slice(), b"prec", b"precious and more", b""] {
        fs::write(&file, damaged).unwrap();
        assert_eq!(store.get(&id).unwrap(), None, "{damaged:?}");
        assert!(!file.exists(), "a corrupt block is taken out of the way");
        let kept = directory.path().join("corrupt").join(format!("{id}.data"));
        assert_eq!(fs::read(&kept).unwrap(), damaged, "it may be the only copy");
        assert_eq!(store.put(ContentCodec::Raw, b"precious").unwrap(), id);
        assert_eq!(store.get(&id).unwrap().unwrap(), b"precious".as_slice());
        assert!(!kept.exists(), "an intact copy takes its place");
    }
    assert_eq!(listing(&directory.path().join("temporary")), Vec::<String>::new());
}

#[test]
fn adding_over_a_corrupt_copy_repairs_it() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let bytes = Pattern::bytes(2 * MIB as u64);
    run(async {
        let added = add(&store, bytes.clone()).await;
        let leaf = block_id(ContentCodec::Raw, &bytes[..MIB]);
        fs::write(block_file(directory.path(), &leaf), b"rot").unwrap();
        assert_eq!(add(&store, bytes.clone()).await, added);
        let read = store.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap();
        assert!(read == bytes);
    });
}

#[test]
fn a_block_over_the_size_that_nodes_exchange_is_refused() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    store.put(ContentCodec::Raw, &vec![7; MAX_BLOCK_BYTES]).unwrap();
    let error = store.put(ContentCodec::Raw, &vec![7; MAX_BLOCK_BYTES + 1]).unwrap_err();
    assert!(matches!(error, Error::Invalid { fault: Fault::BlockTooLarge { size, .. }, .. }
            if size == MAX_BLOCK_BYTES as u64 + 1));
}

#[test]
fn leftovers_of_killed_processes_are_swept_when_they_are_old() {
    let directory = directory();
    BlockStore::open(directory.path()).unwrap();
    let temporary = directory.path().join("temporary");
    let (old, young) = (temporary.join("block-old"), temporary.join("block-young"));
    for path in [&old, &young] {
        fs::write(path, b"half a blo").unwrap();
    }
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().write(true).open(&old).unwrap().set_modified(hour_ago).unwrap();
    BlockStore::open(directory.path()).unwrap();
    assert_eq!(listing(&temporary), ["block-young"]);
}

#[test]
fn many_writers_of_the_same_and_other_blocks_do_not_disturb_each_other() {
    let directory = directory();
    let threads: Vec<_> = (0..4u8)
        .map(|thread| {
            // A store of its own each, as processes have.
            let store = BlockStore::open(directory.path()).unwrap();
            std::thread::spawn(move || {
                for number in 0..25u8 {
                    let shared = store.put(ContentCodec::Raw, &[number; 5000]).unwrap();
                    let own = store.put(ContentCodec::Raw, &[number, thread]).unwrap();
                    assert_eq!(store.get(&shared).unwrap().unwrap(), [number; 5000].as_slice());
                    assert_eq!(store.get(&own).unwrap().unwrap(), [number, thread].as_slice());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(listing(&directory.path().join("temporary")), Vec::<String>::new());
}

#[test]
fn what_is_not_on_this_disk_is_unavailable_without_a_network() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    run(async {
        let bytes = Pattern::bytes(3 * MIB as u64);
        let added = add(&store, bytes.clone()).await;
        assert!(store.has(&added.content, &Limits::default()).await.unwrap());
        let leaf = block_id(ContentCodec::Raw, &bytes[MIB..2 * MIB]);
        fs::remove_file(block_file(directory.path(), &leaf)).unwrap();
        assert!(!store.has(&added.content, &Limits::default()).await.unwrap());
        let error = store.fetch_bytes(&exactly(&added), &Limits::default()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Unavailable { content, reason: Unavailable::NotLocal { block } }
                if *content == added.content && *block == leaf),
            "{error}"
        );
    });
}

#[test]
fn a_full_disk_is_one_plain_sentence() {
    let source = io::Error::from(io::ErrorKind::StorageFull);
    let error = Error::io("write", "store/blocks", source);
    assert!(matches!(error, Error::DiskFull { .. }));
    assert_eq!(
        error.to_string(),
        "no space left on the disk that holds store/blocks: free some space or choose another \
         directory, then try again"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written_is_named() {
    // Nobody, root included, can make folders there.
    let error = BlockStore::open("/proc/openledger".as_ref()).unwrap_err();
    assert!(error.to_string().contains("could not create /proc/openledger"), "{error}");
}

#[test]
fn the_systems_answer_is_said_once() {
    let error = Error::io("read", "a.txt", io::Error::other("the disk is on fire"));
    // What prints the chain of causes says each of them.
    let mut chain = vec![error.to_string()];
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        chain.push(next.to_string());
        cause = next.source();
    }
    assert_eq!(chain.join(": ").matches("on fire").count(), 1, "{chain:?}");
}
