//! Which milliseconds count: windows of 100 ms that sound, each once.
//!
//! A window is **silent** if in every channel the root mean square of its samples, without their
//! mean, is under −60 dBFS (0.001 of full scale): a constant is silence, and so is noise of some
//! levels; or if it is only lower or higher than people hear ([`super::audible`]). A stretch of a window's length is **heard before** if the same samples stood in an earlier
//! window of the grid, wherever it begins itself, so that a loop counts once whatever its period is.
//! Samples are compared by a rolling hash of 64 bits (Karp and Rabin 1987).

use super::{
    audible::Ear,
    tiles::{mix, Filter},
    Counted, Refusal, Refused, Result2, MAX_CHANNELS, MAX_MILLISECONDS, MAX_SAMPLES, SAMPLE_RATES,
};
use crate::Hidden;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bits of the filter before the table of windows.
const FILTER_BITS: u32 = 18;

/// One window of the grid.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start: u64,
    frames: u64,
    /// Frames of it that were heard before.
    again: u64,
    silent: bool,
}

/// Refuses a number of channels that is not read.
pub(crate) fn readable_channels(channels: usize) -> Result2<()> {
    if (1..=MAX_CHANNELS).contains(&channels) {
        return Ok(());
    }
    let detail = format!("it has {channels} channels, 1 to {MAX_CHANNELS} are read");
    Err(Refused(Refusal::Unsupported, detail))
}

/// Takes a sound frame by frame; a frame is one sample of each channel.
pub(crate) struct Windows {
    rate: u64,
    channels: usize,
    /// Frames so far.
    frames: u64,
    counted: u64,
    silent: u64,
    again: u64,
    last: Option<Window>,
    window: Window,
    /// The samples of this window.
    samples: Vec<f32>,
    ear: Ear,
    /// Hash of this window's first frames, as many as the shortest window has.
    hash: u64,
    length: usize,
    /// Windows that sound: their hash, and the frame after them.
    heard: HashMap<u64, u64>,
    filter: Filter,
    /// The last frames, their rolling hash, how many they are, and the factor of the one that leaves.
    ring: Vec<u64>,
    rolling: u64,
    held: usize,
    leaving: u64,
    /// Of all samples, where they are to be hashed.
    digest: Option<Sha256>,
}

/// What became of a sound.
pub(crate) struct Heard {
    pub(crate) counted: Counted,
    /// sha2-256 of sampling rate, channels and samples, where it was asked for.
    pub(crate) digest: Option<[u8; 32]>,
}

impl Heard {
    /// Of a sound without a sample.
    pub(crate) fn nothing(hashed: bool) -> Self {
        let digest = hashed.then(|| Sha256::new().finalize().into());
        Self { counted: Counted::default(), digest }
    }
}

impl Windows {
    /// For a sound of this sampling rate and this number of channels, whose samples are hashed or not.
    pub(crate) fn new(rate: u32, channels: usize, hashed: bool) -> Result2<Self> {
        if !SAMPLE_RATES.contains(&rate) {
            let (least, most) = (SAMPLE_RATES.start(), SAMPLE_RATES.end());
            let detail = format!("its sampling rate is {rate} Hz, {least} to {most} are read");
            return Err(Refused(Refusal::Unsupported, detail));
        }
        readable_channels(channels)?;
        let length = (rate / 10) as usize;
        Ok(Self {
            rate: rate.into(),
            channels,
            frames: 0,
            counted: 0,
            silent: 0,
            again: 0,
            last: None,
            window: Window::default(),
            samples: Vec::with_capacity((length + 1) * channels),
            ear: Ear::new(rate.into()),
            hash: 0,
            length,
            heard: HashMap::new(),
            filter: Filter::new(FILTER_BITS),
            ring: vec![0; length],
            rolling: 0,
            held: 0,
            leaving: (1..length).fold(1_u64, |power, _| power.wrapping_mul(BASE)),
            digest: hashed.then(|| {
                Sha256::new().chain_update(rate.to_le_bytes()).chain_update([channels as u8])
            }),
        })
    }

    /// Frames so far.
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes samples of −1 to 1, channel after channel of each frame.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result2<()> {
        for frame in samples.chunks_exact(self.channels) {
            if self.frames.saturating_mul(1_000) >= MAX_MILLISECONDS * self.rate {
                let detail = format!(
                    "it lasts longer than {MAX_MILLISECONDS} ms, which is the most that is measured"
                );
                return Err(Refused(Refusal::TooLarge, detail));
            }
            if self.frames.saturating_mul(self.channels as u64) >= MAX_SAMPLES {
                let detail =
                    format!("it has more than the {MAX_SAMPLES} samples that are measured");
                return Err(Refused(Refusal::TooLarge, detail));
            }
            self.frame(frame)?;
        }
        Ok(())
    }

    fn frame(&mut self, frame: &[f32]) -> Result2<()> {
        let mut symbol = 0_u64;
        for sample in frame {
            if !sample.is_finite() {
                let detail = format!("sample {} is {sample}, which is no number", self.frames);
                return Err(Refused(Refusal::Damaged, detail));
            }
            // Zero has two signs, which sound the same.
            let bits = (*sample + 0.0).to_bits();
            symbol = mix(symbol ^ u64::from(bits));
            if let Some(digest) = &mut self.digest {
                digest.update(bits.to_le_bytes());
            }
        }
        self.samples.extend_from_slice(frame);
        self.remember(symbol);
        if self.window.frames < self.length as u64 {
            self.hash = self.hash.wrapping_mul(BASE).wrapping_add(symbol);
        }
        self.window.frames += 1;
        self.frames += 1;
        // Window k ends where k + 1 tenths of a second do.
        let number = self.window.start * 10 / self.rate + 1;
        if self.frames * 10 >= number * self.rate {
            self.end_window(true);
        }
        Ok(())
    }

    /// Rolls the hash of the last 100 ms on, and looks whether they were heard before.
    fn remember(&mut self, symbol: u64) {
        let place = (self.frames % self.length as u64) as usize;
        if let Some(old) = self.ring.get_mut(place) {
            if self.held == self.length {
                self.rolling = self.rolling.wrapping_sub(old.wrapping_mul(self.leaving));
                self.held -= 1;
            }
            *old = symbol;
        }
        self.rolling = self.rolling.wrapping_mul(BASE).wrapping_add(symbol);
        self.held += 1;
        if self.held < self.length || !self.filter.may_hold(self.rolling) {
            return;
        }
        let start = self.frames + 1 - self.length as u64;
        // The earlier window must be over, or a hum would be its own repetition.
        if self.heard.get(&self.rolling).is_some_and(|end| *end <= start) {
            let here = self.length as u64 - start.max(self.window.start).saturating_sub(start);
            self.window.again += here;
            if let Some(last) = &mut self.last {
                last.again += self.length as u64 - here;
            }
            (self.rolling, self.held) = (0, 0);
        }
    }

    fn end_window(&mut self, whole: bool) {
        self.window.silent = self.ear.is_silent(&self.samples, self.channels);
        if whole && !self.window.silent {
            self.filter.insert(self.hash);
            self.heard.entry(self.hash).or_insert(self.frames);
        }
        let next = Window { start: self.frames, ..Window::default() };
        let ended = std::mem::replace(&mut self.window, next);
        if let Some(last) = self.last.replace(ended) {
            self.settle(last);
        }
        self.samples.clear();
        self.hash = 0;
    }

    fn settle(&mut self, window: Window) {
        if window.silent {
            self.silent += window.frames;
        } else {
            let again = window.again.min(window.frames);
            self.again += again;
            self.counted += window.frames - again;
        }
    }

    /// The count of the whole sound.
    pub(crate) fn finish(mut self) -> Heard {
        if self.window.frames > 0 {
            self.end_window(false);
        }
        if let Some(last) = self.last.take() {
            self.settle(last);
        }
        let milliseconds = |frames: u64| frames * 1_000 / self.rate;
        let mut counted = Counted { units: milliseconds(self.counted), ..Counted::default() };
        counted.left_out.add(Hidden::Silent, milliseconds(self.silent));
        counted.left_out.add(Hidden::Again, milliseconds(self.again));
        Heard { counted, digest: self.digest.map(|digest| digest.finalize().into()) }
    }
}
