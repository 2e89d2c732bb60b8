//! Why calls are refused.

use frame_support::pallet_macros::pallet_section;

/// Why calls are refused.
#[pallet_section]
mod errors {
    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no base model of that number.
        UnknownBaseModel,
        /// A base model has a name.
        EmptyName,
        /// A base model has a licence.
        EmptyLicence,
        /// The text is not UTF-8.
        NotUtf8,
        /// A file holds at least one byte.
        EmptyFile,
        /// A raw content id's digest is the sha2-256 of the file.
        DigestMismatch,
        /// The account is a worker already.
        AlreadyAWorker,
        /// The account is not a worker.
        NotAWorker,
        /// A worker can train at least one kind.
        NoKinds,
        /// A kind is named twice.
        RepeatedKind,
        /// The worker is paused already.
        AlreadyPaused,
        /// The worker is not paused.
        NotPaused,
        /// The worker has a job. Finish it first.
        WorkerHasJob,
        /// The window of a result is still open. Wait until it has passed.
        WorkerHasOpenResults,
        /// A job names at least one Datanet.
        NoDatasets,
        /// A Datanet is named twice.
        RepeatedDatanet,
        /// The Datanet never had that version.
        UnknownVersion,
        /// That version has no leaf to train on.
        EmptyVersion,
        /// `lora_r` is outside its bounds.
        LoraR,
        /// `lora_alpha` is outside its bounds.
        LoraAlpha,
        /// `lora_dropout_bp` is outside its bounds.
        LoraDropoutBp,
        /// `target_modules` is outside its bounds.
        TargetModules,
        /// `learning_rate_nano` is outside its bounds.
        LearningRateNano,
        /// `warmup_ratio_bp` is outside its bounds.
        WarmupRatioBp,
        /// `per_device_train_batch_size` is outside its bounds.
        PerDeviceTrainBatchSize,
        /// `gradient_accumulation_steps` is outside its bounds.
        GradientAccumulationSteps,
        /// `num_train_epochs` is outside its bounds.
        NumTrainEpochs,
        /// `max_seq_length` is outside its bounds.
        MaxSeqLength,
        /// `weight_decay_micro` is outside its bounds.
        WeightDecayMicro,
        /// `max_grad_norm_milli` is outside its bounds.
        MaxGradNormMilli,
        /// `eval_fraction_bp` is outside its bounds.
        EvalFractionBp,
        /// The token ceiling is 0.
        ZeroTokenCeiling,
        /// The budget is below the least budget of a job.
        BelowMinimumBudget,
        /// The deadline is not after the current block.
        DeadlinePassed,
        /// The deadline is farther away than a job may last.
        DeadlineTooFar,
        /// There is no job of that number.
        UnknownJob,
        /// Only the job's owner may do this.
        NotTheOwner,
        /// The job is not in a state in which this can be done.
        WrongState,
        /// The job is not this account's to work on.
        NotTheWorker,
        /// The block for it has passed.
        TooLate,
        /// The price is above the job's budget.
        AboveBudget,
        /// More steps are done than there are.
        StepBeyondTotal,
        /// The root does not belong to the job's datasets.
        DatasetRootMismatch,
        /// A number left the range of its type.
        Overflow,
        /// There is no adapter of the parent's number.
        UnknownParent,
        /// The parent adapter is one of another base model.
        ParentBaseModel,
        /// `lora_r` is not the parent adapter's.
        ParentLoraR,
        /// `lora_alpha` is not the parent adapter's.
        ParentLoraAlpha,
        /// `target_modules` is not what the parent adapter's job named.
        ParentTargetModules,
        /// A name, licence or endpoint holds a control, bidirectional or invisible character, or an
        /// endpoint nothing but white space.
        HiddenCharacter,
        /// Said until spec version 104 of a version that holds a revoked leaf. Jobs leave such leaves out
        /// now.
        RevokedLeaf,
        /// No worker, however fast, could finish by that deadline.
        DeadlineTooSoon,
        /// The worker declined the job or lost it before.
        RefusedBefore,
        /// The number of all steps is another one than before.
        OtherTotal,
        /// The new price a token is not above the old one.
        NotHigher,
        /// The new deadline is not after the old one.
        NotLater,
        /// The worker has declined several jobs in a row and rests.
        StillResting,
        /// A base model is named twice.
        RepeatedModel,
        /// The base model takes no new jobs.
        BaseModelRetired,
        /// Only who registered the base model may do this.
        NotTheRegistrar,
        /// Until some time after the job's end only its owner may do this.
        TooEarly,
        /// Fewer than three workers beside the parties have opted in to the base model.
        TooFewVerifiers,
        /// The job was never disputed.
        NotInDispute,
        /// The account was not drawn for this dispute.
        NotDrawn,
        /// The worker has shown a hash before.
        CommittedBefore,
        /// The worker has shown no hash.
        NotCommitted,
        /// The worker has shown its finding before.
        RevealedBefore,
        /// Hashes can still be shown. Wait until their time is over.
        RevealTooEarly,
        /// Finding and salt are not those of the hash.
        OtherCommitment,
        /// The worker is drawn for a dispute. Wait until it is settled.
        WorkerIsDrawn,
        /// The account's OPEN is locked by its votes. Take the votes back, or pay for the job from another account.
        OpenVotes,
        /// The worker had a job or was drawn a short time ago. Its bond stays until the block in
        /// `LeavesFrom`.
        StillBonded,
        /// The result was disputed before. Only the job's owner may do so once more, if it did not yet.
        DisputedBefore,
    }
}
