//! What this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, weights::Weight, BoundedVec};
use openledger_primitives::{
    precommit::MAX_PRECOMMITS, verdict::MAX_CURATORS, Balance, BarReason, BlockNumber, ContentId,
    DailyQuota, DatanetId, Ending, FileHash, LeafIndex, MediaType, Modality, QuotaLimits,
    SubmissionId,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// Most bytes of a Datanet's name.
pub const MAX_NAME: u32 = 64;

/// A Datanet's name, UTF-8.
pub type DatanetName = BoundedVec<u8, ConstU32<MAX_NAME>>;

/// Most entries that one page of a read returns.
pub const MAX_PAGE: u32 = 100;

/// Percent of a Datanet's daily limit that one account may use, unless its owner said otherwise.
pub const DEFAULT_SHARE: u8 = 25;

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

/// A precommitment that stands in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Precommit {
    /// The hash.
    pub commitment: H256,
    /// The block.
    pub at: BlockNumber,
}

/// An account's precommitments in the order of their blocks. Those older than a day count no more
/// and make room when the next ones come.
pub type PrecommitsOf = BoundedVec<Precommit, ConstU32<MAX_PRECOMMITS>>;

/// A file that waits for its verdict, in the list of its contributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct WaitingFile {
    /// The submission's number.
    pub submission: SubmissionId,
    /// The Datanet.
    pub datanet: DatanetId,
    /// Block in which it was submitted.
    pub since: BlockNumber,
    /// Block from which its age counts: that of its precommitment, if it had one.
    pub age: BlockNumber,
}

/// Most files that a list of waiting ones has room for. Admission stops long before
/// ([`Config::MaxPending`](crate::Config::MaxPending)); an upgrade finds longer ones.
pub const MAX_WAITING: u32 = 4_096;

/// An account's waiting files in the order of their numbers.
pub type WaitingFiles = BoundedVec<WaitingFile, ConstU32<MAX_WAITING>>;

/// The last submission of a file that ended without a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RefusedFile<AccountId> {
    /// The submission's number.
    pub submission: SubmissionId,
    /// Who gave it, and for whom the file is kept.
    pub contributor: AccountId,
    /// Why it ended.
    pub ending: Ending,
    /// Who judged it so: the curators that agreed.
    pub judges: BoundedVec<AccountId, ConstU32<MAX_CURATORS>>,
    /// Block in which it ended.
    pub at: BlockNumber,
    /// Block from which its age counted. An older precommitment is opened all the same.
    pub age: BlockNumber,
    /// First block in which anyone may submit the file again, and the record goes.
    pub kept_until: BlockNumber,
}

/// An account that a Datanet takes no files of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Bar {
    /// Why.
    pub reason: BarReason,
    /// Since which block.
    pub since: BlockNumber,
}

/// The invitations and bars of a Datanet, and what is held for them on its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Listing {
    /// How many there are.
    pub entries: u32,
    /// Plancks held for all of them.
    pub deposit: Balance,
}

/// Who took a leaf's permission to train on it back, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Revocation {
    /// The block.
    pub at: BlockNumber,
    /// Whether governance did it, not the contributor.
    pub by_governance: bool,
}

/// A block's number as a storage key: four bytes, big-endian, so that keys come in order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub struct OrderedBlock([u8; 4]);

impl From<BlockNumber> for OrderedBlock {
    fn from(block: BlockNumber) -> Self {
        Self(block.to_be_bytes())
    }
}

impl From<OrderedBlock> for BlockNumber {
    fn from(block: OrderedBlock) -> Self {
        Self::from_be_bytes(block.0)
    }
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

impl<AccountId> PendingFile<AccountId> {
    /// The file of a record, if it is pending.
    pub(crate) fn of(record: Submission<AccountId>, sha256: FileHash) -> Option<Self> {
        match record {
            Submission::Pending { id, contributor, content, size, media } => {
                Some(Self { id, contributor, sha256, content, size, media })
            }
            Submission::Accepted { .. } => None,
        }
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
