//! What is stored, as far as an index needs it.

use crate::AccountId;
use codec::Decode;
use openledger_primitives::{
    committee::{Draw, PoolId},
    Balance, BaseModelId, BlockNumber, ContentId, DatanetId, FileHash, JobId, JobKind, MediaType,
    Modality, ModelFamily, QuotaLimits, RateClass, ReviewPolicy, Serves, SubmissionId, Verdict,
};

/// The generated shape of `Datanets.Datanets` in the words of this crate.
#[derive(Decode)]
pub(super) struct StoredDatanet {
    pub(super) owner: AccountId,
    pub(super) name: Vec<u8>,
    pub(super) modality: Modality,
    pub(super) min_units: u64,
    pub(super) max_units: u64,
    pub(super) daily_limit: Option<QuotaLimits>,
    pub(super) _used: openledger_primitives::DailyQuota,
    pub(super) _deposit: Balance,
    pub(super) _pending: u32,
    pub(super) _leaves: u64,
    pub(super) _units: u128,
}

#[derive(Decode)]
pub(super) enum StoredSubmission {
    Pending {
        id: SubmissionId,
        _contributor: AccountId,
        content: ContentId,
        size: u32,
        media: MediaType,
    },
    Accepted {
        leaf: u64,
        content: ContentId,
        media: MediaType,
    },
}

#[derive(Decode)]
pub(super) struct StoredBaseModel {
    pub(super) registrar: AccountId,
    pub(super) family: ModelFamily,
    pub(super) name: Vec<u8>,
    pub(super) weights: ContentId,
    pub(super) weights_sha256: FileHash,
    pub(super) weights_size: u64,
    pub(super) tokenizer: Option<ContentId>,
    pub(super) config: Option<ContentId>,
    pub(super) licence: Vec<u8>,
    pub(super) _deposit: Balance,
    pub(super) retired: bool,
    pub(super) _jobs: u64,
}

#[derive(Decode)]
pub(super) struct StoredBallot {
    pub(super) _datanet: DatanetId,
    pub(super) _sha256: [u8; 32],
    pub(super) votes: Vec<(AccountId, Verdict)>,
}

#[derive(Decode)]
pub(super) struct StoredWaitingPolicy {
    pub(super) policy: ReviewPolicy<AccountId>,
    pub(super) from: BlockNumber,
}

#[derive(Decode)]
pub(super) struct StoredDraw {
    pub(super) datanet: DatanetId,
    pub(super) pool: PoolId,
    pub(super) global: bool,
    pub(super) _reserve: Balance,
    pub(super) bond: Balance,
    pub(super) _settled: u32,
    pub(super) _due: Option<BlockNumber>,
    pub(super) draw: Draw<AccountId>,
}

#[derive(Decode)]
pub(super) struct StoredWorker {
    pub(super) bond: Balance,
    pub(super) kinds: Vec<JobKind>,
    pub(super) price_per_token: Balance,
    pub(super) endpoint: Vec<u8>,
    pub(super) job: Option<JobId>,
    pub(super) paused: bool,
    pub(super) _open_results: u32,
    pub(super) opt_in: StoredOptIn,
    pub(super) rate: RateClass,
    pub(super) _place: u64,
    pub(super) lost: u32,
    pub(super) declines: u8,
    pub(super) rests_until: BlockNumber,
    pub(super) raise: Option<(Balance, BlockNumber)>,
}

#[derive(Decode)]
pub(super) enum StoredOptIn {
    Models(Vec<(BaseModelId, ModelFamily)>),
    UpTo(u64),
}

impl From<StoredOptIn> for Serves {
    fn from(stored: StoredOptIn) -> Self {
        match stored {
            StoredOptIn::UpTo(bytes) => Self::UpTo(bytes),
            StoredOptIn::Models(models) => {
                let models: Vec<BaseModelId> = models.into_iter().map(|(base, _)| base).collect();
                // The chain holds no more than fit.
                Self::Models(models.try_into().unwrap_or_default())
            }
        }
    }
}
