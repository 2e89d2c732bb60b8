//! A PDF file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openledger_documents::MediaType;

fuzz_target!(|input: &[u8]| checks::reads(MediaType::Pdf, input));
