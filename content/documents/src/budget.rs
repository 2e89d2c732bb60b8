//! Text out of documents: what stands between the bytes of a `.pdf` or `.docx` and canonical text.
//!
//! # Why these readers are our own
//!
//! The text is consensus: its length is what a contributor is paid by, and its Merkle root goes on
//! chain. Two machines with two versions of a PDF library would disagree, and no PDF library in the
//! registry bounds what a hostile file makes it allocate (each decodes object streams whole, some
//! with no limit, some with one limit a stream and none for their number). So the containers are
//! read here, under one budget for the whole file, and only what is defined to the bit is left to
//! crates: DEFLATE to `miniz_oxide`, XML tokens to `quick-xml`.
//!
//! # Bounds
//!
//! Work is counted, not timed: bytes looked at, bytes decompressed, glyphs and operators. A file
//! that asks for more is refused with [`Fault::TooMuch`], on every machine at the same place. There
//! is no recursion that a file can drive, no loop that does not charge the budget, and no
//! allocation that is not bounded by one of the constants of this module.

use crate::left_out::LeftOut;
use openledger_primitives::Modality;

/// Most bytes of text that are taken out of one file: as many as count.
pub(crate) const MAX_TEXT: usize = Modality::Text.max_units() as usize;

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It needs a password.
    Encrypted,
    /// It carries macros.
    Macros,
    /// It breaks its format.
    Damaged(String),
    /// Two readings of its objects contradict each other.
    Ambiguous {
        /// The number of an object that stands at two places.
        object: u32,
    },
    /// A form that is drawn by a program inside of it.
    DynamicForm,
    /// Only pictures, or nothing.
    NoText,
    /// Too many of the signs have no known character.
    Unmapped {
        /// Their share, rounded up.
        percent: u64,
        /// The font that has most of them.
        font: String,
    },
    /// A text is stated that is not what is drawn.
    Contradiction(crate::pdf::Contradiction),
    /// More of something than is read.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much is read.
        limit: u64,
    },
}

/// What an extractor takes out of a document.
#[derive(Debug, Default)]
pub(crate) struct Extracted {
    /// The text that people see, not yet in its normal form.
    pub(crate) text: String,
    /// The rest.
    pub(crate) left_out: LeftOut,
}

/// Shorthand for this module's results.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

pub(crate) fn damaged(reason: impl Into<String>) -> Fault {
    Fault::Damaged(reason.into())
}

/// What a file may cost in all.
pub(crate) struct Budget {
    scanned: u64,
    inflated: u64,
    operators: u64,
    painted: u64,
}

impl Budget {
    /// Most bytes that come out of all compressed parts together.
    const INFLATED: u64 = 192 << 20;
    /// Most operators and glyphs on all pages.
    const OPERATORS: u64 = 8_000_000;
    /// Most cells of pages that are painted on.
    const PAINTED: u64 = 1 << 30;
    /// Bytes looked at, beyond eight times the file.
    const SCANNED: u64 = 256 << 20;

    pub(crate) fn new(size: usize) -> Self {
        Self {
            scanned: Self::SCANNED + 8 * size as u64,
            inflated: Self::INFLATED,
            operators: Self::OPERATORS,
            painted: Self::PAINTED,
        }
    }

    /// Pays for looking at `bytes` bytes.
    pub(crate) fn scan(&mut self, bytes: usize) -> Result<()> {
        pay(&mut self.scanned, bytes, "bytes to look through", Self::SCANNED)
    }

    /// Pays for `bytes` decompressed bytes.
    pub(crate) fn inflate(&mut self, bytes: usize) -> Result<()> {
        pay(&mut self.inflated, bytes, "bytes after decompression", Self::INFLATED)
    }

    /// Pays for painting on so many cells of a page.
    pub(crate) fn paint(&mut self, cells: usize) -> Result<()> {
        pay(&mut self.painted, cells, "painted places", Self::PAINTED)
    }

    /// Pays for one operator or glyph.
    pub(crate) fn operate(&mut self) -> Result<()> {
        pay(&mut self.operators, 1, "drawing operators", Self::OPERATORS)
    }
}

fn pay(left: &mut u64, price: usize, what: &'static str, limit: u64) -> Result<()> {
    match left.checked_sub(price as u64) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => Err(Fault::TooMuch { what, limit }),
    }
}
