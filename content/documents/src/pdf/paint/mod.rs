//! What lies on a page, as far as it decides which text people see.
//!
//! No page is drawn: a coarse raster keeps, cell by cell, which colour is seen there and when something
//! opaque was painted last. A glyph is a box with nine samples, judged when it is drawn (page, clip,
//! size, colours) and again at the end of the page (what covers it). The arithmetic is that of
//! [`super::matrix`]: sums, products, quotients and square roots, which are the same everywhere.

pub(crate) mod colour;
pub(crate) mod function;
pub(crate) mod layers;
pub(crate) mod path;
pub(crate) mod picture;
pub(crate) mod raster;
pub(crate) mod sight;
