//! What offline wallets rely on: the hash of the metadata that they sign, and the bytes that a stock one signs.

use crate::common::*;
use codec::{Decode, Encode};
use frame_metadata::RuntimeMetadataPrefixed;
use merkleized_metadata::{generate_metadata_digest, ExtraInfo};
use openledger_runtime::{
    Nonce, Runtime, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic, VERSION,
};
use sp_core::{
    bytes::{from_hex, to_hex},
    H256,
};
use sp_keyring::Ed25519Keyring::Alice;
use sp_runtime::{
    generic::{Era, Preamble},
    traits::Verify,
    transaction_validity::UnknownTransaction,
    MultiSignature,
};
use std::path::Path;

/// The digest that `runtime/build.rs` compiles in, from `client/metadata-hash.txt`.
fn digest() -> [u8; 32] {
    let metadata = genesis("development").execute_with(|| {
        Runtime::metadata_at_version(15).expect("the runtime has metadata of version 15")
    });
    let metadata = RuntimeMetadataPrefixed::decode(&mut &metadata[..]).expect("it is metadata").1;
    let extra = ExtraInfo {
        spec_version: VERSION.spec_version,
        spec_name: VERSION.spec_name.to_string(),
        base58_prefix: <Runtime as frame_system::Config>::SS58Prefix::get().into(),
        decimals: 18,
        token_symbol: "OPEN".into(),
    };
    generate_metadata_digest(&metadata, extra).expect("it can be hashed").hash()
}

/// Wallets compute it themselves: `web/src/chain/metadataHash.test.ts` compares it with what polkadot-api computes.
#[test]
fn metadata_of_the_client_has_the_committed_hash() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/metadata-hash.txt");
    let hash = format!("{}\n", to_hex(&digest(), false));
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &hash).expect("the file can be written");
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        hash,
        "client/metadata-hash.txt is out of date; run: \
         OPENLEDGER_UPDATE=1 scripts/test chain -- metadata_of_the_client"
    );
}

/// A transfer that polkadot-api's signer signed with the hash of a metadata.
struct Signed {
    words: serde_json::Value,
}

impl Signed {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wallet-payload.json");
        let text = std::fs::read(path).expect("the fixture is committed");
        Self { words: serde_json::from_slice(&text).expect("it is JSON") }
    }

    fn number(&self, name: &str) -> u32 {
        self.words[name].as_u64().and_then(|number| number.try_into().ok()).expect("a number")
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        from_hex(self.words[name].as_str().expect("hexadecimal")).expect("hexadecimal")
    }

    fn hash(&self, name: &str) -> [u8; 32] {
        self.bytes(name).try_into().expect("32 bytes")
    }

    /// The payload, as the chain makes it of the same parts with another hash of the metadata.
    fn payload(&self, call: RuntimeCall, metadata: Option<[u8; 32]>) -> Vec<u8> {
        let genesis = H256(self.hash("genesisHash"));
        let (spec, transaction) = (self.number("specVersion"), self.number("transactionVersion"));
        let extensions = self.extensions(true);
        let implicit = ((), spec, transaction, genesis, genesis, (), (), (), (), metadata, ());
        SignedPayload::from_raw(call, extensions, implicit).encode()
    }

    fn extensions(&self, with_hash: bool) -> TxExtension {
        (
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            frame_system::CheckEra::from(Era::Immortal),
            pallet_datanets::CheckNonce::from(self.number("nonce") as Nonce),
            frame_system::CheckWeight::new(),
            pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
            pallet_datanets::AdmitSubmission::new(),
            frame_metadata_hash_extension::CheckMetadataHash::new(with_hash),
            frame_system::WeightReclaim::new(),
        )
    }
}

#[test]
fn a_stock_wallet_signs_what_the_chain_checks() {
    let signed = Signed::read();
    let transaction = signed.bytes("transaction");
    let extrinsic = UncheckedExtrinsic::decode(&mut &transaction[..]).expect("a transaction");
    assert_eq!(extrinsic.encode(), transaction);
    assert_eq!(extrinsic.function.encode(), signed.bytes("method"));
    assert_eq!(
        extrinsic.function,
        pallet_balances::Call::transfer_keep_alive {
            dest: sp_keyring::Sr25519Keyring::Bob.to_account_id().into(),
            value: openledger_primitives::OPEN,
        }
        .into()
    );
    let Preamble::Signed(address, MultiSignature::Ed25519(signature), extensions) =
        &extrinsic.preamble
    else {
        panic!("it is signed by a key of ed25519")
    };
    assert_eq!(*address, Alice.to_account_id().into());
    assert_eq!(extensions.encode(), signed.extensions(true).encode());

    let call = || extrinsic.function.clone();
    let payload = signed.payload(call(), Some(signed.hash("metadataHash")));
    assert_eq!(payload, signed.bytes("payload"));
    assert!(signature.verify(&payload[..], &Alice.public()));
    // Who was shown other metadata than the chain's has signed something else.
    for other in [None, Some([0; 32])] {
        assert!(!signature.verify(&signed.payload(call(), other)[..], &Alice.public()));
    }
}

/// Tests, and what they build, have no hash compiled in.
#[test]
fn a_runtime_without_a_hash_refuses_who_signed_one() {
    let transaction = Signed::read().bytes("transaction");
    let extrinsic = UncheckedExtrinsic::decode(&mut &transaction[..]).expect("a transaction");
    genesis("development").execute_with(|| {
        begin_block();
        assert_eq!(validate(&extrinsic), Err(UnknownTransaction::CannotLookup.into()));
        end_block();
    });
}
