//! Stream filters (ISO 32000-1, 7.4): those that text needs.

use super::object::{hex_digit, is_space, Dict, Object};
use crate::budget::{damaged, Budget, Fault, Result};
use crate::inflate::{inflate, Frame};

/// Most filters on one stream.
const MAX_FILTERS: usize = 4;

/// One filter with its parameters, references resolved.
pub(crate) struct Filter {
    pub(crate) name: Vec<u8>,
    pub(crate) parameters: std::rc::Rc<Dict>,
}

/// Decodes a stream's bytes to at most `limit`.
///
/// # Errors
///
/// [`Fault::Damaged`] also for a filter of pictures, which holds no text.
pub(crate) fn decode(
    data: &[u8],
    filters: &[Filter],
    limit: usize,
    budget: &mut Budget,
) -> Result<Vec<u8>> {
    if filters.len() > MAX_FILTERS {
        return Err(Fault::TooMuch { what: "filters on a stream", limit: MAX_FILTERS as u64 });
    }
    budget.scan(data.len())?;
    let mut current: Option<Vec<u8>> = None;
    for filter in filters {
        let input = current.as_deref().unwrap_or(data);
        let output = match filter.name.as_slice() {
            b"FlateDecode" | b"Fl" => {
                let out = inflate(input, Frame::Zlib, limit, budget)?;
                predict(out, &filter.parameters)?
            }
            b"LZWDecode" | b"LZW" => {
                let early = filter.parameters.get("EarlyChange").index(1).unwrap_or(1);
                predict(lzw(input, early, limit, budget)?, &filter.parameters)?
            }
            b"ASCIIHexDecode" | b"AHx" => ascii_hex(input),
            b"ASCII85Decode" | b"A85" => ascii_85(input)?,
            b"RunLengthDecode" | b"RL" => run_length(input, limit, budget)?,
            other => {
                let name = String::from_utf8_lossy(other.get(..32).unwrap_or(other)).into_owned();
                return Err(damaged(format!("a stream has the filter {name}, which is not read")));
            }
        };
        current = Some(output);
    }
    match current {
        Some(out) => Ok(out),
        None if data.len() > limit => Err(too_long(limit)),
        None => Ok(data.to_vec()),
    }
}

fn too_long(limit: usize) -> Fault {
    Fault::TooMuch { what: "bytes in one stream", limit: limit as u64 }
}

fn ascii_hex(input: &[u8]) -> Vec<u8> {
    let digits = input.iter().take_while(|byte| **byte != b'>').filter_map(|byte| hex_digit(*byte));
    let digits: Vec<u8> = digits.collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | d)).collect()
}

fn ascii_85(input: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(input.len());
    let mut group: Vec<u32> = Vec::with_capacity(5);
    for byte in input.iter().copied().filter(|byte| !is_space(*byte)) {
        match byte {
            b'~' => break,
            b'z' if group.is_empty() => out.extend([0; 4]),
            b'!'..=b'u' => group.push(u32::from(byte - b'!')),
            _ => return Err(damaged("base-85 data is broken")),
        }
        if group.len() == 5 {
            out.extend(value_85(&group).to_be_bytes());
            group.clear();
        }
    }
    let count = group.len();
    if count > 1 {
        group.resize(5, 84);
        out.extend(value_85(&group).to_be_bytes().iter().take(count - 1));
    }
    Ok(out)
}

fn value_85(group: &[u32]) -> u32 {
    group.iter().fold(0_u32, |value, digit| value.wrapping_mul(85).wrapping_add(*digit))
}

fn run_length(input: &[u8], limit: usize, budget: &mut Budget) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(length) = input.get(at).copied().filter(|length| *length != 128) {
        at += 1;
        let before = out.len();
        if length < 128 {
            let run = input.get(at..at + usize::from(length) + 1);
            out.extend(run.ok_or_else(|| damaged("run-length data is cut off"))?);
            at += usize::from(length) + 1;
        } else {
            let byte = input.get(at).ok_or_else(|| damaged("run-length data is cut off"))?;
            out.resize(out.len() + 257 - usize::from(length), *byte);
            at += 1;
        }
        budget.inflate(out.len() - before)?;
        if out.len() > limit {
            return Err(too_long(limit));
        }
    }
    Ok(out)
}

/// LZW as TIFF 6.0 defines it, with codes of 9 to 12 bits.
fn lzw(input: &[u8], early: usize, limit: usize, budget: &mut Budget) -> Result<Vec<u8>> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    let mut out: Vec<u8> = Vec::new();
    // Each entry is a stretch of the output; the first 258 stand for bytes and the two commands.
    let mut table: Vec<(usize, usize)> = Vec::with_capacity(4096);
    let mut previous: Option<(usize, usize)> = None;
    let (mut buffer, mut bits, mut width) = (0_u32, 0, 9);
    for byte in input {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        if bits < width {
            continue;
        }
        bits -= width;
        let code = (buffer >> bits) as usize & ((1 << width) - 1);
        match code {
            END => return Ok(out),
            CLEAR => {
                table.clear();
                previous = None;
                width = 9;
                continue;
            }
            _ => {}
        }
        let start = out.len();
        if code < CLEAR {
            out.push(code as u8);
        } else {
            let (from, length) = match (table.get(code - 258), previous) {
                (Some(entry), _) => *entry,
                // The entry that is being made: the last one and its own first byte.
                (None, Some((from, length))) if code - 258 == table.len() => (from, length + 1),
                _ => return Err(damaged("LZW data is broken")),
            };
            for place in from..from + length {
                let byte = out.get(place).copied().unwrap_or_default();
                out.push(byte);
            }
        }
        let length = out.len() - start;
        budget.inflate(length)?;
        if out.len() > limit {
            return Err(too_long(limit));
        }
        if let (Some((from, length)), true) = (previous, table.len() < 4096 - 258) {
            table.push((from, length + 1));
        }
        previous = Some((start, length));
        width = match table.len() + 258 + early {
            0..=511 => 9,
            512..=1023 => 10,
            1024..=2047 => 11,
            _ => 12,
        };
    }
    Ok(out)
}

/// Undoes the PNG and TIFF predictors.
fn predict(data: Vec<u8>, parameters: &Dict) -> Result<Vec<u8>> {
    let number = |key: &str, usual| match parameters.get(key) {
        Object::Null => Some(usual),
        value => value.index(1 << 16),
    };
    let all = || {
        Some((
            number("Predictor", 1)?,
            number("Colors", 1)?,
            number("BitsPerComponent", 8)?,
            number("Columns", 1)?,
        ))
    };
    let (predictor, colors, depth, columns) =
        all().ok_or_else(|| damaged("a predictor's parameters are wrong"))?;
    if predictor < 2 {
        return Ok(data);
    }
    if colors == 0 || colors > 32 || !matches!(depth, 1 | 2 | 4 | 8 | 16) || columns == 0 {
        return Err(damaged("a predictor's parameters are wrong"));
    }
    let step = (colors * depth).div_ceil(8);
    let row = (colors * depth * columns).div_ceil(8);
    if predictor == 2 {
        if depth != 8 {
            return Err(damaged("a TIFF predictor of other than 8 bits is not read"));
        }
        let mut data = data;
        for line in data.chunks_mut(row) {
            for place in step..line.len() {
                let left = line.get(place - step).copied().unwrap_or_default();
                if let Some(byte) = line.get_mut(place) {
                    *byte = byte.wrapping_add(left);
                }
            }
        }
        return Ok(data);
    }
    let mut out = Vec::with_capacity(data.len());
    let mut above = vec![0; row];
    for line in data.chunks(row + 1) {
        let Some((kind, line)) = line.split_first() else { break };
        let mut current = vec![0_u8; row];
        for (place, byte) in line.iter().enumerate() {
            let at = |line: &[u8], back: usize| {
                place.checked_sub(back).and_then(|i| line.get(i)).copied().unwrap_or_default()
            };
            let (left, up, corner) = (at(&current, step), at(&above, 0), at(&above, step));
            let guess = match kind {
                0 => 0,
                1 => left,
                2 => up,
                3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                4 => paeth(left, up, corner),
                _ => return Err(damaged("a PNG predictor is unknown")),
            };
            if let Some(place) = current.get_mut(place) {
                *place = byte.wrapping_add(guess);
            }
        }
        out.extend(current.iter().take(line.len()));
        above = current;
    }
    Ok(out)
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let guess = a + b - c;
    let (da, db, dc) = ((guess - a).abs(), (guess - b).abs(), (guess - c).abs());
    if da <= db && da <= dc {
        left
    } else if db <= dc {
        up
    } else {
        corner
    }
}
