//! Finalised blocks, with what an index of the chain's history needs: events in the words of
//! `openledger-primitives`, and the state that they speak of, read at that block.
//!
//! Everything comes from the block's hash alone, so that whoever reads the same block gets the same
//! answer, today or in a year. It takes a node that keeps every block's state.

mod calls;
pub mod event;
mod shape;

pub use event::{ChainEvent, Said, OUR_PALLETS};
pub use shape::unknown_events;

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    reads::BaseModel,
    runtime::{self, Call},
    AccountId, H256,
};
use calls::Asked;
use codec::{Decode, DecodeAll};
use openledger_primitives::{
    api::{SubmissionItem, WorkerView},
    committee::{api::DrawView, Draw, DrawId, Opinions, PoolId, Reviewer},
    Adapter, Balance, BaseModelId, BlockNumber, ContentId, DatanetId, DatanetText, DatasetLeaf,
    FileHash, Funds, Job, JobId, JobKind, MediaType, Modality, ModelFamily, Pool, QuotaLimits,
    RateClass, ReviewPolicy, Serves, Share, SubmissionId, Verdict,
};
use shape::Shapes;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use subxt::{
    events::Phase, rpcs::client::rpc_params, storage::Address, utils::Static, OnlineClientAtBlock,
    SubstrateConfig,
};
use tokio::sync::Mutex;

/// What an event speaks of and does not carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// It carries everything.
    None,
    /// The file of a `Submitted`.
    File(SubmissionItem),
    /// The leaf of an `Accepted`.
    Leaf(DatasetLeaf<AccountId>),
    /// The verdict of a `Voted`.
    Vote(Verdict),
    /// What a `Revealed` shows, for each file of its draw.
    Opinions(Opinions),
}

/// An event of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEvent {
    /// Its place among all events of the block.
    pub index: u32,
    /// The transaction that brought it: its place in the block. `None` for what the block itself does.
    pub extrinsic: Option<u32>,
    /// The event.
    pub event: ChainEvent,
    /// What it speaks of.
    pub detail: Detail,
}

/// A Datanet as it was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatanetRecord {
    /// Its number.
    pub id: DatanetId,
    /// Who created it.
    pub owner: AccountId,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub modality: Modality,
    /// Least units of a file.
    pub min_units: u64,
    /// Most units of a file that earn points.
    pub max_units: u64,
    /// What all contributors together may submit in one UTC day.
    pub daily_limit: Option<QuotaLimits>,
}

/// A review policy that waits, with the first block in which it counts.
pub type WaitingPolicy = Option<(ReviewPolicy<AccountId>, BlockNumber)>;

/// An account's seats in one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Decode)]
pub struct Seats {
    /// What they are and what they judge.
    pub reviewer: Reviewer,
    /// How many have places.
    pub placed: u32,
}

/// What the events of a block changed, as it stands at the end of the block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changed {
    /// New Datanets.
    pub datanets: Vec<DatanetRecord>,
    /// Datanets with another owner.
    pub owners: Vec<(DatanetId, AccountId)>,
    /// New review policies.
    pub policies: Vec<(DatanetId, ReviewPolicy<AccountId>)>,
    /// What owners say about their Datanets.
    pub texts: Vec<(DatanetId, DatanetText)>,
    /// Review policies that wait; none where none waits any more.
    pub waiting_policies: Vec<(DatanetId, WaitingPolicy)>,
    /// Reward pools.
    pub pools: Vec<(DatanetId, Pool)>,
    /// What all funders of these pools own together.
    pub funds: Vec<(DatanetId, Funds)>,
    /// What single funders own of a pool.
    pub shares: Vec<(DatanetId, AccountId, Share)>,
    /// New base models, and those that were retired and stay for their jobs.
    pub base_models: Vec<BaseModel>,
    /// Workers; `None` for those that left.
    pub workers: Vec<(AccountId, Option<WorkerView<AccountId>>)>,
    /// Jobs, without those that are no longer on record.
    pub jobs: Vec<(JobId, Job<AccountId>)>,
    /// New adapters.
    pub adapters: Vec<(JobId, Adapter<AccountId>)>,
    /// Draws that were opened, or got their committee; without those that are over at the end of the block.
    pub draws: Vec<DrawView<AccountId>>,
    /// Seats that were bonded, given up, paid back, or that lost a part of their bond.
    pub seats: Vec<(PoolId, AccountId, Seats)>,
}

/// A block with what happened in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: H256,
    /// The hash of the block before; zero for genesis.
    pub parent: H256,
    /// Its time in milliseconds since 1970; 0 for genesis.
    pub time: u64,
    /// The runtime's version.
    pub spec: u32,
    /// Blocks of a reward period under that runtime.
    pub period_length: u32,
    /// Hashes of its transactions by their place.
    pub extrinsics: Vec<H256>,
    /// What happened.
    pub events: Vec<BlockEvent>,
    /// What that changed.
    pub changed: Changed,
}

/// The generated shape of `Datanets.Datanets` in the words of this crate.
#[derive(Decode)]
struct StoredDatanet {
    owner: AccountId,
    name: Vec<u8>,
    modality: Modality,
    min_units: u64,
    max_units: u64,
    daily_limit: Option<QuotaLimits>,
    _used: openledger_primitives::DailyQuota,
    _deposit: Balance,
    _pending: u32,
    _leaves: u64,
    _units: u128,
}

#[derive(Decode)]
enum StoredSubmission {
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
struct StoredBaseModel {
    registrar: AccountId,
    family: ModelFamily,
    name: Vec<u8>,
    weights: ContentId,
    weights_sha256: FileHash,
    weights_size: u64,
    tokenizer: Option<ContentId>,
    config: Option<ContentId>,
    licence: Vec<u8>,
    _deposit: Balance,
    retired: bool,
    _jobs: u64,
}

#[derive(Decode)]
struct StoredBallot {
    _datanet: DatanetId,
    _sha256: [u8; 32],
    votes: Vec<(AccountId, Verdict)>,
}

#[derive(Decode)]
struct StoredWaitingPolicy {
    policy: ReviewPolicy<AccountId>,
    from: BlockNumber,
}

#[derive(Decode)]
struct StoredDraw {
    datanet: DatanetId,
    pool: PoolId,
    global: bool,
    _reserve: Balance,
    bond: Balance,
    _settled: u32,
    _due: Option<BlockNumber>,
    draw: Draw<AccountId>,
}

#[derive(Decode)]
struct StoredWorker {
    bond: Balance,
    kinds: Vec<JobKind>,
    price_per_token: Balance,
    endpoint: Vec<u8>,
    job: Option<JobId>,
    paused: bool,
    _open_results: u32,
    opt_in: StoredOptIn,
    rate: RateClass,
    _place: u64,
    lost: u32,
    declines: u8,
    rests_until: BlockNumber,
    raise: Option<(Balance, BlockNumber)>,
}

#[derive(Decode)]
enum StoredOptIn {
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

type At = OnlineClientAtBlock<SubstrateConfig>;

/// Reads blocks one by one; remembers the shapes of the runtimes that it met.
pub struct Blocks {
    client: Client,
    shapes: Mutex<HashMap<u32, Arc<Shapes>>>,
}

impl Blocks {
    /// Blocks of a client's node.
    pub fn new(client: Client) -> Self {
        Self { client, shapes: Mutex::default() }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the node still has the state of a block.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn has_state(&self, number: u32) -> Result<bool> {
        let Some(hash) = self.client.block_hash(number).await? else { return Ok(false) };
        // Any key will do: a node without the state refuses before it looks.
        let asked: Result<Option<String>> =
            self.client.request("state_getStorage", rpc_params!["0x00", hash]).await;
        match asked {
            Ok(_) => Ok(true),
            Err(ClientError::Rpc { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The first block from `first` to `last` whose state the node lacks; `None` if it has all. Nodes drop
    /// state from the oldest block on, so that the first one answers for all.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn first_missing(&self, first: u32, last: u32) -> Result<Option<u32>> {
        // Genesis is kept by every node, so it says nothing.
        let first = first.max(1);
        if first > last || self.has_state(first).await? {
            return Ok(None);
        }
        Ok(Some(first))
    }

    /// The finalised block of a number.
    ///
    /// # Errors
    ///
    /// [`ClientError::Incompatible`] for an event or a stored value whose shape this program does not
    /// know, [`ClientError::Answer`] where the node lacks the block or its state; errors of the
    /// connection.
    pub async fn block(&self, number: u32) -> Result<Block> {
        let client = &self.client;
        let hash = client.block_hash(number).await?.ok_or_else(|| absent(number))?;
        let header = client
            .inner
            .methods
            .chain_get_header(Some(hash))
            .await
            .map_err(|error| client.failed("chain_getHeader", error))?
            .ok_or_else(|| absent(number))?;
        // The runtime that made a block is the one at the end of the block before: a block that changes
        // the runtime is written, events and state, by the old one.
        let runtime = client.at(if number == 0 { hash } else { header.parent_hash }).await?;
        let spec = runtime.spec_version();
        let reader = Reader { client, runtime: &runtime, block: hash, number };
        let time = reader.value(runtime::storage().timestamp().now(), ()).await?.unwrap_or(0);
        let constant = runtime::constants().leaderboard().period_length();
        let period_length = runtime
            .constants()
            .entry(constant)
            .map_err(|error| client.odd("Leaderboard::PeriodLength", error))?;
        let mut block = Block {
            number,
            hash,
            parent: header.parent_hash,
            time,
            spec,
            period_length,
            extrinsics: Vec::new(),
            events: Vec::new(),
            changed: Changed::default(),
        };
        if number == 0 {
            reader.genesis(&mut block.changed).await?;
            return Ok(block);
        }
        self.events(&reader, &mut block).await?;
        reader.details(&mut block).await?;
        reader.changes(&mut block).await?;
        Ok(block)
    }

    async fn shapes(&self, at: &At) -> Arc<Shapes> {
        let mut shapes = self.shapes.lock().await;
        let made = shapes.entry(at.spec_version());
        made.or_insert_with(|| Arc::new(Shapes::of(at.metadata_ref()))).clone()
    }

    async fn events(&self, reader: &Reader<'_>, block: &mut Block) -> Result<()> {
        let shapes = self.shapes(reader.runtime).await;
        let odd = |error| self.client.odd("the block's events", error);
        // Event by event they are checked below, not the whole of what all pallets could say.
        let address = runtime::storage().system().events().unvalidated();
        let bytes = reader.bytes(address, ()).await?.unwrap_or_default();
        let events = reader.runtime.events().from_bytes(bytes);
        for event in events.iter() {
            let event = event.map_err(odd)?;
            let (pallet, name) = (event.pallet_name(), event.event_name());
            let decoded = match ChainEvent::decode(pallet, name, event.field_bytes()) {
                None if OUR_PALLETS.contains(&pallet) => {
                    let what =
                        format!("the event {pallet}.{name} of runtime version {}", block.spec);
                    return Err(ClientError::Incompatible { what });
                }
                None => continue,
                Some(decoded) => {
                    shapes.require(pallet, name, block.spec)?;
                    decoded.map_err(|error| ClientError::Answer {
                        what: format!("the event {pallet}.{name} of block {}", block.number),
                        reason: error.to_string(),
                    })?
                }
            };
            block.events.push(BlockEvent {
                index: event.index(),
                extrinsic: match event.phase() {
                    Phase::ApplyExtrinsic(extrinsic) => Some(extrinsic),
                    _ => None,
                },
                event: decoded,
                detail: Detail::None,
            });
        }
        Ok(())
    }
}

fn absent(number: u32) -> ClientError {
    ClientError::Answer {
        what: format!("block {number}"),
        reason: "the node does not have it".to_owned(),
    }
}

/// Reads one block in the words of the runtime that made it.
struct Reader<'a> {
    client: &'a Client,
    runtime: &'a At,
    block: H256,
    number: u32,
}

impl Reader<'_> {
    /// The bytes of a stored value. subxt compares the entry's shape with that of the metadata within this
    /// program first.
    async fn bytes<A: Address>(&self, address: A, keys: A::KeyParts) -> Result<Option<Vec<u8>>> {
        let what = format!("{}::{}", address.pallet_name(), address.entry_name());
        let refused = |error| match error {
            subxt::error::StorageError::IncompatibleCodegen => ClientError::Incompatible {
                what: format!("{what} of runtime version {}", self.runtime.spec_version()),
            },
            error => self.client.odd(&what, error),
        };
        let storage = self.runtime.storage();
        let key =
            storage.entry(address).and_then(|entry| entry.fetch_key(keys)).map_err(refused)?;
        let methods = &self.client.inner.methods;
        let bytes = methods.state_get_storage(&key, Some(self.block)).await;
        bytes.map_err(|error| self.client.failed("state_getStorage", error))
    }

    async fn value<T: Decode, A: Address>(
        &self,
        address: A,
        keys: A::KeyParts,
    ) -> Result<Option<T>> {
        let what = format!("{}::{}", address.pallet_name(), address.entry_name());
        let Some(bytes) = self.bytes(address, keys).await? else { return Ok(None) };
        let decoded = T::decode_all(&mut bytes.as_slice());
        decoded.map(Some).map_err(|error| ClientError::Answer { what, reason: error.to_string() })
    }

    /// A value of an entry that earlier runtimes do not have.
    async fn since<T: Decode, A: Address>(
        &self,
        address: A,
        keys: A::KeyParts,
    ) -> Result<Option<T>> {
        let pallet = self.runtime.metadata_ref().pallet_by_name(address.pallet_name());
        let storage = pallet.and_then(|pallet| pallet.storage());
        match storage.is_some_and(|storage| storage.entry_by_name(address.entry_name()).is_some()) {
            true => self.value(address, keys).await,
            false => Ok(None),
        }
    }

    /// A value that an event speaks of.
    async fn present<T: Decode, A: Address>(&self, address: A, keys: A::KeyParts) -> Result<T> {
        let what = format!("{}::{}", address.pallet_name(), address.entry_name());
        self.value(address, keys).await?.ok_or_else(|| ClientError::Answer {
            what,
            reason: format!(
                "an event of block {} speaks of a value that is not there",
                self.number
            ),
        })
    }

    async fn genesis(&self, changed: &mut Changed) -> Result<()> {
        let storage = runtime::storage();
        let jobs: JobId = self.value(storage.training().next_job(), ()).await?.unwrap_or(0);
        let submissions: SubmissionId =
            self.value(storage.datanets().next_submission(), ()).await?.unwrap_or(0);
        if jobs > 0 || submissions > 0 {
            let what = "a genesis that holds jobs or submissions".to_owned();
            return Err(ClientError::Incompatible { what });
        }
        let datanets: DatanetId =
            self.value(storage.datanets().next_datanet(), ()).await?.unwrap_or(0);
        for id in 0..datanets {
            changed.datanets.push(self.datanet(id).await?);
            let policy = self.present(storage.review().policies(), (id,)).await?;
            changed.policies.push((id, policy));
            let text = self.since(storage.datanets().texts(), (id,)).await?;
            changed.texts.extend(text.map(|text| (id, text)));
        }
        let models: BaseModelId =
            self.value(storage.training().next_base_model(), ()).await?.unwrap_or(0);
        for id in 0..models {
            changed.base_models.extend(self.base_model(id).await?);
        }
        Ok(())
    }

    async fn datanet(&self, id: DatanetId) -> Result<DatanetRecord> {
        let stored: StoredDatanet =
            self.present(runtime::storage().datanets().datanets(), (id,)).await?;
        Ok(DatanetRecord {
            id,
            owner: stored.owner,
            name: String::from_utf8_lossy(&stored.name).into_owned(),
            modality: stored.modality,
            min_units: stored.min_units,
            max_units: stored.max_units,
            daily_limit: stored.daily_limit,
        })
    }

    /// A base model, unless it is gone: one without jobs may be retired in the block that brings it.
    async fn base_model(&self, id: BaseModelId) -> Result<Option<BaseModel>> {
        let address = runtime::storage().training().base_models();
        let stored: Option<StoredBaseModel> = self.value(address, (id,)).await?;
        Ok(stored.map(|stored| BaseModel {
            id,
            registrar: stored.registrar,
            family: stored.family,
            name: String::from_utf8_lossy(&stored.name).into_owned(),
            licence: String::from_utf8_lossy(&stored.licence).into_owned(),
            weights: stored.weights,
            weights_sha256: stored.weights_sha256,
            weights_size: stored.weights_size,
            tokenizer: stored.tokenizer,
            config: stored.config,
            retired: stored.retired,
        }))
    }

    /// What the block's transactions asked for, by their place. Only transactions of events that need
    /// it are read.
    async fn asked(&self, block: &mut Block) -> Result<BTreeMap<u32, Asked>> {
        let mut asked = BTreeMap::new();
        let needed: BTreeSet<u32> = block
            .events
            .iter()
            .filter(|event| {
                let event = &event.event;
                matches!(
                    event,
                    ChainEvent::Submitted { .. }
                        | ChainEvent::Voted { .. }
                        | ChainEvent::Revealed { .. }
                )
            })
            .filter_map(|event| event.extrinsic)
            .collect();
        if block.events.iter().all(|event| event.extrinsic.is_none()) {
            return Ok(asked);
        }
        let client = self.client;
        let answer = client.inner.methods.chain_get_block(Some(self.block)).await;
        let answer = answer.map_err(|error| client.failed("chain_getBlock", error))?;
        let body = answer.ok_or_else(|| absent(self.number))?.block.extrinsics;
        let body = body.into_iter().map(|bytes| bytes.0).collect();
        let extrinsics = self.runtime.extrinsics().from_bytes(body).await;
        for extrinsic in extrinsics.iter() {
            let extrinsic =
                extrinsic.map_err(|error| client.odd("the block's transactions", error))?;
            block.extrinsics.push(extrinsic.hash());
            let place = extrinsic.index() as u32;
            if needed.contains(&place) {
                let call: Call = extrinsic.decode_call_data_as().map_err(|error| {
                    client.odd(&format!("transaction {place} of block {}", block.number), error)
                })?;
                asked.insert(place, Asked::of(call));
            }
        }
        Ok(asked)
    }

    async fn details(&self, block: &mut Block) -> Result<()> {
        let mut asked = self.asked(block).await?;
        let number = block.number;
        let missing = |what: &str| ClientError::Answer {
            what: what.to_owned(),
            reason: format!("neither state nor transactions of block {number} say it"),
        };
        // Of several votes of one transaction on one submission the event says who, not what; the last
        // acceptance or refusal that fits the decision is the one that counted.
        for event in &mut block.events {
            let asked = event.extrinsic.and_then(|place| asked.get_mut(&place));
            event.detail = match &event.event {
                ChainEvent::Submitted { datanet, submission, sha256, .. } => {
                    let key = (*datanet, *sha256);
                    let stored = self.stored_file(key, *submission).await?;
                    let item = stored.or_else(|| {
                        let files = &mut asked?.files;
                        let place = files
                            .iter()
                            .position(|(of, item)| of == datanet && item.sha256 == *sha256)?;
                        Some(files.remove(place).1)
                    });
                    Detail::File(item.ok_or_else(|| missing("a submitted file"))?)
                }
                ChainEvent::Accepted { datanet, leaf, .. } => {
                    let address = runtime::storage().datanets().leaves();
                    Detail::Leaf(self.present(address, (*datanet, *leaf)).await?)
                }
                ChainEvent::Voted { verdict: Said(Some(verdict)), .. } => Detail::Vote(*verdict),
                ChainEvent::Voted { submission, curator, .. } => {
                    // Verdicts got a kind more since; what was written before reads as it did.
                    let address = runtime::storage().review().ballots().unvalidated();
                    let ballot: Option<StoredBallot> = self.value(address, (*submission,)).await?;
                    let kept = ballot.and_then(|ballot| {
                        ballot.votes.into_iter().find(|(who, _)| who == curator)
                    });
                    let verdict = kept.map(|(_, verdict)| verdict).or_else(|| {
                        let votes = &mut asked?.votes;
                        let place = votes.iter().position(|(of, _)| of == submission)?;
                        Some(votes.remove(place).1)
                    });
                    Detail::Vote(verdict.ok_or_else(|| missing("a vote"))?)
                }
                ChainEvent::Revealed { draw, account } => {
                    // Gone where the draw was decided in the same block.
                    let address = runtime::storage().review().reveals();
                    let kept: Option<Opinions> = self.value(address, (*draw, *account)).await?;
                    let shown = kept.or_else(|| {
                        let reveals = &mut asked?.reveals;
                        let place = reveals.iter().position(|(of, _)| of == draw)?;
                        Some(reveals.remove(place).1)
                    });
                    Detail::Opinions(shown.ok_or_else(|| missing("what a member revealed"))?)
                }
                _ => Detail::None,
            };
        }
        Ok(())
    }

    /// The file of a submission, if the Datanet still holds it under that submission.
    async fn stored_file(
        &self,
        (datanet, sha256): (DatanetId, [u8; 32]),
        submission: SubmissionId,
    ) -> Result<Option<SubmissionItem>> {
        let storage = runtime::storage();
        let stored: Option<StoredSubmission> =
            self.value(storage.datanets().submissions(), (datanet, sha256)).await?;
        Ok(match stored {
            Some(StoredSubmission::Pending { id, content, size, media, .. })
                if id == submission =>
            {
                Some(SubmissionItem { content, sha256, size, media })
            }
            Some(StoredSubmission::Accepted { leaf, content, media }) => {
                let leaf: DatasetLeaf<AccountId> =
                    self.present(storage.datanets().leaves(), (datanet, leaf)).await?;
                let size = leaf.size;
                (leaf.submission == submission).then_some(SubmissionItem {
                    content,
                    sha256,
                    size,
                    media,
                })
            }
            _ => None,
        })
    }

    async fn changes(&self, block: &mut Block) -> Result<()> {
        let storage = runtime::storage();
        let (mut pools, mut jobs) = (BTreeSet::new(), BTreeSet::new());
        let mut waiting = BTreeSet::new();
        let mut funders: BTreeMap<(DatanetId, [u8; 32]), AccountId> = BTreeMap::new();
        let mut workers: BTreeMap<[u8; 32], AccountId> = BTreeMap::new();
        let changed = &mut block.changed;
        for event in &block.events {
            let event = &event.event;
            match event {
                ChainEvent::Funded { datanet, who, .. }
                | ChainEvent::SharesLeave { datanet, who, .. }
                | ChainEvent::PoolWithdrawn { datanet, account: who, .. } => {
                    funders.insert((*datanet, who.0), *who);
                }
                ChainEvent::PolicyAnnounced { datanet, .. }
                | ChainEvent::PolicyKept { datanet }
                | ChainEvent::PolicySet { datanet }
                | ChainEvent::CuratorResigned { datanet, .. } => {
                    waiting.insert(*datanet);
                }
                ChainEvent::TextSet { datanet } => {
                    let address = storage.datanets().texts();
                    // One that says nothing is not kept.
                    let text: Option<DatanetText> = self.value(address, (*datanet,)).await?;
                    changed.texts.retain(|(of, _)| of != datanet);
                    changed.texts.push((*datanet, text.unwrap_or_default()));
                }
                _ => {}
            }
            match event {
                ChainEvent::DatanetCreated { datanet, .. } => {
                    changed.datanets.push(self.datanet(*datanet).await?);
                    let policy = self.present(storage.review().policies(), (*datanet,)).await?;
                    changed.policies.push((*datanet, policy));
                }
                ChainEvent::PolicySet { datanet } | ChainEvent::CuratorResigned { datanet, .. } => {
                    let policy = self.present(storage.review().policies(), (*datanet,)).await?;
                    changed.policies.push((*datanet, policy));
                }
                ChainEvent::BaseModelRegistered { base, .. }
                | ChainEvent::BaseModelRetired { base, .. } => {
                    changed.base_models.extend(self.base_model(*base).await?);
                }
                ChainEvent::JobCompleted { job, .. } => {
                    let adapter = self.present(storage.training().adapters(), (*job,)).await?;
                    changed.adapters.push((*job, adapter));
                }
                ChainEvent::PointsEarned { datanet, .. }
                | ChainEvent::PeriodClosed { datanet, .. }
                | ChainEvent::Funded { datanet, .. }
                | ChainEvent::TermsSet { datanet, .. }
                | ChainEvent::Claimed { datanet, .. }
                | ChainEvent::SharesLeave { datanet, .. }
                | ChainEvent::PoolWithdrawn { datanet, .. } => {
                    pools.insert(*datanet);
                }
                ChainEvent::OwnerChanged { datanet, to, .. } => {
                    changed.owners.push((*datanet, *to));
                }
                _ => {}
            }
            jobs.extend(event.job());
            workers.extend(event.worker().map(|worker| (worker.0, worker)));
        }
        for datanet in pools {
            let pool = self.value(storage.leaderboard().pools(), (datanet,)).await?;
            changed.pools.extend(pool.map(|pool| (datanet, pool)));
            let funds = self.since(storage.leaderboard().pool_funds(), (datanet,)).await?;
            changed.funds.extend(funds.map(|funds| (datanet, funds)));
        }
        for ((datanet, _), account) in funders {
            let address = storage.leaderboard().funder_shares();
            let share = self.since(address, (datanet, account)).await?;
            changed.shares.push((datanet, account, share.unwrap_or_default()));
        }
        for datanet in waiting {
            let address = storage.review().waiting_policies();
            let stored: Option<StoredWaitingPolicy> = self.since(address, (datanet,)).await?;
            let waits = stored.map(|stored| (stored.policy, stored.from));
            changed.waiting_policies.push((datanet, waits));
        }
        for job in jobs {
            // One that is pruned in this block is gone; its events say what became of it.
            let value = self.value(storage.training().jobs(), (job,)).await?;
            changed.jobs.extend(value.map(|value| (job, value)));
        }
        self.committees(&block.events, changed).await?;
        for account in workers.into_values() {
            let worker = self.value(storage.training().workers(), (account,)).await?;
            let view = worker.map(|worker: StoredWorker| WorkerView {
                account,
                kinds: worker.kinds,
                price_per_token: worker.price_per_token,
                bond: worker.bond,
                endpoint: worker.endpoint,
                job: worker.job,
                paused: worker.paused,
                serves: worker.opt_in.into(),
                tokens_per_second: worker.rate.tokens_per_second(),
                lost: worker.lost,
                declines: worker.declines,
                rests_until: worker.rests_until,
                raise: worker.raise,
            });
            changed.workers.push((account, view));
        }
        Ok(())
    }

    /// Draws and seats that events speak of.
    async fn committees(&self, events: &[BlockEvent], changed: &mut Changed) -> Result<()> {
        let storage = runtime::storage();
        let mut draws: BTreeSet<DrawId> = BTreeSet::new();
        let mut seats: BTreeMap<(PoolId, [u8; 32]), AccountId> = BTreeMap::new();
        for event in events {
            match &event.event {
                ChainEvent::DrawOpened { draw, .. } | ChainEvent::CommitteeDrawn { draw, .. } => {
                    draws.insert(*draw);
                }
                ChainEvent::SeatsBonded { pool, account, .. }
                | ChainEvent::SeatsGivenUp { pool, account, .. }
                | ChainEvent::SeatsReturned { pool, account, .. }
                | ChainEvent::SeatsToppedUp { pool, account, .. }
                | ChainEvent::SeatsLost { pool, account, .. } => {
                    seats.insert((*pool, account.0), *account);
                }
                _ => {}
            }
        }
        for id in draws {
            let stored: Option<StoredDraw> = self.value(storage.review().draws(), (id,)).await?;
            changed.draws.extend(stored.map(|stored| DrawView {
                id,
                datanet: stored.datanet,
                pool: stored.pool,
                global: stored.global,
                bond: stored.bond,
                draw: stored.draw,
            }));
        }
        for ((pool, _), account) in seats {
            let address = storage.review().reviewers();
            // A record of nothing is not kept.
            let kept: Option<Seats> = self.value(address, (Static(pool), account)).await?;
            changed.seats.push((pool, account, kept.unwrap_or_default()));
        }
        Ok(())
    }
}
