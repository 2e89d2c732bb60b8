//! What `review run` asks a person: `list`, `show`, `vote`.

use super::place;
use crate::{
    content,
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
};
use clap::Args;
use openledger_content::{ContentStore, Wanted};
use openledger_documents::sandbox;
use openledger_primitives::{
    api::{SubmissionKey, SubmissionState},
    text::visible,
    DatanetId, MediaType, Modality, RejectionReason, Score, SubmissionId,
};
use openledger_reviewer::{Nearest, Queue, Waiting, Word};
use serde_json::{json, Value};
use std::{fs, io::Write, path::Path, path::PathBuf, process::Command};

/// Characters of a line of each of two texts side by side.
const COLUMN: usize = 56;

/// Which file to look at.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The submission's number, as `openledger review list` gives it.
    submission: SubmissionId,
    /// Folder to write the file and the one that it is most like into, pictures as PNG; made if need be
    /// [default: the working directory, of pictures and sounds].
    #[arg(long, value_name = "DIR", visible_alias = "to")]
    save: Option<PathBuf>,
    /// Show what is written in another program: the desktop's, or the one that OPENLEDGER_VIEWER names, which gets
    /// both files at once.
    #[arg(long)]
    open: bool,
}

/// A person's word.
#[derive(Args, Debug)]
pub(crate) struct Vote {
    /// The submission's number, as `openledger review list` gives it.
    submission: SubmissionId,
    #[command(flatten)]
    says: Says,
}

/// What is said.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Says {
    /// Accept it with a score of 1 to 100. Where an earlier file has not come, `review list` says what that risks.
    #[arg(long, value_name = "SCORE", value_parser = super::score)]
    accept: Option<Score>,
    /// Reject it.
    #[arg(long, value_name = "REASON", value_parser = crate::arguments::one_of::<RejectionReason>())]
    reject: Option<RejectionReason>,
    /// Say nothing of it: that earns and costs nothing, and leaves it to another committee where one is left to ask. It
    /// is the word where an earlier file has not come that it may be a copy of.
    #[arg(long)]
    unavailable: bool,
}

async fn open(context: &Context) -> Result<Queue> {
    let account = context.account(None).await?;
    place::queue(context, account).await
}

fn require(queue: &Queue, submission: SubmissionId) -> Result<Waiting> {
    queue.find(submission)?.ok_or_else(|| {
        CliError::refused(format!("nobody asks about submission {submission}"))
            .next("list what is asked with `openledger review list`")
    })
}

/// The nearest file, for programs.
pub(in crate::commands::review) fn nearest(nearest: &Nearest) -> Value {
    json!({
        "submission": nearest.submission,
        "sha256": hex::encode(nearest.sha256),
        "alike": nearest.alike,
        "same": nearest.same.name(),
    })
}

fn as_json(waiting: &Waiting) -> Value {
    json!({
        "submission": waiting.submission,
        "draw": waiting.draw,
        "datanet": waiting.datanet,
        "sha256": hex::encode(waiting.sha256),
        "content": waiting.content,
        "size": waiting.size,
        "media": waiting.media,
        "units": waiting.units,
        "why": waiting.why,
        "by": waiting.by_block,
        "nearest": waiting.nearest.as_ref().map(nearest),
        "word": waiting.word.map(Word::to_text),
    })
}

pub(super) async fn list(context: &Context) -> Result<Answer> {
    let all = open(context).await?.waiting()?;
    let rows = all.iter().map(|waiting| {
        [
            waiting.submission.to_string(),
            waiting.draw.to_string(),
            waiting.datanet.to_string(),
            waiting.media.extension().to_owned(),
            waiting.units.to_string(),
            waiting.by_block.to_string(),
            waiting.why.clone(),
            waiting.word.map_or("–".to_owned(), Word::to_text),
        ]
    });
    let heads = ["submission", "draw", "datanet", "format", "units", "by block", "why", "word"];
    let text = table(heads, rows);
    let json: Vec<_> = all.iter().map(as_json).collect();
    Ok(Answer::new(json!({ "asked": json }), text))
}

/// A file that is shown.
struct Shown {
    submission: SubmissionId,
    media: MediaType,
    bytes: Vec<u8>,
}

/// The bytes of a file that was fetched before, or can be fetched.
async fn fetch(context: &Context, wanted: &Wanted, submission: SubmissionId) -> Result<Vec<u8>> {
    let limits = content::limits(context, wanted.size.unwrap_or(0));
    match context.store()?.fetch_bytes(wanted, &limits).await {
        Ok(bytes) => Ok(bytes),
        Err(_) => content::fetch_wanted(context, wanted, submission).await,
    }
}

async fn own(context: &Context, waiting: &Waiting) -> Result<Shown> {
    let wanted = Wanted::exactly(waiting.content, waiting.sha256, waiting.size.into());
    let bytes = fetch(context, &wanted, waiting.submission).await?;
    Ok(Shown { submission: waiting.submission, media: waiting.media, bytes })
}

/// The file that another one is most like.
async fn other(context: &Context, datanet: DatanetId, nearest: &Nearest) -> Result<Shown> {
    let key = SubmissionKey::Number(nearest.submission);
    let view = context.client().await?.submission(datanet, key).await?;
    let gone = || {
        CliError::refused(format!("submission {} is gone", nearest.submission))
            .next("the program compares anew with its next look")
    };
    let (content, size, media) = match view.ok_or_else(gone)?.state {
        SubmissionState::Pending { item, .. } => (item.content, item.size, item.media),
        SubmissionState::Accepted { leaf, .. } => (leaf.content, leaf.leaf.size, leaf.media),
        SubmissionState::Refused { .. } => return Err(gone()),
    };
    let wanted = Wanted::exactly(content, nearest.sha256, size.into());
    let bytes = fetch(context, &wanted, nearest.submission).await?;
    Ok(Shown { submission: nearest.submission, media, bytes })
}

impl Shown {
    fn text(&self) -> Result<String> {
        let (reading, _) = tokio::task::block_in_place(|| sandbox::text(self.media, &self.bytes))
            .map_err(|error| {
            CliError::failed(format!("submission {}: {error}", self.submission))
        })?;
        Ok(reading.text)
    }

    /// Writes a picture as PNG, a text as it is measured, or a sound as it is. Nothing is replaced.
    fn write(&self, folder: &Path, what: &str) -> Result<PathBuf> {
        let (bytes, extension) = match self.media.modality() {
            Modality::Image => {
                let drawn =
                    tokio::task::block_in_place(|| sandbox::picture(self.media, &self.bytes));
                let failed =
                    |error| CliError::failed(format!("submission {}: {error}", self.submission));
                (drawn.map_err(failed)?.png, "png")
            }
            Modality::Text => (self.text()?.into_bytes(), "txt"),
            Modality::Audio => (self.bytes.clone(), self.media.extension()),
        };
        let path = folder.join(format!("submission-{}{what}.{extension}", self.submission));
        let failed = |source| openledger_content::Error::io("write", &path, source);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            // It is that file: a submission's bytes never change.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(path),
            other => other.map_err(failed)?,
        };
        file.write_all(&bytes).map_err(failed)?;
        Ok(path)
    }
}

/// Has another program show files.
fn view(paths: &[&Path]) -> Result<()> {
    let named = std::env::var_os("OPENLEDGER_VIEWER").filter(|name| !name.is_empty());
    let desktop = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let program = named.clone().unwrap_or_else(|| desktop.into());
    // The desktop's take one file each.
    let at_once = if named.is_some() { paths.len().max(1) } else { 1 };
    for paths in paths.chunks(at_once) {
        // What a program for terminals draws is no answer of this one.
        let status = Command::new(&program).args(paths).stdout(std::io::stderr()).status();
        let why = match status {
            Ok(status) if status.success() => continue,
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let program = program.to_string_lossy();
        return Err(CliError::failed(format!("{program} shows nothing: {why}")).next(
            "name a program that does in OPENLEDGER_VIEWER, or look at the files that were written",
        ));
    }
    Ok(())
}

pub(super) async fn show(
    context: &Context,
    Show { submission, save, open: opens }: Show,
) -> Result<Answer> {
    let queue = open(context).await?;
    let waiting = require(&queue, submission)?;
    let file = own(context, &waiting).await?;
    let (beside, note) = match &waiting.nearest {
        None => (None, None),
        Some(nearest) => match other(context, waiting.datanet, nearest).await {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(error.message().to_owned())),
        },
    };
    let mut json = as_json(&waiting);
    let head = fields([
        ("Submission", submission.to_string()),
        ("Asked because", waiting.why.clone()),
        ("By block", waiting.by_block.to_string()),
        (
            "Most like",
            waiting.nearest.map_or("nothing".to_owned(), |near| {
                let alike = near.alike * 100.0;
                format!("submission {}, {alike:.0} % ({})", near.submission, near.same.name())
            }),
        ),
    ]);
    let head = note.map_or(head.clone(), |note| format!("{head}\n{note}"));
    let is_text = waiting.media.modality() == Modality::Text;
    let mut written = Vec::new();
    if !is_text || opens || save.is_some() {
        let folder = save.unwrap_or_else(|| PathBuf::from("."));
        written.push(file.write(&folder, "")?);
        if let Some(beside) = &beside {
            written.push(beside.write(&folder, &format!("-like-{submission}"))?);
        }
        if let Value::Object(json) = &mut json {
            json.insert("file".into(), json!(written.first()));
            json.insert("nearestFile".into(), json!(written.get(1)));
        }
    }
    if opens {
        let paths: Vec<&Path> = written.iter().map(PathBuf::as_path).collect();
        tokio::task::block_in_place(|| view(&paths))?;
    }
    let paths = written.iter().map(|path| path.display().to_string());
    if !is_text {
        let lines: Vec<String> = std::iter::once(head).chain(paths).collect();
        return Ok(Answer::new(json, lines.join("\n")));
    }
    let text = file.text()?;
    let like = beside.as_ref().map(Shown::text).transpose()?;
    let body = match (&like, &beside) {
        (Some(like), Some(beside)) => {
            let heads = [submission, beside.submission].map(|one| format!("submission {one}"));
            side_by_side(&heads, &[&text, like])
        }
        _ => text.clone(),
    };
    if let Value::Object(json) = &mut json {
        json.insert("text".into(), json!(text));
        json.insert("nearestText".into(), json!(like));
    }
    let note: Vec<String> = std::iter::once(head).chain(paths).collect();
    Ok(Answer::new(json, body).with_note(note.join("\n")))
}

/// A line in pieces of at most so many characters, between words as far as they are no longer than that.
fn wrapped(line: &str, most: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if used > 0 && used + length > most {
            pieces.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            // A blank that ends a piece needs no place, and begins none.
            if used == most {
                if character == ' ' {
                    continue;
                }
                pieces.push(String::new());
                used = 0;
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(character);
            }
            used += 1;
        }
    }
    pieces
}

/// Lines of two texts beside each other, each broken where its column ends.
fn side_by_side(heads: &[String; 2], texts: &[&str; 2]) -> String {
    let column = |text: &str| -> Vec<String> {
        text.lines().flat_map(|line| wrapped(&visible(line, true), COLUMN)).collect()
    };
    let [left, right] = [column(texts[0]), column(texts[1])];
    let line = |left: &str, right: &str| {
        let pad = COLUMN.saturating_sub(left.chars().count());
        format!("{left}{:pad$} │ {right}", "").trim_end().to_owned()
    };
    let mut lines =
        vec![line(&heads[0], &heads[1]), line(&"─".repeat(COLUMN), &"─".repeat(COLUMN))];
    for number in 0..left.len().max(right.len()) {
        let of = |column: &[String]| column.get(number).cloned().unwrap_or_default();
        lines.push(line(&of(&left), &of(&right)));
    }
    lines.join("\n")
}

pub(super) async fn vote(context: &Context, arguments: Vote) -> Result<Answer> {
    let queue = open(context).await?;
    let Vote { submission, says: Says { accept, reject, unavailable: _ } } = arguments;
    let waiting = require(&queue, submission)?;
    let word = match (accept, reject) {
        (Some(score), _) => Word::Accept(score),
        (_, Some(reason)) => Word::Reject(reason),
        _ => Word::Unavailable,
    };
    queue.answer(submission, word)?;
    let text = format!(
        "Said of submission {submission}: {}. `openledger review run` commits it, at the latest after block {}.",
        word.to_text(),
        waiting.by_block
    );
    let json = json!({ "submission": submission, "draw": waiting.draw, "word": word.to_text() });
    Ok(Answer::new(json, text))
}
