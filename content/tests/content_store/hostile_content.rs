//! Content whose author wants to exhaust or fool whoever fetches it. Every case is well-formed as
//! far as its hashes go: the blocks are in the store under their true content ids.

use crate::support::{
    add,
    dag::{
        bytes_field, dag_pb, file_node, link, number_field, put_dag_pb, put_raw, raw_id, unixfs,
        varint, version_0, DIRECTORY, FILE, RAW, SHARDED, SYMLINK,
    },
    directory, exactly, listing, run, Pattern, MIB,
};
use openledger_content::{BlockStore, ContentStore, Error, Fault, Limits, Wanted};
use openledger_primitives::ContentId;
use tempfile::TempDir;

fn store() -> (BlockStore, TempDir) {
    let directory = directory();
    (BlockStore::open(directory.path()).unwrap(), directory)
}

/// Fetches into a file, checks that the failure left nothing behind, and returns the error.
fn refused_with(store: &BlockStore, wanted: &Wanted, limits: &Limits) -> Error {
    let folder = directory();
    let destination = folder.path().join("out");
    let error = run(store.fetch_file(wanted, &destination, limits)).unwrap_err();
    assert_eq!(listing(folder.path()), Vec::<String>::new());
    error
}

fn fault(store: &BlockStore, root: ContentId) -> Fault {
    match refused_with(store, &Wanted::new(root), &Limits::default()) {
        Error::Invalid { content, fault } if content == root => fault,
        other => panic!("{other}"),
    }
}

fn malformed(store: &BlockStore, block: &[u8]) -> String {
    match fault(store, put_dag_pb(store, block)) {
        Fault::Malformed { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

fn bytes(id: &ContentId) -> Vec<u8> {
    id.to_bytes().to_vec()
}

#[test]
fn what_is_not_a_file_is_refused_by_name() {
    let (store, _directory) = store();
    for (kind, name) in [
        (RAW, "raw node"),
        (DIRECTORY, "directory"),
        (3, "metadata node"),
        (SYMLINK, "symlink"),
        (SHARDED, "HAMT-sharded directory"),
        (77, "node of unknown type"),
    ] {
        let root = put_dag_pb(&store, &dag_pb(&[], &unixfs(kind, b"/etc/passwd", 11, &[])));
        assert_eq!(fault(&store, root), Fault::NotAFile { block: root, kind: name });
    }
}

#[test]
fn a_directory_below_a_file_is_refused_too() {
    let (store, _directory) = store();
    let inner = put_dag_pb(&store, &dag_pb(&[], &unixfs(DIRECTORY, b"", 0, &[])));
    let root = put_dag_pb(&store, &file_node(&[(bytes(&inner), 0)]));
    assert_eq!(fault(&store, root), Fault::NotAFile { block: inner, kind: "directory" });
}

#[test]
fn links_with_another_hash_codec_version_or_with_trailing_bytes_are_refused() {
    let (store, _directory) = store();
    let good = bytes(&put_raw(&store, b"good"));
    let digest = [7u8; 32];
    let cid = |head: &[u8]| [head, digest.as_slice()].concat();
    for (name, hostile) in [
        ("identity hash", vec![1, 0x55, 0x00, 4, b'e', b'v', b'i', b'l']),
        ("sha2-512", [&[1, 0x55, 0x13, 64][..], &digest, &digest].concat()),
        ("blake3", cid(&[1, 0x55, 0x1e, 32])),
        ("dag-cbor", cid(&[1, 0x71, 0x12, 32])),
        ("git", cid(&[1, 0x78, 0x12, 32])),
        ("version 2", cid(&[2, 0x55, 0x12, 32])),
        ("short digest", vec![1, 0x55, 0x12, 4, 1, 2, 3, 4]),
        ("trailing byte", [good.clone(), vec![0]].concat()),
        ("version 0 with a trailing byte", [cid(&[0x12, 0x20]), vec![0]].concat()),
        ("no bytes", vec![]),
    ] {
        let root = put_dag_pb(&store, &file_node(&[(good.clone(), 4), (hostile, 4)]));
        match fault(&store, root) {
            Fault::Link { block, index, .. } => assert_eq!((block, index), (root, 1), "{name}"),
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn blocks_that_are_not_protobuf_or_carry_other_fields_are_refused() {
    let (store, _directory) = store();
    let leaf = bytes(&put_raw(&store, b"x"));
    let data = unixfs(FILE, b"", 1, &[1]);
    let honest = dag_pb(std::slice::from_ref(&leaf), &data);
    assert!(run(store.has(&put_dag_pb(&store, &honest), &Limits::default())).unwrap());

    let mut reasons = Vec::new();
    for garbage in [
        // Trailing bytes that are no field, half a field, and a field that dag-pb lacks.
        [honest.clone(), vec![0xff]].concat(),
        [honest.clone(), vec![0x0a, 200, 1]].concat(),
        [honest.clone(), bytes_field(9, b"junk")].concat(),
        [honest.clone(), number_field(1, 7)].concat(),
        // The data field twice.
        [honest.clone(), bytes_field(1, &data)].concat(),
        // No data field; no bytes at all.
        bytes_field(2, &link(&leaf, 1)),
        vec![],
        // A length of 2^63, and a varint that never ends.
        [varint(1 << 3 | 2), varint(1 << 63)].concat(),
        vec![0xff; 40],
        // A group, which proto3 does not have.
        vec![0x0b, 0x0c],
        // UnixFS data with a field it lacks, without a type, cut short, and as plain text.
        dag_pb(&[], &[number_field(1, FILE), number_field(12, 1)].concat()),
        dag_pb(&[], &number_field(3, 0)),
        dag_pb(&[], &[0x08]),
        dag_pb(&[], b"not unixfs"),
        // A link with two hashes, without one, and with a field that links lack.
        [
            bytes_field(2, &[bytes_field(1, &leaf), bytes_field(1, &leaf)].concat()),
            bytes_field(1, &data),
        ]
        .concat(),
        [bytes_field(2, &number_field(3, 1)), bytes_field(1, &data)].concat(),
        [bytes_field(2, &[link(&leaf, 1), number_field(4, 1)].concat()), bytes_field(1, &data)]
            .concat(),
        // A link for which no size is declared.
        dag_pb(&[leaf.clone(), leaf.clone()], &data),
        // Sizes that add up to more than 64 bits.
        dag_pb(&[leaf.clone(), leaf.clone()], &unixfs(FILE, b"", 1, &[u64::MAX, 2])),
    ] {
        reasons.push(malformed(&store, &garbage));
    }
    assert!(reasons.iter().all(|reason| !reason.is_empty()), "{reasons:?}");
}

#[test]
fn sizes_that_contradict_each_other_are_refused_before_anything_below_is_fetched() {
    let (store, _directory) = store();
    // The children are nowhere: looking for them would end as unavailable.
    let absent = bytes(&raw_id(b"absent"));
    let lying =
        put_dag_pb(&store, &dag_pb(std::slice::from_ref(&absent), &unixfs(FILE, b"", 9, &[6])));
    assert_eq!(fault(&store, lying), Fault::Inconsistent { block: lying, declared: 9, found: 6 });
    // A child that holds another number of bytes than its parent says.
    let child = put_raw(&store, b"12345");
    for declared in [4, 6] {
        let root = put_dag_pb(&store, &file_node(&[(bytes(&child), declared)]));
        assert_eq!(fault(&store, root), Fault::Inconsistent { block: child, declared, found: 5 });
    }
    // A promised size that the root itself denies.
    let root = put_dag_pb(&store, &file_node(&[(absent, 6)]));
    let wanted = Wanted { size: Some(7), ..Wanted::new(root) };
    let error = refused_with(&store, &wanted, &Limits::default());
    assert!(
        matches!(&error, Error::Invalid { fault: Fault::Size { declared: 7, found: 6, .. }, .. }),
        "{error}"
    );
}

#[test]
fn a_promised_size_is_wrong_in_both_directions() {
    let (store, _directory) = store();
    for size in [10u64, 2 * MIB as u64 + 3] {
        let added = run(add(&store, Pattern::bytes(size)));
        for declared in [size - 1, size + 1, 0] {
            let wanted = Wanted { size: Some(declared), ..exactly(&added) };
            let error = refused_with(&store, &wanted, &Limits::default());
            assert!(
                matches!(&error, Error::Invalid { fault: Fault::Size { declared: said, found, .. }, .. }
                    if *said == declared && *found == size),
                "{error}"
            );
        }
    }
}

#[test]
fn a_wrong_hash_is_refused_although_every_block_is_right() {
    let (store, _directory) = store();
    let added = run(add(&store, Pattern::bytes(MIB as u64 + 1)));
    let wanted = Wanted { sha256: Some([9; 32]), ..exactly(&added) };
    let error = refused_with(&store, &wanted, &Limits::default());
    assert!(
        matches!(&error, Error::Invalid { fault: Fault::Sha256 { declared, found }, .. }
            if *declared == [9; 32] && *found == added.sha256),
        "{error}"
    );
    assert!(error.is_invalid() && !error.is_unavailable());
}

#[test]
fn a_failed_fetch_leaves_the_file_that_stood_there() {
    let (store, _directory) = store();
    let added = run(add(&store, b"new".to_vec()));
    let folder = directory();
    let destination = folder.path().join("out");
    std::fs::write(&destination, b"old").unwrap();
    let wanted = Wanted { size: Some(4), ..exactly(&added) };
    let overwriting = Limits::default().overwriting();
    run(store.fetch_file(&wanted, &destination, &overwriting)).unwrap_err();
    assert_eq!(std::fs::read(&destination).unwrap(), b"old");
    run(store.fetch_file(&exactly(&added), &destination, &overwriting)).unwrap();
    assert_eq!(std::fs::read(&destination).unwrap(), b"new");
    assert_eq!(listing(folder.path()), ["out"]);
}

#[test]
fn a_fetch_replaces_nothing_unless_it_may() {
    let (store, _directory) = store();
    let added = run(add(&store, b"new".to_vec()));
    let folder = directory();
    let (file, link) = (folder.path().join("out"), folder.path().join("link"));
    std::fs::write(&file, b"old").unwrap();
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for destination in [&file, &link] {
        let (wanted, limits) = (exactly(&added), Limits::default());
        let error = run(store.fetch_file(&wanted, destination, &limits)).unwrap_err();
        assert!(matches!(&error, Error::Exists { path } if path == destination), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"old");
    assert_eq!(listing(folder.path()), ["link", "out"]);
}

/// A tree of `levels` nodes, each with the one below `width` times, over one leaf. Returns the
/// root and the bytes that it stands for; `honest` makes it declare them.
fn bomb(store: &BlockStore, levels: u32, width: usize, honest: bool) -> (ContentId, u64) {
    let leaf = vec![b'x'; 1000];
    let (mut id, mut size) = (put_raw(store, &leaf), leaf.len() as u64);
    for _ in 0..levels {
        let declared = if honest { size } else { 1 };
        id = put_dag_pb(store, &file_node(&vec![(bytes(&id), declared); width]));
        size *= width as u64;
    }
    (id, size)
}

#[test]
fn a_bomb_of_repeated_links_that_tells_its_size_is_over_the_limit_at_once() {
    let (store, _directory) = store();
    let (root, size) = bomb(&store, 4, 100, true);
    assert_eq!(size, 100_000_000_000);
    let error = refused_with(&store, &Wanted::new(root), &Limits::default());
    assert!(matches!(error, Error::Limit { value, limit, .. }
            if value == size && limit == Limits::SUBMISSION_BYTES));
}

#[test]
fn a_bomb_of_repeated_links_that_lies_contradicts_itself() {
    let (store, _directory) = store();
    let (root, _) = bomb(&store, 4, 100, false);
    assert!(matches!(fault(&store, root), Fault::Inconsistent { declared: 1, found: 100, .. }));
}

#[test]
fn a_bomb_of_empty_blocks_is_bounded_by_visits() {
    let (store, _directory) = store();
    let mut id = put_raw(&store, b"");
    for _ in 0..3 {
        id = put_dag_pb(&store, &file_node(&vec![(bytes(&id), 0); 1000]));
    }
    let limit = Limits::default().blocks;
    assert_eq!(fault(&store, id), Fault::TooManyBlocks { limit });
}

#[test]
fn a_tree_that_is_too_deep_is_refused() {
    let (store, _directory) = store();
    let limit = Limits::default().depth;
    let mut id = put_raw(&store, b"deep");
    for _ in 1..limit {
        id = put_dag_pb(&store, &file_node(&[(bytes(&id), 4)]));
    }
    assert_eq!(run(store.fetch_bytes(&Wanted::new(id), &Limits::default())).unwrap(), b"deep");
    let deeper = put_dag_pb(&store, &file_node(&[(bytes(&id), 4)]));
    assert_eq!(fault(&store, deeper), Fault::TooDeep { limit });
}

#[test]
fn a_node_with_too_many_links_or_sizes_is_refused() {
    let (store, _directory) = store();
    let limit = Limits::default().links;
    let leaf = version_0(&put_dag_pb(&store, &dag_pb(&[], &unixfs(FILE, b"", 0, &[]))));
    let root = put_dag_pb(&store, &file_node(&vec![(leaf, 0); limit + 1]));
    assert_eq!(fault(&store, root), Fault::TooManyLinks { block: root, limit });
    let sizes = dag_pb(&[], &unixfs(FILE, b"", 0, &vec![0; limit + 1]));
    let root = put_dag_pb(&store, &sizes);
    assert_eq!(fault(&store, root), Fault::TooManyLinks { block: root, limit });
}

#[test]
fn bytes_over_the_callers_limit_are_not_the_contents_fault() {
    let (store, _directory) = store();
    let added = run(add(&store, Pattern::bytes(3 * MIB as u64)));
    let limits = Limits::for_bytes(3 * MIB as u64 - 1);
    for wanted in [Wanted::new(added.content), exactly(&added)] {
        let error = refused_with(&store, &wanted, &limits);
        assert!(!error.is_invalid() && !error.is_unavailable());
        assert_eq!(
            error.to_string(),
            "the file's size is 3145728, the limit is 3145727; raise the limit or choose a smaller file"
        );
    }
    let exact = Limits::for_bytes(3 * MIB as u64);
    assert!(run(store.fetch_bytes(&exactly(&added), &exact)).is_ok());
}
