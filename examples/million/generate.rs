//! Recordings made of real ones: stretches of some seconds, stretched in time and moved in pitch. Hashes do not change
//! with either; so that a made recording is no copy of a real one, every note of a stretch leaps by some whole semitones of
//! its own, which keeps the grids of notes and of beats and the notes that come again, from which hashes have their
//! statistics. How far is fitted, until two made recordings share hashes as often as two real ones do.

use earwitness::fingerprint::{Fingerprint, Peak, TIME_STEPS_PER_S, reference_quads};

/// Lengths of made recordings and of the stretches that they are made of, in seconds.
const RECORDING_S: (f64, f64) = (180.0, 300.0);
const STRETCH_S: (f64, f64) = (4.0, 12.0);
/// Factors of time, either way, and steps of pitch, either way.
const STRETCHING: f64 = 1.25;
const MOVING: i32 = 96;
/// Of a hundred peaks, how many are lost.
const LOST: u64 = 3;
/// Steps of time and pitch by which every peak is moved, either way.
const JITTER: i32 = 2;
const STEPS_PER_SEMITONE: i32 = 32;
/// Recordings that the fit looks at.
const FITTED: usize = 250;
/// How far notes may leap, in semitones either way, in the order in which it is tried. With fewer, one in five stays
/// where it is, and a made recording is found for a real one.
const LEAPS: [i32; 3] = [2, 4, 7];
/// Of a hundred stretches, how many come again later in the recording, in order of trial.
const REPEATED: [u64; 6] = [0, 10, 20, 35, 50, 65];

/// A small seeded generator of numbers.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end.max(1))) >> 64) as u64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn around(&mut self, reach: i32) -> i32 {
        self.below(2 * reach as u64 + 1) as i32 - reach
    }
}

/// Makes recordings.
pub(crate) struct Generator {
    real: Vec<Fingerprint>,
    seed: u64,
    leap: i32,
    repeated: u64,
}

impl Generator {
    /// A generator of recordings like `real`, and prints how like they are.
    pub(crate) fn fit(real: Vec<Fingerprint>, seed: u64) -> Self {
        let wanted = Statistics::of(&real[..real.len().min(FITTED)]);
        println!(
            "| recordings | leap, semitones | repeated | quads/s | collision entropy, bits | within a recording, bits |"
        );
        println!("|---|---:|---:|---:|---:|---:|");
        wanted.print("real", "", "");
        let mut generator = Self { real, seed, leap: LEAPS[0], repeated: 0 };
        // The one hardly depends on the other.
        let off = |statistics: &Statistics| (statistics.between - wanted.between).abs();
        generator.leap = generator.nearest(&LEAPS, |one, leap| one.leap = leap, off);
        let off = |statistics: &Statistics| (statistics.within - wanted.within).abs();
        generator.repeated = generator.nearest(&REPEATED, |one, repeated| one.repeated = repeated, off);
        let (leap, repeated) = (generator.leap.to_string(), format!("{} %", generator.repeated));
        generator.statistics().print("made", &leap, &repeated);
        generator
    }

    fn nearest<T: Copy + Default>(
        &mut self,
        choices: &[T],
        set: impl Fn(&mut Self, T),
        off: impl Fn(&Statistics) -> f64,
    ) -> T {
        let mut best = (f64::INFINITY, T::default());
        for &choice in choices {
            set(self, choice);
            let statistics = self.statistics();
            statistics.print("tried", &self.leap.to_string(), &format!("{} %", self.repeated));
            let off = off(&statistics);
            if off < best.0 {
                best = (off, choice);
            }
        }
        best.1
    }

    fn statistics(&self) -> Statistics {
        let count = FITTED.min(self.real.len()) as u64;
        Statistics::of(&(0..count).map(|number| self.recording(number)).collect::<Vec<_>>())
    }

    /// The recording with this number; always the same.
    pub(crate) fn recording(&self, number: u64) -> Fingerprint {
        let mut dice = Dice(self.seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ number);
        dice.next();
        let duration = (dice.between(RECORDING_S.0, RECORDING_S.1) * TIME_STEPS_PER_S) as u32;
        let mut peaks: Vec<Peak> = Vec::new();
        let mut begun: Vec<u64> = Vec::new();
        let mut start = 0;
        while start < duration {
            // A stretch is known by the seed of its dice; to be repeated it is made again, and jitters otherwise.
            let again = !begun.is_empty() && dice.below(100) < self.repeated;
            let stretch = if again { begun[dice.below(begun.len() as u64) as usize] } else { dice.next() };
            begun.push(stretch);
            start += self.stretch(stretch, start, duration, again, &mut dice, &mut peaks);
        }
        peaks.sort_unstable();
        Fingerprint { duration, peaks }
    }

    /// Appends a stretch from `start` on. Gives its length in steps.
    fn stretch(
        &self,
        seed: u64,
        start: u32,
        end: u32,
        again: bool,
        other: &mut Dice,
        peaks: &mut Vec<Peak>,
    ) -> u32 {
        let mut dice = Dice(seed);
        let source = &self.real[dice.below(self.real.len() as u64) as usize];
        let length = (dice.between(STRETCH_S.0, STRETCH_S.1) * TIME_STEPS_PER_S) as u32;
        let from = dice.below(u64::from(source.duration.saturating_sub(length)) + 1) as u32;
        let rate = (dice.between(-1.0, 1.0) * STRETCHING.ln()).exp();
        let moved = dice.around(MOVING);
        let first = source.peaks.partition_point(|peak| peak.time < from);
        for peak in source.peaks[first..].iter().take_while(|peak| peak.time < from + length) {
            let off = if again { (other.around(JITTER), other.around(JITTER)) } else { (0, 0) };
            let lost = dice.below(100) < LOST || (again && other.below(100) < LOST);
            let time = f64::from(peak.time - from) / rate + f64::from(dice.around(JITTER) + off.0);
            let note = u64::from(peak.pitch) / STEPS_PER_SEMITONE as u64;
            let leap = Dice(seed ^ note << 32).around(self.leap) * STEPS_PER_SEMITONE;
            let pitch = i32::from(peak.pitch) + moved + leap + dice.around(JITTER) + off.1;
            let time = start.saturating_add_signed(time as i32);
            if !lost && (0..2112).contains(&pitch) && time < end {
                peaks.push(Peak { time, pitch: pitch as u16, ..*peak });
            }
        }
        (f64::from(length) / rate) as u32
    }
}

/// How often hashes meet.
struct Statistics {
    quads_per_s: f64,
    /// −log₂ of the probability that quads of two different recordings have one key.
    between: f64,
    /// The same for two quads of one recording with different roots.
    within: f64,
}

impl Statistics {
    fn of(recordings: &[Fingerprint]) -> Self {
        let mut keys: Vec<(u32, u32)> = Vec::new();
        let (mut pairs, mut pairs_within, mut seconds) = (0.0, 0.0, 0.0);
        for (number, recording) in recordings.iter().enumerate() {
            let quads = reference_quads(&recording.peaks);
            let count = quads.len() as f64;
            (pairs_within, seconds) =
                (pairs_within + count * (count - 1.0) / 2.0, seconds + recording.duration_s());
            keys.extend(quads.iter().map(|quad| (quad.key().0, number as u32)));
        }
        let count = keys.len() as f64;
        pairs += count * (count - 1.0) / 2.0 - pairs_within;
        keys.sort_unstable();
        let (mut met, mut met_within) = (0.0, 0.0);
        for group in keys.chunk_by(|a, b| a.0 == b.0) {
            let of = |count: usize| count as f64 * (count as f64 - 1.0) / 2.0;
            let within: f64 = group.chunk_by(|a, b| a.1 == b.1).map(|own| of(own.len())).sum();
            met_within += within;
            met += of(group.len()) - within;
        }
        let entropy = |met: f64, pairs: f64| -((met + 0.5) / (pairs + 1.0)).log2();
        Self {
            quads_per_s: count / seconds,
            between: entropy(met, pairs),
            within: entropy(met_within, pairs_within),
        }
    }

    fn print(&self, what: &str, leap: &str, repeated: &str) {
        println!(
            "| {what} | {leap} | {repeated} | {:.1} | {:.2} | {:.2} |",
            self.quads_per_s, self.between, self.within
        );
    }
}
