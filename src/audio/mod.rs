//! From bytes of unknown worth to mono audio at the analysis rate: here is a file, gives [`Block`]s.
//!
//! The stages, in the order of the data's way:
//! [`sniff`] (what is this, by its content) → a demultiplexer (`container`, `elementary`, `transport`, `pcm`) →
//! a decoder (`codec`) → `mix` (front pair) → `resample` (11,025 Hz) → `views` (mid; side, left, right where
//! they are needed) → the caller's closure.
//!
//! Everything streams: memory does not depend on the length of the audio. Nothing here starts a process or opens
//! a file; what no built-in decoder reads is refused with [`Error::Unsupported`], which names an ffmpeg
//! demultiplexer where there is one, and `scan::worker` may then ask ffmpeg.

mod codec;
mod container;
mod elementary;
mod encrypted;
mod error;
mod filters;
mod id3;
mod mix;
mod pcm;
mod pipe;
mod resample;
mod sink;
pub mod sniff;
mod source;
mod tags;
mod transport;
mod views;

use serde::{Deserialize, Serialize};

pub use crate::base::MediaTags;
pub use encrypted::scheme_by_name;
pub use error::Error;
pub use pcm::decode_samples;
pub use source::Source;

use crate::base::TagScheme;
use sink::Sink;
use sniff::Kind;

/// What was learnt about a media file by decoding it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// The container, by its common name: `MP4`, `Ogg`, `MPEG-TS`, ….
    pub container: String,
    /// The codec, by its common name: `AAC-LC`, `HE-AAC`, `MP3`, `Opus`, ….
    pub codec: String,
    /// The rate the audio was decoded at, in Hz (of the first frame, where it changes).
    pub sample_rate_hz: u32,
    /// The channels of the decoded audio (of the first frame, where it changes).
    pub channels: u32,
    /// The length of what was decoded, in seconds.
    pub duration_s: f64,
    /// How many audio tracks the container holds.
    pub tracks: usize,
    /// What a reviewer should know: cut off, damaged frames skipped, other tracks present, ….
    pub warnings: Vec<String>,
    /// What the file's tags say of the recording in it.
    #[serde(default, skip_serializing_if = "MediaTags::is_empty")]
    pub tags: MediaTags,
}

/// The limits under which a file is decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Audio after this many seconds is left alone, with a warning.
    pub duration_max_s: f64,
    /// After this many damaged packets in a row the rest of the file is given up.
    pub bad_packets_in_a_row_max: u32,
}

impl Default for Limits {
    /// A day of audio; the longest mixes and streams seen are under twelve hours.
    fn default() -> Self {
        Self { duration_max_s: 24.0 * 3600.0, bad_packets_in_a_row_max: 4096 }
    }
}

/// About one second of audio at [`crate::base::ANALYSIS_RATE_HZ`], all views of the same length and time.
///
/// A view that is `None` is not worth analysing here; to keep its time aligned it counts as silence.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// (left + right) / 2, or the only channel.
    pub mid: &'a [f32],
    /// (left − right) / 2, where it carries a good part of the energy.
    pub side: Option<&'a [f32]>,
    /// The left channel, where left and right are unlike each other.
    pub left: Option<&'a [f32]>,
    /// The right channel, where left and right are unlike each other.
    pub right: Option<&'a [f32]>,
}

/// Decoded audio as it is in the file: at its own rate, the front pair of its channels.
#[derive(Debug, Clone, Copy)]
pub struct Frames<'a> {
    /// Samples a second, 2,000 to 768,000.
    pub rate_hz: u32,
    /// The left, or only, channel.
    pub left: &'a [f32],
    /// The right channel; `None` where there is only one.
    pub right: Option<&'a [f32]>,
}

/// Decodes audio track number `track` (0 is the default one) of `source` and hands it to `consume`, block by block.
///
/// The source is read from its start. What a broken file still holds is decoded; the warnings say what is missing.
///
/// # Errors
/// [`Error`] when nothing could be decoded, each variant with one line for people.
pub fn decode(
    source: &mut Source,
    track: usize,
    limits: &Limits,
    consume: &mut dyn FnMut(&Block<'_>),
) -> Result<MediaInfo, Error> {
    decode_into(source, track, limits, Sink::new(limits, consume))
}

/// As [`decode`], but gives the audio at the file's own rate and not cut into views: for those who work on the sound
/// itself and not on what the fingerprint hears of it.
///
/// # Errors
/// As [`decode`].
pub fn decode_frames(
    source: &mut Source,
    track: usize,
    limits: &Limits,
    consume: &mut dyn FnMut(&Frames<'_>),
) -> Result<MediaInfo, Error> {
    let mut no_blocks = |_: &Block<'_>| {};
    decode_into(source, track, limits, Sink::new(limits, &mut no_blocks).giving_frames(consume))
}

fn decode_into(
    source: &mut Source,
    track: usize,
    limits: &Limits,
    mut sink: Sink<'_>,
) -> Result<MediaInfo, Error> {
    let found = sniff::sniff(source)?;
    // In a pipe a tag with a large picture is out of reach once the audio behind it was looked at.
    let mut id3 = if source.reaches(0) { id3::read(source, found.start)? } else { MediaTags::default() };
    if matches!(found.kind, Kind::MpegAudio) && source.reaches(0) {
        id3.scheme = Some(TagScheme::Id3);
        id3.is_partly_read |= id3::other_tags_follow(source)?;
        // A tag that claims more than the file holds was passed over.
        id3.is_partly_read |= found.start == 0 && source.read_at(0, 3)? == b"ID3";
    }
    let mut described = match found.kind {
        Kind::MpegAudio => elementary::mpeg_audio(source, found.start, &mut sink)?,
        Kind::Adts => elementary::adts(source, found.start, &mut sink)?,
        Kind::Loas => elementary::loas(source, found.start, &mut sink)?,
        Kind::MpegTs => transport::decode(source, found.start, track, &mut sink)?,
        Kind::Au | Kind::Wave64 | Kind::Rf64 => pcm::decode(source, found.kind, found.start, &mut sink)?,
        Kind::Container(reader) => container::decode(source, reader, found.start, track, limits, &mut sink)?,
        Kind::External(format) => {
            return Err(Error::Unsupported {
                format: format.name.into(),
                demuxer: format.demuxer.map(Into::into),
            });
        }
    };
    // A container's own tags first: the ID3 tag before one is a stray.
    described.tags.fill(id3);
    sink.finish(described)
}
