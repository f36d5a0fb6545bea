//! Which views of a stereo file are worth analysing, second by second.
//!
//! Mid is always given. Side is given where it holds anything to speak of: a copy with one channel's phase inverted has
//! nothing else, and a voice in the middle, however loud, is not in it. Left and right are given where the two channels are unlike each other (different music on
//! each side, or a copy on one side and talk on the other). A second is given when it or a neighbour asks for it,
//! so that what is given is contiguous and an analyser sees whole phrases.

use std::collections::VecDeque;

use super::Block;
use crate::base::ANALYSIS_RATE_HZ;

/// Frames of a block: one second.
const BLOCK_FRAMES: usize = ANALYSIS_RATE_HZ as usize;

/// Blocks on each side of one that asks for a view which are given too.
const CONTEXT_BLOCKS: usize = 2;

/// Side is wanted where its energy is more than this part of mid's (−27 dB): music in which it is 10 dB below mid, with a
/// voice over it that is 15 dB louder.
const SIDE_TO_MID: f64 = 0.002;

/// Left and right are wanted where their correlation is smaller than this, by absolute value.
const CORRELATION_MAX: f64 = 0.3;

/// A channel carries something where its energy is more than this part of the other's (−20 dB).
const CARRIES: f64 = 0.01;

/// Mean square under which a channel is silence (−70 dB of full scale): dither and hum ask for nothing.
const SILENCE: f64 = 1e-7;

/// What a block asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wants {
    side: bool,
    each: bool,
}

#[derive(Default)]
struct Pending {
    left: Vec<f32>,
    right: Vec<f32>,
    wants: Wants,
}

/// Gathers frames at the analysis rate into blocks, and decides on the views of each.
#[derive(Default)]
pub(super) struct Views {
    filling: Pending,
    /// Whole blocks, the oldest first: those before the one that is given next, then itself and those after.
    whole: VecDeque<Pending>,
    /// How many of `whole` were given already and stay as context.
    given: usize,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    mid: Vec<f32>,
    side: Vec<f32>,
}

impl Views {
    /// Takes frames; without `right` they are mono.
    pub(super) fn push(&mut self, left: &[f32], right: Option<&[f32]>, consume: &mut dyn FnMut(&Block<'_>)) {
        let mut from = 0;
        while from < left.len() {
            let room = BLOCK_FRAMES - self.filling.left.len();
            let to = left.len().min(from + room);
            self.fill(&left[from..to], right.map(|right| &right[from..to]));
            from = to;
            if self.filling.left.len() == BLOCK_FRAMES {
                self.close(consume);
            }
        }
    }

    /// Gives out what is left.
    pub(super) fn finish(mut self, consume: &mut dyn FnMut(&Block<'_>)) {
        if !self.filling.left.is_empty() {
            self.close(consume);
        }
        while self.given < self.whole.len() {
            self.give(consume);
        }
    }

    /// Appends to the filling block. A block is stereo from its first stereo frame on; mono is the same on both sides.
    fn fill(&mut self, left: &[f32], right: Option<&[f32]>) {
        let block = &mut self.filling;
        match right {
            None if block.right.is_empty() => {}
            None => block.right.extend_from_slice(left),
            Some(right) => {
                if block.right.is_empty() {
                    block.right.extend_from_slice(&block.left);
                }
                block.right.extend_from_slice(right);
            }
        }
        block.left.extend_from_slice(left);
    }

    fn close(&mut self, consume: &mut dyn FnMut(&Block<'_>)) {
        let mut block = std::mem::take(&mut self.filling);
        block.wants = wants(&block.left, &block.right);
        self.whole.push_back(block);
        if self.whole.len() > self.given + CONTEXT_BLOCKS {
            self.give(consume);
        }
    }

    /// Gives the oldest block that was not given yet, with the views that it or its neighbours want.
    fn give(&mut self, consume: &mut dyn FnMut(&Block<'_>)) {
        let Some(block) = self.whole.get(self.given) else { return };
        let from = self.given.saturating_sub(CONTEXT_BLOCKS);
        let around = self.whole.iter().skip(from).take(self.given - from + CONTEXT_BLOCKS + 1);
        let wants = around.fold(Wants::default(), |sum, block| Wants {
            side: sum.side || block.wants.side,
            each: sum.each || block.wants.each,
        });
        give_block(block, wants, &mut self.scratch, consume);
        self.given += 1;
        if self.given > CONTEXT_BLOCKS {
            self.whole.pop_front();
            self.given -= 1;
        }
    }
}

fn give_block(block: &Pending, wants: Wants, scratch: &mut Scratch, consume: &mut dyn FnMut(&Block<'_>)) {
    if block.right.is_empty() {
        // Mono amid stereo: side is silence, left and right are what mid is.
        scratch.side.clear();
        scratch.side.resize(block.left.len(), 0.0);
        let each = wants.each.then_some(block.left.as_slice());
        let side = wants.side.then_some(scratch.side.as_slice());
        return consume(&Block { mid: &block.left, side, left: each, right: each });
    }
    let pairs = || block.left.iter().zip(&block.right);
    scratch.mid.clear();
    scratch.mid.extend(pairs().map(|(left, right)| (left + right) * 0.5));
    scratch.side.clear();
    if wants.side {
        scratch.side.extend(pairs().map(|(left, right)| (left - right) * 0.5));
    }
    consume(&Block {
        mid: &scratch.mid,
        side: wants.side.then_some(scratch.side.as_slice()),
        left: wants.each.then_some(block.left.as_slice()),
        right: wants.each.then_some(block.right.as_slice()),
    });
}

/// Measures a block.
fn wants(left: &[f32], right: &[f32]) -> Wants {
    if right.is_empty() {
        return Wants::default();
    }
    let (mut ll, mut rr, mut lr) = (0.0f64, 0.0f64, 0.0f64);
    for (&left, &right) in left.iter().zip(right) {
        let (left, right) = (f64::from(left), f64::from(right));
        ll += left * left;
        rr += right * right;
        lr += left * right;
    }
    let frames = left.len().max(1) as f64;
    let (ll, rr, lr) = (ll / frames, rr / frames, lr / frames);
    let mid = (ll + rr + 2.0 * lr) / 4.0;
    let side = (ll + rr - 2.0 * lr) / 4.0;
    let both_carry = ll.min(rr) > SILENCE && ll.min(rr) > CARRIES * ll.max(rr);
    Wants {
        // One silent channel makes side equal to mid: nothing to be found in it that mid does not hold.
        side: side > SILENCE && side > SIDE_TO_MID * mid && both_carry,
        each: both_carry && lr.abs() < CORRELATION_MAX * (ll * rr).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// Runs seconds of (left, right) tones (Hz; 0 is silence; negative is inverted) and returns per block which views came.
    fn run(seconds: &[(f32, f32)]) -> Vec<(bool, bool)> {
        let tone = |hz: f32, i: usize| {
            hz.signum() * 0.5 * (std::f32::consts::TAU * hz.abs() * i as f32 / ANALYSIS_RATE_HZ as f32).sin()
        };
        let mut views = Views::default();
        let mut seen = Vec::new();
        let mut frames = 0;
        let mut consume = |block: &Block<'_>| {
            frames += block.mid.len();
            assert_eq!(block.left.is_some(), block.right.is_some());
            for view in [block.side, block.left, block.right].into_iter().flatten() {
                assert_eq!(view.len(), block.mid.len());
            }
            seen.push((block.side.is_some(), block.left.is_some()));
        };
        for &(left, right) in seconds {
            let left: Vec<f32> = (0..BLOCK_FRAMES).map(|i| tone(left, i)).collect();
            let right: Vec<f32> = (0..BLOCK_FRAMES).map(|i| tone(right, i)).collect();
            for (left, right) in left.chunks(999).zip(right.chunks(999)) {
                views.push(left, Some(right), &mut consume);
            }
        }
        views.push(&[0.1; 100], None, &mut consume);
        views.finish(&mut consume);
        assert_eq!(frames, seconds.len() * BLOCK_FRAMES + 100);
        seen
    }

    #[test]
    fn ordinary_and_one_sided_files_cost_only_mid() {
        assert!(run(&[(440.0, 440.0); 8]).iter().all(|views| *views == (false, false)));
        assert!(run(&[(440.0, 0.0); 8]).iter().all(|views| *views == (false, false)));
    }

    #[test]
    fn inverted_phase_gives_side_in_one_stretch() {
        let mut seconds = vec![(440.0, 440.0); 12];
        seconds[5] = (440.0, -440.0);
        let side: Vec<usize> =
            run(&seconds).iter().enumerate().filter(|(_, v)| v.0).map(|(i, _)| i).collect();
        assert_eq!(side, [3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_is_not_in_the_middle_gives_side_below_a_loud_voice() {
        let tone =
            |hz: f32, i: usize| (std::f32::consts::TAU * hz * i as f32 / ANALYSIS_RATE_HZ as f32).sin();
        let side_of = |width: f32| {
            let channel = |sign: f32| -> Vec<f32> {
                (0..BLOCK_FRAMES).map(|i| 0.5 * tone(440.0, i) + sign * width * tone(700.0, i)).collect()
            };
            wants(&channel(1.0), &channel(-1.0)).side
        };
        assert!(side_of(0.03), "24 dB below the middle");
        assert!(!side_of(0.015), "30 dB below the middle");
    }

    #[test]
    fn unlike_channels_give_each() {
        let seen = run(&[(440.0, 700.0); 6]);
        assert!(seen.iter().all(|views| views.1));
    }
}
