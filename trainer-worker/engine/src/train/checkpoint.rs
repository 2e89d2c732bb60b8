//! Checkpoints: one file, replaced atomically, from which a run continues to the bit.
//!
//! Layout: the 8 bytes `OLTRAIN2`, the length of a JSON header (u64, little-endian), the header,
//! then as little-endian `f32` all layers' parameters, first moments and second moments and, where
//! the header says so, the parameters of the best evaluation so far, then the SHA-256 of everything
//! before. Batches, dropout, noise and the learning rate are functions of the step, so no state of
//! a random generator needs storing.

use crate::error::{read_bounded, write_atomically, Error, Result};
use crate::model::ModelConfig;
use crate::optim::AdamW;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"OLTRAIN2";
const MAX_HEADER: usize = 1 << 16;
const DIGEST: usize = 32;

/// Everything that changes while a run goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Identifies settings, base model and examples.
    pub fingerprint: String,
    /// Optimiser steps done.
    pub step: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Sum of the steps' training losses.
    pub loss_sum: f64,
    /// Examples trained on, each as often as it was.
    pub samples: u64,
    /// Held-out loss before training.
    pub eval_loss_before: Option<f64>,
    /// Optimiser steps after which an evaluation is part of this state (0: none yet).
    pub evaluated: u64,
    /// The best evaluation so far.
    pub best: Option<Best>,
    /// Evaluations in a row that did not improve the best one by the threshold.
    pub without_improvement: u64,
    /// Adapter parameters, a vector a layer.
    pub parameters: Vec<Vec<f32>>,
    /// Optimiser with its moments.
    pub optimizer: AdamW,
}

/// The evaluation with the lowest held-out loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Held-out loss.
    pub loss: f64,
    /// Optimiser steps done at the time.
    pub step: u64,
    /// The adapter's parameters at the time, where the run's result is to be the best adapter.
    pub parameters: Option<Vec<Vec<f32>>>,
}

/// Name of the checkpoint file.
pub const FILE: &str = "checkpoint.oltrain";

/// Why a whole checkpoint is not gone on from.
pub(super) const FOREIGN: &str = "it belongs to a run with other settings, data or base model";

/// The checkpoint file of a folder.
pub fn file_in(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// The steps that a checkpoint file says it is after, for the order in which files are tried; 0 where it
/// cannot be read.
pub(super) fn step_of(path: &Path) -> u64 {
    use std::io::Read;
    let read = || -> Option<u64> {
        let mut file = std::fs::File::open(path).ok()?;
        let mut start = [0u8; 16];
        file.read_exact(&mut start).ok()?;
        let (magic, length) = start.split_at(MAGIC.len());
        let length = u64::from_le_bytes(length.try_into().ok()?);
        if magic != MAGIC || length > MAX_HEADER as u64 {
            return None;
        }
        let mut header = Vec::new();
        file.take(length).read_to_end(&mut header).ok()?;
        serde_json::from_slice::<Value>(&header).ok()?.get("step")?.as_u64()
    };
    read().unwrap_or(0)
}

/// A digest of everything that decides a run's result: the settings' text, the model, the adapter
/// that it begins with, and what `data` adds.
pub fn fingerprint(
    settings: &str,
    model: &ModelConfig,
    initial: &[Vec<f32>],
    data: impl FnOnce(&mut dyn FnMut(&[u8])),
) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(settings.as_bytes());
    add(format!("{model:?}").as_bytes());
    for layer in initial {
        add(&layer.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    }
    data(&mut add);
    hex::encode(hash.finalize())
}

impl Checkpoint {
    /// Writes the file so that a crash leaves either the old or the new one.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = json!({
            "fingerprint": self.fingerprint,
            "step": self.step,
            "tokens": self.tokens,
            "samples": self.samples,
            "loss_sum": self.loss_sum.to_bits(),
            // Bits, since text would round.
            "eval_loss_before": self.eval_loss_before.map(f64::to_bits),
            "updates": self.optimizer.step,
            "evaluated": self.evaluated,
            "without_improvement": self.without_improvement,
            "best": self.best.as_ref().map(|b| json!({
                "loss": b.loss.to_bits(), "step": b.step, "parameters": b.parameters.is_some(),
            })),
            "layers": self.parameters.iter().map(Vec::len).collect::<Vec<_>>(),
        })
        .to_string();
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        let all = [&self.parameters, &self.optimizer.first, &self.optimizer.second];
        let best = self.best.as_ref().and_then(|b| b.parameters.as_ref());
        for values in all.into_iter().chain(best).flatten().flatten() {
            bytes.extend_from_slice(&values.to_le_bytes());
        }
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        write_atomically(path, &bytes)
    }

    /// Reads a checkpoint of the run whose fresh state is `fresh`.
    pub fn load(path: &Path, fresh: &Self) -> Result<Self> {
        let fail = |reason: &str| Error::Checkpoint {
            path: path.to_path_buf(),
            reason: format!("{reason}; remove the file to start anew"),
        };
        let values: usize = fresh.parameters.iter().map(Vec::len).sum();
        let limit = (values * 16 + MAX_HEADER + DIGEST + 16) as u64;
        let bytes = read_bounded(path, limit)?;
        let Some(body_len) = bytes.len().checked_sub(DIGEST) else {
            return Err(fail("the file is cut short"));
        };
        let (body, digest) = bytes.split_at(body_len);
        if Sha256::digest(body).as_slice() != digest {
            return Err(fail("its checksum is wrong"));
        }
        let rest = body.strip_prefix(MAGIC).ok_or_else(|| fail("not a checkpoint"))?;
        let (len, rest) = rest.split_first_chunk::<8>().ok_or_else(|| fail("no header"))?;
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        if len > MAX_HEADER || len > rest.len() {
            return Err(fail("its header is too long"));
        }
        let (header, data) = rest.split_at(len);
        let header: Value =
            serde_json::from_slice(header).map_err(|_| fail("its header is not JSON"))?;
        if header.get("fingerprint").and_then(Value::as_str) != Some(&fresh.fingerprint) {
            return Err(fail(FOREIGN));
        }
        let number = |key: &str| {
            header.get(key).and_then(Value::as_u64).ok_or_else(|| fail("its header is incomplete"))
        };
        let mut best = None;
        let mut copies = 3;
        if let Some(stored) = header.get("best").filter(|b| b.is_object()) {
            let number = |key: &str| stored.get(key).and_then(Value::as_u64);
            let whole = stored.get("parameters").and_then(Value::as_bool);
            let (Some(loss), Some(step), Some(whole)) = (number("loss"), number("step"), whole)
            else {
                return Err(fail("its header is incomplete"));
            };
            let parameters = whole.then(|| fresh.parameters.clone());
            copies += usize::from(whole);
            best = Some(Best { loss: f64::from_bits(loss), step, parameters });
        }
        if data.len() != values * 4 * copies {
            return Err(fail("its tensors have other sizes"));
        }
        let mut state = fresh.clone();
        state.step = number("step")?;
        state.tokens = number("tokens")?;
        state.samples = number("samples")?;
        state.loss_sum = f64::from_bits(number("loss_sum")?);
        state.optimizer.step = number("updates")?;
        state.evaluated = number("evaluated")?;
        state.without_improvement = number("without_improvement")?;
        state.best = best;
        state.eval_loss_before =
            header.get("eval_loss_before").and_then(Value::as_u64).map(f64::from_bits);
        let mut chunks = data.chunks_exact(4);
        let all = [&mut state.parameters, &mut state.optimizer.first, &mut state.optimizer.second];
        let best = state.best.as_mut().and_then(|b| b.parameters.as_mut());
        for value in all.into_iter().chain(best).flatten().flatten() {
            let Some([a, b, c, d]) = chunks.next() else { return Err(fail("cut short")) };
            *value = f32::from_le_bytes([*a, *b, *c, *d]);
        }
        Ok(state)
    }
}
