//! Streams in segments (HLS, DASH): the pieces in order, decrypted where their key is openly served, joined into one media
//! object.

use std::collections::HashMap;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use url::Url;

use super::discover::{MediaKind, MediaLink, Segment, SegmentKey, Stream, decrypt};
use super::engine::{Engine, Stop};
use super::event::{Error, SkipReason};
use super::exchanges::Exchanges;
use super::fetch::{Answer, Asked};
use super::frontier::Task;
use super::keep::Kept;
use super::sighting::RobotsDecision;
use crate::base::{Hasher, lock};
use crate::net::{Body, Kind, Request, shown};

/// How often a segment is asked for again after "not now".
const REFUSALS_MAX: u32 = 3;
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
    /// What was recorded of the segments and keys.
    exchanges: Exchanges,
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
        let exchanges = Exchanges::default();
        let mut joining = Joining { from, playlist, writer, hasher, bytes: 0, keys, exchanges, last: None };
        for (number, segment) in segments.iter().enumerate() {
            let mut came = Box::pin(self.append_segment(segment, &mut joining)).await;
            for _ in 0..REFUSALS_MAX {
                if !matches!(came, Err(Stop::NotNow(_))) {
                    break;
                }
                // The host's turn waits for as long as it asked.
                came = Box::pin(self.append_segment(segment, &mut joining)).await;
            }
            let why = match came {
                Ok(()) => continue,
                Err(Stop::Fail(error) | Stop::NotNow(error)) if joining.bytes > 0 => error.to_string(),
                Err(Stop::Skip(reason)) if joining.bytes > 0 => reason.to_string(),
                Err(stop) => return Err(stop),
            };
            // A stream that breaks off is still evidence as far as it goes.
            let total = segments.len();
            warnings.push(format!("only {number} of {total} segments of the stream were fetched: {why}"));
            break;
        }
        let Joining { mut writer, hasher, exchanges, last, .. } = joining;
        writer.flush().await.map_err(|source| self.keep_error(playlist, source))?;
        // With what came of a segment that broke off, which the digest is of, too.
        let bytes = writer.metadata().await.map_err(|source| self.keep_error(playlist, source))?.len();
        let Some((content_type, peer, robots)) = last else { return Ok(()) };
        let (url, sha256) = (playlist.clone(), hasher.finish());
        let at = self.clock.now();
        let validators = None;
        let kept =
            Kept { url, bytes, sha256, at, content_type, peer, robots, validators, warnings, exchanges };
        self.hand_over(Some(from), kept, Vec::new(), None, file).await.map(drop)
    }

    /// Appends one segment.
    async fn append_segment(&'a self, segment: &Segment, joining: &mut Joining<'_>) -> Result<(), Stop> {
        let key = match &segment.key {
            Some(key) => Some((self.key_of(key, joining).await?, key.iv)),
            None => None,
        };
        let mut answer = self.ask_piece(&segment.url, segment.range, joining.from).await?;
        let piece = answer.opened.content_range();
        if segment.range.is_some_and(|(_, count)| piece.is_none_or(|piece| piece.len() != count)) {
            let reason = "the server does not serve parts of the stream's file".to_owned();
            return Err(Stop::Fail(Error::Document { url: shown(&segment.url), reason }));
        }
        let content_type = answer.opened.content_type();
        answer.opened.body.cap_left(joining.bytes);
        let Answer { opened, robots, tracing, held, .. } = answer;
        // Of others the joined bytes are those that came.
        let is_apart = key.is_some() || !opened.codings().is_empty();
        tracing.trace.want_body(if is_apart { self.client.page_bytes_max() } else { 0 });
        let appended = self.append_body(segment, opened.body, key, joining).await;
        // What broke off is recorded, too.
        let (traced, wire) = tracing.take();
        joining.exchanges.add(traced);
        joining.bytes += appended?;
        held.end();
        self.hold_body(wire)?;
        joining.last = Some((content_type, opened.peer, robots));
        Ok(())
    }

    /// Appends a segment's bytes, decrypted where there is a key, and returns how many they are.
    async fn append_body(
        &'a self,
        segment: &Segment,
        mut body: Body,
        key: Option<(Vec<u8>, [u8; 16])>,
        joining: &mut Joining<'_>,
    ) -> Result<u64, Stop> {
        let fail = |error: crate::net::Error| Stop::Fail(error.into());
        let Some((key, iv)) = key else {
            return body.append(&mut joining.writer, &mut joining.hasher).await.map_err(fail);
        };
        // Decrypted as a whole, so that it must fit into memory: as much as a page may.
        body.treat_as(Kind::Page);
        let bytes = body.collect().await.map_err(fail)?;
        let wrong = |reason: String| Stop::Fail(Error::Document { url: shown(&segment.url), reason });
        let plain = decrypt(bytes, &key, &iv).map_err(|error| wrong(error.to_string()))?;
        if joining.bytes + plain.len() as u64 > self.client.media_bytes_max() {
            return Err(wrong("the stream is longer than fetch.media_bytes_max".to_owned()));
        }
        joining.hasher.update(&plain);
        let written = joining.writer.write_all(&plain).await;
        written.map_err(|source| self.keep_error(joining.playlist, source))?;
        Ok(plain.len() as u64)
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
        let (traced, wire) = answer.tracing.take();
        joining.exchanges.add(traced);
        self.hold_body(wire)?;
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
