//! The engine as `earwitness identify` runs it, without the child processes: sound → views → fingerprints → matches.

use std::io::Cursor;
use std::path::Path;

use earwitness::audio::{self, Limits, MediaInfo};
use earwitness::base::{ChannelView, Digest, RecordingId};
use earwitness::fingerprint::{self, Fingerprint};
use earwitness::index::{Index, Manifest, SegmentEntry, write_segment};
use earwitness::matching::{Match, MatchOptions, find_matches};
use earwitness::scan::identify;
use earwitness::scan::worker::{Analysis, Protections, ViewAnalyzers};

use crate::sound::{RATE_HZ, Sound};

/// One searchable set of recordings; what it is kept in goes with it.
pub(crate) struct Engine {
    index: Index,
    /// Holds the segment that `index` has mapped.
    _folder: tempfile::TempDir,
}

/// The name of the index's only segment.
const SEGMENT: &str = "0000000001.seg";

impl Engine {
    /// Makes an index of fingerprints.
    pub(crate) fn new(recordings: &[(RecordingId, Fingerprint)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        write_segment(&folder.path().join(SEGMENT), recordings)?;
        let entry = SegmentEntry::new(SEGMENT.to_owned(), recordings.len() as u32);
        let index = Index::open(folder.path(), &Manifest { generation: 1, segments: vec![entry] })?;
        Ok(Self { index, _folder: folder })
    }

    /// Finds other recordings than `id` in each of some fingerprints of mid, at the default limit: a recording's own
    /// match would explain away what others share with it.
    pub(crate) fn others(&self, id: &RecordingId, probes: &[Fingerprint]) -> Vec<Vec<Match>> {
        let index = self.index.without(std::slice::from_ref(id));
        let options = MatchOptions::default();
        probes.iter().map(|probe| find_matches(probe, ChannelView::Mid, &index, &options).matches).collect()
    }

    /// Finds recordings in an analysed query.
    pub(crate) fn identify(&self, analysis: &Analysis, log10_false_match_max: f64) -> Vec<Match> {
        identify(analysis, &self.index, &MatchOptions { log10_false_match_max, ..MatchOptions::default() })
            .matches
    }
}

/// Analyses a sound as if it were a file.
pub(crate) fn analyse(sound: &Sound) -> Result<Analysis, String> {
    let mut views = ViewAnalyzers::default();
    let mut reader = Cursor::new(sound.interleaved_bytes());
    let described = ("attacked excerpt", RATE_HZ as u32, 2);
    let info =
        audio::decode_samples(&mut reader, described, &Limits::default(), &mut |block| views.push(block));
    analysis(info.map_err(|error| error.to_string())?, views)
}

/// Analyses a file of the owner's, which may be decoded in this process.
pub(crate) fn analyse_file(path: &Path) -> Result<Analysis, String> {
    let mut views = ViewAnalyzers::default();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut source = audio::Source::file(file).map_err(|error| error.to_string())?;
    let info = audio::decode(&mut source, 0, &Limits::default(), &mut |block| views.push(block));
    analysis(info.map_err(|error| error.to_string())?, views)
}

fn analysis(info: MediaInfo, views: ViewAnalyzers) -> Result<Analysis, String> {
    let decoded = views.finish().into_iter().map(|(view, bytes)| Ok((view, fingerprint::decode(&bytes)?)));
    let fingerprints =
        decoded.collect::<Result<Vec<_>, fingerprint::Error>>().map_err(|error| error.to_string())?;
    Ok(Analysis {
        digest: Digest::of(b""),
        bytes: 0,
        info,
        fingerprints,
        protections: Protections::default(),
    })
}
