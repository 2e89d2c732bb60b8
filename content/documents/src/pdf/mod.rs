//! The text of a PDF (ISO 32000-1).
//!
//! All pages in the order of the page tree; on each, what its content draws as text, also invisible
//! text, which is what scanners with character recognition put over a page's picture. Not read:
//! annotations, form fields, attachments, outlines, the fonts' own programs. Text is never guessed:
//! a file most of whose characters have no stated meaning has no text.

mod cmap;
mod content;
mod document;
mod encoding;
mod filter;
mod font;
mod layout;
mod matrix;
mod object;

use crate::budget::{Extracted, Fault, Result};

/// The text of a `.pdf` file.
pub(crate) fn text(bytes: &[u8]) -> Result<Extracted> {
    let mut document = document::Document::open(bytes)?;
    let listed = document.pages()?;
    let mut pages = content::Pages::new(&mut document);
    for (index, page) in listed.iter().enumerate() {
        pages.page(page).map_err(|fault| match fault {
            Fault::Damaged(reason) => Fault::Damaged(format!("page {}: {reason}", index + 1)),
            other => other,
        })?;
    }
    let layout = pages.layout;
    let (characters, unmapped) = (layout.characters, layout.unmapped);
    if characters == 0 {
        return Err(Fault::NoText);
    }
    if unmapped.saturating_mul(2) > characters {
        return Err(Fault::Unmapped);
    }
    Ok(Extracted { text: layout.finish(), ..Extracted::default() })
}
