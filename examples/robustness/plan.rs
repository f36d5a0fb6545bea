//! Which excerpts of which tracks suffer which attack.

use earwitness::fingerprint::TIME_STEPS_PER_S;

use crate::attack::{Attack, Kind};
use crate::corpus::{Corpus, Track};
use crate::rng::Rng;
use crate::sound::Stretch;

/// One excerpt to be attacked and looked for.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Number of the attack in the list.
    pub(crate) attack: usize,
    /// How long the attacked excerpt is, in seconds.
    pub(crate) length_s: f64,
    /// Whether it is of a stranger.
    pub(crate) stranger: bool,
    /// Where it comes from; a mix says itself.
    pub(crate) track: usize,
    pub(crate) stretch: Stretch,
    /// For what the attack itself draws.
    pub(crate) rng: Rng,
}

/// An excerpt with fewer peaks a second is silence or nearly so: nobody could recognise it.
const PEAKS_PER_S_MIN: f64 = 4.0;
/// How often another place is tried for one with more peaks.
const TRIES: usize = 12;

/// Plans all single excerpts; mixes are planned in [`crate::mix`].
pub(crate) fn plan(
    corpus: &Corpus,
    attacks: &[Attack],
    lengths: &[f64],
    per_attack: usize,
    seed: u64,
) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (attack, one) in attacks.iter().enumerate().filter(|(_, one)| one.kind != Kind::Mix) {
        for &length_s in lengths {
            for (stranger, of) in [(false, &corpus.catalogue), (true, &corpus.strangers)] {
                let role = if stranger { "stranger" } else { "catalogue" };
                let mut rng = Rng::new(seed, &format!("{} {length_s} {role}", one.name), 0);
                let needed_s = length_s * one.kind.factors().0;
                let mut tracks: Vec<usize> =
                    of.iter().copied().filter(|&track| corpus.tracks[track].duration_s >= needed_s).collect();
                rng.shuffle(&mut tracks);
                for (number, &track) in tracks.iter().cycle().take(per_attack).enumerate() {
                    let mut rng =
                        Rng::new(seed, &format!("{} {length_s} {role}", one.name), 1 + number as u64);
                    let stretch = place(&corpus.tracks[track], needed_s, &mut rng);
                    jobs.push(Job { attack, length_s, stranger, track, stretch, rng });
                }
            }
        }
    }
    jobs
}

/// A stretch of a track that is not silent, if one is found.
pub(crate) fn place(track: &Track, length_s: f64, rng: &mut Rng) -> Stretch {
    let peaks = |start_s: f64| {
        let from = (start_s * TIME_STEPS_PER_S) as u32;
        let to = ((start_s + length_s) * TIME_STEPS_PER_S) as u32;
        track.fingerprint.peaks.iter().filter(|peak| (from..to).contains(&peak.time)).count()
    };
    let mut start_s = 0.0;
    for _ in 0..TRIES {
        start_s = rng.between(0.0, (track.duration_s - length_s).max(0.0));
        if peaks(start_s) as f64 >= PEAKS_PER_S_MIN * length_s {
            break;
        }
    }
    Stretch { start_s, length_s }
}
