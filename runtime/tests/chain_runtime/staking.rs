//! Nominated proof of stake: eras, payouts that are the fees to the planck, elections, equivocations, and the upgrade
//! of a chain whose validators were those of genesis.

use crate::common::*;
use codec::{Decode, Encode};
use frame_support::traits::{fungible::InspectHold, Get, KeyOwnerProofSystem};
use openledger_primitives::{Balance, OPEN, TOTAL_SUPPLY};
use openledger_runtime::{
    parameters::{LengthsOfStaking, StakingLengths},
    staking::{
        payouts::{self, Place},
        pools::MIN_CREATE_BOND,
        pot::{self, Owed, Paying, PotAccount, FLOOR},
        GENESIS_BOND, HISTORY, MIN_NOMINATOR_BOND, MIN_VALIDATOR_BOND,
    },
    AccountId, Babe, Balances, EraPot, Executive, Grandpa, Header, Historical, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, Session, SessionKeys, Staking,
    System,
};
use sp_consensus_babe::AuthorityId as BabeId;
use sp_core::Pair;
use sp_keyring::{
    Ed25519Keyring,
    Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie},
};
use sp_runtime::{
    generic::DigestItem,
    traits::{Dispatchable, Header as _},
    transaction_validity::{InvalidTransaction, TransactionSource},
    DispatchError, Perbill,
};

pub fn issuance() -> Balance {
    pallet_balances::TotalIssuance::<Runtime>::get()
}

pub fn era() -> u32 {
    pallet_staking::ActiveEra::<Runtime>::get().expect("an era is active").index
}

fn next_block() {
    end_unchecked_block();
    begin_block();
}

/// Goes on to the first block of the next era.
fn begin_era() {
    let now = era();
    let lengths = LengthsOfStaking::<Runtime>::get();
    // A new era begins a session after it is planned.
    for _ in 0..=(lengths.era + 1) * 10 {
        next_block();
        if era() > now {
            return;
        }
    }
    panic!("era {now} did not end");
}

/// Goes on to the second block of the next era, since the first takes nothing but what ends a session; what the
/// ended one pays.
pub fn next_era() -> Option<Balance> {
    begin_era();
    let paid = paid();
    next_block();
    paid
}

/// The payout of the era that ended, as events of this block say.
fn paid() -> Option<Balance> {
    System::events().into_iter().find_map(|record| match record.event {
        RuntimeEvent::Staking(pallet_staking::Event::EraPaid {
            validator_payout,
            remainder,
            ..
        }) => {
            assert_eq!(remainder, 0);
            Some(validator_payout)
        }
        _ => None,
    })
}

pub fn bond(who: Sr25519Keyring, value: Balance) {
    let payee = pallet_staking::RewardDestination::Stash;
    dispatch(&who.to_account_id(), pallet_staking::Call::bond { value, payee });
}

pub fn set_keys(who: Sr25519Keyring, finality: Ed25519Keyring) {
    let keys = SessionKeys { babe: who.public().into(), grandpa: finality.public().into() };
    let proof = proof_of_keys(&who.to_account_id(), who, finality);
    dispatch(&who.to_account_id(), pallet_session::Call::set_keys { keys, proof });
}

/// What shows that who sets session keys has them.
fn proof_of_keys(owner: &AccountId, babe: Sr25519Keyring, finality: Ed25519Keyring) -> Vec<u8> {
    let statement = sp_core::proof_of_possession::statement_of_ownership(&owner.encode());
    (babe.pair().sign(&statement), finality.pair().sign(&statement)).encode()
}

pub fn validate(who: Sr25519Keyring) {
    dispatch(&who.to_account_id(), pallet_staking::Call::validate { prefs: Default::default() });
}

/// A development chain in its first block.
pub fn chain(test: impl FnOnce()) {
    genesis("development").execute_with(|| {
        begin_block();
        test();
        end_block();
        assert_eq!(issuance(), TOTAL_SUPPLY);
    });
}

#[test]
fn validators_of_genesis_stake_and_are_elected_again() {
    chain(|| {
        let alice = Alice.to_account_id();
        assert_eq!(Session::validators(), std::slice::from_ref(&alice));
        assert_eq!(total(&alice) - Balances::free_balance(&alice), GENESIS_BOND);
        for number in 1..4 {
            next_era();
            assert_eq!(era(), number);
            assert_eq!(Session::validators(), std::slice::from_ref(&alice));
        }
    });
}

#[test]
fn eras_pay_the_stakers_share_of_the_fees_to_the_planck() {
    chain(|| {
        let (alice, bob, pot) = (Alice.to_account_id(), Bob.to_account_id(), PotAccount::get());
        for number in 0..4u32 {
            let mut fees = 0;
            for n in 0..5 {
                let before = total(&bob);
                let nonce = System::account_nonce(&bob);
                let remark = frame_system::Call::remark { remark: vec![0; n * 100] };
                apply(sign(&Bob.pair(), nonce, remark)).expect("valid").expect("dispatched");
                let fee = before - total(&bob);
                // A fifth goes to the author and a quarter of the rest to the treasury, each rounded down.
                let rest = fee - fee * 20 / 100;
                fees += rest * 75 / 100;
            }
            assert_eq!(Balances::free_balance(&pot) - FLOOR, fees);
            let before = total(&alice);
            assert_eq!(next_era(), Some(fees), "era {number}");
            assert_eq!(total(&alice), before + fees, "the only validator gets all of it, unasked");
            assert_eq!((Owed::<Runtime>::get(), Balances::free_balance(&pot)), (0, FLOOR));
            assert_eq!(issuance(), TOTAL_SUPPLY, "what was paid came out of the pot");
            let again = pallet_staking::Call::payout_stakers {
                validator_stash: alice.clone(),
                era: number,
            };
            assert!(RuntimeCall::from(again)
                .dispatch(RuntimeOrigin::signed(Dave.to_account_id()))
                .is_err());
        }
    });
}

#[test]
fn a_nominator_shares_and_unbonds_after_its_eras() {
    chain(|| {
        let eve = Eve.to_account_id();
        let all = total(&eve);
        bond(Eve, GENESIS_BOND);
        let targets = vec![Alice.to_account_id().into()];
        dispatch(&eve, pallet_staking::Call::nominate { targets });
        next_era();
        next_era();
        let before = [Alice, Eve].map(|who| total(&who.to_account_id()));
        let nonce = System::account_nonce(Bob.to_account_id());
        let remark = frame_system::Call::remark { remark: vec![0; 1_000] };
        apply(sign(&Bob.pair(), nonce, remark)).expect("valid").expect("dispatched");
        // The fee's author is Alice too.
        let author = total(&Alice.to_account_id()) - before[0];
        let era_paid = next_era().expect("the era was paid");
        let got = [Alice, Eve].map(|who| total(&who.to_account_id()));
        let (to_alice, to_eve) = (got[0] - before[0] - author, got[1] - before[1]);
        assert_eq!(to_eve, era_paid / 2, "half of the stake is hers");
        assert!(era_paid - (to_alice + to_eve) <= 1, "nothing but a planck of rounding is left");

        dispatch(&eve, pallet_staking::Call::chill {});
        dispatch(&eve, pallet_staking::Call::unbond { value: GENESIS_BOND });
        let held = || total(&eve) - Balances::free_balance(&eve);
        let withdraw =
            || dispatch(&eve, pallet_staking::Call::withdraw_unbonded { num_slashing_spans: 0 });
        for _ in 0..StakingLengths::DEVELOPMENT.bonding {
            withdraw();
            assert_eq!(held(), GENESIS_BOND);
            next_era();
        }
        withdraw();
        assert_eq!(held(), 0);
        assert_eq!(total(&eve), all + to_eve);
    });
}

#[test]
fn a_validator_joins_and_another_leaves() {
    chain(|| {
        bond(Charlie, GENESIS_BOND);
        set_keys(Charlie, Ed25519Keyring::Charlie);
        validate(Charlie);
        next_era();
        next_era();
        let mut both = Session::validators();
        both.sort();
        let mut expected = vec![Alice.to_account_id(), Charlie.to_account_id()];
        expected.sort();
        assert_eq!(both, expected);
        assert_eq!(Babe::authorities().len(), 2);
        assert_eq!(Grandpa::grandpa_authorities().len(), 2);

        dispatch(&Alice.to_account_id(), pallet_staking::Call::chill {});
        next_era();
        next_era();
        assert_eq!(Session::validators(), [Charlie.to_account_id()]);
        let charlie: BabeId = Charlie.public().into();
        assert_eq!(Babe::authorities()[0].0, charlie);
    });
}

#[test]
fn session_keys_hold_a_deposit_until_they_are_purged() {
    chain(|| {
        let charlie = Charlie.to_account_id();
        let held = || {
            let reason = RuntimeHoldReason::Session(pallet_session::HoldReason::Keys);
            Balances::balance_on_hold(&reason, &charlie)
        };
        set_keys(Charlie, Ed25519Keyring::Charlie);
        assert_eq!(held(), OPEN / 10);
        set_keys(Charlie, Ed25519Keyring::Dave);
        assert_eq!(held(), OPEN / 10, "once");
        dispatch(&charlie, pallet_session::Call::purge_keys {});
        assert_eq!(held(), 0);
        // Keys of genesis hold nothing, and are purged like others.
        dispatch(&Alice.to_account_id(), pallet_session::Call::purge_keys {});
        set_keys(Alice, Ed25519Keyring::Alice);
    });
}

#[test]
fn who_bonds_too_little_neither_validates_nor_nominates() {
    chain(|| {
        let attempt = |who: Sr25519Keyring, call: RuntimeCall| {
            call.dispatch(RuntimeOrigin::signed(who.to_account_id()))
                .map(drop)
                .map_err(|refused| refused.error)
        };
        let insufficient: DispatchError = pallet_staking::Error::<Runtime>::InsufficientBond.into();
        bond(Eve, MIN_VALIDATOR_BOND - 1);
        let validate = pallet_staking::Call::validate { prefs: Default::default() };
        assert_eq!(attempt(Eve, validate.into()), Err(insufficient));
        bond(Ferdie, MIN_NOMINATOR_BOND - 1);
        let nominate =
            pallet_staking::Call::nominate { targets: vec![Alice.to_account_id().into()] };
        assert_eq!(attempt(Ferdie, nominate.into()), Err(insufficient));
    });
}

/// Two sealed headers of one slot.
fn equivocation(who: Sr25519Keyring, slot: u64) -> sp_consensus_babe::EquivocationProof<Header> {
    let header = |root: u8| {
        let pre = sp_consensus_babe::digests::PreDigest::SecondaryPlain(
            sp_consensus_babe::digests::SecondaryPlainPreDigest {
                authority_index: 0,
                slot: slot.into(),
            },
        );
        let digest = sp_runtime::generic::Digest {
            logs: vec![DigestItem::PreRuntime(sp_consensus_babe::BABE_ENGINE_ID, pre.encode())],
        };
        let root = sp_core::H256::repeat_byte(root);
        let mut header =
            Header::new(System::block_number(), root, root, System::parent_hash(), digest);
        let seal = who.pair().sign(header.hash().as_ref());
        header
            .digest_mut()
            .push(DigestItem::Seal(sp_consensus_babe::BABE_ENGINE_ID, seal.encode()));
        header
    };
    sp_consensus_babe::EquivocationProof {
        offender: who.public().into(),
        slot: slot.into(),
        first_header: header(1),
        second_header: header(2),
    }
}

pub fn babe_report(who: Sr25519Keyring) -> RuntimeCall {
    let slot = FIRST_SLOT + u64::from(System::block_number());
    let key_owner_proof =
        Historical::prove((sp_consensus_babe::KEY_TYPE, BabeId::from(who.public())))
            .expect("it is a validator's key");
    pallet_babe::Call::report_equivocation_unsigned {
        equivocation_proof: Box::new(equivocation(who, slot)),
        key_owner_proof,
    }
    .into()
}

#[test]
fn two_blocks_of_a_slot_cost_stake_that_goes_to_the_treasury() {
    chain(|| {
        let (alice, before) = (Alice.to_account_id(), total(&treasury()));
        let stake = Staking::slashable_balance_of(&alice);
        let all = total(&alice);
        let report = babe_report(Alice);
        let bare = openledger_runtime::UncheckedExtrinsic::new_bare(report.clone());
        // It comes from the node's own worker, nobody signs or pays for it.
        let pool =
            |source| Executive::validate_transaction(source, bare.clone(), System::block_hash(0));
        assert!(pool(TransactionSource::Local).is_ok());
        assert_eq!(pool(TransactionSource::External), Err(InvalidTransaction::Call.into()));
        apply(bare.clone()).expect("valid").expect("it is proved");
        // One of one validators: all of its stake. Nothing but its free OPEN is left.
        let slashed = all - total(&alice);
        assert_eq!(slashed, Perbill::from_rational(3u32, 1).square() * stake);
        assert_eq!(slashed, stake);
        assert_eq!(total(&treasury()), before + slashed);
        assert_eq!(issuance(), TOTAL_SUPPLY);
        // It is known now.
        assert!(pool(TransactionSource::Local).is_err());
        assert!(report.dispatch(RuntimeOrigin::none()).is_err());
    });
}

#[test]
fn two_votes_of_a_round_cost_stake_too() {
    chain(|| {
        let alice = Alice.to_account_id();
        let before = (total(&alice), total(&treasury()));
        let (set_id, round) = (pallet_grandpa::CurrentSetId::<Runtime>::get(), 7u64);
        let vote = |hash: u8| {
            let prevote = (sp_core::H256::repeat_byte(hash), System::block_number());
            // Message 0 is a prevote; what is signed names round and set.
            let signed = Ed25519Keyring::Alice.sign(&(0u8, prevote, round, set_id).encode());
            (prevote, signed)
        };
        let identity = Ed25519Keyring::Alice.public();
        let bytes = (set_id, 0u8, round, identity, vote(1), vote(2)).encode();
        let equivocation_proof = Decode::decode(&mut &bytes[..]).expect("it is of that shape");
        let key: pallet_grandpa::AuthorityId = identity.into();
        let key_owner_proof = Historical::prove((sp_consensus_grandpa::KEY_TYPE, key))
            .expect("it is a validator's key");
        let report = pallet_grandpa::Call::report_equivocation_unsigned {
            equivocation_proof: Box::new(equivocation_proof),
            key_owner_proof,
        };
        assert!(RuntimeCall::from(report).dispatch(RuntimeOrigin::none()).is_ok());
        let slashed = before.0 - total(&alice);
        assert_eq!(slashed, GENESIS_BOND);
        assert_eq!(total(&treasury()), before.1 + slashed);
    });
}

#[test]
fn a_report_that_proves_nothing_is_refused() {
    chain(|| {
        let report = |change: &dyn Fn(&mut sp_consensus_babe::EquivocationProof<Header>)| {
            let RuntimeCall::Babe(pallet_babe::Call::report_equivocation_unsigned {
                mut equivocation_proof,
                key_owner_proof,
            }) = babe_report(Alice)
            else {
                unreachable!("it is one")
            };
            change(&mut equivocation_proof);
            RuntimeCall::from(pallet_babe::Call::report_equivocation_unsigned {
                equivocation_proof,
                key_owner_proof,
            })
            .dispatch(RuntimeOrigin::none())
        };
        // The same block twice, somebody else's blocks, and a slot of no session.
        assert!(report(&|proof| proof.second_header = proof.first_header.clone()).is_err());
        assert!(report(&|proof| proof.offender = Bob.public().into()).is_err());
        assert!(report(&|proof| proof.slot = (FIRST_SLOT + 10_000).into()).is_err());
        assert_eq!(Staking::slashable_balance_of(&Alice.to_account_id()), GENESIS_BOND);
    });
}

/// What a node reports of headers whose seal was taken off would fill blocks and prove nothing.
#[test]
fn a_report_of_unsealed_headers_is_not_sent() {
    use sp_consensus_babe::runtime_decl_for_babe_api::BabeApi;
    chain(|| {
        let mut proof = equivocation(Alice, FIRST_SLOT + u64::from(System::block_number()));
        for header in [&mut proof.first_header, &mut proof.second_header] {
            header.digest_mut().pop();
        }
        let owner = Historical::prove((sp_consensus_babe::KEY_TYPE, proof.offender.clone()))
            .expect("it is a validator's key");
        let owner = sp_consensus_babe::OpaqueKeyOwnershipProof::new(owner.encode());
        // There is no pool here that it could be sent to.
        assert_eq!(Runtime::submit_report_equivocation_unsigned_extrinsic(proof, owner), None);
    });
}

#[test]
fn lengths_come_from_genesis() {
    let longevity = || {
        let sessions = <Runtime as pallet_grandpa::Config>::MaxSetIdSessionEntries::get();
        (sessions, openledger_runtime::staking::ReportLongevity::get())
    };
    genesis("development").execute_with(|| assert_eq!(longevity(), (9, 90)));
    genesis("local_testnet").execute_with(|| {
        assert_eq!(LengthsOfStaking::<Runtime>::get(), StakingLengths::default());
        // Seven days of epochs of ten minutes.
        assert_eq!(longevity(), (28 * 36, 28 * 36 * 200));
        assert_eq!(pot::available(), 0);
        let mut validators = Session::validators();
        validators.sort();
        let mut expected = vec![Alice.to_account_id(), Bob.to_account_id()];
        expected.sort();
        assert_eq!(validators, expected);
    });
}

/// Bob's remark, which pays into the era.
fn pay_fees() {
    let remark = frame_system::Call::remark { remark: vec![0; 1_000] };
    apply(sign(&Bob.pair(), System::account_nonce(Bob.to_account_id()), remark))
        .expect("valid")
        .expect("dispatched");
}

/// A chain with eras of a session, whose first one the chain could not pay, as if the validator had left with all its
/// stake; what that era would have paid.
fn unpaid(test: impl FnOnce(Balance)) {
    chain(|| {
        // So that many end soon.
        LengthsOfStaking::<Runtime>::put(StakingLengths { era: 1, ..StakingLengths::DEVELOPMENT });
        pay_fees();
        let held = Place { era: 1, ..Place::default() };
        Paying::<Runtime>::put(held);
        let due = next_era().expect("the era was paid");
        Paying::<Runtime>::kill();
        let bonded = pallet_staking::Bonded::<Runtime>::take(Alice.to_account_id());
        payouts::pay();
        pallet_staking::Bonded::<Runtime>::set(Alice.to_account_id(), bonded);
        assert_eq!(Paying::<Runtime>::get(), held, "passed over");
        test(due);
    });
}

fn claim_first_era() -> Result<(), DispatchError> {
    let validator_stash = Alice.to_account_id();
    RuntimeCall::from(pallet_staking::Call::payout_stakers { validator_stash, era: 0 })
        .dispatch(RuntimeOrigin::signed(Bob.to_account_id()))
        .map(drop)
        .map_err(|refused| refused.error)
}

#[test]
fn what_cannot_be_paid_can_be_claimed_as_long_as_the_history_is() {
    unpaid(|due| {
        // The next era is elected already, and counts.
        for _ in 0..HISTORY - 2 {
            assert_eq!(next_era(), Some(0));
            assert_eq!(Owed::<Runtime>::get(), due, "nobody else is paid it meanwhile");
        }
        let before = total(&Alice.to_account_id());
        assert_eq!(claim_first_era(), Ok(()));
        assert_eq!(total(&Alice.to_account_id()), before + due);
        assert_eq!(Owed::<Runtime>::get(), 0);
        pay_fees();
        for _ in 0..3 {
            next_era();
            check_state();
        }
        let pot = Balances::free_balance(PotAccount::get());
        assert_eq!((pot, Owed::<Runtime>::get()), (FLOOR, 0));
    });
}

/// It stayed in the pot for ever.
#[test]
fn what_nobody_can_claim_any_more_is_shared_by_a_later_era() {
    unpaid(|due| {
        let before = total(&Alice.to_account_id());
        for _ in 0..HISTORY {
            assert_eq!(next_era(), Some(0), "it is not paid twice");
        }
        assert!(claim_first_era().is_err());
        assert_eq!(next_era(), Some(due));
        assert_eq!(total(&Alice.to_account_id()), before + due);
        let pot = Balances::free_balance(PotAccount::get());
        assert_eq!((pot, Owed::<Runtime>::get()), (FLOOR, 0));
    });
}

#[test]
fn what_a_validator_wants_none_of_is_shared_by_the_next_era() {
    chain(|| {
        let alice = Alice.to_account_id();
        let payee = |payee| dispatch(&alice, pallet_staking::Call::set_payee { payee });
        payee(pallet_staking::RewardDestination::None);
        pay_fees();
        let before = total(&alice);
        let left = next_era().expect("the era was paid");
        assert!(left > 0);
        assert_eq!((total(&alice), Owed::<Runtime>::get()), (before, 0));
        payee(pallet_staking::RewardDestination::Stash);
        pay_fees();
        // Her part of the fee is hers at once.
        let before = total(&alice);
        let more = pot::available() - left;
        assert_eq!(next_era(), Some(left + more));
        assert_eq!(total(&alice), before + left + more);
        let pot = Balances::free_balance(PotAccount::get());
        assert_eq!((pot, Owed::<Runtime>::get()), (FLOOR, 0));
    });
}

#[test]
fn a_pot_that_owes_more_than_can_be_claimed_is_found() {
    chain(|| {
        check_state();
        for owed in [1, Balance::MAX] {
            Owed::<Runtime>::put(owed);
            assert!(EraPot::do_try_state().is_err());
        }
        Owed::<Runtime>::kill();
        let disordered = frame_support::BoundedVec::truncate_from(vec![(2, 1), (1, 1)]);
        pot::Claimable::<Runtime>::put(disordered);
        assert!(EraPot::do_try_state().is_err());
        pot::Claimable::<Runtime>::kill();
    });
}

#[test]
fn payouts_of_many_nominators_take_several_blocks_and_all_are_made() {
    chain(|| {
        // Three pages of nominators.
        let backers: Vec<_> = (0..150).map(|n| id(&user(n))).collect();
        for backer in &backers {
            let value = 2 * MIN_NOMINATOR_BOND;
            let dest = backer.clone().into();
            let alice = Alice.to_account_id();
            dispatch(&alice, pallet_balances::Call::transfer_keep_alive { dest, value });
            let payee = pallet_staking::RewardDestination::Stash;
            dispatch(backer, pallet_staking::Call::bond { value: MIN_NOMINATOR_BOND, payee });
            let targets = vec![Alice.to_account_id().into()];
            dispatch(backer, pallet_staking::Call::nominate { targets });
        }
        next_era();
        next_era();
        for _ in 0..4 {
            pay_fees();
        }
        let before: Vec<_> = backers.iter().map(total).collect();
        let number = era();
        begin_era();
        let paid = || backers.iter().zip(&before).filter(|(who, was)| total(who) > **was).count();
        assert_eq!(paid(), 128, "two pages in the block in which the era ended");
        assert_eq!(Paying::<Runtime>::get(), Place { era: number, validator: 0, page: 2 });
        // Whoever joins a pool now would share what is still to be paid.
        let join = pallet_nomination_pools::Call::create {
            amount: MIN_CREATE_BOND,
            root: Ferdie.to_account_id().into(),
            nominator: Ferdie.to_account_id().into(),
            bouncer: Ferdie.to_account_id().into(),
        };
        let ferdie = || RuntimeOrigin::signed(Ferdie.to_account_id());
        let kept_out = RuntimeCall::from(join.clone()).dispatch(ferdie());
        let restricted = pallet_nomination_pools::Error::<Runtime>::Restricted;
        assert_eq!(kept_out.map_err(|refused| refused.error), Err(restricted.into()));
        // Somebody asks for the last page first: it is passed over.
        let last = pallet_staking::Call::payout_stakers_by_page {
            validator_stash: Alice.to_account_id(),
            era: number,
            page: 2,
        };
        dispatch(&Dave.to_account_id(), last);
        assert_eq!(paid(), 150);
        let before = total(&Alice.to_account_id());
        end_unchecked_block();
        begin_block();
        assert_eq!(Paying::<Runtime>::get(), Place { era: number + 1, ..Place::default() });
        assert_eq!((paid(), total(&Alice.to_account_id())), (150, before));
        dispatch(&Ferdie.to_account_id(), join);
        assert_eq!(issuance(), TOTAL_SUPPLY);
    });
}

#[test]
fn eras_that_an_upgrade_finds_unpaid_are_paid() {
    chain(|| {
        next_era();
        pay_fees();
        // As a chain has it that never paid by itself: all eras before are unpaid, of which the first paid nothing.
        let number = era();
        let held = Place { era: u32::MAX, ..Place::default() };
        Paying::<Runtime>::put(held);
        let due = next_era().expect("the era was paid");
        assert_eq!(Owed::<Runtime>::get(), due, "era {number} waits");
        let before = total(&Alice.to_account_id());
        Paying::<Runtime>::kill();
        next_block();
        assert_eq!(total(&Alice.to_account_id()), before + due);
        assert_eq!(Owed::<Runtime>::get(), 0);
    });
}
