//! Paths: from the operators that build them to edges on the page (ISO 32000-1, 8.5).

use super::super::matrix::Matrix;
use super::raster::Rect;

/// Most edges of one path; what comes after them is left out.
const MAX_EDGES: usize = 200_000;
/// Straight pieces of a curve.
const PIECES: usize = 8;

type Point = (f64, f64);

/// A straight piece of an outline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Point,
    pub(crate) to: Point,
}

/// The path that is being built, in the coordinates of the page.
#[derive(Debug, Default)]
pub(crate) struct Path {
    lines: Vec<Edge>,
    start: Option<Point>,
    current: Option<Point>,
    /// Edges that close subpaths which are open; they count where the path is filled.
    closing: Vec<Edge>,
}

impl Path {
    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_none()
    }

    pub(crate) fn move_to(&mut self, point: Point) {
        self.end_subpath();
        (self.start, self.current) = (Some(point), Some(point));
    }

    pub(crate) fn line_to(&mut self, point: Point) {
        match self.current {
            Some(from) if self.lines.len() < MAX_EDGES => {
                self.lines.push(Edge { from, to: point });
            }
            Some(_) => {}
            None => self.start = Some(point),
        }
        self.current = Some(point);
    }

    pub(crate) fn current(&self) -> Option<Point> {
        self.current
    }

    pub(crate) fn curve_to(&mut self, one: Point, two: Point, end: Point) {
        let Some(start) = self.current else { return self.move_to(end) };
        for piece in 1..=PIECES {
            let t = piece as f64 / PIECES as f64;
            let s = 1.0 - t;
            let (a, b, c, d) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
            self.line_to((
                a * start.0 + b * one.0 + c * two.0 + d * end.0,
                a * start.1 + b * one.1 + c * two.1 + d * end.1,
            ));
        }
    }

    pub(crate) fn close(&mut self) {
        if let Some(start) = self.start {
            self.line_to(start);
        }
    }

    pub(crate) fn rectangle(&mut self, corners: [Point; 4]) {
        let [first, rest @ ..] = corners;
        self.move_to(first);
        for corner in rest {
            self.line_to(corner);
        }
        self.close();
    }

    fn end_subpath(&mut self) {
        if let (Some(start), Some(current)) = (self.start, self.current) {
            if start != current && self.closing.len() < MAX_EDGES {
                self.closing.push(Edge { from: current, to: start });
            }
        }
    }

    /// What is filled: every subpath closed.
    pub(crate) fn filled(&mut self) -> Vec<Edge> {
        self.end_subpath();
        let mut edges = std::mem::take(&mut self.lines);
        edges.append(&mut self.closing);
        (self.start, self.current) = (None, None);
        edges
    }

    /// What a pen of this width covers, a quadrilateral for each piece; `capped` pens go on by half their
    /// width at the ends, and leave a dot where a piece has no length.
    pub(crate) fn stroked(&self, width: f64, capped: bool) -> Vec<Edge> {
        let mut edges = Vec::new();
        for Edge { from, to } in &self.lines {
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let length = (dx * dx + dy * dy).sqrt();
            if edges.len() >= MAX_EDGES || (length <= 0.0 && !capped) {
                continue;
            }
            let (ux, uy) = if length > 0.0 { (dx / length, dy / length) } else { (1.0, 0.0) };
            let half = width / 2.0;
            let (nx, ny) = (-uy * half, ux * half);
            let (ex, ey) = if capped { (ux * half, uy * half) } else { (0.0, 0.0) };
            let corners = [
                (from.0 + nx - ex, from.1 + ny - ey),
                (to.0 + nx + ex, to.1 + ny + ey),
                (to.0 - nx + ex, to.1 - ny + ey),
                (from.0 - nx - ex, from.1 - ny - ey),
            ];
            edges.extend(outline(&corners));
        }
        edges
    }
}

/// The edges around corners.
pub(crate) fn outline(corners: &[Point]) -> impl Iterator<Item = Edge> + '_ {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(from, to)| Edge { from: *from, to: *to })
}

/// The unit square, or another box, on the page.
pub(crate) fn corners(place: &Matrix, [left, bottom, right, top]: [f64; 4]) -> [Point; 4] {
    [(left, bottom), (right, bottom), (right, top), (left, top)].map(|point| place.point(point))
}

/// The rectangle that edges are the sides of, if they are those of one.
pub(crate) fn rectangle_of(edges: &[Edge]) -> Option<Rect> {
    let sides: Vec<&Edge> = edges.iter().filter(|edge| edge.from != edge.to).collect();
    if sides.len() != 4 {
        return None;
    }
    let chained = sides.windows(2).all(|pair| matches!(pair, [one, two] if one.to == two.from));
    let closed = sides.first().map(|edge| edge.from) == sides.last().map(|edge| edge.to);
    let straight = |edge: &&Edge| edge.from.0 == edge.to.0 || edge.from.1 == edge.to.1;
    if !(chained && closed && sides.iter().all(straight)) {
        return None;
    }
    let points: Vec<Point> = sides.iter().map(|edge| edge.from).collect();
    Some(Rect::around(&points))
}
