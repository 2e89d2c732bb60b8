//! Functions of numbers (ISO 32000-1, 7.10), as far as colours need them.

use super::super::document::Document;
use super::super::object::{Lexer, Object, Token};
use crate::budget::Result;

/// Most bytes of samples or of a program.
const MAX_BYTES: usize = 1 << 20;
/// Most results.
const MAX_RESULTS: usize = 32;
/// Most functions that are stitched together.
const MAX_PARTS: usize = 64;
/// Deepest nesting of stitched functions, and of a program's blocks.
const MAX_DEPTH: usize = 8;
/// Most operations of one run of a program, and most numbers on its stack.
const MAX_OPERATIONS: usize = 10_000;
const MAX_STACK: usize = 100;

/// A function.
#[derive(Debug)]
pub(crate) enum Function {
    /// Type 0; the nearest sample.
    Sampled { sizes: Vec<usize>, domain: Vec<f64>, range: Vec<f64>, samples: Vec<f64> },
    /// Type 2. The exponent is taken for the nearest whole number, at least 1.
    Exponential { from: Vec<f64>, to: Vec<f64>, exponent: u32 },
    /// Type 3.
    Stitched { parts: Vec<Function>, bounds: Vec<f64>, domain: Vec<f64>, encode: Vec<f64> },
    /// Type 4.
    Program { block: Vec<Step>, range: Vec<f64> },
    /// One function a result.
    List(Vec<Function>),
}

/// A step of a program.
#[derive(Debug)]
pub(crate) enum Step {
    Push(f64),
    Do(Box<[u8]>),
    Block(Vec<Step>),
}

fn numbers(document: &mut Document<'_>, object: &Object) -> Result<Vec<f64>> {
    let mut found = Vec::new();
    let list = document.resolve(object)?;
    for item in list.array().unwrap_or_default().iter().take(2 * MAX_RESULTS) {
        found.push(document.resolve(item)?.number().unwrap_or(0.0));
    }
    Ok(found)
}

impl Function {
    /// Reads a function; `None` where it is none that can be computed.
    pub(crate) fn load(document: &mut Document<'_>, object: &Object) -> Result<Option<Self>> {
        Self::nested(document, object, 0)
    }

    fn nested(document: &mut Document<'_>, object: &Object, depth: usize) -> Result<Option<Self>> {
        if depth > MAX_DEPTH {
            return Ok(None);
        }
        document.budget.operate()?;
        let stream = document.stream(object)?;
        let resolved = document.resolve(object)?;
        if let Object::Array(list) = &resolved {
            let mut parts = Vec::new();
            for item in list.iter().take(MAX_RESULTS) {
                let Some(part) = Self::nested(document, item, depth + 1)? else { return Ok(None) };
                parts.push(part);
            }
            return Ok(Some(Self::List(parts)));
        }
        let dict = match (&stream, resolved.dict()) {
            (Some(stream), _) => stream.dict.clone(),
            (None, Some(dict)) => dict.clone(),
            (None, None) => return Ok(None),
        };
        let domain = numbers(document, dict.get("Domain"))?;
        let range = numbers(document, dict.get("Range"))?;
        let kind = document.get(&dict, "FunctionType")?.index(4);
        let or = |found: Vec<f64>, usual: f64| if found.is_empty() { vec![usual] } else { found };
        Ok(match (kind, stream) {
            (Some(0), Some(stream)) => {
                let sizes: Vec<usize> = numbers(document, dict.get("Size"))?
                    .into_iter()
                    .map(|size| (size as usize).max(1))
                    .collect();
                let bits = document.get(&dict, "BitsPerSample")?.index(32).unwrap_or(8);
                let decode = numbers(document, dict.get("Decode"))?;
                let results = range.len() / 2;
                let count = sizes.iter().try_fold(results, |all, size| all.checked_mul(*size));
                let Some(count) = count.filter(|count| *count > 0 && *count <= MAX_BYTES) else {
                    return Ok(None);
                };
                let Some(bytes) = document.decode_or_none(&stream, MAX_BYTES)? else {
                    return Ok(None);
                };
                if sizes.len() * 2 != domain.len() || !matches!(bits, 1 | 2 | 4 | 8 | 16 | 32) {
                    return Ok(None);
                }
                document.budget.scan(count)?;
                let most = ((1_u64 << bits) - 1) as f64;
                let decode = if decode.len() == range.len() { decode } else { range.clone() };
                let samples = (0..count)
                    .map(|index| {
                        let value = sample(&bytes, index, bits) as f64 / most;
                        let result = index % results;
                        let low = decode.get(2 * result).copied().unwrap_or(0.0);
                        let high = decode.get(2 * result + 1).copied().unwrap_or(1.0);
                        low + value * (high - low)
                    })
                    .collect();
                Some(Self::Sampled { sizes, domain, range, samples })
            }
            (Some(2), _) => {
                let from = or(numbers(document, dict.get("C0"))?, 0.0);
                let to = or(numbers(document, dict.get("C1"))?, 1.0);
                let exponent = document.get(&dict, "N")?.number().unwrap_or(1.0);
                let exponent = (exponent.clamp(1.0, 64.0) + 0.5) as u32;
                Some(Self::Exponential { from, to, exponent })
            }
            (Some(3), _) => {
                let list = document.get(&dict, "Functions")?;
                let mut parts = Vec::new();
                for item in list.array().unwrap_or_default().iter().take(MAX_PARTS) {
                    let Some(part) = Self::nested(document, item, depth + 1)? else {
                        return Ok(None);
                    };
                    parts.push(part);
                }
                let bounds = numbers(document, dict.get("Bounds"))?;
                let encode = numbers(document, dict.get("Encode"))?;
                (!parts.is_empty()).then_some(Self::Stitched { parts, bounds, domain, encode })
            }
            (Some(4), Some(stream)) => {
                let Some(bytes) = document.decode_or_none(&stream, MAX_BYTES)? else {
                    return Ok(None);
                };
                program(document, &bytes)?.map(|block| Self::Program { block, range })
            }
            _ => None,
        })
    }

    /// The function's results.
    pub(crate) fn at(&self, input: &[f64]) -> Option<Vec<f64>> {
        match self {
            Self::Sampled { sizes, domain, range, samples } => {
                let (mut index, mut step) = (0, 1);
                for (place, size) in sizes.iter().enumerate() {
                    let low = *domain.get(2 * place)?;
                    let high = *domain.get(2 * place + 1)?;
                    let value = input.get(place)?.clamp(low, if high > low { high } else { low });
                    let part = if high > low { (value - low) / (high - low) } else { 0.0 };
                    let nearest = (part * (size - 1) as f64 + 0.5) as usize;
                    index += nearest.min(size - 1) * step;
                    step *= size;
                }
                let results = range.len() / 2;
                samples.get(index * results..(index + 1) * results).map(<[f64]>::to_vec)
            }
            Self::Exponential { from, to, exponent } => {
                let input = input.first()?.clamp(0.0, 1.0);
                let power = (0..*exponent).fold(1.0, |power, _| power * input);
                Some(from.iter().zip(to).map(|(a, b)| a + power * (b - a)).collect())
            }
            Self::Stitched { parts, bounds, domain, encode } => {
                let low = domain.first().copied().unwrap_or(0.0);
                let high = domain.get(1).copied().unwrap_or(1.0);
                let input = input.first()?.clamp(low, if high > low { high } else { low });
                let place = bounds.iter().take_while(|bound| input >= **bound).count();
                let place = place.min(parts.len() - 1);
                let from = place.checked_sub(1).and_then(|place| bounds.get(place));
                let from = from.copied().unwrap_or(low);
                let to = bounds.get(place).copied().unwrap_or(high);
                let part = if to > from { (input - from) / (to - from) } else { 0.0 };
                let first = encode.get(2 * place).copied().unwrap_or(0.0);
                let last = encode.get(2 * place + 1).copied().unwrap_or(1.0);
                parts.get(place)?.at(&[first + part * (last - first)])
            }
            Self::Program { block, range } => {
                let mut stack = input.to_vec();
                let mut left = MAX_OPERATIONS;
                run(block, &mut stack, &mut left)?;
                let results = range.len() / 2;
                let start = stack.len().checked_sub(results)?;
                stack.get(start..).map(<[f64]>::to_vec)
            }
            Self::List(parts) => {
                let mut results = Vec::new();
                for part in parts {
                    results.extend(part.at(input)?);
                }
                Some(results)
            }
        }
    }
}

/// Bits of samples, most significant first.
fn sample(bytes: &[u8], index: usize, bits: usize) -> u64 {
    let at = |place: usize| u64::from(bytes.get(place).copied().unwrap_or(0));
    match bits {
        8 => at(index),
        16 | 32 => {
            let size = bits / 8;
            (0..size).fold(0, |value, byte| value << 8 | at(index * size + byte))
        }
        _ => {
            let bit = index * bits;
            at(bit / 8) >> (8 - bits - bit % 8) & ((1 << bits) - 1)
        }
    }
}

fn program(document: &mut Document<'_>, bytes: &[u8]) -> Result<Option<Vec<Step>>> {
    let mut open: Vec<Vec<Step>> = Vec::new();
    // Braces are no delimiters to the lexer of documents.
    let spaced: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| match byte {
            b'{' | b'}' => vec![b' ', *byte, b' '],
            other => vec![*other],
        })
        .collect();
    let mut lexer = Lexer::new(&spaced, 0);
    while let Some(token) = lexer.token(&mut document.budget)? {
        match token {
            Token::Keyword(word) if &*word == b"{" => {
                if open.len() > MAX_DEPTH {
                    return Ok(None);
                }
                open.push(Vec::new());
            }
            Token::Keyword(word) if &*word == b"}" => {
                let Some(block) = open.pop() else { return Ok(None) };
                match open.last_mut() {
                    Some(outer) => outer.push(Step::Block(block)),
                    None => return Ok(Some(block)),
                }
            }
            Token::Keyword(word) => {
                let Some(block) = open.last_mut() else { return Ok(None) };
                block.push(Step::Do((*word).into()));
            }
            other => {
                let object = lexer.object_from(Some(other), &mut document.budget)?;
                let Some(number) = object.and_then(|object| object.number()) else {
                    return Ok(None);
                };
                let Some(block) = open.last_mut() else { return Ok(None) };
                block.push(Step::Push(number));
            }
        }
    }
    Ok(None)
}

/// Runs a block; `None` where it fails, or uses what is not the same on every machine.
fn run(block: &[Step], stack: &mut Vec<f64>, left: &mut usize) -> Option<()> {
    for (place, step) in block.iter().enumerate() {
        *left = left.checked_sub(1)?;
        match step {
            Step::Push(number) => stack.push(*number),
            // Run by the `if` or `ifelse` behind it.
            Step::Block(_) => {}
            Step::Do(word) => {
                let before = |back: usize| match block.get(place.checked_sub(back)?)? {
                    Step::Block(inner) => Some(inner),
                    _ => None,
                };
                match &**word {
                    b"if" => {
                        if stack.pop()? != 0.0 {
                            run(before(1)?, stack, left)?;
                        }
                    }
                    b"ifelse" => {
                        let chosen = if stack.pop()? != 0.0 { before(2)? } else { before(1)? };
                        run(chosen, stack, left)?;
                    }
                    word => operate(word, stack)?,
                }
            }
        }
        if stack.len() > MAX_STACK {
            return None;
        }
    }
    Some(())
}

fn operate(word: &[u8], stack: &mut Vec<f64>) -> Option<()> {
    let truth = |truth: bool| if truth { 1.0 } else { 0.0 };
    match word {
        b"pop" => {
            stack.pop()?;
        }
        b"dup" => stack.push(*stack.last()?),
        b"exch" => {
            let place = stack.len().checked_sub(2)?;
            stack.get_mut(place..)?.reverse();
        }
        b"copy" => {
            let count = stack.pop()?;
            let start = stack.len().checked_sub(count.clamp(0.0, 100.0) as usize)?;
            stack.extend_from_within(start..);
        }
        b"index" => {
            let back = stack.pop()?.clamp(0.0, 100.0) as usize;
            stack.push(*stack.get(stack.len().checked_sub(back + 1)?)?);
        }
        b"roll" => {
            let turns = stack.pop()?;
            let count = stack.pop()?.clamp(0.0, 100.0) as usize;
            let start = stack.len().checked_sub(count)?;
            let part = stack.get_mut(start..)?;
            if count > 0 {
                part.rotate_right((turns as i64).rem_euclid(count as i64) as usize);
            }
        }
        b"true" => stack.push(1.0),
        b"false" => stack.push(0.0),
        b"neg" | b"abs" | b"sqrt" | b"ceiling" | b"floor" | b"round" | b"truncate" | b"cvi"
        | b"cvr" | b"not" => {
            let value = stack.pop()?;
            stack.push(match word {
                b"neg" => -value,
                b"abs" => value.abs(),
                b"sqrt" => value.sqrt(),
                b"ceiling" => value.ceil(),
                b"floor" => value.floor(),
                b"round" => (value + 0.5).floor(),
                b"truncate" | b"cvi" => value.trunc(),
                b"not" => truth(value == 0.0),
                _ => value,
            });
        }
        _ => {
            let two = stack.pop()?;
            let one = stack.pop()?;
            stack.push(match word {
                b"add" => one + two,
                b"sub" => one - two,
                b"mul" => one * two,
                b"div" => one / two,
                b"idiv" if two.trunc() != 0.0 => (one.trunc() / two.trunc()).trunc(),
                b"mod" if two.trunc() != 0.0 => one.trunc() % two.trunc(),
                b"eq" => truth(one == two),
                b"ne" => truth(one != two),
                b"gt" => truth(one > two),
                b"ge" => truth(one >= two),
                b"lt" => truth(one < two),
                b"le" => truth(one <= two),
                b"and" => ((one as i64) & (two as i64)) as f64,
                b"or" => ((one as i64) | (two as i64)) as f64,
                b"xor" => ((one as i64) ^ (two as i64)) as f64,
                // Sines, powers and logarithms are the system's.
                _ => return None,
            });
        }
    }
    Some(())
}
