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
    AdmissionPolicy, ContentId, DatanetText, JobKind, Method, Modality, ModelFamily,
    RejectionReason, ReviewPolicy, RewardTerms, Serves, TrainingSpec, Verdict, OPEN,
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

/// Files that are precommitted to.
const PROMISES: u64 = 12;

/// Who precommits to a file.
fn promiser(n: u64) -> AccountId {
    id(&user(5 + (n % 2) as u32))
}

fn promise(n: u64, datanet: u32) -> H256 {
    let file = item(&n.to_le_bytes());
    openledger_primitives::precommitment(&promiser(n), datanet, &file.sha256, &[0; 32])
}

/// One of a few, which are those of a storage map, if there are any.
fn one_of<T>(dice: &mut Dice, all: impl Iterator<Item = T>) -> Option<T> {
    let mut few: Vec<T> = all.take(8).collect();
    let chosen = dice.roll(few.len().max(1) as u64) as usize;
    (chosen < few.len()).then(|| few.swap_remove(chosen))
}

/// A Datanet that is closed, or the one that is given.
fn closed_or(datanet: u32) -> u32 {
    pallet_datanets::Statuses::<Runtime>::iter()
        .find(|(_, status)| *status == openledger_primitives::DatanetStatus::Closed)
        .map_or(datanet, |(closed, _)| closed)
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
        5 if dice.roll(3) == 0 => pallet_datanets::Call::set_admission {
            datanet,
            admission: match dice.roll(4) {
                0 => AdmissionPolicy::Invited,
                1 => AdmissionPolicy::Points { least: dice.roll(3).into() },
                _ => AdmissionPolicy::Open,
            },
        }
        .into(),
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
                4 => pallet_datanets::Call::clear_entries { datanet: closed_or(datanet) }.into(),
                _ => pallet_datanets::Call::unbar { datanet, account }.into(),
            }
        }
        9 => {
            let sha256 = pending(dice, datanet).map_or([0; 32], |(sha256, _)| sha256);
            pallet_datanets::Call::expire { datanet, sha256 }.into()
        }
        n @ (10 | 11) => {
            // One of few files, so that it is opened by chance, too.
            let number = dice.roll(PROMISES);
            let items = vec![item(&number.to_le_bytes())];
            let promise = promise(number, datanet);
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

/// A vote to accept of who measures as the chain asks for now.
pub fn measured(score: u8, units: u64, root: u8) -> Verdict {
    match accept(score, units, root) {
        Verdict::Accept { score, units, text_root, .. } => {
            let extractor = pallet_review::CurrentExtractor::<Runtime>::get();
            Verdict::Accept { score, units, text_root, extractor }
        }
        other => other,
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
        measured(1 + dice.roll(100) as u8, units.unwrap_or(700), u8::from(dice.roll(20) > 0))
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
    let earner = one_of(dice, pallet_leaderboard::Positions::<Runtime>::iter_key_prefix(datanet));
    let earner = earner.filter(|_| dice.roll(4) > 0).unwrap_or_else(|| account.clone());
    let funder =
        one_of(dice, pallet_leaderboard::FunderShares::<Runtime>::iter_key_prefix(datanet));
    let funder = funder.filter(|_| dice.roll(4) > 0).unwrap_or_else(|| account.clone());
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
        9 | 10 => pallet_leaderboard::Call::withdraw { datanet, account: funder }.into(),
        11 => pallet_leaderboard::Call::recover { datanet }.into(),
        12 => pallet_leaderboard::Call::set_payout { account, to: somebody(dice) }.into(),
        13 => pallet_leaderboard::Call::claim_many {
            datanets: (0..dice.roll(5) as u32).collect::<Vec<_>>().try_into().expect("few"),
            account: earner,
        }
        .into(),
        _ => pallet_leaderboard::Call::claim { datanet, account: earner }.into(),
    }
}

fn owners_call(dice: &mut Dice, datanet: u32) -> RuntimeCall {
    match dice.roll(12) {
        0 if dice.roll(3) == 0 => pallet_review::Call::set_policy {
            datanet,
            policy: ReviewPolicy::Committee { own_seats: false },
        }
        .into(),
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
        _ if datanet > 0 && dice.roll(4) == 0 => pallet_datanets::Call::close { datanet }.into(),
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
            price_per_token: dice.roll(10).into(),
            endpoint: Default::default(),
            serves: match dice.roll(3) {
                0 => Serves::Models(vec![0].try_into().expect("one fits")),
                _ => Serves::UpTo(1 << (28 + dice.roll(8))),
            },
            tokens_per_second: dice.roll(40_000) as u32,
        }
        .into(),
        2 if dice.roll(2) == 0 => pallet_training::Call::update_worker {
            kinds: vec![JobKind { family: ModelFamily::Llama, method: Method::Lora }]
                .try_into()
                .expect("one fits"),
            price_per_token: dice.amount() / 1_000_000,
            endpoint: Default::default(),
            serves: Serves::UpTo(1 << (28 + dice.roll(8))),
            tokens_per_second: dice.roll(40_000) as u32,
        }
        .into(),
        2 => pallet_training::Call::pause {}.into(),
        3 => pallet_training::Call::resume {}.into(),
        4 => pallet_training::Call::deregister_worker {}.into(),
        5 => pallet_training::Call::cancel_job { job }.into(),
        n @ (6 | 7) => {
            let version_of = |datanet| {
                let view: Option<DatanetView<AccountId>> = Datanets::datanet(datanet);
                view.map(|view| view.version).unwrap_or_default()
            };
            // Mostly of a Datanet that has something to train on, and so that workers could do it.
            let with_files = (0..3).find(|id| version_of(*id).leaves > 0 && dice.roll(8) > 0);
            let datanet = with_files.unwrap_or(datanet);
            let version = version_of(datanet);
            let datasets = vec![DatasetRef { datanet, version }].try_into().expect("one fits");
            let hard = dice.roll(4) == 0;
            let spec = match hard {
                true => TrainingSpec { lora_r: dice.roll(260) as u16, ..Default::default() },
                false => TrainingSpec { method: Method::Lora, ..Default::default() },
            };
            let models = pallet_training::NextBaseModel::<Runtime>::get();
            let base = dice.roll((u64::from(models) + u64::from(hard)).max(1)) as u32;
            let (token_ceiling, price_per_token, deadline) = match hard {
                true => {
                    (dice.roll(1_000_000), dice.amount() / 1_000_000, now + dice.roll(300) as u32)
                }
                false => (
                    200 + dice.roll(400),
                    OPEN / 1_000 * u128::from(1 + dice.roll(20)),
                    now + 150 + dice.roll(300) as u32,
                ),
            };
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
            let price_per_token = OPEN / 1_000 * u128::from(1 + dice.roll(40));
            pallet_training::Call::raise_price { job, price_per_token }.into()
        }
        12 => {
            let deadline = now + 300 + dice.roll(400) as u32;
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
            | pallet_datanets::Call::set_caps { datanet, .. }
            | pallet_datanets::Call::set_admission { datanet, .. }
            | pallet_datanets::Call::close { datanet },
        ) => Datanets::datanet(*datanet).map(|view| view.owner),
        RuntimeCall::Datanets(pallet_datanets::Call::precommit { commitments }) => {
            let made = |n: &u64| (0..3).any(|id| commitments.contains(&promise(*n, id)));
            (0..PROMISES).find(made).map(promiser)
        }
        RuntimeCall::Datanets(pallet_datanets::Call::open { items, .. }) => {
            let of = |n: &u64| items.iter().any(|it| it.sha256 == item(&n.to_le_bytes()).sha256);
            (0..PROMISES).find(of).map(promiser)
        }
        RuntimeCall::Datanets(pallet_datanets::Call::submit { .. }) => {
            one_of(dice, pallet_datanets::Contributors::<Runtime>::iter_keys())
        }
        RuntimeCall::Datanets(pallet_datanets::Call::withdraw { datanet, sha256 }) => {
            match pallet_datanets::Submissions::<Runtime>::get(datanet, sha256) {
                Some(pallet_datanets::Submission::Pending { contributor, .. }) => Some(contributor),
                _ => None,
            }
        }
        RuntimeCall::Review(
            pallet_review::Call::vote { datanet, .. } | pallet_review::Call::resign { datanet },
        ) => match pallet_review::Pallet::<Runtime>::policy(*datanet) {
            Some(ReviewPolicy::Curators { members, .. }) => one_of(dice, members.into_iter()),
            _ => None,
        },
        RuntimeCall::Training(
            pallet_training::Call::cancel_job { job }
            | pallet_training::Call::raise_price { job, .. }
            | pallet_training::Call::extend_deadline { job, .. }
            | pallet_training::Call::prune_job { job },
        ) => Training::job(*job).map(|job| job.owner),
        RuntimeCall::Training(
            pallet_training::Call::pause {}
            | pallet_training::Call::resume {}
            | pallet_training::Call::update_worker { .. }
            | pallet_training::Call::deregister_worker {},
        ) => one_of(dice, pallet_training::Workers::<Runtime>::iter_keys()),
        RuntimeCall::Datanets(pallet_datanets::Call::accept_ownership { datanet }) => {
            pallet_datanets::Offers::<Runtime>::get(datanet)
        }
        RuntimeCall::Datanets(pallet_datanets::Call::revoke_leaf { datanet, leaf }) => {
            Datanets::leaves(*datanet, *leaf, 1).pop().map(|view| view.leaf.contributor)
        }
        RuntimeCall::Datanets(pallet_datanets::Call::end_sponsorship { contributor }) => {
            pallet_datanets::Contributors::<Runtime>::get(contributor)
                .map(|record| record.depositor)
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
