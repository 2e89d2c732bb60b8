//! What gateways have still to be told of an attempt, in a file, so that a worker that is killed loses
//! nothing of it.
//!
//! A checkpoint may be newer than what was sent: without the file, steps that were seen before it and not
//! sent when the worker was killed would be told by nobody, since training goes on after them. Something
//! may be told twice, never not at all; readers take what comes later (docs/live.md). Nothing waits for
//! the disk: what a loss of power takes from the file is the end of a curve.

use openledger_client::metrics::Entry;
use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Longest file that is read back, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The entries that are not settled with every gateway yet, one line of JSON each.
pub(super) struct Journal {
    /// None where it cannot be written; then entries are kept in memory alone.
    file: Option<File>,
    state: Mutex<State>,
}

struct State {
    written: u64,
    /// Entries that each gateway has, or will never get; in order.
    settled: Vec<u64>,
}

impl Journal {
    /// Opens the file and returns what it holds, for each of so many gateways. What cannot be written or
    /// read is said and stops no training.
    pub(super) fn open(path: &Path, gateways: usize) -> (Self, Vec<Entry>) {
        let opened = || -> std::io::Result<(File, Vec<Entry>)> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut options = File::options();
            let mut file = options.create(true).read(true).append(true).open(path)?;
            let bytes = file.metadata()?.len();
            if bytes > MAX_BYTES {
                tracing::warn!(path = %path.display(), bytes, limit = MAX_BYTES,
                    "only the beginning of the metrics that were not sent is told");
            }
            let mut entries = Vec::new();
            let mut torn = false;
            for line in BufReader::new((&mut file).take(MAX_BYTES)).split(b'\n') {
                match serde_json::from_slice(&line?) {
                    Ok(entry) => entries.push(entry),
                    // The worker was killed in the middle of this line.
                    Err(_) => torn = true,
                }
            }
            if torn {
                file.write_all(b"\n")?;
            }
            Ok((file, entries))
        };
        let (file, entries) = match opened() {
            Ok((file, entries)) => (Some(file), entries),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(),
                    "metrics are kept in memory alone; a kill loses those not sent");
                (None, Vec::new())
            }
        };
        let state = State { written: entries.len() as u64, settled: vec![0; gateways] };
        (Self { file, state: Mutex::new(state) }, entries)
    }

    /// Writes an entry, and hands it to each gateway's queue in the order in which it stands in the file.
    /// A queue that does not take it is done with it.
    pub(super) fn append(&self, entry: &Entry, mut hand: impl FnMut(usize) -> bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = serde_json::to_vec(entry).unwrap_or_default();
        line.push(b'\n');
        if let Some(Err(error)) = self.file.as_ref().map(|mut file| file.write_all(&line)) {
            tracing::debug!(%error, "an entry of the metrics is kept in memory alone");
        }
        state.written += 1;
        for (gateway, settled) in state.settled.iter_mut().enumerate() {
            if !hand(gateway) {
                *settled = settled.saturating_add(1);
            }
        }
    }

    /// A gateway has so many more entries, or will never get them. Once all have everything the file is
    /// emptied.
    pub(super) fn settle(&self, gateway: usize, entries: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settled) = state.settled.get_mut(gateway) {
            *settled = settled.saturating_add(entries);
        }
        if state.settled.iter().all(|settled| *settled >= state.written) {
            if let Some(Err(error)) = self.file.as_ref().map(|file| file.set_len(0)) {
                tracing::debug!(%error, "the file of metrics could not be emptied");
            }
        }
    }
}
