//! Random numbers from a seed: the same on every machine and in every build.

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and good enough for music.
pub(in crate::cli::demo) struct Rng(u64);

impl Rng {
    pub(in crate::cli::demo) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(in crate::cli::demo) const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to just under 1.
    pub(in crate::cli::demo) fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// −1 to 1, for noise and for what people do not do exactly.
    pub(in crate::cli::demo) fn both(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }

    /// Whether something with this probability happens.
    pub(in crate::cli::demo) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// One of `items`, or the default of an empty list.
    pub(in crate::cli::demo) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        if items.is_empty() {
            return T::default();
        }
        items[(self.next_u64() % items.len() as u64) as usize]
    }
}
