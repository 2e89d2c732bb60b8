//! Test externalities with a preset's genesis.

use openledger_runtime::{genesis_presets, RuntimeGenesisConfig};
use sp_runtime::BuildStorage;

/// A chain at genesis of the preset `name`.
pub fn genesis(name: &str) -> sp_io::TestExternalities {
    let patch: serde_json::Value = serde_json::from_slice(
        &genesis_presets::get_preset(&name.into()).expect("the preset exists"),
    )
    .expect("a preset is JSON");
    let mut config =
        serde_json::to_value(RuntimeGenesisConfig::default()).expect("genesis is serialisable");
    merge(&mut config, patch);
    let config: RuntimeGenesisConfig =
        serde_json::from_value(config).expect("the preset fits the genesis");
    let mut externalities: sp_io::TestExternalities =
        config.build_storage().expect("genesis builds").into();
    externalities.execute_with(|| frame_system::Pallet::<openledger_runtime::Runtime>::set_block_number(0));
    externalities
}

/// RFC 7386, as the genesis builder applies a preset.
fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
    match (target, patch) {
        (serde_json::Value::Object(target), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}
