//! Streaming change of rate to [`ANALYSIS_RATE_HZ`], without delay: output *n* lies at the time of *n*.
//!
//! The rate is halved while it stays at or above the analysis rate; 44,100 and 22,050 Hz are done with that. Other rates
//! are brought the rest of the way by a filter with coefficients for every place between two samples.

use super::filters::{Convert, Halve};
use crate::base::ANALYSIS_RATE_HZ;

/// Input frames taken at once, so that a long packet does not pile up.
const CHUNK_FRAMES: usize = 4096;

/// Rates that real audio has; the filters' memory and work are bounded within.
pub(super) const RATES_HZ: std::ops::RangeInclusive<u32> = 2_000..=768_000;

/// Chunks of zeros after the end that bring out the rest: the filters reach over some 2,000 samples of the highest rate.
const LAST_CHUNKS_MAX: usize = 16;

/// Brings one or two channels to the analysis rate.
pub(super) struct Resampler {
    /// The filters of each channel.
    channels: Vec<Channel>,
    /// Output of the last call, one vector a channel.
    out: Vec<Vec<f32>>,
    rate_hz: u32,
    taken_frames: u64,
    given_frames: u64,
}

/// The filters that one channel goes through.
#[derive(Default)]
struct Channel {
    halves: Vec<Halve>,
    convert: Option<Convert>,
    /// What goes from one filter to the next.
    between: Vec<f32>,
    spare: Vec<f32>,
}

impl Resampler {
    /// Makes a resampler for `channels` (1 or 2) channels at `rate_hz`, which must be in [`RATES_HZ`].
    ///
    /// Returns `None` for a rate outside.
    pub(super) fn new(rate_hz: u32, channels: usize) -> Option<Self> {
        RATES_HZ.contains(&rate_hz).then(|| Self {
            channels: (0..channels).map(|_| Channel::new(rate_hz)).collect(),
            out: vec![Vec::new(); channels],
            rate_hz,
            taken_frames: 0,
            given_frames: 0,
        })
    }

    /// Takes frames (planes of the same length) and hands what is ready to `give`.
    pub(super) fn push(&mut self, planes: &[&[f32]], give: &mut dyn FnMut(&[&[f32]])) {
        let frames = planes.first().map_or(0, |plane| plane.len());
        self.taken_frames += frames as u64;
        if self.rate_hz == ANALYSIS_RATE_HZ {
            return give(planes);
        }
        for from in (0..frames).step_by(CHUNK_FRAMES) {
            let to = frames.min(from + CHUNK_FRAMES);
            self.run(|channel| planes.get(channel).and_then(|plane| plane.get(from..to)), u64::MAX, give);
        }
    }

    /// Hands out the rest: as many frames in all as the input's length is worth.
    pub(super) fn finish(mut self, give: &mut dyn FnMut(&[&[f32]])) {
        if self.rate_hz == ANALYSIS_RATE_HZ {
            return;
        }
        let wanted = (u128::from(self.taken_frames) * u128::from(ANALYSIS_RATE_HZ))
            .div_ceil(u128::from(self.rate_hz)) as u64;
        for _ in 0..LAST_CHUNKS_MAX {
            if self.given_frames >= wanted {
                break;
            }
            self.run(|_| Some(&[0.0; CHUNK_FRAMES]), wanted, give);
        }
    }

    /// Sends a chunk of each channel through its filters, and gives what comes, up to `wanted` frames in all.
    fn run<'a>(
        &mut self,
        chunk: impl Fn(usize) -> Option<&'a [f32]>,
        wanted: u64,
        give: &mut dyn FnMut(&[&[f32]]),
    ) {
        for (number, (channel, out)) in self.channels.iter_mut().zip(&mut self.out).enumerate() {
            out.clear();
            channel.push(chunk(number).unwrap_or(&[]), out);
            out.truncate(usize::try_from(wanted - self.given_frames).unwrap_or(usize::MAX));
        }
        let made = self.out.first().map_or(0, Vec::len);
        self.given_frames += made as u64;
        match self.out.as_slice() {
            _ if made == 0 => {}
            [only] => give(&[only]),
            [left, right, ..] => give(&[left, right]),
            [] => {}
        }
    }
}

impl Channel {
    fn new(rate_hz: u32) -> Self {
        let mut channel = Self::default();
        let mut whole = u64::from(ANALYSIS_RATE_HZ);
        while u64::from(rate_hz) >= 2 * whole {
            let halved = whole / u64::from(ANALYSIS_RATE_HZ);
            channel.halves.push(Halve::new(f64::from(rate_hz) / halved as f64));
            whole *= 2;
        }
        if u64::from(rate_hz) != whole {
            channel.convert = Some(Convert::new(u64::from(rate_hz), whole));
        }
        channel
    }

    /// Takes samples, and appends to `out` what is ready.
    fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let Some((last, before)) = self.halves.split_last_mut() else {
            return self.convert.iter_mut().for_each(|convert| convert.push(samples, out));
        };
        let mut input = samples;
        for half in before {
            self.spare.clear();
            half.push(input, &mut self.spare);
            std::mem::swap(&mut self.spare, &mut self.between);
            input = &self.between;
        }
        match &mut self.convert {
            None => last.push(input, out),
            Some(convert) => {
                self.spare.clear();
                last.push(input, &mut self.spare);
                convert.push(&self.spare, out);
            }
        }
    }
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
            assert!(wrong < 0.001, "{rate_hz}: off by {wrong}");
        }
    }

    /// The loudest sample of a tone that went through, without its ends.
    fn loudest(rate_hz: u32, tone_hz: f64) -> f32 {
        let out = tone(rate_hz, tone_hz, 1.0);
        out[500..out.len() - 500].iter().fold(0.0f32, |max, sample| max.max(sample.abs()))
    }

    #[test]
    fn removes_what_would_fold_and_keeps_the_rest() {
        for rate_hz in [16_000, 22_050, 24_000, 32_000, 44_100, 44_101, 48_000, 192_000, 767_999] {
            // From other rates, what lies just above 6,025 Hz comes out just above 5,000, where nothing looks.
            let lowest_hz = if [16_000, 22_050, 44_100].contains(&rate_hz) { 6_100.0 } else { 7_050.0 };
            for tone_hz in [lowest_hz, 9_000.0, 15_000.0, 19_000.0, 21_000.0] {
                // −70 dB.
                let heard = if tone_hz < f64::from(rate_hz) / 2.0 { loudest(rate_hz, tone_hz) } else { 0.0 };
                assert!(heard < 0.000_32, "{rate_hz}: {heard} of {tone_hz}");
            }
            for tone_hz in [110.0, 1_003.0, 4_900.0] {
                let heard = loudest(rate_hz, tone_hz);
                assert!((0.98..1.01).contains(&heard), "{rate_hz}: {heard} of {tone_hz}");
            }
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_samples() {
        let samples: Vec<f32> = (0..20_000u32)
            .map(|n| (n.wrapping_mul(2_654_435_769) >> 8) as f32 / 16_777_216.0 - 0.5)
            .collect();
        for rate_hz in [8_000, 44_100, 48_000, 44_101] {
            let run = |size: usize| {
                let mut resampler = Resampler::new(rate_hz, 2).unwrap();
                let mut out = vec![Vec::new(); 2];
                let mut give = |planes: &[&[f32]]| {
                    out.iter_mut().zip(planes).for_each(|(out, plane)| out.extend_from_slice(plane));
                };
                samples.chunks(size).for_each(|piece| resampler.push(&[piece, piece], &mut give));
                resampler.finish(&mut give);
                assert_eq!(out[0], out[1]);
                out.swap_remove(0)
            };
            let whole = run(20_000);
            assert_eq!(whole.len(), (20_000 * 11_025usize).div_ceil(rate_hz as usize));
            for size in [1, 7, 1_152, 4_097] {
                assert!(run(size) == whole, "{rate_hz} Hz in pieces of {size}");
            }
        }
    }

    #[test]
    fn refuses_absurd_rates() {
        assert!(Resampler::new(0, 1).is_none());
        assert!(Resampler::new(1, 2).is_none());
        assert!(Resampler::new(u32::MAX, 2).is_none());
    }
}
