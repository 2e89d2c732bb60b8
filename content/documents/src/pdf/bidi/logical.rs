//! From the order in which a line is seen to that in which it is read.

use super::{Class, Piece, Seen, NEAR};
use unicode_bidi::{bidi_class, BidiClass};

/// A line that is read from the right: turned round, without what is read from the left in it.
pub(super) fn turned(mut pieces: Vec<Piece>, seen: &mut Seen) -> Vec<Piece> {
    let arabic = pieces
        .iter()
        .any(|piece| piece.text.chars().any(|character| bidi_class(character) == BidiClass::AL));
    // Which pieces keep their order with the one after them, as seen from the left.
    let mut runs = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let end = kept_end(&pieces, at, arabic);
        runs.push((at, end, end > at + 1 || !is_neutral(&pieces, at)));
        at = end;
    }
    let mut turn: Vec<usize> = Vec::new();
    for (begin, end, kept) in &runs {
        if !kept {
            turn.extend(*begin..*end);
        }
    }
    mirror(&mut pieces, &turn, seen);
    let mut out = Vec::with_capacity(pieces.len());
    for (begin, end, _) in runs.into_iter().rev() {
        out.extend_from_slice(pieces.get(begin..end).unwrap_or_default());
    }
    out
}

fn class_at(pieces: &[Piece], at: usize) -> Option<Class> {
    pieces.get(at).map(|piece| piece.class)
}

fn is_neutral(pieces: &[Piece], at: usize) -> bool {
    !matches!(
        class_at(pieces, at),
        Some(Class::Left | Class::Right | Class::Digit | Class::ArabicDigit)
    )
}

/// Where the stretch ends that begins at a place and keeps its order.
fn kept_end(pieces: &[Piece], at: usize, arabic: bool) -> usize {
    let mut end = at;
    let mut begin = at;
    // A sign of currency before its number.
    while !arabic && begin < at + NEAR && class_at(pieces, begin) == Some(Class::Terminator) {
        begin += 1;
    }
    let first = class_at(pieces, begin);
    if !matches!(first, Some(Class::Left | Class::Digit | Class::ArabicDigit)) {
        return at + 1;
    }
    let mut has_letter = first == Some(Class::Left);
    let mut place = begin;
    loop {
        end = end.max(place + 1);
        // What comes next that is no sign, and what stands between.
        let mut next = place + 1;
        while is_neutral(pieces, next) && next < pieces.len() {
            next += 1;
        }
        let between = pieces.get(place + 1..next).unwrap_or_default();
        let here = class_at(pieces, place);
        let then = class_at(pieces, next);
        let joined = match (here, then) {
            (_, Some(Class::Left)) => here != Some(Class::ArabicDigit),
            (Some(Class::Left), Some(Class::Digit)) => true,
            (Some(Class::Digit), Some(Class::Digit))
            | (Some(Class::ArabicDigit), Some(Class::ArabicDigit)) => {
                let one = matches!(between, [only] if only.class == Class::Separator);
                between.is_empty() || one || has_letter
            }
            // Fonts share the forms of some Arabic and Persian digits, and so files mix them up.
            (Some(Class::Digit | Class::ArabicDigit), Some(Class::Digit | Class::ArabicDigit)) => {
                between.is_empty()
            }
            _ => false,
        };
        if !joined {
            break;
        }
        has_letter |= then == Some(Class::Left);
        place = next;
    }
    // A sign of per cent after its number.
    while class_at(pieces, end) == Some(Class::Terminator)
        && matches!(class_at(pieces, end - 1), Some(Class::Digit | Class::Terminator))
    {
        end += 1;
    }
    end
}

/// A line that is read from the left: only the stretches that are read from the right are turned.
pub(super) fn stretches_turned(pieces: Vec<Piece>, seen: &mut Seen) -> Vec<Piece> {
    let mut out = Vec::with_capacity(pieces.len());
    let mut at = 0;
    while at < pieces.len() {
        if class_at(&pieces, at) != Some(Class::Right) {
            out.extend(pieces.get(at).cloned());
            at += 1;
            continue;
        }
        let mut end = at + 1;
        for place in at + 1..pieces.len() {
            match class_at(&pieces, place) {
                Some(Class::Right) => end = place + 1,
                Some(Class::Left) => break,
                _ => {}
            }
        }
        out.append(&mut turned(pieces.get(at..end).unwrap_or_default().to_vec(), seen));
        at = end;
    }
    out
}

/// The brackets that are drawn mirrored.
const BRACKETS: [(char, char); 6] =
    [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('«', '»'), ('‹', '›')];

fn bracket(text: &str) -> Option<(char, bool)> {
    let mut characters = text.chars();
    let only = characters.next().filter(|_| characters.next().is_none())?;
    BRACKETS.iter().find_map(|(open, close)| match only {
        _ if only == *open => Some((*close, true)),
        _ if only == *close => Some((*open, false)),
        _ => None,
    })
}

/// Turns brackets back, unless they fit better as they are: an opening one stands before a word and
/// after a space, and both pair. `turn` has the places in the order in which they are seen.
fn mirror(pieces: &mut [Piece], turn: &[usize], seen: &mut Seen) {
    let blank = |at: Option<usize>| {
        let piece = at.and_then(|at| pieces.get(at));
        piece.is_none_or(|piece| !piece.text.chars().any(char::is_alphanumeric))
    };
    // Read from the right, a pair begins at its right end.
    let mut depths = [0_i64; 2];
    let mut fits = [0_i64; 2];
    for place in turn.iter().rev() {
        let Some((_, opens)) = pieces.get(*place).and_then(|piece| bracket(&piece.text)) else {
            continue;
        };
        let (before, after) = (blank(Some(place + 1)), blank(place.checked_sub(1)));
        for (way, opens) in [opens, !opens].into_iter().enumerate() {
            let (Some(depth), Some(fits)) = (depths.get_mut(way), fits.get_mut(way)) else {
                continue;
            };
            *fits += i64::from(before != after && opens == before);
            match opens {
                true => *depth += 1,
                false if *depth > 0 => {
                    *depth -= 1;
                    *fits += 1;
                }
                false => {}
            }
        }
    }
    let [as_drawn, mirrored] = fits;
    let better = mirrored - as_drawn;
    seen.mirrored += better;
    if better > 0 || (better == 0 && seen.mirrored >= 0) {
        for place in turn {
            let Some(piece) = pieces.get_mut(*place) else { continue };
            if let Some((other, _)) = bracket(&piece.text) {
                piece.text = other.to_string();
            }
        }
    }
}
