//! The fuzz target of extrinsics (`runtime/fuzz`) without a fuzzer: its seeds, broken ones, and what it
//! found.

use crate::stories::{play, written, MOST_STEPS};

#[test]
fn stories_that_a_fuzzer_begins_with_go_as_they_were_written() {
    for seed in 0..6 {
        let story = written(seed);
        let told = play(&story);
        assert_eq!(told.steps, MOST_STEPS, "seed {seed}");
        // Beside blocks there is nothing in it that does not succeed.
        assert!(told.succeeded == told.included && told.succeeded > MOST_STEPS / 2, "{told:?}");
        assert_eq!(play(&story), told, "a story ends the same way each time");
    }
}

#[test]
fn broken_stories_keep_every_pallets_books() {
    let story = written(1);
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

#[test]
fn nothing_at_all_is_a_story() {
    assert_eq!(play(&[]).steps, 0);
    assert_eq!(play(&[224, 255, 255]).included, 0);
    assert_eq!(play(&[160; 300]).steps, MOST_STEPS);
}
