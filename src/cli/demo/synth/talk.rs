//! Somebody talking, without words: pulses of a voice through the resonances of a mouth, and hisses between them, in
//! the rhythm of syllables.

use std::f32::consts::TAU;

use super::RATE_HZ;
use super::rng::Rng;

/// Resonances of five vowels in Hz (Peterson and Barney 1952, rounded).
const VOWELS: [[f32; 3]; 5] = [
    [730.0, 1090.0, 2440.0],
    [530.0, 1840.0, 2480.0],
    [270.0, 2290.0, 3010.0],
    [570.0, 840.0, 2410.0],
    [300.0, 870.0, 2240.0],
];

/// A two-pole resonator.
#[derive(Default)]
struct Resonator {
    before: f32,
    before_that: f32,
}

impl Resonator {
    fn pass(&mut self, input: f32, hz: f32, width_hz: f32) -> f32 {
        let radius = (-TAU / 2.0 * width_hz / RATE_HZ as f32).exp();
        let turn = 2.0 * radius * (TAU * hz / RATE_HZ as f32).cos();
        let out = (1.0 - radius) * input + turn * self.before - radius * radius * self.before_that;
        (self.before_that, self.before) = (self.before, out);
        out
    }
}

/// Talks for so many seconds; one channel, peak 1.
pub(in crate::cli::demo) fn talk(seconds: f32, seed: u64) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    let length = (seconds * RATE_HZ as f32) as usize;
    let mut voice: Vec<f32> = Vec::with_capacity(length);
    let mut mouth: [Resonator; 3] = Default::default();
    let mut syllables_left = 0;
    let mut tone_hz = 140.0;
    while voice.len() < length {
        if syllables_left == 0 {
            // The end of a phrase: breath.
            let pause = (0.25 + 0.35 * rng.unit()) * RATE_HZ as f32;
            voice.resize(voice.len() + pause as usize, 0.0);
            syllables_left = 5 + (rng.unit() * 9.0) as usize;
            tone_hz = 150.0 + 40.0 * rng.unit();
        }
        syllable(&mut voice, &mut mouth, tone_hz, &mut rng);
        tone_hz = (tone_hz * (0.97 + 0.04 * rng.both())).max(95.0);
        syllables_left -= 1;
    }
    voice.truncate(length);
    let loudest = voice.iter().fold(1e-6f32, |most, x| most.max(x.abs()));
    voice.iter_mut().for_each(|x| *x /= loudest);
    voice
}

/// A consonant and a vowel.
fn syllable(voice: &mut Vec<f32>, mouth: &mut [Resonator; 3], tone_hz: f32, rng: &mut Rng) {
    let vowel = VOWELS[(rng.next_u64() % 5) as usize];
    let to = VOWELS[(rng.next_u64() % 5) as usize];
    let hiss = ((0.03 + 0.06 * rng.unit()) * RATE_HZ as f32) as usize;
    let loud = 0.04 + 0.10 * rng.unit();
    let mut last = 0.0;
    for n in 0..hiss {
        let noise = rng.both();
        let swell = (TAU / 2.0 * n as f32 / hiss as f32).sin();
        voice.push(loud * swell * (noise - last));
        last = noise;
    }
    let length = ((0.10 + 0.12 * rng.unit()) * RATE_HZ as f32) as usize;
    let (mut phase, bend) = (0.0f32, 0.06 * rng.both());
    for n in 0..length {
        let share = n as f32 / length as f32;
        phase += tone_hz * (1.0 + bend * share) * (1.0 + 0.004 * rng.both()) / RATE_HZ as f32;
        let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
        phase = phase.fract();
        let mut out = 0.0;
        for (k, resonator) in mouth.iter_mut().enumerate() {
            // The mouth is on its way to the next vowel in the last third.
            let hz = vowel[k] + (to[k] - vowel[k]) * (3.0 * share - 2.0).max(0.0);
            out += resonator.pass(pulse + 0.004 * rng.both(), hz, 60.0 + 40.0 * k as f32)
                / (1.0 + k as f32 * 0.5);
        }
        voice.push(9.0 * out * (TAU / 2.0 * share).sin().sqrt());
    }
}
