//! Values that differ between networks although all share one runtime blob.
//!
//! They are set at genesis and have no call: an epoch's length cannot change after the chain has
//! started (BABE derives the epoch from the slot), and a reward period that did would renumber the
//! periods points were earned in.

pub use pallet::*;

#[frame_support::pallet]
pub mod pallet {
    //! The pallet's parts, as the macro lays them out.

    use crate::{BlockNumber, DAY, HOUR};
    use frame_support::{pallet_prelude::*, traits::Get};
    use frame_system::pallet_prelude::*;
    use openledger_primitives::Balance;
    use sp_runtime::TryRuntimeError;

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the parameters are about.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountData = pallet_balances::AccountData<Balance>>
        + pallet_balances::Config<Balance = Balance>
    {
    }

    /// The values, in blocks (one a slot).
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Encode,
        Decode,
        MaxEncodedLen,
        TypeInfo,
        serde::Serialize,
        serde::Deserialize,
    )]
    #[serde(rename_all = "camelCase")]
    pub struct Lengths {
        /// Slots in a BABE epoch.
        pub epoch: u64,
        /// Blocks in a reward period.
        pub reward_period: BlockNumber,
        /// Blocks between a job's result and its payment.
        pub challenge_window: BlockNumber,
    }

    impl Default for Lengths {
        fn default() -> Self {
            Self { epoch: 200, reward_period: HOUR, challenge_window: 200 }
        }
    }

    impl Lengths {
        /// For a chain that one person watches: everything within half a minute.
        pub const DEVELOPMENT: Self = Self { epoch: 10, reward_period: 10, challenge_window: 3 };
    }

    /// Lengths of staking.
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Encode,
        Decode,
        MaxEncodedLen,
        TypeInfo,
        serde::Serialize,
        serde::Deserialize,
    )]
    #[serde(rename_all = "camelCase")]
    pub struct StakingLengths {
        /// Sessions (epochs) in an era.
        pub era: u32,
        /// Eras for which stake that was unbonded can still be slashed.
        pub bonding: u32,
        /// Eras between an offence and its slash, in which governance may cancel it.
        pub slash_defer: u32,
    }

    impl Default for StakingLengths {
        fn default() -> Self {
            Self { era: 36, bonding: 28, slash_defer: 26 }
        }
    }

    impl StakingLengths {
        /// For a chain that one person watches.
        pub const DEVELOPMENT: Self = Self { era: 3, bonding: 3, slash_defer: 0 };
    }

    /// Blocks of a day of governance on a chain that one person watches.
    pub const WATCHED_DAY: BlockNumber = 3;

    /// Lengths of this network.
    #[pallet::storage]
    pub type NetworkLengths<T> = StorageValue<_, Lengths, ValueQuery>;

    /// Blocks that governance counts as a day: of a real day, unless genesis says otherwise.
    #[pallet::type_value]
    pub fn RealDay<T: Config>() -> BlockNumber {
        DAY
    }

    /// Blocks of a day of governance: the periods of referenda are counted in it.
    #[pallet::storage]
    pub type DayOfGovernance<T: Config> = StorageValue<_, BlockNumber, ValueQuery, RealDay<T>>;

    /// Lengths of staking on this network.
    #[pallet::storage]
    pub type LengthsOfStaking<T> = StorageValue<_, StakingLengths, ValueQuery>;

    /// Everything that genesis endowed, in plancks. Nothing mints, so this is the issuance for ever.
    #[pallet::storage]
    pub type GenesisSupply<T> = StorageValue<_, Balance, ValueQuery>;

    /// Genesis values.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Lengths of this network.
        pub lengths: Lengths,
        /// Blocks that governance counts as a day.
        pub governance_day: BlockNumber,
        /// Lengths of staking.
        pub staking: StakingLengths,
        /// Marks the runtime.
        #[serde(skip)]
        pub marker: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                lengths: Lengths::default(),
                governance_day: DAY,
                staking: StakingLengths::default(),
                marker: Default::default(),
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.lengths.epoch > 0 && self.lengths.reward_period > 0,
                "an epoch and a reward period have at least one block"
            );
            assert!(self.governance_day > 0, "a day of governance has at least one block");
            let StakingLengths { era, bonding, slash_defer } = self.staking;
            assert!(era > 0 && bonding > 0, "an era has a session, and bonding an era, at least");
            // What was unbonded in an era's election is free in the last session of the era before the bonding time is
            // over, and a slash comes an era after it has waited.
            assert!(
                slash_defer == 0 || slash_defer.saturating_add(2) <= bonding,
                "a slash waits two eras less than bonding takes, so that it comes before the stake is free, or not at all"
            );
            assert!(
                bonding < crate::staking::pools::MAX_UNBONDING_POOLS,
                "bonding takes fewer eras than a nomination pool keeps apart"
            );
            NetworkLengths::<T>::put(self.lengths);
            LengthsOfStaking::<T>::put(self.staking);
            DayOfGovernance::<T>::put(self.governance_day);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_now: BlockNumberFor<T>) -> Weight {
            // Genesis of balances may be built after this pallet's, so the supply is taken at the
            // first block, before any transaction.
            if !GenesisSupply::<T>::exists() {
                GenesisSupply::<T>::put(pallet_balances::TotalIssuance::<T>::get());
                return T::DbWeight::get().reads_writes(2, 1);
            }
            T::DbWeight::get().reads(1)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Checks that OPEN is conserved: the sum of all balances is the total issuance, and that is
        /// what genesis endowed. Reads every account: for tests and try-runtime only.
        ///
        /// # Errors
        ///
        /// Which of the two does not hold.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            let issuance = pallet_balances::TotalIssuance::<T>::get();
            let held: Balance = frame_system::Account::<T>::iter_values()
                .map(|account| account.data.free.saturating_add(account.data.reserved))
                .fold(0, Balance::saturating_add);
            ensure!(held == issuance, "the sum of all balances is not the total issuance");
            ensure!(
                !GenesisSupply::<T>::exists() || GenesisSupply::<T>::get() == issuance,
                "the total issuance is not what genesis endowed"
            );
            Ok(())
        }
    }

    /// Slots in an epoch.
    pub struct EpochLength<T>(PhantomData<T>);
    impl<T: Config> Get<u64> for EpochLength<T> {
        fn get() -> u64 {
            NetworkLengths::<T>::get().epoch.max(1)
        }
    }

    /// Blocks in a reward period.
    pub struct RewardPeriod<T>(PhantomData<T>);
    impl<T: Config> Get<BlockNumber> for RewardPeriod<T> {
        fn get() -> BlockNumber {
            NetworkLengths::<T>::get().reward_period.max(1)
        }
    }

    /// Blocks of a day of governance.
    pub struct GovernanceDay<T>(PhantomData<T>);
    impl<T: Config> Get<BlockNumber> for GovernanceDay<T> {
        fn get() -> BlockNumber {
            DayOfGovernance::<T>::get().max(1)
        }
    }

    /// Blocks of `N` days of governance.
    pub struct GovernanceDays<T, const N: BlockNumber>(PhantomData<T>);
    impl<T: Config, const N: BlockNumber> Get<BlockNumber> for GovernanceDays<T, N> {
        fn get() -> BlockNumber {
            GovernanceDay::<T>::get().saturating_mul(N)
        }
    }

    /// Sessions in an era.
    pub struct SessionsPerEra<T>(PhantomData<T>);
    impl<T: Config> Get<u32> for SessionsPerEra<T> {
        fn get() -> u32 {
            LengthsOfStaking::<T>::get().era.max(1)
        }
    }

    /// Eras for which stake stays slashable after it was unbonded.
    pub struct BondingEras<T>(PhantomData<T>);
    impl<T: Config> Get<u32> for BondingEras<T> {
        fn get() -> u32 {
            LengthsOfStaking::<T>::get().bonding.max(1)
        }
    }

    /// Eras that a slash waits, and one more, so that the pallet never applies it itself
    /// ([`slashes`](crate::staking::slashes)); none where slashes do not wait.
    pub struct SlashDeferEras<T>(PhantomData<T>);
    impl<T: Config> Get<u32> for SlashDeferEras<T> {
        fn get() -> u32 {
            match LengthsOfStaking::<T>::get().slash_defer {
                0 => 0,
                // Less than stake is bonded, as the pallet wants it, on a chain whose genesis allowed as much too.
                eras => eras.saturating_add(1).min(BondingEras::<T>::get().saturating_sub(1)),
            }
        }
    }

    /// Whether reward periods are so short that one person watches the chain.
    pub(crate) fn is_watched<T: Config>() -> bool {
        NetworkLengths::<T>::get().reward_period < HOUR
    }

    /// Least blocks that a change which may cost funders something waits, beside a full reward period:
    /// seven days, and none on a chain that one person watches.
    pub struct FunderNotice<T>(PhantomData<T>);
    impl<T: Config> Get<BlockNumber> for FunderNotice<T> {
        fn get() -> BlockNumber {
            if is_watched::<T>() {
                0
            } else {
                7 * DAY
            }
        }
    }

    /// Blocks without points after which a pool is dead: thirty days, and ten reward periods on a chain
    /// that one person watches.
    pub struct DeadAfter<T>(PhantomData<T>);
    impl<T: Config> Get<BlockNumber> for DeadAfter<T> {
        fn get() -> BlockNumber {
            if is_watched::<T>() {
                RewardPeriod::<T>::get().saturating_mul(10)
            } else {
                30 * DAY
            }
        }
    }

    /// Blocks in which a worker is not drawn after it came, and does not leave after it served: a day, and
    /// a challenge window on a chain that one person watches.
    pub struct WorkerNotice<T>(PhantomData<T>);
    impl<T: Config> Get<BlockNumber> for WorkerNotice<T> {
        fn get() -> BlockNumber {
            if is_watched::<T>() {
                ChallengeWindow::<T>::get()
            } else {
                DAY
            }
        }
    }

    /// How long committees have to commit and to reveal, and others to challenge.
    pub struct CommitteeLengths<T>(PhantomData<T>);
    impl<T: Config> Get<openledger_primitives::committee::Lengths> for CommitteeLengths<T> {
        fn get() -> openledger_primitives::committee::Lengths {
            use openledger_primitives::committee::Lengths;
            if is_watched::<T>() {
                Lengths::DEVELOPMENT
            } else {
                Lengths::DEFAULT
            }
        }
    }

    /// How large and old a pool of seats is whose verdicts count beyond their Datanets.
    pub struct GlobalPool<T>(PhantomData<T>);
    impl<T: Config> Get<openledger_primitives::committee::GlobalPool> for GlobalPool<T> {
        fn get() -> openledger_primitives::committee::GlobalPool {
            use openledger_primitives::committee::GlobalPool;
            if is_watched::<T>() {
                GlobalPool::DEVELOPMENT
            } else {
                GlobalPool::DEFAULT
            }
        }
    }

    /// Blocks between a job's result and its payment.
    pub struct ChallengeWindow<T>(PhantomData<T>);
    impl<T: Config> Get<BlockNumber> for ChallengeWindow<T> {
        fn get() -> BlockNumber {
            NetworkLengths::<T>::get().challenge_window
        }
    }
}
