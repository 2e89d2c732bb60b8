//! Text that is read from the right: the order in which it is read, whatever the order in which it is
//! drawn.

use crate::documents::{page_of, pdf, stream};
use std::fmt::Write;
use std::path::PathBuf;

/// A glyph: its text, where it is drawn, and its width, in units of its size.
type Glyph<'a> = (&'a str, f64, f64, f64);

const SIZE: f64 = 10.0;
const LEFT: f64 = 100.0;

/// The text of a page on which each glyph is drawn on its own, in this order.
fn drawn(glyphs: &[Glyph<'_>]) -> String {
    let (mut map, mut widths) = (String::new(), String::new());
    let mut content = format!("BT /F {SIZE} Tf ");
    for (index, (text, x, y, width)) in glyphs.iter().enumerate() {
        let code = index + 1;
        let units: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
        writeln!(map, "1 beginbfchar <{code:04x}> <{units}> endbfchar").unwrap();
        write!(widths, "{code}[{}]", width * 1000.0).unwrap();
        let (x, y) = (LEFT + x * SIZE, 500.0 + y * SIZE);
        write!(content, "1 0 0 1 {x} {y} Tm <{code:04x}> Tj ").unwrap();
    }
    content += "ET";
    let font = format!(
        "<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts\
         [<</Type/Font/Subtype/CIDFontType2/W[{widths}]>>]>>"
    );
    let map = format!("1 begincodespacerange <0000> <ffff> endcodespacerange {map}");
    let text = pdf(&page_of(content.as_bytes(), &font, &[stream("", map.as_bytes())]));
    text.unwrap().trim_end().to_owned()
}

/// Places of letters of half their size, as they are seen from the left.
fn seen(text: &str) -> Vec<(String, f64)> {
    let letters = text.chars().enumerate().filter(|(_, letter)| *letter != '_');
    letters.map(|(index, letter)| (letter.to_string(), index as f64 * 0.5)).collect()
}

/// The same, drawn in the order that `order` makes of it.
fn in_order(text: &str, order: fn(&mut Vec<(String, f64)>)) -> String {
    let mut letters = seen(text);
    order(&mut letters);
    let glyphs: Vec<Glyph<'_>> =
        letters.iter().map(|(letter, x)| (letter.as_str(), *x, 0.0, 0.5)).collect();
    drawn(&glyphs)
}

#[test]
fn the_order_of_drawing_does_not_matter() {
    // As it is seen: the first word is the one on the right.
    for (as_seen, as_read) in [
        ("םלוע_םולש", "שלום עולם"),
        ("ملاعلاب_ابحرم", "مرحبا بالعالم"),
        ("םילשורי_1948_תנשב", "בשנת 1948 ירושלים"),
        ("14:30_העשב", "בשעה 14:30"),
        ("(אבה_קרפ)_ואר", "ראו (פרק הבא)"),
        ("17%_מ\"עמ", "מע\"מ 17%"),
    ] {
        for order in [
            |_: &mut Vec<(String, f64)>| {},
            |letters: &mut Vec<(String, f64)>| letters.reverse(),
            // Odd ones first: as the program likes.
            |letters: &mut Vec<(String, f64)>| {
                letters.sort_by_key(|(_, x)| ((x * 2.0) as i64 % 2, -(x * 2.0) as i64));
            },
        ] {
            assert_eq!(in_order(as_seen, order), as_read);
        }
    }
}

#[test]
fn letters_that_lie_over_each_other_keep_the_order_of_their_line() {
    // A lam whose hah begins to the left of it in a line drawn from the left.
    let kerned: [Glyph<'_>; 5] = [
        ("ر", 0.0, 0.0, 0.4),
        ("م", 0.4, 0.0, 0.5),
        ("ح", 0.95, 0.0, 0.6),
        ("ل", 0.85, 0.0, 0.6),
        ("ا", 1.45, 0.0, 0.3),
    ];
    assert_eq!(drawn(&kerned), "الحمر");
    // The same where they are drawn in the order of reading, the hah narrow and under the lam.
    let read: [Glyph<'_>; 5] = [
        ("ا", 1.45, 0.0, 0.3),
        ("ل", 0.9, 0.0, 0.55),
        ("ح", 0.87, 0.0, 0.04),
        ("م", 0.4, 0.0, 0.47),
        ("ر", 0.0, 0.0, 0.4),
    ];
    assert_eq!(drawn(&read), "الحمر");
}

#[test]
fn marks_go_with_the_letter_that_they_are_drawn_for() {
    // Shaped from the left: a mark is drawn before its letter, here over the edge of its neighbour.
    let shaped: [Glyph<'_>; 6] = [
        ("\u{650}", 0.05, -0.1, 0.0),
        ("م", 0.0, 0.0, 0.5),
        ("\u{652}", 0.45, 0.1, 0.0),
        ("س", 0.5, 0.0, 0.6),
        ("\u{650}", 1.05, -0.1, 0.0),
        ("ب", 1.1, 0.0, 0.5),
    ];
    assert_eq!(drawn(&shaped), "بِسْمِ");
    // In the order of reading: it is drawn after its letter.
    let read: [Glyph<'_>; 6] = [
        ("ب", 1.1, 0.0, 0.5),
        ("\u{650}", 1.05, -0.1, 0.0),
        ("س", 0.5, 0.0, 0.6),
        ("\u{652}", 0.45, 0.1, 0.0),
        ("م", 0.0, 0.0, 0.5),
        ("\u{650}", -0.05, -0.1, 0.0),
    ];
    assert_eq!(drawn(&read), "بِسْمِ");
    // From the left with marks after their letters, as their places say.
    let placed: [Glyph<'_>; 8] = [
        ("ם", 0.0, 0.0, 0.5),
        ("ו", 0.5, 0.0, 0.9),
        ("\u{5b9}", 0.6, 0.1, 0.0),
        ("ל", 1.4, 0.0, 0.9),
        ("\u{5b8}", 1.5, -0.1, 0.0),
        ("ש", 2.3, 0.0, 0.9),
        ("\u{5b8}", 2.4, -0.1, 0.0),
        ("\u{5c1}", 2.45, 0.1, 0.0),
    ];
    assert_eq!(drawn(&placed), "ש\u{5b8}\u{5c1}ל\u{5b8}ו\u{5b9}ם");
}

#[test]
fn equal_vowels_side_by_side_are_no_repetition() {
    let narrow: [Glyph<'_>; 4] = [
        ("\u{64e}", 0.02, 0.0, 0.0),
        ("د", 0.0, 0.0, 0.4),
        ("\u{64e}", 0.1, 0.0, 0.0),
        ("ا", 0.4, 0.0, 0.1),
    ];
    assert_eq!(drawn(&narrow), "اَدَ");
    // One that is drawn again at its place is.
    let again: [Glyph<'_>; 3] =
        [("\u{64e}", 0.02, 0.0, 0.0), ("\u{64e}", 0.04, 0.0, 0.0), ("د", 0.0, 0.0, 0.4)];
    assert_eq!(drawn(&again), "دَ");
}

#[test]
fn a_mark_far_above_begins_no_line_of_its_own() {
    let raised: [Glyph<'_>; 4] = [
        ("\u{64e}", 0.3, 0.7, 0.0),
        ("ن", 0.0, 0.0, 0.5),
        ("م", 0.5, 0.0, 0.5),
        ("ا", 1.0, 0.0, 0.3),
    ];
    assert_eq!(drawn(&raised), "امنَ");
}

#[test]
fn a_mark_of_an_unknown_letter_changes_no_other_line() {
    // A heading in a font whose letters nobody names, but for the hamza over one of them.
    let name = [("\u{64a}", 1.0, 0.0, 0.5), ("\u{646}", 1.5, 0.0, 0.5), ("\u{633}", 2.0, 0.0, 0.5)];
    let mut heading = vec![("\u{e001}", 3.0, 3.0, 0.5), ("\u{654}", 3.2, 3.0, 0.0)];
    heading.extend(name);
    assert_eq!(drawn(&heading), "سني");
    // One that is drawn before the letter that it is for stays.
    let mut before = vec![("\u{654}", 1.2, 0.0, 0.0)];
    before.extend(name);
    assert_eq!(drawn(&before), "سنئ");
}

#[test]
fn raised_signs_of_notes_are_words_of_their_own() {
    let map = "1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar \
               <0001> <0633> endbfchar 1 beginbfchar <0002> <06f2> endbfchar 1 beginbfchar \
               <0003> <0061> endbfchar";
    let font = "<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts\
                [<</Type/Font/Subtype/CIDFontType2/W[1[500 500 500]]>>]>>";
    let text = |note: &str| {
        let content = format!("BT 100 500 Td {note} /F 10 Tf 3.5 0 Td <000100010001> Tj ET");
        pdf(&page_of(content.as_bytes(), font, &[stream("", map.as_bytes())])).unwrap()
    };
    assert_eq!(text("/F 7 Tf 4 Ts <0002> Tj 0 Ts"), "سسس ۲\n");
    assert_eq!(text("/F 7 Tf 4 Ts <0003> Tj 0 Ts"), "سسس a\n");
    // One of the same height is not.
    assert_eq!(text("/F 7 Tf <0003> Tj"), "سسسa\n");
}

/// Words of four letters at a distance.
fn words(gap: f64, blank: bool) -> String {
    let mut glyphs: Vec<Glyph<'_>> = Vec::new();
    let mut x = 0.0;
    for word in 0..5 {
        if word > 0 {
            if blank {
                glyphs.push((" ", x, 0.0, gap));
            }
            x += gap;
        }
        for letter in ["ن", "م", "ل", "س"] {
            glyphs.push((letter, x, 0.0, 0.5));
            x += 0.5;
        }
    }
    drawn(&glyphs)
}

#[test]
fn gaps_are_measured_by_those_of_their_line() {
    let apart = ["سلمن"; 5].join(" ");
    // As wide as usual, and in a full line as narrow as typesetters make them.
    assert_eq!(words(0.25, false), apart);
    assert_eq!(words(0.05, false), apart);
    assert_eq!(words(0.25, true), apart);
    // Rounded places are no gaps.
    assert_eq!(words(0.01, false), "سلمن".repeat(5));
    // A font that sets a letter .13 off another, where words are .3 apart, and where blanks are
    // drawn.
    for blank in [false, true] {
        let mut glyphs: Vec<Glyph<'_>> = Vec::new();
        let mut x = 0.0;
        for _ in 0..4 {
            for letter in ["ن", "ي", "ر", "م", "ت"] {
                glyphs.push((letter, x, 0.0, 0.5));
                x += if letter == "ي" { 0.63 } else { 0.5 };
            }
            if blank {
                glyphs.push((" ", x, 0.0, 0.3));
            }
            x += 0.3;
        }
        assert_eq!(drawn(&glyphs), ["تمرين"; 4].join(" "));
    }
}

#[test]
fn a_sign_without_a_character_says_nothing_about_the_gaps_of_its_line() {
    // Words .18 apart, with ligatures in them whose characters the font does not state.
    let mut glyphs: Vec<Glyph<'_>> = Vec::new();
    let mut x = 0.0;
    for _ in 0..5 {
        for letter in ["ن", "\u{e001}", "م", "ل", "س"] {
            let width = if letter == "\u{e001}" { 0.9 } else { 0.5 };
            glyphs.push((letter, x, 0.0, width));
            x += width;
        }
        x += 0.18;
    }
    assert_eq!(drawn(&glyphs), ["سلم ن"; 5].join(" "));
}

#[test]
fn a_blank_that_lies_over_a_letter_parts_no_words() {
    // As XeTeX draws some Kurdish: a blank in each word, under its next letter, and words .18 apart.
    let mut glyphs: Vec<Glyph<'_>> = Vec::new();
    let mut x = 0.0;
    for _ in 0..6 {
        for (letter, width) in [("ن", 0.5), (" ", 0.0), ("م", 0.5), ("ل", 0.5), ("س", 0.5)] {
            glyphs.push((letter, x, 0.0, if letter == " " { 0.2 } else { width }));
            x += width;
        }
        x += 0.18;
    }
    let words = drawn(&glyphs).replace("م ن", "من");
    assert_eq!(words, ["سلمن"; 6].join(" "));
}

#[test]
fn numbers_keep_their_digits_in_order_whatever_their_script() {
    for (as_seen, as_read) in [
        ("٪١٥_ةبيرض", "ضريبة ١٥٪"),
        ("١٬٢٣٤٫٥٦_رعسلا", "السعر ١٬٢٣٤٫٥٦"),
        // Two of the digits have one form in both sets.
        ("۴۵٦_تمیق", "قیمت ۴۵٦"),
    ] {
        assert_eq!(in_order(as_seen, |_| {}), as_read);
        assert_eq!(in_order(as_seen, |letters| letters.reverse()), as_read);
    }
}

#[test]
fn the_text_of_a_letter_and_its_dots_stands_where_the_letter_does() {
    // As LibreOffice writes Nastaliq: the dots come first, far over their letter.
    let map = "1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar \
               <0001> <0627> endbfchar 1 beginbfchar <0003> <0628> endbfchar";
    let font = "<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts\
                [<</Type/Font/Subtype/CIDFontType2/W[1[300]2[0]3[500]]>>]>>";
    let content = b"BT /F 10 Tf 1 0 0 1 100 500 Tm <0003> Tj \
                    /Span<</ActualText<FEFF06CC>>> BDC 1 0 0 1 111 503 Tm <0002> Tj \
                    1 0 0 1 105 500 Tm <0003> Tj EMC 1 0 0 1 110 500 Tm <0001> Tj ET";
    let text = pdf(&page_of(content, font, &[stream("", map.as_bytes())])).unwrap();
    assert_eq!(text, "ا\u{6cc}ب\n");
}

/// Texts that are known, as LibreOffice 7.4 and WeasyPrint 70 print them: with points and vowels,
/// numbers, brackets, words of other scripts, lists and tables.
#[test]
fn documents_of_word_processors_and_browsers_are_read_as_they_were_written() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/content_documents/documents/right-to-left");
    let (mut read, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pdf") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let source = name.split('-').next().unwrap();
        let wanted = std::fs::read_to_string(folder.join(format!("{source}.txt"))).unwrap();
        let text = pdf(&std::fs::read(&path).unwrap()).unwrap();
        let (wanted, text) = (words_of(&wanted), words_of(&text));
        if text != wanted {
            wrong.push(format!("{name}: {} for {}", text.join(" "), wanted.join(" ")));
        }
        read += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(read, 9);
}

/// Words in their order, without bullets and the joiners that no glyph is drawn for.
fn words_of(text: &str) -> Vec<String> {
    let words = text.split_whitespace().map(|word| word.replace(['\u{200c}', '•', '▪'], ""));
    words.filter(|word| !word.is_empty()).collect()
}
