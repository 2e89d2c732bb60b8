//! What is printed: for a reader that has gone away (`trainer-worker logits … | head`), and for a
//! terminal, which obeys control characters.

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

/// A text of files or of their names with what a terminal would obey written out (`\u{1b}`), but for
/// line ends and tabs: a stranger's data would set its title, clear it, or hide what a line says.
pub(crate) fn visible(text: &str) -> String {
    openledger_primitives::text::visible(text, false)
}
