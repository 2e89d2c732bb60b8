//! From votes to a verdict: a pure function.

use alloc::vec::Vec;
use openledger_primitives::{RejectionReason, Score, Verdict};

/// Whether two votes agree: both reject, or both accept with the same measurements.
fn agree(one: &Verdict, other: &Verdict) -> bool {
    match (one, other) {
        (
            Verdict::Accept { units, text_root, extractor, .. },
            Verdict::Accept {
                units: other_units,
                text_root: other_root,
                extractor: other_extractor,
                ..
            },
        ) => units == other_units && text_root == other_root && extractor == other_extractor,
        (Verdict::Reject(_), Verdict::Reject(_)) => true,
        (Verdict::Unavailable, Verdict::Unavailable) => true,
        _ => false,
    }
}

/// The verdict on which at least `threshold` of `votes` agree, and who they are. Should several be
/// reached at once, which only a lowered threshold can bring about, the one whose first vote is
/// earliest.
pub(crate) fn verdict<A: Clone>(
    votes: &[(A, Verdict)],
    threshold: u8,
) -> Option<(Verdict, Vec<A>)> {
    votes.iter().find_map(|(_, first)| {
        let agreeing: Vec<_> = votes.iter().filter(|(_, vote)| agree(first, vote)).collect();
        if agreeing.len() < usize::from(threshold).max(1) {
            return None;
        }
        let verdict = match *first {
            Verdict::Accept { units, text_root, extractor, .. } => {
                let score = median(agreeing.iter().filter_map(|(_, vote)| match vote {
                    Verdict::Accept { score, .. } => Some(*score),
                    _ => None,
                }))?;
                Verdict::Accept { score, units, text_root, extractor }
            }
            Verdict::Reject(_) => {
                let reasons: Vec<_> = agreeing
                    .iter()
                    .filter_map(|(_, vote)| match vote {
                        Verdict::Reject(reason) => Some(*reason),
                        _ => None,
                    })
                    .collect();
                Verdict::Reject(most_frequent(&reasons)?)
            }
            Verdict::Unavailable => Verdict::Unavailable,
        };
        Some((verdict, agreeing.into_iter().map(|(who, _)| who.clone()).collect()))
    })
}

/// The lower median.
fn median(scores: impl Iterator<Item = Score>) -> Option<Score> {
    let mut scores: Vec<_> = scores.collect();
    scores.sort_unstable();
    let middle = scores.len().saturating_sub(1).checked_div(2)?;
    scores.get(middle).copied()
}

/// The most frequent reason; of equally frequent ones the first.
fn most_frequent(reasons: &[RejectionReason]) -> Option<RejectionReason> {
    let count = |reason: &RejectionReason| reasons.iter().filter(|other| *other == reason).count();
    // `max_by_key` returns the last of equals, so the order is turned round.
    reasons.iter().rev().max_by_key(|reason| count(reason)).copied()
}
