//! What the pallet stores beside the jobs and adapters of the primitives.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use openledger_primitives::{
    job::Datasets, Balance, BaseModelId, BlockNumber, ContentId, FileHash, JobId, JobKind,
    ModelFamily, TrainingSpec,
};
use scale_info::TypeInfo;

/// A name or the name of a licence: UTF-8, at most 64 bytes.
pub type ShortText = BoundedVec<u8, ConstU32<64>>;

/// Where a worker serves: UTF-8, at most 128 bytes, may be empty.
pub type Endpoint = BoundedVec<u8, ConstU32<128>>;

/// What a worker can train: at least one kind, none twice.
pub type Kinds = BoundedVec<JobKind, ConstU32<{ JobKind::COUNT }>>;

/// The files of a base model and what they are.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ModelFiles {
    /// The weights on IPFS.
    pub weights: ContentId,
    /// sha2-256 of the weights' flat bytes.
    pub weights_sha256: FileHash,
    /// Size of the weights' flat bytes.
    pub weights_size: u64,
    /// The tokenizer on IPFS, if the weights' file does not hold it.
    pub tokenizer: Option<ContentId>,
    /// The configuration on IPFS, if the weights' file does not hold it.
    pub config: Option<ContentId>,
}

/// A base model that jobs may fine-tune.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BaseModel<AccountId> {
    /// Who registered it and holds its deposit.
    pub registrar: AccountId,
    /// Its architecture.
    pub family: ModelFamily,
    /// Its name (UTF-8, not empty).
    pub name: ShortText,
    /// Its files.
    pub files: ModelFiles,
    /// Its licence (UTF-8, not empty), for example an SPDX identifier.
    pub licence: ShortText,
    /// Plancks held for it.
    pub deposit: Balance,
}

/// A worker.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Worker {
    /// Plancks it has at stake; what it lost by time-outs is gone.
    pub bond: Balance,
    /// What it can train.
    pub kinds: Kinds,
    /// Plancks a token.
    pub price_per_token: Balance,
    /// Where it serves (UTF-8), or empty.
    pub endpoint: Endpoint,
    /// The job it was given and has not finished, if any.
    pub job: Option<JobId>,
    /// Its place in the idle queues. Exactly the workers that are neither busy nor paused have one.
    pub idle: Option<u64>,
    /// Whether it takes no further jobs, by its own wish or since it let one time out.
    pub paused: bool,
    /// Results it posted whose window is still open. The bond stays until there are none.
    pub open_results: u32,
}

/// What a job owner asks for: the arguments of `create_job` and `refine_adapter`.
pub(crate) struct JobOffer {
    pub(crate) parent: Option<JobId>,
    pub(crate) base: BaseModelId,
    pub(crate) datasets: Datasets,
    pub(crate) spec: TrainingSpec,
    pub(crate) token_ceiling: u64,
    pub(crate) budget: Balance,
    pub(crate) deadline: BlockNumber,
}

/// Place in a queue: a sequence number, big-endian, so that storage order is the order of arrival.
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
pub struct SequenceKey([u8; 8]);

impl From<u64> for SequenceKey {
    fn from(sequence: u64) -> Self {
        Self(sequence.to_be_bytes())
    }
}

impl From<SequenceKey> for u64 {
    fn from(key: SequenceKey) -> Self {
        Self::from_be_bytes(key.0)
    }
}

/// Place among the idle workers by price, then by how long they have been idle; both big-endian.
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
pub struct PriceKey([u8; 16], SequenceKey);

impl PriceKey {
    /// The key of a worker that asks `price_per_token` and has been idle since `sequence`.
    pub fn new(price_per_token: Balance, sequence: u64) -> Self {
        Self(price_per_token.to_be_bytes(), sequence.into())
    }
}
