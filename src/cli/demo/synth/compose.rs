//! Style → score: melody in phrases, chords, bass and drums, with the small differences that people make.

use std::collections::BTreeMap;

use super::drums::Stroke;
use super::rng::Rng;
use super::style::{BassPattern, ChordPattern, Lead, Part, Section, Style};
use super::voice::Note;
use super::{beat, melody};

/// Everything that is played.
pub(super) struct Score {
    pub(super) notes: Vec<Note>,
    pub(super) strokes: Vec<Stroke>,
    pub(super) length_s: f32,
}

/// The band at work: what it has to know from bar to bar.
pub(super) struct Band<'a> {
    pub(super) style: &'a Style,
    pub(super) rng: Rng,
    pub(super) score: Score,
    melodies: BTreeMap<char, melody::Melody>,
    /// Pitches of the chord before, so that the next one is near.
    voicing: Vec<i32>,
}

/// One bar: where it is, and what is played over.
pub(super) struct Bar {
    /// Beats from the start of the piece.
    pub(super) first_beat: f32,
    /// MIDI numbers of the chord in its root position, in the chords' octave.
    pub(super) chord: Vec<i32>,
    /// Root of the next bar's chord.
    pub(super) next_root: i32,
    /// Number in its section, and how many bars that has.
    pub(super) number: usize,
    pub(super) bars: usize,
}

/// Composes the piece of a style.
pub(super) fn compose(style: &Style) -> Score {
    let score = Score { notes: Vec::new(), strokes: Vec::new(), length_s: 0.0 };
    let rng = Rng::new(style.seed);
    let mut band = Band { style, rng, score, melodies: BTreeMap::new(), voicing: Vec::new() };
    let mut first_beat = 0.0;
    for section in style.sections {
        first_beat = band.section(section, first_beat);
    }
    band.ending(first_beat);
    band.score
}

impl Band<'_> {
    fn section(&mut self, section: &Section, first_beat: f32) -> f32 {
        let beats = self.style.beats_per_bar as f32;
        let bars = section.chords.len();
        if let Some(letter) = section.melody {
            self.sing(section, letter, first_beat);
        }
        for (number, &step) in section.chords.iter().enumerate() {
            let next = section.chords.get(number + 1).or(section.chords.first()).copied().unwrap_or(0);
            let bar = Bar {
                first_beat: first_beat + number as f32 * beats,
                chord: self.chord(step, section.lift),
                next_root: self.style.pitch(next) + section.lift,
                number,
                bars,
            };
            self.chords(&bar);
            if section.with_bass {
                self.bass(&bar);
            }
            if section.with_drums {
                beat::drum_bar(self, &bar);
            }
        }
        first_beat + bars as f32 * beats
    }

    fn sing(&mut self, section: &Section, letter: char, first_beat: f32) {
        let style = self.style;
        let lead = if section.by_second { &style.second } else { &style.lead };
        let tune = match self.melodies.get(&letter) {
            Some(known) => melody::varied(known, style, &mut self.rng),
            None => melody::invent(style, section, lead.liveliness, &mut self.rng),
        };
        for tone in &tune.tones {
            let pitch = style.pitch(tone.step) + section.lift + lead.part.register;
            self.lead_note(lead, first_beat + tone.beat, tone.beats, pitch, tone.accent);
        }
        self.melodies.entry(letter).or_insert(tune);
    }

    fn lead_note(&mut self, lead: &Lead, beat: f32, beats: f32, pitch: i32, accent: f32) {
        self.note(&lead.part, beat, beats * lead.legato, pitch, accent);
    }

    /// Chord notes in thirds over a step of the scale.
    fn chord(&self, step: i32, lift: i32) -> Vec<i32> {
        let thirds = 0..self.style.chord_notes as i32;
        thirds.map(|third| self.style.pitch(step + 2 * third) + lift).collect()
    }

    fn chords(&mut self, bar: &Bar) {
        let style = self.style;
        let beats = style.beats_per_bar;
        let voicing = self.voice_leading(&bar.chord);
        match style.chord_pattern {
            ChordPattern::Waltz => {
                for beat in 1..beats {
                    self.strike(&voicing, bar.first_beat + beat as f32, 0.7, 0.7);
                }
            }
            ChordPattern::OffBeat => {
                for beat in 0..beats {
                    if !self.rng.chance(0.12) {
                        self.strike(&voicing, bar.first_beat + beat as f32 + 0.5, 0.35, 0.75);
                    }
                }
            }
            ChordPattern::Arpeggio => self.arpeggio(&voicing, bar),
            ChordPattern::Comping => {
                let mut at = if self.rng.chance(0.6) { 0.0 } else { 0.5 };
                while at < beats as f32 - 0.4 {
                    let length = self.rng.pick(&[1.0, 1.5, 1.5, 2.0, 2.5]);
                    self.strike(&voicing, bar.first_beat + at, length * 0.8, 0.7);
                    at += length;
                }
            }
            ChordPattern::Stabs => {
                for sixteenth in 0..4 * beats {
                    let likely = if sixteenth % 4 == 2 { 0.5 } else { 0.2 };
                    if self.rng.chance(likely) {
                        self.strike(&voicing, bar.first_beat + sixteenth as f32 / 4.0, 0.2, 0.75);
                    }
                }
            }
        }
    }

    fn arpeggio(&mut self, voicing: &[i32], bar: &Bar) {
        let mut order: Vec<i32> = voicing.to_vec();
        order.push(voicing[0] + 12);
        order.extend(voicing.iter().rev().take(voicing.len() - 1));
        let turn = self.rng.pick(&[0usize, 0, 1, 2]);
        for eighth in 0..2 * self.style.beats_per_bar {
            let pitch = order[(eighth + turn) % order.len()];
            if !self.rng.chance(0.08) {
                let part = &self.style.chords;
                self.note(part, bar.first_beat + eighth as f32 / 2.0, 0.9, pitch, 0.7);
            }
        }
    }

    /// The inversion nearest to the chord before, now and then another one.
    fn voice_leading(&mut self, chord: &[i32]) -> Vec<i32> {
        let register = self.style.chords.register;
        let mut best: Vec<i32> = chord.iter().map(|pitch| pitch + register).collect();
        let mut least = i32::MAX;
        let favourite = self.rng.pick(&[0, 0, 0, 5, -5]);
        for inversion in -2..3i32 {
            let mut pitches: Vec<i32> = chord.iter().map(|pitch| pitch + register).collect();
            for turned in 0..inversion.unsigned_abs() as usize {
                let count = pitches.len();
                let at = if inversion > 0 { turned % count } else { count - 1 - turned % count };
                pitches[at] += 12 * inversion.signum();
            }
            pitches.sort_unstable();
            let centre = self.style.key + register + 5 + favourite;
            let target = |n: usize| self.voicing.get(n).copied().unwrap_or(centre);
            let moved: i32 = pitches.iter().enumerate().map(|(n, &pitch)| (pitch - target(n)).abs()).sum();
            let far: i32 = pitches.iter().map(|pitch| (pitch - centre).abs()).sum();
            if moved + far < least {
                least = moved + far;
                best = pitches;
            }
        }
        self.voicing.clone_from(&best);
        best
    }

    fn strike(&mut self, voicing: &[i32], beat: f32, beats: f32, velocity: f32) {
        for (n, &pitch) in voicing.iter().enumerate() {
            let spread = n as f32 / voicing.len() as f32 - 0.4;
            let part = &self.style.chords;
            let spread_part =
                Part { pan: (part.pan + 0.5 * spread).clamp(-1.0, 1.0), level: part.level, ..*part };
            self.note(&spread_part, beat, beats, pitch, velocity);
        }
    }

    fn bass(&mut self, bar: &Bar) {
        let style = self.style;
        let (beats, root) = (style.beats_per_bar, bar.chord[0]);
        let fifth = bar.chord.get(2).copied().unwrap_or(root + 7);
        let part = &style.bass;
        let low = |pitch: i32| pitch + part.register;
        match style.bass_pattern {
            BassPattern::Long => self.note(part, bar.first_beat, beats as f32 * 0.95, low(root), 0.9),
            BassPattern::RootFifth => {
                let half = beats as f32 / 2.0;
                self.note(part, bar.first_beat, half * 0.9, low(root), 0.9);
                let second = if self.rng.chance(0.7) { fifth - 12 } else { root };
                self.note(part, bar.first_beat + half, half * 0.8, low(second), 0.8);
            }
            BassPattern::Octaves => {
                for eighth in 0..2 * beats {
                    let octave = if eighth % 2 == 1 { 12 } else { 0 };
                    let pitch = if self.rng.chance(0.1) { fifth - 12 } else { root };
                    self.note(part, bar.first_beat + eighth as f32 / 2.0, 0.4, low(pitch + octave), 0.85);
                }
            }
            BassPattern::Walking => {
                for beat in 0..beats {
                    let pitch = match beat {
                        0 => root,
                        _ if beat + 1 == beats => bar.next_root + self.rng.pick(&[-1, 1, 2, -2]),
                        _ => self.rng.pick(&bar.chord) - self.rng.pick(&[0, 0, 12]),
                    };
                    self.note(part, bar.first_beat + beat as f32, 0.85, low(pitch), 0.9);
                }
            }
            BassPattern::Funk => {
                for sixteenth in 0..4 * beats {
                    let likely = if sixteenth == 0 { 1.0 } else { 0.33 };
                    if self.rng.chance(likely) {
                        let pitch = self.rng.pick(&[root, root, fifth - 12, root + 12, root - 2]);
                        let at = bar.first_beat + sixteenth as f32 / 4.0;
                        self.note(part, at, 0.22, low(pitch), 0.9);
                    }
                }
            }
        }
    }

    /// The last chord, held.
    fn ending(&mut self, beat: f32) {
        let chord = self.chord(0, self.style.sections.last().map_or(0, |section| section.lift));
        let voicing = self.voice_leading(&chord);
        let beats = 1.6 * self.style.beats_per_minute / 60.0;
        self.strike(&voicing, beat, beats, 0.8);
        let (bass, lead) = (&self.style.bass, &self.style.lead.part);
        self.note(bass, beat, beats, chord[0] + bass.register, 0.9);
        self.note(lead, beat, beats, chord[0] + lead.register, 0.8);
        self.score.length_s = self.style.seconds(beat + beats) + 1.2;
    }

    fn note(&mut self, part: &Part, beat: f32, beats: f32, pitch: i32, velocity: f32) {
        let hurry = 0.007 * self.rng.both();
        let start_s = (self.style.seconds(beat) + hurry).max(0.0);
        let velocity = (velocity * (1.0 + 0.18 * self.rng.both())).clamp(0.05, 1.0) * part.level;
        self.score.notes.push(Note {
            start_s,
            duration_s: self.style.seconds(beat + beats) - self.style.seconds(beat),
            pitch: pitch as f32,
            velocity,
            pan: part.pan,
            timbre: part.timbre,
        });
    }
}

impl Style {
    /// Seconds from the start to a beat, with the swing of its second half.
    pub(super) fn seconds(&self, beat: f32) -> f32 {
        let (whole, part) = (beat.floor(), beat.fract());
        let late = if part < 0.5 { 2.0 * part * self.swing } else { 2.0 * (1.0 - part) * self.swing };
        (whole + part + late / 2.0) * 60.0 / self.beats_per_minute
    }

    /// MIDI number of a step of the scale, over as many octaves as it takes.
    pub(super) fn pitch(&self, step: i32) -> i32 {
        self.key + self.scale[step.rem_euclid(7) as usize] + 12 * step.div_euclid(7)
    }
}
