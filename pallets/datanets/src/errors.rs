//! Why calls are refused.

use frame_support::pallet_macros::pallet_section;

/// Why calls are refused.
#[pallet_section]
mod errors {
    /// Why a call is refused. The variants of a
    /// [`RefusalRule`](openledger_primitives::RefusalRule)'s name are that rule.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no Datanet of that number.
        UnknownDatanet,
        /// The account is not a registered contributor.
        NotRegistered,
        /// A submission holds 1 to 20 items.
        ItemCount,
        /// The format is not one of the Datanet's modality.
        WrongModality,
        /// A file holds at least one byte.
        EmptyFile,
        /// A raw content id's digest is the sha2-256 of the file.
        DigestMismatch,
        /// Two items of the call are the same file.
        RepeatedItem,
        /// The Datanet has this file, pending or accepted.
        AlreadySubmitted,
        /// More files than the account may submit in a UTC day.
        DailyFiles,
        /// More bytes than the account may submit in a UTC day.
        DailyBytes,
        /// More files than the Datanet's owner allows in a UTC day.
        DatanetDailyFiles,
        /// More bytes than the Datanet's owner allows in a UTC day.
        DatanetDailyBytes,
        /// A name is 1 to 64 bytes of UTF-8, not only white space, and holds no control,
        /// bidirectional or invisible character.
        InvalidName,
        /// 1 ≤ least units ≤ most units does not hold, or no file of the modality has so many.
        InvalidUnits,
        /// A daily limit of no file or no byte would never let a file in.
        InvalidDailyLimit,
        /// The account is a contributor already.
        AlreadyRegistered,
        /// Only the contributor, or who paid for it, may do this; what is of a Datanet, only its owner.
        NotAuthorized,
        /// Submissions of the contributor still wait for their verdict.
        HasPending,
        /// The hold period since the last submission has not passed.
        HoldPeriod,
        /// No submission of that file waits for a verdict.
        NotPending,
        /// The file has fewer units than the Datanet's minimum.
        UnitsBelowMinimum,
        /// A number left the range of its type.
        Overflow,
        /// The stored nodes of the mountain range do not fit together.
        InconsistentRange,
        /// The Datanet takes no files for now.
        DatanetPaused,
        /// The Datanet is closed.
        DatanetClosed,
        /// Files of the Datanet still wait for their verdict. Pause it, and close it when they have it.
        DatanetHasPending,
        /// The Datanet has that status.
        SameStatus,
        /// The Datanet is not offered to that account, or to anybody.
        NotOffered,
        /// The account is the signer itself.
        OwnAccount,
        /// Summary, description or a tag is not UTF-8, or holds characters that cannot be seen or marks that no
        /// script needs.
        InvalidText,
        /// A tag is empty, begins or ends with white space, or stands twice.
        InvalidTags,
        /// More files than the account's share of the Datanet's day.
        ShareFiles,
        /// More bytes than the account's share of the Datanet's day.
        ShareBytes,
        /// The Datanet's owner barred the account.
        Barred,
        /// More files precommitted or waiting for their verdicts than an account may have.
        PendingFiles,
        /// Who paid the account's stake ended the sponsorship.
        SponsorshipEnded,
        /// The file was refused before and is kept for who submitted it first.
        KeptForAnother,
        /// The file was refused as harmful or not its contributor's to give.
        Tombstone,
        /// No precommitment of the account that is less than a day old names the file.
        NotPrecommitted,
        /// The account has the same precommitment already.
        AlreadyPrecommitted,
        /// The file is too young to be accepted: an older precommitment may still be opened.
        TooEarly,
        /// The file has not waited long enough to be expired.
        NotExpired,
        /// Only the Datanet's owner may do this.
        NotOwner,
        /// A share is 1 to 100 percent.
        InvalidShare,
        /// The account is barred already.
        AlreadyBarred,
        /// The account is not barred.
        NotBarred,
        /// The account pays its stake itself.
        NotSponsored,
        /// The sponsorship was ended already.
        AlreadyEnded,
        /// Nothing is kept of a refusal of that file.
        NotRefused,
        /// The Datanet has no leaf at that position.
        UnknownLeaf,
        /// The leaf was revoked already.
        AlreadyRevoked,
        /// The Datanet's review budget pays for no more files of the day.
        ReviewFiles,
        /// The Datanet's review budget pays for no more files of the account of the day.
        ReviewShareFiles,
        /// A committee was drawn for the file, or the seed that draws it stands: it is neither taken back nor
        /// displaced any more.
        Drawn,
        /// The Datanet takes files of who was invited.
        NotInvited,
        /// The Datanet takes files of who has earned points elsewhere.
        TooFewPoints,
        /// The Datanet has this admission already.
        SameAdmission,
        /// The account is invited already.
        AlreadyInvited,
        /// The Datanet's review budget does not cover a committee for every file.
        ReviewBudget,
        /// The Datanet has as many invitations and bars as it may.
        TooManyEntries,
        /// Entries are taken away by anyone once the Datanet is closed.
        DatanetNotClosed,
        /// The closed Datanet has no invitations and no bars.
        NothingToClear,
        /// As much of the Datanet's review budget is set aside for the account's files as may be at a time.
        ReviewShare,
    }
}
