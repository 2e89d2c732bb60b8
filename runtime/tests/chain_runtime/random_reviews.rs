//! Random calls about seats, draws and review budgets.

use crate::{
    common::*,
    likely::{measured, somebody, Dice},
};
use openledger_primitives::{
    committee::{
        commitment, possession, BudgetTerms, DrawId, Opinion, Opinions, Phase, PoolId, Progress,
    },
    Modality, RejectionReason, ReviewPolicy, OPEN,
};
use openledger_runtime::{AccountId, Datanets, Runtime, RuntimeCall, RuntimeOrigin};
use pallet_review::{Call, DrawRecord, Draws, NextDraw};
use sp_core::H256;
use sp_keyring::Sr25519Keyring;
use sp_runtime::traits::{BlakeTwo256, Dispatchable, Hash};

const POOL: PoolId = PoolId::Modality(Modality::Text);

/// Has a Datanet judged by committees, with seats for everybody and a budget.
pub fn committees(datanet: u32, reviewers: &[AccountId]) {
    let owner = Datanets::datanet(datanet).expect("there is one").owner;
    let policy = ReviewPolicy::Committee { own_seats: false };
    let call = RuntimeCall::from(Call::set_policy { datanet, policy });
    call.dispatch(RuntimeOrigin::signed(owner.clone())).expect("no money waits");
    let call = RuntimeCall::from(Call::fund_budget { datanet, amount: 20 * OPEN });
    call.dispatch(RuntimeOrigin::signed(owner.clone())).expect("it has more");
    let terms = BudgetTerms { share: 100, ..BudgetTerms::DEFAULT };
    let call = RuntimeCall::from(Call::set_budget_terms { datanet, terms });
    call.dispatch(RuntimeOrigin::signed(owner)).expect("it is the owner's");
    for who in reviewers {
        dispatch(
            &Sr25519Keyring::Alice.to_account_id(),
            pallet_balances::Call::transfer_keep_alive {
                dest: who.clone().into(),
                value: 500 * OPEN,
            },
        );
        let call = RuntimeCall::from(Call::bond_seats { pool: POOL, seats: 1 });
        call.dispatch(RuntimeOrigin::signed(who.clone())).expect("it can pay");
    }
}

/// What an account says of every file of a draw: always the same, mostly what the others say.
fn words(draw: DrawId, record: &DrawRecord<AccountId>, who: &AccountId) -> Opinions {
    let number = BlakeTwo256::hash_of(&(draw, who)).0[0];
    let word = |sha256: &[u8; 32]| {
        let here = possession(&record.draw.seed, sha256);
        match number {
            0..=20 => Opinion::UNAVAILABLE,
            21..=40 => Opinion {
                verdict: openledger_primitives::Verdict::Reject(RejectionReason::OffTopic),
                possession: here,
            },
            41..=50 => Opinion { verdict: measured(50, 900, 1), possession: H256::repeat_byte(1) },
            _ => Opinion { verdict: measured(1 + number % 100, 700, 1), possession: here },
        }
    };
    let words: Vec<_> = record.draw.files.iter().map(|file| word(&file.sha256)).collect();
    words.try_into().expect("as many as a call has")
}

/// A step of a member of a draw, if one has something to say.
pub fn step(dice: &mut Dice, draw: DrawId) -> Option<(RuntimeCall, AccountId)> {
    let record = Draws::<Runtime>::get(draw)?;
    let waiting: Vec<_> = record
        .draw
        .members
        .iter()
        .filter(|member| match record.draw.phase {
            Phase::Committing { .. } => matches!(member.progress, Progress::Drawn),
            Phase::Revealing { .. } => matches!(member.progress, Progress::Committed(_)),
            _ => false,
        })
        .collect();
    let who = waiting.get(dice.roll(waiting.len().max(1) as u64) as usize)?.account.clone();
    let words = words(draw, &record, &who);
    let call = match record.draw.phase {
        Phase::Committing { .. } => {
            let commitment = commitment(draw, &record.draw.seed, &who, &words, &[0; 32]);
            Call::commit { draw, commitment }
        }
        _ => Call::reveal { draw, opinions: words, salt: [0; 32] },
    };
    Some((call.into(), who))
}

/// A call and who makes it.
pub fn review_call(dice: &mut Dice, datanet: u32) -> (RuntimeCall, AccountId) {
    let draws = NextDraw::<Runtime>::get();
    let draw = draws.saturating_sub(1 + dice.roll(4));
    let who = somebody(dice);
    let owner = Datanets::datanet(datanet).map_or(who.clone(), |view| view.owner);
    match dice.roll(30) {
        0 => (Call::bond_seats { pool: POOL, seats: dice.roll(3) as u32 }.into(), who),
        1 => (Call::unbond_seats { pool: POOL, seats: 1 }.into(), who),
        2 => (Call::withdraw_seats { pool: POOL }.into(), who),
        3 => (Call::top_up { pool: POOL }.into(), who),
        4 => (Call::fund_budget { datanet, amount: dice.amount() }.into(), owner),
        5 => (Call::take_back { datanet, amount: dice.amount() }.into(), owner),
        6 => {
            let (files_a_day, share) = (dice.roll(300) as u32, dice.roll(102) as u8);
            let terms = BudgetTerms { files_a_day, share };
            (Call::set_budget_terms { datanet, terms }.into(), owner)
        }
        7 => {
            let pending = Datanets::pending(datanet, None, 100);
            let files: Vec<_> =
                pending.iter().take(dice.roll(3) as usize).map(|one| one.item.sha256).collect();
            let files = files.try_into().expect("few");
            (Call::request_review { datanet, files }.into(), who)
        }
        8 => (Call::advance {}.into(), who),
        11 => {
            let texts: [&[u8]; 3] = [b"/ip4/203.0.113.7/tcp/4001", b"", b"\x1b[2J"];
            let one = texts[dice.roll(3) as usize].to_vec().try_into().expect("short");
            let addresses = match dice.roll(3) {
                0 => Default::default(),
                _ => vec![one].try_into().expect("one"),
            };
            (Call::serve_at { pool: POOL, addresses }.into(), who)
        }
        9 | 10 => {
            let contributor = Draws::<Runtime>::get(draw).map(|record| record.draw.contributor);
            let who = contributor.filter(|_| dice.roll(2) == 0).unwrap_or(who);
            (Call::challenge { draw, file: dice.roll(2) as u8 }.into(), who)
        }
        _ => step(dice, draw).unwrap_or_else(|| (Call::advance {}.into(), who)),
    }
}
