//! Calls that may well succeed: of all pallets, drawn by dice, by whoever could make them.
//!
//! The dice are a seed's, for tests that repeat, or a fuzzer's input (`runtime/fuzz`).

use crate::{common::*, random_reviews::review_call};
use openledger_primitives::{
    api::DatanetView,
    job::{
        dispute::{finding_commitment, Finding},
        DeclineReason, JobResult, JobState,
    },
    leaf::{dataset_root, DatasetRef},
    ContentId, DatanetText, JobKind, Method, Modality, ModelFamily, RejectionReason, ReviewPolicy,
    RewardTerms, Serves, TrainingSpec, Verdict, OPEN,
};
use openledger_runtime::{AccountId, Datanets, Leaderboard, Runtime, RuntimeCall, Training};
use sp_core::H256;
use sp_keyring::Sr25519Keyring;

/// Where numbers come from: the bytes of an input while there are any, and then a small generator of our
/// own choosing, so that a failure repeats by its input and its seed.
pub struct Dice<'a> {
    seed: u64,
    /// What is left of the input.
    pub input: &'a [u8],
}

impl<'a> Dice<'a> {
    /// Dice of a seed alone.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, input: &[] }
    }

    /// Dice of an input.
    pub fn of(input: &'a [u8]) -> Self {
        Self { seed: 0, input }
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        // One byte for few sides, so that a fuzzer that changes it changes one choice.
        let bytes = if sides <= 256 { 1 } else { 4 };
        if let Some((taken, rest)) = self.input.split_at_checked(bytes) {
            self.input = rest;
            return taken.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)) % sides;
        }
        // splitmix64
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Nothing, little or much.
    pub fn amount(&mut self) -> u128 {
        match self.roll(4) {
            0 => u128::from(self.roll(10)),
            1 => OPEN / 1_000 + u128::from(self.roll(3)),
            2 => OPEN * u128::from(self.roll(100)),
            _ => OPEN * u128::from(self.roll(3_000_000)),
        }
    }
}

/// One of those who act.
pub fn somebody(dice: &mut Dice) -> AccountId {
    match dice.roll(10) {
        0 => Sr25519Keyring::Alice.to_account_id(),
        1 => Sr25519Keyring::Bob.to_account_id(),
        2 => Sr25519Keyring::Charlie.to_account_id(),
        3 => Sr25519Keyring::Dave.to_account_id(),
        4 => Sr25519Keyring::Eve.to_account_id(),
        n => id(&user(n as u32)),
    }
}

fn pending(dice: &mut Dice, datanet: u32) -> Option<([u8; 32], u64)> {
    let pending = Datanets::pending(datanet, None, 100);
    let chosen = pending.get(dice.roll(pending.len().max(1) as u64) as usize)?;
    Some((chosen.item.sha256, chosen.submission))
}

fn datanet_call(dice: &mut Dice, datanet: u32) -> RuntimeCall {
    match dice.roll(13) {
        0 => pallet_datanets::Call::create_datanet {
            name: b"random".to_vec().try_into().expect("short"),
            modality: Modality::Text,
            min_units: dice.roll(3),
            max_units: dice.roll(2_000),
            daily_limit: None,
            policy: ReviewPolicy::Curators {
                members: vec![somebody(dice), Sr25519Keyring::Bob.to_account_id()]
                    .try_into()
                    .expect("two fit"),
                threshold: dice.roll(4) as u8,
            },
        }
        .into(),
        1 => pallet_datanets::Call::register {}.into(),
        2 => pallet_datanets::Call::register_for { contributor: somebody(dice) }.into(),
        3 => pallet_datanets::Call::deregister { contributor: somebody(dice) }.into(),
        4 => match pending(dice, datanet) {
            Some((sha256, _)) => pallet_datanets::Call::withdraw { datanet, sha256 }.into(),
            None => pallet_datanets::Call::register {}.into(),
        },
        5 => pallet_datanets::Call::end_sponsorship { contributor: somebody(dice) }.into(),
        6 => pallet_datanets::Call::revoke_leaf { datanet, leaf: dice.roll(8) }.into(),
        7 => pallet_datanets::Call::set_caps {
            datanet,
            daily_limit: (dice.roll(2) == 0).then(|| openledger_primitives::QuotaLimits {
                files: dice.roll(40) as u32,
                bytes: dice.roll(2_000),
            }),
            share: 100 - dice.roll(40) as u8,
        }
        .into(),
        8 => {
            let account = somebody(dice);
            match dice.roll(6) {
                0 | 1 => {
                    let reason = openledger_primitives::BarReason::Spam;
                    pallet_datanets::Call::bar { datanet, account, reason }.into()
                }
                n @ (2 | 3) => {
                    pallet_datanets::Call::invite { datanet, account, invited: n == 2 }.into()
                }
                4 => pallet_datanets::Call::clear_entries { datanet }.into(),
                _ => pallet_datanets::Call::unbar { datanet, account }.into(),
            }
        }
        9 => {
            let sha256 = pending(dice, datanet).map_or([0; 32], |(sha256, _)| sha256);
            pallet_datanets::Call::expire { datanet, sha256 }.into()
        }
        n @ (10 | 11) => {
            let bytes = dice.roll(500).to_le_bytes();
            let items = vec![item(&bytes)];
            // One of few accounts makes it, so that it is opened by chance, too.
            let who = id(&user(5 + dice.roll(2) as u32));
            let promise =
                openledger_primitives::precommitment(&who, datanet, &items[0].sha256, &[0; 32]);
            match n {
                10 => pallet_datanets::Call::precommit {
                    commitments: vec![promise].try_into().expect("one fits"),
                }
                .into(),
                _ => pallet_datanets::Call::open {
                    datanet,
                    items: items.try_into().expect("one fits"),
                    salt: [0; 32],
                }
                .into(),
            }
        }
        _ => {
            let items = (0..dice.roll(5)).map(|_| item(&dice.roll(500).to_le_bytes())).collect();
            submit(datanet, items)
        }
    }
}

fn vote(dice: &mut Dice, datanet: u32) -> RuntimeCall {
    let (sha256, submission) = pending(dice, datanet).unwrap_or(([0; 32], 0));
    let verdict = if dice.roll(12) == 0 {
        Verdict::Unavailable
    } else if dice.roll(4) == 0 {
        Verdict::Reject(RejectionReason::ALL[dice.roll(RejectionReason::ALL.len() as u64) as usize])
    } else {
        // Now and then a claim that no file can be.
        let units = [0, Modality::Text.max_units(), 1 << 40].get(dice.roll(20) as usize).copied();
        accept(1 + dice.roll(100) as u8, units.unwrap_or(700), u8::from(dice.roll(20) > 0))
    };
    let vote = pallet_review::CastVote { datanet, sha256, submission, verdict };
    match dice.roll(12) {
        0 => pallet_review::Call::resign { datanet: 1 + dice.roll(2) as u32 }.into(),
        1 => pallet_review::Call::vote_many {
            votes: vec![vote; 1 + dice.roll(2) as usize].try_into().expect("two fit"),
        }
        .into(),
        _ => pallet_review::Call::vote { datanet, sha256, submission, verdict }.into(),
    }
}

fn leaderboard_call(dice: &mut Dice, datanet: u32) -> RuntimeCall {
    let terms = RewardTerms { per_period: dice.amount(), max_per_point: dice.amount() };
    let account = if dice.roll(6) == 0 { treasury() } else { somebody(dice) };
    match dice.roll(16) {
        0..=3 => {
            let mut rules = rules(datanet);
            if dice.roll(8) == 0 {
                rules.terms = terms;
            }
            pallet_leaderboard::Call::fund { datanet, amount: dice.amount(), rules }.into()
        }
        4 => pallet_leaderboard::Call::set_terms { datanet, terms }.into(),
        5 => pallet_leaderboard::Call::set_terms { datanet, terms: rules(datanet).terms }.into(),
        6..=8 => pallet_leaderboard::Call::leave {
            datanet,
            shares: if dice.roll(2) == 0 {
                dice.amount()
            } else {
                Leaderboard::share_view(datanet, &account).map_or(0, |share| share.shares)
            },
        }
        .into(),
        9 | 10 => pallet_leaderboard::Call::withdraw { datanet, account }.into(),
        11 => pallet_leaderboard::Call::recover { datanet }.into(),
        12 => pallet_leaderboard::Call::set_payout { account, to: somebody(dice) }.into(),
        13 => pallet_leaderboard::Call::claim_many {
            datanets: (0..dice.roll(5) as u32).collect::<Vec<_>>().try_into().expect("few"),
            account,
        }
        .into(),
        _ => pallet_leaderboard::Call::claim { datanet, account }.into(),
    }
}

fn owners_call(dice: &mut Dice, datanet: u32) -> RuntimeCall {
    match dice.roll(12) {
        0..=2 => pallet_review::Call::set_policy {
            datanet,
            policy: ReviewPolicy::Curators {
                members: vec![
                    Sr25519Keyring::Bob.to_account_id(),
                    Sr25519Keyring::Charlie.to_account_id(),
                ]
                .try_into()
                .expect("two fit"),
                threshold: 1 + dice.roll(3) as u8,
            },
        }
        .into(),
        3 => pallet_datanets::Call::pause { datanet }.into(),
        4 | 5 => pallet_datanets::Call::resume { datanet }.into(),
        6 | 7 => pallet_datanets::Call::offer_ownership {
            datanet,
            to: (dice.roll(4) > 0).then(|| somebody(dice)),
        }
        .into(),
        8 | 9 => pallet_datanets::Call::accept_ownership { datanet }.into(),
        10 => pallet_datanets::Call::set_text {
            datanet,
            text: DatanetText {
                summary: vec![b'a' + dice.roll(40) as u8; dice.roll(9) as usize]
                    .try_into()
                    .expect("short"),
                ..Default::default()
            },
        }
        .into(),
        // Closing is for ever, so it comes seldom.
        _ if dice.roll(20) == 0 => pallet_datanets::Call::close { datanet }.into(),
        _ => pallet_datanets::Call::resume { datanet }.into(),
    }
}

/// Somebody who was drawn for a job's dispute, or anybody.
fn drawn(dice: &mut Dice, job: u64) -> AccountId {
    let drawn = Training::dispute_of(job).map(|dispute| dispute.drawn).unwrap_or_default();
    match drawn.get(dice.roll(3) as usize) {
        Some(verifier) => verifier.worker.clone(),
        None => somebody(dice),
    }
}

fn training_call(dice: &mut Dice, datanet: u32) -> RuntimeCall {
    let now = frame_system::Pallet::<Runtime>::block_number();
    let jobs = Training::jobs(0, 100);
    // Often one that a worker has, so that some get to their end.
    let running = jobs.iter().filter(|(_, job)| !job.state.is_over());
    let running: Vec<u64> =
        running.filter(|(_, job)| job.assignment().is_some()).map(|(id, _)| *id).collect();
    let job = match running.get(dice.roll(running.len().max(1) as u64) as usize) {
        Some(job) if dice.roll(2) == 0 => *job,
        _ => dice.roll(jobs.len() as u64 + 1),
    };
    // What comes next in its life, as often as not: chance alone brings hardly any to their end.
    let call = match Training::job(job).map(|job| job.state) {
        Some(JobState::Assigned { .. }) if dice.roll(2) == 0 => 8,
        Some(JobState::Training { .. }) if dice.roll(2) == 0 => 16,
        Some(JobState::Submitted { .. }) if dice.roll(4) == 0 => 17,
        Some(JobState::Disputed { .. }) if dice.roll(2) == 0 => 18 + dice.roll(2),
        _ => dice.roll(20),
    };
    match call {
        17 => pallet_training::Call::dispute { job }.into(),
        n @ (18 | 19) => {
            let finding = Finding::ALL[dice.roll(2) as usize];
            match n {
                18 => pallet_training::Call::commit_finding {
                    job,
                    commitment: finding_commitment(job, &drawn(dice, job), finding, &[7; 32]),
                },
                _ => pallet_training::Call::reveal_finding { job, finding, salt: [7; 32] },
            }
            .into()
        }
        0 => pallet_training::Call::register_base_model {
            family: ModelFamily::Llama,
            name: b"model".to_vec().try_into().expect("short"),
            files: pallet_training::types::ModelFiles {
                weights: ContentId::raw([1; 32]),
                weights_sha256: [1; 32],
                weights_size: 1,
                tokenizer: None,
                config: None,
            },
            licence: b"Apache-2.0".to_vec().try_into().expect("short"),
        }
        .into(),
        1 => pallet_training::Call::register_worker {
            kinds: vec![JobKind { family: ModelFamily::Llama, method: Method::Lora }]
                .try_into()
                .expect("one fits"),
            price_per_token: dice.amount() / 1_000_000,
            endpoint: Default::default(),
            serves: match dice.roll(3) {
                0 => Serves::Models(vec![0].try_into().expect("one fits")),
                _ => Serves::UpTo(1 << (28 + dice.roll(8))),
            },
            tokens_per_second: dice.roll(40_000) as u32,
        }
        .into(),
        2 => pallet_training::Call::pause {}.into(),
        3 => pallet_training::Call::resume {}.into(),
        4 => pallet_training::Call::deregister_worker {}.into(),
        5 => pallet_training::Call::cancel_job { job }.into(),
        n @ (6 | 7) => {
            let version = Datanets::datanet(datanet)
                .map(|view: DatanetView<AccountId>| view.version)
                .unwrap_or_default();
            let datasets = vec![DatasetRef { datanet, version }].try_into().expect("one fits");
            let spec = TrainingSpec { lora_r: dice.roll(260) as u16, ..Default::default() };
            let (base, token_ceiling) = (dice.roll(3) as u32, dice.roll(1_000_000));
            let (price_per_token, deadline) =
                (dice.amount() / 1_000_000, now + dice.roll(300) as u32);
            match n {
                6 => pallet_training::Call::create_job {
                    base,
                    datasets,
                    spec,
                    token_ceiling,
                    price_per_token,
                    deadline,
                },
                _ => pallet_training::Call::refine_adapter {
                    parent: job,
                    base,
                    datasets,
                    spec: Training::job(job).map_or(spec, |job| job.spec),
                    token_ceiling,
                    price_per_token,
                    deadline,
                },
            }
            .into()
        }
        8 => pallet_training::Call::take { job }.into(),
        9 => pallet_training::Call::heartbeat { job, step: 1, total_steps: 2 }.into(),
        10 => {
            let reasons = DeclineReason::ALL;
            let reason = reasons[dice.roll(reasons.len() as u64) as usize];
            pallet_training::Call::decline { job, reason }.into()
        }
        11 => {
            pallet_training::Call::raise_price { job, price_per_token: dice.amount() / 1_000_000 }
                .into()
        }
        12 => {
            let deadline = now + dice.roll(400) as u32;
            pallet_training::Call::extend_deadline { job, deadline }.into()
        }
        13 => pallet_training::Call::prune_job { job }.into(),
        14 if dice.roll(4) == 0 => {
            pallet_training::Call::retire_base_model { base: dice.roll(3) as u32 }.into()
        }
        _ => {
            let dataset_root =
                Training::job(job).map(|job| dataset_root(&job.datasets)).unwrap_or_default();
            pallet_training::Call::submit_result {
                job,
                result: JobResult {
                    content: ContentId::raw([2; 32]),
                    sha256: [2; 32],
                    size: 1,
                    eval_loss_before: 3_000_000,
                    eval_loss_after: 2_000_000,
                    tokens: u64::MAX,
                    dataset_root,
                    checkpoints_root: H256::zero(),
                    influence_root: H256::zero(),
                },
            }
            .into()
        }
    }
}

/// The account that can make the next step of a job, so that whole lives happen by chance.
fn actor(dice: &mut Dice, call: &RuntimeCall) -> AccountId {
    let owned = match call {
        RuntimeCall::Leaderboard(pallet_leaderboard::Call::set_terms { datanet, .. })
        | RuntimeCall::Review(pallet_review::Call::set_policy { datanet, .. })
        | RuntimeCall::Datanets(
            pallet_datanets::Call::set_text { datanet, .. }
            | pallet_datanets::Call::pause { datanet }
            | pallet_datanets::Call::resume { datanet }
            | pallet_datanets::Call::offer_ownership { datanet, .. }
            | pallet_datanets::Call::bar { datanet, .. }
            | pallet_datanets::Call::unbar { datanet, .. }
            | pallet_datanets::Call::invite { datanet, .. }
            | pallet_datanets::Call::close { datanet },
        ) => Datanets::datanet(*datanet).map(|view| view.owner),
        RuntimeCall::Datanets(pallet_datanets::Call::accept_ownership { datanet }) => {
            pallet_datanets::Offers::<Runtime>::get(datanet)
        }
        RuntimeCall::Leaderboard(pallet_leaderboard::Call::leave { datanet, .. }) => {
            pallet_leaderboard::FunderShares::<Runtime>::iter_prefix(datanet)
                .map(|(funder, _)| funder)
                .nth(dice.roll(4) as usize)
        }
        _ => None,
    };
    if let Some(who) = owned.filter(|_| dice.roll(5) > 0) {
        return who;
    }
    if matches!(call, RuntimeCall::Review(_)) && dice.roll(5) > 0 {
        return [Sr25519Keyring::Bob, Sr25519Keyring::Charlie][dice.roll(2) as usize]
            .to_account_id();
    }
    if let RuntimeCall::Training(
        pallet_training::Call::take { job }
        | pallet_training::Call::decline { job, .. }
        | pallet_training::Call::heartbeat { job, .. }
        | pallet_training::Call::submit_result { job, .. },
    ) = call
    {
        if let Some(assignment) = Training::job(*job).and_then(|job| job.assignment().cloned()) {
            if dice.roll(5) > 0 {
                return assignment.worker;
            }
        }
    }
    if let RuntimeCall::Training(
        pallet_training::Call::commit_finding { job, .. }
        | pallet_training::Call::reveal_finding { job, .. },
    ) = call
    {
        return drawn(dice, *job);
    }
    somebody(dice)
}

/// A call and who makes it; of committees too where there are some.
pub fn likely(dice: &mut Dice, by_committees: bool) -> (AccountId, RuntimeCall) {
    let datanet = dice.roll(3) as u32;
    let call = match dice.roll(if by_committees { 17 } else { 13 }) {
        0..=3 => datanet_call(dice, datanet),
        4 | 5 => vote(dice, datanet),
        6 | 7 => leaderboard_call(dice, datanet),
        8 => owners_call(dice, datanet),
        9..=11 => training_call(dice, datanet),
        12..=15 if by_committees => {
            let (call, who) = review_call(dice, datanet);
            return (who, call);
        }
        _ => pallet_balances::Call::transfer_allow_death {
            dest: somebody(dice).into(),
            value: dice.amount(),
        }
        .into(),
    };
    (actor(dice, &call), call)
}
