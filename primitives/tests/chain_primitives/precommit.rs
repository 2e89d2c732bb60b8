//! Precommitments as any client computes them.

use openledger_primitives::{json::hex, precommit::TAG, precommitment};

#[test]
fn a_precommitment_is_what_clients_of_other_languages_compute() {
    // sha2-256 of the 20 bytes of the tag, 32 × 01, 02 00 00 00, 32 × 03 and 32 × 04, by coreutils.
    let hash = precommitment(&[1u8; 32], 2, &[3; 32], &[4; 32]);
    assert_eq!(hex(hash), "e287d6a5182bbe3bd643b10a3e17e3495f4f4450bdd50fffb716f7a6e6432d95");
    assert_eq!(TAG, b"openledger/precommit");
}

#[test]
fn each_part_changes_it() {
    let hashes = [
        precommitment(&[1u8; 32], 2, &[3; 32], &[4; 32]),
        precommitment(&[9u8; 32], 2, &[3; 32], &[4; 32]),
        precommitment(&[1u8; 32], 9, &[3; 32], &[4; 32]),
        precommitment(&[1u8; 32], 2, &[9; 32], &[4; 32]),
        precommitment(&[1u8; 32], 2, &[3; 32], &[9; 32]),
    ];
    let distinct: std::collections::BTreeSet<_> = hashes.into_iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}
