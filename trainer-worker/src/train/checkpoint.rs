//! Checkpoints: one file, replaced atomically, from which a run continues to the bit.
//!
//! Layout: the 8 bytes `OLTRAIN1`, the length of a JSON header (u64, little-endian), the header,
//! then for each layer its parameters, first and second moments as little-endian `f32`, then the
//! SHA-256 of everything before. Batches, dropout and the learning rate are functions of the step,
//! so no state of a random generator needs storing.

use super::settings::TrainSettings;
use crate::data::Example;
use crate::error::{read_bounded, write_atomically, Error, Result};
use crate::model::ModelConfig;
use crate::optim::AdamW;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"OLTRAIN1";
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
    /// Held-out loss before training.
    pub eval_loss_before: Option<f64>,
    /// Adapter parameters, a vector a layer.
    pub parameters: Vec<Vec<f32>>,
    /// Optimiser with its moments.
    pub optimizer: AdamW,
}

/// The checkpoint file of a folder.
pub fn file_in(dir: &Path) -> PathBuf {
    dir.join("checkpoint.oltrain")
}

/// A digest of everything that decides a run's result.
pub fn fingerprint(
    settings: &TrainSettings,
    model: &ModelConfig,
    train: &[Example],
    held_out: &[Example],
) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(settings.fingerprint().as_bytes());
    add(format!("{model:?}").as_bytes());
    for example in train.iter().chain(held_out) {
        add(&example.origin.sha256);
        let tokens: Vec<u8> = example.tokens.iter().flat_map(|t| t.to_le_bytes()).collect();
        add(&tokens);
    }
    add(&(held_out.len() as u64).to_le_bytes());
    hex::encode(hash.finalize())
}

impl Checkpoint {
    /// Writes the file so that a crash leaves either the old or the new one.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = json!({
            "fingerprint": self.fingerprint,
            "step": self.step,
            "tokens": self.tokens,
            // Bits, since text would round.
            "eval_loss_before": self.eval_loss_before.map(f64::to_bits),
            "updates": self.optimizer.step,
            "layers": self.parameters.iter().map(Vec::len).collect::<Vec<_>>(),
        })
        .to_string();
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        let all = [&self.parameters, &self.optimizer.first, &self.optimizer.second];
        for values in all.into_iter().flatten().flatten() {
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
        let limit = (values * 12 + MAX_HEADER + DIGEST + 16) as u64;
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
            return Err(fail("it belongs to a run with other settings, data or base model"));
        }
        let number = |key: &str| {
            header.get(key).and_then(Value::as_u64).ok_or_else(|| fail("its header is incomplete"))
        };
        if data.len() != values * 12 {
            return Err(fail("its tensors have other sizes"));
        }
        let mut state = fresh.clone();
        state.step = number("step")?;
        state.tokens = number("tokens")?;
        state.optimizer.step = number("updates")?;
        state.eval_loss_before =
            header.get("eval_loss_before").and_then(Value::as_u64).map(f64::from_bits);
        let mut chunks = data.chunks_exact(4);
        let all = [&mut state.parameters, &mut state.optimizer.first, &mut state.optimizer.second];
        for value in all.into_iter().flatten().flatten() {
            let Some([a, b, c, d]) = chunks.next() else { return Err(fail("cut short")) };
            *value = f32::from_le_bytes([*a, *b, *c, *d]);
        }
        Ok(state)
    }
}
