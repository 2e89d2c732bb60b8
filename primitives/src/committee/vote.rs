//! What members say, sealed and then shown, and what a committee says together.

use super::{DrawId, DrawnFile, Rules, Seed};
use crate::{precommit::Salt, ExtractorVersion, RejectionReason, Score, Verdict, MAX_ITEMS};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_crypto_hashing::sha2_256;
use sp_runtime::BoundedVec;

/// What is hashed first for a commitment, so that no other hash can be taken for one.
pub const COMMITMENT_TAG: &[u8] = b"openledger/review";

/// One member's word on one file.
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
pub struct Opinion {
    /// What it says.
    pub verdict: Verdict,
    /// [`possession`] of the file. With [`Verdict::Unavailable`] zero where the file cannot be fetched; where it is here,
    /// and an earlier one that it would have to be compared with is not, the proof says so.
    pub possession: H256,
}

impl Opinion {
    /// That the file cannot be fetched.
    pub const UNAVAILABLE: Self = Self { verdict: Verdict::Unavailable, possession: H256([0; 32]) };

    /// That the file is here and cannot be judged, mostly for want of an earlier one to compare it with.
    pub const fn undecided(possession: H256) -> Self {
        Self { verdict: Verdict::Unavailable, possession }
    }

    /// Whether it says that the file is here and cannot be judged.
    pub fn is_undecided(&self) -> bool {
        matches!(self.verdict, Verdict::Unavailable) && !self.possession.is_zero()
    }

    /// Whether a reader of `file` could have come to say this.
    pub fn is_possible(&self, file: &DrawnFile, min_units: u64, current: ExtractorVersion) -> bool {
        let unavailable = matches!(self.verdict, Verdict::Unavailable);
        if self.possession.is_zero() && !unavailable {
            return false;
        }
        let Verdict::Accept { units, extractor, .. } = self.verdict else { return true };
        units >= min_units
            && extractor == current
            && self.verdict.validate(file.media, file.size).is_ok()
    }
}

/// One member's word on every file of a draw, in their order.
pub type Opinions = BoundedVec<Opinion, ConstU32<MAX_ITEMS>>;

/// Proof that somebody has a file: sha2-256 of the draw's seed and the file's flat bytes. Equal among all
/// who have them, not to be computed by others, and of no use in another draw.
pub fn possession(seed: &Seed, bytes: &[u8]) -> H256 {
    let mut all = Vec::with_capacity(bytes.len().saturating_add(seed.len()));
    all.extend_from_slice(seed);
    all.extend_from_slice(bytes);
    H256(sha2_256(&all))
}

/// What `account` commits to in `draw`: sha2-256 of [`COMMITMENT_TAG`], the draw's number (8 bytes,
/// little-endian) and seed, the SCALE-encoded account (32 bytes on OpenLedger) and opinions, and the salt.
///
/// Bound to draw and account, so that somebody else's commitment opens for nobody.
pub fn commitment<A: Encode>(
    draw: DrawId,
    seed: &Seed,
    account: &A,
    opinions: &Opinions,
    salt: &Salt,
) -> H256 {
    let mut bytes = Vec::with_capacity(COMMITMENT_TAG.len().saturating_add(160));
    bytes.extend_from_slice(COMMITMENT_TAG);
    bytes.extend_from_slice(&draw.to_le_bytes());
    bytes.extend_from_slice(seed);
    account.encode_to(&mut bytes);
    opinions.encode_to(&mut bytes);
    bytes.extend_from_slice(salt);
    H256(sha2_256(&bytes))
}

/// What a committee says of a file.
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
pub enum Finding {
    /// It belongs in the Datanet, or does not.
    Verdict {
        /// What it says: of an acceptance score and units are the lower medians of those who accept.
        verdict: Verdict,
        /// What the file's bytes and the draw's seed give.
        possession: H256,
    },
    /// It cannot be fetched.
    Unavailable,
    /// Enough revealed, but not enough say the same.
    Split,
    /// Too few revealed for any verdict.
    NoQuorum,
    /// Of the larger committee of a challenge: more than half have it, and accept it or cannot judge it, mostly for want of
    /// an earlier file to compare it with.
    Undecided,
}

/// How a member's word on a file stands to what its committee found.
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
pub enum Stand {
    /// It said so.
    Agreed,
    /// It has the file and said otherwise. Costs nothing: it may be right.
    Dissented,
    /// It said that the file cannot be fetched, or judged, or nothing was found. Earns nothing, costs nothing.
    Unavailable,
    /// It has not the file that the others have, or claims what no file can be.
    Void,
    /// It did not reveal.
    Absent,
}

/// Whether two words are the same: both refuse, or both accept with the same text root. Units are one
/// number wherever text roots are equal and one extractor measured; where there is no text, medians
/// level what decoders differ by.
fn says_the_same(one: &Verdict, other: &Verdict) -> bool {
    match (one, other) {
        (Verdict::Accept { text_root, .. }, Verdict::Accept { text_root: other, .. }) => {
            text_root == other
        }
        (Verdict::Reject(_), Verdict::Reject(_)) => true,
        (Verdict::Unavailable, Verdict::Unavailable) => true,
        _ => false,
    }
}

/// Whether the final word on a file leaves a challenged verdict as it was, or bears out what one member said: the
/// same decision, the same measurements, and a score that is not far off; of a refusal, no tombstone that the
/// word does not leave.
pub fn confirms(word: &Verdict, verdict: &Verdict, rules: &Rules) -> bool {
    match (word, verdict) {
        (
            Verdict::Accept { score, units, text_root, .. },
            Verdict::Accept { score: given, units: measured, text_root: root, .. },
        ) => {
            units == measured
                && text_root == root
                && score.get().abs_diff(given.get()) <= rules.score_tolerance
        }
        (Verdict::Reject(word), Verdict::Reject(given)) => {
            word.leaves_tombstone() || !given.leaves_tombstone()
        }
        _ => false,
    }
}

/// What a committee of as many members as `votes` has entries says of a file. An entry is `None` where
/// the member did not reveal, or said what cannot be.
///
/// More than half of *all* members decide, so that nobody gains by keeping others from revealing.
pub fn finding(votes: &[Option<Opinion>], revealed: usize) -> Finding {
    let quorum = Rules::quorum(votes.len());
    if revealed < quorum {
        return Finding::NoQuorum;
    }
    let same = |first: &Opinion| {
        // Who has it and cannot judge it leaves it to others as who cannot fetch it does.
        let nothing = matches!(first.verdict, Verdict::Unavailable);
        votes
            .iter()
            .flatten()
            .filter(|vote| {
                (nothing || vote.possession == first.possession)
                    && says_the_same(&first.verdict, &vote.verdict)
            })
            .copied()
            .collect::<Vec<_>>()
    };
    let agreed = votes.iter().flatten().map(same).find(|agreed| agreed.len() >= quorum);
    agreed.and_then(|agreed| together(&agreed)).unwrap_or(Finding::Split)
}

/// What the larger committee of a challenge says, by the same rule and two more: it is asked once, so that who serves a
/// file, or an earlier one, to as many as leave no side a majority would have stand what is challenged.
///
/// - Where more than half of all members refuse it or cannot fetch it, it is unavailable. That is said of acceptances.
/// - Where more than half show the same proof, and accept it or cannot judge it, it is undecided. That is said of refusals
///   for a copy, which nobody can tell who is shown no earlier file.
///
/// Both cannot be at once. Who has a file and cannot judge it speaks against no acceptance of it.
pub fn last_finding(votes: &[Option<Opinion>], revealed: usize) -> Finding {
    let found = finding(votes, revealed);
    if !matches!(found, Finding::Split | Finding::Unavailable) {
        return found;
    }
    let quorum = Rules::quorum(votes.len());
    let accepts = |vote: &Opinion| matches!(vote.verdict, Verdict::Accept { .. });
    let without = |vote: &&Opinion| !accepts(vote) && !vote.is_undecided();
    if votes.iter().flatten().filter(without).count() >= quorum {
        return Finding::Unavailable;
    }
    match most_show_it(votes, |vote| accepts(vote) || vote.is_undecided()) {
        true => Finding::Undecided,
        false => Finding::Split,
    }
}

/// Whether more than half of all members show that they have the file, by the same proof, and cannot judge it.
pub fn lack_an_earlier_one(votes: &[Option<Opinion>]) -> bool {
    most_show_it(votes, Opinion::is_undecided)
}

/// Whether more than half of all members say one of these with the same proof.
fn most_show_it(votes: &[Option<Opinion>], says: impl Fn(&Opinion) -> bool) -> bool {
    let saying = || votes.iter().flatten().filter(|vote| says(vote));
    let alike =
        |first: &Opinion| saying().filter(|vote| vote.possession == first.possession).count();
    saying().any(|first| alike(first) >= Rules::quorum(votes.len()))
}

/// What those who agree say together.
fn together(agreed: &[Opinion]) -> Option<Finding> {
    let first = agreed.first()?;
    let verdict = match first.verdict {
        Verdict::Unavailable => return Some(Finding::Unavailable),
        Verdict::Accept { text_root, extractor, .. } => {
            let measured = |vote: &Opinion| match vote.verdict {
                Verdict::Accept { score, units, .. } => Some((score, units)),
                _ => None,
            };
            let (scores, units): (Vec<Score>, Vec<u64>) =
                agreed.iter().filter_map(measured).unzip();
            Verdict::Accept { score: median(scores)?, units: median(units)?, text_root, extractor }
        }
        Verdict::Reject(_) => {
            let reason = |vote: &Opinion| match vote.verdict {
                Verdict::Reject(reason) => Some(reason),
                _ => None,
            };
            Verdict::Reject(reason_of(&agreed.iter().filter_map(reason).collect::<Vec<_>>())?)
        }
    };
    Some(Finding::Verdict { verdict, possession: first.possession })
}

/// The most frequent of the reasons for which members refuse; of equals the mildest. One that leaves a tombstone
/// takes more than half of them, unless all leave one: nobody's word alone keeps a file away for half a year.
fn reason_of(reasons: &[RejectionReason]) -> Option<RejectionReason> {
    let count = |reason| reasons.iter().filter(|other| **other == reason).count();
    let counts = |reason: &RejectionReason| {
        !reason.leaves_tombstone() || count(*reason).saturating_mul(2) > reasons.len()
    };
    let most = |reason: &RejectionReason| (count(*reason), Reverse(reason.severity()));
    let counted = reasons.iter().copied().filter(counts).max_by_key(most);
    counted.or_else(|| reasons.iter().copied().max_by_key(most))
}

/// The lower median.
fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// How a member's word on a file stands to what its own committee found. `possible` is
/// [`Opinion::is_possible`]. Where the committee found no verdict, nobody's word is right or wrong.
pub fn stand(vote: Option<&Opinion>, possible: bool, found: &Finding) -> Stand {
    let Some(vote) = vote else { return Stand::Absent };
    let Finding::Verdict { verdict, possession } = found else { return Stand::Unavailable };
    if !possible {
        Stand::Void
    } else if matches!(vote.verdict, Verdict::Unavailable) {
        Stand::Unavailable
    } else if vote.possession != *possession {
        Stand::Void
    } else if says_the_same(&vote.verdict, verdict) {
        Stand::Agreed
    } else {
        Stand::Dissented
    }
}
