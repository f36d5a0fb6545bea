//! The pictures of a bundle: from the replayed match, its two fingerprints, their sound and their names.

use super::excerpting::Heard;
use super::passages::Shown;
use crate::base::without_credentials;
use crate::cases::Case;
use crate::catalog::Recording;
use crate::evidence::pictures::{Comparison, Language, Side, Sound, coverage, spectrograms, time_map};
use crate::fingerprint::Fingerprint;
use crate::matching::Match;

/// Draws what a case's file and its recording have in common: how much of both, the surest match peak by peak, and its time
/// map; in English, and in the language of the case's territory. `sounds` are what may be heard of the match's passage, the
/// suspect's first.
pub(super) fn pictures(
    case: &Case,
    (recording, reference): (&Recording, &Fingerprint),
    (surest, matches): (&Shown<'_>, &[Match]),
    sounds: [Option<&Heard>; 2],
) -> Vec<(String, Vec<u8>)> {
    // A picture is shown to people who have no business with keys.
    let seen = case.sightings.first().map(|sighting| without_credentials(&sighting.media_url));
    let title = recording.title_and_artist();
    let [own, other] =
        sounds.map(|heard| heard.map(|heard| Sound { pcm: &heard.sound, start_s: heard.span.start_s() }));
    let suspect =
        Side { title: seen.as_deref().unwrap_or(&case.domain), fingerprint: surest.heard, sound: own };
    let reference = Side { title: &title, fingerprint: reference, sound: other };
    let Shown { found, passage, pairs, .. } = surest;
    let comparison = Comparison { suspect, reference, found, passage: *passage, pairs };
    let mut drawn = Vec::new();
    for (language, code) in languages(case.territory.as_deref()) {
        let mut add = |name: &str, svg: String| drawn.push((format!("{name}-{code}.svg"), svg.into_bytes()));
        add("coverage", coverage(&suspect, &reference, matches, language));
        add("spectrograms", spectrograms(&comparison, language));
        add("time-map", time_map(&comparison, language));
    }
    drawn
}

fn languages(territory: Option<&str>) -> Vec<(Language, &'static str)> {
    let own = match territory {
        Some("CN") => Some((Language::Chinese, "zh")),
        Some("JP") => Some((Language::Japanese, "ja")),
        _ => None,
    };
    own.into_iter().chain([(Language::English, "en")]).collect()
}
