//! Music that the tests make themselves: note sequences with harmonics over bass, chords and a beat, from a seed; and
//! what is done to music out there.
#![allow(dead_code)]

use std::fs;
use std::path::Path;

/// A small generator of random numbers (SplitMix64): the same seed gives the same numbers on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.unit() * from.len() as f64) as usize]
    }
}

/// A voice: where it plays, how long its notes are, and how loud.
struct Voice {
    lowest_hz: f64,
    octaves: f64,
    note_s: [f64; 3],
    gain: f64,
    harmonics: usize,
}

/// Music of three voices and a beat, mono, within −1 to 1. Notes lie a little beside scale and grid, as played ones do.
pub(crate) fn music(seed: u64, seconds: f64, rate_hz: u32) -> Vec<f32> {
    played(seed, seconds, rate_hz, 1.0, 0.0)
}

/// The same music played anew: `tempo` times as fast, so that it takes the less time, and `semitones` higher.
pub(crate) fn played(seed: u64, seconds: f64, rate_hz: u32, tempo: f64, semitones: f64) -> Vec<f32> {
    let voices = [
        Voice { lowest_hz: 330.0, octaves: 2.0, note_s: [0.15, 0.25, 0.4], gain: 0.22, harmonics: 5 },
        Voice { lowest_hz: 180.0, octaves: 1.5, note_s: [0.5, 0.7, 1.0], gain: 0.14, harmonics: 4 },
        Voice { lowest_hz: 70.0, octaves: 1.0, note_s: [0.3, 0.45, 0.6], gain: 0.2, harmonics: 6 },
    ];
    let mut samples = vec![0.0; (seconds / tempo * f64::from(rate_hz)) as usize];
    for (number, voice) in voices.iter().enumerate() {
        // Each from numbers of its own: a note more in one voice must not change the others.
        let mut random = Random(seed.wrapping_mul(1000) + number as u64);
        voice.play(&mut random, rate_hz, tempo, 2f64.powf(semitones / 12.0), &mut samples);
    }
    beat(&mut Random(seed.wrapping_mul(1000) + 999), rate_hz, tempo, &mut samples);
    samples.iter().map(|sample: &f64| sample.clamp(-1.0, 1.0) as f32).collect()
}

impl Voice {
    fn play(&self, random: &mut Random, rate_hz: u32, tempo: f64, pitch: f64, samples: &mut [f64]) {
        let mut start_s = random.between(0.0, 0.2) / tempo;
        while ((start_s * f64::from(rate_hz)) as usize) < samples.len() {
            let length_s = random.pick(&self.note_s) * random.between(0.9, 1.15) / tempo;
            let step = (random.unit() * self.octaves * 12.0).floor() + random.between(-0.1, 0.1);
            let hz = self.lowest_hz * 2f64.powf(step / 12.0) * pitch;
            for harmonic in 1..=self.harmonics {
                let gain = self.gain / harmonic as f64 * random.between(0.5, 1.0);
                tone(samples, rate_hz, start_s, length_s, hz * harmonic as f64, gain);
            }
            start_s += length_s;
        }
    }
}

/// Adds a decaying sine. A turning phasor, since a sine for each sample would take most of the test's time.
fn tone(samples: &mut [f64], rate_hz: u32, start_s: f64, length_s: f64, hz: f64, gain: f64) {
    let rate = f64::from(rate_hz);
    if hz >= rate * 0.48 {
        return;
    }
    let (start, length) = ((start_s * rate) as usize, (length_s * rate) as usize);
    let (sin, cos) = (std::f64::consts::TAU * hz / rate).sin_cos();
    let decay = (-2.5 / (length_s * rate)).exp();
    let (mut x, mut y) = (gain, 0.0);
    let attack = (0.01 * rate) as usize;
    for (at, sample) in samples.iter_mut().skip(start).take(length).enumerate() {
        *sample += y * (at as f64 / attack as f64).min(1.0);
        (x, y) = ((x * cos - y * sin) * decay, (x * sin + y * cos) * decay);
    }
}

/// Adds short bursts of noise on an uneven beat.
fn beat(random: &mut Random, rate_hz: u32, tempo: f64, samples: &mut [f64]) {
    let rate = f64::from(rate_hz);
    let pulse_s = random.between(0.22, 0.4) / tempo;
    let mut start_s = 0.0;
    while ((start_s * rate) as usize) < samples.len() {
        let gain = random.pick(&[0.0, 0.1, 0.2]);
        let burst = (0.04 * rate) as usize;
        for (at, sample) in samples.iter_mut().skip((start_s * rate) as usize).take(burst).enumerate() {
            *sample += gain * random.between(-1.0, 1.0) * (1.0 - at as f64 / burst as f64);
        }
        start_s += pulse_s * random.between(0.97, 1.03);
    }
}

/// Plays samples `speed` times as fast (linear interpolation): higher and shorter, as a record on a fast turntable.
pub(crate) fn sped_up(samples: &[f32], speed: f64) -> Vec<f32> {
    let length = (samples.len() as f64 / speed) as usize;
    (0..length)
        .map(|at| {
            let place = at as f64 * speed;
            let before = place as usize;
            let share = (place - before as f64) as f32;
            let after = samples.get(before + 1).copied().unwrap_or_default();
            samples[before] * (1.0 - share) + after * share
        })
        .collect()
}

/// The samples from `start_s` to `end_s`.
pub(crate) fn excerpt(samples: &[f32], rate_hz: u32, start_s: f64, end_s: f64) -> Vec<f32> {
    let at = |s: f64| (s * f64::from(rate_hz)) as usize;
    samples[at(start_s)..at(end_s).min(samples.len())].to_vec()
}

/// All channels at once: frames of one sample of each.
pub(crate) fn interleave(channels: &[&[f32]]) -> Vec<f32> {
    let frames = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
    (0..frames).flat_map(|frame| channels.iter().map(move |channel| channel[frame])).collect()
}

/// Writes interleaved samples as a WAV file of 16-bit integers.
pub(crate) fn write_wav(path: &Path, samples: &[f32], rate_hz: u32, channels: u16) {
    let data: Vec<u8> =
        samples.iter().flat_map(|sample| ((sample * 32767.0).round() as i16).to_le_bytes()).collect();
    fs::write(path, wav(&data, 1, 16, rate_hz, channels)).unwrap();
}

/// Writes interleaved samples as a WAV file of 32-bit floats.
pub(crate) fn write_float_wav(path: &Path, samples: &[f32], rate_hz: u32, channels: u16) {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    fs::write(path, wav(&data, 3, 32, rate_hz, channels)).unwrap();
}

fn wav(data: &[u8], format: u16, bits: u16, rate_hz: u32, channels: u16) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut bytes = Vec::with_capacity(44 + data.len());
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(36 + data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16u32.to_le_bytes());
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&channels.to_le_bytes());
    bytes.extend_from_slice(&rate_hz.to_le_bytes());
    bytes.extend_from_slice(&(rate_hz * u32::from(block)).to_le_bytes());
    bytes.extend_from_slice(&block.to_le_bytes());
    bytes.extend_from_slice(&bits.to_le_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&(data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(data);
    bytes
}
