//! What a training shows while it runs: on a terminal a bar with a sparkline of the loss, elsewhere
//! a line now and then.

use super::super::{duration, mebibytes};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use trainer_worker::report::memory;
use trainer_worker::train::{Event, Progress};

/// Points of the sparkline.
const POINTS: usize = 40;
/// Least time between two lines that are no terminal's.
const PAUSE: Duration = Duration::from_secs(5);

/// The display of one training, on standard error.
pub(super) struct Display {
    bar: ProgressBar,
    terminal: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    losses: VecDeque<f64>,
    /// Losses of the point that is being averaged, and how many a point takes.
    point: (f64, u64),
    steps_a_point: u64,
    line: Option<Instant>,
}

/// Values as eight heights, between the least and the greatest.
pub(super) fn sparkline(values: impl Iterator<Item = f64> + Clone) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite = values.clone().filter(|v| v.is_finite());
    let low = finite.clone().fold(f64::INFINITY, f64::min);
    let high = finite.fold(f64::NEG_INFINITY, f64::max);
    let range = (high - low).max(1e-12);
    values
        .map(|v| {
            let height = ((v - low) / range * 7.0).round();
            BARS.get(if height.is_finite() { height as usize } else { 0 }).copied().unwrap_or('█')
        })
        .collect()
}

impl Display {
    pub(super) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is fixed; the default one serves should it ever be wrong.
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} steps  {msg}") {
            bar.set_style(style);
        }
        let inner =
            Inner { losses: VecDeque::new(), point: (0.0, 0), steps_a_point: 1, line: None };
        Self { bar, terminal, inner: Mutex::new(inner) }
    }

    /// Prints a line beside the bar.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Prepared { train, held_out, total_steps, total_tokens, parameters, report } => {
                self.bar.set_length(*total_steps);
                let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                inner.steps_a_point = total_steps.div_ceil(POINTS as u64 * 4).max(1);
                self.say(&format!(
                    "{} files: {} chat examples, {} windows of text ({} cut, {} skipped); {train} \
                     to train on, {held_out} held out; {total_tokens} tokens in {total_steps} \
                     steps; {parameters} trainable parameters",
                    report.files, report.chats, report.windows, report.truncated, report.skipped
                ));
            }
            Event::Resumed { step } => {
                self.say(&format!("Going on from the checkpoint after step {step}."));
            }
            Event::Evaluated { step, loss } => {
                self.say(&format!("Held-out loss after step {step}: {loss:.4}"));
            }
            Event::Sampled { step, prompt, text } => {
                self.say(&format!("Sample after step {step}: {prompt:?} -> {text:?}"));
            }
            Event::StoppedEarly { step } => {
                self.say(&format!("Stopped early after step {step}: no more improvement."));
            }
            Event::Step(progress) => self.step(progress),
            _ => {}
        }
    }

    fn step(&self, p: &Progress) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.point.0 += p.loss;
        inner.point.1 += 1;
        if inner.point.1 >= inner.steps_a_point {
            let mean = inner.point.0 / inner.point.1 as f64;
            inner.losses.push_back(mean);
            inner.point = (0.0, 0);
            if inner.losses.len() > POINTS {
                inner.losses.pop_front();
            }
        }
        let resident = memory::resident().map_or(String::new(), |b| format!("  {}", mebibytes(b)));
        let rest = format!(
            "loss {:.4}  {:.0} tokens/s{resident}  {} left",
            p.loss,
            p.tokens_per_second,
            duration(p.eta)
        );
        self.bar.set_position(p.step);
        if self.terminal {
            self.bar.set_message(format!("{} {rest}", sparkline(inner.losses.iter().copied())));
            return;
        }
        let due = inner.line.is_none_or(|line| line.elapsed() >= PAUSE);
        if due || p.step == p.total_steps {
            inner.line = Some(Instant::now());
            eprintln!(
                "step {}/{}  {rest}  lr {:.2e}  grad norm {:.3}",
                p.step, p.total_steps, p.learning_rate, p.grad_norm
            );
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
