//! Which earlier submissions without a leaf a file is compared with: the same for a file's first committee and for the
//! larger one of a challenge, which looks a day later.
//!
//! Both compare with what had not ended when the file was submitted: what a committee has before it, whatever it says
//! of it, and what was refused since. Were a refused file compared with no more, of two files that are copies of each
//! other the first could be let go, and members who refused the second for it be overturned. The chain keeps a
//! refusal for 30 days, which is longer than a file can be before committees.
//!
//! # What cannot be fetched
//!
//! Whoever has an earlier file and hides it could have copies of it accepted by members who cannot compare them, and then
//! show it to others. So what may be a copy of something that does not come is not accepted at first
//! ([`Index::missing`](crate::Index::missing)): another committee is asked, with other peers and hours later, by which
//! time the file may be there. The last one takes it as it is ([`another_is_asked`]): somebody who never serves
//! one file shall be able to delay what comes after it, and not to have it end without a verdict. For the same reason only
//! what a committee has had, and could read, holds anything back, and of leaves the latest [`HOLDING`]: anybody may submit the hash of
//! what does not exist, and old files that nobody serves any more are many.

use openledger_primitives::{
    committee::{api::DrawView, FileState, Purpose, Rules},
    BlockNumber, DatanetId, FileHash, RejectionReason, SubmissionId, Verdict,
};
use std::collections::BTreeMap;

/// Leaves of a Datanet, its latest, that hold back what came after them as long as they cannot be fetched: five accounts'
/// quota of a day.
pub const HOLDING: u64 = 100;

/// A submission without a leaf that others may be copies of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its number.
    pub submission: SubmissionId,
    /// sha2-256 of its flat bytes.
    pub sha256: FileHash,
    /// The block in which it was refused; `None` of one that a committee has before it.
    pub refused_at: Option<BlockNumber>,
    /// Whether most members of a committee have had its bytes, as their proofs of possession say, and did not find that
    /// it [can be no original](is_no_original).
    pub was_had: bool,
}

/// Whether nothing can be a copy of what was refused for this: a file that cannot be read, or is too small for its
/// Datanet. Thirty bytes that nobody serves would hold back a day's files otherwise.
pub fn is_no_original(reason: RejectionReason) -> bool {
    matches!(reason, RejectionReason::WrongFormat | RejectionReason::TooSmall)
}

/// Submissions that committees have before them, by Datanet, in the order of their numbers: not over, and of a
/// committee that was drawn, so that they cannot be taken back.
pub fn before_committees<AccountId>(
    draws: &[DrawView<AccountId>],
) -> BTreeMap<DatanetId, Vec<Earlier>> {
    let mut found: BTreeMap<DatanetId, Vec<Earlier>> = BTreeMap::new();
    for view in draws {
        let drawn = match view.draw.purpose {
            Purpose::Review { asked } => asked > 0 || !view.draw.members.is_empty(),
            Purpose::Challenge { .. } => false,
        };
        let stands = |state: &FileState| {
            matches!(state, FileState::Open | FileState::Judged(_) | FileState::Challenged { .. })
        };
        for file in view.draw.files.iter().filter(|file| drawn && stands(&file.state)) {
            let (submission, sha256) = (file.submission, file.sha256);
            let was_had = match &file.state {
                FileState::Judged(verdict) | FileState::Challenged { verdict, .. } => {
                    !matches!(verdict, Verdict::Reject(reason) if is_no_original(*reason))
                }
                _ => false,
            };
            let one = Earlier { submission, sha256, refused_at: None, was_had };
            found.entry(view.datanet).or_default().push(one);
        }
    }
    found.values_mut().for_each(|files| files.sort_by_key(|file| file.submission));
    found
}

/// Those of a Datanet's submissions that a file is compared with, beside leaves: earlier ones that had not ended in
/// the block in which it was submitted.
pub fn compared_with(
    submission: SubmissionId,
    submitted_at: BlockNumber,
    others: impl IntoIterator<Item = Earlier>,
) -> Vec<Earlier> {
    let counts = |one: &Earlier| {
        one.submission < submission && one.refused_at.is_none_or(|at| at >= submitted_at)
    };
    // One that is refused between two reads is in both.
    let found: BTreeMap<SubmissionId, Earlier> =
        others.into_iter().filter(counts).map(|one| (one.submission, one)).collect();
    found.into_values().collect()
}

/// Whether another committee is asked about what this one finds to be unavailable.
pub fn another_is_asked(purpose: &Purpose) -> bool {
    match purpose {
        Purpose::Review { asked } => asked.saturating_add(1) < Rules::DEFAULT.asks,
        Purpose::Challenge { .. } => false,
    }
}
