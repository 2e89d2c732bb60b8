//! A fee is for the dearest that a call may do; when it did less, the rest is given back.

use crate::common::*;
use frame_support::{dispatch::DispatchClass, weights::Weight};
use openledger_primitives::{Balance, BarReason, RejectionReason, RewardTerms, Verdict, OPEN};
use openledger_runtime::{Datanets, Leaderboard, Runtime, RuntimeCall, System};
use pallet_datanets::{WeightInfo as _, MAX_CLEARED};
use pallet_leaderboard::{Call as Pools, WeightInfo as _};
use pallet_review::WeightInfo as _;
use sp_core::sr25519::Pair;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};

type Review = <Runtime as pallet_review::Config>::WeightInfo;
type Rewards = <Runtime as pallet_leaderboard::Config>::WeightInfo;
type Submitting = <Runtime as pallet_datanets::Config>::WeightInfo;

/// Has a call made through the front door. Answers the fee and what it took of the block.
fn made(who: &Pair, call: impl Into<RuntimeCall>) -> (Balance, Weight) {
    let taken = || *System::block_weight().get(DispatchClass::Normal);
    let (before, fees) = (taken(), fees_paid().len());
    let nonce = System::account_nonce(id(who));
    apply(sign(who, nonce, call)).expect("valid").expect("dispatched");
    let fee = fees_paid().get(fees..).unwrap_or_default().iter().sum();
    (fee, taken().saturating_sub(before))
}

/// What one call did less than another of the same length stands in its fee and in the block.
#[track_caller]
fn less(more: (Balance, Weight), less: (Balance, Weight), by: Weight) {
    assert!(by.ref_time() > 0);
    assert_eq!(more.0 - less.0, pallet_transaction_payment::Pallet::<Runtime>::weight_to_fee(by));
    assert_eq!(more.1.saturating_sub(less.1), by);
}

fn go_to(block: u32) {
    assert!(System::block_number() < block);
    System::set_block_number(block);
}

/// A network whose reward periods last an hour, and a Datanet of Alice's that Bob and Charlie judge.
fn on_a_network(test: impl FnOnce(u32)) {
    genesis("local_testnet").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        for who in [Dave, Ferdie] {
            dispatch(&who.to_account_id(), pallet_datanets::Call::register {});
        }
        test(datanet);
        check_state();
    });
}

/// Submits a file and answers the votes on it.
fn submitted(who: &Pair, datanet: u32, name: &[u8]) -> pallet_review::CastVote {
    let file = item(name);
    dispatch(&id(who), submit(datanet, vec![file]));
    let pending = Datanets::pending(datanet, None, 100);
    let view = pending.into_iter().find(|view| view.item.sha256 == file.sha256).expect("it waits");
    let submission = view.submission;
    pallet_review::CastVote {
        datanet,
        sha256: file.sha256,
        submission,
        verdict: accept(80, 700, 1),
    }
}

#[test]
fn a_vote_that_brings_no_verdict_pays_for_none() {
    on_a_network(|datanet| {
        let vote = |it: pallet_review::CastVote| pallet_review::Call::vote {
            datanet,
            sha256: it.sha256,
            submission: it.submission,
            verdict: it.verdict,
        };
        let files = [1, 2, 3].map(|n| submitted(&Dave.pair(), datanet, &[n]));
        // Old enough: no older precommitment can be on its way any more.
        go_to(System::block_number() + 20);
        let cast = made(&Bob.pair(), vote(files[0]));
        let settles = made(&Charlie.pair(), vote(files[0]));
        less(settles, cast, Review::vote() - Review::cast_vote());

        // A refusal takes less than an acceptance.
        let refuse = |it: pallet_review::CastVote| {
            let verdict = Verdict::Reject(RejectionReason::LowQuality);
            vote(pallet_review::CastVote { verdict, ..it })
        };
        let bad = submitted(&Dave.pair(), datanet, b"bad");
        go_to(System::block_number() + 20);
        let (cast, refuses) = (made(&Bob.pair(), refuse(bad)), made(&Charlie.pair(), refuse(bad)));
        less(refuses, cast, Review::refuse_by_vote() - Review::cast_vote());

        let both = || pallet_review::Call::vote_many {
            votes: files[1..].to_vec().try_into().expect("two fit"),
        };
        let (cast, settle) = (made(&Bob.pair(), both()), made(&Charlie.pair(), both()));
        less(settle, cast, Review::vote_many(2) - Review::cast_vote() * 2);
        assert_eq!(Datanets::datanet(datanet).expect("it is there").version.leaves, 3);
    });
}

/// Who is the first to touch a pool in a period ends the one before for everybody.
#[test]
fn only_who_ends_a_period_pays_for_its_end() {
    on_a_network(|datanet| {
        let terms = |n| RewardTerms { per_period: n * OPEN, max_per_point: OPEN / 1_000 };
        let next_period = || go_to(Leaderboard::period().1);
        fund(&Eve.to_account_id(), datanet, 100 * OPEN, terms(5));
        let pay_in = || Pools::fund { datanet, amount: 10 * OPEN, rules: rules(datanet) };
        dispatch(&Ferdie.to_account_id(), pay_in());
        for (n, who) in [Dave, Ferdie].into_iter().enumerate() {
            let vote = submitted(&who.pair(), datanet, &[n as u8]);
            go_to(System::block_number() + 20);
            for curator in [Bob, Charlie] {
                let (sha256, submission, verdict) = (vote.sha256, vote.submission, vote.verdict);
                let vote = pallet_review::Call::vote { datanet, sha256, submission, verdict };
                dispatch(&curator.to_account_id(), vote);
            }
        }
        let claim = |account| Pools::claim { datanet, account };
        next_period();
        let first = made(&Bob.pair(), claim(Dave.to_account_id()));
        let second = made(&Charlie.pair(), claim(Ferdie.to_account_id()));
        less(first, second, Rewards::claim() - Rewards::claim_again());
        next_period();
        let (first, second) = (made(&Eve.pair(), pay_in()), made(&Ferdie.pair(), pay_in()));
        less(first, second, Rewards::fund() - Rewards::fund_again());
        next_period();
        let set = |n| Pools::set_terms { datanet, terms: terms(n) };
        let (first, second) = (made(&Alice.pair(), set(7)), made(&Alice.pair(), set(8)));
        less(first, second, Rewards::set_terms() - Rewards::set_terms_again());
        // Looser terms wait, so that funders may leave.
        next_period();
        let leave = || Pools::leave { datanet, shares: OPEN };
        let (first, second) = (made(&Eve.pair(), leave()), made(&Ferdie.pair(), leave()));
        less(first, second, Rewards::leave() - Rewards::leave_again());
        next_period();
        let withdraw = |account| Pools::withdraw { datanet, account };
        let first = made(&Bob.pair(), withdraw(Eve.to_account_id()));
        let second = made(&Charlie.pair(), withdraw(Ferdie.to_account_id()));
        less(first, second, Rewards::withdraw() - Rewards::withdraw_again());
    });
}

#[test]
fn a_claim_from_several_datanets_pays_for_those_that_owe_something() {
    on_a_network(|datanet| {
        let other = text_datanet();
        let terms = RewardTerms { per_period: OPEN, max_per_point: OPEN / 1_000 };
        for datanet in [datanet, other] {
            fund(&Eve.to_account_id(), datanet, 10 * OPEN, terms);
            for (n, who) in [Dave, Ferdie].into_iter().enumerate() {
                let vote = submitted(&who.pair(), datanet, &[n as u8]);
                go_to(System::block_number() + 20);
                for curator in [Bob, Charlie] {
                    let (sha256, submission, verdict) =
                        (vote.sha256, vote.submission, vote.verdict);
                    let vote = pallet_review::Call::vote { datanet, sha256, submission, verdict };
                    dispatch(&curator.to_account_id(), vote);
                }
            }
        }
        go_to(Leaderboard::period().1);
        let datanets = || vec![datanet, other].try_into().expect("two fit");
        let claim = |account| Pools::claim_many { datanets: datanets(), account };
        let first = made(&Bob.pair(), claim(Dave.to_account_id()));
        let second = made(&Charlie.pair(), claim(Ferdie.to_account_id()));
        let slope = |of: fn(u32) -> Weight| of(1) - of(0);
        let (ended, again) = (slope(Rewards::claim_many), slope(Rewards::claim_many_again));
        less(first, second, (ended - again) * 2);
        // A Datanet that does not exist stands for all that owe nothing.
        let vote = submitted(&Dave.pair(), datanet, b"one more");
        go_to(System::block_number() + 20);
        for curator in [Bob, Charlie] {
            let (sha256, submission, verdict) = (vote.sha256, vote.submission, vote.verdict);
            let vote = pallet_review::Call::vote { datanet, sha256, submission, verdict };
            dispatch(&curator.to_account_id(), vote);
        }
        go_to(Leaderboard::period().1);
        let (datanets, account) = (vec![datanet, 99], Dave.to_account_id());
        let datanets = datanets.try_into().expect("two fit");
        let third = made(&Bob.pair(), Pools::claim_many { datanets, account });
        let idle = slope(Rewards::claim_many_idle);
        less(first, third, ended - idle);
    });
}

#[test]
fn who_registers_with_nobody_before_it_pays_for_no_sponsor() {
    on_a_network(|_| {
        let (sponsored, alone) = (user(1), user(2));
        for who in [&sponsored, &alone] {
            endow(&id(who));
            dispatch(
                &Alice.to_account_id(),
                pallet_balances::Call::transfer_keep_alive {
                    dest: id(who).into(),
                    value: 100 * OPEN,
                },
            );
        }
        sponsor(&id(&sponsored));
        let register = || pallet_datanets::Call::register {};
        let (more, fewer) = (made(&sponsored, register()), made(&alone, register()));
        less(more, fewer, Submitting::register() - Submitting::register_for());
    });
}

/// It is free, but takes room that others pay for.
#[test]
fn clearing_few_entries_takes_the_room_of_few() {
    use pallet_datanets::Call;
    on_a_network(|datanet| {
        let owner = Alice.to_account_id();
        for n in 0..=MAX_CLEARED {
            let (account, reason) = (id(&user(n)), BarReason::Other);
            dispatch(&owner, Call::bar { datanet, account, reason });
        }
        dispatch(&owner, Call::close { datanet });
        let clear = || made(&Bob.pair(), Call::clear_entries { datanet });
        let (most, one) = (clear(), clear());
        assert_eq!((most.0, one.0), (0, 0));
        let by = Submitting::clear_entries(MAX_CLEARED) - Submitting::clear_entries(1);
        assert_eq!(most.1 - one.1, by);
    });
}
