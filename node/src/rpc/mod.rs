//! The node's JSON-RPC: what every Substrate node answers, and the read-only `openledger_*` methods.

mod json;
mod openledger;

use crate::service::{FullBackend, FullClient, Pool};
use jsonrpsee::RpcModule;
use openledger_runtime::{BlockNumber, Hash, OpaqueBlock as Block};
use sc_consensus::LongestChain;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// What the RPC modules need.
pub(crate) struct Deps {
    pub(crate) client: Arc<FullClient>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) select_chain: LongestChain<FullBackend, Block>,
    pub(crate) chain_spec: Box<dyn sc_chain_spec::ChainSpec>,
    pub(crate) keystore: KeystorePtr,
    pub(crate) babe_worker: BabeWorkerHandle<Block>,
    pub(crate) voter_state: SharedVoterState,
    pub(crate) authorities: SharedAuthoritySet<Hash, BlockNumber>,
    pub(crate) justifications: GrandpaJustificationStream<Block>,
    pub(crate) finality_proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
    pub(crate) executor: SubscriptionTaskExecutor,
}

/// Puts the modules together.
pub(crate) fn create(
    deps: Deps,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
    use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
    use substrate_frame_rpc_system::{System, SystemApiServer};

    let mut module = RpcModule::new(());
    module.merge(System::new(deps.client.clone(), deps.pool).into_rpc())?;
    module.merge(TransactionPayment::new(deps.client.clone()).into_rpc())?;
    module.merge(
        Babe::new(deps.client.clone(), deps.babe_worker.clone(), deps.keystore, deps.select_chain)
            .into_rpc(),
    )?;
    module.merge(
        Grandpa::new(
            deps.executor,
            deps.authorities.clone(),
            deps.voter_state,
            deps.justifications,
            deps.finality_proofs,
        )
        .into_rpc(),
    )?;
    module.merge(
        SyncState::new(deps.chain_spec, deps.client.clone(), deps.authorities, deps.babe_worker)?
            .into_rpc(),
    )?;
    module.merge(openledger::module(deps.client)?)?;
    Ok(module)
}
