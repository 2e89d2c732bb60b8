//! Transactions as a wallet signs them, without asking a node.

use codec::Encode;
use openledger_runtime::{
    AccountId, Balance, Hash, Nonce, RuntimeCall, Signature, SignedPayload, TxExtension,
    UncheckedExtrinsic, VERSION,
};
use sp_core::{sr25519, Pair};
use sp_runtime::generic::Era;

/// A signed transaction, for ever valid; with the hash of the metadata that it was shown by, if there is one.
pub fn sign(
    genesis: Hash,
    who: &sr25519::Pair,
    nonce: Nonce,
    call: RuntimeCall,
    metadata: Option<[u8; 32]>,
) -> UncheckedExtrinsic {
    sign_with_tip(genesis, who, nonce, 0, call, metadata)
}

/// The same with a tip, which has it come before others.
pub fn sign_with_tip(
    genesis: Hash,
    who: &sr25519::Pair,
    nonce: Nonce,
    tip: Balance,
    call: RuntimeCall,
    metadata: Option<[u8; 32]>,
) -> UncheckedExtrinsic {
    let extensions: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        pallet_datanets::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(tip).into(),
        pallet_datanets::AdmitSubmission::new(),
        frame_metadata_hash_extension::CheckMetadataHash::new(metadata.is_some()),
        frame_system::WeightReclaim::new(),
    );
    let (spec, transaction) = (VERSION.spec_version, VERSION.transaction_version);
    let implied = ((), spec, transaction, genesis, genesis, (), (), (), (), metadata, ());
    let payload = SignedPayload::from_raw(call.clone(), extensions.clone(), implied);
    let signature = payload.using_encoded(|bytes| who.sign(bytes));
    let account: AccountId = who.public().into();
    UncheckedExtrinsic::new_signed(call, account.into(), Signature::Sr25519(signature), extensions)
}
