//! Spans of a file's sound, as the fingerprint hears it: cut out in the child, taken by the parent.
//!
//! The samples come as parts of the reply ([`super::reply`]), one for each span in the order in which they were asked
//! for, as little-endian 16-bit numbers: whatever a worker that was taken over says, it is sound and nothing else.

use super::ReplyError;
use super::child::TRACKS_MAX;
use crate::audio::{Block, Limits};
use crate::base::{AudioSpan, ChannelView, Pcm, sample_16_bit};

/// Spans that are cut out of a file at once.
pub(super) const SPANS_MAX: usize = 8;

/// Seconds that are decoded after the last span: which views a second is heard in depends on those after it.
const BEYOND_S: f64 = 5.0;

/// The child's side: cuts spans out of tracks, one track after the other.
pub(super) struct Cutting<'a> {
    spans: &'a [AudioSpan],
    cut: Vec<Vec<u8>>,
    track: usize,
    /// Samples of the track so far.
    at: u64,
}

impl<'a> Cutting<'a> {
    pub(super) fn new(spans: &'a [AudioSpan]) -> Self {
        Self { spans, cut: vec![Vec::new(); spans.len()], track: 0, at: 0 }
    }

    /// Begins a track. Returns how far it must be decoded; none where no span is in it.
    pub(super) fn begin(&mut self, track: usize) -> Option<Limits> {
        (self.track, self.at) = (track, 0);
        let ends = self.spans.iter().filter(|span| span.track == track).map(AudioSpan::end_s);
        let end_s = ends.reduce(f64::max)?;
        let limits = Limits::default();
        Some(Limits { duration_max_s: limits.duration_max_s.min(end_s + BEYOND_S), ..limits })
    }

    /// Takes the next block of the track.
    pub(super) fn push(&mut self, block: &Block<'_>) {
        let (begins, length) = (self.at, block.mid.len());
        self.at += length as u64;
        let place =
            |sample: u64| usize::try_from(sample.saturating_sub(begins)).unwrap_or(length).min(length);
        for (span, cut) in self.spans.iter().zip(&mut self.cut) {
            let here = place(span.first_sample)..place(span.end_sample());
            if span.track != self.track || here.is_empty() {
                continue;
            }
            match of_view(block, span.view).and_then(|samples| samples.get(here.clone())) {
                Some(samples) => {
                    cut.extend(samples.iter().flat_map(|sample| sample_16_bit(*sample).to_le_bytes()));
                }
                // A view that is not given counts as silence, for the fingerprint too.
                None => cut.resize(cut.len() + 2 * here.len(), 0),
            }
        }
    }

    /// Gives the samples of each span; fewer than asked for where the sound ends before.
    pub(super) fn finish(self) -> Vec<(ChannelView, Vec<u8>)> {
        self.spans.iter().map(|span| span.view).zip(self.cut).collect()
    }
}

const fn of_view<'a>(block: &Block<'a>, view: ChannelView) -> Option<&'a [f32]> {
    match view {
        ChannelView::Mid => Some(block.mid),
        ChannelView::Side => block.side,
        ChannelView::Left => block.left,
        ChannelView::Right => block.right,
    }
}

/// Whether so many spans, and so long ones, of tracks that are analysed may be asked for.
pub(super) fn may_be_cut(spans: &[AudioSpan]) -> bool {
    let is_bounded = |span: &AudioSpan| span.samples <= AudioSpan::SAMPLES_MAX && span.track < TRACKS_MAX;
    spans.len() <= SPANS_MAX && spans.iter().all(is_bounded)
}

/// Bytes of an answer with these spans: the samples, and more than any head takes.
pub(super) fn reply_bytes(spans: &[AudioSpan]) -> u64 {
    const HEAD_BYTES_MAX: u64 = 4 << 20;
    spans.iter().map(|span| 2 * u64::from(span.samples)).sum::<u64>() + HEAD_BYTES_MAX
}

/// The parent's side: the parts of an answer, which are believed nothing → the sound of each span.
///
/// # Errors
/// [`ReplyError::Sound`] where they are not what was asked for.
pub(super) fn sounds(spans: &[AudioSpan], parts: &[(ChannelView, Vec<u8>)]) -> Result<Vec<Pcm>, ReplyError> {
    if parts.len() != spans.len() {
        return Err(ReplyError::Sound("another number of spans"));
    }
    spans.iter().zip(parts).map(|(span, (view, bytes))| sound(span, *view, bytes)).collect()
}

fn sound(span: &AudioSpan, view: ChannelView, bytes: &[u8]) -> Result<Pcm, ReplyError> {
    let (samples, rest) = bytes.as_chunks::<2>();
    if view != span.view {
        return Err(ReplyError::Sound("another channel view"));
    }
    if !rest.is_empty() {
        return Err(ReplyError::Sound("half a sample"));
    }
    if samples.len() as u64 > u64::from(span.samples) {
        return Err(ReplyError::Sound("more of a span than was asked for"));
    }
    Ok(Pcm::from_16_bit(samples.iter().map(|sample| i16::from_le_bytes(*sample))))
}

/// Reads a span as the parent writes it on the command line: `TRACK:VIEW:FIRST:SAMPLES`.
///
/// # Errors
/// What it must look like.
pub fn parse_span(text: &str) -> Result<AudioSpan, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let read = || {
        let [track, view, first, samples] = parts.as_slice() else { return None };
        Some(AudioSpan {
            track: track.parse().ok()?,
            view: ChannelView::by_name(view)?,
            first_sample: first.parse().ok()?,
            samples: samples.parse().ok()?,
        })
    };
    read().ok_or_else(|| "TRACK:VIEW:FIRST:SAMPLES".to_owned())
}

/// Writes a span for the command line.
pub(super) fn span_text(span: &AudioSpan) -> String {
    format!("{}:{}:{}:{}", span.track, span.view.as_str(), span.first_sample, span.samples)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;
    use crate::base::ANALYSIS_RATE_HZ;

    fn any_span() -> impl Strategy<Value = AudioSpan> {
        let view = prop::sample::select(ChannelView::ALL.to_vec());
        (0usize..2, view, 0u64..300, 0u32..300).prop_map(|(track, view, first_sample, samples)| AudioSpan {
            track,
            view,
            first_sample,
            samples,
        })
    }

    proptest! {
        /// Cut in blocks of any length, spans are what the whole has there, and the parent takes them.
        #[test]
        fn spans_are_what_the_whole_has_there(
            spans in prop::collection::vec(any_span(), 1..4),
            lengths in prop::collection::vec(0usize..90, 0..8),
            with_side in prop::collection::vec(any::<bool>(), 8),
        ) {
            let whole: Vec<i16> = (0..lengths.iter().sum::<usize>() as i16).map(|n| n.wrapping_mul(977)).collect();
            let mut side = Vec::new();
            let mut cutting = Cutting::new(&spans);
            for track in 0..2 {
                side.clear();
                if cutting.begin(track).is_none() {
                    continue;
                }
                let mut at = 0;
                for (length, has_side) in lengths.iter().zip(&with_side) {
                    let mid = Pcm::from_16_bit(whole[at..at + length].iter().copied()).samples;
                    at += length;
                    side.extend(mid.iter().map(|sample| if *has_side { *sample } else { 0.0 }));
                    cutting.push(&Block { mid: &mid, side: has_side.then_some(&mid), left: None, right: None });
                }
            }
            let sounds = sounds(&spans, &cutting.finish()).unwrap();
            for (span, sound) in spans.iter().zip(sounds) {
                let end = (span.end_sample() as usize).min(whole.len());
                let first = (span.first_sample as usize).min(end);
                let expected = match span.view {
                    ChannelView::Mid => Pcm::from_16_bit(whole.iter().copied()).samples[first..end].to_vec(),
                    ChannelView::Side => {
                        let of_side: Vec<f32> = lengths.iter().zip(&with_side)
                            .flat_map(|(length, has)| std::iter::repeat_n(*has, *length))
                            .zip(&Pcm::from_16_bit(whole.iter().copied()).samples)
                            .map(|(has, sample)| if has { *sample } else { 0.0 })
                            .collect();
                        of_side[first..end].to_vec()
                    }
                    _ => vec![0.0; end - first],
                };
                prop_assert_eq!(sound.samples, expected);
            }
        }

        #[test]
        fn an_answer_of_any_bytes_is_bounded(
            spans in prop::collection::vec(any_span(), 0..4),
            parts in prop::collection::vec((prop::sample::select(ChannelView::ALL.to_vec()), prop::collection::vec(any::<u8>(), 0..700)), 0..4),
        ) {
            if let Ok(sounds) = sounds(&spans, &parts) {
                prop_assert_eq!(sounds.len(), spans.len());
                for (span, sound) in spans.iter().zip(sounds) {
                    prop_assert!(sound.samples.len() <= span.samples as usize);
                    prop_assert!(sound.samples.iter().all(|sample| (-1.0..1.0).contains(sample)));
                }
            }
        }

        #[test]
        fn a_span_comes_back_from_the_command_line(span in any_span()) {
            prop_assert_eq!(parse_span(&span_text(&span)), Ok(span));
        }
    }

    #[test]
    fn what_was_not_asked_for_is_refused() {
        let spans = [AudioSpan { track: 0, view: ChannelView::Mid, first_sample: 5, samples: 2 }];
        let told = |view, bytes: &[u8]| {
            sounds(&spans, &[(view, bytes.to_vec())]).map(|sounds| sounds[0].samples.len())
        };
        assert_eq!(told(ChannelView::Mid, &[0; 4]), Ok(2));
        assert_eq!(told(ChannelView::Mid, &[0; 2]), Ok(1));
        for (view, bytes) in [(ChannelView::Mid, 6), (ChannelView::Mid, 3), (ChannelView::Left, 4)] {
            assert!(matches!(told(view, &vec![0; bytes]), Err(ReplyError::Sound(_))), "{view:?} {bytes}");
        }
        assert!(sounds(&spans, &[]).is_err());
        assert!(may_be_cut(&spans));
        assert!(!may_be_cut(&[spans[0]; SPANS_MAX + 1]));
        assert!(!may_be_cut(&[AudioSpan { samples: AudioSpan::SAMPLES_MAX + 1, ..spans[0] }]));
        for text in ["", "0:mid:1", "0:mid:1:2:3", "0:middle:1:2", "-1:mid:1:2", "0:mid:1:99999999999"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_more_is_decoded_than_the_spans_need() {
        let span = AudioSpan::between(1, ChannelView::Mid, 10.0, 20.0);
        let mut cutting = Cutting::new(std::slice::from_ref(&span));
        assert_eq!(cutting.begin(0), None);
        assert_eq!(cutting.begin(1).map(|limits| limits.duration_max_s), Some(20.0 + BEYOND_S));
        assert_eq!(span.samples, 10 * ANALYSIS_RATE_HZ);
    }
}
