//! Sending transactions: numbered, mortal, and followed until they are in a block.
//!
//! A transaction is signed once. Whatever happens to node or connection afterwards, the same bytes
//! are looked for in the blocks and, where the node lost them, handed in again: their nonce lets
//! them count only once, so nothing is ever done or paid twice.

use crate::{
    connection::Client,
    errors::{dispatch_error, pool_error, ClientError, PoolAnswer, Result},
    runtime,
    signer::Signer,
    AccountId, H256,
};
use openledger_primitives::{Balance, SubmissionId};
use std::time::{Duration, Instant};
use subxt::{
    config::substrate::SubstrateExtrinsicParamsBuilder,
    error::ExtrinsicError,
    events::{DecodeAsEvent, Events, Phase},
    metadata::ArcMetadata,
    rpcs::client::rpc_params,
    tx::Payload,
    SubstrateConfig,
};

/// Blocks a transaction stays valid (a power of two): about six minutes.
const MORTALITY: u64 = 128;
/// A finalised block older than this is no good beginning for a transaction's life.
const MAX_FINALITY_LAG: u32 = 32;
/// Blocks after the end of its validity until a transaction is given up: more than any fork.
const EXPIRY_MARGIN: u64 = 8;
/// Time between looks at the chain; a slot has 3 s.
const POLL: Duration = Duration::from_millis(200);
/// Time between looks into the pool.
const POOL_POLL: Duration = Duration::from_secs(6);
/// How often a transaction is numbered anew when another of the account came before it.
const BUSY_TRIES: u32 = 5;
/// Pause before.
const BUSY_PAUSE: Duration = Duration::from_millis(1_500);

/// What to wait for after sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// That it is in the best chain.
    #[default]
    InBlock,
    /// That its block is finalised.
    Finalised,
}

/// A transaction that was included and succeeded.
#[derive(Debug)]
pub struct Receipt {
    /// Number of its block.
    pub block: u32,
    /// Hash of its block.
    pub block_hash: H256,
    /// Its own hash.
    pub extrinsic_hash: H256,
    /// Plancks that the signer paid; 0 for a free call.
    pub fee: Balance,
    index: u32,
    events: Events<SubstrateConfig>,
    metadata: ArcMetadata,
}

impl Receipt {
    /// The transaction's events of one kind, in order.
    pub(crate) fn find_all<E: DecodeAsEvent>(&self) -> impl Iterator<Item = E> + '_ {
        let phase = Phase::ApplyExtrinsic(self.index);
        self.events
            .iter()
            .filter_map(|event| event.ok())
            .filter(move |event| event.phase() == phase)
            .filter_map(|event| event.decode_fields_as::<E>()?.ok())
    }

    /// The first event of one kind.
    pub(crate) fn find<E: DecodeAsEvent>(&self) -> Option<E> {
        self.find_all().next()
    }

    /// Why one of several votes was refused, as its event says.
    pub(crate) fn refused_vote(&self, submission: SubmissionId) -> ClientError {
        // Datanet, submission and curator, then the error, whose meaning is for the metadata to say.
        const ERROR: usize = 4 + 8 + 32;
        let number = submission.to_le_bytes();
        let phase = Phase::ApplyExtrinsic(self.index);
        for event in self.events.iter().filter_map(|event| event.ok()) {
            let named = event.pallet_name() == "Review" && event.event_name() == "VoteRefused";
            let bytes = event.field_bytes();
            if named && event.phase() == phase && bytes.get(4..12) == Some(&number[..]) {
                let error = bytes.get(ERROR..).unwrap_or_default();
                return dispatch_error(error, self.metadata.clone());
            }
        }
        ClientError::MissingEvent { block: self.block.into(), event: "Review::VoteRefused" }
    }

    /// The first event of one kind, which the call always brings.
    pub(crate) fn require<E: DecodeAsEvent>(&self, event: &'static str) -> Result<E> {
        self.find().ok_or(ClientError::MissingEvent { block: self.block.into(), event })
    }
}

/// A transaction that was handed to the node.
struct Sent {
    bytes: Vec<u8>,
    hash: H256,
    account: AccountId,
    nonce: u64,
    /// First block that may hold it.
    start: u32,
    /// Last block that may hold it.
    last: u64,
}

/// Where a transaction is.
struct Place {
    block: u32,
    hash: H256,
    index: u32,
}

impl Client {
    /// Signs a call, sends it, and waits for it.
    pub(crate) async fn send(
        &self,
        signer: &Signer,
        call: &impl Payload,
        wait: Wait,
    ) -> Result<Receipt> {
        let sent = self.submit_numbered(signer, call).await?;
        tracing::debug!(hash = ?sent.hash, nonce = sent.nonce, "sent {}", call.call_name());
        let place = self.follow(&sent, wait).await?;
        self.receipt(&sent, place).await
    }

    /// Signs with the account's next nonce and hands the transaction to the node.
    async fn submit_numbered(&self, signer: &Signer, call: &impl Payload) -> Result<Sent> {
        let account = signer.account();
        let lock = self.submitting(&account).await;
        let _one_at_a_time = lock.lock().await;
        let mut tries = 0;
        loop {
            let sent = self.sign(signer, call).await?;
            let methods = &self.inner.methods;
            let error = match methods.author_submit_extrinsic(&sent.bytes).await {
                Ok(_) => return Ok(sent),
                Err(error) => error,
            };
            match pool_error(&error, account) {
                // Refused for good, so signing anew with another nonce cannot count twice.
                Some(PoolAnswer::Refused(ClientError::Busy { .. })) if tries < BUSY_TRIES => {
                    tries += 1;
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                Some(PoolAnswer::Refused(error)) => return Err(error),
                // Handed in twice because the connection broke, or overtaken: the blocks will tell.
                Some(PoolAnswer::AlreadyThere | PoolAnswer::Outdated) => return Ok(sent),
                None => return Err(self.failed("author_submitExtrinsic", error)),
            }
        }
    }

    /// Waits until the node's pool holds no transaction of an account any more, or `most` has passed.
    ///
    /// # Errors
    ///
    /// If the node cannot be asked.
    pub async fn until_included(&self, account: AccountId, most: Duration) -> Result<()> {
        let until = Instant::now() + most;
        loop {
            let next = self.inner.methods.system_account_next_index(&account).await;
            let next = next.map_err(|error| self.failed("system_accountNextIndex", error))?;
            let included = u64::from(self.balance(account).await?.nonce);
            if next <= included || Instant::now() >= until {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn sign(&self, signer: &Signer, call: &impl Payload) -> Result<Sent> {
        let account = signer.account();
        let best = self.best().await?;
        let finalised = self.finalised().await?;
        // A finalised block never goes away; an unfinalised one would take the transaction along.
        let birth =
            if best.0.saturating_sub(finalised.0) <= MAX_FINALITY_LAG { finalised } else { best };
        let nonce = self
            .inner
            .methods
            .system_account_next_index(&account)
            .await
            .map_err(|error| self.failed("system_accountNextIndex", error))?;
        let params = SubstrateExtrinsicParamsBuilder::new()
            .nonce(nonce)
            .mortal_from_unchecked(MORTALITY, birth.0.into(), birth.1)
            .build();
        let at = self.at(best.1).await?;
        let name = || format!("{}::{}", call.pallet_name(), call.call_name());
        let signed = at
            .transactions()
            .create_signable_offline(call, params)
            .and_then(|mut signable| signable.sign(signer))
            .map_err(|error| match error {
                ExtrinsicError::IncompatibleCodegen
                | ExtrinsicError::PalletNameNotFound(_)
                | ExtrinsicError::CallNameNotFound { .. } => {
                    ClientError::Incompatible { what: format!("the call {}", name()) }
                }
                other => self.odd(&format!("encoding {}", name()), other),
            })?;
        Ok(Sent {
            hash: signed.hash(),
            bytes: signed.into_encoded(),
            account,
            nonce,
            start: birth.0,
            last: u64::from(birth.0) + MORTALITY - 1,
        })
    }

    /// Waits until a transaction is where `wait` wants it.
    async fn follow(&self, sent: &Sent, wait: Wait) -> Result<Place> {
        let started = Instant::now();
        let patience = self.inner.settings.transaction;
        let encoded = format!("0x{}", hex::encode(&sent.bytes));
        let mut scan = Scan { start: sent.start, next: sent.start, seen: None };
        let mut pool_asked = Instant::now();
        let mut outdated = 0;
        let mut found: Option<Place> = None;
        loop {
            // Where it was found may have been left by the best chain.
            if let Some(place) = &found {
                if self.block_hash(place.block).await? != Some(place.hash) {
                    found = None;
                    scan.rewind();
                }
            }
            if found.is_none() {
                found = self.scan(&mut scan, &encoded).await?;
            }
            match found.take() {
                Some(place) if wait == Wait::InBlock => return Ok(place),
                Some(place) if self.finalised().await?.0 >= place.block => {
                    // Finalised blocks of that height are on every chain: is it still this one?
                    if self.block_hash(place.block).await? == Some(place.hash) {
                        return Ok(place);
                    }
                    scan.rewind();
                }
                Some(place) => found = Some(place),
                None if u64::from(scan.next) > sent.last + EXPIRY_MARGIN => {
                    return Err(ClientError::Expired { hash: sent.hash, last: sent.last });
                }
                None if pool_asked.elapsed() >= POOL_POLL => {
                    pool_asked = Instant::now();
                    match self.hand_in_again(sent).await? {
                        PoolAnswer::AlreadyThere => outdated = 0,
                        // Perhaps it came into a block since the last look: look once more.
                        PoolAnswer::Outdated if outdated < 2 => outdated += 1,
                        PoolAnswer::Outdated => {
                            let (hash, nonce) = (sent.hash, sent.nonce);
                            return Err(ClientError::Overtaken { hash, nonce });
                        }
                        PoolAnswer::Refused(error) => return Err(error),
                    }
                }
                None => {}
            }
            if started.elapsed() >= patience {
                let (hash, last) = (sent.hash, sent.last);
                return Err(ClientError::Unknown { hash, waited: patience, last });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Hands the same bytes in again, in case the node forgot them (it does when it restarts).
    async fn hand_in_again(&self, sent: &Sent) -> Result<PoolAnswer> {
        let answer = self.inner.methods.author_submit_extrinsic(&sent.bytes).await;
        match answer {
            Ok(_) => Ok(PoolAnswer::AlreadyThere),
            Err(error) => pool_error(&error, sent.account)
                .ok_or_else(|| self.failed("author_submitExtrinsic", error)),
        }
    }

    /// Looks for a transaction in the blocks of the best chain that were not looked at yet.
    async fn scan(&self, scan: &mut Scan, encoded: &str) -> Result<Option<Place>> {
        if let Some((number, hash)) = scan.seen {
            if self.block_hash(number).await? != Some(hash) {
                scan.rewind();
            }
        }
        let (best, _) = self.best().await?;
        while scan.next <= best {
            let number = scan.next;
            let Some(hash) = self.block_hash(number).await? else { return Ok(None) };
            let block: Option<BlockAnswer> =
                self.request("chain_getBlock", rpc_params![hash]).await?;
            let Some(block) = block else { return Ok(None) };
            scan.seen = Some((number, hash));
            scan.next = number + 1;
            let index = block.block.extrinsics.iter().position(|other| other == encoded);
            if let Some(index) = index {
                return Ok(Some(Place { block: number, hash, index: index as u32 }));
            }
        }
        Ok(None)
    }

    /// Reads what an included transaction did.
    async fn receipt(&self, sent: &Sent, place: Place) -> Result<Receipt> {
        let at = self.at(place.hash).await?;
        let events = at.events().fetch().await.map_err(|e| self.odd("the block's events", e))?;
        let phase = Phase::ApplyExtrinsic(place.index);
        for event in events.iter() {
            let event = event.map_err(|error| self.odd("the block's events", error))?;
            let failed = event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed";
            if failed && event.phase() == phase {
                return Err(dispatch_error(event.field_bytes(), at.metadata()));
            }
        }
        let mut receipt = Receipt {
            block: place.block,
            block_hash: place.hash,
            extrinsic_hash: sent.hash,
            fee: 0,
            index: place.index,
            events,
            metadata: at.metadata(),
        };
        receipt.fee = receipt
            .find_all::<runtime::transaction_payment::events::TransactionFeePaid>()
            .filter(|paid| paid.who == sent.account)
            .map(|paid| paid.actual_fee)
            .sum();
        Ok(receipt)
    }
}

/// A block as `chain_getBlock` answers it; what is not needed is left out.
#[derive(serde::Deserialize)]
struct BlockAnswer {
    block: BlockBody,
}

#[derive(serde::Deserialize)]
struct BlockBody {
    /// Encoded, in hexadecimal with `0x`.
    extrinsics: Vec<String>,
}

/// How far the best chain was looked at.
struct Scan {
    start: u32,
    next: u32,
    seen: Option<(u32, H256)>,
}

impl Scan {
    /// Begins again: the best chain has changed.
    fn rewind(&mut self) {
        self.next = self.start;
        self.seen = None;
    }
}
