//! What people see and hear of a case: excerpts of both sides and pictures of the surest match.

use std::fs::File;

use super::bundling::Extra;
use super::excerpting::CutOut;
use super::illustrating::pictures;
use super::library::Library;
use super::passages::surest;
use super::replay::{MadeAgain, replayed};
use super::worker::Decoder;
use crate::cases::Case;
use crate::catalog::{Catalog, Recording};
use crate::config::EvidenceSettings;
use crate::evidence::{Exact, Excerpts, ReplaySettings, Rerun, Section};
use crate::fingerprint::encode;
use crate::matching::MatchOptions;

/// Everything that is shown of a case.
pub struct ShownAll {
    /// What each excerpt is of, and which are not there.
    pub excerpts: Excerpts,
    /// WAV and SVG files, by name.
    pub files: Vec<Extra>,
}

/// Cuts excerpts out of both sides of a replayed match, and draws pictures of it.
pub(super) fn show(
    decoder: &Decoder,
    settings: &EvidenceSettings,
    case: &Case,
    (recording, encoded): (&Recording, &[u8]),
    again: &MadeAgain,
) -> ShownAll {
    let MadeAgain { media, analysis, reference, matches } = again;
    let shown = surest(analysis, reference, matches, settings);
    let mut cut = CutOut::new();
    let Some(first) = shown.first() else {
        return ShownAll { excerpts: cut.record, files: Vec::new() };
    };
    cut.suspect(decoder, (media, analysis), &shown, settings);
    cut.reference(decoder, (recording, encoded), &shown, settings);
    let sounds = [cut.suspect.as_ref(), cut.reference.as_ref()];
    let mut files = pictures(case, (recording, reference), (first, matches), sounds);
    files.append(&mut cut.files);
    ShownAll { excerpts: cut.record, files }
}

/// Makes a case's match again, and what is shown of it; takes some seconds.
///
/// # Errors
/// Why it cannot be made again, in a line: the recording or the file is gone, or cannot be decoded here.
pub fn show_case(
    library: &Library,
    decoder: &Decoder,
    options: &MatchOptions,
    settings: &EvidenceSettings,
    case: &Case,
) -> Result<ShownAll, String> {
    let gone = || format!("recording {} is no longer in the catalogue with its audio", case.recording_id);
    let recording =
        Catalog::new(library.store()).get(&case.recording_id).map_err(|error| error.to_string())?;
    let recording = recording.ok_or_else(gone)?;
    let reference = encode(&library.fingerprint(&case.recording_id).ok_or_else(gone)?);
    let media = File::open(library.store().blobs().path(&case.sha256))
        .map_err(|error| format!("the case's file is not in the store: {error}"))?;
    let media = Section::all(&media).map_err(|error| format!("the case's file cannot be read: {error}"))?;
    let settings_of_replay = ReplaySettings {
        catalogue_s: Exact(library.index().duration_s()),
        log10_false_match_max: Exact(options.log10_false_match_max),
        postings_max: options.postings_max,
        deep_s: Exact(options.deep_s),
    };
    let rerun = Rerun {
        media,
        reference: &reference,
        recording_id: &case.recording_id,
        settings: &settings_of_replay,
    };
    let again = replayed(decoder, &rerun)?;
    Ok(show(decoder, settings, case, (&recording, &reference), &again))
}
