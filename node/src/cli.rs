//! Command line of the node.

/// Run and look after an OpenLedger node.
#[derive(Debug, clap::Parser)]
#[command(after_help = "Examples:\n  \
    openledger-node --dev\n  \
    openledger-node --dev --base-path ./chain --state-pruning archive --rpc-port 9944\n  \
    openledger-node --chain local --alice --base-path ./alice\n  \
    openledger-node export-chain-spec --chain local --raw > local.json")]
pub(crate) struct Cli {
    /// What to do; without one, the node runs.
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,

    /// How the node runs.
    #[command(flatten)]
    pub(crate) run: sc_cli::RunCmd,

    /// When a disk is full.
    #[command(flatten)]
    pub(crate) storage: sc_storage_monitor::StorageMonitorParams,
}

/// What the node does besides running.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant)]
pub(crate) enum Subcommand {
    /// Make, inspect and insert keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),
    /// Write a chain spec.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),
    /// Validate blocks.
    CheckBlock(sc_cli::CheckBlockCmd),
    /// Export blocks.
    ExportBlocks(sc_cli::ExportBlocksCmd),
    /// Export the state at a block as a chain spec.
    ExportState(sc_cli::ExportStateCmd),
    /// Import blocks.
    ImportBlocks(sc_cli::ImportBlocksCmd),
    /// Remove the whole chain.
    PurgeChain(sc_cli::PurgeChainCmd),
    /// Revert the chain to an earlier block.
    Revert(sc_cli::RevertCmd),
    /// Show what the database holds.
    ChainInfo(sc_cli::ChainInfoCmd),
}
