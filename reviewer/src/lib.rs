//! What a reviewer goes by. No networking, no chain: `openledger review run` brings both.
//!
//! - [`policy`]: what is said of a file without a person, and what a person is asked.
//! - [`index`]: what was accepted in a Datanet, and what of it a file is like.
//! - [`earlier`]: which submissions without a leaf it is compared with as well.
//! - [`holders`]: who may have the files that wait.
//! - [`fault`]: what is wrong with an acceptance that a program can tell.
//! - [`challenges`]: what somebody who challenges by program remembers over restarts.
//! - [`queue`]: what waits for a person's word, and what a reviewer remembers over restarts.
//! - [`metrics`]: what it tells Prometheus.
//!
//! ```no_run
//! use openledger_documents::Likeness;
//! use openledger_reviewer::{Index, Policies};
//!
//! # fn main() -> Result<(), openledger_reviewer::Error> {
//! let policies = Policies::read(std::path::Path::new("policy.json"))?;
//! let index = Index::open(std::path::Path::new("index.sqlite"))?;
//! println!("{:?}: {} leaves", policies.of(7), index.leaves(7)?);
//! # Ok(())
//! # }
//! ```

pub mod challenges;
pub mod earlier;
pub mod fault;
pub mod holders;
pub mod index;
pub mod metrics;
pub mod policy;
pub mod queue;
mod sqlite;

pub use challenges::{Challenge, Challenges};
pub use earlier::{Earlier, Lacking};
pub use fault::{Acceptance, Fault};
pub use index::{File, Index, Leaf, Nearest, Same};
pub use metrics::{Numbers, Watched};
pub use policy::{Decision, Facts, Policies, Policy, Word};
pub use queue::{Queue, Waiting};

use std::path::PathBuf;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of policies that is none.
    #[error("{} is no file of policies: {reason}; docs/committees.md shows one", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Field, value and limit.
        reason: String,
    },
    /// A file or folder that cannot be read or made.
    #[error("{} cannot be read or made: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A database that cannot be used.
    #[error("{} cannot be used: {source}; see that the disk has room and that the folder may be written", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
