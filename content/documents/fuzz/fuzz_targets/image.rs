//! An image of any format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openledger_documents::MediaType::{Bmp, Jpg, Png, Tiff, Webp};

fuzz_target!(|input: &[u8]| checks::counts(&[Png, Jpg, Webp, Tiff, Bmp], input));
