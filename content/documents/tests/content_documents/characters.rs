//! What counts of a text's characters, and what a text cannot be made longer by.

use openledger_documents::{canonical_text, read, Hidden, MediaType, Reading, TextError};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn reading(text: &str) -> Reading {
    read(MediaType::Txt, text.as_bytes()).unwrap()
}

fn text(of: &str) -> String {
    reading(of).text
}

fn left_out(of: &str) -> Vec<(Hidden, u64)> {
    reading(of).left_out.iter().collect()
}

#[test]
fn runs_of_characters_that_show_nothing_count_nothing() {
    for (name, unit) in [
        ("zero-width spaces", "\u{200b}"),
        ("joiners", "\u{200d}"),
        ("non-joiners", "\u{200c}"),
        ("tags", "\u{e0061}"),
        ("a tag that opens a language", "\u{e0001}"),
        ("variation selectors", "\u{fe0f}"),
        ("variation selectors of ideographs", "\u{e0100}"),
        ("Mongolian selectors", "\u{180b}"),
        ("bidirectional controls", "\u{202e}\u{202c}"),
        ("isolates", "\u{2066}\u{2069}"),
        ("marks of direction", "\u{200e}\u{200f}\u{61c}"),
        ("invisible operators", "\u{2062}\u{2064}"),
        ("word joiners", "\u{2060}\u{feff}"),
        ("soft hyphens", "\u{ad}"),
        ("grapheme joiners", "\u{34f}"),
        ("Hangul fillers", "\u{3164}\u{115f}\u{1160}\u{ffa0}"),
        ("Khmer vowels that are not written", "\u{17b4}\u{17b5}"),
        ("shorthand controls", "\u{1bca0}"),
        ("controls of music", "\u{1d173}"),
        ("annotation", "\u{fff9}\u{fffa}\u{fffb}"),
        ("controls", "\u{1}\u{7f}\u{86}"),
        ("reserved ignorable code points", "\u{e0fff}\u{fff0}"),
    ] {
        let padded = format!("Rain{}fell.", unit.repeat(40));
        let read = reading(&padded);
        assert_eq!(read.text, "Rainfell.", "{name}");
        let all = (padded.len() - read.text.len()) as u64;
        assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Invisible, all)], "{name}");
        let much = format!("Rain{}fell.", unit.repeat(2_000));
        let error = canonical_text(MediaType::Md, much.as_bytes()).unwrap_err();
        assert!(
            matches!(error, TextError::Hidden { most: Hidden::Invisible, .. }),
            "{name}: {error}"
        );
        // One after each letter is no better.
        let between: String =
            "Rain fell on Monday.".chars().flat_map(|c| [c.to_string(), unit.to_owned()]).collect();
        assert_eq!(text(&between), "Rain fell on Monday.", "{name}");
    }
}

#[test]
fn signs_without_a_stated_character_count_nothing() {
    for unit in
        ["\u{fffd}", "\u{fffc}", "\u{e000}", "\u{f8ff}", "\u{10fffe}", "\u{fdd0}", "\u{378}"]
    {
        let read = reading(&format!("Rain {} fell.", unit.repeat(500)));
        assert_eq!(read.text, "Rain  fell.", "{unit:?}");
        let (why, units) = read.left_out.iter().next().unwrap();
        assert_eq!((why, units), (Hidden::Unmapped, 500 * unit.len() as u64), "{unit:?}");
    }
}

#[test]
fn joiners_and_selectors_stay_where_they_change_what_is_seen() {
    for same in [
        // Persian plurals and prefixes, and an initial form that stands alone.
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645} \u{6a9}\u{62a}\u{627}\u{628}\u{200c}\u{647}\u{627}",
        "\u{647}\u{200d} \u{6f1}\u{6f4}\u{6f0}\u{6f4}",
        "\u{628}\u{64e}\u{200c}\u{628}",
        // Hindi half forms, Bengali ra with ya-phalaa, Sinhala and Malayalam.
        "\u{930}\u{94d}\u{200d}\u{92f} \u{915}\u{94d}\u{200c}\u{937}",
        "\u{9b0}\u{200d}\u{9cd}\u{9af}",
        "\u{dc1}\u{dca}\u{200d}\u{dbb}\u{dd3}",
        // A family, a heart on fire, skin, a keycap, text style, England.
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{2764}\u{fe0f}\u{200d}\u{1f525} \u{1f44b}\u{1f3fd} \u{1f9d1}\u{1f3fd}\u{200d}\u{1f4bb}",
        "1\u{fe0f}\u{20e3} \u{2714}\u{fe0e}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "\u{1820}\u{180b}\u{1821}\u{180e}\u{1820}",
        // Signs of format that are seen.
        "\u{600}\u{661}\u{662}",
    ] {
        let read = reading(same);
        assert_eq!(read.text, same);
        assert!(read.left_out.is_empty(), "{same:?}: {:?}", read.left_out);
    }
}

#[test]
fn joiners_and_selectors_go_where_nobody_sees_them() {
    for (padded, plain) in [
        ("R\u{200c}a\u{200d}i\u{200c}n", "Rain"),
        // Arabic letters join anyway, and after alif nothing joins.
        ("\u{628}\u{200d}\u{628}", "\u{628}\u{628}"),
        ("\u{627}\u{200c}\u{628}", "\u{627}\u{628}"),
        ("\u{628}\u{200c} ", "\u{628} "),
        ("1\u{fe0f}2\u{fe0f}", "12"),
        ("\u{845b}\u{e0100}\u{98fe}", "\u{845b}\u{98fe}"),
        ("\u{1f600}\u{200d}a", "\u{1f600}a"),
        // Another flag than the three, and too many of each.
        ("\u{1f3f4}\u{e0067}\u{e0062}\u{e0061}\u{e0061}\u{e0061}\u{e007f}!", "\u{1f3f4}!"),
        ("\u{2764}\u{fe0f}\u{fe0f}\u{fe0f}!", "\u{2764}\u{fe0f}!"),
        ("\u{628}\u{200c}\u{200c}\u{200c}\u{628}", "\u{628}\u{200c}\u{628}"),
        ("\u{1f468}\u{200d}\u{200d}\u{1f469}", "\u{1f468}\u{200d}\u{1f469}"),
        // What is taken out lets letters compose.
        ("e\u{34f}\u{301}", "\u{e9}"),
        ("\u{1112}\u{200b}\u{1161}", "\u{d558}"),
    ] {
        assert_eq!(text(padded).trim_end(), plain.trim_end(), "{padded:?}");
        assert_eq!(text(plain).trim_end(), plain.trim_end(), "{plain:?}");
    }
}

#[test]
fn a_few_characters_for_the_layout_are_not_hidden_text() {
    let german = "Silben\u{ad}tren\u{ad}nung und \u{200e}(\u{200f}Rich\u{200b}tung) ".repeat(400);
    let read = reading(&german);
    assert!(!read.text.contains('\u{ad}'));
    assert_eq!(read.left_out.hidden(), 0);
    assert_eq!(read.left_out.iter().next(), Some((Hidden::Format, 400 * (2 * 2 + 3 * 3))));
    assert_eq!(left_out("a\u{200b}\u{200b}\u{200b}b"), [(Hidden::Format, 9)]);
    assert_eq!(left_out("a\u{200b}\u{200b}\u{200b}\u{200b}b"), [(Hidden::Invisible, 12)]);
}

#[test]
fn at_most_five_marks_stand_on_one_letter() {
    let hebrew = "\u{5e9}\u{5bc}\u{5c1}\u{5b8}\u{591}\u{5bd}";
    assert_eq!(text(hebrew).chars().count(), 6);
    assert!(reading(hebrew).left_out.is_empty());
    for marks in [
        "\u{316}\u{30d}",
        "\u{489}\u{488}",
        "\u{20dd}\u{20de}",
        "\u{e31}\u{e34}",
        "\u{94d}\u{941}",
        "\u{13430}\u{13431}",
    ] {
        let zalgo = format!("x{}y", marks.repeat(100));
        let read = reading(&zalgo);
        // Canonical order may put equal ones together, of which one stays.
        assert!((4..=7).contains(&read.text.chars().count()), "{marks:?}: {:?}", read.text);
        let beyond = (zalgo.len() - read.text.len()) as u64;
        assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Stacked, beyond)]);
    }
    // The same mark again is drawn at the same place.
    assert_eq!(text("x\u{316}\u{316}\u{316}y"), "x\u{316}y");
    // Joiners between marks begin no new letter.
    let chain = format!("\u{915}{}", "\u{94d}\u{200d}".repeat(100));
    assert!(text(&chain).len() < 40, "{}", text(&chain).len());
}

#[test]
fn blanks_are_paid_for_by_what_is_visible() {
    let words = "The river rose two metres in one night.";
    for blank in [
        " ",
        "\t",
        "\n",
        "\r",
        "\u{a0}",
        "\u{3000}",
        "\u{2003}",
        "\u{202f}",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\u{b}",
        "\u{c}",
        "\u{1680}",
        "\u{205f}",
        "\u{2800}",
        "\u{1d159}",
        "\u{13441}",
        " \n",
        "\u{a0}\u{200b}\n",
        "\n\t\u{2800}",
    ] {
        let padded = format!("{words}{}{words}{0}", blank.repeat(100_000));
        let read = reading(&padded);
        assert!(read.text.len() <= 4 * words.len() + 80, "{blank:?}: {}", read.text.len());
        assert!(
            read.left_out.iter().any(|(why, n)| why == Hidden::Blank && n > 90_000),
            "{blank:?}"
        );
        let spread: String =
            words.chars().flat_map(|c| [c.to_string(), blank.repeat(50)]).collect();
        let spread = spread.repeat(20);
        let shown = 20 * words.len();
        assert!(text(&spread).len() <= 2 * shown + 80, "{blank:?}: {}", text(&spread).len());
        let nothing = canonical_text(MediaType::Txt, blank.repeat(100_000).as_bytes()).unwrap();
        assert!(nothing.len() <= 80, "{blank:?}: {}", nothing.len());
    }
}

#[test]
fn layout_with_blanks_stays_as_it_is() {
    let code =
        "fn main() {\n    for n in 0..3 {\n        println!(\"{n}\");\n    }\n}\n\n\n// end\n";
    let title = "\n\n\n                              THE RIVER\n\nname          metres\nnorth              2\n";
    let hard = "one  \ntwo\tthree\n";
    for same in [code, title, hard] {
        assert_eq!(text(same), same);
        assert!(reading(same).left_out.is_empty());
    }
    // Nobody sees blanks at a line's end.
    assert_eq!(text("one     \n\t\t\t\ntwo    "), "one  \n\t\t\ntwo  ");
    // Words and lines stay apart.
    let far = format!("a{}b{}c", " ".repeat(500), "\n".repeat(500));
    let far = text(&far);
    assert!(far.starts_with("a ") && far.contains("b\n") && far.ends_with("\nc"), "{far:?}");
}

#[test]
fn what_becomes_of_every_character_is_pinned() {
    let mut hash = Sha256::new();
    for character in ('\u{1}'..=char::MAX).filter(|c| !c.is_ascii_alphanumeric()) {
        let read = reading(&format!("a{character}a\u{628}{character}\u{628}"));
        hash.update(read.text);
        hash.update([0]);
    }
    assert_eq!(
        hex::encode(hash.finalize()),
        "dd437d8886db4274a4c45b6d4a1f9aecb31abf43c3ff70ae85f72167fb236880",
        "Unicode's tables or the rules are others: that needs another EXTRACTOR_VERSION"
    );
}

/// Characters of every class that a rule looks at.
fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        prop::sample::select(vec![
            'a',
            '1',
            '\u{628}',
            '\u{627}',
            '\u{915}',
            '\u{94d}',
            '\u{1f468}',
            '\u{2764}',
            '\u{1f3f4}',
            '\u{1820}',
            '\u{845b}',
            '\u{1112}',
            '\u{1161}',
            '\u{11a8}',
            '\u{9c7}',
            '\u{9be}',
            '\u{64e}',
            '\u{20e3}',
            '\u{301}',
            '\u{323}',
            '\u{338}',
            '\u{1f3fd}',
        ]),
        prop::sample::select(vec![
            '\u{200c}',
            '\u{200d}',
            '\u{fe0f}',
            '\u{fe0e}',
            '\u{e0100}',
            '\u{180b}',
            '\u{200b}',
            '\u{34f}',
            '\u{ad}',
            '\u{e0067}',
            '\u{e007f}',
            '\u{fffd}',
            '\u{e000}',
            '\u{202e}',
            '\u{1}',
            '\u{feff}',
        ]),
        prop::sample::select(vec![
            ' ', '\n', '\r', '\t', '\u{a0}', '\u{3000}', '\u{2028}', '\u{2800}', '\u{85}',
        ]),
        any::<char>().prop_filter("no NUL", |character| *character != '\0'),
    ];
    let runs = (character, prop_oneof![4 => Just(1_usize), 1 => 2..40_usize]);
    prop::collection::vec(runs, 0..40).prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(character, times)| std::iter::repeat_n(character, times))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_counts_is_its_own_canonical_text(given in any_text()) {
        let Ok(read) = read(MediaType::Txt, given.as_bytes()) else { return Ok(()) };
        prop_assert_eq!(&text(&read.text), &read.text);
        prop_assert!(reading(&read.text).left_out.is_empty());
    }

    #[test]
    fn nothing_is_longer_than_twice_what_is_visible(given in any_text()) {
        let Ok(read) = read(MediaType::Txt, given.as_bytes()) else { return Ok(()) };
        let blank = |c: &char| c.is_whitespace() || *c == '\u{2800}';
        let blanks: usize = read.text.chars().filter(blank).map(char::len_utf8).sum();
        prop_assert!(blanks <= read.text.len() - blanks + 81);
    }
}
