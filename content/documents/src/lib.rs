//! What a file says and measures: canonical text, units, text roots. No networking, no chain.
//!
//! Acceptance pays by units, so everyone who judges, pays or trains has to take the same text out of
//! the same bytes: curators, the worker and whoever recomputes either. This crate is the one way.
//!
//! ```
//! use openledger_documents::{measure, read, MediaType};
//!
//! let reading = read(MediaType::Txt, b"Rain\r\nfell.").expect("UTF-8");
//! assert_eq!(reading.text, "Rain\nfell.");
//! assert!(reading.left_out.is_empty());
//! assert_eq!(measure(MediaType::Txt, b"Rain\r\nfell.").expect("UTF-8").units, 10);
//! ```
//!
//! [`canonical`] has the rules that all formats share and their version; [`LeftOut`] is what a file
//! holds beside what people see.

mod budget;
pub mod canonical;
mod characters;
mod colour;
mod docx;
mod inflate;
mod left_out;
mod letters;
pub mod likeness;
mod markdown;
pub mod measure;
mod pdf;
pub mod sandbox;
mod zip;

pub use canonical::{canonical_text, read, sniff, Reading, TextError, EXTRACTOR_VERSION};
pub use left_out::{Hidden, LeftOut};
pub use likeness::Likeness;
pub use measure::{measure, measurement, MeasureError, Measured, Measurement};
pub use openledger_primitives::MediaType;
