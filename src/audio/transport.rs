//! MPEG transport streams (ISO/IEC 13818-1), the segments of HLS: packets → the bytes of one audio stream.
//!
//! The first audio stream that the programme map names is taken; where the map is missing (a segment cut from
//! the middle), the first audio PES. Only one packet is in memory at a time.

use std::io::{self, Read, Seek as _, SeekFrom};

use super::elementary::{adts_frames_at, adts_stream, loas_stream, mpeg_audio_stream};
use super::sink::{Described, Sink};
use super::{Error, Source};

/// How packets lie in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bytes from one packet to the next: 188, 192 (Blu-ray, a time stamp before each) or 204 (error correction after).
    stride: usize,
    /// Offset of the first sync byte.
    offset: usize,
}

const SYNC: u8 = 0x47;
const PACKET_BYTES: usize = 188;

/// Sync bytes that must stand at the right distance.
const SYNCS_WANTED: usize = 5;

/// Returns the packets' shape if `head` is a transport stream, which may start inside a packet.
pub(super) fn packet_shape(head: &[u8]) -> Option<Shape> {
    [188, 192, 204].into_iter().find_map(|stride| {
        let starts = 0..stride.min(head.len());
        let synced = |offset: &usize| {
            let syncs = head.iter().skip(*offset).step_by(stride).take(SYNCS_WANTED);
            let count = syncs.clone().count();
            // A short segment may have fewer packets, but then it must be nothing else.
            let enough =
                count == SYNCS_WANTED || (count >= 2 && *offset == 0 && head.len().is_multiple_of(stride));
            enough && syncs.clone().all(|byte| *byte == SYNC)
        };
        starts.into_iter().find(synced).map(|offset| Shape { stride, offset })
    })
}

/// The kinds of audio streams that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamKind {
    MpegAudio,
    Adts,
    Loas,
}

/// Decodes the audio of a transport stream.
pub(super) fn decode(
    source: &mut Source,
    start: u64,
    track: usize,
    sink: &mut Sink<'_>,
) -> Result<Described, Error> {
    let head = source.read_at(start, 64 * 1024)?;
    let shape = packet_shape(&head).ok_or_else(|| Error::damaged(NAME, "its packets are not aligned"))?;
    let (kind, tracks) = survey(source, start, shape, track)?;
    source.seek(SeekFrom::Start(start + shape.offset as u64))?;
    let stream = Elementary { reader: source, shape, chosen: kind.1, ready: Vec::new(), from: 0, resyncs: 0 };
    let mut described = match kind.0 {
        StreamKind::MpegAudio => mpeg_audio_stream(stream, NAME, sink)?,
        StreamKind::Adts => adts_stream(stream, NAME, sink)?,
        StreamKind::Loas => loas_stream(stream, NAME, sink)?,
    };
    described.tracks = tracks;
    if tracks > 1 && track == 0 {
        described.warnings.push(format!("{tracks} audio tracks"));
    }
    Ok(described)
}

const NAME: &str = "MPEG-TS";

/// Bytes within which the tables, or the first audio packets, must stand.
const SURVEY_BYTES: usize = 4 * 1024 * 1024;

/// Of a pipe, which may be slow, less is asked for at first.
const PIPE_SURVEY_BYTES: usize = 128 * 1024;

/// Finds audio stream number `track`: its kind and PID, and how many there are.
fn survey(
    source: &mut Source,
    start: u64,
    shape: Shape,
    track: usize,
) -> Result<((StreamKind, u16), usize), Error> {
    if source.is_pipe() {
        let bytes = source.read_at(start + shape.offset as u64, PIPE_SURVEY_BYTES)?;
        if let Ok(found) = survey_of(&bytes, shape, track) {
            return Ok(found);
        }
    }
    survey_of(&source.read_at(start + shape.offset as u64, SURVEY_BYTES)?, shape, track)
}

fn survey_of(bytes: &[u8], shape: Shape, track: usize) -> Result<((StreamKind, u16), usize), Error> {
    let packets = || bytes.chunks(shape.stride).filter_map(Packet::read);
    let map_pid =
        packets().filter(|packet| packet.pid == 0).find_map(|packet| programme_map_pid(packet.section()?));
    let mapped = map_pid.and_then(|pid| {
        packets().filter(|packet| packet.pid == pid).find_map(|packet| audio_streams(packet.section()?))
    });
    match mapped {
        Some(streams) => match streams.known.get(track) {
            Some(stream) => return Ok((*stream, streams.known.len())),
            None if streams.other.is_some() => {
                return Err(Error::Unsupported {
                    format: format!("{NAME} ({})", streams.other.unwrap_or_default()),
                    demuxer: Some("mpegts".to_owned()),
                });
            }
            None => {}
        },
        None => {
            let guessed = packets().filter(|packet| packet.starts).find_map(|packet| {
                let audio = pes_audio(packet.payload)?;
                let kind =
                    if adts_frames_at(audio, 0) >= 1 { StreamKind::Adts } else { StreamKind::MpegAudio };
                Some((kind, packet.pid))
            });
            if let Some(stream) = guessed {
                return Ok((stream, 1));
            }
        }
    }
    Err(Error::NoAudioTrack { container: NAME.to_owned() })
}

/// One packet's header and payload.
struct Packet<'a> {
    pid: u16,
    /// A PES packet or section starts here.
    starts: bool,
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let packet = bytes.get(..PACKET_BYTES)?;
        let [sync, b1, b2, b3] = *packet.first_chunk::<4>()?;
        let (error, scrambled) = (b1 & 0x80 != 0, b3 & 0xc0 != 0);
        if sync != SYNC || error || scrambled {
            return None;
        }
        let adaptation = if b3 & 0x20 != 0 { 1 + usize::from(packet[4]) } else { 0 };
        let payload = if b3 & 0x10 != 0 { packet.get(4 + adaptation..)? } else { &[] };
        Some(Self { pid: u16::from(b1 & 0x1f) << 8 | u16::from(b2), starts: b1 & 0x40 != 0, payload })
    }

    /// The section that starts in this packet, after its pointer field. Tables longer than a packet are read as
    /// far as the packet goes: audio streams stand near the front.
    fn section(&self) -> Option<&'a [u8]> {
        if !self.starts {
            return None;
        }
        self.payload.get(1 + usize::from(*self.payload.first()?)..)
    }
}

/// Returns the PID of the first programme's map, from a programme association section (2.4.4.3).
fn programme_map_pid(section: &[u8]) -> Option<u16> {
    if *section.first()? != 0 {
        return None;
    }
    section.get(8..)?.chunks_exact(4).find_map(|entry| {
        let number = u16::from(entry[0]) << 8 | u16::from(entry[1]);
        let pid = u16::from(entry[2] & 0x1f) << 8 | u16::from(entry[3]);
        (number != 0 && pid != 0x1fff).then_some(pid)
    })
}

/// The audio streams that a programme map names.
#[derive(Default)]
struct Streams {
    known: Vec<(StreamKind, u16)>,
    other: Option<&'static str>,
}

/// Reads a programme map section (2.4.4.8).
fn audio_streams(section: &[u8]) -> Option<Streams> {
    if *section.first()? != 2 {
        return None;
    }
    let length = usize::from(section.get(1)? & 0xf) << 8 | usize::from(*section.get(2)?);
    let end = section.len().min((3 + length).saturating_sub(4));
    let info = usize::from(section.get(10)? & 0xf) << 8 | usize::from(*section.get(11)?);
    let mut rest = section.get(12 + info..end)?;
    let mut streams = Streams::default();
    while let Some(&[kind, p1, p2, l1, l2]) = rest.first_chunk::<5>() {
        let pid = u16::from(p1 & 0x1f) << 8 | u16::from(p2);
        match kind {
            0x03 | 0x04 => streams.known.push((StreamKind::MpegAudio, pid)),
            0x0f => streams.known.push((StreamKind::Adts, pid)),
            0x11 => streams.known.push((StreamKind::Loas, pid)),
            0x81 | 0x87 => streams.other = Some("AC-3"),
            0x82 | 0x8a => streams.other = Some("DTS"),
            0x06 => streams.other = streams.other.or(Some("a private stream")),
            _ => {}
        }
        let skip = 5 + (usize::from(l1 & 0xf) << 8 | usize::from(l2));
        rest = rest.get(skip..).unwrap_or(&[]);
    }
    Some(streams)
}

/// Returns what follows a PES header (2.4.3.6), if the PES packet carries MPEG audio (stream ids 0xc0 to 0xdf).
fn pes_audio(payload: &[u8]) -> Option<&[u8]> {
    let [0, 0, 1, 0xc0..=0xdf, ..] = *payload else { return None };
    pes_body(payload)
}

fn pes_body(payload: &[u8]) -> Option<&[u8]> {
    let [0, 0, 1, _, _, _, flags, _, header, ..] = *payload else { return None };
    (flags & 0xc0 == 0x80).then(|| payload.get(9 + usize::from(header)..))?
}

/// The bytes of one stream, read packet by packet.
struct Elementary<R> {
    reader: R,
    shape: Shape,
    chosen: u16,
    ready: Vec<u8>,
    from: usize,
    resyncs: u32,
}

/// Times that alignment may be lost and found again; a stream with more is noise.
const RESYNCS_MAX: u32 = 10_000;

impl<R: Read> Elementary<R> {
    /// Fills `ready` from the next packet of the chosen stream; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let mut chunk = vec![0; self.shape.stride];
        loop {
            if !read_whole(&mut self.reader, &mut chunk)? {
                return Ok(false);
            }
            if chunk[0] != SYNC && !self.realign(&mut chunk)? {
                return Ok(false);
            }
            let Some(packet) = Packet::read(&chunk).filter(|packet| packet.pid == self.chosen) else {
                continue;
            };
            let bytes = if packet.starts { pes_body(packet.payload).unwrap_or(&[]) } else { packet.payload };
            if !bytes.is_empty() {
                self.ready.clear();
                self.ready.extend_from_slice(bytes);
                self.from = 0;
                return Ok(true);
            }
        }
    }

    /// Moves on to the next sync byte within the packet and completes the packet from there.
    fn realign(&mut self, chunk: &mut [u8]) -> io::Result<bool> {
        while chunk[0] != SYNC {
            self.resyncs += 1;
            if self.resyncs > RESYNCS_MAX {
                return Ok(false);
            }
            let at = chunk.iter().skip(1).position(|byte| *byte == SYNC).map_or(chunk.len(), |at| at + 1);
            chunk.rotate_left(at.min(chunk.len() - 1).max(1));
            let keep = chunk.len() - at.min(chunk.len());
            if !read_whole(&mut self.reader, &mut chunk[keep..])? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Fills `buffer`; `false` where the stream ends first.
fn read_whole(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

impl<R: Read> Read for Elementary<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.from == self.ready.len() && !self.advance()? {
            return Ok(0);
        }
        let count = buffer.len().min(self.ready.len() - self.from);
        buffer[..count].copy_from_slice(&self.ready[self.from..self.from + count]);
        self.from += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    /// Packs `audio` into transport packets of PID 0x101, PES packets of `pes` bytes; with tables before if asked.
    fn pack(audio: &[u8], pes: usize, tables: bool) -> Vec<u8> {
        let mut out = Vec::new();
        if tables {
            out.extend(section(0, &[0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0x00, 0, 0, 0, 0]));
            let map =
                [0, 2, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe1, 1, 0xf0, 0, 0x0f, 0xe1, 1, 0xf0, 0, 0, 0, 0, 0];
            out.extend(section(0x1000, &map));
        }
        for piece in audio.chunks(pes) {
            let mut packet = vec![0, 0, 1, 0xc0, 0, 0, 0x80, 0, 0];
            packet.extend(piece);
            for (number, part) in packet.chunks(184).enumerate() {
                out.extend([SYNC, if number == 0 { 0x41 } else { 0x01 }, 1]);
                if part.len() == 184 {
                    out.push(0x10);
                } else {
                    // Fill with an adaptation field.
                    let fill = 184 - part.len();
                    out.extend([0x30, fill as u8 - 1]);
                    out.extend((1..fill).map(|at| if at == 1 { 0 } else { 0xff }));
                }
                out.extend(part);
            }
        }
        assert_eq!(out.len() % PACKET_BYTES, 0);
        out
    }

    fn section(pid: u16, body: &[u8]) -> Vec<u8> {
        let mut packet = vec![SYNC, 0x40 | (pid >> 8) as u8, pid as u8, 0x10];
        packet.extend(body);
        packet.resize(PACKET_BYTES, 0xff);
        packet
    }

    fn unpack(stream: &[u8], chosen: u16) -> Vec<u8> {
        let shape = Shape { stride: PACKET_BYTES, offset: 0 };
        let mut elementary =
            Elementary { reader: stream, shape, chosen, ready: Vec::new(), from: 0, resyncs: 0 };
        let mut out = Vec::new();
        elementary.read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn survey_reads_tables() {
        let stream = pack(&[1; 1000], 400, true);
        let mut source = Source::bytes(stream);
        let shape = Shape { stride: PACKET_BYTES, offset: 0 };
        assert_eq!(survey(&mut source, 0, shape, 0).unwrap(), ((StreamKind::Adts, 0x101), 1));
    }

    proptest! {
        #[test]
        fn gives_back_what_was_packed(audio in proptest::collection::vec(any::<u8>(), 0..3000), pes in 1usize..900) {
            prop_assert_eq!(unpack(&pack(&audio, pes, false), 0x101), audio);
        }

        #[test]
        fn survives_anything(
            bytes in proptest::collection::vec(any::<u8>(), 0..4000),
            flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..40),
            cut in any::<usize>(),
        ) {
            unpack(&bytes, 0x101);
            let mut stream = pack(&bytes, 300, true);
            let length = stream.len();
            for (at, value) in flips {
                stream[at % length] = value;
            }
            // Bytes lost in the middle: alignment must come back.
            stream.drain(..cut % length);
            unpack(&stream, 0x101);
            let mut ignore = |_: &crate::audio::Block<'_>| {};
            let _ = crate::audio::decode(&mut Source::bytes(stream), 0, &crate::audio::Limits::default(), &mut ignore);
        }
    }
}
