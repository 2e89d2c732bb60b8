//! Blocks full of one call: whether what they may weigh is done in the time that they have. Each of many accounts makes
//! each call; what a call took beside what it weighs says what a whole block of them would take.

use crate::{
    chain::Chain,
    live::{create_datanet, endowed, file, submit, user, weight_of_calls},
    measure::{self, Kind},
    plant::SEATS,
    report::Line,
    verdicts,
};
use codec::Encode;
use frame_support::{
    dispatch::DispatchClass,
    traits::{schedule::DispatchTime, Bounded, GetCallMetadata},
};
use openledger_primitives::{
    AdmissionPolicy, Balance, BarReason, DatanetId, DatanetText, JobKind, QuotaLimits,
    ReviewPolicy, RewardTerms, Serves, MAX_ITEMS, OPEN,
};
use openledger_runtime::{
    configs::{RuntimeBlockLength, RuntimeBlockWeights},
    governance::proxies::ProxyType,
    AccountId, OriginCaller, Runtime, RuntimeCall, RuntimeEvent, SLOT_MILLISECONDS,
};
use openledger_tests::{Error, Result};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_staking::RewardDestination;
use sp_core::{sr25519, Pair, H256};
use std::collections::BTreeMap;

/// What each account has for deposits and bonds.
const GIFT: Balance = 2_000 * OPEN;
/// The nomination pool that accounts join.
const POOL: u32 = 1;
/// The longest that a call notes: a preimage.
const LONG: usize = 4_096;

/// An account, its Datanet, and another account.
struct Own {
    key: sr25519::Pair,
    number: u32,
    datanet: DatanetId,
    other: AccountId,
}

impl Own {
    fn account(&self) -> AccountId {
        self.key.public().into()
    }
}

/// What an account calls, after all have made the calls before it.
type Make = fn(&Own) -> Result<RuntimeCall>;

/// Who makes a call: whoever stakes by itself is in no nomination pool.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    All,
    Even,
    Odd,
}

impl Who {
    fn is(self, own: &Own) -> bool {
        match self {
            Self::All => true,
            Self::Even => own.number.is_multiple_of(2),
            Self::Odd => !own.number.is_multiple_of(2),
        }
    }
}

/// A list as long as a call takes.
fn list<T, B: TryFrom<Vec<T>>>(items: Vec<T>) -> Result<B> {
    B::try_from(items).map_err(|_| Error::broken("the bench", "a list is too long"))
}

fn worker(price_per_token: Balance) -> Result<pallet_training::Call<Runtime>> {
    Ok(pallet_training::Call::register_worker {
        kinds: list(JobKind::all().collect())?,
        price_per_token,
        endpoint: list(b"https://worker.example.org".to_vec())?,
        serves: Serves::UpTo(1 << 34),
        tokens_per_second: 320,
    })
}

fn vote() -> AccountVote<Balance> {
    let vote = Vote { aye: true, conviction: Conviction::Locked1x };
    AccountVote::Standard { vote, balance: OPEN }
}

fn send(to: &AccountId) -> RuntimeCall {
    pallet_balances::Call::transfer_keep_alive { dest: to.clone().into(), value: 1 }.into()
}

/// Every kind of call that needs no state but what those before it made, in this order.
fn calls() -> Vec<(Who, Make)> {
    let transfer: Make = |own| Ok(send(&own.other));
    let parts = [
        (Who::All, vec![transfer]),
        (Who::All, of_datanets()),
        // An account has twenty files a day, whichever way.
        (Who::Even, of_files()),
        (Who::Odd, of_precommitments()),
        (Who::All, of_reviews()),
        (Who::All, of_rewards_and_workers()),
        (Who::Even, of_stakers()),
        (Who::Odd, of_pools()),
        (Who::All, of_governance()),
    ];
    parts
        .into_iter()
        .flat_map(|(who, calls)| calls.into_iter().map(move |call| (who, call)))
        .collect()
}

fn of_datanets() -> Vec<Make> {
    use pallet_datanets::Call;
    vec![
        |_| Ok(Call::register {}.into()),
        |own| create_datanet(&own.key),
        |own| {
            let text = DatanetText {
                summary: list(vec![b's'; 128])?,
                description: list(vec![b'd'; LONG])?,
                tags: list(Vec::new())?,
            };
            Ok(Call::set_text { datanet: own.datanet, text }.into())
        },
        |own| Ok(Call::pause { datanet: own.datanet }.into()),
        |own| Ok(Call::resume { datanet: own.datanet }.into()),
        |own| {
            let daily_limit = Some(QuotaLimits { files: 100, bytes: 1 << 20 });
            Ok(Call::set_caps { datanet: own.datanet, daily_limit, share: 50 }.into())
        },
        |own| {
            let admission = AdmissionPolicy::Invited;
            Ok(Call::set_admission { datanet: own.datanet, admission }.into())
        },
        |own| {
            let (datanet, account) = (own.datanet, own.account());
            Ok(Call::invite { datanet, account, invited: true }.into())
        },
        |own| {
            let (datanet, account) = (own.datanet, own.other.clone());
            Ok(Call::bar { datanet, account, reason: BarReason::Other }.into())
        },
        |own| Ok(Call::unbar { datanet: own.datanet, account: own.other.clone() }.into()),
        |own| {
            let to = Some(own.other.clone());
            Ok(Call::offer_ownership { datanet: own.datanet, to }.into())
        },
    ]
}

fn of_files() -> Vec<Make> {
    use pallet_datanets::Call;
    vec![
        |own| {
            submit(own.datanet, (0..MAX_ITEMS).map(|turn| file("full", own.number, turn)).collect())
        },
        |own| {
            let sha256 = file("full", own.number, 0).sha256;
            Ok(Call::withdraw { datanet: own.datanet, sha256 }.into())
        },
    ]
}

fn of_precommitments() -> Vec<Make> {
    vec![|own| {
        let commitments = (0..MAX_ITEMS)
            .map(|turn| H256(sp_io::hashing::blake2_256(&(own.number, turn).encode())))
            .collect();
        Ok(pallet_datanets::Call::precommit { commitments: list(commitments)? }.into())
    }]
}

fn of_reviews() -> Vec<Make> {
    use pallet_review::Call;
    vec![
        |own| {
            let members = list(vec![own.account(), own.other.clone()])?;
            let policy = ReviewPolicy::Curators { members, threshold: 1 };
            Ok(Call::set_policy { datanet: own.datanet, policy }.into())
        },
        |own| Ok(Call::fund_budget { datanet: own.datanet, amount: 10 * OPEN }.into()),
        |own| Ok(Call::take_back { datanet: own.datanet, amount: OPEN }.into()),
        |_| Ok(Call::bond_seats { pool: SEATS, seats: 1 }.into()),
        |_| {
            let address = list(b"/dns4/reviewer.example.org/tcp/4001/p2p/12D3KooW".to_vec())?;
            Ok(Call::serve_at { pool: SEATS, addresses: list(vec![address])? }.into())
        },
        |_| Ok(Call::unbond_seats { pool: SEATS, seats: 1 }.into()),
    ]
}

fn of_rewards_and_workers() -> Vec<Make> {
    use pallet_training::Call;
    vec![
        |own| {
            let terms = RewardTerms { per_period: OPEN, max_per_point: OPEN };
            Ok(pallet_leaderboard::Call::set_terms { datanet: own.datanet, terms }.into())
        },
        |own| {
            let (account, to) = (own.account(), own.other.clone());
            Ok(pallet_leaderboard::Call::set_payout { account, to }.into())
        },
        |own| Ok(worker(u128::from(own.number))?.into()),
        |_| Ok(Call::pause {}.into()),
        |_| Ok(Call::resume {}.into()),
        |_| Ok(Call::deregister_worker {}.into()),
    ]
}

fn of_stakers() -> Vec<Make> {
    use pallet_staking::Call;
    vec![
        |_| Ok(Call::bond { value: 200 * OPEN, payee: RewardDestination::Staked }.into()),
        |_| Ok(Call::bond_extra { max_additional: 10 * OPEN }.into()),
        |_| {
            let targets =
                endowed().into_iter().take(1).map(|key| AccountId::from(key.public()).into());
            Ok(Call::nominate { targets: targets.collect() }.into())
        },
        |_| Ok(Call::unbond { value: 10 * OPEN }.into()),
        |_| Ok(Call::rebond { value: 5 * OPEN }.into()),
        |_| Ok(Call::set_payee { payee: RewardDestination::Stash }.into()),
        |_| Ok(Call::chill {}.into()),
    ]
}

fn of_pools() -> Vec<Make> {
    use pallet_nomination_pools::{BondExtra, Call};
    vec![
        |_| Ok(Call::join { amount: 100 * OPEN, pool_id: POOL }.into()),
        |_| Ok(Call::bond_extra { extra: BondExtra::FreeBalance(OPEN) }.into()),
        |own| {
            let member_account = own.account().into();
            Ok(Call::unbond { member_account, unbonding_points: OPEN }.into())
        },
    ]
}

fn of_governance() -> Vec<Make> {
    vec![
        |own| {
            let bytes = (0..LONG).map(|place| (place as u32 ^ own.number) as u8).collect();
            Ok(pallet_preimage::Call::note_preimage { bytes }.into())
        },
        |own| {
            let note: RuntimeCall =
                frame_system::Call::remark { remark: own.number.encode() }.into();
            Ok(pallet_referenda::Call::submit {
                proposal_origin: Box::new(root()),
                proposal: Bounded::Inline(list(note.encode())?),
                enactment_moment: DispatchTime::After(0),
            }
            .into())
        },
        |own| {
            Ok(pallet_conviction_voting::Call::vote { poll_index: own.number, vote: vote() }.into())
        },
        |own| {
            let delegate = own.other.clone().into();
            Ok(pallet_proxy::Call::add_proxy { delegate, proxy_type: ProxyType::Any, delay: 0 }
                .into())
        },
        |own| {
            let batch = vec![send(&own.other); 10];
            Ok(pallet_utility::Call::batch_all { calls: batch }.into())
        },
        |own| {
            Ok(pallet_multisig::Call::as_multi {
                threshold: 2,
                other_signatories: vec![own.other.clone()],
                maybe_timepoint: None,
                call: Box::new(send(&own.other)),
                max_weight: frame_support::weights::Weight::from_parts(1_000_000_000, 0),
            }
            .into())
        },
    ]
}

fn root() -> OriginCaller {
    OriginCaller::system(frame_system::RawOrigin::Root)
}

/// Measures each call.
pub fn run(chain: &Chain, accounts: u32, rounds: usize) -> Result<Vec<Line>> {
    let mut owners = prepare(chain, accounts)?;
    let mut lines = Vec::new();
    for (who, make) in calls() {
        let callers: Vec<_> = owners.iter().filter(|own| who.is(own)).collect();
        let calls = callers.iter().map(|own| make(own)).collect::<Result<Vec<_>>>()?;
        let Some(first) = calls.first() else { continue };
        let named = first.get_call_metadata();
        let name = format!("{}.{}", named.pallet_name, named.function_name);
        let which: Vec<u8> = first.encode().into_iter().take(2).collect();
        let batches = callers.iter().zip(calls).map(|(own, call)| (&own.key, vec![call])).collect();
        let before = chain.send(batches)?;
        let kind =
            Kind::find(chain, "calls", before + 1, |call| call.encode().starts_with(&which))?;
        kind.ensure_success(chain)
            .map_err(|error| Error::broken("the bench", format!("{name}: {error}")))?;
        let empty = verdicts::empty(chain)?;
        let taken = measure::in_turns(rounds, || measure::once(chain, &empty, &[&kind]))?;
        let [call] = taken[..] else {
            return Err(Error::broken("the bench", "a measurement is missing"));
        };
        lines.push(line(chain, &kind, &name, call)?);
        learn(chain, before + 1, &mut owners)?;
    }
    Ok(lines)
}

/// Accounts with something to spend, and a nomination pool.
fn prepare(chain: &Chain, accounts: u32) -> Result<Vec<Own>> {
    let rich = endowed();
    // The first one's OPEN is at stake already.
    let owner = rich.last().ok_or_else(|| Error::broken("the bench", "nobody is endowed"))?;
    let keys: Vec<_> = (0..accounts).map(|number| user("full", number)).collect();
    let mut calls: Vec<Vec<RuntimeCall>> = vec![Vec::new(); rich.len()];
    for (number, key) in keys.iter().enumerate() {
        let dest = AccountId::from(key.public()).into();
        if let Some(calls) = calls.get_mut(number % rich.len()) {
            calls.push(pallet_balances::Call::transfer_keep_alive { dest, value: GIFT }.into());
        }
    }
    chain.send(rich.iter().zip(calls).collect())?;
    let admin = || AccountId::from(owner.public()).into();
    let pool = pallet_nomination_pools::Call::create {
        amount: 1_000 * OPEN,
        root: admin(),
        nominator: admin(),
        bouncer: admin(),
    };
    chain.send(vec![(owner, vec![pool.into()])])?;
    let others = keys.iter().cycle().skip(1).map(|key| AccountId::from(key.public()));
    Ok((0..)
        .zip(keys.clone())
        .zip(others)
        .map(|((number, key), other)| Own { key, number, datanet: 0, other })
        .collect())
}

/// Notes which Datanet each account has created.
fn learn(chain: &Chain, first: u64, owners: &mut [Own]) -> Result<()> {
    let mut created = BTreeMap::new();
    for number in first..=chain.block()? {
        for event in chain.events(&chain.read(number)?)? {
            if let RuntimeEvent::Datanets(pallet_datanets::Event::DatanetCreated {
                datanet,
                owner,
            }) = event
            {
                created.insert(owner, datanet);
            }
        }
    }
    for own in owners {
        if let Some(datanet) = created.get(&own.account()) {
            own.datanet = *datanet;
        }
    }
    Ok(())
}

/// How long a block would take that holds as many of these calls as it may, beside the half of a slot in which its author
/// takes calls.
fn line(chain: &Chain, kind: &Kind, name: &str, call: f64) -> Result<Line> {
    let (mut weight, mut bytes, mut count) = (0, 0, 0);
    for (block, calls) in kind.blocks.iter().zip(&kind.counts) {
        weight += weight_of_calls(chain, block)?;
        bytes += block.size() as u64;
        count += *calls as u64;
    }
    let normal = DispatchClass::Normal;
    let weights = RuntimeBlockWeights::get().get(normal).max_total;
    let most = weights.map_or(u64::MAX, |most| most.ref_time());
    let longest = u64::from(*RuntimeBlockLength::get().max.get(normal));
    let fit = (most * count / weight).min(longest * count / bytes);
    let weighs = weight as f64 / 1e6 / count as f64;
    println!("{name}: weighs {weighs:.0} µs, takes {call:.0} µs; {fit} in a block");
    let name = format!("full_block.{name}");
    let half = SLOT_MILLISECONDS as f64 / 2.0;
    Ok(Line::beside(&name, "ms", fit as f64 * call / 1e3, half, "half a slot"))
}
