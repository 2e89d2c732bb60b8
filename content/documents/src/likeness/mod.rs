//! How alike two files are, for reviewers who look for copies of what was accepted.
//!
//! | | by | alike |
//! |---|---|---|
//! | text | all letters and numbers of the canonical text, as they are seen (`likeness/text.rs`) | the share that the earlier one has too, or that of the earlier one that it has |
//! | image | views of 96 × 96 grey cells, and a thumbnail in colour (`likeness/image.rs`) | the share of its detail that both have when one is laid over the other |
//! | sound | sha2-256 of the decoded samples | all or nothing |
//!
//! Of a text only the letters and digits count that a reader sees: two that look alike are one, whatever
//! script they are of, and nothing between them counts. So neither layout, spaces, punctuation, case, accents,
//! markup nor invisible characters make a text another.
//! Images are looked at as a screen shows them, on white, in grey. A sound is the same in another container and with other tags,
//! and another one as soon as it is compressed anew.
//!
//! To compare a file with each of many costs too much. So of each a few [traces](Likeness::traces) are kept, by which a
//! [`Sieve`] tells which of them may be alike; those are compared. The traces of texts are hashes with a key that whoever
//! keeps them has for himself: nobody can write a text that is not found by them. What a sieve might find with one key and not
//! with another is not [`alike`](Likeness::alike).
//!
//! Two programs give the same numbers of the same files as long as [`LIKENESS_VERSION`] is one.

pub(crate) mod image;
mod text;

use crate::{
    budget::MAX_TEXT, letters, markdown, sandbox, MeasureError, Measured, MediaType, Reading,
};
use openledger_primitives::Modality;
use std::borrow::Cow;

/// Raised with anything that changes a likeness.
pub const LIKENESS_VERSION: u16 = 4;
/// Bytes of the likeness of a sound.
const DIGEST: usize = 32;
/// Bytes of the letters of a text, at most: what is beyond is not compared.
const MAX_LETTERS: usize = MAX_TEXT + 4_096;
/// Bytes of a likeness, at most.
pub(crate) const MAX_BYTES: usize = MAX_LETTERS + 8_192;
/// Bytes of the traces of a file, at most.
pub const MAX_TRACES: usize = image::MAX_TRACES;
const _: () = assert!(text::MAX_TRACES < MAX_TRACES && image::MAX_BYTES < MAX_BYTES);

/// What of a file is compared with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// A text's letters and numbers.
    Text(Box<str>),
    /// An image's views.
    Image(Box<[u8]>),
    /// A hash of a sound's samples.
    Sound([u8; DIGEST]),
}

impl Likeness {
    /// Of the canonical text of a file of this format; `None` of one without a letter or digit. Of Markdown what its page
    /// shows is compared, of the others all: a text that is shown as it stands must not hide its words behind signs.
    pub fn of_text(media_type: MediaType, text: &str) -> Option<Self> {
        let seen = match media_type {
            MediaType::Md => Cow::Owned(markdown::seen(&markdown::right_to_left(text))),
            _ => Cow::Borrowed(text),
        };
        let letters = letters::seen(&seen, MAX_TEXT);
        (!letters.is_empty()).then(|| Self::Text(letters.into()))
    }

    /// Of a file of any modality; `None` of a text without a letter or digit.
    ///
    /// All are read in a child process ([`crate::sandbox`]), which is waited for.
    ///
    /// # Errors
    ///
    /// [`MeasureError::Refused`], of texts too, [`MeasureError::Stopped`], [`MeasureError::Decoder`].
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Result<Option<Self>, MeasureError> {
        sandbox::likeness(media_type, bytes)
    }

    /// Measures a file and finds what it is compared by.
    ///
    /// The files are strangers', so each is read in child processes ([`crate::sandbox`]), which are waited for.
    ///
    /// # Errors
    ///
    /// As [`crate::measurement`].
    pub fn measured(
        media_type: MediaType,
        bytes: &[u8],
    ) -> Result<(Measured, Option<Self>), MeasureError> {
        let measured = match media_type.modality() {
            Modality::Text => {
                let (Reading { text, .. }, _) = sandbox::text(media_type, bytes)?;
                Measured::of_text(&text)?
            }
            Modality::Image | Modality::Audio => crate::measurement(media_type, bytes)?.measured,
        };
        Ok((measured, Self::of(media_type, bytes)?))
    }

    /// How alike it is to an earlier one: 0 to 1, and 0 of two modalities. Of texts the order matters: a part of an earlier one is a
    /// copy, and one that has much beside an earlier one is none.
    pub fn alike(&self, earlier: &Self) -> f64 {
        match (self, earlier) {
            (Self::Text(one), Self::Text(other)) => text::alike(one, other),
            (Self::Image(one), Self::Image(other)) => image::alike(one, other),
            (Self::Sound(one), Self::Sound(other)) => f64::from(u8::from(one == other)),
            _ => 0.0,
        }
    }

    /// What a [`Sieve`] finds it by among others, [`MAX_TRACES`] bytes or fewer.
    pub fn traces(&self, key: u64) -> Vec<u8> {
        match self {
            Self::Text(letters) => text::traces(letters, key),
            Self::Image(views) => image::traces(views),
            Self::Sound(digest) => digest.to_vec(),
        }
    }

    /// Finds what may be like it among others.
    pub fn sieve(&self, key: u64) -> Sieve {
        Sieve(match self {
            Self::Text(letters) => Kind::Text(Box::new(text::Sieve::of(letters, key))),
            Self::Image(views) => Kind::Image(image::Sieve::of(views)),
            Self::Sound(digest) => Kind::Sound(*digest),
        })
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(letters) => letters.len(),
            Self::Image(views) => views.len(),
            Self::Sound(digest) => digest.len(),
        }
    }

    /// As bytes, for [`from_bytes`](Self::from_bytes).
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(letters) => letters.as_bytes().to_vec(),
            Self::Image(views) => views.to_vec(),
            Self::Sound(digest) => digest.to_vec(),
        }
    }

    /// From bytes of a file of this modality; `None` of others.
    pub fn from_bytes(modality: Modality, bytes: &[u8]) -> Option<Self> {
        match modality {
            Modality::Text => {
                let letters = std::str::from_utf8(bytes).ok()?;
                let fits = !letters.is_empty() && letters.len() <= MAX_LETTERS;
                fits.then(|| Self::Text(letters.into()))
            }
            Modality::Image => image::is_one(bytes).then(|| Self::Image(bytes.into())),
            Modality::Audio => bytes.try_into().ok().map(Self::Sound),
        }
    }
}

/// A file that is looked for among many, by their [traces](Likeness::traces) with the same key.
pub struct Sieve(Kind);

enum Kind {
    Text(Box<text::Sieve>),
    Image(image::Sieve),
    Sound([u8; DIGEST]),
}

impl Sieve {
    /// How much may be alike of what left these traces: the more, the likelier it is a copy. `None` where it is none.
    pub fn promise(&self, traces: &[u8]) -> Option<f64> {
        match &self.0 {
            Kind::Text(own) => own.share(traces),
            Kind::Image(own) => own.fits(traces),
            Kind::Sound(own) => (own == traces).then_some(1.0),
        }
    }
}
