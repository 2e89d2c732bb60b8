//! What each subcommand does.

use crate::{
    chain_spec,
    cli::{Cli, Subcommand},
    service,
};
use openledger_runtime::OpaqueBlock as Block;
use sc_cli::SubstrateCli;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "OpenLedger Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        env!("CARGO_PKG_HOMEPAGE").into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        Ok(match id {
            "dev" | "development" => Box::new(chain_spec::development()?),
            "local" => Box::new(chain_spec::local()?),
            "" => {
                return Err(
                    "no network is named: use --dev, --chain local or --chain FILE.json".into()
                )
            }
            path => Box::new(chain_spec::ChainSpec::from_json_file(path.into())?),
        })
    }
}

pub(crate) fn run() -> sc_cli::Result<()> {
    let cli = Cli::from_args();
    match &cli.subcommand {
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::ExportChainSpec(cmd)) => {
            let spec = cli.load_spec(&cmd.chain)?;
            cmd.run(spec)
        }
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            Ok((cmd.run(parts.client, parts.import_queue), parts.task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            Ok((cmd.run(parts.client, config.database), parts.task_manager))
        }),
        Some(Subcommand::ExportState(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            Ok((cmd.run(parts.client, config.chain_spec), parts.task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            Ok((cmd.run(parts.client, parts.import_queue), parts.task_manager))
        }),
        Some(Subcommand::PurgeChain(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database))
        }
        Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            let revert = Box::new(
                |client: std::sync::Arc<service::FullClient>,
                 backend: std::sync::Arc<service::FullBackend>,
                 blocks| {
                    sc_consensus_babe::revert(client.clone(), backend, blocks)?;
                    sc_consensus_grandpa::revert(client, blocks)?;
                    Ok(())
                },
            );
            Ok((cmd.run(parts.client, parts.backend, Some(revert)), parts.task_manager))
        }),
        Some(Subcommand::ChainInfo(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run::<Block>(&config))
        }
        None => cli.create_runner(&cli.run)?.run_node_until_exit(|config| async move {
            let storage = cli.storage;
            match config.network.network_backend {
                sc_network::config::NetworkBackendType::Litep2p => {
                    service::full::<sc_network::Litep2pNetworkBackend>(config, storage)
                }
                sc_network::config::NetworkBackendType::Libp2p => service::full::<
                    sc_network::NetworkWorker<Block, openledger_runtime::Hash>,
                >(config, storage),
            }
            .map_err(sc_cli::Error::Service)
        }),
    }
}
