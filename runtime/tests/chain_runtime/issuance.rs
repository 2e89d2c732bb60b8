//! What is issued is what genesis endowed: nobody but root changes it, and that root did is seen.

use crate::common::*;
use openledger_primitives::{OPEN, TOTAL_SUPPLY};
use openledger_runtime::{
    governance::origins::Origin, ChainParameters, Runtime, RuntimeCall, RuntimeOrigin, System,
};
use pallet_balances::{AdjustmentDirection, Call, TotalIssuance};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Dave};
use sp_runtime::{
    traits::{BadOrigin, Dispatchable},
    DispatchError, TokenError,
};

type SystemCall = frame_system::Call<Runtime>;

/// What changes the issuance, moves what is another's, or replaces the rules.
fn forced() -> Vec<RuntimeCall> {
    let who = Bob.to_account_id();
    vec![
        Call::force_set_balance { who: who.clone().into(), new_free: 1_000 * OPEN }.into(),
        Call::force_adjust_total_issuance { direction: AdjustmentDirection::Increase, delta: OPEN }
            .into(),
        Call::force_transfer { source: treasury().into(), dest: who.clone().into(), value: OPEN }
            .into(),
        Call::force_unreserve { who: who.into(), amount: OPEN }.into(),
        SystemCall::set_storage { items: vec![(vec![1], vec![1])] }.into(),
        SystemCall::kill_storage { keys: vec![vec![1]] }.into(),
        SystemCall::kill_prefix { prefix: vec![1], subkeys: 1 }.into(),
        SystemCall::set_code { code: vec![0] }.into(),
        SystemCall::set_code_without_checks { code: vec![0] }.into(),
        SystemCall::authorize_upgrade { code_hash: Default::default() }.into(),
        SystemCall::authorize_upgrade_without_checks { code_hash: Default::default() }.into(),
    ]
}

fn outcome(call: RuntimeCall, origin: RuntimeOrigin) -> Result<(), DispatchError> {
    call.dispatch(origin).map(drop).map_err(|refused| refused.error)
}

#[test]
fn nobody_but_root_issues_moves_what_is_anothers_or_replaces_the_rules() {
    genesis("development").execute_with(|| {
        begin_block();
        for origin in [
            RuntimeOrigin::signed(Alice.to_account_id()),
            RuntimeOrigin::none(),
            Origin::GeneralAdmin.into(),
            Origin::BigSpender.into(),
            Origin::SmallSpender.into(),
        ] {
            for call in forced() {
                let refused = outcome(call.clone(), origin.clone());
                assert_eq!(refused, Err(BadOrigin.into()), "{call:?} by {origin:?}");
                // Nor inside another one, which an account may make.
                let batch = pallet_utility::Call::force_batch { calls: vec![call.clone()] };
                let _ = outcome(batch.into(), origin.clone());
                assert_eq!(TotalIssuance::<Runtime>::get(), TOTAL_SUPPLY, "{call:?}");
            }
        }
        end_block();
    });
}

/// Fees go on, nothing is burnt.
#[test]
fn nobody_burns_open() {
    genesis("development").execute_with(|| {
        begin_block();
        let burn = || RuntimeCall::from(Call::burn { value: OPEN, keep_alive: true });
        let refused = outcome(burn(), RuntimeOrigin::signed(Bob.to_account_id()));
        assert_eq!(refused, Err(frame_system::Error::<Runtime>::CallFiltered.into()));
        assert_eq!(outcome(burn(), RuntimeOrigin::root()), Err(BadOrigin.into()));
        assert_eq!(TotalIssuance::<Runtime>::get(), TOTAL_SUPPLY);
    });
}

#[test]
fn what_root_moves_it_does_not_issue() {
    genesis("development").execute_with(|| {
        begin_block();
        let before = total(&Bob.to_account_id());
        let pay = Call::force_transfer {
            source: treasury().into(),
            dest: Bob.to_account_id().into(),
            value: 5 * OPEN,
        };
        assert_eq!(outcome(pay.into(), RuntimeOrigin::root()), Ok(()));
        assert_eq!(total(&Bob.to_account_id()), before + 5 * OPEN);
        // What holds a stake, a bond or a seat stays where it is.
        let free = openledger_runtime::Balances::free_balance(Alice.to_account_id());
        let held = Call::force_transfer {
            source: Alice.to_account_id().into(),
            dest: Dave.to_account_id().into(),
            value: free + 1,
        };
        let refused = outcome(held.into(), RuntimeOrigin::root());
        assert!(
            matches!(
                refused,
                Err(DispatchError::Token(TokenError::FundsUnavailable)
                    | DispatchError::Arithmetic(_))
            ),
            "{refused:?}"
        );
        // By a referendum it is the scheduler that carries the call out, as root.
        let spend = Call::force_transfer {
            source: treasury().into(),
            dest: Bob.to_account_id().into(),
            value: 7 * OPEN,
        };
        let schedule = pallet_scheduler::Call::schedule {
            when: System::block_number() + 1,
            maybe_periodic: None,
            priority: 63,
            call: Box::new(spend.into()),
        };
        assert_eq!(outcome(schedule.into(), RuntimeOrigin::root()), Ok(()));
        end_block();
        begin_block();
        assert_eq!(total(&Bob.to_account_id()), before + 12 * OPEN);
        end_block();
        assert_eq!(TotalIssuance::<Runtime>::get(), TOTAL_SUPPLY);
    });
}

/// No rule binds who may replace the rules; but that something was issued is there for everybody to see.
#[test]
fn what_root_issues_is_seen() {
    for call in forced().into_iter().take(2) {
        genesis("development").execute_with(|| {
            begin_block();
            ChainParameters::do_try_state().expect("nothing was issued yet");
            assert_eq!(outcome(call.clone(), RuntimeOrigin::root()), Ok(()));
            assert_ne!(TotalIssuance::<Runtime>::get(), TOTAL_SUPPLY);
            ChainParameters::do_try_state().expect_err("more was issued than genesis endowed");
        });
    }
}
