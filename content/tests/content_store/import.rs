//! Content ids are those of profile `unixfs-v1-2025`.

use crate::support::{directory, run, Pattern, MIB};
use openledger_content::{add, describe, describe_file, BlockStore, ContentStore, Error, Limits};
use openledger_primitives::ContentCodec;
use std::{io::Write, path::Path};

/// Size, content id, sha2-256 of [`Pattern`]. Computed once by an independent implementation of
/// the layout (balanced tree, raw leaves of 1 MiB, 1024 links) in Python; Kubo 0.43.0 with profile
/// `unixfs-v1-2025` gives the same content ids.
const GOLDEN: [(u64, &str, &str); 9] = [
    (
        0,
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        1,
        "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    ),
    (
        262_144,
        "bafkreibodili7icithpla5rfjbjnufbqbhoj5alidu7z3smxhqc643ovv4",
        "2e1a168fa04899deb076254852da143009dc9e81681d3f9dc9973c05ee6dd5af",
    ),
    (
        1_048_575,
        "bafkreiapokltb3hzfinvxq26ik4du7duxxsvbhvntkwmd4rwszjul6roim",
        "0f729730ecf92a1b5bc35e42b83a7c74bde5509ead9aacc1f236965345fa2e43",
    ),
    (
        1_048_576,
        "bafkreic3awpwqujjcragnzyiq5wfvoui4xgir3quholjrop422sct4ebii",
        "5b059f685129144066e708876c5aba88e5cc88ee143b9698b9fcd6a429f08142",
    ),
    (
        1_048_577,
        "bafybeig2ajhatzrzlukmyiq77uo6hcevbh46w34o5wswesczvlz5durdry",
        "729094a2e6a21156dc9a5c812274e007f23745cec8e1c1a35de1c029b308fe08",
    ),
    (
        10_485_760,
        "bafybeicdyyuiy6xfguqmpvjd2wiqviiyx4wat4eiviqmjztyfmvz2ouy3q",
        "da1347fc45e4ef9e2270cba7e9ce8e62e403b13eba7e34554483ee4c39c8f008",
    ),
    (
        1_073_741_824,
        "bafybeih65b3jvqojxpca2rm5urhcfhuwt5fqndn4d5mlxp7adwkl6ofsqe",
        "00efe1bb85cfbbc910b89b1e49040dee42658a02737dbb670dfde8d3176e3395",
    ),
    (
        1_074_790_405,
        "bafybeifu4gkzkifrytbekchz5nhfcs3nfy53ax2od4o73ob3k4c5lo2anm",
        "69af5a1ecf480d3a54dbfc0109eb2ce44e93b822e6c916a01e8455c4323cfe1f",
    ),
];

fn check(sizes: impl Fn(u64) -> bool) {
    for (size, content, sha256) in GOLDEN.into_iter().filter(|(size, ..)| sizes(*size)) {
        let added = describe(Pattern::new(size)).unwrap();
        assert_eq!(added.content.to_string(), content, "{size} bytes");
        assert_eq!(hex::encode(added.sha256), sha256, "{size} bytes");
        assert_eq!(added.size, size);
    }
}

#[test]
fn content_ids_are_the_golden_ones() {
    check(|size| size <= 10 * MIB as u64);
}

#[test]
fn content_id_of_exactly_1024_chunks_is_the_golden_one() {
    check(|size| size == 1024 * MIB as u64);
}

#[test]
fn content_id_of_more_than_1024_chunks_is_the_golden_one() {
    check(|size| size > 1024 * MIB as u64);
}

#[test]
fn a_file_of_one_block_is_named_by_its_own_hash() {
    for size in [0, 1, 1000, MIB as u64] {
        let added = describe(Pattern::new(size)).unwrap();
        assert_eq!(added.content.codec(), ContentCodec::Raw);
        assert_eq!(added.content.digest(), &added.sha256);
    }
    let larger = describe(Pattern::new(MIB as u64 + 1)).unwrap();
    assert_eq!(larger.content.codec(), ContentCodec::DagPb);
}

#[test]
fn the_content_id_does_not_depend_on_how_the_bytes_arrive() {
    /// Gives at most 1,000 bytes at once.
    struct Dribble(Pattern);
    impl std::io::Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(1000);
            self.0.read(&mut buffer[..most])
        }
    }
    let size = 2 * MIB as u64 + 77;
    let dribbled = describe(Dribble(Pattern::new(size))).unwrap();
    assert_eq!(dribbled, describe(Pattern::new(size)).unwrap());
}

#[test]
fn adding_describes_and_stores_the_same_thing() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let size = 3 * MIB as u64 + 5;
    let (added, blocks) = add(&store, Pattern::new(size), Path::new("pattern")).unwrap();
    assert_eq!(added, describe(Pattern::new(size)).unwrap());
    // Four leaves and a root, all of them readable.
    assert_eq!(blocks.len(), 5);
    assert!(blocks.iter().all(|id| store.get(id).unwrap().is_some()));
    assert!(run(store.has(&added.content, &Limits::default())).unwrap());
}

#[test]
fn what_is_not_a_readable_file_is_refused_by_name() {
    let directory = directory();
    let missing = directory.path().join("missing.txt");
    for path in [missing.as_path(), directory.path()] {
        let error = describe_file(path).unwrap_err();
        assert!(matches!(&error, Error::Io { path: named, .. } if named == path), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    let mut file = std::fs::File::create(&missing).unwrap();
    file.write_all(b"there").unwrap();
    assert_eq!(describe_file(&missing).unwrap().size, 5);
}
