//! What a composer decides before the first note: the form, harmony and instruments of a piece.

use super::voice::Timbre;

/// A piece, as it is handed to the players.
#[derive(Debug)]
pub(in crate::cli::demo) struct Style {
    pub(super) seed: u64,
    pub(super) beats_per_minute: f32,
    pub(super) beats_per_bar: usize,
    /// MIDI number of the key note, in the octave of the chords.
    pub(super) key: i32,
    /// Semitones of the harmony's seven steps over the key note.
    pub(super) scale: [i32; 7],
    /// Which of these steps the melody uses.
    pub(super) melody_steps: &'static [usize],
    /// How late the second half of a beat comes: 0 straight, 0.33 triplets.
    pub(super) swing: f32,
    /// Notes stacked in thirds for a chord.
    pub(super) chord_notes: usize,
    pub(super) sections: &'static [Section],
    pub(super) lead: Lead,
    /// Answers the lead in sections that ask for it.
    pub(super) second: Lead,
    pub(super) chords: Part,
    pub(super) chord_pattern: ChordPattern,
    pub(super) bass: Part,
    pub(super) bass_pattern: BassPattern,
    pub(super) drums: DrumPattern,
    pub(super) drum_level: f32,
    /// Share of the room in the sound.
    pub(super) room: f32,
}

/// Eight bars or so.
#[derive(Debug)]
pub(super) struct Section {
    /// The chord of each bar, as a step of the scale from 0.
    pub(super) chords: &'static [i32],
    /// Which of the piece's melodies is sung; the same letter later is the same melody, varied.
    pub(super) melody: Option<char>,
    /// Whether the second voice sings it.
    pub(super) by_second: bool,
    pub(super) with_drums: bool,
    pub(super) with_bass: bool,
    /// Semitones that the whole section is moved by.
    pub(super) lift: i32,
}

/// An instrument with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) timbre: Timbre,
    pub(super) level: f32,
    pub(super) pan: f32,
    /// Semitones over the chords' octave.
    pub(super) register: i32,
}

/// An instrument that sings.
#[derive(Debug)]
pub(super) struct Lead {
    pub(super) part: Part,
    /// Share of eighths among the melody's notes.
    pub(super) liveliness: f32,
    /// Share of a note's time in which it sounds.
    pub(super) legato: f32,
}

/// How chords are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChordPattern {
    /// Struck now and then, as the pianist likes.
    Comping,
    /// One after the other, in eighths.
    Arpeggio,
    /// On the second half of each beat.
    OffBeat,
    /// Second and third beat.
    Waltz,
    /// Short, on a pattern of sixteenths.
    Stabs,
}

/// How the bass goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BassPattern {
    /// Root and fifth.
    RootFifth,
    /// Eighths in octaves.
    Octaves,
    /// A step each beat, leading to the next root.
    Walking,
    /// One long note a bar.
    Long,
    /// Sixteenths with holes.
    Funk,
}

/// What the drummer plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DrumPattern {
    Pop,
    House,
    Shuffle,
    Waltz,
    Festival,
    Funk,
}
