//! gzip or Zstandard, by the first byte, into bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::data::formats::Packing;

fuzz_target!(|input: &[u8]| {
    let Some((which, rest)) = input.split_first() else { return };
    let packing = if which % 2 == 0 { Packing::Gzip } else { Packing::Zstd };
    const LIMIT: usize = 4 << 20;
    if let Ok(bytes) = readers::data::unpacked(packing, rest, LIMIT) {
        assert!(bytes.len() <= LIMIT);
    }
});
