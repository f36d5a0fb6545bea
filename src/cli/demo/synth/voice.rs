//! Voices: how one note sounds.

use std::collections::BTreeMap;
use std::f32::consts::TAU;

use super::RATE_HZ;
use super::rng::Rng;

/// How a note's sound is made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timbre {
    /// Sums of harmonics, bright at first, then softer.
    Additive(&'static Additive),
    /// A sine whose phase another sine moves.
    Fm(&'static Fm),
    /// A string that is plucked (Karplus and Strong 1983).
    Pluck {
        /// Share of the string's sound left after a second, at middle C.
        sustain: f32,
        /// 0 soft thumb … 1 hard plectrum.
        brightness: f32,
    },
}

/// Attack, decay, sustain level and release; times in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope {
    pub(super) attack: f32,
    pub(super) decay: f32,
    pub(super) sustain: f32,
    pub(super) release: f32,
}

/// An additive voice.
#[derive(Debug)]
pub(super) struct Additive {
    /// Tells its wave from others.
    pub(super) name: &'static str,
    /// Amplitudes of the harmonics, the fundamental first.
    pub(super) harmonics: &'static [f32],
    pub(super) envelope: Envelope,
    /// Seconds in which the upper harmonics fade to a third; long for instruments that are blown or bowed.
    pub(super) bright_s: f32,
    /// Cents between the oscillator in the middle and the one at the sides.
    pub(super) detune_cents: f32,
    /// Cents of vibrato at 5.3 Hz, from the third tenth of a second on.
    pub(super) vibrato_cents: f32,
    /// Share of breath noise.
    pub(super) breath: f32,
}

/// An FM voice.
#[derive(Debug)]
pub(super) struct Fm {
    /// Frequency of the moving sine over that of the moved one.
    pub(super) ratio: f32,
    /// Greatest phase movement in radians …
    pub(super) index: f32,
    /// … and the seconds in which it fades to a third.
    pub(super) index_s: f32,
    pub(super) envelope: Envelope,
}

/// One note.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note {
    pub(super) start_s: f32,
    pub(super) duration_s: f32,
    /// MIDI number, 69 = 440 Hz.
    pub(super) pitch: f32,
    /// 0 to 1.
    pub(super) velocity: f32,
    /// −1 left … 1 right.
    pub(super) pan: f32,
    pub(super) timbre: Timbre,
}

/// Samples of one period in a wave table.
const TABLE: usize = 2048;

/// A note's sound goes here: both channels from the note's start.
pub(super) struct Sides<'a> {
    pub(super) left: &'a mut [f32],
    pub(super) right: &'a mut [f32],
}

impl Envelope {
    /// How long a note sounds, with its release.
    pub(super) fn length_s(&self, duration_s: f32) -> f32 {
        duration_s + 4.0 * self.release
    }

    fn at(&self, t: f32, duration_s: f32) -> f32 {
        let held = |t: f32| {
            if t < self.attack {
                t / self.attack
            } else {
                self.sustain + (1.0 - self.sustain) * (-(t - self.attack) / self.decay).exp()
            }
        };
        if t < duration_s { held(t) } else { held(duration_s) * (-(t - duration_s) / self.release).exp() }
    }
}

impl Timbre {
    pub(super) fn length_s(&self, duration_s: f32) -> f32 {
        match self {
            Self::Additive(voice) => voice.envelope.length_s(duration_s),
            Self::Fm(voice) => voice.envelope.length_s(duration_s),
            Self::Pluck { .. } => duration_s + 0.3,
        }
    }
}

/// Plays notes; keeps the wave tables that they share.
pub(super) struct Player {
    tables: BTreeMap<&'static str, [Vec<f32>; 2]>,
    rng: Rng,
}

impl Player {
    pub(super) fn new(seed: u64) -> Self {
        Self { tables: BTreeMap::new(), rng: Rng::new(seed) }
    }

    /// Adds a note's sound to `sides`.
    pub(super) fn play(&mut self, note: &Note, sides: &mut Sides<'_>) {
        let hz = 440.0 * ((note.pitch - 69.0) / 12.0).exp2();
        // Equal power: as loud in the middle as at the sides.
        let angle = (note.pan + 1.0) * TAU / 8.0;
        let gain = [angle.cos() * note.velocity, angle.sin() * note.velocity];
        match note.timbre {
            Timbre::Additive(voice) => self.additive(voice, hz, note, gain, sides),
            Timbre::Fm(voice) => fm(voice, hz, note, gain, sides),
            Timbre::Pluck { sustain, brightness } => {
                self.pluck(hz, (sustain, brightness), note, gain, sides);
            }
        }
    }

    fn additive(
        &mut self,
        voice: &'static Additive,
        hz: f32,
        note: &Note,
        gain: [f32; 2],
        sides: &mut Sides<'_>,
    ) {
        let [bright, soft] = self
            .tables
            .entry(voice.name)
            .or_insert_with(|| [table(voice.harmonics, 0), table(voice.harmonics, 1)]);
        let step = hz / RATE_HZ as f32 * TABLE as f32;
        let steps = [step, step * (voice.detune_cents / 1200.0).exp2()];
        let mut phases = [self.rng.unit() * TABLE as f32, self.rng.unit() * TABLE as f32];
        let (mut envelope, mut brightness, mut bend) = (0.0, 1.0, 1.0);
        let channels = sides.left.iter_mut().zip(sides.right.iter_mut());
        for (n, (left, right)) in channels.enumerate() {
            if n % CONTROL == 0 {
                let t = n as f32 / RATE_HZ as f32;
                envelope = voice.envelope.at(t, note.duration_s);
                brightness = (-t / voice.bright_s).exp() * (0.4 + 0.6 * note.velocity);
                let depth = voice.vibrato_cents * ((t - 0.3) * 3.0).clamp(0.0, 1.0);
                bend = (depth / 1200.0 * (TAU * 5.3 * t).sin()).exp2();
            }
            let noise = if voice.breath > 0.0 { voice.breath * self.rng.both() } else { 0.0 };
            let mut tones = [0.0; 2];
            for ((tone, phase), step) in tones.iter_mut().zip(&mut phases).zip(steps) {
                let at = *phase as usize % TABLE;
                *tone = soft[at] + brightness * (bright[at] - soft[at]);
                *phase += step * bend;
                if *phase >= TABLE as f32 {
                    *phase -= TABLE as f32;
                }
            }
            // The second oscillator has opposite signs on both sides: width that a mono sum does not cancel with.
            let [tone, width] = [tones[0] + noise, WIDTH * tones[1]];
            *left += gain[0] * envelope * (tone + width);
            *right += gain[1] * envelope * (tone - width);
        }
    }

    fn pluck(
        &mut self,
        hz: f32,
        (sustain, brightness): (f32, f32),
        note: &Note,
        gain: [f32; 2],
        sides: &mut Sides<'_>,
    ) {
        let period = RATE_HZ as f32 / hz - 0.5;
        let length = (period as usize).max(2);
        let mut string: Vec<f32> = Vec::with_capacity(length);
        let mut last = 0.0;
        for _ in 0..length {
            last += (0.15 + 0.85 * brightness) * (self.rng.both() - last);
            string.push(last);
        }
        let mean = string.iter().sum::<f32>() / length as f32;
        string.iter_mut().for_each(|sample| *sample -= mean);
        // The string is a whole number of samples long; an all-pass makes up for the rest of its period.
        let rest = period - length as f32;
        let allpass = (1.0 - rest) / (1.0 + rest);
        let loss = sustain.powf(1.0 / hz);
        let (mut previous_in, mut previous_out, mut before) = (0.0, 0.0, 0.0);
        let channels = sides.left.iter_mut().zip(sides.right.iter_mut());
        for (n, (left, right)) in channels.enumerate() {
            let at = n % length;
            let sample = string[at];
            let averaged = 0.5 * (sample + before) * loss;
            before = sample;
            let out = allpass * averaged + previous_in - allpass * previous_out;
            (previous_in, previous_out) = (averaged, out);
            string[at] = out;
            let past = (n as f32 / RATE_HZ as f32 - note.duration_s).max(0.0);
            let damped = if past > 0.0 { (-past / 0.06).exp() } else { 1.0 };
            *left += 1.6 * gain[0] * sample * damped;
            *right += 1.6 * gain[1] * sample * damped;
        }
    }
}

/// Share of the second oscillator.
const WIDTH: f32 = 0.3;

/// How many samples envelope and vibrato are held for: 0.7 ms, too short to hear.
const CONTROL: usize = 32;

fn fm(voice: &Fm, hz: f32, note: &Note, gain: [f32; 2], sides: &mut Sides<'_>) {
    let step = hz / RATE_HZ as f32;
    let (mut carrier, mut modulator) = (0.0f32, 0.0f32);
    let (mut envelope, mut index) = (0.0, 0.0);
    let channels = sides.left.iter_mut().zip(sides.right.iter_mut());
    for (n, (left, right)) in channels.enumerate() {
        if n % CONTROL == 0 {
            let t = n as f32 / RATE_HZ as f32;
            envelope = voice.envelope.at(t, note.duration_s);
            index = voice.index * (-t / voice.index_s).exp() * (0.3 + 0.7 * note.velocity);
        }
        let sample = (TAU * carrier + index * (TAU * modulator).sin()).sin();
        *left += gain[0] * envelope * sample;
        *right += gain[1] * envelope * sample;
        carrier = (carrier + step).fract();
        modulator = (modulator + step * voice.ratio).fract();
    }
}

/// One period of a sum of harmonics; `softness` 1 weakens the upper ones.
fn table(harmonics: &[f32], softness: i32) -> Vec<f32> {
    let total: f32 = harmonics.iter().map(|amplitude| amplitude.abs()).sum::<f32>().max(0.1);
    let sample = |n: usize| {
        let wave = |(k, amplitude): (usize, &f32)| {
            let order = (k + 1) as f32;
            amplitude / order.powi(softness) * (TAU * order * n as f32 / TABLE as f32).sin()
        };
        1.6 * harmonics.iter().enumerate().map(wave).sum::<f32>() / total
    };
    (0..TABLE).map(sample).collect()
}
