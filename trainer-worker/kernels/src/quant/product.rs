//! Products of packed weights with integer activations.
//!
//! The inner product of a block of 32 columns is exact in integers, whatever instructions compute
//! it; what follows in `f32` has one order: blocks ascending, for each block
//! `sum += (x_scale * scale) * dot`, then `sum ± x_scaled_sum * minimum`. AVX-512 VNNI, AVX2 and
//! the portable code therefore give the same bits, for any number of threads and whether tokens
//! come one by one or together.

use super::activation::Activations;
use super::blocks::half;
use super::packed::{Packed, PackedKind, COLS, GROUP};
use crate::Shared;
use rayon::prelude::*;
use std::sync::LazyLock;

/// Instruction set of the products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// Any CPU.
    Portable,
    /// AVX2: products of bytes in pairs (`vpmaddubsw`).
    Avx2,
    /// AVX-512 with VNNI: products of bytes in fours (`vpdpbusd`).
    Avx512Vnni,
}

impl Isa {
    /// Those this CPU has, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("f16c") {
                all.push(Self::Avx2);
            }
            if has!("avx512f") && has!("avx512bw") && has!("avx512vnni") {
                all.push(Self::Avx512Vnni);
            }
        }
        all
    }

    /// The fastest that this CPU has.
    pub fn best() -> Self {
        static BEST: LazyLock<Isa> =
            LazyLock::new(|| Isa::available().last().copied().unwrap_or(Isa::Portable));
        *BEST
    }

    /// Its name, as `doctor` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "AVX2",
            Self::Avx512Vnni => "AVX-512 VNNI",
        }
    }
}

/// Tokens whose sums are kept at once.
const TILE: usize = 4;

/// The same where a step takes many rows together.
const WIDE_TILE: usize = 8;

/// Sums of one group of 16 rows for up to [`TILE`] tokens, starting with token `first`.
type Sums<const T: usize> = [[f32; GROUP]; T];

impl Packed {
    /// `y[16 rows of group] = W · x` for token `token`.
    pub fn group_product(
        &self,
        isa: Isa,
        group: usize,
        x: &Activations,
        token: usize,
    ) -> [f32; GROUP] {
        assert!(x.cols() == self.cols() && token < x.rows(), "x has the weight's input width");
        let [sums] = self.tile::<1>(isa, group, x, token);
        sums
    }

    /// [`Self::group_product`] for the tokens from `first` on, one for each of `sums`. The group's
    /// codes are unpacked once for several tokens; each token gets the bits that it gets alone.
    pub fn group_products(
        &self,
        isa: Isa,
        group: usize,
        x: &Activations,
        first: usize,
        sums: &mut [[f32; GROUP]],
    ) {
        assert!(
            x.cols() == self.cols() && first + sums.len() <= x.rows(),
            "x has the weight's input width and all tokens"
        );
        let (tiles, rest) = sums.as_chunks_mut::<WIDE_TILE>();
        let mut token = first;
        for tile in tiles {
            *tile = self.tile::<WIDE_TILE>(isa, group, x, token);
            token += WIDE_TILE;
        }
        let (tiles, rest) = rest.as_chunks_mut::<2>();
        for tile in tiles {
            *tile = self.tile::<2>(isa, group, x, token);
            token += 2;
        }
        for sums in rest {
            [*sums] = self.tile::<1>(isa, group, x, token);
            token += 1;
        }
    }

    /// `y[tokens, rows] = x · Wᵀ` over all threads.
    pub fn product(&self, isa: Isa, y: &mut [f32], x: &Activations) {
        let (rows, tokens) = (self.rows(), x.rows());
        assert!(x.cols() == self.cols(), "x has the weight's input width");
        assert!(y.len() >= rows * tokens, "y covers {tokens} tokens");
        let y = Shared(y.as_mut_ptr());
        (0..self.groups()).into_par_iter().with_min_len(4).for_each(|group| {
            let n = GROUP.min(rows - group * GROUP);
            let write = |token: usize, sums: &[f32; GROUP]| {
                // SAFETY: columns `group * 16..group * 16 + n` of `y` belong to this task alone,
                // and `y` covers `tokens` rows of `rows` values.
                unsafe {
                    let to = y.get().add(token * rows + group * GROUP);
                    std::ptr::copy_nonoverlapping(sums.as_ptr(), to, n);
                }
            };
            let mut token = 0;
            while token + TILE <= tokens {
                let sums = self.tile::<TILE>(isa, group, x, token);
                sums.iter().enumerate().for_each(|(i, s)| write(token + i, s));
                token += TILE;
            }
            while token < tokens {
                let [sums] = self.tile::<1>(isa, group, x, token);
                write(token, &sums);
                token += 1;
            }
        });
    }

    #[inline]
    fn tile<const T: usize>(
        &self,
        isa: Isa,
        group: usize,
        x: &Activations,
        token: usize,
    ) -> Sums<T> {
        let bytes = self.group(group);
        match self.kind() {
            PackedKind::Q4_0 => tile::<Q4_0, T>(isa, bytes, x, token),
            PackedKind::Q4_1 => tile::<Q4_1, T>(isa, bytes, x, token),
            PackedKind::Q8_0 => tile::<Q8_0, T>(isa, bytes, x, token),
            PackedKind::Q4K => tile::<Q4K, T>(isa, bytes, x, token),
            PackedKind::Q6K => tile::<Q6K, T>(isa, bytes, x, token),
        }
    }
}

fn tile<K: Kind, const T: usize>(isa: Isa, bytes: &[u8], x: &Activations, token: usize) -> Sums<T> {
    let blocks = x.cols() / COLS;
    assert!(
        bytes.len() >= blocks / K::KIND.blocks() * K::KIND.super_block() && token + T <= x.rows(),
        "the group holds all blocks and x all tokens"
    );
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: an `Isa` other than `Portable` comes from `available`, which asked the CPU, or
        // from a caller who did; lengths were checked above.
        match isa {
            Isa::Avx512Vnni => return unsafe { super::x86::tile_avx512::<K, T>(bytes, x, token) },
            Isa::Avx2 => return unsafe { super::x86::tile_avx2::<K, T>(bytes, x, token) },
            Isa::Portable => {}
        }
    }
    let _ = isa;
    portable::<K, T>(bytes, x, token)
}

/// The layouts as types, so that each becomes code of its own.
pub(super) trait Kind {
    const KIND: PackedKind;
    /// What was added to each code to make it unsigned.
    const OFFSET: i32;
}

macro_rules! kinds {
    ($($name:ident: $offset:expr),*) => {$(
        pub(super) struct $name;
        impl Kind for $name {
            const KIND: PackedKind = PackedKind::$name;
            const OFFSET: i32 = $offset;
        }
    )*};
}
kinds!(Q4_0: 8, Q4_1: 0, Q8_0: 128, Q4K: 0, Q6K: 32);

/// Where a block and its super-block begin.
#[inline(always)]
pub(super) fn place<K: Kind>(block: usize) -> (usize, usize) {
    let start = block / K::KIND.blocks() * K::KIND.super_block();
    (start, start + K::KIND.head() + block % K::KIND.blocks() * K::KIND.block())
}

fn portable<K: Kind, const T: usize>(bytes: &[u8], x: &Activations, token: usize) -> Sums<T> {
    let blocks = x.cols() / COLS;
    let mut sums = [[0f32; GROUP]; T];
    let half_at = |at: usize, row: usize| {
        half(u16::from_le_bytes([bytes[at + row * 2], bytes[at + row * 2 + 1]]))
    };
    for block in 0..blocks {
        let (start, at) = place::<K>(block);
        let codes = portable_codes::<K>(&bytes[at..at + K::KIND.block()]);
        for (t, sums) in sums.iter_mut().enumerate() {
            let index = (token + t) * blocks + block;
            let (high, low) = (&x.high[index * COLS..][..COLS], &x.low[index * COLS..][..COLS]);
            let (scale, scaled_sum) = (x.scales[index], x.scaled_sums[index]);
            let [low_sum, high_sum] = x.sums[index];
            let mut dots = [[0i32; GROUP]; 2];
            for (k, step) in codes.iter().enumerate() {
                for (row, dot) in dots[k / 4].iter_mut().enumerate() {
                    for i in 0..4 {
                        let x = i32::from(high[k * 4 + i]) * 128 + i32::from(low[k * 4 + i]);
                        *dot += i32::from(step[row * 4 + i]) * x;
                    }
                }
            }
            for (row, sum) in sums.iter_mut().enumerate() {
                let low = dots[0][row] - K::OFFSET * low_sum;
                let high = dots[1][row] - K::OFFSET * high_sum;
                let (weight, dot, minimum) = match K::KIND {
                    PackedKind::Q4_0 | PackedKind::Q8_0 => (half_at(at, row), low + high, None),
                    PackedKind::Q4_1 => (half_at(at, row), low + high, Some(half_at(at + 32, row))),
                    PackedKind::Q4K => (
                        half_at(start, row) * f32::from(bytes[at + row]),
                        low + high,
                        Some(-(half_at(start + 32, row) * f32::from(bytes[at + 16 + row]))),
                    ),
                    PackedKind::Q6K => {
                        let of = |i: usize| i32::from(bytes[at + i * 16 + row] as i8);
                        (half_at(start, row), of(0) * low + of(1) * high, None)
                    }
                };
                *sum += scale * weight * dot as f32;
                if let Some(minimum) = minimum {
                    *sum += scaled_sum * minimum;
                }
            }
        }
    }
    sums
}

/// The codes of a block: four columns of 16 rows at a time.
fn portable_codes<K: Kind>(block: &[u8]) -> [[u8; 64]; 8] {
    let mut codes = [[0u8; 64]; 8];
    if matches!(K::KIND, PackedKind::Q8_0) {
        for (to, from) in codes.iter_mut().zip(block[32..].as_chunks::<64>().0) {
            *to = *from;
        }
        return codes;
    }
    let start = if matches!(K::KIND, PackedKind::Q4_1) { 64 } else { 32 };
    let (low, high) = codes.split_at_mut(4);
    let steps = block[start..].as_chunks::<64>().0.iter();
    for ((low, high), from) in low.iter_mut().zip(high).zip(steps) {
        for i in 0..64 {
            (low[i], high[i]) = (from[i] & 15, from[i] >> 4);
        }
    }
    if matches!(K::KIND, PackedKind::Q6K) {
        for (side, bits) in block[288..].as_chunks::<64>().0.iter().enumerate() {
            for (k, codes) in codes[side * 4..side * 4 + 4].iter_mut().enumerate() {
                for i in 0..64 {
                    codes[i] |= (bits[i] >> (k * 2) & 3) << 4;
                }
            }
        }
    }
    codes
}
