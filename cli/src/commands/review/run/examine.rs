//! What is found of one file: fetched, re-hashed, measured, with what it is compared by.
//!
//! Everything here goes through the decoder's process ([`openledger_documents::sandbox`]): the files are strangers'.

use openledger_client::H256;
use openledger_content::{ContentStore, IpfsNode, Limits, Wanted};
use openledger_documents::{Likeness, MeasureError, Measured};
use openledger_primitives::{
    api::SubmissionItem, committee::possession, ContentId, FileHash, MediaType,
};
use openledger_reviewer::{index::Found, File, Index};
use std::time::Duration;

/// A file to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) content: ContentId,
    pub(crate) sha256: FileHash,
    pub(crate) size: u32,
    pub(crate) media: MediaType,
}

impl Target {
    /// What of it is compared.
    pub(crate) fn file(&self) -> File {
        File { sha256: self.sha256, media: self.media }
    }
}

impl From<&SubmissionItem> for Target {
    fn from(item: &SubmissionItem) -> Self {
        let SubmissionItem { content, sha256, size, media } = *item;
        Self { content, sha256, size, media }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Examined {
    /// Proof of possession.
    pub(crate) possession: H256,
    /// What it measures; `None` if it cannot be read.
    pub(crate) measured: Option<Measured>,
    /// Whether its decoder was stopped for time or memory, so that another machine may read it.
    pub(crate) stopped: bool,
}

/// Why nothing was.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It did not come, or other bytes came.
    NotThere(String),
    /// This machine's.
    Ours(String),
}

/// The time that a file has to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within {
    /// Each of its blocks.
    pub(crate) block: Duration,
    /// All of it.
    pub(crate) file: Duration,
}

/// Fetches a file; every byte is re-hashed.
pub(crate) async fn fetch(
    node: &IpfsNode,
    target: &Target,
    within: Within,
) -> Result<Vec<u8>, Trouble> {
    let wanted = Wanted::exactly(target.content, target.sha256, target.size.into());
    let limits = Limits::for_bytes(target.size.into());
    let whole = limits.file_timeout.min(within.file);
    let limits = limits.with_timeouts(within.block.min(whole), whole);
    node.fetch_bytes(&wanted, &limits).await.map_err(|error| {
        match error.is_unavailable() || error.is_invalid() {
            true => Trouble::NotThere(error.to_string()),
            false => Trouble::Ours(error.to_string()),
        }
    })
}

/// Measures a file and keeps in the index what it is compared by. Of one whose decoder was stopped nothing is kept: on a
/// machine with more time it may be read, and be what others are copies of.
pub(crate) fn examine(
    index: &Index,
    target: &Target,
    seed: &[u8; 32],
    bytes: &[u8],
) -> Result<Examined, Trouble> {
    let (measured, likeness) = match Likeness::measured(target.media, bytes) {
        Ok((measured, likeness)) => (Some(measured), likeness),
        Err(MeasureError::Stopped { .. }) => {
            let possession = H256(possession(seed, bytes).0);
            return Ok(Examined { possession, measured: None, stopped: true });
        }
        Err(error) if error.is_refusal() => (None, None),
        Err(error) => return Err(Trouble::Ours(error.to_string())),
    };
    let found = Found {
        file: target.file(),
        units: measured.map_or(0, |measured| measured.units),
        text_root: measured.map_or([0; 32], |measured| measured.text_root),
        likeness: likeness.as_ref(),
    };
    index.put(&found).map_err(|error| Trouble::Ours(error.to_string()))?;
    Ok(Examined { possession: H256(possession(seed, bytes).0), measured, stopped: false })
}
