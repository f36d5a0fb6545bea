//! What was done to the recording: two measured factors → the simplest explanation.

/// How a copy was altered; see [`super::Match`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alteration {
    pub(super) speed: f64,
    pub(super) tempo: f64,
    pub(super) pitch_semitones: f64,
}

/// Factors nearer to each other than this (as natural logarithm; 0.9 %, 15 cents) are the same.
const SAME: f64 = 0.009;

/// Explains a time factor and a frequency factor (copy over recording): nothing, pure speed, pure tempo, pure pitch,
/// or tempo and pitch.
pub(super) fn explain(time_factor: f64, frequency_factor: f64) -> Alteration {
    let (ln_time, ln_frequency) = (time_factor.ln(), frequency_factor.ln());
    let semitones = 12.0 * frequency_factor.log2();
    if (ln_time - ln_frequency).abs() < SAME {
        Alteration { speed: time_factor, tempo: 1.0, pitch_semitones: 0.0 }
    } else if ln_frequency.abs() < SAME {
        Alteration { speed: 1.0, tempo: time_factor, pitch_semitones: 0.0 }
    } else if ln_time.abs() < SAME / 2.0 {
        Alteration { speed: 1.0, tempo: 1.0, pitch_semitones: semitones }
    } else {
        Alteration { speed: 1.0, tempo: time_factor, pitch_semitones: semitones }
    }
}

impl Alteration {
    /// How many factors differ from one beyond what a measurement errs by: 0, 1 or 2.
    pub(super) fn free_factors(&self) -> u32 {
        let speed = self.speed.ln().abs() > SAME;
        let pitch = self.pitch_semitones.abs() > 0.25;
        u32::from(speed) + u32::from(self.is_tempo_altered()) + u32::from(pitch)
    }

    /// Whether time was altered otherwise than by playing faster or slower.
    pub(super) fn is_tempo_altered(&self) -> bool {
        self.tempo.ln().abs() > SAME
    }
}
