//! What was measured, for people and as JSON.

use serde::Serialize;

/// A line of the report. A ratio above 1 means that ours is better.
#[derive(Serialize)]
pub struct Line {
    name: String,
    unit: &'static str,
    ours: f64,
    peer: Option<f64>,
    peer_name: Option<&'static str>,
    ratio: Option<f64>,
}

impl Line {
    /// Ours beside a peer's, of which less is better.
    pub fn beside(
        name: &str,
        unit: &'static str,
        ours: f64,
        peer: f64,
        peer_name: &'static str,
    ) -> Self {
        Self {
            name: name.to_owned(),
            unit,
            ours,
            peer: Some(peer),
            peer_name: Some(peer_name),
            ratio: Some(peer / ours),
        }
    }

    /// A number without a peer.
    pub fn alone(name: &str, unit: &'static str, ours: f64) -> Self {
        Self { name: name.to_owned(), unit, ours, peer: None, peer_name: None, ratio: None }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:.1} {}", self.name, self.ours, self.unit)?;
        if let (Some(peer), Some(name), Some(ratio)) = (self.peer, self.peer_name, self.ratio) {
            write!(f, ", {name}: {peer:.1}, ratio {ratio:.2}")?;
        }
        Ok(())
    }
}
