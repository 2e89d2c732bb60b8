//! What is said of a file without a person, and what a person is asked.
//!
//! ```json
//! {
//!   "default": { "score": 60 },
//!   "datanets": {
//!     "7": {
//!       "score": 80,
//!       "formats": ["md", "txt"],
//!       "minUnits": 500,
//!       "maxUnits": 200000,
//!       "beyond": "ask",
//!       "duplicate": { "text": 0.8, "image": 0.9, "sound": 1 },
//!       "doubt": { "text": 0.5 }
//!     },
//!     "8": {}
//!   }
//! }
//! ```
//!
//! A Datanet without a `score` is a person's, except for what the chain's own rules refuse: files that cannot be
//! read, that are too small, and duplicates.

use crate::{index::Nearest, Error, Lacking, Result};
use openledger_primitives::{
    committee::{Purpose, Rules},
    ClosedList, DatanetId, MediaType, Modality, RejectionReason, Score, SubmissionId,
};
use serde::{de::Error as _, Deserialize, Deserializer};
use std::{collections::BTreeMap, fs, io::Read, path::Path};

/// Most bytes of a file of policies.
const MAX_FILE: u64 = 1 << 20;

/// What is said of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It belongs there.
    Accept(Score),
    /// It does not.
    Reject(RejectionReason),
    /// It cannot be fetched, or nobody said anything in time.
    Unavailable,
}

impl Word {
    /// `accept:80`, `reject:off-topic` or `unavailable`.
    pub fn to_text(self) -> String {
        match self {
            Self::Accept(score) => format!("accept:{}", score.get()),
            Self::Reject(reason) => format!("reject:{}", reason.name()),
            Self::Unavailable => "unavailable".to_owned(),
        }
    }

    /// What [`to_text`](Self::to_text) writes.
    pub fn of_text(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("accept", score)) => Score::new(score.parse().ok()?).map(Self::Accept),
            Some(("reject", reason)) => RejectionReason::of_name(reason).ok().map(Self::Reject),
            None if text == "unavailable" => Some(Self::Unavailable),
            _ => None,
        }
    }
}

/// What a policy makes of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// This is said of it.
    Say(Word),
    /// A person is asked, for this reason.
    Ask(String),
    /// It would be accepted, and may be a copy of this submission, or may yet be. As long as that is so, a person is
    /// asked.
    Hold(Lacking),
}

/// What is known of a file that was fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Its format.
    pub media: MediaType,
    /// Its units; `None` if it cannot be read.
    pub units: Option<u64>,
    /// The least units that the draw takes.
    pub min_units: u64,
    /// The file before it that it is most like.
    pub nearest: Option<Nearest>,
    /// One before it for whose sake it is not accepted ([`lacking`](crate::earlier::lacking)).
    pub lacks: Option<Lacking>,
}

/// From which likeness on two files are, by modality: 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alike {
    /// Of texts, by the letters that both have.
    #[serde(default, deserialize_with = "share")]
    pub text: Option<f64>,
    /// Of images, by the detail that both have.
    #[serde(default, deserialize_with = "share")]
    pub image: Option<f64>,
    /// 1 of equal samples.
    #[serde(default, deserialize_with = "share")]
    pub sound: Option<f64>,
}

impl Alike {
    const NONE: Self = Self { text: None, image: None, sound: None };
    /// From where on files are duplicates, where a policy does not say.
    pub const DUPLICATE: Self = Self { text: Some(0.8), image: Some(0.9), sound: Some(1.0) };

    /// For a modality.
    pub fn of(&self, modality: Modality) -> Option<f64> {
        match modality {
            Modality::Text => self.text,
            Modality::Image => self.image,
            Modality::Audio => self.sound,
        }
    }
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    // Through `Number`: see `finite` in client/src/metrics.rs.
    let number = serde_json::Number::deserialize(deserializer)?;
    let share = number.as_f64().filter(|share| (0.0..=1.0).contains(share) && *share > 0.0);
    share.map(Some).ok_or_else(|| {
        D::Error::custom(format!("{number} is no likeness: it takes more than 0, up to 1"))
    })
}

fn score<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Score>, D::Error> {
    let number = u8::deserialize(deserializer)?;
    let score = Score::new(number);
    score
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("{number} is no score: it takes 1 to 100")))
}

fn formats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MediaType>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().map(|name| MediaType::of_name(name).map_err(D::Error::custom)).collect()
}

fn beyond<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RejectionReason>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "ask" => Ok(None),
        reason => RejectionReason::of_name(reason).map(Some).map_err(D::Error::custom),
    }
}

/// What is said of a Datanet's files.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// The score of what is within the bounds; without it a person is asked.
    #[serde(default, deserialize_with = "score")]
    pub score: Option<Score>,
    /// Formats within the bounds; none for all.
    #[serde(default, deserialize_with = "formats")]
    pub formats: Vec<MediaType>,
    /// Least units within the bounds. Fewer than the Datanet asks for are refused in any case.
    #[serde(default)]
    pub min_units: u64,
    /// Most units within the bounds.
    #[serde(default)]
    pub max_units: Option<u64>,
    /// For what reason a file beyond the bounds is refused; none for asking a person.
    #[serde(default, deserialize_with = "beyond")]
    pub beyond: Option<RejectionReason>,
    /// From which likeness on a file is a duplicate and refused; [`Alike::DUPLICATE`] of what it does not say.
    #[serde(default = "none")]
    pub duplicate: Alike,
    /// From which likeness on a person is asked.
    #[serde(default = "none")]
    pub doubt: Alike,
}

fn none() -> Alike {
    Alike::NONE
}

impl Policy {
    /// All is a person's, or gets this score.
    pub const fn automatic(score: Option<Score>) -> Self {
        Self {
            score,
            formats: Vec::new(),
            min_units: 0,
            max_units: None,
            beyond: None,
            duplicate: Alike::NONE,
            doubt: Alike::NONE,
        }
    }

    /// From which likeness on a file is a duplicate.
    pub fn duplicate_from(&self, modality: Modality) -> f64 {
        let named = self.duplicate.of(modality).or_else(|| Alike::DUPLICATE.of(modality));
        named.unwrap_or(1.0)
    }

    /// What is said of a file.
    pub fn decide(&self, facts: &Facts) -> Decision {
        let Some(units) = facts.units else {
            return Decision::Say(Word::Reject(RejectionReason::WrongFormat));
        };
        if units < facts.min_units {
            return Decision::Say(Word::Reject(RejectionReason::TooSmall));
        }
        let modality = facts.media.modality();
        if let Some(nearest) = &facts.nearest {
            if nearest.alike >= self.duplicate_from(modality) {
                return Decision::Say(Word::Reject(RejectionReason::Duplicate));
            }
            if self.doubt.of(modality).is_some_and(|doubt| nearest.alike >= doubt) {
                return Decision::Ask(like(nearest.submission, nearest.alike));
            }
        }
        let out = if !self.formats.is_empty() && !self.formats.contains(&facts.media) {
            Some(format!("its format is {}", facts.media.extension()))
        } else if units < self.min_units {
            Some(format!("it has {units} units, fewer than {}", self.min_units))
        } else {
            let most = self.max_units.filter(|most| units > *most);
            most.map(|most| format!("it has {units} units, more than {most}"))
        };
        match (out, self.beyond, self.score) {
            (Some(_), Some(reason), _) => Decision::Say(Word::Reject(reason)),
            (Some(why), None, _) => Decision::Ask(why),
            (None, _, Some(score)) => match facts.lacks {
                Some(lacking) => Decision::Hold(lacking),
                None => Decision::Say(Word::Accept(score)),
            },
            (None, _, None) => {
                let lacks = facts.lacks.map(|one| format!("; {}", may_be_a_copy(one)));
                Decision::Ask(format!(
                    "the policy leaves it to a person{}",
                    lacks.unwrap_or_default()
                ))
            }
        }
    }
}

/// Why a file is not accepted before another one has come, or has a committee.
pub fn may_be_a_copy(lacking: Lacking) -> String {
    match lacking {
        Lacking::File(missing) => {
            format!("it may be a copy of submission {missing}, which has not come")
        }
        Lacking::Committee(waits) => {
            format!("submission {waits} came before it and has no committee yet")
        }
    }
}

/// What a person risks who accepts a file though an earlier one has not come, and what it says instead; nothing where it
/// is to be judged without.
pub fn what_accepting_risks(purpose: &Purpose) -> Option<String> {
    let rules = Rules::DEFAULT;
    let Some(asked) = purpose.asked() else {
        let said =
            "a committee refused it as a copy: say --unavailable unless you know that it is none";
        return Some(said.to_owned());
    };
    purpose.must_compare(&rules).then(|| {
        format!(
            "this is committee {} of {}: say --unavailable; who accepts a copy now loses a part of a seat",
            asked.saturating_add(1),
            rules.asks
        )
    })
}

fn like(submission: SubmissionId, alike: f64) -> String {
    format!("it is like submission {submission} by {:.0} %", alike * 100.0)
}

/// Policies by Datanet.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    #[serde(default = "Policies::person")]
    default: Policy,
    #[serde(default)]
    datanets: BTreeMap<DatanetId, Policy>,
}

impl Policies {
    fn person() -> Policy {
        Policy::automatic(None)
    }

    /// One for every Datanet.
    pub fn all(policy: Policy) -> Self {
        Self { default: policy, datanets: BTreeMap::new() }
    }

    /// From a file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Policy`] with the field, its value and its limit.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |source| Error::Io { path: path.to_owned(), source };
        let mut text = String::new();
        let file = fs::File::open(path).map_err(failed)?;
        file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
        Self::parse(&text)
            .map_err(|error| Error::Policy { path: path.to_owned(), reason: error.to_string() })
    }

    /// From JSON.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// That of a Datanet.
    pub fn of(&self, datanet: DatanetId) -> &Policy {
        self.datanets.get(&datanet).unwrap_or(&self.default)
    }

    /// The same with another for all Datanets that are not named.
    #[must_use]
    pub fn with_default(self, policy: Policy) -> Self {
        Self { default: policy, ..self }
    }
}
