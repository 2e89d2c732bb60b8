//! What uploads ask of the chain, and the chain's names for files.

use crate::api::types::{DrawOf, Submission};
use crate::error::ApiError;
use crate::index::storage::{NamedBy, PageQuery, Storage, StorageError, SubmissionQuery};
use crate::index::Index;
use crate::likeness::{Compared, MOST};
use async_trait::async_trait;
use openledger_client::{AccountId, Client, ClientError};
use openledger_primitives::{
    api::{QuotaStatus, SubmissionItem},
    job::JobState,
    BaseModelId, BlockNumber, ClosedList, ContentId, DatanetId, Ending, FileHash, JobId, MediaType,
    Refusal, RejectionReason, SubmissionId,
};
use openledger_reviewer::{earlier::is_no_original, File};
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
    /// Nothing of the chain: the gateway keeps it for readers.
    Published,
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
    async fn quota(&self, account: AccountId) -> Result<QuotaStatus, ApiError>;
    /// How many precommitments of an account can be opened: files that its quota counts already, and of which
    /// nobody else knows which they are.
    async fn precommits(&self, account: AccountId) -> Result<u64, ApiError>;
    /// Whether a file would be admitted now.
    async fn check(
        &self,
        account: AccountId,
        datanet: DatanetId,
        item: SubmissionItem,
    ) -> Result<Result<(), Refusal>, ApiError>;
    /// The submission of a file: pending or accepted, in whichever Datanet.
    async fn file(&self, sha256: FileHash) -> Result<Option<Named>, ApiError>;
    /// The file of a content id.
    async fn content(&self, content: ContentId) -> Result<Option<Named>, ApiError>;
    /// A submission with those before it that it may be a copy of; none where it is not indexed.
    async fn compared(&self, submission: SubmissionId) -> Result<Option<Compared>, ApiError>;
    /// Whether what is not named now is named by nobody: an index that is still behind knows less.
    async fn is_current(&self) -> Result<bool, ApiError>;
}

/// Names that the index does not have yet are looked for again after this time: half a block.
const FRESH: Duration = Duration::from_millis(1_500);
/// How long a submission that is not indexed yet is remembered: it may be accepted, and so no longer pending,
/// before its block is finalised.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);
/// Blocks that an index which follows the chain may be behind.
const BEHIND: u32 = 8;

/// The chain as the gateway's index and its node say it: submissions from the index, those of the last blocks
/// from the node, and so what jobs made and models are.
pub struct IndexedChain {
    client: Client,
    index: Index,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    read: Option<Instant>,
    /// Submissions above those of the index, and when they were seen pending.
    recent: HashMap<FileHash, (Named, Instant)>,
    /// Adapters and base models.
    others: HashMap<ContentId, Named>,
    next_job: JobId,
    open_jobs: BTreeSet<JobId>,
    base_models: BaseModelId,
}

impl IndexedChain {
    /// The chain of a node and its index.
    pub fn new(client: Client, index: Index) -> Self {
        Self { client, index, names: Mutex::default() }
    }

    async fn recent(
        &self,
        find: impl Fn(&Names) -> Option<Named>,
    ) -> Result<Option<Named>, ApiError> {
        let mut names = self.names.lock().await;
        if names.read.is_none_or(|read| read.elapsed() > FRESH) {
            // Numbers of submissions are one row over all Datanets.
            let sizes = self.index.read(|storage| storage.sizes()).await?;
            let count = sizes.iter().find(|(kind, _)| *kind == "submissions");
            let last = count.and_then(|(_, count)| count.checked_sub(1));
            names.submissions(&self.client, last).await?;
            names.adapters(&self.client).await?;
            names.models(&self.client).await?;
            names.read = Some(Instant::now());
        }
        Ok(find(&names))
    }
}

/// A submission as the index has it.
fn indexed(submission: Submission) -> Result<Named, ApiError> {
    let odd = |what: &str| ApiError::internal("a submission in the index", &what);
    let sha256 = hex::decode(&submission.sha256).ok().and_then(|bytes| bytes.try_into().ok());
    Ok(Named {
        content: submission.content.parse().map_err(|_| odd("its content id"))?,
        sha256: Some(sha256.ok_or_else(|| odd("its sha256"))?),
        size: Some(submission.size.into()),
        media: MediaType::from_extension(&submission.media),
        role: if submission.state == "accepted" { Role::Accepted } else { Role::Pending },
    })
}

impl Names {
    async fn submissions(
        &mut self,
        client: &Client,
        last: Option<SubmissionId>,
    ) -> Result<(), ClientError> {
        let now = Instant::now();
        let mut start = 0;
        loop {
            let page = client.datanets(start).await?;
            let Some(next) = page.last().map(|view| view.id.checked_add(1)) else { break };
            for datanet in page.iter().filter(|datanet| datanet.pending > 0) {
                let mut after = last;
                loop {
                    let page = client.pending(datanet.id, after).await?;
                    let Some(view) = page.last() else { break };
                    after = Some(view.submission);
                    for view in page {
                        let named = Named {
                            content: view.item.content,
                            sha256: Some(view.item.sha256),
                            size: Some(view.item.size.into()),
                            media: Some(view.item.media),
                            role: Role::Pending,
                        };
                        self.recent.insert(view.item.sha256, (named, now));
                    }
                }
            }
            let Some(next) = next else { break };
            start = next;
        }
        self.recent.retain(|_, (_, seen)| seen.elapsed() < REMEMBERED);
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
                JobState::Submitted { result, .. } | JobState::Disputed { result, .. } => {
                    Some(result)
                }
                JobState::Queued | JobState::Assigned { .. } | JobState::Training { .. } => {
                    continue
                }
                _ => {
                    self.open_jobs.remove(&id);
                    client.adapter(id).await?.map(|adapter| adapter.result)
                }
            };
            if let Some(result) = result {
                let named = Named {
                    content: result.content,
                    sha256: Some(result.sha256),
                    size: Some(result.size),
                    media: None,
                    role: Role::Adapter,
                };
                self.others.entry(result.content).or_insert(named);
            }
        }
        Ok(())
    }

    async fn models(&mut self, client: &Client) -> Result<(), ClientError> {
        let count = client.base_model_count().await?;
        while self.base_models < count {
            if let Some(model) = client.base_model(self.base_models).await? {
                // Who registers the same files again, with other sizes, changes nothing.
                self.others.entry(model.weights).or_insert(Named {
                    content: model.weights,
                    sha256: Some(model.weights_sha256),
                    size: Some(model.weights_size),
                    media: None,
                    role: Role::BaseModel,
                });
                for content in [model.tokenizer, model.config].into_iter().flatten() {
                    let role = Role::BaseModel;
                    let named = Named { content, sha256: None, size: None, media: None, role };
                    self.others.entry(content).or_insert(named);
                }
            }
            self.base_models = self.base_models.saturating_add(1);
        }
        Ok(())
    }
}

/// A submission as it is compared; none of a hash or format that this program does not know.
fn comparable(of: &Submission) -> Option<File> {
    let mut sha256 = [0; 32];
    hex::decode_to_slice(&of.sha256, &mut sha256).ok()?;
    Some(File { sha256, media: MediaType::from_extension(&of.media)? })
}

/// What an earlier submission is to what came after it.
enum Standing {
    /// That may be a copy of it: it has a leaf, revoked or not, a committee has it before it, or it was refused since. Were a
    /// refused one left out, of two copies the first could be let go.
    Original,
    /// That may have been refused rightly for being its copy, and is accepted rightly all the same: nobody could fetch or
    /// read it, it was too small, or nobody decided on it, and that since.
    Ended,
    /// No committee was drawn for it: it may be taken back, and may become an original.
    Undrawn,
    /// Nothing: it was taken back, or was over before.
    None,
}

/// Whether a committee was drawn for a submission. Of one that has had a draw another is asked.
fn is_drawn(draws: &[DrawOf]) -> bool {
    let mut reviews = draws.iter().filter(|draw| !draw.challenge);
    reviews.next().is_some_and(|first| first.state != "waiting") || reviews.next().is_some()
}

/// What an earlier submission is to one that was submitted in a block, and that a committee judges or curators do.
fn standing(
    storage: &dyn Storage,
    one: &Submission,
    submitted: BlockNumber,
    by_committee: bool,
) -> Result<Standing, StorageError> {
    let since = one.decided.as_ref().is_some_and(|decided| decided.block >= submitted);
    Ok(match (one.state.as_str(), one.reason.as_deref()) {
        ("accepted", _) => Standing::Original,
        // Curators judge what waits in the order in which it came.
        ("pending", _) if !by_committee => Standing::Original,
        ("pending", _) => match storage.submission(one.id)? {
            Some(detail) if is_drawn(&detail.draws) => Standing::Original,
            _ => Standing::Undrawn,
        },
        ("rejected", Some(why)) if since => match RejectionReason::of_name(why) {
            Ok(reason) if is_no_original(reason) => Standing::Ended,
            Ok(_) => Standing::Original,
            Err(_) => {
                let ended = [Ending::Unavailable, Ending::Expired].map(Ending::name).contains(&why);
                if ended {
                    Standing::Ended
                } else {
                    Standing::None
                }
            }
        },
        _ => Standing::None,
    })
}

/// Reads a submission with those before it that it may be a copy of: what `openledger review run` compares it with.
///
/// # Errors
///
/// What the storage answers.
pub fn compared(
    storage: &dyn Storage,
    submission: SubmissionId,
) -> Result<Option<Compared>, StorageError> {
    let Some(detail) = storage.submission(submission)? else { return Ok(None) };
    let datanet = detail.submission.datanet;
    let (Some(file), Some(rules)) = (comparable(&detail.submission), storage.datanet(datanet)?)
    else {
        return Ok(None);
    };
    let query = SubmissionQuery { datanet: Some(datanet), ..SubmissionQuery::default() };
    let by_committee = !detail.draws.is_empty();
    let since = detail.submission.submitted.block;
    let (mut earlier, mut ended, mut undrawn) = (Vec::new(), Vec::new(), Vec::new());
    let mut complete = true;
    let mut cursor = Some(submission.to_string());
    'pages: while cursor.is_some() {
        let page = storage.submissions(&query, &PageQuery { cursor, limit: 100 })?;
        for one in &page.items {
            let standing = standing(storage, one, since, by_committee)?;
            let Some(file) = comparable(one) else { continue };
            let kept = match standing {
                Standing::None => continue,
                Standing::Original => &mut earlier,
                Standing::Ended => &mut ended,
                Standing::Undrawn => &mut undrawn,
            };
            kept.push((one.id, file));
            if earlier.len() + ended.len() + undrawn.len() > MOST {
                [&mut earlier, &mut ended, &mut undrawn].into_iter().for_each(|kept| {
                    kept.retain(|(id, _)| *id != one.id);
                });
                complete = false;
                break 'pages;
            }
        }
        cursor = page.next;
    }
    let undrawn = undrawn.into_iter().map(|(id, _)| id).collect();
    let min_units = rules.min_units;
    Ok(Some(Compared { submission, datanet, min_units, file, earlier, ended, undrawn, complete }))
}

#[async_trait]
impl Chain for IndexedChain {
    async fn quota(&self, account: AccountId) -> Result<QuotaStatus, ApiError> {
        Ok(self.index.node()?.quota(account).await?)
    }

    async fn precommits(&self, account: AccountId) -> Result<u64, ApiError> {
        Ok(self.index.node()?.precommits(account).await?.len() as u64)
    }

    async fn check(
        &self,
        account: AccountId,
        datanet: DatanetId,
        item: SubmissionItem,
    ) -> Result<Result<(), Refusal>, ApiError> {
        Ok(self.index.node()?.check_submission(account, datanet, &[item]).await?)
    }

    async fn file(&self, sha256: FileHash) -> Result<Option<Named>, ApiError> {
        let text = hex::encode(sha256);
        let found = self.index.read(move |storage| storage.named(NamedBy::Sha256(&text))).await?;
        match found {
            Some(found) => indexed(found).map(Some),
            None => self.recent(|names| Some(names.recent.get(&sha256)?.0)).await,
        }
    }

    async fn content(&self, content: ContentId) -> Result<Option<Named>, ApiError> {
        let text = content.to_string();
        let found = self.index.read(move |storage| storage.named(NamedBy::Content(&text))).await?;
        if let Some(found) = found {
            return indexed(found).map(Some);
        }
        self.recent(|names| {
            let recent = || names.recent.values().find(|(named, _)| named.content == content);
            names.others.get(&content).copied().or_else(|| Some(recent()?.0))
        })
        .await
    }

    async fn compared(&self, submission: SubmissionId) -> Result<Option<Compared>, ApiError> {
        self.index.read(move |storage| compared(storage, submission)).await
    }

    async fn is_current(&self) -> Result<bool, ApiError> {
        let finalised = self.client.finalised().await?.0;
        let head = self.index.progress().borrow().head.as_ref().map(|head| head.number);
        Ok(head.is_some_and(|head| head.saturating_add(BEHIND) >= finalised))
    }
}
