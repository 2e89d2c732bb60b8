//! What the `openledger_*` methods are asked. What they answer is `openledger_primitives::json`.

use openledger_primitives::{api::SubmissionItem, ContentId, MediaType};
use serde::Deserialize;

/// 32 bytes of 64 hexadecimal digits.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(bytes)
}

/// A file of a submission to be checked.
#[derive(Deserialize)]
pub(crate) struct Item {
    content: ContentId,
    sha256: String,
    size: u32,
    media: MediaType,
}

impl TryFrom<Item> for SubmissionItem {
    type Error = String;

    fn try_from(item: Item) -> Result<Self, String> {
        let sha256 = hash(&item.sha256).ok_or_else(|| {
            format!("sha256 is {:?}; it takes 64 hexadecimal digits", item.sha256)
        })?;
        Ok(Self { content: item.content, sha256, size: item.size, media: item.media })
    }
}
