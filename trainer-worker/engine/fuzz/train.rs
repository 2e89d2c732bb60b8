//! Of training, the files by which a folder is known to hold a checkpoint.

#[path = "../src/train/checkpoint.rs"]
pub mod checkpoint;
