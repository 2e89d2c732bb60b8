//! Finds validators that sign two blocks of a slot, and reports them.
//!
//! BABE's own import looks for them too. But as of `sc-consensus-babe` 0.60 it compares headers whose seal has been
//! taken off, so what it reports proves nothing, and the runtime drops it. Here the whole headers are kept.

use crate::service::FullClient;
use openledger_runtime::{Header, OpaqueBlock as Block};
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::{ApiExt, ProvideRuntimeApi};
use sp_consensus::BlockOrigin;
use sp_consensus_babe::{check_equivocation_proof, BabeApi, EquivocationProof, Slot};
use sp_runtime::traits::Header as _;
use std::{
    collections::{btree_map::Entry, BTreeMap},
    sync::{Arc, Mutex, PoisonError},
};

/// Headers that are remembered: an hour and a half of slots with one author each.
const KEPT: usize = 2_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The first header of each slot and author, as the author's place among the authorities.
#[derive(Default)]
struct Seen(BTreeMap<(Slot, u32), Header>);

impl Seen {
    /// Remembers a header; answers another one of the same author and slot.
    fn note(&mut self, slot: Slot, author: u32, header: &Header) -> Option<Header> {
        match self.0.entry((slot, author)) {
            Entry::Occupied(first) => {
                (first.get().hash() != header.hash()).then(|| first.get().clone())
            }
            Entry::Vacant(place) => {
                place.insert(header.clone());
                if self.0.len() > KEPT {
                    self.0.pop_first();
                }
                None
            }
        }
    }
}

/// Looks at each block, whose seal has been verified, before `inner` imports it.
#[derive(Clone)]
pub(crate) struct WatchEquivocations<I> {
    inner: I,
    client: Arc<FullClient>,
    pool: OffchainTransactionPoolFactory<Block>,
    seen: Arc<Mutex<Seen>>,
}

impl<I> WatchEquivocations<I> {
    pub(crate) fn new(
        inner: I,
        client: Arc<FullClient>,
        pool: OffchainTransactionPoolFactory<Block>,
    ) -> Self {
        Self { inner, client, pool, seen: Default::default() }
    }

    fn watch(&self, header: Header) -> Result<(), Failure> {
        let digest = sc_consensus_babe::find_pre_digest::<Block>(&header)?;
        let (slot, author) = (digest.slot(), digest.authority_index());
        let first = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.note(slot, author, &header)
        };
        match first {
            Some(first) => self.report(slot, author, first, header),
            None => Ok(()),
        }
    }

    fn report(
        &self,
        slot: Slot,
        author: u32,
        first_header: Header,
        second_header: Header,
    ) -> Result<(), Failure> {
        let best = self.client.chain_info().best_hash;
        // Where the keys of the slot's session can be looked up. The first block of a session has a parent of the
        // session before.
        let mut at = *second_header.parent_hash();
        let mut epoch = self.client.runtime_api().current_epoch(at)?;
        if slot >= epoch.start_slot + epoch.duration {
            epoch = self.client.runtime_api().next_epoch(at)?;
            at = best;
        }
        let Some((offender, _)) = epoch.authorities.get(author as usize) else { return Ok(()) };
        let offender = offender.clone();
        let proof =
            EquivocationProof { offender: offender.clone(), slot, first_header, second_header };
        // On two forks, the same place may be of two validators.
        if !check_equivocation_proof(proof.clone()) {
            return Ok(());
        }
        let owner =
            self.client.runtime_api().generate_key_ownership_proof(at, slot, offender.clone())?;
        let Some(owner) = owner else { return Ok(()) };
        let mut api = self.client.runtime_api();
        api.register_extension(self.pool.offchain_transaction_pool(best));
        let submitted = api.submit_report_equivocation_unsigned_extrinsic(best, proof, owner)?;
        if submitted.is_some() {
            tracing::info!("Reported that {offender:?} signed two blocks of slot {}", *slot);
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl<I> BlockImport<Block> for WatchEquivocations<I>
where
    I: BlockImport<Block> + Send + Sync,
{
    type Error = I::Error;

    async fn check_block(&self, block: BlockCheckParams<Block>) -> Result<ImportResult, I::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(
        &self,
        block: BlockImportParams<Block>,
    ) -> Result<ImportResult, I::Error> {
        // What is old when it comes can no longer be reported.
        if block.origin != BlockOrigin::NetworkInitialSync {
            if let Err(failure) = self.watch(block.post_header()) {
                tracing::warn!("Two blocks of a slot could not be reported: {failure}");
            }
        }
        self.inner.import_block(block).await
    }
}
