//! Why a submission is not admitted: one vocabulary for the transaction pool, the runtime API and
//! the programs that put it in words.

use crate::Modality;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// The rule a submission breaks. The number is what the transaction pool answers
/// (`InvalidTransaction::Custom`). Append, never renumber.
#[derive(
    Clone,
    Copy,
    Debug,
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
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum RefusalRule {
    /// There is no Datanet of that number. Value: the number.
    #[codec(index = 1)]
    UnknownDatanet = 1,
    /// The account is not a registered contributor.
    #[codec(index = 2)]
    NotRegistered = 2,
    /// A submission holds 1 to 20 items. Value: how many it has.
    #[codec(index = 3)]
    ItemCount = 3,
    /// The format is not one of the Datanet's modality. Value: the format's index.
    #[codec(index = 4)]
    WrongModality = 4,
    /// A file holds at least one byte.
    #[codec(index = 5)]
    EmptyFile = 5,
    /// A raw content id's digest is the sha2-256 of the file.
    #[codec(index = 6)]
    DigestMismatch = 6,
    /// Two items of the call are the same file. Value: the index of the first.
    #[codec(index = 7)]
    RepeatedItem = 7,
    /// The Datanet has this file, pending or accepted. Value: that submission's number.
    #[codec(index = 8)]
    AlreadySubmitted = 8,
    /// The account's files of the day. Value: the total with this submission.
    #[codec(index = 9)]
    DailyFiles = 9,
    /// The account's bytes of the day. Value: the total with this submission.
    #[codec(index = 10)]
    DailyBytes = 10,
    /// The Datanet's files of the day, a cap its owner set.
    #[codec(index = 11)]
    DatanetDailyFiles = 11,
    /// The Datanet's bytes of the day, a cap its owner set.
    #[codec(index = 12)]
    DatanetDailyBytes = 12,
}

impl RefusalRule {
    /// Every rule.
    pub const ALL: [Self; 12] = [
        Self::UnknownDatanet,
        Self::NotRegistered,
        Self::ItemCount,
        Self::WrongModality,
        Self::EmptyFile,
        Self::DigestMismatch,
        Self::RepeatedItem,
        Self::AlreadySubmitted,
        Self::DailyFiles,
        Self::DailyBytes,
        Self::DatanetDailyFiles,
        Self::DatanetDailyBytes,
    ];

    /// The number the transaction pool answers.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The rule of a number the transaction pool answered.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }
}

/// A rule with what was found and what is allowed.
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
pub struct Refusal {
    /// The rule.
    pub rule: RefusalRule,
    /// The item it is about, counted from 0; `None` if it is about the whole call.
    pub item: Option<u32>,
    /// What was found (see the rule).
    pub value: u64,
    /// What is allowed; 0 where the rule knows no number.
    pub limit: u64,
    /// The Datanet's modality, where there is one.
    pub modality: Option<Modality>,
}

impl Refusal {
    /// A refusal of the whole call.
    pub const fn of_call(rule: RefusalRule, value: u64, limit: u64) -> Self {
        Self { rule, item: None, value, limit, modality: None }
    }

    /// A refusal of one item.
    pub const fn of_item(rule: RefusalRule, item: u32, value: u64, limit: u64) -> Self {
        Self { rule, item: Some(item), value, limit, modality: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(item) = self.item {
            write!(f, "file {}: ", item.saturating_add(1))?;
        }
        let Self { value, limit, .. } = self;
        match self.rule {
            RefusalRule::UnknownDatanet => {
                write!(f, "there is no Datanet {value}; list them with `openledger datanet list`")
            }
            RefusalRule::NotRegistered => f.write_str(
                "this account is not a contributor; run `openledger contributor register`, or let a \
                 sponsor run `openledger contributor register-for`",
            ),
            RefusalRule::ItemCount => {
                write!(f, "{value} files in one submission; it takes 1 to {limit}")
            }
            RefusalRule::WrongModality => {
                f.write_str("the format does not belong to this Datanet")?;
                if let Some(modality) = self.modality {
                    f.write_str("; it takes ")?;
                    for (n, media) in modality.formats().enumerate() {
                        write!(f, "{}.{}", if n == 0 { "" } else { ", " }, media.extension())?;
                    }
                }
                Ok(())
            }
            RefusalRule::EmptyFile => f.write_str("the file is empty"),
            RefusalRule::DigestMismatch => f.write_str(
                "the content id does not belong to the file's sha256; compute both from the same bytes",
            ),
            RefusalRule::RepeatedItem => {
                write!(f, "the same file as file {}; leave one out", value.saturating_add(1))
            }
            RefusalRule::AlreadySubmitted => write!(
                f,
                "this Datanet already has the same file (submission {value}); nothing was charged"
            ),
            RefusalRule::DailyFiles => write!(
                f,
                "{value} files today; the limit is {limit} an account and UTC day, try again tomorrow"
            ),
            RefusalRule::DailyBytes => write!(
                f,
                "{value} bytes today; the limit is {limit} an account and UTC day, try again tomorrow"
            ),
            RefusalRule::DatanetDailyFiles => {
                write!(f, "{value} files for this Datanet today; its owner allows {limit}")
            }
            RefusalRule::DatanetDailyBytes => {
                write!(f, "{value} bytes for this Datanet today; its owner allows {limit}")
            }
        }
    }
}

impl core::error::Error for Refusal {}
