//! Canonical text: what units are counted in, what `text_root` commits to, what workers train on.
//!
//! The canonical text of a `txt` or `md` file is its UTF-8 text without byte order marks at its
//! beginning, with every line ending (CR LF, CR) as LF, in Unicode normalisation form C. The same
//! words therefore have the same canonical text whichever editor wrote them, and making canonical
//! text canonical again changes nothing. Of a `pdf` or `docx` file it is the text that the
//! extractor takes out of it, treated in the same way.
//!
//! Every rule that decides a byte of it belongs to one [`EXTRACTOR_VERSION`].

use crate::extract::{docx, pdf, Fault};
use openledger_primitives::{text_root, MediaType};
use unicode_normalization::UnicodeNormalization;

/// Version of the rules from a file's bytes to its canonical text, for all formats together.
///
/// Units and text roots on chain were measured by it, so a change of one byte of output for one file
/// needs the next number. Version 1 reads md, txt, pdf and docx; for md and txt it is what was there
/// before versions were counted.
pub const EXTRACTOR_VERSION: u32 = 1;

/// Normalisation form C makes UTF-8 at most three times as long (Unicode FAQ, "Normalization").
const MAX_EXPANSION: usize = 3;

/// Why a file has no canonical text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Files of this format have no text.
    #[error("no text is taken out of .{} files: text comes from .md, .pdf, .docx and .txt", media_type.extension())]
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
    /// The file is protected by a password, or is Word's old format, which looks the same.
    #[error(
        "the .{} file is encrypted or in an old format; save it as .{0} without a password",
        media_type.extension()
    )]
    Encrypted {
        /// The declared format.
        media_type: MediaType,
    },
    /// The document carries macros, which a `.docx` must not.
    #[error("the .docx file carries macros (vbaProject.bin); save it without them")]
    Macros,
    /// The file breaks its format.
    #[error("the .{} file is damaged: {reason}; open it and save it again", media_type.extension())]
    Damaged {
        /// The declared format.
        media_type: MediaType,
        /// What is wrong.
        reason: String,
    },
    /// There is no text in the document.
    #[error(
        "no text is in the .{} file, only pictures or nothing; a scan needs text recognition (OCR) \
         first", media_type.extension()
    )]
    NoText {
        /// The declared format.
        media_type: MediaType,
    },
    /// Most characters have no stated meaning.
    #[error(
        "the fonts of the .{} file do not say which characters most of its signs are; export it \
         again with text that can be searched, or convert it to .txt", media_type.extension()
    )]
    Unmapped {
        /// The declared format.
        media_type: MediaType,
    },
    /// The document asks for more work or memory than its text is worth.
    #[error(
        "the .{} file has more {what} than the {limit} that are read; split it, or convert it to \
         .txt", media_type.extension()
    )]
    TooMuch {
        /// The declared format.
        media_type: MediaType,
        /// Of what.
        what: &'static str,
        /// How much is read.
        limit: u64,
    },
    /// The canonical text is longer than Unicode lets it be.
    #[error("the canonical text has more than {limit} bytes")]
    TooLong {
        /// The bound, from the size of the text.
        limit: usize,
    },
}

impl TextError {
    fn of(media_type: MediaType, fault: Fault) -> Self {
        match fault {
            Fault::Encrypted => Self::Encrypted { media_type },
            Fault::Macros => Self::Macros,
            Fault::Damaged(reason) => Self::Damaged { media_type, reason },
            Fault::NoText => Self::NoText { media_type },
            Fault::Unmapped => Self::Unmapped { media_type },
            Fault::TooMuch { what, limit } => Self::TooMuch { media_type, what, limit },
        }
    }
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
/// [`TextError::NoExtractor`] for formats that are no text, what [`sniff`] answers, and why a
/// document's text cannot be had. Time and memory are bounded: work is counted and stops at the same
/// place on every machine, and beside the file and its text at most some tens of MiB are held.
pub fn canonical_text(media_type: MediaType, bytes: &[u8]) -> Result<String, TextError> {
    let extracted = match media_type {
        MediaType::Txt | MediaType::Md => None,
        MediaType::Pdf => Some(sniff(media_type, bytes).map(|()| pdf::text(bytes))?),
        MediaType::Docx => Some(sniff(media_type, bytes).map(|()| docx::text(bytes))?),
        _ => return Err(TextError::NoExtractor { media_type }),
    };
    match extracted {
        None => normal_form(plain_text(bytes)?),
        Some(text) => normal_form(&text.map_err(|fault| TextError::of(media_type, fault))?),
    }
}

/// Plain text in its one form.
fn normal_form(text: &str) -> Result<String, TextError> {
    let text = text.trim_start_matches('\u{feff}');
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
/// [`TextError::NotUtf8`], [`TextError::Nul`], [`TextError::OtherFormat`], and
/// [`TextError::Encrypted`] for a Word document with a password.
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
        // What Word wraps a document with a password in, and its old format.
        MediaType::Docx if begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => {
            return Err(TextError::Encrypted { media_type })
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
