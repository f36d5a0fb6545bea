//! A voice that talks nonsense: pulses of a gliding pitch through moving formants, in syllables, with hisses and
//! pauses. It stands for talk over music, of which it has spectrum and rhythm.

use super::filter::Biquad;
use crate::rng::Rng;
use crate::sound::{RATE_HZ, Sound};

/// First three formants of vowels in Hz: means of men's, after Peterson and Barney, JASA 24(2), 1952, table II.
const VOWELS: [[f64; 3]; 7] = [
    [270.0, 2290.0, 3010.0],
    [390.0, 1990.0, 2550.0],
    [530.0, 1840.0, 2480.0],
    [730.0, 1090.0, 2440.0],
    [570.0, 840.0, 2410.0],
    [300.0, 870.0, 2240.0],
    [640.0, 1190.0, 2390.0],
];
/// How sharp and how loud the formants are.
const QUALITIES: [f64; 3] = [7.0, 12.0, 16.0];
const LOUDNESS: [f64; 3] = [1.0, 0.5, 0.25];
/// Samples between two movements of the formants.
const MOVE: usize = 64;

/// Talks for a number of frames.
pub(crate) fn voice(frames: usize, rng: &mut Rng) -> Sound {
    let mut talker = Talker {
        pitch_hz: rng.between(95.0, 210.0),
        phase: 0.0,
        formants: VOWELS[rng.below(VOWELS.len())],
        filters: QUALITIES.map(|quality| Biquad::band_pass(500.0, quality)),
        hiss: Biquad::band_pass(4500.0, 0.8),
        glottis: [0.0; 2],
    };
    let mut samples = Vec::with_capacity(frames);
    let mut syllables_left = 0;
    while samples.len() < frames {
        if syllables_left == 0 {
            syllables_left = 4 + rng.below(7);
            let pause = rng.between(0.15, 0.5);
            samples.extend(std::iter::repeat_n(0.0, (pause * RATE_HZ) as usize));
        }
        syllables_left -= 1;
        if rng.unit() < 0.5 {
            talker.consonant(rng, &mut samples);
        }
        talker.vowel(rng, &mut samples);
    }
    samples.truncate(frames);
    Sound::mono(samples)
}

struct Talker {
    pitch_hz: f64,
    /// Of the pulses, in periods.
    phase: f64,
    formants: [f64; 3],
    filters: [Biquad; 3],
    hiss: Biquad,
    glottis: [f64; 2],
}

impl Talker {
    fn consonant(&mut self, rng: &mut Rng, samples: &mut Vec<f32>) {
        let frames = (rng.between(0.04, 0.1) * RATE_HZ) as usize;
        for n in 0..frames {
            let noise = self.hiss.step(f64::from(rng.normal()));
            samples.push((0.08 * swell(n, frames) * noise) as f32);
        }
    }

    fn vowel(&mut self, rng: &mut Rng, samples: &mut Vec<f32>) {
        let frames = (rng.between(0.1, 0.26) * RATE_HZ) as usize;
        let (from, to) = (self.formants, VOWELS[rng.below(VOWELS.len())]);
        let glide = rng.between(0.85, 1.18);
        for n in 0..frames {
            let done = n as f64 / frames as f64;
            if n % MOVE == 0 {
                for (number, filter) in self.filters.iter_mut().enumerate() {
                    self.formants[number] = from[number] + (to[number] - from[number]) * done;
                    filter.become_like(&Biquad::band_pass(self.formants[number], QUALITIES[number]));
                }
            }
            let pulse = self.pulse(glide.powf(done));
            let voiced: f64 =
                self.filters.iter_mut().zip(LOUDNESS).map(|(filter, gain)| gain * filter.step(pulse)).sum();
            samples.push((swell(n, frames) * voiced) as f32);
        }
        // Back towards the middle of the talker's range, or a long talk would climb out of it.
        self.pitch_hz = (self.pitch_hz * glide).clamp(80.0, 260.0);
    }

    /// Pulses at the pitch, made dull as vocal folds do: 12 dB an octave less.
    fn pulse(&mut self, glide: f64) -> f64 {
        self.phase += self.pitch_hz * glide / RATE_HZ;
        let pulse = if self.phase >= 1.0 { 1.0 } else { 0.0 };
        self.phase = self.phase.fract();
        self.glottis[0] += 0.08 * (pulse * 12.0 - self.glottis[0]);
        self.glottis[1] += 0.08 * (self.glottis[0] - self.glottis[1]);
        self.glottis[1]
    }
}

/// Rises and falls over a sound.
fn swell(at: usize, frames: usize) -> f64 {
    (std::f64::consts::PI * at as f64 / frames as f64).sin().sqrt()
}
