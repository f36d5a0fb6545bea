//! Keys → postings, in one sweep through each segment.

use std::ops::RangeInclusive;

use super::catalogue::{Index, Part, RecordingIndex};
use super::family::Family;
use super::postings::{BLOCK, Bucket, Shape, Unit, scramble};
use super::units::{DURATIONS, PITCHES, duration_steps, pitch_steps, pitch_unit, time_steps};
use crate::fingerprint::{PITCH_STEPS_PER_OCTAVE, Quad, QuadKey};

/// How a copy may have been altered for a lookup to reach it: the simpler, the fewer postings there are to visit and the
/// more each tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Neither time nor pitch was changed.
    AsItIs,
    /// Speed, tempo or pitch alone was changed.
    OneFactor,
    /// Tempo and pitch were changed.
    TwoFactors,
}

/// The widest time factor that is reached, either way, as natural logarithm.
const LN_RATE_MAX: f32 = 0.80;
/// The widest shift of pitch that is reached, in steps: 16 semitones.
const SHIFT_MAX: f32 = 512.0;
/// Time factors nearer to one than this tell of no change, as natural logarithm …
const LN_RATE_SAME: f32 = 0.05;
/// … shifts of pitch below this, in steps …
const SHIFT_SAME: f32 = 14.0;
/// … and time and frequency factors nearer to each other than this are one speed.
const LN_SPEED_SAME: f32 = 0.06;

impl Reach {
    /// The least reach within which a time factor (as natural logarithm) and a shift of pitch (in steps) lie, if any.
    #[inline]
    #[must_use]
    pub fn of(ln_rate: f32, shift: f32) -> Option<Self> {
        let octave = f32::from(PITCH_STEPS_PER_OCTAVE);
        let (same_time, same_pitch) = (ln_rate.abs() < LN_RATE_SAME, shift.abs() < SHIFT_SAME);
        let speed_alone = (ln_rate + shift / octave * std::f32::consts::LN_2).abs() < LN_SPEED_SAME;
        match (same_time, same_pitch) {
            _ if ln_rate.abs() > LN_RATE_MAX || shift.abs() > SHIFT_MAX => None,
            (true, true) => Some(Self::AsItIs),
            (false, false) if !speed_alone => Some(Self::TwoFactors),
            _ => Some(Self::OneFactor),
        }
    }

    /// The pitches that are reached from one, in steps.
    fn pitches(self, pitch: u16) -> RangeInclusive<u16> {
        let play = if self == Self::AsItIs { SHIFT_SAME } else { SHIFT_MAX } as u16;
        pitch.saturating_sub(play)..=pitch.saturating_add(play)
    }
}

/// A posting that a probe reached: a tuple of peaks of a recording. Numbers are those of the middle of coarse units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Which probe, by the number of its quad.
    pub quad: u32,
    /// Which recording.
    pub recording: RecordingIndex,
    /// Time of the recording's root in steps, within 16 of it.
    pub time: u32,
    /// The recording's duration over the query's, within 3 %: the time factor of the copy …
    pub rate: f32,
    /// … and its natural logarithm.
    pub ln_rate: f32,
    /// Pitch of the recording's root over the query's in steps of 1/384 octave, within 4 of it.
    pub shift: f32,
}

/// The keys that are asked for, and the quads that they are keys of.
#[derive(Debug, Clone, Default)]
pub struct Probes {
    /// Scrambled key above, number of the quad below.
    packed: Vec<u64>,
    quads: Vec<Asked>,
}

/// What is known of a quad of the query.
#[derive(Debug, Clone, Copy)]
struct Asked {
    pitch: u16,
    inverse_duration: f32,
    ln_duration: f32,
}

impl Probes {
    /// Asks for a quad, of which only the pitch and the duration are of interest yet; [`Probes::push`] says under which
    /// keys.
    pub fn quad(&mut self, quad: &Quad) {
        let duration = f32::from(quad.duration.max(1));
        self.quads.push(Asked {
            pitch: quad.pitch,
            inverse_duration: duration.recip(),
            ln_duration: duration.ln(),
        });
    }

    /// Asks for a key of the last quad.
    #[inline]
    pub fn push(&mut self, key: QuadKey) {
        let quad = self.quads.len().saturating_sub(1) as u64;
        self.packed.push(u64::from(scramble(key)) << 32 | quad);
    }

    /// How many keys are asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }
}

/// How much of the index one lookup may visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostLimit {
    /// About so many postings, each counted once for every probe that reaches it. Where there are more, the probes of the
    /// longest buckets are left out: their keys are the most frequent, which tell recordings apart the least.
    pub postings_max: u64,
}

impl CostLimit {
    /// Everything.
    pub const NONE: Self = Self { postings_max: u64::MAX };
}

/// What a lookup did, and what it left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LookupReport {
    /// Postings read, each counted for every probe that looked at it.
    pub visited: u64,
    /// Those of them that were within reach, and so were told.
    pub told: u64,
    /// Probes, counted for every segment, left out for the cost limit.
    pub skipped_probes: u64,
    /// About how many postings lie in the buckets that those would have reached; fewer would have been told, where a
    /// bucket holds several keys.
    pub skipped_postings: u64,
}

impl LookupReport {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            visited: self.visited + other.visited,
            told: self.told + other.told,
            skipped_probes: self.skipped_probes + other.skipped_probes,
            skipped_postings: self.skipped_postings + other.skipped_postings,
        }
    }
}

/// About so many probes are weighed, which is enough to know what all cost.
const WEIGHED: usize = 512;

/// Buckets whose places are looked up before the first of them is read: the processor then waits for many places of
/// memory at a time, and not for one after the other.
const AHEAD: usize = 32;

impl Index {
    /// Calls `visit` with every posting under the keys of `probes` that lies within `reach` of the quad that asks.
    ///
    /// Probes are sorted into the order in which their keys lie in the files: what would be millions of jumps across
    /// memory becomes one sweep through each segment.
    pub fn lookup(
        &self,
        family: Family,
        probes: &mut Probes,
        reach: Reach,
        limit: CostLimit,
        mut visit: impl FnMut(Answer),
    ) -> LookupReport {
        probes.packed.sort_unstable();
        let asking = Asking { quads: &probes.quads, reach };
        let threshold = self.threshold(family, &probes.packed, reach, limit);
        self.sweep(family, asking, &probes.packed, threshold, &mut visit)
    }

    /// As [`Index::lookup`], on several threads: each takes a share of the keys and collects what `visit` makes of its
    /// answers. Gives the collections in the order of the keys.
    pub fn lookup_in_parallel<C: Default + Send>(
        &self,
        family: Family,
        probes: &mut Probes,
        reach: Reach,
        limit: CostLimit,
        threads: usize,
        visit: impl Fn(&mut C, Answer) + Sync,
    ) -> (Vec<C>, LookupReport) {
        probes.packed.sort_unstable();
        let asking = Asking { quads: &probes.quads, reach };
        let threshold = self.threshold(family, &probes.packed, reach, limit);
        let shares = shares(&probes.packed, threads);
        let work = |share: &[u64]| {
            let mut collected = C::default();
            let report = self.sweep(family, asking, share, threshold, &mut |answer| {
                visit(&mut collected, answer);
            });
            (collected, report)
        };
        let work = &work;
        let done = std::thread::scope(|scope| {
            let mut shares = shares.into_iter();
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
            let mut done = vec![work(own)];
            for other in others {
                match other.join() {
                    Ok(result) => done.push(result),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        let report = done.iter().fold(LookupReport::default(), |sum, (_, report)| sum.and(*report));
        (done.into_iter().map(|(collected, _)| collected).collect(), report)
    }

    /// The bytes that a bucket may have to be visited, so that all probes together stay within the limit: the shortest
    /// buckets first, in classes of a quarter of a power of two.
    fn threshold(&self, family: Family, probes: &[u64], reach: Reach, limit: CostLimit) -> usize {
        if limit == CostLimit::NONE {
            return usize::MAX;
        }
        let step = (probes.len() / WEIGHED).max(1);
        let mut postings_of_class = [0u64; CLASSES];
        let mut heads = Vec::new();
        for part in self.parts() {
            let shape = &part.segment.family(family).shape;
            for probe in probes.iter().step_by(step) {
                let key = (probe >> 32) as u32;
                let number = shape.bucket_of(key);
                let (bytes, length) = part.segment.bucket(family, number);
                if length > 0 {
                    Bucket::open(shape, number, bytes, length, &mut heads);
                    let count = heads.iter().find(|head| head.0 == key).map_or(0, |head| head.1);
                    postings_of_class[class(length)] += step as u64 * reach.visited(count);
                }
            }
        }
        let mut sum = 0u64;
        for (class, postings) in postings_of_class.into_iter().enumerate() {
            sum = sum.saturating_add(postings);
            if sum > limit.postings_max {
                return class_bytes(class);
            }
        }
        usize::MAX
    }

    fn sweep(
        &self,
        family: Family,
        asking: Asking<'_>,
        probes: &[u64],
        threshold: usize,
        visit: &mut impl FnMut(Answer),
    ) -> LookupReport {
        let mut report = LookupReport::default();
        let ln_durations = std::array::from_fn(|unit| f32::from(duration_steps(unit as u8)).ln());
        for part in self.parts() {
            let (heads, report_of_part) = (Vec::new(), LookupReport::default());
            let mut sweep =
                Sweep { part, family, asking, heads, report: report_of_part, ln_durations: &ln_durations };
            sweep.run(probes, threshold, visit);
            report = report.and(sweep.report);
        }
        report
    }
}

impl Reach {
    /// About how many of a key's postings are read for one probe.
    fn visited(self, count: u32) -> u64 {
        u64::from(if self == Self::AsItIs { count.min(2 * BLOCK) } else { count })
    }
}

/// What is asked for beside the keys.
#[derive(Clone, Copy)]
struct Asking<'a> {
    quads: &'a [Asked],
    reach: Reach,
}

/// The probes of one bucket, the bytes from its first on, and how many of them are its own.
type Group<'a> = (&'a [u64], &'a [u8], usize);

/// The sweep of sorted probes through one segment.
struct Sweep<'a> {
    part: &'a Part,
    family: Family,
    asking: Asking<'a>,
    heads: Vec<(u32, u32)>,
    report: LookupReport,
    /// Natural logarithms of the units of duration.
    ln_durations: &'a [f32; DURATIONS],
}

impl Sweep<'_> {
    fn run(&mut self, probes: &[u64], threshold: usize, visit: &mut impl FnMut(Answer)) {
        let segment = &self.part.segment;
        let shape = segment.family(self.family).shape;
        let bucket_of = |probe: u64| shape.bucket_of((probe >> 32) as u32);
        let mut groups = probes.chunk_by(|&a, &b| bucket_of(a) == bucket_of(b));
        loop {
            let mut ahead: [Option<Group<'_>>; AHEAD] = [None; AHEAD];
            for (slot, group) in ahead.iter_mut().zip(groups.by_ref()) {
                let (bytes, length) = segment.bucket(self.family, bucket_of(group[0]));
                *slot = Some((group, bytes, length));
            }
            let first_bytes = ahead.iter().flatten().fold(0u8, |sum, (_, bytes, length)| {
                sum ^ bytes.get(..*length).and_then(<[u8]>::first).copied().unwrap_or(0)
            });
            std::hint::black_box(first_bytes);
            for (group, bytes, length) in ahead.iter().flatten() {
                if *length > threshold {
                    self.skip(group, *length);
                } else if *length > 0 {
                    self.bucket(group, bytes, *length, visit);
                }
            }
            if ahead[AHEAD - 1].is_none() {
                return;
            }
        }
    }

    fn skip(&mut self, group: &[u64], bytes: usize) {
        let segment = &self.part.segment;
        let postings =
            bytes as u64 * segment.postings(self.family) / segment.postings_bytes(self.family).max(1);
        self.report.skipped_probes += group.len() as u64;
        self.report.skipped_postings += postings * group.len() as u64;
    }

    /// Tells the postings of one bucket under the keys of `group`, which is sorted.
    fn bucket(&mut self, group: &[u64], bytes: &[u8], length: usize, visit: &mut impl FnMut(Answer)) {
        let shape = self.part.segment.family(self.family).shape;
        let number = shape.bucket_of((group[0] >> 32) as u32);
        let mut bucket = Bucket::open(&shape, number, bytes, length, &mut self.heads);
        let heads = std::mem::take(&mut self.heads);
        let mut left = group;
        for &(key, count) in &heads {
            let before = left.partition_point(|probe| ((probe >> 32) as u32) < key);
            left = &left[before..];
            if left.is_empty() {
                break;
            }
            let asked = left.partition_point(|probe| (probe >> 32) as u32 == key);
            let (here, later) = left.split_at(asked);
            self.key(&mut bucket, &shape, count, here, visit);
            left = later;
        }
        self.heads = heads;
    }

    /// Tells the postings of the next key of a bucket to the probes that ask for it.
    fn key(
        &mut self,
        bucket: &mut Bucket<'_>,
        shape: &Shape,
        count: u32,
        here: &[u64],
        visit: &mut impl FnMut(Answer),
    ) {
        let asking = self.asking;
        let asked = |probe: &u64| asking.quads.get(*probe as u32 as usize);
        if count <= BLOCK || here.len() as u32 > count / BLOCK {
            let places = here.iter().filter_map(asked).map(|asked| asking.places(shape, asked));
            let all = places.reduce(|a, b| *a.start().min(b.start())..=*a.end().max(b.end()));
            bucket.postings_of_places(shape, count, all.as_ref(), |unit| {
                for &probe in here {
                    self.tell(unit, probe, visit);
                }
            });
            return;
        }
        // A frequent key that few ask for: each its own blocks.
        let first = *bucket;
        for probe in here {
            *bucket = first;
            let places = asked(probe).map(|asked| asking.places(shape, asked));
            bucket.postings_of_places(shape, count, places.as_ref(), |unit| self.tell(unit, *probe, visit));
        }
    }

    #[inline]
    fn tell(&mut self, unit: Unit, probe: u64, visit: &mut impl FnMut(Answer)) {
        self.report.visited += 1;
        let quad = probe as u32;
        let Some(asked) = self.asking.quads.get(quad as usize) else { return };
        let shift = f32::from(pitch_steps(unit.pitch)) - f32::from(asked.pitch);
        let ln_duration = self.ln_durations.get(usize::from(unit.duration)).copied().unwrap_or(0.0);
        let ln_rate = ln_duration - asked.ln_duration;
        let within = Reach::of(ln_rate, shift).is_some_and(|reach| reach <= self.asking.reach);
        if !within || unit.recording >= self.part.segment.len() as u32 || self.part.is_gone(unit.recording) {
            return;
        }
        self.report.told += 1;
        visit(Answer {
            quad,
            recording: RecordingIndex(self.part.base + unit.recording),
            time: time_steps(unit.time),
            rate: f32::from(duration_steps(unit.duration)) * asked.inverse_duration,
            ln_rate,
            shift,
        });
    }
}

impl Asking<'_> {
    /// The places of a segment that are within reach of a quad.
    fn places(&self, shape: &Shape, asked: &Asked) -> RangeInclusive<u32> {
        let pitches = self.reach.pitches(asked.pitch);
        let last = pitch_unit(*pitches.end()).min(PITCHES as u16 - 1);
        shape.place(pitch_unit(*pitches.start()), 0)..=shape.place(last, u8::MAX)
    }
}

/// Sorted probes in as many shares as there are threads, cut between keys.
fn shares(probes: &[u64], threads: usize) -> Vec<&[u64]> {
    let threads = threads.max(1);
    let mut shares = Vec::with_capacity(threads);
    let mut left = probes;
    for remaining in (1..=threads).rev() {
        let at = left.len() / remaining;
        let cut = match left.get(at) {
            Some(probe) if remaining > 1 => left.partition_point(|other| other >> 32 < probe >> 32),
            _ => left.len(),
        };
        let (share, rest) = left.split_at(cut);
        shares.push(share);
        left = rest;
    }
    shares
}

/// Classes of lengths in bytes: four to a power of two.
const CLASSES: usize = 4 * 40;

fn class(bytes: usize) -> usize {
    let bytes = bytes.max(4);
    let bits = bytes.ilog2() as usize;
    (4 * (bits - 2) + (bytes >> (bits - 2) & 3)).min(CLASSES - 1)
}

/// The greatest length that is below every one of a class.
fn class_bytes(class: usize) -> usize {
    ((4 + class % 4) << (class / 4)) - 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::base::RecordingId;
    use crate::fingerprint::{Fingerprint, Peak, reference_quads};
    use crate::index::units::{TIME_UNIT, duration_unit};
    use crate::index::{Manifest, SegmentEntry, write_segment};

    /// A figure of five notes, over and over, each time at another pitch and now and then at another tempo: so that a few
    /// keys have hundreds of postings.
    fn figures(seed: u32) -> Fingerprint {
        let mut peaks = Vec::new();
        let mut start = 0;
        for figure in 0..180u32 {
            let dice =
                (figure + 1).wrapping_mul(seed.wrapping_mul(2).wrapping_add(1)).wrapping_mul(0x9E37_79B1)
                    >> 16;
            let (pitch, tempo) = (300 + dice % 1200, 2 + dice / 1200 % 2);
            for (time, up) in [(0, 0), (40, 160), (70, 80), (120, 290), (160, 40)] {
                let time = start + time * tempo;
                peaks.push(Peak { time, pitch: (pitch + up) as u16, strength: 40, salient: true });
            }
            start += 650;
        }
        Fingerprint { duration: start, peaks }
    }

    #[test]
    fn a_lookup_tells_just_what_is_within_reach() {
        let folder = tempfile::tempdir().unwrap();
        let recordings: Vec<(RecordingId, Fingerprint)> = (0..6)
            .map(|number| (RecordingId::new(&format!("R-{number}")).unwrap(), figures(number)))
            .collect();
        write_segment(&folder.path().join("a.seg"), &recordings).unwrap();
        let entry = SegmentEntry::new("a.seg".to_owned(), recordings.len() as u32);
        let index = Index::open(folder.path(), &Manifest { generation: 1, segments: vec![entry] }).unwrap();
        let held: Vec<(u32, Quad)> = (0..)
            .zip(&recordings)
            .flat_map(|(number, (_, one))| {
                reference_quads(&one.peaks).into_iter().map(move |quad| (number, quad))
            })
            .collect();
        let asked: Vec<Quad> = held.iter().map(|(_, quad)| *quad).step_by(997).collect();
        let mut told = Vec::new();
        for reach in [Reach::AsItIs, Reach::OneFactor, Reach::TwoFactors] {
            let mut expected = Vec::new();
            for (number, quad) in (0..).zip(&asked) {
                for (recording, other) in held.iter().filter(|(_, other)| other.key() == quad.key()) {
                    let ln = |steps: u16| f32::from(steps).ln();
                    let ln_rate = ln(duration_steps(duration_unit(other.duration))) - ln(quad.duration);
                    let shift = f32::from(pitch_steps(pitch_unit(other.pitch))) - f32::from(quad.pitch);
                    if Reach::of(ln_rate, shift).is_some_and(|least| least <= reach) {
                        expected.push((number, *recording, time_steps(other.time / TIME_UNIT), shift as i32));
                    }
                }
            }
            // Equal ones are kept once.
            expected.sort_unstable();
            expected.dedup();
            let mut probes = Probes::default();
            for quad in &asked {
                probes.quad(quad);
                probes.push(quad.key());
            }
            let mut found = Vec::new();
            let report = index.lookup(Family::Quads, &mut probes, reach, CostLimit::NONE, |answer| {
                found.push((answer.quad, answer.recording.0, answer.time, answer.shift as i32));
            });
            found.sort_unstable();
            assert_eq!(report.told, found.len() as u64);
            found.dedup();
            assert_eq!(found, expected, "{reach:?}");
            told.push((report.visited, report.told));
        }
        // All have an answer, more are told the farther it reaches, and few others are read for the nearest.
        assert!(
            told[0].1 >= asked.len() as u64 && told[0].1 * 4 < told[1].1 && told[1].1 < told[2].1,
            "{told:?}"
        );
        assert!(told[0].0 * 3 < told[2].0, "{told:?}");
    }

    proptest! {
        #[test]
        fn lengths_are_in_the_class_that_begins_at_or_before_them(bytes in 4usize..1 << 36) {
            let class = class(bytes);
            prop_assert!(class_bytes(class) < bytes && bytes <= class_bytes(class + 1), "{}", class);
        }

        #[test]
        fn shares_are_all_probes_and_no_key_is_in_two(keys in prop::collection::vec(0u64..30, 0..60), threads in 1usize..5) {
            let mut probes: Vec<u64> = keys.into_iter().map(|key| (key << 32) | (key % 3)).collect();
            probes.sort_unstable();
            let shares = shares(&probes, threads);
            prop_assert_eq!(shares.len(), threads);
            prop_assert_eq!(&shares.concat(), &probes);
            let ends: Vec<(u64, u64)> = shares.iter().filter_map(|share| Some((share.first()? >> 32, share.last()? >> 32))).collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
