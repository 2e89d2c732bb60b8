//! A table of text, of Parquet or of Arrow: every row is JSON, or the file is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::data::formats::Format;

fuzz_target!(|input: &[u8]| {
    readers::let_caught_panics_pass();
    if let Ok(lines) = readers::data::table(Format::Arrow, input) {
        for line in lines.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert!(row.is_object() || row.is_string());
            let _ = readers::data::records::parse(line);
        }
    }
});
