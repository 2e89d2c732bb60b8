//! What uploads ask of the chain, and the chain's names for files.

use async_trait::async_trait;
use openledger_client::{AccountId, Client, ClientError};
use openledger_primitives::{
    api::{QuotaStatus, SubmissionItem},
    job::JobState,
    BaseModelId, ContentId, DatanetId, FileHash, JobId, MediaType, Refusal,
};
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// As what the chain names a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A submission without a verdict.
    Pending,
    /// An accepted submission.
    Accepted,
    /// What a job made.
    Adapter,
    /// A file of a base model.
    BaseModel,
}

/// A file that the chain names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its root on IPFS.
    pub content: ContentId,
    /// sha2-256 of its flat bytes, where the chain says it.
    pub sha256: Option<FileHash>,
    /// Size of its flat bytes, where the chain says it.
    pub size: Option<u64>,
    /// Its format, where the chain says it.
    pub media: Option<MediaType>,
    /// As what.
    pub role: Role,
}

/// What uploads ask of the chain.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
    /// An account's quota today.
    async fn quota(&self, account: AccountId) -> Result<QuotaStatus, ClientError>;
    /// Whether a file would be admitted now.
    async fn check(
        &self,
        account: AccountId,
        datanet: DatanetId,
        item: SubmissionItem,
    ) -> Result<Result<(), Refusal>, ClientError>;
    /// The submission of a file: pending or accepted, in whichever Datanet.
    async fn file(&self, sha256: FileHash) -> Result<Option<Named>, ClientError>;
    /// The file of a content id.
    async fn content(&self, content: ContentId) -> Result<Option<Named>, ClientError>;
}

/// A name that is not known, or may go away, is looked for again after this time: half a block.
const FRESH: Duration = Duration::from_millis(1_500);

/// The chain as a client reads it. What is final is read once, what is pending anew.
pub struct ClientChain {
    client: Client,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    read: Option<Instant>,
    lasting: Table,
    pending: Table,
    leaves: HashMap<DatanetId, u64>,
    next_job: JobId,
    open_jobs: BTreeSet<JobId>,
    base_models: BaseModelId,
}

#[derive(Default)]
struct Table {
    files: HashMap<FileHash, Named>,
    contents: HashMap<ContentId, Named>,
}

impl Table {
    fn add(&mut self, named: Named) {
        if let (Some(sha256), Role::Pending | Role::Accepted) = (named.sha256, named.role) {
            self.files.insert(sha256, named);
        }
        self.contents.insert(named.content, named);
    }
}

impl ClientChain {
    /// The chain of a node.
    pub fn new(client: Client) -> Self {
        Self { client, names: Mutex::default() }
    }

    async fn find(
        &self,
        find: impl Fn(&Table) -> Option<Named>,
    ) -> Result<Option<Named>, ClientError> {
        let mut names = self.names.lock().await;
        if let Some(named) = find(&names.lasting) {
            return Ok(Some(named));
        }
        if names.read.is_none_or(|read| read.elapsed() > FRESH) {
            names.refresh(&self.client).await?;
            names.read = Some(Instant::now());
        }
        Ok(find(&names.lasting).or_else(|| find(&names.pending)))
    }
}

impl Names {
    async fn refresh(&mut self, client: &Client) -> Result<(), ClientError> {
        let mut pending = Table::default();
        let mut start = 0;
        loop {
            let page = client.datanets(start).await?;
            let Some(last) = page.last().map(|view| view.id) else { break };
            for datanet in &page {
                let mut leaves = datanet.version.leaves;
                let mut after = None;
                if datanet.pending == 0 {
                    self.accepted(client, datanet.id, leaves).await?;
                    continue;
                }
                loop {
                    let page = client.pending(datanet.id, after).await?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.submission);
                    for view in page {
                        pending.add(Named {
                            content: view.item.content,
                            sha256: Some(view.item.sha256),
                            size: Some(view.item.size.into()),
                            media: Some(view.item.media),
                            role: Role::Pending,
                        });
                    }
                }
                // After what is pending: a file that is accepted meanwhile stands in both, not in neither.
                if let Some(view) = client.datanet(datanet.id).await? {
                    leaves = view.version.leaves;
                }
                self.accepted(client, datanet.id, leaves).await?;
            }
            let Some(next) = last.checked_add(1) else { break };
            start = next;
        }
        self.pending = pending;
        self.adapters(client).await?;
        self.models(client).await
    }

    async fn accepted(
        &mut self,
        client: &Client,
        datanet: DatanetId,
        leaves: u64,
    ) -> Result<(), ClientError> {
        let mut known = self.leaves.get(&datanet).copied().unwrap_or(0);
        while known < leaves {
            let page = client.leaves(datanet, known).await?;
            if page.is_empty() {
                break;
            }
            for view in page {
                known = view.index.saturating_add(1);
                self.lasting.add(Named {
                    content: view.content,
                    sha256: Some(view.leaf.sha256),
                    size: Some(view.leaf.size.into()),
                    media: Some(view.media),
                    role: Role::Accepted,
                });
            }
            self.leaves.insert(datanet, known);
        }
        Ok(())
    }

    async fn adapters(&mut self, client: &Client) -> Result<(), ClientError> {
        loop {
            let page = client.jobs(self.next_job).await?;
            let Some((last, _)) = page.last() else { break };
            self.next_job = last.saturating_add(1);
            self.open_jobs.extend(page.iter().map(|(job, _)| *job));
        }
        for id in self.open_jobs.clone() {
            let Some(job) = client.job(id).await? else {
                self.open_jobs.remove(&id);
                continue;
            };
            let result = match job.state {
                JobState::Submitted { result, .. } => Some(result),
                JobState::Queued | JobState::Assigned { .. } | JobState::Training { .. } => {
                    continue
                }
                _ => {
                    self.open_jobs.remove(&id);
                    client.adapter(id).await?.map(|adapter| adapter.result)
                }
            };
            if let Some(result) = result {
                self.lasting.add(Named {
                    content: result.content,
                    sha256: Some(result.sha256),
                    size: Some(result.size),
                    media: None,
                    role: Role::Adapter,
                });
            }
        }
        Ok(())
    }

    async fn models(&mut self, client: &Client) -> Result<(), ClientError> {
        let count = client.base_model_count().await?;
        while self.base_models < count {
            if let Some(model) = client.base_model(self.base_models).await? {
                self.lasting.add(Named {
                    content: model.weights,
                    sha256: Some(model.weights_sha256),
                    size: Some(model.weights_size),
                    media: None,
                    role: Role::BaseModel,
                });
                for content in [model.tokenizer, model.config].into_iter().flatten() {
                    let role = Role::BaseModel;
                    self.lasting.add(Named {
                        content,
                        sha256: None,
                        size: None,
                        media: None,
                        role,
                    });
                }
            }
            self.base_models = self.base_models.saturating_add(1);
        }
        Ok(())
    }
}

#[async_trait]
impl Chain for ClientChain {
    async fn quota(&self, account: AccountId) -> Result<QuotaStatus, ClientError> {
        self.client.quota(account).await
    }

    async fn check(
        &self,
        account: AccountId,
        datanet: DatanetId,
        item: SubmissionItem,
    ) -> Result<Result<(), Refusal>, ClientError> {
        self.client.check_submission(account, datanet, &[item]).await
    }

    async fn file(&self, sha256: FileHash) -> Result<Option<Named>, ClientError> {
        self.find(|table| table.files.get(&sha256).copied()).await
    }

    async fn content(&self, content: ContentId) -> Result<Option<Named>, ClientError> {
        self.find(|table| table.contents.get(&content).copied()).await
    }
}
