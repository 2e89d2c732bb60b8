//! The calls of the chain, one function each. Every one signs, sends and waits; errors are those of
//! [`ClientError`](crate::ClientError).

mod datanets;
mod jobs;
mod reviews;

use crate::{
    connection::Client,
    errors::Result,
    runtime::{self, runtime_types::bounded_collections::bounded_vec::BoundedVec},
    signer::Signer,
    transactions::{Receipt, Wait},
    AccountId, H256,
};
use openledger_primitives::{
    api::SubmissionItem,
    job::dispute::{finding_commitment, Finding},
    leaf::DatasetRef,
    precommitment, Balance, BaseModelId, BlockNumber, ContentId, DatanetId, FileHash, JobId,
    JobKind, Modality, ModelFamily, PoolRules, QuotaLimits, ReviewPolicy, Salt, Serves,
    SubmissionId, TrainingSpec, Verdict,
};
use std::time::Duration;
use subxt::{tx::Payload, utils::Static};

/// What a new Datanet is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDatanet {
    /// Its name, 1 to 64 bytes of UTF-8.
    pub name: String,
    /// What it holds, for ever.
    pub modality: Modality,
    /// Least units of a file.
    pub min_units: u64,
    /// Most units of a file that earn points.
    pub max_units: u64,
    /// What all contributors together may submit in one UTC day.
    pub daily_limit: Option<QuotaLimits>,
    /// Who decides on submissions.
    pub policy: ReviewPolicy<AccountId>,
}

/// What a vote did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voted {
    /// Whether the file is accepted by it (true) or rejected; nothing where more votes are needed.
    pub settled: Option<bool>,
    /// Whether it took the place of an earlier vote of the signer.
    pub replaced: bool,
}

/// One of several votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManyVote {
    /// The Datanet.
    pub datanet: DatanetId,
    /// sha2-256 of the file.
    pub sha256: FileHash,
    /// The number of its pending submission.
    pub submission: SubmissionId,
    /// The vote.
    pub verdict: Verdict,
}

/// Longest wait until a file is old enough to be accepted: the 20 blocks that the chain asks for at most.
const ACCEPTABLE_PATIENCE: Duration = Duration::from_secs(90);
/// Time between looks at the chain meanwhile.
const ACCEPTABLE_POLL: Duration = Duration::from_millis(500);

/// What a new base model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBaseModel {
    /// Its architecture.
    pub family: ModelFamily,
    /// Its name, 1 to 64 bytes of UTF-8.
    pub name: String,
    /// Its licence, 1 to 64 bytes, for example an SPDX identifier.
    pub licence: String,
    /// The weights on IPFS.
    pub weights: ContentId,
    /// sha2-256 of the weights' flat bytes.
    pub weights_sha256: FileHash,
    /// Size of the weights' flat bytes.
    pub weights_size: u64,
    /// The tokenizer, if the weights' file does not hold it.
    pub tokenizer: Option<ContentId>,
    /// The configuration, if the weights' file does not hold it.
    pub config: Option<ContentId>,
}

/// What a job owner asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The adapter that is trained further, if it is not a fresh one.
    pub parent: Option<JobId>,
    /// What is fine-tuned.
    pub base: BaseModelId,
    /// On what: 1 to 8 Datanets, each once and at a version that it had.
    pub datasets: Vec<DatasetRef>,
    /// How.
    pub spec: TrainingSpec,
    /// Most tokens the price covers, at least 1.
    pub token_ceiling: u64,
    /// Plancks paid a token of the ceiling; all of them are held until the job ends.
    pub price_per_token: Balance,
    /// Block after which the unfinished job fails.
    pub deadline: BlockNumber,
}

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerOffer {
    /// What it can train.
    pub kinds: Vec<JobKind>,
    /// Its floor: plancks a token below which it takes no job.
    pub price_per_token: Balance,
    /// Where it serves, or empty.
    pub endpoint: String,
    /// Which base models it takes.
    pub serves: Serves,
    /// How fast it trains; the chain counts the power of two below.
    pub tokens_per_second: u32,
}

/// A file that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmittedFile {
    /// The submission's number.
    pub submission: SubmissionId,
    /// sha2-256 of its flat bytes.
    pub sha256: FileHash,
}

fn submitted(receipt: &Receipt) -> Vec<SubmittedFile> {
    let events = receipt.find_all::<runtime::datanets::events::Submitted>();
    events
        .map(|event| SubmittedFile { submission: event.submission, sha256: event.sha256 })
        .collect()
}

/// The precommitment of an account to a file.
pub fn commitment(account: &AccountId, datanet: DatanetId, sha256: &FileHash, salt: &Salt) -> H256 {
    H256(precommitment(&account.0, datanet, sha256, salt).0)
}

/// The hash of what an account found of a job's result.
pub fn finding_hash(account: &AccountId, job: JobId, finding: Finding, salt: &Salt) -> H256 {
    H256(finding_commitment(job, &account.0, finding, salt).0)
}

fn text(text: &str) -> BoundedVec<u8> {
    BoundedVec(text.as_bytes().to_vec())
}

/// Submits files.
pub(crate) fn submit_call(datanet: DatanetId, items: &[SubmissionItem]) -> impl Payload {
    let items = BoundedVec(items.iter().copied().map(Static).collect());
    runtime::transactions().datanets().submit(datanet, items)
}

/// Makes the signer a contributor.
pub(crate) fn register_call() -> impl Payload {
    runtime::transactions().datanets().register()
}

/// Makes another account a contributor at the signer's expense.
pub(crate) fn register_for_call(contributor: AccountId) -> impl Payload {
    runtime::transactions().datanets().register_for(contributor)
}

/// Pays into a pool.
pub(crate) fn fund_call(datanet: DatanetId, amount: Balance, rules: PoolRules) -> impl Payload {
    runtime::transactions().leaderboard().fund(datanet, amount, Static(rules))
}

/// The call that queues a job: of two kinds.
pub(crate) enum JobCall<Fresh, Further> {
    /// For a fresh adapter.
    Fresh(Fresh),
    /// For one that is trained further.
    Further(Further),
}

/// Queues a job.
pub(crate) fn job_call(job: NewJob) -> JobCall<impl Payload, impl Payload> {
    let datasets = BoundedVec(job.datasets.into_iter().map(Static).collect());
    let NewJob { base, token_ceiling, price_per_token, deadline, .. } = job;
    let spec = Static(job.spec);
    let calls = runtime::transactions().training();
    match job.parent {
        None => JobCall::Fresh(calls.create_job(
            base,
            datasets,
            spec,
            token_ceiling,
            price_per_token,
            deadline,
        )),
        Some(parent) => JobCall::Further(calls.refine_adapter(
            parent,
            base,
            datasets,
            spec,
            token_ceiling,
            price_per_token,
            deadline,
        )),
    }
}

/// Money.
impl Client {
    /// Sends `amount` plancks to an account, and keeps the sender's account alive.
    pub async fn transfer(
        &self,
        signer: &Signer,
        to: AccountId,
        amount: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().balances().transfer_keep_alive(to.into(), amount);
        self.send(signer, &call, wait).await
    }

    /// Sends `amount` plancks to each of several accounts in one transaction, to all or to none, and keeps
    /// the sender's account alive.
    pub async fn transfer_to_each(
        &self,
        signer: &Signer,
        to: &[AccountId],
        amount: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        use runtime::{runtime_types::pallet_balances::pallet::Call as Balances, Call};
        let transfer = |to: &AccountId| {
            Call::Balances(Balances::transfer_keep_alive { dest: (*to).into(), value: amount })
        };
        let calls = to.iter().map(transfer).collect();
        self.send(signer, &runtime::transactions().utility().batch_all(calls), wait).await
    }
}
