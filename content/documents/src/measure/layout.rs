//! Where a file ends by its own words: chunks of PNG and RIFF, the headers of BMP, TIFF and FLAC.
//!
//! Decoders stop when they have what they need, and some fill in what is missing, so whether a file
//! is whole is looked at before.

use super::{trailing, Refusal, Refused, Result2};

/// Most pages of a TIFF file.
const MAX_PAGES: usize = 1_000;

/// The four bytes at `at`.
fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

fn cut(what: &str, needs: u64, has: usize) -> Refused {
    Refused(Refusal::Truncated, format!("{what} ends at byte {needs}, the file has {has}"))
}

/// A PNG file: chunks up to IEND.
pub(crate) fn png(bytes: &[u8]) -> Result2<()> {
    let mut at = 8_usize;
    loop {
        let head = four(bytes, at).zip(four(bytes, at.saturating_add(4)));
        let Some((length, kind)) = head else {
            return Err(cut("its next chunk", at as u64 + 12, bytes.len()));
        };
        let end = at as u64 + 12 + u64::from(u32::from_be_bytes(length));
        if end > bytes.len() as u64 {
            return Err(cut("a chunk", end, bytes.len()));
        }
        at = end as usize;
        if &kind == b"IEND" {
            return trailing(at, bytes.len());
        }
    }
}

/// A RIFF file (WebP, WAV). Calls `chunk` with each chunk's kind and data.
pub(crate) fn riff<'a>(
    bytes: &'a [u8],
    mut chunk: impl FnMut([u8; 4], &'a [u8]) -> Result2<()>,
) -> Result2<()> {
    let Some(size) = four(bytes, 4).map(u32::from_le_bytes) else {
        return Err(cut("its header", 12, bytes.len()));
    };
    let end = u64::from(size) + 8;
    if end > bytes.len() as u64 {
        return Err(cut("what it declares", end, bytes.len()));
    }
    let all = bytes.get(..end as usize).unwrap_or(bytes);
    let mut at = 12_usize;
    // A byte alone at the end is padding.
    while at + 1 < all.len() {
        let head = four(all, at).zip(four(all, at + 4));
        let Some((kind, length)) = head else {
            return Err(cut("its last chunk", at as u64 + 8, all.len()));
        };
        let start = at + 8;
        let end = start as u64 + u64::from(u32::from_le_bytes(length));
        let Some(data) = usize::try_from(end).ok().and_then(|end| all.get(start..end)) else {
            return Err(cut("a chunk", end, all.len()));
        };
        chunk(kind, data)?;
        at = start + data.len() + (data.len() & 1);
    }
    trailing(all.len(), bytes.len())
}

/// A BMP file, whose header says how long it is; zero says nothing.
pub(crate) fn bmp(bytes: &[u8]) -> Result2<()> {
    let Some(size) = four(bytes, 2).map(u32::from_le_bytes) else {
        return Err(cut("its header", 54, bytes.len()));
    };
    match size {
        0 => Ok(()),
        size if u64::from(size) > bytes.len() as u64 => {
            Err(cut("what it declares", size.into(), bytes.len()))
        }
        size => trailing(size as usize, bytes.len()),
    }
}

/// A TIFF file: the directories of all its pages are there, and what they point to. Since it may lie
/// anywhere, nothing can be said of bytes that belong to nothing.
pub(crate) fn tiff(bytes: &[u8]) -> Result2<()> {
    let tiff = Tiff { bytes, big: bytes.starts_with(b"MM") };
    let mut place = tiff.long(4);
    for _ in 0..MAX_PAGES {
        let at = match place {
            Some(0) => return Ok(()),
            Some(at) => at as usize,
            None => return Err(cut("its header", 8, bytes.len())),
        };
        let Some(entries) = tiff.short(at) else {
            return Err(cut("a directory", at as u64 + 2, bytes.len()));
        };
        let next = at + 2 + 12 * entries as usize;
        place = tiff.long(next);
        if place.is_none() {
            return Err(cut("a directory", next as u64 + 4, bytes.len()));
        }
        let (mut places, mut sizes) = (Vec::new(), Vec::new());
        for entry in (at + 2..next).step_by(12) {
            let values = tiff.values(entry)?;
            match tiff.short(entry) {
                // Where strips or tiles are, and how long.
                Some(273 | 324) => places = values,
                Some(279 | 325) => sizes = values,
                _ => {}
            }
        }
        for (place, size) in places.iter().zip(&sizes) {
            let end = u64::from(*place) + u64::from(*size);
            if end > bytes.len() as u64 {
                return Err(cut("a strip or tile of a page", end, bytes.len()));
            }
        }
    }
    let detail = format!("it has more than {MAX_PAGES} pages, or they go round in a circle");
    Err(Refused(Refusal::TooLarge, detail))
}

struct Tiff<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl Tiff<'_> {
    fn short(&self, at: usize) -> Option<u32> {
        let two = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }.into())
    }

    fn long(&self, at: usize) -> Option<u32> {
        let four = four(self.bytes, at)?;
        Some(if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }

    /// The values of a directory's entry, which lie elsewhere if they do not fit into it; those of
    /// other types than whole numbers are only looked for.
    fn values(&self, entry: usize) -> Result2<Vec<u32>> {
        let kind = self.short(entry + 2);
        let size = match kind {
            Some(3 | 8) => 2,
            Some(4 | 9 | 11 | 13) => 4,
            Some(5 | 10 | 12) => 8,
            _ => 1,
        };
        let count = self.long(entry + 4).unwrap_or_default() as usize;
        let inside = count.checked_mul(size).is_some_and(|bytes| bytes <= 4);
        let at = if inside { entry + 8 } else { self.long(entry + 8).unwrap_or_default() as usize };
        let end = at as u64 + count as u64 * size as u64;
        if end > self.bytes.len() as u64 {
            return Err(cut("an entry of a directory", end, self.bytes.len()));
        }
        let one = |place| match kind {
            Some(3) => self.short(place),
            Some(4) => self.long(place),
            _ => None,
        };
        if !matches!(kind, Some(3 | 4)) {
            return Ok(Vec::new());
        }
        Ok((0..count).filter_map(|number| one(at + number * size)).collect())
    }
}

/// Metadata of a FLAC file: its STREAMINFO and where the frames begin.
pub(crate) fn flac(bytes: &[u8]) -> Result2<(&[u8], usize)> {
    let mut at = 4_usize;
    let mut info = None;
    loop {
        let Some([kind, length @ ..]) = four(bytes, at) else {
            return Err(cut("its metadata", at as u64 + 4, bytes.len()));
        };
        let [high, middle, low] = length;
        let start = at + 4;
        let end = start + u32::from_be_bytes([0, high, middle, low]) as usize;
        let Some(data) = bytes.get(start..end) else {
            return Err(cut("its metadata", end as u64, bytes.len()));
        };
        if kind & 0x7f == 0 && info.is_none() {
            info = Some(data);
        }
        at = end;
        if kind & 0x80 != 0 {
            break;
        }
    }
    match info {
        Some(info) if info.len() == 34 => Ok((info, at)),
        Some(info) => Err(Refused(
            Refusal::Damaged,
            format!("its STREAMINFO has {} bytes, 34 belong there", info.len()),
        )),
        None => Err(Refused(Refusal::Damaged, "it has no STREAMINFO".into())),
    }
}
