//! A case → its evidence bundle: gathers what the other rooms know of it, replays the match, and has it sealed.

use std::fs::File;
use std::path::Path;

use serde::Serialize;

use super::library::Library;
use super::replay::{MadeAgain, replayed};
use super::self_test::{SelfTest, self_test};
use super::showing::show;
use super::worker::Decoder;
use crate::base::{Digest, MediaTags, Recipient, Timestamp};
use crate::cases::{Case, CaseSighting, Comparison, information};
use crate::catalog::{Catalog, Recording};
use crate::config::{FetchSettings, KnownHostSettings, MatchSettings, RenderSettings, Settings};
use crate::crawl::Sighting;
use crate::evidence::{
    self, Annex, Capture, CaptureRecord, ClockOffset, Draft, Environment, Exact, ExactMatch, REPLAY_FORMAT,
    Redaction, ReferencePlace, ReplayRecord, ReplaySettings, Rerun, Sealed, Section, SigningKey, Stamp,
    TAGS_FORMAT, environment, log, without_secrets,
};
use crate::fingerprint::{FORMAT_VERSION, encode};
use crate::matching::{Match, MatchOptions};
use crate::rights::{Licence, LicenceGraph};
use crate::store;

/// The reference's fingerprint in a bundle.
const REFERENCE: &str = "reference.ewfp";

/// No picture of a page is longer, in bytes.
const SCREENSHOT_BYTES_MAX: u64 = 64 << 20;

/// How far a replayed match may be from the case's own, in seconds, and as a share of the factors, to count as the same.
const SAME_S: f64 = 0.1;
const SAME_FACTOR: f64 = 0.01;

/// Why a case cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The bundle cannot be made.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// The recording is gone.
    #[error(
        "case {case_id}: recording `{recording_id}` is no longer in the catalogue with its audio; add it again"
    )]
    NoReference {
        /// The case.
        case_id: String,
        /// Its recording.
        recording_id: String,
    },
    /// The match cannot be made again.
    #[error("case {case_id}: the match cannot be replayed: {why}")]
    Replay {
        /// The case.
        case_id: String,
        /// Why.
        why: String,
    },
}

/// Makes bundles.
pub struct Bundler<'a> {
    /// The store with the catalogue and its index.
    pub library: &'a Library,
    /// Decodes the media for the replay.
    pub decoder: &'a Decoder,
    /// How matches are accepted.
    pub options: MatchOptions,
    /// The configuration; what is secret in it, or about other sites and parties, is left out.
    pub settings: &'a Settings,
    /// Who may use what.
    pub licences: &'a LicenceGraph,
    /// Signs.
    pub key: &'a SigningKey,
    /// Asks for time-stamps, where an authority is configured.
    pub stamp: Option<&'a Stamp<'a>>,
    /// The instant that the bundles bear.
    pub now: Timestamp,
}

/// What is added to a bundle beside what the program makes of the case: name under `earwitness/`, bytes.
pub type Extra = (String, Vec<u8>);

impl Bundler<'_> {
    /// Makes the bundle of a case in `folder`. Captures of other files are left out.
    ///
    /// # Errors
    /// [`Error`] when something that it rests on is gone, or it cannot be written.
    pub fn export(
        &self,
        case: &Case,
        captures: &[Capture],
        extras: Vec<Extra>,
        folder: &Path,
    ) -> Result<Sealed, Error> {
        let mut draft = self.drafted(case, captures, None)?;
        for (name, bytes) in extras {
            draft.add(&name, bytes)?;
        }
        Ok(draft.seal(self.key, self.stamp, folder)?)
    }

    /// Makes the redacted bundle of a case in `folder`: for providers and opponents, with the whole one, as [`Bundler::export`] makes it,
    /// sealed inside for `recipients`.
    ///
    /// # Errors
    /// As [`Bundler::export`], and where there are no recipients.
    pub fn export_redacted(
        &self,
        case: &Case,
        captures: &[Capture],
        recipients: &[Recipient],
        folder: &Path,
    ) -> Result<Sealed, Error> {
        let home = self.library.store().path();
        let aside = tempfile::Builder::new().prefix(".whole-").tempdir_in(home);
        let aside = aside.map_err(|source| evidence::Error::Io { path: home.to_owned(), source })?;
        let whole = self.export(case, captures, Vec::new(), aside.path())?;
        let annex = Annex::seal(&whole, recipients, home)?;
        let file = File::open(&whole.path)
            .map_err(|source| evidence::Error::Io { path: whole.path.clone(), source })?;
        let mut draft = self.drafted(case, captures, Some(Redaction::of(&file)?))?;
        draft.enclose(annex)?;
        Ok(draft.seal(self.key, self.stamp, folder)?)
    }

    /// A bundle with all that the program has of a case, or with what a redaction leaves of it.
    fn drafted(
        &self,
        case: &Case,
        captures: &[Capture],
        redaction: Option<Redaction>,
    ) -> Result<Draft<'_>, Error> {
        let before = self_test();
        let store = self.library.store();
        let captures: Vec<Capture> =
            captures.iter().filter(|capture| capture.sighting.sha256 == case.sha256).cloned().collect();
        let mut draft = match redaction {
            Some(redaction) => {
                Draft::begin_redacted(store, &case.case_id, self.now, &captures, &case.sha256, redaction)?
            }
            None => Draft::begin(store, &case.case_id, self.now, &captures, &case.sha256)?,
        };
        let recording = Catalog::new(store).get(&case.recording_id)?;
        let gone = || Error::NoReference {
            case_id: case.case_id.clone(),
            recording_id: case.recording_id.to_string(),
        };
        let (Some(recording), Some(reference)) = (recording, self.library.fingerprint(&case.recording_id))
        else {
            return Err(gone());
        };
        let reference = encode(&reference);
        let (record, again) = self.replay(case, &draft, &reference)?;
        let shown = show(self.decoder, &self.settings.evidence, case, (&recording, &reference), &again);
        draft.add_json("case.json", case)?;
        draft.add_json("match.json", &case.matches)?;
        draft.add_json("verdict.json", &case.verdict)?;
        draft.add_json("recording.json", &recording)?;
        draft.add_json("tags.json", &self.tags_of(case, &recording, &again.analysis.info.tags)?)?;
        draft.add_json("licences.json", &self.licences_of(case, &recording))?;
        draft.add_json("configuration.json", &configuration(self.settings))?;
        let excerpt = log::excerpt(store, &case.case_id)?;
        draft.add_json("log.json", &if draft.is_redacted() { excerpt.redacted() } else { excerpt })?;
        draft.add_json("replay.json", &record)?;
        draft.add_json("excerpts.json", &shown.excerpts)?;
        draft.add(REFERENCE, reference)?;
        add_left_out(&mut draft, store, case, &captures)?;
        add_screenshots(&mut draft, store, &captures)?;
        add_environments(&mut draft, store, &captures)?;
        for (name, bytes) in shown.files {
            draft.add(&name, bytes)?;
        }
        let attested = Attested {
            environment: environment(self.now, self.settings.fetch.proxy.as_deref()),
            clock_offset: evidence::clock_offset(store, &captures)?,
            self_test: SelfTests { before, after: self_test() },
        };
        draft.add_json("environment.json", &attested)?;
        Ok(draft)
    }

    /// What both files say of themselves: the recording's when it was added, the copy now.
    fn tags_of<'t>(
        &self,
        case: &Case,
        recording: &'t Recording,
        copy: &'t MediaTags,
    ) -> Result<Tags<'t>, Error> {
        Ok(Tags {
            format: TAGS_FORMAT,
            reference: recording.audio.as_ref().and_then(|audio| audio.tags.as_ref()),
            copy,
            comparison: information(self.library.store(), &case.case_id)?,
        })
    }

    /// Makes the match again, as a verifier will.
    fn replay(
        &self,
        case: &Case,
        draft: &Draft<'_>,
        reference: &[u8],
    ) -> Result<(ReplayRecord, MadeAgain), Error> {
        let settings = ReplaySettings {
            catalogue_s: Exact(self.library.index().duration_s()),
            log10_false_match_max: Exact(self.options.log10_false_match_max),
            postings_max: self.options.postings_max,
            deep_s: Exact(self.options.deep_s),
        };
        let rerun = Rerun {
            media: draft.media_bytes()?,
            reference,
            recording_id: &case.recording_id,
            settings: &settings,
        };
        let failed = |why| Error::Replay { case_id: case.case_id.clone(), why };
        let again = replayed(self.decoder, &rerun).map_err(failed)?;
        let differences = differences(&case.matches, &again.matches);
        let record = ReplayRecord {
            format: REPLAY_FORMAT.to_owned(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint_format: FORMAT_VERSION,
            media: draft.media().clone(),
            reference: ReferencePlace {
                path: format!("earwitness/{REFERENCE}"),
                sha256: Digest::of(reference),
                recording_id: case.recording_id.clone(),
            },
            settings,
            matches: again.matches.iter().map(ExactMatch::from).collect(),
            agrees_with_case: differences.is_none(),
            remark: differences.unwrap_or_else(|| "the matches of the case".to_owned()),
        };
        Ok((record, again))
    }

    /// The licences that may cover the recording, as they were known when its use was judged, and what came later.
    fn licences_of(&self, case: &Case, recording: &Recording) -> Licences {
        let known_at = case.verdict.at.max(case.created_at);
        let covering = |graph: &LicenceGraph| -> Vec<Licence> {
            graph.licences().filter(|licence| licence.may_cover(recording)).cloned().collect()
        };
        let known = covering(&self.licences.as_of(known_at));
        let recorded_later =
            covering(self.licences).into_iter().filter(|licence| licence.recorded_at > known_at).collect();
        Licences { known_at, known, recorded_later }
    }
}

/// What was recorded of a case; of one from before that was done, what the case itself says.
///
/// # Errors
/// [`evidence::Error`] when the store fails, or a capture is damaged.
pub fn captures_of(store: &store::Store, case: &Case) -> Result<Vec<Capture>, evidence::Error> {
    let recorded = evidence::captures(store, &case.case_id)?;
    Ok(if recorded.is_empty() { captures_of_case(case) } else { recorded })
}

/// What a case says of its own sightings, as captures without exchanges: for cases from before those were recorded.
#[must_use]
pub fn captures_of_case(case: &Case) -> Vec<Capture> {
    let capture = |seen: &CaseSighting| Capture {
        sighting: Sighting {
            media_url: seen.media_url.clone(),
            page_url: seen.page_url.clone(),
            page_title: seen.page_title.clone(),
            page_screenshot: None,
            hops: Vec::new(),
            captured_at: seen.captured_at,
            sha256: seen.sha256,
            bytes: seen.bytes,
            content_type: seen.content_type.clone(),
            domain: case.domain.clone(),
            peer: seen.peer.clone(),
            robots: None,
            archive: None,
            warnings: Vec::new(),
        },
        exchanges: Vec::new(),
    };
    case.sightings.iter().map(capture).collect()
}

/// `earwitness/licences.json`.
#[derive(Serialize)]
struct Licences {
    /// When the use was judged.
    known_at: Timestamp,
    /// Licences that may cover the recording, as they were known then.
    known: Vec<Licence>,
    /// Such that were recorded, or changed, after that.
    recorded_later: Vec<Licence>,
}

/// `earwitness/tags.json`.
#[derive(Serialize)]
struct Tags<'a> {
    format: &'static str,
    /// What the recording's own file said when it was added to the catalogue; `None` where that was not kept.
    reference: Option<&'a MediaTags>,
    /// What the media says.
    copy: &'a MediaTags,
    /// Both side by side, as they were when the case was opened.
    comparison: Option<Comparison>,
}

/// `earwitness/environment.json`.
#[derive(Serialize)]
struct Attested {
    environment: Environment,
    clock_offset: ClockOffset,
    self_test: SelfTests,
}

#[derive(Serialize)]
struct SelfTests {
    before: SelfTest,
    after: SelfTest,
}

/// `earwitness/configuration.json`: what bears on how media was fetched and matched.
#[derive(Serialize)]
struct Configuration<'a> {
    matching: MatchSettings,
    fetch: FetchSettings,
    render: &'a RenderSettings,
    known_hosts: &'a KnownHostSettings,
}

fn configuration(settings: &Settings) -> Configuration<'_> {
    let mut fetch = settings.fetch.clone();
    fetch.proxy = fetch.proxy.as_deref().map(without_secrets);
    // Names of the owner's own network are nobody else's business.
    fetch.private_allowed.clear();
    fetch.extra_root_certificates.clear();
    Configuration {
        matching: settings.matching,
        fetch,
        render: &settings.render,
        known_hosts: &settings.known_hosts,
    }
}

/// What the machine was like at the captures, as far as it was kept then; each state once.
fn add_environments(draft: &mut Draft<'_>, store: &store::Store, captures: &[Capture]) -> Result<(), Error> {
    let mut known: Vec<Digest> = Vec::new();
    for capture in captures {
        let kept = evidence::kept_environment(store, capture.sighting.captured_at)?;
        if let Some((sha256, bytes)) = kept.filter(|(sha256, _)| !known.contains(sha256)) {
            known.push(sha256);
            draft.add(&format!("environment-at-capture-{}.json", known.len()), bytes)?;
        }
    }
    Ok(())
}

/// `earwitness/captures-left-out.json`.
#[derive(Serialize)]
struct LeftOut {
    /// In words.
    why: &'static str,
    /// How many captures are in the bundle.
    kept: usize,
    /// The others, each with the digest of what the store keeps of it.
    left_out: Vec<CaptureRecord>,
}

/// Which captures found no room; no document where all did.
fn add_left_out(
    draft: &mut Draft<'_>,
    store: &store::Store,
    case: &Case,
    captures: &[Capture],
) -> Result<(), Error> {
    let left_out = evidence::left_out(store, &case.case_id, captures)?;
    if left_out.is_empty() {
        return Ok(());
    }
    let why = "a bundle has no room for all captures of this case; kept are the first, the last, and those with most in them";
    Ok(draft.add_json("captures-left-out.json", &LeftOut { why, kept: captures.len(), left_out })?)
}

/// Pictures of pages, each once.
fn add_screenshots(draft: &mut Draft<'_>, store: &store::Store, captures: &[Capture]) -> Result<(), Error> {
    let mut shown: Vec<Digest> =
        captures.iter().filter_map(|capture| capture.sighting.page_screenshot).collect();
    shown.sort_unstable();
    shown.dedup();
    for (number, sha256) in (1..).zip(shown) {
        let read = File::open(store.blobs().path(&sha256));
        let read = read.and_then(|file| Section::all(&file)?.read(SCREENSHOT_BYTES_MAX));
        // One that is gone is missed by its digest in `captures.json`; the rest is evidence all the same.
        if let Ok(bytes) = read
            && Digest::of(&bytes) == sha256
        {
            draft.add_screenshot(&format!("screenshot-{number}.png"), bytes)?;
        }
    }
    Ok(())
}

/// What differs between a case's matches and the replayed ones, in words; none where nothing does.
fn differences(of_case: &[Match], replayed: &[Match]) -> Option<String> {
    let near = |a: f64, b: f64| (a - b).abs() <= SAME_S;
    let alike = |a: f64, b: f64| (a / b - 1.0).abs() <= SAME_FACTOR;
    let same = |a: &Match, b: &Match| {
        near(a.query_start_s, b.query_start_s)
            && near(a.query_end_s, b.query_end_s)
            && near(a.reference_start_s, b.reference_start_s)
            && near(a.reference_end_s, b.reference_end_s)
            && alike(a.speed, b.speed)
            && alike(a.tempo, b.tempo)
            && (a.pitch_semitones - b.pitch_semitones).abs() <= SAME_FACTOR * 12.0
    };
    let span = |one: &Match| format!("{:.1}–{:.1} s", one.query_start_s, one.query_end_s);
    let lost = of_case.iter().filter(|one| !replayed.iter().any(|other| same(one, other)));
    let new = replayed.iter().filter(|one| !of_case.iter().any(|other| same(one, other)));
    let lost: Vec<String> = lost.map(|one| format!("the case has {}, the replay not", span(one))).collect();
    let new: Vec<String> = new.map(|one| format!("the replay has {}, the case not", span(one))).collect();
    let all = [lost, new].concat();
    // Against the whole catalogue, other recordings take part of a stretch, and a search goes less deep.
    (!all.is_empty()).then(|| format!("{} (the case's were found among the whole catalogue)", all.join("; ")))
}
