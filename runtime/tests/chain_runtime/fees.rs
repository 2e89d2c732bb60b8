//! Who pays fees and who gets them.

use crate::common::*;
use openledger_primitives::{EXISTENTIAL_DEPOSIT, OPEN, TOTAL_SUPPLY};
use openledger_runtime::{Balances, Runtime, RuntimeCall, RuntimeOrigin};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Dave};
use sp_runtime::traits::Dispatchable;

#[test]
fn a_fee_goes_to_author_stakers_and_treasury_to_the_planck() {
    genesis("development").execute_with(|| {
        begin_block();
        let (author, before) = (Alice.to_account_id(), treasury());
        let (author_before, treasury_before) = (total(&author), total(&before));
        let bob_before = total(&Bob.to_account_id());
        let call = pallet_balances::Call::transfer_keep_alive {
            dest: Dave.to_account_id().into(),
            value: OPEN,
        };
        apply(sign(&Bob.pair(), 0, call)).expect("valid").expect("dispatched");
        let fee = bob_before - OPEN - total(&Bob.to_account_id());
        assert_eq!(fees_paid(), [fee]);
        let to_treasury = total(&treasury()) - treasury_before;
        let to_author = total(&author) - author_before;
        let to_stakers = openledger_runtime::staking::pot::available();
        assert_eq!(to_treasury + to_author + to_stakers, fee);
        assert_eq!(to_author, fee * 20 / 100);
        assert_eq!(to_stakers, (fee - to_author) * 75 / 100);
        end_block();
    });
}

#[test]
fn a_tip_goes_to_the_author_whole() {
    genesis("development").execute_with(|| {
        begin_block();
        let author_before = total(&Alice.to_account_id());
        let treasury_before = total(&treasury());
        let bob_before = total(&Bob.to_account_id());
        let call: RuntimeCall = frame_system::Call::remark { remark: b"hello".to_vec() }.into();
        let tip = OPEN / 100;
        apply(sign_with_tip(&Bob.pair(), 0, tip, call)).expect("valid").expect("dispatched");
        let paid = bob_before - total(&Bob.to_account_id());
        let to_author = total(&Alice.to_account_id()) - author_before;
        let to_treasury = total(&treasury()) - treasury_before;
        assert_eq!(to_author + to_treasury + openledger_runtime::staking::pot::available(), paid);
        assert_eq!(to_author - tip, (paid - tip) * 20 / 100);
        end_block();
    });
}

#[test]
fn the_dust_of_a_reaped_account_goes_to_the_treasury() {
    genesis("development").execute_with(|| {
        begin_block();
        let someone = user(1);
        endow(&id(&someone));
        let treasury_before = total(&treasury());
        // All but half an existential deposit: the rest cannot stay.
        dispatch(
            &id(&someone),
            pallet_balances::Call::transfer_allow_death {
                dest: Dave.to_account_id().into(),
                value: 10 * OPEN - EXISTENTIAL_DEPOSIT / 2,
            },
        );
        assert_eq!(Balances::free_balance(id(&someone)), 0);
        assert_eq!(total(&treasury()) - treasury_before, EXISTENTIAL_DEPOSIT / 2);
        end_block();
    });
}

/// What genesis issued is there for ever: fees go on, nothing is burnt.
#[test]
fn nobody_burns_open() {
    genesis("development").execute_with(|| {
        begin_block();
        let call = RuntimeCall::from(pallet_balances::Call::burn { value: OPEN, keep_alive: true });
        let burnt = call.dispatch(RuntimeOrigin::signed(Bob.to_account_id()));
        let refused = burnt.map_err(|refused| refused.error).map(drop);
        assert_eq!(refused, Err(frame_system::Error::<Runtime>::CallFiltered.into()));
        assert_eq!(pallet_balances::TotalIssuance::<Runtime>::get(), TOTAL_SUPPLY);
    });
}
