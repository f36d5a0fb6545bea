//! White and pink noise.

use std::f32::consts::TAU;

use crate::rng::Rng;
use crate::sound::{RATE_HZ, Sound};

/// Spectrum of a noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// As much power in every hertz.
    White,
    /// As much power in every octave.
    Pink,
}

/// Noise of its own on each side.
pub(crate) fn noise(colour: Colour, frames: usize, rng: &mut Rng) -> Sound {
    let mut side = || match colour {
        Colour::White => (0..frames).map(|_| rng.normal()).collect(),
        Colour::Pink => pink(frames, rng),
    };
    Sound { left: side(), right: side() }
}

/// White noises through one-pole low passes an octave apart, each with the power that its corner is worth: their sum
/// falls by 3 dB an octave from 20 Hz to 20 kHz.
fn pink(frames: usize, rng: &mut Rng) -> Vec<f32> {
    let poles: Vec<(f32, f32)> = (0..11)
        .map(|octave| {
            let corner = 20.0 * 2f32.powi(octave);
            let share = 1.0 - (-TAU * corner / RATE_HZ as f32).exp();
            // A one-pole filter passes power at its corner as 1/corner when its input is scaled so.
            (share, (1.0 / corner).sqrt())
        })
        .collect();
    let mut state = vec![0.0f32; poles.len()];
    (0..frames)
        .map(|_| {
            for (value, (share, gain)) in state.iter_mut().zip(&poles) {
                *value += share * (gain * rng.normal() - *value);
            }
            state.iter().sum()
        })
        .collect()
}
