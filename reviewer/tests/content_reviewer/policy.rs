use openledger_primitives::{committee::Purpose, MediaType, RejectionReason, Score};
use openledger_reviewer::{
    policy::what_accepting_risks, Decision, Error, Facts, Lacking, Nearest, Policies, Policy, Same,
    Word,
};

fn facts() -> Facts {
    Facts { media: MediaType::Txt, units: Some(500), min_units: 100, nearest: None, lacks: None }
}

fn near(alike: f64) -> Option<Nearest> {
    Some(Nearest { submission: 3, sha256: [1; 32], alike, same: Same::Likeness })
}

fn score(score: u8) -> Score {
    Score::new(score).unwrap()
}

fn say(word: Word) -> Decision {
    Decision::Say(word)
}

fn policy(json: &str) -> Policy {
    Policies::parse(&format!("{{\"datanets\":{{\"7\":{json}}}}}")).unwrap().of(7).clone()
}

#[test]
fn what_the_chain_would_refuse_is_refused_under_every_policy() {
    for policy in [Policy::automatic(None), Policy::automatic(Some(score(60)))] {
        let unreadable = Facts { units: None, ..facts() };
        let small = Facts { units: Some(99), ..facts() };
        let copied = Facts { nearest: near(0.8), ..facts() };
        let refused = |facts, reason| {
            assert_eq!(policy.decide(&facts), say(Word::Reject(reason)));
        };
        refused(unreadable, RejectionReason::WrongFormat);
        refused(small, RejectionReason::TooSmall);
        refused(copied, RejectionReason::Duplicate);
    }
}

#[test]
fn a_score_accepts_and_without_one_a_person_is_asked() {
    let accepting = Policy::automatic(Some(score(60)));
    let almost = Facts { nearest: near(0.79), ..facts() };
    assert_eq!(accepting.decide(&facts()), say(Word::Accept(score(60))));
    assert_eq!(accepting.decide(&almost), say(Word::Accept(score(60))));
    assert!(matches!(Policy::automatic(None).decide(&facts()), Decision::Ask(_)));
}

#[test]
fn the_bounds_decide_whether_a_person_is_asked_or_the_file_refused() {
    let bounded = r#""score":80,"formats":["md","txt"],"minUnits":200,"maxUnits":1000"#;
    let asking = policy(&format!("{{{bounded}}}"));
    let refusing = policy(&format!("{{{bounded},\"beyond\":\"low-quality\"}}"));
    assert_eq!(asking.decide(&facts()), say(Word::Accept(score(80))));
    let outside = [
        Facts { media: MediaType::Pdf, ..facts() },
        Facts { units: Some(199), ..facts() },
        Facts { units: Some(1_001), ..facts() },
    ];
    for facts in outside {
        assert!(matches!(asking.decide(&facts), Decision::Ask(_)), "{facts:?}");
        let refused = say(Word::Reject(RejectionReason::LowQuality));
        assert_eq!(refusing.decide(&facts), refused, "{facts:?}");
    }
}

#[test]
fn likeness_has_a_threshold_for_refusing_and_one_for_asking() {
    let policy = policy(r#"{"score":80,"duplicate":{"text":0.9},"doubt":{"text":0.5}}"#);
    let decide = |alike| policy.decide(&Facts { nearest: near(alike), ..facts() });
    assert_eq!(decide(0.9), say(Word::Reject(RejectionReason::Duplicate)));
    let asked = Decision::Ask("it is like submission 3 by 89 %".to_owned());
    assert_eq!(decide(0.89), asked);
    assert_eq!(decide(0.49), say(Word::Accept(score(80))));
    // Of images nothing is said: the usual threshold, and no doubt.
    let image =
        |alike| policy.decide(&Facts { media: MediaType::Png, nearest: near(alike), ..facts() });
    assert_eq!(image(0.9), say(Word::Reject(RejectionReason::Duplicate)));
    assert_eq!(image(0.89), say(Word::Accept(score(80))));
}

/// What is refused or left to a person is so whatever is missing; only accepting waits for it.
#[test]
fn a_copy_of_what_has_not_come_is_not_accepted() {
    let accepting = Policy::automatic(Some(score(60)));
    let first = Lacking::File(12);
    let lacking = |facts: Facts| Facts { lacks: Some(first), ..facts };
    assert_eq!(accepting.decide(&lacking(facts())), Decision::Hold(first));
    let almost = Facts { nearest: near(0.79), ..facts() };
    assert_eq!(accepting.decide(&lacking(almost)), Decision::Hold(first));
    let copied = Facts { nearest: near(0.8), ..facts() };
    let duplicate = say(Word::Reject(RejectionReason::Duplicate));
    assert_eq!(accepting.decide(&lacking(copied)), duplicate);
    let small = Facts { units: Some(99), ..facts() };
    let too_small = say(Word::Reject(RejectionReason::TooSmall));
    assert_eq!(accepting.decide(&lacking(small)), too_small);
    let Decision::Ask(why) = Policy::automatic(None).decide(&lacking(facts())) else {
        panic!("a person is asked")
    };
    assert!(why.contains("submission 12, which has not come"), "{why}");
    let waits = Facts { lacks: Some(Lacking::Committee(12)), ..facts() };
    assert_eq!(accepting.decide(&waits), Decision::Hold(Lacking::Committee(12)));
    let Decision::Ask(why) = Policy::automatic(None).decide(&waits) else {
        panic!("a person is asked")
    };
    assert!(why.contains("submission 12 came before it and has no committee yet"), "{why}");
}

#[test]
fn a_file_of_policies_that_is_none_names_the_field_and_its_limit() {
    for (text, words) in [
        (r#"{"default":{"score":0}}"#, "0 is no score: it takes 1 to 100"),
        (r#"{"default":{"score":60,"minimum":3}}"#, "unknown field `minimum`"),
        (r#"{"datanets":{"x":{}}}"#, "x"),
        (r#"{"default":{"formats":["exe"]}}"#, "exe"),
        (r#"{"default":{"beyond":"never"}}"#, "never"),
        (r#"{"default":{"duplicate":{"text":1.5}}}"#, "1.5 is no likeness"),
        (r#"{"default":{"duplicate":{"text":0}}}"#, "0 is no likeness"),
    ] {
        let error = Policies::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.json");
    assert!(matches!(Policies::read(&path), Err(Error::Io { .. })));
    std::fs::write(&path, "[").unwrap();
    let error = Policies::read(&path).unwrap_err().to_string();
    assert!(error.contains("policy.json is no file of policies"), "{error}");
}

#[test]
fn the_example_of_the_documentation_is_one() {
    let page = include_str!("../../../docs/committees.md");
    let (_, rest) = page.split_once("```json\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let policies = Policies::parse(example).unwrap();
    assert_eq!(policies.of(0).score, Some(score(60)));
    assert_eq!(policies.of(8), &Policy::automatic(None));
}

#[test]
fn words_survive_being_stored() {
    for word in [Word::Accept(score(1)), Word::Reject(RejectionReason::OffTopic), Word::Unavailable]
    {
        assert_eq!(Word::of_text(&word.to_text()), Some(word));
    }
    for text in ["accept:0", "accept:101", "reject:never", "accept", ""] {
        assert_eq!(Word::of_text(text), None, "{text}");
    }
}

/// A person who judges by hand is told what to say where an earlier file lacks, and what accepting risks.
#[test]
fn accepting_without_an_earlier_file_is_a_risk_but_for_the_last_after_others_that_lacked_it() {
    let first = Purpose::Review { asked: 0 };
    let late = Purpose::Review { asked: 2 };
    let second = Purpose::Uncompared { asked: 1 };
    let numbers = ["committee 1 of 3", "committee 3 of 3", "committee 2 of 3"];
    for (purpose, number) in [first, late, second].iter().zip(numbers) {
        let risk = what_accepting_risks(purpose).unwrap();
        let said = [number, "--unavailable", "loses a part of a seat"];
        assert!(said.iter().all(|said| risk.contains(said)), "{risk}");
    }
    let last = Purpose::Uncompared { asked: 2 };
    assert_eq!(what_accepting_risks(&last), None, "the last judges it without");
    let larger = what_accepting_risks(&Purpose::Challenge { draw: 1, file: 0 }).unwrap();
    assert!(larger.contains("--unavailable"), "{larger}");
}
