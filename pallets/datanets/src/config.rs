//! What the runtime decides.

use frame_support::pallet_macros::pallet_section;

/// What the runtime decides.
#[pallet_section]
mod config {
    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// OPEN, on which deposits are held.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;
        /// The clock, in milliseconds since 1970, that UTC days are read from.
        type Time: Time<Moment = u64>;
        /// Keeps each Datanet's review policy.
        type Review: ReviewPolicies<Self::AccountId>;
        /// Rewards acceptances.
        type OnAccepted: OnAccepted<Self::AccountId>;
        /// Plancks held for a Datanet.
        #[pallet::constant]
        type DatanetDeposit: Get<Balance>;
        /// Plancks held on a Datanet's owner for each invitation and each bar.
        #[pallet::constant]
        type EntryDeposit: Get<Balance>;
        /// Most invitations and bars of a Datanet together.
        #[pallet::constant]
        type MaxEntries: Get<u32>;
        /// Plancks held for a contributor.
        #[pallet::constant]
        type ContributorHold: Get<Balance>;
        /// Days between a contributor's last submission and the earliest release of its hold.
        #[pallet::constant]
        type HoldPeriodDays: Get<u32>;
        /// What an account may submit in one UTC day over all Datanets.
        #[pallet::constant]
        type AccountLimits: Get<QuotaLimits>;
        /// Blocks of a day: what deadlines are counted in.
        #[pallet::constant]
        type DayLength: Get<BlockNumber>;
        /// Most files of an account that wait for their verdicts.
        #[pallet::constant]
        type MaxPending: Get<u32>;
        /// Days after which anyone may expire a file that nobody decided on.
        #[pallet::constant]
        type MaxWaitDays: Get<u32>;
        /// Blocks of age before which no file is accepted: a precommitment that is older and is being
        /// opened meanwhile must have come into a block.
        #[pallet::constant]
        type SettleDelay: Get<BlockNumber>;
        /// The part of a block's weight and length that submissions without fee may take.
        #[pallet::constant]
        type FeelessShare: Get<Perbill>;
        /// Weights of the calls and of the transaction extension.
        type WeightInfo: WeightInfo;

        /// Sets up the other pallets for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: openledger_primitives::traits::BenchmarkSetup<Self::AccountId>;
    }
}
