//! The demonstration's audio: the label's masters, and the copies on the sites.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::anyhow;

use super::folder::Folder;
use super::site::media_path;
use super::story::{Copied, FAST, SITUATIONS, TITLES};
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
        folder.write(&media_path(&SITUATIONS[n]), &copy(&SITUATIONS[n].copy, &pieces.0)).map(drop)
    });
    written.into_iter().collect()
}

/// The bytes of a file. Copies come at other rates and in mono, as they do out there.
fn copy(copied: &Copied, pieces: &[Stereo]) -> Vec<u8> {
    const COPY_RATE_HZ: u32 = 32_000;
    match *copied {
        Copied::Verbatim(title) => wav::stereo(&pieces[title], RATE_HZ),
        Copied::Lossy(title) => {
            wav::stereo(&alter::at_rate(&alter::lossy(&pieces[title]), COPY_RATE_HZ), COPY_RATE_HZ)
        }
        Copied::Fast(title) => wav::stereo(&alter::speed(&pieces[title], FAST), RATE_HZ),
        Copied::Mono(title) => wav::mono(&pieces[title], RATE_HZ),
        Copied::Mix(first, second) => wav::mono(
            &alter::at_rate(&alter::mix(&pieces[first], &pieces[second]), COPY_RATE_HZ),
            COPY_RATE_HZ,
        ),
        Copied::Broken => alter::broken(),
        Copied::Stranger => wav::stereo(&pieces[TITLES.len()], RATE_HZ),
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
