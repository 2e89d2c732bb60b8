//! What a file is like: the earlier file of its Datanet that it resembles most, for who judges it.
//!
//! Compared as a reviewer's own program does ([`openledger_reviewer`]): texts by all of their letters, images by their detail,
//! sound by its samples. A file is measured once, when somebody asks for it or for one that came after it, and kept by its
//! sha2-256 and its format; the database can be deleted at any time.

pub mod api;

use crate::error::ApiError;
use openledger_documents::{Likeness, MeasureError, Measured};
use openledger_primitives::{DatanetId, SubmissionId};
use openledger_reviewer::{
    index::{Found, Known, Subject},
    policy::Alike,
    File, Index, Nearest,
};
use std::path::Path;
use std::sync::Arc;

/// Earlier submissions that one is compared with, the latest of them.
pub const MOST: usize = 1_000;

/// Seconds after which a file is asked for again whose decoder was stopped.
const STOPPED: u64 = 60;

/// A submission, and those before it that it may be a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its number.
    pub submission: SubmissionId,
    /// Its Datanet.
    pub datanet: DatanetId,
    /// Least units of a file there.
    pub min_units: u64,
    /// Its file.
    pub file: File,
    /// Submissions to the Datanet before it that are accepted, that a committee has before it, or that were refused since it
    /// was submitted, the latest first; with all others at most [`MOST`].
    pub earlier: Vec<(SubmissionId, File)>,
    /// Those that ended since as nobody's originals: a refusal for a copy of one may be right, and so may an acceptance.
    pub ended: Vec<(SubmissionId, File)>,
    /// Those that wait and that no committee was drawn for: they may be taken back, and may become originals.
    pub undrawn: Vec<SubmissionId>,
    /// Whether there are no others.
    pub complete: bool,
}

/// What was found of files.
#[derive(Clone)]
pub(crate) struct Likenesses(Arc<Index>);

impl Likenesses {
    /// Those in a database, which is made where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, openledger_reviewer::Error> {
        Ok(Self(Arc::new(Index::open(path)?)))
    }

    /// Runs with the database on a thread that may wait.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Index) -> openledger_reviewer::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let index = self.0.clone();
        let failed = |error: &dyn std::fmt::Display| ApiError::internal("comparing a file", error);
        let done = tokio::task::spawn_blocking(move || work(&index)).await;
        done.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }

    /// Which of these files were not measured yet.
    pub(crate) async fn unknown(&self, files: Vec<File>) -> Result<Vec<File>, ApiError> {
        self.run(move |index| {
            let mut unknown = Vec::new();
            for file in files {
                if !index.knows(&file)? {
                    unknown.push(file);
                }
            }
            Ok(unknown)
        })
        .await
    }

    /// Measures a file and keeps what is found. It waits for a child process.
    pub(crate) fn learn(&self, file: File, bytes: &[u8]) -> Result<(), ApiError> {
        let failed = |error: &dyn std::fmt::Display| ApiError::internal("reading a file", error);
        let (measured, likeness) = match Likeness::measured(file.media, bytes) {
            Ok(found) => found,
            // With more time it may be read: it is not like nothing, but unknown.
            Err(error @ MeasureError::Stopped { .. }) => {
                return Err(ApiError::unavailable(STOPPED, error.to_string()));
            }
            // What cannot be read is nobody's original, and is not looked at again.
            Err(error) if error.is_refusal() => (Measured { units: 0, text_root: [0; 32] }, None),
            Err(error) => return Err(failed(&error)),
        };
        let kept = self.0.put(&Found {
            file,
            units: measured.units,
            text_root: measured.text_root,
            likeness: likeness.as_ref(),
        });
        kept.map_err(|error| failed(&error))
    }

    /// What of the earlier files, of those that were measured, it is most like: one that ended as nobody's original only
    /// where it is a copy of no other, and more like that.
    pub(crate) async fn nearest(&self, compared: Compared) -> Result<Option<Nearest>, ApiError> {
        self.run(move |index| {
            let Compared { submission, datanet, min_units, file, earlier, ended, .. } = compared;
            let modality = file.media.modality();
            let Known { text_root, likeness } = index.known(&file)?.unwrap_or_default();
            let subject = Subject {
                datanet,
                submission,
                file,
                text_root,
                likeness: likeness.as_ref(),
                min_units,
            };
            let found = index.nearest(&subject, &earlier)?;
            let copy_from = Alike::DUPLICATE.of(modality).unwrap_or(1.0);
            if ended.is_empty() || found.is_some_and(|found| found.alike >= copy_from) {
                return Ok(found);
            }
            let alike = |one: &Option<Nearest>| one.map_or(0.0, |one| one.alike);
            let other = index.nearest(&subject, &ended)?;
            Ok(if alike(&other) > alike(&found) { other } else { found })
        })
        .await
    }
}
