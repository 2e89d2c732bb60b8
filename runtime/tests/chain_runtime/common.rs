//! A chain in test externalities: genesis of a preset, blocks through Executive, signed extrinsics.

use codec::Encode;
use frame_support::traits::{fungible::Inspect, Get};
use openledger_primitives::{
    api::SubmissionItem, Balance, ContentId, MediaType, Modality, PoolRules, ReviewPolicy,
    RewardTerms, Score, Verdict, EXTRACTOR, OPEN,
};
use openledger_runtime::{
    fees::TreasuryAccount, genesis_presets, AccountId, Balances, ChainParameters, Datanets, EraPot,
    Executive, Header, Leaderboard, Nonce, Review, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeGenesisConfig, RuntimeOrigin, Signature, SignedPayload, System, Training, TxExtension,
    UncheckedExtrinsic, SLOT_MILLISECONDS, VERSION,
};
use sp_core::{sr25519, Pair, H256};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    generic::{Digest, DigestItem, Era},
    traits::{Dispatchable, Header as _},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult, BuildStorage,
};

/// A slot of 2026-01-01, so that the chain's day is a real one.
pub const FIRST_SLOT: u64 = 1_767_225_600_000 / SLOT_MILLISECONDS;

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
    config.build_storage().expect("genesis builds").into()
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

/// Begins the next block, authored by the first validator in the slot after the last one's.
pub fn begin_block() {
    let number = System::block_number() + 1;
    begin_block_in_slot(FIRST_SLOT + u64::from(number));
}

/// Begins the next block in a given slot.
pub fn begin_block_in_slot(slot: u64) {
    let number = System::block_number() + 1;
    let parent = System::parent_hash();
    let pre_digest = sp_consensus_babe::digests::PreDigest::SecondaryPlain(
        sp_consensus_babe::digests::SecondaryPlainPreDigest {
            authority_index: 0,
            slot: slot.into(),
        },
    );
    let digest = Digest {
        logs: vec![DigestItem::PreRuntime(sp_consensus_babe::BABE_ENGINE_ID, pre_digest.encode())],
    };
    Executive::initialize_block(&Header::new(
        number,
        Default::default(),
        Default::default(),
        parent,
        digest,
    ));
    let now = slot * SLOT_MILLISECONDS;
    let inherent =
        UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(pallet_timestamp::Call::set { now }));
    Executive::apply_extrinsic(inherent)
        .expect("the inherent is valid")
        .expect("the inherent succeeds");
}

/// Ends the block and checks every pallet's state.
pub fn end_block() {
    end_unchecked_block();
    check_state();
}

/// Ends the block.
pub fn end_unchecked_block() {
    let header = Executive::finalize_block();
    // What a next block's `initialize` would find as its parent.
    System::set_parent_hash(header.hash());
}

/// Every pallet's books, and OPEN's.
pub fn check_state() {
    ChainParameters::do_try_state().expect("OPEN is conserved");
    Datanets::do_try_state().expect("datanets");
    Review::do_try_state().expect("review");
    Leaderboard::do_try_state().expect("leaderboard");
    Training::do_try_state().expect("training");
    EraPot::do_try_state().expect("the stakers' pot and bonds");
}

/// An account that nobody else uses.
pub fn user(n: u32) -> sr25519::Pair {
    sr25519::Pair::from_string(&format!("//user/{n}"), None).expect("a valid path")
}

/// Its id.
pub fn id(pair: &sr25519::Pair) -> AccountId {
    pair.public().into()
}

/// The transaction extensions as a wallet fills them in, without a tip.
pub fn extensions(nonce: Nonce) -> TxExtension {
    extensions_with_tip(nonce, 0)
}

fn extensions_with_tip(nonce: Nonce, tip: Balance) -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        pallet_datanets::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(tip).into(),
        pallet_datanets::AdmitSubmission::new(),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    )
}

/// A signed transaction.
pub fn sign(who: &sr25519::Pair, nonce: Nonce, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    sign_with_tip(who, nonce, 0, call)
}

/// A signed transaction with a tip.
pub fn sign_with_tip(
    who: &sr25519::Pair,
    nonce: Nonce,
    tip: Balance,
    call: impl Into<RuntimeCall>,
) -> UncheckedExtrinsic {
    let call = call.into();
    let extensions = extensions_with_tip(nonce, tip);
    let genesis = System::block_hash(0);
    let payload = SignedPayload::from_raw(
        call.clone(),
        extensions.clone(),
        (
            (),
            VERSION.spec_version,
            VERSION.transaction_version,
            genesis,
            genesis,
            (),
            (),
            (),
            (),
            None,
            (),
        ),
    );
    let signature = payload.using_encoded(|bytes| who.sign(bytes));
    UncheckedExtrinsic::new_signed(call, id(who).into(), Signature::Sr25519(signature), extensions)
}

/// What the pool would say of a transaction now.
pub fn validate(extrinsic: &UncheckedExtrinsic) -> TransactionValidity {
    Executive::validate_transaction(
        TransactionSource::External,
        extrinsic.clone(),
        System::block_hash(0),
    )
}

/// Puts a transaction into the block. One that turns out to be invalid leaves nothing behind, as
/// when an author builds a block.
pub fn apply(extrinsic: UncheckedExtrinsic) -> ApplyExtrinsicResult {
    use frame_support::storage::{with_transaction_unchecked, TransactionOutcome};
    with_transaction_unchecked(|| match Executive::apply_extrinsic(extrinsic) {
        Ok(result) => TransactionOutcome::Commit(Ok(result)),
        Err(invalid) => TransactionOutcome::Rollback(Err(invalid)),
    })
}

/// Dispatches a call outside any transaction.
pub fn dispatch(who: &AccountId, call: impl Into<RuntimeCall>) {
    call.into().dispatch(RuntimeOrigin::signed(who.clone())).expect("the call succeeds");
}

/// What an account owns, holds included.
pub fn total(who: &AccountId) -> Balance {
    <Balances as Inspect<AccountId>>::total_balance(who)
}

/// The treasury.
pub fn treasury() -> AccountId {
    TreasuryAccount::get()
}

/// A file that is one block on IPFS; as many bytes are declared as the units of the tests need.
pub fn item(bytes: &[u8]) -> SubmissionItem {
    let sha256 = sp_io::hashing::sha2_256(bytes);
    SubmissionItem { content: ContentId::raw(sha256), sha256, size: 1_000, media: MediaType::Txt }
}

/// A submission of files.
pub fn submit(datanet: u32, items: Vec<SubmissionItem>) -> RuntimeCall {
    pallet_datanets::Call::submit { datanet, items: items.try_into().expect("at most 20 items") }
        .into()
}

/// A vote to accept, of who measured `units` and a text root of bytes `root`.
pub fn accept(score: u8, units: u64, root: u8) -> Verdict {
    Verdict::Accept {
        score: Score::new(score).expect("within 1 to 100"),
        units,
        text_root: H256::repeat_byte(root),
        extractor: EXTRACTOR,
    }
}

/// A text Datanet of Alice's with Bob and Charlie as curators; returns its number.
pub fn text_datanet() -> u32 {
    let datanet = pallet_datanets::NextDatanet::<Runtime>::get();
    dispatch(
        &Sr25519Keyring::Alice.to_account_id(),
        pallet_datanets::Call::create_datanet {
            name: b"questions".to_vec().try_into().expect("short"),
            modality: Modality::Text,
            min_units: 1,
            max_units: 100_000,
            daily_limit: None,
            policy: ReviewPolicy::Curators {
                members: vec![
                    Sr25519Keyring::Bob.to_account_id(),
                    Sr25519Keyring::Charlie.to_account_id(),
                ]
                .try_into()
                .expect("two fit"),
                threshold: 2,
            },
        },
    );
    datanet
}

/// What somebody who pays into a pool now agrees to.
pub fn rules(datanet: u32) -> PoolRules {
    Leaderboard::pool_view(datanet).map(|pool| pool.rules).unwrap_or_default()
}

/// Sets a pool's terms, signed by its Datanet's owner, and pays `amount` into it.
pub fn fund(who: &AccountId, datanet: u32, amount: Balance, terms: RewardTerms) {
    let owner = Datanets::datanet(datanet).expect("it is there").owner;
    dispatch(&owner, pallet_leaderboard::Call::set_terms { datanet, terms });
    let rules = rules(datanet);
    dispatch(who, pallet_leaderboard::Call::fund { datanet, amount, rules });
}

/// Registers an account that has nothing at Alice's expense.
pub fn sponsor(who: &AccountId) {
    dispatch(
        &Sr25519Keyring::Alice.to_account_id(),
        pallet_datanets::Call::register_for { contributor: who.clone() },
    );
}

/// Gives an account some OPEN of Alice's.
pub fn endow(who: &AccountId) {
    dispatch(
        &Sr25519Keyring::Alice.to_account_id(),
        pallet_balances::Call::transfer_keep_alive { dest: who.clone().into(), value: 10 * OPEN },
    );
}

/// The fees paid in this block, as their events say.
pub fn fees_paid() -> Vec<Balance> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::TransactionPayment(
                pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. },
            ) => Some(actual_fee),
            _ => None,
        })
        .collect()
}
