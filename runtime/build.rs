//! Builds the runtime's WebAssembly blob beside the native crate.

#[cfg(feature = "std")]
fn main() {
    // The target folder lies outside the checkout, where the builder would not find Cargo.lock and
    // would take the newest version of every crate.
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    std::env::set_var("WASM_BUILD_WORKSPACE_HINT", workspace);

    // What offline wallets sign. The builder would compile everything twice to find the hash out; a test does, and sees that it
    // is the committed one.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../client/metadata-hash.txt");
    println!("cargo:rerun-if-changed={path}");
    if let Ok(hash) = std::fs::read_to_string(path) {
        std::env::set_var("RUNTIME_METADATA_HASH", hash.trim());
    }

    substrate_wasm_builder::WasmBuilder::init_with_defaults().build();
}

#[cfg(not(feature = "std"))]
fn main() {}
