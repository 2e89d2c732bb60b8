//! Arithmetic on plain `f32` slices: every forward with its hand-written backward beside it.
//!
//! All functions here are deterministic: a row or an attention head is computed by one thread in
//! one fixed order, reductions use a fixed number of lanes, elementary functions are our own, and
//! each element of a matrix product is a fixed chain of fused multiplications and additions. Neither
//! the number of threads nor the CPU's vector instructions change a result; docs/arithmetic.md
//! defines all of it.
//!
//! A package of its own because it alone is compiled with all optimisations in development: what
//! stands on it does little arithmetic itself and builds in a fraction of the time (docs/build.md).
//!
//! Matrices are row-major; "rows" are tokens of all sequences of a batch laid end to end.

pub mod activation;
pub mod adamw;
pub mod attention;
pub mod cpu;
pub mod decoding;
pub mod dora;
pub mod fp8;
pub mod gemm;
pub mod latent;
pub mod linear;
pub mod loss;
pub mod math;
pub mod memory;
pub mod moe;
pub mod norm;
pub mod quant;
pub mod rng;
pub mod rope;
pub mod scalar;

use rayon::prelude::*;

/// Rows handed to one rayon task at a time by [`par_rows`].
const ROWS_PER_TASK: usize = 32;

/// Defines a function whose body is compiled twice: for the baseline CPU and for AVX2, chosen at
/// run time. The body uses plain multiplications and additions, which the compiler never fuses, so
/// both versions give the same bits.
macro_rules! simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[inline]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                unsafe fn avx2($($arg: $ty),*) $(-> $ret)? {
                    body($($arg),*)
                }
                if $crate::cpu::instructions() != $crate::cpu::Instructions::Portable {
                    // SAFETY: every set above the portable one includes AVX2, and the CPU has it.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
/// Calls `f(row index, row)` for each row of `width` values in `out`, in parallel.
pub fn par_rows<F>(out: &mut [f32], width: usize, f: F)
where
    F: Fn(usize, &mut [f32]) + Sync + Send,
{
    if width == 0 {
        return;
    }
    out.par_chunks_mut(width * ROWS_PER_TASK).enumerate().for_each(|(task, rows)| {
        for (i, row) in rows.chunks_mut(width).enumerate() {
            f(task * ROWS_PER_TASK + i, row);
        }
    });
}

pub(crate) use simd;

simd! {
    /// `out[i] += factor * x[i]`.
    pub fn add_scaled(out: &mut [f32], x: &[f32], factor: f32) {
        for (o, x) in out.iter_mut().zip(x) {
            *o += factor * *x;
        }
    }
}

simd! {
    /// `out[i] += x[i]`.
    pub fn add_assign(out: &mut [f32], x: &[f32]) {
        for (o, x) in out.iter_mut().zip(x) {
            *o += *x;
        }
    }
}

/// `out[i] += x[i]` over rows of `width`, in parallel.
pub fn par_add_assign(out: &mut [f32], x: &[f32], width: usize) {
    par_rows(out, width, |i, row| add_assign(row, &x[i * width..][..row.len()]));
}

/// A raw pointer that tasks may share: each writes places that no other touches.
#[derive(Clone, Copy)]
pub struct Shared(pub *mut f32);
// SAFETY: users of `Shared` write disjoint elements from each task (see the call sites).
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// The pointer, taken by method so that closures capture the wrapper and not the bare pointer.
    pub fn get(&self) -> *mut f32 {
        self.0
    }
}
