//! `earwitness cases recheck`: are the addresses of cases live?

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use url::Url;

use super::case::usage;
use super::case_due::calendars;
use super::scanning::{CheckOptions, Run};
use super::{Context, Exit, crawl, output};
use crate::base::Timestamp;
use crate::cases::{
    self, Alive, Calendars, CaseFile, DueKind, Event, Liveness, State, edit, files, find, known_liveness,
    load_file,
};
use crate::config::SiteSettings;
use crate::crawl::Plan;
use crate::net::Client;
use crate::notice::inert;
use crate::scan::{Door, Target};

pub(super) const HELP: &str = "\
Each address is fetched once, by the rules of the site that it belongs to; robots.txt is obeyed. The same bytes, or others in
which the recording is heard, prove that it is live. An address that does not serve it any more is looked for once more on the
page that led there, as `earwitness check` would. Only 404, 410 and 451, or audio in which the recording is not, count as gone;
no answer, a refusal or a page without audio leave it unclear.

A case whose addresses are all gone becomes `removed`; one that is live after its provider's time, `ignored`. A line for the
machine's cron is

  17 * * * *  earwitness --config /etc/earwitness.toml --quiet cases recheck --due

Exit codes: 0 all told; 3 some addresses are unclear (each named on stderr).";

/// Addresses that are looked at at once, each of another host.
const AT_ONCE: usize = 4;

/// Arguments of `cases recheck`.
#[derive(Debug, Args)]
pub(super) struct RecheckArgs {
    /// The cases' identifiers, or the beginnings of them [default: all that are approved or further, and have not ended]
    id: Vec<String>,
    /// Only those whose provider's time is over, or whose last proof is older than notice.live_within_h
    #[arg(long)]
    due: bool,
    #[command(flatten)]
    options: CheckOptions,
}

/// What became of a case.
#[derive(Serialize)]
struct Rechecked<'a> {
    case_id: &'a str,
    state: State,
    moved: Option<Event>,
    liveness: &'a [Liveness],
}

/// An address, and who wants to know of it.
struct Address {
    /// Without the way into an archive.
    url: String,
    targets: Vec<Target>,
    /// The pages that led there.
    pages: BTreeSet<String>,
}

pub(super) fn run(context: &Context, args: &RecheckArgs) -> anyhow::Result<Exit> {
    let calendars = calendars(context)?;
    let run = Run::new(context, &args.options)?;
    let chosen = choose(context, &run, args, &calendars)?;
    if chosen.is_empty() {
        output::note(context, "no case is to be looked at");
        return Ok(Exit::Done);
    }
    let sites = crawl::sites(context, Some(run.store()))?;
    let liveness = look_at_all(&run, &sites, &addresses(&chosen))?;
    let mut is_unclear = false;
    for file in &chosen {
        let own: Vec<Liveness> =
            liveness.iter().filter(|one| one.case_id == file.case.case_id).cloned().collect();
        is_unclear |= settle(context, &run, &file.case.case_id, &own, &calendars)?;
    }
    Ok(if is_unclear { Exit::SomeFailed } else { Exit::Done })
}

fn choose(
    context: &Context,
    run: &Run<'_>,
    args: &RecheckArgs,
    calendars: &Calendars,
) -> anyhow::Result<Vec<CaseFile>> {
    let store = run.store();
    let mut chosen: Vec<CaseFile> = Vec::new();
    for id in &args.id {
        let case = find(store, id).map_err(usage)?;
        if chosen.iter().all(|known| known.case.case_id != case.case_id) {
            chosen.push(load_file(store, case).map_err(usage)?);
        }
    }
    if args.id.is_empty() {
        chosen = files(store, None).map_err(usage)?;
        chosen.retain(|file| {
            let state = file.case.state;
            state.is_upheld() && !state.is_final() && state != State::Removed
        });
    }
    if args.due {
        let now = context.clock.now();
        let max_age = jiff::SignedDuration::from_hours(i64::from(context.settings.notice.live_within_h));
        chosen.retain(|file| is_due(file, now, max_age, calendars));
    }
    Ok(chosen)
}

/// Whether a case is to be looked at: a provider's time is over, or nothing is known that is new enough.
fn is_due(file: &CaseFile, now: Timestamp, max_age: jiff::SignedDuration, calendars: &Calendars) -> bool {
    let is_over = cases::due(file, now, jiff::SignedDuration::ZERO, calendars)
        .iter()
        .any(|one| one.kind == DueKind::Recheck);
    is_over
        || known_liveness(&file.case, &file.liveness)
            .iter()
            .any(|known| now.duration_since(known.at) >= max_age)
}

/// Each address once, whoever wants to know of it.
fn addresses(files: &[CaseFile]) -> Vec<Address> {
    let mut addresses: BTreeMap<String, Address> = BTreeMap::new();
    for file in files {
        for sighting in &file.case.sightings {
            let whole = &sighting.media_url;
            let url = whole.split_once('#').map_or(whole.as_str(), |(url, _)| url);
            let address = addresses.entry(url.to_owned()).or_insert_with(|| Address {
                url: url.to_owned(),
                targets: Vec::new(),
                pages: BTreeSet::new(),
            });
            address.targets.push(Target {
                case_id: file.case.case_id.clone(),
                url: whole.clone(),
                recording_id: file.case.recording_id.clone(),
                sha256: sighting.sha256,
            });
            address.pages.extend(sighting.page_url.clone());
        }
    }
    addresses.into_values().collect()
}

fn look_at_all(
    run: &Run<'_>,
    sites: &[(String, SiteSettings)],
    addresses: &[Address],
) -> anyhow::Result<Vec<Liveness>> {
    let (waiting, found) = (Mutex::new(addresses.iter()), Mutex::new(Vec::new()));
    let visited = Mutex::new(BTreeSet::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(address) = next.filter(|_| !run.cancel.is_cancelled()) else { return Ok(()) };
            let looked = look(run, sites, address)?;
            let is_elsewhere = looked.iter().any(|one| one.alive != Alive::Yes);
            found.lock().unwrap_or_else(PoisonError::into_inner).extend(looked);
            for page in address.pages.iter().filter(|_| is_elsewhere) {
                let is_new = visited.lock().unwrap_or_else(PoisonError::into_inner).insert(page.clone());
                if is_new {
                    visit(run, sites, page)?;
                }
            }
        }
    };
    let outcomes: Vec<anyhow::Result<()>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    outcomes.into_iter().collect::<anyhow::Result<()>>()?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Fetches one address.
fn look(run: &Run<'_>, sites: &[(String, SiteSettings)], address: &Address) -> anyhow::Result<Vec<Liveness>> {
    let (plan, client, site) = match way(run, sites, &address.url) {
        Ok(way) => way,
        // Such as one that was too long to be kept whole.
        Err(error) => {
            let at = run.context.clock.now();
            let unclear = |target: &Target| Liveness {
                case_id: target.case_id.clone(),
                url: target.url.clone(),
                at,
                status: None,
                sha256: None,
                alive: Alive::Unclear,
                note: format!("{error:#}"),
            };
            return Ok(address.targets.iter().map(unclear).collect());
        }
    };
    let door = Door {
        plan: &plan,
        client: &client,
        together: &run.together,
        runtime: run.runtime.handle(),
        cancel: &run.cancel,
    };
    Ok(run.pipeline(site)?.recheck(door, &address.targets)?)
}

/// Visits the page that led to an address, as `check` does: what it shows now becomes a sighting of its case.
fn visit(run: &Run<'_>, sites: &[(String, SiteSettings)], page: &str) -> anyhow::Result<()> {
    let Ok((mut plan, client, site)) = way(run, sites, page) else { return Ok(()) };
    if let Some(site) = site {
        plan.render = site.render;
        plan.render_limits = (&run.context.settings.render).into();
    }
    let pipeline = run.pipeline(site)?;
    pipeline
        .crawl(&plan, &client, &run.together, run.runtime.handle(), &run.cancel, &mut |_| {})
        .with_context(|| format!("page {page}"))?;
    Ok(())
}

/// How an address is asked for: as its site wants it, where it belongs to a known one.
fn way<'s>(
    run: &Run<'_>,
    sites: &'s [(String, SiteSettings)],
    address: &str,
) -> anyhow::Result<(Plan, Client, Option<&'s SiteSettings>)> {
    let mut plan = Plan::for_url(address)?;
    plan.name = format!("recheck {address}");
    let url = Url::parse(address)?;
    for (name, site) in sites {
        let Ok(own) = Plan::for_site(name, site) else { continue };
        let scope = own.scope();
        if scope(&url) {
            plan.robots = own.robots.clone();
            plan.robots_reason.clone_from(&own.robots_reason);
            let client = Client::for_site(&run.fetch, &site.fetch, scope)?;
            return Ok((plan, client, Some(site)));
        }
    }
    Ok((plan, Client::new(&run.fetch)?, None))
}

/// Enters what was seen, moves the case, and tells; returns whether anything is unclear.
fn settle(
    context: &Context,
    run: &Run<'_>,
    case_id: &str,
    looked: &[Liveness],
    calendars: &Calendars,
) -> anyhow::Result<bool> {
    let now = context.clock.now();
    let mut moved = None;
    let files = edit(run.store(), &[case_id.to_owned()], &mut |file| {
        file.look(looked.to_vec(), now, "earwitness");
        moved = file.settle(now, calendars, "earwitness");
        Ok(())
    })
    .map_err(usage)?;
    let Some(file) = files.first() else { return Ok(false) };
    let known = known_liveness(&file.case, &file.liveness);
    let unclear = known.iter().filter(|known| known.alive == Alive::Unclear);
    for known in unclear.clone() {
        let note = known.record.map(|record| record.note.as_str()).unwrap_or_default();
        output::failed(&output::inert(&format!("{}: unclear: {note}", known.url)));
    }
    if context.json {
        let (state, liveness) = (file.case.state, file.liveness.as_slice());
        output::json(&Rechecked { case_id, state, moved, liveness })?;
    } else {
        let now_so = moved.map(|_| " (moved)").unwrap_or_default();
        output::line(&format!("{case_id} {}{now_so}", file.case.state));
        for known in &known {
            let note = known.record.map_or("seen on its page", |record| record.note.as_str());
            output::line(&format!("  {} {} ({})", known.alive.as_str(), inert(known.url), inert(note)));
        }
    }
    Ok(unclear.count() > 0)
}
