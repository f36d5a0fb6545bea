//! Builds an index of arbitrarily many recordings with the statistics of real ones, and measures it:
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example million -- --recordings 10000 --dir DIR --music FOLDER
//! ```
//!
//! FOLDER holds audio files, which are analysed once and kept as `*.ewfp` in DIR, or such files. `--tracks N` takes the
//! first N of them, `--salient` keeps only salient peaks of what is indexed, `--seed N` makes other recordings,
//! `--matches N` searches for so many excerpts and strangers with the whole engine, `--again` searches in what an
//! earlier run has built, `--adds N` adds N recordings in the end while queries are asked,
//! `--postings N` is the limit of postings for one query, `--ask FOLDER`
//! only says which recordings are in the audio files of FOLDER.
#![allow(clippy::print_stdout)]

mod adds;
mod generate;
mod measure;
mod real;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use earwitness::base::RecordingId;
use earwitness::fingerprint::Fingerprint;
use earwitness::index::{
    Index, MERGED_RECORDINGS_MAX, Manifest, Removed, Segment, SegmentBuilder, SegmentEntry, Source,
    merge_into, next_merge, write_segment,
};

use earwitness::matching::MatchOptions;
use generate::Generator;

/// Segments are built by so many threads.
const THREADS: u64 = 2;

struct Arguments {
    recordings: u64,
    dir: PathBuf,
    music: PathBuf,
    tracks: usize,
    salient: bool,
    seed: u64,
    matches: usize,
    again: bool,
    adds: u64,
    postings: u64,
    ask: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    std::fs::create_dir_all(&arguments.dir)?;
    let mut real = real::load(&arguments.music, &arguments.dir.join("fingerprints"), arguments.tracks, 30.0)?;
    anyhow::ensure!(real.len() >= 10, "{} holds too little music", arguments.music.display());
    // Every fifth is a stranger: neither indexed nor part of what is made.
    let strangers: Vec<Fingerprint> = (0..real.len()).step_by(5).map(|at| real[at].1.clone()).collect();
    let mut at = 0;
    real.retain(|_| {
        at += 1;
        at % 5 != 1
    });
    let queries: Vec<(RecordingId, Fingerprint)> = real.clone();
    for (_, fingerprint) in &mut real {
        *fingerprint = std::mem::take(fingerprint).for_reference();
        fingerprint.peaks.retain(|peak| peak.salient || !arguments.salient);
    }
    let folder = arguments.dir.join("index");
    let generator = || Generator::fit(real.iter().map(|(_, one)| one.clone()).collect(), arguments.seed);
    let manifest =
        if arguments.again { found(&folder)? } else { build(&arguments, &generator(), &real, &folder)? };
    let begun = Instant::now();
    let index = Index::open(&folder, &manifest)?;
    println!("opened in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    let options = MatchOptions { threads: 2, postings_max: arguments.postings, ..MatchOptions::default() };
    if let Some(folder) = &arguments.ask {
        let asked = real::load(folder, &arguments.dir.join("asked"), usize::MAX, 0.0)?;
        measure::ask(&index, &asked, &options);
        return Ok(());
    }
    measure::sizes(&index);
    measure::lookups(&index, &queries, &strangers);
    measure::matches(&index, &queries, &strangers, arguments.matches, &options);
    measure::memory("in the end");
    drop(index);
    if arguments.adds > 0 {
        adds::adds(&folder, manifest, &generator(), &queries, arguments.adds)?;
    }
    Ok(())
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut arguments = Arguments {
        recordings: 10_000,
        dir: PathBuf::from("million"),
        music: PathBuf::new(),
        tracks: usize::MAX,
        salient: false,
        seed: 1,
        matches: 20,
        again: false,
        adds: 0,
        postings: MatchOptions::default().postings_max,
        ask: None,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let switch = match name.as_str() {
            "--salient" => Some(&mut arguments.salient),
            "--again" => Some(&mut arguments.again),
            _ => None,
        };
        if let Some(switch) = switch {
            *switch = true;
            continue;
        }
        let value = given.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--recordings" => arguments.recordings = value.parse()?,
            "--dir" => arguments.dir = value.into(),
            "--music" => arguments.music = value.into(),
            "--tracks" => arguments.tracks = value.parse()?,
            "--matches" => arguments.matches = value.parse()?,
            "--postings" => arguments.postings = value.parse()?,
            "--ask" => arguments.ask = Some(value.into()),
            "--adds" => arguments.adds = value.parse()?,
            "--seed" => arguments.seed = value.parse()?,
            _ => anyhow::bail!("unknown argument {name}"),
        }
    }
    Ok(arguments)
}

/// Builds the index: segments of generated recordings, one of the real ones, and the merges that the policy asks for.
fn build(
    arguments: &Arguments,
    generator: &Generator,
    real: &[(RecordingId, Fingerprint)],
    folder: &Path,
) -> anyhow::Result<Manifest> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let begun = Instant::now();
    let peak = AtomicU64::new(0);
    let (stop, tick) = mpsc::channel::<()>();
    let manifest = std::thread::scope(|scope| {
        let peak = &peak;
        scope.spawn(move || {
            while tick.recv_timeout(Duration::from_millis(500)) == Err(mpsc::RecvTimeoutError::Timeout) {
                peak.fetch_max(measure::folder_bytes(folder), Ordering::Relaxed);
            }
        });
        let manifest = build_segments(arguments, generator, real, folder);
        drop(stop);
        manifest
    })?;
    let (size, peak) = (measure::folder_bytes(folder), peak.load(Ordering::Relaxed));
    println!(
        "\nbuilt in {:.1} s; {:.3} GB, at most {:.3} GB while building",
        begun.elapsed().as_secs_f64(),
        size as f64 / 1e9,
        peak.max(size) as f64 / 1e9
    );
    measure::memory("after building");
    Ok(manifest)
}

/// What an earlier run has built.
fn found(folder: &Path) -> anyhow::Result<Manifest> {
    let mut manifest = Manifest { generation: 1, segments: Vec::new() };
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let recordings = Segment::open(&path)?.len() as u32;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        manifest.segments.push(SegmentEntry::new(file, recordings));
    }
    Ok(manifest)
}

fn build_segments(
    arguments: &Arguments,
    generator: &Generator,
    real: &[(RecordingId, Fingerprint)],
    folder: &Path,
) -> anyhow::Result<Manifest> {
    let size = arguments.recordings.div_ceil(THREADS).clamp(1, MERGED_RECORDINGS_MAX);
    let starts: Vec<u64> = (0..arguments.recordings).step_by(size as usize).collect();
    let work = |thread: u64| {
        let own = starts.iter().enumerate().filter(|(at, _)| *at as u64 % THREADS == thread);
        own.map(|(at, &start)| {
            let end = (start + size).min(arguments.recordings);
            generated_segment(generator, folder, at, start..end)
        })
        .collect::<anyhow::Result<Vec<SegmentEntry>>>()
    };
    let work = &work;
    let entries = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || work(thread))).collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(entries) => entries,
            Err(_) => Err(anyhow::anyhow!("a builder failed")),
        });
        joined.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut manifest = Manifest { generation: 1, segments: entries.into_iter().flatten().collect() };
    if manifest.segments.len() == 2 {
        // What a catalogue of this size would be in one piece.
        merge(folder, &mut manifest, &[0, 1])?;
    }
    write_segment(&folder.join("real.seg"), real)?;
    manifest.segments.push(SegmentEntry::new("real.seg".to_owned(), real.len() as u32));
    while let Some(places) = next_merge(&manifest.segments) {
        merge(folder, &mut manifest, &places)?;
    }
    Ok(manifest)
}

fn generated_segment(
    generator: &Generator,
    folder: &Path,
    at: usize,
    numbers: std::ops::Range<u64>,
) -> anyhow::Result<SegmentEntry> {
    let begun = Instant::now();
    let file = format!("{at:04}.seg");
    let mut builder = SegmentBuilder::new(&folder.join(&file));
    for number in numbers.clone() {
        let id = RecordingId::new(&format!("GEN-{number:08}"))?;
        builder.push(&id, &generator.recording(number))?;
    }
    let pushed = begun.elapsed().as_secs_f64();
    let recordings = builder.finish()?;
    println!(
        "segment {file}: {recordings} recordings, {pushed:.1} s to make and gather, {:.1} s to merge its runs",
        begun.elapsed().as_secs_f64() - pushed
    );
    Ok(SegmentEntry::new(file, recordings))
}

fn merge(folder: &Path, manifest: &mut Manifest, places: &[usize]) -> anyhow::Result<()> {
    let begun = Instant::now();
    let entries: Vec<SegmentEntry> = places.iter().map(|&at| manifest.segments[at].clone()).collect();
    let open = |entry: &SegmentEntry| Segment::open(&folder.join(&entry.file));
    let segments = entries.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let none = Removed::default();
    let sources: Vec<Source<'_>> =
        segments.iter().map(|segment| Source { segment, without: &none }).collect();
    manifest.generation += 1;
    let file = format!("merged-{:06}.seg", manifest.generation);
    let recordings = merge_into(&folder.join(&file), &sources, &AtomicBool::new(false))?;
    println!(
        "merged {} segments of {recordings} recordings in {:.1} s",
        places.len(),
        begun.elapsed().as_secs_f64()
    );
    drop(segments);
    for entry in &entries {
        std::fs::remove_file(folder.join(&entry.file))?;
    }
    manifest.segments.retain(|entry| !entries.contains(entry));
    manifest.segments.push(SegmentEntry::new(file, recordings));
    Ok(())
}
