//! What training would see, before it begins.

use super::{divide, Builder, Counted, DataFile, DataOptions, Example, Kind, Place, Report};
use crate::tokenizer::Tokenizer;
use serde::Serialize;
use std::collections::BTreeMap;

/// Most examples that are shown.
const SHOWN: usize = 5;

/// What is trained for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The next token.
    #[default]
    Supervised,
    /// The preferred answer (DPO).
    Preference,
}

/// The settings that a preview depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PreviewOptions {
    /// How files become examples.
    pub data: DataOptions,
    /// What is trained for.
    pub objective: Objective,
    /// Examples of a micro-batch.
    pub per_device_train_batch_size: usize,
    /// Micro-batches of an optimiser step.
    pub gradient_accumulation_steps: usize,
    /// Passes over the examples.
    pub num_train_epochs: f64,
    /// Share of the examples that is held out.
    pub eval_fraction: f64,
    /// Decides which ones are.
    pub seed: u64,
}

/// One file of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilePreview {
    /// The submission or path.
    pub submission: String,
    /// The file's format by its name.
    pub media: String,
    /// Bytes of the file.
    pub bytes: usize,
    /// Examples made of it.
    pub examples: usize,
    /// Tokens of these.
    pub tokens: usize,
    /// Tokens of these that count in the loss.
    pub labelled_tokens: usize,
    /// Examples cut to `max_seq_length`.
    pub truncated: usize,
    /// Places that gave no example.
    pub refused: usize,
    /// Why the whole file cannot be read.
    pub error: Option<String>,
}

/// Lengths of examples in tokens (of a preference, both sequences count).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub min: usize,
    /// The middle one.
    pub median: usize,
    /// 95 of 100 are at most this long.
    pub p95: usize,
    /// The longest.
    pub max: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// How many have at most so many tokens and more than the bucket before; powers of two.
    pub histogram: Vec<(usize, usize)>,
}

/// An example for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its text, with special tokens between `⟦` and `⟧`.
    pub text: String,
    /// The parts of it that count in the loss.
    pub learned: String,
    /// Its tokens.
    pub tokens: usize,
    /// Those that count in the loss.
    pub labelled_tokens: usize,
}

impl Shown {
    /// Shows an example.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Tokenizer`] for tokens that cannot be decoded.
    pub fn of(tokenizer: &Tokenizer, example: &Example) -> crate::Result<Self> {
        let pairs = example.tokens.iter().zip(&example.labels).enumerate();
        // Nothing predicts the first token.
        let learned: Vec<u32> =
            pairs.filter(|(i, (_, label))| *i > 0 && **label).map(|(_, (id, _))| *id).collect();
        Ok(Self {
            text: tokenizer.show(&example.tokens)?,
            learned: tokenizer.show(&learned)?,
            tokens: example.tokens.len(),
            labelled_tokens: example.labelled(),
        })
    }
}

/// What training would see.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// The files in their order.
    pub files: Vec<FilePreview>,
    /// Examples to train on.
    pub train_examples: usize,
    /// Examples held out.
    pub eval_examples: usize,
    /// Examples by what they were made of.
    pub kinds: BTreeMap<Kind, usize>,
    /// Tokens in all examples.
    pub tokens: usize,
    /// Tokens that count in the loss.
    pub labelled_tokens: usize,
    /// The share of tokens that count in the loss, 0 to 1.
    pub label_share: f64,
    /// Lengths of the examples.
    pub lengths: Lengths,
    /// Examples cut to `max_seq_length`.
    pub truncated: usize,
    /// Places that gave no example.
    pub refused: usize,
    /// Conversations that became one example an answer.
    pub split: usize,
    /// The first places that were cut.
    pub truncated_places: Vec<Place>,
    /// The first places that gave no example.
    pub refused_places: Vec<Place>,
    /// What a reader should know about whole files.
    pub notes: Vec<String>,
    /// Tokens that were cut off.
    pub cut_tokens: usize,
    /// Why places gave no example, with how many and the first.
    pub reasons: BTreeMap<String, Counted>,
    /// What was not used or taken in a way that not everybody expects, with how many and the first.
    pub remarks: BTreeMap<String, Counted>,
    /// The first examples, as the model sees them.
    pub shown: Vec<Shown>,
    /// What a person should know, in words: all of the above that is not a number.
    #[serde(skip)]
    pub lines: Vec<String>,
    /// Optimiser steps of one pass, without packing and other limits of a run.
    pub steps_per_epoch: usize,
    /// Optimiser steps in all.
    pub total_steps: usize,
    /// Tokens that all steps see.
    pub total_tokens: usize,
}

/// Reads files as training would, and says what came of each. A file that cannot be read does not
/// stop it: its error stands beside it.
pub fn preview(files: &[DataFile], tokenizer: &Tokenizer, options: &PreviewOptions) -> Preview {
    let mut builder = Builder::new(tokenizer, options.data, options.objective);
    let mut listed = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let before = Counts::of(&builder);
        let error = builder.file(index, file).err().map(|error| error.to_string());
        let after = Counts::of(&builder);
        listed.push(FilePreview {
            submission: file.origin.submission.clone(),
            media: match file.format {
                super::Format::Document => file.media.extension(),
                super::Format::JsonLines => "jsonl",
                super::Format::Json => "json",
                super::Format::Csv => "csv",
                super::Format::Tsv => "tsv",
                super::Format::Parquet => "parquet",
                super::Format::Arrow => "arrow",
            }
            .to_owned(),
            bytes: file.bytes.len(),
            examples: after.examples - before.examples,
            tokens: after.tokens - before.tokens,
            labelled_tokens: after.labelled - before.labelled,
            truncated: after.truncated - before.truncated,
            refused: after.refused - before.refused,
            error,
        });
    }
    let Builder { examples, preferences, report, .. } = builder;
    let all: Vec<(usize, bool)> = match options.objective {
        Objective::Supervised => {
            examples.iter().map(|e| (e.tokens.len(), e.origin.evaluation)).collect()
        }
        Objective::Preference => {
            preferences.iter().map(|p| (p.tokens(), p.chosen.origin.evaluation)).collect()
        }
    };
    let lengths = lengths(&all.iter().map(|(length, _)| *length).collect::<Vec<_>>());
    let (train, held) = divide(all, |(_, held)| *held, options.eval_fraction, options.seed);
    let train: Vec<usize> = train.into_iter().map(|(length, _)| length).collect();
    let pairs = preferences.iter().flat_map(|pair| [&pair.chosen, &pair.rejected]);
    // Of each file, the first one; then more of them.
    let all: Vec<&Example> = examples.iter().chain(pairs).collect();
    let fresh = all.chunk_by(|a, b| a.file == b.file).filter_map(<[_]>::first);
    let chosen = if files.len() > 1 { fresh.copied().take(SHOWN).collect() } else { Vec::new() };
    let more = all.iter().copied().take(SHOWN);
    let chosen: Vec<&Example> = if chosen.is_empty() { more.collect() } else { chosen };
    let shown = chosen.into_iter().filter_map(|e| Shown::of(tokenizer, e).ok()).collect();
    let lines = report.lines();
    let Report { tokens, labelled, truncated, skipped, split, .. } = report;
    let batches = train.len().div_ceil(options.per_device_train_batch_size.max(1));
    let steps_per_epoch = batches.div_ceil(options.gradient_accumulation_steps.max(1));
    Preview {
        files: listed,
        train_examples: train.len(),
        eval_examples: held.len(),
        kinds: report.kinds,
        tokens,
        labelled_tokens: labelled,
        label_share: if tokens == 0 { 0.0 } else { labelled as f64 / tokens as f64 },
        lengths,
        truncated,
        refused: skipped,
        split,
        truncated_places: report.truncated_places,
        refused_places: report.refused_places,
        notes: report.notes,
        cut_tokens: report.cut_tokens,
        reasons: report.reasons,
        remarks: report.remarks,
        shown,
        lines,
        steps_per_epoch,
        total_steps: times(steps_per_epoch, options.num_train_epochs),
        total_tokens: times(train.iter().sum::<usize>(), options.num_train_epochs),
    }
}

/// So many of an epoch in some epochs, of which the last may be a part, rounded up.
fn times(of_epoch: usize, epochs: f64) -> usize {
    (of_epoch as f64 * epochs.max(0.0)).ceil() as usize
}

/// Counts before and after a file.
struct Counts {
    examples: usize,
    tokens: usize,
    labelled: usize,
    truncated: usize,
    refused: usize,
}

impl Counts {
    fn of(builder: &Builder<'_>) -> Self {
        let report = &builder.report;
        Self {
            examples: builder.examples.len() + builder.preferences.len(),
            tokens: report.tokens,
            labelled: report.labelled,
            truncated: report.truncated,
            refused: report.skipped,
        }
    }
}

fn lengths(all: &[usize]) -> Lengths {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    let (Some(min), Some(max)) = (sorted.first(), sorted.last()) else {
        return Lengths::default();
    };
    let at = |percent: usize| {
        let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(place).copied().unwrap_or_default()
    };
    let mut histogram = BTreeMap::new();
    for length in &sorted {
        *histogram.entry(length.next_power_of_two()).or_default() += 1;
    }
    Lengths {
        min: *min,
        median: at(50),
        p95: at(95),
        max: *max,
        mean: sorted.iter().sum::<usize>() as f64 / sorted.len() as f64,
        histogram: histogram.into_iter().collect(),
    }
}
