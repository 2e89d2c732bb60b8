//! A runtime of system, balances and Datanets, with recorders in the place of the neighbours.

use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, Hooks, Time},
    weights::{constants::ParityDbWeight, Weight},
    BoundedVec,
};
use frame_system::limits::{BlockLength, BlockWeights};
use openledger_primitives::{
    api::SubmissionItem,
    traits::{OnAccepted, OnVerdict, ReviewLimit, ReviewPolicies, SubmittedFile},
    Balance, ContentCodec, ContentId, DatanetId, FileHash, MediaType, Modality, Points,
    QuotaExceeded, QuotaLimits, RejectionReason, ReviewPolicy, Score, SubmissionId, Verdict,
    EXISTENTIAL_DEPOSIT, EXTRACTOR, MILLISECONDS_PER_DAY, OPEN,
};
use pallet_datanets::{Contributor, Contributors, Datanet, Datanets as AllDatanets, HoldReason};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Perbill};

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Datanets: pallet_datanets,
        Envelope: envelope,
    }
);

/// A call around a call, as utility's batch and many others are.
#[frame_support::pallet(dev_mode)]
pub mod envelope {
    use frame_support::{
        dispatch::GetDispatchInfo, pallet_prelude::*, sp_runtime::traits::Dispatchable,
    };
    use frame_system::pallet_prelude::*;

    #[pallet::config]
    pub trait Config: frame_system::Config {
        type Letter: Parameter + Dispatchable<RuntimeOrigin = Self::RuntimeOrigin> + GetDispatchInfo;
    }

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        pub fn open(origin: OriginFor<T>, letter: Box<T::Letter>) -> DispatchResult {
            letter.dispatch(origin).map(drop).map_err(|failed| failed.error)
        }
    }
}

parameter_types! {
    pub Weights: BlockWeights =
        BlockWeights::simple_max(Weight::from_parts(2_000_000_000_000, u64::MAX));
    pub Lengths: BlockLength = BlockLength::builder().max_length(5 * 1024 * 1024).build();
    pub const AccountLimits: QuotaLimits = QuotaLimits::ACCOUNT;
    pub static SettleDelay: u32 = 0;
    pub static MaxEntries: u32 = 1_000;
    pub static FeelessShare: Perbill = Perbill::from_percent(25);
    pub static Now: u64 = 20_000 * MILLISECONDS_PER_DAY;
    pub static Policies: Vec<(DatanetId, ReviewPolicy<AccountId>)> = Vec::new();
    pub static RefusePolicies: bool = false;
    pub static Forgotten: Vec<SubmissionId> = Vec::new();
    /// What the reviewers were told of.
    pub static Submitted: Vec<(DatanetId, AccountId, Vec<SubmissionId>)> = Vec::new();
    pub static BeforeCommittee: Vec<SubmissionId> = Vec::new();
    pub static DrawnFor: Vec<SubmissionId> = Vec::new();
    pub static ReviewFiles: u32 = u32::MAX;
    pub static ReviewShareFiles: u32 = u32::MAX;
    /// Files that the review budget covers.
    pub static ReviewCovers: u32 = u32::MAX;
    pub static ReviewAtATime: u32 = u32::MAX;
    pub static Rewards: Vec<(DatanetId, AccountId, Points)> = Vec::new();
    pub static RefuseRewards: bool = false;
    pub static GlobalPoints: Vec<(AccountId, Points)> = Vec::new();
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockWeights = Weights;
    type BlockLength = Lengths;
    type DbWeight = ParityDbWeight;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
}

impl envelope::Config for Test {
    type Letter = RuntimeCall;
}

impl pallet_datanets::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Time = Clock;
    type Review = Recorder;
    type OnAccepted = Recorder;
    type DatanetDeposit = ConstU128<{ 10 * OPEN }>;
    type EntryDeposit = ConstU128<{ OPEN / 100 }>;
    type MaxEntries = MaxEntries;
    type ContributorHold = ConstU128<{ OPEN }>;
    type HoldPeriodDays = ConstU32<7>;
    type AccountLimits = AccountLimits;
    type DayLength = ConstU32<DAY>;
    type MaxPending = ConstU32<60>;
    type MaxWaitDays = ConstU32<7>;
    type SettleDelay = SettleDelay;
    type FeelessShare = FeelessShare;
    type WeightInfo = pallet_datanets::weights::SubstrateWeight<Test>;
}

pub struct Clock;

impl Time for Clock {
    type Moment = u64;

    fn now() -> u64 {
        Now::get()
    }
}

/// Writes down what the pallet tells its neighbours.
pub struct Recorder;

impl ReviewPolicies<AccountId> for Recorder {
    fn set_policy(datanet: DatanetId, policy: ReviewPolicy<AccountId>) -> DispatchResult {
        if RefusePolicies::get() {
            return Err(DispatchError::Other("policy refused"));
        }
        Policies::mutate(|policies| policies.push((datanet, policy)));
        Ok(())
    }

    fn forget(submission: SubmissionId) {
        Forgotten::mutate(|forgotten| forgotten.push(submission));
    }

    fn check_budget(_: DatanetId, _: &AccountId, files: u32, _: u32) -> Result<(), ReviewLimit> {
        let total = u64::from(files);
        let most = |limit: u32| QuotaExceeded::Files { total, limit: limit.into() };
        match (ReviewFiles::get(), ReviewShareFiles::get()) {
            (limit, _) if files > limit => Err(ReviewLimit::Datanet(most(limit))),
            (_, limit) if files > limit => Err(ReviewLimit::Share(most(limit))),
            _ if files > ReviewCovers::get() => {
                Err(ReviewLimit::Budget { files, covered: ReviewCovers::get().into() })
            }
            _ if files > ReviewAtATime::get() => {
                Err(ReviewLimit::Reserved { files: total, most: ReviewAtATime::get().into() })
            }
            _ => Ok(()),
        }
    }

    fn submitted(
        datanet: DatanetId,
        contributor: &AccountId,
        files: &[SubmittedFile],
        _: u32,
    ) -> DispatchResult {
        let files = files.iter().map(|file| file.submission).collect();
        Submitted::mutate(|submitted| submitted.push((datanet, *contributor, files)));
        Ok(())
    }

    fn is_before_committee(submission: SubmissionId) -> bool {
        BeforeCommittee::get().contains(&submission)
    }

    fn is_drawn(submission: SubmissionId) -> bool {
        DrawnFor::get().contains(&submission)
    }
}

impl OnAccepted<AccountId> for Recorder {
    fn global_points(account: &AccountId) -> Points {
        GlobalPoints::get().iter().filter(|(who, _)| who == account).map(|(_, points)| points).sum()
    }

    fn on_accepted(
        datanet: DatanetId,
        contributor: &AccountId,
        points: Points,
        _: bool,
    ) -> DispatchResult {
        if RefuseRewards::get() {
            return Err(DispatchError::Other("reward refused"));
        }
        Rewards::mutate(|rewards| rewards.push((datanet, *contributor, points)));
        Ok(())
    }
}

/// Blocks of a day.
pub const DAY: u32 = 100;

pub const OWNER: AccountId = 1;
pub const ALICE: AccountId = 2;
pub const BOB: AccountId = 3;
pub const SPONSOR: AccountId = 4;
/// An account that does not exist.
pub const NEWCOMER: AccountId = 100;

/// Runs `test` on a fresh chain at noon.
pub fn on_chain(test: impl FnOnce()) {
    unchecked(|| {
        test();
        Datanets::do_try_state().expect("the state is consistent after the test");
    });
}

/// Like [`on_chain`], without checking the state at the end.
pub fn unchecked(test: impl FnOnce()) {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    pallet_balances::GenesisConfig::<Test> {
        balances: [OWNER, ALICE, BOB, SPONSOR].map(|who| (who, 1_000 * OPEN)).to_vec(),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    Now::set(20_000 * MILLISECONDS_PER_DAY + MILLISECONDS_PER_DAY / 2);
    SettleDelay::set(0);
    MaxEntries::set(1_000);
    FeelessShare::set(Perbill::from_percent(25));
    Policies::set(Vec::new());
    Forgotten::set(Vec::new());
    Submitted::set(Vec::new());
    BeforeCommittee::set(Vec::new());
    DrawnFor::set(Vec::new());
    ReviewFiles::set(u32::MAX);
    ReviewShareFiles::set(u32::MAX);
    ReviewCovers::set(u32::MAX);
    ReviewAtATime::set(u32::MAX);
    Rewards::set(Vec::new());
    RefusePolicies::set(false);
    RefuseRewards::set(false);
    GlobalPoints::set(Vec::new());
    sp_io::TestExternalities::new(storage).execute_with(|| {
        // Events are not kept in block 0.
        System::set_block_number(1);
        test();
    });
}

/// Ends the block, and with it what lasts for one block.
pub fn next_block() {
    let number = System::block_number();
    Datanets::on_finalize(number);
    System::set_block_number(number + 1);
    Datanets::on_initialize(number + 1);
}

/// Goes on by whole days, in blocks and by the clock.
pub fn later(days: u32) {
    Now::mutate(|now| *now += u64::from(days) * MILLISECONDS_PER_DAY);
    System::set_block_number(System::block_number() + u64::from(days * DAY));
    Datanets::on_idle(System::block_number(), Weight::MAX);
}

/// Those whose agreement the tests' verdicts are.
pub const JUDGES: [AccountId; 2] = [7, 8];

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn policy() -> ReviewPolicy<AccountId> {
    ReviewPolicy::Curators { members: vec![7, 8, 9].try_into().unwrap(), threshold: 2 }
}

pub fn name(name: &str) -> pallet_datanets::DatanetName {
    name.as_bytes().to_vec().try_into().unwrap()
}

/// Creates a text Datanet that takes 10 to 1,000 units a file.
pub fn create(daily_limit: Option<QuotaLimits>) -> DatanetId {
    let id = pallet_datanets::NextDatanet::<Test>::get();
    Datanets::create_datanet(
        signed(OWNER),
        name("Questions and answers"),
        Modality::Text,
        10,
        1_000,
        daily_limit,
        policy(),
    )
    .unwrap();
    id
}

/// A Datanet, and ALICE and BOB as contributors.
pub fn set_up() -> DatanetId {
    Datanets::register(signed(ALICE)).unwrap();
    Datanets::register(signed(BOB)).unwrap();
    create(None)
}

/// File number `n`: its hash.
pub fn hash(n: u32) -> FileHash {
    sp_io::hashing::sha2_256(&n.to_le_bytes())
}

/// File number `n` of `size` bytes, Markdown in one block.
pub fn file(n: u32, size: u32) -> SubmissionItem {
    SubmissionItem { content: ContentId::raw(hash(n)), sha256: hash(n), size, media: MediaType::Md }
}

/// A content id of a tree of blocks: its digest says nothing of the file's sha256.
pub fn tree(n: u8) -> ContentId {
    ContentId::new(ContentCodec::DagPb, [n; 32])
}

pub fn files(numbers: impl IntoIterator<Item = u32>, size: u32) -> Vec<SubmissionItem> {
    numbers.into_iter().map(|n| file(n, size)).collect()
}

pub fn bounded(items: Vec<SubmissionItem>) -> BoundedVec<SubmissionItem, ConstU32<20>> {
    items.try_into().unwrap()
}

pub fn submit(who: AccountId, datanet: DatanetId, items: Vec<SubmissionItem>) -> DispatchResult {
    Datanets::submit(signed(who), datanet, bounded(items))
}

pub fn accept(units: u64) -> Verdict {
    accept_by(EXTRACTOR, units)
}

/// A verdict on measurements of extractor `extractor`.
pub fn accept_by(extractor: u16, units: u64) -> Verdict {
    Verdict::Accept {
        score: Score::new(50).unwrap(),
        units,
        text_root: H256::repeat_byte(7),
        extractor,
    }
}

pub fn reject() -> Verdict {
    Verdict::Reject(RejectionReason::OffTopic)
}

pub fn settle(datanet: DatanetId, n: u32, verdict: Verdict) -> DispatchResult {
    <Datanets as OnVerdict<AccountId>>::on_verdict(datanet, &hash(n), &verdict, &JUDGES, false)
}

/// Submits files one a day and accepts them.
pub fn accept_files(datanet: DatanetId, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        submit(ALICE, datanet, vec![file(n, 100)]).unwrap();
        settle(datanet, n, accept(100 + u64::from(n))).unwrap();
        Now::mutate(|now| *now += MILLISECONDS_PER_DAY);
    }
}

pub fn datanet(id: DatanetId) -> Datanet<AccountId> {
    AllDatanets::<Test>::get(id).unwrap()
}

pub fn contributor(who: AccountId) -> Contributor<AccountId> {
    Contributors::<Test>::get(who).unwrap()
}

pub fn held(reason: HoldReason, who: AccountId) -> Balance {
    use frame_support::traits::fungible::InspectHold;
    Balances::balance_on_hold(&reason.into(), &who)
}

/// The events of this pallet since the last call.
pub fn take_events() -> Vec<pallet_datanets::Event<Test>> {
    let events = System::read_events_for_pallet();
    System::reset_events();
    events
}
