//! The child's side of a stream: blocks of audio → frames of peaks on stdout, second by second.

use std::io::Write;

use super::child::silence;
use super::frames::{Ending, Frame, FrameWriter, Tick};
use crate::audio::Block;
use crate::base::ChannelView;
use crate::fingerprint::{Analyzer, HOP_SAMPLES, Peak, TIME_STEPS_PER_HOP, TIME_STEPS_PER_S};

/// A view that is needed late starts at a multiple of this many hops, about a second, with a second of silence or
/// more before its first sound: as if it had been analysed from the start, since an analyser keeps the strongest
/// peaks of each such block, and hears an onset half a window early.
const START_HOPS: u64 = 43;
/// Blocks (seconds) of silence after which a view is no longer analysed: more than an analyser remembers of what
/// was loud before.
const SILENT_BLOCKS_MAX: u32 = 30;
/// Frames span no more than this, in steps: 5 s.
const TICK_STEPS: u32 = (5.0 * TIME_STEPS_PER_S) as u32;

/// One view under analysis.
struct Running {
    analyzer: Analyzer,
    /// Time (steps) at which the analyser began.
    offset: u32,
    /// Peaks that are complete, waiting for the other views.
    held: Vec<Peak>,
    complete_to: u32,
    silent_blocks: u32,
}

impl Running {
    fn start(samples: u64) -> Self {
        let block = START_HOPS * HOP_SAMPLES as u64;
        let hops = (samples / block).saturating_sub(1) * START_HOPS;
        let offset = u32::try_from(hops * u64::from(TIME_STEPS_PER_HOP)).unwrap_or(u32::MAX);
        let mut analyzer = Analyzer::new();
        // Less than two blocks, so it fits.
        silence(&mut analyzer, (samples - hops * HOP_SAMPLES as u64) as usize);
        Self { analyzer, offset, held: Vec::new(), complete_to: offset, silent_blocks: 0 }
    }

    fn push(&mut self, samples: Option<&[f32]>, length: usize) {
        match samples {
            Some(samples) => {
                self.analyzer.push(samples);
                self.silent_blocks = 0;
            }
            None => {
                silence(&mut self.analyzer, length);
                self.silent_blocks += 1;
            }
        }
        let (peaks, complete_to) = self.analyzer.drain();
        self.hold(peaks);
        self.complete_to = self.offset.saturating_add(complete_to);
    }

    fn hold(&mut self, peaks: Vec<Peak>) {
        let offset = self.offset;
        self.held
            .extend(peaks.into_iter().map(|peak| Peak { time: peak.time.saturating_add(offset), ..peak }));
    }

    /// Ends the analysis; gives the peaks held and the whole length in steps.
    fn finish(mut self) -> (Vec<Peak>, u32) {
        let rest = std::mem::take(&mut self.analyzer).finish();
        self.hold(rest.peaks);
        (self.held, self.offset.saturating_add(rest.duration))
    }
}

/// Analyses the views of audio tracks, and sends their peaks as soon as nothing can change them.
pub(super) struct Sending<W: Write> {
    writer: FrameWriter<W>,
    views: [Option<Running>; 4],
    /// Peaks of views that have fallen silent, to be sent still.
    left: [Vec<Peak>; 4],
    samples: u64,
    sent_to: u32,
    /// Nobody reads any more; what is still decoded is for nothing.
    broken: bool,
}

impl<W: Write> Sending<W> {
    pub(super) fn new(to: W) -> Self {
        Self {
            writer: FrameWriter::new(to),
            views: Default::default(),
            left: Default::default(),
            samples: 0,
            sent_to: 0,
            broken: false,
        }
    }

    /// Takes a block of audio.
    pub(super) fn push(&mut self, block: &Block<'_>) {
        if self.broken {
            return;
        }
        let of_block = [Some(block.mid), block.side, block.left, block.right];
        for ((slot, left), samples) in self.views.iter_mut().zip(&mut self.left).zip(of_block) {
            if slot.is_none() && samples.is_some() {
                *slot = Some(Running::start(self.samples));
            }
            if let Some(running) = slot {
                running.push(samples, block.mid.len());
                if running.silent_blocks > SILENT_BLOCKS_MAX
                    && let Some(running) = slot.take()
                {
                    left.extend(running.finish().0);
                }
            }
        }
        self.samples += block.mid.len() as u64;
        let complete_to = self.views.iter().flatten().map(|running| running.complete_to).min();
        self.send_to(complete_to.unwrap_or(0));
    }

    /// Ends a track.
    pub(super) fn end_track(&mut self) {
        let mut duration = 0;
        for (slot, left) in self.views.iter_mut().zip(&mut self.left) {
            if let Some(running) = slot.take() {
                let (held, length) = running.finish();
                left.extend(held);
                duration = duration.max(length);
            }
        }
        // A last peak may be placed a little after the end.
        let last = self.left.iter().flatten().map(|peak| peak.time.saturating_add(1)).max();
        self.send_to(duration.max(last.unwrap_or(0)));
        self.send(&Frame::TrackEnd(duration));
        self.left = Default::default();
        (self.samples, self.sent_to) = (0, 0);
    }

    /// Says how it ended.
    pub(super) fn end(&mut self, ending: Ending) -> bool {
        self.send(&Frame::End(Box::new(ending)));
        !self.broken
    }

    /// Sends all peaks before `complete_to`, a few seconds at a time.
    fn send_to(&mut self, complete_to: u32) {
        while self.sent_to < complete_to && !self.broken {
            let to = complete_to.min(self.sent_to.saturating_add(TICK_STEPS));
            let mut views = Vec::new();
            for ((view, running), left) in
                ChannelView::ALL.into_iter().zip(&mut self.views).zip(&mut self.left)
            {
                let mut peaks = take_before(left, to);
                if let Some(running) = running {
                    peaks.extend(take_before(&mut running.held, to));
                }
                // What comes later than its time was up would break the order; an analyser gives no such peak.
                peaks.retain(|peak| peak.time >= self.sent_to);
                if !peaks.is_empty() {
                    views.push((view, peaks));
                }
            }
            self.send(&Frame::Peaks(Tick { complete_to: to, views }));
            self.sent_to = to;
        }
    }

    fn send(&mut self, frame: &Frame) {
        self.broken |= self.writer.write(frame).is_err();
    }
}

/// Takes the peaks before a time out of a list in order of time.
fn take_before(peaks: &mut Vec<Peak>, time: u32) -> Vec<Peak> {
    let count = peaks.partition_point(|peak| peak.time < time);
    peaks.drain(..count).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::frames::FrameReader;
    use super::*;
    use crate::base::ANALYSIS_RATE_HZ;

    /// A second of one channel.
    type Second = Vec<f32>;

    /// Notes that wander, for a while.
    fn tune(seconds: usize, seed: usize) -> Vec<Second> {
        let rate = ANALYSIS_RATE_HZ as usize;
        let sample = |n: usize| {
            let t = n as f32 / rate as f32;
            let note = (t * 3.0) as usize;
            let hz = 220.0 * 2f32.powf(((note * (7 + seed)) % 29) as f32 / 12.0);
            0.3 * (-4.0 * (t * 3.0).fract()).exp() * (std::f32::consts::TAU * hz * t).sin()
        };
        (0..seconds).map(|second| (second * rate..(second + 1) * rate).map(sample).collect()).collect()
    }

    fn sent(push: impl FnOnce(&mut Sending<&mut Vec<u8>>)) -> Vec<Frame> {
        let mut bytes = Vec::new();
        push(&mut Sending::new(&mut bytes));
        let mut reader = FrameReader::new(&bytes[..]);
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = reader.next() {
            frames.push(frame);
        }
        frames
    }

    fn of_view(frames: &[Frame], wanted: ChannelView) -> Vec<Peak> {
        let ticks = frames.iter().filter_map(|frame| match frame {
            Frame::Peaks(tick) => Some(tick),
            _ => None,
        });
        let views = ticks.flat_map(|tick| &tick.views).filter(|(view, _)| *view == wanted);
        views.flat_map(|(_, peaks)| peaks.iter().copied()).collect()
    }

    #[test]
    fn frames_hold_the_fingerprint_of_the_whole() {
        let seconds = tune(20, 0);
        let frames = sent(|sending| {
            for second in &seconds {
                sending.push(&Block { mid: second, side: None, left: None, right: None });
            }
            sending.end_track();
        });
        let whole = crate::fingerprint::analyze(&seconds.concat());
        assert_eq!(of_view(&frames, ChannelView::Mid), whole.peaks);
        assert_eq!(frames.last(), Some(&Frame::TrackEnd(whole.duration)));
    }

    #[test]
    fn a_view_that_comes_and_goes_keeps_its_time() {
        let (mid, side) = (tune(100, 0), tune(100, 3));
        let wanted = |second: usize| (7..20).contains(&second) || second >= 80;
        let frames = sent(|sending| {
            for (n, (mid, side)) in mid.iter().zip(&side).enumerate() {
                sending.push(&Block { mid, side: wanted(n).then_some(side), left: None, right: None });
            }
            sending.end_track();
        });
        let silent = vec![0.0; ANALYSIS_RATE_HZ as usize];
        let as_whole: Vec<f32> = side
            .iter()
            .enumerate()
            .flat_map(|(n, second)| if wanted(n) { second.clone() } else { silent.clone() })
            .collect();
        for (view, samples) in [(ChannelView::Mid, mid.concat()), (ChannelView::Side, as_whole)] {
            let (found, wanted) = (of_view(&frames, view), crate::fingerprint::analyze(&samples).peaks);
            let differ = found.iter().zip(&wanted).find(|(a, b)| a != b);
            assert!(found == wanted, "{view:?}: {} of {} peaks, {differ:?}", found.len(), wanted.len());
        }
    }

    #[test]
    fn tracks_follow_one_another() {
        let seconds = tune(8, 1);
        let frames = sent(|sending| {
            for _ in 0..2 {
                for second in &seconds {
                    sending.push(&Block { mid: second, side: None, left: None, right: None });
                }
                sending.end_track();
            }
        });
        let ends = frames.iter().filter(|frame| matches!(frame, Frame::TrackEnd(_))).count();
        assert_eq!(ends, 2);
        let whole = crate::fingerprint::analyze(&seconds.concat()).peaks;
        assert_eq!(of_view(&frames, ChannelView::Mid), [whole.as_slice(), &whole].concat());
    }
}
