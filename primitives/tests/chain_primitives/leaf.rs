//! Leaves, versions, and the proofs over them.

use codec::{DecodeAll, Encode};
use mountain_range::{util::MemStore, MMR};
use openledger_primitives::{
    leaf::{
        dataset_root, range_size, text_chunk_proof, verify_leaf, verify_text_chunk, DatasetRef,
        MergeNodes, TEXT_CHUNK,
    },
    text_root, DatasetLeaf, DatasetVersion, LeafVersion, Score,
};
use proptest::prelude::*;
use sp_core::H256;

fn leaf(n: u64) -> DatasetLeaf<[u8; 32]> {
    DatasetLeaf {
        version: LeafVersion::V1,
        submission: n,
        contributor: [3; 32],
        sha256: [7; 32],
        size: 2_048,
        units: 2_000,
        score: Score::new(80).expect("within bounds"),
        text_root: H256::repeat_byte(9),
    }
}

fn hex(hash: H256) -> String {
    hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_leaf_begins_with_its_version_and_no_other_version_is_read() {
    let mut bytes = leaf(5).encode();
    assert_eq!((bytes[0], bytes.len()), (1, 118));
    assert_eq!(DatasetLeaf::decode_all(&mut &bytes[..]), Ok(leaf(5)));
    for other in [0, 2, 255] {
        bytes[0] = other;
        assert!(DatasetLeaf::<[u8; 32]>::decode_all(&mut &bytes[..]).is_err());
    }
}

#[test]
fn hashes_are_what_another_program_computes() {
    // Computed with hashlib.blake2b of Python from the tags and encodings that `leaf` documents.
    assert_eq!(
        hex(leaf(5).hash()),
        "2ffd21d0f9c605d5eb02ff8d3cfeceaf897f27bc04dcd157465a8206c8c6ae12"
    );
    use mountain_range::Merge;
    let hash = leaf(5).hash();
    assert_eq!(
        hex(MergeNodes::merge(&hash, &hash).expect("never fails")),
        "6a84af56ba551610eb8e921e159e8ca64bff5b094f288510c9534215d415b813"
    );
    let text: Vec<u8> = (b'a'..=b'z').cycle().take(2_600).collect();
    assert_eq!(
        hex(text_root(&text)),
        "fa7cc063bfdd09bfe3589b32c2a70f4cfae6fee13c45dbb2dc5d30447dce1597"
    );
    let dataset = |datanet, leaves, byte| DatasetRef {
        datanet,
        version: DatasetVersion { leaves, root: H256::repeat_byte(byte) },
    };
    assert_eq!(
        hex(dataset_root(&[dataset(0, 3, 1), dataset(4, 10, 2)])),
        "518cd3184a46f106b6d127c1fd8cf9abd5c3f3c64e7c44f41243318927344c3b"
    );
}

/// The version of a range of `leaves` leaves, and the proof of each of them.
fn range(leaves: u64) -> (DatasetVersion, Vec<Vec<H256>>) {
    let store = MemStore::default();
    let mut range = MMR::<H256, MergeNodes, _>::new(0, &store);
    let positions: Vec<u64> =
        (0..leaves).map(|n| range.push(leaf(n).hash()).expect("in memory")).collect();
    range.commit().expect("in memory");
    assert_eq!(range.mmr_size(), range_size(leaves));
    let root = range.get_root().expect("not empty");
    let proofs = positions
        .into_iter()
        .map(|at| range.gen_proof(vec![at]).expect("in the range").proof_items().to_vec())
        .collect();
    (DatasetVersion { leaves, root }, proofs)
}

#[test]
fn ranges_have_their_size() {
    let sizes = [(0, 0), (1, 1), (2, 3), (3, 4), (4, 7), (5, 8), (8, 15), (1 << 20, (1 << 21) - 1)];
    for (leaves, size) in sizes {
        assert_eq!(range_size(leaves), size);
    }
    // Beyond any chain, and still in range.
    assert!(range_size(u64::MAX) > 0);
}

#[test]
fn every_leaf_of_every_version_is_proven_and_nothing_else() {
    for leaves in 1..=33 {
        let (version, proofs) = range(leaves);
        for (index, proof) in proofs.into_iter().enumerate() {
            let index = index as u64;
            let holds = |version: &DatasetVersion, at, submission, proof: &[H256]| {
                verify_leaf(version, at, &leaf(submission), proof.to_vec())
            };
            assert!(holds(&version, index, index, &proof));
            assert!(!holds(&version, index, index + 1, &proof), "another leaf");
            for other in (0..leaves + 2).filter(|other| *other != index) {
                assert!(!holds(&version, other, index, &proof), "another place");
            }
            let root = H256::repeat_byte(1);
            assert!(!holds(&DatasetVersion { root, ..version }, index, index, &proof));
            for n in 0..proof.len() {
                let mut damaged = proof.clone();
                damaged[n].0[5] ^= 1;
                assert!(!holds(&version, index, index, &damaged), "another path");
                damaged.remove(n);
                assert!(!holds(&version, index, index, &damaged), "a shorter path");
            }
            let long = [&proof[..], &[H256::zero(); 200]].concat();
            assert!(!holds(&version, index, index, &long), "an endless path");
        }
    }
}

#[test]
fn a_version_too_large_to_be_one_proves_nothing() {
    let version = DatasetVersion { leaves: u64::MAX, root: H256::zero() };
    assert!(!verify_leaf(&version, 0, &leaf(0), Vec::new()));
    assert!(!verify_leaf(&DatasetVersion::default(), 0, &leaf(0), Vec::new()));
}

#[test]
fn the_empty_text_has_the_zero_root_and_no_chunk() {
    assert_eq!(text_root(b""), H256::zero());
    assert_eq!(text_chunk_proof(b"", 0), None);
    assert!(!verify_text_chunk(&H256::zero(), 0, 0, b"", &[]));
}

#[test]
fn texts_around_a_whole_chunk_have_one_or_two() {
    for (length, chunks) in [(1, 1), (1_023, 1), (1_024, 1), (1_025, 2), (2_048, 2), (2_049, 3)] {
        let text = vec![b'x'; length];
        let proven = (0..5).filter(|index| text_chunk_proof(&text, *index).is_some()).count();
        assert_eq!(proven, chunks, "{length} bytes");
    }
}

#[test]
fn a_chunk_is_proven_at_its_own_place_only() {
    // Of six chunks the path of the fifth is one hash shorter and would fit the third's place.
    for chunks in 1..=40u32 {
        let text: Vec<u8> = (0..chunks).flat_map(|n| vec![n as u8; TEXT_CHUNK]).collect();
        let (root, units) = (text_root(&text), text.len() as u64);
        for (index, chunk) in text.chunks(TEXT_CHUNK).enumerate() {
            let proof = text_chunk_proof(&text, index as u32).expect("in the text");
            let places: Vec<u32> = (0..chunks)
                .filter(|place| verify_text_chunk(&root, units, *place, chunk, &proof))
                .collect();
            assert_eq!(places, [index as u32], "of {chunks} chunks");
        }
    }
}

#[test]
fn a_text_that_spells_out_two_nodes_is_not_their_parent() {
    let text = vec![b'x'; 2 * TEXT_CHUNK];
    let left = text_chunk_proof(&text, 1).expect("two chunks")[0];
    let right = text_chunk_proof(&text, 0).expect("two chunks")[0];
    let nodes = [left.as_bytes(), right.as_bytes()].concat();
    assert_ne!(text_root(&nodes), text_root(&text));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_chunk_is_proven_and_no_other_bytes_are(
        text in prop::collection::vec(any::<u8>(), 1..9_000),
        bit in any::<prop::sample::Index>(),
        in_proof in any::<prop::sample::Index>(),
    ) {
        let root = text_root(&text);
        let units = text.len() as u64;
        let count = text.len().div_ceil(TEXT_CHUNK) as u32;
        for (index, chunk) in text.chunks(TEXT_CHUNK).enumerate() {
            let index = index as u32;
            let proof = text_chunk_proof(&text, index).expect("in the text");
            prop_assert!(verify_text_chunk(&root, units, index, chunk, &proof));

            let mut flipped = chunk.to_vec();
            let bit = bit.index(8 * chunk.len());
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify_text_chunk(&root, units, index, &flipped, &proof));

            for other in (0..count + 2).filter(|other| *other != index) {
                prop_assert!(!verify_text_chunk(&root, units, other, chunk, &proof));
            }
            let longer = [chunk, b"x"].concat();
            prop_assert!(!verify_text_chunk(&root, units, index, &longer, &proof));
            prop_assert!(!verify_text_chunk(&root, units, index, &chunk[1..], &proof));
            if index + 1 == count {
                prop_assert!(!verify_text_chunk(&root, units + 1, index, chunk, &proof));
                prop_assert!(!verify_text_chunk(&root, units - 1, index, chunk, &proof));
            }
            if !proof.is_empty() {
                let mut damaged = proof.clone();
                let n = in_proof.index(8 * 32 * proof.len());
                damaged[n / 256].0[n % 256 / 8] ^= 1 << (n % 8);
                prop_assert!(!verify_text_chunk(&root, units, index, chunk, &damaged));
                prop_assert!(!verify_text_chunk(&root, units, index, chunk, &proof[1..]));
            }
            let endless = vec![H256::zero(); 100];
            prop_assert!(!verify_text_chunk(&root, units, index, chunk, &endless));
        }
        prop_assert_eq!(text_chunk_proof(&text, count), None);
        prop_assert_eq!(text_chunk_proof(&text, u32::MAX), None);
    }

    #[test]
    fn different_texts_have_different_roots(
        text in prop::collection::vec(any::<u8>(), 0..3_000),
        other in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        prop_assert_eq!(text_root(&text) == text_root(&other), text == other);
    }
}
