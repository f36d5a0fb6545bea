//! Shares with their uncertainty, and percentiles.

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) hits: usize,
    pub(crate) of: usize,
}

impl Share {
    pub(crate) fn count(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { hits: self.hits + other.hits, of: self.of + other.of }
    }

    pub(crate) fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| 100.0 * self.hits as f64 / self.of as f64)
    }

    /// Bounds in percent between which the true share lies with 95 % (Wilson, JASA 22, 1927).
    pub(crate) fn bounds(self) -> (f64, f64) {
        const Z: f64 = 1.96;
        if self.of == 0 {
            return (0.0, 100.0);
        }
        let (n, share) = (self.of as f64, self.hits as f64 / self.of as f64);
        let scale = 1.0 + Z * Z / n;
        let centre = (share + Z * Z / (2.0 * n)) / scale;
        let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        (100.0 * (centre - reach).max(0.0), 100.0 * (centre + reach).min(1.0))
    }

    /// The most that the true share is, with 95 %, when nothing was hit: the rule of three.
    pub(crate) fn upper_bound_percent(self) -> f64 {
        if self.hits == 0 { (300.0 / self.of.max(1) as f64).min(100.0) } else { self.bounds().1 }
    }
}

/// The value that a share of all are at most; `None` of nothing.
pub(crate) fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied()
}
