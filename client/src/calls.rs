//! The calls of the chain, one function each. Every one signs, sends and waits; errors are those of
//! [`ClientError`](crate::ClientError).

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    runtime::{self, runtime_types::bounded_collections::bounded_vec::BoundedVec},
    signer::Signer,
    transactions::{Receipt, Wait},
    AccountId, H256,
};
use openledger_primitives::{
    api::{SubmissionItem, SubmissionKey, SubmissionState, SubmissionView},
    job::{
        dispute::{finding_commitment, Finding},
        DeclineReason,
    },
    leaf::DatasetRef,
    precommitment, Balance, BarReason, BaseModelId, BlockNumber, ContentId, DatanetId, DatanetText,
    FileHash, JobId, JobKind, JobResult, LeafIndex, Modality, ModelFamily, Period, PoolRules,
    QuotaLimits, ReviewPolicy, RewardTerms, Salt, Serves, Shares, SubmissionId, TrainingSpec,
    Verdict,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
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

/// Datanets and contributions.
impl Client {
    /// Creates a Datanet; its deposit is held on the signer.
    pub async fn create_datanet(
        &self,
        signer: &Signer,
        datanet: NewDatanet,
        wait: Wait,
    ) -> Result<(Receipt, DatanetId)> {
        let call = runtime::transactions().datanets().create_datanet(
            text(&datanet.name),
            Static(datanet.modality),
            datanet.min_units,
            datanet.max_units,
            datanet.daily_limit.map(Static),
            Static(datanet.policy),
        );
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::datanets::events::DatanetCreated =
            receipt.require("Datanets::DatanetCreated")?;
        Ok((receipt, event.datanet))
    }

    /// Makes the signer a contributor.
    pub async fn register_contributor(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &register_call(), wait).await
    }

    /// Makes another account a contributor at the signer's expense.
    pub async fn register_contributor_for(
        &self,
        signer: &Signer,
        contributor: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &register_for_call(contributor), wait).await
    }

    /// Ends a registration and releases its hold.
    pub async fn deregister_contributor(
        &self,
        signer: &Signer,
        contributor: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().deregister(contributor);
        self.send(signer, &call, wait).await
    }

    /// Submits 1 to 20 files, all or none, free of charge within the quota.
    ///
    /// Asks the chain first, so that a refusal comes with rule, value and limit
    /// ([`ClientError::Admission`]).
    pub async fn submit_files(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        items: Vec<SubmissionItem>,
        wait: Wait,
    ) -> Result<(Receipt, Vec<SubmittedFile>)> {
        let account = signer.account();
        self.require_admission(account, datanet, &items).await?;
        let call = submit_call(datanet, &items);
        let receipt = match self.send(signer, &call, wait).await {
            Err(ClientError::Rule(rule)) => {
                // The pool says the rule only; the state that it judged may say the numbers.
                self.require_admission(account, datanet, &items).await?;
                return Err(ClientError::Rule(rule));
            }
            result => result?,
        };
        let files = submitted(&receipt);
        Ok((receipt, files))
    }

    /// Precommits to files, free of charge within the quota: whoever reads the pool learns nothing of
    /// them, and what is opened within a day counts as submitted in this block.
    pub async fn precommit_files(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        files: &[FileHash],
        salt: &Salt,
        wait: Wait,
    ) -> Result<Receipt> {
        let account = signer.account();
        let commitments: Vec<H256> =
            files.iter().map(|sha256| commitment(&account, datanet, sha256, salt)).collect();
        let checked = self.check_precommit(account, &commitments).await?;
        checked.map_err(ClientError::Admission)?;
        let call = runtime::transactions().datanets().precommit(BoundedVec(commitments));
        self.send(signer, &call, wait).await
    }

    /// Submits 1 to 20 precommitted files, all or none, free of charge.
    pub async fn open_files(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        items: Vec<SubmissionItem>,
        salt: &Salt,
        wait: Wait,
    ) -> Result<(Receipt, Vec<SubmittedFile>)> {
        let account = signer.account();
        let checked = self.check_opening(account, datanet, &items, salt).await?;
        checked.map_err(ClientError::Admission)?;
        let wrapped = BoundedVec(items.iter().copied().map(Static).collect());
        let call = runtime::transactions().datanets().open(datanet, wrapped, *salt);
        let receipt = match self.send(signer, &call, wait).await {
            Err(ClientError::Rule(rule)) => {
                let checked = self.check_opening(account, datanet, &items, salt).await?;
                checked.map_err(ClientError::Admission)?;
                return Err(ClientError::Rule(rule));
            }
            result => result?,
        };
        let files = submitted(&receipt);
        Ok((receipt, files))
    }

    /// Ends the wait of a file that nobody decided on in time; anyone may send this.
    pub async fn expire(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        sha256: FileHash,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().expire(datanet, sha256);
        self.send(signer, &call, wait).await
    }

    /// Pays for a contributor no longer.
    pub async fn end_sponsorship(
        &self,
        signer: &Signer,
        contributor: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().end_sponsorship(contributor);
        self.send(signer, &call, wait).await
    }

    /// Changes what may be submitted to the signer's Datanet in a day.
    pub async fn set_caps(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        daily_limit: Option<QuotaLimits>,
        share: u8,
        wait: Wait,
    ) -> Result<Receipt> {
        let limit = daily_limit.map(Static);
        let call = runtime::transactions().datanets().set_caps(datanet, limit, share);
        self.send(signer, &call, wait).await
    }

    /// Takes no more files of an account into the signer's Datanet.
    pub async fn bar_account(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        account: AccountId,
        reason: BarReason,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().bar(datanet, account, Static(reason));
        self.send(signer, &call, wait).await
    }

    /// Takes files of an account again.
    pub async fn unbar_account(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        account: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().unbar(datanet, account);
        self.send(signer, &call, wait).await
    }

    /// Flags a leaf of the signer's: no new job trains on it.
    pub async fn revoke_leaf(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        leaf: LeafIndex,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().revoke_leaf(datanet, leaf);
        self.send(signer, &call, wait).await
    }

    pub(crate) async fn require_admission(
        &self,
        account: AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<()> {
        let checked = self.check_submission(account, datanet, items).await?;
        checked.map_err(ClientError::Admission)
    }

    /// Takes a pending file back.
    pub async fn withdraw(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        sha256: FileHash,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().withdraw(datanet, sha256);
        self.send(signer, &call, wait).await
    }
}

/// What owners do with Datanets.
impl Client {
    /// Says what the signer's Datanet is about.
    pub async fn set_datanet_text(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        text: DatanetText,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().set_text(datanet, Static(text));
        self.send(signer, &call, wait).await
    }

    /// Lets no files into the signer's Datanet for now, or lets them in again.
    pub async fn pause_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        paused: bool,
        wait: Wait,
    ) -> Result<Receipt> {
        let calls = runtime::transactions().datanets();
        if paused {
            self.send(signer, &calls.pause(datanet), wait).await
        } else {
            self.send(signer, &calls.resume(datanet), wait).await
        }
    }

    /// Offers the signer's Datanet to another account, or to nobody any more.
    pub async fn offer_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        to: Option<AccountId>,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().offer_ownership(datanet, to);
        self.send(signer, &call, wait).await
    }

    /// Becomes the owner of a Datanet that was offered to the signer; its deposit is held.
    pub async fn accept_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().datanets().accept_ownership(datanet), wait).await
    }

    /// Closes the signer's Datanet for ever and releases its deposit.
    pub async fn close_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().datanets().close(datanet), wait).await
    }
}

/// Reviews.
impl Client {
    /// Votes on a pending submission. One to accept waits until the file is old enough.
    pub async fn vote(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        sha256: FileHash,
        submission: SubmissionId,
        verdict: Verdict,
        wait: Wait,
    ) -> Result<(Receipt, Voted)> {
        if matches!(verdict, Verdict::Accept { .. }) {
            self.until_acceptable(datanet, sha256).await?;
        }
        let call =
            runtime::transactions().review().vote(datanet, sha256, submission, Static(verdict));
        let receipt = self.send(signer, &call, wait).await?;
        let voted = receipt.require::<runtime::review::events::Voted>("Review::Voted")?;
        let decided = receipt.find::<runtime::review::events::Decided>();
        let settled = decided.map(|event| event.accepted);
        Ok((receipt, Voted { settled, replaced: voted.replaced }))
    }

    /// Votes on 1 to 20 pending submissions; answers what became of each, in their order. A vote that is
    /// refused keeps none of the others back.
    pub async fn vote_many(
        &self,
        signer: &Signer,
        votes: &[ManyVote],
        wait: Wait,
    ) -> Result<(Receipt, Vec<Result<Voted>>)> {
        for vote in votes.iter().filter(|vote| matches!(vote.verdict, Verdict::Accept { .. })) {
            self.until_acceptable(vote.datanet, vote.sha256).await?;
        }
        let cast = |vote: &ManyVote| runtime::runtime_types::pallet_review::types::CastVote {
            datanet: vote.datanet,
            sha256: vote.sha256,
            submission: vote.submission,
            verdict: Static(vote.verdict),
        };
        let call = runtime::transactions()
            .review()
            .vote_many(BoundedVec(votes.iter().map(cast).collect()));
        let receipt = self.send(signer, &call, wait).await?;
        let decided: BTreeMap<_, _> = receipt
            .find_all::<runtime::review::events::Decided>()
            .map(|event| (event.submission, event.accepted))
            .collect();
        let voted: BTreeMap<_, _> = receipt
            .find_all::<runtime::review::events::Voted>()
            .map(|event| (event.submission, event.replaced))
            .collect();
        let outcome = |vote: &ManyVote| match voted.get(&vote.submission) {
            Some(replaced) => {
                Ok(Voted { settled: decided.get(&vote.submission).copied(), replaced: *replaced })
            }
            None => Err(receipt.refused_vote(vote.submission)),
        };
        let outcomes = votes.iter().map(outcome).collect();
        Ok((receipt, outcomes))
    }

    /// Ends the signer's part in a Datanet's verdicts. Answers how many of those who are left must agree.
    pub async fn resign(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<(Receipt, u8)> {
        let call = runtime::transactions().review().resign(datanet);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::review::events::CuratorResigned =
            receipt.require("Review::CuratorResigned")?;
        Ok((receipt, event.threshold))
    }

    /// Waits until a pending file is old enough to be accepted: at most a minute.
    async fn until_acceptable(&self, datanet: DatanetId, sha256: FileHash) -> Result<()> {
        let key = SubmissionKey::Sha256(sha256);
        let Some(SubmissionView { state: SubmissionState::Pending { acceptable_at, .. }, .. }) =
            self.submission(datanet, key).await?
        else {
            return Ok(());
        };
        let until = Instant::now() + ACCEPTABLE_PATIENCE;
        // A transaction comes into the block after the best one at the earliest.
        while self.best().await?.0.saturating_add(1) < acceptable_at && Instant::now() < until {
            tokio::time::sleep(ACCEPTABLE_POLL).await;
        }
        Ok(())
    }

    /// Replaces the review policy of the signer's Datanet. Answers the first block in which it counts,
    /// where it waits.
    pub async fn set_review_policy(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        policy: ReviewPolicy<AccountId>,
        wait: Wait,
    ) -> Result<(Receipt, Option<BlockNumber>)> {
        let call = runtime::transactions().review().set_policy(datanet, Static(policy));
        let receipt = self.send(signer, &call, wait).await?;
        let announced = receipt.find::<runtime::review::events::PolicyAnnounced>();
        Ok((receipt, announced.map(|event| event.from)))
    }
}

/// Rewards.
impl Client {
    /// Pays into a Datanet's pool under the rules that the signer saw; the chain refuses if they changed.
    pub async fn fund_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        amount: Balance,
        rules: PoolRules,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &fund_call(datanet, amount, rules), wait).await
    }

    /// Says how fast the pool of the signer's Datanet pays out. Answers the first period that the terms
    /// count for, where they wait.
    pub async fn set_reward_terms(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        terms: RewardTerms,
        wait: Wait,
    ) -> Result<(Receipt, Option<Period>)> {
        let call = runtime::transactions().leaderboard().set_terms(datanet, Static(terms));
        let receipt = self.send(signer, &call, wait).await?;
        let announced = receipt.find::<runtime::leaderboard::events::TermsAnnounced>();
        Ok((receipt, announced.map(|event| event.from)))
    }

    /// Takes shares of the signer's out of a pool at the end of the running period.
    pub async fn leave_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        shares: Shares,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().leaderboard().leave(datanet, shares);
        self.send(signer, &call, wait).await
    }

    /// Pays a funder what its shares brought that have left; anyone may send this. Returns the plancks.
    pub async fn withdraw_from_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        account: AccountId,
        wait: Wait,
    ) -> Result<(Receipt, Balance)> {
        let call = runtime::transactions().leaderboard().withdraw(datanet, account);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::leaderboard::events::Withdrawn =
            receipt.require("Leaderboard::Withdrawn")?;
        Ok((receipt, event.amount))
    }

    /// Lets what is nobody's of a closed or dead pool leave for the treasury.
    pub async fn recover_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().leaderboard().recover(datanet), wait).await
    }

    /// Has an account's rewards paid to another one. Returns the block from which they are.
    pub async fn set_payout(
        &self,
        signer: &Signer,
        account: AccountId,
        to: AccountId,
        wait: Wait,
    ) -> Result<(Receipt, BlockNumber)> {
        let call = runtime::transactions().leaderboard().set_payout(account, to);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::leaderboard::events::PayoutSet =
            receipt.require("Leaderboard::PayoutSet")?;
        Ok((receipt, event.from))
    }

    /// Pays an account what is owed to it in up to 20 Datanets; anyone may send this. Returns the plancks
    /// paid in each that owed any, and to whom they went.
    pub async fn claim_rewards(
        &self,
        signer: &Signer,
        datanets: &[DatanetId],
        account: AccountId,
        wait: Wait,
    ) -> Result<(Receipt, Vec<(DatanetId, Balance)>, AccountId)> {
        let calls = runtime::transactions().leaderboard();
        let receipt = match datanets {
            [datanet] => self.send(signer, &calls.claim(*datanet, account), wait).await?,
            datanets => {
                let call = calls.claim_many(BoundedVec(datanets.to_vec()), account);
                self.send(signer, &call, wait).await?
            }
        };
        let paid = receipt
            .find_all::<runtime::leaderboard::events::Claimed>()
            .map(|event| (event.datanet, event.amount))
            .collect();
        let to = receipt
            .find::<runtime::leaderboard::events::PaidOut>()
            .map_or(account, |event| event.to);
        Ok((receipt, paid, to))
    }
}

/// Base models and jobs.
impl Client {
    /// Registers a base model; its deposit is held on the signer.
    pub async fn register_base_model(
        &self,
        signer: &Signer,
        model: NewBaseModel,
        wait: Wait,
    ) -> Result<(Receipt, BaseModelId)> {
        let files = runtime::runtime_types::pallet_training::types::ModelFiles {
            weights: Static(model.weights),
            weights_sha256: model.weights_sha256,
            weights_size: model.weights_size,
            tokenizer: model.tokenizer.map(Static),
            config: model.config.map(Static),
        };
        let call = runtime::transactions().training().register_base_model(
            Static(model.family),
            text(&model.name),
            files,
            text(&model.licence),
        );
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::training::events::BaseModelRegistered =
            receipt.require("Training::BaseModelRegistered")?;
        Ok((receipt, event.base))
    }

    /// Lets a base model take no new jobs; its deposit goes back to the signer, who registered it.
    pub async fn retire_base_model(
        &self,
        signer: &Signer,
        base: BaseModelId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().retire_base_model(base);
        self.send(signer, &call, wait).await
    }

    /// Queues a training job; its budget and a deposit are held on the signer.
    pub async fn create_job(
        &self,
        signer: &Signer,
        job: NewJob,
        wait: Wait,
    ) -> Result<(Receipt, JobId)> {
        let receipt = match job_call(job) {
            JobCall::Fresh(call) => self.send(signer, &call, wait).await?,
            JobCall::Further(call) => self.send(signer, &call, wait).await?,
        };
        let event: runtime::training::events::JobCreated =
            receipt.require("Training::JobCreated")?;
        Ok((receipt, event.job))
    }

    /// Calls off a job without a result; a worker that trains is paid for what it has shown.
    pub async fn cancel_job(&self, signer: &Signer, job: JobId, wait: Wait) -> Result<Receipt> {
        let call = runtime::transactions().training().cancel_job(job);
        self.send(signer, &call, wait).await
    }

    /// Offers more a token for a job that waits; the difference is held.
    pub async fn raise_price(
        &self,
        signer: &Signer,
        job: JobId,
        price_per_token: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().raise_price(job, price_per_token);
        self.send(signer, &call, wait).await
    }

    /// Gives a job without a result more time.
    pub async fn extend_deadline(
        &self,
        signer: &Signer,
        job: JobId,
        deadline: BlockNumber,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().extend_deadline(job, deadline);
        self.send(signer, &call, wait).await
    }

    /// Forgets a job that failed or was called off; its deposit goes back to its owner.
    pub async fn prune_job(&self, signer: &Signer, job: JobId, wait: Wait) -> Result<Receipt> {
        let call = runtime::transactions().training().prune_job(job);
        self.send(signer, &call, wait).await
    }
}

/// What workers do.
impl Client {
    /// Registers the signer as a worker; its bond is held.
    pub async fn register_worker(
        &self,
        signer: &Signer,
        offer: WorkerOffer,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().register_worker(
            BoundedVec(offer.kinds.into_iter().map(Static).collect()),
            offer.price_per_token,
            text(&offer.endpoint),
            Static(offer.serves),
            offer.tokens_per_second,
        );
        self.send(signer, &call, wait).await
    }

    /// Changes what the signer offers. A higher floor waits.
    pub async fn update_worker(
        &self,
        signer: &Signer,
        offer: WorkerOffer,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().update_worker(
            BoundedVec(offer.kinds.into_iter().map(Static).collect()),
            offer.price_per_token,
            text(&offer.endpoint),
            Static(offer.serves),
            offer.tokens_per_second,
        );
        self.send(signer, &call, wait).await
    }

    /// Takes no further jobs.
    pub async fn pause_worker(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().pause(), wait).await
    }

    /// Takes jobs again, and fills the bond up.
    pub async fn resume_worker(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().resume(), wait).await
    }

    /// Stops being a worker and releases the bond.
    pub async fn deregister_worker(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().deregister_worker(), wait).await
    }

    /// Begins a job that was given to the signer.
    pub async fn take_job(&self, signer: &Signer, job: JobId, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().take(job), wait).await
    }

    /// Gives back a job that was given to the signer and that it has not taken.
    pub async fn decline_job(
        &self,
        signer: &Signer,
        job: JobId,
        reason: DeclineReason,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().decline(job, Static(reason));
        self.send(signer, &call, wait).await
    }

    /// A sign of life with the optimiser steps done and in all.
    pub async fn heartbeat(
        &self,
        signer: &Signer,
        job: JobId,
        step: u32,
        total_steps: u32,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().heartbeat(job, step, total_steps);
        self.send(signer, &call, wait).await
    }

    /// Posts the adapter.
    pub async fn submit_result(
        &self,
        signer: &Signer,
        job: JobId,
        result: JobResult,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().submit_result(job, Static(result));
        self.send(signer, &call, wait).await
    }

    /// Disputes the result of a job before its window has passed; a bond is held on the signer. Returns
    /// how much, and the block at whose start workers are drawn.
    pub async fn dispute_job(
        &self,
        signer: &Signer,
        job: JobId,
        wait: Wait,
    ) -> Result<(Receipt, Balance, BlockNumber)> {
        let call = runtime::transactions().training().dispute(job);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::training::events::JobDisputed =
            receipt.require("Training::JobDisputed")?;
        let (bond, draw_at) = (event.bond, event.draw_at);
        Ok((receipt, bond, draw_at))
    }

    /// Shows the hash of what the signer, who was drawn for a dispute, found.
    pub async fn commit_finding(
        &self,
        signer: &Signer,
        job: JobId,
        commitment: H256,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().commit_finding(job, commitment);
        self.send(signer, &call, wait).await
    }

    /// Shows what the signer found, once no hash can be shown any more.
    pub async fn reveal_finding(
        &self,
        signer: &Signer,
        job: JobId,
        finding: Finding,
        salt: Salt,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().reveal_finding(job, Static(finding), salt);
        self.send(signer, &call, wait).await
    }
}
