//! What workers declare and jobs need, in classes that storage can be ordered by.
//!
//! A job and a worker fit each other by kind, base model, size, speed and price. Speed and size are
//! rounded to classes, so that of each combination only the first entry has to be looked at, and
//! nobody who does not fit hides somebody who does.

use crate::{BaseModelId, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Most base models that a worker may list.
pub const MAX_MODELS: u32 = 8;

/// Tokens a second, rounded down to a power of two: class n stands for 2ⁿ.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct RateClass(u8);

impl RateClass {
    /// How many classes there are.
    pub const COUNT: u8 = 16;
    /// The fastest: 32,768 tokens a second, and all that is faster.
    pub const FASTEST: Self = Self(Self::COUNT - 1);

    /// The class of a worker that trains so many tokens a second; one that trains none is taken for
    /// one a second.
    pub fn declared(tokens_per_second: u32) -> Self {
        let class = tokens_per_second.checked_ilog2().unwrap_or(0) as u8;
        Self(class.min(Self::COUNT - 1))
    }

    /// Every class, the slowest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// Tokens a second of the class.
    pub const fn tokens_per_second(self) -> u32 {
        // Every constructor keeps the class below 16; damaged storage may not.
        1 << if self.0 < Self::COUNT { self.0 } else { Self::COUNT - 1 }
    }
}

/// Size of a base model's weights, rounded up: 256 MiB, and twice as much in each further class.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct SizeClass(u8);

impl SizeClass {
    /// How many classes there are.
    pub const COUNT: u8 = 16;
    /// Bytes of the smallest class.
    const FIRST: u64 = 256 << 20;

    /// The class that weights of so many bytes fall into. Beyond 4 TiB all are of the last.
    pub fn of(bytes: u64) -> Self {
        let fits = |class: &u8| *class + 1 == Self::COUNT || bytes <= Self::limit(*class);
        Self((0..Self::COUNT).find(fits).unwrap_or(Self::COUNT - 1))
    }

    /// The largest class whose weights a worker that takes up to so many bytes can all take; `None`
    /// below 256 MiB.
    pub fn up_to(bytes: u64) -> Option<Self> {
        (0..Self::COUNT).rev().find(|class| Self::limit(*class) <= bytes).map(Self)
    }

    /// This class and every larger one.
    pub fn and_larger(self) -> impl Iterator<Item = Self> {
        (self.0..Self::COUNT).map(Self)
    }

    /// Bytes of the greatest weights of the class but the last, which has no greatest.
    pub const fn bytes(self) -> u64 {
        Self::limit(self.0)
    }

    const fn limit(class: u8) -> u64 {
        Self::FIRST.saturating_mul(1 << class)
    }
}

/// Which base models a worker has opted in to.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Serves {
    /// These; an empty list is none at all.
    Models(BoundedVec<BaseModelId, ConstU32<MAX_MODELS>>),
    /// Any whose weights have at most so many bytes, rounded down to a [`SizeClass`].
    UpTo(u64),
}

/// The lengths that a job's life is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Windows {
    /// Blocks a worker has to take a job that it was given, or to decline it.
    pub take: BlockNumber,
    /// Most blocks between two signs of life.
    pub heartbeat: BlockNumber,
    /// Most blocks without a step done, beside what a step takes at the declared rate.
    pub progress: BlockNumber,
    /// Seconds that a block takes, at least 1.
    pub block_seconds: u32,
}

impl Windows {
    /// Blocks that so many tokens take at a rate, at least 1.
    pub fn training(&self, tokens: u64, rate: RateClass) -> BlockNumber {
        let per_block = u64::from(rate.tokens_per_second()) * u64::from(self.block_seconds.max(1));
        tokens.div_ceil(per_block).clamp(1, BlockNumber::MAX.into()) as BlockNumber
    }

    /// Blocks that a job takes from its dispatch on at most, if nothing is late: the floor of its
    /// deadline.
    pub fn floor(&self, tokens: u64, rate: RateClass) -> BlockNumber {
        self.take.saturating_add(self.heartbeat).saturating_add(self.training(tokens, rate))
    }

    /// The slowest class that can still finish so many tokens until `deadline`, begun in block `now`.
    pub fn slowest(
        &self,
        tokens: u64,
        now: BlockNumber,
        deadline: BlockNumber,
    ) -> Option<RateClass> {
        RateClass::all().find(|rate| now.saturating_add(self.floor(tokens, *rate)) <= deadline)
    }
}
