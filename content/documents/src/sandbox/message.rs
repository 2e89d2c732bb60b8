//! The one message between decoder and program: fixed fields, bounded, checked on arrival.

use super::{DecoderError, Isolation, MAX_ANSWER};
use crate::{
    measure::{Counted, Refusal, Refused, MAX_MILLISECONDS, MAX_PIXELS},
    Hidden, EXTRACTOR_VERSION,
};
use std::path::Path;

const MAGIC: [u8; 4] = *b"OLM1";
/// Magic, extractor version, isolation, refusal, four counts.
const FIXED: usize = 4 + 2 + 1 + 1 + 4 * 8;
/// What the counts after the first one are of.
const LEFT_OUT: [Hidden; 3] = [Hidden::Flat, Hidden::Silent, Hidden::Again];
/// Most that can be counted of one file.
const MOST: u64 = if MAX_PIXELS > MAX_MILLISECONDS { MAX_PIXELS } else { MAX_MILLISECONDS };

/// What the decoder answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) isolation: Isolation,
    pub(super) counted: Result<Counted, Refused>,
}

/// What is wrong with an answer.
#[derive(Debug)]
pub(super) enum Problem {
    Malformed(&'static str),
    Version(u16),
}

impl Problem {
    pub(super) fn of(self, program: &Path) -> DecoderError {
        let program = program.to_owned();
        match self {
            Self::Malformed(reason) => DecoderError::Answer { program, reason },
            Self::Version(found) => DecoderError::Version {
                program,
                found: found.to_string(),
                ours: EXTRACTOR_VERSION.to_string(),
            },
        }
    }
}

impl Answer {
    /// As bytes, at most [`MAX_ANSWER`].
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&EXTRACTOR_VERSION.to_le_bytes());
        bytes.push(self.isolation.code());
        let none = Counted::default();
        let (refusal, counted, detail) = match &self.counted {
            Ok(counted) => (0, counted, ""),
            Err(Refused(refusal, detail)) => (refusal.code(), &none, detail.as_str()),
        };
        bytes.push(refusal);
        bytes.extend_from_slice(&counted.units.to_le_bytes());
        for why in LEFT_OUT {
            let units = counted.left_out.iter().find(|(other, _)| *other == why);
            bytes.extend_from_slice(&units.map_or(0, |(_, units)| units).to_le_bytes());
        }
        for character in detail.chars() {
            if bytes.len() + character.len_utf8() > MAX_ANSWER {
                break;
            }
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        bytes
    }

    /// From bytes; `None` if nothing was answered.
    pub(super) fn read(bytes: &[u8]) -> Option<Result<Self, Problem>> {
        if bytes.is_empty() {
            return None;
        }
        Some(Self::parse(bytes))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let malformed = Problem::Malformed;
        if bytes.len() > MAX_ANSWER {
            return Err(malformed("it is too long"));
        }
        let (fixed, detail) =
            bytes.split_at_checked(FIXED).ok_or_else(|| malformed("it is too short"))?;
        let version = match fixed {
            [a, b, c, d, low, high, ..] if [*a, *b, *c, *d] == MAGIC => {
                u16::from_le_bytes([*low, *high])
            }
            _ => return Err(malformed("it does not begin as one")),
        };
        if version != EXTRACTOR_VERSION {
            return Err(Problem::Version(version));
        }
        let isolation = fixed.get(6).copied().and_then(Isolation::of);
        let isolation = isolation.ok_or_else(|| malformed("its isolation is unknown"))?;
        let code = fixed.get(7).copied().unwrap_or_default();
        if code != 0 {
            let refusal = Refusal::of(code).ok_or_else(|| malformed("its refusal is unknown"))?;
            // It is shown to people: no control characters, which could move a terminal's cursor.
            let detail = String::from_utf8_lossy(detail);
            let detail = detail.chars().filter(|one| !one.is_control()).collect();
            return Ok(Self { isolation, counted: Err(Refused(refusal, detail)) });
        }
        let counts: Vec<u64> = fixed
            .get(8..)
            .unwrap_or_default()
            .chunks_exact(8)
            .filter_map(|eight| eight.try_into().ok().map(u64::from_le_bytes))
            .collect();
        let (units, left_out) =
            counts.split_first().ok_or_else(|| malformed("it counts nothing"))?;
        let sum = counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        if sum.is_none_or(|sum| sum > MOST) {
            return Err(malformed("it counts more than a file can have"));
        }
        let mut counted = Counted { units: *units, ..Counted::default() };
        for (why, units) in LEFT_OUT.into_iter().zip(left_out) {
            counted.left_out.add(why, *units);
        }
        Ok(Self { isolation, counted: Ok(counted) })
    }
}
