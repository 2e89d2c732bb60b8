//! What makes texts copies of each other.

use openledger_documents::{Likeness, MediaType};
use openledger_primitives::Modality;
use proptest::prelude::*;

fn of(text: &str) -> Likeness {
    Likeness::of_text(text).expect("it has a word")
}

fn alike(one: &str, other: &str) -> f64 {
    of(one).alike(&of(other))
}

/// Words that look like ones, other ones for each seed.
fn text(seed: u64, words: usize) -> Vec<String> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..words).map(|_| format!("w{}", next() % 5_000)).collect()
}

#[test]
fn layout_case_and_punctuation_make_no_other_text() {
    let one = "Rain fell on the mountain all day, and into the night.";
    let other = "  RAIN fell — on the\n\nmountain; all \"day\" and *into* the night";
    assert_eq!(alike(one, other), 1.0);
    assert_eq!(Likeness::of(MediaType::Txt, one.as_bytes()).unwrap(), Some(of(one)));
    assert_eq!(Likeness::of_text(" .,; \n"), None, "nothing to compare");
}

#[test]
fn a_short_text_is_compared_by_all_of_it() {
    assert_eq!(alike("rain fell", "Rain fell."), 1.0);
    assert_eq!(alike("rain fell", "rain falls"), 0.0);
}

#[test]
fn scripts_without_spaces_are_compared_too() {
    let one = "昨日は一日中雨が降り続き、夜になっても止まなかった。";
    let changed = "昨日は一日中雪が降り続き、夜になっても止まなかった。";
    assert!((0.4..1.0).contains(&alike(one, changed)), "{}", alike(one, changed));
    assert_eq!(alike(one, "今朝は空が晴れ渡り、海まではっきりと見えている。"), 0.0);
}

#[test]
fn a_text_with_a_few_other_words_is_a_copy_and_half_of_it_is_none() {
    for seed in 1..20 {
        let words = text(seed, 2_000);
        let mut edited = words.clone();
        for place in (0..words.len()).step_by(100) {
            edited[place] = "other".into();
        }
        let (whole, edited) = (words.join(" "), edited.join(" "));
        // Of 100 runs 5 are others: 95 of 105 are in both.
        assert!(alike(&whole, &edited) >= 0.8, "{}", alike(&whole, &edited));
        let half = words[..1_000].join(" ");
        assert!(alike(&whole, &half) < 0.8, "{}", alike(&whole, &half));
        assert!(alike(&whole, &text(seed + 100, 2_000).join(" ")) < 0.05);
    }
}

#[test]
fn copies_share_a_band() {
    for seed in 1..50 {
        let words = text(seed, 500);
        let mut edited = words.clone();
        edited.truncate(480);
        let (one, other) = (of(&words.join(" ")), of(&edited.join(" ")));
        let bands = other.bands();
        assert!(one.bands().iter().any(|band| bands.contains(band)));
    }
}

proptest! {
    #[test]
    fn a_likeness_survives_being_stored(text in ".{0,400}") {
        if let Some(own) = Likeness::of_text(&text) {
            let bytes = own.to_bytes();
            prop_assert_eq!(Likeness::from_bytes(Modality::Text, &bytes), Some(own.clone()));
            prop_assert_eq!(Likeness::from_bytes(Modality::Text, &bytes[1..]), None);
            prop_assert_eq!(Likeness::from_bytes(Modality::Image, &bytes), None);
            prop_assert_eq!(own.alike(&own), 1.0);
        }
    }
}
