//! Keeping media: bytes into a file, and the sighting that goes with it.

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::address::domain_of;
use super::discover::Segment;
use super::engine::{Engine, Stop};
use super::event::{Error, Event, Found};
use super::fetch::Answer;
use super::frontier::Task;
use super::sighting::{RobotsDecision, Sighting};
use crate::base::{Digest, Hasher};
use crate::net::{Kind, Opened, Request, shown};

/// The longest Content-Type that is recorded.
const CONTENT_TYPE_CHARS_MAX: usize = 200;

/// What a sighting says of the bytes themselves.
struct Kept {
    url: url::Url,
    bytes: u64,
    sha256: Digest,
    content_type: Option<String>,
    peer: Option<String>,
    robots: RobotsDecision,
    warnings: Vec<String>,
}

impl Engine<'_> {
    /// Streams one media object into a file and hands it over.
    pub(super) async fn keep_media(&mut self, task: &Task, answer: Answer) -> Result<(), Stop> {
        let Answer { opened, robots, hops } = answer;
        let content_type = opened.content_type();
        let Opened { final_url, peer, mut body, .. } = opened;
        body.treat_as(Kind::Media);
        let (file, mut writer) = self.temporary_file(&final_url)?;
        let saved = body.save(&mut writer).await.map_err(|error| Stop::Fail(error.into()))?;
        let (bytes, sha256, warnings) = (saved.bytes, saved.sha256, Vec::new());
        let kept = Kept { url: final_url, bytes, sha256, content_type, peer, robots, warnings };
        let mut way = self.frontier.hops_to(task.from);
        way.extend(hops);
        self.hand_over(task.from, kept, way, file).await
    }

    /// Joins the segments of a stream into one media object and hands it over. `from` is the playlist.
    pub(super) async fn keep_segments(
        &mut self,
        from: usize,
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
        let way = self.frontier.hops_to(Some(from));
        self.hand_over(Some(from), kept, way, file).await
    }

    /// Appends one segment; gives its length and what its answer said.
    async fn append_segment(
        &mut self,
        segment: &Segment,
        from: usize,
        bytes_before: u64,
        writer: &mut File,
        hasher: &mut Hasher,
    ) -> Result<(u64, (Option<String>, Option<String>, RobotsDecision)), Stop> {
        let robots = self.ask_robots(&segment.url).await?;
        let mut request = Request::new(segment.url.clone(), Kind::Media);
        request.referer = self.frontier.page_of(Some(from)).map(|visit| visit.url.clone());
        request.range = segment.range.map(Into::into);
        let fail = |error: crate::net::Error| Stop::Fail(error.into());
        let mut opened = self.client.open(request).await.map_err(fail)?.successful().map_err(fail)?;
        if segment.range.is_some() && opened.status != 206 {
            let reason = "the server does not serve parts of the stream's file".to_owned();
            return Err(Stop::Fail(Error::Document { url: shown(&segment.url), reason }));
        }
        opened.body.cap_left(bytes_before);
        let content_type = opened.content_type();
        let added = opened.body.append(writer, hasher).await.map_err(fail)?;
        Ok((added, (content_type, opened.peer, robots)))
    }

    async fn hand_over(
        &mut self,
        from: Option<usize>,
        kept: Kept,
        hops: Vec<super::sighting::Hop>,
        file: tempfile::TempPath,
    ) -> Result<(), Stop> {
        let page = self.frontier.page_of(from);
        let sighting = Sighting {
            domain: domain_of(page.map_or(&kept.url, |page| &page.url)),
            page_url: page.map(|page| shown(&page.url)),
            page_title: page.and_then(|page| page.title.clone()),
            media_url: shown(&kept.url),
            hops,
            captured_at: self.clock.now(),
            sha256: kept.sha256,
            bytes: kept.bytes,
            content_type: kept.content_type.map(|text| text.chars().take(CONTENT_TYPE_CHARS_MAX).collect()),
            peer: kept.peer,
            robots: Some(kept.robots),
            warnings: kept.warnings,
        };
        self.summary.found += 1;
        self.tell(Event::Found(Box::new(Found { sighting, file }))).await
    }

    fn temporary_file(&self, url: &url::Url) -> Result<(tempfile::TempPath, File), Stop> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("earwitness-").suffix(".media");
        let file = match &self.plan.work_dir {
            Some(folder) => builder.tempfile_in(folder),
            None => builder.tempfile(),
        };
        let (file, path) = file.map_err(|source| self.keep_error(url, source))?.into_parts();
        Ok((path, File::from_std(file)))
    }

    fn keep_error(&self, url: &url::Url, source: std::io::Error) -> Stop {
        let folder = self.plan.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        Stop::Fail(Error::Keep { url: shown(url), folder, source })
    }
}
