//! From sightings to cases: the one place that knows the whole order.

use std::fs::File;
use std::path::Path;

use serde::Serialize;

use super::identify::{Identified, cut_short, identify, overlap, too_short};
use super::informing::compare_tags;
use super::library::Library;
use super::worker::{self, Analysis, Decoder};
use crate::audio::MediaInfo;
use crate::base::{Clock, Digest, RecordingId, Timestamp};
use crate::cases::{self, CaseInput, Comparison, Queued};
use crate::catalog::{Catalog, Recording};
use crate::crawl::{self, Event, Found, Probe, Sighting};
use crate::evidence::log::Log;
use crate::evidence::{self, Capture};
use crate::matching::{Match, MatchOptions};
use crate::rights::{Decision, LicenceGraph, Question, Right, Verdict, verdict};
use crate::store::{self, Batch};

/// Two recordings that explain the same stretch of a query this nearly as well may be the same audio.
const SAME_AUDIO_SHARE: f64 = 0.75;

/// Less of a recording than this many seconds accuses nobody …
const ACCUSING_S: f64 = 3.0;
/// … unless it is surer than this.
const ACCUSING_LOG10: f64 = -12.0;

/// Why the pipeline stopped; what is wrong with a single file is part of its [`Checked`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The case queue does not work.
    #[error(transparent)]
    Cases(#[from] cases::Error),
    /// What was recorded of a case's file cannot be kept.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// The crawl cannot go on.
    #[error(transparent)]
    Crawl(#[from] crawl::Error),
    /// A media file cannot be kept.
    #[error("cannot read back the media of {url}: {source}")]
    Keep {
        /// Where it came from.
        url: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// One recording that was found in a file, and what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Which recording.
    pub recording_id: RecordingId,
    /// Its title.
    pub title: String,
    /// Where it is in the file, and how it was altered.
    pub matches: Vec<Match>,
    /// Whether the operator may use it.
    pub verdict: Verdict,
    /// What the file's tags say of the rights beside what the recording's own file says, where the catalogue knows that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights_information: Option<Comparison>,
    /// The case, where one is open.
    pub case_id: Option<String>,
    /// Whether that case is new.
    pub case_is_new: bool,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    /// The media URL, or the file's path.
    pub query: String,
    /// The page that led there.
    pub page_url: Option<String>,
    /// That page's title.
    pub page_title: Option<String>,
    /// The operator's key in licences.
    pub operator: Option<String>,
    /// SHA-256 of the bytes.
    pub sha256: Option<Digest>,
    /// What the file is.
    pub media: Option<MediaInfo>,
    /// The catalogue's recordings in it; none for a stranger.
    pub findings: Vec<Finding>,
    /// Why it could not be read.
    pub error: Option<String>,
}

impl Checked {
    /// Whether any finding is UNLICENSED.
    #[must_use]
    pub fn is_unlicensed(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict.decision == Decision::Unlicensed)
    }
}

/// Everything that a check needs; made once, used for many files.
pub struct Pipeline<'a> {
    /// The catalogue, its index and the store.
    pub library: &'a Library,
    /// Decodes in child processes.
    pub decoder: Decoder,
    /// Which matches are accepted.
    pub options: MatchOptions,
    /// Who may use what.
    pub licences: LicenceGraph,
    /// The territory that licences are asked for; `None` where not known.
    pub territory: Option<String>,
    /// Who runs the site, where somebody said so; else the domain tells.
    pub operator: Option<String>,
    /// Where "now" comes from.
    pub clock: &'a dyn Clock,
}

/// What a run over the network tells as it goes.
#[derive(Debug)]
pub enum Told<'a> {
    /// A file was checked.
    Checked(&'a Checked),
    /// The crawl read a page, skipped a URL or failed on one.
    Crawl(&'a Event),
}

impl Pipeline<'_> {
    /// Checks a file that was seen on a site: opens or joins a case for each finding that is not licensed, and keeps
    /// the bytes of such a file and what was recorded on the way to it.
    ///
    /// # Errors
    /// [`Error`] when the store fails; a file that cannot be read is told in [`Checked::error`].
    pub fn check_found(&self, found: &Found) -> Result<Checked, Error> {
        let sighting = &found.sighting;
        let operator = self.operator.clone().unwrap_or_else(|| sighting.domain.clone());
        let mut checked = Checked {
            query: sighting.media_url.clone(),
            page_url: sighting.page_url.clone(),
            page_title: sighting.page_title.clone(),
            operator: Some(operator.clone()),
            sha256: Some(sighting.sha256),
            ..Checked::unread()
        };
        let at = sighting.captured_at;
        self.fill(&mut checked, self.analyse(&found.file, &sighting.media_url), Some(&operator), at)?;
        if checked.error.is_none() {
            self.count_heard()?;
        }
        self.open_cases(&mut checked, found)?;
        Ok(checked)
    }

    /// Checks a local file. It has no address, so that no case is opened.
    ///
    /// # Errors
    /// As [`Pipeline::check_found`].
    pub fn check_file(&self, path: &Path) -> Result<Checked, Error> {
        let mut checked = Checked {
            query: path.display().to_string(),
            operator: self.operator.clone(),
            ..Checked::unread()
        };
        let analysis = self.decoder.analyse(path).map_err(|error| error.to_string());
        self.fill(&mut checked, analysis, self.operator.as_deref(), self.clock.now())?;
        Ok(checked)
    }

    fn analyse(&self, file: &Path, url: &str) -> Result<Analysis, String> {
        match File::open(file) {
            Ok(open) => {
                self.decoder.analyse_open(&open, url).map_err(|error: worker::Error| error.to_string())
            }
            Err(error) => Err(format!("{url}: cannot read back the media: {error}")),
        }
    }

    /// Matches and judges an analysed file.
    fn fill(
        &self,
        checked: &mut Checked,
        analysis: Result<Analysis, String>,
        operator: Option<&str>,
        at: Timestamp,
    ) -> Result<(), Error> {
        let analysis = match analysis {
            Ok(analysis) => analysis,
            Err(message) => {
                checked.error = Some(message);
                return Ok(());
            }
        };
        checked.sha256 = Some(analysis.digest);
        let Identified { matches, lookup } = identify(&analysis, self.library.index(), &self.options);
        let warnings = too_short(analysis.info.duration_s).into_iter().chain(cut_short(lookup));
        checked.media = Some(analysis.info);
        if let Some(media) = &mut checked.media {
            media.warnings.extend(warnings);
        }
        let mut own_tags = Vec::new();
        let mut ids: Vec<RecordingId> = matches.iter().map(|one| one.recording_id.clone()).collect();
        ids.sort();
        ids.dedup();
        for id in ids {
            let recording = self.recording(&id)?;
            let question = Question {
                recording: &recording,
                operator,
                territory: self.territory.as_deref(),
                at,
                right: Right::MakingAvailable,
            };
            checked.findings.push(Finding {
                title: recording.title.clone(),
                matches: matches.iter().filter(|one| one.recording_id == id).cloned().collect(),
                verdict: verdict(&self.licences, &question),
                recording_id: id,
                rights_information: None,
                case_id: None,
                case_is_new: false,
            });
            own_tags.push(recording.audio.and_then(|audio| audio.tags));
        }
        if let Some(media) = &checked.media {
            compare_tags(self.library.store(), media, &own_tags, &mut checked.findings)?;
        }
        doubt_shared_audio(&mut checked.findings);
        doubt_short_stretches(&mut checked.findings);
        Ok(())
    }

    /// The catalogue's record of an indexed recording; the bare id where there is none.
    fn recording(&self, id: &RecordingId) -> Result<Recording, Error> {
        let recording = Catalog::new(self.library.store()).get(id)?;
        Ok(recording.unwrap_or_else(|| Recording::new(id.clone(), id.to_string())))
    }

    fn open_cases(&self, checked: &mut Checked, found: &Found) -> Result<(), Error> {
        let store = self.library.store();
        let _one_at_a_time = self.library.filing();
        let accused = checked.findings.iter().any(|one| one.verdict.decision != Decision::Licensed);
        let Found { sighting, exchanges, .. } = found;
        let capture = accused.then(|| Capture { sighting: sighting.clone(), exchanges: exchanges.clone() });
        if accused {
            self.keep_media(sighting, &found.file)?;
        }
        for finding in &mut checked.findings {
            let recording = self.recording(&finding.recording_id)?;
            let input = CaseInput {
                sighting,
                matches: &finding.matches,
                verdict: &finding.verdict,
                recording: &recording,
                information: finding.rights_information.as_ref(),
            };
            // As one: a case without what it rests on, or the other way round, must not outlive a kill.
            let (mut log, mut batch) = (Log::open(store)?, Batch::new());
            let now = self.clock.now();
            let queued = cases::queue_in(store, now, input, (&mut log, &mut batch))?;
            if let (Some(case_id), Some(capture)) = (queued.case_id(), &capture)
                && finding.verdict.decision != Decision::Licensed
            {
                evidence::keep_capture(store, case_id, capture, now, (&mut log, &mut batch))?;
            }
            store.commit(batch)?;
            finding.case_id = queued.case_id().map(str::to_owned);
            finding.case_is_new = matches!(queued, Queued::New(_));
        }
        Ok(())
    }

    /// Keeps the bytes: they are what the case rests on.
    fn keep_media(&self, sighting: &Sighting, file: &Path) -> Result<(), Error> {
        let blobs = self.library.store().blobs();
        if blobs.contains(&sighting.sha256) {
            return Ok(());
        }
        let failed = |source| Error::Keep { url: sighting.media_url.clone(), source };
        let mut from = File::open(file).map_err(failed)?;
        let mut writer = blobs.writer()?;
        std::io::copy(&mut from, &mut writer).map_err(failed)?;
        writer.finish()?;
        Ok(())
    }

    /// Listens to windows of a media object; no case is opened.
    ///
    /// # Errors
    /// As [`Pipeline::check_found`].
    pub fn check_probe(&self, probe: &Probe) -> Result<Checked, Error> {
        let mut checked = Checked { query: probe.media_url.clone(), ..Checked::unread() };
        let analysis = self.analyse(&probe.file, &probe.media_url);
        self.fill(&mut checked, analysis, None, self.clock.now())?;
        if checked.error.is_none() {
            self.count_heard()?;
        }
        Ok(checked)
    }

    /// Counts a file that was listened to: of how many strangers a match is the surest.
    fn count_heard(&self) -> Result<(), Error> {
        let _one_at_a_time = self.library.filing();
        Ok(cases::count_heard(self.library.store())?)
    }
}

impl Checked {
    fn unread() -> Self {
        Self {
            query: String::new(),
            page_url: None,
            page_title: None,
            operator: None,
            sha256: None,
            media: None,
            findings: Vec::new(),
            error: None,
        }
    }
}

/// Where two recordings explain the same stretch nearly as well (the same master twice, a shared loop), and one of
/// them may be used, nobody can say that the other was: such a finding becomes UNDETERMINED.
fn doubt_shared_audio(findings: &mut [Finding]) {
    let licensed: Vec<(RecordingId, Vec<Match>)> = findings
        .iter()
        .filter(|finding| finding.verdict.decision != Decision::Unlicensed)
        .map(|finding| (finding.recording_id.clone(), finding.matches.clone()))
        .collect();
    for finding in findings.iter_mut().filter(|finding| finding.verdict.decision == Decision::Unlicensed) {
        let rival = licensed.iter().find(|(_, others)| {
            finding.matches.iter().all(|one| others.iter().any(|other| is_same_audio(one, other)))
        });
        if let Some((other, _)) = rival {
            finding.verdict.decision = Decision::Undetermined;
            finding.verdict.reasons.insert(
                0,
                format!(
                    "the same stretch also matches recording `{other}`, whose use here is not unlicensed: which of the \
                     two was used cannot be told"
                ),
            );
        }
    }
}

/// A stretch of a note or two is in many a piece: the partials of one tone agree all together where one does. Where so little
/// was heard, and that not far beyond the limit, nobody is accused by it.
fn doubt_short_stretches(findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.verdict.decision == Decision::Unlicensed) {
        let heard_s: f64 = finding.matches.iter().map(|one| one.query_end_s - one.query_start_s).sum();
        let surest = finding.matches.iter().map(|one| one.log10_false_match).fold(0.0, f64::min);
        if heard_s < ACCUSING_S && surest > ACCUSING_LOG10 {
            finding.verdict.decision = Decision::Undetermined;
            finding.verdict.reasons.insert(
                0,
                format!("only {heard_s:.1} s of the recording were heard: too little to accuse anyone by"),
            );
        }
    }
}

fn is_same_audio(one: &Match, other: &Match) -> bool {
    overlap(one, other) > 0.8
        && (one.speed * one.tempo / (other.speed * other.tempo)).ln().abs() < 0.01
        && other.log10_false_match <= SAME_AUDIO_SHARE * one.log10_false_match
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::base::ChannelView;

    fn id(text: &str) -> RecordingId {
        RecordingId::new(text).unwrap()
    }

    /// A recording that was found from one second to another, at a speed, this surely.
    fn finding(name: &str, decision: Decision, span: (f64, f64), speed: f64, log10: f64) -> Finding {
        let recording = Recording::new(id(name), name.to_owned());
        let question = Question {
            recording: &recording,
            operator: None,
            territory: None,
            at: Timestamp::UNIX_EPOCH,
            right: Right::MakingAvailable,
        };
        let one = Match {
            recording_id: id(name),
            query_start_s: span.0,
            query_end_s: span.1,
            reference_start_s: 100.0,
            reference_end_s: 100.0 + (span.1 - span.0) * speed,
            speed,
            tempo: 1.0,
            pitch_semitones: 0.0,
            channel: ChannelView::Mid,
            matched_peaks: 100,
            log10_false_match: log10,
        };
        Finding {
            recording_id: id(name),
            title: name.to_owned(),
            matches: vec![one],
            rights_information: None,
            verdict: Verdict { decision, ..verdict(&LicenceGraph::default(), &question) },
            case_id: None,
            case_is_new: false,
        }
    }

    fn doubted(mut findings: [Finding; 2]) -> [Decision; 2] {
        doubt_shared_audio(&mut findings);
        findings.map(|finding| finding.verdict.decision)
    }

    #[test]
    fn a_span_of_two_recordings_under_different_licences_is_undetermined() {
        let mut findings = [
            finding("licensed", Decision::Licensed, (3.0, 33.0), 1.0, -80.0),
            finding("other", Decision::Unlicensed, (3.5, 33.0), 1.002, -85.0),
        ];
        doubt_shared_audio(&mut findings);
        let [licensed, other] = findings;
        assert_eq!(licensed.verdict.decision, Decision::Licensed);
        assert_eq!(other.verdict.decision, Decision::Undetermined);
        assert!(other.verdict.reasons[0].contains("`licensed`"), "{:?}", other.verdict.reasons);
    }

    #[test]
    fn a_note_or_two_accuse_nobody() {
        let decide = |span, log10| {
            let mut findings = [finding("one", Decision::Unlicensed, span, 1.0, log10)];
            doubt_short_stretches(&mut findings);
            findings[0].verdict.decision
        };
        assert_eq!(decide((9.6, 11.2), -6.4), Decision::Undetermined);
        assert_eq!(decide((9.6, 11.2), -12.5), Decision::Unlicensed);
        assert_eq!(decide((9.6, 13.0), -6.4), Decision::Unlicensed);
    }

    #[test]
    fn a_span_of_two_recordings_of_one_verdict_keeps_it() {
        let both = ["a", "b"].map(|name| finding(name, Decision::Unlicensed, (0.0, 30.0), 1.0, -80.0));
        assert_eq!(doubted(both), [Decision::Unlicensed; 2]);
    }

    #[test]
    fn another_span_speed_or_a_far_weaker_rival_raises_no_doubt() {
        let rivals = [((40.0, 70.0), 1.0, -80.0), ((0.0, 30.0), 1.2, -80.0), ((0.0, 30.0), 1.0, -20.0)];
        for (span, speed, log10) in rivals {
            let rival = finding("rival", Decision::Licensed, span, speed, log10);
            let accused = finding("accused", Decision::Unlicensed, (0.0, 30.0), 1.0, -80.0);
            assert_eq!(doubted([rival, accused]), [Decision::Licensed, Decision::Unlicensed]);
        }
    }

    #[test]
    fn one_span_without_a_rival_is_enough_to_stay_unlicensed() {
        let rival = finding("rival", Decision::Undetermined, (0.0, 30.0), 1.0, -80.0);
        let mut accused = finding("accused", Decision::Unlicensed, (0.0, 30.0), 1.0, -80.0);
        accused.matches.push(Match { query_start_s: 50.0, query_end_s: 80.0, ..accused.matches[0].clone() });
        assert_eq!(doubted([rival, accused]), [Decision::Undetermined, Decision::Unlicensed]);
    }
}
