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
