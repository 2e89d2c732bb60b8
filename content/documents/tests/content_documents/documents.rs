//! Text out of documents: what version 1 of the extractor gives, to the byte, and what hostile
//! files get.

use openledger_documents::{canonical_text, sniff, TextError, EXTRACTOR_VERSION};
use openledger_primitives::MediaType;
use proptest::prelude::*;
use std::path::PathBuf;

fn document(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/content_documents/documents");
    std::fs::read(path.join(name)).unwrap()
}

pub(crate) fn pdf(bytes: &[u8]) -> Result<String, TextError> {
    canonical_text(MediaType::Pdf, bytes)
}

pub(crate) fn docx(bytes: &[u8]) -> Result<String, TextError> {
    canonical_text(MediaType::Docx, bytes)
}

/// A file of these objects, numbered from 1, without a cross-reference table.
pub(crate) fn pdf_of<T: AsRef<[u8]>>(objects: &[T]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    for (index, object) in objects.iter().enumerate() {
        out.extend(format!("{} 0 obj\n", index + 1).bytes());
        out.extend(object.as_ref());
        out.extend(b"\nendobj\n");
    }
    out.extend(b"trailer <</Root 1 0 R>>\n");
    out
}

pub(crate) fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let mut out = format!("<<{entries}/Length {}>>stream\n", data.len()).into_bytes();
    out.extend(data);
    out.extend(b"\nendstream");
    out
}

/// One page with this content and this font, which are objects 4 and 5.
pub(crate) fn page_of(content: &[u8], font: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>>>"
            .to_vec(),
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>".to_vec(),
        stream("", content),
        font.as_bytes().to_vec(),
    ];
    objects.extend_from_slice(more);
    pdf_of(&objects)
}

pub(crate) const HELVETICA: &str =
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";

/// A zip container of stored entries.
pub(crate) fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, data) in entries {
        let at = out.len() as u32;
        let mut header = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        header.extend(crc32(data).to_le_bytes());
        header.extend((data.len() as u32).to_le_bytes());
        header.extend((data.len() as u32).to_le_bytes());
        header.extend((name.len() as u16).to_le_bytes());
        header.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&header);
        out.extend(name.bytes());
        out.extend(*data);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&header);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

pub(crate) const WORD: &str =
    "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";

fn word(body: &str) -> Vec<u8> {
    let xml = format!("<w:document {WORD}><w:body>{body}</w:body></w:document>");
    zip_of(&[("word/document.xml", xml.as_bytes())])
}

/// What genesis and the upgrade to this release's runtime name as the chain's extractor is the one
/// that this release measures with, or nobody could vote to accept.
#[test]
fn the_chain_of_this_release_names_its_extractor() {
    assert_eq!(EXTRACTOR_VERSION, openledger_primitives::EXTRACTOR);
}

#[test]
fn parts_of_word_files_may_be_utf_16() {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><w:document {WORD}><w:body><w:p><w:r><w:t>\
         na\u{ef}ve \u{1f600}</w:t></w:r></w:p></w:body></w:document>"
    );
    let units: Vec<u16> = "\u{feff}".encode_utf16().chain(xml.encode_utf16()).collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [&little, &big] {
        let text = docx(&zip_of(&[("word/document.xml", bytes)])).unwrap();
        assert_eq!(text, "na\u{ef}ve \u{1f600}\n");
    }
    // Half a unit, half a pair, or no order: damaged, and not guessed at.
    let half = little.get(..little.len() - 1).unwrap();
    let lone: Vec<u8> = [0xff, 0xfe, 0x00, 0xd8].to_vec();
    for bytes in [half, &lone, little.get(2..).unwrap()] {
        let refused = docx(&zip_of(&[("word/document.xml", bytes)]));
        assert!(matches!(refused, Err(TextError::Damaged { .. })), "{refused:?}");
    }
}

#[test]
fn the_text_of_every_document_is_pinned() {
    assert_eq!(EXTRACTOR_VERSION, 2, "another version needs other pinned texts");
    for name in ["latin", "unicode", "cjk", "columns"] {
        let wanted = String::from_utf8(document(&format!("{name}.txt"))).unwrap();
        assert_eq!(pdf(&document(&format!("{name}.pdf"))).unwrap(), wanted, "{name}");
    }
    let wanted = String::from_utf8(document("word.txt")).unwrap();
    assert_eq!(docx(&document("word.docx")).unwrap(), wanted);
}

#[test]
fn object_streams_and_linearisation_do_not_change_the_text() {
    assert_eq!(pdf(&document("object-streams.pdf")), pdf(&document("latin.pdf")));
}

#[test]
fn a_broken_cross_reference_table_does_not_matter() {
    let mut bytes = document("latin.pdf");
    let table = bytes.windows(5).position(|window| window == b"xref\n").unwrap();
    for byte in &mut bytes[table + 5..table + 60] {
        *byte = b'7';
    }
    assert_eq!(pdf(&bytes), pdf(&document("latin.pdf")));
}

#[test]
fn of_two_objects_with_one_number_the_last_one_counts() {
    let mut bytes = page_of(b"BT /F 9 Tf (old) Tj ET", HELVETICA, &[]);
    let mut update = b"4 0 obj\n".to_vec();
    update.extend(stream("", b"BT /F 9 Tf (new) Tj ET"));
    bytes.extend(update);
    assert_eq!(pdf(&bytes).unwrap(), "new\n");
}

#[test]
fn characters_come_from_names_ligatures_and_actual_text() {
    let font = "<</Type/Font/Subtype/Type1/Encoding<</Differences[1/f_i/uni20AC/eacute.sc/fi]>>\
                /FirstChar 1/Widths[500 500 500 500]>>";
    let bytes = page_of(b"BT /F 9 Tf <01020304> Tj ET", font, &[]);
    assert_eq!(pdf(&bytes).unwrap(), "fi\u{20ac}\u{e9}fi\n");
    let content =
        b"BT /F 9 Tf /Span <</ActualText <FEFF00660069>>> BDC (I) Tj (F) Tj EMC (n) Tj ET";
    assert_eq!(pdf(&page_of(content, HELVETICA, &[])).unwrap(), "fin\n");
    let map = b"1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar \
                <0001> <D83DDCD6> endbfchar 1 beginbfrange <0010> <0012> <4E00> endbfrange";
    let font = "<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 6 0 R>>";
    let bytes = page_of(b"BT /F 9 Tf <00010012> Tj ET", font, &[stream("", map)]);
    assert_eq!(pdf(&bytes).unwrap(), "\u{1f4d6}\u{4e02}\n");
}

#[test]
fn places_of_glyphs_decide_spaces_tabs_and_lines() {
    let content = b"BT /F 10 Tf 0 700 Td [(ker) 30 (ned) -300 (word)] TJ 0 -12 Td (line \
        ) Tj 100 0 Td (cell) Tj -100 -40 Td (para) Tj 0 4 Td /F 6 Tf 22 0 Td (2) Tj ET";
    let text = pdf(&page_of(content, HELVETICA, &[])).unwrap();
    assert_eq!(text, "kerned word\nline\tcell\n\npara 2\n");
    let hyphen = b"BT /F 10 Tf 0 700 Td (exam\xad) Tj 0 -12 Td (ple) Tj ET";
    assert_eq!(pdf(&page_of(hyphen, HELVETICA, &[])).unwrap(), "example\n");
    // A page that is shown turned has its lines along its own x axis.
    let turned = b"BT /F 10 Tf 0 1 -1 0 300 100 Tm (up) Tj 0 -12 Td (next) Tj ET";
    assert_eq!(pdf(&page_of(turned, HELVETICA, &[])).unwrap(), "up\nnext\n");
}

#[test]
fn text_in_forms_is_read_and_forms_in_forms_end() {
    // A form inside itself draws nothing.
    let form = stream("/Subtype/Form/Matrix[1 0 0 1 0 0]", b"BT /F 9 Tf (inside) Tj ET /X Do");
    let text = pdf(&page_of(b"/X Do", HELVETICA, &[form])).unwrap();
    assert_eq!(text, "inside\n");
    let form = stream("/Subtype/Form", b"BT /F 9 Tf (inside) Tj ET");
    let text = pdf(&page_of(b"/X Do 1 0 0 1 0 20 cm /X Do", HELVETICA, &[form])).unwrap();
    assert_eq!(text, "inside\ninside\n");
    // Nested as deep as some programs do.
    let forms: Vec<Vec<u8>> = (6..40)
        .map(|number| {
            let inner = format!("/Subtype/Form/Resources<</XObject<</Y {} 0 R>>>>", number + 1);
            stream(&inner, b"/Y Do")
        })
        .chain([stream("/Subtype/Form/Resources<</Font<</F 5 0 R>>>>", b"BT /F 9 Tf (deep) Tj ET")])
        .collect();
    assert_eq!(pdf(&page_of(b"/X Do", HELVETICA, &forms)).unwrap(), "deep\n");
}

#[test]
fn documents_without_text_say_why() {
    let scan = pdf(&document("scan.pdf")).unwrap_err();
    assert_eq!(scan, TextError::NoText { media_type: MediaType::Pdf });
    assert!(scan.to_string().contains("text recognition (OCR)"), "{scan}");
    assert!(matches!(docx(&word("<w:p/>")), Err(TextError::NoText { .. })));
    let font = "<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+Signs/Encoding/Identity-H>>";
    let error = pdf(&page_of(b"BT /F 9 Tf <00010012> Tj ET", font, &[])).unwrap_err();
    assert!(matches!(error, TextError::Unmapped { percent: 100, .. }), "{error}");
    assert!(error.to_string().contains("in the font `Signs`"), "{error}");
}

#[test]
fn passwords_and_macros_are_refused_by_name() {
    let error = pdf(&document("encrypted.pdf")).unwrap_err();
    assert_eq!(error, TextError::Encrypted { media_type: MediaType::Pdf });
    assert!(error.to_string().contains("without a password"), "{error}");
    let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest";
    let encrypted = TextError::Encrypted { media_type: MediaType::Docx };
    assert_eq!(docx(ole).unwrap_err(), encrypted);
    assert_eq!(sniff(MediaType::Docx, ole).unwrap_err(), encrypted);
    let macros = zip_of(&[("word/document.xml", b""), ("word/vbaProject.bin", b"x")]);
    assert_eq!(docx(&macros).unwrap_err(), TextError::Macros);
}

#[test]
fn damaged_documents_say_what_is_wrong() {
    let damaged = |error: TextError, part: &str| {
        assert!(matches!(error, TextError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    damaged(pdf(b"%PDF-1.7 and nothing").unwrap_err(), "no catalog");
    let cut = stream("/Filter/FlateDecode", b"x\x9c\x03");
    let mut bytes = page_of(b"", HELVETICA, &[]);
    bytes.extend(b"4 0 obj ");
    bytes.extend(cut);
    damaged(pdf(&bytes).unwrap_err(), "page 1: compressed data is broken or cut off");
    damaged(docx(b"PK\x03\x04rest").unwrap_err(), "zip directory");
    damaged(docx(&zip_of(&[("other.xml", b"")])).unwrap_err(), "no word/document.xml");
    let twice: [(&str, &[u8]); 2] = [("word/document.xml", b"a"), ("word/document.xml", b"b")];
    damaged(docx(&zip_of(&twice)).unwrap_err(), "same name");
    let entity =
        format!("<!DOCTYPE d [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><w:d {WORD}>&e;</w:d>");
    let entity = zip_of(&[("word/document.xml", entity.as_bytes())]);
    damaged(docx(&entity).unwrap_err(), "document type");
    damaged(docx(&word("<w:p><w:r><w:t>&e;</w:t></w:r></w:p>")).unwrap_err(), "entity");
    damaged(docx(&word("<w:p><w:r>")).unwrap_err(), "XML");
    let mut wrong = word("<w:p><w:r><w:t>words</w:t></w:r></w:p>");
    let place = wrong.windows(5).position(|window| window == b"words").unwrap();
    wrong[place] = b'W';
    damaged(docx(&wrong).unwrap_err(), "word/document.xml is broken");
}

#[test]
fn bombs_stop_at_a_counted_limit() {
    let stopped = |result: Result<String, TextError>, part: &str| match result {
        Err(error @ TextError::TooMuch { what, .. }) => {
            assert!(what.contains(part), "{error}");
        }
        other => panic!("{part}: {:?}", other.map(|text| text.len())),
    };
    // Run lengths: 128 bytes out of two, and they of themselves.
    let run = stream("/Filter[/RL/RL]", &b"\x81\x81".repeat(200_000));
    let mut bytes = page_of(b"", HELVETICA, &[]);
    bytes.extend(b"4 0 obj ");
    bytes.extend(run);
    stopped(pdf(&bytes), "bytes in one stream");
    stopped(pdf(&page_of(&b"[".repeat(100), HELVETICA, &[])), "levels of objects");
    stopped(pdf(&page_of(&b"[0 0 0 0 0 0 0 0 ".repeat(20_000), HELVETICA, &[])), "of objects");
    let mut values = b"[".to_vec();
    values.extend(b"0 ".repeat(100_001));
    stopped(pdf(&page_of(&values, HELVETICA, &[])), "values");
    let mut many = b"%PDF-1.7\n".to_vec();
    for number in 0..250_001 {
        many.extend(format!("{number} 0 obj 0\n").bytes());
    }
    stopped(pdf(&many), "objects");
    stopped(docx(&word(&"<w:p>".repeat(300))), "levels of XML");
    // Each `obj` looks through the rest of a comment.
    let comments = [b"%PDF-1.7\n".as_slice(), &b"1 0 obj<<>>%".repeat(100_000)].concat();
    stopped(pdf(&comments), "bytes to look through");
}

#[test]
fn page_trees_with_loops_end() {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{}]>>", "2 0 R 3 0 R 2 0 R ".repeat(1000)),
        "<</Type/Pages/Kids[2 0 R 3 0 R]/Parent 3 0 R>>".to_owned(),
    ];
    assert!(matches!(pdf(&pdf_of(&objects)), Err(TextError::NoText { .. })));
    let chain = ["<</Type/Catalog/Pages 2 0 R>>", "3 0 R", "2 0 R"];
    assert!(pdf(&pdf_of(&chain)).is_err());
}

#[test]
fn word_documents_keep_nothing_that_readers_do_not_see() {
    let text = docx(&word(
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>no</w:t></w:r>\
         <w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t>yes</w:t></w:r></w:p>\
         <w:p><w:moveFrom><w:r><w:t>no</w:t></w:r></w:moveFrom><w:r><w:t> trimmed </w:t></w:r></w:p>",
    ));
    assert_eq!(text.unwrap(), "yes\ntrimmed\n");
    let foreign =
        "<x:p xmlns:x=\"urn:other\"><x:t>no</x:t></x:p><w:p><w:r><w:t>yes</w:t></w:r></w:p>";
    assert_eq!(docx(&word(foreign)).unwrap(), "yes\n");
}

fn real() -> Vec<(MediaType, Vec<u8>)> {
    let pdfs = ["latin.pdf", "unicode.pdf", "cjk.pdf", "columns.pdf", "object-streams.pdf"];
    let mut all: Vec<_> = pdfs.map(|name| (MediaType::Pdf, document(name))).into();
    all.push((MediaType::Docx, document("word.docx")));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_damage_makes_the_extractor_panic(
        which in 0..6_usize,
        cut in 0.0..1.5_f64,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
    ) {
        let (media_type, mut bytes) = real().swap_remove(which);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut < 1.0 {
            bytes.truncate((bytes.len() as f64 * cut) as usize);
        }
        let once = canonical_text(media_type, &bytes);
        prop_assert_eq!(&once, &canonical_text(media_type, &bytes));
        if let Ok(text) = once {
            let again = canonical_text(MediaType::Txt, text.as_bytes());
            prop_assert_eq!(again.unwrap(), text, "canonical text is canonical");
        }
    }
}
