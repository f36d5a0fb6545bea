//! `earwitness licence`: who may use which recording, where and when.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;

use super::{Context, Exit, Usage, output};
use crate::base::{RecordingId, Timestamp};
use crate::cases::{load_licences, plan_licences, record_licences};
use crate::catalog::Recording;
use crate::rights::{
    Conflict, Licence, LicenceGraph, Outcome, Parsed, Question, Right, Severity, Territory, Verdict,
    conflicts, fold_name, normalise_operator, parse_csv, verdict,
};

/// The longest table that is read.
const CSV_BYTES_MAX: u64 = 256 << 20;

/// Who may use which recording, where and when: import, list, explain.
#[derive(Debug, Args)]
pub(super) struct LicenceArgs {
    #[command(subcommand)]
    command: LicenceCommand,
}

#[derive(Debug, Subcommand)]
enum LicenceCommand {
    /// Record the licences of a table; changed terms become a new version, nothing is written over
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// List the recorded licences
    List(ListArgs),
    /// May this operator use this recording? Prints the verdict and the walk through the licences
    Explain(ExplainArgs),
}

const IMPORT_HELP: &str = "\
Columns, by name and in any order (needed: licence_id, licensor, licensee, territories):
  licence_id            your own identifier
  parent_licence_id     the licence it is granted under; empty: any that the licensor holds
  licensor              who grants; EMPTY: this row states that `licensee` owns the recordings
  licensee              who is granted, or who owns
  licensee_domains      sites covered, with their subdomains: 163.com|music.126.net; `none` if it runs none
  licensee_accounts     accounts on platforms: bilibili.com/12345
  scope                 all | label:A|B | isrc:… | upc:… | recording:ID|ID     [default: all]
  right                 making_available | communication_to_the_public | streaming | download | sync |
                        reproduction; several with |                           [default: making_available]
  layer                 recording | work | performance | unknown               [default: recording]
  exclusive             yes | no                       [default: no; yes for a statement of ownership]
  sublicensable         yes | no                                               [default: no]
  territories           ISO 3166-1 alpha-2: CN|JP, Worldwide, Worldwide -CN (mainland China is CN; HK, MO
                        and TW are separate)
  excluded_territories  further exclusions
  start, end            2017-02-01 or 2017-02-01T00:00:00+08:00; a plain end date is the last day, an end
                        instant is the first not covered; empty: always, until further notice
  status                active | suspended | terminated | draft                [default: active]
  terminated_at         when it was ended early
  evidence_file_sha256  SHA-256 of the contract

Every chain of licences must begin with a statement of ownership, for example:
  licence_id,licensor,licensee,licensee_domains,scope,exclusive,sublicensable,territories,start,end
  OWN-1,,Example Records KK,,all,,,Worldwide,,
  L-1,Example Records KK,NetEase,163.com,all,yes,yes,CN,2017-02-01,2019-12-31";

#[derive(Debug, Args)]
struct ImportArgs {
    /// The table: UTF-8, GB18030 or Shift-JIS; commas, semicolons or tabs
    csv: PathBuf,
    /// Only say what would be recorded and what is wrong
    #[arg(long)]
    dry_run: bool,
    /// Time zone of dates without one, for example Asia/Shanghai or +08:00
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those that cover this recording of the catalogue
    #[arg(long, value_name = "RECORDING")]
    recording: Option<String>,
    /// Only those of this licensee or operator
    #[arg(long, value_name = "NAME")]
    licensee: Option<String>,
    /// Only those that hold in this territory
    #[arg(long, value_name = "CODE")]
    territory: Option<String>,
    /// Only those in force at this instant
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// As it was known at this instant
    #[arg(long, value_name = "INSTANT")]
    known_at: Option<String>,
    /// All versions, not only the newest
    #[arg(long)]
    history: bool,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The recording's identifier
    recording: String,
    /// Where: ISO 3166-1 alpha-2 [default: claim.territory of the configuration]
    #[arg(long, value_name = "CODE")]
    territory: Option<String>,
    /// Whose site: a domain, an address or a name used in licences
    #[arg(long, value_name = "DOMAIN")]
    operator: Option<String>,
    /// When: 2018-05-01T00:00:00Z, or a date (its first instant, UTC) [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Which right the use needs
    #[arg(long, value_name = "RIGHT", default_value = "making_available")]
    right: Right,
    /// From what was recorded at this instant [default: now]
    #[arg(long, value_name = "INSTANT")]
    known_at: Option<String>,
}

pub(super) fn run(context: &Context, args: LicenceArgs) -> anyhow::Result<Exit> {
    match args.command {
        LicenceCommand::Import(args) => import(context, &args),
        LicenceCommand::List(args) => list(context, &args),
        LicenceCommand::Explain(args) => explain(context, &args),
    }
}

fn import(context: &Context, args: &ImportArgs) -> anyhow::Result<Exit> {
    let zone = time_zone(&args.time_zone)?;
    let bytes = read_table(&args.csv)?;
    let now = context.clock.now();
    let Parsed { rows, problems } = parse_csv(&bytes, &zone, now);
    let path = args.csv.display();
    for problem in &problems {
        match problem.severity {
            Severity::Error => output::failed(&format!("{path}: {problem}")),
            Severity::Warning => output::note(context, &format!("warning: {path}: {problem}")),
        }
    }
    let lines: BTreeMap<String, u64> =
        rows.iter().map(|row| (row.licence.licence_id.clone(), row.line)).collect();
    let licences: Vec<Licence> = rows.into_iter().map(|row| row.licence).collect();
    let store = context.open_store()?;
    let graph = load_licences(&store)?;
    let (versions, mut count) = plan_licences(&graph, licences.iter().cloned(), now);
    let after = LicenceGraph::new(all_versions(&graph).chain(versions));
    let found = tell_conflicts(context, &args.csv, &after, &lines);
    if !args.dry_run {
        count = record_licences(&store, licences, now)?;
    }
    let rejected = rejected_rows(&problems);
    if context.json {
        output::json(&serde_json::json!({
            "file": path.to_string(), "dry_run": args.dry_run, "new": count.new, "changed": count.changed,
            "unchanged": count.unchanged, "rejected": rejected, "problems": problems, "conflicts": found,
        }))?;
    } else {
        let would = if args.dry_run { " (dry run: nothing recorded)" } else { "" };
        output::line(&format!(
            "{} new, {} changed, {} unchanged, {rejected} rejected, {} conflicts{would}",
            count.new,
            count.changed,
            count.unchanged,
            found.len()
        ));
    }
    Ok(if rejected > 0 { Exit::SomeFailed } else { Exit::Done })
}

fn all_versions(graph: &LicenceGraph) -> impl Iterator<Item = Licence> {
    graph.licences().flat_map(|licence| graph.history(&licence.licence_id)).cloned()
}

/// How many lines hold an error.
fn rejected_rows(problems: &[crate::rights::Problem]) -> usize {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.line).collect::<std::collections::BTreeSet<_>>().len()
}

/// Tells the conflicts that touch the table, with its lines.
fn tell_conflicts(
    context: &Context,
    csv: &Path,
    graph: &LicenceGraph,
    lines: &BTreeMap<String, u64>,
) -> Vec<Conflict> {
    let mut found = conflicts(graph);
    found.retain(|conflict| conflict.licence_ids.iter().any(|id| lines.contains_key(id)));
    for conflict in &found {
        let places: Vec<String> = conflict
            .licence_ids
            .iter()
            .map(|id| match lines.get(id) {
                Some(line) => format!("{id} (line {line})"),
                None => format!("{id} (recorded before)"),
            })
            .collect();
        output::note(
            context,
            &format!("conflict: {}: {}: {}", csv.display(), places.join(", "), conflict.text),
        );
    }
    found
}

fn list(context: &Context, args: &ListArgs) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let graph = known_at(load_licences(&store)?, args.known_at.as_deref())?;
    let recording = args.recording.as_deref().map(|id| find_recording(&store, id)).transpose()?;
    let territory = args.territory.as_deref().map(parse_territory).transpose()?;
    let at = args.at.as_deref().map(parse_instant).transpose()?;
    let mut table = output::table(
        context,
        &["licence", "v", "parties", "scope", "right", "territories", "from", "until", "terms", "sites"],
    );
    let mut count = 0;
    for newest in graph.licences() {
        let versions: Vec<&Licence> =
            if args.history { graph.history(&newest.licence_id).collect() } else { vec![newest] };
        for licence in versions {
            let chosen = recording.as_ref().is_none_or(|recording| licence.may_cover(recording))
                && args.licensee.as_deref().is_none_or(|name| is_of(licence, name))
                && territory.is_none_or(|territory| licence.territories.contains(territory))
                && at.is_none_or(|at| licence.is_in_force(at));
            if !chosen {
                continue;
            }
            count += 1;
            if context.json { output::json(licence)? } else { _ = table.add_row(cells(licence)) }
        }
    }
    if !context.json {
        if count > 0 {
            output::line(&table.to_string());
        }
        output::note(context, &format!("{count} licences"));
    }
    Ok(Exit::Done)
}

fn is_of(licence: &Licence, name: &str) -> bool {
    let operator = normalise_operator(name);
    fold_name(&licence.licensee) == fold_name(name) || licence.operators.domains.contains(&operator)
}

fn cells(licence: &Licence) -> Vec<String> {
    let rights: Vec<&str> = licence.rights.iter().map(|right| right.as_str()).collect();
    let mut terms = Vec::new();
    if licence.exclusive && !licence.is_ownership() {
        terms.push("exclusive".to_owned());
    }
    if licence.sublicensable {
        terms.push("sub-licensable".to_owned());
    }
    terms.push(licence.status.to_string());
    let instant = |instant: Option<Timestamp>| instant.map_or_else(|| "–".to_owned(), |at| at.to_string());
    let domains: Vec<&str> = licence.operators.domains.iter().map(String::as_str).collect();
    vec![
        licence.licence_id.clone(),
        licence.version.to_string(),
        licence.parties(),
        licence.scope.to_string(),
        rights.join(" "),
        licence.territories.to_string(),
        instant(licence.start),
        instant(licence.ends_at()),
        terms.join(", "),
        domains.join(" "),
    ]
}

fn explain(context: &Context, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let territory = args.territory.as_deref().or(context.settings.claim.territory.as_deref());
    if let Some(territory) = territory {
        parse_territory(territory)?;
    }
    let at = args.at.as_deref().map(parse_instant).transpose()?.unwrap_or_else(|| context.clock.now());
    let store = context.open_store()?;
    let recording = find_recording(&store, &args.recording)?;
    let graph = known_at(load_licences(&store)?, args.known_at.as_deref())?;
    let operator = args.operator.as_deref();
    let answer =
        verdict(&graph, &Question { recording: &recording, operator, territory, at, right: args.right });
    if context.json {
        output::json(&answer)?;
    } else {
        print(&recording, &answer, args.right);
    }
    Ok(Exit::Done)
}

fn print(recording: &Recording, answer: &Verdict, right: Right) {
    let unknown = || "not known".to_owned();
    output::line(&format!("{}  {} “{}”", answer.decision.as_str(), recording.recording_id, recording.title));
    output::line(&format!(
        "  operator {}, territory {}, at {}, right {right}",
        answer.operator.clone().unwrap_or_else(unknown),
        answer.territory.clone().unwrap_or_else(unknown),
        answer.at
    ));
    output::line("Because");
    for reason in &answer.reasons {
        output::line(&format!("  - {reason}"));
    }
    output::line("The walk through the licences");
    for step in &answer.steps {
        let mark = match step.outcome {
            Outcome::Holds => "✓ yes    ",
            Outcome::Fails => "✗ no     ",
            Outcome::Unknown => "? unknown",
            Outcome::Note => "· note   ",
        };
        let indent = "  ".repeat(usize::from(step.depth));
        let licence = step.licence_id.as_ref().map_or_else(String::new, |id| format!("[{id}] "));
        output::line(&format!("  {mark} {indent}{licence}{}", step.text));
    }
}

fn known_at(graph: LicenceGraph, instant: Option<&str>) -> anyhow::Result<LicenceGraph> {
    Ok(match instant {
        Some(instant) => graph.as_of(parse_instant(instant)?),
        None => graph,
    })
}

fn find_recording(store: &crate::store::Store, id: &str) -> anyhow::Result<Recording> {
    let id = RecordingId::new(id).map_err(|error| Usage(error.to_string()))?;
    let found = store.get::<Recording>(id.as_str())?;
    found.ok_or_else(|| {
        Usage(format!("there is no recording `{id}`; `earwitness catalog list` shows all")).into()
    })
}

fn parse_territory(text: &str) -> anyhow::Result<Territory> {
    text.parse().map_err(|error: crate::rights::TerritoryError| Usage(error.to_string()).into())
}

fn parse_instant(text: &str) -> anyhow::Result<Timestamp> {
    let date =
        || text.parse::<jiff::civil::Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    text.parse().ok().or_else(date).ok_or_else(|| {
        Usage(format!("`{text}` is not an instant like 2018-05-01T00:00:00Z, nor a date like 2018-05-01"))
            .into()
    })
}

fn time_zone(text: &str) -> anyhow::Result<TimeZone> {
    if text.eq_ignore_ascii_case("utc") || text == "Z" {
        return Ok(TimeZone::UTC);
    }
    let fixed = || {
        let probe = format!("2000-01-01T00:00:00{text}");
        let offset =
            jiff::fmt::temporal::DateTimeParser::new().parse_pieces(&probe).ok()?.to_numeric_offset()?;
        Some(TimeZone::fixed(offset))
    };
    let signed = text.starts_with(['+', '-']);
    let zone = if signed { fixed() } else { TimeZone::get(text).ok() };
    zone.ok_or_else(|| {
        Usage(format!("`{text}` is not a time zone of this machine; an offset like +08:00 always works"))
            .into()
    })
}

fn read_table(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = std::fs::File::open(path)
        .map_err(|error| Usage(format!("cannot read {}: {error}", path.display())))?;
    let mut bytes = Vec::new();
    let read = file.take(CSV_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > CSV_BYTES_MAX {
        return Err(
            Usage(format!("{} is longer than {CSV_BYTES_MAX} bytes; split it", path.display())).into()
        );
    }
    Ok(bytes)
}
