//! What the pallet says of what happened.

use frame_support::pallet_macros::pallet_section;

/// What the pallet says of what happened.
#[pallet_section]
mod events {
    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A base model was registered.
        BaseModelRegistered {
            /// Its number.
            base: BaseModelId,
            /// Who registered it.
            registrar: T::AccountId,
        },
        /// A worker was registered.
        WorkerRegistered {
            /// Who.
            worker: T::AccountId,
            /// Plancks a token.
            price_per_token: Balance,
        },
        /// A worker changed what it offers.
        WorkerUpdated {
            /// Who.
            worker: T::AccountId,
            /// Plancks a token.
            price_per_token: Balance,
        },
        /// A worker takes no further jobs.
        WorkerPaused {
            /// Who.
            worker: T::AccountId,
        },
        /// A worker takes jobs again.
        WorkerResumed {
            /// Who.
            worker: T::AccountId,
        },
        /// A worker left and got its bond back.
        WorkerDeregistered {
            /// Who.
            worker: T::AccountId,
            /// Plancks released.
            bond: Balance,
        },
        /// A job was queued.
        JobCreated {
            /// Its number.
            job: JobId,
            /// Who pays.
            owner: T::AccountId,
            /// Plancks held.
            budget: Balance,
        },
        /// A job was given to a worker.
        JobAssigned {
            /// Its number.
            job: JobId,
            /// To whom.
            worker: T::AccountId,
            /// Plancks it is paid on completion, whatever changes from now on.
            price: Balance,
            /// Last block to take it in.
            take_by: BlockNumber,
        },
        /// A worker began.
        JobTaken {
            /// The job.
            job: JobId,
            /// Who began.
            worker: T::AccountId,
        },
        /// A worker gave a sign of life.
        JobProgressed {
            /// The job.
            job: JobId,
            /// Optimiser steps done.
            step: u32,
            /// Optimiser steps in all.
            total_steps: u32,
        },
        /// A worker posted its result.
        ResultSubmitted {
            /// The job.
            job: JobId,
            /// Who posted it.
            worker: T::AccountId,
            /// The adapter on IPFS.
            content: ContentId,
            /// Block in which it is paid.
            completes_at: BlockNumber,
        },
        /// A worker was paid and its adapter registered.
        JobCompleted {
            /// The job, and the adapter's number.
            job: JobId,
            /// Who was paid.
            worker: T::AccountId,
            /// How many plancks.
            price: Balance,
            /// Plancks given back to the owner.
            refund: Balance,
        },
        /// A worker lost a job by letting its time pass.
        JobTimedOut {
            /// The job.
            job: JobId,
            /// Who lost it.
            worker: T::AccountId,
            /// Plancks it lost.
            penalty: Balance,
        },
        /// A job stands in its queue again.
        JobRequeued {
            /// The job.
            job: JobId,
            /// Workers that let it time out so far.
            attempts: u8,
        },
        /// A job ended without an adapter.
        JobFailed {
            /// The job.
            job: JobId,
            /// Why.
            failure: JobFailure,
            /// Plancks given back to the owner.
            refund: Balance,
        },
        /// A job was called off by its owner.
        JobCancelled {
            /// The job.
            job: JobId,
            /// Plancks given back to the owner.
            refund: Balance,
        },
        /// What was due for a job could not be done now and will be tried again.
        JobDelayed {
            /// The job.
            job: JobId,
            /// Block of the next try.
            until: BlockNumber,
        },
        /// A job was queued that trains an adapter further.
        ParentNamed {
            /// The job.
            job: JobId,
            /// The adapter.
            parent: JobId,
        },
        /// A worker gave a job back within the window to take it.
        JobDeclined {
            /// The job.
            job: JobId,
            /// Who declined it.
            worker: T::AccountId,
            /// Why.
            reason: DeclineReason,
        },
        /// A worker that declined several jobs in a row is paused.
        WorkerRests {
            /// Who.
            worker: T::AccountId,
            /// The first block in which it may resume.
            until: BlockNumber,
        },
        /// A worker's higher floor waits.
        PriceRaiseWaits {
            /// Who.
            worker: T::AccountId,
            /// Plancks a token.
            price_per_token: Balance,
            /// The first block in which it may take effect.
            from: BlockNumber,
        },
        /// A job offers more a token.
        JobPriceRaised {
            /// The job.
            job: JobId,
            /// Plancks a token.
            price_per_token: Balance,
            /// Plancks held now.
            budget: Balance,
        },
        /// A job has more time.
        JobDeadlineExtended {
            /// The job.
            job: JobId,
            /// Block after which it fails.
            deadline: BlockNumber,
        },
        /// A worker no longer has a job, which its owner called off, and was paid for what it had shown.
        WorkPaid {
            /// The job.
            job: JobId,
            /// Who was paid.
            worker: T::AccountId,
            /// How many plancks.
            pay: Balance,
        },
        /// An owner lost the deposit of a job that several workers found unusable.
        DepositForfeited {
            /// The job.
            job: JobId,
            /// Plancks lost.
            amount: Balance,
        },
        /// A job that ended without an adapter is no longer on record.
        JobPruned {
            /// The job.
            job: JobId,
            /// Plancks given back to its owner.
            deposit: Balance,
        },
        /// A base model takes no new jobs.
        BaseModelRetired {
            /// Its number.
            base: BaseModelId,
            /// Plancks given back to who registered it.
            deposit: Balance,
        },
        /// A result is in dispute; its payment waits.
        JobDisputed {
            /// The job.
            job: JobId,
            /// Who disputes it.
            disputer: T::AccountId,
            /// Plancks held.
            bond: Balance,
            /// Block at whose start workers are drawn.
            draw_at: BlockNumber,
        },
        /// Workers were drawn to look at a result in dispute.
        VerifiersDrawn {
            /// The job.
            job: JobId,
            /// Who.
            workers: Vec<T::AccountId>,
            /// Last block for the hashes of their findings.
            commit_by: BlockNumber,
        },
        /// A drawn worker showed the hash of its finding.
        FindingCommitted {
            /// The job.
            job: JobId,
            /// Who.
            worker: T::AccountId,
        },
        /// A drawn worker showed its finding.
        FindingRevealed {
            /// The job.
            job: JobId,
            /// Who.
            worker: T::AccountId,
            /// What it found.
            finding: Finding,
        },
        /// A drawn worker was paid for its finding.
        VerifierPaid {
            /// The job.
            job: JobId,
            /// Who.
            worker: T::AccountId,
            /// How many plancks.
            pay: Balance,
        },
        /// A dispute ended; the job is completed, or failed where it was upheld.
        DisputeSettled {
            /// The job.
            job: JobId,
            /// Who posted its result.
            worker: T::AccountId,
            /// How.
            outcome: Outcome,
            /// Plancks that the job's worker lost.
            penalty: Balance,
            /// Plancks given back to who disputed it.
            returned: Balance,
        },
    }
}
