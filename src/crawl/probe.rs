//! Listening to windows of a long media object before it is fetched whole, so that an hour of a stranger costs seconds
//! of audio.
//!
//! The first request asks for the head only. Where that, listened to, shows that the whole would be long, windows follow:
//! the tail and one every ten minutes. All of them, joined, are listened to once; the decoders of the formats that are
//! probed find their place again behind a gap. Where nothing is heard the object is a stranger by its windows, which is
//! what is recorded; else all of it is fetched.

use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use url::Url;

use super::engine::{Engine, Stop, lock};
use super::event::{Error, Event, Hearing, Probe};
use super::fetch::{Answer, Asked};
use super::frontier::InHand;
use super::keep::Kept;
use super::lanes::Slot;
use super::read::may_be_media;
use super::records::{Heard, SightingRecord, Window};
use super::sighting::{Hop, RobotsDecision};
use super::sniff::{Content, HEAD_BYTES, sniff};
use crate::base::{Digest, Hasher};
use crate::net::{self, Kind, Request, Version, shown};

/// The head: at 128 kbit/s some 16 seconds, at 320 kbit/s some 6.
const HEAD: u64 = 256 << 10;
/// Media shorter than this are fetched whole without further ado: 15 minutes at 48 kbit/s.
const WHOLE_MAX: u64 = 5 << 20;
/// A longer tag in front of the audio is not skipped over: the whole is fetched.
const TAG_MAX: u64 = 8 << 20;
/// How much audio a window should hold, in seconds.
const WINDOW_S: f64 = 15.0;
const WINDOW_BYTES_MIN: u64 = 64 << 10;
const WINDOW_BYTES_MAX: u64 = 2 << 20;
/// One window for so many seconds.
const EVERY_S: f64 = 600.0;
/// A set of two days has no more windows than this.
const WINDOWS_MAX: u64 = 300;

/// What has come of a media object so far.
struct Begun {
    url: Url,
    /// Its length in bytes.
    total: u64,
    /// Its first bytes.
    head: Vec<u8>,
    /// How many of them are a tag in front of the audio.
    tag: u64,
    content_type: Option<String>,
    content: Content,
    version: Version,
    peer: Option<String>,
    robots: RobotsDecision,
    hops: Vec<Hop>,
}

impl<'a> Engine<'a> {
    /// Fetches a media object, in windows first where it is long.
    pub(super) async fn visit_media(&'a self, in_hand: &InHand, slot: Slot<'a>) -> Result<(), Stop> {
        let answer = match self.fetch_range(in_hand, Some((0, HEAD)), None, Some(slot)).await {
            // Some servers refuse ranges of what is shorter than asked for, or send another piece.
            Err(Stop::Fail(Error::Net(
                net::Error::Status { status: 416, .. } | net::Error::Piece { .. },
            ))) => self.fetch_range(in_hand, None, None, None).await?,
            other => other?,
        };
        let piece = answer.opened.content_range();
        let Some(total) = piece.and_then(|piece| piece.total).filter(|&total| total > HEAD) else {
            return self.take_answer(in_hand, answer).await;
        };
        let begun = self.begin(answer, total).await?;
        match begun.content {
            Content::Media if total > WHOLE_MAX && can_be_probed(&begun.head) => {
                self.probe(in_hand, begun).await
            }
            Content::Media | Content::Archive(_) => self.fetch_rest(in_hand, begun).await,
            Content::Other if may_be_media(begun.content_type.as_deref()) => {
                self.fetch_rest(in_hand, begun).await
            }
            _ => {
                let answer = self.fetch_range(in_hand, None, None, None).await?;
                self.take_answer(in_hand, answer).await
            }
        }
    }

    /// Reads the head of a media object.
    async fn begin(&'a self, answer: Answer<'a>, total: u64) -> Result<Begun, Stop> {
        let url = answer.opened.final_url.clone();
        let (content_type, peer) = (answer.opened.content_type(), answer.opened.peer.clone());
        let (robots, hops) = (answer.robots.clone(), answer.hops.clone());
        let version = answer.opened.version();
        let head = self.read_window(answer, HEAD).await?;
        let tag = id3_length(&head);
        let content = sniff(content_type.as_deref(), &head[..head.len().min(HEAD_BYTES)]);
        Ok(Begun { url, total, head, tag, content_type, content, version, peer, robots, hops })
    }

    /// Listens to windows, and fetches the whole where something is heard.
    async fn probe(&'a self, in_hand: &InHand, mut begun: Begun) -> Result<(), Stop> {
        let total = begun.total;
        if begun.tag > TAG_MAX || begun.tag + HEAD >= total {
            return self.fetch_rest(in_hand, begun).await;
        }
        if begun.tag > HEAD / 4 {
            // A picture in front of the audio: the head is to hold some audio behind it.
            match self.window(in_hand, &begun, begun.head.len() as u64, begun.tag).await? {
                Some(more) => begun.head.extend_from_slice(&more),
                None => return self.fetch_rest(in_hand, begun).await,
            }
        }
        let heard = self.listen_to(&begun.url, &[&begun.head]).await?;
        let threshold = self.plan.probe_over.unwrap_or_default().as_secs_f64();
        let audio_bytes = (begun.head.len() as u64).saturating_sub(begun.tag);
        let rate = audio_bytes as f64 / heard.media_s.max(0.1);
        let length_s = total as f64 / rate;
        let is_stranger_so_far = heard.recordings.is_empty() && heard.error.is_none();
        if !is_stranger_so_far || length_s <= threshold {
            return self.fetch_rest(in_hand, begun).await;
        }
        let mut windows = vec![(0, begun.head.clone())];
        for (first, count) in windows_of(begun.head.len() as u64, total, rate, length_s) {
            match self.window(in_hand, &begun, first, count).await? {
                Some(bytes) => windows.push((first, bytes)),
                None => return self.fetch_rest(in_hand, begun).await,
            }
        }
        let pieces: Vec<&[u8]> = windows.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let heard = self.listen_to(&begun.url, &pieces).await?;
        if !heard.recordings.is_empty() || heard.error.is_some() {
            return self.fetch_rest(in_hand, begun).await;
        }
        self.keep_probed(in_hand, &begun.url, total, &windows, heard)
    }

    /// Fetches one window; `None` where the server gives something else than what it was asked for.
    async fn window(
        &'a self,
        in_hand: &InHand,
        begun: &Begun,
        first: u64,
        count: u64,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let answer = match self.fetch_range(in_hand, Some((first, count)), Some(&begun.version), None).await {
            Ok(answer) => answer,
            Err(Stop::Fail(_) | Stop::NotNow(_)) => return Ok(None),
            Err(stop) => return Err(stop),
        };
        if answer.opened.total() != Some(begun.total) || first_of(&answer) != Some(first) {
            return Ok(None);
        }
        self.read_window(answer, count).await.map(Some)
    }

    /// Fetches what is left behind the head, and hands the whole over. A server that does not go on where it was asked
    /// to is asked for the whole again.
    async fn fetch_rest(&'a self, in_hand: &InHand, begun: Begun) -> Result<(), Stop> {
        let first = begun.head.len() as u64;
        let rest = (first, begun.total.saturating_sub(first));
        let answer = match self.fetch_range(in_hand, Some(rest), Some(&begun.version), None).await {
            // Another file has taken its place, or the server is not to be trusted with ranges.
            Err(Stop::Fail(Error::Net(
                net::Error::Changed { .. }
                | net::Error::Piece { .. }
                | net::Error::Status { status: 416, .. },
            ))) => self.fetch_range(in_hand, None, None, None).await?,
            other => other?,
        };
        let goes_on = answer.opened.total() == Some(begun.total)
            && first_of(&answer) == Some(first)
            && answer.opened.final_url == begun.url;
        if !goes_on {
            if answer.opened.content_range().is_none() {
                return self.take_answer(in_hand, answer).await;
            }
            drop(answer);
            let answer = self.fetch_range(in_hand, None, None, None).await?;
            return self.take_answer(in_hand, answer).await;
        }
        let Answer { mut opened, held, .. } = answer;
        let (file, mut writer) = self.temporary_file(&begun.url)?;
        let mut hasher = Hasher::new();
        hasher.update(&begun.head);
        writer.write_all(&begun.head).await.map_err(|source| self.keep_error(&begun.url, source))?;
        opened.body.treat_as(Kind::Media);
        opened.body.cap_left(first);
        let added =
            opened.body.append(&mut writer, &mut hasher).await.map_err(|error| Stop::Fail(error.into()))?;
        held.end();
        let kept = Kept {
            url: begun.url,
            bytes: first + added,
            sha256: hasher.finish(),
            content_type: begun.content_type,
            peer: begun.peer,
            robots: begun.robots,
            warnings: Vec::new(),
        };
        self.deliver(in_hand, begun.content, kept, begun.hops, file).await
    }

    async fn fetch_range(
        &'a self,
        in_hand: &InHand,
        range: Option<(u64, u64)>,
        version: Option<&Version>,
        slot: Option<Slot<'a>>,
    ) -> Result<Answer<'a>, Stop> {
        let task = &in_hand.task;
        let mut request = Request::new(task.url.clone(), Kind::Media);
        request.referer = lock(&self.frontier).page_of(task.from)?.map(|visit| visit.url);
        request.range = range.map(Into::into);
        request.version = version.cloned();
        let counts = range.is_none_or(|(first, _)| first == 0);
        self.ask(Asked { request, via: &task.via, stays: false, counts }, slot).await
    }

    async fn read_window(&'a self, answer: Answer<'a>, count: u64) -> Result<Vec<u8>, Stop> {
        let Answer { opened, held, .. } = answer;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let bytes = opened.body.collect_first(count).await.map_err(|error| Stop::Fail(error.into()))?;
        held.end();
        Ok(bytes)
    }

    /// Has the windows listened to, as one file.
    async fn listen_to(&'a self, url: &Url, windows: &[&[u8]]) -> Result<Heard, Stop> {
        let (file, mut writer) = self.temporary_file(url)?;
        for window in windows {
            writer.write_all(window).await.map_err(|source| self.keep_error(url, source))?;
        }
        writer.flush().await.map_err(|source| self.keep_error(url, source))?;
        drop(writer);
        let (hearing, heard) = oneshot::channel();
        let probe = Box::new(Probe { media_url: shown(url), file });
        self.tell(Event::Probe(probe, Hearing(hearing))).await?;
        heard.await.map_err(|_| Stop::Deaf)
    }

    fn keep_probed(
        &self,
        in_hand: &InHand,
        url: &Url,
        total: u64,
        windows: &[(u64, Vec<u8>)],
        heard: Heard,
    ) -> Result<(), Stop> {
        let mut frontier = lock(&self.frontier);
        frontier.job.summary.probed += 1;
        self.count_heard(&mut frontier, &heard);
        let page = frontier.page_of(in_hand.task.from)?;
        let media_url = shown(url);
        let windows = windows.iter().map(|(first, bytes)| Window {
            first: *first,
            bytes: bytes.len() as u64,
            sha256: Digest::of(bytes),
        });
        let record = SightingRecord {
            key: SightingRecord::key_of(&self.plan.name, &media_url),
            job: self.plan.name.clone(),
            media_url,
            page_url: page.map(|page| shown(&page.url)),
            captured_at: self.clock.now(),
            sha256: None,
            bytes: total,
            windows: windows.collect(),
            heard,
        };
        Ok(frontier.keep(&record)?)
    }
}

/// Where windows are taken behind the head: first byte and number of bytes, the tail last.
fn windows_of(head: u64, total: u64, rate: f64, length_s: f64) -> Vec<(u64, u64)> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped, and never negative"
    )]
    let (count, size) = ((length_s / EVERY_S) as u64, (rate * WINDOW_S) as u64);
    let (count, size) = (count.clamp(2, WINDOWS_MAX), size.clamp(WINDOW_BYTES_MIN, WINDOW_BYTES_MAX));
    (1..=count)
        .map(|number| (total.saturating_sub(size) / count * number, size))
        .filter(|&(first, size)| first >= head && first + size <= total)
        .collect()
}

/// Whether a format's decoder finds its place again in the middle of a file: MPEG audio, ADTS, Ogg, FLAC, transport
/// streams. MP4 and WAV need what stands elsewhere in the file.
fn can_be_probed(head: &[u8]) -> bool {
    let sync = |bytes: &[u8]| matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0);
    let is_stream = head.first() == Some(&0x47) && head.get(188) == Some(&0x47);
    head.starts_with(b"ID3")
        || head.starts_with(b"OggS")
        || head.starts_with(b"fLaC")
        || sync(head)
        || is_stream
}

/// The length of the ID3v2 tag in front of the audio, with its header.
fn id3_length(head: &[u8]) -> u64 {
    match head {
        [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] => {
            10 + [a, b, c, d].iter().fold(0, |length, &&byte| length << 7 | u64::from(byte & 0x7f))
        }
        _ => 0,
    }
}

/// The first byte of the piece that came, where a piece came.
fn first_of(answer: &Answer<'_>) -> Option<u64> {
    answer.opened.content_range().map(|piece| piece.first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_lie_behind_the_head_and_end_with_the_tail() {
        // An hour at 128 kbit/s.
        let (total, rate) = (57_600_000, 16_000.0);
        let windows = windows_of(HEAD, total, rate, 3600.0);
        assert_eq!(windows.len(), 6);
        assert_eq!(windows.last().map(|(first, size)| first + size), Some(total));
        assert!(windows.iter().all(|&(first, size)| first >= HEAD && size == 240_000));
        assert!(HEAD + windows.iter().map(|window| window.1).sum::<u64>() < total / 25);
        assert_eq!(windows_of(HEAD, HEAD + 10, rate, 3600.0), []);
    }

    #[test]
    fn tags_and_formats() {
        assert_eq!(id3_length(b"ID3\x04\x00\x00\x00\x00\x02\x01rest"), 10 + 257);
        assert_eq!(id3_length(b"\xff\xfb\x90\x00"), 0);
        assert!(can_be_probed(b"OggS") && can_be_probed(b"\xff\xfb\x90") && !can_be_probed(b"RIFF"));
    }
}
