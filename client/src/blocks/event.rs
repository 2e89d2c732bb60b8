//! The events of OpenLedger's pallets, and of those others that are part of a chain's history.

use crate::{AccountId, H256};
use codec::{Decode, Input};
use openledger_primitives::{
    committee::{DrawId, Outcome as FileOutcome, PoolId, Session},
    job::{
        dispute::{Finding, Outcome},
        DeclineReason, JobFailure,
    },
    AdmissionPolicy, Balance, BarReason, BaseModelId, BlockNumber, ContentId, DatanetId,
    DatanetStatus, ExtractorVersion, FileHash, JobId, LeafIndex, Period, Points, QuotaLimits,
    RejectionReason, Shares, SubmissionId, Verdict,
};
use serde_json::{json, Map, Value};

/// Pallets whose every event has to be known: what they say must not get lost.
pub const OUR_PALLETS: [&str; 4] = ["Datanets", "Review", "Leaderboard", "Training"];

/// How a field is shown.
trait Shown {
    fn shown(&self) -> Value;
}

macro_rules! shown {
    ($($type:ty: |$value:ident| $shown:expr;)*) => {
        $(impl Shown for $type {
            fn shown(&self) -> Value {
                let $value = self;
                $shown
            }
        })*
    };
}

shown! {
    u8: |value| (*value).into();
    u16: |value| (*value).into();
    u32: |value| (*value).into();
    u64: |value| (*value).into();
    bool: |value| (*value).into();
    u128: |value| value.to_string().into();
    AccountId: |value| value.to_string().into();
    FileHash: |value| hex::encode(value).into();
    H256: |value| hex::encode(value.0).into();
    ContentId: |value| value.to_string().into();
    RejectionReason: |value| value.name().into();
    JobFailure: |value| value.name().into();
    DatanetStatus: |value| value.name().into();
    Option<AccountId>: |value| value.map_or(Value::Null, |account| account.to_string().into());
    DeclineReason: |value| value.name().into();
    Finding: |value| value.name().into();
    Outcome: |value| value.name().into();
    FileOutcome: |value| value.name().into();
    PoolId: |value| match value {
        PoolId::Modality(modality) => json!({ "modality": modality.name() }),
        PoolId::Datanet(datanet) => json!({ "datanet": datanet }),
    };
    Option<u32>: |value| json!(value);
    AdmissionPolicy: |value| match value {
        AdmissionPolicy::Open => "open".into(),
        AdmissionPolicy::Invited => "invited".into(),
        AdmissionPolicy::Points { least } => json!({ "points": least.to_string() }),
    };
    Vec<AccountId>: |value| value.iter().map(AccountId::to_string).collect();
    BarReason: |value| value.name().into();
    Option<QuotaLimits>: |value| json!(value);
    Failure: |value| hex::encode(&value.0).into();
    Said: |value| match value.0 {
        None => Value::Null,
        Some(Verdict::Reject(reason)) => json!({ "reject": reason.name() }),
        Some(Verdict::Unavailable) => "unavailable".into(),
        Some(Verdict::Accept { score, units, text_root, extractor }) => json!({ "accept": {
            "score": score.get(),
            "units": units,
            "textRoot": hex::encode(text_root.0),
            "extractor": extractor,
        }}),
    };
}

/// The verdict of a vote; runtimes up to version 102 did not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said(pub Option<Verdict>);

impl Decode for Said {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        match input.remaining_len()? {
            Some(0) => Ok(Self(None)),
            _ => Verdict::decode(input).map(|verdict| Self(Some(verdict))),
        }
    }
}

/// Why a call failed, as the chain encodes it: what it means is for the metadata of its block to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub Vec<u8>);

impl Decode for Failure {
    // The last field of its event.
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let length = input.remaining_len()?.ok_or("the length is not known")?;
        let mut bytes = vec![0; length];
        input.read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

/// `base_model` as `baseModel`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or("").to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

macro_rules! chain_events {
    ($($pallet:literal { $($variant:ident = $name:literal { $($field:ident: $type:ty),* $(,)? })* })*) => {
        /// An event of the chain. The pallets' documentation says what each one means.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum ChainEvent {
            $($($variant { $($field: $type),* },)*)*
        }

        impl ChainEvent {
            /// Pallet, event and fields of every event that is known.
            pub const KNOWN: &'static [(&'static str, &'static str, &'static [&'static str])] =
                &[$($(($pallet, $name, &[$(stringify!($field)),*]),)*)*];

            /// `Pallet.Event`.
            pub fn kind(&self) -> &'static str {
                match self {
                    $($(Self::$variant { .. } => concat!($pallet, ".", $name),)*)*
                }
            }

            /// Its fields, named in camel case: amounts and points as decimal strings, accounts in
            /// SS58, hashes in hexadecimal.
            pub fn fields(&self) -> Value {
                let mut fields = Map::new();
                match self {
                    $($(Self::$variant { $($field),* } => {
                        $(fields.insert(camel(stringify!($field)), $field.shown());)*
                    })*)*
                }
                Value::Object(fields)
            }

            /// Decodes the fields of an event; `None` if it is not a known one.
            pub(super) fn decode(
                pallet: &str,
                name: &str,
                mut bytes: &[u8],
            ) -> Option<Result<Self, codec::Error>> {
                let input = &mut bytes;
                match (pallet, name) {
                    $($(($pallet, $name) => Some((|| {
                        $(let $field = <$type>::decode(input)?;)*
                        if !input.is_empty() {
                            return Err("bytes are left over".into());
                        }
                        Ok(Self::$variant { $($field),* })
                    })()),)*)*
                    _ => None,
                }
            }
        }
    };
}

chain_events! {
    "Balances" {
        Transfer = "Transfer" { from: AccountId, to: AccountId, amount: Balance }
    }
    "System" {
        CodeUpdated = "CodeUpdated" { hash: H256 }
    }
    "Datanets" {
        DatanetCreated = "DatanetCreated" { datanet: DatanetId, owner: AccountId }
        ContributorRegistered = "ContributorRegistered" { contributor: AccountId, depositor: AccountId }
        ContributorDeregistered = "ContributorDeregistered" { contributor: AccountId, depositor: AccountId }
        Submitted = "Submitted" {
            datanet: DatanetId, submission: SubmissionId, contributor: AccountId, sha256: FileHash
        }
        Accepted = "Accepted" {
            datanet: DatanetId, submission: SubmissionId, contributor: AccountId, sha256: FileHash,
            leaf: LeafIndex, points: Points
        }
        Rejected = "Rejected" {
            datanet: DatanetId, submission: SubmissionId, contributor: AccountId, sha256: FileHash,
            reason: RejectionReason
        }
        Withdrawn = "Withdrawn" {
            datanet: DatanetId, submission: SubmissionId, contributor: AccountId, sha256: FileHash
        }
        TextSet = "TextSet" { datanet: DatanetId }
        StatusSet = "StatusSet" { datanet: DatanetId, status: DatanetStatus }
        Offered = "Offered" { datanet: DatanetId, to: Option<AccountId> }
        OwnerChanged = "OwnerChanged" { datanet: DatanetId, from: AccountId, to: AccountId }
        Precommitted = "Precommitted" { contributor: AccountId, count: u32 }
        Displaced = "Displaced" {
            datanet: DatanetId, submission: SubmissionId, contributor: AccountId, sha256: FileHash,
            by: SubmissionId
        }
        Unavailable = "Unavailable" {
            datanet: DatanetId, submission: SubmissionId, contributor: AccountId, sha256: FileHash
        }
        Expired = "Expired" {
            datanet: DatanetId, submission: SubmissionId, contributor: AccountId, sha256: FileHash
        }
        RefusalCleared = "RefusalCleared" {
            datanet: DatanetId, submission: SubmissionId, sha256: FileHash
        }
        CapsSet = "CapsSet" { datanet: DatanetId, daily_limit: Option<QuotaLimits>, share: u8 }
        AdmissionSet = "AdmissionSet" { datanet: DatanetId, admission: AdmissionPolicy }
        Invited = "Invited" { datanet: DatanetId, account: AccountId, invited: bool }
        EntriesCleared = "EntriesCleared" { datanet: DatanetId, count: u32, left: u32 }
        Barred = "Barred" { datanet: DatanetId, account: AccountId, reason: BarReason }
        Unbarred = "Unbarred" { datanet: DatanetId, account: AccountId }
        SponsorshipEnded = "SponsorshipEnded" { contributor: AccountId, depositor: AccountId }
        LeafRevoked = "LeafRevoked" {
            datanet: DatanetId, leaf: LeafIndex, submission: SubmissionId, contributor: AccountId,
            by_governance: bool
        }
    }
    "Review" {
        PolicySet = "PolicySet" { datanet: DatanetId }
        Voted = "Voted" {
            datanet: DatanetId, submission: SubmissionId, curator: AccountId, replaced: bool,
            verdict: Said
        }
        VoteRefused = "VoteRefused" {
            datanet: DatanetId, submission: SubmissionId, curator: AccountId, error: Failure
        }
        CuratorResigned = "CuratorResigned" { datanet: DatanetId, curator: AccountId, threshold: u8 }
        Decided = "Decided" { datanet: DatanetId, submission: SubmissionId, accepted: bool }
        ExtractorRaised = "ExtractorRaised" { extractor: ExtractorVersion }
        PolicyAnnounced = "PolicyAnnounced" { datanet: DatanetId, from: BlockNumber }
        PolicyKept = "PolicyKept" { datanet: DatanetId }
        SeatsBonded = "SeatsBonded" { pool: PoolId, account: AccountId, seats: u32, held: Balance }
        SeatsGivenUp = "SeatsGivenUp" { pool: PoolId, account: AccountId, seats: u32 }
        SeatsReturned = "SeatsReturned" { pool: PoolId, account: AccountId, amount: Balance }
        SeatsToppedUp = "SeatsToppedUp" { pool: PoolId, account: AccountId, amount: Balance }
        SeatsLost = "SeatsLost" { pool: PoolId, account: AccountId, draw: DrawId, amount: Balance }
        DrawOpened = "DrawOpened" { draw: DrawId, datanet: DatanetId, files: u32, session: Session }
        DrawPostponed = "DrawPostponed" {
            draw: DrawId, lacks_seats: bool, session: Option<Session>
        }
        CommitteeDrawn = "CommitteeDrawn" {
            draw: DrawId, datanet: DatanetId, members: Vec<AccountId>, commit_by: BlockNumber
        }
        Committed = "Committed" { draw: DrawId, account: AccountId }
        RevealsOpened = "RevealsOpened" { draw: DrawId, reveal_by: BlockNumber }
        Revealed = "Revealed" { draw: DrawId, account: AccountId }
        DrawDecided = "DrawDecided" {
            draw: DrawId, verdicts: u32, challenge_by: Option<BlockNumber>
        }
        Challenged = "Challenged" {
            draw: DrawId, submission: SubmissionId, challenger: AccountId, by: DrawId
        }
        FileEnded = "FileEnded" { draw: DrawId, submission: SubmissionId, outcome: FileOutcome }
        ReviewPaid = "ReviewPaid" {
            draw: DrawId, submission: SubmissionId, account: AccountId, amount: Balance
        }
        DrawDelayed = "DrawDelayed" { draw: DrawId, until: BlockNumber }
        BudgetFunded = "BudgetFunded" { datanet: DatanetId, amount: Balance }
        BudgetTakenBack = "BudgetTakenBack" {
            datanet: DatanetId, account: AccountId, amount: Balance
        }
        BudgetTermsSet = "BudgetTermsSet" { datanet: DatanetId, files_a_day: u32, share: u8 }
        ServesAt = "ServesAt" { pool: PoolId, account: AccountId, addresses: u32 }
    }
    "Leaderboard" {
        PointsEarned = "PointsEarned" {
            datanet: DatanetId, account: AccountId, points: Points, total: Points
        }
        PeriodClosed = "PeriodClosed" {
            datanet: DatanetId, period: Period, points: Points, rate: Balance
        }
        Funded = "Funded" { datanet: DatanetId, who: AccountId, amount: Balance }
        TermsSet = "TermsSet" { datanet: DatanetId, per_period: Balance, max_per_point: Balance }
        Claimed = "Claimed" { datanet: DatanetId, account: AccountId, amount: Balance }
        TermsAnnounced = "TermsAnnounced" {
            datanet: DatanetId, per_period: Balance, max_per_point: Balance, from: Period
        }
        TermsKept = "TermsKept" { datanet: DatanetId }
        SharesLeave = "SharesLeave" {
            datanet: DatanetId, who: AccountId, shares: Shares, period: Period
        }
        PoolWithdrawn = "Withdrawn" { datanet: DatanetId, account: AccountId, amount: Balance }
        PayoutSet = "PayoutSet" { account: AccountId, to: AccountId, from: BlockNumber }
        PaidOut = "PaidOut" { account: AccountId, to: AccountId, amount: Balance }
    }
    "Training" {
        BaseModelRegistered = "BaseModelRegistered" { base: BaseModelId, registrar: AccountId }
        WorkerRegistered = "WorkerRegistered" { worker: AccountId, price_per_token: Balance }
        WorkerUpdated = "WorkerUpdated" { worker: AccountId, price_per_token: Balance }
        WorkerPaused = "WorkerPaused" { worker: AccountId }
        WorkerResumed = "WorkerResumed" { worker: AccountId }
        WorkerDeregistered = "WorkerDeregistered" { worker: AccountId, bond: Balance }
        JobCreated = "JobCreated" { job: JobId, owner: AccountId, budget: Balance }
        JobAssigned = "JobAssigned" {
            job: JobId, worker: AccountId, price: Balance, take_by: BlockNumber
        }
        JobTaken = "JobTaken" { job: JobId, worker: AccountId }
        JobProgressed = "JobProgressed" { job: JobId, step: u32, total_steps: u32 }
        ResultSubmitted = "ResultSubmitted" {
            job: JobId, worker: AccountId, content: ContentId, completes_at: BlockNumber
        }
        JobCompleted = "JobCompleted" {
            job: JobId, worker: AccountId, price: Balance, refund: Balance
        }
        JobTimedOut = "JobTimedOut" { job: JobId, worker: AccountId, penalty: Balance }
        JobRequeued = "JobRequeued" { job: JobId, attempts: u8 }
        JobFailed = "JobFailed" { job: JobId, failure: JobFailure, refund: Balance }
        JobCancelled = "JobCancelled" { job: JobId, refund: Balance }
        JobDelayed = "JobDelayed" { job: JobId, until: BlockNumber }
        ParentNamed = "ParentNamed" { job: JobId, parent: JobId }
        JobDeclined = "JobDeclined" { job: JobId, worker: AccountId, reason: DeclineReason }
        WorkerRests = "WorkerRests" { worker: AccountId, until: BlockNumber }
        PriceRaiseWaits = "PriceRaiseWaits" {
            worker: AccountId, price_per_token: Balance, from: BlockNumber
        }
        JobPriceRaised = "JobPriceRaised" { job: JobId, price_per_token: Balance, budget: Balance }
        JobDeadlineExtended = "JobDeadlineExtended" { job: JobId, deadline: BlockNumber }
        WorkPaid = "WorkPaid" { job: JobId, worker: AccountId, pay: Balance }
        DepositForfeited = "DepositForfeited" { job: JobId, amount: Balance }
        JobPruned = "JobPruned" { job: JobId, deposit: Balance }
        BaseModelRetired = "BaseModelRetired" { base: BaseModelId, deposit: Balance }
        JobDisputed = "JobDisputed" {
            job: JobId, disputer: AccountId, bond: Balance, draw_at: BlockNumber
        }
        VerifiersDrawn = "VerifiersDrawn" {
            job: JobId, workers: Vec<AccountId>, commit_by: BlockNumber
        }
        FindingCommitted = "FindingCommitted" { job: JobId, worker: AccountId }
        FindingRevealed = "FindingRevealed" { job: JobId, worker: AccountId, finding: Finding }
        VerifierPaid = "VerifierPaid" { job: JobId, worker: AccountId, pay: Balance }
        DisputeSettled = "DisputeSettled" {
            job: JobId, worker: AccountId, outcome: Outcome, penalty: Balance, returned: Balance
        }
    }
}

impl ChainEvent {
    /// The Datanet that it is about.
    pub fn datanet(&self) -> Option<DatanetId> {
        match self {
            Self::DatanetCreated { datanet, .. }
            | Self::Submitted { datanet, .. }
            | Self::Accepted { datanet, .. }
            | Self::Rejected { datanet, .. }
            | Self::Withdrawn { datanet, .. }
            | Self::Displaced { datanet, .. }
            | Self::Unavailable { datanet, .. }
            | Self::Expired { datanet, .. }
            | Self::RefusalCleared { datanet, .. }
            | Self::CapsSet { datanet, .. }
            | Self::Barred { datanet, .. }
            | Self::AdmissionSet { datanet, .. }
            | Self::Invited { datanet, .. }
            | Self::EntriesCleared { datanet, .. }
            | Self::Unbarred { datanet, .. }
            | Self::LeafRevoked { datanet, .. }
            | Self::VoteRefused { datanet, .. }
            | Self::CuratorResigned { datanet, .. }
            | Self::PolicySet { datanet }
            | Self::Voted { datanet, .. }
            | Self::Decided { datanet, .. }
            | Self::PointsEarned { datanet, .. }
            | Self::PeriodClosed { datanet, .. }
            | Self::Funded { datanet, .. }
            | Self::TermsSet { datanet, .. }
            | Self::Claimed { datanet, .. }
            | Self::TextSet { datanet }
            | Self::StatusSet { datanet, .. }
            | Self::Offered { datanet, .. }
            | Self::OwnerChanged { datanet, .. }
            | Self::PolicyAnnounced { datanet, .. }
            | Self::PolicyKept { datanet }
            | Self::DrawOpened { datanet, .. }
            | Self::CommitteeDrawn { datanet, .. }
            | Self::BudgetFunded { datanet, .. }
            | Self::BudgetTakenBack { datanet, .. }
            | Self::BudgetTermsSet { datanet, .. }
            | Self::TermsAnnounced { datanet, .. }
            | Self::TermsKept { datanet }
            | Self::SharesLeave { datanet, .. }
            | Self::PoolWithdrawn { datanet, .. } => Some(*datanet),
            _ => None,
        }
    }

    /// The submission that it is about.
    pub fn submission(&self) -> Option<SubmissionId> {
        match self {
            Self::Submitted { submission, .. }
            | Self::Accepted { submission, .. }
            | Self::Rejected { submission, .. }
            | Self::Withdrawn { submission, .. }
            | Self::Displaced { submission, .. }
            | Self::Unavailable { submission, .. }
            | Self::Expired { submission, .. }
            | Self::RefusalCleared { submission, .. }
            | Self::LeafRevoked { submission, .. }
            | Self::VoteRefused { submission, .. }
            | Self::Voted { submission, .. }
            | Self::Challenged { submission, .. }
            | Self::FileEnded { submission, .. }
            | Self::ReviewPaid { submission, .. }
            | Self::Decided { submission, .. } => Some(*submission),
            _ => None,
        }
    }

    /// The job that it is about.
    pub fn job(&self) -> Option<JobId> {
        match self {
            Self::JobCreated { job, .. }
            | Self::JobAssigned { job, .. }
            | Self::JobTaken { job, .. }
            | Self::JobProgressed { job, .. }
            | Self::ResultSubmitted { job, .. }
            | Self::JobCompleted { job, .. }
            | Self::JobTimedOut { job, .. }
            | Self::JobRequeued { job, .. }
            | Self::JobFailed { job, .. }
            | Self::JobCancelled { job, .. }
            | Self::JobDelayed { job, .. }
            | Self::ParentNamed { job, .. }
            | Self::JobDeclined { job, .. }
            | Self::JobPriceRaised { job, .. }
            | Self::JobDeadlineExtended { job, .. }
            | Self::WorkPaid { job, .. }
            | Self::DepositForfeited { job, .. }
            | Self::JobPruned { job, .. }
            | Self::JobDisputed { job, .. }
            | Self::VerifiersDrawn { job, .. }
            | Self::FindingCommitted { job, .. }
            | Self::FindingRevealed { job, .. }
            | Self::VerifierPaid { job, .. }
            | Self::DisputeSettled { job, .. } => Some(*job),
            _ => None,
        }
    }

    /// The accounts that it names.
    pub fn accounts(&self) -> Vec<AccountId> {
        match self {
            Self::Transfer { from: one, to: other, .. }
            | Self::OwnerChanged { from: one, to: other, .. }
            | Self::PayoutSet { account: one, to: other, .. }
            | Self::PaidOut { account: one, to: other, .. }
            | Self::ContributorRegistered { contributor: one, depositor: other }
            | Self::ContributorDeregistered { contributor: one, depositor: other }
            | Self::SponsorshipEnded { contributor: one, depositor: other } => {
                if one == other {
                    vec![*one]
                } else {
                    vec![*one, *other]
                }
            }
            Self::DatanetCreated { owner: account, .. }
            | Self::SeatsBonded { account, .. }
            | Self::SeatsGivenUp { account, .. }
            | Self::SeatsReturned { account, .. }
            | Self::SeatsToppedUp { account, .. }
            | Self::SeatsLost { account, .. }
            | Self::ServesAt { account, .. }
            | Self::Committed { account, .. }
            | Self::Revealed { account, .. }
            | Self::Challenged { challenger: account, .. }
            | Self::ReviewPaid { account, .. }
            | Self::BudgetTakenBack { account, .. }
            | Self::Submitted { contributor: account, .. }
            | Self::Accepted { contributor: account, .. }
            | Self::Rejected { contributor: account, .. }
            | Self::Withdrawn { contributor: account, .. }
            | Self::Precommitted { contributor: account, .. }
            | Self::Displaced { contributor: account, .. }
            | Self::Unavailable { contributor: account, .. }
            | Self::Expired { contributor: account, .. }
            | Self::LeafRevoked { contributor: account, .. }
            | Self::Barred { account, .. }
            | Self::Invited { account, .. }
            | Self::Unbarred { account, .. }
            | Self::VoteRefused { curator: account, .. }
            | Self::CuratorResigned { curator: account, .. }
            | Self::Voted { curator: account, .. }
            | Self::PointsEarned { account, .. }
            | Self::Funded { who: account, .. }
            | Self::Claimed { account, .. }
            | Self::Offered { to: Some(account), .. }
            | Self::SharesLeave { who: account, .. }
            | Self::PoolWithdrawn { account, .. }
            | Self::BaseModelRegistered { registrar: account, .. }
            | Self::WorkerRegistered { worker: account, .. }
            | Self::WorkerUpdated { worker: account, .. }
            | Self::WorkerPaused { worker: account }
            | Self::WorkerResumed { worker: account }
            | Self::WorkerDeregistered { worker: account, .. }
            | Self::JobCreated { owner: account, .. }
            | Self::JobAssigned { worker: account, .. }
            | Self::JobTaken { worker: account, .. }
            | Self::ResultSubmitted { worker: account, .. }
            | Self::JobCompleted { worker: account, .. }
            | Self::JobTimedOut { worker: account, .. }
            | Self::JobDeclined { worker: account, .. }
            | Self::WorkerRests { worker: account, .. }
            | Self::PriceRaiseWaits { worker: account, .. }
            | Self::JobDisputed { disputer: account, .. }
            | Self::FindingCommitted { worker: account, .. }
            | Self::FindingRevealed { worker: account, .. }
            | Self::VerifierPaid { worker: account, .. }
            | Self::DisputeSettled { worker: account, .. }
            | Self::WorkPaid { worker: account, .. } => vec![*account],
            Self::VerifiersDrawn { workers, .. } => workers.clone(),
            Self::CommitteeDrawn { members, .. } => members.clone(),
            _ => Vec::new(),
        }
    }

    /// The worker whose record it changed, where it names one.
    pub fn worker(&self) -> Option<AccountId> {
        match self {
            Self::WorkerRegistered { worker, .. }
            | Self::WorkerUpdated { worker, .. }
            | Self::WorkerPaused { worker }
            | Self::WorkerResumed { worker }
            | Self::WorkerDeregistered { worker, .. }
            | Self::JobAssigned { worker, .. }
            | Self::JobTaken { worker, .. }
            | Self::ResultSubmitted { worker, .. }
            | Self::JobCompleted { worker, .. }
            | Self::JobTimedOut { worker, .. }
            | Self::JobDeclined { worker, .. }
            | Self::WorkerRests { worker, .. }
            | Self::PriceRaiseWaits { worker, .. }
            | Self::DisputeSettled { worker, .. }
            | Self::WorkPaid { worker, .. } => Some(*worker),
            _ => None,
        }
    }
}
