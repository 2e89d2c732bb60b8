use openledger_documents::Measured;
use openledger_primitives::MediaType;
use openledger_reviewer::{Acceptance, Fault, Nearest, Policies, Policy, Same};

const ROOT: [u8; 32] = [4; 32];

/// A text that its committee measured rightly.
fn right() -> Acceptance {
    Acceptance {
        media: MediaType::Txt,
        units: 500,
        text_root: ROOT,
        min_units: 100,
        measured: Some(Measured { units: 500, text_root: ROOT }),
        nearest: None,
        copy_from: 0.8,
    }
}

fn near(alike: f64) -> Nearest {
    Nearest { submission: 3, sha256: [1; 32], alike, same: Same::Likeness }
}

#[test]
fn an_acceptance_of_what_was_measured_rightly_has_no_fault() {
    assert_eq!(Fault::of(&right()), None);
    // At the bounds, and like something, but not as much as a copy is.
    let almost = Acceptance { min_units: 500, nearest: Some(near(0.79)), ..right() };
    assert_eq!(Fault::of(&almost), None);
}

#[test]
fn each_fault_is_found_in_the_order_in_which_programs_refuse() {
    let copy = near(0.8);
    let small = Some(Measured { units: 99, text_root: [5; 32] });
    let all = Acceptance { measured: None, nearest: Some(copy), units: 1, ..right() };
    assert_eq!(Fault::of(&all), Some(Fault::Unreadable));
    let all = Acceptance { measured: small, ..all };
    assert_eq!(Fault::of(&all), Some(Fault::TooSmall { units: 99, least: 100 }));
    let all = Acceptance { min_units: 1, ..all };
    assert_eq!(Fault::of(&all), Some(Fault::Copy(copy)));
    let all = Acceptance { nearest: None, ..all };
    assert_eq!(Fault::of(&all), Some(Fault::Measures { units: 99, said: 1, text: true }));
}

#[test]
fn units_of_text_and_images_are_exact_and_those_of_sound_almost() {
    let of = |media, units| {
        let measured = Some(Measured { units: 10_000, text_root: ROOT });
        Fault::of(&Acceptance { media, units, measured, ..right() })
    };
    let wrong = Some(Fault::Measures { units: 10_000, said: 10_001, text: false });
    assert_eq!(of(MediaType::Txt, 10_001), wrong);
    assert_eq!(of(MediaType::Png, 10_001), wrong);
    assert_eq!(of(MediaType::Mp3, 10_100), None);
    let far = Some(Fault::Measures { units: 10_000, said: 10_101, text: false });
    assert_eq!(of(MediaType::Mp3, 10_101), far);
}

#[test]
fn a_datanets_policy_says_from_where_on_a_file_is_a_copy() {
    let policies = Policies::parse(r#"{"datanets":{"7":{"duplicate":{"text":0.9}}}}"#).unwrap();
    let of = |datanet| {
        let copy_from = policies.of(datanet).duplicate_from(MediaType::Txt.modality());
        Fault::of(&Acceptance { nearest: Some(near(0.85)), copy_from, ..right() })
    };
    assert_eq!(of(7), None);
    assert_eq!(of(8), Some(Fault::Copy(near(0.85))));
    let usual = Policy::automatic(None).duplicate_from(MediaType::Png.modality());
    assert_eq!(usual, 0.9);
}

#[test]
fn a_fault_says_what_it_is_and_whether_it_costs_seats() {
    let text = Fault::Copy(Nearest { same: Same::Text, ..near(1.0) });
    let said: Vec<_> = [
        Fault::Unreadable,
        Fault::TooSmall { units: 5, least: 10 },
        Fault::Copy(near(0.93)),
        text,
        Fault::Measures { units: 5, said: 50, text: false },
        Fault::Missing(4),
    ]
    .iter()
    .map(|fault| (fault.name(), fault.why(), [true, false].map(|early| fault.takes_seats(early))))
    .collect();
    let expected = [
        ("wrong-format", "it cannot be read", [true, true]),
        ("too-small", "it has 5 units, and its Datanet takes 10 or more", [true, true]),
        // The last committee of a file judges it without what does not come.
        ("duplicate", "it is like submission 3 by 93 %", [true, false]),
        ("duplicate", "its text is that of submission 3", [true, false]),
        ("measures", "it has 5 units, and its committee says 50", [true, true]),
        ("missing", "it was asked for 4 times and did not come", [false, false]),
    ];
    assert_eq!(said, expected.map(|(name, why, seats)| (name, why.to_owned(), seats)));
}
