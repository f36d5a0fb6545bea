//! Which cases' addresses are to be looked at, and looking at them: several hosts at once, each address once however many
//! cases name it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use url::Url;

use super::recheck::{Door, Target};
use super::runner::{RunError, Runner};
use crate::base::{Timestamp, lock};
use crate::cases::{self, Alive, Calendars, CaseFile, DueKind, Event, Liveness, State, edit, known_liveness};
use crate::config::SiteSettings;
use crate::crawl::Plan;
use crate::net::Client;

/// Addresses that are looked at at once, each of another host.
const AT_ONCE: usize = 4;

/// An address is not looked at twice within this time by itself.
const AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);

/// An address, and who wants to know of it.
struct Address {
    /// Without the way into an archive.
    url: String,
    targets: Vec<Target>,
    /// The pages that led there.
    pages: BTreeSet<String>,
}

/// Why addresses could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// A run failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What was seen cannot be kept.
    #[error(transparent)]
    Cases(#[from] cases::Error),
}

/// Whether a case is one whose addresses are watched: upheld, and not at its end.
#[must_use]
pub fn is_watched(file: &CaseFile) -> bool {
    let state = file.case.state;
    state.is_upheld() && !state.is_final() && state != State::Removed
}

/// Whether a case is to be looked at: a provider's time is over, or nothing is known that is new enough.
#[must_use]
pub fn is_look_due(
    file: &CaseFile,
    now: Timestamp,
    max_age: jiff::SignedDuration,
    calendars: &Calendars,
) -> bool {
    let is_over = cases::due(file, now, jiff::SignedDuration::ZERO, calendars)
        .iter()
        .any(|one| one.kind == DueKind::Recheck);
    // What stayed unclear is not asked for again at once.
    let looked_at = file.liveness.iter().map(|one| one.at).max();
    let is_fresh = looked_at.is_some_and(|at| now.duration_since(at) < AGAIN);
    !is_fresh && is_over
        || known_liveness(&file.case, &file.liveness)
            .iter()
            .any(|known| now.duration_since(known.at) >= max_age)
}

/// Looks at all addresses of these cases, enters what was seen, and moves the cases; `tell` hears of each with what moved it.
///
/// Blocks: not to be called on a thread of the runtime.
///
/// # Errors
/// [`LookError`] when the store fails; addresses that fail are unclear.
pub fn look_at(
    runner: &Runner<'_>,
    files: &[CaseFile],
    calendars: &Calendars,
    tell: &mut dyn FnMut(&CaseFile, Option<Event>),
) -> Result<(), LookError> {
    let sites = super::runner::sites(runner.settings, runner.library.store()).map_err(cases::Error::Store)?;
    let liveness = look_at_all(runner, &sites, &addresses(files))?;
    for file in files {
        let own: Vec<Liveness> =
            liveness.iter().filter(|one| one.case_id == file.case.case_id).cloned().collect();
        settle(runner, &file.case.case_id, &own, calendars, tell)?;
    }
    Ok(())
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
    runner: &Runner<'_>,
    sites: &[(String, SiteSettings)],
    addresses: &[Address],
) -> Result<Vec<Liveness>, RunError> {
    let (waiting, found) = (Mutex::new(addresses.iter()), Mutex::new(Vec::new()));
    let visited = Mutex::new(BTreeSet::new());
    let work = || -> Result<(), RunError> {
        loop {
            let next = lock(&waiting).next();
            let Some(address) = next.filter(|_| !runner.cancel.is_cancelled()) else { return Ok(()) };
            let looked = look(runner, sites, address)?;
            if runner.cancel.is_cancelled() {
                // A look that was cut off tells nothing.
                return Ok(());
            }
            let is_elsewhere = looked.iter().any(|one| one.alive != Alive::Yes);
            lock(&found).extend(looked);
            for page in address.pages.iter().filter(|_| is_elsewhere) {
                let is_new = lock(&visited).insert(page.clone());
                if is_new {
                    visit(runner, sites, page)?;
                }
            }
        }
    };
    let outcomes: Vec<Result<(), RunError>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    outcomes.into_iter().collect::<Result<(), RunError>>()?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Fetches one address.
fn look(
    runner: &Runner<'_>,
    sites: &[(String, SiteSettings)],
    address: &Address,
) -> Result<Vec<Liveness>, RunError> {
    let (plan, client, site) = match way(runner, sites, &address.url) {
        Ok(way) => way,
        // Such as one that was too long to be kept whole.
        Err(error) => {
            let at = runner.clock.now();
            let unclear = |target: &Target| Liveness {
                case_id: target.case_id.clone(),
                url: target.url.clone(),
                at,
                status: None,
                sha256: None,
                alive: Alive::Unclear,
                note: error.to_string(),
            };
            return Ok(address.targets.iter().map(unclear).collect());
        }
    };
    let door = Door {
        plan: &plan,
        client: &client,
        together: runner.together,
        runtime: runner.runtime,
        cancel: runner.cancel,
    };
    Ok(runner.pipeline(site)?.recheck(door, &address.targets)?)
}

/// Visits the page that led to an address, as `check` does: what it shows now becomes a sighting of its case.
fn visit(runner: &Runner<'_>, sites: &[(String, SiteSettings)], page: &str) -> Result<(), RunError> {
    let Ok((mut plan, client, site)) = way(runner, sites, page) else { return Ok(()) };
    if let Some(site) = site {
        plan.render = site.render;
        plan.render_limits = (&runner.settings.render).into();
    }
    let pipeline = runner.pipeline(site)?;
    pipeline.crawl(&plan, &client, runner.together, runner.runtime, runner.cancel, &mut |_| {})?;
    Ok(())
}

/// How an address is asked for: as its site wants it, where it belongs to a known one.
fn way<'s>(
    runner: &Runner<'_>,
    sites: &'s [(String, SiteSettings)],
    address: &str,
) -> Result<(Plan, Client, Option<&'s SiteSettings>), RunError> {
    let mut plan = Plan::for_url(address)?;
    plan.name = format!("recheck {address}");
    // A plan was made of it, so that it is a URL.
    let url = Url::parse(address).ok();
    for (name, site) in sites {
        let Ok(own) = Plan::for_site(name, site) else { continue };
        let scope = own.scope();
        if url.as_ref().is_some_and(|url| scope(url)) {
            plan.robots = own.robots.clone();
            plan.robots_reason.clone_from(&own.robots_reason);
            let client = Client::for_site(runner.fetch, &site.fetch, scope)?;
            return Ok((plan, client, Some(site)));
        }
    }
    Ok((plan, Client::new(runner.fetch)?, None))
}

/// Enters what was seen, and moves the case.
fn settle(
    runner: &Runner<'_>,
    case_id: &str,
    looked: &[Liveness],
    calendars: &Calendars,
    tell: &mut dyn FnMut(&CaseFile, Option<Event>),
) -> Result<(), cases::Error> {
    let now = runner.clock.now();
    let mut moved = None;
    let files = edit(runner.library.store(), &[case_id.to_owned()], &mut |file| {
        file.look(looked.to_vec(), now, "earwitness");
        moved = file.settle(now, calendars, "earwitness");
        Ok(())
    })?;
    files.iter().for_each(|file| tell(file, moved));
    Ok(())
}
