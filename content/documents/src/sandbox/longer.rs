//! Answers of the decoder other than counts: canonical text, pictures, likenesses.
//!
//! ```text
//! "OLL1" | extractor version 2 | isolation 1 | outcome 1 | counts | bytes
//! ```
//!
//! Outcome 0 is what was asked for, 255 a text's refusal in words, any other number the refusal of an image,
//! with words. Of a text the counts are 8 bytes a reason of [`Hidden::ALL`], of a picture its scale, of a likeness its version.

use super::{child::gives_up, decoder, message::Problem, run, DecoderError, Isolation};
use crate::{
    budget::MAX_TEXT,
    likeness::{self, Likeness, LIKENESS_VERSION, MAX_BYTES},
    measure::{image, sound, MeasureError, Measured, Refusal, Refused},
    read, Hidden, LeftOut, MediaType, Reading, EXTRACTOR_VERSION,
};
use ::image::{codecs::png::PngEncoder, ExtendedColorType, ImageEncoder};
use openledger_primitives::Modality;

const MAGIC: [u8; 4] = *b"OLL1";
const HEAD: usize = 4 + 2 + 1 + 1;
const TEXT_REFUSED: u8 = 255;
/// Bytes of words, at most.
const MAX_WORDS: usize = 1_024;
/// Pixels of a picture, at most; larger images are made smaller.
const MAX_DRAWN: u64 = 4_000_000;
/// Bytes of a picture: its pixels, rows and chunks, where nothing can be packed.
const MAX_PICTURE: usize = (MAX_DRAWN as usize) * 4 + (8 << 20);

/// An image as PNG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The PNG, of at most 4,000,000 pixels.
    pub png: Vec<u8>,
    /// How many pixels of a side became one.
    pub scale: u32,
    /// What kept the decoder off the network.
    pub isolation: Isolation,
}

fn head(isolation: Isolation, outcome: u8) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&EXTRACTOR_VERSION.to_le_bytes());
    bytes.extend([isolation.code(), outcome]);
    bytes
}

fn words(mut answer: Vec<u8>, words: &str) -> Vec<u8> {
    let end = words.char_indices().map(|(at, one)| at + one.len_utf8());
    let end = end.take_while(|end| *end <= MAX_WORDS).last().unwrap_or(0);
    answer.extend_from_slice(words.get(..end).unwrap_or_default().as_bytes());
    answer
}

/// The child's answer to `text`.
pub(super) fn answer_text(isolation: Isolation, media_type: MediaType, bytes: &[u8]) -> Vec<u8> {
    let reading = std::panic::catch_unwind(|| {
        let reading = read(media_type, bytes)?;
        // Too long a text has no units.
        Measured::of_text(&reading.text).map(|_| reading)
    });
    match reading {
        Ok(Ok(Reading { text, left_out })) => {
            let mut answer = head(isolation, 0);
            for why in Hidden::ALL {
                let units = left_out.iter().find(|(other, _)| other == why);
                answer.extend_from_slice(&units.map_or(0, |(_, units)| units).to_le_bytes());
            }
            answer.extend_from_slice(text.as_bytes());
            answer
        }
        Ok(Err(error)) => words(head(isolation, TEXT_REFUSED), &error.to_string()),
        Err(_) => words(
            head(isolation, TEXT_REFUSED),
            "the document makes its reader give up; open it and save it again",
        ),
    }
}

/// The child's answer to `picture`.
pub(super) fn answer_picture(isolation: Isolation, media_type: MediaType, bytes: &[u8]) -> Vec<u8> {
    let drawn = std::panic::catch_unwind(|| {
        let drawn = image::draw(media_type, bytes, MAX_DRAWN)?;
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&drawn.data, drawn.width, drawn.height, ExtendedColorType::Rgba8)
            .map_err(|error| Refused(Refusal::Unsupported, error.to_string()))?;
        Ok((png, drawn.scale))
    });
    match drawn.unwrap_or_else(|_| Err(gives_up())) {
        Ok((png, scale)) => {
            let mut answer = head(isolation, 0);
            answer.extend_from_slice(&scale.to_le_bytes());
            answer.extend_from_slice(&png);
            answer
        }
        Err(Refused(refusal, detail)) => words(head(isolation, refusal.code()), &detail),
    }
}

/// The child's answer to `likeness`.
pub(super) fn answer_likeness(
    isolation: Isolation,
    media_type: MediaType,
    bytes: &[u8],
) -> Vec<u8> {
    let found = std::panic::catch_unwind(|| match media_type.modality() {
        Modality::Image => Ok(likeness::image::of(&image::shown(media_type, bytes)?)),
        Modality::Audio => {
            let heard = sound::hear(media_type, bytes, true)?;
            heard.digest.map(|digest| digest.to_vec()).ok_or_else(gives_up)
        }
        Modality::Text => match read(media_type, bytes) {
            Ok(reading) => {
                let likeness = Likeness::of_text(media_type, &reading.text);
                Ok(likeness.as_ref().map(Likeness::to_bytes).unwrap_or_default())
            }
            Err(error) => Err(Refused(Refusal::Unsupported, error.to_string())),
        },
    });
    match found.unwrap_or_else(|_| Err(gives_up())) {
        Ok(bytes) => {
            let version = LIKENESS_VERSION.to_le_bytes();
            [head(isolation, 0), version.to_vec(), bytes].concat()
        }
        Err(Refused(refusal, detail)) => words(head(isolation, refusal.code()), &detail),
    }
}

/// What a child answered: isolation, outcome and the rest.
fn ask(
    work: &str,
    media_type: MediaType,
    bytes: &[u8],
    most: usize,
) -> Result<(Isolation, u8, Vec<u8>), MeasureError> {
    let program = decoder()?;
    let mut outcome = run(&program, work, media_type, bytes, most)
        .map_err(|source| DecoderError::Start { program: program.clone(), source })?;
    let mut answer = std::mem::take(&mut outcome.answer);
    if answer.is_empty() || !outcome.status.success() {
        return Err(match outcome.bound() {
            Some(what) => MeasureError::Stopped { media_type, what },
            None => DecoderError::Crashed { program, status: outcome.status.to_string() }.into(),
        });
    }
    let malformed = |reason| Problem::Malformed(reason).of(&program);
    if answer.len() > most {
        return Err(malformed("it is too long").into());
    }
    let (version, isolation, outcome) = match answer.get(..HEAD) {
        Some([a, b, c, d, low, high, isolation, outcome]) if [*a, *b, *c, *d] == MAGIC => {
            (u16::from_le_bytes([*low, *high]), *isolation, *outcome)
        }
        _ => return Err(malformed("it does not begin as one").into()),
    };
    if version != EXTRACTOR_VERSION {
        return Err(Problem::Version(version).of(&program).into());
    }
    let isolation =
        Isolation::of(isolation).ok_or_else(|| malformed("its isolation is unknown"))?;
    Ok((isolation, outcome, answer.split_off(HEAD)))
}

/// What a person is shown: no control characters, which could move a terminal's cursor.
fn shown(words: &[u8]) -> String {
    String::from_utf8_lossy(words).chars().filter(|one| !one.is_control()).take(MAX_WORDS).collect()
}

/// Reads a document as [`read`] does, in a child process that can do nothing else: for programs that
/// strangers give files to.
///
/// # Errors
///
/// [`MeasureError::Read`] for a document without canonical text, [`MeasureError::Stopped`],
/// [`MeasureError::Decoder`].
pub fn text(media_type: MediaType, bytes: &[u8]) -> Result<(Reading, Isolation), MeasureError> {
    let most = HEAD + Hidden::ALL.len() * 8 + MAX_TEXT;
    let (isolation, outcome, mut rest) = ask("text", media_type, bytes, most)?;
    if outcome != 0 {
        return Err(MeasureError::Read(shown(&rest)));
    }
    let malformed = |reason| decoder().map(|program| Problem::Malformed(reason).of(&program));
    let counts = Hidden::ALL.len() * 8;
    if rest.len() < counts {
        return Err(malformed("it is too short")?.into());
    }
    let text = rest.split_off(counts);
    let mut left_out = LeftOut::default();
    for (why, eight) in Hidden::ALL.iter().zip(rest.chunks_exact(8)) {
        left_out.add(*why, eight.try_into().map(u64::from_le_bytes).unwrap_or(0));
    }
    match String::from_utf8(text) {
        Ok(text) => Ok((Reading { text, left_out }, isolation)),
        Err(_) => Err(malformed("its text is not UTF-8")?.into()),
    }
}

/// Draws an image as PNG in a child process: for those that browsers do not show, and for all others
/// from strangers.
///
/// # Errors
///
/// [`MeasureError::Refused`], [`MeasureError::Stopped`], [`MeasureError::Decoder`].
pub fn picture(media_type: MediaType, bytes: &[u8]) -> Result<Picture, MeasureError> {
    let (isolation, outcome, mut rest) = ask("picture", media_type, bytes, HEAD + MAX_PICTURE)?;
    let malformed = |reason| decoder().map(|program| Problem::Malformed(reason).of(&program));
    if outcome != 0 {
        return Err(refusal(media_type, outcome, &rest)?);
    }
    if rest.len() < 4 {
        return Err(malformed("it is too short")?.into());
    }
    let png = rest.split_off(4);
    let scale = rest.try_into().map(u32::from_le_bytes).unwrap_or(1);
    Ok(Picture { png, scale, isolation })
}

/// What a file is compared by, found in a child process; `None` of a text without a letter.
///
/// # Errors
///
/// [`MeasureError::Refused`], [`MeasureError::Stopped`], [`MeasureError::Decoder`].
pub(crate) fn likeness(
    media_type: MediaType,
    bytes: &[u8],
) -> Result<Option<Likeness>, MeasureError> {
    let most = HEAD + 2 + MAX_BYTES.max(MAX_WORDS);
    let (_, outcome, rest) = ask("likeness", media_type, bytes, most)?;
    if outcome != 0 {
        return Err(refusal(media_type, outcome, &rest)?);
    }
    let modality = media_type.modality();
    let found = match rest.split_first_chunk() {
        Some((version, []))
            if *version == LIKENESS_VERSION.to_le_bytes() && modality == Modality::Text =>
        {
            return Ok(None);
        }
        Some((version, bytes)) if *version == LIKENESS_VERSION.to_le_bytes() => {
            Likeness::from_bytes(modality, bytes)
        }
        _ => None,
    };
    match found {
        Some(likeness) => Ok(Some(likeness)),
        None => Err(Problem::Malformed("it is no likeness").of(&decoder()?).into()),
    }
}

/// The refusal of an image or sound that a child answered.
fn refusal(media_type: MediaType, code: u8, rest: &[u8]) -> Result<MeasureError, DecoderError> {
    match Refusal::of(code) {
        Some(refusal) => Ok(MeasureError::Refused { media_type, refusal, detail: shown(rest) }),
        None => Err(Problem::Malformed("its refusal is unknown").of(&decoder()?)),
    }
}
