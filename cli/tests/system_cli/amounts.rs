//! Amounts of OPEN are read and written exactly.

use openledger_client::{Amount, AmountError};
use proptest::prelude::*;

fn read(text: &str) -> Result<u128, AmountError> {
    text.parse().map(|amount: Amount| amount.0)
}

#[test]
fn units_and_decimals_are_understood() {
    let one = 1_000_000_000_000_000_000;
    for (text, plancks) in [
        ("1", one),
        ("1OPEN", one),
        ("1 open", one),
        (" 1.5 OPEN ", one + one / 2),
        ("0.000000000000000001", 1),
        ("0.1", one / 10),
        ("007", 7 * one),
        ("300planck", 300),
        ("300 plancks", 300),
        ("0planck", 0),
        ("340282366920938463463.374607431768211455", u128::MAX),
        ("340282366920938463463374607431768211455planck", u128::MAX),
    ] {
        assert_eq!(read(text), Ok(plancks), "{text}");
    }
}

#[test]
fn zeros_are_not_written() {
    assert_eq!(Amount(0).to_string(), "0 OPEN");
    assert_eq!(Amount(1).to_string(), "0.000000000000000001 OPEN");
    assert_eq!(Amount(1_500_000_000_000_000_000).to_string(), "1.5 OPEN");
    assert_eq!(Amount(20_000_000_000_000_000_000).to_string(), "20 OPEN");
}

#[test]
fn what_is_no_amount_is_refused_by_its_reason() {
    for text in ["-1", "+1", "1e3", "1,5", "1_000", ".5", "1.", "1.2.3", "OPEN", "1 OPEN!", "0x10"]
    {
        assert!(
            matches!(read(text), Err(AmountError::Malformed(_) | AmountError::Unit(_))),
            "{text}: {:?}",
            read(text)
        );
    }
    assert_eq!(read(""), Err(AmountError::Length(0)));
    assert_eq!(read(&"1".repeat(81)), Err(AmountError::Length(81)));
    assert_eq!(read("5DOT"), Err(AmountError::Unit("dot".into())));
    assert!(matches!(read("0.0000000000000000001"), Err(AmountError::TooFine(_))));
    assert!(matches!(read("1.5planck"), Err(AmountError::Fraction(_))));
    assert!(matches!(
        read("340282366920938463463.374607431768211456"),
        Err(AmountError::TooMuch(_))
    ));
    assert!(matches!(
        read("340282366920938463463374607431768211456planck"),
        Err(AmountError::TooMuch(_))
    ));
}

#[test]
fn a_refusal_names_value_and_remedy() {
    let words = read("5DOT").expect_err("no unit of ours").to_string();
    assert!(words.contains("dot") && words.contains("OPEN") && words.contains("planck"), "{words}");
}

proptest! {
    #[test]
    fn every_amount_reads_back_as_it_was_written(plancks: u128) {
        prop_assert_eq!(read(&Amount(plancks).to_string()), Ok(plancks));
        prop_assert_eq!(read(&format!("{plancks}planck")), Ok(plancks));
    }

    #[test]
    fn no_text_is_read_as_something_else(text in "[0-9. a-zA-Z+-]{0,40}") {
        // Whatever is accepted is written in a way that reads back the same.
        if let Ok(plancks) = read(&text) {
            prop_assert_eq!(read(&Amount(plancks).to_string()), Ok(plancks));
            prop_assert!(!text.contains(['+', '-']));
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = read(&text);
    }
}
