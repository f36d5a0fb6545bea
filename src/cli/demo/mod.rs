//! `earwitness demo`: the whole chain on music, sites and licences of its own.
//!
//! `story` says what there is and what must come out; `synth`, `alter` and `audio` make the sound; `tables` and
//! `site` write what a user and a site owner would; `chain` runs the ordinary commands' calls on it; `verdicts`
//! holds what was found against the story.

mod alter;
mod audio;
mod chain;
mod folder;
mod site;
mod story;
mod synth;
mod tables;
mod verdicts;
mod wav;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::{Context, Exit, output};
use crate::base::SystemClock;
use crate::config::Settings;
use folder::Folder;

/// Show the whole chain on a built-in site, store and catalogue
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Composes a small catalogue of music, registers it with licences (a label, a platform with an \
    exclusive licence for mainland China, a radio station with a sub-licence), serves six sites on this machine, \
    crawls them, and prints the verdict on every file: licensed, unlicensed and undetermined ones, a stranger's piece \
    and a broken file. The unlicensed cases are approved, and the notices about them written. Needs no network and \
    takes well under a minute; about 120 MB are written to the folder, which the ordinary commands can go on with.\n\n\
    Exit codes: 0 everything came out as it must (unlicensed copies are found, that is the point); 2 the folder is \
    somebody's own; 4 something did not come out as it must, or could not run."
)]
pub(super) struct DemoArgs {
    /// Folder to work in; one that an earlier demo made is begun afresh
    #[arg(long, value_name = "DIR", default_value = "demo-run")]
    dir: PathBuf,
    /// Go on serving the sites until Ctrl-C, so that `crawl run` and a browser can visit them
    #[arg(long)]
    keep_serving: bool,
}

pub(super) fn run(context: &Context, args: &DemoArgs) -> anyhow::Result<Exit> {
    let folder = Folder::prepare(context, &args.dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listeners = runtime.block_on(site::listen())?;
    let sites = site::addresses(&listeners)?;

    output::note(context, "1/5 composing and playing five titles of Aoi Records, and a stranger's tune");
    let pieces = audio::play()?;
    audio::write_masters(&folder, &pieces)?;

    output::note(context, "2/5 making the copies, and putting them on six sites of this machine");
    audio::write_copies(&folder, &pieces)?;
    drop(pieces);
    site::write_pages(&folder)?;
    runtime.block_on(async { site::serve(&folder, listeners) });

    let catalogue = tables::catalogue();
    let licences = tables::licences(&sites, context.clock.now());
    folder.write(Path::new("catalogue.csv"), catalogue.as_bytes())?;
    folder.write(Path::new("licences.csv"), licences.as_bytes())?;
    folder.write(Path::new(crate::config::FILE_NAME), tables::settings(&folder, &sites).as_bytes())?;
    let own = own_context(context, &folder)?;

    output::note(context, "3/5 registering the catalogue (catalogue.csv) and the licences (licences.csv)");
    let library = chain::register_catalogue(&own, &folder, &catalogue)?;
    let graph = chain::record(&own, &library, &licences)?;

    output::note(context, "4/5 crawling the sites");
    let crawled = chain::crawl_sites(&own, &library, &graph, runtime.handle());
    let (checked, failed) = crawled?;

    output::note(context, "5/5 approving the unlicensed cases and writing the notices");
    let notices = chain::notify(&own, &library, &folder, &checked)?;
    drop(library); // the ordinary commands may have the store now

    let results = verdicts::Results::new(&folder, &sites, &checked);
    results.tell(&own)?;
    tell_rest(&own, &folder, &notices, &sites, args.keep_serving)?;
    let problems: Vec<String> = failed.into_iter().chain(results.problems()).collect();
    if !problems.is_empty() {
        return Err(anyhow!("not everything came out as it must:\n  {}", problems.join("\n  ")));
    }
    if args.keep_serving {
        runtime.block_on(tokio::signal::ctrl_c())?;
    }
    Ok(Exit::Done)
}

/// The context of the demonstration: its own configuration and store, whatever the caller's are.
fn own_context(context: &Context, folder: &Folder) -> anyhow::Result<Context> {
    Ok(Context {
        settings_file: None,
        settings: Settings::load(Some(&folder.settings()))?,
        store_path: folder.store(),
        json: context.json,
        quiet: context.quiet,
        color: context.color,
        clock: Box::new(SystemClock),
    })
}

/// Says where everything is, and how to go on.
fn tell_rest(
    context: &Context,
    folder: &Folder,
    notices: &[crate::scan::notifying::Written],
    sites: &[SocketAddr],
    keeps_serving: bool,
) -> anyhow::Result<()> {
    let case = notices.first().and_then(|notice| notice.cases.first());
    let commands = commands(sites, case.map_or("C-…", String::as_str), keeps_serving);
    if context.json {
        return output::json(&serde_json::json!({
            "folder": folder.root, "config": folder.settings(), "notices": notices, "commands": commands,
        }));
    }
    output::line("Notices, in Chinese, ready to be printed and signed:");
    for notice in notices {
        if let Some(path) = notice.paths.get("pdf") {
            output::line(&format!("  {}", path.display()));
        }
    }
    output::line("Go on with the ordinary commands:");
    output::line(&format!("  cd {}", shell_word(&folder.root.display().to_string())));
    for command in &commands {
        output::line(&format!("  {command}"));
    }
    if keeps_serving {
        output::line("The sites are served until Ctrl-C:");
        for (story, address) in story::SITES.iter().zip(sites) {
            output::line(&format!("  {}: http://{address}/", story.name));
        }
    }
    Ok(())
}

fn commands(sites: &[SocketAddr], case: &str, keeps_serving: bool) -> Vec<String> {
    let program = program();
    // The environment's store would count for more than the configuration's.
    let store = std::env::var_os("EARWITNESS_STORE").map_or("", |_| " --store store");
    let command = |rest: &str| format!("{program} --config {}{store} {rest}", crate::config::FILE_NAME);
    let radio = sites[story::RADIO];
    let mut commands = vec![
        command("catalog list"),
        command("cases list"),
        command(&format!("cases show {case}")),
        command(&format!("licence explain AOI-003 --operator {radio} --territory CN")),
        command(&format!("licence explain AOI-004 --operator {radio} --territory CN")),
        command("identify site/mixes/media/episode-12.wav"),
    ];
    if keeps_serving {
        commands.push(command("crawl run downloads"));
    }
    commands
}

/// How the user calls this program from any folder.
fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    match called {
        // Found on the PATH.
        Some(name) if name.components().count() == 1 => shell_word(&name.display().to_string()),
        _ => std::env::current_exe()
            .map_or_else(|_| "earwitness".to_owned(), |path| shell_word(&path.display().to_string())),
    }
}

/// A word that a shell takes as it is.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ':');
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
