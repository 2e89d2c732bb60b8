//! The metadata that the chain client is generated from.

use crate::common::genesis;
use openledger_runtime::Runtime;
use std::path::Path;

/// `client/metadata.scale` is what this runtime says of itself. After a change of the runtime, run
/// this test with `OPENLEDGER_UPDATE=1` and commit the file.
#[test]
fn metadata_of_the_client_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/metadata.scale");
    let metadata = genesis("development").execute_with(|| {
        Runtime::metadata_at_version(15).expect("the runtime has metadata of version 15")
    });
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &*metadata).expect("the file can be written");
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert!(
        committed == *metadata,
        "client/metadata.scale is out of date; run: \
         OPENLEDGER_UPDATE=1 scripts/test chain -- metadata_of_the_client"
    );
}

/// Version 16 names view functions and deprecations; wallets ask for the newest that they know.
#[test]
fn metadata_has_versions_14_to_16() {
    genesis("development").execute_with(|| {
        assert_eq!(Runtime::metadata_versions(), [14, 15, 16]);
        let newest = Runtime::metadata_at_version(16).expect("it has version 16");
        assert_eq!(newest[..5], *b"meta\x10", "magic number and version");
    });
}
