//! Drums: short noises and falling sines.

use std::f32::consts::TAU;

use super::RATE_HZ;
use super::rng::Rng;
use super::voice::Sides;

/// One instrument of the kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drum {
    Kick,
    Snare,
    Brush,
    Hat,
    OpenHat,
    Tom,
    Block,
    Taiko,
    Shaker,
}

/// One stroke.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) start_s: f32,
    pub(super) drum: Drum,
    /// 0 to 1.
    pub(super) velocity: f32,
}

/// How a drum sounds: a sine that falls, and noise.
struct Sound {
    length_s: f32,
    /// Frequency after and before its fall, and the seconds of the fall.
    tone: (f32, f32, f32),
    tone_gain: f32,
    tone_s: f32,
    noise_gain: f32,
    noise_s: f32,
    /// How much of the low noise is taken away, 0 to 1.
    noise_high: f32,
    pan: f32,
}

impl Drum {
    pub(super) fn length_s(self) -> f32 {
        self.sound().length_s
    }

    const fn sound(self) -> Sound {
        let (length_s, tone, tone_gain, tone_s, noise_gain, noise_s, noise_high, pan) = match self {
            Self::Kick => (0.45, (48.0, 170.0, 0.035), 1.0, 0.14, 0.12, 0.006, 0.3, 0.0),
            Self::Snare => (0.35, (185.0, 260.0, 0.02), 0.45, 0.07, 0.55, 0.09, 0.6, 0.1),
            Self::Brush => (0.40, (200.0, 210.0, 0.02), 0.05, 0.05, 0.30, 0.11, 0.7, 0.2),
            Self::Hat => (0.12, (0.0, 0.0, 1.0), 0.0, 0.01, 0.34, 0.022, 0.97, 0.35),
            Self::OpenHat => (0.50, (0.0, 0.0, 1.0), 0.0, 0.01, 0.30, 0.14, 0.97, 0.35),
            Self::Tom => (0.50, (95.0, 150.0, 0.06), 0.8, 0.16, 0.10, 0.02, 0.3, -0.3),
            Self::Block => (0.15, (880.0, 900.0, 0.01), 0.5, 0.03, 0.05, 0.004, 0.5, -0.4),
            Self::Taiko => (0.90, (68.0, 110.0, 0.05), 1.0, 0.30, 0.20, 0.03, 0.2, -0.1),
            Self::Shaker => (0.15, (0.0, 0.0, 1.0), 0.0, 0.01, 0.22, 0.035, 0.9, -0.45),
        };
        Sound { length_s, tone, tone_gain, tone_s, noise_gain, noise_s, noise_high, pan }
    }
}

/// Adds a stroke's sound to `sides`.
pub(super) fn strike(stroke: &Stroke, rng: &mut Rng, sides: &mut Sides<'_>) {
    let sound = stroke.drum.sound();
    let angle = (sound.pan + 1.0) * TAU / 8.0;
    let gains = [angle.cos() * stroke.velocity, angle.sin() * stroke.velocity];
    let (low, high, fall_s) = sound.tone;
    let (mut phase, mut slow) = (0.0f32, 0.0f32);
    for (n, (left, right)) in sides.left.iter_mut().zip(sides.right.iter_mut()).enumerate() {
        let t = n as f32 / RATE_HZ as f32;
        let mut sample = 0.0;
        if sound.tone_gain > 0.0 {
            phase = (phase + (low + (high - low) * (-t / fall_s).exp()) / RATE_HZ as f32).fract();
            sample += sound.tone_gain * (-t / sound.tone_s).exp() * (TAU * phase).sin();
        }
        let noise = rng.both();
        slow += 0.25 * (noise - slow);
        sample += sound.noise_gain * (-t / sound.noise_s).exp() * (noise - sound.noise_high * slow);
        *left += gains[0] * sample;
        *right += gains[1] * sample;
    }
}
