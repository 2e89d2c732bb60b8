//! Whether a glyph's program draws something: the operators of Type 1 and Type 2 charstrings, as far
//! as they decide that (Adobe Technical Notes 5015 and 5177).

use crate::budget::{Budget, Result};

/// Deepest calls of subroutines.
const MAX_CALLS: usize = 10;
/// Most operators of one glyph that are followed; one that has more draws something.
const MAX_STEPS: usize = 20_000;

/// Which operators there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Type1,
    Type2,
}

/// Where subroutines come from: their bytes by number.
pub(super) trait Subroutines {
    /// The subroutine that this operand calls.
    fn get(&self, global: bool, operand: i64) -> Option<&[u8]>;
}

/// Whether the glyph draws: one line or curve is enough.
pub(super) fn draws(
    glyph: &[u8],
    dialect: Dialect,
    subroutines: &dyn Subroutines,
    budget: &mut Budget,
) -> Result<bool> {
    let mut open: Vec<(&[u8], usize)> = vec![(glyph, 0)];
    let mut stack: Vec<i64> = Vec::new();
    let mut hints = 0;
    for _ in 0..MAX_STEPS {
        let Some((bytes, at)) = open.last_mut() else { return Ok(false) };
        let Some(byte) = bytes.get(*at).copied() else {
            open.pop();
            continue;
        };
        budget.scan(1)?;
        let next = |offset: usize| i64::from(bytes.get(*at + offset).copied().unwrap_or(0));
        let (length, operand) = match byte {
            32..=246 => (1, Some(i64::from(byte) - 139)),
            247..=250 => (2, Some((i64::from(byte) - 247) * 256 + next(1) + 108)),
            251..=254 => (2, Some(-(i64::from(byte) - 251) * 256 - next(1) - 108)),
            255 => {
                let whole = (next(1) << 24 | next(2) << 16 | next(3) << 8 | next(4)) as i32;
                let whole = if dialect == Dialect::Type2 { whole >> 16 } else { whole };
                (5, Some(i64::from(whole)))
            }
            28 if dialect == Dialect::Type2 => {
                (3, Some(i64::from((next(1) << 8 | next(2)) as i16)))
            }
            _ => (1, None),
        };
        let second = next(1);
        *at += length;
        if let Some(operand) = operand {
            if stack.len() < 64 {
                stack.push(operand);
            }
            continue;
        }
        match (dialect, byte) {
            (_, 5..=8 | 30 | 31) | (Dialect::Type2, 24..=27) => return Ok(true),
            (Dialect::Type1, 12) => {
                *at += 1;
                match second {
                    // An accented letter of two others; the points of a flexible curve.
                    6 | 16 => return Ok(true),
                    // A quotient, which operands of a call may be.
                    12 => {
                        let (divisor, dividend) = (stack.pop(), stack.pop());
                        let quotient = dividend.zip(divisor).map(|(a, b)| a.checked_div(b));
                        stack.push(quotient.flatten().unwrap_or(0));
                    }
                    _ => stack.clear(),
                }
            }
            (Dialect::Type2, 12) => {
                *at += 1;
                if (34..=37).contains(&second) {
                    return Ok(true);
                }
                stack.clear();
            }
            (Dialect::Type2, 1 | 3 | 18 | 23) => {
                hints += stack.len() / 2;
                stack.clear();
            }
            (Dialect::Type2, 19 | 20) => {
                hints += stack.len() / 2;
                stack.clear();
                *at += hints.div_ceil(8);
            }
            (_, 10) | (Dialect::Type2, 29) => {
                let called = stack.pop().and_then(|number| subroutines.get(byte == 29, number));
                if let Some(called) = called {
                    if open.len() > MAX_CALLS {
                        return Ok(true);
                    }
                    open.push((called, 0));
                }
            }
            (_, 11) => {
                open.pop();
            }
            // Four operands more make `endchar` an accented letter.
            (_, 14) => return Ok(stack.len() >= 4 && dialect == Dialect::Type2),
            _ => stack.clear(),
        }
    }
    Ok(true)
}
