//! What a Datanet's owner says about it and may change.

use crate::{
    list::closed_list,
    text::{self, TextError},
    Points,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

closed_list! {
    /// Whether a Datanet takes files.
    "a status", pub enum DatanetStatus {
        Open = 0, "open", "it takes files";
        Paused = 1, "paused", "it takes no files for now; those that wait get their verdicts";
        Closed = 2, "closed", "it takes no files any more; its leaves stay";
    }
}

/// Of whom a Datanet takes files. Append, never renumber.
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
pub enum AdmissionPolicy {
    /// Of everybody.
    #[default]
    Open,
    /// Of who was invited by its owner.
    Invited,
    /// Of who was invited, and of who has earned so many points elsewhere, by verdicts that count beyond their
    /// Datanets.
    Points {
        /// How many, at least.
        least: Points,
    },
}

/// Most bytes of a summary.
pub const MAX_SUMMARY: u32 = 200;
/// Most bytes of a description.
pub const MAX_DESCRIPTION: u32 = 4_096;
/// Most tags of a Datanet.
pub const MAX_TAGS: u32 = 8;
/// Most bytes of a tag.
pub const MAX_TAG: u32 = 32;

/// A tag, UTF-8.
pub type Tag = BoundedVec<u8, ConstU32<MAX_TAG>>;

/// What a Datanet is about, in its owner's words. UTF-8 throughout.
#[derive(
    Clone,
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
pub struct DatanetText {
    /// A line.
    pub summary: BoundedVec<u8, ConstU32<MAX_SUMMARY>>,
    /// Markdown.
    pub description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION>>,
    /// Words to find it by, each once.
    pub tags: BoundedVec<Tag, ConstU32<MAX_TAGS>>,
}

/// Why a [`DatanetText`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextProblem {
    /// It is not UTF-8, or holds characters that are not shown: controls, marks that turn the direction
    /// of writing, invisible ones. A description may have line ends and tabs.
    Characters,
    /// A tag is empty or stands twice.
    Tags,
}

impl DatanetText {
    /// Whether it can be shown.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn validate(&self) -> Result<(), TextProblem> {
        // An empty tag is another problem than one that cannot be shown.
        let line = |bytes: &[u8]| {
            !matches!(
                text::check_optional(bytes),
                Err(TextError::NotUtf8 | TextError::Forbidden { .. })
            )
        };
        let shown = line(&self.summary)
            && text::check_page(&self.description).is_ok()
            && self.tags.iter().all(|tag| line(tag));
        if !shown {
            return Err(TextProblem::Characters);
        }
        let blank = |tag: &Tag| {
            core::str::from_utf8(tag)
                .is_ok_and(|text| text.trim().is_empty() || text.trim() != text)
        };
        let repeated = self
            .tags
            .iter()
            .enumerate()
            .any(|(n, tag)| self.tags.iter().take(n).any(|other| other == tag));
        if repeated || self.tags.iter().any(blank) {
            return Err(TextProblem::Tags);
        }
        Ok(())
    }
}
