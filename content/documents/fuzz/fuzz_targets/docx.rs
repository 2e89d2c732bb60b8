//! A Word file, or the parts of one: document, styles, footnotes, settings and theme, a zero byte
//! between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openledger_documents::MediaType;

const PARTS: [&str; 5] = [
    "word/document.xml",
    "word/styles.xml",
    "word/footnotes.xml",
    "word/settings.xml",
    "word/theme/theme1.xml",
];

fuzz_target!(|input: &[u8]| {
    if input.starts_with(b"PK") {
        return checks::reads(MediaType::Docx, input);
    }
    let parts: Vec<_> = PARTS
        .into_iter()
        .zip(input.splitn(PARTS.len(), |byte| *byte == 0))
        .filter(|(_, part)| !part.is_empty())
        .collect();
    checks::reads(MediaType::Docx, &checks::zip(&parts));
});
