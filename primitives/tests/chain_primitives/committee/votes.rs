//! Seals, proofs of possession, and what votes say together.

use super::*;
use openledger_primitives::{
    committee::{vote, vote::finding},
    json::hex,
};
use proptest::prelude::*;

#[test]
fn seals_and_proofs_are_what_the_page_says() {
    use sp_crypto_hashing::sha2_256;
    let words = opinions(DRAW, Reject, 1);
    let mut bytes = b"openledger/review".to_vec();
    bytes.extend(7u64.to_le_bytes());
    bytes.extend([7; 32]);
    bytes.extend([1; 32]);
    bytes.extend([4, 1, 2]);
    bytes.extend(possession(&seed_of(DRAW), BYTES).0);
    bytes.extend([9; 32]);
    let sealed = commitment(DRAW, &seed_of(DRAW), &[1u8; 32], &words, &[9; 32]);
    assert_eq!(sealed.0, sha2_256(&bytes));
    let mut bytes = [7; 32].to_vec();
    bytes.extend(BYTES);
    assert_eq!(possession(&[7; 32], BYTES).0, sha2_256(&bytes));
}

/// The vector that clients of other languages compare with (web/src/review/sealed.test.ts).
#[test]
fn a_vote_of_every_kind_seals_to_the_vector() {
    let proof = possession(&[2; 32], b"a file");
    assert_eq!(hex(proof.0), "1e6af897149e725b3edb832429508c7f18688511ac46adcc2c08df05ed730e8b");
    let accept = Verdict::Accept {
        score: Score::new(80).unwrap(),
        units: 1_481,
        text_root: [4; 32].into(),
        extractor: 2,
    };
    let words = [accept, Verdict::Reject(RejectionReason::Duplicate)]
        .map(|verdict| Opinion { verdict, possession: proof });
    let all = [words[0], words[1], Opinion::UNAVAILABLE].to_vec().try_into().unwrap();
    assert_eq!(
        hex(commitment(7, &[2; 32], &[1u8; 32], &all, &[9; 32]).0),
        "0e24348cf9f1fce1178012087e2c142ce169deb16d359d4482eac7a655a1dcdc"
    );
    // That the file is here and cannot be compared.
    let here = vec![Opinion::undecided(proof)].try_into().unwrap();
    assert_eq!(
        hex(commitment(7, &[2; 32], &[1u8; 32], &here, &[9; 32]).0),
        "00cdf93057a9a429ae5e312bfb323cd1163ef6fcc66ff2fd7e66c588ebeafc93"
    );
}

#[test]
fn a_proof_of_one_draw_or_file_is_none_of_another() {
    let proof = possession(&seed_of(1), BYTES);
    assert_ne!(proof, possession(&seed_of(2), BYTES));
    assert_ne!(proof, possession(&seed_of(1), b"other bytes"));
}

fn found(says: &[Says]) -> Finding {
    let votes: Vec<_> = says
        .iter()
        .map(|says| (!matches!(says, Nothing | Waits)).then(|| opinion(DRAW, *says)))
        .collect();
    finding(&votes, votes.iter().flatten().count())
}

fn verdict(says: &[Says]) -> Verdict {
    match found(says) {
        Finding::Verdict { verdict, .. } => verdict,
        other => panic!("{other:?}"),
    }
}

#[test]
fn score_and_units_are_the_lower_medians_of_those_who_accept() {
    let says = [Accept(90, 480), Accept(10, 500), Reject, Accept(50, 490), Accept(60, 9)];
    assert_eq!(verdict(&says), accept(50, 480));
}

#[test]
fn more_than_half_of_all_members_decide_whoever_reveals() {
    assert_eq!(found(&[Reject, Reject, Nothing, Nothing, Nothing]), Finding::NoQuorum);
    assert_eq!(found(&[Reject, Reject, Unavailable, Nothing, Nothing]), Finding::Split);
    assert_eq!(
        found(&[Unavailable, Unavailable, Unavailable, Reject, Reject]),
        Finding::Unavailable
    );
    assert!(matches!(verdict(&[Reject, Reject, Reject, Nothing, Nothing]), Verdict::Reject(_)));
}

#[test]
fn who_does_not_have_the_file_is_no_part_of_a_majority() {
    let good = Accept(70, 500);
    assert_eq!(found(&[good, good, Guess, Unavailable, Nothing]), Finding::Split);
    assert_eq!(verdict(&[good, good, Guess, good, Guess]), accept(70, 500));
}

/// How five members stand where four accept and the last says something else of its own.
fn stands(says: [Says; 5], change: impl Fn(&mut Opinion)) -> Vec<Stand> {
    let mut life = review(1);
    begin(DRAW, &mut life, FIRST, 100);
    let mut votes: Vec<Option<Opinions>> = Vec::new();
    for (place, says) in says.into_iter().enumerate() {
        let mut word = opinion(DRAW, says);
        if place == 4 {
            change(&mut word);
        }
        let words: Opinions = vec![word].try_into().unwrap();
        let who = FIRST + place as u64;
        if says != Nothing {
            let sealed = commitment(DRAW, &seed_of(DRAW), &who, &words, &[4; 32]);
            life.commit(&who, 100, sealed, &LENGTHS).unwrap();
        }
        votes.push((says != Nothing).then_some(words));
    }
    let mut now = 100;
    if says.contains(&Nothing) {
        now = 100 + LENGTHS.commit + 1;
        life.open_reveals(now, &LENGTHS).unwrap();
    }
    for (place, words) in votes.iter().enumerate() {
        if let Some(words) = words {
            life.reveal(DRAW, &(FIRST + place as u64), now, words, &[4; 32]).unwrap();
        }
    }
    life.decide(now + LENGTHS.reveal + 1, &votes, &RULES, &LENGTHS).unwrap();
    life.files[0].stands.to_vec()
}

#[test]
fn members_stand_to_the_verdict_by_what_they_showed() {
    let good = Accept(70, 500);
    let agreed = Stand::Agreed;
    let of = |fourth, fifth| stands([good, good, good, fourth, fifth], |_| {});
    assert_eq!(of(Reject, Guess), [agreed, agreed, agreed, Stand::Dissented, Stand::Void]);
    assert_eq!(
        of(Unavailable, Nothing),
        [agreed, agreed, agreed, Stand::Unavailable, Stand::Absent]
    );
}

#[test]
fn what_cannot_be_is_void() {
    let good = Accept(70, 500);
    let void = |change: fn(&mut Opinion)| stands([good; 5], change)[4];
    assert_eq!(void(|_| {}), Stand::Agreed);
    assert_eq!(
        void(|word| word.verdict = accept(70, 3_001)),
        Stand::Void,
        "more than its bytes hold"
    );
    assert_eq!(
        void(|word| word.verdict = accept(70, 9)),
        Stand::Void,
        "fewer than the Datanet takes"
    );
    assert_eq!(void(|word| word.possession = H256::zero()), Stand::Void);
    let undecided = void(|word| word.verdict = Verdict::Unavailable);
    assert_eq!(undecided, Stand::Unavailable, "it has the file, and may lack an earlier one");
    assert_eq!(
        void(|word| if let Verdict::Accept { extractor, .. } = &mut word.verdict {
            *extractor += 1;
        }),
        Stand::Void,
        "measured by other rules than its committee"
    );
    assert_eq!(
        void(|word| if let Verdict::Accept { text_root, .. } = &mut word.verdict {
            *text_root = H256::zero();
        }),
        Stand::Void
    );
}

fn any_says() -> impl Strategy<Value = Says> {
    prop_oneof![
        (1u8..=100, 10u64..600).prop_map(|(score, units)| Accept(score, units)),
        Just(Reject),
        Just(Unavailable),
        Just(Lacks),
        Just(Guess),
        Just(Nothing),
    ]
}

proptest! {
    #[test]
    fn the_order_of_members_changes_no_decision(
        says in prop::collection::vec(any_says(), 1..16),
        turn in 0usize..16,
    ) {
        let mut turned = says.clone();
        turned.rotate_left(turn % says.len());
        prop_assert_eq!(found(&says), found(&turned));
    }

    #[test]
    fn a_minority_never_decides(
        says in prop::collection::vec(any_says(), 3..16),
    ) {
        let accepting = says.iter().filter(|says| matches!(says, Accept(..))).count();
        if let Finding::Verdict { verdict: Verdict::Accept { units, score, .. }, .. } = found(&says) {
            let guessing = says.iter().filter(|says| matches!(says, Guess)).count();
            let most = accepting.max(guessing);
            prop_assert!(most > says.len() / 2);
            let said = |says: &Says| matches!(says, Accept(s, _) if *s == score.get());
            let measured = |says: &Says| matches!(says, Accept(_, u) if *u == units);
            prop_assert!(guessing > accepting || (says.iter().any(said) && says.iter().any(measured)));
        }
    }
}

#[test]
fn a_refusal_s_reason_is_the_mildest_of_the_most_frequent_and_no_tombstone_by_one_word() {
    use RejectionReason::{Harmful, Licence, LowQuality, OffTopic, TooSmall};
    let reason = |reasons: &[RejectionReason]| {
        let vote = |reason: &RejectionReason| Opinion {
            verdict: Verdict::Reject(*reason),
            possession: possession(&seed_of(DRAW), BYTES),
        };
        let votes: Vec<_> = reasons.iter().map(|reason| Some(vote(reason))).collect();
        match vote::finding(&votes, votes.len()) {
            Finding::Verdict { verdict: Verdict::Reject(reason), .. } => reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason(&[Harmful, OffTopic, LowQuality]), LowQuality);
    assert_eq!(reason(&[LowQuality, Harmful, OffTopic]), LowQuality, "in whatever order");
    assert_eq!(reason(&[Harmful, Harmful, OffTopic]), Harmful);
    assert_eq!(
        reason(&[Harmful, Harmful, OffTopic, LowQuality]),
        LowQuality,
        "half is no majority"
    );
    assert_eq!(reason(&[Harmful, Harmful, OffTopic, LowQuality, TooSmall]), TooSmall);
    assert_eq!(reason(&[Harmful, Licence, OffTopic]), OffTopic);
    assert_eq!(reason(&[OffTopic, OffTopic, TooSmall]), OffTopic);
    assert_eq!(reason(&[Harmful, Licence, Harmful, Licence]), Licence, "all leave a tombstone");
    let mut severities: Vec<_> = RejectionReason::ALL.iter().map(|one| one.severity()).collect();
    severities.sort_unstable();
    severities.dedup();
    assert_eq!(severities.len(), RejectionReason::ALL.len(), "no two are equal");
}
