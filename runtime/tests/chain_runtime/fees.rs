//! Who pays fees and who gets them.

use crate::common::*;
use openledger_primitives::{
    job::{dispute::Finding, DeclineReason, JobResult},
    ContentId, EXISTENTIAL_DEPOSIT, OPEN,
};
use openledger_runtime::{Balances, Runtime, RuntimeCall};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Dave};

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

/// Blocks full of bytes cost little, and nobody else's transactions came in: workers could neither take a job nor
/// show that they lived, and paid for it.
#[test]
fn a_block_full_of_bytes_has_room_for_what_a_deadline_waits_for() {
    use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
    use pallet_datanets::ROOM_FOR_OTHERS;
    use sp_runtime::transaction_validity::InvalidTransaction;
    // Two of these fill what there is for ordinary transactions; nobody's fits any more.
    let stuffing =
        |bytes| -> RuntimeCall { frame_system::Call::remark { remark: vec![0; bytes] }.into() };
    let room = ROOM_FOR_OTHERS as usize;
    let most = 3_932_160 - room;
    let full = InvalidTransaction::ExhaustsResources;
    let heartbeat = || -> RuntimeCall {
        pallet_training::Call::heartbeat { job: 0, step: 1, total_steps: 2 }.into()
    };
    genesis("development").execute_with(|| {
        begin_block();
        apply(sign(&Bob.pair(), 0, stuffing(most - 150))).expect("valid").expect("dispatched");
        apply(sign(&Bob.pair(), 1, stuffing(room - 400))).expect("valid").expect("dispatched");
        let transfer = pallet_balances::Call::transfer_keep_alive {
            dest: Bob.to_account_id().into(),
            value: OPEN,
        };
        assert_eq!(apply(sign(&Dave.pair(), 0, transfer)), Err(full.into()));
        // There is no such job, but a fee is paid and the chain says so.
        let late = apply(sign(&Dave.pair(), 0, heartbeat())).expect("there is room");
        assert_eq!(late, Err(pallet_training::Error::<Runtime>::UnknownJob.into()));
        end_block();
    });
    genesis("development").execute_with(|| {
        // One that would fit no block is refused before it waits for one.
        assert_eq!(validate(&sign(&Bob.pair(), 0, stuffing(most))), Err(full.into()));
        // What a deadline waits for goes first, too, beside a tip of a whole OPEN.
        let priority = |signed| validate(&signed).expect("valid").priority;
        let tipped = priority(sign_with_tip(&Bob.pair(), 0, OPEN, stuffing(most - 150)));
        assert!(priority(sign(&Dave.pair(), 0, heartbeat())) > tipped);
    });
    use pallet_review::Call as Review;
    use pallet_training::Call as Training;
    let result = JobResult {
        content: ContentId::raw([2; 32]),
        sha256: [2; 32],
        size: 1,
        eval_loss_before: 2,
        eval_loss_after: 1,
        tokens: 1,
        dataset_root: Default::default(),
        checkpoints_root: Default::default(),
        influence_root: Default::default(),
    };
    let (draw, job) = (0, 0);
    let waited_for: [RuntimeCall; 11] = [
        Training::take { job }.into(),
        Training::decline { job, reason: DeclineReason::Untrainable }.into(),
        heartbeat(),
        Training::submit_result { job, result }.into(),
        Training::dispute { job }.into(),
        Training::commit_finding { job, commitment: Default::default() }.into(),
        Training::reveal_finding { job, finding: Finding::Holds, salt: [0; 32] }.into(),
        Review::commit { draw, commitment: Default::default() }.into(),
        Review::reveal { draw, opinions: Default::default(), salt: [0; 32] }.into(),
        Review::challenge { draw, file: 0 }.into(),
        Review::advance {}.into(),
    ];
    for call in waited_for {
        assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational, "{call:?}");
    }
}

/// Whoever fills blocks, with bytes or with execution, kept everybody's ordinary transactions out for 0.05 OPEN a block, for
/// as long as it liked. Five minutes of it now end at the highest fee there is, and as much quiet undoes it.
#[test]
fn filling_blocks_costs_more_with_every_block() {
    use frame_support::{dispatch::DispatchClass, weights::Weight};
    use openledger_runtime::fees::FollowBlocks;
    use pallet_transaction_payment::{Multiplier, MultiplierUpdate, NextFeeMultiplier};
    use sp_runtime::{traits::Convert, FixedPointNumber};
    type System = frame_system::Pallet<Runtime>;
    type Payment = pallet_transaction_payment::Pallet<Runtime>;
    let most = 3_932_160;
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    let whole = weights.get(DispatchClass::Normal).max_total.expect("a limit").ref_time();
    let blocks = |weight: u64, bytes: u32, count: u32| {
        System::set_block_consumed_resources(Weight::from_parts(weight, 0), bytes as usize);
        let mut cost = 0;
        for _ in 0..count {
            cost += Payment::length_to_fee(bytes);
            let fee = Payment::weight_to_fee(Weight::from_parts(weight, 0));
            cost += NextFeeMultiplier::<Runtime>::get().saturating_mul_int(fee);
            NextFeeMultiplier::<Runtime>::mutate(|it| *it = FollowBlocks::convert(*it));
        }
        cost
    };
    let multiplier = NextFeeMultiplier::<Runtime>::get;
    genesis("development").execute_with(|| {
        assert_eq!(multiplier(), Multiplier::from(1));
        blocks(0, 0, 100);
        assert_eq!(multiplier(), FollowBlocks::min(), "quiet blocks make execution cheap");
        for (weight, bytes) in [(0, most), (whole, 0)] {
            let first = blocks(weight, bytes, 1);
            assert!(first < OPEN / 20, "{first}");
            let rest = blocks(weight, bytes, 99);
            assert!(rest > 1_000 * OPEN, "five minutes of full blocks cost {rest}");
            assert_eq!(multiplier(), FollowBlocks::max());
            assert!(blocks(weight, bytes, 1) > 35 * OPEN, "a block more");
            // Half as full as it may be changes nothing, by either.
            assert_eq!(Payment::length_to_fee(1), 1_000 * openledger_runtime::fees::FEE_PER_BYTE);
            blocks(weight / 2, bytes / 2, 100);
            assert_eq!(multiplier(), FollowBlocks::max());
            blocks(0, 0, 100);
            assert_eq!(multiplier(), FollowBlocks::min());
            assert_eq!(Payment::length_to_fee(1), openledger_runtime::fees::FEE_PER_BYTE);
        }
        // Free calls, which cost nothing, have a quarter of the whole block and raise no fee.
        let free = weights.max_block.ref_time() / 4;
        blocks(free, 0, 100);
        assert_eq!(multiplier(), FollowBlocks::min());
    });
    // The same in real blocks: bytes raise what the next transaction pays.
    genesis("development").execute_with(|| {
        begin_block();
        let call: RuntimeCall = frame_system::Call::remark { remark: vec![0; 3_800_000] }.into();
        apply(sign(&Bob.pair(), 0, call)).expect("valid").expect("dispatched");
        end_block();
        assert!(multiplier() > Multiplier::saturating_from_rational(11, 10), "{}", multiplier());
    });
}
