//! Sites made, changed, removed, crawled now, stopped and halted by people.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::decide::Beside;
use super::sites::{ALL, Site, has_secrets, site, standing};
use crate::base::{Timestamp, without_user};
use crate::config::{SiteFetchSettings, SiteSettings};
use crate::crawl::{self, Plan, SiteRecord};
use crate::evidence::log::{self, Log, NewEntry};
use crate::net::Client;
use crate::schedule::{self, LastRun, Pause};
use crate::store::Batch;
use crate::web::app::App;
use crate::web::fault::Fault;

/// The longest settings of a site that is made here, in bytes as JSON: a record of the store is short.
const SETTINGS_BYTES_MAX: usize = 24 << 10;
/// Names that stand for something else in addresses of pages.
const RESERVED: [&str; 4] = [".", "..", "act", "events"];

/// Who does something, and when.
pub(in crate::web) type By<'a> = (&'a str, Timestamp);

/// Reads settings of a site that were sent, by the same types as the configuration file.
///
/// # Errors
/// [`Fault`] that begins with the setting's name.
pub(in crate::web) fn read_settings(sent: &Map<String, Value>) -> Result<SiteSettings, Fault> {
    for (key, value) in sent {
        // Each alone first, so that a wrong value is told with its name.
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        serde_json::from_value::<SiteSettings>(Value::Object(alone)).map_err(|error| {
            Fault::unfit(format!("{}: {error}", key.chars().take(60).collect::<String>()))
        })?;
    }
    serde_json::from_value(Value::Object(sent.clone())).map_err(|error| Fault::unfit(error.to_string()))
}

/// Checks a site as the configuration file's are checked, and that it asks for nothing that only the file may.
fn check(app: &App, name: &str, settings: &SiteSettings) -> Result<(), Fault> {
    let SiteFetchSettings { headers, cookies_file, proxy, user_agent } = &settings.fetch;
    let of_file = [
        ("headers", !headers.is_empty()),
        ("cookies_file", cookies_file.is_some()),
        ("proxy", proxy.is_some()),
    ];
    if let Some((key, _)) = of_file.into_iter().find(|(_, is_set)| *is_set) {
        return Err(Fault::unfit(format!(
            "fetch.{key}: it can hold a secret or name a file of the machine, and is not taken here; describe the site in the \
             configuration file"
        )));
    }
    if settings.seeds.iter().any(|seed| without_user(seed) != *seed) {
        return Err(Fault::unfit(
            "seeds: an address with a user name or a password is not taken here; describe the site in the configuration file, \
             with fetch.headers",
        ));
    }
    if RESERVED.contains(&name) {
        return Err(Fault::unfit(format!("name: `{name}` has another meaning here; take another one")));
    }
    let plan = Plan::check_site(name, settings).and_then(|()| Plan::for_site(name, settings));
    let plan = plan.map_err(|error| unfit(&error))?;
    if user_agent.is_some() {
        Client::for_site(&app.settings().fetch, &settings.fetch, plan.scope())
            .map_err(|error| Fault::unfit(format!("fetch.user_agent: {error}")))?;
    }
    let length = serde_json::to_vec(settings).map_err(|error| Fault::internal(&error))?.len();
    if length > SETTINGS_BYTES_MAX {
        return Err(Fault::unfit(format!(
            "settings: they are longer than {SETTINGS_BYTES_MAX} bytes; describe the site in the configuration file"
        )));
    }
    Ok(())
}

/// What is wrong with a site, after the name of the setting.
fn unfit(error: &crawl::Error) -> Fault {
    use crawl::Error as E;
    Fault::unfit(match error {
        E::SiteName => format!("name: {error}"),
        E::NoSeeds { .. } => "seeds: name at least one address to begin at".to_owned(),
        E::Seed { .. } => format!("seeds: {error}"),
        E::NoRobotsReason { .. } => format!("robots_reason: {error}"),
        E::Setting { key, reason, .. } => format!("{key}: {reason}"),
        E::Pattern { key, reason, .. } => format!("{key}: not a regular expression ({reason})"),
        other => other.to_string(),
    })
}

/// Makes a site; `beside` puts what belongs to it into the same batch.
///
/// # Errors
/// [`Fault`] that begins with the name of what is wrong, or says that there is a site of this name.
pub(in crate::web) fn make_site(
    app: &App,
    (name, settings): (&str, SiteSettings),
    by: By<'_>,
    beside: Beside<'_, Site>,
) -> Result<Site, Fault> {
    check(app, name, &settings)?;
    // Whoever has the log open is alone: nobody makes a site of this name between the look and the commit.
    let log = Log::open(app.store())?;
    if app.settings().sites.contains_key(name) || app.store().get::<SiteRecord>(name)?.is_some() {
        return Err(Fault::conflict(format!("name: there is a site `{name}` already")));
    }
    put(app, log, SiteRecord { name: name.to_owned(), settings }, ("made", by), beside)
}

/// Gives a site other settings, from its next run on.
///
/// # Errors
/// As [`make_site`], and where the site is none that can be changed here.
pub(in crate::web) fn change_site(
    app: &App,
    name: &str,
    settings: SiteSettings,
    by: By<'_>,
) -> Result<Site, Fault> {
    own_settings(app, name)?;
    check(app, name, &settings)?;
    let log = Log::open(app.store())?;
    // It may have been removed meanwhile.
    own_settings(app, name)?;
    let record = SiteRecord { name: name.to_owned(), settings };
    put(app, log, record, ("changed", by), &mut |_, _| Ok(()))
}

fn put(
    app: &App,
    mut log: Log,
    record: SiteRecord,
    (what, by): (&str, By<'_>),
    beside: Beside<'_, Site>,
) -> Result<Site, Fault> {
    let mut batch = Batch::new();
    log.add(&mut batch, &entry(by, &format!("site {}", record.name), what))?;
    batch.put(&record)?;
    let was_running = app.runs.is_running(&record.name);
    let job = crawl::jobs(app.store())?.into_iter().find(|job| job.name == record.name);
    let last = schedule::last_runs(app.store())?.get(&record.name).copied().unwrap_or(LastRun::None);
    let made = standing(app, (record.name, record.settings), (job, last), was_running, by.1)?;
    beside(&made, &mut batch)?;
    app.store().commit(batch)?;
    Ok(made)
}

fn entry<'a>((actor, at): By<'a>, subject: &'a str, note: &'a str) -> NewEntry<'a> {
    NewEntry { at, what: "crawl", subject, actor, sha256: None, note }
}

/// The settings of a site that can be changed here.
///
/// # Errors
/// [`Fault`] where there is none of this name, or it is changed elsewhere, and where.
pub(in crate::web) fn own_settings(app: &App, name: &str) -> Result<SiteSettings, Fault> {
    if app.settings().sites.contains_key(name) {
        let file = app.settings_file();
        let detail = format!("site `{name}` is described in the configuration ({file}); change it there");
        return Err(Fault::conflict(detail));
    }
    let record = app.store().get::<SiteRecord>(name)?;
    let settings = record.ok_or_else(|| Fault::not_found("there is no such site"))?.settings;
    if has_secrets(&settings) {
        let detail = format!(
            "site `{name}` has a password, headers, cookies or a proxy, which are not told here: change it with `earwitness \
             crawl add`, or describe it in the configuration file"
        );
        return Err(Fault::conflict(detail));
    }
    Ok(settings)
}

/// Removes a site that was made here, and all that is kept of its runs; not while it is crawled.
///
/// # Errors
/// [`Fault`] where there is none, it is described in the configuration, or it is being crawled.
pub(in crate::web) fn remove_site(app: &App, name: &str, by: By<'_>) -> Result<(), Fault> {
    if app.settings().sites.contains_key(name) {
        own_settings(app, name)?;
    }
    // Held until it is gone, so that no run begins on what is half removed.
    let Some(_held) = app.runs.hold(name) else {
        return Err(Fault::conflict("it is being crawled; stop it first"));
    };
    if app.store().get::<SiteRecord>(name)?.is_none() {
        return Err(Fault::not_found("there is no such site"));
    }
    // What takes long first: were it broken off, the site would still be there to be removed.
    crawl::forget(app.store(), name)?;
    let mut log = Log::open(app.store())?;
    let mut batch = Batch::new();
    log.add(&mut batch, &entry(by, &format!("site {name}"), "removed"))?;
    batch.delete::<Pause>(name);
    batch.delete::<SiteRecord>(name);
    Ok(app.store().commit(batch)?)
}

/// What a person does with a schedule or a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Act {
    /// A run begins at the next second.
    Begin,
    /// A run ends after what is in hand, and goes on at the next time.
    Stop,
    /// Its schedule is halted.
    Pause,
    /// Its schedule goes on.
    Resume,
}

impl Act {
    pub(in crate::web) const ALL: [Self; 4] = [Self::Begin, Self::Stop, Self::Pause, Self::Resume];

    pub(in crate::web) const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

/// Does something with a site's schedule or run; `*` stands for the schedules of all.
///
/// # Errors
/// [`Fault`] where there is no such site, or it cannot be done as it stands.
pub(in crate::web) fn act(app: &App, named: &str, act: Act, by: By<'_>) -> Result<(), Fault> {
    let name = Some(named).filter(|name| *name != ALL);
    if let Some(name) = name {
        site(app, name, by.1)?;
    }
    match (act, name) {
        (Act::Begin, Some(name)) if app.runs.is_running(name) => {
            return Err(Fault::conflict("it is being crawled already"));
        }
        (Act::Begin, Some(name)) => app.runs.want(name),
        (Act::Stop, Some(name)) if !app.runs.stop(name, app.store()) => {
            return Err(Fault::conflict("it is not being crawled"));
        }
        (Act::Stop, Some(_)) => {}
        (Act::Pause, name) => schedule::pause(app.store(), name, by.0, by.1)?,
        (Act::Resume, name) => schedule::resume(app.store(), name)?,
        (Act::Begin | Act::Stop, None) => {
            let detail = "one site at a time is begun or stopped: name it";
            return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
    }
    log::append(app.store(), &entry(by, &format!("site {named}"), act.as_str()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any small JSON.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("cron|headers|[a-z]{1,6}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_no_site_is_told_by_its_setting(
            sent in prop::collection::btree_map(
                "seeds|schedule|fetch|depth_max|robots|render|delay_factor|[a-z_]{1,9}", json(), 0..4,
            ),
        ) {
            let sent: Map<String, Value> = sent.into_iter().collect();
            match read_settings(&sent) {
                Ok(settings) => {
                    let _ = Plan::check_site("a", &settings).map_err(|error| unfit(&error));
                }
                Err(fault) => {
                    let named = fault.detail.split(':').next().unwrap_or_default();
                    prop_assert!(sent.contains_key(named), "{}", fault.detail);
                }
            }
        }
    }
}
