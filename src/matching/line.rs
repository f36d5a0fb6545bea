//! The affine map from a query to a recording: time by a factor and an offset, pitch by a shift.

use std::cmp::Ordering;

/// reference time = `rate` × query time + `offset`; reference pitch = query pitch + `shift`. Times in steps of 1/8
/// hop, pitches in steps of 1/384 octave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) rate: f64,
    pub(super) offset: f64,
    pub(super) shift: f64,
}

impl Line {
    /// Reference time at a query time.
    pub(super) fn reference(&self, query: f64) -> f64 {
        self.rate * query + self.offset
    }

    /// Query time at a reference time.
    pub(super) fn query(&self, reference: f64) -> f64 {
        (reference - self.offset) / self.rate
    }

    /// The same map the other way: from the recording to the query.
    pub(super) fn inverse(&self) -> Self {
        Self { rate: 1.0 / self.rate, offset: -self.offset / self.rate, shift: -self.shift }
    }

    /// Least squares through (query, reference) pairs; the rate is kept within `rate_play` (as a share) of this
    /// line's, so that few or close pairs cannot tilt it.
    pub(super) fn through(&self, pairs: &[(f64, f64)], rate_play: f64) -> Self {
        if pairs.is_empty() {
            return *self;
        }
        let n = pairs.len() as f64;
        let (sum_q, sum_r) = pairs.iter().fold((0.0, 0.0), |(q, r), pair| (q + pair.0, r + pair.1));
        let (mean_q, mean_r) = (sum_q / n, sum_r / n);
        let (mut var, mut cov) = (0.0, 0.0);
        for &(q, r) in pairs {
            var += (q - mean_q) * (q - mean_q);
            cov += (q - mean_q) * (r - mean_r);
        }
        let fitted = if var > 0.0 { cov / var } else { self.rate };
        let rate = fitted.clamp(self.rate * (1.0 - rate_play), self.rate * (1.0 + rate_play));
        Self { rate, offset: mean_r - rate * mean_q, shift: self.shift }
    }

    /// Whether two lines say the same around a query time.
    pub(super) fn is_near(&self, other: &Self, query: f64) -> bool {
        (self.reference(query) - other.reference(query)).abs() < 64.0
            && (self.rate / other.rate).ln().abs() < 0.03
            && (self.shift - other.shift).abs() < 16.0
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let by = |a: f64, b: f64| a.total_cmp(&b);
        by(self.offset, other.offset).then(by(self.rate, other.rate)).then(by(self.shift, other.shift))
    }
}
