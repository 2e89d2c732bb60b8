//! Referenda: from a proposal to what it changes, with no sudo key; what fails, what is slashed, and that OPEN is
//! conserved in all of it.

use crate::common::*;
use codec::Encode;
use frame_support::traits::{schedule::DispatchTime, Bounded, Currency, StorePreimage};
use openledger_primitives::{Balance, EXTRACTOR, OPEN, TOTAL_SUPPLY};
use openledger_runtime::{
    governance::{
        days,
        origins::{Origin, BIG_SPEND, SMALL_SPEND},
        tracks::Tracks,
        PaidInPeriod, SPEND_PERIOD, SPEND_SHARE,
    },
    AccountId, Balances, OriginCaller, Preimage, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    System, DAY, HOUR,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::{ReferendumInfo, ReferendumInfoFor, TracksInfo};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::{traits::Dispatchable, DispatchError};

/// The development chain after its sudo key has been given away for good.
pub fn without_sudo(test: impl FnOnce()) {
    genesis("development").execute_with(|| {
        begin_block();
        dispatch(&Alice.to_account_id(), pallet_sudo::Call::remove_key {});
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
        test();
        end_block();
        assert_eq!(pallet_balances::TotalIssuance::<Runtime>::get(), TOTAL_SUPPLY);
    });
}

fn next_block() {
    end_block();
    begin_block();
}

fn attempt(who: &AccountId, call: impl Into<RuntimeCall>) -> Result<(), DispatchError> {
    call.into()
        .dispatch(RuntimeOrigin::signed(who.clone()))
        .map(drop)
        .map_err(|refused| refused.error)
}

pub fn root() -> OriginCaller {
    frame_system::RawOrigin::Root.into()
}

/// Submits a proposal of Charlie's and places Dave's decision deposit; answers its number.
pub fn propose(origin: OriginCaller, call: impl Into<RuntimeCall>) -> u32 {
    let index = pallet_referenda::ReferendumCount::<Runtime>::get();
    let proposal = Preimage::bound(call.into()).expect("it is short");
    assert!(matches!(proposal, Bounded::Inline(_)), "a short call needs no preimage");
    dispatch(
        &Charlie.to_account_id(),
        pallet_referenda::Call::submit {
            proposal_origin: Box::new(origin),
            proposal,
            enactment_moment: DispatchTime::After(0),
        },
    );
    dispatch(&Dave.to_account_id(), pallet_referenda::Call::place_decision_deposit { index });
    index
}

fn vote(who: Sr25519Keyring, poll_index: u32, aye: bool, balance: Balance, conviction: Conviction) {
    let vote = AccountVote::Standard { vote: Vote { aye, conviction }, balance };
    dispatch(&who.to_account_id(), pallet_conviction_voting::Call::vote { poll_index, vote });
}

/// Most of the OPEN that may vote agrees.
pub fn agree(index: u32) {
    for who in [Alice, Bob, Charlie, Eve] {
        vote(who, index, true, 900_000 * OPEN, Conviction::Locked1x);
    }
}

pub fn info(index: u32) -> pallet_referenda::ReferendumInfoOf<Runtime, ()> {
    ReferendumInfoFor::<Runtime>::get(index).expect("it was submitted")
}

/// Goes on until a referendum is over, and what it decided is carried out.
fn until_over(index: u32) {
    let track = Tracks::info(0).expect("the longest");
    let most = track.prepare_period + track.decision_period + track.confirm_period;
    for _ in 0..most + 5 {
        if !matches!(info(index), ReferendumInfo::Ongoing(_)) {
            break;
        }
        next_block();
    }
    for _ in 0..track.min_enactment_period + 2 {
        next_block();
    }
}

/// What became of the calls that the scheduler carried out.
fn carried_out() -> Vec<Result<(), DispatchError>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched { result, id, .. }) => {
                id.map(|_| result)
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_referendum_changes_a_parameter_when_no_sudo_key_is_left() {
    without_sudo(|| {
        let before: Vec<_> =
            Sr25519Keyring::iter().map(|who| total(&who.to_account_id())).collect();
        let sudo = pallet_sudo::Call::sudo {
            call: Box::new(
                pallet_review::Call::raise_extractor { extractor: EXTRACTOR + 1 }.into(),
            ),
        };
        assert!(attempt(&Alice.to_account_id(), sudo).is_err());

        let index =
            propose(root(), pallet_review::Call::raise_extractor { extractor: EXTRACTOR + 1 });
        let charlie = Balances::free_balance(Charlie.to_account_id());
        assert_eq!(total(&Charlie.to_account_id()) - charlie, OPEN, "the submission deposit");
        agree(index);
        vote(Ferdie, index, false, 100_000 * OPEN, Conviction::None);
        assert_eq!(pallet_review::CurrentExtractor::<Runtime>::get(), EXTRACTOR);
        until_over(index);
        assert!(matches!(info(index), ReferendumInfo::Approved(..)));
        assert_eq!(pallet_review::CurrentExtractor::<Runtime>::get(), EXTRACTOR + 1);

        // Deposits come back, and what voted is free again: at once who lost, later who won.
        let anyone = Ferdie.to_account_id();
        dispatch(&anyone, pallet_referenda::Call::refund_submission_deposit { index });
        dispatch(&anyone, pallet_referenda::Call::refund_decision_deposit { index });
        let unlock = |who: Sr25519Keyring| {
            let account = who.to_account_id();
            if pallet_conviction_voting::VotingFor::<Runtime>::contains_key(&account, 0) {
                let _ = attempt(
                    &account,
                    pallet_conviction_voting::Call::remove_vote { class: Some(0), index },
                );
            }
            dispatch(
                &account,
                pallet_conviction_voting::Call::unlock { class: 0, target: account.clone().into() },
            );
            pallet_balances::Locks::<Runtime>::get(&account).len()
        };
        assert_eq!((unlock(Ferdie), unlock(Alice)), (0, 1));
        for _ in 0..days::<7>() {
            next_block();
        }
        for who in [Alice, Bob, Charlie, Eve] {
            assert_eq!(unlock(who), 0, "{who:?}");
        }
        let after: Vec<_> = Sr25519Keyring::iter().map(|who| total(&who.to_account_id())).collect();
        assert_eq!(after, before, "taking part cost nobody anything but fees");
    });
}

#[test]
fn a_referendum_authorises_a_runtime_which_anyone_then_brings() {
    without_sudo(|| {
        let code = vec![7; 100];
        let code_hash = sp_core::H256(sp_io::hashing::blake2_256(&code));
        let bring = |code: &[u8]| {
            let call = frame_system::Call::apply_authorized_upgrade { code: code.to_vec() };
            attempt(&Ferdie.to_account_id(), call)
        };
        assert_eq!(bring(&code), Err(frame_system::Error::<Runtime>::NothingAuthorized.into()));
        let authorise = frame_system::Call::authorize_upgrade_without_checks { code_hash };
        assert_eq!(
            attempt(&Alice.to_account_id(), authorise.clone()),
            Err(DispatchError::BadOrigin)
        );
        let index = propose(root(), authorise);
        agree(index);
        until_over(index);
        let authorised = System::authorized_upgrade().expect("the referendum has authorised it");
        assert_eq!(*authorised.code_hash(), code_hash);
        assert_eq!(bring(&[8; 100]), Err(frame_system::Error::<Runtime>::Unauthorized.into()));
        assert_eq!(bring(&code), Ok(()));
        let stored = sp_io::storage::get(sp_core::storage::well_known_keys::CODE);
        assert_eq!(stored.as_deref(), Some(&code[..]));
        sp_io::storage::clear(sp_core::storage::well_known_keys::CODE);
    });
}

fn spend(amount: Balance, to: &AccountId) -> pallet_treasury::Call<Runtime> {
    pallet_treasury::Call::spend {
        asset_kind: Box::new(()),
        amount,
        beneficiary: Box::new(to.clone()),
        valid_from: None,
    }
}

#[test]
fn a_referendum_spends_and_anyone_pays_it_out() {
    without_sudo(|| {
        let builder = id(&user(1));
        let before = total(&treasury());
        let index = propose(Origin::SmallSpender.into(), spend(SMALL_SPEND, &builder));
        agree(index);
        until_over(index);
        assert!(matches!(info(index), ReferendumInfo::Approved(..)));
        assert_eq!(total(&builder), 0, "it is approved, not paid");
        let payout = || pallet_treasury::Call::payout { index: 0 };
        dispatch(&Ferdie.to_account_id(), payout());
        assert_eq!(total(&builder), SMALL_SPEND);
        assert_eq!(total(&treasury()), before - SMALL_SPEND);
        assert!(attempt(&Ferdie.to_account_id(), payout()).is_err(), "it is paid once");
        dispatch(&Ferdie.to_account_id(), pallet_treasury::Call::check_status { index: 0 });
        assert!(pallet_treasury::Spends::<Runtime>::get(0).is_none());
    });
}

#[test]
fn a_spender_spends_no_more_than_its_track_allows_and_nothing_else() {
    without_sudo(|| {
        let to = Bob.to_account_id();
        let as_origin = |origin: Origin, call: RuntimeCall| {
            call.dispatch(RuntimeOrigin::from(origin)).map(drop).map_err(|refused| refused.error)
        };
        let insufficient = pallet_treasury::Error::<Runtime>::InsufficientPermission.into();
        for (origin, most) in [(Origin::SmallSpender, SMALL_SPEND), (Origin::BigSpender, BIG_SPEND)]
        {
            assert_eq!(as_origin(origin, spend(most + 1, &to).into()), Err(insufficient));
            // Nor in pieces of one batch.
            let calls = vec![spend(most, &to).into(), spend(1, &to).into()];
            let batch = pallet_utility::Call::batch_all { calls }.into();
            assert_eq!(as_origin(origin, batch), Err(insufficient));
            let raise = pallet_review::Call::raise_extractor { extractor: EXTRACTOR + 1 };
            assert_eq!(as_origin(origin, raise.into()), Err(DispatchError::BadOrigin));
            let kill = pallet_referenda::Call::kill { index: 0 };
            assert_eq!(as_origin(origin, kill.into()), Err(DispatchError::BadOrigin));
        }
        assert_eq!(
            as_origin(Origin::GeneralAdmin, spend(1, &to).into()),
            Err(DispatchError::BadOrigin)
        );
        assert_eq!(attempt(&to, spend(1, &to)), Err(DispatchError::BadOrigin));
    });
}

#[test]
fn the_treasurys_account_stays_whatever_is_spent() {
    without_sudo(|| {
        let to = Bob.to_account_id();
        // A period pays no more than a part of what may vote, so it has to be nearly empty already.
        let most = Balances::free_balance(treasury()) - 100 * OPEN;
        let transfer = pallet_balances::Call::force_transfer {
            source: treasury().into(),
            dest: to.clone().into(),
            value: most,
        };
        assert!(RuntimeCall::from(transfer).dispatch(RuntimeOrigin::root()).is_ok());
        let all = Balances::free_balance(treasury());
        let spent = RuntimeCall::from(spend(all, &to)).dispatch(RuntimeOrigin::root());
        assert!(spent.is_ok());
        let paid = attempt(&to, pallet_treasury::Call::payout { index: 0 });
        assert_eq!(paid, Err(pallet_treasury::Error::<Runtime>::PayoutError.into()));
        assert_eq!(Balances::free_balance(treasury()), all);
        let most = all - Balances::minimum_balance();
        let spent = RuntimeCall::from(spend(most, &to)).dispatch(RuntimeOrigin::root());
        assert!(spent.is_ok());
        dispatch(&to, pallet_treasury::Call::payout { index: 1 });
        assert_eq!(Balances::free_balance(treasury()), Balances::minimum_balance());
    });
}

/// Of 6,000,000 OPEN that may vote, a hundredth could vote itself 10,000 OPEN of a treasury of 994,000,000, fifty
/// times at once and as often as it liked.
#[test]
fn few_votes_do_not_empty_the_treasury() {
    without_sudo(|| {
        let me = Eve.to_account_id();
        // Everybody else looks away.
        let index = propose(Origin::SmallSpender.into(), spend(SMALL_SPEND, &me));
        vote(Eve, index, true, 290_000 * OPEN, Conviction::Locked6x);
        until_over(index);
        assert!(matches!(info(index), ReferendumInfo::Rejected(..)), "less than a twentieth");
        let index = propose(Origin::BigSpender.into(), spend(BIG_SPEND / 4, &me));
        vote(Eve, index, true, 890_000 * OPEN, Conviction::Locked6x);
        until_over(index);
        assert!(matches!(info(index), ReferendumInfo::Rejected(..)), "less than 15 %");
    });
}

#[test]
fn a_period_pays_no_more_than_a_twentieth_of_what_may_vote_however_much_is_approved() {
    without_sudo(|| {
        next_block();
        let (before, limit) = (total(&treasury()), PaidInPeriod::limit());
        assert_eq!(limit, SPEND_SHARE.mul_floor(Balances::active_issuance()));
        assert!(limit > 299_000 * OPEN && limit < 301_000 * OPEN, "{limit}");
        let to = Bob.to_account_id();
        let spends = limit / SMALL_SPEND + 5;
        for _ in 0..spends {
            let spent = RuntimeCall::from(spend(SMALL_SPEND, &to));
            assert!(spent.dispatch(Origin::SmallSpender.into()).is_ok());
        }
        // What no period could pay is not approved, not for root either.
        let insufficient = pallet_treasury::Error::<Runtime>::InsufficientPermission.into();
        for origin in [RuntimeOrigin::root(), Origin::BigSpender.into()] {
            let spent = RuntimeCall::from(spend(limit + OPEN, &to)).dispatch(origin);
            assert_eq!(spent.map(drop).map_err(|refused| refused.error), Err(insufficient));
        }
        let payout = |index| attempt(&to, pallet_treasury::Call::payout { index });
        let paid = (0..spends as u32).filter(|index| payout(*index).is_ok()).count() as u128;
        assert_eq!(paid, spends - 5);
        assert_eq!(before - total(&treasury()), paid * SMALL_SPEND);
        assert!(PaidInPeriod::left() < SMALL_SPEND);
        // What is left over is paid in the next period, before it lapses.
        let period = days::<SPEND_PERIOD>();
        System::set_block_number((System::block_number() / period + 1) * period);
        let paid = (0..spends as u32).filter(|index| payout(*index).is_ok()).count();
        assert_eq!(paid, 5);
    });
}

#[test]
fn a_spend_that_nobody_has_taken_is_voided_by_a_referendum() {
    without_sudo(|| {
        let spent = RuntimeCall::from(spend(OPEN, &Bob.to_account_id()));
        assert!(spent.dispatch(RuntimeOrigin::root()).is_ok());
        let void = pallet_treasury::Call::void_spend { index: 0 };
        let index = propose(Origin::GeneralAdmin.into(), void);
        agree(index);
        until_over(index);
        assert!(pallet_treasury::Spends::<Runtime>::get(0).is_none());
    });
}

#[test]
fn a_referendum_that_more_refuse_changes_nothing_and_returns_its_deposits() {
    without_sudo(|| {
        let raise = pallet_review::Call::raise_extractor { extractor: EXTRACTOR + 1 };
        let index = propose(root(), raise);
        vote(Alice, index, true, 600_000 * OPEN, Conviction::None);
        // Fewer OPEN with more conviction weigh more.
        vote(Bob, index, false, 300_000 * OPEN, Conviction::Locked3x);
        until_over(index);
        assert!(matches!(info(index), ReferendumInfo::Rejected(..)));
        assert_eq!(pallet_review::CurrentExtractor::<Runtime>::get(), EXTRACTOR);
        assert!(carried_out().is_empty());
        let anyone = Ferdie.to_account_id();
        let before = Balances::free_balance(Dave.to_account_id());
        dispatch(&anyone, pallet_referenda::Call::refund_decision_deposit { index });
        assert_eq!(Balances::free_balance(Dave.to_account_id()), before + 1_000 * OPEN);
        // The proposer of what was refused pays for the place that it took.
        let refund = pallet_referenda::Call::refund_submission_deposit { index };
        assert_eq!(
            attempt(&anyone, refund),
            Err(pallet_referenda::Error::<Runtime>::BadStatus.into())
        );
    });
}

#[test]
fn what_too_few_care_for_is_refused() {
    without_sudo(|| {
        let raise = pallet_review::Call::raise_extractor { extractor: EXTRACTOR + 1 };
        let index = propose(root(), raise);
        // All who vote agree, and they are less than a tenth of the OPEN that may vote.
        vote(Alice, index, true, 500_000 * OPEN, Conviction::Locked6x);
        until_over(index);
        assert!(matches!(info(index), ReferendumInfo::Rejected(..)));
    });
}

#[test]
fn a_killed_referendums_deposits_go_to_the_treasury() {
    without_sudo(|| {
        let remark = frame_system::Call::remark { remark: vec![] };
        let bad = propose(root(), remark);
        let before = total(&treasury());
        let kill = pallet_referenda::Call::kill { index: bad };
        let index = propose(Origin::GeneralAdmin.into(), kill);
        agree(index);
        until_over(index);
        assert!(matches!(info(bad), ReferendumInfo::Killed(_)));
        assert_eq!(total(&treasury()), before + 1_001 * OPEN, "both deposits");
    });
}

#[test]
fn nobody_but_a_referendum_acts_as_one() {
    without_sudo(|| {
        let raise: RuntimeCall =
            pallet_review::Call::raise_extractor { extractor: EXTRACTOR + 1 }.into();
        let alice = Alice.to_account_id();
        for call in [
            RuntimeCall::from(pallet_scheduler::Call::schedule {
                when: System::block_number() + 1,
                maybe_periodic: None,
                priority: 0,
                call: Box::new(raise.clone()),
            }),
            pallet_utility::Call::dispatch_as {
                as_origin: Box::new(root()),
                call: Box::new(raise.clone()),
            }
            .into(),
            pallet_utility::Call::with_weight {
                call: Box::new(raise.clone()),
                weight: Default::default(),
            }
            .into(),
            pallet_referenda::Call::nudge_referendum { index: 0 }.into(),
            pallet_preimage::Call::request_preimage { hash: Default::default() }.into(),
        ] {
            assert_eq!(attempt(&alice, call.clone()), Err(DispatchError::BadOrigin), "{call:?}");
        }
        // A signed origin has no track: nobody proposes in another account's name.
        let as_bob = pallet_referenda::Call::submit {
            proposal_origin: Box::new(frame_system::RawOrigin::Signed(Bob.to_account_id()).into()),
            proposal: Preimage::bound(raise).expect("it is short"),
            enactment_moment: DispatchTime::After(0),
        };
        assert_eq!(
            attempt(&alice, as_bob),
            Err(pallet_referenda::Error::<Runtime>::NoTrack.into())
        );
    });
}

fn submit_remark(who: &AccountId) {
    let remark: RuntimeCall = frame_system::Call::remark { remark: vec![1] }.into();
    dispatch(
        who,
        pallet_referenda::Call::submit {
            proposal_origin: Box::new(root()),
            proposal: Preimage::bound(remark).expect("short"),
            enactment_moment: DispatchTime::After(0),
        },
    );
}

/// Anybody's referendum has an alarm, and 50 of one block filled the agenda of the block in which another was to be
/// carried out: it stood as approved for ever, and nothing came of it.
#[test]
fn referenda_without_number_keep_none_from_being_carried_out() {
    use openledger_runtime::governance::calendar::{ALARMS, PLACES};
    use pallet_scheduler::Agenda;
    without_sudo(|| {
        // Bob's many referenda, each of which wakes in 28 days, in every block for some time.
        let timeout = days::<28>();
        let many = 3 * PLACES;
        for _ in 0..many {
            submit_remark(&Bob.to_account_id());
        }
        let full = System::block_number() + timeout;
        let taken = |block| Agenda::<Runtime>::get(block).iter().flatten().count() as u32;
        assert_eq!(taken(full), ALARMS, "the rest wake a little later");
        assert_eq!((0..5).map(|later| taken(full + later)).sum::<u32>(), many, "every one wakes");

        // And as many more as fill the next blocks ten times over: each wakes, at the cost of twenty looks.
        for _ in 0..10 * many {
            submit_remark(&Bob.to_account_id());
        }
        let late = (0..1_100).map(|later| taken(full + later)).sum::<u32>();
        assert_eq!(late, 11 * many, "every one wakes");

        let before = pallet_referenda::ReferendumCount::<Runtime>::get();
        let call = pallet_review::Call::raise_extractor { extractor: EXTRACTOR + 1 };
        let proposal = Preimage::bound(RuntimeCall::from(call)).expect("short");
        dispatch(
            &Charlie.to_account_id(),
            pallet_referenda::Call::submit {
                proposal_origin: Box::new(root()),
                proposal,
                enactment_moment: DispatchTime::At(full),
            },
        );
        dispatch(
            &Dave.to_account_id(),
            pallet_referenda::Call::place_decision_deposit { index: before },
        );
        agree(before);
        until_over(before);
        assert!(matches!(info(before), ReferendumInfo::Approved(..)));
        assert!(System::block_number() < full, "it is decided before");
        while System::block_number() < full {
            next_block();
        }
        assert_eq!(pallet_review::CurrentExtractor::<Runtime>::get(), EXTRACTOR + 1);
    });
}

/// Places of a track are counted by an alarm in the block after a referendum ends. Where its agenda was full they stayed
/// taken for ever: three ends of 50 OPEN each shut the root track.
#[test]
fn a_full_agenda_takes_no_place_of_a_track_for_ever() {
    without_sudo(|| {
        let remark = || frame_system::Call::remark { remark: vec![1] };
        let index = propose(root(), remark());
        let ends = loop {
            if let ReferendumInfo::Ongoing(status) = info(index) {
                if let Some(deciding) = status.deciding {
                    break deciding.since + Tracks::info(0).expect("root").decision_period;
                }
            }
            next_block();
        };
        // Whoever did this chose the moment; what counts is that the block after the end is full.
        for block in [ends, ends + 1] {
            let filler = pallet_scheduler::Agenda::<Runtime>::decode_len(block).unwrap_or(0);
            for _ in filler..50 {
                pallet_scheduler::Pallet::<Runtime>::schedule(
                    RuntimeOrigin::root(),
                    block,
                    None,
                    128,
                    Box::new(remark().into()),
                )
                .expect("there is room");
            }
        }
        until_over(index);
        assert!(matches!(info(index), ReferendumInfo::Rejected(..)));
        for _ in 0..3 {
            next_block();
        }
        assert_eq!(pallet_referenda::DecidingCount::<Runtime>::get(0), 0);
    });
}

#[test]
fn what_a_preimage_holds_comes_back() {
    without_sudo(|| {
        let alice = Alice.to_account_id();
        let (all, free) = (total(&alice), Balances::free_balance(&alice));
        let bytes =
            RuntimeCall::from(frame_system::Call::remark { remark: vec![1; 1_000] }).encode();
        let hash = sp_core::H256(sp_io::hashing::blake2_256(&bytes));
        let held = OPEN / 10 + bytes.len() as u128 * OPEN / 10_000;
        dispatch(&alice, pallet_preimage::Call::note_preimage { bytes });
        assert_eq!((total(&alice), Balances::free_balance(&alice)), (all, free - held));
        dispatch(&alice, pallet_preimage::Call::unnote_preimage { hash });
        assert_eq!(Balances::free_balance(&alice), free);
    });
}

#[test]
fn periods_come_from_genesis() {
    genesis("development").execute_with(|| {
        let root = Tracks::info(0).expect("it is there");
        assert_eq!((root.prepare_period, root.decision_period, root.confirm_period), (3, 42, 3));
        let small = Tracks::info(3).expect("it is there");
        assert_eq!((small.prepare_period, small.confirm_period), (1, 1));
        assert_eq!(days::<7>(), 21);
    });
    genesis("local_testnet").execute_with(|| {
        let root = Tracks::info(0).expect("it is there");
        assert_eq!(
            (root.prepare_period, root.decision_period, root.min_enactment_period),
            (DAY, 14 * DAY, DAY)
        );
        let small = Tracks::info(3).expect("it is there");
        assert_eq!((small.prepare_period, small.confirm_period), (4 * HOUR, 12 * HOUR));
        assert_eq!(days::<7>(), 7 * DAY);
        // Sudo's key is nobody's, and the treasury has no vote.
        assert!(pallet_sudo::Key::<Runtime>::get().is_none());
        begin_block();
        assert!(Balances::active_issuance() < 6_000_001 * OPEN);
        end_block();
    });
}
