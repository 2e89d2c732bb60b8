//! Type 1 programs (Adobe Type 1 Font Format): the encoding in their open part, and the glyphs in
//! the part that is disguised by `eexec`.

use super::charstring::{draws, Dialect, Subroutines};
use super::{Program, MAX_GLYPHS};
use crate::budget::{Budget, Result};
use crate::pdf::object::{is_space, Lexer, Object, Token};

/// Keys of the two disguises.
const EEXEC: u16 = 55_665;
const CHARSTRING: u16 = 4_330;
/// Most subroutines.
const MAX_SUBROUTINES: usize = 65_535;

pub(super) fn parse(bytes: &[u8], budget: &mut Budget) -> Result<Program> {
    let joined;
    let bytes = match bytes.first() {
        Some(0x80) => {
            joined = segments(bytes);
            &joined
        }
        _ => bytes,
    };
    let mut program = Program::default();
    let end = find(bytes, b"eexec").unwrap_or(bytes.len());
    let open = bytes.get(..end).unwrap_or_default();
    let encoding = find(open, b"/Encoding").map(|at| Lexer::new(open, at + 9));
    let listed = match encoding {
        Some(lexer) => encoding_of(lexer, &mut program, budget)?,
        None => Vec::new(),
    };
    glyphs(&decrypt_eexec(bytes.get(end + 5..).unwrap_or_default()), &mut program, budget)?;
    let mut places: std::collections::BTreeMap<Box<str>, u16> =
        program.named().into_iter().map(|(name, glyph)| (name.into(), glyph)).collect();
    for (code, name) in listed {
        // A name without a glyph still says what is meant, in a program whose glyphs are unread.
        let next = program.names.len();
        let glyph = match places.get(&name) {
            Some(glyph) => *glyph,
            None if next < MAX_GLYPHS => {
                places.insert(name.clone(), next as u16);
                program.names.insert(next as u16, name);
                next as u16
            }
            None => continue,
        };
        program.codes.insert(code, glyph);
    }
    Ok(program)
}

/// `StandardEncoding def`, or `dup 65 /A put` for each code.
fn encoding_of(
    mut lexer: Lexer<'_>,
    program: &mut Program,
    budget: &mut Budget,
) -> Result<Vec<(u8, Box<str>)>> {
    let mut listed = Vec::new();
    let (mut code, mut name, mut seen) = (None, None, false);
    // Damage in the middle of a program ends what is read of it.
    while let Ok(Some(token)) = lexer.token(budget) {
        match token {
            Token::Value(Object::Number(number)) => code = Some(number),
            Token::Value(Object::Name(found)) => name = Some(found),
            Token::Keyword(word) => match &*word {
                b"StandardEncoding" => {
                    program.standard = true;
                    break;
                }
                b"put" => {
                    seen = true;
                    let text = name.take().and_then(|name| String::from_utf8(name.to_vec()).ok());
                    if let (Some(code), Some(text)) = (code.take(), text) {
                        if (0.0..256.0).contains(&code) && text != ".notdef" && listed.len() < 1024
                        {
                            listed.push((code as u8, text.into_boxed_str()));
                        }
                    }
                }
                b"def" | b"readonly" if seen => break,
                b"currentfile" | b"eexec" => break,
                radix => code = based(radix).or(code),
            },
            _ => {}
        }
    }
    Ok(listed)
}

/// `8#101`: a number with its base.
fn based(word: &[u8]) -> Option<f64> {
    let (base, digits) = std::str::from_utf8(word).ok()?.split_once('#')?;
    let base = base.parse().ok().filter(|base| (2..=36).contains(base))?;
    u8::from_str_radix(digits, base).ok().map(f64::from)
}

/// The charstrings: `/A 123 RD`, a space and that many bytes.
fn glyphs(private: &[u8], program: &mut Program, budget: &mut Budget) -> Result<()> {
    let Some(start) = find(private, b"/CharStrings") else { return Ok(()) };
    budget.scan(private.len())?;
    let skipped = find(private, b"/lenIV").and_then(|at| integer(private, at + 6)).unwrap_or(4);
    let mut subroutines = List(Vec::new());
    if let Some(at) = find(private.get(..start).unwrap_or_default(), b"/Subrs") {
        let mut at = at;
        while let Some(place) = find(private.get(at..start).unwrap_or_default(), b"dup") {
            at += place + 3;
            let Some((number, after)) = integer_at(private, at) else { continue };
            let Some((bytes, after)) = string(private, after, skipped) else { continue };
            let number = usize::try_from(number).unwrap_or(MAX_SUBROUTINES);
            if number < MAX_SUBROUTINES {
                if subroutines.0.len() <= number {
                    budget.scan(number - subroutines.0.len())?;
                    subroutines.0.resize(number + 1, Vec::new());
                }
                if let Some(place) = subroutines.0.get_mut(number) {
                    *place = bytes;
                }
            }
            at = after;
        }
    }
    let mut at = start + 12;
    while let Some(step) = private.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'/')) {
        at += step + 1;
        let rest = private.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| is_space(*byte)).unwrap_or(rest.len());
        let name = rest.get(..length).and_then(|name| std::str::from_utf8(name).ok());
        let found = integer_at(private, at + length)
            .and_then(|(_, _)| string(private, at + length, skipped));
        let (Some(name), Some((bytes, after))) = (name, found) else { continue };
        let glyph = program.names.len();
        if glyph >= MAX_GLYPHS {
            break;
        }
        if !draws(&bytes, Dialect::Type1, &subroutines, budget)? {
            program.blank.insert(glyph as u16);
        }
        program.names.insert(glyph as u16, name.into());
        at = after;
    }
    Ok(())
}

struct List(Vec<Vec<u8>>);

impl Subroutines for List {
    fn get(&self, _global: bool, operand: i64) -> Option<&[u8]> {
        self.0.get(usize::try_from(operand).ok()?).map(Vec::as_slice)
    }
}

/// A charstring: its length, a word, a space, and its bytes; decrypted. And where it ends.
fn string(bytes: &[u8], at: usize, skipped: i64) -> Option<(Vec<u8>, usize)> {
    let (length, at) = integer_at(bytes, at)?;
    let rest = bytes.get(at..)?;
    let space = rest.iter().take(4).take_while(|byte| is_space(**byte)).count();
    let word = rest.get(space..)?.iter().take(8).position(|byte| is_space(*byte))?;
    let start = at + space + word + 1;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    let data = bytes.get(start..end)?;
    let data = match usize::try_from(skipped) {
        Ok(skipped) => decrypt(data, CHARSTRING).get(skipped..).unwrap_or_default().to_vec(),
        // Minus one: in the open.
        Err(_) => data.to_vec(),
    };
    Some((data, end))
}

fn integer(bytes: &[u8], at: usize) -> Option<i64> {
    integer_at(bytes, at).map(|(number, _)| number)
}

/// The integer after white space, and where it ends.
fn integer_at(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let rest = bytes.get(at..)?;
    let space = rest.iter().take(8).take_while(|byte| is_space(**byte)).count();
    let digit = |byte: &&u8| byte.is_ascii_digit() || **byte == b'-';
    let digits = rest.get(space..)?.iter().take(9).take_while(digit).count();
    let text = std::str::from_utf8(rest.get(space..space + digits)?).ok()?;
    Some((text.parse().ok()?, at + space + digits))
}

/// The disguised part, in binary or in hexadecimal digits.
fn decrypt_eexec(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().take(8).take_while(|byte| is_space(**byte)).count();
    let bytes = bytes.get(start..).unwrap_or_default();
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let plain = match bytes.get(..4) {
        Some(head) if head.iter().all(|byte| digit(byte).is_some()) => {
            let digits: Vec<u8> = bytes.iter().filter_map(digit).collect();
            let pairs = digits.chunks_exact(2);
            let joined: Vec<u8> = pairs.map(|p| p.iter().fold(0, |n, d| n << 4 | d)).collect();
            decrypt(&joined, EEXEC)
        }
        _ => decrypt(bytes, EEXEC),
    };
    plain.get(4..).unwrap_or_default().to_vec()
}

fn decrypt(bytes: &[u8], key: u16) -> Vec<u8> {
    let mut key = key;
    let plain = |byte: &u8| {
        let plain = byte ^ (key >> 8) as u8;
        key = key.wrapping_add(u16::from(*byte)).wrapping_mul(52_845).wrapping_add(22_719);
        plain
    };
    bytes.iter().map(plain).collect()
}

/// The segments of a PFB file, one after the other.
fn segments(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some([0x80, 1 | 2, a, b, c, d]) = bytes.get(at..at + 6) {
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let end = (at + 6).saturating_add(length).min(bytes.len());
        out.extend_from_slice(bytes.get(at + 6..end).unwrap_or_default());
        at = end;
    }
    out
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}
