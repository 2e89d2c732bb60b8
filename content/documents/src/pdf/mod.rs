//! The text of a PDF (ISO 32000-1).
//!
//! All pages in the order of the page tree; on each, what its content draws as text that people see
//! ([`paint`]), and the invisible text that scanners with character recognition put over a page's
//! picture; then what its annotations and form fields show ([`annotations`]). Not read: attachments,
//! outlines. Text is never guessed: what has no stated
//! character is left out, and a file with more than a few such signs has no text.

mod actual;
mod annotations;
mod bidi;
mod cmap;
mod content;
mod crypt;
mod document;
mod encoding;
mod filter;
mod font;
mod glyphs;
mod graphics;
mod hyphen;
mod layout;
mod letters;
mod matrix;
mod object;
mod paint;
mod predefined;
mod program;
mod spaced;
mod xref;

pub(crate) use letters::Contradiction;
pub(crate) use program::Program as FontProgram;

use crate::budget::{Extracted, Fault, Result};

/// Most signs without a stated character, in percent of all.
pub(crate) const MAX_UNMAPPED_PERCENT: u64 = 5;

/// The text of a `.pdf` file.
pub(crate) fn text(bytes: &[u8]) -> Result<Extracted> {
    let mut document = document::Document::open(bytes, false)?;
    match pages_of(&mut document) {
        // As viewers do when an object is not where it should be.
        _ if document.missed => pages_of(&mut document::Document::open(bytes, true)?),
        outcome => outcome,
    }
}

fn pages_of(document: &mut document::Document<'_>) -> Result<Extracted> {
    annotations::refuse_dynamic_forms(document)?;
    let listed = document.pages()?;
    let mut pages = content::Pages::new(document)?;
    for (index, page) in listed.iter().enumerate() {
        pages.page(page).map_err(|fault| match fault {
            Fault::Damaged(reason) => Fault::Damaged(format!("page {}: {reason}", index + 1)),
            other => other,
        })?;
    }
    let layout = pages.layout;
    let (characters, unmapped) = (layout.characters, layout.unmapped);
    let letters = document.letters.borrow();
    if let Some(contradiction) = letters.contradiction(characters) {
        return Err(Fault::Contradiction(contradiction));
    }
    if unmapped.saturating_mul(100) > characters.saturating_mul(MAX_UNMAPPED_PERCENT) {
        let percent = unmapped.saturating_mul(100).div_ceil(characters);
        return Err(Fault::Unmapped { percent, font: letters.most_unmapped() });
    }
    let (text, left_out) = layout.finish();
    Ok(Extracted { text, left_out })
}
