//! Stop strings, which may span the borders of tokens.

/// Text on its way to the reader, held back while its end may still become a stop string.
///
/// An answer ends with the first character that completes a stop string. Where that character completes
/// several, the longest is taken out. So it does not matter how the text was cut into tokens.
#[derive(Debug, Clone)]
pub(super) struct StopStrings {
    stops: Vec<String>,
    held: String,
}

impl StopStrings {
    pub(super) fn new(stops: &[String]) -> Self {
        Self { stops: stops.to_vec(), held: String::new() }
    }

    /// Takes text and gives what is certain, and whether a stop string was completed.
    pub(super) fn push(&mut self, text: &str) -> (String, bool) {
        if self.stops.is_empty() {
            return (text.to_owned(), false);
        }
        for c in text.chars() {
            self.held.push(c);
            let ended = self.stops.iter().filter(|stop| self.held.ends_with(stop.as_str()));
            if let Some(longest) = ended.map(String::len).max() {
                self.held.truncate(self.held.len() - longest);
                return (std::mem::take(&mut self.held), true);
            }
        }
        let rest = self.held.split_off(self.held.len() - self.may_grow());
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// What is held back once nothing follows.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Bytes of the longest end of the text with which a stop string begins.
    fn may_grow(&self) -> usize {
        let begun = |stop: &String| {
            let borders = stop.char_indices().map(|(at, _)| at).skip(1);
            let fits = borders.filter(|at| stop.get(..*at).is_some_and(|s| self.held.ends_with(s)));
            fits.last().unwrap_or(0)
        };
        self.stops.iter().map(begun).max().unwrap_or(0)
    }
}
