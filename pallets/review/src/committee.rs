//! # Review by drawn committees
//!
//! Storage, money and blocks around the rules of [`openledger_primitives::committee`], which say what a
//! committee does and how every file can end; `docs/committees.md` says why.
//!
//! | module | what |
//! |---|---|
//! | [`seats`] | bonding seats, and the places from which they are drawn |
//! | [`draws`] | draws from submission to committee |
//! | [`votes`] | commitments, reveals, and what they say together |
//! | [`challenges`] | challenges, and what the larger committee's word changes |
//! | [`serving`] | where reviewers serve what they judge |
//! | [`settlement`] | how a file ends: who is paid, who loses, and what becomes of the file |
//! | [`agenda`] | what is due in a block |
//! | [`budgets`] | what Datanets pay their reviewers from |
//! | [`reads`] | what reviewers read |
//!
//! Nothing here iterates over more than one committee, one call of files, or a fixed number of steps.

pub mod agenda;
pub mod budgets;
pub mod challenges;
pub mod draws;
pub mod reads;
pub mod seats;
pub mod serving;
pub mod settlement;
mod state;
pub mod votes;

use crate::Error;
use openledger_primitives::committee::{budget::BudgetError, seats::SeatError, DrawError};

impl<T> From<DrawError> for Error<T> {
    fn from(error: DrawError) -> Self {
        match error {
            DrawError::WrongPhase => Self::WrongPhase,
            DrawError::TooLate => Self::TooLate,
            DrawError::TooEarly => Self::TooEarly,
            DrawError::NotMember => Self::NotMember,
            DrawError::AlreadyCommitted => Self::AlreadyCommitted,
            DrawError::NotCommitted => Self::NotCommitted,
            DrawError::AlreadyRevealed => Self::AlreadyRevealed,
            DrawError::OtherCommitment => Self::OtherCommitment,
            DrawError::OtherFiles => Self::OtherFiles,
            DrawError::NoFile => Self::NoFile,
            DrawError::AlreadyChallenged => Self::AlreadyChallenged,
            DrawError::NotContributor => Self::NotContributor,
            DrawError::OwnVerdict => Self::OwnVerdict,
            DrawError::Size | DrawError::Barred => Self::Inconsistent,
        }
    }
}

impl<T> From<SeatError> for Error<T> {
    fn from(error: SeatError) -> Self {
        match error {
            SeatError::Count => Self::SeatCount,
            SeatError::Leaving => Self::SeatsLeaving,
            SeatError::NotLeft => Self::SeatsNotLeft,
            SeatError::Judging => Self::SeatsJudging,
        }
    }
}

impl<T> From<BudgetError> for Error<T> {
    fn from(error: BudgetError) -> Self {
        match error {
            BudgetError::TooLittle => Self::BudgetTooLow,
            BudgetError::Overflow => Self::Overflow,
        }
    }
}
