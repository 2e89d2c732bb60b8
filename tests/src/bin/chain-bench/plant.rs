//! Genesis files with many accepted files: what a submission, a claim and a page of the board touch, written
//! line by line.

use crate::{
    chain::Chain,
    live::{create_datanet, endowed},
};
use codec::Encode;
use openledger_primitives::{
    ContentId, MediaType, Position, RewardTerms, EXISTENTIAL_DEPOSIT, OPEN,
};
use openledger_runtime::{
    parameters::Lengths, AccountId, Leaderboard, Runtime, RuntimeCall, RuntimeOrigin,
};
use openledger_tests::{Error, Result};
use pallet_datanets::Submission;
use pallet_leaderboard::RankKey;
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
    let mut top = genesis_of(node)?;
    let ours = ["Datanets", "Review", "Leaderboard", "Balances"]
        .map(|pallet| sp_io::hashing::twox_128(pallet.as_bytes()).to_vec())
        .into_iter()
        .chain([frame_support::storage::storage_prefix(b"System", b"Account").to_vec()])
        .collect::<Vec<_>>();
    let is_ours = |key: &[u8]| ours.iter().any(|prefix| key.starts_with(prefix));
    let state = prepared(top.clone(), files, newcomers)?;
    top.retain(|key, _| !is_ours(key));
    top.extend(state.into_iter().filter(|(key, _)| is_ours(key)));

    let path = directory.join("planted.json");
    let file = File::create(&path).map_err(|cause| Error::file(&path, &cause))?;
    let mut out = BufWriter::new(file);
    entries(&mut out, top, files).map_err(|cause| Error::file(&path, &cause))?;
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

/// The state before the planted files: a Datanet whose pool is funded and owes each of them, and contributors.
fn prepared(genesis: State, files: u64, newcomers: &[sr25519::Pair]) -> Result<State> {
    let storage = Storage { top: genesis, ..Storage::default() };
    let mut chain: sp_io::TestExternalities = storage.into();
    chain.execute_with(|| {
        prepare(files, newcomers)?;
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

fn prepare(files: u64, newcomers: &[sr25519::Pair]) -> Result<()> {
    let rich = endowed();
    let owner = rich.first().ok_or_else(|| Error::broken("the bench", "nobody is endowed"))?;
    let dispatch = |call: RuntimeCall| {
        let origin = RuntimeOrigin::signed(owner.public().into());
        call.dispatch(origin).map(|_| ()).map_err(|error| {
            Error::broken("the bench", format!("a call failed: {:?}", error.error))
        })
    };
    frame_system::Pallet::<Runtime>::set_block_number(1);
    dispatch(create_datanet(owner)?)?;
    let terms = RewardTerms { per_period: FUNDS, max_per_point: FUNDS };
    dispatch(pallet_leaderboard::Call::set_terms { datanet: DATANET, terms }.into())?;
    let rules = Leaderboard::pool_view(DATANET).map(|pool| pool.rules).unwrap_or_default();
    let call = pallet_leaderboard::Call::fund { datanet: DATANET, amount: FUNDS, rules };
    dispatch(call.into())?;
    for key in newcomers {
        let contributor = key.public().into();
        dispatch(pallet_datanets::Call::register_for { contributor }.into())?;
    }
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
fn entries(out: &mut impl Write, top: State, files: u64) -> std::io::Result<()> {
    write!(
        out,
        "{{\"name\":\"Planted\",\"id\":\"planted\",\"chainType\":\"Development\",\"bootNodes\":[],\
         \"telemetryEndpoints\":null,\"protocolId\":null,\"properties\":null,\"codeSubstitutes\":{{}},\
         \"genesis\":{{\"raw\":{{\"childrenDefault\":{{}},\"top\":{{"
    )?;
    let mut first = true;
    let mut entry = |out: &mut dyn Write, key: &[u8], value: &[u8]| {
        let comma = if std::mem::take(&mut first) { "\n" } else { ",\n" };
        write!(out, "{comma}\"0x{}\":\"0x{}\"", hex::encode(key), hex::encode(value))
    };
    for (key, value) in top {
        entry(out, &key, &value)?;
    }
    for number in 0..files {
        let sha256 = sp_io::hashing::sha2_256(&number.to_le_bytes());
        let submission: Submission<AccountId> = Submission::Accepted {
            leaf: number,
            content: ContentId::raw(sha256),
            media: MediaType::Txt,
        };
        let key = pallet_datanets::Submissions::<Runtime>::hashed_key_for(DATANET, sha256);
        entry(out, &key, &submission.encode())?;

        let account = contributor(number);
        let position = Position {
            points: POINTS,
            sequence: number,
            period_points: POINTS,
            ..Position::default()
        };
        let key = pallet_leaderboard::Positions::<Runtime>::hashed_key_for(DATANET, &account);
        entry(out, &key, &position.encode())?;
        let rank = RankKey::of(&position);
        let key = pallet_leaderboard::Board::<Runtime>::hashed_key_for(DATANET, rank);
        entry(out, &key, &account.encode())?;
    }
    out.write_all(b"\n}}}}\n")?;
    out.flush()
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
