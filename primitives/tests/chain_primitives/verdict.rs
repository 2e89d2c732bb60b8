//! Scores, verdicts and who decides.

use codec::{Decode, DecodeAll, Encode};
use openledger_primitives::{
    verdict::{ClaimError, PolicyError},
    Ending, Modality, RejectionReason, ReviewPolicy, Score, Verdict,
};
use proptest::prelude::*;
use sp_core::H256;

#[test]
fn a_score_is_1_to_100_however_it_is_made() {
    for value in 0..=u8::MAX {
        let valid = (1..=100).contains(&value);
        assert_eq!(Score::new(value).map(Score::get), valid.then_some(value));
        assert_eq!(Score::decode(&mut &[value][..]).ok().map(Score::get), valid.then_some(value));
    }
    assert_eq!(Score::MAX.get(), 100);
    assert!(Score::decode(&mut &[][..]).is_err());
}

#[test]
fn a_verdict_with_a_score_out_of_bounds_cannot_be_decoded() {
    let score = Score::new(80).expect("within bounds");
    let text_root = H256::repeat_byte(1);
    let verdict = Verdict::Accept { score, units: 5, text_root, extractor: 0x0203 };
    let mut bytes = verdict.encode();
    assert_eq!(bytes[..2], [2, 80]);
    assert_eq!(bytes[42..], [3, 2], "the extractor stands last, 16 bits, little-endian");
    assert_eq!(verdict.extractor(), Some(0x0203));
    assert_eq!(Verdict::decode_all(&mut &bytes[..]), Ok(verdict));
    for wrong in [0, 101, 255] {
        bytes[1] = wrong;
        assert!(Verdict::decode_all(&mut &bytes[..]).is_err());
    }
}

#[test]
fn reasons_keep_the_index_and_name_that_were_given_out() {
    let table = [
        (RejectionReason::WrongFormat, "wrong-format"),
        (RejectionReason::OffTopic, "off-topic"),
        (RejectionReason::LowQuality, "low-quality"),
        (RejectionReason::Duplicate, "duplicate"),
        (RejectionReason::TooSmall, "too-small"),
        (RejectionReason::Harmful, "harmful"),
        (RejectionReason::Licence, "licence"),
    ];
    // New ones come after these.
    assert_eq!(RejectionReason::ALL[..table.len()], table.map(|row| row.0));
    for (n, (reason, name)) in table.into_iter().enumerate() {
        assert_eq!(reason.name(), name);
        assert_eq!(reason.encode(), [n as u8]);
        assert_eq!(Verdict::Reject(reason).encode(), [1, n as u8]);
    }
}

#[test]
fn what_cannot_be_fetched_claims_nothing_and_is_kept_no_longer_than_a_day() {
    assert_eq!(Verdict::Unavailable.encode(), [3]);
    assert_eq!(Verdict::Unavailable.extractor(), None);
    assert_eq!(Ending::Unavailable.days_kept(), 1);
    assert_eq!(Ending::Expired.days_kept(), 1);
    for reason in RejectionReason::ALL {
        let ending = Ending::Rejected(reason);
        assert_eq!((ending.name(), ending.help()), (reason.name(), reason.help()));
        let harmful = matches!(reason, RejectionReason::Harmful | RejectionReason::Licence);
        assert_eq!(ending.leaves_tombstone(), harmful);
        assert_eq!(ending.days_kept(), if harmful { 180 } else { 30 });
    }
}

#[test]
fn a_verdict_claims_only_what_a_file_can_be() {
    let claim = |units, root| Verdict::Accept {
        score: Score::MAX,
        units,
        text_root: H256::repeat_byte(root),
        extractor: 2,
    };
    for (modality, most) in
        [(Modality::Text, 12_582_912), (Modality::Image, 40_000_000), (Modality::Audio, 1_800_000)]
    {
        assert_eq!(modality.max_units(), most);
        let (right, wrong, named) = match modality.has_text_root() {
            true => (9, 0, ClaimError::NoTextRoot),
            false => (0, 9, ClaimError::UnexpectedTextRoot),
        };
        for media in modality.formats() {
            let say = |claim: Verdict| claim.validate(media, u32::MAX);
            assert_eq!(say(claim(most, right)), Ok(()));
            assert_eq!(say(claim(0, right)), Ok(()), "the Datanet has the least");
            assert_eq!(say(claim(most, wrong)), Err(named));
            assert_eq!(say(claim(most + 1, right)), Err(ClaimError::TooManyUnits));
            assert_eq!(say(claim(u64::MAX, wrong)), Err(ClaimError::TooManyUnits));
            assert_eq!(say(Verdict::Reject(RejectionReason::Harmful)), Ok(()));
        }
    }
    let with_root: Vec<_> = Modality::ALL.into_iter().filter(|m| m.has_text_root()).collect();
    assert_eq!(with_root, [Modality::Text]);
}

fn policy(members: &[u32], threshold: u8) -> ReviewPolicy<u32> {
    let members = members.to_vec().try_into().expect("at most 16");
    ReviewPolicy::Curators { members, threshold }
}

#[test]
fn a_policy_under_which_nothing_can_be_decided_is_refused() {
    assert_eq!(policy(&[], 0).validate(), Err(PolicyError::NoMembers));
    assert_eq!(policy(&[], 1).validate(), Err(PolicyError::NoMembers));
    assert_eq!(policy(&[1, 2, 1], 2).validate(), Err(PolicyError::RepeatedMember));
    assert_eq!(policy(&[1, 2], 0).validate(), Err(PolicyError::Threshold));
    assert_eq!(policy(&[1, 2], 3).validate(), Err(PolicyError::Threshold));
    assert_eq!(policy(&[1, 2], 2).validate(), Ok(()));
    assert_eq!(policy(&[1], 1).validate(), Ok(()));
}

#[test]
fn more_than_16_curators_cannot_be_decoded() {
    let bytes = |members: u32| (0u8, (0..members).collect::<Vec<_>>(), 1u8).encode();
    assert!(ReviewPolicy::<u32>::decode_all(&mut &bytes(16)[..]).is_ok());
    assert!(ReviewPolicy::<u32>::decode_all(&mut &bytes(17)[..]).is_err());
}

proptest! {
    #[test]
    fn exactly_the_workable_policies_are_valid(
        members in prop::collection::vec(0u32..20, 0..=16),
        threshold in 0u8..20,
    ) {
        let distinct: std::collections::BTreeSet<_> = members.iter().collect();
        let workable = !members.is_empty()
            && distinct.len() == members.len()
            && threshold >= 1
            && usize::from(threshold) <= members.len();
        prop_assert_eq!(policy(&members, threshold).validate().is_ok(), workable);
    }
}
