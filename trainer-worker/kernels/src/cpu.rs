//! Which vector instructions the kernels use: chosen once, the best that the CPU has.
//!
//! The choice never changes a result, only its speed. `OPENLEDGER_INSTRUCTIONS` (`portable`, `avx2`
//! or `avx512`) lowers it, so that anyone can check this on one machine.

use std::sync::atomic::{AtomicU8, Ordering};

/// A set of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Instructions {
    /// What the compiler makes of plain code; slow where the CPU has no fused multiplication.
    Portable = 1,
    /// AVX2 with FMA.
    Avx2 = 2,
    /// AVX-512 (F, BW, DQ and VL).
    Avx512 = 3,
}

impl Instructions {
    /// All sets, the smallest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The name, as `OPENLEDGER_INSTRUCTIONS` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this CPU has them.
    pub fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma");
            match self {
                Self::Portable => true,
                Self::Avx2 => avx2,
                Self::Avx512 => {
                    avx2 && has!("avx512f")
                        && has!("avx512bw")
                        && has!("avx512dq")
                        && has!("avx512vl")
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Self::Portable
        }
    }

    /// The greatest set that this CPU has.
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|i| i.available()).unwrap_or(Self::Portable)
    }
}

/// 0 until the first question.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The set in use.
#[inline]
pub fn instructions() -> Instructions {
    match CHOSEN.load(Ordering::Relaxed) {
        1 => Instructions::Portable,
        2 => Instructions::Avx2,
        3 => Instructions::Avx512,
        _ => first_choice(),
    }
}

#[cold]
fn first_choice() -> Instructions {
    let asked = std::env::var("OPENLEDGER_INSTRUCTIONS").unwrap_or_default();
    let asked = Instructions::ALL.into_iter().find(|i| i.name() == asked && i.available());
    let chosen = asked.unwrap_or_else(Instructions::best);
    CHOSEN.store(chosen as u8, Ordering::Relaxed);
    chosen
}

/// Uses another set from now on, in the whole process; returns whether the CPU has it (otherwise
/// nothing changes). Meant for tests and comparisons.
pub fn use_instructions(set: Instructions) -> bool {
    let available = set.available();
    if available {
        CHOSEN.store(set as u8, Ordering::Relaxed);
    }
    available
}
