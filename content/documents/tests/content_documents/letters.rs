//! Letters are right or refused: names, fonts' own programs, CMaps, contradictions, order, hyphens.

use super::documents::{page_of, pdf, stream, HELVETICA};
use openledger_documents::{read, Hidden, MediaType, TextError};
use proptest::prelude::*;

fn utf16(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("{unit:04X}")).collect()
}

/// A composite font that says in `ToUnicode` what its codes from 1 on mean, each half an em wide.
fn said(texts: &[&str]) -> (&'static str, Vec<u8>) {
    let mut map =
        String::from("1 begincodespacerange <0000> <ffff> endcodespacerange 9 beginbfchar");
    for (code, text) in (1..).zip(texts) {
        map += &format!(" <{code:04X}> <{}>", utf16(text));
    }
    let font = "<</Type/Font/Subtype/Type0/BaseFont/Said/Encoding/Identity-H/ToUnicode 6 0 R\
                /DescendantFonts[<</Subtype/CIDFontType2/DW 500>>]>>";
    (font, stream("", (map + " endbfchar").as_bytes()))
}

/// The text of these glyphs, each at its place along one line, from left to right in 10 pt.
fn placed(glyphs: &[(&str, f64)]) -> String {
    let texts: Vec<&str> = glyphs.iter().map(|(text, _)| *text).collect();
    let mut content = String::from("BT /F 10 Tf ");
    for (code, (_, x)) in (1..).zip(glyphs) {
        content += &format!("1 0 0 1 {x} 700 Tm <{code:04X}> Tj ");
    }
    let (font, map) = said(&texts);
    pdf(&page_of((content + "ET").as_bytes(), font, &[map])).unwrap()
}

/// The characters of a text from the left, as they are seen.
fn seen(text: &str) -> Vec<(String, f64)> {
    text.chars().map(String::from).zip((0..).map(|place| 100.0 + 5.0 * f64::from(place))).collect()
}

fn from_left(text: &str) -> String {
    let glyphs = seen(text);
    placed(&glyphs.iter().map(|(text, x)| (text.as_str(), *x)).collect::<Vec<_>>())
}

#[test]
fn names_of_tex_and_of_symbol_fonts_are_letters() {
    let font = "<</Type/Font/Subtype/Type1/BaseFont/CMSY10/Encoding<</Differences[1/element/braceleft\
                /minus/ffi/dotlessj/parenleftbigg/summationdisplay/epsilon1/Asmall/f_f_l/uni00660069\
                /Rfractur/arrowdblright/zerooldstyle]>>/FirstChar 1/Widths[500 500 500 500 500 500 500 \
                500 500 500 500 500 500 500]>>";
    let content = b"BT /F 9 Tf <0102030405060708090a0b0c0d0e> Tj ET";
    let text = pdf(&page_of(content, font, &[])).unwrap();
    assert_eq!(text, "\u{2208}{\u{2212}ffi\u{237}(\u{2211}\u{3f5}afflfi\u{211c}\u{21d2}0\n");
    let dingbats = "<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>";
    assert_eq!(pdf(&page_of(b"BT /F 9 Tf (4) Tj ET", dingbats, &[])).unwrap(), "\u{2714}\n");
    let symbol = "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>";
    assert_eq!(pdf(&page_of(b"BT /F 9 Tf (abg) Tj ET", symbol, &[])).unwrap(), "αβγ\n");
}

/// The disguise of Type 1 programs.
fn disguised(bytes: &[u8], key: u16) -> Vec<u8> {
    let mut key = key;
    let encrypt = |byte: &u8| {
        let out = byte ^ (key >> 8) as u8;
        key = key.wrapping_add(u16::from(out)).wrapping_mul(52_845).wrapping_add(22_719);
        out
    };
    [b"zero".as_slice(), bytes].concat().iter().map(encrypt).collect()
}

#[test]
fn the_built_in_encoding_of_a_type_1_font_gives_its_letters_and_blank_glyphs_count_nothing() {
    let open =
        "%!PS-AdobeFont-1.0: Own\n/Encoding 256 array\n0 1 255 {1 index exch /.notdef put} for\n\
                dup 50 /element put\ndup 8#63 /fi put\ndup 52 /A put\nreadonly def\n\
                currentfile eexec\n";
    let mut private = b"dup /Private /lenIV 4 def 2 index /CharStrings 3 dict dup begin\n".to_vec();
    // hsbw, a line, endchar; and without the line.
    let drawn = [139, 239, 13, 149, 149, 5, 14];
    for (name, glyph) in [("element", &drawn[..]), ("fi", &drawn[..]), ("A", &[139, 239, 13, 14])] {
        let glyph = disguised(glyph, 4330);
        private.extend(format!("/{name} {} RD ", glyph.len()).bytes());
        private.extend(glyph);
        private.extend(b" ND\n");
    }
    let program = [open.as_bytes(), &disguised(&private, 55_665)].concat();
    let font = "<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+Own/FirstChar 50/Widths[500 500 500]\
                /FontDescriptor<</Flags 4/FontFile 6 0 R>>>>";
    let bytes = page_of(b"BT /F 9 Tf (234) Tj ET", font, &[stream("", &program)]);
    let reading = read(MediaType::Pdf, &bytes).unwrap();
    assert_eq!(reading.text, "\u{2208}fi\n");
    assert_eq!(reading.left_out.iter().collect::<Vec<_>>(), [(Hidden::Transparent, 1)]);
}

#[test]
fn a_true_type_font_says_by_its_tables_what_its_glyphs_are() {
    // A character table of format 6: U+0041 is glyph 1, U+0042 glyph 2.
    let mut cmap = vec![0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12];
    cmap.extend([0, 6, 0, 14, 0, 0, 0, 0x41, 0, 2, 0, 1, 0, 2]);
    let mut font = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    font.extend(b"cmap\0\0\0\0\0\0\0\x1c");
    font.extend((cmap.len() as u32).to_be_bytes());
    font.extend(&cmap);
    let dict = "<</Type/Font/Subtype/Type0/BaseFont/Tables/Encoding/Identity-H/DescendantFonts[\
                <</Subtype/CIDFontType2/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)>>\
                /FontDescriptor<</Flags 4/FontFile2 6 0 R>>>>]>>";
    let bytes = page_of(b"BT /F 9 Tf <00020001> Tj ET", dict, &[stream("", &font)]);
    assert_eq!(pdf(&bytes).unwrap(), "BA\n");
}

#[test]
fn predefined_cmaps_and_adobes_collections_need_no_to_unicode() {
    let font = |encoding: &str, ordering: &str| {
        format!(
            "<</Type/Font/Subtype/Type0/BaseFont/F/Encoding/{encoding}/DescendantFonts[<</Subtype\
             /CIDFontType0/CIDSystemInfo<</Registry(Adobe)/Ordering({ordering})>>>>]>>"
        )
    };
    for (encoding, ordering, code, text) in [
        ("90ms-RKSJ-H", "Japan1", "93fa967b8cea41", "日本語A"),
        ("EUC-H", "Japan1", "c6fccbdcb8ec", "日本語"),
        ("GBK-EUC-H", "GB1", "d6d0cec4", "中文"),
        ("ETen-B5-H", "CNS1", "a4a4a4e5", "中文"),
        ("KSCms-UHC-H", "Korea1", "c7d1b1db", "한글"),
        ("UniJIS-UTF16-H", "Japan1", "65e5d842dfb7", "日𠮷"),
        ("UniGB-UTF32-H", "GB1", "00004e2d", "中"),
        ("UniCNS-UTF8-H", "CNS1", "e4b8ad41", "中A"),
        ("Identity-H", "Japan1", "046a", "愛"),
    ] {
        let content = format!("BT /F 9 Tf <{code}> Tj ET");
        let found = pdf(&page_of(content.as_bytes(), &font(encoding, ordering), &[]));
        assert_eq!(found.unwrap().trim_end(), text, "{encoding}");
    }
    // An embedded CMap goes on from a named one, and adds a code of its own.
    let map = b"/90ms-RKSJ-H usecmap 1 begincidrange <f0f0> <f0f0> 1130 endcidrange";
    let based = font("X", "Japan1").replace("/X", " 6 0 R");
    let bytes = page_of(b"BT /F 9 Tf <93faf0f0> Tj ET", &based, &[stream("", map)]);
    assert_eq!(pdf(&bytes).unwrap(), "日愛\n");
}

#[test]
fn a_glyph_is_at_most_four_characters() {
    let (font, map) = said(&["abcdefgh"]);
    let reading = read(MediaType::Pdf, &page_of(b"BT /F 9 Tf <0001> Tj ET", font, &[map])).unwrap();
    assert_eq!(reading.text, "abcd\n");
    assert_eq!(reading.left_out.iter().collect::<Vec<_>>(), [(Hidden::Excess, 4)]);
}

/// What a font says of `HELLO` that states these texts for its letters.
fn stated(entries: &str) -> Result<String, TextError> {
    let font = HELVETICA.replace(">>", "/ToUnicode 6 0 R>>");
    let map = format!("9 beginbfchar {entries} endbfchar");
    pdf(&page_of(b"BT /F 9 Tf (HELLO) Tj ET", &font, &[stream("", map.as_bytes())]))
}

#[test]
fn a_to_unicode_that_contradicts_the_font_is_refused_by_name() {
    let error = stated("<48> <0078> <45> <0079> <4c> <007a> <4f> <0077>").unwrap_err();
    assert!(matches!(&error, TextError::Contradiction { font: Some(f), .. } if f == "Helvetica"));
    assert!(error.to_string().contains("`H` on the page and `x` in the file"), "{error}");
    // One wrong entry is none: the font's own letter counts. Case, accents and forms are no matter.
    assert_eq!(stated("<48> <0078>").unwrap(), "HELLO\n");
    assert_eq!(
        stated("<48> <0068> <45> <00c9> <4c> <ff2c> <4f> <00f6>").unwrap(),
        "h\u{c9}\u{ff2c}\u{ff2c}ö\n"
    );
}

#[test]
fn an_actual_text_counts_where_its_letters_are_drawn() {
    let of = |text: &str| {
        let text = utf16(text);
        let content =
            format!("BT /F 9 Tf /Span <</ActualText <FEFF{text}>>> BDC (word-) Tj EMC ET");
        pdf(&page_of(content.as_bytes(), HELVETICA, &[]))
    };
    assert_eq!(of("Words").unwrap(), "Words\n");
    assert_eq!(of("paid").unwrap(), "word-\n", "another word is not what is drawn");
    let error = of("a sentence that stands nowhere on the page").unwrap_err();
    assert!(matches!(error, TextError::Contradiction { font: None, .. }), "{error}");
}

#[test]
fn signs_without_a_character_are_not_paid_and_many_are_refused() {
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Odd/Encoding<</Differences[65/g1]>>>>";
    let line = |odd: &str| format!("BT /F 9 Tf ({odd}{}) Tj ET", "b".repeat(60));
    let reading = read(MediaType::Pdf, &page_of(line("AAA").as_bytes(), font, &[])).unwrap();
    assert_eq!(reading.text, "b".repeat(60) + "\n");
    assert_eq!(reading.left_out.iter().collect::<Vec<_>>(), [(Hidden::Unmapped, 9)]);
    let error = pdf(&page_of(line("AAAA").as_bytes(), font, &[])).unwrap_err();
    assert!(
        matches!(&error, TextError::Unmapped { percent: 7, font, .. } if font == "Odd"),
        "{error}"
    );
}

#[test]
fn lines_that_are_read_from_the_right_come_out_in_reading_order() {
    // Drawn from the left, as they are seen; numbers and Latin words keep their order.
    assert_eq!(from_left("םולש"), "שלום\n");
    assert_eq!(from_left("2020 תנשב droW לש הסרג"), "גרסה של droW בשנת 2020\n");
    assert_eq!(from_left("םולש 12.5 םולש"), "שלום 12.5 שלום\n");
    // Brackets are seen mirrored.
    assert_eq!(from_left("ףוס (ךכ) ןכו"), "וכן (כך) סוף\n");
    // A line that is read from the left turns only what is not.
    assert_eq!(from_left("the word םולש is here"), "the word שלום is here\n");
    // Presentation forms and a ligature become their letters, in order.
    let forms = [("\u{fee1}", 100.0), ("\u{fefc}", 105.0), ("\u{fea4}", 110.0)];
    assert_eq!(placed(&forms), "حلام\n");
}

#[test]
fn letters_that_are_drawn_from_the_right_are_not_turned_again() {
    let logical =
        [("ש", 120.0), ("ל", 115.0), ("ו", 110.0), ("ם", 105.0), (" ", 100.0), ("א", 95.0)];
    assert_eq!(placed(&logical), "שלום א\n");
    // A mark goes with the letter that it stands over, whichever is drawn first.
    let mark = [("ב", 100.0), ("\u{5b8}", 106.0), ("ש", 105.0)];
    assert_eq!(placed(&mark), "ש\u{5b8}ב\n");
}

#[test]
fn hyphens_at_line_ends_are_joined_by_rule() {
    let lines = |lines: &[&str]| {
        let shown: String = lines.iter().map(|line| format!("({line}) Tj 0 -12 Td ")).collect();
        let content = format!("BT /F 10 Tf 0 700 Td {shown} ET");
        pdf(&page_of(content.as_bytes(), HELVETICA, &[])).unwrap()
    };
    assert_eq!(lines(&["an exam-", "ple of it"]), "an example of it\n");
    // The text itself says that the word has a hyphen.
    assert_eq!(
        lines(&["a well-known one, as well-", "known"]),
        "a well-known one, as well-known\n"
    );
    assert_eq!(lines(&["state-of-the-", "art"]), "state-of-the-art\n");
    assert_eq!(lines(&["an e-", "mail"]), "an e-mail\n");
    assert_eq!(lines(&["NATO-", "led"]), "NATO-led\n");
    // Names, numbers and dashes stay as they are.
    assert_eq!(lines(&["non-", "Euclidean"]), "non-\nEuclidean\n");
    assert_eq!(lines(&["1990-", "1995 -", "about"]), "1990-\n1995 -\nabout\n");
}

#[test]
fn an_accent_over_a_letter_is_one_character_with_it() {
    let font =
        "<</Type/Font/Subtype/Type1/BaseFont/CMR10/Encoding<</Differences[1/acute/e/dotlessi\
                /cedilla/c]>>/FirstChar 1/Widths[500 500 500 500 500]>>";
    // TeX: the accent, back, the letter; or the letter, back, the accent.
    let content = b"BT /F 10 Tf [<01> 500 <02> <01> 500 <03> <05> 500 <04>] TJ ET";
    assert_eq!(pdf(&page_of(content, font, &[])).unwrap(), "éíç\n");
    let font = "<</Type/Font/Subtype/Type1/BaseFont/CMSY10/Encoding<</Differences[1/negationslash\
                /equal/suppress/L]>>/FirstChar 1/Widths[0 500 250 500]>>";
    let content = b"BT /F 10 Tf [<01> <02> <03> 250 <04>] TJ ET";
    assert_eq!(pdf(&page_of(content, font, &[])).unwrap(), "≠Ł\n");
}

/// A program of one table with this tag, and of those that say how many glyphs there are.
fn sfnt(tag: &[u8; 4], table: &[u8]) -> Vec<u8> {
    let tables: [(&[u8; 4], &[u8]); 4] = [
        (b"head", &[0; 54]),
        (b"maxp", &[0, 1, 0, 0, 0, 9]),
        (b"loca", &[0, 0, 0, 1, 0, 9, 0xff, 0xff, 0, 4]),
        (tag, table),
    ];
    let mut font = vec![0, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0];
    let mut data = Vec::new();
    for (tag, table) in tables {
        font.extend(tag);
        font.extend([0; 4]);
        font.extend((76 + data.len() as u32).to_be_bytes());
        font.extend((table.len() as u32).to_be_bytes());
        data.extend(table);
    }
    [font, data].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_font_program_and_no_cmap_makes_the_reader_panic(
        which in 0..8_usize,
        mut bytes in prop::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..300),
        format in 0..15_u8,
    ) {
        let mut cmap = vec![0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12, 0, format];
        cmap.extend(&bytes);
        let post = [[0, 2, 0, 0].as_slice(), &[0; 28], &bytes].concat();
        let program = match which {
            0 => [&[1, 0, 4, 1, 0, 1, 1, 1, 2, b'A', 0, 1, 1, 1, 9][..], &bytes].concat(),
            1 => sfnt(b"cmap", &cmap),
            2 => sfnt(b"post", &post),
            3 => sfnt(b"glyf", &bytes),
            4 => sfnt(b"CFF ", &[&[1, 0, 4, 1, 0, 0, 0, 1, 1, 1, 4][..], &bytes].concat()),
            5 => [b"%!PS/Encoding 9 array dup 65 /A put def eexec ".as_slice(), &bytes].concat(),
            6 => {
                let private = [b"/Subrs dup 0 9 RD /CharStrings /A 20 RD ".as_slice(), &bytes];
                [b"%!PS eexec ".as_slice(), &disguised(&private.concat(), 55_665)].concat()
            }
            _ => {
                bytes.insert(0, 0x80);
                bytes
            }
        };
        for (kind, key) in [("TrueType", "FontFile2"), ("Type1", "FontFile3"), ("Type1", "FontFile")] {
            let font = format!(
                "<</Type/Font/Subtype/{kind}/BaseFont/F/FontDescriptor<</Flags 4/{key} 6 0 R>>>>"
            );
            let _ = pdf(&page_of(b"BT /F 9 Tf (ABC) Tj ET", &font, &[stream("", &program)]));
        }
        let font = "<</Type/Font/Subtype/Type0/Encoding 6 0 R/ToUnicode 6 0 R/DescendantFonts[<<\
                    /Subtype/CIDFontType0/CIDToGIDMap 6 0 R/FontDescriptor<</FontFile3 6 0 R>>>>]>>";
        let _ = pdf(&page_of(b"BT /F 9 Tf <00010002> Tj ET", font, &[stream("", &program)]));
    }

    #[test]
    fn no_order_of_signs_makes_the_reader_panic(
        glyphs in prop::collection::vec(
            (prop::sample::select(vec!["ש", "ل", "a", "1", "١", " ", "(", ")", "%", ",", "\u{5b8}", "´", "ı"]), 0..80_i32),
            1..40,
        ),
    ) {
        // A sign drawn again at the same place would count once.
        let mut taken = std::collections::BTreeSet::new();
        let glyphs: Vec<(&str, f64)> = glyphs
            .iter()
            .filter(|(_, x)| taken.insert(*x))
            .map(|(text, x)| (*text, f64::from(*x) * 3.0))
            .collect();
        let letters: usize = glyphs.iter().filter(|(text, _)| !text.trim().is_empty()).count();
        if letters > 0 {
            let text = placed(&glyphs);
            let counted = text.chars().filter(|c| matches!(c, 'ש' | 'ل' | '1' | '١')).count();
            let drawn = glyphs.iter().filter(|(text, _)| ["ש", "ل", "1", "١"].contains(text)).count();
            prop_assert_eq!(counted, drawn, "every letter once: {}", text);
        }
    }
}

#[test]
fn the_sign_of_a_note_is_a_word_and_an_exponent_is_not() {
    let shown = |content: &str| pdf(&page_of(content.as_bytes(), HELVETICA, &[])).unwrap();
    // Widths of Helvetica in 10 pt: "water" 24.5, "m" 8.3, a digit of 6 pt 3.3.
    let after = "BT /F 10 Tf 0 700 Td (water) Tj /F 6 Tf 24.5 4 Td (3) Tj ET";
    assert_eq!(shown(after), "water 3\n");
    let before = "BT /F 6 Tf 0 704 Td (3) Tj /F 10 Tf 3.4 -4 Td (Of water) Tj ET";
    assert_eq!(shown(before), "3 Of water\n");
    let exponent = "BT /F 10 Tf 0 700 Td (m) Tj /F 6 Tf 8.3 4 Td (2) Tj ET";
    assert_eq!(shown(exponent), "m2\n");
    let index = "BT /F 10 Tf 0 700 Td (H) Tj /F 6 Tf 7.2 -2 Td (2) Tj /F 10 Tf 3.4 2 Td (O) Tj ET";
    assert_eq!(shown(index), "H2O\n");
    // Of one size, letters that are lifted by half of it are words; those of TeX's logo are not.
    assert_eq!(shown("BT /F 10 Tf 0 700 Td (low) Tj 5 Ts (high) Tj ET"), "low high\n");
    assert_eq!(shown("BT /F 10 Tf 0 700 Td (T) Tj -2.2 Ts (E) Tj 0 Ts (X) Tj ET"), "TEX\n");
}

#[test]
fn glyphs_that_are_said_to_be_more_letters_than_they_have_room_for_make_a_file_refused() {
    let text = |texts: &[&str]| {
        let (font, map) = said(texts);
        let codes: String = (1..=texts.len()).map(|code| format!("{code:04X}")).collect();
        let content = format!("BT /F 10 Tf 50 700 Td <{codes}> Tj ET");
        pdf(&page_of(content.as_bytes(), font, &[map]))
    };
    let packed: Vec<String> = ('a'..='z').map(|letter| letter.to_string().repeat(4)).collect();
    let error = text(&packed.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_err();
    let TextError::Contradiction { font, said: letters, .. } = error else { panic!("{error}") };
    assert_eq!((font.as_deref(), letters.as_str()), (Some("Said"), "aaaa"));
    // Ligatures and a pair here and there are what fonts have.
    let mut usual: Vec<&str> = "the river rose two metres in one night".split("").collect();
    usual.retain(|letter| !letter.is_empty());
    usual.extend(["ffi", "fi", "fl", "ti", "Th", "½", "№", "ﷺ", "क्ष", "لا"]);
    text(&usual).unwrap();
    // A font of ligatures alone.
    text(&["ffi", "ffl", "fi", "fl", "ff"].repeat(6)).unwrap();
}

/// A composite font that embeds a TrueType program of one square of `side` units of 1,000 at `left`,
/// as glyph 1, and of glyph 2, which is composed of that one by these bytes; A and B by its table.
fn square(side: i16, left: i16, composed: &[u8]) -> (String, Vec<u8>) {
    let mut cmap = vec![0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12];
    cmap.extend([0, 6, 0, 14, 0, 0, 0, 0x41, 0, 2, 0, 1, 0, 2]);
    let mut head = vec![0; 54];
    head[18..20].copy_from_slice(&1000_u16.to_be_bytes());
    let words =
        |words: &[i16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    // One contour of four points, all on the curve, in words.
    let mut glyf = words(&[1, left, 0, left + side, side, 3, 0]);
    glyf.extend([1, 1, 1, 1]);
    glyf.extend(words(&[left, 0, side, 0, 0, side, 0, -side]));
    let second = glyf.len() as u16 / 2;
    glyf.extend(words(&[-1, 0, 0, 1000, 1000]));
    glyf.extend(composed);
    glyf.extend(vec![0; glyf.len() % 2]);
    let loca = words(&[0, 0, second as i16, glyf.len() as i16 / 2]);
    let tables: [(&[u8; 4], &[u8]); 5] = [
        (b"cmap", &cmap),
        (b"glyf", &glyf),
        (b"head", &head),
        (b"loca", &loca),
        (b"maxp", &[0, 1, 0, 0, 0, 3]),
    ];
    let mut font = vec![0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0];
    let mut at = 12 + 16 * tables.len();
    for (name, table) in tables {
        font.extend(name);
        font.extend([0; 4]);
        font.extend((at as u32).to_be_bytes());
        font.extend((table.len() as u32).to_be_bytes());
        at += table.len();
    }
    font.extend(tables.iter().flat_map(|(_, table)| table.iter()));
    let dict = "<</Type/Font/Subtype/Type0/BaseFont/Square/Encoding/Identity-H/DescendantFonts[\
                <</Subtype/CIDFontType2/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)>>\
                /FontDescriptor<</Flags 4/FontFile2 6 0 R>>>>]>>";
    (dict.to_owned(), font)
}

#[test]
fn outlines_far_from_their_place_and_parts_made_small_are_blank() {
    let read = |side: i16, left: i16, composed: &[u8]| {
        let (dict, font) = square(side, left, composed);
        let bytes = page_of(b"BT /F 9 Tf 50 700 Td <00010002> Tj ET", &dict, &[stream("", &font)]);
        read(MediaType::Pdf, &bytes).map(|reading| reading.text)
    };
    // The part as it is, made half as large, and moved a little.
    for composed in [
        &[0, 0x02, 0, 1, 0, 0][..],
        &[0, 0x0a, 0, 1, 0, 0, 0x20, 0],
        &[0, 0x4a, 0, 1, 9, 9, 0x20, 0][..],
    ] {
        assert_eq!(read(300, 100, composed).unwrap(), "AB\n", "{composed:?}");
    }
    // Of no size, of no width, and two ems to the right.
    for composed in [
        &[0, 0x0a, 0, 1, 0, 0, 0, 0x20][..],
        &[0, 0x42, 0, 1, 0, 0, 0x20, 0, 0, 0],
        &[0, 0x03, 0, 1, 0x07, 0xd0, 0, 0],
    ] {
        assert_eq!(read(300, 100, composed).unwrap(), "A\n", "{composed:?}");
    }
    let error = read(300, 2_100, &[0, 0x02, 0, 1, 0, 0]).unwrap_err();
    assert!(matches!(error, TextError::Hidden { hidden: 2, .. }), "{error}");
}
