//! What a file is, by its content and never by its name.

use super::elementary::{adts_frames_at, looks_like_loas, mpeg_audio_frames};
use super::encrypted::scheme_by_content;
use super::{Error, Source};

/// What was found, and where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Offset of its first byte: after ID3 tags.
    pub start: u64,
}

/// What is known to be audio, by the part of this room that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// MPEG audio layer 1, 2 or 3 frames.
    MpegAudio,
    /// AAC in ADTS frames.
    Adts,
    /// AAC in LOAS/LATM.
    Loas,
    /// MPEG transport stream, packets of 188, 192 or 204 bytes.
    MpegTs,
    /// Sun/NeXT audio.
    Au,
    /// Sony Wave64.
    Wave64,
    /// RF64 or BW64, WAV beyond 4 GB.
    Rf64,
    /// A container with a reader.
    Container(Reader),
    /// Known, but not decoded here.
    External(External),
}

/// The containers with a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// RIFF WAVE.
    Wav,
    /// AIFF and AIFF-C.
    Aiff,
    /// FLAC's own.
    Flac,
    /// Ogg.
    Ogg,
    /// MP4, M4A, MOV, 3GP.
    Mp4,
    /// Matroska and WebM.
    Matroska,
    /// Apple Core Audio.
    Caf,
}

impl Reader {
    /// The container's common name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wav => "WAV",
            Self::Aiff => "AIFF",
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Mp4 => "MP4",
            Self::Matroska => "Matroska/WebM",
            Self::Caf => "CAF",
        }
    }

    /// ffmpeg's demultiplexer of it, for codecs that are not decoded here.
    #[must_use]
    pub const fn demuxer(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Aiff => "aiff",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Mp4 => "mov,mp4,m4a,3gp,3g2,mj2",
            Self::Matroska => "matroska,webm",
            Self::Caf => "caf",
        }
    }
}

/// A format that only ffmpeg may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct External {
    /// The format's common name.
    pub name: &'static str,
    /// ffmpeg's demultiplexers for it, if it has any.
    pub demuxer: Option<&'static str>,
}

/// Bytes looked at: enough for three of the longest frames after a piece of garbage.
const HEAD_BYTES: usize = 192 * 1024;

/// Bytes of a pipe that are looked at first. A live stream of 128 kbit/s takes two seconds for them; all of
/// [`HEAD_BYTES`] would take twelve, and is asked for only where these say nothing.
const PIPE_HEAD_BYTES: usize = 32 * 1024;

/// ID3 tags in a row that are skipped.
const TAGS_MAX: usize = 8;

/// Magic → format that only ffmpeg may read.
const EXTERNAL: [(&[u8], &str, Option<&str>); 20] = [
    (&[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11], "Windows Media (WMA)", Some("asf")),
    (b"MAC ", "Monkey's Audio (APE)", Some("ape")),
    (b"wvpk", "WavPack", Some("wv")),
    (b"TTA1", "True Audio (TTA)", Some("tta")),
    (b"#!AMR", "AMR", Some("amr")),
    (b"MPCK", "Musepack", Some("mpc8")),
    (b"MP+", "Musepack", Some("mpc")),
    (b"tBaK", "TAK", Some("tak")),
    (b".RMF", "RealMedia", Some("rm")),
    (b".ra\xfd", "RealAudio", Some("rm")),
    (b"FLV\x01", "Flash video (FLV)", Some("flv")),
    (b"\x0b\x77", "AC-3", Some("ac3,eac3")),
    (&[0x7f, 0xfe, 0x80, 0x01], "DTS", Some("dts")),
    (&[0, 0, 1, 0xba], "MPEG program stream", Some("mpeg")),
    (b"DSD ", "DSD (DSF)", Some("dsf")),
    (b"FRM8", "DSD (DSDIFF)", Some("iff")),
    (b"OFR ", "OptimFROG", None),
    (b"Extended Module:", "tracker module (XM)", None),
    (b"IMPM", "tracker module (IT)", None),
    (b"ADIF", "AAC in ADIF", Some("aac")),
];

/// Magic → what it is, for things that often stand where audio was expected.
const NOT_AUDIO: [(&[u8], &str); 20] = [
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (&[0x1f, 0x8b], "gzip data"),
    (b"BZh", "bzip2 data"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz data"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd data"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (&[0xff, 0xd8, 0xff], "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a bitmap picture"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"MThd", "a MIDI file (notes, not sound)"),
    (b"d8:announce", "a torrent file"),
    (b"SQLite format 3", "a database"),
    (b"OTTO", "a font"),
    (b"wOF2", "a font"),
];

/// Tells what `source` holds.
///
/// # Errors
/// [`Error::Empty`], [`Error::Encrypted`], [`Error::NotAudio`] or [`Error::Io`].
pub fn sniff(source: &mut Source) -> Result<Found, Error> {
    let first = source.read_at(0, 64)?;
    if first.is_empty() {
        return Err(Error::Empty);
    }
    let tail = match source.len() {
        Some(len) => source.read_at(len.saturating_sub(16), 16)?,
        None => Vec::new(),
    };
    if let Some(scheme) = scheme_by_content(&first, &tail) {
        return Err(Error::Encrypted { scheme: scheme.to_owned() });
    }
    let start = after_tags(source)?;
    if source.is_pipe() {
        let head = source.read_at(start, PIPE_HEAD_BYTES)?;
        if let Ok(kind) = kind_of(&head) {
            return Ok(Found { kind, start });
        }
    }
    let kind = kind_of(&source.read_at(start, HEAD_BYTES)?)?;
    Ok(Found { kind, start })
}

fn kind_of(head: &[u8]) -> Result<Kind, Error> {
    if head.is_empty() {
        return Err(Error::NotAudio { looks_like: "an ID3 tag with nothing after it".to_owned() });
    }
    by_magic(head).map_or_else(|| by_frames(head), Ok)
}

/// Returns the offset after the ID3v2 tags at the start.
fn after_tags(source: &mut Source) -> Result<u64, Error> {
    let mut at = 0;
    for _ in 0..TAGS_MAX {
        let header = source.read_at(at, 10)?;
        let Some(length) = id3_length(&header) else { break };
        at += length;
    }
    // A tag that claims more than there is: look for frames from the start instead.
    let too_long = match source.len() {
        Some(len) => at >= len && len > 10,
        None => {
            at > 0
                && source.read_at(at, 1)?.is_empty()
                && source.reaches(0)
                && source.read_at(0, 11)?.len() > 10
        }
    };
    Ok(if too_long { 0 } else { at })
}

/// The whole length of the ID3v2 tag that starts with `header` (ID3v2.4, 3.1: "synchsafe" size, footer flag).
pub(super) fn id3_length(header: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', major, _, flags, a, b, c, d] = *header else { return None };
    if major == 0xff || (a | b | c | d) & 0x80 != 0 {
        return None;
    }
    let body = [a, b, c, d].iter().fold(0u64, |sum, byte| (sum << 7) | u64::from(*byte));
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + body + footer)
}

fn by_magic(head: &[u8]) -> Option<Kind> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let external = |name, demuxer| Some(Kind::External(External { name, demuxer: Some(demuxer) }));
    if at(0, b"RIFF") {
        return match head.get(8..12) {
            Some(b"WAVE") => Some(Kind::Container(Reader::Wav)),
            Some(b"AVI ") => external("AVI", "avi"),
            _ => None,
        };
    }
    if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        return Some(Kind::Container(Reader::Aiff));
    }
    if at(0, b"OggS") {
        let opening = &head[..head.len().min(512)];
        let speex = opening.windows(8).any(|window| window == b"Speex   ");
        return if speex { external("Speex", "ogg") } else { Some(Kind::Container(Reader::Ogg)) };
    }
    if at(0, &WAVE64) {
        return Some(Kind::Wave64);
    }
    let simple: [(&[u8], Kind); 6] = [
        (b"RF64", Kind::Rf64),
        (b"BW64", Kind::Rf64),
        (b"fLaC", Kind::Container(Reader::Flac)),
        (b"caff", Kind::Container(Reader::Caf)),
        (&[0x1a, 0x45, 0xdf, 0xa3], Kind::Container(Reader::Matroska)),
        (b".snd", Kind::Au),
    ];
    if let Some((_, kind)) = simple.iter().find(|(magic, _)| at(0, magic)) {
        return Some(*kind);
    }
    let boxes: [&[u8]; 10] =
        [b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"sidx", b"free", b"skip", b"wide", b"pnot"];
    if boxes.iter().any(|name| at(4, name)) {
        return Some(Kind::Container(Reader::Mp4));
    }
    let external = EXTERNAL.iter().find(|(magic, ..)| at(0, magic));
    external.map(|&(_, name, demuxer)| Kind::External(External { name, demuxer }))
}

/// The GUID that starts a Wave64 file: `riff` and Sony's suffix.
const WAVE64: [u8; 16] =
    [b'r', b'i', b'f', b'f', 0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 4, 0xc1, 0, 0];

/// For what has no magic: frames that follow one another, else an answer to what this is instead.
fn by_frames(head: &[u8]) -> Result<Kind, Error> {
    let not = |looks_like: &str| Err(Error::NotAudio { looks_like: looks_like.to_owned() });
    if let Some((_, what)) = NOT_AUDIO.iter().find(|(magic, _)| head.starts_with(magic)) {
        return not(what);
    }
    if let Some(what) = text(head) {
        return not(what);
    }
    if super::transport::packet_shape(head).is_some() {
        return Ok(Kind::MpegTs);
    }
    if adts_frames_at(head, 0) >= 2 {
        return Ok(Kind::Adts);
    }
    if looks_like_loas(head) {
        return Ok(Kind::Loas);
    }
    // Before MPEG audio: its fixed nibble every 33 bytes holds random sync words between.
    if looks_like_gsm(head) {
        return Ok(Kind::External(External { name: "GSM 06.10", demuxer: Some("gsm") }));
    }
    if mpeg_audio_frames(head) >= 1 {
        return Ok(Kind::MpegAudio);
    }
    if (1..head.len().min(GARBAGE_BYTES)).any(|at| adts_frames_at(head, at) >= 4) {
        return Ok(Kind::Adts);
    }
    not("data of no known audio format")
}

/// Garbage before the first ADTS frame that is looked through.
const GARBAGE_BYTES: usize = 64 * 1024;

/// GSM 06.10 has no header; each frame of 33 bytes starts with the nibble 0xd.
fn looks_like_gsm(head: &[u8]) -> bool {
    head.len() >= 33 * 16 && head.chunks_exact(33).take(64).all(|frame| frame[0] >> 4 == 0xd)
}

/// Says what kind of text this is, if it is text.
fn text(head: &[u8]) -> Option<&'static str> {
    let opening = &head[..head.len().min(2048)];
    let shown = String::from_utf8_lossy(opening);
    let control = opening.iter().filter(|byte| **byte < 9 || (14..32).contains(*byte)).count();
    let broken = shown.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    if control > 0 || broken * 8 > opening.len() {
        return None;
    }
    let start = shown.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    Some(match start.as_str() {
        html if html.starts_with("<!doctype html") || html.starts_with("<html") => "an HTML page",
        xml if xml.starts_with("<?xml") || xml.starts_with('<') => "an XML document",
        list if list.starts_with("#extm3u") => "a playlist (M3U)",
        list if list.starts_with("[playlist]") => "a playlist (PLS)",
        json if json.starts_with('{') || json.starts_with('[') => "JSON text",
        _ => "text",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn of(bytes: &[u8]) -> Result<Kind, Error> {
        sniff(&mut Source::bytes(bytes)).map(|found| found.kind)
    }

    #[test]
    fn says_what_is_not_audio() {
        let what = |bytes: &[u8]| of(bytes).unwrap_err().to_string();
        assert_eq!(what(b""), "the file is empty");
        assert_eq!(what(b"<!DOCTYPE html><p>gone"), "not audio: this is an HTML page");
        assert_eq!(what("Lyrics: 夜に駆ける\n".as_bytes()), "not audio: this is text");
        assert_eq!(what(b"PK\x03\x04\x14\0\0\0"), "not audio: this is a ZIP archive");
        assert!(what(b"CTENFDAM\x01\x70\0\0").contains("NetEase"));
    }

    #[test]
    fn knows_formats_behind_tags() {
        let mut bytes = b"ID3\x04\0\0\0\0\x02\x00".to_vec();
        bytes.extend([0; 256]);
        bytes.extend(b"fLaC\0\0\0\x22");
        let found = sniff(&mut Source::bytes(bytes)).unwrap();
        assert_eq!(found, Found { kind: Kind::Container(Reader::Flac), start: 266 });
        assert_eq!(of(b"\0\0\0\x20ftypM4A \0\0"), Ok(Kind::Container(Reader::Mp4)));
        assert!(matches!(of(b"MAC \x96\x0f"), Ok(Kind::External(External { demuxer: Some("ape"), .. }))));
    }

    proptest! {
        #[test]
        fn never_panics_and_random_bytes_are_no_audio(bytes in proptest::collection::vec(any::<u8>(), 0..6000)) {
            if let Ok(kind) = of(&bytes) {
                // Two-byte magics may strike by chance; frame formats must not.
                prop_assert!(matches!(kind, Kind::External(_)), "{kind:?}");
            }
        }

        #[test]
        fn tags_of_any_size_are_survived(sizes in proptest::collection::vec(any::<[u8; 4]>(), 1..12)) {
            let mut bytes = Vec::new();
            for size in sizes {
                bytes.extend(b"ID3\x03\0\0");
                bytes.extend(size);
            }
            let _ = of(&bytes);
        }
    }
}
