//! Genesis files with many accepted files, and with many seats: what a submission, a claim, a page of the board
//! and a draw touch, written line by line.

use crate::{
    chain::Chain,
    live::{create, create_datanet, endowed},
};
use codec::Encode;
use openledger_primitives::{
    committee::{PoolId, PoolSize, Reviewer, Rules},
    ContentId, MediaType, Modality, Position, ReviewPolicy, RewardTerms, EXISTENTIAL_DEPOSIT, OPEN,
};
use openledger_runtime::{
    parameters::Lengths, AccountId, Leaderboard, Runtime, RuntimeCall, RuntimeOrigin,
};
use openledger_tests::{Error, Result};
use pallet_datanets::Submission;
use pallet_leaderboard::RankKey;
use pallet_review::Seats;
use serde_json::Value;
use sp_core::{sr25519, Pair};
use sp_runtime::{traits::Dispatchable, Storage};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// The Datanet that has the files.
pub const DATANET: u32 = 0;
/// The seats.
pub const SEATS: PoolId = PoolId::Modality(Modality::Text);
/// Points of each account.
pub const POINTS: u128 = 100;
/// What is paid into its pool.
const FUNDS: u128 = 100_000 * OPEN;

/// Keys and values.
type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// The account that gave a planted file.
pub fn contributor(number: u64) -> AccountId {
    sp_io::hashing::blake2_256(format!("planted/{number}").as_bytes()).into()
}

/// Writes the genesis of a development chain on which each of `files` accounts had a file accepted, and
/// `newcomers` wait to submit their first.
pub fn write(
    node: &Path,
    directory: &Path,
    files: u64,
    newcomers: &[sr25519::Pair],
) -> Result<PathBuf> {
    compose(node, directory, || prepare(files, newcomers), (0..files).flat_map(accepted))
}

/// Writes the genesis of a development chain with a committee's Datanet, on which each of `seats` accounts has a
/// seat for texts, and `newcomers` wait to submit their first file.
pub fn write_seats(
    node: &Path,
    directory: &Path,
    seats: u32,
    newcomers: &[sr25519::Pair],
) -> Result<PathBuf> {
    compose(node, directory, || prepare_seats(seats, newcomers), (0..seats).flat_map(seat))
}

/// Writes the development chain's genesis as `prepare` leaves it, and `planted` entries.
fn compose(
    node: &Path,
    directory: &Path,
    prepare: impl FnOnce() -> Result<()>,
    planted: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
) -> Result<PathBuf> {
    let mut top = genesis_of(node)?;
    let ours = ["Datanets", "Review", "Leaderboard", "Balances"]
        .map(|pallet| sp_io::hashing::twox_128(pallet.as_bytes()).to_vec())
        .into_iter()
        .chain([frame_support::storage::storage_prefix(b"System", b"Account").to_vec()])
        .collect::<Vec<_>>();
    let is_ours = |key: &[u8]| ours.iter().any(|prefix| key.starts_with(prefix));
    let state = prepared(top.clone(), prepare)?;
    top.retain(|key, _| !is_ours(key));
    top.extend(state.into_iter().filter(|(key, _)| is_ours(key)));

    let path = directory.join("planted.json");
    let file = File::create(&path).map_err(|cause| Error::file(&path, &cause))?;
    let mut out = BufWriter::new(file);
    entries(&mut out, top.into_iter().chain(planted))
        .map_err(|cause| Error::file(&path, &cause))?;
    Ok(path)
}

/// The development chain's own genesis, from the node.
fn genesis_of(node: &Path) -> Result<State> {
    let fault = |what: String| Error::broken("openledger-node export-chain-spec", what);
    let output = Command::new(node)
        .args(["export-chain-spec", "--chain", "dev", "--raw"])
        .output()
        .map_err(|cause| Error::file(node, &cause))?;
    let spec: Value =
        serde_json::from_slice(&output.stdout).map_err(|cause| fault(cause.to_string()))?;
    let top = spec["genesis"]["raw"]["top"].as_object().ok_or_else(|| fault("no state".into()))?;
    top.iter()
        .map(|(key, value)| {
            let value = value.as_str().unwrap_or_default();
            Ok((bytes(key).map_err(&fault)?, bytes(value).map_err(&fault)?))
        })
        .collect()
}

fn bytes(hexadecimal: &str) -> std::result::Result<Vec<u8>, String> {
    hex::decode(hexadecimal.trim_start_matches("0x")).map_err(|cause| cause.to_string())
}

/// The state before what is planted.
fn prepared(genesis: State, prepare: impl FnOnce() -> Result<()>) -> Result<State> {
    let storage = Storage { top: genesis, ..Storage::default() };
    let mut chain: sp_io::TestExternalities = storage.into();
    chain.execute_with(|| {
        prepare()?;
        let mut state = State::new();
        let mut key = Vec::new();
        while let Some(next) = sp_io::storage::next_key(&key) {
            let value = sp_io::storage::get(&next).unwrap_or_default();
            state.insert(next.clone(), value.to_vec());
            key = next;
        }
        Ok(state)
    })
}

/// Has the owner of the Datanet call something.
fn dispatch(call: RuntimeCall) -> Result<()> {
    let rich = endowed();
    let owner = rich.first().ok_or_else(|| Error::broken("the bench", "nobody is endowed"))?;
    let origin = RuntimeOrigin::signed(owner.public().into());
    call.dispatch(origin)
        .map(|_| ())
        .map_err(|error| Error::broken("the bench", format!("a call failed: {:?}", error.error)))
}

fn register(newcomers: &[sr25519::Pair]) -> Result<()> {
    for key in newcomers {
        let contributor = key.public().into();
        dispatch(pallet_datanets::Call::register_for { contributor }.into())?;
    }
    Ok(())
}

/// A committee's Datanet with a review budget, and how many seats there are.
fn prepare_seats(seats: u32, newcomers: &[sr25519::Pair]) -> Result<()> {
    frame_system::Pallet::<Runtime>::set_block_number(1);
    dispatch(create(ReviewPolicy::Committee { own_seats: false })?)?;
    let call = pallet_review::Call::fund_budget { datanet: DATANET, amount: FUNDS };
    dispatch(call.into())?;
    let size = PoolSize { seats, accounts: seats };
    pallet_review::PoolSizes::<Runtime>::insert(SEATS, size);
    register(newcomers)
}

/// A Datanet whose pool is funded and owes each of the planted files, and contributors.
fn prepare(files: u64, newcomers: &[sr25519::Pair]) -> Result<()> {
    let rich = endowed();
    let owner = rich.first().ok_or_else(|| Error::broken("the bench", "nobody is endowed"))?;
    frame_system::Pallet::<Runtime>::set_block_number(1);
    dispatch(create_datanet(owner)?)?;
    let terms = RewardTerms { per_period: FUNDS, max_per_point: FUNDS };
    dispatch(pallet_leaderboard::Call::set_terms { datanet: DATANET, terms }.into())?;
    let rules = Leaderboard::pool_view(DATANET).map(|pool| pool.rules).unwrap_or_default();
    let call = pallet_leaderboard::Call::fund { datanet: DATANET, amount: FUNDS, rules };
    dispatch(call.into())?;
    register(newcomers)?;
    let sum = u128::from(files) * POINTS;
    pallet_leaderboard::Pools::<Runtime>::mutate(DATANET, |pool| {
        if let Some(pool) = pool {
            pool.points = sum;
        }
    });
    pallet_leaderboard::NextSequence::<Runtime>::put(files);
    pallet_datanets::NextSubmission::<Runtime>::put(files);
    pallet_datanets::Datanets::<Runtime>::mutate(DATANET, |datanet| {
        if let Some(datanet) = datanet {
            datanet.leaves = files;
            datanet.units = sum;
        }
    });
    Ok(())
}

/// A specification: a head, then an entry a line.
fn entries(
    out: &mut impl Write,
    all: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
) -> std::io::Result<()> {
    write!(
        out,
        "{{\"name\":\"Planted\",\"id\":\"planted\",\"chainType\":\"Development\",\"bootNodes\":[],\
         \"telemetryEndpoints\":null,\"protocolId\":null,\"properties\":null,\"codeSubstitutes\":{{}},\
         \"genesis\":{{\"raw\":{{\"childrenDefault\":{{}},\"top\":{{"
    )?;
    let mut comma = "\n";
    for (key, value) in all {
        write!(out, "{comma}\"0x{}\":\"0x{}\"", hex::encode(key), hex::encode(value))?;
        comma = ",\n";
    }
    out.write_all(b"\n}}}}\n")?;
    out.flush()
}

/// An accepted file, its account's points and its line of the board.
fn accepted(number: u64) -> [(Vec<u8>, Vec<u8>); 3] {
    let sha256 = sp_io::hashing::sha2_256(&number.to_le_bytes());
    let submission: Submission<AccountId> = Submission::Accepted {
        leaf: number,
        content: ContentId::raw(sha256),
        media: MediaType::Txt,
    };
    let account = contributor(number);
    let position =
        Position { points: POINTS, sequence: number, period_points: POINTS, ..Position::default() };
    let rank = RankKey::of(&position);
    [
        (
            pallet_datanets::Submissions::<Runtime>::hashed_key_for(DATANET, sha256),
            submission.encode(),
        ),
        (
            pallet_leaderboard::Positions::<Runtime>::hashed_key_for(DATANET, &account),
            position.encode(),
        ),
        (pallet_leaderboard::Board::<Runtime>::hashed_key_for(DATANET, rank), account.encode()),
    ]
}

/// A seat, its place and its account's record. What is held for it stands in no balance: a draw does not read it.
fn seat(place: u32) -> [(Vec<u8>, Vec<u8>); 3] {
    let account = contributor(place.into());
    let reviewer = Reviewer { seats: 1, held: Rules::DEFAULT.seat, ..Reviewer::default() };
    let record = Seats { reviewer, placed: 1, ..Seats::default() };
    [
        (
            pallet_review::PlacedSeats::<Runtime>::hashed_key_for(SEATS, place),
            (account.clone(), 0u32).encode(),
        ),
        (
            pallet_review::SeatPlaces::<Runtime>::hashed_key_for(SEATS, (account.clone(), 0u32)),
            place.encode(),
        ),
        (pallet_review::Reviewers::<Runtime>::hashed_key_for(SEATS, account), record.encode()),
    ]
}

/// Fails if an account's part of the pool could not be paid.
pub fn ensure_payable(files: u64) -> Result<()> {
    let each = FUNDS / u128::from(files);
    if each < EXISTENTIAL_DEPOSIT {
        return Err(Error::broken(
            "the bench",
            format!("{files} accounts get {each} plancks each, less than an account may hold"),
        ));
    }
    Ok(())
}

/// Waits until the period in which the points were earned has paid.
pub fn wait_for_rate(chain: &Chain) -> Result<()> {
    chain.wait_for(u64::from(Lengths::DEVELOPMENT.reward_period) + 1)
}
