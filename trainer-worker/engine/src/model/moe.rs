//! Mixture of experts: a router, and experts that are frozen feed-forwards. They have no adapter
//! and no gradient of their own; the gradient of their input flows through them and through the
//! weights that the router gives.
//!
//! The tokens of an expert lie together, so that each expert is three matrix products over its own
//! rows. Experts that no token chose cost nothing.

use super::workspace::Workspace;
use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::moe::{self, Assignments, Routing};
use std::ops::Range;

/// A routed expert: `down(act(gate·x) * up·x)`.
#[derive(Debug, Clone)]
pub struct Expert {
    /// Gate projection, `[inner, hidden]`.
    pub gate: FrozenLinear,
    /// Up projection, `[inner, hidden]`.
    pub up: FrozenLinear,
    /// Down projection, `[hidden, inner]`.
    pub down: FrozenLinear,
}

/// The routed experts of one layer and their router.
#[derive(Debug, Clone)]
pub struct Experts {
    routing: Routing,
    activation: Activation,
    router: FrozenLinear,
    choice_bias: Option<Vec<f32>>,
    experts: Vec<Expert>,
}

/// What the backward needs from the forward.
#[derive(Debug)]
pub struct Saved {
    scores: Vec<f32>,
    assignments: Assignments,
    gate: Vec<f32>,
    up: Vec<f32>,
}

impl Saved {
    /// Gives the buffers back.
    pub fn release(self, workspace: &Workspace) {
        for buffer in [self.scores, self.gate, self.up] {
            workspace.put(buffer);
        }
    }

    /// Which experts each row went to.
    pub fn assignments(&self) -> &Assignments {
        &self.assignments
    }
}

impl Experts {
    /// Puts a layer's experts together. `router` is `[experts, hidden]`; `choice_bias` has a value
    /// an expert and acts on the choice only (`e_score_correction_bias`).
    pub fn new(
        routing: Routing,
        activation: Activation,
        router: FrozenLinear,
        choice_bias: Option<Vec<f32>>,
        experts: Vec<Expert>,
    ) -> Result<Self> {
        let n = routing.experts;
        let hidden = router.input();
        let wrong = |problem: String| Err(Error::weight("mlp.experts", problem));
        if experts.len() != n || router.output() != n {
            return wrong(format!(
                "{} experts, a router for {}, not {n}",
                experts.len(),
                router.output()
            ));
        }
        if choice_bias.as_ref().is_some_and(|b| b.len() != n) {
            return wrong(format!("e_score_correction_bias must hold {n} values"));
        }
        let inner = experts.first().map_or(0, |e| e.gate.output());
        let fits = |e: &Expert| {
            [&e.gate, &e.up].iter().all(|w| (w.output(), w.input()) == (inner, hidden))
                && (e.down.output(), e.down.input()) == (hidden, inner)
        };
        if !experts.iter().all(fits) {
            return wrong(format!("not all experts are {hidden} to {inner} and back"));
        }
        let groups = routing.groups.max(1);
        let reachable = routing.top_groups * (n / groups);
        if n == 0 || !n.is_multiple_of(groups) || routing.top_k == 0 || routing.top_k > reachable {
            return wrong(format!("cannot route with {routing:?}"));
        }
        Ok(Self { routing, activation, router, choice_bias, experts })
    }

    /// How tokens are routed.
    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// The router's weight.
    pub fn router(&self) -> &FrozenLinear {
        &self.router
    }

    /// What is added to the scores for the choice only.
    pub fn choice_bias(&self) -> Option<&[f32]> {
        self.choice_bias.as_deref()
    }

    /// All weights: the router's and the experts'.
    pub fn linears(&self) -> impl Iterator<Item = &FrozenLinear> {
        let experts = self.experts.iter().flat_map(|e| [&e.gate, &e.up, &e.down]);
        std::iter::once(&self.router).chain(experts)
    }

    /// The experts.
    pub fn experts(&self) -> &[Expert] {
        &self.experts
    }

    fn inner(&self) -> usize {
        self.experts.first().map_or(0, |e| e.gate.output())
    }

    /// Calls `f` for each expert that has rows, with its range of places.
    fn each(&self, assignments: &Assignments, mut f: impl FnMut(&Expert, Range<usize>)) {
        for (expert, range) in self.experts.iter().zip(assignments.offsets.windows(2)) {
            if range[1] > range[0] {
                f(expert, range[0]..range[1]);
            }
        }
    }

    /// `y[rows, hidden] += Σ weight · expert(x)` over each row's experts. Returns what
    /// [`Self::backward`] needs.
    pub fn forward(&self, y: &mut [f32], x: &[f32], rows: usize, ws: &Workspace) -> Saved {
        let (n, d, f) = (self.routing.experts, self.router.input(), self.inner());
        let mut scores = ws.take(rows * n);
        self.router.forward(&mut scores, x, rows);
        moe::scores(&mut scores, &self.routing);
        let assignments = moe::route(&scores, self.choice_bias.as_deref(), &self.routing);
        let places = assignments.rows.len();
        let mut input = ws.take(places * d);
        moe::gather(&mut input, x, &assignments, d);
        let (mut gate, mut up) = (ws.take(places * f), ws.take(places * f));
        self.each(&assignments, |expert, at| {
            let (rows, from, to) = (at.len(), at.start * d..at.end * d, at.start * f..at.end * f);
            expert.gate.forward(&mut gate[to.clone()], &input[from.clone()], rows);
            expert.up.forward(&mut up[to], &input[from], rows);
        });
        let mut gated = ws.take(places * f);
        self.activation.gated(&mut gated, &gate, &up, f);
        // The experts' outputs take the place of their inputs.
        self.each(&assignments, |expert, at| {
            let (rows, from, to) = (at.len(), at.start * f..at.end * f, at.start * d..at.end * d);
            expert.down.forward(&mut input[to], &gated[from], rows);
        });
        moe::combine(&mut y[..rows * d], &input, &assignments, self.routing.top_k, d, true);
        ws.put(input);
        ws.put(gated);
        Saved { scores, assignments, gate, up }
    }

    /// `dx[rows, hidden] += ` the gradient of the input, through the experts and through their
    /// weights.
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], rows: usize, ws: &Workspace, saved: &Saved) {
        let (n, d, f) = (self.routing.experts, self.router.input(), self.inner());
        let (a, k) = (&saved.assignments, self.routing.top_k);
        let places = a.rows.len();
        // Gradient of each expert's output, before its weight.
        let mut dout = ws.take(places * d);
        moe::gather(&mut dout, dy, a, d);
        let mut dgated = ws.take(places * f);
        self.each(a, |expert, at| {
            let (rows, from, to) = (at.len(), at.start * d..at.end * d, at.start * f..at.end * f);
            expert.down.backward(&mut dgated[to], &dout[from], rows, false);
        });
        let mut gated = ws.take(places * f);
        self.activation.gated(&mut gated, &saved.gate, &saved.up, f);
        let mut dweights = ws.take(rows * k);
        moe::weight_gradient(&mut dweights, &dgated, &gated, a, k, f);
        let mut by_place = ws.take(places);
        moe::apply_weights(&mut dgated, &mut by_place, a, f);
        let mut dgate = gated;
        let mut dup = ws.take(places * f);
        let inputs = (&saved.gate[..], &saved.up[..]);
        self.activation.gated_backward((&mut dgate, &mut dup), &dgated, inputs, f);
        self.each(a, |expert, at| {
            let (rows, from, to) = (at.len(), at.start * f..at.end * f, at.start * d..at.end * d);
            expert.gate.backward(&mut dout[to.clone()], &dgate[from.clone()], rows, false);
            expert.up.backward(&mut dout[to], &dup[from], rows, true);
        });
        moe::combine(&mut dx[..rows * d], &dout, a, k, d, false);

        let mut dlogits = ws.take(rows * n);
        moe::route_backward(&mut dlogits, &dweights, &saved.scores, a, &self.routing);
        self.router.backward(dx, &dlogits, rows, true);
        for buffer in [dout, dgated, dgate, dup, dweights, by_place, dlogits] {
            ws.put(buffer);
        }
    }
}
