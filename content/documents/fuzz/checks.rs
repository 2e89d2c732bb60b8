//! What holds for every file, whatever is in it.

use openledger_documents::{measure, read, sniff, MediaType, Reading};
use std::panic::{catch_unwind, resume_unwind, set_hook, take_hook, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Once;

/// Set by an overflow in a decoder until its end has been seen.
static OVERFLOWED: AtomicBool = AtomicBool::new(false);

/// Reads bytes as a file of this format: it is refused, or its canonical text is the same on every
/// machine, canonical already, and without signs that have no stated character.
///
/// # Panics
///
/// If one of these does not hold.
pub fn reads(media_type: MediaType, bytes: &[u8]) {
    let Ok(Reading { text, left_out }) = read(media_type, bytes) else { return };
    // Tables of this process are seeded anew each time: what depends on their order differs.
    let again = read(media_type, bytes).expect("the same file");
    assert_eq!(text, again.text);
    assert_eq!(left_out, again.left_out);
    assert!(!text.contains(['\0', '\r', '\u{fffd}']), "{text:?}");
    let plain = if media_type == MediaType::Md { MediaType::Md } else { MediaType::Txt };
    match read(plain, text.as_bytes()) {
        Ok(reading) => assert_eq!(text, reading.text),
        Err(error) => panic!("{text:?} is not canonical: {error}"),
    }
}

/// Whether a panic is an overflow of symphonia's arithmetic, which ends the process that measures and
/// so refuses the file. Release builds check for overflows there, as this one does.
fn is_overflow_of_decoder(panic: &PanicHookInfo<'_>) -> bool {
    let words = panic.payload().downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str));
    words.is_some_and(|words| words.starts_with("attempt to ") && words.ends_with(" with overflow"))
        && panic.location().is_some_and(|place| place.file().contains("/symphonia-"))
}

/// Counts what is in an image or sound, as every format that it may be one of. A decoder's overflow
/// refuses the file; any other panic ends the run, which the hook of libFuzzer sees to.
///
/// # Panics
///
/// As the decoder does.
pub fn counts(media_types: &[MediaType], bytes: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let ends = take_hook();
        set_hook(Box::new(move |panic| match is_overflow_of_decoder(panic) {
            true => OVERFLOWED.store(true, Ordering::SeqCst),
            false => ends(panic),
        }));
    });
    for media_type in media_types {
        if sniff(*media_type, bytes).is_err() {
            continue;
        }
        let count = || drop(measure::count_unconfined(*media_type, bytes));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(count)) {
            if !OVERFLOWED.swap(false, Ordering::SeqCst) {
                resume_unwind(panic);
            }
        }
    }
}

/// A container of stored entries, with their true checksums: a changed byte of a part would
/// otherwise end in its checksum.
pub fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in parts {
        let mut head = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head.extend(crc32(data).to_le_bytes());
        head.extend([(data.len() as u32).to_le_bytes(); 2].concat());
        head.extend((name.len() as u16).to_le_bytes());
        head.extend([0; 2]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&head);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&head);
        out.extend(name.bytes());
        out.extend(*data);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([(parts.len() as u16).to_le_bytes(); 2].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// CRC-32 of zip, bit by bit.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
