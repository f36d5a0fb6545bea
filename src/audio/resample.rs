//! Streaming change of rate to [`ANALYSIS_RATE_HZ`], with the delay of the filter taken away.

use audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Async, Fft, FixedAsync, FixedSync, SincInterpolationParameters, WindowFunction};

use crate::base::ANALYSIS_RATE_HZ;

/// Rates at which the FFT resampler's blocks stay short: it works in blocks of rate / gcd, so a prime rate (a
/// hostile header) would make them as long as the rate. All others take the sinc interpolator.
const FFT_RATES_HZ: [u32; 14] = [
    8_000, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 176_400, 192_000,
    384_000,
];

/// Input frames taken at once: short enough for little memory, long enough for the FFT.
const CHUNK_FRAMES: usize = 4096;

/// Rates that real audio has; the resampler's memory and work are bounded within.
pub(super) const RATES_HZ: std::ops::RangeInclusive<u32> = 2_000..=768_000;

/// Brings one or two channels to the analysis rate.
pub(super) struct Resampler {
    engine: Engine,
    rate_hz: u32,
    /// Input not yet taken by the engine, one vector a channel.
    waiting: Vec<Vec<f32>>,
    /// Output of the last call, one vector a channel.
    out: Vec<Vec<f32>>,
    /// Leading output frames that are the filter's delay.
    to_trim: usize,
    taken_frames: u64,
    given_frames: u64,
}

enum Engine {
    /// The input is at the analysis rate already.
    Same,
    Change(Box<dyn rubato::Resampler<f32>>),
}

impl Resampler {
    /// Makes a resampler for `channels` (1 or 2) channels at `rate_hz`, which must be in [`RATES_HZ`].
    ///
    /// Returns `None` for a rate outside.
    pub(super) fn new(rate_hz: u32, channels: usize) -> Option<Self> {
        if !RATES_HZ.contains(&rate_hz) {
            return None;
        }
        let engine = engine(rate_hz, channels)?;
        let (to_trim, out_max) = match &engine {
            Engine::Same => (0, CHUNK_FRAMES),
            Engine::Change(change) => (change.output_delay(), change.output_frames_max()),
        };
        Some(Self {
            engine,
            rate_hz,
            waiting: vec![Vec::new(); channels],
            out: vec![vec![0.0; out_max]; channels],
            to_trim,
            taken_frames: 0,
            given_frames: 0,
        })
    }

    /// Takes frames (planes of the same length) and hands what is ready to `give`.
    pub(super) fn push(&mut self, planes: &[&[f32]], give: &mut dyn FnMut(&[&[f32]])) {
        let frames = planes.first().map_or(0, |plane| plane.len());
        self.taken_frames += frames as u64;
        if matches!(self.engine, Engine::Same) {
            self.given_frames += frames as u64;
            return give(planes);
        }
        let mut from = 0;
        while from < frames {
            // In pieces, so that a long packet does not pile up.
            let to = frames.min(from + CHUNK_FRAMES);
            for (waiting, plane) in self.waiting.iter_mut().zip(planes) {
                waiting.extend_from_slice(&plane[from..to]);
            }
            from = to;
            self.run(give, None);
        }
    }

    /// Hands out the rest: as many frames in all as the input's length is worth.
    pub(super) fn finish(mut self, give: &mut dyn FnMut(&[&[f32]])) {
        let Engine::Change(change) = &self.engine else { return };
        let wanted = (u128::from(self.taken_frames) * u128::from(ANALYSIS_RATE_HZ))
            .div_ceil(u128::from(self.rate_hz)) as u64;
        // The delay line plus one partial chunk: a handful of calls; the bound guards against an engine that gives nothing.
        let calls_max = 16 + change.output_delay() / change.output_frames_max().max(1) * 2;
        for _ in 0..calls_max {
            if self.given_frames >= wanted {
                break;
            }
            let Engine::Change(change) = &self.engine else { return };
            let needed = change.input_frames_next();
            for waiting in &mut self.waiting {
                waiting.resize(needed.max(waiting.len()), 0.0);
            }
            self.run(give, Some(wanted));
        }
    }

    /// Runs the engine while it has a full chunk; with `wanted`, gives no more than that many frames in all.
    fn run(&mut self, give: &mut dyn FnMut(&[&[f32]]), wanted: Option<u64>) {
        let Engine::Change(change) = &mut self.engine else { return };
        let channels = self.waiting.len();
        loop {
            let needed = change.input_frames_next();
            let available = self.waiting.first().map_or(0, Vec::len);
            let room = self.out.first().map_or(0, Vec::len);
            if available < needed || needed == 0 {
                return;
            }
            let Ok(input) = SequentialSliceOfVecs::new(&self.waiting, channels, available) else { return };
            let Ok(mut output) = SequentialSliceOfVecs::new_mut(&mut self.out, channels, room) else {
                return;
            };
            let Ok((taken, made)) = change.process_into_buffer(&input, &mut output, None) else { return };
            for waiting in &mut self.waiting {
                waiting.drain(..taken.min(available));
            }
            let skip = made.min(self.to_trim);
            self.to_trim -= skip;
            let left = wanted.map_or(usize::MAX, |wanted| wanted.saturating_sub(self.given_frames) as usize);
            let end = made.min(skip.saturating_add(left));
            self.given_frames += (end - skip) as u64;
            let planes: Vec<&[f32]> = self.out.iter().map(|plane| &plane[skip..end]).collect();
            give(&planes);
        }
    }
}

fn engine(rate_hz: u32, channels: usize) -> Option<Engine> {
    let (from, to) = (rate_hz as usize, ANALYSIS_RATE_HZ as usize);
    if rate_hz == ANALYSIS_RATE_HZ {
        return Some(Engine::Same);
    }
    if FFT_RATES_HZ.contains(&rate_hz) {
        let fft = Fft::new(from, to, CHUNK_FRAMES, channels, FixedSync::Both).ok()?;
        return Some(Engine::Change(Box::new(fft)));
    }
    // The filter's length grows with the factor, so that its transition band stays as narrow at the output's scale.
    let factor = (rate_hz / ANALYSIS_RATE_HZ).clamp(1, 16) as usize;
    let parameters = SincInterpolationParameters::new(64 * factor, WindowFunction::BlackmanHarris2);
    let ratio = f64::from(ANALYSIS_RATE_HZ) / f64::from(rate_hz);
    let sinc = Async::new_sinc(ratio, 1.0, &parameters, CHUNK_FRAMES, channels, FixedAsync::Input).ok()?;
    Some(Engine::Change(Box::new(sinc)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// Resamples a tone of `tone_hz` and returns the output.
    fn tone(rate_hz: u32, tone_hz: f64, seconds: f64) -> Vec<f32> {
        let frames = (f64::from(rate_hz) * seconds) as usize;
        let samples: Vec<f32> = (0..frames)
            .map(|i| (std::f64::consts::TAU * tone_hz * i as f64 / f64::from(rate_hz)).sin() as f32)
            .collect();
        let mut resampler = Resampler::new(rate_hz, 1).unwrap();
        let mut out = Vec::new();
        let mut give = |planes: &[&[f32]]| out.extend_from_slice(planes[0]);
        for piece in samples.chunks(1000) {
            resampler.push(&[piece], &mut give);
        }
        resampler.finish(&mut give);
        out
    }

    #[test]
    fn keeps_time_and_phase_at_every_rate() {
        for rate_hz in [2_000, 8_000, 11_025, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000, 767_999] {
            let out = tone(rate_hz, 100.0, 2.0);
            let wanted = 2 * ANALYSIS_RATE_HZ as usize;
            assert!(out.len().abs_diff(wanted) <= 1, "{rate_hz}: {} frames", out.len());
            let wrong = (1000..wanted - 1000)
                .map(|i| {
                    let true_value =
                        (std::f64::consts::TAU * 100.0 * i as f64 / f64::from(ANALYSIS_RATE_HZ)).sin();
                    (f64::from(out[i]) - true_value).abs()
                })
                .fold(0.0, f64::max);
            // The delay is taken off in whole frames: half a frame may remain.
            assert!(wrong < 0.04, "{rate_hz}: off by {wrong}");
        }
    }

    #[test]
    fn removes_what_would_fold() {
        for rate_hz in [44_100, 44_101, 48_000, 192_000] {
            let out = tone(rate_hz, 7_000.0, 1.0);
            let loudest = out[500..out.len() - 500].iter().fold(0.0f32, |max, sample| max.max(sample.abs()));
            assert!(loudest < 0.001, "{rate_hz}: {loudest}");
        }
    }

    #[test]
    fn refuses_absurd_rates() {
        assert!(Resampler::new(0, 1).is_none());
        assert!(Resampler::new(1, 2).is_none());
        assert!(Resampler::new(u32::MAX, 2).is_none());
    }
}
