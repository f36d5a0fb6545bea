//! What a worker sends while it decodes, for audio of any length:
//!
//! ```text
//!   stream = magic "EWS1" | frame …
//!   frame  = u8 kind | u32 length of the body | u32 CRC-32 of kind and body | body
//!   kind 1, peaks: u32 complete to | u8 number of views | views
//!       view = u8 view | u32 number of peaks | peaks;  peak = u32 time | u16 pitch | u8 strength | u8 salient
//!   kind 2, end of an audio track: u32 its length; the next track starts again at time 0
//!   kind 3, end of all: JSON of the protections and of what the media is, or why it gave no (more) audio
//! ```
//!
//! Numbers are little-endian, times in steps of 1/8 hop. A peaks frame holds all peaks from the last frame's
//! `complete to` up to its own, of every view that is being analysed. The parent trusts none of it: a worker may
//! have been taken over by its input.

use std::io::{self, ErrorKind, Read, Write};

use serde::{Deserialize, Serialize};

use super::{Protections, ReplyError};
use crate::audio;
use crate::base::ChannelView;
use crate::fingerprint::{BINS, PITCH_STEPS_PER_BIN, Peak, TIME_STEPS_PER_S};

const MAGIC: &[u8; 4] = b"EWS1";

const PEAKS: u8 = 1;
const TRACK_END: u8 = 2;
const END: u8 = 3;

/// The longest time that one frame may span, in steps: 10 s.
pub(super) const TICK_STEPS_MAX: u32 = (10.0 * TIME_STEPS_PER_S) as u32;
/// Peaks of one view in one frame: some six times what an analyser finds in the longest of them.
const PEAKS_MAX: u32 = 2560;
/// Bytes of a body: four views full of peaks, or a head with all its tags and warnings.
const BODY_BYTES_MAX: u32 = 256 * 1024;
/// Tracks of one file that are analysed.
const TRACKS_MAX: u32 = super::child::TRACKS_MAX as u32;
const STRENGTH_MAX: u8 = 127;

/// Peaks of all views of a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tick {
    /// All peaks before this time (steps) have been sent.
    pub complete_to: u32,
    /// The peaks since the last tick, for each view that is analysed.
    pub views: Vec<(ChannelView, Vec<Peak>)>,
}

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame {
    /// More peaks.
    Peaks(Tick),
    /// An audio track ended, after so many steps.
    TrackEnd(u32),
    /// All is said.
    End(Box<Ending>),
}

/// What a worker says last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ending {
    /// The protections in force.
    pub(super) protections: Protections,
    /// What was decoded, or why nothing (more) was.
    pub(super) outcome: Result<audio::MediaInfo, audio::Error>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    protections: Protections,
    info: Option<audio::MediaInfo>,
    error: Option<audio::Error>,
}

/// Writes frames, the magic before the first.
pub(super) struct FrameWriter<W: Write> {
    to: W,
    begun: bool,
}

impl<W: Write> FrameWriter<W> {
    pub(super) const fn new(to: W) -> Self {
        Self { to, begun: false }
    }

    /// Writes one frame, and sends it on its way.
    pub(super) fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let (kind, body) = match frame {
            Frame::Peaks(tick) => (PEAKS, tick_bytes(tick)?),
            Frame::TrackEnd(steps) => (TRACK_END, steps.to_le_bytes().to_vec()),
            Frame::End(ending) => {
                let head = Head {
                    protections: ending.protections.clone(),
                    info: ending.outcome.as_ref().ok().cloned(),
                    error: ending.outcome.as_ref().err().cloned(),
                };
                (END, serde_json::to_vec(&head)?)
            }
        };
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        if !self.begun {
            self.to.write_all(MAGIC)?;
            self.begun = true;
        }
        self.to.write_all(&[kind])?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(&checksum(kind, &body).to_le_bytes())?;
        self.to.write_all(&body)?;
        self.to.flush()
    }
}

fn checksum(kind: u8, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(body);
    hasher.finalize()
}

fn tick_bytes(tick: &Tick) -> io::Result<Vec<u8>> {
    let mut body = tick.complete_to.to_le_bytes().to_vec();
    body.push(u8::try_from(tick.views.len()).map_err(io::Error::other)?);
    for (view, peaks) in &tick.views {
        body.push(ChannelView::ALL.iter().position(|one| one == view).unwrap_or(0) as u8);
        body.extend(u32::try_from(peaks.len()).map_err(io::Error::other)?.to_le_bytes());
        for peak in peaks {
            body.extend(peak.time.to_le_bytes());
            body.extend(peak.pitch.to_le_bytes());
            body.extend([peak.strength, u8::from(peak.salient)]);
        }
    }
    Ok(body)
}

/// Reads and checks frames.
pub(super) struct FrameReader<R: Read> {
    from: R,
    begun: bool,
    ended: bool,
    complete_to: u32,
    tracks: u32,
}

impl<R: Read> FrameReader<R> {
    pub(super) const fn new(from: R) -> Self {
        Self { from, begun: false, ended: false, complete_to: 0, tracks: 0 }
    }

    /// Reads the next frame; `None` after the last.
    ///
    /// # Errors
    /// [`ReplyError`], whatever the bytes are; nothing is to be read after it.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, ReplyError> {
        if self.ended {
            return Ok(None);
        }
        let result = self.read();
        self.ended = !matches!(result, Ok(Frame::Peaks(_) | Frame::TrackEnd(_)));
        result.map(Some)
    }

    fn read(&mut self) -> Result<Frame, ReplyError> {
        if !self.begun {
            if self.array()? != *MAGIC {
                return Err(ReplyError::Magic);
            }
            self.begun = true;
        }
        let [kind] = self.array()?;
        let length = u32::from_le_bytes(self.array()?);
        let expected = u32::from_le_bytes(self.array()?);
        if length > BODY_BYTES_MAX {
            return Err(ReplyError::Head("a part is too long".to_owned()));
        }
        let mut body = vec![0; length as usize];
        self.from.read_exact(&mut body).map_err(|error| cut_off(&error))?;
        if checksum(kind, &body) != expected {
            return Err(ReplyError::Checksum);
        }
        match kind {
            PEAKS => self.peaks(&body),
            TRACK_END => self.track_end(&body),
            END => ending(&body),
            _ => Err(ReplyError::Head("a part of no known kind".to_owned())),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReplyError> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes).map_err(|error| cut_off(&error))?;
        Ok(bytes)
    }

    fn peaks(&mut self, body: &[u8]) -> Result<Frame, ReplyError> {
        let mut rest = Bytes(body);
        let complete_to = rest.u32()?;
        let past = complete_to.checked_sub(self.complete_to);
        if !past.is_some_and(|steps| (1..=TICK_STEPS_MAX).contains(&steps)) {
            return Err(wrong("its time does not go forward in small steps"));
        }
        if self.tracks >= TRACKS_MAX {
            return Err(wrong("too many tracks"));
        }
        let mut views: Vec<(ChannelView, Vec<Peak>)> = Vec::new();
        for _ in 0..rest.u8()? {
            let view = ChannelView::ALL.get(usize::from(rest.u8()?)).ok_or_else(|| wrong("no such view"))?;
            if views.iter().any(|(known, _)| known == view) {
                return Err(wrong("a view twice"));
            }
            views.push((*view, rest.peaks(self.complete_to..complete_to)?));
        }
        if !rest.0.is_empty() {
            return Err(wrong("bytes after the last view"));
        }
        self.complete_to = complete_to;
        Ok(Frame::Peaks(Tick { complete_to, views }))
    }

    fn track_end(&mut self, body: &[u8]) -> Result<Frame, ReplyError> {
        let duration = u32::from_le_bytes(*body.first_chunk().ok_or(ReplyError::CutOff)?);
        // The last peaks may be placed on or a little after the end, never the other way round.
        if body.len() != 4 || duration > self.complete_to {
            return Err(wrong("a track ends after its peaks"));
        }
        self.tracks += 1;
        self.complete_to = 0;
        Ok(Frame::TrackEnd(duration))
    }
}

fn cut_off(error: &io::Error) -> ReplyError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ReplyError::CutOff,
        _ => ReplyError::Head(error.to_string()),
    }
}

fn wrong(what: &str) -> ReplyError {
    ReplyError::Fingerprint(what.to_owned())
}

fn ending(body: &[u8]) -> Result<Frame, ReplyError> {
    let head: Head = serde_json::from_slice(body).map_err(|error| ReplyError::Head(error.to_string()))?;
    let outcome = match (head.info, head.error) {
        (Some(info), None) if info.duration_s.is_finite() => Ok(info),
        (None, Some(error)) => Err(error),
        _ => return Err(ReplyError::Head("neither audio nor an error".to_owned())),
    };
    Ok(Frame::End(Box::new(Ending { protections: head.protections, outcome })))
}

/// What is left of a body.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReplyError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(ReplyError::CutOff)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn u8(&mut self) -> Result<u8, ReplyError> {
        Ok(self.take::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, ReplyError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    /// Peaks in order, within `times`.
    fn peaks(&mut self, times: std::ops::Range<u32>) -> Result<Vec<Peak>, ReplyError> {
        let count = self.u32()?;
        if count > PEAKS_MAX {
            return Err(wrong("too many peaks"));
        }
        let mut peaks: Vec<Peak> = Vec::new();
        for _ in 0..count {
            let peak = Peak {
                time: self.u32()?,
                pitch: u16::from_le_bytes(self.take()?),
                strength: self.u8()?,
                salient: self.u8()? != 0,
            };
            let known = times.contains(&peak.time)
                && peak.pitch < BINS as u16 * PITCH_STEPS_PER_BIN
                && peak.strength <= STRENGTH_MAX;
            if !known || peaks.last().is_some_and(|last| (last.time, last.pitch) > (peak.time, peak.pitch)) {
                return Err(wrong("a peak out of place"));
            }
            peaks.push(peak);
        }
        Ok(peaks)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn peak(time: u32) -> Peak {
        Peak { time, pitch: (time % 2112) as u16, strength: 20, salient: time.is_multiple_of(3) }
    }

    fn ending() -> Ending {
        let info = audio::MediaInfo {
            container: "Ogg".to_owned(),
            codec: "Opus".to_owned(),
            sample_rate_hz: 48_000,
            channels: 2,
            duration_s: 20.5,
            tracks: 2,
            warnings: vec!["cut off".to_owned()],
            tags: audio::MediaTags::default(),
        };
        Ending { protections: Protections::default(), outcome: Ok(info) }
    }

    fn example() -> Vec<Frame> {
        let tick = |complete_to, views| Frame::Peaks(Tick { complete_to, views });
        vec![
            tick(300, vec![(ChannelView::Mid, vec![peak(5), peak(5), peak(299)])]),
            tick(700, vec![(ChannelView::Mid, vec![]), (ChannelView::Right, vec![peak(300)])]),
            Frame::TrackEnd(690),
            tick(10, vec![(ChannelView::Mid, vec![peak(0)])]),
            Frame::TrackEnd(10),
            Frame::End(Box::new(ending())),
        ]
    }

    fn bytes(frames: &[Frame]) -> Vec<u8> {
        let mut writer = FrameWriter::new(Vec::new());
        frames.iter().for_each(|frame| writer.write(frame).unwrap());
        writer.to
    }

    /// All frames, or the first error.
    fn read(bytes: &[u8]) -> Result<Vec<Frame>, ReplyError> {
        let mut reader = FrameReader::new(bytes);
        let mut frames = Vec::new();
        while let Some(frame) = reader.next()? {
            frames.push(frame);
        }
        assert_eq!(reader.next(), Ok(None));
        Ok(frames)
    }

    #[test]
    fn round_trips() {
        assert_eq!(read(&bytes(&example())).unwrap(), example());
        let error = audio::Error::NeedsFile { format: "MP4".to_owned() };
        let failed = [Frame::End(Box::new(Ending { outcome: Err(error), ..ending() }))];
        assert_eq!(read(&bytes(&failed)).unwrap(), failed);
    }

    #[test]
    fn what_a_worker_must_not_send_is_refused() {
        let mid =
            |complete_to, peaks| Frame::Peaks(Tick { complete_to, views: vec![(ChannelView::Mid, peaks)] });
        let first = mid(100, vec![peak(50)]);
        let lies = [
            mid(100, vec![]),
            mid(99, vec![]),
            mid(101 + TICK_STEPS_MAX, vec![]),
            mid(200, vec![peak(99)]),
            mid(200, vec![peak(200)]),
            mid(200, vec![peak(120), peak(110)]),
            mid(200, vec![Peak { pitch: 2112, ..peak(150) }]),
            mid(200, vec![Peak { strength: 128, ..peak(150) }]),
            mid(200, vec![peak(150); 3000]),
            Frame::Peaks(Tick { complete_to: 200, views: vec![(ChannelView::Mid, vec![]); 2] }),
            Frame::TrackEnd(101),
        ];
        for lie in lies {
            assert!(read(&bytes(&[first.clone(), lie.clone()])).is_err(), "{lie:?}");
        }
        let tracks: Vec<Frame> = (0..5).flat_map(|_| [first.clone(), Frame::TrackEnd(100)]).collect();
        assert!(read(&bytes(&tracks)).is_err());
    }

    proptest! {
        #[test]
        fn any_cut_or_change_is_found(at in any::<usize>(), value in 1u8..) {
            let whole = bytes(&example());
            prop_assert!(read(&whole[..at % whole.len()]).is_err());
            let mut changed = whole.clone();
            changed[at % whole.len()] ^= value;
            prop_assert!(read(&changed).is_err());
        }

        #[test]
        fn lying_bodies_are_survived(kind in 0u8..5, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut stream = MAGIC.to_vec();
            stream.push(kind);
            stream.extend((body.len() as u32).to_le_bytes());
            stream.extend(checksum(kind, &body).to_le_bytes());
            stream.extend(&body);
            prop_assert!(read(&stream).is_err());
        }

        #[test]
        fn lengths_are_not_believed(kind in 1u8..4, length in BODY_BYTES_MAX + 1..) {
            let mut stream = MAGIC.to_vec();
            stream.push(kind);
            stream.extend(length.to_le_bytes());
            stream.extend([0; 16]);
            prop_assert!(read(&stream).is_err());
        }

        #[test]
        fn ticks_of_any_peaks_round_trip(times in proptest::collection::btree_set(0u32..3000, 0..200)) {
            let peaks = times.into_iter().map(peak).collect();
            let frames = [Frame::Peaks(Tick { complete_to: 3000, views: vec![(ChannelView::Side, peaks)] })];
            let first = FrameReader::new(&bytes(&frames)[..]).next().unwrap();
            prop_assert_eq!(first.as_ref(), frames.first());
        }
    }
}
