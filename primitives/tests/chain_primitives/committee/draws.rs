//! Who is drawn.

use openledger_primitives::committee::{
    draw::{place, LOOKS_A_MEMBER},
    draw_seed, pick,
};
use std::{cell::Cell, collections::BTreeMap};

#[test]
fn no_account_is_drawn_twice_and_nobody_who_is_barred() {
    // Ten accounts, of which the first has most seats.
    let owner = |seat: u32| Some(if seat < 50 { 0 } else { u64::from(seat) / 10 });
    for draw in 0..500 {
        let seed = draw_seed(&[1; 32], draw);
        let picked = pick(&seed, 5, 100, owner, |account| *account == 7);
        let mut accounts = picked.accounts.clone();
        accounts.sort_unstable();
        accounts.dedup();
        assert_eq!(accounts.len(), 5, "{picked:?}");
        assert!(!accounts.contains(&7));
        assert_eq!(pick(&seed, 5, 100, owner, |account| *account == 7), picked, "the same again");
    }
}

#[test]
fn a_draw_looks_at_as_many_seats_of_ten_as_of_a_hundred_thousand() {
    let looks = |seats: u32| -> u32 {
        (0..200)
            .map(|draw| {
                let seen = Cell::new(0);
                let owner = |seat| {
                    seen.set(seen.get() + 1);
                    Some(u64::from(seat))
                };
                let picked = pick(&draw_seed(&[2; 32], draw), 5, seats, owner, |_| false);
                assert_eq!((picked.accounts.len(), picked.looks), (5, seen.get()));
                picked.looks
            })
            .sum()
    };
    let (few, many) = (looks(10), looks(100_000));
    assert!(few >= many, "repetitions of an account cost looks");
    assert!(few * 7 <= many * 10, "{few} looks of ten seats, {many} of a hundred thousand");
}

#[test]
fn too_few_accounts_are_found_in_a_bounded_number_of_looks() {
    let all = |account: u64, seats| pick(&[0; 32], 5, seats, move |_| Some(account), |_| false);
    assert_eq!((all(3, 1_000).accounts, all(3, 1_000).looks), (vec![3], 5 * LOOKS_A_MEMBER));
    assert!(all(3, 0).accounts.is_empty());
    let picked = pick(&[0; 32], 5, 9, |_| None::<u64>, |_| false);
    assert_eq!((picked.accounts.len(), picked.looks), (0, 5 * LOOKS_A_MEMBER));
}

#[test]
fn five_are_found_where_one_account_has_four_fifths_of_the_seats() {
    let owner = |seat: u32| Some(if seat < 800 { 0 } else { u64::from(seat) });
    let short = (0..2_000)
        .filter(|draw| {
            let picked = pick(&draw_seed(&[3; 32], *draw), 5, 1_000, owner, |_| false);
            picked.accounts.len() < 5
        })
        .count();
    assert_eq!(short, 0);
}

#[test]
fn seats_are_drawn_evenly() {
    let mut drawn = BTreeMap::<u32, u32>::new();
    for look in 0..100_000 {
        *drawn.entry(place(&[5; 32], look, 100).unwrap()).or_default() += 1;
    }
    // Each a thousand times, with a standard deviation of 31.5: five of them.
    assert!(drawn.len() == 100 && drawn.values().all(|n| (843..=1157).contains(n)), "{drawn:?}");
}

#[test]
fn every_draw_of_a_session_has_a_seed_of_its_own() {
    let seeds: std::collections::BTreeSet<_> =
        (0..1_000).map(|draw| draw_seed(&[7; 32], draw)).collect();
    assert_eq!(seeds.len(), 1_000);
    assert_ne!(draw_seed(&[7; 32], 0), draw_seed(&[8; 32], 0));
}
