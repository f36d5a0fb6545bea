//! `earwitness crawl`: visit sites and check all audio found there.

use clap::Subcommand;

use super::scanning::{CheckOptions, Run, Tally};
use super::{Context, Exit, Usage, crawl_status, output};
use crate::config::SiteSettings;
use crate::crawl::{self, Plan, SiteRecord};
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
    },
    /// Remove a site that was added, and what the store keeps of its runs
    Remove {
        /// What the site is called
        site: String,
    },
    /// Crawl sites by name, or from a URL; several at once
    #[command(
        after_help = "A site is described in earwitness.toml, or was added with `earwitness crawl add`:\n\n  \
        [sites.example]\n  seeds = [\"https://music.example/new\"]\n  territory = \"CN\"\n  depth_max = 2\n\n\
        robots.txt is obeyed (RFC 9309). A run that was stopped or killed goes on where it was. Ctrl-C ends it after \
        what is in hand; a second one at once, and neither loses anything.\n\n\
        Exit codes: 0 nothing unlicensed; 1 at least one UNLICENSED; 3 some URLs failed (each named on stderr)."
    )]
    Run {
        /// Names of sites, or URLs to begin at
        #[arg(required = true, value_name = "SITE|URL")]
        sites: Vec<String>,
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
    /// List the sites that are known
    List,
}

pub(super) fn run(context: &Context, args: CrawlArgs) -> anyhow::Result<Exit> {
    match args.command {
        Command::Add { site, seeds, territory, operator, depth_max, requests_max } => {
            let settings = SiteSettings {
                seeds,
                territory,
                operator,
                depth_max,
                requests_max,
                ..SiteSettings::default()
            };
            add(context, &site, settings)
        }
        Command::Remove { site } => remove(context, &site),
        Command::Run { sites, fresh, options } => run_sites(context, &sites, fresh, &options),
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
    if name.is_empty() || name.len() > 200 || name.contains("://") {
        return Err(Usage("a site's name is 1 to 200 bytes and no URL".to_owned()).into());
    }
    Plan::for_site(name, &settings).map_err(|error| Usage(error.to_string()))?;
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
        let site = site(context, run.store(), name)?;
        let mut plan = Plan::for_site(name, &site).map_err(|error| Usage(error.to_string()))?;
        plan.fresh = fresh;
        plan.render_limits = (&context.settings.render).into();
        planned.push((plan, site));
    }
    let mut tally = Tally::default();
    run.sites(&planned, &mut tally)?;
    Ok(run.finish(&tally))
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

fn list(context: &Context) -> anyhow::Result<Exit> {
    let mut sites: Vec<(String, SiteSettings)> =
        context.settings.sites.iter().map(|(name, site)| (name.clone(), site.clone())).collect();
    if context.store_path.exists() {
        for record in context.open_store()?.scan::<SiteRecord>("")? {
            let SiteRecord { name, settings } = record?;
            if !context.settings.sites.contains_key(&name) {
                sites.push((name, settings));
            }
        }
    }
    let mut table = output::table(context, &["site", "seeds", "operator", "territory"]);
    for (name, site) in &sites {
        if context.json {
            output::json(&serde_json::json!({ "site": name, "settings": site }))?;
        } else {
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            table.add_row([name.clone(), site.seeds.join("\n"), text(&site.operator), text(&site.territory)]);
        }
    }
    if !context.json {
        output::line(&table.to_string());
    }
    Ok(Exit::Done)
}
