//! What is wrong with an acceptance that a program can tell: without an opinion of what the file is about.
//!
//! `openledger review watch` challenges these and nothing else. In each case programs of the larger committee, which
//! measure and compare in the same way, come to the same; so what they find here is looked for in the order in which
//! [`Policy::decide`](crate::Policy::decide) refuses.

use crate::{index::Nearest, Same};
use openledger_documents::Measured;
use openledger_primitives::{MediaType, Modality, RejectionReason};

/// Of sounds, the part of the units by which two machines may differ: MP3 is defined with rounding errors.
const SOUND_TOLERANCE: u64 = 100;

/// An acceptance, and what was found of its file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acceptance {
    /// Its format.
    pub media: MediaType,
    /// The units that the committee says it has.
    pub units: u64,
    /// The root of its text that the committee says; zero where it has none.
    pub text_root: [u8; 32],
    /// The least units that its draw takes.
    pub min_units: u64,
    /// What it measures by the extractor that its draw names; `None` if it cannot be read.
    pub measured: Option<Measured>,
    /// The file before it that it is most like.
    pub nearest: Option<Nearest>,
    /// From which likeness on a file is a copy.
    pub copy_from: f64,
}

/// What is wrong with an acceptance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// It cannot be read as the format that it was submitted as.
    Unreadable,
    /// It has fewer units than its Datanet takes.
    TooSmall {
        /// Its units.
        units: u64,
        /// The least.
        least: u64,
    },
    /// It is a copy of an earlier file.
    Copy(Nearest),
    /// It measures otherwise than the committee says.
    Measures {
        /// Its units.
        units: u64,
        /// Those that the committee says.
        said: u64,
        /// Whether its text is another one.
        text: bool,
    },
    /// It could not be fetched, so often.
    Missing(u32),
}

impl Fault {
    /// What is wrong with an acceptance whose file is here.
    pub fn of(acceptance: &Acceptance) -> Option<Self> {
        let Acceptance { media, units: said, text_root, min_units: least, .. } = *acceptance;
        let Some(Measured { units, text_root: root, .. }) = acceptance.measured else {
            return Some(Self::Unreadable);
        };
        if units < least {
            return Some(Self::TooSmall { units, least });
        }
        if let Some(nearest) = acceptance.nearest.filter(|one| one.alike >= acceptance.copy_from) {
            return Some(Self::Copy(nearest));
        }
        let apart = match media.modality() {
            Modality::Audio => units.abs_diff(said) > units / SOUND_TOLERANCE,
            Modality::Text | Modality::Image => units != said,
        };
        let text = root != text_root;
        (apart || text).then_some(Self::Measures { units, said, text })
    }

    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreadable => RejectionReason::WrongFormat.name(),
            Self::TooSmall { .. } => RejectionReason::TooSmall.name(),
            Self::Copy(_) => RejectionReason::Duplicate.name(),
            Self::Measures { .. } => "measures",
            Self::Missing(_) => "missing",
        }
    }

    /// In words.
    pub fn why(&self) -> String {
        match self {
            Self::Unreadable => "it cannot be read".to_owned(),
            Self::TooSmall { units, least } => {
                format!("it has {units} units, and its Datanet takes {least} or more")
            }
            Self::Copy(Nearest { submission, alike, same, .. }) => match same {
                Same::Bytes => format!("it is submission {submission}, byte by byte"),
                Same::Text => format!("its text is that of submission {submission}"),
                Same::Likeness => {
                    format!("it is like submission {submission} by {:.0} %", alike * 100.0)
                }
            },
            Self::Measures { units, said, text: false } => {
                format!("it has {units} units, and its committee says {said}")
            }
            Self::Measures { units, said, text: true } => {
                format!(
                    "its text is another one than its committee says, with {units} units instead \
                     of {said}"
                )
            }
            Self::Missing(tries) => format!("it was asked for {tries} times and did not come"),
        }
    }

    /// Whether its members lose a part of their seats where the larger committee says so too, of which the challenger has
    /// half. Of a copy so if it is `early`, which is of a committee after which another could be asked; the challenger has
    /// half of what they are not paid, in either case. Of a file that does not come it has the bond back.
    pub fn takes_seats(&self, early: bool) -> bool {
        match self {
            Self::Unreadable | Self::TooSmall { .. } | Self::Measures { .. } => true,
            Self::Copy(_) => early,
            Self::Missing(_) => false,
        }
    }
}
