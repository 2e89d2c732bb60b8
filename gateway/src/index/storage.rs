//! What keeps the index: written block by block, read by pages.

use crate::api::draws::{Draw, DrawDetail, Settlement};
use crate::api::global::{GlobalEntry, GlobalPeriod};
use crate::api::seats::Reviewer;
use crate::api::types::{
    Adapter, BaseModel, BoardEntry, Datanet, DatanetDetail, Event, Job, Page, Period, Submission,
    SubmissionDetail, Vote, Worker,
};
use openledger_client::{blocks::Block, AccountId};

/// Entries of a page, at most.
pub const MAX_PAGE: u32 = 100;

/// Why the index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database refuses.
    #[error("the index's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A row is not what this program wrote.
    #[error("the index's database holds a row that cannot be read: {0}")]
    Row(#[from] serde_json::Error),
    /// The database is another program's, or another chain's.
    #[error("{0}")]
    Foreign(String),
    /// A block does not follow the last one.
    #[error(
        "block {number} does not continue what is indexed: its parent is {parent}, the indexed block \
         before is {expected}; the node follows another chain"
    )]
    Parent {
        /// The block.
        number: u32,
        /// Its parent.
        parent: String,
        /// What is indexed.
        expected: String,
    },
    /// An event speaks of what earlier blocks never brought.
    #[error("block {block} speaks of {what}, which no earlier block brought")]
    Unknown {
        /// The block.
        block: u32,
        /// What.
        what: String,
    },
    /// A cursor is not one that an answer gave.
    #[error("the cursor {0:?} is none that an answer gave")]
    Cursor(String),
}

/// The last block that is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: String,
    /// Its time.
    pub time: u64,
}

/// Where a page begins, and how long it is.
#[derive(Clone, Debug, Default)]
pub struct PageQuery {
    /// What an earlier answer gave as `next`.
    pub cursor: Option<String>,
    /// Entries.
    pub limit: u32,
}

/// Which Datanets.
#[derive(Clone, Debug, Default)]
pub struct DatanetQuery {
    /// Part of the name, the summary or a tag.
    pub search: Option<String>,
    /// Their status.
    pub status: Option<String>,
    /// Their modality.
    pub modality: Option<String>,
    /// Their owner.
    pub owner: Option<String>,
}

/// Which submissions, newest first.
#[derive(Clone, Debug, Default)]
pub struct SubmissionQuery {
    /// Of a Datanet.
    pub datanet: Option<u32>,
    /// Of an account.
    pub contributor: Option<String>,
    /// In a state.
    pub state: Option<String>,
}

/// By what a submission names a file.
#[derive(Clone, Copy, Debug)]
pub enum NamedBy<'a> {
    /// sha2-256 of its flat bytes.
    Sha256(&'a str),
    /// Its content id.
    Content(&'a str),
}

/// Which jobs, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobQuery {
    /// Of an owner.
    pub owner: Option<String>,
    /// In a state.
    pub state: Option<String>,
}

/// Which draws, newest first.
#[derive(Clone, Debug, Default)]
pub struct DrawQuery {
    /// Of a Datanet.
    pub datanet: Option<u32>,
    /// Of committees that an account sits on.
    pub member: Option<String>,
    /// In a state.
    pub state: Option<String>,
}

/// Which events, newest first.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Of a kind.
    pub kind: Option<String>,
    /// That name an account.
    pub account: Option<String>,
}

/// An account's standing in one Datanet.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The Datanet.
    pub datanet: u32,
    /// Its line on the board of all time.
    pub entry: BoardEntry,
    /// Plancks that it claimed.
    pub claimed: String,
}

/// A block as the stream shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamedBlock {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: String,
    /// Its time.
    pub time: u64,
    /// Its events with their places.
    pub events: Vec<(u32, Event)>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Datanets by number or name.
    pub datanets: Vec<Datanet>,
    /// Submissions by number, sha256 or content id.
    pub submissions: Vec<Submission>,
    /// The job of that number.
    pub job: Option<Job>,
    /// The block of that number or hash.
    pub block: Option<Head>,
}

/// Keeps the index. Whatever implements it: all of a block or nothing of it is there, and equal blocks
/// give equal answers.
pub trait Storage: Send + Sync {
    /// The last block.
    fn head(&self) -> Result<Option<Head>, StorageError>;
    /// The hash of an indexed block.
    fn hash(&self, number: u32) -> Result<Option<String>, StorageError>;
    /// Begins or ends a time in which very many blocks are written. Until its end pages may be slow, and
    /// whoever opens the storage after a crash ends it.
    fn bulk(&self, on: bool) -> Result<(), StorageError>;
    /// Writes blocks that follow the last one, each as a whole.
    fn apply(&self, blocks: &[Block]) -> Result<(), StorageError>;

    /// Datanets by number.
    fn datanets(
        &self,
        query: &DatanetQuery,
        page: &PageQuery,
    ) -> Result<Page<Datanet>, StorageError>;
    /// One Datanet.
    fn datanet(&self, id: u32) -> Result<Option<Datanet>, StorageError>;
    /// One Datanet with what is said of it at length.
    fn datanet_detail(&self, id: u32) -> Result<Option<DatanetDetail>, StorageError>;
    /// Datanets that an account curates.
    fn curated(&self, account: &AccountId) -> Result<Vec<u32>, StorageError>;
    /// Datanets that an account owns, at most a page of them.
    fn owned(&self, account: &AccountId) -> Result<Vec<u32>, StorageError>;
    /// Submissions, newest first.
    fn submissions(
        &self,
        query: &SubmissionQuery,
        page: &PageQuery,
    ) -> Result<Page<Submission>, StorageError>;
    /// A Datanet's decided submissions, the latest decision first.
    fn verdicts(&self, datanet: u32, page: &PageQuery) -> Result<Page<Submission>, StorageError>;
    /// One submission.
    fn submission(&self, id: u64) -> Result<Option<SubmissionDetail>, StorageError>;
    /// A submission, accepted or else pending, that names a file.
    fn named(&self, by: NamedBy<'_>) -> Result<Option<Submission>, StorageError>;
    /// Votes on a submission.
    fn votes(&self, submission: u64) -> Result<Vec<Vote>, StorageError>;
    /// A board: of all time, or of one period.
    fn board(
        &self,
        datanet: u32,
        period: Option<u32>,
        page: &PageQuery,
    ) -> Result<Page<BoardEntry>, StorageError>;
    /// An account's line of a board; none where it has no points on it.
    fn board_entry(
        &self,
        datanet: u32,
        period: Option<u32>,
        account: &AccountId,
    ) -> Result<Option<BoardEntry>, StorageError>;
    /// A Datanet's ended periods, the latest first.
    fn periods(&self, datanet: u32, page: &PageQuery) -> Result<Page<Period>, StorageError>;
    /// An account's standing in every Datanet that it submitted to.
    fn standings(
        &self,
        account: &AccountId,
        page: &PageQuery,
    ) -> Result<Page<Standing>, StorageError>;
    /// Accepted files of an account in a Datanet, of one period or all, in order of acceptance.
    fn rewarded(
        &self,
        account: &AccountId,
        datanet: u32,
        period: Option<u32>,
        page: &PageQuery,
    ) -> Result<Page<Submission>, StorageError>;
    /// Draws, newest first.
    fn draws(&self, query: &DrawQuery, page: &PageQuery) -> Result<Page<Draw>, StorageError>;
    /// One draw with what it paid and cost.
    fn draw(&self, id: u64) -> Result<Option<DrawDetail>, StorageError>;
    /// An account's seats, and what judging brought and cost it.
    fn reviewer(&self, account: &AccountId) -> Result<Reviewer, StorageError>;
    /// What an account was paid and lost for verdicts, newest first.
    fn settlements(
        &self,
        account: &AccountId,
        page: &PageQuery,
    ) -> Result<Page<Settlement>, StorageError>;
    /// The board over all Datanets: of all time, or of one period.
    fn global_board(
        &self,
        period: Option<u32>,
        page: &PageQuery,
    ) -> Result<Page<GlobalEntry>, StorageError>;
    /// An account's line of it; none where it has no points on it.
    fn global_entry(
        &self,
        period: Option<u32>,
        account: &AccountId,
    ) -> Result<Option<GlobalEntry>, StorageError>;
    /// Periods with points on it, the latest first.
    fn global_periods(&self, page: &PageQuery) -> Result<Page<GlobalPeriod>, StorageError>;
    /// Jobs, newest first.
    fn jobs(&self, query: &JobQuery, page: &PageQuery) -> Result<Page<Job>, StorageError>;
    /// One job.
    fn job(&self, id: u64) -> Result<Option<Job>, StorageError>;
    /// What happened to a job.
    fn timeline(&self, job: u64) -> Result<Vec<Event>, StorageError>;
    /// Adapters, newest first.
    fn adapters(
        &self,
        owner: Option<&AccountId>,
        page: &PageQuery,
    ) -> Result<Page<Adapter>, StorageError>;
    /// One adapter.
    fn adapter(&self, id: u64) -> Result<Option<Adapter>, StorageError>;
    /// The leaves of a Datanet from a position on, in order: submission by submission.
    fn leaves(
        &self,
        datanet: u32,
        start: u64,
        end: u64,
        limit: u32,
    ) -> Result<Vec<Submission>, StorageError>;
    /// Base models by number.
    fn base_models(&self, page: &PageQuery) -> Result<Page<BaseModel>, StorageError>;
    /// One base model.
    fn base_model(&self, id: u32) -> Result<Option<BaseModel>, StorageError>;
    /// Workers by account.
    fn workers(&self, page: &PageQuery) -> Result<Page<Worker>, StorageError>;
    /// One worker.
    fn worker(&self, account: &AccountId) -> Result<Option<Worker>, StorageError>;
    /// Events, newest first.
    fn events(&self, query: &EventQuery, page: &PageQuery) -> Result<Page<Event>, StorageError>;
    /// At most `limit` blocks from a number on, with their events, in order.
    fn stream(&self, from: u32, limit: u32) -> Result<Vec<StreamedBlock>, StorageError>;
    /// What a text may mean.
    fn search(&self, text: &str) -> Result<Found, StorageError>;
    /// Rows of each kind, for metrics.
    fn sizes(&self) -> Result<Vec<(&'static str, u64)>, StorageError>;
}
