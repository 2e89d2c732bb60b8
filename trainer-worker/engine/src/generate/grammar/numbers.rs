//! Numbers within bounds, as digits.

use super::rules::{Rules, Symbol};
use crate::error::Result;

/// Digits before the point and after it: as many as a reader of 64-bit floats keeps apart.
pub(super) const DIGITS: u64 = 16;
/// The greatest magnitude that is written.
const GREATEST: u64 = 9_999_999_999_999_999;

/// A bound of a number, and whether it is itself allowed.
pub(super) type Bound = Option<(i64, bool)>;

/// An integer of JSON.
pub(super) fn integer(rules: &mut Rules, least: Bound, most: Bound) -> Result<Option<Symbol>> {
    let least = least.map_or(-(GREATEST as i64), |(n, with)| n.saturating_add(i64::from(!with)));
    let most = most.map_or(GREATEST as i64, |(n, with)| n.saturating_sub(i64::from(!with)));
    let mut alternatives = Vec::new();
    if let Some((from, to)) = magnitudes(least.max(0), most) {
        alternatives.extend(digits_between(rules, from, to)?);
    }
    if let Some((from, to)) = magnitudes(most.saturating_neg().max(1), least.saturating_neg()) {
        let minus = rules.byte(&[(b'-', b'-')]);
        for digits in digits_between(rules, from, to)? {
            alternatives.push(std::iter::once(minus).chain(digits).collect());
        }
    }
    Ok(if alternatives.is_empty() { None } else { Some(rules.any(alternatives)?) })
}

fn magnitudes(from: i64, to: i64) -> Option<(u64, u64)> {
    let (from, to) = (u64::try_from(from).ok()?, u64::try_from(to).ok()?.min(GREATEST));
    (from <= to).then_some((from, to))
}

/// A number of JSON; without an exponent where it is bounded.
pub(super) fn number(rules: &mut Rules, least: Bound, most: Bound) -> Result<Option<Symbol>> {
    let digit = rules.byte(&[(b'0', b'9')]);
    let fraction = fraction(rules)?;
    let minus = rules.byte(&[(b'-', b'-')]);
    if least.is_none() && most.is_none() {
        let sign = rules.repeat(&[minus], 0, Some(1))?;
        let first = rules.byte(&[(b'1', b'9')]);
        let zero = rules.byte(&[(b'0', b'0')]);
        let mut whole = vec![first];
        whole.extend(rules.repeat(&[digit], 0, Some(DIGITS - 1))?);
        let whole = rules.any(vec![vec![zero], whole])?;
        let e = rules.byte(&[(b'E', b'E'), (b'e', b'e')]);
        let plus = rules.byte(&[(b'+', b'+'), (b'-', b'-')]);
        let mut exponent = vec![e];
        exponent.extend(rules.repeat(&[plus], 0, Some(1))?);
        exponent.extend(rules.repeat(&[digit], 1, Some(2))?);
        let exponent = rules.repeat(&exponent, 0, Some(1))?;
        let fraction = rules.repeat(&[fraction], 0, Some(1))?;
        let all = [sign, vec![whole], fraction, exponent].concat();
        return Ok(Some(rules.any(vec![all])?));
    }
    let (least, most) =
        (least.unwrap_or((-(GREATEST as i64), true)), most.unwrap_or((GREATEST as i64, true)));
    let mut alternatives = Vec::new();
    let zero = (0, true);
    if most.0 >= 0 {
        let from = if least.0 < 0 { zero } else { least };
        alternatives.extend(magnitude(rules, from, most, fraction)?);
    }
    if least.0 < 0 {
        let from = if most.0 >= 0 { (0, false) } else { (most.0.saturating_neg(), most.1) };
        let to = (least.0.saturating_neg(), least.1);
        for symbols in magnitude(rules, from, to, fraction)? {
            alternatives.push(std::iter::once(minus).chain(symbols).collect());
        }
    }
    Ok(if alternatives.is_empty() { None } else { Some(rules.any(alternatives)?) })
}

fn fraction(rules: &mut Rules) -> Result<Symbol> {
    let point = rules.byte(&[(b'.', b'.')]);
    let digit = rules.byte(&[(b'0', b'9')]);
    let mut symbols = vec![point];
    symbols.extend(rules.repeat(&[digit], 1, Some(DIGITS))?);
    rules.any(vec![symbols])
}

/// Numbers that are not negative from `from` to `to`.
fn magnitude(
    rules: &mut Rules,
    from: (i64, bool),
    to: (i64, bool),
    fraction: Symbol,
) -> Result<Vec<Vec<Symbol>>> {
    let mut alternatives = Vec::new();
    let Some((low, high)) = magnitudes(from.0, to.0) else { return Ok(alternatives) };
    let point = rules.byte(&[(b'.', b'.')]);
    let zero = rules.byte(&[(b'0', b'0')]);
    let mut zeros = vec![point];
    zeros.extend(rules.repeat(&[zero], 1, Some(DIGITS))?);
    let zeros = rules.repeat(&zeros, 0, Some(1))?;
    let mut exactly = |rules: &mut Rules, n: u64| {
        let mut symbols = rules.text(&n.to_string());
        symbols.extend(zeros.iter().copied());
        alternatives.push(symbols);
    };
    if from.1 && (low < high || to.1) {
        exactly(rules, low);
    }
    if to.1 && high > low {
        exactly(rules, high);
    }
    if low < high {
        // Above `low` by a fraction that is not zero.
        let digit = rules.byte(&[(b'0', b'9')]);
        let other = rules.byte(&[(b'1', b'9')]);
        let mut symbols = rules.text(&low.to_string());
        symbols.push(point);
        symbols.extend(rules.repeat(&[zero], 0, Some(DIGITS - 1))?);
        symbols.push(other);
        symbols.extend(rules.repeat(&[digit], 0, Some(DIGITS - 1))?);
        alternatives.push(symbols);
        if low + 1 < high {
            let fraction = rules.repeat(&[fraction], 0, Some(1))?;
            for mut digits in digits_between(rules, low + 1, high - 1)? {
                digits.extend(fraction.iter().copied());
                alternatives.push(digits);
            }
        }
    }
    Ok(alternatives)
}

/// The integers from `from` to `to`, at most [`GREATEST`], without zeros before them.
fn digits_between(rules: &mut Rules, from: u64, to: u64) -> Result<Vec<Vec<Symbol>>> {
    let mut alternatives = Vec::new();
    let mut low = from;
    while low <= to {
        let text = low.to_string();
        // The last number with as many digits.
        let high = to.min(10u64.pow(text.len() as u32) - 1);
        same_length(rules, text.as_bytes(), high.to_string().as_bytes(), &mut alternatives)?;
        low = high + 1;
    }
    Ok(alternatives)
}

fn same_length(
    rules: &mut Rules,
    low: &[u8],
    high: &[u8],
    out: &mut Vec<Vec<Symbol>>,
) -> Result<()> {
    let ([first, low_rest @ ..], [last, high_rest @ ..]) = (low, high) else {
        out.push(Vec::new());
        return Ok(());
    };
    let any = |rules: &mut Rules, count: usize| {
        let digit = rules.byte(&[(b'0', b'9')]);
        std::iter::repeat_n(digit, count).collect::<Vec<_>>()
    };
    let mut with = |rules: &mut Rules, digit: u8, low: &[u8], high: &[u8]| -> Result<()> {
        let mut rest = Vec::new();
        same_length(rules, low, high, &mut rest)?;
        let digit = rules.byte(&[(digit, digit)]);
        out.extend(rest.into_iter().map(|r| std::iter::once(digit).chain(r).collect()));
        Ok(())
    };
    if first == last {
        return with(rules, *first, low_rest, high_rest);
    }
    let (zeros, nines) = (vec![b'0'; low_rest.len()], vec![b'9'; low_rest.len()]);
    let (mut from, mut to) = (*first, *last);
    if low_rest != zeros {
        with(rules, *first, low_rest, &nines)?;
        from += 1;
    }
    if high_rest != nines {
        with(rules, *last, &zeros, high_rest)?;
        to -= 1;
    }
    if from <= to {
        let digit = rules.byte(&[(from, to)]);
        let rest = any(rules, low_rest.len());
        out.push(std::iter::once(digit).chain(rest).collect());
    }
    Ok(())
}
