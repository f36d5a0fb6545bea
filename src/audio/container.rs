//! Containers with a reader: the audio track is chosen, its packets are decoded.

use std::io::ErrorKind;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, CODEC_ID_NULL_AUDIO};
use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackFlags};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::default::formats as readers;

use super::codec::Packets;
use super::mix::Front;
use super::sink::{Described, Sink};
use super::sniff::Reader;
use super::{Error, Limits, MediaTags, Source, tags};

/// Decodes track number `track`.
pub(super) fn decode(
    source: &mut Source,
    reader: Reader,
    start: u64,
    track: usize,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> Result<Described, Error> {
    let cut = reader == Reader::Ogg && ogg_is_cut(source)?;
    let protected = reader == Reader::Mp4 && is_protected(source, start)?;
    let piped = source.is_pipe();
    let mut format = open(source.stream(start)?, reader).map_err(|fault| match refused(reader, &fault) {
        // Its index stands at the end, or elsewhere than a reader that goes forward can reach.
        _ if piped && wants_jumps(reader, &fault) => Error::NeedsFile { format: reader.name().to_owned() },
        refused => refused,
    })?;
    let chosen = choose(format.tracks(), track);
    let Some((id, params, tracks)) = chosen else {
        return Err(if protected {
            Error::Encrypted { scheme: "a copy protection (DRM) in MP4".to_owned() }
        } else {
            Error::NoAudioTrack { container: reader.name().to_owned() }
        });
    };
    if params.sample_rate == Some(0) {
        return Err(Error::damaged(reader.name(), "its sample rate is 0"));
    }
    let packets = Packets::new(&params).map_err(|codec| {
        if protected {
            Error::Encrypted { scheme: "a copy protection (DRM) in MP4".to_owned() }
        } else {
            unsupported(reader, &codec)
        }
    })?;
    let promised_s = format.tracks().iter().find(|track| track.id == id).and_then(promised_s);
    // Who writes WAV into a pipe cannot know its length, and says the greatest there is: no end is too early.
    let ends_anywhere = piped && reader == Reader::Wav;
    let promised_s = promised_s.filter(|_| !ends_anywhere);
    let time_base = format.tracks().iter().find(|track| track.id == id).and_then(|track| track.time_base);
    let tick_s = time_base.map_or(0.0, |base| f64::from(base.numer.get()) / f64::from(base.denom.get()));
    let mut tags = MediaTags { scheme: tags::scheme(reader), ..MediaTags::default() };
    tags::fill_from(&mut tags, format.as_mut());
    let mut run = Run {
        id,
        packets,
        limits,
        fill: Fill::default(),
        tick_s,
        expected_s: None,
        rate_hz: 0,
        ended_badly: false,
    };
    run.all(format.as_mut(), sink);
    // Matroska's tags may stand after the audio. In a chained Ogg stream later ones are about the next song.
    if reader == Reader::Matroska {
        tags::fill_from(&mut tags, format.as_mut());
    }
    let mut described = Described {
        container: reader.name().to_owned(),
        codec: run.packets.name(),
        tracks,
        promised_s,
        cut: cut || (run.ended_badly && !ends_anywhere),
        warnings: Vec::new(),
        tags,
    };
    if tracks > 1 && track == 0 {
        described.warnings.push(format!("{tracks} audio tracks"));
    }
    Ok(described)
}

fn open(stream: MediaSourceStream<'_>, reader: Reader) -> Result<Box<dyn FormatReader + '_>, Fault> {
    let options = FormatOptions::default();
    Ok(match reader {
        Reader::Wav => Box::new(readers::WavReader::try_new(stream, options)?),
        Reader::Aiff => Box::new(readers::AiffReader::try_new(stream, options)?),
        Reader::Flac => Box::new(readers::FlacReader::try_new(stream, options)?),
        Reader::Ogg => Box::new(readers::OggReader::try_new(stream, options)?),
        Reader::Mp4 => Box::new(readers::IsoMp4Reader::try_new(stream, options)?),
        Reader::Matroska => Box::new(readers::MkvReader::try_new(stream, options)?),
        Reader::Caf => Box::new(readers::CafReader::try_new(stream, options)?),
    })
}

/// Says why a container was not opened.
fn refused(reader: Reader, fault: &Fault) -> Error {
    match fault {
        // What a file whose writing or download was cut off looks like: the index is written last.
        Fault::Unsupported(what) if what.contains("missing moov") => {
            Error::damaged(reader.name(), "it is cut off, its index (moov) is missing")
        }
        Fault::Unsupported(what) => unsupported(reader, what.rsplit(": ").next().unwrap_or(what)),
        Fault::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            let what = match reader {
                Reader::Mp4 => "it is cut off, its index (moov) is missing",
                _ => "it is cut off inside its header",
            };
            Error::damaged(reader.name(), what)
        }
        Fault::IoError(error) => Error::Io { what: error.to_string() },
        // A page of the header with a wrong checksum: ffmpeg goes on where our reader stops.
        Fault::DecodeError(_) if reader == Reader::Ogg => unsupported(reader, "its header is damaged"),
        Fault::DecodeError(what) | Fault::LimitError(what) => Error::damaged(reader.name(), *what),
        other => Error::damaged(reader.name(), other.to_string()),
    }
}

/// Whether a container was refused because its reader could not jump.
fn wants_jumps(reader: Reader, fault: &Fault) -> bool {
    match fault {
        // Its packet table mostly stands after the data, which was passed over in search of it.
        Fault::IoError(error) if reader == Reader::Caf => {
            matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::UnexpectedEof)
        }
        Fault::Unsupported(what) => what.contains("missing moov"),
        Fault::IoError(error) => error.kind() == ErrorKind::Unsupported,
        Fault::SeekError(_) => true,
        _ => false,
    }
}

fn unsupported(reader: Reader, what: &str) -> Error {
    Error::Unsupported {
        format: format!("{} ({what})", reader.name()),
        demuxer: Some(reader.demuxer().to_owned()),
    }
}

/// Returns the id and parameters of audio track number `number`, the default one first, and how many there are.
fn choose(tracks: &[Track], number: usize) -> Option<(u32, AudioCodecParameters, usize)> {
    let audio = |track: &Track| match &track.codec_params {
        Some(CodecParameters::Audio(params)) if params.codec != CODEC_ID_NULL_AUDIO => {
            Some((track.id, params.clone()))
        }
        Some(CodecParameters::Audio(params)) => Some((track.id, params.clone())),
        _ => None,
    };
    let mut found: Vec<_> = tracks
        .iter()
        .filter_map(|track| Some((!track.flags.contains(TrackFlags::DEFAULT), audio(track)?)))
        .collect();
    found.sort_by_key(|(other, _)| *other);
    let count = found.len();
    let (_, (id, params)) = found.into_iter().nth(number)?;
    Some((id, params, count))
}

/// The length that the header promises.
fn promised_s(track: &Track) -> Option<f64> {
    let rate = match &track.codec_params {
        Some(CodecParameters::Audio(params)) => params.sample_rate?,
        _ => return None,
    };
    if let (Some(base), Some(duration)) = (track.time_base, track.duration) {
        return Some(duration.get() as f64 * f64::from(base.numer.get()) / f64::from(base.denom.get()));
    }
    track.num_frames.map(|frames| frames as f64 / f64::from(rate.max(1)))
}

/// How long the last good packet was: what silence stands for a damaged one.
#[derive(Default)]
struct Fill {
    frames: usize,
    stereo: bool,
}

struct Run<'a> {
    id: u32,
    packets: Packets,
    limits: &'a Limits,
    fill: Fill,
    /// Seconds of one unit of the packets' time stamps.
    tick_s: f64,
    /// When the next packet should start, by the one before.
    expected_s: Option<f64>,
    rate_hz: u32,
    ended_badly: bool,
}

/// Gaps in time that are filled with silence: longer than rounding in a container's time stamps, shorter than what
/// only a hostile one says.
const GAP_S: std::ops::Range<f64> = 0.05..60.0;

impl Run<'_> {
    /// Decodes packets until the end, or until too many in a row are damaged.
    fn all(&mut self, format: &mut dyn FormatReader, sink: &mut Sink<'_>) {
        let mut front = Front::default();
        let mut bad_in_a_row = 0;
        while bad_in_a_row < self.limits.bad_packets_in_a_row_max {
            let packet = match format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return,
                Err(Fault::ResetRequired) if self.restart(format) => {
                    bad_in_a_row += 1;
                    continue;
                }
                Err(Fault::DecodeError(_)) => {
                    sink.bad_packet();
                    bad_in_a_row += 1;
                    continue;
                }
                Err(_) => {
                    self.ended_badly = true;
                    return;
                }
            };
            if packet.track_id != self.id {
                continue;
            }
            if !self.bridge(&packet, sink) {
                return;
            }
            let good = self.one(&packet, &mut front);
            bad_in_a_row = if good { 0 } else { bad_in_a_row + 1 };
            if !good {
                sink.bad_packet();
            }
            self.rate_hz = if good && front.rate_hz > 0 { front.rate_hz } else { self.rate_hz };
            if let Some(expected) = &mut self.expected_s {
                *expected += self.fill.frames as f64 / f64::from(self.rate_hz.max(1));
            }
            if !sink.push(&mut front) {
                return;
            }
        }
        self.ended_badly = true;
    }

    /// Puts silence where packets are missing, by their time stamps, so that what follows keeps its time.
    fn bridge(&mut self, packet: &Packet, sink: &mut Sink<'_>) -> bool {
        let at_s = packet.pts.get() as f64 * self.tick_s;
        let gap_s = self.expected_s.replace(at_s).map_or(0.0, |expected| at_s - expected);
        if !GAP_S.contains(&gap_s) || self.rate_hz == 0 {
            return true;
        }
        let mut silence =
            Front { rate_hz: self.rate_hz, channels: 1 + usize::from(self.fill.stereo), ..Front::default() };
        let frames = (gap_s * f64::from(self.rate_hz)) as usize;
        sink.gap();
        silence.left.resize(frames, 0.0);
        silence.right.resize(if self.fill.stereo { frames } else { 0 }, 0.0);
        sink.push(&mut silence)
    }

    /// Decodes a packet; one that is damaged becomes as much silence, so that what follows keeps its time.
    fn one(&mut self, packet: &Packet, front: &mut Front) -> bool {
        let good = self.packets.decode(packet, front);
        if good {
            self.fill = Fill { frames: front.left.len(), stereo: !front.right.is_empty() };
        } else {
            front.clear();
            front.left.resize(self.fill.frames, 0.0);
            front.right.resize(if self.fill.stereo { self.fill.frames } else { 0 }, 0.0);
        }
        good
    }

    /// A chained stream starts anew: takes the first audio track of it.
    fn restart(&mut self, format: &mut dyn FormatReader) -> bool {
        let Some((id, params, _)) = choose(format.tracks(), 0) else { return false };
        let Ok(packets) = Packets::new(&params) else { return false };
        (self.id, self.packets, self.expected_s) = (id, packets, None);
        true
    }
}

/// Bytes at the end of an Ogg file that hold its last page (at most 65,307 bytes; RFC 3533, 6).
const OGG_TAIL_BYTES: usize = 80 * 1024;

/// Returns whether an Ogg file does not end in a whole page that says it is the last.
fn ogg_is_cut(source: &mut Source) -> Result<bool, Error> {
    // A pipe has no end to look at; where it breaks off, the reader will say so.
    let Some(len) = source.len() else { return Ok(false) };
    let tail = source.read_at(len.saturating_sub(OGG_TAIL_BYTES as u64), OGG_TAIL_BYTES)?;
    let Some(at) = tail.windows(4).rposition(|window| window == b"OggS") else { return Ok(true) };
    let page = &tail[at..];
    let (Some(flags), Some(segments)) = (page.get(5), page.get(26)) else { return Ok(true) };
    let table = page.get(27..27 + usize::from(*segments));
    let whole = table.is_some_and(|table| {
        let body: usize = table.iter().map(|length| usize::from(*length)).sum();
        page.len() >= 27 + table.len() + body
    });
    Ok(!whole || flags & 4 == 0)
}

/// Bytes at the start and the end of an MP4 in which its index may stand.
const MP4_INDEX_BYTES: usize = 512 * 1024;

/// Returns whether an MP4 holds protected sample entries (`enca`, or `drms` of old iTunes purchases).
fn is_protected(source: &mut Source, start: u64) -> Result<bool, Error> {
    let end = source.len().map(|len| len.saturating_sub(MP4_INDEX_BYTES as u64));
    for at in std::iter::once(start).chain(end) {
        let bytes = source.read_at(at, MP4_INDEX_BYTES)?;
        let mark = |name: &[u8; 4]| bytes.windows(4).any(|window| window == name);
        if (mark(b"enca") || mark(b"drms")) && mark(b"sinf") {
            return Ok(true);
        }
    }
    Ok(false)
}
