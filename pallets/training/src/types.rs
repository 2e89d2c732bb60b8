//! What the pallet stores beside the jobs and adapters of the primitives.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use openledger_primitives::{
    job::Datasets, market::MAX_MODELS, Balance, BaseModelId, BlockNumber, ContentId, FileHash,
    JobId, JobKind, ModelFamily, RateClass, SizeClass, TrainingSpec,
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
    /// Plancks held for it; 0 once it is retired.
    pub deposit: Balance,
    /// Whether it takes no new jobs.
    pub retired: bool,
    /// Jobs on record that name it.
    pub jobs: u64,
}

/// What a worker has opted in to, as the queues need it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum OptIn {
    /// These base models, with their families. None of them is none at all.
    Models(BoundedVec<(BaseModelId, ModelFamily), ConstU32<MAX_MODELS>>),
    /// Any whose weights have at most so many bytes.
    UpTo(u64),
}

/// A higher floor that waits.
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
pub struct Raise {
    /// Plancks a token.
    pub price_per_token: Balance,
    /// First block in which it may take effect.
    pub from: BlockNumber,
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
    /// Its floor: plancks a token below which it gets no job.
    pub price_per_token: Balance,
    /// Where it serves (UTF-8), or empty.
    pub endpoint: Endpoint,
    /// The job it was given and has not finished, if any.
    pub job: Option<JobId>,
    /// Whether it takes no further jobs, by its own wish, since it let one time out, or since it
    /// declined several.
    pub paused: bool,
    /// Results it posted whose window is still open. The bond stays until there are none.
    pub open_results: u32,
    /// Which base models it takes.
    pub opt_in: OptIn,
    /// How fast it says it trains.
    pub rate: RateClass,
    /// Its place among those idle: the smaller, the longer.
    pub place: u64,
    /// Jobs it let time out.
    pub lost: u32,
    /// Jobs it declined since it last took one.
    pub declines: u8,
    /// The block before which it cannot resume.
    pub rests_until: BlockNumber,
    /// A higher floor that waits.
    pub raise: Option<Raise>,
}

impl Worker {
    /// Whether it stands among the idle: it has no job and takes some.
    pub fn is_idle(&self) -> bool {
        self.job.is_none() && !self.paused
    }

    /// Its place among the idle of each shelf.
    pub fn idle_key(&self) -> IdleKey {
        IdleKey::new(self.price_per_token, self.lost, self.place)
    }
}

/// A row of shelves: what workers of a kind have opted in to by base model, or by size.
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
pub struct Row {
    /// What is trained and how.
    pub kind: JobKind,
    /// The base model, or `None` for the row by size.
    pub base: Option<BaseModelId>,
}

/// A shelf of a row: of workers what they declare, of jobs what they need.
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
pub struct Class {
    /// Size of the base model's weights; the smallest in a row of one base model.
    pub size: SizeClass,
    /// Speed.
    pub rate: RateClass,
}

/// Most shelves of a row.
pub const CLASSES: u32 = SizeClass::COUNT as u32 * RateClass::COUNT as u32;

/// Of each shelf of a row that is not empty, the first entry.
pub type Firsts<Key> = BoundedVec<(Class, Key), ConstU32<CLASSES>>;

/// The workers that may be drawn for disputes: those not paused that have opted in to a base model, or
/// that take all of a family up to a size.
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
pub struct VerifierSet {
    /// The base models' architecture.
    pub family: ModelFamily,
    /// The base model, or `None` for the set by size.
    pub base: Option<BaseModelId>,
    /// Size of the weights; the smallest in a set of one base model.
    pub size: SizeClass,
}

/// What a job owner asks for: the arguments of `create_job` and `refine_adapter`.
pub(crate) struct JobOffer {
    pub(crate) parent: Option<JobId>,
    pub(crate) base: BaseModelId,
    pub(crate) datasets: Datasets,
    pub(crate) spec: TrainingSpec,
    pub(crate) token_ceiling: u64,
    pub(crate) price_per_token: Balance,
    pub(crate) deadline: BlockNumber,
}

/// What a worker says of itself: the arguments of `register_worker` and `update_worker`.
pub(crate) struct WorkerOffer {
    pub(crate) kinds: Kinds,
    pub(crate) price_per_token: Balance,
    pub(crate) endpoint: Endpoint,
    pub(crate) serves: openledger_primitives::Serves,
    pub(crate) tokens_per_second: u32,
}

/// A job's number, big-endian, so that storage order is the order of numbers.
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

/// Place among idle workers: the lowest floor, then the fewest jobs lost, then the longest idle. All
/// big-endian, so that storage order is this order.
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
pub struct IdleKey([u8; 16], [u8; 4], [u8; 8]);

impl IdleKey {
    /// The key of a worker.
    pub const fn new(price_per_token: Balance, lost: u32, place: u64) -> Self {
        Self(price_per_token.to_be_bytes(), lost.to_be_bytes(), place.to_be_bytes())
    }

    /// The worker's floor.
    pub const fn price_per_token(&self) -> Balance {
        Balance::from_be_bytes(self.0)
    }
}

/// Place among queued jobs: the highest price a token, then the earliest. Big-endian, the price
/// inverted, so that storage order is this order.
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
pub struct OfferKey([u8; 16], [u8; 8]);

impl OfferKey {
    /// The key of a job.
    pub const fn new(price_per_token: Balance, sequence: u64) -> Self {
        Self((!price_per_token).to_be_bytes(), sequence.to_be_bytes())
    }

    /// Plancks offered a token.
    pub const fn price_per_token(&self) -> Balance {
        !Balance::from_be_bytes(self.0)
    }
}
