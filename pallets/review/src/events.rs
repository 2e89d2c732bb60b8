//! What the pallet says of what happened.

use frame_support::pallet_macros::pallet_section;

/// What the pallet says of what happened.
#[pallet_section]
mod events {
    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A Datanet has a new policy.
        PolicySet {
            /// The Datanet.
            datanet: DatanetId,
        },
        /// A curator voted, for the first time or anew.
        Voted {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission.
            submission: SubmissionId,
            /// Who voted.
            curator: T::AccountId,
            /// Whether the vote took the place of an earlier one of the same curator.
            replaced: bool,
            /// The vote.
            verdict: Verdict,
        },
        /// Enough votes agreed.
        Decided {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission.
            submission: SubmissionId,
            /// Whether the file was accepted.
            accepted: bool,
        },
        /// Votes to accept name another extractor from now on; earlier ones do not count.
        ExtractorRaised {
            /// Its version.
            extractor: ExtractorVersion,
        },
        /// Another policy waits to take the place of a Datanet's.
        PolicyAnnounced {
            /// The Datanet.
            datanet: DatanetId,
            /// The first block in which it counts.
            from: BlockNumber,
        },
        /// The policy that waited does not come: the Datanet keeps the one it has.
        PolicyKept {
            /// The Datanet.
            datanet: DatanetId,
        },
        /// One of several votes was refused; the others count.
        VoteRefused {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission.
            submission: SubmissionId,
            /// Who voted.
            curator: T::AccountId,
            /// Why.
            error: DispatchError,
        },
        /// A curator resigned, from now on or, where a policy is announced with it, from that one's block.
        CuratorResigned {
            /// The Datanet.
            datanet: DatanetId,
            /// Who.
            curator: T::AccountId,
            /// How many of those who are left must agree.
            threshold: u8,
        },
        /// Seats were bonded; they enter the pool with a session's delay.
        SeatsBonded {
            /// The pool.
            pool: PoolId,
            /// Whose.
            account: T::AccountId,
            /// How many.
            seats: u32,
            /// Plancks held for them, and for what earlier ones had lost.
            held: Balance,
        },
        /// Seats were given up; they leave the pool with a session's delay.
        SeatsGivenUp {
            /// The pool.
            pool: PoolId,
            /// Whose.
            account: T::AccountId,
            /// How many.
            seats: u32,
        },
        /// Seats that had left the pool were paid back.
        SeatsReturned {
            /// The pool.
            pool: PoolId,
            /// Whose.
            account: T::AccountId,
            /// Plancks.
            amount: Balance,
        },
        /// What seats had lost was bonded anew.
        SeatsToppedUp {
            /// The pool.
            pool: PoolId,
            /// Whose.
            account: T::AccountId,
            /// Plancks.
            amount: Balance,
        },
        /// An account's seats lost a part of their bond.
        SeatsLost {
            /// The pool.
            pool: PoolId,
            /// Whose.
            account: T::AccountId,
            /// The draw.
            draw: DrawId,
            /// Plancks.
            amount: Balance,
        },
        /// Files wait for a committee, which is drawn by the seed of a session.
        DrawOpened {
            /// The draw.
            draw: DrawId,
            /// The Datanet.
            datanet: DatanetId,
            /// How many files.
            files: u32,
            /// The session.
            session: Session,
        },
        /// No committee could be drawn; it is tried again. Where too few accounts have seats that is when they have,
        /// which is said again with that session.
        DrawPostponed {
            /// The draw.
            draw: DrawId,
            /// Whether seats were lacking, or else budget.
            lacks_seats: bool,
            /// The session by whose seed it is tried again at the latest; none if it is over.
            session: Option<Session>,
        },
        /// A committee was drawn.
        CommitteeDrawn {
            /// The draw.
            draw: DrawId,
            /// The Datanet.
            datanet: DatanetId,
            /// Who is to judge.
            members: BoundedVec<T::AccountId, ConstU32<MAX_MEMBERS>>,
            /// The last block to commit in.
            commit_by: BlockNumber,
        },
        /// A member committed.
        Committed {
            /// The draw.
            draw: DrawId,
            /// Who.
            account: T::AccountId,
        },
        /// Members may reveal what they committed to.
        RevealsOpened {
            /// The draw.
            draw: DrawId,
            /// The last block to reveal in.
            reveal_by: BlockNumber,
        },
        /// A member revealed.
        Revealed {
            /// The draw.
            draw: DrawId,
            /// Who.
            account: T::AccountId,
        },
        /// A committee's votes were counted.
        DrawDecided {
            /// The draw.
            draw: DrawId,
            /// Verdicts that may be challenged.
            verdicts: u32,
            /// The last block to challenge in.
            challenge_by: Option<BlockNumber>,
        },
        /// A verdict was challenged.
        Challenged {
            /// The draw.
            draw: DrawId,
            /// The submission.
            submission: SubmissionId,
            /// Who.
            challenger: T::AccountId,
            /// The draw of the larger committee.
            by: DrawId,
        },
        /// A file left a draw.
        FileEnded {
            /// The draw.
            draw: DrawId,
            /// The submission.
            submission: SubmissionId,
            /// How.
            outcome: Outcome,
        },
        /// Somebody was paid for a file.
        ReviewPaid {
            /// The draw.
            draw: DrawId,
            /// The submission.
            submission: SubmissionId,
            /// Who.
            account: T::AccountId,
            /// Plancks.
            amount: Balance,
        },
        /// What was due for a draw could not be done; it is tried again.
        DrawDelayed {
            /// The draw.
            draw: DrawId,
            /// The first block in which it is.
            until: BlockNumber,
        },
        /// A review budget was paid into.
        BudgetFunded {
            /// The Datanet.
            datanet: DatanetId,
            /// Plancks.
            amount: Balance,
        },
        /// A Datanet's owner took back what no draw needs.
        BudgetTakenBack {
            /// The Datanet.
            datanet: DatanetId,
            /// To whom.
            account: T::AccountId,
            /// Plancks.
            amount: Balance,
        },
        /// A Datanet's owner said how fast its review budget may be used up.
        BudgetTermsSet {
            /// The Datanet.
            datanet: DatanetId,
            /// Files a UTC day.
            files_a_day: u32,
            /// Percent of them for one account.
            share: u8,
        },
        /// An account says where it serves what it judges with its seats in a pool.
        ServesAt {
            /// The pool.
            pool: PoolId,
            /// Who.
            account: T::AccountId,
            /// How many addresses there are now.
            addresses: u32,
        },
    }
}
