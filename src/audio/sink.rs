//! The end of every decoder: clean, resample, cut into views; and the account of what happened on the way.

use super::mix::Front;
use super::resample::{RATES_HZ, Resampler};
use super::views::Views;
use super::{Block, Error, Frames, Limits, MediaInfo, MediaTags};
use crate::base::ANALYSIS_RATE_HZ;

/// What a demultiplexer says of its file.
#[derive(Debug, Clone, Default)]
pub(super) struct Described {
    pub(super) container: String,
    pub(super) codec: String,
    pub(super) tracks: usize,
    /// The length that the header promises, where it is no estimate.
    pub(super) promised_s: Option<f64>,
    /// The file says of itself that it was cut off.
    pub(super) cut: bool,
    pub(super) warnings: Vec<String>,
    pub(super) tags: MediaTags,
}

/// Takes decoded packets, gives blocks.
pub(super) struct Sink<'a> {
    consume: &'a mut dyn FnMut(&Block<'_>),
    /// Who takes the audio at the file's own rate, in place of `consume`.
    consume_frames: Option<&'a mut dyn FnMut(&Frames<'_>)>,
    frames_max: u64,
    resampler: Option<(u32, bool, Resampler)>,
    views: Views,
    /// Frames given so far, at the analysis rate.
    frames: u64,
    /// Frames given so far at the file's own rate.
    frames_at_own_rate: u64,
    first: Option<(u32, usize)>,
    changes: u32,
    bad_packets: u64,
    gaps: u64,
    bad_rate: Option<u32>,
    cut_by_limit: bool,
}

impl<'a> Sink<'a> {
    pub(super) fn new(limits: &Limits, consume: &'a mut dyn FnMut(&Block<'_>)) -> Self {
        Self {
            consume,
            consume_frames: None,
            frames_max: (limits.duration_max_s * f64::from(ANALYSIS_RATE_HZ)) as u64,
            resampler: None,
            views: Views::default(),
            frames: 0,
            frames_at_own_rate: 0,
            first: None,
            changes: 0,
            bad_packets: 0,
            gaps: 0,
            bad_rate: None,
            cut_by_limit: false,
        }
    }

    /// Gives the audio at the file's own rate, and no blocks.
    pub(super) fn giving_frames(mut self, consume: &'a mut dyn FnMut(&Frames<'_>)) -> Self {
        self.consume_frames = Some(consume);
        self
    }

    /// Takes the audio of one packet. Returns whether more is welcome.
    pub(super) fn push(&mut self, front: &mut Front) -> bool {
        if front.left.is_empty() {
            return true;
        }
        front.clean();
        let stereo = !front.right.is_empty();
        if self.first.is_none() {
            self.first = Some((front.rate_hz, front.channels));
        }
        if let Some(consume) = &mut self.consume_frames
            && RATES_HZ.contains(&front.rate_hz)
        {
            let right = stereo.then_some(front.right.as_slice());
            consume(&Frames { rate_hz: front.rate_hz, left: &front.left, right });
            // In the unit of the limit and of the length that is told.
            self.frames_at_own_rate += front.left.len() as u64;
            self.frames = self.frames_at_own_rate * u64::from(ANALYSIS_RATE_HZ) / u64::from(front.rate_hz);
            self.cut_by_limit = self.frames > self.frames_max;
            return !self.cut_by_limit;
        }
        if !matches!(&self.resampler, Some((rate, wide, _)) if *rate == front.rate_hz && *wide == stereo) {
            self.flush();
            let Some(resampler) = Resampler::new(front.rate_hz, 1 + usize::from(stereo)) else {
                self.bad_rate = Some(front.rate_hz);
                return false;
            };
            self.changes += 1;
            self.resampler = Some((front.rate_hz, stereo, resampler));
        }
        let Some((_, _, resampler)) = &mut self.resampler else { return false };
        let (views, consume, frames) = (&mut self.views, &mut *self.consume, &mut self.frames);
        let mut give = |planes: &[&[f32]]| forward(planes, views, consume, frames);
        if stereo {
            resampler.push(&[&front.left, &front.right], &mut give);
        } else {
            resampler.push(&[&front.left], &mut give);
        }
        self.cut_by_limit = self.frames > self.frames_max;
        !self.cut_by_limit
    }

    /// Counts a packet that could not be decoded.
    pub(super) fn bad_packet(&mut self) {
        self.bad_packets += 1;
    }

    /// Counts a place where packets are missing, and silence stands in for them.
    pub(super) fn gap(&mut self) {
        self.gaps += 1;
    }

    fn flush(&mut self) {
        if let Some((_, _, resampler)) = self.resampler.take() {
            let (views, consume, frames) = (&mut self.views, &mut *self.consume, &mut self.frames);
            resampler.finish(&mut |planes| forward(planes, views, consume, frames));
        }
    }

    /// Ends the audio and sums up.
    pub(super) fn finish(mut self, described: Described) -> Result<MediaInfo, Error> {
        self.flush();
        let Described { container, codec, tracks, promised_s, cut, mut warnings, tags } = described;
        if let Some(rate) = self.bad_rate {
            let what = format!(
                "a sample rate of {rate} Hz (from {} to {} are read)",
                RATES_HZ.start(),
                RATES_HZ.end()
            );
            if self.frames == 0 {
                return Err(Error::damaged(&container, what));
            }
            warnings.push(format!("stopped at {what}"));
        }
        let Some((sample_rate_hz, channels)) = self.first else {
            let what = match promised_s {
                Some(promised) if promised > 0.0 => {
                    format!("its header promises {promised:.0} s of audio, none is there")
                }
                _ => "no audio could be decoded".to_owned(),
            };
            return Err(Error::damaged(&container, what));
        };
        std::mem::take(&mut self.views).finish(self.consume);
        let duration_s = self.frames as f64 / f64::from(ANALYSIS_RATE_HZ);
        // Half a second and one part in fifty: encoders' delay and padding, and rounding in headers.
        let short = promised_s.filter(|promised| duration_s + 0.5 < promised * 0.98 && !self.cut_by_limit);
        match (short, cut) {
            (Some(promised), _) => {
                warnings.push(format!(
                    "cut off: the header promises {promised:.1} s, {duration_s:.1} s could be decoded"
                ));
            }
            (None, true) => warnings.push(format!("cut off after {duration_s:.1} s")),
            (None, false) => {}
        }
        if self.bad_packets > 0 {
            warnings.push(match self.bad_packets {
                1 => "1 damaged packet was skipped".to_owned(),
                packets => format!("{packets} damaged packets were skipped"),
            });
        }
        if self.gaps > 0 {
            warnings.push(format!("packets are missing in {} places, filled with silence", self.gaps));
        }
        if self.changes > 1 {
            warnings.push(format!("rate or channels change {} times", self.changes - 1));
        }
        if self.cut_by_limit {
            warnings.push(format!("only the first {duration_s:.0} s were analysed (limit)"));
        }
        Ok(MediaInfo {
            container,
            codec,
            sample_rate_hz,
            channels: channels as u32,
            duration_s,
            tracks,
            warnings,
            tags,
        })
    }
}

fn forward(planes: &[&[f32]], views: &mut Views, consume: &mut dyn FnMut(&Block<'_>), frames: &mut u64) {
    let Some(left) = planes.first() else { return };
    *frames += left.len() as u64;
    views.push(left, planes.get(1).copied(), consume);
}
