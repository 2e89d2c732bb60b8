//! The zip container of a `.docx`, as far as Office Open XML uses it: stored and deflated entries,
//! one disk, no zip64.

use crate::budget::{damaged, Budget, Fault, Result};
use crate::inflate::{inflate, Frame};

/// Most entries; Word's own documents have tens.
const MAX_ENTRIES: usize = 4096;
/// Longest name.
const MAX_NAME: usize = 512;
/// The comment at a zip's end is at most this long.
const MAX_COMMENT: usize = 65_535;
const END: &[u8; 4] = b"PK\x05\x06";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";

/// One file in the container.
struct Entry<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    crc: u32,
    packed: usize,
    size: usize,
    local: usize,
}

/// A container with its directory read.
pub(crate) struct Zip<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry<'a>>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let end = at.checked_add(2)?;
    Some(u16::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    Some(u32::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

impl<'a> Zip<'a> {
    /// Reads the directory.
    ///
    /// # Errors
    ///
    /// [`Fault::Damaged`] for what is no such container, for two entries of one name (programs
    /// would disagree about which one counts), and [`Fault::TooMuch`] for too many entries.
    pub(crate) fn open(bytes: &'a [u8], budget: &mut Budget) -> Result<Self> {
        budget.scan(bytes.len().min(MAX_COMMENT))?;
        let cut = || damaged("the zip directory is missing or cut off");
        let from = bytes.len().saturating_sub(22 + MAX_COMMENT);
        let tail = bytes.get(from..).unwrap_or_default();
        let end = tail.windows(4).rposition(|window| window == END).ok_or_else(cut)? + from;
        let count = usize::from(u16_at(bytes, end + 10).ok_or_else(cut)?);
        let start = u32_at(bytes, end + 16).ok_or_else(cut)?;
        if u16_at(bytes, end + 4) != Some(0) || start == u32::MAX || count == 0xffff {
            return Err(damaged("zip64 and containers of several disks are not read"));
        }
        if count > MAX_ENTRIES {
            return Err(Fault::TooMuch { what: "entries", limit: MAX_ENTRIES as u64 });
        }
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(count);
        let mut at = start as usize;
        for _ in 0..count {
            if bytes.get(at..at.saturating_add(4)) != Some(CENTRAL) {
                return Err(cut());
            }
            let short = |offset| u16_at(bytes, at + offset).map(usize::from).ok_or_else(cut);
            let long = |offset| u32_at(bytes, at + offset).ok_or_else(cut);
            let (name, extra, comment) = (short(28)?, short(30)?, short(32)?);
            if name > MAX_NAME {
                return Err(Fault::TooMuch { what: "bytes in a name", limit: MAX_NAME as u64 });
            }
            entries.push(Entry {
                name: bytes.get(at + 46..at + 46 + name).ok_or_else(cut)?,
                flags: u16_at(bytes, at + 8).ok_or_else(cut)?,
                method: u16_at(bytes, at + 10).ok_or_else(cut)?,
                crc: long(16)?,
                packed: long(20)? as usize,
                size: long(24)? as usize,
                local: long(42)? as usize,
            });
            at += 46 + name + extra + comment;
        }
        entries.sort_by_key(|entry| entry.name);
        if entries.windows(2).any(|pair| matches!(pair, [a, b] if a.name == b.name)) {
            return Err(damaged("two entries have the same name"));
        }
        Ok(Self { bytes, entries })
    }

    /// Whether there is an entry whose name ends so.
    pub(crate) fn has_suffix(&self, suffix: &str) -> bool {
        self.entries.iter().any(|entry| entry.name.ends_with(suffix.as_bytes()))
    }

    /// The bytes of an entry, if there is one of this name.
    ///
    /// # Errors
    ///
    /// [`Fault::Encrypted`], [`Fault::Damaged`] (also for a wrong CRC), [`Fault::TooMuch`].
    pub(crate) fn read(
        &self,
        name: &str,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<Option<Vec<u8>>> {
        let Ok(index) = self.entries.binary_search_by(|entry| entry.name.cmp(name.as_bytes()))
        else {
            return Ok(None);
        };
        let Some(entry) = self.entries.get(index) else { return Ok(None) };
        if entry.flags & 1 != 0 {
            return Err(Fault::Encrypted);
        }
        let broken = || damaged(format!("{name} is broken or cut off"));
        let local = entry.local;
        if self.bytes.get(local..local.saturating_add(4)) != Some(LOCAL) {
            return Err(broken());
        }
        let skip = |offset| u16_at(self.bytes, local + offset).map(usize::from).ok_or_else(broken);
        let start = local + 30 + skip(26)? + skip(28)?;
        let packed =
            self.bytes.get(start..start.saturating_add(entry.packed)).ok_or_else(broken)?;
        if entry.size > limit {
            return Err(Fault::TooMuch {
                what: "bytes in one compressed part",
                limit: limit as u64,
            });
        }
        let data = match entry.method {
            0 => {
                budget.inflate(packed.len())?;
                packed.to_vec()
            }
            8 => inflate(packed, Frame::Raw, limit, budget)?,
            other => return Err(damaged(format!("{name} is packed by method {other}"))),
        };
        if data.len() != entry.size || crc32(&data) != entry.crc {
            return Err(broken());
        }
        Ok(Some(data))
    }
}

/// CRC-32 as zip uses it (ISO 3309, reflected 0xEDB88320).
fn crc32(data: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !data.iter().fold(!0, |crc, byte| {
        // The index is a byte, and the table has 256 entries.
        TABLE[usize::from((crc as u8) ^ byte)] ^ (crc >> 8)
    })
}
