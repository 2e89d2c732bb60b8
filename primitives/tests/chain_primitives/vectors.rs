//! The vectors that docs/versions.md prints for verifiers in other languages.

use openledger_primitives::{
    leaf::{text_root, verify_leaf, verify_text_chunk, version_of},
    DatasetLeaf, LeafVersion, Score,
};
use sp_core::H256;

fn hash(text: &str) -> H256 {
    text.parse().expect("64 hexadecimal digits")
}

/// abc…zabc…, 2,500 bytes.
fn text() -> Vec<u8> {
    (0..2_500u32).map(|n| b'a' + (n % 26) as u8).collect()
}

fn leaf(submission: u64) -> DatasetLeaf<[u8; 32]> {
    leaf_of(LeafVersion::V1, submission)
}

fn leaf_of(version: LeafVersion, submission: u64) -> DatasetLeaf<[u8; 32]> {
    DatasetLeaf {
        version,
        submission,
        contributor: [7; 32],
        sha256: [2; 32],
        size: 2_600,
        units: 2_500,
        score: Score::new(82).expect("within 1 to 100"),
        text_root: text_root(&text()),
    }
}

#[test]
fn the_printed_text_root_and_chunk_proof_hold() {
    let root = hash("9b727f3a1d89a0af1046b6f3ce6fb8fd3289c37e0477cadc31a1c90d68b67b9f");
    assert_eq!(text_root(&text()), root);
    let proof = [hash("e8b902fbd0812f0544f8f8b1190ff86c9a3d420c70c33e9baf2dc5cac8499161")];
    assert!(verify_text_chunk(&root, 2_500, 2, &text()[2_048..], &proof));
}

#[test]
fn the_printed_leaf_and_its_proof_hold() {
    assert_eq!(
        leaf(42).hash(),
        hash("162e2ac66ed474045a58d34300c10798df1bd09124c5dac1e8e530a59e55bb6c")
    );
    let root = hash("4f7875b7510caca08d8af8573fad7d3a7c258f2f05c38aaf0c09dd84c2523dd7");
    let version = openledger_primitives::DatasetVersion { leaves: 5, root };
    let proof = [
        hash("ec91e3c86594ea0af459fa28f3fad96e4e0438bfc32e75656d3ce88cb34296ff"),
        hash("a5b20adbf248b2b7b0821cefebcf8d59476d6e2ad556f0e244ab0a68ff5255a7"),
        hash("090a3d140c87be243da0fc0a196afedfa459e81a6b16aff25f30e5d1098de72d"),
    ];
    assert!(verify_leaf(&version, 2, &leaf(42), proof.to_vec()));
    assert!(!verify_leaf(&version, 3, &leaf(42), proof.to_vec()));
}

#[test]
fn the_printed_leaf_of_the_second_shape_holds() {
    let second = leaf_of(LeafVersion::V2 { extractor: 2 }, 42);
    assert_eq!(
        second.hash(),
        hash("733339870ab850be4e9583be4d65f9cf5bd5bd0d6fbfb2bbe39fae86bbc99fc5")
    );
}

/// The checker that docs/versions.md prints, run as a stranger would run it.
#[test]
fn the_printed_checker_and_its_example_run() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/versions.md");
    let page = std::fs::read_to_string(path).expect("the page is there");
    let mut blocks = page.split("```python\n").skip(1).filter_map(|rest| rest.split("```").next());
    let program: String = blocks.by_ref().collect();
    assert!(program.contains("def verify_leaf") && program.contains("assert verify_leaf"));
    let ran = std::process::Command::new("python3")
        .args(["-c", &program])
        .output()
        .expect("python3 is there: scripts/setup installs it");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_version_of_no_leaves_is_the_empty_one() {
    assert_eq!(version_of([]), Default::default());
    assert_eq!(version_of([leaf(1).hash()]).root, leaf(1).hash());
}
