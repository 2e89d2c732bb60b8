//! Puts the node together: client, pool, BABE, GRANDPA, network and RPC.

use crate::{equivocation::WatchEquivocations, warp::ProofsToBeginFrom};
use futures::FutureExt;
use openledger_runtime::{apis::RuntimeApi, Hash, OpaqueBlock as Block};
use sc_client_api::{Backend, BlockBackend};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf, SharedVoterState};
use sc_executor::WasmExecutor;
use sc_network::NetworkBackend;
use sc_service::{
    error::Error as ServiceError, ChainType, Configuration, PartialComponents, TFullBackend,
    TFullClient, TaskManager, WarpSyncConfig,
};
use sc_storage_monitor::{StorageMonitorParams, StorageMonitorService};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::{inherents::InherentDataProvider as SlotInherent, SlotDuration};
use std::{sync::Arc, time::Duration};

/// What the runtime's blob may call.
type HostFunctions = sp_io::SubstrateHostFunctions;
/// The node's client.
pub(crate) type FullClient = TFullClient<Block, RuntimeApi, WasmExecutor<HostFunctions>>;
/// Its database.
pub(crate) type FullBackend = TFullBackend<Block>;
type SelectChain = sc_consensus::LongestChain<FullBackend, Block>;
type Grandpa = GrandpaBlockImport<FullBackend, Block, FullClient, SelectChain>;
type Babe = WatchEquivocations<BabeBlockImport<Block, FullClient, Grandpa, Inherents, SelectChain>>;
/// Its transaction pool.
pub(crate) type Pool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;

/// A quarter of the time until a GRANDPA round's second vote: votes of others come meanwhile.
const GOSSIP: Duration = Duration::from_millis(333);
/// The same on a chain of one validator, who waits for nobody.
const DEVELOPMENT_GOSSIP: Duration = Duration::from_millis(100);
/// Blocks between two stored GRANDPA justifications.
const JUSTIFICATION_PERIOD: u32 = 512;

/// Makes the slot and timestamp inherents.
#[derive(Clone)]
pub(crate) struct Inherents {
    slot_duration: SlotDuration,
}

#[async_trait::async_trait]
impl sp_inherents::CreateInherentDataProviders<Block, ()> for Inherents {
    type InherentDataProviders = (SlotInherent, sp_timestamp::InherentDataProvider);

    async fn create_inherent_data_providers(
        &self,
        _parent: Hash,
        _: (),
    ) -> Result<Self::InherentDataProviders, Box<dyn std::error::Error + Send + Sync>> {
        let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
        let slot = SlotInherent::from_timestamp_and_slot_duration(*timestamp, self.slot_duration);
        Ok((slot, timestamp))
    }
}

/// What [`partial`] makes besides the usual components.
pub(crate) struct Consensus {
    block_import: Babe,
    inherents: Inherents,
    grandpa_link: LinkHalf<Block, FullClient, SelectChain>,
    babe_link: BabeLink<Block>,
    babe_worker: BabeWorkerHandle<Block>,
    telemetry: Option<Telemetry>,
}

type Partial = PartialComponents<
    FullClient,
    FullBackend,
    SelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    Pool,
    Consensus,
>;

/// Which blocks are voted for. Elsewhere the newest two are not, and of many blocks only three quarters: they may
/// be of a fork that is left again. One validator makes no forks, and who watches its chain waits for finality.
fn voting_rule(
    is_development: bool,
) -> impl sc_consensus_grandpa::VotingRule<Block, FullClient> + Clone {
    use sc_consensus_grandpa::VotingRulesBuilder;
    let rules =
        if is_development { VotingRulesBuilder::new() } else { VotingRulesBuilder::default() };
    rules.build()
}

/// Everything that works without a network.
pub(crate) fn partial(config: &Configuration) -> Result<Partial, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;

    let executor = sc_service::new_wasm_executor::<HostFunctions>(&config.executor);
    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, _>(
            config,
            telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
            executor,
            Default::default(),
        )?;
    let client = Arc::new(client);
    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });

    let select_chain = SelectChain::new(backend.clone());
    let transaction_pool = Arc::from(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );

    let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &(client.clone() as Arc<_>),
        select_chain.clone(),
        telemetry.as_ref().map(Telemetry::handle),
    )?;

    let babe_config = sc_consensus_babe::configuration(&*client)?;
    let slot_duration = babe_config.slot_duration();
    let inherents = Inherents { slot_duration };
    let (block_import, babe_link) = sc_consensus_babe::block_import(
        babe_config,
        grandpa_import.clone(),
        client.clone(),
        inherents.clone(),
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(transaction_pool.clone()),
    )?;
    let block_import = WatchEquivocations::new(
        block_import,
        client.clone(),
        OffchainTransactionPoolFactory::new(transaction_pool.clone()),
    );
    let (import_queue, babe_worker) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe_link.clone(),
            block_import: block_import.clone(),
            justification_import: Some(Box::new(grandpa_import)),
            client: client.clone(),
            slot_duration,
            spawner: &task_manager.spawn_essential_handle(),
            registry: config.prometheus_registry(),
            telemetry: telemetry.as_ref().map(Telemetry::handle),
        })?;

    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: Consensus {
            block_import,
            inherents,
            grandpa_link,
            babe_link,
            babe_worker,
            telemetry,
        },
    })
}

/// Starts the whole node.
pub(crate) fn full<N: NetworkBackend<Block, Hash>>(
    config: Configuration,
    storage: StorageMonitorParams,
) -> Result<TaskManager, ServiceError> {
    let PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other:
            Consensus { block_import, inherents, grandpa_link, babe_link, babe_worker, mut telemetry },
    } = partial(&config)?;

    // On a full disk the database ends the process in the middle of a write, without a word.
    if let Some(path) = config.database.path() {
        let spawner = task_manager.spawn_essential_handle();
        StorageMonitorService::try_spawn(storage, path.to_owned(), &spawner)
            .map_err(|error| ServiceError::Application(error.into()))?;
    }

    let registry = config.prometheus_config.as_ref().map(|cfg| cfg.registry.clone());
    let mut net_config = sc_network::config::FullNetworkConfiguration::<_, _, N>::new(
        &config.network,
        registry.clone(),
    );
    let metrics = N::register_notification_metrics(registry.as_ref());
    let genesis_hash = client
        .block_hash(0)?
        .ok_or_else(|| ServiceError::Other("the database holds no genesis block".into()))?;
    let grandpa_protocol =
        sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
            grandpa_protocol.clone(),
            metrics.clone(),
            net_config.peer_store_handle(),
        );
    net_config.add_notification_protocol(grandpa_config);

    let shared_authorities = grandpa_link.shared_authority_set().clone();
    let proofs = sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        shared_authorities.clone(),
        Vec::new(),
    );
    let warp_sync = Arc::new(ProofsToBeginFrom(proofs));
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
        sc_service::build_network(sc_service::BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    if config.offchain_worker.enabled {
        let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
            runtime_api_provider: client.clone(),
            is_validator: config.role.is_authority(),
            keystore: Some(keystore_container.keystore()),
            offchain_db: backend.offchain_storage(),
            transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool.clone())),
            network_provider: Arc::new(network.clone()),
            enable_http_requests: false,
            custom_extensions: |_| vec![],
        })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
        );
    }

    let role = config.role;
    let force_authoring = config.force_authoring;
    let name = config.network.node_name.clone();
    let enable_grandpa = !config.disable_grandpa;
    let is_development = config.chain_spec.chain_type() == ChainType::Development;
    let voter_state = SharedVoterState::empty();

    let rpc_builder = {
        let client = client.clone();
        let pool = transaction_pool.clone();
        let select_chain = select_chain.clone();
        let keystore = keystore_container.keystore();
        let chain_spec = config.chain_spec.cloned_box();
        let voter_state = voter_state.clone();
        let justifications = grandpa_link.justification_stream();
        let finality_proofs = sc_consensus_grandpa::FinalityProofProvider::new_for_service(
            backend.clone(),
            Some(shared_authorities.clone()),
        );
        Box::new(move |executor: sc_rpc::SubscriptionTaskExecutor| {
            crate::rpc::create(crate::rpc::Deps {
                client: client.clone(),
                pool: pool.clone(),
                select_chain: select_chain.clone(),
                chain_spec: chain_spec.cloned_box(),
                keystore: keystore.clone(),
                babe_worker: babe_worker.clone(),
                voter_state: voter_state.clone(),
                authorities: shared_authorities.clone(),
                justifications: justifications.clone(),
                finality_proofs: finality_proofs.clone(),
                executor,
            })
            .map_err(ServiceError::Application)
        })
    };

    sc_service::spawn_tasks(sc_service::SpawnTasksParams {
        network: Arc::new(network.clone()),
        client: client.clone(),
        keystore: keystore_container.keystore(),
        task_manager: &mut task_manager,
        transaction_pool: transaction_pool.clone(),
        rpc_builder,
        backend,
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync_service.clone(),
        config,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    if role.is_authority() {
        let babe = babe_link.config();
        let epoch = babe.slot_duration().as_duration()
            * u32::try_from(babe.epoch_length).unwrap_or(u32::MAX);
        task_manager.spawn_handle().spawn(
            "session-keys",
            None,
            crate::session_keys::warn_without(client.clone(), keystore_container.keystore(), epoch),
        );
        let proposer = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            client.clone(),
            transaction_pool.clone(),
            registry.as_ref(),
            telemetry.as_ref().map(Telemetry::handle),
        );
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: keystore_container.keystore(),
            client,
            select_chain,
            env: proposer,
            block_import,
            sync_oracle: sync_service.clone(),
            justification_sync_link: sync_service.clone(),
            create_inherent_data_providers: inherents,
            force_authoring,
            // Authors slow down while finality lags, so that a stalled GRANDPA fills no disk in a hurry; but not to
            // a block in a hundred slots: a referendum or sudo key that ends the stall needs blocks.
            backoff_authoring_blocks: Some(
                sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging {
                    max_interval: 4,
                    ..Default::default()
                },
            ),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(0.5),
            max_block_proposal_slot_portion: None,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking(
            "babe-proposer",
            Some("block-authoring"),
            babe,
        );
    }

    if enable_grandpa {
        let config = sc_consensus_grandpa::Config {
            gossip_duration: if is_development { DEVELOPMENT_GOSSIP } else { GOSSIP },
            justification_generation_period: JUSTIFICATION_PERIOD,
            name: Some(name),
            observer_enabled: false,
            keystore: role.is_authority().then(|| keystore_container.keystore()),
            local_role: role,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
            protocol_name: grandpa_protocol,
        };
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config,
            link: grandpa_link,
            network,
            sync: Arc::new(sync_service),
            notification_service: grandpa_notifications,
            voting_rule: voting_rule(is_development),
            prometheus_registry: registry,
            shared_voter_state: voter_state,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    }

    Ok(task_manager)
}
