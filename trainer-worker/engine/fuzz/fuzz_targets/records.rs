//! JSON lines, JSON files and the head of a card, by their first byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::data;

fuzz_target!(|input: &[u8]| {
    let Some((which, rest)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match which % 3 {
        0 => {
            for (_, span, line) in data::json_text::lines(text) {
                assert_eq!(text.get(span), Some(line));
                let _ = data::records::parse(line);
            }
            let _ = data::json_text::is_lines(text);
        }
        1 => {
            let (found, _) = data::json_text::elements(text);
            for span in found {
                for (inner, _) in data::json_text::wrapped(text, span.clone()).records {
                    assert!(span.start <= inner.start && inner.end <= span.end);
                    let _ = data::records::parse(text.get(inner).expect("whole characters"));
                }
            }
        }
        _ => {
            let _ = data::is_card(text);
        }
    }
});
