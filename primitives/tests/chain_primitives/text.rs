use openledger_primitives::text::{check, check_optional, check_page, visible, TextError};

fn forbidden(character: char, place: u32) -> Result<&'static str, TextError> {
    Err(TextError::Forbidden { character, place })
}

#[test]
fn what_people_write_passes() {
    for text in [
        "Apache-2.0",
        "Gedichte, größer und schöner ✨",
        "食譜　集",
        "https://worker.example:8443/v1",
        "वैज्ञानिक",
        "한국어",
        "שלום",
    ] {
        assert_eq!(check(text.as_bytes()), Ok(text));
        assert_eq!(visible(text, true), text);
    }
}

#[test]
fn joiners_stay_between_letters_that_need_them() {
    // Persian plural and verb; Hindi with an open conjunct; Malayalam and Bengali with joiners.
    for text in ["کتاب\u{200c}ها", "می\u{200c}خواهم", "क्\u{200d}ष", "ന്\u{200d}മ", "র\u{200d}্যা"]
    {
        assert_eq!(check(text.as_bytes()), Ok(text));
        assert_eq!(visible(text, true), text);
    }
    for (text, joiner, place) in [
        ("Open\u{200c}Ledger", '\u{200c}', 4),
        ("کتاب\u{200c}", '\u{200c}', 8),
        ("\u{200d}क", '\u{200d}', 0),
        ("کتاب\u{200c}\u{200c}ها", '\u{200c}', 8),
        ("کتاب\u{200c} ها", '\u{200c}', 8),
    ] {
        assert_eq!(check(text.as_bytes()), forbidden(joiner, place), "{text:?}");
    }
}

#[test]
fn what_cannot_be_seen_or_commands_a_terminal_is_refused_and_written_out() {
    let hidden = [
        '\0',
        '\u{7}',
        '\u{8}',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2064}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{fffc}',
        '\u{13430}',
        '\u{1d159}',
        '\u{16fe4}',
        '\u{fffe}',
        '\u{fdd0}',
        '\u{1d173}',
        '\u{e0001}',
        '\u{e0041}',
        '\u{e01ef}',
        '\u{e000}',
        '\u{10ffff}',
    ];
    for character in hidden {
        let text = format!("a{character}b");
        assert_eq!(check(text.as_bytes()), forbidden(character, 1), "{character:?}");
        let shown = visible(&text, true);
        assert_eq!(shown, format!("a{}b", character.escape_unicode()));
        assert_eq!(check(shown.as_bytes()), Ok(shown.as_str()));
    }
    for character in ['\n', '\t'] {
        let text = format!("a{character}b");
        assert_eq!(check(text.as_bytes()), forbidden(character, 1));
        assert_eq!(visible(&text, true), format!("a{}b", character.escape_unicode()));
    }
}

#[test]
fn letters_carry_the_marks_that_scripts_need() {
    for text in [
        // Vietnamese apart, French apart, the alphabet of phonetics.
        "Ti\u{65}\u{302}\u{301}ng Vi\u{65}\u{323}\u{302}t",
        "e\u{301}te\u{301}",
        "a\u{303}\u{330}\u{301}\u{2d0}",
        // Hebrew with point, dagesh, vowel, meteg and accent; Arabic with shadda, vowel and small alif.
        "שׁ\u{5bc}\u{5b8}\u{5bd}\u{596}",
        "اللّٰهُ مُحَمَّدٌ",
        "لِل\u{651}\u{64e}\u{670}هِ",
        // Thai, Lao, Burmese, Khmer, Tibetan, Bengali, Tamil, Malayalam.
        "ที่นี่ ผู้ใหญ่",
        "ຜູ້ທີ່",
        "မြွှုံ့ ကျွန်ုပ်",
        "ខ្ញុំស្រឡាញ់",
        "ཧཱུྂ་བསྒྲུབས",
        "ক্ষ্ণৌঁ স্ত্রীঁ",
        "ஸ்ரீ க்ஷௌ",
        "ക്ഷ്ണ്യ",
        "क्ष्म्यँ र्द्ध्रे॑",
    ] {
        assert_eq!(check(text.as_bytes()), Ok(text), "{text:?}");
        assert_eq!(visible(text, true), text);
    }
    assert_eq!(check_page("1\u{fe0f}\u{20e3} first".as_bytes()), Ok("1\u{fe0f}\u{20e3} first"));
}

#[test]
fn no_letter_carries_a_tower_of_marks_and_no_mark_stands_on_nothing() {
    for (mark, most) in [
        ('\u{301}', 4),
        ('\u{336}', 4),
        ('\u{489}', 4),
        ('\u{1dd8}', 4),
        ('\u{20d2}', 4),
        ('\u{fe22}', 4),
        ('\u{e49}', 6),
        ('\u{64e}', 6),
        ('\u{f71}', 6),
        ('\u{1da3b}', 6),
    ] {
        let tower = |height| format!("o{}k", mark.to_string().repeat(height));
        assert_eq!(check(tower(most).as_bytes()), Ok(tower(most).as_str()), "{mark:?}");
        let place = (1 + most * mark.len_utf8()) as u32;
        assert_eq!(check(tower(most + 1).as_bytes()), forbidden(mark, place));
        assert_eq!(check_page(tower(most + 1).as_bytes()), forbidden(mark, place));
        // Written out, the ones that are too many; of a document too.
        for line in [true, false] {
            let shown = visible(&tower(most + 30), line);
            assert_eq!(shown.chars().filter(|shown| *shown == mark).count(), most);
        }
        for (text, place) in [(format!("{mark}a"), 0), (format!("a {mark}b"), 2)] {
            assert_eq!(check(text.as_bytes()), forbidden(mark, place), "{text:?}");
            assert_eq!(
                visible(&text, true),
                text.replace(mark, &mark.escape_unicode().to_string())
            );
            assert_eq!(visible(&text, false), text);
        }
    }
    // Of mixed ones as well, and selectors between them do not begin anew.
    let mixed = "a\u{64e}\u{e49}\u{64e}\u{e49}\u{64e}\u{e49}\u{64e}";
    assert_eq!(check(mixed.as_bytes()), forbidden('\u{64e}', 16));
    let between = "a\u{301}\u{fe0f}\u{301}\u{fe0f}\u{301}\u{fe0f}\u{301}\u{fe0f}\u{301}";
    assert_eq!(check_page(between.as_bytes()), forbidden('\u{301}', 21));
}

#[test]
fn the_text_of_a_document_keeps_its_lines_and_what_honest_texts_hold() {
    for text in ["one\ntwo\tthree", "❤\u{fe0f}", "👩\u{200d}🔬", "שלום\u{200f}!"] {
        assert_eq!(visible(text, false), text);
    }
    for character in ['\u{1b}', '\r', '\u{202e}', '\u{2066}', '\u{200b}', '\u{e0041}'] {
        let text = format!("a{character}\nb");
        assert_eq!(visible(&text, false), format!("a{}\nb", character.escape_unicode()));
    }
}

#[test]
fn a_page_has_lines_and_hides_nothing() {
    for page in ["", "# Birds\n\n- one\ttwo\n", "❤\u{fe0f} birds", "کتاب\u{200c}ها\n"] {
        assert_eq!(check_page(page.as_bytes()), Ok(page));
    }
    for (page, character, place) in [
        ("one\ntwo\u{1b}[2J", '\u{1b}', 7),
        ("a\r\n", '\r', 1),
        ("a\n\u{202e}b", '\u{202e}', 2),
        ("x\u{200b}", '\u{200b}', 1),
    ] {
        assert_eq!(check_page(page.as_bytes()), forbidden(character, place), "{page:?}");
    }
    assert_eq!(check_page(&[0xff]), Err(TextError::NotUtf8));
}

#[test]
fn a_text_is_utf8_with_something_in_it() {
    assert_eq!(check(&[b'a', 0xff]), Err(TextError::NotUtf8));
    for blank in ["", " ", " \t\n", "\u{3000}"] {
        assert_eq!(check(blank.as_bytes()), Err(TextError::Blank));
    }
    assert_eq!(check_optional(b""), Ok(""));
    assert_eq!(check_optional(b" "), Err(TextError::Blank));
}
