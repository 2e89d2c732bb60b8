//! A runtime of this pallet, balances and ten Datanets of ten leaves.

use codec::Encode;
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{fungible::InspectHold, ConstU128, ConstU32, ConstU8, Contains, Hooks, Randomness},
};
use openledger_primitives::{
    api::JobView,
    job::Datasets,
    leaf::{dataset_root, DatasetRef},
    traits::DatasetVersions,
    Balance, ContentId, DatanetId, DatasetVersion, JobId, JobKind, JobResult, JobState, Method,
    ModelFamily, Serves, TrainingSpec, EXISTENTIAL_DEPOSIT, OPEN,
};
use pallet_training::{HoldReason, Kinds, ModelFiles};
use sp_core::H256;
use sp_runtime::{BuildStorage, Perbill};

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Training: pallet_training,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type RuntimeHoldReason = RuntimeHoldReason;
}

/// Plancks held for a base model.
pub const DEPOSIT: Balance = 10 * OPEN;
/// Plancks a worker has at stake.
pub const BOND: Balance = 100 * OPEN;
/// Plancks held for a job's record.
pub const JOB_DEPOSIT: Balance = 50;
/// Least plancks of a budget.
pub const MINIMUM: Balance = 1_000;
/// Blocks to take a job.
pub const TAKE: u32 = 5;
/// Most blocks between two signs of life.
pub const HEARTBEAT: u32 = 10;
/// Most blocks without a step, beside what a step takes.
pub const PROGRESS: u32 = 40;
/// Blocks until a higher floor may take effect.
pub const RAISE: u32 = 6;
/// Blocks after its end from which on anyone may prune a job.
pub const PRUNE: u32 = 50;
/// Tokens a second that the workers of tests declare; a block takes a second.
pub const RATE: u32 = 512;
/// Bytes of weights that the workers of tests take.
pub const BYTES: u64 = 1 << 30;
/// Most blocks to a deadline.
pub const LONGEST: u32 = 1_000;
/// Workers that may let a job time out.
pub const ATTEMPTS: u8 = 3;
/// Agenda entries a block.
pub const EXPIRIES: u32 = 4;
/// Payments a block.
pub const PAYMENTS: u32 = 4;
/// Disputes a block.
pub const DISPUTES: u32 = 4;
/// Plancks that who disputes a result has at stake. No multiple of three.
pub const DISPUTE_BOND: Balance = 3 * OPEN + 1;
/// Blocks for the hashes of findings.
pub const COMMIT: u32 = 12;
/// Blocks for findings.
pub const REVEAL: u32 = 6;

parameter_types! {
    pub static Penalty: Perbill = Perbill::from_percent(50);
    pub static PenaltyAccount: AccountId = TREASURY;
    pub static Window: u32 = 4;
    pub static Notice: u32 = 0;
    pub static Seed: u64 = 0;
}

impl pallet_training::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Datasets = Datanets;
    type Voters = Voters;
    type PenaltyAccount = PenaltyAccount;
    type BaseModelDeposit = ConstU128<DEPOSIT>;
    type WorkerBond = ConstU128<BOND>;
    type MinimumBudget = ConstU128<MINIMUM>;
    type JobDeposit = ConstU128<JOB_DEPOSIT>;
    type ProgressWindow = ConstU32<PROGRESS>;
    type RaiseDelay = ConstU32<RAISE>;
    type WorkerNotice = Notice;
    type PruneDelay = ConstU32<PRUNE>;
    type BlockSeconds = ConstU32<1>;
    type TakeWindow = ConstU32<TAKE>;
    type HeartbeatWindow = ConstU32<HEARTBEAT>;
    type ChallengeWindow = Window;
    type MaxJobBlocks = ConstU32<LONGEST>;
    type MaxAttempts = ConstU8<ATTEMPTS>;
    type PenaltyShare = Penalty;
    type MaxExpiriesPerBlock = ConstU32<EXPIRIES>;
    type MaxPaymentsPerBlock = ConstU32<PAYMENTS>;
    type DisputeBond = ConstU128<DISPUTE_BOND>;
    type CommitWindow = ConstU32<COMMIT>;
    type RevealWindow = ConstU32<REVEAL>;
    type MaxDisputesPerBlock = ConstU32<DISPUTES>;
    type Randomness = Dice;
    type WeightInfo = ();
}

/// The account whose OPEN votes.
pub const VOTER: AccountId = 98;

/// Says that it does.
pub struct Voters;

impl Contains<AccountId> for Voters {
    fn contains(who: &AccountId) -> bool {
        *who == VOTER
    }
}

/// What decides draws: a number that a test sets, and the block.
pub struct Dice;

impl Randomness<H256, u32> for Dice {
    fn random(subject: &[u8]) -> (H256, u32) {
        let block = System::block_number();
        let bytes = (subject, Seed::get(), block).encode();
        (H256(sp_io::hashing::blake2_256(&bytes)), block)
    }
}

/// Who gets the penalties.
pub const TREASURY: AccountId = 99;
/// Who registered the base model.
pub const REGISTRAR: AccountId = 1;
/// A job owner.
pub const OWNER: AccountId = 2;
/// Workers.
pub const WANDA: AccountId = 10;
pub const WALTER: AccountId = 11;
pub const WILMA: AccountId = 12;

/// What every account has at genesis.
pub const RICH: Balance = 10_000 * OPEN;

/// Datanets 0 to 9, each with the versions of 0 to 10 leaves.
pub struct Datanets;

impl DatasetVersions for Datanets {
    fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion> {
        let root = match leaves {
            0 => H256::zero(),
            _ => H256::from_low_u64_be(u64::from(datanet) * 100 + leaves),
        };
        (datanet < 10 && leaves <= 10).then_some(DatasetVersion { leaves, root })
    }
}

/// Runs `test` on a fresh chain at block 1 with base model 0 (LLaMA), then checks what must hold of
/// any storage.
pub fn run(test: impl FnOnce()) {
    let mut genesis = RuntimeGenesisConfig::default();
    let accounts = (1..60).chain([TREASURY]);
    genesis.balances.balances = accounts.map(|account| (account, RICH)).collect();
    let storage = genesis.build_storage().expect("a genesis of balances");
    Penalty::set(Perbill::from_percent(50));
    PenaltyAccount::set(TREASURY);
    Window::set(4);
    Notice::set(0);
    Seed::set(0);
    sp_io::TestExternalities::new(storage).execute_with(|| {
        let supply = Balances::total_issuance();
        next_block();
        base_model(ModelFamily::Llama);
        test();
        check(supply);
    });
}

/// Checks the pallet's promises, and that nobody made or lost a planck.
pub fn check(supply: Balance) {
    assert_ok!(Training::do_try_state());
    conserved(supply);
}

/// Checks that nobody made or lost a planck.
pub fn conserved(supply: Balance) {
    let sum: Balance = frame_system::Account::<Test>::iter_values()
        .map(|account| account.data.free + account.data.reserved)
        .sum();
    assert_eq!((sum, Balances::total_issuance()), (supply, supply), "OPEN is conserved");
}

/// Goes on to the next block.
pub fn next_block() {
    let next = System::block_number() + 1;
    System::set_block_number(next);
    Training::on_initialize(next);
}

/// Goes block by block to block `block`.
pub fn go_to(block: u32) {
    while System::block_number() < block {
        next_block();
        assert_ok!(Training::do_try_state());
    }
}

/// Goes `blocks` blocks on.
pub fn pass(blocks: u32) {
    go_to(System::block_number() + blocks);
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn text<S: frame_support::traits::Get<u32>>(text: &str) -> frame_support::BoundedVec<u8, S> {
    text.as_bytes().to_vec().try_into().expect("short enough")
}

pub fn files() -> ModelFiles {
    ModelFiles {
        weights: ContentId::raw([7; 32]),
        weights_sha256: [7; 32],
        weights_size: 90_000_000,
        tokenizer: None,
        config: None,
    }
}

/// Registers a base model.
pub fn base_model(family: ModelFamily) {
    assert_ok!(Training::register_base_model(
        signed(REGISTRAR),
        family,
        text("SmolLM2-135M-Instruct"),
        files(),
        text("Apache-2.0"),
    ));
}

pub const LORA: JobKind = JobKind { family: ModelFamily::Llama, method: Method::Lora };
pub const QLORA: JobKind = JobKind { family: ModelFamily::Llama, method: Method::Qlora };

pub fn kinds(kinds: &[JobKind]) -> Kinds {
    kinds.to_vec().try_into().expect("few enough")
}

/// Registers a worker for LoRA on LLaMA.
pub fn worker(who: AccountId, price_per_token: Balance) {
    worker_for(who, price_per_token, &[LORA]);
}

pub fn worker_for(who: AccountId, price_per_token: Balance, of: &[JobKind]) {
    worker_that(who, price_per_token, of, Serves::UpTo(BYTES), RATE);
}

/// Registers a worker that serves certain models at a rate.
pub fn worker_that(
    who: AccountId,
    price_per_token: Balance,
    of: &[JobKind],
    serves: Serves,
    tokens_per_second: u32,
) {
    assert_ok!(Training::register_worker(
        signed(who),
        kinds(of),
        price_per_token,
        text("http://127.0.0.1:9000"),
        serves,
        tokens_per_second,
    ));
}

/// Changes a worker's kinds and floor alone.
pub fn update(who: AccountId, of: &[JobKind], price: Balance) -> sp_runtime::DispatchResult {
    Training::update_worker(signed(who), kinds(of), price, text(""), Serves::UpTo(BYTES), RATE)
}

/// Opts in to these base models.
pub fn models(of: &[u32]) -> Serves {
    Serves::Models(of.to_vec().try_into().expect("few enough"))
}

pub fn spec(method: Method) -> TrainingSpec {
    TrainingSpec { method, ..TrainingSpec::default() }
}

/// Each Datanet at the version of so many leaves.
pub fn datasets(of: &[(DatanetId, u64)]) -> Datasets {
    let refs: Vec<_> = of
        .iter()
        .map(|(datanet, leaves)| DatasetRef {
            datanet: *datanet,
            version: Datanets::version_at(*datanet, *leaves)
                .unwrap_or(DatasetVersion { leaves: *leaves, root: H256::zero() }),
        })
        .collect();
    refs.try_into().expect("few enough")
}

/// Creates a LoRA job of [`OWNER`] with a deadline 500 blocks away; the budget is divided over the
/// tokens.
pub fn job(token_ceiling: u64, budget: Balance) -> JobId {
    job_until(token_ceiling, budget, System::block_number() + 500)
}

pub fn job_until(token_ceiling: u64, budget: Balance, deadline: u32) -> JobId {
    job_of(OWNER, Method::Lora, token_ceiling, budget, deadline)
}

pub fn job_of(
    owner: AccountId,
    method: Method,
    token_ceiling: u64,
    budget: Balance,
    deadline: u32,
) -> JobId {
    assert_ok!(Training::create_job(
        signed(owner),
        0,
        datasets(&[(0, 3), (4, 10)]),
        spec(method),
        token_ceiling,
        budget / Balance::from(token_ceiling),
        deadline
    ));
    pallet_training::NextJob::<Test>::get() - 1
}

/// Trains the adapter `parent` further with a LoRA job of `owner`.
pub fn refine(
    owner: AccountId,
    parent: JobId,
    base: u32,
    spec: TrainingSpec,
) -> sp_runtime::DispatchResult {
    let deadline = System::block_number() + 500;
    let datasets = datasets(&[(0, 3), (4, 10)]);
    Training::refine_adapter(signed(owner), parent, base, datasets, spec, 1_000, 10, deadline)
}

/// A result that fits jobs made by [`job_of`].
pub fn result() -> JobResult {
    JobResult {
        content: ContentId::raw([9; 32]),
        sha256: [9; 32],
        size: 1_000,
        eval_loss_before: 2_500_000,
        eval_loss_after: 2_000_000,
        tokens: 12_345,
        dataset_root: dataset_root(&datasets(&[(0, 3), (4, 10)])),
        checkpoints_root: H256::zero(),
        influence_root: H256::zero(),
    }
}

pub fn get(id: JobId) -> JobView<AccountId> {
    Training::job(id).expect("the job exists")
}

pub fn state(id: JobId) -> JobState<AccountId> {
    get(id).state
}

pub fn is_queued(id: JobId) -> bool {
    matches!(state(id), JobState::Queued)
}

/// The worker a job is with or was done by.
pub fn worker_of(id: JobId) -> Option<AccountId> {
    get(id).assignment().map(|assignment| assignment.worker)
}

/// Takes a job that was just assigned and submits its result.
pub fn train(who: AccountId, id: JobId) {
    assert_ok!(Training::take(signed(who), id));
    assert_ok!(Training::submit_result(signed(who), id, result()));
}

/// What of `who` is held for jobs.
pub fn budget_held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::JobBudget.into(), &who)
}

/// What of `who` is held for jobs' records.
pub fn deposit_held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::JobDeposit.into(), &who)
}

/// What of `who` is held as a worker's bond.
pub fn bond_held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::WorkerBond.into(), &who)
}

/// What of `who` is held for disputes.
pub fn dispute_held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::DisputeBond.into(), &who)
}

/// What of `who` is free, or held for the records of its jobs.
pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who) + deposit_held(who)
}

/// This pallet's events so far.
pub fn events() -> Vec<pallet_training::Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Training(event) => Some(event),
            _ => None,
        })
        .collect()
}

/// A small generator (splitmix64), so that a failing sequence can be run again from its seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
