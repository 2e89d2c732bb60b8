//! A runtime of this pallet, balances and three Datanets.

use frame_support::{
    assert_ok, derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
    PalletId,
};
use openledger_primitives::{
    traits::{OnAccepted, PendingSubmission, PolicyReads, Submissions},
    Balance, DatanetId, FileHash, Modality, Points, PoolRules, RewardTerms, EXISTENTIAL_DEPOSIT,
    OPEN,
};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchResult};

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Leaderboard: pallet_leaderboard,
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
}

parameter_types! {
    pub const Pot: PalletId = PalletId(*b"openlead");
    pub static Closed: Vec<DatanetId> = Vec::new();
    pub static Policy: u8 = 1;
    pub static NextPolicy: Option<H256> = None;
}

/// Blocks in a reward period.
pub const PERIOD: u32 = 10;
/// Blocks that changes wait: seven periods and a half.
pub const NOTICE: u32 = 75;
/// Blocks without points after which a pool is dead.
pub const DEAD_AFTER: u32 = 300;
/// What a payout account costs.
pub const DEPOSIT: Balance = 5_000_000;
/// The treasury.
pub const TREASURY: AccountId = 20;
/// Least amount of one funding.
pub const MINIMUM: Balance = 1_000;

impl pallet_leaderboard::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type DatanetOwner = Datanets;
    type Policies = Datanets;
    type Notice = ConstU32<NOTICE>;
    type DeadAfter = ConstU32<DEAD_AFTER>;
    type PayoutDeposit = ConstU128<DEPOSIT>;
    type Treasury = ConstU64<TREASURY>;
    type PalletId = Pot;
    type PeriodLength = ConstU32<PERIOD>;
    type MinimumFunding = ConstU128<MINIMUM>;
    type WeightInfo = ();
}

/// Who owns the Datanets.
pub const OWNER: AccountId = 1;
/// Somebody with OPEN.
pub const FUNDER: AccountId = 2;
/// Contributors that exist.
pub const ALICE: AccountId = 3;
pub const BOB: AccountId = 4;
pub const CAROL: AccountId = 5;
/// An account that does not exist.
pub const NEWCOMER: AccountId = 1_000;

/// Datanets 0, 1 and 2 exist and are [`OWNER`]'s.
pub struct Datanets;

impl Submissions<AccountId> for Datanets {
    fn pending(_: DatanetId, _: &FileHash) -> Option<PendingSubmission<AccountId>> {
        None
    }

    fn owner(datanet: DatanetId) -> Option<AccountId> {
        (datanet < 3).then_some(OWNER)
    }

    fn is_closed(datanet: DatanetId) -> bool {
        Closed::get().contains(&datanet)
    }

    fn terms(datanet: DatanetId) -> Option<(Modality, u64)> {
        (datanet < 3).then_some((Modality::Text, 1))
    }
}

impl PolicyReads for Datanets {
    fn policy_hashes(datanet: DatanetId) -> Option<(H256, Option<H256>)> {
        (datanet < 3).then(|| (H256::repeat_byte(Policy::get()), NextPolicy::get()))
    }
}

/// What every account has at genesis.
pub const RICH: Balance = 1_000 * OPEN;

/// Runs `test` on a fresh chain at block 1, then checks what must hold of any storage.
pub fn run(test: impl FnOnce()) {
    let mut genesis = RuntimeGenesisConfig::default();
    genesis.balances.balances = (OWNER..=20).map(|account| (account, RICH)).collect();
    genesis.balances.balances.push((Leaderboard::pot(), EXISTENTIAL_DEPOSIT));
    let storage = genesis.build_storage().expect("a genesis of balances");
    sp_io::TestExternalities::new(storage).execute_with(|| {
        System::set_block_number(1);
        Closed::set(Vec::new());
        Policy::set(1);
        NextPolicy::set(None);
        let supply = Balances::total_issuance();
        test();
        check(supply);
    });
}

/// Checks the pallet's promises, and that nobody made or lost a planck.
pub fn check(supply: Balance) {
    assert_ok!(Leaderboard::do_try_state());
    let sum: Balance = frame_system::Account::<Test>::iter_values()
        .map(|account| account.data.free + account.data.reserved)
        .sum();
    assert_eq!((sum, Balances::total_issuance()), (supply, supply), "OPEN is conserved");
}

/// Goes to the first block of reward period `period`.
pub fn go_to_period(period: u32) {
    System::set_block_number((period * PERIOD).max(1));
    assert_eq!(Leaderboard::period().0, period);
}

pub fn accept(datanet: DatanetId, account: AccountId, points: Points) -> DispatchResult {
    <Leaderboard as OnAccepted<AccountId>>::on_accepted(datanet, &account, points, false)
}

pub fn accepted(datanet: DatanetId, account: AccountId, points: Points) {
    assert_ok!(accept(datanet, account, points));
}

pub fn terms(per_period: Balance, max_per_point: Balance) -> RewardTerms {
    RewardTerms { per_period, max_per_point }
}

/// What somebody who pays into a pool now agrees to.
pub fn rules(datanet: DatanetId) -> PoolRules {
    Leaderboard::pool_view(datanet).expect("a pool").rules
}

/// Sets terms where they are given, and pays in under whatever rules stand.
pub fn fund(datanet: DatanetId, amount: Balance, terms: Option<RewardTerms>) {
    if let Some(terms) = terms {
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), datanet, terms));
    }
    fund_by(FUNDER, datanet, amount);
}

/// Pays in under whatever rules stand.
pub fn fund_by(who: AccountId, datanet: DatanetId, amount: Balance) {
    let rules = rules(datanet);
    assert_ok!(Leaderboard::fund(RuntimeOrigin::signed(who), datanet, amount, rules));
}

/// Whether a call succeeded, without what it cost.
pub fn done(result: DispatchResultWithPostInfo) -> DispatchResult {
    result.map(drop).map_err(|failed| failed.error)
}

/// Claims, signed by somebody else, and returns what the account got.
pub fn claim(datanet: DatanetId, account: AccountId) -> Result<Balance, sp_runtime::DispatchError> {
    let before = Balances::free_balance(account);
    done(Leaderboard::claim(RuntimeOrigin::signed(OWNER), datanet, account))?;
    Ok(Balances::free_balance(account) - before)
}

/// Accounts of a board in order of rank.
pub fn ranks(datanet: DatanetId) -> Vec<AccountId> {
    Leaderboard::leaderboard(datanet, None, 100).into_iter().map(|entry| entry.account).collect()
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
