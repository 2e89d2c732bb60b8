//! Where checkpoints lie: one file that is replaced, or the newest few in folders of their own.
//!
//! With `save_total_limit` each is a folder `checkpoint-STEP` with the state to go on from and the
//! adapter as it was then, so that any of them can be used. When the run is complete the states go and
//! the adapters stay.

use super::checkpoint::{self, Checkpoint, FILE, FOREIGN};
use crate::error::{Error, Result};
use crate::lora::Adapter;
use crate::peft;
use std::path::{Path, PathBuf};

/// Most entries of an output folder that are looked at.
const MAX_ENTRIES: usize = 100_000;

/// The checkpoints of a run.
pub(super) struct Store<'a> {
    /// The output folder.
    pub(super) directory: &'a Path,
    /// How many are kept in folders; none: one file.
    pub(super) limit: Option<u64>,
    /// Name of the base model in the adapters.
    pub(super) base_model: &'a str,
}

/// The folder of the checkpoint after so many steps.
pub fn folder_of(directory: &Path, step: u64) -> PathBuf {
    directory.join(format!("checkpoint-{step}"))
}

/// Steps of the folders, ascending.
fn steps(directory: &Path) -> Vec<u64> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let step = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        let digits = name.to_str()?.strip_prefix("checkpoint-")?;
        let step: u64 = digits.parse().ok()?;
        (step.to_string() == digits && entry.file_type().ok()?.is_dir()).then_some(step)
    };
    let mut found: Vec<u64> = entries.take(MAX_ENTRIES).flatten().filter_map(step).collect();
    found.sort_unstable();
    found
}

/// The states that a run in a folder could go on from, newest first.
pub fn states(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u64, PathBuf)> = steps(directory)
        .into_iter()
        .map(|step| (step, folder_of(directory, step).join(FILE)))
        .chain([(
            checkpoint::step_of(&checkpoint::file_in(directory)),
            checkpoint::file_in(directory),
        )])
        .filter(|(_, path)| path.exists())
        .collect();
    found.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
    found.into_iter().map(|(_, path)| path).collect()
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes what a checkpoint's folder was given, and the folder where nothing else is in it.
fn remove_folder(folder: &Path) -> Result<()> {
    for file in [FILE, peft::WEIGHTS, peft::CONFIG] {
        remove(&folder.join(file))?;
    }
    // What else is there is not ours.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

/// Removes the states of a run that is complete; the adapters beside them stay.
pub fn complete(directory: &Path) -> Result<()> {
    states(directory).iter().try_for_each(|path| remove(path))
}

/// Removes all checkpoints of a run that another one takes the place of.
pub fn clear(directory: &Path) -> Result<()> {
    complete(directory)?;
    steps(directory).into_iter().try_for_each(|step| remove_folder(&folder_of(directory, step)))
}

impl Store<'_> {
    /// The newest checkpoint that is whole, of the run whose fresh state is `fresh`.
    ///
    /// # Errors
    ///
    /// When there are some and none is whole, or the newest whole one is of another run.
    pub(super) fn newest(
        &self,
        fresh: &Checkpoint,
        skipped: impl Fn(String),
    ) -> Result<Option<Checkpoint>> {
        let paths = states(self.directory);
        let mut first = None;
        for path in &paths {
            match Checkpoint::load(path, fresh) {
                Ok(state) => {
                    if let Some(error) = first {
                        skipped(format!("{error}; going on from an older one"));
                    }
                    return Ok(Some(state));
                }
                Err(Error::Checkpoint { path, reason }) if reason.starts_with(FOREIGN) => {
                    return Err(Error::Checkpoint { path, reason });
                }
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(None), Err)
    }

    /// Keeps a state and its adapter.
    pub(super) fn save(&self, state: &Checkpoint, adapter: &Adapter) -> Result<()> {
        let Some(limit) = self.limit else {
            return state.save(&checkpoint::file_in(self.directory));
        };
        let folder = folder_of(self.directory, state.step);
        peft::save(&folder, adapter, self.base_model)?;
        // The state comes last: a folder with one is whole.
        state.save(&folder.join(FILE))?;
        remove(&checkpoint::file_in(self.directory))?;
        let best = state.best.as_ref().filter(|b| b.parameters.is_some()).map(|b| b.step);
        let mut kept: Vec<u64> = steps(self.directory);
        kept.retain(|step| *step != state.step && Some(*step) != best);
        // The newest are last.
        let others = usize::try_from(limit.saturating_sub(1)).unwrap_or(usize::MAX);
        let over = kept.len().saturating_sub(others);
        kept.iter().take(over).try_for_each(|step| remove_folder(&folder_of(self.directory, *step)))
    }
}
