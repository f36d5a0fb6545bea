//! `earwitness crawl status` and `stop`: how runs stand, also while another process has the store.

use std::collections::BTreeMap;

use indicatif::HumanBytes;

use super::{Context, Exit, Usage, output};
use crate::crawl::{self, HostStatus, JobState, SightingRecord, SkipRecord, Status};
use crate::store::Store;

/// Hosts that a table for people shows.
const HOSTS_SHOWN: usize = 20;

/// What more is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// Every URL that was skipped.
    pub(super) skips: bool,
    /// Every media object that was listened to.
    pub(super) sightings: bool,
}

/// Shows how runs stand.
pub(super) fn show(context: &Context, names: &[String], detail: Detail) -> anyhow::Result<Exit> {
    let is_wanted = |status: &Status| names.is_empty() || names.contains(&status.job.name);
    let running = crawl::running(&context.store_path);
    let store = match context.open_store() {
        Ok(store) => Some(store),
        // Whoever crawls has the store; what it tells is enough.
        Err(error) if running.is_empty() => return Err(error.into()),
        Err(_) if detail.skips || detail.sightings => {
            return Err(Usage(
                "--skips and --sightings read the store, which the running crawl has; ask again \
                              when it is over"
                    .to_owned(),
            )
            .into());
        }
        Err(_) => None,
    };
    let all = match &store {
        Some(store) => crawl::kept(store)?,
        None => running,
    };
    let wanted: Vec<&Status> = all.iter().filter(|status| is_wanted(status)).collect();
    if let Some(name) = names.iter().find(|name| !all.iter().any(|status| status.job.name == **name)) {
        return Err(Usage(format!("there is no run of `{name}`")).into());
    }
    for status in &wanted {
        if context.json {
            output::json(status)?;
        } else {
            print(context, status);
        }
        if let Some(store) = &store {
            details(context, store, &status.job.name, detail)?;
        }
    }
    if wanted.is_empty() && !context.json {
        output::line("no crawl was run yet; `earwitness crawl run SITE` begins one");
    }
    Ok(Exit::Done)
}

/// Asks running crawls to stop.
pub(super) fn stop(context: &Context, names: &[String]) -> anyhow::Result<Exit> {
    let running = crawl::running(&context.store_path);
    if let Some(name) = names.iter().find(|name| !running.iter().any(|status| status.job.name == **name)) {
        return Err(Usage(format!("no crawl of `{name}` is running")).into());
    }
    for status in running.iter().filter(|status| names.is_empty() || names.contains(&status.job.name)) {
        crawl::ask_to_stop(&context.store_path, &status.job.name)?;
        output::note(context, &format!("{}: asked to stop", status.job.name));
    }
    if running.is_empty() {
        output::note(context, "no crawl is running");
    }
    Ok(Exit::Done)
}

fn print(context: &Context, status: &Status) {
    let job = &status.job;
    let state = match (job.state, status.process) {
        (JobState::Running, Some(process)) => format!("running (process {process})"),
        (JobState::Running, None) => "was broken off; `earwitness crawl resume` goes on".to_owned(),
        (JobState::Stopped, _) => {
            let why = job.stopped_because.as_deref().unwrap_or("before its end");
            format!("stopped ({why}); `earwitness crawl resume` goes on")
        }
        (JobState::Done, _) => "done".to_owned(),
    };
    output::line(&format!("{}: {state}", output::inert(&job.name)));
    let summary = &job.summary;
    output::line(&format!(
        "  {} URLs wait; {} requests, {} pages, {} media, {} heard in part, {} skipped, {} failed, {}, {:.0} s of audio, \
         {:.0} s under way",
        status.waiting,
        summary.requests,
        summary.pages,
        summary.found,
        summary.probed,
        summary.skipped,
        summary.failed,
        HumanBytes(summary.bytes),
        job.media_s,
        job.wall_s,
    ));
    if !job.skipped.is_empty() {
        let reasons: Vec<String> =
            job.skipped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        output::line(&format!("  skipped: {}", reasons.join(", ")));
    }
    output::line(&hosts(context, status).to_string());
    if status.hosts.len() > HOSTS_SHOWN {
        output::line(&format!("  and {} more hosts; --json lists them", status.hosts.len() - HOSTS_SHOWN));
    }
}

fn hosts(context: &Context, status: &Status) -> comfy_table::Table {
    let header = [
        "host",
        "waits",
        "requests",
        "taken",
        "answers",
        "pause ms",
        "latency ms",
        "let alone",
        "robots.txt",
    ];
    let mut table = output::table(context, &header);
    for HostStatus { host, waiting } in status.hosts.iter().take(HOSTS_SHOWN) {
        let number = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
        let answers: BTreeMap<_, _> = host.statuses.iter().collect();
        let mut answers: Vec<String> =
            answers.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        if host.failures > 0 {
            answers.push(format!("{} failed", host.failures));
        }
        let let_alone = match (&host.given_up, host.back_off_until) {
            (Some(why), _) => format!("given up: {why}"),
            (None, Some(until)) if until > status.job.changed_at => format!("until {until:.0}"),
            _ => "–".to_owned(),
        };
        let robots = host.robots.as_ref().map_or_else(
            || "not asked".to_owned(),
            |robots| match (&robots.note, robots.crawl_delay_s) {
                (Some(note), _) => note.clone(),
                (None, Some(delay)) => format!("obeyed, one request every {delay} s"),
                (None, None) => "obeyed".to_owned(),
            },
        );
        table.add_row([
            output::inert(&host.authority),
            waiting.to_string(),
            host.requests.to_string(),
            HumanBytes(host.bytes).to_string(),
            answers.join(", "),
            number(host.pause_ms_min),
            number(host.latency_ms),
            output::inert(&let_alone),
            output::inert(&robots),
        ]);
    }
    table
}

fn details(context: &Context, store: &Store, name: &str, detail: Detail) -> anyhow::Result<()> {
    let prefix = format!("{}/", crawl::job_key(name));
    if detail.skips {
        for record in store.scan::<SkipRecord>(&prefix)? {
            let skip = record?.skip;
            if context.json {
                output::json(&skip)?;
            } else {
                output::line(&format!(
                    "  skipped {}: {}",
                    output::inert(&skip.url),
                    output::inert(&skip.reason.to_string())
                ));
            }
        }
    }
    if detail.sightings {
        for record in store.scan::<SightingRecord>(&prefix)? {
            let sighting = record?;
            if context.json {
                output::json(&sighting)?;
            } else {
                output::line(&format!("  {}: {}", output::inert(&sighting.media_url), heard(&sighting)));
            }
        }
    }
    Ok(())
}

fn heard(sighting: &SightingRecord) -> String {
    let heard = &sighting.heard;
    let what = match (&heard.error, heard.recordings.is_empty()) {
        (Some(error), _) => format!("could not be listened to ({})", output::inert(error)),
        (None, true) => "a stranger".to_owned(),
        (None, false) => heard.recordings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let part = match sighting.windows.len() {
        0 => String::new(),
        count => format!(", by {count} windows of it"),
    };
    format!("{what}{part}, {:.0} s heard", heard.media_s)
}
