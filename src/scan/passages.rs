//! Which passages of a case's matches are shown: drawn, and given as audio.

use super::worker::Analysis;
use crate::base::ChannelView;
use crate::config::EvidenceSettings;
use crate::evidence::pictures::{Passage, richest};
use crate::fingerprint::{Fingerprint, Peak};
use crate::matching::{Match, matched_pairs};

/// Matches that are shown; more of one file say no more.
const SHOWN_MAX: usize = 3;

/// The longest passage, in seconds, where the configuration does not say less.
const PASSAGE_S: f64 = 20.0;

/// From this many seconds on, what may be heard of the recording bounds what is drawn, so that both can be drawn with their
/// sound; less is too short a picture.
const BOUNDING_S: u32 = 5;

/// A match that is shown, with its passage that has the most peaks in common.
pub(super) struct Shown<'a> {
    /// 1 for the surest, and so on: what its files are called by.
    pub(super) rank: usize,
    /// Its number among the replayed ones, from 1.
    pub(super) number: usize,
    /// The match.
    pub(super) found: &'a Match,
    /// The audio track of the file that it is in.
    pub(super) track: usize,
    /// The file's fingerprint there, in the view of the match.
    pub(super) heard: &'a Fingerprint,
    /// The peaks that both have.
    pub(super) pairs: Vec<(Peak, Peak)>,
    /// The passage.
    pub(super) passage: Passage,
}

/// Chooses what is shown, the surest first.
pub(super) fn surest<'a>(
    analysis: &'a Analysis,
    reference: &Fingerprint,
    matches: &'a [Match],
    settings: &EvidenceSettings,
) -> Vec<Shown<'a>> {
    let mut numbered: Vec<(usize, &Match)> = (1..).zip(matches).collect();
    numbered.sort_by(|(_, a), (_, b)| a.log10_false_match.total_cmp(&b.log10_false_match));
    let longest_s = match settings.reference_excerpt_s {
        seconds @ BOUNDING_S.. => PASSAGE_S.min(f64::from(seconds)),
        _ => PASSAGE_S,
    };
    let shown = (1..).zip(numbered).take(SHOWN_MAX).filter_map(|(rank, (number, found))| {
        let (track, heard) = track_of(analysis, reference, found)?;
        let pairs = matched_pairs(heard, reference, found);
        let passage = richest(found, &pairs, longest_s);
        Some(Shown { rank, number, found, track, heard, pairs, passage })
    });
    shown.collect()
}

/// The track that a match is in: the one that has the most of its peaks, the first of equal ones.
fn track_of<'a>(
    analysis: &'a Analysis,
    reference: &Fingerprint,
    found: &Match,
) -> Option<(usize, &'a Fingerprint)> {
    let mut track = 0;
    let mut best: Option<(usize, usize, &Fingerprint)> = None;
    for (index, (view, fingerprint)) in analysis.fingerprints.iter().enumerate() {
        // Each track begins with its mid.
        track += usize::from(*view == ChannelView::Mid && index > 0);
        if *view != found.channel {
            continue;
        }
        let peaks = matched_pairs(fingerprint, reference, found).len();
        if best.is_none_or(|(most, ..)| peaks > most) {
            best = Some((peaks, track, fingerprint));
        }
    }
    best.map(|(_, track, fingerprint)| (track, fingerprint))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::audio::{MediaInfo, MediaTags};
    use crate::base::{ANALYSIS_RATE_HZ, Digest, RecordingId};
    use crate::fingerprint::analyze;
    use crate::scan::worker::Protections;

    /// Notes that wander, 20 s of them.
    fn tune(seed: u32) -> Fingerprint {
        let rate = ANALYSIS_RATE_HZ as f32;
        let sample = |n: u32| {
            let t = n as f32 / rate;
            let step = ((t * 4.0) as u32).wrapping_mul(seed) >> 3;
            let hz = 220.0 * 2f32.powf((step % 29) as f32 / 12.0);
            0.3 * (-3.0 * (t * 4.0).fract()).exp() * (std::f32::consts::TAU * hz * t).sin()
        };
        analyze(&(0..20 * ANALYSIS_RATE_HZ).map(sample).collect::<Vec<_>>())
    }

    fn analysis(fingerprints: Vec<(ChannelView, Fingerprint)>) -> Analysis {
        let info = MediaInfo {
            container: "Matroska".to_owned(),
            codec: "AAC-LC".to_owned(),
            sample_rate_hz: 44_100,
            channels: 2,
            duration_s: 20.0,
            tracks: 2,
            warnings: Vec::new(),
            tags: MediaTags::default(),
        };
        let digest = Digest::of(b"");
        Analysis { digest, bytes: 0, info, fingerprints, protections: Protections::default() }
    }

    fn found(from_s: f64, to_s: f64, log10_false_match: f64) -> Match {
        Match {
            recording_id: RecordingId::new("R").unwrap(),
            query_start_s: from_s,
            query_end_s: to_s,
            reference_start_s: from_s,
            reference_end_s: to_s,
            speed: 1.0,
            tempo: 1.0,
            pitch_semitones: 0.0,
            channel: ChannelView::Mid,
            matched_peaks: 50,
            log10_false_match,
        }
    }

    #[test]
    fn the_surest_come_first_each_in_its_track() {
        let (own, other) = (tune(2_654_435_761), tune(40_503_331));
        let views = [(ChannelView::Mid, &other), (ChannelView::Side, &other), (ChannelView::Mid, &own)];
        let analysis = analysis(views.map(|(view, of)| (view, of.clone())).to_vec());
        let matches =
            [found(0.0, 8.0, -9.0), found(8.0, 19.0, -30.0), found(1.0, 2.0, -7.0), found(3.0, 5.0, -8.0)];
        let settings = EvidenceSettings::default();
        let shown = surest(&analysis, &own, &matches, &settings);
        let told: Vec<_> = shown.iter().map(|one| (one.rank, one.number, one.track)).collect();
        assert_eq!(told, [(1, 2, 1), (2, 1, 1), (3, 4, 1)]);
        let length_s = |shown: &Shown<'_>| shown.passage.suspect.1 - shown.passage.suspect.0;
        assert!((length_s(&shown[0]) - 10.0).abs() < 1e-6, "as long as may be heard of the recording");
        let silent = EvidenceSettings { reference_excerpt_s: 0, ..settings };
        assert!((length_s(&surest(&analysis, &own, &matches, &silent)[0]) - 11.0).abs() < 1e-6);
        // Of the other recording, the first track; in a view that was not analysed, none.
        assert_eq!(surest(&analysis, &other, &matches, &silent)[0].track, 0);
        let left = Match { channel: ChannelView::Left, ..matches[0].clone() };
        assert!(surest(&analysis, &own, &[left], &silent).is_empty());
    }
}
