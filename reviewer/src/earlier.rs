//! Which earlier submissions without a leaf a file is compared with: the same for a file's first committee and for the
//! larger one of a challenge, which looks a day later.
//!
//! Both compare with what had not ended when the file was submitted: what a committee has before it, whatever it says
//! of it, and what was refused since. Were a refused file compared with no more, of two files that are copies of each
//! other the first could be let go, and members who refused the second for it be overturned. The chain keeps a
//! refusal for 30 days, which is longer than a file can be before committees.

use openledger_primitives::{
    committee::{api::DrawView, FileState, Purpose},
    BlockNumber, DatanetId, FileHash, SubmissionId,
};
use std::collections::BTreeMap;

/// A submission without a leaf that others may be copies of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its number.
    pub submission: SubmissionId,
    /// sha2-256 of its flat bytes.
    pub sha256: FileHash,
    /// The block in which it was refused; `None` of one that a committee has before it.
    pub refused_at: Option<BlockNumber>,
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
            let one = Earlier { submission, sha256, refused_at: None };
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
) -> Vec<(SubmissionId, FileHash)> {
    let counts = |one: &Earlier| {
        one.submission < submission && one.refused_at.is_none_or(|at| at >= submitted_at)
    };
    // One that is refused between two reads is in both.
    let found: BTreeMap<SubmissionId, FileHash> =
        others.into_iter().filter(counts).map(|one| (one.submission, one.sha256)).collect();
    found.into_iter().collect()
}
