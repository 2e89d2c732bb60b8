//! A runtime of system, balances and review, with Datanets and submissions that a test sets up.

use frame_support::{
    derive_impl, dispatch::Pays, parameter_types, traits::ConstU128,
    weights::constants::ParityDbWeight, PalletId,
};
use openledger_primitives::{
    committee::{GlobalPool, Lengths, Rules, Session},
    traits::{FunderNotice, OnVerdict, PendingSubmission, Sessions, Submissions},
    Balance, DatanetId, FileHash, MediaType, Modality, RejectionReason, ReviewPolicy, Score,
    SubmissionId, Verdict, EXISTENTIAL_DEPOSIT, EXTRACTOR, OPEN,
};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult};
use std::collections::BTreeMap;

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Review: pallet_review,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type DbWeight = ParityDbWeight;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
}

impl pallet_review::Config for Test {
    type Submissions = Neighbour;
    type OnVerdict = Neighbour;
    type Funders = Neighbour;
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Sessions = Neighbour;
    type Rules = CommitteeRules;
    type Lengths = CommitteeLengths;
    type GlobalPool = LargePool;
    type PalletId = Pot;
    type Treasury = Treasury;
    type WeightInfo = pallet_review::weights::SubstrateWeight<Test>;
}

parameter_types! {
    pub static CommitteeRules: Rules = Rules::DEFAULT;
    pub static CommitteeLengths: Lengths = Lengths::DEVELOPMENT;
    pub static LargePool: GlobalPool = GlobalPool::DEVELOPMENT;
    pub const Pot: PalletId = PalletId(*b"ol/revew");
    pub const Treasury: AccountId = TREASURY;
    pub static CurrentSession: Session = 0;
    /// Submissions that ended without a verdict.
    pub static Undecided: Vec<SubmissionId> = Vec::new();
    pub static RefuseVerdicts: bool = false;
    /// Whether the last verdict counts beyond its Datanet.
    pub static CountsGlobally: bool = false;
    pub static DatanetClosed: bool = false;
    pub static Least: u64 = 1;
    pub static Waiting: BTreeMap<(DatanetId, FileHash), (SubmissionId, AccountId)> = BTreeMap::new();
    pub static Settled: Vec<(DatanetId, FileHash, Verdict)> = Vec::new();
    /// Whose agreement the last verdict was.
    pub static Judges: Vec<AccountId> = Vec::new();
    pub static LeastUnits: u64 = 1;
    pub static PolicyFrom: Option<u32> = None;
    pub static Kind: MediaType = MediaType::Txt;
    pub static Bytes: u32 = 10 << 20;
}

/// What the Datanets pallet is to this one: Datanet 0, and [`OTHERS`] with seats alone, owned by [`OWNER`].
pub struct Neighbour;

impl Submissions<AccountId> for Neighbour {
    fn pending(datanet: DatanetId, sha256: &FileHash) -> Option<PendingSubmission<AccountId>> {
        let (submission, contributor) = Waiting::get().get(&(datanet, *sha256)).copied()?;
        Some(PendingSubmission { submission, contributor, media: Kind::get(), size: Bytes::get() })
    }

    fn owner(datanet: DatanetId) -> Option<AccountId> {
        (datanet == DATANET || OTHERS.contains(&datanet)).then_some(OWNER)
    }

    fn is_closed(_: DatanetId) -> bool {
        DatanetClosed::get()
    }

    fn terms(datanet: DatanetId) -> Option<(Modality, u64)> {
        (datanet == DATANET).then(|| (Modality::Text, Least::get()))
    }
}

impl Sessions for Neighbour {
    fn current() -> Session {
        CurrentSession::get()
    }

    fn randomness() -> [u8; 32] {
        sp_io::hashing::blake2_256(&CurrentSession::get().to_le_bytes())
    }

    fn length() -> u32 {
        10
    }
}

impl FunderNotice for Neighbour {
    fn policy_from(_: DatanetId) -> Option<u32> {
        PolicyFrom::get()
    }
}

impl OnVerdict<AccountId> for Neighbour {
    fn on_verdict(
        datanet: DatanetId,
        sha256: &FileHash,
        verdict: &Verdict,
        judges: &[AccountId],
        global: bool,
    ) -> DispatchResult {
        if matches!(verdict, Verdict::Accept { units, .. } if *units < LeastUnits::get()) {
            return Err(DispatchError::Other("too few units"));
        }
        if RefuseVerdicts::get() {
            return Err(DispatchError::Other("refused"));
        }
        let pending = Waiting::mutate(|waiting| waiting.remove(&(datanet, *sha256)));
        assert!(pending.is_some(), "a verdict on what is not pending");
        Settled::mutate(|settled| settled.push((datanet, *sha256, *verdict)));
        Judges::set(judges.to_vec());
        CountsGlobally::set(global);
        Ok(())
    }

    fn on_no_verdict(datanet: DatanetId, sha256: &FileHash) -> DispatchResult {
        let pending = Waiting::mutate(|waiting| waiting.remove(&(datanet, *sha256)));
        let (submission, _) = pending.expect("an end of what is not pending");
        Undecided::mutate(|undecided| undecided.push(submission));
        Ok(())
    }
}

pub const DATANET: DatanetId = 0;
/// More of them.
pub const OTHERS: std::ops::Range<DatanetId> = 100..107;
pub const OWNER: AccountId = 1;
pub const CONTRIBUTOR: AccountId = 2;
/// The curators of [`set_up`].
pub const CURATORS: [AccountId; 5] = [11, 12, 13, 14, 15];
pub const FILE: FileHash = [1; 32];
pub const OTHER_FILE: FileHash = [2; 32];
pub const TREASURY: AccountId = 9;

/// What every account up to [`REVIEWERS_TO`] has.
pub const RICH: Balance = 100_000 * OPEN;
/// The last account of those that tests bond seats with.
pub const REVIEWERS_TO: AccountId = 160;

/// Runs `test` on a fresh chain where `threshold` of five curators must agree, and submission 5 of
/// [`FILE`] and 6 of [`OTHER_FILE`] wait.
pub fn on_chain(threshold: u8, test: impl FnOnce()) {
    unchecked(threshold, || {
        test();
        Review::do_try_state().expect("the state is consistent after the test");
    });
}

/// Like [`on_chain`], without checking the state at the end.
pub fn unchecked(threshold: u8, test: impl FnOnce()) {
    Waiting::set(BTreeMap::new());
    Settled::set(Vec::new());
    LeastUnits::set(1);
    PolicyFrom::set(None);
    Kind::set(MediaType::Txt);
    Bytes::set(10 << 20);
    CommitteeRules::set(Rules::DEFAULT);
    CommitteeLengths::set(Lengths::DEVELOPMENT);
    LargePool::set(GlobalPool::DEVELOPMENT);
    CurrentSession::set(0);
    Undecided::set(Vec::new());
    RefuseVerdicts::set(false);
    DatanetClosed::set(false);
    Least::set(1);
    let balances = (1..=REVIEWERS_TO).map(|who| (who, RICH)).collect();
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
        ..Default::default()
    }
    .build_storage()
    .unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| {
        System::set_block_number(1);
        Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, threshold)).unwrap();
        wait(FILE, 5, CONTRIBUTOR);
        wait(OTHER_FILE, 6, CONTRIBUTOR);
        System::reset_events();
        test();
    });
}

pub fn wait(file: FileHash, submission: SubmissionId, contributor: AccountId) {
    Waiting::mutate(|waiting| waiting.insert((DATANET, file), (submission, contributor)));
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn curators(members: &[AccountId], threshold: u8) -> ReviewPolicy<AccountId> {
    ReviewPolicy::Curators { members: members.to_vec().try_into().unwrap(), threshold }
}

/// Votes on submission 5 of [`FILE`], as an extrinsic would: all or nothing.
pub fn vote(who: AccountId, verdict: Verdict) -> DispatchResult {
    vote_and_pay(who, verdict).map(drop)
}

/// Like [`vote`]; answers whether it costs its fee.
pub fn vote_and_pay(who: AccountId, verdict: Verdict) -> Result<Pays, DispatchError> {
    use sp_runtime::traits::Dispatchable;
    RuntimeCall::Review(pallet_review::Call::vote {
        datanet: DATANET,
        sha256: FILE,
        submission: 5,
        verdict,
    })
    .dispatch(signed(who))
    .map(|done| done.pays_fee)
    .map_err(|failed| failed.error)
}

pub fn accept(score: u8, units: u64) -> Verdict {
    accept_text(score, units, 7)
}

pub fn accept_text(score: u8, units: u64, root: u8) -> Verdict {
    accept_by(EXTRACTOR, score, units, root)
}

/// A vote to accept by who measured with extractor `extractor`.
pub fn accept_by(extractor: u16, score: u8, units: u64, root: u8) -> Verdict {
    Verdict::Accept {
        score: Score::new(score).unwrap(),
        units,
        text_root: H256::repeat_byte(root),
        extractor,
    }
}

pub fn reject(reason: RejectionReason) -> Verdict {
    Verdict::Reject(reason)
}

/// Everybody who has a vote on submission 5, in order.
pub fn voters() -> Vec<AccountId> {
    pallet_review::Ballots::<Test>::get(5)
        .map(|ballot| ballot.votes.iter().map(|(voter, _)| *voter).collect())
        .unwrap_or_default()
}

/// The verdict on [`FILE`], if there is one.
pub fn verdict() -> Option<Verdict> {
    let settled = Settled::get();
    assert!(settled.len() <= 1, "one verdict a file");
    settled.first().map(|(datanet, file, verdict)| {
        assert_eq!((*datanet, *file), (DATANET, FILE));
        *verdict
    })
}
