//! The analysis once more, written plainly from `fingerprints/FORMAT.md`: one frame after the other, one number after the
//! other, no running maxima and sums. It must find the very same peaks as the one that works on lanes.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rustfft::algorithm::Radix4;
use rustfft::num_complex::Complex;
use rustfft::{Fft as _, FftDirection};

use super::{Fingerprint, Peak, analyze};

const BINS: usize = 264;
const FLOOR: i32 = -25_600;

/// Levels of one frame of 2,048 samples.
fn frame(samples: &[f32]) -> Vec<i32> {
    let mut line: Vec<Complex<f32>> = (0..1024)
        .map(|n| {
            let windowed = |at: usize| {
                let turn = std::f64::consts::TAU / 2048.0 * at as f64;
                samples[at] * (0.5 * (1.0 - turn.cos()) * (2.0 / 2048.0)) as f32
            };
            Complex::new(windowed(2 * n), windowed(2 * n + 1))
        })
        .collect();
    Radix4::new(1024, FftDirection::Forward).process(&mut line);
    let mut power = vec![0f32; 1024];
    for k in 1..=512 {
        let (a, b) = (line[k], line[1024 - k]);
        let angle = std::f64::consts::TAU / 2048.0 * k as f64;
        let (cos, sin) = (-angle.sin() as f32, -angle.cos() as f32);
        let (even, odd) = (Complex::new(a.re + b.re, a.im - b.im), Complex::new(a.re - b.re, a.im + b.im));
        let turned = Complex::new(odd.re * cos - odd.im * sin, odd.re * sin + odd.im * cos);
        power[k] = (even + turned).norm_sqr();
        power[1024 - k] = (even - turned).norm_sqr();
    }
    (0..BINS).map(|bin| level(gather(&power, bin as f64))).collect()
}

fn gather(power: &[f32], bin: f64) -> f32 {
    let line_at = |bin: f64| 110.0 * (bin / 48.0).exp2() / (11_025.0 / 2048.0);
    let centre = line_at(bin);
    let half_width = (line_at(bin + 1.0) - centre).max(1.0);
    let mut sum = 0.0;
    for (k, power) in power.iter().enumerate() {
        let weight = 1.0 - (k as f64 - centre).abs() / half_width;
        if weight >= 0.0 {
            sum += power * weight as f32;
        }
    }
    sum
}

fn level(power: f32) -> i32 {
    let power = power.max(1e-10);
    let exponent = (power.to_bits() >> 23) as i32 - 127;
    let t = f32::from_bits(power.to_bits() & 0x7f_ffff | 127 << 23) - 1.0;
    let q = ((-0.044_874 * t + 0.150_533_2) * t - 0.269_578) * t + 0.442_418_6;
    let log = exponent as f32 + (t + t * (1.0 - t) * q);
    ((log * 770.636_8).round_ties_even() as i32).clamp(FLOOR, 32_767)
}

struct Spectrogram(Vec<Vec<i32>>);

impl Spectrogram {
    fn at(&self, frame: i64, bin: i64) -> i32 {
        usize::try_from(frame).ok().and_then(|frame| self.0.get(frame)).map_or(FLOOR, |row| row[bin as usize])
    }

    /// Frames and bins of a patch, and their levels.
    fn patch(&self, frame: i64, bin: i64, frames: i64, bins: i64) -> Vec<(i64, i64, i32)> {
        let mut patch = Vec::new();
        for f in frame - frames..=frame + frames {
            for b in (bin - bins).max(0)..=(bin + bins).min(BINS as i64 - 1) {
                patch.push((f, b, self.at(f, b)));
            }
        }
        patch
    }

    fn peak(&self, frame: i64, bin: i64, loudest: i32) -> Option<Peak> {
        let here = self.at(frame, bin);
        let beaten =
            |&(f, b, level): &(i64, i64, i32)| level > here || level == here && (f, b) < (frame, bin);
        if here <= (loudest - 75 * 256).max(-96 * 256) || self.patch(frame, bin, 7, 10).iter().any(beaten) {
            return None;
        }
        let around = self.patch(frame, bin, 13, 24);
        let mean = around.iter().map(|one| f64::from(one.2)).sum::<f64>() / around.len() as f64;
        let above = f64::from(here) - mean;
        if above < 4.0 * 256.0 {
            return None;
        }
        let top = |before: i32, after: i32| {
            let curvature = f64::from(before - 2 * here + after);
            if curvature == 0.0 { 0.0 } else { 0.5 * f64::from(before - after) / curvature }
        };
        let time = frame as f64 + top(self.at(frame - 1, bin), self.at(frame + 1, bin));
        let pitch = bin as f64 + top(self.at(frame, bin - 1), self.at(frame, bin + 1));
        Some(Peak {
            time: (time * 8.0).round().max(0.0) as u32,
            pitch: (pitch * 8.0).round() as u16,
            strength: (above / 128.0).round().min(127.0) as u8,
            salient: self.patch(frame, bin, 13, 15).iter().all(|one| one.2 <= here),
        })
    }
}

fn reference(samples: &[f32]) -> Fingerprint {
    let padded = [&[0.0; 1024], samples, &[0.0; 1024]].concat();
    let frames = 1 + samples.len() / 256;
    let spectrogram = Spectrogram((0..frames).map(|n| frame(&padded[256 * n..256 * n + 2048])).collect());
    let mut loudest = FLOOR;
    let mut peaks = Vec::new();
    let mut block = Vec::new();
    for n in 0..frames {
        loudest = (loudest - 23).max(*spectrogram.0[n].iter().max().unwrap());
        block.extend((1..BINS as i64 - 1).filter_map(|bin| spectrogram.peak(n as i64, bin, loudest)));
        if (n + 1) % 43 == 0 || n + 1 == frames {
            block.sort_by_key(|peak| (!peak.salient, 127 - peak.strength, *peak));
            block.truncate(40);
            peaks.append(&mut block);
        }
    }
    peaks.sort();
    Fingerprint { duration: (samples.len() * 8 / 256) as u32, peaks }
}

/// Tones that come and go, clicks and noise, by a seed.
fn sounds(seed: u64, samples: usize) -> Vec<f32> {
    let mut state = seed;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 24) as f32
    };
    let tones: Vec<[f32; 4]> = (0..40).map(|_| [draw(), draw(), draw(), draw()]).collect();
    let mut sounds: Vec<f32> = (0..samples).map(|_| 0.003 * (draw() - 0.5)).collect();
    for [pitch, start, length, gain] in tones {
        let hz = 110.0 * 45f32.powf(pitch);
        let from = (start * samples as f32) as usize;
        let many = 1 + (length * 6000.0) as usize;
        for (n, sample) in sounds[from..].iter_mut().take(many).enumerate() {
            let fade = 1.0 - n as f32 / many as f32;
            *sample += 0.2 * gain * gain * fade * (std::f32::consts::TAU * hz * n as f32 / 11_025.0).sin();
        }
    }
    sounds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn lanes_find_what_plain_arithmetic_finds(seed: u64, samples in 0usize..30_000, scale in -60i32..20) {
        let gain = 2f32.powi(scale / 4);
        let sounds: Vec<f32> = sounds(seed, samples).iter().map(|sample| sample * gain).collect();
        prop_assert_eq!(analyze(&sounds), reference(&sounds));
    }
}

#[test]
fn silence_in_the_middle_and_plateaus_are_alike_too() {
    let mut samples = sounds(7, 60_000);
    samples[20_000..45_000].fill(0.0);
    // A tone that repeats with the hop: equal levels in frame after frame.
    for (n, sample) in samples[5_000..15_000].iter_mut().enumerate() {
        *sample = 0.25 * (std::f32::consts::TAU * (n % 256) as f32 * 20.0 / 256.0).sin();
    }
    let found = analyze(&samples);
    assert!(found.peaks.len() > 30, "{}", found.peaks.len());
    assert_eq!(found, reference(&samples));
}
