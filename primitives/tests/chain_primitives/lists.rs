//! Closed lists: every entry has one code, one name and one help wherever it is met.

use codec::{DecodeAll, Encode};
use openledger_primitives::{
    committee::Outcome,
    job::{
        dispute::{self, Finding},
        DeclineReason, JobFailure, JobState,
    },
    training::{Schedule, SpecField},
    BarReason, ClosedList, MediaType, Method, Modality, ModelFamily, RefusalRule, RejectionReason,
};
use serde::{de::DeserializeOwned, Serialize};
use std::{collections::BTreeSet, path::Path};

fn check<L>()
where
    L: ClosedList + Encode + DecodeAll + Serialize + DeserializeOwned,
{
    let codes: BTreeSet<u8> = L::ALL.iter().map(|entry| entry.code()).collect();
    let names: BTreeSet<&str> = L::ALL.iter().map(|entry| entry.name()).collect();
    assert_eq!((codes.len(), names.len()), (L::ALL.len(), L::ALL.len()), "no two are the same");
    assert!(L::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()), "in order");
    for entry in L::ALL {
        assert_eq!(entry.encode(), [entry.code()]);
        assert_eq!(L::decode_all(&mut &[entry.code()][..]).as_ref(), Ok(entry));
        assert_eq!(L::of_code(entry.code()), Some(*entry));
        assert_eq!(L::of_name(entry.name()).as_ref(), Ok(entry));
        let json = serde_json::to_value(entry).expect("a name");
        assert_eq!(json, entry.name());
        assert_eq!(serde_json::from_value::<L>(json).ok(), Some(*entry));
        assert!(!entry.help().is_empty() && !entry.help().ends_with('.'), "{entry:?}");
    }
    for code in (0..=u8::MAX).filter(|code| !codes.contains(code)) {
        assert_eq!(L::of_code(code), None);
        assert!(L::decode_all(&mut &[code][..]).is_err());
    }
    let unknown = L::of_name("nonsense").expect_err("it is no name").to_string();
    assert!(unknown.starts_with(&format!("\"nonsense\" is not {}: it takes one of ", L::NOUN)));
    assert!(names.iter().all(|name| unknown.contains(name)), "{unknown}");
}

#[test]
fn every_entry_has_one_code_and_one_name_everywhere() {
    check::<RejectionReason>();
    check::<RefusalRule>();
    check::<BarReason>();
    check::<MediaType>();
    check::<Modality>();
    check::<JobFailure>();
    check::<Outcome>();
    check::<DeclineReason>();
    check::<Finding>();
    check::<dispute::Outcome>();
    check::<ModelFamily>();
    check::<Method>();
    check::<Schedule>();
    check::<SpecField>();
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(path).expect("the page is there")
}

/// Fails with the line that the page lacks.
#[track_caller]
fn has(page: &str, words: &str) {
    assert!(page.contains(words), "the page lacks: {words}");
}

#[test]
fn the_tables_in_the_pages_are_those_of_the_code() {
    let committees = page("committees.md");
    for outcome in Outcome::ALL {
        has(&committees, &format!("| {} | {outcome} | {} |", outcome.code(), outcome.help()));
    }
    let submissions = page("submissions.md");
    for reason in RejectionReason::ALL {
        has(&submissions, &format!("| {} | {reason} | {} |", reason.code(), reason.help()));
    }
    for reason in BarReason::ALL {
        has(&submissions, &format!("| {} | {reason} | {} |", reason.code(), reason.help()));
    }
    for rule in RefusalRule::ALL {
        has(&submissions, &format!("| {} | `{rule}`", rule.code()));
    }
    let row = submissions.lines().find(|line| line.starts_with("| `media` |")).expect("a row");
    for media in MediaType::ALL {
        has(row, media.name());
    }
    let rpc = page("json-rpc.md");
    let jobs = page("jobs.md");
    for reason in DeclineReason::ALL {
        has(&jobs, &format!("| `{reason}` | {} |", reason.help()));
    }
    for finding in Finding::ALL {
        has(&jobs, &format!("| `{finding}` | {} |", finding.help()));
    }
    for outcome in dispute::Outcome::ALL {
        has(&rpc, &format!("`{outcome}` ({})", outcome.help()));
    }
    for failure in JobFailure::ALL {
        has(&rpc, &format!("{failure} ({})", failure.help()));
    }
    let row = rpc.lines().find(|line| line.contains("`state` is")).expect("the states");
    for state in [
        JobState::<u8>::Queued.name(),
        JobState::<u8>::Failed(JobFailure::Deadline).name(),
        JobState::<u8>::Cancelled.name(),
        "assigned",
        "training",
        "submitted",
        "disputed",
        "completed",
    ] {
        has(row, state);
    }
    // And no row too many.
    let reasons = submissions.split("## Reasons of a rejection").nth(1).expect("the section");
    let rows = reasons.lines().take_while(|line| !line.starts_with("## "));
    let rows = rows.filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    assert_eq!(rows.count(), RejectionReason::ALL.len());
}

#[test]
fn the_columns_that_extending_names_are_there() {
    let extending = page("extending.md");
    for list in ["RejectionReason", "RefusalRule", "MediaType", "Modality", "JobFailure"] {
        has(&extending, &format!("`{list}`"));
    }
    // Every file that it names exists.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for path in extending.split('`').skip(1).step_by(2) {
        let known = ["primitives/", "pallets/datanets", "runtime/", "client/", "node/", "docs/"];
        if known.iter().any(|folder| path.starts_with(folder)) && path.contains('.') {
            assert!(root.join(path).exists(), "{path} is named and not there");
        }
    }
}
