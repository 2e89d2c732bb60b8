//! What a training shows while it runs: on a terminal a bar and a sparkline of the loss that fit its
//! width, elsewhere a line now and then.

use super::super::pipe::say;
use super::super::{duration, mebibytes};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use openledger_engine::report::memory;
use openledger_engine::train::{Event, Progress};
use openledger_primitives::text::counted;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most characters of the sparkline.
const POINTS: usize = 40;
/// Fewer than this beside the figures, and the sparkline has a line of its own.
const FEWEST_POINTS: usize = 16;
/// Least time between two lines that are no terminal's.
const PAUSE: Duration = Duration::from_secs(5);

/// The display of one training, on standard error.
pub(super) struct Display {
    bar: ProgressBar,
    terminal: bool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Losses of the whole run.
    losses: Vec<f64>,
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

/// Means of equal parts of `values`, as many as there is room for.
fn fitted(values: &[f64], room: usize) -> Vec<f64> {
    let points = values.len().min(room.max(1));
    let start = |i: usize| i * values.len() / points;
    (0..points)
        .map(|i| {
            let part = &values[start(i)..start(i + 1)];
            part.iter().sum::<f64>() / part.len() as f64
        })
        .collect()
}

/// The figures with the sparkline beside them, or below where the terminal is narrow.
fn figures(losses: &[f64], loss: f64, rest: &str, columns: usize) -> String {
    let loss = format!("loss {loss:.4}");
    let used = loss.chars().count() + rest.chars().count() + 3;
    // A character in the last column would make some terminals go on in the next line.
    let room = columns.saturating_sub(1);
    if room >= used + FEWEST_POINTS {
        let line = sparkline(fitted(losses, POINTS.min(room - used)).into_iter());
        format!("{loss} {line}  {rest}")
    } else {
        let line = sparkline(fitted(losses, POINTS.min(room)).into_iter());
        format!("{loss}  {rest}\n{line}")
    }
}

impl Display {
    pub(super) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is fixed; the default one serves should it ever be wrong.
        if let Ok(style) =
            ProgressStyle::with_template("{wide_bar} {pos}/{len} steps{prefix}\n{msg}")
        {
            bar.set_style(style);
        }
        Self { bar, terminal, inner: Mutex::default() }
    }

    /// Prints a line beside the bar.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }

    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Prepared { train, held_out, total_steps, total_tokens, parameters, report } => {
                self.bar.set_length(*total_steps);
                self.say(&format!(
                    "{}: {}, {} of text ({} cut, {} skipped); {train} to train on, {held_out} held out; \
                     {total_tokens} tokens in {}; {parameters} trainable parameters",
                    counted(report.files, "file"),
                    counted(report.chats, "chat example"),
                    counted(report.windows, "window"),
                    report.truncated,
                    report.skipped,
                    counted(*total_steps, "step")
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
            Event::Accuracy { step, accuracy } => {
                let share = accuracy * 100.0;
                self.say(&format!("Held-out tokens predicted after step {step}: {share:.1} %"));
            }
            Event::Diverging { step, loss, before, learning_rate } => self.say(&format!(
                "The loss rises: {loss:.4} after step {step}, {before:.4} before. Lower \
                 learning_rate (now {learning_rate:.1e}), warm up longer (warmup_steps), or lower \
                 max_grad_norm."
            )),
            Event::Skipped { reason } => self.say(reason),
            Event::Step(progress) => self.step(progress),
            _ => {}
        }
    }

    fn step(&self, p: &Progress) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.losses.push(p.loss);
        let resident = memory::resident().map_or(String::new(), |b| format!("  {}", mebibytes(b)));
        let speed = format!("{:.0} tokens/s{resident}", p.tokens_per_second);
        let left = format!("  {} left", duration(p.eta));
        self.bar.set_position(p.step);
        if self.terminal {
            let columns = usize::from(Term::stderr().size().1);
            self.bar.set_prefix(left);
            self.bar.set_message(figures(&inner.losses, p.loss, &speed, columns));
            return;
        }
        let due = inner.line.is_none_or(|line| line.elapsed() >= PAUSE);
        if due || p.step == p.total_steps {
            inner.line = Some(Instant::now());
            say(&format!(
                "step {}/{}  loss {:.4}  {speed}{left}  lr {:.2e}  grad norm {:.3}",
                p.step, p.total_steps, p.loss, p.learning_rate, p.grad_norm
            ));
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
