//! `openledger-decode`: decodes one image or sound in confinement. Other programs start it
//! (`openledger_documents::sandbox`); people use `openledger-decode check`.

use std::process::ExitCode;

fn main() -> ExitCode {
    openledger_documents::sandbox::decoder_main()
}
