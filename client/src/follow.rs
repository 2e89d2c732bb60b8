//! Following a transaction that was handed in, until it is in a block or can be in none.
//!
//! Pools forget and refuse what others hold, and a best chain may be left again, so neither says that a
//! transaction counts nowhere. Finalised blocks do: see [`ended`].

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    pool::{pool_answer, PoolAnswer},
    transactions::Wait,
    AccountId, H256,
};
use std::{
    cmp::Ordering,
    time::{Duration, Instant},
};
use subxt::rpcs::{client::rpc_params, Error as RpcError};

/// Time between looks at the chain; a slot has 3 s.
const POLL: Duration = Duration::from_millis(200);
/// Time between looks into the pool.
const POOL_POLL: Duration = Duration::from_secs(6);

/// A transaction that was signed and handed to the node.
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: H256,
    pub(crate) account: AccountId,
    pub(crate) nonce: u64,
    /// The block at which its life begins.
    pub(crate) start: u32,
    /// Last block that may hold it.
    pub(crate) last: u32,
    /// Whether the node said that it has it; otherwise the connection broke before its answer.
    pub(crate) held: bool,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the block.
    pub block: u32,
    /// Its hash.
    pub hash: H256,
    /// The transaction's index in it.
    pub index: u32,
}

/// Why a transaction can be in no block any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Another one of the account has its number.
    Overtaken,
    /// The blocks that may hold it are over.
    Expired,
}

/// Whether a transaction that is in no finalised block can be in none any more: `finalised` is the last of them,
/// and `next` the account's next number there.
pub fn ended(nonce: u64, last: u32, finalised: u32, next: u64) -> Option<Ended> {
    if next > nonce {
        Some(Ended::Overtaken)
    } else if finalised >= last {
        Some(Ended::Expired)
    } else {
        None
    }
}

/// The blocks that were searched for a transaction: one after the other, each the parent of the next.
#[derive(Debug)]
pub struct Search {
    start: u32,
    blocks: Vec<H256>,
    found: Option<Place>,
}

impl Search {
    /// Begins with the block of a number.
    pub fn new(start: u32) -> Self {
        Self { start, blocks: Vec::new(), found: None }
    }

    /// The number of the block to search next.
    pub fn next_number(&self) -> u32 {
        self.start + self.blocks.len() as u32
    }

    /// The last block that was searched.
    pub fn tip(&self) -> Option<(u32, H256)> {
        let hash = *self.blocks.last()?;
        Some((self.next_number() - 1, hash))
    }

    /// The hash of a block that was searched.
    pub fn block(&self, number: u32) -> Option<H256> {
        self.blocks.get(number.checked_sub(self.start)? as usize).copied()
    }

    /// Where the transaction is.
    pub fn found(&self) -> Option<Place> {
        self.found
    }

    /// Adds the next block and where in it the transaction is. A block with another parent is not added: the best
    /// chain has changed meanwhile.
    pub fn push(&mut self, parent: H256, hash: H256, index: Option<u32>) -> bool {
        if self.blocks.last().is_some_and(|tip| *tip != parent) {
            return false;
        }
        self.found =
            self.found.or(index.map(|index| Place { block: self.next_number(), hash, index }));
        self.blocks.push(hash);
        true
    }

    /// Forgets the last block: the best chain has left it.
    pub fn pop(&mut self) {
        self.blocks.pop();
        self.found = self.found.filter(|place| place.block < self.next_number());
    }
}

impl Client {
    /// Waits until a transaction is where `wait` wants it.
    pub(crate) async fn follow(&self, sent: &Sent, wait: Wait) -> Result<Place> {
        let started = Instant::now();
        let encoded = format!("0x{}", hex::encode(&sent.bytes));
        let mut search = Search::new(sent.start);
        let mut handed_in = sent.held.then_some(started);
        let mut refused = None;
        loop {
            self.search(&mut search, &encoded, sent.last).await?;
            match search.found() {
                Some(place) if wait == Wait::InBlock || self.is_final(&place).await? => {
                    return Ok(place)
                }
                Some(_) => {}
                // The node may have forgotten it (it does when it restarts), so it gets the same bytes again.
                None if handed_in.is_none_or(|at| at.elapsed() >= POOL_POLL) => {
                    handed_in = Some(Instant::now());
                    if let Some(error) = self.ended(sent, &search).await? {
                        return Err(error);
                    }
                    refused = match self.hand_in(sent).await? {
                        Some(PoolAnswer::NotNow(error) | PoolAnswer::Refused(error)) => Some(error),
                        Some(PoolAnswer::Held) | None => None,
                    };
                }
                None => {}
            }
            if started.elapsed() >= self.inner.settings.transaction {
                let reason = self.why_it_waits(sent, search.found(), refused).await?;
                return Err(sent.unknown(started.elapsed(), reason));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Hands a transaction to the node. `None` if the connection broke before the answer, so that the node may
    /// have it or not.
    ///
    /// # Errors
    ///
    /// If the node was not reached, or refuses for reasons that have nothing to do with the transaction.
    pub(crate) async fn hand_in(&self, sent: &Sent) -> Result<Option<PoolAnswer>> {
        let error = match self.inner.methods.author_submit_extrinsic(&sent.bytes).await {
            Ok(_) => return Ok(Some(PoolAnswer::Held)),
            Err(error) => error,
        };
        let answer = match &error {
            RpcError::User(user) => {
                let data = user.data.as_ref().map(|data| data.get());
                pool_answer(user.code, &user.message, data, sent.account)
            }
            RpcError::DisconnectedWillReconnect(_) => None,
            _ => return Ok(None),
        };
        match answer {
            Some(answer) => Ok(Some(answer)),
            None => Err(self.failed("author_submitExtrinsic", error)),
        }
    }

    /// Searches the blocks of the best chain that were not looked at yet.
    async fn search(&self, search: &mut Search, encoded: &str, last: u32) -> Result<()> {
        while let Some((number, hash)) = search.tip() {
            if self.block_hash(number).await? == Some(hash) {
                break;
            }
            search.pop();
        }
        let (best, _) = self.best().await?;
        while search.found().is_none() && search.next_number() <= best.min(last) {
            let Some(hash) = self.block_hash(search.next_number()).await? else { break };
            let block: Option<BlockAnswer> =
                self.request("chain_getBlock", rpc_params![hash]).await?;
            let Some(BlockAnswer { block }) = block else { break };
            let index = block.extrinsics.iter().position(|other| other == encoded);
            if !search.push(block.header.parent_hash, hash, index.map(|index| index as u32)) {
                break;
            }
        }
        Ok(())
    }

    /// Whether the block of a place is finalised.
    async fn is_final(&self, place: &Place) -> Result<bool> {
        // Asked in this order: a finalised block of that height is on every chain.
        Ok(self.finalised().await?.0 >= place.block
            && self.block_hash(place.block).await? == Some(place.hash))
    }

    /// The error of a transaction that was not found and can be in no block any more.
    async fn ended(&self, sent: &Sent, search: &Search) -> Result<Option<ClientError>> {
        let (finalised, hash) = self.finalised().await?;
        let until = finalised.min(sent.last);
        let searched = search.block(until);
        if searched.is_none() || self.block_hash(until).await? != searched {
            return Ok(None);
        }
        let next = self.next_number_at(&sent.account, hash).await?;
        let (hash, nonce, last) = (sent.hash, sent.nonce, sent.last.into());
        Ok(ended(nonce, sent.last, finalised, next).map(|ended| match ended {
            Ended::Overtaken => ClientError::Overtaken { hash, nonce },
            Ended::Expired => ClientError::Expired { hash, last },
        }))
    }

    /// Why a transaction is not yet where it was wanted.
    async fn why_it_waits(
        &self,
        sent: &Sent,
        found: Option<Place>,
        refused: Option<ClientError>,
    ) -> Result<String> {
        if let Some(place) = found {
            return Ok(format!("it is in block {}, which is not final", place.block));
        }
        if let Some(error) = refused {
            return Ok(format!("the node does not take it now: {error}"));
        }
        let next = self.next_number_at(&sent.account, self.best().await?.1).await?;
        Ok(match next.cmp(&sent.nonce) {
            Ordering::Less => {
                format!("it has number {} and waits for the account's {next}", sent.nonce)
            }
            Ordering::Equal if sent.held => "it waits in the node's pool".to_owned(),
            Ordering::Equal => {
                "the connection broke before the node said whether it has it".to_owned()
            }
            Ordering::Greater => {
                "another transaction of the account has its number, in a block that is not final"
                    .to_owned()
            }
        })
    }

    /// An account's next number at a block, without what waits in the pool.
    async fn next_number_at(&self, account: &AccountId, block: H256) -> Result<u64> {
        let next: u32 = self.api_at("AccountNonceApi_account_nonce", account, Some(block)).await?;
        Ok(next.into())
    }
}

impl Sent {
    /// The error that neither claims that it counts nor that it does not.
    pub(crate) fn unknown(&self, waited: Duration, reason: String) -> ClientError {
        ClientError::Unknown { hash: self.hash, waited, reason, last: self.last.into() }
    }
}

/// A block as `chain_getBlock` answers it; what is not needed is left out.
#[derive(serde::Deserialize)]
struct BlockAnswer {
    block: Block,
}

#[derive(serde::Deserialize)]
struct Block {
    header: Header,
    /// Encoded, in hexadecimal with `0x`.
    extrinsics: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    parent_hash: H256,
}
