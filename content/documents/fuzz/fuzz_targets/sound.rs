//! A sound of any format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openledger_documents::MediaType::{Flac, Mp3, Wav};

fuzz_target!(|input: &[u8]| checks::counts(&[Wav, Mp3, Flac], input));
