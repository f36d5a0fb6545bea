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

use super::engine::{Engine, Stop};
use super::event::{Error, Event, Hearing, Probe};
use super::exchanges::{Exchanges, Traced};
use super::fetch::{Answer, Asked};
use super::frontier::InHand;
use super::keep::Kept;
use super::lanes::Slot;
use super::read::may_be_media;
use super::records::{Heard, SightingRecord, Window};
use super::sighting::{Hop, RobotsDecision};
use super::sniff::{Content, HEAD_BYTES, sniff};
use crate::base::{Digest, Hasher, lock};
use crate::net::{self, Kind, Request, Validators, Version, shown};

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
    /// Where its audio lies.
    layout: Layout,
    content_type: Option<String>,
    content: Content,
    version: Version,
    peer: Option<String>,
    robots: RobotsDecision,
    hops: Vec<Hop>,
    validators: Option<Validators>,
    /// What was recorded of its requests, those for windows too.
    exchanges: Exchanges,
}

/// Windows one after the other in a file.
struct Joined {
    file: tempfile::TempPath,
    writer: tokio::fs::File,
    windows: Vec<Window>,
}

impl<'a> Engine<'a> {
    /// Fetches a media object, in windows first where it is long.
    pub(super) async fn visit_media(&'a self, in_hand: &InHand, slot: Slot<'a>) -> Result<(), Stop> {
        let mut slot = Some(slot);
        if self.visit_stranger_again(in_hand, &mut slot).await?.is_some() {
            return Ok(());
        }
        let answer = match self.fetch_range(in_hand, Some((0, HEAD)), None, slot).await {
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
            Content::Media
                if total > WHOLE_MAX
                    && total <= self.client.media_bytes_max()
                    && begun.layout.can_be_probed =>
            {
                Box::pin(self.probe(in_hand, begun)).await
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
        let (version, validators) = (answer.opened.version(), answer.opened.validators());
        let (head, traced) = self.read_window(answer, HEAD).await?;
        let exchanges = traced.into();
        let layout = Layout::of(&head);
        let content = sniff(content_type.as_deref(), &head[..head.len().min(HEAD_BYTES)]);
        Ok(Begun {
            url,
            total,
            head,
            layout,
            content_type,
            content,
            version,
            peer,
            robots,
            hops,
            validators,
            exchanges,
        })
    }

    /// Listens to windows, and fetches the whole where something is heard.
    async fn probe(&'a self, in_hand: &InHand, mut begun: Begun) -> Result<(), Stop> {
        let total = begun.total;
        if begun.layout.audio_at > TAG_MAX || begun.layout.audio_at + HEAD >= total {
            return self.fetch_rest(in_hand, begun).await;
        }
        if begun.layout.audio_at > HEAD / 4 {
            // A picture in front of the audio: the head is to hold some audio behind it.
            let (first, count) = (begun.head.len() as u64, begun.layout.audio_at);
            match self.window(in_hand, &mut begun, first, count).await? {
                Some(more) => begun.head.extend_from_slice(&more),
                None => return self.fetch_rest(in_hand, begun).await,
            }
        }
        let mut joined = self.joined(&begun.url, &begun.head).await?;
        let heard = self.listen_to(&begun.url, joined).await?;
        let threshold = self.plan.probe_over.unwrap_or_default().as_secs_f64();
        let audio_bytes = (begun.head.len() as u64).saturating_sub(begun.layout.audio_at);
        let rate = audio_bytes as f64 / heard.media_s.max(0.1);
        let length_s = total as f64 / rate;
        let is_stranger_so_far = heard.recordings.is_empty() && heard.error.is_none();
        if !is_stranger_so_far || length_s <= threshold {
            return self.fetch_rest(in_hand, begun).await;
        }
        joined = self.joined(&begun.url, &begun.head).await?;
        for (first, count) in windows_of(begun.head.len() as u64, total, begun.layout, rate, length_s) {
            match self.window(in_hand, &mut begun, first, count).await? {
                Some(bytes) => self.join(&begun.url, &mut joined, first, &bytes).await?,
                None => return self.fetch_rest(in_hand, begun).await,
            }
        }
        let windows = joined.windows.clone();
        let heard = self.listen_to(&begun.url, joined).await?;
        // Where the decoder did not find its place again behind a gap, the windows say nothing.
        let bytes: u64 = windows.iter().map(|window| window.bytes).sum();
        let is_heard = heard.media_s >= 0.5 * bytes.saturating_sub(begun.layout.audio_at) as f64 / rate;
        if !heard.recordings.is_empty() || heard.error.is_some() || !is_heard {
            return self.fetch_rest(in_hand, begun).await;
        }
        self.keep_probed(in_hand, &begun.url, total, windows, heard)
    }

    /// Fetches one window; `None` where the server gives something else than what it was asked for.
    async fn window(
        &'a self,
        in_hand: &InHand,
        begun: &mut Begun,
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
        let (bytes, traced) = self.read_window(answer, count).await?;
        begun.exchanges.add(traced);
        Ok((bytes.len() as u64 == count).then_some(bytes))
    }

    /// Fetches what is left behind the head, and hands the whole over. A server that does not go on where it was asked
    /// to is asked for the whole again.
    async fn fetch_rest(&'a self, in_hand: &InHand, mut begun: Begun) -> Result<(), Stop> {
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
        // A server that caps its pieces gives only a part of the rest.
        let goes_on = answer.opened.total() == Some(begun.total)
            && answer
                .opened
                .content_range()
                .is_some_and(|piece| piece.first == first && piece.last + 1 == begun.total)
            && answer.opened.final_url == begun.url;
        if !goes_on {
            if answer.opened.content_range().is_none() {
                return self.take_answer(in_hand, answer).await;
            }
            drop(answer);
            let answer = self.fetch_range(in_hand, None, None, None).await?;
            return self.take_answer(in_hand, answer).await;
        }
        let Answer { mut opened, hops, tracing, held, .. } = answer;
        tracing.trace.want_body(0);
        begun.hops.extend(hops);
        let (file, mut writer) = self.temporary_file(&begun.url)?;
        let mut hasher = Hasher::new();
        hasher.update(&begun.head);
        writer.write_all(&begun.head).await.map_err(|source| self.keep_error(&begun.url, source))?;
        opened.body.treat_as(Kind::Media);
        opened.body.cap_left(first);
        let added =
            opened.body.append(&mut writer, &mut hasher).await.map_err(|error| Stop::Fail(error.into()))?;
        held.end();
        begun.exchanges.add(tracing.take().0);
        let kept = Kept {
            url: begun.url,
            bytes: first + added,
            sha256: hasher.finish(),
            at: self.clock.now(),
            content_type: begun.content_type,
            peer: begun.peer,
            robots: begun.robots,
            validators: begun.validators,
            warnings: Vec::new(),
            exchanges: begun.exchanges,
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

    async fn read_window(&'a self, answer: Answer<'a>, count: u64) -> Result<(Vec<u8>, Vec<Traced>), Stop> {
        let Answer { opened, tracing, held, .. } = answer;
        tracing.trace.want_body(0);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let bytes = opened.body.collect_first(count).await.map_err(|error| Stop::Fail(error.into()))?;
        held.end();
        Ok((bytes, tracing.take().0))
    }

    /// Begins a file of windows with the head.
    async fn joined(&'a self, url: &Url, head: &[u8]) -> Result<Joined, Stop> {
        let (file, writer) = self.temporary_file(url)?;
        let mut joined = Joined { file, writer, windows: Vec::new() };
        self.join(url, &mut joined, 0, head).await?;
        Ok(joined)
    }

    async fn join(&'a self, url: &Url, joined: &mut Joined, first: u64, bytes: &[u8]) -> Result<(), Stop> {
        joined.writer.write_all(bytes).await.map_err(|source| self.keep_error(url, source))?;
        joined.windows.push(Window { first, bytes: bytes.len() as u64, sha256: Digest::of(bytes) });
        Ok(())
    }

    /// Has windows listened to, as one file.
    async fn listen_to(&'a self, url: &Url, joined: Joined) -> Result<Heard, Stop> {
        let Joined { file, mut writer, .. } = joined;
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
        windows: Vec<Window>,
        heard: Heard,
    ) -> Result<(), Stop> {
        let mut frontier = lock(&self.frontier);
        frontier.job.summary.probed += 1;
        self.count_heard(&mut frontier, &heard);
        let page = frontier.page_of(in_hand.task.from)?;
        let media_url = shown(url);
        let record = SightingRecord {
            key: SightingRecord::key_of(&self.plan.name, &media_url),
            job: self.plan.name.clone(),
            media_url,
            page_url: page.map(|page| shown(&page.url)),
            captured_at: self.clock.now(),
            unchanged_at: None,
            sha256: None,
            bytes: total,
            windows,
            heard,
        };
        Ok(frontier.keep(&record)?)
    }
}

/// Where windows are taken behind the head: first byte and number of bytes, the tail last. Each begins and ends where a
/// sample does.
fn windows_of(head: u64, total: u64, layout: Layout, rate: f64, length_s: f64) -> Vec<(u64, u64)> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped, and never negative"
    )]
    let (count, size) = ((length_s / EVERY_S) as u64, (rate * WINDOW_S) as u64);
    let (count, size) = (count.clamp(2, WINDOWS_MAX), size.clamp(WINDOW_BYTES_MIN, WINDOW_BYTES_MAX));
    let Layout { audio_at, block, .. } = layout;
    let whole_blocks = |bytes: u64| bytes / block * block;
    let size = whole_blocks(size);
    (1..=count)
        .map(|number| total.saturating_sub(size) / count * number)
        .map(|first| (audio_at + whole_blocks(first.saturating_sub(audio_at)), size))
        .filter(|&(first, size)| size > 0 && first >= head && first + size <= total)
        .collect()
}

/// Where the audio of a file lies, as far as windows of it are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    /// Bytes in front of the audio.
    audio_at: u64,
    /// Windows begin at a multiple of so many bytes behind that.
    block: u64,
    /// Whether a format's decoder finds its place again in the middle of a file: MPEG audio, ADTS, Ogg, FLAC, transport
    /// streams, PCM. MP4 needs what stands elsewhere in the file.
    can_be_probed: bool,
}

impl Layout {
    fn of(head: &[u8]) -> Self {
        if let Some((audio_at, block)) = wave(head) {
            return Self { audio_at, block, can_be_probed: true };
        }
        let sync = matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0);
        let is_stream = head.first() == Some(&0x47) && head.get(188) == Some(&0x47);
        let begins = |magic: &[u8]| head.starts_with(magic);
        let can_be_probed = begins(b"ID3") || begins(b"OggS") || begins(b"fLaC") || sync || is_stream;
        Self { audio_at: id3_length(head), block: 1, can_be_probed }
    }
}

/// Where the samples of a WAV file begin, and how many bytes a sample of all channels has.
fn wave(head: &[u8]) -> Option<(u64, u64)> {
    if !head.starts_with(b"RIFF") || head.get(8..12)? != b"WAVE" {
        return None;
    }
    let number = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let (mut at, mut block) = (12_usize, None);
    loop {
        let (kind, length) = (head.get(at..at + 4)?, number(at + 4)? as usize);
        match kind {
            b"fmt " => {
                let align = head.get(at + 20..at + 22)?;
                block =
                    Some(u64::from(u16::from_le_bytes(align.try_into().ok()?))).filter(|&block| block > 0);
            }
            b"data" => return Some((at as u64 + 8, block?)),
            _ => {}
        }
        at = at.checked_add(8)?.checked_add(length)?.checked_add(length % 2)?;
    }
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

    const STREAM: Layout = Layout { audio_at: 0, block: 1, can_be_probed: true };

    #[test]
    fn windows_lie_behind_the_head_and_end_with_the_tail() {
        // An hour at 128 kbit/s.
        let (total, rate) = (57_600_000, 16_000.0);
        let windows = windows_of(HEAD, total, STREAM, rate, 3600.0);
        assert_eq!(windows.len(), 6);
        assert_eq!(windows.last().map(|(first, size)| first + size), Some(total));
        assert!(windows.iter().all(|&(first, size)| first >= HEAD && size == 240_000));
        assert!(HEAD + windows.iter().map(|window| window.1).sum::<u64>() < total / 25);
        assert_eq!(windows_of(HEAD, HEAD + 10, STREAM, rate, 3600.0), []);
        let stereo = Layout { audio_at: 46, block: 6, can_be_probed: true };
        for (first, size) in windows_of(HEAD, 500_000_000, stereo, 264_600.0, 1889.0) {
            assert_eq!(((first - 46) % 6, size % 6), (0, 0));
        }
    }

    #[test]
    fn where_the_audio_lies() {
        assert_eq!(id3_length(b"ID3\x04\x00\x00\x00\x00\x02\x01rest"), 10 + 257);
        assert_eq!(id3_length(b"\xff\xfb\x90\x00"), 0);
        let can = |head: &[u8]| Layout::of(head).can_be_probed;
        assert!(can(b"OggS") && can(b"\xff\xfb\x90") && !can(b"\x00\x00\x00\x20ftypM4A "));
        let wav = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data\0\0\0\0";
        assert_eq!(wave(wav), Some((wav.len() as u64, 4)));
        assert_eq!(wave(&wav[..wav.len() - 9]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_head_has_a_layout(
            start in proptest::sample::select(vec![&b"RIFF\0\0\0\0WAVE"[..], b"ID3", b""]),
            rest in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            total in 0_u64..1 << 40, rate in 1.0_f64..1e9, length_s in 0.0_f64..1e7,
        ) {
            let layout = Layout::of(&[start, &rest].concat());
            proptest::prop_assert!(layout.block > 0);
            for (first, size) in windows_of(HEAD, total, layout, rate, length_s) {
                proptest::prop_assert!(first >= HEAD && first + size <= total);
            }
        }
    }
}
