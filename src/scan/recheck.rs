//! Whether an address still serves what a case is about: fetched again, compared by digest, and listened to again where the
//! bytes differ. No case is opened.

use std::collections::BTreeMap;
use std::fs::File;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::crawling::Together;
use super::identify::{Identified, cut_short, identify, too_short};
use super::pipeline::{Error, Pipeline};
use crate::base::{Digest, RecordingId, Timestamp};
use crate::cases::{Alive, Liveness};
use crate::crawl::{self, Event, Failure, Found, Heard, Plan, SkipReason};
use crate::matching::Match;
use crate::net::{self, Client};

/// Files of one address (members of an archive) that are listened to again; the others are only compared.
const LISTENED_MAX: usize = 40;

/// Events that wait to be looked at.
const WAITING_MAX: usize = 4;

/// The longest note, in characters.
const NOTE_CHARS_MAX: usize = 500;

/// What one case expects at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The case.
    pub case_id: String,
    /// The address as the case has it, with the way into an archive.
    pub url: String,
    /// Which recording it is about.
    pub recording_id: RecordingId,
    /// SHA-256 of its file.
    pub sha256: Digest,
}

/// The way to the network.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// What is asked, and how: of one address only.
    pub plan: &'a Plan,
    /// With the headers and cookies of the site.
    pub client: &'a Client,
    /// The turns at hosts.
    pub together: &'a Together,
    /// Drives the network; not the caller's own thread.
    pub runtime: &'a Handle,
    /// Ends the look early: what is not told by then is unclear.
    pub cancel: &'a CancellationToken,
}

/// What came from the address.
#[derive(Debug, Default)]
struct Came {
    /// The files, and what of the catalogue was heard in those that nobody expects.
    files: BTreeMap<Digest, Heards>,
    /// Files that were not listened to, or could not be read.
    unheard: Vec<String>,
    /// The status of the server that refused the address itself.
    status: Option<u16>,
    /// Whether a page came.
    is_page: bool,
    /// Why nothing came.
    why: Vec<String>,
}

#[derive(Debug, Default)]
struct Heards {
    matches: Vec<Match>,
    was_heard: bool,
}

impl Pipeline<'_> {
    /// Looks at one address for all cases that have it, and tells for each whether it still serves the recording.
    ///
    /// Blocks while the runtime works: not to be called on one of its threads.
    ///
    /// # Errors
    /// [`Error`] when the store fails; an address that fails is told in its [`Liveness`].
    pub fn recheck(&self, door: Door<'_>, targets: &[Target]) -> Result<Vec<Liveness>, Error> {
        let came = self.come(door, targets)?;
        let at = self.clock.now();
        Ok(targets.iter().map(|target| came.told(target, at)).collect())
    }

    fn come(&self, door: Door<'_>, targets: &[Target]) -> Result<Came, Error> {
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
        let run = crawl::Run {
            plan: door.plan,
            client: door.client,
            store: self.library.store(),
            clock: self.clock,
            lanes: &door.together.lanes,
            browser: door.together.browser.as_ref(),
            known_hosts: door.together.known_hosts.as_ref(),
            failure: None,
        };
        let mut came = Came::default();
        let ended = std::thread::scope(|scope| {
            let crawling =
                scope.spawn(|| door.runtime.block_on(Box::pin(crawl::crawl(run, sender, door.cancel))));
            while let Some(event) = receiver.blocking_recv() {
                match event {
                    Event::Found(found, hearing) => {
                        self.take(&mut came, &found, targets);
                        hearing.heard(nothing());
                    }
                    Event::Probe(_, hearing) => hearing.heard(nothing()),
                    Event::Failed(failure) => came.fail(&failure, targets),
                    Event::Skipped(skip) => came.skip(&skip.reason),
                    Event::Page(page) => {
                        // Where media was, a page may be a wall, with sound of its own.
                        came.is_page = true;
                        came.why.push(format!("a page with {} media", page.media));
                    }
                    Event::Lead(_) => {}
                }
            }
            crawling.join()
        });
        match ended {
            Ok(Ok(summary)) if summary.cancelled => came.why.push("it was stopped before the end".to_owned()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(came)
    }

    /// Compares a file, and listens to it where nobody expects these bytes.
    fn take(&self, came: &mut Came, found: &Found, targets: &[Target]) {
        let digest = found.sighting.sha256;
        // Of several cases at one address, each may expect other bytes.
        let is_expected = targets.iter().all(|target| target.sha256 == digest);
        if is_expected || came.files.contains_key(&digest) {
            came.files.entry(digest).or_default();
            return;
        }
        let mut heards = Heards::default();
        if came.files.values().filter(|one| one.was_heard).count() >= LISTENED_MAX {
            came.unheard.push(format!("more than {LISTENED_MAX} other files"));
        } else {
            match self.listen_again(found) {
                Ok((matches, doubts)) => {
                    heards = Heards { matches, was_heard: true };
                    came.unheard.extend(doubts);
                }
                Err(why) => came.unheard.push(why),
            }
        }
        came.files.insert(digest, heards);
    }

    /// What of the catalogue is in a file, and why it may not be all: a file that is cut off proves nothing by what is
    /// missing in it.
    fn listen_again(&self, found: &Found) -> Result<(Vec<Match>, Vec<String>), String> {
        let open = File::open(&found.file).map_err(|error| error.to_string())?;
        let url = &found.sighting.media_url;
        let analysis = self.decoder.analyse_open(&open, url).map_err(|error| error.to_string())?;
        let Identified { matches, lookup } = identify(&analysis, self.library.index(), &self.options);
        let told = found.sighting.warnings.iter().chain(&analysis.info.warnings).cloned();
        let doubts = told.chain(cut_short(lookup)).chain(too_short(analysis.info.duration_s));
        Ok((matches, doubts.collect()))
    }
}

/// What is answered to a crawl that only wants to know that somebody listened.
const fn nothing() -> Heard {
    Heard { recordings: Vec::new(), media_s: 0.0, error: None, is_whole: false }
}

impl Came {
    fn fail(&mut self, failure: &Failure, targets: &[Target]) {
        let is_own = targets.iter().any(|target| target.url == failure.url);
        if let crawl::Error::Net(net::Error::Status { status, .. }) = &failure.error
            && is_own
        {
            self.status = Some(*status);
        }
        self.why.push(failure.error.to_string());
    }

    fn skip(&mut self, reason: &SkipReason) {
        self.why.push(reason.to_string());
    }

    fn told(&self, target: &Target, at: Timestamp) -> Liveness {
        let (alive, sha256, note) = self.judge(target);
        Liveness {
            case_id: target.case_id.clone(),
            url: target.url.clone(),
            at,
            status: if self.files.is_empty() { self.status } else { Some(200) },
            sha256,
            alive,
            note: note.chars().take(NOTE_CHARS_MAX).collect(),
        }
    }

    fn judge(&self, target: &Target) -> (Alive, Option<Digest>, String) {
        if self.files.contains_key(&target.sha256) {
            return (Alive::Yes, Some(target.sha256), "the same bytes".to_owned());
        }
        let of_recording = |one: &&Match| one.recording_id == target.recording_id;
        let surest = |heards: &Heards| {
            heards.matches.iter().filter(of_recording).map(|one| one.log10_false_match).min_by(f64::total_cmp)
        };
        let heard = self.files.iter().find_map(|(digest, heards)| Some((*digest, surest(heards)?)));
        if let Some((digest, log10)) = heard {
            let note =
                format!("other bytes, in which the recording was heard (log10 false match {log10:.1})");
            return (Alive::Yes, Some(digest), note);
        }
        let digest = self.files.keys().next().copied();
        match (digest, self.status) {
            _ if !self.unheard.is_empty() => (
                Alive::Unclear,
                digest,
                format!("media that was not listened to: {}", self.unheard.join("; ")),
            ),
            (digest, _) if self.is_page => (Alive::Unclear, digest, self.why.join("; ")),
            (Some(digest), _) => {
                (Alive::Gone, Some(digest), "audio in which the recording is not".to_owned())
            }
            (None, Some(status @ (404 | 410 | 451))) => {
                (Alive::Gone, None, format!("the server answered {status}"))
            }
            (None, _) if self.why.is_empty() => (Alive::Unclear, None, "nothing came".to_owned()),
            (None, _) => (Alive::Unclear, None, self.why.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn target() -> Target {
        Target {
            case_id: "C-1".to_owned(),
            url: "https://pirate.example/a.mp3".to_owned(),
            recording_id: RecordingId::new("R1").unwrap(),
            sha256: Digest::of(b"bytes"),
        }
    }

    #[test]
    fn only_what_a_server_says_for_certain_is_gone() {
        let status = |status| Came { status: Some(status), why: vec!["no".to_owned()], ..Came::default() };
        for gone in [404, 410, 451] {
            assert_eq!(status(gone).judge(&target()).0, Alive::Gone, "{gone}");
        }
        for unclear in [401, 403, 429, 500, 503] {
            assert_eq!(status(unclear).judge(&target()).0, Alive::Unclear, "{unclear}");
        }
        let page = Came { why: vec!["a page with 0 media".to_owned()], ..Came::default() };
        assert_eq!(page.judge(&target()).0, Alive::Unclear);
        assert_eq!(Came::default().judge(&target()).0, Alive::Unclear);
    }

    #[test]
    fn what_was_not_listened_to_is_unclear() {
        let files = BTreeMap::from([(Digest::of(b"other"), Heards::default())]);
        let came = Came { files, unheard: vec!["not audio".to_owned()], ..Came::default() };
        assert_eq!(came.judge(&target()).0, Alive::Unclear);
        let files = BTreeMap::from([(Digest::of(b"bytes"), Heards::default())]);
        let came = Came { files, unheard: vec!["not audio".to_owned()], ..Came::default() };
        assert_eq!(came.judge(&target()).0, Alive::Yes);
    }
}
