//! The files of a model: which they are, whether they are whole, and what a path is that holds none.

use super::gguf::{split, Gguf};
use super::hf::INDEX_FILE;
use super::ModelConfig;
use crate::error::{read_bounded, Error, Result};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most entries of a folder that are looked at.
pub(crate) const MAX_ENTRIES: usize = 10_000;
/// Longest index of shards that is read, in bytes.
const MAX_INDEX: u64 = 64 << 20;
/// Longest `config.json` that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;
/// How the files begin that Git keeps in the place of large ones.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1";
const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";

/// The beginning of a file.
fn head(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(Error::io("open", path))?;
    let mut bytes = Vec::new();
    file.take(512).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(bytes)
}

/// Refuses a file that is empty or stands in the place of the real one.
pub(crate) fn check_file(path: &Path) -> Result<()> {
    let start = head(path)?;
    let refuse = |reason: &str| Err(Error::not_usable(path, reason));
    if start.is_empty() {
        return refuse("is empty; was the download cut short? Fetch it again");
    }
    if start.starts_with(LFS) {
        let text = String::from_utf8_lossy(&start);
        let size = text.lines().find_map(|line| line.strip_prefix("size ")?.parse::<u64>().ok());
        let size = size.map_or(String::new(), |bytes| format!(" of {bytes} bytes"));
        return refuse(&format!(
            "is a Git LFS pointer, not the file{size} that it stands for: run `git lfs install` and \
             `git lfs pull` in the repository, or fetch the model with `trainer-worker fetch-model \
             OWNER/NAME`"
        ));
    }
    let page = start.trim_ascii_start().to_ascii_lowercase();
    if page.starts_with(b"<!doctype html") || page.starts_with(b"<html") {
        return refuse(
            "is a web page, not the file: the download was answered with an error or a login",
        );
    }
    Ok(())
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn is_pickle(name: &str) -> bool {
    matches!(extension(name), "bin" | "pt" | "pth" | "ckpt") && !name.starts_with("training_args")
}

/// What some programs call a file that they have not fetched whole.
fn is_part(name: &str) -> bool {
    matches!(extension(name), "part" | "partial" | "incomplete" | "aria2" | "crdownload" | "tmp")
}

const PICKLE: &str = "pickled weights can run code and are not read; write them as safetensors: \
                      AutoModelForCausalLM.from_pretrained(folder).save_pretrained(other_folder)";

/// Refuses a path that is no whole model, with what it is and what to do.
///
/// # Errors
///
/// [`Error::NotUsable`] for a missing path, an empty or half-fetched folder, Git LFS pointers, pickled
/// weights, missing shards, adapters and folders of GGUF files.
pub fn check(path: &Path) -> Result<()> {
    check_with(path, true)
}

/// As [`check`], but a folder may be without its weights: enough to look at a configuration.
pub fn check_description(path: &Path) -> Result<()> {
    check_with(path, false)
}

fn check_with(path: &Path, weights: bool) -> Result<()> {
    if !path.exists() {
        return Err(Error::not_usable(path, "does not exist"));
    }
    if path.is_dir() {
        check_folder(path, weights)
    } else {
        check_model_file(path)
    }
}

fn check_model_file(path: &Path) -> Result<()> {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let refuse = |reason: &str| Err(Error::not_usable(path, reason));
    check_file(path)?;
    if head(path)?.starts_with(b"GGUF") {
        return Ok(());
    }
    if is_pickle(name) {
        return refuse(&format!("is no GGUF file: {PICKLE}"));
    }
    if is_part(name) {
        return refuse("is a download that is not complete; let it go on, or fetch it again");
    }
    if extension(name) == "safetensors" || name == CONFIG || name == INDEX_FILE {
        return refuse(
            "is a part of a model; name its folder, which holds config.json and the weights",
        );
    }
    // What it is otherwise the reader of GGUF says.
    Ok(())
}

fn names_in(path: &Path) -> Result<BTreeSet<String>> {
    let entries = std::fs::read_dir(path).map_err(Error::io("read", path))?;
    let mut names = BTreeSet::new();
    for entry in entries.take(MAX_ENTRIES) {
        let entry = entry.map_err(Error::io("read", path))?;
        names.insert(entry.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// A few names for a sentence.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let shown = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    match names.len() {
        n if n > 5 => format!("{shown} and {} more", n - 5),
        _ => shown,
    }
}

fn check_folder(path: &Path, weights: bool) -> Result<()> {
    let names = names_in(path)?;
    let refuse = |reason: String| Err(Error::not_usable(path, reason));
    let with = |what: &dyn Fn(&str) -> bool| -> Vec<&String> {
        names.iter().filter(|n| what(n)).collect()
    };
    if names.is_empty() {
        return refuse("is an empty folder; fetch the model into it, or name another".to_owned());
    }
    let ggufs = with(&|n| extension(n) == "gguf");
    let parts = with(&|n| is_part(n));
    if !names.contains(CONFIG) {
        if let Some(first) = ggufs.first() {
            return refuse(format!(
                "is a folder of GGUF files ({}); name one of them, such as {}",
                listed(ggufs.iter().copied()),
                path.join(first).display()
            ));
        }
        if names.contains(crate::peft::CONFIG) {
            return refuse(
                "holds an adapter, no model: give it with --adapter, and its base with --model"
                    .to_owned(),
            );
        }
        let inside = with(&|n| n.starts_with("checkpoint-") && path.join(n).join(CONFIG).exists());
        if let Some(last) = inside.last() {
            return refuse(format!(
                "holds no config.json, but {} does; name that",
                path.join(last).display()
            ));
        }
        // The cache of the hub keeps its files in snapshots/COMMIT/.
        let snapshots = path.join("snapshots");
        if snapshots.is_dir() {
            let found = names_in(&snapshots)?.into_iter().map(|n| snapshots.join(n));
            let mut whole = found.filter(|s| s.join(CONFIG).exists());
            let name = whole
                .next()
                .map_or("one that holds config.json".to_owned(), |s| s.display().to_string());
            return refuse(format!("is the hub's cache of a model; name its snapshot, {name}"));
        }
        if !parts.is_empty() {
            return refuse(format!(
                "is not fetched whole ({} is there); let the download go on",
                listed(parts.into_iter())
            ));
        }
        return refuse(format!(
            "holds no config.json; a model's folder has config.json, its weights as safetensors and a \
             tokenizer; this one has {}",
            listed(names.iter())
        ));
    }
    check_file(&path.join(CONFIG))?;
    for name in ["tokenizer.json", "tokenizer.model", "tokenizer_config.json"] {
        if names.contains(name) {
            check_file(&path.join(name))?;
        }
    }
    if !weights {
        return Ok(());
    }
    let files = shards(path, &names)?;
    let missing: Vec<&String> = files.iter().filter(|f| !path.join(f).exists()).collect();
    if !missing.is_empty() {
        if files.len() > 1 && missing.len() < files.len() || names.contains(INDEX_FILE) {
            return refuse(format!(
                "misses {} of {} weight files: {}; fetch them too",
                missing.len(),
                files.len(),
                listed(missing.into_iter())
            ));
        }
        let pickles = with(&|n| is_pickle(n));
        if !pickles.is_empty() {
            return refuse(format!("has its weights in {}: {PICKLE}", listed(pickles.into_iter())));
        }
        if !parts.is_empty() {
            return refuse(format!(
                "is not fetched whole ({} is there); let the download go on",
                listed(parts.into_iter())
            ));
        }
        if !ggufs.is_empty() {
            return refuse(format!(
                "holds config.json and GGUF files ({}); name one of those instead of the folder",
                listed(ggufs.into_iter())
            ));
        }
        let others = with(&|n| extension(n) == "safetensors");
        let others = if others.is_empty() {
            String::new()
        } else {
            format!(" (there is {}, which is not its name)", listed(others.into_iter()))
        };
        return refuse(format!(
            "holds config.json but no {WEIGHTS}{others}; was the download cut short? Fetch the weights \
             too"
        ));
    }
    for name in &files {
        check_file(&path.join(name))?;
    }
    Ok(())
}

/// The weight files that a folder should have: those of its index, those that the name of one of
/// several says, or the one.
fn shards(path: &Path, names: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    if names.contains(INDEX_FILE) {
        let index = path.join(INDEX_FILE);
        check_file(&index)?;
        let json: serde_json::Value = serde_json::from_slice(&read_bounded(&index, MAX_INDEX)?)
            .map_err(|e| Error::Safetensors { reason: format!("the index: {e}") })?;
        let map = json.get("weight_map").and_then(serde_json::Value::as_object);
        let files = map.into_iter().flatten().filter_map(|(_, file)| file.as_str());
        // Names that lead elsewhere are refused by the reader.
        let plain = |f: &&str| {
            let all = f.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            all && !f.is_empty() && !f.starts_with('.')
        };
        return Ok(files.filter(plain).map(str::to_owned).collect());
    }
    if !names.contains(WEIGHTS) {
        let numbered = names.iter().find_map(|n| {
            let stem = n.strip_suffix(".safetensors")?;
            split::numbered(stem).filter(|s| s.prefix == "model")
        });
        if let Some(of) = numbered {
            let mut all: BTreeSet<String> =
                (1..=of.count).map(|n| format!("{}.safetensors", of.name(n))).collect();
            all.insert(INDEX_FILE.to_owned());
            return Ok(all);
        }
    }
    Ok(BTreeSet::from([WEIGHTS.to_owned()]))
}

/// The files that hold a model's weights, in order: all parts of a split GGUF file, or a folder's
/// safetensors files.
pub fn weight_files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_dir() {
        let files = shards(path, &names_in(path)?)?;
        return Ok(files.iter().filter(|f| *f != INDEX_FILE).map(|f| path.join(f)).collect());
    }
    split::parts(path)
}

/// Bytes of all weight files.
pub fn weight_bytes(path: &Path) -> u64 {
    let size = |file: PathBuf| std::fs::metadata(file).map_or(0, |m| m.len());
    weight_files(path).map_or(0, |files| files.into_iter().map(size).sum())
}

impl ModelConfig {
    /// The configuration of a GGUF file or a Hugging Face folder, without its weights.
    ///
    /// # Errors
    ///
    /// As [`check_description`], and for a configuration that this engine does not compute.
    pub fn open(path: &Path) -> Result<Self> {
        check_description(path)?;
        if !path.is_dir() {
            return Gguf::open(path)?.config();
        }
        let text = read_bounded(&path.join(CONFIG), MAX_CONFIG)?;
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Self::from_hf_json(&String::from_utf8_lossy(&text), &name)
    }
}
