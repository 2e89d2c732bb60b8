//! Rules of admission: one number in the pool, in storage and in programs.

use codec::{DecodeAll, Encode};
use openledger_primitives::{Modality, Refusal, RefusalRule};
use std::collections::BTreeSet;

#[test]
fn every_rule_has_one_number_everywhere() {
    let codes: BTreeSet<u8> = RefusalRule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(codes, (1..=RefusalRule::ALL.len() as u8).collect());
    for rule in RefusalRule::ALL {
        assert_eq!(RefusalRule::from_code(rule.code()), Some(rule));
        assert_eq!(rule.encode(), [rule.code()]);
        assert_eq!(RefusalRule::decode_all(&mut &[rule.code()][..]), Ok(rule));
    }
    for code in (0..=u8::MAX).filter(|code| !codes.contains(code)) {
        assert_eq!(RefusalRule::from_code(code), None);
        assert!(RefusalRule::decode_all(&mut &[code][..]).is_err());
    }
}

#[test]
fn the_numbers_are_those_that_were_given_out() {
    assert_eq!(
        RefusalRule::ALL[..12],
        [
            RefusalRule::UnknownDatanet,
            RefusalRule::NotRegistered,
            RefusalRule::ItemCount,
            RefusalRule::WrongModality,
            RefusalRule::EmptyFile,
            RefusalRule::DigestMismatch,
            RefusalRule::RepeatedItem,
            RefusalRule::AlreadySubmitted,
            RefusalRule::DailyFiles,
            RefusalRule::DailyBytes,
            RefusalRule::DatanetDailyFiles,
            RefusalRule::DatanetDailyBytes,
        ]
    );
}

#[test]
fn refusals_in_words_name_file_value_limit_and_next_step() {
    let words = |refusal: Refusal| refusal.to_string();
    assert_eq!(
        words(Refusal::of_call(RefusalRule::DailyFiles, 21, 20)),
        "an account submits at most 20 files a UTC day, and this would make 21; try again after 00:00 UTC"
    );
    // A file that is larger than a day's limit has no use for the next day.
    let too_large = words(Refusal::of_item(RefusalRule::DailyBytes, 0, 30, 20));
    assert_eq!(
        too_large,
        "file 1: it has 30 bytes; the limit of a day, and so of a file, is 20; split it"
    );
    for rule in
        [RefusalRule::DailyBytes, RefusalRule::DatanetDailyFiles, RefusalRule::DatanetDailyBytes]
    {
        let words = words(Refusal::of_call(rule, 12_345, 10_000));
        assert!(words.contains("10000") && words.contains("would make 12345"), "{words}");
    }
    assert!(words(Refusal::of_item(RefusalRule::EmptyFile, 0, 0, 0)).starts_with("file 1: "));
    assert!(words(Refusal::of_item(RefusalRule::RepeatedItem, 4, 1, 0)).contains("file 2"));
    assert!(words(Refusal::of_call(RefusalRule::NotRegistered, 0, 0)).contains("register"));
    let modality = Refusal {
        modality: Some(Modality::Audio),
        ..Refusal::of_item(RefusalRule::WrongModality, 0, 0, 0)
    };
    assert!(words(modality).ends_with("it takes .wav, .mp3, .flac"));
    for rule in RefusalRule::ALL {
        assert!(!words(Refusal::of_call(rule, 1, 2)).is_empty());
    }
}
