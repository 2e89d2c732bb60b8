//! Every way in which a file leaves a draw, as data: what becomes of the file, of those who said so, and of
//! the bond of who challenged it.

use crate::list::closed_list;

closed_list! {
    /// How a file leaves a draw. Append, never reorder.
    "an outcome", pub enum Outcome {
        Accepted = 0, "accepted", "most accept, and nobody challenges it";
        Refused = 1, "refused", "most refuse, and its contributor does not challenge it";
        UnavailableAgain = 2, "unavailable-again", "most cannot fetch it: another committee is asked";
        Unavailable = 3, "unavailable", "most cannot fetch it, and no committee is left to ask; or not one member could";
        SplitAgain = 4, "split-again", "most reveal but do not agree: another committee is asked";
        Split = 5, "split", "most reveal but do not agree, and no committee is left to ask";
        NoQuorumAgain = 6, "no-quorum-again", "too few commit or reveal: another committee is asked";
        NoQuorum = 7, "no-quorum", "too few commit or reveal, and no committee is left to ask";
        TooFewSeats = 8, "too-few-seats", "too few accounts have seats, at every attempt";
        EmptyBudget = 9, "empty-budget", "the review budget does not cover a committee: of draws from before submitting set it aside";
        AcceptanceUpheld = 10, "acceptance-upheld", "challenged, and the larger committee accepts it too";
        AcceptanceOverturned = 11, "acceptance-overturned", "challenged, and the larger committee refuses it, but for copy-accepted and acceptance-copied";
        MeasuredAnew = 12, "measured-anew", "challenged, and the larger committee accepts it with other measurements";
        AcceptanceUnavailable = 13, "acceptance-unavailable", "challenged, and most of the larger committee cannot fetch it, or refuse it where no majority does";
        AcceptanceStands = 14, "acceptance-stands", "challenged, and the larger committee comes to no verdict; or counts in its Datanet alone, and none can be drawn";
        RefusalUpheld = 15, "refusal-upheld", "challenged, and the larger committee refuses it too";
        RefusalOverturned = 16, "refusal-overturned", "challenged, and the larger committee accepts it";
        RefusalStands = 17, "refusal-stands", "challenged, and the larger committee cannot fetch it or comes to no verdict, but for refusal-undecided";
        RefusalEased = 18, "refusal-eased", "challenged, and the larger committee refuses it too, but leaves no tombstone";
        AcceptanceCopied = 19, "acceptance-copied", "challenged, its committee was the last and those before it lacked an earlier file, and the larger committee refuses it as a duplicate";
        AcceptanceUnjudged = 20, "acceptance-unjudged", "challenged, counts everywhere, and no larger committee can be drawn";
        RefusalUndecided = 21, "refusal-undecided", "refused as a duplicate and challenged, and most of the larger committee have it and accept it, or lack an earlier file to compare it with";
        CopyAccepted = 22, "copy-accepted", "challenged, its committee had to compare it, and the larger committee refuses it as a duplicate";
        UndecidedAgain = 23, "undecided-again", "most have it and lack an earlier file to compare it with: another committee is asked";
    }
}

/// What becomes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A leaf, points and pay, as the committee said.
    Leaf,
    /// A leaf, points and pay, as the larger committee said.
    LeafOfChallenge,
    /// A refusal; of one that was challenged and that the larger committee refuses too, for that one's reason.
    Refusal,
    /// Another draw.
    Again,
    /// Nothing, without prejudice: it may be submitted again. The quota stays used.
    Nothing,
}

/// What becomes of the members who said what their committee found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Majority {
    /// There are none, or nothing can be told of them: neither paid nor charged.
    None,
    /// Paid.
    Paid,
    /// A part of a seat lost, and unpaid. Those are paid as ever whose own word the larger committee bears out.
    Slashed,
    /// A part of a seat lost to the treasury, and unpaid: nobody gains by it.
    Liable,
    /// A part of a seat lost, and unpaid: it pays the larger committee, and the challenger half of what they are not paid.
    /// The rest is the treasury's, so that nobody lives by leading members into it. Those are paid as ever whose own word
    /// the larger committee bears out.
    Fined,
    /// Unpaid, and nothing lost. What they would have been paid goes to whom a part of their seats would.
    Unpaid,
}

/// What becomes of a challenger's bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// Nobody challenged.
    None,
    /// Back.
    Back,
    /// Back, with half of what the overturned lose or are not paid.
    Rewarded,
    /// It pays the larger committee, and the rest goes to those who were challenged wrongly.
    Lost,
}

impl Outcome {
    /// What becomes of the file.
    pub const fn end(self) -> End {
        self.row().0
    }

    /// What becomes of the majority.
    pub const fn majority(self) -> Majority {
        self.row().1
    }

    /// What becomes of the bond.
    pub const fn bond(self) -> Bond {
        self.row().2
    }

    const fn row(self) -> (End, Majority, Bond) {
        use Outcome::*;
        match self {
            Accepted => (End::Leaf, Majority::Paid, Bond::None),
            Refused => (End::Refusal, Majority::Paid, Bond::None),
            UnavailableAgain | SplitAgain | NoQuorumAgain | UndecidedAgain => {
                (End::Again, Majority::None, Bond::None)
            }
            Unavailable | Split | NoQuorum | TooFewSeats | EmptyBudget => {
                (End::Nothing, Majority::None, Bond::None)
            }
            AcceptanceUpheld => (End::Leaf, Majority::Paid, Bond::Lost),
            AcceptanceOverturned => (End::Refusal, Majority::Slashed, Bond::Rewarded),
            MeasuredAnew => (End::LeafOfChallenge, Majority::Slashed, Bond::Rewarded),
            // Who accepts a file answers for it being there until its challenge is over: members who hide one and
            // members who do not serve it cannot be told apart, but the latter need only serve it. What they lose is
            // nobody's, so that hiding a file from a challenge brings nothing to who does it.
            AcceptanceUnavailable => (End::Nothing, Majority::Liable, Bond::Back),
            AcceptanceStands => (End::Leaf, Majority::Paid, Bond::Back),
            // The last committee of a file judges it without what does not come, and may have been shown no earlier file:
            // whoever has it may hide it from one committee and not from the next. Those before it leave such a file to
            // others, and so have compared what they accept; but what they were shown is in others' hands, who shall not
            // gain by it.
            CopyAccepted => (End::Refusal, Majority::Fined, Bond::Rewarded),
            AcceptanceCopied => (End::Refusal, Majority::Unpaid, Bond::Rewarded),
            // Verdicts that count everywhere come from pools that can judge a challenge; where one cannot, those who
            // left it may have said so. A smaller pool's are never challenged to an end, and count as curators' do.
            AcceptanceUnjudged => (End::Nothing, Majority::Paid, Bond::Back),
            RefusalUpheld => (End::Refusal, Majority::Paid, Bond::Lost),
            RefusalOverturned => (End::LeafOfChallenge, Majority::Slashed, Bond::Rewarded),
            RefusalEased => (End::Refusal, Majority::Slashed, Bond::Rewarded),
            RefusalStands => (End::Refusal, Majority::Paid, Bond::Back),
            // Whoever hides an earlier file keeps fifteen from telling whether another is a copy of it: a refusal that
            // nobody can check shall pay nobody. Who gave the file has shown it.
            RefusalUndecided => (End::Nothing, Majority::None, Bond::Back),
        }
    }
}
