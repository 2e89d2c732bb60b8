//! Whole-system tests: they start the real programs and use them through their public doors only.
//!
//! [`Network`] starts and stops a node, IPFS nodes and a worker as processes of their own; [`Cli`]
//! runs `openledger … --output json`; [`Rpc`] asks the node as `curl` would. [`Story`] plays the life
//! of a file and of a job from end to end with them, and [`sheet`] checks that OPEN is conserved to
//! the planck. The program `openledger-story` shows it to people (`scripts/run`), the target
//! `system_story` proves it with a node that is restarted and a worker that is killed.
//!
//! ```no_run
//! # fn main() -> Result<(), openledger_tests::Error> {
//! use openledger_tests::{Binaries, Story, StoryOptions};
//!
//! let binaries = Binaries::beside_this_program()?;
//! let directory = std::path::Path::new("network");
//! let model = std::path::Path::new("SmolLM2-135M-Instruct.Q4_1.gguf");
//! let mut story = Story::start(StoryOptions::full(), binaries, model, directory)?;
//! story.run()?;
//! println!("{}", story.report().seconds);
//! # Ok(())
//! # }
//! ```

pub mod cli;
pub mod console;
pub mod data;
pub mod error;
pub mod fresh;
pub mod http;
pub mod interrupt;
pub mod network;
pub mod process;
pub mod report;
pub mod rpc;
pub mod sheet;
pub mod sign;
pub mod story;

pub use cli::{Actor, Cli};
pub use error::{Error, Result};
pub use network::{Binaries, Network};
pub use report::Report;
pub use rpc::Rpc;
pub use story::{Budget, Fault, JobPlan, Story, StoryOptions};
