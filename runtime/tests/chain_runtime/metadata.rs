//! The metadata that the chain client is generated from.

use crate::common::genesis;
use codec::{Decode, Encode};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use frame_support::view_functions::{ViewFunctionDispatchError, ViewFunctionId};
use openledger_runtime::{AccountId, Datanets, Leaderboard, Review, Runtime, Training};
use sp_keyring::Sr25519Keyring;
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

/// By which id the newest metadata names a view function.
fn view_function(pallet: &str, name: &str) -> ViewFunctionId {
    let newest = Runtime::metadata_at_version(16).expect("it has version 16");
    let decoded = RuntimeMetadataPrefixed::decode(&mut &newest[..]).expect("it is metadata");
    let RuntimeMetadata::V16(metadata) = decoded.1 else { panic!("it is of another version") };
    let mut pallets = metadata.pallets.into_iter();
    let pallet = pallets.find(|one| one.name == pallet).expect("the pallet");
    let mut functions = pallet.view_functions.into_iter();
    let function = functions.find(|one| one.name == name).expect("the view function");
    ViewFunctionId::decode(&mut &function.id[..]).expect("it is an id")
}

/// What a wallet can ask that knows none of our runtime APIs.
#[test]
fn view_functions_answer_as_the_runtime_apis_do() {
    genesis("development").execute_with(|| {
        let alice = AccountId::from(Sr25519Keyring::Alice.public());
        let quota = Datanets::quota(&alice).encode();
        let claimable = Leaderboard::claimable(0, &alice).encode();
        let worker = Training::worker(alice.clone()).encode();
        for (pallet, name, arguments, expected) in [
            ("Datanets", "quota_of", alice.encode(), quota),
            ("Leaderboard", "claimable_of", (0u32, &alice).encode(), claimable),
            ("Review", "policy_of", 0u32.encode(), Review::policy(0).encode()),
            ("Training", "worker_of", alice.encode(), worker),
        ] {
            let id = view_function(pallet, name);
            let answer = Runtime::execute_view_function(id.clone(), arguments);
            assert_eq!(answer.ok(), Some(expected), "{pallet}.{name}");
            let short = Runtime::execute_view_function(id, vec![1]);
            assert!(matches!(short, Err(ViewFunctionDispatchError::Codec)), "{pallet}.{name}");
        }
    });
}
