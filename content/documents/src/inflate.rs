//! DEFLATE into a bounded buffer.

use crate::budget::{damaged, Budget, Fault, Result};
use miniz_oxide::inflate::core::{decompress, inflate_flags as flags, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;

/// What stands around the compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// RFC 1951 alone, as in zip.
    Raw,
    /// RFC 1950 with its checksum, as in PDF.
    Zlib,
}

/// Decompresses `data` to at most `limit` bytes. Bytes after the end of the data are ignored.
///
/// # Errors
///
/// [`Fault::Damaged`] for data that is wrong or ends early, [`Fault::TooMuch`] for more output.
pub(crate) fn inflate(
    data: &[u8],
    frame: Frame,
    limit: usize,
    budget: &mut Budget,
) -> Result<Vec<u8>> {
    budget.scan(data.len())?;
    let mut state = Box::<DecompressorOxide>::default();
    let mut out = vec![0; data.len().saturating_mul(3).clamp(1 << 10, 1 << 16).min(limit.max(1))];
    let mut used = 0;
    let mut filled = 0;
    let mut mode = flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    if frame == Frame::Zlib {
        mode |= flags::TINFL_FLAG_PARSE_ZLIB_HEADER;
    }
    loop {
        let rest = data.get(used..).unwrap_or_default();
        let (status, read, written) = decompress(&mut state, rest, &mut out, filled, mode);
        used += read;
        filled += written;
        budget.inflate(written)?;
        match status {
            TINFLStatus::Done => {
                out.truncate(filled);
                return Ok(out);
            }
            TINFLStatus::HasMoreOutput if out.len() >= limit => {
                return Err(Fault::TooMuch {
                    what: "bytes in one compressed part",
                    limit: limit as u64,
                });
            }
            TINFLStatus::HasMoreOutput => {
                out.resize(out.len().saturating_mul(2).min(limit), 0);
            }
            // The data is complete, and viewers show it.
            TINFLStatus::Adler32Mismatch if frame == Frame::Zlib => {
                out.truncate(filled);
                return Ok(out);
            }
            // So is what comes before a break, in a PDF.
            _ if frame == Frame::Zlib && filled > 0 => {
                out.truncate(filled);
                return Ok(out);
            }
            _ => return Err(damaged("compressed data is broken or cut off")),
        }
    }
}
