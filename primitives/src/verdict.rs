//! What a review says of a file, and who may say it.

use crate::{list::closed_list, MediaType, Modality};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    BoundedVec,
};

/// Quality of an accepted file, 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize))]
pub struct Score(u8);

impl Score {
    /// The best score.
    pub const MAX: Self = Self(100);

    /// A score, if `value` is within 1 to 100.
    pub const fn new(value: u8) -> Option<Self> {
        if value >= 1 && value <= 100 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

// Written out so that no decoded score is outside its bounds.
impl Decode for Score {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        Self::new(u8::decode(input)?).ok_or_else(|| "score is not within 1 to 100".into())
    }
}
impl DecodeWithMemTracking for Score {}

closed_list! {
    /// Why a file was refused. Append, never reorder.
    "a reason", pub enum RejectionReason {
        WrongFormat = 0, "wrong-format", "the bytes are not of the declared format, or cannot be read";
        OffTopic = 1, "off-topic", "not about what the Datanet collects";
        LowQuality = 2, "low-quality", "too poor to be useful";
        Duplicate = 3, "duplicate", "the same content as an accepted file, in other bytes";
        TooSmall = 4, "too-small", "fewer units than the Datanet's minimum";
        Harmful = 5, "harmful", "harmful, private or unlawful content";
        Licence = 6, "licence", "not the contributor's to give";
    }
}

/// Version of the rules by which files are measured (canonical text, units, text root).
pub type ExtractorVersion = u16;

/// The extractor of this release: what genesis and the upgrade to this runtime name as the chain's
/// current one. A test keeps it equal to `openledger_documents::EXTRACTOR_VERSION`.
pub const EXTRACTOR: ExtractorVersion = 2;

/// The extractor of every leaf and vote from before they named one.
pub const FIRST_EXTRACTOR: ExtractorVersion = 1;

/// One review's outcome.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Verdict {
    /// The file belongs in the Datanet. (Index 0 was an acceptance that named no extractor, until
    /// spec version 100.)
    #[codec(index = 2)]
    Accept {
        /// Quality, 1 to 100.
        score: Score,
        /// Bytes of canonical text, pixels or milliseconds.
        units: u64,
        /// Merkle root over the 1 KiB chunks of the canonical text; zero where there is no text.
        text_root: H256,
        /// The extractor that measured it.
        extractor: ExtractorVersion,
    },
    /// It does not.
    #[codec(index = 1)]
    Reject(RejectionReason),
    /// Its bytes cannot be fetched, so that nobody can say. Counts against nobody.
    #[codec(index = 3)]
    Unavailable,
}

/// How a submission ended that left no leaf. Append, never reorder.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Ending {
    /// It was refused.
    Rejected(RejectionReason),
    /// Its bytes could not be fetched.
    Unavailable,
    /// Nobody decided on it in time.
    Expired,
}

impl Ending {
    /// Its name: that of the reason, `unavailable` or `expired`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected(reason) => reason.name(),
            Self::Unavailable => "unavailable",
            Self::Expired => "expired",
        }
    }

    /// What it means, in a few words.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Rejected(reason) => reason.help(),
            Self::Unavailable => "its bytes could not be fetched",
            Self::Expired => "nobody decided on it in time",
        }
    }

    /// Days for which the file is kept for who submitted it first. Bytes that somebody saw could be
    /// submitted by those who judged them, so a refused file is kept long; of a file that nobody
    /// judged, the declaration alone must not keep out who really has it.
    pub const fn days_kept(self) -> u32 {
        match self {
            Self::Rejected(reason) if reason.leaves_tombstone() => 180,
            Self::Rejected(_) => 30,
            Self::Unavailable | Self::Expired => 1,
        }
    }

    /// Whether nobody may submit the file in those days, not even who did first.
    pub const fn leaves_tombstone(self) -> bool {
        matches!(self, Self::Rejected(reason) if reason.leaves_tombstone())
    }
}

impl RejectionReason {
    /// Whether the file must not come back day by day at the curators' cost.
    pub const fn leaves_tombstone(self) -> bool {
        matches!(self, Self::Harmful | Self::Licence)
    }

    /// How much it holds against the file and who gave it, from the mildest reason, 0, on.
    pub const fn severity(self) -> u8 {
        match self {
            Self::TooSmall => 0,
            Self::WrongFormat => 1,
            Self::LowQuality => 2,
            Self::Duplicate => 3,
            Self::OffTopic => 4,
            Self::Licence => 5,
            Self::Harmful => 6,
        }
    }
}

impl Verdict {
    /// The extractor whose measurements the verdict rests on; `None` where nothing was measured.
    pub const fn extractor(&self) -> Option<ExtractorVersion> {
        match self {
            Self::Accept { extractor, .. } => Some(*extractor),
            Self::Reject(_) | Self::Unavailable => None,
        }
    }

    /// Whether a reader could have measured what the verdict claims of a file of `media` and `size` bytes.
    ///
    /// Text root and units are what pays and what training checks, and no chain reads the file: what
    /// is refused here is what is wrong of every such file.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn validate(&self, media: MediaType, size: u32) -> Result<(), ClaimError> {
        self.validate_of(media.modality(), media.max_units(size))
    }

    /// What [`Self::validate`] says of any file of `modality`, whatever its size.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn validate_modality(&self, modality: Modality) -> Result<(), ClaimError> {
        self.validate_of(modality, modality.max_units())
    }

    fn validate_of(&self, modality: Modality, most: u64) -> Result<(), ClaimError> {
        let Self::Accept { units, text_root, .. } = self else { return Ok(()) };
        if *units > most {
            return Err(ClaimError::TooManyUnits);
        }
        match (modality.has_text_root(), text_root.is_zero()) {
            (true, true) => Err(ClaimError::NoTextRoot),
            (false, false) => Err(ClaimError::UnexpectedTextRoot),
            _ => Ok(()),
        }
    }
}

/// Why no file can measure what a [`Verdict`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimError {
    /// More units than [`MediaType::max_units`].
    TooManyUnits,
    /// No text root for a text. Only the empty text has none, and no Datanet takes that.
    NoTextRoot,
    /// A text root for a file that has no text.
    UnexpectedTextRoot,
}

/// Most curators of one Datanet.
pub const MAX_CURATORS: u32 = 16;

/// Who decides on a Datanet's submissions. Append, never reorder.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum ReviewPolicy<AccountId> {
    /// Accounts that the Datanet's owner named: `threshold` of them must agree.
    Curators {
        /// The curators, without repetition.
        members: BoundedVec<AccountId, ConstU32<MAX_CURATORS>>,
        /// How many must agree, 1 to the number of members.
        threshold: u8,
    },
    /// Committees drawn from reviewers' seats ([`committee`](crate::committee)).
    Committee {
        /// Whether they are drawn from seats for this Datanet alone, not from those for its modality.
        own_seats: bool,
    },
}

/// Why a [`ReviewPolicy`] cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// Nobody is named.
    NoMembers,
    /// An account is named twice.
    RepeatedMember,
    /// The threshold is 0 or above the number of members.
    Threshold,
}

impl<AccountId: Encode> ReviewPolicy<AccountId> {
    /// blake2-256 of the encoded policy: what funders of a pool say they agree to.
    pub fn hash(&self) -> H256 {
        BlakeTwo256::hash_of(self)
    }
}

impl<AccountId> ReviewPolicy<AccountId> {
    /// The seats that committees are drawn from, where these decide: `modality` or `datanet`.
    pub const fn seats(&self) -> Option<&'static str> {
        match self {
            Self::Curators { .. } => None,
            Self::Committee { own_seats: false } => Some("modality"),
            Self::Committee { own_seats: true } => Some("datanet"),
        }
    }
}

impl<AccountId: Ord + Clone> ReviewPolicy<AccountId> {
    /// Whether verdicts can ever be reached under this policy.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let Self::Curators { members, threshold } = self else { return Ok(()) };
        if members.is_empty() {
            return Err(PolicyError::NoMembers);
        }
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort();
        sorted.dedup();
        if sorted.len() != members.len() {
            return Err(PolicyError::RepeatedMember);
        }
        if *threshold == 0 || usize::from(*threshold) > members.len() {
            return Err(PolicyError::Threshold);
        }
        Ok(())
    }
}
