//! The chain itself, by the same calls as the ordinary commands: register, license, crawl, approve, notify.

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::super::notice::{templates, usage};
use super::super::{Context, output};
use super::folder::Folder;
use super::story::SITES;
use crate::base::chain;
use crate::cases::{self, Decided, Event, load_licences, record_licences};
use crate::catalog::import;
use crate::crawl::{self, Plan};
use crate::net::Client;
use crate::notice::{Document as _, Form, PageDetail};
use crate::rights::{Decision, LicenceGraph, conflicts, parse_csv};
use crate::scan::notifying::{Batch, Written, export, today};
use crate::scan::worker::Decoder;
use crate::scan::{Checked, Library, Pipeline, Together, Told, register};

/// Brings the catalogue's table and its audio into a new store, as `catalog import --audio-root` does.
pub(super) fn register_catalogue(context: &Context, folder: &Folder, table: &str) -> anyhow::Result<Library> {
    let parsed = import::parse(table.as_bytes(), &import::Options::default());
    if let Some(problem) = parsed.problems.first() {
        bail!("the demonstration's catalogue: {problem}");
    }
    let mut library = Library::open(context.open_store()?)?;
    let decoder = Decoder::of_this_program()?;
    let bar = output::progress(context, parsed.rows.len());
    let mut failure = None;
    register::import_rows(&mut library, &decoder, parsed.rows, &folder.masters(), &mut |progress| {
        bar.set_position(progress.done as u64);
        failure = failure.take().or_else(|| progress.result.error.clone());
        true
    })?;
    bar.finish_and_clear();
    match failure {
        Some(error) => bail!("the demonstration's catalogue: {error}"),
        None => Ok(library),
    }
}

/// Records the licences, as `licence import` does.
pub(super) fn record(context: &Context, library: &Library, table: &str) -> anyhow::Result<LicenceGraph> {
    let now = context.clock.now();
    let parsed = parse_csv(table.as_bytes(), &TimeZone::UTC, now);
    if let Some(problem) = parsed.problems.first() {
        bail!("the demonstration's licences: {problem}");
    }
    record_licences(library.store(), parsed.rows.into_iter().map(|row| row.licence), now)?;
    let graph = load_licences(library.store())?;
    for conflict in conflicts(&graph) {
        output::note(context, &format!("conflict: {}: {}", conflict.licence_ids.join(", "), conflict.text));
    }
    Ok(graph)
}

/// Crawls the sites of the configuration, as `crawl run` does. Gives all files that were checked, and what failed.
pub(super) fn crawl_sites(
    context: &Context,
    library: &Library,
    licences: &LicenceGraph,
    runtime: &tokio::runtime::Handle,
) -> anyhow::Result<(Vec<Checked>, Vec<String>)> {
    let pipeline = Pipeline {
        library,
        decoder: Decoder::of_this_program()?,
        options: context.match_options(),
        licences: licences.clone(),
        territory: context.settings.claim.territory.clone(),
        operator: None,
        clock: context.clock.as_ref(),
    };
    let client = Client::new(&context.settings.fetch)?;
    let (cancel, together) = (CancellationToken::new(), Together::default());
    let (mut checked, mut failed) = (Vec::new(), Vec::new());
    for site in &SITES {
        let settings = context.settings.sites.get(site.key).context("the configuration lacks a site")?;
        let plan = Plan::for_site(site.key, settings)?;
        output::note(context, &format!("  {} ({})", site.name, plan.seeds[0]));
        let mut tell = |told: Told<'_>| match told {
            Told::Checked(one) => {
                output::note(context, &format!("    {}", summary(one)));
                checked.push(one.clone());
            }
            Told::Crawl(crawl::Event::Failed(failure)) => failed.push(chain(&failure.error)),
            Told::Crawl(_) => {}
        };
        pipeline.crawl(&plan, &client, &together, runtime, &cancel, &mut tell)?;
    }
    Ok((checked, failed))
}

/// One file in one line.
fn summary(checked: &Checked) -> String {
    if let Some(error) = &checked.error {
        return format!("error: {error}");
    }
    let found = checked.findings.iter().map(|finding| {
        let surest = finding.matches.iter().map(|one| one.log10_false_match).fold(0.0, f64::min);
        format!(
            "{} {} (log10 false match {surest:.1})",
            finding.verdict.decision.as_str(),
            finding.recording_id
        )
    });
    let found: Vec<String> = found.collect();
    let found = if found.is_empty() { "nothing of the catalogue".to_owned() } else { found.join(", ") };
    format!("{}: {found}", checked.query)
}

/// Approves all cases that came out UNLICENSED, as `cases approve` does, and writes their notices, as
/// `notice export` does.
pub(super) fn notify(
    context: &Context,
    library: &Library,
    folder: &Folder,
    checked: &[Checked],
) -> anyhow::Result<Vec<Written>> {
    let (store, now) = (library.store(), context.clock.now());
    let decided = Decided {
        event: Event::Approved,
        actor: "demo".to_owned(),
        note: Some("approved by the demonstration".to_owned()),
    };
    let findings = checked.iter().flat_map(|one| &one.findings);
    let unlicensed = findings.filter(|finding| finding.verdict.decision == Decision::Unlicensed);
    let mut approved = Vec::new();
    for id in unlicensed.filter_map(|finding| finding.case_id.as_deref()) {
        let mut case = cases::find(store, id)?;
        cases::decide(&mut case, now, &decided)?;
        approved.push(case);
    }
    cases::save(store, &approved)?;
    let mut notices = Vec::new();
    let (form, out) = (Form::Ncac, folder.notices());
    let batch = Batch {
        form,
        formats: form.formats(),
        templates: &templates(context)?,
        date: today(form, now),
        now,
        pages: PageDetail::Address,
        actor: "earwitness",
        out: &out,
    };
    export(store, &context.settings, approved, &batch, &mut |written| notices.push(written.clone()))
        .map_err(usage)?;
    Ok(notices)
}
