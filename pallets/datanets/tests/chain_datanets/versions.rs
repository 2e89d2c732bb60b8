use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{
    leaf::{range_size, verify_leaf, version_of, MergeNodes},
    traits::DatasetVersions,
    DatasetLeaf, DatasetVersion, LeafVersion, Score, EXTRACTOR,
};
use sp_core::H256;

#[test]
fn every_acceptance_makes_a_new_version_and_past_ones_stay() {
    on_chain(|| {
        let datanet = set_up();
        assert_eq!(Datanets::version_at(datanet, 0), Some(DatasetVersion::default()));
        let mut seen = vec![DatasetVersion::default()];
        for n in 0..19 {
            accept_files(datanet, [n]);
            let version = Datanets::datanet(datanet).unwrap().version;
            assert_eq!(version.leaves, u64::from(n) + 1);
            assert!(seen.iter().all(|earlier| earlier.root != version.root));
            seen.push(version);
        }
        for version in seen {
            assert_eq!(
                <Datanets as DatasetVersions>::version_at(datanet, version.leaves),
                Some(version)
            );
        }
        assert_eq!(Datanets::version_at(datanet, 20), None);
        assert_eq!(Datanets::version_at(datanet, u64::MAX), None);
        assert_eq!(Datanets::version_at(datanet + 1, 0), None);
    });
}

#[test]
fn every_leaf_is_proved_in_every_version_that_has_it() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..13);
        let leaves: Vec<_> =
            Datanets::leaves(datanet, 0, 100).into_iter().map(|view| view.leaf).collect();
        assert_eq!(leaves.len(), 13);
        for count in 1..=13u64 {
            let version = Datanets::version_at(datanet, count).unwrap();
            for index in 0..count {
                let leaf = &leaves[index as usize];
                let proof = Datanets::leaf_proof(datanet, index, count).unwrap();
                assert!(proof.len() <= 8, "a proof has O(log n) hashes");
                assert!(verify_leaf(&version, index, leaf, proof.clone()));

                // The proof is good for this leaf at this place in this version only.
                let better =
                    openledger_primitives::DatasetLeaf { score: Score::MAX, ..leaf.clone() };
                assert!(!verify_leaf(&version, index, &better, proof.clone()));
                for other in (0..13).filter(|other| *other != index) {
                    assert!(!verify_leaf(&version, other, leaf, proof.clone()));
                    assert!(!verify_leaf(&version, index, &leaves[other as usize], proof.clone()));
                }
                for other in (0..=13).filter(|other| *other != count) {
                    let root = Datanets::version_at(datanet, other).unwrap().root;
                    let forged = DatasetVersion { leaves: count, root };
                    assert!(!verify_leaf(&forged, index, leaf, proof.clone()));
                }
                let mut longer = proof.clone();
                longer.push(H256::zero());
                assert!(!verify_leaf(&version, index, leaf, longer));
                for missing in 0..proof.len() {
                    let mut shorter = proof.clone();
                    shorter.remove(missing);
                    assert!(!verify_leaf(&version, index, leaf, shorter));
                }
            }
        }
    });
}

#[test]
fn a_leaf_that_is_a_peak_cannot_be_shown_at_another_index() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..7);
        let version = Datanets::version_at(datanet, 7).unwrap();
        let last = Datanets::leaves(datanet, 6, 1).remove(0).leaf;
        let node = |position| pallet_datanets::RangeNodes::<Test>::get(datanet, position).unwrap();
        // Seven leaves have peaks over four (node 6), two (node 9) and one: the root is made of the
        // third peak with the second, then with the first. Read as nodes, the third peak is the left
        // sibling of the second: leaf 4.
        let (first, second) = (node(6), node(9));
        for proof in [vec![first, second], vec![first, second, H256::zero()]] {
            assert!(!verify_leaf(&version, 4, &last, proof));
        }
        assert!(verify_leaf(&version, 6, &last, vec![first, second]));
    });
}

#[test]
fn there_is_no_proof_of_a_leaf_that_a_version_has_not() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..5);
        for (index, leaves) in [(3, 3), (4, 3), (5, 5), (0, 0), (0, 6), (u64::MAX, u64::MAX)] {
            assert_eq!(Datanets::leaf_proof(datanet, index, leaves), None);
        }
        assert_eq!(Datanets::leaf_proof(datanet + 1, 0, 1), None);
    });
}

#[test]
fn datanets_have_ranges_of_their_own() {
    on_chain(|| {
        let one = set_up();
        let other = create(None);
        accept_files(one, 0..3);
        let before = Datanets::version_at(one, 3);
        assert_ok!(submit(BOB, other, vec![file(0, 100)]));
        assert_ok!(settle(other, 0, accept(100)));
        assert_eq!(Datanets::version_at(one, 3), before);
        assert_ne!(Datanets::version_at(one, 1), Datanets::version_at(other, 1));
    });
}

#[test]
fn leaves_of_both_shapes_stand_in_one_range() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..5);
        // As a chain that was upgraded has it: the first three leaves name no extractor.
        let mut leaves: Vec<_> =
            Datanets::leaves(datanet, 0, 100).into_iter().map(|view| view.leaf).collect();
        for leaf in &mut leaves[..3] {
            leaf.version = LeafVersion::V1;
        }
        replant(datanet, &leaves);
        let before = Datanets::version_at(datanet, 3).unwrap();
        assert_eq!(before, version_of(leaves[..3].iter().map(DatasetLeaf::hash)));

        // A raised extractor goes into the next leaf, and every version stays what it was.
        assert_ok!(submit(ALICE, datanet, vec![file(50, 100)]));
        assert_ok!(settle(datanet, 50, accept_by(EXTRACTOR + 1, 300)));
        leaves.push(Datanets::leaves(datanet, 5, 1).remove(0).leaf);
        let extractors: Vec<_> = leaves.iter().map(|leaf| leaf.version.extractor()).collect();
        assert_eq!(extractors, [1, 1, 1, EXTRACTOR, EXTRACTOR, EXTRACTOR + 1]);
        assert_eq!(Datanets::version_at(datanet, 3), Some(before));
        for count in 1..=6u64 {
            let version = Datanets::version_at(datanet, count).unwrap();
            assert_eq!(version, version_of(leaves[..count as usize].iter().map(DatasetLeaf::hash)));
            for index in 0..count {
                let leaf = &leaves[index as usize];
                let proof = Datanets::leaf_proof(datanet, index, count).unwrap();
                assert!(verify_leaf(&version, index, leaf, proof.clone()));
                // The same leaf by another extractor, or in the other shape, is another leaf.
                for other in [LeafVersion::V1, LeafVersion::V2 { extractor: 1 }] {
                    let other = DatasetLeaf { version: other, ..leaf.clone() };
                    assert_eq!(
                        verify_leaf(&version, index, &other, proof.clone()),
                        other.version == leaf.version
                    );
                }
            }
        }
    });
}

/// Writes a Datanet's leaves and the nodes that follow from them.
fn replant(datanet: u32, leaves: &[DatasetLeaf<AccountId>]) {
    let store = mountain_range::util::MemStore::default();
    let mut range = mountain_range::MMR::<H256, MergeNodes, _>::new(0, &store);
    for (index, leaf) in (0u64..).zip(leaves) {
        pallet_datanets::Leaves::<Test>::insert(datanet, index, leaf);
        range.push(leaf.hash()).unwrap();
    }
    range.commit().unwrap();
    for position in 0..range_size(leaves.len() as u64) {
        use mountain_range::MMRStoreReadOps;
        let node = (&store).get_elem(position).unwrap().unwrap();
        pallet_datanets::RangeNodes::<Test>::insert(datanet, position, node);
    }
}
