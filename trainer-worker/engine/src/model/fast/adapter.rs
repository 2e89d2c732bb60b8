//! Adapters laid out for a step.

use super::super::config::ModelConfig;
use super::super::family::Role;
use super::super::Model;
use crate::error::Result;
use crate::kernels::quant::packed::GROUP;
use crate::lora::dora::{LayerScales, RowScales};
use crate::lora::{Adapter, Slot};

/// The adapter of one module, laid out for a row at a time.
pub(super) struct LowRank {
    /// `[r, input]`.
    pub(super) a: Vec<f32>,
    /// `scaling * B`, transposed: `[r, width]`.
    pub(super) b: Vec<f32>,
    /// What DoRA multiplies each row by; with whole groups wherever one begins.
    pub(super) scale: Option<Vec<f32>>,
    pub(super) r: usize,
    pub(super) input: usize,
    /// Output rounded up so that a group may begin at any row.
    pub(super) width: usize,
    /// Where the module's inner products lie among those of its layer.
    pub(super) h_at: usize,
}

impl LowRank {
    fn new(slot: &Slot, values: &[f32], scales: Option<&RowScales>, h_at: usize) -> Self {
        let (a, b) = slot.split(values);
        let (r, width) = (slot.r, slot.output + GROUP);
        let mut transposed = vec![0f32; r * width];
        for (row, values) in b.chunks_exact(r.max(1)).enumerate() {
            for (j, v) in values.iter().enumerate() {
                transposed[j * width + row] = slot.scaling * v;
            }
        }
        let scale = scales.map(|s| {
            let mut scale = s.scale.clone();
            scale.resize(width, 0.0);
            scale
        });
        Self { a: a.to_vec(), b: transposed, scale, r, input: slot.input, width, h_at }
    }

    fn bytes(&self) -> usize {
        (self.a.len() + self.b.len() + self.scale.as_ref().map_or(0, Vec::len)) * size_of::<f32>()
    }
}

/// An adapter laid out for serving: low-rank factors transposed, and what DoRA multiplies rows by,
/// computed against the base. Made once, and used by any number of sequences at the same time.
pub struct PreparedAdapter {
    layers: Vec<[Option<LowRank>; Role::COUNT]>,
    config: ModelConfig,
    /// Inner products of the layer that has most.
    inner: usize,
}

impl std::fmt::Debug for PreparedAdapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PreparedAdapter({} bytes)", self.bytes())
    }
}

impl PreparedAdapter {
    /// Lays an adapter out for a model.
    ///
    /// # Errors
    ///
    /// Those of [`Adapter::check_fits`].
    pub fn new(model: &Model, adapter: &Adapter) -> Result<Self> {
        adapter.check_fits(&model.config)?;
        let mut layers = Vec::with_capacity(model.blocks.len());
        let mut inner = 0;
        let parts = adapter.layouts.iter().zip(&adapter.layers).zip(&model.blocks);
        for ((layout, values), block) in parts {
            let scales = LayerScales::new(block, layout, values);
            let mut of_layer = [const { None }; Role::COUNT];
            let mut h_at = 0;
            for role in Role::ALL {
                let Some(slot) = layout.slot(role) else { continue };
                let scales = scales.as_ref().and_then(|s| s.get(role));
                of_layer[role.index()] = Some(LowRank::new(slot, values, scales, h_at));
                h_at += slot.r;
            }
            inner = inner.max(h_at);
            layers.push(of_layer);
        }
        Ok(Self { layers, config: model.config.clone(), inner })
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.layers.iter().flatten().flatten().map(LowRank::bytes).sum()
    }

    pub(super) fn module(&self, layer: usize, role: Role) -> Option<&LowRank> {
        self.layers.get(layer)?[role.index()].as_ref()
    }

    /// Inner products of the layer that has most.
    pub(super) fn inner(&self) -> usize {
        self.inner
    }

    /// Whether it was laid out for a model of these sizes and parts.
    pub(super) fn fits(&self, config: &ModelConfig) -> bool {
        self.config == *config
    }
}
