//! Whether people hear a stretch of sound: louder than silence, and not only lower or higher than
//! they hear.
//!
//! No spectrum is made. Of a signal x, the power of its differences x[n] − x[n−1] beside its own says
//! how high its frequencies are on average: for a sine of f hertz at the rate r it is 4 sin²(πf/r).
//! Where that is less than for 20 Hz, what is audible is lower than the rest by the square of how much
//! higher it sounds. The power of its sums is 4 cos²(πf/r) in the same way. Where that is not more than
//! for 16 kHz, which children hear and few others, the rest is taken away by averages over 2 samples
//! and more, and what stays has to be louder than silence. Both are products and sums alone, so that
//! all machines hear the same.

use super::SILENCE;

/// Hertz of the lowest and of the highest sound that counts.
const LOWEST: f64 = 20.0;
const HIGHEST: f64 = 16_000.0;
/// Half a sampling rate up to which averages over two samples take away what is too high.
const HALF: f64 = 24_000.0;
/// How often each average is taken.
const TIMES: usize = 8;

/// Hears windows of one sampling rate.
pub(super) struct Ear {
    /// Power of differences beside a signal's own, of the lowest sound.
    low: f64,
    /// Power of sums beside a signal's own, of the highest sound; none where there is no higher one.
    high: Option<f64>,
    /// Distances of samples that are averaged.
    steps: Vec<usize>,
    channel: Vec<f64>,
}

impl Ear {
    pub(super) fn new(rate: u64) -> Self {
        let rate = rate as f64;
        let pi = std::f64::consts::PI;
        // 4 sin² of a small angle is 4 times its square.
        let low = 2.0 * pi * LOWEST / rate;
        // 4 cos² x = 2 + 2 cos 2x.
        let high = (rate > 2.0 * HIGHEST).then(|| 2.0 + 2.0 * cosine(2.0 * pi * HIGHEST / rate));
        let mut steps = vec![1];
        while let Some(step) = steps.last().filter(|step| rate / 2.0 / (**step as f64) > HALF) {
            steps.push(2 * step);
        }
        Self { low: low * low, high, steps, channel: Vec::new() }
    }

    /// Whether nothing is heard of samples of so many channels, one after the other of each frame.
    pub(super) fn is_silent(&mut self, samples: &[f32], channels: usize) -> bool {
        (0..channels).all(|channel| {
            let mut one = std::mem::take(&mut self.channel);
            one.clear();
            one.extend(samples.iter().skip(channel).step_by(channels).map(|s| f64::from(*s)));
            let heard = self.hears(&mut one);
            self.channel = one;
            !heard
        })
    }

    fn hears(&self, signal: &mut Vec<f64>) -> bool {
        let count = signal.len() as f64;
        let (sum, squares) = (signal.iter())
            .fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
        let power = (squares - sum * sum / count) / count;
        let silence = SILENCE * SILENCE;
        if signal.len() < 2 || power < silence {
            return false;
        }
        let mean = sum / count;
        let (mut differences, mut sums) = (0.0, 0.0);
        for pair in signal.windows(2) {
            let (one, next) = match pair {
                [one, next] => (one - mean, next - mean),
                _ => continue,
            };
            differences += (next - one) * (next - one);
            sums += (next + one) * (next + one);
        }
        let pairs = count - 1.0;
        if differences / pairs < power * self.low {
            return false;
        }
        match self.high {
            Some(high) if sums / pairs <= power * high + 4.0 * silence => {}
            _ => return true,
        }
        for value in signal.iter_mut() {
            *value -= mean;
        }
        for step in &self.steps {
            for _ in 0..TIMES {
                let ends = signal.len().saturating_sub(*step);
                for place in 0..ends {
                    let later = signal.get(place + step).copied().unwrap_or_default();
                    if let Some(value) = signal.get_mut(place) {
                        *value = (*value + later) / 2.0;
                    }
                }
                signal.truncate(ends);
            }
        }
        let heard: f64 = signal.iter().map(|value| value * value).sum();
        heard >= silence * signal.len() as f64 && !signal.is_empty()
    }
}

/// The cosine of an angle up to π, by its series: a library's differs from machine to machine.
fn cosine(angle: f64) -> f64 {
    let square = angle * angle;
    let (mut sum, mut term) = (1.0, 1.0);
    for step in 1..16 {
        let place = f64::from(2 * step);
        term *= -square / (place * (place - 1.0));
        sum += term;
    }
    sum
}
