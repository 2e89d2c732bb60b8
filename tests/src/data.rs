//! What the contributors submit and what the models are asked; the files lie in `tests/data/`.

use crate::{Error, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// One file of a contributor.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The file's name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// What the two curators will say.
    pub opinion: Opinion,
}

/// What the two curators say of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Both accept, each with a score of its own; the lower median counts.
    Accept(u8, u8),
    /// Both reject it as off-topic.
    OffTopic,
}

macro_rules! sample {
    ($name:literal, $opinion:expr) => {
        Sample { name: $name, bytes: include_bytes!(concat!("../data/", $name)), opinion: $opinion }
    };
}

/// Ada's files.
pub const ADA: [Sample; 3] = [
    sample!("datanets.md", Opinion::Accept(92, 90)),
    sample!("quota.md", Opinion::Accept(88, 95)),
    sample!("review.txt", Opinion::Accept(85, 85)),
];

/// Ben's files.
pub const BEN: [Sample; 4] = [
    sample!("leaderboard.md", Opinion::Accept(90, 86)),
    sample!("open-token.md", Opinion::Accept(96, 97)),
    sample!("training.txt", Opinion::Accept(84, 91)),
    sample!("pancakes.txt", Opinion::OffTopic),
];

/// Cleo's files, which a committee judges: one on the Datanet's topic, and one that is not.
pub const CLEO: [(&str, &[u8]); 2] = [
    ("sourdough.md", include_bytes!("../data/sourdough.md")),
    ("timetable.txt", include_bytes!("../data/timetable.txt")),
];

/// Ada's picture, drawn from numbers.
pub const PICTURE_OF_HILLS: Sample = sample!("hills.png", Opinion::Accept(80, 84));

/// Ben's melody, played from numbers.
pub const MELODY: Sample = sample!("melody.flac", Opinion::Accept(80, 84));

/// A picture, which a text Datanet does not take.
pub const PICTURE: (&str, &[u8]) = ("diagram.png", include_bytes!("../data/diagram.png"));

/// A question for base model and adapter.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// What is asked.
    pub question: String,
    /// An answer that contains one of these, in any case, is right.
    pub key_phrases: Vec<String>,
}

impl Question {
    /// Whether an answer is right.
    pub fn is_right(&self, answer: &str) -> bool {
        let answer = answer.to_lowercase();
        self.key_phrases.iter().any(|phrase| answer.contains(&phrase.to_lowercase()))
    }
}

/// The questions.
///
/// # Errors
///
/// If `tests/data/questions.json` is not what it should be.
pub fn questions() -> Result<Vec<Question>> {
    serde_json::from_str(include_str!("../data/questions.json"))
        .map_err(|cause| Error::broken("tests/data/questions.json", cause.to_string()))
}

/// Writes a file to `directory` and returns its path.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = directory.join(name);
    std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(&path, bytes))
        .map_err(|cause| Error::file(&path, &cause))?;
    Ok(path)
}
