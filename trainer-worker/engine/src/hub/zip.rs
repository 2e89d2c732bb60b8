//! One file out of a zip archive (a Python wheel), stored or deflated.

use crate::error::{read_bounded, Error, Result};
use miniz_oxide::inflate::decompress_slice_iter_to_slice;
use std::path::Path;

const END: u32 = 0x0605_4B50;
const CENTRAL: u32 = 0x0201_4B50;
const LOCAL: u32 = 0x0403_4B50;
/// Largest archive, in bytes.
const MAX_ARCHIVE: u64 = 256 << 20;

fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(len)?)?;
    Some(field.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// Writes the member `name` of the archive, which must be `size` bytes long, to `target`.
pub(super) fn extract(archive: &Path, name: &str, target: &Path, size: u64) -> Result<()> {
    let fail = |reason: &str| Error::Data {
        name: archive.display().to_string(),
        reason: format!("{reason}; remove it and try again"),
    };
    let bytes = read_bounded(archive, MAX_ARCHIVE)?;
    let (method, compressed, at) =
        find(&bytes, name).ok_or_else(|| fail("is no zip archive with the model in it"))?;
    let data =
        bytes.get(at..).and_then(|b| b.get(..compressed)).ok_or_else(|| fail("is cut short"))?;
    let content = match method {
        0 => data.to_vec(),
        8 => {
            let mut content = vec![0u8; usize::try_from(size).unwrap_or(0)];
            let parts = std::iter::once(data);
            let len = decompress_slice_iter_to_slice(&mut content, parts, false, false)
                .map_err(|_| fail("holds a model that cannot be decompressed"))?;
            content.truncate(len);
            content
        }
        _ => return Err(fail("is compressed in an unknown way")),
    };
    if content.len() as u64 != size {
        return Err(fail("holds a model of another size"));
    }
    std::fs::write(target, content).map_err(Error::io("write", target))
}

/// Compression method, compressed size and place of a member's data.
fn find(bytes: &[u8], name: &str) -> Option<(u64, usize, usize)> {
    // The record at the end may be followed by a comment of up to 65,535 bytes.
    let first = bytes.len().saturating_sub(22 + 65_535);
    let end = (first..=bytes.len().checked_sub(22)?)
        .rev()
        .find(|at| number(bytes, *at, 4) == Some(u64::from(END)))?;
    let entries = number(bytes, end + 10, 2)?;
    let mut at = usize::try_from(number(bytes, end + 16, 4)?).ok()?;
    for _ in 0..entries {
        if number(bytes, at, 4)? != u64::from(CENTRAL) {
            return None;
        }
        let field = |offset: usize, len| number(bytes, at + offset, len);
        let name_len = field(28, 2)? as usize;
        if bytes.get(at + 46..)?.get(..name_len)? == name.as_bytes() {
            let local = usize::try_from(field(42, 4)?).ok()?;
            if number(bytes, local, 4)? != u64::from(LOCAL) {
                return None;
            }
            let skipped = number(bytes, local + 26, 2)? + number(bytes, local + 28, 2)?;
            return Some((field(10, 2)?, field(20, 4)? as usize, local + 30 + skipped as usize));
        }
        at += 46 + name_len + field(30, 2)? as usize + field(32, 2)? as usize;
    }
    None
}
