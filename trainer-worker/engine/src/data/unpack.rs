//! gzip and Zstandard into bounded memory.

use super::formats::Packing;
use miniz_oxide::inflate::core::{decompress, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;
use std::io::Read;

/// Decompresses to at most `limit` bytes.
///
/// # Errors
///
/// In words, what is wrong: damaged data, or more than `limit` bytes.
pub(super) fn unpack(packing: Packing, data: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    match packing {
        Packing::Plain if data.len() > limit => Err(too_much(limit)),
        Packing::Plain => Ok(data.to_vec()),
        Packing::Gzip => gzip(data, limit),
        Packing::Zstd => zstd(data, limit),
    }
}

fn too_much(limit: usize) -> String {
    format!("it decompresses to more than {limit} bytes; split it into smaller files")
}

/// Frames one after the other, as `zstd -T` and `cat` make them.
pub(super) fn zstd(data: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut rest = data;
    let mut out = Vec::new();
    while !rest.is_empty() {
        // A frame that is to be skipped: its number, and its length.
        if let Some([0x50..=0x5F, 0x2A, 0x4D, 0x18, a, b, c, d]) = rest.first_chunk::<8>() {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            rest = rest.get(8..).and_then(|rest| rest.get(length..)).ok_or("it is cut off")?;
            continue;
        }
        let fail = |reason: String| format!("its Zstandard data is broken: {reason}");
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(&mut rest)
            .map_err(|error| fail(error.to_string()))?;
        let room = (limit - out.len()) as u64 + 1;
        Read::by_ref(&mut decoder)
            .take(room)
            .read_to_end(&mut out)
            .map_err(|error| fail(error.to_string()))?;
        if out.len() > limit {
            return Err(too_much(limit));
        }
    }
    Ok(out)
}

/// Members one after the other (RFC 1952), each with its length and checksum.
pub(super) fn gzip(data: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = data;
    loop {
        let body = gzip_header(rest).ok_or_else(|| match data.len() - rest.len() {
            0 => "it is no gzip data".to_owned(),
            end => format!(
                "{} bytes after the end of its gzip data (byte {end}) are no gzip data; take \
                 them off, or pack the file anew",
                rest.len()
            ),
        })?;
        let start = out.len();
        let used = inflate(body, &mut out, limit)?;
        let end = body.get(used..).unwrap_or_default();
        let (Some(sum), Some(size)) =
            (end.get(..4).and_then(little), end.get(4..8).and_then(little))
        else {
            return Err("its gzip data is cut off".to_owned());
        };
        let made = out.get(start..).unwrap_or_default();
        if size != made.len() as u32 || sum != crc32(made) {
            return Err("its gzip data is broken: the checksum is wrong".to_owned());
        }
        rest = end.get(8..).unwrap_or_default();
        // What is no further member is padding, which gzip ignores too.
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(out);
        }
    }
}

fn little(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_le_bytes)
}

/// What follows a member's header.
fn gzip_header(data: &[u8]) -> Option<&[u8]> {
    let (head, mut rest) = data.split_first_chunk::<10>()?;
    let [0x1F, 0x8B, 8, set, ..] = *head else { return None };
    let text = |rest: &mut &[u8]| -> Option<()> {
        let end = rest.iter().position(|byte| *byte == 0)?;
        *rest = rest.get(end + 1..)?;
        Some(())
    };
    if set & 4 != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    if set & 8 != 0 {
        text(&mut rest)?;
    }
    if set & 16 != 0 {
        text(&mut rest)?;
    }
    if set & 2 != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

/// Appends what DEFLATE data says, and returns how many bytes of it were used.
fn inflate(data: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<usize, String> {
    // Back references reach 32 KiB: through a ring of that size, `out` may hold other members.
    let mut ring = vec![0_u8; 1 << 15];
    let mut state = Box::<DecompressorOxide>::default();
    let (mut used, mut at) = (0, 0);
    loop {
        let rest = data.get(used..).unwrap_or_default();
        let (status, read, written) = decompress(&mut state, rest, &mut ring, at, 0);
        used += read;
        out.extend_from_slice(ring.get(at..at + written).unwrap_or_default());
        at = (at + written) % ring.len();
        if out.len() > limit {
            return Err(too_much(limit));
        }
        match status {
            TINFLStatus::Done => return Ok(used),
            TINFLStatus::HasMoreOutput => {}
            _ => return Err("its gzip data is broken or cut off".to_owned()),
        }
    }
}

/// The checksum of gzip (ISO 3309, reflected polynomial EDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    static TABLE: [u32; 256] = {
        let mut table = [0_u32; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut value = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xEDB8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[byte] = value;
            byte += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum: u32, byte| {
        let index = usize::from(sum as u8 ^ byte);
        sum >> 8 ^ TABLE.get(index).copied().unwrap_or_default()
    })
}
