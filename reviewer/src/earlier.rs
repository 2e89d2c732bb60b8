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
//! show it to the larger committee of a challenge; and their acceptance is overturned at the price of a part of their
//! seats. So what may be a copy of something that does not come is not accepted at first
//! ([`Index::missing`](crate::Index::missing)): another committee is asked, with other peers and hours later, by which
//! time the file may be there. The last one takes it as it is ([`must_compare`]) if each before it had the file and lacked an
//! earlier one, and the chain charges it less: somebody who never serves one file shall be able to delay what comes after it, and not to have it end without a
//! verdict.
//!
//! **What an acceptance is overturned for holds it back.** Everything that a larger committee may find a file to be a
//! copy of, whoever hides it and whatever becomes of it, holds the file back as long as it is not here: every leaf,
//! however old, and every file that a committee has before it, also one that nobody has had yet, or that was refused as
//! unreadable and may be challenged. Otherwise who knows what does not count hides just that. What does not exist is
//! before one committee only, and so holds back for an hour. What [can be no original](is_no_original) in the end is
//! nobody's on either side ([`of_an_acceptance`]), and so is what [ended without a verdict](Earlier::ended).
//!
//! # What may yet become an earlier file
//!
//! A submission without a committee may be taken back, so that nothing is refused for being a copy of it; but it has its
//! number, and once it is drawn, what came after it may be a copy of it. Whoever keeps one from being drawn, as the owner of a
//! Datanet who lets it wait for curators, would have copies of it accepted, bring it before a committee, and challenge
//! them all. So it [holds back](Lacking::Committee) what came after it, here or not, as long as another committee is asked.

use crate::index::File;
use openledger_primitives::{
    committee::{api::DrawView, FileState, Purpose, Rules},
    BlockNumber, DatanetId, Ending, FileHash, MediaType, RejectionReason, SubmissionId, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// A submission before a file for whose sake that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lacking {
    /// It has not come, so that nobody can tell whether the file is a copy of it.
    File(SubmissionId),
    /// No committee was drawn for it, so that it is no original yet, and may become one.
    Committee(SubmissionId),
}

/// A submission without a leaf that others may be copies of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its number.
    pub submission: SubmissionId,
    /// sha2-256 of its flat bytes.
    pub sha256: FileHash,
    /// Its format; `None` of one that ended, of which the chain does not say it and this program saw no committee.
    pub media: Option<MediaType>,
    /// The block in which it was refused, or ended without a verdict; `None` of one that a committee has before it.
    pub refused_at: Option<BlockNumber>,
    /// Whether it may be what an accepted file is overturned for as its copy: not where it ended as what
    /// [can be none](is_no_original), or without a verdict.
    pub is_original: bool,
}

impl Earlier {
    /// A submission that ended without a leaf in a block.
    ///
    /// One that nobody could fetch, or decide on, is nobody's original: it counts nowhere, and who accepts a copy of it
    /// wrongs nobody. But while a committee had it before it, its copies were refused rightly, and those who refused them
    /// could not know what became of it. So who judges such a refusal anew compares with it, says that it cannot tell where it
    /// is not here, and bears the refusal out where it is: a contributor who lets an original of its own end so has nobody
    /// overturned.
    pub fn ended(
        submission: SubmissionId,
        sha256: FileHash,
        media: Option<MediaType>,
        ending: Ending,
        at: BlockNumber,
    ) -> Self {
        let is_original = match ending {
            Ending::Rejected(reason) => !is_no_original(reason),
            Ending::Unavailable | Ending::Expired => false,
        };
        Self { submission, sha256, media, refused_at: Some(at), is_original }
    }

    /// The file, where it is known what its bytes are read as.
    pub fn file(&self) -> Option<File> {
        let Self { sha256, media, .. } = *self;
        media.map(|media| File { sha256, media })
    }
}

/// Whether nothing can be a copy of what was refused for this, once nobody can challenge it: a file that cannot be read,
/// or is too small for its Datanet. A committee that refuses an original so, though it is neither, and hides it would
/// have those overturned who accepted a copy of it.
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
        let asked = view.draw.purpose.asked();
        let drawn = asked.is_some_and(|asked| asked > 0 || !view.draw.members.is_empty());
        let stands = |state: &FileState| {
            matches!(state, FileState::Open | FileState::Judged(_) | FileState::Challenged { .. })
        };
        for file in view.draw.files.iter().filter(|file| drawn && stands(&file.state)) {
            let (submission, sha256) = (file.submission, file.sha256);
            let media = Some(file.media);
            let one = Earlier { submission, sha256, media, refused_at: None, is_original: true };
            found.entry(view.datanet).or_default().push(one);
        }
    }
    found.values_mut().for_each(|files| files.sort_by_key(|file| file.submission));
    found
}

/// The first of a Datanet's pending submissions, of these numbers, that no committee was drawn for.
pub fn undrawn(
    pending: impl IntoIterator<Item = SubmissionId>,
    before: &[Earlier],
) -> Option<SubmissionId> {
    let drawn: BTreeSet<_> = before.iter().map(|one| one.submission).collect();
    pending.into_iter().filter(|one| !drawn.contains(one)).min()
}

/// For whose sake a file is not accepted: one that it is held back for and that is `missing`, or, while another committee
/// is asked, the first one that is `undrawn`.
pub fn lacking(
    purpose: &Purpose,
    submission: SubmissionId,
    missing: Option<SubmissionId>,
    undrawn: Option<SubmissionId>,
) -> Option<Lacking> {
    let undrawn = undrawn.filter(|one| *one < submission && must_compare(purpose));
    missing.map(Lacking::File).or(undrawn.map(Lacking::Committee))
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
    let mut found: BTreeMap<SubmissionId, Earlier> = BTreeMap::new();
    for one in others.into_iter().filter(counts) {
        // One that is refused between two reads is in both; that it is refused counts, and its format stays known.
        let before = found.get(&one.submission).filter(|before| before.sha256 == one.sha256);
        let media = one.media.or_else(|| before.and_then(|before| before.media));
        found.insert(one.submission, Earlier { media, ..one });
    }
    found.into_values().collect()
}

/// Those of [what a file is compared with](compared_with) by which an acceptance is overturned. A refusal may be right
/// for any of them: what became of an earlier file, who refused its copy could not know.
pub fn of_an_acceptance(mut compared: Vec<Earlier>) -> Vec<Earlier> {
    compared.retain(|one| one.is_original);
    compared
}

/// Submissions of which an acceptance is challenged: their larger committees overturn it for no copy of what
/// [is no original](Earlier::is_original).
pub fn challenged_acceptances<AccountId>(draws: &[DrawView<AccountId>]) -> BTreeSet<SubmissionId> {
    let files = draws.iter().flat_map(|view| view.draw.files.iter());
    let accepted = files.filter(|file| {
        matches!(file.state, FileState::Challenged { verdict: Verdict::Accept { .. }, .. })
    });
    accepted.map(|file| file.submission).collect()
}

/// Whether who accepts says that it has compared the file with all that came before it.
pub fn must_compare(purpose: &Purpose) -> bool {
    purpose.must_compare(&Rules::DEFAULT)
}
