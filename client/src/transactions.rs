//! Sending transactions: numbered, mortal, and followed until they are in a block.
//!
//! Whatever happens to node or connection after a transaction was handed in, the same bytes are looked
//! for in the blocks and, where the node lost them, handed in again: their nonce lets them count only
//! once. The call is signed anew only when it is certain that these bytes count nowhere: no node ever
//! took them, or finalised blocks say so. So nothing is ever done or paid twice.

use crate::{
    connection::Client,
    errors::{dispatch_error, ClientError, Result},
    follow::{Place, Sent},
    pool::PoolAnswer,
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
    tx::Payload,
    SubstrateConfig,
};

/// Blocks a transaction stays valid (a power of two): about six minutes.
const MORTALITY: u32 = 128;
/// A finalised block older than this is no good beginning for a transaction's life.
const MAX_FINALITY_LAG: u32 = 32;
/// Pause before a transaction that the pool does not take now is signed anew.
const PAUSE: Duration = Duration::from_millis(1_500);
/// How often a call is numbered anew when another transaction of the account came before it.
const MAX_OVERTAKEN: u32 = 8;

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

impl Client {
    /// Signs a call, sends it, and waits for it.
    pub(crate) async fn send(
        &self,
        signer: &Signer,
        call: &impl Payload,
        wait: Wait,
    ) -> Result<Receipt> {
        let mut overtaken = 0;
        loop {
            let sent = self.submit_numbered(signer, call).await?;
            tracing::debug!(hash = ?sent.hash, nonce = sent.nonce, "sent {}", call.call_name());
            let started = Instant::now();
            let end = match self.follow(&sent, wait).await {
                Ok(place) => self.receipt(&sent, place).await,
                Err(error) => Err(error),
            };
            match end {
                Err(error @ ClientError::Overtaken { .. }) if overtaken < MAX_OVERTAKEN => {
                    tracing::debug!(%error, "it is numbered anew");
                    overtaken += 1;
                }
                // The node went away or is of no use: what has become of it cannot be said.
                Err(
                    error @ (ClientError::Unreachable { .. }
                    | ClientError::Full { .. }
                    | ClientError::Rpc { .. }
                    | ClientError::Answer { .. }),
                ) => return Err(sent.unknown(started.elapsed(), error.to_string())),
                end => return end,
            }
        }
    }

    /// Signs with the account's next nonce and hands the transaction to the node.
    async fn submit_numbered(&self, signer: &Signer, call: &impl Payload) -> Result<Sent> {
        let lock = self.submitting(&signer.account()).await;
        let started = Instant::now();
        loop {
            let one_at_a_time = lock.lock().await;
            let mut sent = self.sign(signer, call).await?;
            let answer = self.hand_in(&sent).await?;
            drop(one_at_a_time);
            match answer {
                // No node has these bytes, so signing anew with another nonce cannot count twice.
                Some(PoolAnswer::NotNow(error)) => {
                    if started.elapsed() >= self.inner.settings.transaction {
                        return Err(error);
                    }
                    tracing::debug!(hash = ?sent.hash, nonce = sent.nonce, %error, "not now");
                    tokio::time::sleep(PAUSE).await;
                }
                Some(PoolAnswer::Refused(error)) => return Err(error),
                held => {
                    sent.held = held.is_some();
                    return Ok(sent);
                }
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
            .mortal_from_unchecked(MORTALITY.into(), birth.0.into(), birth.1)
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
            last: birth.0.saturating_add(MORTALITY - 1),
            held: false,
        })
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
