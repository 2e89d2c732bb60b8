//! Canonical text: one text has one form, whatever wrote it.

use openledger_documents::{canonical_text, measure, sniff, MeasureError, TextError};
use openledger_primitives::{MediaType, Modality};
use proptest::prelude::*;

fn canonical(text: &str) -> String {
    canonical_text(MediaType::Txt, text.as_bytes()).unwrap()
}

/// Text with many line endings, combining marks, Hangul, compatibility characters and marks of
/// byte order.
fn texts() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>().prop_filter("no NUL", |character| *character != '\0'),
        2 => Just('\r'),
        2 => Just('\n'),
        2 => prop::char::range('\u{300}', '\u{36f}'),
        2 => prop::char::range('a', 'e'),
        1 => prop::char::range('\u{1100}', '\u{11ff}'),
        1 => prop::char::range('\u{ac00}', '\u{d7a3}'),
        1 => prop::char::range('\u{f900}', '\u{fb4f}'),
        1 => Just('\u{feff}'),
        1 => Just('\u{1d15e}'),
    ];
    prop::collection::vec(character, 0..60).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #[test]
    fn canonical_text_is_its_own_canonical_text(text in texts()) {
        let once = canonical(&text);
        prop_assert_eq!(canonical(&once), once);
    }

    #[test]
    fn line_endings_do_not_matter(text in texts()) {
        let lf = text.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(canonical(&text), canonical(&lf));
        prop_assert_eq!(canonical(&lf.replace('\n', "\r\n")), canonical(&lf));
        prop_assert_eq!(canonical(&lf.replace('\n', "\r")), canonical(&lf));
        prop_assert!(!canonical(&text).contains('\r'));
    }

    #[test]
    fn it_is_in_normalisation_form_c_whatever_form_it_came_in(text in texts()) {
        use unicode_normalization::UnicodeNormalization;
        let composed = canonical(&text);
        prop_assert!(unicode_normalization::is_nfc(&composed));
        prop_assert_eq!(canonical(&text.nfd().collect::<String>()), composed);
    }

    #[test]
    fn a_byte_order_mark_does_not_matter(text in texts()) {
        prop_assert_eq!(canonical(&format!("\u{feff}{text}")), canonical(&text));
    }

    #[test]
    fn no_bytes_make_it_panic_or_grow_out_of_bounds(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for media_type in MediaType::ALL {
            let _ = sniff(media_type, &bytes);
            if let Ok(text) = canonical_text(media_type, &bytes) {
                prop_assert!(text.len() <= 3 * bytes.len());
                prop_assert!(std::str::from_utf8(&bytes).is_ok(), "{media_type:?}");
            }
        }
    }
}

#[test]
fn units_are_bytes_of_canonical_text_and_the_root_commits_to_it() {
    let plain = measure(MediaType::Txt, "caf\u{e9}\nau lait\n".as_bytes()).unwrap();
    assert_eq!(plain.units, 14);
    for same in ["\u{feff}cafe\u{301}\r\nau lait\r", "cafe\u{301}\nau lait\r\n"] {
        assert_eq!(measure(MediaType::Md, same.as_bytes()).unwrap(), plain);
    }
    let other = measure(MediaType::Txt, "caf\u{e9}\nau lait".as_bytes()).unwrap();
    assert_ne!(other.text_root, plain.text_root);
    assert_eq!(
        plain.text_root,
        openledger_primitives::text_root("caf\u{e9}\nau lait\n".as_bytes()).0
    );
}

/// The chain takes no more, and a file within the daily quota can be longer in its normal form.
#[test]
fn no_more_text_is_measured_than_a_verdict_may_claim() {
    let most = Modality::Text.max_units() as usize;
    let text = "words and ".repeat(most / 10 + 1);
    let measured = measure(MediaType::Txt, &text.as_bytes()[..most]).unwrap();
    assert_eq!(measured.units, most as u64);
    // U+FB2C has three bytes, and six in normal form C.
    let grows = "\u{fb2c}".repeat(most / 6 + 1);
    assert!(grows.len() < most);
    for longer in [&text.as_bytes()[..most + 1], grows.as_bytes()] {
        let error = measure(MediaType::Txt, longer).unwrap_err();
        assert!(error.is_refusal());
        assert!(error.to_string().contains(&most.to_string()), "{error}");
    }
    // It is text all the same, for who trains on a file of one's own.
    assert!(canonical_text(MediaType::Txt, grows.as_bytes()).unwrap().len() > most);
}

#[test]
fn a_text_that_is_not_utf_8_is_refused_with_the_place() {
    for (bytes, offset) in [
        (b"caf\xe9".as_slice(), 3),
        (b"\xff\xfea\0b\0", 0),
        (b"half a character \xe2\x82", 17),
        // A surrogate, and an overlong slash.
        (b"\xed\xa0\x80", 0),
        (b"..\xc0\xaf", 2),
    ] {
        for media_type in [MediaType::Txt, MediaType::Md] {
            let error = canonical_text(media_type, bytes).unwrap_err();
            assert_eq!(error, TextError::NotUtf8 { offset });
            assert_eq!(sniff(media_type, bytes), Err(error));
        }
    }
    let error = canonical_text(MediaType::Txt, b"text\0").unwrap_err();
    assert_eq!(error, TextError::Nul { offset: 4 });
    assert_eq!(measure(MediaType::Txt, b"text\0").unwrap_err().to_string(), error.to_string());
    assert_eq!(error.to_string(), "it is not a text file: byte 4 is NUL");
}

#[test]
fn formats_without_text_say_so() {
    for media_type in MediaType::ALL {
        if media_type.modality() != Modality::Text {
            let error = canonical_text(media_type, b"%PDF-1.7").unwrap_err();
            assert_eq!(error, TextError::NoExtractor { media_type });
            let error = measure(media_type, b"%PDF-1.7").unwrap_err();
            let MeasureError::Text(error) = error else { panic!("{error}") };
            assert_eq!(error, TextError::OtherFormat { media_type });
        }
    }
    let words = canonical_text(MediaType::Png, b"").unwrap_err().to_string();
    assert!(words.contains(".png") && words.contains(".pdf, .docx"), "{words}");
}

#[test]
fn a_file_under_another_formats_name_is_found_out() {
    let samples: [(MediaType, &[u8]); 11] = [
        (MediaType::Pdf, b"%PDF-1.7\n%"),
        (MediaType::Docx, b"PK\x03\x04rest"),
        (MediaType::Png, b"\x89PNG\r\n\x1a\nrest"),
        (MediaType::Jpg, b"\xff\xd8\xff\xe0rest"),
        (MediaType::Jpeg, b"\xff\xd8\xff\xe1rest"),
        (MediaType::Webp, b"RIFF\x10\0\0\0WEBPVP8 "),
        (MediaType::Tiff, b"II*\0rest"),
        (MediaType::Bmp, b"BM\x10\0\0\0"),
        (MediaType::Wav, b"RIFF\x10\0\0\0WAVEfmt "),
        (MediaType::Mp3, b"\xff\xfb\x90\x64"),
        (MediaType::Flac, b"fLaC\0\0"),
    ];
    let same = |one: MediaType, other: MediaType| {
        one == other
            || matches!(
                (one, other),
                (MediaType::Jpg, MediaType::Jpeg) | (MediaType::Jpeg, MediaType::Jpg)
            )
    };
    for (media_type, bytes) in samples {
        for (other, _) in samples {
            assert_eq!(
                sniff(other, bytes).is_ok(),
                same(media_type, other),
                "{media_type:?} as {other:?}"
            );
        }
        assert!(sniff(media_type, b"just text").is_err());
        assert!(sniff(media_type, b"").is_err());
    }
    assert!(sniff(MediaType::Txt, "just text, \u{1f4d6}".as_bytes()).is_ok());
    assert!(sniff(MediaType::Md, b"").is_ok());
    assert!(sniff(MediaType::Txt, b"\x89PNG\r\n\x1a\n").is_err());
}
