//! Blocks of arbitrary extrinsics.
//!
//! With `OPENLEDGER_FUZZ_SEEDS=FOLDER` it writes stories in which calls succeed to that folder, and ends.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        if let Some(folder) = std::env::var_os("OPENLEDGER_FUZZ_SEEDS") {
            let written = extrinsics_story::write_seeds(folder.as_ref());
            let failed = written.inspect_err(|error| eprintln!("{error}")).is_err();
            std::process::exit(failed.into());
        }
    },
    |input: &[u8]| {
        extrinsics_story::play(input);
    }
);
