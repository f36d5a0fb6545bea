//! From any number of channels to the front pair that the views are made of.

/// Decoded audio of one packet: the only channel, or the front pair.
#[derive(Debug, Default)]
pub(super) struct Front {
    /// Samples a second.
    pub(super) rate_hz: u32,
    /// Channels of the decoded audio before mixing.
    pub(super) channels: usize,
    /// The left, or only, channel.
    pub(super) left: Vec<f32>,
    /// The right channel; empty where there is only one.
    pub(super) right: Vec<f32>,
}

/// Which planes are left, right and centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) centre: Option<usize>,
}

impl Layout {
    /// The first two planes, without a centre.
    pub(super) const PAIR: Self = Self { left: 0, right: 1, centre: None };

    /// The order of WAV and FLAC: left, right, centre, …; four channels are quadraphony.
    pub(super) const fn wave(channels: usize) -> Self {
        match channels {
            3 | 5.. => Self { left: 0, right: 1, centre: Some(2) },
            _ => Self::PAIR,
        }
    }
}

impl Front {
    /// Forgets the samples, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.left.clear();
        self.right.clear();
    }

    /// Takes the planes of one packet. A centre is added to both sides at −3 dB (ITU-R BS.775), the sum scaled
    /// so that it cannot exceed the loudest input.
    pub(super) fn take(&mut self, rate_hz: u32, planes: &[&[f32]], layout: Layout) {
        self.clear();
        self.rate_hz = rate_hz;
        self.channels = planes.len();
        let plane = |at: usize| planes.get(at).copied().unwrap_or(&[]);
        self.left.extend_from_slice(plane(layout.left));
        if planes.len() > 1 {
            self.right.extend_from_slice(plane(layout.right));
            self.right.resize(self.left.len(), 0.0);
        }
        if let Some(centre) = layout.centre {
            for side in [&mut self.left, &mut self.right] {
                for (sample, &add) in side.iter_mut().zip(plane(centre)) {
                    *sample = (*sample + CENTRE_GAIN * add) / (1.0 + CENTRE_GAIN);
                }
            }
        }
    }

    /// Sets samples that are not numbers, or absurdly large ones (float files with garbage), to silence.
    pub(super) fn clean(&mut self) {
        for side in [&mut self.left, &mut self.right] {
            for sample in side.iter_mut() {
                // Written always, so that it becomes vector instructions. What is not a number is not under the limit.
                *sample = if sample.abs() <= SAMPLE_MAX { *sample } else { 0.0 };
            }
        }
    }
}

const CENTRE_GAIN: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Twice full scale is common in float files, a thousand times is not audio.
const SAMPLE_MAX: f32 = 1000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centre_goes_to_both_sides_and_garbage_to_none() {
        let mut front = Front::default();
        front.take(48_000, &[&[1.0], &[0.0], &[1.0], &[0.5], &[0.5], &[0.5]], Layout::wave(6));
        assert!((front.left[0] - 1.0).abs() < 1e-6);
        assert!((front.right[0] - CENTRE_GAIN / (1.0 + CENTRE_GAIN)).abs() < 1e-6);
        front.take(8_000, &[&[f32::NAN, f32::INFINITY, -1.5]], Layout::PAIR);
        front.clean();
        assert_eq!(front.left, [0.0, 0.0, -1.5]);
        assert!(front.right.is_empty());
    }
}
