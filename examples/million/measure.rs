//! What the index costs.

use std::path::Path;
use std::time::Instant;

use earwitness::base::{ChannelView, RecordingId};
use earwitness::fingerprint::{Density, Fingerprint, Peak, TIME_STEPS_PER_S, Tolerance, query_quads};
use earwitness::index::{Answer, CostLimit, Family, Index, LookupReport, Probes, Reach};
use earwitness::matching::{MatchOptions, find_matches};

/// Seconds of query whose keys are looked up together.
const LOOKUP_S: f64 = 5.0;
/// Queries of each kind.
const QUERIES: usize = 20;

/// Prints how the bytes are shared.
pub(crate) fn sizes(index: &Index) {
    let recordings = index.len() as f64;
    println!("\n| section | MB | bytes per recording |\n|---|---:|---:|");
    let mut total = 0.0;
    for name in ["ids", "table", "order", "peaks", "postings", "directory"] {
        let sections = index.segments().flat_map(|segment| segment.section_bytes());
        let bytes = sections.filter(|(other, _)| *other == name).map(|(_, bytes)| bytes).sum::<u64>() as f64;
        total += bytes;
        println!("| {name} | {:.2} | {:.0} |", bytes / 1e6, bytes / recordings);
    }
    let postings = index.postings(Family::Quads);
    println!("| all | {:.2} | {:.0} |", total / 1e6, total / recordings);
    let hours = index.duration_s() / 3600.0;
    println!(
        "{} segments, {recordings} recordings, {hours:.0} h, {postings} postings ({:.1} a second), {:.3} MB an hour",
        index.segments().count(),
        postings as f64 / index.duration_s(),
        total / 1e6 / hours
    );
}

/// Looks up all quads of stretches of real queries.
pub(crate) fn lookups(index: &Index, queries: &[(RecordingId, Fingerprint)], strangers: &[Fingerprint]) {
    println!(
        "\n| lookup of {LOOKUP_S} s | probes | postings | visited per µs | ms, p50 | ms, p95 |\n|---|---:|---:|---:|---:|---:|"
    );
    let own: Vec<&Fingerprint> = queries.iter().map(|(_, one)| one).collect();
    let strange: Vec<&Fingerprint> = strangers.iter().collect();
    for (name, fingerprints) in [("of recordings in it", &own), ("of strangers", &strange)] {
        for (how, threads, limit) in [
            ("first time", 1, u64::MAX),
            ("again", 1, u64::MAX),
            ("two threads", 2, u64::MAX),
            ("limit 100,000", 1, 100_000),
        ] {
            lookup(
                index,
                &format!("{name}, {how}"),
                fingerprints,
                threads,
                CostLimit { postings_max: limit },
            );
        }
    }
}

fn lookup(index: &Index, name: &str, fingerprints: &[&Fingerprint], threads: usize, limit: CostLimit) {
    let (mut times, mut probed, mut sum) = (Vec::new(), 0, LookupReport::default());
    for fingerprint in fingerprints.iter().take(QUERIES) {
        let from = (fingerprint.duration / 2).min((60.0 * TIME_STEPS_PER_S) as u32);
        let mut probes = Probes::default();
        for quad in
            query_quads(&fingerprint.peaks, from..from + (LOOKUP_S * TIME_STEPS_PER_S) as u32, Density::Dense)
        {
            probes.quad(&quad);
            quad.probes(Tolerance::Full, |key| probes.push(key));
        }
        let begun = Instant::now();
        let visit = |sum: &mut u64, answer: Answer| *sum += u64::from(answer.quad ^ answer.time);
        let reach = Reach::TwoFactors;
        let (seen, report) =
            index.lookup_in_parallel(Family::Quads, &mut probes, reach, limit, threads, visit);
        std::hint::black_box(seen);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        probed += probes.len();
        sum = sum.and(report);
    }
    let count = times.len().max(1) as u64;
    println!(
        "| {name} | {} | {} | {:.1} | {:.1} | {:.1} |",
        probed as u64 / count,
        sum.visited / count,
        sum.visited as f64 / (times.iter().sum::<f64>() * 1e3),
        part(&mut times, 0.5),
        part(&mut times, 0.95)
    );
    if sum.skipped_probes > 0 {
        println!("| … left out | {} | {} | | | |", sum.skipped_probes / count, sum.skipped_postings / count);
    }
}

/// Finds excerpts of 10 s, and files of three minutes, of real recordings and of strangers.
pub(crate) fn matches(
    index: &Index,
    queries: &[(RecordingId, Fingerprint)],
    strangers: &[Fingerprint],
    most: usize,
    options: &MatchOptions,
) {
    println!(
        "\n| searched, on two threads | queries | found | false | ms, p50 | ms, p95 | postings left out |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    let strange: Vec<(Option<&RecordingId>, &Fingerprint)> =
        strangers.iter().map(|one| (None, one)).collect();
    let own: Vec<_> = queries.iter().map(|(id, one)| (Some(id), one)).collect();
    for seconds in [10.0, 180.0] {
        for (name, of) in [("recordings in it", &own), ("strangers", &strange)] {
            searches(index, &format!("{seconds} s of {name}"), &of[..most.min(of.len())], seconds, options);
        }
    }
}

/// Prints which recordings are in each of some pieces of audio, as lines of name, recording, place and limit.
pub(crate) fn ask(index: &Index, asked: &[(RecordingId, Fingerprint)], options: &MatchOptions) {
    for (name, fingerprint) in asked {
        for one in find_matches(fingerprint, ChannelView::Mid, index, options).matches {
            println!(
                "{name}\t{}\t{:.3}\t{:.3}\t{:.2}",
                one.recording_id, one.query_start_s, one.reference_start_s, one.log10_false_match
            );
        }
    }
}

fn searches(
    index: &Index,
    name: &str,
    queries: &[(Option<&RecordingId>, &Fingerprint)],
    seconds: f64,
    options: &MatchOptions,
) {
    let (mut times, mut right, mut wrong, mut left_out) = (Vec::new(), 0, Vec::new(), 0);
    for (id, fingerprint) in queries {
        let query = excerpt(fingerprint, seconds);
        let begun = Instant::now();
        let found = find_matches(&query, ChannelView::Mid, index, options);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        left_out += found.lookup.skipped_postings;
        right += usize::from(found.matches.iter().any(|one| Some(&one.recording_id) == *id));
        wrong.extend(found.matches.into_iter().filter(|_| id.is_none()));
    }
    let count = times.len();
    println!(
        "| {name} | {count} | {right} | {} | {:.0} | {:.0} | {} |",
        wrong.len(),
        part(&mut times, 0.5),
        part(&mut times, 0.95),
        left_out / count.max(1) as u64
    );
    for one in wrong {
        println!("| … found in {} at {:.1} | | | | | | |", one.recording_id, one.log10_false_match);
    }
}

/// A stretch of a fingerprint, a minute in where it is that long.
pub(crate) fn excerpt(fingerprint: &Fingerprint, seconds: f64) -> Fingerprint {
    let duration = ((seconds * TIME_STEPS_PER_S) as u32).min(fingerprint.duration);
    let from = ((fingerprint.duration - duration) / 2).min((60.0 * TIME_STEPS_PER_S) as u32);
    let within = fingerprint.peaks.iter().filter(|peak| (from..from + duration).contains(&peak.time));
    Fingerprint { duration, peaks: within.map(|peak| Peak { time: peak.time - from, ..*peak }).collect() }
}

/// The value below which this share of the values lies.
pub(crate) fn part(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = (values.len() as f64 * share) as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// Prints what memory the process takes (Linux).
pub(crate) fn memory(when: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1e3
    };
    println!("memory {when}: {:.0} MB private, {:.0} MB of mapped files", of("RssAnon"), of("RssFile"));
}

/// Bytes of the files of a folder.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(folder) else { return 0 };
    files.flatten().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}
