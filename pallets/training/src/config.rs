//! What the runtime decides.

use frame_support::pallet_macros::pallet_section;

/// What the runtime decides.
#[pallet_section]
mod config {
    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// OPEN.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + hold::Inspect<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reasons to hold OPEN.
        type RuntimeHoldReason: From<HoldReason>;

        /// The versions of Datanets.
        type Datasets: DatasetVersions;

        /// Accounts whose OPEN votes, which no budget may be paid from: it would vote again elsewhere.
        type Voters: Contains<Self::AccountId>;

        /// Who gets what workers lose by time-outs. The account has to exist.
        type PenaltyAccount: Get<Self::AccountId>;

        /// Plancks held for a base model.
        #[pallet::constant]
        type BaseModelDeposit: Get<Balance>;

        /// Plancks a worker has at stake.
        #[pallet::constant]
        type WorkerBond: Get<Balance>;

        /// Least plancks of a job's budget.
        #[pallet::constant]
        type MinimumBudget: Get<Balance>;

        /// Blocks a worker has to take a job that it was given.
        #[pallet::constant]
        type TakeWindow: Get<BlockNumber>;

        /// Most blocks between two signs of life.
        #[pallet::constant]
        type HeartbeatWindow: Get<BlockNumber>;

        /// Blocks between a result and its payment.
        #[pallet::constant]
        type ChallengeWindow: Get<BlockNumber>;

        /// Most blocks from a job's creation to its deadline.
        #[pallet::constant]
        type MaxJobBlocks: Get<BlockNumber>;

        /// Workers that may let a job time out before it fails.
        #[pallet::constant]
        type MaxAttempts: Get<u8>;

        /// Share of a job's price that a worker loses by a time-out, as far as its bond goes.
        #[pallet::constant]
        type PenaltyShare: Get<Perbill>;

        /// Plancks held for a job's record, which an owner at fault loses.
        #[pallet::constant]
        type JobDeposit: Get<Balance>;

        /// Blocks after its end from which on anyone may prune a job.
        #[pallet::constant]
        type PruneDelay: Get<BlockNumber>;

        /// Most blocks without a step done, beside what a step takes at the declared rate.
        #[pallet::constant]
        type ProgressWindow: Get<BlockNumber>;

        /// Blocks until a higher floor may take effect.
        #[pallet::constant]
        type RaiseDelay: Get<BlockNumber>;

        /// Blocks from its registration until a worker may be drawn for a dispute, and from its last
        /// job or draw until it may leave with its bond.
        #[pallet::constant]
        type WorkerNotice: Get<BlockNumber>;

        /// Seconds that a block takes, at least 1.
        #[pallet::constant]
        type BlockSeconds: Get<u32>;

        /// Most agenda entries worked off in one block, at least 2.
        #[pallet::constant]
        type MaxExpiriesPerBlock: Get<u32>;

        /// Most payments in one block, at least 2.
        #[pallet::constant]
        type MaxPaymentsPerBlock: Get<u32>;

        /// Plancks that who disputes a result has at stake.
        #[pallet::constant]
        type DisputeBond: Get<Balance>;

        /// Blocks in which drawn workers show the hashes of their findings.
        #[pallet::constant]
        type CommitWindow: Get<BlockNumber>;

        /// Blocks in which drawn workers show their findings.
        #[pallet::constant]
        type RevealWindow: Get<BlockNumber>;

        /// Most disputes looked at in one block, at least 2.
        #[pallet::constant]
        type MaxDisputesPerBlock: Get<u32>;

        /// What decides who is drawn: unknown to everybody [`DRAW_DELAY`] blocks before, but for the
        /// author of the block in between.
        ///
        /// [`DRAW_DELAY`]: openledger_primitives::job::dispute::DRAW_DELAY
        type Randomness: Randomness<Self::Hash, BlockNumberFor<Self>>;

        /// Weights of the calls and of the work at the start of a block.
        type WeightInfo: WeightInfo;

        /// Sets up the other pallets for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: openledger_primitives::traits::BenchmarkSetup<Self::AccountId>;
    }
}
