//! Streams in segments (HLS, DASH): the pieces in order, decrypted where their key is openly served, joined into one media
//! object.

use std::collections::HashMap;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use url::Url;

use super::discover::{MediaKind, MediaLink, Segment, SegmentKey, Stream, decrypt};
use super::engine::{Engine, Stop, lock};
use super::event::{Error, SkipReason};
use super::fetch::{Answer, Asked};
use super::frontier::Task;
use super::keep::Kept;
use super::sighting::RobotsDecision;
use crate::base::Hasher;
use crate::net::{Kind, Request, shown};

/// Keys that one stream may use; a new one for each of very many segments is a trap.
const KEYS_MAX: usize = 200;
/// What is read of a key; it has 16 bytes, and more than these are an error page.
const KEY_BYTES_MAX: usize = 64;

/// A stream on its way into a file.
struct Joining<'s> {
    /// The playlist's number.
    from: u64,
    playlist: &'s Url,
    writer: File,
    hasher: Hasher,
    bytes: u64,
    keys: HashMap<Url, Vec<u8>>,
    /// What the last answer said.
    last: Option<(Option<String>, Option<String>, RobotsDecision)>,
}

impl<'a> Engine<'a> {
    /// Follows a stream's playlist.
    pub(super) async fn take_stream(
        &'a self,
        task: &Task,
        from: u64,
        url: &Url,
        stream: Stream,
    ) -> Result<(), Stop> {
        match stream {
            Stream::Choice { chosen } => {
                let link = MediaLink { url: chosen, via: "playlist".to_owned(), kind: MediaKind::Playlist };
                self.take_one(task, from, link).await
            }
            Stream::Segments { encrypted: Some(method), .. } => {
                Err(Stop::Skip(SkipReason::Encrypted { method }))
            }
            Stream::Segments { segments, ended, .. } => {
                let live = "the stream is live: only what its playlist held at that moment was fetched";
                let mut warnings = if ended { Vec::new() } else { vec![live.to_owned()] };
                if segments.iter().any(|segment| segment.key.is_some()) {
                    warnings.push("decrypted with the key that the playlist names (AES-128)".to_owned());
                }
                self.keep_segments(from, url, &segments, warnings).await
            }
        }
    }

    /// Joins the segments of a stream into one media object and hands it over. `from` is the playlist.
    async fn keep_segments(
        &'a self,
        from: u64,
        playlist: &Url,
        segments: &[Segment],
        mut warnings: Vec<String>,
    ) -> Result<(), Stop> {
        let (file, writer) = self.temporary_file(playlist)?;
        let (hasher, keys) = (Hasher::new(), HashMap::new());
        let mut joining = Joining { from, playlist, writer, hasher, bytes: 0, keys, last: None };
        for (number, segment) in segments.iter().enumerate() {
            match Box::pin(self.append_segment(segment, &mut joining)).await {
                Ok(()) => {}
                // A stream that breaks off is still evidence as far as it goes, unless nothing came at all.
                Err(Stop::Fail(error) | Stop::NotNow(error)) if joining.bytes > 0 => {
                    let total = segments.len();
                    warnings.push(format!(
                        "only {number} of {total} segments of the stream were fetched: {error}"
                    ));
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
        let Joining { mut writer, hasher, bytes, last, .. } = joining;
        writer.flush().await.map_err(|source| self.keep_error(playlist, source))?;
        let Some((content_type, peer, robots)) = last else { return Ok(()) };
        let (url, sha256) = (playlist.clone(), hasher.finish());
        let kept = Kept { url, bytes, sha256, content_type, peer, robots, warnings };
        self.hand_over(Some(from), kept, Vec::new(), None, file).await
    }

    /// Appends one segment.
    async fn append_segment(&'a self, segment: &Segment, joining: &mut Joining<'_>) -> Result<(), Stop> {
        let key = match &segment.key {
            Some(key) => Some((self.key_of(key, joining).await?, key.iv)),
            None => None,
        };
        let mut answer = self.ask_piece(&segment.url, segment.range, joining.from).await?;
        if segment.range.is_some() && answer.opened.content_range().is_none() {
            let reason = "the server does not serve parts of the stream's file".to_owned();
            return Err(Stop::Fail(Error::Document { url: shown(&segment.url), reason }));
        }
        let content_type = answer.opened.content_type();
        let Answer { ref mut opened, .. } = answer;
        opened.body.cap_left(joining.bytes);
        let fail = |error: crate::net::Error| Stop::Fail(error.into());
        let Answer { opened, robots, held, .. } = answer;
        joining.bytes += match key {
            None => opened.body.append(&mut joining.writer, &mut joining.hasher).await.map_err(fail)?,
            Some((key, iv)) => {
                let mut body = opened.body;
                // Decrypted as a whole, so that it must fit into memory: as much as a page may.
                body.treat_as(Kind::Page);
                let bytes = body.collect().await.map_err(fail)?;
                let plain = decrypt(bytes, &key, &iv).map_err(|error| {
                    let reason = error.to_string();
                    Stop::Fail(Error::Document { url: shown(&segment.url), reason })
                })?;
                joining.hasher.update(&plain);
                let written = joining.writer.write_all(&plain).await;
                written.map_err(|source| self.keep_error(joining.playlist, source))?;
                plain.len() as u64
            }
        };
        held.end();
        joining.last = Some((content_type, opened.peer, robots));
        Ok(())
    }

    /// A segment's key, fetched once.
    async fn key_of(&'a self, key: &SegmentKey, joining: &mut Joining<'_>) -> Result<Vec<u8>, Stop> {
        if let Some(known) = joining.keys.get(&key.url) {
            return Ok(known.clone());
        }
        if joining.keys.len() >= KEYS_MAX {
            let method = format!("AES-128 with more than {KEYS_MAX} keys");
            return Err(Stop::Skip(SkipReason::Encrypted { method }));
        }
        let answer = match self.ask_piece(&key.url, None, joining.from).await {
            Ok(answer) => answer,
            // Whoever asks for more than the URL does not serve the key openly, and no way around is taken.
            Err(Stop::Fail(error)) => {
                let method = format!("AES-128, the key is not served: {error}");
                return Err(Stop::Skip(SkipReason::Encrypted { method }));
            }
            Err(stop) => return Err(stop),
        };
        let bytes = answer.opened.body.collect_first(KEY_BYTES_MAX).await;
        let bytes = bytes.map_err(|error| Stop::Fail(error.into()))?;
        answer.held.end();
        joining.keys.insert(key.url.clone(), bytes.clone());
        Ok(bytes)
    }

    async fn ask_piece(
        &'a self,
        url: &Url,
        range: Option<(u64, u64)>,
        from: u64,
    ) -> Result<Answer<'a>, Stop> {
        let mut request = Request::new(url.clone(), Kind::Media);
        request.referer = lock(&self.frontier).page_of(Some(from))?.map(|visit| visit.url);
        request.range = range.map(Into::into);
        self.ask(Asked { request, via: "segment", stays: false, counts: false }, None).await
    }
}
