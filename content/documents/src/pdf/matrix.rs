//! Transformations of the plane, as PDF writes them: `[a b c d e f]`.

use super::object::Object;

/// x' = a·x + c·y + e, y' = b·x + d·y + f.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix(pub(crate) [f64; 6]);

impl Matrix {
    pub(crate) const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(crate) fn translation(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// A turn clockwise by quarters.
    pub(crate) fn turned(quarters: u8) -> Self {
        Self(match quarters % 4 {
            0 => [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
            1 => [0.0, -1.0, 1.0, 0.0, 0.0, 0.0],
            2 => [-1.0, 0.0, 0.0, -1.0, 0.0, 0.0],
            _ => [0.0, 1.0, -1.0, 0.0, 0.0, 0.0],
        })
    }

    /// From six numbers; anything else is `None`.
    pub(crate) fn from_objects(objects: &[Object]) -> Option<Self> {
        let mut numbers = [0.0; 6];
        for (number, object) in numbers.iter_mut().zip(objects.get(..6)?) {
            *number = object.number()?;
        }
        Some(Self(numbers))
    }

    /// First this one, then `next`.
    pub(crate) fn then(&self, next: &Self) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let [na, nb, nc, nd, ne, nf] = next.0;
        Self([
            a * na + b * nc,
            a * nb + b * nd,
            c * na + d * nc,
            c * nb + d * nd,
            e * na + f * nc + ne,
            e * nb + f * nd + nf,
        ])
    }

    /// Where a point goes.
    pub(crate) fn point(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + c * y + e, b * x + d * y + f)
    }

    /// The transformation back; none where everything falls on a line.
    pub(crate) fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.0;
        let area = a * d - b * c;
        (area != 0.0 && area.is_finite()).then(|| {
            Self([
                d / area,
                -b / area,
                -c / area,
                a / area,
                (c * f - d * e) / area,
                (b * e - a * f) / area,
            ])
        })
    }

    /// How much larger things become, on average.
    pub(crate) fn scale(&self) -> f64 {
        let [a, b, c, d, ..] = self.0;
        (a * d - b * c).abs().sqrt()
    }

    /// Where a direction points to.
    pub(crate) fn vector(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, ..] = self.0;
        (a * x + c * y, b * x + d * y)
    }
}
