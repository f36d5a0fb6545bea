//! Bare frames without a container: MPEG audio (layers 1 to 3), ADTS and LOAS.
//!
//! Each of the three functions reads a stream from front to back in bounded memory, goes over garbage to the next
//! frame that is followed by another, and counts what it could not decode.

use std::io::{Read, Seek as _, SeekFrom};

use nanomp3_core::{DecodeError, Decoder, MAX_SAMPLES_PER_FRAME};

use super::codec::AacPackets;
use super::mix::{Front, Layout};
use super::sink::{Described, Sink};
use super::{Error, Source};

/// Bytes kept ready: the longest MPEG audio frame (free format, 2.3 kB), ten times, as its synchronisation asks.
const READY_BYTES: usize = 32 * 1024;

/// A sliding window over a stream.
pub(super) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    from: usize,
    ended: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), from: 0, ended: false }
    }

    /// Returns the bytes ready, at least [`READY_BYTES`] but at the end of the stream.
    pub(super) fn ready(&mut self) -> Result<&[u8], Error> {
        if !self.ended && self.buffer.len() - self.from < READY_BYTES {
            self.buffer.drain(..self.from);
            self.from = 0;
            // As much as comes at once, but enough: a live stream must not wait for more than is needed.
            while !self.ended && self.buffer.len() < READY_BYTES {
                let length = self.buffer.len();
                self.buffer.resize(2 * READY_BYTES, 0);
                let got = read_once(&mut self.reader, &mut self.buffer[length..]);
                self.buffer.truncate(length + *got.as_ref().unwrap_or(&0));
                self.ended = got? == 0;
            }
        }
        Ok(&self.buffer[self.from..])
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.from = (self.from + bytes).min(self.buffer.len());
    }
}

fn read_once(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Decodes a file of MPEG audio frames.
pub(super) fn mpeg_audio(source: &mut Source, start: u64, sink: &mut Sink<'_>) -> Result<Described, Error> {
    source.seek(SeekFrom::Start(start))?;
    mpeg_audio_stream(source, "MPEG audio", sink)
}

/// Decodes a stream of MPEG audio frames.
pub(super) fn mpeg_audio_stream(
    reader: impl Read,
    container: &str,
    sink: &mut Sink<'_>,
) -> Result<Described, Error> {
    let mut window = Window::new(reader);
    let mut decoder = Decoder::new();
    let mut pcm = vec![0f32; MAX_SAMPLES_PER_FRAME];
    let mut front = Front::default();
    let mut described = Described { container: container.to_owned(), tracks: 1, ..Described::default() };
    let mut state = MpegState::default();
    loop {
        let ready = window.ready()?;
        if ready.is_empty() {
            break;
        }
        let (consumed, result) = decoder.decode(ready, &mut pcm);
        let frame = &ready[..consumed];
        match result {
            Ok(info) if info.samples_produced > 0 => {
                if described.codec.is_empty() {
                    described.codec = format!("MP{}", info.layer);
                }
                let tag = if state.frames == 0 { tag_of(frame, info.sample_rate) } else { None };
                state.frames += 1;
                if let Some(tag) = tag {
                    state.skip_frames = tag.delay;
                    described.promised_s = tag.frames.map(|frames| {
                        frames as f64 * info.samples_produced as f64 / f64::from(info.sample_rate)
                    });
                } else {
                    let channels = usize::from(info.channels.num());
                    split(&pcm[..info.samples_produced * channels], channels, info.sample_rate, &mut front);
                    state.trim(&mut front);
                    if !sink.push(&mut front) {
                        break;
                    }
                }
            }
            // A frame or two after a cut: what they refer to is missing. Not worth a warning.
            Ok(_) | Err(DecodeError::ReservoirUnavailable(_)) => {}
            Err(_) if is_trailer(frame) || state.frames == 0 => {}
            Err(_) => sink.bad_packet(),
        }
        window.skip(consumed.max(1));
    }
    Ok(described)
}

#[derive(Default)]
struct MpegState {
    frames: u64,
    /// Samples still to be dropped: the encoder's and decoder's delay.
    skip_frames: usize,
}

impl MpegState {
    fn trim(&mut self, front: &mut Front) {
        let skip = self.skip_frames.min(front.left.len());
        self.skip_frames -= skip;
        front.left.drain(..skip);
        front.right.drain(..skip.min(front.right.len()));
    }
}

/// Splits interleaved samples of one or two channels.
fn split(pcm: &[f32], channels: usize, rate_hz: u32, front: &mut Front) {
    front.clear();
    front.rate_hz = rate_hz;
    front.channels = channels;
    if channels == 2 {
        let pairs = pcm.as_chunks::<2>().0;
        front.left.extend(pairs.iter().map(|pair| pair[0]));
        front.right.extend(pairs.iter().map(|pair| pair[1]));
    } else {
        front.left.extend_from_slice(pcm);
    }
}

/// ID3v1, APE and Lyrics3 tags, and zero padding, end many files; they are not damage.
fn is_trailer(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 4] = [b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3"];
    marks.iter().any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
        || bytes.iter().all(|byte| *byte == 0)
        || bytes.len() < 4
}

/// What a Xing or Info frame says: how many frames follow, and the encoder's delay.
struct Tag {
    frames: Option<u64>,
    delay: usize,
}

/// The decoder's own delay in samples, which LAME's does not include.
const DECODER_DELAY: usize = 529;

/// Reads the tag in the file's first frame (the Xing header; LAME's extension of it).
fn tag_of(frame: &[u8], _rate_hz: u32) -> Option<Tag> {
    // It stands after the side information, 13 to 36 bytes in, whatever the mode; junk may come before the frame.
    let at = frame.windows(4).position(|window| window == b"Xing" || window == b"Info")?;
    let flags = *frame.get(at + 7)?;
    let mut offset = at + 8;
    let mut frames = None;
    if flags & 1 != 0 {
        let bytes = frame.get(offset..offset + 4)?;
        frames = Some(bytes.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte)));
        offset += 4;
    }
    for (flag, length) in [(2, 4), (4, 100), (8, 4)] {
        if flags & flag != 0 {
            offset += length;
        }
    }
    let delay = match frame.get(offset..offset + 24) {
        Some(lame) if lame[0] != 0 => {
            (usize::from(lame[21]) << 4 | usize::from(lame[22]) >> 4) + DECODER_DELAY
        }
        _ => 0,
    };
    Some(Tag { frames, delay })
}

/// Returns how many frames of MPEG audio a decoder finds in `head`, up to three. Its own rule of synchronisation
/// (all frames up to ten must agree) makes a chance hit in random bytes all but impossible where there is enough.
pub(super) fn mpeg_audio_frames(head: &[u8]) -> usize {
    let mut decoder = Decoder::new();
    let mut pcm = vec![0f32; MAX_SAMPLES_PER_FRAME];
    let (mut rest, mut frames, mut junk) = (head, 0, 0);
    while frames < 3 && !rest.is_empty() {
        let (consumed, result) = decoder.decode(rest, &mut pcm);
        match result {
            Ok(_) | Err(DecodeError::ReservoirUnavailable(_)) => frames += 1,
            Err(_) => junk += consumed,
        }
        rest = &rest[consumed.clamp(1, rest.len())..];
    }
    // One or two frames in much junk are chance.
    if frames < 3 && junk > 0 { 0 } else { frames }
}

/// One ADTS header (ISO/IEC 13818-7, 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AdtsHeader {
    /// The `AudioSpecificConfig` that says the same.
    config: [u8; 2],
    header_bytes: usize,
    frame_bytes: usize,
    blocks: u8,
}

fn adts_header(bytes: &[u8]) -> Option<AdtsHeader> {
    let [b0, b1, b2, b3, b4, b5, b6] = *bytes.first_chunk::<7>()?;
    let rate_index = (b2 >> 2) & 0xf;
    if b0 != 0xff || b1 & 0xf6 != 0xf0 || rate_index > 12 {
        return None;
    }
    let header_bytes = if b1 & 1 == 1 { 7 } else { 9 };
    let frame_bytes = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5) >> 5;
    if frame_bytes <= header_bytes {
        return None;
    }
    let object_type = (b2 >> 6) + 1;
    let channels = (b2 & 1) << 2 | b3 >> 6;
    let config = [object_type << 3 | rate_index >> 1, (rate_index & 1) << 7 | channels << 3];
    Some(AdtsHeader { config, header_bytes, frame_bytes, blocks: b6 & 3 })
}

/// Returns how many ADTS frames with the same configuration follow one another at `at`, up to five; one that the
/// end cuts off counts.
pub(super) fn adts_frames_at(bytes: &[u8], at: usize) -> usize {
    let mut frames = 0;
    let mut at = at;
    let mut config = None;
    while frames < 5 {
        let Some(header) = bytes.get(at..).and_then(adts_header) else { break };
        if *config.get_or_insert(header.config) != header.config {
            break;
        }
        frames += 1;
        at += header.frame_bytes;
    }
    frames
}

/// Decodes a file of ADTS frames.
pub(super) fn adts(source: &mut Source, start: u64, sink: &mut Sink<'_>) -> Result<Described, Error> {
    source.seek(SeekFrom::Start(start))?;
    adts_stream(source, "ADTS", sink)
}

/// Decodes a stream of ADTS frames.
pub(super) fn adts_stream(
    reader: impl Read,
    container: &str,
    sink: &mut Sink<'_>,
) -> Result<Described, Error> {
    let mut window = Window::new(reader);
    let mut decoder: Option<([u8; 2], AacPackets)> = None;
    let mut front = Front::default();
    let mut described = Described { container: container.to_owned(), tracks: 1, ..Described::default() };
    let mut lost = false;
    loop {
        let ready = window.ready()?;
        if ready.len() < 7 {
            break;
        }
        let Some(header) = adts_header(ready).filter(|_| !lost || adts_frames_at(ready, 0) >= 2) else {
            if !lost && !is_trailer(&ready[..ready.len().min(128)]) {
                sink.bad_packet();
            }
            lost = true;
            window.skip(1);
            continue;
        };
        lost = false;
        let Some(frame) = ready.get(..header.frame_bytes) else {
            described.cut = true;
            break;
        };
        if decoder.as_ref().is_none_or(|(config, _)| *config != header.config) {
            decoder = AacPackets::new(&header.config).map(|packets| (header.config, packets));
        }
        let decoded = match &mut decoder {
            Some((_, packets)) if header.blocks == 0 => {
                packets.decode(&frame[header.header_bytes..], &mut front)
            }
            _ => false,
        };
        if !decoded {
            sink.bad_packet();
        } else if !sink.push(&mut front) {
            break;
        }
        window.skip(header.frame_bytes);
    }
    described.codec = decoder.map_or_else(|| "AAC".to_owned(), |(_, packets)| packets.name().to_owned());
    Ok(described)
}

/// Returns whether three LOAS frames (ISO/IEC 14496-3, 1.7.2: sync 0x2b7, 13 bits of length) follow one another.
pub(super) fn looks_like_loas(bytes: &[u8]) -> bool {
    let mut at = 0;
    for _ in 0..3 {
        let Some(length) = bytes.get(at..).and_then(loas_length) else { return false };
        at += length;
    }
    true
}

fn loas_length(bytes: &[u8]) -> Option<usize> {
    let [b0, b1, b2] = *bytes.first_chunk::<3>()?;
    (b0 == 0x56 && b1 & 0xe0 == 0xe0).then_some(3 + (usize::from(b1 & 0x1f) << 8 | usize::from(b2)))
}

/// Decodes a file of LOAS frames.
pub(super) fn loas(source: &mut Source, start: u64, sink: &mut Sink<'_>) -> Result<Described, Error> {
    source.seek(SeekFrom::Start(start))?;
    loas_stream(source, "LOAS", sink)
}

/// Decodes a stream of LOAS frames.
pub(super) fn loas_stream(
    reader: impl Read,
    container: &str,
    sink: &mut Sink<'_>,
) -> Result<Described, Error> {
    let mut window = Window::new(reader);
    let options = syom::DecodeOptions::unbounded().with_max_sample_rate(192_000);
    let mut decoder = syom::Decoder::new(options);
    let mut front = Front::default();
    let mut more = true;
    while more {
        let ready = window.ready()?;
        if ready.len() < 3 {
            break;
        }
        let Some(length) = loas_length(ready) else {
            window.skip(1);
            continue;
        };
        let Some(frame) = ready.get(..length) else { break };
        let fed = decoder.feed(frame, |decoded| {
            front.take(decoded.sample_rate, decoded.planar, aac_layout(decoded.planar.len()));
            more = sink.push(&mut front);
            Ok(())
        });
        if fed.is_err() {
            sink.bad_packet();
            decoder.reset();
        }
        window.skip(length);
    }
    Ok(Described {
        container: container.to_owned(),
        codec: "AAC".to_owned(),
        tracks: 1,
        ..Described::default()
    })
}

/// AAC's order of channels (ISO/IEC 14496-3, table 1.19): centre, left, right, … from three on.
pub(super) const fn aac_layout(channels: usize) -> Layout {
    match channels {
        3.. => Layout { left: 1, right: 2, centre: Some(0) },
        _ => Layout::PAIR,
    }
}
