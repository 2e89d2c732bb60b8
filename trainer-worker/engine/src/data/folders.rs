//! The files of folders: which are read, in which order, for what, and what is left out.

use super::files::{kind_of, DataFile};
use super::formats::{known, Format};
use super::splits::{self, Card, Head, Split};
use crate::error::{read_bounded, Error, Result};
use serde::Serialize;
use std::collections::HashSet;
use std::io::ErrorKind::NotFound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Most files that are read.
const MAX_FILES: usize = 10_000;
/// Most entries of folders that are looked at.
const MAX_ENTRIES: usize = 1_000_000;
/// Most bytes of all files together: they are kept in memory.
const MAX_BYTES: u64 = 4 << 30;
/// Deepest folder.
const MAX_DEPTH: usize = 32;
/// How many names of left out files are kept for each reason.
const NAMED: usize = 8;
/// Files that describe a data set of `datasets` or LLaMA-Factory and hold no records.
const DESCRIPTIONS: [&str; 4] =
    ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];
/// Hidden files and caches that do not begin with a dot.
const CACHES: [&str; 5] = ["__macosx", "__pycache__", "thumbs.db", "desktop.ini", "node_modules"];

/// What files are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Training: a test split is left out, a validation split is evaluated on.
    Training,
    /// Measuring: the test split where there is one, else the validation split, else everything.
    Measuring,
    /// Looking: everything.
    Everything,
}

/// Files that are not read, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: usize,
    /// The first of them.
    pub names: Vec<String>,
}

/// Files, and what was left out.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The files in their order.
    pub files: Vec<DataFile>,
    /// What is not read, by reason.
    pub left_out: Vec<LeftOut>,
    /// What is evaluated on, where that is not drawn from the files that are trained on.
    pub evaluation: Option<String>,
}

impl Sources {
    /// What a person should know, a line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .left_out
            .iter()
            .map(|left| {
                let more = if left.count > left.names.len() { ", …" } else { "" };
                let files = if left.count == 1 { "1 file is" } else { "files are" };
                let count =
                    if left.count == 1 { String::new() } else { format!("{} ", left.count) };
                format!("{count}{files} left out: {}: {}{more}", left.reason, left.names.join(", "))
            })
            .collect();
        lines.extend(self.evaluation.clone());
        lines
    }

    fn leave_out(&mut self, reason: &str, name: String) {
        let at = self.left_out.iter().position(|left| left.reason == reason);
        let at = at.unwrap_or_else(|| {
            let (reason, names) = (reason.to_owned(), Vec::new());
            self.left_out.push(LeftOut { reason, count: 0, names });
            self.left_out.len() - 1
        });
        if let Some(left) = self.left_out.get_mut(at) {
            left.count += 1;
            if left.names.len() < NAMED {
                left.names.push(name);
            }
        }
    }
}

/// Reads files, and of folders what has a known name.
///
/// # Errors
///
/// As [`read_for`].
pub fn read(paths: &[PathBuf]) -> Result<Vec<DataFile>> {
    Ok(read_for(paths, Purpose::Training)?.files)
}

/// Reads the files to train on and, where they are given, those to evaluate on.
///
/// # Errors
///
/// As [`read_for`].
pub fn read_training(paths: &[PathBuf], evaluation: &[PathBuf]) -> Result<Sources> {
    if evaluation.is_empty() {
        return read_for(paths, Purpose::Training);
    }
    let mut sources = read_for(paths, Purpose::Training)?;
    let (held, train): (Vec<_>, Vec<_>) =
        sources.files.drain(..).partition(|file| file.origin.evaluation);
    sources.files = train;
    for file in held {
        let reason = "of the validation split, in whose place --eval-data is evaluated on";
        sources.leave_out(reason, file.origin.submission.clone());
    }
    let measured = read_for(evaluation, Purpose::Measuring)?;
    if let Some(file) = measured
        .files
        .iter()
        .find(|file| sources.files.iter().any(|other| other.origin.sha256 == file.origin.sha256))
    {
        return Err(Error::Data {
            name: file.origin.submission.clone(),
            reason: "it is both trained and evaluated on; take it out of --data or of --eval-data"
                .to_owned(),
        });
    }
    let count = measured.files.len();
    sources.files.extend(measured.files.into_iter().map(DataFile::for_evaluation));
    for left in measured.left_out {
        sources.left_out.push(LeftOut { reason: format!("(--eval-data) {}", left.reason), ..left });
    }
    sources.evaluation = Some(format!("evaluated on --eval-data ({})", super::files(count)));
    if sources.files.len() == count {
        return Err(nothing(paths, &sources));
    }
    Ok(sources)
}

/// Reads files, and of folders what has a known name, in the order of names with numbers by their
/// value. Links are followed; a folder or file that links lead to again is read once.
///
/// # Errors
///
/// [`Error::Data`] for more than 10,000 files, for none, and as [`DataFile::open`].
pub fn read_for(paths: &[PathBuf], purpose: Purpose) -> Result<Sources> {
    let mut sources = Sources::default();
    let mut walk = Walk { found: Vec::new(), seen: HashSet::new(), entries: 0 };
    for path in paths {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        if path.is_dir() {
            let mut at =
                Folder { split: splits::of_folder(&name), card: None, below: String::new() };
            walk.folder(path, 0, &mut at, &mut sources)?;
        } else if std::fs::metadata(path).is_err_and(|error| error.kind() == NotFound) {
            return Err(missing(path));
        } else {
            let format = kind_of(path).map_or(Format::Document, |(_, format, _)| format);
            walk.found.push((path.clone(), splits::of_file(&name, format)));
        }
    }
    let has = |split| walk.found.iter().any(|(_, found)| *found == Some(split));
    let wanted: Box<dyn Fn(Option<Split>) -> bool> = match purpose {
        Purpose::Everything => Box::new(|_| true),
        Purpose::Training => Box::new(|split| split != Some(Split::Test)),
        Purpose::Measuring if has(Split::Test) => Box::new(|split| split == Some(Split::Test)),
        Purpose::Measuring if has(Split::Validation) => {
            Box::new(|split| split == Some(Split::Validation))
        }
        Purpose::Measuring => Box::new(|_| true),
    };
    // Without anything to train on, a validation split alone is no evaluation.
    let trained =
        walk.found.iter().any(|(_, s)| !matches!(s, Some(Split::Validation | Split::Test)));
    let (mut evaluated, mut room) = (0, MAX_BYTES);
    for (path, split) in walk.found {
        let name = path.display().to_string();
        if !wanted(split) {
            let reason = match purpose {
                Purpose::Measuring => "of another split than the one that is measured on",
                _ => "of the test split, which is never trained on",
            };
            sources.leave_out(reason, name);
        } else if purpose == Purpose::Training && split == Some(Split::Validation) {
            if trained {
                evaluated += 1;
                sources.files.push(opened(&path, &mut room)?.for_evaluation());
            } else {
                sources.leave_out("of the validation split, without one to train on", name);
            }
        } else {
            sources.files.push(opened(&path, &mut room)?);
        }
    }
    if evaluated > 0 {
        let files = super::files(evaluated);
        sources.evaluation = Some(format!("evaluated on the validation split ({files})"));
    }
    if sources.files.is_empty() {
        return Err(nothing(paths, &sources));
    }
    Ok(sources)
}

/// Opens a file, within what all of them may have.
fn opened(path: &Path, room: &mut u64) -> Result<DataFile> {
    let file = DataFile::open(path)?;
    *room = room.checked_sub(file.bytes.len() as u64).ok_or_else(|| Error::Data {
        name: path.display().to_string(),
        reason: format!("with it, the files have more than {MAX_BYTES} bytes; train on fewer"),
    })?;
    Ok(file)
}

/// Said before anything of its name: "only .md … are read" is no answer to a folder that was mistyped.
fn missing(path: &Path) -> Error {
    let place = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    Error::Data {
        name: path.display().to_string(),
        reason: format!(
            "there is no file or folder {}; name one that is there, or make it and put the files in it",
            place.display()
        ),
    }
}

fn nothing(paths: &[PathBuf], sources: &Sources) -> Error {
    let name = paths.first().map_or_else(String::new, |path| path.display().to_string());
    let ends = known();
    let ends = ends.split(" and ").next().unwrap_or_default();
    let mut reason = format!("no {ends} … file to use is in it");
    for line in sources.lines() {
        reason += "; ";
        reason += &line;
    }
    if sources.left_out.iter().any(|left| left.reason.contains("split")) {
        reason += "; rename what is to be trained on (train.jsonl, or a folder train/)";
    }
    Error::Data { name, reason }
}

struct Walk {
    found: Vec<(PathBuf, Option<Split>)>,
    /// Device and number of what was read by way of folders.
    seen: HashSet<(u64, u64)>,
    entries: usize,
}

/// What is known of a folder from the ones above it.
#[derive(Clone)]
struct Folder {
    split: Option<Split>,
    card: Option<std::sync::Arc<Card>>,
    /// Its path from the folder that has the card, with `/` at the end.
    below: String,
}

impl Walk {
    fn folder(
        &mut self,
        folder: &Path,
        depth: usize,
        at: &mut Folder,
        sources: &mut Sources,
    ) -> Result<()> {
        let fail = |reason: String| Error::Data { name: folder.display().to_string(), reason };
        if depth > MAX_DEPTH {
            return Err(fail(format!("folders are nested deeper than {MAX_DEPTH}")));
        }
        let metadata = std::fs::metadata(folder).map_err(Error::io("read", folder))?;
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            sources.leave_out("a link to a folder that was read already", shown(folder));
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
            let entry = entry.map_err(Error::io("read", folder))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(fail(format!("more than {MAX_ENTRIES} files and folders are in it")));
            }
        }
        names.sort_by(|a, b| splits::natural(a, b));
        if let Some(saved) = saved(folder, &names) {
            return self.saved(folder, &saved, at, sources);
        }
        let mut card_file = None;
        if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case("readme.md")) {
            let path = folder.join(name);
            let text = read_bounded(&path, 10 << 20).unwrap_or_default();
            match splits::head(&String::from_utf8_lossy(&text)) {
                Head::None => {}
                Head::Silent => card_file = Some(path),
                Head::Card(card) => {
                    card_file = Some(path);
                    at.card = Some(std::sync::Arc::new(card));
                    at.below.clear();
                }
            }
        }
        for name in names {
            let path = folder.join(&name);
            if card_file.as_ref() == Some(&path) {
                sources.leave_out("the data set's card", shown(&path));
            } else if name.starts_with('.') || CACHES.contains(&name.to_lowercase().as_str()) {
                sources.leave_out("hidden files and caches", shown(&path));
            } else {
                self.entry(&path, &name, depth, at, sources)?;
            }
            if self.found.len() > MAX_FILES {
                return Err(fail(format!("more than {MAX_FILES} files")));
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &Path,
        name: &str,
        depth: usize,
        at: &Folder,
        sources: &mut Sources,
    ) -> Result<()> {
        let Ok(metadata) = std::fs::metadata(path) else {
            sources.leave_out("a link that leads nowhere, or no right to read it", shown(path));
            return Ok(());
        };
        if metadata.is_dir() {
            let mut inner = Folder {
                split: splits::of_folder(name).or(at.split),
                card: at.card.clone(),
                below: format!("{}{name}/", at.below),
            };
            return self.folder(path, depth + 1, &mut inner, sources);
        }
        let Some((_, format, _)) = kind_of(path).filter(|_| metadata.is_file()) else {
            sources.leave_out("files of a kind that is not read", shown(path));
            return Ok(());
        };
        if DESCRIPTIONS.contains(&name) {
            sources.leave_out("descriptions of a data set", shown(path));
            return Ok(());
        }
        let mut split = splits::of_file(name, format).or(at.split);
        if let Some(card) = &at.card {
            match card.split(&format!("{}{name}", at.below)) {
                Some(named) => split = Some(named),
                None => {
                    let others = match card.others.as_slice() {
                        [] => String::new(),
                        others => format!(" (others are {}; name their files)", others.join(", ")),
                    };
                    let reason = format!(
                        "not of the configuration {:?} of the data set's card{others}",
                        card.name
                    );
                    sources.leave_out(&reason, shown(path));
                    return Ok(());
                }
            }
        }
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            sources.leave_out("a link to a file that was read already", shown(path));
            return Ok(());
        }
        self.found.push((path.to_path_buf(), split));
        Ok(())
    }

    /// A folder of `save_to_disk`: the files that its state names, in its order.
    fn saved(
        &mut self,
        folder: &Path,
        saved: &Saved,
        at: &Folder,
        sources: &mut Sources,
    ) -> Result<()> {
        let name =
            folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let split = saved.split.as_deref().and_then(splits::of_words).or(at.split);
        let split = split.or_else(|| splits::of_words(&name));
        for name in &saved.files {
            let path = folder.join(name);
            if !path.is_file() {
                return Err(Error::Data {
                    name: shown(folder),
                    reason: format!("state.json names {name}, which is not there; fetch it again"),
                });
            }
            self.found.push((path, split));
        }
        for name in DESCRIPTIONS.iter().filter(|name| folder.join(name).is_file()) {
            sources.leave_out("descriptions of a data set", shown(&folder.join(name)));
        }
        Ok(())
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What `state.json` of `save_to_disk` says.
struct Saved {
    files: Vec<String>,
    split: Option<String>,
}

fn saved(folder: &Path, names: &[String]) -> Option<Saved> {
    if !names.iter().any(|name| name == "state.json") {
        return None;
    }
    let text = read_bounded(&folder.join("state.json"), 4 << 20).ok()?;
    let state: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let files = state.get("_data_files")?.as_array()?.iter().map(|file| {
        let name = file.get("filename")?.as_str()?;
        // A name in this folder, not a path to anywhere.
        (!name.is_empty() && !name.contains('/') && name != "..").then(|| name.to_owned())
    });
    let files = files.take(MAX_FILES).collect::<Option<Vec<_>>>()?;
    let split = state.get("_split").and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Saved { files, split })
}
