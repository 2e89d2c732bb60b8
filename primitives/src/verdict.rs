//! What a review says of a file, and who may say it.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

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

/// Why a file was refused. Append, never reorder.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "std", serde(rename_all = "kebab-case"))]
pub enum RejectionReason {
    /// The bytes are not of the declared format, or cannot be read.
    WrongFormat,
    /// Not about what the Datanet collects.
    OffTopic,
    /// Too poor to be useful.
    LowQuality,
    /// The same content as an accepted file, in other bytes.
    Duplicate,
    /// Fewer units than the Datanet's minimum.
    TooSmall,
    /// Harmful, private or unlawful content.
    Harmful,
    /// Not the contributor's to give.
    Licence,
}

impl RejectionReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::WrongFormat,
        Self::OffTopic,
        Self::LowQuality,
        Self::Duplicate,
        Self::TooSmall,
        Self::Harmful,
        Self::Licence,
    ];

    /// The reason as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongFormat => "wrong-format",
            Self::OffTopic => "off-topic",
            Self::LowQuality => "low-quality",
            Self::Duplicate => "duplicate",
            Self::TooSmall => "too-small",
            Self::Harmful => "harmful",
            Self::Licence => "licence",
        }
    }
}

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
    /// The file belongs in the Datanet.
    Accept {
        /// Quality, 1 to 100.
        score: Score,
        /// Bytes of canonical text, pixels or milliseconds.
        units: u64,
        /// Merkle root over the 1 KiB chunks of the canonical text; zero where there is no text.
        text_root: H256,
    },
    /// It does not.
    Reject(RejectionReason),
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

impl<AccountId: Ord + Clone> ReviewPolicy<AccountId> {
    /// Whether verdicts can ever be reached under this policy.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let Self::Curators { members, threshold } = self;
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
