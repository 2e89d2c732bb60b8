//! Amounts of OPEN as people write them.
//!
//! On the chain an amount is a whole number of plancks; one OPEN is 10¹⁸ of them. Reading and
//! writing are exact: no floating point is involved.

use openledger_primitives::{Balance, OPEN};
use std::{fmt, str::FromStr};

/// Decimals of OPEN.
pub const DECIMALS: usize = 18;

/// Longest text that is looked at: u128 has 39 digits, and nobody needs more than a point, a few
/// leading zeros and a unit beside them.
const MAX_TEXT: usize = 80;

/// An amount of OPEN in plancks.
///
/// Reads `1.5`, `1.5OPEN`, `1.5 OPEN` and `300planck`; writes `1.5 OPEN`.
///
/// ```
/// use openledger_client::Amount;
///
/// let amount: Amount = "1.5OPEN".parse().unwrap();
/// assert_eq!(amount.0, 1_500_000_000_000_000_000);
/// assert_eq!(amount.to_string(), "1.5 OPEN");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub Balance);

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing, or far more than any amount needs.
    #[error(
        "an amount has 1 to {MAX_TEXT} characters, this one has {0}; write for example 1.5OPEN"
    )]
    Length(usize),
    /// Something beside digits, one point and a unit.
    #[error(
        "{0:?} is not an amount; write for example 1.5, 1.5OPEN or 300planck, without signs, \
         separators or exponents"
    )]
    Malformed(String),
    /// A unit that does not exist.
    #[error("{0:?} is not a unit of OPEN; use OPEN (the default) or planck (10⁻¹⁸ OPEN)")]
    Unit(String),
    /// More decimals than a planck has.
    #[error("{0} has more than {DECIMALS} decimals, and nothing is smaller than a planck")]
    TooFine(String),
    /// A fraction of a planck.
    #[error("{0} is not a whole number of plancks")]
    Fraction(String),
    /// More than fits.
    #[error("{0} is more OPEN than can exist (1,000,000,000 OPEN were made, and no more will be)")]
    TooMuch(String),
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_TEXT {
            return Err(AmountError::Length(text.chars().count()));
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let malformed = || AmountError::Malformed(text.to_owned());
        let too_much = || AmountError::TooMuch(text.to_owned());
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !fraction.is_none_or(digits) {
            return Err(malformed());
        }
        let whole: Balance = whole.parse().map_err(|_| too_much())?;
        match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "open" => {
                let fraction = fraction.unwrap_or("");
                if fraction.len() > DECIMALS {
                    return Err(AmountError::TooFine(text.to_owned()));
                }
                let fraction: Balance =
                    format!("{fraction:0<DECIMALS$}").parse().map_err(|_| malformed())?;
                let plancks = whole.checked_mul(OPEN).and_then(|p| p.checked_add(fraction));
                plancks.map(Self).ok_or_else(too_much)
            }
            "planck" | "plancks" => match fraction {
                None => Ok(Self(whole)),
                Some(_) => Err(AmountError::Fraction(text.to_owned())),
            },
            unit if unit.chars().all(char::is_alphabetic) => {
                Err(AmountError::Unit(unit.to_owned()))
            }
            _ => Err(malformed()),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / OPEN, self.0 % OPEN);
        if fraction == 0 {
            return write!(f, "{whole} OPEN");
        }
        let decimals = format!("{fraction:0>DECIMALS$}");
        write!(f, "{whole}.{} OPEN", decimals.trim_end_matches('0'))
    }
}
