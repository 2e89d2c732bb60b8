//! Finalised blocks, with what an index of the chain's history needs: events in the words of
//! `openledger-primitives`, and the state that they speak of, read at that block.
//!
//! Everything comes from the block's hash alone, so that whoever reads the same block gets the same
//! answer, today or in a year. It takes a node that keeps every block's state.

mod calls;
pub mod event;
mod reader;
mod shape;
mod stored;

pub use event::{ChainEvent, Said, OUR_PALLETS};
pub use shape::unknown_events;

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    reads::BaseModel,
    runtime, AccountId, H256,
};
use codec::{Decode, Input};
use openledger_primitives::{
    api::{SubmissionItem, WorkerView},
    committee::{api::DrawView, Opinions, PoolId, Reviewer, Session},
    Adapter, BlockNumber, DatanetId, DatanetText, DatasetLeaf, Funds, Job, JobId, Modality, Pool,
    QuotaLimits, ReviewPolicy, Share, Verdict,
};
use reader::Reader;
use shape::Shapes;
use std::{collections::HashMap, sync::Arc};
use subxt::{events::Phase, rpcs::client::rpc_params, OnlineClientAtBlock, SubstrateConfig};
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// What they are and what they judge.
    pub reviewer: Reviewer,
    /// How many have places.
    pub placed: u32,
}

impl Decode for Seats {
    fn decode<I: Input>(input: &mut I) -> std::result::Result<Self, codec::Error> {
        let seats = Self { reviewer: Decode::decode(input)?, placed: Decode::decode(input)? };
        // From version 104 on: how many of them are to leave, and from which session on those judge challenges alone.
        if input.remaining_len()? != Some(0) {
            <(u32, Session)>::decode(input)?;
        }
        Ok(seats)
    }
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
