//! What is printed: for a reader that has gone away (`trainer-worker logits … | head`), and for a
//! terminal, which obeys control characters.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

/// Ends the process quietly when standard output or error is a closed pipe, where Rust's printing
/// would panic. What is worth keeping is on the disk by then: commands print their answers last.
pub(crate) fn end_quietly() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("");
        // The only words by which the standard library tells these panics apart.
        if text.starts_with("failed printing to std") && text.contains("Broken pipe") {
            std::process::exit(0);
        }
        usual(info);
    }));
}

/// Says a line on standard error; nobody reading it is no reason to stop.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", visible(text));
}

/// A text of files or of their names with its control characters written out (`\x1b`), but for line
/// ends and tabs: a terminal would obey them, and let a stranger's data set its title, clear it, or
/// hide what a line says.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if obeyed(character) {
            let _ = write!(shown, "\\x{:02x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}
