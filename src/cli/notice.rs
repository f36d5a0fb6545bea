//! `earwitness notice`: takedown notices from approved cases.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Context, Exit, Usage, case, output};
use crate::base::{Digest, Timestamp};
use crate::cases::{Case, Event, State, find, list, save};
use crate::catalog::Recording;
use crate::config::Settings;
use crate::notice::{CaseItem, Missing, NcacInput, compose_ncac, render_ncac};
use crate::rights::normalise_operator;
use crate::store::Store;

/// Takedown notices from approved cases.
#[derive(Debug, Args)]
pub(super) struct NoticeArgs {
    #[command(subcommand)]
    command: NoticeCommand,
}

#[derive(Debug, Subcommand)]
enum NoticeCommand {
    /// Write one notice to each provider about its approved cases, as a page to print and as JSON
    #[command(after_help = EXPORT_HELP)]
    Export(ExportArgs),
}

const EXPORT_HELP: &str = "\
The sender and the providers come from the configuration:
  [claim]
  signature = \"…\"                  # whose name stands under it [default: agent, else right holder]
  proof = [\"…\"]                    # papers that prove the right, listed as enclosures
  [claim.right_holder]             # and [claim.agent], if there is one
  name, id_document_type, id_document_number, legal_representative, address, post_code,
  contact_person, telephone, email = \"…\"
  [providers.\"example.com\"]        # by the site's registrable domain
  name = \"…\"                       # needed; address, post_code, email, telephone, fax, icp_number …
Where a mandatory field is missing, all such are named, nothing is written, and the exit code is 2.";

#[derive(Debug, Args)]
struct ExportArgs {
    /// The form: ncac is the model form of the National Copyright Administration of China, in Chinese
    #[arg(long, value_enum)]
    form: Form,
    /// The folder to write to; made where missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only these cases, approved or noticed before [default: all approved cases]
    #[arg(long = "case", value_name = "ID", num_args = 1..)]
    cases: Vec<String>,
    /// The notice's date [default: today in China]
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Ncac,
}

pub(super) fn run(context: &Context, args: NoticeArgs) -> anyhow::Result<Exit> {
    match args.command {
        NoticeCommand::Export(args) => match args.form {
            Form::Ncac => export_ncac(context, &args),
        },
    }
}

/// A notice ready to be written.
struct Ready {
    domain: String,
    cases: Vec<Case>,
    html: String,
    json: String,
}

fn export_ncac(context: &Context, args: &ExportArgs) -> anyhow::Result<Exit> {
    let now = context.clock.now();
    let date = args.date.unwrap_or_else(|| today(now));
    let store = context.open_store()?;
    let chosen = choose(&store, &args.cases)?;
    if chosen.is_empty() {
        output::note(
            context,
            "no approved cases; `earwitness cases list`, then `earwitness cases approve ID`",
        );
        return Ok(Exit::Done);
    }
    write_ncac(&store, &context.settings, chosen, &args.out, (date, now), &mut |written| {
        tell(context, written)
    })?;
    Ok(Exit::Done)
}

/// Today in China, where the notices go.
pub(super) fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::fixed(jiff::tz::offset(8))).date()
}

/// Writes one notice to each provider about these cases and records it in their histories; none where a mandatory
/// field is missing for one. `tell` hears of each.
pub(super) fn write_ncac(
    store: &Store,
    settings: &Settings,
    cases: Vec<Case>,
    out: &Path,
    (date, now): (Date, Timestamp),
    tell: &mut dyn FnMut(&Written) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut by_domain: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in cases {
        by_domain.entry(case.domain.to_lowercase()).or_default().push(case);
    }
    let mut missing: Vec<String> = Vec::new();
    let mut ready = Vec::new();
    for (domain, cases) in by_domain {
        match compose(store, settings, domain, cases, date)? {
            Ok(notice) => ready.push(notice),
            // The sender's fields are the same for every provider: each key is named once.
            Err(Missing(keys)) => keys.into_iter().for_each(|key| {
                if !missing.contains(&key) {
                    missing.push(key);
                }
            }),
        }
    }
    if !missing.is_empty() {
        return Err(Usage(Missing(missing).to_string()).into());
    }
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for notice in ready {
        tell(&write_and_record(store, out, notice, (date, now))?)?;
    }
    Ok(())
}

fn tell(context: &Context, written: &Written) -> anyhow::Result<()> {
    if context.json {
        return output::json(written);
    }
    let Written { domain, cases, html, json, .. } = written;
    output::line(&format!("{domain}: {} cases → {}", cases.len(), html.display()));
    output::line(&format!("{domain}: the same as data → {}", json.display()));
    Ok(())
}

fn choose(store: &Store, ids: &[String]) -> anyhow::Result<Vec<Case>> {
    if ids.is_empty() {
        return Ok(list(store, Some(State::Approved))?);
    }
    let mut chosen: Vec<Case> = Vec::new();
    for id in ids {
        let case = find(store, id).map_err(case::usage)?;
        if case.state.after(Event::Noticed).is_none() {
            return Err(Usage(format!(
                "case {0} is {1}, and only approved cases are notified; look at it with `earwitness cases show {0}`, then `earwitness cases approve {0}`",
                case.case_id, case.state
            ))
            .into());
        }
        if chosen.iter().all(|known| known.case_id != case.case_id) {
            chosen.push(case);
        }
    }
    chosen.sort_by(|a, b| (a.created_at, &a.case_id).cmp(&(b.created_at, &b.case_id)));
    Ok(chosen)
}

fn compose(
    store: &Store,
    settings: &Settings,
    domain: String,
    cases: Vec<Case>,
    date: Date,
) -> anyhow::Result<Result<Ready, Missing>> {
    let mut recordings: Vec<Recording> = Vec::new();
    for case in &cases {
        let id = &case.recording_id;
        let recording = store.get::<Recording>(id.as_str())?;
        recordings.push(recording.ok_or_else(|| {
            Usage(format!(
                "recording {id} of case {} is no longer in the catalogue; import it again",
                case.case_id
            ))
        })?);
    }
    let items: Vec<CaseItem<'_>> =
        cases.iter().zip(&recordings).map(|(case, recording)| CaseItem { case, recording }).collect();
    let known =
        settings.providers.iter().find(|(name, _)| normalise_operator(name) == normalise_operator(&domain));
    let input = NcacInput {
        domain: &domain,
        items: &items,
        claim: &settings.claim,
        provider: known.map(|(_, provider)| provider),
        date,
    };
    let notice = match compose_ncac(&input) {
        Ok(notice) => notice,
        Err(missing) => return Ok(Err(missing)),
    };
    let html = render_ncac(&notice)?;
    let json = serde_json::to_string_pretty(&notice)? + "\n";
    Ok(Ok(Ready { domain, cases, html, json }))
}

/// A notice that was written.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Written {
    form: &'static str,
    pub(super) domain: String,
    /// The cases' identifiers.
    pub(super) cases: Vec<String>,
    pub(super) html: PathBuf,
    pub(super) json: PathBuf,
    html_sha256: Digest,
    json_sha256: Digest,
}

/// Writes both files, then records them in the histories of all their cases at once.
fn write_and_record(
    store: &Store,
    out: &Path,
    notice: Ready,
    (date, now): (Date, Timestamp),
) -> anyhow::Result<Written> {
    let Ready { domain, mut cases, html, json } = notice;
    let stem = free_stem(out, &format!("{date}-{}-ncac", file_part(&domain)), &html, &json)?;
    let written = Written {
        form: "ncac",
        domain,
        cases: cases.iter().map(|case| case.case_id.clone()).collect(),
        html: out.join(format!("{stem}.html")),
        json: out.join(format!("{stem}.json")),
        html_sha256: Digest::of(html.as_bytes()),
        json_sha256: Digest::of(json.as_bytes()),
    };
    write_whole(&written.html, html.as_bytes())?;
    write_whole(&written.json, json.as_bytes())?;
    let note = format!(
        "ncac: {} (SHA-256 {}), {} (SHA-256 {})",
        written.html.display(),
        written.html_sha256,
        written.json.display(),
        written.json_sha256
    );
    for case in &mut cases {
        case.apply(Event::Noticed, now, "earwitness", Some(note.clone()))?;
    }
    save(store, &cases)?;
    Ok(written)
}

/// Finds a name that is free, or holds these very bytes: a notice that may have been sent is never written over.
fn free_stem(out: &Path, stem: &str, html: &str, json: &str) -> anyhow::Result<String> {
    let fits = |name: &str, text: &str| match std::fs::read(out.join(name)) {
        Ok(bytes) => bytes == text.as_bytes(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    for n in 1..1_000 {
        let name = if n == 1 { stem.to_owned() } else { format!("{stem}-{n}") };
        if fits(&format!("{name}.html"), html) && fits(&format!("{name}.json"), json) {
            return Ok(name);
        }
    }
    Err(Usage(format!("{} is full of notices named {stem}; choose another --out", out.display())).into())
}

/// A domain as a part of a file name: nothing in it can leave the folder.
fn file_part(domain: &str) -> String {
    let safe =
        domain.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' });
    safe.take(120).collect()
}

fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".notice-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        // The folder is the user's own: the page is as readable as any other file there.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
