//! The match made again from a bundle: decode, fingerprint, match against the one reference, all as the pipeline does.

use std::fs::File;
use std::io::{Seek as _, copy};
use std::path::Path;

use super::identify::identify;
use super::worker::{Analysis, Decoder};
use crate::base::RecordingId;
use crate::evidence::{ReplaySettings, Replayed, Rerun, Section};
use crate::fingerprint::{self, Fingerprint};
use crate::index::{Index, Manifest, SegmentEntry, write_segment};
use crate::matching::{Match, MatchOptions};

/// The longest fingerprint that is taken, in bytes: that of a recording of a whole day.
const REFERENCE_BYTES_MAX: usize = 64 << 20;

/// Does what [`Rerun`] asks for.
///
/// # Errors
/// Why it cannot be done, in a line: a fingerprint of another version, media that cannot be decoded here.
pub fn replay(decoder: &Decoder, rerun: &Rerun<'_>) -> Result<Replayed, String> {
    replayed(decoder, rerun).map(|again| Replayed { matches: again.matches, tags: again.analysis.info.tags })
}

/// A match made again, with what it was made of.
pub(super) struct MadeAgain {
    /// The media, in a temporary file.
    pub(super) media: File,
    /// What was heard of it.
    pub(super) analysis: Analysis,
    /// The recording's fingerprint.
    pub(super) reference: Fingerprint,
    /// All matches in the order of their place.
    pub(super) matches: Vec<Match>,
}

/// As [`replay`], and keeps what it was made of.
pub(super) fn replayed(decoder: &Decoder, rerun: &Rerun<'_>) -> Result<MadeAgain, String> {
    let reference = reference(rerun.reference)?;
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let index = index_of(folder.path(), rerun.recording_id.clone(), reference.clone())?;
    let media = spooled(rerun.media)?;
    let analysis = decoder.analyse_open(&media, MEDIA).map_err(|error| error.to_string())?;
    let matches = identify(&analysis, &index, &options(rerun.settings)).matches;
    Ok(MadeAgain { media, analysis, reference, matches })
}

/// What the media is called in messages.
pub(super) const MEDIA: &str = "the bundle's media";

/// Decodes the fingerprint of a bundle's reference.
pub(super) fn reference(encoded: &[u8]) -> Result<Fingerprint, String> {
    if encoded.len() > REFERENCE_BYTES_MAX {
        return Err(format!("the reference's fingerprint is longer than {REFERENCE_BYTES_MAX} bytes"));
    }
    fingerprint::decode(encoded).map_err(|error| format!("the reference's {error}"))
}

/// Puts media into a temporary file, for the workers.
pub(super) fn spooled(media: Section<'_>) -> Result<File, String> {
    let spool = || {
        let mut file = tempfile::tempfile()?;
        copy(&mut media.reader(), &mut file)?;
        file.rewind()?;
        Ok(file)
    };
    spool().map_err(|error: std::io::Error| format!("the media cannot be read: {error}"))
}

fn options(settings: &ReplaySettings) -> MatchOptions {
    MatchOptions {
        log10_false_match_max: settings.log10_false_match_max.0,
        postings_max: settings.postings_max,
        deep_s: settings.deep_s.0,
        // The answer is the same for any number.
        threads: 1,
        catalogue_s: Some(settings.catalogue_s.0),
    }
}

/// An index of one recording, in a folder that must outlive it.
pub(super) fn index_of(folder: &Path, id: RecordingId, fingerprint: Fingerprint) -> Result<Index, String> {
    const FILE: &str = "reference.seg";
    write_segment(&folder.join(FILE), &[(id, fingerprint)]).map_err(|error| error.to_string())?;
    let manifest = Manifest { generation: 1, segments: vec![SegmentEntry::new(FILE.to_owned(), 1)] };
    Index::open(folder, &manifest).map_err(|error| error.to_string())
}
