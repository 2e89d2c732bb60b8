//! Builds the runtime's WebAssembly blob beside the native crate.

fn main() {
    #[cfg(all(feature = "std", feature = "metadata-hash"))]
    substrate_wasm_builder::WasmBuilder::init_with_defaults()
        .enable_metadata_hash("OPEN", 18)
        .build();

    #[cfg(all(feature = "std", not(feature = "metadata-hash")))]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
