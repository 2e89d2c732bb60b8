//! A dispute about a job's result: its transitions, without storage or money.
//!
//! ```text
//! opened ──draw──▶ commits ──window, or all three──▶ reveals ──window, or all──▶ settled
//!    ╰─ too few ─▶ settled   ╰─ none ─▶ settled
//! ```
//!
//! Three workers look at the result by themselves. Each first shows a hash of what it found, and what
//! it found only when nobody can show a hash any more, so that none can repeat another's. Two that
//! agree decide.

use super::closed_list;
use crate::{Balance, BlockNumber, JobId, Salt};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_crypto_hashing::sha2_256;
use sp_runtime::BoundedVec;

/// Workers that are drawn for a dispute.
pub const DRAWN: u32 = 3;

/// Findings that have to agree to decide.
pub const AGREE: usize = 2;

/// Blocks from a dispute to its draw. The draw takes what the author of the block in between brings,
/// which whoever opens the dispute cannot know, unless it is that author.
pub const DRAW_DELAY: BlockNumber = 2;

/// Blocks until workers are drawn anew where there are enough but those looked at are drawn for other
/// disputes.
pub const DRAW_AGAIN: BlockNumber = 20;

/// What is hashed first, so that no other hash can be taken for that of a finding.
pub const TAG: &[u8] = b"openledger/finding";

closed_list! {
    /// What a worker found of a result in dispute. Append, never reorder.
    "a finding", pub enum Finding {
        Holds = 0, "holds", "it is an adapter of the base model, and reaches the losses that were posted";
        DoesNotLoad = 1, "does-not-load", "it cannot be had, has another hash than was posted, or is no adapter";
        OtherBase = 2, "other-base", "it is an adapter of another base model, rank, alpha or layers than the job's";
        NotReproduced = 3, "not-reproduced", "it does not reach the losses that were posted";
    }
}

impl Finding {
    /// Whether it speaks against the result.
    pub const fn fails(self) -> bool {
        !matches!(self, Self::Holds)
    }
}

closed_list! {
    /// How a dispute ended. Append, never reorder.
    "an outcome", pub enum Outcome {
        Upheld = 0, "upheld", "the result is wrong: its worker is not paid";
        Rejected = 1, "rejected", "the result holds: its worker is paid";
        NoQuorum = 2, "no-quorum", "no two findings agree: the worker is paid";
    }
}

/// A worker that was drawn.
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
pub struct Verifier<AccountId> {
    /// Who.
    pub worker: AccountId,
    /// The hash of its finding.
    pub commitment: Option<H256>,
    /// What it found.
    pub finding: Option<Finding>,
}

/// A dispute.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Dispute<AccountId> {
    /// Who opened it.
    pub disputer: AccountId,
    /// Plancks that it put at stake. Held until the dispute is settled.
    pub bond: Balance,
    /// Block at whose start workers are drawn.
    pub draw_at: BlockNumber,
    /// Those drawn; none before.
    pub drawn: BoundedVec<Verifier<AccountId>, ConstU32<DRAWN>>,
    /// Last block for hashes; 0 before the draw.
    pub commit_by: BlockNumber,
    /// Last block for findings; 0 before the draw.
    pub reveal_by: BlockNumber,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// The lengths that a dispute is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DisputeWindows {
    /// Blocks for hashes.
    pub commit: BlockNumber,
    /// Blocks for findings.
    pub reveal: BlockNumber,
}

/// Why a step of a dispute is not possible. The dispute is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeError {
    /// It is settled, or workers were drawn before.
    WrongState,
    /// The worker was not drawn.
    NotDrawn,
    /// It is not time for it yet.
    TooEarly,
    /// The block for it has passed.
    TooLate,
    /// The worker has shown a hash before.
    CommittedBefore,
    /// The worker has shown no hash.
    NotCommitted,
    /// The worker has shown its finding before.
    RevealedBefore,
    /// Finding and salt are not those of the hash.
    OtherCommitment,
}

/// What follows of a dispute's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement<AccountId> {
    /// How it ended.
    pub outcome: Outcome,
    /// Who is paid for a finding: those who were right, or, where nothing was decided, all that
    /// showed one.
    pub paid: Vec<AccountId>,
    /// Who was drawn and showed none.
    pub absent: Vec<AccountId>,
}

/// The hash of what `account` found of `job`: sha2-256 of [`TAG`], the job's number (8 bytes,
/// little-endian), the SCALE-encoded account (32 bytes on OpenLedger), the finding's code and the salt.
pub fn finding_commitment<A: Encode>(
    job: JobId,
    account: &A,
    finding: Finding,
    salt: &Salt,
) -> H256 {
    let mut bytes = Vec::with_capacity(TAG.len().saturating_add(80));
    bytes.extend_from_slice(TAG);
    bytes.extend_from_slice(&job.to_le_bytes());
    account.encode_to(&mut bytes);
    bytes.push(finding.code());
    bytes.extend_from_slice(salt);
    H256(sha2_256(&bytes))
}

impl<AccountId: Clone + PartialEq> Dispute<AccountId> {
    /// A dispute opened in block `now`.
    pub fn open(disputer: AccountId, bond: Balance, now: BlockNumber) -> Self {
        Self {
            disputer,
            bond,
            draw_at: now.saturating_add(DRAW_DELAY),
            drawn: BoundedVec::new(),
            commit_by: 0,
            reveal_by: 0,
            outcome: None,
        }
    }

    /// What each worker that is paid for its finding gets, whatever it found.
    pub fn fee(&self) -> Balance {
        self.bond / Balance::from(DRAWN)
    }

    /// What the worker loses whose result was wrong: what a time-out costs, and no less than its accuser
    /// risked, as far as its bond goes. So those drawn are paid the same whatever they find.
    pub fn loss(&self, penalty: Balance, bond: Balance) -> Balance {
        penalty.max(self.bond).min(bond)
    }

    /// What each worker that found it wrong is paid of what was lost.
    pub fn fee_out_of(&self, lost: Balance) -> Balance {
        self.fee().min(lost / Balance::from(DRAWN))
    }

    /// Whether workers were drawn.
    pub fn is_drawn(&self) -> bool {
        !self.drawn.is_empty()
    }

    /// Hands the result to three workers. With fewer the dispute is left as it is, to be settled.
    ///
    /// # Errors
    ///
    /// [`DisputeError::WrongState`], [`DisputeError::TooEarly`].
    pub fn draw(
        &mut self,
        workers: Vec<AccountId>,
        now: BlockNumber,
        windows: &DisputeWindows,
    ) -> Result<(), DisputeError> {
        if self.outcome.is_some() || self.is_drawn() {
            return Err(DisputeError::WrongState);
        }
        if now < self.draw_at {
            return Err(DisputeError::TooEarly);
        }
        if workers.len() < DRAWN as usize {
            return Ok(());
        }
        let verifier = |worker| Verifier { worker, commitment: None, finding: None };
        let drawn: Vec<_> = workers.into_iter().map(verifier).collect();
        self.drawn = BoundedVec::truncate_from(drawn);
        self.commit_by = now.saturating_add(windows.commit);
        self.reveal_by = self.commit_by.saturating_add(windows.reveal);
        Ok(())
    }

    /// Lets the draw wait for another [`DRAW_AGAIN`] blocks. Answers until when; a drawn or settled dispute
    /// stays as it is.
    pub fn draw_again(&mut self, now: BlockNumber) -> BlockNumber {
        if self.outcome.is_none() && !self.is_drawn() {
            self.draw_at = now.saturating_add(DRAW_AGAIN);
        }
        self.draw_at
    }

    /// A drawn worker shows the hash of its finding. With the last one the time for findings begins.
    ///
    /// # Errors
    ///
    /// [`DisputeError::WrongState`], [`DisputeError::NotDrawn`], [`DisputeError::TooLate`],
    /// [`DisputeError::CommittedBefore`].
    pub fn commit(
        &mut self,
        who: &AccountId,
        commitment: H256,
        now: BlockNumber,
        windows: &DisputeWindows,
    ) -> Result<(), DisputeError> {
        let late = now > self.commit_by;
        let verifier = self.verifier(who)?;
        if verifier.commitment.is_some() {
            return Err(DisputeError::CommittedBefore);
        }
        if late {
            return Err(DisputeError::TooLate);
        }
        verifier.commitment = Some(commitment);
        if self.committed() == DRAWN as usize {
            self.commit_by = now;
            self.reveal_by = now.saturating_add(windows.reveal);
        }
        Ok(())
    }

    /// A drawn worker shows its finding, when no hash can be shown any more.
    ///
    /// # Errors
    ///
    /// [`DisputeError::WrongState`], [`DisputeError::NotDrawn`], [`DisputeError::NotCommitted`],
    /// [`DisputeError::RevealedBefore`], [`DisputeError::TooEarly`], [`DisputeError::TooLate`],
    /// [`DisputeError::OtherCommitment`].
    pub fn reveal(
        &mut self,
        job: JobId,
        who: &AccountId,
        finding: Finding,
        salt: &Salt,
        now: BlockNumber,
    ) -> Result<(), DisputeError>
    where
        AccountId: Encode,
    {
        let (early, late) = (now <= self.commit_by, now > self.reveal_by);
        let verifier = self.verifier(who)?;
        let commitment = verifier.commitment.ok_or(DisputeError::NotCommitted)?;
        if verifier.finding.is_some() {
            return Err(DisputeError::RevealedBefore);
        }
        if early {
            return Err(DisputeError::TooEarly);
        }
        if late {
            return Err(DisputeError::TooLate);
        }
        if commitment != finding_commitment(job, who, finding, salt) {
            return Err(DisputeError::OtherCommitment);
        }
        verifier.finding = Some(finding);
        Ok(())
    }

    /// The block at whose start something is to be done about it: workers drawn, or
    /// [`settle`](Self::settle). 0 for as soon as may be; `None` once it is settled.
    pub fn due(&self) -> Option<BlockNumber> {
        if self.outcome.is_some() {
            return None;
        }
        if !self.is_drawn() {
            return Some(self.draw_at);
        }
        Some(if self.committed() == 0 {
            self.commit_by.saturating_add(1)
        } else if self.revealed() == self.committed() {
            0
        } else {
            self.reveal_by.saturating_add(1)
        })
    }

    /// The last block in which it may be open; `None` once it is settled, or before the draw.
    pub fn ends_by(&self) -> Option<BlockNumber> {
        (self.outcome.is_none() && self.is_drawn()).then(|| self.reveal_by.saturating_add(1))
    }

    /// Ends it by the findings that there are.
    ///
    /// # Errors
    ///
    /// [`DisputeError::WrongState`] if it has ended, [`DisputeError::TooEarly`].
    pub fn settle(&mut self, now: BlockNumber) -> Result<Settlement<AccountId>, DisputeError> {
        let due = self.due().ok_or(DisputeError::WrongState)?;
        if now < due {
            return Err(DisputeError::TooEarly);
        }
        let against = self.findings().filter(|finding| finding.fails()).count();
        let in_favour = self.revealed().saturating_sub(against);
        let outcome = if against >= AGREE {
            Outcome::Upheld
        } else if in_favour >= AGREE {
            Outcome::Rejected
        } else {
            Outcome::NoQuorum
        };
        let right = |finding: Finding| match outcome {
            Outcome::Upheld => finding.fails(),
            Outcome::Rejected => !finding.fails(),
            Outcome::NoQuorum => true,
        };
        let workers = |of: &dyn Fn(Option<Finding>) -> bool| -> Vec<AccountId> {
            let those = self.drawn.iter().filter(|verifier| of(verifier.finding));
            those.map(|verifier| verifier.worker.clone()).collect()
        };
        let paid = workers(&|finding| finding.is_some_and(right));
        let absent = workers(&|finding| finding.is_none());
        self.outcome = Some(outcome);
        Ok(Settlement { outcome, paid, absent })
    }

    fn findings(&self) -> impl Iterator<Item = Finding> + '_ {
        self.drawn.iter().filter_map(|verifier| verifier.finding)
    }

    fn committed(&self) -> usize {
        self.drawn.iter().filter(|verifier| verifier.commitment.is_some()).count()
    }

    fn revealed(&self) -> usize {
        self.findings().count()
    }

    fn verifier(&mut self, who: &AccountId) -> Result<&mut Verifier<AccountId>, DisputeError> {
        if self.outcome.is_some() {
            return Err(DisputeError::WrongState);
        }
        let mut drawn = self.drawn.iter_mut();
        drawn.find(|verifier| verifier.worker == *who).ok_or(DisputeError::NotDrawn)
    }
}
