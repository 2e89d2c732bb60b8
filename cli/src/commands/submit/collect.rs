//! Which files a submission is about: those that are named, and those in folders that are.

use super::Skipped;
use crate::error::{CliError, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Most names that are looked at in all folders together.
const MAX_NAMES: usize = 100_000;
/// Deepest nesting of folders.
const MAX_DEPTH: usize = 64;

/// A file that may be submitted.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Whether it was named itself. What is wrong with such a file ends the command; one that was
    /// found in a folder is passed over with a word.
    pub(super) named: bool,
}

/// The files, in the order of the arguments and in folders by name, and what is passed over.
pub(super) fn collect(arguments: &[PathBuf]) -> Result<(Vec<Found>, Vec<Skipped>)> {
    let mut walk = Walk { found: Vec::new(), skipped: Vec::new(), names: 0 };
    for path in arguments {
        let failed = |error| openledger_content::Error::io("read", path, error);
        let metadata = fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            walk.folder(path, 0)?;
        } else if metadata.is_file() {
            walk.found.push(Found { path: path.clone(), named: true });
        } else {
            return Err(CliError::usage(format!(
                "{} is neither a file nor a folder",
                path.display()
            )));
        }
    }
    Ok((walk.found, walk.skipped))
}

struct Walk {
    found: Vec<Found>,
    skipped: Vec<Skipped>,
    names: usize,
}

impl Walk {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let failed = |error| openledger_content::Error::io("list", folder, error);
        if depth > MAX_DEPTH {
            self.skip(folder, format!("it lies deeper than {MAX_DEPTH} folders"));
            return Ok(());
        }
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            self.names += 1;
            if self.names > MAX_NAMES {
                return Err(CliError::failed(format!(
                    "{} holds more than the {MAX_NAMES} files and folders that are looked at",
                    folder.display()
                ))
                .next("name a smaller folder"));
            }
            paths.push(entry.map_err(failed)?.path());
        }
        paths.sort();
        for path in paths {
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().first() == Some(&b'.'));
            let Ok(metadata) = path.symlink_metadata() else {
                self.skip(&path, "it cannot be read");
                continue;
            };
            if hidden {
                self.skip(&path, "it is hidden");
            } else if metadata.is_symlink() {
                // It could lead out of the folder, to what nobody meant to publish.
                self.skip(&path, "it is a symbolic link; name its target to submit that");
            } else if metadata.is_dir() {
                self.folder(&path, depth + 1)?;
            } else if metadata.is_file() {
                self.found.push(Found { path, named: false });
            } else {
                self.skip(&path, "it is no regular file");
            }
        }
        Ok(())
    }

    fn skip(&mut self, path: &Path, reason: impl Into<String>) {
        self.skipped.push(Skipped { path: path.to_owned(), reason: reason.into() });
    }
}
