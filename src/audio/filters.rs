//! The two filters that a change of rate is made of: one that halves the rate, one for what is left.
//!
//! Both keep what is under [`PASS_HZ`] and take off, by [`STOP_DB`], what would fold back under it. Sums are taken in a
//! fixed order of single operations, so that the same samples come out on every machine.

use crate::base::ANALYSIS_RATE_HZ;

/// Up to here everything is kept: the highest bin of the analysis ends at 4,978 Hz.
const PASS_HZ: f64 = 5_000.0;

/// Decibels by which what would fold is taken off.
const STOP_DB: f64 = 74.0;

/// Outputs that are computed side by side.
const WIDE: usize = 16;

/// Halves the rate: a half-band filter, whose every other coefficient is zero, on every other sample.
pub(super) struct Halve {
    /// Those of the samples 1, 3, 5, … before and after the middle, whose own is ½.
    coefficients: Vec<f32>,
    even: Vec<f32>,
    odd: Vec<f32>,
    /// Whether the next sample is an odd one.
    at_odd: bool,
}

impl Halve {
    /// For input at `rate_hz`, which is at least twice the analysis rate.
    pub(super) fn new(rate_hz: f64) -> Self {
        let taps = taps(rate_hz / 2.0 - 2.0 * PASS_HZ, rate_hz);
        let count = (taps + 1.0) / 4.0;
        let count = count.ceil().clamp(1.0, 64.0) as usize;
        let reach = 2.0 * count as f64;
        let mut coefficients: Vec<f64> = (0..count)
            .map(|n| {
                let at = (2 * n + 1) as f64;
                let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
                sign / (std::f64::consts::PI * at) * kaiser(at / reach)
            })
            .collect();
        // A constant comes out as it is: ½ and both sides together are 1.
        let sum: f64 = coefficients.iter().sum();
        coefficients.iter_mut().for_each(|coefficient| *coefficient *= 0.25 / sum);
        Self {
            odd: vec![0.0; count],
            coefficients: coefficients.into_iter().map(|coefficient| coefficient as f32).collect(),
            even: Vec::new(),
            at_odd: false,
        }
    }

    /// Takes samples, and appends to `out` what is ready.
    pub(super) fn push(&mut self, mut input: &[f32], out: &mut Vec<f32>) {
        if let (true, Some((first, rest))) = (self.at_odd, input.split_first()) {
            self.odd.push(*first);
            self.at_odd = false;
            input = rest;
        }
        let (pairs, last) = input.as_chunks::<2>();
        self.even.extend(pairs.iter().map(|pair| pair[0]));
        self.odd.extend(pairs.iter().map(|pair| pair[1]));
        if let [last] = last {
            self.even.push(*last);
            self.at_odd = true;
        }
        let reach = self.coefficients.len();
        let ready = self.even.len().min((self.odd.len() + 1).saturating_sub(2 * reach));
        let blocks = ready / WIDE;
        for block in 0..blocks {
            out.extend(self.block(block * WIDE));
        }
        self.even.drain(..blocks * WIDE);
        self.odd.drain(..blocks * WIDE);
    }

    /// The outputs from number `at` on: the odd samples before and after each lie side by side.
    fn block(&self, at: usize) -> [f32; WIDE] {
        let reach = self.coefficients.len();
        let mut sums: [f32; WIDE] = chunk(&self.even[at..]);
        sums.iter_mut().for_each(|sum| *sum *= 0.5);
        let (before, after) = (&self.odd[at..at + reach - 1 + WIDE], &self.odd[at + reach..]);
        let pairs = before.array_windows::<WIDE>().rev().zip(after.array_windows::<WIDE>());
        for (coefficient, (before, after)) in self.coefficients.iter().zip(pairs) {
            for (sum, (before, after)) in sums.iter_mut().zip(before.iter().zip(after)) {
                *sum += coefficient * (before + after);
            }
        }
        sums
    }
}

#[inline(always)]
fn chunk<const N: usize>(from: &[f32]) -> [f32; N] {
    from.first_chunk().copied().unwrap_or([0.0; N])
}

/// Partial sums of one output.
const PARTS: usize = 8;

/// Places between two samples for which there are coefficients, at most: between those the outputs are interpolated, with
/// an error of −108 dB. Rates of real files have fewer places, and none is missed.
const PHASES_MAX: u64 = 512;

/// Changes any rate under twice the analysis rate to the analysis rate.
pub(super) struct Convert {
    /// Coefficients for each phase, and those of the first one a sample later.
    rows: Vec<Vec<f32>>,
    /// An output lies `step` / `whole` input samples after the one before.
    step: usize,
    whole: usize,
    waiting: Vec<f32>,
    /// Place of the next output: so many samples after the first that is waiting …
    first: usize,
    /// … and so many parts of `whole` after that.
    part: usize,
}

impl Convert {
    /// From `step` / `whole` times the analysis rate.
    pub(super) fn new(step: u64, whole: u64) -> Self {
        let (step, whole) = reduced(step.max(1), whole.max(1));
        let to_hz = f64::from(ANALYSIS_RATE_HZ);
        let rate_hz = to_hz * step as f64 / whole as f64;
        let lower_hz = rate_hz.min(to_hz);
        // The passband has the same share of a rate that is lower yet.
        let width_hz = lower_hz - 2.0 * PASS_HZ * lower_hz / to_hz;
        let length = (taps(width_hz, rate_hz) / PARTS as f64).ceil().max(1.0) as usize * PARTS;
        let phases = whole.min(PHASES_MAX);
        let row = |phase| coefficients(length, phase as f64 / phases as f64, lower_hz / rate_hz);
        Self {
            rows: (0..=phases).map(row).collect(),
            step: step as usize,
            whole: whole as usize,
            waiting: vec![0.0; length / 2 - 1],
            first: 0,
            part: 0,
        }
    }

    /// Takes samples, and appends to `out` what is ready.
    pub(super) fn push(&mut self, input: &[f32], out: &mut Vec<f32>) {
        self.waiting.extend_from_slice(input);
        let length = self.rows.first().map_or(0, Vec::len);
        while let Some(samples) = self.waiting.get(self.first..self.first + length) {
            out.push(self.value(samples));
            self.part += self.step % self.whole;
            self.first += self.step / self.whole;
            if self.part >= self.whole {
                self.part -= self.whole;
                self.first += 1;
            }
        }
        let done = self.first.min(self.waiting.len());
        self.waiting.drain(..done);
        self.first -= done;
    }

    fn value(&self, samples: &[f32]) -> f32 {
        let phases = self.rows.len() - 1;
        if phases == self.whole {
            return dot(&self.rows[self.part], samples);
        }
        let (phase, rest) = (self.part * phases / self.whole, self.part * phases % self.whole);
        let share = rest as f32 / self.whole as f32;
        dot(&self.rows[phase], samples) * (1.0 - share) + dot(&self.rows[phase + 1], samples) * share
    }
}

/// Low-pass coefficients around a place `phase` (0 to 1) after the sample in the middle; `share` is the lower rate over
/// the input's.
fn coefficients(length: usize, phase: f64, share: f64) -> Vec<f32> {
    let half = (length / 2) as f64;
    let row: Vec<f64> = (0..length)
        .map(|n| {
            let at = n as f64 - (half - 1.0) - phase;
            let turn = std::f64::consts::PI * at * share;
            let sinc = if turn.abs() < 1e-9 { 1.0 } else { turn.sin() / turn };
            sinc * kaiser(at / half)
        })
        .collect();
    let sum: f64 = row.iter().sum();
    row.into_iter().map(|coefficient| (coefficient / sum) as f32).collect()
}

fn dot(coefficients: &[f32], samples: &[f32]) -> f32 {
    let mut parts = [0.0; PARTS];
    for (a, b) in coefficients.as_chunks::<PARTS>().0.iter().zip(samples.as_chunks::<PARTS>().0) {
        for (part, (a, b)) in parts.iter_mut().zip(a.iter().zip(b)) {
            *part += a * b;
        }
    }
    let [a, b, c, d, e, f, g, h] = parts;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

fn reduced(a: u64, b: u64) -> (u64, u64) {
    let (mut divisor, mut rest) = (a, b);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor, b / divisor)
}

/// Length of a filter whose transition is `width_hz` wide (Kaiser's estimate).
fn taps(width_hz: f64, rate_hz: f64) -> f64 {
    (STOP_DB - 7.95) / (14.36 * width_hz / rate_hz) + 1.0
}

/// Kaiser's window for [`STOP_DB`]; `at` is 0 in the middle, ±1 at its ends.
fn kaiser(at: f64) -> f64 {
    const BETA: f64 = 0.1102 * (STOP_DB - 8.7);
    bessel(BETA * (1.0 - at * at).max(0.0).sqrt()) / bessel(BETA)
}

/// The modified Bessel function of order 0: its series, whose terms soon vanish for what is asked here (up to 8).
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..40 {
        let factor = x / (2.0 * f64::from(n));
        term *= factor * factor;
        sum += term;
    }
    sum
}
