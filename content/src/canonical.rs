//! Canonical text: what units are counted in, what `text_root` commits to, what workers train on.
//!
//! The canonical text of a `txt` or `md` file is its UTF-8 text without byte order marks at its
//! beginning, with every line ending (CR LF, CR) as LF, in Unicode normalisation form C. The same
//! words therefore have the same canonical text whichever editor wrote them, and making canonical
//! text canonical again changes nothing.

use openledger_primitives::{text_root, MediaType};
use unicode_normalization::UnicodeNormalization;

/// Normalisation form C makes UTF-8 at most three times as long (Unicode FAQ, "Normalization").
const MAX_EXPANSION: usize = 3;

/// Why a file has no canonical text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Text cannot be taken out of this format yet.
    #[error(
        "no text can be taken out of .{} files yet: this version reads .txt and .md, extractors \
         for .pdf and .docx come with a later one; convert the file to .txt or .md", media_type.extension()
    )]
    NoExtractor {
        /// The declared format.
        media_type: MediaType,
    },
    /// The bytes are not text in UTF-8.
    #[error("it is not UTF-8 text: byte {offset} does not belong there; save it as UTF-8")]
    NotUtf8 {
        /// Position of the first wrong byte, from 0.
        offset: usize,
    },
    /// A NUL byte, which text files do not have.
    #[error("it is not a text file: byte {offset} is NUL")]
    Nul {
        /// Position of the byte, from 0.
        offset: usize,
    },
    /// The bytes do not begin as files of this format do.
    #[error("the bytes are not those of a .{} file; check the file, or declare its true format", media_type.extension())]
    OtherFormat {
        /// The declared format.
        media_type: MediaType,
    },
    /// The canonical text is longer than Unicode lets it be.
    #[error("the canonical text has more than {limit} bytes")]
    TooLong {
        /// The bound, from the size of the file.
        limit: usize,
    },
}

/// What acceptance measures of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Bytes of canonical text.
    pub units: u64,
    /// Merkle root over the 1 KiB chunks of the canonical text.
    pub text_root: [u8; 32],
}

/// The canonical text of a file.
///
/// # Errors
///
/// [`TextError::NoExtractor`] for formats that are not plain text, and what [`sniff`] answers.
pub fn canonical_text(media_type: MediaType, bytes: &[u8]) -> Result<String, TextError> {
    match media_type {
        MediaType::Txt | MediaType::Md => {}
        _ => return Err(TextError::NoExtractor { media_type }),
    }
    let text = plain_text(bytes)?.trim_start_matches('\u{feff}');
    let limit = text.len().saturating_mul(MAX_EXPANSION);
    let mut canonical = String::with_capacity(text.len());
    let lines = Newlines { characters: text.chars(), after_cr: false };
    for character in lines.nfc() {
        if canonical.len() + character.len_utf8() > limit {
            return Err(TextError::TooLong { limit });
        }
        canonical.push(character);
    }
    Ok(canonical)
}

/// Units and text root of a file.
///
/// # Errors
///
/// As [`canonical_text`].
pub fn measure(media_type: MediaType, bytes: &[u8]) -> Result<Measured, TextError> {
    let text = canonical_text(media_type, bytes)?;
    Ok(Measured { units: text.len() as u64, text_root: text_root(text.as_bytes()).0 })
}

/// Whether bytes can be a file of the declared format: text is UTF-8 without NUL, everything else
/// begins with its format's signature. It does not prove that the rest can be decoded.
///
/// # Errors
///
/// [`TextError::NotUtf8`], [`TextError::Nul`], [`TextError::OtherFormat`].
pub fn sniff(media_type: MediaType, bytes: &[u8]) -> Result<(), TextError> {
    let begins = |signature: &[u8]| bytes.starts_with(signature);
    let riff = |kind: &[u8]| begins(b"RIFF") && bytes.get(8..12) == Some(kind);
    let plausible = match media_type {
        MediaType::Txt | MediaType::Md => return plain_text(bytes).map(drop),
        // Readers accept some bytes before the signature, and so do we.
        MediaType::Pdf => {
            let head = bytes.get(..1024).unwrap_or(bytes);
            head.windows(5).any(|window| window == b"%PDF-")
        }
        MediaType::Docx => begins(b"PK\x03\x04"),
        MediaType::Png => begins(b"\x89PNG\r\n\x1a\n"),
        MediaType::Jpg | MediaType::Jpeg => begins(b"\xff\xd8\xff"),
        MediaType::Webp => riff(b"WEBP"),
        MediaType::Tiff => begins(b"II*\0") || begins(b"MM\0*"),
        MediaType::Bmp => begins(b"BM"),
        MediaType::Wav => riff(b"WAVE"),
        // An ID3 tag, or a frame header: eleven bits set, and a layer III version.
        MediaType::Mp3 => {
            begins(b"ID3") || matches!(bytes, [0xff, second, ..] if second & 0xe6 == 0xe2)
        }
        MediaType::Flac => begins(b"fLaC"),
    };
    if plausible {
        Ok(())
    } else {
        Err(TextError::OtherFormat { media_type })
    }
}

fn plain_text(bytes: &[u8]) -> Result<&str, TextError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| TextError::NotUtf8 { offset: error.valid_up_to() })?;
    match bytes.iter().position(|byte| *byte == 0) {
        Some(offset) => Err(TextError::Nul { offset }),
        None => Ok(text),
    }
}

/// Characters with every line ending as LF.
struct Newlines<'a> {
    characters: std::str::Chars<'a>,
    after_cr: bool,
}

impl Iterator for Newlines<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            let character = self.characters.next()?;
            let after_cr = std::mem::replace(&mut self.after_cr, character == '\r');
            match character {
                '\n' if after_cr => {}
                '\r' => return Some('\n'),
                other => return Some(other),
            }
        }
    }
}
