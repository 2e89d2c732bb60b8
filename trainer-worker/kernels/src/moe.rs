//! Routing of tokens to experts: scores, choice, dispatch and weighted sum, each with its gradient.
//!
//! Two rules are here. DeepSeek-V2 (arXiv 2405.04434, section 2.2) scores experts by a softmax and
//! may limit a token to its best groups of experts, a group counting by its best expert.
//! DeepSeek-V3 (arXiv 2412.19437, section 2.1.2) scores by a sigmoid, adds a bias that only the
//! choice sees, and counts a group by the sum of its two best experts. Weights carry a gradient to
//! the router; the choice itself has none. Between equal scores the expert (or group) of the lower
//! index wins.

use super::{add_assign, math, par_rows, simd};

/// What turns a router's logits into scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// Softmax over all experts; a group counts by its best expert.
    Softmax,
    /// Sigmoid of each logit; a group counts by the sum of its two best experts.
    Sigmoid,
}

/// How a token's experts are chosen and weighted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Routing {
    /// Number of routed experts; a multiple of `groups`.
    pub experts: usize,
    /// Experts that each token is given.
    pub top_k: usize,
    /// Groups of neighbouring experts.
    pub groups: usize,
    /// Groups from which a token's experts are taken; `top_groups * experts / groups >= top_k`.
    pub top_groups: usize,
    /// What turns logits into scores.
    pub scoring: Scoring,
    /// Whether the weights of a token's experts are divided by their sum.
    pub normalize: bool,
    /// Factor on every weight.
    pub scale: f32,
}

/// Keeps a sum of weights from being zero.
const TINY: f32 = 1e-20;

/// Which experts each token goes to, with what weight, and the dispatch order: the tokens of expert
/// 0 by ascending row, then those of expert 1, and so on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assignments {
    /// Chosen experts, `top_k` a row, ascending.
    pub experts: Vec<u32>,
    /// Their weights in the same order.
    pub weights: Vec<f32>,
    /// Expert `e` holds places `offsets[e]..offsets[e + 1]` of the dispatch order.
    pub offsets: Vec<usize>,
    /// The row at each place.
    pub rows: Vec<u32>,
    /// The place of each row's choice, `top_k` a row, in the order of [`Self::experts`].
    pub places: Vec<u32>,
}

/// Turns the router's logits `[rows, experts]` into scores in place.
pub fn scores(logits: &mut [f32], routing: &Routing) {
    par_rows(logits, routing.experts, |_, row| score_row(row, routing));
}

/// [`scores`] of one row by the calling thread alone.
pub fn score_row(row: &mut [f32], routing: &Routing) {
    match routing.scoring {
        Scoring::Softmax => math::softmax(row),
        Scoring::Sigmoid => row.iter_mut().for_each(|x| *x = 1.0 / (1.0 + math::exp(-*x))),
    }
}

/// Marks the `k` greatest of those `values` whose mark equals `open`; of equals, the first.
fn mark_greatest(values: &[f32], marks: &mut [u8], k: usize, open: u8, chosen: u8) {
    for _ in 0..k {
        let mut best: Option<(usize, f32)> = None;
        for (i, (v, mark)) in values.iter().zip(marks.iter()).enumerate() {
            if *mark == open && best.is_none_or(|(_, b)| *v > b) {
                best = Some((i, *v));
            }
        }
        match best.and_then(|(i, _)| marks.get_mut(i)) {
            Some(mark) => *mark = chosen,
            None => return,
        }
    }
}

/// What a group of experts counts for the choice of groups.
fn group_score(scores: &[f32], scoring: Scoring) -> f32 {
    let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for s in scores {
        if *s > first {
            (first, second) = (*s, first);
        } else if *s > second {
            second = *s;
        }
    }
    match scoring {
        Scoring::Softmax => first,
        Scoring::Sigmoid => first + second,
    }
}

const CLOSED: u8 = 0;
const OPEN: u8 = 1;
const CHOSEN: u8 = 2;

/// Chooses and weights the experts of every row of `scores` (`[rows, experts]`). `bias`, one value
/// an expert, is added to the scores for the choice only.
pub fn route(scores: &[f32], bias: Option<&[f32]>, routing: &Routing) -> Assignments {
    let (n, k) = (routing.experts, routing.top_k);
    let rows = scores.len() / n.max(1);
    let size = n / routing.groups.max(1);
    let mut experts = vec![0u32; rows * k];
    let mut weights = vec![0f32; rows * k];
    let mut choice = vec![0f32; n];
    let mut marks = vec![CLOSED; n];
    let (mut group_scores, mut group_marks) =
        (vec![0f32; routing.groups], vec![OPEN; routing.groups]);
    for ((row, experts), weights) in
        scores.chunks_exact(n).zip(experts.chunks_exact_mut(k)).zip(weights.chunks_exact_mut(k))
    {
        choice.copy_from_slice(row);
        if let Some(bias) = bias {
            add_assign(&mut choice, bias);
        }
        for (score, group) in group_scores.iter_mut().zip(choice.chunks_exact(size)) {
            *score = group_score(group, routing.scoring);
        }
        group_marks.fill(OPEN);
        mark_greatest(&group_scores, &mut group_marks, routing.top_groups, OPEN, CHOSEN);
        for (marks, group) in marks.chunks_exact_mut(size).zip(&group_marks) {
            marks.fill(if *group == CHOSEN { OPEN } else { CLOSED });
        }
        mark_greatest(&choice, &mut marks, k, OPEN, CHOSEN);
        let chosen = marks.iter().enumerate().filter(|(_, mark)| **mark == CHOSEN);
        for (((e, _), expert), weight) in chosen.zip(experts.iter_mut()).zip(weights.iter_mut()) {
            *expert = e as u32;
            *weight = row[e];
        }
        let factor = routing.scale
            / if routing.normalize { weights.iter().sum::<f32>() + TINY } else { 1.0 };
        weights.iter_mut().for_each(|w| *w *= factor);
    }
    dispatch(experts, weights, routing)
}

fn dispatch(experts: Vec<u32>, weights: Vec<f32>, routing: &Routing) -> Assignments {
    let mut offsets = vec![0usize; routing.experts + 1];
    for e in &experts {
        offsets[*e as usize + 1] += 1;
    }
    for e in 0..routing.experts {
        offsets[e + 1] += offsets[e];
    }
    let mut next = offsets.clone();
    let mut rows = vec![0u32; experts.len()];
    let mut places = vec![0u32; experts.len()];
    for (i, e) in experts.iter().enumerate() {
        let place = &mut next[*e as usize];
        rows[*place] = (i / routing.top_k) as u32;
        places[i] = *place as u32;
        *place += 1;
    }
    Assignments { experts, weights, offsets, rows, places }
}

/// The gradient of the router's logits `[rows, experts]` from that of the weights (`[rows, top_k]`,
/// in the order of [`Assignments::experts`]).
///
/// With scores `s`, chosen set `C`, `S = Σ_C s` and factor `c`: the weight of `j` is `c·s_j`, or
/// `c·s_j / S` when normalised, so `ds_j = c·dw_j` or `c/S · (dw_j - Σ_C dw·s / S)`. Softmax:
/// `dz_i = s_i (ds_i - Σ ds·s)`; sigmoid: `dz_i = ds_i · s_i (1 - s_i)`.
pub fn route_backward(
    dlogits: &mut [f32],
    dweights: &[f32],
    scores: &[f32],
    assignments: &Assignments,
    routing: &Routing,
) {
    let (n, k) = (routing.experts, routing.top_k);
    par_rows(dlogits, n, |row, dz| {
        let s = &scores[row * n..][..n];
        let chosen = &assignments.experts[row * k..][..k];
        let dw = &dweights[row * k..][..k];
        let (mut sum, mut weighted) = (0f32, 0f32);
        for (e, dw) in chosen.iter().zip(dw) {
            sum += s[*e as usize];
            weighted += dw * s[*e as usize];
        }
        dz.fill(0.0);
        let (factor, mean) = if routing.normalize {
            (routing.scale / (sum + TINY), weighted / (sum + TINY))
        } else {
            (routing.scale, 0.0)
        };
        for (e, dw) in chosen.iter().zip(dw) {
            dz[*e as usize] = factor * (dw - mean);
        }
        match routing.scoring {
            Scoring::Softmax => {
                let inner = math::dot(dz, s);
                dz.iter_mut().zip(s).for_each(|(d, s)| *d = s * (*d - inner));
            }
            Scoring::Sigmoid => dz.iter_mut().zip(s).for_each(|(d, s)| *d *= s * (1.0 - s)),
        }
    });
}

/// Copies each row of `x` to its places in the dispatch order: `out[place] = x[rows[place]]`.
pub fn gather(out: &mut [f32], x: &[f32], assignments: &Assignments, width: usize) {
    let rows = &assignments.rows;
    par_rows(&mut out[..rows.len() * width], width, |place, out| {
        out.copy_from_slice(&x[rows[place] as usize * width..][..width]);
    });
}

simd! {
    fn add_scaled(out: &mut [f32], x: &[f32], s: f32) {
        for (o, x) in out.iter_mut().zip(x) {
            *o += *x * s;
        }
    }
}

/// `y[row] += Σ_j w_j · x[place of j]` in the order of each row's experts; without `weighted` all
/// weights are 1 (the gradient of [`gather`]).
pub fn combine(
    y: &mut [f32],
    x: &[f32],
    assignments: &Assignments,
    top_k: usize,
    width: usize,
    weighted: bool,
) {
    par_rows(y, width, |row, y| {
        let range = row * top_k..(row + 1) * top_k;
        let weights = &assignments.weights[range.clone()];
        for (place, weight) in assignments.places[range].iter().zip(weights) {
            let x = &x[*place as usize * width..][..width];
            if weighted {
                add_scaled(y, x, *weight);
            } else {
                add_assign(y, x);
            }
        }
    });
}

/// The gradient of the weights: `dw[row, j] = dout[place] · out[place]`, where `dout` is the gradient
/// that reaches the place before weighting and both have `width` values a place.
///
/// Any pair whose inner product is the same serves: with a last linear map `out = W·h`, the inner
/// product of `Wᵀ·dout` and `h` needs no copy of the experts' output.
pub fn weight_gradient(
    dweights: &mut [f32],
    dout: &[f32],
    out: &[f32],
    assignments: &Assignments,
    top_k: usize,
    width: usize,
) {
    par_rows(dweights, top_k, |row, dw| {
        for (dw, place) in dw.iter_mut().zip(&assignments.places[row * top_k..]) {
            let at = *place as usize * width;
            *dw = math::dot(&dout[at..at + width], &out[at..at + width]);
        }
    });
}

/// Multiplies what lies at each place by its weight, in place.
pub fn apply_weights(
    x: &mut [f32],
    by_place: &mut Vec<f32>,
    assignments: &Assignments,
    width: usize,
) {
    by_place.resize(assignments.places.len(), 0.0);
    for (place, weight) in assignments.places.iter().zip(&assignments.weights) {
        by_place[*place as usize] = *weight;
    }
    let by_place: &[f32] = by_place;
    par_rows(&mut x[..by_place.len() * width], width, |place, row| {
        math::scale(row, by_place[place])
    });
}
