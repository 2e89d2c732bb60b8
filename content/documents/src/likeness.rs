//! How alike two files are, for reviewers who look for copies of what was accepted.
//!
//! | | by | alike |
//! |---|---|---|
//! | text | MinHash (Broder 1997) of runs of twenty letters of the canonical text | the estimated share of runs that both have (Jaccard) |
//! | image | Blockhash of 256 bits (Yang, Gu, Niu 2006) | the share of equal bits; of drawings with little on them, of what is there |
//! | sound | sha2-256 of the decoded samples | all or nothing |
//!
//! Of a text only the letters and digits count that a reader sees: two that look alike are one, whatever
//! script they are of, and nothing between them counts. So neither layout, spaces, punctuation, case, accents,
//! markup nor invisible characters make a text another.
//! Images are looked at as a screen shows them, on white; another size, another format and stronger compression
//! change few bits, another crop or a mirror many. A sound is the same in another container and with other tags,
//! and another one as soon as it is compressed anew.
//!
//! Two programs give the same numbers of the same file as long as [`LIKENESS_VERSION`] is one.

use crate::{
    letters, markdown,
    measure::{image::Pixmap, tiles::mix},
    sandbox, MeasureError, Measured, MediaType, Reading,
};
use blockhash::{blockhash256, Image};
use minhash_rs::prelude::{MinHash, SipHashes13};
use openledger_primitives::Modality;
use std::borrow::Cow;

/// Raised with anything that changes a likeness.
pub const LIKENESS_VERSION: u16 = 2;
/// Hashes of a text.
pub const HASHES: usize = 128;
/// Hashes that make a band: texts with a band in common may be alike ([`Likeness::bands`]).
const ROWS: usize = 4;
/// Letters of a run: about five words.
const RUN: usize = 20;
/// Bytes of the likeness of an image or sound.
const DIGEST: usize = 32;
/// Bytes of a likeness, at most.
pub(crate) const MAX_BYTES: usize = HASHES * 8;

/// What of a file is compared with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The least hashes of a text's runs of letters.
    Text(Box<[u64; HASHES]>),
    /// Which blocks of an image are brighter than most.
    Image([u8; DIGEST]),
    /// A hash of a sound's samples.
    Sound([u8; DIGEST]),
}

impl Likeness {
    /// Of the canonical text of a file of this format; `None` of one without a letter. Of Markdown what its page shows
    /// is compared, of the others all: a text that is shown as it stands must not hide its words behind signs.
    pub fn of_text(media_type: MediaType, text: &str) -> Option<Self> {
        let seen = match media_type {
            MediaType::Md => Cow::Owned(markdown::seen(text)),
            _ => Cow::Borrowed(text),
        };
        let (letters, starts) = letters::seen(&seen);
        let mut runs =
            Runs { letters: &letters, starts: &starts, first: 0, end: 0, weight: 0 }.peekable();
        runs.peek()?;
        let hashes: MinHash<u64, HASHES, SipHashes13, u64, &str> = runs.collect();
        Some(Self::Text(Box::new(hashes.into_words())))
    }

    /// Of a file of any modality; `None` of a text without a letter.
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

    /// How alike both are: 0 to 1, and 0 of two modalities.
    pub fn alike(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => {
                let equal = one.iter().zip(other.iter()).filter(|(a, b)| a == b).count();
                equal as f64 / HASHES as f64
            }
            (Self::Image(one), Self::Image(other)) => {
                let differ: u32 = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
                // Of a drawing with little on it most bits say the same: what counts is what is on it.
                match rarer(one) + rarer(other) {
                    0 => 0.0,
                    seen => (1.0 - f64::from(differ) / f64::from(seen)).max(0.0),
                }
            }
            (Self::Sound(one), Self::Sound(other)) => f64::from(u8::from(one == other)),
            _ => 0.0,
        }
    }

    /// Keys by which texts are found that may be alike: such of 0.8 share one with a chance of more than
    /// 0.999,999, such of 0.3 with one of 0.23. None of an image or sound.
    pub fn bands(&self) -> Vec<u64> {
        let Self::Text(hashes) = self else { return Vec::new() };
        let band =
            |(number, rows): (u64, &[u64])| rows.iter().fold(number, |key, row| mix(key ^ row));
        (0..).zip(hashes.chunks_exact(ROWS)).map(band).collect()
    }

    /// As bytes, for [`from_bytes`](Self::from_bytes).
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(hashes) => hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
            Self::Image(digest) | Self::Sound(digest) => digest.to_vec(),
        }
    }

    /// From bytes of a file of this modality; `None` of others.
    pub fn from_bytes(modality: Modality, bytes: &[u8]) -> Option<Self> {
        match modality {
            Modality::Text => {
                let hashes: Vec<u64> = bytes
                    .chunks_exact(8)
                    .filter_map(|eight| eight.try_into().ok().map(u64::from_le_bytes))
                    .collect();
                let whole = bytes.len() == MAX_BYTES;
                Some(Self::Text(Box::new(hashes.try_into().ok().filter(|_| whole)?)))
            }
            Modality::Image => bytes.try_into().ok().map(Self::Image),
            Modality::Audio => bytes.try_into().ok().map(Self::Sound),
        }
    }
}

/// How many bits of an image have the value that is rarer in it: half of all in a photograph.
fn rarer(digest: &[u8; DIGEST]) -> u32 {
    let ones: u32 = digest.iter().map(|byte| byte.count_ones()).sum();
    ones.min((DIGEST * 8) as u32 - ones)
}

/// Runs of letters, each of which begins with another one. A text with fewer is one run.
struct Runs<'a> {
    letters: &'a str,
    /// Where each letter begins, and how many letters it counts as.
    starts: &'a [(u32, u8)],
    first: usize,
    /// After the last letter of the run before.
    end: usize,
    /// Of what is between.
    weight: usize,
}

impl<'a> Iterator for Runs<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while self.weight < RUN {
            let Some((_, weight)) = self.starts.get(self.end) else { break };
            self.weight += usize::from(*weight);
            self.end += 1;
        }
        // What is left is shorter than a run, and stands in the one before.
        if self.weight < RUN && self.first > 0 {
            return None;
        }
        let (start, weight) = *self.starts.get(self.first)?;
        let end = self.starts.get(self.end).map_or(self.letters.len(), |(end, _)| *end as usize);
        self.first += 1;
        self.weight = self.weight.saturating_sub(weight.into());
        self.letters.get(start as usize..end)
    }
}

/// An image on white.
struct OnWhite<'a>(&'a Pixmap);

impl Image for OnWhite<'_> {
    const MAX_BRIGHTNESS: u32 = 3 * 255;

    fn dimensions(&self) -> (u32, u32) {
        (self.0.width, self.0.height)
    }

    fn brightness(&self, x: u32, y: u32) -> u32 {
        let place = y as usize * self.0.width as usize + x as usize;
        let [red, green, blue, alpha] =
            self.0.packed.get(place).copied().unwrap_or_default().to_le_bytes();
        // Colours are multiplied by alpha already.
        let white = 255 - u32::from(alpha);
        [red, green, blue].into_iter().map(|colour| u32::from(colour) + white).sum()
    }
}

/// The hash of an image, **in this process**, which the caller has confined.
pub(crate) fn of_image(image: &Pixmap) -> [u8; DIGEST] {
    blockhash256(&OnWhite(image)).into()
}
