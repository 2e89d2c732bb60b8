//! Weights laid out anew for integer products: 16 rows side by side.
//!
//! A group is 16 rows (missing ones are zero); its blocks of 32 columns follow one another. Within
//! a block, a step of 64 bytes holds four columns of all 16 rows, row by row, so that one 512-bit
//! register feeds 16 sums of four products (`vpdpbusd`). Four-bit codes of columns `c` and `c + 16`
//! share a byte, as in ggml's blocks, and scales of the 16 rows lie together. No code is changed
//! and nothing is rounded: the packed weight takes as many bytes as the blocks did.

use super::blocks::{scale_min, BlockType};
use rayon::prelude::*;

/// Rows in a group.
pub const GROUP: usize = 16;
/// Columns in a block of codes.
pub(super) const COLS: usize = super::activation::BLOCK;

/// What can be packed, with the bytes of a head for each 1 or 8 blocks and of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackedKind {
    /// Q4_0: 16 half-precision scales, then codes.
    Q4_0,
    /// Q4_1: 16 scales, 16 minima, then codes.
    Q4_1,
    /// Q8_0: 16 scales, then codes plus 128.
    Q8_0,
    /// Q4K: for eight blocks 16 scales and 16 minima; each block 16 scales of the scales, 16 of
    /// the minima, then codes.
    Q4K,
    /// Q6K: for eight blocks 16 scales; each block 16 scales for each half, then the low four and
    /// the high two bits of the codes.
    Q6K,
}

impl PackedKind {
    fn of(block_type: BlockType) -> Option<Self> {
        Some(match block_type {
            BlockType::Q4_0 => Self::Q4_0,
            BlockType::Q4_1 => Self::Q4_1,
            BlockType::Q8_0 => Self::Q8_0,
            BlockType::Q4K => Self::Q4K,
            BlockType::Q6K => Self::Q6K,
            _ => return None,
        })
    }

    /// Bytes before the blocks of a super-block.
    pub(super) const fn head(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q4_1 | Self::Q8_0 => 0,
            Self::Q4K => 64,
            Self::Q6K => 32,
        }
    }

    /// Bytes of a block of 16 rows and 32 columns.
    pub(super) const fn block(self) -> usize {
        match self {
            Self::Q4_0 => 32 + 256,
            Self::Q4_1 => 64 + 256,
            Self::Q8_0 => 32 + 512,
            Self::Q4K => 32 + 256,
            Self::Q6K => 32 + 256 + 128,
        }
    }

    /// Blocks of a super-block.
    pub(super) const fn blocks(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q4_1 | Self::Q8_0 => 1,
            Self::Q4K | Self::Q6K => 8,
        }
    }

    /// Bytes of a super-block.
    pub(super) const fn super_block(self) -> usize {
        self.head() + self.blocks() * self.block()
    }
}

/// A cache line, so that groups begin on one.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line(
    /// Read and written through pointers to whole groups.
    #[allow(dead_code)]
    [u8; 64],
);

/// A weight `[rows, cols]` in groups of 16 rows.
#[derive(Debug, Clone)]
pub struct Packed {
    kind: PackedKind,
    lines: Vec<Line>,
    rows: usize,
    cols: usize,
    group_lines: usize,
}

impl Packed {
    /// Packs the blocks of `rows` rows of `cols` values; `None` for types without integer products.
    pub fn new(block_type: BlockType, bytes: &[u8], rows: usize, cols: usize) -> Option<Self> {
        let kind = PackedKind::of(block_type)?;
        let row_bytes = block_type.bytes_for(cols)?;
        if rows.checked_mul(row_bytes) != Some(bytes.len()) || row_bytes == 0 {
            return None;
        }
        let supers = cols / (COLS * kind.blocks());
        let group_lines = (supers * kind.super_block()).div_ceil(64);
        let groups = rows.div_ceil(GROUP);
        let mut lines = vec![Line([0; 64]); groups * group_lines];
        lines.par_chunks_mut(group_lines).enumerate().for_each(|(group, lines)| {
            // SAFETY: a `Line` is 64 bytes without padding.
            let out = unsafe {
                std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<u8>(), lines.len() * 64)
            };
            for row in 0..GROUP.min(rows - group * GROUP) {
                let from = &bytes[(group * GROUP + row) * row_bytes..][..row_bytes];
                let blocks = from.chunks_exact(block_type.block_bytes());
                for (out, from) in out.chunks_exact_mut(kind.super_block()).zip(blocks) {
                    match kind {
                        PackedKind::Q4_0 => four_bit(out, from, row, 1),
                        PackedKind::Q4_1 => four_bit(out, from, row, 2),
                        PackedKind::Q8_0 => eight_bit(out, from, row),
                        PackedKind::Q4K => q4k(out, from, row),
                        PackedKind::Q6K => q6k(out, from, row),
                    }
                }
            }
        });
        Some(Self { kind, lines, rows, cols, group_lines })
    }

    /// Its layout.
    pub fn kind(&self) -> PackedKind {
        self.kind
    }

    /// Rows: width of the output.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: width of the input.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Groups of 16 rows.
    pub fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.lines.len() * 64
    }

    /// The bytes of a group.
    pub(super) fn group(&self, group: usize) -> &[u8] {
        let lines = &self.lines[group * self.group_lines..][..self.group_lines];
        // SAFETY: a `Line` is 64 bytes without padding.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast::<u8>(), lines.len() * 64) }
    }
}

/// Copies the two bytes of scale number `which` of a row to its place among those of 16 rows.
fn scale(out: &mut [u8], from: &[u8], row: usize, which: usize) {
    out[which * 32 + row * 2..][..2].copy_from_slice(&from[which * 2..][..2]);
}

/// Places 32 codes of four bits, given for columns 0..16 and 16..32.
fn nibbles(out: &mut [u8], row: usize, low: impl Fn(usize) -> u8, high: impl Fn(usize) -> u8) {
    for c in 0..16 {
        out[c / 4 * 64 + row * 4 + c % 4] = low(c) & 15 | high(c) << 4;
    }
}

fn four_bit(out: &mut [u8], from: &[u8], row: usize, scales: usize) {
    for which in 0..scales {
        scale(out, from, row, which);
    }
    let codes = &from[scales * 2..];
    nibbles(&mut out[scales * 32..], row, |c| codes[c], |c| codes[c] >> 4);
}

fn eight_bit(out: &mut [u8], from: &[u8], row: usize) {
    scale(out, from, row, 0);
    for (c, code) in from[2..].iter().enumerate() {
        out[32 + c / 4 * 64 + row * 4 + c % 4] = code ^ 0x80;
    }
}

fn q4k(out: &mut [u8], from: &[u8], row: usize) {
    scale(out, from, row, 0);
    scale(out, from, row, 1);
    let scales: [u8; 12] = std::array::from_fn(|i| from[4 + i]);
    let kind = PackedKind::Q4K;
    for (part, out) in out[kind.head()..].chunks_exact_mut(kind.block()).enumerate() {
        let (s, m) = scale_min(&scales, part);
        out[row] = s;
        out[16 + row] = m;
        let codes = &from[16 + part / 2 * 32..][..32];
        let code = |c: usize| codes[c] >> (part % 2 * 4) & 15;
        nibbles(&mut out[32..], row, code, |c| code(c + 16));
    }
}

fn q6k(out: &mut [u8], from: &[u8], row: usize) {
    out[row * 2..][..2].copy_from_slice(&from[208..210]);
    let kind = PackedKind::Q6K;
    for (part, out) in out[kind.head()..].chunks_exact_mut(kind.block()).enumerate() {
        let (side, quarter) = (part / 4, part % 4);
        out[row] = from[192 + part * 2];
        out[16 + row] = from[192 + part * 2 + 1];
        let low = &from[side * 64 + quarter % 2 * 32..][..32];
        let high = &from[128 + side * 32..][..32];
        let code = |c: usize| low[c] >> (quarter / 2 * 4) & 15;
        nibbles(&mut out[32..], row, code, |c| code(c + 16));
        // Byte (row, c % 4) of each 64 holds the high bits of four columns, 4 apart.
        for c in 0..32 {
            let bits = high[c] >> (quarter * 2) & 3;
            out[288 + c / 16 * 64 + row * 4 + c % 4] |= bits << (c / 4 % 4 * 2);
        }
    }
}
