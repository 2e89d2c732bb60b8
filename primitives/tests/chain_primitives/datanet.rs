//! What a Datanet's owner may say about it.

use openledger_primitives::{
    datanet::{TextProblem, MAX_TAG},
    DatanetText,
};

fn text(summary: &str, description: &str, tags: &[&str]) -> DatanetText {
    let bytes = |text: &str| text.as_bytes().to_vec();
    DatanetText {
        summary: bytes(summary).try_into().expect("short"),
        description: bytes(description).try_into().expect("short"),
        tags: tags
            .iter()
            .map(|tag| bytes(tag).try_into().expect("short"))
            .collect::<Vec<_>>()
            .try_into()
            .expect("few"),
    }
}

#[test]
fn what_pages_can_show_is_taken() {
    for good in [
        text("", "", &[]),
        text("Letters of sailors", "# Letters\n\n- from 1850\n\tto 1900", &["letters", "sea"]),
        // Persian and Indic scripts are spelled with joiners.
        text("می\u{200c}خواهم", "क्\u{200d}ष", &["می\u{200c}خواهم"]),
    ] {
        assert_eq!(good.validate(), Ok(()), "{good:?}");
    }
}

#[test]
fn what_cannot_be_seen_is_refused() {
    for hidden in ["a\u{1b}[31m", "\u{202e}gnp.exe", "a\u{200b}b", "\u{feff}a", "a\rb"] {
        assert_eq!(text(hidden, "", &[]).validate(), Err(TextProblem::Characters), "{hidden:?}");
        assert_eq!(text("", hidden, &[]).validate(), Err(TextProblem::Characters), "{hidden:?}");
        assert_eq!(text("", "", &[hidden]).validate(), Err(TextProblem::Characters), "{hidden:?}");
    }
    assert_eq!(text("two\nlines", "", &[]).validate(), Err(TextProblem::Characters));
    let mut broken = text("a", "", &[]);
    broken.summary = vec![0xff].try_into().expect("short");
    assert_eq!(broken.validate(), Err(TextProblem::Characters));
}

#[test]
fn a_tag_is_a_word_and_stands_once() {
    let long = "t".repeat(MAX_TAG as usize);
    assert_eq!(text("", "", &[&long]).validate(), Ok(()));
    for tags in [&["a", "a"][..], &["", "a"], &[" a"], &["a "]] {
        assert_eq!(text("", "", tags).validate(), Err(TextProblem::Tags), "{tags:?}");
    }
}
