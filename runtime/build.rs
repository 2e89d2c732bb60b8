//! Builds the runtime's WebAssembly blob beside the native crate.

#[cfg(feature = "std")]
fn main() {
    // The target folder lies outside the checkout, where the builder would not find Cargo.lock and
    // would take the newest version of every crate.
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    std::env::set_var("WASM_BUILD_WORKSPACE_HINT", workspace);

    let builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
    #[cfg(feature = "metadata-hash")]
    let builder = builder.enable_metadata_hash("OPEN", 18);
    builder.build();
}

#[cfg(not(feature = "std"))]
fn main() {}
