//! What this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, weights::Weight, BoundedVec};
use openledger_primitives::{
    Balance, ContentId, DailyQuota, FileHash, LeafIndex, MediaType, Modality, QuotaLimits,
    SubmissionId,
};
use scale_info::TypeInfo;

/// Most bytes of a Datanet's name.
pub const MAX_NAME: u32 = 64;

/// A Datanet's name, UTF-8.
pub type DatanetName = BoundedVec<u8, ConstU32<MAX_NAME>>;

/// Most entries that one page of a read returns.
pub const MAX_PAGE: u32 = 100;

/// A collection of files of one modality.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Datanet<AccountId> {
    /// Who created it.
    pub owner: AccountId,
    /// Its name.
    pub name: DatanetName,
    /// What it holds, for ever.
    pub modality: Modality,
    /// Least units of an accepted file.
    pub min_units: u64,
    /// Most units of a file that earn points.
    pub max_units: u64,
    /// What all contributors together may submit in one UTC day.
    pub daily_limit: Option<QuotaLimits>,
    /// What was used of `daily_limit`; never counted without one.
    pub used: DailyQuota,
    /// Plancks held on the owner.
    pub deposit: Balance,
    /// Files waiting for a verdict.
    pub pending: u32,
    /// Accepted files.
    pub leaves: u64,
    /// Units of all accepted files.
    pub units: u128,
}

/// An account that may submit files.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Contributor<AccountId> {
    /// Who paid the hold: the account itself or a sponsor.
    pub depositor: AccountId,
    /// Plancks held on the depositor.
    pub hold: Balance,
    /// Moment of the last submission, in milliseconds since 1970.
    pub last_submission: Option<u64>,
    /// Files waiting for a verdict, over all Datanets.
    pub pending: u32,
}

/// A file that a Datanet has.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Submission<AccountId> {
    /// It waits for its verdict.
    Pending {
        /// The submission's number.
        id: SubmissionId,
        /// Who gave it.
        contributor: AccountId,
        /// The file on IPFS.
        content: ContentId,
        /// Size of the flat bytes.
        size: u32,
        /// Its format.
        media: MediaType,
    },
    /// It was accepted. What its leaf holds is not repeated here.
    Accepted {
        /// Position of its leaf in the Datanet's mountain range.
        leaf: LeafIndex,
        /// The file on IPFS.
        content: ContentId,
        /// Its format.
        media: MediaType,
    },
}

/// A pending submission as the calls that settle it need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingFile<AccountId> {
    /// The submission's number.
    pub(crate) id: SubmissionId,
    /// Who gave it.
    pub(crate) contributor: AccountId,
    /// sha2-256 of the flat bytes.
    pub(crate) sha256: FileHash,
    /// The file on IPFS.
    pub(crate) content: ContentId,
    /// Size of the flat bytes.
    pub(crate) size: u32,
    /// Its format.
    pub(crate) media: MediaType,
}

/// A submission's number as a storage key: eight bytes, big-endian, so that keys come in order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub struct OrderedSubmissionId([u8; 8]);

impl From<SubmissionId> for OrderedSubmissionId {
    fn from(id: SubmissionId) -> Self {
        Self(id.to_be_bytes())
    }
}

impl From<OrderedSubmissionId> for SubmissionId {
    fn from(id: OrderedSubmissionId) -> Self {
        Self::from_be_bytes(id.0)
    }
}

/// What submissions without fee took of a block.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct FeelessUse {
    /// Their weight, base weights included.
    pub weight: Weight,
    /// Their encoded length in bytes.
    pub length: u32,
}
