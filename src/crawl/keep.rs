//! Keeping media: bytes into a file, and the sighting that goes with it.

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

use super::address::domain_of;
use super::discover::{Hls, MediaKind, MediaLink, Segment};
use super::engine::{Engine, Stop, lock};
use super::event::{Error, Event, Found, Hearing, SkipReason};
use super::fetch::{Answer, Asked};
use super::frontier::Task;
use super::records::{Heard, SightingRecord};
use super::sighting::{Hop, RobotsDecision, Sighting};
use crate::base::{Digest, Hasher};
use crate::net::{Kind, Opened, Request, shown};

/// The longest Content-Type that is recorded.
const CONTENT_TYPE_CHARS_MAX: usize = 200;

/// What a sighting says of the bytes themselves.
pub(super) struct Kept {
    pub(super) url: url::Url,
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
    pub(super) content_type: Option<String>,
    pub(super) peer: Option<String>,
    pub(super) robots: RobotsDecision,
    pub(super) warnings: Vec<String>,
}

impl<'a> Engine<'a> {
    /// Streams one media object into a file and hands it over.
    pub(super) async fn keep_media(&'a self, task: &Task, answer: Answer<'a>) -> Result<(), Stop> {
        let Answer { opened, robots, hops, held } = answer;
        let content_type = opened.content_type();
        let Opened { final_url, peer, mut body, .. } = opened;
        body.treat_as(Kind::Media);
        let (file, mut writer) = self.temporary_file(&final_url)?;
        let saved = body.save(&mut writer).await.map_err(|error| Stop::Fail(error.into()))?;
        held.end(saved.bytes);
        let (bytes, sha256, warnings) = (saved.bytes, saved.sha256, Vec::new());
        let kept = Kept { url: final_url, bytes, sha256, content_type, peer, robots, warnings };
        self.hand_over(task.from, kept, hops, file).await
    }

    /// Follows a stream's playlist.
    pub(super) async fn take_stream(
        &'a self,
        task: &Task,
        from: u64,
        url: &url::Url,
        hls: Hls,
    ) -> Result<(), Stop> {
        match hls {
            Hls::Master { chosen } => {
                let link = MediaLink { url: chosen, via: "playlist".to_owned(), kind: MediaKind::Playlist };
                self.take_one(task, from, link).await
            }
            Hls::Media { encrypted: Some(method), .. } => Err(Stop::Skip(SkipReason::Encrypted { method })),
            Hls::Media { segments, ended, .. } => {
                let live = "the stream is live: only what its playlist held at that moment was fetched";
                let warnings = if ended { Vec::new() } else { vec![live.to_owned()] };
                self.keep_segments(from, url, &segments, warnings).await
            }
        }
    }

    /// Joins the segments of a stream into one media object and hands it over. `from` is the playlist.
    async fn keep_segments(
        &'a self,
        from: u64,
        playlist: &url::Url,
        segments: &[Segment],
        mut warnings: Vec<String>,
    ) -> Result<(), Stop> {
        let (file, mut writer) = self.temporary_file(playlist)?;
        let mut hasher = Hasher::new();
        let (mut bytes, mut last) = (0, None);
        for (number, segment) in segments.iter().enumerate() {
            match self.append_segment(segment, from, bytes, &mut writer, &mut hasher).await {
                Ok((added, answer)) => {
                    bytes += added;
                    last = Some(answer);
                }
                // A stream that breaks off is still evidence as far as it goes, unless nothing came at all.
                Err(Stop::Fail(error) | Stop::NotNow(error)) if bytes > 0 => {
                    let total = segments.len();
                    warnings.push(format!(
                        "only {number} of {total} segments of the stream were fetched: {error}"
                    ));
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
        writer.flush().await.map_err(|source| self.keep_error(playlist, source))?;
        let Some((content_type, peer, robots)) = last else { return Ok(()) };
        let (url, sha256) = (playlist.clone(), hasher.finish());
        let kept = Kept { url, bytes, sha256, content_type, peer, robots, warnings };
        self.hand_over(Some(from), kept, Vec::new(), file).await
    }

    /// Appends one segment; gives its length and what its answer said.
    async fn append_segment(
        &'a self,
        segment: &Segment,
        from: u64,
        bytes_before: u64,
        writer: &mut File,
        hasher: &mut Hasher,
    ) -> Result<(u64, (Option<String>, Option<String>, RobotsDecision)), Stop> {
        let mut request = Request::new(segment.url.clone(), Kind::Media);
        request.referer = lock(&self.frontier).page_of(Some(from))?.map(|visit| visit.url);
        request.range = segment.range;
        let asked = Asked { request, via: "segment", stays: false, counts: false };
        let Answer { mut opened, robots, held, .. } = self.ask(asked, None).await?;
        if segment.range.is_some() && opened.status != 206 {
            let reason = "the server does not serve parts of the stream's file".to_owned();
            return Err(Stop::Fail(Error::Document { url: shown(&segment.url), reason }));
        }
        opened.body.cap_left(bytes_before);
        let content_type = opened.content_type();
        let added = opened.body.append(writer, hasher).await.map_err(|error| Stop::Fail(error.into()))?;
        held.end(added);
        Ok((added, (content_type, opened.peer, robots)))
    }

    /// Hands a media object over, waits until it was listened to, and keeps what was heard. `hops` are the requests of
    /// its own; those before follow from the document `from`.
    pub(super) async fn hand_over(
        &'a self,
        from: Option<u64>,
        kept: Kept,
        hops: Vec<Hop>,
        file: tempfile::TempPath,
    ) -> Result<(), Stop> {
        let (page, mut way) = {
            let mut frontier = lock(&self.frontier);
            (frontier.page_of(from)?, frontier.hops_to(from)?)
        };
        way.extend(hops);
        let sighting = Sighting {
            domain: domain_of(page.as_ref().map_or(&kept.url, |page| &page.url)),
            page_url: page.as_ref().map(|page| shown(&page.url)),
            page_title: page.and_then(|page| page.title),
            media_url: shown(&kept.url),
            hops: way,
            captured_at: self.clock.now(),
            sha256: kept.sha256,
            bytes: kept.bytes,
            content_type: kept.content_type.map(|text| text.chars().take(CONTENT_TYPE_CHARS_MAX).collect()),
            peer: kept.peer,
            robots: Some(kept.robots),
            warnings: kept.warnings,
        };
        let record = sighting.clone();
        let (hearing, heard) = oneshot::channel();
        self.tell(Event::Found(Box::new(Found { sighting, file }), Hearing(hearing))).await?;
        // Nobody answers: whoever listened has failed, and so does the run.
        let heard = heard.await.map_err(|_| Stop::Deaf)?;
        let mut frontier = lock(&self.frontier);
        frontier.job.summary.found += 1;
        self.count_heard(&mut frontier, &heard);
        Ok(frontier.keep(&SightingRecord::of(&self.plan.name, &record, heard))?)
    }

    pub(super) fn count_heard(&self, frontier: &mut super::frontier::Frontier<'_>, heard: &Heard) {
        if heard.media_s.is_finite() {
            frontier.job.media_s += heard.media_s.max(0.0);
        }
    }

    pub(super) fn temporary_file(&self, url: &url::Url) -> Result<(tempfile::TempPath, File), Stop> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("earwitness-").suffix(".media");
        let file = match &self.plan.work_dir {
            Some(folder) => builder.tempfile_in(folder),
            None => builder.tempfile(),
        };
        let (file, path) = file.map_err(|source| self.keep_error(url, source))?.into_parts();
        Ok((path, File::from_std(file)))
    }

    pub(super) fn keep_error(&self, url: &url::Url, source: std::io::Error) -> Stop {
        let folder = self.plan.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        Stop::Fail(Error::Keep { url: shown(url), folder, source })
    }
}
