//! What the chain says: runtime APIs as functions, balances, and what only storage knows.
//!
//! Reads are of the best block. Runtime APIs need no metadata, so that a read is one request.

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    runtime, AccountId, H256,
};
use codec::{DecodeAll, Encode};
use openledger_primitives::{
    api::{
        BarView, BaseModelView, BoardCursor, BoardEntry, CapsView, DatanetDetails, DatanetView,
        DisputeView, JobView, LeafView, PayoutView, PendingView, PoolView, PrecommitView,
        QueuePlace, QuotaStatus, ShareView, SubmissionItem, SubmissionKey, SubmissionState,
        SubmissionView, WaitingPolicyView, WorkerView,
    },
    Adapter, Balance, BaseModelId, BlockNumber, ContentId, DatanetId, DatasetVersion,
    ExtractorVersion, FileHash, JobId, LeafIndex, ModelFamily, Period, Points, Pool, Refusal, Salt,
    SubmissionId, Windows,
};

/// Most entries of one page of a runtime API.
pub(crate) const PAGE: u32 = 100;

/// What an account has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountBalance {
    /// Plancks it can spend, down to the existential deposit.
    pub free: Balance,
    /// Plancks that are held on it.
    pub held: Balance,
    /// What for, as `pallet.reason`.
    pub holds: Vec<(String, Balance)>,
    /// Transactions it has sent.
    pub nonce: u32,
}

/// Who paid for a contributor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContributorRecord {
    /// Who paid the hold: the account itself or a sponsor.
    pub depositor: AccountId,
    /// Plancks held on the depositor.
    pub hold: Balance,
    /// Moment of the last submission, in milliseconds since 1970.
    pub last_submission: Option<u64>,
    /// Files waiting for a verdict, over all Datanets.
    pub pending: u32,
}

/// A base model as the chain keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseModel {
    /// Its number.
    pub id: BaseModelId,
    /// Who registered it.
    pub registrar: AccountId,
    /// Its architecture.
    pub family: ModelFamily,
    /// Its name.
    pub name: String,
    /// Its licence.
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
    /// Whether it takes no new jobs.
    pub retired: bool,
}

impl Client {
    /// Calls a runtime API at the best block.
    pub(crate) async fn api<T: DecodeAll>(
        &self,
        function: &str,
        arguments: impl Encode,
    ) -> Result<T> {
        self.api_at(function, arguments, None).await
    }

    /// Calls a runtime API at a block, `None` for the best one.
    pub(crate) async fn api_at<T: DecodeAll>(
        &self,
        function: &str,
        arguments: impl Encode,
        block: Option<H256>,
    ) -> Result<T> {
        let arguments = arguments.encode();
        let bytes = self
            .inner
            .methods
            .state_call(function, Some(&arguments), block)
            .await
            .map_err(|error| self.failed(function, error))?;
        T::decode_all(&mut bytes.as_slice()).map_err(|error| ClientError::Answer {
            what: function.to_owned(),
            reason: error.to_string(),
        })
    }
}

/// Datanets, quotas, admission and dataset versions.
impl Client {
    /// An account's quota today.
    pub async fn quota(&self, account: AccountId) -> Result<QuotaStatus> {
        self.api("DatanetsApi_quota", account).await
    }

    /// Whether a submission would be admitted now, and if not, by which rule.
    pub async fn check_submission(
        &self,
        account: AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<Result<(), Refusal>> {
        self.api("DatanetsApi_check_submission", (account, datanet, items)).await
    }

    /// Whether precommitments would be admitted now, and if not, by which rule.
    pub async fn check_precommit(
        &self,
        account: AccountId,
        commitments: &[H256],
    ) -> Result<Result<(), Refusal>> {
        self.api("DatanetsApi_check_precommit", (account, commitments)).await
    }

    /// Whether precommitted files would be admitted now, and if not, by which rule.
    pub async fn check_opening(
        &self,
        account: AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
        salt: &Salt,
    ) -> Result<Result<(), Refusal>> {
        self.api("DatanetsApi_check_opening", (account, datanet, items, salt)).await
    }

    /// An account's precommitments that can still be opened.
    pub async fn precommits(&self, account: AccountId) -> Result<Vec<PrecommitView>> {
        self.api("DatanetsApi_precommits", account).await
    }

    /// A submission with its history, votes and reason; `None` for one that there never was, and for a
    /// refused one that the chain keeps no longer.
    pub async fn submission(
        &self,
        datanet: DatanetId,
        key: SubmissionKey,
    ) -> Result<Option<SubmissionView<AccountId>>> {
        self.api("DatanetsApi_submission", (datanet, key)).await
    }

    /// At most 100 submissions of an account with numbers above `after`.
    pub async fn submissions_of(
        &self,
        account: AccountId,
        after: Option<SubmissionId>,
    ) -> Result<Vec<SubmissionView<AccountId>>> {
        self.api("DatanetsApi_submissions_of", (account, after, PAGE)).await
    }

    /// What may be submitted to a Datanet in a day.
    pub async fn caps(&self, datanet: DatanetId) -> Result<Option<CapsView>> {
        self.api("DatanetsApi_caps", datanet).await
    }

    /// Whether and why a Datanet takes no files of an account.
    pub async fn bar(&self, datanet: DatanetId, account: AccountId) -> Result<Option<BarView>> {
        self.api("DatanetsApi_bar", (datanet, account)).await
    }

    /// A Datanet.
    pub async fn datanet(&self, datanet: DatanetId) -> Result<Option<DatanetView<AccountId>>> {
        self.api("DatanetsApi_datanet", datanet).await
    }

    /// What a Datanet's owner says about it, and what stands open.
    pub async fn datanet_details(
        &self,
        datanet: DatanetId,
    ) -> Result<Option<DatanetDetails<AccountId>>> {
        self.api("DatanetsApi_details", datanet).await
    }

    /// At most 100 Datanets from number `start` on.
    pub async fn datanets(&self, start: DatanetId) -> Result<Vec<DatanetView<AccountId>>> {
        self.api("DatanetsApi_datanets", (start, PAGE)).await
    }

    /// At most 100 pending submissions with numbers above `after`.
    pub async fn pending(
        &self,
        datanet: DatanetId,
        after: Option<SubmissionId>,
    ) -> Result<Vec<PendingView<AccountId>>> {
        self.api("DatanetsApi_pending", (datanet, after, PAGE)).await
    }

    /// The pending submission of a file, if there is one.
    pub async fn pending_file(
        &self,
        datanet: DatanetId,
        sha256: FileHash,
    ) -> Result<Option<PendingView<AccountId>>> {
        let view = self.submission(datanet, SubmissionKey::Sha256(sha256)).await?;
        Ok(view.and_then(|view| match view.state {
            SubmissionState::Pending { item, .. } => Some(PendingView {
                submission: view.submission,
                contributor: view.contributor,
                item,
            }),
            _ => None,
        }))
    }

    /// At most 100 leaves from position `start` on.
    pub async fn leaves(
        &self,
        datanet: DatanetId,
        start: LeafIndex,
    ) -> Result<Vec<LeafView<AccountId>>> {
        self.api("DatanetsApi_leaves", (datanet, start, PAGE)).await
    }

    /// The first `count` leaves of a Datanet: what a version of that many leaves holds.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answer`] if the chain has fewer.
    pub async fn leaves_until(
        &self,
        datanet: DatanetId,
        count: u64,
    ) -> Result<Vec<LeafView<AccountId>>> {
        let mut leaves: Vec<LeafView<AccountId>> = Vec::new();
        while (leaves.len() as u64) < count {
            let page = self.leaves(datanet, leaves.len() as u64).await?;
            let in_order =
                page.iter().zip(leaves.len() as u64..).all(|(view, index)| view.index == index);
            if page.is_empty() || !in_order {
                return Err(ClientError::Answer {
                    what: "DatanetsApi_leaves".to_owned(),
                    reason: format!("leaf {} of Datanet {datanet} is missing", leaves.len()),
                });
            }
            leaves.extend(page);
        }
        leaves.truncate(count as usize);
        Ok(leaves)
    }

    /// The version of a Datanet when it had `leaves` leaves.
    pub async fn version_at(
        &self,
        datanet: DatanetId,
        leaves: u64,
    ) -> Result<Option<DatasetVersion>> {
        self.api("DatanetsApi_version_at", (datanet, leaves)).await
    }

    /// Proof that the leaf at `index` stands in the version with `leaves` leaves, for
    /// [`openledger_primitives::leaf::verify_leaf`].
    pub async fn leaf_proof(
        &self,
        datanet: DatanetId,
        index: LeafIndex,
        leaves: u64,
    ) -> Result<Option<Vec<H256>>> {
        self.api("DatanetsApi_leaf_proof", (datanet, index, leaves)).await
    }
}

/// Reviews.
impl Client {
    /// The extractor version that votes to accept must name.
    pub async fn extractor(&self) -> Result<ExtractorVersion> {
        self.api("ReviewApi_extractor", ()).await
    }
}

/// Points and rewards.
impl Client {
    /// At most `limit` (and 100) entries in order of rank, after `cursor`.
    pub async fn leaderboard(
        &self,
        datanet: DatanetId,
        cursor: Option<BoardCursor>,
        limit: u32,
    ) -> Result<Vec<BoardEntry<AccountId>>> {
        self.api("LeaderboardApi_leaderboard", (datanet, cursor, limit.min(PAGE))).await
    }

    /// An account's points in a Datanet.
    pub async fn points(&self, datanet: DatanetId, account: AccountId) -> Result<Points> {
        self.api("LeaderboardApi_points", (datanet, account)).await
    }

    /// What an account could claim now, in plancks.
    pub async fn claimable(&self, datanet: DatanetId, account: AccountId) -> Result<Balance> {
        self.api("LeaderboardApi_claimable", (datanet, account)).await
    }

    /// A Datanet's pool.
    pub async fn pool(&self, datanet: DatanetId) -> Result<Option<Pool>> {
        self.api("LeaderboardApi_pool", datanet).await
    }

    /// A Datanet's pool as it is now, what waits, and what paying in has to name.
    pub async fn pool_view(&self, datanet: DatanetId) -> Result<Option<PoolView>> {
        self.api("LeaderboardApi_pool_view", datanet).await
    }

    /// What a funder owns of a pool.
    pub async fn share(&self, datanet: DatanetId, account: AccountId) -> Result<Option<ShareView>> {
        self.api("LeaderboardApi_share", (datanet, account)).await
    }

    /// The review policy that waits to take the place of a Datanet's.
    pub async fn waiting_policy(
        &self,
        datanet: DatanetId,
    ) -> Result<Option<WaitingPolicyView<AccountId>>> {
        self.api("LeaderboardApi_waiting_policy", datanet).await
    }

    /// Where an account's rewards are paid, if it ever said so.
    pub async fn payout(&self, account: AccountId) -> Result<Option<PayoutView<AccountId>>> {
        self.api("LeaderboardApi_payout", account).await
    }

    /// The current reward period, and the first block of the next.
    pub async fn period(&self) -> Result<(Period, BlockNumber)> {
        self.api("LeaderboardApi_period", ()).await
    }
}

/// Jobs, workers, adapters and base models.
impl Client {
    /// A job.
    pub async fn job(&self, job: JobId) -> Result<Option<JobView<AccountId>>> {
        self.api("TrainingApi_job", job).await
    }

    /// At most 100 jobs from number `start` on; none only where there are no more. Jobs that are no
    /// longer on record are passed over.
    pub async fn jobs(&self, start: JobId) -> Result<Vec<(JobId, JobView<AccountId>)>> {
        let mut start = start;
        loop {
            let page: Vec<(JobId, JobView<AccountId>)> =
                self.api("TrainingApi_jobs", (start, PAGE)).await?;
            start = start.saturating_add(PAGE.into());
            if !page.is_empty() || start >= self.job_count().await? {
                return Ok(page);
            }
        }
    }

    /// At most 100 jobs of an owner from number `start` on, in ascending order.
    pub async fn jobs_of(
        &self,
        owner: AccountId,
        start: JobId,
    ) -> Result<Vec<(JobId, JobView<AccountId>)>> {
        self.api("TrainingApi_jobs_of", (owner, start, PAGE)).await
    }

    /// Where a queued job stands; `None` for any other.
    pub async fn place(&self, job: JobId) -> Result<Option<QueuePlace>> {
        self.api("TrainingApi_place", job).await
    }

    /// The lengths that jobs are measured by.
    pub async fn windows(&self) -> Result<Windows> {
        self.api("TrainingApi_windows", ()).await
    }

    /// A job's dispute, if there ever was one.
    pub async fn dispute(&self, job: JobId) -> Result<Option<DisputeView<AccountId>>> {
        self.api("TrainingApi_dispute", job).await
    }

    /// The open disputes for which a worker is drawn.
    pub async fn duties(&self, account: AccountId) -> Result<Vec<JobId>> {
        self.api("TrainingApi_duties", account).await
    }

    /// The block in which a job was queued; 0 where the chain does not know it, which it does of every job
    /// that leaves a revoked leaf out.
    pub async fn created_at(&self, job: JobId) -> Result<BlockNumber> {
        self.api("TrainingApi_created_at", job).await
    }

    /// How many workers could be drawn for disputes about a base model, beside `owner`.
    pub async fn judges(&self, base: BaseModelId, owner: Option<AccountId>) -> Result<u32> {
        self.api("TrainingApi_judges", (base, owner)).await
    }

    /// The adapter that a job made.
    pub async fn adapter(&self, job: JobId) -> Result<Option<Adapter<AccountId>>> {
        self.api("TrainingApi_adapter", job).await
    }

    /// The adapter that a job trains further, if it names one.
    pub async fn parent(&self, job: JobId) -> Result<Option<JobId>> {
        Ok(self.parents(job, 1).await?.first().map(|(_, parent)| *parent))
    }

    /// Of at most `limit` (and 100) jobs from number `start` on, those that train an adapter further,
    /// each with that adapter.
    pub async fn parents(&self, start: JobId, limit: u32) -> Result<Vec<(JobId, JobId)>> {
        self.api("TrainingApi_parents", (start, limit.min(PAGE))).await
    }

    /// The adapters from which a job's adapter comes, the nearest first: at most 100 of them.
    pub async fn ancestry(&self, job: JobId) -> Result<Vec<JobId>> {
        self.api("TrainingApi_ancestry", (job, PAGE)).await
    }

    /// A worker.
    pub async fn worker(&self, account: AccountId) -> Result<Option<WorkerView<AccountId>>> {
        self.api("TrainingApi_worker", account).await
    }

    /// At most 100 workers after `after`, in the order of storage.
    pub async fn workers(&self, after: Option<AccountId>) -> Result<Vec<WorkerView<AccountId>>> {
        self.api("TrainingApi_workers", (after, PAGE)).await
    }

    /// A base model.
    pub async fn base_model(&self, id: BaseModelId) -> Result<Option<BaseModel>> {
        let page: Vec<BaseModelView<AccountId>> =
            self.api("TrainingApi_base_models", (id, 1u32)).await?;
        Ok(page.into_iter().find(|view| view.id == id).map(|view| BaseModel {
            id,
            registrar: view.registrar,
            family: view.family,
            name: String::from_utf8_lossy(&view.name).into_owned(),
            licence: String::from_utf8_lossy(&view.licence).into_owned(),
            weights: view.weights,
            weights_sha256: view.weights_sha256,
            weights_size: view.weights_size,
            tokenizer: view.tokenizer,
            config: view.config,
            retired: view.retired,
        }))
    }

    /// How many jobs there ever were; their numbers are 0 to this, this not included.
    pub async fn job_count(&self) -> Result<JobId> {
        let at = self.at(self.best().await?.1).await?;
        let value = at.storage().try_fetch(runtime::storage().training().next_job(), ()).await;
        match value.map_err(|e| self.odd("Training::NextJob", e))? {
            Some(value) => value.decode().map_err(|e| self.odd("Training::NextJob", e)),
            None => Ok(0),
        }
    }

    /// How many base models there are; their numbers are 0 to this, this not included.
    pub async fn base_model_count(&self) -> Result<BaseModelId> {
        let at = self.at(self.best().await?.1).await?;
        let address = runtime::storage().training().next_base_model();
        let value = at.storage().try_fetch(address, ()).await;
        match value.map_err(|e| self.odd("Training::NextBaseModel", e))? {
            Some(value) => value.decode().map_err(|e| self.odd("Training::NextBaseModel", e)),
            None => Ok(0),
        }
    }
}

/// The network.
impl Client {
    /// The version of the runtime at the best block.
    pub async fn spec_version(&self) -> Result<u32> {
        Ok(self.at(self.best().await?.1).await?.spec_version())
    }

    /// The validators of this session.
    pub async fn validators(&self) -> Result<Vec<AccountId>> {
        let at = self.at(self.best().await?.1).await?;
        let value = at.storage().try_fetch(runtime::storage().session().validators(), ()).await;
        match value.map_err(|e| self.odd("Session::Validators", e))? {
            Some(value) => value.decode().map_err(|e| self.odd("Session::Validators", e)),
            None => Ok(Vec::new()),
        }
    }

    /// All plancks that there are.
    pub async fn issuance(&self) -> Result<Balance> {
        let at = self.at(self.best().await?.1).await?;
        let address = runtime::storage().balances().total_issuance();
        let value = at.storage().try_fetch(address, ()).await;
        match value.map_err(|e| self.odd("Balances::TotalIssuance", e))? {
            Some(value) => value.decode().map_err(|e| self.odd("Balances::TotalIssuance", e)),
            None => Ok(0),
        }
    }
}

/// Accounts.
impl Client {
    /// What an account has. An account that does not exist has nothing.
    pub async fn balance(&self, account: AccountId) -> Result<AccountBalance> {
        let at = self.at(self.best().await?.1).await?;
        let storage = at.storage();
        let address = runtime::storage().system().account();
        let info = storage.try_fetch(address, (account,)).await;
        let Some(info) = info.map_err(|e| self.odd("System::Account", e))? else {
            return Ok(AccountBalance::default());
        };
        let info = info.decode().map_err(|e| self.odd("System::Account", e))?;
        let address = runtime::storage().balances().holds();
        let holds = storage.try_fetch(address, (account,)).await;
        let holds = match holds.map_err(|e| self.odd("Balances::Holds", e))? {
            Some(holds) => holds.decode().map_err(|e| self.odd("Balances::Holds", e))?.0,
            None => Vec::new(),
        };
        Ok(AccountBalance {
            free: info.data.free,
            held: info.data.reserved,
            holds: holds.into_iter().map(|hold| (reason_name(&hold.id), hold.amount)).collect(),
            nonce: info.nonce,
        })
    }

    /// The registration of a contributor.
    pub async fn contributor(&self, account: AccountId) -> Result<Option<ContributorRecord>> {
        let at = self.at(self.best().await?.1).await?;
        let address = runtime::storage().datanets().contributors();
        let value = at.storage().try_fetch(address, (account,)).await;
        let Some(value) = value.map_err(|e| self.odd("Datanets::Contributors", e))? else {
            return Ok(None);
        };
        let record = value.decode().map_err(|e| self.odd("Datanets::Contributors", e))?;
        Ok(Some(ContributorRecord {
            depositor: record.depositor,
            hold: record.hold,
            last_submission: record.last_submission,
            pending: record.pending,
        }))
    }
}

/// `Datanets(Contributor)` as `datanets.contributor`, `Training(JobBudget)` as `training.job-budget`.
fn reason_name(reason: &impl std::fmt::Debug) -> String {
    let mut name = String::new();
    for character in format!("{reason:?}").chars() {
        match character {
            '(' => name.push('.'),
            ')' => {}
            upper if upper.is_ascii_uppercase() => {
                if !name.is_empty() && !name.ends_with('.') {
                    name.push('-');
                }
                name.push(upper.to_ascii_lowercase());
            }
            other => name.push(other),
        }
    }
    name
}
