//! Calls on a young chain, beside transfers.

use crate::{
    chain::{Block, Chain},
    measure::{self, Kind},
    report::Line,
};
use codec::Decode;
use openledger_primitives::{
    api::SubmissionItem, ContentId, DatanetId, MediaType, Modality, ReviewPolicy, Score, Verdict,
    EXTRACTOR, MAX_ITEMS,
};
use openledger_runtime::{
    configs::RuntimeBlockWeights, parameters::Lengths, AccountId, RuntimeCall, RuntimeEvent,
    SLOT_MILLISECONDS,
};
use openledger_tests::{Error, Result};
use pallet_review::CastVote;
use sp_core::{sr25519, Pair, H256};
use std::time::Instant;

/// How much is sent.
pub struct Amounts {
    /// Contributors of one file in one call: an account has one free call in the pool at a time.
    pub single: u32,
    /// Contributors of twenty files in one call.
    pub batched: u32,
    /// Transfers.
    pub transfers: usize,
    /// Files that are accepted, to count what they leave behind.
    pub accepted: usize,
    /// Calls of twenty files that committees judge.
    pub draws: u32,
    /// Seats that committees are drawn from: few and many.
    pub seats: [u32; 2],
    /// Accounts that make each of many calls.
    pub full_accounts: u32,
    /// Blocks full of transfers, behind which finality is looked at.
    pub full_blocks: u64,
    /// Rounds of each measurement.
    pub rounds: usize,
}

/// A key that nobody else uses.
pub fn user(name: &str, number: u32) -> sr25519::Pair {
    sr25519::Pair::from_seed(&sp_io::hashing::blake2_256(format!("{name}/{number}").as_bytes()))
}

/// Those whom a test network endows.
pub fn endowed() -> Vec<sr25519::Pair> {
    use sp_keyring::Sr25519Keyring::*;
    [Alice, Bob, Charlie, Dave, Eve, Ferdie].map(|key| key.pair()).into()
}

/// A file that nobody else has.
pub fn file(name: &str, number: u32, turn: u32) -> SubmissionItem {
    let sha256 = sp_io::hashing::sha2_256(format!("{name}/{number}/{turn}").as_bytes());
    SubmissionItem { content: ContentId::raw(sha256), sha256, size: 1_000, media: MediaType::Txt }
}

/// A submission of files.
pub fn submit(datanet: DatanetId, items: Vec<SubmissionItem>) -> Result<RuntimeCall> {
    let items = items.try_into().map_err(|_| {
        Error::broken("the bench", format!("more than {MAX_ITEMS} files in a call"))
    })?;
    Ok(pallet_datanets::Call::submit { datanet, items }.into())
}

/// Whether a call submits so many files.
pub fn submits(call: &RuntimeCall, files: usize) -> bool {
    matches!(call, RuntimeCall::Datanets(pallet_datanets::Call::submit { items, .. })
        if items.len() == files)
}

fn is_transfer(call: &RuntimeCall) -> bool {
    matches!(call, RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { .. }))
}

/// A text Datanet of the first endowed account, with itself as its curator.
pub fn create_datanet(owner: &sr25519::Pair) -> Result<RuntimeCall> {
    let members = vec![AccountId::from(owner.public())];
    let members =
        members.try_into().map_err(|_| Error::broken("the bench", "a list is too long"))?;
    create(ReviewPolicy::Curators { members, threshold: 1 })
}

/// A text Datanet.
pub fn create(policy: ReviewPolicy<AccountId>) -> Result<RuntimeCall> {
    let too_long = |_| Error::broken("the bench", "a list is too long");
    Ok(pallet_datanets::Call::create_datanet {
        name: b"bench".to_vec().try_into().map_err(too_long)?,
        modality: Modality::Text,
        min_units: 1,
        max_units: 100_000,
        daily_limit: None,
        policy,
    }
    .into())
}

/// Measures on a chain that has just begun.
pub fn run(chain: &Chain, amounts: &Amounts) -> Result<Vec<Line>> {
    let rich = endowed();
    let owner = rich.first().ok_or_else(|| Error::broken("the bench", "nobody is endowed"))?;
    chain.send(vec![(owner, vec![create_datanet(owner)?])])?;

    let single: Vec<_> = (0..amounts.single).map(|number| user("single", number)).collect();
    let batched: Vec<_> = (0..amounts.batched).map(|number| user("batched", number)).collect();
    eprintln!("registering {} contributors", single.len() + batched.len());
    register(chain, &rich, single.iter().chain(&batched))?;

    eprintln!("{} transfers", amounts.transfers);
    let to: Vec<AccountId> = single.iter().map(|key| key.public().into()).collect();
    let each = amounts.transfers / rich.len();
    let first = chain.send(
        rich.iter()
            .map(|from| {
                let transfer = |to: &AccountId| {
                    pallet_balances::Call::transfer_keep_alive { dest: to.clone().into(), value: 1 }
                        .into()
                };
                (from, to.iter().cycle().take(each).map(transfer).collect())
            })
            .collect(),
    )?;
    let transfers = Kind::find(chain, "transfers", first + 1, is_transfer)?;

    eprintln!("{} submissions of one file", amounts.single);
    let calls = |(number, key)| {
        let number: u32 = number;
        Ok((key, vec![submit(0, vec![file("single", number, 0)])?]))
    };
    let batches = (0..).zip(&single).map(calls).collect::<Result<_>>()?;
    let first_single = chain.send(batches)?;
    let singles = Kind::find(chain, "submissions", first_single + 1, |call| submits(call, 1))?;

    eprintln!("{} submissions of {MAX_ITEMS} files", amounts.batched);
    let calls = |(number, key)| {
        let number: u32 = number;
        let files = (0..MAX_ITEMS).map(|turn| file("batched", number, turn)).collect();
        Ok((key, vec![submit(0, files)?]))
    };
    let batches = (0..).zip(&batched).map(calls).collect::<Result<_>>()?;
    let begin = Instant::now();
    let first_batched = chain.send(batches)?;
    let last = chain.block()?;
    chain.wait_for_final(last)?;
    let until_final = begin.elapsed();
    let full = MAX_ITEMS as usize;
    let whole =
        Kind::find(chain, "submissions of 20", first_batched + 1, |call| submits(call, full))?;

    for kind in [&transfers, &singles, &whole] {
        kind.ensure_success(chain)?;
    }
    let best = chain.block()?;
    chain.wait_for(best + 1)?;
    let empty = chain.read(best + 1)?;
    eprintln!("executing blocks once more, in turns");
    let kinds = [&transfers, &singles, &whole];
    let taken = measure::in_turns(amounts.rounds, || measure::once(chain, &empty, &kinds))?;
    let [transfer, submission, call] = taken.as_slice() else {
        return Err(Error::broken("the bench", "a measurement is missing"));
    };
    let item = call / f64::from(MAX_ITEMS);

    for (kind, time) in [(&transfers, transfer), (&singles, submission), (&whole, call)] {
        profile(chain, kind, *time)?;
    }
    let files = amounts.batched * MAX_ITEMS;
    let bytes = bytes_of_accepted(chain, owner, amounts.accepted)?;
    let transfers_name = "transfer_keep_alive";
    Ok(vec![
        Line::beside("submission_vs_transfer", "µs a call", *submission, *transfer, transfers_name),
        Line::beside("batched_item_vs_transfer", "µs an item", item, *transfer, transfers_name),
        Line::alone(
            "finalised_items_per_second",
            "items/s",
            f64::from(files) / until_final.as_secs_f64(),
        ),
        Line::alone("state_bytes_per_accepted_file", "bytes", bytes),
    ])
}

/// Registers contributors at the expense of those who are endowed.
pub fn register<'a>(
    chain: &Chain,
    sponsors: &[sr25519::Pair],
    contributors: impl Iterator<Item = &'a sr25519::Pair>,
) -> Result<()> {
    let mut calls: Vec<Vec<RuntimeCall>> = vec![Vec::new(); sponsors.len()];
    for (number, key) in contributors.enumerate() {
        let contributor = key.public().into();
        if let Some(calls) = calls.get_mut(number % sponsors.len()) {
            calls.push(pallet_datanets::Call::register_for { contributor }.into());
        }
    }
    chain.send(sponsors.iter().zip(calls).collect())?;
    Ok(())
}

/// Says what bounds the fullest block of a kind.
fn profile(chain: &Chain, kind: &Kind, time: f64) -> Result<()> {
    let (Some(block), Some(count)) = (kind.blocks.first(), kind.counts.first()) else {
        return Ok(());
    };
    let normal = weight_of_calls(chain, block)? as f64;
    let most = RuntimeBlockWeights::get().max_block.ref_time() as f64;
    let executed = time * *count as f64 / 1e3;
    println!(
        "block {}: {count} {}, executed in {executed:.0} ms of a slot of {SLOT_MILLISECONDS} ms ({time:.0} µs a \
         call); declared weights take {:.1} % of a block",
        block.number,
        kind.name,
        100.0 * normal / most,
    );
    Ok(())
}

/// What the calls of a block weigh, in picoseconds.
pub fn weight_of_calls(chain: &Chain, block: &Block) -> Result<u64> {
    let key = frame_support::storage::storage_prefix(b"System", b"BlockWeight");
    let stored = chain.storage(&key, Some(block.hash))?.unwrap_or_default();
    let used = frame_system::ConsumedWeight::decode(&mut stored.as_slice())
        .map_err(|cause| Error::broken("the node", format!("no weight of a block: {cause}")))?;
    Ok(used.get(frame_support::dispatch::DispatchClass::Normal).ref_time())
}

/// Has files accepted, and counts the bytes of state that each left: keys and values of all pallets, the
/// account's position included, divided by the files.
fn bytes_of_accepted(chain: &Chain, curator: &sr25519::Pair, files: usize) -> Result<f64> {
    let settle = Lengths::DEVELOPMENT.challenge_window;
    let name = "accepted";
    let contributors: Vec<_> =
        (0..files.div_ceil(MAX_ITEMS as usize) as u32).map(|number| user(name, number)).collect();
    register(chain, &endowed(), contributors.iter())?;
    chain.wait_for(chain.block()? + 2)?;
    let before = state(chain)?;
    let mut submitted = 0;
    let mut batches = Vec::new();
    for (number, key) in (0..).zip(&contributors) {
        let items: Vec<_> = (0..MAX_ITEMS).map(|turn| file(name, number, turn)).collect();
        submitted += items.len();
        batches.push((key, vec![submit(0, items)?]));
    }
    let first = chain.send(batches)?;
    chain.wait_for(chain.block()? + u64::from(settle) + 1)?;
    let calls = votes(chain, first + 1)?
        .chunks(MAX_ITEMS as usize)
        .map(|votes| {
            let votes = votes.to_vec().try_into().map_err(|_| {
                Error::broken("the bench", format!("more than {MAX_ITEMS} votes in a call"))
            })?;
            Ok(pallet_review::Call::vote_many { votes }.into())
        })
        .collect::<Result<_>>()?;
    chain.send(vec![(curator, calls)])?;
    chain.wait_for(chain.block()? + 2)?;
    let after = state(chain)?;
    Ok((after as f64 - before as f64) / submitted as f64)
}

/// A curator's votes to accept every file that was submitted from a block on.
pub fn votes(chain: &Chain, first: u64) -> Result<Vec<CastVote>> {
    let mut votes = Vec::new();
    for number in first..=chain.block()? {
        for event in chain.events(&chain.read(number)?)? {
            if let RuntimeEvent::Datanets(pallet_datanets::Event::Submitted {
                datanet,
                sha256,
                submission,
                ..
            }) = event
            {
                votes.push(CastVote { datanet, sha256, submission, verdict: accept() });
            }
        }
    }
    Ok(votes)
}

/// What everybody says of every file.
pub fn accept() -> Verdict {
    Verdict::Accept {
        score: Score::new(80).unwrap_or(Score::MAX),
        units: 500,
        text_root: H256::repeat_byte(1),
        extractor: EXTRACTOR,
    }
}

/// Bytes of all keys and values of our pallets.
fn state(chain: &Chain) -> Result<u64> {
    let mut sum = 0;
    for pallet in ["Datanets", "Review", "Leaderboard"] {
        let prefix = sp_io::hashing::twox_128(pallet.as_bytes());
        sum += chain.size(&prefix)?;
    }
    Ok(sum)
}
