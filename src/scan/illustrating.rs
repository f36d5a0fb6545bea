//! The pictures of a bundle: from the replayed match, its two fingerprints and their names.

use super::worker::Analysis;
use crate::base::{ChannelView, without_credentials};
use crate::cases::Case;
use crate::catalog::Recording;
use crate::evidence::pictures::{Comparison, Language, Side, coverage, spectrograms, time_map};
use crate::fingerprint::Fingerprint;
use crate::matching::{Match, matched_pairs};

/// Draws what a case's file and its recording have in common: how much of both, the surest match peak by peak, and its time
/// map; in English, and in the language of the case's territory. Nothing where there is no match.
pub(super) fn pictures(
    case: &Case,
    recording: &Recording,
    (analysis, reference): (&Analysis, &Fingerprint),
    matches: &[Match],
) -> Vec<(String, Vec<u8>)> {
    let surest = matches.iter().min_by(|a, b| a.log10_false_match.total_cmp(&b.log10_false_match));
    let Some((found, heard)) = surest.and_then(|one| Some((one, view_of(analysis, one.channel)?))) else {
        return Vec::new();
    };
    // A picture is shown to people who have no business with keys.
    let seen = case.sightings.first().map(|sighting| without_credentials(&sighting.media_url));
    let title = match &recording.artist {
        Some(artist) => format!("{} – {artist}", recording.title),
        None => recording.title.clone(),
    };
    let suspect = Side { title: seen.as_deref().unwrap_or(&case.domain), fingerprint: heard, sound: None };
    let reference_side = Side { title: &title, fingerprint: reference, sound: None };
    let pairs = matched_pairs(heard, reference, found);
    let comparison = Comparison { suspect, reference: reference_side, found, pairs: &pairs };
    let mut drawn = Vec::new();
    for (language, code) in languages(case.territory.as_deref()) {
        let mut add = |name: &str, svg: String| drawn.push((format!("{name}-{code}.svg"), svg.into_bytes()));
        add("coverage", coverage(&suspect, &reference_side, matches, language));
        add("spectrograms", spectrograms(&comparison, language));
        add("time-map", time_map(&comparison, language));
    }
    drawn
}

fn view_of(analysis: &Analysis, channel: ChannelView) -> Option<&Fingerprint> {
    let of_view = analysis.fingerprints.iter().find(|(view, _)| *view == channel);
    of_view.or(analysis.fingerprints.first()).map(|(_, fingerprint)| fingerprint)
}

fn languages(territory: Option<&str>) -> Vec<(Language, &'static str)> {
    let own = match territory {
        Some("CN") => Some((Language::Chinese, "zh")),
        Some("JP") => Some((Language::Japanese, "ja")),
        _ => None,
    };
    own.into_iter().chain([(Language::English, "en")]).collect()
}
