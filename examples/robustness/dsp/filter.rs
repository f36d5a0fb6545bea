//! Second-order filters, after Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients".

use std::f64::consts::TAU;

use crate::sound::RATE_HZ;

/// Quality factors of the two sections of a Butterworth filter of the fourth order.
const BUTTERWORTH_Q: [f64; 2] = [0.541, 1.307];

/// One second-order section with its memory.
#[derive(Debug, Clone)]
pub(crate) struct Biquad {
    /// Feed forward, by the first feedback coefficient.
    b: [f64; 3],
    /// Feed back, likewise.
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    fn new(b: [f64; 3], a: [f64; 3]) -> Self {
        Self { b: b.map(|value| value / a[0]), a: [a[1] / a[0], a[2] / a[0]], state: [0.0; 2] }
    }

    pub(crate) fn low_pass(hz: f64, q: f64) -> Self {
        let (cos, alpha) = prototype(hz, q);
        Self::new([(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    pub(crate) fn high_pass(hz: f64, q: f64) -> Self {
        let (cos, alpha) = prototype(hz, q);
        Self::new([(1.0 + cos) / 2.0, -1.0 - cos, (1.0 + cos) / 2.0], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// A resonance whose gain at its peak is 1.
    pub(crate) fn band_pass(hz: f64, q: f64) -> Self {
        let (cos, alpha) = prototype(hz, q);
        Self::new([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Raises or lowers what is around a frequency.
    pub(crate) fn bell(hz: f64, q: f64, gain_db: f64) -> Self {
        let (cos, alpha) = prototype(hz, q);
        let gain = 10f64.powf(gain_db / 40.0);
        Self::new(
            [1.0 + alpha * gain, -2.0 * cos, 1.0 - alpha * gain],
            [1.0 + alpha / gain, -2.0 * cos, 1.0 - alpha / gain],
        )
    }

    /// Takes the coefficients of another and keeps the memory: a filter that moves.
    pub(crate) fn become_like(&mut self, other: &Self) {
        (self.a, self.b) = (other.a, other.b);
    }

    pub(crate) fn step(&mut self, sample: f64) -> f64 {
        let out = self.b[0] * sample + self.state[0];
        self.state[0] = self.b[1] * sample - self.a[0] * out + self.state[1];
        self.state[1] = self.b[2] * sample - self.a[1] * out;
        out
    }

    pub(crate) fn run(mut self, mut samples: Vec<f32>) -> Vec<f32> {
        samples.iter_mut().for_each(|sample| *sample = self.step(f64::from(*sample)) as f32);
        samples
    }
}

fn prototype(hz: f64, q: f64) -> (f64, f64) {
    let angle = TAU * (hz / RATE_HZ).min(0.49);
    (angle.cos(), angle.sin() / (2.0 * q))
}

/// Low pass of the eighth order: two Butterworth filters of the fourth in a row.
pub(crate) fn low_pass(samples: Vec<f32>, hz: f64) -> Vec<f32> {
    [BUTTERWORTH_Q, BUTTERWORTH_Q]
        .concat()
        .into_iter()
        .fold(samples, |samples, q| Biquad::low_pass(hz, q).run(samples))
}

/// High pass of the eighth order.
pub(crate) fn high_pass(samples: Vec<f32>, hz: f64) -> Vec<f32> {
    [BUTTERWORTH_Q, BUTTERWORTH_Q]
        .concat()
        .into_iter()
        .fold(samples, |samples, q| Biquad::high_pass(hz, q).run(samples))
}
