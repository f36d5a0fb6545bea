//! Keeping media: bytes into a file, and the sighting that goes with it.

use tokio::fs::File;
use tokio::sync::oneshot;

use super::address::domain_of;
use super::engine::{Engine, Stop};
use super::event::{Error, Event, Found, Hearing};
use super::exchanges::Exchanges;
use super::fetch::Answer;
use super::frontier::InHand;
use super::records::{Heard, SightingRecord};
use super::sighting::{Hop, InArchive, RobotsDecision, Sighting};
use super::sniff::Content;
use crate::base::{Digest, Timestamp, lock};
use crate::net::{Kind, Opened, Validators, shown};

/// The longest Content-Type that is recorded.
const CONTENT_TYPE_CHARS_MAX: usize = 200;

/// What a sighting says of the bytes themselves.
pub(super) struct Kept {
    pub(super) url: url::Url,
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
    /// When the last of them came.
    pub(super) at: Timestamp,
    pub(super) content_type: Option<String>,
    pub(super) peer: Option<String>,
    pub(super) robots: RobotsDecision,
    /// What the server says of the version; of what is put together or taken out of an archive, nothing.
    pub(super) validators: Option<Validators>,
    pub(super) warnings: Vec<String>,
    /// What was recorded of its own requests; of what led there follows from the document.
    pub(super) exchanges: Exchanges,
}

impl<'a> Engine<'a> {
    /// Streams one media object into a file and hands it over.
    pub(super) async fn keep_media(
        &'a self,
        in_hand: &InHand,
        content: Content,
        answer: Answer<'a>,
    ) -> Result<(), Stop> {
        let Answer { opened, robots, hops, tracing, held } = answer;
        // Without codings the bytes are the media object itself.
        let is_coded = !opened.codings().is_empty();
        tracing.trace.want_body(if is_coded { self.client.page_bytes_max() } else { 0 });
        let (content_type, validators) = (opened.content_type(), opened.validators());
        let Opened { final_url, peer, mut body, .. } = opened;
        body.treat_as(Kind::Media);
        let (file, mut writer) = self.temporary_file(&final_url)?;
        let saved = body.save(&mut writer).await.map_err(|error| Stop::Fail(error.into()))?;
        held.end();
        let (traced, wire) = tracing.take();
        self.hold_body(wire)?;
        let kept = Kept {
            url: final_url,
            bytes: saved.bytes,
            sha256: saved.sha256,
            at: self.clock.now(),
            content_type,
            peer,
            robots,
            validators,
            warnings: Vec::new(),
            exchanges: traced.into(),
        };
        self.deliver(in_hand, content, kept, hops, file).await
    }

    /// Does what a file that has come calls for: an archive is gone through, anything else handed over.
    pub(super) async fn deliver(
        &'a self,
        in_hand: &InHand,
        content: Content,
        kept: Kept,
        hops: Vec<Hop>,
        file: tempfile::TempPath,
    ) -> Result<(), Stop> {
        match content {
            Content::Archive(_) => Box::pin(self.unpack(in_hand, kept, hops, file)).await,
            _ => {
                let validators = kept.validators.clone();
                let heard = self.hand_over(in_hand.task.from, kept, hops, None, file).await?;
                Ok(self.remember_stranger(&in_hand.task, validators, &heard)?)
            }
        }
    }

    /// Hands a media object over, waits until it was listened to, and keeps what was heard. `hops` are the requests of
    /// its own; those before follow from the document `from`.
    pub(super) async fn hand_over(
        &'a self,
        from: Option<u64>,
        mut kept: Kept,
        hops: Vec<Hop>,
        archive: Option<InArchive>,
        file: tempfile::TempPath,
    ) -> Result<Heard, Stop> {
        let (page, mut way, exchanges) = {
            let mut frontier = lock(&self.frontier);
            let exchanges = frontier.exchanges_to(from, kept.exchanges)?;
            (frontier.page_of(from)?, frontier.hops_to(from)?, exchanges)
        };
        way.extend(hops);
        let (exchanges, has_left_out) = exchanges.into_parts();
        if has_left_out {
            let warning = format!("only {} of the requests on the way are recorded", exchanges.len());
            kept.warnings.push(warning);
        }
        let sighting = Sighting {
            domain: domain_of(page.as_ref().map_or(&kept.url, |page| &page.url)),
            page_url: page.as_ref().map(|page| shown(&page.url)),
            page_screenshot: page.as_ref().and_then(|page| page.screenshot),
            page_title: page.and_then(|page| page.title),
            media_url: shown(&kept.url),
            hops: way,
            captured_at: kept.at,
            sha256: kept.sha256,
            bytes: kept.bytes,
            content_type: kept.content_type.map(|text| text.chars().take(CONTENT_TYPE_CHARS_MAX).collect()),
            peer: kept.peer,
            robots: Some(kept.robots),
            archive,
            warnings: kept.warnings,
        };
        let record = sighting.clone();
        let (hearing, heard) = oneshot::channel();
        self.tell(Event::Found(Box::new(Found { sighting, file, exchanges }), Hearing(hearing))).await?;
        // Nobody answers: whoever listened has failed, and so does the run.
        let heard = heard.await.map_err(|_| Stop::Deaf)?;
        let mut frontier = lock(&self.frontier);
        frontier.job.summary.found += 1;
        self.count_heard(&mut frontier, &heard);
        frontier.keep(&SightingRecord::of(&self.plan.name, &record, heard.clone()))?;
        Ok(heard)
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
