//! Questions with known answers: `docs/questions.toml`, which the index learns from, and
//! `docs/questions-held-out.toml`, by which it is measured.

use serde::de::DeserializeOwned;

/// A question, and where its answer stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// As a user puts it.
    pub question: String,
    /// The page.
    pub page: String,
    /// The heading on it, where the list names one.
    pub anchor: Option<String>,
    /// Other pages that answer it in full.
    pub also: Vec<String>,
    /// Of the list that is measured by: `A` where changes may be tried on it, `B` where it is only measured.
    pub half: Option<String>,
}

/// A line that a list of questions cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {0} is neither [[question]] nor question, page, anchor or half with a text in double quotes, nor \
     questions or also with a list of such texts"
)]
pub struct WrongLine(usize);

/// What stands below one `[[question]]`.
#[derive(Default)]
struct Entry {
    questions: Vec<String>,
    rest: Question,
}

/// Reads the part of TOML that the lists are written in.
///
/// # Errors
/// [`WrongLine`].
pub fn questions(text: &str) -> Result<Vec<Question>, WrongLine> {
    let mut all: Vec<Entry> = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = WrongLine(number);
        if line == "[[question]]" {
            all.push(Entry::default());
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| wrong.clone())?;
        let mut value = value.trim().to_owned();
        // A list may go over several lines.
        while value.starts_with('[') && !value.ends_with(']') {
            value.push_str(lines.next().ok_or_else(|| wrong.clone())?.1.trim());
        }
        let Entry { questions, rest } = all.last_mut().ok_or_else(|| wrong.clone())?;
        match key.trim() {
            "question" => questions.push(read(&value, wrong)?),
            "questions" => questions.extend(read::<Vec<String>>(&value, wrong)?),
            "page" => rest.page = read(&value, wrong)?,
            "anchor" => rest.anchor = Some(read(&value, wrong)?),
            "also" => rest.also = read(&value, wrong)?,
            "half" => rest.half = Some(read(&value, wrong)?),
            _ => return Err(wrong),
        }
    }
    let each = all.into_iter().flat_map(|Entry { questions, rest }| {
        questions.into_iter().map(move |question| Question { question, ..rest.clone() })
    });
    Ok(each.collect())
}

/// JSON's texts and lists are TOML's, but for escapes and commas that nobody needs here.
fn read<T: DeserializeOwned>(value: &str, wrong: WrongLine) -> Result<T, WrongLine> {
    serde_json::from_str(value).map_err(|_| wrong)
}
