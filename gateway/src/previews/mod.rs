//! What curators will measure of a file, before it is submitted: canonical text, units, what is left out,
//! and why a file would be refused. By the reader that curators use, in its bounded child process.

pub mod api;

use api::Preview;
use openledger_primitives::{FileHash, MediaType};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Previews that are remembered: 64 KiB of text each where nobody asks for more.
const MAX: usize = 128;
/// Bytes of text of a preview that is remembered.
const MAX_TEXT: usize = 64 << 10;

/// What a preview is of: a file, its format, and how much text is shown.
type Key = (FileHash, MediaType, usize);

/// The last previews, so that a page that asks again, or somebody who asks all day, starts no decoder.
#[derive(Default)]
pub struct Previews(Mutex<VecDeque<(Key, Preview)>>);

impl Previews {
    /// A preview that was made lately.
    pub(crate) fn get(&self, key: &Key) -> Option<Preview> {
        let previews = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        previews.iter().find(|(known, _)| known == key).map(|(_, preview)| preview.clone())
    }

    /// Remembers a preview in place of the oldest.
    pub(crate) fn keep(&self, key: Key, preview: &Preview) {
        if preview.text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
            return;
        }
        let mut previews = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        previews.retain(|(known, _)| *known != key);
        while previews.len() >= MAX {
            previews.pop_front();
        }
        previews.push_back((key, preview.clone()));
    }
}
