use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{leaf::verify_leaf, traits::DatasetVersions, DatasetVersion, Score};
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
