//! The words every part of OpenLedger shares.
//!
//! Ids, content ids, media types, quotas, rewards, Merkle roots and training settings are defined
//! here once, without dependence on any pallet or program, so that the chain, the workers and a
//! stranger who recomputes a payment all use the same arithmetic.
//!
//! ```
//! use openledger_primitives::{ContentId, DailyQuota, QuotaLimits};
//!
//! let id: ContentId = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku".parse().unwrap();
//! assert_eq!(id.to_string(), "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
//!
//! let mut quota = DailyQuota::default();
//! assert!(quota.try_consume(20_000, 3, 4_096, &QuotaLimits::ACCOUNT).is_ok());
//! ```
//!
//! # Units
//!
//! Money is in plancks (10⁻¹⁸ OPEN), sizes in bytes, times of day in UTC days since 1970, losses in
//! micro-nats a token. Rates that need fractions are integers in a named unit
//! (`learning_rate_nano`, `dropout_bp`), never floats.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod api;
pub mod attribution;
pub mod committee;
pub mod content_id;
pub mod datanet;
pub mod funding;
pub mod job;
#[cfg(feature = "std")]
pub mod json;
pub mod leaf;
pub mod list;
pub mod market;
pub mod media;
pub mod nomination;
pub mod precommit;
pub mod quota;
pub mod refusal;
pub mod reward;
pub mod staking;
pub mod text;
pub mod training;
pub mod traits;
pub mod verdict;

pub use attribution::{shares, PARTS};
pub use content_id::{ContentCodec, ContentId, ContentIdError};
pub use datanet::{AdmissionPolicy, DatanetStatus, DatanetText};
pub use funding::{Exit, Funds, PoolRules, Share, Shares, WaitingTerms, WayOut};
pub use job::{Adapter, Job, JobResult, JobState};
pub use leaf::{text_root, DatasetLeaf, DatasetVersion, FileHash, LeafVersion};
pub use list::ClosedList;
pub use market::{RateClass, Serves, SizeClass, Windows};
pub use media::{MediaType, Modality};
pub use precommit::{precommitment, Salt};
pub use quota::{DailyQuota, QuotaExceeded, QuotaLimits};
pub use refusal::{BarReason, Refusal, RefusalRule};
pub use reward::{Points, Pool, Position, RewardTerms};
pub use training::{JobKind, Method, ModelFamily, TrainingSpec};
pub use verdict::{
    Ending, ExtractorVersion, RejectionReason, ReviewPolicy, Score, Verdict, EXTRACTOR,
};

/// An amount of OPEN in plancks.
pub type Balance = u128;
/// Number of a block.
pub type BlockNumber = u32;
/// Number of a Datanet, counted from 0.
pub type DatanetId = u32;
/// Number of a submission over all Datanets, counted from 0.
pub type SubmissionId = u64;
/// Position of a leaf in its Datanet's mountain range, counted from 0.
pub type LeafIndex = u64;
/// Number of a base model.
pub type BaseModelId = u32;
/// Number of a training job; its adapter carries the same number.
pub type JobId = u64;
/// UTC days since 1970-01-01.
pub type Day = u32;
/// Number of a reward period (not an epoch: that word is BABE's).
pub type Period = u32;

/// One OPEN in plancks (18 decimals).
pub const OPEN: Balance = 1_000_000_000_000_000_000;
/// One thousandth of an OPEN.
pub const MILLI_OPEN: Balance = OPEN / 1_000;
/// Everything that ever exists: nothing mints OPEN after genesis.
pub const TOTAL_SUPPLY: Balance = 1_000_000_000 * OPEN;
/// The least an account may hold.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_OPEN;
/// Milliseconds in a UTC day.
pub const MILLISECONDS_PER_DAY: u64 = 24 * 60 * 60 * 1_000;
/// Most items in one submission.
pub const MAX_ITEMS: u32 = 20;
