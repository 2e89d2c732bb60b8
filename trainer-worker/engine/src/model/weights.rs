//! The frozen weights of a model.

use super::config::{bad, limit, AttentionKind, FeedForwardKind, Position};
use super::deepseek;
use super::family::{Module, Role};
use super::mla::LatentNorms;
use super::moe::Experts;
use super::norm::Norm;
use super::{gguf::Gguf, hf::HfFolder, ModelConfig, WeightSource};
use crate::error::{read_bounded, Error, Result};
use crate::kernels::add_assign;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::quant::QuantMatrix;
use rayon::prelude::*;
use std::path::Path;

/// How a model's linear weights are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// In `f32`, whatever the file has.
    #[default]
    Dense,
    /// In the blocks of a GGUF file, as they are. Weights that the file has in `f32`, and those of
    /// other files, stay dense.
    Quantised,
    /// In four-bit NormalFloat (QLoRA; Dettmers et al., 2023), whatever the file has; embedding and
    /// head in BF16, as where bitsandbytes leaves them.
    Nf4 {
        /// Whether the magnitudes of the blocks are quantised as well.
        double_quant: bool,
    },
}

impl Precision {
    /// What QLoRA trains on: a GGUF file as it is, anything else in NF4 with double quantisation.
    pub fn for_qlora(model: &Path) -> Self {
        if model.is_dir() {
            Self::Nf4 { double_quant: true }
        } else {
            Self::Quantised
        }
    }

    /// Refuses a model whose weights would take more memory than this engine accepts.
    fn check_size(self, config: &ModelConfig, source: &dyn WeightSource) -> Result<()> {
        let parameters = config.parameters();
        let tables = config.vocab_size as u128 * config.hidden_size as u128;
        let bytes = match self {
            Self::Dense => 4 * parameters,
            Self::Quantised => source.stored_bytes().map_or(4 * parameters, u128::from),
            // A little more than four bits a value, but 16 in embedding and head.
            Self::Nf4 { .. } => parameters * 9 / 16 + 4 * tables,
        };
        if bytes <= limit::WEIGHT_BYTES {
            return Ok(());
        }
        Err(bad(
            "parameters",
            parameters,
            format!(
                "take {bytes} bytes with the base {} and at most {} are accepted; choose a smaller \
                 model{}",
                if self == Self::Dense { "in f32" } else { "quantised" },
                limit::WEIGHT_BYTES,
                if self == Self::Dense { " or keep the base quantised (--method qlora)" } else { "" },
            ),
        ))
    }
}

/// One decoder block's weights.
#[derive(Debug, Clone)]
pub struct Block {
    /// The normalisation before the attention.
    pub input_norm: Norm,
    /// The normalisation before the feed-forward.
    pub feed_forward_norm: Norm,
    /// The normalisation of the attention's output, where there is one.
    pub attention_output_norm: Option<Norm>,
    /// The normalisation of the feed-forward's output, where there is one.
    pub feed_forward_output_norm: Option<Norm>,
    /// Weights of the normalisations of each head of q and of k, where there are any.
    pub head_norms: Option<[Vec<f32>; 2]>,
    /// The normalisations of a latent attention, where it is one.
    pub latent_norms: Option<LatentNorms>,
    /// The routed experts, where there are any.
    pub experts: Option<Experts>,
    /// The linear modules by [`Role::index`].
    linear: [Option<FrozenLinear>; Role::COUNT],
}

impl Block {
    fn load(
        config: &ModelConfig,
        source: &(dyn WeightSource + Sync),
        layer: usize,
        precision: Precision,
    ) -> Result<Self> {
        let names = config.family.names();
        let name = |part: &str| format!("{}{layer}.{part}", names.layers);
        let norm = |part: &str| {
            Norm::load(source, &name(part), config.norm, config.hidden_size, config.norm_eps)
        };
        let mut linear = [const { None }; Role::COUNT];
        for module in config.modules(layer) {
            linear[module.role.index()] =
                Some(load_linear(source, &name(module.path), &module, precision)?);
        }
        let head_norm =
            |part: &str| source.load(&format!("{}.weight", name(part)), &[config.head_dim]);
        Ok(Self {
            input_norm: norm(names.input_norm)?,
            feed_forward_norm: norm(names.feed_forward_norm)?,
            attention_output_norm: config
                .output_norms
                .then(|| norm(names.attention_output_norm))
                .transpose()?,
            feed_forward_output_norm: config
                .output_norms
                .then(|| norm(names.feed_forward_output_norm))
                .transpose()?,
            head_norms: if config.qk_norm {
                Some([head_norm(names.query_norm)?, head_norm(names.key_norm)?])
            } else {
                None
            },
            latent_norms: match config.attention_kind(layer) {
                AttentionKind::Latent(latent) => {
                    Some(deepseek::load_norms(latent, config, source, name)?)
                }
                AttentionKind::Separate | AttentionKind::Fused(_) => None,
            },
            experts: match (config.feed_forward_kind(layer), &config.experts) {
                (FeedForwardKind::Experts, Some(experts)) => {
                    Some(deepseek::load_experts(experts, config, source, precision, name)?)
                }
                _ => None,
            },
            linear,
        })
    }

    /// The frozen weight of a module that the layer's kinds of attention and feed-forward have.
    pub fn module(&self, role: Role) -> &FrozenLinear {
        self.linear[role.index()]
            .as_ref()
            .expect("every module of ModelConfig::modules was loaded, and only those are asked for")
    }
}

/// Loads a module's weight, turned to `[output, input]` where the file has it the other way round,
/// and its bias.
fn load_linear(
    source: &dyn WeightSource,
    name: &str,
    module: &Module,
    precision: Precision,
) -> Result<FrozenLinear> {
    let (output, input) = (module.output, module.input);
    let weight = format!("{name}.weight");
    let values = || -> Result<Vec<f32>> {
        Ok(if module.conv1d {
            transposed(&source.load(&weight, &[input, output])?, input, output)
        } else {
            source.load(&weight, &[output, input])?
        })
    };
    let linear = match precision {
        Precision::Quantised => match source.quantised(&weight, output, input)? {
            Some(matrix) => FrozenLinear::quantised(matrix),
            None => FrozenLinear::new(values()?, output, input)?,
        },
        Precision::Dense | Precision::Nf4 { .. } => {
            from_values(values()?, (output, input), precision, &weight)?
        }
    };
    if module.bias {
        Ok(linear.with_bias(source.load(&format!("{name}.bias"), &[output])?)?)
    } else {
        Ok(linear)
    }
}

/// Loads the embedding or the head.
fn load_table(
    source: &dyn WeightSource,
    name: &str,
    (rows, cols): (usize, usize),
    precision: Precision,
) -> Result<FrozenLinear> {
    let weight = format!("{name}.weight");
    if precision == Precision::Quantised {
        if let Some(matrix) = source.quantised(&weight, rows, cols)? {
            return Ok(FrozenLinear::quantised(matrix));
        }
    }
    let values = source.load(&weight, &[rows, cols])?;
    match precision {
        Precision::Dense | Precision::Quantised => Ok(FrozenLinear::new(values, rows, cols)?),
        Precision::Nf4 { .. } => QuantMatrix::from_dense_bf16(&values, rows, cols)
            .map(FrozenLinear::quantised)
            .map_err(|problem| Error::weight(&weight, problem)),
    }
}

/// A weight of `[output, input]` values, in few bits where that does not depend on its file.
pub(super) fn from_values(
    values: Vec<f32>,
    (output, input): (usize, usize),
    precision: Precision,
    name: &str,
) -> Result<FrozenLinear> {
    match precision {
        Precision::Dense | Precision::Quantised => Ok(FrozenLinear::new(values, output, input)?),
        Precision::Nf4 { double_quant } => {
            QuantMatrix::from_dense_nf4(&values, output, input, double_quant)
                .map(FrozenLinear::quantised)
                .map_err(|problem| Error::weight(name, problem))
        }
    }
}

/// The transpose of a matrix of `rows × cols`.
fn transposed(values: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let mut out = vec![0f32; values.len()];
    // Square tiles, so that neither side is read or written a cache line for each value.
    const TILE: usize = 32;
    for r0 in (0..rows).step_by(TILE) {
        for c0 in (0..cols).step_by(TILE) {
            for r in r0..(r0 + TILE).min(rows) {
                for c in c0..(c0 + TILE).min(cols) {
                    out[c * rows + r] = values[r * cols + c];
                }
            }
        }
    }
    out
}

fn has(source: &dyn WeightSource, name: &str) -> bool {
    source.has(&format!("{name}.weight"))
}

/// A checkpoint whose configuration ties the head to the embedding and that holds both, with
/// different values, has a head of its own, as in transformers.
fn follow_tied_files(config: &mut ModelConfig, source: &dyn WeightSource) -> Result<()> {
    let names = config.family.names();
    let both = has(source, names.head) && has(source, names.embedding);
    if config.tie_word_embeddings && both {
        let shape = [config.vocab_size, config.hidden_size];
        let values = |name: &str| source.load(&format!("{name}.weight"), &shape);
        config.tie_word_embeddings = values(names.head)? == values(names.embedding)?;
    }
    Ok(())
}

/// A model's frozen weights.
#[derive(Debug)]
pub struct Model {
    /// Parts, sizes and constants.
    pub config: ModelConfig,
    /// Decoder blocks from the bottom up.
    pub blocks: Vec<Block>,
    pub(super) embedding: FrozenLinear,
    pub(super) positions: Option<Vec<f32>>,
    pub(super) embedding_norm: Option<Norm>,
    pub(super) final_norm: Option<Norm>,
    pub(super) head: Option<FrozenLinear>,
}

impl Model {
    /// Loads all weights of a configuration from a source, in `f32`.
    pub fn load(config: ModelConfig, source: &(dyn WeightSource + Sync)) -> Result<Self> {
        Self::load_with(config, source, Precision::Dense)
    }

    /// Loads all weights of a configuration from a source.
    pub fn load_with(
        mut config: ModelConfig,
        source: &(dyn WeightSource + Sync),
        precision: Precision,
    ) -> Result<Self> {
        deepseek::follow_checkpoint(&mut config, source);
        config.validate()?;
        precision.check_size(&config, source)?;
        follow_tied_files(&mut config, source)?;
        let names = config.family.names();
        let (d, v) = (config.hidden_size, config.vocab_size);
        let blocks = (0..config.num_hidden_layers)
            .into_par_iter()
            .map(|layer| Block::load(&config, source, layer, precision))
            .collect::<Result<Vec<_>>>()?;
        let table = |name: &str| load_table(source, name, (v, d), precision);
        let norm = |name: &str| Norm::load(source, name, config.norm, d, config.norm_eps);
        let only_head = config.tie_word_embeddings && !has(source, names.embedding);
        let embedding = table(if only_head { names.head } else { names.embedding })?;
        let positions = match config.position {
            Position::Learned => Some(source.load(
                &format!("{}.weight", names.positions),
                &[config.max_position_embeddings, d],
            )?),
            Position::Rotary(_) | Position::Alibi => None,
        };
        let embedding_norm =
            config.embedding_norm.then(|| norm(names.embedding_norm)).transpose()?;
        let final_norm = config.final_norm.then(|| norm(names.final_norm)).transpose()?;
        let head = if config.tie_word_embeddings { None } else { Some(table(names.head)?) };
        Ok(Self { config, blocks, embedding, positions, embedding_norm, final_norm, head })
    }

    /// Loads a `.gguf` file or a Hugging Face folder, in `f32`.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Precision::Dense)
    }

    /// Loads a `.gguf` file or a Hugging Face folder.
    pub fn open_with(path: &Path, precision: Precision) -> Result<Self> {
        super::folder::check(path)?;
        if path.is_dir() {
            let text = read_bounded(&path.join("config.json"), 1 << 20)?;
            let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into());
            let config = ModelConfig::from_hf_json(&String::from_utf8_lossy(&text), &name)?;
            let folder = HfFolder::open(path)?;
            let model = Self::load_with(config, &folder, precision)?;
            folder.check_all_used(&model.config)?;
            Ok(model)
        } else {
            let mut gguf = Gguf::open(path)?;
            let config = gguf.config()?;
            gguf.check_all_used(&config)?;
            Self::load_with(config, &gguf, precision)
        }
    }

    /// Bytes of the linear weights, routed experts, embedding and head included (a shared one once),
    /// as they are kept: without normalisations and without the copies that decoding makes.
    pub fn weight_bytes(&self) -> usize {
        let experts = self.blocks.iter().filter_map(|b| b.experts.as_ref());
        let all = self.linears().chain(experts.flat_map(Experts::linears));
        all.map(FrozenLinear::bytes).sum()
    }

    /// Calls `f` with the first row of every linear weight, as values: enough to tell the weights of
    /// two models of one shape apart, and dense ones from rounded ones.
    pub(crate) fn first_rows(&self, f: &mut dyn FnMut(&[f32])) {
        let blocks = self.blocks.iter().flat_map(|b| b.linear.iter().flatten());
        let mut row = Vec::new();
        for linear in blocks.chain([&self.embedding]).chain(&self.head) {
            row.resize(linear.input(), 0.0);
            if linear.output() > 0 {
                linear.row(0, &mut row);
                f(&row);
            }
        }
    }

    /// Whether weights are kept in few bits, so that sessions decode by integer products.
    pub fn is_quantised(&self) -> bool {
        self.blocks.iter().flat_map(|b| b.linear.iter().flatten()).any(|l| l.quant().is_some())
    }

    /// The head, `[vocab_size, hidden_size]`; the embedding when they are tied.
    pub fn head(&self) -> &FrozenLinear {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    /// The linear weights that may have adapters (not routed experts), the embedding, and the head
    /// where it is another.
    pub fn linears(&self) -> impl Iterator<Item = &FrozenLinear> {
        let blocks = self.blocks.iter().flat_map(|b| b.linear.iter().flatten());
        blocks.chain([&self.embedding]).chain(&self.head)
    }

    /// All weights that a token is multiplied with: those of the blocks, routers and routed experts
    /// among them, and the head.
    pub(super) fn products(&self) -> impl Iterator<Item = &FrozenLinear> {
        let blocks = self.blocks.iter().flat_map(|b| {
            let experts = b.experts.iter().flat_map(|e| {
                let single = e.experts().iter().flat_map(|e| [&e.gate, &e.up, &e.down]);
                single.chain([e.router()])
            });
            b.linear.iter().flatten().chain(experts)
        });
        blocks.chain([self.head()])
    }

    /// The input of the first block for `tokens` at `positions` of their sequences: token
    /// embeddings with learned positions and a normalisation where the model has them.
    pub fn embed(&self, out: &mut [f32], tokens: &[u32], positions: &[u32]) -> Result<()> {
        let d = self.config.hidden_size;
        for ((row, token), position) in out.chunks_exact_mut(d).zip(tokens).zip(positions) {
            self.embed_without_norm(row, *token, *position as usize)?;
        }
        if let Some(norm) = &self.embedding_norm {
            let rows = tokens.len();
            let before = out[..rows * d].to_vec();
            norm.forward(&mut out[..rows * d], &mut vec![0f32; rows * norm.stats()], &before);
        }
        Ok(())
    }

    /// [`Self::embed`] of one token by the calling thread alone.
    pub(super) fn embed_row(&self, out: &mut [f32], token: u32, position: usize) -> Result<()> {
        self.embed_without_norm(out, token, position)?;
        if let Some(norm) = &self.embedding_norm {
            let before = out.to_vec();
            norm.forward_row(out, &before);
        }
        Ok(())
    }

    fn embed_without_norm(&self, row: &mut [f32], token: u32, position: usize) -> Result<()> {
        if token as usize >= self.config.vocab_size {
            return Err(Error::TokenId { id: token, vocabulary: self.config.vocab_size });
        }
        self.embedding.row(token as usize, row);
        if let Some(table) = &self.positions {
            let at = position * row.len();
            let learned = table.get(at..at + row.len()).ok_or(Error::ContextExceeded {
                tokens: position + 1,
                limit: self.config.max_position_embeddings,
                what: "sequence",
            })?;
            add_assign(row, learned);
        }
        Ok(())
    }

    /// Values that [`Self::final_norm`] keeps for each row.
    pub fn final_stats(&self) -> usize {
        self.final_norm.as_ref().map_or(0, Norm::stats)
    }

    /// The normalisation before the head of `rows` rows, with `rows * final_stats()` statistics.
    pub fn final_norm(&self, y: &mut [f32], stats: &mut [f32], x: &[f32], rows: usize) {
        match &self.final_norm {
            Some(norm) => norm.forward(y, stats, x),
            None => {
                let len = rows * self.config.hidden_size;
                y[..len].copy_from_slice(&x[..len]);
            }
        }
    }

    /// The normalisation of one row before the head, by the calling thread alone.
    pub(super) fn final_norm_row(&self, y: &mut [f32], x: &[f32]) {
        match &self.final_norm {
            Some(norm) => norm.forward_row(y, x),
            None => y.copy_from_slice(x),
        }
    }

    /// The gradient of the input of [`Self::final_norm`].
    pub fn final_norm_backward(
        &self,
        dx: &mut [f32],
        dy: &[f32],
        stats: &[f32],
        x: &[f32],
        rows: usize,
    ) {
        match &self.final_norm {
            Some(norm) => norm.backward(dx, dy, stats, x, false),
            None => {
                let len = rows * self.config.hidden_size;
                dx[..len].copy_from_slice(&dy[..len]);
            }
        }
    }
}
