//! What copyists do to music: play it faster, press it into few bits, talk over it, mix it with something else.

use std::f32::consts::TAU;

use realfft::RealFftPlanner;

use super::synth::{RATE_HZ, Rng, Stereo, talk};

/// Samples on each side that one resampled sample is made of.
const REACH: isize = 12;

/// Plays `factor` times as fast: shorter and higher, or, below 1, longer and lower.
pub(super) fn speed(sound: &Stereo, factor: f64) -> Stereo {
    Stereo { left: resample(&sound.left, factor), right: resample(&sound.right, factor) }
}

/// Takes every `step`-th sample, between samples too: a windowed sinc, cut off below the new limit.
fn resample(samples: &[f32], step: f64) -> Vec<f32> {
    let cutoff = (0.95 / step).min(0.95);
    let reach = (REACH as f64 / cutoff).ceil() as isize;
    let length = (samples.len() as f64 / step) as usize;
    let mut kernels: Vec<Option<Vec<f32>>> = vec![None; PHASES];
    (0..length)
        .map(|n| {
            let at = n as f64 * step;
            let phase = ((at.fract() * PHASES as f64) as usize).min(PHASES - 1);
            let weights = kernels[phase].get_or_insert_with(|| kernel(phase, cutoff, reach));
            let first = at as isize - reach + 1;
            let sample =
                |k: usize| usize::try_from(first + k as isize).ok().and_then(|at| samples.get(at)).copied();
            weights.iter().enumerate().map(|(k, weight)| weight * sample(k).unwrap_or(0.0)).sum()
        })
        .collect()
}

/// Places between two samples that are told apart.
const PHASES: usize = 256;

fn kernel(phase: usize, cutoff: f64, reach: isize) -> Vec<f32> {
    let fraction = phase as f64 / PHASES as f64;
    let weight = |k: isize| {
        let x = (k as f64 - fraction) * std::f64::consts::PI;
        let sinc = if x.abs() < 1e-9 { cutoff } else { (x * cutoff).sin() / x };
        let window = 0.5 + 0.5 * (x / reach as f64).clamp(-std::f64::consts::PI, std::f64::consts::PI).cos();
        (sinc * window) as f32
    };
    (1 - reach..=reach).map(weight).collect()
}

/// Samples of one block of the lossy copy.
const BLOCK: usize = 1152;
/// Bands above this are thrown away, as encoders do at low bit rates.
const BAND_LIMIT_HZ: usize = 11_000;

/// Presses a sound through few bits: each block's spectrum is rounded in bands as wide as the ear's, coarsely, and
/// cut at 11 kHz. What an MP3 at a low bit rate does to music, without being one.
pub(super) fn lossy(sound: &Stereo) -> Stereo {
    Stereo { left: lossy_channel(&sound.left), right: lossy_channel(&sound.right) }
}

fn lossy_channel(samples: &[f32]) -> Vec<f32> {
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(2 * BLOCK), planner.plan_fft_inverse(2 * BLOCK));
    let mut time = forward.make_input_vec();
    let mut spectrum = forward.make_output_vec();
    // The sine window, before and after: overlapping halves add up to one.
    let window: Vec<f32> =
        (0..2 * BLOCK).map(|n| (TAU / 4.0 * (n as f32 + 0.5) / BLOCK as f32).sin()).collect();
    let mut out = vec![0.0; samples.len() + 2 * BLOCK];
    for start in (0..samples.len()).step_by(BLOCK) {
        for (n, value) in time.iter_mut().enumerate() {
            *value = window[n] * samples.get(start + n).copied().unwrap_or(0.0);
        }
        if forward.process(&mut time, &mut spectrum).is_err() {
            break; // lengths are the planner's own
        }
        quantise(&mut spectrum);
        if inverse.process(&mut spectrum, &mut time).is_err() {
            break;
        }
        for (n, value) in time.iter().enumerate() {
            out[start + n] += window[n] * value / (2 * BLOCK) as f32;
        }
    }
    out.truncate(samples.len());
    out
}

/// Rounds real and imaginary parts to steps of a third of their band's strongest.
fn quantise(spectrum: &mut [realfft::num_complex::Complex<f32>]) {
    let limit = (2 * BLOCK * BAND_LIMIT_HZ / RATE_HZ as usize).min(spectrum.len());
    spectrum[limit..].iter_mut().for_each(|value| *value = Default::default());
    let mut from = 0;
    while from < limit {
        let to = (from + 4 + from / 6).min(limit);
        let strongest = spectrum[from..to].iter().fold(0.0f32, |most, value| most.max(value.norm()));
        let step = (strongest / 3.0).max(1e-9);
        for value in &mut spectrum[from..to] {
            value.re = (value.re / step).round() * step;
            value.im = (value.im / step).round() * step;
        }
        from = to;
    }
    // The inverse transform takes real edges only.
    spectrum[0].im = 0.0;
    if let Some(last) = spectrum.last_mut() {
        last.im = 0.0;
    }
}

/// Seconds of a mix, from its start.
pub(super) const TALK_ALONE_S: f32 = 5.0;
const FIRST_S: f32 = 32.0;
const CROSSFADE_S: f32 = 4.0;
const SECOND_S: f32 = 30.0;
const TALK_UNTIL_S: f32 = 20.0;

/// A disc jockey's mix: talk, the first piece from its start with the talk going on over it, then a slow change to
/// the second one, from its fifth second on.
pub(super) fn mix(first: &Stereo, second: &Stereo) -> Stereo {
    let samples = |seconds: f32| (seconds * RATE_HZ as f32) as usize;
    let change = samples(TALK_ALONE_S + FIRST_S - CROSSFADE_S);
    let mut mixed = Stereo::silent(change + samples(SECOND_S));
    let voice = talk(TALK_UNTIL_S, 0x7a1c);
    let fade = samples(CROSSFADE_S) as f32;
    for n in 0..mixed.len() {
        let late = (n as f32 - change as f32) / fade;
        let (gain_first, gain_second) = ((1.0 - late).clamp(0.0, 1.0), late.clamp(0.0, 1.0));
        let at_first = n.checked_sub(samples(TALK_ALONE_S));
        let at_second = n.checked_sub(change).map(|at| at + samples(5.0));
        let said = 0.42 * voice.get(n).copied().unwrap_or(0.0);
        let pick = |from: &[f32], at: Option<usize>| at.and_then(|at| from.get(at)).copied().unwrap_or(0.0);
        let both = |a: &[f32], b: &[f32]| {
            0.8 * (gain_first * pick(a, at_first) + gain_second * pick(b, at_second)) + said
        };
        mixed.left[n] = both(&first.left, &second.left);
        mixed.right[n] = both(&first.right, &second.right);
    }
    mixed.normalise(0.89);
    mixed
}

/// The same sound at another sample rate.
pub(super) fn at_rate(sound: &Stereo, rate_hz: u32) -> Stereo {
    speed(sound, f64::from(RATE_HZ) / f64::from(rate_hz))
}

/// A file that was cut off while it was uploaded and overwritten: the start of a WAV file's header, then noise.
pub(super) fn broken() -> Vec<u8> {
    let mut rng = Rng::new(0xbad);
    let mut bytes = b"RIFF\x00\x10\x00\x00WAVE".to_vec();
    bytes.extend((0..4096).map(|_| rng.next_u64() as u8));
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn sine(hz: f32, seconds: f32) -> Stereo {
        let samples = (seconds * RATE_HZ as f32) as usize;
        let tone: Vec<f32> =
            (0..samples).map(|n| 0.5 * (TAU * hz * n as f32 / RATE_HZ as f32).sin()).collect();
        Stereo { left: tone.clone(), right: tone }
    }

    /// Times that a tone goes up through zero in a second.
    fn frequency(samples: &[f32]) -> f32 {
        let ups = samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        ups as f32 / samples.len() as f32 * RATE_HZ as f32
    }

    fn power(samples: &[f32]) -> f32 {
        samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32
    }

    #[test]
    fn faster_is_shorter_and_higher() {
        let fast = speed(&sine(1000.0, 2.0), 1.25);
        assert_eq!(fast.len(), (2.0 * RATE_HZ as f32 / 1.25) as usize);
        assert!((frequency(&fast.left) - 1250.0).abs() < 3.0);
        assert!((power(&fast.left) / 0.125 - 1.0).abs() < 0.02);
    }

    #[test]
    fn what_a_lower_rate_cannot_hold_is_gone() {
        let low = at_rate(&sine(17_500.0, 1.0), 32_000);
        assert!(power(&low.left) < 1e-4, "{}", power(&low.left));
    }

    #[test]
    fn few_bits_keep_the_tone_lose_the_top_and_add_noise() {
        let piece = sine(440.0, 1.0);
        let pressed = lossy(&piece);
        assert_eq!(pressed.len(), piece.len());
        let middle = BLOCK..piece.len() - BLOCK;
        let noise: Vec<f32> = middle.clone().map(|n| pressed.left[n] - piece.left[n]).collect();
        let share = power(&noise) / power(&piece.left[middle]);
        assert!(share > 1e-5 && share < 0.1, "{share}");
        assert!(power(&lossy(&sine(14_000.0, 0.5)).left[BLOCK..]) < 1e-6);
    }

    #[test]
    fn a_mix_holds_all_three() {
        let mixed = mix(&sine(300.0, 40.0), &sine(600.0, 40.0));
        let second = |at: usize| &mixed.left[at * RATE_HZ as usize..(at + 1) * RATE_HZ as usize];
        assert!(power(second(2)) > 1e-4, "talk alone");
        assert!((frequency(second(27)) - 300.0).abs() < 3.0, "the first piece without talk");
        assert!((frequency(second(50)) - 600.0).abs() < 3.0, "the second piece");
        assert_eq!(mixed.len(), (63.0 * RATE_HZ as f32) as usize);
    }
}
