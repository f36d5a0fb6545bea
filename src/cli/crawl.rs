//! `earwitness crawl`: visit sites and check all audio found there.

use clap::Subcommand;

use super::scanning::{CheckOptions, Run, Tally};
use super::{Context, Exit, Usage, output};
use crate::config::SiteSettings;
use crate::crawl::Plan;

/// Visit sites and check all audio found there
#[derive(Debug, clap::Args)]
pub(super) struct CrawlArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Crawl sites of the configuration by name, or from a URL
    #[command(after_help = "A site is described in earwitness.toml:\n\n  [sites.example]\n  seeds = \
        [\"https://music.example/new\"]\n  territory = \"CN\"\n  depth_max = 2\n\nrobots.txt is obeyed (RFC 9309). \
        Ctrl-C ends the run after the file in hand; what was found is kept.\n\n\
        Exit codes: 0 nothing unlicensed; 1 at least one UNLICENSED; 3 some URLs failed (each named on stderr).")]
    Run {
        /// Names of sites, or URLs to begin at
        #[arg(required = true, value_name = "SITE|URL")]
        sites: Vec<String>,
        #[command(flatten)]
        options: CheckOptions,
    },
    /// List the configured sites
    List,
}

pub(super) fn run(context: &Context, args: CrawlArgs) -> anyhow::Result<Exit> {
    match args.command {
        Command::Run { sites, options } => run_sites(context, &sites, &options),
        Command::List => list(context),
    }
}

fn run_sites(context: &Context, sites: &[String], options: &CheckOptions) -> anyhow::Result<Exit> {
    let mut planned = Vec::new();
    for name in sites {
        planned.push((name, site(context, name)?));
    }
    let mut tally = Tally::default();
    let run = Run::new(context, options)?;
    for (name, site) in planned {
        let plan = Plan::for_site(name, &site, &run.fetch)?;
        run.site(&plan, &site, &mut tally)?;
        if tally.cancelled {
            break;
        }
    }
    Ok(run.finish(&tally))
}

fn site(context: &Context, name: &str) -> anyhow::Result<SiteSettings> {
    if let Some(site) = context.settings.sites.get(name) {
        return Ok(site.clone());
    }
    if name.contains("://") {
        return Ok(SiteSettings { seeds: vec![name.to_owned()], ..SiteSettings::default() });
    }
    let known: Vec<&str> = context.settings.sites.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Usage(format!("there is no site `{name}` in the configuration (known: {known}), and it is no URL"))
        .into())
}

fn list(context: &Context) -> anyhow::Result<Exit> {
    let mut table = output::table(context, &["site", "seeds", "operator", "territory"]);
    for (name, site) in &context.settings.sites {
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
