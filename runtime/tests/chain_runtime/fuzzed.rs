//! The fuzz target of extrinsics (`runtime/fuzz`) without a fuzzer: its seeds, broken ones, and what it
//! found.

use crate::{
    likely::Dice,
    stories::{play, written, MOST_STEPS},
};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

/// Stories whose calls are looked at.
const SEEDS: u64 = 40;

#[test]
fn stories_that_a_fuzzer_begins_with_go_as_they_were_written() {
    for seed in 0..6 {
        let (story, _) = written(seed);
        let told = play(&story);
        assert_eq!(told.steps, MOST_STEPS, "seed {seed}");
        // Beside blocks there is nothing in it that does not succeed.
        assert!(told.succeeded == told.included && told.succeeded > MOST_STEPS / 2, "{told:?}");
        assert_eq!(play(&story), told, "a story ends the same way each time");
    }
}

#[test]
fn stories_reach_committees_governance_and_staking() {
    let told: BTreeSet<_> = (0..SEEDS)
        .flat_map(|seed| written(seed).1)
        .map(|call| format!("{}.{}", call.pallet_name, call.function_name))
        .collect();
    let wanted = [
        "Review.bond_seats",
        "Review.commit",
        "Review.reveal",
        "Review.challenge",
        "Referenda.submit",
        "Referenda.place_decision_deposit",
        "ConvictionVoting.vote",
        "ConvictionVoting.delegate",
        "Proxy.add_proxy",
        "Proxy.proxy",
        "Multisig.as_multi",
        "Preimage.note_preimage",
        "Utility.batch",
        "Staking.bond",
        "Staking.nominate",
        "NominationPools.create",
    ];
    let missing: Vec<_> = wanted.iter().filter(|call| !told.contains(**call)).collect();
    assert!(missing.is_empty(), "no story has {missing:?}; they have {told:?}");
}

#[test]
fn broken_stories_keep_every_pallets_books() {
    let (story, _) = written(1);
    for n in 0..40 {
        let mut broken = story.clone();
        // Changed, cut out, and put twice, each somewhere else.
        let at = n * broken.len() / 40;
        broken[at] ^= 1 << (n % 8);
        broken.drain(at / 2..(at / 2 + n).min(at));
        broken.extend_from_within(at / 3..at / 2);
        play(&broken);
    }
}

/// Stories of chance; `OPENLEDGER_STORIES` asks for more.
const STORIES: u64 = 60;
/// Bytes of one, which are enough for all its steps.
const LENGTH: usize = 4_096;

#[test]
fn stories_told_by_chance_keep_every_pallets_books() {
    let stories = match std::env::var("OPENLEDGER_STORIES") {
        Ok(number) => number.parse().expect("OPENLEDGER_STORIES is a number"),
        Err(_) => STORIES,
    };
    let (next, succeeded) = (AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= stories {
                    return;
                }
                let mut dice = Dice::seeded(seed);
                let mut story: Vec<u8> = (0..LENGTH).map(|_| dice.roll(256) as u8).collect();
                // Every other one goes on from where calls have succeeded.
                if seed % 2 == 1 {
                    let (mut begun, calls) = written(seed);
                    begun.truncate(dice.roll(begun.len() as u64) as usize);
                    assert!(!calls.is_empty(), "seed {seed}");
                    story.splice(..0, begun);
                }
                succeeded.fetch_add(play(&story).succeeded.into(), Ordering::Relaxed);
            });
        }
    });
    let succeeded = succeeded.into_inner();
    assert!(succeeded > stories, "{succeeded} calls of {stories} stories succeeded");
}

#[test]
fn nothing_at_all_is_a_story() {
    assert_eq!(play(&[]).steps, 0);
    assert_eq!(play(&[224, 255, 255]).included, 0);
    assert_eq!(play(&[160; 300]).steps, MOST_STEPS);
}
