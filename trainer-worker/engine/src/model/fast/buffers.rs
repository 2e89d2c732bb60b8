//! Buffers that the members of a team share during a step.

use crate::kernels::memory::Aligned;
use crate::model::config::{AttentionKind, FeedForwardKind, ModelConfig};
use std::marker::PhantomData;

/// Values that the members share, each with as many rows as the batch.
#[derive(Default)]
pub(super) struct Buffers<T> {
    /// The residual stream.
    pub(super) x: T,
    /// The sub-layer's normalised input.
    pub(super) normed: T,
    /// A latent attention's down-projections: of the query, where it has one, and of key and value.
    pub(super) latents: T,
    /// The same, normalised.
    pub(super) normed_latents: T,
    /// The attention's projections, where [`HeadStarts`](super::attention::HeadStarts) says.
    pub(super) projected: T,
    /// The heads' outputs.
    pub(super) attended: T,
    /// The feed-forward's values after the activation; of shared and of routed experts one after
    /// another.
    pub(super) inner: T,
    /// A sub-layer's output before its normalisation.
    pub(super) output: T,
    /// The router's logits.
    pub(super) router: T,
    /// Inner products of the adapters, `A·x`.
    pub(super) h: T,
}

impl<T> Buffers<T> {
    fn map<U>(self, mut f: impl FnMut(T) -> U) -> Buffers<U> {
        Buffers {
            x: f(self.x),
            normed: f(self.normed),
            latents: f(self.latents),
            normed_latents: f(self.normed_latents),
            projected: f(self.projected),
            attended: f(self.attended),
            inner: f(self.inner),
            output: f(self.output),
            router: f(self.router),
            h: f(self.h),
        }
    }

    fn each_mut(&mut self) -> Buffers<&mut T> {
        Buffers {
            x: &mut self.x,
            normed: &mut self.normed,
            latents: &mut self.latents,
            normed_latents: &mut self.normed_latents,
            projected: &mut self.projected,
            attended: &mut self.attended,
            inner: &mut self.inner,
            output: &mut self.output,
            router: &mut self.router,
            h: &mut self.h,
        }
    }
}

impl Buffers<usize> {
    fn sum(self) -> usize {
        let mut sum = 0;
        self.map(|width| sum += width);
        sum
    }
}

impl Buffers<Aligned> {
    /// Width of a row of each buffer.
    pub(super) fn widths(config: &ModelConfig, h: usize) -> Buffers<usize> {
        let heads = config.heads(0);
        let (latents, projected) = match config.attention {
            AttentionKind::Separate | AttentionKind::Fused(_) => {
                (0, heads.query_width() + heads.key_width() + heads.value_width())
            }
            AttentionKind::Latent(latent) => (
                latent.query_rank.unwrap_or(0) + latent.sizes.compressed_width(),
                heads.query_width() + latent.sizes.expanded_width(),
            ),
        };
        let mixture = config.experts.as_ref();
        let inner = (0..config.num_hidden_layers).map(|layer| {
            match (config.feed_forward_kind(layer), mixture) {
                (FeedForwardKind::Experts, Some(experts)) => {
                    let routed = experts.routing.top_k * experts.intermediate_size;
                    experts.shared_intermediate_size + routed
                }
                _ => config.intermediate_size,
            }
        });
        Buffers {
            x: config.hidden_size,
            normed: config.hidden_size,
            latents,
            normed_latents: latents,
            projected,
            attended: heads.output_width(),
            inner: inner.max().unwrap_or(0),
            output: if config.output_norms { config.hidden_size } else { 0 },
            router: mixture.map_or(0, |e| e.routing.experts),
            h,
        }
    }

    /// Values of a row of all buffers, without those of adapters.
    pub(super) fn values(config: &ModelConfig) -> usize {
        Self::widths(config, 0).sum()
    }

    /// Room for `rows` rows; what they held is lost.
    pub(super) fn resize(&mut self, config: &ModelConfig, rows: usize, h: usize) {
        *self = Self::widths(config, h).map(|width| Aligned::new(vec![0f32; rows * width]));
    }

    pub(super) fn share(&mut self) -> Buffers<Buffer> {
        self.each_mut().map(|values| Buffer::new(values))
    }
}

/// A buffer of `f32`.
pub(super) type Buffer = Parts<f32>;

/// A buffer that the members share: between two meetings each place is either read by any of them
/// or touched by one alone.
pub(super) struct Parts<T> {
    start: *mut T,
    len: usize,
    _values: PhantomData<T>,
}

// SAFETY: those who read or write promise, at each call, to keep to the rule above.
unsafe impl<T: Send> Send for Parts<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Parts<T> {}

impl<T> Parts<T> {
    /// Shares `values`, which must stay as they are while the result is in use.
    pub(super) fn new(values: &mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), _values: PhantomData }
    }

    /// All values.
    ///
    /// # Safety
    /// What is read of them must not be written until the next meeting.
    pub(super) unsafe fn all(&self) -> &[T] {
        // SAFETY: pointer and length come from a slice that outlives the pass.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// The first `len` values.
    ///
    /// # Safety
    /// As for [`Self::all`].
    pub(super) unsafe fn first(&self, len: usize) -> &[T] {
        // SAFETY: the caller's promise.
        unsafe { &self.all()[..len] }
    }

    /// `len` values from `at` on, to be written.
    ///
    /// # Safety
    /// They must be this member's alone until the next meeting.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn part(&self, at: usize, len: usize) -> &mut [T] {
        assert!(at + len <= self.len, "the part lies within the buffer");
        // SAFETY: as above, and the part lies within the slice.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }
}
