//! What the pallet says of what happened.

use frame_support::pallet_macros::pallet_section;

/// What the pallet says of what happened.
#[pallet_section]
mod events {
    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A Datanet was created.
        DatanetCreated {
            /// Its number.
            datanet: DatanetId,
            /// Who created it.
            owner: T::AccountId,
        },
        /// An account became a contributor.
        ContributorRegistered {
            /// The account.
            contributor: T::AccountId,
            /// Who pays the hold: the account itself or a sponsor.
            depositor: T::AccountId,
        },
        /// An account is no contributor any more; its hold was released.
        ContributorDeregistered {
            /// The account.
            contributor: T::AccountId,
            /// Who had paid the hold.
            depositor: T::AccountId,
        },
        /// A file was submitted and waits for its verdict.
        Submitted {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A file was accepted.
        Accepted {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
            /// Its position in the Datanet's mountain range.
            leaf: LeafIndex,
            /// The points it earned.
            points: Points,
        },
        /// A file was refused. It may be submitted again.
        Rejected {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
            /// Why.
            reason: RejectionReason,
        },
        /// A contributor took a pending file back.
        Withdrawn {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who had given it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A Datanet's owner said what it is about.
        TextSet {
            /// The Datanet.
            datanet: DatanetId,
        },
        /// A Datanet was paused, resumed or closed.
        StatusSet {
            /// The Datanet.
            datanet: DatanetId,
            /// Whether it takes files.
            status: DatanetStatus,
        },
        /// A Datanet was offered to another account, or is no longer.
        Offered {
            /// The Datanet.
            datanet: DatanetId,
            /// To whom; to nobody if the owner took the offer back.
            to: Option<T::AccountId>,
        },
        /// A Datanet has another owner.
        OwnerChanged {
            /// The Datanet.
            datanet: DatanetId,
            /// Who owned it; its deposit was released.
            from: T::AccountId,
            /// Who owns it; its deposit is held.
            to: T::AccountId,
        },
        /// An account put precommitments into this block.
        Precommitted {
            /// The account.
            contributor: T::AccountId,
            /// How many.
            count: u32,
        },
        /// A pending file gave way to an older precommitment of the same file.
        Displaced {
            /// The Datanet.
            datanet: DatanetId,
            /// The number of the submission that gave way.
            submission: SubmissionId,
            /// Who had given it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
            /// The submission in whose favour.
            by: SubmissionId,
        },
        /// A file could not be fetched; nobody judged it.
        Unavailable {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// Nobody decided on a file in time.
        Expired {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A refused file may be submitted by anyone again.
        RefusalCleared {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission that was refused.
            submission: SubmissionId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A Datanet's owner changed what may be submitted in a day.
        CapsSet {
            /// The Datanet.
            datanet: DatanetId,
            /// By all contributors together.
            daily_limit: Option<QuotaLimits>,
            /// Percent of it that one account may use.
            share: u8,
        },
        /// A Datanet takes no more files of an account.
        Barred {
            /// The Datanet.
            datanet: DatanetId,
            /// The account.
            account: T::AccountId,
            /// Why.
            reason: BarReason,
        },
        /// A Datanet takes files of an account again.
        Unbarred {
            /// The Datanet.
            datanet: DatanetId,
            /// The account.
            account: T::AccountId,
        },
        /// A sponsor pays for a contributor no longer.
        SponsorshipEnded {
            /// The contributor.
            contributor: T::AccountId,
            /// The sponsor.
            depositor: T::AccountId,
        },
        /// A leaf was revoked: kept as it is, and left out of jobs of later blocks.
        LeafRevoked {
            /// The Datanet.
            datanet: DatanetId,
            /// The leaf.
            leaf: LeafIndex,
            /// The submission that brought it.
            submission: SubmissionId,
            /// Who had given it.
            contributor: T::AccountId,
            /// Whether governance did it, not the contributor.
            by_governance: bool,
        },
        /// A Datanet's owner said of whom it takes files.
        AdmissionSet {
            /// The Datanet.
            datanet: DatanetId,
            /// Of whom.
            admission: AdmissionPolicy,
        },
        /// An account was invited to a Datanet, or is no longer.
        Invited {
            /// The Datanet.
            datanet: DatanetId,
            /// Who.
            account: T::AccountId,
            /// Whether it is.
            invited: bool,
        },
        /// Invitations and bars of a closed Datanet were taken away, and their deposits released.
        EntriesCleared {
            /// The Datanet.
            datanet: DatanetId,
            /// How many.
            count: u32,
            /// How many are left.
            left: u32,
        },
    }
}
