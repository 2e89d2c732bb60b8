//! Decoder-only transformers: configuration, weights from GGUF or Hugging Face folders, the
//! differentiable forward for training and the step-by-step one for generation.
//!
//! Only the LLaMA family (LLaMA 2 and 3, SmolLM2) is here so far. Weights are kept as `f32` in
//! Hugging Face's layout, whatever file they came from, so that adapters carry PEFT's names and
//! shapes.

pub mod block;
pub mod config;
pub mod decode;
pub mod forward;
pub mod gguf;
mod head;
pub mod hf;
pub mod linear;
pub mod weights;
pub mod workspace;

pub use config::ModelConfig;
pub use weights::Model;

use crate::error::Result;

/// Where weights come from, addressed by Hugging Face's names.
pub trait WeightSource {
    /// The tensor's values in row-major order, refused unless its shape is `shape`.
    fn load(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>>;
    /// Whether the source holds the tensor.
    fn has(&self, name: &str) -> bool;
}
