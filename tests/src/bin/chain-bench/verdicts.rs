//! What a verdict costs the chain: a committee's, from its draw to its settlement, beside a curator's vote.

use crate::{
    chain::{Block, Chain},
    live::{accept, create, endowed, file, register, submit, user, votes, Amounts},
    measure::{self, Kind},
    plant::SEATS,
    report::Line,
};
use codec::{Decode, Encode};
use openledger_primitives::{
    committee::{
        api::DrawView, commitment, possession, BudgetTerms, Opinion, Opinions, Phase, Rules,
    },
    DatanetId, ReviewPolicy, Salt, MAX_ITEMS, OPEN,
};
use openledger_runtime::{parameters::Lengths, AccountId, RuntimeCall, RuntimeEvent};
use openledger_tests::{Error, Result};
use pallet_review::{Call, Event};
use sp_core::{sr25519, Pair};

/// Accounts with a seat.
const REVIEWERS: u32 = 25;
/// The Datanet that curators judge, which [`crate::live`] has created, and the committees' one after it.
const CURATED: DatanetId = 0;
const DRAWN: DatanetId = 1;
/// Blocks to wait for a committee, a decision or a settlement, at most.
const PATIENCE: u64 = 120;

/// A committee was drawn.
pub fn is_drawn(event: &RuntimeEvent) -> bool {
    matches!(event, RuntimeEvent::Review(Event::CommitteeDrawn { .. }))
}

fn is_decided(event: &RuntimeEvent) -> bool {
    matches!(event, RuntimeEvent::Review(Event::DrawDecided { .. }))
}

fn is_settled(event: &RuntimeEvent) -> bool {
    matches!(event, RuntimeEvent::Review(Event::FileEnded { .. }))
}

/// A block without transactions and without anything to do for draws.
pub fn empty(chain: &Chain) -> Result<Block> {
    loop {
        let best = chain.block()?;
        chain.wait_for(best + 1)?;
        let block = chain.read(best + 1)?;
        let begins = |event: &RuntimeEvent| matches!(event, RuntimeEvent::Session(_));
        if !chain.events(&block)?.iter().any(begins) {
            return Ok(block);
        }
    }
}

/// Waits until so many committees are drawn.
pub fn wait_until_drawn(chain: &Chain, count: usize) -> Result<()> {
    wait(chain, "committees that are drawn", || {
        let drawn = draws(chain)?;
        let waits = |view: &DrawView<AccountId>| view.draw.members.is_empty();
        Ok(drawn.len() == count && !drawn.iter().any(waits))
    })
}

fn wait(chain: &Chain, what: &str, mut over: impl FnMut() -> Result<bool>) -> Result<()> {
    let last = chain.block()? + PATIENCE;
    while !over()? {
        let best = chain.block()?;
        if best > last {
            return Err(Error::broken("the bench", format!("no {what} in {PATIENCE} blocks")));
        }
        chain.wait_for(best + 1)?;
    }
    Ok(())
}

/// Every draw that is not over.
fn draws(chain: &Chain) -> Result<Vec<DrawView<AccountId>>> {
    let at = chain.hash(chain.block()?)?;
    let (answer, _) = chain.runtime_api("CommitteeApi_draws", &(0u64, 100u32).encode(), at)?;
    Vec::decode(&mut answer.as_slice())
        .map_err(|cause| Error::broken("the node", format!("no draws: {cause}")))
}

/// Measures a verdict of each kind.
pub fn run(chain: &Chain, amounts: &Amounts) -> Result<Vec<Line>> {
    let count = amounts.draws;
    let (reviewers, began) = submit_all(chain, count)?;
    eprintln!("waiting for {count} committees");
    wait_until_drawn(chain, count as usize)?;
    let committees = draws(chain)?;

    eprintln!("{} members commit and reveal", committees.len() * usize::from(Rules::DEFAULT.size));
    let salt: Salt = [7; 32];
    let opinions = committees.iter().map(opinions).collect::<Result<Vec<_>>>()?;
    let commit = |draw: usize, account: &AccountId| -> Option<RuntimeCall> {
        let (view, opinions) = (committees.get(draw)?, opinions.get(draw)?);
        let sealed = commitment(view.id, &view.draw.seed, account, opinions, &salt);
        Some(Call::commit { draw: view.id, commitment: sealed }.into())
    };
    let reveal = |draw: usize, _: &AccountId| -> Option<RuntimeCall> {
        let (view, opinions) = (committees.get(draw)?, opinions.get(draw)?);
        Some(Call::reveal { draw: view.id, opinions: opinions.clone(), salt }.into())
    };
    let (commits, last_commits) =
        everybody(chain, &committees, &reviewers, "commits", commit, |call| {
            matches!(call, RuntimeCall::Review(Call::commit { .. }))
        })?;
    wait(chain, "reveals", || {
        let revealing =
            |view: &DrawView<AccountId>| matches!(view.draw.phase, Phase::Revealing { .. });
        Ok(draws(chain)?.iter().all(revealing))
    })?;
    let (reveals, last_reveals) =
        everybody(chain, &committees, &reviewers, "reveals", reveal, |call| {
            matches!(call, RuntimeCall::Review(Call::reveal { .. }))
        })?;
    eprintln!("waiting for {} settlements", count * MAX_ITEMS);
    wait(chain, "settlements", || Ok(draws(chain)?.is_empty()))?;
    let steps = |name, is: fn(&RuntimeEvent) -> bool| Kind::steps(chain, name, began, is);
    let drawn = steps("draws", is_drawn)?;
    let decided = steps("decisions", is_decided)?;
    let settled = steps("settlements", is_settled)?;
    let votes = curated(chain, count)?;
    for kind in [&commits, &last_commits, &reveals, &last_reveals, &votes] {
        kind.ensure_success(chain)?;
    }

    let empty = empty(chain)?;
    eprintln!("executing blocks once more, in turns");
    let kinds =
        [&drawn, &commits, &last_commits, &reveals, &last_reveals, &decided, &settled, &votes];
    let taken = measure::in_turns(amounts.rounds, || measure::once(chain, &empty, &kinds))?;
    let [drawn, commit, last_commit, reveal, last_reveal, decided, settled, vote] = taken[..]
    else {
        return Err(Error::broken("the bench", "a measurement is missing"));
    };
    let others = f64::from(Rules::DEFAULT.size) - 1.0;
    let call = drawn + others * (commit + reveal) + last_commit + last_reveal + decided;
    let file = call / f64::from(MAX_ITEMS) + settled;
    println!(
        "a call of {MAX_ITEMS} files: draw {drawn:.0} µs, {others} commits of {commit:.0} µs and the last {last_commit:.0} \
         µs, {others} reveals of {reveal:.0} µs and the last {last_reveal:.0} µs, decision {decided:.0} µs; settlement of \
         a file {settled:.0} µs",
    );
    let peer = "a curator's vote";
    Ok(vec![Line::beside("verdict_cost_per_file", "µs a file", file, vote, peer)])
}

/// Seats, a Datanet with a budget, and calls of twenty files. Returns who has seats, and the block before the
/// calls.
fn submit_all(chain: &Chain, count: u32) -> Result<(Vec<sr25519::Pair>, u64)> {
    let rich = endowed();
    let owner = rich.first().ok_or_else(|| Error::broken("the bench", "nobody is endowed"))?;
    let contributors: Vec<_> = (0..count).map(|number| user("judged", number)).collect();
    let reviewers: Vec<_> = (0..REVIEWERS).map(|number| user("reviewer", number)).collect();
    eprintln!("{REVIEWERS} seats, {count} calls of {MAX_ITEMS} files");
    register(chain, &rich, contributors.iter())?;
    let gift = |key: &sr25519::Pair| -> RuntimeCall {
        let dest = AccountId::from(key.public()).into();
        pallet_balances::Call::transfer_keep_alive { dest, value: 150 * OPEN }.into()
    };
    let files = u128::from(count) * u128::from(MAX_ITEMS);
    let amount = Rules::DEFAULT.reserve() * files + OPEN;
    let terms = BudgetTerms { share: 100, ..BudgetTerms::DEFAULT };
    let mut calls = vec![
        create(ReviewPolicy::Committee { own_seats: false })?,
        Call::fund_budget { datanet: DRAWN, amount }.into(),
        Call::set_budget_terms { datanet: DRAWN, terms }.into(),
    ];
    calls.extend(reviewers.iter().map(gift));
    chain.send(vec![(owner, calls)])?;
    let bond = || -> RuntimeCall { Call::bond_seats { pool: SEATS, seats: 1 }.into() };
    chain.send(reviewers.iter().map(|reviewer| (reviewer, vec![bond()])).collect())?;
    let began = chain.send(calls_of_twenty(DRAWN, "judged", &contributors)?)?;
    Ok((reviewers, began))
}

fn calls_of_twenty<'a>(
    datanet: DatanetId,
    name: &str,
    contributors: &'a [sr25519::Pair],
) -> Result<Vec<(&'a sr25519::Pair, Vec<RuntimeCall>)>> {
    let call = |(number, key)| {
        let files = (0..MAX_ITEMS).map(|turn| file(name, number, turn)).collect();
        Ok((key, vec![submit(datanet, files)?]))
    };
    (0..).zip(contributors).map(call).collect()
}

/// What everybody says of a draw's files: the same, since the proofs of those who have a file are equal.
fn opinions(view: &DrawView<AccountId>) -> Result<Opinions> {
    let opinions: Vec<_> = view
        .draw
        .files
        .iter()
        .map(|file| Opinion {
            verdict: accept(),
            possession: possession(&view.draw.seed, &file.sha256),
        })
        .collect();
    opinions.try_into().map_err(|_| Error::broken("the bench", "a draw has more files than a call"))
}

/// Every member sends a call of `make` for each of its draws. The last member of each draw goes after the others,
/// so that blocks with the others' calls have nothing else to do. Returns the blocks of the others and those of
/// the last.
fn everybody(
    chain: &Chain,
    committees: &[DrawView<AccountId>],
    reviewers: &[sr25519::Pair],
    name: &'static str,
    make: impl Fn(usize, &AccountId) -> Option<RuntimeCall>,
    is: impl Fn(&RuntimeCall) -> bool,
) -> Result<(Kind, Kind)> {
    let send = |last: bool| {
        let mut batches = Vec::new();
        for reviewer in reviewers {
            let account = AccountId::from(reviewer.public());
            let sends = |view: &DrawView<AccountId>| {
                let place = view.draw.members.iter().position(|one| one.account == account);
                place.is_some_and(|place| (place + 1 == view.draw.members.len()) == last)
            };
            let calls: Vec<_> = (0..)
                .zip(committees)
                .filter(|(_, view)| sends(view))
                .filter_map(|(number, _)| make(number, &account))
                .collect();
            if !calls.is_empty() {
                batches.push((reviewer, calls));
            }
        }
        chain.send(batches)
    };
    let first = send(false)?;
    let others = Kind::find(chain, name, first + 1, &is)?;
    let first = send(true)?;
    Ok((others, Kind::find(chain, name, first + 1, &is)?))
}

/// A curator votes on as many files, one a transaction.
fn curated(chain: &Chain, count: u32) -> Result<Kind> {
    eprintln!("{} votes of a curator", count * MAX_ITEMS);
    let rich = endowed();
    let owner = rich.first().ok_or_else(|| Error::broken("the bench", "nobody is endowed"))?;
    let contributors: Vec<_> = (0..count).map(|number| user("voted", number)).collect();
    register(chain, &rich, contributors.iter())?;
    let submitted = chain.send(calls_of_twenty(CURATED, "voted", &contributors)?)?;
    chain.wait_for(chain.block()? + u64::from(Lengths::DEVELOPMENT.challenge_window) + 1)?;
    let calls = votes(chain, submitted + 1)?
        .into_iter()
        .map(|vote| {
            let pallet_review::CastVote { datanet, sha256, submission, verdict } = vote;
            Call::vote { datanet, sha256, submission, verdict }.into()
        })
        .collect();
    let first = chain.send(vec![(owner, calls)])?;
    Kind::find(chain, "votes", first + 1, |call| {
        matches!(call, RuntimeCall::Review(Call::vote { .. }))
    })
}
