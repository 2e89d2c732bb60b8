//! Canonical text: what units are counted in, what `text_root` commits to, what workers train on.
//!
//! The canonical text of a `txt` or `md` file is its UTF-8 text without byte order marks at its
//! beginning, with every line ending (CR LF, CR) as LF, in Unicode normalisation form C. The same
//! words therefore have the same canonical text whichever editor wrote them, and making canonical
//! text canonical again changes nothing. Of a `pdf` or `docx` file it is the text that the
//! extractor takes out of it, treated in the same way.
//!
//! Every rule that decides a byte of it belongs to one [`EXTRACTOR_VERSION`].

use crate::budget::Fault;
use crate::left_out::LeftOut;
use crate::{characters, docx, markdown, pdf};
use openledger_primitives::MediaType;
use unicode_normalization::{is_nfc, UnicodeNormalization};

/// Version of the rules from a file's bytes to its canonical text, for all formats together.
///
/// Units and text roots on chain were measured by it, so a change of one byte of output for one file
/// needs the next number. Version 1 reads md, txt, pdf and docx; for md and txt it is what was there
/// before versions were counted. Version 2 counts only what people see.
pub const EXTRACTOR_VERSION: u16 = 2;

/// Hidden units up to which a file is read whatever their share is.
pub const MAX_HIDDEN_UNITS: u64 = 1_000;
/// Most hidden units of a longer one, in percent of all its units, hidden and counted.
pub const MAX_HIDDEN_PERCENT: u64 = 20;

/// Normalisation form C makes UTF-8 at most three times as long (Unicode FAQ, "Normalization").
const MAX_EXPANSION: usize = 3;

/// How often Markdown is looked through for what taking out hidden parts has made of the rest.
const MAX_LAYERS: u64 = 16;

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
    /// What viewers show depends on how they mend the file.
    #[error(
        "the cross-references of the .{} file are broken, and say another place for object {object} \
         than the file itself; open it and save it again", media_type.extension()
    )]
    Ambiguous {
        /// The declared format.
        media_type: MediaType,
        /// The number of an object that stands at two places.
        object: u32,
    },
    /// A form whose pages only programs of its maker can draw.
    #[error(
        "the .{} file is a dynamic form (XFA), whose pages are not in it; print it to a PDF first",
        media_type.extension()
    )]
    DynamicForm {
        /// The declared format.
        media_type: MediaType,
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
    /// Signs have no stated character.
    #[error(
        "{percent} % of the .{} file's signs have no stated character, most of them in the font \
         `{font}`, where at most {} % may; export it again with text that can be searched, or \
         convert it to .txt", media_type.extension(), crate::pdf::MAX_UNMAPPED_PERCENT
    )]
    Unmapped {
        /// The declared format.
        media_type: MediaType,
        /// Their share of all signs, rounded up.
        percent: u64,
        /// The font that has most of them.
        font: String,
    },
    /// The file states another text than the one that is drawn.
    #[error(
        "the .{} file states another text than it shows: {} is `{own}` on the page and `{said}` in \
         the file; export it again from the document that it was made of",
        media_type.extension(),
        font.as_ref().map_or_else(|| "a passage".to_owned(), |font| format!("a sign of the font `{font}`"))
    )]
    Contradiction {
        /// The declared format.
        media_type: MediaType,
        /// The font whose `ToUnicode` says so; none for an `ActualText`.
        font: Option<String>,
        /// What is drawn, for example.
        own: String,
        /// What is said of it.
        said: String,
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
    /// Much of the text is where nobody sees it.
    #[error(
        "{percent} % of the .{} file's text is hidden ({hidden} of {} units, most of it {}); at most \
         {MAX_HIDDEN_PERCENT} % may be, beyond {MAX_HIDDEN_UNITS} units; take it out, or make it visible",
        media_type.extension(), hidden + counted, most
    )]
    Hidden {
        /// The declared format.
        media_type: MediaType,
        /// Units that are hidden.
        hidden: u64,
        /// Units that are seen.
        counted: u64,
        /// The hidden units' share, rounded up.
        percent: u64,
        /// Why most of them are.
        most: crate::Hidden,
    },
    /// The canonical text is longer than Unicode lets it be, or than what counts of one file.
    #[error("the canonical text has more than {limit} bytes; split the file")]
    TooLong {
        /// The bound.
        limit: usize,
    },
}

impl TextError {
    fn of(media_type: MediaType, fault: Fault) -> Self {
        match fault {
            Fault::Encrypted => Self::Encrypted { media_type },
            Fault::Macros => Self::Macros,
            Fault::Damaged(reason) => Self::Damaged { media_type, reason },
            Fault::Ambiguous { object } => Self::Ambiguous { media_type, object },
            Fault::DynamicForm => Self::DynamicForm { media_type },
            Fault::NoText => Self::NoText { media_type },
            Fault::Unmapped { percent, font } => Self::Unmapped { media_type, percent, font },
            Fault::Contradiction(pdf::Contradiction { font, own, said }) => {
                Self::Contradiction { media_type, font, own, said }
            }
            Fault::TooMuch { what, limit } => Self::TooMuch { media_type, what, limit },
        }
    }
}

/// A file as a person reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Its canonical text.
    pub text: String,
    /// What is in the file and does not count.
    pub left_out: LeftOut,
}

/// The canonical text of a file, and what was left out of it.
///
/// # Errors
///
/// [`TextError::NoExtractor`] for formats that are no text, what [`sniff`] answers, and why a
/// document's text cannot be had. Time and memory are bounded: work is counted and stops at the same
/// place on every machine, and beside the file and its text at most some tens of MiB are held; of
/// Markdown, whose tree is made whole, some hundreds.
pub fn read(media_type: MediaType, bytes: &[u8]) -> Result<Reading, TextError> {
    let mut left_out = LeftOut::default();
    let text = match media_type {
        MediaType::Txt => normal_form(plain_text(bytes)?, &mut left_out)?,
        MediaType::Md => markdown_text(plain_text(bytes)?, &mut left_out)?,
        MediaType::Pdf | MediaType::Docx => {
            sniff(media_type, bytes)?;
            let extracted = match media_type {
                MediaType::Pdf => pdf::text(bytes),
                _ => docx::text(bytes),
            };
            let extracted = extracted.map_err(|fault| TextError::of(media_type, fault))?;
            left_out = extracted.left_out;
            normal_form(&extracted.text, &mut left_out)?
        }
        _ => return Err(TextError::NoExtractor { media_type }),
    };
    let (hidden, counted) = (left_out.hidden(), text.len() as u64);
    let all = hidden.saturating_add(counted);
    let much = hidden > MAX_HIDDEN_UNITS
        && u128::from(hidden) * 100 > u128::from(all) * u128::from(MAX_HIDDEN_PERCENT);
    // What is left of a document without text would be told to be a scan.
    let document = matches!(media_type, MediaType::Pdf | MediaType::Docx);
    let nothing = document && text.trim().is_empty();
    if much || (nothing && hidden > 0) {
        let percent = (u128::from(hidden) * 100).div_ceil(u128::from(all)) as u64;
        let most = left_out.most().unwrap_or(crate::Hidden::Transparent);
        return Err(TextError::Hidden { media_type, hidden, counted, percent, most });
    }
    if nothing {
        return Err(TextError::NoText { media_type });
    }
    Ok(Reading { text, left_out })
}

/// The canonical text of a file.
///
/// # Errors
///
/// As [`read`].
pub fn canonical_text(media_type: MediaType, bytes: &[u8]) -> Result<String, TextError> {
    read(media_type, bytes).map(|reading| reading.text)
}

/// Markdown without its hidden parts. What was between them may be markup now, so it is looked
/// through until nothing changes.
fn markdown_text(source: &str, left_out: &mut LeftOut) -> Result<String, TextError> {
    let media_type = MediaType::Md;
    let mut text = normal_form(source, left_out)?;
    for _ in 0..MAX_LAYERS {
        let shown = markdown::shown(&text, left_out).map_err(|e| TextError::of(media_type, e))?;
        let next = normal_form(&shown, left_out)?;
        if next == text {
            return Ok(text);
        }
        text = next;
    }
    Err(TextError::TooMuch { media_type, what: "layers of markup in markup", limit: MAX_LAYERS })
}

/// Plain text in its one form, without what does not count.
fn normal_form(text: &str, left_out: &mut LeftOut) -> Result<String, TextError> {
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
    // What was taken out may have stood between characters that belong together.
    for round in 0.. {
        let counted = characters::counted(&canonical, round, left_out);
        if counted == canonical {
            break;
        }
        canonical = if is_nfc(&counted) { counted } else { counted.nfc().collect() };
    }
    Ok(canonical)
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
