//! Sample files that need no codec: Sun AU, Sony Wave64, RF64/BW64 (WAV beyond 4 GB).

use std::io::{Read, Seek as _, SeekFrom};

use super::mix::{Front, Layout};
use super::sink::{Described, Sink};
use super::sniff::Kind;
use super::{Block, Error, Limits, MediaInfo, Source};

/// How one sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    U8,
    I8,
    /// Signed of 2, 3 or 4 bytes.
    Int {
        bytes: usize,
        big: bool,
    },
    F32 {
        big: bool,
    },
    F64 {
        big: bool,
    },
    MuLaw,
    ALaw,
}

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    coding: Coding,
    rate_hz: u32,
    channels: usize,
    /// Offset of the samples.
    at: u64,
    /// Bytes of samples, `None` for "to the end".
    bytes: Option<u64>,
}

/// Channels that real files have; a frame's bytes are bounded within.
const CHANNELS_MAX: usize = 64;

/// Decodes a file of the three kinds.
pub(super) fn decode(
    source: &mut Source,
    kind: Kind,
    start: u64,
    sink: &mut Sink<'_>,
) -> Result<Described, Error> {
    let (name, reader, header) = match kind {
        Kind::Au => ("AU", "au", au(source, start)?),
        Kind::Wave64 => ("Wave64", "w64", chunks(source, start, &WAVE64)?),
        _ => ("RF64", "wav", chunks(source, start, &RF64)?),
    };
    let header = match header {
        Ok(header) => header,
        Err(Problem::Damaged(what)) => return Err(Error::damaged(name, what)),
        Err(Problem::Coding(tag)) => {
            let format = format!("{name} (coding {tag})");
            return Err(Error::Unsupported { format, demuxer: Some(reader.to_owned()) });
        }
    };
    if header.channels == 0 || header.channels > CHANNELS_MAX {
        return Err(Error::damaged(name, format!("{} channels", header.channels)));
    }
    let frame_bytes = header.coding.bytes() * header.channels;
    // All that comes, where a pipe's header does not say.
    let available = source.len().map_or(u64::MAX, |len| len.saturating_sub(header.at));
    let bytes = header.bytes.unwrap_or(available);
    source.seek(SeekFrom::Start(header.at))?;
    samples(source.take(bytes), &header, sink)?;
    let frames = Some(bytes).filter(|bytes| *bytes < u64::MAX).map(|bytes| bytes / frame_bytes as u64);
    Ok(Described {
        container: name.to_owned(),
        codec: "PCM".to_owned(),
        tracks: 1,
        promised_s: frames.map(|frames| frames as f64 / f64::from(header.rate_hz.max(1))),
        ..Described::default()
    })
}

/// Takes samples that another program decoded: interleaved little-endian 32-bit floats, read to the end.
/// `described` is the format they come from, their rate in Hz and their channels (one or two).
///
/// # Errors
/// [`Error`] when reading fails or nothing comes.
pub fn decode_samples(
    reader: &mut dyn Read,
    described: (&str, u32, usize),
    limits: &Limits,
    consume: &mut dyn FnMut(&Block<'_>),
) -> Result<MediaInfo, Error> {
    let (format, rate_hz, channels) = described;
    let mut sink = Sink::new(limits, consume);
    let header = Header { coding: Coding::F32 { big: false }, rate_hz, channels, at: 0, bytes: None };
    samples(reader, &header, &mut sink)?;
    sink.finish(Described {
        container: format.to_owned(),
        codec: "decoded by ffmpeg".to_owned(),
        tracks: 1,
        ..Described::default()
    })
}

/// Reads the samples in pieces.
fn samples(mut reader: impl Read, header: &Header, sink: &mut Sink<'_>) -> Result<(), Error> {
    let frame_bytes = header.coding.bytes() * header.channels.clamp(1, CHANNELS_MAX);
    let mut planes = vec![Vec::new(); header.channels];
    let mut front = Front::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.by_ref().take((PIECE_FRAMES * frame_bytes) as u64).read_to_end(&mut buffer)?;
        planes.iter_mut().for_each(Vec::clear);
        for frame in buffer.chunks_exact(frame_bytes) {
            for (plane, sample) in planes.iter_mut().zip(frame.chunks_exact(header.coding.bytes())) {
                plane.push(header.coding.value(sample));
            }
        }
        let slices: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        front.take(header.rate_hz, &slices, Layout::wave(header.channels));
        if front.left.is_empty() || !sink.push(&mut front) {
            return Ok(());
        }
    }
}

/// Frames read at once.
const PIECE_FRAMES: usize = 4096;

/// Why a header is not followed.
enum Problem {
    Damaged(&'static str),
    Coding(u32),
}

type Outcome = Result<Header, Problem>;

/// Sun AU: magic, offset, bytes, coding, rate, channels, big-endian.
fn au(source: &mut Source, start: u64) -> Result<Outcome, Error> {
    let bytes = source.read_at(start, 24)?;
    if bytes.len() < 24 {
        return Ok(Err(Problem::Damaged("its header is cut off")));
    }
    let word = |at: usize| bytes[at..at + 4].iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
    let coding = match word(12) {
        1 => Coding::MuLaw,
        2 => Coding::I8,
        bytes @ 3..=5 => Coding::Int { bytes: bytes as usize - 1, big: true },
        6 => Coding::F32 { big: true },
        7 => Coding::F64 { big: true },
        27 => Coding::ALaw,
        other => return Ok(Err(Problem::Coding(other))),
    };
    let bytes = Some(word(8)).filter(|bytes| *bytes != u32::MAX).map(u64::from);
    Ok(Ok(Header {
        coding,
        rate_hz: word(16),
        channels: word(20) as usize,
        at: start + u64::from(word(4).max(24)),
        bytes,
    }))
}

/// How a chunked format of the RIFF family differs from the others.
struct Family {
    /// Bytes of the file's own header, before the first chunk.
    header: u64,
    /// Bytes of a chunk's name and size.
    chunk_header: usize,
    name_bytes: usize,
    /// The size counts the chunk's header too.
    inclusive: bool,
    alignment: u64,
}

const RF64: Family = Family { header: 12, chunk_header: 8, name_bytes: 4, inclusive: false, alignment: 2 };
const WAVE64: Family = Family { header: 40, chunk_header: 24, name_bytes: 16, inclusive: true, alignment: 8 };

/// Chunks looked at before giving up.
const CHUNKS_MAX: usize = 1000;

/// Walks the chunks to `fmt ` and `data`.
fn chunks(source: &mut Source, start: u64, family: &Family) -> Result<Outcome, Error> {
    let mut at = start + family.header;
    let mut format = None;
    let mut large_data = None;
    for _ in 0..CHUNKS_MAX {
        let head = source.read_at(at, family.chunk_header)?;
        if head.len() < family.chunk_header {
            break;
        }
        let size = little(&head[family.name_bytes..]);
        let body = at + family.chunk_header as u64;
        let length = if family.inclusive { size.saturating_sub(family.chunk_header as u64) } else { size };
        match &head[..4] {
            b"ds64" => large_data = Some(little(&source.read_at(body + 8, 8)?)),
            b"fmt " => format = Some(source.read_at(body, 40)?),
            b"data" => {
                let Some(format) = format else {
                    return Ok(Err(Problem::Damaged("no format before its data")));
                };
                let length = if length == u64::from(u32::MAX) { large_data } else { Some(length) };
                return Ok(wave_format(&format, body, length));
            }
            _ => {}
        }
        let next = body.checked_add(length).and_then(|end| end.checked_next_multiple_of(family.alignment));
        let Some(next) = next.filter(|next| source.len().is_none_or(|len| *next <= len)) else { break };
        at = next;
    }
    Ok(Err(Problem::Damaged("it holds no data")))
}

/// Reads `WAVEFORMATEX`, and the tag of `WAVEFORMATEXTENSIBLE`.
fn wave_format(format: &[u8], at: u64, bytes: Option<u64>) -> Outcome {
    if format.len() < 16 {
        return Err(Problem::Damaged("its format is cut off"));
    }
    let mut tag = little(&format[..2]) as u32;
    if tag == 0xfffe && format.len() >= 26 {
        tag = little(&format[24..26]) as u32;
    }
    let bits = little(&format[14..16]);
    let coding = match (tag, bits) {
        (1, 8) => Coding::U8,
        (1, 16 | 24 | 32) => Coding::Int { bytes: bits as usize / 8, big: false },
        (3, 32) => Coding::F32 { big: false },
        (3, 64) => Coding::F64 { big: false },
        (6, 8) => Coding::ALaw,
        (7, 8) => Coding::MuLaw,
        _ => return Err(Problem::Coding(tag)),
    };
    Ok(Header {
        coding,
        rate_hz: little(&format[4..8]) as u32,
        channels: little(&format[2..4]) as usize,
        at,
        bytes,
    })
}

/// Reads up to eight bytes, the least significant first.
fn little(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

impl Coding {
    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::MuLaw | Self::ALaw => 1,
            Self::Int { bytes, .. } => bytes,
            Self::F32 { .. } => 4,
            Self::F64 { .. } => 8,
        }
    }

    /// Returns a sample's value, full scale being 1.
    fn value(self, bytes: &[u8]) -> f32 {
        let word = |big: bool| {
            if big { bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)) } else { little(bytes) }
        };
        let first = bytes.first().copied().unwrap_or(0);
        match self {
            Self::U8 => (f32::from(first) - 128.0) / 128.0,
            Self::I8 => f32::from(first.cast_signed()) / 128.0,
            Self::Int { bytes, big } => {
                let shifted = (word(big) << (64 - 8 * bytes as u32)).cast_signed();
                (shifted as f64 / 2f64.powi(63)) as f32
            }
            Self::F32 { big } => f32::from_bits(word(big) as u32),
            Self::F64 { big } => f64::from_bits(word(big)) as f32,
            Self::MuLaw => mu_law(first),
            Self::ALaw => a_law(first),
        }
    }
}

/// ITU-T G.711, µ-law.
fn mu_law(byte: u8) -> f32 {
    let byte = !byte;
    let magnitude = ((i32::from(byte & 0xf) << 3) + 0x84) << ((byte >> 4) & 7);
    let value = (magnitude - 0x84) as f32 / 32768.0;
    if byte & 0x80 != 0 { -value } else { value }
}

/// ITU-T G.711, A-law.
fn a_law(byte: u8) -> f32 {
    let byte = byte ^ 0x55;
    let (mantissa, exponent) = (i32::from(byte & 0xf), (byte >> 4) & 7);
    let magnitude =
        if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
    let value = magnitude as f32 / 32768.0;
    if byte & 0x80 != 0 { value } else { -value }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_each_coding() {
        let big = Coding::Int { bytes: 3, big: true };
        assert!((big.value(&[0x40, 0, 0]) - 0.5).abs() < 1e-6);
        assert!((Coding::Int { bytes: 2, big: false }.value(&[0, 0x80]) + 1.0).abs() < 1e-6);
        assert!((Coding::U8.value(&[0]) + 1.0).abs() < 1e-6);
        // G.711: the largest codes.
        assert!((mu_law(0x80) - 32124.0 / 32768.0).abs() < 1e-6);
        assert!((a_law(0xaa) - 32256.0 / 32768.0).abs() < 1e-6);
        assert_eq!(mu_law(0xff), 0.0);
    }

    #[test]
    fn a_chunk_longer_than_any_file_ends_the_walk() {
        for size in [u64::MAX, u64::MAX - 7, u64::MAX - 63] {
            let mut file = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0".to_vec();
            file.resize(40 + 16, 0);
            file.extend(size.to_le_bytes());
            let result = chunks(&mut Source::bytes(file), 0, &WAVE64).unwrap();
            assert!(matches!(result, Err(Problem::Damaged("it holds no data"))), "{size:#x}");
        }
    }

    proptest! {
        #[test]
        fn headers_of_any_content_are_survived(
            magic in 0usize..3,
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            format in any::<[u8; 24]>(),
        ) {
            let mut file: Vec<u8> = match magic {
                0 => b".snd".to_vec(),
                1 => b"RF64\xff\xff\xff\xffWAVEfmt \x18\0\0\0".to_vec(),
                _ => b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0".to_vec(),
            };
            file.extend(format);
            file.extend(b"data\xff\xff\xff\xff");
            file.extend(bytes);
            let mut ignore = |_: &crate::audio::Block<'_>| {};
            let _ = crate::audio::decode(&mut Source::bytes(file), 0, &crate::audio::Limits::default(), &mut ignore);
        }
    }
}
