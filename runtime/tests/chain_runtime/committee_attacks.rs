//! Attacks on drawn committees where pallets meet, replayed through Executive with every extension.

use crate::{common::*, random_reviews::committees};
use openledger_primitives::{
    committee::{Phase, Rules},
    precommitment, RefusalRule, Salt, OPEN,
};
use openledger_runtime::{Datanets, Runtime, RuntimeCall, RuntimeOrigin, System};
use pallet_review::{Budgets, Draws};
use sp_core::sr25519::Pair;
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

const SALT: Salt = [42; 32];

fn refused(rule: RefusalRule) -> TransactionValidityError {
    InvalidTransaction::Custom(rule.code()).into()
}

/// Datanet 0 before committees of thirty reviewers, and contributors.
pub fn set_up(contributors: std::ops::Range<u32>) -> (u32, Vec<Pair>) {
    begin_block();
    let datanet = text_datanet();
    let reviewers: Vec<_> = (100..130).map(|n| id(&user(n))).collect();
    committees(0, &reviewers);
    let contributors: Vec<_> = contributors.map(user).collect();
    contributors.iter().for_each(|who| sponsor(&id(who)));
    sessions(2);
    // Seats and free calls share what the block of their change has for both.
    next_block();
    (datanet, contributors)
}

pub fn session() -> u32 {
    pallet_session::CurrentIndex::<Runtime>::get()
}

pub fn next_block() {
    end_block();
    begin_block();
}

/// Until the first block of the session that comes so much later.
pub fn sessions(count: u32) {
    let until = session() + count;
    while session() < until {
        next_block();
    }
}

fn withdraw(datanet: u32, bytes: &[u8]) -> RuntimeCall {
    pallet_datanets::Call::withdraw { datanet, sha256: item(bytes).sha256 }.into()
}

#[track_caller]
pub fn sent(who: &Pair, call: RuntimeCall) {
    let nonce = System::account_nonce(id(who));
    apply(sign(who, nonce, call)).expect("valid").expect("dispatched");
}

fn refusal(who: &Pair, call: RuntimeCall) -> TransactionValidityError {
    validate(&sign(who, System::account_nonce(id(who)), call)).expect_err("it is refused")
}

#[test]
fn whoever_computes_a_committee_before_its_draw_cannot_avoid_it() {
    genesis("development").execute_with(|| {
        let (datanet, who) = set_up(0..7);
        let (rival, last) = (&who[6], &who[5]);
        let bytes = |n: usize| vec![b'a' + n as u8; 20];
        let commitment = precommitment(&id(rival), datanet, &item(&bytes(5)).sha256, &SALT);
        let commitments = vec![commitment].try_into().expect("one");
        sent(rival, pallet_datanets::Call::precommit { commitments }.into());
        next_block();
        for (n, one) in who[..6].iter().enumerate() {
            sent(one, submit(datanet, vec![item(&bytes(n))]));
            next_block();
        }
        // Before its seed stands either is possible.
        sessions(1);
        let mine = withdraw(datanet, &bytes(5));
        let open: RuntimeCall = pallet_datanets::Call::open {
            datanet,
            items: vec![item(&bytes(5))].try_into().expect("one"),
            salt: SALT,
        }
        .into();
        let valid = |who: &Pair, call: &RuntimeCall| {
            validate(&sign(who, System::account_nonce(id(who)), call.clone())).is_ok()
        };
        assert!(valid(last, &mine) && valid(rival, &open));
        // The seed is in the state, and four of six committees are drawn.
        sessions(1);
        let waits = |draw: u64| {
            let record = Draws::<Runtime>::get(draw).expect("it is not over");
            matches!(record.draw.phase, Phase::Waiting { .. })
        };
        assert!(!waits(3) && waits(5));
        assert!(pallet_review::Seeds::<Runtime>::contains_key(session()));
        assert_eq!(refusal(last, mine), refused(RefusalRule::Drawn));
        assert_eq!(refusal(rival, open), refused(RefusalRule::Drawn));
        next_block();
        assert!(!waits(5));
        end_block();
    });
}

#[test]
fn an_owner_who_sees_a_seed_cannot_have_another_by_taking_the_money_away() {
    genesis("development").execute_with(|| {
        let (datanet, who) = set_up(0..2);
        let owner = Datanets::datanet(datanet).expect("there is one").owner;
        let take = |amount| {
            let call = RuntimeCall::from(pallet_review::Call::take_back { datanet, amount });
            call.dispatch(RuntimeOrigin::signed(owner.clone())).is_ok()
        };
        let reserve = Rules::DEFAULT.reserve();
        assert!(take(20 * OPEN - 2 * reserve));
        let files = |n: u8| (0..n).map(|k| item(&[n, k, 7])).collect::<Vec<_>>();
        // A call that the budget cannot pay for takes no place among the draws, by no retry.
        assert_eq!(refusal(&who[0], submit(datanet, files(3))), refused(RefusalRule::ReviewBudget));
        sent(&who[0], submit(datanet, files(2)));
        assert_eq!(refusal(&who[1], submit(datanet, files(1))), refused(RefusalRule::ReviewBudget));
        assert!(!take(1), "it is set aside");
        sessions(2);
        assert!(!take(1));
        let record = Draws::<Runtime>::get(0).expect("it is not over");
        assert!(matches!(record.draw.phase, Phase::Committing { .. }), "it was drawn at once");
        assert_eq!(Budgets::<Runtime>::get(datanet).reserved, 2 * reserve);
        end_block();
    });
}
