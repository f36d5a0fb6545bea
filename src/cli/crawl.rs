//! `earwitness crawl`: visit sites and check all audio found there.

use std::collections::BTreeMap;

use clap::Subcommand;

use super::scanning::{CheckOptions, Run, Tally};
use super::{Context, Exit, Usage, crawl_status, output};
use crate::base::Timestamp;
use crate::config::{ScheduleSettings, SiteFetchSettings, SiteSettings};
use crate::crawl::{self, Plan, SiteRecord};
use crate::scan;
use crate::schedule::{self, Due, LastRun};
use crate::store::Store;

/// Visit sites and check all audio found there
#[derive(Debug, clap::Args)]
pub(super) struct CrawlArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a site in the store, besides those of the configuration
    #[command(after_help = "For more than seeds and territory, describe the site in earwitness.toml:\n\n  \
        [sites.example]\n  seeds = [\"https://music.example/new\"]\n  territory = \"CN\"\n  depth_max = 2")]
    Add {
        /// What the site is called
        site: String,
        /// Where the crawl begins
        #[arg(required = true, value_name = "URL")]
        seeds: Vec<String>,
        /// Territory whose licences are asked, ISO 3166-1 alpha-2
        #[arg(long, value_name = "CC")]
        territory: Option<String>,
        /// Who runs the site, by the name used in licences [default: its domain]
        #[arg(long, value_name = "DOMAIN")]
        operator: Option<String>,
        /// How many links away from a seed pages are read
        #[arg(long, value_name = "LINKS")]
        depth_max: Option<u32>,
        /// How many requests one run may make
        #[arg(long, value_name = "COUNT")]
        requests_max: Option<u64>,
        /// When `crawl run --due` crawls it: cron text of five fields, such as "30 2 * * *", or "@daily"
        #[arg(long, value_name = "CRON")]
        schedule: Option<String>,
        /// The schedule's time zone
        #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "schedule")]
        time_zone: String,
    },
    /// Remove a site that was added, and what the store keeps of its runs
    Remove {
        /// What the site is called
        site: String,
    },
    /// Crawl sites by name, or from a URL; several at once
    #[command(
        after_help = "A site is described in earwitness.toml, or was added with `earwitness crawl add`:\n\n  \
        [sites.example]\n  seeds = [\"https://music.example/new\"]\n  territory = \"CN\"\n  depth_max = 2\n  \
        schedule = { cron = \"30 2 * * *\", time_zone = \"Asia/Tokyo\" }\n\n\
        With --due, sites with a schedule are crawled whose time has come since their last run; a line for the machine's \
        cron is\n\n  */10 * * * *  earwitness --config /etc/earwitness.toml --quiet crawl run --due\n\n\
        Times that were missed are made up for by one run; while another command has the store, the next call takes \
        its turn.\n\n\
        robots.txt is obeyed (RFC 9309). A run that was stopped or killed goes on where it was. Ctrl-C ends it after \
        what is in hand; a second one at once, and neither loses anything.\n\n\
        Exit codes: 0 nothing unlicensed; 1 at least one UNLICENSED; 3 some URLs failed (each named on stderr)."
    )]
    Run {
        /// Names of sites, or URLs to begin at
        #[arg(required_unless_present = "due", value_name = "SITE|URL")]
        sites: Vec<String>,
        /// Crawl the sites whose schedule is due; with names, those of them
        #[arg(long)]
        due: bool,
        /// Begin anew, although an earlier run was not done
        #[arg(long)]
        fresh: bool,
        #[command(flatten)]
        options: CheckOptions,
    },
    /// Go on with runs that were stopped or killed
    Resume {
        /// Names of sites, or URLs begun at [default: all that were not done]
        #[arg(value_name = "SITE|URL")]
        sites: Vec<String>,
        #[command(flatten)]
        options: CheckOptions,
    },
    /// Show how runs stand: what waits at which host, its pace and back-off, and why URLs were skipped
    Status {
        /// Names of sites, or URLs begun at [default: all]
        #[arg(value_name = "SITE|URL")]
        sites: Vec<String>,
        /// List every URL that was skipped, with the reason (only while no crawl is running)
        #[arg(long)]
        skips: bool,
        /// List every media object that was listened to (only while no crawl is running)
        #[arg(long)]
        sightings: bool,
    },
    /// Ask running crawls to stop; they finish what is in hand
    Stop {
        /// Names of sites, or URLs begun at [default: all]
        #[arg(value_name = "SITE|URL")]
        sites: Vec<String>,
    },
    /// List the sites that are known, and when they are due
    List,
}

pub(super) fn run(context: &Context, args: CrawlArgs) -> anyhow::Result<Exit> {
    match args.command {
        Command::Add { site, seeds, territory, operator, depth_max, requests_max, schedule, time_zone } => {
            let schedule =
                schedule.map(|cron| ScheduleSettings::new(&cron, &time_zone)).transpose().map_err(Usage)?;
            let settings = SiteSettings {
                seeds,
                territory,
                operator,
                depth_max,
                requests_max,
                schedule,
                ..SiteSettings::default()
            };
            add(context, &site, settings)
        }
        Command::Remove { site } => remove(context, &site),
        Command::Run { sites, due: true, fresh, options } => run_due(context, &sites, fresh, &options),
        Command::Run { sites, due: false, fresh, options } => run_sites(context, &sites, fresh, &options),
        Command::Resume { sites, options } => resume(context, &sites, &options),
        Command::Status { sites, skips, sightings } => {
            crawl_status::show(context, &sites, crawl_status::Detail { skips, sightings })
        }
        Command::Stop { sites } => crawl_status::stop(context, &sites),
        Command::List => list(context),
    }
}

fn add(context: &Context, name: &str, settings: SiteSettings) -> anyhow::Result<Exit> {
    if context.settings.sites.contains_key(name) {
        return Err(Usage(format!("site `{name}` is in the configuration already; change it there")).into());
    }
    Plan::check_site(name, &settings).map_err(|error| Usage(error.to_string()))?;
    context.open_store()?.put(&SiteRecord { name: name.to_owned(), settings })?;
    output::note(context, &format!("added `{name}`; `earwitness crawl run {name}` crawls it"));
    Ok(Exit::Done)
}

fn remove(context: &Context, name: &str) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    if !crawl::remove_site(&store, name)? {
        return Err(Usage(format!("no site `{name}` was added, and the store keeps no run of it")).into());
    }
    output::note(context, &format!("removed `{name}` and what was kept of its runs"));
    Ok(Exit::Done)
}

fn run_sites(
    context: &Context,
    names: &[String],
    fresh: bool,
    options: &CheckOptions,
) -> anyhow::Result<Exit> {
    let run = Run::new(context, options)?;
    let mut planned: Vec<(Plan, SiteSettings)> = Vec::new();
    for name in names {
        if planned.iter().any(|(plan, _)| plan.name == *name) {
            continue;
        }
        if url::Url::parse(name).is_ok_and(|url| !url.username().is_empty() || url.password().is_some()) {
            return Err(Usage(
                "a URL with a user name or a password is not taken as a run's name, which is shown and stored; describe \
                 the site in earwitness.toml, with `[sites.NAME.fetch] headers`"
                    .to_owned(),
            )
            .into());
        }
        let site = site(context, run.store(), name)?;
        let plan = run.runner().plan(name, &site, fresh).map_err(|error| Usage(error.to_string()))?;
        planned.push((plan, site));
    }
    let mut tally = Tally::default();
    run.sites(&planned, &mut tally)?;
    Ok(run.finish(&tally))
}

/// Crawls the sites whose schedule is due, of those in `names` or of all.
fn run_due(context: &Context, names: &[String], fresh: bool, options: &CheckOptions) -> anyhow::Result<Exit> {
    let now = context.clock.now();
    let mut due: Vec<String> = Vec::new();
    {
        let store = context.open_store()?;
        if let Some(name) =
            names.iter().find(|name| site(context, &store, name).is_ok_and(|s| s.schedule.is_none()))
        {
            return Err(Usage(format!("`{name}` has no schedule; leave out --due to crawl it now")).into());
        }
        let (sites, runs) = (sites(context, Some(&store))?, schedule::last_runs(&store)?);
        if let Some(name) = names.iter().find(|name| !sites.iter().any(|(known, _)| known == *name)) {
            site(context, &store, name)?;
        }
        for (name, settings) in sites {
            let Some(schedule) = &settings.schedule else { continue };
            let is_meant = names.is_empty() || names.contains(&name);
            if is_meant && schedule::due(&name, schedule, last_run(&runs, &name), now).is_now() {
                due.push(name);
            }
        }
    }
    if due.is_empty() {
        output::note(context, "no site is due; `earwitness crawl list` tells when");
        return Ok(Exit::Done);
    }
    run_sites(context, &due, fresh, options)
}

fn last_run(runs: &BTreeMap<String, LastRun>, name: &str) -> LastRun {
    runs.get(name).copied().unwrap_or(LastRun::None)
}

fn resume(context: &Context, names: &[String], options: &CheckOptions) -> anyhow::Result<Exit> {
    let waiting: Vec<String> = {
        let store = context.open_store()?;
        crawl::kept(&store)?
            .into_iter()
            .filter(|status| status.job.state != crawl::JobState::Done)
            .map(|status| status.job.name)
            .filter(|name| names.is_empty() || names.contains(name))
            .collect()
    };
    if let Some(name) = names.iter().find(|name| !waiting.contains(name)) {
        return Err(Usage(format!(
            "there is no unfinished run of `{name}`; `earwitness crawl status` lists them"
        ))
        .into());
    }
    // An unfinished run of a site that nobody knows any more must not hold up the others.
    let (waiting, unknown): (Vec<String>, Vec<String>) = {
        let store = context.open_store()?;
        waiting.into_iter().partition(|name| !names.is_empty() || site(context, &store, name).is_ok())
    };
    for name in unknown {
        output::note(
            context,
            &format!("warning: `{}` is passed over: its site is not known any more", output::inert(&name)),
        );
    }
    if waiting.is_empty() {
        output::note(context, "no run waits to be gone on with");
        return Ok(Exit::Done);
    }
    run_sites(context, &waiting, false, options)
}

/// A site of the configuration, one that was added, or a URL.
fn site(context: &Context, store: &Store, name: &str) -> anyhow::Result<SiteSettings> {
    if let Some(site) = context.settings.sites.get(name) {
        return Ok(site.clone());
    }
    if let Some(record) = store.get::<SiteRecord>(name)? {
        return Ok(record.settings);
    }
    if name.contains("://") {
        return Ok(SiteSettings { seeds: vec![name.to_owned()], ..SiteSettings::default() });
    }
    let mut known: Vec<String> = context.settings.sites.keys().cloned().collect();
    for record in store.scan::<SiteRecord>("")? {
        known.push(record?.name);
    }
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Usage(format!(
        "there is no site `{name}` in configuration and store (known: {known}), and it is no URL"
    ))
    .into())
}

/// The sites of the configuration, and those that were added where there is a store.
fn sites(context: &Context, store: Option<&Store>) -> anyhow::Result<Vec<(String, SiteSettings)>> {
    match store {
        Some(store) => Ok(scan::sites(&context.settings, store)?),
        None => Ok(context.settings.sites.clone().into_iter().collect()),
    }
}

fn list(context: &Context) -> anyhow::Result<Exit> {
    let store = if context.store_path.exists() { Some(context.open_store()?) } else { None };
    let sites = sites(context, store.as_ref())?;
    let runs = store.as_ref().map(schedule::last_runs).transpose()?.unwrap_or_default();
    let now = context.clock.now();
    let mut table = output::table(context, &["site", "seeds", "operator", "territory", "schedule", "due"]);
    for (name, site) in &sites {
        let due =
            site.schedule.as_ref().map(|schedule| schedule::due(name, schedule, last_run(&runs, name), now));
        if context.json {
            let mut settings = serde_json::to_value(site)?;
            // Headers and a proxy's address may hold secrets.
            if let Some(fetch) = settings.get_mut("fetch") {
                *fetch = serde_json::json!({ "set": site.fetch != SiteFetchSettings::default() });
            }
            let at = due.and_then(|due| due_at(due, now));
            output::json(&serde_json::json!({ "site": name, "settings": settings, "due_at": at }))?;
        } else {
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            let schedule = site.schedule.as_ref().map(|one| format!("{} {}", one.cron, one.time_zone));
            let due = due.map(due_text).unwrap_or_default();
            let fields = [text(&site.operator), text(&site.territory), text(&schedule), due];
            table.add_row([name.clone(), site.seeds.join("\n")].into_iter().chain(fields));
        }
    }
    if !context.json {
        output::line(&table.to_string());
    }
    Ok(Exit::Done)
}

/// When a site is due: now, or later.
fn due_at(due: Due, now: Timestamp) -> Option<Timestamp> {
    match due {
        Due::First | Due::GoesOn | Due::Since(_) => Some(now),
        Due::At(at) => Some(at),
        Due::Never => None,
    }
}

fn due_text(due: Due) -> String {
    match due {
        Due::First => "now (never crawled)".to_owned(),
        Due::GoesOn => "now (was broken off)".to_owned(),
        Due::Since(at) => format!("now (since {at})"),
        Due::At(at) => at.to_string(),
        Due::Never => "never".to_owned(),
    }
}
