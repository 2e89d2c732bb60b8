//! The worked numbers of `docs/economics.md`, `docs/attribution.md` and `docs/parameters.md`: each table between
//! `<!-- name -->` and `<!-- end of name -->` is computed here by what the pallets compute with.

use crate::{
    common::*,
    governance_numbers::{deposits, tracks},
};
use frame_support::{traits::Get, weights::Weight};
use openledger_primitives::{
    committee, job::Datasets, reward::points_for, shares, Balance, BlockNumber, ContentId, Job,
    JobKind, JobResult, JobState, Method, ModelFamily, Pool, RateClass, RewardTerms, Score,
    SizeClass, TrainingSpec, EXISTENTIAL_DEPOSIT, OPEN, PARTS,
};
use openledger_runtime::{
    parameters::{
        DayOfGovernance, Lengths, LengthsOfStaking, NetworkLengths, StakingLengths, WATCHED_DAY,
    },
    Runtime, RuntimeCall, Training, TransactionPayment, SLOT_MILLISECONDS,
};
use pallet_leaderboard::WeightInfo as _;
use pallet_review::WeightInfo as _;
use pallet_training::Config as TrainingConfig;
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::FixedPointNumber;
use std::fmt::Write;
use std::path::Path;

/// Terms of the pool on the page: 10 OPEN a period, 0.000001 OPEN a point.
const TERMS: RewardTerms = RewardTerms { per_period: 10 * OPEN, max_per_point: OPEN / 1_000_000 };
/// Most units of a file in the Datanet on the page.
const MOST_UNITS: u64 = 100_000;
/// The job on the page.
const CEILING: u64 = 1_000_000;
const PRICE: Balance = 5 * OPEN / 1_000_000;
const TOKENS_PER_SECOND: u32 = 32;
/// Seconds between two heartbeats of `trainer-worker run`, unless it is told otherwise.
const HEARTBEAT_SECONDS: u64 = 15;

#[test]
fn worked_numbers_of_the_pages_are_current() {
    genesis("local_testnet").execute_with(|| {
        begin_block();
        for (page, tables) in [
            (
                "economics",
                vec![
                    ("points", points()),
                    ("pool", pool()),
                    ("holds", holds()),
                    ("fees", fees()),
                    ("job", job()),
                    ("worker", worker()),
                ],
            ),
            ("attribution", vec![("attribution", attribution())]),
            ("parameters", vec![("lengths", lengths())]),
            ("governance", vec![("tracks", tracks()), ("deposits", deposits())]),
        ] {
            check(page, &tables);
        }
    });
}

/// Compares the tables of a page with these, or writes them.
pub fn check(page: &str, tables: &[(&str, String)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{page}.md"));
    let committed = std::fs::read_to_string(&path).expect("the page is there");
    let mut current = committed.clone();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let (before, rest) = current.split_once(&begin).expect("the table has a place");
        let (_, after) = rest.split_once(&end).expect("the table ends");
        current = format!("{before}{begin}{table}{end}{after}");
    }
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &current).expect("the page can be written");
        return;
    }
    assert!(
        committed == current,
        "docs/{page}.md has other numbers than the chain; run: \
         OPENLEDGER_UPDATE=1 scripts/test chain -- worked_numbers"
    );
}

fn points() -> String {
    let mut out =
        String::from("| file | score | units | units counted | points |\n|---|---|---|---|---|\n");
    for (file, score, units) in [
        ("a note", 70, 1_075),
        ("a guide", 92, 12_000),
        ("one of twelve parts of the guide", 92, 1_000),
        ("a whole book", 92, 180_000),
    ] {
        let points = points_for(Score::new(score).expect("a score"), units, MOST_UNITS);
        let counted = units.min(MOST_UNITS);
        put(
            &mut out,
            [file.into(), score.to_string(), count(units), count(counted), count(points)],
        );
    }
    out
}

fn pool() -> String {
    let guide = points_for(Score::new(92).expect("a score"), 12_000, MOST_UNITS);
    let mut out = String::from(
        "| in the period | points of all | plancks a point | your guide brings, OPEN | left in the pool, OPEN |\n\
         |---|---|---|---|---|\n",
    );
    for (what, guides, paid_in) in [
        ("your guide alone", 1, 100 * OPEN),
        ("yours and ten others'", 11, 100 * OPEN),
        ("yours and 99 others'", 100, 100 * OPEN),
        ("yours alone, and 1 OPEN is left in the pool", 1, OPEN),
        ("yours alone, and nobody has funded the pool", 1, 0),
    ] {
        let mut pool = Pool { terms: TERMS, ..Pool::default() };
        pool.fund(paid_in).expect("no overflow");
        pool.earn(guide * guides).expect("no overflow");
        let rate = pool.rate();
        pool.advance(1).expect("no overflow");
        put(
            &mut out,
            [
                what.into(),
                count(guide * guides),
                count(rate),
                open(rate * guide),
                open(pool.available),
            ],
        );
    }
    out
}

fn holds() -> String {
    let mut out = String::from("| for | OPEN | held on | until |\n|---|---|---|---|\n");
    let rows: [(&str, Balance, &str, &str); 9] = [
        (
            "an account to exist",
            EXISTENTIAL_DEPOSIT,
            "the account",
            "it is emptied; the rest then goes to the treasury",
        ),
        (
            "a contributor",
            <Runtime as pallet_datanets::Config>::ContributorHold::get(),
            "the account or its sponsor",
            "`deregister`, 7 days after the last submission",
        ),
        (
            "a Datanet",
            <Runtime as pallet_datanets::Config>::DatanetDeposit::get(),
            "its owner",
            "it is closed",
        ),
        (
            "an invitation to a Datanet, or a bar",
            <Runtime as pallet_datanets::Config>::EntryDeposit::get(),
            "the Datanet's owner",
            "it is taken back, or cleared once the Datanet is closed",
        ),
        (
            "rewards that go to another account",
            <Runtime as pallet_leaderboard::Config>::PayoutDeposit::get(),
            "that account",
            "it gets them no more",
        ),
        (
            "a base model",
            <Runtime as TrainingConfig>::BaseModelDeposit::get(),
            "who registers it",
            "it is retired",
        ),
        (
            "a worker",
            <Runtime as TrainingConfig>::WorkerBond::get(),
            "the worker",
            "it leaves, without a job",
        ),
        (
            "a job's record",
            <Runtime as TrainingConfig>::JobDeposit::get(),
            "its owner",
            "it is pruned; lost where three workers find the same fault of the owner's",
        ),
        (
            "a job's budget, at least",
            <Runtime as TrainingConfig>::MinimumBudget::get(),
            "its owner",
            "payment, failure or cancellation",
        ),
    ];
    for (what, amount, whose, until) in rows {
        put(&mut out, [what.into(), open(amount), whose.into(), until.into()]);
    }
    out
}

/// The fee of a transaction in OPEN, and after days of empty blocks.
fn fee(call: RuntimeCall) -> [Balance; 2] {
    use codec::Encode;
    let signed = sign(&Bob.pair(), 0, call);
    let length = signed.encoded_size() as u32;
    type Multiplier = pallet_transaction_payment::NextFeeMultiplier<Runtime>;
    let before = Multiplier::get();
    let fees = [(1, 1), (1, 10)].map(|(n, d)| {
        Multiplier::put(pallet_transaction_payment::Multiplier::saturating_from_rational(n, d));
        TransactionPayment::query_info(signed.clone(), length).partial_fee
    });
    Multiplier::put(before);
    fees
}

fn heartbeat() -> RuntimeCall {
    pallet_training::Call::heartbeat { job: 0, step: 10, total_steps: 100 }.into()
}

fn fees() -> String {
    let vote = pallet_review::Call::vote {
        datanet: 0,
        sha256: [1; 32],
        submission: 0,
        verdict: accept(80, 1_000, 1),
    };
    let result = pallet_training::Call::submit_result { job: 0, result: result() };
    let job = pallet_training::Call::create_job {
        base: 0,
        datasets: Datasets::default(),
        spec: TrainingSpec::default(),
        token_ceiling: CEILING,
        price_per_token: PRICE,
        deadline: 10_000,
    };
    let transfer = pallet_balances::Call::transfer_keep_alive {
        dest: Alice.to_account_id().into(),
        value: OPEN,
    };
    let claim = pallet_leaderboard::Call::claim { datanet: 0, account: Alice.to_account_id() };
    let fund =
        pallet_leaderboard::Call::fund { datanet: 0, amount: OPEN, rules: Default::default() };
    type Reviews = <Runtime as pallet_review::Config>::WeightInfo;
    type Rewards = <Runtime as pallet_leaderboard::Config>::WeightInfo;
    let nothing = Weight::zero();
    // What is given back of each.
    let calls: [(&str, RuntimeCall, Weight); 11] = [
        ("send OPEN", transfer.into(), nothing),
        ("vote on a file", vote.clone().into(), nothing),
        ("the same without a verdict", vote.into(), Reviews::vote() - Reviews::cast_vote()),
        ("claim for an account", claim.clone().into(), nothing),
        (
            "the same, not the first in a period",
            claim.into(),
            Rewards::claim() - Rewards::claim_again(),
        ),
        ("pay into a pool", fund.clone().into(), nothing),
        (
            "the same, not the first in a period",
            fund.into(),
            Rewards::fund() - Rewards::fund_again(),
        ),
        ("create a job", job.into(), nothing),
        ("take a job", pallet_training::Call::take { job: 0 }.into(), nothing),
        ("heartbeat", heartbeat(), nothing),
        ("post a result", result.into(), nothing),
    ];
    let mut out =
        String::from("| transaction | OPEN at multiplier 1 | OPEN at 0.1 |\n|---|---|---|\n");
    for (what, call, back) in calls {
        let [full, quiet] = fee(call);
        let back = TransactionPayment::weight_to_fee(back);
        put(&mut out, [what.into(), rounded(full - back), rounded(quiet - back / 10)]);
    }
    out
}

fn result() -> JobResult {
    JobResult {
        content: ContentId::raw([1; 32]),
        sha256: [1; 32],
        size: 1_000_000,
        eval_loss_before: 3_391_000,
        eval_loss_after: 358_000,
        tokens: CEILING,
        dataset_root: H256::repeat_byte(1),
        checkpoints_root: H256::zero(),
        influence_root: H256::zero(),
    }
}

/// The job of the page, taken in block 0 by worker 1.
fn taken() -> Job<u8> {
    let spec = TrainingSpec::default();
    let mut job = Job {
        owner: 0,
        base: 0,
        size: SizeClass::of(1),
        kind: JobKind { family: ModelFamily::Llama, method: Method::Lora },
        datasets: Datasets::default(),
        spec,
        token_ceiling: CEILING,
        price_per_token: PRICE,
        budget: PRICE * Balance::from(CEILING),
        deposit: <Runtime as TrainingConfig>::JobDeposit::get(),
        deadline: <Runtime as TrainingConfig>::MaxJobBlocks::get(),
        attempts: 0,
        refused: Default::default(),
        sequence: 0,
        state: JobState::Queued,
        ended_at: 0,
    };
    job.assign(1, rate(), 0, &Training::windows()).expect("it waits");
    job.take(&1, 0, &Training::windows()).expect("it is assigned");
    job
}

fn rate() -> RateClass {
    RateClass::declared(TOKENS_PER_SECOND)
}

/// What the worker of the job has earned that shows so many of 100 steps in a block, and is called off there.
fn called_off(step: u32, block: BlockNumber) -> Balance {
    let mut job = taken();
    let JobState::Training { heartbeat_by, step: done, total_steps, .. } = &mut job.state else {
        panic!("it was taken");
    };
    (*heartbeat_by, *done, *total_steps) = (block, step, 100);
    job.cancel(block, &Training::windows()).expect("it trains").pay
}

fn job() -> String {
    let job = taken();
    let price = job.price().expect("a number");
    let training = Training::windows().training(CEILING, rate());
    let mut out = String::from("| | |\n|---|---|\n");
    let fault = <Runtime as TrainingConfig>::PenaltyShare::get() * price;
    for (what, value) in [
        ("ceiling × price a token", format!("{} × {} plancks", count(CEILING), count(PRICE))),
        ("budget, held", format!("{} OPEN", open(job.budget))),
        ("deposit, held", format!("{} OPEN", open(job.deposit))),
        (
            "nearest deadline, where the fastest worker of the chain is idle",
            blocks(Training::windows().floor(CEILING, RateClass::FASTEST)),
        ),
        (
            "nearest deadline that a worker of 32 tokens a second is given",
            blocks(Training::windows().floor(CEILING, rate())),
        ),
        ("the worker is paid, with a result", format!("{} OPEN", open(price))),
        (
            "called off after half of its time with 30 of 100 steps shown",
            format!(
                "worker {} OPEN, back to you {} OPEN",
                open(called_off(30, training / 2)),
                open(price - called_off(30, training / 2))
            ),
        ),
        (
            "called off after 0.8 of its time with 90 of 100 steps shown",
            format!(
                "worker {} OPEN, back to you {} OPEN",
                open(called_off(90, training * 4 / 5)),
                open(price - called_off(90, training * 4 / 5))
            ),
        ),
        ("called off while it waits, or failed", format!("back to you {} OPEN", open(price))),
        ("a worker that lets it time out loses, to the treasury", format!("{} OPEN", open(fault))),
    ] {
        put(&mut out, [what.into(), value]);
    }
    out
}

/// The last block in which the worker of the job may post a result that shows steps all the time.
fn last_block() -> BlockNumber {
    let mut job = taken();
    let mut block = 0;
    while job.heartbeat(&1, block, (block, BlockNumber::MAX), &Training::windows()).is_ok() {
        block += 1;
    }
    block - 1
}

fn worker() -> String {
    let training = Training::windows().training(CEILING, rate());
    let seconds = u64::from(training) * SLOT_MILLISECONDS / 1_000;
    let beats = seconds / HEARTBEAT_SECONDS;
    let take = pallet_training::Call::take { job: 0 }.into();
    let result = pallet_training::Call::submit_result { job: 0, result: result() }.into();
    let ([take, _], [beat, _], [posted, _]) = (fee(take), fee(heartbeat()), fee(result));
    let fees = take + beat * Balance::from(beats) + posted;
    let price = PRICE * Balance::from(CEILING);
    let mut out = String::from("| | |\n|---|---|\n");
    for (what, value) in [
        ("time that it named, at 32 tokens a second", blocks(training)),
        ("last block for a result, if it shows steps all the time", blocks(last_block())),
        ("price", format!("{} OPEN", open(price))),
        (
            "fees: take, a heartbeat every 15 s, result, at multiplier 1",
            format!(
                "{} + {} × {} + {} = {} OPEN",
                rounded(take),
                count(beats),
                rounded(beat),
                rounded(posted),
                rounded(fees)
            ),
        ),
        ("what is left", format!("{} OPEN", rounded(price - fees))),
        ("the same with a heartbeat a minute (`--heartbeat 60`)", {
            let fees = take + beat * Balance::from(seconds / 60) + posted;
            format!("{} OPEN", rounded(price - fees))
        }),
        (
            "at risk",
            format!("{} OPEN", open(<Runtime as TrainingConfig>::PenaltyShare::get() * price)),
        ),
    ] {
        put(&mut out, [what.into(), value]);
    }
    out
}

fn attribution() -> String {
    let files: [(&str, u64); 6] = [
        ("Ada", 1_481),
        ("Ada", 1_295),
        ("Ada", 1_424),
        ("Ben", 1_338),
        ("Ben", 1_460),
        ("Ben", 1_668),
    ];
    let parts = shares(&files.map(|(_, units)| units));
    assert_eq!(parts.iter().sum::<u64>(), PARTS);
    let mut out = String::from("| file | of | units | parts of 10⁹ |\n|---|---|---|---|\n");
    for (number, ((who, units), part)) in files.iter().zip(&parts).enumerate() {
        put(&mut out, [number.to_string(), (*who).into(), count(*units), count(*part)]);
    }
    for who in ["Ada", "Ben"] {
        let of = || files.iter().zip(&parts).filter(|((whose, _), _)| *whose == who);
        let units = of().map(|((_, units), _)| units).sum::<u64>();
        let part = of().map(|(_, part)| part).sum::<u64>();
        put(&mut out, ["all".into(), who.into(), count(units), count(part)]);
    }
    out
}

fn lengths() -> String {
    let (here, development) = (Lengths::default(), Lengths::DEVELOPMENT);
    assert_eq!(
        NetworkLengths::<Runtime>::get(),
        here,
        "the local network has the lengths of a real one"
    );
    let (stake, watched) = (StakingLengths::default(), StakingLengths::DEVELOPMENT);
    assert_eq!(LengthsOfStaking::<Runtime>::get(), stake);
    let era = here.epoch as BlockNumber * stake.era;
    let (short, long) = (committee::Lengths::DEVELOPMENT, committee::Lengths::DEFAULT);
    assert_eq!(<Runtime as pallet_review::Config>::Lengths::get(), long);
    let mut out = String::from("| length | `--dev` | other networks |\n|---|---|---|\n");
    for (what, development, here) in [
        ("epoch", development.epoch as BlockNumber, here.epoch as BlockNumber),
        ("reward period", development.reward_period, here.reward_period),
        (
            "challenge window, result to payment",
            development.challenge_window,
            here.challenge_window,
        ),
        ("day of governance", WATCHED_DAY, DayOfGovernance::<Runtime>::get()),
        ("era", development.epoch as BlockNumber * watched.era, era),
        (
            "bonding",
            development.epoch as BlockNumber * watched.era * watched.bonding,
            era * stake.bonding,
        ),
        ("to commit to what one says of files", short.commit, long.commit),
        ("to reveal it", short.reveal, long.reveal),
        ("to challenge a committee's verdict", short.challenge, long.challenge),
        ("from bonding a seat until it is drawn", short.enter, long.enter),
        ("from giving a seat up until it has left", short.leave, long.leave),
    ] {
        put(&mut out, [what.into(), blocks(development), blocks(here)]);
    }
    // Longer than what they guard, on public networks.
    let (session, rules) = (here.epoch as BlockNumber, committee::Rules::DEFAULT);
    assert!(long.enter >= long.of_a_call(&rules, session));
    assert!(long.leave >= long.of_a_challenge(session));
    assert!(short.leave >= short.of_a_challenge(development.epoch as BlockNumber));
    out
}

pub fn put<const N: usize>(out: &mut String, cells: [String; N]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

/// A number with commas.
pub fn count(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An amount in OPEN, exactly.
pub fn open(plancks: Balance) -> String {
    let text = format!("{}.{:018}", count(plancks / OPEN), plancks % OPEN);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An amount in OPEN, to a millionth.
fn rounded(plancks: Balance) -> String {
    open((plancks + OPEN / 2_000_000) / (OPEN / 1_000_000) * (OPEN / 1_000_000))
}

/// A length in blocks and in what a reader thinks in.
fn blocks(blocks: BlockNumber) -> String {
    let seconds = u64::from(blocks) * SLOT_MILLISECONDS / 1_000;
    let time = match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{}.{} h", (seconds + 180) / 3_600, (seconds + 180) % 3_600 / 360),
    };
    format!("{} blocks ({time})", count(blocks))
}
