//! The demonstration's audio: the label's masters, and the copies on the sites.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::anyhow;

use super::folder::Folder;
use super::site::media_path;
use super::story::{FAST, SITUATIONS, TITLES};
use super::synth::{RATE_HZ, STRANGER, Stereo, Style, perform};
use super::tables::master;
use super::{alter, wav};

/// The pieces: those of the catalogue in its order, and the stranger's.
pub(super) struct Pieces(Vec<Stereo>);

/// Composes and plays all pieces, as many at a time as there are processors.
pub(super) fn play() -> anyhow::Result<Pieces> {
    let styles: Vec<&Style> = TITLES.iter().map(|title| title.style).chain([&STRANGER]).collect();
    let played = in_parallel(styles.len(), |n| perform(styles[n]));
    let count = played.len();
    if count == styles.len() { Ok(Pieces(played)) } else { Err(anyhow!("a player left the stage")) }
}

/// Writes the masters.
pub(super) fn write_masters(folder: &Folder, pieces: &Pieces) -> anyhow::Result<()> {
    for (title, piece) in TITLES.iter().zip(&pieces.0) {
        let path = Path::new("masters").join(master(title.id));
        folder.write(&path, &wav::stereo(piece, RATE_HZ))?;
    }
    Ok(())
}

/// Makes and writes the files of all sites.
pub(super) fn write_copies(folder: &Folder, pieces: &Pieces) -> anyhow::Result<()> {
    let written = in_parallel(SITUATIONS.len(), |n| {
        folder.write(&media_path(&SITUATIONS[n]), &copy(n, &pieces.0)).map(drop)
    });
    written.into_iter().collect()
}

/// The bytes of a situation's file.
fn copy(situation: usize, pieces: &[Stereo]) -> Vec<u8> {
    match situation {
        0 => wav::stereo(&pieces[1], RATE_HZ),
        1 => wav::stereo(&pieces[2], RATE_HZ),
        2 => wav::stereo(&pieces[3], RATE_HZ),
        3 => wav::stereo(&alter::at_rate(&alter::lossy(&pieces[0]), 32_000), 32_000),
        4 => wav::stereo(&alter::speed(&pieces[2], FAST), RATE_HZ),
        5 => alter::broken(),
        6 => wav::mono(&alter::at_rate(&alter::mix(&pieces[1], &pieces[3]), 32_000), 32_000),
        7 => wav::mono(&pieces[4], RATE_HZ),
        _ => wav::stereo(&pieces[5], RATE_HZ),
    }
}

/// Does `count` pieces of work on all processors; the results in their order.
fn in_parallel<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count || sender.send((n, work(n))).is_err() {
                        break;
                    }
                }
            });
        }
    });
    drop(sender);
    let mut results: Vec<(usize, T)> = receiver.into_iter().collect();
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}
