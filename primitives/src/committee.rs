//! Review by committees that nobody can copy: seats, draws, sealed votes, challenges and money, without
//! storage.
//!
//! ```text
//! Waiting ──begin──▶ Committing ──all, or late──▶ Revealing ──all, or late──▶ Judged ──every file──▶ Over
//!   │ postpone              │ too few committed                                 │
//!   └──▶ Waiting, Over      └──▶ Over                              challenge ──▶ another draw, three times the size
//! ```
//!
//! A [`Draw`] is one committee's work on a call of up to 20 files, or on the one file of a challenge. Its
//! transitions are in [`life`], what its votes say is in [`vote`], how every file can end is the table
//! [`Outcome`], and who is paid or loses what follows from that table in [`settle`](settle::settle).
//! `docs/committees.md` says why.

pub mod api;
pub mod budget;
pub mod draw;
pub mod life;
pub mod outcome;
pub mod places;
pub mod seats;
pub mod settle;
pub mod vote;

pub use budget::{Budget, BudgetTerms};
pub use draw::{draw_seed, pick, Picked, Seed};
pub use life::DrawError;
pub use outcome::{Bond, End, Majority, Outcome};
pub use places::{Places, PoolSize};
pub use seats::{Addresses, GlobalPool, PoolId, Reviewer, MAX_ADDRESS, MAX_ADDRESSES};
pub use settle::{settle, Side, Transfer};
pub use vote::{commitment, possession, Finding, Opinion, Opinions, Stand};

use crate::{
    Balance, BlockNumber, ExtractorVersion, FileHash, MediaType, Points, SubmissionId, Verdict,
    MAX_ITEMS, MILLI_OPEN, OPEN,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Number of a draw, counted from 0.
pub type DrawId = u64;
/// Number of a session: one for each change of BABE's epoch, however many epochs were skipped.
pub type Session = u32;

/// Most members of the committee that judges a call.
pub const MAX_COMMITTEE: u32 = 7;
/// A challenge is judged by so many times as many.
pub const CHALLENGE_FACTOR: u32 = 3;
/// Most members of any committee.
pub const MAX_MEMBERS: u32 = MAX_COMMITTEE * CHALLENGE_FACTOR;
/// Sessions between the one in which a call was submitted and the one in whose first block its committee
/// is drawn: the seed is made of what the session between them brought.
pub const SESSIONS_TO_DRAW: Session = 2;
/// Most attempts at a draw that finds too few accounts. The first waits [`SESSIONS_TO_DRAW`], the next ones
/// 1, 2, 4, … sessions: 511 in all, which is 3.5 days of 200 slots of 3 seconds.
pub const MAX_TRIES: u8 = 10;
/// Sessions for which a draw waits for accounts to take seats, where too few have any: as long as all attempts
/// at one that has enough.
pub const PARKED_SESSIONS: Session = 511;
/// Most points of one file that count over all Datanets: as many as 10,000 units have with a score of 100. So
/// no Datanet's bounds and no modality's units make one file more than many.
pub const GLOBAL_POINTS_A_FILE: Points = 1_000_000;

/// How many of a file's points count over all Datanets.
pub const fn global_points(points: Points) -> Points {
    if points < GLOBAL_POINTS_A_FILE {
        points
    } else {
        GLOBAL_POINTS_A_FILE
    }
}

/// What a committee is and what is at stake for it. Amounts are plancks.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct Rules {
    /// Members of the committee of a call, odd.
    pub size: u8,
    /// Committees asked for one file before it ends without prejudice.
    pub asks: u8,
    /// How far a score may be from the larger committee's without being wrong.
    pub score_tolerance: u8,
    /// For one file, to each member who says what is final.
    pub pay: Balance,
    /// Lost for one file by a member who does not reveal, or shows that it has not the file.
    pub missed: Balance,
    /// What a seat costs.
    pub seat: Balance,
    /// Lost for one file by each member of a majority that a challenge overturns, if it contradicts the member.
    pub overturned: Balance,
    /// What a challenge puts up.
    pub bond: Balance,
}

impl Rules {
    /// The rules that `docs/committees.md` simulates.
    pub const DEFAULT: Self = Self {
        size: 5,
        asks: 3,
        score_tolerance: 30,
        pay: 100 * MILLI_OPEN,
        missed: 200 * MILLI_OPEN,
        seat: 100 * OPEN,
        overturned: 10 * OPEN,
        bond: 10 * OPEN,
    };

    /// Members of a challenge's committee.
    pub const fn challenge_size(&self) -> u8 {
        self.size.saturating_mul(CHALLENGE_FACTOR as u8)
    }

    /// How many of a committee of `members` decide: more than half of all, whoever reveals.
    pub const fn quorum(members: usize) -> usize {
        (members / 2).saturating_add(1)
    }

    /// Plancks that one file can cost its Datanet.
    pub const fn reserve(&self) -> Balance {
        self.pay.saturating_mul(self.size as Balance)
    }

    /// What the larger committee costs, twice, since the challenger has half: the least that a member loses for a
    /// file that is overturned, as long as its seat has so much.
    pub const fn least_overturned(&self) -> Balance {
        self.pay.saturating_mul(self.challenge_size() as Balance).saturating_mul(2)
    }

    /// Whether the rules hold together.
    ///
    /// # Errors
    ///
    /// The first thing that does not.
    pub fn check(&self) -> Result<(), RulesError> {
        let fees = self.pay.saturating_mul(self.challenge_size().into());
        if self.size == 0 || self.size.is_multiple_of(2) || u32::from(self.size) > MAX_COMMITTEE {
            return Err(RulesError::Size);
        }
        if self.asks == 0 {
            return Err(RulesError::Asks);
        }
        if self.missed <= self.pay {
            return Err(RulesError::MissedPays);
        }
        if self.bond < fees {
            return Err(RulesError::BondBelowFees);
        }
        // One member at least is contradicted by what overturns its committee.
        if self.overturned / 2 < fees {
            return Err(RulesError::SlashBelowFees);
        }
        // A call of 20 files that is missed, or overturned in each of them, is covered by what a seat that is drawn has
        // left at least.
        let each = self.missed.max(self.least_overturned());
        let most = each.saturating_mul(MAX_ITEMS.into()).max(self.overturned);
        if self.seat.saturating_mul(3) / 4 < most {
            return Err(RulesError::SeatBelowLoss);
        }
        Ok(())
    }
}

/// Why [`Rules`] are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesError {
    /// A committee has an odd number of members, up to [`MAX_COMMITTEE`].
    Size,
    /// Somebody has to be asked.
    Asks,
    /// Not revealing must cost more than revealing pays.
    MissedPays,
    /// A challenge that fails has to pay its committee.
    BondBelowFees,
    /// What one member of an overturned majority loses has to pay the committee that said so.
    SlashBelowFees,
    /// A seat has to cover what can be lost by one draw.
    SeatBelowLoss,
}

/// How long things take, in blocks.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct Lengths {
    /// To fetch, judge and commit.
    pub commit: BlockNumber,
    /// To reveal.
    pub reveal: BlockNumber,
    /// To challenge; nothing is credited before.
    pub challenge: BlockNumber,
    /// From bonding a seat until it can be drawn: longer than from a call to the last draw about it, so that nobody who
    /// sees a call takes seats for it.
    pub enter: BlockNumber,
    /// From giving a seat up until it leaves its pool: longer than until every challenge of what was drawn before has
    /// a committee, so that nobody who judged a file leaves too few to judge it again. Not shorter than
    /// [`enter`](Self::enter).
    pub leave: BlockNumber,
}

impl Lengths {
    /// For a chain that one person watches: 1 minute, half a minute, half a minute; with the next session, and after
    /// four and a half minutes.
    pub const DEVELOPMENT: Self =
        Self { commit: 20, reveal: 10, challenge: 10, enter: 1, leave: 90 };
    /// An hour, 20 minutes, a day; 30 hours both.
    pub const DEFAULT: Self =
        Self { commit: 1_200, reveal: 400, challenge: 28_800, enter: 36_000, leave: 36_000 };

    /// Blocks from a call to the last draw about it, if a session has so many and no draw has to be tried again: of as
    /// many committees as are asked, and of a challenge.
    pub const fn of_a_call(&self, rules: &Rules, session: BlockNumber) -> BlockNumber {
        let wait = session.saturating_mul(SESSIONS_TO_DRAW);
        let committee = self.commit.saturating_add(self.reveal).saturating_add(wait);
        committee
            .saturating_mul(rules.asks as BlockNumber)
            .saturating_add(self.challenge)
            .saturating_add(wait)
    }

    /// Blocks from when seats are given up to the last draw of a challenge of what was drawn with them. Calls are drawn
    /// with them up to the end of the next session.
    pub const fn of_a_challenge(&self, session: BlockNumber) -> BlockNumber {
        let waits = session.saturating_mul(2).saturating_mul(SESSIONS_TO_DRAW);
        self.commit.saturating_add(self.reveal).saturating_add(self.challenge).saturating_add(waits)
    }
}

/// What a draw is for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Purpose {
    /// A call of files, or what is left of it.
    Review {
        /// Committees that were asked before.
        asked: u8,
    },
    /// One file of another draw.
    Challenge {
        /// That draw.
        draw: DrawId,
        /// The file's place in it.
        file: u8,
    },
    /// What is left of a call that each committee before had, and could not compare with an earlier file that did not
    /// come. The last one judges it without.
    Uncompared {
        /// Committees that were asked before.
        asked: u8,
    },
}

impl Purpose {
    /// Committees that were asked about a call before; of a challenge none.
    pub const fn asked(&self) -> Option<u8> {
        match self {
            Self::Review { asked } | Self::Uncompared { asked } => Some(*asked),
            Self::Challenge { .. } => None,
        }
    }

    /// Whether it is a call's, and no challenge's.
    pub const fn is_call(&self) -> bool {
        self.asked().is_some()
    }

    /// Whether another committee can be asked where this one finds nothing.
    pub const fn leaves_another(&self, rules: &Rules) -> bool {
        match self.asked() {
            Some(asked) => asked.saturating_add(1) < rules.asks,
            None => false,
        }
    }

    /// Whether an acceptance says that the file was compared with all that was submitted to its Datanet before it. Not so
    /// of the last committee that is asked, where those before it had the file and lacked an earlier one: for want of it
    /// nothing would ever be accepted again. Where they did not have the file itself its contributor may have seen to
    /// that, to come before a committee that is not charged.
    pub const fn must_compare(&self, rules: &Rules) -> bool {
        match self {
            Self::Review { .. } => true,
            Self::Uncompared { .. } => self.leaves_another(rules),
            Self::Challenge { .. } => false,
        }
    }
}

/// Where a draw is in its life.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Phase {
    /// Its committee is drawn by the seed of this session.
    Waiting {
        /// The session.
        session: Session,
        /// Attempts that failed.
        tries: u8,
    },
    /// Its members fetch, judge and commit.
    Committing {
        /// Last block to commit in.
        by: BlockNumber,
    },
    /// Who committed reveals.
    Revealing {
        /// Last block to reveal in.
        by: BlockNumber,
    },
    /// Its verdicts may be challenged.
    Judged {
        /// Last block to challenge in.
        until: BlockNumber,
    },
    /// Every file is over.
    Over,
}

/// Where a file of a draw is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum FileState {
    /// Nobody has said anything that counts.
    Open,
    /// A verdict that may be challenged.
    Judged(Verdict),
    /// A verdict that another draw judges.
    Challenged {
        /// What the committee says.
        verdict: Verdict,
        /// The other draw.
        by: DrawId,
    },
    /// What the committee of a challenge says. It is the other draw's file that ends by it.
    Word(Finding),
    /// Nothing happens to it in this draw any more.
    Over(Outcome),
}

/// A file of a draw.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct DrawnFile {
    /// The submission.
    pub submission: SubmissionId,
    /// The file.
    pub sha256: FileHash,
    /// Its format.
    pub media: MediaType,
    /// Flat bytes, as submitted.
    pub size: u32,
    /// Where it is.
    pub state: FileState,
    /// How each member's word on it stands to what was found, in their order; empty before.
    pub stands: BoundedVec<Stand, ConstU32<MAX_MEMBERS>>,
}

/// How far a member is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Progress {
    /// Drawn; nothing was heard of it.
    Drawn,
    /// Committed. Earns nothing.
    Committed(H256),
    /// Revealed.
    Revealed,
}

/// A member of a committee: an account, never a place that somebody else may come to hold.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Member<AccountId> {
    /// Who.
    pub account: AccountId,
    /// [`Reviewer::generation`] when it was drawn.
    pub generation: u32,
    /// How far it is.
    pub progress: Progress,
}

/// One committee's work.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Draw<AccountId> {
    /// What for.
    pub purpose: Purpose,
    /// Who gave the files; never a member.
    pub contributor: AccountId,
    /// Who challenges; never a member.
    pub challenger: Option<AccountId>,
    /// The files, in the order of every vote on them.
    pub files: BoundedVec<DrawnFile, ConstU32<MAX_ITEMS>>,
    /// Fewer units than these are no acceptance.
    pub min_units: u64,
    /// What the members measure with.
    pub extractor: ExtractorVersion,
    /// What commitments and proofs of possession are bound to; zeros before the committee is drawn.
    pub seed: Seed,
    /// The committee, in the order it was drawn.
    pub members: BoundedVec<Member<AccountId>, ConstU32<MAX_MEMBERS>>,
    /// Where it is in its life.
    pub phase: Phase,
}
