//! Chain specs made from the runtime's genesis presets.

use openledger_primitives::Balance;
use openledger_runtime::{OpaqueBlock as Block, WASM_BINARY};
use sc_chain_spec::ChainSpecExtension;
use sc_service::ChainType;
use serde::{Deserialize, Serialize};

/// What a spec may carry beside genesis.
#[derive(Default, Clone, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extensions {
    /// Blocks that replace those of another fork.
    pub(crate) fork_blocks: sc_client_api::ForkBlocks<Block>,
    /// Blocks known to be bad.
    pub(crate) bad_blocks: sc_client_api::BadBlocks<Block>,
    /// A checkpoint for light clients.
    pub(crate) light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
}

/// A chain spec of this node.
pub(crate) type ChainSpec = sc_service::GenericChainSpec<Extensions>;

/// Decimals of one OPEN.
const DECIMALS: u32 = Balance::ilog10(openledger_primitives::OPEN);

fn properties() -> sc_service::Properties {
    [("tokenSymbol", "OPEN".into()), ("tokenDecimals", DECIMALS.into()), ("ss58Format", 42.into())]
        .into_iter()
        .map(|(key, value): (&str, serde_json::Value)| (key.to_owned(), value))
        .collect()
}

fn preset(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let wasm = WASM_BINARY.ok_or(
        "this node was built without a runtime (SKIP_WASM_BUILD was set); build it again without",
    )?;
    Ok(ChainSpec::builder(wasm, Extensions::default())
        .with_name(name)
        .with_id(id)
        .with_protocol_id("openledger")
        .with_chain_type(chain_type)
        .with_properties(properties())
        .with_genesis_config_preset_name(preset)
        .build())
}

/// A single author, sudo, short epochs.
pub(crate) fn development() -> Result<ChainSpec, String> {
    preset(
        "OpenLedger Development",
        "openledger_dev",
        ChainType::Development,
        sp_genesis_builder::DEV_RUNTIME_PRESET,
    )
}

/// Two validators on one machine.
pub(crate) fn local() -> Result<ChainSpec, String> {
    preset(
        "OpenLedger Local",
        "openledger_local",
        ChainType::Local,
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
    )
}
