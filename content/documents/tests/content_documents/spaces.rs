//! What stands between the letters of a PDF: gaps, letter-spaced words, signs that say nothing.

use super::documents::{page_of, pdf, HELVETICA};

fn shown(content: &str) -> String {
    pdf(&page_of(content.as_bytes(), HELVETICA, &[])).unwrap()
}

#[test]
fn letters_with_room_between_them_are_a_word() {
    // 0.16 between all letters, as in headings of capitals, and 0.4 between words.
    let heading = "BT /F 10 Tf [(O)-160(U)-160(R)-400(A)-160(I)-160(M)-160(S)] TJ ET";
    assert_eq!(shown(heading), "OUR AIMS\n");
    // Spaces that are drawn tell the words of a line that is stretched.
    let stretched = "BT /F 10 Tf [(O)-400(u)-400(r)-400( )-400(a)-400(i)-400(m)-400(s)] TJ ET";
    assert_eq!(shown(stretched), "Our aims\n");
    // Letters that stand as far apart as words do are words; so are letters at the ends of words.
    let alphabet = "BT /F 10 Tf [(A)-300(B)-300(C)-300(D)-300(E)] TJ ET";
    assert_eq!(shown(alphabet), "A B C D E\n");
    let words = "BT /F 10 Tf [(is)-150(a)-150(bad)-150(as)] TJ ET";
    assert_eq!(shown(words), "is a bad as\n");
    // Signs and digits are no letters of a word.
    let sum = "BT /F 10 Tf [(x)-160(=)-160(a)-160(+)-160(b)] TJ ET";
    assert_eq!(shown(sum), "x = a + b\n");
}

#[test]
fn character_spacing_that_is_taken_back_within_words_is_a_space() {
    // Ghostscript's way: every letter has 3 points behind it, and numbers take them back.
    let content = "BT /F 10 Tf 3 Tc [(o)300(ra)300(saf)300(r)300(o)300(n)300(t)] TJ ET";
    assert_eq!(shown(content), "or as a front\n");
    assert_eq!(shown("BT /F 10 Tf 2.5 Tc (lX) Tj 0 Tc (font) Tj ET"), "l X font\n");
    // What is spaced throughout is a word.
    assert_eq!(shown("BT /F 10 Tf 3 Tc (spaced) Tj ET"), "spaced\n");
}

#[test]
fn a_sign_without_a_character_parts_what_is_beside_it() {
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Odd/Encoding<</Differences[65/g1/uniE123]>>\
                /FirstChar 65/Widths[500 500]/FontDescriptor<</MissingWidth 500>>>>";
    let content = format!("BT /F 9 Tf (beAeed eBe{}) Tj ET", "e".repeat(50));
    let text = pdf(&page_of(content.as_bytes(), font, &[])).unwrap();
    assert_eq!(text, format!("be eed e {}\n", "e".repeat(51)));
    // Where a font that is not embedded has no sign at all, as for line ends, nothing is drawn.
    assert_eq!(shown("BT /F 9 Tf (one\\ntwo) Tj ET"), "onetwo\n");
}

#[test]
fn a_mirrored_letter_goes_with_its_line() {
    // XeTeX's logo: its second letter is an E, mirrored.
    let content = "BT /F 10 Tf 20 700 Td (X) Tj -1 0 0 1 33.4 698 Tm (E) Tj \
                   1 0 0 1 33.4 700 Tm (T) Tj ET";
    assert_eq!(shown(content), "XET\n");
}

#[test]
fn what_stands_before_and_after_an_accent_is_told_by_its_letter() {
    let font =
        "<</Type/Font/Subtype/Type1/BaseFont/CMR10/Encoding<</Differences[1/dieresis/cedilla\
                /gravecmb]>>/FirstChar 1/Widths[333 333 0]/FontDescriptor<</MissingWidth 700>>>>";
    let shown = |content: &str| pdf(&page_of(content.as_bytes(), font, &[])).unwrap();
    // The accent is drawn 0.18 beyond the end of the letter before, over an o that touches it.
    let content = "BT /F 10 Tf 20 700 Td (H) Tj 8.8 1 Td <01> Tj -1.8 -1 Td (ohe) Tj ET";
    assert_eq!(shown(content), "Höhe\n");
    // The cedilla ends before its letter does, and so does a mark without a width.
    let content = "BT /F 10 Tf 20 700 Td (C) Tj 1.5 0 Td <02> Tj 5.5 0 Td (ok) Tj ET";
    assert_eq!(shown(content), "Çok\n");
    let content = "BT /F 10 Tf 20 700 Td (e) Tj 2 0 Td <03> Tj 5 0 Td (ok) Tj ET";
    assert_eq!(shown(content), "èok\n");
}
