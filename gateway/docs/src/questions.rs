//! Questions with known answers: `docs/questions.toml`.

/// A question, and where its answer stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// As a user puts it.
    pub question: String,
    /// The page.
    pub page: String,
    /// The heading on it, where the list names one.
    pub anchor: Option<String>,
}

/// A line that a list of questions cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {0} is neither [[question]] nor question, page or anchor with a text in double quotes"
)]
pub struct WrongLine(usize);

/// Reads the part of TOML that the list is written in.
///
/// # Errors
/// [`WrongLine`].
pub fn questions(text: &str) -> Result<Vec<Question>, WrongLine> {
    let mut all: Vec<Question> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = WrongLine(number + 1);
        if line == "[[question]]" {
            all.push(Question::default());
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| wrong.clone())?;
        // JSON's texts are TOML's, but for escapes that nobody needs here.
        let value: String = serde_json::from_str(value.trim()).map_err(|_| wrong.clone())?;
        let last = all.last_mut().ok_or_else(|| wrong.clone())?;
        match key.trim() {
            "question" => last.question = value,
            "page" => last.page = value,
            "anchor" => last.anchor = Some(value),
            _ => return Err(wrong),
        }
    }
    Ok(all)
}
