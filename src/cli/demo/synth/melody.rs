//! Melodies: a motif of two bars, answered, repeated with changes, brought to rest.

use super::rng::Rng;
use super::style::{Section, Style};

/// One tone of a melody.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tone {
    /// Beats from the section's start.
    pub(super) beat: f32,
    pub(super) beats: f32,
    /// Step of the scale.
    pub(super) step: i32,
    /// 0 to 1.
    pub(super) accent: f32,
}

/// A melody as long as its section.
#[derive(Debug, Clone)]
pub(super) struct Melody {
    pub(super) tones: Vec<Tone>,
}

/// Bars of a motif.
const MOTIF_BARS: usize = 2;

/// Invents a melody over the section's chords: motif, its repetition with another end, an answer, and so on.
pub(super) fn invent(style: &Style, section: &Section, liveliness: f32, rng: &mut Rng) -> Melody {
    let motif = rhythm(style, liveliness, rng);
    let answer = rhythm(style, liveliness * 0.7, rng);
    let mut tones = Vec::new();
    let mut step = rng.pick(&[2, 4, 7]);
    let mut moves = Vec::new();
    let phrases = section.chords.len().div_ceil(MOTIF_BARS);
    for phrase in 0..phrases {
        let cells = if phrase % 4 == 2 { &answer } else { &motif };
        // The motif is known by its moves; an answer and every other repetition goes its own way.
        if phrase % 2 == 0 {
            moves = cells.iter().map(|_| rng.pick(&[-2, -1, -1, 1, 1, 2, 3, -3, 0])).collect();
        }
        let first_bar = phrase * MOTIF_BARS;
        let last_phrase = phrase + 1 == phrases;
        for (n, &(beat, beats)) in cells.iter().enumerate() {
            let bar = first_bar + (beat / style.beats_per_bar as f32) as usize;
            let Some(&chord) = section.chords.get(bar) else { break };
            step = (step + moves.get(n).copied().unwrap_or(1)).clamp(-2, 10);
            let strong = beat.fract() == 0.0 && (beat as usize).is_multiple_of(2);
            step = if strong { nearest(step, &chord_steps(chord)) } else { melodic(step, style) };
            tones.push(Tone {
                beat: (first_bar * style.beats_per_bar) as f32 + beat,
                beats,
                step,
                accent: if strong { 0.95 } else { 0.75 },
            });
        }
        if let Some(last) = tones.last_mut()
            && last_phrase
        {
            last.step = nearest(last.step, &[0, 7]);
            last.beats = last.beats.max(2.0);
        }
    }
    Melody { tones }
}

/// The same melody as a singer sings it the next time: ornaments, held notes, other steps here and there.
pub(super) fn varied(melody: &Melody, style: &Style, rng: &mut Rng) -> Melody {
    let mut tones = Vec::with_capacity(melody.tones.len());
    for tone in &melody.tones {
        let mut tone = *tone;
        if rng.chance(0.22) {
            tone.step = melodic(tone.step + rng.pick(&[-2, -1, 1, 2]), style);
        }
        if tone.beats >= 1.0 && rng.chance(0.25) {
            let half = Tone { beats: tone.beats / 2.0, ..tone };
            let neighbour = melodic(tone.step + rng.pick(&[1, -1, 2]), style);
            tones.push(half);
            tones.push(Tone { beat: half.beat + half.beats, step: neighbour, accent: 0.7, ..half });
        } else if tone.beats >= 1.0 && rng.chance(0.12) {
            tones.push(Tone { beats: 0.25, step: tone.step + 1, accent: 0.6, ..tone });
            tones.push(Tone { beat: tone.beat + 0.25, beats: tone.beats - 0.25, ..tone });
        } else if !rng.chance(0.08) {
            tones.push(tone);
        }
    }
    Melody { tones }
}

/// Start and length of each tone of a motif, in beats.
fn rhythm(style: &Style, liveliness: f32, rng: &mut Rng) -> Vec<(f32, f32)> {
    let end = (MOTIF_BARS * style.beats_per_bar) as f32;
    let mut cells = Vec::new();
    let mut at = if rng.chance(0.3) { 0.5 } else { 0.0 };
    while at < end - 0.9 {
        let length: f32 = if rng.chance(liveliness) { 0.5 } else { rng.pick(&[1.0, 1.0, 1.5, 2.0]) };
        let length = length.min(end - at);
        if !rng.chance(0.08) {
            cells.push((at, length));
        }
        at += length;
    }
    cells
}

/// Root, third and fifth, over two octaves.
fn chord_steps(chord: i32) -> Vec<i32> {
    let octaves = [-7, 0, 7];
    octaves.iter().flat_map(|octave| [0, 2, 4].map(|third| chord + third + octave)).collect()
}

fn nearest(step: i32, choices: &[i32]) -> i32 {
    choices.iter().copied().min_by_key(|choice| (choice - step).abs()).unwrap_or(step)
}

/// The nearest step that the melody may use.
fn melodic(step: i32, style: &Style) -> i32 {
    let allowed = |step: &i32| style.melody_steps.contains(&(step.rem_euclid(7) as usize));
    [step, step + 1, step - 1, step + 2].into_iter().find(allowed).unwrap_or(step)
}
