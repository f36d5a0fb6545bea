//! `earwitness cases due|offenders`, and what `cases show` tells of notices.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde::Serialize;

use super::case::usage;
use super::{Context, Exit, Usage, output};
use crate::base::{Timestamp, minute};
use crate::cases::{
    self, Calendars, Case, CaseFile, Comparison, Liveness, Notification, Owes, Region, Sign, files,
};
use crate::notice::inert;
use crate::store::Store;

/// No calendar is longer.
const CALENDAR_BYTES_MAX: u64 = 1 << 20;

/// Reads the calendars that count here.
pub(super) fn calendars(context: &Context) -> anyhow::Result<Calendars> {
    let mut own = BTreeMap::new();
    if let Some(folder) = &context.settings.notice.calendars {
        for region in Region::ALL {
            let path = folder.join(format!("{}.toml", region.as_str()));
            if path.is_file() {
                own.insert(region, read(&path)?);
            }
        }
        if own.is_empty() {
            let folder = folder.display();
            return Err(Usage(format!(
                "notice.calendars: {folder} holds none of cn.toml, us.toml, eu.toml, jp.toml"
            ))
            .into());
        }
    }
    Calendars::new(|region| own.get(&region).cloned())
        .map_err(|error| Usage(format!("notice.calendars: {error}")).into())
}

fn read(path: &Path) -> anyhow::Result<String> {
    let wrong = |reason: String| Usage(format!("notice.calendars: {}: {reason}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut text = String::new();
    file.take(CALENDAR_BYTES_MAX).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    Ok(text)
}

pub(super) fn due(context: &Context, store: &Store, within_days: u16) -> anyhow::Result<Exit> {
    let (now, calendars) = (context.clock.now(), calendars(context)?);
    let within = jiff::SignedDuration::from_hours(24 * i64::from(within_days));
    let mut all: Vec<cases::Due> = files(store, None)
        .map_err(usage)?
        .iter()
        .flat_map(|file| cases::due(file, now, within, &calendars))
        .collect();
    all.sort_by(|a, b| (a.at, &a.case_id, a.number).cmp(&(b.at, &b.case_id, b.number)));
    let mut table = output::table(context, &["until", "", "case", "provider", "what", "by"]);
    for one in &all {
        if context.json {
            output::json(one)?;
            continue;
        }
        table.add_row([
            minute(one.at),
            if one.is_overdue { "over" } else { "" }.to_owned(),
            one.case_id.clone(),
            one.provider.as_deref().map(inert).unwrap_or_default(),
            inert(&one.what),
            source(one.source, one.is_fixed, one.is_sure),
        ]);
    }
    if !context.json {
        if !all.is_empty() {
            output::line(&table.to_string());
        }
        let over = all.iter().filter(|one| one.is_overdue).count();
        output::note(context, &format!("{} due within {within_days} days, {over} of them over", all.len()));
    }
    Ok(Exit::Done)
}

fn source(source: Option<&str>, is_fixed: bool, is_sure: bool) -> String {
    let Some(source) = source else { return String::new() };
    let unfixed = if is_fixed { "" } else { " [no fixed period]" };
    let unsure = if is_sure { "" } else { " [holidays of the year not known]" };
    format!("{source}{unfixed}{unsure}")
}

pub(super) fn offenders(context: &Context, store: &Store) -> anyhow::Result<Exit> {
    let ranked = cases::offenders(&files(store, None).map_err(usage)?);
    if context.json {
        output::json(&ranked)?;
        return Ok(Exit::Done);
    }
    let header = [
        "operator",
        "upheld",
        "suspected",
        "again",
        "ignored",
        "countered",
        "removed",
        "first seen",
        "cases",
    ];
    let mut table = output::table(context, &header);
    for one in &ranked.operators {
        table.add_row([
            inert(&one.operator),
            one.upheld.to_string(),
            one.suspected.to_string(),
            one.reuploads.to_string(),
            one.ignored.to_string(),
            one.countered.to_string(),
            one.removed.to_string(),
            one.first_seen.map(minute).unwrap_or_default(),
            few(&one.cases),
        ]);
    }
    if !ranked.operators.is_empty() {
        output::line(&table.to_string());
    }
    let mut table = output::table(context, &["the same", "", "operators", "cases"]);
    for one in &ranked.mirrors {
        let operators: Vec<String> = one.operators.iter().map(|name| inert(name)).collect();
        table.add_row([one.of.as_str().to_owned(), inert(&one.value), few(&operators), few(&one.cases)]);
    }
    if !ranked.mirrors.is_empty() {
        output::line(&table.to_string());
    }
    let (operators, mirrors) = (ranked.operators.len(), ranked.mirrors.len());
    output::note(context, &format!("{operators} operators with several cases, {mirrors} mirrors"));
    Ok(Exit::Done)
}

/// The first of many, and how many more.
fn few(all: &[String]) -> String {
    const FEW: usize = 8;
    let more = all.len().saturating_sub(FEW);
    let first: Vec<&str> = all.iter().take(FEW).map(String::as_str).collect();
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}

/// A case as `cases show --json` prints it.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    case: &'a Case,
    notifications: Vec<ShownNotification<'a>>,
    liveness: &'a [Liveness],
    rights_information: Option<ShownInformation<'a>>,
}

/// The tags of the case's file beside the recording's.
#[derive(Serialize)]
struct ShownInformation<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    sign: Sign,
    /// Whether a notice would state it now.
    is_stated: bool,
}

#[derive(Serialize)]
struct ShownNotification<'a> {
    #[serde(flatten)]
    notification: &'a Notification,
    clocks: Vec<Clock>,
}

#[derive(Serialize)]
struct Clock {
    what: &'static str,
    owes: Owes,
    began: Timestamp,
    ends: Timestamp,
    is_open: bool,
    is_fixed: bool,
    is_sure: bool,
    source: &'static str,
}

impl<'a> Shown<'a> {
    pub(super) fn new(file: &'a CaseFile, calendars: &Calendars, is_distributed: bool) -> Self {
        let shown = |notification: &'a Notification| ShownNotification {
            notification,
            clocks: clocks(notification, calendars),
        };
        Self {
            case: &file.case,
            notifications: file.notifications.iter().map(shown).collect(),
            liveness: &file.liveness,
            rights_information: file.information.as_ref().map(|comparison| ShownInformation {
                comparison,
                sign: comparison.sign(),
                is_stated: file.case.claims_information(comparison, is_distributed),
            }),
        }
    }
}

fn clocks(notification: &Notification, calendars: &Calendars) -> Vec<Clock> {
    let clock = |running: cases::Running| Clock {
        what: running.term.what,
        owes: running.term.owes,
        began: running.began,
        ends: running.ends.at,
        is_open: running.is_open,
        is_fixed: running.term.is_fixed,
        is_sure: running.ends.is_sure,
        source: running.term.source,
    };
    notification.clocks(calendars).into_iter().map(clock).collect()
}

/// Prints notices with their clocks, and what the addresses served last.
pub(super) fn print_notices(file: &CaseFile, calendars: &Calendars) {
    if !file.notifications.is_empty() {
        output::line("Notices");
    }
    for one in &file.notifications {
        let sent = one.sent_at.map_or_else(|| "not sent yet".to_owned(), |at| format!("sent {at}"));
        output::line(&format!(
            "  {} {} to {} under {}: {}, {} addresses, written {}, {sent}",
            one.number,
            one.form,
            inert(&one.provider),
            one.forum,
            one.standing.as_str(),
            one.urls.len() as u64 + one.urls_unlisted,
            one.written_at
        ));
        if one.is_locked() {
            output::line("    a counter-notice arrived: this provider must not be notified about it again");
        }
        for clock in clocks(one, calendars) {
            let state = if clock.is_open { "runs" } else { "stopped" };
            let source = source(Some(clock.source), clock.is_fixed, clock.is_sure);
            output::line(&format!("    {state} until {}: {} ({source})", minute(clock.ends), clock.what));
        }
        for entry in &one.events {
            let note = entry.note.as_deref().map(|note| format!(": {}", inert(note))).unwrap_or_default();
            output::line(&format!(
                "    {} {} by {}{note}",
                entry.at,
                entry.event.as_str(),
                inert(&entry.actor)
            ));
        }
    }
    if !file.liveness.is_empty() {
        output::line("Live");
    }
    for one in &file.liveness {
        output::line(&format!(
            "  {} {} at {}: {}",
            one.alive.as_str(),
            inert(&one.url),
            one.at,
            inert(&one.note)
        ));
    }
}
