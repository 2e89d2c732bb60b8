//! Which pixels count: tiles of 16 × 16 that show something, each once.
//!
//! A tile is **flat** if each channel's levels have a standard deviation of at most [`FLAT_DEVIATION`]:
//! the noise of a scanner makes no picture of an empty page. A tile is **seen before** if the same 16 × 16 pixels begin
//! earlier, in any place and not only on the grid, so that a pattern or a wallpaper counts once
//! whatever its period is. At the right and lower edge a tile is what is left of it, and the 16 × 16
//! pixels that end there say whether it was seen before.
//!
//! Pixels are compared by polynomial hashes of 64 bits that roll over rows and columns (Karp and
//! Rabin 1987): two different tiles of a picture of the largest size are taken for the same with a
//! probability under one in a million, and then on every machine.

use super::{Counted, FLAT_DEVIATION, TILE};
use crate::{Hidden, LeftOut};
use std::collections::HashMap;

const ROW: u64 = 0x9e37_79b9_7f4a_7c15;
const COLUMN: u64 = 0xc2b2_ae3d_27d4_eb4f;
/// Bits of the filter before the table of hashes.
const FILTER_BITS: u32 = 22;

/// Spreads a value over 64 bits (the finaliser of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let mut x = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A set of hashes that answers "no" fast.
pub(crate) struct Filter {
    bits: Vec<u64>,
    shift: u32,
}

impl Filter {
    pub(crate) fn new(bits: u32) -> Self {
        Self { bits: vec![0; 1 << (bits - 6)], shift: 64 - bits }
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        let bit = mix(hash) >> self.shift;
        ((bit >> 6) as usize, 1 << (bit & 63))
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// A tile that is not flat.
struct Tile {
    /// Pixels of it.
    pixels: u64,
    /// Where its window of 16 × 16 begins: y × width + x.
    origin: u64,
    hash: u64,
}

/// Counts a picture of `width` × `height` packed pixels, row by row.
pub(crate) fn count(width: u32, height: u32, packed: &[u32]) -> Counted {
    let (width, height) = (width as usize, height as usize);
    let (across, down) = (width.min(TILE as usize), height.min(TILE as usize));
    let row = |y: usize| packed.get(y * width..(y + 1) * width).unwrap_or_default();
    let mut counted = Counted::default();
    let mut flat = 0_u64;
    let mut tiles = Vec::new();
    for top in (0..height).step_by(TILE as usize) {
        for left in (0..width).step_by(TILE as usize) {
            let (right, bottom) = ((left + across).min(width), (top + down).min(height));
            let pixels = ((right - left) * (bottom - top)) as u64;
            if is_flat((top..bottom).map(|y| row(y).get(left..right).unwrap_or_default())) {
                flat += pixels;
                continue;
            }
            let (x, y) = (left.min(width - across), top.min(height - down));
            let hash = (y..y + down).fold(0_u64, |hash, y| {
                let window = row(y).get(x..x + across).unwrap_or_default();
                let one = window.iter().fold(0_u64, |hash, pixel| roll(hash, ROW, *pixel));
                hash.wrapping_mul(COLUMN).wrapping_add(mix(one))
            });
            tiles.push(Tile { pixels, origin: (y * width + x) as u64, hash });
        }
    }
    let first = first_places(width, height, (across, down), row, &tiles);
    let mut again = 0_u64;
    for tile in &tiles {
        match first.get(&tile.hash) {
            Some(place) if *place < tile.origin => again += tile.pixels,
            _ => counted.units += tile.pixels,
        }
    }
    counted.left_out = LeftOut::default();
    counted.left_out.add(Hidden::Flat, flat);
    counted.left_out.add(Hidden::Again, again);
    counted
}

fn roll(hash: u64, base: u64, pixel: u32) -> u64 {
    hash.wrapping_mul(base).wrapping_add(mix(pixel.into()))
}

/// Where the pixels of each tile begin for the first time.
fn first_places<'a>(
    width: usize,
    height: usize,
    (across, down): (usize, usize),
    row: impl Fn(usize) -> &'a [u32],
    tiles: &[Tile],
) -> HashMap<u64, u64> {
    let mut filter = Filter::new(FILTER_BITS);
    let mut first: HashMap<u64, u64> = HashMap::with_capacity(tiles.len());
    for tile in tiles {
        filter.insert(tile.hash);
        first.insert(tile.hash, u64::MAX);
    }
    let power = |base: u64, exponent: usize| (0..exponent).fold(1_u64, |p, _| p.wrapping_mul(base));
    // What leaves a window has been multiplied once for each of the others.
    let (leaving, sinking) = (power(ROW, across - 1), power(COLUMN, down - 1));
    let places = width - across + 1;
    // Hashes of the windows of one row, for the last `down` rows; and the columns' hashes of them.
    let mut ring = vec![0_u64; places * down];
    let mut columns = vec![0_u64; places];
    for y in 0..height {
        let pixels = row(y);
        let slot = (y % down) * places;
        let Some(ring) = ring.get_mut(slot..slot + places) else { break };
        let (head, rest) = pixels.split_at(across.min(pixels.len()));
        let mut hash = head.iter().fold(0_u64, |hash, pixel| roll(hash, ROW, *pixel));
        let mut moves = pixels.iter().zip(rest);
        for (x, (old, column)) in ring.iter_mut().zip(&mut columns).enumerate() {
            let new = mix(hash);
            // The ring holds zeros until it is full, which take nothing away.
            *column = column.wrapping_sub(old.wrapping_mul(sinking));
            *column = column.wrapping_mul(COLUMN).wrapping_add(new);
            *old = new;
            if y + 1 >= down && filter.may_hold(*column) {
                if let Some(place) = first.get_mut(column) {
                    *place = (*place).min(((y + 1 - down) * width + x) as u64);
                }
            }
            if let Some((left, right)) = moves.next() {
                hash = hash.wrapping_sub(mix((*left).into()).wrapping_mul(leaving));
                hash = roll(hash, ROW, *right);
            }
        }
    }
    first
}

fn is_flat<'a>(rows: impl Iterator<Item = &'a [u32]>) -> bool {
    // A tile has at most 256 pixels, so that nothing here comes near the end of its type.
    let (mut count, mut sums, mut squares) = (0_u64, [0_u64; 4], [0_u64; 4]);
    for pixel in rows.flatten() {
        count += 1;
        for ((sum, squares), level) in sums.iter_mut().zip(&mut squares).zip(pixel.to_le_bytes()) {
            *sum += u64::from(level);
            *squares += u64::from(level) * u64::from(level);
        }
    }
    let most = u64::from(FLAT_DEVIATION) * count;
    sums.iter().zip(squares).all(|(sum, squares)| count * squares - sum * sum <= most * most)
}
