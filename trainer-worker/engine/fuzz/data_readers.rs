//! The modules that read records and tables; those that read documents stand on the chain's crates.

#[path = "../src/data/formats.rs"]
pub mod formats;
#[path = "../src/data/json_text.rs"]
pub mod json_text;
#[path = "../src/data/messages.rs"]
pub mod messages;
#[path = "../src/data/preferences.rs"]
pub mod preferences;
#[path = "../src/data/records.rs"]
pub mod records;
#[path = "../src/data/splits.rs"]
pub mod splits;
#[path = "../src/data/tables/mod.rs"]
pub mod tables;
#[path = "../src/data/unpack.rs"]
pub mod unpack;

/// A table as JSON lines.
pub fn table(format: formats::Format, bytes: &[u8]) -> Result<String, String> {
    tables::to_lines(format, bytes).map(|(lines, _)| lines)
}

/// Decompressed bytes.
pub fn unpacked(packing: formats::Packing, bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    unpack::unpack(packing, bytes, limit)
}

/// Whether a text begins as a data set's card does.
pub fn is_card(text: &str) -> bool {
    !matches!(splits::head(text), splits::Head::None)
}
