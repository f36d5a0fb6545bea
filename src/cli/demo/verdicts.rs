//! What the crawl found, held against what it must find, and told.

use std::net::SocketAddr;
use std::path::PathBuf;

use comfy_table::ColumnConstraint;
use serde::Serialize;

use super::super::{Context, output};
use super::folder::Folder;
use super::site::media_path;
use super::story::{Expected, SITES, SITUATIONS, Situation, TITLES, Wanted};
use crate::scan::{Checked, Finding};

/// How far a measured speed may be off.
const SPEED_TOLERANCE: f64 = 0.01;
/// Seconds that a found span may be off at each end: a few seconds in a mix have too few peaks of their own.
const SPAN_TOLERANCE_S: f64 = 4.0;

/// How wide the table is where no terminal says.
const PAGE_CHARS: u16 = 120;

/// One line of `demo --json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    situation: &'static str,
    site: &'static str,
    /// The file as it was served, for listening.
    file: PathBuf,
    as_expected: bool,
    /// What is not as expected.
    problems: Vec<String>,
    #[serde(flatten)]
    checked: Option<&'a Checked>,
}

/// Everything that came of the crawl, in the order of the story.
pub(super) struct Results<'a> {
    lines: Vec<(&'static Situation, Line<'a>)>,
    /// What was found, though nothing should be there.
    strays: Vec<String>,
}

impl<'a> Results<'a> {
    /// Compares.
    pub(super) fn new(folder: &Folder, sites: &[SocketAddr], checked: &'a [Checked]) -> Self {
        let mut lines = Vec::new();
        let mut known = Vec::new();
        for situation in &SITUATIONS {
            let url = format!("http://{}{}", sites[situation.site], situation.file);
            let seen: Vec<&Checked> = checked.iter().filter(|checked| checked.query == url).collect();
            let problems = problems(situation, &seen);
            let line = Line {
                situation: situation.what,
                site: SITES[situation.site].name,
                file: folder.root.join(media_path(situation)),
                as_expected: problems.is_empty(),
                problems,
                checked: seen.first().copied(),
            };
            lines.push((situation, line));
            known.push(url);
        }
        let strays = checked.iter().filter(|checked| !known.contains(&checked.query));
        Self { lines, strays: strays.map(|checked| checked.query.clone()).collect() }
    }

    /// Everything that is not as expected, one sentence each.
    pub(super) fn problems(&self) -> Vec<String> {
        let told = self.lines.iter().flat_map(|(_, line)| {
            line.problems.iter().map(move |problem| format!("{} ({}): {problem}", line.situation, line.site))
        });
        told.chain(self.strays.iter().map(|url| format!("{url}: found, but never put there"))).collect()
    }

    /// Prints the table, or a line of JSON for each situation.
    pub(super) fn tell(&self, context: &Context) -> anyhow::Result<()> {
        if context.json {
            return self.lines.iter().try_for_each(|(_, line)| output::json(line));
        }
        let header = ["where", "what it is", "found", "altered", "in the file", "verdict", "as expected"];
        let mut table = output::table(context, &header);
        if table.width().is_none() {
            table.set_width(PAGE_CHARS);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::ContentWidth); // file names are not broken
        }
        for (situation, line) in &self.lines {
            for row in rows(situation, line) {
                table.add_row(row);
            }
        }
        output::line(&table.to_string());
        Ok(())
    }
}

/// The rows of a situation: one for each recording in its file; what is the same for all is said in the first.
fn rows(situation: &Situation, line: &Line<'_>) -> Vec<[String; 7]> {
    let found: Vec<[String; 4]> = match line.checked {
        None => vec![cells("not visited", "")],
        Some(Checked { error: Some(_), .. }) => vec![cells("cannot be read", "error")],
        Some(checked) if checked.findings.is_empty() => vec![cells("nothing of the catalogue", "–")],
        Some(checked) => in_order(&checked.findings).into_iter().map(finding_cells).collect(),
    };
    let expected =
        if line.as_expected { "yes".to_owned() } else { format!("NO: {}", line.problems.join("; ")) };
    let row = |(n, [found, altered, span, verdict]): (usize, [String; 4])| {
        let once = |text: String| if n == 0 { text } else { String::new() };
        let name = situation.file.rsplit('/').next().unwrap_or_default();
        let place = format!("{}\n{name}", line.site);
        let what = situation.what.to_owned();
        [once(place), once(what), found, altered, span, verdict, once(expected.clone())]
    };
    found.into_iter().enumerate().map(row).collect()
}

fn cells(found: &str, verdict: &str) -> [String; 4] {
    [found.to_owned(), String::new(), String::new(), verdict.to_owned()]
}

/// What was found, how it was altered, where it is in the file, the verdict.
fn finding_cells(finding: &Finding) -> [String; 4] {
    let altered: Vec<String> = finding.matches.iter().map(output::alteration).collect();
    let spans = finding.matches.iter().map(|one| output::span(one.query_start_s, one.query_end_s));
    [
        format!("{}\n{}", finding.recording_id, output::inert(&finding.title)),
        altered.join("\n"),
        spans.collect::<Vec<_>>().join("\n"),
        finding.verdict.decision.as_str().to_owned(),
    ]
}

/// Findings in the order of their places in the file.
fn in_order(findings: &[Finding]) -> Vec<&Finding> {
    let start = |finding: &Finding| finding.matches.first().map_or(0.0, |one| one.query_start_s);
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by(|a, b| start(a).total_cmp(&start(b)));
    sorted
}

fn problems(situation: &Situation, seen: &[&Checked]) -> Vec<String> {
    let checked = match seen {
        [] => return vec!["was not visited".to_owned()],
        [checked] => checked,
        _ => return vec![format!("was visited {} times", seen.len())],
    };
    match (&situation.expected, &checked.error) {
        (Expected::Unreadable, Some(_)) => Vec::new(),
        (Expected::Unreadable, None) => vec!["was read, though it is broken".to_owned()],
        (Expected::Recordings(_), Some(error)) => vec![error.clone()],
        (Expected::Recordings(wanted), None) => findings_problems(wanted, &checked.findings),
    }
}

fn findings_problems(wanted: &[Wanted], found: &[Finding]) -> Vec<String> {
    let mut problems = Vec::new();
    for one in wanted {
        match found.iter().find(|finding| finding.recording_id.as_str() == one.recording) {
            Some(finding) => problems.extend(finding_problems(one, finding)),
            None => problems.push(format!("{} was not found", called(one.recording))),
        }
    }
    for finding in found {
        let id = finding.recording_id.as_str();
        if wanted.iter().all(|one| one.recording != id) {
            let score = finding.matches.iter().map(|one| one.log10_false_match).fold(0.0, f64::min);
            problems.push(format!("{} was found (log10 {score:.1}), but is not in it", called(id)));
        }
    }
    problems
}

fn finding_problems(wanted: &Wanted, finding: &Finding) -> Vec<String> {
    let mut problems = Vec::new();
    let id = wanted.recording;
    let decision = finding.verdict.decision;
    if decision != wanted.decision {
        problems.push(format!(
            "{id} came out {}, must be {}: {}",
            decision.as_str(),
            wanted.decision.as_str(),
            finding.verdict.reasons.join("; ")
        ));
    }
    let [found] = finding.matches.as_slice() else {
        problems.push(format!("{id} was found in {} places, is in one", finding.matches.len()));
        return problems;
    };
    let plain = (found.tempo - 1.0).abs() < SPEED_TOLERANCE && found.pitch_semitones.abs() < 0.2;
    if (found.speed / wanted.speed - 1.0).abs() > SPEED_TOLERANCE || !plain {
        problems.push(format!(
            "{id} is altered by speed ×{:.2}, not: {}",
            wanted.speed,
            output::alteration(found)
        ));
    }
    let (from, to) = wanted.span_s;
    let off = (found.query_start_s - from).abs().max((found.query_end_s - to).abs());
    if off > SPAN_TOLERANCE_S {
        problems.push(format!(
            "{id} is at {}, not at {}",
            output::span(from, to),
            output::span(found.query_start_s, found.query_end_s)
        ));
    }
    problems
}

fn called(id: &str) -> String {
    let title = TITLES.iter().find(|title| title.id == id).map_or("?", |title| title.title);
    format!("{id} ({title})")
}
