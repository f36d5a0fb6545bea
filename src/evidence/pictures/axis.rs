//! Seconds to places on the page, and the ticks between.

use super::passage::sound;
use super::words::clock;

/// Distances of ticks, in seconds.
const STEPS: [f64; 19] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    21_600.0, 86_400.0,
];
/// Ticks on one axis.
const TICKS_MAX: usize = 12;

/// A stretch of time, and where on the page it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// Lays a stretch of seconds on the stretch from `start` to `end` of the page. What makes no stretch becomes one of a
    /// second.
    pub(super) fn new(from_s: f64, to_s: f64, start: f64, end: f64) -> Self {
        let (from_s, to_s) = (sound(from_s), sound(to_s));
        let to_s = if to_s - from_s < 1e-3 { from_s + 1.0 } else { to_s };
        Self { from_s, to_s, start, end }
    }

    /// The place of an instant; what lies outside is put on the edge.
    pub(super) fn at(&self, seconds: f64) -> f64 {
        let share = ((seconds - self.from_s) / (self.to_s - self.from_s)).clamp(0.0, 1.0);
        let share = if share.is_nan() { 0.0 } else { share };
        self.start + share * (self.end - self.start)
    }

    pub(super) fn holds(&self, seconds: f64) -> bool {
        (self.from_s..=self.to_s).contains(&seconds)
    }

    /// Ticks at round instants, each with its place and its label.
    pub(super) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let length = self.to_s - self.from_s;
        let most = most.min(TICKS_MAX);
        let fits = |step: &&f64| length / **step <= most as f64;
        let step = STEPS.iter().find(fits).copied().unwrap_or(length / most.max(1) as f64);
        let decimals = usize::from(step < 1.0);
        let first = (self.from_s / step).ceil();
        (0..=TICKS_MAX)
            .map(|n| (first + n as f64) * step)
            .take_while(|&at| at <= self.to_s + 1e-9)
            .map(|at| (self.at(at), clock(at, decimals)))
            .collect()
    }
}
