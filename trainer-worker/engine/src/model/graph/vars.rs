//! An adapter during a pass: its parameters on the device, and the gradients on their way back.

use super::frozen::Frozen;
use crate::error::{Error, Result};
use crate::kernels::rng::DropoutMask;
use crate::lora::{Adapter, Slot};
use crate::model::family::Role;
use crate::model::forward::DropoutAt;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};

/// One module's adapter during a pass: the parameters, as variables where they train, and the
/// dropout mask.
#[derive(Clone)]
pub(super) struct LoraVars {
    a: Tensor,
    b: Tensor,
    magnitude: Option<Tensor>,
    slot: Slot,
    mask: Option<Tensor>,
}

/// A layer's adapter by role.
#[derive(Clone, Default)]
pub(super) struct LayerVars([Option<LoraVars>; Role::COUNT]);

impl LayerVars {
    pub(super) fn of(&self, role: Role) -> Option<&LoraVars> {
        self.0[role.index()].as_ref()
    }

    /// The same values, without a way for gradients.
    pub(super) fn detached(&self) -> Self {
        let detach = |vars: &LoraVars| LoraVars {
            a: vars.a.detach(),
            b: vars.b.detach(),
            magnitude: vars.magnitude.as_ref().map(Tensor::detach),
            slot: vars.slot,
            mask: vars.mask.clone(),
        };
        Self(std::array::from_fn(|i| self.0[i].as_ref().map(detach)))
    }
}

/// A layer's adapter on a device, from one transfer. With `trained`, its parameters are variables.
pub(super) fn layer(
    device: &Device,
    layer: usize,
    adapter: &Adapter,
    dropout: Option<DropoutAt>,
    rows: usize,
    trained: bool,
) -> Result<LayerVars> {
    let mut all = LayerVars::default();
    let (layout, values) = (&adapter.layouts[layer], &adapter.layers[layer]);
    if layout.len == 0 {
        return Ok(all);
    }
    let uploaded = Tensor::from_slice(values, values.len(), device)?;
    for role in Role::ALL {
        let Some(slot) = layout.slot(role) else { continue };
        let mask = match dropout.filter(|_| adapter.config.dropout > 0.0) {
            Some(at) => {
                let counters = [at.step, at.micro, layer as u64, role.index() as u64];
                let mask = DropoutMask::new(at.seed, adapter.config.dropout, &counters);
                let mut ones = vec![1f32; rows * slot.input];
                for (i, row) in ones.chunks_exact_mut(slot.input).enumerate() {
                    mask.apply(i, row);
                }
                Some(Tensor::from_vec(ones, (rows, slot.input), device)?)
            }
            None => None,
        };
        let part = |at: usize, rows: usize, cols: usize| -> Result<Tensor> {
            let part = uploaded.narrow(0, at, rows * cols)?.reshape((rows, cols))?;
            // A variable is a copy.
            Ok(if trained { Var::from_tensor(&part)?.into_inner() } else { part })
        };
        all.0[role.index()] = Some(LoraVars {
            a: part(slot.a, slot.r, slot.input)?,
            b: part(slot.b, slot.output, slot.r)?,
            magnitude: slot.magnitude.map(|at| part(at, 1, slot.output)).transpose()?,
            slot: *slot,
            mask,
        });
    }
    Ok(all)
}

impl LoraVars {
    /// A linear module with this adapter: `[rows, output]` from `[rows, input]`, of type `dtype`.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        frozen: &Frozen,
        dtype: DType,
    ) -> candle_core::Result<Tensor> {
        let scaling = f64::from(self.slot.scaling);
        let wide = x.to_dtype(DType::F32)?;
        let dropped = match &self.mask {
            Some(mask) => (wide * mask)?,
            None => wide,
        };
        // Scaled where it is narrow.
        let h = (dropped.matmul(&self.a.t()?)? * scaling)?;
        let update = h.matmul(&self.b.t()?)?;
        let Some(magnitude) = &self.magnitude else {
            return frozen.forward(x)? + update.to_dtype(dtype)?;
        };
        // DoRA: the norms of the rows follow A and B but count as constants.
        let change = (self.b.detach().matmul(&self.a.detach())? * scaling)?;
        let rows = (frozen.weight()?.to_dtype(DType::F32)? + change)?;
        let norms = rows.sqr()?.sum_keepdim(1)?.sqrt()?.t()?;
        let scale = magnitude.broadcast_div(&norms)?;
        let base = frozen.product(x)?.to_dtype(DType::F32)?;
        let seen = match &self.mask {
            Some(_) => frozen.product(&dropped.to_dtype(dtype)?)?.to_dtype(DType::F32)?,
            None => base.clone(),
        };
        let y = (base + seen.broadcast_mul(&(&scale - 1.0)?)?)?;
        let y = (y + update.broadcast_mul(&scale)?)?;
        frozen.add_bias(y.to_dtype(dtype)?)
    }
}

/// Gradients of parameters, left on the device until all are there.
#[derive(Default)]
pub(super) struct Gradients {
    /// Layer, start within the layer's parameters, values.
    parts: Vec<(usize, usize, Tensor)>,
}

impl Gradients {
    /// Takes a layer's gradients out of a backward's.
    pub(super) fn take(&mut self, layer: usize, vars: &LayerVars, store: &GradStore) -> Result<()> {
        for vars in vars.0.iter().flatten() {
            let slot = &vars.slot;
            let magnitude = vars.magnitude.as_ref().zip(slot.magnitude);
            let parts = [(&vars.a, slot.a), (&vars.b, slot.b)];
            for (var, start) in parts.into_iter().chain(magnitude) {
                let gradient = store.get(var).ok_or_else(|| {
                    Error::Candle(candle_core::Error::Msg(format!(
                        "layer {layer}: the device gave no gradient for an adapter tensor"
                    )))
                })?;
                self.parts.push((layer, start, gradient.flatten_all()?));
            }
        }
        Ok(())
    }

    /// All gradients times `unit`, a vector a layer that has any, in one transfer.
    pub(super) fn fetch(self, adapter: &Adapter, unit: f32) -> Result<Vec<Option<Vec<f32>>>> {
        let mut gradients = vec![None; adapter.layers.len()];
        if self.parts.is_empty() {
            return Ok(gradients);
        }
        let tensors: Vec<&Tensor> = self.parts.iter().map(|(.., tensor)| tensor).collect();
        let fetched = Tensor::cat(&tensors, 0)?.to_vec1::<f32>()?;
        let mut rest = &fetched[..];
        for (layer, start, tensor) in &self.parts {
            let (values, later) = rest.split_at(tensor.elem_count());
            rest = later;
            let flat =
                gradients[*layer].get_or_insert_with(|| vec![0f32; adapter.layouts[*layer].len]);
            for (into, value) in flat[*start..].iter_mut().zip(values) {
                *into = value * unit;
            }
        }
        Ok(gradients)
    }
}
