//! Modalities and formats: tables and stored indices.

use codec::{DecodeAll, Encode};
use openledger_primitives::{MediaType, Modality};

/// Every format with its extension and modality, in the order of the stored index.
const TABLE: [(MediaType, &str, Modality); 13] = [
    (MediaType::Md, "md", Modality::Text),
    (MediaType::Pdf, "pdf", Modality::Text),
    (MediaType::Docx, "docx", Modality::Text),
    (MediaType::Txt, "txt", Modality::Text),
    (MediaType::Png, "png", Modality::Image),
    (MediaType::Jpg, "jpg", Modality::Image),
    (MediaType::Jpeg, "jpeg", Modality::Image),
    (MediaType::Webp, "webp", Modality::Image),
    (MediaType::Tiff, "tiff", Modality::Image),
    (MediaType::Bmp, "bmp", Modality::Image),
    (MediaType::Wav, "wav", Modality::Audio),
    (MediaType::Mp3, "mp3", Modality::Audio),
    (MediaType::Flac, "flac", Modality::Audio),
];

#[test]
fn formats_have_their_index_extension_and_modality() {
    // New ones come after these.
    assert!(MediaType::ALL.len() >= TABLE.len());
    for (n, (media, extension, modality)) in TABLE.into_iter().enumerate() {
        assert_eq!(media.encode(), [n as u8]);
        assert_eq!(MediaType::ALL[n], media);
        assert_eq!((media.extension(), media.modality()), (extension, modality));
        assert_eq!(MediaType::from_extension(extension), Some(media));
        assert_eq!(MediaType::from_extension(&extension.to_uppercase()), Some(media));
        assert_eq!(MediaType::decode_all(&mut &[n as u8][..]), Ok(media));
    }
}

#[test]
fn other_extensions_belong_to_no_format() {
    for extension in ["", "exe", ".md", "m", "mdx", "tar.gz", "html"] {
        assert_eq!(MediaType::from_extension(extension), None, "{extension:?}");
    }
}

#[test]
fn each_modality_takes_its_formats_and_no_other() {
    let indices = [(Modality::Text, 0, 4), (Modality::Image, 1, 6), (Modality::Audio, 2, 3)];
    for (modality, index, formats) in indices {
        assert_eq!(modality.encode(), [index]);
        let expected: Vec<_> =
            TABLE.iter().filter(|row| row.2 == modality).map(|row| row.0).collect();
        assert_eq!(modality.formats().collect::<Vec<_>>(), expected);
        assert_eq!(expected.len(), formats);
    }
    assert!(Modality::decode_all(&mut &[3][..]).is_err());
}

#[test]
fn units_are_named_for_users() {
    assert_eq!(Modality::Text.unit(), "bytes of canonical text");
    assert_eq!(Modality::Image.unit(), "pixels");
    assert_eq!(Modality::Audio.unit(), "milliseconds");
}

#[test]
fn units_are_bounded_by_what_the_bytes_hold() {
    for media in MediaType::ALL {
        let a_byte = match media {
            MediaType::Md | MediaType::Txt => 3,
            MediaType::Pdf | MediaType::Docx => 32,
            _ if media.modality() == Modality::Image => 1_024,
            _ => 4,
        };
        assert_eq!(media.max_units(0), 0);
        assert_eq!(media.max_units(1), a_byte);
        assert_eq!(media.max_units(1_000), 1_000 * a_byte);
        assert_eq!(media.max_units(u32::MAX), media.modality().max_units());
    }
}
