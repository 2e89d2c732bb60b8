//! The daily quota: the spam guard that lets submissions cost no fee.

use crate::Day;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// How much may be submitted in one UTC day.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct QuotaLimits {
    /// Most files.
    pub files: u32,
    /// Most bytes.
    pub bytes: u64,
}

impl QuotaLimits {
    /// An account's day over all Datanets: 20 files and 10 MiB.
    pub const ACCOUNT: Self = Self { files: 20, bytes: 10 * 1024 * 1024 };

    /// `percent` of it, rounded up.
    pub const fn share(&self, percent: u8) -> Self {
        let percent = percent as u128;
        // Neither product leaves 128 bits, and no share of 100 % or less is above the whole.
        let files = (self.files as u128).saturating_mul(percent).div_ceil(100);
        let bytes = (self.bytes as u128).saturating_mul(percent).div_ceil(100);
        Self { files: files as u32, bytes: bytes as u64 }
    }
}

/// What was used of a day's quota. Yesterday's use counts for nothing, so no sweep ever resets it.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct DailyQuota {
    /// The day that `files` and `bytes` were counted on.
    pub day: Day,
    /// Files submitted on that day.
    pub files: u32,
    /// Bytes submitted on that day.
    pub bytes: u64,
}

/// Which limit a request would break, with what the day's total would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaExceeded {
    /// Too many files.
    Files {
        /// The day's files with the request.
        total: u64,
        /// Most allowed.
        limit: u64,
    },
    /// Too many bytes.
    Bytes {
        /// The day's bytes with the request.
        total: u64,
        /// Most allowed.
        limit: u64,
    },
}

impl fmt::Display for QuotaExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { total, limit } => {
                write!(f, "this would make {total} files in one day; the limit is {limit}")
            }
            Self::Bytes { total, limit } => {
                write!(f, "this would make {total} bytes in one day; the limit is {limit}")
            }
        }
    }
}

impl core::error::Error for QuotaExceeded {}

impl DailyQuota {
    /// What counts on `today`: zero if the last use was on an earlier day.
    ///
    /// A clock that went backwards resets nothing.
    pub fn on(self, today: Day) -> Self {
        if today > self.day {
            Self { day: today, files: 0, bytes: 0 }
        } else {
            self
        }
    }

    /// Uses `files` and `bytes` of `today`'s quota, or changes nothing.
    ///
    /// # Errors
    ///
    /// The limit that would be broken; files are looked at first.
    pub fn try_consume(
        &mut self,
        today: Day,
        files: u32,
        bytes: u64,
        limits: &QuotaLimits,
    ) -> Result<(), QuotaExceeded> {
        let used = self.on(today);
        let total_files = u64::from(used.files).saturating_add(u64::from(files));
        if total_files > u64::from(limits.files) {
            return Err(QuotaExceeded::Files { total: total_files, limit: limits.files.into() });
        }
        let total_bytes = used.bytes.saturating_add(bytes);
        if total_bytes > limits.bytes {
            return Err(QuotaExceeded::Bytes { total: total_bytes, limit: limits.bytes });
        }
        *self = Self { day: used.day, files: used.files.saturating_add(files), bytes: total_bytes };
        Ok(())
    }

    /// What is left on `today`.
    pub fn remaining(self, today: Day, limits: &QuotaLimits) -> QuotaLimits {
        let used = self.on(today);
        QuotaLimits {
            files: limits.files.saturating_sub(used.files),
            bytes: limits.bytes.saturating_sub(used.bytes),
        }
    }
}
