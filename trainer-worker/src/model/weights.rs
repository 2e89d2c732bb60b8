//! The weights of a LLaMA-family model.

use super::{gguf::Gguf, hf::HfFolder, linear::FrozenLinear, ModelConfig, WeightSource};
use crate::error::{read_bounded, Error, Result};
use crate::lora::Module;
use rayon::prelude::*;
use std::path::Path;

/// One decoder block's weights.
#[derive(Debug, Clone)]
pub struct Block {
    /// Weight of the normalisation before the attention.
    pub input_norm: Vec<f32>,
    /// Weight of the normalisation before the feed-forward.
    pub post_norm: Vec<f32>,
    /// The linear modules by [`Module::index`].
    pub linear: [FrozenLinear; 7],
}

impl Block {
    /// The frozen weight of a module.
    pub fn module(&self, module: Module) -> &FrozenLinear {
        &self.linear[module.index()]
    }
}

/// A model's frozen weights.
#[derive(Debug)]
pub struct Model {
    /// Sizes and constants.
    pub config: ModelConfig,
    /// Token embedding, `[vocab_size, hidden_size]`.
    pub embedding: Vec<f32>,
    /// Decoder blocks from the bottom up.
    pub blocks: Vec<Block>,
    /// Weight of the last normalisation.
    pub final_norm: Vec<f32>,
    head: Option<Vec<f32>>,
}

impl Model {
    /// Loads all weights of a configuration from a source.
    pub fn load(config: ModelConfig, source: &(dyn WeightSource + Sync)) -> Result<Self> {
        config.validate()?;
        let (d, v) = (config.hidden_size, config.vocab_size);
        let blocks = (0..config.num_hidden_layers)
            .into_par_iter()
            .map(|layer| {
                let name = |part: &str| format!("model.layers.{layer}.{part}.weight");
                let linear = |module: Module| {
                    let (rows, cols) = module.shape(&config);
                    let values = source.load(&name(&module.path()), &[rows, cols])?;
                    FrozenLinear::new(values, rows, cols)
                };
                Ok(Block {
                    input_norm: source.load(&name("input_layernorm"), &[d])?,
                    post_norm: source.load(&name("post_attention_layernorm"), &[d])?,
                    linear: [
                        linear(Module::Query)?,
                        linear(Module::Key)?,
                        linear(Module::Value)?,
                        linear(Module::Output)?,
                        linear(Module::Gate)?,
                        linear(Module::Up)?,
                        linear(Module::Down)?,
                    ],
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let embedding = source.load("model.embed_tokens.weight", &[v, d])?;
        let final_norm = source.load("model.norm.weight", &[d])?;
        let head = if config.tie_word_embeddings {
            None
        } else {
            Some(source.load("lm_head.weight", &[v, d])?)
        };
        Ok(Self { config, embedding, blocks, final_norm, head })
    }

    /// Loads a `.gguf` file or a Hugging Face folder.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let text = read_bounded(&path.join("config.json"), 1 << 20)?;
            let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into());
            let config = ModelConfig::from_hf_json(&String::from_utf8_lossy(&text), &name)?;
            Self::load(config, &HfFolder::open(path)?)
        } else {
            let mut gguf = Gguf::open(path)?;
            let config = gguf.config()?;
            Self::load(config, &gguf)
        }
    }

    /// The head's weight, `[vocab_size, hidden_size]`; the embedding's when they are tied.
    pub fn head(&self) -> &[f32] {
        self.head.as_deref().unwrap_or(&self.embedding)
    }

    /// Copies the embeddings of `tokens` into `out`.
    pub fn embed(&self, out: &mut [f32], tokens: &[u32]) -> Result<()> {
        let d = self.config.hidden_size;
        for (row, token) in out.chunks_exact_mut(d).zip(tokens) {
            let at = *token as usize * d;
            let values = self
                .embedding
                .get(at..at + d)
                .ok_or(Error::TokenId { id: *token, vocabulary: self.config.vocab_size })?;
            row.copy_from_slice(values);
        }
        Ok(())
    }
}
