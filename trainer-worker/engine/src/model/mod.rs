//! Decoder-only transformers: configuration, weights from GGUF or Hugging Face folders, the
//! differentiable forward for training and the step-by-step one for generation.
//!
//! One implementation serves every family: [`config`] says of which parts a model is made,
//! [`family`] what Hugging Face calls its tensors and linear modules, and [`block`] puts the parts
//! together. Weights are kept in Hugging Face's layout, whatever file they came from, so that
//! adapters carry PEFT's names and shapes.

pub mod attention;
pub mod block;
pub mod config;
mod config_json;
mod cpu_pass;
pub mod decode;
pub mod deepseek;
pub mod family;
pub mod fast;
mod feed_forward;
pub mod folder;
pub mod forward;
pub mod gguf;
pub mod graph;
mod head;
pub mod hf;
pub mod kv;
pub mod mla;
pub mod moe;
pub mod norm;
pub mod passes;
pub mod preference;
pub(crate) mod quantization;
pub mod rotary;
mod rotary_json;
mod switches;
mod tensor_list;
pub mod weights;
pub mod workspace;

pub use config::ModelConfig;
pub use cpu_pass::rows_at_once;
pub use family::{Family, Module, Role};
pub use weights::{Model, Precision};

use crate::error::Result;
use crate::kernels::quant::QuantMatrix;

/// Where weights come from, addressed by Hugging Face's names.
pub trait WeightSource {
    /// The tensor's values in row-major order, refused unless its shape is `shape`.
    fn load(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>>;
    /// The weight of a linear module, `[output, input]`, in the source's own blocks; nothing where
    /// the source has none for it.
    fn quantised(&self, _name: &str, _output: usize, _input: usize) -> Result<Option<QuantMatrix>> {
        Ok(None)
    }
    /// Bytes that all weights take where those that are stored in blocks stay as they are; nothing
    /// where the source has none in blocks.
    fn stored_bytes(&self) -> Option<u64> {
        None
    }
    /// Whether the source holds the tensor.
    fn has(&self, name: &str) -> bool;
}
