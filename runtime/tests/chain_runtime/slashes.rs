//! Slashes that wait: reported at once, late, and cancelled; and who may cancel them, and do nothing else.

use crate::{
    common::*,
    staking::{babe_report, bond, chain, era, next_era, set_keys, validate},
};
use codec::Decode;
use frame_support::traits::GetCallMetadata;
use openledger_primitives::{Balance, OPEN, TOTAL_SUPPLY};
use openledger_runtime::{
    governance::origins::Origin,
    parameters::{LengthsOfStaking, StakingLengths},
    staking::GENESIS_BOND,
    AccountId, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, Session, Staking, System,
};
use pallet_nomination_pools::Call as Pools;
use pallet_staking::{Call, UnappliedSlash, UnappliedSlashes};
use sp_keyring::{
    Ed25519Keyring,
    Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie},
};
use sp_runtime::{traits::Dispatchable, BuildStorage, DispatchError, Perbill};

/// Eras of a session; stake is free four eras after it was unbonded, and slashes wait two.
const LENGTHS: StakingLengths = StakingLengths { era: 1, bonding: 4, slash_defer: 2 };
/// What Charlie, one of four validators, loses for an offence of this era: (3 × 1/4)² of what is at stake, which elections
/// count to a part of it. And what those lose who back it.
fn slash() -> (Balance, Balance) {
    let part = Perbill::from_rational(3u32, 4).square();
    let stake = Staking::eras_stakers(era(), &Charlie.to_account_id());
    (part * stake.own, stake.others.iter().map(|other| part * other.value).sum())
}

/// A chain of four validators with as much each, in the second block of an era.
fn four_validators(test: impl FnOnce()) {
    with_lengths(LENGTHS, test);
}

fn with_lengths(lengths: StakingLengths, test: impl FnOnce()) {
    chain(|| {
        LengthsOfStaking::<Runtime>::put(lengths);
        for (who, finality) in [
            (Bob, Ed25519Keyring::Bob),
            (Charlie, Ed25519Keyring::Charlie),
            (Dave, Ed25519Keyring::Dave),
        ] {
            bond(who, GENESIS_BOND);
            set_keys(who, finality);
            validate(who);
        }
        while Session::validators().len() < 4 {
            next_era();
        }
        next_era();
        test();
    });
}

/// What Charlie has lost, and the treasury got, since `before`.
fn since(before: (Balance, Balance)) -> (Balance, Balance) {
    (before.0 - total(&Charlie.to_account_id()), total(&treasury()) - before.1)
}

fn now() -> (Balance, Balance) {
    (total(&Charlie.to_account_id()), total(&treasury()))
}

/// What each of two members has in a pool.
const SHARE: Balance = GENESIS_BOND / 4;

/// A pool that backs Charlie in this era: who made it, and its other member.
fn pool_behind_charlie() -> (AccountId, AccountId) {
    let (maker, member) = (Eve.to_account_id(), Ferdie.to_account_id());
    let role = || maker.clone().into();
    let create = Pools::create { amount: SHARE, root: role(), nominator: role(), bouncer: role() };
    dispatch(&maker, create);
    dispatch(&member, Pools::join { amount: SHARE, pool_id: 1 });
    let validators = vec![Charlie.to_account_id()];
    dispatch(&maker, Pools::nominate { pool_id: 1, validators });
    next_era();
    next_era();
    (maker, member)
}

fn leave(member: &AccountId) {
    let member_account = member.clone().into();
    dispatch(member, Pools::unbond { member_account, unbonding_points: SHARE });
}

/// Has a member of the pool pay its part of a slash: what it lost.
fn pays(member: &AccountId) -> Balance {
    let had = total(member);
    let apply = Pools::apply_slash { member_account: member.clone().into() };
    dispatch(&Alice.to_account_id(), apply);
    had - total(member)
}

fn send(report: &RuntimeCall) -> Result<(), DispatchError> {
    report.clone().dispatch(RuntimeOrigin::none()).map(drop).map_err(|refused| refused.error)
}

fn next_block() {
    end_block();
    begin_block();
}

#[test]
fn a_slash_comes_when_it_has_waited_and_before_what_was_unbonded_is_free() {
    four_validators(|| {
        let charlie = Charlie.to_account_id();
        // Elected for the next era already, it leaves with all it has, as early as may be.
        dispatch(&charlie, Call::chill {});
        dispatch(&charlie, Call::unbond { value: GENESIS_BOND });
        next_era();
        assert!(Session::validators().contains(&charlie));
        let (offence, before, (slash, _)) = (era(), now(), slash());
        assert!(slash.abs_diff(GENESIS_BOND / 16 * 9) < OPEN);
        assert_eq!(send(&babe_report(Charlie)), Ok(()));
        let withdraw = || dispatch(&charlie, Call::withdraw_unbonded { num_slashing_spans: 9 });
        while era() < offence + 2 {
            next_era();
            withdraw();
            assert_eq!(since(before), (0, 0), "it waits");
        }
        next_era();
        assert_eq!(since(before), (slash, slash));
        // In this very era the rest is free.
        withdraw();
        assert_eq!(Staking::ledger(charlie.clone().into()).map(drop), Err(no_ledger()));
        assert_eq!(UnappliedSlashes::<Runtime>::iter().count(), 0);
    });
}

fn no_ledger() -> pallet_staking::Error<Runtime> {
    pallet_staking::Error::NotStash
}

/// It was laid under an era that had begun, and stayed there.
#[test]
fn a_slash_that_is_reported_late_comes_in_the_next_block() {
    four_validators(|| {
        let (offence, report, (slash, _)) = (era(), babe_report(Charlie), slash());
        while era() < offence + LENGTHS.slash_defer + 1 {
            next_era();
        }
        let before = now();
        assert_eq!(send(&report), Ok(()));
        assert_eq!(since(before), (0, 0));
        next_block();
        assert_eq!(since(before), (slash, slash));
        assert_eq!(UnappliedSlashes::<Runtime>::iter().count(), 0);
    });
}

/// Who offended has taken out what was free, and then had itself reported: those who back it and stayed paid alone.
#[test]
fn a_slash_is_dropped_once_the_stake_is_free() {
    four_validators(|| {
        bond(Eve, GENESIS_BOND);
        let eve = Eve.to_account_id();
        dispatch(&eve, Call::nominate { targets: vec![Charlie.to_account_id().into()] });
        next_era();
        next_era();
        let (offence, report, (_, others)) = (era(), babe_report(Charlie), slash());
        assert!(others > GENESIS_BOND / 2);
        let charlie = Charlie.to_account_id();
        dispatch(&charlie, Call::chill {});
        dispatch(&charlie, Call::unbond { value: GENESIS_BOND });
        while era() < offence + LENGTHS.bonding {
            next_era();
        }
        let (before, hers) = (now(), total(&eve));
        assert_eq!(send(&report), Ok(()));
        next_block();
        assert_eq!((since(before), total(&eve)), ((0, 0), hers));
        assert_eq!(UnappliedSlashes::<Runtime>::iter().count(), 0);
        assert!(System::events().iter().any(|record| matches!(
            record.event,
            RuntimeEvent::Staking(pallet_staking::Event::OldSlashingReportDiscarded { .. })
        )));
    });
}

/// Where an era has several sessions, stake is free a session before an era's end.
#[test]
fn members_of_a_pool_who_leave_in_the_offences_era_pay_their_part() {
    with_lengths(StakingLengths { era: 2, ..LENGTHS }, || {
        let (maker, leaver) = pool_behind_charlie();
        assert_eq!(pallet_staking::CurrentEra::<Runtime>::get(), Some(era()), "none is planned");
        let (offence, (slash, others)) = (era(), slash());
        assert_eq!(send(&babe_report(Charlie)), Ok(()));
        leave(&leaver);
        let before = now();
        while era() < offence + LENGTHS.slash_defer + 1 {
            assert_eq!(since(before), (0, 0));
            next_era();
        }
        assert_eq!(since(before), (slash, slash));
        for member in [&maker, &leaver] {
            let lost = pays(member);
            assert!(lost.abs_diff(others / 2) < OPEN, "{lost} of {others}");
        }
    });
}

/// In the block before an era begins: the pallet would find it there, count from another era, and ask for nothing.
#[test]
fn a_slash_that_is_reported_in_an_eras_last_block_is_not_the_pallets() {
    let lengths = StakingLengths { era: 2, ..LENGTHS };
    with_lengths(lengths, || {
        bond(Eve, GENESIS_BOND);
        let (charlie, eve) = (Charlie.to_account_id(), Eve.to_account_id());
        dispatch(&eve, Call::nominate { targets: vec![charlie.clone().into()] });
        next_era();
        next_era();
        let (offence, report) = (era(), babe_report(Charlie));
        dispatch(&charlie, Call::chill {});
        dispatch(&charlie, Call::unbond { value: GENESIS_BOND });
        let comes = offence + lengths.slash_defer + 1;
        while era() < comes {
            next_era();
        }
        // The last session of the era in which it would have come: all is free. In each of its blocks.
        let planned = || pallet_staking::CurrentEra::<Runtime>::get();
        while planned() == Some(comes) {
            next_block();
        }
        dispatch(&charlie, Call::withdraw_unbonded { num_slashing_spans: 9 });
        let (before, hers) = (now(), total(&eve));
        let mut reported = false;
        while era() == comes {
            if !reported {
                assert_eq!(send(&report), Ok(()));
                reported = true;
            }
            end_block();
            let waits = UnappliedSlashes::<Runtime>::iter().count();
            assert_eq!(waits, 0, "nothing is left for the pallet at a block's end");
            begin_block();
        }
        assert_eq!((since(before), total(&eve)), ((0, 0), hers));
    });
}

/// Each report lays what all have done so far anew, with all who back them.
#[test]
fn many_slashes_are_applied_over_some_blocks() {
    four_validators(|| {
        let one = UnappliedSlash {
            validator: Charlie.to_account_id(),
            own: OPEN,
            others: (0..200u8).map(|n| (AccountId::from([n; 32]), OPEN)).collect(),
            reporters: Vec::new(),
            payout: 0,
        };
        UnappliedSlashes::<Runtime>::insert(era(), vec![one; 3]);
        let before = now();
        for applied in 1..=3 {
            next_block();
            assert_eq!(since(before), (applied * OPEN, applied * OPEN));
        }
        assert_eq!(UnappliedSlashes::<Runtime>::iter().count(), 0);
    });
}

#[test]
fn a_late_slash_takes_what_is_on_its_way_out_and_what_backs_another() {
    four_validators(|| {
        let (charlie, alice) = (Charlie.to_account_id(), Alice.to_account_id());
        bond(Eve, GENESIS_BOND);
        let eve = Eve.to_account_id();
        dispatch(&eve, Call::nominate { targets: vec![charlie.clone().into()] });
        next_era();
        next_era();
        let (offence, report, (slash, others)) = (era(), babe_report(Charlie), slash());
        assert!(others > GENESIS_BOND / 2);
        dispatch(&charlie, Call::chill {});
        dispatch(&charlie, Call::unbond { value: GENESIS_BOND });
        dispatch(&eve, Call::nominate { targets: vec![alice.into()] });
        while era() < offence + LENGTHS.slash_defer + 1 {
            next_era();
        }
        let (before, hers) = (now(), total(&eve));
        assert_eq!(send(&report), Ok(()));
        next_block();
        assert_eq!(since(before), (slash, slash + others));
        assert_eq!(hers - total(&eve), others);
        assert_eq!(crate::staking::issuance(), TOTAL_SUPPLY);
    });
}

/// Members pay by what they had in the pool at the offence, those too who have left since.
#[test]
fn a_late_slash_takes_of_a_pools_members_what_they_had_in_it() {
    four_validators(|| {
        let (maker, leaver) = pool_behind_charlie();
        let (offence, report, (slash, others)) = (era(), babe_report(Charlie), slash());
        assert!(others > GENESIS_BOND / 4);
        leave(&leaver);
        while era() < offence + LENGTHS.slash_defer + 1 {
            next_era();
        }
        let before = now();
        assert_eq!(send(&report), Ok(()));
        next_block();
        assert_eq!(since(before), (slash, slash), "members owe theirs until it is taken");
        let mut taken = 0;
        for member in [&maker, &leaver] {
            let lost = pays(member);
            assert!(lost.abs_diff(others / 2) < OPEN, "{lost} of {others}");
            taken += lost;
        }
        assert_eq!(since(before), (slash, slash + taken));
        // Shares are rounded in the members' favour.
        assert!(others - taken < OPEN / 1_000_000, "{taken} of {others}");
    });
}

#[test]
fn a_slash_takes_nothing_of_who_has_taken_out_what_was_free() {
    four_validators(|| {
        let charlie = Charlie.to_account_id();
        dispatch(&charlie, Call::chill {});
        dispatch(&charlie, Call::unbond { value: GENESIS_BOND });
        next_era();
        let (offence, report) = (era(), babe_report(Charlie));
        while era() < offence + LENGTHS.bonding {
            next_era();
        }
        dispatch(&charlie, Call::withdraw_unbonded { num_slashing_spans: 0 });
        let before = now();
        assert_eq!(send(&report), Ok(()));
        next_block();
        assert_eq!(since(before), (0, 0));
        assert_eq!(UnappliedSlashes::<Runtime>::iter().count(), 0);
    });
}

#[test]
fn what_is_reported_when_stake_is_free_is_refused() {
    four_validators(|| {
        let (offence, report) = (era(), babe_report(Charlie));
        while era() < offence + LENGTHS.bonding + 1 {
            next_era();
        }
        assert!(send(&report).is_err());
    });
}

#[test]
fn a_slash_that_is_cancelled_takes_nothing() {
    four_validators(|| {
        let (offence, before) = (era(), now());
        assert_eq!(send(&babe_report(Charlie)), Ok(()));
        let era_of = offence + LENGTHS.slash_defer + 2;
        assert_eq!(UnappliedSlashes::<Runtime>::get(era_of).len(), 1);
        let cancel = Call::cancel_deferred_slash { era: era_of, slash_indices: vec![0] };
        assert_eq!(as_general_admin(cancel.into()), Ok(()));
        while era() < era_of + 1 {
            next_era();
        }
        assert_eq!(since(before), (0, 0));
    });
}

fn as_general_admin(call: RuntimeCall) -> Result<(), DispatchError> {
    call.dispatch(Origin::GeneralAdmin.into()).map(drop).map_err(|refused| refused.error)
}

/// It could slash any validator, though few decide on its track.
#[test]
fn who_cancels_slashes_does_nothing_else_to_stakers() {
    four_validators(|| {
        let manual_slash = || Call::manual_slash {
            validator_stash: Charlie.to_account_id(),
            era: era(),
            slash_fraction: Perbill::from_percent(50),
        };
        let filtered = Err(frame_system::Error::<Runtime>::CallFiltered.into());
        assert_eq!(as_general_admin(manual_slash().into()), filtered);
        let calls = vec![manual_slash().into()];
        let batch = pallet_utility::Call::batch_all { calls };
        assert_eq!(as_general_admin(batch.into()), filtered);
        assert_eq!(UnappliedSlashes::<Runtime>::iter().count(), 0);

        // Any call of the pallet there is, whatever it is given.
        let mut calls = 0;
        for index in 0..=u8::MAX {
            let mut bytes = [0; 200];
            bytes[..2].copy_from_slice(&[40, index]);
            let Ok(call) = RuntimeCall::decode(&mut &bytes[..]) else { continue };
            calls += 1;
            let refused = as_general_admin(call.clone());
            if matches!(&call, RuntimeCall::Staking(Call::cancel_deferred_slash { .. })) {
                let nothing = pallet_staking::Error::<Runtime>::EmptyTargets;
                assert_eq!(refused, Err(nothing.into()));
            } else {
                let by_origin = refused == Err(DispatchError::BadOrigin);
                assert!(by_origin || refused == filtered, "{call:?}: {refused:?}");
            }
        }
        assert_eq!(calls, RuntimeCall::get_call_names("Staking").len());

        // Root may, and what it slashes late comes too.
        let before = now();
        let call = RuntimeCall::from(manual_slash());
        let (offence, own) = (era(), Staking::eras_stakers(era(), &Charlie.to_account_id()).own);
        while era() < offence + LENGTHS.slash_defer + 1 {
            next_era();
        }
        assert!(call.dispatch(RuntimeOrigin::root()).is_ok());
        next_block();
        let half = Perbill::from_percent(50) * own;
        assert_eq!(since(before), (half, half));
    });
}

#[test]
fn a_chain_whose_slashes_come_when_stake_is_free_has_no_genesis() {
    let builds = |staking| {
        std::panic::catch_unwind(|| {
            let config = openledger_runtime::parameters::GenesisConfig::<Runtime> {
                staking,
                ..Default::default()
            };
            config.build_storage().expect("genesis builds")
        })
        .is_ok()
    };
    assert!(builds(StakingLengths::default()));
    assert!(builds(StakingLengths { slash_defer: 0, ..StakingLengths::default() }));
    assert!(!builds(StakingLengths { slash_defer: 27, ..StakingLengths::default() }));
}
