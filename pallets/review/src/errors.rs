//! Why calls are refused.

use frame_support::pallet_macros::pallet_section;

/// Why calls are refused.
#[pallet_section]
mod errors {
    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no Datanet of that number.
        UnknownDatanet,
        /// Only the Datanet's owner may do this.
        NotOwner,
        /// A policy names at least one curator.
        NoMembers,
        /// A policy names no curator twice.
        RepeatedMember,
        /// A policy's threshold is 1 to the number of its curators.
        InvalidThreshold,
        /// No submission of that file waits for a verdict.
        NotPending,
        /// The file waits under another submission number than the vote names: it was submitted anew.
        StaleSubmission,
        /// The signer is not a curator of this Datanet.
        NotCurator,
        /// Nobody votes on a file of its own.
        OwnSubmission,
        /// The ballot is full. A policy has as many curators as a ballot has room, so this means
        /// corrupted state.
        BallotFull,
        /// The file was measured by another extractor version than the chain's current one.
        OtherExtractor,
        /// The extractor is raised by one version at a time.
        NotNextExtractor,
        /// The vote claims more units than a file of this format and size can hold.
        TooManyUnits,
        /// The vote claims a text without the root over its chunks.
        NoTextRoot,
        /// The vote claims a text root for an image or sound, which have none.
        UnexpectedTextRoot,
        /// The Datanet has this policy, and no other waits.
        SamePolicy,
        /// The call holds no vote.
        NoVotes,
        /// Nobody would be left who decides; the owner names another curator first.
        LastCurator,
        /// The Datanet's files are judged by committees, or this one is.
        BeforeCommittee,
        /// The Datanet's policy names curators.
        NoCommittee,
        /// The file is before a committee already.
        AlreadyBeforeCommittee,
        /// Files of one call are of one contributor.
        OtherContributor,
        /// The Datanet was closed.
        DatanetClosed,
        /// No number of seats that can be taken or given up: 1 to 64 a call, and not more than there are.
        SeatCount,
        /// Many seats wait to enter or leave this pool: an account moves one at a time, and none while another of its
        /// own waits. Ask for one, or try again when the session is over.
        SeatQueueFull,
        /// The account has no seats in this pool.
        NoSeats,
        /// Other seats of the account are leaving this pool: one after the other.
        SeatsLeaving,
        /// No seats were given up, or they have not left the pool yet.
        SeatsNotLeft,
        /// Draws that were judged with these seats are not over.
        SeatsJudging,
        /// The seats have lost nothing.
        NothingLost,
        /// There is no draw of that number, or it is over.
        UnknownDraw,
        /// The draw is not in the phase for this.
        WrongPhase,
        /// The last block for this has passed.
        TooLate,
        /// The first block for this has not come.
        TooEarly,
        /// The signer is not a member of this committee.
        NotMember,
        /// The member committed before: there is one commitment.
        AlreadyCommitted,
        /// The member committed to nothing.
        NotCommitted,
        /// The member revealed before.
        AlreadyRevealed,
        /// What is shown is not what was committed to.
        OtherCommitment,
        /// One word for each file of the draw, in their order.
        OtherFiles,
        /// The draw has no such file, or the file has no verdict that can be challenged.
        NoFile,
        /// The verdict is challenged already: there is one challenge.
        AlreadyChallenged,
        /// A refusal is its contributor's to challenge.
        NotContributor,
        /// A member of the majority does not challenge itself.
        OwnVerdict,
        /// The state says what cannot be. This means corrupted state.
        Inconsistent,
        /// Nothing is due.
        NothingDue,
        /// No amount, or more than the review budget has to spare: what is set aside for files that wait for
        /// committees is neither taken back nor spent twice.
        BudgetTooLow,
        /// The day's limit of the review budget is 1 file or more, an account's share 1 to 100 percent.
        InvalidBudgetTerms,
        /// The Datanet's review budget pays for no more files today.
        BudgetFiles,
        /// The review budget pays for no more files of this account today.
        BudgetShare,
        /// A sum is no number.
        Overflow,
        /// Draws wait whose seed stands, and nothing changes them; try again when they are drawn.
        SeedStands,
        /// An address is empty, no UTF-8, or holds what nobody can see.
        InvalidAddress,
        /// Files of the contributor that are before committees have as much of the review budget set aside as those of one
        /// account may: its share of what is not spent, and five files at least.
        BudgetShareReserved,
    }
}
