//! What a worker tells of a job while it trains: numbered batches, signed by the account that has the
//! job, for gateways to keep and to show as reported by it.
//!
//! A batch is a JSON body whose sha256 is signed together with the chain, the job, the attempt and the
//! batch's number ([`Address::message`]), so that it can be used nowhere else and only once.

use crate::{AccountId, Signer, H256};
use openledger_primitives::JobId;
use serde::{de::Error as _, Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use sp_core::{crypto::Pair as _, sr25519};

/// Most bytes of a batch's body.
pub const MAX_BODY: usize = 64 * 1024;
/// Most entries of a batch.
pub const MAX_ENTRIES: usize = 200;
/// Most bytes of a line of the log.
pub const MAX_TEXT: usize = 500;

/// The header with the batch's number, in requests; and with the next one, in answers.
pub const NUMBER_HEADER: &str = "x-openledger-number";
/// The header with the account that signed, SS58.
pub const ACCOUNT_HEADER: &str = "x-openledger-account";
/// The header with the signature, hexadecimal.
pub const SIGNATURE_HEADER: &str = "x-openledger-signature";

/// What is signed begins with this.
const DOMAIN: &[u8] = b"openledger:training-metrics:1";

/// Whose a batch is and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The chain.
    pub genesis: H256,
    /// The job.
    pub job: JobId,
    /// Workers that gave the job up before this one, as the chain counts them.
    pub attempt: u8,
    /// The batch's number within the attempt, from 0.
    pub number: u64,
}

impl Address {
    /// The bytes that are signed for a body: the domain, the genesis hash, then job, attempt and number
    /// as little-endian integers of 8, 1 and 8 bytes, then the sha256 of the body.
    pub fn message(&self, body: &[u8]) -> Vec<u8> {
        let mut message = DOMAIN.to_vec();
        message.extend_from_slice(self.genesis.as_ref());
        message.extend_from_slice(&self.job.to_le_bytes());
        message.push(self.attempt);
        message.extend_from_slice(&self.number.to_le_bytes());
        message.extend_from_slice(&Sha256::digest(body));
        message
    }

    /// A worker's signature for a body.
    pub fn sign(&self, signer: &Signer, body: &[u8]) -> [u8; 64] {
        signer.sign(&self.message(body))
    }

    /// Whether an account signed the body.
    pub fn is_signed_by(&self, account: AccountId, signature: [u8; 64], body: &[u8]) -> bool {
        let public = sr25519::Public::from_raw(account.0);
        let signature = sr25519::Signature::from_raw(signature);
        sr25519::Pair::verify(&signature, self.message(body), &public)
    }
}

/// What was seen since the batch before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    /// In order.
    pub entries: Vec<Entry>,
    /// Entries of the attempt that were never sent, since the gateway was out of reach for too long.
    #[serde(default)]
    pub dropped: u64,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// The worker's clock, milliseconds since 1970.
    pub at: u64,
    /// What.
    pub seen: Seen,
}

/// What can be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Seen {
    /// The data is ready and training begins.
    Begun {
        /// Optimiser steps planned.
        total_steps: u64,
        /// Tokens that will be trained on.
        total_tokens: u64,
        /// Examples trained on.
        train: u64,
        /// Examples held out.
        held_out: u64,
        /// Trainable parameters.
        parameters: u64,
        /// One step of so many is told.
        every: u64,
    },
    /// A checkpoint was found; training goes on after this step. Steps after it are told again.
    Resumed {
        /// Optimiser steps done.
        step: u64,
    },
    /// An optimiser step.
    Step {
        /// Optimiser steps done.
        step: u64,
        /// Optimiser steps in all.
        total_steps: u64,
        /// Passes over the data done.
        #[serde(deserialize_with = "finite")]
        epoch: f64,
        /// Mean loss of the step, nats a token.
        #[serde(deserialize_with = "finite")]
        loss: f64,
        /// Learning rate of the step.
        #[serde(deserialize_with = "finite")]
        learning_rate: f64,
        /// Norm of the gradients before clipping.
        #[serde(deserialize_with = "finite")]
        grad_norm: f64,
        /// Tokens trained on so far.
        tokens: u64,
        /// Examples trained on so far.
        samples: u64,
        /// Tokens a second.
        #[serde(deserialize_with = "finite")]
        tokens_per_second: f64,
        /// Memory that the worker takes, bytes.
        memory: Option<u64>,
        /// Estimated seconds left.
        #[serde(deserialize_with = "finite")]
        eta: f64,
    },
    /// A held-out loss; of step 0 before training.
    Evaluated {
        /// Optimiser steps done.
        step: u64,
        /// Mean loss, nats a token.
        #[serde(deserialize_with = "finite")]
        loss: f64,
    },
    /// A line of the log.
    Log {
        /// At most [`MAX_TEXT`] bytes.
        text: String,
    },
}

/// A number with a fraction. Through `serde_json::Number`, since with that crate's `arbitrary_precision`,
/// which another crate of the build switches on, an `f64` within a tagged enum is not understood.
fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let value = number.as_f64().filter(|value| value.is_finite());
    value.ok_or_else(|| D::Error::custom(format!("{number} is too large")))
}

/// A batch that is none.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Too long.
    #[error("the batch has {0} bytes, the limit is {MAX_BODY}")]
    TooLong(usize),
    /// Not this JSON.
    #[error("the batch cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// None, or too many.
    #[error("the batch has {0} entries; it may have 1 to {MAX_ENTRIES}")]
    Count(usize),
    /// A line that is too long.
    #[error("a line of the log has {0} bytes, the limit is {MAX_TEXT}")]
    Text(usize),
}

impl Batch {
    /// Reads a body within the limits.
    ///
    /// # Errors
    ///
    /// [`BatchError`].
    pub fn read(body: &[u8]) -> Result<Self, BatchError> {
        if body.len() > MAX_BODY {
            return Err(BatchError::TooLong(body.len()));
        }
        let batch: Self = serde_json::from_slice(body)?;
        if batch.entries.is_empty() || batch.entries.len() > MAX_ENTRIES {
            return Err(BatchError::Count(batch.entries.len()));
        }
        for entry in &batch.entries {
            if let Seen::Log { text } = &entry.seen {
                if text.len() > MAX_TEXT {
                    return Err(BatchError::Text(text.len()));
                }
            }
        }
        Ok(batch)
    }
}
